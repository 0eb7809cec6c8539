/*
 * base_str.c - text: buffers that end, numbers that are exact, words that are near.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "base/str.h"

Test(base_str, buffer)
{
	char data[8];
	struct str_buf b;

	str_buf_init(&b, data, sizeof(data));
	cr_assert_str_eq(data, "");
	str_buf_add(&b, "%s%d", "ab", 1);
	str_buf_add_bytes(&b, "xyz", 3);
	cr_assert_str_eq(data, "ab1xyz");
	cr_assert(b.length == 6 && !b.cut);
	str_buf_add(&b, "%s", "Q");
	cr_assert(b.length == 7 && !b.cut);
	str_buf_add(&b, "%s", "R");
	cr_assert(b.length == 7 && b.cut);
	str_buf_add(&b, "%s", "");
	cr_assert_str_eq(data, "ab1xyzQ");
}

Test(base_str, buffer_cuts_bytes)
{
	char data[4];
	struct str_buf b;

	str_buf_init(&b, data, sizeof(data));
	str_buf_add_bytes(&b, "abcdef", 6);
	cr_assert(b.cut && b.length == 3);
	cr_assert_str_eq(data, "abc");
	str_buf_add_bytes(&b, "x", 1);
	cr_assert_str_eq(data, "abc");
	str_buf_init(&b, NULL, 0);
	str_buf_add(&b, "x");
	str_buf_add_bytes(&b, "x", 1);
	cr_assert_eq(b.length, 0u);
}

Test(base_str, comparisons)
{
	static const char *const list[] = {"a", "bc", NULL};

	cr_assert(str_eq("a", "a") && str_eq(NULL, NULL));
	cr_assert(!str_eq("a", "b") && !str_eq(NULL, "a") && !str_eq("a", NULL));
	cr_assert(str_starts("abc", "ab") && str_starts("abc", "") && !str_starts("a", "ab"));
	cr_assert(str_is_one_of("bc", list) && !str_is_one_of("b", list) && !str_is_one_of("", list));
	cr_assert(str_has_word("cpu memory\n", "memory") && str_has_word("cpu", "cpu"));
	cr_assert(!str_has_word("cpuset memory", "cpu") && !str_has_word("", "cpu") &&
		  !str_has_word(" \n", "x"));
}

Test(base_str, unsigned_numbers)
{
	static const struct {
		const char *text;
		int result;
		uint64_t value;
	} cases[] = {
		{"0", 0, 0},
		{"007", 0, 7},
		{"18446744073709551615", 0, UINT64_MAX},
		{"18446744073709551616", -ERANGE, 0},
		{"99999999999999999999999", -ERANGE, 0},
		{"99999999999999999999999x", -EINVAL, 0},
		{"", -EINVAL, 0},
		{"-1", -EINVAL, 0},
		{"+1", -EINVAL, 0},
		{" 1", -EINVAL, 0},
		{"1 ", -EINVAL, 0},
		{"0x1", -EINVAL, 0},
		{"1.0", -EINVAL, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t value = 42;
		cr_expect_eq(str_to_u64(cases[i].text, &value), cases[i].result, "%s", cases[i].text);
		cr_expect_eq(value, cases[i].result ? 42 : cases[i].value, "%s", cases[i].text);
	}
}

Test(base_str, signed_numbers)
{
	int64_t value = 0;

	cr_assert(str_to_i64("-9223372036854775808", &value) == 0 && value == INT64_MIN);
	cr_assert(str_to_i64("9223372036854775807", &value) == 0 && value == INT64_MAX);
	cr_assert(str_to_i64("-0", &value) == 0 && value == 0);
	cr_assert_eq(str_to_i64("-9223372036854775809", &value), -ERANGE);
	cr_assert_eq(str_to_i64("9223372036854775808", &value), -ERANGE);
	cr_assert_eq(str_to_i64("-", &value), -EINVAL);
	cr_assert_eq(str_to_i64("--1", &value), -EINVAL);
}

Test(base_str, octal_numbers)
{
	uint32_t value = 0;

	cr_assert(str_to_octal("0755", &value) == 0 && value == 0755);
	cr_assert(str_to_octal("37777777777", &value) == 0 && value == UINT32_MAX);
	cr_assert_eq(str_to_octal("40000000000", &value), -ERANGE);
	cr_assert_eq(str_to_octal("8", &value), -EINVAL);
}

Test(base_str, base64)
{
	static const struct {
		const char *text, *bytes;
	} good[] = {{"", ""}, {"Zg==", "f"}, {"Zm8=", "fo"}, {"Zm9v", "foo"}, {"Zm9vYg==", "foob"},
		{"Zm9vYmE=", "fooba"}, {"Zm9vYmFy", "foobar"}, {"+/+/", "\xfb\xff\xbf"}};
	static const char *const bad[] = {"Z", "Zg", "Zg=", "Zg===", "Zm9", "=",
		"====", "Zg==Zg==", "Zm9v Zm9v", "Zm9v\n", "Zm-_", "Zm9v="};
	unsigned char bytes[16];

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		int64_t n = str_from_base64(good[i].text, bytes, sizeof(bytes));
		cr_assert_eq(n, (int64_t)strlen(good[i].bytes), "%s", good[i].text);
		cr_assert_eq(memcmp(bytes, good[i].bytes, (size_t)n), 0, "%s", good[i].text);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		cr_assert_eq(str_from_base64(bad[i], bytes, sizeof(bytes)), -EINVAL, "%s", bad[i]);
	cr_assert_eq(str_from_base64("Zm9v", bytes, 3), 3);
	cr_assert_eq(str_from_base64("Zm9v", bytes, 2), -ERANGE);
}

Test(base_str, errors_by_name)
{
	cr_assert_str_eq(str_errno(ENOENT), "No such file or directory");
	cr_assert_str_eq(str_errno_name(ENOENT), "ENOENT");
	cr_assert_str_eq(str_errno(99999), "Unknown error");
	cr_assert_str_eq(str_errno_name(99999), "E?");
}

Test(base_str, nearest)
{
	static const char *const list[] = {"rslave", "rshared", "private", "bind", "pid", NULL};

	cr_assert_str_eq(str_nearest("rslvae", list), "rslave");
	cr_assert_str_eq(str_nearest("privat", list), "private");
	cr_assert_str_eq(str_nearest("bin", list), "bind");
	cr_assert_str_eq(str_nearest("pdi", list), "pid", "a swap is one edit");
	cr_assert_null(str_nearest("completely", list));
	cr_assert_null(str_nearest("x", list), "one edit of a one-letter word is another word");
	cr_assert_null(str_nearest("", list));
	cr_assert_null(str_nearest("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", list));
}

Test(base_str, utf8)
{
	static const struct {
		const char *text;
		size_t length, sound;
	} cases[] = {
		{"", 0, 0},
		{"plain text of more than eight bytes", 35, 35},
		{"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 9, 9},
		{"1234567\xc3\xa9", 9, 9},
		{"12345678\xff", 9, 8},
		{"a\xc3", 2, 1},
		{"a\xc3(", 3, 1},
		{"\xc0\x80", 2, 0},     /* overlong NUL */
		{"\xc1\xbf", 2, 0},     /* overlong */
		{"\xe0\x9f\xbf", 3, 0}, /* overlong */
		{"\xe0\xa0\x80", 3, 3},
		{"\xed\x9f\xbf", 3, 3},
		{"\xed\xa0\x80", 3, 0}, /* surrogate */
		{"\xee\x80\x80", 3, 3},
		{"\xf0\x8f\xbf\xbf", 4, 0}, /* overlong */
		{"\xf4\x8f\xbf\xbf", 4, 4},
		{"\xf4\x90\x80\x80", 4, 0}, /* above U+10FFFF */
		{"\xf5\x80\x80\x80", 4, 0},
		{"\x80", 1, 0},
		{"\xf0\x9f\x98", 3, 0},
		{"a\0b", 3, 3},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		cr_expect_eq(str_utf8_prefix(cases[i].text, cases[i].length), cases[i].sound, "case %zu", i);
}

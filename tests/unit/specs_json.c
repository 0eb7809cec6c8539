/*
 * specs_json.c - the tape: what a good text becomes, and the exact words for every kind of bad one.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "specs/json.h"

static struct arena arena;
static struct report report;

static void set_up(void)
{
	cr_assert_eq(arena_init(&arena, NULL), 0);
	report_init(&report, &arena);
}

static void tear_down(void)
{
	arena_free(&arena);
}

TestSuite(specs_json, .init = set_up, .fini = tear_down);

static const struct json_doc *parse_n(const char *text, size_t length)
{
	const struct json_doc *doc;

	json_parse(&arena, "f.json", text, length, &report, &doc);
	return doc;
}

static const struct json_doc *parse(const char *text)
{
	return parse_n(text, strlen(text));
}

/* The first problem, as it is shown without source; with source when asked. */
static const char *first_problem(int show_source)
{
	static char text[4096];

	cr_assert_not_null(report.first);
	err_format(&report.first->err, show_source, text, sizeof(text));
	return text;
}

Test(specs_json, every_kind_of_value)
{
	const struct json_doc *d = parse(
		"{\"a\": [1, -2.5e3, \"x\\n\\u00e9\", true, false, null], \"b\": {}}");

	cr_assert_not_null(d);
	cr_assert_eq(d->count, 9u);
	cr_assert_eq(d->nodes[0].kind, JSON_OBJECT);
	cr_assert_eq(d->nodes[0].count, 2u);
	cr_assert_eq(d->nodes[0].next, 9u);
	uint32_t a = json_member(d, 0, "a");
	cr_assert_eq(d->nodes[a].kind, JSON_ARRAY);
	cr_assert_eq(d->nodes[a].count, 6u);
	cr_assert_str_eq(d->nodes[json_item(d, a, 0)].text, "1");
	cr_assert_str_eq(d->nodes[json_item(d, a, 1)].text, "-2.5e3");
	cr_assert_str_eq(d->nodes[json_item(d, a, 2)].text, "x\n\xc3\xa9");
	cr_assert_eq(d->nodes[json_item(d, a, 2)].length, 4u);
	cr_assert_eq(d->nodes[json_item(d, a, 3)].kind, JSON_TRUE);
	cr_assert_eq(d->nodes[json_item(d, a, 4)].kind, JSON_FALSE);
	cr_assert_eq(d->nodes[json_item(d, a, 5)].kind, JSON_NULL);
	uint32_t b = json_member(d, 0, "b");
	cr_assert_eq(b, 8u);
	cr_assert_str_eq(json_key(&d->nodes[b]), "b");
	cr_assert_eq(report.errors, 0u);
}

Test(specs_json, absent_values)
{
	const struct json_doc *d = parse("{\"a\": [[1], 2]}");
	uint32_t a = json_member(d, 0, "a");

	cr_assert_eq(json_member(d, 0, "b"), JSON_NONE);
	cr_assert_eq(json_member(d, a, "b"), JSON_NONE);
	cr_assert_eq(json_member(d, JSON_NONE, "b"), JSON_NONE);
	cr_assert_eq(json_member(NULL, 0, "b"), JSON_NONE);
	cr_assert_eq(json_item(d, a, 2), JSON_NONE);
	cr_assert_eq(json_item(d, 0, 0), JSON_NONE);
	cr_assert_str_eq(d->nodes[json_item(d, a, 1)].text, "2");
}

Test(specs_json, surrogate_pair)
{
	const struct json_doc *d = parse("[\"\\ud83d\\ude00\", \"\\uD83D\\uDE00\\\\u\"]");

	cr_assert_not_null(d);
	cr_assert_str_eq(d->nodes[1].text, "\xf0\x9f\x98\x80");
	cr_assert_str_eq(d->nodes[2].text, "\xf0\x9f\x98\x80\\u");
}

Test(specs_json, raw_text)
{
	const struct json_doc *d = parse("{\"a\" :\t { \"b\":[1 ,2 ] } , \"c\": -1.0 }");
	size_t length;

	const char *raw = json_raw(d, json_member(d, 0, "a"), &length);
	cr_assert_eq(length, strlen("{ \"b\":[1 ,2 ] }"));
	cr_assert(strncmp(raw, "{ \"b\":[1 ,2 ] }", length) == 0);
	raw = json_raw(d, json_member(d, 0, "c"), &length);
	cr_assert(length == 4 && strncmp(raw, "-1.0", 4) == 0);
	json_raw(d, 0, &length);
	cr_assert_eq(length, d->length);
}

Test(specs_json, place_of_a_value)
{
	const struct json_doc *d = parse(
		"{\n\t\"mounts\": [\n\t\t{},\n\t\t{\"options\": [\"a\", \"bad\"]}\n\t]\n}\n");
	uint32_t mount = json_item(d, json_member(d, 0, "mounts"), 1);
	uint32_t bad = json_item(d, json_member(d, mount, "options"), 1);

	json_error(&report, d, bad, "unknown \"%s\"", "bad");
	cr_assert_str_eq(first_problem(0), "f.json:4:21: mounts[1].options[1]: unknown \"bad\"");
	cr_assert_str_eq(first_problem(1), "f.json:4:21: mounts[1].options[1]: unknown \"bad\"\n"
					   "    \t\t{\"options\": [\"a\", \"bad\"]}\n"
					   "    \t\t                  ^");
}

Test(specs_json, place_of_a_key)
{
	const struct json_doc *d = parse("{\"linux\": {\"sysctl\": {\"net.x\": \"1\"}}}");
	uint32_t sysctl = json_member(d, json_member(d, 0, "linux"), "sysctl");

	json_problem_key(&report, REPORT_WARNING, d, json_member(d, sysctl, "net.x"), "bad");
	cr_assert_str_eq(first_problem(0), "f.json:1:23: linux.sysctl[\"net.x\"]: bad");
	cr_assert_eq(report.warnings, 1u);
	cr_assert_eq(report.errors, 0u);
}

Test(specs_json, one_err)
{
	const struct json_doc *d = parse("{\n  \"a\": 1}");
	struct err e;

	cr_assert_eq(json_err(&e, d, json_member(d, 0, "a"), 2, "no %s", "good"), -2);
	cr_assert_eq(e.code, 2);
	cr_assert_eq(e.where.line, 2u);
	cr_assert_eq(e.where.column, 8u);
	cr_assert_str_eq(e.where.path, "a");
	json_err(&e, d, JSON_NONE, 2, "x");
	cr_assert_str_eq(e.where.file, "f.json");
	cr_assert_eq(e.where.line, 0u);
	json_err(&e, NULL, 0, 2, "x");
	cr_assert_str_eq(e.where.file, "");
}

Test(specs_json, long_line_is_cut_around_the_column)
{
	char text[2000];
	int n = snprintf(text, sizeof(text), "{\"a\":[");

	for (int i = 0; i < 100; i++)
		n += snprintf(text + n, sizeof(text) - (size_t)n, "\"\xc3\xa9%03d\",", i);
	snprintf(text + n, sizeof(text) - (size_t)n, "0]}");
	const struct json_doc *d = parse(text);
	struct err_where w;
	uint32_t item = json_item(d, json_member(d, 0, "a"), 50);
	json_where(d, item, &w);
	cr_assert_eq(strncmp(w.source, "...", 3), 0);
	cr_assert_str_eq(w.source + strlen(w.source) - 3, "...");
	cr_assert_eq(strncmp(w.source + w.caret,
			     "\"\xc3\xa9"
			     "050\"",
			     7),
		0);
	cr_assert_eq(str_utf8_prefix(w.source, strlen(w.source)), strlen(w.source));
	json_where(d, 0, &w);
	cr_assert_eq(w.caret, 0u);
	cr_assert_eq(strncmp(w.source, "{\"a\"", 4), 0);
}

Test(specs_json, control_characters_do_not_reach_the_terminal)
{
	const struct json_doc *d = parse("{\"\\u001b[2J\": \"\xc2\x9b\"}");

	json_error(&report, d, 1, "\x1b[2J \xc2\x9b \x7f \xc3\xa9");
	cr_assert_str_eq(report.first->err.message, "?[2J ?? ? \xc3\xa9");
	cr_assert_str_eq(report.first->err.where.path, "[\"?[2J\"]");
	cr_assert_str_eq(report.first->err.where.source, "{\"\\u001b[2J\": \"??\"}");
}

/* Bad texts and what is said of them. */
static const struct {
	const char *text;
	const char *said;
} bad[] = {
	{"", "f.json:1:1: the file is empty"},
	{" \n\t", "f.json:1:1: the file is empty"},
	{"\xef\xbb\xbf{}",
		"f.json:1:1: the file starts with a byte order mark (U+FEFF) (save it as UTF-8 without one)"},
	{"{\"a\":\"\xc3(\"}", "f.json:1:7: a byte (0xc3) that is not UTF-8"},
	{"{\"a\":\"\xed\xa0\x80\"}", "f.json:1:7: a byte (0xed) that is not UTF-8"},
	{"{\"a\":\"x\\u0000\"}", "f.json:1:6: a string holds a NUL character (\\u0000)"},
	{"{\"x\\u0000\":1}", "f.json:1:2: a string holds a NUL character (\\u0000)"},
	{"{\"a\":\"\\ud800\"}", "f.json:1:7: half of a surrogate pair (\\ud800) stands alone"},
	{"{\"a\":\"\\ud800\\u0041\"}", "f.json:1:7: half of a surrogate pair (\\ud800) stands alone"},
	{"{\"a\":\"\\udc00\"}", "f.json:1:7: half of a surrogate pair (\\udc00) stands alone"},
	{"{\"a\": [1, 2",
		"f.json:1:12: a: the document ends too early (the '[' at line 1, column 7 is not closed)"},
	{"{\n\"a\": \"abc",
		"f.json:2:10: the document ends too early (the '{' at line 1, column 1 is not closed)"},
	{"{\"a\": 12", "f.json:1:9: the document ends too early (the '{' at line 1, column 1 is not closed)"},
	{"{\"a\":1,\n \"a\":2}", "f.json:2:2: duplicate member \"a\"; the first one is at line 1, column 2"},
	{"{\"\\\\\":[],\n \"\\\\\" : {}}",
		"f.json:2:2: duplicate member \"\\\"; the first one is at line 1, column 2"},
	{"{\"\\\"\\\\\\\"\":\"\", \"\\\"\\\\\\\"\"\n:0}",
		"f.json:1:15: duplicate member \"\"\\\"\"; the first one is at line 1, column 2"},
	{"{\"\":true,\"\":null}", "f.json:1:10: duplicate member \"\"; the first one is at line 1, column 2"},
	{"{} x", "f.json:1:4: something follows the end of the document"},
	{"{}{}", "f.json:1:3: something follows the end of the document"},
	{"{\"a\":\"x\ny\"}", "f.json:1:8: a control character in a string (it must be written as \\u00XX)"},
	{"{\"a\":\"\\x\"}",
		"f.json:1:8: an unknown escape in a string (known are \\\" \\\\ \\/ \\b \\f \\n \\r \\t "
		"\\uXXXX)"},
	{"{\"a\":\"\\u12g4\"}", "f.json:1:11: '\\u' in a string must be followed by four hexadecimal digits"},
	{"{\"a\":01}", "f.json:1:7: expected ',' or '}' after the member"},
	{"{\"a\":-}", "f.json:1:6: a malformed number"},
	{"{\"a\":\n trux}",
		"f.json:2:2: not a JSON value (true, false, null, a number, a \"string\", [ or {)"},
	{"{\"a\":1,}", "f.json:1:8: expected a member's name in double quotes"},
	{"[1,]", "f.json:1:4: expected a value"},
	{"{\"a\":1 \"b\":2}", "f.json:1:8: expected ',' or '}' after the member"},
	{"{\"a\" 1}", "f.json:1:6: expected ':' after the member's name"},
	{"{a:1}", "f.json:1:2: a character that cannot stand here (names and texts need double quotes)"},
	{"{\"a\":[1}", "f.json:1:8: a: expected ',' or ']' after the item"},
	{"{/* x */}", "f.json:1:2: a comment; JSON has none"},
	{"{\"a\"::1}", "f.json:1:6: expected a value"},
};

Test(specs_json, bad_texts)
{
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		report_init(&report, &arena);
		cr_expect_null(parse(bad[i].text), "case %zu", i);
		cr_expect_eq(report.errors, 1u, "case %zu: %u errors", i, report.errors);
		cr_expect_str_eq(first_problem(0), bad[i].said);
	}
}

Test(specs_json, nul_byte)
{
	cr_assert_null(parse_n("{\"a\":\"\0\"}", 9));
	cr_assert_str_eq(first_problem(0), "f.json:1:7: a NUL byte in the document");
}

Test(specs_json, all_duplicates_of_a_small_and_a_large_object)
{
	char text[4000];
	int n = snprintf(text, sizeof(text), "[{\"a\":1,\"b\":1,\"a\":1,\"b\":1,\"ab\":1},\n{\"k0\":0");

	cr_assert_null(parse("[{\"a\":1,\"b\":1,\"a\":1,\"b\":1,\"ab\":1}]"));
	cr_assert_eq(report.errors, 2u);
	report_init(&report, &arena);
	for (int i = 1; i < 200; i++)
		n += snprintf(text + n, sizeof(text) - (size_t)n, ",\"k%d\":0", i);
	snprintf(text + n, sizeof(text) - (size_t)n, ",\"k7\":1,\"k199\":2}]");
	cr_assert_null(parse(text));
	cr_assert_eq(report.errors, 4u);
	cr_assert(str_starts(
		report.last->err.message, "duplicate member \"k199\"; the first one is at line 2"));
}

Test(specs_json, depth)
{
	char text[20001];

	memset(text, '[', 64);
	memset(text + 64, ']', 64);
	cr_assert_not_null(parse_n(text, 128), "64 deep is fine");
	memset(text, '[', 10000);
	memset(text + 10000, ']', 10000);
	cr_assert_null(parse_n(text, 20000));
	cr_assert_str_eq(first_problem(0), "f.json:1:65: nested more than 64 deep");
}

Test(specs_json, number_of_values)
{
	size_t length = 2 * JSON_MAX_NODES + 1;
	char *text = malloc(length + 1);

	memset(text, '1', length);
	for (size_t i = 2; i < length; i += 2)
		text[i] = ',';
	text[0] = '[';
	text[length - 1] = ']';
	cr_assert_null(parse_n(text, length));
	cr_assert_str_eq(report.first->err.message, "the document has more than 1000000 values");
	report_init(&report, &arena);
	text[2] = '1'; /* two numbers less a comma are one */
	cr_assert_not_null(parse_n(text, length));
	free(text);
}

Test(specs_json, size)
{
	size_t length = JSON_MAX_BYTES + 1;
	char *text = malloc(length);

	memset(text, ' ', length);
	memcpy(text, "[]", 2);
	cr_assert_null(parse_n(text, length));
	cr_assert_str_eq(first_problem(0),
		"f.json:1:1: the document has 16777217 bytes; the most that is read is 16777216");
	cr_assert_eq(report.first->err.code, EFBIG);
	report_init(&report, &arena);
	cr_assert_not_null(parse_n(text, length - 1));
	free(text);
}

Test(specs_json, every_truncation_is_an_error)
{
	static const char text[] =
		"{\"a\": [1, -2.5e3, \"x\\n\\u00e9\\ud83d\\ude00\", true, null], \"b\": {\"c\": {}}}";

	for (size_t n = 0; n < sizeof(text) - 1; n++) {
		char *copy = malloc(n + 1); /* exactly as long: a sanitizer sees a read beyond it */
		memcpy(copy, text, n);
		copy[n] = '\0';
		report_init(&report, &arena);
		cr_expect_null(parse_n(copy, n), "%zu bytes", n);
		cr_expect_eq(report.errors, 1u);
		free(copy);
	}
	report_init(&report, &arena);
	cr_assert_not_null(parse(text));
}

Test(specs_json, every_flipped_byte_ends_well)
{
	static const char text[] = "{\"a\": [1, -2.5e3, \"x\\n\\u00e9\", true], \"b\": {\"c\": {}}}";
	char copy[sizeof(text)];

	for (size_t n = 0; n < sizeof(text) - 1; n++) {
		for (int c = 0; c < 256; c++) {
			memcpy(copy, text, sizeof(text));
			copy[n] = (char)c;
			report_init(&report, &arena);
			bool parsed = parse_n(copy, sizeof(text) - 1) != NULL;
			cr_expect_eq(parsed, report.errors == 0, "byte %zu = %d", n, c);
		}
	}
}

Test(specs_json, files)
{
	const struct json_doc *doc;

	cr_assert_eq(json_read(&arena, AT_FDCWD, "/no/such/file", "config.json", &report, &doc), -ENOENT);
	cr_assert_str_eq(first_problem(0), "config.json: cannot read the file: No such file or directory: "
					   "the directory /no does not exist");
	report_init(&report, &arena);
	cr_assert_eq(json_read(&arena, AT_FDCWD, "/", "config.json", &report, &doc), -EISDIR);
	int fds[2];
	cr_assert_eq(pipe(fds), 0);
	cr_assert_eq(write(fds[1], "{\"a\":1}", 7), 7);
	close(fds[1]);
	cr_assert_eq(json_read_fd(&arena, fds[0], "-", &report, &doc), 0);
	cr_assert_str_eq(doc->nodes[1].text, "1");
	close(fds[0]);
}

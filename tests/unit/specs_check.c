/*
 * specs_check.c - lists of numbers as the kernel reads them, as bits.
 */
#include <criterion/criterion.h>

#include "specs/check.h"

static struct arena arena;

static void set_up(void)
{
	cr_assert_eq(arena_init(&arena, NULL), 0);
}

static void tear_down(void)
{
	arena_free(&arena);
}

TestSuite(specs_check, .init = set_up, .fini = tear_down);

Test(specs_check, number_list_mask)
{
	static const struct {
		const char *text;
		uint64_t first, second;
	} cases[] = {
		{"0", 1, 0},
		{"0-3,7", 0x8f, 0},
		{" 1, 2 ", 6, 0},
		{"63-64", (uint64_t)1 << 63, 1},
		{"127", 0, (uint64_t)1 << 63},
		{"5,5,4-5", 0x30, 0},
	};
	size_t words = 0;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const uint64_t *mask = spec_number_list_mask(&arena, cases[i].text, 128, &words);
		cr_assert(mask && words == 2, "%s", cases[i].text);
		cr_assert(mask[0] == cases[i].first && mask[1] == cases[i].second, "%s", cases[i].text);
	}
}

Test(specs_check, number_list_mask_of_none)
{
	static const char *const texts[] = {
		"", " ", ",", "128", "0-128", "0,999999", "1000000", "a", "1-", "-1"};
	size_t words = 0;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		cr_assert_null(spec_number_list_mask(&arena, texts[i], 128, &words), "\"%s\"", texts[i]);
}

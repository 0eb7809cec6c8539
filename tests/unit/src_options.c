/*
 * src_options.c - the option parser. src/ is no library, so its source is included here.
 */
#include "src/options.c"

#include <criterion/criterion.h>

struct values {
	const char *bundle;
	const char *format;
	bool detach;
	bool keep;
	unsigned fds;
	unsigned interval;
};

static const struct option table[] = {
	{"bundle", 'b', OPTION_TEXT, offsetof(struct values, bundle), "DIR", "the bundle", NULL},
	{"format", 'f', OPTION_TEXT, offsetof(struct values, format), "FORMAT", "how", "text json"},
	{"detach", 'd', OPTION_FLAG, offsetof(struct values, detach), NULL, "go on", NULL},
	{"keep", 'k', OPTION_FLAG, offsetof(struct values, keep), NULL, NULL, NULL},
	{"preserve-fds", 0, OPTION_NUMBER, offsetof(struct values, fds), "N", "pass on", NULL},
	{"interval", 0, OPTION_DURATION, offsetof(struct values, interval), "TIME", "wait", NULL},
	{0},
};

static struct values v;
static const char *kept[3];
static struct crt_error error;

#define WORDS(...)                                                                                           \
	(char *const[])                                                                                      \
	{                                                                                                    \
		__VA_ARGS__ __VA_OPT__(, ) NULL                                                              \
	}

static int parse(char *const *words)
{
	v = (struct values){0};
	memset(kept, 0, sizeof(kept));
	error = (struct crt_error){0};
	return options_read(table, &v, words, kept, 3, &error);
}

Test(src_options, every_spelling_of_a_value)
{
	char *const *const spellings[] = {
		WORDS("--bundle", "/b", "id"),
		WORDS("--bundle=/b", "id"),
		WORDS("-b", "/b", "id"),
		WORDS("-b=/b", "id"),
		WORDS("-bundle", "/b", "id"),
		WORDS("id", "--bundle", "/b"),
		WORDS("--b=/b", "id"),
	};

	for (size_t i = 0; i < ARRAY_SIZE(spellings); i++) {
		cr_assert_eq(parse(spellings[i]), 1, "%zu: %s", i, error.message);
		cr_assert_str_eq(v.bundle, "/b");
		cr_assert_str_eq(kept[0], "id");
	}
}

Test(src_options, durations)
{
	static const struct {
		const char *text;
		unsigned ms;
	} good[] = {{"5s", 5000}, {"5", 5000}, {"0", 0}, {"500ms", 500}, {"1m30s", 90000}, {"1.5h", 5400000},
		{"0.25s", 250}, {"2000us", 2}, {"1h1m1s1ms", 3661001}};
	static const char *const bad[] = {
		"", "s", "5x", "5s ", "-5s", ".", "1.s5", "99999999999s", "999999h", "5sm"};

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		cr_assert_eq(parse(WORDS("--interval", (char *)good[i].text)), 0, "%s: %s", good[i].text,
			error.message);
		cr_assert_eq(v.interval, good[i].ms, "%s: %u", good[i].text, v.interval);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		cr_assert_eq(parse(WORDS("--interval", (char *)bad[i])), -EINVAL, "%s", bad[i]);
}

Test(src_options, flags)
{
	cr_assert_eq(parse(WORDS("-d", "id")), 1);
	cr_assert(v.detach && !v.keep);
	cr_assert_eq(parse(WORDS("--detach=false", "--keep=true", "id")), 1);
	cr_assert(!v.detach && v.keep);
	cr_assert_eq(parse(WORDS("--detach=maybe")), -EINVAL);
	cr_assert_str_eq(error.message, "option --detach takes no value");
}

Test(src_options, letters_of_flags_together)
{
	cr_assert_eq(parse(WORDS("-dk", "id")), 1, "%s", error.message);
	cr_assert(v.detach && v.keep);
	cr_assert_eq(parse(WORDS("-d", "-k", "id")), 1);
	cr_assert(v.detach && v.keep);
	for (size_t i = 0; i < 4; i++) {
		char *words[] = {"-db", "-dx", "--dk", "-dk=true"};
		cr_assert_eq(parse(WORDS(words[i], "id")), -EINVAL, "%s", words[i]);
		cr_assert(!v.detach && !v.keep, "%s", words[i]);
	}
}

Test(src_options, two_dashes_end_the_options)
{
	cr_assert_eq(parse(WORDS("-d", "--", "--keep", "--")), 2);
	cr_assert(v.detach && !v.keep);
	cr_assert_str_eq(kept[0], "--keep");
	cr_assert_str_eq(kept[1], "--");
	cr_assert_eq(parse(WORDS("-")), 1, "a single dash is a word");
}

Test(src_options, an_empty_value_is_a_value)
{
	cr_assert_eq(parse(WORDS("--bundle=", "id")), 1);
	cr_assert_str_eq(v.bundle, "");
	cr_assert_eq(parse(WORDS("--bundle", "--detach")), 0);
	cr_assert_str_eq(v.bundle, "--detach", "the next word is the value whatever it looks like");
	cr_assert_not(v.detach);
}

Test(src_options, mistakes)
{
	const struct {
		char *const *words;
		const char *message, *hint;
	} cases[] = {
		{WORDS("--bundel", "x"), "unknown option \"--bundel\"", "did you mean \"--bundle\"?"},
		{WORDS("--bundel=x"), "unknown option \"--bundel\"", "did you mean \"--bundle\"?"},
		{WORDS("-z"), "unknown option \"--z\"", ""},
		{WORDS("--keeep"), "unknown option \"--keeep\"",
			""}, /* never suggests what help does not show */
		{WORDS("id", "--bundle"), "option --bundle needs a value (DIR)", ""},
		{WORDS("-f", "yaml"), "option --format: \"yaml\" is not one of: text json", ""},
		{WORDS("-f", "text json"), "option --format: \"text json\" is not one of: text json", ""},
		{WORDS("-f", ""), "option --format: \"\" is not one of: text json", ""},
		{WORDS("--preserve-fds", "-1"), "option --preserve-fds: \"-1\" is not a number in range", ""},
		{WORDS("--preserve-fds=99999999999"),
			"option --preserve-fds: \"99999999999\" is not a number in range", ""},
		{WORDS("a", "b", "c", "d"), "unexpected argument \"d\"", ""},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cr_assert_eq(parse(cases[i].words), -EINVAL, "%zu", i);
		cr_expect_str_eq(error.message, cases[i].message);
		cr_expect_str_eq(error.hint, cases[i].hint);
	}
}

Test(src_options, leading_options_stop_at_the_first_word)
{
	v = (struct values){0};
	cr_assert_eq(options_read_leading(table, &v, WORDS("-d", "-b", "x", "run", "--keep"), &error), 3);
	cr_assert(v.detach && !v.keep);
	cr_assert_eq(options_read_leading(table, &v, WORDS("--", "run"), &error), 1);
	cr_assert_eq(options_read_leading(table, &v, WORDS("--oops", "run"), &error), -EINVAL);
	cr_assert_eq(options_read_leading(table, &v, WORDS(), &error), 0);
}

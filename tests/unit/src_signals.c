/*
 * src_signals.c - the names of signals.
 */
#include "src/options.c"
#include "src/signals.c"

#include <criterion/criterion.h>

Test(src_signals, names_and_numbers)
{
	static const struct {
		const char *text;
		int number;
	} cases[] = {
		{"TERM", 15},
		{"SIGTERM", 15},
		{"sigterm", 15},
		{"Kill", 9},
		{"9", 9},
		{"0", 0},
		{"64", 64},
		{"SIGUSR1", 10},
		{"CHLD", 17},
		{"CLD", 17},
		{"IOT", 6},
		{"POLL", 29},
		{"SIGIO", 29},
		{"SYS", 31},
		{"STKFLT", 16},
		{"RTMIN", 34},
		{"SIGRTMIN", 34},
		{"SIGRTMIN+3", 37},
		{"rtmin+30", 64},
		{"RTMAX", 64},
		{"SIGRTMAX-1", 63},
		{"RTMAX-30", 34},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct crt_error error = {0};
		cr_expect_eq(signal_parse(cases[i].text, &error), cases[i].number, "%s", cases[i].text);
	}
}

Test(src_signals, no_signals)
{
	static const char *const texts[] = {"", "SIG", "65", "-9", "+9", "0x9", " 9", "9 ", "TERMINATE",
		"SIGSIGTERM", "RTMIN+31", "RTMIN-1", "RTMAX+1", "RTMIN+", "RTMIN3", "99999999999999999999"};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct crt_error error = {0};
		cr_expect_eq(signal_parse(texts[i], &error), -EINVAL, "%s", texts[i]);
		cr_expect(strstr(error.message, texts[i]), "%s", error.message);
	}
}

/*
 * signals.c - see signals.h. The C library knows the names; only the aliases are a table of ours.
 */
#include "src/signals.h"

#include <signal.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "src/options.h"

static const struct {
	const char *name;
	int number;
} aliases[] = {
	{"IOT", SIGIOT},
	{"CLD", SIGCHLD},
	{"IO", SIGIO},
	{"UNUSED", SIGSYS},
};

static int named_signal(const char *name)
{
	for (int n = 1; n < SIGRTMIN; n++) {
		const char *known = sigabbrev_np(n);
		if (known && strcasecmp(known, name) == 0)
			return n;
	}
	for (size_t i = 0; i < ARRAY_SIZE(aliases); i++)
		if (strcasecmp(aliases[i].name, name) == 0)
			return aliases[i].number;
	return -1;
}

/* "RTMIN", "RTMIN+n", "RTMAX", "RTMAX-n"; -1: none of these, or out of range. */
static int realtime_signal(const char *name)
{
	bool from_min = strncasecmp(name, "RTMIN", 5) == 0;
	uint64_t offset = 0;

	if (!from_min && strncasecmp(name, "RTMAX", 5) != 0)
		return -1;
	name += 5;
	if (*name && (*name != (from_min ? '+' : '-') || str_to_u64(name + 1, &offset) < 0))
		return -1;
	if (offset > (uint64_t)(SIGRTMAX - SIGRTMIN))
		return -1;
	return from_min ? SIGRTMIN + (int)offset : SIGRTMAX - (int)offset;
}

int signal_parse(const char *text, struct crt_error *err)
{
	uint64_t number = 0;

	if (str_to_u64(text, &number) == 0) {
		if (number > (uint64_t)SIGRTMAX)
			return call_error(err, NULL, "signal %s is out of range (0 to %d)", text, SIGRTMAX);
		return (int)number;
	}
	const char *name = strncasecmp(text, "SIG", 3) == 0 ? text + 3 : text;
	int found = named_signal(name);
	if (found < 0)
		found = realtime_signal(name);
	if (found < 0)
		return call_error(err, "a name as in signal(7), or a number", "unknown signal \"%s\"", text);
	return found;
}

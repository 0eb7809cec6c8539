/*
 * report.c - see report.h.
 */
#include "base/report.h"

#include <errno.h>

void report_init(struct report *r, struct arena *arena)
{
	*r = (struct report){.arena = arena};
}

struct err *report_add(struct report *r, enum report_severity severity)
{
	unsigned kept = r->errors + r->warnings;

	if (severity == REPORT_ERROR)
		r->errors++;
	else
		r->warnings++;
	if (kept >= REPORT_MAX && r->last && !(severity == REPORT_ERROR && r->errors == 1)) {
		return &r->overflow;
	}
	struct report_problem *p = arena_new(r->arena, struct report_problem);
	p->severity = severity;
	p->err.code = EINVAL;
	if (r->last)
		r->last->next = p;
	else
		r->first = p;
	r->last = p;
	return &p->err;
}

int report_first_error(const struct report *r, struct err *err)
{
	for (const struct report_problem *p = r->first; p; p = p->next) {
		if (p->severity != REPORT_ERROR)
			continue;
		if (err)
			*err = p->err;
		return -p->err.code;
	}
	return 0;
}

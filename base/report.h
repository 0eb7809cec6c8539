/*
 * report.h - many problems at once.
 *
 * Readers and checks add what they find and go on, so that `crt check` can show everything that is wrong with
 * a bundle; a command that only needs to know whether to go on asks report_first_error().
 */
#ifndef BASE_REPORT_H
#define BASE_REPORT_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"

enum report_severity {
	REPORT_ERROR,
	REPORT_WARNING, /* somebody must be told, always */
	REPORT_NOTE,    /* odd but allowed: for who asks (`crt check`, --debug), counted as a warning */
};

struct report_problem {
	struct report_problem *next;
	enum report_severity severity;
	struct err err;
};

#define REPORT_MAX 200 /* further problems are counted, not kept */

struct report {
	struct arena *arena; /* borrowed; owns the problems */
	struct report_problem *first;
	struct report_problem *last;
	unsigned errors;
	unsigned warnings;
	bool no_notes;       /* nobody asks: who would have to search for words may leave a note out */
	struct err overflow; /* where text beyond REPORT_MAX goes */
};

void report_init(struct report *r, struct arena *arena);

/* Add a problem; returns its err to be filled in or completed (never NULL, though it may not be kept). */
struct err *report_add(struct report *r, enum report_severity severity);

/* Copy the first error into *err and return -code; 0 when there is none. */
int report_first_error(const struct report *r, struct err *err);

#endif

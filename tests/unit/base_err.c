/*
 * base_err.c - errors as values: what is set, what is returned, how it is shown; and reports of many.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/report.h"

static const char *shown(const struct err *e, int show_source)
{
	static char text[4096];

	cr_assert_eq(err_format(e, show_source, text, sizeof(text)), strlen(text));
	return text;
}

Test(base_err, set)
{
	struct err e = {.hint = "old", .where = {.line = 5}};

	cr_assert_eq(err_set(&e, EPERM, "cannot %s", "x"), -EPERM);
	cr_assert_eq(e.code, EPERM);
	cr_assert_str_eq(e.message, "cannot x");
	cr_assert_str_eq(e.hint, "");
	cr_assert_eq(e.where.line, 0u);
}

Test(base_err, sys_takes_either_sign)
{
	struct err e;

	cr_assert_eq(err_sys(&e, ENOENT, "open %s", "/x"), -ENOENT);
	cr_assert_str_eq(e.message, "open /x: No such file or directory");
	cr_assert_eq(err_sys(&e, -EACCES, "open"), -EACCES);
	cr_assert_eq(e.code, EACCES);
	cr_assert_str_eq(e.message, "open: Permission denied");
}

Test(base_err, nobody_listens)
{
	cr_assert_eq(err_set(NULL, EIO, "x"), -EIO);
	cr_assert_eq(err_sys(NULL, -EIO, "x"), -EIO);
	cr_assert_eq(err_hint(NULL, "x"), -EINVAL, "still a failure");
	cr_assert_eq(err_prefix(NULL, "x"), -EINVAL);
	cr_assert_eq(err_phase(NULL, "x"), -EINVAL);
}

Test(base_err, hint_and_prefix)
{
	struct err e;

	err_set(&e, EIO, "read");
	cr_assert_eq(err_hint(&e, "try %d", 1), -EIO);
	cr_assert_eq(err_prefix(&e, "c%d", 1), -EIO);
	cr_assert_str_eq(e.message, "c1: read");
	cr_assert_str_eq(shown(&e, 0), "c1: read (try 1)");
	cr_assert_str_eq(shown(&e, 1), "c1: read\n  hint: try 1");
}

Test(base_err, the_deepest_phase_stays)
{
	struct err e = {.phase = "old"};

	err_set(&e, EIO, "read");
	cr_assert_null(e.phase);
	cr_assert_eq(err_phase(&e, "mount"), -EIO);
	cr_assert_eq(err_phase(&e, "create"), -EIO);
	cr_assert_str_eq(e.phase, "mount");
}

Test(base_err, pieces)
{
	struct err e = {.object = "old", .target = "old", .call = "old", .cause = "old"};

	err_set(&e, EIO, "cannot read");
	cr_assert_null(e.object);
	cr_assert(!e.target[0] && !e.call[0] && !e.cause[0]);
	cr_assert_eq(err_about(&e, "mount_fs", "/data", "fsmount"), -EIO);
	cr_assert_eq(err_about(&e, NULL, NULL, NULL), -EIO);
	cr_assert_eq(err_cause(&e, "it is %d", 5), -EIO);
	err_hint(&e, "mend it");
	cr_assert_str_eq(e.object, "mount_fs");
	cr_assert_str_eq(e.target, "/data");
	cr_assert_str_eq(e.call, "fsmount");
	cr_assert_str_eq(shown(&e, 0), "cannot read: it is 5 (mend it)");
	cr_assert_str_eq(shown(&e, 1), "cannot read: it is 5\n  hint: mend it");
	cr_assert_eq(err_about(NULL, "x", "y", "z"), -EINVAL);
	cr_assert_eq(err_cause(NULL, "x"), -EINVAL);
}

Test(base_err, long_messages_are_cut)
{
	struct err e;

	err_sys(&e, EIO, "%3000d", 1);
	cr_assert_eq(strlen(e.message), sizeof(e.message) - 1);
	err_set(&e, EIO, "%3000d", 1);
	err_prefix(&e, "%3000d", 2);
	cr_assert_eq(strlen(e.message), sizeof(e.message) - 1);
	char small[8];
	cr_assert_eq(err_format(&e, 1, small, sizeof(small)), sizeof(small) - 1);
	cr_assert_eq(small[sizeof(small) - 1], '\0');
}

Test(base_err, place)
{
	struct err e;

	err_set(&e, EINVAL, "bad");
	e.where = (struct err_where){.file = "c.json",
		.path = "a[1]",
		.source = "\t\xc3\xa9\xc3\xa9 x",
		.line = 3,
		.column = 7,
		.caret = 6};
	cr_assert_str_eq(shown(&e, 0), "c.json:3:7: a[1]: bad");
	cr_assert_str_eq(shown(&e, 1), "c.json:3:7: a[1]: bad\n    \t\xc3\xa9\xc3\xa9 x\n    \t   ^",
		"the caret stands below the x, though é has two bytes");
	e.where.path[0] = '\0';
	cr_assert_str_eq(shown(&e, 0), "c.json:3:7: bad");
	e.where.line = 0;
	cr_assert_str_eq(shown(&e, 0), "c.json: bad");
}

Test(base_err, report)
{
	struct arena arena;
	struct report r;
	struct err e;

	cr_assert_eq(arena_init(&arena, NULL), 0);
	report_init(&r, &arena);
	cr_assert_eq(report_first_error(&r, &e), 0);
	err_set(report_add(&r, REPORT_WARNING), EINVAL, "w");
	cr_assert_eq(report_first_error(&r, &e), 0);
	err_set(report_add(&r, REPORT_ERROR), ENOENT, "e1");
	err_set(report_add(&r, REPORT_ERROR), EPERM, "e2");
	cr_assert(r.errors == 2 && r.warnings == 1);
	cr_assert_eq(report_first_error(&r, &e), -ENOENT);
	cr_assert_str_eq(e.message, "e1");
	cr_assert_eq(report_first_error(&r, NULL), -ENOENT);
	cr_assert_eq(r.first->severity, REPORT_WARNING);
	cr_assert_str_eq(r.last->err.message, "e2");
	arena_free(&arena);
}

Test(base_err, a_full_report_counts_and_keeps_the_first_error)
{
	struct arena arena;
	struct report r;
	unsigned kept = 0;

	cr_assert_eq(arena_init(&arena, NULL), 0);
	report_init(&r, &arena);
	for (int i = 0; i < 500; i++)
		err_set(report_add(&r, REPORT_WARNING), EINVAL, "w%d", i);
	err_set(report_add(&r, REPORT_ERROR), ENOENT, "the first error");
	err_set(report_add(&r, REPORT_ERROR), ENOENT, "the second");
	cr_assert(r.warnings == 500 && r.errors == 2);
	for (const struct report_problem *p = r.first; p; p = p->next)
		kept++;
	cr_assert_eq(kept, REPORT_MAX + 1u);
	cr_assert_str_eq(r.last->err.message, "the first error");
	cr_assert_eq(report_first_error(&r, NULL), -ENOENT);
	arena_free(&arena);
}

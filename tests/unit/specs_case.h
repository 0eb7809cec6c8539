/*
 * specs_case.h - cases of the documents' checks: a piece of config.json, and every problem that is found.
 *
 * Pieces are written with ' for ". A problem is shown as "E path: message (hint)", with W for a warning and N
 * for a note, one a line; lines and columns are left to specs_json.c.
 */
#ifndef TESTS_UNIT_SPECS_CASE_H
#define TESTS_UNIT_SPECS_CASE_H

#include <criterion/criterion.h>
#include <string.h>

#include "base/str.h"
#include "specs/config.h"

struct spec_case {
	const char *piece;
	const char *problems;
};

static struct arena arena;
static struct report report;

static inline void spec_case_set_up(void)
{
	cr_assert_eq(arena_init(&arena, NULL), 0);
	report_init(&report, &arena);
}

static inline void spec_case_tear_down(void)
{
	arena_free(&arena);
}

/* The piece, which may hold one %s, with its quotes made right. */
static inline char *spec_case_text(const char *piece)
{
	char *text = arena_strdup(&arena, piece);

	for (char *s = text; *s; s++)
		if (*s == '\'')
			*s = '"';
	return text;
}

/* Everything in the report, in order. */
static inline const char *spec_case_problems(void)
{
	static const char *const letters[] = {
		[REPORT_ERROR] = "E", [REPORT_WARNING] = "W", [REPORT_NOTE] = "N"};
	char *all = arena_strdup(&arena, "");

	for (const struct report_problem *p = report.first; p; p = p->next) {
		const struct err *e = &p->err;
		bool hint = e->hint[0];
		cr_expect(e->where.line > 0, "no place: %s", e->message);
		all = arena_printf(&arena, "%s%s%s %s%s%s%s%s%s", all, *all ? "\n" : "", letters[p->severity],
			e->where.path, e->where.path[0] ? ": " : "", e->message, hint ? " (" : "", e->hint,
			hint ? ")" : "");
	}
	return all;
}

/* Read and check a whole document. */
static inline const struct spec_config *spec_case_config(const char *text)
{
	const struct spec_config *config;

	report_init(&report, &arena);
	spec_config_parse(&arena, "config.json", text, strlen(text), &report, &config);
	if (config)
		spec_config_check(config, &report);
	return config;
}

/* A document with the members every one needs; `piece` goes into it at `into`: "", "process" or "linux". */
static inline const struct spec_config *spec_case_piece(const char *into, const char *piece)
{
	const char *p = strcmp(into, "process") == 0 ? piece : "";
	const char *l = strcmp(into, "linux") == 0 ? piece : "";
	const char *d = *into ? "" : piece;

	return spec_case_config(spec_case_text(arena_printf(&arena,
		"{'ociVersion':'1.3.0','root':{'path':'r'}%s%s,'process':{'cwd':'/'%s%s%s}"
		",'linux':{%s%s%s}}",
		*d ? "," : "", d, *p ? "," : "", p, strstr(p, "'args'") ? "" : ",'args':['sh']",
		strstr(l, "'namespaces'") ? "" : "'namespaces':[{'type':'mount'},{'type':'uts'}]",
		*l && !strstr(l, "'namespaces'") ? "," : "", l)));
}

static inline void spec_case_run(const char *into, const struct spec_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		spec_case_piece(into, cases[i].piece);
		cr_expect_str_eq(spec_case_problems(), cases[i].problems, "%s\n  gave: %s\n  not:  %s",
			cases[i].piece, spec_case_problems(), cases[i].problems);
	}
}

#endif

/*
 * check.h - rules that several sections share. Each adds its problem at `node`.
 */
#ifndef SPECS_CHECK_H
#define SPECS_CHECK_H

#include "specs/table.h"

/* An error unless the path starts with '/'. */
void spec_check_absolute(const struct json_doc *doc, uint32_t node, const char *path, struct report *report);

/* The same for every path in the list that is member `name` of object `node`. */
void spec_check_absolute_list(const struct json_doc *doc, uint32_t node, const char *name,
	const char *const *paths, size_t count, struct report *report);

/* An error unless the text is a list of numbers and ranges as the kernel reads them: "0-3,7". NULL is fine.
 */
void spec_check_number_list(
	const struct json_doc *doc, uint32_t node, const char *text, struct report *report);

/*
 * The numbers of such a list as bits; NULL when there is none in it, or one is not below `limit`. `words` is
 * how many the mask has.
 */
const uint64_t *spec_number_list_mask(struct arena *arena, const char *text, unsigned limit, size_t *words);

/* Warnings for variables without '=' or without a name. */
void spec_check_env(const struct json_doc *doc, uint32_t node, const char *const *env, size_t count,
	struct report *report);

/* The line where a value stands, for messages that name a second place; 0 when the report keeps no more of
 * them. */
uint32_t spec_line(const struct json_doc *doc, uint32_t node, const struct report *report);

/* Does the object have this member, and is it not null? */
bool spec_has(const struct json_doc *doc, uint32_t node, const char *name);

/*
 * To say that a list is empty, or a text too short, would be one message too many when what stands there has
 * the wrong type, which the reader has reported. Does the member hold anything, were it the wrong thing? And:
 * is the value a string?
 */
bool spec_has_items(const struct json_doc *doc, uint32_t node, const char *name);
bool spec_is_string(const struct json_doc *doc, uint32_t node);

/* What a check returns: 0, or -EINVAL when the report has more errors than it had. */
int spec_check_result(const struct report *report, unsigned errors_before);

#endif

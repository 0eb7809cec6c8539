/*
 * check.c - see check.h.
 */
#include "specs/check.h"

#include <errno.h>
#include <string.h>

void spec_check_absolute(const struct json_doc *doc, uint32_t node, const char *path, struct report *report)
{
	if (path[0] != '/')
		json_error(report, doc, node, "must be an absolute path, is \"%s\"", path);
}

void spec_check_absolute_list(const struct json_doc *doc, uint32_t node, const char *name,
	const char *const *paths, size_t count, struct report *report)
{
	for (size_t i = 0; i < count; i++) {
		uint32_t item = spec_at_item(doc, node, name, i);
		if (spec_is_string(doc, item))
			spec_check_absolute(doc, item, paths[i], report);
	}
}

/* One number at *s, which moves behind it. */
static bool read_number(const char **s, unsigned long *value)
{
	size_t digits = strspn(*s, "0123456789");

	*value = 0;
	for (size_t i = 0; i < digits; i++)
		*value = *value * 10 + (unsigned long)((*s)[i] - '0');
	*s += digits;
	return digits > 0 && digits < 7;
}

void spec_check_number_list(
	const struct json_doc *doc, uint32_t node, const char *text, struct report *report)
{
	const char *s = text ? text : "0";
	unsigned long first, last;
	bool good = true;

	do {
		s += strspn(s, ", ");
		if (!*s)
			break;
		good = read_number(&s, &first);
		last = first;
		if (good && *s == '-') {
			s++;
			good = read_number(&s, &last);
		}
		good = good && first <= last && (*s == '\0' || *s == ',' || *s == ' ');
	} while (good);
	if (!good)
		err_hint(json_error(report, doc, node, "not a list of numbers and ranges: \"%s\"", text),
			"write it like \"0-3,7\"");
}

const uint64_t *spec_number_list_mask(struct arena *arena, const char *text, unsigned limit, size_t *words)
{
	const char *s = text;
	unsigned long first, last;
	uint64_t *mask = NULL;

	*words = (limit + 63) / 64;
	for (s += strspn(s, ", "); *s; s += strspn(s, ", ")) {
		bool good = read_number(&s, &first);
		last = first;
		if (good && *s == '-') {
			s++;
			good = read_number(&s, &last);
		}
		if (!good || last >= limit)
			return NULL;
		if (!mask)
			mask = arena_array(arena, uint64_t, *words);
		for (; first <= last; first++)
			mask[first / 64] |= (uint64_t)1 << first % 64;
	}
	return mask;
}

void spec_check_env(const struct json_doc *doc, uint32_t node, const char *const *env, size_t count,
	struct report *report)
{
	for (size_t i = 0; i < count; i++) {
		if (env[i][0] != '=' && strchr(env[i], '='))
			continue;
		uint32_t item = spec_at_item(doc, node, "env", i);
		if (spec_is_string(doc, item))
			json_warning(report, doc, item, "not of the form NAME=value: \"%s\"", env[i]);
	}
}

bool spec_has(const struct json_doc *doc, uint32_t node, const char *name)
{
	uint32_t member = json_member(doc, node, name);

	return member != JSON_NONE && doc->nodes[member].kind != JSON_NULL;
}

bool spec_has_items(const struct json_doc *doc, uint32_t node, const char *name)
{
	uint32_t member = json_member(doc, node, name);

	if (member == JSON_NONE || doc->nodes[member].kind == JSON_NULL)
		return false;
	return doc->nodes[member].kind != JSON_ARRAY || doc->nodes[member].count > 0;
}

bool spec_is_string(const struct json_doc *doc, uint32_t node)
{
	return !doc || doc->nodes[node].kind == JSON_STRING;
}

uint32_t spec_line(const struct json_doc *doc, uint32_t node, const struct report *report)
{
	struct err_where where;

	if (report->errors + report->warnings >= REPORT_MAX)
		return 0;
	json_where(doc, node, &where);
	return where.line;
}

int spec_check_result(const struct report *report, unsigned errors_before)
{
	return report->errors > errors_before ? -EINVAL : 0;
}

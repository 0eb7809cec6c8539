/*
 * options.c - see options.h.
 */
#include "src/options.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define MAX_ROWS 32

int call_error(struct crt_error *err, const char *hint, const char *fmt, ...)
{
	va_list args;

	*err = (struct crt_error){.code = EINVAL, .phase = "command"};
	va_start(args, fmt);
	vsnprintf(err->message, sizeof(err->message), fmt, args);
	va_end(args);
	if (hint)
		snprintf(err->hint, sizeof(err->hint), "%s", hint);
	return -EINVAL;
}

const struct option *option_find(const struct option *table, const char *name, size_t length)
{
	for (; table->name; table++) {
		if (length == 1 && table->letter && name[0] == table->letter)
			return table;
		if (strlen(table->name) == length && memcmp(table->name, name, length) == 0)
			return table;
	}
	return NULL;
}

static int unknown_option(const struct option *table, const char *name, size_t length, struct crt_error *err)
{
	const char *names[MAX_ROWS + 1] = {0};
	char typed[40], hint[80] = "";
	size_t n = 0;

	for (; table->name && n < MAX_ROWS; table++)
		if (table->help)
			names[n++] = table->name;
	snprintf(typed, sizeof(typed), "%.*s", (int)length, name);
	const char *nearest = str_nearest(typed, names);
	if (nearest)
		snprintf(hint, sizeof(hint), "did you mean \"--%s\"?", nearest);
	return call_error(err, hint, "unknown option \"--%.*s\"", (int)length, name);
}

static int set_flag(const struct option *o, bool *flag, const char *value, struct crt_error *err)
{
	if (value && !str_eq(value, "true") && !str_eq(value, "false"))
		return call_error(err, NULL, "option --%s takes no value", o->name);
	*flag = !str_eq(value, "false");
	return 0;
}

static int set_text(const struct option *o, const char **text, const char *value, struct crt_error *err)
{
	if (o->choices && (!*value || !str_has_word(o->choices, value)))
		return call_error(
			err, NULL, "option --%s: \"%s\" is not one of: %s", o->name, value, o->choices);
	*text = value;
	return 0;
}

void option_list_add(struct option_list *list, const char *item)
{
	const char **items = realloc(list->items, (list->count + 1) * sizeof(*items));

	if (!items)
		abort(); /* as many pointers as the command line has words */
	items[list->count++] = item;
	list->items = items;
}

static int set_list(struct option_list *list, const char *value)
{
	option_list_add(list, value);
	return 0;
}

static int set_number(const struct option *o, unsigned *number, const char *value, struct crt_error *err)
{
	uint64_t n = 0;

	if (str_to_u64(value, &n) < 0 || n > INT_MAX)
		return call_error(err, NULL, "option --%s: \"%s\" is not a number in range", o->name, value);
	*number = (unsigned)n;
	return 0;
}

/* One "1.5h" of a duration, in milliseconds; *text moves on. Returns -EINVAL for anything else. */
static int take_duration(const char **text, uint64_t *ms)
{
	static const struct {
		const char *name;
		uint64_t ns;
	} units[] = {{"ms", 1000000}, {"us", 1000}, {"ns", 1}, {"s", 1000000000}, {"m", 60000000000},
		{"h", 3600000000000}};
	uint64_t whole = 0, fraction = 0, scale = 1;
	const char *at = *text;

	for (; *at >= '0' && *at <= '9' && whole < INT_MAX; at++)
		whole = whole * 10 + (uint64_t)(*at - '0');
	if (*at == '.' && at != *text)
		for (at++; *at >= '0' && *at <= '9' && scale < 1000000; at++, scale *= 10)
			fraction = fraction * 10 + (uint64_t)(*at - '0');
	for (size_t i = 0; i < ARRAY_SIZE(units) && at != *text; i++) {
		size_t length = strlen(units[i].name);
		if (strncmp(at, units[i].name, length) != 0)
			continue;
		if (whole > UINT64_MAX / 2 / units[i].ns)
			return -EINVAL;
		*ms += (whole * units[i].ns + fraction * (units[i].ns / scale)) / 1000000;
		*text = at + length;
		return 0;
	}
	return -EINVAL;
}

static int set_duration(const struct option *o, unsigned *ms, const char *value, struct crt_error *err)
{
	uint64_t sum = 0, seconds;
	const char *rest = value;
	int r = *value ? 0 : -EINVAL;

	if (str_to_u64(value, &seconds) == 0 && seconds <= INT_MAX) {
		sum = seconds * 1000;
		rest = "";
	}
	while (r == 0 && *rest)
		r = take_duration(&rest, &sum);
	if (r < 0 || sum > INT_MAX)
		return call_error(err, NULL, "option --%s: \"%s\" is not a time such as \"5s\" or \"1m30s\"",
			o->name, value);
	*ms = (unsigned)sum;
	return 0;
}

/* "-rf": the letters of flags, and nothing else. Returns false, with nothing done, when it is not. */
static bool read_letters(const struct option *table, void *values, const char *letters, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct option *o = option_find(table, letters + i, 1);
		if (!o || o->kind != OPTION_FLAG)
			return false;
	}
	for (size_t i = 0; i < count; i++)
		*(bool *)((char *)values + option_find(table, letters + i, 1)->offset) = true;
	return true;
}

/* Read the option at words[0], if it is one. Returns the number of words it takes (0: no option) or -EINVAL.
 */
static int read_one(const struct option *table, void *values, char *const *words, struct crt_error *err)
{
	const char *word = words[0];

	if (word[0] != '-' || !word[1])
		return 0;
	const char *name = word + (word[1] == '-' ? 2 : 1);
	size_t length = strcspn(name, "=");
	const char *value = name[length] ? name + length + 1 : NULL;

	const struct option *o = option_find(table, name, length);
	if (!o && word[1] != '-' && !value && read_letters(table, values, name, length))
		return 1;
	if (!o)
		return unknown_option(table, name, length, err);
	void *target = (char *)values + o->offset;
	if (o->kind == OPTION_FLAG) {
		int r = set_flag(o, target, value, err);
		return r < 0 ? r : 1;
	}
	int taken = value ? 1 : 2;
	if (!value)
		value = words[1];
	if (!value)
		return call_error(err, NULL, "option --%s needs a value (%s)", o->name, o->value);
	int r = o->kind == OPTION_TEXT       ? set_text(o, target, value, err)
		: o->kind == OPTION_LIST     ? set_list(target, value)
		: o->kind == OPTION_DURATION ? set_duration(o, target, value, err)
					     : set_number(o, target, value, err);
	return r < 0 ? r : taken;
}

int options_read_leading(const struct option *table, void *values, char *const *words, struct crt_error *err)
{
	int at = 0;

	while (words[at]) {
		if (str_eq(words[at], "--"))
			return at + 1;
		int r = read_one(table, values, words + at, err);
		if (r < 0)
			return r;
		if (r == 0)
			break;
		at += r;
	}
	return at;
}

/* Add a word that is no option to kept. Returns 0 or -EINVAL. */
static int keep_word(const char *word, const char **kept, int count, int max, struct crt_error *err)
{
	if (count == max)
		return call_error(err, NULL, "unexpected argument \"%s\"", word);
	kept[count] = word;
	return 0;
}

int options_read(const struct option *table, void *values, char *const *words, const char **kept, int max,
	struct crt_error *err)
{
	bool ended = false;
	int count = 0;

	while (*words) {
		if (!ended && str_eq(*words, "--")) {
			ended = true;
			words++;
			continue;
		}
		int r = ended ? 0 : read_one(table, values, words, err);
		if (r == 0 && (r = keep_word(*words, kept, count, max, err)) == 0) {
			count++;
			r = 1;
		}
		if (r < 0)
			return r;
		words += r;
	}
	return count;
}

void options_free(const struct option *table, void *values)
{
	for (const struct option *o = table; o->name; o++) {
		struct option_list *list = (void *)((char *)values + o->offset);
		if (o->kind != OPTION_LIST)
			continue;
		free(list->items);
		*list = (struct option_list){0};
	}
}

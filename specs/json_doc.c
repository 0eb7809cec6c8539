/*
 * json_doc.c - what is done with a tape (json.h): look values up, and say where they stand.
 *
 * Lines and paths are computed only when there is something to say, from the text itself; a document without
 * problems pays nothing for them.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/diagnose.h"
#include "base/fd.h"
#include "base/str.h"
#include "specs/json.h"

#define SOURCE_WIDTH 120 /* longer lines are shown as a window around the column */

uint32_t json_member(const struct json_doc *doc, uint32_t node, const char *name)
{
	size_t length = strlen(name);

	if (!doc || node >= doc->count || doc->nodes[node].kind != JSON_OBJECT)
		return JSON_NONE;
	json_for_each_member (doc, node, i) {
		if (doc->nodes[i].key_length == length && memcmp(json_key(&doc->nodes[i]), name, length) == 0)
			return i;
	}
	return JSON_NONE;
}

/* Nothing but numbers and strings inside, one entry each: item i can be named without a walk. */
static bool is_flat(const struct json_doc *doc, uint32_t node)
{
	return doc->nodes[node].next == node + 1 + doc->nodes[node].count;
}

uint32_t json_item(const struct json_doc *doc, uint32_t node, size_t i)
{
	if (!doc || node >= doc->count || doc->nodes[node].kind != JSON_ARRAY || i >= doc->nodes[node].count)
		return JSON_NONE;
	if (is_flat(doc, node))
		return node + 1 + (uint32_t)i;
	uint32_t child = node + 1;
	while (i--)
		child = doc->nodes[child].next;
	return child;
}

/* Is the quote at `at` one that a backslash makes part of a string? */
static bool is_escaped(const char *text, uint32_t at)
{
	uint32_t before = at;

	while (before > 0 && text[before - 1] == '\\')
		before--;
	return (at - before) % 2;
}

/* Backwards from the value: blanks and the colon, the closing quote, and what is between the quotes. */
uint32_t json_key_start(const struct json_doc *doc, const struct json_node *n)
{
	uint32_t at = n->start;

	while (at > 0 && doc->text[at - 1] != '"')
		at--;
	for (at -= at > 0; at > 0; at--)
		if (doc->text[at - 1] == '"' && !is_escaped(doc->text, at - 1))
			return at - 1;
	return 0;
}

const char *json_raw(const struct json_doc *doc, uint32_t node, size_t *length)
{
	*length = doc->nodes[node].end - doc->nodes[node].start;
	return doc->text + doc->nodes[node].start;
}

const char *json_kind_name(enum json_kind kind)
{
	static const char *const names[] = {
		"null", "false", "true", "a number", "a string", "an array", "an object"};

	return names[kind];
}

static bool is_plain_key(const char *key)
{
	for (const char *s = key; *s; s++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", *s))
			return false;
	return *key != '\0';
}

static uint32_t item_number(const struct json_doc *doc, uint32_t parent, uint32_t node)
{
	uint32_t n = 0;

	if (is_flat(doc, parent))
		return node - parent - 1;
	for (uint32_t i = parent + 1; i < node; i = doc->nodes[i].next)
		n++;
	return n;
}

static void add_path(const struct json_doc *doc, uint32_t node, struct str_buf *path)
{
	const struct json_node *n = &doc->nodes[node];

	if (n->parent == JSON_NONE)
		return;
	add_path(doc, n->parent, path); /* JSON_MAX_DEPTH calls at most */
	if (!n->is_member)
		str_buf_add(path, "[%u]", item_number(doc, n->parent, node));
	else if (!is_plain_key(json_key(n)))
		str_buf_add(path, "[\"%s\"]", json_key(n));
	else
		str_buf_add(path, "%s%s", path->length ? "." : "", json_key(n));
}

/* Not between the bytes of one character. */
static uint32_t character_start(const char *text, uint32_t at, uint32_t lowest)
{
	while (at > lowest && (text[at] & 0xc0) == 0x80)
		at--;
	return at;
}

/* Show the line [start, end), or the part of it around `offset`. */
static void set_source(
	const char *text, uint32_t start, uint32_t end, uint32_t offset, struct err_where *where)
{
	uint32_t from = start, to = end;

	if (to > from && text[to - 1] == '\r')
		to--;
	if (to - from > SOURCE_WIDTH) {
		if (offset - start > SOURCE_WIDTH / 2)
			from = character_start(text, offset - SOURCE_WIDTH / 2, start);
		if (to - from > SOURCE_WIDTH)
			to = character_start(text, from + SOURCE_WIDTH, from);
	}
	const char *before = from > start ? "..." : "";
	snprintf(where->source, sizeof(where->source), "%s%.*s%s", before, (int)(to - from), text + from,
		to + 1 < end ? "..." : "");
	where->caret = (uint32_t)strlen(before) + (offset < to ? offset : to) - from;
}

void json_where_offset(const struct json_doc *doc, uint32_t node, uint32_t offset, struct err_where *where)
{
	struct str_buf path;
	uint32_t start = 0;

	*where = (struct err_where){0};
	if (!doc)
		return;
	snprintf(where->file, sizeof(where->file), "%s", doc->file);
	str_buf_init(&path, where->path, sizeof(where->path));
	if (node != JSON_NONE)
		add_path(doc, node, &path);
	if (offset > doc->length)
		offset = (uint32_t)doc->length;
	where->line = 1;
	for (const char *newline; (newline = memchr(doc->text + start, '\n', offset - start));) {
		where->line++;
		start = (uint32_t)(newline - doc->text) + 1;
	}
	where->column = offset - start + 1;
	const char *newline = memchr(doc->text + offset, '\n', doc->length - offset);
	set_source(doc->text, start, newline ? (uint32_t)(newline - doc->text) : (uint32_t)doc->length,
		offset, where);
	str_make_printable(where->path);
	str_make_printable(where->source);
}

void json_where(const struct json_doc *doc, uint32_t node, struct err_where *where)
{
	*where = (struct err_where){0};
	if (doc && node < doc->count)
		json_where_offset(doc, node, doc->nodes[node].start, where);
	else if (doc)
		snprintf(where->file, sizeof(where->file), "%s", doc->file);
}

static struct err *add_problem(struct report *report, enum report_severity severity,
	const struct json_doc *doc, uint32_t node, bool at_key, const char *fmt, va_list args)
	__attribute__((format(printf, 6, 0)));

static struct err *add_problem(struct report *report, enum report_severity severity,
	const struct json_doc *doc, uint32_t node, bool at_key, const char *fmt, va_list args)
{
	struct err *e = report_add(report, severity);

	e->hint[0] = '\0';
	if (e == &report->overflow)
		return e; /* nobody will see it; looking for its line could take long */
	vsnprintf(e->message, sizeof(e->message), fmt, args);
	str_make_printable(e->message);
	json_where(doc, node, &e->where);
	if (at_key && doc && node < doc->count && doc->nodes[node].is_member)
		json_where_offset(doc, node, json_key_start(doc, &doc->nodes[node]), &e->where);
	return e;
}

struct err *json_error(struct report *report, const struct json_doc *doc, uint32_t node, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	struct err *e = add_problem(report, REPORT_ERROR, doc, node, false, fmt, args);
	va_end(args);
	return e;
}

struct err *json_warning(
	struct report *report, const struct json_doc *doc, uint32_t node, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	struct err *e = add_problem(report, REPORT_WARNING, doc, node, false, fmt, args);
	va_end(args);
	return e;
}

struct err *json_note(struct report *report, const struct json_doc *doc, uint32_t node, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	struct err *e = add_problem(report, REPORT_NOTE, doc, node, false, fmt, args);
	va_end(args);
	return e;
}

struct err *json_problem_key(struct report *report, enum report_severity severity, const struct json_doc *doc,
	uint32_t node, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	struct err *e = add_problem(report, severity, doc, node, true, fmt, args);
	va_end(args);
	return e;
}

struct err *json_error_offset(struct report *report, const struct json_doc *doc, uint32_t node,
	uint32_t offset, const char *message)
{
	struct err *e = report_add(report, REPORT_ERROR);

	err_set(e, EINVAL, "%s", message);
	str_make_printable(e->message);
	if (e != &report->overflow)
		json_where_offset(doc, node, offset, &e->where);
	return e;
}

int json_err(struct err *err, const struct json_doc *doc, uint32_t node, int code, const char *fmt, ...)
{
	va_list args;
	char message[sizeof(err->message)];

	va_start(args, fmt);
	vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	str_make_printable(message);
	err_set(err, code, "%s", message);
	if (err)
		json_where(doc, node, &err->where);
	return -code;
}

/* A file that could not be read: the report names it, without a line. */
static struct err *read_failed(struct report *report, const char *display_name, int error)
{
	struct err *e = report_add(report, REPORT_ERROR);

	if (error == -EFBIG)
		err_set(e, EFBIG, "the file is larger than %u bytes, the most that is read", JSON_MAX_BYTES);
	else
		err_sys(e, error, "cannot read the file");
	snprintf(e->where.file, sizeof(e->where.file), "%s", display_name);
	return e;
}

int json_read_fd(struct arena *arena, int fd, const char *display_name, struct report *report,
	const struct json_doc **doc)
{
	char *text;
	ssize_t length = fd_read_all(fd, arena, JSON_MAX_BYTES, &text);

	*doc = NULL;
	if (length < 0) {
		read_failed(report, display_name, (int)length);
		return (int)length;
	}
	return json_parse(arena, display_name, text, (size_t)length, report, doc);
}

int json_read(struct arena *arena, int dirfd, const char *path, const char *display_name,
	struct report *report, const struct json_doc **doc)
{
	/* Not to wait for somebody to open a fifo's other end; what a pipe holds is then read to its end. */
	fd_auto int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	*doc = NULL;
	if (fd < 0) {
		int error = -errno;
		diagnose_err(read_failed(report, display_name, error), dirfd, path);
		return error;
	}
	fcntl(fd, F_SETFL, O_RDONLY);
	return json_read_fd(arena, fd, display_name, report, doc);
}

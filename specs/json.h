/*
 * json.h - a JSON text as a flat tape of values that know where they stood.
 *
 * json_parse() checks the text completely (RFC 8259, strict UTF-8, no NUL, no duplicate member, bounded depth
 * and size) and gives one json_doc. A value is named by its index on the tape, the root being 0; the values
 * inside a container follow it directly. The doc and its strings live in the arena; it borrows the text,
 * which must live as long as the doc does.
 */
#ifndef SPECS_JSON_H
#define SPECS_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/report.h"

#define JSON_MAX_BYTES (16u << 20)
#define JSON_MAX_NODES 1000000u
#define JSON_MAX_DEPTH 64u
#define JSON_NONE      UINT32_MAX

enum json_kind { JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

/* There are thousands in a large document, and they are most of its memory. */
struct json_node {
	const char *text; /* string: unescaped; number: as written; both end with NUL. Else empty */
	union {
		uint32_t length; /* of text, bytes */
		uint32_t count;  /* array, object: items, members */
	};
	uint32_t start; /* the value in the document, quotes and brackets included: [start, end) */
	uint32_t end;
	uint32_t parent; /* JSON_NONE for the root */
	uint32_t next;   /* the tape index after this value and everything in it */
	uint16_t key_length;
	uint8_t is_member; /* it has a key */
	uint8_t kind;      /* enum json_kind */
};

struct json_doc {
	const char *file; /* as the user named it */
	const char *text;
	size_t length;
	const struct json_node *nodes;
	uint32_t count;
};

/* for (each value directly inside node `parent`): `child` is its tape index */
#define json_for_each_item(doc, parent, child)                                                               \
	for (uint32_t child = (parent) + 1; child < (doc)->nodes[parent].next;                               \
		child = (doc)->nodes[child].next)
#define json_for_each_member json_for_each_item

/* Returns 0, or -errno when the text cannot be used; what is wrong with it has been added to the report. */
int json_parse(struct arena *arena, const char *file_name, const char *text, size_t length,
	struct report *report, const struct json_doc **doc);

/*
 * Read and parse the file `path` below dirfd (AT_FDCWD allowed); `display_name` stands in messages. The same
 * for a file that is already open. A file that cannot be opened or read is a problem in the report, too.
 */
int json_read(struct arena *arena, int dirfd, const char *path, const char *display_name,
	struct report *report, const struct json_doc **doc);
int json_read_fd(struct arena *arena, int fd, const char *display_name, struct report *report,
	const struct json_doc **doc);

/* The member called `name`, or item `i`, of a container; JSON_NONE when there is none (or node is JSON_NONE).
 */
uint32_t json_member(const struct json_doc *doc, uint32_t node, const char *name);
uint32_t json_item(const struct json_doc *doc, uint32_t node, size_t i);

/* A member's name, unescaped, which lies before its text; NULL for anything else. */
static inline const char *json_key(const struct json_node *n)
{
	return n->is_member ? n->text - n->key_length - 1 : NULL;
}

/* Where in the document a member's name starts: the offset of its opening quote. */
uint32_t json_key_start(const struct json_doc *doc, const struct json_node *n);

/* The value's text as it stands in the document, `*length` bytes, not NUL-terminated. */
const char *json_raw(const struct json_doc *doc, uint32_t node, size_t *length);

/* "array", "string" ... for messages. */
const char *json_kind_name(enum json_kind kind);

/*
 * Where a value stands: file, line, column, path ("mounts[3].options[2]"), the line's text and a caret. With
 * JSON_NONE only the file is known. A NULL doc gives an empty place.
 */
void json_where(const struct json_doc *doc, uint32_t node, struct err_where *where);

/* The same for the byte at `offset`, in or near the value `node`. */
void json_where_offset(const struct json_doc *doc, uint32_t node, uint32_t offset, struct err_where *where);

/* Add a problem at the value (or, with _key, at the name of the member); returns it, to be given a hint. */
struct err *json_error(struct report *report, const struct json_doc *doc, uint32_t node, const char *fmt, ...)
	PRINTF_LIKE(4, 5);
struct err *json_warning(struct report *report, const struct json_doc *doc, uint32_t node, const char *fmt,
	...) PRINTF_LIKE(4, 5);
struct err *json_note(struct report *report, const struct json_doc *doc, uint32_t node, const char *fmt, ...)
	PRINTF_LIKE(4, 5);
struct err *json_problem_key(struct report *report, enum report_severity severity, const struct json_doc *doc,
	uint32_t node, const char *fmt, ...) PRINTF_LIKE(5, 6);

/* The same for a byte of the text, in or near the value `node`. */
struct err *json_error_offset(struct report *report, const struct json_doc *doc, uint32_t node,
	uint32_t offset, const char *message);

/* The same for a caller that wants one struct err: sets it and returns -code. */
int json_err(struct err *err, const struct json_doc *doc, uint32_t node, int code, const char *fmt, ...)
	PRINTF_LIKE(5, 6);

#endif

/*
 * writer.h - JSON text, written value by value into memory of the arena.
 *
 * The caller opens and closes what it means to; the writer does commas, indentation and escaping. Text is
 * strict UTF-8: bytes that are not come out as U+FFFD.
 */
#ifndef SPECS_WRITER_H
#define SPECS_WRITER_H

#include "specs/table.h"

struct json_writer {
	struct arena *arena;
	char *text; /* NUL-terminated after json_writer_text() */
	size_t length;
	size_t size;
	bool indented; /* two spaces a level and a newline at the end; otherwise one line without spaces */
	bool first;    /* nothing stands yet in the innermost open container */
	bool after_key;
	unsigned depth;
};

void json_writer_init(struct json_writer *w, struct arena *arena, bool indented);

void json_write_object(struct json_writer *w);
void json_write_object_end(struct json_writer *w);
void json_write_array(struct json_writer *w);
void json_write_array_end(struct json_writer *w);
void json_write_key(struct json_writer *w, const char *key);
void json_write_string(struct json_writer *w, const char *s); /* NULL writes null */
void json_write_string_n(struct json_writer *w, const char *s, size_t length);
void json_write_u64(struct json_writer *w, uint64_t value);
void json_write_i64(struct json_writer *w, int64_t value);
void json_write_number(struct json_writer *w, const char *text); /* a JSON number, as it stands */
void json_write_bool(struct json_writer *w, bool value);
void json_write_null(struct json_writer *w);

/* Members in one line: key and value. A NULL string writes nothing at all. */
void json_write_member(struct json_writer *w, const char *key, const char *value);
void json_write_member_u64(struct json_writer *w, const char *key, uint64_t value);
void json_write_member_i64(struct json_writer *w, const char *key, int64_t value);
void json_write_member_bool(struct json_writer *w, const char *key, bool value);

/* The struct as the JSON object its table describes; absent members are left out. */
void spec_write(struct json_writer *w, const struct spec_table *table, const void *object);

/* The members alone, into an object that the caller has opened (and may add to). */
void spec_write_members(struct json_writer *w, const struct spec_table *table, const void *object);

/* The finished text, NUL-terminated, in the arena. `length` may be NULL. */
const char *json_writer_text(struct json_writer *w, size_t *length);

#endif

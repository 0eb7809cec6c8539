/*
 * writer.c - see writer.h. The text grows by doubling in the arena; nothing can fail.
 */
#include "specs/writer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

void json_writer_init(struct json_writer *w, struct arena *arena, bool indented)
{
	*w = (struct json_writer){.arena = arena, .indented = indented, .first = true};
}

static void add(struct json_writer *w, const char *bytes, size_t length)
{
	if (w->size - w->length < length) {
		size_t size = w->size ? w->size : 1024;
		while (size - w->length < length)
			size *= 2;
		char *text = arena_alloc(w->arena, size);
		if (w->length)
			memcpy(text, w->text, w->length);
		w->text = text;
		w->size = size;
	}
	memcpy(w->text + w->length, bytes, length);
	w->length += length;
}

static void add_newline(struct json_writer *w)
{
	if (!w->indented)
		return;
	add(w, "\n", 1);
	for (unsigned i = 0; i < w->depth; i++)
		add(w, "  ", 2);
}

/* What stands before every value and key: the comma after the last one, and the line's indentation. */
static void begin_value(struct json_writer *w)
{
	if (!w->after_key) {
		if (!w->first)
			add(w, ",", 1);
		if (w->depth)
			add_newline(w);
	}
	w->after_key = false;
	w->first = false;
}

static void open_container(struct json_writer *w, const char *bracket)
{
	begin_value(w);
	add(w, bracket, 1);
	w->depth++;
	w->first = true;
}

static void close_container(struct json_writer *w, const char *bracket)
{
	w->depth--;
	if (!w->first)
		add_newline(w);
	add(w, bracket, 1);
	w->first = false;
}

void json_write_object(struct json_writer *w)
{
	open_container(w, "{");
}

void json_write_object_end(struct json_writer *w)
{
	close_container(w, "}");
}

void json_write_array(struct json_writer *w)
{
	open_container(w, "[");
}

void json_write_array_end(struct json_writer *w)
{
	close_container(w, "]");
}

/* One character that cannot stand for itself between quotes. */
static void add_escape(struct json_writer *w, unsigned char c)
{
	static const char letters[] = "\"\"\\\\\bb\ff\nn\rr\tt"; /* the character, then its letter */
	char code[8];

	for (const char *s = letters; *s; s += 2) {
		if ((unsigned char)*s == c) {
			add(w, "\\", 1);
			add(w, s + 1, 1);
			return;
		}
	}
	snprintf(code, sizeof(code), "\\u%04x", c);
	add(w, code, 6);
}

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c != '"' && c != '\\' && c != 0x7f;
}

void json_write_string_n(struct json_writer *w, const char *s, size_t length)
{
	begin_value(w);
	add(w, "\"", 1);
	size_t sound = str_utf8_prefix(s, length);
	for (size_t at = 0; at < length;) {
		size_t plain = at;
		while (plain < sound && is_plain((unsigned char)s[plain]))
			plain++;
		add(w, s + at, plain - at);
		at = plain;
		if (at == length)
			break;
		if (at < sound)
			add_escape(w, (unsigned char)s[at]);
		else
			add(w, "\\ufffd", 6);
		at++;
		if (at > sound)
			sound = at + str_utf8_prefix(s + at, length - at);
	}
	add(w, "\"", 1);
}

void json_write_string(struct json_writer *w, const char *s)
{
	if (s)
		json_write_string_n(w, s, strlen(s));
	else
		json_write_null(w);
}

void json_write_key(struct json_writer *w, const char *key)
{
	json_write_string(w, key);
	add(w, ": ", w->indented ? 2 : 1);
	w->after_key = true;
}

static void write_word(struct json_writer *w, const char *word)
{
	begin_value(w);
	add(w, word, strlen(word));
}

void json_write_number(struct json_writer *w, const char *text)
{
	write_word(w, text);
}

void json_write_u64(struct json_writer *w, uint64_t value)
{
	char digits[24];

	snprintf(digits, sizeof(digits), "%" PRIu64, value);
	write_word(w, digits);
}

void json_write_i64(struct json_writer *w, int64_t value)
{
	char digits[24];

	snprintf(digits, sizeof(digits), "%" PRId64, value);
	write_word(w, digits);
}

void json_write_bool(struct json_writer *w, bool value)
{
	write_word(w, value ? "true" : "false");
}

void json_write_null(struct json_writer *w)
{
	write_word(w, "null");
}

void json_write_member(struct json_writer *w, const char *key, const char *value)
{
	if (!value)
		return;
	json_write_key(w, key);
	json_write_string(w, value);
}

void json_write_member_u64(struct json_writer *w, const char *key, uint64_t value)
{
	json_write_key(w, key);
	json_write_u64(w, value);
}

void json_write_member_i64(struct json_writer *w, const char *key, int64_t value)
{
	json_write_key(w, key);
	json_write_i64(w, value);
}

void json_write_member_bool(struct json_writer *w, const char *key, bool value)
{
	json_write_key(w, key);
	json_write_bool(w, value);
}

const char *json_writer_text(struct json_writer *w, size_t *length)
{
	if (w->indented && w->length && w->text[w->length - 1] != '\n')
		add(w, "\n", 1);
	if (length)
		*length = w->length;
	add(w, "", 1);
	w->length--;
	return w->text;
}

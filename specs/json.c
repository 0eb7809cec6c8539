/*
 * json.c - from text to tape (json.h). The only file that knows yajl.
 *
 * yajl checks the grammar and calls back for every value in document order, which is the tape's order. It
 * does not say where a value starts; but between two values that it reports only white space, ',' and ':' can
 * stand, so the start is found by skipping those from the end of the last one.
 *
 * What yajl lets through is refused here: NUL bytes, broken UTF-8, duplicate members, lone surrogates, depth
 * and size beyond the caps. Checks of the bytes come first, because a NUL or a broken sequence would make any
 * later message about the text unreadable.
 */
#include "specs/json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <yajl/yajl_parse.h>

#include "base/str.h"

struct parser {
	struct arena *arena;
	struct report *report;
	yajl_handle yajl;
	struct json_doc *doc;
	struct json_node *nodes; /* doc->nodes, writable */
	uint32_t limit;          /* nodes that fit */
	uint32_t open;           /* the innermost open container; JSON_NONE outside the root */
	unsigned depth;
	uint32_t last_end; /* where the last reported value, key or bracket ended */
	bool at_end;       /* yajl works on a blank of its own, not on the text, to finish a last number */
	char *strings;     /* the next unescaped string goes here */
	bool has_key;      /* the next value, and its key stands before `strings` */
	uint16_t key_length;
};

static struct err *problem_at(struct parser *p, uint32_t node, uint32_t offset, const char *fmt, ...)
	PRINTF_LIKE(4, 5);

static struct err *problem_at(struct parser *p, uint32_t node, uint32_t offset, const char *fmt, ...)
{
	char message[sizeof(((struct err *)0)->message)];
	va_list args;

	va_start(args, fmt);
	vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	return json_error_offset(p->report, p->doc, node, offset, message);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/* The first byte of the token after `at`. */
static uint32_t next_token(const struct json_doc *doc, uint32_t at)
{
	while (at < doc->length && (is_blank(doc->text[at]) || doc->text[at] == ',' || doc->text[at] == ':'))
		at++;
	return at;
}

/* Set [start, end) of the token that yajl has just reported. */
static void token_range(struct parser *p, uint32_t *start, uint32_t *end)
{
	*start = next_token(p->doc, p->last_end);
	p->last_end = p->at_end ? (uint32_t)p->doc->length : (uint32_t)yajl_get_bytes_consumed(p->yajl);
	*end = p->last_end;
}

static void keep_string(struct parser *p, const char *s, size_t length)
{
	memcpy(p->strings, s, length);
	p->strings[length] = '\0';
	p->strings += length + 1;
}

/* Append a value; NULL after a problem that ends the parsing. */
static struct json_node *add_node(struct parser *p, enum json_kind kind)
{
	uint32_t index = p->doc->count;

	if (index == p->limit) {
		problem_at(p, p->open, p->last_end, "the document has more than %u values", JSON_MAX_NODES);
		return NULL;
	}
	struct json_node *n = &p->nodes[index];
	*n = (struct json_node){.text = p->strings,
		.key_length = p->key_length,
		.is_member = p->has_key,
		.parent = p->open,
		.next = index + 1,
		.kind = (uint8_t)kind};
	token_range(p, &n->start, &n->end);
	if (kind != JSON_NUMBER && kind != JSON_STRING)
		keep_string(p, "", 0);
	p->has_key = false;
	p->key_length = 0;
	if (p->open != JSON_NONE)
		p->nodes[p->open].count++;
	p->doc->count++;
	return n;
}

static int on_null(void *ctx)
{
	return add_node(ctx, JSON_NULL) != NULL;
}

static int on_boolean(void *ctx, int value)
{
	return add_node(ctx, value ? JSON_TRUE : JSON_FALSE) != NULL;
}

static int on_number(void *ctx, const char *s, size_t length)
{
	struct parser *p = ctx;
	struct json_node *n = add_node(p, JSON_NUMBER);

	if (!n)
		return 0;
	keep_string(p, s, length);
	n->length = (uint32_t)length;
	return 1;
}

/*
 * A string came out of yajl: does it hold what C cannot hold, or what yajl replaced by '?'? [start, end) is
 * its text with the quotes.
 */
static bool string_is_sound(struct parser *p, const char *s, size_t length, uint32_t start, uint32_t end)
{
	const char *raw = p->doc->text;

	if (end - start == length + 2)
		return true; /* nothing was escaped, and the text as a whole has been checked */
	if (memchr(s, '\0', length)) {
		problem_at(p, p->open, start, "a string holds a NUL character (\\u0000)");
		return false;
	}
	for (uint32_t i = start + 1; i + 1 < end; i++) {
		if (raw[i] != '\\')
			continue;
		bool high = raw[i + 1] == 'u' && (raw[i + 2] | 0x20) == 'd' && strchr("89abAB", raw[i + 3]);
		bool low = raw[i + 1] == 'u' && (raw[i + 2] | 0x20) == 'd' && strchr("cdefCDEF", raw[i + 3]);
		bool paired = high && raw[i + 6] == '\\' && raw[i + 7] == 'u' && (raw[i + 8] | 0x20) == 'd' &&
			      strchr("cdefCDEF", raw[i + 9]);
		if (low || (high && !paired)) {
			problem_at(p, p->open, i, "half of a surrogate pair (\\u%.4s) stands alone",
				raw + i + 2);
			return false;
		}
		i += paired ? 11 : 1;
	}
	return true;
}

static int on_string(void *ctx, const unsigned char *s, size_t length)
{
	struct parser *p = ctx;
	struct json_node *n = add_node(p, JSON_STRING);

	if (!n || !string_is_sound(p, (const char *)s, length, n->start, n->end))
		return 0;
	keep_string(p, (const char *)s, length);
	n->length = (uint32_t)length;
	return 1;
}

static int on_key(void *ctx, const unsigned char *s, size_t length)
{
	struct parser *p = ctx;
	uint32_t start, end;

	token_range(p, &start, &end);
	if (!string_is_sound(p, (const char *)s, length, start, end))
		return 0;
	if (length > UINT16_MAX) {
		problem_at(p, p->open, start, "a member's name is longer than %d bytes", UINT16_MAX);
		return 0;
	}
	keep_string(p, (const char *)s, length);
	p->has_key = true;
	p->key_length = (uint16_t)length;
	return 1;
}

static int open_container(struct parser *p, enum json_kind kind)
{
	struct json_node *n = add_node(p, kind);

	if (!n)
		return 0;
	if (++p->depth > JSON_MAX_DEPTH) {
		problem_at(p, JSON_NONE, n->start, "nested more than %u deep", JSON_MAX_DEPTH);
		return 0;
	}
	p->open = (uint32_t)(n - p->nodes);
	return 1;
}

static void close_container(struct parser *p)
{
	struct json_node *n = &p->nodes[p->open];
	uint32_t start;

	token_range(p, &start, &n->end);
	n->next = p->doc->count;
	p->open = n->parent;
	p->depth--;
}

static void report_duplicate(struct parser *p, uint32_t first, uint32_t second)
{
	const struct json_node *n = &p->nodes[second];
	struct err_where where;

	if (p->report->errors >= REPORT_MAX) {
		p->report->errors++; /* it would not be kept, and finding its line takes long */
		return;
	}
	json_where_offset(p->doc, first, json_key_start(p->doc, &p->nodes[first]), &where);
	problem_at(p, n->parent, json_key_start(p->doc, n),
		"duplicate member \"%s\"; the first one is at line %u, column %u", json_key(n), where.line,
		where.column);
}

static bool same_key(const struct json_node *a, const struct json_node *b)
{
	return a->key_length == b->key_length && memcmp(json_key(a), json_key(b), a->key_length) == 0;
}

/* A map with thousands of members: each goes into a hash table that its equals would have met. */
static void find_duplicates_by_hash(struct parser *p, uint32_t object)
{
	uint32_t size = 64;

	while (size < p->nodes[object].count * 2)
		size *= 2;
	uint32_t *slots = arena_array(p->arena, uint32_t, size); /* 0 is free: the root is nobody's member */
	json_for_each_member (p->doc, object, i) {
		const char *key = json_key(&p->nodes[i]);
		uint32_t hash = 2166136261; /* FNV-1a */
		for (uint16_t k = 0; k < p->nodes[i].key_length; k++)
			hash = (hash ^ (unsigned char)key[k]) * 16777619;
		hash ^= hash >> 15;
		uint32_t slot = hash & (size - 1);
		while (slots[slot] && !same_key(&p->nodes[slots[slot]], &p->nodes[i]))
			slot = (slot + 1) & (size - 1);
		if (slots[slot])
			report_duplicate(p, slots[slot], i);
		else
			slots[slot] = i;
	}
}

static void find_duplicates(struct parser *p, uint32_t object)
{
	if (p->nodes[object].count > 32) {
		find_duplicates_by_hash(p, object);
		return;
	}
	json_for_each_member (p->doc, object, i) {
		for (uint32_t j = object + 1; j < i; j = p->nodes[j].next) {
			if (same_key(&p->nodes[i], &p->nodes[j])) {
				report_duplicate(p, j, i);
				break;
			}
		}
	}
}

static int on_start_map(void *ctx)
{
	return open_container(ctx, JSON_OBJECT);
}

static int on_end_map(void *ctx)
{
	struct parser *p = ctx;
	uint32_t object = p->open;

	close_container(p);
	find_duplicates(p, object);
	return 1;
}

static int on_start_array(void *ctx)
{
	return open_container(ctx, JSON_ARRAY);
}

static int on_end_array(void *ctx)
{
	close_container(ctx);
	return 1;
}

static const yajl_callbacks callbacks = {
	.yajl_null = on_null,
	.yajl_boolean = on_boolean,
	.yajl_number = on_number,
	.yajl_string = on_string,
	.yajl_start_map = on_start_map,
	.yajl_map_key = on_key,
	.yajl_end_map = on_end_map,
	.yajl_start_array = on_start_array,
	.yajl_end_array = on_end_array,
};

/* yajl's few buffers live in the arena, too; each remembers its size for realloc. */
union block {
	size_t size;
	max_align_t align;
};

static void *yajl_malloc(void *arena, size_t size)
{
	union block *b = arena_alloc(arena, sizeof(*b) + size);

	b->size = size;
	return b + 1;
}

static void *yajl_realloc(void *arena, void *old, size_t size)
{
	void *new = yajl_malloc(arena, size);

	if (old) {
		size_t old_size = ((union block *)old - 1)->size;
		memcpy(new, old, old_size < size ? old_size : size);
	}
	return new;
}

static void yajl_no_free(void *arena, void *block)
{
	(void)arena;
	(void)block;
}

/* yajl's words for what is wrong, and ours. The first that is found in its text counts. */
static const struct {
	const char *yajl;
	const char *message;
} complaints[] = {
	{"must be separated by a colon", "expected ':' after the member's name"},
	{"invalid object key", "expected a member's name in double quotes"},
	{"I expect ',' or '}'", "expected ',' or '}' after the member"},
	{"I expect ',' or ']'", "expected ',' or ']' after the item"},
	{"unallowed token", "expected a value"},
	{"trailing garbage", "something follows the end of the document"},
	{"invalid character inside string",
		"a control character in a string (it must be written as \\u00XX)"},
	{"'\\' occurs before",
		"an unknown escape in a string (known are \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX)"},
	{"non-hex", "'\\u' in a string must be followed by four hexadecimal digits"},
	{"malformed number", "a malformed number"},
	{"invalid string in json text",
		"not a JSON value (true, false, null, a number, a \"string\", [ or {)"},
	{"invalid char in json text",
		"a character that cannot stand here (names and texts need double quotes)"},
	{"comment", "a comment; JSON has none"},
	{"premature EOF", "the document ends too early"},
};

/* Where yajl stopped: at the bracket or comma it has just read, inside a string, or at the word or number
 * before. */
static uint32_t complaint_offset(const struct parser *p, const char *complaint)
{
	size_t consumed = yajl_get_bytes_consumed(p->yajl);
	const struct json_doc *doc = p->doc;

	if (p->at_end || strstr(complaint, "premature EOF"))
		return (uint32_t)doc->length;
	if (strstr(complaint, "inside a string") || strstr(complaint, "inside string"))
		return (uint32_t)consumed;
	if (!strstr(complaint, "lexical error") && consumed > 0 && strchr(",:[]{}", doc->text[consumed - 1]))
		return (uint32_t)consumed - 1;
	return next_token(doc, p->last_end);
}

static void report_syntax(struct parser *p)
{
	const char *said = (const char *)yajl_get_error(p->yajl, 0, NULL, 0);
	const char *message = "not valid JSON";

	for (size_t i = 0; i < ARRAY_SIZE(complaints); i++) {
		if (strstr(said, complaints[i].yajl)) {
			message = complaints[i].message;
			break;
		}
	}
	struct err *e = problem_at(p, p->open, complaint_offset(p, said), "%s", message);
	if (p->at_end && p->open != JSON_NONE) {
		struct err_where opened;
		json_where_offset(p->doc, p->open, p->nodes[p->open].start, &opened);
		err_hint(e, "the '%c' at line %u, column %u is not closed",
			p->doc->text[p->nodes[p->open].start], opened.line, opened.column);
	}
}

/* What must be known of the bytes before any of them is parsed or shown. Returns 0 or -errno. */
static int check_bytes(struct parser *p)
{
	const struct json_doc *doc = p->doc;
	size_t blank = 0;

	if (doc->length > JSON_MAX_BYTES) {
		problem_at(p, JSON_NONE, 0, "the document has %zu bytes; the most that is read is %u",
			doc->length, JSON_MAX_BYTES)
			->code = EFBIG;
		return -EFBIG;
	}
	while (blank < doc->length && is_blank(doc->text[blank]))
		blank++;
	if (blank == doc->length) {
		problem_at(p, JSON_NONE, 0, "the file is empty");
		return -EINVAL;
	}
	if (doc->length >= 3 && memcmp(doc->text, "\xef\xbb\xbf", 3) == 0) {
		err_hint(problem_at(p, JSON_NONE, 0, "the file starts with a byte order mark (U+FEFF)"),
			"save it as UTF-8 without one");
		return -EINVAL;
	}
	if (doc->length >= 2 &&
		(memcmp(doc->text, "\xff\xfe", 2) == 0 || memcmp(doc->text, "\xfe\xff", 2) == 0)) {
		err_hint(problem_at(p, JSON_NONE, 0, "the file is UTF-16"), "save it as UTF-8");
		return -EINVAL;
	}
	const char *nul = memchr(doc->text, '\0', doc->length);
	if (nul) {
		problem_at(p, JSON_NONE, (uint32_t)(nul - doc->text), "a NUL byte in the document");
		return -EINVAL;
	}
	size_t sound = str_utf8_prefix(doc->text, doc->length);
	if (sound < doc->length) {
		problem_at(p, JSON_NONE, (uint32_t)sound, "a byte (0x%02x) that is not UTF-8",
			(unsigned char)doc->text[sound]);
		return -EINVAL;
	}
	return 0;
}

static void run_yajl(struct parser *p)
{
	yajl_alloc_funcs memory = {yajl_malloc, yajl_realloc, yajl_no_free, p->arena};
	const unsigned char *text = (const unsigned char *)p->doc->text;

	p->yajl = yajl_alloc(&callbacks, &memory, p);
	yajl_config(p->yajl, yajl_dont_validate_strings, 1); /* check_bytes() did, and stricter */
	yajl_status status = yajl_parse(p->yajl, text, p->doc->length);
	if (status == yajl_status_ok) {
		p->at_end = true;
		status = yajl_complete_parse(p->yajl);
	}
	if (status == yajl_status_error)
		report_syntax(p);
	yajl_free(p->yajl);
}

int json_parse(struct arena *arena, const char *file_name, const char *text, size_t length,
	struct report *report, const struct json_doc **doc)
{
	struct json_doc *d = arena_new(arena, struct json_doc);
	struct parser p = {.arena = arena, .report = report, .doc = d, .open = JSON_NONE};
	unsigned errors = report->errors;

	*d = (struct json_doc){.file = arena_strdup(arena, file_name), .text = text, .length = length};
	*doc = NULL;
	int r = check_bytes(&p);
	if (r < 0)
		return r;
	/* A value and what parts it from the next take two bytes. Pages that stay unused cost nothing. */
	p.limit = (uint32_t)length / 2 + 1 < JSON_MAX_NODES ? (uint32_t)length / 2 + 1 : JSON_MAX_NODES;
	p.nodes = arena_array(arena, struct json_node, p.limit);
	/* Unescaped text and a NUL never need more than the escaped, nor an empty text than a bracket. */
	p.strings = arena_alloc(arena, length + 1);
	d->nodes = p.nodes;
	run_yajl(&p);
	if (report->errors > errors)
		return -EINVAL;
	*doc = d;
	return 0;
}

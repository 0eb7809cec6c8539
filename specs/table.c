/*
 * table.c - the one decoder: walks an object of the tape beside its table (table.h).
 *
 * What is wrong is reported where it stands and the walk goes on, so that one pass finds every problem of
 * shape. As the engines' JSON library does, a null counts as an absent member; so does an empty string,
 * unless its row says that it means something. Unknown members are allowed by the specification
 * ("Extensibility"), but are nearly always typing errors: a warning with the likely word.
 */
#include "specs/table.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"

#define ROWS_MAX 64 /* of one table: `seen` is a 64 bit mask */

struct decoder {
	struct arena *arena;
	const struct json_doc *doc;
	struct report *report;
};

static void decode_object(
	const struct decoder *d, uint32_t node, const struct spec_table *table, void *object);

const char *spec_name(const struct spec_names *names, unsigned value)
{
	return value <= names->count ? names->names[value] : NULL;
}

unsigned spec_value(const struct spec_names *names, const char *word)
{
	for (unsigned value = 1; value <= names->count; value++)
		if (strcmp(names->names[value], word) == 0)
			return value;
	return 0;
}

static const struct json_node *node_of(const struct decoder *d, uint32_t node)
{
	return &d->doc->nodes[node];
}

static bool has_kind(const struct decoder *d, uint32_t node, enum json_kind kind, const char *expected)
{
	if (node_of(d, node)->kind == kind)
		return true;
	json_error(d->report, d->doc, node, "expected %s, found %s", expected,
		json_kind_name(node_of(d, node)->kind));
	return false;
}

static bool decode_bool(const struct decoder *d, uint32_t node, bool *value)
{
	uint8_t kind = node_of(d, node)->kind;

	if (kind != JSON_TRUE && !has_kind(d, node, JSON_FALSE, "true or false"))
		return false;
	*value = kind == JSON_TRUE;
	return true;
}

/* The integer types: what they hold, and their width. An optional's `set` follows its value. */
static const struct {
	int64_t min;
	uint64_t max;
	uint8_t size;
	bool optional;
} integers[] = {
	[SPEC_U64] = {0, UINT64_MAX, 8, false},
	[SPEC_I64] = {INT64_MIN, INT64_MAX, 8, false},
	[SPEC_U32] = {0, UINT32_MAX, 4, false},
	[SPEC_I32] = {INT32_MIN, INT32_MAX, 4, false},
	[SPEC_OPT_U64] = {0, UINT64_MAX, 8, true},
	[SPEC_OPT_I64] = {INT64_MIN, INT64_MAX, 8, true},
	[SPEC_OPT_U32] = {0, UINT32_MAX, 4, true},
	[SPEC_OPT_I32] = {INT32_MIN, INT32_MAX, 4, true},
	[SPEC_OPT_U16] = {0, UINT16_MAX, 2, true},
};

_Static_assert(offsetof(struct spec_opt_u64, set) == 8 && offsetof(struct spec_opt_i64, set) == 8 &&
		       offsetof(struct spec_opt_u32, set) == 4 && offsetof(struct spec_opt_i32, set) == 4 &&
		       offsetof(struct spec_opt_u16, set) == 2,
	"an optional's `set` follows its value");

static void store_integer(void *to, uint64_t value, size_t size)
{
	if (size == sizeof(uint64_t))
		*(uint64_t *)to = value;
	else if (size == sizeof(uint32_t))
		*(uint32_t *)to = (uint32_t)value;
	else
		*(uint16_t *)to = (uint16_t)value;
}

/* A number stays text up to here, where its type is known: 2^64-1 is exact, and 1.5 or 1e3 is no integer. */
static bool decode_integer(
	const struct decoder *d, uint32_t node, const struct spec_row *row, enum spec_type type, void *to)
{
	bool ranged = row->min != 0 || row->max != 0;
	int64_t min = ranged ? row->min : integers[type].min;
	uint64_t max = ranged ? row->max : integers[type].max;
	uint64_t value = 0;
	bool fits;

	if (!has_kind(d, node, JSON_NUMBER, "an integer"))
		return false;
	const char *text = node_of(d, node)->text;
	if (strpbrk(text, ".eE")) {
		json_error(d->report, d->doc, node, "expected an integer, found %.40s", text);
		return false;
	}
	if (*text == '-') {
		int64_t negative = 0;
		fits = str_to_i64(text, &negative) == 0 && negative >= min;
		value = (uint64_t)negative;
	} else {
		fits = str_to_u64(text, &value) == 0 && value <= max && (min <= 0 || value >= (uint64_t)min);
	}
	if (!fits) {
		json_error(d->report, d->doc, node, "%.40s is out of range (%jd to %ju)", text, (intmax_t)min,
			(uintmax_t)max);
		return false;
	}
	store_integer(to, value, integers[type].size);
	return true;
}

static void report_unknown_word(
	const struct decoder *d, uint32_t node, const struct spec_row *row, enum report_severity severity)
{
	const char *word = node_of(d, node)->text;
	struct err *e = severity == REPORT_ERROR
				? json_error(d->report, d->doc, node, "unknown %s \"%s\"", row->names->what,
					  word)
				: json_warning(d->report, d->doc, node, "unknown %s \"%s\" is ignored",
					  row->names->what, word);

	if (e == &d->report->overflow)
		return;
	unsigned first = row->min ? (unsigned)row->min : 1,
		 last = row->max ? (unsigned)row->max : row->names->count;
	const char *nearest = str_nearest(word, row->names->names + 1);
	unsigned value = nearest ? spec_value(row->names, nearest) : 0;
	if (value >= first && value <= last) {
		err_hint(e, "did you mean \"%s\"?", nearest);
		return;
	}
	if (row->names->count > 10)
		return;
	struct str_buf known;
	str_buf_init(&known, e->hint, sizeof(e->hint));
	for (value = first; value <= last; value++)
		str_buf_add(
			&known, "%s\"%s\"", value == first ? "known are " : ", ", row->names->names[value]);
}

/* The word's value, 0 after a problem. `after` is where the last word of a list was found: lists are often
 * sorted. */
static unsigned decode_word(
	const struct decoder *d, uint32_t node, const struct spec_row *row, unsigned after)
{
	const struct spec_names *names = row->names;

	if (!has_kind(d, node, JSON_STRING, "a string"))
		return 0;
	const char *word = node_of(d, node)->text;
	unsigned value = after < names->count && strcmp(names->names[after + 1], word) == 0
				 ? after + 1
				 : spec_value(names, word);
	if (value && !(row->max && (value < (unsigned)row->min || value > row->max)))
		return value;
	report_unknown_word(d, node, row, row->flags & SPEC_LENIENT ? REPORT_WARNING : REPORT_ERROR);
	return 0;
}

static void decode_set(
	const struct decoder *d, uint32_t node, const struct spec_row *row, struct spec_set *set)
{
	unsigned value = 0;

	if (!has_kind(d, node, JSON_ARRAY, "an array of strings"))
		return;
	set->set = true;
	set->node = node;
	json_for_each_item (d->doc, node, i) {
		value = decode_word(d, i, row, value);
		if (value)
			set->mask |= SPEC_BIT(value);
	}
}

static size_t decode_strings(const struct decoder *d, uint32_t node, const char ***to)
{
	size_t count = 0;

	if (!has_kind(d, node, JSON_ARRAY, "an array of strings"))
		return 0;
	*to = arena_array(d->arena, const char *, node_of(d, node)->count + 1);
	json_for_each_item (d->doc, node, i) {
		bool ok = has_kind(d, i, JSON_STRING, "a string");
		(*to)[count++] = ok ? node_of(d, i)->text : ""; /* keeps the numbering of the later items */
	}
	return count;
}

static size_t decode_u32s(const struct decoder *d, uint32_t node, const struct spec_row *row, uint32_t **to)
{
	size_t count = 0;

	if (!has_kind(d, node, JSON_ARRAY, "an array of integers"))
		return 0;
	*to = arena_array(d->arena, uint32_t, node_of(d, node)->count);
	json_for_each_item (d->doc, node, i)
		decode_integer(d, i, row, SPEC_U32, &(*to)[count++]);
	return count;
}

static size_t decode_pairs(const struct decoder *d, uint32_t node, struct spec_pair **to)
{
	size_t count = 0;

	if (!has_kind(d, node, JSON_OBJECT, "an object of strings"))
		return 0;
	*to = arena_array(d->arena, struct spec_pair, node_of(d, node)->count);
	json_for_each_member (d->doc, node, i) {
		if (has_kind(d, i, JSON_STRING, "a string"))
			(*to)[count++] = (struct spec_pair){i, json_key(node_of(d, i)), node_of(d, i)->text};
	}
	return count;
}

/* A list of objects, or a map of them, whose structs hold the key behind their node. */
static size_t decode_objects(const struct decoder *d, uint32_t node, const struct spec_row *row, void **to)
{
	bool map = row->type == SPEC_OBJECT_MAP;
	size_t count = 0;

	if (!has_kind(d, node, map ? JSON_OBJECT : JSON_ARRAY,
		    map ? "an object of objects" : "an array of objects"))
		return 0;
	char *objects = arena_alloc_array(d->arena, row->table->size, node_of(d, node)->count);
	json_for_each_item (d->doc, node, i) {
		if (!has_kind(d, i, JSON_OBJECT, "an object"))
			continue;
		char *object = objects + row->table->size * count++;
		if (map)
			*(const char **)(object + offsetof(struct spec_pair, key)) = json_key(node_of(d, i));
		decode_object(d, i, row->table, object);
	}
	*to = objects;
	return count;
}

static void decode_string(const struct decoder *d, uint32_t node, const struct spec_row *row, const char **to)
{
	if (!has_kind(d, node, JSON_STRING, "a string"))
		return;
	if (node_of(d, node)->length > 0 || (row->flags & SPEC_MAY_BE_EMPTY))
		*to = node_of(d, node)->text;
	else if (row->flags & SPEC_REQUIRED)
		json_error(d->report, d->doc, node, "must not be empty");
}

static void decode_member(const struct decoder *d, uint32_t node, const struct spec_row *row, char *object)
{
	void *to = object + row->offset;
	size_t count = 0;

	switch ((enum spec_type)row->type) {
	case SPEC_STRING:
		decode_string(d, node, row, to);
		break;
	case SPEC_BOOL:
		decode_bool(d, node, to);
		break;
	case SPEC_OPT_BOOL:
		((struct spec_opt_bool *)to)->set = decode_bool(
			d, node, &((struct spec_opt_bool *)to)->value);
		break;
	case SPEC_U64:
	case SPEC_I64:
	case SPEC_U32:
	case SPEC_I32:
	case SPEC_OPT_U64:
	case SPEC_OPT_I64:
	case SPEC_OPT_U32:
	case SPEC_OPT_I32:
	case SPEC_OPT_U16:
		if (decode_integer(d, node, row, row->type, to) && integers[row->type].optional)
			*((bool *)to + integers[row->type].size) = true;
		break;
	case SPEC_ENUM:
		*(unsigned *)to = decode_word(d, node, row, 0);
		break;
	case SPEC_ENUM_SET:
		decode_set(d, node, row, to);
		break;
	case SPEC_STRINGS:
		count = decode_strings(d, node, to);
		break;
	case SPEC_U32S:
		count = decode_u32s(d, node, row, to);
		break;
	case SPEC_PAIRS:
		count = decode_pairs(d, node, to);
		break;
	case SPEC_OBJECT:
		*(void **)to = spec_decode(d->arena, d->doc, node, row->table, d->report);
		break;
	case SPEC_OBJECTS:
	case SPEC_OBJECT_MAP:
		count = decode_objects(d, node, row, to);
		break;
	case SPEC_IGNORED:
		break;
	}
	if (row->count_offset)
		memcpy(object + row->count_offset, &count, sizeof(count));
}

/* The row for a member. The search starts behind the last one found: documents keep the order of the structs.
 */
static const struct spec_row *find_row(
	const struct spec_table *table, const struct json_node *n, unsigned *last)
{
	for (unsigned i = 0; i < table->count; i++) {
		unsigned at = *last + 1 + i;
		at -= at >= table->count ? table->count : 0;
		const struct spec_row *row = &table->rows[at];
		if (row->name_length == n->key_length && memcmp(row->name, json_key(n), n->key_length) == 0) {
			*last = at;
			return row;
		}
	}
	return NULL;
}

static void report_unknown_member(const struct decoder *d, uint32_t node, const struct spec_table *table)
{
	const char *names[ROWS_MAX + 1] = {NULL};
	const char *key = json_key(node_of(d, node));

	for (unsigned i = 0; i < table->count; i++)
		names[i] = table->rows[i].name;
	struct err *e = json_problem_key(
		d->report, REPORT_NOTE, d->doc, node, "unknown member \"%s\" of the %s", key, table->what);
	const char *nearest = e == &d->report->overflow ? NULL : str_nearest(key, names);
	if (nearest)
		err_hint(e, "did you mean \"%s\"?", nearest);
}

static void decode_object(
	const struct decoder *d, uint32_t node, const struct spec_table *table, void *object)
{
	unsigned last = table->count - 1;
	uint64_t seen = 0;

	memcpy(object, &node, sizeof(node));
	json_for_each_member (d->doc, node, i) {
		const struct spec_row *row = find_row(table, node_of(d, i), &last);
		if (!row) {
			if (!d->report->no_notes)
				report_unknown_member(d, i, table);
			continue;
		}
		if (node_of(d, i)->kind == JSON_NULL)
			continue;
		seen |= (uint64_t)1 << last;
		decode_member(d, i, row, object);
	}
	for (unsigned i = 0; i < table->count; i++)
		if ((table->rows[i].flags & SPEC_REQUIRED) && !(seen & (uint64_t)1 << i))
			json_error(
				d->report, d->doc, node, "the member \"%s\" is missing", table->rows[i].name);
}

void *spec_decode(struct arena *arena, const struct json_doc *doc, uint32_t node,
	const struct spec_table *table, struct report *report)
{
	const struct decoder d = {arena, doc, report};

	if (!has_kind(&d, node, JSON_OBJECT, "an object"))
		return NULL;
	void *object = arena_alloc(arena, table->size);
	decode_object(&d, node, table, object);
	return object;
}

uint32_t spec_at(const struct json_doc *doc, uint32_t node, const char *name)
{
	uint32_t member = json_member(doc, node, name);

	return member == JSON_NONE ? node : member;
}

uint32_t spec_at_item(const struct json_doc *doc, uint32_t node, const char *name, size_t i)
{
	uint32_t item = json_item(doc, json_member(doc, node, name), i);

	return item == JSON_NONE ? spec_at(doc, node, name) : item;
}

/*
 * table_write.c - the same tables, from C to JSON (writer.h): what is absent in the struct is not written.
 * Members come in the order of the table, so that two documents with the same content are the same bytes.
 */
#include <string.h>

#include "specs/writer.h"

/* Is there something to write? Only of plain numbers and booleans 0 cannot be told from absence. */
static bool is_present(const struct spec_row *row, const char *object)
{
	const void *at = object + row->offset;
	size_t count = 0;

	if (row->count_offset)
		memcpy(&count, object + row->count_offset, sizeof(count));
	switch ((enum spec_type)row->type) {
	case SPEC_BOOL:
		return *(const bool *)at;
	case SPEC_OPT_BOOL:
		return ((const struct spec_opt_bool *)at)->set;
	case SPEC_U64:
	case SPEC_I64:
		return *(const uint64_t *)at != 0;
	case SPEC_U32:
	case SPEC_I32:
	case SPEC_ENUM:
		return *(const uint32_t *)at != 0;
	case SPEC_OPT_U64:
	case SPEC_OPT_I64:
		return ((const struct spec_opt_u64 *)at)->set;
	case SPEC_OPT_U32:
	case SPEC_OPT_I32:
		return ((const struct spec_opt_u32 *)at)->set;
	case SPEC_OPT_U16:
		return ((const struct spec_opt_u16 *)at)->set;
	case SPEC_ENUM_SET:
		return ((const struct spec_set *)at)->set;
	case SPEC_STRINGS:
	case SPEC_U32S:
	case SPEC_PAIRS:
	case SPEC_OBJECTS:
	case SPEC_OBJECT_MAP:
		return count > 0;
	case SPEC_STRING:
	case SPEC_OBJECT:
		return *(const void *const *)at != NULL;
	case SPEC_IGNORED:
		break;
	}
	return false;
}

static void write_set(struct json_writer *w, const struct spec_names *names, const struct spec_set *set)
{
	json_write_array(w);
	for (unsigned value = 1; value <= names->count; value++)
		if (set->mask & SPEC_BIT(value))
			json_write_string(w, names->names[value]);
	json_write_array_end(w);
}

static void write_pairs(struct json_writer *w, const struct spec_pair *pairs, size_t count)
{
	json_write_object(w);
	for (size_t i = 0; i < count; i++)
		json_write_member(w, pairs[i].key, pairs[i].value);
	json_write_object_end(w);
}

static void write_objects(
	struct json_writer *w, const struct spec_row *row, const char *objects, size_t count)
{
	bool map = row->type == SPEC_OBJECT_MAP;

	map ? json_write_object(w) : json_write_array(w);
	for (size_t i = 0; i < count; i++, objects += row->table->size) {
		if (map) {
			const char *key;
			memcpy(&key, objects + offsetof(struct spec_pair, key), sizeof(key));
			json_write_key(w, key);
		}
		spec_write(w, row->table, objects);
	}
	map ? json_write_object_end(w) : json_write_array_end(w);
}

static void write_list(struct json_writer *w, const struct spec_row *row, const void *items, size_t count)
{
	json_write_array(w);
	for (size_t i = 0; i < count; i++) {
		if (row->type == SPEC_STRINGS)
			json_write_string(w, ((const char *const *)items)[i]);
		else
			json_write_u64(w, ((const uint32_t *)items)[i]);
	}
	json_write_array_end(w);
}

static void write_value(struct json_writer *w, const struct spec_row *row, const char *object)
{
	const void *at = object + row->offset;
	size_t count = 0;

	if (row->count_offset)
		memcpy(&count, object + row->count_offset, sizeof(count));
	switch ((enum spec_type)row->type) {
	case SPEC_STRING:
		json_write_string(w, *(const char *const *)at);
		break;
	case SPEC_BOOL:
	case SPEC_OPT_BOOL: /* `value` is its first member; so are those of the optional numbers below */
		json_write_bool(w, *(const bool *)at);
		break;
	case SPEC_U64:
	case SPEC_OPT_U64:
		json_write_u64(w, *(const uint64_t *)at);
		break;
	case SPEC_I64:
	case SPEC_OPT_I64:
		json_write_i64(w, *(const int64_t *)at);
		break;
	case SPEC_U32:
	case SPEC_OPT_U32:
		json_write_u64(w, *(const uint32_t *)at);
		break;
	case SPEC_I32:
	case SPEC_OPT_I32:
		json_write_i64(w, *(const int32_t *)at);
		break;
	case SPEC_OPT_U16:
		json_write_u64(w, *(const uint16_t *)at);
		break;
	case SPEC_ENUM:
		json_write_string(w, spec_name(row->names, *(const unsigned *)at));
		break;
	case SPEC_ENUM_SET:
		write_set(w, row->names, at);
		break;
	case SPEC_STRINGS:
	case SPEC_U32S:
		write_list(w, row, *(const void *const *)at, count);
		break;
	case SPEC_PAIRS:
		write_pairs(w, *(const struct spec_pair *const *)at, count);
		break;
	case SPEC_OBJECT:
		spec_write(w, row->table, *(const void *const *)at);
		break;
	case SPEC_OBJECTS:
	case SPEC_OBJECT_MAP:
		write_objects(w, row, *(const char *const *)at, count);
		break;
	case SPEC_IGNORED:
		break;
	}
}

void spec_write_members(struct json_writer *w, const struct spec_table *table, const void *object)
{
	for (unsigned i = 0; i < table->count; i++) {
		const struct spec_row *row = &table->rows[i];
		bool plain = row->type != SPEC_OBJECT && row->type != SPEC_STRING && row->type != SPEC_ENUM;
		if (!is_present(row, object) && !(plain && (row->flags & (SPEC_REQUIRED | SPEC_ALWAYS))))
			continue;
		json_write_key(w, row->name);
		write_value(w, row, object);
	}
}

void spec_write(struct json_writer *w, const struct spec_table *table, const void *object)
{
	json_write_object(w);
	spec_write_members(w, table, object);
	json_write_object_end(w);
}

/*
 * specs_schema.c - the tables against the official JSON schema: every property is in a table, with a type
 * that fits, the same words for its enums and the same members required; and no row is ours alone.
 *
 * The schema's files are those in $CRT_SHARED/oci/schema. Without them: skipped.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "specs/config.h"
#include "specs/features.h"
#include "specs/state.h"
#include "specs/table.h"

static struct arena arena;
static struct report report;
static char directory[500];
static unsigned properties_seen;

struct schema {
	const struct json_doc *doc;
	uint32_t node;
};

/* Properties that crt knows no table for, or differs in, and why. */
static const struct {
	const char *path;
	const char *reason;
} ignored[] = {
	{"config.solaris", "another platform"},
	{"config.windows", "another platform"},
	{"config.vm", "for runtimes that start virtual machines"},
	{"config.zos", "another platform"},
	{"config.freebsd", "another platform"},
};

/* Rows that the schema does not have, and why. */
static const char *const ours[] = {
	"features.linux.intelRdt.schemata",   /* in features-linux.md, not in the schema */
	"features.linux.intelRdt.monitoring", /* the same */
	"features.linux.memoryPolicy",        /* the same */
	NULL,
};

/* Members that the text of the specification requires and the schema does not. */
static const char *const stricter[] = {
	"config.linux.memoryPolicy.mode",
	"config.linux.personality.domain",
	"config.linux.resources.blockIO.throttleReadBpsDevice.rate",
	"config.linux.resources.blockIO.throttleWriteBpsDevice.rate",
	"config.linux.resources.blockIO.throttleReadIOPSDevice.rate",
	"config.linux.resources.blockIO.throttleWriteIOPSDevice.rate",
	NULL,
};

static bool find_directory(void)
{
	const char *shared = getenv("CRT_SHARED");
	char path[1000];

	snprintf(directory, sizeof(directory), "%s/oci/schema", shared ? shared : "");
	snprintf(path, sizeof(path), "%s/config-schema.json", directory);
	return shared && access(path, R_OK) == 0;
}

static struct schema load(const char *file)
{
	static struct {
		char name[64];
		const struct json_doc *doc;
	} cache[16];
	char path[1000];

	for (size_t i = 0; i < ARRAY_SIZE(cache); i++) {
		if (strcmp(cache[i].name, file) == 0)
			return (struct schema){cache[i].doc, 0};
		if (cache[i].name[0])
			continue;
		snprintf(cache[i].name, sizeof(cache[i].name), "%s", file);
		snprintf(path, sizeof(path), "%s/%s", directory, file);
		json_read(&arena, AT_FDCWD, path, arena_strdup(&arena, file), &report, &cache[i].doc);
		cr_assert_not_null(cache[i].doc, "%s", path);
		return (struct schema){cache[i].doc, 0};
	}
	cr_assert_fail("too many schema files");
	return (struct schema){NULL, JSON_NONE};
}

static struct schema get(struct schema s, const char *name)
{
	return (struct schema){s.doc, json_member(s.doc, s.node, name)};
}

static const char *text_of(struct schema s)
{
	return s.node == JSON_NONE ? NULL : s.doc->nodes[s.node].text;
}

/* "file.json#/definitions/X", "#/definitions/X", "config-linux.json#/linux" */
static struct schema resolve(struct schema s)
{
	const char *ref;

	while ((ref = text_of(get(s, "$ref")))) {
		const char *pointer = strchr(ref, '#');
		cr_assert_not_null(pointer, "%s", ref);
		if (pointer != ref)
			s = load(arena_memdup(&arena, ref, (size_t)(pointer - ref)));
		s.node = 0;
		for (char *part = strtok(arena_strdup(&arena, pointer + 1), "/"); part;
			part = strtok(NULL, "/"))
			s = get(s, part);
		cr_assert_neq(s.node, JSON_NONE, "%s", ref);
	}
	return s;
}

static const struct spec_row *find_row(const struct spec_table *table, const char *name)
{
	for (unsigned i = 0; i < table->count; i++)
		if (strcmp(table->rows[i].name, name) == 0)
			return &table->rows[i];
	return NULL;
}

static bool is_ignored(const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
		if (strcmp(ignored[i].path, path) == 0)
			return true;
	return false;
}

static bool list_holds(struct schema list, const char *word)
{
	if (list.node == JSON_NONE)
		return false;
	json_for_each_item (list.doc, list.node, i) {
		if (strcmp(list.doc->nodes[i].text, word) == 0)
			return true;
	}
	return false;
}

static void compare_object(struct schema s, const struct spec_table *table, const char *path);

static void compare_words(struct schema s, const struct spec_row *row, const char *path)
{
	struct schema words = get(s, "enum");

	if (words.node == JSON_NONE)
		return;
	json_for_each_item (words.doc, words.node, i) {
		const char *word = words.doc->nodes[i].text;
		cr_expect(row->names && spec_value(row->names, word), "%s: the word \"%s\" is not known",
			path, word);
	}
}

static void compare_array(struct schema s, const struct spec_row *row, const char *path)
{
	struct schema items = resolve(get(s, "items"));
	struct schema any = get(items, "anyOf");

	if (any.node != JSON_NONE)
		items = resolve((struct schema){any.doc, json_item(any.doc, any.node, 0)});
	const char *type = text_of(get(items, "type"));
	if (type && strcmp(type, "string") == 0)
		cr_expect(row->type == SPEC_STRINGS || row->type == SPEC_ENUM_SET, "%s: a list of strings",
			path);
	else if (type && strcmp(type, "integer") == 0)
		cr_expect(row->type == SPEC_U32S, "%s: a list of integers", path);
	else
		cr_expect(row->type == SPEC_OBJECTS, "%s: a list of objects", path);
	compare_words(items, row, path);
	if (row->type == SPEC_OBJECTS)
		compare_object(items, row->table, path);
}

static void compare_map(struct schema s, const struct spec_row *row, const char *path)
{
	struct schema values = resolve(get(s, "additionalProperties"));

	if (values.node == JSON_NONE) {
		cr_expect_eq(row->type, SPEC_PAIRS, "%s: a map of strings", path);
		return;
	}
	cr_expect_eq(row->type, SPEC_OBJECT_MAP, "%s: a map of objects", path);
	if (row->type == SPEC_OBJECT_MAP)
		compare_object(values, row->table, path);
}

static bool is_integer(enum spec_type type)
{
	return type >= SPEC_U64 && type <= SPEC_OPT_U16;
}

/* The range that the schema gives must be one that the row takes, unless the text has a narrower one. */
static void compare_integer(struct schema s, const struct spec_row *row, const char *path)
{
	const char *minimum = text_of(get(s, "minimum"));

	cr_expect(is_integer(row->type), "%s: an integer", path);
	if (minimum && minimum[0] == '-')
		cr_expect(row->type == SPEC_I64 || row->type == SPEC_I32 || row->type == SPEC_OPT_I64 ||
				  row->type == SPEC_OPT_I32,
			"%s: a signed integer", path);
}

static void compare_property(struct schema s, const struct spec_row *row, const char *path)
{
	const char *type = text_of(get(s, "type"));

	if (type && strcmp(type, "string") == 0) {
		bool words = get(s, "enum").node != JSON_NONE;
		cr_expect(
			row->type == SPEC_ENUM || (row->type == SPEC_STRING && !words), "%s: a string", path);
		compare_words(s, row, path);
	} else if (type && strcmp(type, "boolean") == 0) {
		cr_expect(row->type == SPEC_BOOL || row->type == SPEC_OPT_BOOL, "%s: a boolean", path);
	} else if (type && strcmp(type, "integer") == 0) {
		compare_integer(s, row, path);
	} else if (type && strcmp(type, "array") == 0) {
		compare_array(s, row, path);
	} else if (get(s, "properties").node == JSON_NONE && get(s, "allOf").node == JSON_NONE) {
		compare_map(s, row, path);
	} else {
		cr_expect_eq(row->type, SPEC_OBJECT, "%s: an object", path);
		if (row->type == SPEC_OBJECT)
			compare_object(s, row->table, path);
	}
}

/* Mark the rows that this part of the schema has. `required` of allOf parts count together. */
static void compare_properties(
	struct schema s, const struct spec_table *table, const char *path, uint64_t *seen, uint64_t *required)
{
	struct schema properties = get(s, "properties");
	struct schema all = get(s, "allOf");

	if (all.node != JSON_NONE) {
		json_for_each_item (all.doc, all.node, i)
			compare_properties(resolve((struct schema){all.doc, i}), table, path, seen, required);
	}
	if (properties.node == JSON_NONE)
		return;
	json_for_each_member (properties.doc, properties.node, i) {
		const char *name = json_key(&properties.doc->nodes[i]);
		const char *inner = arena_printf(&arena, "%s.%s", path, name);
		const struct spec_row *row = find_row(table, name);
		properties_seen++;
		if (row)
			*seen |= (uint64_t)1 << (row - table->rows);
		if (is_ignored(inner)) {
			cr_expect(row && row->type == SPEC_IGNORED,
				"%s: ignored, but without a row that says so", inner);
			continue;
		}
		cr_expect_not_null(row, "%s: no row in the table of the %s", inner, table->what);
		if (!row)
			continue;
		if (list_holds(get(s, "required"), name))
			*required |= (uint64_t)1 << (row - table->rows);
		compare_property(resolve((struct schema){properties.doc, i}), row, inner);
	}
}

static void compare_object(struct schema s, const struct spec_table *table, const char *path)
{
	uint64_t seen = 0, required = 0;

	cr_assert_leq(table->count, 64u);
	compare_properties(s, table, path, &seen, &required);
	for (unsigned i = 0; i < table->count; i++) {
		const struct spec_row *row = &table->rows[i];
		const char *inner = arena_printf(&arena, "%s.%s", path, row->name);
		if (!(seen & (uint64_t)1 << i) && !str_is_one_of(inner, ours))
			cr_expect_fail("%s: a row that the schema does not have", inner);
		bool we = row->flags & SPEC_REQUIRED, they = required & (uint64_t)1 << i;
		cr_expect(they ? we : !we || str_is_one_of(inner, stricter), "%s: %srequired by the schema",
			inner, they ? "" : "not ");
	}
}

static void set_up(void)
{
	cr_assert_eq(arena_init(&arena, NULL), 0);
	report_init(&report, &arena);
	if (!find_directory())
		cr_skip_test("no official schema: set CRT_SHARED to the directory that holds oci/schema");
}

static void tear_down(void)
{
	arena_free(&arena);
}

TestSuite(specs_schema, .init = set_up, .fini = tear_down);

Test(specs_schema, config)
{
	compare_object(load("config-schema.json"), &spec_config_table, "config");
	cr_assert_gt(properties_seen, 150u, "the walk found only %u properties", properties_seen);
}

Test(specs_schema, state)
{
	compare_object(load("state-schema.json"), &spec_state_table, "state");
	cr_assert_eq(properties_seen, 6u);
}

Test(specs_schema, features)
{
	compare_object(load("features-schema.json"), &spec_features_table, "features");
	cr_assert_gt(properties_seen, 30u);
}

/*
 * tables.c - the tables of commands, options and config.json as one JSON document, for man/generate and
 * contrib/completions/generate, which make the manual and the completions of it. Not installed.
 */
#include <stdio.h>

#include "base/arena.h"
#include "specs/config.h"
#include "specs/mount.h"
#include "specs/writer.h"
#include "src/command.h"

static const char *const kinds[] = {
	[OPTION_FLAG] = "flag",
	[OPTION_TEXT] = "text",
	[OPTION_NUMBER] = "number",
	[OPTION_LIST] = "list",
	[OPTION_DURATION] = "duration",
};

static const char *const types[] = {
	[SPEC_STRING] = "string",
	[SPEC_BOOL] = "boolean",
	[SPEC_OPT_BOOL] = "boolean",
	[SPEC_U64] = "u64",
	[SPEC_I64] = "i64",
	[SPEC_U32] = "u32",
	[SPEC_I32] = "i32",
	[SPEC_OPT_U64] = "u64",
	[SPEC_OPT_I64] = "i64",
	[SPEC_OPT_U32] = "u32",
	[SPEC_OPT_I32] = "i32",
	[SPEC_OPT_U16] = "u16",
	[SPEC_ENUM] = "word",
	[SPEC_ENUM_SET] = "words",
	[SPEC_STRINGS] = "strings",
	[SPEC_U32S] = "u32s",
	[SPEC_PAIRS] = "map",
	[SPEC_OBJECT] = "object",
	[SPEC_OBJECTS] = "objects",
	[SPEC_OBJECT_MAP] = "object map",
	[SPEC_IGNORED] = "ignored",
};

static const char *const annotation_kinds[] = {
	[SPEC_ANNOTATION_FLAG] = "1 or 0",
	[SPEC_ANNOTATION_PATH] = "An absolute path",
	[SPEC_ANNOTATION_CONTEXT] = "context, fscontext, defcontext or rootcontext",
	[SPEC_ANNOTATION_CGROUP] = "A relative path",
	[SPEC_ANNOTATION_FILTER] = "Base64",
	[SPEC_ANNOTATION_UNIT] = NULL,
};

static void write_options(struct json_writer *w, const struct option *o)
{
	json_write_key(w, "options");
	json_write_array(w);
	for (; o->name; o++) {
		if (!o->help)
			continue;
		json_write_object(w);
		json_write_member(w, "name", o->name);
		json_write_member(w, "letter", o->letter ? (char[]){o->letter, '\0'} : NULL);
		json_write_member(w, "kind", kinds[o->kind]);
		json_write_member(w, "value", o->value);
		json_write_member(w, "choices", o->choices);
		json_write_member(w, "help", o->help);
		json_write_object_end(w);
	}
	json_write_array_end(w);
}

static void write_commands(struct json_writer *w)
{
	json_write_key(w, "commands");
	json_write_array(w);
	for (const struct command *c = commands; c->name; c++) {
		json_write_object(w);
		json_write_member(w, "name", c->name);
		json_write_member(w, "summary", c->summary);
		json_write_member(w, "usage", c->usage);
		json_write_member(w, "description", c->description);
		write_options(w, c->options);
		json_write_object_end(w);
	}
	json_write_array_end(w);
}

static void write_words(struct json_writer *w, const struct spec_names *names)
{
	json_write_key(w, "words");
	json_write_array(w);
	for (unsigned i = 1; i <= names->count; i++)
		json_write_string(w, names->names[i]);
	json_write_array_end(w);
}

static void write_table(struct json_writer *w, const struct spec_table *table)
{
	json_write_key(w, "members");
	json_write_array(w);
	for (unsigned i = 0; i < table->count; i++) {
		const struct spec_row *row = &table->rows[i];
		json_write_object(w);
		json_write_member(w, "name", row->name);
		json_write_member(w, "type", types[row->type]);
		json_write_member_bool(w, "required", row->flags & SPEC_REQUIRED);
		if (row->min || row->max) {
			json_write_member_i64(w, "min", row->min);
			json_write_member_u64(w, "max", row->max);
		}
		if (row->names)
			write_words(w, row->names);
		if (row->table)
			write_table(w, row->table);
		json_write_object_end(w);
	}
	json_write_array_end(w);
}

static void write_annotations(struct json_writer *w)
{
	json_write_key(w, "annotations");
	json_write_array(w);
	for (size_t i = 0; i < spec_annotations_count; i++) {
		json_write_object(w);
		json_write_member(w, "name", spec_annotations_known[i].name);
		json_write_member(w, "kind", annotation_kinds[spec_annotations_known[i].kind]);
		json_write_member(w, "help", spec_annotations_known[i].help);
		json_write_object_end(w);
	}
	json_write_array_end(w);
}

static void write_mount_options(struct json_writer *w)
{
	json_write_key(w, "mountOptions");
	json_write_array(w);
	for (size_t i = 0; i < spec_mount_options_count; i++)
		json_write_string(w, spec_mount_options[i].name);
	json_write_array_end(w);
}

int main(void)
{
	arena_auto struct arena arena = {0};
	struct json_writer w;

	if (arena_init(&arena, NULL) < 0)
		return 1;
	json_writer_init(&w, &arena, true);
	json_write_object(&w);
	json_write_member(&w, "version", crt_version());
	write_options(&w, global_options);
	write_commands(&w);
	json_write_key(&w, "config");
	json_write_object(&w);
	write_table(&w, &spec_config_table);
	json_write_object_end(&w);
	write_annotations(&w);
	write_mount_options(&w);
	json_write_object_end(&w);
	fputs(json_writer_text(&w, NULL), stdout);
	return fflush(stdout) ? 1 : 0;
}

/*
 * state.c - see state.h (runtime.md, "State"; config-linux.md, "The Container Process State").
 */
#include "specs/state.h"

#include "specs/check.h"
#include "specs/writer.h"

static const char *const status_names[] = {NULL, "creating", "created", "running", "stopped", "paused", NULL};

const struct spec_names spec_status_names = SPEC_NAMES("status", status_names);

static const struct spec_row state_rows[] = {
	ROW_STRING(spec_state, "ociVersion", oci_version, .flags = SPEC_REQUIRED),
	ROW_STRING(spec_state, "id", id, .flags = SPEC_REQUIRED),
	ROW_ENUM(spec_state, "status", status, spec_status, &spec_status_names, .flags = SPEC_REQUIRED),
	ROW_I64(spec_state, "pid", pid, .flags = SPEC_ALWAYS, .max = INT32_MAX),
	ROW_STRING(spec_state, "bundle", bundle, .flags = SPEC_REQUIRED),
	ROW_PAIRS(spec_state, "annotations", annotations),
};
const struct spec_table spec_state_table = SPEC_TABLE("state", spec_state, state_rows);

static const struct spec_row process_state_rows[] = {
	ROW_STRING(spec_container_process_state, "ociVersion", oci_version, .flags = SPEC_REQUIRED),
	ROW_STRINGS(spec_container_process_state, "fds", fds),
	ROW_I64(spec_container_process_state, "pid", pid, .flags = SPEC_REQUIRED, .max = INT32_MAX),
	ROW_STRING(spec_container_process_state, "metadata", metadata),
	ROW_OBJECT(spec_container_process_state, "state", state, spec_state, &spec_state_table,
		.flags = SPEC_REQUIRED),
};
const struct spec_table spec_container_process_state_table = SPEC_TABLE(
	"container process state", spec_container_process_state, process_state_rows);

const char *spec_status_name(enum spec_status status)
{
	return spec_name(&spec_status_names, status);
}

int spec_state_read(struct arena *arena, int dirfd, const char *path, const char *display_name,
	struct report *report, const struct json_doc **doc, const struct spec_state **state)
{
	unsigned errors = report->errors;

	*state = NULL;
	int r = json_read(arena, dirfd, path, display_name, report, doc);
	if (r < 0)
		return r;
	*state = spec_decode(arena, *doc, 0, &spec_state_table, report);
	return spec_check_result(report, errors);
}

const char *spec_state_text(
	struct arena *arena, const struct spec_state *state, bool indented, size_t *length)
{
	struct json_writer w;

	json_writer_init(&w, arena, indented);
	spec_write(&w, &spec_state_table, state);
	return json_writer_text(&w, length);
}

const char *spec_container_process_state_text(
	struct arena *arena, const struct spec_container_process_state *state, size_t *length)
{
	struct json_writer w;

	json_writer_init(&w, arena, false);
	spec_write(&w, &spec_container_process_state_table, state);
	return json_writer_text(&w, length);
}

/*
 * state.h - the state of a container as the specification has it (runtime.md, "State"): what `state` prints,
 * hooks read and the seccomp agent is sent. What crt keeps on disk for itself is libcontainer/state's.
 */
#ifndef SPECS_STATE_H
#define SPECS_STATE_H

#include "specs/table.h"

enum spec_status {
	SPEC_STATUS_NONE,
	SPEC_STATUS_CREATING,
	SPEC_STATUS_CREATED,
	SPEC_STATUS_RUNNING,
	SPEC_STATUS_STOPPED,
	SPEC_STATUS_PAUSED, /* not in the text; every runtime's answer for a frozen container */
};

struct spec_state {
	uint32_t node;
	const char *oci_version;
	const char *id;
	enum spec_status status;
	int64_t pid; /* 0 when there is no process */
	const char *bundle;
	struct spec_pair *annotations;
	size_t annotations_count;
};

/* config-linux.md, "The Container Process State": what goes to seccomp.listenerPath. */
struct spec_container_process_state {
	uint32_t node;
	const char *oci_version;
	const char **fds;
	size_t fds_count;
	int64_t pid;
	const char *metadata;
	struct spec_state *state;
};

extern const struct spec_names spec_status_names;
extern const struct spec_table spec_state_table;
extern const struct spec_table spec_container_process_state_table;

const char *spec_status_name(enum spec_status status);

/* Returns 0 or -errno, with the reasons in the report. */
int spec_state_read(struct arena *arena, int dirfd, const char *path, const char *display_name,
	struct report *report, const struct json_doc **doc, const struct spec_state **state);

/* The state as JSON text in the arena; one line unless indented. */
const char *spec_state_text(
	struct arena *arena, const struct spec_state *state, bool indented, size_t *length);

/* Likewise the container process state. */
const char *spec_container_process_state_text(
	struct arena *arena, const struct spec_container_process_state *state, size_t *length);

#endif

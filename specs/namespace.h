/*
 * namespace.h - namespaces, id mappings and time offsets (config-linux.md, "Namespaces", "User namespace
 * mappings", "Offset for Time Namespace").
 */
#ifndef SPECS_NAMESPACE_H
#define SPECS_NAMESPACE_H

#include "specs/table.h"

enum spec_namespace_type {
	SPEC_NS_NONE,
	SPEC_NS_PID,
	SPEC_NS_NETWORK,
	SPEC_NS_MOUNT,
	SPEC_NS_IPC,
	SPEC_NS_UTS,
	SPEC_NS_USER,
	SPEC_NS_CGROUP,
	SPEC_NS_TIME,
	SPEC_NS_COUNT /* one more than the last */
};

struct spec_namespace {
	uint32_t node;
	enum spec_namespace_type type;
	const char *path; /* absolute: join it; NULL: make a new one */
};

struct spec_id_mapping {
	uint32_t node;
	uint32_t container_id;
	uint32_t host_id;
	uint32_t size; /* 1 .. */
};

struct spec_time_offset {
	uint32_t node;
	int64_t secs;
	uint32_t nanosecs; /* 0 .. 999999999 */
};

struct spec_time_offsets {
	uint32_t node;
	struct spec_time_offset *boottime;
	struct spec_time_offset *monotonic;
};

extern const struct spec_names spec_namespace_names;
extern const struct spec_table spec_namespace_table;
extern const struct spec_table spec_id_mapping_table;
extern const struct spec_table spec_time_offsets_table;

/* "pid", "network" ...; NULL for NONE. */
const char *spec_namespace_name(enum spec_namespace_type type);

/* The CLONE_NEWx flag, and the file's name in /proc/PID/ns ("pid", "net", "mnt" ...). */
uint64_t spec_namespace_clone_flag(enum spec_namespace_type type);
const char *spec_namespace_file(enum spec_namespace_type type);

struct spec_linux;

/* The namespace of that type in linux.namespaces; NULL when the container stays in the runtime's. */
const struct spec_namespace *spec_namespace_find(
	const struct spec_linux *linux_, enum spec_namespace_type type);

/* Is it certain that there is none? Not so when an entry of the list could not be read: it may be meant. */
bool spec_namespace_lacks(
	const struct json_doc *doc, const struct spec_linux *linux_, enum spec_namespace_type type);

/* Rules of linux.namespaces, the mappings and the time offsets. Returns 0 or -EINVAL. */
int spec_namespaces_check(const struct json_doc *doc, const struct spec_linux *linux_, struct report *report);

/* Rules of one list of mappings; `name` is the member of object `node` that holds it. */
int spec_id_mappings_check(const struct json_doc *doc, uint32_t node, const char *name,
	const struct spec_id_mapping *mappings, size_t count, struct report *report);

#endif

/*
 * resources.h - the limits of a document (config-linux.md, "Control groups") as writes to cgroup v2 files.
 */
#ifndef CGROUP_RESOURCES_H
#define CGROUP_RESOURCES_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/report.h"

struct host;
struct json_doc;
struct spec_resources;

struct cg_write {
	uint32_t node;             /* of the document: who asked for it */
	const char *file;          /* "memory.max" */
	const char *value;         /* one line, without its newline */
	const char *controller;    /* "memory"; "cgroup" for the files every cgroup has */
	const char *instead_file;  /* when the kernel does not have `file`, this one with ... */
	const char *instead_value; /* ... this value; NULL: there is no substitute */
	const char *usage;         /* refuse when this file's number is above the value; NULL: do not look */
};

struct cg_limits {
	struct cg_write *writes; /* in the order they must be made */
	size_t count;
	const char *controllers; /* what they need, as words: "cpu memory"; never NULL */
};

/*
 * Translate what has passed spec_resources_check(). Pure. `host` must know HOST_CONTROLLERS when the document
 * sets any limit. Every problem goes to the report at its place: an error for what this host cannot hold, a
 * warning for what only cgroup v1 had and nobody misses. `resources` may be NULL. Returns 0, or -EINVAL when
 * it added an error.
 */
int cg_resources_compile(struct arena *arena, const struct spec_resources *resources,
	const struct json_doc *doc, const struct host *host, struct report *report, struct cg_limits *limits);

/* cgroup v1's cpu.shares (2 .. 262144) as cpu.weight (1 .. 10000); blkio.weight (10 .. 1000) as io.weight. */
uint64_t cg_cpu_weight(uint64_t shares);
uint64_t cg_io_weight(uint64_t blkio_weight);

#endif

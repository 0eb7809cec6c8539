/*
 * update.h - other limits for a cgroup that is in use: all of them, or none.
 */
#ifndef CGROUP_UPDATE_H
#define CGROUP_UPDATE_H

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "libcontainer/cgroup/resources.h"

/* A memory limit that had to be made room for first. */
struct cg_shrink {
	uint64_t wanted; /* bytes: the new memory.max; 0: there was room */
	uint64_t before; /* memory.current when it began, and when it ended */
	uint64_t reached;
};

/*
 * Make the writes in their order. A memory limit below what is in use is approached first: the kernel
 * reclaims, for at most timeout_ms, and only what fits is made the limit, so that no process is killed. When
 * a write fails, or the memory does not fit in time (-EBUSY), or `commit` (may be NULL), which is called when
 * all is written, fails, what was written is put back, and the error says what could not be. Returns 0 or
 * -errno; *shrink is filled in either way.
 */
typedef int cg_commit_fn(void *data, struct err *err);
struct cg_update {
	int cgroup_fd;
	const struct cg_limits *limits;
	const struct json_doc *doc;
	int timeout_ms;
	cg_commit_fn *commit;
	void *commit_data;
};
int cg_update(struct arena *arena, const struct cg_update *update, struct cg_shrink *shrink, struct err *err);

/*
 * What to write so that the file says again what it said before `value` was written; `before` is the text it
 * had. Pure. Some files have a line for each device, and take one line at a time.
 */
const char *cg_undo_value(struct arena *arena, const char *file, const char *value, const char *before);

#endif

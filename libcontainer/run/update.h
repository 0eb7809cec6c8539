/*
 * update.h - the update command: other limits for a container that runs.
 */
#ifndef RUN_UPDATE_H
#define RUN_UPDATE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/report.h"
#include "libcontainer/cgroup/update.h"
#include "libcontainer/libcontainer.h"

/*
 * Everything that the resources object asks for, or nothing. What it does not mention stays as it is; device
 * rules in it are passed over, since they cannot be told from those that the container has. Returns 0 or
 * -errno.
 */
int run_update(struct arena *arena, const char *root, const char *id,
	const struct crt_update_options *options, struct cg_shrink *shrink, struct report *report,
	struct err *err);

#endif

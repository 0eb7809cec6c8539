/*
 * delete.h - nothing is left of a container.
 */
#ifndef RUN_DELETE_H
#define RUN_DELETE_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/report.h"
#include "libcontainer/state/state.h"

/*
 * Kill what still runs, wait for it, remove the cgroup, run the poststop hooks (their failures
 * become warnings in `poststop`; NULL: do not run them), remove the
 * container's directory (whose lock the caller holds). Works from any state, however little of it there is;
 * what is gone already is fine. `state` may lack everything but the id. Returns 0 or -errno.
 */
int run_teardown(struct arena *arena, int root_fd, int dir_fd, const struct state *state,
	struct report *poststop, struct err *err);

/* The command: refuses a running container unless `force`, with which a missing one is fine too. */
int run_delete(struct arena *arena, const char *root, const char *id, bool force, struct report *warnings,
	struct err *err);

#endif

/*
 * live.h - a container that runs, for the commands that look at its cgroup or change it.
 */
#ifndef RUN_LIVE_H
#define RUN_LIVE_H

#include "base/arena.h"
#include "base/err.h"
#include "libcontainer/state/state.h"

struct run_live {
	struct state *state;     /* in the arena */
	enum spec_status status; /* created, running or paused */
	int dir_fd;              /* the container's directory; holds the lock, if there is one */
	int cgroup_fd;           /* the container's own cgroup */
};

/*
 * Find it. Returns 0, or -errno with nothing left open: ENOENT (no such container), ESRCH (it has ended, or
 * is not made yet), EOPNOTSUPP (it has no cgroup of its own).
 */
int run_live_open(struct arena *arena, const char *root, const char *id, enum state_lock lock,
	struct run_live *live, struct err *err);

/* Harmless on what run_live_open() refused. */
void run_live_close(struct run_live *live);

#endif

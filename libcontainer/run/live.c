/*
 * live.c - see live.h.
 *
 * The words "container not running" are part of the interface, as they are in kill.c: engines look for them.
 */
#include "libcontainer/run/live.h"

#include <errno.h>

#include "base/fd.h"
#include "libcontainer/cgroup/cgroup.h"

static int open_cgroup(struct run_live *live, const char *id, struct err *err)
{
	const struct state *state = live->state;

	if (!state || live->status == SPEC_STATUS_STOPPED || live->status == SPEC_STATUS_CREATING)
		return err_set(err, ESRCH, "container not running: \"%s\" is %s", id,
			spec_status_name(live->status));
	if (!state->cgroup_path)
		return err_set(err, EOPNOTSUPP, "container \"%s\" has no cgroup of its own", id);
	int fd = cg_open(state->cgroup_mount, state->cgroup_path, err);
	if (fd == -ENOENT) /* it ended while we looked */
		return err_set(err, ESRCH, "container not running: \"%s\" has no cgroup any more", id);
	live->cgroup_fd = fd;
	return fd < 0 ? fd : 0;
}

int run_live_open(struct arena *arena, const char *root, const char *id, enum state_lock lock,
	struct run_live *live, struct err *err)
{
	*live = (struct run_live){.dir_fd = -1, .cgroup_fd = -1};
	live->dir_fd = state_find(root, id, lock, NULL, err);
	if (live->dir_fd < 0)
		return live->dir_fd;
	int r = state_read(arena, live->dir_fd, &live->state, err);
	if (r == 0 || r == -ENOENT) {
		live->status = state_status(live->dir_fd, live->state);
		r = open_cgroup(live, id, err);
	}
	if (r < 0)
		run_live_close(live);
	return r;
}

void run_live_close(struct run_live *live)
{
	fd_close(&live->cgroup_fd);
	fd_close(&live->dir_fd);
}

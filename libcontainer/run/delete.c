/*
 * delete.c - see delete.h. The order is that of dependence: processes hold the cgroup, the directory holds
 * what is needed to find them again, so it goes last.
 */
#include "libcontainer/run/delete.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "base/sys.h"
#include "libcontainer/cgroup/cgroup.h"
#include "libcontainer/cgroup/rdt.h"
#include "libcontainer/host/host.h"
#include "libcontainer/run/create.h"
#include "libcontainer/run/systemd.h"

#define WAIT_MS     10000 /* a process that is not dead after SIGKILL and this long hangs in the kernel */
#define STRANGER_MS 1000  /* and one that may not be ours is not sent any */

/* Kill init and wait for its end; if it is a child of ours, take leave of it. */
static int end_init(const struct state *state, struct err *err)
{
	fd_auto int pidfd = state->pid ? state_pidfd(state) : -ESRCH;

	if (pidfd >= 0) {
		struct pollfd p = {.fd = pidfd, .events = POLLIN};
		int r = sys_pidfd_send_signal(pidfd, SIGKILL, NULL, 0);
		if (r < 0 && r != -ESRCH)
			return err_sys(err, r, "cannot kill the container's init %d", state->pid);
		if (poll(&p, 1, WAIT_MS) == 0) {
			err_set(err, ETIMEDOUT, "the container's init %d does not end", state->pid);
			return err_hint(
				err, "it hangs in the kernel; /proc/%d/stack may say where", state->pid);
		}
	}
	if (state->pid)
		waitpid(state->pid, NULL, WNOHANG);
	return 0;
}

/*
 * Without a pid the creator died before it wrote one, perhaps before it had the cgroup: who is in it may be
 * somebody else, and is not killed. An init that was just made ends by itself when it misses its creator.
 */
static int end_cgroup(const struct state *state, struct err *err)
{
	struct err ignored;

	if (!state->cgroup_path)
		return 0;
	if (!state->pid) {
		fd_auto int fd = cg_open(state->cgroup_mount, state->cgroup_path, &ignored);
		if (fd < 0 || cg_wait_empty(fd, STRANGER_MS, &ignored) < 0)
			return 0;
	}
	return cg_destroy(state->cgroup_mount, state->cgroup_path, state->cgroup_made, WAIT_MS, err);
}

/* The monitoring group first: it may be in the other one. One that others have joined is theirs now. */
static int end_rdt(const struct state *state, struct err *err)
{
	const char *const groups[] = {state->rdt_monitor, state->rdt_group};

	for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
		int r = groups[i] ? rdt_remove(groups[i]) : 0;
		if (r < 0 && r != -EBUSY)
			return err_sys(err, r, "cannot remove the resctrl group %s", groups[i]);
	}
	return 0;
}

/*
 * systemd finds the unit empty and removes it by itself; this is to have it gone when we return. Without a
 * pid the unit may be somebody else's, see end_cgroup().
 */
static void end_unit(const struct state *state)
{
	const char *unit = state->cgroup_unit;
	const char *at = unit && state->pid && state->cgroup_path ? strstr(state->cgroup_path, unit) : NULL;
	char path[PATH_MAX];
	struct err ignored;

	if (!at)
		return;
	snprintf(path, sizeof(path), "%s%.*s%s", state->cgroup_mount, (int)(at - state->cgroup_path),
		state->cgroup_path, unit);
	if (access(path, F_OK) < 0)
		return;
	const struct systemd_request request = {
		.verb = "stop", .unit = unit, .user = state->cgroup_user_unit, .timeout_ms = WAIT_MS};
	systemd_request(&request, &ignored);
}

int run_teardown(struct arena *arena, int root_fd, int dir_fd, const struct state *state,
	struct report *poststop, struct err *err)
{
	int r = end_init(state, err);

	if (r == 0)
		r = end_cgroup(state, err);
	if (r == 0)
		r = end_rdt(state, err);
	if (r < 0)
		return r;
	end_unit(state);
	if (poststop)
		run_poststop_hooks(arena, dir_fd, state, poststop);
	return state_remove(root_fd, state->id, dir_fd, err);
}

/* With no state to say that they are the container's, they are not killed; but nobody else looks for them. */
static void tell_who_is_left(const struct state *state, struct report *warnings)
{
	struct err ignored;

	fd_auto int fd = state->cgroup_path ? cg_open(state->cgroup_mount, state->cgroup_path, &ignored) : -1;
	if (fd < 0 || cg_wait_empty(fd, 0, &ignored) == 0)
		return;
	struct err *e = report_add(warnings, REPORT_WARNING);
	err_set(e, EBUSY,
		"processes are left in the cgroup %s: without a state nobody can say whether they are "
		"container \"%s\"'s",
		state->cgroup_path, state->id);
	err_hint(e, "if they are: echo 1 >%s%s/cgroup.kill", state->cgroup_mount, state->cgroup_path);
}

/* Its creator died before it wrote a state: then at most the cgroup of that name can be there. */
static int guess_state(struct arena *arena, const char *id, struct state **state)
{
	struct host host = {0};
	struct err ignored;
	const char *path;

	*state = arena_new(arena, struct state);
	(*state)->id = id;
	if (host_gather(&host, arena, HOST_USER | HOST_CGROUP | HOST_CONTROLLERS, &ignored) < 0)
		return 0;
	if (cg_path(arena, &host, CG_CGROUPFS, NULL, id, NULL, 0, &path, &ignored) == 0) {
		(*state)->cgroup_mount = host.cgroup_mount;
		(*state)->cgroup_path = path;
		(*state)->cgroup_made = 1;
	}
	return 0;
}

/* Before waiting for the lock: a creator that holds it lets go once its init is gone. */
static void kill_early(struct arena *arena, int dir_fd)
{
	struct state *state = NULL;
	struct err ignored;

	if (state_read(arena, dir_fd, &state, &ignored) < 0 || !state->pid)
		return;
	fd_auto int pidfd = state_pidfd(state);
	if (pidfd >= 0)
		sys_pidfd_send_signal(pidfd, SIGKILL, NULL, 0);
}

static int delete_locked(struct arena *arena, const char *id, int root_fd, int dir_fd, bool force,
	struct report *warnings, struct err *err)
{
	struct state *state = NULL;

	int r = state_read(arena, dir_fd, &state, err);
	if (r < 0 && r != -ENOENT && !force)
		return err_hint(err, "delete --force removes what it can find of the container");
	if (r < 0) {
		r = guess_state(arena, id, &state);
		if (r == 0)
			r = run_teardown(arena, root_fd, dir_fd, state, NULL, err);
		if (r == 0)
			tell_who_is_left(state, warnings);
		return r;
	}
	enum spec_status status = state_status(dir_fd, state);
	if (!force && (status == SPEC_STATUS_RUNNING || status == SPEC_STATUS_PAUSED)) {
		err_set(err, EBUSY, "cannot delete container \"%s\" that is not stopped: %s", id,
			spec_status_name(status));
		return err_hint(err, "stop it first, or use --force");
	}
	return run_teardown(arena, root_fd, dir_fd, state, warnings, err);
}

int run_delete(struct arena *arena, const char *root, const char *id, bool force, struct report *warnings,
	struct err *err)
{
	fd_auto int root_fd = -1;

	if (force) {
		struct err ignored;
		fd_auto int early = state_find(root, id, STATE_OWN, NULL, &ignored);
		if (early >= 0)
			kill_early(arena, early);
	}
	fd_auto int dir_fd = state_find(root, id, STATE_LOCK_EXCLUSIVE, &root_fd, err);
	if (dir_fd == -ENOENT && force)
		return 0;
	if (dir_fd < 0)
		return dir_fd;
	return delete_locked(arena, id, root_fd, dir_fd, force, warnings, err);
}

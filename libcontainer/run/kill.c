/*
 * kill.c - signals for a container (runtime.md, "Kill").
 *
 * No lock is taken: a creator or a delete that hangs must not keep a signal away. What makes that safe is
 * that no pid is ever trusted: init is named by a pidfd whose start time was compared, the others by their
 * cgroup.
 *
 * The words "container not running" and "does not exist" are part of the interface: containerd looks for
 * them.
 */
#include "libcontainer/run/kill.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/sys.h"
#include "libcontainer/cgroup/cgroup.h"
#include "libcontainer/state/state.h"

static int not_running(const char *id, enum spec_status status, struct err *err)
{
	err_set(err, ESRCH, "container not running: \"%s\" is %s", id, spec_status_name(status));
	return -ESRCH;
}

static int signal_init(const struct state *state, int sig, struct err *err)
{
	fd_auto int pidfd = state_pidfd(state);
	int r = pidfd < 0 ? pidfd : sys_pidfd_send_signal(pidfd, sig, NULL, 0);

	if (r == -ESRCH)
		return not_running(state->id, SPEC_STATUS_STOPPED, err);
	if (r < 0)
		return err_sys(err, r, "cannot send signal %d to container \"%s\"", sig, state->id);
	return 0;
}

/* -ENOENT: there is no cgroup, or nothing in it. */
static int signal_cgroup(struct arena *arena, const struct state *state, int sig, struct err *err)
{
	pid_t *pids = NULL;
	size_t count = 0;

	if (!state->cgroup_path)
		return -ENOENT;
	fd_auto int fd = cg_open(state->cgroup_mount, state->cgroup_path, err);
	if (fd < 0)
		return fd;
	int r = cg_pids(fd, arena, &pids, &count, err);
	if (r < 0)
		return r;
	if (count == 0)
		return -ENOENT;
	return sig == SIGKILL ? cg_kill(fd, err) : cg_signal_all(fd, arena, sig, err);
}

/*
 * Is init pid 1 of a pid namespace, which dies with it? The last number of "NSpid:" in /proc/PID/status is
 * its pid in its own namespace. Unknown counts as no.
 */
static bool is_first_of_namespace(pid_t pid)
{
	char path[32], text[4096];

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	if (fd_read_file(AT_FDCWD, path, text, sizeof(text)) < 0)
		return false;
	const char *line = strstr(text, "\nNSpid:");
	if (!line)
		return false;
	size_t length = strcspn(line + 1, "\n") + 1;
	return length > 2 && memcmp(line + length - 2, "\t1", 2) == 0;
}

static int signal_all(
	struct arena *arena, const struct state *state, enum spec_status status, int sig, struct err *err)
{
	int r = signal_cgroup(arena, state, sig, err);

	if (r != -ENOENT)
		return r;
	if (status == SPEC_STATUS_STOPPED)
		return not_running(state->id, status, err);
	return signal_init(state, sig, err); /* without a cgroup only init is known */
}

static int signal_one(
	struct arena *arena, const struct state *state, enum spec_status status, int sig, struct err *err)
{
	if (status == SPEC_STATUS_STOPPED)
		return not_running(state->id, status, err);
	bool rest_stays = sig == SIGKILL && !is_first_of_namespace(state->pid);
	int r = signal_init(state, sig, err);
	if (r == 0 && rest_stays)
		r = signal_cgroup(arena, state, sig, err);
	return r == -ENOENT ? 0 : r;
}

int run_kill(const char *root, const char *id, int sig, bool all, struct err *err)
{
	arena_auto struct arena arena = {0};
	struct state *state = NULL;

	fd_auto int dirfd = state_find(root, id, STATE_OWN, NULL, err);
	if (dirfd < 0)
		return dirfd;
	int r = arena_init(&arena, err);
	if (r < 0)
		return r;
	r = state_read(&arena, dirfd, &state, err);
	if (r < 0 && r != -ENOENT)
		return r;
	enum spec_status status = state_status(dirfd, state);
	if (!state || status == SPEC_STATUS_CREATING)
		return not_running(id, status, err);
	return all ? signal_all(&arena, state, status, sig, err)
		   : signal_one(&arena, state, status, sig, err);
}

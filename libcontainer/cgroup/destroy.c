/*
 * destroy.c - empty the container's cgroup and remove it, whatever state it is in.
 *
 * cgroup.kill reaches every process at once, forks included; a process leaves its cgroup a moment after that,
 * so removal waits for cgroup.events to say that nobody is left. A container may have made cgroups of its own
 * below, as deep as it liked: they are removed from the inside out by an fd that steps down and up, never by
 * a path and never by recursion.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "base/sys.h"
#include "libcontainer/cgroup/cgroup.h"
#include "libcontainer/cgroup/tree.h"

#define ROUNDS   100
#define ROUND_MS 20

/* The kernel kills whole domains only; here process by process, until no fork has escaped. */
static int kill_threaded(int cgroup_fd, struct err *err)
{
	arena_auto struct arena arena = {0};

	int r = arena_init(&arena, err);
	for (int round = 0; r == 0 && round < ROUNDS; round++) {
		r = cg_signal_all(cgroup_fd, &arena, SIGKILL, err);
		if (r == 0 && cg_wait_empty(cgroup_fd, ROUND_MS, NULL) == 0)
			break;
	}
	return r;
}

int cg_kill(int cgroup_fd, struct err *err)
{
	int r = fd_write_file(cgroup_fd, "cgroup.kill", "1");

	if (r == -EOPNOTSUPP)
		return kill_threaded(cgroup_fd, err);
	return r < 0 && r != -ENODEV ? err_sys(err, r, "cannot kill the processes of the cgroup") : 0;
}

int cg_wait_empty(int cgroup_fd, int timeout_ms, struct err *err)
{
	int64_t deadline = sys_now_ms() + timeout_ms;
	fd_auto int fd = openat(cgroup_fd, "cgroup.events", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT || errno == ENODEV ? 0
							  : err_sys(err, errno, "cannot open cgroup.events");
	for (;;) {
		char events[128];
		ssize_t n = pread(fd, events, sizeof(events) - 1, 0);
		if (n < 0 && errno == ENODEV)
			return 0; /* the cgroup is gone */
		if (n < 0)
			return err_sys(err, errno, "cannot read cgroup.events");
		events[n] = '\0';
		if (strstr(events, "populated 0"))
			return 0;
		int64_t left = deadline - sys_now_ms();
		if (left <= 0)
			return err_set(
				err, ETIMEDOUT, "processes are left in the cgroup after %d ms", timeout_ms);
		struct pollfd p = {.fd = fd, .events = POLLPRI};
		poll(&p, 1, (int)left);
	}
}

/* Remove each child that has none itself. Returns 1 and the name of one that could not be, 0, or -errno. */
static int remove_children(int fd, char busy[NAME_MAX + 1])
{
	struct tree_dir dir = {.fd = fd};
	char name[NAME_MAX + 1];
	int r, left = 0;

	while ((r = tree_next_child(&dir, name)) > 0) {
		if (unlinkat(fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
			continue;
		if (errno != EBUSY && errno != ENOTEMPTY)
			return -errno;
		left = 1;
		memcpy(busy, name, sizeof(name));
	}
	return r < 0 ? r : left;
}

/* Remove everything below: into a cgroup that has children, out of one that has none. */
static int remove_below(int cgroup_fd, int timeout_ms)
{
	fd_auto int at = openat(cgroup_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int64_t deadline = sys_now_ms() + timeout_ms;
	bool came_down = false;
	unsigned depth = 0;

	while (at >= 0) {
		char busy[NAME_MAX + 1];
		int r = remove_children(at, busy);
		if (r < 0 || (r == 0 && depth == 0))
			return r;
		if (r == 0 && came_down) { /* childless and yet not removed: a process is on its way out */
			if (sys_now_ms() > deadline)
				return -EBUSY;
			poll(NULL, 0, 1);
		}
		came_down = r > 0;
		depth += came_down ? 1 : -1u;
		int next = openat(
			at, came_down ? busy : "..", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0)
			return -errno;
		fd_close(&at);
		at = next;
	}
	return -errno;
}

int cg_destroy(const char *mount, const char *path, unsigned made, int timeout_ms, struct err *err)
{
	if (made && tree_remove_last(mount, path, made) == 0)
		return 0; /* the usual case: its processes are gone */
	fd_auto int fd = tree_open(mount, path, strlen(path), O_RDONLY);
	if (fd == -ENOENT || fd == -ENODEV)
		return 0;
	if (fd < 0)
		return err_sys(err, fd, "cannot open the cgroup %s", path);
	int r = cg_kill(fd, err);
	if (r == 0)
		r = cg_wait_empty(fd, timeout_ms, err);
	if (r < 0) {
		err_prefix(err, "cgroup %s", path);
		return r;
	}
	r = remove_below(fd, timeout_ms);
	if (r == 0 && made)
		r = tree_remove_last(mount, path, made);
	return r < 0 ? err_sys(err, r, "cannot remove the cgroup %s", path) : 0;
}

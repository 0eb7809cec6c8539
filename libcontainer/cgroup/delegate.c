/*
 * delegate.c - a cgroup for the container to manage, below the one that has its limits
 * (run.oci.delegate-cgroup).
 *
 * The container's cgroup can hand down controllers only when nobody is in it, so the process goes first; and
 * it can only now, since its cgroup namespace was to have the container's cgroup as its root.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "libcontainer/cgroup/cgroup.h"

#define WORDS_MAX 512 /* bytes of a list of controllers */

/* The next part of "/a/b"; false at its end. */
static bool next_part(const char **path, char name[NAME_MAX + 1])
{
	*path += strspn(*path, "/");
	size_t length = strcspn(*path, "/");

	if (length == 0 || length > NAME_MAX)
		return false;
	memcpy(name, *path, length);
	name[length] = '\0';
	*path += length;
	return true;
}

/* Returns the fd of the child, or -errno. */
static int step(int fd, const char *name, bool make)
{
	if (make && mkdirat(fd, name, 0755) < 0 && errno != EEXIST)
		return -errno;
	int child = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return child < 0 ? -errno : child;
}

/* One that refuses is not missed: whatever needs it has its limit above. */
static void hand_down_all(int fd)
{
	char available[WORDS_MAX], text[WORDS_MAX];

	if (fd_read_file(fd, "cgroup.controllers", available, sizeof(available)) < 0)
		return;
	for (const char *p = available; *(p += strspn(p, " \n")); p += strcspn(p, " \n")) {
		snprintf(text, sizeof(text), "+%.*s", (int)strcspn(p, " \n"), p);
		fd_write_file(fd, "cgroup.subtree_control", text);
	}
}

/* Down the path, to its last cgroup. With `hand_down` each on the way does that. */
static int walk(int cgroup_fd, const char *below, bool make, bool hand_down)
{
	char name[NAME_MAX + 1];
	fd_auto int fd = openat(cgroup_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	for (const char *p = below; next_part(&p, name);) {
		if (hand_down)
			hand_down_all(fd);
		int next = step(fd, name, make);
		if (next < 0)
			return next;
		fd_close(&fd);
		fd = next;
	}
	return fd_take(&fd);
}

int cg_delegate(int cgroup_fd, const char *below, pid_t pid, const uid_t *give, struct err *err)
{
	char text[16];

	fd_auto int last = walk(cgroup_fd, below, true, false);
	if (last < 0)
		return err_sys(err, last, "cannot make the cgroup %s below the container's", below);
	snprintf(text, sizeof(text), "%d", (int)pid);
	int r = fd_write_file(last, "cgroup.procs", text);
	if (r < 0)
		return err_sys(
			err, r, "cannot move the container's process to the cgroup %s below its own", below);
	fd_auto int again = walk(cgroup_fd, below, false, true);
	if (again < 0)
		return err_sys(err, again, "cannot open the cgroup %s below the container's", below);
	return give ? cg_give(last, *give, err) : 0;
}

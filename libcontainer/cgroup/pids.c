/*
 * pids.c - who is in the cgroup and below it, and a signal for all of them.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "base/sys.h"
#include "libcontainer/cgroup/cgroup.h"
#include "libcontainer/cgroup/tree.h"

struct pid_list {
	struct arena *arena;
	pid_t *pids;
	size_t count, room;
};

static void append(struct pid_list *list, pid_t pid)
{
	list->pids = arena_grow(list->arena, list->pids, sizeof(pid), list->count, &list->room, 64);
	list->pids[list->count++] = pid;
}

static bool contains(const struct pid_list *list, pid_t pid)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->pids[i] == pid)
			return true;
	return false;
}

/* Append what a file of this one cgroup says. Its lines may be cut anywhere by the end of a read. */
static int list_file(int cgroup_fd, const char *name, struct pid_list *list)
{
	char buf[4096];
	pid_t pid = 0;
	ssize_t n;

	fd_auto int fd = openat(cgroup_fd, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		for (ssize_t i = 0; i < n; i++) {
			if (buf[i] != '\n') {
				pid = pid * 10 + (buf[i] - '0');
				continue;
			}
			append(list, pid);
			pid = 0;
		}
	}
	return n == 0 || errno == ENODEV ? 0 : -errno; /* a removed one has none */
}

/* The process that a thread belongs to; 0 when it has ended. */
static pid_t process_of(pid_t thread)
{
	char path[32], text[512];

	snprintf(path, sizeof(path), "/proc/%d/status", (int)thread);
	fd_auto int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n < 0)
		return 0;
	text[n] = '\0';
	const char *line = strstr(text, "\nTgid:");
	return line ? (pid_t)strtol(line + strlen("\nTgid:"), NULL, 10) : 0;
}

/* cgroup.procs is for the domain that a threaded cgroup belongs to, and that may be above the container's. */
static int list_threads(int cgroup_fd, struct pid_list *list)
{
	struct pid_list threads = {.arena = list->arena};

	int r = list_file(cgroup_fd, "cgroup.threads", &threads);
	for (size_t i = 0; i < threads.count; i++) {
		pid_t pid = process_of(threads.pids[i]);
		if (pid && !contains(list, pid))
			append(list, pid);
	}
	return r;
}

static int list_one(int cgroup_fd, void *context)
{
	int r = list_file(cgroup_fd, "cgroup.procs", context);

	return r == -EOPNOTSUPP ? list_threads(cgroup_fd, context) : r;
}

int cg_pids(int cgroup_fd, struct arena *arena, pid_t **pids, size_t *count, struct err *err)
{
	struct pid_list list = {.arena = arena};

	int r = tree_visit(cgroup_fd, list_one, &list);
	if (r < 0)
		return err_sys(err, r, "cannot list the processes of the cgroup");
	*pids = list.pids;
	*count = list.count;
	return 0;
}

#define BATCH 128 /* pidfds open at a time */

struct signal_job {
	struct arena *arena;
	int sig;
};

/*
 * Open pidfds, then ask again who is in the cgroup: a pid that is still listed belongs to the process its
 * pidfd holds, or to none that can be hit by mistake any more.
 */
static int signal_batch(int cgroup_fd, const struct signal_job *job, const pid_t *pids, size_t count)
{
	struct pid_list members = {.arena = job->arena};
	int fds[BATCH], r, result = 0;

	for (size_t i = 0; i < count; i++)
		fds[i] = sys_pidfd_open(pids[i], 0);
	r = list_one(cgroup_fd, &members);
	for (size_t i = 0; i < count; i++) {
		if (fds[i] < 0)
			continue; /* it is gone; or a thread of another pid namespace, listed as 0 */
		if (r == 0 && contains(&members, pids[i])) {
			int sent = sys_pidfd_send_signal(fds[i], job->sig, NULL, 0);
			if (sent < 0 && sent != -ESRCH)
				result = sent;
		}
		fd_close(&fds[i]);
	}
	return r < 0 ? r : result;
}

static int signal_one(int cgroup_fd, void *context)
{
	const struct signal_job *job = context;
	struct pid_list list = {.arena = job->arena};

	int r = list_one(cgroup_fd, &list);
	for (size_t i = 0; r == 0 && i < list.count; i += BATCH)
		r = signal_batch(
			cgroup_fd, job, list.pids + i, list.count - i < BATCH ? list.count - i : BATCH);
	return r;
}

int cg_signal_all(int cgroup_fd, struct arena *arena, int sig, struct err *err)
{
	struct signal_job job = {.arena = arena, .sig = sig};

	int r = tree_visit(cgroup_fd, signal_one, &job);
	return r < 0 ? err_sys(err, r, "cannot send signal %d to the processes of the cgroup", sig) : 0;
}

int cg_of(pid_t pid, struct arena *arena, const char **path)
{
	char file[32], text[8192];

	snprintf(file, sizeof(file), "/proc/%d/cgroup", (int)pid);
	ssize_t length = fd_read_file(AT_FDCWD, file, text, sizeof(text));
	if (length < 0)
		return (int)length;
	const char *line = str_starts(text, "0::/") ? text : strstr(text, "\n0::/");
	if (!line)
		return -ENOENT;
	const char *found = strchr(line, '/');
	*path = arena_memdup(arena, found, strcspn(found, "\n"));
	return 0;
}

/*
 * lock.c - mounts that hold against root in the container. Runs in init, once all mounts stand.
 *
 * Whoever has CAP_SYS_ADMIN in the user namespace that owns a mount namespace may take away what is mounted
 * there, and any flag of it: a mask, or "ro". But the kernel locks all of it in a copy of a mount namespace
 * that goes to another user namespace (mount_namespaces(7), "Restrictions on mount namespaces"), and what is
 * locked stays so when it is copied back. So the mounts go once there and back: a process in a user namespace
 * that exists for this only has a copy of them, which init enters, and which it copies. Needs no privilege
 * over the host.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "libcontainer/init/init.h"

#define STACK_SIZE 16384

struct copy {
	int proc_fd;
	int fd; /* of the copied mount namespace, or -errno */
};

/* Shares init's memory and fds, while init waits. */
static int open_copy(void *data)
{
	struct copy *copy = data;

	copy->fd = openat(copy->proc_fd, "self/ns/mnt", O_RDONLY | O_CLOEXEC);
	if (copy->fd < 0)
		copy->fd = -errno;
	_exit(0);
}

static int refused(struct init *in, int error, const char *what)
{
	static const char hint[] =
		"raise it; nothing needs to be locked where CAP_SYS_ADMIN is not in the bounding set";

	init_detail(in, error, what);
	if (error == -ENOSPC)
		return init_cause(in, error,
			"user.max_user_namespaces or user.max_mnt_namespaces is reached, here or in a user "
			"namespace above",
			hint);
	if (error == -EAGAIN)
		return init_cause(
			in, error, "a limit of processes is reached: pids.max, or RLIMIT_NPROC", hint);
	return error;
}

int init_lock_mounts(struct init *in, int proc_fd)
{
	_Alignas(16) char stack[STACK_SIZE];
	struct copy copy = {.proc_fd = proc_fd, .fd = -ECHILD};

	int pid = clone(open_copy, stack + sizeof(stack),
		CLONE_VM | CLONE_VFORK | CLONE_FILES | CLONE_NEWUSER | CLONE_NEWNS, &copy);
	if (pid < 0)
		return refused(in, -errno, "making a user namespace, for a moment, to lock the mounts");
	while (waitpid(pid, NULL, __WALL) < 0 && errno == EINTR)
		;
	fd_auto int fd = copy.fd;
	if (fd < 0)
		return init_detail(in, fd, "opening the copy of the mounts");
	if (setns(fd, CLONE_NEWNS) < 0)
		return init_detail(in, -errno, "entering the copy of the mounts");
	return unshare(CLONE_NEWNS) < 0 ? refused(in, -errno, "copying the mounts back") : 0;
}

/*
 * protect.c - see protect.h.
 */
#include "libcontainer/run/protect.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sys.h"
#include "libcontainer/run/remap.h"

#define SELF "/proc/self/exe"

static bool is_sealed(int fd)
{
	int seals = fcntl(fd, F_GET_SEALS);

	return seals >= 0 && (seals & (F_SEAL_WRITE | F_SEAL_SHRINK)) == (F_SEAL_WRITE | F_SEAL_SHRINK);
}

/* Without privileges over the host: a file of somebody else that we may not write, nobody we start may write.
 */
static bool is_beyond_our_rights(int fd)
{
	struct stat st;

	return geteuid() != 0 && fstat(fd, &st) == 0 && st.st_uid != geteuid() && access(SELF, W_OK) < 0;
}

static int is_protected(struct err *err)
{
	struct statvfs st;
	fd_auto int fd = open(SELF, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(err, errno, "cannot open " SELF);
	if (fstatvfs(fd, &st) < 0)
		return err_sys(err, errno, "cannot look at " SELF);
	if ((st.f_flag & ST_RDONLY) || is_sealed(fd) || is_beyond_our_rights(fd))
		return 0;
	err_set(err, EPERM, "this process could be written to from inside a container (CVE-2019-5736)");
	return err_hint(err, "a program that uses libcontainer calls crt_protect() first");
}

/* The same file through a mount of its own, read-only for good: it is in no namespace, so nobody can remount
 * it. */
static int read_only_mount(void)
{
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY};
	fd_auto int fd = sys_open_tree(AT_FDCWD, SELF, OPEN_TREE_CLONE);

	if (fd < 0)
		return fd;
	int r = sys_mount_setattr(fd, "", AT_EMPTY_PATH, &attr);
	return r < 0 ? r : fd_take(&fd);
}

/* For a user without that privilege who owns the file: a copy that nobody can change. */
static int sealed_copy(void)
{
	fd_auto int from = open(SELF, O_RDONLY | O_CLOEXEC);
	fd_auto int to = memfd_create("crt", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	ssize_t n;

	if (from < 0 || to < 0)
		return -errno;
	while ((n = sendfile(to, from, NULL, 1 << 20)) > 0)
		;
	if (n < 0 || fchmod(to, 0500) < 0)
		return -errno;
	if (fcntl(to, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
		return -errno;
	return fd_take(&to);
}

/* Run from there without executing anything: a quarter of what a start costs. */
static int become(int place, char *const argv[])
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", place); /* a mount's fd is one that cannot be read */
	fd_auto int fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : run_remap(fd, argv);
}

int run_protect(char *const argv[], int *mount_fd, struct err *err)
{
	if (is_protected(argv ? NULL : err) == 0)
		return 0;
	if (!argv)
		return -EPERM;
	fd_auto int fd = read_only_mount();
	if (fd < 0)
		fd = sealed_copy();
	if (fd < 0)
		return err_sys(err, fd, "cannot make this program's file read-only for containers");
	if (become(fd, argv) == 0) {
		if (mount_fd)
			*mount_fd = fd_take(&fd);
		return 0;
	}
	int r = sys_execveat(fd, "", argv, environ, AT_EMPTY_PATH);
	return err_sys(err, r, "cannot execute this program again from a read-only mount");
}

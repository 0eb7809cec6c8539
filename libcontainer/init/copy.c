/*
 * copy.c - see copy.h.
 */
#include "libcontainer/init/copy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"

#define DEPTH_MAX 64

struct kernel_dirent { /* struct linux_dirent64 of getdents64(2) */
	uint64_t ino;
	int64_t off;
	unsigned short reclen;
	unsigned char type;
	char name[];
};

static int copy_directory(int from_fd, int to_fd, int depth);

static int copy_regular(int from_dir, int to_dir, const char *name, mode_t mode)
{
	fd_auto int from = openat(from_dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	fd_auto int to = openat(
		to_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode & 07777);
	struct stat st;
	ssize_t n;

	if (from < 0 || to < 0 || fstat(from, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -ESTALE; /* exchanged since we looked, for a device or a fifo */
	while ((n = sendfile(to, from, NULL, 1 << 20)) > 0)
		;
	return n < 0 ? -errno : 0;
}

static int copy_link(int from_dir, int to_dir, const char *name)
{
	char target[PATH_MAX];

	ssize_t n = readlinkat(from_dir, name, target, sizeof(target) - 1);
	if (n < 0)
		return -errno;
	target[n] = '\0';
	return symlinkat(target, to_dir, name) < 0 ? -errno : 0;
}

static int copy_subdirectory(int from_dir, int to_dir, const char *name, mode_t mode, int depth)
{
	fd_auto int from = openat(from_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (from < 0)
		return -errno;
	if (mkdirat(to_dir, name, mode & 07777) < 0)
		return -errno;
	fd_auto int to = openat(to_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (to < 0)
		return -errno;
	return copy_directory(from, to, depth + 1);
}

static int copy_entry(int from_dir, int to_dir, const char *name, int depth)
{
	struct stat st;
	int r;

	if (fstatat(from_dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	switch (st.st_mode & S_IFMT) {
	case S_IFDIR:
		r = copy_subdirectory(from_dir, to_dir, name, st.st_mode, depth);
		break;
	case S_IFREG:
		r = copy_regular(from_dir, to_dir, name, st.st_mode);
		break;
	case S_IFLNK:
		r = copy_link(from_dir, to_dir, name);
		break;
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
		r = mknodat(to_dir, name, st.st_mode, st.st_rdev) < 0 ? -errno : 0;
		break;
	default:
		return 0;
	}
	if (r < 0)
		return r;
	if (fchownat(to_dir, name, st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	/* chown clears the set-id bits */
	if (!S_ISLNK(st.st_mode) && (st.st_mode & 06000) && fchmodat(to_dir, name, st.st_mode & 07777, 0) < 0)
		return -errno;
	struct timespec times[2] = {st.st_atim, st.st_mtim};
	return utimensat(to_dir, name, times, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

static int copy_directory(int from_fd, int to_fd, int depth)
{
	_Alignas(struct kernel_dirent) char entries[8192];
	long n;

	if (depth > DEPTH_MAX)
		return -ELOOP;
	while ((n = syscall(SYS_getdents64, from_fd, entries, sizeof(entries))) > 0) {
		for (long at = 0; at < n;) {
			const struct kernel_dirent *e = (const struct kernel_dirent *)(entries + at);
			at += e->reclen;
			if (str_eq(e->name, ".") || str_eq(e->name, ".."))
				continue;
			int r = copy_entry(from_fd, to_fd, e->name, depth);
			if (r < 0)
				return r;
		}
	}
	return n < 0 ? -errno : 0;
}

int init_copy_tree(int from_fd, int to_fd)
{
	/* Both may be O_PATH handles (of the covered directory and of a detached mount); reading needs real
	 * ones. */
	fd_auto int from = openat(from_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fd_auto int to = openat(to_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (from < 0 || to < 0)
		return -errno;
	return copy_directory(from, to, 0);
}

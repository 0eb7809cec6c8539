/*
 * proc.c - writing to procfs where it matters that it is procfs: sysctls, and what this process is labelled
 * with. Runs in init.
 *
 * A file of that name elsewhere, or another file of procfs mounted over it, would turn the write into nothing
 * or into something else (CVE-2019-16884, CVE-2025-52881).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "base/sys.h"
#include "libcontainer/init/init.h"

#define PROC_ROOT_INODE 1

/* Mounted nowhere, so that nothing can be mounted over its files. */
static int private_procfs(void)
{
	fd_auto int fs = sys_fsopen("proc");

	if (fs < 0)
		return fs;
	int r = sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
	return r < 0 ? r : sys_fsmount(fs, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
}

/*
 * In a user namespace the kernel makes no new procfs while parts of the one there are masked. That one will
 * do: its root is the root of a procfs, and no path is followed out of it.
 */
static int container_procfs(struct init *in)
{
	fd_auto int own_root = in->root_fd < 0 ? open("/", O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	fd_auto int fd = path_open(in->root_fd < 0 ? own_root : in->root_fd, "/proc", O_PATH | O_DIRECTORY);
	struct statfs fs;
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstatfs(fd, &fs) < 0 || fstat(fd, &st) < 0)
		return -errno;
	return fs.f_type == PROC_SUPER_MAGIC && st.st_ino == PROC_ROOT_INODE ? fd_take(&fd) : -EXDEV;
}

int init_procfs(struct init *in)
{
	if (in->proc_fd >= 0)
		return 0;
	in->proc_fd = private_procfs();
	if (in->proc_fd == -EPERM || in->proc_fd == -EBUSY)
		in->proc_fd = container_procfs(in);
	if (in->proc_fd >= 0)
		return 0;
	int r = in->proc_fd;
	in->proc_fd = -1;
	return init_detail(
		in, r, r == -EXDEV ? "what is on /proc is not a procfs" : "making a private procfs");
}

int init_write_proc(struct init *in, const char *path, const char *text, const char *if_missing)
{
	struct statfs st;

	int r = init_procfs(in);
	if (r < 0)
		return r;
	fd_auto int fd = sys_openat2(in->proc_fd, path, O_WRONLY, 0,
		RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
	if (fd < 0)
		return init_detail(in, fd, fd == -ENOENT ? if_missing : "opening it");
	if (fstatfs(fd, &st) < 0)
		return -errno;
	if (st.f_type != PROC_SUPER_MAGIC)
		return init_detail(in, -EXDEV, "not a file of procfs");
	return write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

int init_write_attr(struct init *in, const char *file, const char *text)
{
	char path[64];
	struct str_buf b;

	/* By number: "self" is a link, and links are not followed. */
	str_buf_init(&b, path, sizeof(path));
	str_buf_add(&b, "%d/attr/%s", (int)getpid(), file);
	int r = init_write_proc(in, path, text, "the security module is not active on this host");
	return r == -EINVAL ? init_detail(in, r,
				      "the security module is not active on this host, or does not know it")
			    : r;
}

int init_label(struct init *in, const struct plan_op *op)
{
	return init_write_attr(in, op->label.file, op->label.text);
}

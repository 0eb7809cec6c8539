/*
 * path.c - paths of the finished rootfs that are hidden or made read-only, and sysctls. Runs in init.
 *
 * After all mounts, before pivot_root: the host's /dev/null must still be in reach, since the container's own
 * may be anything by now (CVE-2025-31133).
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/sys.h"
#include "libcontainer/init/init.h"

/* The host's null device, and nothing that only has its name. */
static int open_null(struct init *in)
{
	fd_auto int fd = open("/dev/null", O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return init_detail(in, -errno, "opening the host's /dev/null");
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3))
		return init_detail(in, -ENXIO, "the host's /dev/null is not the null device");
	in->null_fd = fd_take(&fd);
	return 0;
}

/* Read-only, or root in the container could change mode, owner and times of the host's own device. */
static int mask_file(struct init *in, int target_fd)
{
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC};

	if (in->null_fd < 0) {
		int r = open_null(in);
		if (r < 0)
			return r;
	}
	fd_auto int mask = sys_open_tree(in->null_fd, "", OPEN_TREE_CLONE | AT_EMPTY_PATH);
	if (mask < 0)
		return init_detail(in, mask, "cloning the mount of /dev/null");
	int r = sys_mount_setattr(mask, "", AT_EMPTY_PATH, &attr);
	return r < 0 ? init_call(in, r, "mount_setattr") : sys_move_onto(mask, target_fd);
}

static int new_mask_directory(void)
{
	fd_auto int fs = sys_fsopen("tmpfs");

	if (fs < 0)
		return fs;
	int r = sys_fsconfig(fs, FSCONFIG_SET_STRING, "source", "tmpfs", 0);
	if (r == 0)
		r = sys_fsconfig(fs, FSCONFIG_SET_STRING, "mode", "0555", 0);
	if (r == 0)
		r = sys_fsconfig(fs, FSCONFIG_SET_STRING, "nr_blocks", "1", 0);
	if (r == 0)
		r = sys_fsconfig(fs, FSCONFIG_SET_STRING, "nr_inodes", "1", 0);
	if (r == 0)
		r = sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
	if (r < 0)
		return r;
	return sys_fsmount(fs, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
}

/* One tmpfs serves all masked directories: a superblock each is what makes many containers slow (runc#5262).
 */
static int mask_directory(struct init *in, int target_fd)
{
	if (in->mask_fd >= 0) {
		/* KERNEL < 6.15: only a mount that is attached can be cloned; by now the first one is. */
		fd_auto int mask = sys_open_tree(in->mask_fd, "", OPEN_TREE_CLONE | AT_EMPTY_PATH);
		if (mask < 0)
			return init_detail(in, mask, "cloning the mask");
		return sys_move_onto(mask, target_fd);
	}
	fd_auto int mask = new_mask_directory();
	if (mask < 0)
		return init_detail(in, mask, "making an empty tmpfs");
	int r = sys_move_onto(mask, target_fd);
	if (r == 0)
		in->mask_fd = fd_take(&mask);
	return r;
}

/* What does not exist needs no cover; any other failure is fatal, or the path would stay in the open. */
static int open_existing(struct init *in, const char *path)
{
	int fd = path_open(in->root_fd, path, O_PATH);

	return fd == -ENOTDIR ? -ENOENT : fd;
}

int init_mask_path(struct init *in, const struct plan_op *op)
{
	fd_auto int target = open_existing(in, op->mask_path.path);
	struct stat st;

	if (target < 0)
		return target == -ENOENT ? 0 : target;
	if (fstat(target, &st) < 0)
		return -errno;
	return S_ISDIR(st.st_mode) ? mask_directory(in, target) : mask_file(in, target);
}

int init_readonly_path(struct init *in, const struct plan_op *op)
{
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY};
	fd_auto int target = open_existing(in, op->readonly_path.path);

	if (target < 0)
		return target == -ENOENT ? 0 : target;
	fd_auto int tree = sys_open_tree(target, "", OPEN_TREE_CLONE | AT_EMPTY_PATH | AT_RECURSIVE);
	if (tree < 0)
		return init_detail(in, tree, "cloning it");
	int r = sys_mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr);
	if (r < 0)
		return init_call(in, r, "mount_setattr");
	return sys_move_onto(tree, target);
}

int init_open_procfs(struct init *in, const struct plan_op *op)
{
	(void)op;
	int r = init_procfs(in);
	in->keep_proc = r == 0;
	return r;
}

int init_sysctl(struct init *in, const struct plan_op *op)
{
	return init_write_proc(in, op->sysctl.path, op->sysctl.value, "the kernel has no such sysctl here");
}

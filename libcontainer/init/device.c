/*
 * device.c - device nodes and the symbolic links in /dev. Runs in init.
 *
 * Made by name in a directory that was resolved to an fd inside the root, so that a /dev that is a symbolic
 * link leads nowhere else (CVE-2026-47766).
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "base/sys.h"
#include "libcontainer/init/init.h"

static bool is_device(const struct stat *st, const struct plan_op *op)
{
	if ((st->st_mode & S_IFMT) != (op->make_device.mode & S_IFMT))
		return false;
	return S_ISFIFO(st->st_mode) || st->st_rdev == makedev(op->make_device.major, op->make_device.minor);
}

/*
 * The directory that `path` is made in, which is mostly that of the operation before: what cannot have
 * changed since then is not looked up again. The fd is init's.
 */
static int open_directory(struct init *in, const char *path, const char **name)
{
	struct init_directory *last = &in->directory;
	const char *slash = strrchr(path, '/');
	size_t length = slash ? (size_t)(slash - path) + 1 : 0;

	if (last->fd >= 0 && last->operation + 1 == in->message.operation && length == last->length &&
		memcmp(path, last->path, length) == 0) {
		last->operation++;
		*name = path + length;
		return last->fd;
	}
	fd_close(&last->fd);
	int fd = path_make_parent(in->root_fd, path, 0755, name);
	*last = (struct init_directory){
		.fd = fd < 0 ? -1 : fd, .path = path, .length = length, .operation = in->message.operation};
	return fd;
}

static int make_node(struct init *in, const struct plan_op *op)
{
	dev_t number = makedev(op->make_device.major, op->make_device.minor);
	const char *name;
	struct stat st;
	int dir = open_directory(in, op->make_device.path, &name);

	if (dir < 0)
		return init_detail(in, dir, "opening its directory");
	if (mknodat(dir, name, op->make_device.mode, number) < 0) {
		if (errno != EEXIST)
			return -errno;
		if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return -errno;
		if (!is_device(&st, op))
			return init_detail(in, -EEXIST, "something else has that name");
	}
	if (!op->make_device.uid && !op->make_device.gid)
		return 0;
	return fchownat(dir, name, op->make_device.uid, op->make_device.gid, AT_SYMLINK_NOFOLLOW) < 0 ? -errno
												      : 0;
}

/*
 * In a user namespace nobody may make a device; the host's own node is mounted instead, after a look at it.
 * Read-only: that keeps nobody from writing to the device, but from changing the mode and owner of the host's
 * node, which are theirs to change where the host's root is mapped.
 */
static int bind_node(struct init *in, const struct plan_op *op)
{
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC};
	fd_auto int source = sys_open_tree(
		AT_FDCWD, op->make_device.path, OPEN_TREE_CLONE | AT_SYMLINK_NOFOLLOW);
	struct stat st;

	if (source < 0)
		return init_detail(in, source, "opening the host's");
	if (fstat(source, &st) < 0)
		return -errno;
	if (!is_device(&st, op))
		return init_detail(in, -ENXIO, "the host's has another type or number");
	int r = sys_mount_setattr(source, "", AT_EMPTY_PATH, &attr);
	if (r < 0)
		return init_call(in, r, "mount_setattr");
	fd_auto int target = path_make(in->root_fd, op->make_device.path, PATH_FILE, 0755, NULL);
	if (target < 0)
		return init_detail(in, target, "making a file to mount it on");
	return sys_move_onto(source, target);
}

int init_make_device(struct init *in, const struct plan_op *op)
{
	return op->make_device.bind ? bind_node(in, op) : make_node(in, op);
}

int init_make_symlink(struct init *in, const struct plan_op *op)
{
	const char *name;
	char target[64];
	int dir = open_directory(in, op->make_symlink.path, &name);

	if (dir < 0)
		return init_detail(in, dir, "opening its directory");
	if (symlinkat(op->make_symlink.target, dir, name) == 0)
		return 0;
	if (errno != EEXIST)
		return -errno;
	ssize_t n = readlinkat(dir, name, target, sizeof(target) - 1);
	if (n >= 0) {
		target[n] = '\0';
		if (str_eq(target, op->make_symlink.target))
			return 0;
	}
	if (!op->make_symlink.replace)
		return 0; /* the image, or a mount, has its own idea of it */
	if (unlinkat(dir, name, 0) < 0)
		return -errno;
	return symlinkat(op->make_symlink.target, dir, name) < 0 ? -errno : 0;
}

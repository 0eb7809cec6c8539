/*
 * change.c - mounts of a container that runs. Runs in a process that has entered its mount namespace, for
 * `mounts add` and `mounts remove`.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "base/sys.h"
#include "libcontainer/init/init.h"

/* Whoever enters a mount namespace stands at its root. */
int init_open_root(struct init *in, const struct plan_op *op)
{
	(void)op;
	in->root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return in->root_fd < 0 ? -errno : 0;
}

/*
 * No symbolic link is followed: the container could have made one that leads to a mask, and have that taken
 * away. What is unmounted may be in use: it goes when nobody uses it any more.
 */
int init_unmount(struct init *in, const struct plan_op *op)
{
	char path[PATH_MAX];

	if (path_clean(op->unmount.path, path, sizeof(path)) < 0)
		return -ENAMETOOLONG;
	char *name = strrchr(path, '/');
	if (!name[1])
		return init_detail(in, -EBUSY, "this is the root");
	*name++ = '\0';
	fd_auto int parent = sys_openat2(in->root_fd, *path ? path : ".", O_PATH | O_DIRECTORY, 0,
		RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS);
	if (parent == -ELOOP)
		return init_detail(in, parent, "name it without symbolic links");
	if (parent < 0)
		return init_detail(in, parent, "opening the folder it is in");
	if (fchdir(parent) < 0)
		return init_detail(in, -errno, "fchdir");
	if (umount2(name, MNT_DETACH | UMOUNT_NOFOLLOW) < 0)
		return errno == EINVAL ? init_detail(in, -errno, "nothing is mounted there, or it is locked")
				       : -errno;
	return 0;
}

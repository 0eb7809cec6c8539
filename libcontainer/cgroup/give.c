/*
 * give.c - the container's root owns the container's cgroup, where it may write to it (config-linux.md,
 * "Cgroup ownership"). Only the files that the kernel says may be given away: the limits stay ours.
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

#define DELEGATE "/sys/kernel/cgroup/delegate"
#define KEEP_GID ((gid_t)-1)

int cg_give(int cgroup_fd, uid_t uid, struct err *err)
{
	char text[4096] =
		"cgroup.procs\ncgroup.subtree_control\ncgroup.threads\n"; /* as the specification has it */
	char name[NAME_MAX + 1];

	int r = (int)fd_read_file(AT_FDCWD, DELEGATE, text, sizeof(text));
	if (r < 0 && r != -ENOENT)
		return err_sys(err, r, "cannot read " DELEGATE);
	if (fchown(cgroup_fd, uid, KEEP_GID) < 0)
		return err_sys(err, errno, "cannot give the cgroup to user %u", uid);
	for (const char *p = text; *p; p += strcspn(p, "\n"), p += *p == '\n') {
		int n = snprintf(name, sizeof(name), "%.*s", (int)strcspn(p, "\n"), p);
		if (n <= 0 || strchr(name, '/'))
			continue;
		if (fchownat(cgroup_fd, name, uid, KEEP_GID, AT_SYMLINK_NOFOLLOW) < 0 && errno != ENOENT)
			return err_sys(err, errno, "cannot give the cgroup's %s to user %u", name, uid);
	}
	return 0;
}

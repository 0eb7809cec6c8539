/*
 * self.c - containers inside the cgroup of the unit that crt runs in (--cgroup-manager self).
 *
 * The unit must have been given its cgroup (Delegate=yes, systemd.resource-control(5)): then what is below it
 * is ours, and `systemctl status`, `stop` and the unit's limits cover the containers, too. A cgroup with
 * processes of its own cannot hand down controllers, so the unit's processes, crt among them, move into a
 * cgroup below it first. That is for good: the unit keeps this shape until it ends, and a second crt in it
 * finds it so.
 */
#include "libcontainer/cgroup/self.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"
#include "libcontainer/cgroup/cgroup.h"
#include "libcontainer/cgroup/tree.h"

#define ROUNDS 64 /* a process that forks while it is moved may leave a child behind: look again */

static int explain(const char *unit, const char *what, int errnum, struct err *err)
{
	err_sys(err, errnum, "cannot split the cgroup %s: %s", unit, what);
	if (errnum == -EACCES || errnum == -EPERM || errnum == -EROFS)
		return err_hint(err, "it is not this user's: the unit needs Delegate=yes");
	if (errnum == -EOPNOTSUPP)
		return err_hint(err, "it is threaded");
	return errnum;
}

/* Move those that one read of cgroup.procs names, whole lines only. Returns how many there were, or -errno.
 */
static int move_once(int from, int to)
{
	char text[4096];
	int count = 0;

	fd_auto int fd = openat(from, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n < 0)
		return -errno;
	text[n] = '\0';
	for (char *p = text, *end; (end = strchr(p, '\n')); p = end + 1) {
		*end = '\0';
		int r = fd_write_file(to, "cgroup.procs", p);
		if (r < 0 && r != -ESRCH)
			return r;
		count++;
	}
	return count;
}

/* Returns an fd or -errno. */
static int make_supervisor(int fd)
{
	if (mkdirat(fd, CG_SUPERVISOR, 0755) < 0 && errno != EEXIST)
		return -errno;
	int child = openat(fd, CG_SUPERVISOR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return child < 0 ? -errno : child;
}

/* systemd marks what it has given away; root could take the rest, too, and would be in its way. */
static int check_given(int fd, const char *unit, struct err *err)
{
	char mark[2];

	if (geteuid() != 0 || fgetxattr(fd, "user.delegate", mark, sizeof(mark)) > 0 ||
		fgetxattr(fd, "trusted.delegate", mark, sizeof(mark)) > 0 ||
		access("/run/systemd/system", F_OK) < 0)
		return 0;
	err_set(err, EPERM, "the cgroup %s is systemd's own", unit);
	return err_hint(err, "the unit needs Delegate=yes; or use another --cgroup-manager");
}

int cg_split(const char *mount, const char *unit, struct err *err)
{
	int moved = 1;

	fd_auto int fd = tree_open(mount, unit, strlen(unit), O_RDONLY);
	if (fd < 0)
		return explain(unit, "opening it", fd, err);
	int given = check_given(fd, unit, err);
	if (given < 0)
		return given;
	fd_auto int supervisor = make_supervisor(fd);
	if (supervisor < 0)
		return explain(unit, "making a cgroup below it", supervisor, err);
	for (int round = 0; moved > 0 && round < ROUNDS; round++)
		moved = move_once(fd, supervisor);
	return moved < 0 ? explain(unit, "moving its processes to " CG_SUPERVISOR, moved, err) : 0;
}

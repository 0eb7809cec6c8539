/*
 * freeze.c - stop every process of a cgroup where it is, and let them go on (cgroup-v2, "cgroup.freeze").
 *
 * Writing to the file only asks; cgroup.events says when every process has stopped. One in an uninterruptible
 * wait (a dead NFS server, a FUSE file system whose server is frozen with it) may keep the kernel from that
 * for ever, so there is a deadline.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sys.h"
#include "libcontainer/cgroup/cgroup.h"

bool cg_wants_freeze(int cgroup_fd)
{
	char text[8];

	return fd_read_file(cgroup_fd, "cgroup.freeze", text, sizeof(text)) > 0 && text[0] == '1';
}

static int write_freeze(int cgroup_fd, bool freeze, struct err *err)
{
	int r = fd_write_file(cgroup_fd, "cgroup.freeze", freeze ? "1" : "0");

	if (r == -ENODEV || r == -ENOENT)
		return err_set(err, ESRCH, "container not running: its cgroup is gone");
	return r < 0 ? err_sys(err, r, "cannot write cgroup.freeze") : 0;
}

int cg_freeze(int cgroup_fd, bool freeze, int timeout_ms, struct err *err)
{
	const char *wanted = freeze ? "frozen 1" : "frozen 0";
	int64_t deadline = sys_now_ms() + timeout_ms;

	fd_auto int events = openat(cgroup_fd, "cgroup.events", O_RDONLY | O_CLOEXEC);
	if (events < 0)
		return err_sys(err, errno, "cannot open cgroup.events");
	int r = write_freeze(cgroup_fd, freeze, err);
	while (r == 0) {
		char text[128];
		ssize_t n = pread(events, text, sizeof(text) - 1, 0);
		if (n < 0)
			return err_set(err, ESRCH, "container not running: its cgroup is gone");
		text[n] = '\0';
		if (strstr(text, wanted))
			return 0;
		if (strstr(text, "populated 0"))
			return err_set(err, ESRCH, "container not running: its last process has ended");
		int64_t left = deadline - sys_now_ms();
		if (left <= 0) {
			err_set(err, ETIMEDOUT, "not every process %s after %d ms",
				freeze ? "has stopped" : "goes on", timeout_ms);
			return err_hint(err,
				freeze ? "a process in state D waits for a device or a network file system"
				       : "a cgroup above is frozen, and has to be thawed first");
		}
		struct pollfd p = {.fd = events, .events = POLLPRI};
		poll(&p, 1, (int)left);
	}
	return r;
}

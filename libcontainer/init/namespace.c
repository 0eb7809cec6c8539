/*
 * namespace.c - from a fresh clone to a process that is at home in its namespaces. Runs in init.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sys.h"
#include "libcontainer/init/init.h"

/* In a new user namespace the creator holds every capability, but is nobody until it takes a mapped id. */
int init_become_root(struct init *in, const struct plan_op *op)
{
	int r = sys_setresgid(op->become_root.gid);
	if (r < 0)
		return init_call(in, r, "setresgid");
	r = sys_setresuid(op->become_root.uid);
	return r < 0 ? init_call(in, r, "setresuid") : 0;
}

/* The smallest fd above `fd` that init still needs; INT_MAX when there is none. */
static int next_needed_fd(const struct init *in, int fd)
{
	int next = INT_MAX;

	if (in->socket > fd)
		next = in->socket;
	for (uint32_t i = 0; i < in->plan->slots; i++)
		if (in->plan->fds[i] > fd && in->plan->fds[i] < next)
			next = in->plan->fds[i];
	return next;
}

/*
 * Out of reach before anything else happens: no terminal of the caller (TIOCSTI, CVE-2016-10124), no ptrace
 * by who is already in the container (CVE-2016-9962), and no fd of the host but those the plan needs, because
 * not being dumpable is not enough (CVE-2026-46333). Not before the id mappings: /proc/PID/uid_map of a
 * process that is not dumpable belongs to root.
 */
int init_hide(struct init *in, const struct plan_op *op)
{
	setsid();
	sys_default_signals();
	umask(0);
	if (prctl(PR_SET_DUMPABLE, op->hide.visible, 0, 0, 0) < 0)
		return -errno;
	int from = 3 + (int)op->hide.preserve;
	for (int needed = next_needed_fd(in, from - 1);; needed = next_needed_fd(in, needed)) {
		if (needed > from) {
			int r = sys_close_range(
				(unsigned)from, needed == INT_MAX ? UINT_MAX : (unsigned)needed - 1, 0);
			if (r < 0)
				return init_call(in, r, "close_range");
		}
		if (needed == INT_MAX)
			return 0;
		from = needed + 1;
	}
}

int init_conceal(struct init *in, const struct plan_op *op)
{
	(void)in, (void)op;
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ? -errno : 0;
}

int init_join_namespace(struct init *in, const struct plan_op *op)
{
	return setns(init_slot(in, op->join_namespace.slot), (int)op->join_namespace.type) < 0 ? -errno : 0;
}

/*
 * Only now: clone3 would take the cgroup of its caller as the root of the new namespace, even when it puts
 * the child into another one.
 */
int init_new_cgroup_namespace(struct init *in, const struct plan_op *op)
{
	(void)in, (void)op;
	return unshare(CLONE_NEWCGROUP) < 0 ? -errno : 0;
}

/*
 * The offsets can be written only while nobody lives in the namespace: make it, write them, move in. Not left
 * to the execve that comes: KERNEL < 6.3: that does not enter it.
 */
int init_new_time_namespace(struct init *in, const struct plan_op *op)
{
	if (unshare(CLONE_NEWTIME) < 0)
		return init_call(in, -errno, "unshare");
	/* Before the rootfs is attached, /proc is the host's own. */
	int r = fd_write_file(AT_FDCWD, "/proc/self/timens_offsets", op->new_time_namespace.offsets);
	if (r < 0)
		return init_detail(in, r, "writing timens_offsets");
	fd_auto int fd = open("/proc/self/ns/time_for_children", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWTIME) < 0)
		return init_detail(in, -errno, "entering it");
	return 0;
}

int init_loopback_up(struct init *in, const struct plan_op *op)
{
	struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	fd_auto int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)op;
	if (fd < 0)
		return init_call(in, -errno, "socket");
	return ioctl(fd, SIOCSIFFLAGS, &lo) < 0 ? -errno : 0;
}

int init_hostname(struct init *in, const struct plan_op *op)
{
	(void)in;
	return sethostname(op->hostname.name, strlen(op->hostname.name)) < 0 ? -errno : 0;
}

int init_domainname(struct init *in, const struct plan_op *op)
{
	(void)in;
	return setdomainname(op->domainname.name, strlen(op->domainname.name)) < 0 ? -errno : 0;
}

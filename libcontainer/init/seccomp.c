/*
 * seccomp.c - load the filter and, if it notifies somebody, hand the listener over. Runs in init.
 *
 * From the moment it is loaded the filter may notify of, or forbid, any system call of ours, and nobody
 * listens yet: sending the listener would wait for an answer by who is to get it. So a process that shares
 * our table of fds, but not the filter, sends it, takes it out of the table and waits until it has arrived.
 * We wait for that process, by waitid, which is the one call that must not notify (specs/seccomp.c sees to
 * it). Once it is there, whoever listens answers for every other call up to the user's program.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sys.h"
#include "libcontainer/init/init.h"

#define LOOK_AGAIN_NS 20000 /* loading takes this long or some times that */

static int load(const struct init *in)
{
	struct sock_fprog program = in->plan->seccomp;

	return sys_seccomp(SECCOMP_SET_MODE_FILTER, in->plan->seccomp_flags, &program);
}

static int load_given(struct init *in)
{
	int r = load(in);

	return r == -EINVAL ? init_cause(in, r,
				      "the kernel takes these instructions for no filter of system calls",
				      "each must be known to seccomp(2), jumps stay inside, and the last one "
				      "return")
			    : r;
}

/* The lowest free one, which the listener is going to be. */
static int next_fd(const struct init *in)
{
	int fd = fcntl(in->socket, F_DUPFD_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	close(fd);
	return fd;
}

/* In the process beside init. Closing is for both: init may not be able to, and execve would come late. */
static _Noreturn void hand_over(struct init *in, int listener, pid_t init)
{
	const struct timespec moment = {.tv_nsec = LOOK_AGAIN_NS};
	struct init_message m = {.kind = INIT_LISTENER, .operation = in->message.operation};

	while (fcntl(listener, F_GETFD) < 0) {
		if (getppid() != init)
			_exit(1);
		nanosleep(&moment, NULL);
	}
	int r = init_send_fd(in->socket, &m, listener);
	close(listener);
	if (r == 0)
		r = init_receive(in->socket, &m);
	_exit(r == 0 && m.kind == INIT_SYNC ? 0 : 1);
}

static int wait_for_helper(struct init *in, pid_t helper)
{
	siginfo_t info = {0};

	while (waitid(P_PID, (id_t)helper, &info, WEXITED | __WALL) < 0)
		if (errno != EINTR)
			return init_detail(in, -errno,
				"the filter forbids waitid, by which init waits until its listener has been "
				"handed over");
	return info.si_code == CLD_EXITED && info.si_status == 0
		       ? 0
		       : init_detail(in, -EPIPE, "the listener could not be handed over");
}

static int load_and_hand_over(struct init *in)
{
	pid_t self = getpid();
	struct clone_args args = {.flags = CLONE_FILES}; /* without a signal: SIGCHLD could be left pending */

	int listener = next_fd(in);
	if (listener < 0)
		return listener;
	pid_t helper = sys_clone3(&args);
	if (helper == 0)
		hand_over(in, listener, self);
	if (helper < 0)
		return init_detail(in, helper, "making a process that hands over the listener");
	int r = load(in);
	if (r < 0) {
		kill(helper, SIGKILL);
		waitid(P_PID, (id_t)helper, NULL, WEXITED | __WALL);
		return r;
	}
	return wait_for_helper(in, helper);
}

/*
 * The plan puts this as late as it can: just before EXECUTE with no_new_privileges, else just before the
 * capabilities that loading a filter needs are given up. From here on a system call may be forbidden, so what
 * is not about this container's program has been done.
 */
int init_seccomp(struct init *in, const struct plan_op *op)
{
	int r = init_announce_execution(in);

	if (r < 0)
		return r;
	if (op->seccomp.given)
		return load_given(in);
	return op->seccomp.listener ? load_and_hand_over(in) : load(in);
}

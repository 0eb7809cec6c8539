/*
 * clone.c - the one clone that makes init.
 *
 * Namespaces that have to be entered before it are entered by a process in between, which makes init its
 * sibling (CLONE_PARENT) and goes away: a pid namespace takes in only the children of who enters it, and the
 * host's namespaces must be entered while the privilege over them is still held. The parent itself never
 * changes, so that a program may make several containers.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "base/sys.h"
#include "libcontainer/cgroup/cgroup.h"
#include "libcontainer/run/create.h"
#include "specs/namespace.h"

struct clone_result {
	int32_t pid;        /* or -errno */
	uint64_t namespace; /* that could not be entered; 0: the clone failed */
};

static struct clone_args clone_arguments(const struct run *run, const struct plan_op *op)
{
	struct clone_args args = {.flags = op->clone.flags, .exit_signal = SIGCHLD};

	if (op->clone.into_cgroup && run->cgroup_fd >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)run->cgroup_fd;
	}
	return args;
}

/* In the new process. */
static _Noreturn void become_init(struct run *run, const struct plan_op *op)
{
	fd_close(&run->socket); /* or init would never see the end of its parent */
	init_main(run->plan, (uint32_t)(op - run->plan->ops) + 1, run->init_socket);
}

/*
 * Enter what can be entered now; what refuses may belong to the user namespace among them, which is entered
 * next, and is tried again then.
 */
static int enter_namespaces(const struct run *run, const struct plan_op *op, uint64_t *failed)
{
	const struct plan_join *joins = op->clone.joins;
	uint64_t left = 0;

	for (size_t i = 0; i < op->clone.joins_count; i++)
		if (joins[i].type == CLONE_NEWUSER ||
			setns(run->plan->fds[joins[i].slot], (int)joins[i].type) < 0)
			left |= (uint64_t)1 << i;
	for (int user = 1; user >= 0; user--)
		for (size_t i = 0; i < op->clone.joins_count; i++) {
			if (!(left & ((uint64_t)1 << i)) || (joins[i].type == CLONE_NEWUSER) != user)
				continue;
			if (setns(run->plan->fds[joins[i].slot], (int)joins[i].type) < 0) {
				*failed = joins[i].type;
				return -errno;
			}
		}
	return 0;
}

/*
 * The pid namespace that init is born into may be inhabited, and init be looked at before it gets to hide
 * itself: with nothing of the state directory's, and out of ptrace's reach (CVE-2016-9962). Not when a user
 * writes its id mappings: that needs it dumpable, see init_hide().
 */
static void hide_early(struct run *run, const struct plan_op *op)
{
	fd_close(&run->socket);
	fd_close(&run->dir_fd);
	fd_close(&run->root_fd);
	if (!(op->clone.flags & CLONE_NEWUSER) || run->host.euid == 0)
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/*
 * In a process in between: its part, and what came of it. `keep` is an fd that the process needs and the one
 * that it makes does not; -1: none.
 */
typedef void between_fn(struct run *run, const struct plan_op *op, int keep, struct clone_result *result);

static void be_in_between(struct run *run, const struct plan_op *op, int keep, struct clone_result *result)
{
	struct clone_args args = clone_arguments(run, op);

	/* A user namespace may deny it (/proc/PID/setgroups); the caller's groups are not the container's. */
	if (!run->plan->keep_groups)
		sys_setgroups(0, NULL);
	result->pid = enter_namespaces(run, op, &result->namespace);
	if (result->pid < 0)
		return;
	hide_early(run, op);
	args.flags |= CLONE_PARENT;
	args.exit_signal = 0; /* that of this process */
	pid_t pid = sys_clone3(&args);
	if (pid == 0) {
		fd_close(&keep);
		become_init(run, op);
	}
	result->pid = pid;
}

static void wait_for(pid_t pid)
{
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* A process in between, which does its part, tells through a pipe what came of it, and goes. */
static int clone_through(struct run *run, const struct plan_op *op, between_fn *part, struct clone_args *args,
	struct clone_result *result)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	fd_auto int from = ends[0], to = ends[1];
	pid_t between = sys_clone3(args);
	if (between == 0) {
		fd_close(&from);
		part(run, op, to, result);
		fd_write(to, result, sizeof(*result));
		_exit(0);
	}
	if (between < 0)
		return between;
	fd_close(&to);
	ssize_t n = fd_read(from, result, sizeof(*result));
	wait_for(between);
	return n == sizeof(*result) ? 0 : -EPIPE;
}

struct between {
	struct run *run;
	const struct plan_op *op;
	between_fn *part;
	struct clone_result *result;
};

static void do_part(void *argument)
{
	const struct between *b = argument;

	b->part(b->run, b->op, -1, b->result);
}

/*
 * The same for a part that may run in this process's memory: no copy of it is made for a process that soon
 * ends, and none of its pages is copied when one of the two writes to it. That is a twentieth of exec. When
 * the container runs out of memory just then, the kernel may end both; nothing has been made yet that stays.
 */
static int clone_through_here(struct run *run, const struct plan_op *op, between_fn *part,
	struct clone_args *args, struct clone_result *result)
{
	struct between between = {run, op, part, result};
	int dumpable = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0); /* the memory's, which the part changes */

	pid_t pid = sys_clone3_vfork(args, do_part, &between);
	if (pid == -ENOSYS)
		return clone_through(run, op, part, args, result);
	if (pid > 0)
		wait_for(pid); /* while it is ending, it still has this memory, and is in the container */
	prctl(PR_SET_DUMPABLE, dumpable == 1, 0, 0, 0);
	if (pid < 0)
		return pid;
	return result->pid ? 0 : -EPIPE; /* killed on the way */
}

/* ---- in a unit of systemd ---- */

static _Noreturn void be_starter(struct run *run, const struct plan_op *clone, int socket)
{
	struct clone_result result = {0};
	char go;

	if (read(socket, &go, sizeof(go)) == sizeof(go)) {
		be_in_between(run, clone, socket, &result);
		fd_write(socket, &result, sizeof(result));
	}
	_exit(0);
}

int run_begin_starter(struct run *run, struct err *err)
{
	struct clone_args args = {.exit_signal = SIGCHLD};
	const struct plan_op *clone = run->plan->ops;
	int ends[2];

	while (clone->kind != OP_CLONE)
		clone++;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return err_sys(err, errno, "cannot make a socket pair");
	fd_auto int ours = ends[0], its = ends[1];
	run->starter_pid = sys_clone3(&args);
	if (run->starter_pid == 0) {
		fd_close(&ours);
		be_starter(run, clone, its);
	}
	if (run->starter_pid < 0)
		return err_sys(err, run->starter_pid, "cannot make a process to start the container with");
	run->starter = fd_take(&ours);
	return 0;
}

void run_end_starter(struct run *run)
{
	fd_close(&run->starter);
	if (run->starter_pid > 0)
		wait_for(run->starter_pid);
	run->starter_pid = 0;
}

static int clone_by_starter(struct run *run, struct clone_result *result)
{
	int r = send(run->starter, "g", 1, MSG_NOSIGNAL) < 0 ? -errno : 0;
	ssize_t n = r < 0 ? r : fd_read(run->starter, result, sizeof(*result));

	run_end_starter(run);
	return n == sizeof(*result) ? 0 : n < 0 ? (int)n : -EPIPE;
}

static int clone_failed(
	struct run *run, const struct plan_op *op, const struct clone_result *result, struct err *err)
{
	if (result->namespace) {
		char detail[64];
		for (enum spec_namespace_type t = SPEC_NS_PID; t < SPEC_NS_COUNT; t++)
			if (spec_namespace_clone_flag(t) == result->namespace)
				snprintf(detail, sizeof(detail), "entering the %s namespace",
					spec_namespace_name(t));
		return run_op_error(run, op, result->pid, detail, err);
	}
	int r = run_op_error(run, op, result->pid, "", err);
	if (host_explain_namespaces(-1, op->clone.flags, r, err))
		return r;
	if (op->clone.into_cgroup && run->cgroup_fd >= 0 && r != -EINVAL)
		return cg_clone_error(run->cgroup_fd, run->plan->cgroup_path, r, err);
	if (r == -EINVAL)
		err_hint(err, "this kernel lacks one of these namespaces, or is older than Linux 5.14");
	return r;
}

/*
 * Everything but the caller's own fds and these two (-1: none) goes: what enters a container has nothing of
 * the host.
 */
static int keep_only(int a, int b, unsigned preserve)
{
	const int kept[] = {a < b ? a : b, a < b ? b : a};
	int from = 3 + (int)preserve, r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(kept) && r == 0; i++) {
		if (kept[i] > from)
			r = sys_close_range((unsigned)from, (unsigned)kept[i] - 1, 0);
		from = kept[i] >= from ? kept[i] + 1 : from;
	}
	return r < 0 ? r : sys_close_range((unsigned)from, UINT_MAX, 0);
}

/* In the process on the way, which is in the container's cgroup already. */
static int go_inside(const struct run *run, const struct plan_op *op, int keep)
{
	int container = run->plan->fds[op->enter_container.slot];

	/* Before it can be seen from inside; a user namespace may deny setgroups later on. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return -errno;
	if (!run->plan->keep_groups)
		sys_setgroups(0, NULL);
	if (setns(container, (int)op->enter_container.flags) < 0)
		return -errno;
	return op->enter_container.unseen ? 0
					  : keep_only(run->init_socket, keep, op->enter_container.preserve);
}

/* Its memory may be the parent's: it writes to nothing but `result` there. */
static void be_on_the_way(struct run *run, const struct plan_op *op, int keep, struct clone_result *result)
{
	struct clone_args args = {
		.flags = CLONE_PARENT | (op->enter_container.new_mounts ? (uint64_t)CLONE_NEWNS : 0)};

	result->pid = go_inside(run, op, keep);
	if (result->pid < 0)
		return;
	pid_t pid = sys_clone3(&args);
	if (pid == 0) {
		fd_close(&keep);
		if (!op->enter_container.unseen)
			run->plan->fds[op->enter_container.slot] = -1; /* closed on the way */
		init_main(run->plan, (uint32_t)(op - run->plan->ops) + 1, run->init_socket);
	}
	result->pid = pid;
}

/* init is there: our side of its socket, and a name for it that stays its own. */
static int adopt(struct run *run, const struct plan_op *op, pid_t pid, struct err *err)
{
	run->pid = pid;
	run->pidfd = sys_pidfd_open(pid, 0); /* our child, not yet waited for */
	return run->pidfd < 0 ? run_op_error(run, op, run->pidfd, "pidfd_open", err) : 0;
}

/* init has its own; ours would keep the container's mounts busy as long as `crt run` waits. */
static void give_up_fds(struct run *run)
{
	fd_close(&run->init_socket);
	for (uint32_t i = 0; i < run->plan->slots; i++)
		fd_close(&run->plan->fds[i]);
}

/*
 * A container that manages its cgroup, as systemd in it does, has moved its processes to others below, and
 * now nobody can be in its own, or one that was delegated to it is gone: where init is, the new process can
 * be, too. Not outside, whatever it says.
 */
int run_follow_init(struct run *run)
{
	const char *own = run->state.cgroup_path, *path = NULL;
	size_t n = strlen(own);

	int r = cg_of(run->state.pid, run->arena, &path);
	if (r < 0)
		return r;
	if (!str_starts(path, own) || (path[n] && path[n] != '/'))
		return -EBUSY;
	int fd = cg_open(run->plan->cgroup_mount, path, NULL);
	if (fd < 0)
		return fd;
	fd_close(&run->cgroup_fd);
	run->cgroup_fd = fd;
	run->plan->cgroup_path = path;
	return 0;
}

/*
 * Nobody enters a time namespace whose memory is another process's, too; a signal is to end the wait for who
 * will resume a paused container; and another thread must not make the memory dumpable meanwhile.
 */
static bool may_share_memory(const struct run *run, const struct plan_op *op)
{
	return !(op->enter_container.flags & CLONE_NEWTIME) && !run->paused && sys_is_single_threaded();
}

static int clone_inside(struct run *run, const struct plan_op *op, struct clone_result *result)
{
	struct clone_args args = {.exit_signal = SIGCHLD};

	if (op->enter_container.into_cgroup) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)run->cgroup_fd;
	}
	return may_share_memory(run, op) ? clone_through_here(run, op, be_on_the_way, &args, result)
					 : clone_through(run, op, be_on_the_way, &args, result);
}

int run_enter(struct run *run, const struct plan_op *op, struct err *err)
{
	struct clone_result result = {0};

	int r = clone_inside(run, op, &result);
	if (r == -EBUSY && op->enter_container.follow_init && run_follow_init(run) == 0)
		r = clone_inside(run, op, &result);
	give_up_fds(run);
	if (r < 0 && op->enter_container.into_cgroup)
		return cg_clone_error(run->cgroup_fd, run->plan->cgroup_path, r, err);
	if (r < 0 || result.pid < 0)
		return run_op_error(run, op, r < 0 ? r : result.pid, "", err);
	return adopt(run, op, result.pid, err);
}

int run_clone(struct run *run, const struct plan_op *op, struct err *err)
{
	struct clone_args fork_args = {.exit_signal = SIGCHLD};
	struct clone_result result = {0};
	int r = 0;

	if (run->starter >= 0) {
		r = clone_by_starter(run, &result);
	} else if (op->clone.joins_count) {
		r = clone_through(run, op, be_in_between, &fork_args, &result);
	} else {
		struct clone_args args = clone_arguments(run, op);
		result.pid = sys_clone3(&args);
		if (result.pid == 0)
			become_init(run, op);
	}
	give_up_fds(run);
	if (r < 0)
		return run_op_error(run, op, r, "", err);
	return result.pid < 0 ? clone_failed(run, op, &result, err) : adopt(run, op, result.pid, err);
}

/*
 * parent.c - the parent's walk over the plan: its operations, and its half of the synchronisation.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/diagnose.h"
#include "base/fd.h"
#include "base/str.h"
#include "base/sys.h"
#include "libcontainer/cgroup/cgroup.h"
#include "libcontainer/cgroup/devices.h"
#include "libcontainer/cgroup/rdt.h"
#include "libcontainer/cgroup/stats.h"
#include "libcontainer/run/console.h"
#include "libcontainer/run/create.h"
#include "libcontainer/run/systemd.h"
#include "libcontainer/run/timing.h"
#include "libcontainer/seccomp/seccomp.h"
#include "specs/json.h"

#define SECCOMP_CACHE ".seccomp" /* in the state directory; no id starts with a dot */

static bool is_about_program(enum plan_op_kind kind)
{
	return kind == OP_FIND_PROGRAM || kind == OP_EXECUTE;
}

/*
 * Engines make an exit code of what is said about the program: Docker, for one, looks for "no such file or
 * directory" and "permission denied" as Go spells them.
 */
int run_program_error(int errnum, const char *text, struct err *err)
{
	char why[128];

	errnum = errnum < 0 ? -errnum : errnum;
	snprintf(why, sizeof(why), "%s", str_errno(errnum));
	if (why[0] >= 'A' && why[0] <= 'Z' && why[1] >= 'a')
		why[0] = (char)(why[0] - 'A' + 'a');
	return err_set(err, errnum, "%s: %s", text, why);
}

int run_op_error(struct run *run, const struct plan_op *op, int errnum, const char *detail, struct err *err)
{
	char text[600], attempt[1024];
	const char *target, *call;

	errnum = errnum < 0 ? -errnum : errnum;
	plan_print_attempt(op, text, sizeof(text));
	/* A hook's own words and "not found in $PATH" say it all; the errno's text would only confuse. */
	if (*detail && (op->kind == OP_HOOK || (op->kind == OP_FIND_PROGRAM && errnum == ENOENT)))
		err_set(err, errnum, "cannot %s: %s", text, detail);
	else if (is_about_program(op->kind)) {
		snprintf(attempt, sizeof(attempt), *detail ? "cannot %s: %s" : "cannot %s", text, detail);
		run_program_error(errnum, attempt, err);
	} else
		err_sys(err, errnum, *detail ? "cannot %s: %s" : "cannot %s", text, detail);
	if (op->node && err)
		json_where(run->plan->doc, op->node, &err->where);
	if (err)
		str_make_printable(err->message); /* words of the document, of a hook */
	plan_op_about(op, &target, &call);
	err_about(err, plan_op_name(op->kind), target, call);
	return err_phase(err, is_about_program(op->kind) ? "exec" : op->kind == OP_HOOK ? "hook" : "create");
}

/* The same from what init, or one of its executors in this process, has said. */
static int op_failed(
	struct run *run, const struct plan_op *op, int errnum, const struct init_message *m, struct err *err)
{
	errnum = errnum < 0 ? -errnum : errnum;
	run_op_error(run, op, errnum, m->detail, err);
	err_about(err, NULL, m->target[0] ? m->target : NULL, m->call[0] ? m->call : NULL);
	err_cause(err, "%s", m->cause);
	err_hint(err, "%s", m->hint);
	/* A detached tree lives in a mount namespace of its own. */
	if (op->kind == OP_OPEN_TREE && errnum == ENOSPC)
		host_explain_namespaces(-1, CLONE_NEWNS, errnum, err);
	/* Where AppArmor gives a new user namespace no privileges, anything may be what fails. */
	if (!m->cause[0] && !is_about_program(op->kind) && op->kind != OP_HOOK && run->host.euid != 0 &&
		run->plan->has_user_namespace)
		host_explain_namespaces(-1, CLONE_NEWUSER, errnum, err);
	return -errnum;
}

static int op_split_cgroup(struct run *run, const struct plan_op *op, struct err *err)
{
	(void)run;
	return cg_split(op->split_cgroup.mount, op->split_cgroup.unit, err);
}

static int op_make_cgroup(struct run *run, const struct plan_op *op, struct err *err)
{
	unsigned made = 0;
	int fd = cg_create(op->make_cgroup.mount, op->make_cgroup.path, op->make_cgroup.given,
		op->make_cgroup.controllers, &made, err);

	if (fd < 0 && op->make_cgroup.optional &&
		(fd == -EACCES || fd == -EPERM || fd == -EROFS || fd == -ENOENT)) {
		run->state.cgroup_mount = run->state.cgroup_path = NULL;
		return 0;
	}
	if (fd < 0) {
		/* What is there is somebody else's: the undoing must not kill in it. */
		run->state.cgroup_mount = run->state.cgroup_path = NULL;
		if (err && !err->where.line && op->node)
			json_where(run->plan->doc, op->node, &err->where);
		return fd;
	}
	run->cgroup_fd = fd;
	run->state.cgroup_made = made;
	return 0;
}

static int op_open_namespace(struct run *run, const struct plan_op *op, struct err *err)
{
	fd_auto int fd = open(op->open_namespace.path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0) {
		run_op_error(run, op, errno, "", err);
		return diagnose_err(err, AT_FDCWD, op->open_namespace.path);
	}
	int type = ioctl(fd, NS_GET_NSTYPE);
	if (type < 0)
		return run_op_error(run, op, EINVAL, "this is no namespace", err);
	if ((uint64_t)type != op->open_namespace.type)
		return run_op_error(run, op, EINVAL, "this is a namespace of another type", err);
	run->plan->fds[op->open_namespace.slot] = fd_take(&fd);
	return 0;
}

static int op_make_id_mapping(struct run *run, const struct plan_op *op, struct err *err)
{
	return run_make_id_mapping(run, op, err);
}

static int op_map_mount(struct run *run, const struct plan_op *op, struct err *err)
{
	const int *fds = run->plan->fds;

	int r = init_map_mount(
		&run->hand, fds[op->map_mount.tree], fds[op->map_mount.mapping], op->map_mount.recursive);
	return r < 0 ? op_failed(run, op, r, &run->hand.message, err) : 0;
}

/* init's executor, in this process. */
static int by_hand(struct run *run, const struct plan_op *op, struct err *err)
{
	int r = init_do(&run->hand, op);

	return r < 0 ? op_failed(run, op, r, &run->hand.message, err) : 0;
}

static int op_open_tree(struct run *run, const struct plan_op *op, struct err *err)
{
	return by_hand(run, op, err);
}

static int op_hook(struct run *run, const struct plan_op *op, struct err *err)
{
	run->hooks_ran = true;
	run->hand.abandon_fd =
		run->pidfd; /* without init there is nothing to prepare; delete --force counts on it */
	return by_hand(run, op, err);
}

/* As containerd and others expect it: one message, the path of nothing in particular, and the master with it.
 */
static int op_hand_over_console(struct run *run, const struct plan_op *op, struct err *err)
{
	if (run->console_fd < 0)
		return run_op_error(run, op, EPROTO, "init sent no terminal", err);
	if (!op->hand_over_console.socket) {
		console_take_size(run->console_fd); /* before the program can ask for it */
		return 0;
	}
	int r = console_send(op->hand_over_console.socket, run->console_fd);
	fd_close(&run->console_fd);
	if (r == 0)
		return 0;
	run_op_error(run, op, r, "", err);
	return diagnose_err(err, AT_FDCWD, op->hand_over_console.socket);
}

static int op_compile_seccomp(struct run *run, const struct plan_op *op, struct err *err)
{
	struct seccomp_program program = {0};

	mkdirat(run->root_fd, SECCOMP_CACHE, 0700);
	fd_auto int cache = openat(run->root_fd, SECCOMP_CACHE, O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r = seccomp_compile_cached(run->arena, op->compile_seccomp.seccomp, op->compile_seccomp.doc,
		cache, &run->report, &program);
	if (r < 0) {
		err_set(err, -r, "cannot compile the seccomp filter");
		report_first_error(&run->report, err);
		return err_phase(err, "create");
	}
	run->plan->seccomp = (struct sock_fprog){
		.len = (unsigned short)program.count, .filter = program.insns};
	run->plan->seccomp_flags = program.flags;
	return 0;
}

/* Hooks read it from memory that both sides see, since the pid is known only now. */
static void publish_state(struct run *run)
{
	struct plan_shared *shared = run->plan->shared;

	if (!shared)
		return;
	snprintf(shared->state_creating, shared->room, "%s",
		run_state_text(run->arena, &run->state, SPEC_STATUS_CREATING));
	snprintf(shared->state_created, shared->room, "%s",
		run_state_text(run->arena, &run->state, SPEC_STATUS_CREATED));
}

/* The pidfd was opened when the state was read, and is known to be the container's init. */
static int op_open_container(struct run *run, const struct plan_op *op, struct err *err)
{
	run->plan->fds[op->open_container.slot] = fd_take(&run->container_fd);
	if (!op->open_container.cgroup)
		return 0;
	run->cgroup_fd = cg_open(run->plan->cgroup_mount, op->open_container.cgroup, err);
	if (run->cgroup_fd == -ENOENT && op->open_container.follow_init && run_follow_init(run) == 0)
		return 0;
	return run->cgroup_fd < 0 ? run->cgroup_fd : 0;
}

static int op_enter_container(struct run *run, const struct plan_op *op, struct err *err)
{
	int r = run_enter(run, op, err);

	if (run->cpus)
		syscall(SYS_sched_setaffinity, 0, run->cpus_size, run->cpus);
	run->cpus = NULL;
	return r;
}

static int op_start_unit(struct run *run, const struct plan_op *op, struct err *err)
{
	return run_start_unit(run, op, err);
}

static int op_clone(struct run *run, const struct plan_op *op, struct err *err)
{
	int r = run_clone(run, op, err);

	if (r < 0)
		return r;
	run->state.pid = run->pid;
	r = state_pid_start(run->pid, &run->state.pid_start);
	if (r == -ESRCH)
		return 0; /* it has ended already; the next synchronisation will hear why */
	if (r < 0)
		return run_op_error(run, op, r, "reading its start time", err);
	r = state_write(run->arena, run->dir_fd, &run->state, err);
	publish_state(run);
	return r;
}

int run_write_proc(pid_t pid, const char *file, const char *text)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	return fd_write_file(AT_FDCWD, path, text);
}

static int op_map_ids(struct run *run, const struct plan_op *op, struct err *err)
{
	return run_map_ids(run, op, err);
}

static int op_oom_score_adj(struct run *run, const struct plan_op *op, struct err *err)
{
	char value[16];

	snprintf(value, sizeof(value), "%d", op->oom_score_adj.value);
	int r = run_write_proc(run->pid, "oom_score_adj", value);
	if (r == -EACCES && op->oom_score_adj.optional)
		return 0;
	return r < 0 ? run_op_error(run, op, r, "", err) : 0;
}

/* Without the privilege nothing is done: init then says at its own RLIMIT what it cannot have. */
static int op_raise_rlimit(struct run *run, const struct plan_op *op, struct err *err)
{
	struct rlimit64 limit;

	if (syscall(SYS_prlimit64, run->pid, op->raise_rlimit.resource, NULL, &limit) < 0)
		return errno == ESRCH ? 0 : run_op_error(run, op, errno, "", err);
	if (limit.rlim_max >= op->raise_rlimit.hard)
		return 0;
	limit.rlim_max = op->raise_rlimit.hard;
	if (syscall(SYS_prlimit64, run->pid, op->raise_rlimit.resource, &limit, NULL) < 0 && errno != EPERM)
		return run_op_error(run, op, errno, "", err);
	return 0;
}

static int op_cgroup_devices(struct run *run, const struct plan_op *op, struct err *err)
{
	if (run->cgroup_fd < 0) /* MAKE_CGROUP could do without */
		return 0;
	int r = cg_devices_attach(run->cgroup_fd, op->cgroup_devices.program, op->cgroup_devices.count, err);

	if (r < 0 && err && op->node)
		json_where(run->plan->doc, op->node, &err->where);
	return r;
}

static int op_cgroup_limit(struct run *run, const struct plan_op *op, struct err *err)
{
	return cg_apply(run->cgroup_fd, op->cgroup_limit.write, run->plan->doc, err);
}

static int op_cgroup_owner(struct run *run, const struct plan_op *op, struct err *err)
{
	return run->cgroup_fd < 0 ? 0 : cg_give(run->cgroup_fd, op->cgroup_owner.uid, err);
}

static int op_delegate_cgroup(struct run *run, const struct plan_op *op, struct err *err)
{
	const uid_t *give = op->delegate_cgroup.give ? &op->delegate_cgroup.uid : NULL;

	int r = cg_delegate(run->cgroup_fd, op->delegate_cgroup.below, run->pid, give, err);
	if (r < 0 && err && op->node)
		json_where(run->plan->doc, op->node, &err->where);
	return r;
}

/* The calling thread, which may be a library's user's: where it ran before is where it returns to. */
static int op_parent_cpus(struct run *run, const struct plan_op *op, struct err *err)
{
	size_t size = op->parent_cpus.words * sizeof(uint64_t);
	uint64_t *before = arena_array(run->arena, uint64_t, op->parent_cpus.words);
	const void *mask = op->parent_cpus.mask;

	if (syscall(SYS_sched_getaffinity, 0, size, before) < 0)
		return run_op_error(run, op, errno, "sched_getaffinity", err);
	if (sched_setaffinity(0, size, mask) < 0)
		return run_op_error(run, op, errno,
			errno == EINVAL ? "none of these CPUs is online and allowed to crt's cgroup" : "",
			err);
	run->cpus = before;
	run->cpus_size = size;
	return 0;
}

static int scheduling_of_init(struct run *run, const struct plan_op *op, struct err *err)
{
	run->hand.message = (struct init_message){0};
	int r = init_scheduling_of(&run->hand, op, run->pid);
	return r < 0 ? op_failed(run, op, r, &run->hand.message, err) : 0;
}

static int op_scheduler(struct run *run, const struct plan_op *op, struct err *err)
{
	return scheduling_of_init(run, op, err);
}

static int op_io_priority(struct run *run, const struct plan_op *op, struct err *err)
{
	return scheduling_of_init(run, op, err);
}

static int op_intel_rdt(struct run *run, const struct plan_op *op, struct err *err)
{
	const struct rdt_request *request = op->intel_rdt.request;
	bool made = false;

	int r = op->intel_rdt.join ? rdt_join(request, run->pid, err)
				   : rdt_enter(request, run->pid, &made, err);
	if (made)
		run->state.rdt_group = request->group; /* for an undoing; a named one stays after that */
	if (r < 0 && err && op->node)
		json_where(run->plan->doc, op->node, &err->where);
	return r < 0 ? err_phase(err, "create") : 0;
}

static int op_move_net_device(struct run *run, const struct plan_op *op, struct err *err)
{
	return run_move_net_device(run, op, err);
}

typedef int parent_fn(struct run *run, const struct plan_op *op, struct err *err);

#define PARENT_PARENT(NAME, name) [OP_##NAME] = op_##name,
#define PARENT_EITHER(NAME, name) [OP_##NAME] = op_##name,
#define PARENT_INIT(NAME, name)
#define PARENT_BOTH(NAME, name)

static parent_fn *const parents[OP_COUNT] = {
#define OP(NAME, name, who) PARENT_##who(NAME, name)
#include "libcontainer/plan/ops.def"
#undef OP
};

/* Whatever killed init, memory.events knows whether it was that. */
static bool ran_out_of_memory(const struct run *run)
{
	fd_auto int events = openat(run->cgroup_fd, "memory.events", O_RDONLY | O_CLOEXEC);
	uint64_t kills;

	return events >= 0 && cg_oom_kills(events, &kills) == 0 && kills > 0;
}

/* init has gone without a word: how? */
static int init_died(struct run *run, struct err *err)
{
	siginfo_t info = {0};

	if (waitid(P_PIDFD, (id_t)run->pidfd, &info, WEXITED | WNOWAIT) < 0)
		return err_sys(err, errno, "the container's init has disappeared");
	if (info.si_code == CLD_EXITED)
		return err_set(err, EPIPE, "the container's init has exited with code %d", info.si_status);
	err_set(err, EPIPE, "the container's init was killed by signal %d", info.si_status);
	if (info.si_status == SIGKILL && ran_out_of_memory(run)) {
		err_cause(err, "the container's cgroup has run out of memory");
		err_hint(err, "linux.resources.memory.limit is too low, or that of a cgroup above");
	}
	return -EPIPE;
}

static int init_failed(struct run *run, const struct init_message *m, struct err *err)
{
	if (m->operation >= run->plan->count)
		return err_set(err, EPROTO, "the container's init sent nonsense");
	const struct plan_op *op = &run->plan->ops[m->operation];
	run->hooks_ran |= op->kind == OP_HOOK;
	return op_failed(run, op, m->error, m, err);
}

/* Now that init has its own work to do, and long after it has closed its copy: this takes a grace period. */
static void give_up_mount(struct run *run)
{
	fd_close(&run->mount_fd);
}

static int synchronise(struct run *run, const struct plan_op *op, struct err *err)
{
	struct init_message m = {.kind = INIT_SYNC, .operation = (uint32_t)(op - run->plan->ops)};
	uint32_t here = m.operation;

	if (plan_sync_sender(op->sync.point) == PLAN_PARENT) {
		int sent = init_send(run->socket, &m);
		if (sent == 0)
			return 0;
		if (sent != -EPIPE && sent != -ECONNRESET)
			return err_sys(err, sent, "cannot talk to the container's init");
		/* It listens no more, and has said why before it went. */
	}
	give_up_mount(run);
	int r = op->sync.point == SYNC_CONSOLE ? init_receive_fd(run->socket, &m, &run->console_fd)
					       : init_receive(run->socket, &m);
	if (r == -EPIPE || r == -ECONNRESET)
		return init_died(run, err);
	if (r < 0)
		return err_sys(err, r, "cannot hear from the container's init");
	if (m.kind == INIT_FAILED)
		return init_failed(run, &m, err);
	if (m.kind != INIT_SYNC || m.operation != here)
		return err_set(err, EPROTO, "the container's init is out of step");
	return 0;
}

int run_walk(struct run *run, struct err *err)
{
	plan_for_each_op (run->plan, op) {
		int r = 0;

		if (op->who == PLAN_PARENT)
			r = parents[op->kind](run, op, err);
		else if (op->who == PLAN_BOTH && op->sync.point == SYNC_GO)
			return 0;
		else if (op->who == PLAN_BOTH)
			r = synchronise(run, op, err);
		if (r < 0)
			return r;
		if (run->timing && op->who == PLAN_PARENT)
			run->plan->times[op - run->plan->ops] = sys_now_ns();
	}
	return 0;
}

static const struct plan_op *go_operation(const struct run *run)
{
	const struct plan_op *go = NULL;

	plan_for_each_op (run->plan, op)
		if (op->who == PLAN_BOTH)
			go = op; /* the last one */
	return go;
}

static int pass_listener_on(
	int socket, const struct run_listener *listener, struct init_message *m, int *fd, struct err *err)
{
	int r = run_hand_over_listener(listener, *fd, err);

	fd_close(fd);
	if (r < 0)
		return r;
	m->kind = INIT_SYNC;
	init_send(socket, m); /* if init is no more, its end of the socket will say so */
	return 0;
}

int run_await_execution(
	int socket, const struct run_listener *listener, struct init_message *last, struct err *err)
{
	struct init_message m;
	bool executing = false;

	last->kind = 0;
	for (;;) {
		fd_auto int fd = -1;
		int r = init_receive_fd(socket, &m, &fd);
		if (r == -EPIPE || r == -ECONNRESET)
			break;
		if (r == 0 && last->kind != INIT_FAILED)
			last->kind = m.kind;
		if (r == 0 && m.kind == INIT_LISTENER)
			r = pass_listener_on(socket, listener, &m, &fd, err);
		if (r < 0)
			return r;
		executing |= m.kind == INIT_EXECUTING;
		if (m.kind == INIT_FAILED)
			*last = m; /* and perhaps another one, which says more */
	}
	if (last->kind == INIT_FAILED)
		return last->error > 0 ? -last->error : -EPROTO;
	last->kind = 0;
	return executing ? 0 : -EPIPE;
}

int run_release(struct run *run, struct err *err)
{
	struct init_message m;
	struct run_listener listener = {
		.arena = run->arena,
		.config = run->config,
		.state = &run->state,
		.status = run->pid == run->state.pid ? SPEC_STATUS_CREATING : SPEC_STATUS_RUNNING,
		.pid = run->pid,
	};

	int r = synchronise(run, go_operation(run), err);
	if (r < 0 || run->mode == RUN_CREATE)
		return r;
	give_up_mount(run);
	r = run_await_execution(run->socket, &listener, &m, err);
	run_mark(run, "init executes the program");
	if (r == 0 || m.kind == INIT_LISTENER)
		return r;
	return m.kind == INIT_FAILED ? init_failed(run, &m, err) : init_died(run, err);
}

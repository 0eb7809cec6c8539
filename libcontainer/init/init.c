/*
 * init.c - the loop, and init's half of the talk with the parent. Runs in the container's first process.
 */
#include "libcontainer/init/init.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/diagnose.h"
#include "base/fd.h"
#include "base/str.h"
#include "base/sys.h"

typedef int executor_fn(struct init *in, const struct plan_op *op);

#define EXECUTOR_PARENT(NAME, name)
#define EXECUTOR_BOTH(NAME, name)
#define EXECUTOR_INIT(NAME, name)   [OP_##NAME] = init_##name,
#define EXECUTOR_EITHER(NAME, name) EXECUTOR_INIT(NAME, name)

static executor_fn *const executors[OP_COUNT] = {
#define OP(NAME, name, who) EXECUTOR_##who(NAME, name)
#include "libcontainer/plan/ops.def"
#undef OP
};

void init_begin(struct init *in, const struct plan *plan, int socket)
{
	*in = (struct init){.plan = plan,
		.socket = socket,
		.root_fd = -1,
		.proc_fd = -1,
		.mask_fd = -1,
		.directory = {.fd = -1},
		.null_fd = -1,
		.console_fd = -1};
}

int init_do(struct init *in, const struct plan_op *op)
{
	struct init_message *m = &in->message;

	m->detail[0] = m->target[0] = m->call[0] = m->cause[0] = m->hint[0] = '\0';
	return executors[op->kind](in, op);
}

int init_slot(const struct init *in, uint32_t slot)
{
	return in->plan->fds[slot];
}

/* Append to the detail, as far as there is room. */
static void add_detail(struct init *in, const char *text)
{
	char *to = in->message.detail;
	size_t have = strlen(to), room = sizeof(in->message.detail) - 1 - have, n = strlen(text);

	n = n < room ? n : room;
	memcpy(to + have, text, n);
	to[have + n] = '\0';
}

int init_detail2(struct init *in, int error, const char *text, const char *more)
{
	in->message.detail[0] = '\0';
	add_detail(in, text);
	add_detail(in, more);
	return error;
}

int init_detail(struct init *in, int error, const char *text)
{
	return init_detail2(in, error, text, "");
}

static void put(char *to, size_t size, const char *text)
{
	struct str_buf b;

	str_buf_init(&b, to, size);
	str_buf_add(&b, "%s", text);
}

void init_target(struct init *in, const char *target)
{
	put(in->message.target, sizeof(in->message.target), target);
}

int init_call(struct init *in, int error, const char *call)
{
	put(in->message.call, sizeof(in->message.call), call);
	return init_detail(in, error, call);
}

int init_cause(struct init *in, int error, const char *cause, const char *hint)
{
	struct init_message *m = &in->message;

	put(m->cause, sizeof(m->cause), cause ? cause : "");
	put(m->hint, sizeof(m->hint), hint ? hint : "");
	return error;
}

int init_diagnose(struct init *in, int error, const char *path)
{
	struct diagnosis d;

	diagnose_path(AT_FDCWD, path, error, &d);
	init_target(in, path);
	return init_cause(in, error, d.cause, d.hint);
}

int init_diagnose_inside(struct init *in, int error, const char *path)
{
	struct diagnosis d;

	diagnose_path_inside(in->root_fd, path, error, &d);
	init_target(in, path);
	return init_cause(in, error, d.cause, d.hint);
}

union fd_control {
	struct cmsghdr header;
	char room[CMSG_SPACE(sizeof(int))];
};

int init_send_fd(int socket, const struct init_message *message, int fd)
{
	struct iovec text = {(void *)message,
		message->kind == INIT_FAILED ? sizeof(*message) : offsetof(struct init_message, error)};
	struct msghdr m = {.msg_iov = &text, .msg_iovlen = 1};
	union fd_control control = {.header = {CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
	ssize_t n;

	if (fd >= 0) {
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
		m.msg_control = &control;
		m.msg_controllen = sizeof(control);
	}
	do
		n = sendmsg(socket, &m, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

int init_send(int socket, const struct init_message *message)
{
	return init_send_fd(socket, message, -1);
}

int init_receive_fd(int socket, struct init_message *message, int *fd)
{
	struct iovec text = {message, sizeof(*message)};
	union fd_control control = {0};
	struct msghdr m = {.msg_iov = &text,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};
	ssize_t n;

	*fd = -1;
	do
		n = recvmsg(socket, &m, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (n == 0)
		return -EPIPE;
	if (m.msg_controllen >= CMSG_LEN(sizeof(int)) && control.header.cmsg_type == SCM_RIGHTS)
		memcpy(fd, CMSG_DATA(&control.header), sizeof(*fd));
	if ((size_t)n < offsetof(struct init_message, error))
		return -EPROTO;
	if (message->kind != INIT_FAILED)
		return 0;
	if ((size_t)n != sizeof(*message))
		return -EPROTO;
	message->detail[sizeof(message->detail) - 1] = message->target[sizeof(message->target) - 1] = '\0';
	message->call[sizeof(message->call) - 1] = message->cause[sizeof(message->cause) - 1] = '\0';
	message->hint[sizeof(message->hint) - 1] = '\0';
	return 0;
}

int init_receive(int socket, struct init_message *message)
{
	fd_auto int unexpected = -1;

	return init_receive_fd(socket, message, &unexpected);
}

static int synchronise(struct init *in, const struct plan_op *op, uint32_t index)
{
	struct init_message m = {.kind = INIT_SYNC, .operation = index};

	if (plan_sync_sender(op->sync.point) == PLAN_INIT) {
		int r = init_send_fd(in->socket, &m, op->sync.point == SYNC_CONSOLE ? in->console_fd : -1);
		fd_close(&in->console_fd);
		return r;
	}
	int r = init_receive(in->socket, &m);
	if (r < 0)
		return r;
	return m.kind == INIT_SYNC && m.operation == index ? 0 : -EPROTO;
}

/* What the executor has not said of itself. */
static void complete(struct init_message *m, const struct plan_op *op)
{
	const char *target, *call;

	plan_op_about(op, &target, &call);
	if (!m->target[0])
		put(m->target, sizeof(m->target), target);
	if (!m->call[0])
		put(m->call, sizeof(m->call), call);
}

/* EPERM is what most filters say, too, and they are in force before the last calls of ours. */
static void suspect_filter(struct init *in, const struct plan_op *op)
{
	struct init_message *m = &in->message;
	struct str_buf b;

	if (m->error != EPERM || m->cause[0] || !in->announced || !in->plan->seccomp.len ||
		op->kind == OP_SECCOMP)
		return;
	str_buf_init(&b, m->cause, sizeof(m->cause));
	str_buf_add(&b, "the seccomp filter, which is in force by now, may forbid %s", m->call);
}

/*
 * By now a seccomp filter is in force that may end this process at any system call, so it has told already
 * that execve failed. If it lives to say why, that counts instead.
 */
static void look_closer(struct init *in)
{
	struct init_message *m = &in->message;
	struct diagnosis d;

	diagnose_program(in->program, m->error, &d);
	if (!d.cause[0])
		return;
	init_cause(in, 0, d.cause, d.hint);
	init_send(in->socket, m);
}

static _Noreturn void fail(struct init *in, const struct plan_op *op, int error)
{
	struct init_message *m = &in->message;

	m->kind = INIT_FAILED;
	m->operation_kind = op->kind;
	m->error = error;
	complete(m, op);
	suspect_filter(in, op);
	if (in->started) {
		char detail[sizeof(m->detail)];
		memcpy(detail, m->detail, sizeof(detail));
		init_detail2(in, 0, in->plan->late_texts[m->operation], detail[0] ? ": " : "");
		add_detail(in, detail);
	}
	init_send(in->socket, m);
	if (op->kind == OP_EXECUTE)
		look_closer(in);
	_exit(1); /* pid 1: whatever else lives in its pid namespace ends with it */
}

_Noreturn void init_main(const struct plan *plan, uint32_t first, int socket)
{
	struct init in;

	init_begin(&in, plan, socket);
	if (plan->times)
		plan->times[plan->count] = sys_now_ns();
	for (uint32_t i = first; i < plan->count; i++) {
		const struct plan_op *op = &plan->ops[i];
		int r = 0;

		in.message.operation = i;
		if (op->who == PLAN_INIT)
			r = init_do(&in, op);
		else if (op->who == PLAN_BOTH)
			r = synchronise(&in, op, i);
		if (r < 0)
			fail(&in, op, -r);
		if (plan->times && op->who != PLAN_PARENT)
			plan->times[i] = sys_now_ns();
	}
	_exit(0); /* not reached: the last operation is EXECUTE */
}

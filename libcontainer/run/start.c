/*
 * start.c - knock at the socket where init waits, and hear from it how the execution went.
 *
 * init tells failures in words that were prepared at create, with the line of the document in them.
 */
#include "libcontainer/run/start.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "base/sys.h"
#include "libcontainer/run/create.h"
#include "libcontainer/run/notify.h"

static int cannot_start(const char *id, enum spec_status status, struct err *err)
{
	return err_set(err, EINVAL, "cannot start container \"%s\" that is %s", id,
		status == SPEC_STATUS_RUNNING ? "already running" : spec_status_name(status));
}

static int knock(int dir_fd, const char *id, struct err *err)
{
	struct init_message m = {.kind = INIT_START};
	fd_auto int fd = state_knock(dir_fd, 0);

	if (fd == -ECONNREFUSED) { /* an earlier start was killed, and left the file */
		unlinkat(dir_fd, STATE_SOCKET, 0);
		return cannot_start(id, SPEC_STATUS_RUNNING, err);
	}
	if (fd < 0)
		return err_sys(err, fd, "cannot reach the init of container \"%s\"", id);
	int r = init_send(fd, &m);
	return r < 0 ? err_sys(err, r, "cannot talk to the init of container \"%s\"", id) : fd_take(&fd);
}

static int start_failed(const struct init_message *m, int r, const char *id, struct err *err)
{
	if (m->kind == INIT_LISTENER)
		return r;
	if (m->kind != INIT_FAILED)
		return err_set(
			err, -r, "the init of container \"%s\" died before it could execute the program", id);
	char text[sizeof(m->detail) + 300];

	snprintf(text, sizeof(text), "cannot start container \"%s\": %s", id, m->detail);
	if (m->operation_kind == OP_EXECUTE)
		run_program_error(r, text, err);
	else
		err_sys(err, r, "%s", text);
	if (err)
		str_make_printable(err->message);
	err_about(err, m->operation_kind < OP_COUNT ? plan_op_name(m->operation_kind) : NULL, m->target,
		m->call);
	err_cause(err, "%s", m->cause);
	err_hint(err, "%s", m->hint);
	return err_phase(err, m->operation_kind == OP_EXECUTE ? "exec" : "start");
}

#define WAIT_MS 10000 /* a process that is not dead after SIGKILL and this long hangs in the kernel */

/* It is the caller's then to delete it, who may: delete refuses what is still about to end. */
static void stop(const struct state *state)
{
	fd_auto int pidfd = state_pidfd(state);
	struct pollfd end = {.fd = pidfd, .events = POLLIN};

	if (pidfd >= 0 && sys_pidfd_send_signal(pidfd, SIGKILL, NULL, 0) == 0)
		poll(&end, 1, WAIT_MS);
}

/* "If any poststart hook fails, ... stop the container". */
static int poststart(struct arena *arena, int dir_fd, const struct state *state, struct err *err)
{
	int r = run_poststart_hooks(arena, dir_fd, state, err);

	if (r < 0)
		stop(state);
	return r;
}

/* Before the program runs; *fd stays -1 when nobody wants to know. */
static int listen_for(int dir_fd, const char *notify, int *fd, struct err *err)
{
	int r = notify && notify_is_prepared(dir_fd) ? notify_listen(dir_fd, err) : 0;

	if (r > 0)
		*fd = r;
	return r < 0 ? r : 0;
}

static void wait_ready(const struct state *state, int dir_fd, int notify_fd, const char *notify)
{
	fd_auto int pidfd = state_pidfd(state);

	if (pidfd >= 0)
		notify_until_ready(notify_fd, pidfd, notify, state->pid);
	unlinkat(dir_fd, STATE_NOTIFY_SOCKET, 0); /* nobody listens any more */
}

static int start_locked(struct arena *arena, const char *id, int dir_fd, const char *notify, struct err *err)
{
	struct state *state = NULL;
	struct init_message m = {0};

	int r = state_read(arena, dir_fd, &state, err);
	if (r < 0 && r != -ENOENT)
		return r;
	enum spec_status status = state_status_for_start(dir_fd, state);
	if (status != SPEC_STATUS_CREATED)
		return cannot_start(id, status, err);
	fd_auto int notify_fd = -1;
	r = listen_for(dir_fd, notify, &notify_fd, err);
	if (r < 0)
		return r;
	fd_auto int fd = knock(dir_fd, id, err);
	if (fd < 0)
		return fd;
	struct run_listener listener = {.arena = arena,
		.dir_fd = dir_fd,
		.state = state,
		.status = SPEC_STATUS_CREATED,
		.pid = state->pid};
	r = run_await_execution(fd, &listener, &m, err);
	unlinkat(dir_fd, STATE_SOCKET, 0); /* it is no longer "created", one way or the other */
	if (r < 0 && m.kind == INIT_LISTENER)
		stop(state); /* it has a filter that asks nobody */
	if (r < 0)
		return start_failed(&m, r, id, err);
	state_unlock(dir_fd); /* others may kill and delete it, even while a hook hangs */
	r = poststart(arena, dir_fd, state, err);
	if (r == 0 && notify_fd >= 0)
		wait_ready(state, dir_fd, notify_fd, notify);
	return r;
}

int run_start(const char *root, const char *id, const char *notify, struct err *err)
{
	arena_auto struct arena arena = {0};

	int r = arena_init(&arena, err);
	if (r < 0)
		return r;
	fd_auto int dir_fd = state_find(root, id, STATE_LOCK_EXCLUSIVE, NULL, err);
	if (dir_fd < 0)
		return dir_fd;
	return start_locked(&arena, id, dir_fd, notify, err);
}

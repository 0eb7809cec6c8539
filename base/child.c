/*
 * child.c - see child.h. Runs in the parent and in init.
 */
#include "base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sys.h"

#define READ_BYTES 4096
#define PIPE_BYTES 65536 /* what a pipe holds */

static bool append_to(const char *file, int fd)
{
	int own = file ? open(file, O_WRONLY | O_CREAT | O_APPEND | O_NOCTTY | O_CLOEXEC, 0600) : fd;

	return !file || (own >= 0 && dup2(own, fd) >= 0);
}

/* In the vforked child: nothing but system calls; the parent is stopped and shares our memory. */
static void exec_program(const struct child_program *p, int input, int output)
{
	sys_default_signals();
	setsid();                         /* a group of its own, so that a deadline ends all of it */
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* nobody would hear how it ended */
	if (dup2(input, 0) < 0 || dup2(output, 1) < 0 || dup2(output, 2) < 0)
		return;
	if (!append_to(p->stdout_file, 1) || !append_to(p->stderr_file, 2))
		return;
	sys_close_range(3, UINT_MAX, CLOSE_RANGE_CLOEXEC);
	if (p->cwd && chdir(p->cwd) < 0)
		return;
	execve(p->path, p->argv, p->envp);
}

static long long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* One program's run: what it is still to be told, what it has said. */
struct talk {
	const struct child_program *program;
	struct child_result *result;
	const char *text;  /* for its stdin */
	size_t left;       /* bytes of text */
	size_t length;     /* of result->output */
	int input, output; /* our ends of the pipes */
};

/* Append to the tail buffer, dropping the oldest bytes. */
static void keep_tail(struct talk *t, const char *bytes, size_t n)
{
	char *tail = t->result->output;
	size_t room = sizeof(t->result->output) - 1;

	if (n > room) {
		bytes += n - room;
		n = room;
	}
	if (t->length + n > room) {
		size_t drop = t->length + n - room;
		memmove(tail, tail + drop, t->length - drop);
		t->length -= drop;
	}
	memcpy(tail + t->length, bytes, n);
	t->length += n;
	tail[t->length] = '\0';
}

/* Read what there is. False at the end: it closed both; what remains is to wait for it. */
static bool hear(struct talk *t)
{
	char bytes[READ_BYTES];
	ssize_t n = read(t->output, bytes, sizeof(bytes));

	if (n > 0)
		keep_tail(t, bytes, (size_t)n);
	if (n == 0)
		fd_close(&t->output);
	return n > 0;
}

static void feed(struct talk *t)
{
	ssize_t n = write(t->input, t->text, t->left);

	if (n < 0 && errno != EAGAIN && errno != EINTR)
		t->left = 0; /* EPIPE: it does not care for its stdin */
	if (n > 0) {
		t->text += n;
		t->left -= (size_t)n;
	}
}

/* What is in the pipe now. No more: a grandchild may hold it open, and fill it, for ever. */
static void drain(struct talk *t)
{
	struct pollfd p = {.fd = t->output, .events = POLLIN};

	for (int i = 0; i < PIPE_BYTES / READ_BYTES && t->output >= 0 && poll(&p, 1, 0) > 0; i++)
		hear(t);
}

/* For poll: -1 without a deadline, 0 when it has passed. */
static int time_left(const struct child_program *p, long long deadline)
{
	long long rest = deadline - now_ms();

	return p->timeout_ms < 0 ? -1 : rest > 0 ? (int)rest : 0;
}

/* Feed stdin and collect output until the program has ended (the pidfd is readable), or has to. */
static void converse(struct talk *t, pid_t pid, int pidfd)
{
	const struct child_program *p = t->program;
	long long deadline = now_ms() + p->timeout_ms;

	for (;;) {
		if (!t->left)
			fd_close(&t->input);
		struct pollfd fds[] = {{.fd = pidfd, .events = POLLIN}, {.fd = t->output, .events = POLLIN},
			{.fd = t->input, .events = POLLOUT},
			{.fd = p->abandon_fd > 0 ? p->abandon_fd : -1, .events = POLLIN}};
		int n = poll(fds, 4, time_left(p, deadline));
		bool broken = n < 0 && errno != EINTR;
		if (fds[0].revents) {
			drain(t);
			return;
		}
		t->result->abandoned = fds[3].revents;
		t->result->timed_out = time_left(p, deadline) == 0; /* however busily it writes */
		if (t->result->abandoned || t->result->timed_out || broken) {
			kill(-pid, SIGKILL);
			return;
		}
		if (fds[1].revents)
			hear(t);
		if (fds[2].revents)
			feed(t);
	}
}

/* Returns 0 or -errno: somebody may have set SIGCHLD to be ignored, and then the kernel keeps no status. */
static int wait_for(pid_t pid, int *status)
{
	while (waitpid(pid, status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

static int attend(
	const struct child_program *p, pid_t pid, int *input, int *output, struct child_result *result)
{
	struct talk t = {.program = p, .result = result, .text = p->input ? p->input : ""};
	fd_auto int pidfd = sys_pidfd_open(pid, 0);

	t.left = strlen(t.text);
	t.input = fd_take(input);
	t.output = fd_take(output);
	if (pidfd >= 0)
		converse(&t, pid, pidfd);
	else
		kill(-pid, SIGKILL);
	fd_close(&t.input);
	fd_close(&t.output);
	int r = wait_for(pid, &result->status);
	return r < 0 || pidfd >= 0 ? r : pidfd;
}

int child_run(const struct child_program *p, struct child_result *result)
{
	fd_auto int in_read = -1, in_write = -1, out_read = -1, out_write = -1;
	int in[2], out[2];
	volatile int failed = 0;

	memset(result, 0, sizeof(*result));
	if (pipe2(in, O_CLOEXEC) < 0)
		return -errno;
	in_read = in[0], in_write = in[1];
	if (pipe2(out, O_CLOEXEC) < 0)
		return -errno;
	out_read = out[0], out_write = out[1];
	fcntl(in_write, F_SETFL, O_NONBLOCK);

	/* A write to a hook that has closed its stdin must be EPIPE here, not our end. */
	sigset_t pipe_signal, before;
	sigemptyset(&pipe_signal);
	sigaddset(&pipe_signal, SIGPIPE);
	sigprocmask(SIG_BLOCK, &pipe_signal, &before);

	pid_t pid = vfork();
	if (pid == 0) {
		exec_program(p, in_read, out_write);
		failed = errno;
		_exit(127);
	}
	int r = pid < 0 ? -errno : -failed;
	fd_close(&in_read);
	fd_close(&out_write);
	if (r == 0)
		r = attend(p, pid, &in_write, &out_read, result);
	else if (pid > 0)
		wait_for(pid, &result->status);
	struct timespec at_once = {0};
	if (!sigismember(&before, SIGPIPE))
		sigtimedwait(&pipe_signal, NULL, &at_once);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return r;
}

/*
 * foreground.c - see foreground.h.
 */
#include "libcontainer/run/foreground.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sys.h"
#include "libcontainer/run/notify.h"

/* Signals that speak of this process's own doings are not for the container. */
static bool is_ours(uint32_t sig)
{
	return sig == SIGCHLD || sig == SIGTTIN || sig == SIGTTOU || sig == SIGPIPE;
}

static void take_signals(const struct foreground *f)
{
	struct signalfd_siginfo info;

	while (read(f->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGWINCH && f->has_console)
			console_take_size(f->console.master);
		else if (!is_ours(info.ssi_signo))
			sys_pidfd_send_signal(f->run->pidfd, (int)info.ssi_signo, NULL, 0);
	}
}

/* Orphans of the container end up here when it has no pid namespace of its own. */
static void reap_orphans(const struct run *run)
{
	siginfo_t info;

	for (;;) {
		info.si_pid = 0;
		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || !info.si_pid ||
			info.si_pid == run->pid)
			return;
		waitpid(info.si_pid, NULL, WNOHANG);
	}
}

/* Who asks for an end now means us: the container has had its own. */
static bool is_asked_to_end(const struct foreground *f)
{
	struct signalfd_siginfo info;
	bool asked = false;

	while (read(f->signals, &info, sizeof(info)) == sizeof(info))
		asked |= info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT || info.ssi_signo == SIGHUP ||
			 info.ssi_signo == SIGQUIT;
	return asked;
}

static void drain(struct foreground *f)
{
	while (!console_drain(&f->console, f->signals))
		if (is_asked_to_end(f))
			return;
}

/* A reader that went away is no reason to end by its signal, instead of with the container's exit code. */
static void forget_broken_pipe(void)
{
	const struct timespec now = {0};
	sigset_t pipe;

	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	sigtimedwait(&pipe, NULL, &now);
}

#define OURS 3 /* fds before the terminal's */

static int wait_for_end(struct foreground *f, struct err *err)
{
	for (;;) {
		struct pollfd fds[OURS + CONSOLE_POLLS] = {{.fd = f->run->pidfd, .events = POLLIN},
			{.fd = f->signals, .events = POLLIN}, {.fd = f->run->notify_fd, .events = POLLIN}};
		if (f->has_console)
			console_poll(&f->console, fds + OURS);
		int n = poll(fds, f->has_console ? OURS + CONSOLE_POLLS : OURS, -1);
		if (n < 0 && errno != EINTR)
			return err_sys(err, errno, "cannot wait for the container");
		if (n < 0)
			continue;
		if (fds[1].revents)
			take_signals(f);
		if (fds[1].revents && f->reap)
			reap_orphans(f->run);
		if (f->has_console)
			console_move(&f->console, fds + OURS);
		if (fds[2].revents) /* this process is the service's, and stays it */
			notify_forward(f->run->notify_fd, f->run->notify, 0);
		if (fds[0].revents)
			return 0;
	}
}

static int take_exit_status(const struct run *run, int *exit_status, struct err *err)
{
	siginfo_t info = {0};

	if (waitid(P_PIDFD, (id_t)run->pidfd, &info, WEXITED) < 0)
		return err_sys(err, errno, "cannot wait for the container's process");
	*exit_status = info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
	return 0;
}

void foreground_begin(struct foreground *f, struct run *run, bool forward_signals, bool reap)
{
	sigset_t all;

	f->run = run;
	f->signals = -1;
	f->reap = reap;
	if (!forward_signals)
		return;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &f->mask_before);
	f->signals = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
}

void foreground_end(struct foreground *f)
{
	if (f->has_console)
		console_end(&f->console);
	if (f->signals >= 0) {
		forget_broken_pipe();
		sigprocmask(SIG_SETMASK, &f->mask_before, NULL);
	}
	fd_close(&f->signals);
}

int foreground_console(struct foreground *f, struct err *err)
{
	if (f->run->console_fd < 0)
		return 0;
	f->has_console = true;
	int r = console_begin(&f->console, f->run->console_fd);
	return r < 0 ? err_sys(err, r, "cannot be the other side of the container's terminal") : 0;
}

int foreground_wait(struct foreground *f, int *exit_status, struct err *err)
{
	int r = wait_for_end(f, err);

	if (r == 0 && f->has_console)
		drain(f);
	return r < 0 ? r : take_exit_status(f->run, exit_status, err);
}

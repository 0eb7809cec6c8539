/*
 * run.c - see run.h.
 */
#include "libcontainer/run/run.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "libcontainer/run/delete.h"
#include "libcontainer/run/foreground.h"
#include "libcontainer/run/notify.h"
#include "libcontainer/run/timing.h"

/* What is left of a container that has ended while we stayed. */
static int clean_up(struct run *run, struct err *err)
{
	/* Somebody else may have deleted it meanwhile, and the id be another container's by now. */
	int r = state_relock(run->dir_fd, err);

	if (r == -ENOENT)
		return 0;
	return r < 0 ? r
		     : run_teardown(run->arena, run->root_fd, run->dir_fd, &run->state, &run->report, err);
}

/* The program runs; what fails from here on ends it. */
static int started(struct foreground *f, struct err *err)
{
	struct run *run = f->run;
	struct err ignored;

	state_unlock(run->dir_fd); /* others may kill and delete it meanwhile, even while a hook hangs */
	int r = run_poststart_hooks(run->arena, run->dir_fd, &run->state, err);
	if (r == 0)
		r = foreground_console(f, err);
	if (r < 0)
		clean_up(run, &ignored);
	if (r == 0 && run->mode == RUN_DETACH && run->notify_fd >= 0) {
		notify_until_ready(run->notify_fd, run->pidfd, run->notify, run->pid);
		unlinkat(run->dir_fd, STATE_NOTIFY_SOCKET, 0); /* nobody listens any more */
	}
	return r;
}

int run_run(struct run *run, const struct crt_context *context, const struct crt_create_options *options,
	const struct crt_run_options *run_options, int *exit_status, struct err *err)
{
	bool stay = run->mode == RUN_FOREGROUND;
	struct foreground *f = arena_new(run->arena, struct foreground);

	*exit_status = 0;
	if (stay && run_options->subreaper)
		prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	int r = run_create(run, context, options, err);
	if (r < 0)
		return r;
	foreground_begin(f, run, stay && run_options->forward_signals, run_options->subreaper);
	r = run_go(run, err);
	if (r == 0)
		r = started(f, err);
	if (r == 0 && stay) {
		r = foreground_wait(f, exit_status, err);
		run_mark(run, "see the program end");
		if (r == 0 && !run_options->keep)
			r = clean_up(run, err);
	}
	run_mark(run, stay && !run_options->keep ? "delete what is left of the container" : "done");
	foreground_end(f);
	return r;
}

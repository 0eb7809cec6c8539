/*
 * mounts.c - see mounts.h. As exec, it compiles a plan and walks it; the process that does init's part ends
 * with it.
 */
#include "libcontainer/run/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>

#include "base/fd.h"
#include "libcontainer/public.h"
#include "libcontainer/run/protect.h"
#include "specs/json.h"

static int compile(
	struct run *run, const struct crt_context *context, const char *file, bool remove, struct err *err)
{
	const struct json_doc *doc = NULL;
	struct spec_mount *mounts = NULL;
	size_t count = 0;
	struct plan_options options = {.id = run->state.id, .bundle = run->state.bundle};
	struct plan_exec_options exec = {.pid = run->state.pid};

	int r = spec_config_read(
		run->arena, run->dir_fd, STATE_CONFIG, "config.json", &run->report, &run->config);
	if (r < 0)
		return public_first_error(&run->report, err);
	r = spec_mounts_read(run->arena, file, &run->report, &doc, &mounts, &count);
	if (r == 0 && !remove)
		r = spec_mounts_check(doc, mounts, count, run->config->linux_, &run->report);
	if (r < 0)
		return public_first_error(&run->report, err);
	r = host_gather(&run->host, run->arena, HOST_USER, err);
	if (r < 0)
		return r;
	exec.config = run->config;
	plan_change_mounts(run->arena, &exec, doc, mounts, count, remove, &run->host, &options, &run->report,
		&run->plan);
	r = public_first_error(&run->report, err);
	if (r == 0)
		public_log_plan(context, run->plan);
	return r;
}

/* It has said that all is done, or what failed, and ends; or it has no more to say once we are gone. */
static void reap(struct run *run)
{
	siginfo_t info;

	fd_close(&run->socket);
	while (run->pidfd >= 0 && waitid(P_PIDFD, (id_t)run->pidfd, &info, WEXITED) < 0 && errno == EINTR)
		;
}

int run_mounts(struct run *run, const struct crt_context *context, const char *id, const char *file,
	bool remove, struct err *err)
{
	enum spec_status status;

	int r = run_protect(context->argv, &run->mount_fd, err);
	if (r == 0)
		r = run_find(run, context, id, "change the mounts of", &status, err);
	if (r == 0)
		r = compile(run, context, file, remove, err);
	if (r == 0)
		r = run_prepare(run, err);
	if (r < 0)
		return r;
	r = run_walk(run, err);
	reap(run);
	return r;
}

/*
 * libcontainer.c - the life of a container, as libcontainer.h offers it: thin wrappers around run/.
 *
 * What this file decides is how an inner error becomes an outer one. The documents (features, spec, explain,
 * check) are in documents.c, what is known about containers (state, list) in list.c.
 */
#include "libcontainer/libcontainer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "libcontainer/host/host.h"
#include "libcontainer/public.h"
#include "libcontainer/run/create.h"
#include "libcontainer/run/delete.h"
#include "libcontainer/run/events.h"
#include "libcontainer/run/exec.h"
#include "libcontainer/run/kill.h"
#include "libcontainer/run/mounts.h"
#include "libcontainer/run/pause.h"
#include "libcontainer/run/protect.h"
#include "libcontainer/run/ps.h"
#include "libcontainer/run/run.h"
#include "libcontainer/run/start.h"
#include "libcontainer/run/timing.h"
#include "libcontainer/run/update.h"
#include "libcontainer/seccomp/seccomp.h"
#include "specs/config.h"

/* Texts that both have, and are as long in both. */
#define SAME_SIZE(member, inner)                                                                             \
	_Static_assert(sizeof(((struct crt_error *)0)->member) == sizeof(((struct err *)0)->inner), #member)
SAME_SIZE(target, target);
SAME_SIZE(call, call);
SAME_SIZE(message, message);
SAME_SIZE(cause, cause);
SAME_SIZE(hint, hint);
SAME_SIZE(file, where.file);
SAME_SIZE(path, where.path);
SAME_SIZE(source, where.source);

void public_error(struct crt_error *to, const struct err *from)
{
	if (!to)
		return;
	to->code = from->code;
	snprintf(to->phase, sizeof(to->phase), "%s", from->phase ? from->phase : "");
	snprintf(to->object, sizeof(to->object), "%s", from->object ? from->object : "");
	memcpy(to->target, from->target, sizeof(to->target));
	memcpy(to->call, from->call, sizeof(to->call));
	memcpy(to->message, from->message, sizeof(to->message));
	memcpy(to->cause, from->cause, sizeof(to->cause));
	memcpy(to->hint, from->hint, sizeof(to->hint));
	memcpy(to->file, from->where.file, sizeof(to->file));
	memcpy(to->path, from->where.path, sizeof(to->path));
	memcpy(to->source, from->where.source, sizeof(to->source));
	to->line = from->where.line;
	to->column = from->where.column;
	to->caret = from->where.caret;
}

int public_result(int r, const struct err *from, struct crt_error *to)
{
	if (r < 0)
		public_error(to, from);
	return r;
}

int public_text(const char *text, char **copy, struct err *err)
{
	*copy = strdup(text);
	return *copy ? 0 : err_sys(err, ENOMEM, "cannot return a text of %zu bytes", strlen(text));
}

int public_host(const struct crt_context *context, struct arena *arena, struct host *host, struct err *err)
{
	struct report report;

	*host = (struct host){0};
	if (!context->host_file)
		return host_gather(host, arena, HOST_ALL, err);
	report_init(&report, arena);
	host_read(host, arena, context->host_file, &report);
	return report_first_error(&report, err);
}

size_t crt_error_format(const struct crt_error *e, bool lines, char *buf, size_t size)
{
	struct err err = {
		.code = e->code, .where = {.line = e->line, .column = e->column, .caret = e->caret}};

	memcpy(err.message, e->message, sizeof(err.message));
	memcpy(err.cause, e->cause, sizeof(err.cause));
	memcpy(err.hint, e->hint, sizeof(err.hint));
	memcpy(err.where.file, e->file, sizeof(err.where.file));
	memcpy(err.where.path, e->path, sizeof(err.where.path));
	memcpy(err.where.source, e->source, sizeof(err.where.source));
	return err_format(&err, lines, buf, size);
}

const char *crt_error_name(const struct crt_error *err)
{
	return str_errno_name(err->code);
}

/* A failure with the phase it belongs to, unless a deeper one is known. */
static int result_of(int r, const char *phase, struct err *err, struct crt_error *error)
{
	if (r < 0)
		err_phase(err, phase);
	return public_result(r, err, error);
}

int crt_protect(char *const argv[], struct crt_error *error)
{
	struct err err = {0};

	return result_of(run_protect(argv, NULL, &err), "protect", &err, error);
}

static bool wants(const struct crt_context *context, enum crt_log_level level)
{
	return context->log && context->log_level >= level;
}

/* What went wrong, or is odd, without being fatal. */
static void log_report(const struct crt_context *context, const struct report *report)
{
	char line[sizeof(struct err)];

	for (const struct report_problem *p = report->first; p; p = p->next) {
		enum crt_log_level level = p->severity == REPORT_NOTE ? CRT_LOG_DEBUG : CRT_LOG_WARNING;
		if (p->severity == REPORT_ERROR || !wants(context, level))
			continue;
		err_format(&p->err, false, line, sizeof(line));
		context->log(context->log_data, level, line);
	}
}

void public_log_plan(const struct crt_context *context, const struct plan *plan)
{
	static const char *const who[] = {
		[PLAN_PARENT] = "parent", [PLAN_INIT] = "init", [PLAN_BOTH] = "both"};
	char line[1024];

	if (!wants(context, CRT_LOG_DEBUG))
		return;
	plan_for_each_op (plan, op) {
		int n = snprintf(line, sizeof(line), "%s: ", who[op->who]);
		plan_print_op(op, line + n, sizeof(line) - (size_t)n);
		context->log(context->log_data, CRT_LOG_DEBUG, line);
	}
}

/* The end of a call that made a process: what there is to be told, and everything given back. */
static int finish(const struct crt_context *context, struct run *run, int r, const char *phase,
	struct err *err, struct crt_error *error)
{
	log_report(context, &run->report);
	run_timing_tell(run, context);
	run_end(run);
	return result_of(r, phase, err, error);
}

int crt_create(
	const struct crt_context *context, const struct crt_create_options *options, struct crt_error *error)
{
	struct err err = {0};
	struct run run;

	int r = run_begin(&run, RUN_CREATE, &err);
	if (r == 0)
		run_timing_begin(&run, context);
	if (r == 0)
		r = run_create(&run, context, options, &err);
	if (r == 0)
		r = run_go(&run, &err);
	return finish(context, &run, r, "create", &err, error);
}

int crt_run(const struct crt_context *context, const struct crt_create_options *options,
	const struct crt_run_options *run_options, int *exit_status, struct crt_error *error)
{
	struct err err = {0};
	struct run run;

	int r = run_begin(&run, run_options->detach ? RUN_DETACH : RUN_FOREGROUND, &err);
	if (r == 0)
		run_timing_begin(&run, context);
	if (r == 0)
		r = run_run(&run, context, options, run_options, exit_status, &err);
	return finish(context, &run, r, "create", &err, error);
}

int crt_exec(const struct crt_context *context, const char *id, const struct crt_exec_options *options,
	int *exit_status, struct crt_error *error)
{
	struct err err = {0};
	struct run run;

	int r = run_begin(&run, options->detach ? RUN_DETACH : RUN_FOREGROUND, &err);
	if (r == 0)
		run_timing_begin(&run, context);
	if (r == 0)
		r = run_exec(&run, context, id, options, exit_status, &err);
	return finish(context, &run, r, "join", &err, error);
}

static int change_mounts(const struct crt_context *context, const char *id, const char *file, bool remove,
	struct crt_error *error)
{
	struct err err = {0};
	struct run run;

	int r = run_begin(&run, RUN_DETACH, &err);
	if (r == 0)
		r = run_mounts(&run, context, id, file, remove, &err);
	return finish(context, &run, r, "mounts", &err, error);
}

int crt_mounts_add(
	const struct crt_context *context, const char *id, const char *file, struct crt_error *error)
{
	return change_mounts(context, id, file, false, error);
}

int crt_mounts_remove(
	const struct crt_context *context, const char *id, const char *file, struct crt_error *error)
{
	return change_mounts(context, id, file, true, error);
}

int crt_start(const struct crt_context *context, const char *id, struct crt_error *error)
{
	struct err err = {0};

	return result_of(run_start(context->root, id, context->notify_socket, &err), "start", &err, error);
}

int crt_delete(const struct crt_context *context, const char *id, bool force, struct crt_error *error)
{
	arena_auto struct arena arena = {0};
	struct report warnings = {0};
	struct err err = {0};

	int r = arena_init(&arena, &err);
	if (r < 0)
		return result_of(r, "delete", &err, error);
	report_init(&warnings, &arena);
	r = run_delete(&arena, context->root, id, force, &warnings, &err);
	log_report(context, &warnings);
	return result_of(r, "delete", &err, error);
}

int crt_kill(const struct crt_context *context, const char *id, int sig, bool all, struct crt_error *error)
{
	struct err err = {0};

	return result_of(run_kill(context->root, id, sig, all, &err), "kill", &err, error);
}

int crt_pause(const struct crt_context *context, const char *id, struct crt_error *error)
{
	struct err err = {0};

	return result_of(run_pause(context->root, id, true, &err), "pause", &err, error);
}

int crt_resume(const struct crt_context *context, const char *id, struct crt_error *error)
{
	struct err err = {0};

	return result_of(run_pause(context->root, id, false, &err), "resume", &err, error);
}

int crt_pids(const struct crt_context *context, const char *id, pid_t **pids, size_t *count,
	struct crt_error *error)
{
	struct err err = {0};

	return result_of(run_pids(context->root, id, pids, count, &err), "ps", &err, error);
}

static void log_shrink(const struct crt_context *context, const struct cg_shrink *s)
{
	char line[160];

	if (!s->wanted || !wants(context, CRT_LOG_INFO))
		return;
	snprintf(line, sizeof(line), "memory in use went from %ju to %ju bytes; the limit asked for is %ju",
		(uintmax_t)s->before, (uintmax_t)s->reached, (uintmax_t)s->wanted);
	context->log(context->log_data, CRT_LOG_INFO, line);
}

int crt_update(const struct crt_context *context, const char *id, const struct crt_update_options *options,
	struct crt_error *error)
{
	arena_auto struct arena arena = {0};
	struct cg_shrink shrink = {0};
	struct report report = {0};
	struct err err = {0};

	int r = arena_init(&arena, &err);
	if (r < 0)
		return result_of(r, "update", &err, error);
	report_init(&report, &arena);
	r = run_update(&arena, context->root, id, options, &shrink, &report, &err);
	log_report(context, &report);
	log_shrink(context, &shrink);
	return result_of(r, "update", &err, error);
}

int crt_stats_json(const struct crt_context *context, const char *id, char **text, struct crt_error *error)
{
	arena_auto struct arena arena = {0};
	struct err err = {0};
	const char *line = NULL;

	int r = arena_init(&arena, &err);
	if (r == 0)
		r = run_stats_text(&arena, context->root, id, &line, &err);
	if (r == 0)
		r = public_text(line, text, &err);
	return result_of(r, "events", &err, error);
}

int crt_events(const struct crt_context *context, const char *id, unsigned interval_ms, crt_event_fn *event,
	void *data, struct crt_error *error)
{
	struct err err = {0};

	int r = run_events(context->root, id, interval_ms, event, data, &err);
	return r < 0 && err.code ? result_of(r, "events", &err, error) : r;
}

void crt_free(char *text)
{
	free(text);
}

const char *crt_version(void)
{
	return CRT_VERSION;
}

size_t crt_version_text(char *buf, size_t size)
{
	char seccomp[32];
	struct str_buf out;

	str_buf_init(&out, buf, size);
	seccomp_version_text(seccomp, sizeof(seccomp));
	str_buf_add(&out, "crt version " CRT_VERSION "\nspec: " SPEC_VERSION "\nlibseccomp: %s\n", seccomp);
	return out.length;
}

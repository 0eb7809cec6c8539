/*
 * check.c - `check`: all problems of a bundle, in the order of the document.
 *
 * Four passes, each of which finds what the one before cannot: the reader (shape), spec_config_check (rules
 * between members), this file (what this host lacks, what the bundle lacks) and the plan's compiler. The last
 * one takes a document without errors for granted: it is given what is left of it without them (prune.c).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/str.h"
#include "libcontainer/cgroup/resources.h"
#include "libcontainer/host/host.h"
#include "libcontainer/plan/plan.h"
#include "libcontainer/public.h"
#include "specs/config.h"
#include "specs/json.h"

/* What the passes share. */
struct check {
	struct arena *arena;
	const struct spec_config *config;
	const struct json_doc *doc;
	const struct host *host;
	struct report *report;
};

static void check_namespaces(const struct check *c)
{
	const struct spec_linux *l = c->config->linux_;

	for (size_t i = 0; i < l->namespaces_count; i++) {
		const struct spec_namespace *ns = &l->namespaces[i];
		const char *file = spec_namespace_file(ns->type);
		if (file && !str_has_word(c->host->namespaces, file))
			json_error(c->report, c->doc, ns->node, "this kernel has no %s namespaces",
				spec_namespace_name(ns->type));
		if (ns->type != SPEC_NS_USER || ns->path)
			continue;
		if (!c->host->max_user_namespaces)
			err_hint(json_error(c->report, c->doc, ns->node,
					 "this host allows no new user namespaces"),
				"sysctl user.max_user_namespaces=15000");
		else if (c->host->euid != 0 && !c->host->unprivileged_user_namespaces)
			err_hint(json_error(c->report, c->doc, ns->node,
					 "this host allows new user namespaces for root only"),
				"sysctl kernel.unprivileged_userns_clone=1");
		else if (c->host->euid != 0 && c->host->apparmor_restricts_namespaces)
			err_hint(json_warning(c->report, c->doc, ns->node,
					 "AppArmor takes the privileges in new user namespaces from "
					 "unconfined programs"),
				"sysctl kernel.apparmor_restrict_unprivileged_userns=0, or a profile for "
				"crt");
	}
}

static void check_seccomp(const struct check *c)
{
	const struct spec_seccomp *s = c->config->linux_->seccomp;
	const size_t prefix = strlen("SECCOMP_FILTER_FLAG_");

	for (unsigned i = 1; s && i <= spec_seccomp_flag_names.count; i++) {
		const char *name = spec_seccomp_flag_names.names[i];
		if ((s->flags.mask & SPEC_BIT(i)) && !str_has_word(c->host->seccomp_flags, name + prefix))
			json_error(c->report, c->doc, s->flags.node, "this kernel does not know %s", name);
	}
}

static void check_rootfs(const struct check *c, const char *bundle)
{
	const struct spec_root *root = c->config->root;
	struct stat st;

	if (!root || !root->path)
		return;
	const char *path = root->path[0] == '/' ? root->path
						: arena_printf(c->arena, "%s/%s", bundle, root->path);
	if (stat(path, &st) < 0)
		json_error(c->report, c->doc, spec_at(c->doc, root->node, "path"),
			"cannot find the root filesystem %s: %s", path, str_errno(errno));
	else if (!S_ISDIR(st.st_mode))
		json_error(c->report, c->doc, spec_at(c->doc, root->node, "path"),
			"the root filesystem %s is not a directory", path);
}

static void check_plan(const struct check *c, const struct plan_options *plan_options)
{
	struct cg_limits limits;
	struct plan *plan;

	const struct spec_config *config = c->config;
	if (c->report->errors)
		config = public_prune(c->arena, config, c->report);
	if (config) {
		plan_create(c->arena, config, c->host, plan_options, c->report, &plan);
		return;
	}
	plan_check_lsm(c->config, c->host, c->report);
	cg_resources_compile(c->arena, c->config->linux_->resources, c->doc, c->host, c->report, &limits);
}

static int check_bundle(const struct crt_context *context, struct arena *arena,
	const struct crt_create_options *options, struct report *report, struct err *err)
{
	const struct spec_config *config = NULL;
	struct plan_options plan_options = {.foreground = true, .wait_start = true};
	struct host host;

	int r = public_plan_options(options, &plan_options, err);
	if (r < 0)
		return r;
	r = public_read_bundle(arena, options, report, &plan_options.bundle, &config, err);
	if (!config || !config->linux_)
		return report->errors ? 0 : r;
	r = public_host(context, arena, &host, err);
	if (r < 0)
		return r;
	struct check c = {arena, config, config->doc, &host, report};
	spec_config_check(config, report);
	check_rootfs(&c, plan_options.bundle);
	check_namespaces(&c);
	check_seccomp(&c);
	check_plan(&c, &plan_options);
	return 0;
}

static int by_place(const void *a, const void *b)
{
	const struct report_problem *p = *(const struct report_problem *const *)a;
	const struct report_problem *q = *(const struct report_problem *const *)b;

	if (p->err.where.line != q->err.where.line)
		return p->err.where.line < q->err.where.line ? -1 : 1;
	if (p->err.where.column != q->err.where.column)
		return p->err.where.column < q->err.where.column ? -1 : 1;
	return p < q ? -1 : p > q; /* the arena grows upwards: the order in which they were found */
}

static void deliver(struct arena *arena, const struct report *report, crt_problem_fn *problem, void *data)
{
	size_t count = 0;

	for (const struct report_problem *p = report->first; p; p = p->next)
		count++;
	if (!count)
		return;
	const struct report_problem **sorted = arena_array(arena, const struct report_problem *, count);
	count = 0;
	for (const struct report_problem *p = report->first; p; p = p->next)
		sorted[count++] = p;
	qsort(sorted, count, sizeof(*sorted), by_place);
	for (size_t i = 0; i < count; i++) {
		struct crt_error e;
		public_error(&e, &sorted[i]->err);
		problem(data, sorted[i]->severity == REPORT_ERROR, &e);
	}
}

int crt_check(const struct crt_context *context, const struct crt_create_options *options,
	crt_problem_fn *problem, void *data, struct crt_error *error)
{
	arena_auto struct arena arena = {0};
	struct report report = {0};
	struct err err = {0};

	int r = arena_init(&arena, &err);
	if (r < 0)
		return public_result(r, &err, error);
	report_init(&report, &arena);
	r = check_bundle(context, &arena, options, &report, &err);
	if (r < 0)
		return public_result(r, &err, error);
	deliver(&arena, &report, problem, data);
	return (int)report.errors;
}

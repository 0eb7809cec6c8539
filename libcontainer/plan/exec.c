/*
 * exec.c - the recipe of `exec`: another process for a container that runs. Joining, and then the same
 * process part as create.
 *
 * The process on the way to the container is born in its cgroup, gives up every fd of the host and enters all
 * namespaces through init's pidfd, before it makes the one that will live in there: that one never holds
 * anything of ours (CVE-2016-9962, CVE-2024-21626, CVE-2026-46333). Nothing is mounted, on either side.
 */
#include <errno.h>

#include "base/str.h"
#include "libcontainer/plan/compile.h"

static void enter(struct plan_compiler *c, bool follow_init)
{
	const struct spec_linux *l = c->linux_;
	struct plan_op *op = plan_emit(c, OP_ENTER_CONTAINER, PLAN_PARENT, 0);

	for (size_t i = 0; i < l->namespaces_count; i++)
		op->enter_container.flags |= spec_namespace_clone_flag(l->namespaces[i].type);
	op->enter_container.slot = c->plan->container_slot;
	op->enter_container.into_cgroup = c->plan->cgroup_path != NULL;
	op->enter_container.follow_init = follow_init;
	op->enter_container.preserve = c->options->preserve_fds;
}

static void open_container(struct plan_compiler *c, const struct plan_exec_options *options)
{
	struct plan_op *op = plan_emit(c, OP_OPEN_CONTAINER, PLAN_PARENT, 0);

	c->plan->container_slot = plan_new_slot(c->plan);
	op->open_container.pid = options->pid;
	op->open_container.cgroup = options->cgroup_path;
	op->open_container.follow_init = options->follow_init;
	op->open_container.slot = c->plan->container_slot;
	c->plan->cgroup_mount = options->cgroup_mount;
	c->plan->cgroup_path = options->cgroup_path;
}

static void recipe(struct plan_compiler *c, const struct plan_exec_options *options)
{
	open_container(c, options);
	plan_seccomp(c, options->config->doc);
	plan_parent_cpus(c); /* what the process is before the cgroup has it */
	enter(c, options->follow_init);
	plan_intel_rdt(c, true);
	plan_oom_score(c); /* before the process hides, as in create */
	plan_raise_rlimits(c);
	if (c->user_namespace)
		plan_become_root(c, 0);
	plan_emit(c, OP_HIDE, PLAN_INIT, 0)->hide.preserve = c->options->preserve_fds;
	plan_cpu_affinity(c);
	if (options->user || options->group) {
		struct plan_op *op = plan_emit(c, OP_FIND_USER, PLAN_INIT, 0);
		op->find_user.user = options->user;
		op->find_user.group = options->group;
	}
	plan_process(c);
}

struct plan_compiler plan_for_running(struct arena *arena, struct spec_config *config,
	const struct json_doc *doc, const struct host *host, const struct plan_options *options,
	struct report *report)
{
	struct plan *plan = arena_new(arena, struct plan);

	if (doc != config->doc) {
		struct spec_linux *elsewhere = arena_new(arena, struct spec_linux);
		*elsewhere = *config->linux_;
		elsewhere->node = 0; /* has no place in this document */
		config->linux_ = elsewhere;
		config->doc = doc;
	}
	struct plan_compiler c = {
		.plan = plan,
		.arena = arena,
		.config = config,
		.linux_ = config->linux_,
		.doc = doc,
		.host = host,
		.options = options,
		.report = report,
		.rootfs_slot = PLAN_NO_SLOT,
		.running = true,
		.user_namespace = spec_namespace_find(config->linux_, SPEC_NS_USER) != NULL,
		.unprivileged = !host->cap_sys_admin,
	};
	*plan = (struct plan){.arena = arena,
		.doc = doc,
		.start_slot = PLAN_NO_SLOT,
		.has_user_namespace = c.user_namespace};
	return c;
}

int plan_exec(struct arena *arena, const struct plan_exec_options *exec, const struct spec_process *process,
	const struct json_doc *doc, const struct host *host, const struct plan_options *options,
	struct report *report, struct plan **ret_plan)
{
	struct spec_config *config = arena_new(arena, struct spec_config);
	unsigned errors = report->errors;

	/* The container's document, but for its process, which may come from another one. */
	*config = *exec->config;
	config->process = (struct spec_process *)process;
	config->hooks = NULL;
	struct plan_compiler c = plan_for_running(arena, config, doc, host, options, report);
	c.lacks_setgroups = c.user_namespace && plan_lacks_setgroups(&c);
	plan_check_lsm(config, host, report);
	recipe(&c, exec);
	plan_empty_slots(c.plan);
	*ret_plan = c.plan;
	return report->errors > errors ? -EINVAL : 0;
}

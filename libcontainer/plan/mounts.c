/*
 * mounts.c - the recipe of `mounts add` and `mounts remove`: mounts of a container that runs.
 *
 * The container's processes are at work meanwhile, and hostile. So the one that mounts enters their mount
 * namespace, but neither their pid namespace nor their cgroup: nobody in there can see it, and it may hold
 * the sources. It uses paths as create does, beneath the root, by fd. Refused is what would be different if
 * done from there: a filesystem that looks up a path by itself would find what the container has put there,
 * with privileges that the container does not have, and a new procfs would be that of the host.
 */
#include <errno.h>
#include <sched.h>
#include <sys/mount.h>

#include "base/str.h"
#include "libcontainer/plan/compile.h"

static const char *const filesystems[] = {"devpts", "mqueue", "ramfs", "sysfs", "tmpfs", NULL};

static void check(struct plan_compiler *c, const struct spec_mount *m)
{
	struct err *e = NULL;

	if (spec_mount_has(m, "tmpcopyup") || spec_mount_has(m, "remount"))
		json_error(c->report, c->doc, spec_at(c->doc, m->node, "options"),
			"a running container gets new mounts only: no remount, no tmpcopyup");
	else if (!spec_mount_bind(m) && !str_is_one_of(m->type ? m->type : "", filesystems))
		e = json_error(c->report, c->doc, spec_at(c->doc, m->node, "type"),
			"a running container cannot get a filesystem of the type \"%s\"",
			m->type ? m->type : "");
	else if (!m->uid_mappings_count && (spec_mount_has(m, "idmap") || spec_mount_has(m, "ridmap")))
		json_error(c->report, c->doc, m->node,
			"for a running container an id-mapped mount needs uidMappings and gidMappings of its "
			"own");
	if (e)
		err_hint(e, "bind mounts, tmpfs, devpts, mqueue and sysfs can be added");
}

static void open_container(struct plan_compiler *c, pid_t pid)
{
	struct plan_op *op = plan_emit(c, OP_OPEN_CONTAINER, PLAN_PARENT, 0);

	c->plan->container_slot = plan_new_slot(c->plan);
	op->open_container.pid = pid;
	op->open_container.slot = c->plan->container_slot;
}

/* A filesystem belongs to the namespaces of who makes it: sysfs to that of the network, mqueue to that of
 * IPC. */
static uint64_t namespaces(const struct plan_compiler *c)
{
	static const enum spec_namespace_type wanted[] = {SPEC_NS_USER, SPEC_NS_NETWORK, SPEC_NS_IPC};
	uint64_t flags = 0;

	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
		if (plan_namespace_private(c, wanted[i]))
			flags |= spec_namespace_clone_flag(wanted[i]);
	return flags;
}

/* Who has no privileges over the host's mounts clones them from a copy of his own, and goes on from there. */
static void enter(struct plan_compiler *c, bool from_own_mounts)
{
	struct plan_op *op = plan_emit(c, OP_ENTER_CONTAINER, PLAN_PARENT, 0);

	op->enter_container.flags = namespaces(c) | (from_own_mounts ? 0 : (uint64_t)CLONE_NEWNS);
	op->enter_container.slot = c->plan->container_slot;
	op->enter_container.unseen = true;
	op->enter_container.new_mounts = from_own_mounts;
	if (c->user_namespace)
		plan_become_root(c, 0);
	plan_emit(c, OP_HIDE, PLAN_INIT, 0);
	if (!from_own_mounts)
		return;
	op = plan_emit(c, OP_SET_PROPAGATION, PLAN_INIT, 0);
	op->set_propagation.propagation = MS_SLAVE;
	op->set_propagation.recursive = true;
	plan_open_sources(c, PLAN_INIT);
	plan_emit(c, OP_JOIN_NAMESPACE, PLAN_INIT, 0)->join_namespace = (struct plan_join){
		.type = CLONE_NEWNS, .slot = c->plan->container_slot};
}

static void recipe(struct plan_compiler *c, pid_t pid, bool remove)
{
	bool from_own_mounts = c->unprivileged && !remove;

	if (!remove && !from_own_mounts)
		plan_open_sources(c, PLAN_PARENT);
	open_container(c, pid);
	enter(c, from_own_mounts);
	plan_emit(c, OP_OPEN_ROOT, PLAN_INIT, 0);
	if (!remove)
		plan_mounts(c);
	for (size_t i = 0; remove && i < c->config->mounts_count; i++)
		plan_emit(c, OP_UNMOUNT, PLAN_INIT, c->config->mounts[i].node)
			->unmount.path = c->config->mounts[i].destination;
	plan_emit(c, OP_SYNC, PLAN_BOTH, 0)->sync.point = SYNC_READY;
}

int plan_change_mounts(struct arena *arena, const struct plan_exec_options *exec, const struct json_doc *doc,
	const struct spec_mount *mounts, size_t count, bool remove, const struct host *host,
	const struct plan_options *options, struct report *report, struct plan **ret_plan)
{
	struct spec_config *config = arena_new(arena, struct spec_config);
	unsigned errors = report->errors;

	/* The container's document, but for its mounts, which come from another one. */
	*config = *exec->config;
	config->mounts = (struct spec_mount *)mounts;
	config->mounts_count = count;
	struct plan_compiler c = plan_for_running(arena, config, doc, host, options, report);
	for (size_t i = 0; !remove && i < count; i++)
		check(&c, &mounts[i]);
	if (report->errors == errors)
		recipe(&c, exec->pid, remove);
	plan_empty_slots(c.plan);
	*ret_plan = c.plan;
	return report->errors > errors ? -EINVAL : 0;
}

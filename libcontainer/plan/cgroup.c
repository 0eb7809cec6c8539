/*
 * cgroup.c - the container's cgroup: who makes it and where, its limits, and whom it is given to
 * (config-linux.md, "Control groups"). Which file a limit is, libcontainer/cgroup/resources.c says.
 */
#include <string.h>

#include "base/str.h"
#include "libcontainer/cgroup/cgroup.h"
#include "libcontainer/cgroup/devices.h"
#include "libcontainer/cgroup/resources.h"
#include "libcontainer/cgroup/unit.h"
#include "libcontainer/plan/compile.h"

static void warn_of_devices(struct plan_compiler *c)
{
	const struct spec_resources *r = c->linux_->resources;

	if (r && r->devices_count && !c->unprivileged && !c->host->user_namespace)
		json_warning(c->report, c->doc, spec_at(c->doc, r->node, "devices"),
			"device rules need a cgroup of the container's own; without one they are not kept");
}

/* Nobody makes a cgroup: what would have been written to it cannot be kept. */
static void refuse_limits(struct plan_compiler *c, const struct cg_limits *limits)
{
	if (limits->count) {
		struct err *e = json_error(c->report, c->doc, limits->writes[0].node,
			"a limit needs a cgroup of the container's own, and the cgroup manager \"none\" "
			"makes "
			"none");
		err_hint(e, "remove the limits, or choose another --cgroup-manager");
	}
	warn_of_devices(c);
}

static void emit_cgroup(struct plan_compiler *c, uint32_t node, const struct cg_limits *limits, bool optional)
{
	bool self = c->options->cgroup_manager == CG_SELF;
	const char *unit = self ? cg_unit_of(c->arena, c->host->cgroup_own) : "";

	if (self) {
		struct plan_op *op = plan_emit(c, OP_SPLIT_CGROUP, PLAN_PARENT, 0);
		op->split_cgroup.mount = c->host->cgroup_mount;
		op->split_cgroup.unit = unit;
	}
	struct plan_op *op = plan_emit(c, OP_MAKE_CGROUP, PLAN_PARENT, node);
	op->make_cgroup.mount = c->host->cgroup_mount;
	op->make_cgroup.path = c->plan->cgroup_path;
	op->make_cgroup.given = strlen(unit);
	op->make_cgroup.controllers = limits->controllers ? limits->controllers : "";
	op->make_cgroup.optional = optional;
}

/* The cgroup is made with the unit, and that when there is a process to put into it: see plan_unit(). */
static void find_unit(struct plan_compiler *c, uint32_t node)
{
	struct cg_unit *unit = arena_new(c->arena, struct cg_unit);
	const struct cg_unit_wish wish = {.host = c->host,
		.cgroups_path = c->linux_->cgroups_path,
		.id = c->options->id,
		.doc = c->doc,
		.node = node,
		.annotations = c->config->annotations,
		.annotations_count = c->config->annotations_count,
		.limits = &c->limits};

	if (!c->host->cgroup_mount) {
		json_error(c->report, c->doc, node ? node : JSON_NONE, "this host has no cgroup v2 mounted");
		return;
	}
	if (cg_unit_compile(c->arena, &wish, c->report, unit) < 0)
		return;
	c->plan->unit = unit;
	c->plan->cgroup_mount = c->host->cgroup_mount;
	c->plan->cgroup_path = unit->path;
}

void plan_unit(struct plan_compiler *c)
{
	if (!c->plan->unit)
		return;
	struct plan_op *op = plan_emit(
		c, OP_START_UNIT, PLAN_PARENT, plan_asked(c, c->linux_->node, "cgroupsPath"));
	op->start_unit.unit = c->plan->unit;
	op->start_unit.controllers = c->limits.controllers ? c->limits.controllers : "";
}

/* With --rootless true also one that is named; without a word, who has privileges has a cgroup. */
static bool may_lack(const struct plan_compiler *c)
{
	if (c->options->needs_cgroup || c->options->may_lack_cgroup)
		return c->options->may_lack_cgroup;
	return (c->unprivileged || c->host->user_namespace) && !c->linux_->cgroups_path;
}

/* A user without privileges may have no cgroup to put things into; that matters once limits are asked for. */
void plan_cgroup(struct plan_compiler *c)
{
	enum cg_manager manager = c->options->cgroup_manager;
	const struct spec_linux *l = c->linux_;
	uint32_t node = plan_asked(c, l->node, "cgroupsPath");
	struct cg_limits limits = {0};
	struct err err;

	cg_resources_compile(c->arena, l->resources, c->doc, c->host, c->report, &limits);
	if (manager == CG_NONE) {
		refuse_limits(c, &limits);
		return;
	}
	if (manager == CG_SYSTEMD) {
		c->limits = limits;
		find_unit(c, node);
		return;
	}
	bool optional = manager == CG_CGROUPFS && may_lack(c) && !limits.count &&
			!c->config->known.delegate_cgroup;
	const char *path = NULL;
	if (cg_path(c->arena, c->host, manager, l->cgroups_path, c->options->id, c->doc, node, &path, &err) <
		0) {
		if (!optional)
			*report_add(c->report, REPORT_ERROR) = err;
		return;
	}
	if (c->options->may_lack_cgroup)
		warn_of_devices(c);
	c->plan->cgroup_mount = c->host->cgroup_mount;
	c->plan->cgroup_path = path;
	c->limits = limits;
	emit_cgroup(c, node, &limits, optional);
}

/* The container's user, as the host knows it; false when it is not mapped. */
static bool host_uid(const struct spec_linux *l, uint32_t uid, uid_t *mapped)
{
	for (size_t i = 0; i < l->uid_mappings_count; i++) {
		const struct spec_id_mapping *m = &l->uid_mappings[i];
		if (uid >= m->container_id && uid - m->container_id < m->size) {
			*mapped = m->host_id + (uid - m->container_id);
			return true;
		}
	}
	return false;
}

/* The specification's rule: a cgroup namespace of its own, and its cgroup mounted where it may be written. */
static bool may_write_cgroup(const struct plan_compiler *c)
{
	if (!plan_namespace_new(c, SPEC_NS_CGROUP))
		return false;
	for (size_t i = 0; i < c->config->mounts_count; i++) {
		const struct spec_mount *m = &c->config->mounts[i];
		bool is_cgroup = str_eq(m->type, "cgroup") || str_eq(m->type, "cgroup2");
		if (is_cgroup && plan_same_path(m->destination, "/sys/fs/cgroup") && !spec_mount_has(m, "ro"))
			return true;
	}
	return false;
}

/* Who is to own the container's cgroup, as the host knows him; false: it stays ours. */
static bool find_owner(const struct plan_compiler *c, uid_t *uid)
{
	const struct spec_process *process = c->config->process;

	return !c->unprivileged && process && plan_namespace_new(c, SPEC_NS_USER) && may_write_cgroup(c) &&
	       host_uid(c->linux_, process->user->uid, uid);
}

static void give_cgroup(struct plan_compiler *c)
{
	uid_t uid;

	if (find_owner(c, &uid))
		plan_emit(c, OP_CGROUP_OWNER, PLAN_PARENT, spec_at(c->doc, c->linux_->node, "uidMappings"))
			->cgroup_owner.uid = uid;
}

void plan_delegate_cgroup(struct plan_compiler *c)
{
	const char *asked = c->config->known.delegate_cgroup, *problem = NULL;
	uint32_t node = c->config->known.delegate_node;
	uid_t uid;

	if (!asked || c->running)
		return;
	const char *below = cg_path_below(c->arena, asked, &problem);
	if (problem)
		json_error(c->report, c->doc, node, "\"%.300s\" is no path of a cgroup: %s", asked, problem);
	if (!below || !*below)
		return;
	if (!c->plan->cgroup_path) {
		json_error(
			c->report, c->doc, node, "the container has no cgroup of its own for it to be below");
		return;
	}
	struct plan_op *op = plan_emit(c, OP_DELEGATE_CGROUP, PLAN_PARENT, node);
	op->delegate_cgroup.below = below;
	op->delegate_cgroup.give = find_owner(c, &uid);
	op->delegate_cgroup.uid = op->delegate_cgroup.give ? uid : 0;
}

/* A number of processes that is enough for the program need not be for init. */
static void emit_limits(struct plan_compiler *c, bool late)
{
	bool forks = plan_init_forks(c);

	for (size_t i = 0; i < c->limits.count; i++) {
		const struct cg_write *write = &c->limits.writes[i];
		if ((forks && str_eq(write->file, "pids.max")) == late)
			plan_emit(c, OP_CGROUP_LIMIT, PLAN_PARENT, write->node)->cgroup_limit.write = write;
	}
}

/* Mounting a disk is opening it, which the device rules, made for the program, may forbid to init, too. */
static bool mounts_disk(const struct plan_compiler *c)
{
	for (size_t i = 0; c->own_mounts && i < c->config->mounts_count; i++) {
		const struct spec_mount *m = &c->config->mounts[i];
		if (!spec_mount_bind(m) && m->source && m->source[0] == '/')
			return true;
	}
	return false;
}

/* Without privileges no program can be attached; the user's rights over the host's devices remain. */
static void emit_devices(struct plan_compiler *c)
{
	const struct spec_resources *r = c->linux_->resources;
	struct cg_device_program program = {0};

	if (c->unprivileged || c->host->user_namespace)
		return;
	cg_devices_compile(
		c->arena, r ? r->devices : NULL, r ? r->devices_count : 0, c->doc, c->report, &program);
	if (!program.count)
		return;
	struct plan_op *op = plan_emit(
		c, OP_CGROUP_DEVICES, PLAN_PARENT, r ? plan_asked(c, r->node, "devices") : 0);
	op->cgroup_devices.program = program.insns;
	op->cgroup_devices.count = program.count;
	op->cgroup_devices.rules = program.rules;
}

void plan_limits(struct plan_compiler *c)
{
	if (!c->plan->cgroup_path)
		return;
	if (!mounts_disk(c))
		emit_devices(c);
	emit_limits(c, false);
	give_cgroup(c);
}

void plan_late_limits(struct plan_compiler *c)
{
	if (!c->plan->cgroup_path || c->running)
		return;
	if (mounts_disk(c))
		emit_devices(c);
	emit_limits(c, true);
}

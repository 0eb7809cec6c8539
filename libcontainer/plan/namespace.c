/*
 * namespace.c - cgroup, namespaces and id mappings of a container (config-linux.md, "Namespaces", "User
 * namespace mappings", "Offset for Time Namespace", "Control groups").
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "libcontainer/cgroup/cgroup.h"
#include "libcontainer/cgroup/devices.h"
#include "libcontainer/cgroup/rdt.h"
#include "libcontainer/cgroup/resources.h"
#include "libcontainer/cgroup/unit.h"
#include "libcontainer/plan/compile.h"

bool plan_namespace_new(const struct plan_compiler *c, enum spec_namespace_type type)
{
	const struct spec_namespace *ns = spec_namespace_find(c->linux_, type);

	return ns && !ns->path;
}

bool plan_namespace_private(const struct plan_compiler *c, enum spec_namespace_type type)
{
	return spec_namespace_find(c->linux_, type) != NULL;
}

/* Nobody makes a cgroup: what would have been written to it cannot be kept. */
static void refuse_limits(struct plan_compiler *c, const struct cg_limits *limits)
{
	const struct spec_resources *r = c->linux_->resources;

	if (limits->count) {
		struct err *e = json_error(c->report, c->doc, limits->writes[0].node,
			"a limit needs a cgroup of the container's own, and the cgroup manager \"none\" "
			"makes "
			"none");
		err_hint(e, "remove the limits, or choose another --cgroup-manager");
	}
	if (r && r->devices_count && !c->unprivileged && !c->host->user_namespace)
		json_warning(c->report, c->doc, spec_at(c->doc, r->node, "devices"),
			"device rules need a cgroup of the container's own; without one they are not kept");
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
	bool optional = manager == CG_CGROUPFS && (c->unprivileged || c->host->user_namespace) &&
			!limits.count && !l->cgroups_path;
	const char *path = NULL;
	if (cg_path(c->arena, c->host, manager, l->cgroups_path, c->options->id, c->doc, node, &path, &err) <
		0) {
		if (!optional)
			*report_add(c->report, REPORT_ERROR) = err;
		return;
	}
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

static void give_cgroup(struct plan_compiler *c)
{
	const struct spec_process *process = c->config->process;
	uid_t uid;

	if (c->unprivileged || !process || !plan_namespace_new(c, SPEC_NS_USER) || !may_write_cgroup(c) ||
		!host_uid(c->linux_, process->user->uid, &uid))
		return;
	plan_emit(c, OP_CGROUP_OWNER, PLAN_PARENT, spec_at(c->doc, c->linux_->node, "uidMappings"))
		->cgroup_owner.uid = uid;
}

void plan_limits(struct plan_compiler *c)
{
	const struct spec_resources *r = c->linux_->resources;
	struct cg_device_program program = {0};

	if (!c->plan->cgroup_path)
		return;
	/* Without privileges no program can be attached; the user's rights over the host's devices remain. */
	if (!c->unprivileged && !c->host->user_namespace) {
		uint32_t node = r ? plan_asked(c, r->node, "devices") : 0;
		cg_devices_compile(c->arena, r ? r->devices : NULL, r ? r->devices_count : 0, c->doc,
			c->report, &program);
		if (program.count) {
			struct plan_op *op = plan_emit(c, OP_CGROUP_DEVICES, PLAN_PARENT, node);
			op->cgroup_devices.program = program.insns;
			op->cgroup_devices.count = program.count;
			op->cgroup_devices.rules = program.rules;
		}
	}
	for (size_t i = 0; i < c->limits.count; i++)
		plan_emit(c, OP_CGROUP_LIMIT, PLAN_PARENT, c->limits.writes[i].node)
			->cgroup_limit.write = &c->limits.writes[i];
	give_cgroup(c);
}

void plan_open_namespaces(struct plan_compiler *c)
{
	struct plan_join *joins = arena_array(c->arena, struct plan_join, c->linux_->namespaces_count);
	size_t count = 0;

	for (size_t i = 0; i < c->linux_->namespaces_count; i++) {
		const struct spec_namespace *ns = &c->linux_->namespaces[i];
		if (!ns->path)
			continue;
		struct plan_op *op = plan_emit(c, OP_OPEN_NAMESPACE, PLAN_PARENT, ns->node);
		op->open_namespace.type = spec_namespace_clone_flag(ns->type);
		op->open_namespace.path = ns->path;
		op->open_namespace.slot = plan_new_slot(c->plan);
		joins[count++] = (struct plan_join){
			op->open_namespace.type, op->open_namespace.slot, ns->node};
	}
	c->joins = joins;
	c->joins_count = count;
}

static const struct spec_time_offsets *time_offsets(const struct plan_compiler *c)
{
	return plan_namespace_new(c, SPEC_NS_TIME) ? c->linux_->time_offsets : NULL;
}

void plan_clone(struct plan_compiler *c)
{
	struct plan_op *op = plan_emit(
		c, OP_CLONE, PLAN_PARENT, spec_at(c->doc, c->linux_->node, "namespaces"));

	for (size_t i = 0; i < c->linux_->namespaces_count; i++)
		if (!c->linux_->namespaces[i].path)
			op->clone.flags |= spec_namespace_clone_flag(c->linux_->namespaces[i].type);
	/* The root of a new cgroup namespace would be ours, and the offsets of a new time namespace fixed. */
	op->clone.flags &= ~(uint64_t)CLONE_NEWCGROUP;
	if (time_offsets(c))
		op->clone.flags &= ~(uint64_t)CLONE_NEWTIME;
	op->clone.into_cgroup = c->plan->cgroup_path != NULL;
	if (c->join_early) {
		op->clone.joins = c->joins;
		op->clone.joins_count = c->joins_count;
	}
}

const char *plan_map_text(struct plan_compiler *c, const struct spec_id_mapping *mappings, size_t count)
{
	size_t size = count * 36 + 1;
	char *text = arena_alloc(c->arena, size);
	struct str_buf b;

	str_buf_init(&b, text, size);
	for (size_t i = 0; i < count; i++)
		str_buf_add(
			&b, "%u %u %u\n", mappings[i].container_id, mappings[i].host_id, mappings[i].size);
	return text;
}

/* Without CAP_SETUID over the host, the kernel lets a user map himself; all else is for newuidmap to allow.
 */
static bool is_own(const struct spec_id_mapping *mappings, size_t count, uint32_t own)
{
	return count == 1 && mappings[0].size == 1 && mappings[0].host_id == own;
}

bool plan_lacks_setgroups(const struct plan_compiler *c)
{
	const struct spec_linux *l = c->linux_;

	return c->unprivileged &&
	       (!l->gid_mappings_count || is_own(l->gid_mappings, l->gid_mappings_count, c->host->egid));
}

void plan_map_ids(struct plan_compiler *c)
{
	const struct spec_linux *l = c->linux_;

	if (!plan_namespace_new(c, SPEC_NS_USER))
		return;
	if (!l->uid_mappings_count || !l->gid_mappings_count) {
		json_error(c->report, c->doc, spec_at(c->doc, l->node, "namespaces"),
			"a new user namespace needs uidMappings and gidMappings");
		return;
	}
	struct plan_op *op = plan_emit(c, OP_MAP_IDS, PLAN_PARENT, spec_at(c->doc, l->node, "uidMappings"));
	op->map_ids.uid_map = plan_map_text(c, l->uid_mappings, l->uid_mappings_count);
	op->map_ids.gid_map = plan_map_text(c, l->gid_mappings, l->gid_mappings_count);
	op->map_ids.uid_helper = c->unprivileged &&
				 !is_own(l->uid_mappings, l->uid_mappings_count, c->host->euid);
	op->map_ids.gid_helper = c->unprivileged &&
				 !is_own(l->gid_mappings, l->gid_mappings_count, c->host->egid);
	op->map_ids.deny_setgroups = c->lacks_setgroups;
}

/* The id that makes the most sense for the set-up: 0, or the smallest that is mapped. */
static uint32_t first_id(const struct spec_id_mapping *mappings, size_t count)
{
	uint32_t first = count ? UINT32_MAX : 0;

	for (size_t i = 0; i < count; i++)
		if (mappings[i].container_id < first)
			first = mappings[i].container_id;
	return first;
}

static const char *offsets_text(struct plan_compiler *c, const struct spec_time_offsets *offsets)
{
	const struct spec_time_offset *m = offsets->monotonic, *b = offsets->boottime;
	char line[2][64] = {"", ""};

	if (m)
		snprintf(line[0], sizeof(line[0]), "monotonic %lld %u\n", (long long)m->secs, m->nanosecs);
	if (b)
		snprintf(line[1], sizeof(line[1]), "boottime %lld %u\n", (long long)b->secs, b->nanosecs);
	return arena_printf(c->arena, "%s%s", line[0], line[1]);
}

static void new_time_namespace(struct plan_compiler *c)
{
	const struct spec_time_offsets *offsets = time_offsets(c);
	uint32_t node = spec_at(c->doc, c->linux_->node, "timeOffsets");

	if (!offsets)
		return;
	plan_emit(c, OP_NEW_TIME_NAMESPACE, PLAN_INIT, node)->new_time_namespace.offsets = offsets_text(
		c, offsets);
}

static void late_joins(struct plan_compiler *c)
{
	/* The mount namespace last: afterwards the host's paths are gone. */
	for (int mounts = 0; mounts < 2; mounts++)
		for (size_t i = 0; i < c->joins_count; i++)
			if ((c->joins[i].type == CLONE_NEWNS) == mounts)
				plan_emit(c, OP_JOIN_NAMESPACE, PLAN_INIT, c->joins[i].node)
					->join_namespace = c->joins[i];
}

void plan_become_root(struct plan_compiler *c, uint32_t node)
{
	const struct spec_linux *l = c->linux_;
	struct plan_op *op = plan_emit(c, OP_BECOME_ROOT, PLAN_INIT, node);

	op->become_root.uid = first_id(l->uid_mappings, l->uid_mappings_count);
	op->become_root.gid = first_id(l->gid_mappings, l->gid_mappings_count);
}

void plan_intel_rdt(struct plan_compiler *c, bool join)
{
	const struct spec_intel_rdt *rdt = c->linux_->intel_rdt;
	struct rdt_request *request = arena_new(c->arena, struct rdt_request);
	uint32_t node = spec_at(c->doc, c->linux_->node, "intelRdt");

	if (!rdt)
		return;
	if (!c->host->resctrl_mount) {
		struct err *e = json_error(c->report, c->doc, node,
			"Intel RDT needs the resctrl filesystem, which is not mounted");
		err_hint(e, "mount -t resctrl resctrl /sys/fs/resctrl, on a processor that has it");
		return;
	}
	rdt_compile(c->arena, rdt, c->host->resctrl_mount, c->options->id, request);
	c->plan->rdt = request;
	struct plan_op *op = plan_emit(c, OP_INTEL_RDT, PLAN_PARENT, node);
	op->intel_rdt.request = request;
	op->intel_rdt.join = join;
}

/* With the host's privileges, from where the caller is; init waits, since sysctls may be about them. */
void plan_net_devices(struct plan_compiler *c)
{
	const struct spec_linux *l = c->linux_;
	uint32_t slot = PLAN_NO_SLOT;

	if (c->unprivileged && l->net_devices_count)
		json_error(c->report, c->doc, spec_at(c->doc, l->node, "netDevices"),
			"moving network devices takes privileges over the host");
	for (size_t i = 0; i < c->joins_count; i++)
		if (c->joins[i].type == CLONE_NEWNET)
			slot = c->joins[i].slot;
	for (size_t i = 0; i < l->net_devices_count; i++) {
		const struct spec_net_device *d = &l->net_devices[i];
		struct plan_op *op = plan_emit(c, OP_MOVE_NET_DEVICE, PLAN_PARENT, d->node);
		op->move_net_device.name = d->key;
		op->move_net_device.new_name = d->name && *d->name ? d->name : d->key;
		op->move_net_device.slot = slot;
	}
}

void plan_enter_namespaces(struct plan_compiler *c)
{
	const struct spec_linux *l = c->linux_;
	uint32_t node = spec_at(c->doc, l->node, "namespaces");

	new_time_namespace(c); /* while the host's /proc is there and its /proc/self still ours: see HIDE */
	if (c->user_namespace)
		plan_become_root(c, l->uid_mappings_count ? spec_at(c->doc, l->node, "uidMappings")
							  : spec_namespace_find(l, SPEC_NS_USER)->node);
	struct plan_op *hide = plan_emit(c, OP_HIDE, PLAN_INIT, 0);
	hide->hide.preserve = c->options->preserve_fds;
	hide->hide.visible = c->visible;
	if (plan_namespace_new(c, SPEC_NS_CGROUP))
		plan_emit(c, OP_NEW_CGROUP_NAMESPACE, PLAN_INIT, node);
	if (!c->join_early)
		late_joins(c);
	if (plan_namespace_new(c, SPEC_NS_NETWORK))
		plan_emit(c, OP_LOOPBACK_UP, PLAN_INIT, node);
	if (c->config->hostname)
		plan_emit(c, OP_HOSTNAME, PLAN_INIT, spec_at(c->doc, 0, "hostname"))
			->hostname.name = c->config->hostname;
	if (c->config->domainname)
		plan_emit(c, OP_DOMAINNAME, PLAN_INIT, spec_at(c->doc, 0, "domainname"))
			->domainname.name = c->config->domainname;
}

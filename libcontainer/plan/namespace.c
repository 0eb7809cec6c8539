/*
 * namespace.c - namespaces and id mappings of a container, and what belongs to them: devices of the network,
 * resctrl groups (config-linux.md, "Namespaces", "User namespace mappings", "Offset for Time Namespace").
 */
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "libcontainer/cgroup/rdt.h"
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

/*
 * print_namespace.c - in words: what comes before there is a root filesystem. Cgroups, namespaces, ids, the
 * clone, and the fds that init will have.
 */
#include <string.h>

#include "libcontainer/cgroup/rdt.h"
#include "libcontainer/cgroup/resources.h"
#include "libcontainer/cgroup/unit.h"
#include "libcontainer/plan/print.h"
#include "specs/linux.h"
#include "specs/namespace.h"

static void print_namespaces(struct str_buf *out, uint64_t flags)
{
	const char *separator = "";

	for (enum spec_namespace_type t = SPEC_NS_PID; t < SPEC_NS_COUNT; t++)
		if (flags & spec_namespace_clone_flag(t)) {
			str_buf_add(out, "%s%s", separator, spec_namespace_name(t));
			separator = ", ";
		}
}

void plan_print_split_cgroup(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "make room in the unit's cgroup %s: its processes go to supervisor below it",
		op->split_cgroup.unit);
}

void plan_print_make_cgroup(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "make cgroup %s below %s", op->make_cgroup.path, op->make_cgroup.mount);
	if (op->make_cgroup.controllers[0])
		str_buf_add(out, ", with controllers %s", op->make_cgroup.controllers);
	if (op->make_cgroup.optional)
		str_buf_add(out, "; without permission go on without");
}

void plan_print_open_namespace(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "open ");
	print_namespaces(out, op->open_namespace.type);
	str_buf_add(out, " namespace %s", op->open_namespace.path);
}

void plan_print_open_tree(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "clone %s %s%s%s, detached",
		op->open_tree.rootfs ? "the root filesystem" : "the mount of", op->open_tree.path,
		op->open_tree.nofollow ? ", itself if it is a link" : "",
		op->open_tree.recursive ? " and what is mounted in it" : "");
}

static void print_map(struct str_buf *out, const char *map)
{
	for (const char *line = map; *line; line += strcspn(line, "\n") + 1)
		str_buf_add(out, "%s%.*s", line == map ? "" : ", ", (int)strcspn(line, "\n"), line);
}

void plan_print_make_id_mapping(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "make a user namespace for mounts: uids (on disk, shown, size) ");
	print_map(out, op->make_id_mapping.uid_map);
	str_buf_add(out, "; gids ");
	print_map(out, op->make_id_mapping.gid_map);
}

void plan_print_map_mount(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "map the ids of %s%s", op->map_mount.path,
		op->map_mount.recursive ? " and what is mounted in it" : "");
}

void plan_print_compile_seccomp(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "compile the seccomp filter: %u rules", op->compile_seccomp.rules);
	if (op->compile_seccomp.architectures)
		str_buf_add(out, ", %u architectures", op->compile_seccomp.architectures);
	str_buf_add(out, " (or take it from the cache)");
}

/* The helper's lines as "NAME=VALUE, ...", without their types. */
static void print_properties(struct str_buf *out, const char *lines)
{
	const char *separator = "";

	for (const char *p = lines; *p; p += strcspn(p, "\n") + 1) {
		size_t name = strcspn(p, "\t"), type = strcspn(p + name + 1, "\t\n");
		const char *value = p + name + 1 + type;
		str_buf_add(out, "%s%.*s=", separator, (int)name, p);
		for (value += *value == '\t'; *value && *value != '\n'; value++)
			str_buf_add(out, "%c", *value == '\t' ? ' ' : *value);
		separator = ", ";
	}
}

void plan_print_start_unit(struct str_buf *out, const struct plan_op *op)
{
	const struct cg_unit *unit = op->start_unit.unit;

	str_buf_add(out, "have %s systemd start %s, with ", unit->user ? "the user's" : "the system's",
		unit->name);
	print_properties(out, unit->properties);
	if (*unit->below)
		str_buf_add(out, "; and make the cgroup %s in it", unit->below);
	if (*op->start_unit.controllers)
		str_buf_add(out, ", with controllers %s", op->start_unit.controllers);
}

void plan_print_clone(struct str_buf *out, const struct plan_op *op)
{
	if (op->clone.joins_count) {
		str_buf_add(out, "enter the ");
		for (size_t i = 0; i < op->clone.joins_count; i++) {
			str_buf_add(out, "%s", i ? ", " : "");
			print_namespaces(out, op->clone.joins[i].type);
		}
		str_buf_add(out, " namespace%s and ", op->clone.joins_count > 1 ? "s" : "");
	}
	str_buf_add(out, "clone init");
	if (op->clone.into_cgroup)
		str_buf_add(out, " into the cgroup");
	if (op->clone.flags) {
		str_buf_add(out, ", with new namespaces: ");
		print_namespaces(out, op->clone.flags);
	}
}

void plan_print_open_container(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "open the container's init %d", op->open_container.pid);
	if (op->open_container.cgroup)
		str_buf_add(out, " and its cgroup %s%s", op->open_container.cgroup,
			op->open_container.follow_init ? " (or where init is, if that is gone)" : "");
}

void plan_print_enter_container(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "clone %s%s, %senter the namespaces ",
		op->enter_container.into_cgroup ? "into the cgroup" : "a process",
		op->enter_container.into_cgroup && op->enter_container.follow_init
			? " (or that of init, if it hands controllers down)"
			: "",
		op->enter_container.unseen ? "" : "without fds of the host ");
	print_namespaces(out, op->enter_container.flags);
	str_buf_add(out, op->enter_container.new_mounts ? ", and clone the process with a copy of the mounts"
							: ", and clone the process");
}

void plan_print_map_ids(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "map uids (inside outside size) ");
	print_map(out, op->map_ids.uid_map);
	str_buf_add(out, "%s; gids ", op->map_ids.uid_helper ? " with newuidmap" : "");
	print_map(out, op->map_ids.gid_map);
	if (op->map_ids.gid_helper)
		str_buf_add(out, " with newgidmap");
	if (op->map_ids.deny_setgroups)
		str_buf_add(out, "; setgroups denied");
}

void plan_print_oom_score_adj(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "set init's oom_score_adj to %d", op->oom_score_adj.value);
	if (op->oom_score_adj.optional)
		str_buf_add(out, ", if allowed");
}

void plan_print_cgroup_devices(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "attach the device filter: %u rules", op->cgroup_devices.rules);
}

void plan_print_cgroup_limit(struct str_buf *out, const struct plan_op *op)
{
	const struct cg_write *w = op->cgroup_limit.write;

	str_buf_add(out, "limit %s = %s", w->file, w->value);
	if (w->instead_file)
		str_buf_add(out, " (or %s = %s)", w->instead_file, w->instead_value);
}

void plan_print_cgroup_owner(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "give the cgroup to uid %u", op->cgroup_owner.uid);
}

void plan_print_delegate_cgroup(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "move init to %s below its cgroup, and hand all controllers down to it",
		op->delegate_cgroup.below + 1);
	if (op->delegate_cgroup.give)
		str_buf_add(out, "; give it to uid %u", op->delegate_cgroup.uid);
}

void plan_print_become_root(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(
		out, "become uid %u, gid %u of the user namespace", op->become_root.uid, op->become_root.gid);
}

void plan_print_hide(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "hide: new session, %s, no fd of the host",
		op->hide.visible ? "dumpable for the user's hooks" : "not dumpable");
	if (op->hide.preserve)
		str_buf_add(out, " but 3-%u", op->hide.preserve + 2);
}

void plan_print_conceal(struct str_buf *out, const struct plan_op *op)
{
	(void)op;
	str_buf_add(out, "hide: not dumpable");
}

void plan_print_join_namespace(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "enter the ");
	print_namespaces(out, op->join_namespace.type);
	str_buf_add(out, " namespace");
}

void plan_print_new_cgroup_namespace(struct str_buf *out, const struct plan_op *op)
{
	(void)op;
	str_buf_add(out, "make a new cgroup namespace, its root here");
}

void plan_print_new_time_namespace(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "make a new time namespace, offsets ");
	print_map(out, op->new_time_namespace.offsets);
}

/* The lines of schemata, "L3:0=f; MB:0=20". */
static void print_lines(struct str_buf *out, const char *lines)
{
	for (; *lines; lines += strcspn(lines, "\n") + 1)
		str_buf_add(out, " %.*s", (int)strcspn(lines, "\n"), lines);
}

void plan_print_intel_rdt(struct str_buf *out, const struct plan_op *op)
{
	const struct rdt_request *request = op->intel_rdt.request;
	bool has_lines = *request->allocation || *request->schemata;

	str_buf_add(out, "put the process into the resctrl group %s", request->group);
	if (request->monitor)
		str_buf_add(out, ", monitored");
	if (op->intel_rdt.join)
		return;
	str_buf_add(out, request->named && has_lines ? "; made if missing, with"
			 : has_lines                 ? "; made with"
			 : request->named            ? "; which is there"
						     : "; made");
	print_lines(out, request->allocation);
	print_lines(out, request->schemata);
}

void plan_print_move_net_device(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "move the network device %s into the container", op->move_net_device.name);
	if (!str_eq(op->move_net_device.name, op->move_net_device.new_name))
		str_buf_add(out, " as %s", op->move_net_device.new_name);
}

void plan_print_loopback_up(struct str_buf *out, const struct plan_op *op)
{
	(void)op;
	str_buf_add(out, "bring up lo");
}

void plan_print_hostname(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "set hostname %s", op->hostname.name);
}

void plan_print_domainname(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "set domainname %s", op->domainname.name);
}

/*
 * print.c - every operation in words, for explain.c and for error messages: one
 * function an operation, in the order of ops.def.
 */
#include <linux/mount.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/stat.h>

#include "base/str.h"
#include "libcontainer/cgroup/rdt.h"
#include "libcontainer/cgroup/resources.h"
#include "libcontainer/cgroup/unit.h"
#include "libcontainer/plan/plan.h"
#include "specs/capability.h"
#include "specs/linux.h"
#include "specs/namespace.h"
#include "specs/process.h"

typedef void printer_fn(struct str_buf *out, const struct plan_op *op);

struct word {
	uint64_t bit;
	const char *text;
};

/* The words of the bits that are set, with `separator` between them. */
static void print_words(struct str_buf *out, uint64_t bits, const struct word *words, size_t count,
	const char *prefix, const char **separator)
{
	for (size_t i = 0; i < count; i++)
		if (bits & words[i].bit) {
			str_buf_add(out, "%s%s%s", *separator, prefix, words[i].text);
			*separator = ", ";
		}
}

static void print_namespaces(struct str_buf *out, uint64_t flags)
{
	const char *separator = "";

	for (enum spec_namespace_type t = SPEC_NS_PID; t < SPEC_NS_COUNT; t++)
		if (flags & spec_namespace_clone_flag(t)) {
			str_buf_add(out, "%s%s", separator, spec_namespace_name(t));
			separator = ", ";
		}
}

static const struct word propagation_words[] = {
	{MS_SHARED, "shared"}, {MS_SLAVE, "slave"}, {MS_PRIVATE, "private"}, {MS_UNBINDABLE, "unbindable"}};

static void print_propagation(
	struct str_buf *out, uint64_t propagation, bool recursive, const char **separator)
{
	print_words(out, propagation, propagation_words, ARRAY_SIZE(propagation_words), recursive ? "r" : "",
		separator);
}

static const struct word attribute_words[] = {
	{MOUNT_ATTR_RDONLY, "ro"},
	{MOUNT_ATTR_NOSUID, "nosuid"},
	{MOUNT_ATTR_NODEV, "nodev"},
	{MOUNT_ATTR_NOEXEC, "noexec"},
	{MOUNT_ATTR_NOATIME, "noatime"},
	{MOUNT_ATTR_STRICTATIME, "strictatime"},
	{MOUNT_ATTR_NODIRATIME, "nodiratime"},
	{MOUNT_ATTR_NOSYMFOLLOW, "nosymfollow"},
};

static const struct word cleared_words[] = {
	{MOUNT_ATTR_RDONLY, "rw"},
	{MOUNT_ATTR_NOSUID, "suid"},
	{MOUNT_ATTR_NODEV, "dev"},
	{MOUNT_ATTR_NOEXEC, "exec"},
	{MOUNT_ATTR_NODIRATIME, "diratime"},
	{MOUNT_ATTR_NOSYMFOLLOW, "symfollow"},
};

static void print_changes(
	struct str_buf *out, uint64_t set, uint64_t clear, const char *prefix, const char **separator)
{
	print_words(out, set, attribute_words, ARRAY_SIZE(attribute_words), prefix, separator);
	print_words(out, clear, cleared_words, ARRAY_SIZE(cleared_words), prefix, separator);
	/* relatime is the absence of the two others */
	if ((clear & MOUNT_ATTR__ATIME) && !(set & MOUNT_ATTR__ATIME)) {
		str_buf_add(out, "%s%srelatime", *separator, prefix);
		*separator = ", ";
	}
}

static void print_attributes(
	struct str_buf *out, uint64_t flags, const struct plan_attributes *a, const char **separator)
{
	print_changes(out, a->recursive_set, a->recursive_clear, "r", separator);
	print_changes(out, flags | a->set, a->clear, "", separator);
	print_propagation(out, a->propagation, a->propagation_recursive, separator);
}

static void print_data(
	struct str_buf *out, const struct plan_fs_option *options, size_t count, const char **separator)
{
	for (size_t i = 0; i < count; i++) {
		str_buf_add(out, "%s%s", *separator, options[i].key);
		if (options[i].value)
			str_buf_add(out, "=%s", options[i].value);
		*separator = ", ";
	}
}

static void print_strings(struct str_buf *out, char *const *list)
{
	for (const char *separator = ""; *list; list++, separator = " ") {
		str_buf_add(out, "%s", separator);
		const char *word = *list;
		if (*word && !word[strcspn(word, " \t\n'\"\\$`*?;&|<>()")]) {
			str_buf_add(out, "%s", word);
			continue;
		}
		str_buf_add(out, "'");
		for (; *word; word++) {
			bool quote = *word == '\'';
			str_buf_add_bytes(out, quote ? "'\\''" : word, quote ? 4 : 1);
		}
		str_buf_add(out, "'");
	}
}

static void print_mask(struct str_buf *out, uint64_t mask)
{
	unsigned count = (unsigned)__builtin_popcountll(mask);

	if (!count || count > SPEC_CAPABILITY_COUNT / 2) {
		str_buf_add(out,
			count == 0                       ? "none"
			: count == SPEC_CAPABILITY_COUNT ? "all"
							 : "%u of them",
			count);
		return;
	}
	const char *separator = "";
	for (unsigned cap = 0; cap < SPEC_CAPABILITY_COUNT; cap++)
		if (mask & ((uint64_t)1 << cap)) {
			str_buf_add(out, "%s%s", separator, spec_capability_name(cap) + 4);
			separator = " ";
		}
}

/* ---- namespaces ---- */

static void print_split_cgroup(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "make room in the unit's cgroup %s: its processes go to supervisor below it",
		op->split_cgroup.unit);
}

static void print_make_cgroup(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "make cgroup %s below %s", op->make_cgroup.path, op->make_cgroup.mount);
	if (op->make_cgroup.controllers[0])
		str_buf_add(out, ", with controllers %s", op->make_cgroup.controllers);
	if (op->make_cgroup.optional)
		str_buf_add(out, "; without permission go on without");
}

static void print_open_namespace(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "open ");
	print_namespaces(out, op->open_namespace.type);
	str_buf_add(out, " namespace %s", op->open_namespace.path);
}

static void print_open_tree(struct str_buf *out, const struct plan_op *op)
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

static void print_make_id_mapping(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "make a user namespace for mounts: uids (on disk, shown, size) ");
	print_map(out, op->make_id_mapping.uid_map);
	str_buf_add(out, "; gids ");
	print_map(out, op->make_id_mapping.gid_map);
}

static void print_map_mount(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "map the ids of %s%s", op->map_mount.path,
		op->map_mount.recursive ? " and what is mounted in it" : "");
}

static void print_compile_seccomp(struct str_buf *out, const struct plan_op *op)
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

static void print_start_unit(struct str_buf *out, const struct plan_op *op)
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

static void print_clone(struct str_buf *out, const struct plan_op *op)
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

static void print_open_container(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "open the container's init %d", op->open_container.pid);
	if (op->open_container.cgroup)
		str_buf_add(out, " and its cgroup %s", op->open_container.cgroup);
}

static void print_enter_container(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "clone %s, %senter the namespaces ",
		op->enter_container.into_cgroup ? "into the cgroup" : "a process",
		op->enter_container.unseen ? "" : "without fds of the host ");
	print_namespaces(out, op->enter_container.flags);
	str_buf_add(out, op->enter_container.new_mounts ? ", and clone the process with a copy of the mounts"
							: ", and clone the process");
}

static void print_map_ids(struct str_buf *out, const struct plan_op *op)
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

static void print_oom_score_adj(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "set init's oom_score_adj to %d", op->oom_score_adj.value);
	if (op->oom_score_adj.optional)
		str_buf_add(out, ", if allowed");
}

static void print_cgroup_devices(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "attach the device filter: %u rules", op->cgroup_devices.rules);
}

static void print_cgroup_limit(struct str_buf *out, const struct plan_op *op)
{
	const struct cg_write *w = op->cgroup_limit.write;

	str_buf_add(out, "limit %s = %s", w->file, w->value);
	if (w->instead_file)
		str_buf_add(out, " (or %s = %s)", w->instead_file, w->instead_value);
}

static void print_cgroup_owner(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "give the cgroup to uid %u", op->cgroup_owner.uid);
}

static void print_become_root(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(
		out, "become uid %u, gid %u of the user namespace", op->become_root.uid, op->become_root.gid);
}

static void print_hide(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "hide: new session, %s, no fd of the host",
		op->hide.visible ? "dumpable for the user's hooks" : "not dumpable");
	if (op->hide.preserve)
		str_buf_add(out, " but 3-%u", op->hide.preserve + 2);
}

static void print_conceal(struct str_buf *out, const struct plan_op *op)
{
	(void)op;
	str_buf_add(out, "hide: not dumpable");
}

static void print_join_namespace(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "enter the ");
	print_namespaces(out, op->join_namespace.type);
	str_buf_add(out, " namespace");
}

static void print_new_cgroup_namespace(struct str_buf *out, const struct plan_op *op)
{
	(void)op;
	str_buf_add(out, "make a new cgroup namespace, its root here");
}

static void print_new_time_namespace(struct str_buf *out, const struct plan_op *op)
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

static void print_intel_rdt(struct str_buf *out, const struct plan_op *op)
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

static void print_move_net_device(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "move the network device %s into the container", op->move_net_device.name);
	if (!str_eq(op->move_net_device.name, op->move_net_device.new_name))
		str_buf_add(out, " as %s", op->move_net_device.new_name);
}

static void print_loopback_up(struct str_buf *out, const struct plan_op *op)
{
	(void)op;
	str_buf_add(out, "bring up lo");
}

static void print_hostname(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "set hostname %s", op->hostname.name);
}

static void print_domainname(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "set domainname %s", op->domainname.name);
}

/* ---- rootfs ---- */

static void print_set_propagation(struct str_buf *out, const struct plan_op *op)
{
	const char *separator = "";

	str_buf_add(out, "make %s ",
		op->set_propagation.after_pivot ? "the container's /" : "the inherited mounts");
	print_propagation(out, op->set_propagation.propagation, op->set_propagation.recursive, &separator);
}

static void print_attach_rootfs(struct str_buf *out, const struct plan_op *op)
{
	const char *separator = ", ";

	str_buf_add(out, "attach the root filesystem over /");
	print_propagation(out, op->attach_rootfs.propagation, true, &separator);
}

static void print_options(struct str_buf *out, const char *first, uint64_t flags,
	const struct plan_attributes *a, const struct plan_fs_option *options, size_t count, const char *more)
{
	size_t start = out->length;
	const char *separator = " (";

	if (first) {
		str_buf_add(out, "%s%s", separator, first);
		separator = ", ";
	}
	print_attributes(out, flags, a, &separator);
	print_data(out, options, count, &separator);
	if (more)
		str_buf_add(out, "%s%s", separator, more);
	if (out->length > start)
		str_buf_add(out, ")");
}

static void print_mount_fs(struct str_buf *out, const struct plan_op *op)
{
	if (op->mount_fs.host_path)
		str_buf_add(
			out, "bind the host's %s on %s", op->mount_fs.host_path, op->mount_fs.destination);
	else
		str_buf_add(out, "mount %s on %s", op->mount_fs.type, op->mount_fs.destination);
	print_options(out, NULL, op->mount_fs.flags, &op->mount_fs.attributes, op->mount_fs.options,
		op->mount_fs.options_count, op->mount_fs.copy_up ? "tmpcopyup" : NULL);
	if (op->mount_fs.label)
		str_buf_add(out, ", SELinux label %s", op->mount_fs.label);
	if (op->mount_fs.mapping != PLAN_NO_SLOT)
		str_buf_add(out, ", its ids mapped");
	if (op->mount_fs.fallback_path)
		str_buf_add(out, "; if refused: bind the host's %s read-only", op->mount_fs.fallback_path);
}

static void print_mount_bind(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "bind %s on %s%s%s", op->mount_bind.source, op->mount_bind.destination,
		op->mount_bind.nofollow ? ", itself if it is a link" : "",
		op->mount_bind.copy_symlink ? "; if the source is a link, make the same link" : "");
	print_options(
		out, op->mount_bind.slaves ? "rslave" : NULL, 0, &op->mount_bind.attributes, NULL, 0, NULL);
}

static void print_remount(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "remount %s", op->remount.destination);
	print_options(
		out, NULL, 0, &op->remount.attributes, op->remount.options, op->remount.options_count, NULL);
}

static void print_make_device(struct str_buf *out, const struct plan_op *op)
{
	mode_t mode = op->make_device.mode;

	if (op->make_device.bind)
		str_buf_add(out, "bind the host's %s", op->make_device.path);
	else
		str_buf_add(out, "make %s", op->make_device.path);
	if (S_ISFIFO(mode))
		str_buf_add(out, " (fifo");
	else
		str_buf_add(out, " (%c %u:%u", S_ISBLK(mode) ? 'b' : 'c', op->make_device.major,
			op->make_device.minor);
	if (op->make_device.bind)
		str_buf_add(out, ")");
	else
		str_buf_add(out, ", mode %04o, owner %u:%u)", mode & 07777, op->make_device.uid,
			op->make_device.gid);
}

static void print_make_symlink(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "link %s -> %s%s", op->make_symlink.path, op->make_symlink.target,
		op->make_symlink.replace ? ", replacing" : "");
}

static void print_open_console(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "open a terminal of /dev/pts, owner %u", op->open_console.uid);
	if (op->open_console.rows || op->open_console.columns)
		str_buf_add(out, ", %u rows, %u columns", op->open_console.rows, op->open_console.columns);
	if (op->open_console.mount)
		str_buf_add(out, "; mount it on /dev/console");
}

static void print_hand_over_console(struct str_buf *out, const struct plan_op *op)
{
	if (op->hand_over_console.socket)
		str_buf_add(out, "send the terminal to %s", op->hand_over_console.socket);
	else
		str_buf_add(out, "be the other side of the terminal");
}

static void print_hook(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "run the %s hook %s", op->hook.stage, op->hook.path);
	if (op->hook.args[0] && op->hook.args[1]) {
		str_buf_add(out, " ");
		print_strings(out, op->hook.args + 1);
	}
	if (op->hook.timeout_ms >= 0)
		str_buf_add(out, " (at most %d s)", op->hook.timeout_ms / 1000);
	if (op->hook.stdout_file)
		str_buf_add(out, ", stdout to %s", op->hook.stdout_file);
	if (op->hook.stderr_file)
		str_buf_add(out, ", stderr to %s", op->hook.stderr_file);
}

static void print_sysctl(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "set sysctl %s = %s", op->sysctl.name, op->sysctl.value);
}

static void print_mask_path(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "mask %s, if it exists", op->mask_path.path);
}

static void print_readonly_path(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "make %s read-only, if it exists", op->readonly_path.path);
}

static void print_readonly_rootfs(struct str_buf *out, const struct plan_op *op)
{
	(void)op;
	str_buf_add(out, "make the root filesystem read-only");
}

static void print_pivot_root(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, op->pivot_root.move ? "chroot into the root filesystem; the old root stays below it"
					     : "pivot_root; detach the old root");
	if (op->pivot_root.lock)
		str_buf_add(out, "; lock all mounts");
}

static void print_open_root(struct str_buf *out, const struct plan_op *op)
{
	(void)op;
	str_buf_add(out, "take / for the root filesystem");
}

static void print_unmount(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "unmount %s", op->unmount.path);
}

/* ---- process ---- */

static void print_limit(struct str_buf *out, uint64_t value)
{
	if (value == UINT64_MAX)
		str_buf_add(out, "unlimited");
	else
		str_buf_add(out, "%llu", (unsigned long long)value);
}

static void print_rlimit(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "limit %s: soft ", op->rlimit.name);
	print_limit(out, op->rlimit.soft);
	str_buf_add(out, ", hard ");
	print_limit(out, op->rlimit.hard);
}

static void print_raise_rlimit(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "raise the hard %s to ", op->raise_rlimit.name);
	print_limit(out, op->raise_rlimit.hard);
	str_buf_add(out, " if it is lower");
}

static void print_new_keyring(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "join a new session keyring, %s", op->new_keyring.name);
	if (op->new_keyring.label)
		str_buf_add(out, ", SELinux label %s", op->new_keyring.label);
}

static void print_wait_start(struct str_buf *out, const struct plan_op *op)
{
	(void)op;
	str_buf_add(out, "wait for start");
}

static void print_close_fds(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "close fds from %u on at execve", 3 + op->close_fds.preserve);
}

static void print_umask(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "set umask %04o", op->umask.mask);
}

static void print_change_directory(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "change to directory %s, creating it if missing", op->change_directory.path);
}

static void print_bounding_set(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "set the capability bounding set to ");
	print_mask(out, op->bounding_set.bounding);
}

static void print_user(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "become uid %u, gid %u, ", op->user.uid, op->user.gid);
	if (op->user.keep_groups) {
		str_buf_add(out, "groups unchanged");
		return;
	}
	str_buf_add(out, op->user.groups_count ? "groups" : "no other groups");
	for (size_t i = 0; i < op->user.groups_count; i++)
		str_buf_add(out, " %u", op->user.groups[i]);
}

static void print_find_user(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "find");
	if (op->find_user.user)
		str_buf_add(out, " user %s in the container's /etc/passwd", op->find_user.user);
	if (op->find_user.group)
		str_buf_add(out, "%s group %s in its /etc/group", op->find_user.user ? " and" : "",
			op->find_user.group);
}

static void print_find_program(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "find program %s", op->find_program.file);
	if (!strchr(op->find_program.file, '/'))
		str_buf_add(out, " in %s", op->find_program.search);
}

static void print_find_home(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "set HOME from the container's /etc/passwd, uid %u", op->find_home.uid);
}

static void print_label(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "execute with the %s %s", op->label.what, op->label.name);
}

static void print_capabilities(struct str_buf *out, const struct plan_op *op)
{
	static const char *const names[] = {"effective", "permitted", "inheritable", "ambient"};
	uint64_t sets[] = {op->capabilities.effective, op->capabilities.permitted,
		op->capabilities.inheritable, op->capabilities.ambient};

	str_buf_add(out, "set capabilities");
	for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
		str_buf_add(out, "%s%s ", i ? "; " : " ", names[i]);
		print_mask(out, sets[i]);
	}
}

static void print_no_new_privileges(struct str_buf *out, const struct plan_op *op)
{
	(void)op;
	str_buf_add(out, "forbid new privileges");
}

static void print_seccomp(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "load the seccomp filter");
	if (op->seccomp.listener)
		str_buf_add(out, " and hand its listener to %s", op->seccomp.listener);
}

static void print_execute(struct str_buf *out, const struct plan_op *op)
{
	size_t count = 0;

	while (op->execute.env[count])
		count++;
	str_buf_add(out, "execute ");
	print_strings(out, op->execute.args);
	str_buf_add(out, " with %zu environment variable%s", count, count == 1 ? "" : "s");
}

/* ---- scheduling ---- */

static void print_parent_cpus(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "until then run on CPUs %s", op->parent_cpus.cpus);
}

static void print_cpu_affinity(struct str_buf *out, const struct plan_op *op)
{
	const char *cpus = op->cpu_affinity.cpus;

	str_buf_add(out, "run on %s%s", cpus ? "CPUs " : "all CPUs of the cgroup", cpus ? cpus : "");
}

static void print_flags(struct str_buf *out, uint64_t mask, const struct spec_names *names)
{
	for (unsigned i = 1; i <= names->count; i++)
		if (mask & SPEC_BIT(i))
			str_buf_add(out, ", %s", spec_name(names, i));
}

static void print_scheduler(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "schedule by %s", spec_name(&spec_sched_policy_names, op->scheduler.policy + 1));
	if (op->scheduler.nice)
		str_buf_add(out, ", nice %d", op->scheduler.nice);
	if (op->scheduler.priority)
		str_buf_add(out, ", priority %u", op->scheduler.priority);
	if (op->scheduler.deadline)
		str_buf_add(out, ", runtime %llu, deadline %llu, period %llu ns",
			(unsigned long long)op->scheduler.runtime, (unsigned long long)op->scheduler.deadline,
			(unsigned long long)op->scheduler.period);
	print_flags(out, op->scheduler.flags, &spec_sched_flag_names);
}

static void print_io_priority(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "set I/O priority %s %d",
		spec_name(&spec_ioprio_class_names, (unsigned)op->io_priority.class_),
		op->io_priority.priority);
}

static void print_memory_policy(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(
		out, "set memory policy %s", spec_name(&spec_mpol_mode_names, op->memory_policy.mode + 1));
	if (op->memory_policy.nodes)
		str_buf_add(out, ", nodes %s", op->memory_policy.nodes);
	print_flags(out, op->memory_policy.flags >> 13, &spec_mpol_flag_names);
}

static void print_personality(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "set personality %s", op->personality.domain == PER_LINUX32 ? "LINUX32" : "LINUX");
}

static void print_sync(struct str_buf *out, const struct plan_op *op)
{
	static const char *const texts[] = {
		[SYNC_MAPPED] = "the ids are mapped",
		[SYNC_CONSOLE] = "the terminal",
		[SYNC_DEVICES] = "the network devices are there",
		[SYNC_MOUNTED] = "the mounts are done",
		[SYNC_HOOKED] = "the runtime's hooks ran",
		[SYNC_READY] = "ready",
		[SYNC_GO] = "go",
	};

	str_buf_add(out, "%s: %s",
		plan_sync_sender(op->sync.point) == PLAN_PARENT ? "parent -> init" : "init -> parent",
		texts[op->sync.point]);
}

static printer_fn *const printers[OP_COUNT] = {
#define OP(NAME, name, who) [OP_##NAME] = print_##name,
#include "libcontainer/plan/ops.def"
#undef OP
};

size_t plan_print_op(const struct plan_op *op, char *buf, size_t size)
{
	struct str_buf out;

	str_buf_init(&out, buf, size);
	printers[op->kind](&out, op);
	return out.length;
}

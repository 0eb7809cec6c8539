/*
 * default.c - the document of the `spec` command: what users know from other runtimes, as a place to start.
 *
 * Static data, copied into the arena where a struct of the model wants to own a list: the caller may change
 * it.
 */
#include <string.h>

#include "base/str.h"
#include "specs/config.h"

struct mount_row {
	const char *destination, *type, *source;
	const char *options[10];
};

static const struct mount_row default_mounts[] = {
	{"/proc", "proc", "proc", {NULL}},
	{"/dev", "tmpfs", "tmpfs", {"nosuid", "strictatime", "mode=755", "size=65536k"}},
	{"/dev/pts", "devpts", "devpts",
		{"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}},
	{"/dev/shm", "tmpfs", "shm", {"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"}},
	{"/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"}},
	{"/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", "ro"}},
	{"/sys/fs/cgroup", "cgroup", "cgroup", {"nosuid", "noexec", "nodev", "relatime", "ro"}},
};

/* Without a network namespace of its own a user namespace may not mount sysfs, only bind the host's. */
static const struct mount_row rootless_sys = {
	"/sys", "none", "/sys", {"rbind", "nosuid", "noexec", "nodev", "ro"}};
/* Group 5 is not mapped when one group is. */
static const struct mount_row rootless_pts = {
	"/dev/pts", "devpts", "devpts", {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"}};

static const char *const default_env[] = {
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm", NULL};
static const char *const default_args[] = {"sh", NULL};
static const char *const default_masked[] = {"/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys",
	"/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/sys/firmware",
	"/proc/scsi", NULL};
static const char *const default_readonly[] = {
	"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger", NULL};

/* AUDIT_WRITE, KILL, NET_BIND_SERVICE */
#define DEFAULT_CAPABILITIES ((uint64_t)1 << 29 | (uint64_t)1 << 5 | (uint64_t)1 << 10)

static const char **copy_list(struct arena *arena, const char *const *list, size_t *count)
{
	for (*count = 0; list[*count];)
		++*count;
	const char **copy = arena_array(arena, const char *, *count + 1);
	memcpy(copy, list, *count * sizeof(*copy));
	return copy;
}

static struct spec_mount make_mount(struct arena *arena, const struct mount_row *row)
{
	struct spec_mount m = {.destination = row->destination, .type = row->type, .source = row->source};

	m.options = copy_list(arena, row->options, &m.options_count);
	return m;
}

static void make_mounts(struct arena *arena, struct spec_config *c, bool rootless)
{
	c->mounts = arena_array(arena, struct spec_mount, ARRAY_SIZE(default_mounts));
	for (size_t i = 0; i < ARRAY_SIZE(default_mounts); i++) {
		const struct mount_row *row = &default_mounts[i];
		if (rootless && str_eq(row->destination, "/sys"))
			row = &rootless_sys;
		else if (rootless && str_eq(row->destination, "/dev/pts"))
			row = &rootless_pts;
		c->mounts[c->mounts_count++] = make_mount(arena, row);
	}
}

static struct spec_process *make_process(struct arena *arena)
{
	const struct spec_set caps = {.mask = DEFAULT_CAPABILITIES, .set = true};
	struct spec_process *p = arena_new(arena, struct spec_process);

	p->terminal = true;
	p->no_new_privileges = true;
	p->user = arena_new(arena, struct spec_user);
	p->args = copy_list(arena, default_args, &p->args_count);
	p->env = copy_list(arena, default_env, &p->env_count);
	p->cwd = "/";
	p->capabilities = arena_new(arena, struct spec_capabilities);
	p->capabilities->bounding = caps;
	p->capabilities->effective = caps;
	p->capabilities->permitted = caps;
	p->rlimits = arena_new(arena, struct spec_rlimit);
	*p->rlimits = (struct spec_rlimit){.type = SPEC_RLIMIT_NOFILE, .soft = 1024, .hard = 1024};
	p->rlimits_count = 1;
	return p;
}

static void make_namespaces(struct arena *arena, struct spec_linux *l, bool rootless)
{
	static const enum spec_namespace_type types[] = {
		SPEC_NS_PID, SPEC_NS_NETWORK, SPEC_NS_IPC, SPEC_NS_UTS, SPEC_NS_MOUNT, SPEC_NS_CGROUP};

	l->namespaces = arena_array(arena, struct spec_namespace, ARRAY_SIZE(types) + 1);
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (!rootless || types[i] != SPEC_NS_NETWORK)
			l->namespaces[l->namespaces_count++].type = types[i];
	if (rootless)
		l->namespaces[l->namespaces_count++].type = SPEC_NS_USER;
}

static struct spec_id_mapping *map_to_root(struct arena *arena, uint32_t host_id)
{
	struct spec_id_mapping *m = arena_new(arena, struct spec_id_mapping);

	*m = (struct spec_id_mapping){.container_id = 0, .host_id = host_id, .size = 1};
	return m;
}

static struct spec_linux *make_linux(struct arena *arena, bool rootless, uint32_t euid, uint32_t egid)
{
	struct spec_linux *l = arena_new(arena, struct spec_linux);

	if (rootless) {
		l->uid_mappings = map_to_root(arena, euid);
		l->gid_mappings = map_to_root(arena, egid);
		l->uid_mappings_count = l->gid_mappings_count = 1;
	} else {
		l->resources = arena_new(arena, struct spec_resources);
		l->resources->devices = arena_new(arena, struct spec_device_rule);
		l->resources->devices[0]
			.access = "rwm"; /* deny everything; the default devices are allowed anyway */
		l->resources->devices_count = 1;
	}
	make_namespaces(arena, l, rootless);
	l->masked_paths = copy_list(arena, default_masked, &l->masked_paths_count);
	l->readonly_paths = copy_list(arena, default_readonly, &l->readonly_paths_count);
	return l;
}

struct spec_config *spec_config_default(struct arena *arena, bool rootless, uint32_t euid, uint32_t egid)
{
	struct spec_config *c = arena_new(arena, struct spec_config);

	c->oci_version = SPEC_VERSION;
	c->process = make_process(arena);
	c->root = arena_new(arena, struct spec_root);
	*c->root = (struct spec_root){.path = "rootfs", .readonly = true};
	c->hostname = "crt";
	make_mounts(arena, c, rootless);
	c->linux_ = make_linux(arena, rootless, euid, egid);
	return c;
}

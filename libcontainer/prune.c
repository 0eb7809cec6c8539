/*
 * prune.c - what is left of a document once everything with an error in it is taken out.
 *
 * The plan's compiler takes a document without errors for granted; `check` still wants to know what else it
 * would have to say. So what is wrong is left out: the member of the document, or of linux, that holds it,
 * and of the mounts only those concerned. Not so where the rest would then mean something else, and be blamed
 * for it: in place of namespaces and id mappings come those that forbid nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "libcontainer/public.h"
#include "specs/config.h"

struct section {
	const char *path;
	size_t offset, size; /* of the member that is zeroed */
};

#define IN_CONFIG(path, member)                                                                              \
	{                                                                                                    \
		path, offsetof(struct spec_config, member), sizeof(((struct spec_config *)0)->member)        \
	}
#define IN_LINUX(path, member)                                                                               \
	{                                                                                                    \
		"linux." path, offsetof(struct spec_linux, member), sizeof(((struct spec_linux *)0)->member) \
	}

static const struct section of_config[] = {IN_CONFIG("process", process), IN_CONFIG("root", root),
	IN_CONFIG("hostname", hostname), IN_CONFIG("domainname", domainname), IN_CONFIG("hooks", hooks),
	IN_CONFIG("annotations", annotations_count)};

static const struct section of_linux[] = {IN_LINUX("uidMappings", uid_mappings_count),
	IN_LINUX("gidMappings", gid_mappings_count), IN_LINUX("sysctl", sysctl_count),
	IN_LINUX("cgroupsPath", cgroups_path), IN_LINUX("devices", devices_count),
	IN_LINUX("netDevices", net_devices_count), IN_LINUX("seccomp", seccomp),
	IN_LINUX("rootfsPropagation", rootfs_propagation), IN_LINUX("maskedPaths", masked_paths_count),
	IN_LINUX("readonlyPaths", readonly_paths_count), IN_LINUX("mountLabel", mount_label),
	IN_LINUX("intelRdt", intel_rdt), IN_LINUX("memoryPolicy", memory_policy),
	IN_LINUX("personality", personality), IN_LINUX("timeOffsets", time_offsets)};

static bool is_in(const char *path, const char *section)
{
	size_t n = strlen(section);

	return strncmp(path, section, n) == 0 && strchr(".[", path[n]); /* strchr finds the end, too */
}

/* Returns false when the path is in none of the sections. */
static bool zero(void *copy, const struct section *sections, size_t count, const char *path)
{
	for (size_t i = 0; i < count; i++)
		if (is_in(path, sections[i].path)) {
			memset((char *)copy + sections[i].offset, 0, sections[i].size);
			return true;
		}
	return false;
}

/* The index in "mounts[3].type"; `count` when the path is no item of that list. */
static size_t item_of(const char *path, const char *list, size_t count)
{
	size_t n = strlen(list);
	char *end;

	if (!str_starts(path, list) || path[n] != '[')
		return count;
	unsigned long i = strtoul(path + n + 1, &end, 10);
	return *end == ']' && i < count ? i : count;
}

/* That one, marked by a missing destination, which nothing else can be here. */
static bool take_mount(struct spec_config *config, const char *path)
{
	size_t i = item_of(path, "mounts", config->mounts_count);

	if (i == config->mounts_count)
		return false;
	config->mounts[i].destination = NULL;
	return true;
}

/* What is known of it is its type, if anything. */
static bool take_namespace(struct spec_linux *l, const char *path)
{
	size_t i = item_of(path, "linux.namespaces", l->namespaces_count);

	if (i < l->namespaces_count)
		l->namespaces[i].path = NULL;
	return is_in(path, "linux.namespaces");
}

static bool take_out(struct spec_config *config, const char *path)
{
	struct spec_resources *r = config->linux_->resources;

	if (r && is_in(path, "linux.resources.devices"))
		r->devices_count = 0;
	if (str_eq(path, "ociVersion") || is_in(path, "linux.resources")) /* whose compiler minds no errors */
		return true;
	return take_mount(config, path) || take_namespace(config->linux_, path) ||
	       zero(config, of_config, ARRAY_SIZE(of_config), path) ||
	       zero(config->linux_, of_linux, ARRAY_SIZE(of_linux), path);
}

static void close_gaps(struct spec_config *config)
{
	size_t n = 0;

	for (size_t i = 0; i < config->mounts_count; i++)
		if (config->mounts[i].destination)
			config->mounts[n++] = config->mounts[i];
	config->mounts_count = n;
}

/*
 * Each type once. One that is missing is made, when it could have been meant by an entry that cannot be read;
 * the mount namespace in any case.
 */
static void open_namespaces(struct arena *arena, struct spec_linux *l)
{
	struct spec_namespace *list = arena_array(arena, struct spec_namespace, SPEC_NS_COUNT);
	bool unknown = !l->namespaces_count;
	size_t n = 0;

	for (size_t i = 0; i < l->namespaces_count; i++)
		unknown |= !l->namespaces[i].type;
	for (enum spec_namespace_type t = SPEC_NS_PID; t < SPEC_NS_COUNT; t++) {
		const struct spec_namespace *found = spec_namespace_find(l, t);
		if (found)
			list[n++] = *found;
		else if (unknown || t == SPEC_NS_MOUNT)
			list[n++] = (struct spec_namespace){.type = t};
	}
	l->namespaces = list;
	l->namespaces_count = n;
}

/* All ids there are, for a new user namespace that has none, or none that are right. */
static void open_mappings(struct arena *arena, struct spec_linux *l)
{
	const struct spec_namespace *user = spec_namespace_find(l, SPEC_NS_USER);
	struct spec_id_mapping *all = arena_new(arena, struct spec_id_mapping);

	*all = (struct spec_id_mapping){.size = UINT32_MAX};
	if (!user || user->path)
		return;
	if (!l->uid_mappings_count)
		l->uid_mappings = all;
	if (!l->gid_mappings_count)
		l->gid_mappings = all;
	l->uid_mappings_count += !l->uid_mappings_count;
	l->gid_mappings_count += !l->gid_mappings_count;
}

/* Without these there is no plan; they have no place in the document, and nothing wrong with them. */
static void stand_in(struct arena *arena, struct spec_config *config)
{
	if (!config->root)
		config->root = arena_new(arena, struct spec_root);
	if (!config->root->path)
		config->root->path = "rootfs";
	if (config->process)
		return;
	config->process = arena_new(arena, struct spec_process);
	config->process->args = arena_array(arena, const char *, 1);
	config->process->args[0] = "sh";
	config->process->args_count = 1;
	config->process->cwd = "/";
	config->process->user = arena_new(arena, struct spec_user);
}

const struct spec_config *public_prune(
	struct arena *arena, const struct spec_config *from, const struct report *report)
{
	struct spec_config *config = arena_new(arena, struct spec_config);
	unsigned seen = 0;

	*config = *from;
	config->linux_ = arena_new(arena, struct spec_linux);
	*config->linux_ = *from->linux_;
	if (from->linux_->resources) {
		config->linux_->resources = arena_new(arena, struct spec_resources);
		*config->linux_->resources = *from->linux_->resources;
	}
	struct spec_linux *l = config->linux_;
	l->namespaces = arena_array(arena, struct spec_namespace, l->namespaces_count);
	for (size_t i = 0; i < l->namespaces_count; i++)
		l->namespaces[i] = from->linux_->namespaces[i];
	config->mounts = arena_array(arena, struct spec_mount, from->mounts_count);
	for (size_t i = 0; i < from->mounts_count; i++)
		config->mounts[i] = from->mounts[i];
	for (const struct report_problem *p = report->first; p; p = p->next) {
		if (p->severity != REPORT_ERROR)
			continue;
		seen++;
		if (!take_out(config, p->err.where.path))
			return NULL;
	}
	if (seen < report->errors) /* more than are kept */
		return NULL;
	close_gaps(config);
	open_namespaces(arena, l);
	open_mappings(arena, l);
	stand_in(arena, config);
	return config;
}

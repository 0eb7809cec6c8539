/*
 * namespace.c - namespaces, id mappings, time offsets: their shape, and where they contradict each other
 * (config-linux.md, "Namespaces", "User namespace mappings", "Offset for Time Namespace").
 *
 * Whether a path names a namespace of the right type only the kernel can say; that is found out when it is
 * joined.
 */
#include "specs/namespace.h"

#include <linux/sched.h>

#include "specs/check.h"
#include "specs/linux.h"

static const char *const type_names[] = {
	NULL, "pid", "network", "mount", "ipc", "uts", "user", "cgroup", "time", NULL};

const struct spec_names spec_namespace_names = SPEC_NAMES("namespace type", type_names);

static const struct {
	uint64_t clone_flag;
	const char *file;
} kernel[SPEC_NS_COUNT] = {
	[SPEC_NS_PID] = {CLONE_NEWPID, "pid"},
	[SPEC_NS_NETWORK] = {CLONE_NEWNET, "net"},
	[SPEC_NS_MOUNT] = {CLONE_NEWNS, "mnt"},
	[SPEC_NS_IPC] = {CLONE_NEWIPC, "ipc"},
	[SPEC_NS_UTS] = {CLONE_NEWUTS, "uts"},
	[SPEC_NS_USER] = {CLONE_NEWUSER, "user"},
	[SPEC_NS_CGROUP] = {CLONE_NEWCGROUP, "cgroup"},
	[SPEC_NS_TIME] = {CLONE_NEWTIME, "time"},
};

static const struct spec_row namespace_rows[] = {
	ROW_ENUM(spec_namespace, "type", type, spec_namespace_type, &spec_namespace_names,
		.flags = SPEC_REQUIRED),
	ROW_STRING(spec_namespace, "path", path),
};
const struct spec_table spec_namespace_table = SPEC_TABLE("namespace", spec_namespace, namespace_rows);

static const struct spec_row id_mapping_rows[] = {
	ROW_U32(spec_id_mapping, "containerID", container_id, .flags = SPEC_REQUIRED, .max = UINT32_MAX - 1),
	ROW_U32(spec_id_mapping, "hostID", host_id, .flags = SPEC_REQUIRED, .max = UINT32_MAX - 1),
	ROW_U32(spec_id_mapping, "size", size, .flags = SPEC_REQUIRED, .min = 1, .max = UINT32_MAX),
};
const struct spec_table spec_id_mapping_table = SPEC_TABLE("mapping", spec_id_mapping, id_mapping_rows);

static const struct spec_row time_offset_rows[] = {
	ROW_I64(spec_time_offset, "secs", secs),
	ROW_U32(spec_time_offset, "nanosecs", nanosecs, .max = 999999999),
};
static const struct spec_table time_offset_table = SPEC_TABLE("offset", spec_time_offset, time_offset_rows);

static const struct spec_row time_offsets_rows[] = {
	ROW_OBJECT(spec_time_offsets, "monotonic", monotonic, spec_time_offset, &time_offset_table),
	ROW_OBJECT(spec_time_offsets, "boottime", boottime, spec_time_offset, &time_offset_table),
};
const struct spec_table spec_time_offsets_table = SPEC_TABLE(
	"time offsets", spec_time_offsets, time_offsets_rows);

const char *spec_namespace_name(enum spec_namespace_type type)
{
	return spec_name(&spec_namespace_names, type);
}

uint64_t spec_namespace_clone_flag(enum spec_namespace_type type)
{
	return kernel[type].clone_flag;
}

const char *spec_namespace_file(enum spec_namespace_type type)
{
	return kernel[type].file;
}

const struct spec_namespace *spec_namespace_find(
	const struct spec_linux *linux_, enum spec_namespace_type type)
{
	for (size_t i = 0; i < linux_->namespaces_count; i++)
		if (linux_->namespaces[i].type == type)
			return &linux_->namespaces[i];
	return NULL;
}

bool spec_namespace_lacks(
	const struct json_doc *doc, const struct spec_linux *linux_, enum spec_namespace_type type)
{
	if (!linux_->namespaces_count && spec_has_items(doc, linux_->node, "namespaces"))
		return false;
	return !spec_namespace_find(linux_, type) && !spec_namespace_find(linux_, SPEC_NS_NONE);
}

#define MAPPINGS_MAX 340 /* the kernel's UID_GID_MAP_MAX_EXTENTS */

static bool overlap(uint32_t a, uint32_t a_size, uint32_t b, uint32_t b_size)
{
	return (uint64_t)a < (uint64_t)b + b_size && (uint64_t)b < (uint64_t)a + a_size;
}

static void check_mapping(
	const struct json_doc *doc, const struct spec_id_mapping *all, size_t i, struct report *report)
{
	const struct spec_id_mapping *m = &all[i];

	/* The id 2^32-1 means "none" everywhere in the kernel and cannot be mapped. */
	if ((uint64_t)m->container_id + m->size > UINT32_MAX || (uint64_t)m->host_id + m->size > UINT32_MAX) {
		json_error(report, doc, m->node, "the range goes beyond the highest id, 4294967294");
		return;
	}
	for (size_t j = 0; j < i; j++) {
		bool inside = overlap(m->container_id, m->size, all[j].container_id, all[j].size);
		if (!inside && !overlap(m->host_id, m->size, all[j].host_id, all[j].size))
			continue;
		json_error(report, doc, m->node, "the %s ids overlap those of the mapping at line %u",
			inside ? "container's" : "host's", spec_line(doc, all[j].node, report));
		return;
	}
}

int spec_id_mappings_check(const struct json_doc *doc, uint32_t node, const char *name,
	const struct spec_id_mapping *mappings, size_t count, struct report *report)
{
	unsigned errors = report->errors;

	if (count > MAPPINGS_MAX)
		json_error(report, doc, spec_at(doc, node, name), "%zu mappings; the kernel takes at most %d",
			count, MAPPINGS_MAX);
	for (size_t i = 0; i < count && i < MAPPINGS_MAX; i++)
		check_mapping(doc, mappings, i, report);
	return spec_check_result(report, errors);
}

static void check_namespace_list(
	const struct json_doc *doc, const struct spec_linux *linux_, struct report *report)
{
	for (size_t i = 0; i < linux_->namespaces_count; i++) {
		const struct spec_namespace *ns = &linux_->namespaces[i];
		const struct spec_namespace *first = spec_namespace_find(linux_, ns->type);
		if (ns->type && first != ns)
			json_error(report, doc, ns->node,
				"duplicate namespace of type \"%s\"; the first one is at line %u",
				spec_namespace_name(ns->type), spec_line(doc, first->node, report));
		if (ns->path)
			spec_check_absolute(doc, spec_at(doc, ns->node, "path"), ns->path, report);
	}
	if (spec_namespace_lacks(doc, linux_, SPEC_NS_MOUNT))
		err_hint(json_error(report, doc, spec_at(doc, linux_->node, "namespaces"),
				 "there is no mount namespace; the mounts would be the host's"),
			"add {\"type\": \"mount\"}");
}

static void check_user_namespace(
	const struct json_doc *doc, const struct spec_linux *linux_, struct report *report)
{
	const struct spec_namespace *user = spec_namespace_find(linux_, SPEC_NS_USER);
	bool mapped = linux_->uid_mappings_count || linux_->gid_mappings_count;
	bool uids = linux_->uid_mappings_count || spec_has_items(doc, linux_->node, "uidMappings");
	bool gids = linux_->gid_mappings_count || spec_has_items(doc, linux_->node, "gidMappings");
	const char *first = linux_->uid_mappings_count ? "uidMappings" : "gidMappings";

	spec_id_mappings_check(
		doc, linux_->node, "uidMappings", linux_->uid_mappings, linux_->uid_mappings_count, report);
	spec_id_mappings_check(
		doc, linux_->node, "gidMappings", linux_->gid_mappings, linux_->gid_mappings_count, report);
	if (mapped && spec_namespace_lacks(doc, linux_, SPEC_NS_USER))
		err_hint(json_error(report, doc, spec_at(doc, linux_->node, first),
				 "mappings without a user namespace"),
			"add {\"type\": \"user\"} to linux.namespaces");
	else if (user && user->path && mapped)
		json_warning(report, doc, spec_at(doc, linux_->node, first),
			"a user namespace that is joined keeps the mappings it has");
	else if (user && !user->path && !(uids && gids))
		json_error(report, doc, user->node,
			"a new user namespace needs linux.uidMappings and linux.gidMappings");
}

static void check_time_namespace(
	const struct json_doc *doc, const struct spec_linux *linux_, struct report *report)
{
	const struct spec_namespace *ns = spec_namespace_find(linux_, SPEC_NS_TIME);

	if (!linux_->time_offsets)
		return;
	if (spec_namespace_lacks(doc, linux_, SPEC_NS_TIME))
		err_hint(json_error(report, doc, linux_->time_offsets->node,
				 "time offsets without a time namespace"),
			"add {\"type\": \"time\"} to linux.namespaces");
	else if (ns && ns->path)
		json_error(report, doc, linux_->time_offsets->node,
			"time offsets can be set in a new time namespace only, not in one that is joined");
}

int spec_namespaces_check(const struct json_doc *doc, const struct spec_linux *linux_, struct report *report)
{
	unsigned errors = report->errors;

	check_namespace_list(doc, linux_, report);
	check_user_namespace(doc, linux_, report);
	check_time_namespace(doc, linux_, report);
	return spec_check_result(report, errors);
}

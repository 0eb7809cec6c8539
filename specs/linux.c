/*
 * linux.c - the linux object: its own members; the larger ones are checked by their files (config-linux.md).
 */
#include "specs/linux.h"

#include <string.h>

#include "base/str.h"
#include "specs/check.h"

static const char *const propagation_names[] = {NULL, "private", "shared", "slave", "unbindable", "rprivate",
	"rshared", "rslave", "runbindable", NULL};
static const char *const mpol_mode_names[] = {NULL, "MPOL_DEFAULT", "MPOL_PREFERRED", "MPOL_BIND",
	"MPOL_INTERLEAVE", "MPOL_LOCAL", "MPOL_PREFERRED_MANY", "MPOL_WEIGHTED_INTERLEAVE", NULL};
static const char *const mpol_flag_names[] = {
	NULL, "MPOL_F_NUMA_BALANCING", "MPOL_F_RELATIVE_NODES", "MPOL_F_STATIC_NODES", NULL};
static const char *const domain_names[] = {NULL, "LINUX", "LINUX32", NULL};

const struct spec_names spec_propagation_names = SPEC_NAMES("propagation", propagation_names);
const struct spec_names spec_mpol_mode_names = SPEC_NAMES("memory policy", mpol_mode_names);
const struct spec_names spec_mpol_flag_names = SPEC_NAMES("memory policy flag", mpol_flag_names);
static const struct spec_names spec_domain_names = SPEC_NAMES("execution domain", domain_names);

static const struct spec_row net_device_rows[] = {
	ROW_STRING(spec_net_device, "name", name),
};
static const struct spec_table net_device_table = SPEC_TABLE(
	"network device", spec_net_device, net_device_rows);

static const struct spec_row intel_rdt_rows[] = {
	ROW_STRING(spec_intel_rdt, "closID", clos_id),
	ROW_STRINGS(spec_intel_rdt, "schemata", schemata),
	ROW_STRING(spec_intel_rdt, "l3CacheSchema", l3_cache_schema),
	ROW_STRING(spec_intel_rdt, "memBwSchema", mem_bw_schema),
	ROW_BOOL(spec_intel_rdt, "enableMonitoring", enable_monitoring),
};
static const struct spec_table intel_rdt_table = SPEC_TABLE("intelRdt", spec_intel_rdt, intel_rdt_rows);

static const struct spec_row memory_policy_rows[] = {
	ROW_ENUM(spec_memory_policy, "mode", mode, spec_mpol_mode, &spec_mpol_mode_names,
		.flags = SPEC_REQUIRED),
	ROW_STRING(spec_memory_policy, "nodes", nodes),
	ROW_SET(spec_memory_policy, "flags", flags, &spec_mpol_flag_names),
};
static const struct spec_table memory_policy_table = SPEC_TABLE(
	"memory policy", spec_memory_policy, memory_policy_rows);

static const struct spec_row personality_rows[] = {
	ROW_ENUM(spec_personality, "domain", domain, spec_personality_domain, &spec_domain_names,
		.flags = SPEC_REQUIRED),
	ROW_STRINGS(spec_personality, "flags", flags),
};
static const struct spec_table personality_table = SPEC_TABLE(
	"personality", spec_personality, personality_rows);

static const struct spec_row linux_rows[] = {
	ROW_OBJECTS(spec_linux, "uidMappings", uid_mappings, spec_id_mapping, &spec_id_mapping_table),
	ROW_OBJECTS(spec_linux, "gidMappings", gid_mappings, spec_id_mapping, &spec_id_mapping_table),
	ROW_PAIRS(spec_linux, "sysctl", sysctl),
	ROW_OBJECT(spec_linux, "resources", resources, spec_resources, &spec_resources_table),
	ROW_STRING(spec_linux, "cgroupsPath", cgroups_path),
	ROW_OBJECTS(spec_linux, "namespaces", namespaces, spec_namespace, &spec_namespace_table),
	ROW_OBJECTS(spec_linux, "devices", devices, spec_device, &spec_device_table),
	ROW_OBJECT_MAP(spec_linux, "netDevices", net_devices, spec_net_device, &net_device_table),
	ROW_OBJECT(spec_linux, "seccomp", seccomp, spec_seccomp, &spec_seccomp_table),
	ROW_ENUM(spec_linux, "rootfsPropagation", rootfs_propagation, spec_propagation,
		&spec_propagation_names),
	ROW_STRINGS(spec_linux, "maskedPaths", masked_paths),
	ROW_STRINGS(spec_linux, "readonlyPaths", readonly_paths),
	ROW_STRING(spec_linux, "mountLabel", mount_label),
	ROW_OBJECT(spec_linux, "intelRdt", intel_rdt, spec_intel_rdt, &intel_rdt_table),
	ROW_OBJECT(spec_linux, "memoryPolicy", memory_policy, spec_memory_policy, &memory_policy_table),
	ROW_OBJECT(spec_linux, "personality", personality, spec_personality, &personality_table),
	ROW_OBJECT(spec_linux, "timeOffsets", time_offsets, spec_time_offsets, &spec_time_offsets_table),
};
const struct spec_table spec_linux_table = SPEC_TABLE("linux object", spec_linux, linux_rows);

#define NET_DEVICES_COMPARED 1024 /* each with each: the kernel refuses a second of the same name anyway */
#define INTERFACE_NAME_MAX   15   /* the kernel's IFNAMSIZ - 1 */

/* What the kernel's dev_valid_name() lets through. */
static bool is_interface_name(const char *s)
{
	return *s && strlen(s) <= INTERFACE_NAME_MAX && !strpbrk(s, "/: \t\n\v\f\r") && !str_eq(s, ".") &&
	       !str_eq(s, "..");
}

static void check_net_devices(
	const struct json_doc *doc, const struct spec_linux *linux_, struct report *report)
{
	if (linux_->net_devices_count && spec_namespace_lacks(doc, linux_, SPEC_NS_NETWORK))
		err_hint(json_error(report, doc, spec_at(doc, linux_->node, "netDevices"),
				 "network devices can be moved only into a network namespace"),
			"add {\"type\": \"network\"} to linux.namespaces");
	for (size_t i = 0; i < linux_->net_devices_count; i++) {
		const struct spec_net_device *d = &linux_->net_devices[i];
		const char *inside = d->name ? d->name : d->key;
		if (!is_interface_name(d->key))
			json_problem_key(report, REPORT_ERROR, doc, d->node,
				"not the name of an interface: \"%s\"", d->key);
		if (d->name && !is_interface_name(d->name))
			json_error(report, doc, spec_at(doc, d->node, "name"),
				"not the name of an interface: \"%s\"", d->name);
		for (size_t j = 0; j < i && i < NET_DEVICES_COMPARED; j++) {
			const struct spec_net_device *other = &linux_->net_devices[j];
			if (!strchr(inside, '%') && str_eq(inside, other->name ? other->name : other->key))
				json_error(report, doc, d->node,
					"two interfaces would be called \"%s\"; the first one is at line %u",
					inside, spec_line(doc, other->node, report));
		}
	}
}

static void check_intel_rdt(const struct json_doc *doc, const struct spec_intel_rdt *r, struct report *report)
{
	if (r->clos_id && !str_eq(r->clos_id, "/") &&
		(!*r->clos_id || strchr(r->clos_id, '/') || str_eq(r->clos_id, ".") ||
			str_eq(r->clos_id, "..")))
		json_error(report, doc, spec_at(doc, r->node, "closID"),
			"not the name of a directory: \"%s\"", r->clos_id);
	if (r->mem_bw_schema && (!str_starts(r->mem_bw_schema, "MB:") || strchr(r->mem_bw_schema, '\n')))
		json_error(report, doc, spec_at(doc, r->node, "memBwSchema"),
			"must be one line that starts with \"MB:\"");
	if (r->l3_cache_schema && !str_starts(r->l3_cache_schema, "L3"))
		json_warning(
			report, doc, spec_at(doc, r->node, "l3CacheSchema"), "should start with \"L3:\"");
}

/* set_mempolicy(2) */
static void check_memory_policy(
	const struct json_doc *doc, const struct spec_memory_policy *p, struct report *report)
{
	const uint64_t both = SPEC_BIT(SPEC_MPOL_F_STATIC_NODES) | SPEC_BIT(SPEC_MPOL_F_RELATIVE_NODES);
	bool balancing = p->flags.mask & SPEC_BIT(SPEC_MPOL_F_NUMA_BALANCING);
	bool no_nodes = p->mode == SPEC_MPOL_DEFAULT || p->mode == SPEC_MPOL_LOCAL;
	const char *mode = spec_name(&spec_mpol_mode_names, p->mode);

	spec_check_number_list(doc, spec_at(doc, p->node, "nodes"), p->nodes, report);
	if (!mode)
		return;
	if (no_nodes && (p->nodes || (p->flags.mask & both)))
		json_error(report, doc, p->node, "%s takes no nodes", mode);
	if (!no_nodes && !p->nodes && p->mode != SPEC_MPOL_PREFERRED)
		json_error(report, doc, p->node, "%s needs nodes", mode);
	if ((p->flags.mask & both) == both)
		json_error(report, doc, p->flags.node,
			"MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES exclude each other");
	if (balancing && p->mode != SPEC_MPOL_BIND && p->mode != SPEC_MPOL_PREFERRED_MANY)
		json_error(report, doc, p->flags.node,
			"MPOL_F_NUMA_BALANCING needs MPOL_BIND or MPOL_PREFERRED_MANY, not %s", mode);
}

/* Not a component "..": the path is joined to the cgroup mount, or to the parent of a systemd slice. */
static void check_cgroups_path(
	const struct json_doc *doc, const struct spec_linux *linux_, struct report *report)
{
	for (const char *s = linux_->cgroups_path; s; s = strchr(s, '/')) {
		s += strspn(s, "/");
		if (strcspn(s, "/") == 2 && s[0] == '.' && s[1] == '.') {
			json_error(report, doc, spec_at(doc, linux_->node, "cgroupsPath"),
				"must not hold \"..\"");
			return;
		}
	}
}

int spec_linux_check(const struct json_doc *doc, const struct spec_linux *l, struct report *report)
{
	unsigned errors = report->errors;

	spec_namespaces_check(doc, l, report);
	spec_devices_check(doc, l->devices, l->devices_count, report);
	check_net_devices(doc, l, report);
	check_cgroups_path(doc, l, report);
	if (l->resources)
		spec_resources_check(doc, l->resources, report);
	if (l->seccomp)
		spec_seccomp_check(doc, l->seccomp, report);
	spec_sysctls_check(doc, l, report);
	spec_check_absolute_list(doc, l->node, "maskedPaths", l->masked_paths, l->masked_paths_count, report);
	spec_check_absolute_list(
		doc, l->node, "readonlyPaths", l->readonly_paths, l->readonly_paths_count, report);
	if (l->intel_rdt)
		check_intel_rdt(doc, l->intel_rdt, report);
	if (l->memory_policy)
		check_memory_policy(doc, l->memory_policy, report);
	if (l->personality && l->personality->flags_count)
		json_error(report, doc, spec_at(doc, l->personality->node, "flags"),
			"no flag of a personality is supported");
	return spec_check_result(report, errors);
}

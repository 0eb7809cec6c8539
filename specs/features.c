/*
 * features.c - see features.h (features.md, features-linux.md).
 */
#include "specs/features.h"

#include "specs/capability.h"
#include "specs/config.h"

static const struct spec_row cgroup_rows[] = {
	ROW_OPT_BOOL(spec_features_cgroup, "v1", v1),
	ROW_OPT_BOOL(spec_features_cgroup, "v2", v2),
	ROW_OPT_BOOL(spec_features_cgroup, "systemd", systemd),
	ROW_OPT_BOOL(spec_features_cgroup, "systemdUser", systemd_user),
	ROW_OPT_BOOL(spec_features_cgroup, "rdma", rdma),
};
static const struct spec_table cgroup_table = SPEC_TABLE(
	"cgroup features", spec_features_cgroup, cgroup_rows);

static const struct spec_row seccomp_rows[] = {
	ROW_OPT_BOOL(spec_features_seccomp, "enabled", enabled),
	ROW_SET(spec_features_seccomp, "actions", actions, &spec_seccomp_action_names),
	ROW_SET(spec_features_seccomp, "operators", operators, &spec_seccomp_operator_names),
	ROW_SET(spec_features_seccomp, "archs", archs, &spec_seccomp_arch_names),
	ROW_SET(spec_features_seccomp, "knownFlags", known_flags, &spec_seccomp_flag_names),
	ROW_SET(spec_features_seccomp, "supportedFlags", supported_flags, &spec_seccomp_flag_names),
};
static const struct spec_table seccomp_table = SPEC_TABLE(
	"seccomp features", spec_features_seccomp, seccomp_rows);

static const struct spec_row enabled_rows[] = {
	ROW_OPT_BOOL(spec_features_enabled, "enabled", enabled),
};
static const struct spec_table enabled_table = SPEC_TABLE("feature", spec_features_enabled, enabled_rows);

static const struct spec_row intel_rdt_rows[] = {
	ROW_OPT_BOOL(spec_features_intel_rdt, "enabled", enabled),
	ROW_OPT_BOOL(spec_features_intel_rdt, "schemata", schemata),
	ROW_OPT_BOOL(spec_features_intel_rdt, "monitoring", monitoring),
};
static const struct spec_table intel_rdt_table = SPEC_TABLE(
	"feature", spec_features_intel_rdt, intel_rdt_rows);

static const struct spec_row memory_policy_rows[] = {
	ROW_SET(spec_features_memory_policy, "modes", modes, &spec_mpol_mode_names),
	ROW_SET(spec_features_memory_policy, "flags", flags, &spec_mpol_flag_names),
};
static const struct spec_table memory_policy_table = SPEC_TABLE(
	"feature", spec_features_memory_policy, memory_policy_rows);

static const struct spec_row mount_extensions_rows[] = {
	ROW_OBJECT(spec_features_mount_extensions, "idmap", idmap, spec_features_enabled, &enabled_table),
};
static const struct spec_table mount_extensions_table = SPEC_TABLE(
	"mount extensions", spec_features_mount_extensions, mount_extensions_rows);

static const struct spec_row linux_rows[] = {
	ROW_SET(spec_features_linux, "namespaces", namespaces, &spec_namespace_names),
	ROW_SET(spec_features_linux, "capabilities", capabilities, &spec_capability_names),
	ROW_OBJECT(spec_features_linux, "cgroup", cgroup, spec_features_cgroup, &cgroup_table),
	ROW_OBJECT(spec_features_linux, "seccomp", seccomp, spec_features_seccomp, &seccomp_table),
	ROW_OBJECT(spec_features_linux, "apparmor", apparmor, spec_features_enabled, &enabled_table),
	ROW_OBJECT(spec_features_linux, "selinux", selinux, spec_features_enabled, &enabled_table),
	ROW_OBJECT(spec_features_linux, "intelRdt", intel_rdt, spec_features_intel_rdt, &intel_rdt_table),
	ROW_OBJECT(spec_features_linux, "memoryPolicy", memory_policy, spec_features_memory_policy,
		&memory_policy_table),
	ROW_OBJECT(spec_features_linux, "mountExtensions", mount_extensions, spec_features_mount_extensions,
		&mount_extensions_table),
	ROW_OBJECT(spec_features_linux, "netDevices", net_devices, spec_features_enabled, &enabled_table),
};
static const struct spec_table linux_table = SPEC_TABLE("linux features", spec_features_linux, linux_rows);

static const struct spec_row features_rows[] = {
	ROW_STRING(spec_features, "ociVersionMin", oci_version_min, .flags = SPEC_REQUIRED),
	ROW_STRING(spec_features, "ociVersionMax", oci_version_max, .flags = SPEC_REQUIRED),
	ROW_STRINGS(spec_features, "hooks", hooks),
	ROW_STRINGS(spec_features, "mountOptions", mount_options),
	ROW_OBJECT(spec_features, "linux", linux_, spec_features_linux, &linux_table),
	ROW_PAIRS(spec_features, "annotations", annotations),
	ROW_STRINGS(
		spec_features, "potentiallyUnsafeConfigAnnotations", potentially_unsafe_config_annotations),
};
const struct spec_table spec_features_table = SPEC_TABLE("features", spec_features, features_rows);

static struct spec_set every(const struct spec_names *names)
{
	return (struct spec_set){.mask = SPEC_BIT(names->count) | (SPEC_BIT(names->count) - 1), .set = true};
}

static struct spec_features_linux *linux_known(struct arena *arena)
{
	struct spec_features_linux *l = arena_new(arena, struct spec_features_linux);

	l->namespaces = every(&spec_namespace_names);
	l->capabilities = every(&spec_capability_names);
	l->seccomp = arena_new(arena, struct spec_features_seccomp);
	l->seccomp->enabled = (struct spec_opt_bool){true, true};
	l->seccomp->actions = every(&spec_seccomp_action_names);
	l->seccomp->operators = every(&spec_seccomp_operator_names);
	l->seccomp->archs = every(&spec_seccomp_arch_names);
	l->seccomp->known_flags = every(&spec_seccomp_flag_names);
	l->memory_policy = arena_new(arena, struct spec_features_memory_policy);
	l->memory_policy->modes = every(&spec_mpol_mode_names);
	l->memory_policy->flags = every(&spec_mpol_flag_names);
	return l;
}

struct spec_features *spec_features_known(struct arena *arena)
{
	struct spec_features *f = arena_new(arena, struct spec_features);

	f->oci_version_min = SPEC_VERSION_MIN;
	f->oci_version_max = SPEC_VERSION;
	f->hooks = arena_array(arena, const char *, spec_hooks_table.count);
	for (unsigned i = 0; i < spec_hooks_table.count; i++)
		f->hooks[f->hooks_count++] = spec_hooks_table.rows[i].name;
	f->mount_options = arena_array(arena, const char *, spec_mount_options_count);
	for (size_t i = 0; i < spec_mount_options_count; i++)
		f->mount_options[f->mount_options_count++] = spec_mount_options[i].name;
	f->linux_ = linux_known(arena);
	return f;
}

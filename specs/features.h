/*
 * features.h - what a runtime can do (features.md, features-linux.md). The lists of words are sets of the
 * enums that the configuration uses, so that a word crt can read is a word it names here.
 */
#ifndef SPECS_FEATURES_H
#define SPECS_FEATURES_H

#include "specs/table.h"

struct spec_features_cgroup {
	uint32_t node;
	struct spec_opt_bool v1;
	struct spec_opt_bool v2;
	struct spec_opt_bool systemd;
	struct spec_opt_bool systemd_user;
	struct spec_opt_bool rdma;
};

struct spec_features_seccomp {
	uint32_t node;
	struct spec_opt_bool enabled;
	struct spec_set actions;
	struct spec_set operators;
	struct spec_set archs;
	struct spec_set known_flags;
	struct spec_set supported_flags;
};

/* {"enabled": true}: apparmor, selinux, intelRdt, netDevices, mountExtensions.idmap */
struct spec_features_enabled {
	uint32_t node;
	struct spec_opt_bool enabled;
};

struct spec_features_intel_rdt {
	uint32_t node;
	struct spec_opt_bool enabled;
	struct spec_opt_bool schemata;
	struct spec_opt_bool monitoring;
};

struct spec_features_memory_policy {
	uint32_t node;
	struct spec_set modes;
	struct spec_set flags;
};

struct spec_features_mount_extensions {
	uint32_t node;
	struct spec_features_enabled *idmap;
};

struct spec_features_linux {
	uint32_t node;
	struct spec_set namespaces;
	struct spec_set capabilities;
	struct spec_features_cgroup *cgroup;
	struct spec_features_seccomp *seccomp;
	struct spec_features_enabled *apparmor;
	struct spec_features_enabled *selinux;
	struct spec_features_intel_rdt *intel_rdt;
	struct spec_features_memory_policy *memory_policy;
	struct spec_features_mount_extensions *mount_extensions;
	struct spec_features_enabled *net_devices;
};

struct spec_features {
	uint32_t node;
	const char *oci_version_min;
	const char *oci_version_max;
	const char **hooks;
	size_t hooks_count;
	const char **mount_options;
	size_t mount_options_count;
	struct spec_pair *annotations;
	size_t annotations_count;
	const char **potentially_unsafe_config_annotations;
	size_t potentially_unsafe_config_annotations_count;
	struct spec_features_linux *linux_;
};

extern const struct spec_table spec_features_table;

/*
 * What the tables of this floor know: versions, hooks, mount options, namespaces, capabilities, the words of
 * seccomp. What depends on the build and the host (cgroup, LSMs, supported flags) the caller adds.
 */
struct spec_features *spec_features_known(struct arena *arena);

#endif

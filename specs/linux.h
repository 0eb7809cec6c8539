/*
 * linux.h - the `linux` object (config-linux.md). Its larger parts have files of their own.
 */
#ifndef SPECS_LINUX_H
#define SPECS_LINUX_H

#include "specs/device.h"
#include "specs/namespace.h"
#include "specs/resources.h"
#include "specs/seccomp.h"
#include "specs/table.h"

enum spec_propagation {
	SPEC_PROPAGATION_NONE,
	SPEC_PROPAGATION_PRIVATE,
	SPEC_PROPAGATION_SHARED,
	SPEC_PROPAGATION_SLAVE,
	SPEC_PROPAGATION_UNBINDABLE,
	SPEC_PROPAGATION_RPRIVATE, /* the recursive forms are not in the text, but engines write them */
	SPEC_PROPAGATION_RSHARED,
	SPEC_PROPAGATION_RSLAVE,
	SPEC_PROPAGATION_RUNBINDABLE,
};

struct spec_net_device {
	uint32_t node;
	const char *key;  /* the interface's name on the host */
	const char *name; /* inside the container, or a pattern for the kernel, "eth%d"; NULL: the same */
};

struct spec_intel_rdt {
	uint32_t node;
	const char *clos_id; /* a directory's name; "/": the root group */
	const char **schemata;
	size_t schemata_count;
	const char *l3_cache_schema;
	const char *mem_bw_schema;
	bool enable_monitoring;
};

enum spec_mpol_mode { /* value - 1 is the kernel's number */
	SPEC_MPOL_NONE,
	SPEC_MPOL_DEFAULT,
	SPEC_MPOL_PREFERRED,
	SPEC_MPOL_BIND,
	SPEC_MPOL_INTERLEAVE,
	SPEC_MPOL_LOCAL,
	SPEC_MPOL_PREFERRED_MANY,
	SPEC_MPOL_WEIGHTED_INTERLEAVE,
};

enum spec_mpol_flag { /* the set's mask << 13 is the kernel's mode flags */
	SPEC_MPOL_FLAG_NONE,
	SPEC_MPOL_F_NUMA_BALANCING,
	SPEC_MPOL_F_RELATIVE_NODES,
	SPEC_MPOL_F_STATIC_NODES,
};

struct spec_memory_policy {
	uint32_t node;
	enum spec_mpol_mode mode;
	const char *nodes; /* "0-1,3" */
	struct spec_set flags;
};

enum spec_personality_domain { SPEC_PERSONALITY_NONE, SPEC_PERSONALITY_LINUX, SPEC_PERSONALITY_LINUX32 };

struct spec_personality {
	uint32_t node;
	enum spec_personality_domain domain;
	const char **flags;
	size_t flags_count;
};

struct spec_linux {
	uint32_t node;
	struct spec_id_mapping *uid_mappings;
	size_t uid_mappings_count;
	struct spec_id_mapping *gid_mappings;
	size_t gid_mappings_count;
	struct spec_pair *sysctl;
	size_t sysctl_count;
	struct spec_resources *resources;
	const char *cgroups_path;
	struct spec_namespace *namespaces;
	size_t namespaces_count;
	struct spec_device *devices;
	size_t devices_count;
	struct spec_net_device *net_devices;
	size_t net_devices_count;
	struct spec_seccomp *seccomp;
	enum spec_propagation rootfs_propagation;
	const char **masked_paths;
	size_t masked_paths_count;
	const char **readonly_paths;
	size_t readonly_paths_count;
	const char *mount_label;
	struct spec_intel_rdt *intel_rdt;
	struct spec_memory_policy *memory_policy;
	struct spec_personality *personality;
	struct spec_time_offsets *time_offsets;
};

extern const struct spec_table spec_linux_table;
extern const struct spec_names spec_propagation_names;
extern const struct spec_names spec_mpol_mode_names;
extern const struct spec_names spec_mpol_flag_names;

/* Rules of everything below `linux`. Returns 0, or -EINVAL when it added an error. */
int spec_linux_check(const struct json_doc *doc, const struct spec_linux *linux_, struct report *report);

/*
 * Which namespace a sysctl belongs to: SPEC_NS_NETWORK, _IPC, _UTS or _USER; SPEC_NS_NONE when it is the
 * whole host's (or no sysctl's name at all). Both '.' and '/' separate.
 */
enum spec_namespace_type spec_sysctl_namespace(const char *name);

/* The sysctl's file below /proc/sys: "net/ipv4/ip_forward". Returns 0, or -EINVAL for a name that is none. */
int spec_sysctl_path(const char *name, char *buf, size_t size);

int spec_sysctls_check(const struct json_doc *doc, const struct spec_linux *linux_, struct report *report);

#endif

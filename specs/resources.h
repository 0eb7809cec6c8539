/*
 * resources.h - limits of the cgroup (config-linux.md, "Control groups"). resources.json of update is the
 * same object on its own.
 */
#ifndef SPECS_RESOURCES_H
#define SPECS_RESOURCES_H

#include "specs/device.h"
#include "specs/table.h"

struct spec_memory {
	uint32_t node;
	struct spec_opt_i64 limit; /* bytes; -1: no limit. The same below */
	struct spec_opt_i64 reservation;
	struct spec_opt_i64 swap; /* memory and swap together */
	struct spec_opt_i64 kernel;
	struct spec_opt_i64 kernel_tcp;
	struct spec_opt_u64 swappiness; /* 0 .. 100 */
	struct spec_opt_bool disable_oom_killer;
	struct spec_opt_bool use_hierarchy;
	struct spec_opt_bool check_before_update;
};

struct spec_cpu {
	uint32_t node;
	struct spec_opt_u64 shares; /* cgroup v1's 2 .. 262144; 0: not given */
	struct spec_opt_i64 quota;  /* microseconds; 0 or less: no limit */
	struct spec_opt_u64 burst;  /* microseconds */
	struct spec_opt_u64 period; /* microseconds, 1000 .. 1000000; 0: not given */
	struct spec_opt_i64 realtime_runtime;
	struct spec_opt_u64 realtime_period;
	const char *cpus; /* "0-3,7" */
	const char *mems;
	struct spec_opt_i64 idle; /* 0 or 1 */
};

struct spec_pids {
	uint32_t node;
	struct spec_opt_i64 limit; /* tasks; negative: no limit; 0: see the cgroup floor */
};

struct spec_weight_device {
	uint32_t node;
	int64_t major;
	int64_t minor;
	struct spec_opt_u16 weight; /* 10 .. 1000; 0: not given */
	struct spec_opt_u16 leaf_weight;
};

struct spec_throttle_device {
	uint32_t node;
	int64_t major;
	int64_t minor;
	uint64_t rate; /* bytes or operations per second; 0: no limit */
};

struct spec_block_io {
	uint32_t node;
	struct spec_opt_u16 weight; /* 10 .. 1000; 0: not given */
	struct spec_opt_u16 leaf_weight;
	struct spec_weight_device *weight_device;
	size_t weight_device_count;
	struct spec_throttle_device *throttle_read_bps_device;
	size_t throttle_read_bps_device_count;
	struct spec_throttle_device *throttle_write_bps_device;
	size_t throttle_write_bps_device_count;
	struct spec_throttle_device *throttle_read_iops_device;
	size_t throttle_read_iops_device_count;
	struct spec_throttle_device *throttle_write_iops_device;
	size_t throttle_write_iops_device_count;
};

struct spec_hugepage_limit {
	uint32_t node;
	const char *page_size; /* "2MB": as in the name of the cgroup file */
	uint64_t limit;        /* bytes */
};

struct spec_interface_priority {
	uint32_t node;
	const char *name;
	uint32_t priority;
};

struct spec_network {
	uint32_t node;
	struct spec_opt_u32 class_id;
	struct spec_interface_priority *priorities;
	size_t priorities_count;
};

struct spec_rdma {
	uint32_t node;
	const char *key; /* the device's name */
	struct spec_opt_u32 hca_handles;
	struct spec_opt_u32 hca_objects;
};

struct spec_resources {
	uint32_t node;
	struct spec_pair *unified;
	size_t unified_count;
	struct spec_device_rule *devices;
	size_t devices_count;
	struct spec_memory *memory;
	struct spec_cpu *cpu;
	struct spec_pids *pids;
	struct spec_block_io *block_io;
	struct spec_hugepage_limit *hugepage_limits;
	size_t hugepage_limits_count;
	struct spec_network *network;
	struct spec_rdma *rdma;
	size_t rdma_count;
};

extern const struct spec_table spec_resources_table;

/* Returns 0, or -EINVAL when it added an error. */
int spec_resources_check(
	const struct json_doc *doc, const struct spec_resources *resources, struct report *report);

/* Read and check a resources.json. Returns 0 or -errno, with the reasons in the report. */
int spec_resources_read(struct arena *arena, int dirfd, const char *path, const char *display_name,
	struct report *report, const struct json_doc **doc, const struct spec_resources **resources);

#endif

/*
 * process.h - the `process` object: who runs what, with which limits (config.md, "Process").
 * process.json of exec is the same object on its own.
 */
#ifndef SPECS_PROCESS_H
#define SPECS_PROCESS_H

#include "specs/capability.h"
#include "specs/table.h"

struct spec_user {
	uint32_t node;
	uint32_t uid; /* 0 .. 2^32-2, in the container's user namespace */
	uint32_t gid;
	struct spec_opt_u32 umask; /* 0 .. 0777 */
	uint32_t *additional_gids;
	size_t additional_gids_count;
	const char *username;
};

struct spec_console_size {
	uint32_t node;
	uint64_t height; /* rows, 0 .. 65535 */
	uint64_t width;  /* columns, 0 .. 65535 */
};

struct spec_capabilities {
	uint32_t node;
	struct spec_set bounding; /* masks in the kernel's numbering: bit n is capability n */
	struct spec_set effective;
	struct spec_set inheritable;
	struct spec_set permitted;
	struct spec_set ambient;
};

enum spec_rlimit_type {
	SPEC_RLIMIT_NONE,
	SPEC_RLIMIT_AS,
	SPEC_RLIMIT_CORE,
	SPEC_RLIMIT_CPU,
	SPEC_RLIMIT_DATA,
	SPEC_RLIMIT_FSIZE,
	SPEC_RLIMIT_LOCKS,
	SPEC_RLIMIT_MEMLOCK,
	SPEC_RLIMIT_MSGQUEUE,
	SPEC_RLIMIT_NICE,
	SPEC_RLIMIT_NOFILE,
	SPEC_RLIMIT_NPROC,
	SPEC_RLIMIT_RSS,
	SPEC_RLIMIT_RTPRIO,
	SPEC_RLIMIT_RTTIME,
	SPEC_RLIMIT_SIGPENDING,
	SPEC_RLIMIT_STACK,
};

struct spec_rlimit {
	uint32_t node;
	enum spec_rlimit_type type;
	uint64_t soft; /* UINT64_MAX: no limit, the kernel's RLIM_INFINITY */
	uint64_t hard;
};

enum spec_sched_policy { /* value - 1 is the kernel's number */
	SPEC_SCHED_NONE,
	SPEC_SCHED_OTHER,
	SPEC_SCHED_FIFO,
	SPEC_SCHED_RR,
	SPEC_SCHED_BATCH,
	SPEC_SCHED_ISO,
	SPEC_SCHED_IDLE,
	SPEC_SCHED_DEADLINE,
};

enum spec_sched_flag { /* the set's mask is sched_attr.sched_flags */
	SPEC_SCHED_FLAG_NONE,
	SPEC_SCHED_FLAG_RESET_ON_FORK,
	SPEC_SCHED_FLAG_RECLAIM,
	SPEC_SCHED_FLAG_DL_OVERRUN,
	SPEC_SCHED_FLAG_KEEP_POLICY,
	SPEC_SCHED_FLAG_KEEP_PARAMS,
	SPEC_SCHED_FLAG_UTIL_CLAMP_MIN,
	SPEC_SCHED_FLAG_UTIL_CLAMP_MAX,
};

struct spec_scheduler {
	uint32_t node;
	enum spec_sched_policy policy;
	struct spec_opt_i32 nice;     /* -20 .. 19 */
	struct spec_opt_i32 priority; /* 0 .. 99 */
	struct spec_set flags;
	struct spec_opt_u64 runtime; /* nanoseconds */
	struct spec_opt_u64 deadline;
	struct spec_opt_u64 period;
};

enum spec_ioprio_class { /* the kernel's numbers */
	SPEC_IOPRIO_NONE,
	SPEC_IOPRIO_RT,
	SPEC_IOPRIO_BE,
	SPEC_IOPRIO_IDLE,
};

struct spec_io_priority {
	uint32_t node;
	enum spec_ioprio_class class_;
	int32_t priority; /* 0 .. 7 */
};

struct spec_cpu_affinity {
	uint32_t node;
	const char *initial; /* "0-3,7" */
	const char *final_;
};

struct spec_process {
	uint32_t node;
	bool terminal;
	bool no_new_privileges;
	struct spec_console_size *console_size;
	struct spec_user *user; /* never NULL after reading: root when absent */
	const char **args;
	size_t args_count;
	const char *command_line; /* Windows; accepted, unused */
	const char **env;
	size_t env_count;
	const char *cwd;
	struct spec_capabilities *capabilities;
	struct spec_rlimit *rlimits;
	size_t rlimits_count;
	const char *apparmor_profile;
	const char *selinux_label;
	struct spec_opt_i32 oom_score_adj; /* -1000 .. 1000 */
	struct spec_scheduler *scheduler;
	struct spec_io_priority *io_priority;
	struct spec_cpu_affinity *exec_cpu_affinity;
};

extern const struct spec_table spec_process_table;
extern const struct spec_names spec_rlimit_names;
extern const struct spec_names spec_sched_policy_names;
extern const struct spec_names spec_sched_flag_names;
extern const struct spec_names spec_ioprio_class_names;

/* The kernel's RLIMIT_x number for setrlimit(2); -1 for NONE. */
int spec_rlimit_resource(enum spec_rlimit_type type);

/* What the table cannot say: fill in the user when the document has none. Called by the readers. */
void spec_process_complete(struct arena *arena, struct spec_process *process);

/* Rules between members. Returns 0, or -EINVAL when it added an error. */
int spec_process_check(const struct json_doc *doc, const struct spec_process *process, struct report *report);

/* Read and check a process.json. Returns 0 or -errno, with the reasons in the report. */
int spec_process_read(struct arena *arena, int dirfd, const char *path, const char *display_name,
	struct report *report, const struct json_doc **doc, const struct spec_process **process);

#endif

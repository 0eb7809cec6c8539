/*
 * compile.h - what the compiler's parts share: one context, one function a subject. Internal to plan/.
 */
#ifndef PLAN_COMPILE_H
#define PLAN_COMPILE_H

#include "libcontainer/cgroup/resources.h"
#include "libcontainer/host/host.h"
#include "libcontainer/plan/plan.h"
#include "specs/config.h"
#include "specs/json.h"

struct plan_compiler {
	struct plan *plan;
	struct arena *arena;
	const struct spec_config *config;
	const struct spec_linux *linux_;
	const struct json_doc *doc;
	const struct host *host;
	const struct plan_options *options;
	struct report *report;
	bool user_namespace;  /* new, or joined by path */
	bool join_early;      /* joins happen in a process before the clone */
	bool unprivileged;    /* this user may not mount on the host: sources are opened by init */
	bool own_mounts;      /* a new mount namespace, with a rootfs of the document's making */
	bool lacks_setgroups; /* denied in the new user namespace */
	bool running;         /* the container is there, with all that is its own */
	bool visible;         /* init may be looked at by its user until the start */
	bool has_readonly;    /* a mount that is read-only */
	bool has_shared;      /* a mount whose own mounts are to be seen outside */
	uint32_t rootfs_slot;
	uint32_t filter_node; /* of what COMPILE_SECCOMP compiles, or of a filter that is there already */
	struct cg_limits limits;
	const struct plan_join *joins; /* namespaces given by path, in document order */
	size_t joins_count;
	const uint32_t
		*mappings; /* by mount: the slot of what maps the ids of a new filesystem, or PLAN_NO_SLOT */
	const uint32_t *mount_slots;            /* by mount: the slot of its source, or PLAN_NO_SLOT */
	const struct spec_mount *late_readonly; /* the mount of /dev that is to be read-only in the end */
};

/* The place of a member that may be absent: 0 when nobody asked, and the default applies. */
uint32_t plan_asked(const struct plan_compiler *c, uint32_t node, const char *member);

/* Append an operation and get it to be filled in. */
struct plan_op *plan_emit(struct plan_compiler *c, enum plan_op_kind kind, enum plan_who who, uint32_t node);

/*
 * For a container that runs. `config` is the caller's copy of its document with what is to be done now in it;
 * errors are located in `doc`, which may be another document.
 */
struct plan_compiler plan_for_running(struct arena *arena, struct spec_config *config,
	const struct json_doc *doc, const struct host *host, const struct plan_options *options,
	struct report *report);

/* A list as execve takes it: the same strings, and a NULL. */
char *const *plan_strings(struct arena *arena, const char *const *list, size_t count);

/* In the order of the kernel's needs; see create.c, which calls them. */
void plan_cgroup(struct plan_compiler *c);          /* SPLIT_CGROUP, MAKE_CGROUP */
void plan_late_limits(struct plan_compiler *c);     /* CGROUP_LIMIT: what init must not feel before */
void plan_limits(struct plan_compiler *c);          /* CGROUP_DEVICES, CGROUP_LIMIT, CGROUP_OWNER */
void plan_delegate_cgroup(struct plan_compiler *c); /* DELEGATE_CGROUP */
void plan_open_namespaces(struct plan_compiler *c); /* OPEN_NAMESPACE */
void plan_unit(struct plan_compiler *c);            /* START_UNIT */
void plan_clone(struct plan_compiler *c);           /* CLONE */
void plan_map_ids(struct plan_compiler *c);         /* MAP_IDS */
void plan_become_root(struct plan_compiler *c, uint32_t node); /* BECOME_ROOT */
void plan_oom_score(struct plan_compiler *c);                  /* OOM_SCORE_ADJ */
void plan_seccomp(struct plan_compiler *c, const struct json_doc *doc);
/* COMPILE_SECCOMP, of that document */
void plan_intel_rdt(struct plan_compiler *c, bool join);            /* INTEL_RDT */
void plan_net_devices(struct plan_compiler *c);                     /* MOVE_NET_DEVICE */
void plan_enter_namespaces(struct plan_compiler *c);                /* BECOME_ROOT ... DOMAINNAME */
void plan_open_rootfs(struct plan_compiler *c, enum plan_who who);  /* OPEN_TREE: of the rootfs */
void plan_open_sources(struct plan_compiler *c, enum plan_who who); /* OPEN_TREE: of bind mounts */
void plan_notify(struct plan_compiler *c);                          /* one more mount, and its variable */
void plan_mounts(struct plan_compiler *c);                          /* MOUNT_FS, MOUNT_BIND, REMOUNT */
void plan_devices(struct plan_compiler *c);                         /* MAKE_DEVICE, MAKE_SYMLINK */
void plan_console(struct plan_compiler *c);                         /* OPEN_CONSOLE, HAND_OVER_CONSOLE */
void plan_late_readonly(struct plan_compiler *c);                   /* REMOUNT of /dev */
void plan_sysctls(struct plan_compiler *c, bool locks);             /* SYSCTL, OPEN_PROCFS */
void plan_late_sysctls(
	struct plan_compiler *c, bool locks);     /* SYSCTL: what would keep mounts from being locked */
void plan_paths(struct plan_compiler *c);         /* MASK_PATH, READONLY_PATH */
void plan_raise_rlimits(struct plan_compiler *c); /* RAISE_RLIMIT */
void plan_process(struct plan_compiler *c);       /* NEW_KEYRING ... EXECUTE */

void plan_scheduling_by_parent(
	struct plan_compiler *c);               /* SCHEDULER, IO_PRIORITY: where init lacks the right */
void plan_scheduling(struct plan_compiler *c);  /* SCHEDULER ... PERSONALITY: as late as init has the right */
void plan_parent_cpus(struct plan_compiler *c); /* PARENT_CPUS: of exec */
void plan_cpu_affinity(struct plan_compiler *c); /* CPU_AFFINITY: of exec */

/* The lines of /proc/PID/uid_map. */
const char *plan_map_text(struct plan_compiler *c, const struct spec_id_mapping *mappings, size_t count);

/* Id-mapped mounts: MAKE_ID_MAPPING, and MAP_MOUNT for the source in that slot. For a filesystem that is yet
 * to be made, the slot of what maps its ids, or PLAN_NO_SLOT. */
void plan_map_source(struct plan_compiler *c, const struct spec_mount *m, const char *path, uint32_t tree);
uint32_t plan_map_filesystem(struct plan_compiler *c, const struct spec_mount *m);

void plan_labels(struct plan_compiler *c); /* LABEL */
bool plan_takes_context(const char *type); /* may a new filesystem have SELinux's option "context"? */

/* May nobody set groups in the user namespace, since an unprivileged user has mapped his own gid only? */
bool plan_lacks_setgroups(const struct plan_compiler *c);

/* HOOK operations of one stage, done by `who`; returns how many. */
size_t plan_hooks(struct plan_compiler *c, const char *stage, const struct spec_hook *hooks, size_t count,
	enum plan_who who, bool created);

/* May init make processes of its own before the start: to lock its mounts, for hooks? */
bool plan_init_forks(const struct plan_compiler *c);

/* Is a namespace of this type new, or joined? */
bool plan_namespace_new(const struct plan_compiler *c, enum spec_namespace_type type);
bool plan_namespace_private(const struct plan_compiler *c, enum spec_namespace_type type);

/* Is `path`, cleaned of "//" and "..", the path `clean`? */
bool plan_same_path(const char *path, const char *clean);

/* Does the document mount the host's /dev itself? Then nothing is made in it. */
bool plan_binds_dev(const struct plan_compiler *c);

#endif

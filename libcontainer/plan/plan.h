/*
 * plan.h - what the kernel will be asked to do, in order.
 *
 * A plan is a flat list of operations. The parent (the crt process) and init (the container's first process,
 * from CLONE on) both walk it from front to back; each does its own operations and passes over the other's,
 * and at a SYNC they meet. A plan is made by plan_create() from a document and facts about the host, without
 * touching the system; it is printed by plan_print() and carried out by run/ and init/. Every operation knows
 * the node of the document that asked for it.
 *
 * Everything a plan points to lives in one arena, which init inherits as memory through the clone.
 */
#ifndef PLAN_PLAN_H
#define PLAN_PLAN_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/report.h"
#include "libcontainer/cgroup/cgroup.h"

struct bpf_insn;
struct cg_unit;
struct cg_write;
struct json_doc;
struct spec_config;
struct spec_seccomp;
struct host;
struct rdt_request;

enum plan_who { PLAN_PARENT, PLAN_INIT, PLAN_BOTH };

enum plan_op_kind {
#define OP(NAME, name, who) OP_##NAME,
#include "libcontainer/plan/ops.def"
#undef OP
	OP_COUNT
};

/* A number that stands for an fd which one operation opens and others use; index into plan.fds. */
#define PLAN_NO_SLOT UINT32_MAX

enum plan_sync {
	SYNC_MAPPED,  /* parent -> init: the id mappings are written */
	SYNC_CONSOLE, /* init -> parent: here is the terminal's master */
	SYNC_DEVICES, /* parent -> init: the network devices are there */
	SYNC_MOUNTED, /* init -> parent: the mounts stand; the runtime's hooks may run */
	SYNC_HOOKED,  /* parent -> init: they ran */
	SYNC_READY,   /* init -> parent: all is prepared */
	SYNC_GO,      /* parent -> init: go on; the parent's part is over */
};

/* How mount attributes change: MOUNT_ATTR_* to set and to clear; `recursive` for the r* options, done first.
 */
struct plan_attributes {
	uint64_t set, clear;
	uint64_t recursive_set, recursive_clear;
	uint64_t propagation; /* MS_SHARED ... ; 0: leave */
	bool propagation_recursive;
};

struct plan_fs_option {
	const char *key;
	const char *value; /* NULL: a flag */
};

struct plan_join {
	uint64_t type; /* CLONE_NEW* */
	uint32_t slot;
	uint32_t node; /* of the document */
};

struct plan_op {
	enum plan_op_kind kind;
	enum plan_who who;
	uint32_t node; /* of the document */
	union {
		struct {
			const char *mount; /* where cgroup v2 is mounted */
			const char *unit;  /* a cgroup below it that crt is in */
		} split_cgroup;
		struct {
			const char *mount;       /* where cgroup v2 is mounted */
			const char *path;        /* below it, starts with '/' */
			size_t given;            /* bytes of path that are there already, see cg_create() */
			const char *controllers; /* that the limits need, space-separated */
			bool optional;           /* without permission go on without a cgroup */
		} make_cgroup;
		struct {
			uint64_t type; /* CLONE_NEW* */
			const char *path;
			uint32_t slot;
		} open_namespace;
		struct plan_join join_namespace;
		struct {
			const char *path;
			bool recursive;
			bool rootfs; /* the root filesystem rather than the source of a bind mount */
			uint32_t slot;
			bool nofollow; /* the path may be a link, which is meant itself */
		} open_tree;
		struct {
			const char *uid_map; /* lines as for /proc/PID/uid_map */
			const char *gid_map;
			uint32_t slot; /* of a user namespace that has them */
		} make_id_mapping;
		struct {
			const char *path; /* for the printer */
			bool recursive;
			uint32_t tree;    /* slot of a mount that OPEN_TREE has cloned */
			uint32_t mapping; /* slot of a user namespace */
		} map_mount;
		struct {
			const struct spec_seccomp *seccomp;
			const struct json_doc *doc;    /* that it is of */
			unsigned architectures, rules; /* for the printer */
		} compile_seccomp;
		struct {
			const struct cg_unit *unit; /* of systemd */
			const char *controllers;    /* as make_cgroup's */
		} start_unit;
		struct {
			uint64_t flags; /* CLONE_NEW* */
			bool into_cgroup;
			/*
			 * Namespaces that a process on the way must enter first: a pid namespace is for
			 * children, and what belongs to the host must be entered before the privilege over it
			 * is lost to a new user namespace.
			 */
			const struct plan_join *joins;
			size_t joins_count;
		} clone;
		struct {
			pid_t pid;          /* of the container's init; for the printer */
			const char *cgroup; /* below the mount; NULL: it has none */
			bool follow_init;   /* to its cgroup, if the container has removed that one */
			uint32_t slot;      /* of its pidfd */
		} open_container;
		struct {
			uint64_t flags; /* CLONE_NEW* of the namespaces that are its own */
			bool into_cgroup;
			bool follow_init;  /* into its cgroup, if nobody can be in the container's own */
			uint32_t slot;     /* of init's pidfd */
			unsigned preserve; /* fds 3 ... 2+n go along */
			bool unseen;       /* not to its pid namespace: what it needs may go along, too */
			bool new_mounts;   /* its mount namespace is to be entered later, from an own one */
		} enter_container;
		struct {
			const char *uid_map; /* lines as for /proc/PID/uid_map */
			const char *gid_map;
			bool uid_helper, gid_helper; /* an unprivileged parent needs newuidmap, newgidmap */
			bool deny_setgroups;         /* an unprivileged parent may map its gid only so */
		} map_ids;
		struct {
			int value;
			bool optional; /* an unprivileged parent cannot lower it */
		} oom_score_adj;
		struct {
			const struct bpf_insn *program;
			size_t count;
			unsigned rules;
		} cgroup_devices;
		struct {
			const struct cg_write *write;
			bool optional;
		} cgroup_limit;
		struct {
			uid_t uid; /* of the host */
		} cgroup_owner;
		struct {
			const char *below; /* "/a/b", below the container's */
			bool give;
			uid_t uid; /* of the host */
		} delegate_cgroup;
		struct {
			const struct rdt_request *request;
			bool join; /* it is there: exec */
		} intel_rdt;
		struct {
			uid_t uid;
			gid_t gid;
		} become_root;
		struct {
			unsigned preserve; /* fds 3 ... 2+n stay */
			bool visible;      /* to the user whose namespace it is, until CONCEAL */
		} hide, close_fds;
		struct {
			const char *offsets; /* lines as for /proc/PID/timens_offsets */
		} new_time_namespace;
		struct {
			const char *name;     /* where the caller is */
			const char *new_name; /* in the container */
			uint32_t slot;        /* of its network namespace; PLAN_NO_SLOT: init's */
		} move_net_device;
		struct {
			const char *name;
		} hostname, domainname;
		struct {
			uint64_t propagation; /* MS_* */
			bool recursive;
			bool after_pivot;
		} set_propagation;
		struct {
			uint32_t slot;
			uint64_t propagation; /* MS_*, towards the host's mount it was cloned from */
		} attach_rootfs;
		struct {
			const char *type;
			const char *source;
			const char *destination;
			const struct plan_fs_option *options;
			size_t options_count;
			const char *data; /* instead of options: comma-separated, when a value is too long for
					     fsconfig */
			uint64_t flags;   /* MOUNT_ATTR_* for fsmount */
			struct plan_attributes
				attributes;    /* what has to come after: propagation, late read-only */
			uint32_t mapping;      /* slot of a user namespace for its ids; or PLAN_NO_SLOT */
			const char *host_path; /* do not make one: bind this of the host; NULL: make one */
			bool copy_up;          /* tmpcopyup */
			const char *label;     /* SELinux's, for a root that has no option "context" */
			const char *fallback_path; /* when the kernel refuses: bind this of the host; NULL:
						      fail */
		} mount_fs;
		struct {
			const char *source;
			const char *destination;
			uint32_t slot;
			bool slaves; /* first of all make its mounts slaves of the host's */
			struct plan_attributes attributes;
			bool copy_symlink; /* a source that is a link: make the same link instead */
			bool nofollow;     /* mount on the destination itself, be it a link */
		} mount_bind;
		struct {
			const char *destination;
			const struct plan_fs_option *options;
			size_t options_count;
			struct plan_attributes attributes;
		} remount;
		struct {
			const char *path;
			mode_t mode; /* with S_IFCHR, S_IFBLK or S_IFIFO */
			unsigned major, minor;
			uid_t uid;
			gid_t gid;
			bool bind; /* no right to mknod in a user namespace: bind the host's */
		} make_device;
		struct {
			const char *path;
			const char *target;
			bool replace; /* what stands there already */
		} make_symlink;
		struct {
			unsigned short rows, columns; /* 0: as the kernel has it */
			uid_t uid;                    /* who owns it */
			bool mount;                   /* on /dev/console */
		} open_console;
		struct {
			const char
				*socket; /* of who asked for it; NULL: this process will be the other side */
		} hand_over_console;
		struct {
			const char *stage; /* "createRuntime" ... */
			const char *path;
			char *const *args;
			char *const *env;
			const char *cwd;
			const char *stdout_file, *stderr_file; /* NULL: kept for the error message */
			int timeout_ms;                        /* < 0: none */
			bool created; /* the status it is told: "created", before that "creating" */
		} hook;
		struct {
			const char *name; /* "net.ipv4.ip_forward", as written */
			const char *path; /* below /proc/sys */
			const char *value;
		} sysctl;
		struct {
			const char *path;
		} mask_path, readonly_path, unmount;
		struct {
			bool move; /* --no-pivot */
			bool lock; /* what is mounted stays so, with its flags, for root in the container, too
				    */
		} pivot_root;
		struct {
			int resource;
			const char *name;
			uint64_t soft, hard;
		} rlimit, raise_rlimit;
		struct {
			const char *name;
			const char *label; /* SELinux's; NULL: none */
		} new_keyring;
		struct {
			const char *what; /* "AppArmor profile", for the printer */
			const char *name;
			const char *file; /* below /proc/PID/attr */
			const char *text;
		} label;
		struct {
			uint32_t slot; /* a listening socket */
		} wait_start;
		struct {
			mode_t mask;
		} umask;
		struct {
			const char *path;
		} change_directory;
		struct {
			uid_t uid;
			gid_t gid;
			const gid_t *groups;
			size_t groups_count;
			bool keep_groups; /* setgroups is denied in this user namespace */
			bool keep_capabilities;
		} user;
		struct {
			uint64_t bounding;
		} bounding_set;
		struct {
			uint64_t effective, permitted, inheritable, ambient;
		} capabilities;
		struct {
			const char *file;   /* args[0] */
			const char *search; /* directories, separated by ':' */
			char *room;         /* for the longest path that the two can give */
		} find_program;
		struct {
			const char *user, *group; /* names; NULL: not given */
		} find_user;
		struct {
			uid_t uid;
			char *room; /* PLAN_HOME_ROOM bytes for the variable */
		} find_home;
		struct {
			char *const *args;
			char **env;       /* with room for one more: HOME, when FIND_HOME found one */
			char *listen_pid; /* where in `env` the process's pid belongs, with room for it; or
					     NULL */
		} execute;
		struct {
			const char *listener; /* the socket its listener goes to; NULL: it has none */
			unsigned given;       /* so many instructions, by an annotation; 0: it was compiled */
		} seccomp;
		struct {
			const char *cpus;     /* "0-3,7"; NULL: all that its cgroup allows */
			const uint64_t *mask; /* a bit a CPU, for sched_setaffinity */
			size_t words;
		} cpu_affinity, parent_cpus;
		struct {
			unsigned policy; /* all in the kernel's numbers, for sched_setattr */
			uint64_t flags;
			int nice;
			unsigned priority;
			uint64_t runtime, deadline, period; /* nanoseconds */
		} scheduler;
		struct {
			int class_, priority; /* the kernel's numbers */
		} io_priority;
		struct {
			unsigned mode, flags; /* the kernel's numbers */
			const char *nodes;    /* NULL: none */
			const uint64_t *mask;
			size_t words;
		} memory_policy;
		struct {
			unsigned long domain; /* PER_* */
		} personality;
		struct {
			enum plan_sync point;
		} sync;
	};
};

/* What hooks get on stdin; written by the parent once it knows the pid, read by init: shared memory. */
struct plan_shared {
	char *state_creating; /* OCI state as JSON, status "creating" */
	char *state_created;
	size_t room; /* bytes of each */
};

struct plan {
	struct arena *arena;
	const struct json_doc *doc;
	struct plan_op *ops;
	size_t count, room;
	int *fds; /* by slot; -1 until opened. init sees the fds that were open at the clone */
	uint32_t slots;
	uint32_t container_slot; /* exec: the pidfd of the container's init */
	uint32_t start_slot; /* the listening socket of `create`, which run/ puts there; or PLAN_NO_SLOT */
	bool has_hooks;
	bool keep_groups;         /* the caller's go along, into whatever is joined */
	bool has_user_namespace;  /* new or joined */
	const char *rootfs;       /* absolute, for messages and state */
	const char *cgroup_mount; /* NULL: no cgroup */
	const char *cgroup_path;
	const struct cg_unit *unit;    /* NULL: none of systemd's */
	const struct rdt_request *rdt; /* NULL: none */
	struct plan_shared *shared;    /* NULL without hooks; mapped by run/ before the clone */
	struct sock_fprog seccomp;     /* filled by COMPILE_SECCOMP before the clone, or there is none */
	unsigned seccomp_flags;
	int64_t *times;                /* by operation: when it was done, sys_now_ns(); NULL: nobody asks */
	const char *const *late_texts; /* by operation: what to say of a failure after the wait for start */
};

/* "HOME=" and a path. */
#define PLAN_HOME_ROOM (5 + 4096)

/* Where the container's NOTIFY_SOCKET is, and its name there. */
#define PLAN_NOTIFY_DIR    "/run/notify"
#define PLAN_NOTIFY_SOCKET "notify.sock"

/* What the command line and the engine add to the document. */
struct plan_options {
	const char *id;
	const char *bundle; /* absolute */
	unsigned preserve_fds;
	const char *notify_dir;   /* absolute: the host's folder for its NOTIFY_SOCKET; NULL: it has none */
	unsigned listen_fds;      /* so many of them are announced by LISTEN_FDS, sd_listen_fds(3) */
	const char *listen_names; /* LISTEN_FDNAMES; NULL: none */
	bool no_pivot;
	bool no_new_keyring;
	enum cg_manager cgroup_manager;
	bool needs_cgroup,
		may_lack_cgroup; /* --rootless false, true; neither: it depends on the privileges */
	const char
		*console_socket; /* where the terminal goes; NULL: to the caller, who is in the foreground */
	bool foreground;         /* the caller stays and can be the terminal's other side */
	bool wait_start;         /* create: stop before the user's program until somebody says start */
};

/*
 * Compile a document. Problems go to `report`, each at its place; all of them, so that `crt check` can show
 * them. Returns 0, or -errno when there was an error. Pure: no system call, no privilege.
 */
int plan_create(struct arena *arena, const struct spec_config *config, const struct host *host,
	const struct plan_options *options, struct report *report, struct plan **ret_plan);

/* What `exec` adds: which container. */
struct plan_exec_options {
	const struct spec_config *config; /* that the container was made from */
	pid_t pid;                        /* of its init */
	const char *cgroup_mount;
	const char *cgroup_path; /* where the process belongs; NULL: the container has no cgroup of its own */
	bool follow_init;        /* nobody has chosen the cgroup */
	const char *user, *group; /* names to look up inside, instead of the process's numbers; NULL: none */
};

/*
 * Compile the joining of a container by another process, described in `doc`. As plan_create(), pure. Of
 * `options`, wait_start and no_pivot mean nothing here.
 */
struct spec_process;
int plan_exec(struct arena *arena, const struct plan_exec_options *exec, const struct spec_process *process,
	const struct json_doc *doc, const struct host *host, const struct plan_options *options,
	struct report *report, struct plan **ret_plan);

/*
 * Compile what `mounts add` or, with `remove`, `mounts remove` do to a container that runs; `exec` needs no
 * more than config and pid. As plan_create(), pure. Of `options`, only the bundle means something.
 */
struct spec_mount;
int plan_change_mounts(struct arena *arena, const struct plan_exec_options *exec, const struct json_doc *doc,
	const struct spec_mount *mounts, size_t count, bool remove, const struct host *host,
	const struct plan_options *options, struct report *report, struct plan **ret_plan);

/*
 * Errors at labels whose security module this host does not have, so far as HOST_LSM is known; plan_create()
 * and plan_exec() do it themselves. And: is there a label, so that it should be known?
 */
void plan_check_lsm(const struct spec_config *config, const struct host *host, struct report *report);
bool plan_needs_lsm(const struct spec_config *config, const struct spec_process *process);

/* Append an operation (kind, who and node set, the rest zero) for the caller to fill in. */
struct plan_op *plan_add(struct plan *plan, enum plan_op_kind kind, enum plan_who who, uint32_t node);

/* Fill in a HOOK operation; also for the hooks that run after `start` and after `delete`. */
struct spec_hook;
void plan_hook_fill(struct plan_op *op, struct arena *arena, const char *stage, const struct spec_hook *hook,
	bool created);

uint32_t plan_new_slot(struct plan *plan);

/* Room for the fds of all slots, none of them open yet. */
void plan_empty_slots(struct plan *plan);

/* Who starts a synchronisation; the other one waits. */
static inline enum plan_who plan_sync_sender(enum plan_sync point)
{
	return point == SYNC_CONSOLE || point == SYNC_MOUNTED || point == SYNC_READY ? PLAN_INIT
										     : PLAN_PARENT;
}

/* What it acts on, and by which system call, as far as that is the same for all of its kind; never NULL. */
void plan_op_about(const struct plan_op *op, const char **target, const char **call);

const char *plan_op_name(enum plan_op_kind kind);

/* One operation in words, "mount tmpfs on /dev (nosuid, mode=755)". Returns the length. */
size_t plan_print_op(const struct plan_op *op, char *buf, size_t size);

/* What an error says was attempted: the same, but of the program's words only the first. */
size_t plan_print_attempt(const struct plan_op *op, char *buf, size_t size);

/* The whole plan: a line an operation with its step, who does it and the line of the document; or JSON. */
const char *plan_print(const struct plan *plan, bool json);

#define plan_for_each_op(plan, op)                                                                           \
	for (struct plan_op *op = (plan)->ops; op < (plan)->ops + (plan)->count; op++)

#endif

/*
 * libcontainer.h - run OCI containers from a C program. The only public header; it stands alone.
 *
 * The same calls that the crt command makes. Nothing here prints, exits or keeps global state; every call
 * takes a context, so one program may look after any number of containers under any number of roots.
 * Calls return 0 (or a documented positive value), or -errno with *err filled in; `err` may be NULL.
 * A container is found again by its id below the context's root, by any process.
 *
 * Link with `pkg-config --static --libs libcontainer`.
 */
#ifndef LIBCONTAINER_H
#define LIBCONTAINER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Why a call failed. Lines and columns count from 1; line == 0: no document is to blame. */
struct crt_error {
	int code;         /* a positive errno */
	char phase[16];   /* "config", "plan", "create", "start", "exec", "hook", "kill", "delete" ... */
	char object[32];  /* what kind of thing: an operation of crt_explain(), "cgroup" ...; may be empty */
	char target[256]; /* the file, directory or cgroup it is about; may be empty */
	char call[32];    /* the system call that failed; may be empty */
	char message[1024]; /* what was attempted, on what, how the kernel answered */
	char cause[512];    /* why, as far as it could be found out; may be empty */
	char hint[384];     /* what to do about it; may be empty */
	char file[128];     /* the document, as the caller named it */
	char path[224];     /* the place in it, "mounts[3].options[2]" */
	char source[192];   /* the line's text */
	uint32_t line;
	uint32_t column;
	uint32_t caret; /* offset of the offending byte in source */
};

/* The name of its errno, "ENOENT". */
const char *crt_error_name(const struct crt_error *err);

/* "file:line:column: path: message: cause (hint)" into buf; with `lines`, the source line, a caret and the
 * hint below. */
size_t crt_error_format(const struct crt_error *err, bool lines, char *buf, size_t size);

enum crt_log_level { CRT_LOG_ERROR, CRT_LOG_WARNING, CRT_LOG_INFO, CRT_LOG_DEBUG };

struct crt_context {
	const char *root; /* state directory; NULL: /run/crt, or $XDG_RUNTIME_DIR/crt when not root */
	void (*log)(void *data, enum crt_log_level level, const char *message); /* NULL: silence */
	void *log_data;
	enum crt_log_level log_level; /* the least important that is wanted; 0: errors only */
	const char
		*host_file; /* host facts from this JSON file instead of the host (explain, check: tests) */
	const char *notify_socket; /* NOTIFY_SOCKET of a service manager, who is to hear when a container is
				      ready (create, start, run); NULL: nobody */
	void (*timing)(
		void *log_data, const char *table); /* where the time of crt_create, crt_run and crt_exec
						       went, once they are done; NULL: do not measure */
	char *const *argv; /* of main, in a program with one thread that leaves crt_protect to crt_create,
			      crt_run and crt_exec; NULL: it has called it */
};

/*
 * Make the calling process safe to enter containers (CVE-2019-5736): no process of a container may ever reach
 * the host's file of this program for writing. From then on the program runs from a detached read-only mount
 * of itself, unless it is already beyond reach; where the kernel cannot exchange that in a process, or the
 * program is not privileged, it is executed again, with the same argv and environment. Call it first in main,
 * while single-threaded. Returns 0 when protected (perhaps in the second life), or -errno. crt_create,
 * crt_run and crt_exec refuse to work in a process that has not done this, unless their context has an argv.
 */
int crt_protect(char *const argv[], struct crt_error *err);

struct crt_create_options {
	const char *id;       /* [A-Za-z0-9_+-][A-Za-z0-9_+.-]*, at most 255 bytes */
	const char *bundle;   /* directory; NULL: the current one */
	const char *config;   /* file; NULL: config.json in the bundle */
	const char *pid_file; /* written before the call returns; NULL: none */
	const char *console_socket;
	const char *pidfd_socket; /* gets the pidfd of the container's init; NULL: none */
	unsigned preserve_fds;    /* fds 3 ... 2+n are passed on */
	bool no_pivot;
	bool no_new_keyring;
	unsigned listen_fds; /* sockets before those, which LISTEN_FDS is to tell of: 3 ... 2+listen+preserve
			      */
	const char *cgroup_manager; /* "cgroupfs", "systemd", "self" or "none", see crt(1); NULL: cgroupfs */
	const char
		*rootless; /* may the container lack a cgroup? "auto" (NULL), "true" or "false", see crt(1) */
	const char *listen_names; /* LISTEN_FDNAMES, sd_listen_fds_with_names(3); NULL: none */
};

/* Everything up to the user's program; the container's init waits for crt_start. Undone completely on
 * failure. */
int crt_create(const struct crt_context *, const struct crt_create_options *, struct crt_error *err);

/* Let the user's program run. */
int crt_start(const struct crt_context *, const char *id, struct crt_error *err);

struct crt_run_options {
	bool detach;          /* return once the program runs */
	bool keep;            /* do not delete the container when it has ended */
	bool forward_signals; /* blocks all signals of the calling thread meanwhile and passes them on */
	bool subreaper;       /* become the reaper of orphans, and reap */
};

/*
 * create and start in one go. Without `detach` waits for the end of the container's process: *exit_status is
 * then its exit code, or 128 + the signal's number.
 */
int crt_run(const struct crt_context *, const struct crt_create_options *, const struct crt_run_options *,
	int *exit_status, struct crt_error *err);

/* What a further process in a container is like: its own document, or the container's process with changes.
 */
struct crt_exec_options {
	const char *process; /* file with an OCI process object; NULL: from what follows */
	const char *const *args;
	size_t args_count;
	const char *cwd;        /* NULL: the container's, and so on */
	const char *const *env; /* "NAME=value", added to the container's */
	size_t env_count;
	const char *user; /* "UID[:GID]", or names of the container's /etc/passwd and /etc/group */
	const uint32_t *additional_gids;
	size_t additional_gids_count;
	const char *const *caps; /* added: bounding, effective, permitted */
	size_t caps_count;
	bool no_new_privs;
	const char *apparmor;      /* profile; NULL: the container's */
	const char *process_label; /* SELinux's; NULL: the container's */
	bool tty;
	const char *console_socket;
	const char *pidfd_socket; /* gets the pidfd of the process; NULL: none */
	const char *pid_file;
	const char *cgroup; /* a cgroup below the container's; NULL: the container's */
	unsigned preserve_fds;
	bool ignore_paused;
	bool detach;
	bool forward_signals;
};

/* Run it; without `detach` wait for its end, with *exit_status as for crt_run(). */
int crt_exec(const struct crt_context *, const char *id, const struct crt_exec_options *, int *exit_status,
	struct crt_error *err);

/*
 * Mount in a container that runs, or unmount: the file is a JSON array of mounts like the specification's
 * `mounts`, of which remove looks at the destination. One after the other; a failure leaves what came before
 * it.
 */
int crt_mounts_add(const struct crt_context *, const char *id, const char *file, struct crt_error *err);
int crt_mounts_remove(const struct crt_context *, const char *id, const char *file, struct crt_error *err);

/* Send a signal to the container's init, or to every process of the container. */
int crt_kill(const struct crt_context *, const char *id, int signal, bool all, struct crt_error *err);

/* Freeze every process of a container, and let them go on; returns when the kernel says that all have
 * stopped. */
int crt_pause(const struct crt_context *, const char *id, struct crt_error *err);
int crt_resume(const struct crt_context *, const char *id, struct crt_error *err);

/* The processes of a container as this process sees them, none when it has ended; the list is the caller's:
 * free(3) it. */
int crt_pids(const struct crt_context *, const char *id, pid_t **pids, size_t *count, struct crt_error *err);

struct crt_update_options {
	const char *resources; /* JSON: an object like the specification's linux.resources; NULL: none */
	const char *name; /* of the file it comes from, for messages; NULL: say only which member is meant */
	const char *l3_cache_schema, *mem_bw_schema; /* Intel RDT, as in linux.intelRdt; NULL: as it is */
	unsigned timeout_ms;                         /* how long memory may take to get below a lower limit */
};

/*
 * Change the limits that the object names; all of them, or none. A memory limit below what is in use is
 * approached by reclaim, without killing; fails with EBUSY when that is not enough in time. Device rules are
 * passed over.
 */
int crt_update(
	const struct crt_context *, const char *id, const struct crt_update_options *, struct crt_error *err);

/* Remove what is left of a stopped container; with `force` kill it first, and do not mind if there is none.
 */
int crt_delete(const struct crt_context *, const char *id, bool force, struct crt_error *err);

/* A container as `state` and `list` show it. Strings live as long as the list that holds them. */
struct crt_container {
	const char *id;
	const char *status; /* "creating" "created" "running" "paused" "stopped" */
	pid_t pid;          /* 0 when stopped */
	const char *bundle;
	const char *rootfs;
	const char *created; /* RFC 3339, UTC */
	const char *owner;   /* user name, or the number */
	const char *oci_version;
};

struct crt_container_list {
	struct crt_container *containers;
	size_t count;
	void *memory;
};

/* All containers below the root, by name. Creates nothing; a root that does not exist has none. */
int crt_list(const struct crt_context *, struct crt_container_list *list, struct crt_error *err);
void crt_list_free(struct crt_container_list *list);

/* Texts are the caller's: give them back with crt_free. JSON is indented, or one line; it ends with a
 * newline. */
void crt_free(char *text);
int crt_state_json(const struct crt_context *, const char *id, char **text, struct crt_error *err);
int crt_stats_json(
	const struct crt_context *, const char *id, char **text, struct crt_error *err); /* one line */
int crt_list_json(const struct crt_context *, char **text, struct crt_error *err);       /* one line */
int crt_features_json(const struct crt_context *, char **text, struct crt_error *err);
int crt_spec_json(bool rootless, char **text, struct crt_error *err);

/*
 * Call event() for each event, a line of JSON with its newline: a "stats" event now and after every interval,
 * an "oom" event whenever the kernel has killed a process of the container for want of memory. Returns 0 when
 * the container has ended, what event() returned if that was not 0, or -errno.
 */
typedef int crt_event_fn(void *data, const char *line);
int crt_events(const struct crt_context *, const char *id, unsigned interval_ms, crt_event_fn *event,
	void *data, struct crt_error *err);

/* The plan for a bundle, as text or JSON; needs no privilege and changes nothing. */
int crt_explain(const struct crt_context *, const struct crt_create_options *, bool json, char **text,
	struct crt_error *err);

/* All problems of a bundle, in the order of the document. Returns the number of errors, or -errno. */
typedef void crt_problem_fn(void *data, bool is_error, const struct crt_error *problem);
int crt_check(const struct crt_context *, const struct crt_create_options *, crt_problem_fn *problem,
	void *data, struct crt_error *err);

const char *crt_version(void);

/* The version of crt, of the specification and of libseccomp, as `crt --version` prints them, a line each. */
size_t crt_version_text(char *buf, size_t size);

#ifdef __cplusplus
}
#endif

#endif

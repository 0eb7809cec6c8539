/*
 * state.h - how a container is found again: the directory <root>/<id>/ and the state.json in it.
 *
 * The directory is the claim on the id and its lock (flock). state.json holds what cannot be asked from the
 * kernel; the status is never stored but computed, because a file cannot know that a process has died
 * (runtime.md, "State", "Lifecycle"). All functions work on fds: the root's and the container's directory.
 *
 * A creator holds the lock from state_claim() until the container is created or undone, so that a directory
 * without a process is "creating" while the lock is held and a remainder ("stopped") when it is not.
 */
#ifndef STATE_STATE_H
#define STATE_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"
#include "specs/hooks.h"
#include "specs/state.h"

#define STATE_ID_MAX        255
#define STATE_FILE          "state.json"
#define STATE_SOCKET        "start.sock" /* in the directory while the container waits for `start` */
#define STATE_CONFIG        "config.json" /* the document it was made from, for `exec`; there once it is made */
#define STATE_NOTIFY        "notify"      /* a folder, for the container's NOTIFY_SOCKET; and that in it */
#define STATE_NOTIFY_SOCKET STATE_NOTIFY "/notify.sock"
#define STATE_TIME_SIZE     48

struct state {
	uint32_t node;
	const char *oci_version;
	const char *id;
	int32_t pid;        /* of init, as this host sees it; 0: none yet */
	uint64_t pid_start; /* field 22 of /proc/PID/stat: together with pid this names one process */
	const char *bundle; /* absolute, like all paths here */
	const char *rootfs;
	const char *config;         /* the document that it was made from */
	const char *created;        /* RFC 3339, UTC */
	uint32_t owner;             /* uid of the creator */
	const char *cgroup_manager; /* "systemd", "self", "none"; NULL: cgroupfs */
	const char *cgroup_unit;    /* of systemd: "crt-ID.scope"; NULL: none */
	bool cgroup_user_unit;      /* which is the user's service manager's */
	const char *cgroup_mount;   /* where cgroup v2 is mounted; NULL: it has no cgroup of its own */
	const char *cgroup_path;    /* below it, starts with '/' */
	uint32_t cgroup_made;       /* how many of its last components are ours to remove, see cg_create() */
	const char *rdt_group;      /* the resctrl group that ends with it; NULL: none */
	const char *rdt_monitor;    /* likewise its monitoring group */
	bool no_new_keyring;        /* create was told so, and it is meant of exec, too */
	struct spec_pair *annotations;
	size_t annotations_count;
	struct spec_hooks *hooks; /* poststart and poststop, which run later; may be NULL */
};

/*
 * Who only looks takes any container. Who acts on what state.json says acts for its owner, or another user
 * would choose the pid and the cgroup; with or without waiting for the lock.
 */
enum state_lock { STATE_LOOK, STATE_OWN, STATE_LOCK_EXCLUSIVE };

/*
 * Open the root directory; NULL means /run/crt, or $XDG_RUNTIME_DIR/crt for an unprivileged user. With
 * `create` make it (0700, and what is missing above it). Returns an fd or -errno; -ENOENT without `create`
 * just says that there are no containers.
 */
int state_root_open(const char *root, bool create, struct err *err);

/* The path that state_root_open() opens, in buf unless it is `root`; NULL with err set: there is none. */
const char *state_root_path(const char *root, char *buf, size_t size, struct err *err);

/* [A-Za-z0-9_+-][A-Za-z0-9_+.-]*, at most STATE_ID_MAX bytes. Returns 0 or -EINVAL. */
int state_id_check(const char *id, struct err *err);

/* Make the directory of a new container and lock it. Returns its fd, or -EEXIST when the id is taken. */
int state_claim(int root_fd, const char *id, struct err *err);

/*
 * Open the directory of a container and, if asked, wait for its lock. Returns its fd, or -ENOENT when there
 * is no such container (any more), or -EPERM: the lock is for the owner of the directory only.
 */
int state_open(int root_fd, const char *id, enum state_lock lock, struct err *err);

/*
 * What a command does that is given the id of an existing container: check the id, open the root (NULL as
 * above) and the container. Returns the container's fd or -errno; *root_fd is the caller's too (may be NULL).
 */
int state_find(const char *root, const char *id, enum state_lock lock, int *root_fd, struct err *err);

/*
 * Let others have the lock for a while, and take it back: -ENOENT when the container was removed meanwhile.
 */
void state_unlock(int dirfd);
int state_relock(int dirfd, struct err *err);

/* Write state.json; a reader sees the old or the new one. Returns 0 or -errno. */
int state_write(struct arena *arena, int dirfd, const struct state *state, struct err *err);

/* Read it. Returns 0 or -errno with a place in the file; -ENOENT when its creator never came to write it. */
int state_read(struct arena *arena, int dirfd, struct state **state, struct err *err);

/*
 * `state` may be NULL: there is no state.json. Never SPEC_STATUS_NONE. May leave dirfd locked, to see that
 * nobody else holds the lock.
 */
enum spec_status state_status(int dirfd, const struct state *state);

/*
 * The same for who holds the lock and will knock at the socket: whether init still listens, in case that an
 * earlier start was killed before it could remove it, is left to that.
 */
enum spec_status state_status_for_start(int dirfd, const struct state *state);

/* Connect to the socket where init waits for start. Returns the connection, or -errno. */
int state_knock(int dirfd, unsigned socket_flags);

/* Remove the directory and all files in it. The caller holds the lock. Gone already: 0. */
int state_remove(int root_fd, const char *id, int dirfd, struct err *err);

/*
 * Has init ended, or begun to? The first process of a pid namespace waits for all others there, also for
 * those whose parent does not; nobody can enter any more. For explaining a failure: the pid is trusted.
 */
bool state_is_ending(const struct state *state);

/* A pidfd of the container's init, -ESRCH when it has ended (also as a zombie). */
int state_pidfd(const struct state *state);

/* When a process began, in clock ticks since boot. 0; -ESRCH when there is none, or a zombie. */
int state_pid_start(pid_t pid, uint64_t *start);

/* Now, for `created`. */
void state_timestamp(char buf[STATE_TIME_SIZE]);

#endif

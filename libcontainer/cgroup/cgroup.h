/*
 * cgroup.h - the container's cgroup as a directory of cgroup v2: made, filled in, emptied, removed.
 *
 * A cgroup is named by the mount of cgroup v2 and a path below it that starts with '/' and holds no "..".
 * Below the mount nothing is followed: each step is opened relative to the one before.
 *
 * The parent of containers that name no absolute path, CG_PARENT, is made when it is missing and never
 * removed: another create may be on its way into it, and it costs a start nothing once it is there.
 */
#ifndef CGROUP_CGROUP_H
#define CGROUP_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"

struct cg_write;
struct host;
struct json_doc;

#define CG_PARENT "/crt"

/* Who makes the cgroup, and where: --cgroup-manager. */
enum cg_manager {
	CG_CGROUPFS, /* crt itself, below CG_PARENT or where cgroupsPath says */
	CG_SYSTEMD,  /* systemd, as a unit: see unit.h */
	CG_SELF,     /* crt, below the cgroup of the unit that it runs in: see self.c */
	CG_NONE,     /* nobody: the container stays in the cgroup of whoever starts it */
};

/* By name, NULL is cgroupfs; -EINVAL. And the name as the state has it: NULL for cgroupfs. */
int cg_manager_find(const char *name);
const char *cg_manager_name(enum cg_manager manager);

/*
 * Where the container's cgroup belongs. Pure; `host` must know HOST_CGROUP, and HOST_CONTROLLERS when its
 * euid is not 0, it is in a user namespace, or the manager is CG_SELF. An absolute cgroupsPath is below the
 * mount; a relative one, or NULL (then the id is the name), is below CG_PARENT, which for a user other than
 * root is beside the cgroup that crt runs in. With CG_SELF all are below the payload of our own unit. `node`
 * is cgroupsPath. Returns 0 and the path, or -errno (ENOENT: this host has no cgroup v2, or we are in no
 * unit).
 */
int cg_path(struct arena *arena, const struct host *host, enum cg_manager manager, const char *cgroups_path,
	const char *id, const struct json_doc *doc, uint32_t node, const char **path, struct err *err);

/* A path below a container's cgroup as "/a/b", "" for none; or NULL, with what is wrong with it in *problem.
 */
const char *cg_path_below(struct arena *arena, const char *text, const char **problem);

/* The cgroup of the unit that we run in, of HOST_CONTROLLERS: our own, or what is above "supervisor". */
const char *cg_unit_of(struct arena *arena, const char *own);

/*
 * Make room for containers in the unit's cgroup: its processes go to "supervisor" below it. Fine when it is
 * so already. Returns 0 or -errno.
 */
int cg_split(const char *mount, const char *unit, struct err *err);

/*
 * Make the directory and what is missing above it, and hand down `controllers` (words, see cg_limits) and,
 * where directories are new, every other controller there is. The cgroups that the path's first `given` bytes
 * name are there and are somebody else's: nothing is handed down above the last of them. A cgroup that exists
 * must be empty and not frozen. Returns an fd for clone3's CLONE_INTO_CGROUP, and in *made how many of the
 * path's last components are new; or -errno, with everything it made removed again.
 */
int cg_create(const char *mount, const char *path, size_t given, const char *controllers, unsigned *made,
	struct err *err);

/*
 * Hand down those of the controllers that the cgroup `path`, which is open as cgroup_fd, lacks. Returns 0 or
 * -errno.
 */
int cg_hand_down(
	const char *mount, const char *path, int cgroup_fd, const char *controllers, struct err *err);

/*
 * Have one process, in the cgroup that the path's first `given` bytes name, in `path` instead, a cgroup below
 * it that is made; and hand down controllers there. When the two are the same, nothing is done. Returns an fd
 * or -errno.
 */
int cg_enter(const char *mount, const char *path, size_t given, const char *controllers, pid_t pid,
	struct err *err);

/*
 * Make `below` ("/a/b", whatever of it is missing), move the process there, and hand down to it every
 * controller that the cgroup has; nobody else may be in the cgroup itself. With `give` the last one is given
 * to that user, see cg_give(). Returns 0 or -errno.
 */
int cg_delegate(int cgroup_fd, const char *below, pid_t pid, const uid_t *give, struct err *err);

/*
 * Give the cgroup to a user, as the kernel's list of what may be given has it (/sys/kernel/cgroup/delegate).
 * Returns 0 or -errno.
 */
int cg_give(int cgroup_fd, uid_t uid, struct err *err);

/* Open an existing cgroup; -ENOENT when it is gone. */
int cg_open(const char *mount, const char *path, struct err *err);

/* Why clone3 refused to put a process into this cgroup: a better message for errnum. Returns -errnum. */
int cg_clone_error(int cgroup_fd, const char *path, int errnum, struct err *err);

/* Make one write. An error names the place in the document, file, value and remedy. Returns 0 or -errno. */
int cg_apply(int cgroup_fd, const struct cg_write *write, const struct json_doc *doc, struct err *err);

/*
 * Stop every process in the cgroup and below where it is, or let them go on, and wait until the kernel says
 * that they all have. Returns 0 or -errno (ETIMEDOUT; ESRCH: nothing is in it any more).
 */
int cg_freeze(int cgroup_fd, bool freeze, int timeout_ms, struct err *err);

/* Has somebody asked for it to be frozen, whether it already is or not? */
bool cg_wants_freeze(int cgroup_fd);

/* SIGKILL for every process in the cgroup and below. Returns 0 or -errno. */
int cg_kill(int cgroup_fd, struct err *err);

/* Wait until no process is left in it and below. Returns 0 or -errno (ETIMEDOUT). */
int cg_wait_empty(int cgroup_fd, int timeout_ms, struct err *err);

/*
 * Kill what is inside, wait, remove all cgroups below it, and then the last `made` components of the path,
 * as cg_create() counted them; those above the first are left when they are in use. Fine when it is gone
 * already. Returns 0 or -errno (ETIMEDOUT, EBUSY).
 */
int cg_destroy(const char *mount, const char *path, unsigned made, int timeout_ms, struct err *err);

/* The cgroup that a process is in, below the mount. Returns 0 or -errno. */
int cg_of(pid_t pid, struct arena *arena, const char **path);

/* The processes in the cgroup and below, by pid as this process sees them (0: not visible from here). */
int cg_pids(int cgroup_fd, struct arena *arena, pid_t **pids, size_t *count, struct err *err);

/*
 * Send a signal to every process in the cgroup and below, through a pidfd that is known to name a member, so
 * that a recycled pid is never hit. Processes that are born meanwhile may be missed (not with SIGKILL).
 */
int cg_signal_all(int cgroup_fd, struct arena *arena, int sig, struct err *err);

#endif

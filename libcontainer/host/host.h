/*
 * host.h - facts about this machine that decide what a document means here.
 *
 * Compiling a document is pure: whatever it needs to know of the system stands in a struct host, gathered
 * before, or read from a file by a test. Gathering is cheap and done by subject: a plain container's start
 * affords HOST_USER and HOST_CGROUP, four system calls in all; HOST_CONTROLLERS costs six more and is needed
 * once the document has limits (or when euid is not 0); the rest is for `check` and `features`.
 */
#ifndef HOST_HOST_H
#define HOST_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/report.h"
#include "specs/types.h"

enum host_subject {
	HOST_USER = 1,
	HOST_CGROUP = 2,
	HOST_CONTROLLERS = 4, /* implies HOST_CGROUP */
	HOST_KERNEL = 8,
	HOST_LSM = 16,
	HOST_NAMESPACES = 32,
	HOST_SECCOMP = 64,
	HOST_RDT = 128,
	HOST_ALL = 255,
};

/* Lists are words separated by spaces, for str_has_word(); never NULL once gathered. */
struct host {
	uint32_t node;
	unsigned known; /* of enum host_subject: what has been gathered */

	/* HOST_USER */
	uint32_t euid, egid;
	bool user_namespace;          /* we are in one that is not the initial one */
	bool cap_sys_admin;           /* effective */
	struct spec_set capabilities; /* our permitted ones: what can be handed on */

	/* HOST_CGROUP */
	const char *cgroup_mount; /* of cgroup v2; NULL: none */

	/* HOST_CONTROLLERS */
	const char *cgroup_own;     /* our own cgroup below that mount: "/user.slice/..." */
	const char *controllers;    /* what v2 offers at its root: "cpuset cpu io memory pids" */
	const char *v1_controllers; /* what a mounted v1 hierarchy holds */

	/* HOST_KERNEL */
	const char *kernel_release; /* "6.1.0-18-amd64" */

	/* HOST_LSM */
	const char *lsm; /* "capability landlock apparmor" */

	/* HOST_NAMESPACES */
	const char *namespaces;             /* the kernel's names: "cgroup ipc mnt net pid time user uts" */
	uint64_t max_user_namespaces;       /* user.max_user_namespaces; 0: none can be made */
	bool unprivileged_user_namespaces;  /* Debian's kernel.unprivileged_userns_clone; true where absent */
	bool apparmor_restricts_namespaces; /* Ubuntu's kernel.apparmor_restrict_unprivileged_userns */

	/* HOST_SECCOMP */
	const char *seccomp_actions; /* the kernel's names: "kill_process kill_thread trap errno ..." */
	const char *seccomp_flags;   /* "TSYNC LOG SPEC_ALLOW WAIT_KILLABLE_RECV", without their prefix */

	/* HOST_RDT */
	const char *resctrl_mount; /* NULL: not mounted */
};

/*
 * Learn about the subjects that are not known yet; strings go to the arena. What cannot be found out counts
 * as absent. Returns 0, or -errno when /proc cannot be read at all.
 */
int host_gather(struct host *host, struct arena *arena, unsigned subjects, struct err *err);

/* The same facts from a JSON file, all subjects at once; an absent member is 0, false or empty. */
int host_read(struct host *host, struct arena *arena, const char *path, struct report *report);

/*
 * When new namespaces (CLONE_NEW*) were refused with errnum: give *err the setting that did it as its cause,
 * and a hint. `sysctls` is /proc/sys, or < 0: it is opened. Returns whether something was found.
 */
bool host_explain_namespaces(int sysctls, uint64_t flags, int errnum, struct err *err);

/* Is the kernel this release or a later one? */
bool host_kernel_is(const struct host *host, unsigned major, unsigned minor);

#endif

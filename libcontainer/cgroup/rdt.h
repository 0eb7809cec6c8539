/*
 * rdt.h - a share of caches and of memory bandwidth: groups of the resctrl filesystem (config-linux.md,
 * "IntelRdt"; Documentation/arch/x86/resctrl.rst).
 *
 * A container's group bears its id, and is made and removed with it; or the name that the document gives
 * (closID), and then it is whoever's: others may be in it, so it stays.
 */
#ifndef CGROUP_RDT_H
#define CGROUP_RDT_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"

struct spec_intel_rdt;

struct rdt_request {
	const char *mount;      /* where resctrl is mounted */
	const char *group;      /* the directory of the group, absolute */
	const char *monitor;    /* of the monitoring group in it; NULL: none */
	const char *allocation; /* the lines of l3CacheSchema and memBwSchema; may be empty */
	const char *schemata;   /* further lines, which come last; may be empty */
	bool named;             /* by the document */
};

/* Pure. */
void rdt_compile(struct arena *arena, const struct spec_intel_rdt *rdt, const char *mount, const char *id,
	struct rdt_request *request);

/* The lines that both members make: what l3_cache says of memory bandwidth yields to mem_bw; either may be
 * NULL. */
const char *rdt_allocation(struct arena *arena, const char *l3_cache, const char *mem_bw);

/*
 * Make the group, if it is for us to make, give it what is asked for (one that is there must have it), and
 * put the process into it. *made: there is a new directory. Returns 0, or -errno with nothing left behind.
 */
int rdt_enter(const struct rdt_request *request, pid_t pid, bool *made, struct err *err);

/* Another process of the container, into a group that is there. */
int rdt_join(const struct rdt_request *request, pid_t pid, struct err *err);

/* Does the text of a file `schemata` say everything that `lines` say? */
bool rdt_matches(const char *schemata, const char *lines);

/* Change a group; *before is what its file said, to be given to the same function to take it back. */
int rdt_change(struct arena *arena, const struct rdt_request *request, const char *lines, const char **before,
	struct err *err);

/* Remove a group, unless somebody is in it. What is gone already is fine. Returns 0 or -errno. */
int rdt_remove(const char *group);

#endif

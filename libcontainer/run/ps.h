/*
 * ps.h - which processes a container has.
 */
#ifndef RUN_PS_H
#define RUN_PS_H

#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

/*
 * The processes in the container's cgroup and below, by pid as this process sees them, ascending; those it
 * cannot see are left out. *pids is the caller's to free(3). Returns 0 or -errno.
 */
int run_pids(const char *root, const char *id, pid_t **pids, size_t *count, struct err *err);

#endif

/*
 * kill.h - signals for a container.
 */
#ifndef RUN_KILL_H
#define RUN_KILL_H

#include <stdbool.h>

#include "base/err.h"

/*
 * Send `sig` to the container's init or, with `all`, to every process in its cgroup. SIGKILL for init always
 * takes the rest along: the kernel sees to it in a pid namespace of the container's own, cgroup.kill
 * otherwise. Returns 0 or -errno (ESRCH: not running; ENOENT: no such container).
 */
int run_kill(const char *root, const char *id, int sig, bool all, struct err *err);

#endif

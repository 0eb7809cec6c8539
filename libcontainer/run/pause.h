/*
 * pause.h - the pause and resume commands.
 */
#ifndef RUN_PAUSE_H
#define RUN_PAUSE_H

#include <stdbool.h>

#include "base/err.h"

/*
 * Freeze or thaw every process of the container; returns once the kernel says that all are. A freeze that
 * does not come about in time is taken back. Returns 0 or -errno (EBUSY: it is paused already; EINVAL: it is
 * not paused; ETIMEDOUT; ESRCH: not running).
 */
int run_pause(const char *root, const char *id, bool pause, struct err *err);

#endif

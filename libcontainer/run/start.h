/*
 * start.h - the start command.
 */
#ifndef RUN_START_H
#define RUN_START_H

#include "base/err.h"

/*
 * Let the program of a created container run, then its poststart hooks. With `notify`, a service manager's
 * NOTIFY_SOCKET, and a container that was made with one, wait until it is ready. Returns 0 or -errno.
 */
int run_start(const char *root, const char *id, const char *notify, struct err *err);

#endif

/*
 * notify.h - what a container says to the service manager (sd_notify(3)), by a socket of its own.
 *
 * The container's directory has a folder `notify`, which is bound into the container; in it is the socket,
 * while somebody listens: `run` as long as it stays, `run --detach` and `start` until the container is ready.
 */
#ifndef RUN_NOTIFY_H
#define RUN_NOTIFY_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

/* Make the folder, before the container's mounts are made. Returns 0 or -errno. */
int notify_prepare(int dir_fd, struct err *err);

/* Has the container got one? */
bool notify_is_prepared(int dir_fd);

/* Listen. Returns an fd or -errno. */
int notify_listen(int dir_fd, struct err *err);

/*
 * Pass on what has arrived at `fd`, as far as it is harmless, to `address`, a path or "@" and an abstract
 * name. Once the container is ready, the manager is told `main_pid`, if that is not 0, as the service's
 * process. Returns 1 when that has been said now, else 0: nobody to hear it is no error.
 */
int notify_forward(int fd, const char *address, pid_t main_pid);

/* Do that until the container is ready, or has ended. */
void notify_until_ready(int fd, int pidfd, const char *address, pid_t main_pid);

#endif

/*
 * exec.h - the exec command: another process in a container that runs.
 */
#ifndef RUN_EXEC_H
#define RUN_EXEC_H

#include "base/err.h"
#include "libcontainer/run/create.h"

/*
 * run->mode: RUN_FOREGROUND waits for its end, RUN_DETACH returns once it runs. Takes no lock and makes no
 * mount. Returns 0 or -errno, in which case no process is left; *exit_status as at crt_run().
 */
int run_exec(struct run *run, const struct crt_context *context, const char *id,
	const struct crt_exec_options *options, int *exit_status, struct err *err);

#endif

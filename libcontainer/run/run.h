/*
 * run.h - the run command: create and start in one go, and (unless detached) wait and delete.
 */
#ifndef RUN_RUN_H
#define RUN_RUN_H

#include "base/err.h"
#include "libcontainer/run/create.h"

/* Returns 0 or -errno; *exit_status as described at crt_run(). */
int run_run(struct run *run, const struct crt_context *context, const struct crt_create_options *options,
	const struct crt_run_options *run_options, int *exit_status, struct err *err);

#endif

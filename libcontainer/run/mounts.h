/*
 * mounts.h - the mounts command.
 */
#ifndef RUN_MOUNTS_H
#define RUN_MOUNTS_H

#include "libcontainer/run/create.h"

/*
 * Mount what the file names in a container that runs, or unmount it; `run` is from run_begin(). They are done
 * one after the other, and a failure leaves what came before it. Returns 0 or -errno.
 */
int run_mounts(struct run *run, const struct crt_context *context, const char *id, const char *file,
	bool remove, struct err *err);

#endif

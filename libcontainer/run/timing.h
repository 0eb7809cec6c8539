/*
 * timing.h - where the time of one create, run or exec went; for `--timing`. Without it, nothing is measured.
 */
#ifndef RUN_TIMING_H
#define RUN_TIMING_H

#include "libcontainer/run/create.h"

/* Begin to measure, if the caller wants to know. */
void run_timing_begin(struct run *run, const struct crt_context *context);

/* This is done. `what` stays the caller's. */
void run_mark(struct run *run, const char *what);

/* Memory for the times of the plan's operations, which both sides write. */
int run_timing_prepare(struct run *run, struct err *err);

/* Tell the caller: a line a step, in the order in which they were done. Call it once all is over. */
void run_timing_tell(struct run *run, const struct crt_context *context);

#endif

/*
 * start.h - the start command.
 */
#ifndef RUN_START_H
#define RUN_START_H

#include "base/err.h"

/* Let the program of a created container run, then its poststart hooks. Returns 0 or -errno. */
int run_start(const char *root, const char *id, struct err *err);

#endif

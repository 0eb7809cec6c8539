/*
 * signals.h - the names of signals.
 */
#ifndef SRC_SIGNALS_H
#define SRC_SIGNALS_H

#include "libcontainer/libcontainer.h"

/*
 * "TERM", "SIGTERM", "sigterm", "15", "RTMIN+3", "SIGRTMAX-1": the number, 0 to 64, or -EINVAL. RTMIN is the
 * C library's (34), as in kill(1).
 */
int signal_parse(const char *text, struct crt_error *err);

#endif

/*
 * foreground.h - staying with a process: crt is to it what a shell is to its child. It passes signals on, is
 * the other side of its terminal, reaps, and learns its exit code.
 */
#ifndef RUN_FOREGROUND_H
#define RUN_FOREGROUND_H

#include <signal.h>
#include <stdbool.h>

#include "base/err.h"
#include "libcontainer/run/console.h"
#include "libcontainer/run/create.h"

struct foreground {
	struct run *run;
	int signals; /* signalfd; -1: signals are not ours to pass on */
	bool reap;
	bool has_console;
	struct console console;
	sigset_t mask_before;
};

/*
 * From here on signals wait to be passed on, so that none is lost between the start of the process and the
 * loop. `reap`: take leave of orphans, too. foreground_end() undoes it, and gives the terminal back.
 */
void foreground_begin(struct foreground *f, struct run *run, bool forward_signals, bool reap);
void foreground_end(struct foreground *f);

/* The process runs: be the other side of its terminal, if it has one that is for us. Returns 0 or -errno. */
int foreground_console(struct foreground *f, struct err *err);

/* Until it has ended; *exit_status is its exit code, or 128 + the signal's number. Returns 0 or -errno. */
int foreground_wait(struct foreground *f, int *exit_status, struct err *err);

#endif

/*
 * events.h - the events command: what a container uses, and when it runs out of memory.
 */
#ifndef RUN_EVENTS_H
#define RUN_EVENTS_H

#include "base/arena.h"
#include "base/err.h"
#include "libcontainer/libcontainer.h"

/* One line of JSON in the arena. Returns 0 or -errno. */
int run_stats_text(struct arena *arena, const char *root, const char *id, const char **line, struct err *err);

/* As crt_events() has it. */
int run_events(const char *root, const char *id, unsigned interval_ms, crt_event_fn *event, void *data,
	struct err *err);

#endif

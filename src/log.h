/*
 * log.h - where messages go: stderr for people, the file of --log for engines.
 *
 * The file's lines are those that engines parse (containerd and Docker show the "msg" of the last error):
 * {"level":"error","msg":"...","time":"2006-01-02T15:04:05Z"}, or the same as time="..." level=error
 * msg="...".
 */
#ifndef SRC_LOG_H
#define SRC_LOG_H

#include <stdbool.h>

#include "libcontainer/libcontainer.h"

struct log {
	int fd;     /* of the file; -1: none */
	bool json;  /* the file's lines are JSON */
	bool debug; /* show everything on stderr, and write it to the file */
};

/* Open the file for appending (created 0644), above the fds that are passed on to the container. */
int log_open(struct log *log, const char *path, unsigned preserve_fds, struct crt_error *err);

/* A callback for struct crt_context; data is the struct log. */
void log_message(void *data, enum crt_log_level level, const char *message);

/* The reason why a command failed: with the source line and the hint on stderr, as one line in the file. */
void log_error(const struct log *log, const struct crt_error *err);

#endif

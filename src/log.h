/*
 * log.h - where messages go: stderr for people, and what --log names for engines: a file, or the sockets of
 * syslog and of systemd's journal (sd_journal_send(3): one datagram of NAME=value fields).
 *
 * The file's lines are those that engines parse (containerd and Docker show the "msg" of the last error):
 * {"level":"error","msg":"...","time":"2006-01-02T15:04:05Z"}, or the same as time="..." level=error
 * msg="...". In JSON, an error's pieces (struct crt_error) follow.
 */
#ifndef SRC_LOG_H
#define SRC_LOG_H

#include <stdbool.h>

#include "libcontainer/libcontainer.h"

enum log_kind { LOG_FILE, LOG_TO_SYSLOG, LOG_TO_JOURNAL };

struct log {
	int fd; /* of the file or the socket; -1: none */
	enum log_kind kind;
	const char *name;         /* who speaks, to syslog and the journal */
	bool json;                /* the file's lines are JSON */
	enum crt_log_level level; /* the least important that is shown */
};

extern const char *const log_level_names[]; /* by enum crt_log_level */

/*
 * Open "[file:]PATH" for appending (created 0644), "syslog:NAME" or "journald:NAME", above the fds that are
 * passed on to the container. Nobody listening on such a socket is a warning: a container is not to fail for
 * want of a logger. Returns 0 or -EINVAL.
 */
int log_open(struct log *log, const char *where, unsigned preserve_fds, struct crt_error *err);

/* A callback for struct crt_context; data is the struct log. */
void log_message(void *data, enum crt_log_level level, const char *message);

/* The reason why a command failed: with the source line and the hint on stderr, as one line in the file. */
void log_error(const struct log *log, const struct crt_error *err);

#endif

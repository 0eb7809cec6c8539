/*
 * log.c - see log.h. Every message is one write(2), so that lines of several processes do not mix, and a
 * datagram is whole. The sockets do not block: a logger that hangs holds up no container.
 */
#include "src/log.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/diagnose.h"
#include "base/fd.h"
#include "base/str.h"
#include "specs/writer.h"
#include "src/options.h"

#define LINE_SIZE 8192

const char *const log_level_names[] = {
	[CRT_LOG_ERROR] = "error",
	[CRT_LOG_WARNING] = "warning",
	[CRT_LOG_INFO] = "info",
	[CRT_LOG_DEBUG] = "debug",
};

static const int priorities[] = {
	[CRT_LOG_ERROR] = LOG_ERR,
	[CRT_LOG_WARNING] = LOG_WARNING,
	[CRT_LOG_INFO] = LOG_INFO,
	[CRT_LOG_DEBUG] = LOG_DEBUG,
};

/* Indexed by enum log_kind. */
static const struct {
	const char *prefix, *path;
} places[] = {{"file:", NULL}, {"syslog:", "/dev/log"}, {"journald:", "/run/systemd/journal/socket"}};

static int open_socket(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	fd_auto int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	memcpy(address.sun_path, path, strlen(path) + 1);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	return fd_take(&fd);
}

/* Neither waiting for who would read a fifo, nor, later, for who reads it too slowly. */
#define LOG_FLAGS (O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)

static int cannot_open(const char *path, int error, struct crt_error *err)
{
	struct diagnosis d;

	call_error(err, error == ENXIO ? "nobody reads that fifo" : NULL, "cannot open the log file %s: %s",
		path, str_errno(error));
	diagnose_path(AT_FDCWD, path, error, &d);
	err->code = error;
	snprintf(err->object, sizeof(err->object), "log");
	snprintf(err->target, sizeof(err->target), "%s", path);
	snprintf(err->call, sizeof(err->call), "open");
	memcpy(err->cause, d.cause, sizeof(err->cause));
	return -error;
}

int log_open(struct log *log, const char *where, unsigned preserve_fds, struct crt_error *err)
{
	int first = 3 + (int)preserve_fds;

	log->kind = LOG_FILE;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		if (!str_starts(where, places[i].prefix))
			continue;
		log->kind = (enum log_kind)i;
		where += strlen(places[i].prefix);
	}
	log->name = *where ? where : "crt";
	const char *socket = places[log->kind].path;
	fd_auto int fd = socket ? open_socket(socket) : open(where, LOG_FLAGS, 0644);
	if (fd < 0 && socket) {
		char text[128];
		snprintf(text, sizeof(text), "--log: nobody listens on %s: %s", socket, str_errno(-fd));
		log_message(log, CRT_LOG_WARNING, text);
		return 0;
	}
	if (fd < 0 || (log->fd = fcntl(fd, F_DUPFD_CLOEXEC, first)) < 0)
		return cannot_open(where, errno, err);
	return 0;
}

/* The pieces of an error, for programs; what is not known is left out. */
static void write_pieces(struct json_writer *w, const struct crt_error *e)
{
	const struct {
		const char *key, *value;
	} pieces[] = {{"phase", e->phase}, {"object", e->object}, {"path", e->target}, {"syscall", e->call},
		{"errno", crt_error_name(e)}, {"cause", e->cause}, {"hint", e->hint}};

	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++)
		json_write_member(w, pieces[i].key, *pieces[i].value ? pieces[i].value : NULL);
	if (!e->file[0])
		return;
	json_write_key(w, "document");
	json_write_object(w);
	json_write_member(w, "file", e->file);
	if (e->line) {
		json_write_member_u64(w, "line", e->line);
		json_write_member_u64(w, "column", e->column);
	}
	json_write_member(w, "path", e->path[0] ? e->path : NULL);
	json_write_object_end(w);
}

/* One line: a JSON object, or logrus' text; both quote the message in the same way. `e` may be NULL. */
static const char *file_line(struct arena *arena, bool json, const char *level, const char *message,
	const char *now, const struct crt_error *e)
{
	struct json_writer w;

	json_writer_init(&w, arena, false);
	if (json) {
		json_write_object(&w);
		json_write_member(&w, "level", level);
		json_write_member(&w, "msg", message);
		json_write_member(&w, "time", now);
		if (e)
			write_pieces(&w, e);
		json_write_object_end(&w);
		return arena_printf(arena, "%s\n", json_writer_text(&w, NULL));
	}
	json_write_string(&w, message);
	return arena_printf(arena, "time=\"%s\" level=%s msg=%s\n", now, level, json_writer_text(&w, NULL));
}

/* RFC 3164, as syslog(3) sends it. */
static const char *syslog_line(
	struct arena *arena, const char *name, int priority, const char *message, const struct tm *tm)
{
	char now[32] = "";

	strftime(now, sizeof(now), "%h %e %T", tm);
	return arena_printf(
		arena, "<%d>%s %s[%d]: %s", LOG_USER | priority, now, name, (int)getpid(), message);
}

/* The form with a length, little endian, which a message of several lines needs. */
static const char *journal_fields(
	struct arena *arena, const char *name, int priority, const char *message, size_t *length)
{
	uint64_t size = htole64(strlen(message));
	char *text = arena_printf(
		arena, "PRIORITY=%d\nSYSLOG_IDENTIFIER=%s\nMESSAGE\n12345678%s\n", priority, name, message);

	*length = strlen(text);
	memcpy(text + *length - 1 - strlen(message) - sizeof(size), &size, sizeof(size));
	return text;
}

static void write_to_log(
	const struct log *log, enum crt_log_level level, const char *message, const struct crt_error *e)
{
	arena_auto struct arena arena = {0};
	time_t seconds = time(NULL);
	const char *line;
	char now[32] = "";
	size_t length = 0;
	struct tm tm;

	if (arena_init(&arena, NULL) < 0)
		return;
	strftime(now, sizeof(now), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&seconds, &tm));
	if (log->kind == LOG_TO_JOURNAL)
		line = journal_fields(&arena, log->name, priorities[level], message, &length);
	else if (log->kind == LOG_TO_SYSLOG)
		line = syslog_line(&arena, log->name, priorities[level], message, localtime_r(&seconds, &tm));
	else
		line = file_line(&arena, log->json, log_level_names[level], message, now, e);
	fd_write(log->fd, line, length ? length : strlen(line));
}

static void write_to_stderr(const char *text)
{
	struct str_buf line;
	char buf[LINE_SIZE];

	str_buf_init(&line, buf, sizeof(buf));
	str_buf_add(&line, "crt: %s\n", text);
	fd_write(STDERR_FILENO, line.data, line.length);
}

void log_message(void *data, enum crt_log_level level, const char *message)
{
	const struct log *log = data;
	char line[LINE_SIZE / 2];

	if (level > log->level)
		return;
	snprintf(line, sizeof(line), "%s: %s", log_level_names[level], message);
	write_to_stderr(line);
	if (log->fd >= 0)
		write_to_log(log, level, message, NULL);
}

void log_error(const struct log *log, const struct crt_error *err)
{
	char text[LINE_SIZE / 2];

	crt_error_format(err, true, text, sizeof(text));
	write_to_stderr(text);
	if (log->fd < 0)
		return;
	crt_error_format(err, false, text, sizeof(text));
	write_to_log(log, CRT_LOG_ERROR, text, err);
}

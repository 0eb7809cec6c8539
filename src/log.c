/*
 * log.c - see log.h. Every line is one write(2), so that lines of several processes do not mix.
 */
#include "src/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/fd.h"
#include "base/str.h"
#include "specs/writer.h"
#include "src/options.h"

#define LINE_SIZE 8192

static const char *const level_names[] = {
	[CRT_LOG_ERROR] = "error",
	[CRT_LOG_WARNING] = "warning",
	[CRT_LOG_INFO] = "info",
	[CRT_LOG_DEBUG] = "debug",
};

int log_open(struct log *log, const char *path, unsigned preserve_fds, struct crt_error *err)
{
	int first = 3 + (int)preserve_fds;
	fd_auto int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0644);

	if (fd < 0 || (log->fd = fcntl(fd, F_DUPFD_CLOEXEC, first)) < 0)
		return call_error(err, NULL, "cannot open the log file %s: %s", path, str_errno(errno));
	return 0;
}

/* One line: a JSON object, or logrus' text; both quote the message in the same way. */
static const char *file_line(
	struct arena *arena, bool json, const char *level, const char *message, const char *now)
{
	struct json_writer w;

	json_writer_init(&w, arena, false);
	if (json) {
		json_write_object(&w);
		json_write_member(&w, "level", level);
		json_write_member(&w, "msg", message);
		json_write_member(&w, "time", now);
		json_write_object_end(&w);
		return arena_printf(arena, "%s\n", json_writer_text(&w, NULL));
	}
	json_write_string(&w, message);
	return arena_printf(arena, "time=\"%s\" level=%s msg=%s\n", now, level, json_writer_text(&w, NULL));
}

static void write_to_file(const struct log *log, enum crt_log_level level, const char *message)
{
	arena_auto struct arena arena = {0};
	time_t seconds = time(NULL);
	char now[32] = "";
	struct tm tm;

	if (arena_init(&arena, NULL) < 0)
		return;
	strftime(now, sizeof(now), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&seconds, &tm));
	const char *line = file_line(&arena, log->json, level_names[level], message, now);
	fd_write(log->fd, line, strlen(line));
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

	snprintf(line, sizeof(line), "%s: %s", level_names[level], message);
	write_to_stderr(line);
	if (log->fd >= 0)
		write_to_file(log, level, message);
}

void log_error(const struct log *log, const struct crt_error *err)
{
	char text[LINE_SIZE / 2];

	crt_error_format(err, true, text, sizeof(text));
	write_to_stderr(text);
	if (log->fd < 0)
		return;
	crt_error_format(err, false, text, sizeof(text));
	write_to_file(log, CRT_LOG_ERROR, text);
}

/*
 * passwd.c - see passwd.h.
 */
#include "base/passwd.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"

#define LINE_BYTES   4096 /* a longer line is none */
#define FIELDS_MAX   7
#define USER_FIELDS  7 /* name:password:uid:gid:comment:home:shell */
#define GROUP_FIELDS 4 /* name:password:gid:members */
#define FIELD_ID     2
#define FIELD_GID    3
#define FIELD_HOME   5

/* What is looked for, and where it goes. */
struct query {
	int fields; /* of a line */
	const char *name;
	uid_t uid; /* when name is NULL */
	uint32_t *id, *gid;
	char *home;
	size_t home_size;
};

/* Cut the line at its colons. */
static bool split(char *line, char *fields[FIELDS_MAX], int count)
{
	for (int i = 0; i < count; i++) {
		fields[i] = line;
		line += strcspn(line, ":");
		if ((*line == ':') != (i < count - 1))
			return false;
		if (*line)
			*line++ = '\0';
	}
	return true;
}

static bool read_id(const char *text, uint32_t *id)
{
	uint64_t number;

	if (str_to_u64(text, &number) < 0 || number >= UINT32_MAX)
		return false;
	*id = (uint32_t)number;
	return true;
}

/* 0 when this is the line, and its answer has been copied; -ENOENT when it is not. */
static int try_line(char *line, const struct query *q)
{
	char *fields[FIELDS_MAX];
	uint32_t id, gid = 0;

	if (!split(line, fields, q->fields) || !read_id(fields[FIELD_ID], &id))
		return -ENOENT;
	if (q->name ? !str_eq(fields[0], q->name) : id != q->uid)
		return -ENOENT;
	if (q->gid && !read_id(fields[FIELD_GID], &gid))
		return -ENOENT;
	if (q->home) {
		size_t length = strlen(fields[FIELD_HOME]);
		if (!length)
			return -ENOENT;
		if (length >= q->home_size)
			return -ENAMETOOLONG;
		memcpy(q->home, fields[FIELD_HOME], length + 1);
	}
	if (q->id)
		*q->id = id;
	if (q->gid)
		*q->gid = gid;
	return 0;
}

static int search(int fd, const struct query *q)
{
	char text[LINE_BYTES + 1];
	size_t have = 0;
	bool skipping = false; /* the rest of a line that did not fit */

	for (;;) {
		ssize_t n = read(fd, text + have, LINE_BYTES - have);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		have += (size_t)n;
		text[have] = '\0';
		char *line = text;
		for (char *end; (end = memchr(line, '\n', have - (size_t)(line - text))); line = end + 1) {
			*end = '\0';
			int r = skipping ? -ENOENT : try_line(line, q);
			if (r != -ENOENT)
				return r;
			skipping = false;
		}
		have -= (size_t)(line - text);
		if (n == 0)
			return have && !skipping ? try_line(line, q) : -ENOENT;
		memmove(text, line, have);
		if (have == LINE_BYTES) {
			skipping = true;
			have = 0;
		}
	}
}

int passwd_user(int fd, const char *name, uid_t *uid, gid_t *gid)
{
	return search(fd, &(struct query){.fields = USER_FIELDS, .name = name, .id = uid, .gid = gid});
}

int passwd_group(int fd, const char *name, gid_t *gid)
{
	return search(fd, &(struct query){.fields = GROUP_FIELDS, .name = name, .id = gid});
}

int passwd_home(int fd, uid_t uid, char *buf, size_t size)
{
	return search(fd, &(struct query){.fields = USER_FIELDS, .uid = uid, .home = buf, .home_size = size});
}

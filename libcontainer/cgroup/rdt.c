/*
 * rdt.c - see rdt.h.
 */
#include "libcontainer/cgroup/rdt.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "specs/linux.h"

#define SCHEMATA_BYTES 65536

/* ---- what a document means ---- */

static const char *first_line(const char *text, size_t *length)
{
	text += strspn(text, "\n");
	*length = strcspn(text, "\n");
	return *length ? text : NULL;
}

#define for_each_line(text, line, length)                                                                    \
	for (const char *line = first_line(text, &(length)); line;                                           \
		line = first_line(line + (length), &(length)))

const char *rdt_allocation(struct arena *arena, const char *l3_cache, const char *mem_bw)
{
	const char *text = "";
	size_t n = 0;

	for_each_line (l3_cache ? l3_cache : "", line, n)
		if (!mem_bw || !str_starts(line, "MB:"))
			text = arena_printf(arena, "%s%.*s\n", text, (int)n, line);
	return mem_bw ? arena_printf(arena, "%s%s\n", text, mem_bw) : text;
}

void rdt_compile(struct arena *arena, const struct spec_intel_rdt *rdt, const char *mount, const char *id,
	struct rdt_request *request)
{
	const char *name = rdt->clos_id ? rdt->clos_id : id;
	size_t n = 0;

	*request = (struct rdt_request){.mount = mount,
		.group = str_eq(name, "/") ? mount : arena_printf(arena, "%s/%s", mount, name),
		.allocation = rdt_allocation(arena, rdt->l3_cache_schema, rdt->mem_bw_schema),
		.schemata = "",
		.named = rdt->clos_id != NULL};
	for (size_t i = 0; i < rdt->schemata_count; i++)
		for_each_line (rdt->schemata[i], line, n)
			request->schemata = arena_printf(arena, "%s%.*s\n", request->schemata, (int)n, line);
	if (rdt->enable_monitoring)
		request->monitor = arena_printf(arena, "%s/mon_groups/%s", request->group, id);
}

/* ---- comparison ---- */

/* "0=f" of a wanted line, in "0=00f;1=ff" of the file's: numbers of both are read alike. */
static bool has_value(const char *values, const char *wanted, size_t length, int base)
{
	char *end;
	unsigned long id = strtoul(wanted, &end, 10);

	if (*end != '=' || end >= wanted + length)
		return false;
	unsigned long value = strtoul(end + 1, NULL, base);
	for (const char *v = values; *v && *v != '\n'; v += strcspn(v, ";\n"), v += *v == ';') {
		if (strtoul(v, &end, 10) == id && *end == '=')
			return strtoul(end + 1, NULL, base) == value;
	}
	return false;
}

/* One line, "L3:0=f;1=ff"; those of the file are indented. */
static bool has_line(const char *schemata, const char *line, size_t length)
{
	size_t name = strcspn(line, ":"), n = 0;
	int base = str_starts(line, "MB") || str_starts(line, "SMBA") ? 10 : 16;

	for_each_line (schemata, have, n) {
		const char *at = have + strspn(have, " \t");
		if (name >= length || strncmp(at, line, name + 1) != 0)
			continue;
		for (const char *v = line + name + 1; v < line + length; v += strcspn(v, ";\n") + 1)
			if (!has_value(at + name + 1, v, strcspn(v, ";\n"), base))
				return false;
		return true;
	}
	return false;
}

bool rdt_matches(const char *schemata, const char *lines)
{
	size_t n = 0;

	for_each_line (lines, line, n)
		if (!has_line(schemata, line, n))
			return false;
	return true;
}

/* ---- the files ---- */

/* The kernel says there what it has disliked. */
static int kernel_error(const struct rdt_request *request, int r, const char *what, struct err *err)
{
	char path[PATH_MAX], status[256];

	snprintf(path, sizeof(path), "%s/info/last_cmd_status", request->mount);
	if (fd_read_file(AT_FDCWD, path, status, sizeof(status)) <= 0)
		status[0] = '\0';
	status[strcspn(status, "\n")] = '\0';
	bool has_words = status[0] && !str_eq(status, "ok");
	return err_sys(err, r, "cannot %s %s%s%s", what, request->group, has_words ? ": " : "",
		has_words ? status : "");
}

/* Opened as it stands: a file that is not there is not made, in a directory that is no group. */
static int write_group(const char *group, const char *file, const char *text)
{
	char path[PATH_MAX];

	int n = snprintf(path, sizeof(path), "%s/%s", group, file);
	if (n < 0 || (size_t)n >= sizeof(path))
		return -ENAMETOOLONG;
	fd_auto int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	return fd < 0 ? -errno : fd_write(fd, text, strlen(text));
}

static int read_schemata(const struct rdt_request *request, char *text, size_t size, struct err *err)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/schemata", request->group);
	ssize_t n = fd_read_file(AT_FDCWD, path, text, size);
	return n < 0 ? err_sys(err, (int)n, "cannot read %s", path) : 0;
}

static int set_new(const struct rdt_request *request, struct err *err)
{
	char text[SCHEMATA_BYTES];
	struct str_buf b;

	str_buf_init(&b, text, sizeof(text));
	str_buf_add(&b, "%s%s", request->allocation, request->schemata);
	if (b.cut)
		return err_set(err, E2BIG, "the schemata are too long");
	int r = text[0] ? write_group(request->group, "schemata", text) : 0;
	return r < 0 ? kernel_error(request, r, "write the schemata of", err) : 0;
}

static int set_existing(const struct rdt_request *request, struct err *err)
{
	char text[SCHEMATA_BYTES];

	int r = *request->allocation ? read_schemata(request, text, sizeof(text), err) : 0;
	if (r < 0)
		return r;
	if (*request->allocation && !rdt_matches(text, request->allocation)) {
		err_set(err, EEXIST, "the group %s is there and shares caches and bandwidth otherwise",
			request->group);
		return err_hint(
			err, "its file schemata shows how; ask for the same, or choose another closID");
	}
	r = *request->schemata ? write_group(request->group, "schemata", request->schemata) : 0;
	return r < 0 ? kernel_error(request, r, "write the schemata of", err) : 0;
}

static int make_group(const struct rdt_request *request, bool *made, struct err *err)
{
	bool may_make = !request->named || *request->allocation || *request->schemata;
	struct stat st;

	*made = may_make && mkdir(request->group, 0755) == 0;
	if (*made)
		return set_new(request, err);
	if (may_make && errno != EEXIST)
		return kernel_error(request, errno, "make the group", err);
	if (!request->named) {
		err_set(err, EEXIST, "cannot make the group %s: it exists", request->group);
		return err_hint(err, "remove it (rmdir) if it is a remainder, or name it as closID");
	}
	if (stat(request->group, &st) < 0) {
		err_sys(err, errno, "there is no group %s", request->group);
		return err_hint(err, "make it, or say in schemata what it shall be");
	}
	return set_existing(request, err);
}

static int add_process(const struct rdt_request *request, pid_t pid, struct err *err)
{
	char text[16];

	snprintf(text, sizeof(text), "%d\n", (int)pid);
	int r = write_group(request->group, "tasks", text);
	if (r == 0 && request->monitor)
		r = write_group(request->monitor, "tasks", text);
	return r < 0 ? kernel_error(request, r, "put a process into", err) : 0;
}

int rdt_enter(const struct rdt_request *request, pid_t pid, bool *made, struct err *err)
{
	bool monitored = false;

	int r = make_group(request, made, err);
	if (r == 0 && request->monitor) {
		monitored = mkdir(request->monitor, 0755) == 0;
		if (!monitored)
			r = kernel_error(request, errno, "make a monitoring group in", err);
	}
	if (r == 0)
		r = add_process(request, pid, err);
	if (r < 0 && monitored)
		rmdir(request->monitor);
	if (r < 0 && *made) {
		rmdir(request->group);
		*made = false;
	}
	return r;
}

int rdt_join(const struct rdt_request *request, pid_t pid, struct err *err)
{
	return add_process(request, pid, err);
}

int rdt_change(struct arena *arena, const struct rdt_request *request, const char *lines, const char **before,
	struct err *err)
{
	char text[SCHEMATA_BYTES];

	int r = read_schemata(request, text, sizeof(text), err);
	if (r < 0)
		return r;
	*before = arena_strdup(arena, text);
	r = write_group(request->group, "schemata", lines);
	return r < 0 ? kernel_error(request, r, "write the schemata of", err) : 0;
}

/* Processes of a group that is removed go to the root group, unnoticed: others may have joined it. */
int rdt_remove(const char *group)
{
	char path[PATH_MAX], text[16];

	snprintf(path, sizeof(path), "%s/tasks", group);
	fd_auto int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && fd_read(fd, text, sizeof(text)) > 0)
		return -EBUSY;
	return rmdir(group) < 0 && errno != ENOENT ? -errno : 0;
}

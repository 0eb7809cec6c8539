/*
 * stats.c - see stats.h.
 *
 * One table says which key of which file goes into which member, and in what unit the kernel counts; rows of
 * one file stand together, so that it is read once. Files with a shape of their own (io.stat, *.pressure,
 * hugetlb.*) follow. A file that is missing or that this kernel fills differently is passed over: numbers for
 * looking at are no reason to fail.
 */
#include "libcontainer/cgroup/stats.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "libcontainer/cgroup/cgroup.h"

#define FILE_BYTES 65536

struct row {
	const char *file;
	const char *key; /* NULL: the file is one number */
	size_t offset;   /* of the member */
	uint64_t unit;   /* what the kernel's number is multiplied by */
};

#define ROW(file, key, member, unit)                                                                         \
	{                                                                                                    \
		file, key, offsetof(struct cg_stats, member), unit                                           \
	}
static const struct row rows[] = {
	ROW("cpu.stat", "usage_usec", cpu_total, 1000),
	ROW("cpu.stat", "user_usec", cpu_user, 1000),
	ROW("cpu.stat", "system_usec", cpu_kernel, 1000),
	ROW("cpu.stat", "nr_periods", periods, 1),
	ROW("cpu.stat", "nr_throttled", throttled_periods, 1),
	ROW("cpu.stat", "throttled_usec", throttled_time, 1000),
	ROW("cpu.stat", "nr_bursts", bursts, 1),
	ROW("cpu.stat", "burst_usec", burst_time, 1000),
	ROW("memory.current", NULL, memory_usage, 1),
	ROW("memory.max", NULL, memory_limit, 1),
	ROW("memory.peak", NULL, memory_peak, 1),
	ROW("memory.events", "max", memory_failures, 1),
	ROW("memory.events", "oom_kill", oom_kills, 1),
	ROW("memory.stat", "file", memory_cache, 1),
	ROW("memory.stat", "kernel", memory_kernel, 1),
	ROW("memory.swap.current", NULL, swap_usage, 1),
	ROW("memory.swap.max", NULL, swap_limit, 1),
	ROW("memory.swap.peak", NULL, swap_peak, 1),
	ROW("memory.swap.events", "fail", swap_failures, 1),
	ROW("pids.current", NULL, pids, 1),
	ROW("pids.max", NULL, pids_limit, 1),
};

struct reader {
	struct arena *arena;
	int cgroup_fd;
	char text[FILE_BYTES]; /* of the file that was read last */
};

/* Returns false, and leaves an empty text, when there is no such file. */
static bool read_text(struct reader *r, const char *file)
{
	if (fd_read_file(r->cgroup_fd, file, r->text, sizeof(r->text)) >= 0)
		return true;
	r->text[0] = '\0';
	return false;
}

static const char *next_line(const char *at)
{
	at += strcspn(at, "\n");
	return at + (*at == '\n');
}

/* A number that ends with white space or the text; "max" is the largest one. */
static bool parse_number(const char *text, uint64_t *value)
{
	char digits[24];
	size_t length = strcspn(text, " \n");

	if (length >= sizeof(digits))
		return false;
	memcpy(digits, text, length);
	digits[length] = '\0';
	if (!str_eq(digits, "max"))
		return str_to_u64(digits, value) == 0;
	*value = UINT64_MAX;
	return true;
}

bool cg_stats_find(const char *text, const char *key, uint64_t *value)
{
	size_t length = strlen(key);

	for (; *text; text = next_line(text))
		if (strncmp(text, key, length) == 0 && text[length] == ' ')
			return parse_number(text + length + 1, value);
	return false;
}

static void read_rows(struct reader *r, struct cg_stats *stats)
{
	const char *file = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t value;
		if (!str_eq(file, rows[i].file))
			read_text(r, rows[i].file);
		file = rows[i].file;
		bool found = rows[i].key ? cg_stats_find(r->text, rows[i].key, &value)
					 : parse_number(r->text, &value);
		if (found)
			*(uint64_t *)((char *)stats + rows[i].offset) = value == UINT64_MAX
										? value
										: value * rows[i].unit;
	}
}

/* Without the pids controller nobody counts the tasks, but the processes can be counted. */
static void count_processes(struct reader *r, struct cg_stats *stats)
{
	struct err ignored;
	pid_t *pids = NULL;
	size_t count = 0;

	if (!stats->pids && cg_pids(r->cgroup_fd, r->arena, &pids, &count, &ignored) == 0)
		stats->pids = count;
}

static size_t count_lines(const char *text)
{
	size_t n = 0;

	for (; *text; text = next_line(text))
		n++;
	return n;
}

static void read_memory_raw(struct reader *r, struct cg_stats *stats)
{
	if (!read_text(r, "memory.stat"))
		return;
	stats->memory_raw = arena_array(r->arena, struct cg_named, count_lines(r->text) + 1);
	for (const char *at = r->text; *at; at = next_line(at)) {
		struct cg_named *n = &stats->memory_raw[stats->memory_raw_count];
		size_t length = strcspn(at, " \n");
		if (at[length] != ' ' || !parse_number(at + length + 1, &n->value))
			continue;
		n->name = arena_memdup(r->arena, at, length);
		stats->memory_raw_count++;
	}
}

/* ---- io.stat: "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6 ..." ---- */

static const struct {
	const char *key;
	size_t offset;
} io_keys[] = {
	{"rbytes=", offsetof(struct cg_io_device, read_bytes)},
	{"wbytes=", offsetof(struct cg_io_device, write_bytes)},
	{"dbytes=", offsetof(struct cg_io_device, discard_bytes)},
	{"rios=", offsetof(struct cg_io_device, reads)},
	{"wios=", offsetof(struct cg_io_device, writes)},
	{"dios=", offsetof(struct cg_io_device, discards)},
};

static bool parse_io_line(const char *line, struct cg_io_device *device)
{
	unsigned long long major, minor;
	int taken = 0;

	*device = (struct cg_io_device){0};
	if (sscanf(line, "%llu:%llu%n", &major, &minor, &taken) < 2)
		return false;
	device->major = major;
	device->minor = minor;
	for (line += taken; *line == ' '; line += strcspn(line, " \n")) {
		line++;
		for (size_t i = 0; i < ARRAY_SIZE(io_keys); i++)
			if (str_starts(line, io_keys[i].key))
				parse_number(line + strlen(io_keys[i].key),
					(uint64_t *)((char *)device + io_keys[i].offset));
	}
	return true;
}

static void read_io(struct reader *r, struct cg_stats *stats)
{
	if (!read_text(r, "io.stat"))
		return;
	stats->io = arena_array(r->arena, struct cg_io_device, count_lines(r->text) + 1);
	for (const char *at = r->text; *at; at = next_line(at))
		stats->io_count += parse_io_line(at, &stats->io[stats->io_count]);
}

/* ---- "some avg10=0.00 avg60=0.00 avg300=0.00 total=0" and the same with "full" ---- */

static bool parse_pressure_line(const char *text, const char *word, struct cg_pressure_line *to)
{
	unsigned a[3], b[3];
	unsigned long long total;

	for (; *text; text = next_line(text)) {
		if (!str_starts(text, word) ||
			sscanf(text + strlen(word), " avg10=%u.%2u avg60=%u.%2u avg300=%u.%2u total=%llu",
				&a[0], &b[0], &a[1], &b[1], &a[2], &b[2], &total) != 7)
			continue;
		*to = (struct cg_pressure_line){
			a[0] * 100 + b[0], a[1] * 100 + b[1], a[2] * 100 + b[2], total};
		return true;
	}
	return false;
}

static void read_pressure(struct reader *r, const char *file, struct cg_pressure *p)
{
	read_text(r, file);
	p->known = parse_pressure_line(r->text, "some", &p->some);
	parse_pressure_line(r->text, "full", &p->full);
}

/* ---- hugetlb.SIZE.* ---- */

static void read_hugetlb_size(struct reader *r, const char *size, struct cg_hugetlb *h)
{
	char name[NAME_MAX + 1];

	h->page_size = size;
	snprintf(name, sizeof(name), "hugetlb.%.32s.current", size);
	if (read_text(r, name))
		parse_number(r->text, &h->usage);
	snprintf(name, sizeof(name), "hugetlb.%.32s.max", size);
	if (read_text(r, name))
		parse_number(r->text, &h->limit);
	snprintf(name, sizeof(name), "hugetlb.%.32s.events", size);
	if (read_text(r, name))
		cg_stats_find(r->text, "max", &h->failures);
}

#define PAGE_SIZES_MAX 16 /* no architecture has more */

/* "hugetlb.2MB.current", but not "hugetlb.2MB.rsvd.current" */
static const char *page_size_of(struct arena *arena, const char *name)
{
	if (!str_starts(name, "hugetlb."))
		return NULL;
	const char *size = name + strlen("hugetlb.");
	size_t length = strcspn(size, ".");
	return str_eq(size + length, ".current") ? arena_memdup(arena, size, length) : NULL;
}

static void read_hugetlb(struct reader *r, struct cg_stats *stats)
{
	fd_auto int fd = openat(r->cgroup_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (!dir)
		return;
	fd_take(&fd);
	stats->hugetlb = arena_array(r->arena, struct cg_hugetlb, PAGE_SIZES_MAX);
	while ((entry = readdir(dir)) && stats->hugetlb_count < PAGE_SIZES_MAX) {
		const char *size = page_size_of(r->arena, entry->d_name);
		if (size)
			read_hugetlb_size(r, size, &stats->hugetlb[stats->hugetlb_count++]);
	}
	closedir(dir);
}

int cg_stats_read(struct arena *arena, int cgroup_fd, struct cg_stats *stats, struct err *err)
{
	struct reader *r = arena_new(arena, struct reader);

	*stats = (struct cg_stats){0};
	if (faccessat(cgroup_fd, "cgroup.procs", F_OK, 0) < 0)
		return err_set(err, ENODEV, "the cgroup is gone");
	r->arena = arena;
	r->cgroup_fd = cgroup_fd;
	read_rows(r, stats);
	count_processes(r, stats);
	read_memory_raw(r, stats);
	read_io(r, stats);
	read_hugetlb(r, stats);
	read_pressure(r, "cpu.pressure", &stats->cpu_pressure);
	read_pressure(r, "memory.pressure", &stats->memory_pressure);
	read_pressure(r, "io.pressure", &stats->io_pressure);
	return 0;
}

int cg_oom_kills(int events_fd, uint64_t *count)
{
	char text[256];

	ssize_t n = pread(events_fd, text, sizeof(text) - 1, 0);
	if (n < 0)
		return -errno;
	text[n] = '\0';
	return cg_stats_find(text, "oom_kill", count) ? 0 : -ENODATA;
}

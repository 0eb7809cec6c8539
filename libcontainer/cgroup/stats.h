/*
 * stats.h - what the files of a cgroup say about use and pressure.
 *
 * Times are nanoseconds, sizes bytes. What the kernel does not say (a controller that is not there) is 0; a
 * limit that is "max" is UINT64_MAX.
 */
#ifndef CGROUP_STATS_H
#define CGROUP_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

struct cg_pressure_line {
	uint32_t avg10, avg60, avg300; /* hundredths of a percent */
	uint64_t total;                /* microseconds, as the kernel counts it */
};

struct cg_pressure {
	bool known;
	struct cg_pressure_line some, full;
};

struct cg_named { /* a line of a flat file */
	const char *name;
	uint64_t value;
};

struct cg_io_device {
	uint64_t major, minor;
	uint64_t read_bytes, write_bytes, discard_bytes;
	uint64_t reads, writes, discards;
};

struct cg_hugetlb {
	const char *page_size; /* "2MB" */
	uint64_t usage, limit, failures;
};

struct cg_stats {
	uint64_t cpu_total, cpu_user, cpu_kernel;
	uint64_t periods, throttled_periods, throttled_time, bursts, burst_time;
	uint64_t memory_usage, memory_limit, memory_peak,
		memory_failures; /* failures: how often the limit was hit */
	uint64_t swap_usage, swap_limit, swap_peak, swap_failures;
	uint64_t memory_cache, memory_kernel;
	struct cg_named *memory_raw; /* memory.stat */
	size_t memory_raw_count;
	uint64_t oom_kills;
	uint64_t pids, pids_limit;
	struct cg_io_device *io;
	size_t io_count;
	struct cg_hugetlb *hugetlb;
	size_t hugetlb_count;
	struct cg_pressure cpu_pressure, memory_pressure, io_pressure;
};

/* Read them all. Returns 0, or -ENODEV when the cgroup is gone. */
int cg_stats_read(struct arena *arena, int cgroup_fd, struct cg_stats *stats, struct err *err);

/* The value of the line "key value" in a flat file's text. Returns false when there is none. */
bool cg_stats_find(const char *text, const char *key, uint64_t *value);

/*
 * How many processes of the cgroup and below were killed for want of memory. `events_fd` is of its
 * memory.events; POLLPRI on it, once it was read here, says that it is time to ask again. Returns 0 or
 * -errno.
 */
int cg_oom_kills(int events_fd, uint64_t *count);

#endif

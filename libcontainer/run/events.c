/*
 * events.c - see events.h.
 *
 * Whether the container has ended is asked of its pidfd, and whether it ran out of memory of memory.events,
 * which polls; no process, socket or thread of ours stays with it. When it ends, memory.events is read once
 * more: the kill that ended it is told before the stream closes, not after.
 *
 * Names and units are runc's, whose readers take a member that is left out for 0. Its data has cgroup v1 for
 * a model: "swap" counts memory and swap together.
 */
#include "libcontainer/run/events.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>

#include "base/fd.h"
#include "base/str.h"
#include "base/sys.h"
#include "libcontainer/cgroup/stats.h"
#include "libcontainer/run/live.h"
#include "specs/writer.h"

/* ---- the data of a stats event ---- */

static void begin(struct json_writer *w, const char *key)
{
	json_write_key(w, key);
	json_write_object(w);
}

static void write_unless_zero(struct json_writer *w, const char *key, uint64_t value)
{
	if (value)
		json_write_member_u64(w, key, value);
}

static void write_percent(struct json_writer *w, const char *key, uint32_t hundredths)
{
	char text[24];

	snprintf(text, sizeof(text), "%u.%02u", hundredths / 100, hundredths % 100);
	json_write_key(w, key);
	json_write_number(w, text);
}

static void write_pressure_line(struct json_writer *w, const char *key, const struct cg_pressure_line *line)
{
	begin(w, key);
	write_percent(w, "avg10", line->avg10);
	write_percent(w, "avg60", line->avg60);
	write_percent(w, "avg300", line->avg300);
	json_write_member_u64(w, "total", line->total);
	json_write_object_end(w);
}

static void write_pressure(struct json_writer *w, const struct cg_pressure *pressure)
{
	if (!pressure->known)
		return;
	begin(w, "psi");
	write_pressure_line(w, "some", &pressure->some);
	write_pressure_line(w, "full", &pressure->full);
	json_write_object_end(w);
}

static void write_cpu(struct json_writer *w, const struct cg_stats *s)
{
	begin(w, "cpu");
	begin(w, "usage");
	write_unless_zero(w, "total", s->cpu_total);
	json_write_member_u64(w, "kernel", s->cpu_kernel);
	json_write_member_u64(w, "user", s->cpu_user);
	json_write_object_end(w);
	begin(w, "throttling");
	write_unless_zero(w, "periods", s->periods);
	write_unless_zero(w, "throttledPeriods", s->throttled_periods);
	write_unless_zero(w, "throttledTime", s->throttled_time);
	json_write_object_end(w);
	if (s->bursts) {
		begin(w, "burst");
		json_write_member_u64(w, "burstsPeriods", s->bursts);
		json_write_member_u64(w, "burstTime", s->burst_time);
		json_write_object_end(w);
	}
	write_pressure(w, &s->cpu_pressure);
	json_write_object_end(w);
}

/* What cgroup v1 knew of a cpuset: all 0, but there, as runc's readers are used to. */
static void write_cpuset(struct json_writer *w)
{
	static const char *const members[] = {"cpu_exclusive", "mem_hardwall", "mem_exclusive",
		"memory_migrate", "memory_spread_page", "memory_spread_slab", "memory_pressure",
		"sched_load_balance", "sched_relax_domain_level"};

	begin(w, "cpuset");
	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		json_write_member_u64(w, members[i], 0);
	json_write_object_end(w);
}

static void write_memory_entry(struct json_writer *w, const char *key, uint64_t limit, uint64_t usage,
	uint64_t max, uint64_t failures)
{
	begin(w, key);
	json_write_member_u64(w, "limit", limit);
	write_unless_zero(w, "usage", usage);
	write_unless_zero(w, "max", max);
	json_write_member_u64(w, "failcnt", failures);
	json_write_object_end(w);
}

static uint64_t sum(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static void write_memory(struct json_writer *w, const struct cg_stats *s)
{
	begin(w, "memory");
	write_unless_zero(w, "cache", s->memory_cache);
	write_memory_entry(w, "usage", s->memory_limit, s->memory_usage, s->memory_peak, s->memory_failures);
	write_memory_entry(w, "swap", sum(s->swap_limit, s->memory_limit),
		sum(s->swap_usage, s->memory_usage), 0, s->swap_failures);
	write_memory_entry(w, "kernel", 0, s->memory_kernel, 0, 0);
	write_memory_entry(w, "kernelTCP", 0, 0, 0, 0);
	if (s->memory_raw_count) {
		begin(w, "raw");
		for (size_t i = 0; i < s->memory_raw_count; i++)
			json_write_member_u64(w, s->memory_raw[i].name, s->memory_raw[i].value);
		json_write_object_end(w);
	}
	write_pressure(w, &s->memory_pressure);
	json_write_object_end(w);
}

static void write_pids(struct json_writer *w, const struct cg_stats *s)
{
	begin(w, "pids");
	write_unless_zero(w, "current", s->pids);
	write_unless_zero(w, "limit", s->pids_limit == UINT64_MAX ? 0 : s->pids_limit);
	json_write_object_end(w);
}

static void write_io_entry(
	struct json_writer *w, const struct cg_io_device *d, const char *op, uint64_t value)
{
	json_write_object(w);
	write_unless_zero(w, "major", d->major);
	write_unless_zero(w, "minor", d->minor);
	json_write_member(w, "op", op);
	write_unless_zero(w, "value", value);
	json_write_object_end(w);
}

static void write_io(struct json_writer *w, const struct cg_stats *s)
{
	begin(w, "blkio");
	if (s->io_count) {
		json_write_key(w, "ioServiceBytesRecursive");
		json_write_array(w);
		for (size_t i = 0; i < s->io_count; i++) {
			write_io_entry(w, &s->io[i], "Read", s->io[i].read_bytes);
			write_io_entry(w, &s->io[i], "Write", s->io[i].write_bytes);
			write_io_entry(w, &s->io[i], "Discard", s->io[i].discard_bytes);
		}
		json_write_array_end(w);
		json_write_key(w, "ioServicedRecursive");
		json_write_array(w);
		for (size_t i = 0; i < s->io_count; i++) {
			write_io_entry(w, &s->io[i], "Read", s->io[i].reads);
			write_io_entry(w, &s->io[i], "Write", s->io[i].writes);
			write_io_entry(w, &s->io[i], "Discard", s->io[i].discards);
		}
		json_write_array_end(w);
	}
	write_pressure(w, &s->io_pressure);
	json_write_object_end(w);
}

static void write_hugetlb(struct json_writer *w, const struct cg_stats *s)
{
	begin(w, "hugetlb");
	for (size_t i = 0; i < s->hugetlb_count; i++) {
		begin(w, s->hugetlb[i].page_size);
		write_unless_zero(w, "usage", s->hugetlb[i].usage);
		json_write_member_u64(w, "failcnt", s->hugetlb[i].failures);
		json_write_object_end(w);
	}
	json_write_object_end(w);
}

static void write_stats(struct json_writer *w, const struct cg_stats *s)
{
	begin(w, "data");
	write_cpu(w, s);
	write_cpuset(w);
	write_memory(w, s);
	write_pids(w, s);
	write_io(w, s);
	write_hugetlb(w, s);
	begin(w, "intel_rdt");
	json_write_object_end(w);
	json_write_key(w, "network_interfaces");
	json_write_null(w);
	json_write_object_end(w);
}

static const char *event_text(
	struct arena *arena, const char *type, const char *id, const struct cg_stats *stats)
{
	struct json_writer w;

	json_writer_init(&w, arena, false);
	json_write_object(&w);
	json_write_member(&w, "type", type);
	json_write_member(&w, "id", id);
	if (stats)
		write_stats(&w, stats);
	json_write_object_end(&w);
	return arena_printf(arena, "%s\n", json_writer_text(&w, NULL));
}

static int stats_text(struct arena *arena, const struct run_live *live, const char **line, struct err *err)
{
	struct cg_stats stats;

	int r = cg_stats_read(arena, live->cgroup_fd, &stats, err);
	if (r == 0)
		*line = event_text(arena, "stats", live->state->id, &stats);
	return r;
}

int run_stats_text(struct arena *arena, const char *root, const char *id, const char **line, struct err *err)
{
	struct run_live live;

	int r = run_live_open(arena, root, id, STATE_LOOK, &live, err);
	if (r < 0)
		return r;
	r = stats_text(arena, &live, line, err);
	if (r < 0)
		err_prefix(err, "container \"%s\"", id);
	run_live_close(&live);
	return r;
}

/* ---- the stream ---- */

struct stream {
	struct run_live live;
	int pidfd;
	int memory_events; /* -1: there are none */
	uint64_t oom_kills;
	crt_event_fn *event;
	void *data;
};

/* An arena for each: the stream has no end that is known. */
static int send_stats(struct stream *s, struct err *err)
{
	arena_auto struct arena arena = {0};
	const char *line;

	int r = arena_init(&arena, err);
	if (r == 0)
		r = stats_text(&arena, &s->live, &line, err);
	if (r == -ENODEV)
		return 0; /* it has just ended, as the pidfd will say */
	return r < 0 ? r : s->event(s->data, line);
}

static int send_oom(struct stream *s, struct err *err)
{
	arena_auto struct arena arena = {0};
	uint64_t kills = 0;

	if (s->memory_events < 0 || cg_oom_kills(s->memory_events, &kills) < 0) {
		fd_close(&s->memory_events);
		return 0;
	}
	if (kills <= s->oom_kills)
		return 0;
	s->oom_kills = kills;
	int r = arena_init(&arena, err);
	return r < 0 ? r : s->event(s->data, event_text(&arena, "oom", s->live.state->id, NULL));
}

static int follow(struct stream *s, unsigned interval_ms, struct err *err)
{
	int64_t next = sys_now_ms();

	for (;;) {
		int64_t left = next - sys_now_ms();
		if (left <= 0) {
			int r = send_stats(s, err);
			if (r != 0)
				return r;
			next = sys_now_ms() + interval_ms;
			left = interval_ms;
		}
		struct pollfd fds[] = {
			{.fd = s->pidfd, .events = POLLIN}, {.fd = s->memory_events, .events = POLLPRI}};
		if (poll(fds, ARRAY_SIZE(fds), (int)left) <= 0)
			continue;
		int r = send_oom(s, err);
		if (r != 0 || fds[0].revents)
			return r;
	}
}

int run_events(const char *root, const char *id, unsigned interval_ms, crt_event_fn *event, void *data,
	struct err *err)
{
	arena_auto struct arena arena = {0};
	struct stream s = {.event = event, .data = data};

	if (interval_ms == 0)
		return err_set(err, EINVAL, "the interval of events must be above 0");
	int r = arena_init(&arena, err);
	if (r == 0)
		r = run_live_open(&arena, root, id, STATE_LOOK, &s.live, err);
	if (r < 0)
		return r;
	s.pidfd = state_pidfd(s.live.state);
	s.memory_events = openat(s.live.cgroup_fd, "memory.events", O_RDONLY | O_CLOEXEC);
	if (s.memory_events >= 0 && cg_oom_kills(s.memory_events, &s.oom_kills) < 0)
		fd_close(&s.memory_events);
	r = s.pidfd < 0 ? err_set(err, ESRCH, "container not running: \"%s\" has just ended", id)
			: follow(&s, interval_ms, err);
	fd_close(&s.memory_events);
	fd_close(&s.pidfd);
	run_live_close(&s.live);
	return r;
}

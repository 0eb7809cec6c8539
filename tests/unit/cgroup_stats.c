/*
 * The statistics of a cgroup whose files are plain ones.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "libcontainer/cgroup/stats.h"

static struct arena arena;
static struct err err;
static struct cg_stats s;
static char dir[] = "/tmp/crt-unit-XXXXXX";
static int fd;

static void make(const char *file, const char *text)
{
	cr_assert_eq(fd_replace_file(fd, file, text, strlen(text), 0600), 0);
}

static void setup(void)
{
	cr_assert_eq(arena_init(&arena, NULL), 0);
	cr_assert(mkdtemp(dir));
	fd = open(dir, O_RDONLY | O_DIRECTORY);
	make("cgroup.procs", "");
}

static void teardown(void)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -r %s", dir);
	cr_assert_eq(system(command), 0);
	close(fd);
	arena_free(&arena);
}

TestSuite(cgroup_stats, .init = setup, .fini = teardown);

static void read_stats(void)
{
	cr_assert_eq(cg_stats_read(&arena, fd, &s, &err), 0, "%s", err.message);
}

Test(cgroup_stats, nothing_known_is_zero)
{
	static const struct cg_stats zero;

	read_stats();
	s.hugetlb = NULL;
	cr_assert_eq(memcmp(&s, &zero, sizeof(s)), 0);
}

Test(cgroup_stats, gone)
{
	cr_assert_eq(unlinkat(fd, "cgroup.procs", 0), 0);
	cr_assert_eq(cg_stats_read(&arena, fd, &s, &err), -ENODEV);
}

Test(cgroup_stats, cpu_in_nanoseconds)
{
	make("cpu.stat", "usage_usec 1500\nuser_usec 1000\nsystem_usec 500\nnr_periods 7\nnr_throttled 3\n"
			 "throttled_usec 42\nnr_bursts 2\nburst_usec 9\n");
	read_stats();
	cr_assert_eq(s.cpu_total, 1500000);
	cr_assert_eq(s.cpu_user, 1000000);
	cr_assert_eq(s.cpu_kernel, 500000);
	cr_assert_eq(s.periods, 7);
	cr_assert_eq(s.throttled_periods, 3);
	cr_assert_eq(s.throttled_time, 42000);
	cr_assert_eq(s.bursts, 2);
	cr_assert_eq(s.burst_time, 9000);
}

Test(cgroup_stats, memory)
{
	make("memory.current", "4096\n");
	make("memory.max", "max\n");
	make("memory.peak", "8192\n");
	make("memory.events", "low 0\nhigh 0\nmax 5\noom 1\noom_kill 2\noom_group_kill 0\n");
	make("memory.stat", "anon 10\nfile 20\nkernel 30\nfile_mapped 40\n");
	make("memory.swap.current", "1\n");
	make("memory.swap.max", "1000\n");
	make("memory.swap.events", "high 0\nmax 0\nfail 6\n");
	read_stats();
	cr_assert_eq(s.memory_usage, 4096);
	cr_assert_eq(s.memory_limit, UINT64_MAX);
	cr_assert_eq(s.memory_peak, 8192);
	cr_assert_eq(s.memory_failures, 5);
	cr_assert_eq(s.oom_kills, 2);
	cr_assert_eq(s.memory_cache, 20, "not file_mapped");
	cr_assert_eq(s.memory_kernel, 30);
	cr_assert_eq(s.swap_usage, 1);
	cr_assert_eq(s.swap_limit, 1000);
	cr_assert_eq(s.swap_failures, 6);
	cr_assert_eq(s.memory_raw_count, 4);
	cr_assert_str_eq(s.memory_raw[3].name, "file_mapped");
	cr_assert_eq(s.memory_raw[3].value, 40);
}

Test(cgroup_stats, io_with_lines_of_every_kind)
{
	make("io.stat", "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6\n7:1 \n"
			"253:3 rbytes=18446744073709551615 cost.usage=9\n");
	read_stats();
	cr_assert_eq(s.io_count, 3);
	cr_assert_eq(s.io[0].major, 8);
	cr_assert_eq(s.io[0].minor, 0);
	cr_assert_eq(s.io[0].read_bytes, 1);
	cr_assert_eq(s.io[0].write_bytes, 2);
	cr_assert_eq(s.io[0].reads, 3);
	cr_assert_eq(s.io[0].writes, 4);
	cr_assert_eq(s.io[0].discard_bytes, 5);
	cr_assert_eq(s.io[0].discards, 6);
	cr_assert_eq(s.io[1].major, 7);
	cr_assert_eq(s.io[1].read_bytes, 0);
	cr_assert_eq(s.io[2].read_bytes, UINT64_MAX);
	cr_assert_eq(s.io[2].writes, 0);
}

Test(cgroup_stats, pressure)
{
	make("cpu.pressure", "some avg10=1.05 avg60=20.00 avg300=99.99 total=1234567890123\n");
	make("memory.pressure", "some avg10=0.00 avg60=0.00 avg300=0.00 total=1\n"
				"full avg10=0.10 avg60=0.00 avg300=0.00 total=2\n");
	make("io.pressure", "nonsense\n");
	read_stats();
	cr_assert(s.cpu_pressure.known && s.memory_pressure.known && !s.io_pressure.known);
	cr_assert_eq(s.cpu_pressure.some.avg10, 105);
	cr_assert_eq(s.cpu_pressure.some.avg60, 2000);
	cr_assert_eq(s.cpu_pressure.some.avg300, 9999);
	cr_assert_eq(s.cpu_pressure.some.total, 1234567890123);
	cr_assert_eq(s.cpu_pressure.full.total, 0);
	cr_assert_eq(s.memory_pressure.full.avg10, 10);
	cr_assert_eq(s.memory_pressure.full.total, 2);
}

Test(cgroup_stats, hugetlb)
{
	make("hugetlb.2MB.current", "2097152\n");
	make("hugetlb.2MB.max", "max\n");
	make("hugetlb.2MB.events", "max 3\n");
	make("hugetlb.2MB.rsvd.current", "9\n");
	read_stats();
	cr_assert_eq(s.hugetlb_count, 1);
	cr_assert_str_eq(s.hugetlb[0].page_size, "2MB");
	cr_assert_eq(s.hugetlb[0].usage, 2097152);
	cr_assert_eq(s.hugetlb[0].limit, UINT64_MAX);
	cr_assert_eq(s.hugetlb[0].failures, 3);
}

Test(cgroup_stats, pids)
{
	make("pids.current", "12\n");
	make("pids.max", "100\n");
	read_stats();
	cr_assert_eq(s.pids, 12);
	cr_assert_eq(s.pids_limit, 100);
}

Test(cgroup_stats, find)
{
	uint64_t value = 0;

	cr_assert(cg_stats_find("a 1\nab 2\n", "ab", &value));
	cr_assert_eq(value, 2);
	cr_assert(cg_stats_find("oom_kill 7", "oom_kill", &value));
	cr_assert_eq(value, 7);
	cr_assert_not(cg_stats_find("oom_kill_all 7\n", "oom_kill", &value));
	cr_assert_not(cg_stats_find("a x\n", "a", &value));
	cr_assert_not(cg_stats_find("", "a", &value));
}

Test(cgroup_stats, oom_kills)
{
	uint64_t kills = 0;

	make("memory.events", "oom 4\noom_kill 3\n");
	fd_auto int events = openat(fd, "memory.events", O_RDONLY);
	for (int i = 0; i < 2; i++) /* from the start, each time */
		cr_assert_eq(cg_oom_kills(events, &kills), 0);
	cr_assert_eq(kills, 3);
}

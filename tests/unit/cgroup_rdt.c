/*
 * Groups of resctrl, in a folder that looks like one: few machines have the processor for it.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "libcontainer/cgroup/rdt.h"
#include "specs/linux.h"

static struct arena arena;
static struct err err;
static char mount[64];

static void setup(void)
{
	cr_assert_eq(arena_init(&arena, NULL), 0);
	snprintf(mount, sizeof(mount), "/tmp/crt-unit-rdt-XXXXXX");
	cr_assert(mkdtemp(mount));
}

static void teardown(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -r %s", mount);
	cr_assert_eq(system(command), 0);
	arena_free(&arena);
}

TestSuite(cgroup_rdt, .init = setup, .fini = teardown, .timeout = 30);

static const char *in(const char *name)
{
	return arena_printf(&arena, "%s/%s", mount, name);
}

static void put(const char *name, const char *text)
{
	fd_auto int fd = open(in(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	cr_assert(fd >= 0 && fd_write(fd, text, strlen(text)) == 0);
}

static const char *get(const char *name)
{
	static char text[256];

	cr_assert(fd_read_file(AT_FDCWD, in(name), text, sizeof(text)) >= 0, "%s", name);
	return text;
}

static void make_group(const char *name)
{
	cr_assert_eq(mkdir(in(name), 0700), 0);
	put(arena_printf(&arena, "%s/schemata", name), "    MB:0=100;1= 50\n    L3:0=00f;1=ff\n");
	put(arena_printf(&arena, "%s/tasks", name), "");
}

static struct rdt_request request_for(struct spec_intel_rdt rdt)
{
	struct rdt_request request;

	rdt_compile(&arena, &rdt, mount, "box", &request);
	return request;
}

Test(cgroup_rdt, allocation)
{
	static const struct {
		const char *l3_cache, *mem_bw, *lines;
	} cases[] = {
		{NULL, NULL, ""},
		{"L3:0=f", NULL, "L3:0=f\n"},
		{NULL, "MB:0=20", "MB:0=20\n"},
		{"L3:0=f", "MB:0=20", "L3:0=f\nMB:0=20\n"},
		{"L3:0=f\nMB:0=90\nL2:0=1\n", "MB:0=20", "L3:0=f\nL2:0=1\nMB:0=20\n"},
		{"L3:0=f\nMB:0=90", NULL, "L3:0=f\nMB:0=90\n"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		cr_expect_str_eq(
			rdt_allocation(&arena, cases[i].l3_cache, cases[i].mem_bw), cases[i].lines, "%zu", i);
}

Test(cgroup_rdt, compile)
{
	const char *lines[] = {"L2:0=1;1=3\n", "MB:0=10"};
	struct rdt_request own = request_for((struct spec_intel_rdt){.l3_cache_schema = "L3:0=f"});
	struct rdt_request gold = request_for((struct spec_intel_rdt){
		.clos_id = "gold", .schemata = lines, .schemata_count = 2, .enable_monitoring = true});
	struct rdt_request root = request_for(
		(struct spec_intel_rdt){.clos_id = "/", .enable_monitoring = true});

	cr_expect_str_eq(own.group, in("box"));
	cr_expect(!own.named && !own.monitor);
	cr_expect_str_eq(gold.group, in("gold"));
	cr_expect_str_eq(gold.monitor, in("gold/mon_groups/box"));
	cr_expect_str_eq(gold.allocation, "");
	cr_expect_str_eq(gold.schemata, "L2:0=1;1=3\nMB:0=10\n");
	cr_expect_str_eq(root.group, mount);
	cr_expect_str_eq(root.monitor, in("mon_groups/box"));
}

Test(cgroup_rdt, matches)
{
	static const char have[] = "    MB:0=100;1= 50\n    L3:0=00f;1=ff\n";
	static const struct {
		const char *lines;
		bool matches;
	} cases[] = {
		{"", true},
		{"L3:0=f\n", true},
		{"L3:1=0xff;0=F\n", true},
		{"L3:0=ff\n", false},
		{"L3:0=f;2=f\n", false},
		{"L2:0=f\n", false},
		{"MB:0=100;1=50\n", true},
		{"MB:1=5\n", false},
		{"MB:0=64\n", false}, /* which is 100 in another base */
		{"L3:0=f\nMB:1=51\n", false},
		{"L3:nonsense\n", false},
		{"nonsense\n", false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		cr_expect_eq(rdt_matches(have, cases[i].lines), cases[i].matches, "%s", cases[i].lines);
}

Test(cgroup_rdt, a_group_that_is_there)
{
	struct rdt_request assigned = request_for((struct spec_intel_rdt){.clos_id = "gold"});
	struct rdt_request same = request_for(
		(struct spec_intel_rdt){.clos_id = "gold", .l3_cache_schema = "L3:0=f"});
	struct rdt_request other = request_for(
		(struct spec_intel_rdt){.clos_id = "gold", .l3_cache_schema = "L3:0=1"});
	bool made = true;

	cr_expect_eq(rdt_enter(&assigned, 17, &made, &err), -ENOENT);
	cr_expect(strstr(err.message, "there is no group"), "%s", err.message);
	make_group("gold");
	cr_expect_eq(rdt_enter(&assigned, 17, &made, &err), 0);
	cr_expect_not(made);
	cr_expect_str_eq(get("gold/tasks"), "17\n");
	cr_expect_eq(rdt_enter(&same, 18, &made, &err), 0);
	cr_expect_str_eq(get("gold/tasks"), "18\n");
	cr_expect_str_eq(get("gold/schemata"), "    MB:0=100;1= 50\n    L3:0=00f;1=ff\n");
	cr_expect_eq(rdt_enter(&other, 19, &made, &err), -EEXIST);
	cr_expect(strstr(err.message, "shares caches and bandwidth otherwise"), "%s", err.message);
	cr_expect_str_eq(get("gold/tasks"), "18\n");
}

Test(cgroup_rdt, schemata_are_written_to_a_group_that_is_there)
{
	const char *lines[] = {"L3:0=3"};
	struct rdt_request request = request_for((struct spec_intel_rdt){
		.clos_id = "gold", .mem_bw_schema = "MB:1=50", .schemata = lines, .schemata_count = 1});
	bool made = true;

	make_group("gold");
	cr_expect_eq(rdt_enter(&request, 17, &made, &err), 0);
	cr_expect_str_eq(get("gold/schemata"), "L3:0=3\n");
}

/* A folder has no schemata by itself: what resctrl would take fails here, and is undone. */
Test(cgroup_rdt, a_new_group_that_fails_is_removed)
{
	struct rdt_request own = request_for((struct spec_intel_rdt){.l3_cache_schema = "L3:0=f"});
	bool made = true;

	cr_assert_eq(mkdir(in("info"), 0700), 0);
	put("info/last_cmd_status", "Mask f is not contiguous\n");
	cr_expect_eq(rdt_enter(&own, 17, &made, &err), -ENOENT);
	cr_expect_not(made);
	cr_expect(strstr(err.message, "Mask f is not contiguous"), "%s", err.message);
	cr_expect_neq(access(in("box"), F_OK), 0);
}

Test(cgroup_rdt, the_own_group_is_nobody_elses)
{
	struct rdt_request own = request_for((struct spec_intel_rdt){.l3_cache_schema = "L3:0=f"});
	bool made = true;

	make_group("box");
	cr_expect_eq(rdt_enter(&own, 17, &made, &err), -EEXIST);
	cr_expect_str_eq(get("box/tasks"), "");
}

Test(cgroup_rdt, monitoring)
{
	struct rdt_request request = request_for(
		(struct spec_intel_rdt){.clos_id = "gold", .enable_monitoring = true});
	bool made = true;

	make_group("gold");
	cr_expect_eq(rdt_enter(&request, 17, &made, &err), -ENOENT, "no mon_groups: no monitoring");
	cr_assert_eq(mkdir(in("gold/mon_groups"), 0700), 0);
	cr_expect_eq(rdt_enter(&request, 17, &made, &err), -ENOENT, "a folder has no file tasks by itself");
	cr_expect_neq(access(in("gold/mon_groups/box"), F_OK), 0, "undone");
	cr_assert_eq(mkdir(in("gold/mon_groups/box"), 0700), 0);
	put("gold/mon_groups/box/tasks", "");
	cr_expect_eq(rdt_join(&request, 18, &err), 0);
	cr_expect_str_eq(get("gold/mon_groups/box/tasks"), "18\n");
}

Test(cgroup_rdt, change_and_back)
{
	struct rdt_request request = request_for((struct spec_intel_rdt){.clos_id = "gold"});
	const char *before = NULL, *ignored;

	make_group("gold");
	cr_expect_eq(rdt_change(&arena, &request, "L3:0=1\n", &before, &err), 0);
	cr_expect_str_eq(get("gold/schemata"), "L3:0=1\n");
	cr_expect_eq(rdt_change(&arena, &request, before, &ignored, &err), 0);
	cr_expect_str_eq(get("gold/schemata"), "    MB:0=100;1= 50\n    L3:0=00f;1=ff\n");
}

Test(cgroup_rdt, remove)
{
	cr_expect_eq(rdt_remove(in("nothing")), 0);
	cr_assert_eq(mkdir(in("empty"), 0700), 0);
	cr_expect_eq(rdt_remove(in("empty")), 0);
	cr_expect_neq(access(in("empty"), F_OK), 0);
	make_group("gold");
	put("gold/tasks", "1\n");
	cr_expect_eq(rdt_remove(in("gold")), -EBUSY);
}

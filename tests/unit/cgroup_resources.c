/*
 * Limits of a document as writes to cgroup v2 files.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "libcontainer/cgroup/resources.h"
#include "libcontainer/host/host.h"
#include "specs/resources.h"

static struct arena arena;
static struct report report;
static struct cg_limits limits;

static void setup(void)
{
	cr_assert_eq(arena_init(&arena, NULL), 0);
}

static void teardown(void)
{
	arena_free(&arena);
}

TestSuite(cgroup_resources, .init = setup, .fini = teardown);

static const struct host full_host = {
	.known = HOST_ALL,
	.cap_sys_admin = true,
	.cgroup_mount = "/sys/fs/cgroup",
	.cgroup_own = "/",
	.controllers = "cpuset cpu io memory hugetlb pids rdma misc",
	.v1_controllers = "",
};

/* Returns what cg_resources_compile() does; the writes as "file=value" lines in `text`. */
static int compile(const char *json, const struct host *host, char *text, size_t size)
{
	const struct json_doc *doc;
	struct str_buf b;

	report_init(&report, &arena);
	cr_assert_eq(json_parse(&arena, "r.json", json, strlen(json), &report, &doc), 0, "%s", json);
	const struct spec_resources *r = spec_decode(&arena, doc, 0, &spec_resources_table, &report);
	cr_assert_eq(spec_resources_check(doc, r, &report), 0, "%s", json);
	cr_assert_eq(report.errors, 0, "%s: %s", json, report.first ? report.first->err.message : "");
	report_init(&report, &arena);
	int result = cg_resources_compile(&arena, r, doc, host, &report, &limits);
	str_buf_init(&b, text, size);
	for (size_t i = 0; i < limits.count; i++) {
		const struct cg_write *w = &limits.writes[i];
		str_buf_add(&b, "%s%s=%s", b.length ? "; " : "", w->file, w->value);
		if (w->instead_file)
			str_buf_add(&b, " else %s=%s", w->instead_file, w->instead_value);
		if (w->usage)
			str_buf_add(&b, " if %s", w->usage);
	}
	return result;
}

static const struct {
	const char *json, *writes, *controllers;
} good[] = {
	{"{}", "", ""},
	{"{\"memory\":{},\"cpu\":{},\"blockIO\":{},\"network\":{}}", "", ""},

	{"{\"memory\":{\"limit\":1000}}", "memory.max=1000", "memory"},
	{"{\"memory\":{\"limit\":-1}}", "memory.max=max; memory.swap.max=max", ""},
	{"{\"memory\":{\"limit\":0,\"swap\":0}}", "", ""},
	{"{\"memory\":{\"limit\":1000,\"swap\":3000}}", "memory.max=1000; memory.swap.max=2000", "memory"},
	{"{\"memory\":{\"limit\":1000,\"swap\":1000}}", "memory.max=1000; memory.swap.max=0", "memory"},
	{"{\"memory\":{\"limit\":1000,\"swap\":-1}}", "memory.max=1000; memory.swap.max=max", "memory"},
	{"{\"memory\":{\"swap\":-1}}", "memory.swap.max=max", ""},
	{"{\"memory\":{\"reservation\":500}}", "memory.low=500", "memory"},
	{"{\"memory\":{\"limit\":9223372036854775807}}", "memory.max=9223372036854775807", "memory"},
	{"{\"memory\":{\"limit\":1000,\"checkBeforeUpdate\":true}}", "memory.max=1000 if memory.current",
		"memory"},
	{"{\"memory\":{\"useHierarchy\":true,\"disableOOMKiller\":false}}", "", ""},

	{"{\"cpu\":{\"shares\":1024}}", "cpu.weight=100", "cpu"},
	{"{\"cpu\":{\"shares\":0}}", "", ""},
	{"{\"cpu\":{\"quota\":50000}}", "cpu.max=50000 100000", "cpu"},
	{"{\"cpu\":{\"quota\":50000,\"period\":20000}}", "cpu.max=50000 20000", "cpu"},
	{"{\"cpu\":{\"quota\":-1}}", "cpu.max=max 100000", "cpu"},
	{"{\"cpu\":{\"period\":20000}}", "cpu.max=max 20000", "cpu"},
	{"{\"cpu\":{\"quota\":0,\"period\":0}}", "", ""},
	{"{\"cpu\":{\"quota\":5000,\"burst\":4000}}",
		"cpu.max.burst=0; cpu.max=5000 100000; cpu.max.burst=4000", "cpu"},
	{"{\"cpu\":{\"burst\":0}}", "cpu.max.burst=0", "cpu"},
	{"{\"cpu\":{\"idle\":1,\"shares\":2048}}", "cpu.idle=1", "cpu"},
	{"{\"cpu\":{\"idle\":0,\"shares\":2048}}", "cpu.idle=0; cpu.weight=174", "cpu"},
	{"{\"cpu\":{\"cpus\":\"0-1,3\",\"mems\":\"0\"}}", "cpuset.cpus=0-1,3; cpuset.mems=0", "cpuset"},
	{"{\"cpu\":{\"realtimeRuntime\":0,\"realtimePeriod\":0}}", "", ""},

	{"{\"pids\":{\"limit\":20}}", "pids.max=20", "pids"},
	{"{\"pids\":{\"limit\":-1}}", "pids.max=max", ""},
	{"{\"pids\":{\"limit\":0}}", "pids.max=1", "pids"},

	{"{\"blockIO\":{\"weight\":10}}", "io.bfq.weight=10 else io.weight=1", "io"},
	{"{\"blockIO\":{\"weight\":1000}}", "io.bfq.weight=1000 else io.weight=10000", "io"},
	{"{\"blockIO\":{\"weight\":500}}", "io.bfq.weight=500 else io.weight=4950", "io"},
	{"{\"blockIO\":{\"weightDevice\":[{\"major\":8,\"minor\":16,\"weight\":100}]}}",
		"io.bfq.weight=8:16 100 else io.weight=8:16 910", "io"},
	{"{\"blockIO\":{\"throttleReadBpsDevice\":[{\"major\":8,\"minor\":0,\"rate\":600}],"
	 "\"throttleWriteBpsDevice\":[{\"major\":8,\"minor\":0,\"rate\":700}],"
	 "\"throttleReadIOPSDevice\":[{\"major\":8,\"minor\":0,\"rate\":8}],"
	 "\"throttleWriteIOPSDevice\":[{\"major\":8,\"minor\":0,\"rate\":0}]}}",
		"io.max=8:0 rbps=600; io.max=8:0 wbps=700; io.max=8:0 riops=8; io.max=8:0 wiops=max", "io"},

	{"{\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":4194304}]}",
		"hugetlb.2MB.max=4194304; hugetlb.2MB.rsvd.max=4194304", "hugetlb"},
	{"{\"rdma\":{\"mlx5_1\":{\"hcaHandles\":3,\"hcaObjects\":10000},\"rxe3\":{\"hcaObjects\":7}}}",
		"rdma.max=mlx5_1 hca_handle=3 hca_object=10000; rdma.max=rxe3 hca_object=7", "rdma"},

	{"{\"unified\":{\"memory.high\":\"1000000\"}}", "memory.high=1000000", "memory"},
	{"{\"unified\":{\"cgroup.max.depth\":\"3\"}}", "cgroup.max.depth=3", ""},
	{"{\"unified\":{\"io.max\":\"259:0 rbps=2097152 wiops=120\\n253:0 rbps=2097152\\n\"}}",
		"io.max=259:0 rbps=2097152 wiops=120; io.max=253:0 rbps=2097152", "io"},
	{"{\"pids\":{\"limit\":5},\"unified\":{\"pids.max\":\"6\"}}", "pids.max=5; pids.max=6", "pids"},
	{"{\"memory\":{\"limit\":5000},\"cpu\":{\"shares\":2,\"cpus\":\"0\"},\"pids\":{\"limit\":5}}",
		"memory.max=5000; cpu.weight=1; cpuset.cpus=0; pids.max=5", "memory cpu cpuset pids"},
};

Test(cgroup_resources, each_property_becomes_a_write)
{
	char text[512];

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		cr_assert_eq(compile(good[i].json, &full_host, text, sizeof(text)), 0, "%s", good[i].json);
		cr_expect_str_eq(text, good[i].writes, "%s\n  gives: %s\nwanted: %s", good[i].json, text,
			good[i].writes);
		cr_expect_str_eq(limits.controllers, good[i].controllers, "%s", good[i].json);
		cr_expect_eq(report.warnings, 0, "%s", good[i].json);
	}
}

static const struct {
	const char *json, *path, *message;
} ignored[] = {
	{"{\"memory\":{\"swappiness\":60}}", "memory.swappiness",
		"cgroup v2 has nothing like swappiness; it is ignored"},
	{"{\"memory\":{\"disableOOMKiller\":true}}", "memory.disableOOMKiller",
		"cgroup v2 has nothing like disableOOMKiller; it is ignored"},
	{"{\"memory\":{\"useHierarchy\":false}}", "memory.useHierarchy",
		"cgroup v2 has nothing like useHierarchy; it is ignored"},
	{"{\"blockIO\":{\"leafWeight\":10}}", "blockIO.leafWeight",
		"cgroup v2 has nothing like leafWeight; it is ignored"},
};

Test(cgroup_resources, what_only_v1_had_is_a_warning)
{
	char text[512];

	for (size_t i = 0; i < ARRAY_SIZE(ignored); i++) {
		cr_assert_eq(compile(ignored[i].json, &full_host, text, sizeof(text)), 0);
		cr_expect_str_eq(text, "", "%s", ignored[i].json);
		cr_assert_eq(report.warnings, 1, "%s", ignored[i].json);
		cr_expect_str_eq(report.first->err.message, ignored[i].message);
		cr_expect_str_eq(report.first->err.where.path, ignored[i].path);
	}
}

static const struct {
	const char *json, *path, *message;
} impossible[] = {
	{"{\"cpu\":{\"realtimeRuntime\":950000}}", "cpu.realtimeRuntime",
		"cgroup v2 cannot limit realtime scheduling"},
	{"{\"cpu\":{\"realtimePeriod\":950000}}", "cpu.realtimePeriod",
		"cgroup v2 cannot limit realtime scheduling"},
	{"{\"network\":{\"classID\":1048577}}", "network.classID",
		"cgroup v2 has no network class identifiers"},
	{"{\"network\":{\"priorities\":[{\"name\":\"eth0\",\"priority\":1}]}}", "network.priorities",
		"cgroup v2 has no network priorities"},
	{"{\"unified\":{\"cgroup.procs\":\"1\"}}", "unified[\"cgroup.procs\"]",
		"cgroup.procs cannot be set: it moves, stops or kills processes rather than limit them"},
	{"{\"unified\":{\"cgroup.freeze\":\"1\"}}", "unified[\"cgroup.freeze\"]",
		"cgroup.freeze cannot be set: it moves, stops or kills processes rather than limit them"},
	{"{\"unified\":{\"cgroup.kill\":\"1\"}}", "unified[\"cgroup.kill\"]",
		"cgroup.kill cannot be set: it moves, stops or kills processes rather than limit them"},
	{"{\"unified\":{\"foo.max\":\"1\"}}", "unified[\"foo.max\"]",
		"foo.max needs the foo controller, which cgroup v2 does not have here"},
};

Test(cgroup_resources, what_v2_cannot_do_is_an_error)
{
	char text[512];

	for (size_t i = 0; i < ARRAY_SIZE(impossible); i++) {
		cr_assert_eq(compile(impossible[i].json, &full_host, text, sizeof(text)), -EINVAL, "%s",
			impossible[i].json);
		cr_assert_eq(report.errors, 1);
		cr_expect_str_eq(report.first->err.message, impossible[i].message);
		cr_expect_str_eq(
			report.first->err.where.path, impossible[i].path, "%s", report.first->err.where.path);
		cr_expect_eq(report.first->err.where.line, 1);
	}
}

Test(cgroup_resources, a_missing_controller_is_named_with_its_remedy)
{
	struct host hybrid = full_host;
	char text[512];

	hybrid.controllers = "hugetlb";
	hybrid.v1_controllers = "cpuset cpu blkio memory pids";
	cr_assert_eq(compile("{\"memory\":{\"limit\":1000}}", &hybrid, text, sizeof(text)), -EINVAL);
	cr_expect_str_eq(report.first->err.message,
		"memory.max needs the memory controller, which cgroup v1 holds on this host");
	cr_expect_str_eq(report.first->err.hint,
		"boot with cgroup_no_v1=memory, or with systemd.unified_cgroup_hierarchy=1");
	cr_expect_str_eq(report.first->err.where.path, "memory.limit");

	cr_assert_eq(compile("{\"blockIO\":{\"weight\":100}}", &hybrid, text, sizeof(text)), -EINVAL);
	cr_expect_str_eq(report.first->err.hint,
		"boot with cgroup_no_v1=blkio, or with systemd.unified_cgroup_hierarchy=1");

	hybrid.v1_controllers = "";
	cr_assert_eq(compile("{\"memory\":{\"limit\":1000}}", &hybrid, text, sizeof(text)), -EINVAL);
	cr_expect_str_eq(report.first->err.message,
		"memory.max needs the memory controller, which cgroup v2 does not have here");
	cr_expect_str_eq(report.first->err.hint, "boot with cgroup_enable=memory, or remove the limit");

	hybrid.euid = 1000;
	cr_assert_eq(compile("{\"pids\":{\"limit\":10}}", &hybrid, text, sizeof(text)), -EINVAL);
	cr_expect_str_eq(report.first->err.hint,
		"it must be delegated to this user: set Delegate=pids for user@.service");
}

Test(cgroup_resources, no_limit_needs_no_controller)
{
	struct host bare = full_host;
	char text[512];

	bare.controllers = "";
	cr_assert_eq(compile("{\"memory\":{\"limit\":-1,\"swap\":-1},\"pids\":{\"limit\":-1},"
			     "\"cpu\":{\"shares\":1024,\"quota\":-1,\"idle\":0,\"burst\":0}}",
			     &bare, text, sizeof(text)),
		0);
	cr_expect_str_eq(text, "");
	cr_expect_str_eq(limits.controllers, "");
}

Test(cgroup_resources, no_resources_at_all)
{
	report_init(&report, &arena);
	cr_assert_eq(cg_resources_compile(&arena, NULL, NULL, &full_host, &report, &limits), 0);
	cr_expect_eq(limits.count, 0);
	cr_expect_str_eq(limits.controllers, "");
}

/* Computed from the published formula with exact arithmetic. */
Test(cgroup_resources, cpu_weight)
{
	static const struct {
		uint64_t shares, weight;
	} points[] = {{0, 1}, {1, 1}, {2, 1}, {3, 2}, {4, 2}, {10, 4}, {20, 6}, {102, 17}, {256, 35},
		{512, 59}, {1023, 100}, {1024, 100}, {1025, 101}, {2048, 174}, {10240, 639}, {100000, 4340},
		{262143, 10000}, {262144, 10000}, {262145, 10000}, {UINT64_MAX, 10000}};

	for (size_t i = 0; i < ARRAY_SIZE(points); i++)
		cr_expect_eq(cg_cpu_weight(points[i].shares), points[i].weight, "%llu gives %llu, not %llu",
			(unsigned long long)points[i].shares,
			(unsigned long long)cg_cpu_weight(points[i].shares),
			(unsigned long long)points[i].weight);
	for (uint64_t s = 2; s < 262144; s += 97)
		cr_assert_leq(cg_cpu_weight(s), cg_cpu_weight(s + 97));
}

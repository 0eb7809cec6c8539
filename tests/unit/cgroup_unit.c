/*
 * A unit of systemd: names, slices, limits as properties, properties from annotations.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "libcontainer/cgroup/resources.h"
#include "libcontainer/cgroup/unit.h"
#include "libcontainer/host/host.h"

static struct arena arena;

static void setup(void)
{
	cr_assert_eq(arena_init(&arena, NULL), 0);
}

static void teardown(void)
{
	arena_free(&arena);
}

TestSuite(cgroup_unit, .init = setup, .fini = teardown);

static int compile(const struct host *host, const char *path, struct cg_unit *unit)
{
	const struct cg_unit_wish wish = {.host = host, .cgroups_path = path, .id = "box"};
	struct report report;

	report_init(&report, &arena);
	return cg_unit_compile(&arena, &wish, &report, unit);
}

static const struct host root = {.cgroup_own = "/"};
static const struct host user = {.euid = 1000, .cgroup_own = "/user.slice/user-1000.slice/session-1.scope"};
static const struct host user_inside = {
	.euid = 1000, .cgroup_own = "/odd.slice/user@7.service/app.slice/x.service"};
static const struct host engine = {.user_namespace = true, .cgroup_own = "/user.slice/user@9.service"};

static const struct {
	const struct host *host;
	const char *path, *name, *slice, *place;
} good[] = {
	{&root, NULL, "crt-box.scope", "system.slice", "/system.slice/crt-box.scope/container"},
	{&root, "", "crt-box.scope", "system.slice", "/system.slice/crt-box.scope/container"},
	{&root, "::n", "n.scope", "system.slice", "/system.slice/n.scope/container"},
	{&root, ":p:n", "p-n.scope", "system.slice", "/system.slice/p-n.scope/container"},
	{&root, ":p:n.slice", "p-n.slice.scope", "system.slice", "/system.slice/p-n.slice.scope/container"},
	{&root, "-.slice:p:n", "p-n.scope", "-.slice", "/p-n.scope/container"},
	{&root, "a.slice:p:n", "p-n.scope", "a.slice", "/a.slice/p-n.scope/container"},
	{&root, "a-b-c.slice:p:n", "p-n.scope", "a-b-c.slice",
		"/a.slice/a-b.slice/a-b-c.slice/p-n.scope/container"},
	{&user, NULL, "crt-box.scope", "user.slice",
		"/user.slice/user-1000.slice/user@1000.service/user.slice/crt-box.scope/container"},
	{&user_inside, "a.slice:p:n", "p-n.scope", "a.slice",
		"/odd.slice/user@7.service/a.slice/p-n.scope/container"},
	{&engine, NULL, "crt-box.scope", "user.slice",
		"/user.slice/user@9.service/user.slice/crt-box.scope/container"},
};

Test(cgroup_unit, names)
{
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct cg_unit unit;
		cr_assert_eq(compile(good[i].host, good[i].path, &unit), 0, "%s", good[i].path);
		cr_expect_str_eq(unit.name, good[i].name, "%s", unit.name);
		cr_expect_str_eq(unit.slice, good[i].slice, "%s", unit.slice);
		cr_expect_str_eq(unit.path, good[i].place, "%s", unit.path);
		cr_expect_eq(unit.user, good[i].host != &root);
	}
}

Test(cgroup_unit, bad_names)
{
	static const char *const bad[] = {"n", "p:n", "a.slice:p:n:m", "a:p:n", "-a.slice:p:n",
		"a-.slice:p:n", "a--b.slice:p:n", ".slice:p:n", "a.slice:p:", "a.slice:p:n m",
		"a.slice:p:n/m", "a/b.slice:p:n", "a.slice:p:n\n"};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct cg_unit unit;
		cr_expect_eq(compile(&root, bad[i], &unit), -EINVAL, "%s", bad[i]);
	}
}

static const char *property_of(const char *file, const char *value)
{
	struct cg_write write = {.file = file, .value = value};
	const struct cg_limits limits = {.writes = &write, .count = 1};

	return cg_properties(&arena, &limits);
}

static const struct {
	const char *file, *value, *line;
} limits[] = {
	{"memory.max", "1024", "MemoryMax\tt\t1024\n"},
	{"memory.max", "max", "MemoryMax\tt\t18446744073709551615\n"},
	{"memory.low", "1", "MemoryLow\tt\t1\n"},
	{"memory.swap.max", "0", "MemorySwapMax\tt\t0\n"},
	{"cpu.weight", "79", "CPUWeight\tt\t79\n"},
	{"cpu.idle", "1", "CPUWeight\tt\t0\n"},
	{"cpu.idle", "0", ""},
	{"pids.max", "0", "TasksMax\tt\t2\n"},
	{"pids.max", "1", "TasksMax\tt\t2\n"},
	{"pids.max", "3", "TasksMax\tt\t3\n"},
	{"pids.max", "max", "TasksMax\tt\t18446744073709551615\n"},
	{"cpu.max", "50000 100000", "CPUQuotaPerSecUSec\tt\t500000\nCPUQuotaPeriodUSec\tt\t100000\n"},
	{"cpu.max", "12345 100000", "CPUQuotaPerSecUSec\tt\t130000\nCPUQuotaPeriodUSec\tt\t100000\n"},
	{"cpu.max", "max 100000",
		"CPUQuotaPerSecUSec\tt\t18446744073709551615\nCPUQuotaPeriodUSec\tt\t100000\n"},
	{"cpu.max", "5 0", ""},
	{"cpuset.cpus", "0", "AllowedCPUs\tay\t01\n"},
	{"cpuset.cpus", "0-2,9", "AllowedCPUs\tay\t0702\n"},
	{"cpuset.cpus", "9-1", ""},
	{"cpuset.cpus", "9999", ""},
	{"cpuset.mems", "1", "AllowedMemoryNodes\tay\t02\n"},
	{"io.max", "8:0 rbps=1", ""},
	{"hugetlb.2MB.max", "5", ""},
};

Test(cgroup_unit, limits_as_properties)
{
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		const char *line = property_of(limits[i].file, limits[i].value);
		cr_expect_str_eq(line, limits[i].line, "%s %s: %s", limits[i].file, limits[i].value, line);
	}
}

static const struct {
	const char *name, *value, *line; /* NULL: refused */
} annotations[] = {
	{"TimeoutStopUSec", "uint64 5", "TimeoutStopUSec\tt\t5\n"},
	{"TimeoutStopSec", "5", "TimeoutStopUSec\tt\t5000000\n"},
	{"TimeoutStopSec", "double 0.25", "TimeoutStopUSec\tt\t250000\n"},
	{"TimeoutStopSec", "1.23456789", "TimeoutStopUSec\tt\t1234567\n"},
	{"TimeoutStopSec", "18446744073709551615", NULL},
	{"TasksMax", "0x10", "TasksMax\tt\t16\n"},
	{"TasksMax", "-1", NULL},
	{"TasksMax", "5 6", NULL},
	{"TasksMax", "", NULL},
	{"KillSignal", " int32 9 ", "KillSignal\ti\t9\n"},
	{"KillSignal", "2147483648", NULL},
	{"SendSIGHUP", "true", "SendSIGHUP\tb\ttrue\n"},
	{"SendSIGHUP", "1", NULL},
	{"SendSIGHUP", "trueish", NULL},
	{"CollectMode", "'inactive'", "CollectMode\ts\tinactive\n"},
	{"CollectMode", "\"a'b\"", "CollectMode\ts\ta'b\n"},
	{"CollectMode", "'a\\'b'", "CollectMode\ts\ta'b\n"},
	{"CollectMode", "inactive", NULL},
	{"CollectMode", "'inactive", NULL},
	{"CollectMode", "'in\tactive'", NULL},
	{"CollectMode", "'inactive\\", NULL},
	{"After", "['a.service', 'b.service']", "After\tas\ta.service\tb.service\n"},
	{"After", "@as []", "After\tas\n"},
	{"After", "['a.service'", NULL},
	{"After", "", NULL},
	{"After", "@as", NULL},
	{"After", "[a.service]", NULL},
	{"ExecStop", "'x'", NULL},
	{"ExecStopPost", "'x'", NULL},
	{"Slice", "'x.slice'", NULL},
	{"Delegate", "false", NULL},
	{"Sec", "1", NULL},
	{"", "1", NULL},
};

Test(cgroup_unit, annotations)
{
	for (size_t i = 0; i < ARRAY_SIZE(annotations); i++) {
		const char *problem = NULL;
		const char *line = cg_annotation_property(
			&arena, annotations[i].name, annotations[i].value, &problem);
		cr_expect_eq(!line, !annotations[i].line, "%s %s: %s", annotations[i].name,
			annotations[i].value, line ? line : problem);
		cr_expect_eq(!line, !!problem);
		if (line && annotations[i].line)
			cr_expect_str_eq(line, annotations[i].line, "%s", line);
	}
}

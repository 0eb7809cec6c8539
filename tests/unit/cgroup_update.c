/*
 * An update of a cgroup whose files are plain ones: which are written, and what is put back.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "libcontainer/cgroup/update.h"
#include "specs/json.h"

static struct arena arena;
static struct err err;
static struct cg_shrink shrink;
static char dir[] = "/tmp/crt-unit-XXXXXX";
static int fd;

static void setup(void)
{
	cr_assert_eq(arena_init(&arena, NULL), 0);
	cr_assert(mkdtemp(dir));
	fd = open(dir, O_RDONLY | O_DIRECTORY);
}

static void teardown(void)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -r %s", dir);
	cr_assert_eq(system(command), 0);
	close(fd);
	arena_free(&arena);
}

TestSuite(cgroup_update, .init = setup, .fini = teardown, .timeout = 20);

/* A plain file keeps what is beyond a shorter text: values of a test are all of one length. */
static void make(const char *file, const char *text)
{
	cr_assert_eq(fd_replace_file(fd, file, text, strlen(text), 0600), 0);
}

static void expect(const char *file, const char *text)
{
	char now[64] = "";

	cr_assert_gt(fd_read_file(fd, file, now, sizeof(now)), 0, "%s", file);
	cr_assert_str_eq(now, text, "%s", file);
}

static int update(struct cg_write *writes, size_t count, int timeout_ms)
{
	struct cg_limits limits = {.writes = writes, .count = count, .controllers = ""};

	const struct cg_update update = {.cgroup_fd = fd, .limits = &limits, .timeout_ms = timeout_ms};
	return cg_update(&arena, &update, &shrink, &err);
}

Test(cgroup_update, all)
{
	make("pids.max", "100");
	make("cpu.weight", "100");
	cr_assert_eq(update((struct cg_write[]){{.file = "pids.max", .value = "200", .controller = "pids"},
				    {.file = "cpu.weight", .value = "300", .controller = "cpu"}},
			     2, 0),
		0, "%s", err.message);
	expect("pids.max", "200");
	expect("cpu.weight", "300");
	cr_assert_eq(shrink.wanted, 0);
}

Test(cgroup_update, or_none)
{
	make("pids.max", "100");
	make("cpu.weight", "100");
	cr_assert_eq(update((struct cg_write[]){{.file = "pids.max", .value = "200", .controller = "pids"},
				    {.file = "cpu.weight", .value = "300", .controller = "cpu"},
				    {.file = "pids.max", .value = "400", .controller = "pids"},
				    {.file = "io.none", .value = "5", .controller = "io"}},
			     4, 0),
		-ENOENT);
	expect("pids.max", "100");
	expect("cpu.weight", "100");
	cr_assert_str_eq(err.message,
		"cannot set io.none to \"5\": No such file or directory; nothing has been changed");
}

static int refuse(void *seen, struct err *e)
{
	cr_expect_gt(fd_read_file(fd, "pids.max", seen, 64), 0);
	return err_set(e, EIO, "systemd does not like it");
}

Test(cgroup_update, who_has_the_last_word_may_refuse)
{
	struct cg_write write = {.file = "pids.max", .value = "200", .controller = "pids"};
	struct cg_limits limits = {.writes = &write, .count = 1, .controllers = ""};
	char seen[64] = "";
	const struct cg_update update = {
		.cgroup_fd = fd, .limits = &limits, .commit = refuse, .commit_data = seen};

	make("pids.max", "100");
	cr_assert_eq(cg_update(&arena, &update, &shrink, &err), -EIO);
	cr_assert_str_eq(seen, "200", "it comes last");
	expect("pids.max", "100");
	cr_assert_str_eq(err.message, "systemd does not like it; nothing has been changed");
}

Test(cgroup_update, what_cannot_be_put_back_is_named)
{
	make("pids.max", "1");
	cr_assert_eq(update((struct cg_write[]){{.file = "pids.max", .value = "200", .controller = "pids"},
				    {.file = "io.none", .value = "5", .controller = "io"}},
			     2, 0),
		-ENOENT);
	cr_assert_str_eq(strchr(err.message, ';'), "; changed and not put back: pids.max");
}

Test(cgroup_update, the_substitute_has_the_old_value)
{
	make("io.weight", "default 100\n");
	struct cg_write writes[] = {{.file = "io.bfq.weight",
					    .value = "10",
					    .instead_file = "io.weight",
					    .instead_value = "default 500",
					    .controller = "io"},
		{.file = "io.none", .value = "5", .controller = "io"}};
	cr_assert_eq(update(writes, 1, 0), 0);
	expect("io.weight", "default 500\n");
	cr_assert_eq(update(writes, 2, 0), -ENOENT);
	expect("io.weight", "default 500\n");
}

Test(cgroup_update, memory_in_use_is_not_cut)
{
	struct cg_write writes[] = {{.file = "memory.max", .value = "300", .controller = "memory"}};

	make("memory.max", "900");
	make("memory.high", "800");
	make("memory.current", "500\n");
	cr_assert_eq(update(writes, 1, 30), -EBUSY);
	expect("memory.max", "900");
	expect("memory.high", "800");
	cr_assert_eq(shrink.wanted, 300);
	cr_assert_eq(shrink.before, 500);
	cr_assert_eq(shrink.reached, 500);
	cr_assert(strstr(
		err.message, "cannot lower memory.max to 300 bytes: 500 of 500 bytes are still in use"));
	cr_assert(strstr(err.message, " ms; nothing has been changed"));
}

static int signals_seen;

static void see_signal(int sig)
{
	signals_seen += sig == SIGTERM;
}

Test(cgroup_update, a_signal_waits_until_all_is_put_back)
{
	struct cg_write writes[] = {{.file = "memory.max", .value = "300", .controller = "memory"}};
	sigset_t term;

	make("memory.max", "900");
	make("memory.high", "800");
	make("memory.current", "500\n");
	signal(SIGTERM, see_signal);
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, NULL);
	raise(SIGTERM);
	cr_assert_eq(update(writes, 1, 60000), -EBUSY, "and at once, for it waits");
	cr_assert_eq(signals_seen, 0);
	expect("memory.high", "800");
	sigprocmask(SIG_UNBLOCK, &term, NULL);
	cr_assert_eq(signals_seen, 1);
}

Test(cgroup_update, memory_that_fits_is_just_set)
{
	make("memory.max", "900");
	make("memory.current", "300\n");
	cr_assert_eq(
		update((struct cg_write[]){{.file = "memory.max", .value = "300", .controller = "memory"}}, 1,
			0),
		0);
	expect("memory.max", "300");
	cr_assert_eq(shrink.wanted, 0);
}

Test(cgroup_update, undo_values)
{
	static const struct {
		const char *file, *value, *before, *undo;
	} cases[] = {
		{"memory.max", "5", "max\n", "max"},
		{"cpu.max", "5 6", "max 100000\n", "max 100000"},
		{"cpuset.cpus", "0", "\n", "\n"},
		{"io.max", "8:0 rbps=5", "8:16 rbps=1 wbps=max\n8:0 rbps=7 wbps=max\n",
			"8:0 rbps=7 wbps=max"},
		{"io.max", "8:0 rbps=5", "", "8:0 rbps=max wbps=max riops=max wiops=max"},
		{"io.max", "8:1 rbps=5", "8:16 rbps=1\n", "8:1 rbps=max wbps=max riops=max wiops=max"},
		{"io.weight", "50", "default 100\n8:0 30\n", "default 100"},
		{"io.weight", "8:0 50", "default 100\n8:0 30\n", "8:0 30"},
		{"io.weight", "8:16 50", "default 100\n8:0 30\n", "8:16 default"},
		{"rdma.max", "mlx4_0 hca_handle=2", "mlx4_0 hca_handle=max hca_object=9\n",
			"mlx4_0 hca_handle=max hca_object=9"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_assert_str_eq(cg_undo_value(&arena, cases[i].file, cases[i].value, cases[i].before),
			cases[i].undo, "%s %s", cases[i].file, cases[i].value);
}

/*
 * Real cgroups, where this user may make them; each test leaves the tree as it was.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "base/sys.h"
#include "libcontainer/cgroup/cgroup.h"
#include "libcontainer/cgroup/devices.h"
#include "libcontainer/cgroup/resources.h"
#include "libcontainer/host/host.h"

static struct arena arena;
static struct host host;
static struct err err;
static char top[64], path[128], full[512];
static bool possible;

static void setup(void)
{
	cr_assert_eq(arena_init(&arena, NULL), 0);
	cr_assert_eq(host_gather(&host, &arena, HOST_USER | HOST_CONTROLLERS, &err), 0);
	snprintf(top, sizeof(top), "/crt-unit-%d", (int)getpid());
	snprintf(path, sizeof(path), "%s/middle/box", top);
	snprintf(full, sizeof(full), "%s%s", host.cgroup_mount ? host.cgroup_mount : "", top);
	possible = host.cgroup_mount && mkdir(full, 0755) == 0 && rmdir(full) == 0;
}

static void teardown(void)
{
	if (possible)
		cr_assert_neq(access(full, F_OK), 0, "%s is left behind", full);
	arena_free(&arena);
}

TestSuite(cgroup_live, .init = setup, .fini = teardown, .timeout = 30);

#define NEED_CGROUPS()                                                                                       \
	if (!possible)                                                                                       \
	cr_skip_test("needs a writable cgroup v2")

/* A process in the cgroup that sleeps; its children, if any, too. */
static pid_t start_in(int cgroup_fd, unsigned children)
{
	struct clone_args args = {
		.flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = (uint64_t)cgroup_fd};
	pid_t pid = sys_clone3(&args);

	if (pid != 0)
		return pid;
	for (unsigned i = 0; i < children; i++)
		if (fork() == 0)
			break;
	signal(SIGTERM, SIG_DFL);
	for (;;)
		pause();
}

static bool exists(const char *name)
{
	char text[700];

	snprintf(text, sizeof(text), "%s%s", full, name);
	return access(text, F_OK) == 0;
}

Test(cgroup_live, create_and_destroy)
{
	unsigned made = 99;

	NEED_CGROUPS();
	int fd = cg_create(host.cgroup_mount, path, 0, "", &made, &err);
	cr_assert_geq(fd, 0, "%s", err.message);
	cr_expect_eq(made, 3);
	cr_expect(exists("/middle/box"));
	close(fd);
	cr_expect_eq(cg_destroy(host.cgroup_mount, path, made, 1000, &err), 0);
	cr_expect_not(exists(""));
	cr_expect_eq(cg_destroy(host.cgroup_mount, path, made, 1000, &err), 0, "gone is fine");
}

Test(cgroup_live, destroy_leaves_what_others_made)
{
	unsigned made, made_too;

	NEED_CGROUPS();
	close(cg_create(host.cgroup_mount, path, 0, "", &made, &err));
	char other[160];
	snprintf(other, sizeof(other), "%s/middle/other", top);
	close(cg_create(host.cgroup_mount, other, 0, "", &made_too, &err));
	cr_expect_eq(made_too, 1);
	int fd = cg_open(host.cgroup_mount, path, &err);
	pid_t pid = start_in(fd, 0);
	cr_expect_eq(cg_destroy(host.cgroup_mount, path, made, 1000, &err), 0, "%s", err.message);
	cr_expect_eq(waitpid(pid, NULL, 0), pid);
	close(fd);
	cr_expect_not(exists("/middle/box"));
	cr_expect(exists("/middle/other"));
	cr_expect_eq(cg_destroy(host.cgroup_mount, other, 3, 1000, &err), 0);
}

Test(cgroup_live, an_empty_existing_cgroup_is_used_and_kept)
{
	unsigned made;

	NEED_CGROUPS();
	cr_assert_eq(mkdir(full, 0755), 0);
	int fd = cg_create(host.cgroup_mount, top, 0, "", &made, &err);
	cr_expect_geq(fd, 0, "%s", err.message);
	cr_expect_eq(made, 0);
	close(fd);
	cr_expect_eq(cg_destroy(host.cgroup_mount, top, 0, 1000, &err), 0);
	cr_expect(exists(""));
	rmdir(full);
}

Test(cgroup_live, a_cgroup_in_use_is_refused)
{
	unsigned made, again;

	NEED_CGROUPS();
	int fd = cg_create(host.cgroup_mount, path, 0, "", &made, &err);
	cr_assert_geq(fd, 0);
	pid_t pid = start_in(fd, 0);
	cr_assert_gt(pid, 0);
	cr_expect_eq(cg_create(host.cgroup_mount, path, 0, "", &again, &err), -EBUSY);
	cr_expect_not_null(strstr(err.message, "exists and has processes in it"), "%s", err.message);
	cr_expect(exists("/middle/box"));
	cr_expect_eq(cg_destroy(host.cgroup_mount, path, made, 2000, &err), 0, "%s", err.message);
	cr_expect_eq(waitpid(pid, NULL, 0), pid);
	close(fd);
}

Test(cgroup_live, destroy_kills_and_removes_nested_cgroups)
{
	unsigned made;
	int status;

	NEED_CGROUPS();
	int fd = cg_create(host.cgroup_mount, path, 0, "", &made, &err);
	cr_assert_geq(fd, 0);
	fd_auto int at = dup(fd);
	for (unsigned depth = 0; depth < 40; depth++) { /* two children at each level */
		cr_assert_eq(mkdirat(at, "left", 0755), 0);
		cr_assert_eq(mkdirat(at, "right", 0755), 0);
		int next = openat(at, "right", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		cr_assert_geq(next, 0);
		fd_close(&at);
		at = next;
	}
	pid_t pid = start_in(at, 3);
	cr_assert_gt(pid, 0);
	cr_expect_eq(cg_destroy(host.cgroup_mount, path, made, 5000, &err), 0, "%s", err.message);
	cr_expect_eq(waitpid(pid, &status, 0), pid);
	cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	close(fd);
}

Test(cgroup_live, a_frozen_cgroup_can_be_destroyed_but_not_used)
{
	unsigned made, again;

	NEED_CGROUPS();
	int fd = cg_create(host.cgroup_mount, path, 0, "", &made, &err);
	cr_assert_eq(fd_write_file(fd, "cgroup.freeze", "1"), 0);
	cr_expect_eq(cg_create(host.cgroup_mount, path, 0, "", &again, &err), -EBUSY);
	cr_expect_not_null(strstr(err.message, "exists and is frozen"), "%s", err.message);
	pid_t pid = start_in(fd, 0);
	cr_expect_eq(cg_destroy(host.cgroup_mount, path, made, 2000, &err), 0, "%s", err.message);
	cr_expect_eq(waitpid(pid, NULL, 0), pid);
	close(fd);
}

Test(cgroup_live, wait_times_out)
{
	unsigned made;

	NEED_CGROUPS();
	int fd = cg_create(host.cgroup_mount, path, 0, "", &made, &err);
	pid_t pid = start_in(fd, 0);
	cr_expect_eq(cg_wait_empty(fd, 50, &err), -ETIMEDOUT);
	cr_expect_eq(cg_kill(fd, &err), 0);
	cr_expect_eq(cg_wait_empty(fd, 2000, &err), 0, "%s", err.message);
	waitpid(pid, NULL, 0);
	cr_expect_eq(cg_destroy(host.cgroup_mount, path, made, 2000, &err), 0);
	close(fd);
}

Test(cgroup_live, pids_and_signals_reach_cgroups_below)
{
	unsigned made;
	pid_t *pids;
	size_t count;
	int status;

	NEED_CGROUPS();
	int fd = cg_create(host.cgroup_mount, path, 0, "", &made, &err);
	cr_assert_eq(mkdirat(fd, "below", 0755), 0);
	int below = openat(fd, "below", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	pid_t first = start_in(fd, 0), second = start_in(below, 0);
	cr_assert_eq(cg_pids(fd, &arena, &pids, &count, &err), 0, "%s", err.message);
	cr_assert_eq(count, 2);
	cr_expect((pids[0] == first && pids[1] == second) || (pids[0] == second && pids[1] == first));
	usleep(50000); /* both have their handler */
	cr_expect_eq(cg_signal_all(fd, &arena, SIGTERM, &err), 0, "%s", err.message);
	cr_expect_eq(waitpid(first, &status, 0), first);
	cr_expect_eq(WTERMSIG(status), SIGTERM);
	cr_expect_eq(waitpid(second, &status, 0), second);
	cr_expect_eq(WTERMSIG(status), SIGTERM);
	close(below);
	close(fd);
	cr_expect_eq(cg_destroy(host.cgroup_mount, path, made, 2000, &err), 0);
}

Test(cgroup_live, a_controller_that_is_nowhere_fails_and_leaves_nothing)
{
	unsigned made = 99;

	NEED_CGROUPS();
	cr_expect_eq(cg_create(host.cgroup_mount, path, 0, "nonsense", &made, &err), -ENOENT);
	cr_expect_not_null(
		strstr(err.message, "cannot hand down the nonsense controller"), "%s", err.message);
	cr_expect_str_eq(err.cause, "the kernel lacks it, or cgroup v1 has it");
	cr_expect_str_eq(err.object, "cgroup");
	cr_expect_str_eq(err.target, "/");
	cr_expect_eq(made, 0);
	cr_expect_not(exists(""));
	cr_assert_eq(mkdir(full, 0755), 0); /* now it fails only after the directories are made */
	cr_expect_eq(cg_create(host.cgroup_mount, path, 0, "nonsense", &made, &err), -ENOENT);
	char box[128];
	snprintf(box, sizeof(box), "%s/box", top);
	cr_expect_eq(cg_create(host.cgroup_mount, box, 0, "nonsense", &made, &err), -ENOENT);
	cr_expect_eq(made, 0);
	cr_expect_not(exists("/box"));
	rmdir(full);
}

/* The parent exists, as on every start but the first: the controller is still handed down. */
Test(cgroup_live, controllers_reach_a_new_cgroup_below_an_old_one)
{
	unsigned made;
	char available[256];

	NEED_CGROUPS();
	if (!str_has_word(host.controllers, "hugetlb") && !str_has_word(host.controllers, "pids"))
		cr_skip_test("needs the hugetlb or the pids controller");
	const char *controller = str_has_word(host.controllers, "pids") ? "pids" : "hugetlb";
	cr_assert_eq(mkdir(full, 0755), 0);
	char box[128];
	snprintf(box, sizeof(box), "%s/box", top);
	int fd = cg_create(host.cgroup_mount, box, 0, controller, &made, &err);
	cr_assert_geq(fd, 0, "%s", err.message);
	cr_expect_eq(made, 1);
	cr_assert_geq(fd_read_file(fd, "cgroup.controllers", available, sizeof(available)), 0);
	cr_expect(str_has_word(available, controller), "%s", available);
	close(fd);
	cr_expect_eq(cg_destroy(host.cgroup_mount, box, made, 2000, &err), 0);
	rmdir(full);
}

Test(cgroup_live, apply)
{
	unsigned made;
	char text[64];
	struct cg_write depth = {.file = "cgroup.max.depth", .value = "3", .controller = "cgroup"};
	struct cg_write bad = {.file = "cgroup.max.depth", .value = "many", .controller = "cgroup"};
	struct cg_write absent = {.file = "nothing.here", .value = "3", .controller = "nothing"};
	struct cg_write no_limit = {.file = "nothing.here", .value = "max", .controller = "nothing"};
	struct cg_write instead = {.file = "nothing.here",
		.value = "3",
		.controller = "nothing",
		.instead_file = "cgroup.max.descendants",
		.instead_value = "7"};
	struct cg_write in_use = {.file = "cgroup.max.depth",
		.value = "1",
		.controller = "cgroup",
		.usage = "cgroup.max.depth"};

	NEED_CGROUPS();
	int fd = cg_create(host.cgroup_mount, path, 0, "", &made, &err);
	cr_assert_geq(fd, 0);
	cr_expect_eq(cg_apply(fd, &depth, NULL, &err), 0, "%s", err.message);
	fd_read_file(fd, "cgroup.max.depth", text, sizeof(text));
	cr_expect_str_eq(text, "3\n");
	cr_expect_eq(cg_apply(fd, &bad, NULL, &err), -EINVAL);
	cr_expect_str_eq(err.message, "cannot set cgroup.max.depth to \"many\": Invalid argument");
	cr_expect_eq(cg_apply(fd, &absent, NULL, &err), -ENOENT);
	cr_expect_eq(cg_apply(fd, &no_limit, NULL, &err), 0);
	cr_expect_eq(cg_apply(fd, &instead, NULL, &err), 0);
	fd_read_file(fd, "cgroup.max.descendants", text, sizeof(text));
	cr_expect_str_eq(text, "7\n");
	cr_expect_eq(cg_apply(fd, &in_use, NULL, &err), -EBUSY, "3 are in use");
	cr_expect_not_null(strstr(err.message, "below the 3 bytes in use"), "%s", err.message);
	close(fd);
	cr_expect_eq(cg_destroy(host.cgroup_mount, path, made, 2000, &err), 0);
}

Test(cgroup_live, clone_errors_are_explained)
{
	unsigned made;

	NEED_CGROUPS();
	int fd = cg_create(host.cgroup_mount, path, 0, "", &made, &err);
	cr_assert_geq(fd, 0);
	cr_expect_eq(cg_clone_error(fd, path, EAGAIN, &err), -EAGAIN);
	cr_expect_not_null(strstr(err.hint, "pids.max"));
	cr_assert_eq(mkdirat(fd, "a", 0755), 0);
	cr_assert_eq(mkdirat(fd, "b", 0755), 0);
	fd_auto int a = openat(fd, "a", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fd_auto int b = openat(fd, "b", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_eq(fd_write_file(a, "cgroup.type", "threaded"), 0); /* which makes b "domain invalid" */
	pid_t pid = start_in(b, 0);
	cr_assert_lt(pid, 0);
	cr_expect_eq(cg_clone_error(b, path, pid, &err), pid);
	cr_expect_not_null(strstr(err.hint, "threaded"), "%s (%s)", err.message, err.hint);
	cr_expect_eq(cg_destroy(host.cgroup_mount, path, made, 2000, &err), 0, "%s", err.message);
	close(fd);
}

Test(cgroup_live, device_program_is_enforced)
{
	unsigned made;
	struct report report;
	struct cg_device_program program;
	char node[] = "/tmp/crt-unit-device-XXXXXX";
	int status;

	NEED_CGROUPS();
	if (!host.cap_sys_admin || host.user_namespace)
		cr_skip_test("needs CAP_SYS_ADMIN in the initial user namespace");
	cr_assert_not_null(mkdtemp(node));
	rmdir(node);
	if (mknod(node, S_IFCHR | 0600, makedev(1, 11)) < 0) /* kmsg: not a default device */
		cr_skip_test("needs the right to mknod");
	int fd = cg_create(host.cgroup_mount, path, 0, "", &made, &err);
	cr_assert_geq(fd, 0);
	report_init(&report, &arena);
	cr_assert_eq(cg_devices_compile(&arena, NULL, 0, NULL, &report, &program), 0);
	cr_assert_eq(cg_devices_attach(fd, program.insns, program.count, &err), 0, "%s", err.message);
	struct clone_args args = {.flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = (uint64_t)fd};
	pid_t pid = sys_clone3(&args);
	cr_assert_geq(pid, 0);
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR | O_CLOEXEC);
		int kmsg = open(node, O_RDONLY | O_CLOEXEC);
		_exit(null < 0 ? 1 : kmsg >= 0 ? 2 : errno != EPERM ? 3 : 0);
	}
	cr_expect_eq(waitpid(pid, &status, 0), pid);
	cr_expect_eq(
		status, 0, "1: no /dev/null, 2: kmsg was opened, 3: other errno; %d", WEXITSTATUS(status));
	unlink(node);
	close(fd);
	cr_expect_eq(cg_destroy(host.cgroup_mount, path, made, 2000, &err), 0);
}

Test(cgroup_live, a_program_the_verifier_refuses)
{
	struct bpf_insn bad[] = {{.code = BPF_JMP | BPF_EXIT}}; /* r0 was never set */

	NEED_CGROUPS();
	if (!host.cap_sys_admin || host.user_namespace)
		cr_skip_test("needs CAP_SYS_ADMIN in the initial user namespace");
	cr_expect_lt(cg_devices_attach(-1, bad, 1, &err), 0);
	cr_expect_not_null(
		strstr(err.message, "cannot load the eBPF program of the device rules, "), "%s", err.message);
}

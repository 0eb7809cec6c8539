/*
 * Facts about the machine: from a file, and from the machine itself.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "libcontainer/host/host.h"

static struct arena arena;
static struct report report;
static struct err err;

static void setup(void)
{
	cr_assert_eq(arena_init(&arena, NULL), 0);
	report_init(&report, &arena);
}

static void teardown(void)
{
	arena_free(&arena);
}

TestSuite(host_host, .init = setup, .fini = teardown);

static int read_text(const char *text, struct host *host)
{
	char path[] = "/tmp/crt-unit-host-XXXXXX";
	fd_auto int fd = mkstemp(path);

	cr_assert_geq(fd, 0);
	cr_assert_eq(fd_write(fd, text, strlen(text)), 0);
	report_init(&report, &arena);
	int r = host_read(host, &arena, path, &report);
	unlink(path);
	return r;
}

Test(host_host, read_everything)
{
	struct host h = {0};

	cr_assert_eq(
		read_text(
			"{\"euid\":1000,\"egid\":1001,\"userNamespace\":true,\"capSysAdmin\":true,"
			"\"cgroupMount\":\"/sys/fs/cgroup\",\"cgroupOwn\":\"/a\",\"controllers\":\"cpu io\","
			"\"v1Controllers\":\"memory\",\"kernelRelease\":\"6.1.0-18-amd64\",\"lsm\":"
			"\"apparmor\","
			"\"namespaces\":\"pid "
			"uts\",\"maxUserNamespaces\":7,\"unprivilegedUserNamespaces\":true,"
			"\"apparmorRestrictsNamespaces\":true,\"seccompActions\":\"log\",\"seccompFlags\":"
			"\"LOG\"}",
			&h),
		0);
	cr_expect_eq(h.known, HOST_ALL);
	cr_expect_eq(h.euid, 1000);
	cr_expect_eq(h.egid, 1001);
	cr_expect(h.user_namespace && h.cap_sys_admin && h.unprivileged_user_namespaces &&
		  h.apparmor_restricts_namespaces);
	cr_expect_str_eq(h.cgroup_mount, "/sys/fs/cgroup");
	cr_expect_str_eq(h.cgroup_own, "/a");
	cr_expect_str_eq(h.controllers, "cpu io");
	cr_expect_str_eq(h.v1_controllers, "memory");
	cr_expect_str_eq(h.kernel_release, "6.1.0-18-amd64");
	cr_expect_str_eq(h.lsm, "apparmor");
	cr_expect_str_eq(h.namespaces, "pid uts");
	cr_expect_eq(h.max_user_namespaces, 7);
	cr_expect_str_eq(h.seccomp_actions, "log");
	cr_expect_str_eq(h.seccomp_flags, "LOG");
}

Test(host_host, read_nothing)
{
	struct host h = {0};

	cr_assert_eq(read_text("{}", &h), 0);
	cr_expect_null(h.cgroup_mount);
	cr_expect_str_eq(h.cgroup_own, "/");
	cr_expect_str_eq(h.controllers, "");
	cr_expect_str_eq(h.lsm, "");
	cr_expect_not(h.cap_sys_admin);
	cr_expect_eq(host_gather(&h, &arena, HOST_ALL, &err), 0);
	cr_expect_str_eq(h.controllers, "", "facts from a file are not gathered again");
}

Test(host_host, read_errors)
{
	struct host h = {0};

	cr_expect_lt(read_text("{\"euid\":\"me\"}", &h), 0);
	cr_expect_str_eq(report.first->err.where.path, "euid");
	cr_expect_lt(read_text("[", &h), 0);
	cr_expect_lt(host_read(&h, &arena, "/nonexistent/host.json", &report), 0);
}

Test(host_host, kernel_is)
{
	const struct host h = {.kernel_release = "6.1.0-18-amd64"}, odd = {.kernel_release = "?"};

	cr_expect(host_kernel_is(&h, 5, 14));
	cr_expect(host_kernel_is(&h, 6, 0));
	cr_expect(host_kernel_is(&h, 6, 1));
	cr_expect_not(host_kernel_is(&h, 6, 2));
	cr_expect_not(host_kernel_is(&h, 7, 0));
	cr_expect_not(host_kernel_is(&odd, 1, 0));
}

Test(host_host, gather_by_subject)
{
	struct host h = {0};

	cr_assert_eq(host_gather(&h, &arena, HOST_USER | HOST_CGROUP, &err), 0, "%s", err.message);
	cr_expect_eq(h.known, HOST_USER | HOST_CGROUP);
	cr_expect_eq(h.euid, geteuid());
	cr_expect_eq(h.egid, getegid());
	cr_expect_null(h.controllers);
	cr_expect_null(h.kernel_release);
	cr_assert_eq(host_gather(&h, &arena, HOST_ALL, &err), 0, "%s", err.message);
	cr_expect_eq(h.known, HOST_ALL);
	cr_expect_not_null(h.controllers);
	cr_expect_eq(h.cgroup_own[0], '/');
	cr_expect(host_kernel_is(&h, 5, 14), "%s", h.kernel_release);
	cr_expect(str_has_word(h.namespaces, "pid"));
	cr_expect(str_has_word(h.seccomp_actions, "errno"), "%s", h.seccomp_actions);
	cr_expect(str_has_word(h.seccomp_flags, "LOG"), "%s", h.seccomp_flags);
	for (const char *p = h.v1_controllers; *p; p++)
		cr_expect_neq(*p, ',');
}

Test(host_host, controllers_imply_the_mount)
{
	struct host h = {0};

	cr_assert_eq(host_gather(&h, &arena, HOST_CONTROLLERS, &err), 0);
	cr_expect_eq(h.known, HOST_CONTROLLERS | HOST_CGROUP);
}

Test(host_host, a_user_namespace_is_noticed)
{
	struct host h = {0};
	int status;

	pid_t pid = fork(); /* a process with threads may not unshare */
	cr_assert_geq(pid, 0);
	if (pid == 0) {
		if (unshare(CLONE_NEWUSER) < 0)
			_exit(2);
		_exit(host_gather(&h, &arena, HOST_USER, &err) < 0 || !h.user_namespace || !h.cap_sys_admin);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	if (WEXITSTATUS(status) == 2)
		cr_skip_test("needs the right to make a user namespace");
	cr_expect_eq(status, 0);
}

static bool private_mounts(void)
{
	return geteuid() == 0 && unshare(CLONE_NEWNS) == 0 &&
	       mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

Test(host_host, cgroup2_at_its_usual_place)
{
	struct host h = {0};

	if (!private_mounts() || mount("none", "/sys/fs/cgroup", "cgroup2", 0, NULL) < 0)
		cr_skip_test("needs the right to mount cgroup v2");
	cr_assert_eq(host_gather(&h, &arena, HOST_CGROUP, &err), 0);
	cr_expect_str_eq(h.cgroup_mount, "/sys/fs/cgroup");
}

Test(host_host, cgroup2_somewhere_else_and_nowhere)
{
	struct host h = {0}, none = {0};
	char dir[] = "/tmp/crt unit\ncgroup-XXXXXX";

	if (!private_mounts() || mount("none", "/sys/fs/cgroup", "tmpfs", 0, NULL) < 0)
		cr_skip_test("needs the right to mount");
	cr_assert_not_null(mkdtemp(dir));
	cr_assert_eq(mount("none", dir, "cgroup2", 0, NULL), 0);
	cr_assert_eq(host_gather(&h, &arena, HOST_CGROUP, &err), 0);
	cr_expect_str_eq(h.cgroup_mount, dir);
	umount(dir);
	rmdir(dir);
	cr_assert_eq(host_gather(&none, &arena, HOST_CONTROLLERS, &err), 0);
	cr_expect_null(none.cgroup_mount);
	cr_expect_str_eq(none.controllers, "");
}

/*
 * host_refusal.c - the setting that refused a namespace, found in a folder that stands for /proc/sys.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "libcontainer/host/host.h"

static char folder[] = "/tmp/crt-refusal-XXXXXX";
static int sysctls = -1;
static struct err err;

static void set_up(void)
{
	cr_assert_not_null(mkdtemp(folder));
	sysctls = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	cr_assert_eq(mkdirat(sysctls, "user", 0755), 0);
	cr_assert_eq(mkdirat(sysctls, "kernel", 0755), 0);
	err_sys(&err, EPERM, "cannot clone");
}

static void write_setting(const char *path, const char *text)
{
	fd_auto int fd = openat(sysctls, path, O_CREAT | O_WRONLY, 0644);

	cr_assert_eq(fd_write(fd, text, strlen(text)), 0);
}

static void tear_down(void)
{
	static const char *const files[] = {"user/max_user_namespaces", "user/max_net_namespaces",
		"kernel/unprivileged_userns_clone", "kernel/apparmor_restrict_unprivileged_userns"};

	for (size_t i = 0; i < 4; i++)
		unlinkat(sysctls, files[i], 0);
	unlinkat(sysctls, "user", AT_REMOVEDIR);
	unlinkat(sysctls, "kernel", AT_REMOVEDIR);
	fd_close(&sysctls);
	cr_assert_eq(rmdir(folder), 0);
}

TestSuite(host_refusal, .init = set_up, .fini = tear_down);

Test(host_refusal, debian)
{
	write_setting("kernel/unprivileged_userns_clone", "0\n");
	cr_assert(host_explain_namespaces(sysctls, CLONE_NEWUSER, EPERM, &err));
	cr_expect_str_eq(
		err.cause, "kernel.unprivileged_userns_clone is 0: only root may make user namespaces");
	cr_expect_str_eq(err.hint, "sysctl kernel.unprivileged_userns_clone=1");
	cr_expect(!host_explain_namespaces(sysctls, CLONE_NEWNET, EPERM, &err), "not a user namespace");
	cr_expect(!host_explain_namespaces(sysctls, CLONE_NEWUSER, EIO, &err));
}

Test(host_refusal, ubuntu)
{
	write_setting("kernel/unprivileged_userns_clone", "1\n");
	write_setting("kernel/apparmor_restrict_unprivileged_userns", "1\n");
	cr_assert(host_explain_namespaces(sysctls, CLONE_NEWUSER | CLONE_NEWNET, -EACCES, &err));
	cr_expect_str_eq(err.cause,
		"kernel.apparmor_restrict_unprivileged_userns is 1: AppArmor keeps privileges in new user "
		"namespaces from programs that have no profile for them");
	cr_expect_str_eq(err.hint, "give crt a profile with \"userns,\", or sysctl "
				   "kernel.apparmor_restrict_unprivileged_userns=0");
}

Test(host_refusal, nothing_forbids)
{
	write_setting("kernel/unprivileged_userns_clone", "1\n");
	write_setting("kernel/apparmor_restrict_unprivileged_userns", "0\n");
	cr_expect(!host_explain_namespaces(sysctls, CLONE_NEWUSER, EPERM, &err));
	cr_expect_str_eq(err.cause, "");
}

Test(host_refusal, limits)
{
	write_setting("user/max_user_namespaces", "5\n");
	write_setting("user/max_net_namespaces", "7\n");
	cr_assert(host_explain_namespaces(sysctls, CLONE_NEWUSER | CLONE_NEWNET, ENOSPC, &err));
	cr_expect_str_eq(err.cause,
		"a limit is reached, here or in a user namespace above, or they are nested too deep "
		"(user.max_net_namespaces is 7, user.max_user_namespaces is 5)");
	write_setting("user/max_user_namespaces", "0\n");
	cr_assert(host_explain_namespaces(sysctls, CLONE_NEWUSER | CLONE_NEWNET, ENOSPC, &err));
	cr_expect_str_eq(err.cause, "user.max_user_namespaces is 0");
	cr_expect_str_eq(err.hint, "sysctl user.max_user_namespaces=15000");
}

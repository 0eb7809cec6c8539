/*
 * base_path.c - paths inside a hostile root: whatever a path says, nothing outside is touched.
 */
#include "base/path.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"

static char top[64];  /* a scratch directory ... */
static int root = -1; /* ... and the root inside it, top/root */

static void set_up(void)
{
	strcpy(top, "/tmp/base_path.XXXXXX");
	cr_assert(mkdtemp(top));
	cr_assert_eq(chdir(top), 0);
	cr_assert_eq(mkdir("root", 0755), 0);
	root = open("root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	cr_assert_geq(root, 0);
}

static void tear_down(void)
{
	char command[128];

	fd_close(&root);
	snprintf(command, sizeof(command), "rm -rf %s", top);
	cr_assert_eq(system(command), 0);
}

TestSuite(path, .init = set_up, .fini = tear_down);

static bool exists(const char *name)
{
	struct stat st;

	return lstat(name, &st) == 0;
}

Test(path, clean)
{
	static const char *const cases[][2] = {{"/", "/"}, {"", "/"}, {"a", "/a"}, {"/a/b", "/a/b"},
		{"/a//b/", "/a/b"}, {"/a/./b", "/a/b"}, {"/a/../b", "/b"}, {"/../..", "/"},
		{"/a/b/../../..", "/"}, {"/a/..b/...", "/a/..b/..."}, {"../x", "/x"}};
	char buf[64];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cr_expect_eq(path_clean(cases[i][0], buf, sizeof(buf)), (ssize_t)strlen(cases[i][1]));
		cr_expect_str_eq(buf, cases[i][1], "%s", cases[i][0]);
	}
	cr_expect_eq(path_clean("/12345678", buf, 9), -ENAMETOOLONG);
	cr_expect_eq(path_clean("/1234567", buf, 9), 8);
}

Test(path, is_below)
{
	cr_expect(path_is_below("/a/b", "/a"));
	cr_expect(path_is_below("/a", "/a"));
	cr_expect(path_is_below("/a", "/"));
	cr_expect_not(path_is_below("/ab", "/a"));
	cr_expect_not(path_is_below("/", "/a"));
}

Test(path, open_stays_inside)
{
	cr_assert_eq(symlink("../../../../../../etc/passwd", "root/up"), 0);
	cr_assert_eq(symlink("/etc/passwd", "root/abs"), 0);
	cr_expect_eq(path_open(root, "up", O_PATH), -ENOENT);
	cr_expect_eq(path_open(root, "abs", O_PATH), -ENOENT);
	cr_expect_eq(path_open(root, "/../../etc/passwd", O_PATH), -ENOENT);
	fd_auto int link = path_open(root, "abs", O_PATH | O_NOFOLLOW);
	cr_expect_geq(link, 0, "the link itself is inside");
}

Test(path, open_takes_no_magic_link)
{
	fd_auto int slash = open("/", O_PATH | O_CLOEXEC);

	cr_expect_eq(path_open(slash, "/proc/self/root/etc", O_PATH), -ELOOP);
	cr_expect_eq(path_open(slash, "/proc/self/cwd", O_PATH), -ELOOP);
}

Test(path, make_directories_and_file)
{
	bool created = false;
	struct stat st;
	fd_auto int file = path_make(root, "/a/b/c", PATH_FILE, 0750, &created);

	cr_assert_geq(file, 0);
	cr_expect(created);
	cr_assert_eq(stat("root/a/b", &st), 0);
	cr_expect(S_ISDIR(st.st_mode));
	cr_expect_eq(st.st_mode & 07777, 0750);
	cr_assert_eq(stat("root/a/b/c", &st), 0);
	cr_expect(S_ISREG(st.st_mode));
	cr_expect_eq(st.st_size, 0);
	fd_auto int again = path_make(root, "/a/b/c", PATH_FILE, 0750, &created);
	cr_expect_geq(again, 0);
	cr_expect_not(created);
}

Test(path, make_follows_dangling_links_inside)
{
	/* An image's /etc/resolv.conf, as systemd leaves it: the target is not there before boot. */
	cr_assert_eq(mkdir("root/etc", 0755), 0);
	cr_assert_eq(symlink("../run/systemd/resolve/stub", "root/etc/resolv.conf"), 0);
	fd_auto int file = path_make(root, "/etc/resolv.conf", PATH_FILE, 0755, NULL);
	cr_expect_geq(file, 0);
	cr_expect(exists("root/run/systemd/resolve/stub"));
}

Test(path, make_absolute_dangling_link_is_of_the_root)
{
	char outside[96], target[128];

	snprintf(outside, sizeof(outside), "%s/outside", top);
	cr_assert_eq(symlink(outside, "root/link"), 0);
	fd_auto int dir = path_make(root, "link/x", PATH_DIRECTORY, 0755, NULL);
	cr_expect_geq(dir, 0);
	cr_expect_not(exists("outside"));
	snprintf(target, sizeof(target), "root%s/x", outside);
	cr_expect(exists(target));
}

Test(path, make_climbs_no_higher_than_the_root)
{
	cr_assert_eq(symlink("../../../../outside", "root/link"), 0);
	fd_auto int dir = path_make(root, "/link", PATH_DIRECTORY, 0755, NULL);
	cr_expect_geq(dir, 0);
	cr_expect_not(exists("outside"));
	cr_expect(exists("root/outside"));
	fd_auto int dots = path_make(root, "../../dots", PATH_DIRECTORY, 0755, NULL);
	cr_expect_geq(dots, 0);
	cr_expect_not(exists("dots"));
	cr_expect(exists("root/dots"));
}

Test(path, make_refuses_loops_and_nonsense)
{
	char name[300];

	cr_assert_eq(symlink("loop", "root/loop"), 0);
	cr_expect_eq(path_make(root, "loop", PATH_DIRECTORY, 0755, NULL), -ELOOP);
	cr_assert_eq(symlink("b", "root/a"), 0);
	cr_assert_eq(symlink("a/x", "root/b"), 0);
	cr_expect_lt(path_make(root, "a", PATH_DIRECTORY, 0755, NULL), 0);
	fd_auto int through = path_make(root, "missing/../x", PATH_DIRECTORY, 0755, NULL);
	cr_expect_geq(through, 0);
	cr_expect(exists("root/missing") && exists("root/x"), "as the kernel would walk it");
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	cr_expect_eq(path_make(root, name, PATH_DIRECTORY, 0755, NULL), -ENAMETOOLONG);
	cr_assert_eq(close(open("root/file", O_CREAT | O_WRONLY | O_CLOEXEC, 0600)), 0);
	cr_expect_eq(path_make(root, "file/x", PATH_DIRECTORY, 0755, NULL), -ENOTDIR);
}

Test(path, make_parent)
{
	const char *name = NULL;
	fd_auto int dir = path_make_parent(root, "/dev/net/tun", 0755, &name);

	cr_assert_geq(dir, 0);
	cr_expect_str_eq(name, "tun");
	cr_expect(exists("root/dev/net"));
	cr_expect_not(exists("root/dev/net/tun"));
	cr_expect_eq(path_make_parent(root, "/dev/", 0755, &name), -EINVAL);
	cr_expect_eq(path_make_parent(root, "/dev/..", 0755, &name), -EINVAL);
}

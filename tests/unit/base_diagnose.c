/*
 * base_diagnose.c - what is said of a path that was refused. Programs are looked at by tests/e2e.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/diagnose.h"
#include "base/err.h"
#include "base/str.h"

static char folder[] = "/tmp/crt-diagnose-XXXXXX";

static void set_up(void)
{
	cr_assert_not_null(mkdtemp(folder));
	cr_assert_eq(chdir(folder), 0);
	cr_assert_eq(mkdir("dir", 0755), 0);
	close(open("file", O_CREAT | O_WRONLY, 0644));
	cr_assert_eq(symlink("dir", "link"), 0);
	cr_assert_eq(symlink("gone", "dangling"), 0);
	cr_assert_eq(symlink("circle", "circle"), 0);
}

static void tear_down(void)
{
	unlink("file"), unlink("link"), unlink("dangling"), unlink("circle"), rmdir("dir");
	cr_assert_eq(chdir("/"), 0);
	cr_assert_eq(rmdir(folder), 0);
}

TestSuite(base_diagnose, .init = set_up, .fini = tear_down);

static const char *cause(const char *path, int errnum)
{
	static struct diagnosis d;

	diagnose_path(AT_FDCWD, path, errnum, &d);
	return d.cause;
}

Test(base_diagnose, what_is_missing)
{
	cr_expect_str_eq(cause("dir/a", ENOENT), "dir/a does not exist");
	cr_expect_str_eq(cause("dir/a/b/c", -ENOENT), "the directory dir/a does not exist");
	cr_expect_str_eq(
		cause("link/a", ENOENT), "the symbolic link link leads to dir/a, which does not exist");
	cr_expect_str_eq(
		cause("dangling", ENOENT), "the symbolic link dangling leads to gone, which does not exist");
	cr_expect_str_eq(cause("/no/where", ENOENT), "the directory /no does not exist");
}

Test(base_diagnose, what_is_no_directory)
{
	cr_expect_str_eq(cause("file/a", ENOTDIR), "file is not a directory");
	cr_expect_str_eq(cause("file", ENOTDIR), "file is not a directory");
	cr_expect_str_eq(cause("circle", ELOOP), "symbolic links lead in a circle, circle is one of them");
}

Test(base_diagnose, what_may_not_be_written)
{
	char expected[256];

	snprintf(expected, sizeof(expected),
		"the directory dir (mode 0755, owner %u:%u) may not be written by uid %u, gid %u", geteuid(),
		getegid(), geteuid(), getegid());
	cr_expect_str_eq(cause("dir/new", EACCES), expected);
}

Test(base_diagnose, inside_a_root)
{
	struct diagnosis d;
	int root = open("dir", O_PATH | O_DIRECTORY);

	cr_assert_eq(symlink("/a/b", "dir/absolute"), 0);
	cr_assert_eq(symlink("../../file", "dir/up"), 0);
	diagnose_path_inside(root, "absolute", ENOENT, &d);
	cr_expect_str_eq(d.cause, "the symbolic link /absolute leads to /a, which does not exist");
	diagnose_path_inside(root, "/../up", EROFS, &d);
	cr_expect_str_eq(d.cause, "the symbolic link /up leads to /file, which does not exist");
	unlink("dir/absolute"), unlink("dir/up");
	close(root);
}

Test(base_diagnose, nothing_is_known)
{
	cr_expect_str_eq(cause("dir", EIO), "");
	cr_expect_str_eq(cause("dir", ENOENT), "", "it is there by now");
	char *longest = malloc(100000);
	memset(longest, 'a', 99999);
	longest[99999] = '\0';
	cr_expect_str_eq(cause(longest, ENOENT), "");
	memset(longest, '/', 4000);
	longest[4000] = '\0';
	cr_expect_str_eq(cause(longest, ENOENT), "");
	free(longest);
}

Test(base_diagnose, of_an_error)
{
	struct err e;

	err_sys(&e, ENOENT, "open");
	cr_assert_eq(diagnose_err(&e, AT_FDCWD, "dir/a"), -ENOENT);
	cr_expect_str_eq(e.cause, "dir/a does not exist");
	cr_expect_str_eq(e.target, "dir/a");
}

Test(base_diagnose, printable)
{
	char text[] = "a\x1b[1m\n\tb\x7f\xc2\x9bz\xc3\xa9";

	str_make_printable(text);
	cr_expect_str_eq(text, "a?[1m?\tb???z\xc3\xa9");
	char broken[] = "\x9b"
			"31m\xff\xc3\xc3\xa9\xe2\x82";
	str_make_printable(broken);
	cr_expect_str_eq(broken, "?31m??\xc3\xa9??");
}

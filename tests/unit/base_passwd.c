/*
 * base_passwd.c - the home directory in hostile user databases.
 */
#include "base/passwd.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"

static char home[64];

static int look_up(const char *text, uid_t uid)
{
	fd_auto int fd = memfd_create("passwd", MFD_CLOEXEC);

	memset(home, 0, sizeof(home));
	cr_assert_eq(fd_write(fd, text, strlen(text)), 0);
	cr_assert_eq(lseek(fd, 0, SEEK_SET), 0);
	return passwd_home(fd, uid, home, sizeof(home));
}

Test(passwd, found)
{
	const char *text = "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:,,,:/home/user:/bin/sh\n";

	cr_expect_eq(look_up(text, 0), 0);
	cr_expect_str_eq(home, "/root");
	cr_expect_eq(look_up(text, 1000), 0);
	cr_expect_str_eq(home, "/home/user");
	cr_expect_eq(look_up(text, 1), -ENOENT);
}

Test(passwd, the_last_line_may_lack_its_end)
{
	cr_expect_eq(look_up("a:x:7:7::/a:", 7), 0);
	cr_expect_str_eq(home, "/a");
}

Test(passwd, a_name_is_no_number)
{
	/* CVE-2016-3697: a user called "1000" is not user 1000. */
	cr_expect_eq(look_up("1000:x:0:0::/evil:/bin/sh\n", 1000), -ENOENT);
}

Test(passwd, what_is_no_line_is_passed_over)
{
	cr_expect_eq(look_up("", 0), -ENOENT);
	cr_expect_eq(look_up("\n\n:::\nx\na:b:c:d:e:f:g\n:x:-0:0::/a:\n:x:0x0:0::/b:\n:x: 0:0::/c:\n", 0),
		-ENOENT);
	cr_expect_eq(look_up("a:x:0:0::/too:many:/colons\nb:x:0:0::/b:/bin/sh\n", 0), 0);
	cr_expect_str_eq(home, "/b");
	cr_expect_eq(look_up("a:x:4294967296:0::/wrapped:\n", 0), -ENOENT);
	cr_expect_eq(look_up("a:x:0:0:::\n", 0), -ENOENT, "an empty home is none");
}

Test(passwd, long_lines)
{
	static char text[20000];

	memset(text, 'x', 9000);
	strcpy(text + 9000, ":x:0:0::/long:\nb:x:0:0::/b:\n");
	cr_expect_eq(look_up(text, 0), 0);
	cr_expect_str_eq(home, "/b");
	strcpy(text, "a:x:0:0::/");
	memset(text + 10, 'y', 200);
	strcpy(text + 210, ":\n");
	cr_expect_eq(look_up(text, 0), -ENAMETOOLONG);
}

Test(passwd, many_lines)
{
	static char text[200000];
	size_t n = 0;

	for (int i = 1; i < 4000; i++)
		n += (size_t)sprintf(text + n, "u%d:x:%d:%d::/home/u%d:/bin/sh\n", i, i, i, i);
	for (uid_t uid = 1; uid < 4000; uid += 333) {
		char expected[32];
		cr_expect_eq(look_up(text, uid), 0);
		sprintf(expected, "/home/u%u", uid);
		cr_expect_str_eq(home, expected);
	}
}

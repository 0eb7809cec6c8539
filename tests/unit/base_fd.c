/*
 * base_fd.c - file descriptors: who owns them, whole reads and writes, files replaced in one step.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"

static char top[64];
static int dir = -1;
static struct arena arena;

static void set_up(void)
{
	snprintf(top, sizeof(top), "%s", "/tmp/crt-fd-XXXXXX");
	cr_assert(mkdtemp(top));
	dir = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_geq(dir, 0);
	cr_assert_eq(arena_init(&arena, NULL), 0);
}

static void tear_down(void)
{
	char command[100];

	snprintf(command, sizeof(command), "rm -rf %s", top);
	cr_assert_eq(system(command), 0);
	close(dir);
	arena_free(&arena);
}

TestSuite(base_fd, .init = set_up, .fini = tear_down);

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

Test(base_fd, close_and_take)
{
	int fd = open("/dev/null", O_RDONLY), number = fd;

	cr_assert_eq(fd_take(&fd), number);
	cr_assert_eq(fd, -1);
	fd_close(&fd);
	cr_assert(is_open(number));
	errno = 42;
	fd_close(&number);
	cr_assert_eq(errno, 42);
	cr_assert_eq(number, -1);
}

static int open_in_a_scope(void)
{
	fd_auto int fd = open("/dev/null", O_RDONLY);

	return fd;
}

Test(base_fd, closed_at_the_end_of_its_scope)
{
	cr_assert_not(is_open(open_in_a_scope()));
}

/* A pipe holds less than this: reader and writer must go on after partial transfers. */
Test(base_fd, whole_transfers_through_a_pipe)
{
	enum { SIZE = 1000000 };
	char *out = arena_alloc(&arena, SIZE), *in = arena_alloc(&arena, SIZE + 10);
	int fds[2], status;

	for (size_t i = 0; i < SIZE; i++)
		out[i] = (char)(i * 7);
	cr_assert_eq(pipe(fds), 0);
	pid_t pid = fork();
	if (pid == 0) {
		close(fds[0]);
		_exit(fd_write(fds[1], out, SIZE) == 0 ? 0 : 1);
	}
	close(fds[1]);
	cr_assert_eq(fd_read(fds[0], in, SIZE + 10), SIZE);
	cr_assert(memcmp(in, out, SIZE) == 0);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert_eq(status, 0);
	close(fds[0]);
}

Test(base_fd, errors_are_returned)
{
	char buf[4], *text;

	cr_assert_eq(fd_read(-1, buf, sizeof(buf)), -EBADF);
	cr_assert_eq(fd_write(-1, "x", 1), -EBADF);
	cr_assert_eq(fd_read_file(dir, "none", buf, sizeof(buf)), -ENOENT);
	cr_assert_eq(fd_write_file(dir, "none", "x"), -ENOENT);
	cr_assert_eq(fd_read_all(dir, &arena, 100, &text), -EISDIR);
	cr_assert_eq(fd_replace_file(dir, "a/b", "x", 1, 0600), -ENOENT);
}

Test(base_fd, small_files)
{
	char buf[6];

	cr_assert_eq(fd_replace_file(dir, "f", "hello", 5, 0640), 0);
	cr_assert_eq(fd_read_file(dir, "f", buf, sizeof(buf)), 5);
	cr_assert_str_eq(buf, "hello");
	cr_assert_eq(fd_read_file(dir, "f", buf, 5), -EFBIG, "there is no room for the NUL");
	cr_assert_eq(fd_write_file(dir, "f", "J"), 0);
	cr_assert_eq(fd_read_file(dir, "f", buf, sizeof(buf)), 5);
	cr_assert_str_eq(buf, "Jello", "written, not truncated: for files of the kernel");
}

Test(base_fd, replaced_in_one_step)
{
	char buf[16];
	struct stat st;

	umask(0);
	cr_assert_eq(fd_replace_file(dir, "f", "old", 3, 0600), 0);
	int old = openat(dir, "f", O_RDONLY);
	cr_assert_eq(fd_replace_file(dir, "f", "newer", 5, 0604), 0);
	cr_assert_eq(fd_read(old, buf, sizeof(buf)), 3, "who has the old file still reads it");
	cr_assert_eq(fd_read_file(dir, "f", buf, sizeof(buf)), 5);
	cr_assert_eq(fstatat(dir, "f", &st, 0), 0);
	cr_assert_eq(st.st_mode & 07777, 0604u);
	close(old);
	cr_assert_eq(mkdirat(dir, "d", 0700), 0);
	cr_assert_lt(fd_replace_file(dir, "d", "x", 1, 0600), 0);
	char list[300];
	snprintf(list, sizeof(list), "test \"$(ls -A %s | tr '\\n' ' ')\" = 'd f '", top);
	cr_assert_eq(system(list), 0, "no temporary file stays behind");
}

Test(base_fd, whole_files)
{
	char *text;

	cr_assert_eq(fd_replace_file(dir, "f", "a\0b", 3, 0600), 0);
	int fd = openat(dir, "f", O_RDONLY);
	cr_assert_eq(fd_read_all(fd, &arena, 100, &text), 3);
	cr_assert(memcmp(text, "a\0b", 4) == 0);
	cr_assert_eq(lseek(fd, 0, SEEK_SET), 0);
	cr_assert_eq(fd_read_all(fd, &arena, 3, &text), 3);
	cr_assert_eq(lseek(fd, 0, SEEK_SET), 0);
	cr_assert_eq(fd_read_all(fd, &arena, 2, &text), -EFBIG);
	close(fd);
	fd = open("/proc/self/stat", O_RDONLY); /* says it is empty, and is not */
	cr_assert_gt(fd_read_all(fd, &arena, 100000, &text), 20);
	close(fd);
	fd = open("/dev/zero", O_RDONLY);
	cr_assert_eq(fd_read_all(fd, &arena, 1000, &text), -EFBIG);
	close(fd);
}

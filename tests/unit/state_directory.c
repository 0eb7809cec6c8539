/*
 * state_directory.c - claiming, locking, finding and removing the directories of containers.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "libcontainer/state/state.h"

static char top[64], root[80];
static int root_fd = -1;
static struct err error;

static void set_up(void)
{
	snprintf(top, sizeof(top), "%s", "/tmp/crt-state-XXXXXX");
	cr_assert(mkdtemp(top));
	snprintf(root, sizeof(root), "%s/a/root", top);
	root_fd = state_root_open(root, true, &error);
	cr_assert_geq(root_fd, 0, "%s", error.message);
}

static void tear_down(void)
{
	char command[100];

	close(root_fd);
	snprintf(command, sizeof(command), "rm -rf %s", top);
	cr_assert_eq(system(command), 0);
}

TestSuite(state_directory, .init = set_up, .fini = tear_down);

static mode_t mode_of(const char *path)
{
	struct stat st;

	cr_assert_eq(stat(path, &st), 0);
	return st.st_mode & 07777;
}

Test(state_directory, ids)
{
	static const char *const good[] = {"a", "A_b-c+d.e", "-x", "+", "_", "0", "a..b", "x."};
	static const char *const bad[] = {
		"", ".", "..", ".hidden", "a/b", "/", "a b", "a\nb", "\xc3\xa4", "a:b", "../x"};
	char text[258];

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		cr_expect_eq(state_id_check(good[i], &error), 0, "%s", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect_eq(state_id_check(bad[i], &error), -EINVAL, "%s", bad[i]);
	memset(text, 'x', sizeof(text));
	text[256] = '\0';
	cr_expect_eq(state_id_check(text, &error), -EINVAL);
	text[255] = '\0';
	cr_expect_eq(state_id_check(text, &error), 0);
}

Test(state_directory, the_root_is_made_on_demand_only)
{
	char other[80];

	cr_expect_eq(mode_of(root), 0700);
	snprintf(other, sizeof(other), "%s/none", top);
	cr_expect_eq(state_root_open(other, false, &error), -ENOENT);
	cr_expect_eq(access(other, F_OK), -1);
	cr_expect_eq(state_find(other, "x", STATE_LOCK_EXCLUSIVE, NULL, &error), -ENOENT);
	cr_expect_str_eq(error.message, "container \"x\" does not exist");
	cr_expect_eq(access(other, F_OK), -1);
}

Test(state_directory, a_root_for_everyone_is_refused)
{
	chmod(root, 0777);
	cr_expect_eq(state_root_open(root, true, &error), -EPERM);
	cr_expect(strstr(error.message, "writable for everyone"), "%s", error.message);
	chmod(root, 01777);
	fd_auto int fd = state_root_open(root, true, &error);
	cr_expect_geq(fd, 0);
}

Test(state_directory, a_claim_is_exclusive_and_private)
{
	char path[120];
	fd_auto int fd = state_claim(root_fd, "c1", &error);

	cr_assert_geq(fd, 0, "%s", error.message);
	snprintf(path, sizeof(path), "%s/c1", root);
	cr_expect_eq(mode_of(path), 0700);
	cr_expect_eq(state_claim(root_fd, "c1", &error), -EEXIST);
	cr_expect_str_eq(error.message, "container \"c1\" exists already (creating)");
	fd_close(&fd);
	cr_expect_eq(state_claim(root_fd, "c1", &error), -EEXIST);
	cr_expect_str_eq(error.message, "container \"c1\" exists already (stopped)");
	cr_expect_str_eq(error.hint, "\"crt delete c1\" removes it");
	cr_expect_eq(state_claim(root_fd, "../c2", &error), -EINVAL);
}

Test(state_directory, one_exclusive_lock_at_a_time)
{
	fd_auto int first = state_claim(root_fd, "c1", &error);
	fd_auto int second = state_open(root_fd, "c1", STATE_LOOK, &error);

	cr_assert(first >= 0 && second >= 0);
	cr_expect_eq(flock(second, LOCK_EX | LOCK_NB), -1);
	fd_close(&first);
	cr_expect_eq(flock(second, LOCK_EX | LOCK_NB), 0);
}

/* Until the process is waiting for a lock: a blocked one is marked "->". */
static void wait_until_it_waits(pid_t pid)
{
	char text[65536], word[32];

	snprintf(word, sizeof(word), " %d ", (int)pid);
	for (int round = 0; round < 3000; round++) {
		ssize_t n = fd_read_file(AT_FDCWD, "/proc/locks", text, sizeof(text));
		cr_assert(n >= 0 || n == -EFBIG);
		for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
			if (strstr(line, "->") && strstr(line, word))
				return;
		usleep(10000);
	}
	cr_assert_fail("it does not wait for the lock");
}

Test(state_directory, one_who_waited_for_the_lock_looks_again)
{
	fd_auto int creator = state_claim(root_fd, "c1", &error);
	pid_t child = fork();

	if (child == 0) {
		close(creator); /* the lock lives as long as any copy of its fd */
		int fd = state_open(root_fd, "c1", STATE_LOCK_EXCLUSIVE, &error);
		_exit(fd == -ENOENT ? 0 : 1);
	}
	wait_until_it_waits(child);
	cr_assert_eq(state_remove(root_fd, "c1", creator, &error), 0);
	fd_auto int next = state_claim(root_fd, "c1", &error); /* the same id, another container */
	cr_assert_geq(next, 0);
	fd_close(&creator);
	int status = -1;
	waitpid(child, &status, 0);
	cr_expect_eq(status, 0, "it took the lock of the wrong container");
}

Test(state_directory, what_is_no_directory_is_no_container)
{
	fd_auto int file = openat(root_fd, "file", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	cr_assert_geq(file, 0);
	cr_assert_eq(symlinkat("/", root_fd, "link"), 0);
	cr_expect_eq(state_open(root_fd, "file", STATE_LOOK, &error), -ENOENT);
	cr_expect_eq(state_open(root_fd, "link", STATE_LOCK_EXCLUSIVE, &error), -ENOENT);
	cr_expect_eq(state_open(root_fd, "none", STATE_LOOK, &error), -ENOENT);
}

Test(state_directory, remove_takes_every_file_and_is_idempotent)
{
	fd_auto int dirfd = state_claim(root_fd, "c1", &error);
	char name[32];

	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "file-with-a-long-name-%d", i);
		fd_auto int fd = openat(dirfd, name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
		cr_assert_geq(fd, 0);
	}
	fd_replace_file(dirfd, "state.json", "{}", 2, 0600);
	cr_expect_eq(state_remove(root_fd, "c1", dirfd, &error), 0, "%s", error.message);
	cr_expect_eq(faccessat(root_fd, "c1", F_OK, 0), -1);
	cr_expect_eq(state_remove(root_fd, "c1", dirfd, &error), 0, "%s", error.message);
}

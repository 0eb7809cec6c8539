/*
 * base_child.c - programs run to their end: what goes in, what comes out, what happens to those that hang.
 */
#include "base/child.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct child_result result;

static int shell(const char *script, const char *input, int timeout_ms)
{
	char *argv[] = {"sh", "-c", (char *)script, NULL};
	char *envp[] = {"ONLY=this", "PATH=/usr/bin:/bin", NULL};
	struct child_program p = {.path = "/bin/sh",
		.argv = argv,
		.envp = envp,
		.cwd = "/",
		.input = input,
		.timeout_ms = timeout_ms};

	return child_run(&p, &result);
}

Test(child, exit_code_and_output)
{
	cr_assert_eq(shell("echo out; echo err >&2; exit 7", NULL, -1), 0);
	cr_expect(WIFEXITED(result.status));
	cr_expect_eq(WEXITSTATUS(result.status), 7);
	cr_expect(strstr(result.output, "out\n"));
	cr_expect(strstr(result.output, "err\n"));
	cr_expect_not(result.timed_out);
}

Test(child, input_environment_and_directory)
{
	cr_assert_eq(shell("cat; pwd; env", "hello", -1), 0);
	cr_expect_eq(strncmp(result.output, "hello/\n", 7), 0, "%s", result.output);
	cr_expect(strstr(result.output, "ONLY=this"));
	cr_expect_not(strstr(result.output, "HOME="));
}

Test(child, no_input_is_end_of_file)
{
	cr_assert_eq(shell("read x || echo eof", NULL, 5000), 0);
	cr_expect_str_eq(result.output, "eof\n");
}

Test(child, input_nobody_reads)
{
	static char large[1 << 20];

	memset(large, 'x', sizeof(large) - 1);
	cr_assert_eq(shell("exec <&-; exit 3", large, 5000), 0);
	cr_expect_eq(WEXITSTATUS(result.status), 3, "EPIPE is the program's choice, not a failure");
}

Test(child, large_input_arrives_whole)
{
	static char large[300000];

	memset(large, 'x', sizeof(large) - 1);
	cr_assert_eq(shell("wc -c", large, 10000), 0);
	cr_expect(strstr(result.output, "299999"), "%s", result.output);
}

Test(child, only_the_tail_is_kept)
{
	cr_assert_eq(shell("i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i+1)); done; echo the end",
			     NULL, 10000),
		0);
	cr_expect_lt(strlen(result.output), sizeof(result.output));
	cr_expect_str_eq(result.output + strlen(result.output) - 8, "the end\n");
}

Test(child, killed_at_its_deadline)
{
	struct timespec before, after;

	clock_gettime(CLOCK_MONOTONIC, &before);
	cr_assert_eq(shell("echo starting; exec sleep 60", NULL, 300), 0);
	clock_gettime(CLOCK_MONOTONIC, &after);
	cr_expect(result.timed_out);
	cr_expect(WIFSIGNALED(result.status));
	cr_expect_eq(WTERMSIG(result.status), SIGKILL);
	cr_expect_lt(after.tv_sec - before.tv_sec, 10);
	cr_expect(strstr(result.output, "starting"));
}

Test(child, a_grandchild_that_keeps_the_pipe_keeps_nobody)
{
	struct timespec before, after;

	clock_gettime(CLOCK_MONOTONIC, &before);
	cr_assert_eq(shell("sleep 20 & exit 0", NULL, -1), 0);
	clock_gettime(CLOCK_MONOTONIC, &after);
	cr_expect_eq(result.status, 0);
	cr_expect_lt(after.tv_sec - before.tv_sec, 10);
}

Test(child, killed_by_a_signal)
{
	cr_assert_eq(shell("kill -TERM $$", NULL, -1), 0);
	cr_expect(WIFSIGNALED(result.status));
	cr_expect_eq(WTERMSIG(result.status), SIGTERM);
}

Test(child, cannot_be_started)
{
	char *argv[] = {"x", NULL}, *envp[] = {NULL};
	struct child_program p = {.path = "/does/not/exist", .argv = argv, .envp = envp, .timeout_ms = -1};

	cr_expect_eq(child_run(&p, &result), -ENOENT);
	p.path = "/";
	cr_expect_eq(child_run(&p, &result), -EACCES);
	p.path = "/bin/sh";
	p.cwd = "/does/not/exist";
	cr_expect_eq(child_run(&p, &result), -ENOENT);
}

Test(child, inherits_no_fd_and_no_ignored_signal)
{
	int leaked = open("/dev/null", O_RDONLY); /* without O_CLOEXEC */

	signal(SIGTERM, SIG_IGN);
	cr_assert_eq(shell("ls /proc/self/fd | tr '\\n' ' '; kill -TERM $$; echo survived", NULL, 5000), 0);
	close(leaked);
	cr_expect_eq(strncmp(result.output, "0 1 2 3 ", 8), 0, "3 is the listing's own: %s", result.output);
	cr_expect_not(strstr(result.output, " 4 "));
	cr_expect_not(strstr(result.output, "survived"));
}

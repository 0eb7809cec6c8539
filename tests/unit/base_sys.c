/*
 * base_sys.c - the system call that is more than a wrapper: a clone in the caller's memory.
 */
#include "base/sys.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct seen {
	pid_t pid, parent;
	sigset_t blocked;
	size_t depth;
};

static size_t use_stack(size_t pages)
{
	volatile char page[4096];

	memset((char *)page, 0x5a, sizeof(page));
	return pages ? 1 + use_stack(pages - 1) + (size_t)(page[7] != 0x5a) : 0;
}

static void look(void *argument)
{
	struct seen *seen = argument;

	seen->pid = getpid();
	seen->parent = getppid();
	sigprocmask(SIG_BLOCK, NULL, &seen->blocked);
	seen->depth = use_stack(32);
}

static pid_t clone_to_look(struct clone_args *args, struct seen *seen)
{
	pid_t pid = sys_clone3_vfork(args, look, seen);

	if (pid == -ENOSYS)
		cr_skip_test("not written for this processor, or under AddressSanitizer");
	return pid;
}

static int status_of(pid_t pid)
{
	int status = -1;

	cr_assert_eq(waitpid(pid, &status, 0), pid);
	return status;
}

Test(base_sys, vfork_runs_in_this_memory_and_leaves_this_stack_alone)
{
	struct clone_args args = {.exit_signal = SIGCHLD};
	struct seen seen = {0};
	char here[512];

	memset(here, 0x33, sizeof(here));
	pid_t pid = clone_to_look(&args, &seen);
	cr_assert_gt(pid, 0, "%s", strerror(-pid));
	cr_expect_eq(seen.pid, pid, "it has ended by now, and was another process");
	cr_expect_eq(seen.parent, getpid());
	cr_expect_eq(seen.depth, 32);
	cr_expect_eq(status_of(pid), 0);
	for (size_t i = 0; i < sizeof(here); i++)
		cr_assert_eq(here[i], 0x33, "byte %zu", i);
	cr_expect_eq(args.flags, 0, "the caller's arguments stay as they are");
}

Test(base_sys, vfork_handles_no_signal_meanwhile)
{
	struct clone_args args = {.exit_signal = SIGCHLD};
	struct seen seen = {0};
	sigset_t before, after;

	sigemptyset(&before);
	sigaddset(&before, SIGUSR2);
	sigprocmask(SIG_SETMASK, &before, NULL);
	pid_t pid = clone_to_look(&args, &seen);
	cr_expect(sigismember(&seen.blocked, SIGINT) && sigismember(&seen.blocked, SIGTERM));
	sigprocmask(SIG_BLOCK, NULL, &after);
	cr_expect(sigismember(&after, SIGUSR2) && !sigismember(&after, SIGINT));
	status_of(pid);
}

Test(base_sys, vfork_says_what_the_kernel_says)
{
	struct clone_args args = {.exit_signal = SIGCHLD, .flags = CLONE_INTO_CGROUP, .cgroup = 1000};
	struct seen seen = {0};

	pid_t pid = clone_to_look(&args, &seen);
	cr_expect_eq(pid, -EBADF);
	cr_expect_eq(seen.pid, 0);
}

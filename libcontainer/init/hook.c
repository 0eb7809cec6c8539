/*
 * hook.c - one hook, to its end. Runs in the parent (prestart, createRuntime, poststart, poststop) and in
 * init (createContainer, startContainer), where its path is looked up accordingly.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "base/child.h"
#include "base/diagnose.h"
#include "base/str.h"
#include "libcontainer/init/init.h"

static const char *how_it_ended(const struct child_result *result, char *buf, size_t size)
{
	struct str_buf b;

	str_buf_init(&b, buf, size);
	if (result->timed_out)
		str_buf_add(&b, "it took longer than its timeout and was killed");
	else if (result->abandoned)
		str_buf_add(&b, "it was killed, since the container's init has ended");
	else if (WIFSIGNALED(result->status))
		str_buf_add(&b, "it was killed by signal %d", WTERMSIG(result->status));
	else
		str_buf_add(&b, "it ended with exit code %d", WEXITSTATUS(result->status));
	/* What it wrote last is the best explanation there is. */
	size_t n = strlen(result->output);
	while (n && (result->output[n - 1] == '\n' || result->output[n - 1] == ' '))
		n--;
	if (n)
		str_buf_add(&b, ": %.*s", (int)n, result->output);
	/* One line, and nothing that a terminal would obey: a startContainer hook is a program of the image.
	 */
	for (size_t i = 0; i < b.length; i++)
		if ((unsigned char)buf[i] < ' ' || buf[i] == 127)
			buf[i] = ' ';
	return buf;
}

static int not_executed(struct init *in, int error, const char *path)
{
	struct diagnosis d;

	diagnose_program(path, error, &d);
	init_cause(in, error, d.cause, d.hint);
	return init_detail(in, error, "it could not be executed");
}

int init_hook(struct init *in, const struct plan_op *op)
{
	const struct plan_shared *shared = in->plan->shared;
	struct child_program program = {
		.path = op->hook.path,
		.argv = op->hook.args,
		.envp = op->hook.env,
		.cwd = op->hook.cwd,
		.stdout_file = op->hook.stdout_file,
		.stderr_file = op->hook.stderr_file,
		.input = op->hook.created ? shared->state_created : shared->state_creating,
		.timeout_ms = op->hook.timeout_ms,
		.abandon_fd = in->abandon_fd,
	};
	struct child_result result;
	char text[sizeof(in->message.detail)];

	int r = child_run(&program, &result);
	if (r == -ECHILD)
		return init_detail(in, r, "nobody knows how it ended: this process ignores SIGCHLD");
	if (r < 0)
		return not_executed(in, r, op->hook.path);
	if (!result.timed_out && WIFEXITED(result.status) && WEXITSTATUS(result.status) == 0)
		return 0;
	return init_detail(
		in, result.timed_out ? -ETIMEDOUT : -ECHILD, how_it_ended(&result, text, sizeof(text)));
}

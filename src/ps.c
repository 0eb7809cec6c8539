/*
 * ps.c - `crt ps`: what ps(1) of the host says about the processes of a container.
 *
 * The table is that of ps(1) with the caller's options, less the lines whose PID is none of the container's.
 * Columns before the PID must not hold blanks, as runc has it, too.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "src/command.h"

struct pid_set {
	pid_t *pids; /* ascending */
	size_t count;
};

static int by_number(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return (x > y) - (x < y);
}

static bool contains(const struct pid_set *set, const char *word, size_t length)
{
	char digits[16];
	uint64_t number;

	if (length >= sizeof(digits))
		return false;
	memcpy(digits, word, length);
	digits[length] = '\0';
	if (str_to_u64(digits, &number) < 0)
		return false;
	pid_t pid = (pid_t)number;
	return bsearch(&pid, set->pids, set->count, sizeof(pid), by_number);
}

/* The word at `column` of a line (counted from 0), or "" when there are not so many. */
static const char *word_at(const char *line, int column, size_t *length)
{
	line += strspn(line, " ");
	for (; column > 0; column--) {
		line += strcspn(line, " \n");
		line += strspn(line, " ");
	}
	*length = strcspn(line, " \n");
	return line;
}

/* Which column of the heading is called PID; -1: none. */
static int find_pid_column(const char *heading)
{
	for (int column = 0;; column++) {
		size_t length;
		const char *word = word_at(heading, column, &length);
		if (length == 0)
			return -1;
		if (length == 3 && memcmp(word, "PID", 3) == 0)
			return column;
	}
}

/* Pass on the heading and the container's lines. Reads to the end, so that ps does not meet a closed pipe. */
static int filter(FILE *from, const struct pid_set *set, struct crt_error *err)
{
	int column = -1, r = 0;
	char *line = NULL;
	size_t room = 0;
	bool is_first = true;

	while (getline(&line, &room, from) > 0) {
		size_t length = 0;
		if (is_first)
			column = find_pid_column(line);
		if (is_first && column < 0)
			r = call_error(err, "leave the PID column in",
				"ps: the output has no column PID: %.*s", (int)strcspn(line, "\n"), line);
		const char *word = is_first ? "" : word_at(line, column < 0 ? 0 : column, &length);
		if (r == 0 && (is_first || contains(set, word, length)))
			r = print(line, strlen(line), err);
		is_first = false;
	}
	free(line);
	return r;
}

static int start_ps(char *const *options, pid_t *pid, FILE **out, struct crt_error *err)
{
	static char *const defaults[] = {"ps", "-ef", NULL};
	extern char **environ;
	posix_spawn_file_actions_t actions;
	char *argv[64] = {"ps"};
	int fds[2], r;

	for (size_t i = 0; options[i]; i++) {
		if (i + 2 >= ARRAY_SIZE(argv))
			return call_error(err, NULL, "ps: more than %zu options", ARRAY_SIZE(argv) - 2);
		argv[i + 1] = options[i];
	}
	if (pipe2(fds, O_CLOEXEC) < 0)
		return call_error(err, NULL, "ps: cannot make a pipe: %s", str_errno(errno));
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fds[1], STDOUT_FILENO);
	r = posix_spawnp(pid, "ps", &actions, NULL, options[0] ? argv : defaults, environ);
	posix_spawn_file_actions_destroy(&actions);
	fd_close(&fds[1]);
	*out = r == 0 ? fdopen(fds[0], "r") : NULL;
	if (*out)
		return 0;
	fd_close(&fds[0]);
	return call_error(
		err, "install procps, or say --format json", "ps: cannot run ps(1): %s", str_errno(r));
}

static int print_table(struct call *c, const struct pid_set *set)
{
	FILE *out = NULL;
	int status = 0;
	pid_t pid = 0;

	int r = start_ps(c->program, &pid, &out, &c->err);
	if (r < 0)
		return r;
	r = filter(out, set, &c->err);
	fclose(out);
	if (waitpid(pid, &status, 0) == pid && status != 0 && r == 0)
		r = call_error(&c->err, NULL, "ps: ps(1) failed");
	return r;
}

static int print_json(const struct pid_set *set, struct crt_error *err)
{
	size_t room = set->count * 12 + 8, n = 0;
	char *text = malloc(room);

	if (!text)
		return call_error(err, NULL, "ps: no memory");
	for (size_t i = 0; i < set->count; i++)
		n += (size_t)snprintf(text + n, room - n, "%c%d", i ? ',' : '[', (int)set->pids[i]);
	n += (size_t)snprintf(text + n, room - n, n ? "]\n" : "null\n"); /* as runc has it */
	int r = print(text, n, err);
	free(text);
	return r;
}

int ps_command(struct call *c)
{
	struct pid_set set = {0};

	int r = crt_pids(&c->context, c->words[0], &set.pids, &set.count, &c->err);
	if (r < 0)
		return r;
	r = str_eq(c->args.format, "json") ? print_json(&set, &c->err) : print_table(c, &set);
	free(set.pids);
	return r;
}

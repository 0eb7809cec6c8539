/*
 * exec.c - `crt exec`: from the words of the command line to what the library takes.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/fd.h"
#include "base/str.h"
#include "src/command.h"

#define ENV_FILE_MAX ((size_t)1 << 20) /* bytes */

/* The lines of a file: NAME=value, or NAME alone for the value it has here; none and '#...' are passed over.
 */
static int read_env_file(struct call *c, struct arena *arena, const char *path, struct option_list *env)
{
	if (arena_init(arena, NULL) < 0)
		return call_error(&c->err, NULL, "no memory to read %s", path);
	char *text = arena_alloc(arena, ENV_FILE_MAX);
	ssize_t n = fd_read_file(AT_FDCWD, path, text, ENV_FILE_MAX);
	if (n < 0)
		return call_error(&c->err, NULL, "--env-file: cannot read %s: %s", path, str_errno((int)-n));
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		const char *value = line[0] == '#' || line[0] == '=' ? NULL : strchr(line, '=');
		if (line[0] == '#')
			continue;
		if (line[0] == '=')
			return call_error(
				&c->err, NULL, "--env-file %s: a line without a name: \"%s\"", path, line);
		if (value)
			option_list_add(env, line);
		else if (getenv(line))
			option_list_add(env, arena_printf(arena, "%s=%s", line, getenv(line)));
	}
	return 0;
}

static int read_gids(struct call *c, const struct option_list *list, uint32_t *gids)
{
	for (size_t i = 0; i < list->count; i++) {
		uint64_t gid;
		if (str_to_u64(list->items[i], &gid) < 0 || gid >= UINT32_MAX)
			return call_error(
				&c->err, NULL, "--additional-gids: \"%s\" is not a group id", list->items[i]);
		gids[i] = (uint32_t)gid;
	}
	return 0;
}

int exec_command(struct call *c)
{
	struct arguments *a = &c->args;
	arena_auto struct arena memory = {0}; /* of what the environment's file says */
	uint32_t gids[64];
	int status = 0;

	if (!a->process && !c->program[0])
		return call_error(
			&c->err, "\"crt help exec\" shows how it is used", "exec: no program is given");
	if (a->process && c->program[0])
		return call_error(&c->err, NULL, "exec: the program is given twice: \"%s\" and --process %s",
			c->program[0], a->process);
	if (a->gids.count > ARRAY_SIZE(gids))
		return call_error(&c->err, NULL, "--additional-gids: more than %zu", ARRAY_SIZE(gids));
	int r = read_gids(c, &a->gids, gids);
	if (r == 0 && a->env_file)
		r = read_env_file(c, &memory, a->env_file, &a->env);
	if (r < 0)
		return r;
	struct crt_exec_options options = {
		.process = a->process,
		.args = (const char *const *)c->program,
		.cwd = a->cwd,
		.env = a->env.items,
		.env_count = a->env.count,
		.user = a->user,
		.additional_gids = gids,
		.additional_gids_count = a->gids.count,
		.caps = a->caps.items,
		.caps_count = a->caps.count,
		.no_new_privs = a->no_new_privs,
		.apparmor = a->apparmor,
		.process_label = a->process_label,
		.tty = a->tty,
		.console_socket = a->create.console_socket,
		.pidfd_socket = a->create.pidfd_socket,
		.pid_file = a->create.pid_file,
		.cgroup = a->cgroup,
		.preserve_fds = a->create.preserve_fds,
		.ignore_paused = a->ignore_paused,
		.detach = a->detach,
		.forward_signals = true,
	};
	while (c->program[options.args_count])
		options.args_count++;
	r = crt_exec(&c->context, c->words[0], &options, &status, &c->err);
	return r < 0 ? r : status;
}

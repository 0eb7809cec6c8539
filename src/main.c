/*
 * main.c - the crt command: read the command line, make one call of the library, show what it says.
 *
 * The order matters: fds 0-2 exist before anything is opened, so that no file of ours becomes the container's
 * stdout; the whole command line is read before crt_protect may execute the program again, so that a mistake
 * in it costs nothing; the log is opened after that, once.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "src/command.h"

/*
 * What the caller has closed gets /dev/null, so that no file of ours takes its place: first opened the wrong
 * way round, so that a command that prints says that it cannot; for the program of a container then the right
 * way. Returns a bit an fd, or -1. open() returns the lowest number that is free.
 */
static int open_standard_fds(void)
{
	int closed = 0;

	for (int fd = 0; fd <= 2; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		if (open("/dev/null", (fd == 0 ? O_WRONLY : O_RDONLY) | O_NOCTTY) != fd)
			return -1;
		closed |= 1 << fd;
	}
	return closed;
}

static void reopen_standard_fds(int closed)
{
	for (int fd = 0; fd <= 2; fd++)
		if (closed & 1 << fd) {
			close(fd);
			open("/dev/null", O_RDWR | O_NOCTTY);
		}
}

static int find_command(struct call *c, const char *name)
{
	const char *names[32] = {0};
	char hint[80] = "\"crt --help\" lists the commands";

	c->command = command_find(name);
	if (c->command)
		return 0;
	for (size_t i = 0; commands[i].name && i + 1 < ARRAY_SIZE(names); i++)
		names[i] = commands[i].name;
	const char *nearest = str_nearest(name, names);
	if (nearest)
		snprintf(hint, sizeof(hint), "did you mean \"%s\"?", nearest);
	return call_error(&c->err, hint, "unknown command \"%s\"", name);
}

/* An option that is known, but stands on the wrong side of the command. */
static void hint_at_global_option(struct call *c, char *const *words)
{
	for (; *words && !c->err.hint[0]; words++) {
		const char *name = *words + strspn(*words, "-");
		const struct option *o = option_find(global_options, name, strcspn(name, "="));
		if (name != *words && o && !option_find(c->command->options, name, strcspn(name, "=")))
			snprintf(c->err.hint, sizeof(c->err.hint),
				"--%s stands before the command: crt --%s%s%s %s ...", o->name, o->name,
				o->value ? " " : "", o->value ? o->value : "", c->command->name);
	}
}

/* Options, the id, and then words that are the program's, whatever they look like. */
static int read_program(struct call *c, char *const *words)
{
	int r = options_read_leading(c->command->options, &c->args, words, &c->err);

	if (r < 0)
		return r;
	words += r;
	if (!*words)
		return 0;
	c->words[0] = *words++;
	c->program = words + (str_eq(*words, "--") ? 1 : 0);
	return 1;
}

static int read_command(struct call *c, char *const *words)
{
	const struct command *command = c->command;
	char hint[80];

	snprintf(hint, sizeof(hint), "\"crt help %s\" shows how it is used", command->name);
	int count = command->takes_program ? read_program(c, words)
					   : options_read(command->options, &c->args, words, c->words,
						     ARRAY_SIZE(c->words), &c->err);
	if (count < 0) {
		hint_at_global_option(c, words);
		if (!c->err.hint[0])
			memcpy(c->err.hint, hint, sizeof(hint));
		return count;
	}
	c->count = count;
	if (c->args.help || (count >= command->min_words && count <= command->max_words))
		return 0;
	if (count < command->min_words)
		return call_error(&c->err, hint, "%s: an argument is missing", command->name);
	return call_error(
		&c->err, hint, "%s: unexpected argument \"%s\"", command->name, c->words[command->max_words]);
}

/* Two ways to say the same. */
static int check_arguments(struct call *c)
{
	const char **manager = &c->args.create.cgroup_manager;

	if (!c->args.systemd_cgroup)
		return 0;
	if (*manager && !str_eq(*manager, "systemd"))
		return call_error(&c->err, NULL,
			"--systemd-cgroup and --cgroup-manager %s exclude each other", *manager);
	*manager = "systemd";
	return 0;
}

/* The whole command line into *c. Without a command, c->command stays NULL and help is asked for. */
static int read_arguments(struct call *c, char *const *argv)
{
	int r = options_read_leading(global_options, &c->args, argv, &c->err);

	if (r < 0)
		return r;
	argv += r;
	if (*argv) {
		r = find_command(c, *argv);
		if (r == 0)
			r = read_command(c, argv + 1);
		if (r == 0 && !c->args.help)
			r = check_arguments(c);
		return r;
	}
	if (!c->args.version)
		c->args.help = true;
	return 0;
}

static int print_version(struct crt_error *err)
{
	char text[256];

	return print(text, crt_version_text(text, sizeof(text)), err);
}

/* As the shell has it: 127 when the container's program was not found, 126 when it could not be executed. */
static int exit_status(const struct crt_error *err)
{
	if (!str_eq(err->phase, "exec"))
		return 1;
	return err->code == ENOENT || err->code == ENOTDIR ? 127 : 126;
}

static enum crt_log_level log_level(const struct arguments *a)
{
	const char *name = a->debug ? "debug" : a->log_level ? a->log_level : "warning";
	enum crt_log_level level = CRT_LOG_DEBUG;

	while (level > CRT_LOG_ERROR && !str_eq(name, log_level_names[level]))
		level--;
	return level;
}

static void show_timing(void *data, const char *table)
{
	(void)data;
	fd_write(STDERR_FILENO, table, strlen(table));
}

static int dispatch(struct call *c, char *const *argv, int closed_fds)
{
	const struct arguments *a = &c->args;
	int r = 0;

	c->log.json = str_eq(a->log_format, "json");
	c->log.level = log_level(a);
	c->context = (struct crt_context){.root = a->root,
		.log = log_message,
		.log_data = &c->log,
		.log_level = c->log.level,
		.argv = argv,
		.timing = a->timing ? show_timing : NULL};
	if (c->command->protect)
		reopen_standard_fds(closed_fds);
	/* It may be executed again for that, and what it has read from a pipe by then would be lost. */
	if (c->command->protect && geteuid() != 0)
		r = crt_protect(argv, &c->err);
	if (r == 0 && a->log)
		r = log_open(&c->log, a->log, a->create.preserve_fds, &c->err);
	return r < 0 ? r : c->command->run(c);
}

int main(int argc, char **argv)
{
	struct call c = {.log.fd = -1, .args = {.timeout_ms = 10000, .interval_ms = 5000}};
	int r = 0;

	int closed = open_standard_fds();
	if (closed < 0)
		return 1;
	signal(SIGCHLD,
		SIG_DFL); /* ignored by the caller, the kernel would keep no child's exit code for us */
	if (getauxval(AT_SECURE))
		r = call_error(&c.err, "remove the set-user-ID bit and the file capabilities of this program",
			"refusing to run with more privilege than the caller has");
	if (r == 0)
		r = read_arguments(&c, argv + (argc > 0));
	if (r == 0 && c.args.version)
		r = print_version(&c.err);
	else if (r == 0 && c.args.help)
		r = help_print(c.command, &c.err);
	else if (r == 0)
		r = dispatch(&c, argv, closed);
	if (c.command)
		options_free(c.command->options, &c.args);
	if (r >= 0)
		return r;
	if (c.log.fd < 0 && c.args.log) {
		struct crt_error ignored;
		c.log.json = str_eq(c.args.log_format, "json");
		log_open(&c.log, c.args.log, c.args.create.preserve_fds, &ignored);
	}
	log_error(&c.log, &c.err);
	return exit_status(&c.err);
}

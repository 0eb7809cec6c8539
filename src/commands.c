/*
 * commands.c - the commands: their options, and one function each that makes one call of the library and
 * prints. The syntax is runc's, so that engines need no change (runc(8) and its sisters).
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "src/command.h"
#include "src/signals.h"

#define FLAG(name, letter, member, help)                                                                     \
	{                                                                                                    \
		(name), (letter), OPTION_FLAG, offsetof(struct arguments, member), NULL, (help), NULL        \
	}
#define TEXT(name, letter, member, value, help, choices)                                                     \
	{                                                                                                    \
		(name), (letter), OPTION_TEXT, offsetof(struct arguments, member), (value), (help),          \
			(choices)                                                                            \
	}
#define NUMBER(name, letter, member, value, help)                                                            \
	{                                                                                                    \
		(name), (letter), OPTION_NUMBER, offsetof(struct arguments, member), (value), (help), NULL   \
	}
#define LIST(name, letter, member, value, help)                                                              \
	{                                                                                                    \
		(name), (letter), OPTION_LIST, offsetof(struct arguments, member), (value), (help), NULL     \
	}
#define DURATION(name, letter, member, help)                                                                 \
	{                                                                                                    \
		(name), (letter), OPTION_DURATION, offsetof(struct arguments, member), "TIME", (help), NULL  \
	}
#define END                                                                                                  \
	{                                                                                                    \
		0                                                                                            \
	}
#define USAGE FLAG("usage", '?', help, NULL) /* crun's */
#define HELP  FLAG("help", 'h', help, "show this text"), USAGE

const struct option global_options[] = {
	TEXT("root", 0, root, "DIR", "where the state of containers is kept (default: /run/crt)", NULL),
	TEXT("log", 0, log, "FILE", "write messages to FILE, too; or to syslog:NAME, journald:NAME", NULL),
	TEXT("log-format", 0, log_format, "FORMAT", "of that file: text (default) or json", "text json"),
	TEXT("log-level", 0, log_level, "LEVEL", "error, warning (default), info or debug",
		"error warning info debug"),
	FLAG("debug", 0, debug, "say what is being done: --log-level debug"),
	FLAG("systemd-cgroup", 0, systemd_cgroup, "--cgroup-manager systemd"),
	TEXT("cgroup-manager", 0, create.cgroup_manager, "NAME",
		"who makes a container's cgroup: cgroupfs (default), systemd, self or none",
		"cgroupfs systemd self none disabled"),
	TEXT("rootless", 0, create.rootless, "WORD",
		"may a container be without a cgroup: auto (default: without privileges it may), true or "
		"false",
		"auto true false"),
	FLAG("version", 'v', version, "print the version"),
	FLAG("help", 'h', help, "show this text, or that of a command"),
	USAGE,
	FLAG("V", 0, version, NULL),
	END,
};

#define BUNDLE TEXT("bundle", 'b', create.bundle, "DIR", "the bundle (default: the current directory)", NULL)
#define CONFIG(letter)                                                                                       \
	TEXT("config", letter, create.config, "FILE", "read this instead of the bundle's config.json", NULL)

#define CREATE_OPTIONS                                                                                       \
	BUNDLE, CONFIG('f'),                                                                                 \
		TEXT("pid-file", 0, create.pid_file, "FILE",                                                 \
			"write the pid of the container's init to FILE", NULL),                              \
		TEXT("console-socket", 0, create.console_socket, "PATH",                                     \
			"the AF_UNIX socket that gets the terminal's fd", NULL),                             \
		TEXT("pidfd-socket", 0, create.pidfd_socket, "PATH",                                         \
			"the AF_UNIX socket that gets a pidfd of the container's init", NULL),               \
		NUMBER("preserve-fds", 0, create.preserve_fds, "N", "pass on fds 3 to 2+N"),                 \
		FLAG("no-pivot", 0, create.no_pivot, "move the root instead of pivot_root (for a ramdisk)"), \
		FLAG("no-new-keyring", 0, create.no_new_keyring, "keep the caller's session keyring")
#define TIMING             FLAG("timing", 0, timing, "say on stderr where the time went")
#define NO_SUBREAPER(help) FLAG("no-subreaper", 0, no_subreaper, help)
#define REGEX              FLAG("regex", 'r', regex, "to all whose ids match: ID is an extended regular expression")

static const struct option create_options[] = {CREATE_OPTIONS, NO_SUBREAPER(NULL), TIMING, HELP, END};
static const struct option run_options[] = {
	CREATE_OPTIONS,
	FLAG("detach", 'd', detach, "return once the program runs"),
	FLAG("keep", 0, keep, "do not delete the container when it has ended"),
	NO_SUBREAPER("do not reap the orphans of hooks and containers"),
	TIMING,
	HELP,
	END,
};
static const struct option exec_options[] = {
	TEXT("cwd", 0, cwd, "WORKDIR", "the working directory in the container", NULL),
	LIST("env", 'e', env, "NAME=VALUE", "an environment variable; may be given again"),
	TEXT("env-file", 0, env_file, "FILE", "environment variables, a line each", NULL),
	FLAG("tty", 't', tty, "give it a terminal"),
	TEXT("user", 'u', user, "UID[:GID]", "numbers, or names of the container's /etc/passwd", NULL),
	LIST("additional-gids", 'g', gids, "GID", "a further group; may be given again"),
	TEXT("process", 'p', process, "FILE", "read the OCI process object from FILE", NULL),
	FLAG("detach", 'd', detach, "return once the program runs"),
	TEXT("pid-file", 0, create.pid_file, "FILE", "write the pid of the process to FILE", NULL),
	TEXT("console-socket", 0, create.console_socket, "PATH",
		"the AF_UNIX socket that gets the terminal's fd", NULL),
	TEXT("pidfd-socket", 0, create.pidfd_socket, "PATH",
		"the AF_UNIX socket that gets a pidfd of the process", NULL),
	LIST("cap", 'c', caps, "CAP", "add a capability; may be given again"),
	FLAG("no-new-privs", 0, no_new_privs, "forbid the process to gain privileges"),
	TEXT("apparmor", 0, apparmor, "PROFILE", "the AppArmor profile of the process", NULL),
	TEXT("process-label", 0, process_label, "LABEL", "the SELinux label of the process", NULL),
	NUMBER("preserve-fds", 0, create.preserve_fds, "N", "pass on fds 3 to 2+N"),
	TEXT("cgroup", 0, cgroup, "CGROUP", "a cgroup below the container's", NULL),
	FLAG("ignore-paused", 0, ignore_paused, "exec in a paused container, too"),
	TIMING,
	HELP,
	END,
};
static const struct option kill_options[] = {
	FLAG("all", 'a', all, "to every process of the container"),
	REGEX,
	HELP,
	END,
};
static const struct option ps_options[] = {
	TEXT("format", 'f', format, "FORMAT", "table (default), or json: an array of pids", "table json"),
	HELP,
	END,
};
static const struct option update_options[] = {
	TEXT("resources", 'r', limits.resources, "FILE",
		"all limits as a JSON object of the specification; - is stdin", NULL),
	TEXT("memory", 0, limits.memory, "BYTES", "memory; 512M and the like will do, -1 is no limit", NULL),
	TEXT("memory-reservation", 0, limits.memory_reservation, "BYTES",
		"memory that is left alone when others are short", NULL),
	TEXT("memory-swap", 0, limits.memory_swap, "BYTES", "memory and swap together", NULL),
	TEXT("pids-limit", 0, limits.pids_limit, "N", "tasks; -1 is no limit", NULL),
	TEXT("cpu-quota", 0, limits.cpu_quota, "USEC", "time on all CPUs in each period; -1 is no limit",
		NULL),
	TEXT("cpu-period", 0, limits.cpu_period, "USEC", "that period", NULL),
	TEXT("cpu-burst", 0, limits.cpu_burst, "USEC", "how much unused quota may be saved up", NULL),
	TEXT("cpu-share", 0, limits.cpu_share, "N", "weight among its siblings, 2 to 262144", NULL),
	TEXT("cpu-idle", 0, limits.cpu_idle, "0|1", "1: run only when nobody else wants to", NULL),
	TEXT("cpu-rt-period", 0, limits.cpu_rt_period, "USEC", NULL, NULL),
	TEXT("cpu-rt-runtime", 0, limits.cpu_rt_runtime, "USEC", NULL, NULL),
	TEXT("cpuset-cpus", 0, limits.cpuset_cpus, "LIST", "CPUs, as \"0-3,7\"", NULL),
	TEXT("cpuset-mems", 0, limits.cpuset_mems, "LIST", "memory nodes", NULL),
	TEXT("blkio-weight", 0, limits.blkio_weight, "N", "weight of its disk operations, 10 to 1000", NULL),
	TEXT("kernel-memory", 0, limits.kernel_memory, "BYTES", NULL, NULL),
	TEXT("kernel-memory-tcp", 0, limits.kernel_memory_tcp, "BYTES", NULL, NULL),
	TEXT("l3-cache-schema", 0, limits.l3_cache_schema, "TEXT",
		"share of caches (Intel RDT), as \"L3:0=ff\"", NULL),
	TEXT("mem-bw-schema", 0, limits.mem_bw_schema, "TEXT",
		"share of memory bandwidth (Intel RDT), as \"MB:0=50\"", NULL),
	DURATION("timeout", 0, timeout_ms,
		"how long memory may take to get below a lower limit (default: 10s)"),
	HELP,
	END,
};
static const struct option events_options[] = {
	DURATION("interval", 0, interval_ms, "between two lines of statistics (default: 5s)"),
	FLAG("stats", 0, stats, "statistics once, and no more"),
	HELP,
	END,
};
static const struct option delete_options[] = {
	FLAG("force", 'f', force, "kill it first, and do not mind if it is gone"),
	REGEX,
	HELP,
	END,
};
static const struct option list_options[] = {
	TEXT("format", 'f', format, "FORMAT", "table (default) or json", "table json"),
	FLAG("quiet", 'q', quiet, "ids only"),
	HELP,
	END,
};
static const struct option spec_options[] = {
	TEXT("bundle", 'b', create.bundle, "DIR", "write it there (default: the current directory)", NULL),
	TEXT("file", 'f', spec_file, "FILE", "what to call it (default: config.json)", NULL),
	FLAG("rootless", 0, rootless_spec, "for a container without root's privileges"),
	HELP,
	END,
};
static const struct option check_options[] = {
	BUNDLE,
	CONFIG(0),
	TEXT("format", 'f', format, "FORMAT", "text (default) or json", "text json"),
	TEXT("host", 0, host_file, "FILE", NULL, NULL), /* for tests: facts about the host */
	HELP,
	END,
};
static const struct option plain_options[] = {HELP, END};

/* ---- run, create, start, kill, delete ---- */

/* "crt run DIR/": a bundle for once. Its id is the directory's name and our pid. */
static int take_bundle(struct call *c)
{
	char path[PATH_MAX];
	const char *dir = c->words[0];

	if (c->args.create.bundle)
		return call_error(
			&c->err, NULL, "the bundle is given twice: %s and %s", c->args.create.bundle, dir);
	if (!realpath(dir, path))
		return call_error(&c->err, "an argument with a '/' is a bundle, one without is an id",
			"cannot open the bundle %s: %s", dir, str_errno(errno));
	const char *name = strrchr(path, '/') + 1;
	size_t n = (size_t)snprintf(c->id, sizeof(c->id), "%.200s-%d", *name ? name : "root", (int)getpid());
	for (size_t i = 0; i < n; i++) {
		bool allowed = isalnum((unsigned char)c->id[i]) || strchr("_+-.", c->id[i]);
		if (!allowed || (i == 0 && c->id[i] == '.'))
			c->id[i] = '_';
	}
	c->args.create.bundle = dir;
	c->args.create.id = c->id;
	return 0;
}

#define LISTEN_FDS_MAX 4096

/* Sockets of a service manager, sd_listen_fds(3), if they are for us. */
static int take_listen_fds(struct call *c)
{
	const char *fds = getenv("LISTEN_FDS"), *pid = getenv("LISTEN_PID");
	uint64_t count, us;

	if (!fds || !*fds || (pid && (str_to_u64(pid, &us) < 0 || us != (uint64_t)getpid())))
		return 0;
	if (str_to_u64(fds, &count) < 0 || count > LISTEN_FDS_MAX)
		return call_error(&c->err, NULL, "LISTEN_FDS=%s: not a number of file descriptors", fds);
	c->args.create.listen_fds = (unsigned)count;
	c->args.create.listen_names = getenv("LISTEN_FDNAMES");
	return 0;
}

/* A service manager's, which wants to know when the container is ready. */
static const char *notify_socket(void)
{
	const char *address = getenv("NOTIFY_SOCKET");

	return address && (address[0] == '/' || address[0] == '@') ? address : NULL;
}

static int run_command(struct call *c)
{
	int status = 0;
	struct crt_run_options options = {
		.detach = c->args.detach,
		.keep = c->args.keep,
		.forward_signals = true,
		.subreaper = !c->args.no_subreaper,
	};

	c->args.create.id = c->words[0];
	if (strchr(c->words[0], '/')) {
		int r = take_bundle(c);
		if (r < 0)
			return r;
	}
	c->context.notify_socket = notify_socket();
	int r = take_listen_fds(c);
	if (r == 0)
		r = crt_run(&c->context, &c->args.create, &options, &status, &c->err);
	return r < 0 ? r : status;
}

static int create_command(struct call *c)
{
	c->args.create.id = c->words[0];
	c->context.notify_socket = notify_socket();
	int r = take_listen_fds(c);
	return r < 0 ? r : crt_create(&c->context, &c->args.create, &c->err);
}

static int start_command(struct call *c)
{
	c->context.notify_socket = notify_socket();
	return crt_start(&c->context, c->words[0], &c->err);
}

static int kill_one(struct call *c, const char *id)
{
	return crt_kill(&c->context, id, c->args.signal, c->args.all, &c->err);
}

static int kill_command(struct call *c)
{
	int sig = signal_parse(c->count > 1 ? c->words[1] : "TERM", &c->err);

	if (sig < 0)
		return sig;
	c->args.signal = sig;
	return c->args.regex ? each_match(c, c->words[0], kill_one) : kill_one(c, c->words[0]);
}

static int pause_command(struct call *c)
{
	return crt_pause(&c->context, c->words[0], &c->err);
}

static int resume_command(struct call *c)
{
	return crt_resume(&c->context, c->words[0], &c->err);
}

static int delete_one(struct call *c, const char *id)
{
	return crt_delete(&c->context, id, c->args.force, &c->err);
}

static int delete_command(struct call *c)
{
	return c->args.regex ? each_match(c, c->words[0], delete_one) : delete_one(c, c->words[0]);
}

static int mounts_command(struct call *c)
{
	const char *action = c->words[0];

	if (!str_eq(action, "add") && !str_eq(action, "remove"))
		return call_error(&c->err, "\"crt help mounts\" shows how",
			"mounts: neither add nor remove: %s", action);
	return (str_eq(action, "add") ? crt_mounts_add : crt_mounts_remove)(
		&c->context, c->words[1], c->words[2], &c->err);
}

/* ---- texts ---- */

/* Print and release what a call of the library returned. */
static int print_text(struct call *c, int r, char *text)
{
	if (r < 0)
		return r;
	r = print(text, strlen(text), &c->err);
	crt_free(text);
	return r;
}

static int state_command(struct call *c)
{
	char *text = NULL;
	int r = crt_state_json(&c->context, c->words[0], &text, &c->err);

	return print_text(c, r, text);
}

static int features_command(struct call *c)
{
	char *text = NULL;
	int r = crt_features_json(&c->context, &text, &c->err);

	return print_text(c, r, text);
}

static int print_event(void *data, const char *line)
{
	struct call *c = data;

	return print(line, strlen(line), &c->err);
}

static int events_command(struct call *c)
{
	char *text = NULL;

	if (!c->args.stats)
		return crt_events(&c->context, c->words[0], c->args.interval_ms, print_event, c, &c->err);
	int r = crt_stats_json(&c->context, c->words[0], &text, &c->err);
	return print_text(c, r, text);
}

static int explain_command(struct call *c)
{
	char *text = NULL;

	c->context.host_file = c->args.host_file;
	int r = crt_explain(&c->context, &c->args.create, str_eq(c->args.format, "json"), &text, &c->err);
	return print_text(c, r, text);
}

static int write_config(struct call *c, const char *text)
{
	const char *bundle = c->args.create.bundle ? c->args.create.bundle : ".";
	const char *name = c->args.spec_file ? c->args.spec_file : "config.json";
	fd_auto int dir = open(bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return call_error(&c->err, NULL, "cannot open the bundle %s: %s", bundle, str_errno(errno));
	fd_auto int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return call_error(&c->err,
			errno == EEXIST ? "remove it first, or choose another name with --file" : NULL,
			"cannot create %s in %s: %s", name, bundle, str_errno(errno));
	int r = fd_write(fd, text, strlen(text));
	if (r < 0)
		return call_error(&c->err, NULL, "cannot write %s in %s: %s", name, bundle, str_errno(-r));
	return 0;
}

static int spec_command(struct call *c)
{
	char *text = NULL;
	int r = crt_spec_json(c->args.rootless_spec, &text, &c->err);

	if (r < 0)
		return r;
	r = write_config(c, text);
	crt_free(text);
	return r;
}

static int help_command(struct call *c)
{
	const struct command *about = c->count ? command_find(c->words[0]) : NULL;

	if (c->count && !about)
		return call_error(
			&c->err, "\"crt --help\" lists the commands", "unknown command \"%s\"", c->words[0]);
	return help_print(about, &c->err);
}

/* ---- the table ---- */

const struct command commands[] = {
	{"run", "create and start a container, and wait for its end", "[OPTIONS] ID\n[OPTIONS] DIR/",
		"The exit status is the program's, or 128 plus the number of the signal that ended it.\n"
		"An argument with a '/' is the bundle, and the id is made of its name and a number.",
		run_options, 1, 1, false, true, run_command},
	{"create", "create a container that waits for start", "[OPTIONS] ID", NULL, create_options, 1, 1,
		false, true, create_command},
	{"exec", "run another process in a container", "[OPTIONS] ID PROGRAM [ARGUMENT...]",
		"Options stand before the id. The exit status is the program's, or 128 plus the number of "
		"the\n"
		"signal that ended it.",
		exec_options, 1, 1, true, true, exec_command},
	{"start", "run the program of a created container", "ID", NULL, plain_options, 1, 1, false, false,
		start_command},
	{"state", "show the state of a container as JSON", "ID", NULL, plain_options, 1, 1, false, false,
		state_command},
	{"kill", "send a signal to a container's init", "[OPTIONS] ID [SIGNAL]",
		"SIGNAL is a name, with or without SIG, or a number; RTMIN+1 will do. The default is TERM.",
		kill_options, 1, 2, false, false, kill_command},
	{"delete", "remove what is left of a stopped container", "[OPTIONS] ID", NULL, delete_options, 1, 1,
		false, false, delete_command},
	{"pause", "stop all processes of a container where they are", "ID", NULL, plain_options, 1, 1, false,
		false, pause_command},
	{"resume", "let the processes of a paused container go on", "ID", NULL, plain_options, 1, 1, false,
		false, resume_command},
	{"ps", "show the processes of a container", "[OPTIONS] ID [PS OPTION...]",
		"Runs ps(1), by default with -ef, and shows the lines of the container's processes.",
		ps_options, 1, 1, true, false, ps_command},
	{"events", "show what a container uses, and when it runs out of memory", "[OPTIONS] ID",
		"A line of JSON for each event, until the container has ended.", events_options, 1, 1, false,
		false, events_command},
	{"update", "change the limits of a running container", "[OPTIONS] ID",
		"All of the changes are made, or none. What is not named stays as it is. A memory limit "
		"below what is\n"
		"in use is reached without killing: the kernel is asked to take back what it can, and when "
		"that is\n"
		"not enough in time, the limit stays as it was.",
		update_options, 1, 1, false, false, update_command},
	{"mounts", "add mounts to a running container, or remove them", "add ID FILE\nremove ID FILE",
		"FILE is a JSON array of mounts, as in config.json: bind mounts, tmpfs, devpts, mqueue and "
		"sysfs.\n"
		"remove looks at their destinations only, and follows no symbolic link.",
		plain_options, 3, 3, false, true, mounts_command},
	{"list", "show all containers", "[OPTIONS]", NULL, list_options, 0, 0, false, false, list_command},
	{"spec", "write a config.json to start from", "[OPTIONS]", NULL, spec_options, 0, 0, false, false,
		spec_command},
	{"features", "show what this runtime can do as JSON", "", NULL, plain_options, 0, 0, false, false,
		features_command},
	{"check", "find all problems of a bundle", "[OPTIONS]",
		"Each problem is shown with its line. The exit status is 1 when there is an error.",
		check_options, 0, 0, false, false, check_command},
	{"explain", "show what would be done to create a container", "[OPTIONS]",
		"Changes nothing and needs no privilege.", check_options, 0, 0, false, false,
		explain_command},
	{"help", "say more about a command", "[COMMAND]", NULL, plain_options, 0, 1, false, false,
		help_command},
	{0},
};

const struct command *command_find(const char *name)
{
	if (str_eq(name, "h"))
		name = "help";
	for (const struct command *c = commands; c->name; c++)
		if (str_eq(c->name, name))
			return c;
	return NULL;
}

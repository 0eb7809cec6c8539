/*
 * command.h - the commands of crt: one table for dispatch and help.
 */
#ifndef SRC_COMMAND_H
#define SRC_COMMAND_H

#include <stdbool.h>

#include "libcontainer/libcontainer.h"
#include "src/log.h"
#include "src/options.h"

/* The values of update's options, as they were written; NULL: not given. */
struct limit_arguments {
	const char *resources;
	const char *memory, *memory_reservation, *memory_swap, *kernel_memory, *kernel_memory_tcp;
	const char *cpu_share, *cpu_quota, *cpu_period, *cpu_burst, *cpu_idle, *cpu_rt_period,
		*cpu_rt_runtime;
	const char *cpuset_cpus, *cpuset_mems;
	const char *pids_limit, *blkio_weight;
	const char *l3_cache_schema, *mem_bw_schema;
};

/* The values of all options; each table fills its part. */
struct arguments {
	/* before the command */
	const char *root;
	const char *log;
	const char *log_format;
	const char *log_level;
	bool systemd_cgroup;
	bool debug;
	bool version;
	bool help; /* also after it */
	/* after it */
	struct crt_create_options create; /* id is not an option */
	bool detach, keep, no_subreaper, timing;
	bool all, force, quiet, regex;
	int signal; /* of kill; not an option */
	bool tty, no_new_privs, ignore_paused;
	const char *apparmor, *process_label;
	const char *process, *cwd, *user, *cgroup, *env_file;
	struct option_list env, gids, caps;
	bool rootless_spec;
	const char *spec_file;
	const char *format;
	const char *host_file;
	struct limit_arguments limits;
	unsigned timeout_ms, interval_ms;
	bool stats;
};

/* One call of a command. */
struct call {
	const struct command *command;
	struct arguments args;
	const char *words[3]; /* what is no option */
	int count;            /* of words */
	char *const *program; /* for a command that takes one: its words, ends with NULL */
	char id[256];         /* the one that "run DIR/" makes */
	struct crt_context context;
	struct log log;
	struct crt_error err;
};

struct command {
	const char *name;
	const char *summary;     /* one line, lower case */
	const char *usage;       /* "[OPTIONS] ID"; several lines: alternatives */
	const char *description; /* more for --help; NULL: the summary says it all */
	const struct option *options;
	int min_words, max_words;
	bool takes_program;            /* after its words: options end with the first of them */
	bool protect;                  /* makes processes of a container: crt_protect comes first */
	int (*run)(struct call *call); /* returns the exit status, or -errno with call->err set */
};

extern const struct command commands[]; /* ends with a NULL name */
extern const struct option global_options[];

/* Commands with a file of their own. */
int list_command(struct call *call);
int check_command(struct call *call);
int exec_command(struct call *call);
int ps_command(struct call *call);
int update_command(struct call *call);

const struct command *command_find(const char *name);

/*
 * Call act() for each container whose id the extended regular expression matches, in the order of their ids.
 * What fails is logged, and the others have their turn. Returns the exit status, or -errno when the
 * expression or the list cannot be read.
 */
int each_match(struct call *call, const char *regex, int (*act)(struct call *call, const char *id));

/* The text of --help; `command` NULL: for crt as a whole. Returns 0 or -errno. */
int help_print(const struct command *command, struct crt_error *err);

/* Write all of the text to stdout. Returns 0 or -errno. */
int print(const char *text, size_t length, struct crt_error *err);

#endif

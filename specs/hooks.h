/*
 * hooks.h - programs to be run at points of the life cycle (config.md, "POSIX-platform Hooks").
 */
#ifndef SPECS_HOOKS_H
#define SPECS_HOOKS_H

#include "specs/table.h"

struct spec_hook {
	uint32_t node;
	const char *path; /* absolute */
	const char **args;
	size_t args_count; /* args[0] is the program's name for itself; 0: path alone */
	const char **env;
	size_t env_count;
	struct spec_opt_i64 timeout; /* seconds, 1 .. */
};

struct spec_hooks {
	uint32_t node;
	struct spec_hook *prestart;
	size_t prestart_count;
	struct spec_hook *create_runtime;
	size_t create_runtime_count;
	struct spec_hook *create_container;
	size_t create_container_count;
	struct spec_hook *start_container;
	size_t start_container_count;
	struct spec_hook *poststart;
	size_t poststart_count;
	struct spec_hook *poststop;
	size_t poststop_count;
};

extern const struct spec_table spec_hooks_table;

/* Returns 0, or -EINVAL when it added an error. */
int spec_hooks_check(const struct json_doc *doc, const struct spec_hooks *hooks, struct report *report);

#endif

/*
 * child.h - run a program to its end: text on its stdin, the tail of its output kept, a deadline.
 *
 * For hooks, which the parent and init both run; so there is no allocation, no stdio, and the child is made
 * with vfork. The program gets the given environment and nothing else of ours: no fd but 0-2, default
 * signals.
 */
#ifndef BASE_CHILD_H
#define BASE_CHILD_H

#include <stdbool.h>
#include <stddef.h>

struct child_program {
	const char *path;                      /* absolute */
	char *const *argv;                     /* ends with NULL */
	char *const *envp;                     /* ends with NULL */
	const char *cwd;                       /* NULL: stay where the caller is */
	const char *input;                     /* text for its stdin; NULL: none */
	const char *stdout_file, *stderr_file; /* absolute; appended to instead of being kept. NULL: kept */
	int timeout_ms; /* < 0: no deadline; 0 and above: SIGKILL, to all its group, after so long */
	int abandon_fd; /* SIGKILL when this becomes readable, too; 0: there is none */
};

struct child_result {
	int status; /* as from waitpid: WIFEXITED, WTERMSIG ... */
	bool timed_out;
	bool abandoned;
	char output[512]; /* the last of what it wrote on stdout and stderr, NUL-terminated */
};

/* Returns 0 when the program ran (see status), or -errno when it could not be started. */
int child_run(const struct child_program *program, struct child_result *result);

#endif

/*
 * libexec.h - the programs that come with crt and need a shared library, which a static crt cannot load:
 * run only when a document asks for what they do.
 */
#ifndef BASE_LIBEXEC_H
#define BASE_LIBEXEC_H

#include "base/child.h"

/*
 * Run `name` of the folder they are installed in (or of $CRT_LIBEXEC, for who has not installed them) with
 * these arguments, which end with NULL and begin with what argv[0] is to be; see child_run(). With an empty
 * environment. Returns 0 when it ran, or -errno: -ENOENT when it is not installed.
 */
int libexec_run(
	const char *name, char *const *argv, const char *input, int timeout_ms, struct child_result *result);

#endif

/*
 * libexec.c - see libexec.h.
 */
#include "base/libexec.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "base/str.h"

int libexec_run(
	const char *name, char *const *argv, const char *input, int timeout_ms, struct child_result *result)
{
	static char *const nothing[] = {NULL};
	const char *folder = secure_getenv("CRT_LIBEXEC");
	char path[PATH_MAX];
	struct str_buf b;

	str_buf_init(&b, path, sizeof(path));
	str_buf_add(&b, "%s/%s", folder && folder[0] == '/' ? folder : CRT_LIBEXECDIR, name);
	struct child_program program = {
		.path = path, .argv = argv, .envp = nothing, .input = input, .timeout_ms = timeout_ms};
	return b.cut ? -ENAMETOOLONG : child_run(&program, result);
}

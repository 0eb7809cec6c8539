/*
 * print.c - what goes to stdout: all of it, or an error. A full disk behind the pipe is no success.
 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "src/command.h"

int print(const char *text, size_t length, struct crt_error *err)
{
	int r = fd_write(STDOUT_FILENO, text, length);

	if (r < 0) {
		*err = (struct crt_error){.code = -r, .phase = "output"};
		snprintf(err->message, sizeof(err->message), "cannot write to stdout: %s", str_errno(-r));
	}
	return r;
}

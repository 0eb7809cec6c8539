/*
 * apply.c - write one limit, and say why the kernel does not take it.
 */
#include <errno.h>
#include <string.h>

#include "base/fd.h"
#include "base/str.h"
#include "libcontainer/cgroup/cgroup.h"
#include "libcontainer/cgroup/resources.h"
#include "specs/json.h"

/* cgroup v1 refused a memory limit below what is in use; v2 kills instead, unless we look first. */
static int check_usage(
	int cgroup_fd, const struct cg_write *write, const struct json_doc *doc, struct err *err)
{
	uint64_t used, limit;
	char text[32];

	if (fd_read_file(cgroup_fd, write->usage, text, sizeof(text)) < 0)
		return 0; /* the write itself will say what is wrong */
	text[strcspn(text, "\n")] = '\0';
	if (str_to_u64(text, &used) < 0 || str_to_u64(write->value, &limit) < 0 || used <= limit)
		return 0;
	json_err(err, doc, write->node, EBUSY, "%s of %s would be below the %s bytes in use", write->file,
		write->value, text);
	return err_hint(err, "checkBeforeUpdate refuses it; without, processes would be killed");
}

static void add_hint(struct err *err, int errnum, const struct cg_write *write)
{
	const char *file = write->file;

	if (errnum == -ENOENT)
		err_hint(err,
			"the cgroup does not have this file: its %s controller is not enabled here, or built "
			"without it",
			write->controller);
	else if (errnum == -ENODEV || (errnum == -ENXIO && str_eq(write->controller, "io")))
		err_hint(err, "there is no such device");
	else if (errnum == -EACCES || errnum == -EPERM)
		err_hint(err, "the file is not this user's: the %s controller is not delegated to it",
			write->controller);
	else if (str_starts(file, "cpuset."))
		err_hint(err, "the kernel takes lists such as \"0-2,5\" of what is online and allowed above");
	else if (errnum == -EINVAL && str_starts(file, "cpu."))
		err_hint(err,
			"the period must be 1000 to 1000000 microseconds, the quota 1000 or more, the burst "
			"no more than the quota");
}

int cg_apply(int cgroup_fd, const struct cg_write *write, const struct json_doc *doc, struct err *err)
{
	const char *file = write->file, *value = write->value;
	int r = write->usage ? check_usage(cgroup_fd, write, doc, err) : 0;

	if (r < 0)
		return r;
	r = fd_write_file(cgroup_fd, file, value);
	if (r == -ENOENT && write->instead_file) {
		file = write->instead_file;
		value = write->instead_value;
		r = fd_write_file(cgroup_fd, file, value);
	}
	if (r == 0 || (r == -ENOENT && str_eq(value, "max"))) /* what does not exist does not limit */
		return 0;
	json_err(err, doc, write->node, -r, "cannot set %s to \"%s\": %s", file, value, str_errno(-r));
	err_about(err, "cgroup", file, "write");
	add_hint(err, r, write);
	return r;
}

/*
 * refusal.c - which setting of this host it was that refused a namespace. Asked after the failure only.
 *
 * clone3 answers ENOSPC at a limit of namespaces(7), and EPERM where distributions keep user namespaces from
 * ordinary users: Debian by a sysctl of its own, Ubuntu by AppArmor (then some later step fails, for want of
 * the privileges that a new user namespace should have brought).
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/str.h"
#include "libcontainer/host/host.h"
#include "specs/namespace.h"

/* Returns false when there is no such setting. */
static bool read_setting(int sysctls, const char *path, uint64_t *value)
{
	char text[32];

	if (fd_read_file(sysctls, path, text, sizeof(text)) < 0)
		return false;
	text[strcspn(text, "\n")] = '\0';
	return str_to_u64(text, value) == 0;
}

static bool explain_limit(int sysctls, uint64_t flags, struct err *err)
{
	char path[64], list[256];
	struct str_buf b;
	uint64_t limit;

	str_buf_init(&b, list, sizeof(list));
	for (enum spec_namespace_type t = SPEC_NS_PID; t < SPEC_NS_COUNT; t++) {
		if (!(flags & spec_namespace_clone_flag(t)))
			continue;
		snprintf(path, sizeof(path), "user/max_%s_namespaces", spec_namespace_file(t));
		if (!read_setting(sysctls, path, &limit))
			continue;
		if (limit == 0) {
			err_cause(err, "user.%s is 0", path + strlen("user/"));
			err_hint(err, "sysctl user.%s=15000", path + strlen("user/"));
			return true;
		}
		str_buf_add(&b, "%suser.%s is %ju", b.length ? ", " : "", path + strlen("user/"),
			(uintmax_t)limit);
	}
	err_cause(err,
		"a limit is reached, here or in a user namespace above, or they are nested too deep (%s)",
		list);
	return true;
}

static bool explain_permission(int sysctls, struct err *err)
{
	uint64_t value;

	if (read_setting(sysctls, "kernel/unprivileged_userns_clone", &value) && value == 0) {
		err_cause(err, "kernel.unprivileged_userns_clone is 0: only root may make user namespaces");
		err_hint(err, "sysctl kernel.unprivileged_userns_clone=1");
		return true;
	}
	if (read_setting(sysctls, "kernel/apparmor_restrict_unprivileged_userns", &value) && value == 1) {
		err_cause(err, "kernel.apparmor_restrict_unprivileged_userns is 1: AppArmor keeps privileges "
			       "in new user namespaces from programs that have no profile for them");
		err_hint(err, "give crt a profile with \"userns,\", or sysctl "
			      "kernel.apparmor_restrict_unprivileged_userns=0");
		return true;
	}
	return false;
}

bool host_explain_namespaces(int sysctls, uint64_t flags, int errnum, struct err *err)
{
	fd_auto int own = sysctls < 0 ? open("/proc/sys", O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;

	if (sysctls < 0)
		sysctls = own;
	errnum = abs(errnum);
	if (errnum == ENOSPC)
		return explain_limit(sysctls, flags, err);
	return (flags & CLONE_NEWUSER) && (errnum == EPERM || errnum == EACCES) &&
	       explain_permission(sysctls, err);
}

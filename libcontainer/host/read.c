/*
 * read.c - the facts from a file: a test's machine, the same everywhere. Also what is computed from facts.
 */
#include "libcontainer/host/host.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "specs/capability.h"
#include "specs/json.h"
#include "specs/table.h"

static const struct spec_row host_rows[] = {
	ROW_U32(host, "euid", euid),
	ROW_U32(host, "egid", egid),
	ROW_BOOL(host, "userNamespace", user_namespace),
	ROW_BOOL(host, "capSysAdmin", cap_sys_admin),
	ROW_SET(host, "capabilities", capabilities, &spec_capability_names),
	ROW_STRING(host, "cgroupMount", cgroup_mount),
	ROW_STRING(host, "cgroupOwn", cgroup_own),
	ROW_STRING(host, "controllers", controllers),
	ROW_STRING(host, "v1Controllers", v1_controllers),
	ROW_STRING(host, "kernelRelease", kernel_release),
	ROW_STRING(host, "lsm", lsm),
	ROW_STRING(host, "namespaces", namespaces),
	ROW_U64(host, "maxUserNamespaces", max_user_namespaces),
	ROW_BOOL(host, "unprivilegedUserNamespaces", unprivileged_user_namespaces),
	ROW_BOOL(host, "apparmorRestrictsNamespaces", apparmor_restricts_namespaces),
	ROW_STRING(host, "seccompActions", seccomp_actions),
	ROW_STRING(host, "seccompFlags", seccomp_flags),
	ROW_STRING(host, "resctrlMount", resctrl_mount),
};

static const struct spec_table host_table = SPEC_TABLE("host", host, host_rows);

static void never_null(const char **text, const char *absent)
{
	if (!*text)
		*text = absent;
}

int host_read(struct host *host, struct arena *arena, const char *path, struct report *report)
{
	const struct json_doc *doc;
	unsigned errors = report->errors;

	int r = json_read(arena, AT_FDCWD, path, path, report, &doc);
	if (r < 0)
		return r;
	const struct host *facts = spec_decode(arena, doc, 0, &host_table, report);
	if (!facts || report->errors > errors)
		return -EINVAL;
	*host = *facts;
	if (!host->capabilities.set)
		host->capabilities.mask = SPEC_CAPABILITY_ALL;
	never_null(&host->cgroup_own, "/");
	never_null(&host->controllers, "");
	never_null(&host->v1_controllers, "");
	never_null(&host->kernel_release, "");
	never_null(&host->lsm, "");
	never_null(&host->namespaces, "");
	never_null(&host->seccomp_actions, "");
	never_null(&host->seccomp_flags, "");
	host->known = HOST_ALL;
	return 0;
}

bool host_kernel_is(const struct host *host, unsigned major, unsigned minor)
{
	unsigned have_major = 0, have_minor = 0;

	sscanf(host->kernel_release, "%u.%u", &have_major, &have_minor);
	return have_major != major ? have_major > major : have_minor >= minor;
}

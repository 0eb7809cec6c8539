/*
 * path.c - where a container's cgroup belongs (config-linux.md, "Cgroups Path"). Text only: that nothing
 * below the mount is followed or escaped from is the business of create.c.
 */
#include "libcontainer/cgroup/cgroup.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "libcontainer/cgroup/self.h"
#include "libcontainer/host/host.h"
#include "specs/json.h"

static const char *const manager_names[] = {
	[CG_CGROUPFS] = "cgroupfs", [CG_SYSTEMD] = "systemd", [CG_SELF] = "self", [CG_NONE] = "none"};

int cg_manager_find(const char *name)
{
	for (size_t i = 0; name && i < ARRAY_SIZE(manager_names); i++)
		if (str_eq(name, manager_names[i]))
			return (int)i;
	return !name ? CG_CGROUPFS : str_eq(name, "disabled") ? CG_NONE : -EINVAL;
}

const char *cg_manager_name(enum cg_manager manager)
{
	return manager == CG_CGROUPFS ? NULL : manager_names[manager];
}

#define COMPONENT_MAX 255  /* NAME_MAX */
#define PATH_TEXT_MAX 3500 /* leaves room for the mount before it and file names after it in PATH_MAX */

/* Append "/name" for every component of `path`; "." and empty ones are nothing. Returns why it cannot be. */
static const char *append_components(struct str_buf *out, const char *path)
{
	for (const char *p = path; *p;) {
		size_t length = strcspn(p, "/");
		if (length == 2 && p[0] == '.' && p[1] == '.')
			return "\"..\" is not allowed in it";
		if (length > COMPONENT_MAX)
			return "a name in it is longer than 255 bytes";
		for (size_t i = 0; i < length; i++)
			if ((unsigned char)p[i] < ' ' || p[i] == 127)
				return "it contains a control character";
		if (length > 0 && !(length == 1 && p[0] == '.')) {
			str_buf_add_bytes(out, "/", 1);
			str_buf_add_bytes(out, p, length);
		}
		p += length;
		p += *p == '/';
	}
	return out->cut ? "it is too long" : NULL;
}

/*
 * Where the user may make cgroups: beside the one we live in, not below it. A cgroup with processes of its
 * own cannot hand down memory limits, and handing down the others would make it threaded ("no internal
 * process constraint" and "threads" of the kernel's cgroup-v2.rst).
 */
static void add_beside_own(struct str_buf *out, const char *own)
{
	const char *last = strrchr(own, '/');

	if (last)
		str_buf_add_bytes(out, own, (size_t)(last - own));
}

const char *cg_unit_of(struct arena *arena, const char *own)
{
	static const char supervisor[] = "/" CG_SUPERVISOR;
	size_t length = strlen(own), tail = sizeof(supervisor) - 1;

	if (length > tail && str_eq(own + length - tail, supervisor))
		return arena_memdup(arena, own, length - tail);
	return own;
}

/* A root is of no unit; what is outside of our cgroup namespace begins with "/..". */
static int add_payload(struct arena *arena, struct str_buf *out, const struct host *host,
	const struct json_doc *doc, uint32_t node, struct err *err)
{
	const char *unit = cg_unit_of(arena, host->cgroup_own);

	if (str_eq(unit, "/") || str_starts(unit, "/..")) {
		json_err(err, doc, node ? node : JSON_NONE, ENOENT,
			"the cgroup manager \"self\" needs a unit's own cgroup, and crt runs in %s", unit);
		return err_hint(err, "run crt in a service or scope with Delegate=yes, or use another "
				     "--cgroup-manager");
	}
	str_buf_add(out, "%s/" CG_PAYLOAD, unit);
	return 0;
}

int cg_path(struct arena *arena, const struct host *host, enum cg_manager manager, const char *cgroups_path,
	const char *id, const struct json_doc *doc, uint32_t node, const char **path, struct err *err)
{
	const char *wanted = cgroups_path ? cgroups_path : id;
	char text[PATH_TEXT_MAX];
	struct str_buf out;

	if (!host->cgroup_mount) {
		json_err(err, doc, node ? node : JSON_NONE, ENOENT, "this host has no cgroup v2 mounted");
		return err_hint(err, "mount -t cgroup2 none /sys/fs/cgroup, or boot with "
				     "systemd.unified_cgroup_hierarchy=1");
	}
	str_buf_init(&out, text, sizeof(text));
	if (manager == CG_SELF) {
		int r = add_payload(arena, &out, host, doc, node, err);
		if (r < 0)
			return r;
	} else if (wanted[0] != '/') {
		if (host->euid != 0 || host->user_namespace)
			add_beside_own(&out, host->cgroup_own);
		str_buf_add(&out, "%s", CG_PARENT);
	}
	size_t parent = out.length;
	const char *problem = append_components(&out, wanted);
	if (!problem && out.length == parent)
		problem = "it names no cgroup of the container's own";
	if (problem)
		return json_err(
			err, doc, node, EINVAL, "cgroup path \"%.300s\" cannot be used: %s", wanted, problem);
	*path = arena_memdup(arena, out.data, out.length);
	return 0;
}

const char *cg_path_below(struct arena *arena, const char *text, const char **problem)
{
	char clean[PATH_TEXT_MAX];
	struct str_buf out;

	str_buf_init(&out, clean, sizeof(clean));
	*problem = append_components(&out, text);
	return *problem ? NULL : arena_strdup(arena, clean);
}

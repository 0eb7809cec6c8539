/*
 * unit.c - see unit.h: names and paths, as runc documents them for --systemd-cgroup.
 *
 * linux.cgroupsPath is "slice:prefix:name": the unit is prefix-name.scope in that slice. A slice's name says
 * which slices it is in: a-b.slice is below a.slice.
 */
#include "libcontainer/cgroup/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "libcontainer/cgroup/resources.h"
#include "libcontainer/host/host.h"
#include "specs/json.h"
#include "specs/types.h"

#define UNIT_NAME_MAX 255 /* UNIT_NAME_MAX of systemd */
#define PREFIX        "org.systemd.property."
#define SUBGROUP      "run.oci.systemd.subgroup" /* crun's */
#define PATH_ROOM     3500

static const char name_characters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:-_.\\@";

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n >= m && str_eq(text + n - m, end);
}

/* ---- names ---- */

static bool is_unit_name(const char *name)
{
	size_t length = strlen(name);

	return length > 0 && length <= UNIT_NAME_MAX && strspn(name, name_characters) == length;
}

/* "a-b.slice": no dash at an end, none after another; "-.slice" is the root. */
static bool is_slice_name(const char *name)
{
	if (!is_unit_name(name) || !ends_with(name, ".slice"))
		return false;
	if (str_eq(name, "-.slice"))
		return true;
	const char *dot = name + strlen(name) - strlen(".slice");
	return dot != name && name[0] != '-' && dot[-1] != '-' && !strstr(name, "--");
}

static int bad_path(
	const struct cg_unit_wish *w, struct report *report, const char *what, const char *problem)
{
	struct err *e = json_error(report, w->doc, w->node, "\"%s\" %s", what, problem);

	err_hint(e, "with systemd it has the form slice:prefix:name, as \"system.slice:crt:web\"");
	return -EINVAL;
}

static int name_from_path(
	struct arena *arena, const struct cg_unit_wish *w, struct report *report, struct cg_unit *unit)
{
	const char *path = w->cgroups_path;
	const char *first = strchr(path, ':'), *second = first ? strchr(first + 1, ':') : NULL;

	if (!second || strchr(second + 1, ':'))
		return bad_path(w, report, path, "names no unit of systemd");
	const char *prefix = arena_memdup(arena, first + 1, (size_t)(second - first) - 1);
	const char *name = second + 1;
	if (first != path)
		unit->slice = arena_memdup(arena, path, (size_t)(first - path));
	/* Also when the name ends in ".slice": systemd takes no process into a slice itself. */
	unit->name = arena_printf(arena, "%s%s%s.scope", prefix, *prefix ? "-" : "", name);
	if (!*name || !is_unit_name(unit->name))
		return bad_path(w, report, unit->name, "cannot be the name of a unit");
	if (!is_slice_name(unit->slice))
		return bad_path(w, report, unit->slice, "is not the name of a slice");
	return 0;
}

/* ---- where its cgroup will be ---- */

/* The user's service manager lives in user@UID.service; we are in it, or beside it. */
static void add_user_manager(struct str_buf *out, const struct host *host)
{
	const char *service = host->cgroup_own ? strstr(host->cgroup_own, "/user@") : NULL;

	if (service) {
		size_t length = (size_t)(service - host->cgroup_own) + 1 + strcspn(service + 1, "/");
		str_buf_add_bytes(out, host->cgroup_own, length);
	} else {
		str_buf_add(out, "/user.slice/user-%u.slice/user@%u.service", host->euid, host->euid);
	}
}

/* "/a.slice/a-b.slice" for "a-b.slice". */
static void add_slices(struct str_buf *out, const char *slice)
{
	size_t length = strlen(slice) - strlen(".slice");

	if (str_eq(slice, "-.slice"))
		return;
	for (size_t i = 1; i <= length; i++)
		if (i == length || slice[i] == '-')
			str_buf_add(out, "/%.*s.slice", (int)i, slice);
}

static int find_place(
	struct arena *arena, const struct cg_unit_wish *w, struct report *report, struct cg_unit *unit)
{
	char text[PATH_ROOM];
	struct str_buf out;

	str_buf_init(&out, text, sizeof(text));
	if (unit->user)
		add_user_manager(&out, w->host);
	add_slices(&out, unit->slice);
	str_buf_add(&out, "/%s%s%s", unit->name, *unit->below ? "/" : "", unit->below);
	if (out.cut)
		return bad_path(w, report, unit->name, "has too long a path");
	unit->path = arena_strdup(arena, text);
	return 0;
}

/* ---- properties ---- */

static void read_annotations(struct arena *arena, const struct cg_unit_wish *w, struct report *report,
	struct str_buf *out, struct cg_unit *unit)
{
	for (size_t i = 0; i < w->annotations_count; i++) {
		const struct spec_pair *a = &w->annotations[i];
		const char *problem = NULL;

		if (str_eq(a->key, SUBGROUP)) {
			unit->below = a->value;
			if (strchr(a->value, '/') || a->value[0] == '.' || strlen(a->value) > 255)
				json_problem_key(report, REPORT_ERROR, w->doc, a->node,
					"\"%s\" cannot be the name of a cgroup", a->value);
		}
		if (!str_starts(a->key, PREFIX))
			continue;
		const char *line = cg_annotation_property(arena, a->key + strlen(PREFIX), a->value, &problem);
		if (line)
			str_buf_add(out, "%s", line);
		else
			json_problem_key(report, REPORT_ERROR, w->doc, a->node, "%s", problem);
	}
}

int cg_unit_compile(
	struct arena *arena, const struct cg_unit_wish *w, struct report *report, struct cg_unit *unit)
{
	const size_t room = 64 * 1024;
	char *text = arena_alloc(arena, room);
	unsigned errors = report->errors;
	struct str_buf out;

	*unit = (struct cg_unit){.below = CG_SUBGROUP};
	unit->user = w->host->euid != 0 || w->host->user_namespace;
	unit->slice = unit->user ? "user.slice" : "system.slice";
	unit->name = arena_printf(arena, "crt-%s.scope", w->id);
	if (w->cgroups_path && *w->cgroups_path && name_from_path(arena, w, report, unit) < 0)
		return -EINVAL;
	str_buf_init(&out, text, room);
	str_buf_add(&out,
		"Description\ts\tcontainer "
		"%s\nSlice\ts\t%s\nDelegate\tb\ttrue\nDefaultDependencies\tb\tfalse\n"
		"CollectMode\ts\tinactive-or-failed\nCPUAccounting\tb\ttrue\nMemoryAccounting\tb\ttrue\n"
		"IOAccounting\tb\ttrue\nTasksAccounting\tb\ttrue\n",
		w->id, unit->slice);
	str_buf_add(&out, "%s", cg_properties(arena, w->limits));
	read_annotations(arena, w, report, &out, unit);
	unit->properties = text;
	if (report->errors > errors)
		return -EINVAL;
	if (out.cut)
		return bad_path(w, report, unit->name, "has too many properties");
	return find_place(arena, w, report, unit);
}

/*
 * unit.h - a container's unit of systemd: its name, its slice, where its cgroup is, and its properties.
 *
 * What is decided here is text only; libcontainer/run asks systemd for it, through a program of its own
 * (src/libexec/systemd.c). The container lives in a cgroup below the unit's, which systemd never touches
 * (Delegate=yes): limits and device filter in it survive whatever systemd does to the unit, daemon-reload
 * included. The unit has the same limits as properties, for who looks at it and for the weights among its
 * siblings.
 */
#ifndef CGROUP_UNIT_H
#define CGROUP_UNIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/report.h"

struct cg_limits;
struct host;
struct json_doc;
struct spec_pair;

#define CG_SUBGROUP                                                                                          \
	"container" /* the container's cgroup below the unit's, unless an annotation renames it              \
		     */

struct cg_unit {
	const char *name;       /* "crt-ID.scope" */
	const char *slice;      /* "system.slice" */
	const char *below;      /* CG_SUBGROUP; "": the unit's cgroup itself */
	const char *path;       /* where systemd will probably put it, below the mount, with `below` */
	bool user;              /* of the user's service manager, not the system's */
	const char *properties; /* lines for the helper, see cg_properties() */
};

/* What the unit is made from. */
struct cg_unit_wish {
	const struct host *host;  /* knows HOST_CONTROLLERS when euid is not 0 */
	const char *cgroups_path; /* "slice:prefix:name"; NULL: from the id */
	const char *id;
	const struct json_doc *doc;
	uint32_t node; /* of cgroupsPath */
	const struct spec_pair *annotations;
	size_t annotations_count;
	const struct cg_limits *limits;
};

/*
 * Decide on the unit. Pure; problems go to the report, each at its place. Returns 0 or -EINVAL.
 */
int cg_unit_compile(
	struct arena *arena, const struct cg_unit_wish *wish, struct report *report, struct cg_unit *unit);

/*
 * The limits as properties of a unit: a line each, "NAME TAB SIGNATURE TAB VALUE ...", as the helper reads
 * them; "" for none. Limits that no property stands for are left out: the container's own cgroup has them.
 */
const char *cg_properties(struct arena *arena, const struct cg_limits *limits);

/*
 * One "org.systemd.property.NAME" annotation, whose value is GVariant text (a subset), as a line. Returns the
 * line, or NULL with what is wrong in *problem.
 */
const char *cg_annotation_property(
	struct arena *arena, const char *name, const char *value, const char **problem);

#endif

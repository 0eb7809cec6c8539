/*
 * idmap.c - mounts whose files have other owners than on disk (config.md, "Mounts": uidMappings, gidMappings,
 * idmap, ridmap).
 *
 * The kernel wants the mapping as a user namespace. When a mount names its own, or means those of a user
 * namespace that is yet to be made, a short-lived process lends one with the same numbers; mounts with the
 * same mapping share it. A user namespace that is joined is taken itself. Only who controls the filesystem
 * may map, and only while the mount is attached nowhere: so the parent does it, as soon as it has the source.
 */
#include <sched.h>

#include "base/str.h"
#include "libcontainer/plan/compile.h"

static uint32_t lent_namespace(
	struct plan_compiler *c, uint32_t node, const char *uid_map, const char *gid_map)
{
	plan_for_each_op (c->plan, op)
		if (op->kind == OP_MAKE_ID_MAPPING && str_eq(op->make_id_mapping.uid_map, uid_map) &&
			str_eq(op->make_id_mapping.gid_map, gid_map))
			return op->make_id_mapping.slot;
	struct plan_op *op = plan_emit(c, OP_MAKE_ID_MAPPING, PLAN_PARENT, node);
	op->make_id_mapping.uid_map = uid_map;
	op->make_id_mapping.gid_map = gid_map;
	op->make_id_mapping.slot = plan_new_slot(c->plan);
	return op->make_id_mapping.slot;
}

static uint32_t joined_namespace(const struct plan_compiler *c)
{
	for (size_t i = 0; i < c->joins_count; i++)
		if (c->joins[i].type == CLONE_NEWUSER)
			return c->joins[i].slot;
	return PLAN_NO_SLOT;
}

static uint32_t mapping(struct plan_compiler *c, const struct spec_mount *m)
{
	const struct spec_linux *l = c->linux_;

	if (m->uid_mappings_count)
		return lent_namespace(c, spec_at(c->doc, m->node, "uidMappings"),
			plan_map_text(c, m->uid_mappings, m->uid_mappings_count),
			plan_map_text(c, m->gid_mappings, m->gid_mappings_count));
	if (plan_namespace_new(c, SPEC_NS_USER))
		return lent_namespace(c, spec_at(c->doc, l->node, "uidMappings"),
			plan_map_text(c, l->uid_mappings, l->uid_mappings_count),
			plan_map_text(c, l->gid_mappings, l->gid_mappings_count));
	return joined_namespace(c);
}

static const struct spec_mount_option *asked(const struct spec_mount *m)
{
	const struct spec_mount_option *found = NULL;

	for (size_t i = 0; i < m->options_count; i++) {
		const struct spec_mount_option *o = spec_mount_option_find(m->options[i]);
		if (o && o->kind == SPEC_MOUNT_IDMAP)
			found = o;
	}
	return found || !m->uid_mappings_count ? found : spec_mount_option_find("idmap");
}

static void refuse(struct plan_compiler *c, const struct spec_mount *m, const char *why)
{
	json_error(c->report, c->doc,
		m->uid_mappings_count ? spec_at(c->doc, m->node, "uidMappings") : m->node, "%s", why);
}

void plan_map_source(struct plan_compiler *c, const struct spec_mount *m, const char *path, uint32_t tree)
{
	const struct spec_mount_option *option = asked(m);

	if (!option)
		return;
	if (c->unprivileged) {
		refuse(c, m, "an id-mapped mount needs privileges over the filesystem of its source");
		return;
	}
	uint32_t slot = mapping(c, m);
	struct plan_op *op = plan_emit(c, OP_MAP_MOUNT, PLAN_PARENT, m->node);
	op->map_mount.path = path;
	op->map_mount.recursive = option->recursive;
	op->map_mount.tree = tree;
	op->map_mount.mapping = slot;
}

/*
 * A filesystem that the container makes in its user namespace has the ids of that: there is nothing to do, or
 * nothing that could be done.
 */
uint32_t plan_map_filesystem(struct plan_compiler *c, const struct spec_mount *m)
{
	if (!asked(m))
		return PLAN_NO_SLOT;
	if (spec_mount_has(m, "remount") || !m->type || str_eq(m->type, "none"))
		refuse(c, m, "only a new mount can be id-mapped");
	else if (c->user_namespace && m->uid_mappings_count)
		refuse(c, m, "a new filesystem has the ids of the user namespace, and cannot have others");
	else if (!c->user_namespace)
		return mapping(c, m);
	return PLAN_NO_SLOT;
}

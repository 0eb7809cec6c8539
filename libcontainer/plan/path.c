/*
 * path.c - sysctls, masked and read-only paths (config-linux.md, "Sysctl", "Masked Paths", "Readonly Paths").
 */
#include "base/str.h"
#include "libcontainer/plan/compile.h"

static void emit_sysctl(struct plan_compiler *c, const struct spec_pair *pair)
{
	char path[256];

	if (spec_sysctl_path(pair->key, path, sizeof(path)) < 0)
		return; /* reported by the check of the document */
	struct plan_op *op = plan_emit(c, OP_SYSCTL, PLAN_INIT, pair->node);
	op->sysctl.name = pair->key;
	op->sysctl.path = arena_printf(c->arena, "sys/%s", path);
	op->sysctl.value = pair->value;
}

/* A limit of namespaces may leave none for the moment that locking the mounts takes (init/lock.c). */
static bool limits_namespaces(const struct spec_pair *pair)
{
	return str_starts(pair->key, "user.max_") || str_starts(pair->key, "user/max_");
}

void plan_sysctls(struct plan_compiler *c, bool locks)
{
	bool any_late = false;

	for (size_t i = 0; i < c->linux_->sysctl_count; i++) {
		bool late = locks && limits_namespaces(&c->linux_->sysctl[i]);
		any_late |= late;
		if (!late)
			emit_sysctl(c, &c->linux_->sysctl[i]);
	}
	if (any_late) /* afterwards the container's own may be masked, and the kernel make no other */
		plan_emit(c, OP_OPEN_PROCFS, PLAN_INIT, 0);
}

void plan_late_sysctls(struct plan_compiler *c, bool locks)
{
	for (size_t i = 0; locks && i < c->linux_->sysctl_count; i++)
		if (limits_namespaces(&c->linux_->sysctl[i]))
			emit_sysctl(c, &c->linux_->sysctl[i]);
}

void plan_paths(struct plan_compiler *c)
{
	const struct spec_linux *l = c->linux_;

	for (size_t i = 0; i < l->masked_paths_count; i++)
		plan_emit(c, OP_MASK_PATH, PLAN_INIT, spec_at_item(c->doc, l->node, "maskedPaths", i))
			->mask_path.path = l->masked_paths[i];
	for (size_t i = 0; i < l->readonly_paths_count; i++)
		plan_emit(c, OP_READONLY_PATH, PLAN_INIT, spec_at_item(c->doc, l->node, "readonlyPaths", i))
			->readonly_path.path = l->readonly_paths[i];
}

/*
 * path.c - sysctls, masked and read-only paths (config-linux.md, "Sysctl", "Masked Paths", "Readonly Paths").
 */
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

void plan_sysctls(struct plan_compiler *c)
{
	for (size_t i = 0; i < c->linux_->sysctl_count; i++)
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

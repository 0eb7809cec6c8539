/*
 * hook.c - hooks of the create phase (config.md, "POSIX-platform Hooks"). A hook gets its own environment
 * only: process.env comes from the image and must not steer what runs outside (CVE-2025-23266). Those of
 * later phases (poststart, poststop) are kept in the state and do not go through a plan.
 */
#include "libcontainer/plan/compile.h"

char *const *plan_strings(struct arena *arena, const char *const *list, size_t count)
{
	const char **copy = arena_array(arena, const char *, count + 1);

	for (size_t i = 0; i < count; i++)
		copy[i] = list[i];
	return (char *const *)copy;
}

void plan_hook_fill(struct plan_op *op, struct arena *arena, const char *stage, const struct spec_hook *hook,
	bool created)
{
	op->hook.stage = stage;
	op->hook.path = hook->path;
	op->hook.args = hook->args_count ? plan_strings(arena, hook->args, hook->args_count)
					 : plan_strings(arena, &hook->path, 1);
	op->hook.env = plan_strings(arena, hook->env, hook->env_count);
	op->hook.timeout_ms = -1;
	if (hook->timeout.set)
		op->hook.timeout_ms = hook->timeout.value > INT32_MAX / 1000
					      ? INT32_MAX
					      : (int)hook->timeout.value * 1000;
	op->hook.created = created;
}

size_t plan_hooks(struct plan_compiler *c, const char *stage, const struct spec_hook *hooks, size_t count,
	enum plan_who who, bool created)
{
	for (size_t i = 0; i < count; i++) {
		struct plan_op *op = plan_emit(c, OP_HOOK, who, hooks[i].node);
		plan_hook_fill(op, c->arena, stage, &hooks[i], created);
		op->hook.cwd = who == PLAN_PARENT ? c->options->bundle : "/";
		if (who == PLAN_PARENT) { /* the others have no host to write to */
			op->hook.stdout_file = c->config->known.hooks_stdout;
			op->hook.stderr_file = c->config->known.hooks_stderr;
		}
		c->plan->has_hooks = true;
	}
	return count;
}

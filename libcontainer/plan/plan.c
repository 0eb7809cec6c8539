/*
 * plan.c - the list itself.
 */
#include "libcontainer/plan/plan.h"

static const char *const op_names[OP_COUNT] = {
#define OP(NAME, name, who) [OP_##NAME] = #name,
#include "libcontainer/plan/ops.def"
#undef OP
};

const char *plan_op_name(enum plan_op_kind kind)
{
	return op_names[kind];
}

struct plan_op *plan_add(struct plan *plan, enum plan_op_kind kind, enum plan_who who, uint32_t node)
{
	plan->ops = arena_grow(plan->arena, plan->ops, sizeof(*plan->ops), plan->count, &plan->room, 64);
	struct plan_op *op = &plan->ops[plan->count++];
	op->kind = kind;
	op->who = who;
	op->node = node;
	return op;
}

uint32_t plan_new_slot(struct plan *plan)
{
	return plan->slots++;
}

void plan_empty_slots(struct plan *plan)
{
	plan->fds = arena_array(plan->arena, int, plan->slots);
	for (uint32_t i = 0; i < plan->slots; i++)
		plan->fds[i] = -1;
}

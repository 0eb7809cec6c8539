/*
 * scheduling.c - when and where the process runs and gets its memory (config.md, "Scheduler", "I/O priority",
 * "execCPUAffinity"; config-linux.md, "Memory policy", "Personality").
 *
 * All of it survives execve, so it is set last: hooks do not run under it, nor is crt's own memory placed by
 * it. Raising a priority takes a privilege over the host; where init has lost it to a user namespace, the
 * parent does it between "ready" and "go".
 */
#include <sys/personality.h>

#include "libcontainer/plan/compile.h"
#include "specs/check.h"

#define CPUS_MAX        8192 /* the kernel's NR_CPUS at most */
#define NODES_MAX       1024 /* its MAX_NUMNODES */
#define MPOL_FLAG_SHIFT 13

static void scheduler(struct plan_compiler *c, const struct spec_process *p, enum plan_who who)
{
	const struct spec_scheduler *s = p->scheduler;

	if (!s || s->policy == SPEC_SCHED_NONE)
		return;
	struct plan_op *op = plan_emit(c, OP_SCHEDULER, who, s->node);
	op->scheduler.policy = s->policy - 1;
	op->scheduler.flags = s->flags.mask;
	op->scheduler.nice = s->nice.value;
	op->scheduler.priority = (unsigned)s->priority.value;
	op->scheduler.runtime = s->runtime.value;
	op->scheduler.deadline = s->deadline.value;
	op->scheduler.period = s->period.value;
}

static void io_priority(struct plan_compiler *c, const struct spec_process *p, enum plan_who who)
{
	if (!p->io_priority)
		return;
	struct plan_op *op = plan_emit(c, OP_IO_PRIORITY, who, p->io_priority->node);
	op->io_priority.class_ = p->io_priority->class_;
	op->io_priority.priority = p->io_priority->priority;
}

static void priorities(struct plan_compiler *c, enum plan_who who)
{
	bool by_parent = c->user_namespace && !c->unprivileged;

	if (by_parent != (who == PLAN_PARENT))
		return;
	scheduler(c, c->config->process, who);
	io_priority(c, c->config->process, who);
}

void plan_scheduling_by_parent(struct plan_compiler *c)
{
	priorities(c, PLAN_PARENT);
}

static void memory_policy(struct plan_compiler *c, const struct spec_memory_policy *m)
{
	struct plan_op *op = plan_emit(c, OP_MEMORY_POLICY, PLAN_INIT, m->node);

	op->memory_policy.mode = m->mode - 1;
	op->memory_policy.flags = (unsigned)m->flags.mask << MPOL_FLAG_SHIFT;
	op->memory_policy.nodes = m->nodes;
	if (!m->nodes)
		return;
	op->memory_policy.mask = spec_number_list_mask(
		c->arena, m->nodes, NODES_MAX, &op->memory_policy.words);
	if (!op->memory_policy.mask)
		json_error(c->report, c->doc, spec_at(c->doc, m->node, "nodes"),
			"no memory nodes below %d: \"%s\"", NODES_MAX, m->nodes);
}

void plan_scheduling(struct plan_compiler *c)
{
	const struct spec_linux *l = c->linux_;

	priorities(c, PLAN_INIT);
	if (l->memory_policy && l->memory_policy->mode != SPEC_MPOL_NONE)
		memory_policy(c, l->memory_policy);
	if (l->personality && l->personality->domain != SPEC_PERSONALITY_NONE)
		plan_emit(c, OP_PERSONALITY, PLAN_INIT, l->personality->node)->personality.domain =
			l->personality->domain == SPEC_PERSONALITY_LINUX32 ? PER_LINUX32 : PER_LINUX;
}

static void affinity(struct plan_compiler *c, enum plan_op_kind kind, enum plan_who who, const char *member,
	const char *cpus)
{
	uint32_t node = spec_at(c->doc, c->config->process->exec_cpu_affinity->node, member);
	struct plan_op *op = plan_emit(c, kind, who, node);

	op->cpu_affinity.cpus = cpus;
	op->cpu_affinity.mask = spec_number_list_mask(
		c->arena, cpus ? cpus : "0-8191", CPUS_MAX, &op->cpu_affinity.words);
	if (!op->cpu_affinity.mask)
		json_error(c->report, c->doc, node, "no CPUs below %d: \"%s\"", CPUS_MAX, cpus);
}

/* "initial": for this process until the cgroup has the new one. */
void plan_parent_cpus(struct plan_compiler *c)
{
	const struct spec_cpu_affinity *a = c->config->process->exec_cpu_affinity;

	if (a && a->initial && *a->initial)
		affinity(c, OP_PARENT_CPUS, PLAN_PARENT, "initial", a->initial);
}

/* "final"; without it "the container's default CPU affinity": "initial" must not outlive the way. */
void plan_cpu_affinity(struct plan_compiler *c)
{
	const struct spec_cpu_affinity *a = c->config->process->exec_cpu_affinity;

	if (a && a->final_ && *a->final_)
		affinity(c, OP_CPU_AFFINITY, PLAN_INIT, "final", a->final_);
	else if (a && a->initial && *a->initial)
		affinity(c, OP_CPU_AFFINITY, PLAN_INIT, "initial", NULL);
}

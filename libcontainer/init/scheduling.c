/*
 * scheduling.c - CPU, I/O and memory placement, as late as there is the right to it. Runs in init.
 */
#include <errno.h>
#include <sched.h>
#include <sys/personality.h>

#include "base/sys.h"
#include "libcontainer/init/init.h"

int init_cpu_affinity(struct init *in, const struct plan_op *op)
{
	const void *mask = op->cpu_affinity.mask;

	if (sched_setaffinity(0, op->cpu_affinity.words * sizeof(uint64_t), mask) == 0)
		return 0;
	return errno == EINVAL
		       ? init_detail(in, -EINVAL, "none of these CPUs is online and allowed to the cgroup")
		       : -errno;
}

int init_scheduling_of(struct init *in, const struct plan_op *op, pid_t pid)
{
	struct sys_sched_attr attr = {
		.policy = op->scheduler.policy,
		.flags = op->scheduler.flags,
		.nice = op->scheduler.nice,
		.priority = op->scheduler.priority,
		.runtime = op->scheduler.runtime,
		.deadline = op->scheduler.deadline,
		.period = op->scheduler.period,
	};
	int r;

	if (op->kind == OP_IO_PRIORITY) {
		r = sys_ioprio_set(pid, op->io_priority.class_, op->io_priority.priority);
		return r == -EPERM ? init_detail(in, r, "the class needs CAP_SYS_NICE on the host") : r;
	}
	r = sys_sched_setattr(pid, attr);
	if (r == -EINVAL && op->scheduler.deadline)
		return init_detail(in, r,
			"a runtime is at least 1024 ns, a period as in "
			"/proc/sys/kernel/sched_deadline_period_min_us and _max_us");
	if (r == -EPERM)
		return init_detail(in, r,
			op->scheduler.deadline
				? "a deadline needs CAP_SYS_NICE on the host, and all CPUs of its root domain"
				: "the priority needs CAP_SYS_NICE on the host, or a limit RLIMIT_NICE or "
				  "RLIMIT_RTPRIO");
	return r == -EBUSY ? init_detail(in, r, "the CPUs have not so much time left for deadlines") : r;
}

int init_scheduler(struct init *in, const struct plan_op *op)
{
	return init_scheduling_of(in, op, 0);
}

int init_io_priority(struct init *in, const struct plan_op *op)
{
	return init_scheduling_of(in, op, 0);
}

int init_memory_policy(struct init *in, const struct plan_op *op)
{
	int r = sys_set_mempolicy(op->memory_policy.mode | op->memory_policy.flags, op->memory_policy.mask,
		op->memory_policy.words);

	if (r == -EINVAL)
		return init_detail(in, r,
			"this kernel has no such policy, or none of the nodes has memory that the cgroup may "
			"use");
	return r == -ENOSYS ? init_detail(in, r, "this kernel has no NUMA support") : r;
}

int init_personality(struct init *in, const struct plan_op *op)
{
	(void)in;
	return personality(op->personality.domain) < 0 ? -errno : 0;
}

/*
 * print_process.c - in words: from init to the user's program, and how that is scheduled.
 */
#include <string.h>
#include <sys/personality.h>

#include "libcontainer/plan/print.h"
#include "specs/capability.h"
#include "specs/linux.h"
#include "specs/process.h"

static void print_mask(struct str_buf *out, uint64_t mask)
{
	unsigned count = (unsigned)__builtin_popcountll(mask);

	if (!count || count > SPEC_CAPABILITY_COUNT / 2) {
		str_buf_add(out,
			count == 0                       ? "none"
			: count == SPEC_CAPABILITY_COUNT ? "all"
							 : "%u of them",
			count);
		return;
	}
	const char *separator = "";
	for (unsigned cap = 0; cap < SPEC_CAPABILITY_COUNT; cap++)
		if (mask & ((uint64_t)1 << cap)) {
			str_buf_add(out, "%s%s", separator, spec_capability_name(cap) + 4);
			separator = " ";
		}
}

static void print_limit(struct str_buf *out, uint64_t value)
{
	if (value == UINT64_MAX)
		str_buf_add(out, "unlimited");
	else
		str_buf_add(out, "%llu", (unsigned long long)value);
}

void plan_print_rlimit(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "limit %s: soft ", op->rlimit.name);
	print_limit(out, op->rlimit.soft);
	str_buf_add(out, ", hard ");
	print_limit(out, op->rlimit.hard);
}

void plan_print_raise_rlimit(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "raise the hard %s to ", op->raise_rlimit.name);
	print_limit(out, op->raise_rlimit.hard);
	str_buf_add(out, " if it is lower");
}

void plan_print_new_keyring(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "join a new session keyring, %s", op->new_keyring.name);
	if (op->new_keyring.label)
		str_buf_add(out, ", SELinux label %s", op->new_keyring.label);
}

void plan_print_wait_start(struct str_buf *out, const struct plan_op *op)
{
	(void)op;
	str_buf_add(out, "wait for start");
}

void plan_print_close_fds(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "close fds from %u on at execve", 3 + op->close_fds.preserve);
}

void plan_print_umask(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "set umask %04o", op->umask.mask);
}

void plan_print_change_directory(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "change to directory %s, creating it if missing", op->change_directory.path);
}

void plan_print_bounding_set(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "set the capability bounding set to ");
	print_mask(out, op->bounding_set.bounding);
}

void plan_print_user(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "become uid %u, gid %u, ", op->user.uid, op->user.gid);
	if (op->user.keep_groups) {
		str_buf_add(out, "groups unchanged");
		return;
	}
	str_buf_add(out, op->user.groups_count ? "groups" : "no other groups");
	for (size_t i = 0; i < op->user.groups_count; i++)
		str_buf_add(out, " %u", op->user.groups[i]);
}

void plan_print_find_user(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "find");
	if (op->find_user.user)
		str_buf_add(out, " user %s in the container's /etc/passwd", op->find_user.user);
	if (op->find_user.group)
		str_buf_add(out, "%s group %s in its /etc/group", op->find_user.user ? " and" : "",
			op->find_user.group);
}

void plan_print_find_program(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "find program %s", op->find_program.file);
	if (!strchr(op->find_program.file, '/'))
		str_buf_add(out, " in %s", op->find_program.search);
}

void plan_print_find_home(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "set HOME from the container's /etc/passwd, uid %u", op->find_home.uid);
}

void plan_print_label(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "execute with the %s %s", op->label.what, op->label.name);
}

void plan_print_capabilities(struct str_buf *out, const struct plan_op *op)
{
	static const char *const names[] = {"effective", "permitted", "inheritable", "ambient"};
	uint64_t sets[] = {op->capabilities.effective, op->capabilities.permitted,
		op->capabilities.inheritable, op->capabilities.ambient};

	str_buf_add(out, "set capabilities");
	for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
		str_buf_add(out, "%s%s ", i ? "; " : " ", names[i]);
		print_mask(out, sets[i]);
	}
}

void plan_print_no_new_privileges(struct str_buf *out, const struct plan_op *op)
{
	(void)op;
	str_buf_add(out, "forbid new privileges");
}

void plan_print_seccomp(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "load the seccomp filter");
	if (op->seccomp.given)
		str_buf_add(out, " as it is, %u instructions", op->seccomp.given);
	if (op->seccomp.listener)
		str_buf_add(out, " and hand its listener to %s", op->seccomp.listener);
}

void plan_print_execute(struct str_buf *out, const struct plan_op *op)
{
	size_t count = 0;

	while (op->execute.env[count])
		count++;
	str_buf_add(out, "execute ");
	plan_print_strings(out, op->execute.args);
	str_buf_add(out, " with %zu environment variable%s", count, count == 1 ? "" : "s");
}

/* ---- scheduling ---- */

void plan_print_parent_cpus(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "until then run on CPUs %s", op->parent_cpus.cpus);
}

void plan_print_cpu_affinity(struct str_buf *out, const struct plan_op *op)
{
	const char *cpus = op->cpu_affinity.cpus;

	str_buf_add(out, "run on %s%s", cpus ? "CPUs " : "all CPUs of the cgroup", cpus ? cpus : "");
}

static void print_flags(struct str_buf *out, uint64_t mask, const struct spec_names *names)
{
	for (unsigned i = 1; i <= names->count; i++)
		if (mask & SPEC_BIT(i))
			str_buf_add(out, ", %s", spec_name(names, i));
}

void plan_print_scheduler(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "schedule by %s", spec_name(&spec_sched_policy_names, op->scheduler.policy + 1));
	if (op->scheduler.nice)
		str_buf_add(out, ", nice %d", op->scheduler.nice);
	if (op->scheduler.priority)
		str_buf_add(out, ", priority %u", op->scheduler.priority);
	if (op->scheduler.deadline)
		str_buf_add(out, ", runtime %llu, deadline %llu, period %llu ns",
			(unsigned long long)op->scheduler.runtime, (unsigned long long)op->scheduler.deadline,
			(unsigned long long)op->scheduler.period);
	print_flags(out, op->scheduler.flags, &spec_sched_flag_names);
}

void plan_print_io_priority(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "set I/O priority %s %d",
		spec_name(&spec_ioprio_class_names, (unsigned)op->io_priority.class_),
		op->io_priority.priority);
}

void plan_print_memory_policy(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(
		out, "set memory policy %s", spec_name(&spec_mpol_mode_names, op->memory_policy.mode + 1));
	if (op->memory_policy.nodes)
		str_buf_add(out, ", nodes %s", op->memory_policy.nodes);
	print_flags(out, op->memory_policy.flags >> 13, &spec_mpol_flag_names);
}

void plan_print_personality(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "set personality %s", op->personality.domain == PER_LINUX32 ? "LINUX32" : "LINUX");
}

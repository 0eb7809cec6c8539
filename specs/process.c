/*
 * process.c - the process object: shape, and rules between its members (config.md, "Process").
 *
 * Capabilities that cannot be granted are warnings, not errors: the specification asks runtimes to go on. The
 * plan leaves out what the kernel would refuse.
 */
#include "specs/process.h"

#include <string.h>
#include <sys/resource.h>

#include "specs/check.h"

#define ID_MAX (UINT32_MAX - 1) /* 2^32-1 is "no change" to setresuid(2): a way to stay root */

static const char *const rlimit_names[] = {NULL, "RLIMIT_AS", "RLIMIT_CORE", "RLIMIT_CPU", "RLIMIT_DATA",
	"RLIMIT_FSIZE", "RLIMIT_LOCKS", "RLIMIT_MEMLOCK", "RLIMIT_MSGQUEUE", "RLIMIT_NICE", "RLIMIT_NOFILE",
	"RLIMIT_NPROC", "RLIMIT_RSS", "RLIMIT_RTPRIO", "RLIMIT_RTTIME", "RLIMIT_SIGPENDING", "RLIMIT_STACK",
	NULL};
static const char *const policy_names[] = {NULL, "SCHED_OTHER", "SCHED_FIFO", "SCHED_RR", "SCHED_BATCH",
	"SCHED_ISO", "SCHED_IDLE", "SCHED_DEADLINE", NULL};
static const char *const sched_flag_names[] = {NULL, "SCHED_FLAG_RESET_ON_FORK", "SCHED_FLAG_RECLAIM",
	"SCHED_FLAG_DL_OVERRUN", "SCHED_FLAG_KEEP_POLICY", "SCHED_FLAG_KEEP_PARAMS",
	"SCHED_FLAG_UTIL_CLAMP_MIN", "SCHED_FLAG_UTIL_CLAMP_MAX", NULL};
static const char *const ioprio_names[] = {
	NULL, "IOPRIO_CLASS_RT", "IOPRIO_CLASS_BE", "IOPRIO_CLASS_IDLE", NULL};

const struct spec_names spec_rlimit_names = SPEC_NAMES("resource limit", rlimit_names);
const struct spec_names spec_sched_policy_names = SPEC_NAMES("scheduling policy", policy_names);
const struct spec_names spec_sched_flag_names = SPEC_NAMES("scheduling flag", sched_flag_names);
const struct spec_names spec_ioprio_class_names = SPEC_NAMES("I/O priority class", ioprio_names);

static const struct spec_row user_rows[] = {
	ROW_U32(spec_user, "uid", uid, .flags = SPEC_ALWAYS, .max = ID_MAX),
	ROW_U32(spec_user, "gid", gid, .flags = SPEC_ALWAYS, .max = ID_MAX),
	ROW_OPT_U32(spec_user, "umask", umask, .max = 0777),
	ROW_U32S(spec_user, "additionalGids", additional_gids, .max = ID_MAX),
	ROW_STRING(spec_user, "username", username),
};
static const struct spec_table user_table = SPEC_TABLE("user", spec_user, user_rows);

static const struct spec_row console_size_rows[] = {
	ROW_U64(spec_console_size, "height", height, .flags = SPEC_REQUIRED, .max = UINT16_MAX),
	ROW_U64(spec_console_size, "width", width, .flags = SPEC_REQUIRED, .max = UINT16_MAX),
};
static const struct spec_table console_size_table = SPEC_TABLE(
	"console size", spec_console_size, console_size_rows);

static const struct spec_row capabilities_rows[] = {
	ROW_SET(spec_capabilities, "bounding", bounding, &spec_capability_names, .flags = SPEC_LENIENT),
	ROW_SET(spec_capabilities, "effective", effective, &spec_capability_names, .flags = SPEC_LENIENT),
	ROW_SET(spec_capabilities, "inheritable", inheritable, &spec_capability_names, .flags = SPEC_LENIENT),
	ROW_SET(spec_capabilities, "permitted", permitted, &spec_capability_names, .flags = SPEC_LENIENT),
	ROW_SET(spec_capabilities, "ambient", ambient, &spec_capability_names, .flags = SPEC_LENIENT),
};
static const struct spec_table capabilities_table = SPEC_TABLE(
	"capabilities", spec_capabilities, capabilities_rows);

static const struct spec_row rlimit_rows[] = {
	ROW_ENUM(spec_rlimit, "type", type, spec_rlimit_type, &spec_rlimit_names, .flags = SPEC_REQUIRED),
	ROW_U64(spec_rlimit, "hard", hard, .flags = SPEC_REQUIRED),
	ROW_U64(spec_rlimit, "soft", soft, .flags = SPEC_REQUIRED),
};
static const struct spec_table rlimit_table = SPEC_TABLE("resource limit", spec_rlimit, rlimit_rows);

static const struct spec_row scheduler_rows[] = {
	ROW_ENUM(spec_scheduler, "policy", policy, spec_sched_policy, &spec_sched_policy_names,
		.flags = SPEC_REQUIRED),
	ROW_OPT_I32(spec_scheduler, "nice", nice, .min = -20, .max = 19),
	ROW_OPT_I32(spec_scheduler, "priority", priority, .max = 99),
	ROW_SET(spec_scheduler, "flags", flags, &spec_sched_flag_names),
	ROW_OPT_U64(spec_scheduler, "runtime", runtime),
	ROW_OPT_U64(spec_scheduler, "deadline", deadline),
	ROW_OPT_U64(spec_scheduler, "period", period),
};
static const struct spec_table scheduler_table = SPEC_TABLE("scheduler", spec_scheduler, scheduler_rows);

static const struct spec_row io_priority_rows[] = {
	ROW_ENUM(spec_io_priority, "class", class_, spec_ioprio_class, &spec_ioprio_class_names,
		.flags = SPEC_REQUIRED),
	ROW_I32(spec_io_priority, "priority", priority, .flags = SPEC_ALWAYS, .max = 7),
};
static const struct spec_table io_priority_table = SPEC_TABLE(
	"I/O priority", spec_io_priority, io_priority_rows);

static const struct spec_row affinity_rows[] = {
	ROW_STRING(spec_cpu_affinity, "initial", initial),
	ROW_STRING(spec_cpu_affinity, "final", final_),
};
static const struct spec_table affinity_table = SPEC_TABLE("CPU affinity", spec_cpu_affinity, affinity_rows);

static const struct spec_row process_rows[] = {
	ROW_BOOL(spec_process, "terminal", terminal),
	ROW_OBJECT(spec_process, "consoleSize", console_size, spec_console_size, &console_size_table),
	ROW_OBJECT(spec_process, "user", user, spec_user, &user_table),
	ROW_STRINGS(spec_process, "args", args),
	ROW_STRING(spec_process, "commandLine", command_line),
	ROW_STRINGS(spec_process, "env", env),
	ROW_STRING(spec_process, "cwd", cwd, .flags = SPEC_REQUIRED),
	ROW_OBJECT(spec_process, "capabilities", capabilities, spec_capabilities, &capabilities_table),
	ROW_OBJECTS(spec_process, "rlimits", rlimits, spec_rlimit, &rlimit_table),
	ROW_BOOL(spec_process, "noNewPrivileges", no_new_privileges),
	ROW_STRING(spec_process, "apparmorProfile", apparmor_profile),
	ROW_OPT_I32(spec_process, "oomScoreAdj", oom_score_adj, .min = -1000, .max = 1000),
	ROW_OBJECT(spec_process, "scheduler", scheduler, spec_scheduler, &scheduler_table),
	ROW_STRING(spec_process, "selinuxLabel", selinux_label),
	ROW_OBJECT(spec_process, "ioPriority", io_priority, spec_io_priority, &io_priority_table),
	ROW_OBJECT(spec_process, "execCPUAffinity", exec_cpu_affinity, spec_cpu_affinity, &affinity_table),
};
const struct spec_table spec_process_table = SPEC_TABLE("process", spec_process, process_rows);

int spec_rlimit_resource(enum spec_rlimit_type type)
{
	static const int resources[] = {
		[SPEC_RLIMIT_NONE] = -1,
		[SPEC_RLIMIT_AS] = RLIMIT_AS,
		[SPEC_RLIMIT_CORE] = RLIMIT_CORE,
		[SPEC_RLIMIT_CPU] = RLIMIT_CPU,
		[SPEC_RLIMIT_DATA] = RLIMIT_DATA,
		[SPEC_RLIMIT_FSIZE] = RLIMIT_FSIZE,
		[SPEC_RLIMIT_LOCKS] = RLIMIT_LOCKS,
		[SPEC_RLIMIT_MEMLOCK] = RLIMIT_MEMLOCK,
		[SPEC_RLIMIT_MSGQUEUE] = RLIMIT_MSGQUEUE,
		[SPEC_RLIMIT_NICE] = RLIMIT_NICE,
		[SPEC_RLIMIT_NOFILE] = RLIMIT_NOFILE,
		[SPEC_RLIMIT_NPROC] = RLIMIT_NPROC,
		[SPEC_RLIMIT_RSS] = RLIMIT_RSS,
		[SPEC_RLIMIT_RTPRIO] = RLIMIT_RTPRIO,
		[SPEC_RLIMIT_RTTIME] = RLIMIT_RTTIME,
		[SPEC_RLIMIT_SIGPENDING] = RLIMIT_SIGPENDING,
		[SPEC_RLIMIT_STACK] = RLIMIT_STACK,
	};

	return resources[type];
}

void spec_process_complete(struct arena *arena, struct spec_process *process)
{
	if (process->user)
		return;
	process->user = arena_new(arena, struct spec_user);
	process->user->node = process->node;
}

static void check_args(const struct json_doc *doc, const struct spec_process *p, struct report *report)
{
	uint32_t first = spec_at_item(doc, p->node, "args", 0);

	if (p->args_count == 0 && !spec_has(doc, p->node, "args"))
		json_error(report, doc, p->node, "the member \"args\" is missing");
	else if (p->args_count == 0 && !spec_has_items(doc, p->node, "args"))
		json_error(report, doc, first, "must name the program to run");
	else if (p->args_count > 0 && !*p->args[0] && spec_is_string(doc, first))
		json_error(report, doc, first, "the name of the program is empty");
}

/* Is 0 what the document says, and not what a member is that is missing or cannot be read? */
static bool is_zero(const struct json_doc *doc, uint32_t node, const char *name)
{
	uint32_t member = json_member(doc, node, name);

	return member != JSON_NONE && strcmp(doc->nodes[member].text, "0") == 0;
}

static void check_rlimits(const struct json_doc *doc, const struct spec_process *p, struct report *report)
{
	for (size_t i = 0; i < p->rlimits_count; i++) {
		const struct spec_rlimit *r = &p->rlimits[i];
		if (r->soft > r->hard && (r->hard || is_zero(doc, r->node, "hard")))
			json_error(report, doc, spec_at(doc, r->node, "soft"),
				"the soft limit %ju is above the hard limit %ju", (uintmax_t)r->soft,
				(uintmax_t)r->hard);
		for (size_t j = 0; j < i && r->type; j++) {
			if (p->rlimits[j].type != r->type)
				continue;
			json_error(report, doc, r->node,
				"duplicate resource limit %s; the first one is at line %u",
				spec_name(&spec_rlimit_names, r->type),
				spec_line(doc, p->rlimits[j].node, report));
			break;
		}
	}
}

static const char *first_capability(uint64_t mask)
{
	return spec_capability_name((unsigned)__builtin_ctzll(mask));
}

/* capabilities(7): what capset(2) and PR_CAP_AMBIENT_RAISE refuse with EPERM. */
static void check_capabilities(
	const struct json_doc *doc, const struct spec_capabilities *c, struct report *report)
{
	uint64_t effective = c->effective.mask & ~c->permitted.mask;
	uint64_t inheritable = c->inheritable.mask & ~c->bounding.mask;
	uint64_t ambient = c->ambient.mask & ~(c->permitted.mask & c->inheritable.mask);

	if (effective)
		json_warning(report, doc, c->effective.node,
			"%s is effective but not permitted, and will not be granted",
			first_capability(effective));
	if (inheritable)
		json_warning(report, doc, c->inheritable.node,
			"%s is inheritable but not in the bounding set, and will not be granted",
			first_capability(inheritable));
	if (ambient)
		json_warning(report, doc, c->ambient.node,
			"%s is ambient but not both permitted and inheritable, and will not be granted",
			first_capability(ambient));
}

static void check_scheduler(const struct json_doc *doc, const struct spec_scheduler *s, struct report *report)
{
	bool realtime = s->policy == SPEC_SCHED_FIFO || s->policy == SPEC_SCHED_RR;
	bool fair = s->policy == SPEC_SCHED_OTHER || s->policy == SPEC_SCHED_BATCH;
	bool deadline = s->policy == SPEC_SCHED_DEADLINE;
	const char *policy = spec_name(&spec_sched_policy_names, s->policy);

	if (!policy)
		return;
	if (s->policy == SPEC_SCHED_ISO)
		json_error(report, doc, spec_at(doc, s->node, "policy"), "no Linux kernel has SCHED_ISO");
	if (s->nice.value && !fair)
		json_error(report, doc, spec_at(doc, s->node, "nice"),
			"a nice value needs SCHED_OTHER or SCHED_BATCH, not %s", policy);
	if (s->priority.value && !realtime)
		json_error(report, doc, spec_at(doc, s->node, "priority"),
			"a priority needs SCHED_FIFO or SCHED_RR, not %s", policy);
	if (realtime && s->priority.value == 0)
		json_error(report, doc, s->node, "%s needs a priority from 1 to 99", policy);
	if (!deadline && (s->runtime.value || s->deadline.value || s->period.value))
		json_error(report, doc, s->node, "runtime, deadline and period need SCHED_DEADLINE, not %s",
			policy);
	if (deadline && (!s->runtime.value || s->runtime.value > s->deadline.value ||
				(s->period.value && s->deadline.value > s->period.value)))
		json_error(report, doc, s->node, "SCHED_DEADLINE needs 0 < runtime <= deadline <= period");
}

int spec_process_check(const struct json_doc *doc, const struct spec_process *p, struct report *report)
{
	unsigned errors = report->errors;

	check_args(doc, p, report);
	if (p->cwd)
		spec_check_absolute(doc, spec_at(doc, p->node, "cwd"), p->cwd, report);
	spec_check_env(doc, p->node, p->env, p->env_count, report);
	check_rlimits(doc, p, report);
	if (p->capabilities)
		check_capabilities(doc, p->capabilities, report);
	if (p->scheduler)
		check_scheduler(doc, p->scheduler, report);
	if (p->exec_cpu_affinity) {
		const struct spec_cpu_affinity *a = p->exec_cpu_affinity;
		spec_check_number_list(doc, spec_at(doc, a->node, "initial"), a->initial, report);
		spec_check_number_list(doc, spec_at(doc, a->node, "final"), a->final_, report);
	}
	return spec_check_result(report, errors);
}

int spec_process_read(struct arena *arena, int dirfd, const char *path, const char *display_name,
	struct report *report, const struct json_doc **doc, const struct spec_process **process)
{
	unsigned errors = report->errors;

	*process = NULL;
	int r = json_read(arena, dirfd, path, display_name, report, doc);
	if (r < 0)
		return r;
	struct spec_process *p = spec_decode(arena, *doc, 0, &spec_process_table, report);
	if (p) {
		spec_process_complete(arena, p);
		spec_process_check(*doc, p, report);
	}
	*process = p;
	return spec_check_result(report, errors);
}

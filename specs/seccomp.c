/*
 * seccomp.c - the filter's shape and its rules (config-linux.md, "Seccomp"). Names of system calls are not
 * looked up here: a profile lists many that this kernel or libseccomp has never heard of, which is no
 * mistake.
 */
#include "specs/seccomp.h"

#include "base/str.h"
#include "specs/check.h"

#define ERRNO_MAX 4095 /* larger values do not come out of the kernel as an error */

static const char *const action_names[] = {NULL, "SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS",
	"SCMP_ACT_KILL_THREAD", "SCMP_ACT_TRAP", "SCMP_ACT_ERRNO", "SCMP_ACT_TRACE", "SCMP_ACT_ALLOW",
	"SCMP_ACT_LOG", "SCMP_ACT_NOTIFY", NULL};
static const char *const operator_names[] = {NULL, "SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE", "SCMP_CMP_EQ",
	"SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_MASKED_EQ", NULL};
static const char *const arch_names[] = {NULL, "SCMP_ARCH_X86", "SCMP_ARCH_X86_64", "SCMP_ARCH_X32",
	"SCMP_ARCH_ARM", "SCMP_ARCH_AARCH64", "SCMP_ARCH_LOONGARCH64", "SCMP_ARCH_M68K", "SCMP_ARCH_MIPS",
	"SCMP_ARCH_MIPS64", "SCMP_ARCH_MIPS64N32", "SCMP_ARCH_MIPSEL", "SCMP_ARCH_MIPSEL64",
	"SCMP_ARCH_MIPSEL64N32", "SCMP_ARCH_PPC", "SCMP_ARCH_PPC64", "SCMP_ARCH_PPC64LE", "SCMP_ARCH_S390",
	"SCMP_ARCH_S390X", "SCMP_ARCH_SH", "SCMP_ARCH_SHEB", "SCMP_ARCH_PARISC", "SCMP_ARCH_PARISC64",
	"SCMP_ARCH_RISCV64", NULL};
static const char *const flag_names[] = {NULL, "SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG",
	"SECCOMP_FILTER_FLAG_SPEC_ALLOW", "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", NULL};

const struct spec_names spec_seccomp_action_names = SPEC_NAMES("seccomp action", action_names);
const struct spec_names spec_seccomp_operator_names = SPEC_NAMES("seccomp operator", operator_names);
const struct spec_names spec_seccomp_arch_names = SPEC_NAMES("seccomp architecture", arch_names);
const struct spec_names spec_seccomp_flag_names = SPEC_NAMES("seccomp flag", flag_names);

static const struct spec_row arg_rows[] = {
	ROW_U32(spec_seccomp_arg, "index", index, .flags = SPEC_REQUIRED, .max = 5),
	ROW_U64(spec_seccomp_arg, "value", value, .flags = SPEC_REQUIRED),
	ROW_U64(spec_seccomp_arg, "valueTwo", value_two),
	ROW_ENUM(spec_seccomp_arg, "op", op, spec_seccomp_operator, &spec_seccomp_operator_names,
		.flags = SPEC_REQUIRED),
};
static const struct spec_table arg_table = SPEC_TABLE(
	"argument of a seccomp rule", spec_seccomp_arg, arg_rows);

static const struct spec_row syscall_rows[] = {
	ROW_STRINGS(spec_syscall, "names", names, .flags = SPEC_REQUIRED),
	ROW_ENUM(spec_syscall, "action", action, spec_seccomp_action, &spec_seccomp_action_names,
		.flags = SPEC_REQUIRED),
	ROW_OPT_U32(spec_syscall, "errnoRet", errno_ret),
	ROW_OBJECTS(spec_syscall, "args", args, spec_seccomp_arg, &arg_table),
};
static const struct spec_table syscall_table = SPEC_TABLE("seccomp rule", spec_syscall, syscall_rows);

static const struct spec_row seccomp_rows[] = {
	ROW_ENUM(spec_seccomp, "defaultAction", default_action, spec_seccomp_action,
		&spec_seccomp_action_names, .flags = SPEC_REQUIRED),
	ROW_OPT_U32(spec_seccomp, "defaultErrnoRet", default_errno_ret),
	ROW_SET(spec_seccomp, "architectures", architectures, &spec_seccomp_arch_names),
	ROW_SET(spec_seccomp, "flags", flags, &spec_seccomp_flag_names),
	ROW_STRING(spec_seccomp, "listenerPath", listener_path),
	ROW_STRING(spec_seccomp, "listenerMetadata", listener_metadata),
	ROW_OBJECTS(spec_seccomp, "syscalls", syscalls, spec_syscall, &syscall_table),
};
const struct spec_table spec_seccomp_table = SPEC_TABLE("seccomp filter", spec_seccomp, seccomp_rows);

static void check_errno(const struct json_doc *doc, uint32_t node, enum spec_seccomp_action action,
	const struct spec_opt_u32 *errno_ret, struct report *report)
{
	if (!errno_ret->set || !action)
		return;
	if (action != SPEC_ACT_ERRNO && action != SPEC_ACT_TRACE)
		json_error(report, doc, node, "%s takes no errno; only SCMP_ACT_ERRNO and SCMP_ACT_TRACE do",
			spec_name(&spec_seccomp_action_names, action));
	else if (action == SPEC_ACT_ERRNO && errno_ret->value > ERRNO_MAX)
		json_error(report, doc, node, "the errno %u is out of range (0 to %d)", errno_ret->value,
			ERRNO_MAX);
	else if (errno_ret->value > UINT16_MAX)
		json_error(report, doc, node, "the value %u is out of range (0 to 65535)", errno_ret->value);
}

/*
 * Who is to be notified has no listener yet when the container's init waits for it to be handed over; that
 * one system call would wait for ever. See libcontainer/init/seccomp.c.
 */
static void check_notify_before_listener(
	const struct json_doc *doc, const struct spec_syscall *s, struct report *report)
{
	for (size_t i = 0; i < s->names_count; i++)
		if (s->action == SPEC_ACT_NOTIFY && str_eq(s->names[i], "waitid"))
			json_error(report, doc, spec_at_item(doc, s->node, "names", i),
				"SCMP_ACT_NOTIFY cannot be the answer to waitid, by which the container's "
				"init waits until the listener has been handed over");
}

static void check_syscall(const struct json_doc *doc, const struct spec_syscall *s, struct report *report)
{
	uint32_t names = json_member(doc, s->node, "names");

	check_errno(doc, spec_at(doc, s->node, "errnoRet"), s->action, &s->errno_ret, report);
	if (s->names_count == 0 && names != JSON_NONE && doc->nodes[names].kind == JSON_ARRAY)
		json_error(report, doc, names, "must name at least one system call");
	check_notify_before_listener(doc, s, report);
	for (size_t i = 0; i < s->args_count; i++) {
		const struct spec_seccomp_arg *a = &s->args[i];
		if (a->value_two && a->op && a->op != SPEC_CMP_MASKED_EQ)
			json_warning(report, doc, spec_at(doc, a->node, "valueTwo"),
				"has no effect: only SCMP_CMP_MASKED_EQ takes a second value");
	}
}

static const struct spec_syscall *find_notify(const struct spec_seccomp *s)
{
	for (size_t i = 0; i < s->syscalls_count; i++)
		if (s->syscalls[i].action == SPEC_ACT_NOTIFY)
			return &s->syscalls[i];
	return NULL;
}

bool spec_seccomp_notifies(const struct spec_seccomp *seccomp)
{
	return find_notify(seccomp) != NULL;
}

static void check_notify(const struct json_doc *doc, const struct spec_seccomp *s, struct report *report)
{
	const struct spec_syscall *notify = find_notify(s);

	if (notify && s->listener_path)
		spec_check_absolute(doc, spec_at(doc, s->node, "listenerPath"), s->listener_path, report);
	if (notify && !s->listener_path)
		json_error(report, doc, spec_at(doc, notify->node, "action"),
			"SCMP_ACT_NOTIFY needs linux.seccomp.listenerPath, the socket of who is to be "
			"notified");
	if (s->listener_metadata && !s->listener_path)
		json_error(report, doc, spec_at(doc, s->node, "listenerMetadata"),
			"metadata for a listener without listenerPath");
	if (!notify && (s->flags.mask & SPEC_BIT(SPEC_FLAG_WAIT_KILLABLE_RECV)))
		json_warning(report, doc, s->flags.node,
			"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV has no effect without SCMP_ACT_NOTIFY");
}

int spec_seccomp_check(const struct json_doc *doc, const struct spec_seccomp *s, struct report *report)
{
	unsigned errors = report->errors;

	/* It would stop the very system calls by which the listener is handed over. */
	if (s->default_action == SPEC_ACT_NOTIFY)
		json_error(report, doc, spec_at(doc, s->node, "defaultAction"),
			"SCMP_ACT_NOTIFY cannot be the default action");
	check_errno(doc, spec_at(doc, s->node, "defaultErrnoRet"), s->default_action, &s->default_errno_ret,
		report);
	for (size_t i = 0; i < s->syscalls_count; i++)
		check_syscall(doc, &s->syscalls[i], report);
	check_notify(doc, s, report);
	return spec_check_result(report, errors);
}

/*
 * seccomp.h - the filter of system calls (config-linux.md, "Seccomp"). Names only: what libseccomp makes of
 * them is decided in libcontainer/seccomp. The text of the whole object is json_raw(doc, seccomp->node).
 */
#ifndef SPECS_SECCOMP_H
#define SPECS_SECCOMP_H

#include "specs/table.h"

enum spec_seccomp_action {
	SPEC_ACT_NONE,
	SPEC_ACT_KILL, /* the thread, as SCMP_ACT_KILL_THREAD */
	SPEC_ACT_KILL_PROCESS,
	SPEC_ACT_KILL_THREAD,
	SPEC_ACT_TRAP,
	SPEC_ACT_ERRNO,
	SPEC_ACT_TRACE,
	SPEC_ACT_ALLOW,
	SPEC_ACT_LOG,
	SPEC_ACT_NOTIFY,
};

enum spec_seccomp_operator {
	SPEC_CMP_NONE,
	SPEC_CMP_NE,
	SPEC_CMP_LT,
	SPEC_CMP_LE,
	SPEC_CMP_EQ,
	SPEC_CMP_GE,
	SPEC_CMP_GT,
	SPEC_CMP_MASKED_EQ, /* (argument & value) == value_two */
};

enum spec_seccomp_arch {
	SPEC_ARCH_NONE,
	SPEC_ARCH_X86,
	SPEC_ARCH_X86_64,
	SPEC_ARCH_X32,
	SPEC_ARCH_ARM,
	SPEC_ARCH_AARCH64,
	SPEC_ARCH_LOONGARCH64,
	SPEC_ARCH_M68K,
	SPEC_ARCH_MIPS,
	SPEC_ARCH_MIPS64,
	SPEC_ARCH_MIPS64N32,
	SPEC_ARCH_MIPSEL,
	SPEC_ARCH_MIPSEL64,
	SPEC_ARCH_MIPSEL64N32,
	SPEC_ARCH_PPC,
	SPEC_ARCH_PPC64,
	SPEC_ARCH_PPC64LE,
	SPEC_ARCH_S390,
	SPEC_ARCH_S390X,
	SPEC_ARCH_SH,
	SPEC_ARCH_SHEB,
	SPEC_ARCH_PARISC,
	SPEC_ARCH_PARISC64,
	SPEC_ARCH_RISCV64,
};

enum spec_seccomp_flag {
	SPEC_FLAG_NONE,
	SPEC_FLAG_TSYNC,
	SPEC_FLAG_LOG,
	SPEC_FLAG_SPEC_ALLOW,
	SPEC_FLAG_WAIT_KILLABLE_RECV,
};

struct spec_seccomp_arg {
	uint32_t node;
	uint32_t index; /* 0 .. 5 */
	enum spec_seccomp_operator op;
	uint64_t value;
	uint64_t value_two;
};

struct spec_syscall {
	uint32_t node;
	enum spec_seccomp_action action;
	const char **names;
	size_t names_count;
	struct spec_opt_u32 errno_ret;
	struct spec_seccomp_arg *args;
	size_t args_count;
};

struct spec_seccomp {
	uint32_t node;
	enum spec_seccomp_action default_action;
	struct spec_opt_u32 default_errno_ret;
	struct spec_set architectures; /* of enum spec_seccomp_arch */
	struct spec_set flags;         /* of enum spec_seccomp_flag */
	const char *listener_path;
	const char *listener_metadata;
	bool fail_unknown; /* by an annotation: a name that libseccomp does not know is an error */
	struct spec_syscall *syscalls;
	size_t syscalls_count;
};

extern const struct spec_table spec_seccomp_table;
extern const struct spec_names spec_seccomp_action_names;
extern const struct spec_names spec_seccomp_operator_names;
extern const struct spec_names spec_seccomp_arch_names;
extern const struct spec_names spec_seccomp_flag_names;

/* Does a rule say SCMP_ACT_NOTIFY, so that there is a listener? Without one listenerPath means nothing. */
bool spec_seccomp_notifies(const struct spec_seccomp *seccomp);

/* Returns 0, or -EINVAL when it added an error. */
int spec_seccomp_check(const struct json_doc *doc, const struct spec_seccomp *seccomp, struct report *report);

#endif

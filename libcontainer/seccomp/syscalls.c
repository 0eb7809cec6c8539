/*
 * syscalls.c - from the name of a system call to its number. The only file that asks libseccomp.
 */
#include "libcontainer/seccomp/syscalls.h"

#include <linux/audit.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"
#include "libcontainer/seccomp/seccomp.h"

#define X32_BIT 0x40000000u

static const struct seccomp_arch archs[] = {
	{SPEC_ARCH_X86_64, FAMILY_X86, SCMP_ARCH_X86_64, AUDIT_ARCH_X86_64, 0, true},
	{SPEC_ARCH_X86, FAMILY_X86, SCMP_ARCH_X86, AUDIT_ARCH_I386, 0, false},
	{SPEC_ARCH_X32, FAMILY_X86, SCMP_ARCH_X32, AUDIT_ARCH_X86_64, X32_BIT, false},
	{SPEC_ARCH_AARCH64, FAMILY_ARM, SCMP_ARCH_AARCH64, AUDIT_ARCH_AARCH64, 0, true},
	{SPEC_ARCH_ARM, FAMILY_ARM, SCMP_ARCH_ARM, AUDIT_ARCH_ARM, 0, false},
#ifdef SCMP_ARCH_LOONGARCH64
	{SPEC_ARCH_LOONGARCH64, FAMILY_LOONGARCH, SCMP_ARCH_LOONGARCH64, SCMP_ARCH_LOONGARCH64, 0, true},
#endif
#ifdef SCMP_ARCH_M68K
	{SPEC_ARCH_M68K, FAMILY_M68K, SCMP_ARCH_M68K, SCMP_ARCH_M68K, 0, false},
#endif
	{SPEC_ARCH_MIPS, FAMILY_MIPS, SCMP_ARCH_MIPS, SCMP_ARCH_MIPS, 4000, false},
	{SPEC_ARCH_MIPS64, FAMILY_MIPS, SCMP_ARCH_MIPS64, SCMP_ARCH_MIPS64, 5000, true},
	{SPEC_ARCH_MIPS64N32, FAMILY_MIPS, SCMP_ARCH_MIPS64N32, SCMP_ARCH_MIPS64N32, 6000, false},
	{SPEC_ARCH_MIPSEL, FAMILY_MIPSEL, SCMP_ARCH_MIPSEL, SCMP_ARCH_MIPSEL, 4000, false},
	{SPEC_ARCH_MIPSEL64, FAMILY_MIPSEL, SCMP_ARCH_MIPSEL64, SCMP_ARCH_MIPSEL64, 5000, true},
	{SPEC_ARCH_MIPSEL64N32, FAMILY_MIPSEL, SCMP_ARCH_MIPSEL64N32, SCMP_ARCH_MIPSEL64N32, 6000, false},
	{SPEC_ARCH_PARISC, FAMILY_PARISC, SCMP_ARCH_PARISC, SCMP_ARCH_PARISC, 0, false},
	{SPEC_ARCH_PARISC64, FAMILY_PARISC, SCMP_ARCH_PARISC64, SCMP_ARCH_PARISC64, 0, true},
	{SPEC_ARCH_PPC, FAMILY_PPC, SCMP_ARCH_PPC, SCMP_ARCH_PPC, 0, false},
	{SPEC_ARCH_PPC64, FAMILY_PPC, SCMP_ARCH_PPC64, SCMP_ARCH_PPC64, 0, true},
	{SPEC_ARCH_PPC64LE, FAMILY_PPCLE, SCMP_ARCH_PPC64LE, SCMP_ARCH_PPC64LE, 0, true},
	{SPEC_ARCH_RISCV64, FAMILY_RISCV, SCMP_ARCH_RISCV64, SCMP_ARCH_RISCV64, 0, true},
	{SPEC_ARCH_S390, FAMILY_S390, SCMP_ARCH_S390, SCMP_ARCH_S390, 0, false},
	{SPEC_ARCH_S390X, FAMILY_S390, SCMP_ARCH_S390X, SCMP_ARCH_S390X, 0, true},
#ifdef SCMP_ARCH_SH
	{SPEC_ARCH_SH, FAMILY_SH, SCMP_ARCH_SH, SCMP_ARCH_SH, 0, false},
	{SPEC_ARCH_SHEB, FAMILY_SHEB, SCMP_ARCH_SHEB, SCMP_ARCH_SHEB, 0, false},
#endif
};

const struct seccomp_arch *seccomp_arch_find(enum spec_seccomp_arch spec)
{
	for (size_t i = 0; i < ARRAY_SIZE(archs); i++)
		if (archs[i].spec == spec)
			return &archs[i];
	return NULL;
}

enum spec_seccomp_arch seccomp_native_arch(void)
{
	uint32_t token = seccomp_arch_native();

	for (size_t i = 0; i < ARRAY_SIZE(archs); i++)
		if (archs[i].token == token)
			return archs[i].spec;
	return SPEC_ARCH_NONE;
}

uint64_t seccomp_known_archs(void)
{
	uint64_t mask = 0;

	for (size_t i = 0; i < ARRAY_SIZE(archs); i++)
		mask |= SPEC_BIT(archs[i].spec);
	return mask;
}

void seccomp_version_text(char *buf, size_t size)
{
	const struct scmp_version *v = seccomp_version();

	snprintf(buf, size, "%u.%u.%u", v->major, v->minor, v->micro);
}

uint32_t seccomp_library_version(void)
{
	const struct scmp_version *v = seccomp_version();

	return v->major << 16 | v->minor << 8 | v->micro;
}

/*
 * Since Linux 5.1 a new system call has the same number everywhere. The installed libseccomp may be older
 * than the profile, and an allowed call that is not known would be refused.
 */
#define COMMON_FIRST 440
static const char *const common_names[] = {
	"process_madvise",
	"epoll_pwait2",
	"mount_setattr",
	"quotactl_fd",
	"landlock_create_ruleset",
	"landlock_add_rule",
	"landlock_restrict_self",
	"memfd_secret",
	"process_mrelease",
	"futex_waitv",
	"set_mempolicy_home_node", /* 450 */
	"cachestat",
	"fchmodat2",
	"map_shadow_stack",
	"futex_wake",
	"futex_wait",
	"futex_requeue",
	"statmount",
	"listmount",
	"lsm_get_self_attr",
	"lsm_set_self_attr", /* 460 */
	"lsm_list_modules",
	"mseal",
	"setxattrat",
	"getxattrat",
	"listxattrat",
	"removexattrat",
	"open_tree_attr",
	"file_getattr",
	"file_setattr",
};

static uint32_t common_number(const struct seccomp_arch *arch, const char *name)
{
	for (uint32_t i = 0; i < ARRAY_SIZE(common_names); i++)
		if (str_eq(common_names[i], name))
			return arch->base + COMMON_FIRST + i;
	return SECCOMP_NO_NR;
}

/*
 * On architectures with socketcall and ipc libseccomp gives their functions numbers of its own, -100 and -200
 * less the function, though most have real ones as well by now, in this range.
 */
#define SOCKETCALL  (-100)
#define IPC         (-200)
#define DIRECT_FROM 130
#define DIRECT_TO   430

static uint32_t *direct_slot(struct seccomp_direct *direct, int pseudo)
{
	if (pseudo < SOCKETCALL && pseudo > SOCKETCALL - 32)
		return &direct->socketcall[SOCKETCALL - pseudo];
	if (pseudo < IPC && pseudo > IPC - 32)
		return &direct->ipc[IPC - pseudo];
	return NULL;
}

static void look_up_direct(const struct seccomp_arch *arch, struct seccomp_direct *direct)
{
	for (uint32_t nr = arch->base + DIRECT_FROM; nr < arch->base + DIRECT_TO; nr++) {
		char *name = seccomp_syscall_resolve_num_arch(arch->token, (int)nr);
		if (!name)
			continue;
		uint32_t *slot = direct_slot(direct, seccomp_syscall_resolve_name_arch(arch->token, name));
		if (slot)
			*slot = nr;
		free(name);
	}
	direct->ready = true;
}

bool seccomp_resolve(const struct seccomp_arch *arch, const char *name, struct seccomp_direct *direct,
	struct seccomp_entry *entry)
{
	int nr = seccomp_syscall_resolve_name_arch(arch->token, name);

	*entry = (struct seccomp_entry){SECCOMP_NO_NR, SECCOMP_NO_NR, 0};
	if (nr == __NR_SCMP_ERROR) {
		entry->direct = common_number(arch, name);
		return entry->direct != SECCOMP_NO_NR;
	}
	if (nr >= 0) {
		entry->direct = (uint32_t)nr;
		return true;
	}
	if (!direct_slot(direct, nr))
		return true; /* another architecture's */
	if (!direct->ready)
		look_up_direct(arch, direct);
	const char *multiplexer = nr > IPC ? "socketcall" : "ipc";
	uint32_t own = *direct_slot(direct, nr);
	int multiplexer_nr = seccomp_syscall_resolve_name_arch(arch->token, multiplexer);
	entry->direct = own ? own : SECCOMP_NO_NR;
	entry->multiplexer = multiplexer_nr < 0 ? SECCOMP_NO_NR : (uint32_t)multiplexer_nr;
	entry->function = (uint32_t)((nr > IPC ? SOCKETCALL : IPC) - nr);
	return true;
}

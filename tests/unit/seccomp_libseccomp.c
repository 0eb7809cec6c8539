/*
 * Our programs against libseccomp's: the same profile, the same answer for every number on each architecture,
 * with arguments around every value the profile compares with.
 */
#include "tests/unit/seccomp_run.h"

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "libcontainer/seccomp/compile.h"
#include "specs/config.h"

#define X32        0x40000000u
#define NR_MAX     480u
#define VALUES_MAX 512

static struct arena arena;

static void setup(void)
{
	cr_assert_eq(arena_init(&arena, NULL), 0);
}

static void teardown(void)
{
	arena_free(&arena);
}

TestSuite(seccomp_libseccomp, .init = setup, .fini = teardown, .timeout = 120);

static const uint32_t actions[] = {
	[SPEC_ACT_KILL] = SCMP_ACT_KILL,
	[SPEC_ACT_KILL_PROCESS] = SCMP_ACT_KILL_PROCESS,
	[SPEC_ACT_KILL_THREAD] = SCMP_ACT_KILL_THREAD,
	[SPEC_ACT_TRAP] = SCMP_ACT_TRAP,
	[SPEC_ACT_ERRNO] = SCMP_ACT_ERRNO(0),
	[SPEC_ACT_TRACE] = SCMP_ACT_TRACE(0),
	[SPEC_ACT_ALLOW] = SCMP_ACT_ALLOW,
	[SPEC_ACT_LOG] = SCMP_ACT_LOG,
	[SPEC_ACT_NOTIFY] = SCMP_ACT_NOTIFY,
};

static const enum scmp_compare operators[] = {
	[SPEC_CMP_NE] = SCMP_CMP_NE,
	[SPEC_CMP_LT] = SCMP_CMP_LT,
	[SPEC_CMP_LE] = SCMP_CMP_LE,
	[SPEC_CMP_EQ] = SCMP_CMP_EQ,
	[SPEC_CMP_GE] = SCMP_CMP_GE,
	[SPEC_CMP_GT] = SCMP_CMP_GT,
	[SPEC_CMP_MASKED_EQ] = SCMP_CMP_MASKED_EQ,
};

static uint32_t action(enum spec_seccomp_action a, struct spec_opt_u32 value)
{
	if (a == SPEC_ACT_ERRNO || a == SPEC_ACT_TRACE)
		return actions[a] | (value.set ? value.value : EPERM);
	return actions[a];
}

static size_t compile_theirs(const struct spec_seccomp *s, struct sock_filter *insns, size_t size)
{
	uint32_t otherwise = action(s->default_action, s->default_errno_ret);
	scmp_filter_ctx ctx = seccomp_init(otherwise);

	cr_assert_not_null(ctx);
	if (s->architectures.mask & SPEC_BIT(SPEC_ARCH_X86))
		cr_assert_eq(seccomp_arch_add(ctx, SCMP_ARCH_X86), 0);
	if (s->architectures.mask & SPEC_BIT(SPEC_ARCH_X32))
		cr_assert_eq(seccomp_arch_add(ctx, SCMP_ARCH_X32), 0);
	for (size_t i = 0; i < s->syscalls_count; i++) {
		const struct spec_syscall *rule = &s->syscalls[i];
		uint32_t then = action(rule->action, rule->errno_ret);
		if (then == otherwise)
			continue;
		struct scmp_arg_cmp args[6];
		for (size_t k = 0; k < rule->args_count; k++)
			args[k] = (struct scmp_arg_cmp){rule->args[k].index, operators[rule->args[k].op],
				rule->args[k].value, rule->args[k].value_two};
		for (size_t n = 0; n < rule->names_count; n++) {
			int nr = seccomp_syscall_resolve_name(rule->names[n]);
			if (nr != __NR_SCMP_ERROR)
				seccomp_rule_add_array(ctx, then, nr, (unsigned)rule->args_count, args);
		}
	}
	fd_auto int fd = memfd_create("theirs", MFD_CLOEXEC);
	cr_assert_eq(seccomp_export_bpf(ctx, fd), 0);
	seccomp_release(ctx);
	lseek(fd, 0, SEEK_SET);
	ssize_t n = fd_read(fd, insns, size);
	cr_assert_gt(n, 0);
	return (size_t)n / sizeof(*insns);
}

/* Values at which some comparison of the profile may change its mind. */
static size_t interesting_values(const struct spec_seccomp *s, uint64_t *values)
{
	size_t count = 0;

	values[count++] = 0;
	values[count++] = UINT64_MAX;
	values[count++] = 0x100000000;
	for (size_t i = 0; i < s->syscalls_count; i++)
		for (size_t k = 0; k < s->syscalls[i].args_count; k++) {
			uint64_t v = s->syscalls[i].args[k].value, w = s->syscalls[i].args[k].value_two;
			const uint64_t around[] = {v - 1, v, v + 1, v | 0x100000000, w, w | ~v, v & -v, ~v};
			for (size_t j = 0; j < ARRAY_SIZE(around) && count < VALUES_MAX; j++) {
				size_t seen = 0;
				while (seen < count && values[seen] != around[j])
					seen++;
				if (seen == count)
					values[count++] = around[j];
			}
		}
	return count;
}

struct programs {
	const struct spec_seccomp *spec;
	struct sock_filter theirs[BPF_MAXINSNS];
	size_t theirs_count;
	struct seccomp_program ours;
	uint64_t values[VALUES_MAX];
	size_t values_count;
};

/* The numbers from `base` on. Ours says ENOSYS to what is newer than all that theirs knows a rule for. */
static void compare(const struct programs *p, uint32_t arch, uint32_t base, bool has_multiplexers)
{
	uint32_t otherwise = action(p->spec->default_action, p->spec->default_errno_ret);
	uint32_t newest = 0, differences = 0;

	for (unsigned pass = 0; pass < 2; pass++)
		for (uint32_t nr = base; nr < base + NR_MAX; nr++)
			for (size_t i = 0; i < p->values_count * p->values_count; i++) {
				uint64_t a = p->values[i % p->values_count],
					 b = p->values[i / p->values_count];
				struct seccomp_data data = {
					.nr = (int)nr, .arch = arch, .args = {a, b, b, a, a, b}};
				if (i >= p->values_count && (i / p->values_count) % 3)
					continue; /* enough pairs */
				uint32_t theirs = seccomp_run(p->theirs, p->theirs_count, data);
				if (pass == 0) {
					if (theirs != otherwise)
						newest = nr;
					continue;
				}
				uint32_t ours = seccomp_run(p->ours.insns, p->ours.count, data);
				if (ours == theirs || differences > 20)
					continue;
				if (ours == (SECCOMP_RET_ERRNO | ENOSYS) && theirs == otherwise &&
					nr > newest)
					continue;
				if (has_multiplexers && (nr == 102 || nr == 117))
					continue; /* see compile.c; tested by seccomp_compile */
				differences++;
				cr_expect_fail("%#x nr %u args %#llx %#llx: ours %#x, theirs %#x", arch,
					nr & ~X32, (unsigned long long)a, (unsigned long long)b, ours,
					theirs);
			}
}

static void compare_profiles(const struct spec_seccomp *s, const struct json_doc *doc)
{
	struct programs *p = arena_new(&arena, struct programs);
	struct report report;

	if (seccomp_arch_native() != SCMP_ARCH_X86_64)
		cr_skip_test("is written for x86_64");
	report_init(&report, &arena);
	p->spec = s;
	cr_assert_eq(seccomp_compile(&arena, s, doc, &report, &p->ours), 0);
	p->theirs_count = compile_theirs(s, p->theirs, sizeof(p->theirs));
	p->values_count = interesting_values(s, p->values);
	compare(p, AUDIT_ARCH_X86_64, 0, false);
	compare(p, AUDIT_ARCH_X86_64, X32, false);
	compare(p, AUDIT_ARCH_I386, 0, true);
	compare(p, AUDIT_ARCH_AARCH64, 0, false);
	struct seccomp_data skipped = {.nr = -1, .arch = AUDIT_ARCH_X86_64};
	cr_expect_eq(seccomp_run(p->ours.insns, p->ours.count, skipped),
		seccomp_run(p->theirs, p->theirs_count, skipped));
}

/* An engine's config from the shared data; NULL when it is absent. */
static const struct spec_config *shared_config(const char *name)
{
	const char *shared = getenv("CRT_SHARED");
	const struct spec_config *config;
	struct report report;
	char path[512];

	report_init(&report, &arena);
	snprintf(path, sizeof(path), "%s/corpus/%s", shared ? shared : "../shared", name);
	if (access(path, R_OK) < 0)
		return NULL;
	cr_assert_eq(spec_config_read(&arena, AT_FDCWD, path, name, &report, &config), 0);
	cr_assert_not_null(config->linux_->seccomp);
	return config;
}

static void compare_shared(const char *name)
{
	const struct spec_config *config = shared_config(name);

	if (!config)
		cr_skip_test("needs the shared data (CRT_SHARED)");
	compare_profiles(config->linux_->seccomp, config->doc);
}

Test(seccomp_libseccomp, docker_default)
{
	compare_shared("docker-default.json");
}

Test(seccomp_libseccomp, podman_default)
{
	compare_shared("podman-default.json");
}

static void compare_text(const char *json)
{
	const struct json_doc *doc;
	const struct spec_seccomp *s = seccomp_parse(&arena, json, &doc);

	compare_profiles(s, doc);
}

#define ARCHS "\"architectures\":[\"SCMP_ARCH_X86_64\",\"SCMP_ARCH_X86\",\"SCMP_ARCH_X32\"],"

Test(seccomp_libseccomp, native_only)
{
	compare_text("{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":[\"read\",\"gettid\"],"
		     "\"action\":\"SCMP_ACT_ALLOW\"}]}");
}

Test(seccomp_libseccomp, blocklist)
{
	compare_text(
		"{" ARCHS "\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":["
		"{\"names\":[\"mount\",\"umount2\",\"ptrace\",\"socket\",\"bind\",\"shmget\",\"msgctl\"],"
		"\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":13},"
		"{\"names\":[\"reboot\"],\"action\":\"SCMP_ACT_KILL_PROCESS\"},"
		"{\"names\":[\"uname\"],\"action\":\"SCMP_ACT_LOG\"}]}");
}

#define ARG(index, op, value)                                                                                \
	"{\"index\":" #index ",\"op\":\"SCMP_CMP_" op "\",\"value\":" #value ",\"valueTwo\":3}"
#define ALLOW_IF(name, args) "{\"names\":[\"" name "\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[" args "]}"

Test(seccomp_libseccomp, every_operator)
{
	compare_text("{" ARCHS "\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[" ALLOW_IF(
		"read", ARG(0, "EQ", 8589934599)) "," ALLOW_IF("write",
		ARG(0, "NE", 8589934599)) "," ALLOW_IF("open", ARG(0, "LT", 8589934599)) "," ALLOW_IF("close",
		ARG(0, "LE", 8589934599)) "," ALLOW_IF("fstat",
		ARG(0, "GT", 8589934599)) "," ALLOW_IF("lseek", ARG(0, "GE", 8589934599)) "," ALLOW_IF("dup",
		ARG(0, "MASKED_EQ", 15)) "," ALLOW_IF("pause", ARG(0, "EQ", 0)) "," ALLOW_IF("getpid",
		ARG(0, "GT", 5) "," ARG(1, "LE", 7)) "," ALLOW_IF("getuid",
		ARG(5, "NE", 18446744073709551615)) "]}");
}

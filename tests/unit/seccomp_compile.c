/*
 * The seccomp compiler: what its programs answer. Numbers of system calls are those of x86_64 (getpid 39,
 * socket 41, personality 135, gettid 186) and i386 (getpid 20, socketcall 102, ipc 117, socket 359).
 */
#include "tests/unit/seccomp_run.h"

#include <errno.h>
#include <stdio.h>

#include "base/str.h"
#include "libcontainer/seccomp/compile.h"

#define X86_64  AUDIT_ARCH_X86_64
#define I386    AUDIT_ARCH_I386
#define X32     0x40000000u
#define ALLOW   SECCOMP_RET_ALLOW
#define KILL    SECCOMP_RET_KILL_THREAD
#define FAIL(e) (SECCOMP_RET_ERRNO | (e))

static struct arena arena;
static struct report report;
static struct seccomp_program program;

static void setup(void)
{
	cr_assert_eq(arena_init(&arena, NULL), 0);
	report_init(&report, &arena);
}

static void teardown(void)
{
	arena_free(&arena);
}

TestSuite(seccomp_compile, .init = setup, .fini = teardown);

static void compile_for(enum spec_seccomp_arch native, const char *json)
{
	const struct json_doc *doc;
	const struct spec_seccomp *s = seccomp_parse(&arena, json, &doc);

	report_init(&report, &arena);
	program = (struct seccomp_program){0};
	cr_assert_eq(seccomp_compile_for(native, &arena, s, doc, &report, &program), 0, "%s", json);
}

static void compile(const char *json)
{
	compile_for(SPEC_ARCH_X86_64, json);
}

static uint32_t ask(uint32_t arch, uint32_t nr, uint64_t a0, uint64_t a1)
{
	struct seccomp_data data = {.nr = (int)nr, .arch = arch, .args = {a0, a1}};

	return seccomp_run(program.insns, program.count, data);
}

#define ONE(names, rest)                                                                                     \
	"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":[" names "],\"action\":" rest "}]}"

Test(seccomp_compile, every_action)
{
	static const struct {
		const char *rest;
		uint32_t value;
	} actions[] = {
		{"\"SCMP_ACT_KILL\"", SECCOMP_RET_KILL_THREAD},
		{"\"SCMP_ACT_KILL_THREAD\"", SECCOMP_RET_KILL_THREAD},
		{"\"SCMP_ACT_KILL_PROCESS\"", SECCOMP_RET_KILL_PROCESS},
		{"\"SCMP_ACT_TRAP\"", SECCOMP_RET_TRAP},
		{"\"SCMP_ACT_ERRNO\",\"errnoRet\":38", FAIL(38)},
		{"\"SCMP_ACT_ERRNO\",\"errnoRet\":0", FAIL(0)},
		{"\"SCMP_ACT_TRACE\"", SECCOMP_RET_TRACE | EPERM},
		{"\"SCMP_ACT_TRACE\",\"errnoRet\":65535", SECCOMP_RET_TRACE | 65535},
		{"\"SCMP_ACT_ALLOW\"", SECCOMP_RET_ALLOW},
		{"\"SCMP_ACT_LOG\"", SECCOMP_RET_LOG},
	};
	char json[256];

	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		snprintf(json, sizeof(json), ONE("\"getpid\"", "%s"), actions[i].rest);
		compile(json);
		cr_expect_eq(ask(X86_64, 39, 0, 0), actions[i].value, "%s", json);
		cr_expect_eq(ask(X86_64, 38, 0, 0), FAIL(EPERM), "%s", json);
		cr_expect_eq(program.notify, false);
	}
}

Test(seccomp_compile, every_default_action)
{
	static const struct {
		const char *action;
		uint32_t value;
	} actions[] = {
		{"SCMP_ACT_KILL_PROCESS", SECCOMP_RET_KILL_PROCESS},
		{"SCMP_ACT_TRAP", SECCOMP_RET_TRAP},
		{"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":\"38", FAIL(38)},
		{"SCMP_ACT_LOG", SECCOMP_RET_LOG},
		{"SCMP_ACT_ALLOW", SECCOMP_RET_ALLOW},
	};
	char json[256];

	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		snprintf(json, sizeof(json),
			i == 2 ? "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":38}"
			       : "{\"defaultAction\":\"%s\"}",
			actions[i].action);
		compile(json);
		cr_expect_eq(ask(X86_64, 39, 0, 0), actions[i].value, "%s", json);
		cr_expect_eq(ask(X86_64, 9999, 0, 0), actions[i].value, "%s", json);
		cr_expect_eq(ask(X86_64, UINT32_MAX, 0, 0), actions[i].value, "%s", json);
		cr_expect_eq(ask(I386, 39, 0, 0), KILL, "%s", json);
	}
}

Test(seccomp_compile, architectures)
{
	const char *rules = "\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":[\"getpid\"],"
			    "\"action\":\"SCMP_ACT_ALLOW\"}]}";

	compile(arena_printf(&arena, "{%s", rules)); /* none given: the native one */
	cr_expect_eq(ask(X86_64, 39, 0, 0), ALLOW);
	cr_expect_eq(ask(I386, 20, 0, 0), KILL);
	cr_expect_eq(ask(X86_64, X32 | 39, 0, 0), KILL);
	cr_expect_eq(ask(AUDIT_ARCH_AARCH64, 172, 0, 0), KILL);

	compile(arena_printf(&arena, "{\"architectures\":[],%s", rules));
	cr_expect_eq(ask(X86_64, 39, 0, 0), ALLOW);
	cr_expect_eq(ask(I386, 20, 0, 0), KILL);

	compile(arena_printf(&arena, "{\"architectures\":[\"SCMP_ARCH_X86\"],%s", rules));
	cr_expect_eq(ask(X86_64, 39, 0, 0), ALLOW);
	cr_expect_eq(ask(I386, 20, 0, 0), ALLOW);
	cr_expect_eq(ask(I386, 19, 0, 0), FAIL(EPERM));
	cr_expect_eq(ask(X86_64, X32 | 39, 0, 0), KILL);

	compile(arena_printf(&arena,
		"{\"architectures\":[\"SCMP_ARCH_X86_64\",\"SCMP_ARCH_X86\",\"SCMP_ARCH_X32\","
		"\"SCMP_ARCH_AARCH64\"],%s",
		rules));
	cr_expect_eq(ask(X86_64, 39, 0, 0), ALLOW);
	cr_expect_eq(ask(X86_64, X32 | 39, 0, 0), ALLOW);
	cr_expect_eq(ask(X86_64, X32 | 38, 0, 0), FAIL(EPERM));
	cr_expect_eq(ask(I386, 20, 0, 0), ALLOW);
	cr_expect_eq(ask(AUDIT_ARCH_AARCH64, 172, 0, 0), KILL, "this kernel cannot be entered so");

	compile_for(SPEC_ARCH_AARCH64,
		arena_printf(
			&arena, "{\"architectures\":[\"SCMP_ARCH_AARCH64\",\"SCMP_ARCH_ARM\"],%s", rules));
	cr_expect_eq(ask(AUDIT_ARCH_AARCH64, 172, 0, 0), ALLOW);
	cr_expect_eq(ask(AUDIT_ARCH_ARM, 20, 0, 0), ALLOW);
	cr_expect_eq(ask(X86_64, 39, 0, 0), KILL);

	compile_for(SPEC_ARCH_MIPSEL64,
		arena_printf(&arena, "{\"architectures\":[\"SCMP_ARCH_MIPSEL\"],%s", rules));
	cr_expect_eq(ask(AUDIT_ARCH_MIPSEL64, 5038, 0, 0), ALLOW);
	cr_expect_eq(ask(AUDIT_ARCH_MIPSEL, 4020, 0, 0), ALLOW);
	cr_expect_eq(ask(AUDIT_ARCH_MIPSEL, 20, 0, 0), FAIL(EPERM));
}

static const struct {
	const char *op;
	uint64_t value, value_two;
	uint64_t yes[6], no[6]; /* end with 0 after the first */
} conditions[] = {
	{"EQ", 5, 0, {5}, {4, 6, 0x100000005}},
	{"EQ", 0x100000005, 0, {0x100000005}, {5, 0x100000004, 0x200000005}},
	{"EQ", UINT64_MAX, 0, {UINT64_MAX}, {0xffffffff, 0xffffffff00000000}},
	{"NE", 5, 0, {4, 6, 0x100000005, UINT64_MAX}, {5}},
	{"NE", 0x100000000, 0, {1, 0x100000001, 0x200000000}, {0x100000000}},
	{"LT", 5, 0, {4, 1}, {5, 6, 0x100000004, UINT64_MAX}},
	{"LT", 0x200000005, 0, {5, 6, 0x100000009, 0x200000004}, {0x200000005, 0x200000006, 0x300000000}},
	{"LE", 5, 0, {4, 5, 1}, {6, 0x100000005}},
	{"LE", 0x200000005, 0, {0x200000005, 0x1ffffffff}, {0x200000006, 0x300000005}},
	{"GT", 5, 0, {6, 0x100000000, UINT64_MAX}, {5, 4, 1}},
	{"GT", 0x200000005, 0, {0x200000006, 0x300000000}, {0x200000005, 0x1ffffffff, 6}},
	{"GE", 5, 0, {5, 6, 0x100000000}, {4, 1}},
	{"GE", 0x200000005, 0, {0x200000005, 0x300000000}, {0x200000004, 0x1ffffffff}},
	{"MASKED_EQ", 0xf0, 0x50, {0x50, 0x5f, 0x100000050}, {0x60, 0x0f}},
	{"MASKED_EQ", 0xf0, 0x55, {0x50, 0x5f}, {0x60, 0x05}}, /* the value's other bits do not count */
	{"MASKED_EQ", 0xf000000f0, 0x100000010, {0x100000010, 0xa0100000f1f}, {0x10, 0x200000010}},
	{"MASKED_EQ", 0x7e020000, 0, {0x11, 0x1200011, 0x100000000}, {0x10000000, 0x20000}},
};

Test(seccomp_compile, every_operator_on_64_bits)
{
	char json[512];

	for (size_t i = 0; i < ARRAY_SIZE(conditions); i++) {
		snprintf(json, sizeof(json),
			"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":[\"getpid\"],"
			"\"action\":"
			"\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":1,\"op\":\"SCMP_CMP_%s\",\"value\":%llu,"
			"\"valueTwo\":%llu}]}]}",
			conditions[i].op, (unsigned long long)conditions[i].value,
			(unsigned long long)conditions[i].value_two);
		compile(json);
		for (size_t k = 0; k < 6 && conditions[i].yes[k]; k++)
			cr_expect_eq(ask(X86_64, 39, 0, conditions[i].yes[k]), ALLOW, "%s should fit %#llx",
				json, (unsigned long long)conditions[i].yes[k]);
		for (size_t k = 0; k < 6 && conditions[i].no[k]; k++)
			cr_expect_eq(ask(X86_64, 39, 0, conditions[i].no[k]), FAIL(EPERM),
				"%s should not fit %#llx", json, (unsigned long long)conditions[i].no[k]);
	}
}

#define ARG(index, op, value) "{\"index\":" #index ",\"op\":\"SCMP_CMP_" op "\",\"value\":" #value "}"

Test(seccomp_compile, conditions_on_several_arguments_must_all_hold)
{
	compile(ONE("\"getpid\"", "\"SCMP_ACT_ALLOW\",\"args\":[" ARG(0, "EQ", 1) "," ARG(1, "GT", 5) "]"));
	cr_expect_eq(ask(X86_64, 39, 1, 6), ALLOW);
	cr_expect_eq(ask(X86_64, 39, 1, 5), FAIL(EPERM));
	cr_expect_eq(ask(X86_64, 39, 2, 6), FAIL(EPERM));
}

Test(seccomp_compile, of_conditions_on_one_argument_one_suffices)
{
	compile(ONE("\"getpid\"",
		"\"SCMP_ACT_ALLOW\",\"args\":[" ARG(0, "EQ", 1) "," ARG(0, "EQ", 2) "," ARG(1, "EQ", 9) "]"));
	cr_expect_eq(ask(X86_64, 39, 1, 0), ALLOW);
	cr_expect_eq(ask(X86_64, 39, 2, 0), ALLOW);
	cr_expect_eq(ask(X86_64, 39, 3, 9), ALLOW);
	cr_expect_eq(ask(X86_64, 39, 3, 0), FAIL(EPERM));
}

Test(seccomp_compile, the_last_argument)
{
	struct seccomp_data data = {.nr = 39, .arch = X86_64, .args = {0, 0, 0, 0, 0, 7}};

	compile(ONE("\"getpid\"", "\"SCMP_ACT_ALLOW\",\"args\":[" ARG(5, "EQ", 7) "]"));
	cr_expect_eq(seccomp_run(program.insns, program.count, data), ALLOW);
	data.args[5] = 8;
	cr_expect_eq(seccomp_run(program.insns, program.count, data), FAIL(EPERM));
}

#define TWO(first, second)                                                                                   \
	"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":[\"getpid\"],\"action\":" first      \
	"},{\"names\":[\"getpid\"],\"action\":" second "}]}"
#define ERRNO_5 "\"SCMP_ACT_ERRNO\",\"errnoRet\":5"

Test(seccomp_compile, the_same_call_twice)
{
	compile(TWO("\"SCMP_ACT_ALLOW\"", ERRNO_5)); /* the first of two that always fit */
	cr_expect_eq(ask(X86_64, 39, 0, 0), ALLOW);

	compile(TWO(
		ERRNO_5 ",\"args\":[" ARG(0, "EQ", 1) "]", "\"SCMP_ACT_ALLOW\"")); /* the unconditional one */
	cr_expect_eq(ask(X86_64, 39, 1, 0), ALLOW);
	cr_expect_eq(ask(X86_64, 39, 2, 0), ALLOW);

	compile(TWO("\"SCMP_ACT_ALLOW\",\"args\":[" ARG(0, "GT", 1) "]",
		ERRNO_5 ",\"args\":[" ARG(0, "GE", 1) "]"));
	cr_expect_eq(ask(X86_64, 39, 0, 0), FAIL(EPERM));
	cr_expect_eq(ask(X86_64, 39, 1, 0), FAIL(5));
	cr_expect_eq(ask(X86_64, 39, 2, 0), ALLOW); /* the first that fits */

	compile(TWO("\"SCMP_ACT_ERRNO\"", "\"SCMP_ACT_ALLOW\"")); /* the first says what the default says */
	cr_expect_eq(ask(X86_64, 39, 0, 0), ALLOW);
}

Test(seccomp_compile, half_arguments_on_32_bit_architectures)
{
	const char
		*json = "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"architectures\":[\"SCMP_ARCH_X86\"],"
			"\"syscalls\":[{\"names\":[\"getpid\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[" ARG(
				0, "EQ", 18446744073709551615) "]}]}";

	compile(json);
	cr_expect_eq(ask(X86_64, 39, UINT64_MAX, 0), ALLOW);
	cr_expect_eq(ask(X86_64, 39, 0xffffffff, 0), FAIL(EPERM));
	cr_expect_eq(ask(I386, 20, 0xffffffff, 0), ALLOW);
	cr_expect_eq(ask(I386, 20, 0xfffffffe, 0), FAIL(EPERM));
}

Test(seccomp_compile, functions_of_socketcall_and_ipc)
{
	const char *start =
		"{\"architectures\":[\"SCMP_ARCH_X86\"],\"syscalls\":[{\"names\":[\"socket\",\"shmget\"],";

	compile(arena_printf(
		&arena, "%s\"action\":\"SCMP_ACT_ALLOW\"}],\"defaultAction\":\"SCMP_ACT_ERRNO\"}", start));
	cr_expect_eq(ask(I386, 359, 0, 0), ALLOW);
	cr_expect_eq(ask(I386, 102, 1, 0), ALLOW);
	cr_expect_eq(ask(I386, 102, 2, 0), FAIL(EPERM));
	cr_expect_eq(ask(I386, 395, 0, 0), ALLOW);
	cr_expect_eq(ask(I386, 117, 23, 0), ALLOW);
	cr_expect_eq(ask(I386, 117, 24, 0), FAIL(EPERM));
	cr_expect_eq(ask(X86_64, 41, 0, 0), ALLOW);

	/* the arguments of socketcall's functions are out of reach: a condition does not open it ... */
	compile(arena_printf(&arena,
		"%s\"action\":\"SCMP_ACT_ALLOW\",\"args\":[" ARG(
			0, "EQ", 1) "]}],\"defaultAction\":\"SCMP_ACT_ERRNO\"}",
		start));
	cr_expect_eq(ask(I386, 359, 1, 0), ALLOW);
	cr_expect_eq(ask(I386, 359, 2, 0), FAIL(EPERM));
	cr_expect_eq(ask(I386, 102, 1, 0), FAIL(EPERM));

	/* ... but closes it */
	compile(arena_printf(&arena,
		"%s\"action\":\"SCMP_ACT_ERRNO\",\"args\":[" ARG(
			0, "EQ", 38) "]}],\"defaultAction\":\"SCMP_ACT_ALLOW\"}",
		start));
	cr_expect_eq(ask(I386, 359, 38, 0), FAIL(EPERM));
	cr_expect_eq(ask(I386, 359, 2, 0), ALLOW);
	cr_expect_eq(ask(I386, 102, 1, 0), FAIL(EPERM));
	cr_expect_eq(ask(I386, 102, 2, 0), ALLOW);
}

Test(seccomp_compile, calls_newer_than_the_profile_give_ENOSYS)
{
	compile(ONE("\"getpid\",\"gettid\"", "\"SCMP_ACT_ALLOW\""));
	cr_expect_eq(ask(X86_64, 185, 0, 0), FAIL(EPERM));
	cr_expect_eq(ask(X86_64, 187, 0, 0), FAIL(ENOSYS));
	cr_expect_eq(ask(X86_64, 0x3fffffff, 0, 0), FAIL(ENOSYS));
	cr_expect_eq(ask(X86_64, UINT32_MAX, 0, 0), FAIL(EPERM), "a call that a tracer has skipped");

	/* also what is named only to be refused counts as known */
	compile(TWO("\"SCMP_ACT_ALLOW\"",
		"\"SCMP_ACT_ERRNO\"},{\"names\":[\"gettid\"],\"action\":\"SCMP_ACT_ERRNO\""));
	cr_expect_eq(ask(X86_64, 100, 0, 0), FAIL(EPERM));
	cr_expect_eq(ask(X86_64, 186, 0, 0), FAIL(EPERM));
	cr_expect_eq(ask(X86_64, 187, 0, 0), FAIL(ENOSYS));

	compile("{\"defaultAction\":\"SCMP_ACT_KILL\",\"syscalls\":[{\"names\":[\"getpid\"],\"action\":"
		"\"SCMP_ACT_ALLOW\"}]}");
	cr_expect_eq(ask(X86_64, 400, 0, 0), KILL, "only an errno is replaced by another");
}

Test(seccomp_compile, names_newer_than_libseccomp)
{
	compile(ONE("\"mseal\",\"file_setattr\"", "\"SCMP_ACT_ALLOW\""));
	cr_expect_eq(report.warnings, 0);
	cr_expect_eq(ask(X86_64, 462, 0, 0), ALLOW);
	cr_expect_eq(ask(X86_64, 469, 0, 0), ALLOW);
	cr_expect_eq(ask(X86_64, 463, 0, 0), FAIL(EPERM));
}

Test(seccomp_compile, unknown_names_are_warned_of_and_left_out)
{
	compile(ONE("\"getpid\",\"get_pid\",\"chown32\"", "\"SCMP_ACT_ALLOW\""));
	cr_assert_eq(report.warnings, 1);
	cr_expect_str_eq(report.first->err.where.path, "syscalls[0].names[1]");
	cr_expect_eq(ask(X86_64, 39, 0, 0), ALLOW);
	cr_expect_eq(ask(X86_64, 0, 0, 0), FAIL(EPERM));
}

Test(seccomp_compile, flags)
{
	static const struct {
		const char *json;
		unsigned flags;
		bool notify;
	} cases[] = {
		{"{\"defaultAction\":\"SCMP_ACT_ALLOW\"}", SECCOMP_FILTER_FLAG_SPEC_ALLOW, false},
		{"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"flags\":[]}", 0, false},
		{"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"flags\":[\"SECCOMP_FILTER_FLAG_TSYNC\"]}", 0,
			false},
		{"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"flags\":[\"SECCOMP_FILTER_FLAG_LOG\","
		 "\"SECCOMP_FILTER_FLAG_SPEC_ALLOW\"]}",
			SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_SPEC_ALLOW, false},
		{"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"flags\":[\"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_"
		 "RECV\"]}",
			0, false},
		{"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"flags\":[\"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_"
		 "RECV\"],"
		 "\"listenerPath\":\"/"
		 "s\",\"syscalls\":[{\"names\":[\"mkdir\"],\"action\":\"SCMP_ACT_NOTIFY\"}]}",
			SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV | SECCOMP_FILTER_FLAG_NEW_LISTENER, true},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		compile(cases[i].json);
		cr_expect_eq(program.flags, cases[i].flags, "%s: %#x", cases[i].json, program.flags);
		cr_expect_eq(program.notify, cases[i].notify);
	}
	cr_expect_eq(ask(X86_64, 83, 0, 0), SECCOMP_RET_USER_NOTIF);
}

/* Chains of every length around what a jump's eight bits reach; a condition takes four instructions. */
Test(seccomp_compile, far_jumps)
{
	static char json[100000];

	for (unsigned length = 1; length < 400; length += length < 140 ? 1 : 37) {
		struct str_buf b;
		str_buf_init(&b, json, sizeof(json));
		str_buf_add(&b, "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[");
		for (unsigned i = 0; i < length; i++)
			str_buf_add(&b,
				"{\"names\":[\"getpid\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":%u,"
				"\"args\":"
				"[{\"index\":0,\"op\":\"SCMP_CMP_EQ\",\"value\":%u}]},",
				100 + i, i);
		str_buf_add(&b, "{\"names\":[\"read\",\"gettid\"],\"action\":\"SCMP_ACT_ALLOW\"}]}");
		compile(json);
		for (unsigned i = 0; i < length; i++)
			cr_assert_eq(ask(X86_64, 39, i, 0), FAIL(100 + i), "%u of %u", i, length);
		cr_assert_eq(ask(X86_64, 39, length, 0), FAIL(EPERM));
		cr_assert_eq(ask(X86_64, 0, 0, 0), ALLOW);
		cr_assert_eq(ask(X86_64, 1, 0, 0), FAIL(EPERM));
		cr_assert_eq(ask(X86_64, 186, 0, 0), ALLOW);
		cr_assert_eq(ask(X86_64, 187, 0, 0), FAIL(ENOSYS));
		cr_assert_eq(ask(I386, 20, 0, 0), KILL);
	}
	cr_expect_gt(program.count, 1500);
}

Test(seccomp_compile, a_filter_too_large_for_the_kernel)
{
	static char json[400000];
	const struct json_doc *doc;
	struct str_buf b;

	str_buf_init(&b, json, sizeof(json));
	str_buf_add(&b, "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[");
	for (unsigned i = 0; i < 1100; i++)
		str_buf_add(&b,
			"%s{\"names\":[\"getpid\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":%u,\"args\":"
			"[{\"index\":0,\"op\":\"SCMP_CMP_EQ\",\"value\":%u}]}",
			i ? "," : "", 2 + i, i);
	str_buf_add(&b, "]}");
	const struct spec_seccomp *s = seccomp_parse(&arena, json, &doc);
	cr_expect_eq(seccomp_compile_for(SPEC_ARCH_X86_64, &arena, s, doc, &report, &program), -E2BIG);
	cr_expect_eq(report.errors, 1);
	cr_expect_str_eq(report.first->err.message,
		"the filter needs more than the 4096 instructions that the kernel takes");
}

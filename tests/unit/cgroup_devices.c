/*
 * Device rules as an eBPF program: what the program answers, by an interpreter of the few instructions it
 * uses.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "libcontainer/cgroup/devices.h"
#include "specs/resources.h"

static struct arena arena;
static struct report report;

static void setup(void)
{
	cr_assert_eq(arena_init(&arena, NULL), 0);
	report_init(&report, &arena);
}

static void teardown(void)
{
	arena_free(&arena);
}

TestSuite(cgroup_devices, .init = setup, .fini = teardown);

static struct cg_device_program compile(const char *rules)
{
	struct cg_device_program program = {0};
	const char *text = arena_printf(&arena, "{\"devices\":%s}", rules);
	const struct json_doc *doc;

	cr_assert_eq(json_parse(&arena, "r.json", text, strlen(text), &report, &doc), 0, "%s", text);
	const struct spec_resources *r = spec_decode(&arena, doc, 0, &spec_resources_table, &report);
	cr_assert_eq(spec_resources_check(doc, r, &report), 0, "%s", text);
	cr_assert_eq(cg_devices_compile(&arena, r->devices, r->devices_count, doc, &report, &program), 0);
	return program;
}

/* The kernel's answer: 1 to allow. Fails the test at an instruction or a jump the verifier would refuse. */
static uint64_t run(const struct cg_device_program *p, struct bpf_cgroup_dev_ctx context)
{
	uint64_t r[11] = {[1] = 1};
	size_t pc = 0;

	if (p->count == 0)
		return 1;
	for (;;) {
		cr_assert_lt(pc, p->count, "the program runs over its end");
		const struct bpf_insn *i = &p->insns[pc++];
		uint64_t k = (uint64_t)(int64_t)i->imm;
		switch (i->code) {
		case BPF_LDX | BPF_MEM | BPF_W: {
			uint32_t word;
			cr_assert_eq(i->src_reg, 1);
			cr_assert(r[1] == 1, "the context pointer was overwritten");
			memcpy(&word, (char *)&context + i->off, sizeof(word));
			r[i->dst_reg] = word;
			break;
		}
		case BPF_ALU64 | BPF_MOV | BPF_X:
			r[i->dst_reg] = r[i->src_reg];
			break;
		case BPF_ALU64 | BPF_MOV | BPF_K:
			r[i->dst_reg] = k;
			break;
		case BPF_ALU64 | BPF_AND | BPF_K:
			r[i->dst_reg] &= k;
			break;
		case BPF_ALU64 | BPF_RSH | BPF_K:
			r[i->dst_reg] >>= k;
			break;
		case BPF_ALU64 | BPF_LSH | BPF_K:
			r[i->dst_reg] <<= k;
			break;
		case BPF_ALU64 | BPF_OR | BPF_X:
			r[i->dst_reg] |= r[i->src_reg];
			break;
		case BPF_JMP32 | BPF_JNE | BPF_K:
			pc += (uint32_t)r[i->dst_reg] != (uint32_t)k ? (size_t)i->off : 0;
			break;
		case BPF_JMP32 | BPF_JEQ | BPF_K:
			pc += (uint32_t)r[i->dst_reg] == (uint32_t)k ? (size_t)i->off : 0;
			break;
		case BPF_JMP | BPF_JA:
			pc += (size_t)i->off;
			break;
		case BPF_JMP | BPF_EXIT:
			return r[0];
		default:
			cr_assert_fail("unexpected instruction %02x", i->code);
		}
	}
}

/* "c 1:3 rw" */
static bool allows(const struct cg_device_program *p, const char *question)
{
	struct bpf_cgroup_dev_ctx context = {0};
	char type, access[8];

	cr_assert_eq(sscanf(question, "%c %u:%u %7s", &type, &context.major, &context.minor, access), 4);
	uint32_t bits = 0;
	for (const char *a = access; *a; a++)
		bits |= *a == 'r'   ? BPF_DEVCG_ACC_READ
			: *a == 'w' ? BPF_DEVCG_ACC_WRITE
				    : BPF_DEVCG_ACC_MKNOD;
	context.access_type = bits << 16 | (type == 'c' ? BPF_DEVCG_DEV_CHAR : BPF_DEVCG_DEV_BLOCK);
	return run(p, context) == 1;
}

#define DENY_ALL "{\"allow\":false,\"access\":\"rwm\"}"

static const struct {
	const char *rules, *yes[8], *no[8];
} cases[] = {
	/* the default devices are there whatever the rules say; nothing else is */
	{"[]",
		{"c 1:3 rw", "c 1:5 rw", "c 1:7 rw", "c 1:8 r", "c 1:9 r", "c 5:0 rw", "c 5:2 rw",
			"c 136:7 rw"},
		{"c 10:229 r", "b 8:0 r", "c 1:1 r", "c 4:0 rw", "b 1:3 r", "c 5:3 w", "c 137:0 r",
			"c 1:11 w"}},
	{"[" DENY_ALL "]", {"c 1:3 rwm", "c 5:1 rw", "c 10:229 m", "b 8:0 m"}, {"c 10:229 rm", "b 8:0 rw"}},
	{"[{\"allow\":false,\"type\":\"c\",\"major\":1,\"minor\":3,\"access\":\"rwm\"}]", {"c 1:3 rw"},
		{NULL}},
	/* one device */
	{"[" DENY_ALL ",{\"allow\":true,\"type\":\"c\",\"major\":10,\"minor\":229,\"access\":\"rw\"}]",
		{"c 10:229 rw", "c 10:229 r", "c 10:229 w", "c 10:229 rwm"},
		{"b 10:229 r", "c 10:228 r", "c 11:229 r", "c 8:741 r", "c 0:10486 r"}},
	{"[" DENY_ALL ",{\"allow\":true,\"type\":\"b\",\"major\":8,\"minor\":0,\"access\":\"r\"}]",
		{"b 8:0 r", "b 8:0 rm"}, {"b 8:0 w", "b 8:0 rw", "c 8:0 r"}},
	/* accesses of two rules add up */
	{"[{\"allow\":true,\"type\":\"b\",\"major\":8,\"minor\":0,\"access\":\"r\"},"
	 "{\"allow\":true,\"type\":\"b\",\"major\":8,\"minor\":0,\"access\":\"w\"}]",
		{"b 8:0 rw", "b 8:0 rwm"}, {"b 8:1 r"}},
	/* wildcards */
	{"[{\"allow\":true,\"type\":\"b\",\"major\":8,\"access\":\"rw\"}]", {"b 8:0 rw", "b 8:99 rw"},
		{"b 9:0 r"}},
	{"[{\"allow\":true,\"type\":\"b\",\"major\":8,\"minor\":-1,\"access\":\"rw\"}]", {"b 8:99 rw"},
		{"b 9:0 r"}},
	{"[{\"allow\":true,\"type\":\"b\",\"major\":-1,\"minor\":5,\"access\":\"rw\"}]", {"b 9:5 rw"},
		{"b 9:4 r"}},
	{"[{\"allow\":true,\"type\":\"a\",\"major\":77,\"minor\":1,\"access\":\"r\"}]",
		{"b 77:1 r", "c 77:1 r"}, {"c 77:1 w", "c 78:1 r"}},
	{"[{\"allow\":true,\"type\":\"c\",\"access\":\"rw\"}]", {"c 200:200 rw"}, {"b 200:200 r"}},
	{"[{\"allow\":true,\"type\":\"c\",\"major\":0,\"minor\":0,\"access\":\"r\"}]", {"c 0:0 r"},
		{"c 0:1 r"}},
	{"[{\"allow\":true,\"type\":\"c\",\"major\":4095,\"minor\":1048575}]", {"c 4095:1048575 rwm"},
		{"c 4094:0 r"}},
	/* the later rule wins */
	{"[{\"allow\":true,\"type\":\"b\",\"major\":8,\"access\":\"rwm\"},"
	 "{\"allow\":false,\"type\":\"b\",\"major\":8,\"minor\":1,\"access\":\"w\"}]",
		{"b 8:0 rw", "b 8:1 r", "b 8:1 rm"}, {"b 8:1 w", "b 8:1 rw"}},
	{"[{\"allow\":false,\"type\":\"b\",\"major\":8,\"minor\":1,\"access\":\"w\"},"
	 "{\"allow\":true,\"type\":\"b\",\"major\":8,\"access\":\"rwm\"}]",
		{"b 8:1 rw"}, {"b 9:1 r"}},
	/* everything but */
	{"[{\"allow\":true,\"access\":\"rwm\"},{\"allow\":false,\"type\":\"b\",\"major\":8,\"minor\":0,"
	 "\"access\":\"rwm\"}]",
		{"b 8:1 rw", "c 10:229 rwm", "c 1:3 rw"}, {"b 8:0 r", "b 8:0 w", "b 8:0 rw"}},
	{"[{\"allow\":true,\"access\":\"r\"}]", {"c 10:1 r", "b 8:0 r"}, {"c 10:1 w", "b 8:0 rw"}},
	{"[{\"allow\":true,\"access\":\"rwm\"}," DENY_ALL "]", {"c 1:3 rw"}, {"c 10:1 r", "b 8:0 w"}},
	{"[{\"allow\":true,\"access\":\"rwm\"}]", {"c 10:1 rwm", "b 8:0 rwm"}, {NULL}},
};

Test(cgroup_devices, answers)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct cg_device_program p = compile(cases[i].rules);
		for (size_t q = 0; q < 8 && cases[i].yes[q]; q++)
			cr_expect(allows(&p, cases[i].yes[q]), "%s should allow %s", cases[i].rules,
				cases[i].yes[q]);
		for (size_t q = 0; q < 8 && cases[i].no[q]; q++)
			cr_expect_not(allows(&p, cases[i].no[q]), "%s should deny %s", cases[i].rules,
				cases[i].no[q]);
	}
}

/* Every rule list must say, for each access alone, what the last rule that speaks of it says. */
Test(cgroup_devices, agrees_with_the_rules_read_one_by_one)
{
	unsigned seed = 12345;
	char text[4096];

	for (unsigned round = 0; round < 300; round++) {
		struct {
			bool allow;
			unsigned type, major, minor, access;
		} rules[6];
		struct str_buf b;
		str_buf_init(&b, text, sizeof(text));
		for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
			seed = seed * 1103515245 + 12345;
			rules[i].allow = seed >> 16 & 1;
			rules[i].type = (seed >> 17) % 3;
			rules[i].major = 200 + (seed >> 19) % 3;
			rules[i].minor = (seed >> 21) % 3;
			rules[i].access = 1 + (seed >> 23) % 7;
			str_buf_add(&b,
				"%s{\"allow\":%s,\"type\":\"%c\",\"major\":%d,\"minor\":%d,\"access\":\"%s%s%"
				"s\"}",
				i ? "," : "[", rules[i].allow ? "true" : "false", "acb"[rules[i].type],
				rules[i].major == 200 ? -1 : (int)rules[i].major,
				rules[i].minor == 0 ? -1 : (int)rules[i].minor,
				rules[i].access & 2 ? "r" : "", rules[i].access & 4 ? "w" : "",
				rules[i].access & 1 ? "m" : "");
		}
		str_buf_add(&b, "]");
		struct cg_device_program p = compile(text);
		for (unsigned n = 0; n < 2 * 2 * 2 * 2; n++) {
			unsigned type = 1 + n % 2, major = 201 + n / 2 % 2, minor = 1 + n / 4 % 2;
			unsigned bit = n / 8 % 2 ? BPF_DEVCG_ACC_WRITE : BPF_DEVCG_ACC_READ;
			bool wanted = false;
			for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
				if ((!rules[i].type || rules[i].type == type) &&
					(rules[i].major == 200 || rules[i].major == major) &&
					(rules[i].minor == 0 || rules[i].minor == minor) &&
					rules[i].access & bit)
					wanted = rules[i].allow;
			struct bpf_cgroup_dev_ctx context = {
				.access_type = bit << 16 |
					       (type == 1 ? BPF_DEVCG_DEV_CHAR : BPF_DEVCG_DEV_BLOCK),
				.major = major,
				.minor = minor,
			};
			cr_assert_eq(run(&p, context), wanted, "%s: type %u %u:%u bit %u", text, type, major,
				minor, bit);
		}
	}
}

Test(cgroup_devices, everything_allowed_needs_no_program)
{
	cr_expect_eq(compile("[{\"allow\":true,\"access\":\"rwm\"}]").count, 0);
	cr_expect_eq(compile("[" DENY_ALL ",{\"allow\":true,\"access\":\"rwm\"}]").count, 0);
	cr_expect_eq(compile("[{\"allow\":true,\"type\":\"a\"}]").count, 0);
	cr_expect_eq(compile("[{\"allow\":true,\"type\":\"b\"},{\"allow\":true,\"type\":\"c\"}]").count, 0);
	cr_expect_gt(compile("[]").count, 0);
}

/* An engine's usual list, deny all and the default devices twice, is no longer than the default itself. */
Test(cgroup_devices, rules_without_effect_are_left_out)
{
	struct cg_device_program usual = compile(
		"[" DENY_ALL ",{\"allow\":true,\"type\":\"c\",\"major\":1,\"minor\":5,\"access\":\"rwm\"}"
		",{\"allow\":true,\"type\":\"c\",\"major\":1,\"minor\":3,\"access\":\"rwm\"}," DENY_ALL
		",{\"allow\":true,\"type\":\"c\",\"major\":1,\"minor\":3,\"access\":\"rwm\"}]");
	struct cg_device_program none = compile("[]");

	cr_expect_eq(usual.rules, none.rules + 1);
	cr_expect_eq(usual.count, none.count);
}

Test(cgroup_devices, too_many_rules)
{
	static struct spec_device_rule rules[1025];
	struct cg_device_program program;

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		rules[i] = (struct spec_device_rule){
			.allow = true, .type = SPEC_DEVICE_BLOCK, .major = {8, true}};
	cr_expect_eq(cg_devices_compile(&arena, rules, ARRAY_SIZE(rules) - 1, NULL, &report, &program), 0);
	cr_expect_eq(cg_devices_compile(&arena, rules, ARRAY_SIZE(rules), NULL, &report, &program), -EINVAL);
	cr_expect_eq(report.errors, 1);
}

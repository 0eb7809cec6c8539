/*
 * compile.c - from the document's rules to a program (config-linux.md, "Seccomp").
 *
 * The program asks for the architecture, then finds the system call by binary search among intervals of
 * numbers with the same answer, so that it is short: the kernel runs it some 900 times when it is loaded, to
 * learn which calls it need not ask about, and those that remain at each call. Conditions on arguments are
 * code at the end of a search.
 *
 * Where the specification leaves it open, this follows what engines know from libseccomp:
 *  - a rule that says what the default says is no rule;
 *  - the native architecture is always in; others only count when this kernel can be entered through them;
 *  - a rule without conditions wins over those with conditions for the same call, else the first that fits;
 *  - several conditions on one argument are rules of their own, of which one suffices; otherwise all must
 * hold;
 *  - on 32-bit architectures only the lower half of arguments and values is compared;
 *  - an architecture that is not listed kills the thread.
 * Two things are better than that. Functions of socketcall and ipc, whose arguments are out of reach in
 * memory, get the answer of a rule with conditions only if it is stricter than the default. And when the
 * default is an errno, a call newer than every one the profile names gives ENOSYS, at which the C library
 * tries an older one, where EPERM would break programs newer than the profile.
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "libcontainer/seccomp/compile.h"
#include "libcontainer/seccomp/program.h"
#include "libcontainer/seccomp/syscalls.h"
#include "specs/json.h"
#include "specs/seccomp.h"

#define X32_BIT      0x40000000u
#define BAD_ARCH     SECCOMP_RET_KILL_THREAD
#define FAMILY_ARCHS 3 /* at most */

/* One rule's say about one number. */
struct rule {
	uint32_t nr;
	uint32_t order; /* in the document */
	uint32_t value; /* SECCOMP_RET_* */
	bool wide;
	uint32_t args_count; /* 0: unconditional */
	const struct spec_seccomp_arg *args;
};

/* Rules for one number, in order; the `code` of an interval. */
struct chain {
	const struct rule *rules;
	size_t count;
	uint32_t default_value;
};

struct compiler {
	struct arena *arena;
	const struct spec_seccomp *spec;
	const struct json_doc *doc;
	struct report *report;
	uint32_t default_value;
	struct rule *rules; /* of the architecture at hand */
	size_t count, room;
	uint32_t newest; /* the highest number that any rule names there; SECCOMP_NO_NR: none */
	struct seccomp_interval *intervals; /* of the audit architecture at hand */
	size_t intervals_count, intervals_room;
	struct seccomp_builder builder;
};

/* ---- actions ---- */

static uint32_t action_value(enum spec_seccomp_action action, struct spec_opt_u32 errno_ret)
{
	uint32_t data = errno_ret.set ? errno_ret.value & SECCOMP_RET_DATA : EPERM;

	switch (action) {
	case SPEC_ACT_KILL_PROCESS:
		return SECCOMP_RET_KILL_PROCESS;
	case SPEC_ACT_TRAP:
		return SECCOMP_RET_TRAP;
	case SPEC_ACT_ERRNO:
		return SECCOMP_RET_ERRNO | data;
	case SPEC_ACT_TRACE:
		return SECCOMP_RET_TRACE | data;
	case SPEC_ACT_ALLOW:
		return SECCOMP_RET_ALLOW;
	case SPEC_ACT_LOG:
		return SECCOMP_RET_LOG;
	case SPEC_ACT_NOTIFY:
		return SECCOMP_RET_USER_NOTIF;
	case SPEC_ACT_NONE:
	case SPEC_ACT_KILL:
	case SPEC_ACT_KILL_THREAD:
		break;
	}
	return SECCOMP_RET_KILL_THREAD;
}

/* The kernel's own order: of several filters' answers it takes the lowest, as signed numbers. */
static bool is_stricter(uint32_t value, uint32_t than)
{
	return (int32_t)(value & SECCOMP_RET_ACTION_FULL) < (int32_t)(than & SECCOMP_RET_ACTION_FULL);
}

/* ---- rules of one architecture ---- */

static void add_rule(struct compiler *c, struct rule rule)
{
	c->rules = arena_grow(c->arena, c->rules, sizeof(*c->rules), c->count, &c->room, 1024);
	rule.order = (uint32_t)c->count;
	c->rules[c->count++] = rule;
}

static bool tests_an_argument_twice(const struct spec_syscall *s)
{
	unsigned seen = 0;

	for (size_t i = 0; i < s->args_count; i++) {
		if (seen & 1u << s->args[i].index)
			return true;
		seen |= 1u << s->args[i].index;
	}
	return false;
}

static void add_direct(struct compiler *c, const struct spec_syscall *s, struct rule rule)
{
	if (!tests_an_argument_twice(s)) {
		rule.args = s->args;
		rule.args_count = (uint32_t)s->args_count;
		add_rule(c, rule);
		return;
	}
	rule.args_count = 1;
	for (size_t i = 0; i < s->args_count; i++) {
		rule.args = &s->args[i];
		add_rule(c, rule);
	}
}

static void add_multiplexed(
	struct compiler *c, const struct spec_syscall *s, struct rule rule, uint32_t function)
{
	if (s->args_count && !is_stricter(rule.value, c->default_value))
		return;
	struct spec_seccomp_arg *is_function = arena_new(c->arena, struct spec_seccomp_arg);
	*is_function = (struct spec_seccomp_arg){.op = SPEC_CMP_EQ, .value = function};
	rule.args = is_function;
	rule.args_count = 1;
	add_rule(c, rule);
}

static void warn_unknown(struct compiler *c, const struct spec_syscall *s, size_t name)
{
	uint32_t node = spec_at_item(c->doc, s->node, "names", name);

	if (c->spec->fail_unknown)
		json_error(c->report, c->doc, node, "no system call of this name is known to libseccomp");
	else
		json_note(c->report, c->doc, node,
			"no system call of this name is known to libseccomp; the rule has no effect");
}

static void add_syscall(struct compiler *c, const struct seccomp_arch *arch, const struct spec_syscall *s,
	struct seccomp_direct *direct, bool warn)
{
	struct rule rule = {.value = action_value(s->action, s->errno_ret), .wide = arch->wide};

	for (size_t i = 0; i < s->names_count; i++) {
		struct seccomp_entry entry;
		bool known = seccomp_resolve(arch, s->names[i], direct, &entry);
		if (!known && warn)
			warn_unknown(c, s, i);
		if (entry.direct != SECCOMP_NO_NR && (c->newest == SECCOMP_NO_NR || entry.direct > c->newest))
			c->newest = entry.direct;
		if (rule.value == c->default_value)
			continue;
		if (entry.direct != SECCOMP_NO_NR) {
			rule.nr = entry.direct;
			add_direct(c, s, rule);
		}
		if (entry.multiplexer != SECCOMP_NO_NR) {
			rule.nr = entry.multiplexer;
			add_multiplexed(c, s, rule, entry.function);
		}
	}
}

static int compare_rules(const void *left, const void *right)
{
	const struct rule *a = left, *b = right;

	if (a->nr != b->nr)
		return a->nr < b->nr ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

/* ---- intervals of one audit architecture ---- */

static void add_interval(struct compiler *c, uint32_t start, uint32_t value, const struct chain *chain)
{
	const struct seccomp_interval *last = c->intervals_count ? &c->intervals[c->intervals_count - 1]
								 : NULL;

	if (last && !chain && !last->code && last->value == value)
		return;
	c->intervals = arena_grow(
		c->arena, c->intervals, sizeof(*c->intervals), c->intervals_count, &c->intervals_room, 512);
	c->intervals[c->intervals_count++] = (struct seccomp_interval){
		.start = start, .value = value, .code = chain};
}

/* What is said about one number, by `count` rules in the document's order. */
static void add_number(struct compiler *c, const struct rule *rules, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (rules[i].args_count == 0) {
			add_interval(c, rules[i].nr, rules[i].value, NULL);
			return;
		}
	}
	struct chain *chain = arena_new(c->arena, struct chain);
	*chain = (struct chain){rules, count, c->default_value};
	add_interval(c, rules->nr, 0, chain);
}

/* The numbers after `at`, of which the profile may name none any more. */
static void add_newer_interval(struct compiler *c, uint32_t at)
{
	bool is_errno = (c->default_value & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO;

	if (c->newest == SECCOMP_NO_NR || !is_errno) {
		add_interval(c, at, c->default_value, NULL);
		return;
	}
	if (at <= c->newest)
		add_interval(c, at, c->default_value, NULL);
	add_interval(c, c->newest + 1, SECCOMP_RET_ERRNO | ENOSYS, NULL);
}

/* The numbers from `start`, where another architecture's may follow, by the rules at hand. */
static void add_arch_intervals(struct compiler *c, uint32_t start)
{
	uint32_t at = start;
	size_t end;

	if (c->count)
		qsort(c->rules, c->count, sizeof(*c->rules), compare_rules);
	for (size_t i = 0; i < c->count; i = end) {
		uint32_t nr = c->rules[i].nr;
		for (end = i + 1; end < c->count && c->rules[end].nr == nr; end++)
			;
		if (nr > at)
			add_interval(c, at, c->default_value, NULL);
		add_number(c, c->rules + i, end - i);
		at = nr + 1;
	}
	add_newer_interval(c, at);
}

/* ---- code ---- */

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define LOW  0
#define HIGH 4
#else
#define LOW  4
#define HIGH 0
#endif

/* Greater than `value`, or at least it: the upper halves decide unless they are equal. */
static size_t build_order(struct seccomp_builder *b, const struct spec_seccomp_arg *arg, bool wide,
	uint16_t op, size_t yes, size_t no)
{
	uint32_t offset = (uint32_t)offsetof(struct seccomp_data, args) + 8 * arg->index;
	uint32_t high = (uint32_t)(arg->value >> 32);

	seccomp_build_jump(b, op, (uint32_t)arg->value, yes, no);
	size_t start = seccomp_build_load(b, offset + LOW);
	if (!wide)
		return start;
	start = seccomp_build_jump(b, BPF_JEQ, high, start, no);
	seccomp_build_jump(b, BPF_JGT, high, yes, start);
	return seccomp_build_load(b, offset + HIGH);
}

/* (argument & mask) == value: one half must fit, then the other. */
static size_t build_equal(struct seccomp_builder *b, const struct spec_seccomp_arg *arg, bool wide,
	uint64_t mask, uint64_t value, size_t yes, size_t no)
{
	uint32_t offset = (uint32_t)offsetof(struct seccomp_data, args) + 8 * arg->index;

	for (unsigned half = 0; half < (wide ? 2 : 1); half++) {
		uint32_t half_mask = (uint32_t)(mask >> 32 * half);
		if (half_mask == 0)
			continue; /* nothing to compare: both sides are 0 */
		seccomp_build_jump(b, BPF_JEQ, (uint32_t)(value >> 32 * half) & half_mask, yes, no);
		if (half_mask != UINT32_MAX)
			seccomp_build_and(b, half_mask);
		yes = seccomp_build_load(b, offset + (half ? HIGH : LOW));
	}
	return yes;
}

static size_t build_condition(
	struct seccomp_builder *b, const struct spec_seccomp_arg *arg, bool wide, size_t yes, size_t no)
{
	switch (arg->op) {
	case SPEC_CMP_NE:
		return build_equal(b, arg, wide, UINT64_MAX, arg->value, no, yes);
	case SPEC_CMP_LT:
		return build_order(b, arg, wide, BPF_JGE, no, yes);
	case SPEC_CMP_LE:
		return build_order(b, arg, wide, BPF_JGT, no, yes);
	case SPEC_CMP_GE:
		return build_order(b, arg, wide, BPF_JGE, yes, no);
	case SPEC_CMP_GT:
		return build_order(b, arg, wide, BPF_JGT, yes, no);
	case SPEC_CMP_MASKED_EQ:
		return build_equal(b, arg, wide, arg->value, arg->value_two, yes, no);
	case SPEC_CMP_NONE:
	case SPEC_CMP_EQ:
		break;
	}
	return build_equal(b, arg, wide, UINT64_MAX, arg->value, yes, no);
}

static size_t build_chain(struct seccomp_builder *b, const void *code, void *context)
{
	const struct chain *chain = code;
	size_t next = seccomp_build_return(b, chain->default_value);

	(void)context;
	for (size_t i = chain->count; i-- > 0;) {
		const struct rule *rule = &chain->rules[i];
		size_t fits = seccomp_build_return(b, rule->value);
		for (uint32_t a = rule->args_count; a-- > 0;)
			fits = build_condition(b, &rule->args[a], rule->wide, fits, next);
		next = fits;
	}
	return next;
}

/* ---- architectures ---- */

/* Native first, then those listed that this kernel can be entered through. Returns how many. */
static size_t choose_archs(const struct compiler *c, const struct seccomp_arch *native,
	const struct seccomp_arch *archs[FAMILY_ARCHS])
{
	size_t count = 0;

	archs[count++] = native;
	for (unsigned word = 1; word <= spec_seccomp_arch_names.count; word++) {
		const struct seccomp_arch *arch = seccomp_arch_find((enum spec_seccomp_arch)word);
		if ((c->spec->architectures.mask & SPEC_BIT(word)) && arch && arch != native &&
			arch->family == native->family && count < FAMILY_ARCHS)
			archs[count++] = arch;
	}
	return count;
}

static void collect_rules(struct compiler *c, const struct seccomp_arch *arch, bool warn)
{
	struct seccomp_direct direct = {0};

	c->rules = NULL; /* the last architecture's are in use by its chains */
	c->count = c->room = 0;
	c->newest = SECCOMP_NO_NR;
	for (size_t i = 0; i < c->spec->syscalls_count; i++)
		add_syscall(c, arch, &c->spec->syscalls[i], &direct, warn);
}

/* The code for one value of seccomp_data.arch; x86_64 and x32 share theirs. Returns where it starts. */
static size_t build_arch(
	struct compiler *c, const struct seccomp_arch *arch, const struct seccomp_arch *x32, bool warn)
{
	c->intervals_count = 0;
	collect_rules(c, arch, warn);
	add_arch_intervals(c, 0);
	if (arch->spec == SPEC_ARCH_X86_64 && x32) {
		collect_rules(c, x32, false);
		add_arch_intervals(c, X32_BIT);
	} else if (arch->spec == SPEC_ARCH_X86_64) {
		add_interval(c, X32_BIT, BAD_ARCH, NULL);
	}
	add_interval(c, SECCOMP_NO_NR, c->default_value, NULL);
	if (c->intervals_count == 1)
		return seccomp_build_return(&c->builder, c->intervals[0].value);
	seccomp_build_search(&c->builder, c->intervals, c->intervals_count, build_chain, NULL);
	return seccomp_build_load(&c->builder, offsetof(struct seccomp_data, nr));
}

static void build_program(struct compiler *c, const struct seccomp_arch *native)
{
	const struct seccomp_arch *archs[FAMILY_ARCHS], *x32 = NULL;
	size_t starts[FAMILY_ARCHS];
	size_t count = choose_archs(c, native, archs);

	seccomp_builder_init(&c->builder, c->arena);
	for (size_t i = 0; i < count; i++)
		if (archs[i]->spec == SPEC_ARCH_X32)
			x32 = archs[i];
	for (size_t i = count; i-- > 0;)
		if (archs[i] != x32)
			starts[i] = build_arch(c, archs[i], x32, i == 0);
	size_t next = seccomp_build_return(&c->builder, BAD_ARCH);
	for (size_t i = count; i-- > 0;)
		if (archs[i] != x32)
			next = seccomp_build_jump(&c->builder, BPF_JEQ, archs[i]->audit, starts[i], next);
	seccomp_build_load(&c->builder, offsetof(struct seccomp_data, arch));
}

/* ---- */

static unsigned filter_flags(const struct spec_seccomp *seccomp, bool notify)
{
	uint64_t words = seccomp->flags.mask;

	if (!seccomp->flags.set) /* no mitigation of side channels unasked: it is slow, and off by now */
		return SECCOMP_FILTER_FLAG_SPEC_ALLOW | (notify ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0);
	/* TSYNC has nothing to do: there is one thread when the filter is loaded */
	return (words & SPEC_BIT(SPEC_FLAG_LOG) ? SECCOMP_FILTER_FLAG_LOG : 0) |
	       (words & SPEC_BIT(SPEC_FLAG_SPEC_ALLOW) ? SECCOMP_FILTER_FLAG_SPEC_ALLOW : 0) |
	       (notify && words & SPEC_BIT(SPEC_FLAG_WAIT_KILLABLE_RECV)
			       ? SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
			       : 0) |
	       (notify ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0);
}

void seccomp_set_flags(const struct spec_seccomp *seccomp, struct seccomp_program *program)
{
	program->notify = spec_seccomp_notifies(seccomp);
	program->flags = filter_flags(seccomp, program->notify);
}

int seccomp_compile_for(enum spec_seccomp_arch native, struct arena *arena,
	const struct spec_seccomp *seccomp, const struct json_doc *doc, struct report *report,
	struct seccomp_program *program)
{
	const struct seccomp_arch *arch = seccomp_arch_find(native);
	struct compiler c = {
		.arena = arena,
		.spec = seccomp,
		.doc = doc,
		.report = report,
		.default_value = action_value(seccomp->default_action, seccomp->default_errno_ret),
	};
	struct err *e;

	if (!arch) {
		e = json_error(
			report, doc, seccomp->node, "libseccomp does not know this machine's architecture");
		e->code = ENOTSUP;
		return -e->code;
	}
	unsigned errors = report->errors;
	build_program(&c, arch);
	if (report->errors > errors)
		return -EINVAL;
	if (c.builder.overflow) {
		e = json_error(report, doc, seccomp->node,
			"the filter needs more than the %d instructions that the kernel takes", BPF_MAXINSNS);
		e->code = E2BIG;
		return -e->code;
	}
	program->insns = c.builder.insns + BPF_MAXINSNS - c.builder.count;
	program->count = c.builder.count;
	seccomp_set_flags(seccomp, program);
	return 0;
}

/*
 * devices.c - device rules as an eBPF program, and its attachment to a cgroup.
 *
 * The kernel asks the program at each open and mknod of a device: type, numbers, and which of read, write and
 * mknod are wanted. The document's rules apply in order, so of two that speak of the same device and access
 * the later one decides; read backwards that is "the first rule decides". The program goes to the part for
 * the device's type, walks its rules from last to first and keeps the accesses that nobody has decided on
 * yet:
 *
 *     r3 = undecided accesses, r4 = major, r5 = minor, r6 = both as one number
 *     allow rule that fits: strike its accesses out of r3; nothing left: allow
 *     deny rule that fits: one of its accesses in r3: deny
 *     at the end: something is undecided: deny
 *
 * Rules that later ones leave no say are left out. What fits jumps away and what does not falls through: in
 * this shape the kernel's verifier, whose work is most of the price of a program, needs a fifth of the time.
 *
 * What the specification gives every container (config-linux.md, "Default Devices"), and the right to mknod,
 * which lets no one open anything, comes after the document's rules: engines begin theirs with "deny all".
 */
#include "libcontainer/cgroup/devices.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/str.h"
#include "base/sys.h"
#include "specs/device.h"
#include "specs/json.h"

#define ACCESS_ALL (BPF_DEVCG_ACC_MKNOD | BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE)
#define TYPE_ANY   0
#define ANY        (-1)
#define RULES_MAX  1024 /* of one document */

struct rule {
	bool allow;
	int type;         /* BPF_DEVCG_DEV_* or TYPE_ANY */
	int major, minor; /* or ANY */
	int access;       /* BPF_DEVCG_ACC_*, at least one */
};

static const struct rule default_rules[] = {
	{true, BPF_DEVCG_DEV_CHAR, ANY, ANY, BPF_DEVCG_ACC_MKNOD},
	{true, BPF_DEVCG_DEV_BLOCK, ANY, ANY, BPF_DEVCG_ACC_MKNOD},
	{true, BPF_DEVCG_DEV_CHAR, 136, ANY, ACCESS_ALL}, /* /dev/pts/N */
	{true, BPF_DEVCG_DEV_CHAR, 5, 2, ACCESS_ALL},     /* ptmx */
	{true, BPF_DEVCG_DEV_CHAR, 5, 1, ACCESS_ALL},     /* console */
	{true, BPF_DEVCG_DEV_CHAR, 5, 0, ACCESS_ALL},     /* tty */
	{true, BPF_DEVCG_DEV_CHAR, 1, 9, ACCESS_ALL},     /* urandom */
	{true, BPF_DEVCG_DEV_CHAR, 1, 8, ACCESS_ALL},     /* random */
	{true, BPF_DEVCG_DEV_CHAR, 1, 7, ACCESS_ALL},     /* full */
	{true, BPF_DEVCG_DEV_CHAR, 1, 5, ACCESS_ALL},     /* zero */
	{true, BPF_DEVCG_DEV_CHAR, 1, 3, ACCESS_ALL},     /* null; the last one is asked first */
};

/* ---- from the document ---- */

static int parse_access(const char *letters)
{
	int access = 0;

	if (!letters)
		return ACCESS_ALL;
	for (const char *p = letters; *p; p++)
		access |= *p == 'r'   ? BPF_DEVCG_ACC_READ
			  : *p == 'w' ? BPF_DEVCG_ACC_WRITE
				      : BPF_DEVCG_ACC_MKNOD;
	return access;
}

static int parse_type(enum spec_device_type type)
{
	return type == SPEC_DEVICE_CHAR    ? BPF_DEVCG_DEV_CHAR
	       : type == SPEC_DEVICE_BLOCK ? BPF_DEVCG_DEV_BLOCK
					   : TYPE_ANY;
}

/* -1 is how some engines write "every number". */
static int parse_number(struct spec_opt_i64 number)
{
	return number.set && number.value >= 0 ? (int)number.value : ANY;
}

static struct rule parse_rule(const struct spec_device_rule *spec)
{
	return (struct rule){
		.allow = spec->allow,
		.type = parse_type(spec->type),
		.major = parse_number(spec->major),
		.minor = parse_number(spec->minor),
		.access = parse_access(spec->access),
	};
}

static bool is_about(const struct rule *r, int type)
{
	return r->type == TYPE_ANY || r->type == type;
}

/* Does `later`, for this type, decide all that r could? Then r has no effect. */
static bool covers(const struct rule *later, const struct rule *r, int type)
{
	return is_about(later, type) && (later->major == ANY || later->major == r->major) &&
	       (later->minor == ANY || later->minor == r->minor) && (r->access & ~later->access) == 0;
}

static bool has_effect(const struct rule *rules, size_t count, size_t i, int type)
{
	if (!is_about(&rules[i], type))
		return false;
	for (size_t later = i + 1; later < count; later++)
		if (covers(&rules[later], &rules[i], type))
			return false;
	return true;
}

/* ---- instructions ---- */

#define INSN(op, to, from, offset, number)                                                                   \
	((struct bpf_insn){.code = (uint8_t)(op),                                                            \
		.dst_reg = (to)&15u,                                                                         \
		.src_reg = (from)&15u,                                                                       \
		.off = (offset),                                                                             \
		.imm = (number)})
#define LOAD_WORD(to, from, offset) INSN(BPF_LDX | BPF_MEM | BPF_W, to, from, offset, 0)
#define COPY(to, from)              INSN(BPF_ALU64 | BPF_MOV | BPF_X, to, from, 0, 0)
#define SET(to, number)             INSN(BPF_ALU64 | BPF_MOV | BPF_K, to, 0, 0, number)
#define AND(to, number)             INSN(BPF_ALU64 | BPF_AND | BPF_K, to, 0, 0, number)
#define OR(to, from)                INSN(BPF_ALU64 | BPF_OR | BPF_X, to, from, 0, 0)
#define SHIFT_LEFT(to, number)      INSN(BPF_ALU64 | BPF_LSH | BPF_K, to, 0, 0, number)
#define SHIFT_RIGHT(to, number)     INSN(BPF_ALU64 | BPF_RSH | BPF_K, to, 0, 0, number)
#define EXIT()                      INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

#define MINOR_BITS 20

/* Where a jump leads, until the program is complete and offsets are known. */
enum target { TO_DENY, TO_ALLOW, TO_NEXT_RULE };

struct builder {
	struct bpf_insn *insns;
	size_t count;
	enum target *targets; /* of the instruction with the same index, when it is a jump */
	bool used[2];         /* TO_DENY, TO_ALLOW: somebody goes there */
};

#define PROLOGUE_INSNS 10
#define RULE_INSNS     4 /* at most; and a rule may be in both parts */
#define EPILOGUE_INSNS 6

static void emit(struct builder *b, struct bpf_insn insn)
{
	b->insns[b->count++] = insn;
}

static void emit_jump(struct builder *b, int op, unsigned reg, int number, enum target target)
{
	b->targets[b->count] = target;
	if (target != TO_NEXT_RULE)
		b->used[target] = true;
	emit(b, INSN(BPF_JMP32 | BPF_K | op, reg, 0, 0, number));
}

static void emit_prologue(struct builder *b)
{
	emit(b, LOAD_WORD(BPF_REG_2, BPF_REG_1, offsetof(struct bpf_cgroup_dev_ctx, access_type)));
	emit(b, LOAD_WORD(BPF_REG_4, BPF_REG_1, offsetof(struct bpf_cgroup_dev_ctx, major)));
	emit(b, LOAD_WORD(BPF_REG_5, BPF_REG_1, offsetof(struct bpf_cgroup_dev_ctx, minor)));
	emit(b, COPY(BPF_REG_3, BPF_REG_2));
	emit(b, SHIFT_RIGHT(BPF_REG_3, 16));
	emit(b, AND(BPF_REG_2, 0xffff));
	emit(b, COPY(BPF_REG_6, BPF_REG_4));
	emit(b, SHIFT_LEFT(BPF_REG_6, MINOR_BITS));
	emit(b, OR(BPF_REG_6, BPF_REG_5));
}

/* What to compare to see whether a rule fits; false when it always does. */
static bool condition(const struct rule *r, unsigned *reg, int *number)
{
	*reg = r->major != ANY && r->minor != ANY ? BPF_REG_6 : r->major != ANY ? BPF_REG_4 : BPF_REG_5;
	*number = *reg == BPF_REG_6   ? (int)((unsigned)r->major << MINOR_BITS | (unsigned)r->minor)
		  : *reg == BPF_REG_4 ? r->major
				      : r->minor;
	return r->major != ANY || r->minor != ANY;
}

/* Returns false when no rule after this one is ever asked. */
static bool emit_rule(struct builder *b, const struct rule *r)
{
	enum target verdict = r->allow ? TO_ALLOW : TO_DENY;
	size_t start = b->count;
	unsigned reg;
	int number;
	bool conditional = condition(r, &reg, &number);

	if (r->access == ACCESS_ALL) {
		emit_jump(b, conditional ? BPF_JEQ : BPF_JA, reg, number, verdict);
		return conditional;
	}
	if (conditional)
		emit_jump(b, BPF_JNE, reg, number, TO_NEXT_RULE);
	if (r->allow) {
		emit(b, AND(BPF_REG_3, ~r->access & ACCESS_ALL));
		emit_jump(b, BPF_JEQ, BPF_REG_3, 0, TO_ALLOW);
	} else {
		emit(b, COPY(BPF_REG_1, BPF_REG_3));
		emit(b, AND(BPF_REG_1, r->access));
		emit_jump(b, BPF_JNE, BPF_REG_1, 0, TO_DENY);
	}
	if (conditional)
		b->insns[start].off = (int16_t)(b->count - start - 1);
	return true;
}

static void emit_rules(struct builder *b, const struct rule *rules, size_t count, int type)
{
	for (size_t i = count; i-- > 0;)
		if (has_effect(rules, count, i, type) && !emit_rule(b, &rules[i]))
			return;
	emit_jump(b, BPF_JA, 0, 0, TO_DENY);
}

/* The two ends, and what leads to them. The verifier refuses code that nothing leads to. */
static void emit_epilogue(struct builder *b)
{
	size_t jumps = b->count, ends[2];

	for (enum target t = TO_DENY; t <= TO_ALLOW; t++) {
		ends[t] = b->count;
		if (b->used[t]) {
			emit(b, SET(BPF_REG_0, t == TO_ALLOW));
			emit(b, EXIT());
		}
	}
	for (size_t i = 0; i < jumps; i++) {
		struct bpf_insn *insn = &b->insns[i];
		if (BPF_CLASS(insn->code) != BPF_JMP32 || b->targets[i] == TO_NEXT_RULE)
			continue;
		insn->off = (int16_t)(ends[b->targets[i]] - i - 1);
		if (BPF_OP(insn->code) == BPF_JA)
			*insn = INSN(BPF_JMP | BPF_JA, 0, 0, insn->off, 0);
	}
}

static void emit_program(
	struct arena *arena, const struct rule *rules, size_t count, struct cg_device_program *p)
{
	size_t room = PROLOGUE_INSNS + 2 * count * RULE_INSNS + EPILOGUE_INSNS;
	struct builder b = {
		.insns = arena_array(arena, struct bpf_insn, room),
		.targets = arena_array(arena, enum target, room),
	};

	emit_prologue(&b);
	size_t branch = b.count;
	emit_jump(&b, BPF_JNE, BPF_REG_2, BPF_DEVCG_DEV_CHAR, TO_NEXT_RULE);
	emit_rules(&b, rules, count, BPF_DEVCG_DEV_CHAR);
	b.insns[branch].off = (int16_t)(b.count - branch - 1);
	emit_rules(&b, rules, count, BPF_DEVCG_DEV_BLOCK);
	if (!b.used[TO_DENY])
		return; /* everything is allowed */
	emit_epilogue(&b);
	p->insns = b.insns;
	p->count = b.count;
	for (size_t i = 0; i < count; i++)
		p->rules += has_effect(rules, count, i, BPF_DEVCG_DEV_CHAR) ||
			    has_effect(rules, count, i, BPF_DEVCG_DEV_BLOCK);
}

/* ---- */

int cg_devices_compile(struct arena *arena, const struct spec_device_rule *specs, size_t count,
	const struct json_doc *doc, struct report *report, struct cg_device_program *program)
{
	*program = (struct cg_device_program){0};
	if (count > RULES_MAX) {
		json_error(
			report, doc, specs[RULES_MAX].node, "there are more than %d device rules", RULES_MAX);
		return -EINVAL;
	}
	struct rule *rules = arena_array(arena, struct rule, count + ARRAY_SIZE(default_rules));
	for (size_t i = 0; i < count; i++)
		rules[i] = parse_rule(&specs[i]);
	memcpy(rules + count, default_rules, sizeof(default_rules));
	emit_program(arena, rules, count + ARRAY_SIZE(default_rules), program);
	return 0;
}

/* Loads a second time to hear why the first one failed; the log is not free. */
static int explain_refusal(union bpf_attr *attr, int errnum, struct err *err)
{
	char log[2048] = "";

	attr->log_buf = (uintptr_t)log;
	attr->log_size = sizeof(log);
	attr->log_level = 1;
	sys_bpf(BPF_PROG_LOAD, attr, sizeof(*attr));
	log[strcspn(log, "\n")] = '\0';
	err_sys(err, errnum, "cannot load the eBPF program of the device rules%s%s", *log ? ", " : "", log);
	if (errnum == -EPERM)
		return err_hint(
			err, "device rules need CAP_SYS_ADMIN and CAP_BPF in the initial user namespace");
	return errnum;
}

int cg_devices_attach(int cgroup_fd, const struct bpf_insn *insns, size_t count, struct err *err)
{
	union bpf_attr load = {
		.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE,
		.insns = (uintptr_t)insns,
		.insn_cnt = (uint32_t)count,
		.license = (uintptr_t) "Apache-2.0",
		.prog_name = "crt_devices",
	};

	fd_auto int fd = sys_bpf(BPF_PROG_LOAD, &load, sizeof(load));
	if (fd < 0)
		return explain_refusal(&load, fd, err);
	union bpf_attr attach = {
		.target_fd = (uint32_t)cgroup_fd,
		.attach_bpf_fd = (uint32_t)fd,
		.attach_type = BPF_CGROUP_DEVICE,
		.attach_flags = BPF_F_ALLOW_MULTI,
	};
	int r = sys_bpf(BPF_PROG_ATTACH, &attach, sizeof(attach));
	if (r < 0)
		return err_sys(err, r, "cannot attach the eBPF program of the device rules to the cgroup");
	return 0;
}

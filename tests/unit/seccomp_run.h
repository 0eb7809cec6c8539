/*
 * seccomp_run.h - run a classic BPF program on one system call, as the kernel would; for the tests of
 * seccomp. Fails the test where the kernel would refuse the program.
 */
#ifndef TESTS_UNIT_SECCOMP_RUN_H
#define TESTS_UNIT_SECCOMP_RUN_H

#include <criterion/criterion.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string.h>

#include "specs/seccomp.h"

static inline uint32_t seccomp_run(const struct sock_filter *insns, size_t count, struct seccomp_data data)
{
	uint32_t a = 0;
	size_t pc = 0;

	cr_assert(count > 0 && count <= BPF_MAXINSNS);
	for (;;) {
		cr_assert_lt(pc, count, "the program runs over its end");
		const struct sock_filter *i = &insns[pc++];
		switch (i->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			cr_assert(i->k % 4 == 0 && i->k + 4 <= sizeof(data), "load at %u", i->k);
			memcpy(&a, (char *)&data + i->k, sizeof(a));
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= i->k;
			break;
		case BPF_JMP | BPF_JA:
			pc += i->k;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			pc += a == i->k ? i->jt : i->jf;
			break;
		case BPF_JMP | BPF_JGT | BPF_K:
			pc += a > i->k ? i->jt : i->jf;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			pc += a >= i->k ? i->jt : i->jf;
			break;
		case BPF_RET | BPF_K:
			return i->k;
		default:
			cr_assert_fail("unexpected instruction %04x", i->code);
		}
	}
}

/* Read the `seccomp` object in `json`, which is the whole document. */
static inline const struct spec_seccomp *seccomp_parse(
	struct arena *arena, const char *json, const struct json_doc **doc)
{
	struct report report;

	report_init(&report, arena);
	cr_assert_eq(json_parse(arena, "s.json", json, strlen(json), &report, doc), 0, "%s", json);
	const struct spec_seccomp *s = spec_decode(arena, *doc, 0, &spec_seccomp_table, &report);
	cr_assert_not_null(s);
	spec_seccomp_check(*doc, s, &report);
	cr_assert_eq(report.errors, 0, "%s: %s", json, report.first ? report.first->err.message : "");
	return s;
}

#endif

/*
 * program.h - a classic BPF program, written from its end.
 *
 * Jumps of classic BPF lead forward only. Written backwards, each target exists when the jump to it is made:
 * a function that writes a piece of code returns a label, and takes the labels of where to go on. A label is
 * the number of instructions from there to the end. A target too far for a jump's eight bits is reached
 * through an unconditional jump, whose offset has 32; this is not the caller's business.
 */
#ifndef SECCOMP_PROGRAM_H
#define SECCOMP_PROGRAM_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

#define BUILDER_RETURNS 8

struct seccomp_builder {
	struct sock_filter *insns; /* BPF_MAXINSNS; the last `count` are written */
	size_t count;
	bool overflow; /* it did not fit; the program is of no use */
	struct {
		uint32_t value;
		size_t label;       /* 0: unused */
	} returns[BUILDER_RETURNS]; /* some that were written, to be used again */
	unsigned next_return;
};

/* An interval of numbers ends where the next one starts. */
struct seccomp_interval {
	uint32_t start;
	uint32_t value;   /* SECCOMP_RET_*, when there is no code */
	const void *code; /* for build_code */
};

void seccomp_builder_init(struct seccomp_builder *b, struct arena *arena);

size_t seccomp_build_return(struct seccomp_builder *b, uint32_t value);

/* Load the word at `offset` of struct seccomp_data, then go on at `next`, which must be the last one written.
 */
size_t seccomp_build_load(struct seccomp_builder *b, uint32_t offset);
size_t seccomp_build_and(struct seccomp_builder *b, uint32_t mask);

/* Compare what is loaded: `op` is BPF_JEQ, BPF_JGT, BPF_JGE or BPF_JSET. */
size_t seccomp_build_jump(struct seccomp_builder *b, uint16_t op, uint32_t value, size_t yes, size_t no);

/* A binary search for the interval that what is loaded falls into. The first interval starts at 0. */
typedef size_t seccomp_build_code(struct seccomp_builder *b, const void *code, void *context);
size_t seccomp_build_search(struct seccomp_builder *b, const struct seccomp_interval *intervals, size_t count,
	seccomp_build_code *build_code, void *context);

#endif

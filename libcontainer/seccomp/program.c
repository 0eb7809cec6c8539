/*
 * program.c - see program.h. Knows instructions, but no system calls.
 */
#include "libcontainer/seccomp/program.h"

#define NEAR 250 /* instructions; a jump reaches 255, and up to two unconditional ones come between */

void seccomp_builder_init(struct seccomp_builder *b, struct arena *arena)
{
	*b = (struct seccomp_builder){.insns = arena_array(arena, struct sock_filter, BPF_MAXINSNS)};
}

static size_t emit(struct seccomp_builder *b, uint16_t code, uint32_t k, uint8_t yes, uint8_t no)
{
	if (b->count == BPF_MAXINSNS) {
		b->overflow = true;
		return b->count;
	}
	b->count++;
	b->insns[BPF_MAXINSNS - b->count] = (struct sock_filter){.code = code, .jt = yes, .jf = no, .k = k};
	return b->count;
}

size_t seccomp_build_return(struct seccomp_builder *b, uint32_t value)
{
	for (unsigned i = 0; i < BUILDER_RETURNS; i++)
		if (b->returns[i].label && b->returns[i].value == value &&
			b->count - b->returns[i].label < NEAR)
			return b->returns[i].label;
	size_t label = emit(b, BPF_RET | BPF_K, value, 0, 0);
	b->returns[b->next_return].value = value;
	b->returns[b->next_return].label = label;
	b->next_return = (b->next_return + 1) % BUILDER_RETURNS;
	return label;
}

size_t seccomp_build_load(struct seccomp_builder *b, uint32_t offset)
{
	return emit(b, BPF_LD | BPF_W | BPF_ABS, offset, 0, 0);
}

size_t seccomp_build_and(struct seccomp_builder *b, uint32_t mask)
{
	return emit(b, BPF_ALU | BPF_AND | BPF_K, mask, 0, 0);
}

static size_t bring_near(struct seccomp_builder *b, size_t label)
{
	if (b->count - label < NEAR)
		return label;
	return emit(b, BPF_JMP | BPF_JA, (uint32_t)(b->count - label), 0, 0);
}

size_t seccomp_build_jump(struct seccomp_builder *b, uint16_t op, uint32_t value, size_t yes, size_t no)
{
	yes = bring_near(b, yes);
	no = bring_near(b, no);
	return emit(b, (uint16_t)(BPF_JMP | BPF_K | op), value, (uint8_t)(b->count - yes),
		(uint8_t)(b->count - no));
}

static size_t search(struct seccomp_builder *b, const struct seccomp_interval *intervals, size_t count,
	seccomp_build_code *build_code, void *context)
{
	size_t half = count / 2;

	if (count == 1 && intervals->code)
		return build_code(b, intervals->code, context);
	if (count == 1)
		return seccomp_build_return(b, intervals->value);
	size_t upper = search(b, intervals + half, count - half, build_code, context);
	size_t lower = search(b, intervals, half, build_code, context);
	return seccomp_build_jump(b, BPF_JGE, intervals[half].start, upper, lower);
}

size_t seccomp_build_search(struct seccomp_builder *b, const struct seccomp_interval *intervals, size_t count,
	seccomp_build_code *build_code, void *context)
{
	return search(b, intervals, count, build_code, context);
}

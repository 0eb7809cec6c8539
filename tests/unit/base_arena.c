/*
 * base_arena.c - memory of one command: alignment, zeroes, no overlap, the end of it.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"

static struct arena arena;

static void set_up(void)
{
	cr_assert_eq(arena_init(&arena, NULL), 0);
}

static void tear_down(void)
{
	arena_free(&arena);
}

TestSuite(base_arena, .init = set_up, .fini = tear_down);

Test(base_arena, zeroed_aligned_and_apart)
{
	char *last = NULL;

	for (size_t size = 0; size < 300; size++) {
		char *p = arena_alloc(&arena, size);
		cr_assert_eq((uintptr_t)p % _Alignof(max_align_t), 0u);
		for (size_t i = 0; i < size; i++)
			cr_assert_eq(p[i], 0);
		cr_assert(!last || p >= last);
		memset(p, 0xff, size);
		last = p + size;
	}
}

Test(base_arena, large)
{
	char *p = arena_array(&arena, char, (size_t)100 << 20);

	p[0] = p[((size_t)100 << 20) - 1] = 1;
	cr_assert_geq(arena.used, (size_t)100 << 20);
}

/* Where they are for everybody, the first byte of a command would take two MiB. */
Test(base_arena, no_huge_pages)
{
	char line[512], flags[512] = "";
	uintptr_t start, end;
	bool here = false;
	FILE *maps = fopen("/proc/self/smaps", "re");

	if (access("/sys/kernel/mm/transparent_hugepage", F_OK) < 0)
		cr_skip("this kernel has no transparent huge pages");
	cr_assert(maps);
	while (!*flags && fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " ", &start, &end) == 2)
			here = start <= (uintptr_t)arena.start && (uintptr_t)arena.start < end;
		if (here)
			sscanf(line, "VmFlags:%511[^\n]", flags);
	}
	fclose(maps);
	cr_assert(strstr(flags, " nh"), "not madvised: %s", flags);
}

Test(base_arena, strings)
{
	cr_assert_str_eq(arena_strdup(&arena, "abc"), "abc");
	cr_assert_str_eq(arena_strdup(&arena, ""), "");
	const char *s = arena_memdup(&arena, "a\0b", 3);
	cr_assert(memcmp(s, "a\0b", 4) == 0);
	cr_assert_str_eq(arena_memdup(&arena, NULL, 0), "");
	cr_assert_str_eq(arena_printf(&arena, "%s-%05d", "x", 42), "x-00042");
	char *longer = arena_printf(&arena, "%5000d", 7);
	cr_assert_eq(strlen(longer), 5000u);
}

Test(base_arena, freed_twice_and_never_initialised)
{
	struct arena none = {0};

	arena_free(&none);
	arena_free(&arena);
	cr_assert_eq(arena.size, 0u);
	arena_free(&arena);
}

Test(base_arena, two_at_a_time)
{
	struct arena other;

	cr_assert_eq(arena_init(&other, NULL), 0);
	char *a = arena_strdup(&arena, "a"), *b = arena_strdup(&other, "b");
	arena_free(&other);
	cr_assert_str_eq(a, "a");
	cr_assert_neq(a, b);
}

Test(base_arena, running_out_is_a_trap, .signal = SIGILL)
{
	arena_alloc(&arena, ARENA_SIZE - 100);
	arena_alloc(&arena, 200);
}

Test(base_arena, a_size_that_overflows_is_a_trap, .signal = SIGILL)
{
	arena_alloc_array(&arena, SIZE_MAX / 2, 3);
}

Test(base_arena, a_size_beyond_everything_is_a_trap, .signal = SIGILL)
{
	arena_alloc(&arena, SIZE_MAX - 5);
}

Test(base_arena, grow)
{
	size_t room = 0, count = 0;
	unsigned *items = NULL, *before;

	for (unsigned i = 0; i < 1000; i++) {
		before = items;
		items = arena_grow(&arena, items, sizeof(*items), count, &room, 4);
		cr_assert_gt(room, count);
		if (i && (i < 4 || (i & (i - 1))))
			cr_expect_eq(items, before, "there was room");
		items[count++] = i;
	}
	for (unsigned i = 0; i < 1000; i++)
		cr_expect_eq(items[i], i);
	cr_expect_eq(room, 1024);
}

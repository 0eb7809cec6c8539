/*
 * arena.c - see arena.h.
 */
#include "base/arena.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define ALIGNMENT ((size_t)16)

int arena_init(struct arena *a, struct err *err)
{
	void *p = mmap(
		NULL, ARENA_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	*a = (struct arena){0};
	if (p == MAP_FAILED)
		return err_sys(err, errno, "cannot reserve %zu MiB of address space", ARENA_SIZE >> 20);
	/* Where huge pages are for everybody ("always"), the first byte would take, and clear, two MiB */
	madvise(p, ARENA_SIZE, MADV_NOHUGEPAGE); /* EINVAL: the kernel has none */
	*a = (struct arena){.start = p, .size = ARENA_SIZE};
	return 0;
}

void arena_free(struct arena *a)
{
	if (a->size)
		munmap(a->start, a->size);
	*a = (struct arena){0};
}

void *arena_alloc(struct arena *a, size_t size)
{
	size_t at = (a->used + ALIGNMENT - 1) & ~(ALIGNMENT - 1);

	if (size > a->size || at > a->size - size)
		__builtin_trap();
	a->used = at + size;
	return a->start + at; /* fresh pages are zero, and nothing is ever handed out twice */
}

void *arena_alloc_array(struct arena *a, size_t size, size_t count)
{
	size_t total;

	if (__builtin_mul_overflow(size, count, &total))
		__builtin_trap();
	return arena_alloc(a, total);
}

void *arena_grow(struct arena *a, void *items, size_t size, size_t count, size_t *room, size_t first)
{
	if (count < *room)
		return items;
	*room = *room ? *room * 2 : first;
	void *larger = arena_alloc_array(a, size, *room);
	if (count)
		memcpy(larger, items, count * size);
	return larger;
}

char *arena_memdup(struct arena *a, const char *bytes, size_t length)
{
	char *p = arena_alloc(a, length + 1);

	if (length)
		memcpy(p, bytes, length);
	return p;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_memdup(a, s, strlen(s));
}

char *arena_vprintf(struct arena *a, const char *fmt, va_list args)
{
	va_list again;

	va_copy(again, args);
	int n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0)
		__builtin_trap();
	char *p = arena_alloc(a, (size_t)n + 1);
	vsnprintf(p, (size_t)n + 1, fmt, args);
	return p;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	char *p = arena_vprintf(a, fmt, args);
	va_end(args);
	return p;
}

/*
 * arena.h - memory of one command: taken bit by bit, given back all at once.
 *
 * An arena is one reserved range of address space; pages come from the kernel as they are touched, so a small
 * command pays for what it uses and pointers never move. What fills it is bounded by its callers (a document
 * has at most JSON_MAX_NODES values), so running out is a bug of ours, not a user's input: arena_alloc then
 * ends the process with a trap rather than return NULL to a hundred call sites that cannot test for it.
 * Not thread-safe; two containers in one process use two arenas.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

#include "base/err.h"

#define ARENA_SIZE ((size_t)512 << 20) /* bytes of address space, not of memory */

struct arena {
	char *start;
	size_t used; /* bytes */
	size_t size; /* bytes reserved; 0: not initialised */
};

/* Reserve the range. Returns 0 or -errno (ENOMEM under a tight RLIMIT_AS). */
int arena_init(struct arena *a, struct err *err);

/* Give everything back; harmless on a zeroed arena. */
void arena_free(struct arena *a);

/* `size` zeroed bytes aligned for any type; never NULL. */
void *arena_alloc(struct arena *a, size_t size);
#define arena_new(a, type)          ((type *)arena_alloc((a), sizeof(type)))
#define arena_array(a, type, count) ((type *)arena_alloc_array((a), sizeof(type), (count)))
void *arena_alloc_array(struct arena *a, size_t size, size_t count);

/*
 * Room for one more item in a list that grows: `items` when `count` is below *room, else a copy of twice the
 * size (`first` items at the beginning), with *room updated. The old copy stays in the arena.
 */
void *arena_grow(struct arena *a, void *items, size_t size, size_t count, size_t *room, size_t first);

char *arena_strdup(struct arena *a, const char *s);
char *arena_memdup(struct arena *a, const char *bytes, size_t length); /* adds a NUL */
char *arena_printf(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);
char *arena_vprintf(struct arena *a, const char *fmt, va_list args) PRINTF_LIKE(2, 0);

#define arena_auto __attribute__((cleanup(arena_free)))

#endif

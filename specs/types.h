/*
 * types.h - what every part of the document model is made of.
 *
 * A JSON object becomes a struct that starts with `uint32_t node`: its entry on the tape (json.h), through
 * which any later complaint finds file, line and column. The document's own object is node 0. Absence shows:
 * a missing string or object is NULL, a missing list has count 0, a missing number or boolean has `set ==
 * false`, a missing enum is its ..._NONE (0). A member without `set` has its specified default, 0 or false,
 * when missing. Everything lives in the arena of the command that read the document.
 */
#ifndef SPECS_TYPES_H
#define SPECS_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct spec_opt_u64 {
	uint64_t value;
	bool set;
};

struct spec_opt_i64 {
	int64_t value;
	bool set;
};

struct spec_opt_u32 {
	uint32_t value;
	bool set;
};

struct spec_opt_i32 {
	int32_t value;
	bool set;
};

struct spec_opt_u16 {
	uint16_t value;
	bool set;
};

struct spec_opt_bool {
	bool value;
	bool set;
};

/* One entry of a map of strings, in document order. */
struct spec_pair {
	uint32_t node; /* of the value */
	const char *key;
	const char *value;
};

/*
 * A list of enum words taken as a set: word number n (counted from 1) is bit n-1. The enums are ordered so
 * that, where the kernel has a mask of the same words, this mask is the kernel's.
 */
struct spec_set {
	uint64_t mask;
	uint32_t node; /* of the list; meaningful when set */
	bool set;      /* the list was there, perhaps empty */
};

#define SPEC_BIT(value) ((uint64_t)1 << ((unsigned)(value)-1))

/* The words of an enum: names[value]; names[0] is NULL (absent), and a NULL ends the list. */
struct spec_names {
	const char *what; /* "capability", for messages */
	const char *const *names;
	unsigned count; /* the highest value */
};

#define SPEC_NAMES(what, list)                                                                               \
	{                                                                                                    \
		(what), (list), (unsigned)(sizeof(list) / sizeof((list)[0]) - 2)                             \
	}

/* The word for a value; NULL for 0 or a value out of range. */
const char *spec_name(const struct spec_names *names, unsigned value);

/* The value for a word; 0 when it is none of them. */
unsigned spec_value(const struct spec_names *names, const char *word);

#endif

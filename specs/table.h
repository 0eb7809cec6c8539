/*
 * table.h - one table per JSON object: read, written, and compared with the official schema.
 *
 * A row says how one member is called, what it is and where its C value lives; the row macros check at
 * compile time that the C member has the type the row claims. Tables hold shape only; rules between members
 * are written in C, in spec_x_check(). Where a row would need a callback, write C.
 */
#ifndef SPECS_TABLE_H
#define SPECS_TABLE_H

#include "specs/json.h"
#include "specs/types.h"

enum spec_type {
	SPEC_STRING,   /* const char * */
	SPEC_BOOL,     /* bool */
	SPEC_OPT_BOOL, /* struct spec_opt_bool */
	SPEC_U64,      /* uint64_t, and so on */
	SPEC_I64,
	SPEC_U32,
	SPEC_I32,
	SPEC_OPT_U64, /* struct spec_opt_u64, and so on */
	SPEC_OPT_I64,
	SPEC_OPT_U32,
	SPEC_OPT_I32,
	SPEC_OPT_U16,
	SPEC_ENUM,       /* an enum with ..._NONE == 0 */
	SPEC_ENUM_SET,   /* list of words: struct spec_set */
	SPEC_STRINGS,    /* list: const char **x; size_t x_count */
	SPEC_U32S,       /* list: uint32_t *x; size_t x_count */
	SPEC_PAIRS,      /* map of strings: struct spec_pair *x; size_t x_count */
	SPEC_OBJECT,     /* struct spec_y *x */
	SPEC_OBJECTS,    /* list: struct spec_y *x; size_t x_count */
	SPEC_OBJECT_MAP, /* map of objects: the same; struct spec_y { uint32_t node; const char *key; ... } */
	SPEC_IGNORED,    /* known, accepted unread: sections of other platforms */
};

enum spec_row_flags {
	SPEC_REQUIRED = 1,    /* its absence is an error */
	SPEC_ALWAYS = 2,      /* written even when it is 0, false or empty */
	SPEC_LENIENT = 4,     /* an unknown word of a set is a warning, and ignored */
	SPEC_MAY_BE_EMPTY = 8 /* an empty string is kept; otherwise it means absent, as engines write it */
};

struct spec_row {
	const char *name;
	uint8_t name_length;
	uint8_t type;          /* enum spec_type */
	uint8_t flags;         /* enum spec_row_flags */
	uint16_t offset;       /* of the member */
	uint16_t count_offset; /* of its x_count */
	int64_t min; /* integers, list items and enum values: the range; both 0: what the type holds */
	uint64_t max;
	const struct spec_names *names; /* enums and sets */
	const struct spec_table *table; /* objects */
};

struct spec_table {
	const char *what; /* "mount", for messages */
	size_t size;      /* of the struct */
	const struct spec_row *rows;
	unsigned count;
};

#define SPEC_TABLE(what, type, list)                                                                         \
	{                                                                                                    \
		(what), sizeof(struct type), (list), sizeof(list) / sizeof((list)[0])                        \
	}

/* offsetof, with a compile-time check that the member's type is the one the row says. */
#define SPEC_OFFSET(s, member, ctype)                                                                        \
	(uint16_t)(offsetof(struct s, member) + 0 * sizeof(struct {                                          \
		_Static_assert(__builtin_types_compatible_p(__typeof__(((struct s *)0)->member), ctype),     \
			"the row's type is not the member's");                                               \
		char c;                                                                                      \
	}))

#define SPEC_ROW(s, json, kind, member, ctype, ...)                                                          \
	{                                                                                                    \
		.name = (json), .name_length = sizeof(json) - 1, .type = (kind),                             \
		.offset = SPEC_OFFSET(s, member, ctype), __VA_ARGS__                                         \
	}
#define SPEC_LIST_ROW(s, json, kind, member, ctype, ...)                                                     \
	SPEC_ROW(s, json, kind, member, ctype, .count_offset = SPEC_OFFSET(s, member##_count, size_t),       \
		__VA_ARGS__)

/* The rows. `s` is the struct's tag; further designated fields (.flags, .min, .max) may follow. */
#define ROW_STRING(s, json, m, ...)   SPEC_ROW(s, json, SPEC_STRING, m, const char *, __VA_ARGS__)
#define ROW_BOOL(s, json, m, ...)     SPEC_ROW(s, json, SPEC_BOOL, m, bool, __VA_ARGS__)
#define ROW_OPT_BOOL(s, json, m, ...) SPEC_ROW(s, json, SPEC_OPT_BOOL, m, struct spec_opt_bool, __VA_ARGS__)
#define ROW_U64(s, json, m, ...)      SPEC_ROW(s, json, SPEC_U64, m, uint64_t, __VA_ARGS__)
#define ROW_I64(s, json, m, ...)      SPEC_ROW(s, json, SPEC_I64, m, int64_t, __VA_ARGS__)
#define ROW_U32(s, json, m, ...)      SPEC_ROW(s, json, SPEC_U32, m, uint32_t, __VA_ARGS__)
#define ROW_I32(s, json, m, ...)      SPEC_ROW(s, json, SPEC_I32, m, int32_t, __VA_ARGS__)
#define ROW_OPT_U64(s, json, m, ...)  SPEC_ROW(s, json, SPEC_OPT_U64, m, struct spec_opt_u64, __VA_ARGS__)
#define ROW_OPT_I64(s, json, m, ...)  SPEC_ROW(s, json, SPEC_OPT_I64, m, struct spec_opt_i64, __VA_ARGS__)
#define ROW_OPT_U32(s, json, m, ...)  SPEC_ROW(s, json, SPEC_OPT_U32, m, struct spec_opt_u32, __VA_ARGS__)
#define ROW_OPT_I32(s, json, m, ...)  SPEC_ROW(s, json, SPEC_OPT_I32, m, struct spec_opt_i32, __VA_ARGS__)
#define ROW_OPT_U16(s, json, m, ...)  SPEC_ROW(s, json, SPEC_OPT_U16, m, struct spec_opt_u16, __VA_ARGS__)
#define ROW_ENUM(s, json, m, etype, n, ...)                                                                  \
	SPEC_ROW(s, json, SPEC_ENUM, m, enum etype, .names = (n), __VA_ARGS__)
#define ROW_SET(s, json, m, n, ...)                                                                          \
	SPEC_ROW(s, json, SPEC_ENUM_SET, m, struct spec_set, .names = (n), __VA_ARGS__)
#define ROW_STRINGS(s, json, m, ...) SPEC_LIST_ROW(s, json, SPEC_STRINGS, m, const char **, __VA_ARGS__)
#define ROW_U32S(s, json, m, ...)    SPEC_LIST_ROW(s, json, SPEC_U32S, m, uint32_t *, __VA_ARGS__)
#define ROW_PAIRS(s, json, m, ...)   SPEC_LIST_ROW(s, json, SPEC_PAIRS, m, struct spec_pair *, __VA_ARGS__)
#define ROW_OBJECT(s, json, m, otype, t, ...)                                                                \
	SPEC_ROW(s, json, SPEC_OBJECT, m, struct otype *, .table = (t), __VA_ARGS__)
#define ROW_OBJECTS(s, json, m, otype, t, ...)                                                               \
	SPEC_LIST_ROW(s, json, SPEC_OBJECTS, m, struct otype *, .table = (t), __VA_ARGS__)
#define ROW_OBJECT_MAP(s, json, m, otype, t, ...)                                                            \
	/* the decoder puts the key where struct spec_pair has its own */                                    \
	SPEC_LIST_ROW(s, json, SPEC_OBJECT_MAP, m, struct otype *, .table = (t), __VA_ARGS__)
#define ROW_IGNORED(json)                                                                                    \
	{                                                                                                    \
		.name = (json), .name_length = sizeof(json) - 1, .type = SPEC_IGNORED                        \
	}

/*
 * Decode object `node` of the document into a new struct of the table's kind. Every problem goes to the
 * report, and decoding goes on; what could not be decoded stays absent. Returns the struct, or NULL when the
 * node is not an object.
 */
void *spec_decode(struct arena *arena, const struct json_doc *doc, uint32_t node,
	const struct spec_table *table, struct report *report);

/*
 * The place of a member of an object, or of item `i` of that member, for a message: the nearest enclosing
 * value that exists when it does not.
 */
uint32_t spec_at(const struct json_doc *doc, uint32_t node, const char *name);
uint32_t spec_at_item(const struct json_doc *doc, uint32_t node, const char *name, size_t i);

#endif

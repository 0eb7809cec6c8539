/*
 * str.h - text: bounded buffers, parsing of numbers, comparison. No allocation.
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Text that grows in memory owned by the caller. `length` never reaches `size`; `cut` says something was
 * lost. */
struct str_buf {
	char *data;
	size_t size;
	size_t length;
	bool cut;
};

void str_buf_init(struct str_buf *b, char *data, size_t size);
void str_buf_add(struct str_buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
void str_buf_add_bytes(struct str_buf *b, const char *bytes, size_t length);

bool str_eq(const char *a, const char *b); /* NULL equals only NULL */
bool str_starts(const char *s, const char *prefix);
bool str_is_one_of(const char *s, const char *const *list); /* list ends with NULL */

/* Does the white-space separated list (a cgroup file's content, say) hold `word`? */
bool str_has_word(const char *list, const char *word);

/*
 * The whole of `s` as a decimal (str_to_u64, str_to_i64) or octal number: no sign but '-' for i64, no space,
 * no prefix, no rest. Returns 0, -EINVAL (not such a number) or -ERANGE.
 */
int str_to_u64(const char *s, uint64_t *value);
int str_to_i64(const char *s, int64_t *value);
int str_to_octal(const char *s, uint32_t *value);

/*
 * The bytes that `s` stands for in base64 (RFC 4648, section 4: with its padding, without blanks). Returns
 * how many, -EINVAL (no base64) or -ERANGE (more than `size`).
 */
int64_t str_from_base64(const char *s, unsigned char *bytes, size_t size);

/* How many bytes at the start of `s` are well-formed UTF-8 (RFC 3629: no overlong form, no surrogate);
 * `length` when all are. */
size_t str_utf8_prefix(const char *s, size_t length);

/*
 * For text of a document or an image: on a terminal control characters would act. Each of their bytes (C0 but
 * the tab, DEL, and C1 in UTF-8), and each that is no UTF-8, becomes a '?', so that a caret below stays
 * right.
 */
void str_make_printable(char *s);

/* The text of an errno ("No such file or directory"), independent of the locale; never NULL, thread-safe. */
const char *str_errno(int errnum);

/* The errno's name ("ENOENT"); "E?" when unknown. */
const char *str_errno_name(int errnum);

/*
 * The entry of `list` (ends with NULL) that `word` was probably meant to be, by edit distance; NULL when
 * nothing is near.
 */
const char *str_nearest(const char *word, const char *const *list);

#endif

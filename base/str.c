/*
 * str.c - see str.h. Pure functions over memory of the caller.
 */
#include "base/str.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void str_buf_init(struct str_buf *b, char *data, size_t size)
{
	*b = (struct str_buf){.data = data, .size = size};
	if (size)
		data[0] = '\0';
}

void str_buf_add(struct str_buf *b, const char *fmt, ...)
{
	va_list args;

	if (b->cut || b->length >= b->size)
		return;
	va_start(args, fmt);
	int n = vsnprintf(b->data + b->length, b->size - b->length, fmt, args);
	va_end(args);
	if (n < 0)
		return;
	if ((size_t)n >= b->size - b->length) {
		b->cut = true;
		b->length = b->size - 1;
		return;
	}
	b->length += (size_t)n;
}

void str_buf_add_bytes(struct str_buf *b, const char *bytes, size_t length)
{
	if (b->cut || b->length >= b->size)
		return;
	if (length >= b->size - b->length) {
		length = b->size - b->length - 1;
		b->cut = true;
	}
	memcpy(b->data + b->length, bytes, length);
	b->length += length;
	b->data[b->length] = '\0';
}

bool str_eq(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

bool str_starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool str_is_one_of(const char *s, const char *const *list)
{
	for (; *list; list++)
		if (strcmp(s, *list) == 0)
			return true;
	return false;
}

bool str_has_word(const char *list, const char *word)
{
	static const char space[] = " \t\n";
	size_t want = strlen(word);

	while (*(list += strspn(list, space))) {
		size_t n = strcspn(list, space);
		if (n == want && memcmp(list, word, n) == 0)
			return true;
		list += n;
	}
	return false;
}

/* Digits of `base` (8 or 10) into *value; the string must hold nothing else. */
static int parse_digits(const char *s, unsigned base, uint64_t *value)
{
	uint64_t v = 0;

	if (!*s)
		return -EINVAL;
	for (; *s; s++) {
		unsigned digit = (unsigned)(*s - '0');
		if (digit >= base)
			return -EINVAL;
		if (__builtin_mul_overflow(v, base, &v) || __builtin_add_overflow(v, digit, &v)) {
			for (; *s; s++)
				if ((unsigned)(*s - '0') >= base)
					return -EINVAL;
			return -ERANGE;
		}
	}
	*value = v;
	return 0;
}

int str_to_u64(const char *s, uint64_t *value)
{
	return parse_digits(s, 10, value);
}

int str_to_i64(const char *s, int64_t *value)
{
	bool negative = *s == '-';
	uint64_t v = 0;

	int r = parse_digits(s + negative, 10, &v);
	if (r < 0)
		return r;
	if (v > (uint64_t)INT64_MAX + negative)
		return -ERANGE;
	*value = negative ? (int64_t)(0 - v) : (int64_t)v;
	return 0;
}

int str_to_octal(const char *s, uint32_t *value)
{
	uint64_t v = 0;

	int r = parse_digits(s, 8, &v);
	if (r < 0)
		return r;
	if (v > UINT32_MAX)
		return -ERANGE;
	*value = (uint32_t)v;
	return 0;
}

/* Of one digit of base64; 64: it is none. */
static uint32_t sextet(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *found = c ? strchr(digits, c) : NULL;

	return found ? (uint32_t)(found - digits) : 64;
}

int64_t str_from_base64(const char *s, unsigned char *bytes, size_t size)
{
	size_t n = 0;

	for (; *s; s += 4) {
		uint32_t group = 0;
		size_t digits = 0;
		for (; digits < 4 && sextet(s[digits]) < 64; digits++)
			group |= sextet(s[digits]) << (18 - 6 * digits);
		size_t pad = strspn(s + digits, "=");
		if (digits < 2 || (digits < 4 && (digits + pad != 4 || s[4])))
			return -EINVAL;
		for (size_t i = 0; i + 1 < digits; i++, n++) {
			if (n == size)
				return -ERANGE;
			bytes[n] = (unsigned char)(group >> (16 - 8 * i));
		}
	}
	return (int64_t)n;
}

/* The length of the UTF-8 sequence at s, of which `left` bytes exist; 0 when it is none. */
static size_t utf8_sequence(const unsigned char *s, size_t left)
{
	size_t n = s[0] < 0x80   ? 1
		   : s[0] < 0xc2 ? 0
		   : s[0] < 0xe0 ? 2
		   : s[0] < 0xf0 ? 3
		   : s[0] < 0xf5 ? 4
				 : 0;

	if (n > left)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f)) /* overlong; surrogate */
		return 0;
	if ((s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f)) /* overlong; above U+10FFFF */
		return 0;
	return n;
}

size_t str_utf8_prefix(const char *s, size_t length)
{
	size_t at = 0;

	while (at < length) {
		uint64_t eight;
		if (length - at >= sizeof(eight)) {
			memcpy(&eight, s + at, sizeof(eight));
			if (!(eight & 0x8080808080808080)) {
				at += sizeof(eight);
				continue;
			}
		}
		size_t n = utf8_sequence((const unsigned char *)s + at, length - at);
		if (!n)
			break;
		at += n;
	}
	return at;
}

/* Well-formed UTF-8. */
static void make_characters_printable(char *s, size_t length)
{
	for (unsigned char *c = (unsigned char *)s, *end = c + length; c < end; c++) {
		bool c1 = c[0] == 0xc2 && c[1] < 0xa0;
		if (c1)
			*c++ = '?';
		if (c1 || (*c < 0x20 && *c != '\t') || *c == 0x7f)
			*c = '?';
	}
}

void str_make_printable(char *s)
{
	for (size_t left = strlen(s); left;) {
		size_t valid = str_utf8_prefix(s, left);
		make_characters_printable(s, valid);
		s += valid;
		left -= valid;
		if (left) {
			*s++ = '?';
			left--;
		}
	}
}

const char *str_errno(int errnum)
{
	const char *text = strerrordesc_np(errnum);

	return text ? text : "Unknown error";
}

const char *str_errno_name(int errnum)
{
	const char *name = strerrorname_np(errnum);

	return name ? name : "E?";
}

#define NEAREST_MAX 32

/* Levenshtein distance with a neighbouring swap as one edit, for words of at most NEAREST_MAX bytes. */
static unsigned edit_distance(const char *a, size_t na, const char *b, size_t nb)
{
	unsigned before[NEAREST_MAX + 1], last[NEAREST_MAX + 1], now[NEAREST_MAX + 1];

	for (size_t j = 0; j <= nb; j++)
		last[j] = (unsigned)j;
	memcpy(before, last, sizeof(before));
	for (size_t i = 1; i <= na; i++) {
		now[0] = (unsigned)i;
		for (size_t j = 1; j <= nb; j++) {
			unsigned best = last[j - 1] + (a[i - 1] != b[j - 1]);
			if (last[j] + 1 < best)
				best = last[j] + 1;
			if (now[j - 1] + 1 < best)
				best = now[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
				before[j - 2] + 1 < best)
				best = before[j - 2] + 1;
			now[j] = best;
		}
		memcpy(before, last, sizeof(before));
		memcpy(last, now, sizeof(last));
	}
	return last[nb];
}

const char *str_nearest(const char *word, const char *const *list)
{
	size_t length = strlen(word);
	const char *best = NULL;
	unsigned best_distance = (unsigned)(length < 4 ? 1 : length < 8 ? 2 : 3) + 1;

	if (length > NEAREST_MAX)
		return NULL;
	for (; *list; list++) {
		size_t n = strlen(*list);
		if (n > NEAREST_MAX)
			continue;
		unsigned d = edit_distance(word, length, *list, n);
		if (d < best_distance && d < length) {
			best_distance = d;
			best = *list;
		}
	}
	return best;
}

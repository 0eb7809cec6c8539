/*
 * err.h - an error as a value.
 *
 * The caller owns a `struct err` (about 3 KiB, on its stack or in a context struct) and passes it as the last
 * parameter. A function that fails returns -errno and has filled the struct; a function that succeeds returns
 * 0 (or a positive result) and has not touched it. There is no heap and nothing to free.
 *
 * A message says what was attempted, on what and how the kernel answered; the cause says why, when more is
 * known than the errno; the hint what to do about it. `where` points into the document that asked for it,
 * when a document did. What a program may want to know stands apart from the words: object, target, call.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

/* A place in a document. line and column count from 1; line == 0 means "nowhere". column counts bytes. */
struct err_where {
	char file[128];   /* as the user named it, "config.json" */
	char path[224];   /* "mounts[3].options[2]"; empty for the document itself */
	char source[192]; /* the line's text around the column, without its newline */
	uint32_t line;
	uint32_t column;
	uint32_t caret; /* offset of the offending byte in source */
};

struct err {
	int code;           /* a positive errno; 0: no error */
	const char *phase;  /* a literal: "config", "create", "exec" ...; NULL: not known yet */
	const char *object; /* a literal: what kind of thing it is about, "mount_fs", "cgroup"; may be NULL */
	char target[256];   /* the file, directory or cgroup it is about; may be empty */
	char call[32];      /* the system call that failed; may be empty */
	char message[1024]; /* one line, no newline at its end */
	char cause[512];    /* why, as far as it could be found out; may be empty */
	char hint[384];     /* what to do about it; may be empty */
	struct err_where where;
};

/* Set code and message. Returns -code, so that `return err_set(...)` reads well. `e` may be NULL. */
int err_set(struct err *e, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* The same, with ": " and the text of errnum (positive or negative) appended. Returns -|errnum|. */
int err_sys(struct err *e, int errnum, const char *fmt, ...) PRINTF_LIKE(3, 4);

/*
 * What an error that was just set is about: see struct err. NULL: leave what is there. Returns as err_hint().
 * `object` is a literal.
 */
int err_about(struct err *e, const char *object, const char *target, const char *call);

/* Add the cause to an error that was just set; an empty text is none. Returns as err_hint(). */
int err_cause(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Add a hint to an error that was just set; returns -e->code (-EINVAL when e is NULL: still a failure). */
int err_hint(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Name the phase unless a deeper one is named already; returns as err_hint() does. `phase` is a literal. */
int err_phase(struct err *e, const char *phase);

/* Put "text: " in front of the message; returns as err_hint() does. */
int err_prefix(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3);

/*
 * Render "file:line:column: path: message: cause" (the parts that are known) into buf; always terminated.
 * With `show_source`, the source line, a caret line and a "hint:" line follow. Returns the length written.
 */
size_t err_format(const struct err *e, int show_source, char *buf, size_t size);

#endif

/*
 * err.c - fill and render error values. Nothing here allocates or prints.
 */
#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

PRINTF_LIKE(3, 0) static int err_vset(struct err *e, int code, const char *fmt, va_list args)
{
	if (e) {
		memset(&e->where, 0, sizeof(e->where));
		e->code = code;
		e->phase = e->object = NULL;
		e->target[0] = e->call[0] = e->cause[0] = e->hint[0] = '\0';
		vsnprintf(e->message, sizeof(e->message), fmt, args);
	}
	return -code;
}

int err_set(struct err *e, int code, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	int r = err_vset(e, code, fmt, args);
	va_end(args);
	return r;
}

int err_sys(struct err *e, int errnum, const char *fmt, ...)
{
	va_list args;

	errnum = abs(errnum);
	va_start(args, fmt);
	int r = err_vset(e, errnum, fmt, args);
	va_end(args);
	if (e) {
		size_t n = strlen(e->message);
		snprintf(e->message + n, sizeof(e->message) - n, ": %s", str_errno(errnum));
	}
	return r;
}

int err_about(struct err *e, const char *object, const char *target, const char *call)
{
	if (!e)
		return -EINVAL;
	if (object)
		e->object = object;
	if (target)
		snprintf(e->target, sizeof(e->target), "%s", target);
	if (call)
		snprintf(e->call, sizeof(e->call), "%s", call);
	return -e->code;
}

int err_cause(struct err *e, const char *fmt, ...)
{
	va_list args;

	if (!e)
		return -EINVAL;
	va_start(args, fmt);
	vsnprintf(e->cause, sizeof(e->cause), fmt, args);
	va_end(args);
	return -e->code;
}

int err_hint(struct err *e, const char *fmt, ...)
{
	va_list args;

	if (!e)
		return -EINVAL;
	va_start(args, fmt);
	vsnprintf(e->hint, sizeof(e->hint), fmt, args);
	va_end(args);
	return -e->code;
}

int err_phase(struct err *e, const char *phase)
{
	if (!e)
		return -EINVAL;
	if (!e->phase)
		e->phase = phase;
	return -e->code;
}

int err_prefix(struct err *e, const char *fmt, ...)
{
	char old[sizeof(e->message)];
	va_list args;

	if (!e)
		return -EINVAL;
	memcpy(old, e->message, sizeof(old));
	va_start(args, fmt);
	vsnprintf(e->message, sizeof(e->message), fmt, args);
	va_end(args);
	size_t n = strlen(e->message);
	snprintf(e->message + n, sizeof(e->message) - n, ": %s", old);
	return -e->code;
}

size_t err_format(const struct err *e, int show_source, char *buf, size_t size)
{
	const struct err_where *w = &e->where;
	struct str_buf out;

	str_buf_init(&out, buf, size);
	if (w->file[0])
		str_buf_add(&out, "%s:", w->file);
	if (w->line)
		str_buf_add(&out, "%u:%u:", w->line, w->column);
	if (w->file[0])
		str_buf_add(&out, " ");
	if (w->path[0])
		str_buf_add(&out, "%s: ", w->path);
	str_buf_add(&out, "%s%s%s", e->message, e->cause[0] ? ": " : "", e->cause);
	if (show_source && w->source[0]) {
		str_buf_add(&out, "\n    %s\n    ", w->source);
		for (uint32_t i = 0; i < w->caret; i++)
			if ((w->source[i] & 0xc0) != 0x80) /* one blank for each character, not each byte */
				str_buf_add(&out, "%c", w->source[i] == '\t' ? '\t' : ' ');
		str_buf_add(&out, "^");
	}
	if (e->hint[0])
		str_buf_add(&out, "%s%s", show_source ? "\n  hint: " : " (", e->hint);
	if (e->hint[0] && !show_source)
		str_buf_add(&out, ")");
	return out.length;
}

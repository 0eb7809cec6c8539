/*
 * print.c - an operation in words, for explain.c and for error messages: the table of all printers (print.h),
 * and what they share.
 */
#include "libcontainer/plan/print.h"

#include <string.h>

void plan_print_strings(struct str_buf *out, char *const *list)
{
	for (const char *separator = ""; *list; list++, separator = " ") {
		str_buf_add(out, "%s", separator);
		const char *word = *list;
		if (*word && !word[strcspn(word, " \t\n'\"\\$`*?;&|<>()")]) {
			str_buf_add(out, "%s", word);
			continue;
		}
		str_buf_add(out, "'");
		for (; *word; word++) {
			bool quote = *word == '\'';
			str_buf_add_bytes(out, quote ? "'\\''" : word, quote ? 4 : 1);
		}
		str_buf_add(out, "'");
	}
}

void plan_print_sync(struct str_buf *out, const struct plan_op *op)
{
	static const char *const texts[] = {
		[SYNC_MAPPED] = "the ids are mapped",
		[SYNC_CONSOLE] = "the terminal",
		[SYNC_DEVICES] = "the network devices are there",
		[SYNC_MOUNTED] = "the mounts are done",
		[SYNC_HOOKED] = "the runtime's hooks ran",
		[SYNC_READY] = "ready",
		[SYNC_GO] = "go",
	};

	str_buf_add(out, "%s: %s",
		plan_sync_sender(op->sync.point) == PLAN_PARENT ? "parent -> init" : "init -> parent",
		texts[op->sync.point]);
}

typedef void printer_fn(struct str_buf *out, const struct plan_op *op);

static printer_fn *const printers[OP_COUNT] = {
#define OP(NAME, name, who) [OP_##NAME] = plan_print_##name,
#include "libcontainer/plan/ops.def"
#undef OP
};

size_t plan_print_op(const struct plan_op *op, char *buf, size_t size)
{
	struct str_buf out;

	str_buf_init(&out, buf, size);
	printers[op->kind](&out, op);
	return out.length;
}

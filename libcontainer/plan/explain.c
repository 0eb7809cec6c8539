/*
 * explain.c - the whole plan, for `crt explain` and the golden tests: a line an operation, or JSON; and an
 * operation for error messages.
 */
#include "base/str.h"
#include "libcontainer/plan/plan.h"
#include "specs/json.h"
#include "specs/writer.h"

#define LINE_MAX_BYTES ((size_t)64 << 10)

static const char *const who_names[] = {[PLAN_PARENT] = "parent", [PLAN_INIT] = "init", [PLAN_BOTH] = "both"};

static const char *print_text(const struct plan *plan)
{
	size_t size = 4096 + plan->count * 256;
	char *line = arena_alloc(plan->arena, LINE_MAX_BYTES);

	for (const struct plan_op *op = plan->ops; op < plan->ops + plan->count; op++)
		size += plan_print_op(op, line, LINE_MAX_BYTES) + sizeof(struct err_where);
	struct str_buf out;
	char *text = arena_alloc(plan->arena, size);
	str_buf_init(&out, text, size);
	for (const struct plan_op *op = plan->ops; op < plan->ops + plan->count; op++) {
		struct err_where where = {0};
		plan_print_op(op, line, LINE_MAX_BYTES);
		str_buf_add(&out, "%3zu %-6s %-64s", (size_t)(op - plan->ops) + 1, who_names[op->who], line);
		if (op->node)
			json_where(plan->doc, op->node, &where);
		if (where.line)
			str_buf_add(&out, "  # %s:%u %s", where.file, where.line, where.path);
		else
			while (out.length && text[out.length - 1] == ' ')
				text[--out.length] = '\0';
		str_buf_add(&out, "\n");
	}
	return text;
}

static const char *print_json(const struct plan *plan)
{
	struct json_writer w;
	char *line = arena_alloc(plan->arena, LINE_MAX_BYTES);

	json_writer_init(&w, plan->arena, true);
	json_write_array(&w);
	for (const struct plan_op *op = plan->ops; op < plan->ops + plan->count; op++) {
		struct err_where where = {0};
		plan_print_op(op, line, LINE_MAX_BYTES);
		json_write_object(&w);
		json_write_member_i64(&w, "step", (op - plan->ops) + 1);
		json_write_member(&w, "who", who_names[op->who]);
		json_write_member(&w, "operation", plan_op_name(op->kind));
		json_write_member(&w, "text", line);
		if (op->node)
			json_where(plan->doc, op->node, &where);
		if (where.line) {
			json_write_member(&w, "file", where.file);
			json_write_member_i64(&w, "line", where.line);
			json_write_member(&w, "path", where.path);
		}
		json_write_object_end(&w);
	}
	json_write_array_end(&w);
	return json_writer_text(&w, NULL);
}

const char *plan_print(const struct plan *plan, bool json)
{
	return json ? print_json(plan) : print_text(plan);
}

/* Arguments are long, may hold secrets, and errors go to logs. */
size_t plan_print_attempt(const struct plan_op *op, char *buf, size_t size)
{
	struct str_buf out;

	if (op->kind != OP_EXECUTE)
		return plan_print_op(op, buf, size);
	str_buf_init(&out, buf, size);
	str_buf_add(&out, "execute %s", op->execute.args[0]);
	return out.length;
}

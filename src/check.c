/*
 * check.c - `crt check`: every problem as it comes, for people or as one JSON object.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/str.h"
#include "specs/writer.h"
#include "src/command.h"

#define PROBLEM_SIZE 4096

struct check_output {
	struct crt_error *err; /* of the call: where a failure to print goes */
	int result;
	unsigned errors, warnings;
	bool colour;
	struct json_writer *json; /* NULL: text */
};

static void show_problem(void *data, bool is_error, const struct crt_error *problem)
{
	struct check_output *out = data;
	char text[PROBLEM_SIZE], buf[PROBLEM_SIZE + 64];
	const char *word = is_error ? "error" : "warning";
	struct str_buf line;

	*(is_error ? &out->errors : &out->warnings) += 1;
	crt_error_format(problem, true, text, sizeof(text));
	str_buf_init(&line, buf, sizeof(buf));
	if (out->colour)
		str_buf_add(&line, "\033[1;%dm%s:\033[0m %s\n", is_error ? 31 : 35, word, text);
	else
		str_buf_add(&line, "%s: %s\n", word, text);
	if (out->result == 0)
		out->result = print(line.data, line.length, out->err);
}

static void write_problem(void *data, bool is_error, const struct crt_error *problem)
{
	struct check_output *out = data;
	struct json_writer *w = out->json;

	*(is_error ? &out->errors : &out->warnings) += 1;
	json_write_object(w);
	json_write_member(w, "severity", is_error ? "error" : "warning");
	json_write_member(w, "message", problem->message);
	json_write_member(w, "hint", problem->hint[0] ? problem->hint : NULL);
	json_write_member(w, "file", problem->file[0] ? problem->file : NULL);
	json_write_member(w, "path", problem->path[0] ? problem->path : NULL);
	if (problem->line) {
		json_write_member_u64(w, "line", problem->line);
		json_write_member_u64(w, "column", problem->column);
	}
	json_write_object_end(w);
}

static int check_json(struct call *c, struct check_output *out)
{
	arena_auto struct arena arena = {0};
	struct json_writer w;
	size_t length;

	if (arena_init(&arena, NULL) < 0)
		return call_error(&c->err, NULL, "cannot reserve memory");
	json_writer_init(&w, &arena, true);
	out->json = &w;
	json_write_object(&w);
	json_write_key(&w, "problems");
	json_write_array(&w);
	int r = crt_check(&c->context, &c->args.create, write_problem, out, &c->err);
	if (r < 0)
		return r;
	json_write_array_end(&w);
	json_write_member_u64(&w, "errors", (uint64_t)r);
	json_write_member_u64(&w, "warnings", out->warnings);
	json_write_object_end(&w);
	const char *text = json_writer_text(&w, &length);
	out->result = print(text, length, &c->err);
	return r;
}

static bool wants_colour(void)
{
	const char *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && !getenv("NO_COLOR") && !str_eq(term, "dumb");
}

static int check_text(struct call *c, struct check_output *out)
{
	char buf[128];
	struct str_buf line;

	out->colour = wants_colour();
	int r = crt_check(&c->context, &c->args.create, show_problem, out, &c->err);
	if (r < 0)
		return r;
	unsigned errors = (unsigned)r;
	str_buf_init(&line, buf, sizeof(buf));
	if (errors + out->warnings == 0)
		str_buf_add(&line, "no problems found\n");
	else
		str_buf_add(&line, "%u error%s, %u warning%s\n", errors, errors == 1 ? "" : "s",
			out->warnings, out->warnings == 1 ? "" : "s");
	if (out->result == 0)
		out->result = print(line.data, line.length, &c->err);
	return r;
}

int check_command(struct call *c)
{
	struct check_output out = {.err = &c->err};

	c->context.host_file = c->args.host_file;
	int r = str_eq(c->args.format, "json") ? check_json(c, &out) : check_text(c, &out);
	if (r < 0)
		return r;
	return out.result < 0 ? out.result : r > 0;
}

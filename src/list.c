/*
 * list.c - `crt list`: runc's columns, two or more spaces apart, none narrower than twelve.
 */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "src/command.h"

#define COLUMNS   6
#define MIN_WIDTH 12
#define PADDING   3

struct row {
	const char *cells[COLUMNS];
	char pid[16];
};

static void fill_row(struct row *row, const struct crt_container *c)
{
	snprintf(row->pid, sizeof(row->pid), "%d", (int)c->pid);
	memcpy(row->cells, (const char *[]){c->id, row->pid, c->status, c->bundle, c->created, c->owner},
		sizeof(row->cells));
}

static int print_row(const struct row *row, const size_t *widths, struct crt_error *err)
{
	char buf[3 * 4096];
	struct str_buf line;

	str_buf_init(&line, buf, sizeof(buf));
	for (size_t i = 0; i + 1 < COLUMNS; i++)
		str_buf_add(&line, "%-*s", (int)widths[i], row->cells[i]);
	str_buf_add(&line, "%s\n", row->cells[COLUMNS - 1]);
	return print(line.data, line.length, err);
}

static void widen(size_t *widths, const struct row *row)
{
	for (size_t i = 0; i < COLUMNS; i++) {
		size_t n = strlen(row->cells[i]) + PADDING;
		if (widths[i] < n)
			widths[i] = n;
	}
}

static int print_table(const struct crt_container_list *list, struct crt_error *err)
{
	struct row row = {.cells = {"ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"}};
	size_t widths[COLUMNS];

	for (size_t i = 0; i < COLUMNS; i++)
		widths[i] = MIN_WIDTH;
	for (size_t i = 0; i < list->count; i++) {
		struct row each;
		fill_row(&each, &list->containers[i]);
		widen(widths, &each);
	}
	int r = print_row(&row, widths, err);
	for (size_t i = 0; i < list->count && r == 0; i++) {
		fill_row(&row, &list->containers[i]);
		r = print_row(&row, widths, err);
	}
	return r;
}

static int print_ids(const struct crt_container_list *list, struct crt_error *err)
{
	int r = 0;

	for (size_t i = 0; i < list->count && r == 0; i++) {
		char line[300];
		size_t n = (size_t)snprintf(line, sizeof(line), "%.256s\n", list->containers[i].id);
		r = print(line, n, err);
	}
	return r;
}

int list_command(struct call *c)
{
	struct crt_container_list list;
	char *text = NULL;

	if (!c->args.quiet && str_eq(c->args.format, "json")) {
		int r = crt_list_json(&c->context, &text, &c->err);
		if (r == 0)
			r = print(text, strlen(text), &c->err);
		crt_free(text);
		return r;
	}
	int r = crt_list(&c->context, &list, &c->err);
	if (r < 0)
		return r;
	r = c->args.quiet ? print_ids(&list, &c->err) : print_table(&list, &c->err);
	crt_list_free(&list);
	return r;
}

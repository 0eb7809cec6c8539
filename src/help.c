/*
 * help.c - `crt --help` and `crt COMMAND --help`, from the tables that also read the command line,
 * under runc's headings.
 */
#include <string.h>

#include "base/str.h"
#include "src/command.h"

#define HELP_SIZE 8192
#define LEFT_SIZE 80

/* "--bundle DIR, -b DIR"; returns its length. */
static size_t option_text(const struct option *o, char *buf)
{
	const char *blank = o->value ? " " : "", *value = o->value ? o->value : "";
	struct str_buf text;

	str_buf_init(&text, buf, LEFT_SIZE);
	str_buf_add(&text, "--%s%s%s", o->name, blank, value);
	if (o->letter)
		str_buf_add(&text, ", -%c%s%s", o->letter, blank, value);
	return text.length;
}

static void add_options(struct str_buf *out, const char *heading, const struct option *table)
{
	char left[LEFT_SIZE];
	size_t width = 0;

	str_buf_add(out, "\n%s:\n", heading);
	for (const struct option *o = table; o->name; o++) {
		size_t n = o->help ? option_text(o, left) : 0;
		if (width < n)
			width = n;
	}
	for (const struct option *o = table; o->name; o++) {
		if (!o->help)
			continue;
		option_text(o, left);
		str_buf_add(out, "   %-*s  %s\n", (int)width, left, o->help);
	}
}

/* Each line of a text, behind a prefix and the name of the command. */
static void add_lines(struct str_buf *out, const char *prefix, const char *name, const char *text)
{
	do {
		size_t n = strcspn(text, "\n");
		str_buf_add(out, "   %s%s%s%.*s\n", prefix, name, n && *prefix ? " " : "", (int)n, text);
		text += n + (text[n] == '\n');
	} while (*text);
}

static void add_program(struct str_buf *out)
{
	str_buf_add(out, "NAME:\n   crt - run OCI containers\n\nUSAGE:\n"
			 "   crt [GLOBAL OPTIONS] COMMAND [OPTIONS] [ARGUMENTS]\n\n");
	str_buf_add(out, "VERSION:\n   %s\n\nCOMMANDS:\n", crt_version());
	for (const struct command *c = commands; c->name; c++)
		str_buf_add(out, "   %-10s %s\n", c->name, c->summary);
	add_options(out, "GLOBAL OPTIONS", global_options);
	str_buf_add(
		out, "\n\"crt help COMMAND\" says more about a command, and so do crt(1), crt-run(1) ...\n");
}

static void add_command(struct str_buf *out, const struct command *c)
{
	str_buf_add(out, "NAME:\n   crt %s - %s\n\nUSAGE:\n", c->name, c->summary);
	add_lines(out, "crt ", c->name, c->usage);
	if (c->description) {
		str_buf_add(out, "\nDESCRIPTION:\n");
		add_lines(out, "", "", c->description);
	}
	add_options(out, "OPTIONS", c->options);
}

int help_print(const struct command *command, struct crt_error *err)
{
	char buf[HELP_SIZE];
	struct str_buf out;

	str_buf_init(&out, buf, sizeof(buf));
	if (command)
		add_command(&out, command);
	else
		add_program(&out);
	return print(out.data, out.length, err);
}

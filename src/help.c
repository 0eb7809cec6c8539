/*
 * help.c - `crt --help` and `crt COMMAND --help`, from the tables that also read the command line.
 */
#include <string.h>

#include "base/str.h"
#include "src/command.h"

#define HELP_SIZE     8192
#define OPTION_COLUMN 30

static void add_options(struct str_buf *out, const struct option *o)
{
	for (; o->name; o++) {
		char left[64];
		struct str_buf text;
		if (!o->help)
			continue;
		str_buf_init(&text, left, sizeof(left));
		if (o->letter)
			str_buf_add(&text, "-%c, --%s", o->letter, o->name);
		else
			str_buf_add(&text, "    --%s", o->name);
		if (o->value)
			str_buf_add(&text, " %s", o->value);
		str_buf_add(out, "  %-*s %s\n", OPTION_COLUMN, left, o->help);
	}
}

/* "Usage: crt run [OPTIONS] ID" and a line for each further alternative. */
static void add_usage(struct str_buf *out, const char *name, const char *usage)
{
	const char *label = "Usage: ";

	do {
		size_t n = strcspn(usage, "\n");
		str_buf_add(
			out, "%scrt%s%s%s%.*s\n", label, *name ? " " : "", name, n ? " " : "", (int)n, usage);
		usage += n + (usage[n] == '\n');
		label = "       ";
	} while (*usage);
	str_buf_add(out, "\n");
}

static void add_program(struct str_buf *out)
{
	str_buf_add(out, "crt - run OCI containers\n\n");
	add_usage(out, "", "[GLOBAL OPTIONS] COMMAND [OPTIONS] [ARGUMENTS]");
	str_buf_add(out, "Commands:\n");
	for (const struct command *c = commands; c->name; c++)
		str_buf_add(out, "  %-10s %s\n", c->name, c->summary);
	str_buf_add(out, "\nGlobal options:\n");
	add_options(out, global_options);
	str_buf_add(out, "\n\"crt help COMMAND\" says more about a command; crt(1) has it all.\n");
}

static void add_command(struct str_buf *out, const struct command *c)
{
	str_buf_add(out, "crt %s - %s\n\n", c->name, c->summary);
	add_usage(out, c->name, c->usage);
	if (c->description)
		str_buf_add(out, "%s\n\n", c->description);
	str_buf_add(out, "Options:\n");
	add_options(out, c->options);
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

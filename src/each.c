/*
 * each.c - `--regex`: one call for every container whose id an extended regular expression (regex(7)) matches
 * anywhere. The list is taken once; one that has gone meanwhile is a failure like any other, and is logged.
 */
#include <regex.h>

#include "src/command.h"

static int compile(regex_t *regex, const char *text, struct crt_error *err)
{
	char reason[128];

	int r = regcomp(regex, text, REG_EXTENDED | REG_NOSUB);
	if (r == 0)
		return 0;
	regerror(r, regex, reason, sizeof(reason));
	return call_error(err, "as of regex(7): \"^web[0-9]+$\"",
		"--regex: \"%s\" is no regular expression: %s", text, reason);
}

int each_match(struct call *c, const char *text, int (*act)(struct call *call, const char *id))
{
	struct crt_container_list list;
	int status = 0;
	regex_t regex;

	int r = crt_list(&c->context, &list, &c->err);
	if (r < 0)
		return r;
	r = compile(&regex, text, &c->err);
	for (size_t i = 0; i < list.count && r == 0; i++) {
		const char *id = list.containers[i].id;
		if (regexec(&regex, id, 0, NULL, 0) != 0 || act(c, id) == 0)
			continue;
		log_error(&c->log, &c->err);
		status = 1;
	}
	if (r == 0)
		regfree(&regex);
	crt_list_free(&list);
	return r < 0 ? r : status;
}

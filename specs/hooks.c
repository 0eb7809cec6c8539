/*
 * hooks.c - programs of the life cycle (config.md, "POSIX-platform Hooks"). Whether a program exists is found
 * out when it is started: createContainer and startContainer hooks are resolved in other mount namespaces.
 */
#include "specs/hooks.h"

#include "base/str.h"
#include "specs/check.h"

static const struct spec_row hook_rows[] = {
	ROW_STRING(spec_hook, "path", path, .flags = SPEC_REQUIRED),
	ROW_STRINGS(spec_hook, "args", args),
	ROW_STRINGS(spec_hook, "env", env),
	ROW_OPT_I64(spec_hook, "timeout", timeout, .min = 1, .max = INT32_MAX),
};
static const struct spec_table hook_table = SPEC_TABLE("hook", spec_hook, hook_rows);

static const struct spec_row hooks_rows[] = {
	ROW_OBJECTS(spec_hooks, "prestart", prestart, spec_hook, &hook_table),
	ROW_OBJECTS(spec_hooks, "createRuntime", create_runtime, spec_hook, &hook_table),
	ROW_OBJECTS(spec_hooks, "createContainer", create_container, spec_hook, &hook_table),
	ROW_OBJECTS(spec_hooks, "startContainer", start_container, spec_hook, &hook_table),
	ROW_OBJECTS(spec_hooks, "poststart", poststart, spec_hook, &hook_table),
	ROW_OBJECTS(spec_hooks, "poststop", poststop, spec_hook, &hook_table),
};
const struct spec_table spec_hooks_table = SPEC_TABLE("hooks", spec_hooks, hooks_rows);

int spec_hooks_check(const struct json_doc *doc, const struct spec_hooks *hooks, struct report *report)
{
	const struct {
		const struct spec_hook *list;
		size_t count;
	} stages[] = {
		{hooks->prestart, hooks->prestart_count},
		{hooks->create_runtime, hooks->create_runtime_count},
		{hooks->create_container, hooks->create_container_count},
		{hooks->start_container, hooks->start_container_count},
		{hooks->poststart, hooks->poststart_count},
		{hooks->poststop, hooks->poststop_count},
	};
	unsigned errors = report->errors;

	for (size_t s = 0; s < ARRAY_SIZE(stages); s++) {
		for (size_t i = 0; i < stages[s].count; i++) {
			const struct spec_hook *h = &stages[s].list[i];
			if (h->path)
				spec_check_absolute(doc, spec_at(doc, h->node, "path"), h->path, report);
			spec_check_env(doc, h->node, h->env, h->env_count, report);
		}
	}
	return spec_check_result(report, errors);
}

/*
 * hook.c - hooks that run after the plan (runtime.md, "Lifecycle"): poststart once the program runs, poststop
 * once nothing of the container is left. Their documents are in the state, since the bundle may have changed.
 */
#include <stdio.h>

#include "base/str.h"
#include "libcontainer/run/create.h"
#include "specs/json.h"

struct spec_state run_state(const struct state *state, enum spec_status status)
{
	return (struct spec_state){
		.oci_version = state->oci_version,
		.id = state->id,
		.status = status,
		.pid = status == SPEC_STATUS_STOPPED ? 0 : state->pid,
		.bundle = state->bundle,
		.annotations = state->annotations,
		.annotations_count = state->annotations_count,
	};
}

const char *run_state_text(struct arena *arena, const struct state *state, enum spec_status status)
{
	struct spec_state text = run_state(state, status);

	return spec_state_text(arena, &text, false, NULL);
}

/* By the container's status when they run. */
static const struct spec_hook *hooks_of(
	const struct spec_hooks *hooks, enum spec_status status, size_t *count)
{
	bool started = status == SPEC_STATUS_RUNNING;

	*count = !hooks ? 0 : started ? hooks->poststart_count : hooks->poststop_count;
	return !*count ? NULL : started ? hooks->poststart : hooks->poststop;
}

/* In the copy of the document that create has left; there is none of a container that never came to be. */
static void locate(struct arena *arena, int dir_fd, enum spec_status status, size_t i, struct err *err)
{
	const struct spec_config *config;
	struct report ignored;
	size_t count;

	report_init(&ignored, arena);
	if (spec_config_read(arena, dir_fd, STATE_CONFIG, "config.json", &ignored, &config) < 0)
		return;
	const struct spec_hook *hooks = hooks_of(config->hooks, status, &count);
	if (i < count)
		json_where(config->doc, hooks[i].node, &err->where);
}

static int run_one(struct arena *arena, const struct state *state, const struct spec_hook *hook,
	enum spec_status status, struct err *err)
{
	struct plan_shared *shared = arena_new(arena, struct plan_shared);
	struct plan plan = {.arena = arena, .shared = shared};
	struct spec_annotations known = {0};
	struct plan_op op = {.kind = OP_HOOK, .who = PLAN_PARENT};
	struct init hand;
	char text[512];

	plan_hook_fill(&op, arena, status == SPEC_STATUS_RUNNING ? "poststart" : "poststop", hook, true);
	op.hook.cwd = state->bundle;
	spec_annotations_read(arena, state->annotations, state->annotations_count, NULL, NULL, &known);
	op.hook.stdout_file = known.hooks_stdout;
	op.hook.stderr_file = known.hooks_stderr;
	shared->state_created = arena_strdup(arena, run_state_text(arena, state, status));
	init_begin(&hand, &plan, -1);
	int r = init_do(&hand, &op);
	if (r == 0)
		return 0;
	plan_print_op(&op, text, sizeof(text));
	err_set(err, -r, "cannot %s: %s", text, hand.message.detail[0] ? hand.message.detail : str_errno(-r));
	return err_phase(err, "hook");
}

int run_poststart_hooks(struct arena *arena, int dir_fd, const struct state *state, struct err *err)
{
	size_t count;
	const struct spec_hook *hooks = hooks_of(state->hooks, SPEC_STATUS_RUNNING, &count);

	for (size_t i = 0; i < count; i++) {
		int r = run_one(arena, state, &hooks[i], SPEC_STATUS_RUNNING, err);
		if (r < 0) {
			locate(arena, dir_fd, SPEC_STATUS_RUNNING, i, err);
			return r;
		}
	}
	return 0;
}

void run_poststop_hooks(struct arena *arena, int dir_fd, const struct state *state, struct report *warnings)
{
	size_t count;
	const struct spec_hook *hooks = hooks_of(state->hooks, SPEC_STATUS_STOPPED, &count);

	for (size_t i = 0; i < count; i++) {
		struct err err;
		if (run_one(arena, state, &hooks[i], SPEC_STATUS_STOPPED, &err) == 0)
			continue;
		locate(arena, dir_fd, SPEC_STATUS_STOPPED, i, &err);
		*report_add(warnings, REPORT_WARNING) = err;
	}
}

/*
 * hook.c - hooks that run after the plan (runtime.md, "Lifecycle"): poststart once the program runs, poststop
 * once nothing of the container is left. Their documents are in the state, since the bundle may have changed.
 */
#include <stdio.h>

#include "base/str.h"
#include "libcontainer/run/create.h"

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

static int run_one(struct arena *arena, const struct state *state, const char *stage,
	const struct spec_hook *hook, enum spec_status status, struct err *err)
{
	struct plan_shared *shared = arena_new(arena, struct plan_shared);
	struct plan plan = {.arena = arena, .shared = shared};
	struct spec_annotations known = {0};
	struct plan_op op = {.kind = OP_HOOK, .who = PLAN_PARENT};
	struct init hand;
	char text[512];

	plan_hook_fill(&op, arena, stage, hook, true);
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

int run_poststart_hooks(struct arena *arena, const struct state *state, struct err *err)
{
	for (size_t i = 0; state->hooks && i < state->hooks->poststart_count; i++) {
		int r = run_one(
			arena, state, "poststart", &state->hooks->poststart[i], SPEC_STATUS_RUNNING, err);
		if (r < 0)
			return r;
	}
	return 0;
}

void run_poststop_hooks(struct arena *arena, const struct state *state, struct report *warnings)
{
	for (size_t i = 0; state->hooks && i < state->hooks->poststop_count; i++) {
		struct err err;
		if (run_one(arena, state, "poststop", &state->hooks->poststop[i], SPEC_STATUS_STOPPED, &err) <
			0)
			*report_add(warnings, REPORT_WARNING) = err;
	}
}

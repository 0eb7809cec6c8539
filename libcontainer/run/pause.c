/*
 * pause.c - see pause.h.
 *
 * No lock is taken: a frozen container keeps `start` waiting, lock in hand, and must still be thawed. What
 * cgroup.freeze holds is the last one's word, whoever comes at the same time.
 */
#include "libcontainer/run/pause.h"

#include <errno.h>

#include "base/fd.h"
#include "libcontainer/cgroup/cgroup.h"
#include "libcontainer/run/live.h"

#define FREEZE_TIMEOUT_MS 10000
#define THAW_TIMEOUT_MS   2000 /* nothing can keep a process from it but a frozen cgroup above */

static int freeze(const struct run_live *live, bool pause, struct err *err)
{
	const char *id = live->state->id;
	bool is_paused = live->status == SPEC_STATUS_PAUSED;

	if (pause && is_paused)
		return err_set(err, EBUSY, "container \"%s\" is paused already", id);
	/* one whose freeze has not come about, for whatever reason, can be thawed */
	if (!pause && !is_paused && !cg_wants_freeze(live->cgroup_fd))
		return err_set(err, EINVAL, "container not paused: \"%s\" is %s", id,
			spec_status_name(live->status));
	int r = cg_freeze(live->cgroup_fd, pause, pause ? FREEZE_TIMEOUT_MS : THAW_TIMEOUT_MS, err);
	if (r == -ETIMEDOUT && pause)
		cg_freeze(live->cgroup_fd, false, 0, NULL);
	if (r < 0)
		err_prefix(err, "cannot %s container \"%s\"", pause ? "pause" : "resume", id);
	return r;
}

int run_pause(const char *root, const char *id, bool pause, struct err *err)
{
	arena_auto struct arena arena = {0};
	struct run_live live;

	int r = arena_init(&arena, err);
	if (r == 0)
		r = run_live_open(&arena, root, id, STATE_OWN, &live, err);
	if (r < 0)
		return r;
	r = freeze(&live, pause, err);
	run_live_close(&live);
	return r;
}

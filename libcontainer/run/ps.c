/*
 * ps.c - see ps.h.
 */
#include "libcontainer/run/ps.h"

#include <errno.h>
#include <stdlib.h>

#include "base/arena.h"
#include "libcontainer/cgroup/cgroup.h"
#include "libcontainer/run/live.h"

static int by_number(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return (x > y) - (x < y);
}

static int copy_visible(const pid_t *pids, size_t count, pid_t **copy, size_t *copied, struct err *err)
{
	*copied = 0;
	*copy = calloc(count + 1, sizeof(**copy));
	if (!*copy)
		return err_sys(err, ENOMEM, "cannot return %zu pids", count);
	for (size_t i = 0; i < count; i++)
		if (pids[i] > 0)
			(*copy)[(*copied)++] = pids[i];
	qsort(*copy, *copied, sizeof(**copy), by_number);
	return 0;
}

int run_pids(const char *root, const char *id, pid_t **pids, size_t *count, struct err *err)
{
	arena_auto struct arena arena = {0};
	struct run_live live;
	pid_t *members = NULL;
	size_t members_count = 0;

	*pids = NULL;
	*count = 0;
	int r = arena_init(&arena, err);
	if (r == 0)
		r = run_live_open(&arena, root, id, STATE_LOOK, &live, err);
	if (r == -ESRCH) /* who asks what runs in it has the answer */
		return copy_visible(NULL, 0, pids, count, err);
	if (r < 0)
		return r;
	r = cg_pids(live.cgroup_fd, &arena, &members, &members_count, err);
	if (r == 0)
		r = copy_visible(members, members_count, pids, count, err);
	run_live_close(&live);
	return r;
}

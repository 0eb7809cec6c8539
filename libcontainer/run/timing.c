/*
 * timing.c - see timing.h.
 *
 * Two processes work at the same time, so each line says whose step it was, when it was done, and how long it
 * took: since the step before of the same process. What init does until the program runs is known by
 * operation; before and after the plan, the parent sets marks.
 */
#include "libcontainer/run/timing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/str.h"
#include "base/sys.h"

#define MARKS_MAX 16
#define TEXT_MAX  160

struct run_timing {
	int64_t begin_ns;
	unsigned count;
	struct {
		int64_t at_ns;
		const char *what;
	} marks[MARKS_MAX];
};

/* One line of the table. */
struct step {
	int64_t at_ns;
	bool is_init;
	const char *what;
	const struct plan_op *op; /* instead of `what` */
};

void run_timing_begin(struct run *run, const struct crt_context *context)
{
	if (!context->timing)
		return;
	run->timing = arena_new(run->arena, struct run_timing);
	run->timing->begin_ns = sys_now_ns();
}

void run_mark(struct run *run, const char *what)
{
	struct run_timing *t = run->timing;

	if (!t || t->count == MARKS_MAX)
		return;
	t->marks[t->count].at_ns = sys_now_ns();
	t->marks[t->count++].what = what;
}

static size_t times_size(const struct plan *plan)
{
	return (plan->count + 1) * sizeof(*plan->times);
}

int run_timing_prepare(struct run *run, struct err *err)
{
	if (!run->timing)
		return 0;
	void *times = mmap(
		NULL, times_size(run->plan), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (times == MAP_FAILED)
		return err_sys(err, errno, "cannot share memory with the container's init");
	run->plan->times = times;
	return 0;
}

static int by_time(const void *a, const void *b)
{
	int64_t x = ((const struct step *)a)->at_ns, y = ((const struct step *)b)->at_ns;

	return (x > y) - (x < y);
}

/* Who did it: with SYNC both did, and init's time is the one that was written last. */
static size_t collect(const struct run *run, struct step *steps)
{
	const struct run_timing *t = run->timing;
	const struct plan *plan = run->plan;
	size_t n = 0;

	for (unsigned i = 0; i < t->count; i++)
		steps[n++] = (struct step){.at_ns = t->marks[i].at_ns, .what = t->marks[i].what};
	if (!plan || !plan->times)
		return n;
	for (size_t i = 0; i < plan->count; i++)
		if (plan->times[i])
			steps[n++] = (struct step){.at_ns = plan->times[i],
				.is_init = plan->ops[i].who == PLAN_INIT,
				.op = &plan->ops[i]};
	if (plan->times[plan->count])
		steps[n++] = (struct step){plan->times[plan->count], .is_init = true, .what = "begin"};
	return n;
}

static void print_step(struct str_buf *b, const struct step *s, int64_t begin_ns, int64_t *last_ns)
{
	char text[TEXT_MAX];
	int64_t at = s->at_ns - begin_ns, took = s->at_ns - *last_ns;

	if (s->op)
		plan_print_op(s->op, text, sizeof(text));
	str_buf_add(b, "%8.3f %8.3f  %-4s  %s\n", (double)at / 1e6, (double)took / 1e6,
		s->is_init ? "init" : "crt", s->op ? text : s->what);
	*last_ns = s->at_ns;
}

void run_timing_tell(struct run *run, const struct crt_context *context)
{
	if (!run->timing)
		return;
	size_t room = MARKS_MAX + 1 + (run->plan ? run->plan->count : 0);
	struct step *steps = arena_array(run->arena, struct step, room);
	size_t count = collect(run, steps);
	int64_t last[2] = {run->timing->begin_ns, run->timing->begin_ns};
	char *text = arena_alloc(run->arena, (room + 1) * (TEXT_MAX + 32));
	struct str_buf b;

	qsort(steps, count, sizeof(*steps), by_time);
	str_buf_init(&b, text, (room + 1) * (TEXT_MAX + 32));
	str_buf_add(&b, "%8s %8s  %-4s  %s\n", "ms", "took", "who", "did");
	for (size_t i = 0; i < count; i++) {
		if (steps[i].is_init && last[1] == run->timing->begin_ns)
			last[1] = steps[i].at_ns; /* it did not exist before */
		print_step(&b, &steps[i], run->timing->begin_ns, &last[steps[i].is_init]);
	}
	if (run->plan && run->plan->times)
		munmap(run->plan->times, times_size(run->plan));
	context->timing(context->log_data, text);
}

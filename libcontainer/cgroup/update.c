/*
 * update.c - see update.h.
 *
 * All old values are read before the first write: a value that one write changes must not be taken for
 * another's old one. They are put back in reverse order, for the reason that gives the writes theirs (see
 * resources.c), and what counts then is not what the kernel answered but what the files say.
 *
 * Writing memory.max below what is in use makes the kernel reclaim at once and, where that is not enough,
 * kill. So memory.high comes first: it holds the container back without killing, while memory.reclaim takes
 * away what can be had. It is put back when the limit
 * stands. A signal that would end us in between waits, and shortens the wait.
 */
#include "libcontainer/cgroup/update.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "base/sys.h"
#include "libcontainer/cgroup/cgroup.h"
#include "specs/json.h"

#define FILE_BYTES    16384 /* no file of limits is longer, unless it has hundreds of devices */
#define RECLAIM_BYTES ((uint64_t)64 << 20) /* at a time: the kernel looks at no clock of ours */
#define RETRY_MS      20

struct change {
	struct cg_write write;
	const char *before; /* the file's text; NULL: it cannot be read, as a file that only does something */
};

struct update {
	struct arena *arena;
	int cgroup_fd;
	const struct json_doc *doc;
	struct change *changes;
	size_t count;
	int timeout_ms;
	struct cg_shrink *shrink;
};

/* ---- what to put back ---- */

/* Files with a line for each device, and what stands for a device that has no line. */
static const struct {
	const char *file, *absent;
} keyed[] = {
	{"io.max", "rbps=max wbps=max riops=max wiops=max"},
	{"io.weight", "default"},
	{"io.bfq.weight", "default"},
	{"io.latency", "target=0"},
	{"rdma.max", "hca_handle=max hca_object=max"},
};

/* The line that begins with the word `key`; NULL: none. */
static const char *find_line(const char *text, const char *key, size_t key_length)
{
	for (; *text; text += strcspn(text, "\n"), text += *text == '\n')
		if (strncmp(text, key, key_length) == 0 && text[key_length] == ' ')
			return text;
	return NULL;
}

const char *cg_undo_value(struct arena *arena, const char *file, const char *value, const char *before)
{
	for (size_t i = 0; i < ARRAY_SIZE(keyed); i++) {
		if (!str_eq(file, keyed[i].file))
			continue;
		bool has_key = strchr(value, ' ');
		const char *key = has_key ? value : "default";
		size_t length = strcspn(key, " ");
		const char *line = find_line(before, key, length);
		if (line)
			return arena_memdup(arena, line, strcspn(line, "\n"));
		return arena_printf(arena, "%.*s %s", (int)length, key, keyed[i].absent);
	}
	size_t length = strcspn(before, "\n");
	return length ? arena_memdup(arena, before, length) : "\n"; /* no bytes at all would be no write */
}

static const char *read_text(const struct update *u, const char *file)
{
	char text[FILE_BYTES];

	return fd_read_file(u->cgroup_fd, file, text, sizeof(text)) < 0 ? NULL : arena_strdup(u->arena, text);
}

/* Which of the two files a write is for is known before anything is written, so that the old value is the
 * right one. */
static void choose_file(int cgroup_fd, struct cg_write *w)
{
	if (!w->instead_file || faccessat(cgroup_fd, w->file, F_OK, 0) == 0)
		return;
	w->file = w->instead_file;
	w->value = w->instead_value;
	w->instead_file = NULL;
}

static void remember(struct update *u, const struct cg_limits *limits)
{
	u->changes = arena_array(u->arena, struct change, limits->count + 1);
	u->count = limits->count;
	for (size_t i = 0; i < u->count; i++) {
		struct change *c = &u->changes[i];
		c->write = limits->writes[i];
		choose_file(u->cgroup_fd, &c->write);
		c->before = read_text(u, c->write.file);
	}
}

/* Put back the first `count`; the error, which has its text, learns how that went. */
static void put_back(const struct update *u, size_t count, struct err *err)
{
	char text[256] = "";
	struct str_buf different;

	str_buf_init(&different, text, sizeof(text));
	for (size_t i = count; i-- > 0;) {
		const struct change *c = &u->changes[i];
		if (c->before)
			fd_write_file(u->cgroup_fd, c->write.file,
				cg_undo_value(u->arena, c->write.file, c->write.value, c->before));
	}
	for (size_t i = 0; i < count; i++) {
		const char *now = u->changes[i].before ? read_text(u, u->changes[i].write.file) : NULL;
		if (now && !str_eq(now, u->changes[i].before))
			str_buf_add(
				&different, "%s%s", different.length ? ", " : "", u->changes[i].write.file);
	}
	if (!err)
		return;
	size_t n = strlen(err->message);
	snprintf(err->message + n, sizeof(err->message) - n, "%s%s",
		different.length ? "; changed and not put back: " : "; nothing has been changed", text);
}

/* ---- a lower memory limit ---- */

static bool read_number(const struct update *u, const char *file, uint64_t *number)
{
	char text[32];

	if (fd_read_file(u->cgroup_fd, file, text, sizeof(text)) < 0)
		return false;
	text[strcspn(text, "\n")] = '\0';
	if (str_eq(text, "max"))
		*number = UINT64_MAX;
	return str_eq(text, "max") || str_to_u64(text, number) == 0;
}

static void write_number(const struct update *u, const char *file, uint64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, number);
	fd_write_file(u->cgroup_fd, file, number == UINT64_MAX ? "max" : text);
}

/* Signals that would end this process between two writes; they wait until all is done, or put back. */
static void hold_signals(sigset_t *before)
{
	sigset_t ends;

	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGHUP);
	sigprocmask(SIG_BLOCK, &ends, before);
}

static bool is_interrupted(void)
{
	sigset_t waiting;

	sigpending(&waiting);
	return sigismember(&waiting, SIGINT) || sigismember(&waiting, SIGTERM) ||
	       sigismember(&waiting, SIGHUP);
}

/* Until no more than `wanted` is in use, or the time is over. */
static void reclaim(const struct update *u, struct cg_shrink *shrink)
{
	int64_t deadline = sys_now_ms() + u->timeout_ms;

	for (;;) {
		if (!read_number(u, "memory.current", &shrink->reached) || shrink->reached <= shrink->wanted)
			return;
		if (sys_now_ms() >= deadline || is_interrupted())
			return;
		/* fails where it got less than it was to, and on a kernel before 5.19, where memory.high does
		 * it */
		uint64_t excess = shrink->reached - shrink->wanted;
		write_number(u, "memory.reclaim", excess < RECLAIM_BYTES ? excess : RECLAIM_BYTES);
		if (read_number(u, "memory.current", &shrink->reached) && shrink->reached > shrink->wanted)
			poll(NULL, 0, RETRY_MS);
	}
}

static int shrink_memory(const struct update *u, const struct cg_write *w, struct err *err)
{
	struct cg_shrink *s = u->shrink;
	uint64_t high = UINT64_MAX;
	int64_t began = sys_now_ms();

	s->before = s->reached;
	read_number(u, "memory.high", &high);
	if (high > s->wanted)
		write_number(u, "memory.high", s->wanted);
	reclaim(u, s);
	int r = 0;
	if (s->reached <= s->wanted)
		r = cg_apply(u->cgroup_fd, w, u->doc, err);
	else {
		r = json_err(err, u->doc, w->node, EBUSY,
			"cannot lower memory.max to %" PRIu64 " bytes: %" PRIu64 " of %" PRIu64
			" bytes are still in use after %d ms",
			s->wanted, s->reached, s->before, (int)(sys_now_ms() - began));
		err_hint(err, "end what holds the memory, allow more time with --timeout, or choose a higher "
			      "limit");
	}
	if (high > s->wanted)
		write_number(u, "memory.high", high);
	return r;
}

static bool must_shrink(const struct update *u, const struct cg_write *w)
{
	struct cg_shrink *s = u->shrink;

	if (!str_eq(w->file, "memory.max") || w->usage || str_to_u64(w->value, &s->wanted) < 0)
		return false;
	if (read_number(u, "memory.current", &s->reached) && s->reached > s->wanted)
		return true;
	*s = (struct cg_shrink){0};
	return false;
}

int cg_update(struct arena *arena, const struct cg_update *update, struct cg_shrink *shrink, struct err *err)
{
	struct update u = {.arena = arena,
		.cgroup_fd = update->cgroup_fd,
		.doc = update->doc,
		.timeout_ms = update->timeout_ms,
		.shrink = shrink};
	sigset_t signals;
	size_t done = 0;
	int r = 0;

	*shrink = (struct cg_shrink){0};
	hold_signals(&signals);
	remember(&u, update->limits);
	for (; r == 0 && done < u.count; done += r == 0) {
		const struct cg_write *w = &u.changes[done].write;
		r = must_shrink(&u, w) ? shrink_memory(&u, w, err) : cg_apply(u.cgroup_fd, w, u.doc, err);
	}
	if (r == 0 && update->commit)
		r = update->commit(update->commit_data, err);
	if (r < 0)
		put_back(&u, done, err);
	sigprocmask(SIG_SETMASK, &signals, NULL);
	return r;
}

/*
 * list.c - what there is to know about containers: `state` of one, `list` of all.
 *
 * Reading takes no lock and makes nothing: a container may vanish under our hands, and then it is not listed.
 * A directory whose creator has not come to write state.json is shown with what is known, its id and whether
 * the creator still lives.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "libcontainer/public.h"
#include "libcontainer/state/state.h"
#include "specs/config.h"
#include "specs/table.h"
#include "specs/writer.h"

/* A container and its status at one moment. */
struct entry {
	const struct state *state;
	enum spec_status status;
	const char *owner;
};

struct entries {
	struct entry *items;
	size_t count, room;
};

/* The user's name from /etc/passwd, read by hand: no NSS module is loaded into this program. */
static const char *owner_name(struct arena *arena, uint32_t uid)
{
	char field[32], *text = NULL;
	fd_auto int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC | O_NOCTTY);

	int n = snprintf(field, sizeof(field), ":%u:", uid);
	if (fd < 0 || fd_read_all(fd, arena, 1 << 20, &text) < 0)
		text = arena_strdup(arena, "");
	for (char *line = text; *line;) {
		size_t length = strcspn(line, "\n");
		char *name_end = memchr(line, ':', length);
		char *password_end = name_end ? memchr(name_end + 1, ':',
							length - (size_t)(name_end + 1 - line))
					      : NULL;
		if (password_end && strncmp(password_end, field, (size_t)n) == 0)
			return arena_memdup(arena, line, (size_t)(name_end - line));
		line += length + (line[length] == '\n');
	}
	return arena_printf(arena, "%u", uid);
}

/* What is known of a container that has no state.json. */
static struct state *bare_state(struct arena *arena, int dirfd, const char *id)
{
	struct state *state = arena_new(arena, struct state);
	struct stat st;

	state->oci_version = SPEC_VERSION;
	state->id = arena_strdup(arena, id);
	state->bundle = state->rootfs = state->created = "";
	if (fstat(dirfd, &st) == 0)
		state->owner = st.st_uid;
	return state;
}

/* A state.json that cannot be understood is an error for `state`, and a bare entry for `list`. */
static int read_entry(struct arena *arena, int dirfd, const char *id, struct entry *entry, struct err *err)
{
	struct state *state = NULL;

	int r = state_read(arena, dirfd, &state, err);
	entry->status = state_status(dirfd, state);
	entry->state = state ? state : bare_state(arena, dirfd, id);
	return r == -ENOENT ? 0 : r;
}

static void write_entry(struct json_writer *w, const struct entry *entry)
{
	const struct state *s = entry->state;

	json_write_object(w);
	json_write_member(w, "ociVersion", s->oci_version);
	json_write_member(w, "id", s->id);
	json_write_member_i64(w, "pid", entry->status == SPEC_STATUS_STOPPED ? 0 : s->pid);
	json_write_member(w, "status", spec_status_name(entry->status));
	json_write_member(w, "bundle", s->bundle);
	json_write_member(w, "rootfs", s->rootfs);
	json_write_member(w, "created", s->created);
	if (s->annotations_count) {
		json_write_key(w, "annotations");
		json_write_object(w);
		for (size_t i = 0; i < s->annotations_count; i++)
			json_write_member(w, s->annotations[i].key, s->annotations[i].value);
		json_write_object_end(w);
	}
	json_write_member(w, "owner", entry->owner);
	json_write_object_end(w);
}

int crt_state_json(const struct crt_context *context, const char *id, char **text, struct crt_error *error)
{
	arena_auto struct arena arena = {0};
	struct err err = {0};
	struct entry entry = {0};
	struct json_writer w;

	fd_auto int dirfd = state_find(context->root, id, STATE_LOOK, NULL, &err);
	if (dirfd < 0)
		return public_result(dirfd, &err, error);
	int r = arena_init(&arena, &err);
	if (r == 0)
		r = read_entry(&arena, dirfd, id, &entry, &err);
	if (r < 0)
		return public_result(r, &err, error);
	entry.owner = owner_name(&arena, entry.state->owner);
	json_writer_init(&w, &arena, true);
	write_entry(&w, &entry);
	return public_result(public_text(json_writer_text(&w, NULL), text, &err), &err, error);
}

/* The one before has the same owner, as a rule. */
static const char *owner_of(struct arena *arena, const struct entries *list, uint32_t uid)
{
	const struct entry *last = list->count ? &list->items[list->count - 1] : NULL;

	return last && last->state->owner == uid ? last->owner : owner_name(arena, uid);
}

static void add_entry(struct arena *arena, struct entries *list, const struct entry *entry)
{
	list->items = arena_grow(arena, list->items, sizeof(*list->items), list->count, &list->room, 16);
	list->items[list->count++] = *entry;
}

static int by_id(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->state->id, ((const struct entry *)b)->state->id);
}

static void warn(const struct crt_context *context, const struct err *err)
{
	char text[sizeof(*err)];

	err_format(err, false, text, sizeof(text));
	if (context->log)
		context->log(context->log_data, CRT_LOG_WARNING, text);
}

static void read_entries(
	const struct crt_context *context, struct arena *arena, DIR *dir, struct entries *list)
{
	const struct dirent *e;

	while ((e = readdir(dir))) {
		struct entry entry = {0};
		struct err err;
		if (state_id_check(e->d_name, NULL) < 0)
			continue;
		fd_auto int fd = state_open(dirfd(dir), e->d_name, STATE_LOOK, NULL);
		if (fd < 0)
			continue;
		if (read_entry(arena, fd, e->d_name, &entry, &err) < 0)
			warn(context, &err);
		entry.owner = owner_of(arena, list, entry.state->owner);
		add_entry(arena, list, &entry);
	}
	if (list->count)
		qsort(list->items, list->count, sizeof(*list->items), by_id);
}

/* Everything below the root; none when there is no root. */
static int find_all(
	const struct crt_context *context, struct arena *arena, struct entries *list, struct err *err)
{
	int r = arena_init(arena, err);

	if (r < 0)
		return r;
	int root_fd = state_root_open(context->root, false, err);
	if (root_fd == -ENOENT)
		return 0;
	if (root_fd < 0)
		return root_fd;
	DIR *dir = fdopendir(root_fd);
	if (!dir) {
		close(root_fd);
		return err_sys(err, ENOMEM, "cannot read the state directory");
	}
	read_entries(context, arena, dir, list);
	closedir(dir);
	return 0;
}

int crt_list_json(const struct crt_context *context, char **text, struct crt_error *error)
{
	arena_auto struct arena arena = {0};
	struct entries list = {0};
	struct err err = {0};
	struct json_writer w;

	int r = find_all(context, &arena, &list, &err);
	if (r < 0)
		return public_result(r, &err, error);
	json_writer_init(&w, &arena, false); /* one line, as runc prints it */
	if (list.count == 0) {
		json_write_null(&w);
	} else {
		json_write_array(&w);
		for (size_t i = 0; i < list.count; i++)
			write_entry(&w, &list.items[i]);
		json_write_array_end(&w);
	}
	const char *line = arena_printf(&arena, "%s\n", json_writer_text(&w, NULL));
	return public_result(public_text(line, text, &err), &err, error);
}

int crt_list(const struct crt_context *context, struct crt_container_list *result, struct crt_error *error)
{
	struct arena arena = {0};
	struct entries list = {0};
	struct err err = {0};

	*result = (struct crt_container_list){0};
	int r = find_all(context, &arena, &list, &err);
	if (r < 0) {
		arena_free(&arena);
		return public_result(r, &err, error);
	}
	result->count = list.count;
	result->containers = arena_array(&arena, struct crt_container, list.count);
	for (size_t i = 0; i < list.count; i++) {
		const struct entry *e = &list.items[i];
		result->containers[i] = (struct crt_container){
			.id = e->state->id,
			.status = spec_status_name(e->status),
			.pid = e->status == SPEC_STATUS_STOPPED ? 0 : e->state->pid,
			.bundle = e->state->bundle,
			.rootfs = e->state->rootfs,
			.created = e->state->created,
			.owner = e->owner,
			.oci_version = e->state->oci_version,
		};
	}
	/* The arena describes itself from inside, so that one pointer gives all of it back. */
	struct arena *kept = arena_new(&arena, struct arena);
	*kept = arena;
	result->memory = kept;
	return 0;
}

void crt_list_free(struct crt_container_list *list)
{
	if (list->memory) {
		struct arena arena = *(struct arena *)list->memory;
		arena_free(&arena);
	}
	*list = (struct crt_container_list){0};
}

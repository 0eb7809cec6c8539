/*
 * walk.c - see walk.h.
 */
#include "base/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"

#define LINKS_MAX 40 /* as the kernel's own limit */

#define OPEN_COMPONENT (O_PATH | O_NOFOLLOW | O_CLOEXEC)

/* What is still to be walked, and how far we are. */
struct rest {
	char path[PATH_MAX];
	int at;   /* O_PATH of the directory, or of what should be one */
	int root; /* of another than the caller's root; else -1 */
	int links;
};

static int stop(struct walk *w, enum walk_end end)
{
	w->end = end;
	return -1;
}

static void show(struct walk *w, const char *name)
{
	struct str_buf b;
	size_t length = strlen(w->path);
	const char *slash = length && w->path[length - 1] != '/' ? "/" : "";

	str_buf_init(&b, w->path + length, sizeof(w->path) - length);
	str_buf_add(&b, "%s%s", slash, name);
}

/*
 * From "/" for a path that begins there. What is open already is not looked up: it may be what may not be
 * searched. Returns 0, or -1 with the end set.
 */
static int begin_at(struct walk *w, struct rest *rest, int dirfd)
{
	if (rest->path[0] == '/') {
		fd_close(&rest->at);
		rest->at = rest->root < 0 ? open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)
					  : fcntl(rest->root, F_DUPFD_CLOEXEC, 0);
		memcpy(w->path, "/", 2);
	} else if (rest->at < 0) {
		rest->at = dirfd == AT_FDCWD ? open(".", O_PATH | O_DIRECTORY | O_CLOEXEC)
					     : fcntl(dirfd, F_DUPFD_CLOEXEC, 0);
	}
	return rest->at < 0 ? stop(w, WALK_FAILED) : 0;
}

/* Put the target of the link `fd` in front of what is left. w->path is still that of the link's directory. */
static int follow(struct walk *w, struct rest *rest, int fd, const char *name)
{
	char target[PATH_MAX], joined[PATH_MAX];
	struct str_buf b;

	ssize_t n = readlinkat(fd, "", target, sizeof(target) - 1);
	if (++rest->links > LINKS_MAX)
		return stop(w, WALK_LOOP);
	if (n <= 0)
		return stop(w, WALK_FAILED);
	target[n] = '\0';
	str_buf_init(&b, joined, sizeof(joined));
	str_buf_add(&b, "%s/%s", target, rest->path);
	if (b.cut)
		return stop(w, WALK_FAILED);
	memcpy(rest->path, joined, b.length + 1);
	size_t here = strlen(w->path);
	show(w, name);
	memcpy(w->link, w->path, sizeof(w->link));
	w->path[here] = '\0';
	return begin_at(w, rest, -1);
}

/* The next component off rest->path. Returns whether there was one. */
static bool take_name(struct rest *rest, char name[NAME_MAX + 1], bool *fits)
{
	char *start = rest->path + strspn(rest->path, "/");
	size_t length = strcspn(start, "/");

	*fits = length <= NAME_MAX;
	if (length == 0 || !*fits)
		return length != 0;
	memcpy(name, start, length);
	name[length] = '\0';
	memmove(rest->path, start + length, strlen(start + length) + 1);
	return true;
}

/* The way up ends at the root, as in the kernel. w->st is that of where we are. */
static bool is_above_root(const struct walk *w, const struct rest *rest, const char *name)
{
	struct stat root;

	return rest->root >= 0 && str_eq(name, "..") && fstat(rest->root, &root) == 0 &&
	       root.st_dev == w->st.st_dev && root.st_ino == w->st.st_ino;
}

static int look_up(struct walk *w, struct rest *rest, const char *name)
{
	if (is_above_root(w, rest, name))
		return 0;
	fd_auto int next = openat(rest->at, name, OPEN_COMPONENT);

	if (next < 0) {
		int errnum = errno;
		w->more = rest->path[strspn(rest->path, "/")] != '\0';
		if (errnum == EACCES)
			return stop(w, WALK_NOT_SEARCHABLE);
		show(w, name);
		return stop(w, errnum == ENOENT ? WALK_MISSING : WALK_FAILED);
	}
	if (fstat(next, &w->st) < 0)
		return stop(w, WALK_FAILED);
	if (S_ISLNK(w->st.st_mode))
		return follow(w, rest, next, name);
	show(w, name);
	memcpy(w->name, name, strlen(name) + 1);
	fd_close(&w->parent_fd);
	w->parent_fd = rest->at;
	rest->at = fd_take(&next);
	return 0;
}

static void begin(struct walk *w, int dirfd, int root, const char *path)
{
	struct rest rest = {.at = -1, .root = root};
	char name[NAME_MAX + 1];
	bool fits = true;
	struct str_buf b;

	*w = (struct walk){.end = WALK_FAILED, .fd = -1, .parent_fd = -1};
	str_buf_init(&b, rest.path, sizeof(rest.path));
	str_buf_add(&b, "%s%s", root < 0 ? "" : "/", path);
	if (b.cut)
		return;
	int r = begin_at(w, &rest, dirfd);
	while (r == 0 && fstat(rest.at, &w->st) == 0 && take_name(&rest, name, &fits)) {
		if (!fits)
			r = stop(w, WALK_FAILED);
		else
			r = S_ISDIR(w->st.st_mode) ? look_up(w, &rest, name) : stop(w, WALK_NO_DIRECTORY);
	}
	if (r == 0) {
		w->end = WALK_FOUND;
		w->fd = fd_take(&rest.at);
	}
	fd_close(&rest.at);
}

void walk_begin(struct walk *w, int dirfd, const char *path)
{
	begin(w, dirfd, -1, path);
}

void walk_begin_inside(struct walk *w, int root_fd, const char *path)
{
	begin(w, AT_FDCWD, root_fd, path);
}

void walk_end(struct walk *w)
{
	fd_close(&w->fd);
	fd_close(&w->parent_fd);
}

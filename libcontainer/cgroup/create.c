/*
 * create.c - make the container's cgroup, with the controllers its limits need.
 *
 * A controller reaches a cgroup only when each cgroup above it hands it down (cgroup.subtree_control), and
 * cgroup v2 lets a cgroup either hand down controllers or hold processes, the root excepted; most errors here
 * come from these two rules, and the messages say which cgroup breaks them.
 *
 * The usual start finds everything above prepared by an earlier one: open the parent, mkdir, open. Only when
 * the parent is missing, or the new cgroup lacks a controller that is needed, is the path walked from its
 * top. On that walk every controller there is is handed down, so that a container's use of memory or CPU can
 * be read later; a controller that nobody needs may refuse, unnoticed.
 */
#include "libcontainer/cgroup/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "libcontainer/cgroup/tree.h"

#define WORDS_MAX 512 /* bytes of a list of controllers */
#define DIR_MODE  0755

/* ---- lists of words ---- */

/* Call for each word: for (const char *p = list; next_word(&p, word);) */
static bool next_word(const char **list, char word[NAME_MAX + 1])
{
	*list += strspn(*list, " \n");
	size_t length = strcspn(*list, " \n");

	if (length == 0 || length > NAME_MAX)
		return false;
	memcpy(word, *list, length);
	word[length] = '\0';
	*list += length;
	return true;
}

/* The first word that `wanted` has and `list` does not; false when there is none. */
static bool find_missing(const char *wanted, const char *list, char word[NAME_MAX + 1])
{
	for (const char *p = wanted; next_word(&p, word);)
		if (!str_has_word(list, word))
			return true;
	return false;
}

/* ---- controllers ---- */

/* The unit of systemd that has the cgroup: the last part of its path, if it is called so. NULL: none. */
static const char *unit_of(const char *path)
{
	const char *name = strrchr(path, '/'), *dot = strrchr(path, '.');

	return name && dot && (str_eq(dot, ".service") || str_eq(dot, ".scope") || str_eq(dot, ".slice"))
		       ? name + 1
		       : NULL;
}

static int not_delegated(const char *cgroup, const char *controller, struct err *err)
{
	const char *unit = unit_of(cgroup);

	err_cause(err, "its cgroup.subtree_control lacks it, and uid %u may not add it", geteuid());
	if (unit)
		return err_hint(err, "let systemd delegate it: Delegate=%s for %s; or drop the limits",
			controller, unit);
	return err_hint(err,
		"let its owner write +%s to it, or systemd delegate it (Delegate=%s); or drop the limits",
		controller, controller);
}

static int explain_enable(
	const char *path, size_t length, const char *controller, int errnum, struct err *err)
{
	char cgroup[PATH_MAX];
	struct str_buf b;

	str_buf_init(&b, cgroup, sizeof(cgroup));
	str_buf_add(&b, "%.*s", length ? (int)length : 1, length ? path : "/");
	err_sys(err, errnum, "cgroup %s cannot hand down the %s controller", cgroup, controller);
	err_about(err, "cgroup", cgroup, errnum == -ENOENT ? NULL : "write");
	if (errnum == -ENOENT)
		return err_cause(err, length ? "its cgroup.controllers lacks it"
					     : "the kernel lacks it, or cgroup v1 has it");
	if (errnum == -EBUSY)
		return err_hint(err,
			"processes are in that cgroup itself, and cgroup v2 then lets it hand down nothing: "
			"move them to a cgroup below it, or choose another linux.cgroupsPath");
	if (errnum == -EACCES || errnum == -EPERM)
		return not_delegated(cgroup, controller, err);
	if (errnum == -EOPNOTSUPP)
		return err_hint(err, "it is threaded; choose another linux.cgroupsPath");
	return errnum;
}

/* Have the cgroup `dirfd`, which is `length` bytes of path, hand down what it has. `needed` must succeed. */
static int hand_down(int dirfd, const char *path, size_t length, const char *needed, struct err *err)
{
	char available[WORDS_MAX], enabled[WORDS_MAX], word[NAME_MAX + 1], text[NAME_MAX + 2];

	if (fd_read_file(dirfd, "cgroup.controllers", available, sizeof(available)) < 0)
		available[0] = '\0';
	if (fd_read_file(dirfd, "cgroup.subtree_control", enabled, sizeof(enabled)) < 0)
		enabled[0] = '\0';
	if (find_missing(needed, available, word))
		return explain_enable(path, length, word, -ENOENT, err);
	for (const char *p = available; next_word(&p, word);) {
		if (str_has_word(enabled, word))
			continue;
		text[0] = '+';
		memcpy(text + 1, word, strlen(word) + 1);
		int r = fd_write_file(dirfd, "cgroup.subtree_control", text);
		if (r < 0 && str_has_word(needed, word))
			return explain_enable(path, length, word, r, err);
	}
	return 0;
}

/* ---- the directories ---- */

static int explain_directory(const char *path, size_t length, int errnum, struct err *err)
{
	char cgroup[PATH_MAX];
	struct str_buf b;

	str_buf_init(&b, cgroup, sizeof(cgroup));
	str_buf_add_bytes(&b, path, length);
	err_sys(err, errnum, "cannot make the cgroup %s", cgroup);
	err_about(err, "cgroup", cgroup, "mkdir");
	if (errnum == -EACCES || errnum == -EPERM)
		return err_hint(err,
			"cgroups above it belong to another user: let systemd delegate one to this user "
			"(systemd-run --user --scope -p Delegate=yes ...)");
	if (errnum == -EROFS)
		return err_hint(err, "cgroup v2 is mounted read-only here, as in most containers");
	if (errnum == -EAGAIN)
		return err_hint(
			err, "cgroup.max.descendants or cgroup.max.depth of a cgroup above it is reached");
	if (errnum == -EEXIST || errnum == -ENOTDIR)
		return err_hint(err, "a file of the kernel has that name");
	return errnum;
}

/* Open `name` in dirfd, making it when it is missing. Returns an fd or -errno. */
static int open_or_make(int dirfd, const char *name, bool *is_new)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

	*is_new = false;
	int fd = openat(dirfd, name, flags);
	if (fd >= 0 || errno != ENOENT)
		return fd < 0 ? -errno : fd;
	if (mkdirat(dirfd, name, DIR_MODE) == 0)
		*is_new = true;
	else if (errno != EEXIST) /* another create may have been faster */
		return -errno;
	fd = openat(dirfd, name, flags);
	return fd < 0 ? -errno : fd;
}

/* A cgroup that is to be, with what it needs. */
struct wish {
	const char *mount;
	const char *path;
	size_t given;       /* bytes of path: see cg_create() */
	const char *needed; /* controllers */
};

/* A cgroup for all containers, which stays: CG_PARENT, or the payload of a unit. */
static bool is_shared(const struct wish *w, const char *place, const char *name)
{
	return w->given ? place == w->path + w->given + 1 : str_eq(name, &CG_PARENT[1]);
}

/*
 * Walk from what is given to the parent of path's last component. *made grows by what is new, see
 * cg_create().
 */
static int prepare_parents(const struct wish *w, unsigned *made, struct err *err)
{
	const char *path = w->path;
	const char *leaf = tree_leaf(path);
	fd_auto int fd = tree_open(w->mount, path, w->given, O_PATH);

	if (fd < 0)
		return err_sys(err, fd, "cannot open %s%.*s", w->mount, (int)w->given, path);
	for (const char *p = path + w->given + 1;; p += strcspn(p, "/") + 1) {
		char name[NAME_MAX + 1];
		size_t length = strcspn(p, "/");
		bool is_new;
		int r = hand_down(fd, path, (size_t)(p - path - 1), w->needed, err);
		if (r < 0 || p == leaf)
			return r;
		memcpy(name, p, length);
		name[length] = '\0';
		int next = open_or_make(fd, name, &is_new);
		if (next < 0)
			return explain_directory(path, (size_t)(p - path) + length, next, err);
		*made = is_shared(w, p, name) ? 0 : *made + is_new;
		fd_close(&fd);
		fd = next;
	}
}

/* Returns the fd of the new or existing cgroup, or -errno without words. */
static int make_leaf(const struct wish *w, unsigned *made)
{
	const char *leaf = tree_leaf(w->path);
	fd_auto int parent = tree_open(w->mount, w->path, (size_t)(leaf - w->path - 1), O_PATH);

	if (parent < 0)
		return parent;
	if (mkdirat(parent, leaf, DIR_MODE) == 0)
		++*made;
	else if (errno != EEXIST)
		return -errno;
	int fd = openat(parent, leaf, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* A cgroup that was there before: nobody may be in it, and what is started in it must run. */
static int check_existing(int fd, const char *path, struct err *err)
{
	char events[128];

	int r = (int)fd_read_file(fd, "cgroup.events", events, sizeof(events));
	if (r < 0)
		return err_sys(err, r, "cannot read cgroup.events of the cgroup %s", path);
	if (strstr(events, "populated 1")) {
		err_set(err, EBUSY, "the cgroup %s exists and has processes in it", path);
		return err_hint(err, "another container may use it; choose another linux.cgroupsPath");
	}
	if (strstr(events, "frozen 1")) {
		err_set(err, EBUSY, "the cgroup %s exists and is frozen", path);
		return err_hint(err, "write 0 into its cgroup.freeze, or choose another linux.cgroupsPath");
	}
	return 0;
}

/* To a cgroup that is there. */
static int hand_down_missing(const struct wish *w, int fd, struct err *err)
{
	char available[WORDS_MAX], word[NAME_MAX + 1];
	unsigned none_is_new = 0;

	if (!*w->needed)
		return 0;
	if (fd_read_file(fd, "cgroup.controllers", available, sizeof(available)) < 0)
		available[0] = '\0';
	return find_missing(w->needed, available, word) ? prepare_parents(w, &none_is_new, err) : 0;
}

static int create(const struct wish *w, unsigned *made, struct err *err)
{
	fd_auto int fd = make_leaf(w, made);
	if (fd == -ENOENT || fd == -ENODEV) { /* no parent, or one that is just being removed */
		int r = prepare_parents(w, made, err);
		if (r < 0)
			return r;
		fd = make_leaf(w, made);
	}
	if (fd < 0)
		return explain_directory(w->path, strlen(w->path), fd, err);
	int r = *made ? 0 : check_existing(fd, w->path, err);
	if (r == 0)
		r = hand_down_missing(w, fd, err);
	return r < 0 ? r : fd_take(&fd);
}

int cg_create(const char *mount, const char *path, size_t given, const char *controllers, unsigned *made,
	struct err *err)
{
	const struct wish wish = {.mount = mount, .path = path, .given = given, .needed = controllers};

	*made = 0;
	int fd = create(&wish, made, err);
	if (fd < 0 && *made) {
		tree_remove_last(mount, path, *made);
		*made = 0;
	}
	return fd;
}

int cg_hand_down(const char *mount, const char *path, int cgroup_fd, const char *controllers, struct err *err)
{
	const struct wish wish = {.mount = mount, .path = path, .needed = controllers};

	return hand_down_missing(&wish, cgroup_fd, err);
}

int cg_enter(const char *mount, const char *path, size_t given, const char *controllers, pid_t pid,
	struct err *err)
{
	const struct wish wish = {.mount = mount, .path = path, .given = given, .needed = controllers};
	unsigned made = 0;
	char text[16];

	if (given == strlen(path))
		return cg_open(mount, path, err);
	fd_auto int fd = make_leaf(&wish, &made);
	if (fd < 0)
		return explain_directory(path, strlen(path), fd, err);
	snprintf(text, sizeof(text), "%d", (int)pid);
	int r = fd_write_file(fd, "cgroup.procs", text);
	if (r < 0)
		return err_sys(err, r, "cannot move a process to the cgroup %s", path);
	r = prepare_parents(&wish, &made, err);
	return r < 0 ? r : fd_take(&fd);
}

int cg_open(const char *mount, const char *path, struct err *err)
{
	int fd = tree_open(mount, path, strlen(path), O_RDONLY);

	return fd < 0 ? err_sys(err, fd, "cannot open the cgroup %s", path) : fd;
}

int cg_clone_error(int cgroup_fd, const char *path, int errnum, struct err *err)
{
	char type[64] = "", enabled[WORDS_MAX] = "";

	errnum = -abs(errnum);
	fd_read_file(cgroup_fd, "cgroup.type", type, sizeof(type));
	fd_read_file(cgroup_fd, "cgroup.subtree_control", enabled, sizeof(enabled));
	err_sys(err, errnum, "cannot start a process in the cgroup %s", path);
	err_about(err, "cgroup", path, "clone3");
	if (errnum == -EBUSY && enabled[0] > ' ')
		return err_hint(err,
			"it hands controllers down to cgroups below it, and then no process can be in it; "
			"choose another linux.cgroupsPath");
	if (errnum == -EOPNOTSUPP && str_starts(type, "domain invalid"))
		return err_hint(err, "a cgroup above it is threaded; choose another linux.cgroupsPath");
	if (errnum == -EAGAIN)
		return err_hint(err, "pids.max of a cgroup above it, or a limit of processes, is reached");
	if (errnum == -EACCES || errnum == -EPERM)
		return err_hint(err, "this user may not move processes there from the cgroup it is in");
	if (errnum == -ENODEV)
		return err_hint(err, "somebody removed it meanwhile");
	return errnum;
}

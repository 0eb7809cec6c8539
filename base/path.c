/*
 * path.c - see path.h.
 */
#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "base/sys.h"

#define LINKS_MAX 40 /* as the kernel's own limit */
#define TRIES_MAX 64 /* openat2 answers EAGAIN when somebody renames under a walk that meets ".." */

int path_open(int root_fd, const char *path, int flags)
{
	int fd = -EAGAIN;

	for (int i = 0; i < TRIES_MAX && fd == -EAGAIN; i++)
		fd = sys_openat2(root_fd, path, (uint64_t)flags, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
	return fd;
}

/*
 * Replace the component path[start..end) - a dangling link in the directory path[0..start) - by its target.
 * Returns 0 to try again, or -errno.
 */
static int follow_dangling(int parent_fd, const char *name, char *path, size_t start, size_t end)
{
	char target[PATH_MAX];
	char joined[PATH_MAX];
	struct str_buf b;

	ssize_t n = readlinkat(parent_fd, name, target, sizeof(target) - 1);
	if (n < 0)
		return errno == EINVAL ? -EEXIST
				       : -errno; /* EINVAL: not a link; somebody else just made it */
	target[n] = '\0';
	str_buf_init(&b, joined, sizeof(joined));
	if (target[0] != '/')
		str_buf_add_bytes(&b, path, start);
	str_buf_add_bytes(&b, target, (size_t)n);
	str_buf_add_bytes(&b, path + end, strlen(path + end));
	if (b.cut)
		return -ENAMETOOLONG;
	memcpy(path, joined, b.length + 1);
	return 0;
}

static int make_component(int parent_fd, const char *name, enum path_kind kind, mode_t dir_mode)
{
	if (kind == PATH_DIRECTORY)
		return mkdirat(parent_fd, name, dir_mode) < 0 ? -errno : 0;
	fd_auto int fd = openat(parent_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	return fd < 0 ? -errno : 0;
}

/*
 * Walk the components of path and create the first ones that do not exist, until all do or a dangling link
 * made us rewrite path (1: look again from the start). Returns 0, 1 or -errno.
 */
static int make_missing(int root_fd, char *path, enum path_kind kind, mode_t dir_mode)
{
	fd_auto int parent = path_open(root_fd, ".", O_PATH | O_DIRECTORY);
	size_t start = 0;

	if (parent < 0)
		return parent;
	while (path[start += strspn(path + start, "/")]) {
		size_t end = start + strcspn(path + start, "/");
		bool last = !path[end + strspn(path + end, "/")];
		char name[NAME_MAX + 1];

		if (end - start > NAME_MAX)
			return -ENAMETOOLONG;
		memcpy(name, path + start, end - start);
		name[end - start] = '\0';

		char saved = path[end];
		path[end] = '\0';
		int next = path_open(root_fd, path, O_PATH);
		path[end] = saved;
		if (next == -ENOENT) {
			int r = make_component(parent, name, last ? kind : PATH_DIRECTORY, dir_mode);
			if (r == -EEXIST) {
				r = follow_dangling(parent, name, path, start, end);
				return r == 0 ? 1 : r;
			}
			if (r < 0)
				return r;
			next = sys_openat2(
				parent, name, O_PATH | O_NOFOLLOW, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
		}
		if (next < 0)
			return next;
		fd_close(&parent);
		parent = next;
		start = end;
	}
	return 0;
}

/* "." and ".." and nothing are no names to make. */
static bool is_name(const char *name)
{
	size_t length = strlen(name);

	return length && length <= NAME_MAX && !str_eq(name, ".") && !str_eq(name, "..");
}

/*
 * The usual case: only the last component is missing. Returns its fd; -EEXIST when it is there after all (a
 * dangling link), -ENOENT when something above it is missing, too.
 */
static int make_last(int root_fd, char *path, enum path_kind kind, mode_t dir_mode)
{
	char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

	if (!is_name(name))
		return -ENOENT;
	char saved = slash ? *slash : '\0';
	if (slash)
		*slash = '\0';
	fd_auto int parent = path_open(root_fd, slash && slash > path ? path : "/", O_PATH | O_DIRECTORY);
	if (slash)
		*slash = saved;
	int r = parent < 0 ? parent : make_component(parent, name, kind, dir_mode);
	return r < 0 ? r
		     : sys_openat2(
			       parent, name, O_PATH | O_NOFOLLOW, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
}

/* Apart, since its buffers are pages of stack that the usual case does without. */
static __attribute__((noinline)) int make(int root_fd, const char *path, enum path_kind kind, mode_t dir_mode)
{
	char buf[PATH_MAX];
	int fd = -ENOENT;

	if (strlen(path) >= sizeof(buf))
		return -ENAMETOOLONG;
	memcpy(buf, path, strlen(path) + 1);
	for (int i = 0; i <= LINKS_MAX && fd == -ENOENT; i++) {
		fd = make_last(root_fd, buf, kind, dir_mode);
		if (fd != -EEXIST && fd != -ENOENT)
			return fd;
		int r = make_missing(root_fd, buf, kind, dir_mode);
		if (r < 0)
			return r;
		fd = path_open(root_fd, buf, O_PATH);
	}
	return fd == -ENOENT ? -ELOOP : fd;
}

int path_make(int root_fd, const char *path, enum path_kind kind, mode_t dir_mode, bool *created)
{
	int fd = path_open(root_fd, path, O_PATH);

	if (created)
		*created = fd == -ENOENT;
	return fd == -ENOENT ? make(root_fd, path, kind, dir_mode) : fd;
}

int path_make_parent(int root_fd, const char *path, mode_t dir_mode, const char **name)
{
	char dir[PATH_MAX];
	size_t end = strlen(path);

	while (end && path[end - 1] != '/')
		end--;
	*name = path + end;
	if (!**name || str_eq(*name, ".") || str_eq(*name, ".."))
		return -EINVAL;
	if (end >= sizeof(dir))
		return -ENAMETOOLONG;
	memcpy(dir, path, end);
	dir[end] = '\0';
	return path_make(root_fd, end ? dir : "/", PATH_DIRECTORY, dir_mode, NULL);
}

ssize_t path_clean(const char *path, char *buf, size_t size)
{
	size_t length = 0;

	if (size < 2)
		return -ENAMETOOLONG;
	while (*(path += strspn(path, "/"))) {
		size_t n = strcspn(path, "/");
		if (n == 2 && path[0] == '.' && path[1] == '.') {
			while (length && buf[--length] != '/')
				;
		} else if (!(n == 1 && path[0] == '.')) {
			if (length + n + 2 > size)
				return -ENAMETOOLONG;
			buf[length++] = '/';
			memcpy(buf + length, path, n);
			length += n;
		}
		path += n;
	}
	if (!length)
		buf[length++] = '/';
	buf[length] = '\0';
	return (ssize_t)length;
}

bool path_is_below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	if (n == 1) /* "/" */
		return true;
	return strncmp(path, dir, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

/*
 * tree.c - see tree.h. Nothing here knows what a cgroup is for.
 */
#include "libcontainer/cgroup/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "base/sys.h"

int tree_open(const char *mount, const char *path, size_t length, int flags)
{
	char text[PATH_MAX];

	int n = snprintf(text, sizeof(text), "%s%.*s", mount, (int)length, path);
	if (n < 0 || (size_t)n >= sizeof(text))
		return -ENAMETOOLONG;
	return sys_openat2(AT_FDCWD, text, (uint64_t)flags | O_DIRECTORY, 0, RESOLVE_NO_SYMLINKS);
}

const char *tree_leaf(const char *path)
{
	return strrchr(path, '/') + 1;
}

int tree_remove_last(const char *mount, const char *path, unsigned count)
{
	char rest[PATH_MAX];
	int result = 0;

	snprintf(rest, sizeof(rest), "%s", path);
	for (unsigned i = 0; i < count && *rest; i++) {
		char *leaf = strrchr(rest, '/');
		*leaf++ = '\0';
		fd_auto int parent = tree_open(mount, rest, strlen(rest), O_PATH);
		int r = parent < 0 ? parent : unlinkat(parent, leaf, AT_REMOVEDIR) < 0 ? -errno : 0;
		if (r < 0 && r != -ENOENT && i == 0)
			result = r;
		if (r < 0 && r != -ENOENT)
			break;
	}
	return result;
}

int tree_next_child(struct tree_dir *d, char name[NAME_MAX + 1])
{
	for (;;) {
		if (d->at == d->end) {
			ssize_t n = getdents64(d->fd, d->entries, sizeof(d->entries));
			if (n < 0 && errno == ENOENT)
				return 0; /* the directory itself is gone */
			if (n <= 0)
				return n < 0 ? -errno : 0;
			d->at = 0;
			d->end = (size_t)n;
		}
		const struct dirent64 *entry = (const void *)(d->entries + d->at);
		d->at += entry->d_reclen;
		if (entry->d_type == DT_DIR && !str_eq(entry->d_name, ".") && !str_eq(entry->d_name, "..")) {
			snprintf(name, NAME_MAX + 1, "%s", entry->d_name);
			return 1;
		}
	}
}

static int visit_below(int fd, unsigned depth, int (*visit)(int cgroup_fd, void *context), void *context)
{
	struct tree_dir dir = {.fd = fd};
	char name[NAME_MAX + 1];

	int r = visit(fd, context);
	if (r < 0)
		return r;
	while ((r = tree_next_child(&dir, name)) > 0) {
		if (depth == TREE_DEPTH_MAX)
			return -ELOOP;
		fd_auto int child = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (child < 0 && errno == ENOENT)
			continue;
		r = child < 0 ? -errno : visit_below(child, depth + 1, visit, context);
		if (r < 0)
			return r;
	}
	return r;
}

int tree_visit(int cgroup_fd, int (*visit)(int cgroup_fd, void *context), void *context)
{
	/* an open of its own: the position of the caller's is not ours */
	fd_auto int fd = openat(cgroup_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : visit_below(fd, 0, visit, context);
}

/*
 * tree.h - steps in the directory tree of cgroup v2, for the files of this folder.
 */
#ifndef CGROUP_TREE_H
#define CGROUP_TREE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/*
 * Open the directory `length` bytes of `path` name below the mount; no symbolic link is followed. `flags` are
 * O_PATH or O_RDONLY. Returns an fd or -errno.
 */
int tree_open(const char *mount, const char *path, size_t length, int flags);

/* The last component's start in a path that begins with '/'. */
const char *tree_leaf(const char *path);

/* Remove the last `count` directories of the path, innermost first. Returns 0 or -errno of the first. */
int tree_remove_last(const char *mount, const char *path, unsigned count);

struct tree_dir {
	int fd; /* borrowed; its position is used */
	size_t at, end;
	_Alignas(8) char entries[2048];
};

/* The next directory in d->fd. Returns 1 with its name, 0 at the end, or -errno. Begin with {.fd = fd}. */
int tree_next_child(struct tree_dir *d, char name[NAME_MAX + 1]);

/*
 * Call visit for the cgroup and for each one below it. Returns 0, the first negative value visit returned, or
 * -errno; -ELOOP for a tree deeper than TREE_DEPTH_MAX.
 */
#define TREE_DEPTH_MAX 64
int tree_visit(int cgroup_fd, int (*visit)(int cgroup_fd, void *context), void *context);

#endif

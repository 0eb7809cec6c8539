/*
 * walk.h - where a path leads, one component after the other: to find the one that a system call has refused.
 *
 * For explaining a failure, never for opening what will be used. Symbolic links are followed as the kernel
 * does in the caller's root, or in another, with the caller's ids; nothing is opened but by O_PATH. Safe in
 * init: no allocation.
 */
#ifndef BASE_WALK_H
#define BASE_WALK_H

#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>

enum walk_end {
	WALK_FOUND,          /* the whole path: st and fd are of what it names */
	WALK_MISSING,        /* `path` does not exist */
	WALK_NO_DIRECTORY,   /* `path` (st) is not a directory, and the path goes on */
	WALK_NOT_SEARCHABLE, /* `path` (st) is a directory that this process may not search */
	WALK_LOOP,           /* more than 40 symbolic links */
	WALK_FAILED,         /* anything else: the walk itself was refused */
};

struct walk {
	enum walk_end end;
	int fd;                  /* O_PATH; -1 unless found */
	int parent_fd;           /* of the directory that holds it; -1 unless found */
	bool more;               /* there were components left */
	struct stat st;          /* see above */
	char name[NAME_MAX + 1]; /* of what was found, in parent_fd */
	char path[PATH_MAX];     /* up to where the walk came, links resolved */
	char link[PATH_MAX];     /* the last symbolic link that was followed; empty: none */
};

/* A relative path begins at dirfd, or at the current directory for AT_FDCWD. walk_end() closes the fds. */
void walk_begin(struct walk *w, int dirfd, const char *path);

/* With the root of base/path.h: "/" is root_fd, and nothing is above it. */
void walk_begin_inside(struct walk *w, int root_fd, const char *path);

void walk_end(struct walk *w);

#endif

/*
 * path.h - paths inside a root that somebody else controls.
 *
 * A path below the rootfs, /dev or /proc of a container is never used as a string: these functions turn it
 * into an O_PATH fd, resolved by the kernel with the root's fd as "/" (openat2, RESOLVE_IN_ROOT) and with no
 * way through magic links, and everything that follows works on that fd. Safe in init: no allocation.
 */
#ifndef BASE_PATH_H
#define BASE_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * Open `path` inside root_fd ("/a", "a" and "../a" mean the same). Symbolic links are followed inside the
 * root, the last one too unless flags hold O_NOFOLLOW. flags are those of open(2); O_CLOEXEC is implied.
 * Returns an fd or -errno (ENOENT, ENOTDIR, ELOOP, EACCES, ENAMETOOLONG ...).
 */
int path_open(int root_fd, const char *path, int flags);

enum path_kind { PATH_DIRECTORY, PATH_FILE };

/*
 * The same with O_PATH, creating what is missing: directories with dir_mode, and an empty regular file of
 * mode 0644 last when kind is PATH_FILE. A dangling symbolic link is followed inside the root and its target
 * is created. Each component is created relative to the fd of its parent. *created says whether the last
 * component is new (may be NULL). Returns an O_PATH fd or -errno.
 */
int path_make(int root_fd, const char *path, enum path_kind kind, mode_t dir_mode, bool *created);

/*
 * Open the directory that holds the last component of `path` (creating it) and point *name at that component.
 * For what is made by name in a directory: device nodes, symbolic links. -EINVAL if there is no such name.
 */
int path_make_parent(int root_fd, const char *path, mode_t dir_mode, const char **name);

/*
 * Lexically clean an absolute path into buf: one slash between components, no "." and "..", no slash at the
 * end but for "/". A relative path is taken from "/". Returns its length, or -ENAMETOOLONG.
 */
ssize_t path_clean(const char *path, char *buf, size_t size);

/* Is the cleaned `path` equal to the cleaned `dir` or below it? */
bool path_is_below(const char *path, const char *dir);

#endif

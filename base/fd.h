/*
 * fd.h - file descriptors: ownership, whole reads and writes.
 *
 * `int fd` borrows, `int *fd` consumes and leaves -1 behind, a returned fd is the caller's. Every handle
 * starts at -1; `fd_auto int fd = -1;` closes at the end of its scope. Everything opened here is O_CLOEXEC.
 */
#ifndef BASE_FD_H
#define BASE_FD_H

#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "base/arena.h"
#include "base/err.h"

/* Close *fd if it is one and set it to -1. Keeps errno. */
void fd_close(int *fd);
#define fd_auto __attribute__((cleanup(fd_close)))

/* Move an fd out of its variable: `return fd_take(&fd);` */
int fd_take(int *fd);

/* Read until end of file or `size` bytes. Returns the count or -errno. Restarts on EINTR. */
ssize_t fd_read(int fd, void *buf, size_t size);

/* Write all of it; 0 or -errno. Restarts on EINTR. */
int fd_write(int fd, const void *buf, size_t size);

/*
 * Read the file `name` below dirfd (AT_FDCWD allowed) into buf as a string. Returns its length or -errno;
 * -EFBIG when it does not fit. For the small files of procfs and cgroupfs.
 */
ssize_t fd_read_file(int dirfd, const char *name, char *buf, size_t size);

/* Read a whole file of at most max bytes into the arena, NUL-terminated. Returns the length or -errno
 * (EFBIG). */
ssize_t fd_read_all(int fd, struct arena *a, size_t max, char **text);

/* Open, write `text` with one write(2), close: for files of procfs and cgroupfs. 0 or -errno. */
int fd_write_file(int dirfd, const char *name, const char *text);

/*
 * Replace the file `name` below dirfd by one with this content: written beside it, then renamed, so that a
 * reader sees the old or the new text and a crash leaves one of them. Not synced: these files live on tmpfs.
 */
int fd_replace_file(int dirfd, const char *name, const void *text, size_t length, mode_t mode);

/* The same with content that lies in several places. */
int fd_replace_file_by(
	int dirfd, const char *name, const struct iovec *parts, size_t parts_count, mode_t mode);

/*
 * Connect to the stream socket `path` and send `text` and, with its first byte, one fd; then hang up. 0 or
 * -errno. For terminals, listeners and pidfds that somebody waits for.
 */
int fd_send_over(const char *path, const void *text, size_t length, int fd);

#endif

/*
 * diagnose.h - why the kernel has refused a path or a program, asked after it has.
 *
 * "Permission denied" does not say which component of the path, "No such file or directory" not whether the
 * program or its interpreter. A diagnosis walks the path again (base/walk.h) and reads the beginning of the
 * program, with the ids of the caller, in the caller's root: so it belongs into the process that was refused.
 * What it finds may be hostile: reads are bounded, nothing but regular files is opened for reading, and what
 * is quoted is made fit for a terminal. Safe in init: no allocation. Wrong at worst, when things change
 * meanwhile: it explains, and decides nothing.
 */
#ifndef BASE_DIAGNOSE_H
#define BASE_DIAGNOSE_H

struct diagnosis {
	char cause[512]; /* empty: nothing is known */
	char hint[256];  /* what to do about it; may be empty */
};

/* Why opening, or searching, `path` failed with errnum (either sign); relative to dirfd or AT_FDCWD. */
void diagnose_path(int dirfd, const char *path, int errnum, struct diagnosis *d);

/* The same for a path inside a root, see base/path.h, which had to be made if it was missing. */
void diagnose_path_inside(int root_fd, const char *path, int errnum, struct diagnosis *d);

/* Why execve of `path` failed with errnum (either sign). */
void diagnose_program(const char *path, int errnum, struct diagnosis *d);

/* Add cause and target to an error that was just set, for a path of the host. Returns -e->code. */
struct err;
int diagnose_err(struct err *e, int dirfd, const char *path);

/* For both: say why a walk did not come to its end. */
struct str_buf;
struct walk;
void diagnose_walk(const struct walk *w, struct str_buf *out);

/* For both: the caller, "uid 1000, gid 1000", and a file's permissions, "mode 0700, owner 0:0". */
struct stat;
void diagnose_caller(struct str_buf *out);
void diagnose_mode(const struct stat *st, struct str_buf *out);

#endif

/*
 * diagnose.c - the path: which of its components is missing, not a directory, or not to be searched.
 */
#include "base/diagnose.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/str.h"
#include "base/walk.h"

void diagnose_caller(struct str_buf *out)
{
	str_buf_add(out, "uid %u, gid %u", geteuid(), getegid());
}

void diagnose_mode(const struct stat *st, struct str_buf *out)
{
	str_buf_add(out, "mode %04o, owner %u:%u", (unsigned)st->st_mode & 07777, st->st_uid, st->st_gid);
}

static void missing(const struct walk *w, struct str_buf *out)
{
	if (w->link[0])
		str_buf_add(out, "the symbolic link %s leads to %s, which does not exist", w->link, w->path);
	else
		str_buf_add(out, "%s%s does not exist", w->more ? "the directory " : "", w->path);
}

void diagnose_walk(const struct walk *w, struct str_buf *out)
{
	switch (w->end) {
	case WALK_MISSING:
		missing(w, out);
		break;
	case WALK_NO_DIRECTORY:
		str_buf_add(out, "%s is not a directory", w->path);
		break;
	case WALK_NOT_SEARCHABLE:
		str_buf_add(out, "the directory %s (", *w->path ? w->path : ".");
		diagnose_mode(&w->st, out);
		str_buf_add(out, ") may not be searched by ");
		diagnose_caller(out);
		break;
	case WALK_LOOP:
		str_buf_add(out, "symbolic links lead in a circle, %s is one of them", w->link);
		break;
	case WALK_FOUND:
	case WALK_FAILED:
		break;
	}
}

/* The whole path is there; only its permissions are left as a reason. */
static void refused(const struct walk *w, int errnum, struct str_buf *out)
{
	if (errnum == EACCES) {
		str_buf_add(out, "%s has ", w->path);
		diagnose_mode(&w->st, out);
		str_buf_add(out, "; this is ");
		diagnose_caller(out);
	} else if (errnum == ENOTDIR && !S_ISDIR(w->st.st_mode)) {
		str_buf_add(out, "%s is not a directory", w->path);
	}
}

/* What is to be made is not there yet; the directory that it would be in is what refuses. */
static bool not_writable(const struct walk *w, int errnum, struct str_buf *out)
{
	const char *slash = strrchr(w->path, '/');

	if (errnum != EACCES || w->end != WALK_MISSING || w->more)
		return false;
	str_buf_add(out, "the directory %.*s (", slash ? (int)(slash - w->path) + (slash == w->path) : 1,
		slash ? w->path : ".");
	diagnose_mode(&w->st, out);
	str_buf_add(out, ") may not be written by ");
	diagnose_caller(out);
	return true;
}

static bool is_of_a_component(int errnum)
{
	return errnum == ENOENT || errnum == ENOTDIR || errnum == EACCES || errnum == ELOOP;
}

/* Consumes the walk. */
static void explain(struct walk *w, int errnum, struct diagnosis *d)
{
	struct str_buf cause;

	str_buf_init(&cause, d->cause, sizeof(d->cause));
	if (w->end == WALK_FOUND)
		refused(w, errnum, &cause);
	else if (!not_writable(w, errnum, &cause))
		diagnose_walk(w, &cause);
	walk_end(w);
	str_make_printable(d->cause);
}

void diagnose_path(int dirfd, const char *path, int errnum, struct diagnosis *d)
{
	struct walk w;

	*d = (struct diagnosis){0};
	if (!is_of_a_component(abs(errnum)))
		return;
	walk_begin(&w, dirfd, path);
	explain(&w, abs(errnum), d);
}

void diagnose_path_inside(int root_fd, const char *path, int errnum, struct diagnosis *d)
{
	struct walk w;

	*d = (struct diagnosis){0};
	if (!is_of_a_component(abs(errnum)) && abs(errnum) != EROFS)
		return;
	walk_begin_inside(&w, root_fd, path);
	explain(&w, abs(errnum), d);
}

int diagnose_err(struct err *e, int dirfd, const char *path)
{
	struct diagnosis d;

	if (!e)
		return -EINVAL;
	diagnose_path(dirfd, path, e->code, &d);
	err_about(e, NULL, path, NULL);
	return err_cause(e, "%s", d.cause);
}

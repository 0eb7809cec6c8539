/*
 * directory.c - the directories below the root: whose id is taken, who holds the lock, what is removed.
 *
 * A container's directory is opened without following symbolic links, and looked up again by name once the
 * lock is held: the one who had it may have been `delete`, and the same id may belong to a new container.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/diagnose.h"
#include "base/fd.h"
#include "base/str.h"
#include "libcontainer/state/state.h"

#define OPEN_DIRECTORY (O_RDONLY | O_DIRECTORY | O_CLOEXEC)

#define INITIAL_USER_NAMESPACE 0xEFFFFFFDu /* its inode number, fixed since Linux 3.8 */

/* Root of a user namespace is an ordinary user to /run: rootless engines call us so. */
static bool in_user_namespace(void)
{
	struct stat st;

	return stat("/proc/self/ns/user", &st) == 0 && st.st_ino != INITIAL_USER_NAMESPACE;
}

const char *state_root_path(const char *root, char *buf, size_t size, struct err *err)
{
	if (root)
		return root;
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	if (geteuid() == 0 && !(runtime && in_user_namespace()))
		return "/run/crt";
	if (!runtime || runtime[0] != '/') {
		err_set(err, EINVAL, "no state directory: $XDG_RUNTIME_DIR is not set");
		err_hint(err, "log in through a session manager, or choose one with --root DIR");
		return NULL;
	}
	int n = snprintf(buf, size, "%s/crt", runtime);
	if (n < 0 || (size_t)n >= size) {
		err_set(err, ENAMETOOLONG, "$XDG_RUNTIME_DIR is too long");
		return NULL;
	}
	return buf;
}

/* mkdir -p with mode 0700. */
static int make_directories(const char *path)
{
	char part[PATH_MAX];

	for (const char *end = path; *end;) {
		end += strspn(end, "/");
		end += strcspn(end, "/");
		if ((size_t)(end - path) >= sizeof(part))
			return -ENAMETOOLONG;
		memcpy(part, path, (size_t)(end - path));
		part[end - path] = '\0';
		if (mkdir(part, 0700) < 0 && errno != EEXIST)
			return -errno;
	}
	return 0;
}

/* Another user who may rename in the root could put a state of his own under any id. */
static int check_root(int fd, const char *path, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(err, errno, "cannot stat the state directory %s", path);
	if ((st.st_mode & S_IWOTH) && !(st.st_mode & S_ISVTX)) {
		err_set(err, EPERM, "the state directory %s is writable for everyone", path);
		return err_hint(err, "chmod 0700 %s", path);
	}
	return 0;
}

static int root_refused(int error, const char *what, const char *path, struct err *err)
{
	int r = err_sys(err, error, "cannot %s the state directory %s", what, path);

	err_about(err, "state", NULL, NULL);
	diagnose_err(err, AT_FDCWD, path);
	return r;
}

int state_root_open(const char *root, bool create, struct err *err)
{
	char buf[PATH_MAX];
	const char *path = state_root_path(root, buf, sizeof(buf), err);

	if (!path)
		return -EINVAL;
	fd_auto int fd = open(path, OPEN_DIRECTORY);
	if (fd < 0 && errno == ENOENT && create) {
		int r = make_directories(path);
		if (r < 0)
			return root_refused(r, "make", path, err);
		fd = open(path, OPEN_DIRECTORY);
	}
	if (fd < 0)
		return root_refused(errno, "open", path, err);
	int r = check_root(fd, path, err);
	return r < 0 ? r : fd_take(&fd);
}

int state_id_check(const char *id, struct err *err)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-.";
	size_t length = id ? strlen(id) : 0;

	if (length && length <= STATE_ID_MAX && id[0] != '.' && id[strspn(id, allowed)] == '\0')
		return 0;
	if (length > STATE_ID_MAX)
		err_set(err, EINVAL, "the container id is longer than %d bytes", STATE_ID_MAX);
	else
		err_set(err, EINVAL, "invalid container id \"%s\"", length ? id : "");
	return err_hint(err, "an id is made of letters, digits and _ + - . and does not begin with a dot");
}

static int no_such_container(const char *id, struct err *err)
{
	return err_set(err, ENOENT, "container \"%s\" does not exist", id);
}

/* Is `name` still the directory that dirfd is? Returns 0, or -ENOENT when it is gone or another one. */
static int check_linked(int root_fd, const char *id, const struct stat *opened, struct err *err)
{
	struct stat named;

	if (fstatat(root_fd, id, &named, AT_SYMLINK_NOFOLLOW) < 0 || named.st_ino != opened->st_ino ||
		named.st_dev != opened->st_dev)
		return no_such_container(id, err);
	return 0;
}

static int lock(int dirfd)
{
	while (flock(dirfd, LOCK_EX) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

/* Say what the owner of the id is doing. */
static int id_is_taken(int root_fd, const char *id, struct err *err)
{
	arena_auto struct arena arena = {0};
	struct state *state = NULL;
	fd_auto int dirfd = state_open(root_fd, id, STATE_LOOK, NULL);

	if (dirfd < 0 || arena_init(&arena, NULL) < 0 || state_read(&arena, dirfd, &state, NULL) < 0)
		state = NULL;
	enum spec_status status = dirfd < 0 ? SPEC_STATUS_STOPPED : state_status(dirfd, state);
	err_set(err, EEXIST, "container \"%s\" exists already (%s)", id, spec_status_name(status));
	if (status == SPEC_STATUS_STOPPED)
		return err_hint(err, "\"crt delete %s\" removes it", id);
	return err_hint(err, "choose another id, or see \"crt list\"");
}

/* In the directory that was just made. Returns its fd, locked, or -errno. */
static int claim(int root_fd, const char *id, struct err *err)
{
	struct stat st;
	fd_auto int fd = openat(root_fd, id, OPEN_DIRECTORY | O_NOFOLLOW);
	int r = fd < 0 ? -errno : lock(fd);

	if (r == 0 && fstat(fd, &st) < 0)
		r = -errno;
	if (r < 0) {
		unlinkat(root_fd, id, AT_REMOVEDIR);
		return err_sys(err, r, "cannot lock the state directory of container \"%s\"", id);
	}
	/* A delete --force may have come between mkdir and the lock, and after it another create. */
	r = check_linked(root_fd, id, &st, err);
	if (r == 0 && faccessat(fd, STATE_FILE, F_OK, 0) == 0)
		r = id_is_taken(root_fd, id, err);
	return r < 0 ? r : fd_take(&fd);
}

int state_claim(int root_fd, const char *id, struct err *err)
{
	int r = state_id_check(id, err);

	if (r < 0)
		return r;
	if (mkdirat(root_fd, id, 0700) < 0) {
		if (errno == EEXIST)
			return id_is_taken(root_fd, id, err);
		return err_sys(err, errno, "cannot make the state directory of container \"%s\"", id);
	}
	return claim(root_fd, id, err);
}

int state_open(int root_fd, const char *id, enum state_lock wanted, struct err *err)
{
	struct stat st;
	fd_auto int fd = openat(root_fd, id, OPEN_DIRECTORY | O_NOFOLLOW);

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
		return no_such_container(id, err);
	if (fd < 0)
		return err_sys(err, errno, "cannot open the state directory of container \"%s\"", id);
	if (wanted == STATE_LOOK)
		return fd_take(&fd);
	if (fstat(fd, &st) < 0)
		return err_sys(err, errno, "cannot stat the state directory of container \"%s\"", id);
	if (st.st_uid != geteuid()) {
		err_set(err, EPERM, "container \"%s\" belongs to the user with id %u", id, st.st_uid);
		return err_hint(err, "run the command as that user");
	}
	if (wanted == STATE_OWN)
		return fd_take(&fd);
	int r = lock(fd);
	if (r < 0)
		return err_sys(err, r, "cannot lock container \"%s\"", id);
	r = check_linked(root_fd, id, &st, err);
	return r < 0 ? r : fd_take(&fd);
}

int state_find(const char *root, const char *id, enum state_lock wanted, int *root_fd, struct err *err)
{
	int r = state_id_check(id, err);

	if (r < 0)
		return r;
	fd_auto int fd = state_root_open(root, false, err);
	if (fd == -ENOENT)
		return no_such_container(id, err);
	if (fd < 0)
		return fd;
	r = state_open(fd, id, wanted, err);
	if (r >= 0 && root_fd)
		*root_fd = fd_take(&fd);
	return r;
}

void state_unlock(int dirfd)
{
	flock(dirfd, LOCK_UN);
}

int state_relock(int dirfd, struct err *err)
{
	struct stat st;

	int r = lock(dirfd);
	if (r == 0 && fstat(dirfd, &st) < 0)
		r = -errno;
	if (r < 0)
		return err_sys(err, r, "cannot lock the container's directory again");
	return st.st_nlink ? 0 : err_set(err, ENOENT, "the container has been deleted");
}

/* The one folder, with one file. */
static int remove_notify(int dirfd)
{
	if (unlinkat(dirfd, STATE_NOTIFY_SOCKET, 0) < 0 && errno != ENOENT)
		return -1;
	return unlinkat(dirfd, STATE_NOTIFY, AT_REMOVEDIR);
}

/* Remove every file of dirfd but state.json, which goes last: without it the container is only an id. */
static int remove_files(int dirfd)
{
	char buf[2048] __attribute__((aligned(__alignof__(struct dirent64))));
	long n;

	if (lseek(dirfd, 0, SEEK_SET) < 0)
		return -errno;
	while ((n = syscall(SYS_getdents64, dirfd, buf, sizeof(buf))) > 0) {
		for (long at = 0; at < n;) {
			const struct dirent64 *e = (const struct dirent64 *)(buf + at);
			at += e->d_reclen;
			if (str_eq(e->d_name, ".") || str_eq(e->d_name, "..") ||
				str_eq(e->d_name, STATE_FILE))
				continue;
			if (unlinkat(dirfd, e->d_name, 0) == 0 || errno == ENOENT)
				continue;
			if (errno != EISDIR || !str_eq(e->d_name, STATE_NOTIFY) || remove_notify(dirfd) < 0)
				return -errno;
		}
	}
	if (n < 0)
		return errno == ENOENT ? 0 : -errno; /* the directory itself is gone */
	return unlinkat(dirfd, STATE_FILE, 0) < 0 && errno != ENOENT ? -errno : 0;
}

int state_remove(int root_fd, const char *id, int dirfd, struct err *err)
{
	int r = remove_files(dirfd);

	if (r == 0 && unlinkat(root_fd, id, AT_REMOVEDIR) < 0 && errno != ENOENT)
		r = -errno;
	if (r < 0)
		return err_sys(err, r, "cannot remove the state directory of container \"%s\"", id);
	return 0;
}

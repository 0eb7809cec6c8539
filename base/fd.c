/*
 * fd.c - see fd.h.
 */
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

void fd_close(int *fd)
{
	if (*fd >= 0) {
		int saved = errno;
		close(*fd);
		errno = saved;
	}
	*fd = -1;
}

int fd_take(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

ssize_t fd_read(int fd, void *buf, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = read(fd, (char *)buf + done, size - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

int fd_write(int fd, const void *buf, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = write(fd, (const char *)buf + done, size - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		done += (size_t)n;
	}
	return 0;
}

ssize_t fd_read_file(int dirfd, const char *name, char *buf, size_t size)
{
	fd_auto int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return -errno;
	ssize_t n = fd_read(fd, buf, size);
	if (n < 0)
		return n;
	if ((size_t)n == size)
		return -EFBIG;
	buf[n] = '\0';
	return n;
}

ssize_t fd_read_all(int fd, struct arena *a, size_t max, char **text)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	/* A regular file says how long it is; anything else (a pipe, procfs) is read up to the limit. */
	size_t room = S_ISREG(st.st_mode) && st.st_size > 0 ? (size_t)st.st_size + 1 : max + 1;
	if (room > max + 1)
		return -EFBIG;
	char *buf = arena_alloc(a, room + 1);
	ssize_t n = fd_read(fd, buf, room);
	if (n < 0)
		return n;
	if ((size_t)n == room)
		return -EFBIG; /* longer than allowed, or it grew under our hands */
	buf[n] = '\0';
	*text = buf;
	return n;
}

int fd_write_file(int dirfd, const char *name, const char *text)
{
	fd_auto int fd = openat(dirfd, name, O_WRONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		return -errno;
	return 0;
}

int fd_replace_file_by(
	int dirfd, const char *name, const struct iovec *parts, size_t parts_count, mode_t mode)
{
	char temporary[280];

	/* One of that name is the rest of a crash, or a trap (a fifo, a link) in a directory that others
	 * write to. */
	snprintf(temporary, sizeof(temporary), ".%.230s.tmp%d", name, (int)getpid());
	unlinkat(dirfd, temporary, 0);
	fd_auto int fd = openat(dirfd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return -errno;
	int r = 0;
	for (size_t i = 0; i < parts_count && r == 0; i++)
		r = fd_write(fd, parts[i].iov_base, parts[i].iov_len);
	if (r == 0 && renameat(dirfd, temporary, dirfd, name) < 0)
		r = -errno;
	if (r < 0)
		unlinkat(dirfd, temporary, 0);
	return r;
}

int fd_replace_file(int dirfd, const char *name, const void *text, size_t length, mode_t mode)
{
	const struct iovec all = {(void *)text, length};

	return fd_replace_file_by(dirfd, name, &all, 1, mode);
}

static int connect_to(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path) + 1);
	fd_auto int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	return fd_take(&fd);
}

int fd_send_over(const char *path, const void *text, size_t length, int fd)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {.header = {CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
	fd_auto int socket = connect_to(path);

	if (socket < 0)
		return socket;
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	for (size_t sent = 0; sent < length;) {
		struct iovec rest = {(char *)text + sent, length - sent};
		struct msghdr m = {.msg_iov = &rest, .msg_iovlen = 1};
		if (sent == 0) {
			m.msg_control = &control;
			m.msg_controllen = sizeof(control);
		}
		ssize_t n = sendmsg(socket, &m, MSG_NOSIGNAL);
		if (n < 0 && errno != EINTR)
			return -errno;
		sent += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

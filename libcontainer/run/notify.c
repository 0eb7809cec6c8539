/*
 * notify.c - see notify.h.
 *
 * A container is not trusted: of its lines those pass that say how the service fares. Which process the
 * service is, which fds are to be kept, and who may say so (MAINPID, FDSTORE, NOTIFYACCESS, BARRIER ...) is
 * not for it to say; fds that come along are dropped, since no room is made for them.
 */
#include "libcontainer/run/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "libcontainer/state/state.h"

#define MESSAGE_MAX 4096 /* bytes; systemd's own limit */
#define AT_ONCE     64   /* messages, before the others that wait have their turn */

int notify_prepare(int dir_fd, struct err *err)
{
	if (mkdirat(dir_fd, STATE_NOTIFY, 0700) < 0 && errno != EEXIST)
		return err_sys(err, errno, "cannot make the folder of the notification socket");
	/* Whatever the umask, and whoever the container's user is. */
	if (fchmodat(dir_fd, STATE_NOTIFY, 0755, 0) < 0)
		return err_sys(
			err, errno, "cannot open the folder of the notification socket to the container");
	return 0;
}

bool notify_is_prepared(int dir_fd)
{
	return faccessat(dir_fd, STATE_NOTIFY, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

int notify_listen(int dir_fd, struct err *err)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	fd_auto int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	unlinkat(dir_fd, STATE_NOTIFY_SOCKET, 0);
	snprintf(name.sun_path, sizeof(name.sun_path), "/proc/self/fd/%d/" STATE_NOTIFY_SOCKET, dir_fd);
	if (fd < 0 || bind(fd, (struct sockaddr *)&name, sizeof(name)) < 0 ||
		fchmodat(dir_fd, STATE_NOTIFY_SOCKET, 0777, 0) < 0)
		return err_sys(err, errno, "cannot make the container's notification socket");
	return fd_take(&fd);
}

/* The lines that may pass; what follows the '=' is for the manager to judge. */
static bool may_pass(const char *line, size_t length)
{
	static const char *const names[] = {
		"READY=1", "RELOADING=1", "STOPPING=1", "WATCHDOG=1", "STATUS=", "MONOTONIC_USEC="};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		size_t n = strlen(names[i]);
		bool is_prefix = names[i][n - 1] == '=';
		if (length >= n && memcmp(line, names[i], n) == 0 && (is_prefix || length == n))
			return true;
	}
	return false;
}

static void send_to(const char *address, const char *text, size_t length)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	size_t n = strlen(address);
	fd_auto int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || n < 2 || n >= sizeof(name.sun_path) || (address[0] != '/' && address[0] != '@'))
		return;
	memcpy(name.sun_path, address, n);
	if (address[0] == '@')
		name.sun_path[0] = '\0';
	sendto(fd, text, length, MSG_NOSIGNAL, (struct sockaddr *)&name,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + (address[0] == '/')));
}

static bool is_ready(const char *line, size_t length)
{
	return length == strlen("READY=1") && memcmp(line, "READY=1", length) == 0;
}

int notify_forward(int fd, const char *address, pid_t main_pid)
{
	char message[MESSAGE_MAX], text[MESSAGE_MAX + 32];
	int ready = 0;

	for (int i = 0; i < AT_ONCE && !(ready && main_pid); i++) {
		struct str_buf out;
		ssize_t n = recv(fd, message, sizeof(message), MSG_TRUNC | MSG_DONTWAIT);
		if (n < 0)
			break;
		if ((size_t)n > sizeof(message) || memchr(message, '\0', (size_t)n))
			continue;
		str_buf_init(&out, text, sizeof(text));
		for (const char *line = message, *end = message + n; line < end;) {
			const char *stop = memchr(line, '\n', (size_t)(end - line));
			size_t length = stop ? (size_t)(stop - line) : (size_t)(end - line);
			if (may_pass(line, length))
				str_buf_add(&out, "%.*s\n", (int)length, line);
			ready |= is_ready(line, length);
			line += length + 1;
		}
		if (ready && main_pid)
			str_buf_add(&out, "MAINPID=%d\n", (int)main_pid);
		if (out.length)
			send_to(address, text, out.length);
	}
	return ready;
}

void notify_until_ready(int fd, int pidfd, const char *address, pid_t main_pid)
{
	for (;;) {
		struct pollfd fds[] = {{.fd = fd, .events = POLLIN}, {.fd = pidfd, .events = POLLIN}};
		int n = poll(fds, ARRAY_SIZE(fds), -1);
		if (n < 0 && errno != EINTR)
			return;
		if (n > 0 && (notify_forward(fd, address, main_pid) || fds[1].revents))
			return;
	}
}

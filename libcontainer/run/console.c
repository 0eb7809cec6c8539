/*
 * console.c - see console.h.
 */
#include "libcontainer/run/console.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"

#define ON_ITS_WAY_MS 50

int console_send(const char *path, int master)
{
	static const char name[] = "/dev/ptmx";

	return fd_send_over(path, name, sizeof(name) - 1, master);
}

/*
 * Of a pipe or a terminal an open file description of our own, so that O_NONBLOCK does not reach the shell
 * that shares it with us. A regular file never blocks, and shares its position; a socket cannot be opened
 * again.
 */
static int own_description(int fd, int flags)
{
	char path[32];
	struct stat st;
	int own = -1;

	if (fstat(fd, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode))) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		own = open(path, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	}
	return own >= 0 ? own : fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

int console_begin(struct console *c, int master)
{
	struct termios raw;

	c->is_raw = false;
	c->master = master;
	c->input = own_description(STDIN_FILENO, O_RDONLY);
	c->output = own_description(STDOUT_FILENO, O_WRONLY);
	if (c->output < 0 || fcntl(master, F_SETFL, O_NONBLOCK) < 0)
		return -errno;
	c->in = (struct console_flow){.from = c->input, .to = master, .bytes = c->buffers[0]};
	c->out = (struct console_flow){.from = master, .to = c->output, .bytes = c->buffers[1]};
	if (tcgetattr(STDIN_FILENO, &c->saved) < 0)
		return 0; /* not a terminal: bytes pass, that is all */
	console_take_size(master);
	raw = c->saved;
	cfmakeraw(&raw);
	if (tcsetattr(STDIN_FILENO, TCSANOW, &raw) < 0)
		return -errno;
	c->is_raw = true;
	return 0;
}

void console_end(struct console *c)
{
	if (c->is_raw)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &c->saved);
	c->is_raw = false;
	if (c->master > 0) {
		fd_close(&c->input);
		fd_close(&c->output);
	}
	c->master = -1;
}

void console_take_size(int master)
{
	struct winsize size;

	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0)
		ioctl(master, TIOCSWINSZ, &size);
}

static bool wants_read(const struct console_flow *f)
{
	return f->from >= 0 && f->length < CONSOLE_BUFFER_BYTES;
}

static bool wants_write(const struct console_flow *f)
{
	return f->to >= 0 && f->length > 0;
}

/* An fd of which nothing is wanted is left out: POLLHUP would be reported over and over. */
void console_poll(const struct console *c, struct pollfd fds[CONSOLE_POLLS])
{
	const struct console_flow *flows[] = {&c->in, &c->out};

	for (int i = 0; i < 2; i++) {
		fds[2 * i] = (struct pollfd){
			.fd = wants_read(flows[i]) ? flows[i]->from : -1, .events = POLLIN};
		fds[2 * i + 1] = (struct pollfd){
			.fd = wants_write(flows[i]) ? flows[i]->to : -1, .events = POLLOUT};
	}
}

static bool try_again(void)
{
	return errno == EAGAIN || errno == EINTR;
}

static void fill(struct console_flow *f)
{
	size_t end = (f->start + f->length) % CONSOLE_BUFFER_BYTES;
	size_t room = end < f->start ? f->start - end : CONSOLE_BUFFER_BYTES - end;

	ssize_t n = read(f->from, f->bytes + end, room);
	if (n > 0)
		f->length += (size_t)n;
	else if (n == 0 || !try_again())
		f->from = -1; /* the end; for a master EIO means that no slave is open any more */
}

static void empty(struct console_flow *f)
{
	size_t run = CONSOLE_BUFFER_BYTES - f->start;

	ssize_t n = write(f->to, f->bytes + f->start, run < f->length ? run : f->length);
	if (n > 0) {
		f->last = f->bytes[f->start + (size_t)n - 1];
		f->start = (f->start + (size_t)n) % CONSOLE_BUFFER_BYTES;
		f->length -= (size_t)n;
	} else if (n < 0 && !try_again()) {
		f->to = -1; /* nobody reads any more: what comes is thrown away, so that the writer is not
			       stopped */
	}
}

/*
 * A pipe's end of file, told to the container as a terminal tells it: the end-of-file character, twice after
 * an unfinished line, where the first only finishes that.
 */
static void pass_on_end_of_file(struct console_flow *f)
{
	struct termios t;

	if (f->to < 0 || tcgetattr(f->to, &t) < 0 || !(t.c_lflag & ICANON))
		return;
	int times = f->last && f->last != '\n' ? 2 : 1;
	for (int i = 0; i < times; i++)
		f->bytes[f->length++] = (char)t.c_cc[VEOF]; /* the buffer was empty */
}

void console_move(struct console *c, const struct pollfd fds[CONSOLE_POLLS])
{
	struct console_flow *flows[] = {&c->in, &c->out};

	for (int i = 0; i < 2; i++) {
		struct console_flow *f = flows[i];
		if (fds[2 * i].revents && wants_read(f))
			fill(f);
		if (fds[2 * i + 1].revents && wants_write(f))
			empty(f);
		if (f->to < 0)
			f->length = 0;
		if (!f->length)
			f->start = 0;
		if (f == &c->in && f->from < 0 && !f->length && !c->input_ended) {
			c->input_ended = true;
			pass_on_end_of_file(f);
		}
	}
}

bool console_drain(struct console *c, int other)
{
	struct pollfd fds[CONSOLE_POLLS + 1];

	c->in.from = c->in.to = -1;
	while (c->out.from >= 0 || wants_write(&c->out)) {
		console_poll(c, fds);
		fds[CONSOLE_POLLS] = (struct pollfd){.fd = other, .events = POLLIN};
		/* A process that outlived the container's may hold the terminal: take what is on its way, no
		 * more. */
		int n = poll(fds, ARRAY_SIZE(fds), wants_write(&c->out) ? -1 : ON_ITS_WAY_MS);
		if (n == 0 || (n < 0 && errno != EINTR))
			return true;
		if (n > 0)
			console_move(c, fds);
		if (n > 0 && fds[CONSOLE_POLLS].revents)
			return false;
	}
	return true;
}

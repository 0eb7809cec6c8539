/*
 * console.h - the other side of the container's terminal: given away, or held by this process.
 *
 * In the foreground crt stands between the caller's terminal (or pipe) and the container's: raw mode, window
 * size, bytes in both directions. Each direction has a buffer; one whose reader stops stops nobody else.
 */
#ifndef RUN_CONSOLE_H
#define RUN_CONSOLE_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <termios.h>

/*
 * Send the master to the stream socket `path`, as console-socket receivers expect it: a name and, with it,
 * the fd. Returns 0 or -errno.
 */
int console_send(const char *path, int master);

#define CONSOLE_BUFFER_BYTES 16384

struct console_flow {
	int from, to; /* O_NONBLOCK; -1: closed */
	char *bytes;  /* CONSOLE_BUFFER_BYTES */
	size_t start, length;
	char last; /* byte that was passed on */
};

struct console {
	int master;
	int input, output; /* our own descriptions of stdin and stdout, without their blocking */
	bool is_raw;       /* the caller's terminal is; saved says what it was */
	bool input_ended;  /* and the container has been told */
	struct termios saved;
	struct console_flow in, out;
	char buffers[2][CONSOLE_BUFFER_BYTES];
};

#define CONSOLE_POLLS 4 /* entries of pollfd that console_poll() fills */

/* Start to be the other side of `master`, which stays the caller's. Returns 0 or -errno. */
int console_begin(struct console *c, int master);

/* Give the caller's terminal back as it was. Harmless on a zeroed console. */
void console_end(struct console *c);

/* Give the container's terminal the size of the caller's; if that changes, again. */
void console_take_size(int master);

/* What to wait for, and what to do once poll() says. */
void console_poll(const struct console *c, struct pollfd fds[CONSOLE_POLLS]);
void console_move(struct console *c, const struct pollfd fds[CONSOLE_POLLS]);

/*
 * The container has ended: bring its last words out. Waits for a slow reader, not for one that has gone.
 * Returns whether that is done; else `other` (-1: none) has something to read, and the caller may call again.
 */
bool console_drain(struct console *c, int other);

#endif

/*
 * copy.h - tmpcopyup: fill a new tmpfs with what the directory below it holds. Runs in init.
 */
#ifndef INIT_COPY_H
#define INIT_COPY_H

/*
 * Copy the directory from_fd (may be O_PATH) into to_fd, recursively: directories, regular files, symbolic
 * links, device nodes and fifos, with owner, mode and times of modification; sockets are passed over,
 * extended attributes are not kept. Symbolic links are copied, never followed. Returns 0 or -errno; -ELOOP
 * beyond 64 levels.
 */
int init_copy_tree(int from_fd, int to_fd);

#endif

/*
 * remap.h - another file as this process's program, without executing it.
 */
#ifndef RUN_REMAP_H
#define RUN_REMAP_H

/*
 * Have this process be one that runs `exe_fd`, which is the same file as the one it runs now, through another
 * mount. Returns 0, or -errno when nothing that shows has changed; executing the file always works.
 */
int run_remap(int exe_fd, char *const argv[]);

#endif

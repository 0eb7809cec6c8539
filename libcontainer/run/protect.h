/*
 * protect.h - out of the containers' reach (CVE-2019-5736).
 *
 * Whoever is root in a container can open /proc/PID/exe of what enters it, or make the container's program be
 * "#!/proc/self/exe", and so get hold of the runtime's own file on the host. It must then not be writable
 * through what was got hold of: the process runs from a detached read-only mount of the file, which no other
 * namespace can remount, or (without the privilege for that) from a file its container's root cannot write.
 */
#ifndef RUN_PROTECT_H
#define RUN_PROTECT_H

#include "base/err.h"

/*
 * Have this process run from such a place, unless it does: without executing it again where the kernel lets
 * it (remap.h), else by executing it. Without `argv` nothing is done, and it is an error if something would
 * be to do. Returns 0 or -errno. *mount_fd, when that is not NULL, is left alone or becomes an fd that the
 * caller closes: later on, when nobody waits for it, since the end of a mount takes a grace period of the
 * kernel's.
 */
int run_protect(char *const argv[], int *mount_fd, struct err *err);

#endif

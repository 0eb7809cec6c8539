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

#include <stdbool.h>

#include "base/err.h"

/* Execute this program again from such a place, unless it runs from one. Returns 0 when it does, or -errno.
 */
int run_protect(char *const argv[], struct err *err);

/* Does it? Returns 0 or -errno: create refuses to go on. */
int run_is_protected(struct err *err);

#endif

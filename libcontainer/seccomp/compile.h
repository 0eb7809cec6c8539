/*
 * compile.h - the steps of seccomp.h one by one, for the cache and for tests.
 */
#ifndef SECCOMP_COMPILE_H
#define SECCOMP_COMPILE_H

#include "libcontainer/seccomp/seccomp.h"
#include "specs/seccomp.h"

/*
 * Compile for a machine of this architecture, which need not be ours (but of our byte order). What else it
 * was that libseccomp or the kernel does not know goes to the report. Returns 0 or -errno.
 */
int seccomp_compile_for(enum spec_seccomp_arch native, struct arena *arena,
	const struct spec_seccomp *seccomp, const struct json_doc *doc, struct report *report,
	struct seccomp_program *program);

/* Fill in what does not depend on the instructions: flags and notify. */
void seccomp_set_flags(const struct spec_seccomp *seccomp, struct seccomp_program *program);

#endif

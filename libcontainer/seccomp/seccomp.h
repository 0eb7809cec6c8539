/*
 * seccomp.h - the filter of a document (config-linux.md, "Seccomp") as a program for seccomp(2).
 *
 * The parent compiles, init loads: no library is called in the container. libseccomp tells the numbers of
 * system calls; the program is made here (bpf.h), because what libseccomp makes of an engine's usual profile
 * takes 9 ms to compile and 0.8 ms to load, of each container's start, and ours a twentieth of that.
 */
#ifndef SECCOMP_SECCOMP_H
#define SECCOMP_SECCOMP_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/report.h"

struct json_doc;
struct spec_seccomp;

struct seccomp_program {
	struct sock_filter *insns;
	size_t count;   /* 1 .. BPF_MAXINSNS */
	unsigned flags; /* SECCOMP_FILTER_FLAG_*; NEW_LISTENER when an action is SCMP_ACT_NOTIFY */
	bool notify;
};

/*
 * Compile what has passed spec_seccomp_check(). Problems go to the report at their place: warnings for names
 * that libseccomp does not know. Returns 0, or -errno when there was an error.
 */
int seccomp_compile(struct arena *arena, const struct spec_seccomp *seccomp, const struct json_doc *doc,
	struct report *report, struct seccomp_program *program);

/*
 * The same through a cache: a directory of this user's alone, in which each filter that was compiled is kept
 * as a file; -1 for none. What is odd about a file makes it ignored and replaced, trouble with the cache is
 * never an error, and a hit gives no warnings.
 */
int seccomp_compile_cached(struct arena *arena, const struct spec_seccomp *seccomp,
	const struct json_doc *doc, int cache_dirfd, struct report *report, struct seccomp_program *program);

/* The architectures libseccomp knows, a mask of enum spec_seccomp_arch as in struct spec_set. */
uint64_t seccomp_known_archs(void);

/* Which libseccomp this program was linked with: "2.5.4". */
void seccomp_version_text(char *buf, size_t size);

#endif

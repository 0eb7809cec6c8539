/*
 * cache.h - compiled filters as files.
 */
#ifndef SECCOMP_CACHE_H
#define SECCOMP_CACHE_H

#include <stdbool.h>
#include <stddef.h>

#include "libcontainer/seccomp/seccomp.h"

#define SECCOMP_CACHE_FILES 64 /* then the oldest one goes */

/* What the program was made of, besides what this build and machine are: the filter's text in the document.
 */
struct seccomp_key {
	const char *text;
	size_t length;
};

/* Fill in the program's instructions. Returns false when there is no file, or none to be trusted. */
bool seccomp_cache_find(
	int dirfd, const struct seccomp_key *key, struct arena *arena, struct seccomp_program *program);

/* Keep a program; that it could not be kept is nobody's concern. */
void seccomp_cache_keep(int dirfd, const struct seccomp_key *key, const struct seccomp_program *program);

#endif

/*
 * seccomp.c - compile, unless it was done before.
 */
#include "libcontainer/seccomp/seccomp.h"

#include "libcontainer/seccomp/cache.h"
#include "libcontainer/seccomp/compile.h"
#include "libcontainer/seccomp/syscalls.h"
#include "specs/json.h"

int seccomp_compile(struct arena *arena, const struct spec_seccomp *seccomp, const struct json_doc *doc,
	struct report *report, struct seccomp_program *program)
{
	return seccomp_compile_for(seccomp_native_arch(), arena, seccomp, doc, report, program);
}

int seccomp_compile_cached(struct arena *arena, const struct spec_seccomp *seccomp,
	const struct json_doc *doc, int cache_dirfd, struct report *report, struct seccomp_program *program)
{
	struct seccomp_key key = {0};

	if (doc && cache_dirfd >= 0 && !seccomp->fail_unknown) /* which only the compiler sees */
		key.text = json_raw(doc, seccomp->node, &key.length);
	if (key.text && seccomp_cache_find(cache_dirfd, &key, arena, program)) {
		seccomp_set_flags(seccomp, program);
		return 0;
	}
	int r = seccomp_compile(arena, seccomp, doc, report, program);
	if (r == 0 && key.text)
		seccomp_cache_keep(cache_dirfd, &key, program);
	return r;
}

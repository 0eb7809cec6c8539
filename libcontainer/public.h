/*
 * public.h - what the files behind libcontainer.h share: errors and texts on their way to the caller.
 */
#ifndef LIBCONTAINER_PUBLIC_H
#define LIBCONTAINER_PUBLIC_H

#include "base/arena.h"
#include "base/err.h"
#include "libcontainer/libcontainer.h"

struct host;
struct report;
struct spec_config;

/* Copy a struct err for the caller (`to` may be NULL). */
void public_error(struct crt_error *to, const struct err *from);

/* The end of every call: when r is negative, give the caller the reason. Returns r. */
int public_result(int r, const struct err *from, struct crt_error *to);

/* A copy of the text that crt_free() releases. Returns 0 or -ENOMEM. */
int public_text(const char *text, char **copy, struct err *err);

/*
 * Read the document of a bundle; *bundle_path is its directory, absolute. Problems go to the report, as from
 * spec_config_read(), whose result is returned; *err is set only for a bundle that cannot be opened.
 */
int public_read_bundle(struct arena *arena, const struct crt_create_options *options, struct report *report,
	const char **bundle_path, const struct spec_config **config, struct err *err);

/* What the caller says of a container, for the compiler; bundle, foreground and wait_start stay as they are.
 */
struct plan_options;
int public_plan_options(
	const struct crt_create_options *options, struct plan_options *plan_options, struct err *err);

/* The first error of the report, with a hint at how many more there are; 0 when there is none. */
int public_first_error(const struct report *report, struct err *err);

/*
 * A copy of the document without what the report's errors are about, that the plan's compiler can be given;
 * NULL when too much would be missing.
 */
const struct spec_config *public_prune(
	struct arena *arena, const struct spec_config *from, const struct report *report);

/* For who debugs: what is about to be done. */
struct plan;
void public_log_plan(const struct crt_context *context, const struct plan *plan);

/* All facts about the host, or those of context->host_file. */
int public_host(const struct crt_context *context, struct arena *arena, struct host *host, struct err *err);

#endif

/*
 * config.h - config.json, the whole of it (config.md).
 */
#ifndef SPECS_CONFIG_H
#define SPECS_CONFIG_H

#include "specs/annotation.h"
#include "specs/hooks.h"
#include "specs/linux.h"
#include "specs/mount.h"
#include "specs/process.h"
#include "specs/table.h"

#define SPEC_VERSION     "1.3.0" /* what crt writes, and the newest it knows */
#define SPEC_VERSION_MIN "1.0.0"

struct spec_root {
	uint32_t node;
	const char *path; /* absolute, or relative to the bundle */
	bool readonly;
};

struct spec_config {
	uint32_t node;
	const struct json_doc
		*doc; /* where every node of the model stands; NULL for a document made by crt */
	const char *oci_version;
	struct spec_process *process;
	struct spec_root *root;
	const char *hostname;
	const char *domainname;
	struct spec_mount *mounts;
	size_t mounts_count;
	struct spec_hooks *hooks;
	struct spec_pair *annotations;
	size_t annotations_count;
	struct spec_annotations known; /* of those, what crt itself goes by */
	struct spec_linux *linux_;     /* `linux` is a macro of gnu17; never NULL after reading */
};

extern const struct spec_table spec_config_table;

/*
 * Read a config.json: `path` below dirfd (AT_FDCWD allowed), called `display_name` in messages. Reads and
 * decodes; spec_config_check() is the caller's second step. Returns 0 when no error was found, or -errno; in
 * either case every problem is in the report. *config is set whenever the text was JSON, so that a
 * check can go on after wrong types; it must not be run then.
 */
int spec_config_read(struct arena *arena, int dirfd, const char *path, const char *display_name,
	struct report *report, const struct spec_config **config);

/* The same from memory; the text must live as long as the config. */
int spec_config_parse(struct arena *arena, const char *display_name, const char *text, size_t length,
	struct report *report, const struct spec_config **config);

/* Every rule between members. Returns 0, or -EINVAL when it added an error. */
int spec_config_check(const struct spec_config *config, struct report *report);

/*
 * The document of the `spec` command. `rootless` makes one for the calling user: a user namespace that maps
 * `euid` and `egid` to 0, no network namespace, no cgroup limits.
 */
struct spec_config *spec_config_default(struct arena *arena, bool rootless, uint32_t euid, uint32_t egid);

#endif

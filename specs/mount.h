/*
 * mount.h - one entry of `mounts`, and what every mount option means to the kernel (config.md, "Mounts").
 */
#ifndef SPECS_MOUNT_H
#define SPECS_MOUNT_H

#include "specs/namespace.h"
#include "specs/table.h"

struct spec_mount {
	uint32_t node;
	const char *destination;
	const char *type;
	const char *source;
	const char **options;
	size_t options_count;
	struct spec_id_mapping *uid_mappings;
	size_t uid_mappings_count;
	struct spec_id_mapping *gid_mappings;
	size_t gid_mappings_count;
};

enum spec_mount_option_kind {
	SPEC_MOUNT_ATTR,        /* sets and clears MOUNT_ATTR_ bits of the mount */
	SPEC_MOUNT_SUPERBLOCK,  /* a flag of the filesystem, not of the mount */
	SPEC_MOUNT_PROPAGATION, /* MS_SHARED, MS_PRIVATE, MS_SLAVE or MS_UNBINDABLE */
	SPEC_MOUNT_BIND,
	SPEC_MOUNT_REMOUNT,
	SPEC_MOUNT_COPY_UP, /* tmpcopyup */
	SPEC_MOUNT_IDMAP,
	SPEC_MOUNT_COPY_SYMLINK,  /* of bind mounts; a source that is a link is made again instead */
	SPEC_MOUNT_SRC_NOFOLLOW,  /* of bind mounts: a source that is a link is mounted itself */
	SPEC_MOUNT_DEST_NOFOLLOW, /* of bind mounts: a destination that is a link is mounted upon itself */
	SPEC_MOUNT_DEFAULTS,      /* "defaults": nothing */
};

struct spec_mount_option {
	const char *name;
	uint8_t kind;           /* enum spec_mount_option_kind */
	bool recursive;         /* to the whole tree of mounts: rbind, rro, rslave, ridmap */
	uint64_t attr_set;      /* for mount_setattr; clear first, then set */
	uint64_t attr_clear;    /* holds MOUNT_ATTR__ATIME whole when the option chooses an atime mode */
	uint64_t propagation;   /* MS_x without MS_REC */
	const char *superblock; /* the flag's name for fsconfig, when new superblocks know it: "sync", "ro" */
};

extern const struct spec_table spec_mount_table;

/* Every option of the specification, sorted by name. */
extern const struct spec_mount_option spec_mount_options[];
extern const size_t spec_mount_options_count;

/* NULL for a name that is none of them: then it is data for the filesystem. */
const struct spec_mount_option *spec_mount_option_find(const char *name);

/*
 * The options that a filesystem itself takes ("size=" needs a value), for the kinds that belong in every
 * container; NULL for other filesystems. And: does such a list (or any security module) take `option`?
 */
const char *const *spec_filesystem_data(const char *type);
bool spec_filesystem_takes(const char *const *data, const char *option);

/* The option that asks for a bind mount ("bind", "rbind"; type "bind" alone means "bind"); NULL when none
 * does. */
const struct spec_mount_option *spec_mount_bind(const struct spec_mount *mount);

/* Does the mount have this option? */
bool spec_mount_has(const struct spec_mount *mount, const char *option);

struct spec_linux;

/*
 * Read a document that is an array of mounts and nothing else; only its shape is checked. Returns 0 or
 * -errno, with the reasons in the report.
 */
int spec_mounts_read(struct arena *arena, const char *path, struct report *report,
	const struct json_doc **doc, struct spec_mount **mounts, size_t *count);

/* Rules of all mounts; `linux_` (may be NULL) says which namespaces they will meet. Returns 0 or -EINVAL. */
int spec_mounts_check(const struct json_doc *doc, const struct spec_mount *mounts, size_t count,
	const struct spec_linux *linux_, struct report *report);

#endif

/*
 * mount.c - root.path and mounts: sources to open, filesystems to make, attributes to set (config.md, "Root",
 * "Mounts"). What an option means to the kernel stands in specs/mount.c; here it meets the others of its
 * mount.
 */
#include <linux/mount.h>
#include <string.h>
#include <sys/mount.h>

#include "base/path.h"
#include "base/str.h"
#include "libcontainer/plan/compile.h"

#define VALUE_MAX 255       /* bytes that fsconfig takes */
#define CONTEXT   "context" /* SELinux's label of all files */
#define DATA_MAX  4095      /* bytes that mount(2) takes; it would cut off the rest without a word */

/* The options of one mount, sorted by what the kernel does with them. */
struct options {
	struct plan_attributes attributes;
	struct plan_fs_option *data; /* for the filesystem */
	size_t data_count;
	bool long_value; /* one of data is longer than VALUE_MAX */
	bool copy_up;
	bool remount;
	bool recursive_bind;
	bool copy_symlink;
	bool nofollow; /* of the destination */
};

/*
 * Later options win over earlier ones, a recursive one over those for the top alone, too: the executor does
 * the recursive ones first. The bits of the access time are one field, which the kernel wants cleared as a
 * whole.
 */
static void apply_attribute(struct plan_attributes *a, const struct spec_mount_option *o)
{
	uint64_t *set = o->recursive ? &a->recursive_set : &a->set;
	uint64_t *clear = o->recursive ? &a->recursive_clear : &a->clear;
	uint64_t touched = o->attr_set | o->attr_clear;

	if (touched & MOUNT_ATTR__ATIME)
		touched |= MOUNT_ATTR__ATIME;
	if (o->recursive) {
		a->set &= ~touched;
		a->clear &= ~touched;
	}
	*set = (*set & ~o->attr_clear) | o->attr_set;
	*clear = (*clear & ~touched) | (touched & ~o->attr_set) | (touched & MOUNT_ATTR__ATIME);
}

static void apply_option(struct options *to, const struct spec_mount_option *o)
{
	struct plan_attributes *a = &to->attributes;

	switch ((enum spec_mount_option_kind)o->kind) {
	case SPEC_MOUNT_ATTR:
		apply_attribute(a, o);
		break;
	case SPEC_MOUNT_SUPERBLOCK:
		if (o->superblock) /* else no kernel acts upon it any more, and filesystems refuse the word */
			to->data[to->data_count++] = (struct plan_fs_option){o->superblock, NULL};
		break;
	case SPEC_MOUNT_PROPAGATION:
		a->propagation = o->propagation;
		a->propagation_recursive = o->recursive;
		break;
	case SPEC_MOUNT_BIND:
		to->recursive_bind |= o->recursive;
		break;
	case SPEC_MOUNT_REMOUNT:
		to->remount = true;
		break;
	case SPEC_MOUNT_COPY_UP:
		to->copy_up = true;
		break;
	case SPEC_MOUNT_COPY_SYMLINK:
		to->copy_symlink = true;
		break;
	case SPEC_MOUNT_DEST_NOFOLLOW:
		to->nofollow = true;
		break;
	case SPEC_MOUNT_SRC_NOFOLLOW: /* see plan_open_sources() */
	case SPEC_MOUNT_IDMAP:        /* see idmap.c */
	case SPEC_MOUNT_DEFAULTS:
		break;
	}
}

static void apply_data(struct plan_compiler *c, struct options *to, const char *text)
{
	const char *equals = strchr(text, '=');
	struct plan_fs_option *o = &to->data[to->data_count++];

	*o = (struct plan_fs_option){text, NULL};
	if (!equals)
		return;
	o->key = arena_memdup(c->arena, text, (size_t)(equals - text));
	o->value = equals + 1;
	to->long_value |= strlen(o->value) > VALUE_MAX;
}

static void read_options(struct plan_compiler *c, const struct spec_mount *m, struct options *to)
{
	*to = (struct options){.data = arena_array(c->arena, struct plan_fs_option, m->options_count + 1)};
	for (size_t i = 0; i < m->options_count; i++) {
		const struct spec_mount_option *o = spec_mount_option_find(m->options[i]);

		if (o)
			apply_option(to, o);
		else if (m->options[i][0])
			apply_data(c, to, m->options[i]);
	}
}

static const char *below_bundle(struct plan_compiler *c, const char *path)
{
	return path[0] == '/' ? path : arena_printf(c->arena, "%s/%s", c->options->bundle, path);
}

static bool is_bind(const struct spec_mount *m)
{
	return spec_mount_bind(m) && !spec_mount_has(m, "remount");
}

/* Sources come first, as detached trees: on the host's side of the clone they are reached with its
 * privileges. */
void plan_open_rootfs(struct plan_compiler *c, enum plan_who who)
{
	struct plan_op *op = plan_emit(c, OP_OPEN_TREE, who, spec_at(c->doc, c->config->root->node, "path"));

	c->rootfs_slot = plan_new_slot(c->plan);
	op->open_tree.path = c->plan->rootfs;
	op->open_tree.recursive = true;
	op->open_tree.rootfs = true;
	op->open_tree.slot = c->rootfs_slot;
}

void plan_open_sources(struct plan_compiler *c, enum plan_who who)
{
	const struct spec_config *config = c->config;
	uint32_t *slots = arena_array(c->arena, uint32_t, config->mounts_count);
	uint32_t *mappings = arena_array(c->arena, uint32_t, config->mounts_count);

	for (size_t i = 0; i < config->mounts_count; i++) {
		const struct spec_mount *m = &config->mounts[i];
		slots[i] = mappings[i] = PLAN_NO_SLOT;
		if (!is_bind(m) || !m->source) {
			mappings[i] = plan_map_filesystem(c, m);
			continue;
		}
		slots[i] = plan_new_slot(c->plan);
		struct plan_op *op = plan_emit(c, OP_OPEN_TREE, who, spec_at(c->doc, m->node, "source"));
		op->open_tree.path = below_bundle(c, m->source);
		op->open_tree.recursive = spec_mount_bind(m)->recursive;
		op->open_tree.nofollow = spec_mount_has(m, "src-nofollow") ||
					 spec_mount_has(m, "copy-symlink");
		op->open_tree.slot = slots[i];
		plan_map_source(c, m, below_bundle(c, m->source), slots[i]);
	}
	c->mount_slots = slots;
	c->mappings = mappings;
}

bool plan_same_path(const char *path, const char *clean)
{
	char buf[4096];

	return path && path_clean(path, buf, sizeof(buf)) > 0 && str_eq(buf, clean);
}

bool plan_binds_dev(const struct plan_compiler *c)
{
	for (size_t i = 0; i < c->config->mounts_count; i++)
		if (plan_same_path(c->config->mounts[i].destination, "/dev") &&
			is_bind(&c->config->mounts[i]))
			return true;
	return false;
}

static void emit_bind(
	struct plan_compiler *c, const struct spec_mount *m, const struct options *o, uint32_t slot)
{
	struct plan_op *op = plan_emit(c, OP_MOUNT_BIND, PLAN_INIT, m->node);

	op->mount_bind.source = below_bundle(c, m->source);
	op->mount_bind.destination = m->destination;
	op->mount_bind.slot = slot;
	op->mount_bind.attributes = o->attributes;
	op->mount_bind.copy_symlink = o->copy_symlink;
	op->mount_bind.nofollow = o->nofollow;
	/* Who wants /sys read-only does not want the host's cgroups, mounted in it, to be writable
	 * (CVE-2023-25809). */
	if (plan_same_path(m->source, "/sys") && (o->attributes.set & MOUNT_ATTR_RDONLY))
		op->mount_bind.attributes.recursive_set |= MOUNT_ATTR_RDONLY;
	/* Never peers of the host's mounts unless asked for, or mounts made inside would appear outside. */
	op->mount_bind.slaves = !o->attributes.propagation_recursive &&
				o->attributes.propagation != MS_SHARED;
}

static void emit_remount(struct plan_compiler *c, const struct spec_mount *m, const struct options *o)
{
	struct plan_op *op = plan_emit(c, OP_REMOUNT, PLAN_INIT, m->node);

	op->remount.destination = m->destination;
	op->remount.options = o->data;
	op->remount.options_count = o->data_count;
	op->remount.attributes = o->attributes;
}

/* All the options in one string, for a filesystem that mount(2) has to make. */
static const char *joined_data(struct plan_compiler *c, const struct spec_mount *m, const struct options *o)
{
	size_t size = 1;

	for (size_t i = 0; i < o->data_count; i++)
		size += strlen(o->data[i].key) + 4 + (o->data[i].value ? strlen(o->data[i].value) : 0);
	char *text = arena_alloc(c->arena, size);
	struct str_buf b;
	str_buf_init(&b, text, size);
	for (size_t i = 0; i < o->data_count; i++) {
		str_buf_add(&b, "%s%s", i ? "," : "", o->data[i].key);
		if (o->data[i].value) /* mount(2) knows a label with commas by its quotes */
			str_buf_add(&b,
				str_eq(o->data[i].key, CONTEXT) && o->data[i].value[0] != '"' ? "=\"%s\""
											      : "=%s",
				o->data[i].value);
	}
	if (b.length > DATA_MAX)
		json_error(c->report, c->doc, spec_at(c->doc, m->node, "options"),
			"the options for the filesystem have %zu bytes; the kernel takes %d", b.length,
			DATA_MAX);
	return text;
}

/* Every file of a filesystem that is new has the container's label, unless the document says otherwise. */
static void apply_label(struct plan_compiler *c, struct plan_op *op, struct options *o)
{
	static const char *const contexts[] = {CONTEXT, "fscontext", "defcontext", "rootcontext", NULL};
	const char *label = c->linux_->mount_label, *type = c->config->known.mount_context_type;

	if (!label || !*label)
		return;
	if (str_eq(op->mount_fs.type, "mqueue"))
		op->mount_fs.label = label;
	if (!plan_takes_context(op->mount_fs.type))
		return;
	for (size_t i = 0; i < o->data_count; i++)
		if (str_is_one_of(o->data[i].key, contexts))
			return;
	o->data[o->data_count++] = (struct plan_fs_option){type ? type : CONTEXT, label};
	o->long_value |= strlen(label) > VALUE_MAX;
}

/* The host's instance, where a user namespace is not allowed one of its own. */
static const char *fallback(const struct plan_compiler *c, const char *type)
{
	if (!c->user_namespace && !c->host->user_namespace)
		return NULL;
	if (str_eq(type, "sysfs"))
		return "/sys";
	if (str_eq(type, "mqueue"))
		return "/dev/mqueue";
	if (str_eq(type, "cgroup2"))
		return c->host->cgroup_mount;
	return NULL;
}

static void emit_filesystem(struct plan_compiler *c, const struct spec_mount *m, struct options *o)
{
	struct plan_op *op = plan_emit(c, OP_MOUNT_FS, PLAN_INIT, m->node);
	const struct plan_attributes *a = &o->attributes;

	/* Engines name version 1; the hierarchy there is is version 2. */
	op->mount_fs.type = str_eq(m->type, "cgroup") ? "cgroup2" : m->type;
	apply_label(c, op, o);
	op->mount_fs.source = m->source;
	op->mount_fs.destination = m->destination;
	op->mount_fs.options = o->data;
	op->mount_fs.options_count = o->data_count;
	op->mount_fs.data = o->long_value ? joined_data(c, m, o) : NULL;
	/* A new mount has nothing below it, and nothing set that could be cleared. */
	op->mount_fs.flags = (a->recursive_set & ~a->clear) | a->set;
	op->mount_fs.attributes.propagation = a->propagation;
	op->mount_fs.attributes.propagation_recursive = a->propagation_recursive;
	op->mount_fs.mapping = c->mappings[m - c->config->mounts];
	if (op->mount_fs.data && op->mount_fs.mapping != PLAN_NO_SLOT)
		json_error(c->report, c->doc, spec_at(c->doc, m->node, "options"),
			"a value of more than %d bytes and an id mapping exclude each other", VALUE_MAX);
	op->mount_fs.copy_up = o->copy_up;
	op->mount_fs.fallback_path = fallback(c, op->mount_fs.type);
	/* Mounted anew from the host's cgroup namespace, it would lose the options of the host's own mount.
	 */
	if (str_eq(op->mount_fs.type, "cgroup2") && !plan_namespace_private(c, SPEC_NS_CGROUP))
		op->mount_fs.host_path = c->host->cgroup_mount;
	if (plan_same_path(m->destination, "/dev")) { /* something is still to be made in it */
		c->late_readonly = op->mount_fs.flags & MOUNT_ATTR_RDONLY ? m : NULL;
		op->mount_fs.flags &= ~(uint64_t)MOUNT_ATTR_RDONLY;
	}
	if (o->copy_up) {
		op->mount_fs.attributes.set = op->mount_fs.flags & MOUNT_ATTR_RDONLY;
		op->mount_fs.flags &= ~(uint64_t)MOUNT_ATTR_RDONLY;
	}
	if (op->mount_fs.data) {
		op->mount_fs.attributes.set = op->mount_fs.flags;
		op->mount_fs.attributes.clear = op->mount_fs.flags & MOUNT_ATTR__ATIME ? MOUNT_ATTR__ATIME
										       : 0;
	}
}

void plan_mounts(struct plan_compiler *c)
{
	for (size_t i = 0; i < c->config->mounts_count; i++) {
		const struct spec_mount *m = &c->config->mounts[i];
		struct options o;

		if (!m->destination)
			continue; /* reported by the check of the document */
		read_options(c, m, &o);
		c->has_readonly |= ((o.attributes.set | o.attributes.recursive_set) & MOUNT_ATTR_RDONLY) != 0;
		c->has_shared |= o.attributes.propagation == MS_SHARED;
		if (o.remount)
			emit_remount(c, m, &o);
		else if (c->mount_slots[i] != PLAN_NO_SLOT)
			emit_bind(c, m, &o, c->mount_slots[i]);
		else if (m->type && !str_eq(m->type, "none"))
			emit_filesystem(c, m, &o);
		else /* {"destination": "/mnt", "options": ["rshared"]} changes what stands there */
			emit_remount(c, m, &o);
	}
}

void plan_late_readonly(struct plan_compiler *c)
{
	const struct spec_mount *m = c->late_readonly;

	if (!m || plan_binds_dev(c))
		return;
	struct plan_op *op = plan_emit(c, OP_REMOUNT, PLAN_INIT, m->node);
	op->remount.destination = m->destination;
	op->remount.attributes.set = MOUNT_ATTR_RDONLY;
}

/*
 * mount.c - mounts: shape, and which options go with which mount (config.md, "Mounts").
 *
 * A word that is no mount option is data for the filesystem. A bind mount has no filesystem of its own, so
 * there it is a mistake; for the kernel's own filesystems the words are known; for all others only a near
 * miss of a mount option is worth a warning.
 */
#include "specs/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/path.h"
#include "base/str.h"
#include "specs/check.h"
#include "specs/linux.h"

#define OPTIONS_COMPARED 64

static const struct spec_row mount_rows[] = {
	ROW_STRING(spec_mount, "destination", destination, .flags = SPEC_REQUIRED),
	ROW_STRING(spec_mount, "type", type),
	ROW_STRING(spec_mount, "source", source),
	ROW_STRINGS(spec_mount, "options", options),
	ROW_OBJECTS(spec_mount, "uidMappings", uid_mappings, spec_id_mapping, &spec_id_mapping_table),
	ROW_OBJECTS(spec_mount, "gidMappings", gid_mappings, spec_id_mapping, &spec_id_mapping_table),
};
const struct spec_table spec_mount_table = SPEC_TABLE("mount", spec_mount, mount_rows);

/* The last option of a kind, as later options win. */
static const struct spec_mount_option *find_kind(const struct spec_mount *m, enum spec_mount_option_kind kind)
{
	const struct spec_mount_option *found = NULL;

	for (size_t i = 0; i < m->options_count; i++) {
		const struct spec_mount_option *o = spec_mount_option_find(m->options[i]);
		if (o && o->kind == kind)
			found = o;
	}
	return found;
}

const struct spec_mount_option *spec_mount_bind(const struct spec_mount *mount)
{
	const struct spec_mount_option *o = find_kind(mount, SPEC_MOUNT_BIND);

	return !o && str_eq(mount->type, "bind") ? spec_mount_option_find("bind") : o;
}

bool spec_mount_has(const struct spec_mount *mount, const char *option)
{
	for (size_t i = 0; i < mount->options_count; i++)
		if (strcmp(mount->options[i], option) == 0)
			return true;
	return false;
}

/* What the word was probably meant to be: a mount option, or data that the filesystem takes. */
static const char *nearest_option(const char *option, const char *const *data)
{
	const char *names[128] = {NULL};
	size_t n = 0;

	for (size_t i = 0; i < spec_mount_options_count; i++)
		names[n++] = spec_mount_options[i].name;
	for (; data && *data && n + 1 < ARRAY_SIZE(names); data++)
		names[n++] = *data;
	return str_nearest(option, names);
}

static void check_option(
	const struct json_doc *doc, const struct spec_mount *m, size_t i, bool bind, struct report *report)
{
	const char *option = m->options[i];
	const char *const *data = bind ? NULL : spec_filesystem_data(m->type);
	struct err *e = NULL;

	if (!option[0]) /* nothing is asked for; Podman writes one with --systemd=always */
		return;
	if (spec_mount_option_find(option) || (data && spec_filesystem_takes(data, option)))
		return;
	/* Comparing takes long; not where no hint would be seen, and no mount has so many options. */
	bool look = i < OPTIONS_COMPARED && report->errors + report->warnings < REPORT_MAX;
	const char *nearest = look ? nearest_option(option, data) : NULL;
	uint32_t node = spec_at_item(doc, m->node, "options", i);
	if (!spec_is_string(doc, node))
		return;
	if (bind)
		e = json_error(report, doc, node, "unknown mount option \"%s\"", option);
	else if (data)
		e = json_error(report, doc, node, "unknown mount option \"%s\" for %s", option, m->type);
	else if (nearest && !strchr(option, '='))
		e = json_warning(report, doc, node,
			"unknown mount option \"%s\", passed on to the filesystem", option);
	if (e && nearest)
		err_hint(e, "did you mean \"%s\"?", nearest);
	else if (e && strchr(option, ','))
		err_hint(e, "each option is an item of its own");
}

/* config.md: ids are converted by both lists or by the container's user namespace; else "an error MUST be
 * returned". */
static void check_idmap(const struct json_doc *doc, const struct spec_mount *m,
	const struct spec_linux *linux_, struct report *report)
{
	bool asked = find_kind(m, SPEC_MOUNT_IDMAP) != NULL;
	bool user_namespace = linux_ && !spec_namespace_lacks(doc, linux_, SPEC_NS_USER);

	spec_id_mappings_check(doc, m->node, "uidMappings", m->uid_mappings, m->uid_mappings_count, report);
	spec_id_mappings_check(doc, m->node, "gidMappings", m->gid_mappings, m->gid_mappings_count, report);
	if (!m->uid_mappings_count != !m->gid_mappings_count)
		json_error(report, doc, m->node, "uidMappings and gidMappings must be given together");
	else if (asked && !m->uid_mappings_count && !user_namespace)
		json_error(report, doc, m->node,
			"an id-mapped mount needs uidMappings and gidMappings, or a user namespace");
}

static bool is_root(const char *destination)
{
	char clean[4096];

	return path_clean(destination, clean, sizeof(clean)) == 1;
}

static void check_mount(const struct json_doc *doc, const struct spec_mount *m,
	const struct spec_linux *linux_, struct report *report)
{
	bool bind = spec_mount_bind(m) != NULL, remount = find_kind(m, SPEC_MOUNT_REMOUNT) != NULL;
	bool typed = m->type && !str_eq(m->type, "none");
	bool unreadable = spec_has(doc, m->node, "type") &&
			  !spec_is_string(doc, spec_at(doc, m->node, "type"));

	if (m->destination && (bind || typed) && !remount && is_root(m->destination))
		err_hint(json_error(report, doc, spec_at(doc, m->node, "destination"),
				 "the root of the container cannot be mounted upon"),
			"root.path says what it is");
	if (m->destination && m->destination[0] != '/')
		json_warning(report, doc, spec_at(doc, m->node, "destination"),
			"a relative destination is deprecated; taken for \"/%s\"", m->destination);
	if (bind && !m->source)
		json_error(report, doc, m->node, "a bind mount needs a source");
	if (!bind && !typed && !unreadable && !remount && !find_kind(m, SPEC_MOUNT_PROPAGATION))
		err_hint(json_error(report, doc, m->node, "neither a filesystem type nor a bind mount"),
			"add a type, or the option \"bind\" or \"rbind\"");
	if (find_kind(m, SPEC_MOUNT_COPY_UP) && (bind || !str_eq(m->type, "tmpfs")))
		json_error(report, doc, m->node, "the option tmpcopyup needs a mount of type tmpfs");
	if (!bind && (find_kind(m, SPEC_MOUNT_COPY_SYMLINK) || find_kind(m, SPEC_MOUNT_SRC_NOFOLLOW) ||
			     find_kind(m, SPEC_MOUNT_DEST_NOFOLLOW)))
		json_error(report, doc, m->node,
			"the options copy-symlink, src-nofollow and dest-nofollow need a bind mount");
	for (size_t i = 0; i < m->options_count; i++)
		check_option(doc, m, i, bind, report);
	check_idmap(doc, m, linux_, report);
}

int spec_mounts_check(const struct json_doc *doc, const struct spec_mount *mounts, size_t count,
	const struct spec_linux *linux_, struct report *report)
{
	unsigned errors = report->errors;

	for (size_t i = 0; i < count; i++)
		check_mount(doc, &mounts[i], linux_, report);
	return spec_check_result(report, errors);
}

int spec_mounts_read(struct arena *arena, const char *path, struct report *report,
	const struct json_doc **doc, struct spec_mount **mounts, size_t *count)
{
	unsigned errors = report->errors;

	*count = 0;
	int r = json_read(arena, AT_FDCWD, path, path, report, doc);
	if (r < 0)
		return r;
	const struct json_node *all = &(*doc)->nodes[0];
	if (all->kind != JSON_ARRAY) {
		json_error(report, *doc, 0, "expected an array of mounts, not %s", json_kind_name(all->kind));
		return -EINVAL;
	}
	*mounts = arena_array(arena, struct spec_mount, all->count);
	json_for_each_item (*doc, 0, node) {
		struct spec_mount *m = spec_decode(arena, *doc, node, &spec_mount_table, report);
		if (m)
			(*mounts)[(*count)++] = *m;
	}
	return spec_check_result(report, errors);
}

/*
 * config.c - config.json: its outermost object, and the one function that reads and the one that checks it
 * all (config.md). What the host can do, and whether paths exist, is asked later and elsewhere.
 */
#include "specs/config.h"

#include <string.h>

#include "specs/check.h"

static const struct spec_row root_rows[] = {
	ROW_STRING(spec_root, "path", path, .flags = SPEC_REQUIRED),
	ROW_BOOL(spec_root, "readonly", readonly),
};
static const struct spec_table root_table = SPEC_TABLE("root", spec_root, root_rows);

static const struct spec_row config_rows[] = {
	ROW_STRING(spec_config, "ociVersion", oci_version, .flags = SPEC_REQUIRED),
	ROW_OBJECT(spec_config, "process", process, spec_process, &spec_process_table),
	ROW_OBJECT(spec_config, "root", root, spec_root, &root_table),
	ROW_STRING(spec_config, "hostname", hostname),
	ROW_STRING(spec_config, "domainname", domainname),
	ROW_OBJECTS(spec_config, "mounts", mounts, spec_mount, &spec_mount_table),
	ROW_OBJECT(spec_config, "hooks", hooks, spec_hooks, &spec_hooks_table),
	ROW_PAIRS(spec_config, "annotations", annotations),
	ROW_OBJECT(spec_config, "linux", linux_, spec_linux, &spec_linux_table),
	ROW_IGNORED("solaris"),
	ROW_IGNORED("windows"),
	ROW_IGNORED("vm"),
	ROW_IGNORED("zos"),
	ROW_IGNORED("freebsd"),
};
const struct spec_table spec_config_table = SPEC_TABLE("document", spec_config, config_rows);

/* Older than the members that say the same. */
static void apply_annotations(struct arena *arena, struct spec_config *c, struct report *report)
{
	struct spec_seccomp *seccomp = c->linux_->seccomp;

	spec_annotations_read(arena, c->annotations, c->annotations_count, c->doc, report, &c->known);
	if (!seccomp)
		return;
	if (!seccomp->listener_path)
		seccomp->listener_path = c->known.seccomp_receiver;
	seccomp->fail_unknown = c->known.seccomp_fail_unknown;
}

static int decode(struct arena *arena, const struct json_doc *doc, struct report *report,
	const struct spec_config **config)
{
	unsigned errors = report->errors;
	struct spec_config *c = spec_decode(arena, doc, 0, &spec_config_table, report);

	if (c) {
		c->doc = doc;
		if (!c->linux_)
			c->linux_ = arena_new(arena, struct spec_linux);
		if (c->process)
			spec_process_complete(arena, c->process);
		apply_annotations(arena, c, report);
	}
	*config = c;
	return spec_check_result(report, errors);
}

int spec_config_parse(struct arena *arena, const char *display_name, const char *text, size_t length,
	struct report *report, const struct spec_config **config)
{
	const struct json_doc *doc;

	*config = NULL;
	int r = json_parse(arena, display_name, text, length, report, &doc);
	return r < 0 ? r : decode(arena, doc, report, config);
}

int spec_config_read(struct arena *arena, int dirfd, const char *path, const char *display_name,
	struct report *report, const struct spec_config **config)
{
	const struct json_doc *doc;

	*config = NULL;
	int r = json_read(arena, dirfd, path, display_name, report, &doc);
	return r < 0 ? r : decode(arena, doc, report, config);
}

/* One number of a version, without leading zeros (SemVer 2.0.0, item 2). */
static bool take_number(const char **s, unsigned *value)
{
	size_t digits = strspn(*s, "0123456789");

	*value = 0;
	for (size_t i = 0; i < digits && i < 9; i++)
		*value = *value * 10 + (unsigned)((*s)[i] - '0');
	bool good = digits > 0 && digits < 9 && !(digits > 1 && **s == '0');
	*s += digits;
	return good;
}

static bool take_char(const char **s, char c)
{
	return *(*s)++ == c;
}

static void check_version(const struct spec_config *c, struct report *report)
{
	uint32_t node = spec_at(c->doc, c->node, "ociVersion");
	const char *s = c->oci_version;
	unsigned major, minor, patch;

	if (!s)
		return;
	if (!take_number(&s, &major) || !take_char(&s, '.') || !take_number(&s, &minor) ||
		!take_char(&s, '.') || !take_number(&s, &patch) || (*s && *s != '-' && *s != '+'))
		json_error(report, c->doc, node, "not a version of the form 1.2.3: \"%s\"", c->oci_version);
	else if (major != 1)
		json_error(report, c->doc, node, "version %s of the specification; this runtime knows 1.x",
			c->oci_version);
	else if (minor > 3)
		json_warning(report, c->doc, node,
			"version %s of the specification; this runtime knows up to %s", c->oci_version,
			SPEC_VERSION);
}

/* Is the object empty because there is none, and not because something else stands there? */
static bool is_linux_readable(const struct spec_config *c)
{
	return c->linux_->node || !spec_has(c->doc, c->node, "linux");
}

#define UTS_NAME_MAX 64 /* the kernel's __NEW_UTS_LEN */

static void check_uts_name(
	const struct spec_config *c, const char *name, const char *value, struct report *report)
{
	uint32_t node = spec_at(c->doc, c->node, name);

	if (!value)
		return;
	if (strlen(value) > UTS_NAME_MAX)
		json_error(report, c->doc, node, "longer than %d bytes", UTS_NAME_MAX);
	if (is_linux_readable(c) && spec_namespace_lacks(c->doc, c->linux_, SPEC_NS_UTS))
		err_hint(json_error(
				 report, c->doc, node, "without a uts namespace the %s is the host's", name),
			"add {\"type\": \"uts\"} to linux.namespaces");
}

static bool is_mapped(uint32_t id, const struct spec_id_mapping *mappings, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (id >= mappings[i].container_id && id - mappings[i].container_id < mappings[i].size)
			return true;
	return false;
}

/*
 * The kernel's word for it, when all is made and nobody expects it, is EINVAL. Of mappings that are wrong in
 * themselves enough has been said; and whether additional groups are set at all is for the plan to say.
 */
static void check_user(const struct spec_config *c, struct report *report)
{
	const struct spec_namespace *ns = spec_namespace_find(c->linux_, SPEC_NS_USER);
	const struct spec_user *u = c->process ? c->process->user : NULL;
	const struct spec_linux *l = c->linux_;

	if (report->errors || !u || !ns || ns->path)
		return;
	if (!is_mapped(u->uid, l->uid_mappings, l->uid_mappings_count))
		json_error(report, c->doc, spec_at(c->doc, u->node, "uid"),
			"linux.uidMappings has no mapping of uid %u", u->uid);
	if (!is_mapped(u->gid, l->gid_mappings, l->gid_mappings_count))
		json_error(report, c->doc, spec_at(c->doc, u->node, "gid"),
			"linux.gidMappings has no mapping of gid %u", u->gid);
}

static void check_annotations(const struct spec_config *c, struct report *report)
{
	for (size_t i = 0; i < c->annotations_count; i++)
		if (!c->annotations[i].key[0])
			json_error(report, c->doc, c->annotations[i].node,
				"an annotation's name must not be empty");
}

static void check_present(
	const struct spec_config *c, const char *name, const void *object, struct report *report)
{
	if (!object && !spec_has(c->doc, c->node, name))
		json_error(report, c->doc, c->node, "the member \"%s\" is missing", name);
}

int spec_config_check(const struct spec_config *c, struct report *report)
{
	unsigned errors = report->errors;

	check_version(c, report);
	check_present(c, "root", c->root, report);
	check_present(c, "process", c->process, report);
	if (c->process)
		spec_process_check(c->doc, c->process, report);
	check_uts_name(c, "hostname", c->hostname, report);
	check_uts_name(c, "domainname", c->domainname, report);
	check_annotations(c, report);
	spec_mounts_check(c->doc, c->mounts, c->mounts_count, c->linux_, report);
	if (c->hooks)
		spec_hooks_check(c->doc, c->hooks, report);
	if (is_linux_readable(c)) {
		spec_linux_check(c->doc, c->linux_, report);
		check_user(c, report);
	}
	return spec_check_result(report, errors);
}

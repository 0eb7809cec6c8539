/*
 * documents.c - the documents that libcontainer.h hands out: features, a first config.json, the plan.
 *
 * None of them touches a container or needs a privilege.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/diagnose.h"
#include "base/fd.h"
#include "base/str.h"
#include "libcontainer/host/host.h"
#include "libcontainer/plan/plan.h"
#include "libcontainer/public.h"
#include "libcontainer/seccomp/seccomp.h"
#include "specs/config.h"
#include "specs/features.h"
#include "specs/writer.h"

int public_read_bundle(struct arena *arena, const struct crt_create_options *options, struct report *report,
	const char **bundle_path, const struct spec_config **config, struct err *err)
{
	const char *named = options->bundle ? options->bundle : ".";
	char path[PATH_MAX];

	fd_auto int fd = realpath(named, path) ? open(path, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	if (fd < 0) {
		err_sys(err, errno, "cannot open the bundle %s", named);
		err_about(err, "bundle", NULL, NULL);
		return diagnose_err(err, AT_FDCWD, named);
	}
	*bundle_path = arena_strdup(arena, path);
	if (options->config)
		return spec_config_read(arena, AT_FDCWD, options->config, options->config, report, config);
	return spec_config_read(arena, fd, "config.json", "config.json", report, config);
}

int public_plan_options(
	const struct crt_create_options *options, struct plan_options *plan_options, struct err *err)
{
	int manager = cg_manager_find(options->cgroup_manager);

	if (manager < 0)
		return err_set(err, EINVAL, "\"%s\" is no cgroup manager", options->cgroup_manager);
	plan_options->id = options->id ? options->id : "ID";
	plan_options->preserve_fds = options->listen_fds + options->preserve_fds;
	plan_options->listen_fds = options->listen_fds;
	plan_options->listen_names = options->listen_names;
	plan_options->no_pivot = options->no_pivot;
	plan_options->no_new_keyring = options->no_new_keyring;
	plan_options->console_socket = options->console_socket;
	plan_options->cgroup_manager = (enum cg_manager)manager;
	plan_options->needs_cgroup = str_eq(options->rootless, "false");
	plan_options->may_lack_cgroup = str_eq(options->rootless, "true");
	return 0;
}

/* ---- features ---- */

static const struct spec_opt_bool yes = {.value = true, .set = true};
static const struct spec_opt_bool no = {.value = false, .set = true};

/* The bits of those names that the kernel knows too; it spells them without their prefix. */
static struct spec_set supported_flags(const struct host *host)
{
	static const char prefix[] = "SECCOMP_FILTER_FLAG_";
	struct spec_set set = {.set = true};

	for (unsigned i = 1; i <= spec_seccomp_flag_names.count; i++)
		if (str_has_word(host->seccomp_flags, spec_seccomp_flag_names.names[i] + strlen(prefix)))
			set.mask |= SPEC_BIT(i);
	return set;
}

static struct spec_features_enabled *enabled(struct arena *arena, struct spec_opt_bool value)
{
	struct spec_features_enabled *e = arena_new(arena, struct spec_features_enabled);

	e->enabled = value;
	return e;
}

/* What this build can do beside what the tables of specs/ say. A "no" is as much a promise as a "yes". */
static void add_build(struct arena *arena, struct spec_features *features, const struct host *host)
{
	struct spec_features_linux *l = features->linux_;

	if (!l->cgroup)
		l->cgroup = arena_new(arena, struct spec_features_cgroup);
	l->cgroup->v1 = no;
	l->cgroup->v2 = yes;
#ifdef CRT_SYSTEMD
	l->cgroup->systemd = yes;
	l->cgroup->systemd_user = yes;
#else
	l->cgroup->systemd = no;
	l->cgroup->systemd_user = no;
#endif
	l->cgroup->rdma = yes;
	l->seccomp->enabled = yes;
	l->seccomp->archs = (struct spec_set){.mask = seccomp_known_archs(), .set = true};
	l->seccomp->supported_flags = supported_flags(host);
	l->apparmor = enabled(arena, yes);
	l->selinux = enabled(arena, yes);
	l->intel_rdt = arena_new(arena, struct spec_features_intel_rdt);
	l->intel_rdt->enabled = yes;
	l->intel_rdt->schemata = yes;
	l->intel_rdt->monitoring = yes;
	l->net_devices = enabled(arena, yes);
	l->mount_extensions = arena_new(arena, struct spec_features_mount_extensions);
	l->mount_extensions->idmap = enabled(arena, yes);
}

/* An engine should not let just anybody set these. */
static void add_annotations(struct arena *arena, struct spec_features *features)
{
	const char **names = arena_array(arena, const char *, spec_annotations_count);

	for (size_t i = 0; i < spec_annotations_count; i++)
		names[i] = spec_annotations_known[i].name;
	features->potentially_unsafe_config_annotations = names;
	features->potentially_unsafe_config_annotations_count = spec_annotations_count;
}

static void add_versions(struct arena *arena, struct spec_features *features)
{
	struct spec_pair *pairs = arena_array(arena, struct spec_pair, 2);
	char *seccomp = arena_alloc(arena, 32);

	seccomp_version_text(seccomp, 32);
	pairs[0] = (struct spec_pair){.key = "run.crt.version", .value = CRT_VERSION};
	pairs[1] = (struct spec_pair){.key = "io.github.seccomp.libseccomp.version", .value = seccomp};
	features->annotations = pairs;
	features->annotations_count = 2;
}

int crt_features_json(const struct crt_context *context, char **text, struct crt_error *error)
{
	arena_auto struct arena arena = {0};
	struct err err = {0};
	struct json_writer w;
	struct host host;

	int r = arena_init(&arena, &err);
	if (r == 0)
		r = public_host(context, &arena, &host, &err);
	if (r < 0)
		return public_result(r, &err, error);
	struct spec_features *features = spec_features_known(&arena);
	add_build(&arena, features, &host);
	add_annotations(&arena, features);
	add_versions(&arena, features);
	json_writer_init(&w, &arena, true);
	spec_write(&w, &spec_features_table, features);
	return public_result(public_text(json_writer_text(&w, NULL), text, &err), &err, error);
}

/* ---- a first config.json ---- */

int crt_spec_json(bool rootless, char **text, struct crt_error *error)
{
	arena_auto struct arena arena = {0};
	struct err err = {0};
	struct json_writer w;

	int r = arena_init(&arena, &err);
	if (r < 0)
		return public_result(r, &err, error);
	json_writer_init(&w, &arena, true);
	spec_write(&w, &spec_config_table, spec_config_default(&arena, rootless, geteuid(), getegid()));
	return public_result(public_text(json_writer_text(&w, NULL), text, &err), &err, error);
}

/* ---- the plan ---- */

/* The first error; how many more there are is for `check` to tell. */
int public_first_error(const struct report *report, struct err *err)
{
	int r = report_first_error(report, err);

	if (r < 0 && report->errors > 1 && !err->hint[0])
		err_hint(err, "\"crt check\" shows %u more problem%s", report->errors - 1,
			report->errors > 2 ? "s" : "");
	return r;
}

static int explain(struct arena *arena, const struct crt_context *context,
	const struct crt_create_options *options, bool json, char **text, struct err *err)
{
	const struct spec_config *config = NULL;
	struct plan_options plan_options = {.foreground = true, .wait_start = true};
	struct plan *plan = NULL;
	struct report report;
	struct host host;

	report_init(&report, arena);
	int r = public_plan_options(options, &plan_options, err);
	if (r < 0)
		return r;
	r = public_read_bundle(arena, options, &report, &plan_options.bundle, &config, err);
	if (r < 0 && !report.errors)
		return r;
	if (r == 0 && spec_config_check(config, &report) == 0) {
		r = public_host(context, arena, &host, err);
		if (r < 0)
			return r;
		plan_create(arena, config, &host, &plan_options, &report, &plan);
	}
	r = public_first_error(&report, err);
	return r < 0 ? r : public_text(plan_print(plan, json), text, err);
}

int crt_explain(const struct crt_context *context, const struct crt_create_options *options, bool json,
	char **text, struct crt_error *error)
{
	arena_auto struct arena arena = {0};
	struct err err = {0};

	int r = arena_init(&arena, &err);
	if (r == 0)
		r = explain(&arena, context, options, json, text, &err);
	if (r < 0)
		err_phase(&err, "plan");
	return public_result(r, &err, error);
}

/*
 * update.c - see update.h.
 *
 * The document is half of the truth: a quota without its period, or a limit of memory and swap without that
 * of memory, is completed by what the kernel holds now. The lock keeps two updates from each taking the
 * other's half for old.
 */
#include "libcontainer/run/update.h"

#include <errno.h>
#include <string.h>

#include "base/fd.h"
#include "base/str.h"
#include "libcontainer/cgroup/cgroup.h"
#include "libcontainer/cgroup/rdt.h"
#include "libcontainer/cgroup/unit.h"
#include "libcontainer/host/host.h"
#include "libcontainer/public.h"
#include "libcontainer/run/live.h"
#include "libcontainer/run/systemd.h"
#include "specs/config.h"
#include "specs/json.h"
#include "specs/resources.h"

#define SYSTEMD_MS 10000

/* "max 100000" or "50000 100000" */
static void complete_cpu(int cgroup_fd, struct spec_cpu *cpu)
{
	char text[64];
	int64_t quota = -1;
	uint64_t period = 0;

	bool has_quota = cpu->quota.set && cpu->quota.value;
	if (has_quota == (cpu->period.value != 0) ||
		fd_read_file(cgroup_fd, "cpu.max", text, sizeof(text)) < 0)
		return;
	text[strcspn(text, "\n")] = '\0';
	char *second = strchr(text, ' ');
	if (!second)
		return;
	*second++ = '\0';
	if (has_quota && str_to_u64(second, &period) == 0)
		cpu->period = (struct spec_opt_u64){.value = period, .set = true};
	if (!has_quota && str_to_i64(text, &quota) == 0)
		cpu->quota = (struct spec_opt_i64){.value = quota, .set = true};
}

static void complete_memory(int cgroup_fd, struct spec_memory *memory)
{
	char text[32];
	int64_t limit;

	if (memory->swap.value <= 0 || memory->limit.value ||
		fd_read_file(cgroup_fd, "memory.max", text, sizeof(text)) < 0)
		return;
	text[strcspn(text, "\n")] = '\0';
	if (str_to_i64(text, &limit) == 0)
		memory->limit = (struct spec_opt_i64){.value = limit, .set = true};
}

static int compile(struct arena *arena, int cgroup_fd, const struct crt_update_options *options,
	struct cg_limits *limits, const struct json_doc **doc, struct report *report, struct err *err)
{
	struct host host = {0};

	int r = json_parse(arena, options->name ? options->name : "", options->resources,
		strlen(options->resources), report, doc);
	if (r < 0)
		return r;
	struct spec_resources *resources = spec_decode(arena, *doc, 0, &spec_resources_table, report);
	if (!resources)
		return -EINVAL;
	if (resources->cpu)
		complete_cpu(cgroup_fd, resources->cpu);
	if (resources->memory)
		complete_memory(cgroup_fd, resources->memory);
	spec_resources_check(*doc, resources, report);
	r = host_gather(&host, arena, HOST_USER | HOST_CONTROLLERS, err);
	return r < 0 ? r : cg_resources_compile(arena, resources, *doc, &host, report, limits);
}

/* systemd learns of it last, when nothing else can fail any more: else it would undo the change some day. */
static int tell_systemd(void *data, struct err *err)
{
	return systemd_request(data, err);
}

/*
 * The parents may hand down less than the new limits need, when nobody asked before. A unit's cgroup is
 * systemd's, and has what it delegates. What does not succeed the write of the limit will say.
 */
static void hand_down(const struct run_live *live, const struct cg_limits *limits)
{
	const struct state *s = live->state;
	struct err ignored;

	if (!s->cgroup_manager)
		cg_hand_down(s->cgroup_mount, s->cgroup_path, live->cgroup_fd, limits->controllers, &ignored);
}

static int change_limits(struct arena *arena, const struct run_live *live,
	const struct crt_update_options *options, const struct cg_limits *limits, const struct json_doc *doc,
	struct cg_shrink *shrink, struct err *err)
{
	struct systemd_request request = {.verb = "set",
		.unit = live->state->cgroup_unit,
		.user = live->state->cgroup_user_unit,
		.properties = cg_properties(arena, limits),
		.timeout_ms = SYSTEMD_MS};
	struct cg_update update = {.cgroup_fd = live->cgroup_fd,
		.limits = limits,
		.doc = doc,
		.timeout_ms = (int)options->timeout_ms};

	if (request.unit && *request.properties) {
		update.commit = tell_systemd;
		update.commit_data = &request;
	}
	hand_down(live, limits);
	return cg_update(arena, &update, shrink, err);
}

/* The group that the document put the container into; its lines, if they are to change. */
static int compile_rdt(struct arena *arena, const struct run_live *live,
	const struct crt_update_options *options, struct rdt_request *request, const char **lines,
	struct err *err)
{
	const struct spec_config *config = NULL;
	struct host host = {0};
	struct report report;

	*lines = NULL;
	if (!options->l3_cache_schema && !options->mem_bw_schema)
		return 0;
	if (options->mem_bw_schema && !str_starts(options->mem_bw_schema, "MB:"))
		return err_set(err, EINVAL, "a schema of memory bandwidth starts with \"MB:\", not \"%s\"",
			options->mem_bw_schema);
	report_init(&report, arena);
	int r = spec_config_read(arena, live->dir_fd, STATE_CONFIG, "config.json", &report, &config);
	if (r < 0)
		return public_first_error(&report, err);
	if (!config->linux_->intel_rdt)
		return err_set(err, EINVAL,
			"container \"%s\" was made without linux.intelRdt, and is in no group to be changed",
			live->state->id);
	r = host_gather(&host, arena, HOST_RDT, err);
	if (r < 0)
		return r;
	if (!host.resctrl_mount)
		return err_set(err, ENODEV, "the resctrl filesystem is not mounted any more");
	rdt_compile(arena, config->linux_->intel_rdt, host.resctrl_mount, live->state->id, request);
	*lines = rdt_allocation(arena, options->l3_cache_schema, options->mem_bw_schema);
	return 0;
}

static int change(struct arena *arena, struct run_live *live, const struct crt_update_options *options,
	struct cg_shrink *shrink, struct report *report, struct err *err)
{
	const struct json_doc *doc = NULL;
	struct cg_limits limits = {0};
	struct rdt_request rdt;
	const char *lines, *before;
	struct err ignored;

	int r = compile_rdt(arena, live, options, &rdt, &lines, err);
	if (r == 0 && options->resources)
		r = compile(arena, live->cgroup_fd, options, &limits, &doc, report, err);
	if (report->errors)
		r = public_first_error(report, err);
	if (r == 0 && lines)
		r = rdt_change(arena, &rdt, lines, &before, err);
	if (r < 0 || !options->resources)
		return r;
	r = change_limits(arena, live, options, &limits, doc, shrink, err);
	if (r < 0 && lines)
		rdt_change(arena, &rdt, before, &before, &ignored);
	return r;
}

int run_update(struct arena *arena, const char *root, const char *id,
	const struct crt_update_options *options, struct cg_shrink *shrink, struct report *report,
	struct err *err)
{
	struct run_live live;

	*shrink = (struct cg_shrink){0};
	int r = run_live_open(arena, root, id, STATE_LOCK_EXCLUSIVE, &live, err);
	if (r < 0)
		return r;
	r = change(arena, &live, options, shrink, report, err);
	run_live_close(&live);
	if (r < 0 && err &&
		!options->name) { /* the caller has not seen the text: only the path means something */
		err->where.line = err->where.column = 0;
		err->where.file[0] = err->where.source[0] = '\0';
	}
	return r;
}

/*
 * resources.c - the limits of a document as writes to the files of cgroup v2.
 *
 * Decides which file gets which text, for each property of config-linux.md ("Control groups" and "Unified"),
 * whose numbers are those of cgroup v1. What v2 has no word for is an error when it would have limited or
 * changed something that matters, and a warning when engines write it out of habit. Whether the host can hold
 * a limit at all is decided here too, by its controllers; whether the kernel takes the number, by create.c.
 *
 * Engines written in Go use 0 for "not given"; where 0 makes no sense as a limit it is read so.
 *
 * The order of the writes is the kernel's: a burst may not exceed the quota of the moment, a weight cannot be
 * set while idle is 1. `unified` comes last: it is the more specific wish.
 */
#include "libcontainer/cgroup/resources.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/str.h"
#include "libcontainer/host/host.h"
#include "specs/json.h"
#include "specs/resources.h"

#define CPU_PERIOD_DEFAULT 100000u /* microseconds; the kernel's */

struct compiler {
	struct arena *arena;
	const struct json_doc *doc;
	const struct host *host;
	struct report *report;
	struct cg_limits *limits;
	size_t room; /* in limits->writes */
	struct str_buf controllers;
};

/* ---- weights ---- */

/* Base 2, of a positive number; the C library's needs one more shared object in every start. */
static double log2_of(double x)
{
	int exponent;
	double m = frexp(x, &exponent) * 2 - 1; /* x = (1 + m) * 2^(exponent-1), 0 <= m < 1 */
	double z = m / (m + 2), power = z, sum = 0;

	for (int k = 1; k < 40; k += 2, power *= z * z)
		sum += power / k;
	return exponent - 1 + 2 / 0.693147180559945309417 * sum;
}

/*
 * The conversion all runtimes changed to in 2025, so that shares 1024, the default, become weight 100, the
 * default: the least whole number above 10^((L^2 + 125 L) / 612 - 7/34), where L is log2(shares).
 */
uint64_t cg_cpu_weight(uint64_t shares)
{
	uint64_t low = 1, high = 10000;

	if (shares <= 2)
		return low;
	if (shares >= 262144)
		return high;
	double l = log2_of((double)shares);
	double wanted = (l * l + 125 * l - 126) / 612 *
			3.32192809488736234787; /* log2(10): the weight's log2 */
	while (low < high) {
		uint64_t middle = (low + high) / 2;
		if (log2_of((double)middle) < wanted - 1e-12)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

uint64_t cg_io_weight(uint64_t blkio_weight)
{
	return 1 + (blkio_weight - 10) * 9999 / 990;
}

/* ---- controllers ---- */

/* What a new cgroup has anyway; asking for it needs no controller. */
static bool is_default(const char *file, const char *value)
{
	return str_eq(value, "max") || (str_eq(file, "cpu.weight") && str_eq(value, "100")) ||
	       (str_eq(file, "cpu.max") && str_starts(value, "max ")) ||
	       (str_eq(file, "cpu.max.burst") && str_eq(value, "0")) ||
	       (str_eq(file, "cpu.idle") && str_eq(value, "0"));
}

static void missing_controller(struct compiler *c, uint32_t node, const char *file, const char *controller)
{
	const char *v1_name = str_eq(controller, "io") ? "blkio" : controller;

	if (str_has_word(c->host->v1_controllers, v1_name)) {
		struct err *e = json_error(c->report, c->doc, node,
			"%s needs the %s controller, which cgroup v1 holds on this host", file, controller);
		err_hint(e, "boot with cgroup_no_v1=%s, or with systemd.unified_cgroup_hierarchy=1", v1_name);
		return;
	}
	struct err *e = json_error(c->report, c->doc, node,
		"%s needs the %s controller, which cgroup v2 does not have here", file, controller);
	if (c->host->euid != 0 || c->host->user_namespace)
		err_hint(e, "it must be delegated to this user: set Delegate=%s for user@.service",
			controller);
	else if (str_eq(controller, "memory"))
		err_hint(e, "boot with cgroup_enable=memory, or remove the limit");
	else
		err_hint(e,
			"the kernel must have it and every cgroup above hand it down; or remove the limit");
}

/* May the file be written? Notes its controller as needed; when not, an error or, for a default, nothing. */
static bool controller_is_there(
	struct compiler *c, uint32_t node, const char *file, const char *controller, const char *value)
{
	if (str_eq(controller, "cgroup"))
		return true;
	if (c->host->cgroup_mount && !str_has_word(c->host->controllers, controller)) {
		if (!is_default(file, value))
			missing_controller(c, node, file, controller);
		return false;
	}
	/* "max" is no limit, also where the controller is not handed down: cg_apply() takes a missing file
	 * for it */
	if (!str_has_word(c->controllers.data, controller) && !str_eq(value, "max"))
		str_buf_add(&c->controllers, "%s%s", c->controllers.length ? " " : "", controller);
	return true;
}

/* ---- writes ---- */

static struct cg_write *append(struct compiler *c)
{
	struct cg_limits *l = c->limits;

	l->writes = arena_grow(c->arena, l->writes, sizeof(*l->writes), l->count, &c->room, 16);
	return &l->writes[l->count++];
}

/* `file` and `value` must live in the arena or for ever. Returns NULL when there is nothing to write. */
static struct cg_write *add_text(struct compiler *c, uint32_t node, const char *file, const char *value)
{
	const char *controller = arena_memdup(c->arena, file, strcspn(file, "."));

	if (!controller_is_there(c, node, file, controller, value))
		return NULL;
	struct cg_write *w = append(c);
	*w = (struct cg_write){.node = node, .file = file, .value = value, .controller = controller};
	return w;
}

#define add(c, node, file, ...) add_text((c), (node), (file), arena_printf((c)->arena, __VA_ARGS__))

/* A number of which a negative one means no limit. */
static struct cg_write *add_limit(struct compiler *c, uint32_t node, const char *file, int64_t value)
{
	return value < 0 ? add_text(c, node, file, "max") : add(c, node, file, "%lld", (long long)value);
}

static bool given(struct spec_opt_i64 number)
{
	return number.set && number.value != 0;
}

/* ---- the sections of config-linux.md ---- */

/* The document's limit is for memory and swap together, the kernel's for swap alone. */
static void compile_swap(struct compiler *c, const struct spec_memory *m)
{
	uint32_t node = spec_at(c->doc, m->node, m->swap.set ? "swap" : "limit");
	int64_t limit = m->limit.value, swap = m->swap.value;

	if (swap < 0 || (swap == 0 && limit < 0)) /* cgroup v1 would not have limited both either */
		add_text(c, node, "memory.swap.max", "max");
	else if (swap > 0 && limit > 0 && swap >= limit)
		add(c, node, "memory.swap.max", "%lld", (long long)(swap - limit));
}

static void warn_v1_only(struct compiler *c, uint32_t parent, const char *name, bool is_given)
{
	if (is_given)
		json_note(c->report, c->doc, spec_at(c->doc, parent, name),
			"cgroup v2 has nothing like %s; it is ignored", name);
}

static void compile_memory(struct compiler *c, const struct spec_memory *m)
{
	if (given(m->limit)) {
		struct cg_write *w = add_limit(
			c, spec_at(c->doc, m->node, "limit"), "memory.max", m->limit.value);
		if (w && m->limit.value > 0 && m->check_before_update.value)
			w->usage = "memory.current";
	}
	if (given(m->reservation))
		add_limit(c, spec_at(c->doc, m->node, "reservation"), "memory.low", m->reservation.value);
	compile_swap(c, m);
	warn_v1_only(c, m->node, "swappiness", m->swappiness.set);
	warn_v1_only(c, m->node, "disableOOMKiller", m->disable_oom_killer.value);
	warn_v1_only(c, m->node, "useHierarchy", m->use_hierarchy.set && !m->use_hierarchy.value);
}

static void compile_cpu_bandwidth(struct compiler *c, const struct spec_cpu *cpu)
{
	uint64_t period = cpu->period.value ? cpu->period.value : CPU_PERIOD_DEFAULT;
	uint32_t quota_node = spec_at(c->doc, cpu->node, given(cpu->quota) ? "quota" : "period");
	uint32_t burst_node = spec_at(c->doc, cpu->node, "burst");
	bool bandwidth = given(cpu->quota) || cpu->period.value;

	if (bandwidth && cpu->burst.value) /* an update may lower both: no burst, for the moment */
		add_text(c, burst_node, "cpu.max.burst", "0");
	if (bandwidth && cpu->quota.value > 0)
		add(c, quota_node, "cpu.max", "%lld %llu", (long long)cpu->quota.value,
			(unsigned long long)period);
	else if (bandwidth)
		add(c, quota_node, "cpu.max", "max %llu", (unsigned long long)period);
	if (cpu->burst.set)
		add(c, burst_node, "cpu.max.burst", "%llu", (unsigned long long)cpu->burst.value);
}

static void refuse_realtime(struct compiler *c, const struct spec_cpu *cpu, const char *name, bool is_given)
{
	if (is_given)
		err_hint(json_error(c->report, c->doc, spec_at(c->doc, cpu->node, name),
				 "cgroup v2 cannot limit realtime scheduling"),
			"remove %s", name);
}

static void compile_cpu(struct compiler *c, const struct spec_cpu *cpu)
{
	compile_cpu_bandwidth(c, cpu);
	if (cpu->idle.set)
		add(c, spec_at(c->doc, cpu->node, "idle"), "cpu.idle", "%lld", (long long)cpu->idle.value);
	if (cpu->shares.value && cpu->idle.value != 1)
		add(c, spec_at(c->doc, cpu->node, "shares"), "cpu.weight", "%llu",
			(unsigned long long)cg_cpu_weight(cpu->shares.value));
	if (cpu->cpus)
		add_text(c, spec_at(c->doc, cpu->node, "cpus"), "cpuset.cpus", cpu->cpus);
	if (cpu->mems)
		add_text(c, spec_at(c->doc, cpu->node, "mems"), "cpuset.mems", cpu->mems);
	refuse_realtime(c, cpu, "realtimeRuntime", cpu->realtime_runtime.value != 0);
	refuse_realtime(c, cpu, "realtimePeriod", cpu->realtime_period.value != 0);
}

/*
 * A limit of 0 lets a process be moved in, as cgroup v1's runtimes did, but not be cloned into the cgroup.
 * With the container's first process inside, 1 says the same: no other.
 */
static void compile_pids(struct compiler *c, const struct spec_pids *pids)
{
	if (pids->limit.set)
		add_limit(c, spec_at(c->doc, pids->node, "limit"), "pids.max",
			pids->limit.value == 0 ? 1 : pids->limit.value);
}

/* The BFQ scheduler has a file of its own, with cgroup v1's range; `device` is "" or "8:0 ". */
static void add_io_weight(struct compiler *c, uint32_t node, const char *device, uint16_t weight)
{
	struct cg_write *w = add(c, node, "io.bfq.weight", "%s%u", device, weight);

	if (w) {
		w->instead_file = "io.weight";
		w->instead_value = arena_printf(
			c->arena, "%s%llu", device, (unsigned long long)cg_io_weight(weight));
	}
}

static void add_throttles(
	struct compiler *c, const struct spec_throttle_device *devices, size_t count, const char *key)
{
	for (size_t i = 0; i < count; i++) {
		long long major = devices[i].major, minor = devices[i].minor;
		if (devices[i].rate)
			add(c, devices[i].node, "io.max", "%lld:%lld %s=%llu", major, minor, key,
				(unsigned long long)devices[i].rate);
		else
			add(c, devices[i].node, "io.max", "%lld:%lld %s=max", major, minor, key);
	}
}

static void compile_block_io(struct compiler *c, const struct spec_block_io *io)
{
	if (io->weight.value)
		add_io_weight(c, spec_at(c->doc, io->node, "weight"), "", io->weight.value);
	warn_v1_only(c, io->node, "leafWeight", io->leaf_weight.value != 0);
	for (size_t i = 0; i < io->weight_device_count; i++) {
		const struct spec_weight_device *d = &io->weight_device[i];
		if (d->weight.value)
			add_io_weight(c, d->node,
				arena_printf(
					c->arena, "%lld:%lld ", (long long)d->major, (long long)d->minor),
				d->weight.value);
		warn_v1_only(c, d->node, "leafWeight", d->leaf_weight.value != 0);
	}
	add_throttles(c, io->throttle_read_bps_device, io->throttle_read_bps_device_count, "rbps");
	add_throttles(c, io->throttle_write_bps_device, io->throttle_write_bps_device_count, "wbps");
	add_throttles(c, io->throttle_read_iops_device, io->throttle_read_iops_device_count, "riops");
	add_throttles(c, io->throttle_write_iops_device, io->throttle_write_iops_device_count, "wiops");
}

/* Both kinds of accounting, as the specification asks: what is reserved, and what is touched unreserved. */
static void compile_hugepages(struct compiler *c, const struct spec_hugepage_limit *limits, size_t count)
{
	static const char *const kinds[] = {"max", "rsvd.max"};

	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < ARRAY_SIZE(kinds) && limits[i].page_size; k++)
			add(c, limits[i].node,
				arena_printf(c->arena, "hugetlb.%s.%s", limits[i].page_size, kinds[k]),
				"%llu", (unsigned long long)limits[i].limit);
}

static void compile_rdma(struct compiler *c, const struct spec_rdma *rdma, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char text[320];
		struct str_buf b;
		str_buf_init(&b, text, sizeof(text));
		str_buf_add(&b, "%s", rdma[i].key);
		if (rdma[i].hca_handles.set)
			str_buf_add(&b, " hca_handle=%u", rdma[i].hca_handles.value);
		if (rdma[i].hca_objects.set)
			str_buf_add(&b, " hca_object=%u", rdma[i].hca_objects.value);
		if (b.cut || strpbrk(rdma[i].key, " \n\t"))
			json_error(c->report, c->doc, rdma[i].node, "this is not the name of an RDMA device");
		else
			add(c, rdma[i].node, "rdma.max", "%s", text);
	}
}

static void compile_network(struct compiler *c, const struct spec_network *network)
{
	if (network->class_id.value)
		err_hint(json_error(c->report, c->doc, spec_at(c->doc, network->node, "classID"),
				 "cgroup v2 has no network class identifiers"),
			"match the cgroup itself: nft's \"socket cgroupv2\" or iptables' \"-m cgroup "
			"--path\"");
	if (network->priorities_count)
		err_hint(json_error(c->report, c->doc, spec_at(c->doc, network->node, "priorities"),
				 "cgroup v2 has no network priorities"),
			"set the priority of packets by cgroup with nft or tc");
}

/* ---- unified: the kernel's own words ---- */

/* Is it a file of the cgroup itself rather than of a controller, and not just a limit? */
static bool is_control_file(const char *file)
{
	static const char *const limits[] = {
		"cgroup.max.depth", "cgroup.max.descendants", "cgroup.pressure", NULL};

	return str_starts(file, "cgroup.") && !str_is_one_of(file, limits);
}

/* The kernel takes one line at a time; the specification's own example has several. */
static void compile_unified(struct compiler *c, const struct spec_pair *pairs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (strchr(pairs[i].key, '/') || strcspn(pairs[i].key, ".") == 0)
			continue; /* reported by the check of the document */
		if (is_control_file(pairs[i].key)) {
			json_problem_key(c->report, REPORT_ERROR, c->doc, pairs[i].node,
				"%s cannot be set: it moves, stops or kills processes rather than limit them",
				pairs[i].key);
			continue;
		}
		const char *line = pairs[i].value;
		do {
			size_t length = strcspn(line, "\n");
			if (length || line == pairs[i].value)
				add_text(
					c, pairs[i].node, pairs[i].key, arena_memdup(c->arena, line, length));
			line += length;
		} while (*line++ == '\n');
	}
}

int cg_resources_compile(struct arena *arena, const struct spec_resources *resources,
	const struct json_doc *doc, const struct host *host, struct report *report, struct cg_limits *limits)
{
	char controllers[1024];
	unsigned errors = report->errors;
	struct compiler c = {.arena = arena, .doc = doc, .host = host, .report = report, .limits = limits};

	*limits = (struct cg_limits){.controllers = ""};
	if (!resources)
		return 0;
	str_buf_init(&c.controllers, controllers, sizeof(controllers));
	if (resources->memory)
		compile_memory(&c, resources->memory);
	if (resources->cpu)
		compile_cpu(&c, resources->cpu);
	if (resources->pids)
		compile_pids(&c, resources->pids);
	if (resources->block_io)
		compile_block_io(&c, resources->block_io);
	compile_hugepages(&c, resources->hugepage_limits, resources->hugepage_limits_count);
	compile_rdma(&c, resources->rdma, resources->rdma_count);
	if (resources->network)
		compile_network(&c, resources->network);
	compile_unified(&c, resources->unified, resources->unified_count);
	limits->controllers = arena_strdup(arena, controllers);
	return report->errors > errors ? -EINVAL : 0;
}

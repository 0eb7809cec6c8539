/*
 * resources.c - limits of the cgroup: shape, and contradictions that no host could carry out
 * (config-linux.md, "Control groups"). Which of them this host can carry out is a question for the cgroup
 * floor.
 *
 * Zero is "not given" for the older members, as engines write it.
 */
#include "specs/resources.h"

#include <string.h>

#include "specs/check.h"

static const struct spec_row memory_rows[] = {
	ROW_OPT_I64(spec_memory, "limit", limit, .min = -1, .max = INT64_MAX),
	ROW_OPT_I64(spec_memory, "reservation", reservation, .min = -1, .max = INT64_MAX),
	ROW_OPT_I64(spec_memory, "swap", swap, .min = -1, .max = INT64_MAX),
	ROW_OPT_I64(spec_memory, "kernel", kernel, .min = -1, .max = INT64_MAX),
	ROW_OPT_I64(spec_memory, "kernelTCP", kernel_tcp, .min = -1, .max = INT64_MAX),
	ROW_OPT_U64(spec_memory, "swappiness", swappiness, .max = 100),
	ROW_OPT_BOOL(spec_memory, "disableOOMKiller", disable_oom_killer),
	ROW_OPT_BOOL(spec_memory, "useHierarchy", use_hierarchy),
	ROW_OPT_BOOL(spec_memory, "checkBeforeUpdate", check_before_update),
};
static const struct spec_table memory_table = SPEC_TABLE("memory limits", spec_memory, memory_rows);

static const struct spec_row cpu_rows[] = {
	ROW_OPT_U64(spec_cpu, "shares", shares),
	ROW_OPT_I64(spec_cpu, "quota", quota),
	ROW_OPT_U64(spec_cpu, "burst", burst),
	ROW_OPT_U64(spec_cpu, "period", period),
	ROW_OPT_I64(spec_cpu, "realtimeRuntime", realtime_runtime),
	ROW_OPT_U64(spec_cpu, "realtimePeriod", realtime_period),
	ROW_STRING(spec_cpu, "cpus", cpus),
	ROW_STRING(spec_cpu, "mems", mems),
	ROW_OPT_I64(spec_cpu, "idle", idle, .min = 0, .max = 1),
};
static const struct spec_table cpu_table = SPEC_TABLE("CPU limits", spec_cpu, cpu_rows);

static const struct spec_row pids_rows[] = {
	ROW_OPT_I64(spec_pids, "limit", limit, .flags = SPEC_REQUIRED),
};
static const struct spec_table pids_table = SPEC_TABLE("limits of processes", spec_pids, pids_rows);

static const struct spec_row weight_device_rows[] = {
	ROW_I64(spec_weight_device, "major", major, .flags = SPEC_REQUIRED, .max = UINT32_MAX),
	ROW_I64(spec_weight_device, "minor", minor, .flags = SPEC_REQUIRED, .max = UINT32_MAX),
	ROW_OPT_U16(spec_weight_device, "weight", weight),
	ROW_OPT_U16(spec_weight_device, "leafWeight", leaf_weight),
};
static const struct spec_table weight_device_table = SPEC_TABLE(
	"weight of a device", spec_weight_device, weight_device_rows);

static const struct spec_row throttle_device_rows[] = {
	ROW_I64(spec_throttle_device, "major", major, .flags = SPEC_REQUIRED, .max = UINT32_MAX),
	ROW_I64(spec_throttle_device, "minor", minor, .flags = SPEC_REQUIRED, .max = UINT32_MAX),
	ROW_U64(spec_throttle_device, "rate", rate, .flags = SPEC_REQUIRED),
};
static const struct spec_table throttle_device_table = SPEC_TABLE(
	"limit of a device", spec_throttle_device, throttle_device_rows);

static const struct spec_row block_io_rows[] = {
	ROW_OPT_U16(spec_block_io, "weight", weight),
	ROW_OPT_U16(spec_block_io, "leafWeight", leaf_weight),
	ROW_OBJECTS(spec_block_io, "weightDevice", weight_device, spec_weight_device, &weight_device_table),
	ROW_OBJECTS(spec_block_io, "throttleReadBpsDevice", throttle_read_bps_device, spec_throttle_device,
		&throttle_device_table),
	ROW_OBJECTS(spec_block_io, "throttleWriteBpsDevice", throttle_write_bps_device, spec_throttle_device,
		&throttle_device_table),
	ROW_OBJECTS(spec_block_io, "throttleReadIOPSDevice", throttle_read_iops_device, spec_throttle_device,
		&throttle_device_table),
	ROW_OBJECTS(spec_block_io, "throttleWriteIOPSDevice", throttle_write_iops_device,
		spec_throttle_device, &throttle_device_table),
};
static const struct spec_table block_io_table = SPEC_TABLE("block I/O limits", spec_block_io, block_io_rows);

static const struct spec_row hugepage_rows[] = {
	ROW_STRING(spec_hugepage_limit, "pageSize", page_size, .flags = SPEC_REQUIRED),
	ROW_U64(spec_hugepage_limit, "limit", limit, .flags = SPEC_REQUIRED),
};
static const struct spec_table hugepage_table = SPEC_TABLE(
	"huge page limit", spec_hugepage_limit, hugepage_rows);

static const struct spec_row priority_rows[] = {
	ROW_STRING(spec_interface_priority, "name", name, .flags = SPEC_REQUIRED),
	ROW_U32(spec_interface_priority, "priority", priority, .flags = SPEC_REQUIRED),
};
static const struct spec_table priority_table = SPEC_TABLE(
	"priority of an interface", spec_interface_priority, priority_rows);

static const struct spec_row network_rows[] = {
	ROW_OPT_U32(spec_network, "classID", class_id),
	ROW_OBJECTS(spec_network, "priorities", priorities, spec_interface_priority, &priority_table),
};
static const struct spec_table network_table = SPEC_TABLE("network limits", spec_network, network_rows);

static const struct spec_row rdma_rows[] = {
	ROW_OPT_U32(spec_rdma, "hcaHandles", hca_handles),
	ROW_OPT_U32(spec_rdma, "hcaObjects", hca_objects),
};
static const struct spec_table rdma_table = SPEC_TABLE("RDMA limit", spec_rdma, rdma_rows);

static const struct spec_row resources_rows[] = {
	ROW_PAIRS(spec_resources, "unified", unified),
	ROW_OBJECTS(spec_resources, "devices", devices, spec_device_rule, &spec_device_rule_table),
	ROW_OBJECT(spec_resources, "memory", memory, spec_memory, &memory_table),
	ROW_OBJECT(spec_resources, "cpu", cpu, spec_cpu, &cpu_table),
	ROW_OBJECT(spec_resources, "pids", pids, spec_pids, &pids_table),
	ROW_OBJECT(spec_resources, "blockIO", block_io, spec_block_io, &block_io_table),
	ROW_OBJECTS(spec_resources, "hugepageLimits", hugepage_limits, spec_hugepage_limit, &hugepage_table),
	ROW_OBJECT(spec_resources, "network", network, spec_network, &network_table),
	ROW_OBJECT_MAP(spec_resources, "rdma", rdma, spec_rdma, &rdma_table),
};
const struct spec_table spec_resources_table = SPEC_TABLE("resources", spec_resources, resources_rows);

static void check_memory(const struct json_doc *doc, const struct spec_memory *m, struct report *report)
{
	int64_t limit = m->limit.value, swap = m->swap.value;

	if (swap > 0 && limit <= 0)
		json_error(report, doc, spec_at(doc, m->node, "swap"),
			"a limit of memory and swap needs a memory limit");
	else if (swap > 0 && swap < limit)
		err_hint(
			json_error(report, doc, spec_at(doc, m->node, "swap"),
				"the limit of memory and swap together (%jd) is below the memory limit (%jd)",
				(intmax_t)swap, (intmax_t)limit),
			"swap counts both: no swap is the memory limit itself");
	if (m->kernel.value > 0)
		json_note(report, doc, spec_at(doc, m->node, "kernel"),
			"has no effect: the kernel has no such limit any more");
	if (m->kernel_tcp.value > 0)
		json_note(report, doc, spec_at(doc, m->node, "kernelTCP"), "has no effect with cgroup v2");
}

static void check_cpu(const struct json_doc *doc, const struct spec_cpu *c, struct report *report)
{
	if (c->shares.value && (c->shares.value < 2 || c->shares.value > 262144))
		json_note(report, doc, spec_at(doc, c->node, "shares"),
			"%ju is taken for the nearest of 2 to 262144", (uintmax_t)c->shares.value);
	if (c->period.value && (c->period.value < 1000 || c->period.value > 1000000))
		json_error(report, doc, spec_at(doc, c->node, "period"),
			"%ju microseconds; the kernel takes 1000 to 1000000", (uintmax_t)c->period.value);
	if (c->quota.value > 0 && c->quota.value < 1000)
		json_error(report, doc, spec_at(doc, c->node, "quota"),
			"%jd microseconds; the kernel takes 1000 and more", (intmax_t)c->quota.value);
	if (c->quota.value > 0 && c->burst.value > (uint64_t)c->quota.value)
		json_error(report, doc, spec_at(doc, c->node, "burst"),
			"the burst %ju is above the quota %jd", (uintmax_t)c->burst.value,
			(intmax_t)c->quota.value);
	spec_check_number_list(doc, spec_at(doc, c->node, "cpus"), c->cpus, report);
	spec_check_number_list(doc, spec_at(doc, c->node, "mems"), c->mems, report);
}

static void check_weight(const struct json_doc *doc, uint32_t node, uint16_t weight, struct report *report)
{
	if (weight && (weight < 10 || weight > 1000))
		json_error(report, doc, spec_at(doc, node, "weight"),
			"the weight %u is out of range (10 to 1000)", weight);
}

static void check_block_io(const struct json_doc *doc, const struct spec_block_io *b, struct report *report)
{
	check_weight(doc, b->node, b->weight.value, report);
	for (size_t i = 0; i < b->weight_device_count; i++) {
		const struct spec_weight_device *w = &b->weight_device[i];
		check_weight(doc, w->node, w->weight.value, report);
		if (!w->weight.set && !w->leaf_weight.set && !spec_has(doc, w->node, "weight") &&
			!spec_has(doc, w->node, "leafWeight"))
			json_error(report, doc, w->node, "neither a weight nor a leafWeight");
	}
}

#define PAGE_SIZES_MAX 32 /* more than any architecture has: enough to compare with */

/* "2MB": the file is called hugetlb.2MB.max. */
static bool is_page_size(const char *s)
{
	size_t digits = strspn(s, "0123456789");

	return digits > 0 && s[0] != '0' && s[digits] && strchr("KMG", s[digits]) &&
	       strcmp(s + digits + 1, "B") == 0;
}

static void check_hugepages(const struct json_doc *doc, const struct spec_resources *r, struct report *report)
{
	for (size_t i = 0; i < r->hugepage_limits_count; i++) {
		const struct spec_hugepage_limit *h = &r->hugepage_limits[i];
		if (!h->page_size)
			continue;
		if (!is_page_size(h->page_size))
			err_hint(json_error(report, doc, spec_at(doc, h->node, "pageSize"),
					 "not a page size: \"%s\"", h->page_size),
				"write it like \"64KB\", \"2MB\" or \"1GB\"");
		for (size_t j = 0; j < i && j < PAGE_SIZES_MAX; j++) {
			const struct spec_hugepage_limit *first = &r->hugepage_limits[j];
			if (first->page_size && strcmp(first->page_size, h->page_size) == 0)
				json_error(report, doc, h->node,
					"duplicate limit for pages of %s; the first one is at line %u",
					h->page_size, spec_line(doc, first->node, report));
		}
	}
}

/* A key is a file's name in the cgroup; anything else would leave it. */
static void check_unified(const struct json_doc *doc, const struct spec_resources *r, struct report *report)
{
	for (size_t i = 0; i < r->unified_count; i++) {
		const struct spec_pair *p = &r->unified[i];
		const char *dot = strchr(p->key, '.');
		if (strchr(p->key, '/') || !dot || dot == p->key || !dot[1])
			err_hint(json_problem_key(report, REPORT_ERROR, doc, p->node,
					 "not the name of a file in a cgroup: \"%s\"", p->key),
				"write it like \"memory.high\"");
	}
}

int spec_resources_check(const struct json_doc *doc, const struct spec_resources *r, struct report *report)
{
	unsigned errors = report->errors;

	spec_device_rules_check(doc, r->devices, r->devices_count, report);
	if (r->memory)
		check_memory(doc, r->memory, report);
	if (r->cpu)
		check_cpu(doc, r->cpu, report);
	if (r->block_io)
		check_block_io(doc, r->block_io, report);
	check_hugepages(doc, r, report);
	check_unified(doc, r, report);
	for (size_t i = 0; i < r->rdma_count; i++)
		if (!r->rdma[i].hca_handles.set && !r->rdma[i].hca_objects.set)
			json_error(report, doc, r->rdma[i].node, "neither hcaHandles nor hcaObjects");
	return spec_check_result(report, errors);
}

int spec_resources_read(struct arena *arena, int dirfd, const char *path, const char *display_name,
	struct report *report, const struct json_doc **doc, const struct spec_resources **resources)
{
	unsigned errors = report->errors;

	*resources = NULL;
	int r = json_read(arena, dirfd, path, display_name, report, doc);
	if (r < 0)
		return r;
	*resources = spec_decode(arena, *doc, 0, &spec_resources_table, report);
	if (*resources)
		spec_resources_check(*doc, *resources, report);
	return spec_check_result(report, errors);
}

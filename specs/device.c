/*
 * device.c - device nodes and the rules of the device cgroup (config-linux.md, "Devices", "Allowed Device
 * list").
 */
#include "specs/device.h"

#include <string.h>

#include "specs/check.h"

#define MAJOR_MAX ((1 << 12) - 1) /* the kernel's dev_t: 12 bits and 20 bits */
#define MINOR_MAX ((1 << 20) - 1)

static const char *const type_names[] = {NULL, "a", "c", "b", "u", "p", NULL};

const struct spec_names spec_device_type_names = SPEC_NAMES("device type", type_names);

static const struct spec_row device_rows[] = {
	ROW_STRING(spec_device, "path", path, .flags = SPEC_REQUIRED),
	ROW_ENUM(spec_device, "type", type, spec_device_type, &spec_device_type_names, .flags = SPEC_REQUIRED,
		.min = SPEC_DEVICE_CHAR, .max = SPEC_DEVICE_FIFO),
	ROW_OPT_I64(spec_device, "major", major, .max = MAJOR_MAX),
	ROW_OPT_I64(spec_device, "minor", minor, .max = MINOR_MAX),
	ROW_OPT_U32(
		spec_device, "fileMode", file_mode, .max = 0177777), /* engines leave the type's bits in */
	ROW_OPT_U32(spec_device, "uid", uid, .max = UINT32_MAX - 1),
	ROW_OPT_U32(spec_device, "gid", gid, .max = UINT32_MAX - 1),
};
const struct spec_table spec_device_table = SPEC_TABLE("device", spec_device, device_rows);

static const struct spec_row rule_rows[] = {
	ROW_BOOL(spec_device_rule, "allow", allow, .flags = SPEC_REQUIRED),
	ROW_ENUM(spec_device_rule, "type", type, spec_device_type, &spec_device_type_names,
		.min = SPEC_DEVICE_ALL, .max = SPEC_DEVICE_BLOCK),
	ROW_OPT_I64(spec_device_rule, "major", major, .min = -1, .max = MAJOR_MAX),
	ROW_OPT_I64(spec_device_rule, "minor", minor, .min = -1, .max = MINOR_MAX),
	ROW_STRING(spec_device_rule, "access", access, .flags = SPEC_MAY_BE_EMPTY),
};
const struct spec_table spec_device_rule_table = SPEC_TABLE("device rule", spec_device_rule, rule_rows);

int spec_devices_check(
	const struct json_doc *doc, const struct spec_device *devices, size_t count, struct report *report)
{
	unsigned errors = report->errors;

	for (size_t i = 0; i < count; i++) {
		const struct spec_device *d = &devices[i];
		if (d->path)
			spec_check_absolute(doc, spec_at(doc, d->node, "path"), d->path, report);
		if (d->type == SPEC_DEVICE_FIFO || d->type == SPEC_DEVICE_NONE)
			continue;
		if (!d->major.set && !spec_has(doc, d->node, "major"))
			json_error(report, doc, d->node, "the member \"major\" is missing");
		if (!d->minor.set && !spec_has(doc, d->node, "minor"))
			json_error(report, doc, d->node, "the member \"minor\" is missing");
	}
	return spec_check_result(report, errors);
}

int spec_device_rules_check(
	const struct json_doc *doc, const struct spec_device_rule *rules, size_t count, struct report *report)
{
	unsigned errors = report->errors;

	for (size_t i = 0; i < count; i++) {
		const char *access = rules[i].access;
		if (access && (!*access || access[strspn(access, "rwm")]))
			json_error(report, doc, spec_at(doc, rules[i].node, "access"),
				"must be made of the letters r, w and m, is \"%s\"", access);
	}
	return spec_check_result(report, errors);
}

/*
 * device.h - device nodes to be made (config-linux.md, "Devices") and the rules of the device cgroup
 * ("Allowed Device list").
 */
#ifndef SPECS_DEVICE_H
#define SPECS_DEVICE_H

#include "specs/table.h"

enum spec_device_type {
	SPEC_DEVICE_NONE,
	SPEC_DEVICE_ALL,        /* "a", rules only */
	SPEC_DEVICE_CHAR,       /* "c" */
	SPEC_DEVICE_BLOCK,      /* "b" */
	SPEC_DEVICE_UNBUFFERED, /* "u", nodes only: a character device */
	SPEC_DEVICE_FIFO,       /* "p", nodes only: no numbers */
};

struct spec_device {
	uint32_t node;
	enum spec_device_type type;
	const char *path;
	struct spec_opt_i64 major;     /* 0 .. 2^12-1; set unless FIFO */
	struct spec_opt_i64 minor;     /* 0 .. 2^20-1 */
	struct spec_opt_u32 file_mode; /* permission bits, perhaps with the file type's bits of st_mode */
	struct spec_opt_u32 uid;
	struct spec_opt_u32 gid;
};

struct spec_device_rule {
	uint32_t node;
	bool allow;
	enum spec_device_type type; /* NONE and ALL both mean every device */
	struct spec_opt_i64 major;  /* not set, or -1: every number */
	struct spec_opt_i64 minor;
	const char *access; /* letters of "rwm"; NULL: all three */
};

extern const struct spec_names spec_device_type_names;
extern const struct spec_table spec_device_table;
extern const struct spec_table spec_device_rule_table;

/* Returns 0 or -EINVAL. */
int spec_devices_check(
	const struct json_doc *doc, const struct spec_device *devices, size_t count, struct report *report);
int spec_device_rules_check(const struct json_doc *doc, const struct spec_device_rule *rules, size_t count,
	struct report *report);

#endif

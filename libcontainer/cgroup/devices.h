/*
 * devices.h - the device rules of a document (config-linux.md, "Allowed Device list") as an eBPF program of
 * type BPF_PROG_TYPE_CGROUP_DEVICE.
 */
#ifndef CGROUP_DEVICES_H
#define CGROUP_DEVICES_H

#include <linux/bpf.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/report.h"

struct json_doc;
struct spec_device_rule;

struct cg_device_program {
	struct bpf_insn *insns;
	size_t count;   /* 0: everything is allowed, and there is nothing to attach */
	unsigned rules; /* that have an effect, the default devices' included; for messages */
};

/*
 * Translate rules that have passed spec_device_rules_check(). Pure. A container starts with no
 * device; the rules apply in order, for each of r, w and m the last one that speaks of the device decides;
 * the default devices of the specification come last, unless the rules allow everything. Returns 0, or
 * -EINVAL with the error in the report: too many rules.
 */
int cg_devices_compile(struct arena *arena, const struct spec_device_rule *rules, size_t count,
	const struct json_doc *doc, struct report *report, struct cg_device_program *program);

/*
 * Load the program and attach it to the cgroup, beside those that are there. It goes with the cgroup. Needs
 * CAP_SYS_ADMIN in the initial user namespace. Returns 0 or -errno; the verifier's words are in the error.
 */
int cg_devices_attach(int cgroup_fd, const struct bpf_insn *insns, size_t count, struct err *err);

#endif

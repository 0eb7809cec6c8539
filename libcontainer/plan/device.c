/*
 * device.c - what stands in the container's /dev (config-linux.md, "Default Devices", "Devices", "/dev
 * symbolic links"). Which of them may be used is the business of cgroup/devices.c.
 */
#include <string.h>
#include <sys/stat.h>

#include "base/str.h"
#include "libcontainer/plan/compile.h"

static const struct {
	const char *path;
	unsigned major, minor;
} default_devices[] = {
	{"/dev/null", 1, 3},
	{"/dev/zero", 1, 5},
	{"/dev/full", 1, 7},
	{"/dev/random", 1, 8},
	{"/dev/urandom", 1, 9},
	{"/dev/tty", 5, 0},
};

static const struct {
	const char *path, *target;
	bool replace;
} default_links[] = {
	{"/dev/fd", "/proc/self/fd", false}, {"/dev/stdin", "/proc/self/fd/0", false},
	{"/dev/stdout", "/proc/self/fd/1", false}, {"/dev/stderr", "/proc/self/fd/2", false},
	{"/dev/ptmx", "pts/ptmx", true}, /* a device node there would be another instance of devpts */
};

static const mode_t file_types[] = {
	[SPEC_DEVICE_CHAR] = S_IFCHR,
	[SPEC_DEVICE_UNBUFFERED] = S_IFCHR,
	[SPEC_DEVICE_BLOCK] = S_IFBLK,
	[SPEC_DEVICE_FIFO] = S_IFIFO,
};

static bool has_own(const struct plan_compiler *c, const char *path)
{
	for (size_t i = 0; i < c->linux_->devices_count; i++)
		if (plan_same_path(c->linux_->devices[i].path, path))
			return true;
	return false;
}

static struct plan_op *emit_device(struct plan_compiler *c, uint32_t node, const char *path, mode_t mode)
{
	struct plan_op *op = plan_emit(c, OP_MAKE_DEVICE, PLAN_INIT, node);

	op->make_device.path = path;
	op->make_device.mode = mode;
	op->make_device.bind = (c->user_namespace || c->host->user_namespace) && !S_ISFIFO(mode);
	return op;
}

static void emit_own(struct plan_compiler *c, const struct spec_device *d)
{
	if (!d->path || (size_t)d->type >= ARRAY_SIZE(file_types) || !file_types[d->type])
		return; /* reported by the check of the document */
	mode_t permissions = d->file_mode.set ? d->file_mode.value & 07777 : 0666;
	struct plan_op *op = emit_device(c, d->node, d->path, file_types[d->type] | permissions);
	op->make_device.major = (unsigned)d->major.value;
	op->make_device.minor = (unsigned)d->minor.value;
	op->make_device.uid = d->uid.value;
	op->make_device.gid = d->gid.value;
}

void plan_devices(struct plan_compiler *c)
{
	if (plan_binds_dev(c))
		return; /* the host's own: nothing of ours belongs in there */
	for (size_t i = 0; i < ARRAY_SIZE(default_devices); i++) {
		if (has_own(c, default_devices[i].path))
			continue;
		struct plan_op *op = emit_device(c, 0, default_devices[i].path, S_IFCHR | 0666);
		op->make_device.major = default_devices[i].major;
		op->make_device.minor = default_devices[i].minor;
	}
	for (size_t i = 0; i < c->linux_->devices_count; i++)
		emit_own(c, &c->linux_->devices[i]);
	for (size_t i = 0; i < ARRAY_SIZE(default_links); i++) {
		if (has_own(c, default_links[i].path))
			continue;
		struct plan_op *op = plan_emit(c, OP_MAKE_SYMLINK, PLAN_INIT, 0);
		op->make_symlink.path = default_links[i].path;
		op->make_symlink.target = default_links[i].target;
		op->make_symlink.replace = default_links[i].replace;
	}
}

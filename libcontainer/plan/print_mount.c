/*
 * print_mount.c - in words: mounts, devices, the terminal, paths, and what comes between them and the pivot.
 */
#include <linux/mount.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "libcontainer/plan/print.h"

struct word {
	uint64_t bit;
	const char *text;
};

/* The words of the bits that are set, with `separator` between them. */
static void print_words(struct str_buf *out, uint64_t bits, const struct word *words, size_t count,
	const char *prefix, const char **separator)
{
	for (size_t i = 0; i < count; i++)
		if (bits & words[i].bit) {
			str_buf_add(out, "%s%s%s", *separator, prefix, words[i].text);
			*separator = ", ";
		}
}

static const struct word propagation_words[] = {
	{MS_SHARED, "shared"}, {MS_SLAVE, "slave"}, {MS_PRIVATE, "private"}, {MS_UNBINDABLE, "unbindable"}};

static void print_propagation(
	struct str_buf *out, uint64_t propagation, bool recursive, const char **separator)
{
	print_words(out, propagation, propagation_words, ARRAY_SIZE(propagation_words), recursive ? "r" : "",
		separator);
}

static const struct word attribute_words[] = {
	{MOUNT_ATTR_RDONLY, "ro"},
	{MOUNT_ATTR_NOSUID, "nosuid"},
	{MOUNT_ATTR_NODEV, "nodev"},
	{MOUNT_ATTR_NOEXEC, "noexec"},
	{MOUNT_ATTR_NOATIME, "noatime"},
	{MOUNT_ATTR_STRICTATIME, "strictatime"},
	{MOUNT_ATTR_NODIRATIME, "nodiratime"},
	{MOUNT_ATTR_NOSYMFOLLOW, "nosymfollow"},
};

static const struct word cleared_words[] = {
	{MOUNT_ATTR_RDONLY, "rw"},
	{MOUNT_ATTR_NOSUID, "suid"},
	{MOUNT_ATTR_NODEV, "dev"},
	{MOUNT_ATTR_NOEXEC, "exec"},
	{MOUNT_ATTR_NODIRATIME, "diratime"},
	{MOUNT_ATTR_NOSYMFOLLOW, "symfollow"},
};

static void print_changes(
	struct str_buf *out, uint64_t set, uint64_t clear, const char *prefix, const char **separator)
{
	print_words(out, set, attribute_words, ARRAY_SIZE(attribute_words), prefix, separator);
	print_words(out, clear, cleared_words, ARRAY_SIZE(cleared_words), prefix, separator);
	/* relatime is the absence of the two others */
	if ((clear & MOUNT_ATTR__ATIME) && !(set & MOUNT_ATTR__ATIME)) {
		str_buf_add(out, "%s%srelatime", *separator, prefix);
		*separator = ", ";
	}
}

static void print_attributes(
	struct str_buf *out, uint64_t flags, const struct plan_attributes *a, const char **separator)
{
	print_changes(out, a->recursive_set, a->recursive_clear, "r", separator);
	print_changes(out, flags | a->set, a->clear, "", separator);
	print_propagation(out, a->propagation, a->propagation_recursive, separator);
}

static void print_data(
	struct str_buf *out, const struct plan_fs_option *options, size_t count, const char **separator)
{
	for (size_t i = 0; i < count; i++) {
		str_buf_add(out, "%s%s", *separator, options[i].key);
		if (options[i].value)
			str_buf_add(out, "=%s", options[i].value);
		*separator = ", ";
	}
}

void plan_print_set_propagation(struct str_buf *out, const struct plan_op *op)
{
	const char *separator = "";

	str_buf_add(out, "make %s ",
		op->set_propagation.after_pivot ? "the container's /" : "the inherited mounts");
	print_propagation(out, op->set_propagation.propagation, op->set_propagation.recursive, &separator);
}

void plan_print_attach_rootfs(struct str_buf *out, const struct plan_op *op)
{
	const char *separator = ", ";

	str_buf_add(out, "attach the root filesystem over /");
	print_propagation(out, op->attach_rootfs.propagation, true, &separator);
}

static void print_options(struct str_buf *out, const char *first, uint64_t flags,
	const struct plan_attributes *a, const struct plan_fs_option *options, size_t count, const char *more)
{
	size_t start = out->length;
	const char *separator = " (";

	if (first) {
		str_buf_add(out, "%s%s", separator, first);
		separator = ", ";
	}
	print_attributes(out, flags, a, &separator);
	print_data(out, options, count, &separator);
	if (more)
		str_buf_add(out, "%s%s", separator, more);
	if (out->length > start)
		str_buf_add(out, ")");
}

void plan_print_mount_fs(struct str_buf *out, const struct plan_op *op)
{
	if (op->mount_fs.host_path)
		str_buf_add(
			out, "bind the host's %s on %s", op->mount_fs.host_path, op->mount_fs.destination);
	else
		str_buf_add(out, "mount %s on %s", op->mount_fs.type, op->mount_fs.destination);
	print_options(out, NULL, op->mount_fs.flags, &op->mount_fs.attributes, op->mount_fs.options,
		op->mount_fs.options_count, op->mount_fs.copy_up ? "tmpcopyup" : NULL);
	if (op->mount_fs.label)
		str_buf_add(out, ", SELinux label %s", op->mount_fs.label);
	if (op->mount_fs.mapping != PLAN_NO_SLOT)
		str_buf_add(out, ", its ids mapped");
	if (op->mount_fs.fallback_path)
		str_buf_add(out, "; if refused: bind the host's %s read-only", op->mount_fs.fallback_path);
}

void plan_print_mount_bind(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "bind %s on %s%s%s", op->mount_bind.source, op->mount_bind.destination,
		op->mount_bind.nofollow ? ", itself if it is a link" : "",
		op->mount_bind.copy_symlink ? "; if the source is a link, make the same link" : "");
	print_options(
		out, op->mount_bind.slaves ? "rslave" : NULL, 0, &op->mount_bind.attributes, NULL, 0, NULL);
}

void plan_print_remount(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "remount %s", op->remount.destination);
	print_options(
		out, NULL, 0, &op->remount.attributes, op->remount.options, op->remount.options_count, NULL);
}

void plan_print_make_device(struct str_buf *out, const struct plan_op *op)
{
	mode_t mode = op->make_device.mode;

	if (op->make_device.bind)
		str_buf_add(out, "bind the host's %s", op->make_device.path);
	else
		str_buf_add(out, "make %s", op->make_device.path);
	if (S_ISFIFO(mode))
		str_buf_add(out, " (fifo");
	else
		str_buf_add(out, " (%c %u:%u", S_ISBLK(mode) ? 'b' : 'c', op->make_device.major,
			op->make_device.minor);
	if (op->make_device.bind)
		str_buf_add(out, ")");
	else
		str_buf_add(out, ", mode %04o, owner %u:%u)", mode & 07777, op->make_device.uid,
			op->make_device.gid);
}

void plan_print_make_symlink(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "link %s -> %s%s", op->make_symlink.path, op->make_symlink.target,
		op->make_symlink.replace ? ", replacing" : "");
}

void plan_print_open_console(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "open a terminal of /dev/pts, owner %u", op->open_console.uid);
	if (op->open_console.rows || op->open_console.columns)
		str_buf_add(out, ", %u rows, %u columns", op->open_console.rows, op->open_console.columns);
	if (op->open_console.mount)
		str_buf_add(out, "; mount it on /dev/console");
}

void plan_print_hand_over_console(struct str_buf *out, const struct plan_op *op)
{
	if (op->hand_over_console.socket)
		str_buf_add(out, "send the terminal to %s", op->hand_over_console.socket);
	else
		str_buf_add(out, "be the other side of the terminal");
}

void plan_print_hook(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "run the %s hook %s", op->hook.stage, op->hook.path);
	if (op->hook.args[0] && op->hook.args[1]) {
		str_buf_add(out, " ");
		plan_print_strings(out, op->hook.args + 1);
	}
	if (op->hook.timeout_ms >= 0)
		str_buf_add(out, " (at most %d s)", op->hook.timeout_ms / 1000);
	if (op->hook.stdout_file)
		str_buf_add(out, ", stdout to %s", op->hook.stdout_file);
	if (op->hook.stderr_file)
		str_buf_add(out, ", stderr to %s", op->hook.stderr_file);
}

void plan_print_sysctl(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "set sysctl %s = %s", op->sysctl.name, op->sysctl.value);
}

void plan_print_open_procfs(struct str_buf *out, const struct plan_op *op)
{
	(void)op;
	str_buf_add(out, "open a procfs for what is set once the mounts are locked");
}

void plan_print_mask_path(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "mask %s, if it exists", op->mask_path.path);
}

void plan_print_readonly_path(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "make %s read-only, if it exists", op->readonly_path.path);
}

void plan_print_readonly_rootfs(struct str_buf *out, const struct plan_op *op)
{
	(void)op;
	str_buf_add(out, "make the root filesystem read-only");
}

void plan_print_pivot_root(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, op->pivot_root.move ? "chroot into the root filesystem; the old root stays below it"
					     : "pivot_root; detach the old root");
	if (op->pivot_root.lock)
		str_buf_add(out, "; lock all mounts");
}

void plan_print_open_root(struct str_buf *out, const struct plan_op *op)
{
	(void)op;
	str_buf_add(out, "take / for the root filesystem");
}

void plan_print_unmount(struct str_buf *out, const struct plan_op *op)
{
	str_buf_add(out, "unmount %s", op->unmount.path);
}

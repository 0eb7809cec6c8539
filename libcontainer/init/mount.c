/*
 * mount.c - the root filesystem and what is mounted in it. Runs in init (OPEN_TREE also in the parent).
 *
 * Every target is resolved to an fd inside the root (base/path.h) and mounted on by that fd; every source is
 * a detached tree. So there is no moment at which a path that the image or a shared volume controls is looked
 * up again after it was checked (CVE-2021-30465, CVE-2025-31133 and a dozen others).
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "base/sys.h"
#include "libcontainer/init/copy.h"
#include "libcontainer/init/init.h"

/* A file inside procfs that may be mounted over: what lxcfs and the engines replace, nothing that is read
 * back. */
static const char *const procfs_replaceable[] = {"/proc/cpuinfo", "/proc/diskstats", "/proc/loadavg",
	"/proc/meminfo", "/proc/net/dev", "/proc/slabinfo", "/proc/stat", "/proc/swaps", "/proc/uptime",
	"/proc/sys/crypto/fips_enabled", "/proc/sys/kernel/ns_last_pid", NULL};

int init_open_tree(struct init *in, const struct plan_op *op)
{
	unsigned flags = OPEN_TREE_CLONE | (op->open_tree.recursive ? AT_RECURSIVE : 0) |
			 (op->open_tree.nofollow ? AT_SYMLINK_NOFOLLOW : 0);
	int fd = sys_open_tree(AT_FDCWD, op->open_tree.path, flags);

	if (fd < 0)
		return init_diagnose(in, fd, op->open_tree.path);
	in->plan->fds[op->open_tree.slot] = fd;
	return 0;
}

/* In the kernel, what has no id mapping of its own has that of its filesystem. */
static const char *filesystem_name(int fd, char *buf, size_t size)
{
	static const struct {
		uint32_t magic;
		const char *name;
	} names[] = {{0xef53, "ext4"}, {0x58465342, "xfs"}, {0x9123683e, "btrfs"}, {0xf2f52010, "f2fs"},
		{0x01021994, "tmpfs"}, {0x858458f6, "ramfs"}, {0x794c7630, "overlay"},
		{0x73717368, "squashfs"}, {0xe0f5e1e2, "erofs"}, {0x4d44, "vfat"}, {0x2011bab0, "exfat"},
		{0x7366746e, "ntfs3"}, {0x9660, "iso9660"}, {0x65735546, "fuse or virtiofs"}, {0x6969, "nfs"},
		{0x01021997, "9p"}, {0xff534d42, "cifs"}, {0xfe534d42, "smb3"}, {0x00c36400, "ceph"},
		{0x2fc12fc1, "zfs"}, {0x9fa0, "proc"}, {0x62656572, "sysfs"}, {0x63677270, "cgroup2"},
		{0x1cd1, "devpts"}, {0x19800202, "mqueue"}, {0x6e736673, "nsfs"}};
	struct statfs st;
	struct str_buf b;

	str_buf_init(&b, buf, size);
	if (fstatfs(fd, &st) < 0)
		return "?";
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].magic == (uint32_t)st.f_type)
			return names[i].name;
	str_buf_add(&b, "type 0x%x", (unsigned)st.f_type);
	return buf;
}

int init_map_mount(struct init *in, int mount, int user_namespace, bool recursive)
{
	struct mount_attr attr = {
		.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)(unsigned)user_namespace};
	unsigned flags = AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0);
	char text[128], type[32];
	struct str_buf b;

	int r = sys_mount_setattr(mount, "", flags, &attr);
	if (r != -EINVAL && r != -EPERM)
		return r < 0 ? init_call(in, r, "mount_setattr") : 0;
	str_buf_init(&b, text, sizeof(text));
	str_buf_add(&b,
		r == -EINVAL
			? "on this kernel the filesystem (%s%s) has no id-mapped mounts"
			: "it is mapped already, or the filesystem (%s%s) belongs to another user namespace",
		filesystem_name(mount, type, sizeof(type)), recursive ? ", or one mounted in it" : "");
	return init_detail(in, r, text);
}

static int set_propagation(int fd, const char *path, uint64_t propagation, bool recursive)
{
	struct mount_attr attr = {.propagation = propagation};

	return sys_mount_setattr(fd, path, AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attr);
}

int init_set_propagation(struct init *in, const struct plan_op *op)
{
	(void)in;
	return set_propagation(AT_FDCWD, "/", op->set_propagation.propagation, op->set_propagation.recursive);
}

/*
 * On top of "/": no other place needs to be reachable for this process (in a user namespace the way to the
 * bundle may not be), and nothing of ours shows through, since a process's own root is never looked through.
 */
int init_attach_rootfs(struct init *in, const struct plan_op *op)
{
	int tree = init_slot(in, op->attach_rootfs.slot);
	struct stat st;

	int r = set_propagation(tree, "", op->attach_rootfs.propagation, true);
	if (r < 0)
		return init_call(in, r, "mount_setattr");
	r = sys_move_mount(tree, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH);
	if (r == -EINVAL && fstat(tree, &st) == 0 && !S_ISDIR(st.st_mode)) {
		init_cause(in, r, "it is not a directory", NULL);
		r = -ENOTDIR;
	}
	if (r < 0)
		return init_call(in, r, "move_mount");
	in->root_fd = tree;
	return 0;
}

static bool is_procfs(int fd)
{
	struct statfs st;

	return fstatfs(fd, &st) == 0 && st.f_type == PROC_SUPER_MAGIC;
}

/* A directory of the root itself, made if missing; by this fd, so that no link can take its place meanwhile.
 */
static int real_directory(struct init *in, const char *name, bool *created)
{
	bool is_new = mkdirat(in->root_fd, name, 0755) == 0;

	if (!is_new && errno != EEXIST && errno != EROFS)
		return -errno;
	if (created)
		*created = is_new;
	return path_open(in->root_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW);
}

/* As path_make(), but a last component that is a link is not followed. */
static int make_itself(struct init *in, const char *path, enum path_kind kind)
{
	const char *name;

	fd_auto int parent = path_make_parent(in->root_fd, path, 0755, &name);
	if (parent < 0)
		return parent;
	int fd = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	return fd >= 0 ? fd : errno == ENOENT ? path_make(in->root_fd, path, kind, 0755, NULL) : -errno;
}

static int no_destination(struct init *in, int error, const char *destination)
{
	init_diagnose_inside(in, error, destination);
	return init_detail(in, error, "opening the destination");
}

/*
 * The fd to mount on, created if missing. /proc and /sys themselves must be real directories (CVE-2019-19921,
 * CVE-2023-27561), and what already lies in a procfs may be mounted over only where that is harmless,
 * whatever path led there: a fake /proc/self/attr turns LSM labels into no-ops (CVE-2019-16884,
 * CVE-2025-52881).
 */
static int open_target(struct init *in, const char *destination, bool nofollow, enum path_kind kind,
	bool procfs_source, int *ret_fd, bool *created)
{
	char clean[PATH_MAX];

	if (path_clean(destination, clean, sizeof(clean)) < 0)
		return -ENAMETOOLONG;
	bool proc_itself = str_eq(clean, "/proc"), is_real = proc_itself || str_eq(clean, "/sys");
	fd_auto int target = is_real    ? real_directory(in, clean + 1, created)
			     : nofollow ? make_itself(in, clean, kind)
					: path_make(in->root_fd, destination, kind, 0755, created);
	if (target == -ENOTDIR && is_real)
		return init_detail(
			in, target, "the destination must be a directory, not a symbolic link or file");
	if (target < 0)
		return no_destination(in, target, destination);
	if (is_procfs(target) && !(proc_itself && procfs_source) && !str_is_one_of(clean, procfs_replaceable))
		return init_detail(in, -EPERM, "the destination is inside a procfs");
	*ret_fd = fd_take(&target);
	return 0;
}

/* What a filesystem says about a refused option: the last message of its context, "tmpfs: Bad value for ...".
 */
static int context_detail(struct init *in, int fs, int error, const char *what)
{
	char text[256], last[256] = "";
	ssize_t n;

	while ((n = read(fs, text, sizeof(text) - 1)) > 2) {
		text[n] = '\0';
		if (text[n - 1] == '\n')
			text[n - 1] = '\0';
		memcpy(last, text + 2, strlen(text + 2) + 1); /* after the severity, "e " */
	}
	return last[0] ? init_detail(in, error, last) : init_detail(in, error, what);
}

static int configure(struct init *in, int fs, const char *key, const char *value)
{
	unsigned command = value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG;
	int r = sys_fsconfig(fs, command, key, value, 0);

	return r < 0 ? context_detail(in, fs, r, key) : 0;
}

/* tmpfs takes the mode of the directory it covers when the document names none, as people expect of /tmp. */
static int inherit_mode(struct init *in, int fs, int target_fd, const struct plan_op *op)
{
	struct stat st;
	char octal[8];

	for (size_t i = 0; i < op->mount_fs.options_count; i++)
		if (str_eq(op->mount_fs.options[i].key, "mode"))
			return 0;
	if (fstat(target_fd, &st) < 0)
		return -errno;
	unsigned mode = st.st_mode & 07777;
	for (int i = 5; i >= 0; i--, mode >>= 3)
		octal[i] = (char)('0' + (mode & 7));
	octal[6] = '\0';
	return configure(in, fs, "mode", octal);
}

/* EPERM at the creation: the filesystem's type decides, or the namespace that it is a view of. */
static void not_for_user_namespaces(struct init *in, const char *type)
{
	static const struct {
		const char *type, *cause, *hint;
	} views[] = {{"proc", "the pid namespace belongs to another user namespace",
			     "add {\"type\": \"pid\"} to linux.namespaces, or bind the host's /proc"},
		{"sysfs", "the network namespace belongs to another user namespace",
			"add {\"type\": \"network\"} to linux.namespaces, or bind the host's /sys"},
		{"mqueue", "the ipc namespace belongs to another user namespace",
			"add {\"type\": \"ipc\"} to linux.namespaces"},
		{"cgroup2", "the cgroup namespace belongs to another user namespace",
			"add {\"type\": \"cgroup\"} to linux.namespaces"}};

	for (size_t i = 0; i < ARRAY_SIZE(views); i++)
		if (str_eq(type, views[i].type)) {
			init_cause(in, 0, views[i].cause, views[i].hint);
			return;
		}
	init_cause(in, 0, "the kernel lets no user namespace mount a filesystem of this type", "");
}

/* EPERM at the mount: the kernel's mount_too_revealing(). */
static void too_revealing(struct init *in, const char *type)
{
	if (str_eq(type, "proc") || str_eq(type, "sysfs"))
		init_cause(in, 0,
			"the host has mounted something over parts of its own, which a new one would show",
			"bind the host's instead of mounting a new one, or run where nothing covers it");
}

/* A detached mount of a new filesystem. Returns its fd or -errno. */
static int new_filesystem(struct init *in, const struct plan_op *op, int target_fd, bool target_is_new)
{
	fd_auto int fs = sys_fsopen(op->mount_fs.type);
	int r = 0;

	if (fs == -ENODEV)
		return init_detail(in, fs, "the kernel has no such filesystem");
	if (fs < 0)
		return init_call(in, fs, "fsopen");
	if (op->mount_fs.source)
		r = configure(in, fs, "source", op->mount_fs.source);
	for (size_t i = 0; r == 0 && i < op->mount_fs.options_count; i++)
		r = configure(in, fs, op->mount_fs.options[i].key, op->mount_fs.options[i].value);
	/* A block device that is read-only can be opened for a superblock that is so only. */
	if (r == 0 && (op->mount_fs.flags & MOUNT_ATTR_RDONLY) && op->mount_fs.source &&
		*op->mount_fs.source == '/')
		r = configure(in, fs, "ro", NULL);
	if (r == 0 && !target_is_new && str_eq(op->mount_fs.type, "tmpfs"))
		r = inherit_mode(in, fs, target_fd, op);
	if (r < 0)
		return r;
	r = sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
	if (r == -EPERM && in->plan->has_user_namespace)
		not_for_user_namespaces(in, op->mount_fs.type);
	if (r < 0)
		return context_detail(in, fs, r, "creating the filesystem");
	r = sys_fsmount(fs, (unsigned)op->mount_fs.flags);
	if (r == -EPERM)
		too_revealing(in, op->mount_fs.type);
	return r < 0 ? init_call(in, r, "fsmount") : r;
}

/* Bits of a mount, which statfs has in the same places, and the options that ask to clear them. */
static const struct {
	uint64_t bit;
	const char *set, *clear;
} lockable[] = {{MOUNT_ATTR_RDONLY, "ro", "rw"}, {MOUNT_ATTR_NOSUID, "nosuid", "suid"},
	{MOUNT_ATTR_NODEV, "nodev", "dev"}, {MOUNT_ATTR_NOEXEC, "noexec", "exec"}};

/*
 * EPERM: what a more privileged user namespace has set when it made the mount, or took it over, stays
 * (mount_namespaces(7)).
 */
static int locked(struct init *in, int fd, const struct plan_attributes *a)
{
	uint64_t wanted = a->clear | a->recursive_clear;
	struct str_buf cause, hint;
	char flags[128], options[128];
	struct statfs st;
	const char *comma = "";

	str_buf_init(&cause, flags, sizeof(flags));
	str_buf_init(&hint, options, sizeof(options));
	if (fstatfs(fd, &st) < 0)
		return -EPERM;
	str_buf_add(&cause, "the mount is ");
	for (size_t i = 0; i < ARRAY_SIZE(lockable); i++)
		if (wanted & (uint64_t)st.f_flags & lockable[i].bit) {
			str_buf_add(&cause, "%s%s", comma, lockable[i].set);
			str_buf_add(&hint, "%s%s", *comma ? ", " : "leave out ", lockable[i].clear);
			comma = ", ";
		}
	str_buf_add(&cause, "; a user namespace with more privileges has locked that");
	if (*comma)
		return init_cause(in, -EPERM, flags, options);
	if (wanted & MOUNT_ATTR__ATIME)
		return init_cause(in, -EPERM,
			"a user namespace with more privileges has locked how access times are kept",
			"leave that option out");
	if (a->recursive_clear)
		return init_cause(in, -EPERM,
			"a user namespace with more privileges has locked a flag of a mount in it", "");
	return -EPERM;
}

static int change_attributes(struct init *in, int fd, const struct plan_attributes *a)
{
	struct mount_attr top = {.attr_set = a->set, .attr_clr = a->clear};
	struct mount_attr all = {.attr_set = a->recursive_set, .attr_clr = a->recursive_clear};
	int r = 0;

	if (a->recursive_set || a->recursive_clear)
		r = sys_mount_setattr(fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &all);
	if (r == 0 && (a->set || a->clear))
		r = sys_mount_setattr(fd, "", AT_EMPTY_PATH, &top);
	if (r == 0 && a->propagation)
		r = set_propagation(fd, "", a->propagation, a->propagation_recursive);
	if (r == -EPERM)
		locked(in, fd, a);
	return r < 0 ? init_call(in, r, "mount_setattr") : 0;
}

/*
 * Engines write "rw" wherever nobody has said "ro": where the host's mount is read-only and locked, it is
 * taken for "as writable as it is". Whoever writes "suid" means it.
 */
static int bind_attributes(struct init *in, int fd, const struct plan_attributes *asked)
{
	struct plan_attributes a = *asked;
	struct statfs st;

	int r = change_attributes(in, fd, &a);
	if (r != -EPERM || !(a.clear & MOUNT_ATTR_RDONLY) || fstatfs(fd, &st) < 0 ||
		!(st.f_flags & ST_RDONLY))
		return r;
	a.clear &= ~(uint64_t)MOUNT_ATTR_RDONLY;
	in->message.detail[0] = in->message.cause[0] = in->message.hint[0] = '\0';
	return change_attributes(in, fd, &a);
}

/* KERNEL: fsconfig takes at most 255 bytes a value (an overlay's lowerdir may be longer); mount(2) a page. */
static int mount_by_data(struct init *in, const struct plan_op *op, int target_fd)
{
	if (fchdir(target_fd) < 0)
		return init_call(in, -errno, "fchdir");
	int r = mount(op->mount_fs.source ? op->mount_fs.source : "none", ".", op->mount_fs.type, 0,
		op->mount_fs.data);
	if (r < 0)
		r = -errno;
	if (chdir("/") < 0 && r == 0)
		r = -errno;
	if (r < 0)
		return r;
	fd_auto int top = path_open(in->root_fd, op->mount_fs.destination, O_PATH);
	return top < 0 ? top : change_attributes(in, top, &op->mount_fs.attributes);
}

/*
 * Where the kernel has refused a filesystem to this user namespace, sysfs without a network namespace say,
 * the host's instance is read-only with all that is mounted in it: the container could write to the host's
 * cgroups else (CVE-2023-25809).
 */
#define REFUSED_FLAGS (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

/* The host's instance of a filesystem, in place of a new one. */
static int bind_host(struct init *in, const char *path, uint64_t flags, int target_fd)
{
	fd_auto int tree = sys_open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | AT_RECURSIVE);

	if (tree < 0)
		return init_detail2(in, tree, "opening the host's ", path);
	struct mount_attr attr = {
		.attr_set = flags & ~(uint64_t)MOUNT_ATTR__ATIME, .propagation = MS_PRIVATE};
	int r = sys_mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr);
	if (r < 0)
		return init_call(in, r, "mount_setattr");
	return sys_move_onto(tree, target_fd);
}

/*
 * The new mount API calls it EINVAL, like much else, when a directory is to go onto a file or the other way
 * round; mount(2) has a word for it.
 */
static int mount_onto(struct init *in, int mount, int target)
{
	struct stat from, to;

	int r = sys_move_onto(mount, target);
	if (r == -EINVAL && fstat(mount, &from) == 0 && fstat(target, &to) == 0 &&
		S_ISDIR(from.st_mode) != S_ISDIR(to.st_mode)) {
		r = -ENOTDIR;
		init_cause(in, r,
			S_ISDIR(to.st_mode) ? "the destination is a directory, and what is mounted is not"
					    : "the destination is a file, and what is mounted a directory",
			"only a file goes onto a file, and a directory onto a directory");
	}
	return r < 0 ? init_call(in, r, "move_mount") : 0;
}

static int label_root(struct init *in, int mount, const char *label)
{
	fd_auto int fd = openat(mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsetxattr(fd, "security.selinux", label, strlen(label) + 1, 0) < 0)
		return init_detail2(in, -errno, "labelling it ", label);
	return 0;
}

int init_mount_fs(struct init *in, const struct plan_op *op)
{
	fd_auto int target = -1;
	bool is_new = false, is_proc = str_eq(op->mount_fs.type, "proc");

	int r = open_target(in, op->mount_fs.destination, false, PATH_DIRECTORY, is_proc, &target, &is_new);
	if (r < 0)
		return r;
	if (op->mount_fs.data)
		return mount_by_data(in, op, target);
	if (op->mount_fs.host_path)
		return bind_host(in, op->mount_fs.host_path, op->mount_fs.flags, target);
	fd_auto int mount = new_filesystem(in, op, target, is_new);
	if (op->mount_fs.fallback_path && (mount == -EPERM || mount == -EBUSY))
		return bind_host(in, op->mount_fs.fallback_path, op->mount_fs.flags | REFUSED_FLAGS, target);
	if (mount < 0)
		return mount;
	if (op->mount_fs.copy_up) {
		r = init_copy_tree(target, mount);
		if (r < 0)
			return init_detail(in, r, "tmpcopyup");
	}
	if (op->mount_fs.label) {
		r = label_root(in, mount, op->mount_fs.label);
		if (r < 0)
			return r;
	}
	if (op->mount_fs.mapping != PLAN_NO_SLOT) {
		r = init_map_mount(in, mount, init_slot(in, op->mount_fs.mapping), false);
		if (r < 0)
			return r;
	}
	r = change_attributes(in, mount, &op->mount_fs.attributes); /* read-only after the copy */
	if (r < 0)
		return r;
	r = mount_onto(in, mount, target);
	if (r < 0)
		return r;
	if (is_proc && in->proc_fd < 0 && !op->mount_fs.options_count &&
		!(op->mount_fs.flags & MOUNT_ATTR_RDONLY))
		in->proc_fd = fd_take(&mount);
	return 0;
}

/* The link that the slot holds, once more at the destination. */
static int copy_symlink(struct init *in, int link_fd, const char *destination)
{
	char text[PATH_MAX], there[PATH_MAX], clean[PATH_MAX];
	const char *name;

	ssize_t length = readlinkat(link_fd, "", text, sizeof(text) - 1);
	if (length < 0)
		return init_call(in, -errno, "readlinkat");
	text[length] = '\0';
	if (path_clean(destination, clean, sizeof(clean)) < 0)
		return -ENAMETOOLONG;
	fd_auto int parent = path_make_parent(in->root_fd, clean, 0755, &name);
	if (parent < 0)
		return no_destination(in, parent, destination);
	if (symlinkat(text, parent, name) == 0)
		return 0;
	if (errno != EEXIST)
		return init_call(in, -errno, "symlinkat");
	if (readlinkat(parent, name, there, sizeof(there)) != length ||
		memcmp(there, text, (size_t)length) != 0)
		return init_detail(in, -EEXIST, "the destination is there, and is not the same link");
	return 0;
}

int init_mount_bind(struct init *in, const struct plan_op *op)
{
	int source = init_slot(in, op->mount_bind.slot);
	fd_auto int target = -1;
	struct stat st;

	if (fstat(source, &st) < 0)
		return -errno;
	if (op->mount_bind.copy_symlink && S_ISLNK(st.st_mode)) {
		int r = copy_symlink(in, source, op->mount_bind.destination);
		fd_close(&in->plan->fds[op->mount_bind.slot]);
		return r;
	}
	enum path_kind kind = S_ISDIR(st.st_mode) ? PATH_DIRECTORY : PATH_FILE;
	int r = open_target(in, op->mount_bind.destination, op->mount_bind.nofollow, kind, is_procfs(source),
		&target, NULL);
	if (r < 0)
		return r;
	if (op->mount_bind.slaves) {
		r = set_propagation(source, "", MS_SLAVE, true);
		if (r < 0)
			return init_call(in, r, "mount_setattr");
	}
	r = bind_attributes(in, source, &op->mount_bind.attributes);
	if (r < 0)
		return r;
	r = mount_onto(in, source, target);
	if (r < 0)
		return r;
	fd_close(&in->plan->fds[op->mount_bind.slot]);
	return 0;
}

int init_remount(struct init *in, const struct plan_op *op)
{
	fd_auto int target = path_open(in->root_fd, op->remount.destination, O_PATH);

	if (target < 0)
		return no_destination(in, target, op->remount.destination);
	if (op->remount.options_count) {
		fd_auto int fs = sys_fspick(target);
		if (fs < 0)
			return init_call(in, fs, "fspick");
		for (size_t i = 0; i < op->remount.options_count; i++) {
			int r = configure(in, fs, op->remount.options[i].key, op->remount.options[i].value);
			if (r < 0)
				return r;
		}
		int r = sys_fsconfig(fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0);
		if (r < 0)
			return context_detail(in, fs, r, "reconfiguring the filesystem");
	}
	return change_attributes(in, target, &op->remount.attributes);
}

int init_readonly_rootfs(struct init *in, const struct plan_op *op)
{
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY};

	(void)op;
	return sys_mount_setattr(in->root_fd, "", AT_EMPTY_PATH, &attr);
}

/* Namespaces and id mappings have served; whoever waits for `start` holds nothing of the host but its socket.
 */
static void give_up_slots(struct init *in)
{
	for (uint32_t i = 0; i < in->plan->slots; i++)
		if (i != in->plan->start_slot && in->plan->fds[i] != in->root_fd)
			fd_close(&in->plan->fds[i]);
}

/*
 * pivot_root(".", ".") stacks the old root onto the new one, from where it is detached: no directory for it
 * is needed inside the image. After this nothing of the host's tree can be reached.
 */
int init_pivot_root(struct init *in, const struct plan_op *op)
{
	fd_auto int proc = op->pivot_root.lock ? open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;

	if (fchdir(in->root_fd) < 0)
		return init_call(in, -errno, "fchdir");
	if (op->pivot_root.move) {
		if (chroot(".") < 0)
			return init_call(in, -errno, "chroot");
	} else {
		int r = sys_pivot_root(".", ".");
		if (r < 0)
			return r;
		if (umount2(".", MNT_DETACH) < 0)
			return init_detail(in, -errno, "detaching the old root");
	}
	if (chdir("/") < 0)
		return init_detail(in, -errno, "chdir /");
	give_up_slots(in);
	fd_close(&in->root_fd);
	if (!in->keep_proc)
		fd_close(&in->proc_fd);
	fd_close(&in->mask_fd);
	fd_close(&in->directory.fd);
	fd_close(&in->null_fd);
	if (!op->pivot_root.lock)
		return 0;
	int r = init_lock_mounts(in, proc);
	return r < 0 ? r : init_reopen_console(in);
}

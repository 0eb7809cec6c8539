/*
 * mount_options.c - what each mount option means to the kernel (config.md, "Linux mount options"; mount(8)).
 *
 * One table serves the check, the plan, `features` and the tests. Options that no kernel acts upon any more
 * (mand, iversion, silent) stand here so that they are not taken for data of the filesystem.
 */
#include <linux/mount.h>
#include <stdlib.h>
#include <string.h>

#include "specs/mount.h"

#define ATTR(n, set, clear)                                                                                  \
	{                                                                                                    \
		.name = (n), .kind = SPEC_MOUNT_ATTR, .attr_set = (set), .attr_clear = (clear)               \
	}
#define ATTR_R(n, set, clear)                                                                                \
	{                                                                                                    \
		.name = (n), .kind = SPEC_MOUNT_ATTR, .recursive = true, .attr_set = (set),                  \
		.attr_clear = (clear)                                                                        \
	}
#define SUPER(n, flag)                                                                                       \
	{                                                                                                    \
		.name = (n), .kind = SPEC_MOUNT_SUPERBLOCK, .superblock = (flag)                             \
	}
#define SPREAD(n, ms)                                                                                        \
	{                                                                                                    \
		.name = (n), .kind = SPEC_MOUNT_PROPAGATION, .propagation = (ms)                             \
	}
#define SPREAD_R(n, ms)                                                                                      \
	{                                                                                                    \
		.name = (n), .kind = SPEC_MOUNT_PROPAGATION, .recursive = true, .propagation = (ms)          \
	}
#define OTHER(n, k)                                                                                          \
	{                                                                                                    \
		.name = (n), .kind = (k)                                                                     \
	}
#define OTHER_R(n, k)                                                                                        \
	{                                                                                                    \
		.name = (n), .kind = (k), .recursive = true                                                  \
	}

/* Choosing one mode of access times takes the others back: the kernel wants the whole field cleared for it.
 */
#define ATIME MOUNT_ATTR__ATIME

/* Sorted by name: looked up by bisection. */
const struct spec_mount_option spec_mount_options[] = {
	SUPER("async", "async"),
	ATTR("atime", MOUNT_ATTR_RELATIME, ATIME),
	OTHER("bind", SPEC_MOUNT_BIND),
	OTHER("copy-symlink", SPEC_MOUNT_COPY_SYMLINK),
	OTHER("defaults", SPEC_MOUNT_DEFAULTS),
	OTHER("dest-nofollow", SPEC_MOUNT_DEST_NOFOLLOW),
	ATTR("dev", 0, MOUNT_ATTR_NODEV),
	ATTR("diratime", 0, MOUNT_ATTR_NODIRATIME),
	SUPER("dirsync", "dirsync"),
	ATTR("exec", 0, MOUNT_ATTR_NOEXEC),
	OTHER("idmap", SPEC_MOUNT_IDMAP),
	SUPER("iversion", NULL),
	SUPER("lazytime", "lazytime"),
	SUPER("loud", NULL),
	SUPER("mand", NULL),
	ATTR("noatime", MOUNT_ATTR_NOATIME, ATIME),
	ATTR("nodev", MOUNT_ATTR_NODEV, 0),
	ATTR("nodiratime", MOUNT_ATTR_NODIRATIME, 0),
	ATTR("noexec", MOUNT_ATTR_NOEXEC, 0),
	SUPER("noiversion", NULL),
	SUPER("nolazytime", "nolazytime"),
	SUPER("nomand", NULL),
	ATTR("norelatime", 0, 0),
	ATTR("nostrictatime", 0, MOUNT_ATTR_STRICTATIME),
	ATTR("nosuid", MOUNT_ATTR_NOSUID, 0),
	ATTR("nosymfollow", MOUNT_ATTR_NOSYMFOLLOW, 0),
	SPREAD("private", MS_PRIVATE),
	ATTR_R("ratime", MOUNT_ATTR_RELATIME, ATIME),
	OTHER_R("rbind", SPEC_MOUNT_BIND),
	ATTR_R("rdev", 0, MOUNT_ATTR_NODEV),
	ATTR_R("rdiratime", 0, MOUNT_ATTR_NODIRATIME),
	ATTR("relatime", MOUNT_ATTR_RELATIME, ATIME),
	OTHER("remount", SPEC_MOUNT_REMOUNT),
	ATTR_R("rexec", 0, MOUNT_ATTR_NOEXEC),
	OTHER_R("ridmap", SPEC_MOUNT_IDMAP),
	ATTR_R("rnoatime", MOUNT_ATTR_NOATIME, ATIME),
	ATTR_R("rnodev", MOUNT_ATTR_NODEV, 0),
	ATTR_R("rnodiratime", MOUNT_ATTR_NODIRATIME, 0),
	ATTR_R("rnoexec", MOUNT_ATTR_NOEXEC, 0),
	ATTR_R("rnorelatime", 0, 0),
	ATTR_R("rnostrictatime", 0, MOUNT_ATTR_STRICTATIME),
	ATTR_R("rnosuid", MOUNT_ATTR_NOSUID, 0),
	ATTR_R("rnosymfollow", MOUNT_ATTR_NOSYMFOLLOW, 0),
	{.name = "ro", .kind = SPEC_MOUNT_ATTR, .attr_set = MOUNT_ATTR_RDONLY, .superblock = "ro"},
	SPREAD_R("rprivate", MS_PRIVATE),
	ATTR_R("rrelatime", MOUNT_ATTR_RELATIME, ATIME),
	ATTR_R("rro", MOUNT_ATTR_RDONLY, 0),
	ATTR_R("rrw", 0, MOUNT_ATTR_RDONLY),
	SPREAD_R("rshared", MS_SHARED),
	SPREAD_R("rslave", MS_SLAVE),
	ATTR_R("rstrictatime", MOUNT_ATTR_STRICTATIME, ATIME),
	ATTR_R("rsuid", 0, MOUNT_ATTR_NOSUID),
	ATTR_R("rsymfollow", 0, MOUNT_ATTR_NOSYMFOLLOW),
	SPREAD_R("runbindable", MS_UNBINDABLE),
	{.name = "rw", .kind = SPEC_MOUNT_ATTR, .attr_clear = MOUNT_ATTR_RDONLY, .superblock = "rw"},
	SPREAD("shared", MS_SHARED),
	SUPER("silent", NULL),
	SPREAD("slave", MS_SLAVE),
	OTHER("src-nofollow", SPEC_MOUNT_SRC_NOFOLLOW),
	ATTR("strictatime", MOUNT_ATTR_STRICTATIME, ATIME),
	ATTR("suid", 0, MOUNT_ATTR_NOSUID),
	ATTR("symfollow", 0, MOUNT_ATTR_NOSYMFOLLOW),
	SUPER("sync", "sync"),
	OTHER("tmpcopyup", SPEC_MOUNT_COPY_UP),
	SPREAD("unbindable", MS_UNBINDABLE),
};

const size_t spec_mount_options_count = sizeof(spec_mount_options) / sizeof(spec_mount_options[0]);

static int compare(const void *name, const void *option)
{
	return strcmp(name, ((const struct spec_mount_option *)option)->name);
}

const struct spec_mount_option *spec_mount_option_find(const char *name)
{
	return bsearch(
		name, spec_mount_options, spec_mount_options_count, sizeof(spec_mount_options[0]), compare);
}

/*
 * Data that filesystems of the kernel take, for those a container has in its /proc, /sys and /dev: here a
 * typing error can be told from an option. Documentation/filesystems of the kernel; cgroup v1's words are
 * accepted as an engine may still write them for a "cgroup" mount. A name that ends with '=' needs a value.
 */
static const char *const tmpfs_data[] = {"size=", "nr_blocks=", "nr_inodes=", "mode=", "uid=", "gid=",
	"mpol=", "huge=", "inode32", "inode64", "noswap", "quota", "usrquota", "grpquota",
	"usrquota_block_hardlimit=", "usrquota_inode_hardlimit=", "grpquota_block_hardlimit=",
	"grpquota_inode_hardlimit=", "casefold", "casefold=", "strict_encoding", NULL};
static const char *const proc_data[] = {"gid=", "hidepid=", "subset=", "pidns=", NULL};
static const char *const devpts_data[] = {"uid=", "gid=", "mode=", "ptmxmode=", "max=", "newinstance", NULL};
static const char *const no_data[] = {NULL};
static const char *const cgroup_data[] = {"nsdelegate", "favordynmods", "nofavordynmods",
	"memory_localevents", "memory_recursiveprot", "memory_hugetlb_accounting", "pids_localevents", "all",
	"none", "name=", "xattr", "clone_children", "noprefix", "cpuset_v2_mode", "release_agent=", "cpu",
	"cpuacct", "cpuset", "memory", "devices", "freezer", "net_cls", "net_prio", "blkio", "perf_event",
	"hugetlb", "pids", "rdma", "misc", NULL};
static const char *const security_data[] = {"context=", "fscontext=", "defcontext=", "rootcontext=",
	"seclabel", "smackfsdef=", "smackfsfloor=", "smackfshat=", "smackfsroot=", "smackfstransmute=", NULL};

static const struct {
	const char *type;
	const char *const *data;
} filesystems[] = {
	{"tmpfs", tmpfs_data},
	{"proc", proc_data},
	{"sysfs", no_data},
	{"devpts", devpts_data},
	{"mqueue", no_data},
	{"cgroup", cgroup_data},
	{"cgroup2", cgroup_data},
};

const char *const *spec_filesystem_data(const char *type)
{
	for (size_t i = 0; i < sizeof(filesystems) / sizeof(filesystems[0]); i++)
		if (type && strcmp(filesystems[i].type, type) == 0)
			return filesystems[i].data;
	return NULL;
}

/* Does the list hold the word, up to its '='? A word that needs a value and has none is not held. */
static bool list_has(const char *const *list, const char *option)
{
	size_t name = strcspn(option, "=");

	for (; *list; list++) {
		size_t length = strlen(*list);
		bool valued = (*list)[length - 1] == '=';
		if (length - valued == name && memcmp(*list, option, name) == 0 &&
			valued == (option[name] == '='))
			return true;
	}
	return false;
}

bool spec_filesystem_takes(const char *const *data, const char *option)
{
	return list_has(data, option) || list_has(security_data, option);
}

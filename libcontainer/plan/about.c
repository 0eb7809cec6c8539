/*
 * about.c - what an operation is about, for errors that programs read: the file, and the system call where
 * there is only one that can fail. Where there are several, the executor says which.
 */
#include "libcontainer/plan/plan.h"

struct about {
	const char *call;
	size_t target; /* where in struct plan_op its path is; 0: it has none */
};

#define AT(member) offsetof(struct plan_op, member)

static const struct about abouts[OP_COUNT] = {
	[OP_MAKE_CGROUP] = {"", AT(make_cgroup.path)},
	[OP_OPEN_NAMESPACE] = {"open", AT(open_namespace.path)},
	[OP_OPEN_TREE] = {"open_tree", AT(open_tree.path)},
	[OP_MAP_MOUNT] = {"mount_setattr", AT(map_mount.path)},
	[OP_CLONE] = {"clone3", 0},
	[OP_ENTER_CONTAINER] = {"setns", 0},
	[OP_RAISE_RLIMIT] = {"prlimit64", 0},
	[OP_JOIN_NAMESPACE] = {"setns", 0},
	[OP_NEW_CGROUP_NAMESPACE] = {"unshare", 0},
	[OP_LOOPBACK_UP] = {"ioctl", 0},
	[OP_HOSTNAME] = {"sethostname", 0},
	[OP_DOMAINNAME] = {"setdomainname", 0},
	[OP_SET_PROPAGATION] = {"mount_setattr", 0},
	[OP_MOUNT_FS] = {"", AT(mount_fs.destination)},
	[OP_MOUNT_BIND] = {"", AT(mount_bind.destination)},
	[OP_REMOUNT] = {"", AT(remount.destination)},
	[OP_MAKE_DEVICE] = {"", AT(make_device.path)},
	[OP_MAKE_SYMLINK] = {"", AT(make_symlink.path)},
	[OP_HAND_OVER_CONSOLE] = {"", AT(hand_over_console.socket)},
	[OP_HOOK] = {"", AT(hook.path)},
	[OP_SYSCTL] = {"", AT(sysctl.name)},
	[OP_MASK_PATH] = {"", AT(mask_path.path)},
	[OP_READONLY_PATH] = {"", AT(readonly_path.path)},
	[OP_READONLY_ROOTFS] = {"mount_setattr", 0},
	[OP_PIVOT_ROOT] = {"pivot_root", 0},
	[OP_CHANGE_DIRECTORY] = {"", AT(change_directory.path)},
	[OP_RLIMIT] = {"prlimit64", 0},
	[OP_FIND_PROGRAM] = {"", AT(find_program.file)},
	[OP_NO_NEW_PRIVILEGES] = {"prctl", 0},
	[OP_SECCOMP] = {"seccomp", 0},
	[OP_EXECUTE] = {"execve", 0},
	[OP_CPU_AFFINITY] = {"sched_setaffinity", 0},
	[OP_SCHEDULER] = {"sched_setattr", 0},
	[OP_IO_PRIORITY] = {"ioprio_set", 0},
	[OP_MEMORY_POLICY] = {"set_mempolicy", 0},
	[OP_PERSONALITY] = {"personality", 0},
};

void plan_op_about(const struct plan_op *op, const char **target, const char **call)
{
	const struct about *a = &abouts[op->kind];
	const char *path = a->target ? *(const char *const *)((const char *)op + a->target) : NULL;

	*target = path ? path : "";
	*call = a->call ? a->call : "";
}

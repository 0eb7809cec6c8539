/*
 * sys.c - see sys.h.
 */
#include "base/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/ioprio.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define RESULT(call)                                                                                         \
	({                                                                                                   \
		long r_ = (call);                                                                            \
		r_ < 0 ? -errno : (int)r_;                                                                   \
	})

int sys_openat2(int dirfd, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve)
{
	struct open_how how = {.flags = flags | O_CLOEXEC, .mode = mode, .resolve = resolve};

	return RESULT(syscall(SYS_openat2, dirfd, path, &how, sizeof(how)));
}

int sys_open_tree(int dirfd, const char *path, unsigned flags)
{
	return RESULT(syscall(SYS_open_tree, dirfd, path, flags | OPEN_TREE_CLOEXEC));
}

int sys_move_mount(int from_fd, const char *from, int to_fd, const char *to, unsigned flags)
{
	return RESULT(syscall(SYS_move_mount, from_fd, from, to_fd, to, flags));
}

int sys_move_onto(int from_fd, int target_fd)
{
	return sys_move_mount(from_fd, "", target_fd, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

int sys_fsopen(const char *fstype)
{
	return RESULT(syscall(SYS_fsopen, fstype, FSOPEN_CLOEXEC));
}

int sys_fsconfig(int fs_fd, unsigned command, const char *key, const void *value, int aux)
{
	return RESULT(syscall(SYS_fsconfig, fs_fd, command, key, value, aux));
}

int sys_fsmount(int fs_fd, unsigned attr_flags)
{
	return RESULT(syscall(SYS_fsmount, fs_fd, FSMOUNT_CLOEXEC, attr_flags));
}

int sys_fspick(int fd)
{
	return RESULT(syscall(SYS_fspick, fd, "", FSPICK_CLOEXEC | FSPICK_EMPTY_PATH));
}

int sys_mount_setattr(int dirfd, const char *path, unsigned flags, const struct mount_attr *attr)
{
	return RESULT(syscall(SYS_mount_setattr, dirfd, path, flags, attr, sizeof(*attr)));
}

int sys_pivot_root(const char *new_root, const char *put_old)
{
	return RESULT(syscall(SYS_pivot_root, new_root, put_old));
}

pid_t sys_clone3(struct clone_args *args)
{
	return RESULT(syscall(SYS_clone3, args, sizeof(*args)));
}

#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__)
/*
 * The C library has no clone3, and a function that returns in the new process would take its caller's frame
 * away: so fn is called from here, below what the compiler keeps on this stack (and the 128 bytes beyond its
 * end), and never returned from.
 */
static pid_t clone3_vfork(const struct clone_args *args, void (*fn)(void *), void *argument)
{
	long result;

	__asm__ volatile(
		"syscall\n\t"
		"test %%rax, %%rax\n\t"
		"jnz 1f\n\t"
		"sub $128, %%rsp\n\t"
		"and $-16, %%rsp\n\t"
		"mov %[argument], %%rdi\n\t"
		"call *%[fn]\n\t"
		"xor %%edi, %%edi\n\t"
		"mov %[exit], %%eax\n\t"
		"syscall\n"
		"1:"
		: "=a"(result)
		: "0"((long)SYS_clone3), "D"(args),
		"S"(sizeof(*args)), [fn] "r"(fn), [argument] "r"(argument), [exit] "i"(SYS_exit_group)
		: "rcx", "r11", "memory");
	return (pid_t)result;
}
#else
static pid_t clone3_vfork(const struct clone_args *args, void (*fn)(void *), void *argument)
{
	(void)args, (void)fn, (void)argument;
	return -ENOSYS;
}
#endif

pid_t sys_clone3_vfork(struct clone_args *args, void (*fn)(void *argument), void *argument)
{
	struct clone_args with_memory = *args;
	sigset_t all, before;

	with_memory.flags |= CLONE_VM | CLONE_VFORK;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid_t pid = clone3_vfork(&with_memory, fn, argument);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return pid;
}

/* The call does nothing else. */
bool sys_is_single_threaded(void)
{
	return unshare(CLONE_THREAD) == 0;
}

int sys_pidfd_open(pid_t pid, unsigned flags)
{
	return RESULT(syscall(SYS_pidfd_open, pid, flags));
}

int sys_pidfd_send_signal(int pidfd, int sig, siginfo_t *info, unsigned flags)
{
	return RESULT(syscall(SYS_pidfd_send_signal, pidfd, sig, info, flags));
}

int sys_close_range(unsigned first, unsigned last, unsigned flags)
{
	return RESULT(syscall(SYS_close_range, first, last, flags));
}

int sys_keyctl_join_session(const char *name)
{
	return RESULT(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name, 0, 0, 0));
}

int sys_seccomp(unsigned operation, unsigned flags, void *args)
{
	return RESULT(syscall(SYS_seccomp, operation, flags, args));
}

int sys_bpf(int command, union bpf_attr *attr, unsigned size)
{
	return RESULT(syscall(SYS_bpf, command, attr, size));
}

int sys_capset(uint64_t effective, uint64_t permitted, uint64_t inheritable)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	for (int i = 0; i < 2; i++) {
		data[i].effective = (uint32_t)(effective >> (32 * i));
		data[i].permitted = (uint32_t)(permitted >> (32 * i));
		data[i].inheritable = (uint32_t)(inheritable >> (32 * i));
	}
	return RESULT(syscall(SYS_capset, &header, data));
}

int sys_execveat(int dirfd, const char *path, char *const argv[], char *const envp[], int flags)
{
	return RESULT(syscall(SYS_execveat, dirfd, path, argv, envp, flags));
}

int sys_sched_setattr(pid_t pid, struct sys_sched_attr attr)
{
	attr.size = sizeof(attr);
	return RESULT(syscall(SYS_sched_setattr, pid, &attr, 0));
}

int sys_ioprio_set(pid_t pid, int class_, int priority)
{
	return RESULT(syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, pid, IOPRIO_PRIO_VALUE(class_, priority)));
}

/* The kernel takes one bit less than it is told of. */
int sys_set_mempolicy(unsigned mode, const uint64_t *nodes, size_t words)
{
	return RESULT(syscall(SYS_set_mempolicy, mode, nodes, words ? words * 64 + 1 : 0));
}

int sys_setresuid(uid_t uid)
{
	return RESULT(syscall(SYS_setresuid, uid, uid, uid));
}

int sys_setresgid(gid_t gid)
{
	return RESULT(syscall(SYS_setresgid, gid, gid, gid));
}

int sys_setgroups(size_t count, const gid_t *groups)
{
	return RESULT(syscall(SYS_setgroups, count, groups));
}

int64_t sys_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t sys_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void sys_default_signals(void)
{
	struct sigaction dfl = {.sa_handler = SIG_DFL};
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		sigaction(sig, &dfl, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

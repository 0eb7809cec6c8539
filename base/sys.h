/*
 * sys.h - system calls that the C library of the oldest supported distribution does not wrap, or wraps with
 * headers that clash with the kernel's. One wrapper each; all return the result or -errno and never set
 * errno. The baseline is Linux 5.14. Safe after fork and in init: no allocation, no locks.
 */
#ifndef BASE_SYS_H
#define BASE_SYS_H

#include <linux/bpf.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

int sys_openat2(int dirfd, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve);

/* The mount API of Linux 5.2 to 5.12; fds are O_CLOEXEC. */
int sys_open_tree(int dirfd, const char *path, unsigned flags);
int sys_move_mount(int from_fd, const char *from, int to_fd, const char *to, unsigned flags);
int sys_move_onto(int from_fd, int target_fd); /* both by fd: a detached mount onto a file or directory */
int sys_fsopen(const char *fstype);
int sys_fsconfig(int fs_fd, unsigned command, const char *key, const void *value, int aux);
int sys_fsmount(int fs_fd, unsigned attr_flags);
int sys_fspick(int fd); /* of the mount that fd is the root of */
int sys_mount_setattr(int dirfd, const char *path, unsigned flags, const struct mount_attr *attr);
int sys_pivot_root(const char *new_root, const char *put_old);

/* clone3 without CLONE_VM: returns twice, like fork. */
pid_t sys_clone3(struct clone_args *args);

/*
 * As vfork: fn runs in the new process, in the caller's memory and on the caller's stack, and this returns
 * when that process has ended (not: been waited for). No signal is handled meanwhile, on either side.
 * -ENOSYS on a processor for which this is not written, and under AddressSanitizer.
 */
pid_t sys_clone3_vfork(struct clone_args *args, void (*fn)(void *argument), void *argument);

/* Nobody else runs in this process's memory. */
bool sys_is_single_threaded(void);

int sys_pidfd_open(pid_t pid, unsigned flags);
int sys_pidfd_send_signal(int pidfd, int sig, siginfo_t *info, unsigned flags);
int sys_close_range(unsigned first, unsigned last, unsigned flags);
int sys_keyctl_join_session(const char *name);
int sys_seccomp(unsigned operation, unsigned flags, void *args);
int sys_bpf(int command, union bpf_attr *attr, unsigned size);
int sys_capset(uint64_t effective, uint64_t permitted, uint64_t inheritable);
int sys_execveat(int dirfd, const char *path, char *const argv[], char *const envp[], int flags);

/* For the kernel's struct sched_attr, which clashes with newer C libraries; `size` is filled in. 0: this
 * thread.
 */
struct sys_sched_attr {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period; /* nanoseconds */
	uint32_t util_min, util_max;
};
int sys_sched_setattr(pid_t pid, struct sys_sched_attr attr);
int sys_ioprio_set(pid_t pid, int class_, int priority);
int sys_set_mempolicy(unsigned mode, const uint64_t *nodes, size_t words);

/* Milliseconds of CLOCK_MONOTONIC: for deadlines. */
int64_t sys_now_ms(void);

/* Nanoseconds of CLOCK_REALTIME, which is the same in every time namespace: for what two processes compare.
 */
int64_t sys_now_ns(void);

/* Every signal at its default, none blocked: what a program expects that is executed next. */
void sys_default_signals(void);

/* Without the C library's bookkeeping for threads: all three ids, and the groups, of this process. */
int sys_setresuid(uid_t uid);
int sys_setresgid(gid_t gid);
int sys_setgroups(size_t count, const gid_t *groups);

#endif

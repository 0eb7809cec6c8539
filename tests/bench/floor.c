/*
 * floor.c - what a container costs before any runtime has done anything: the kernel's calls, and nothing
 * else.
 *
 *     floor run  ROOTFS CGROUP_PARENT NAME FILTER|- PROGRAM [ARG...]
 *     floor exec PID CGROUP FILTER|- PROGRAM [ARG...]
 *
 * "run" makes the container that `crt spec` describes, in the fewest calls that give the same result: the
 * same mounts, devices, masked and read-only paths, capabilities, limits and device program; no state, no
 * document, no message between parent and child, no check of anything. It trusts the rootfs completely
 * (mount(2) by path), which a runtime must not, and it can be written to from inside (CVE-2019-5736). So it
 * is a floor, not a rival. "exec" starts a process in the container of PID. FILTER is a file with a
 * ready-made seccomp program.
 *
 * contrib/bench refuses to measure when this container has other mounts than crt's.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static struct sock_filter insns[BPF_MAXINSNS];
static struct sock_fprog filter = {.filter = insns};

static void must(long result, const char *what)
{
	if (result < 0) {
		fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
		_exit(1);
	}
}

/* The file of crt's cache: a header of six words, of which the fifth is the length of the key that comes
 * next. */
static void read_filter(const char *path)
{
	uint32_t header[6];
	int fd;

	if (strcmp(path, "-") == 0)
		return;
	must(fd = open(path, O_RDONLY | O_CLOEXEC), path);
	must(read(fd, header, sizeof(header)), path);
	must(pread(fd, insns, header[5] * sizeof(insns[0]), sizeof(header) + header[4]), path);
	close(fd);
	filter.len = (unsigned short)header[5];
}

/* ---- The filesystem ---- */

#define NSE (MS_NOSUID | MS_NOEXEC)
#define NSD (NSE | MS_NODEV)

static const struct {
	const char *target, *type, *source;
	unsigned long flags;
	const char *data;
	bool make;
} mounts[] = {
	{"proc", "proc", "proc", 0, NULL, false},
	{"dev", "tmpfs", "tmpfs", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k", false},
	{"dev/pts", "devpts", "devpts", NSE, "newinstance,ptmxmode=0666,mode=0620,gid=5", true},
	{"dev/shm", "tmpfs", "shm", NSD, "mode=1777,size=65536k", true},
	{"dev/mqueue", "mqueue", "mqueue", NSD, NULL, true},
	{"sys", "sysfs", "sysfs", NSD | MS_RDONLY, NULL, false},
	{"sys/fs/cgroup", "cgroup2", "cgroup", NSD | MS_RDONLY | MS_RELATIME, NULL, false},
};

static const struct {
	const char *path;
	unsigned major, minor;
} devices[] = {{"dev/null", 1, 3}, {"dev/zero", 1, 5}, {"dev/full", 1, 7}, {"dev/random", 1, 8},
	{"dev/urandom", 1, 9}, {"dev/tty", 5, 0}};

static const struct {
	const char *target, *path;
} links[] = {{"/proc/self/fd", "dev/fd"}, {"/proc/self/fd/0", "dev/stdin"}, {"/proc/self/fd/1", "dev/stdout"},
	{"/proc/self/fd/2", "dev/stderr"}, {"pts/ptmx", "dev/ptmx"}};

static const char *const masked[] = {"proc/acpi", "proc/asound", "proc/kcore", "proc/keys",
	"proc/latency_stats", "proc/timer_list", "proc/timer_stats", "proc/sched_debug", "sys/firmware",
	"proc/scsi"};
static const char *const readonly[] = {"proc/bus", "proc/fs", "proc/irq", "proc/sys", "proc/sysrq-trigger"};

/* A file is not a directory, which is how to find out which of the two it is. */
static void mask(const char *path)
{
	if (mount("tmpfs", path, "tmpfs", NSD | MS_RDONLY, "mode=0555,nr_blocks=1,nr_inodes=1") == 0 ||
		errno == ENOENT)
		return;
	must(mount("/dev/null", path, NULL, MS_BIND, NULL), path);
	must(mount(NULL, path, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | NSE, NULL), path);
}

static void make_readonly(const char *path)
{
	if (mount(path, path, NULL, MS_BIND | MS_REC, NULL) < 0 && errno == ENOENT)
		return;
	must(mount(NULL, path, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL), path);
}

static void make_root(const char *rootfs)
{
	must(mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL), "mount propagation");
	must(mount(rootfs, rootfs, NULL, MS_BIND | MS_REC, NULL), rootfs);
	must(chdir(rootfs), rootfs);
	for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		if (mounts[i].make)
			must(mkdir(mounts[i].target, 0755), mounts[i].target);
		must(mount(mounts[i].source, mounts[i].target, mounts[i].type, mounts[i].flags,
			     mounts[i].data),
			mounts[i].target);
	}
	for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++)
		must(mknod(devices[i].path, S_IFCHR | 0666, makedev(devices[i].major, devices[i].minor)),
			devices[i].path);
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		must(symlink(links[i].target, links[i].path), links[i].path);
	for (size_t i = 0; i < sizeof(masked) / sizeof(masked[0]); i++)
		mask(masked[i]);
	for (size_t i = 0; i < sizeof(readonly) / sizeof(readonly[0]); i++)
		make_readonly(readonly[i]);
	must(mount(NULL, ".", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL), "read-only root");
	must(syscall(SYS_pivot_root, ".", "."), "pivot_root");
	must(umount2(".", MNT_DETACH), "umount");
	must(chdir("/"), "/");
}

/* ---- The process ---- */

#define CAPABILITIES (1u << CAP_KILL | 1u << CAP_NET_BIND_SERVICE | 1u << CAP_AUDIT_WRITE)

static void become_the_process(void)
{
	struct rlimit files = {1024, 1024};
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {{CAPABILITIES, CAPABILITIES, 0}, {0}};

	for (unsigned long cap = 0; cap <= CAP_LAST_CAP; cap++)
		if (!(cap < 32 && CAPABILITIES >> cap & 1))
			prctl(PR_CAPBSET_DROP, cap);
	must(syscall(SYS_setgroups, 0, NULL), "setgroups");
	must(setrlimit(RLIMIT_NOFILE, &files), "setrlimit");
	must(syscall(SYS_capset, &header, data), "capset");
	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
	if (filter.len)
		must(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter), "seccomp");
}

static _Noreturn void run_child(const char *rootfs, char **program)
{
	struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};

	setsid();
	must(unshare(CLONE_NEWCGROUP), "unshare");
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	must(ioctl(fd, SIOCSIFFLAGS, &lo), "loopback");
	must(sethostname("crt", 3), "hostname");
	make_root(rootfs);
	must(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, "_ses.floor"), "keyctl");
	become_the_process();
	execve(program[0], program, environ);
	_exit(127);
}

static pid_t clone_process(uint64_t flags, int cgroup)
{
	struct clone_args args = {
		.flags = flags | CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = (uint64_t)cgroup};

	return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

/* No device but those that every container has: crt's program for an empty list of rules, without its rules.
 */
static void attach_devices(int cgroup)
{
	const struct bpf_insn deny[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 1}, {.code = BPF_JMP | BPF_EXIT}};
	union bpf_attr load = {.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE,
		.insns = (uint64_t)(uintptr_t)deny,
		.insn_cnt = 2,
		.license = (uint64_t)(uintptr_t) "GPL"};
	int fd;

	must(fd = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof(load)), "bpf");
	union bpf_attr attach = {.target_fd = (uint32_t)cgroup,
		.attach_bpf_fd = (uint32_t)fd,
		.attach_type = BPF_CGROUP_DEVICE,
		.attach_flags = BPF_F_ALLOW_MULTI};
	must(syscall(SYS_bpf, BPF_PROG_ATTACH, &attach, sizeof(attach)), "bpf attach");
}

static int exit_code(pid_t pid)
{
	int status;

	must(waitpid(pid, &status, 0), "wait");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static int run(const char *rootfs, const char *cgroup_parent, const char *name, char **program)
{
	const uint64_t flags = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNET;
	int parent, cgroup;
	pid_t pid;

	must(parent = open(cgroup_parent, O_PATH | O_DIRECTORY | O_CLOEXEC), cgroup_parent);
	must(mkdirat(parent, name, 0755), name);
	must(cgroup = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC), name);
	must(pid = clone_process(flags, cgroup), "clone3");
	if (pid == 0)
		run_child(rootfs, program);
	attach_devices(cgroup);
	int code = exit_code(pid);
	must(unlinkat(parent, name, AT_REMOVEDIR), "rmdir");
	return code;
}

/*
 * A pid namespace takes in only children. The cgroup namespace comes last: from inside, the kernel may refuse
 * to start something in a cgroup that is its root.
 */
static int run_exec(pid_t init, const char *cgroup_path, char **program)
{
	const int flags = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWCGROUP;
	int pidfd = (int)syscall(SYS_pidfd_open, init, 0), cgroup;
	pid_t pid;

	must(pidfd, "pidfd_open");
	must(cgroup = open(cgroup_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), cgroup_path);
	must(setns(pidfd, CLONE_NEWPID), "setns");
	must(pid = clone_process(0, cgroup), "clone3");
	if (pid == 0) {
		setsid();
		must(setns(pidfd, flags), "setns");
		become_the_process();
		execve(program[0], program, environ);
		_exit(127);
	}
	return exit_code(pid);
}

int main(int argc, char **argv)
{
	if (argc >= 7 && strcmp(argv[1], "run") == 0) {
		read_filter(argv[5]);
		return run(argv[2], argv[3], argv[4], argv + 6);
	}
	if (argc >= 6 && strcmp(argv[1], "exec") == 0) {
		read_filter(argv[4]);
		return run_exec(atoi(argv[2]), argv[3], argv + 5);
	}
	fprintf(stderr, "usage: see the top of floor.c\n");
	return 2;
}

/*
 * probe.c - what a container's program sees or may do, where busybox has no command for it. Static;
 * /bin/probe in every test container. Prints one line: a result, or the name of an errno.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

struct command {
	const char *name;
	int (*run)(int argc, char **argv);
};

static const struct {
	const char *name;
	long number;
} SYSCALLS[] = {
	{"getpid", SYS_getpid},
	{"getppid", SYS_getppid},
	{"getuid", SYS_getuid},
	{"geteuid", SYS_geteuid},
	{"mkdirat", SYS_mkdirat},
	{"personality", SYS_personality},
	{"unshare", SYS_unshare},
	{"keyctl", SYS_keyctl},
	{"socket", SYS_socket},
	{"uname", SYS_uname},
	{"ptrace", SYS_ptrace},
	{"dup", SYS_dup},
	{"dup3", SYS_dup3},
	{"kill", SYS_kill},
	{"setns", SYS_setns},
	{"mount", SYS_mount},
	{"bpf", SYS_bpf},
	{"swapon", SYS_swapon},
	{"sync", SYS_sync},
	{"lseek", SYS_lseek},
	{"getpriority", SYS_getpriority},
	{"setpriority", SYS_setpriority},
	{"sched_yield", SYS_sched_yield},
	{"openat", SYS_openat},
	{"mknodat", SYS_mknodat},
	{"chroot", SYS_chroot},
	{"reboot", SYS_reboot},
	{"sethostname", SYS_sethostname},
	{"clock_settime", SYS_clock_settime},
};

static int say(long result)
{
	if (result < 0)
		printf("%s\n", strerrorname_np(errno));
	else
		printf("%ld\n", result);
	return 0;
}

/* syscall NAME [ARGUMENT...]: an argument is a number, or s:TEXT */
static int run_syscall(int argc, char **argv)
{
	unsigned long args[6] = {0};

	for (int i = 1; i < argc && i < 7; i++)
		args[i - 1] = strncmp(argv[i], "s:", 2) == 0 ? (unsigned long)(argv[i] + 2)
							     : strtoul(argv[i], NULL, 0);
	for (size_t i = 0; i < sizeof(SYSCALLS) / sizeof(SYSCALLS[0]); i++)
		if (argc > 0 && strcmp(SYSCALLS[i].name, argv[0]) == 0)
			return say(syscall(
				SYSCALLS[i].number, args[0], args[1], args[2], args[3], args[4], args[5]));
	printf("unknown system call\n");
	return 1;
}

/* fds: one line per open file descriptor, "NUMBER TARGET" */
static int run_fds(int argc, char **argv)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;
	char target[4096];

	(void)argc;
	(void)argv;
	if (!dir)
		return say(-1);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.' || atoi(entry->d_name) == dirfd(dir))
			continue;
		ssize_t length = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);
		target[length < 0 ? 0 : length] = '\0';
		printf("%s %s\n", entry->d_name, target);
	}
	return 0;
}

/* open PATH r|w|rw: opens without creating */
static int run_open(int argc, char **argv)
{
	static const int modes[] = {O_RDONLY, O_WRONLY, O_RDWR};
	int mode = argc > 1 ? modes[strcmp(argv[1], "w") == 0 ? 1 : strcmp(argv[1], "rw") == 0 ? 2 : 0] : 0;

	return say(open(argv[0], mode | O_NONBLOCK | O_NOCTTY) < 0 ? -1 : 0);
}

/* mknod PATH c|b|p MAJOR MINOR */
static int run_mknod(int argc, char **argv)
{
	mode_t type = argv[1][0] == 'c' ? S_IFCHR : argv[1][0] == 'b' ? S_IFBLK : S_IFIFO;

	(void)argc;
	return say(mknod(argv[0], type | 0600,
		makedev((unsigned)strtoul(argv[2], NULL, 0), (unsigned)strtoul(argv[3], NULL, 0))));
}

/* keyring: the name of the session keyring */
static int run_keyring(int argc, char **argv)
{
	char text[512] = "";

	(void)argc;
	(void)argv;
	if (syscall(SYS_keyctl, KEYCTL_DESCRIBE, KEY_SPEC_SESSION_KEYRING, text, sizeof(text) - 1, 0) < 0)
		return say(-1);
	printf("%s\n", text);
	return 0;
}

/* tiocsti: push a character into the terminal on standard input */
static int run_tiocsti(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return say(ioctl(0, TIOCSTI, "x"));
}

/* prctl: keep-caps, dumpable, no-new-privs, child-subreaper, pdeathsig, secure bits */
static int run_prctl(int argc, char **argv)
{
	int subreaper = -1, signal_number = -1;

	(void)argc;
	(void)argv;
	prctl(PR_GET_CHILD_SUBREAPER, &subreaper);
	prctl(PR_GET_PDEATHSIG, &signal_number);
	printf("dumpable %d keepcaps %d no_new_privs %d subreaper %d pdeathsig %d securebits %d\n",
		prctl(PR_GET_DUMPABLE), prctl(PR_GET_KEEPCAPS), prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0),
		subreaper, signal_number, prctl(PR_GET_SECUREBITS));
	return 0;
}

/* exchange A B SECONDS: swap two names as fast as the kernel can */
static int run_exchange(int argc, char **argv)
{
	unsigned long rounds = 0;

	(void)argc;
	alarm((unsigned)atoi(argv[2]));
	for (;; rounds++)
		if (renameat2(AT_FDCWD, argv[0], AT_FDCWD, argv[1], RENAME_EXCHANGE) < 0)
			return say(-1);
}

/* peek SECONDS: try to trace, and to open the executable and the fds of, every process that shows up */
static int run_peek(int argc, char **argv)
{
	char name[64];
	unsigned opened = 0, traced = 0;
	long end = (argc > 0 ? atoi(argv[0]) : 1) * 2000L;

	for (long round = 0; round < end; round++) {
		for (pid_t pid = 1; pid < 64; pid++) {
			if (pid == getpid())
				continue;
			snprintf(name, sizeof(name), "/proc/%d/exe", pid);
			int fd = open(name, O_WRONLY);
			opened += fd >= 0 ? 1 : 0;
			if (fd >= 0)
				close(fd);
			if (ptrace(PTRACE_SEIZE, pid, 0, 0) == 0) {
				traced++;
				ptrace(PTRACE_DETACH, pid, 0, 0);
			}
		}
		usleep(500);
	}
	printf("opened %u traced %u\n", opened, traced);
	return 0;
}

/* orphans N: leave N grandchildren behind that end after their parent; exits once they have */
static int run_orphans(int argc, char **argv)
{
	int count = argc > 0 ? atoi(argv[0]) : 1;

	for (int i = 0; i < count; i++) {
		pid_t child = fork();
		if (child == 0) {
			if (fork() == 0)
				usleep(100000);
			_exit(0);
		}
		waitpid(child, NULL, 0);
	}
	usleep(300000);
	return 0;
}

/* memory MEGABYTES: touch that much */
static int run_memory(int argc, char **argv)
{
	size_t size = (argc > 0 ? strtoul(argv[0], NULL, 0) : 1) << 20;
	char *bytes = malloc(size);

	if (!bytes)
		return say(-1);
	memset(bytes, 1, size);
	printf("touched %zu\n", size);
	return bytes[size / 2] != 1;
}

/* forks N: how many children may be alive at once */
static int run_forks(int argc, char **argv)
{
	int count = 0, limit = argc > 0 ? atoi(argv[0]) : 10;

	for (; count < limit; count++) {
		pid_t child = fork();
		if (child == 0) {
			pause();
			_exit(0);
		}
		if (child < 0)
			break;
	}
	printf("%d\n", count);
	fflush(stdout);
	signal(SIGTERM, SIG_IGN);
	kill(0, SIGTERM);
	return 0;
}

/* scheduler: by what the kernel schedules this process, as sched_getattr(2) has it */
static int run_scheduler(int argc, char **argv)
{
	struct {
		unsigned size, policy;
		unsigned long long flags;
		int nice;
		unsigned priority;
		unsigned long long runtime, deadline, period;
	} attr;

	(void)argc, (void)argv;
	if (syscall(SYS_sched_getattr, 0, &attr, sizeof(attr), 0) < 0)
		return say(-1);
	printf("policy %u flags %llu nice %d priority %u runtime %llu deadline %llu period %llu\n",
		attr.policy, attr.flags, attr.nice, attr.priority, attr.runtime, attr.deadline, attr.period);
	return 0;
}

/* notify TEXT: send it to $NOTIFY_SOCKET, with an fd, as sd_pid_notify_with_fds(3) would; prints the errno.
 */
static int run_notify(int argc, char **argv)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {0};
	const char *path = getenv("NOTIFY_SOCKET");
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	if (argc < 1 || !path)
		return 2;
	snprintf(name.sun_path, sizeof(name.sun_path), "%s", path);
	struct iovec text = {.iov_base = argv[0], .iov_len = strlen(argv[0])};
	struct msghdr m = {.msg_name = &name,
		.msg_namelen = sizeof(name),
		.msg_iov = &text,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof(control.space)};
	control.header = (struct cmsghdr){
		.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	printf("%s\n", sendmsg(fd, &m, 0) < 0 ? strerror(errno) : "sent");
	return 0;
}

static bool name_of(int pid, char name[32])
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	FILE *comm = fopen(path, "re");
	bool found = comm && fscanf(comm, "%31s", name) == 1;
	if (comm)
		fclose(comm);
	return found;
}

/*
 * reach: prints the name of each process that comes from now on whose memory can be read: that after it was,
 * for it may have executed another program just before; when it is gone, that before. Never ends.
 */
static int run_reach(int argc, char **argv)
{
	char byte, before[32], after[32];
	struct iovec to = {&byte, 1}, from = {(void *)1, 1}; /* where nothing is: EFAULT comes after EPERM */
	int last = 0;

	(void)argc, (void)argv;
	for (;;) {
		FILE *load = fopen("/proc/loadavg", "re");
		if (!load || fscanf(load, "%*s %*s %*s %*s %d", &last) != 1)
			return 1;
		fclose(load);
		for (int pid = last - 3; pid <= last + 3; pid++)
			if (pid != getpid() && name_of(pid, before) &&
				process_vm_readv(pid, &to, 1, &from, 1, 0) < 0 && errno == EFAULT)
				printf("%s\n", name_of(pid, after) ? after : before);
	}
}

static const struct command COMMANDS[] = {
	{"syscall", run_syscall},
	{"fds", run_fds},
	{"open", run_open},
	{"mknod", run_mknod},
	{"keyring", run_keyring},
	{"tiocsti", run_tiocsti},
	{"prctl", run_prctl},
	{"exchange", run_exchange},
	{"peek", run_peek},
	{"notify", run_notify},
	{"orphans", run_orphans},
	{"memory", run_memory},
	{"reach", run_reach},
	{"forks", run_forks},
	{"scheduler", run_scheduler},
};

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (size_t i = 0; argc > 1 && i < sizeof(COMMANDS) / sizeof(COMMANDS[0]); i++)
		if (strcmp(COMMANDS[i].name, argv[1]) == 0)
			return COMMANDS[i].run(argc - 2, argv + 2);
	fprintf(stderr, "probe: unknown command\n");
	return 2;
}

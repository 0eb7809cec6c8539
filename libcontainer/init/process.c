/*
 * process.c - from init to the user's program: limits, ids, privileges, execve. Runs in init.
 *
 * The order of the plan is the order of privilege: what needs a capability comes before it is given up.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/diagnose.h"
#include "base/fd.h"
#include "base/passwd.h"
#include "base/path.h"
#include "base/str.h"
#include "base/sys.h"
#include "libcontainer/init/init.h"

#define LISTEN_PID_ROOM sizeof("4294967295")

int init_rlimit(struct init *in, const struct plan_op *op)
{
	struct rlimit64 limit = {.rlim_cur = op->rlimit.soft, .rlim_max = op->rlimit.hard};

	if (syscall(SYS_prlimit64, 0, op->rlimit.resource, &limit, NULL) == 0)
		return 0;
	int r = -errno;
	if (r == -EPERM && syscall(SYS_prlimit64, 0, op->rlimit.resource, NULL, &limit) == 0) {
		char cause[160];
		struct str_buf b;
		str_buf_init(&b, cause, sizeof(cause));
		str_buf_add(&b, "the hard limit is %llu, and raising it takes CAP_SYS_RESOURCE over the host",
			(unsigned long long)limit.rlim_max);
		init_cause(in, r, cause, "lower the limit in process.rlimits, or raise crt's own");
	}
	return r;
}

/*
 * With a suffix that nobody can guess: a keyring that has the name already is joined, and another container
 * of the same user may have made it to read what this one will keep. ENOSYS, EPERM: a kernel without
 * keyrings, or an outer seccomp filter against them; nothing to isolate then.
 */
static int join_keyring(struct init *in, const struct plan_op *op)
{
	char name[320]; /* "_ses.", an id, the suffix */
	uint64_t suffix;
	struct str_buf b;

	if (syscall(SYS_getrandom, &suffix, sizeof(suffix), 0) != sizeof(suffix))
		return init_call(in, -EIO, "getrandom");
	str_buf_init(&b, name, sizeof(name));
	str_buf_add(&b, "%s.%016llx", op->new_keyring.name, (unsigned long long)suffix);
	int r = sys_keyctl_join_session(name);
	return r == -ENOSYS || r == -EPERM ? 0 : r < 0 ? r : 0;
}

/* The label is for this keyring only: keys that the program makes have the program's. */
int init_new_keyring(struct init *in, const struct plan_op *op)
{
	int r = op->new_keyring.label ? init_write_attr(in, "keycreate", op->new_keyring.label) : 0;

	if (r == 0)
		r = join_keyring(in, op);
	if (r == 0 && op->new_keyring.label)
		r = init_write_attr(in, "keycreate", "\n");
	return r;
}

/*
 * The end of `create`: wait until `crt start` connects and says so. It then takes the parent's place as the
 * one to hear of failures; a connection that says nothing was no start.
 */
int init_wait_start(struct init *in, const struct plan_op *op)
{
	int listener = init_slot(in, op->wait_start.slot);

	fd_close(&in->socket);
	for (;;) {
		struct init_message m;
		fd_auto int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0 && errno != EINTR && errno != ECONNABORTED)
			return -errno;
		if (fd >= 0 && init_receive(fd, &m) == 0 && m.kind == INIT_START) {
			in->socket = fd_take(&fd);
			fd_close(&in->plan->fds[op->wait_start.slot]);
			in->started = true;
			return 0;
		}
	}
}

/* CLOEXEC rather than close: the socket is still needed to report that execve failed (CVE-2024-21626). */
int init_close_fds(struct init *in, const struct plan_op *op)
{
	(void)in;
	return sys_close_range(3 + op->close_fds.preserve, UINT_MAX, CLOSE_RANGE_CLOEXEC);
}

int init_umask(struct init *in, const struct plan_op *op)
{
	(void)in;
	umask(op->umask.mask);
	return 0;
}

int init_bounding_set(struct init *in, const struct plan_op *op)
{
	for (unsigned cap = 0; cap < 64; cap++) {
		if (op->bounding_set.bounding & ((uint64_t)1 << cap))
			continue;
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0) {
			if (errno == EINVAL)
				return 0; /* beyond the last one this kernel knows */
			return init_call(in, -errno, "prctl PR_CAPBSET_DROP");
		}
	}
	return 0;
}

/*
 * Inside the new root, through no magic link: /proc/self/fd/N would lead out if an fd had leaked. getcwd says
 * "(unreachable)" if we are outside all the same (CVE-2024-21626).
 */
int init_change_directory(struct init *in, const struct plan_op *op)
{
	char cwd[PATH_MAX];
	fd_auto int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (root < 0)
		return -errno;
	fd_auto int dir = path_make(root, op->change_directory.path, PATH_DIRECTORY, 0755, NULL);
	if (dir < 0)
		return init_diagnose(in, dir, op->change_directory.path);
	if (fchdir(dir) < 0)
		return init_diagnose(in, -errno, op->change_directory.path);
	if (syscall(SYS_getcwd, cwd, sizeof(cwd)) < 0)
		return init_call(in, -errno, "getcwd");
	return cwd[0] == '/' ? 0 : init_detail(in, -EXDEV, "the directory is outside the root filesystem");
}

/* All capabilities of the permitted set into the effective one, which setresuid has emptied. */
static int restore_effective(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data) < 0)
		return -errno;
	for (int i = 0; i < 2; i++)
		data[i].effective = data[i].permitted;
	return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

/* EINVAL is what these calls say of an id that the user namespace does not have. */
static int no_such_id(struct init *in, int error, const char *call, const char *what, unsigned id)
{
	struct str_buf b;

	if (error == -EINVAL) {
		init_cause(in, error, "",
			!in->plan->has_user_namespace ? ""
			: *what == 'u'                ? "add it to linux.uidMappings"
						      : "add it to linux.gidMappings");
		str_buf_init(&b, in->message.cause, sizeof(in->message.cause));
		str_buf_add(&b, "%s %u has no mapping in the user namespace", what, id);
	}
	return init_call(in, error, call);
}

static int no_such_group(struct init *in, int error, const struct plan_op *op)
{
	size_t i = 0;

	while (i + 1 < op->user.groups_count && sys_setgroups(1, &op->user.groups[i]) == 0)
		i++;
	return no_such_id(in, error, "setgroups", "gid", op->user.groups_count ? op->user.groups[i] : 0);
}

int init_user(struct init *in, const struct plan_op *op)
{
	uid_t uid = in->has_user ? in->user : op->user.uid;
	gid_t gid = in->has_group ? in->group : op->user.gid;
	int r;

	/* Always, even to none: the caller's groups are not the container's (CVE-2022-36109). */
	if (!op->user.keep_groups) {
		r = sys_setgroups(op->user.groups_count, op->user.groups);
		if (r == -EPERM && !op->user.groups_count && getgroups(0, NULL) == 0)
			r = 0; /* denied in a user namespace that was joined, and done before */
		if (r < 0)
			return no_such_group(in, r, op);
	}
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return init_call(in, -errno, "prctl PR_SET_KEEPCAPS");
	r = sys_setresgid(gid);
	if (r < 0)
		return no_such_id(in, r, "setresgid", "gid", gid);
	r = sys_setresuid(uid);
	if (r < 0)
		return no_such_id(in, r, "setresuid", "uid", uid);
	if (prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0)
		return init_call(in, -errno, "prctl PR_SET_KEEPCAPS");
	return uid ? restore_effective() : 0;
}

int init_capabilities(struct init *in, const struct plan_op *op)
{
	int r = sys_capset(
		op->capabilities.effective, op->capabilities.permitted, op->capabilities.inheritable);

	if (r < 0)
		return init_call(in, r, "capset");
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return init_call(in, -errno, "prctl PR_CAP_AMBIENT_CLEAR_ALL");
	for (unsigned cap = 0; cap < 64; cap++)
		if (op->capabilities.ambient & ((uint64_t)1 << cap))
			if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0)
				return init_call(in, -errno, "prctl PR_CAP_AMBIENT_RAISE");
	return 0;
}

int init_no_new_privileges(struct init *in, const struct plan_op *op)
{
	(void)in, (void)op;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}

int init_announce_execution(struct init *in)
{
	struct init_message m = {.kind = INIT_EXECUTING};

	if (in->announced)
		return 0;
	in->announced = true;
	return init_send(in->socket, &m);
}

/* 0 when `path` is a file that may be executed, so far as can be told before execve; else -errno. */
static int can_execute(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0 ? -errno : 0;
}

/* Why in->program will not do. */
static int refused(struct init *in, int error)
{
	struct diagnosis d;

	diagnose_program(in->program, error, &d);
	init_target(in, in->program);
	return init_cause(in, error, d.cause, d.hint);
}

static int not_in_path(struct init *in, const char *search)
{
	struct str_buf b;

	str_buf_init(&b, in->message.cause, sizeof(in->message.cause));
	str_buf_add(&b, "PATH is %s", *search ? search : "empty");
	return init_detail(in, -ENOENT, "executable file not found in $PATH");
}

/*
 * Look in each directory of `search` as a shell does: go on after "not there", remember "not allowed". An
 * empty entry is the current directory.
 */
static int search_program(struct init *in, const char *file, const char *search, char *room)
{
	size_t length = strlen(file);
	int worst = 0;

	in->program = room;
	for (const char *dir = search; dir;) {
		size_t n = strcspn(dir, ":");
		memcpy(room, dir, n);
		if (n)
			room[n++] = '/';
		memcpy(room + n, file, length + 1);
		int r = can_execute(room);
		if (r == 0)
			return 0;
		if (r == -EACCES)
			worst = refused(in, r);
		dir += strcspn(dir, ":");
		dir = *dir ? dir + 1 : NULL;
	}
	return worst < 0 ? worst : not_in_path(in, search);
}

/* Before the wait for `crt start`, so that a missing program is an error of create. */
int init_find_program(struct init *in, const struct plan_op *op)
{
	const char *file = op->find_program.file;

	if (!strchr(file, '/'))
		return search_program(in, file, op->find_program.search, op->find_program.room);
	in->program = file;
	int r = can_execute(file);
	return r < 0 ? refused(in, r) : 0;
}

static void add_home(char **env, char *home)
{
	while (*env)
		env++;
	*env = home;
}

/* A database of the image, if it is a file: the C library would ask the image's name service
 * (CVE-2019-14271). */
static int open_database(const char *path)
{
	fd_auto int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	fd_auto int fd = path_open(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0 && !S_ISREG(st.st_mode))
		return -EINVAL;
	return fd_take(&fd);
}

int init_find_user(struct init *in, const struct plan_op *op)
{
	if (op->find_user.user) {
		fd_auto int passwd = open_database("/etc/passwd");
		int r = passwd < 0 ? passwd : passwd_user(passwd, op->find_user.user, &in->user, &in->group);
		if (r < 0)
			return init_detail2(in, r, "no such user: ", op->find_user.user);
		in->has_user = in->has_group = true;
	}
	if (op->find_user.group) {
		fd_auto int group = open_database("/etc/group");
		int r = group < 0 ? group : passwd_group(group, op->find_user.group, &in->group);
		if (r < 0)
			return init_detail2(in, r, "no such group: ", op->find_user.group);
		in->has_group = true;
	}
	return 0;
}

/* As login would: "/" for a user whom the image does not know. */
int init_find_home(struct init *in, const struct plan_op *op)
{
	uid_t uid = in->has_user ? in->user : op->find_home.uid;
	fd_auto int passwd = open_database("/etc/passwd");

	in->home = op->find_home.room;
	memcpy(in->home, "HOME=/", 7);
	if (passwd >= 0 && passwd_home(passwd, uid, in->home + 5, PLAN_HOME_ROOM - 5) < 0)
		memcpy(in->home, "HOME=/", 7);
	return 0;
}

int init_execute(struct init *in, const struct plan_op *op)
{
	int r = init_announce_execution(in);
	if (r < 0)
		return r;
	if (in->home)
		add_home(op->execute.env, in->home);
	if (op->execute.listen_pid) {
		struct str_buf pid;
		str_buf_init(&pid, op->execute.listen_pid, LISTEN_PID_ROOM);
		str_buf_add(&pid, "%d", (int)getpid());
	}
	execve(in->program, op->execute.args, op->execute.env);
	r = -errno;
	init_target(in, in->program); /* init_main looks closer, once it has told */
	return r;
}

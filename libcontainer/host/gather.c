/*
 * gather.c - find out about this machine, subject by subject.
 *
 * Each subject is asked for in the cheapest way that is still right: numbers before text, one stat before a
 * file, the usual place before the mount table. What the kernel does not tell (no such file, no permission)
 * counts as not there; whoever needs it then says so at the line of the document that does.
 */
#include "libcontainer/host/host.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "base/sys.h"

#define INITIAL_USER_NAMESPACE 0xEFFFFFFDu /* its inode number, fixed since Linux 3.8 */
#define CGROUP_MOUNT           "/sys/fs/cgroup"
#define HYBRID_CGROUP_MOUNT    "/sys/fs/cgroup/unified"
#define RESCTRL_MOUNT          "/sys/fs/resctrl"
#define PROC_FILE_MAX          ((size_t)1 << 20) /* bytes; a mount table of ten thousand lines */

/* ---- small files ---- */

/* The first line of a file in buf, "" when it cannot be read. */
static const char *read_line(const char *path, char *buf, size_t size)
{
	if (fd_read_file(AT_FDCWD, path, buf, size) < 0)
		buf[0] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	return buf;
}

static uint64_t read_number(const char *path, uint64_t absent)
{
	char buf[32];
	uint64_t value;

	return str_to_u64(read_line(path, buf, sizeof(buf)), &value) == 0 ? value : absent;
}

/* A file of words, separated by spaces or commas. */
static char *read_words(struct arena *arena, const char *path)
{
	char buf[512];
	char *words = arena_strdup(arena, read_line(path, buf, sizeof(buf)));

	for (char *p = words; *p; p++)
		if (*p == ',')
			*p = ' ';
	return words;
}

static ssize_t read_proc(struct arena *arena, const char *path, char **text)
{
	fd_auto int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd_read_all(fd, arena, PROC_FILE_MAX, text);
}

/* ---- HOST_USER ---- */

static int in_user_namespace(bool *inside, struct err *err)
{
	struct stat st;

	*inside = false;
	if (stat("/proc/self/ns/user", &st) == 0)
		*inside = st.st_ino != INITIAL_USER_NAMESPACE;
	else if (access("/proc/self/ns", F_OK) < 0) /* not just a kernel without user namespaces */
		return err_sys(err, errno, "cannot read /proc/self/ns; /proc must be mounted");
	return 0;
}

static void gather_capabilities(struct host *host)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};

	if (syscall(SYS_capget, &header, data) < 0)
		return;
	host->capabilities.mask = data[0].permitted | (uint64_t)data[1].permitted << 32;
	host->cap_sys_admin = data[CAP_TO_INDEX(CAP_SYS_ADMIN)].effective & CAP_TO_MASK(CAP_SYS_ADMIN);
}

static int gather_user(struct host *host, struct err *err)
{
	host->euid = geteuid();
	host->egid = getegid();
	gather_capabilities(host);
	return in_user_namespace(&host->user_namespace, err);
}

/* ---- HOST_CGROUP ---- */

/* The mount table writes space, tab, newline and backslash as three octal digits. */
static void unescape(char *path)
{
	char *out = path;

	for (const char *in = path; *in; in++) {
		if (in[0] == '\\' && in[1] && in[2] && in[3]) {
			*out++ = (char)((in[1] - '0') << 6 | (in[2] - '0') << 3 | (in[3] - '0'));
			in += 3;
		} else {
			*out++ = *in;
		}
	}
	*out = '\0';
}

/* The mount point on this line of mountinfo when its filesystem is `wanted`, or NULL. The line is taken
 * apart.
 */
static char *mount_point_of(char *line, const char *wanted)
{
	char *type = strstr(line, " - ");
	char *mount_point = NULL;

	if (!type || !str_starts(type + 3, wanted) || type[3 + strlen(wanted)] != ' ')
		return NULL;
	strtok_r(line, " ", &mount_point); /* its id; then the parent's, the device, the root */
	for (int field = 1; field < 4; field++)
		strtok_r(NULL, " ", &mount_point);
	mount_point = strtok_r(NULL, " ", &mount_point);
	if (mount_point)
		unescape(mount_point);
	return mount_point;
}

static bool is_cgroup2(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC;
}

/* The first mount of that type which is not covered; the kernel has no other way to ask. */
static const char *find_mount(struct arena *arena, const char *type, bool (*is_visible)(const char *path))
{
	char *text, *rest = NULL;

	if (read_proc(arena, "/proc/self/mountinfo", &text) < 0)
		return NULL;
	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		char *mount_point = mount_point_of(line, type);
		if (mount_point && is_visible(mount_point))
			return mount_point;
	}
	return NULL;
}

static void gather_cgroup(struct host *host, struct arena *arena)
{
	if (is_cgroup2(CGROUP_MOUNT))
		host->cgroup_mount = CGROUP_MOUNT;
	else if (is_cgroup2(HYBRID_CGROUP_MOUNT))
		host->cgroup_mount = HYBRID_CGROUP_MOUNT;
	else
		host->cgroup_mount = find_mount(arena, "cgroup2", is_cgroup2);
}

/* ---- HOST_RDT ---- */

static bool is_resctrl(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && fs.f_type == RDTGROUP_SUPER_MAGIC;
}

/* ---- HOST_CONTROLLERS ---- */

/* Lines of /proc/self/cgroup: "4:cpu,cpuacct:/path" for cgroup v1, "1:name=systemd:/", "0::/path" for v2. */
static void read_own_cgroups(struct host *host, struct arena *arena)
{
	char words[512] = "";
	char *text, *rest = NULL;
	struct str_buf v1;

	host->cgroup_own = "/";
	host->v1_controllers = "";
	if (read_proc(arena, "/proc/self/cgroup", &text) < 0)
		return;
	str_buf_init(&v1, words, sizeof(words));
	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		char *names = strchr(line, ':');
		char *path = names ? strchr(names + 1, ':') : NULL;
		if (!path)
			continue;
		*path++ = '\0';
		if (*++names == '\0')
			host->cgroup_own = path;
		else if (!str_starts(names, "name="))
			str_buf_add(&v1, "%s%s", v1.length ? " " : "", names);
	}
	for (char *p = words; *p; p++)
		if (*p == ',')
			*p = ' ';
	host->v1_controllers = arena_strdup(arena, words);
}

static void gather_controllers(struct host *host, struct arena *arena)
{
	char path[4200] = "";

	if (host->cgroup_mount)
		snprintf(path, sizeof(path), "%s/cgroup.controllers", host->cgroup_mount);
	host->controllers = read_words(arena, path);
	read_own_cgroups(host, arena);
}

/* ---- for check and features ---- */

static void gather_kernel(struct host *host, struct arena *arena)
{
	struct utsname name;

	host->kernel_release = uname(&name) == 0 ? arena_strdup(arena, name.release) : "";
}

/* Without a policy SELinux takes every label and gives each process the same one, "kernel", which has no
 * parts. */
static bool selinux_has_no_policy(void)
{
	char label[256];

	return str_eq(read_line("/proc/self/attr/current", label, sizeof(label)), "kernel");
}

/* securityfs is often not mounted in a container or a small system; each LSM has a sign of its own, too. */
static void gather_lsm(struct host *host, struct arena *arena)
{
	char buf[8], words[64] = "";
	struct str_buf b;

	char *active = read_words(arena, "/sys/kernel/security/lsm");
	char *selinux = strstr(active, "selinux");
	if (selinux && selinux_has_no_policy())
		memset(selinux, ' ', strlen("selinux"));
	host->lsm = active;
	if (*active)
		return;
	str_buf_init(&b, words, sizeof(words));
	if (*read_line("/sys/module/apparmor/parameters/enabled", buf, sizeof(buf)) == 'Y')
		str_buf_add(&b, "apparmor ");
	if (access("/sys/fs/selinux/enforce", F_OK) == 0)
		str_buf_add(&b, "selinux");
	host->lsm = arena_strdup(arena, words);
}

static void gather_namespaces(struct host *host, struct arena *arena)
{
	static const char *const names[] = {"cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"};
	char words[64], path[64];
	struct str_buf b;

	str_buf_init(&b, words, sizeof(words));
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "/proc/self/ns/%s", names[i]);
		if (access(path, F_OK) == 0)
			str_buf_add(&b, "%s%s", b.length ? " " : "", names[i]);
	}
	host->namespaces = arena_strdup(arena, words);
	host->max_user_namespaces = read_number("/proc/sys/user/max_user_namespaces", 0);
	host->unprivileged_user_namespaces = read_number("/proc/sys/kernel/unprivileged_userns_clone", 1) !=
					     0;
	host->apparmor_restricts_namespaces =
		read_number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", 0) != 0;
}

/* A filter at address 0: EFAULT from a kernel that knows the flags, EINVAL from one that does not. */
static void gather_seccomp(struct host *host, struct arena *arena)
{
	static const struct {
		const char *name;
		unsigned flags;
	} probes[] = {
		{"TSYNC", SECCOMP_FILTER_FLAG_TSYNC},
		{"LOG", SECCOMP_FILTER_FLAG_LOG},
		{"SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW},
		{"WAIT_KILLABLE_RECV",
			SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV},
	};
	char words[64];
	struct str_buf b;

	host->seccomp_actions = read_words(arena, "/proc/sys/kernel/seccomp/actions_avail");
	str_buf_init(&b, words, sizeof(words));
	for (size_t i = 0; i < ARRAY_SIZE(probes); i++)
		if (sys_seccomp(SECCOMP_SET_MODE_FILTER, probes[i].flags, NULL) == -EFAULT)
			str_buf_add(&b, "%s%s", b.length ? " " : "", probes[i].name);
	host->seccomp_flags = arena_strdup(arena, words);
}

/* ---- */

int host_gather(struct host *host, struct arena *arena, unsigned subjects, struct err *err)
{
	if (subjects & HOST_CONTROLLERS)
		subjects |= HOST_CGROUP;
	subjects &= ~host->known;
	int r = subjects & HOST_USER ? gather_user(host, err) : 0;
	if (r < 0)
		return r;
	if (subjects & HOST_CGROUP)
		gather_cgroup(host, arena);
	if (subjects & HOST_CONTROLLERS)
		gather_controllers(host, arena);
	if (subjects & HOST_KERNEL)
		gather_kernel(host, arena);
	if (subjects & HOST_LSM)
		gather_lsm(host, arena);
	if (subjects & HOST_NAMESPACES)
		gather_namespaces(host, arena);
	if (subjects & HOST_SECCOMP)
		gather_seccomp(host, arena);
	if (subjects & HOST_RDT)
		host->resctrl_mount = is_resctrl(RESCTRL_MOUNT) ? RESCTRL_MOUNT
								: find_mount(arena, "resctrl", is_resctrl);
	host->known |= subjects;
	return 0;
}

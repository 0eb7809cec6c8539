/*
 * state.c - the file state.json, and the status that is computed from it and from the kernel.
 */
#include "libcontainer/state/state.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "base/sys.h"
#include "specs/writer.h"

static const struct spec_row state_rows[] = {
	ROW_STRING(state, "ociVersion", oci_version, .flags = SPEC_REQUIRED),
	ROW_STRING(state, "id", id, .flags = SPEC_REQUIRED),
	ROW_I32(state, "pid", pid, .flags = SPEC_REQUIRED | SPEC_ALWAYS, .min = 0, .max = INT32_MAX),
	ROW_U64(state, "pidStart", pid_start),
	ROW_STRING(state, "bundle", bundle, .flags = SPEC_REQUIRED),
	ROW_STRING(state, "rootfs", rootfs, .flags = SPEC_REQUIRED),
	ROW_STRING(state, "config", config),
	ROW_STRING(state, "created", created, .flags = SPEC_REQUIRED),
	ROW_U32(state, "owner", owner, .flags = SPEC_ALWAYS),
	ROW_STRING(state, "cgroupManager", cgroup_manager),
	ROW_STRING(state, "cgroupUnit", cgroup_unit),
	ROW_BOOL(state, "cgroupUserUnit", cgroup_user_unit),
	ROW_STRING(state, "cgroupMount", cgroup_mount),
	ROW_STRING(state, "cgroupPath", cgroup_path),
	ROW_U32(state, "cgroupMade", cgroup_made),
	ROW_STRING(state, "rdtGroup", rdt_group),
	ROW_STRING(state, "rdtMonitor", rdt_monitor),
	ROW_BOOL(state, "noNewKeyring", no_new_keyring),
	ROW_PAIRS(state, "annotations", annotations),
	ROW_OBJECT(state, "hooks", hooks, spec_hooks, &spec_hooks_table),
};

static const struct spec_table state_table = SPEC_TABLE("state", state, state_rows);

int state_write(struct arena *arena, int dirfd, const struct state *state, struct err *err)
{
	struct json_writer w;
	size_t length;

	json_writer_init(&w, arena, false);
	spec_write(&w, &state_table, state);
	const char *text = json_writer_text(&w, &length);
	int r = fd_replace_file(dirfd, STATE_FILE, text, length, 0600);
	if (r < 0)
		return err_sys(err, r, "cannot write " STATE_FILE " of container \"%s\"", state->id);
	return 0;
}

/* Teardown kills and removes what these paths name: they must not lead out of the cgroup filesystem. */
static int check_cgroup(const struct json_doc *doc, const struct state *s, struct err *err)
{
	const char *path = s->cgroup_path;

	if (!path && !s->cgroup_mount)
		return 0;
	if (!path || !s->cgroup_mount || path[0] != '/' || s->cgroup_mount[0] != '/')
		return json_err(err, doc, spec_at(doc, s->node, "cgroupPath"), EINVAL,
			"cgroupMount and cgroupPath come together and are absolute");
	for (const char *part = path; part; part = strchr(part + 1, '/'))
		if (str_starts(part, "/../") || str_eq(part, "/.."))
			return json_err(err, doc, spec_at(doc, s->node, "cgroupPath"), EINVAL,
				"\"..\" in a cgroup path");
	return 0;
}

/* Which container's it is: "ID/state.json". */
static int name_file(int dirfd, int r, struct err *err)
{
	char link[32], path[PATH_MAX];

	if (!err)
		return r;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", dirfd);
	ssize_t n = readlink(link, path, sizeof(path) - 1);
	const char *id = n > 0 ? memrchr(path, '/', (size_t)n) : NULL;
	if (id) {
		path[n] = '\0';
		snprintf(err->where.file, sizeof(err->where.file), "%.100s/" STATE_FILE, id + 1);
	}
	return r;
}

int state_read(struct arena *arena, int dirfd, struct state **state, struct err *err)
{
	const struct json_doc *doc = NULL;
	struct report report;
	fd_auto int fd = openat(dirfd, STATE_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);

	if (fd < 0 && errno == ENOENT) {
		err_set(err, ENOENT, "the container has no " STATE_FILE ": its creation was interrupted");
		return err_hint(err, "\"crt delete --force\" removes what is left of it");
	}
	if (fd < 0)
		return err_sys(err, errno, "cannot open " STATE_FILE);
	report_init(&report, arena);
	int r = json_read_fd(arena, fd, STATE_FILE, &report, &doc);
	struct state *s = r < 0 ? NULL : spec_decode(arena, doc, 0, &state_table, &report);
	r = report_first_error(&report, err);
	if (r == 0 && state_id_check(s->id, NULL) < 0)
		r = json_err(err, doc, spec_at(doc, s->node, "id"), EINVAL, "this is not a container id");
	if (r == 0)
		r = check_cgroup(doc, s, err);
	if (r < 0)
		return name_file(dirfd, r, err);
	*state = s;
	return 0;
}

/*
 * /proc/PID/stat: "PID (name) S ppid ..."; the name may hold anything, so count from its last ')'. *third is
 * the third field, in text.
 */
static int read_stat(pid_t pid, char *text, size_t size, const char **third)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	ssize_t n = fd_read_file(AT_FDCWD, path, text, size);
	if (n < 0)
		return n == -ENOENT ? -ESRCH : (int)n;
	const char *name_end = strrchr(text, ')');
	if (!name_end || name_end[1] != ' ')
		return -EIO;
	*third = name_end + 2;
	return **third == 'Z' || **third == 'X' ? -ESRCH : 0;
}

static int stat_number(const char *third, int field, uint64_t *value)
{
	for (int i = 3; i < field; i++) {
		third = strchr(third, ' ');
		if (!third)
			return -EIO;
		third++;
	}
	*value = 0;
	for (; *third >= '0' && *third <= '9'; third++)
		*value = *value * 10 + (uint64_t)(*third - '0');
	return 0;
}

int state_pid_start(pid_t pid, uint64_t *start)
{
	char text[2048];
	const char *third;
	uint64_t value = 0;

	int r = read_stat(pid, text, sizeof(text), &third);
	if (r == 0)
		r = stat_number(third, 22, &value);
	if (r == 0)
		*start = value;
	return r;
}

#define FIELD_FLAGS 9
#define PF_EXITING  0x4 /* include/linux/sched.h */

bool state_is_ending(const struct state *state)
{
	char text[2048];
	const char *third;
	uint64_t flags;

	int r = read_stat(state->pid, text, sizeof(text), &third);
	if (r == 0)
		r = stat_number(third, FIELD_FLAGS, &flags);
	return r == -ESRCH || (r == 0 && (flags & PF_EXITING));
}

static bool is_alive(const struct state *state)
{
	uint64_t start = 0;

	return state_pid_start(state->pid, &start) == 0 && start == state->pid_start;
}

int state_pidfd(const struct state *state)
{
	if (state->pid <= 0)
		return -ESRCH;
	fd_auto int fd = sys_pidfd_open(state->pid, 0);
	if (fd < 0)
		return fd;
	/* Checked after the pidfd was opened: from now on it cannot mean another process. */
	return is_alive(state) ? fd_take(&fd) : -ESRCH;
}

static bool is_frozen(const struct state *state)
{
	char path[PATH_MAX], text[256];

	if (!state->cgroup_path)
		return false;
	int n = snprintf(path, sizeof(path), "%s%s/cgroup.events", state->cgroup_mount, state->cgroup_path);
	if (n < 0 || (size_t)n >= sizeof(path))
		return false;
	return fd_read_file(AT_FDCWD, path, text, sizeof(text)) > 0 && strstr(text, "frozen 1");
}

/*
 * Does somebody else hold the lock? Tried on dirfd itself, so that the answer is right for a caller who holds
 * it, and kept: the caller's fd is closed soon, and unlocking would take his lock from him.
 */
static bool is_locked(int dirfd)
{
	return flock(dirfd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

static bool exists(int dirfd, const char *name)
{
	return faccessat(dirfd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

int state_knock(int dirfd, unsigned socket_flags)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	fd_auto int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | (int)socket_flags, 0);

	/* Through the directory's fd: its path may be longer than a socket's may. */
	snprintf(name.sun_path, sizeof(name.sun_path), "/proc/self/fd/%d/" STATE_SOCKET, dirfd);
	if (fd < 0 || connect(fd, (struct sockaddr *)&name, sizeof(name)) < 0)
		return -errno;
	return fd_take(&fd);
}

/*
 * The file outlives the listener when `start` was killed. A connection without a word is no start to init;
 * once it has heard one, it listens no more, and whoever sent it holds the lock until the program runs.
 */
static bool waits_for_start(int dirfd)
{
	fd_auto int fd = state_knock(dirfd, SOCK_NONBLOCK);

	return fd != -ECONNREFUSED || is_locked(dirfd);
}

static enum spec_status status_of(int dirfd, const struct state *state, bool ask_init)
{
	if (!state || state->pid == 0)
		return is_locked(dirfd) ? SPEC_STATUS_CREATING : SPEC_STATUS_STOPPED;
	if (!is_alive(state))
		return SPEC_STATUS_STOPPED;
	if (is_frozen(state))
		return SPEC_STATUS_PAUSED;
	if (!exists(dirfd, STATE_CONFIG)) /* it comes last */
		return SPEC_STATUS_CREATING;
	if (exists(dirfd, STATE_SOCKET) && (!ask_init || waits_for_start(dirfd)))
		return SPEC_STATUS_CREATED;
	return SPEC_STATUS_RUNNING;
}

enum spec_status state_status(int dirfd, const struct state *state)
{
	return status_of(dirfd, state, true);
}

enum spec_status state_status_for_start(int dirfd, const struct state *state)
{
	return status_of(dirfd, state, false);
}

/* By hand: gmtime_r would read the time zone's file. Days to a date: Euclidean division, years begin in
 * March. */
void state_timestamp(char buf[STATE_TIME_SIZE])
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	uint64_t seconds = (uint64_t)now.tv_sec % 86400;
	uint64_t day = (uint64_t)now.tv_sec / 86400 + 719468; /* since 1 March of the year 0 */
	uint64_t era_day = day % 146097;
	uint64_t era_year = (era_day - era_day / 1460 + era_day / 36524 - era_day / 146096) / 365;
	uint64_t year_day = era_day - (365 * era_year + era_year / 4 - era_year / 100);
	uint64_t month = (5 * year_day + 2) / 153;
	uint64_t month_day = year_day - (153 * month + 2) / 5 + 1;
	uint64_t year = day / 146097 * 400 + era_year + (month >= 10);
	snprintf(buf, STATE_TIME_SIZE, "%04u-%02u-%02uT%02u:%02u:%02u.%09uZ", (unsigned)year,
		(unsigned)(month < 10 ? month + 3 : month - 9), (unsigned)month_day,
		(unsigned)(seconds / 3600), (unsigned)(seconds / 60 % 60), (unsigned)(seconds % 60),
		(unsigned)now.tv_nsec);
}

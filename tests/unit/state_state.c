/*
 * state_state.c - state.json: what is written is read again, what is broken is named; and the status.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "libcontainer/state/state.h"

static char top[64];
static int dirfd = -1;
static struct arena arena;
static struct err error;

static void set_up(void)
{
	snprintf(top, sizeof(top), "%s", "/tmp/crt-state-XXXXXX");
	cr_assert(mkdtemp(top));
	dirfd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_geq(dirfd, 0);
	cr_assert_eq(arena_init(&arena, &error), 0);
}

static void tear_down(void)
{
	char command[100];

	arena_free(&arena);
	close(dirfd);
	snprintf(command, sizeof(command), "rm -rf %s", top);
	cr_assert_eq(system(command), 0);
}

TestSuite(state_state, .init = set_up, .fini = tear_down);

static struct state sample(void)
{
	return (struct state){
		.oci_version = "1.3.0",
		.id = "c1",
		.bundle = "/b \"x\"",
		.rootfs = "/b/rootfs",
		.created = "2024-02-29T12:00:00.000000001Z",
	};
}

Test(state_state, round_trip)
{
	struct spec_pair annotations[] = {{.key = "a", .value = "1"}, {.key = "b/c", .value = ""}};
	const char *args[] = {"hook", "stop"};
	struct spec_hook hook = {.path = "/bin/hook", .args = args, .args_count = 2};
	struct spec_hooks hooks = {.poststop = &hook, .poststop_count = 1};
	struct state s = sample(), *read = NULL;

	s.pid = 12345;
	s.pid_start = UINT64_MAX;
	s.owner = 4294967294u;
	s.config = "/etc/x.json";
	s.cgroup_mount = "/sys/fs/cgroup";
	s.cgroup_path = "/crt/c1";
	s.cgroup_made = 2;
	s.no_new_keyring = true;
	s.annotations = annotations;
	s.annotations_count = 2;
	s.hooks = &hooks;
	cr_assert_eq(state_write(&arena, dirfd, &s, &error), 0, "%s", error.message);
	cr_assert_eq(state_read(&arena, dirfd, &read, &error), 0, "%s", error.message);
	cr_expect_str_eq(read->id, "c1");
	cr_expect_str_eq(read->oci_version, "1.3.0");
	cr_expect_eq(read->pid, 12345);
	cr_expect_eq(read->pid_start, UINT64_MAX);
	cr_expect_str_eq(read->bundle, "/b \"x\"");
	cr_expect_str_eq(read->rootfs, "/b/rootfs");
	cr_expect_str_eq(read->config, "/etc/x.json");
	cr_expect_str_eq(read->created, s.created);
	cr_expect_eq(read->owner, 4294967294u);
	cr_expect_str_eq(read->cgroup_mount, "/sys/fs/cgroup");
	cr_expect_str_eq(read->cgroup_path, "/crt/c1");
	cr_expect_eq(read->cgroup_made, 2);
	cr_expect(read->no_new_keyring);
	cr_assert_eq(read->annotations_count, 2);
	cr_expect_str_eq(read->annotations[1].key, "b/c");
	cr_expect_str_eq(read->annotations[1].value, "");
	cr_assert(read->hooks && read->hooks->poststop_count == 1);
	cr_expect_eq(read->hooks->poststart_count, 0);
	cr_expect_str_eq(read->hooks->poststop[0].args[1], "stop");
}

Test(state_state, nothing_is_left_of_what_was_not_there)
{
	struct state s = sample(), *read = NULL;

	cr_assert_eq(state_write(&arena, dirfd, &s, &error), 0, "%s", error.message);
	cr_assert_eq(state_read(&arena, dirfd, &read, &error), 0, "%s", error.message);
	cr_expect_null(read->cgroup_path);
	cr_expect_null(read->hooks);
	cr_expect_eq(read->pid, 0);
	cr_expect_eq(read->owner, 0);
}

Test(state_state, broken_files_are_named)
{
#define REST "\"ociVersion\":\"1.3.0\",\"id\":\"c1\",\"bundle\":\"/b\",\"rootfs\":\"/r\",\"created\":\"now\""
	static const struct {
		const char *text, *message;
		unsigned line;
	} cases[] = {
		{"", NULL, 1},
		{"{\"id\":\"c1\",\n\"pid\":", NULL, 2},
		{"[]", NULL, 1},
		{"{" REST "}", "pid", 1},
		{"{\"ociVersion\":\"1.3.0\",\n\"id\":\"../x\",\"bundle\":\"/b\",\"rootfs\":\"/"
		 "r\",\"created\":\"n\",\"pid\":0}",
			"not a container id", 2},
		{"{" REST ",\n\"pid\":-1}", NULL, 2},
		{"{" REST ",\n\"pid\":99999999999}", NULL, 2},
		{"{" REST ",\"pid\":1,\n\"pidStart\":\"x\"}", NULL, 2},
		{"{" REST ",\"pid\":1,\"cgroupMount\":\"/m\",\n\"cgroupPath\":\"/../x\"}", "\"..\"", 2},
		{"{" REST ",\"pid\":1,\"cgroupMount\":\"/m\",\n\"cgroupPath\":\"/x/..\"}", "\"..\"", 2},
		{"{" REST ",\"pid\":1,\"cgroupMount\":\"/m\",\n\"cgroupPath\":\"x\"}", "absolute", 2},
		{"{" REST ",\"pid\":1,\n\"cgroupPath\":\"/x\"}", "together", 2},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct state *read = NULL;
		error = (struct err){0};
		fd_replace_file(dirfd, "state.json", cases[i].text, strlen(cases[i].text), 0600);
		cr_expect_lt(state_read(&arena, dirfd, &read, &error), 0, "%zu: %s", i, cases[i].text);
		cr_expect_null(read);
		cr_expect(strstr(error.where.file, "/state.json"));
		cr_expect_eq(error.where.line, cases[i].line, "%zu: line %u: %s", i, error.where.line,
			error.message);
		if (cases[i].message)
			cr_expect(strstr(error.message, cases[i].message), "%zu: %s", i, error.message);
	}
}

Test(state_state, a_missing_file_says_what_happened)
{
	struct state *read = NULL;

	cr_expect_eq(state_read(&arena, dirfd, &read, &error), -ENOENT);
	cr_expect(strstr(error.message, "creation was interrupted"), "%s", error.message);
	cr_expect_eq(symlinkat("/etc/passwd", dirfd, "state.json"), 0);
	cr_expect_eq(state_read(&arena, dirfd, &read, &error), -ELOOP);
}

static pid_t sleeper(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		pause();
		_exit(0);
	}
	return pid;
}

Test(state_state, status_of_a_process)
{
	struct state s = sample();

	s.pid = sleeper();
	cr_assert_eq(state_pid_start(s.pid, &s.pid_start), 0);
	cr_expect_eq(state_status(dirfd, &s), SPEC_STATUS_CREATING, "the document comes last");
	fd_replace_file(dirfd, STATE_CONFIG, "{}", 2, 0600);
	cr_expect_eq(state_status(dirfd, &s), SPEC_STATUS_RUNNING);

	fd_auto int pidfd = state_pidfd(&s);
	cr_expect_geq(pidfd, 0);

	s.pid_start++; /* the pid belongs to somebody else now */
	cr_expect_eq(state_status(dirfd, &s), SPEC_STATUS_STOPPED);
	cr_expect_eq(state_pidfd(&s), -ESRCH);
	s.pid_start--;

	siginfo_t info;
	kill(s.pid, SIGKILL);
	waitid(P_PID, (id_t)s.pid, &info, WEXITED | WNOWAIT);
	cr_expect_eq(state_status(dirfd, &s), SPEC_STATUS_STOPPED, "a zombie has stopped");
	cr_expect_eq(state_pidfd(&s), -ESRCH);
	waitpid(s.pid, NULL, 0);
	cr_expect_eq(state_status(dirfd, &s), SPEC_STATUS_STOPPED);
}

/* The file alone says nothing: a start that was killed has left it. */
Test(state_state, status_by_who_listens)
{
	fd_auto int starter = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fd_auto int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	struct state s = sample();

	s.pid = getpid();
	cr_assert_eq(state_pid_start(s.pid, &s.pid_start), 0);
	fd_replace_file(dirfd, STATE_CONFIG, "{}", 2, 0600);
	snprintf(name.sun_path, sizeof(name.sun_path), "%s/" STATE_SOCKET, top);
	cr_assert_eq(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	cr_assert_eq(listen(fd, 1), 0);
	cr_expect_eq(state_status(dirfd, &s), SPEC_STATUS_CREATED);
	for (int i = 0; i < 3; i++) /* more than it will queue */
		cr_expect_eq(state_status(dirfd, &s), SPEC_STATUS_CREATED);
	fd_close(&fd);
	cr_assert_eq(flock(starter, LOCK_EX), 0);
	cr_expect_eq(state_status(dirfd, &s), SPEC_STATUS_CREATED, "somebody starts it");
	cr_expect_eq(state_status_for_start(starter, &s), SPEC_STATUS_CREATED);
	fd_close(&starter);
	cr_expect_eq(state_status(dirfd, &s), SPEC_STATUS_RUNNING);
	cr_expect_eq(state_knock(dirfd, 0), -ECONNREFUSED);
	unlinkat(dirfd, STATE_SOCKET, 0);
	cr_expect_eq(state_knock(dirfd, 0), -ENOENT);
}

Test(state_state, status_of_a_frozen_cgroup)
{
	struct state s = sample();

	s.pid = getpid();
	cr_assert_eq(state_pid_start(s.pid, &s.pid_start), 0);
	s.cgroup_mount = top;
	s.cgroup_path = "";
	fd_replace_file(dirfd, STATE_CONFIG, "{}", 2, 0600);
	fd_replace_file(dirfd, "cgroup.events", "populated 1\nfrozen 1\n", 21, 0600);
	cr_expect_eq(state_status(dirfd, &s), SPEC_STATUS_PAUSED);
	fd_replace_file(dirfd, "cgroup.events", "populated 1\nfrozen 0\n", 21, 0600);
	cr_expect_eq(state_status(dirfd, &s), SPEC_STATUS_RUNNING);
}

Test(state_state, status_without_a_process_is_the_lock)
{
	fd_auto int creator = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct state s = sample();

	cr_expect_eq(state_status(dirfd, &s), SPEC_STATUS_STOPPED);
	flock(dirfd, LOCK_UN);
	cr_assert_eq(flock(creator, LOCK_EX), 0);
	cr_expect_eq(state_status(dirfd, &s), SPEC_STATUS_CREATING);
	cr_expect_eq(state_status(dirfd, NULL), SPEC_STATUS_CREATING);
	cr_expect_eq(state_status(creator, &s), SPEC_STATUS_STOPPED,
		"the one who holds the lock knows that nobody creates");
	cr_expect_eq(flock(dirfd, LOCK_EX | LOCK_NB), -1, "asking must not take the lock from its holder");
}

Test(state_state, start_time_survives_odd_names)
{
	uint64_t start = 0, again = 0;
	fd_auto int comm = open("/proc/self/comm", O_WRONLY | O_CLOEXEC);

	cr_assert_eq(state_pid_start(getpid(), &start), 0);
	cr_assert_gt(start, 0);
	cr_assert_eq(fd_write(comm, ") Z 1 (x", 8), 0);
	cr_assert_eq(state_pid_start(getpid(), &again), 0);
	cr_expect_eq(start, again);
	cr_expect_eq(state_pid_start(INT32_MAX, &again), -ESRCH);
}

Test(state_state, timestamp)
{
	char text[STATE_TIME_SIZE];
	struct tm tm = {0};
	time_t before = time(NULL);

	state_timestamp(text);
	cr_assert_eq(strlen(text), strlen("2006-01-02T15:04:05.999999999Z"));
	cr_assert(strptime(text, "%Y-%m-%dT%H:%M:%S", &tm));
	cr_expect(timegm(&tm) >= before && timegm(&tm) <= before + 2, "%s", text);
}

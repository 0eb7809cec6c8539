/*
 * ids.c - who is who in a user namespace: init's mapping, and those lent to mounts.
 *
 * A user without privileges maps ids that are not his own through newuidmap and newgidmap, which know from
 * /etc/subuid and /etc/subgid what he may have. They are setuid programs of the host, and are looked for in
 * the host's directories for programs only, never in $PATH.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child.h"
#include "base/fd.h"
#include "base/str.h"
#include "base/sys.h"
#include "libcontainer/run/create.h"

#define HELPER_TIMEOUT_MS 30000 /* they may ask a directory service for the user's ranges */

struct id_kind {
	const char *helper, *file, *ranges, *option;
};

static const struct id_kind uids = {"newuidmap", "uid_map", "/etc/subuid", "--add-subuids"};
static const struct id_kind gids = {"newgidmap", "gid_map", "/etc/subgid", "--add-subgids"};

static const char *find_helper(const char *name, char *path, size_t size)
{
	static const char *const directories[] = {"/usr/bin", "/bin", "/usr/local/bin", "/usr/sbin", "/sbin",
		"/run/wrappers/bin"}; /* the last one is NixOS's */

	for (size_t i = 0; i < ARRAY_SIZE(directories); i++) {
		snprintf(path, size, "%s/%s", directories[i], name);
		if (access(path, X_OK) == 0)
			return path;
	}
	return NULL;
}

/* NAME PID INSIDE OUTSIDE SIZE...: the same numbers as in the map's lines, a word each. */
static char **helper_words(struct arena *arena, const char *name, pid_t pid, const char *map)
{
	size_t count = 3, n = 2;

	for (const char *s = map; *s; s++)
		count += *s == ' ' || *s == '\n';
	char **words = arena_array(arena, char *, count + 1);
	words[0] = (char *)name;
	words[1] = arena_printf(arena, "%d", (int)pid);
	for (size_t length; *map; map += length + strspn(map + length, " \n")) {
		length = strcspn(map, " \n");
		words[n++] = arena_memdup(arena, map, length);
	}
	return words;
}

static int by_helper(struct run *run, const struct plan_op *op, const struct id_kind *kind, const char *map,
	struct err *err)
{
	static char *const no_environment[] = {NULL};
	struct child_result result;
	char path[64], detail[700];

	struct child_program program = {
		.path = find_helper(kind->helper, path, sizeof(path)),
		.argv = helper_words(run->arena, kind->helper, run->pid, map),
		.envp = no_environment,
		.timeout_ms = HELPER_TIMEOUT_MS,
	};
	if (!program.path) {
		snprintf(detail, sizeof(detail), "the program %s is needed and not installed", kind->helper);
		run_op_error(run, op, ENOENT, detail, err);
		return err_hint(err, "it is in the package uidmap (Debian) or shadow-utils (Fedora)");
	}
	int r = child_run(&program, &result);
	if (r < 0) {
		snprintf(detail, sizeof(detail), "running %s", program.path);
		return run_op_error(run, op, r, detail, err);
	}
	if (!result.timed_out && WIFEXITED(result.status) && WEXITSTATUS(result.status) == 0)
		return 0;
	result.output[strcspn(result.output, "\n")] = '\0';
	snprintf(detail, sizeof(detail), "%s failed%s%s", program.path,
		result.timed_out ? ": it took too long"
		: *result.output ? ": "
				 : "",
		result.timed_out ? "" : result.output);
	run_op_error(run, op, EPERM, detail, err);
	return err_hint(err, "%s must give these ids to this user: usermod %s FIRST-LAST USER", kind->ranges,
		kind->option);
}

static int map_init(struct run *run, const struct plan_op *op, const struct id_kind *kind, const char *map,
	bool helper, struct err *err)
{
	char detail[32];

	if (helper)
		return by_helper(run, op, kind, map, err);
	snprintf(detail, sizeof(detail), "writing %s", kind->file);
	int r = run_write_proc(run->pid, kind->file, map);
	return r < 0 ? run_op_error(run, op, r, detail, err) : 0;
}

int run_map_ids(struct run *run, const struct plan_op *op, struct err *err)
{
	int r = op->map_ids.deny_setgroups ? run_write_proc(run->pid, "setgroups", "deny") : 0;

	if (r < 0)
		return run_op_error(run, op, r, "writing setgroups", err);
	r = map_init(run, op, &uids, op->map_ids.uid_map, op->map_ids.uid_helper, err);
	return r < 0 ? r : map_init(run, op, &gids, op->map_ids.gid_map, op->map_ids.gid_helper, err);
}

/* ---- for mounts ---- */

static int open_mapped(pid_t pid, const struct plan_op *op, int *ret_fd, const char **what)
{
	char path[64];

	*what = "writing uid_map";
	int r = run_write_proc(pid, uids.file, op->make_id_mapping.uid_map);
	if (r < 0)
		return r;
	*what = "writing gid_map";
	r = run_write_proc(pid, gids.file, op->make_id_mapping.gid_map);
	if (r < 0)
		return r;
	*what = "opening it";
	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
	*ret_fd = open(path, O_RDONLY | O_CLOEXEC);
	return *ret_fd < 0 ? -errno : 0;
}

/* Whoever makes it is gone as soon as we hold it: the kernel wants the mapping, nobody has to live there. */
int run_make_id_mapping(struct run *run, const struct plan_op *op, struct err *err)
{
	/* No signal at its end: this may be a library's process, with a handler for SIGCHLD. */
	struct clone_args args = {.flags = CLONE_NEWUSER};
	const char *what = "";
	pid_t parent = getpid();

	pid_t pid = sys_clone3(&args);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		while (getppid() == parent)
			pause();
		_exit(0);
	}
	if (pid < 0) {
		run_op_error(run, op, pid, what, err);
		host_explain_namespaces(-1, CLONE_NEWUSER, pid, err);
		return pid;
	}
	int r = open_mapped(pid, op, &run->plan->fds[op->make_id_mapping.slot], &what);
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, __WALL) < 0 && errno == EINTR)
		;
	return r < 0 ? run_op_error(run, op, r, what, err) : 0;
}

/*
 * systemd.c - see systemd.h; and how a container comes into a unit.
 *
 * systemd makes a scope only around a process that is there already. That is the starter: a copy of this
 * process, made when all is prepared for the clone, that does nothing but wait and then clone init. systemd
 * moves it into the unit, we move it on into the container's cgroup below, and so init is born there, also
 * for a user who may not move processes from a login session to his service manager's units. When init is
 * there, the starter goes; when it goes before, systemd finds the unit empty and removes it.
 */
#include "libcontainer/run/systemd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/fd.h"
#include "base/libexec.h"
#include "base/str.h"
#include "libcontainer/cgroup/cgroup.h"
#include "libcontainer/cgroup/unit.h"
#include "libcontainer/run/create.h"
#include "specs/json.h"

#define PROGRAM  "crt-systemd"
#define START_MS 30000 /* many containers at once keep systemd busy */
#define GRACE_MS 1000  /* for the helper to say itself that it is late */

/* Exit codes of src/libexec/systemd.c. */
static const struct {
	int exit_code, errnum;
} failures[] = {{1, EIO}, {2, ECONNREFUSED}, {3, EEXIST}, {4, ETIMEDOUT}};

static int explain(const struct systemd_request *q, int errnum, const char *words, struct err *err)
{
	err_set(err, errnum, "cannot %s the unit %s: %s", str_eq(q->verb, "set") ? "change" : q->verb,
		q->unit, words);
	if (errnum == ECONNREFUSED && q->user)
		return err_hint(err,
			"a user's service manager runs while he is logged in, or with \"loginctl "
			"enable-linger\"; or use --cgroup-manager cgroupfs");
	if (errnum == ECONNREFUSED)
		return err_hint(err, "is this machine run by systemd? else use --cgroup-manager cgroupfs");
	if (errnum == EEXIST)
		return err_hint(err, "another container or service has that name; choose another "
				     "linux.cgroupsPath");
	return -errnum;
}

static int no_program(int r, struct err *err)
{
	err_sys(err, r, "cannot run " PROGRAM ", which talks to systemd");
	return err_hint(err,
		"it comes with crt where libsystemd is: make install puts it into the libexec folder; "
		"or use --cgroup-manager cgroupfs");
}

/* Whom to ask: the system's service manager, or the user's, by the folder of its sockets. */
static int find_manager(const struct systemd_request *q, const char **manager, struct err *err)
{
	*manager = q->user ? secure_getenv("XDG_RUNTIME_DIR") : "system";
	if (*manager && (!q->user || **manager == '/'))
		return 0;
	err_set(err, ECONNREFUSED, "cannot %s the unit %s: $XDG_RUNTIME_DIR is not set", q->verb, q->unit);
	return err_hint(err, "log in through a session manager, or use --cgroup-manager cgroupfs");
}

int systemd_request(const struct systemd_request *q, struct err *err)
{
	struct child_result result;
	const char *manager;
	char timeout[16];

	int r = find_manager(q, &manager, err);
	if (r < 0)
		return r;
	snprintf(timeout, sizeof(timeout), "%d", q->timeout_ms);
	const char *argv[] = {PROGRAM, manager, q->verb, q->unit, timeout, NULL};
	r = libexec_run(PROGRAM, (char *const *)argv, q->properties, q->timeout_ms + GRACE_MS, &result);
	if (r < 0)
		return no_program(r, err);
	if (WIFEXITED(result.status) && WEXITSTATUS(result.status) == 0)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(failures); i++)
		if (WIFEXITED(result.status) && WEXITSTATUS(result.status) == failures[i].exit_code)
			return explain(q, failures[i].errnum, result.output, err);
	return explain(q, result.timed_out ? ETIMEDOUT : EIO,
		result.timed_out ? "systemd does not answer" : result.output, err);
}

/* ---- the unit of a container ---- */

/* Where systemd has put the starter; its path ends with the unit's name. */
static int find_cgroup(struct run *run, const struct cg_unit *unit, const char **path, struct err *err)
{
	const char *found = NULL;
	size_t n = strlen(unit->name);

	int r = cg_of(run->starter_pid, run->arena, &found);
	if (r < 0)
		return err_sys(err, r, "cannot read /proc/%d/cgroup", (int)run->starter_pid);
	size_t m = strlen(found);
	if (m <= n || found[m - n - 1] != '/' || !str_eq(found + m - n, unit->name))
		return err_set(err, EPROTO,
			"systemd has started %s, but the process in it is in the cgroup %s", unit->name,
			found);
	*path = *unit->below ? arena_printf(run->arena, "%s/%s", found, unit->below) : found;
	return (int)m;
}

/* What is there may be somebody else's unit: the undoing must not touch it. */
static int forget_unit(struct run *run, int r)
{
	run->state.cgroup_mount = run->state.cgroup_path = run->state.cgroup_unit = NULL;
	run_end_starter(run);
	return r;
}

int run_start_unit(struct run *run, const struct plan_op *op, struct err *err)
{
	const struct cg_unit *unit = op->start_unit.unit;
	const char *path = NULL;

	int r = run_begin_starter(run, err);
	if (r < 0)
		return forget_unit(run, r);
	const struct systemd_request request = {.verb = "start",
		.unit = unit->name,
		.user = unit->user,
		.properties = arena_printf(
			run->arena, "%sPIDs\tau\t%d\n", unit->properties, (int)run->starter_pid),
		.timeout_ms = START_MS};
	r = systemd_request(&request, err);
	if (r < 0) {
		if (err && op->node)
			json_where(run->plan->doc, op->node, &err->where);
		return forget_unit(run, r);
	}
	int given = find_cgroup(run, unit, &path, err);
	if (given < 0)
		return forget_unit(run, given);
	run->plan->cgroup_path = run->state.cgroup_path = path;
	run->state.cgroup_made = *unit->below ? 1 : 0;
	run->cgroup_fd = cg_enter(run->state.cgroup_mount, path, (size_t)given, op->start_unit.controllers,
		run->starter_pid, err);
	return run->cgroup_fd < 0 ? run->cgroup_fd : 0;
}

/*
 * exec.c - see exec.h.
 *
 * What the process is like stands in the copy of config.json that create has left with the state ("any
 * updates to config.json after this step MUST NOT affect the container"), or in a document of the caller's,
 * or is that with changes from the command line.
 */
#include "libcontainer/run/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "base/sys.h"
#include "libcontainer/cgroup/cgroup.h"
#include "libcontainer/public.h"
#include "libcontainer/run/foreground.h"
#include "libcontainer/run/protect.h"
#include "libcontainer/run/timing.h"
#include "specs/json.h"

int run_find(struct run *run, const struct crt_context *context, const char *id, const char *what,
	enum spec_status *status, struct err *err)
{
	struct state *state = NULL;

	run->dir_fd = state_find(context->root, id, STATE_OWN, &run->root_fd, err);
	if (run->dir_fd < 0)
		return run->dir_fd;
	int r = state_read(run->arena, run->dir_fd, &state, err);
	if (r < 0)
		return r;
	run->state = *state;
	/* As state_pidfd(): it is the container's if state_status() finds init alive after it was opened. */
	run->container_fd = sys_pidfd_open(state->pid, 0);
	*status = state_status(run->dir_fd, state);
	if (*status == SPEC_STATUS_STOPPED || *status == SPEC_STATUS_CREATING || run->container_fd < 0)
		return err_set(err, ESRCH, "cannot %s container \"%s\", which is %s", what, id,
			spec_status_name(run->container_fd < 0 ? SPEC_STATUS_STOPPED : *status));
	return 0;
}

static int find_container(struct run *run, const struct crt_context *context, const char *id,
	bool ignore_paused, struct err *err)
{
	enum spec_status status;

	int r = run_find(run, context, id, "exec in", &status, err);
	run->paused = r == 0 && status == SPEC_STATUS_PAUSED;
	if (!run->paused || ignore_paused)
		return r;
	err_set(err, EBUSY, "cannot exec in container \"%s\", which is paused", id);
	return err_hint(err, "resume it, or say --ignore-paused and wait for who resumes it");
}

/* The strings of both lists; a variable of the second replaces that of the first. */
static const char **merged_env(struct arena *arena, const char *const *base, size_t base_count,
	const char *const *more, size_t more_count, size_t *count)
{
	const char **list = arena_array(arena, const char *, base_count + more_count + 1);
	size_t n = 0;

	for (size_t i = 0; i < base_count + more_count; i++) {
		const char *entry = i < base_count ? base[i] : more[i - base_count];
		size_t name = strcspn(entry, "=") + 1, k = 0;
		while (k < n && strncmp(list[k], entry, name) != 0)
			k++;
		list[k] = entry;
		n += k == n;
	}
	*count = n;
	return list;
}

/* "UID" or "UID:GID", or names of the container's /etc/passwd and /etc/group: then for init to look up. */
static int read_user(struct run *run, const char *text, struct spec_user *user, struct err *err)
{
	const char *colon = strchr(text, ':');
	const char *name = colon ? arena_memdup(run->arena, text, (size_t)(colon - text)) : text;
	const char *group = colon ? colon + 1 : NULL;
	uint64_t id;

	if (!*name || (group && !*group))
		return err_set(err, EINVAL, "--user %s: neither UID[:GID] nor NAME[:GROUP]", text);
	user->gid = 0;
	if (str_to_u64(name, &id) == 0 && id < UINT32_MAX)
		user->uid = (uint32_t)id;
	else if (strspn(name, "0123456789+-") == strlen(name))
		return err_set(err, ERANGE, "--user %s: not a user id from 0 to 4294967294", text);
	else
		run->exec_user = name;
	if (group && str_to_u64(group, &id) == 0 && id < UINT32_MAX)
		user->gid = (uint32_t)id;
	else if (group && strspn(group, "0123456789+-") == strlen(group))
		return err_set(err, ERANGE, "--user %s: not a group id from 0 to 4294967294", text);
	else
		run->exec_group = group;
	return 0;
}

static int add_capabilities(
	struct run *run, const struct crt_exec_options *options, struct spec_process *p, struct err *err)
{
	struct spec_capabilities *caps = arena_new(run->arena, struct spec_capabilities);
	uint64_t mask = 0;

	for (size_t i = 0; i < options->caps_count; i++) {
		int number = spec_capability_number(options->caps[i]);
		if (number < 0)
			return err_set(err, EINVAL, "--cap %s: no such capability", options->caps[i]);
		mask |= (uint64_t)1 << number;
	}
	if (p->capabilities)
		*caps = *p->capabilities;
	/* Never inheritable, and so never ambient: CVE-2022-29162. */
	struct spec_set *sets[] = {&caps->bounding, &caps->effective, &caps->permitted};
	for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
		sets[i]->mask |= mask;
		sets[i]->set = true;
	}
	p->capabilities = caps;
	return 0;
}

/* The container's own process, changed by the command line. */
static int change_process(
	struct run *run, const struct crt_exec_options *options, struct spec_process *p, struct err *err)
{
	p->terminal = options->tty;
	p->console_size = NULL;
	p->args = (const char **)options->args;
	p->args_count = options->args_count;
	p->env = merged_env(
		run->arena, p->env, p->env_count, options->env, options->env_count, &p->env_count);
	if (options->cwd)
		p->cwd = options->cwd;
	if (p->cwd[0] != '/')
		return err_set(err, EINVAL, "--cwd %s: the path must be absolute", p->cwd);
	struct spec_user *user = arena_new(run->arena, struct spec_user);
	*user = *p->user;
	p->user = user;
	int r = options->user ? read_user(run, options->user, user, err) : 0;
	if (options->additional_gids_count) {
		user->additional_gids = (uint32_t *)options->additional_gids;
		user->additional_gids_count = options->additional_gids_count;
	}
	if (r == 0 && options->caps_count)
		r = add_capabilities(run, options, p, err);
	p->no_new_privileges |= options->no_new_privs;
	if (options->apparmor)
		p->apparmor_profile = options->apparmor;
	if (options->process_label)
		p->selinux_label = options->process_label;
	return r;
}

static int read_process(struct run *run, const struct crt_exec_options *options, const struct json_doc **doc,
	const struct spec_process **process, struct err *err)
{
	if (options->process) {
		int r = spec_process_read(
			run->arena, AT_FDCWD, options->process, options->process, &run->report, doc, process);
		return r < 0 ? public_first_error(&run->report, err) : 0;
	}
	struct spec_process *p = arena_new(run->arena, struct spec_process);
	if (!run->config->process)
		return err_set(
			err, EINVAL, "the container's config.json has no process; give one with --process");
	*p = *run->config->process;
	*process = p;
	*doc = run->config->doc;
	return change_process(run, options, p, err);
}

/* What the command line said has no place in the document. */
static void forget_places(struct run *run, const struct crt_exec_options *options)
{
	if (options->process || !run->plan)
		return;
	plan_for_each_op (run->plan, op) {
		bool is_program = op->kind == OP_FIND_PROGRAM || op->kind == OP_EXECUTE;
		bool is_label = op->kind == OP_LABEL && (options->apparmor || options->process_label);
		if (is_program || is_label || (op->kind == OP_CHANGE_DIRECTORY && options->cwd) ||
			(op->kind == OP_USER && options->user) || op->kind == OP_OPEN_CONSOLE)
			op->node = 0;
	}
}

/* Below the container's own, whatever the path says: a name that only begins like it is another one's. */
static int choose_cgroup(struct run *run, const char *below, const char **path, struct err *err)
{
	const char *delegate = run->config->known.delegate_cgroup, *problem;
	char clean[PATH_MAX];

	*path = run->state.cgroup_path;
	if (!below && *path && delegate) /* its own hands down controllers, and takes in nobody */
		delegate = cg_path_below(run->arena, delegate, &problem);
	if (!below && *path && delegate)
		*path = arena_printf(run->arena, "%s%s", *path, delegate);
	if (!below)
		return 0;
	if (!*path)
		return err_set(err, EINVAL, "--cgroup %s: the container has no cgroup of its own", below);
	for (const char *part = below; *part; part += strcspn(part, "/"), part += strspn(part, "/"))
		if (strcspn(part, "/") == 2 && part[0] == '.' && part[1] == '.')
			return err_set(err, EINVAL,
				"--cgroup %s: \"..\" would lead out of the container's cgroup", below);
	if (path_clean(below, clean, sizeof(clean)) < 0)
		return err_set(err, ENAMETOOLONG, "--cgroup: the path is too long");
	if (clean[1])
		*path = arena_printf(run->arena, "%s%s", *path, clean);
	return 0;
}

static int compile(struct run *run, const struct crt_context *context, const struct crt_exec_options *options,
	struct err *err)
{
	const struct json_doc *doc = NULL;
	const struct spec_process *process = NULL;
	struct plan_exec_options exec = {.pid = run->state.pid, .cgroup_mount = run->state.cgroup_mount};
	struct plan_options plan_options = {
		.id = run->state.id,
		.bundle = run->state.bundle,
		.preserve_fds = options->preserve_fds,
		.console_socket = options->console_socket,
		.no_new_keyring = run->state.no_new_keyring,
		.foreground = run->mode == RUN_FOREGROUND,
	};

	int r = spec_config_read(
		run->arena, run->dir_fd, STATE_CONFIG, "config.json", &run->report, &run->config);
	if (r < 0)
		return public_first_error(&run->report, err);
	r = read_process(run, options, &doc, &process, err);
	if (r == 0)
		r = host_gather(&run->host, run->arena,
			HOST_USER | (plan_needs_lsm(run->config, process) ? HOST_LSM : 0) |
				(run->config->linux_->intel_rdt ? HOST_RDT : 0),
			err);
	if (r < 0)
		return r;
	exec.config = run->config;
	exec.user = run->exec_user;
	exec.group = run->exec_group;
	exec.follow_init = !options->cgroup;
	r = choose_cgroup(run, options->cgroup, &exec.cgroup_path, err);
	if (r < 0)
		return r;
	plan_exec(run->arena, &exec, process, doc, &run->host, &plan_options, &run->report, &run->plan);
	forget_places(run, options);
	r = public_first_error(&run->report, err);
	if (r == 0)
		public_log_plan(context, run->plan);
	return r;
}

/*
 * ENOMEM is what a pid namespace says whose first process has gone; and what was on its way in is killed.
 * Better the words of who comes a moment later.
 */
static int explain(const struct run *run, int r, struct err *err)
{
	if ((r != -ENOMEM && r != -ESRCH && r != -EPIPE) || !state_is_ending(&run->state))
		return r;
	return err_set(err, ESRCH, "cannot exec in container \"%s\", which is %s", run->state.id,
		spec_status_name(SPEC_STATUS_STOPPED));
}

/* The process never came to run, or must not: end it, and what it may have started goes with its container.
 */
static int undo(struct run *run, int r)
{
	fd_close(&run->socket);
	if (run->pidfd >= 0) {
		siginfo_t info;
		sys_pidfd_send_signal(run->pidfd, SIGKILL, NULL, 0);
		waitid(P_PIDFD, (id_t)run->pidfd, &info, WEXITED);
	}
	return r;
}

static int carry_out(struct run *run, const struct crt_exec_options *options, struct err *err)
{
	int r = run_prepare(run, err);

	if (r == 0)
		r = run_walk(run, err);
	if (r == 0)
		r = run_write_pid_file(run, options->pid_file, err);
	if (r == 0)
		r = run_send_pidfd(run, options->pidfd_socket, err);
	if (r == 0)
		r = run_release(run, err);
	return r;
}

int run_exec(struct run *run, const struct crt_context *context, const char *id,
	const struct crt_exec_options *options, int *exit_status, struct err *err)
{
	struct foreground *f = arena_new(run->arena, struct foreground);
	bool stay = run->mode == RUN_FOREGROUND;

	*exit_status = 0;
	int r = run_check_preserved_fds(0, options->preserve_fds, err); /* before any is ours */
	run->report.no_notes = !context->log || context->log_level < CRT_LOG_DEBUG;
	if (r == 0)
		r = run_protect(context->argv, &run->mount_fd, err);
	run_mark(run, "go out of the reach of containers");
	if (r == 0)
		r = find_container(run, context, id, options->ignore_paused, err);
	if (r == 0)
		r = compile(run, context, options, err);
	if (r < 0)
		return r;
	run_mark(run, "find the container, read its document, plan");
	bool forward = stay && options->forward_signals;
	if (!run->paused)
		foreground_begin(f, run, forward, false);
	r = carry_out(run, options, err);
	if (run->paused) /* until now nobody was there to pass signals on to, and they have ended this process
			  */
		foreground_begin(f, run, forward, false);
	if (r == 0)
		r = foreground_console(f, err);
	if (r < 0)
		r = explain(run, undo(run, r), err);
	else if (stay)
		r = foreground_wait(f, exit_status, err);
	run_mark(run, stay ? "see the program end" : "done");
	foreground_end(f);
	return r;
}

/*
 * create.c - the create command: document, plan, claim on the id, the walk; and undoing it.
 *
 * The order of side effects: the container's directory (which is the claim on the id, and the lock), its
 * state.json, and only then what the plan makes. So whatever happens, `delete` finds enough to clean up, and
 * a failure here does by itself what `delete` would do.
 */
#include "libcontainer/run/create.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/diagnose.h"
#include "base/fd.h"
#include "base/str.h"
#include "libcontainer/cgroup/rdt.h"
#include "libcontainer/cgroup/unit.h"
#include "libcontainer/public.h"
#include "libcontainer/run/delete.h"
#include "libcontainer/run/notify.h"
#include "libcontainer/run/protect.h"
#include "libcontainer/run/timing.h"
#include "specs/json.h"

int run_begin(struct run *run, enum run_mode mode, struct err *err)
{
	*run = (struct run){.mode = mode,
		.console_fd = -1,
		.container_fd = -1,
		.root_fd = -1,
		.dir_fd = -1,
		.mount_fd = -1,
		.cgroup_fd = -1,
		.netns_fd = -1,
		.socket = -1,
		.init_socket = -1,
		.starter = -1,
		.notify_fd = -1,
		.pidfd = -1};
	run->arena = &run->memory;
	report_init(&run->report, run->arena);
	return arena_init(run->arena, err);
}

void run_end(struct run *run)
{
	for (uint32_t i = 0; run->plan && i < run->plan->slots; i++)
		fd_close(&run->plan->fds[i]);
	if (run->plan && run->plan->shared)
		munmap(run->plan->shared, sizeof(*run->plan->shared) + 2 * run->plan->shared->room);
	fd_close(&run->socket);
	fd_close(&run->init_socket);
	fd_close(&run->console_fd);
	fd_close(&run->notify_fd);
	fd_close(&run->container_fd);
	fd_close(&run->pidfd);
	fd_close(&run->mount_fd);
	fd_close(&run->cgroup_fd);
	fd_close(&run->netns_fd);
	fd_close(&run->dir_fd); /* and with it the lock */
	fd_close(&run->root_fd);
	arena_free(run->arena);
}

/* An fd that the caller promised and does not have would be one of ours by the time the container gets it. */
int run_check_preserved_fds(unsigned listen, unsigned preserve, struct err *err)
{
	for (unsigned fd = 3; fd < 3 + listen + preserve; fd++)
		if (fcntl((int)fd, F_GETFD) < 0)
			return err_set(err, EBADF, "%s=%u: file descriptor %u is not open",
				fd < 3 + listen ? "LISTEN_FDS" : "--preserve-fds",
				fd < 3 + listen ? listen : preserve, fd);
	return 0;
}

static bool has_limits(const struct spec_config *config)
{
	const struct spec_resources *r = config->linux_->resources;

	return r && (r->memory || r->cpu || r->pids || r->block_io || r->hugepage_limits_count ||
			    r->rdma_count || r->network || r->unified_count);
}

/* As few facts as this document needs: each subject costs system calls. */
static int learn_host(
	struct run *run, const struct crt_context *context, enum cg_manager manager, struct err *err)
{
	unsigned more = 0;

	if (context->host_file) {
		host_read(&run->host, run->arena, context->host_file, &run->report);
		return report_first_error(&run->report, err);
	}
	int r = host_gather(&run->host, run->arena, HOST_USER | HOST_CGROUP, err);
	if (r < 0)
		return r;
	if (manager == CG_SELF || has_limits(run->config) || run->host.euid != 0 || run->host.user_namespace)
		more |= HOST_CONTROLLERS;
	if (run->config->linux_->intel_rdt)
		more |= HOST_RDT;
	if (plan_needs_lsm(run->config, run->config->process))
		more |= HOST_LSM;
	return more ? host_gather(&run->host, run->arena, more, err) : 0;
}

static const char *absolute(struct arena *arena, const char *path)
{
	char cwd[PATH_MAX];

	if (path[0] == '/' || !getcwd(cwd, sizeof(cwd)))
		return path;
	return arena_printf(arena, "%s/%s", cwd, path);
}

/* Where the folder of its notification socket will be. */
static int find_notify(
	struct run *run, const struct crt_context *context, struct plan_options *options, struct err *err)
{
	char buf[PATH_MAX];

	run->notify = context->notify_socket;
	if (!run->notify)
		return 0;
	const char *root = state_root_path(context->root, buf, sizeof(buf), err);
	if (!root)
		return -EINVAL;
	options->notify_dir = arena_printf(
		run->arena, "%s/%s/" STATE_NOTIFY, absolute(run->arena, root), options->id);
	return 0;
}

static int compile(struct run *run, const struct crt_context *context,
	const struct crt_create_options *options, struct err *err)
{
	struct plan_options plan_options = {
		.foreground = run->mode == RUN_FOREGROUND, .wait_start = run->mode == RUN_CREATE};

	int r = public_plan_options(options, &plan_options, err);
	if (r == 0)
		r = find_notify(run, context, &plan_options, err);
	if (r < 0)
		return r;
	r = public_read_bundle(run->arena, options, &run->report, &plan_options.bundle, &run->config, err);
	if (r < 0 && !run->report.errors)
		return r;
	if (r == 0 && spec_config_check(run->config, &run->report) == 0) {
		run_mark(run, "read and check the document");
		r = learn_host(run, context, plan_options.cgroup_manager, err);
		if (r < 0)
			return r;
		run_mark(run, "ask the host");
		plan_create(run->arena, run->config, &run->host, &plan_options, &run->report, &run->plan);
		run->state.bundle = plan_options.bundle;
		run->state.cgroup_manager = cg_manager_name(plan_options.cgroup_manager);
		run->state.no_new_keyring = plan_options.no_new_keyring;
	}
	r = public_first_error(&run->report, err);
	if (r == 0)
		public_log_plan(context, run->plan);
	return r;
}

static void fill_state(struct run *run, const struct crt_create_options *options)
{
	struct state *s = &run->state;
	char *now = arena_alloc(run->arena, STATE_TIME_SIZE);

	state_timestamp(now);
	s->oci_version = run->config->oci_version;
	s->id = options->id;
	s->rootfs = run->plan->rootfs;
	s->config = options->config ? absolute(run->arena, options->config)
				    : arena_printf(run->arena, "%s/config.json", s->bundle);
	s->created = now;
	s->owner = geteuid();
	s->cgroup_mount = run->plan->cgroup_mount;
	s->cgroup_path = run->plan->cgroup_path;
	s->cgroup_unit = run->plan->unit ? run->plan->unit->name : NULL;
	s->cgroup_user_unit = run->plan->unit && run->plan->unit->user;
	s->cgroup_made = 1; /* until cg_create says better: what it makes, it makes from the last one up */
	if (run->plan->rdt && !run->plan->rdt->named)
		s->rdt_group = run->plan->rdt->group;
	if (run->plan->rdt)
		s->rdt_monitor = run->plan->rdt->monitor;
	s->annotations = run->config->annotations;
	s->annotations_count = run->config->annotations_count;
	s->hooks = run->config->hooks;
}

/* The text of operations after the wait, for who will be told: the parent with the document is gone by then.
 */
static void render_late_texts(struct run *run)
{
	const char **texts = arena_array(run->arena, const char *, run->plan->count);
	bool late = false;

	for (size_t i = 0; i < run->plan->count; i++) {
		const struct plan_op *op = &run->plan->ops[i];
		late |= op->kind == OP_WAIT_START;
		if (!late || op->who != PLAN_INIT)
			continue;
		char line[512];
		struct err_where where = {0};
		plan_print_attempt(op, line, sizeof(line));
		if (op->node)
			json_where(run->plan->doc, op->node, &where);
		texts[i] = where.line ? arena_printf(run->arena, "%s:%u:%u: %s: cannot %s", where.file,
						where.line, where.column, where.path, line)
				      : arena_printf(run->arena, "cannot %s", line);
	}
	run->plan->late_texts = texts;
}

/* Where `start` will knock. Bound through the directory's fd: its path may be longer than a socket's may. */
static int open_start_socket(struct run *run, struct err *err)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	fd_auto int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	snprintf(name.sun_path, sizeof(name.sun_path), "/proc/self/fd/%d/" STATE_SOCKET, run->dir_fd);
	if (fd < 0 || bind(fd, (struct sockaddr *)&name, sizeof(name)) < 0 || listen(fd, 8) < 0)
		return err_sys(err, errno, "cannot make the socket %s/" STATE_SOCKET, run->state.id);
	run->plan->fds[run->plan->start_slot] = fd_take(&fd);
	return 0;
}

/* As much as the state's text will take with the longest of pids; only the pid is not known yet. */
static int share_memory(struct run *run, struct err *err)
{
	struct state longest = run->state;

	longest.pid = INT32_MAX;
	size_t room = strlen(run_state_text(run->arena, &longest, SPEC_STATUS_CREATING)) + 1;
	struct plan_shared *shared = mmap(
		NULL, sizeof(*shared) + 2 * room, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return err_sys(err, errno, "cannot share memory with the container's init");
	char *texts = (char *)(shared + 1);
	*shared = (struct plan_shared){.state_creating = texts, .state_created = texts + room, .room = room};
	run->plan->shared = shared;
	return 0;
}

int run_prepare(struct run *run, struct err *err)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return err_sys(err, errno, "cannot make a socket pair");
	run->socket = ends[0];
	run->init_socket = ends[1];
	init_begin(&run->hand, run->plan, -1);
	if (run->plan->has_hooks) {
		int r = share_memory(run, err);
		if (r < 0)
			return r;
	}
	int r = run_timing_prepare(run, err);
	if (r < 0)
		return r;
	run_mark(run, run->container_fd < 0 ? "write the state" : "prepare");
	if (run->mode != RUN_CREATE)
		return 0;
	render_late_texts(run);
	return open_start_socket(run, err);
}

static int pid_file_failed(const char *path, int error, struct err *err)
{
	err_sys(err, error, "cannot write the pid file %s", path);
	err_about(err, "pid-file", NULL, NULL);
	return diagnose_err(err, AT_FDCWD, path);
}

/* Engines read it as soon as it is there, so it appears whole; and they want no newline. */
int run_write_pid_file(struct run *run, const char *path, struct err *err)
{
	const char *slash = path ? strrchr(path, '/') : NULL;
	char text[16];

	if (!path)
		return 0;
	if (!*path)
		return err_set(err, EINVAL, "--pid-file: the name is empty");
	const char *dir = slash ? arena_memdup(run->arena, path, (size_t)(slash - path) + 1) : ".";
	fd_auto int dirfd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int n = snprintf(text, sizeof(text), "%d", (int)run->pid);
	int r = dirfd < 0 ? -errno : fd_replace_file(dirfd, slash ? slash + 1 : path, text, (size_t)n, 0644);
	if (r < 0)
		return pid_file_failed(path, r, err);
	run->pid_file = path;
	return 0;
}

int run_send_pidfd(struct run *run, const char *socket, struct err *err)
{
	static const char text[] = "pidfd";

	int r = socket ? fd_send_over(socket, text, sizeof(text) - 1, run->pidfd) : 0;
	return r < 0 ? err_sys(err, r, "cannot send the pidfd to %s", socket) : 0;
}

/* For `exec`: "any updates to config.json after this step MUST NOT affect the container". */
static int keep_document(struct run *run, struct err *err)
{
	const struct json_doc *doc = run->config->doc;
	fd_auto int fd = openat(
		run->dir_fd, STATE_CONFIG, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r = fd < 0 ? -errno : fd_write(fd, doc->text, doc->length);

	return r < 0 ? err_sys(err, r, "cannot keep a copy of the document in the state directory") : 0;
}

/* `start` will listen itself. */
static int prepare_notify(struct run *run, struct err *err)
{
	int r = notify_prepare(run->dir_fd, err);

	if (r < 0 || run->mode == RUN_CREATE)
		return r;
	run->notify_fd = notify_listen(run->dir_fd, err);
	return run->notify_fd < 0 ? run->notify_fd : 0;
}

/* Everything between the claim and the "go". */
static int carry_out(struct run *run, const struct crt_create_options *options, struct err *err)
{
	int r = state_write(run->arena, run->dir_fd, &run->state, err);

	if (r == 0)
		r = run->notify ? prepare_notify(run, err) : 0;
	if (r == 0)
		r = run_prepare(run, err);
	if (r == 0)
		r = run_walk(run, err);
	if (r == 0)
		r = keep_document(run, err); /* "creating" ends here */
	if (r == 0)
		r = run_write_pid_file(run, options->pid_file, err);
	if (r == 0)
		r = run_send_pidfd(run,
			options->pidfd_socket ? options->pidfd_socket : run->config->known.pidfd_receiver,
			err);
	return r;
}

/* The container ended before it began; what failed has the word, not what failed while undoing it. */
static int undo(struct run *run, int r)
{
	struct err ignored;

	fd_close(&run->socket); /* init, if it still is there, ends at its next synchronisation */
	run_end_starter(run);
	if (run->pid_file)
		unlink(run->pid_file);
	run_return_net_devices(run);
	run_teardown(run->arena, run->root_fd, run->dir_fd, &run->state, run->hooks_ran ? &run->report : NULL,
		&ignored);
	return r;
}

int run_create(struct run *run, const struct crt_context *context, const struct crt_create_options *options,
	struct err *err)
{
	int r = run_check_preserved_fds(
		options->listen_fds, options->preserve_fds, err); /* before any is ours */

	run->report.no_notes = !context->log || context->log_level < CRT_LOG_DEBUG;
	if (r == 0)
		r = run_protect(context->argv, &run->mount_fd, err);
	run_mark(run, "go out of the reach of containers");
	if (r == 0)
		r = state_id_check(options->id, err);
	if (r == 0)
		r = compile(run, context, options, err);
	if (r < 0)
		return r;
	run->root_fd = state_root_open(context->root, true, err);
	if (run->root_fd < 0)
		return run->root_fd;
	run->dir_fd = state_claim(run->root_fd, options->id, err);
	if (run->dir_fd < 0)
		return run->dir_fd;
	run_mark(run, "plan, and claim the id");
	fill_state(run, options);
	r = carry_out(run, options, err);
	return r < 0 ? undo(run, r) : 0;
}

/*
 * "created" until the program runs, which hooks inside may put off: as after `create`, there is a socket for
 * `start`, at which nobody listens, and the lock says that somebody is starting it.
 */
static bool show_created(struct run *run)
{
	const struct spec_hooks *hooks = run->config->hooks;

	return run->mode != RUN_CREATE && hooks && hooks->start_container_count &&
	       mknodat(run->dir_fd, STATE_SOCKET, S_IFSOCK | 0600, 0) == 0;
}

int run_go(struct run *run, struct err *err)
{
	bool shown = show_created(run);
	int r = run_release(run, err);

	if (shown)
		unlinkat(run->dir_fd, STATE_SOCKET, 0);
	if (r < 0)
		return undo(run, r);
	fd_close(&run->netns_fd); /* from here on its devices are the container's, and end with it */
	return 0;
}

/*
 * process.c - from init to the user's program (config.md, "Process"). The order is that of privilege: what
 * needs a capability comes before it is given up, and what may fail comes before the wait for `start`.
 */
#include <string.h>

#include "base/str.h"
#include "libcontainer/plan/compile.h"

#define DEFAULT_UMASK 0022
#define DEFAULT_PATH  "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static void emit_rlimit(
	struct plan_compiler *c, const struct spec_rlimit *limit, enum plan_op_kind kind, enum plan_who who)
{
	struct plan_op *op = plan_emit(c, kind, who, limit->node);

	op->rlimit.resource = spec_rlimit_resource(limit->type);
	op->rlimit.name = spec_name(&spec_rlimit_names, limit->type);
	op->rlimit.soft = limit->soft;
	op->rlimit.hard = limit->hard;
}

static void rlimits(struct plan_compiler *c, const struct spec_process *p)
{
	for (size_t i = 0; i < p->rlimits_count; i++)
		emit_rlimit(c, &p->rlimits[i], OP_RLIMIT, PLAN_INIT);
}

/* Lifting a hard limit takes a privilege over the host, which init loses with a user namespace. */
void plan_raise_rlimits(struct plan_compiler *c)
{
	const struct spec_process *p = c->config->process;

	for (size_t i = 0; c->user_namespace && !c->unprivileged && i < p->rlimits_count; i++)
		emit_rlimit(c, &p->rlimits[i], OP_RAISE_RLIMIT, PLAN_PARENT);
}

/* "cannot be granted otherwise, MUST be logged as a warning": what we do not hold ourselves cannot be handed
 * on. */
static uint64_t grantable(struct plan_compiler *c, const char *name, const struct spec_set *set)
{
	uint64_t lacking = set->mask & ~c->host->capabilities.mask;

	if (c->user_namespace) /* who makes or enters one holds all of them there */
		return set->mask;
	for (unsigned cap = 0; lacking; cap++, lacking >>= 1)
		if (lacking & 1)
			json_warning(c->report, c->doc, set->node,
				"%s cannot be granted (%s): crt does not have it itself",
				spec_capability_name(cap), name);
	return set->mask & c->host->capabilities.mask;
}

static void user(struct plan_compiler *c, const struct spec_process *p)
{
	const struct spec_user *u = p->user;
	struct plan_op *op = plan_emit(c, OP_USER, PLAN_INIT, u->node);

	op->user.uid = u->uid;
	op->user.gid = u->gid;
	op->user.groups = u->additional_gids;
	op->user.groups_count = u->additional_gids_count;
	op->user.keep_groups = c->lacks_setgroups || c->config->known.keep_original_groups;
	c->plan->keep_groups = c->config->known.keep_original_groups;
	if (c->config->known.keep_original_groups) {
		if (u->additional_gids_count)
			json_warning(c->report, c->doc, spec_at(c->doc, u->node, "additionalGids"),
				"are ignored: run.oci.keep_original_groups keeps the caller's groups");
		return;
	}
	if (c->lacks_setgroups && u->additional_gids_count)
		json_error(c->report, c->doc, spec_at(c->doc, u->node, "additionalGids"),
			"without privileges a user namespace has additional groups only with gids of "
			"/etc/subgid");
}

static void capabilities(struct plan_compiler *c, const struct spec_capabilities *caps, uint32_t node)
{
	static const struct spec_capabilities none;
	struct plan_op *op = plan_emit(c, OP_CAPABILITIES, PLAN_INIT, node);

	if (!caps)
		caps = &none;
	op->capabilities.permitted = grantable(c, "permitted", &caps->permitted);
	/* The kernel's rules: effective within permitted, inheritable within bounding, ambient within two of
	 * them. */
	op->capabilities.effective = grantable(c, "effective", &caps->effective) & op->capabilities.permitted;
	op->capabilities.inheritable = grantable(c, "inheritable", &caps->inheritable) & caps->bounding.mask;
	op->capabilities.ambient = caps->ambient.mask & op->capabilities.permitted &
				   op->capabilities.inheritable;
}

/* The value of the last `name` ("PATH=") in the environment; NULL when there is none. */
static const char *value_of(const struct spec_process *p, const char *name)
{
	const char *value = NULL;

	for (size_t i = 0; i < p->env_count; i++)
		if (str_starts(p->env[i], name))
			value = p->env[i] + strlen(name);
	return value;
}

/* As sd_listen_fds(3) wants it; only init will know its pid. What the document says of fds means others. */
static void add_listen(struct plan_compiler *c, char **end, struct plan_op *op)
{
	static const char pid[] = "LISTEN_PID=4294967295";

	*end++ = arena_printf(c->arena, "LISTEN_FDS=%u", c->options->listen_fds);
	if (c->options->listen_names)
		*end++ = arena_printf(c->arena, "LISTEN_FDNAMES=%s", c->options->listen_names);
	*end = arena_memdup(c->arena, pid, sizeof(pid) - 1);
	op->execute.listen_pid = *end + strlen("LISTEN_PID=");
}

static bool tells_of_fds(const char *variable)
{
	return str_starts(variable, "LISTEN_FDS=") || str_starts(variable, "LISTEN_PID=") ||
	       str_starts(variable, "LISTEN_FDNAMES=");
}

#define NOTIFY "NOTIFY_SOCKET="

static void environment(struct plan_compiler *c, const struct spec_process *p, struct plan_op *op)
{
	bool notify = c->options->notify_dir && c->own_mounts;
	char **env = arena_array(c->arena, char *, p->env_count + 6); /* a place for HOME, and the end */
	char **end = env;

	for (size_t i = 0; i < p->env_count; i++)
		if ((!c->options->listen_fds || !tells_of_fds(p->env[i])) &&
			(!notify || !str_starts(p->env[i], NOTIFY)))
			*end++ = (char *)p->env[i];
	if (notify)
		*end++ = NOTIFY PLAN_NOTIFY_DIR "/" PLAN_NOTIFY_SOCKET;
	if (c->options->listen_fds)
		add_listen(c, end, op);
	op->execute.env = env;
}

static void load_filter(struct plan_compiler *c)
{
	const struct spec_seccomp *seccomp = c->linux_->seccomp;
	struct plan_op *op = plan_emit(c, OP_SECCOMP, PLAN_INIT, c->filter_node);

	op->seccomp.given = c->plan->seccomp.len;
	if (!op->seccomp.given && spec_seccomp_notifies(seccomp))
		op->seccomp.listener = seccomp->listener_path;
}

/*
 * Loading a filter takes either no_new_privs, and then it comes last of all, or CAP_SYS_ADMIN, and then
 * before that is dropped.
 */
static void privileges(struct plan_compiler *c, const struct spec_process *p)
{
	uint32_t node = spec_at(c->doc, p->node, "capabilities");
	bool has_filter = c->linux_->seccomp || c->plan->seccomp.len;

	if (has_filter && !p->no_new_privileges)
		load_filter(c);
	capabilities(c, p->capabilities, node);
	if (p->no_new_privileges)
		plan_emit(c, OP_NO_NEW_PRIVILEGES, PLAN_INIT, spec_at(c->doc, p->node, "noNewPrivileges"));
	if (has_filter && p->no_new_privileges)
		load_filter(c);
}

static void wait_for_start(struct plan_compiler *c)
{
	plan_emit(c, OP_SYNC, PLAN_BOTH, 0)->sync.point = SYNC_READY;
	plan_late_limits(c);
	plan_scheduling_by_parent(c);
	plan_delegate_cgroup(c); /* its cgroup namespace is there */
	plan_emit(c, OP_SYNC, PLAN_BOTH, 0)->sync.point = SYNC_GO;
	if (c->options->wait_start) {
		c->plan->start_slot = plan_new_slot(c->plan);
		plan_emit(c, OP_WAIT_START, PLAN_INIT, 0)->wait_start.slot = c->plan->start_slot;
	}
	if (c->visible)
		plan_emit(c, OP_CONCEAL, PLAN_INIT, 0);
	const struct spec_hooks *hooks = c->config->hooks;
	if (hooks)
		plan_hooks(c, "startContainer", hooks->start_container, hooks->start_container_count,
			PLAN_INIT, true);
}

/* In a /dev that is complete but for it, and may become read-only next. */
void plan_console(struct plan_compiler *c)
{
	const struct spec_process *p = c->config->process;
	uint32_t node = spec_at(c->doc, p->node, "terminal");

	if (!p->terminal)
		return;
	if (!c->options->console_socket && !c->options->foreground) {
		struct err *e = json_error(
			c->report, c->doc, node, "nobody is there for the other side of the terminal");
		err_hint(e, "name a socket with --console-socket, run in the foreground, or set "
			    "process.terminal to false");
	}
	struct plan_op *op = plan_emit(c, OP_OPEN_CONSOLE, PLAN_INIT, node);
	op->open_console.uid = p->user->uid;
	op->open_console.mount = c->own_mounts;
	if (p->console_size) {
		op->open_console.rows = (unsigned short)p->console_size->height;
		op->open_console.columns = (unsigned short)p->console_size->width;
	}
	plan_emit(c, OP_SYNC, PLAN_BOTH, node)->sync.point = SYNC_CONSOLE;
	plan_emit(c, OP_HAND_OVER_CONSOLE, PLAN_PARENT, node)
		->hand_over_console.socket = c->options->console_socket;
}

void plan_process(struct plan_compiler *c)
{
	const struct spec_process *p = c->config->process;
	uint32_t args = spec_at(c->doc, p->node, "args");

	if (!p->args_count || !p->cwd)
		return; /* reported by the check of the document */
	if (!c->own_mounts)
		plan_console(c);
	if (!c->options->no_new_keyring) {
		struct plan_op *keyring = plan_emit(c, OP_NEW_KEYRING, PLAN_INIT, 0);
		keyring->new_keyring.name = arena_printf(c->arena, "_ses.%s", c->options->id);
		keyring->new_keyring.label = p->selinux_label && *p->selinux_label ? p->selinux_label : NULL;
	}
	plan_emit(c, OP_CHANGE_DIRECTORY, PLAN_INIT, spec_at(c->doc, p->node, "cwd"))
		->change_directory.path = p->cwd;
	plan_emit(c, OP_UMASK, PLAN_INIT, plan_asked(c, p->user->node, "umask"))
		->umask.mask = p->user->umask.set ? p->user->umask.value : DEFAULT_UMASK;
	struct plan_op *bounding = plan_emit(c, OP_BOUNDING_SET, PLAN_INIT,
		p->capabilities ? spec_at(c->doc, p->capabilities->node, "bounding") : p->node);
	bounding->bounding_set.bounding = p->capabilities
						  ? grantable(c, "bounding", &p->capabilities->bounding)
						  : 0;
	user(c, p);
	struct plan_op *find = plan_emit(
		c, OP_FIND_PROGRAM, PLAN_INIT, spec_at_item(c->doc, p->node, "args", 0));
	find->find_program.file = p->args[0];
	const char *search = value_of(p, "PATH=");
	find->find_program.search = search ? search : DEFAULT_PATH;
	find->find_program.room = arena_alloc(
		c->arena, strlen(find->find_program.search) + strlen(p->args[0]) + sizeof("/"));
	if (!value_of(p, "HOME=")) {
		struct plan_op *home = plan_emit(c, OP_FIND_HOME, PLAN_INIT, 0);
		home->find_home.uid = p->user->uid;
		home->find_home.room = arena_alloc(c->arena, PLAN_HOME_ROOM);
	}
	wait_for_start(c);
	plan_emit(c, OP_CLOSE_FDS, PLAN_INIT, 0)->close_fds.preserve = c->options->preserve_fds;
	plan_labels(c);
	rlimits(c, p); /* as late as there is the right to raise them: low ones would stop mounts, start and
			  hooks */
	plan_scheduling(c); /* likewise; and no hook is to run under a deadline, which could not fork */
	privileges(c, p);
	struct plan_op *op = plan_emit(c, OP_EXECUTE, PLAN_INIT, args);
	op->execute.args = plan_strings(c->arena, p->args, p->args_count);
	environment(c, p, op);
}

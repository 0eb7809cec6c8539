/*
 * create.c - the recipe: from a document to the operations of `create` and `run`, in the one order that
 * works.
 *
 * Each line's comment is the kernel's reason. The parts are compiled elsewhere (namespace.c, mount.c, path.c,
 * device.c, hook.c, process.c); what comes before what is decided here only.
 */
#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/mount.h>

#include "base/str.h"
#include "libcontainer/plan/compile.h"

uint32_t plan_asked(const struct plan_compiler *c, uint32_t node, const char *member)
{
	uint32_t found = json_member(c->doc, node, member);

	return found == JSON_NONE ? 0 : found;
}

struct plan_op *plan_emit(struct plan_compiler *c, enum plan_op_kind kind, enum plan_who who, uint32_t node)
{
	return plan_add(c->plan, kind, who, node);
}

static void sync(struct plan_compiler *c, enum plan_sync point)
{
	plan_emit(c, OP_SYNC, PLAN_BOTH, 0)->sync.point = point;
}

/* run.oci.seccomp_bpf_data: there is nothing to compile. */
static void take_filter(struct plan_compiler *c, const struct json_doc *doc)
{
	const struct spec_annotations *known = &c->config->known;
	size_t count = known->seccomp_filter.length / sizeof(struct sock_filter);
	struct sock_filter *insns = arena_array(c->arena, struct sock_filter, count);

	memcpy(insns, known->seccomp_filter.insns, count * sizeof(*insns));
	c->plan->seccomp = (struct sock_fprog){.len = (unsigned short)count, .filter = insns};
	c->filter_node = c->doc == doc ? known->filter_node : 0;
	if (c->linux_->seccomp && !c->running)
		json_warning(c->report, c->doc, spec_at(c->doc, c->linux_->node, "seccomp"),
			"is ignored: run.oci.seccomp_bpf_data is the filter");
}

void plan_seccomp(struct plan_compiler *c, const struct json_doc *doc)
{
	const struct spec_seccomp *seccomp = c->linux_->seccomp;

	if (c->config->known.seccomp_filter.length) {
		take_filter(c, doc);
		return;
	}
	if (!seccomp)
		return;
	c->filter_node = spec_at(c->doc, c->linux_->node, "seccomp");
	struct plan_op *op = plan_emit(c, OP_COMPILE_SECCOMP, PLAN_PARENT, c->filter_node);
	op->compile_seccomp.seccomp = seccomp;
	op->compile_seccomp.doc = doc;
	op->compile_seccomp.architectures = (unsigned)__builtin_popcountll(seccomp->architectures.mask);
	for (size_t i = 0; i < seccomp->syscalls_count; i++)
		op->compile_seccomp.rules += (unsigned)seccomp->syscalls[i].names_count;
}

void plan_oom_score(struct plan_compiler *c)
{
	const struct spec_process *process = c->config->process;

	if (!process || !process->oom_score_adj.set)
		return;
	struct plan_op *op = plan_emit(
		c, OP_OOM_SCORE_ADJ, PLAN_PARENT, spec_at(c->doc, process->node, "oomScoreAdj"));
	op->oom_score_adj.value = process->oom_score_adj.value;
	op->oom_score_adj.optional = c->unprivileged || c->host->user_namespace;
}

/* prestart is deprecated, and comes before createRuntime; both see a rootfs that is mounted but not yet "/".
 */
static void runtime_hooks(struct plan_compiler *c)
{
	const struct spec_hooks *hooks = c->config->hooks;

	if (!hooks || !(hooks->prestart_count + hooks->create_runtime_count + hooks->create_container_count))
		return;
	sync(c, SYNC_MOUNTED);
	plan_hooks(c, "prestart", hooks->prestart, hooks->prestart_count, PLAN_PARENT, false);
	plan_hooks(
		c, "createRuntime", hooks->create_runtime, hooks->create_runtime_count, PLAN_PARENT, false);
	sync(c, SYNC_HOOKED);
	plan_hooks(c, "createContainer", hooks->create_container, hooks->create_container_count, PLAN_INIT,
		false);
}

static void set_propagation(
	struct plan_compiler *c, uint32_t node, uint64_t propagation, bool recursive, bool after)
{
	struct plan_op *op = plan_emit(c, OP_SET_PROPAGATION, PLAN_INIT, node);

	op->set_propagation.propagation = propagation;
	op->set_propagation.recursive = recursive;
	op->set_propagation.after_pivot = after;
}

static const struct {
	uint64_t propagation;
	bool recursive;
} propagations[] = {
	[SPEC_PROPAGATION_PRIVATE] = {MS_PRIVATE, false},
	[SPEC_PROPAGATION_SHARED] = {MS_SHARED, false},
	[SPEC_PROPAGATION_SLAVE] = {MS_SLAVE, false},
	[SPEC_PROPAGATION_UNBINDABLE] = {MS_UNBINDABLE, false},
	[SPEC_PROPAGATION_RPRIVATE] = {MS_PRIVATE, true},
	[SPEC_PROPAGATION_RSHARED] = {MS_SHARED, true},
	[SPEC_PROPAGATION_RSLAVE] = {MS_SLAVE, true},
	[SPEC_PROPAGATION_RUNBINDABLE] = {MS_UNBINDABLE, true},
};

/*
 * In a user namespace of its own, root of the container may hold CAP_SYS_ADMIN over its mounts: then masks
 * and read-only mounts hold only if the kernel locks them. Locking keeps mounts made inside from being seen
 * outside, so it gives way where the document asks for that; and it stands in nobody's way where there is
 * nothing to hold.
 */
static bool has_admin(const struct plan_compiler *c)
{
	const struct spec_capabilities *caps = c->config->process->capabilities;

	return c->user_namespace && caps && (caps->bounding.mask & ((uint64_t)1 << CAP_SYS_ADMIN));
}

static bool is_lockable(const struct plan_compiler *c)
{
	bool has_any = c->linux_->masked_paths_count || c->linux_->readonly_paths_count ||
		       c->config->root->readonly || c->has_readonly;

	return has_admin(c) && has_any && !c->has_shared;
}

bool plan_init_forks(const struct plan_compiler *c)
{
	return has_admin(c) || (c->config->hooks && c->config->hooks->create_container_count);
}

static void rootfs(struct plan_compiler *c)
{
	const struct spec_config *config = c->config;
	enum spec_propagation wanted = c->linux_->rootfs_propagation;
	uint32_t node = spec_at(c->doc, c->linux_->node, "rootfsPropagation");
	bool is_private = wanted == SPEC_PROPAGATION_PRIVATE || wanted == SPEC_PROPAGATION_RPRIVATE;

	/* Before any mount, so that none of them reaches the host: not even while a rootfs is to become
	 * shared. */
	set_propagation(c, 0, MS_SLAVE, true, false);
	if (c->unprivileged) { /* in our own copy of the mounts, where we may clone them */
		plan_open_rootfs(c, PLAN_INIT);
		plan_open_sources(c, PLAN_INIT);
	}
	struct plan_op *attach = plan_emit(
		c, OP_ATTACH_ROOTFS, PLAN_INIT, spec_at(c->doc, config->root->node, "path"));
	attach->attach_rootfs.slot = c->rootfs_slot;
	attach->attach_rootfs.propagation = is_private ? MS_PRIVATE : MS_SLAVE;
	plan_mounts(c);        /* in the document's order: later ones may lie inside earlier ones */
	plan_devices(c);       /* in a /dev that is mounted by now */
	plan_console(c);       /* likewise */
	plan_late_readonly(c); /* which may become read-only only then */
	runtime_hooks(c);      /* the specification's place: mounts done, root not yet pivoted */
	bool locks = is_lockable(c);
	plan_sysctls(c, locks); /* before /proc/sys becomes read-only */
	plan_paths(c);          /* over what hooks may have added; with the host's /dev/null still in reach */
	if (config->root->readonly)
		plan_emit(c, OP_READONLY_ROOTFS, PLAN_INIT, spec_at(c->doc, config->root->node, "readonly"));
	struct plan_op *pivot = plan_emit(c, OP_PIVOT_ROOT, PLAN_INIT, config->root->node);
	pivot->pivot_root.move = c->options->no_pivot;
	pivot->pivot_root.lock = locks;
	plan_late_sysctls(c, locks);
	if (wanted && !is_private && propagations[wanted].propagation != MS_SLAVE)
		set_propagation(
			c, node, propagations[wanted].propagation, propagations[wanted].recursive, true);
}

/* A mount namespace that is joined is somebody else's: its mounts stay as they are. */
static void joined_rootfs(struct plan_compiler *c)
{
	const struct spec_linux *l = c->linux_;

	if (c->config->mounts_count || l->devices_count || l->masked_paths_count || l->readonly_paths_count)
		json_warning(c->report, c->doc, spec_namespace_find(l, SPEC_NS_MOUNT)->node,
			"the mount namespace is joined as it is: this document's mounts, devices and paths "
			"are ignored");
	runtime_hooks(c);
	plan_sysctls(c, false);
}

static void recipe(struct plan_compiler *c)
{
	/* The parent prepares what the child will inherit as fds and memory. */
	plan_cgroup(c);
	plan_open_namespaces(c);
	if (c->own_mounts && !c->unprivileged) { /* with the host's privileges, which init may not have */
		plan_open_rootfs(c, PLAN_PARENT);
		plan_open_sources(c, PLAN_PARENT);
	}
	plan_seccomp(c, c->doc);

	/* While the namespace's fd is still open; the document's namespace is there already. */
	if (!plan_namespace_new(c, SPEC_NS_NETWORK))
		plan_net_devices(c);

	plan_unit(c); /* with a copy of this process in it, that has all of the above */

	/* One clone, straight into the cgroup: what init allocates is charged to the container. */
	plan_clone(c);

	/* Before init hides: afterwards its files in /proc belong to root. */
	plan_map_ids(c);
	plan_oom_score(c);
	plan_raise_rlimits(c);
	if (plan_namespace_new(c, SPEC_NS_USER))
		sync(c, SYNC_MAPPED);

	/* The parent goes on with the limits while init goes on below. */
	plan_limits(c);
	plan_intel_rdt(c, false);
	if (plan_namespace_new(c, SPEC_NS_NETWORK))
		plan_net_devices(c);

	plan_enter_namespaces(c);
	if (c->linux_->net_devices_count)
		sync(c, SYNC_DEVICES);
	if (c->own_mounts)
		rootfs(c);
	else
		joined_rootfs(c);
	plan_process(c);
}

static void find_privileges(struct plan_compiler *c)
{
	bool new_user = plan_namespace_new(c, SPEC_NS_USER);
	bool any_join = false;

	for (size_t i = 0; i < c->linux_->namespaces_count; i++)
		any_join |= c->linux_->namespaces[i].path != NULL;
	const struct spec_namespace *pid = spec_namespace_find(c->linux_, SPEC_NS_PID);
	const struct spec_namespace *user = spec_namespace_find(c->linux_, SPEC_NS_USER);
	c->user_namespace = user != NULL;
	c->join_early = (pid && pid->path) || (user && user->path) || (new_user && any_join);
	c->unprivileged = !c->host->cap_sys_admin;
	c->own_mounts = plan_namespace_new(c, SPEC_NS_MOUNT);
	c->plan->has_user_namespace = c->user_namespace;
	c->lacks_setgroups = new_user && plan_lacks_setgroups(c);
	/*
	 * To look at a process that is not dumpable takes privileges over the host: without them a user's
	 * hooks could not enter the container's namespaces, as those of a network plug-in do. Where nobody
	 * else is in the pid namespace, init stays visible to its user until the container's own programs
	 * begin.
	 */
	c->visible = c->unprivileged && new_user && pid && !pid->path;
}

static const char *absolute(struct arena *arena, const char *bundle, const char *path)
{
	return path[0] == '/' ? path : arena_printf(arena, "%s/%s", bundle, path);
}

/* What the document asks for and no version can give. */
static void refuse(struct plan_compiler *c)
{
	const struct spec_linux *l = c->linux_;
	if (!spec_namespace_find(l, SPEC_NS_MOUNT)) {
		struct err *e = json_error(c->report, c->doc, spec_at(c->doc, l->node, "namespaces"),
			"the container has no mount namespace of its own; crt never mounts in the host's");
		err_hint(e, "add {\"type\": \"mount\"} to linux.namespaces");
	}
	if (c->unprivileged && !c->user_namespace) {
		struct err *e = json_error(c->report, c->doc, spec_at(c->doc, l->node, "namespaces"),
			"without privileges a container needs a user namespace");
		err_hint(e, "run as root, or add a user namespace and id mappings (crt spec --rootless shows "
			    "how)");
	}
}

int plan_create(struct arena *arena, const struct spec_config *config, const struct host *host,
	const struct plan_options *options, struct report *report, struct plan **ret_plan)
{
	struct plan *plan = arena_new(arena, struct plan);
	struct plan_compiler c = {
		.plan = plan,
		.arena = arena,
		.config = config,
		.linux_ = config->linux_,
		.doc = config->doc,
		.host = host,
		.options = options,
		.report = report,
		.rootfs_slot = PLAN_NO_SLOT,
	};
	unsigned errors = report->errors;

	*plan = (struct plan){.arena = arena, .doc = config->doc, .start_slot = PLAN_NO_SLOT};
	if (!config->root || !config->root->path || !config->process)
		json_error(report, config->doc, 0, "a container needs root.path and process");
	if (report->errors > errors)
		return -EINVAL;
	plan->rootfs = absolute(arena, options->bundle, config->root->path);
	find_privileges(&c);
	plan_notify(&c);
	plan_check_lsm(config, host, report);
	refuse(&c);
	recipe(&c);
	plan_empty_slots(plan);
	*ret_plan = plan;
	return report->errors > errors ? -EINVAL : 0;
}

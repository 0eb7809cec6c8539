/*
 * plan_create.c - what holds for every plan, whatever the document: the order that the kernel and the rules
 * of this house need. Single plans, word for word, are in tests/golden.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#include "libcontainer/host/host.h"
#include "libcontainer/plan/plan.h"
#include "specs/config.h"

static struct arena arena;
static struct report report;

static void set_up(void)
{
	cr_assert_eq(arena_init(&arena, NULL), 0);
	report_init(&report, &arena);
}

static void tear_down(void)
{
	arena_free(&arena);
}

TestSuite(plan, .init = set_up, .fini = tear_down);

static const struct host *test_host(bool privileged)
{
	struct host *h = arena_new(&arena, struct host);

	*h = (struct host){.known = HOST_ALL,
		.euid = privileged ? 0 : 1000,
		.egid = privileged ? 0 : 1000,
		.cap_sys_admin = privileged,
		.capabilities = {.mask = SPEC_CAPABILITY_ALL, .set = true},
		.cgroup_mount = "/sys/fs/cgroup",
		.cgroup_own = "/",
		.controllers = "cpuset cpu io memory hugetlb pids rdma",
		.v1_controllers = "",
		.kernel_release = "6.12.0",
		.lsm = "",
		.namespaces = "cgroup ipc mnt net pid time user uts",
		.max_user_namespaces = 1000,
		.unprivileged_user_namespaces = true,
		.seccomp_actions = "",
		.seccomp_flags = ""};
	return h;
}

#define NAMESPACES                                                                                           \
	"{\"type\":\"pid\"},{\"type\":\"mount\"},{\"type\":\"uts\"},{\"type\":\"network\"},{\"type\":"       \
	"\"ipc\"}"

/* A document with these members of process, of linux, and namespaces. */
static struct plan *compile_as(const char *process, const char *linux_, const char *namespaces,
	const char *more, bool privileged, bool wait)
{
	char *text = arena_printf(&arena,
		"{\"ociVersion\":\"1.3.0\",\"root\":{\"path\":\"rootfs\"},"
		"\"process\":{\"args\":[\"/x\"],\"cwd\":\"/\"%s},"
		"\"linux\":{\"namespaces\":[%s]%s}%s}",
		process, namespaces, linux_, more);
	struct plan_options options = {.id = "id", .bundle = "/bundle", .wait_start = wait};
	const struct spec_config *config = NULL;
	struct plan *plan = NULL;
	struct err err = {0};

	int r = spec_config_parse(&arena, "config.json", text, strlen(text), &report, &config);
	if (r == 0)
		plan_create(&arena, config, test_host(privileged), &options, &report, &plan);
	report_first_error(&report, &err);
	cr_assert_eq(report.errors, 0, "%s: %s in %s", err.where.path, err.message, text);
	return plan;
}

static struct plan *compile(const char *process, const char *linux_, const char *more)
{
	return compile_as(process, linux_, NAMESPACES, more, true, true);
}

/* Its place in the plan, counted from 1; 0 when there is none. `last`: the last one of that kind. */
static size_t place(const struct plan *plan, enum plan_op_kind kind, bool last)
{
	size_t found = 0;

	for (size_t i = 0; i < plan->count; i++)
		if (plan->ops[i].kind == kind && (!found || last))
			found = i + 1;
	return found;
}

static size_t count(const struct plan *plan, enum plan_op_kind kind)
{
	size_t n = 0;

	plan_for_each_op (plan, op)
		n += op->kind == kind;
	return n;
}

#define BEFORE(plan, a, b)                                                                                   \
	cr_expect_lt(place(plan, OP_##a, true), place(plan, OP_##b, false), #a " comes before " #b)

static void expect_sane(const struct plan *plan)
{
	cr_expect_eq(count(plan, OP_CLONE), 1);
	cr_expect_eq(count(plan, OP_EXECUTE), 1);
	cr_expect_eq(place(plan, OP_EXECUTE, true), plan->count, "the last operation");
	size_t clone = place(plan, OP_CLONE, false);
	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_op *op = &plan->ops[i];
		char text[1024];
		if (op->who != PLAN_PARENT)
			cr_expect_gt(i + 1, clone, "init exists only after the clone");
		cr_expect_gt(plan_print_op(op, text, sizeof(text)), 0, "%s", plan_op_name(op->kind));
		cr_expect_not(strstr(text, "(null)"), "%s: %s", plan_op_name(op->kind), text);
	}
	/* The last thing that both do is READY, GO: after it the parent has nothing left to do. */
	size_t last_parent = 0, go = place(plan, OP_SYNC, true);
	for (size_t i = 0; i < plan->count; i++)
		if (plan->ops[i].who == PLAN_PARENT)
			last_parent = i + 1;
	cr_expect_gt(go, last_parent);
	cr_expect_eq(plan->ops[go - 1].sync.point, SYNC_GO);
}

Test(plan, small)
{
	struct plan *plan = compile("", "", "");

	expect_sane(plan);
	BEFORE(plan, MAKE_CGROUP, CLONE);
	BEFORE(plan, OPEN_TREE, CLONE);
	BEFORE(plan, HIDE, ATTACH_ROOTFS);
	BEFORE(plan, SET_PROPAGATION, ATTACH_ROOTFS);
	BEFORE(plan, ATTACH_ROOTFS, MAKE_DEVICE);
	BEFORE(plan, MAKE_SYMLINK, PIVOT_ROOT);
	BEFORE(plan, FIND_PROGRAM, WAIT_START);
	BEFORE(plan, WAIT_START, CLOSE_FDS);
	cr_expect_eq(count(plan, OP_MAP_IDS), 0);
	cr_expect_str_eq(plan->rootfs, "/bundle/rootfs");
	cr_expect_str_eq(plan->cgroup_path, "/crt/id");
}

Test(plan, run_does_not_wait)
{
	struct plan *plan = compile_as("", "", NAMESPACES, "", true, false);

	expect_sane(plan);
	cr_expect_eq(count(plan, OP_WAIT_START), 0);
}

Test(plan, filter_needs_a_privilege_or_none)
{
	const char *filter = ",\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\"}";
	struct plan *plan = compile("", filter, "");

	expect_sane(plan);
	BEFORE(plan, COMPILE_SECCOMP, CLONE);
	BEFORE(plan, SECCOMP, CAPABILITIES);
	plan = compile(",\"noNewPrivileges\":true", filter, "");
	expect_sane(plan);
	BEFORE(plan, CAPABILITIES, NO_NEW_PRIVILEGES);
	BEFORE(plan, NO_NEW_PRIVILEGES, SECCOMP);
	BEFORE(plan, SECCOMP, EXECUTE);
}

Test(plan, user_namespace)
{
	const char *maps = ",\"uidMappings\":[{\"containerID\":5,\"hostID\":100005,\"size\":1},"
			   "{\"containerID\":1,\"hostID\":100001,\"size\":2}],"
			   "\"gidMappings\":[{\"containerID\":0,\"hostID\":100000,\"size\":10}]";
	struct plan *plan = compile_as("", maps, NAMESPACES ",{\"type\":\"user\"}", "", true, true);

	expect_sane(plan);
	BEFORE(plan, CLONE, MAP_IDS);
	BEFORE(plan, MAP_IDS, BECOME_ROOT);
	BEFORE(plan, BECOME_ROOT, HIDE);
	const struct plan_op *root = &plan->ops[place(plan, OP_BECOME_ROOT, false) - 1];
	cr_expect_eq(root->become_root.uid, 1, "the smallest mapped id");
	cr_expect_eq(root->become_root.gid, 0);
	plan_for_each_op (plan, op)
		if (op->kind == OP_MAKE_DEVICE)
			cr_expect(op->make_device.bind);
}

Test(plan, without_privileges_init_opens_the_sources)
{
	const char *maps = ",\"uidMappings\":[{\"containerID\":0,\"hostID\":1000,\"size\":1}],"
			   "\"gidMappings\":[{\"containerID\":0,\"hostID\":1000,\"size\":1}]";
	struct plan *plan = compile_as("", maps, NAMESPACES ",{\"type\":\"user\"}", "", false, true);

	expect_sane(plan);
	BEFORE(plan, BECOME_ROOT, OPEN_TREE);
	cr_expect_eq(plan->ops[place(plan, OP_OPEN_TREE, false) - 1].who, PLAN_INIT);
	cr_expect(plan->ops[place(plan, OP_MAP_IDS, false) - 1].map_ids.deny_setgroups);
	cr_expect(plan->ops[place(plan, OP_USER, false) - 1].user.keep_groups);
	cr_expect_eq(count(plan, OP_CGROUP_DEVICES), 0);
}

Test(plan, joined_namespaces)
{
	/* By init itself, where nothing stands against it ... */
	struct plan *plan = compile_as("", "",
		"{\"type\":\"pid\"},{\"type\":\"mount\"},{\"type\":\"network\",\"path\":\"/n\"}", "", true,
		true);
	expect_sane(plan);
	BEFORE(plan, OPEN_NAMESPACE, CLONE);
	BEFORE(plan, HIDE, JOIN_NAMESPACE);
	cr_expect_eq(plan->ops[place(plan, OP_CLONE, false) - 1].clone.joins_count, 0);
	cr_expect_eq(count(plan, OP_LOOPBACK_UP), 0, "somebody else's network is not ours to set up");
	/* ... on the way to the clone, where the kernel wants it. */
	plan = compile_as("", "", "{\"type\":\"pid\",\"path\":\"/p\"},{\"type\":\"mount\"}", "", true, true);
	expect_sane(plan);
	cr_expect_eq(count(plan, OP_JOIN_NAMESPACE), 0);
	cr_expect_eq(plan->ops[place(plan, OP_CLONE, false) - 1].clone.joins_count, 1);
}

Test(plan, joined_mount_namespace_is_left_alone)
{
	struct plan *plan = compile_as(
		"", "", "{\"type\":\"mount\",\"path\":\"/m\"},{\"type\":\"pid\"}", "", true, true);

	expect_sane(plan);
	cr_expect_eq(
		count(plan, OP_ATTACH_ROOTFS) + count(plan, OP_PIVOT_ROOT) + count(plan, OP_MAKE_DEVICE), 0);
	cr_expect_eq(count(plan, OP_SET_PROPAGATION), 0);
}

Test(plan, hooks_in_the_order_of_the_specification)
{
	struct plan *plan = compile("", "",
		",\"hooks\":{\"startContainer\":[{\"path\":\"/s\"}],\"createContainer\":[{\"path\":\"/c\"}],"
		"\"createRuntime\":[{\"path\":\"/r\"}],\"prestart\":[{\"path\":\"/p\"}],"
		"\"poststart\":[{\"path\":\"/ps\"}],\"poststop\":[{\"path\":\"/po\"}]}");
	const char *stages[] = {"prestart", "createRuntime", "createContainer", "startContainer"};
	enum plan_who who[] = {PLAN_PARENT, PLAN_PARENT, PLAN_INIT, PLAN_INIT};
	size_t n = 0;

	expect_sane(plan);
	plan_for_each_op (plan, op) {
		if (op->kind != OP_HOOK)
			continue;
		cr_assert_lt(n, 4);
		cr_expect_str_eq(op->hook.stage, stages[n]);
		cr_expect_eq(op->who, who[n]);
		n++;
	}
	cr_expect_eq(n, 4, "those after the start are not in the plan");
	BEFORE(plan, MAKE_SYMLINK, HOOK);
	cr_expect_gt(place(plan, OP_HOOK, true), place(plan, OP_WAIT_START, false));
	cr_expect(plan->has_hooks);
}

Test(plan, no_bind_is_a_peer_of_the_host)
{
	struct plan *plan = compile("", "",
		",\"mounts\":[{\"destination\":\"/a\",\"source\":\"/a\",\"options\":[\"bind\"]},"
		"{\"destination\":\"/b\",\"source\":\"/b\",\"options\":[\"rbind\",\"private\"]},"
		"{\"destination\":\"/c\",\"source\":\"/c\",\"options\":[\"rbind\",\"rshared\"]}]");
	const uint64_t propagation[] = {0, MS_PRIVATE, MS_SHARED};
	size_t n = 0;

	expect_sane(plan);
	plan_for_each_op (plan, op) {
		if (op->kind != OP_MOUNT_BIND)
			continue;
		cr_assert_lt(n, 3);
		cr_expect_eq(op->mount_bind.slaves, n < 2, "private is for the top alone");
		cr_expect_eq(op->mount_bind.attributes.propagation, propagation[n++]);
		cr_expect_neq(op->mount_bind.slot, PLAN_NO_SLOT);
	}
	cr_expect_eq(n, 3);
}

Test(plan, grows)
{
	struct plan plan = {.arena = &arena};

	for (uint32_t i = 0; i < 1000; i++) {
		struct plan_op *op = plan_add(&plan, OP_MASK_PATH, PLAN_INIT, i);
		op->mask_path.path = "/x";
	}
	cr_assert_eq(plan.count, 1000);
	for (uint32_t i = 0; i < 1000; i++)
		cr_expect_eq(plan.ops[i].node, i);
	cr_expect_eq(plan_new_slot(&plan), 0);
	cr_expect_eq(plan_new_slot(&plan), 1);
}

Test(plan, every_operation_has_a_name_and_a_sender)
{
	for (enum plan_op_kind kind = 0; kind < OP_COUNT; kind++)
		cr_expect(plan_op_name(kind));
	cr_expect_eq(plan_sync_sender(SYNC_READY), PLAN_INIT);
	cr_expect_eq(plan_sync_sender(SYNC_GO), PLAN_PARENT);
}

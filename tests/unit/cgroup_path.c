/*
 * Where a container's cgroup belongs.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "libcontainer/cgroup/cgroup.h"
#include "libcontainer/host/host.h"

static struct arena arena;
static struct err err;

static void setup(void)
{
	cr_assert_eq(arena_init(&arena, NULL), 0);
}

static void teardown(void)
{
	arena_free(&arena);
}

TestSuite(cgroup_path, .init = setup, .fini = teardown);

static const struct host root = {.cgroup_mount = "/sys/fs/cgroup", .cgroup_own = "/user.slice/shell"};
static const struct host user = {
	.euid = 1000, .cgroup_mount = "/sys/fs/cgroup", .cgroup_own = "/user.slice/shell"};
static const struct host user_at_top = {.euid = 1000, .cgroup_mount = "/sys/fs/cgroup", .cgroup_own = "/"};

static int path_of(const struct host *host, const char *cgroups_path, const char *id, const char **path)
{
	err = (struct err){0};
	return cg_path(&arena, host, CG_CGROUPFS, cgroups_path, id, NULL, 0, path, &err);
}

static const struct {
	const struct host *host;
	const char *cgroups_path, *path;
} good[] = {
	{&root, NULL, "/crt/box"},
	{&root, "name", "/crt/name"},
	{&root, "a/b", "/crt/a/b"},
	{&root, "/a/b", "/a/b"},
	{&root, "//a/./b//", "/a/b"},
	{&root, "./x", "/crt/x"},
	{&root, "system.slice:docker:4cf4", "/crt/system.slice:docker:4cf4"},
	{&root, "/..a/b..", "/..a/b.."},
	{&user, NULL, "/user.slice/crt/box"},
	{&user, "a", "/user.slice/crt/a"},
	{&user, "/a", "/a"},
	{&user_at_top, NULL, "/crt/box"},
};

Test(cgroup_path, good)
{
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		const char *path = NULL;
		cr_assert_eq(path_of(good[i].host, good[i].cgroups_path, "box", &path), 0, "%s", err.message);
		cr_expect_str_eq(path, good[i].path, "%s", path);
	}
}

static const struct {
	const char *cgroups_path, *reason;
} bad[] = {
	{"/", "it names no cgroup of the container's own"},
	{"", "it names no cgroup of the container's own"},
	{".", "it names no cgroup of the container's own"},
	{"/./", "it names no cgroup of the container's own"},
	{"..", "\"..\" is not allowed in it"},
	{"/a/../b", "\"..\" is not allowed in it"},
	{"a/..", "\"..\" is not allowed in it"},
	{"/a\nb", "it contains a control character"},
	{"/a\x7f", "it contains a control character"},
};

Test(cgroup_path, bad)
{
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		const char *path = NULL;
		cr_assert_eq(path_of(&root, bad[i].cgroups_path, "box", &path), -EINVAL, "%s",
			bad[i].cgroups_path);
		const char *reason = strstr(err.message, "cannot be used: ");
		cr_assert_not_null(reason, "%s", err.message);
		cr_expect_str_eq(reason + strlen("cannot be used: "), bad[i].reason);
		cr_expect_null(path);
	}
}

Test(cgroup_path, too_long)
{
	char name[300], path[5000];
	const char *result;

	memset(name, 'a', sizeof(name));
	name[255] = '\0';
	cr_expect_eq(path_of(&root, name, "box", &result), 0);
	name[255] = 'a';
	name[256] = '\0';
	cr_expect_eq(path_of(&root, name, "box", &result), -EINVAL);
	cr_expect_not_null(strstr(err.message, "a name in it is longer than 255 bytes"));
	for (size_t i = 0; i < sizeof(path); i++)
		path[i] = i % 2 ? 'a' : '/';
	path[sizeof(path) - 1] = '\0';
	cr_expect_eq(path_of(&root, path, "box", &result), -EINVAL);
	cr_expect_not_null(strstr(err.message, "it is too long"));
}

Test(cgroup_path, no_cgroup_v2)
{
	struct host none = root;
	const char *path;

	none.cgroup_mount = NULL;
	cr_expect_eq(path_of(&none, NULL, "box", &path), -ENOENT);
	cr_expect_str_eq(err.message, "this host has no cgroup v2 mounted");
	cr_expect_not_null(strstr(err.hint, "mount -t cgroup2"));
}

Test(cgroup_path, below_our_own_unit)
{
	static const struct {
		const char *own, *cgroups_path, *path;
	} cases[] = {
		{"/system.slice/boat.service", NULL, "/system.slice/boat.service/payload/box"},
		{"/system.slice/boat.service/supervisor", NULL, "/system.slice/boat.service/payload/box"},
		{"/a.service", "/x/y", "/a.service/payload/x/y"},
		{"/a.service/notsupervisor", "x", "/a.service/notsupervisor/payload/x"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct host host = {.cgroup_mount = "/sys/fs/cgroup", .cgroup_own = cases[i].own};
		const char *path = NULL;
		cr_assert_eq(
			cg_path(&arena, &host, CG_SELF, cases[i].cgroups_path, "box", NULL, 0, &path, &err),
			0);
		cr_expect_str_eq(path, cases[i].path, "%s", path);
	}
}

Test(cgroup_path, there_is_no_unit)
{
	static const char *const places[] = {"/", "/../other.service", "/.."};

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		struct host host = {.cgroup_mount = "/sys/fs/cgroup", .cgroup_own = places[i]};
		const char *path = NULL;
		cr_expect_eq(cg_path(&arena, &host, CG_SELF, NULL, "box", NULL, 0, &path, &err), -ENOENT);
		cr_expect_null(path);
	}
}

Test(cgroup_path, managers)
{
	cr_expect_eq(cg_manager_find(NULL), CG_CGROUPFS);
	cr_expect_eq(cg_manager_find("self"), CG_SELF);
	cr_expect_eq(cg_manager_find("none"), CG_NONE);
	cr_expect_eq(cg_manager_find("disabled"), CG_NONE);
	cr_expect_eq(cg_manager_find("nobody"), -EINVAL);
	cr_expect_null(cg_manager_name(CG_CGROUPFS));
	cr_expect_str_eq(cg_manager_name(CG_SELF), "self");
}

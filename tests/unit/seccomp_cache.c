/*
 * The cache of compiled filters: what it returns, and what it must not trust.
 */
#include "tests/unit/seccomp_run.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "libcontainer/seccomp/cache.h"

static struct arena arena;
static struct report report;
static char dir[] = "/tmp/crt-unit-cache-XXXXXX";
static int dirfd_ = -1;
static struct sock_filter insns[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
static const struct seccomp_program kept = {.insns = insns, .count = 2};
static const struct seccomp_key key = {.text = "{\"some\": \"filter\"}", .length = 18};

static void setup(void)
{
	cr_assert_eq(arena_init(&arena, NULL), 0);
	report_init(&report, &arena);
	cr_assert_not_null(mkdtemp(dir));
	dirfd_ = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	cr_assert_geq(dirfd_, 0);
}

/* Call for each file of the cache; returns how many there are. */
static unsigned for_each_file(void (*call)(const char *name))
{
	DIR *d = opendir(dir);
	unsigned count = 0;

	for (struct dirent *e = readdir(d); e; e = readdir(d)) {
		if (e->d_name[0] == '.')
			continue;
		count++;
		if (call)
			call(e->d_name);
	}
	closedir(d);
	return count;
}

static void remove_file(const char *name)
{
	unlinkat(dirfd_, name, 0);
}

static void teardown(void)
{
	for_each_file(remove_file);
	cr_expect_eq(rmdir(dir), 0);
	close(dirfd_);
	arena_free(&arena);
}

TestSuite(seccomp_cache, .init = setup, .fini = teardown);

static bool find(void)
{
	struct seccomp_program found = {0};

	if (!seccomp_cache_find(dirfd_, &key, &arena, &found))
		return false;
	cr_expect_eq(found.count, kept.count);
	cr_expect_eq(memcmp(found.insns, kept.insns, sizeof(insns)), 0);
	return true;
}

static char file[NAME_MAX + 1];

static void note_name(const char *name)
{
	snprintf(file, sizeof(file), "%s", name);
}

/* Keep the program and note the file's name. */
static void keep(void)
{
	seccomp_cache_keep(dirfd_, &key, &kept);
	cr_assert_eq(for_each_file(note_name), 1);
}

static void overwrite(off_t at, const void *bytes, size_t length)
{
	fd_auto int fd = openat(dirfd_, file, O_WRONLY | O_CLOEXEC);

	cr_assert_eq(pwrite(fd, bytes, length, at), (ssize_t)length);
}

Test(seccomp_cache, what_is_kept_is_found)
{
	struct stat st;

	cr_expect_not(find());
	keep();
	cr_expect(find());
	cr_assert_eq(fstatat(dirfd_, file, &st, 0), 0);
	cr_expect_eq(st.st_mode & 07777, 0600);
	keep();
	cr_expect(find());
}

Test(seccomp_cache, another_key_finds_nothing)
{
	struct seccomp_program found;
	const struct seccomp_key others[] = {{"{\"some\": \"filteR\"}", 18}, {"{\"some\": \"filter\"}", 17},
		{"{\"some\": \"filter\"} ", 19}, {"", 0}};

	keep();
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		cr_expect_not(seccomp_cache_find(dirfd_, &others[i], &arena, &found), "%zu", i);
}

/* The name is only a hash: a file with it that was made of something else must not be used. */
Test(seccomp_cache, the_whole_key_is_compared)
{
	keep();
	overwrite(24 + 3, "X", 1);
	cr_expect_not(find());
	keep();
	cr_expect(find(), "it is replaced");
}

Test(seccomp_cache, each_field_of_the_header_counts)
{
	uint32_t value = 0x12345678;

	for (off_t at = 0; at < 24; at += 4) {
		keep();
		overwrite(at, &value, sizeof(value));
		cr_expect_not(find(), "at %d", (int)at);
	}
}

Test(seccomp_cache, a_program_must_be_whole_and_end)
{
	struct sock_filter load = BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0);

	keep();
	overwrite(24 + 18 + 8, &load, sizeof(load));
	cr_expect_not(find(), "the last instruction returns nothing");
	keep();
	overwrite(24 + 18 + 16, "x", 1);
	cr_expect_not(find(), "longer than it should be");
	for (off_t length = 0; length < 24 + 18 + 16; length += 7) {
		keep();
		fd_auto int fd = openat(dirfd_, file, O_WRONLY | O_CLOEXEC);
		cr_assert_eq(ftruncate(fd, length), 0);
		cr_expect_not(find(), "cut to %d", (int)length);
	}
}

Test(seccomp_cache, a_file_others_may_write_is_not_trusted)
{
	keep();
	cr_assert_eq(fchmodat(dirfd_, file, 0620, 0), 0);
	cr_expect_not(find());
	cr_assert_eq(fchmodat(dirfd_, file, 0602, 0), 0);
	cr_expect_not(find());
	cr_assert_eq(fchmodat(dirfd_, file, 0644, 0), 0);
	cr_expect(find());
	if (geteuid() == 0) {
		cr_assert_eq(fchownat(dirfd_, file, 12345, 0, 0), 0);
		cr_expect_not(find(), "another user's");
	}
}

Test(seccomp_cache, links_and_pipes_are_not_opened)
{
	keep();
	cr_assert_eq(renameat(dirfd_, file, dirfd_, "real"), 0);
	cr_assert_eq(symlinkat("real", dirfd_, file), 0);
	cr_expect_not(find());
	unlinkat(dirfd_, file, 0);
	cr_assert_eq(mkfifoat(dirfd_, file, 0600), 0);
	cr_expect_not(find(), "and it does not wait for a writer");
	unlinkat(dirfd_, file, 0);
	cr_assert_eq(mkdirat(dirfd_, file, 0700), 0);
	cr_expect_not(find());
	unlinkat(dirfd_, file, AT_REMOVEDIR);
}

Test(seccomp_cache, it_does_not_grow_for_ever)
{
	struct seccomp_program found;
	char text[32];

	for (unsigned i = 0; i < SECCOMP_CACHE_FILES + 20; i++) {
		struct seccomp_key k = {text, (size_t)snprintf(text, sizeof(text), "filter %u", i)};
		seccomp_cache_keep(dirfd_, &k, &kept);
		cr_assert(seccomp_cache_find(dirfd_, &k, &arena, &found));
	}
	cr_expect_eq(for_each_file(NULL), SECCOMP_CACHE_FILES);
}

Test(seccomp_cache, no_directory_is_no_error)
{
	struct seccomp_program found;

	seccomp_cache_keep(-1, &key, &kept);
	cr_expect_not(seccomp_cache_find(-1, &key, &arena, &found));
}

Test(seccomp_cache, compile_through_the_cache)
{
	const char *json = "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":[\"no_such_call\","
			   "\"getpid\"],"
			   "\"action\":\"SCMP_ACT_ALLOW\"}],\"flags\":[\"SECCOMP_FILTER_FLAG_LOG\"]}";
	struct seccomp_program cold, warm, plain;
	const struct json_doc *doc;
	const struct spec_seccomp *s = seccomp_parse(&arena, json, &doc);

	cr_assert_eq(seccomp_compile(&arena, s, doc, &report, &plain), 0);
	cr_assert_eq(seccomp_compile_cached(&arena, s, doc, dirfd_, &report, &cold), 0);
	cr_expect_eq(report.warnings, 2);
	cr_expect_eq(for_each_file(NULL), 1);
	cr_assert_eq(seccomp_compile_cached(&arena, s, doc, dirfd_, &report, &warm), 0);
	cr_expect_eq(report.warnings, 2, "a hit compiles nothing");
	cr_expect_eq(warm.count, plain.count);
	cr_expect_eq(memcmp(warm.insns, plain.insns, plain.count * sizeof(*plain.insns)), 0);
	cr_expect_eq(warm.flags, SECCOMP_FILTER_FLAG_LOG);
	cr_assert_eq(seccomp_compile_cached(&arena, s, doc, -1, &report, &cold), 0);
	cr_expect_eq(cold.count, plain.count);
}

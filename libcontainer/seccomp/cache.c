/*
 * cache.c - one file per filter: a header, the whole key, the program.
 *
 * The name is a hash of the key, but only says where to look: the key in the file must be the same byte for
 * byte, so no hash needs to be strong. Since a program that allows everything would look just as good, a file
 * counts only when it is a regular one that nobody but this user can have written.
 */
#include "libcontainer/seccomp/cache.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "libcontainer/seccomp/syscalls.h"

#define MAGIC   0x63727466u /* "crtf" */
#define VERSION 1u          /* changes whenever compile.c makes something else of the same text */

struct header {
	uint32_t magic;
	uint32_t version;
	uint32_t library; /* libseccomp's version */
	uint32_t arch;    /* enum spec_seccomp_arch */
	uint32_t key_length;
	uint32_t insn_count;
};

static struct header make_header(const struct seccomp_key *key, size_t insn_count)
{
	return (struct header){
		.magic = MAGIC,
		.version = VERSION,
		.library = seccomp_library_version(),
		.arch = seccomp_native_arch(),
		.key_length = (uint32_t)key->length,
		.insn_count = (uint32_t)insn_count,
	};
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
	hash = (hash ^ value) * 0x9E3779B97F4A7C15u;
	return hash ^ hash >> 29;
}

/* Eight bytes at a time: the text of a profile has ten thousand. */
static void make_name(const struct seccomp_key *key, char name[24])
{
	struct header header = make_header(key, 0);
	uint64_t hash = mix(mix(header.library, header.arch), mix(header.version, key->length));
	uint64_t word;
	size_t i;

	for (i = 0; i + sizeof(word) <= key->length; i += sizeof(word)) {
		memcpy(&word, key->text + i, sizeof(word));
		hash = mix(hash, word);
	}
	for (; i < key->length; i++)
		hash = mix(hash, (unsigned char)key->text[i]);
	snprintf(name, 24, "%016llx.bpf", (unsigned long long)hash);
}

static size_t file_size(const struct header *header)
{
	return sizeof(*header) + header->key_length + header->insn_count * sizeof(struct sock_filter);
}

static bool is_ours(const struct stat *st)
{
	return S_ISREG(st->st_mode) && st->st_uid == geteuid() && !(st->st_mode & (S_IWGRP | S_IWOTH));
}

/* Does this text begin with the header and key we would write, and end with a whole program? */
static bool is_valid(const char *text, size_t length, const struct seccomp_key *key)
{
	struct header header, wanted;

	if (length < sizeof(header))
		return false;
	memcpy(&header, text, sizeof(header));
	wanted = make_header(key, header.insn_count);
	if (memcmp(&header, &wanted, sizeof(header)) != 0)
		return false;
	return header.insn_count >= 1 && header.insn_count <= BPF_MAXINSNS && length == file_size(&header) &&
	       memcmp(text + sizeof(header), key->text, key->length) == 0;
}

bool seccomp_cache_find(
	int dirfd, const struct seccomp_key *key, struct arena *arena, struct seccomp_program *program)
{
	char name[24];
	struct stat st;
	struct header header;

	if (key->length > UINT32_MAX)
		return false;
	make_name(key, name);
	fd_auto int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0 || !is_ours(&st))
		return false;
	size_t max = sizeof(header) + key->length + BPF_MAXINSNS * sizeof(struct sock_filter);
	if (st.st_size <= 0 || (size_t)st.st_size > max)
		return false;
	char *text = arena_alloc(arena, (size_t)st.st_size);
	ssize_t length = fd_read(fd, text, (size_t)st.st_size);
	if (length != st.st_size || !is_valid(text, (size_t)length, key))
		return false;
	memcpy(&header, text, sizeof(header));
	struct sock_filter *insns = arena_array(arena, struct sock_filter, header.insn_count);
	memcpy(insns, text + sizeof(header) + key->length, header.insn_count * sizeof(*insns));
	if (BPF_CLASS(insns[header.insn_count - 1].code) != BPF_RET)
		return false;
	program->insns = insns;
	program->count = header.insn_count;
	return true;
}

/* When there are too many files, remove the one that was written first. */
static void make_room(int dirfd)
{
	fd_auto int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_Alignas(8) char entries[4096];
	char oldest[NAME_MAX + 1] = "";
	struct timespec oldest_time = {0};
	unsigned files = 0;
	ssize_t n;

	while (fd >= 0 && (n = getdents64(fd, entries, sizeof(entries))) > 0) {
		const struct dirent64 *e;
		for (ssize_t at = 0; at < n; at += e->d_reclen) {
			struct stat st;
			e = (const void *)(entries + at);
			if (e->d_type != DT_REG || fstatat(dirfd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
				continue;
			if (files++ && (st.st_mtim.tv_sec > oldest_time.tv_sec ||
					       (st.st_mtim.tv_sec == oldest_time.tv_sec &&
						       st.st_mtim.tv_nsec >= oldest_time.tv_nsec)))
				continue;
			oldest_time = st.st_mtim;
			snprintf(oldest, sizeof(oldest), "%s", e->d_name);
		}
	}
	if (files >= SECCOMP_CACHE_FILES)
		unlinkat(dirfd, oldest, 0);
}

void seccomp_cache_keep(int dirfd, const struct seccomp_key *key, const struct seccomp_program *program)
{
	struct header header = make_header(key, program->count);
	const struct iovec parts[] = {{&header, sizeof(header)}, {(char *)key->text, key->length},
		{program->insns, program->count * sizeof(*program->insns)}};
	char name[24];

	if (key->length > UINT32_MAX)
		return;
	make_name(key, name);
	make_room(dirfd);
	fd_replace_file_by(dirfd, name, parts, ARRAY_SIZE(parts), 0600);
}

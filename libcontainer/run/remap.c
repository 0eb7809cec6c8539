/*
 * remap.c - see remap.h.
 *
 * What others can reach of a process's program is /proc/PID/exe, and /proc/PID/map_files for what is mapped
 * of it. Both name a file as the kernel has it open, mount included. So a process comes to run from another
 * mount of its file when every mapping of it is replaced by one through that mount, and then the kernel is
 * told (PR_SET_MM_MAP, which refuses while a single mapping of the old file is left). That costs a tenth of
 * execve, which would have everything that happened since main() done again, and the C library's start with
 * it: on a virtual machine alone 0.4 ms for asking the processor what it is.
 *
 * What is only read is mapped anew at its place: the same bytes, so the code that does it can run on. What
 * has been written to (variables, relocations) is moved to memory that belongs to no file. A thread that
 * writes meanwhile would lose what it writes, so there must be none.
 */
#include "libcontainer/run/remap.h"

#include <errno.h>
#include <link.h>
#include <linux/capability.h>
#include <linux/prctl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/sys.h"

/* Made by the linker: the file this code is in, as it lies in memory. */
extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

struct range {
	uintptr_t start;
	size_t length;
	off_t offset; /* in the file */
};

static struct range pages_of(const ElfW(Phdr) * s, uintptr_t bias)
{
	uintptr_t page = (uintptr_t)getauxval(AT_PAGESZ), begin = bias + s->p_vaddr;
	uintptr_t start = begin & ~(page - 1), end = (begin + s->p_filesz + page - 1) & ~(page - 1);

	return (struct range){start, end - start, (off_t)(s->p_offset - (begin - start))};
}

static int map_again(const ElfW(Phdr) * s, struct range r, int fd)
{
	int protection = PROT_READ | (s->p_flags & PF_X ? PROT_EXEC : 0);
	void *p = mmap((void *)r.start, r.length, protection, MAP_PRIVATE | MAP_FIXED, fd, r.offset);

	return p == MAP_FAILED ? -errno : 0;
}

/* In between no variable may be written. */
static int move_out(struct range r)
{
	void *at = (void *)r.start;
	void *copy = mmap(
		NULL, r.length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (copy == MAP_FAILED)
		return -errno;
	memcpy(copy, at, r.length);
	void *p = mremap(copy, r.length, r.length, MREMAP_MAYMOVE | MREMAP_FIXED, at);
	return p == MAP_FAILED ? -errno : 0;
}

static int replace_mappings(const ElfW(Phdr) * segments, size_t count, uintptr_t bias, int fd)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < count; i++) {
		const ElfW(Phdr) *s = &segments[i];
		if (s->p_type == PT_LOAD && s->p_filesz)
			r = s->p_flags & PF_W ? move_out(pages_of(s, bias))
					      : map_again(s, pages_of(s, bias), fd);
	}
	for (size_t i = 0; r == 0 && i < count; i++) {
		if (segments[i].p_type != PT_GNU_RELRO)
			continue;
		uintptr_t page = (uintptr_t)getauxval(AT_PAGESZ), begin = bias + segments[i].p_vaddr;
		uintptr_t start = begin & ~(page - 1), end = (begin + segments[i].p_memsz) & ~(page - 1);
		if (end > start && mprotect((void *)start, end - start, PROT_READ) < 0)
			r = -errno;
	}
	return r;
}

/*
 * The call wants all that it could change. What `ps` shows stays where it is; the rest is for a debugger's
 * eyes, and the heap grows from where it is now.
 */
static int tell_kernel(int fd, char *const argv[])
{
	size_t argc = 1;

	while (argv[argc])
		argc++;
	uintptr_t base = (uintptr_t)&__ehdr_start, heap = (uintptr_t)sbrk(0);
	uintptr_t args_end = (uintptr_t)argv[argc - 1] + strlen(argv[argc - 1]) + 1;
	struct prctl_mm_map map = {
		.start_code = base,
		.end_code = base + 1,
		.start_data = base,
		.end_data = base,
		.start_brk = heap,
		.brk = heap,
		.start_stack = (uintptr_t)argv,
		.arg_start = (uintptr_t)argv[0],
		.arg_end = args_end,
		.env_start = args_end, /* the one follows the other, and then the program's name */
		.env_end = (uintptr_t)getauxval(AT_EXECFN),
		.exe_fd = (uint32_t)fd,
	};

	return syscall(SYS_prctl, PR_SET_MM, PR_SET_MM_MAP, &map, sizeof(map), 0) < 0 ? -errno : 0;
}

static const ElfW(Phdr) * segments_of_program(void)
{
	const void *segments = (const char *)&__ehdr_start + __ehdr_start.e_phoff;

#ifdef __SANITIZE_ADDRESS__
	return NULL; /* it watches over copies of whole segments */
#endif
	/* In a shared library they would be the library's. */
	return (uintptr_t)segments == getauxval(AT_PHDR) ? segments : NULL;
}

static bool may_tell_kernel(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {0};
	unsigned size = 0;

	/* Without CONFIG_CHECKPOINT_RESTORE the kernel does not know the call. */
	return syscall(SYS_prctl, PR_SET_MM, PR_SET_MM_MAP_SIZE, &size, 0, 0) == 0 &&
	       size == sizeof(struct prctl_mm_map) && syscall(SYS_capget, &header, data) == 0 &&
	       (data[0].effective & 1u << CAP_SYS_ADMIN);
}

int run_remap(int exe_fd, char *const argv[])
{
	const ElfW(Phdr) *segments = segments_of_program();
	uintptr_t bias = 0;

	if (!segments || !argv[0] || !may_tell_kernel())
		return -ENOTSUP;
	if (!sys_is_single_threaded())
		return -EBUSY;
	for (size_t i = 0; i < __ehdr_start.e_phnum; i++)
		if (segments[i].p_type == PT_LOAD && segments[i].p_offset == 0)
			bias = (uintptr_t)&__ehdr_start - segments[i].p_vaddr;
	int r = replace_mappings(segments, __ehdr_start.e_phnum, bias, exe_fd);
	return r < 0 ? r : tell_kernel(exe_fd, argv);
}

/*
 * diagnose_program.c - the program: is it there, may it be executed, what does it need to run, and is that
 * there? (execve(2), elf(5), fs/binfmt_script.c)
 *
 * A script needs the interpreter of its #! line, a dynamic executable the one that its program headers name;
 * an interpreter may be a script or dynamic in turn. Whatever errno the kernel gives is that of the first
 * file in this chain that does not do, so the chain is followed until something explains it.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/diagnose.h"
#include "base/fd.h"
#include "base/str.h"
#include "base/walk.h"

#define CHAIN_MAX   5   /* as deep as the kernel follows */
#define HEAD_SIZE   256 /* what the kernel reads of a file to know what it is */
#define HEADERS_MAX 64  /* program headers that are looked at */

#if defined(__x86_64__)
#define OWN_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define OWN_MACHINE EM_AARCH64
#elif defined(__riscv)
#define OWN_MACHINE EM_RISCV
#elif defined(__powerpc64__)
#define OWN_MACHINE EM_PPC64
#elif defined(__s390x__)
#define OWN_MACHINE EM_S390
#elif defined(__arm__)
#define OWN_MACHINE EM_ARM
#elif defined(__i386__)
#define OWN_MACHINE EM_386
#else
#define OWN_MACHINE EM_NONE
#endif

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define OWN_DATA ELFDATA2LSB
#else
#define OWN_DATA ELFDATA2MSB
#endif

static const struct {
	unsigned machine;
	const char *name;
} machines[] = {{EM_X86_64, "x86-64"}, {EM_386, "i386"}, {EM_AARCH64, "arm64"}, {EM_ARM, "arm"},
	{EM_RISCV, "riscv"}, {EM_PPC64, "ppc64"}, {EM_PPC, "ppc"}, {EM_S390, "s390x"}, {EM_MIPS, "mips"},
	{258, "loongarch"}, {EM_SPARCV9, "sparc64"}, {EM_BPF, "bpf"}};

/* One file of the chain. */
struct program {
	int errnum;
	char subject[768]; /* how a sentence about it begins */
	struct walk walk;
	char head[HEAD_SIZE + 1]; /* NUL-terminated */
	size_t head_length;
	bool readable;
	bool has_capabilities;
	char next[PATH_MAX]; /* the interpreter it needs; empty: none */
	struct str_buf cause, hint;
};

/* ---- ELF ---- */

static unsigned swap16(unsigned value, bool foreign)
{
	return foreign ? (value >> 8 & 0xff) | (value & 0xff) << 8 : value;
}

static void print_machine(struct str_buf *out, unsigned machine)
{
	for (size_t i = 0; i < ARRAY_SIZE(machines); i++)
		if (machines[i].machine == machine) {
			str_buf_add(out, "%s", machines[i].name);
			return;
		}
	str_buf_add(out, "machine %u", machine);
}

static bool is_elf(const struct program *p)
{
	return p->head_length >= sizeof(Elf32_Ehdr) && memcmp(p->head, ELFMAG, SELFMAG) == 0;
}

/* Why the kernel takes this ELF file for none of its own. */
static void wrong_elf(struct program *p)
{
	Elf32_Ehdr h; /* as far as it is read here the same as Elf64_Ehdr */

	memcpy(&h, p->head, sizeof(h));
	bool foreign = h.e_ident[EI_DATA] != OWN_DATA;
	unsigned machine = swap16(h.e_machine, foreign), type = swap16(h.e_type, foreign);
	if (machine != OWN_MACHINE || foreign) {
		str_buf_add(&p->cause, "%s is for ", p->subject);
		print_machine(&p->cause, machine);
		str_buf_add(&p->cause, ", this machine is ");
		print_machine(&p->cause, OWN_MACHINE);
		str_buf_add(
			&p->hint, "use an image for this machine, or an emulator (binfmt_misc, with flag F)");
	} else if (type != ET_EXEC && type != ET_DYN) {
		str_buf_add(&p->cause, "%s is an ELF file, but no program (type %u)", p->subject, type);
	} else {
		str_buf_add(&p->cause, "%s is a damaged ELF file", p->subject);
	}
}

/* One program header. Returns whether it is the one that names the interpreter, and where the name stands. */
static bool names_interpreter(int fd, const struct program *p, size_t index, uint64_t *at, uint64_t *size)
{
	bool wide = p->head[EI_CLASS] == ELFCLASS64;
	Elf64_Ehdr eh64;
	Elf32_Ehdr eh32;
	Elf64_Phdr ph64;
	Elf32_Phdr ph32;

	memcpy(&eh64, p->head, sizeof(eh64));
	memcpy(&eh32, p->head, sizeof(eh32));
	uint64_t offset = wide ? eh64.e_phoff + index * sizeof(ph64) : eh32.e_phoff + index * sizeof(ph32);
	ssize_t n = wide ? pread(fd, &ph64, sizeof(ph64), (off_t)offset)
			 : pread(fd, &ph32, sizeof(ph32), (off_t)offset);
	if (n != (ssize_t)(wide ? sizeof(ph64) : sizeof(ph32)))
		return false;
	*at = wide ? ph64.p_offset : ph32.p_offset;
	*size = wide ? ph64.p_filesz : ph32.p_filesz;
	return (wide ? ph64.p_type : ph32.p_type) == PT_INTERP;
}

static void find_elf_interpreter(int fd, struct program *p)
{
	uint64_t at, size;
	Elf64_Ehdr eh64;
	Elf32_Ehdr eh32;

	if (p->head_length < sizeof(eh64) || p->head[EI_DATA] != OWN_DATA)
		return;
	memcpy(&eh64, p->head, sizeof(eh64));
	memcpy(&eh32, p->head, sizeof(eh32));
	size_t count = p->head[EI_CLASS] == ELFCLASS64 ? eh64.e_phnum : eh32.e_phnum;
	for (size_t i = 0; i < count && i < HEADERS_MAX; i++) {
		if (!names_interpreter(fd, p, i, &at, &size))
			continue;
		if (size < 2 || size >= sizeof(p->next) ||
			pread(fd, p->next, (size_t)size, (off_t)at) != (ssize_t)size)
			size = 0;
		p->next[size] = '\0';
		return;
	}
}

/* ---- scripts ---- */

/* Returns true when the line itself explains the failure. */
static bool read_script_line(struct program *p)
{
	const char *name = p->head + 2 + strspn(p->head + 2, " \t");
	size_t length = strcspn(name, " \t\n");

	if (length == 0) {
		str_buf_add(&p->cause, "the #! line of %s names no interpreter", p->walk.path);
		return true;
	}
	if (!name[length] && p->head_length == HEAD_SIZE) {
		str_buf_add(&p->cause, "the #! line of %s is longer than the kernel reads", p->walk.path);
		return true;
	}
	if (name[length - 1] == '\r' && p->errnum == ENOENT) {
		str_buf_add(&p->cause,
			"the #! line of %s ends in a carriage return (CRLF): there is no \"%.*s\\r\"",
			p->walk.path, (int)length - 1, name);
		str_buf_add(&p->hint, "give the file Unix line ends: sed -i 's/\\r$//' FILE");
		return true;
	}
	memcpy(p->next, name, length);
	p->next[length] = '\0';
	return false;
}

/* ---- the file ---- */

static void not_allowed(struct program *p)
{
	const struct stat *st = &p->walk.st;
	bool is_program = S_ISREG(st->st_mode);
	struct statfs fs;

	if (S_ISDIR(st->st_mode)) {
		str_buf_add(&p->cause, "%s is a directory", p->subject);
	} else if (!is_program) {
		str_buf_add(&p->cause, "%s is not a regular file", p->subject);
	} else if (!(st->st_mode & 0111)) {
		str_buf_add(&p->cause, "%s (", p->subject);
		diagnose_mode(st, &p->cause);
		str_buf_add(&p->cause, ") may not be executed by anybody");
		str_buf_add(&p->hint, "chmod +x");
	} else if (fstatfs(p->walk.fd, &fs) == 0 && (fs.f_flags & ST_NOEXEC)) {
		str_buf_add(&p->cause, "%s is on a filesystem that is mounted noexec", p->subject);
	} else if (faccessat(p->walk.parent_fd, p->walk.name, X_OK, AT_EACCESS) < 0) {
		str_buf_add(&p->cause, "%s (", p->subject);
		diagnose_mode(st, &p->cause);
		str_buf_add(&p->cause, ") may not be executed by ");
		diagnose_caller(&p->cause);
	}
}

/* By the name that the walk has found, which may be anything by now: hence O_NONBLOCK and the look at it. */
static void read_head(struct program *p)
{
	fd_auto int fd = openat(
		p->walk.parent_fd, p->walk.name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	char value[64];
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return;
	ssize_t n = fd_read(fd, p->head, HEAD_SIZE);
	if (n < 0)
		return;
	p->readable = true;
	p->head_length = (size_t)n;
	p->has_capabilities = fgetxattr(fd, "security.capability", value, sizeof(value)) > 0;
	if (is_elf(p))
		find_elf_interpreter(fd, p);
}

static void wrong_format(struct program *p)
{
	if (!p->readable)
		return;
	if (p->head_length == 0) {
		str_buf_add(&p->cause, "%s is empty", p->subject);
	} else if (is_elf(p)) {
		wrong_elf(p);
	} else {
		str_buf_add(&p->cause, "%s is neither an ELF file nor a script with a #! line", p->subject);
		str_buf_add(&p->hint, "if it is a script, let it begin with a line such as #!/bin/sh");
	}
}

/* The kernel gives no file less than it demands. */
static void wrong_capabilities(struct program *p)
{
	if (!p->has_capabilities)
		return;
	str_buf_add(&p->cause,
		"%s has capabilities of its own (security.capability), and not all of them "
		"may be had here",
		p->subject);
	str_buf_add(&p->hint,
		"add them to process.capabilities.bounding, or take them from the file (setcap -r)");
}

static void hint_at_loader(struct program *p, const char *path)
{
	const char *base = strrchr(path, '/');
	const char *library = NULL;

	base = base ? base + 1 : path;
	if (str_starts(base, "ld-linux") || str_starts(base, "ld64"))
		library = "glibc";
	else if (str_starts(base, "ld-musl"))
		library = "musl";
	if (library)
		str_buf_add(&p->hint,
			"the program was linked against %s, which this image lacks: link it statically, or "
			"use an image that has it",
			library);
}

static void not_found(struct program *p, const char *path, bool is_interpreter)
{
	if (!is_interpreter) {
		diagnose_walk(&p->walk, &p->cause);
		return;
	}
	if (p->walk.end == WALK_MISSING && str_eq(p->walk.path, path)) {
		str_buf_add(&p->cause, "%s does not exist", p->subject);
	} else {
		str_buf_add(&p->cause, "%s cannot be reached: ", p->subject);
		diagnose_walk(&p->walk, &p->cause);
	}
	if (p->walk.end == WALK_MISSING)
		hint_at_loader(p, path);
}

/* Look at one file. Returns true when it explains the failure. */
static bool examine(struct program *p, const char *path, bool is_interpreter)
{
	if (p->walk.end != WALK_FOUND) {
		not_found(p, path, is_interpreter);
		return true;
	}
	if (p->errnum == EACCES)
		not_allowed(p);
	if (p->cause.length || S_ISDIR(p->walk.st.st_mode))
		return true;
	read_head(p);
	if (p->errnum == EPERM)
		wrong_capabilities(p);
	else if (str_starts(p->head, "#!"))
		return read_script_line(p);
	else if (p->errnum == ENOEXEC || p->errnum == ELIBBAD)
		wrong_format(p);
	return p->cause.length;
}

/* The end of the chain, and nothing wrong with any of its files. */
static void give_up(struct program *p)
{
	if (p->errnum == ENOENT && !p->readable)
		str_buf_add(&p->cause,
			"%s is there, and the interpreter that it needs is not; it may not be read to see "
			"which",
			p->subject);
	else if (p->errnum == EACCES)
		str_buf_add(&p->cause,
			"modes and mounts allow it; a security module (SELinux, AppArmor) may forbid it");
	else if (p->errnum == ETXTBSY)
		str_buf_add(&p->cause, "%s is open for writing", p->subject);
	else if (p->errnum == E2BIG)
		str_buf_add(&p->cause,
			"process.args and process.env are longer than a quarter of the stack's limit, or one "
			"of them than 128 KiB");
}

static void begin_sentence(struct program *p, const char *path, const char *role, const char *of, int depth)
{
	struct str_buf b;

	str_buf_init(&b, p->subject, sizeof(p->subject));
	if (depth == 0)
		str_buf_add(&b, "%.300s", p->walk.path);
	else if (depth == 1)
		str_buf_add(&b, "its %s interpreter %.300s", role, path);
	else
		str_buf_add(&b, "the %s interpreter %.300s of %.300s", role, path, of);
}

void diagnose_program(const char *path, int errnum, struct diagnosis *d)
{
	char wanted[PATH_MAX], of[PATH_MAX] = "";
	const char *role = "";
	bool explained = false;

	*d = (struct diagnosis){0};
	if (strlen(path) >= sizeof(wanted))
		return;
	memcpy(wanted, path, strlen(path) + 1);
	for (int depth = 0; depth < CHAIN_MAX && !explained && wanted[0]; depth++) {
		struct program p = {.errnum = abs(errnum)};
		str_buf_init(&p.cause, d->cause, sizeof(d->cause));
		str_buf_init(&p.hint, d->hint, sizeof(d->hint));
		walk_begin(&p.walk, AT_FDCWD, wanted);
		begin_sentence(&p, wanted, role, of, depth);
		explained = examine(&p, wanted, depth > 0);
		if (!explained && !p.next[0])
			give_up(&p);
		walk_end(&p.walk);
		role = is_elf(&p) ? "ELF" : "#!";
		memcpy(of, wanted, sizeof(of));
		memcpy(wanted, p.next, sizeof(wanted));
	}
	str_make_printable(d->cause);
	str_make_printable(d->hint);
}

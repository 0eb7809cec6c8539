/*
 * syscalls.h - architectures and the numbers their system calls have.
 */
#ifndef SECCOMP_SYSCALLS_H
#define SECCOMP_SYSCALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "specs/seccomp.h"

/* What a kernel can be entered as: a 64-bit x86 kernel runs i386 and x32 programs, too. */
enum seccomp_family {
	FAMILY_X86,
	FAMILY_ARM,
	FAMILY_LOONGARCH,
	FAMILY_M68K,
	FAMILY_MIPS,
	FAMILY_MIPSEL,
	FAMILY_PARISC,
	FAMILY_PPC,
	FAMILY_PPCLE,
	FAMILY_RISCV,
	FAMILY_S390,
	FAMILY_SH,
	FAMILY_SHEB,
};

struct seccomp_arch {
	enum spec_seccomp_arch spec;
	enum seccomp_family family;
	uint32_t token; /* libseccomp's */
	uint32_t audit; /* the kernel's, in seccomp_data.arch; x32 has x86_64's */
	uint32_t base;  /* its system calls are numbered from here */
	bool wide;      /* arguments have 64 bits */
};

/* NULL when libseccomp does not know the architecture. */
const struct seccomp_arch *seccomp_arch_find(enum spec_seccomp_arch spec);

/* This machine's; SPEC_ARCH_NONE when libseccomp does not know it. */
enum spec_seccomp_arch seccomp_native_arch(void);

/* Of the library that answers, as one number: 2.5.4 is 0x020504. */
uint32_t seccomp_library_version(void);

/* The number 0xffffffff, by which a tracer has a call skipped, is nobody's. */
#define SECCOMP_NO_NR UINT32_MAX

/* Where a system call comes in: at its own number, and as a function of socketcall or ipc. */
struct seccomp_entry {
	uint32_t direct;      /* or SECCOMP_NO_NR */
	uint32_t multiplexer; /* the number of socketcall or ipc, or SECCOMP_NO_NR ... */
	uint32_t function;    /* ... and the value of its first argument */
};

/* The own numbers of calls that libseccomp only knows as functions of socketcall and ipc, looked up once. */
struct seccomp_direct {
	bool ready;
	uint32_t socketcall[32]; /* 0: none */
	uint32_t ipc[32];
};

/* Returns false when nobody knows a system call of that name, on any architecture. */
bool seccomp_resolve(const struct seccomp_arch *arch, const char *name, struct seccomp_direct *direct,
	struct seccomp_entry *entry);

#endif

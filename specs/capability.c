/*
 * capability.c - see capability.h. The order is the kernel's numbering (linux/capability.h).
 */
#include "specs/capability.h"

#include <linux/capability.h>
#include <stdio.h>
#include <strings.h>

static const char *const names[] = {
	NULL,
	"CAP_CHOWN",
	"CAP_DAC_OVERRIDE",
	"CAP_DAC_READ_SEARCH",
	"CAP_FOWNER",
	"CAP_FSETID",
	"CAP_KILL",
	"CAP_SETGID",
	"CAP_SETUID",
	"CAP_SETPCAP",
	"CAP_LINUX_IMMUTABLE",
	"CAP_NET_BIND_SERVICE",
	"CAP_NET_BROADCAST",
	"CAP_NET_ADMIN",
	"CAP_NET_RAW",
	"CAP_IPC_LOCK",
	"CAP_IPC_OWNER",
	"CAP_SYS_MODULE",
	"CAP_SYS_RAWIO",
	"CAP_SYS_CHROOT",
	"CAP_SYS_PTRACE",
	"CAP_SYS_PACCT",
	"CAP_SYS_ADMIN",
	"CAP_SYS_BOOT",
	"CAP_SYS_NICE",
	"CAP_SYS_RESOURCE",
	"CAP_SYS_TIME",
	"CAP_SYS_TTY_CONFIG",
	"CAP_MKNOD",
	"CAP_LEASE",
	"CAP_AUDIT_WRITE",
	"CAP_AUDIT_CONTROL",
	"CAP_SETFCAP",
	"CAP_MAC_OVERRIDE",
	"CAP_MAC_ADMIN",
	"CAP_SYSLOG",
	"CAP_WAKE_ALARM",
	"CAP_BLOCK_SUSPEND",
	"CAP_AUDIT_READ",
	"CAP_PERFMON",
	"CAP_BPF",
	"CAP_CHECKPOINT_RESTORE",
	NULL,
};

_Static_assert(sizeof(names) / sizeof(names[0]) == SPEC_CAPABILITY_COUNT + 2, "one name for each capability");
_Static_assert(CAP_CHECKPOINT_RESTORE == SPEC_CAPABILITY_COUNT - 1, "the last name is the last capability");

const struct spec_names spec_capability_names = SPEC_NAMES("capability", names);

const char *spec_capability_name(unsigned number)
{
	return number < SPEC_CAPABILITY_COUNT ? names[number + 1] : NULL;
}

int spec_capability_number(const char *name)
{
	for (int number = 0; number < SPEC_CAPABILITY_COUNT; number++) {
		const char *full = names[number + 1];
		if (strcasecmp(name, full) == 0 || strcasecmp(name, full + sizeof("CAP_") - 1) == 0)
			return number;
	}
	return -1;
}

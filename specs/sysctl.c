/*
 * sysctl.c - which sysctls a container may set (config-linux.md, "Sysctl"; sysctl.d(5) for the spelling).
 *
 * Only those that the kernel keeps per namespace, and only when the container has that namespace: any other
 * would change the host. A name becomes a path below /proc/sys, so nothing that could lead out of it gets
 * through (CVE-2022-0811 was such a value).
 */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "specs/check.h"
#include "specs/linux.h"

static const struct {
	const char *path; /* ends with '/': the whole directory */
	enum spec_namespace_type type;
} namespaced[] = {
	{"net/", SPEC_NS_NETWORK},
	{"fs/mqueue/", SPEC_NS_IPC},
	{"kernel/msgmax", SPEC_NS_IPC},
	{"kernel/msgmnb", SPEC_NS_IPC},
	{"kernel/msgmni", SPEC_NS_IPC},
	{"kernel/msg_next_id", SPEC_NS_IPC},
	{"kernel/sem", SPEC_NS_IPC},
	{"kernel/sem_next_id", SPEC_NS_IPC},
	{"kernel/shmall", SPEC_NS_IPC},
	{"kernel/shmmax", SPEC_NS_IPC},
	{"kernel/shmmni", SPEC_NS_IPC},
	{"kernel/shm_next_id", SPEC_NS_IPC},
	{"kernel/shm_rmid_forced", SPEC_NS_IPC},
	{"kernel/domainname", SPEC_NS_UTS},
	{"kernel/hostname", SPEC_NS_UTS},
	{"user/", SPEC_NS_USER},
};

/* No part of the path may be empty, "." or "..". */
static bool is_clean(const char *path)
{
	for (;;) {
		size_t n = strcspn(path, "/");
		if (n == 0 || (n == 1 && path[0] == '.') || (n == 2 && path[0] == '.' && path[1] == '.'))
			return false;
		if (!path[n])
			return true;
		path += n + 1;
	}
}

int spec_sysctl_path(const char *name, char *buf, size_t size)
{
	size_t length = strlen(name);
	size_t first = strcspn(name, "./");
	bool swap = name[first] == '.'; /* "net.ipv4.conf.eth0/1.forwarding": the '/' stands for a '.' */

	if (length >= size || strstr(name, "..") || strpbrk(name, " \t\n"))
		return -EINVAL;
	for (size_t i = 0; i <= length; i++)
		buf[i] = !swap || !name[i] || !strchr("./", name[i]) ? name[i] : name[i] == '.' ? '/' : '.';
	return is_clean(buf) ? 0 : -EINVAL;
}

enum spec_namespace_type spec_sysctl_namespace(const char *name)
{
	char path[256];

	if (spec_sysctl_path(name, path, sizeof(path)) < 0)
		return SPEC_NS_NONE;
	for (size_t i = 0; i < ARRAY_SIZE(namespaced); i++) {
		const char *known = namespaced[i].path;
		bool directory = known[strlen(known) - 1] == '/';
		if (directory ? str_starts(path, known) : str_eq(path, known))
			return namespaced[i].type;
	}
	return SPEC_NS_NONE;
}

static void check_sysctl(const struct json_doc *doc, const struct spec_linux *linux_,
	const struct spec_pair *p, struct report *report)
{
	enum spec_namespace_type type = spec_sysctl_namespace(p->key);
	char path[256];

	if (spec_sysctl_path(p->key, path, sizeof(path)) < 0)
		json_problem_key(
			report, REPORT_ERROR, doc, p->node, "not the name of a sysctl: \"%s\"", p->key);
	else if (type == SPEC_NS_NONE)
		json_problem_key(report, REPORT_ERROR, doc, p->node,
			"the sysctl %s is the whole host's, not a namespace's, and cannot be set for a "
			"container",
			p->key);
	else if (spec_namespace_lacks(doc, linux_, type))
		err_hint(json_problem_key(report, REPORT_ERROR, doc, p->node,
				 "the sysctl %s belongs to the %s namespace, which here is the host's",
				 p->key, spec_namespace_name(type)),
			"add {\"type\": \"%s\"} to linux.namespaces", spec_namespace_name(type));
	else if (str_eq(path, "kernel/hostname"))
		err_hint(json_problem_key(report, REPORT_ERROR, doc, p->node,
				 "the host name cannot be set as a sysctl"),
			"use the member \"hostname\" of the document");
}

int spec_sysctls_check(const struct json_doc *doc, const struct spec_linux *linux_, struct report *report)
{
	unsigned errors = report->errors;

	for (size_t i = 0; i < linux_->sysctl_count; i++)
		check_sysctl(doc, linux_, &linux_->sysctl[i], report);
	return spec_check_result(report, errors);
}

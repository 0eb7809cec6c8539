/*
 * label.c - what security modules call the process and its files (config.md, "Linux Process":
 * apparmorProfile, selinuxLabel; config-linux.md, "Mount Label").
 *
 * The label is taken at execve. It is set after the hooks, which would run under it, and before no_new_privs,
 * with which the module may refuse it; and before the limits on files, since procfs must be opened.
 */
#include <string.h>

#include "base/str.h"
#include "libcontainer/plan/compile.h"

static void check(const struct host *host, const struct json_doc *doc, struct report *report,
	const char *value, uint32_t node, const char *member, const char *module)
{
	if (value && *value && (host->known & HOST_LSM) && !str_has_word(host->lsm, module))
		json_error(report, doc, spec_at(doc, node, member),
			"the security module \"%s\" is not active on this host%s", module,
			str_eq(module, "selinux") ? ", or has no policy" : "");
}

bool plan_needs_lsm(const struct spec_config *config, const struct spec_process *process)
{
	const char *const labels[] = {process ? process->apparmor_profile : NULL,
		process ? process->selinux_label : NULL, config->linux_->mount_label};

	for (size_t i = 0; i < ARRAY_SIZE(labels); i++)
		if (labels[i] && *labels[i])
			return true;
	return false;
}

void plan_check_lsm(const struct spec_config *config, const struct host *host, struct report *report)
{
	const struct spec_process *p = config->process;
	const struct spec_linux *l = config->linux_;

	if (p) {
		check(host, config->doc, report, p->apparmor_profile, p->node, "apparmorProfile", "apparmor");
		check(host, config->doc, report, p->selinux_label, p->node, "selinuxLabel", "selinux");
	}
	check(host, config->doc, report, l->mount_label, l->node, "mountLabel", "selinux");
}

static void emit(struct plan_compiler *c, const char *member, const char *what, const char *name,
	const char *file, const char *text)
{
	struct plan_op *op = plan_emit(
		c, OP_LABEL, PLAN_INIT, spec_at(c->doc, c->config->process->node, member));

	op->label.what = what;
	op->label.name = name;
	op->label.file = file;
	op->label.text = text;
}

void plan_labels(struct plan_compiler *c)
{
	const struct spec_process *p = c->config->process;

	if (p->apparmor_profile && *p->apparmor_profile)
		emit(c, "apparmorProfile", "AppArmor profile", p->apparmor_profile, "apparmor/exec",
			arena_printf(c->arena, "exec %s", p->apparmor_profile));
	if (p->selinux_label && *p->selinux_label)
		emit(c, "selinuxLabel", "SELinux label", p->selinux_label, "exec", p->selinux_label);
}

/* These have labels of the policy's own, or none. */
bool plan_takes_context(const char *type)
{
	static const char *const without[] = {"proc", "sysfs", "cgroup2", "mqueue", NULL};

	return !str_is_one_of(type, without);
}

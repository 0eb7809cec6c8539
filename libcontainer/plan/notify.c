/*
 * notify.c - NOTIFY_SOCKET (sd_notify(3)): a socket of ours in the container, so that it can say that it is
 * ready and never holds the service manager's own. The folder with the socket is bound, not the socket: that
 * is made when somebody starts the container and listens (libcontainer/run/notify.c). As runc has it, the
 * place is /run/notify, and the variable says so.
 */
#include <string.h>

#include "base/str.h"
#include "libcontainer/plan/compile.h"

void plan_notify(struct plan_compiler *c)
{
	static const char *const words[] = {"bind", "ro", "nosuid", "nodev", "noexec"};
	size_t count = c->config->mounts_count;

	/* Mounts that are joined are somebody else's. */
	if (!c->options->notify_dir || !c->own_mounts)
		return;
	struct spec_config *config = arena_new(c->arena, struct spec_config);
	struct spec_mount *mounts = arena_array(c->arena, struct spec_mount, count + 1);
	const char **options = arena_array(c->arena, const char *, ARRAY_SIZE(words));
	memcpy(options, words, sizeof(words));
	*config = *c->config;
	if (count)
		memcpy(mounts, config->mounts, count * sizeof(*mounts));
	mounts[count] = (struct spec_mount){.destination = PLAN_NOTIFY_DIR,
		.type = "bind",
		.source = c->options->notify_dir,
		.options = options,
		.options_count = ARRAY_SIZE(words)};
	config->mounts = mounts;
	config->mounts_count = count + 1;
	c->config = config;
}

/*
 * listener.c - who is notified by a seccomp filter gets its listener (config-linux.md, "Seccomp" and "The
 * Container Process State"): one connection, one message, one fd.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "libcontainer/run/create.h"
#include "specs/json.h"

/* `start` knows the document only by the copy that create has left. */
static int find_document(
	const struct run_listener *listener, const struct spec_config **config, struct err *err)
{
	struct report report;

	*config = listener->config;
	if (*config)
		return 0;
	report_init(&report, listener->arena);
	int r = spec_config_read(
		listener->arena, listener->dir_fd, STATE_CONFIG, "config.json", &report, config);
	if (r < 0) {
		err_set(err, -r, "cannot read the container's config.json");
		report_first_error(&report, err);
	}
	return r;
}

static const char *process_state(
	const struct run_listener *listener, const struct spec_seccomp *seccomp, size_t *length)
{
	const char *fds[] = {"seccompFd"};
	struct spec_state state = run_state(listener->state, listener->status);
	struct spec_container_process_state text = {
		.oci_version = state.oci_version,
		.fds = fds,
		.fds_count = 1,
		.pid = listener->pid,
		.metadata = seccomp->listener_metadata,
		.state = &state,
	};

	return spec_container_process_state_text(listener->arena, &text, length);
}

int run_hand_over_listener(const struct run_listener *listener, int fd, struct err *err)
{
	const struct spec_config *config = NULL;
	size_t length;

	int r = find_document(listener, &config, err);
	if (r < 0)
		return r;
	const struct spec_seccomp *seccomp = config->linux_->seccomp;
	if (fd < 0 || !seccomp || !seccomp->listener_path)
		return err_set(err, EPROTO, "the container's init sent no seccomp listener");
	const char *text = process_state(listener, seccomp, &length);
	r = fd_send_over(seccomp->listener_path, text, length, fd);
	if (r == 0)
		return 0;
	err_sys(err, r, "cannot hand the seccomp listener to %s", seccomp->listener_path);
	if (err)
		json_where(config->doc, spec_at(config->doc, seccomp->node, "listenerPath"), &err->where);
	if (r == -ENOENT || r == -ECONNREFUSED)
		err_hint(err, "nobody listens there: start the agent first");
	return err_phase(err, "start");
}

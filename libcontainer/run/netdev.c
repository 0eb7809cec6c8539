/*
 * netdev.c - network devices for the container (linux.netDevices), moved by crt-netdev.
 *
 * From the program's start on, devices belong to whoever has the network namespace: the kernel gives those of
 * hardware back to the host when the namespace ends, and others end with it. The specification forbids more.
 * But when the container does not come about, each goes back to where it was, as what it was; so the
 * namespace is kept open until then, since init, and the namespace with it, may end first.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/libexec.h"
#include "base/str.h"
#include "libcontainer/run/create.h"
#include "specs/json.h"

#define PROGRAM    "crt-netdev"
#define TIMEOUT_MS 10000

struct run_net_device {
	struct run_net_device *next; /* that was moved before */
	const struct plan_op *op;
	char inside[IFNAMSIZ]; /* its name there, when a pattern was given */
	char state[8];         /* "up" or "down": what it was */
};

static int open_namespace(struct run *run, uint32_t slot)
{
	char path[64];

	if (run->netns_fd >= 0)
		return 0;
	if (slot != PLAN_NO_SLOT) {
		run->netns_fd = fcntl(run->plan->fds[slot], F_DUPFD_CLOEXEC, 3);
	} else {
		snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)run->pid);
		run->netns_fd = open(path, O_RDONLY | O_CLOEXEC);
	}
	return run->netns_fd < 0 ? -errno : 0;
}

/* The program inherits no fd, so it opens ours. Returns 0 or -errno; what it has said is in the result. */
static int call(struct run *run, const char *const *words, size_t count, struct child_result *result)
{
	char netns[64];
	const char *argv[8] = {PROGRAM};
	size_t n = 1;

	snprintf(netns, sizeof(netns), "/proc/%d/fd/%d", (int)getpid(), run->netns_fd);
	for (size_t i = 0; i < count; i++)
		argv[n++] = words[i] ? words[i] : netns;
	int r = libexec_run(PROGRAM, (char *const *)argv, NULL, TIMEOUT_MS, result);
	if (r == 0 && result->timed_out)
		r = -ETIMEDOUT;
	if (r == 0 && result->status != 0)
		r = WIFEXITED(result->status) ? -WEXITSTATUS(result->status) : -EIO;
	return r;
}

static int move_failed(
	struct run *run, const struct plan_op *op, int r, const struct child_result *result, struct err *err)
{
	bool missing = r == -ENOENT && !result->output[0];

	run_op_error(run, op, r, missing ? "running " PROGRAM : "", err);
	if (result->output[0]) {
		char text[128];
		plan_print_op(op, text, sizeof(text));
		err_set(err, -r, "cannot %s: %s", text, result->output);
		if (op->node && err)
			json_where(run->plan->doc, op->node, &err->where);
		err_phase(err, "create");
	}
	return missing ? err_hint(err, "it comes with crt: make install puts it into the libexec folder") : r;
}

int run_move_net_device(struct run *run, const struct plan_op *op, struct err *err)
{
	const char *words[] = {NULL, op->move_net_device.name, op->move_net_device.new_name};
	struct run_net_device *device = arena_new(run->arena, struct run_net_device);
	struct child_result result = {0};

	int r = open_namespace(run, op->move_net_device.slot);
	if (r < 0)
		return run_op_error(run, op, r, "opening the network namespace", err);
	r = call(run, words, ARRAY_SIZE(words), &result);
	if (r < 0)
		return move_failed(run, op, r, &result, err);
	if (sscanf(result.output, "%15s %7s", device->inside, device->state) != 2)
		return run_op_error(run, op, EPROTO, result.output, err);
	device->op = op;
	device->next = run->moved;
	run->moved = device;
	return 0;
}

void run_return_net_devices(struct run *run)
{
	for (const struct run_net_device *d = run->moved; d && run->netns_fd >= 0; d = d->next) {
		const char *words[] = {"--back", NULL, d->inside, d->op->move_net_device.name, d->state};
		struct child_result result;
		int r = call(run, words, ARRAY_SIZE(words), &result);
		if (r < 0)
			err_set(report_add(&run->report, REPORT_WARNING), -r,
				"cannot give the network device %s back: %s", words[3],
				result.output[0] ? result.output : str_errno(-r));
	}
	run->moved = NULL;
	fd_close(&run->netns_fd);
}

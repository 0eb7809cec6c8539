/*
 * systemd.h - asking systemd, through the program crt-systemd: crt is linked statically, and libsystemd is
 * not.
 */
#ifndef RUN_SYSTEMD_H
#define RUN_SYSTEMD_H

#include <stdbool.h>

#include "base/err.h"

struct plan_op;
struct run;

struct systemd_request {
	const char *verb; /* "start", "set" or "stop" */
	const char *unit;
	bool user;              /* the user's service manager */
	const char *properties; /* lines, see cg_properties(); NULL: none */
	int timeout_ms;
};

/*
 * Make one request and wait for its end. Returns 0 or -errno: ENOENT (the program is missing), ECONNREFUSED
 * (no systemd to ask), EEXIST (the unit is there), ETIMEDOUT, EIO (systemd refuses; its words are in the
 * error).
 */
int systemd_request(const struct systemd_request *request, struct err *err);

/* START_UNIT: the unit, with the process in it that will clone init; and the container's cgroup below. */
int run_start_unit(struct run *run, const struct plan_op *op, struct err *err);

#endif

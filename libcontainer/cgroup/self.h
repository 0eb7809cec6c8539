/*
 * self.h - the two cgroups that a unit's own is split into.
 */
#ifndef CGROUP_SELF_H
#define CGROUP_SELF_H

#define CG_SUPERVISOR "supervisor" /* the processes that were there */
#define CG_PAYLOAD    "payload"    /* a cgroup for each container */

#endif

/*
 * print.h - the printers of all operations, one for each row of ops.def, by what they are about:
 * print_namespace.c, print_mount.c, print_process.c. Internal to plan/.
 */
#ifndef PLAN_PRINT_H
#define PLAN_PRINT_H

#include "base/str.h"
#include "libcontainer/plan/plan.h"

#define OP(NAME, name, who) void plan_print_##name(struct str_buf *out, const struct plan_op *op);
#include "libcontainer/plan/ops.def"
#undef OP

/* A command's words, as a shell would want them. The list ends with NULL. */
void plan_print_strings(struct str_buf *out, char *const *list);

#endif

/*
 * capability.h - the kernel's capabilities by name (capabilities(7)), Linux 5.14 and later: 41 of them.
 */
#ifndef SPECS_CAPABILITY_H
#define SPECS_CAPABILITY_H

#include "specs/types.h"

#define SPEC_CAPABILITY_COUNT 41
#define SPEC_CAPABILITY_ALL   (((uint64_t)1 << SPEC_CAPABILITY_COUNT) - 1)

/* Value n+1 is the kernel's capability n, so that a spec_set's mask is the kernel's. */
extern const struct spec_names spec_capability_names;

/* "CAP_CHOWN" for 0; NULL when the number is unknown. */
const char *spec_capability_name(unsigned number);

/* The number for "CAP_CHOWN", "cap_chown" or "chown" (as the exec command takes them); -1 when unknown. */
int spec_capability_number(const char *name);

#endif

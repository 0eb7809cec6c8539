/*
 * specs_capability.c - our table of capabilities against libcap's.
 */
#include "specs/capability.h"

#include <criterion/criterion.h>
#include <ctype.h>
#include <string.h>
#include <sys/capability.h>

Test(specs_capability, names_are_libcaps)
{
	for (cap_value_t cap = 0; cap < SPEC_CAPABILITY_COUNT; cap++) {
		char *name = cap_to_name(cap);
		char upper[64] = "";

		cr_assert(name);
		for (size_t i = 0; name[i] && i < sizeof(upper) - 1; i++)
			upper[i] = (char)toupper((unsigned char)name[i]);
		cr_expect_str_eq(spec_capability_name((unsigned)cap), upper);
		cr_expect_eq(spec_capability_number(name), cap, "%s", name);
		cr_expect_eq(spec_capability_number(name + 4), cap, "%s without its prefix", name);
		cap_free(name);
	}
}

Test(specs_capability, numbers_beyond_the_last)
{
	cr_expect_null(spec_capability_name(SPEC_CAPABILITY_COUNT));
	cr_expect_null(spec_capability_name(64));
	cr_expect_eq(spec_capability_number("CAP_NO_SUCH"), -1);
	cr_expect_eq(spec_capability_number(""), -1);
	cr_expect_eq(spec_capability_number("cap_"), -1);
}

/*
 * annotation.c - see annotation.h.
 */
#include "specs/annotation.h"

#include "base/str.h"
#include "specs/check.h"

#define ROW(name, kind, member)                                                                              \
	{                                                                                                    \
		name, SPEC_ANNOTATION_##kind, offsetof(struct spec_annotations, member)                      \
	}
const struct spec_annotation spec_annotations_known[] = {
	{"org.systemd.property.", SPEC_ANNOTATION_UNIT, 0}, /* and whatever follows */
	ROW("run.oci.hooks.stderr", PATH, hooks_stderr),
	ROW("run.oci.hooks.stdout", PATH, hooks_stdout),
	ROW("run.oci.keep_original_groups", FLAG, keep_original_groups),
	ROW("run.oci.mount_context_type", CONTEXT, mount_context_type),
	ROW("run.oci.pidfd_receiver", PATH, pidfd_receiver),
	ROW("run.oci.seccomp.receiver", PATH, seccomp_receiver),
	ROW("run.oci.seccomp_fail_unknown_syscall", FLAG, seccomp_fail_unknown),
	{"run.oci.systemd.subgroup", SPEC_ANNOTATION_UNIT, 0},
};
const size_t spec_annotations_count = ARRAY_SIZE(spec_annotations_known);

static const char *const context_types[] = {"context", "fscontext", "defcontext", "rootcontext", NULL};

/* What is wrong with the value; NULL: nothing. */
static const char *take_value(const struct spec_annotation *row, const char *value, void *member)
{
	switch (row->kind) {
	case SPEC_ANNOTATION_UNIT:
		return NULL;
	case SPEC_ANNOTATION_FLAG:
		if (!str_eq(value, "1") && !str_eq(value, "0"))
			return "must be \"1\" or \"0\"";
		*(bool *)member = value[0] == '1';
		return NULL;
	case SPEC_ANNOTATION_PATH:
		if (value[0] != '/')
			return "must be an absolute path";
		break;
	case SPEC_ANNOTATION_CONTEXT:
		if (!str_is_one_of(value, context_types))
			return "must be \"context\", \"fscontext\", \"defcontext\" or \"rootcontext\"";
		break;
	}
	*(const char **)member = value;
	return NULL;
}

void spec_annotations_read(const struct spec_pair *pairs, size_t count, const struct json_doc *doc,
	struct report *report, struct spec_annotations *annotations)
{
	for (size_t i = 0; i < count; i++) {
		if (!str_starts(pairs[i].key, "run.oci."))
			continue;
		for (size_t k = 0; k < spec_annotations_count; k++) {
			const struct spec_annotation *row = &spec_annotations_known[k];
			if (!str_eq(pairs[i].key, row->name))
				continue;
			const char *wrong = take_value(
				row, pairs[i].value, (char *)annotations + row->offset);
			if (wrong && report)
				json_error(
					report, doc, pairs[i].node, "%s, is \"%s\"", wrong, pairs[i].value);
		}
	}
}

/*
 * annotation.c - see annotation.h.
 */
#include "specs/annotation.h"

#include <errno.h>

#include "base/str.h"
#include "specs/check.h"

#define INSN_SIZE 8    /* of struct sock_filter */
#define INSNS_MAX 4096 /* BPF_MAXINSNS */

#define ROW(name, kind, member, help)                                                                        \
	{                                                                                                    \
		name, SPEC_ANNOTATION_##kind, offsetof(struct spec_annotations, member), help                \
	}
const struct spec_annotation spec_annotations_known[] = {
	{"org.systemd.property.", SPEC_ANNOTATION_UNIT, 0, /* and whatever follows */
		"With the name of a property after it: a property of the container's unit of systemd, in "
		"GVariant's "
		"text format. See --cgroup-manager in crt(1)."},
	ROW("run.oci.delegate-cgroup", CGROUP, delegate_cgroup,
		"A path below the container's cgroup. The container's process is moved into that cgroup, "
		"which is "
		"made, before it runs, and all controllers are handed down to it; no limit is set there: it "
		"is the "
		"container's to manage. A cgroup namespace still has the container's cgroup, which has the "
		"limits, "
		"as its root. A process of exec goes there, too."),
	ROW("run.oci.hooks.stderr", PATH, hooks_stderr,
		"The file that hooks outside of the container have as standard error. It is appended to, and "
		"made "
		"if missing."),
	ROW("run.oci.hooks.stdout", PATH, hooks_stdout, "The same for standard output."),
	ROW("run.oci.keep_original_groups", FLAG, keep_original_groups,
		"The container's process keeps the groups of who calls crt, and process.user.additionalGids "
		"is "
		"ignored."),
	ROW("run.oci.mount_context_type", CONTEXT, mount_context_type,
		"The mount option by which a new filesystem gets linux.mountLabel; the default is context."),
	ROW("run.oci.pidfd_receiver", PATH, pidfd_receiver,
		"A socket that gets the pidfd of the container's process, as with --pidfd-socket."),
	ROW("run.oci.seccomp.receiver", PATH, seccomp_receiver,
		"linux.seccomp.listenerPath for a document without one."),
	ROW("run.oci.seccomp_bpf_data", FILTER, seccomp_filter,
		"A filter for seccomp(2), struct sock_filter after struct sock_filter, in base64. It is "
		"loaded as "
		"it is, without flags and listener, and linux.seccomp is ignored."),
	ROW("run.oci.seccomp_fail_unknown_syscall", FLAG, seccomp_fail_unknown,
		"A system call in linux.seccomp that nobody knows is an error, and not only a note."),
	{"run.oci.systemd.subgroup", SPEC_ANNOTATION_UNIT, 0,
		"The name of the container's cgroup below that of its unit, instead of container. Empty: it "
		"is the "
		"unit's own."},
};
const size_t spec_annotations_count = ARRAY_SIZE(spec_annotations_known);

static const char *const context_types[] = {"context", "fscontext", "defcontext", "rootcontext", NULL};

static const char *take_filter(struct arena *arena, const char *value, struct spec_filter *filter)
{
	const size_t room = INSN_SIZE * INSNS_MAX;
	unsigned char *bytes = arena_alloc(arena, room);
	int64_t length = str_from_base64(value, bytes, room);

	if (length == -ERANGE)
		return "must have no more than 4096 instructions";
	if (length <= 0 || length % INSN_SIZE)
		return "must be base64 of instructions of 8 bytes each";
	filter->insns = bytes;
	filter->length = (size_t)length;
	return NULL;
}

/* What is wrong with the value; NULL: nothing. */
static const char *take_value(
	struct arena *arena, const struct spec_annotation *row, const char *value, void *member)
{
	switch (row->kind) {
	case SPEC_ANNOTATION_UNIT:
		return NULL;
	case SPEC_ANNOTATION_FLAG:
		if (!str_eq(value, "1") && !str_eq(value, "0"))
			return "must be \"1\" or \"0\"";
		*(bool *)member = value[0] == '1';
		return NULL;
	case SPEC_ANNOTATION_FILTER:
		return take_filter(arena, value, member);
	case SPEC_ANNOTATION_PATH:
		if (value[0] != '/')
			return "must be an absolute path";
		break;
	case SPEC_ANNOTATION_CONTEXT:
		if (!str_is_one_of(value, context_types))
			return "must be \"context\", \"fscontext\", \"defcontext\" or \"rootcontext\"";
		break;
	case SPEC_ANNOTATION_CGROUP:
		break; /* libcontainer/cgroup/path.c */
	}
	*(const char **)member = value;
	return NULL;
}

#define SHOWN "40" /* bytes of a value in a message */

static void read_one(struct arena *arena, const struct spec_annotation *row, const struct spec_pair *pair,
	const struct json_doc *doc, struct report *report, struct spec_annotations *annotations)
{
	const char *wrong = take_value(arena, row, pair->value, (char *)annotations + row->offset);

	if (wrong && report)
		json_error(report, doc, pair->node, "%s, is \"%." SHOWN "s\"", wrong, pair->value);
	if (row->kind == SPEC_ANNOTATION_FILTER)
		annotations->filter_node = pair->node;
	if (row->kind == SPEC_ANNOTATION_CGROUP)
		annotations->delegate_node = pair->node;
}

void spec_annotations_read(struct arena *arena, const struct spec_pair *pairs, size_t count,
	const struct json_doc *doc, struct report *report, struct spec_annotations *annotations)
{
	for (size_t i = 0; i < count; i++) {
		if (!str_starts(pairs[i].key, "run.oci."))
			continue;
		for (size_t k = 0; k < spec_annotations_count; k++)
			if (str_eq(pairs[i].key, spec_annotations_known[k].name))
				read_one(arena, &spec_annotations_known[k], &pairs[i], doc, report,
					annotations);
	}
}

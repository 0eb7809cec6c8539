/*
 * annotation.h - the annotations that change what crt does (crun(1), "EXTENSIONS TO OCI"): one table, for the
 * reader, for `crt features` and for the manual. All others are the user's own.
 */
#ifndef SPECS_ANNOTATION_H
#define SPECS_ANNOTATION_H

#include "specs/table.h"

struct spec_annotations {
	bool keep_original_groups;    /* the caller's groups instead of additionalGids */
	bool seccomp_fail_unknown;    /* a system call that libseccomp does not know is an error */
	const char *seccomp_receiver; /* for a document without seccomp.listenerPath */
	const char *pidfd_receiver;   /* the socket that gets init's pidfd */
	const char *hooks_stdout;     /* files that hooks of the runtime's side write to */
	const char *hooks_stderr;
	const char *mount_context_type; /* the mount option that mountLabel is given by; NULL: "context" */
	const char *delegate_cgroup;    /* where init lives, below the container's cgroup */
	uint32_t delegate_node;         /* of its value */
	struct spec_filter {
		const unsigned char *insns;
		size_t length; /* bytes; 0: none */
	} seccomp_filter;      /* for seccomp(2) as it is, instead of linux.seccomp */
	uint32_t filter_node;
};

enum spec_annotation_kind {
	SPEC_ANNOTATION_FLAG, /* "1", "0" */
	SPEC_ANNOTATION_PATH, /* absolute */
	SPEC_ANNOTATION_CONTEXT,
	SPEC_ANNOTATION_CGROUP, /* a path below another one */
	SPEC_ANNOTATION_FILTER, /* base64 of instructions of 8 bytes */
	SPEC_ANNOTATION_UNIT,   /* read with the unit that it is about, libcontainer/cgroup/unit.c */
};

struct spec_annotation {
	const char *name;
	enum spec_annotation_kind kind;
	size_t offset;    /* in struct spec_annotations */
	const char *help; /* for the manual */
};

extern const struct spec_annotation spec_annotations_known[];
extern const size_t spec_annotations_count;

/* What the pairs say. Values that make no sense go to the report, when there is one, and count as absent. */
void spec_annotations_read(struct arena *arena, const struct spec_pair *pairs, size_t count,
	const struct json_doc *doc, struct report *report, struct spec_annotations *annotations);

#endif

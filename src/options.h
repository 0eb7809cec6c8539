/*
 * options.h - a command line read by table: the same rows make --help, the suggestion after a typing error
 * and the values in a plain struct.
 *
 * Accepted as Go's flag package does, so that engines which call runc need no change: one dash or two, a name
 * or its letter, the value in the next word or after "=", "--flag=false". Letters of flags may stand
 * together, as crun has it: "-rf". Options may stand before, between and after the other words; "--" ends
 * them.
 */
#ifndef SRC_OPTIONS_H
#define SRC_OPTIONS_H

#include <stddef.h>

#include "libcontainer/libcontainer.h"

enum option_kind {
	OPTION_FLAG,     /* bool */
	OPTION_TEXT,     /* const char * */
	OPTION_NUMBER,   /* unsigned */
	OPTION_LIST,     /* struct option_list: may be given again */
	OPTION_DURATION, /* unsigned, milliseconds: "5s", "1m30s", "500ms", "1.5h"; without a unit, seconds */
};

/* The texts of an option that may be given more than once; options_free() gives back the list. */
struct option_list {
	const char **items;
	size_t count;
};

void option_list_add(struct option_list *list, const char *item);

/* A row; a table ends with one whose name is NULL. */
struct option {
	const char *name;
	char letter; /* 0: none */
	enum option_kind kind;
	size_t offset;       /* of the value in the struct that is filled */
	const char *value;   /* what help calls the value; NULL for a flag */
	const char *help;    /* NULL: accepted, but not shown */
	const char *choices; /* the values allowed, separated by spaces; NULL: any */
};

/*
 * Read the options at the start of words (ends with NULL). Returns how many words they took, a closing "--"
 * among them, or -EINVAL.
 */
int options_read_leading(const struct option *table, void *values, char *const *words, struct crt_error *err);

/*
 * Read the options anywhere in words, which stay as they are; the other words, at most max of them, go to
 * kept. Returns their number or -EINVAL.
 */
int options_read(const struct option *table, void *values, char *const *words, const char **kept, int max,
	struct crt_error *err);

/* Give back the lists in `values`. */
void options_free(const struct option *table, void *values);

/* The row of this name or letter; NULL: none. */
const struct option *option_find(const struct option *table, const char *name, size_t length);

/* What is wrong with the call, be it a word or a file that it names: returns -EINVAL. The hint may be NULL.
 */
int call_error(struct crt_error *err, const char *hint, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif

/*
 * properties.c - limits as properties of a unit of systemd (systemd.resource-control(5)), and the properties
 * that annotations may add.
 *
 * Which properties an annotation may name is a list: what a unit of processes that systemd did not start can
 * have, and nothing that names a command or that crt decides itself.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "libcontainer/cgroup/resources.h"
#include "libcontainer/cgroup/unit.h"

#define NO_LIMIT     UINT64_MAX
#define PERCENT_USEC 10000u /* systemd keeps a quota in whole percents of a CPU: 10 ms in each second */
#define CPUS_MAX     8192

/* ---- limits ---- */

/* Files whose value is one number, or "max". */
static const struct {
	const char *file, *property;
} numbers[] = {
	{"memory.max", "MemoryMax"},
	{"memory.high", "MemoryHigh"},
	{"memory.low", "MemoryLow"},
	{"memory.min", "MemoryMin"},
	{"memory.swap.max", "MemorySwapMax"},
	{"cpu.weight", "CPUWeight"},
	{"io.weight", "IOWeight"},
};

static void add_number(struct str_buf *out, const char *property, uint64_t value)
{
	str_buf_add(out, "%s\tt\t%llu\n", property, (unsigned long long)value);
}

static bool read_number(const char *text, uint64_t *value)
{
	*value = NO_LIMIT;
	return str_eq(text, "max") || str_to_u64(text, value) == 0;
}

/* "50000 100000": the quota in each period; systemd wants it for each second. Rounded up: the container's own
 * cgroup has the exact one. */
static void add_quota(struct str_buf *out, const char *value)
{
	char *end;
	uint64_t quota = NO_LIMIT;

	if (!str_starts(value, "max"))
		quota = strtoull(value, NULL, 10);
	uint64_t period = strtoull(value + strcspn(value, " "), &end, 10);
	if (quota != NO_LIMIT && (!period || quota > NO_LIMIT / 1000000))
		return;
	if (quota != NO_LIMIT) {
		quota = quota * 1000000 / period;
		quota = (quota + PERCENT_USEC - 1) / PERCENT_USEC * PERCENT_USEC;
	}
	add_number(out, "CPUQuotaPerSecUSec", quota);
	if (period)
		add_number(out, "CPUQuotaPeriodUSec", period);
}

/* "0-2,5" as the bytes of a mask, lowest first; in hexadecimal digits for the helper. */
static void add_mask(struct str_buf *out, const char *property, const char *list)
{
	uint8_t mask[CPUS_MAX / 8] = {0};
	size_t bytes = 0;

	for (const char *p = list; *p;) {
		char *end;
		unsigned long first = strtoul(p, &end, 10), last = first;
		if (end == p)
			return; /* the kernel will say what it thinks of the list */
		if (*end == '-')
			last = strtoul(end + 1, &end, 10);
		if (last >= CPUS_MAX || last < first)
			return;
		for (unsigned long bit = first; bit <= last; bit++)
			mask[bit / 8] |= (uint8_t)(1u << bit % 8);
		bytes = last / 8 + 1 > bytes ? last / 8 + 1 : bytes;
		p = end + (*end == ',');
	}
	if (!bytes)
		return;
	str_buf_add(out, "%s\tay\t", property);
	for (size_t i = 0; i < bytes; i++)
		str_buf_add(out, "%02x", mask[i]);
	str_buf_add(out, "\n");
}

static void add_limit(struct str_buf *out, const struct cg_write *w)
{
	const char *file = w->file, *value = w->value;
	uint64_t number;

	if (str_eq(file, "io.bfq.weight") && w->instead_file) {
		file = w->instead_file;
		value = w->instead_value;
	}
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		if (str_eq(file, numbers[i].file) && read_number(value, &number))
			add_number(out, numbers[i].property, number);
	/* While the container is started, the one who starts it is in the unit, too. */
	if (str_eq(file, "pids.max") && read_number(value, &number))
		add_number(out, "TasksMax", number < 2 ? 2 : number);
	if (str_eq(file, "cpu.idle") && str_eq(value, "1"))
		add_number(out, "CPUWeight", 0); /* "idle" */
	if (str_eq(file, "cpu.max"))
		add_quota(out, value);
	if (str_eq(file, "cpuset.cpus"))
		add_mask(out, "AllowedCPUs", value);
	if (str_eq(file, "cpuset.mems"))
		add_mask(out, "AllowedMemoryNodes", value);
}

const char *cg_properties(struct arena *arena, const struct cg_limits *limits)
{
	const size_t room = 16 * 1024;
	char *text = arena_alloc(arena, room);
	struct str_buf out;

	str_buf_init(&out, text, room);
	for (size_t i = 0; limits && i < limits->count; i++)
		add_limit(&out, &limits->writes[i]);
	return text;
}

/* ---- annotations ---- */

/* What they may set, and its type on the bus. */
static const struct property {
	const char *name;
	char type; /* s, b, t, u, i; 'S': as */
} allowed[] = {
	{"After", 'S'},
	{"Before", 'S'},
	{"BindsTo", 'S'},
	{"CPUAccounting", 'b'},
	{"CPUQuotaPerSecUSec", 't'},
	{"CPUQuotaPeriodUSec", 't'},
	{"CPUWeight", 't'},
	{"CollectMode", 's'},
	{"Conflicts", 'S'},
	{"DefaultDependencies", 'b'},
	{"Description", 's'},
	{"Documentation", 'S'},
	{"FinalKillSignal", 'i'},
	{"IOAccounting", 'b'},
	{"IOWeight", 't'},
	{"IPAccounting", 'b'},
	{"IgnoreOnIsolate", 'b'},
	{"KillMode", 's'},
	{"KillSignal", 'i'},
	{"ManagedOOMMemoryPressure", 's'},
	{"ManagedOOMMemoryPressureLimit", 'u'},
	{"ManagedOOMPreference", 's'},
	{"ManagedOOMSwap", 's'},
	{"MemoryAccounting", 'b'},
	{"MemoryHigh", 't'},
	{"MemoryLow", 't'},
	{"MemoryMax", 't'},
	{"MemoryMin", 't'},
	{"MemorySwapMax", 't'},
	{"OOMPolicy", 's'},
	{"PartOf", 'S'},
	{"Requires", 'S'},
	{"RequiresMountsFor", 'S'},
	{"Requisite", 'S'},
	{"RuntimeMaxUSec", 't'},
	{"SendSIGHUP", 'b'},
	{"SendSIGKILL", 'b'},
	{"StartupCPUWeight", 't'},
	{"StartupIOWeight", 't'},
	{"StopWhenUnneeded", 'b'},
	{"TasksAccounting", 'b'},
	{"TasksMax", 't'},
	{"TimeoutStopUSec", 't'},
	{"Wants", 'S'},
};

static const struct property *find_property(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(allowed); i++)
		if (str_eq(allowed[i].name, name))
			return &allowed[i];
	return NULL;
}

static const char *why_not(struct arena *arena, const char *name)
{
	static const char *const ours[] = {
		"Slice", "Delegate", "DelegateSubgroup", "PIDs", "Names", "Id", NULL};

	if (str_starts(name, "Exec") || strstr(name, "Command"))
		return arena_printf(arena, "%s names a command, and a container's unit runs none", name);
	if (str_is_one_of(name, ours))
		return arena_printf(arena, "%s is for crt to set", name);
	return arena_printf(arena, "%s is not a property that a container's unit may have", name);
}

static void skip_blanks(const char **p)
{
	*p += strspn(*p, " ");
}

/* 'text' or "text", with a backslash before a quote or a backslash. A line of the helper has no tab in it. */
static bool take_string(const char **p, struct str_buf *out)
{
	char quote = **p;

	if (quote != '\'' && quote != '"')
		return false;
	for (++*p; **p && **p != quote; ++*p) {
		if (**p == '\\' && !*++*p)
			return false;
		if ((unsigned char)**p < ' ')
			return false;
		str_buf_add_bytes(out, *p, 1);
	}
	if (!**p)
		return false;
	++*p;
	return true;
}

/* The words before a number that say its type, in GVariant's text; the property's own type decides. */
static void skip_type_word(const char **p)
{
	static const char *const words[] = {"uint64", "int64", "uint32", "int32", "double", NULL};

	for (size_t i = 0; words[i]; i++)
		if (str_starts(*p, words[i]) && (*p)[strlen(words[i])] == ' ')
			*p += strlen(words[i]);
	skip_blanks(p);
}

/* A number, in millionths if that is what is wanted: "1.5" seconds are 1500000. */
static bool take_number(const char **p, bool seconds, uint64_t *value)
{
	char *end;
	uint64_t whole, scale = seconds ? 1000000 : 1;

	skip_type_word(p);
	if (**p < '0' || **p > '9')
		return false;
	errno = 0;
	whole = strtoull(*p, &end, strncmp(*p, "0x", 2) == 0 ? 16 : 10);
	if (errno || whole > UINT64_MAX / scale)
		return false;
	*value = whole * scale;
	if (seconds && *end == '.')
		for (end++; *end >= '0' && *end <= '9'; end++)
			*value += (uint64_t)(*end - '0') * (scale /= 10);
	*p = end;
	return true;
}

static bool take_list(const char **p, struct str_buf *out)
{
	if (str_starts(*p, "@as"))
		*p += strlen("@as");
	skip_blanks(p);
	if (**p != '[')
		return false;
	++*p;
	for (skip_blanks(p); **p != ']'; skip_blanks(p)) {
		str_buf_add(out, "\t");
		if (!take_string(p, out))
			return false;
		skip_blanks(p);
		*p += **p == ',';
	}
	++*p;
	return true;
}

static bool take_value(const char **p, char type, bool seconds, struct str_buf *out)
{
	uint64_t number;

	switch (type) {
	case 's':
		str_buf_add(out, "\t");
		return take_string(p, out);
	case 'S':
		return take_list(p, out);
	case 'b':
		if (!str_starts(*p, "true") && !str_starts(*p, "false"))
			return false;
		str_buf_add(out, "\t%s", **p == 't' ? "true" : "false");
		*p += **p == 't' ? 4 : 5;
		return true;
	default:
		if (!take_number(p, seconds, &number) || (type == 'u' && number > UINT32_MAX) ||
			(type == 'i' && number > INT32_MAX))
			return false;
		str_buf_add(out, "\t%llu", (unsigned long long)number);
		return true;
	}
}

static const char *type_words(char type)
{
	switch (type) {
	case 's':
		return "a text in quotes, as \"'word'\"";
	case 'S':
		return "a list, as \"['a.service', 'b.service']\"";
	case 'b':
		return "true or false";
	default:
		return "a number, as \"uint64 5\"";
	}
}

const char *cg_annotation_property(
	struct arena *arena, const char *name, const char *value, const char **problem)
{
	size_t length = strlen(name), room = strlen(value) + length + 64;
	bool seconds = length > 3 && str_eq(name + length - 3, "Sec") &&
		       (length < 4 || name[length - 4] != 'U');
	const char *real = seconds ? arena_printf(arena, "%.*sUSec", (int)length - 3, name) : name;
	const struct property *property = find_property(real);
	char *line = arena_alloc(arena, room);
	const char *p = value;
	struct str_buf out;

	if (!property) {
		*problem = why_not(arena, name);
		return NULL;
	}
	str_buf_init(&out, line, room);
	if (property->type == 'S')
		str_buf_add(&out, "%s\tas", real);
	else
		str_buf_add(&out, "%s\t%c", real, property->type);
	skip_blanks(&p);
	bool taken = take_value(&p, property->type, seconds, &out);
	skip_blanks(&p);
	if (!taken || *p) {
		*problem = arena_printf(arena, "%s wants %s", name, type_words(property->type));
		return NULL;
	}
	str_buf_add(&out, "\n");
	return line;
}

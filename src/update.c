/*
 * update.c - `crt update`: flags, or a file, to the resources object of the specification.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "specs/writer.h"
#include "src/command.h"

#define RESOURCES_MAX ((size_t)1 << 20) /* bytes */

enum limit_kind { LIMIT_NUMBER, LIMIT_BYTES, LIMIT_TEXT };

struct limit_row {
	const char *option;
	size_t offset; /* in struct limit_arguments */
	enum limit_kind kind;
	const char *object, *member; /* of the resources; rows of one object stand together */
};

#define ROW(option, field, kind, object, member)                                                             \
	{                                                                                                    \
		option, offsetof(struct limit_arguments, field), kind, object, member                        \
	}
static const struct limit_row rows[] = {
	ROW("memory", memory, LIMIT_BYTES, "memory", "limit"),
	ROW("memory-reservation", memory_reservation, LIMIT_BYTES, "memory", "reservation"),
	ROW("memory-swap", memory_swap, LIMIT_BYTES, "memory", "swap"),
	ROW("kernel-memory", kernel_memory, LIMIT_BYTES, "memory", "kernel"),
	ROW("kernel-memory-tcp", kernel_memory_tcp, LIMIT_BYTES, "memory", "kernelTCP"),
	ROW("cpu-share", cpu_share, LIMIT_NUMBER, "cpu", "shares"),
	ROW("cpu-quota", cpu_quota, LIMIT_NUMBER, "cpu", "quota"),
	ROW("cpu-period", cpu_period, LIMIT_NUMBER, "cpu", "period"),
	ROW("cpu-burst", cpu_burst, LIMIT_NUMBER, "cpu", "burst"),
	ROW("cpu-idle", cpu_idle, LIMIT_NUMBER, "cpu", "idle"),
	ROW("cpu-rt-period", cpu_rt_period, LIMIT_NUMBER, "cpu", "realtimePeriod"),
	ROW("cpu-rt-runtime", cpu_rt_runtime, LIMIT_NUMBER, "cpu", "realtimeRuntime"),
	ROW("cpuset-cpus", cpuset_cpus, LIMIT_TEXT, "cpu", "cpus"),
	ROW("cpuset-mems", cpuset_mems, LIMIT_TEXT, "cpu", "mems"),
	ROW("pids-limit", pids_limit, LIMIT_NUMBER, "pids", "limit"),
	ROW("blkio-weight", blkio_weight, LIMIT_NUMBER, "blockIO", "weight"),
};

/* "536870912", "512M" or "-1"; "B" or "iB" may follow the unit, which is of either case. */
static int parse_bytes(const char *text, int64_t *bytes)
{
	static const char units[] = "kmgtp";
	char digits[24];
	size_t length = strspn(text, "-0123456789");
	unsigned shift = 0;

	if (length == 0 || length >= sizeof(digits))
		return -EINVAL;
	memcpy(digits, text, length);
	digits[length] = '\0';
	const char *rest = text + length;
	const char *unit = *rest ? strchr(units, *rest | 0x20) : NULL;
	if (unit) {
		shift = 10 * (unsigned)(unit - units + 1);
		rest++;
		rest += *rest == 'i' && (rest[1] | 0x20) == 'b';
	}
	rest += (*rest | 0x20) == 'b';
	int r = *rest ? -EINVAL : str_to_i64(digits, bytes);
	if (r == 0 && (*bytes > INT64_MAX >> shift || (*bytes < 0 && shift)))
		return -ERANGE;
	*bytes = (int64_t)((uint64_t)*bytes << shift);
	return r;
}

static int write_limit(
	struct json_writer *w, const struct limit_row *row, const char *value, struct crt_error *err)
{
	int64_t number = 0;

	if (row->kind == LIMIT_TEXT) {
		json_write_member(w, row->member, value);
		return 0;
	}
	int r = row->kind == LIMIT_BYTES ? parse_bytes(value, &number) : str_to_i64(value, &number);
	if (r < 0)
		return call_error(err, NULL, "option --%s: \"%s\" is not a number%s%s", row->option, value,
			row->kind == LIMIT_BYTES ? " of bytes" : "", r == -ERANGE ? " in range" : "");
	json_write_member_i64(w, row->member, number);
	return 0;
}

/* The object as JSON; *text stays NULL when no option was given. */
static int write_limits(
	struct json_writer *w, const struct limit_arguments *limits, const char **text, struct crt_error *err)
{
	const char *object = NULL;

	json_write_object(w);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *value = *(const char *const *)((const char *)limits + rows[i].offset);
		if (!value)
			continue;
		if (!str_eq(object, rows[i].object)) {
			if (object)
				json_write_object_end(w);
			object = rows[i].object;
			json_write_key(w, object);
			json_write_object(w);
		}
		int r = write_limit(w, &rows[i], value, err);
		if (r < 0)
			return r;
	}
	if (object)
		json_write_object_end(w);
	json_write_object_end(w);
	*text = object ? json_writer_text(w, NULL) : NULL;
	return 0;
}

static int read_resources(struct arena *arena, const char *name, const char **text, struct crt_error *err)
{
	char *content = NULL;
	bool is_stdin = str_eq(name, "-");
	fd_auto int file = is_stdin ? -1 : open(name, O_RDONLY | O_CLOEXEC);

	if (!is_stdin && file < 0)
		return call_error(err, NULL, "cannot open %s: %s", name, str_errno(errno));
	ssize_t n = fd_read_all(is_stdin ? STDIN_FILENO : file, arena, RESOURCES_MAX, &content);
	if (n < 0)
		return call_error(
			err, NULL, "cannot read %s: %s", is_stdin ? "stdin" : name, str_errno((int)-n));
	if (strlen(content) != (size_t)n)
		return call_error(
			err, NULL, "%s is no text: it holds a zero byte", is_stdin ? "stdin" : name);
	*text = content;
	return 0;
}

static int update(struct call *c, struct arena *arena)
{
	const struct limit_arguments *limits = &c->args.limits;
	struct crt_update_options options = {.timeout_ms = c->args.timeout_ms};
	const char *from_options = NULL;
	struct json_writer w;

	json_writer_init(&w, arena, false);
	int r = write_limits(&w, limits, &from_options, &c->err);
	if (r < 0)
		return r;
	options.l3_cache_schema = limits->l3_cache_schema;
	options.mem_bw_schema = limits->mem_bw_schema;
	options.resources = from_options;
	if (limits->resources) {
		options.name = str_eq(limits->resources, "-") ? "stdin" : limits->resources;
		r = read_resources(arena, limits->resources, &options.resources, &c->err);
		if (from_options)
			c->context.log(c->context.log_data, CRT_LOG_WARNING,
				"update: --resources is given; the other limits are ignored");
	}
	if (r == 0 && !options.resources && !options.l3_cache_schema && !options.mem_bw_schema)
		return call_error(&c->err, "\"crt help update\" shows what can be changed",
			"update: nothing to change is given");
	return r < 0 ? r : crt_update(&c->context, c->words[0], &options, &c->err);
}

int update_command(struct call *c)
{
	arena_auto struct arena arena = {0};

	if (arena_init(&arena, NULL) < 0)
		return call_error(&c->err, NULL, "update: no memory");
	return update(c, &arena);
}

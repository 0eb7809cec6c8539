/*
 * crt-systemd - one request to systemd, for crt, which is linked statically and cannot load libsystemd.
 *
 *     crt-systemd WHOM start UNIT MS    a transient unit; its properties on stdin
 *     crt-systemd WHOM set UNIT MS      change properties of one, until the next boot; on stdin
 *     crt-systemd WHOM stop UNIT MS     fine when there is none
 *
 * WHOM is "system", or the user's service manager by the folder of its sockets ($XDG_RUNTIME_DIR).
 * A property is a line, "NAME TAB SIGNATURE TAB VALUE ...", whose signature is s, b, t, u, i, as, au, or ay
 * (in hexadecimal digits). Each request is one call and, where systemd makes a job of it, waits for the job's
 * end; all within MS milliseconds. On failure the reason is written to stdout. Exit codes: 0; 1 systemd
 * refuses; 2 there is no systemd to ask; 3 the unit exists; 4 it took too long; 64 these arguments are wrong.
 *
 * It talks to the service manager itself, by its private socket, so that it needs no message bus; a bus is
 * what it falls back to.
 */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <systemd/sd-bus.h>
#include <time.h>
#include <unistd.h>

#define DESTINATION "org.freedesktop.systemd1"
#define MANAGER     DESTINATION ".Manager"
#define MANAGER_AT  "/org/freedesktop/systemd1"
#define UNIT        DESTINATION ".Unit"
#define EXISTS      DESTINATION ".UnitExists"
#define NO_UNIT     DESTINATION ".NoSuchUnit"

#define INPUT_MAX (256 * 1024)
#define RETRY_MS  20
#define GRACE_MS  200 /* to say more than that it is late */

enum { DONE, REFUSED, NOBODY, TAKEN, LATE, USAGE = 64 };

struct request {
	const char *runtime_dir; /* NULL: the system's */
	const char *verb, *unit;
	uint64_t deadline_usec; /* of CLOCK_MONOTONIC */
	sd_bus *bus;
	const char *job;  /* the path of the one that is waited for */
	char result[64];  /* how it ended; "" while it has not */
	char *properties; /* the lines */
	bool peer;        /* connected to the manager itself */
};

static int say(int code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static int say(int code, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	return code;
}

static uint64_t now_usec(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* At least one: 0 would be the library's default. */
static uint64_t left_usec(const struct request *q)
{
	uint64_t now = now_usec();

	return now < q->deadline_usec ? q->deadline_usec - now : 1;
}

static bool is_late(const struct request *q)
{
	return now_usec() >= q->deadline_usec;
}

/* The library waits for an answer to its greeting as long as it likes: this ends that. */
static void ring(int sig)
{
	static const char words[] = "systemd has not answered in time";

	(void)sig;
	ssize_t n = write(STDOUT_FILENO, words, sizeof(words) - 1);
	_exit(n < 0 ? REFUSED : LATE);
}

static void set_alarm(uint64_t ms)
{
	struct itimerval timer = {
		.it_value = {.tv_sec = (time_t)(ms / 1000), .tv_usec = (suseconds_t)(ms % 1000 * 1000)}};

	signal(SIGALRM, ring);
	setitimer(ITIMER_REAL, &timer, NULL);
}

/* ---- connecting ---- */

/* A path in an address of D-Bus: everything unusual in hexadecimal. */
static void add_escaped(char *out, size_t size, const char *path)
{
	size_t n = strlen(out);

	for (; *path && n + 4 < size; path++) {
		bool plain = strchr("/._-", *path) || (*path >= '0' && *path <= '9') ||
			     (*path >= 'a' && *path <= 'z') || (*path >= 'A' && *path <= 'Z');
		n += (size_t)snprintf(out + n, size - n, plain ? "%c" : "%%%02x", (unsigned char)*path);
	}
}

static int connect_peer(struct request *q)
{
	char address[4096] = "unix:path=";

	add_escaped(address, sizeof(address), q->runtime_dir ? q->runtime_dir : "/run");
	add_escaped(address, sizeof(address), "/systemd/private");
	int r = sd_bus_new(&q->bus);
	if (r >= 0)
		r = sd_bus_set_address(q->bus, address);
	if (r >= 0)
		r = sd_bus_start(q->bus);
	if (r < 0)
		q->bus = sd_bus_unref(q->bus);
	return r;
}

static int connect_manager(struct request *q)
{
	int r = connect_peer(q);

	q->peer = r >= 0;
	if (r < 0)
		r = q->runtime_dir ? sd_bus_open_user(&q->bus) : sd_bus_open_system(&q->bus);
	if (r >= 0)
		return DONE;
	return say(NOBODY, "cannot reach the %s service manager: %s", q->runtime_dir ? "user's" : "system's",
		strerror(-r));
}

/* ---- calls ---- */

static int new_call(struct request *q, const char *method, sd_bus_message **m)
{
	return sd_bus_message_new_method_call(q->bus, m, DESTINATION, MANAGER_AT, MANAGER, method);
}

/* The library's own names for "no answer in time" and "hung up". */
static int failure(const struct request *q, int r, const sd_bus_error *error)
{
	if (r == -ETIMEDOUT || is_late(q))
		return say(LATE, "systemd has not answered in time");
	if (sd_bus_error_has_name(error, EXISTS))
		return TAKEN;
	return say(REFUSED, "%s", error->message ? error->message : strerror(-r));
}

static int job_removed(sd_bus_message *m, void *data, sd_bus_error *error)
{
	struct request *q = data;
	const char *job, *unit, *result;
	uint32_t id;

	(void)error;
	if (sd_bus_message_read(m, "uoss", &id, &job, &unit, &result) >= 0 && q->job &&
		strcmp(job, q->job) == 0)
		snprintf(q->result, sizeof(q->result), "%s", result);
	return 0;
}

/* Before the call that makes the job, which may end before its answer is read. */
static int watch_jobs(struct request *q)
{
	int r = sd_bus_match_signal(q->bus, NULL, q->peer ? NULL : DESTINATION, MANAGER_AT, MANAGER,
		"JobRemoved", job_removed, q);

	if (r >= 0 && !q->peer)
		r = sd_bus_call_method(
			q->bus, DESTINATION, MANAGER_AT, MANAGER, "Subscribe", NULL, NULL, NULL);
	return r < 0 ? say(REFUSED, "cannot listen to systemd: %s", strerror(-r)) : DONE;
}

static int wait_job(struct request *q, sd_bus_message *answer)
{
	int r = sd_bus_message_read(answer, "o", &q->job);

	while (r >= 0 && !q->result[0]) {
		r = sd_bus_process(q->bus, NULL);
		if (r == 0 && is_late(q))
			return say(LATE, "systemd has begun with %s, and does not end", q->unit);
		if (r == 0)
			r = sd_bus_wait(q->bus, left_usec(q));
		if (r == -EINTR)
			r = 0;
	}
	if (r < 0)
		return say(REFUSED, "systemd has hung up: %s", strerror(-r));
	if (strcmp(q->result, "done") != 0)
		return say(REFUSED, "systemd's job for %s ended with \"%s\"", q->unit, q->result);
	return DONE;
}

/* ---- properties ---- */

/* The text up to the next tab or the end; *p moves on. */
static char *take_field(char **p)
{
	char *field = *p;

	if (!field)
		return NULL;
	char *tab = strchr(field, '\t');
	if (tab)
		*tab = '\0';
	*p = tab ? tab + 1 : NULL;
	return field;
}

static int append_one(sd_bus_message *m, char type, const char *value)
{
	if (!value)
		return -EINVAL;
	switch (type) {
	case 's':
		return sd_bus_message_append(m, "s", value);
	case 'b':
		return sd_bus_message_append(m, "b", strcmp(value, "true") == 0);
	case 't':
		return sd_bus_message_append(m, "t", (uint64_t)strtoull(value, NULL, 10));
	case 'u':
		return sd_bus_message_append(m, "u", (uint32_t)strtoul(value, NULL, 10));
	case 'i':
		return sd_bus_message_append(m, "i", (int32_t)strtol(value, NULL, 10));
	default:
		return -EINVAL;
	}
}

static int append_bytes(sd_bus_message *m, const char *digits)
{
	uint8_t bytes[4096];
	size_t n = 0;

	for (; digits && digits[0] && digits[1] && n < sizeof(bytes); digits += 2) {
		char pair[3] = {digits[0], digits[1], '\0'};
		bytes[n++] = (uint8_t)strtoul(pair, NULL, 16);
	}
	return sd_bus_message_append_array(m, 'y', bytes, n);
}

static int append_value(sd_bus_message *m, const char *signature, char **rest)
{
	if (strcmp(signature, "ay") == 0)
		return append_bytes(m, take_field(rest));
	if (signature[0] != 'a')
		return append_one(m, signature[0], take_field(rest));
	int r = sd_bus_message_open_container(m, 'a', signature + 1);
	while (r >= 0 && *rest)
		r = append_one(m, signature[1], take_field(rest));
	return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_property(sd_bus_message *m, char *line)
{
	char *rest = line;
	const char *name = take_field(&rest), *signature = take_field(&rest);

	if (!signature)
		return -EINVAL;
	int r = sd_bus_message_open_container(m, 'r', "sv");
	if (r >= 0)
		r = sd_bus_message_append(m, "s", name);
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'v', signature);
	if (r >= 0)
		r = append_value(m, signature, &rest);
	if (r >= 0)
		r = sd_bus_message_close_container(m);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

/* a(sv); the text stays as it is, for another try. */
static int append_properties(struct request *q, sd_bus_message *m)
{
	char *copy = strdup(q->properties), *next = copy, *line;

	if (!copy)
		return -ENOMEM;
	int r = sd_bus_message_open_container(m, 'a', "(sv)");
	while (r >= 0 && (line = strsep(&next, "\n")))
		if (*line)
			r = append_property(m, line);
	free(copy);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

/* ---- requests ---- */

static int start_once(struct request *q)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *call = NULL, *answer = NULL;

	int r = new_call(q, "StartTransientUnit", &call);
	if (r >= 0)
		r = sd_bus_message_append(call, "ss", q->unit, "fail");
	if (r >= 0)
		r = append_properties(q, call);
	if (r >= 0)
		r = sd_bus_message_append(call, "a(sa(sv))", 0);
	if (r < 0)
		return say(USAGE, "cannot put the properties into a message: %s", strerror(-r));
	r = sd_bus_call(q->bus, call, left_usec(q), &error, &answer);
	return r < 0 ? failure(q, r, &error) : wait_job(q, answer);
}

/* The last one of that name may not be buried yet: systemd does that when it finds the time. */
static bool is_dead(struct request *q)
{
	char *path = NULL, *state = NULL;

	if (sd_bus_path_encode(MANAGER_AT "/unit", q->unit, &path) < 0 ||
		sd_bus_get_property_string(q->bus, DESTINATION, path, UNIT, "ActiveState", NULL, &state) < 0)
		return true;
	bool dead = strcmp(state, "active") != 0 && strcmp(state, "activating") != 0;
	if (strcmp(state, "failed") == 0)
		sd_bus_call_method(q->bus, DESTINATION, MANAGER_AT, MANAGER, "ResetFailedUnit", NULL, NULL,
			"s", q->unit);
	free(path);
	free(state);
	return dead;
}

static int start(struct request *q)
{
	int code;

	while ((code = start_once(q)) == TAKEN && !is_late(q) && is_dead(q))
		usleep(RETRY_MS * 1000);
	return code == TAKEN ? say(TAKEN, "the unit %s exists already", q->unit) : code;
}

static int stop(struct request *q)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *call = NULL, *answer = NULL;

	int r = new_call(q, "StopUnit", &call);
	if (r >= 0)
		r = sd_bus_message_append(call, "ss", q->unit, "replace");
	if (r >= 0)
		r = sd_bus_call(q->bus, call, left_usec(q), &error, &answer);
	if (r < 0)
		return sd_bus_error_has_name(&error, NO_UNIT) ? DONE : failure(q, r, &error);
	return wait_job(q, answer);
}

static int set(struct request *q)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *call = NULL;

	int r = new_call(q, "SetUnitProperties", &call);
	if (r >= 0)
		r = sd_bus_message_append(call, "sb", q->unit, true); /* until the next boot */
	if (r >= 0)
		r = append_properties(q, call);
	if (r < 0)
		return say(USAGE, "cannot put the properties into a message: %s", strerror(-r));
	r = sd_bus_call(q->bus, call, left_usec(q), &error, NULL);
	return r < 0 ? failure(q, r, &error) : DONE;
}

/* ---- */

static char *read_input(void)
{
	char *text = calloc(1, INPUT_MAX + 1);
	size_t n = text ? fread(text, 1, INPUT_MAX + 1, stdin) : 0;

	return n > INPUT_MAX ? NULL : text;
}

static const struct {
	const char *name;
	int (*run)(struct request *q);
	bool input, job;
} verbs[] = {{"start", start, true, true}, {"set", set, true, false}, {"stop", stop, false, true}};

int main(int argc, char **argv)
{
	struct request q = {0};

	if (argc != 5 || (strcmp(argv[1], "system") != 0 && argv[1][0] != '/'))
		return say(USAGE, "usage: crt-systemd system|DIR start|set|stop UNIT MILLISECONDS\n");
	if (argv[1][0] == '/') {
		q.runtime_dir = argv[1];
		setenv("XDG_RUNTIME_DIR", q.runtime_dir, 1);
	}
	q.unit = argv[3];
	uint64_t ms = strtoull(argv[4], NULL, 10);
	q.deadline_usec = now_usec() + ms * 1000;
	set_alarm(ms + GRACE_MS);
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(argv[2], verbs[i].name) != 0)
			continue;
		q.properties = verbs[i].input ? read_input() : NULL;
		if (verbs[i].input && !q.properties)
			return say(USAGE, "too many properties\n");
		int code = connect_manager(&q);
		if (code == DONE && verbs[i].job)
			code = watch_jobs(&q);
		return code == DONE ? verbs[i].run(&q) : code;
	}
	return say(USAGE, "unknown request \"%s\"\n", argv[2]);
}

/*
 * library.c - a program that uses only the installed header and library, for test_library.py.
 *
 *   library ROOT run BUNDLE ID...        runs the containers one after the other; prints "ID STATUS" each
 *   library ROOT two BUNDLE ID ID        creates both, lists, starts both, waits, deletes
 *   library ROOT error BUNDLE            a create that fails; prints the error's parts
 *   library ROOT control ID              pids, pause, update, resume and two events of a container that runs
 *   library ROOT thread ID               20 times exec beside a thread; whether their memory stayed dumpable
 *   library ROOT texts BUNDLE            state, features, spec, explain and check
 */
#include <libcontainer.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static void log_message(void *data, enum crt_log_level level, const char *message)
{
	(void)level;
	fprintf(data, "log: %s\n", message);
}

static int fail(const struct crt_error *err)
{
	char text[4096];

	crt_error_format(err, true, text, sizeof(text));
	printf("error: %s\n", text);
	return 1;
}

static int run_all(struct crt_context *c, const char *bundle, char **ids)
{
	struct crt_error err = {0};

	for (; *ids; ids++) {
		struct crt_create_options options = {.id = *ids, .bundle = bundle};
		struct crt_run_options run = {.subreaper = true};
		int status = -1;
		if (crt_run(c, &options, &run, &status, &err) < 0)
			return fail(&err);
		printf("%s %d\n", *ids, status);
		fflush(stdout);
	}
	return 0;
}

static int two(struct crt_context *c, const char *bundle, char **ids)
{
	struct crt_container_list list = {0};
	struct crt_error err = {0};

	for (int i = 0; i < 2; i++) {
		struct crt_create_options options = {.id = ids[i], .bundle = bundle};
		if (crt_create(c, &options, &err) < 0)
			return fail(&err);
	}
	if (crt_list(c, &list, &err) < 0)
		return fail(&err);
	for (size_t i = 0; i < list.count; i++)
		printf("%s %s %d\n", list.containers[i].id, list.containers[i].status,
			list.containers[i].pid > 1);
	crt_list_free(&list);
	for (int i = 0; i < 2; i++)
		if (crt_start(c, ids[i], &err) < 0)
			return fail(&err);
	for (int i = 0; i < 2; i++)
		if (crt_kill(c, ids[i], 9, false, &err) < 0 || crt_delete(c, ids[i], true, &err) < 0)
			return fail(&err);
	if (crt_list(c, &list, &err) < 0)
		return fail(&err);
	printf("left %zu\n", list.count);
	crt_list_free(&list);
	return 0;
}

static int show_error(struct crt_context *c, const char *bundle)
{
	struct crt_create_options options = {.id = "never", .bundle = bundle};
	struct crt_error err = {0};
	int result = crt_create(c, &options, &err);

	printf("%d %d\n%s\n%s:%u:%u\n%s\n", result<0, err.code> 0, err.path, err.file, err.line, err.column,
		err.message);
	/* Without anybody who wants to know */
	printf("%d\n", crt_create(c, &options, NULL) < 0);
	printf("%d\n", crt_start(c, "never", NULL) < 0);
	return 0;
}

static void count_problem(void *data, bool is_error, const struct crt_error *problem)
{
	(void)problem;
	*(int *)data += is_error;
}

static int texts(struct crt_context *c, const char *bundle)
{
	struct crt_create_options options = {.id = "x", .bundle = bundle};
	struct crt_error err = {0};
	char *text = NULL;
	int errors = 0;

	if (crt_features_json(c, &text, &err) < 0)
		return fail(&err);
	printf("%d\n", strstr(text, "ociVersionMin") != NULL);
	crt_free(text);
	if (crt_spec_json(false, &text, &err) < 0)
		return fail(&err);
	printf("%d\n", text[strlen(text) - 1] == '\n');
	crt_free(text);
	if (crt_explain(c, &options, true, &text, &err) < 0)
		return fail(&err);
	printf("%d\n", text[0] == '{' || text[0] == '[');
	crt_free(text);
	int r = crt_check(c, &options, count_problem, &errors, &err);
	printf("%d %d\n%s\n", r, errors, crt_version());
	crt_free(NULL);
	return 0;
}

/* Ends the stream with the second event. */
static int count_event(void *data, const char *line)
{
	int *count = data;

	if (strncmp(line, "{\"type\":\"stats\"", 15) != 0 || line[strlen(line) - 1] != '\n')
		return -1;
	return ++*count == 2 ? 7 : 0;
}

static int control(struct crt_context *c, const char *id)
{
	struct crt_update_options change = {.resources = "{\"unified\": {\"cgroup.max.depth\": \"4\"}}"};
	struct crt_update_options mistake = {.resources = "{\"unified\": {\"cgroup.max.depth\": \"deep\"}}"};
	struct crt_error err = {0};
	pid_t *pids = NULL;
	size_t count = 0;
	char *text = NULL;
	int events = 0;

	if (crt_pids(c, id, &pids, &count, &err) < 0)
		return fail(&err);
	printf("pids %zu %d\n", count, pids[0] > 1);
	free(pids);
	if (crt_pause(c, id, &err) < 0 || crt_update(c, id, &change, &err) < 0 || crt_resume(c, id, &err) < 0)
		return fail(&err);
	printf("update %d\n", crt_update(c, id, &mistake, &err) < 0);
	/* a document that the caller has not named is not shown */
	printf("%s %s %u [%s]\n", err.phase, err.path, err.line, err.source);
	if (crt_stats_json(c, id, &text, &err) < 0)
		return fail(&err);
	crt_free(text);
	printf("events %d\n", crt_events(c, id, 1, count_event, &events, &err));
	return 0;
}

static atomic_bool enough, was_hidden;

static void *watch(void *unused)
{
	(void)unused;
	while (!enough)
		if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 1)
			was_hidden = true;
	return NULL;
}

static int exec_beside_a_thread(struct crt_context *c, const char *id)
{
	const char *args[] = {"true"};
	struct crt_exec_options options = {.args = args, .args_count = 1};
	struct crt_error err = {0};
	int status = -1, ended = 0;
	pthread_t thread;

	if (pthread_create(&thread, NULL, watch, NULL) != 0)
		return 1;
	for (int i = 0; i < 20 && crt_exec(c, id, &options, &status, &err) == 0; i++)
		ended += status == 0;
	enough = true;
	pthread_join(thread, NULL);
	printf("%d %s\n", ended, was_hidden ? "hidden" : "as it was");
	return 0;
}

int main(int argc, char **argv)
{
	struct crt_context c = {.root = argc > 1 ? argv[1] : NULL, .log = log_message, .log_data = stderr};
	struct crt_error err = {0};

	if (argc < 4)
		return 2;
	if (strcmp(argv[2], "unprotected") == 0)
		return run_all(&c, argv[3], argv + 4);
	if (crt_protect(argv, &err) < 0)
		return fail(&err);
	if (strcmp(argv[2], "run") == 0)
		return run_all(&c, argv[3], argv + 4);
	if (strcmp(argv[2], "two") == 0)
		return two(&c, argv[3], argv + 4);
	if (strcmp(argv[2], "control") == 0)
		return control(&c, argv[3]);
	if (strcmp(argv[2], "thread") == 0)
		return exec_beside_a_thread(&c, argv[3]);
	if (strcmp(argv[2], "error") == 0)
		return show_error(&c, argv[3]);
	return texts(&c, argv[3]);
}

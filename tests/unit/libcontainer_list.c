/*
 * libcontainer_list.c - crt_list and crt_state_json: what is shown of whole, half-made and broken containers.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libcontainer/libcontainer.h"

#define STATE(id)                                                                                            \
	"{\"ociVersion\":\"1.3.0\",\"id\":\"" id "\",\"pid\":2147483647,\"pidStart\":1,\"bundle\":\"/b\","   \
	"\"rootfs\":\"/b/rootfs\",\"created\":\"2024-01-01T00:00:00Z\",\"owner\":0,"                         \
	"\"annotations\":{\"key\":\"value\"}}"

static char root[64];
static struct crt_context context;
static struct crt_error error;
static char logged[512];

static void log_line(void *data, enum crt_log_level level, const char *message)
{
	cr_expect_eq(level, CRT_LOG_WARNING);
	cr_expect_eq(data, logged);
	snprintf(logged, sizeof(logged), "%s", message);
}

static void set_up(void)
{
	snprintf(root, sizeof(root), "%s", "/tmp/crt-list-XXXXXX");
	cr_assert(mkdtemp(root));
	context = (struct crt_context){.root = root, .log = log_line, .log_data = logged};
}

static void tear_down(void)
{
	char command[100];

	snprintf(command, sizeof(command), "rm -rf %s", root);
	cr_assert_eq(system(command), 0);
}

TestSuite(libcontainer_list, .init = set_up, .fini = tear_down);

/* A container's directory, with this state.json unless it is NULL. */
static void put(const char *id, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", root, id);
	cr_assert_eq(mkdir(path, 0700), 0);
	if (!text)
		return;
	strcat(path, "/state.json");
	FILE *f = fopen(path, "w");
	cr_assert(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

Test(libcontainer_list, none)
{
	struct crt_container_list list;
	char *text = NULL;

	cr_assert_eq(crt_list(&context, &list, &error), 0);
	cr_expect_eq(list.count, 0);
	crt_list_free(&list);
	cr_assert_eq(crt_list_json(&context, &text, &error), 0);
	cr_expect_str_eq(text, "null\n");
	crt_free(text);
	context.root = "/nonexistent/crt";
	cr_assert_eq(crt_list(&context, &list, &error), 0);
	cr_expect_eq(list.count, 0);
	crt_list_free(&list);
}

Test(libcontainer_list, whole_half_made_and_broken_ones_by_id)
{
	struct crt_container_list list;
	char path[128];

	put("whole", STATE("whole"));
	put("broken", "{\"id\":");
	put("making", NULL);
	put("abandoned", NULL);
	put(".seccomp", NULL);
	snprintf(path, sizeof(path), "%s/making", root);
	int creator = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_eq(flock(creator, LOCK_EX), 0);
	cr_assert_eq(crt_list(&context, &list, &error), 0);
	cr_assert_eq(list.count, 4);

	static const char *const expected[][2] = {{"abandoned", "stopped"}, {"broken", "stopped"},
		{"making", "creating"}, {"whole", "stopped"}};
	for (size_t i = 0; i < 4; i++) {
		cr_expect_str_eq(list.containers[i].id, expected[i][0]);
		cr_expect_str_eq(list.containers[i].status, expected[i][1]);
		cr_expect_eq(list.containers[i].pid, 0);
	}
	cr_expect_str_eq(list.containers[3].bundle, "/b");
	cr_expect_str_eq(list.containers[3].rootfs, "/b/rootfs");
	cr_expect_str_eq(list.containers[3].owner, "root");
	cr_expect_eq(strncmp(logged, "broken/state.json:1:7:", 22), 0, "%s", logged);
	crt_list_free(&list);
	close(creator);
}

Test(libcontainer_list, state)
{
	char *text = NULL;

	put("c1", STATE("c1"));
	cr_assert_eq(crt_state_json(&context, "c1", &text, &error), 0, "%s", error.message);
	cr_expect_str_eq(text, "{\n"
			       "  \"ociVersion\": \"1.3.0\",\n"
			       "  \"id\": \"c1\",\n"
			       "  \"pid\": 0,\n"
			       "  \"status\": \"stopped\",\n"
			       "  \"bundle\": \"/b\",\n"
			       "  \"rootfs\": \"/b/rootfs\",\n"
			       "  \"created\": \"2024-01-01T00:00:00Z\",\n"
			       "  \"annotations\": {\n"
			       "    \"key\": \"value\"\n"
			       "  },\n"
			       "  \"owner\": \"root\"\n"
			       "}\n");
	crt_free(text);
}

Test(libcontainer_list, state_of_what_is_not_there_or_broken)
{
	char *text = NULL;

	cr_expect_eq(crt_state_json(&context, "c1", &text, &error), -ENOENT);
	cr_expect_str_eq(error.message, "container \"c1\" does not exist");
	cr_expect_eq(crt_state_json(&context, "../c1", &text, &error), -EINVAL);
	put("c2", "{}");
	cr_expect_eq(crt_state_json(&context, "c2", &text, &error), -EINVAL);
	cr_expect_str_eq(error.file, "c2/state.json");
	cr_expect_null(text);
	cr_expect_eq(crt_state_json(&context, "c2", &text, NULL), -EINVAL, "the error may be left out");
}

Test(libcontainer_list, kill_needs_a_process)
{
	put("c1", STATE("c1"));
	put("c2", NULL);
	cr_expect_eq(crt_kill(&context, "c1", 0, false, &error), -ESRCH);
	cr_expect_str_eq(error.message, "container not running: \"c1\" is stopped");
	cr_expect_str_eq(error.phase, "kill");
	cr_expect_eq(crt_kill(&context, "c1", 0, true, &error), -ESRCH);
	cr_expect_eq(crt_kill(&context, "c2", 0, false, &error), -ESRCH);
	cr_expect_eq(crt_kill(&context, "c3", 0, false, &error), -ENOENT);
}

Test(libcontainer_list, an_error_as_text)
{
	struct crt_error e = {.line = 2, .column = 3, .caret = 1, .file = "f.json", .path = "a[0]"};
	char text[256];

	snprintf(e.message, sizeof(e.message), "no good");
	snprintf(e.hint, sizeof(e.hint), "be better");
	snprintf(e.source, sizeof(e.source), "\t[1]");
	crt_error_format(&e, false, text, sizeof(text));
	cr_expect_str_eq(text, "f.json:2:3: a[0]: no good (be better)");
	crt_error_format(&e, true, text, sizeof(text));
	cr_expect_str_eq(text, "f.json:2:3: a[0]: no good\n    \t[1]\n    \t^\n  hint: be better");
}

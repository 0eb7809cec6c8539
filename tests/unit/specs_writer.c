/*
 * specs_writer.c - JSON text: commas, indentation, escaping; and the tables as writers.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "base/str.h"
#include "specs/config.h"
#include "specs/features.h"
#include "specs/state.h"
#include "specs/writer.h"

static struct arena arena;
static struct json_writer w;

static void set_up(void)
{
	cr_assert_eq(arena_init(&arena, NULL), 0);
	json_writer_init(&w, &arena, false);
}

static void tear_down(void)
{
	arena_free(&arena);
}

TestSuite(specs_writer, .init = set_up, .fini = tear_down);

static void write_sample(void)
{
	json_write_object(&w);
	json_write_member(&w, "s", "x");
	json_write_member(&w, "absent", NULL);
	json_write_key(&w, "list");
	json_write_array(&w);
	json_write_u64(&w, UINT64_MAX);
	json_write_i64(&w, INT64_MIN);
	json_write_bool(&w, false);
	json_write_null(&w);
	json_write_array_end(&w);
	json_write_key(&w, "empty");
	json_write_object(&w);
	json_write_object_end(&w);
	json_write_member_bool(&w, "b", true);
	json_write_object_end(&w);
}

Test(specs_writer, compact)
{
	size_t length;

	write_sample();
	const char *text = json_writer_text(&w, &length);
	cr_assert_str_eq(text, "{\"s\":\"x\",\"list\":[18446744073709551615,-9223372036854775808,false,null],"
			       "\"empty\":{},\"b\":true}");
	cr_assert_eq(length, strlen(text));
}

Test(specs_writer, indented)
{
	json_writer_init(&w, &arena, true);
	write_sample();
	cr_assert_str_eq(json_writer_text(&w, NULL), "{\n"
						     "  \"s\": \"x\",\n"
						     "  \"list\": [\n"
						     "    18446744073709551615,\n"
						     "    -9223372036854775808,\n"
						     "    false,\n"
						     "    null\n"
						     "  ],\n"
						     "  \"empty\": {},\n"
						     "  \"b\": true\n"
						     "}\n");
}

Test(specs_writer, escapes)
{
	json_write_string(&w, "\" \\ / \b \f \n \r \t \x01 \x1f \x7f \xc3\xa9 \xf0\x9f\x98\x80");
	cr_assert_str_eq(json_writer_text(&w, NULL),
		"\"\\\" \\\\ / \\b \\f \\n \\r \\t \\u0001 \\u001f \\u007f \xc3\xa9 \xf0\x9f\x98\x80\"");
}

Test(specs_writer, what_is_not_utf8_is_replaced)
{
	json_write_string_n(&w, "a\xff\xc3z\0\xe2\x82", 7);
	cr_assert_str_eq(json_writer_text(&w, NULL), "\"a\\ufffd\\ufffdz\\u0000\\ufffd\\ufffd\"");
}

Test(specs_writer, every_byte_comes_back)
{
	char all[128];
	struct report report;
	const struct json_doc *doc;
	size_t length;

	for (int i = 1; i < 128; i++)
		all[i - 1] = (char)i;
	json_write_array(&w);
	json_write_string_n(&w, all, 127);
	json_write_array_end(&w);
	const char *text = json_writer_text(&w, &length);
	report_init(&report, &arena);
	cr_assert_eq(json_parse(&arena, "x", text, length, &report, &doc), 0);
	cr_assert_eq(doc->nodes[1].length, 127u);
	cr_assert(memcmp(doc->nodes[1].text, all, 127) == 0);
}

Test(specs_writer, grows)
{
	size_t length;

	json_write_array(&w);
	for (int i = 0; i < 100000; i++)
		json_write_string(&w, "12345678");
	json_write_array_end(&w);
	const char *text = json_writer_text(&w, &length);
	cr_assert_eq(length, 100000u * 11 + 1);
	cr_assert_str_eq(text + length - 12, ",\"12345678\"]");
}

Test(specs_writer, state)
{
	struct spec_pair pairs[] = {{0, "a.b", "1"}, {0, "c", ""}};
	struct spec_state state = {
		.oci_version = "1.3.0",
		.id = "x",
		.status = SPEC_STATUS_RUNNING,
		.pid = 42,
		.bundle = "/b",
		.annotations = pairs,
		.annotations_count = 2,
	};

	cr_assert_str_eq(spec_state_text(&arena, &state, false, NULL),
		"{\"ociVersion\":\"1.3.0\",\"id\":\"x\",\"status\":\"running\",\"pid\":42,\"bundle\":\"/b\","
		"\"annotations\":{\"a.b\":\"1\",\"c\":\"\"}}");
	state = (struct spec_state){
		.oci_version = "1.3.0", .id = "x", .status = SPEC_STATUS_STOPPED, .bundle = "/b"};
	cr_assert_str_eq(spec_state_text(&arena, &state, false, NULL),
		"{\"ociVersion\":\"1.3.0\",\"id\":\"x\",\"status\":\"stopped\",\"pid\":0,\"bundle\":\"/b\"}");
}

/* One member of each type that rows can have. */
static const char everything[] =
	"{\"ociVersion\":\"1.3.0\",\"process\":{\"terminal\":true,\"consoleSize\":{\"height\":25,\"width\":"
	"80},"
	"\"user\":{\"uid\":1,\"gid\":2,\"umask\":0,\"additionalGids\":[3,4294967294]},\"args\":[\"a\",\"\"],"
	"\"cwd\":\"/"
	"\",\"capabilities\":{\"bounding\":[\"CAP_CHOWN\",\"CAP_CHECKPOINT_RESTORE\"],\"ambient\":[]},"
	"\"rlimits\":[{\"type\":\"RLIMIT_CORE\",\"hard\":18446744073709551615,\"soft\":0}],\"oomScoreAdj\":-"
	"998,"
	"\"ioPriority\":{\"class\":\"IOPRIO_CLASS_IDLE\",\"priority\":0}},\"root\":{\"path\":\"r\"},"
	"\"annotations\":{\"\\u00e9\":\"\"},\"linux\":{\"resources\":{\"devices\":[{\"allow\":false,"
	"\"access\":\"\"}],"
	"\"memory\":{\"limit\":-1,\"swappiness\":0,\"disableOOMKiller\":false},\"blockIO\":{\"weight\":0},"
	"\"rdma\":{\"mlx\":{\"hcaHandles\":0}}},\"netDevices\":{\"eth0\":{}},\"timeOffsets\":{\"monotonic\":{"
	"\"secs\":-5}}}}";

Test(specs_writer, a_document_comes_back_as_it_was)
{
	struct report report;
	const struct spec_config *c;

	report_init(&report, &arena);
	cr_assert_eq(spec_config_parse(&arena, "x", everything, sizeof(everything) - 1, &report, &c), 0);
	cr_assert_eq(report.warnings, 0u);
	spec_write(&w, &spec_config_table, c);
	const char *expected = arena_strdup(&arena, everything);
	char *e = strstr(expected, "\\u00e9"); /* the one thing that is written differently */
	memmove(e + 2, e + 6, strlen(e + 6) + 1);
	memcpy(e, "\xc3\xa9", 2);
	cr_assert_str_eq(json_writer_text(&w, NULL), expected);
}

Test(specs_writer, features_name_what_is_known)
{
	struct spec_features *f = spec_features_known(&arena);

	spec_write(&w, &spec_features_table, f);
	const char *text = json_writer_text(&w, NULL);
	cr_assert(str_starts(text,
		"{\"ociVersionMin\":\"1.0.0\",\"ociVersionMax\":\"1.3.0\",\"hooks\":[\"prestart\","
		"\"createRuntime\",\"createContainer\",\"startContainer\",\"poststart\","
		"\"poststop\"],\"mountOptions\":[\"async\","));
	cr_assert_not_null(strstr(text,
		"\"namespaces\":[\"pid\",\"network\",\"mount\",\"ipc\",\"uts\",\"user\",\"cgroup\","
		"\"time\"],\"capabilities\":[\"CAP_CHOWN\","));
	cr_assert_not_null(
		strstr(text, "\"CAP_CHECKPOINT_RESTORE\"],\"seccomp\":{\"enabled\":true,\"actions\":["));
	cr_assert_not_null(strstr(text, "\"knownFlags\":[\"SECCOMP_FILTER_FLAG_TSYNC\","));
	cr_assert_null(strstr(text, "supportedFlags"), "what depends on the host is the caller's to add");
}

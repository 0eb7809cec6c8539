/*
 * specs_config.c - config.json as a whole: its outermost members, what a host need not exist for, and the
 * documents that engines write.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "specs/writer.h"
#include "specs_case.h"

TestSuite(specs_config, .init = spec_case_set_up, .fini = spec_case_tear_down);

Test(specs_config, minimal)
{
	const struct spec_config *c = spec_case_piece("", "");

	cr_assert_str_eq(spec_case_problems(), "");
	cr_assert_str_eq(c->oci_version, "1.3.0");
	cr_assert_str_eq(c->root->path, "r");
	cr_assert_not(c->root->readonly);
	cr_assert_not_null(c->process->user, "root, when the document names nobody");
	cr_assert_eq(c->process->user->uid, 0u);
	cr_assert_null(c->hostname);
	cr_assert_eq(c->mounts_count, 0u);
	cr_assert_null(c->hooks);
}

Test(specs_config, nothing_at_all)
{
	const struct spec_config *c = spec_case_config("{}");

	cr_assert_not_null(c->linux_);
	cr_assert_str_eq(spec_case_problems(),
		"E the member \"ociVersion\" is missing\nE the member \"root\" is missing\n"
		"E the member \"process\" is missing\n"
		"E there is no mount namespace; the mounts would be the host's (add {\"type\": \"mount\"})");
}

Test(specs_config, not_an_object)
{
	cr_assert_null(spec_case_config("[]"));
	cr_assert_str_eq(spec_case_problems(), "E expected an object, found an array");
}

static const struct spec_case document[] = {
	{"'hostname':'a','domainname':'b','annotations':{'x':''}", ""},
	{"'hostnmae':'a'",
		"N hostnmae: unknown member \"hostnmae\" of the document (did you mean \"hostname\"?)"},
	{"'com.example.x':{}", "N [\"com.example.x\"]: unknown member \"com.example.x\" of the document"},
	{"'windows':1,'solaris':{},'vm':[],'zos':null,'freebsd':{'x':1}", ""},
	{"'hostname':null,'mounts':null,'hooks':null,'annotations':null", ""},
	{"'hostname':''", ""},
	{"'hostname':'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'", ""},
	{"'hostname':'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab'",
		"E hostname: longer than 64 bytes"},
	{"'annotations':{'a':1}", "E annotations.a: expected a string, found a number"},
	{"'annotations':{'':'x'}", "E annotations[\"\"]: an annotation's name must not be empty"},
	{"'annotations':[]", "E annotations: expected an object of strings, found an array"},
};

Test(specs_config, document)
{
	spec_case_run("", document, ARRAY_SIZE(document));
}

static const struct spec_case versions[] = {
	{"1.0.0", ""},
	{"1.0.2-dev", ""},
	{"1.2.0+build.5", ""},
	{"1.4.0", "W ociVersion: version 1.4.0 of the specification; this runtime knows up to 1.3.0"},
	{"2.0.0", "E ociVersion: version 2.0.0 of the specification; this runtime knows 1.x"},
	{"0.5.0", "E ociVersion: version 0.5.0 of the specification; this runtime knows 1.x"},
	{"1.0", "E ociVersion: not a version of the form 1.2.3: \"1.0\""},
	{"v1.0.0", "E ociVersion: not a version of the form 1.2.3: \"v1.0.0\""},
	{"1.02.0", "E ociVersion: not a version of the form 1.2.3: \"1.02.0\""},
	{"1.0.0x", "E ociVersion: not a version of the form 1.2.3: \"1.0.0x\""},
	{"1.0.", "E ociVersion: not a version of the form 1.2.3: \"1.0.\""},
	{"", "E ociVersion: must not be empty"},
};

Test(specs_config, versions)
{
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		spec_case_config(spec_case_text(arena_printf(&arena,
			"{'ociVersion':'%s','root':{'path':'r'},'process':{'cwd':'/','args':['a']},"
			"'linux':{'namespaces':[{'type':'mount'}]}}",
			versions[i].piece)));
		cr_expect_str_eq(spec_case_problems(), versions[i].problems, "%s", spec_case_problems());
	}
}

Test(specs_config, names_of_the_host)
{
	spec_case_config(spec_case_text(
		"{'ociVersion':'1.3.0','root':{'path':'r'},'hostname':'a','domainname':'b',"
		"'process':{'cwd':'/','args':['a']},'linux':{'namespaces':[{'type':'mount'}]}}"));
	cr_assert_str_eq(spec_case_problems(),
		"E hostname: without a uts namespace the hostname is the host's (add {\"type\": \"uts\"} to "
		"linux.namespaces)\n"
		"E domainname: without a uts namespace the domainname is the host's (add {\"type\": \"uts\"} "
		"to "
		"linux.namespaces)");
}

static const struct spec_case roots[] = {
	{"{}", "E root: the member \"path\" is missing"},
	{"{'path':''}", "E root.path: must not be empty"},
	{"{'path':1}", "E root.path: expected a string, found a number"},
	{"{'path':'/a','readonly':'true'}", "E root.readonly: expected true or false, found a string"},
	{"'r'", "E root: expected an object, found a string"},
	{"null", "E the member \"root\" is missing"},
};

Test(specs_config, root)
{
	for (size_t i = 0; i < ARRAY_SIZE(roots); i++) {
		spec_case_config(spec_case_text(arena_printf(&arena,
			"{'ociVersion':'1.3.0','root':%s,'process':{'cwd':'/','args':['a']},"
			"'linux':{'namespaces':[{'type':'mount'}]}}",
			roots[i].piece)));
		cr_expect_str_eq(spec_case_problems(), roots[i].problems, "%s", spec_case_problems());
	}
}

Test(specs_config, annotation)
{
	const struct spec_config *c = spec_case_piece("", "'annotations':{'a.b':'1','c':''}");

	cr_assert_eq(c->annotations_count, 2);
	cr_assert_str_eq(c->annotations[0].key, "a.b");
	cr_assert_str_eq(c->annotations[0].value, "1");
	cr_assert_str_eq(c->annotations[1].key, "c");
	cr_assert_str_eq(c->annotations[1].value, "");
}

Test(specs_config, every_wrong_type_is_found)
{
	static const char text[] =
		"{'ociVersion':1,'process':[],'root':'x','mounts':{},'hooks':{'prestart':[{'path':1,'timeout'"
		":0}]},"
		"'linux':{'namespaces':[1,'x',{'type':3}],'sysctl':[],'seccomp':5,'maskedPaths':[1,null],"
		"'resources':{'memory':{'limit':1.5,'swap':'x'},'cpu':{'shares':-1,'quota':1e3,"
		"'period':99999999999999999999}},'rdma':1,'netDevices':{'x':3}}}";

	spec_case_config(spec_case_text(text));
	cr_assert_str_eq(spec_case_problems(),
		"E ociVersion: expected a string, found a number\n"
		"E process: expected an object, found an array\n"
		"E root: expected an object, found a string\n"
		"E mounts: expected an array of objects, found an object\n"
		"E hooks.prestart[0].path: expected a string, found a number\n"
		"E hooks.prestart[0].timeout: 0 is out of range (1 to 2147483647)\n"
		"E linux.namespaces[0]: expected an object, found a number\n"
		"E linux.namespaces[1]: expected an object, found a string\n"
		"E linux.namespaces[2].type: expected a string, found a number\n"
		"E linux.sysctl: expected an object of strings, found an array\n"
		"E linux.seccomp: expected an object, found a number\n"
		"E linux.maskedPaths[0]: expected a string, found a number\n"
		"E linux.maskedPaths[1]: expected a string, found null\n"
		"E linux.resources.memory.limit: expected an integer, found 1.5\n"
		"E linux.resources.memory.swap: expected an integer, found a string\n"
		"E linux.resources.cpu.shares: -1 is out of range (0 to 18446744073709551615)\n"
		"E linux.resources.cpu.quota: expected an integer, found 1e3\n"
		"E linux.resources.cpu.period: 99999999999999999999 is out of range (0 to "
		"18446744073709551615)\n"
		"N linux.rdma: unknown member \"rdma\" of the linux object\n"
		"E linux.netDevices.x: expected an object, found a number");
}

Test(specs_config, the_end_of_a_report)
{
	char *text = arena_alloc(&arena, 20000);
	size_t n = 0;

	n += (size_t)sprintf(text, "{\"ociVersion\":\"1.3.0\"");
	for (int i = 0; i < 1000; i++)
		n += (size_t)sprintf(text + n, ",\"x%d\":%d", i, i);
	sprintf(text + n, "}");
	spec_case_config(text);
	cr_assert_eq(report.warnings, 1000u);
	cr_assert_eq(report.errors, 3u);
	struct err e;
	cr_assert_eq(report_first_error(&report, &e), -EINVAL,
		"the first error is kept though 200 warnings came first");
	cr_assert_str_eq(e.message, "the member \"root\" is missing");
}

/* The default documents must pass their own checks, and be the same after a journey through JSON. */
Test(specs_config, default_documents)
{
	for (int rootless = 0; rootless < 2; rootless++) {
		struct json_writer w, again;
		json_writer_init(&w, &arena, true);
		spec_write(&w, &spec_config_table, spec_config_default(&arena, rootless, 1000, 1001));
		const struct spec_config *c = spec_case_config(json_writer_text(&w, NULL));
		cr_expect_str_eq(spec_case_problems(), "", "%s", spec_case_problems());
		json_writer_init(&again, &arena, true);
		spec_write(&again, &spec_config_table, c);
		cr_expect_str_eq(json_writer_text(&w, NULL), json_writer_text(&again, NULL));
		cr_expect_eq(c->linux_->uid_mappings_count, (size_t)rootless);
		cr_expect_eq(spec_namespace_find(c->linux_, SPEC_NS_NETWORK) == NULL, rootless);
		cr_expect_eq(c->linux_->resources == NULL, rootless);
		cr_expect(c->process->terminal && c->root->readonly && c->process->no_new_privileges);
		cr_expect_eq(c->process->capabilities->bounding.mask, (uint64_t)0x20000420);
		cr_expect_not(c->process->capabilities->inheritable.set);
		if (rootless)
			cr_expect_eq(c->linux_->gid_mappings->host_id, 1001u);
	}
}

/* A model that crt made itself has no document behind it; its checks must not look for one. */
Test(specs_config, no_document)
{
	for (int rootless = 0; rootless < 2; rootless++) {
		spec_config_check(spec_config_default(&arena, rootless, 1000, 1000), &report);
		cr_assert(report.errors + report.warnings == 0, "%s", report.first->err.message);
	}
	struct spec_config *c = spec_config_default(&arena, false, 0, 0);
	c->process->args_count = 0;
	c->hostname = "a";
	c->linux_->namespaces_count = 0;
	cr_assert_eq(spec_config_check(c, &report), -EINVAL);
	cr_assert_eq(report.errors, 3u);
	cr_assert_str_eq(report.first->err.message, "the member \"args\" is missing");
	cr_assert_eq(report.first->err.where.line, 0u);
}

static DIR *open_corpus(void)
{
	const char *shared = getenv("CRT_SHARED");

	return shared ? opendir(arena_printf(&arena, "%s/corpus", shared)) : NULL;
}

/* What docker, podman and containerd write has no error and no warning. */
Test(specs_config, documents_of_engines)
{
	unsigned files = 0;
	DIR *dir = open_corpus();

	if (!dir)
		cr_skip_test("no documents of engines: set CRT_SHARED to the directory that holds corpus");
	for (struct dirent *entry; (entry = readdir(dir));) {
		const struct spec_config *c;
		if (entry->d_name[0] == '.')
			continue;
		files++;
		report_init(&report, &arena);
		cr_assert_eq(
			spec_config_read(&arena, dirfd(dir), entry->d_name, entry->d_name, &report, &c), 0);
		cr_expect_eq(spec_config_check(c, &report), 0);
		cr_expect_str_eq(spec_case_problems(), "", "%s: %s", entry->d_name, spec_case_problems());
		cr_expect(c->linux_->namespaces_count >= 1 && c->mounts_count >= 5, "%s", entry->d_name);
	}
	closedir(dir);
	cr_assert_geq(files, 10u);
}

/* Every engine's document, cut short or with a byte changed here and there: an answer, never a crash. */
Test(specs_config, damaged_documents, .timeout = 60)
{
	char *text;
	DIR *dir = open_corpus();

	if (!dir)
		cr_skip_test("no documents of engines: set CRT_SHARED to the directory that holds corpus");
	int fd = openat(dirfd(dir), "ctr-nethost.json", O_RDONLY);
	cr_assert_geq(fd, 0);
	off_t length = lseek(fd, 0, SEEK_END);
	for (off_t i = 0; i < length; i++) {
		struct arena one;
		struct report r;
		const struct spec_config *c;
		cr_assert_eq(arena_init(&one, NULL), 0);
		report_init(&r, &one);
		text = arena_alloc(&one, (size_t)length + 1);
		cr_assert_eq(pread(fd, text, (size_t)length, 0), length);
		text[i] = "\"{}[],:19ax\\\xff"[i % 13];
		spec_config_parse(&one, "x", text, (size_t)length, &r, &c);
		if (c)
			spec_config_check(c, &r);
		arena_free(&one);
	}
	close(fd);
	closedir(dir);
}

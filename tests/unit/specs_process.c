/*
 * specs_process.c - the process object and capabilities by name.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "specs_case.h"

TestSuite(specs_process, .init = spec_case_set_up, .fini = spec_case_tear_down);

static const struct spec_case cases[] = {
	{"'args':[]", "E process.args: must name the program to run"},
	{"'args':null", "E process: the member \"args\" is missing"},
	{"'args':['']", "E process.args[0]: the name of the program is empty"},
	{"'args':'sh'", "E process.args: expected an array of strings, found a string"},
	{"'args':[5]", "E process.args[0]: expected a string, found a number"},
	{"'args':['a',1]", "E process.args[1]: expected a string, found a number"},
	{"'env':['A=1','B=']", ""},
	{"'env':['A']", "W process.env[0]: not of the form NAME=value: \"A\""},
	{"'env':['A=','=x']", "W process.env[1]: not of the form NAME=value: \"=x\""},
	{"'user':{'uid':4294967295}", "E process.user.uid: 4294967295 is out of range (0 to 4294967294)"},
	{"'user':{'gid':-1}", "E process.user.gid: -1 is out of range (0 to 4294967294)"},
	{"'user':{'additionalGids':[1,4294967296]}",
		"E process.user.additionalGids[1]: 4294967296 is out of range (0 to 4294967294)"},
	{"'user':{'umask':512}", "E process.user.umask: 512 is out of range (0 to 511)"},
	{"'user':{'uid':'0'}", "E process.user.uid: expected an integer, found a string"},
	{"'consoleSize':{'height':1}", "E process.consoleSize: the member \"width\" is missing"},
	{"'consoleSize':{'height':1,'width':65536}",
		"E process.consoleSize.width: 65536 is out of range (0 to 65535)"},
	{"'rlimits':[{'type':'RLIMIT_CORE','soft':1,'hard':2},{'type':'RLIMIT_CPU','soft':2,'hard':2}]", ""},
	{"'rlimits':[{'type':'RLIMIT_CORE','soft':3,'hard':2}]",
		"E process.rlimits[0].soft: the soft limit 3 is above the hard limit 2"},
	{"'rlimits':[{'type':'RLIMIT_CORE','soft':1,'hard':2},{'type':'RLIMIT_CORE','soft':1,'hard':2}]",
		"E process.rlimits[1]: duplicate resource limit RLIMIT_CORE; the first one is at line 1"},
	{"'rlimits':[{'type':'RLIMIT_NOFILES','soft':1,'hard':2}]",
		"E process.rlimits[0].type: unknown resource limit \"RLIMIT_NOFILES\" (did you mean "
		"\"RLIMIT_NOFILE\"?)"},
	{"'rlimits':[{'type':'RLIMIT_CORE','hard':2}]",
		"E process.rlimits[0]: the member \"soft\" is missing"},
	{"'oomScoreAdj':-1001", "E process.oomScoreAdj: -1001 is out of range (-1000 to 1000)"},
	{"'capabilities':{'bounding':['CAP_NET_ADMN']}",
		"W process.capabilities.bounding[0]: unknown capability \"CAP_NET_ADMN\" is ignored "
		"(did you mean \"CAP_NET_ADMIN\"?)"},
	{"'capabilities':{'permitted':['CAP_CHOWN'],'effective':['CAP_CHOWN','CAP_KILL']}",
		"W process.capabilities.effective: CAP_KILL is effective but not permitted, and will not be "
		"granted"},
	{"'capabilities':{'permitted':['CAP_KILL'],'ambient':['CAP_KILL']}",
		"W process.capabilities.ambient: CAP_KILL is ambient but not both permitted and inheritable, "
		"and will "
		"not be granted"},
	{"'capabilities':{'bounding':['CAP_KILL'],'permitted':['CAP_KILL'],'inheritable':['CAP_KILL'],"
	 "'ambient':['CAP_KILL']}",
		""},
	{"'capabilities':{'bounding':['CAP_CHOWN'],'inheritable':['CAP_CHOWN','CAP_KILL']}",
		"W process.capabilities.inheritable: CAP_KILL is inheritable but not in the bounding set, "
		"and will not "
		"be granted"},
	{"'capabilities':['CAP_KILL']", "E process.capabilities: expected an object, found an array"},
	{"'scheduler':{}", "E process.scheduler: the member \"policy\" is missing"},
	{"'scheduler':{'policy':'SCHED_FIFO','priority':5}", ""},
	{"'scheduler':{'policy':'SCHED_FIFO'}",
		"E process.scheduler: SCHED_FIFO needs a priority from 1 to 99"},
	{"'scheduler':{'policy':'SCHED_OTHER','priority':5}",
		"E process.scheduler.priority: a priority needs SCHED_FIFO or SCHED_RR, not SCHED_OTHER"},
	{"'scheduler':{'policy':'SCHED_IDLE','nice':5}",
		"E process.scheduler.nice: a nice value needs SCHED_OTHER or SCHED_BATCH, not SCHED_IDLE"},
	{"'scheduler':{'policy':'SCHED_BATCH','nice':20}",
		"E process.scheduler.nice: 20 is out of range (-20 to 19)"},
	{"'scheduler':{'policy':'SCHED_BATCH','runtime':1}",
		"E process.scheduler: runtime, deadline and period need SCHED_DEADLINE, not SCHED_BATCH"},
	{"'scheduler':{'policy':'SCHED_DEADLINE','runtime':1,'deadline':2,'period':2}", ""},
	{"'scheduler':{'policy':'SCHED_DEADLINE','runtime':3,'deadline':2}",
		"E process.scheduler: SCHED_DEADLINE needs 0 < runtime <= deadline <= period"},
	{"'scheduler':{'policy':'SCHED_ISO'}", "E process.scheduler.policy: no Linux kernel has SCHED_ISO"},
	{"'scheduler':{'policy':'SCHED_OTHER','flags':['SCHED_FLAG_RECLAM']}",
		"E process.scheduler.flags[0]: unknown scheduling flag \"SCHED_FLAG_RECLAM\" "
		"(did you mean \"SCHED_FLAG_RECLAIM\"?)"},
	{"'ioPriority':{'class':'IOPRIO_CLASS_RT','priority':7}", ""},
	{"'ioPriority':{'class':'x','priority':8}",
		"E process.ioPriority.class: unknown I/O priority class \"x\" (known are "
		"\"IOPRIO_CLASS_RT\", "
		"\"IOPRIO_CLASS_BE\", \"IOPRIO_CLASS_IDLE\")\n"
		"E process.ioPriority.priority: 8 is out of range (0 to 7)"},
	{"'execCPUAffinity':{'initial':'0-3,7','final':' 1 , 2'}", ""},
	{"'execCPUAffinity':{'initial':'3-1','final':'0-'}",
		"E process.execCPUAffinity.initial: not a list of numbers and ranges: \"3-1\" (write it like "
		"\"0-3,7\")\n"
		"E process.execCPUAffinity.final: not a list of numbers and ranges: \"0-\" (write it like "
		"\"0-3,7\")"},
	{"'execCPUAffinity':{'initial':'0x3'}", "E process.execCPUAffinity.initial: not a list of numbers "
						"and ranges: \"0x3\" (write it like \"0-3,7\")"},
};

Test(specs_process, cases)
{
	spec_case_run("process", cases, ARRAY_SIZE(cases));
}

Test(specs_process, cwd)
{
	static const struct spec_case cwds[] = {
		{"", "E process: the member \"cwd\" is missing"},
		{"'cwd':'',", "E process.cwd: must not be empty"},
		{"'cwd':'a',", "E process.cwd: must be an absolute path, is \"a\""},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cwds); i++) {
		spec_case_config(spec_case_text(arena_printf(&arena,
			"{'ociVersion':'1.3.0','root':{'path':'r'},'process':{%s'args':['a']},"
			"'linux':{'namespaces':[{'type':'mount'}]}}",
			cwds[i].piece)));
		cr_expect_str_eq(spec_case_problems(), cwds[i].problems);
	}
}

Test(specs_process, every_member)
{
	const struct spec_process *p = spec_case_piece("process",
		"'terminal':true,'consoleSize':{'height':24,'width':80},'user':{'uid':1,'gid':2,'umask':18,"
		"'additionalGids':[3,4]},'env':['A=1'],'noNewPrivileges':true,'oomScoreAdj':-5,"
		"'capabilities':{'bounding':['CAP_CHOWN','CAP_CHECKPOINT_RESTORE'],'permitted':[]},"
		"'rlimits':[{'type':'RLIMIT_NOFILE','soft':1,'hard':18446744073709551615}],"
		"'apparmorProfile':'a','selinuxLabel':'s','ioPriority':{'class':'IOPRIO_CLASS_BE','priority':"
		"3},"
		"'scheduler':{'policy':'SCHED_RR','priority':9,'flags':['SCHED_FLAG_RESET_ON_FORK',"
		"'SCHED_FLAG_UTIL_CLAMP_MAX']},'execCPUAffinity':{'initial':'0','final':'1'}")
					       ->process;

	cr_assert_str_eq(spec_case_problems(), "");
	cr_assert(p->terminal && p->no_new_privileges);
	cr_assert(p->console_size->height == 24 && p->console_size->width == 80);
	cr_assert(
		p->user->uid == 1 && p->user->gid == 2 && p->user->umask.set && p->user->umask.value == 022);
	cr_assert(p->user->additional_gids_count == 2 && p->user->additional_gids[1] == 4);
	cr_assert(p->args_count == 1 && p->env_count == 1);
	cr_assert_null(p->args[1], "lists of strings end with NULL, ready for execve");
	cr_assert(p->oom_score_adj.set && p->oom_score_adj.value == -5);
	cr_assert_eq(p->capabilities->bounding.mask, (uint64_t)1 | (uint64_t)1 << 40);
	cr_assert(p->capabilities->permitted.set && p->capabilities->permitted.mask == 0);
	cr_assert_not(p->capabilities->ambient.set);
	cr_assert(p->rlimits[0].soft == 1 && p->rlimits[0].hard == UINT64_MAX);
	cr_assert_eq(spec_rlimit_resource(p->rlimits[0].type), RLIMIT_NOFILE);
	cr_assert(str_eq(p->apparmor_profile, "a") && str_eq(p->selinux_label, "s"));
	cr_assert(p->io_priority->class_ == SPEC_IOPRIO_BE && p->io_priority->priority == 3);
	cr_assert(p->scheduler->policy - 1 == 2 /* SCHED_RR */ && p->scheduler->priority.value == 9);
	cr_assert_eq(p->scheduler->flags.mask, (uint64_t)0x41, "the kernel's SCHED_FLAG_ bits");
	cr_assert_str_eq(p->exec_cpu_affinity->final_, "1");
}

Test(specs_process, every_rlimit_has_its_number)
{
	uint64_t seen = 0;

	for (unsigned type = 1; type <= spec_rlimit_names.count; type++) {
		int resource = spec_rlimit_resource(type);
		cr_assert(resource >= 0 && resource < RLIM_NLIMITS && !(seen & (uint64_t)1 << resource));
		seen |= (uint64_t)1 << resource;
	}
	cr_assert_eq(seen, ((uint64_t)1 << RLIM_NLIMITS) - 1, "the kernel has no other");
	cr_assert_eq(spec_rlimit_resource(SPEC_RLIMIT_NONE), -1);
}

Test(specs_process, a_file_of_its_own)
{
	char path[] = "/tmp/crt-process-XXXXXX";
	int fd = mkstemp(path);
	const struct json_doc *doc;
	const struct spec_process *p;
	char *text = spec_case_text("{'cwd':'/x','args':['a','b']}");

	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	cr_assert_eq(spec_process_read(&arena, AT_FDCWD, path, "process.json", &report, &doc, &p), 0);
	cr_assert(p->args_count == 2 && p->user && doc->count == 5);
	cr_assert_eq(ftruncate(fd, 5), 0);
	cr_assert_lt(spec_process_read(&arena, AT_FDCWD, path, "process.json", &report, &doc, &p), 0);
	cr_assert_null(p);
	cr_assert_str_eq(report.first->err.where.file, "process.json");
	close(fd);
	unlink(path);
}

Test(specs_process, capability_names)
{
	cr_assert_str_eq(spec_capability_name(0), "CAP_CHOWN");
	cr_assert_str_eq(spec_capability_name(21), "CAP_SYS_ADMIN");
	cr_assert_str_eq(spec_capability_name(40), "CAP_CHECKPOINT_RESTORE");
	cr_assert_null(spec_capability_name(41));
	for (unsigned i = 0; i < SPEC_CAPABILITY_COUNT; i++)
		cr_assert_eq(spec_capability_number(spec_capability_name(i)), (int)i);
	cr_assert_eq(spec_capability_number("net_admin"), 12);
	cr_assert_eq(spec_capability_number("cap_net_admin"), 12);
	cr_assert_eq(spec_capability_number("CAP_"), -1);
	cr_assert_eq(spec_capability_number(""), -1);
	cr_assert_eq(spec_capability_number("CAP_NET"), -1);
	cr_assert_eq(SPEC_CAPABILITY_ALL, (uint64_t)0x1ffffffffff);
}

/*
 * specs_resources.c - limits of the cgroup, and hooks: shape and rules.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "specs_case.h"

TestSuite(specs_resources, .init = spec_case_set_up, .fini = spec_case_tear_down);

static const struct spec_case cases[] = {
	{"'memory':{'limit':100,'swap':200,'reservation':50,'swappiness':100,'disableOOMKiller':true}", ""},
	{"'memory':{'limit':-1,'swap':-1}", ""},
	{"'memory':{'limit':0,'swap':0}", ""},
	{"'memory':{'limit':-2}",
		"E linux.resources.memory.limit: -2 is out of range (-1 to 9223372036854775807)"},
	{"'memory':{'limit':9223372036854775808}", "E linux.resources.memory.limit: 9223372036854775808 is "
						   "out of range (-1 to 9223372036854775807)"},
	{"'memory':{'limit':200,'swap':100}", "E linux.resources.memory.swap: the limit of memory and swap "
					      "together (100) is below the memory limit "
					      "(200) (swap counts both: no swap is the memory limit itself)"},
	{"'memory':{'swap':100}",
		"E linux.resources.memory.swap: a limit of memory and swap needs a memory limit"},
	{"'memory':{'swappiness':101}",
		"E linux.resources.memory.swappiness: 101 is out of range (0 to 100)"},
	{"'memory':{'kernel':5,'kernelTCP':5}",
		"N linux.resources.memory.kernel: has no effect: the kernel has no such limit any more\n"
		"N linux.resources.memory.kernelTCP: has no effect with cgroup v2"},
	{"'cpu':{'shares':1024,'quota':50000,'period':100000,'burst':10000,'cpus':'0-3','mems':'0','idle':1}",
		""},
	{"'cpu':{'shares':0,'quota':0,'period':0,'cpus':''}", ""},
	{"'cpu':{'quota':-1,'burst':5}", ""},
	{"'cpu':{'shares':1}", "N linux.resources.cpu.shares: 1 is taken for the nearest of 2 to 262144"},
	{"'cpu':{'period':999}",
		"E linux.resources.cpu.period: 999 microseconds; the kernel takes 1000 to 1000000"},
	{"'cpu':{'period':1000001}",
		"E linux.resources.cpu.period: 1000001 microseconds; the kernel takes 1000 to 1000000"},
	{"'cpu':{'quota':999}",
		"E linux.resources.cpu.quota: 999 microseconds; the kernel takes 1000 and more"},
	{"'cpu':{'quota':2000,'burst':2001}",
		"E linux.resources.cpu.burst: the burst 2001 is above the quota 2000"},
	{"'cpu':{'idle':2}", "E linux.resources.cpu.idle: 2 is out of range (0 to 1)"},
	{"'cpu':{'cpus':'1-0'}", "E linux.resources.cpu.cpus: not a list of numbers and ranges: \"1-0\" "
				 "(write it like \"0-3,7\")"},
	{"'pids':{'limit':-1}", ""},
	{"'pids':{}", "E linux.resources.pids: the member \"limit\" is missing"},
	{"'blockIO':{'weight':1000,'weightDevice':[{'major':8,'minor':0,'weight':10}]}", ""},
	{"'blockIO':{'weight':9,'weightDevice':[{'major':8,'minor':0,'weight':1001},{'major':8,'minor':0}]}",
		"E linux.resources.blockIO.weight: the weight 9 is out of range (10 to 1000)\n"
		"E linux.resources.blockIO.weightDevice[0].weight: the weight 1001 is out of range (10 to "
		"1000)\n"
		"E linux.resources.blockIO.weightDevice[1]: neither a weight nor a leafWeight"},
	{"'blockIO':{'weight':65536}",
		"E linux.resources.blockIO.weight: 65536 is out of range (0 to 65535)"},
	{"'blockIO':{'throttleReadBpsDevice':[{'major':8,'minor':0,'rate':1}],'throttleWriteIOPSDevice':[{'"
	 "major':8}]}",
		"E linux.resources.blockIO.throttleWriteIOPSDevice[0]: the member \"minor\" is missing\n"
		"E linux.resources.blockIO.throttleWriteIOPSDevice[0]: the member \"rate\" is missing"},
	{"'hugepageLimits':[{'pageSize':'2MB','limit':1},{'pageSize':'1GB','limit':9223372036854772000}]",
		""},
	{"'hugepageLimits':[{'pageSize':'2M','limit':1},{'pageSize':'02MB','limit':1}]",
		"E linux.resources.hugepageLimits[0].pageSize: not a page size: \"2M\" (write it like "
		"\"64KB\", \"2MB\" "
		"or \"1GB\")\n"
		"E linux.resources.hugepageLimits[1].pageSize: not a page size: \"02MB\" (write it like "
		"\"64KB\", "
		"\"2MB\" or \"1GB\")"},
	{"'hugepageLimits':[{'pageSize':'2MB','limit':1},{'pageSize':'2MB','limit':2}]",
		"E linux.resources.hugepageLimits[1]: duplicate limit for pages of 2MB; the first one is at "
		"line 1"},
	{"'rdma':{'a':{'hcaHandles':1},'b':{}}",
		"E linux.resources.rdma.b: neither hcaHandles nor hcaObjects"},
	{"'unified':{'memory.high':'1','hugetlb.1GB.max':'max'}", ""},
	{"'unified':{'../memory.high':'1','x':'1','a.':'1'}",
		"E linux.resources.unified[\"../memory.high\"]: not the name of a file in a cgroup: "
		"\"../memory.high\" "
		"(write it like \"memory.high\")\n"
		"E linux.resources.unified.x: not the name of a file in a cgroup: \"x\" (write it like "
		"\"memory.high\")\n"
		"E linux.resources.unified[\"a.\"]: not the name of a file in a cgroup: \"a.\" (write it "
		"like "
		"\"memory.high\")"},
	{"'devices':[{'allow':false},{'allow':true,'type':'c','major':-1,'minor':3,'access':'rwm'}]", ""},
	{"'devices':[{'allow':true,'type':'p','access':'rx'},{'allow':true,'access':''},{}]",
		"E linux.resources.devices[0].type: unknown device type \"p\" (known are \"a\", \"c\", "
		"\"b\")\n"
		"E linux.resources.devices[2]: the member \"allow\" is missing\n"
		"E linux.resources.devices[0].access: must be made of the letters r, w and m, is \"rx\"\n"
		"E linux.resources.devices[1].access: must be made of the letters r, w and m, is \"\""},
	{"'network':{'classID':1048577,'priorities':[{'name':'eth0','priority':5}]}", ""},
	{"'network':{'classID':4294967296,'priorities':[{'name':'eth0'}]}",
		"E linux.resources.network.classID: 4294967296 is out of range (0 to 4294967295)\n"
		"E linux.resources.network.priorities[0]: the member \"priority\" is missing"},
	{"'memmory':{}", "N linux.resources.memmory: unknown member \"memmory\" of the resources (did you "
			 "mean \"memory\"?)"},
};

Test(specs_resources, cases)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		spec_case_piece("linux", arena_printf(&arena, "'resources':{%s}", cases[i].piece));
		cr_expect_str_eq(spec_case_problems(), cases[i].problems, "%s\n gave %s", cases[i].piece,
			spec_case_problems());
	}
}

Test(specs_resources, a_file_of_its_own)
{
	char path[] = "/tmp/crt-resources-XXXXXX";
	int fd = mkstemp(path);
	const struct json_doc *doc;
	const struct spec_resources *r;
	char *text = spec_case_text("{'memory':{'limit':5},'pids':{'limit':7}}");

	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	cr_assert_eq(spec_resources_read(&arena, AT_FDCWD, path, "resources.json", &report, &doc, &r), 0);
	cr_assert(
		r->memory->limit.set && r->memory->limit.value == 5 && r->pids->limit.value == 7 && !r->cpu);
	cr_assert_eq(pwrite(fd, "9", 1, 2), 1);
	cr_assert_eq(spec_resources_read(&arena, AT_FDCWD, path, "resources.json", &report, &doc, &r), 0);
	cr_assert_eq(report.warnings, 1u, "\"m9mory\"");
	close(fd);
	unlink(path);
}

static const struct spec_case hooks[] = {
	{"'prestart':[{'path':'/a'}],'poststop':[{'path':'/a','args':['a','b'],'env':['A=1'],'timeout':5}]",
		""},
	{"'createRuntime':[{'path':'a'}]",
		"E hooks.createRuntime[0].path: must be an absolute path, is \"a\""},
	{"'createContainer':[{}]", "E hooks.createContainer[0]: the member \"path\" is missing"},
	{"'startContainer':[{'path':'/a','timeout':0}]",
		"E hooks.startContainer[0].timeout: 0 is out of range (1 to 2147483647)"},
	{"'poststart':[{'path':'/a','timeout':-1,'env':['A']}]",
		"E hooks.poststart[0].timeout: -1 is out of range (1 to 2147483647)\n"
		"W hooks.poststart[0].env[0]: not of the form NAME=value: \"A\""},
	{"'prestrat':[]",
		"N hooks.prestrat: unknown member \"prestrat\" of the hooks (did you mean \"prestart\"?)"},
	{"'prestart':[{'path':''}]", "E hooks.prestart[0].path: must not be empty"},
};

Test(specs_resources, hooks)
{
	for (size_t i = 0; i < ARRAY_SIZE(hooks); i++) {
		spec_case_piece("", arena_printf(&arena, "'hooks':{%s}", hooks[i].piece));
		cr_expect_str_eq(spec_case_problems(), hooks[i].problems, "%s", spec_case_problems());
	}
}

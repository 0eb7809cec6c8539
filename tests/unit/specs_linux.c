/*
 * specs_linux.c - the linux object: namespaces, mappings, devices, sysctl, seccomp, and the smaller ones.
 */
#include <linux/sched.h>

#include "specs_case.h"

TestSuite(specs_linux, .init = spec_case_set_up, .fini = spec_case_tear_down);

#define MOUNT "{'type':'mount'}"
#define ONE   "[{'containerID':0,'hostID':1000,'size':1}]"

static const struct spec_case namespaces[] = {
	{"'namespaces':[" MOUNT ",{'type':'pid'},{'type':'time'},{'type':'cgroup'},{'type':'ipc','path':''}]",
		""},
	{"'namespaces':[" MOUNT ",{'type':'pidd'}]",
		"E linux.namespaces[1].type: unknown namespace type \"pidd\" (did you mean \"pid\"?)"},
	{"'namespaces':[" MOUNT ",{'type':'zzz'}]", "E linux.namespaces[1].type: unknown namespace type "
						    "\"zzz\" (known are \"pid\", \"network\", \"mount\", "
						    "\"ipc\", \"uts\", \"user\", \"cgroup\", \"time\")"},
	{"'namespaces':[" MOUNT ",{}]", "E linux.namespaces[1]: the member \"type\" is missing"},
	{"'namespaces':[" MOUNT ",{'type':'ipc'},{'type':'ipc','path':'/x'}]",
		"E linux.namespaces[2]: duplicate namespace of type \"ipc\"; the first one is at line 1"},
	{"'namespaces':[" MOUNT ",{'type':'ipc','path':'x'}]",
		"E linux.namespaces[1].path: must be an absolute path, is \"x\""},
	{"'namespaces':[]", "E linux.namespaces: there is no mount namespace; the mounts would be the host's "
			    "(add {\"type\": "
			    "\"mount\"})"},
	{"'uidMappings':" ONE, "E linux.uidMappings: mappings without a user namespace (add {\"type\": "
			       "\"user\"} to linux.namespaces)"},
	{"'gidMappings':" ONE, "E linux.gidMappings: mappings without a user namespace (add {\"type\": "
			       "\"user\"} to linux.namespaces)"},
	{"'namespaces':[" MOUNT ",{'type':'user'}],'uidMappings':" ONE ",'gidMappings':" ONE, ""},
	{"'namespaces':[" MOUNT ",{'type':'user'}],'uidMappings':" ONE,
		"E linux.namespaces[1]: a new user namespace needs linux.uidMappings and linux.gidMappings"},
	{"'namespaces':[" MOUNT ",{'type':'user','path':'/x'}]", ""},
	{"'namespaces':[" MOUNT ",{'type':'user','path':'/x'}],'uidMappings':" ONE,
		"W linux.uidMappings: a user namespace that is joined keeps the mappings it has"},
	{"'timeOffsets':{'monotonic':{'secs':1}}",
		"E linux.timeOffsets: time offsets without a time namespace (add {\"type\": \"time\"} to "
		"linux.namespaces)"},
	{"'namespaces':[" MOUNT
	 ",{'type':'time'}],'timeOffsets':{'boottime':{'secs':-1,'nanosecs':999999999}}",
		""},
	{"'namespaces':[" MOUNT ",{'type':'time','path':'/x'}],'timeOffsets':{}",
		"E linux.timeOffsets: time offsets can be set in a new time namespace only, not in one that "
		"is joined"},
	{"'namespaces':[" MOUNT ",{'type':'time'}],'timeOffsets':{'boottime':{'nanosecs':1000000000}}",
		"E linux.timeOffsets.boottime.nanosecs: 1000000000 is out of range (0 to 999999999)"},
	{"'namespaces':[" MOUNT ",{'type':'time'}],'timeOffsets':{'realtime':{}}",
		"N linux.timeOffsets.realtime: unknown member \"realtime\" of the time offsets"},
};

Test(specs_linux, namespaces)
{
	spec_case_run("linux", namespaces, ARRAY_SIZE(namespaces));
}

static const struct spec_case mappings[] = {
	{"{'containerID':0,'hostID':1,'size':1},{'containerID':1,'hostID':2,'size':4294967293}", ""},
	{"{'containerID':0,'hostID':0,'size':0}",
		"E linux.uidMappings[0].size: 0 is out of range (1 to 4294967295)"},
	{"{'containerID':4294967295,'hostID':0,'size':1}",
		"E linux.uidMappings[0].containerID: 4294967295 is out of range (0 to 4294967294)"},
	{"{'containerID':0,'hostID':4294967294,'size':2}",
		"E linux.uidMappings[0]: the range goes beyond the highest id, 4294967294"},
	{"{'containerID':0,'hostID':0,'size':5},{'containerID':4,'hostID':10,'size':5}",
		"E linux.uidMappings[1]: the container's ids overlap those of the mapping at line 1"},
	{"{'containerID':0,'hostID':10,'size':5},{'containerID':5,'hostID':6,'size':5}",
		"E linux.uidMappings[1]: the host's ids overlap those of the mapping at line 1"},
	{"{'containerID':0,'size':5}", "E linux.uidMappings[0]: the member \"hostID\" is missing"},
};

Test(specs_linux, mappings)
{
	for (size_t i = 0; i < ARRAY_SIZE(mappings); i++) {
		spec_case_piece("linux", arena_printf(&arena,
						 "'namespaces':[" MOUNT ",{'type':'user'}],'gidMappings':" ONE
						 ",'uidMappings':[%s]",
						 mappings[i].piece));
		cr_expect_str_eq(spec_case_problems(), mappings[i].problems, "%s", spec_case_problems());
	}
}

static const struct spec_case sysctls[] = {
	{"'net.ipv4.ip_forward':'1','net/ipv6/conf/all/x':'1'", ""},
	{"'kernel.shmmax':'1','kernel.sem':'1 2 3 4','fs.mqueue.msg_max':'1','kernel.msg_next_id':'-1'", ""},
	{"'kernel.domainname':'x'", ""},
	{"'kernel.hostname':'x'", "E linux.sysctl[\"kernel.hostname\"]: the host name cannot be set as a "
				  "sysctl (use the member "
				  "\"hostname\" of the document)"},
	{"'user.max_user_namespaces':'1'",
		"E linux.sysctl[\"user.max_user_namespaces\"]: the sysctl user.max_user_namespaces belongs "
		"to the user "
		"namespace, which here is the host's (add {\"type\": \"user\"} to linux.namespaces)"},
	{"'kernel.core_pattern':'|/x'", "E linux.sysctl[\"kernel.core_pattern\"]: the sysctl "
					"kernel.core_pattern is the whole host's, not a "
					"namespace's, and cannot be set for a container"},
	{"'kernel.semx':'1'", "E linux.sysctl[\"kernel.semx\"]: the sysctl kernel.semx is the whole host's, "
			      "not a namespace's, and "
			      "cannot be set for a container"},
	{"'net/../kernel/core_pattern':'1'",
		"E linux.sysctl[\"net/../kernel/core_pattern\"]: not the name of a sysctl: "
		"\"net/../kernel/core_pattern\""},
	{"'net.//.kernel.core_pattern':'1'",
		"E linux.sysctl[\"net.//.kernel.core_pattern\"]: not the name of a sysctl: "
		"\"net.//.kernel.core_pattern\""},
	{"'net/./x':'1'", "E linux.sysctl[\"net/./x\"]: not the name of a sysctl: \"net/./x\""},
	{"'/net/x':'1'", "E linux.sysctl[\"/net/x\"]: not the name of a sysctl: \"/net/x\""},
	{"'.net.x':'1'", "E linux.sysctl[\".net.x\"]: not the name of a sysctl: \".net.x\""},
	{"'net.':'1'", "E linux.sysctl[\"net.\"]: not the name of a sysctl: \"net.\""},
	{"'':'1'", "E linux.sysctl[\"\"]: not the name of a sysctl: \"\""},
	{"'network.x':'1'", "E linux.sysctl[\"network.x\"]: the sysctl network.x is the whole host's, not a "
			    "namespace's, and cannot "
			    "be set for a container"},
};

Test(specs_linux, sysctls)
{
	for (size_t i = 0; i < ARRAY_SIZE(sysctls); i++) {
		spec_case_piece("linux",
			arena_printf(&arena,
				"'namespaces':[" MOUNT ",{'type':'network','path':'/x'},{'type':'ipc'},"
				"{'type':'uts'}],'sysctl':{%s}",
				sysctls[i].piece));
		cr_expect_str_eq(spec_case_problems(), sysctls[i].problems, "%s", spec_case_problems());
	}
	spec_case_piece("linux", "'sysctl':{'net.x':'1'}");
	cr_assert_str_eq(spec_case_problems(), "E linux.sysctl[\"net.x\"]: the sysctl net.x belongs to the "
					       "network namespace, which here is the host's "
					       "(add {\"type\": \"network\"} to linux.namespaces)");
}

Test(specs_linux, sysctl_paths)
{
	char path[64];

	cr_assert_eq(spec_sysctl_path("net.ipv4.conf.eth0/100.forwarding", path, sizeof(path)), 0);
	cr_assert_str_eq(path, "net/ipv4/conf/eth0.100/forwarding");
	cr_assert_eq(spec_sysctl_path("net/ipv4/conf/eth0.100/forwarding", path, sizeof(path)), 0);
	cr_assert_str_eq(path, "net/ipv4/conf/eth0.100/forwarding");
	cr_assert_lt(spec_sysctl_path("net.ipv4.x", path, 10), 0);
	cr_assert_eq(spec_sysctl_path("net.ipv4.x", path, 11), 0);
	cr_assert_lt(spec_sysctl_path("net.a b", path, sizeof(path)), 0);
	cr_assert_eq(spec_sysctl_namespace("net.x"), SPEC_NS_NETWORK);
	cr_assert_eq(spec_sysctl_namespace("kernel/msgmax"), SPEC_NS_IPC);
	cr_assert_eq(spec_sysctl_namespace("vm.swappiness"), SPEC_NS_NONE);
}

static const struct spec_case devices[] = {
	{"{'type':'c','path':'/dev/a','major':1,'minor':1048575,'fileMode':8630,'uid':1,'gid':2}", ""},
	{"{'type':'p','path':'/dev/a'}", ""},
	{"{'type':'b','path':'/dev/a'}", "E linux.devices[0]: the member \"major\" is missing\nE "
					 "linux.devices[0]: the member \"minor\" is missing"},
	{"{'type':'u','path':'a','major':4096,'minor':-1}",
		"E linux.devices[0].major: 4096 is out of range (0 to 4095)\n"
		"E linux.devices[0].minor: -1 is out of range (0 to 1048575)\n"
		"E linux.devices[0].path: must be an absolute path, is \"a\""},
	{"{'type':'a','path':'/a','major':1,'minor':1}",
		"E linux.devices[0].type: unknown device type \"a\" (known are \"c\", \"b\", \"u\", \"p\")"},
	{"{'type':'c','major':1,'minor':1}", "E linux.devices[0]: the member \"path\" is missing"},
};

Test(specs_linux, devices)
{
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
		spec_case_piece("linux", arena_printf(&arena, "'devices':[%s]", devices[i].piece));
		cr_expect_str_eq(spec_case_problems(), devices[i].problems, "%s", spec_case_problems());
	}
}

static const struct spec_case seccomp[] = {
	{"'defaultAction':'SCMP_ACT_ALLOW'", ""},
	{"", "E linux.seccomp: the member \"defaultAction\" is missing"},
	{"'defaultAction':'SCMP_ACT_NOTIFY'",
		"E linux.seccomp.defaultAction: SCMP_ACT_NOTIFY cannot be the default "
		"action"},
	{"'defaultAction':'SCMP_ACT_DENY'",
		"E linux.seccomp.defaultAction: unknown seccomp action \"SCMP_ACT_DENY\" (known are "
		"\"SCMP_ACT_KILL\", "
		"\"SCMP_ACT_KILL_PROCESS\", \"SCMP_ACT_KILL_THREAD\", \"SCMP_ACT_TRAP\", \"SCMP_ACT_ERRNO\", "
		"\"SCMP_ACT_TRACE\", \"SCMP_ACT_ALLOW\", \"SCMP_ACT_LOG\", \"SCMP_ACT_NOTIFY\")"},
	{"'defaultAction':'SCMP_ACT_ERRNO','defaultErrnoRet':38", ""},
	{"'defaultAction':'SCMP_ACT_ALLOW','defaultErrnoRet':38",
		"E linux.seccomp.defaultErrnoRet: SCMP_ACT_ALLOW takes no errno; only SCMP_ACT_ERRNO and "
		"SCMP_ACT_TRACE "
		"do"},
	{"'defaultAction':'SCMP_ACT_ERRNO','defaultErrnoRet':4096",
		"E linux.seccomp.defaultErrnoRet: the errno 4096 is out of range (0 to 4095)"},
	{"'defaultAction':'SCMP_ACT_TRACE','defaultErrnoRet':65536",
		"E linux.seccomp.defaultErrnoRet: the value 65536 is out of range (0 to 65535)"},
	{"'defaultAction':'SCMP_ACT_LOG','syscalls':[{'names':[],'action':'SCMP_ACT_KILL','errnoRet':0}]",
		"E linux.seccomp.syscalls[0].errnoRet: SCMP_ACT_KILL takes no errno; only SCMP_ACT_ERRNO and "
		"SCMP_ACT_TRACE do\n"
		"E linux.seccomp.syscalls[0].names: must name at least one system call"},
	{"'defaultAction':'SCMP_ACT_LOG','syscalls':[{'action':'SCMP_ACT_KILL'}]",
		"E linux.seccomp.syscalls[0]: the member \"names\" is missing"},
	{"'defaultAction':'SCMP_ACT_LOG','syscalls':[{'names':['a'],'action':'SCMP_ACT_KILL','args':[{'index'"
	 ":6,"
	 "'value':18446744073709551615,'valueTwo':1,'op':'SCMP_CMP_EQ'}]}]",
		"E linux.seccomp.syscalls[0].args[0].index: 6 is out of range (0 to 5)\n"
		"W linux.seccomp.syscalls[0].args[0].valueTwo: has no effect: only SCMP_CMP_MASKED_EQ takes "
		"a second "
		"value"},
	{"'defaultAction':'SCMP_ACT_LOG','syscalls':[{'names':['a'],'action':'SCMP_ACT_NOTIFY'}]",
		"E linux.seccomp.syscalls[0].action: SCMP_ACT_NOTIFY needs linux.seccomp.listenerPath, the "
		"socket of who "
		"is to be notified"},
	{"'defaultAction':'SCMP_ACT_LOG','listenerPath':'/"
	 "s','listenerMetadata':'m','syscalls':[{'names':['a'],"
	 "'action':'SCMP_ACT_NOTIFY'}],'flags':['SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV']",
		""},
	{"'defaultAction':'SCMP_ACT_LOG','listenerPath':'/s','syscalls':[{'names':['waitid'],"
	 "'action':'SCMP_ACT_NOTIFY'}]",
		"E linux.seccomp.syscalls[0].names[0]: SCMP_ACT_NOTIFY cannot be the answer to waitid, by "
		"which the container's init waits until the listener has been handed over"},
	{"'defaultAction':'SCMP_ACT_LOG','listenerMetadata':'m'",
		"E linux.seccomp.listenerMetadata: metadata for a listener without listenerPath"},
	{"'defaultAction':'SCMP_ACT_LOG','flags':['SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV']",
		"W linux.seccomp.flags: SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV has no effect without "
		"SCMP_ACT_NOTIFY"},
	{"'defaultAction':'SCMP_ACT_LOG','architectures':['SCMP_ARCH_X86_46']",
		"E linux.seccomp.architectures[0]: unknown seccomp architecture \"SCMP_ARCH_X86_46\" "
		"(did you mean \"SCMP_ARCH_X86_64\"?)"},
};

Test(specs_linux, seccomp)
{
	for (size_t i = 0; i < ARRAY_SIZE(seccomp); i++) {
		spec_case_piece("linux", arena_printf(&arena, "'seccomp':{%s}", seccomp[i].piece));
		cr_expect_str_eq(spec_case_problems(), seccomp[i].problems, "%s", spec_case_problems());
	}
}

Test(specs_linux, seccomp_values)
{
	const struct spec_config *c = spec_case_piece("linux",
		"'seccomp': "
		"{'defaultAction':'SCMP_ACT_ERRNO','architectures':['SCMP_ARCH_X32','SCMP_ARCH_X86'],"
		"'syscalls':[{'names':['a','b'],'action':'SCMP_ACT_TRACE','errnoRet':0,'args':[{'index':5,"
		"'value':18446744073709551615,'valueTwo':3,'op':'SCMP_CMP_MASKED_EQ'}]}]} ");
	const struct spec_seccomp *s = c->linux_->seccomp;
	size_t length;

	cr_assert_str_eq(spec_case_problems(), "");
	cr_assert_eq(s->default_action, SPEC_ACT_ERRNO);
	cr_assert_not(s->default_errno_ret.set);
	cr_assert_eq(s->architectures.mask, SPEC_BIT(SPEC_ARCH_X86) | SPEC_BIT(SPEC_ARCH_X32));
	cr_assert(s->syscalls[0].errno_ret.set && s->syscalls[0].names_count == 2);
	cr_assert(s->syscalls[0].args[0].value == UINT64_MAX && s->syscalls[0].args[0].value_two == 3);
	const char *raw = json_raw(c->doc, s->node, &length);
	cr_assert(raw[0] == '{' && raw[length - 1] == '}' && str_starts(raw, "{\"defaultAction\""));
}

static const struct spec_case others[] = {
	{"'rootfsPropagation':'slave','mountLabel':'x','cgroupsPath':'/a/b'", ""},
	{"'rootfsPropagation':'rslave'", ""},
	{"'rootfsPropagation':'slve'",
		"E linux.rootfsPropagation: unknown propagation \"slve\" (did you mean \"slave\"?)"},
	{"'cgroupsPath':'a.slice:b:c'", ""},
	{"'cgroupsPath':'/a/../b'", "E linux.cgroupsPath: must not hold \"..\""},
	{"'cgroupsPath':'a/..'", "E linux.cgroupsPath: must not hold \"..\""},
	{"'cgroupsPath':'/a..b/c'", ""},
	{"'maskedPaths':['/a'],'readonlyPaths':['b','/c','']",
		"E linux.readonlyPaths[0]: must be an absolute path, is \"b\"\n"
		"E linux.readonlyPaths[2]: must be an absolute path, is \"\""},
	{"'maskedPaths':['a']", "E linux.maskedPaths[0]: must be an absolute path, is \"a\""},
	{"'personality':{'domain':'LINUX32'}", ""},
	{"'personality':{'domain':'LINUX64'}",
		"E linux.personality.domain: unknown execution domain \"LINUX64\" (did you mean \"LINUX\"?)"},
	{"'personality':{'domain':'LINUX','flags':['x']}",
		"E linux.personality.flags: no flag of a personality is supported"},
	{"'personality':{}", "E linux.personality: the member \"domain\" is missing"},
	{"'memoryPolicy':{'mode':'MPOL_BIND','nodes':'0-1','flags':['MPOL_F_STATIC_NODES','MPOL_F_NUMA_"
	 "BALANCING']}",
		""},
	{"'memoryPolicy':{'mode':'MPOL_BIND'}", "E linux.memoryPolicy: MPOL_BIND needs nodes"},
	{"'memoryPolicy':{'mode':'MPOL_LOCAL','nodes':'0'}",
		"E linux.memoryPolicy: MPOL_LOCAL takes no nodes"},
	{"'memoryPolicy':{'mode':'MPOL_PREFERRED'}", ""},
	{"'memoryPolicy':{'mode':'MPOL_INTERLEAVE','nodes':'a'}",
		"E linux.memoryPolicy.nodes: not a list of numbers and ranges: \"a\" (write it like "
		"\"0-3,7\")"},
	{"'memoryPolicy':{'mode':'MPOL_INTERLEAVE','nodes':'0','flags':['MPOL_F_NUMA_BALANCING']}",
		"E linux.memoryPolicy.flags: MPOL_F_NUMA_BALANCING needs MPOL_BIND or MPOL_PREFERRED_MANY, "
		"not "
		"MPOL_INTERLEAVE"},
	{"'memoryPolicy':{'mode':'MPOL_BIND','nodes':'0','flags':['MPOL_F_STATIC_NODES','MPOL_F_RELATIVE_"
	 "NODES']}",
		"E linux.memoryPolicy.flags: MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES exclude each "
		"other"},
	{"'intelRdt':{'closID':'a','l3CacheSchema':'L3:0=f','memBwSchema':'MB:0=1','schemata':['x'],"
	 "'enableMonitoring':true}",
		""},
	{"'intelRdt':{'closID':'../a','l3CacheSchema':'x','memBwSchema':'MB:0\\nMB:1'}",
		"E linux.intelRdt.closID: not the name of a directory: \"../a\"\n"
		"E linux.intelRdt.memBwSchema: must be one line that starts with \"MB:\"\n"
		"W linux.intelRdt.l3CacheSchema: should start with \"L3:\""},
	{"'netDevices':{'eth0':{}}", "E linux.netDevices: network devices can be moved only into a network "
				     "namespace (add {\"type\": "
				     "\"network\"} to linux.namespaces)"},
	{"'namespaces':[" MOUNT ",{'type':'network'}],'netDevices':{'eth0':{'name':'a'},'eth1':{}}", ""},
	{"'namespaces':[" MOUNT
	 ",{'type':'network'}],'netDevices':{'eth0':{'name':'a b'},'1234567890123456':{}}",
		"E linux.netDevices.eth0.name: not the name of an interface: \"a b\"\n"
		"E linux.netDevices.1234567890123456: not the name of an interface: \"1234567890123456\""},
	{"'namespaces':[" MOUNT ",{'type':'network'}],'netDevices':{'eth0':{'name':'eth1'},'eth1':{}}",
		"E linux.netDevices.eth1: two interfaces would be called \"eth1\"; the first one is at line "
		"1"},
};

Test(specs_linux, others)
{
	spec_case_run("linux", others, ARRAY_SIZE(others));
}

Test(specs_linux, kernel_names_of_namespaces)
{
	uint64_t flags = 0;

	for (unsigned type = 1; type < SPEC_NS_COUNT; type++) {
		cr_assert_not_null(spec_namespace_name(type));
		cr_assert_not_null(spec_namespace_file(type));
		flags |= spec_namespace_clone_flag(type);
	}
	cr_assert_eq(__builtin_popcountll(flags), 8);
	cr_assert_eq(spec_namespace_clone_flag(SPEC_NS_MOUNT), (uint64_t)CLONE_NEWNS);
	cr_assert_str_eq(spec_namespace_file(SPEC_NS_NETWORK), "net");
	cr_assert_null(spec_namespace_name(SPEC_NS_NONE));
	cr_assert_eq(spec_value(&spec_namespace_names, "uts"), (unsigned)SPEC_NS_UTS);
	cr_assert_eq(spec_value(&spec_namespace_names, "x"), 0u);
	cr_assert_null(spec_name(&spec_namespace_names, 99));
}

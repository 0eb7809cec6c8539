/*
 * specs_mount.c - mounts: which options are known where, what they mean, and contradictions.
 */
#include <linux/mount.h>

#include "specs_case.h"

TestSuite(specs_mount, .init = spec_case_set_up, .fini = spec_case_tear_down);

static const struct spec_case cases[] = {
	{"{'destination':'/a','type':'bind','source':'/x','options':['rbind','rslvae']}",
		"E mounts[0].options[1]: unknown mount option \"rslvae\" (did you mean \"rslave\"?)"},
	{"{'destination':'/a','source':'/x','options':['rbind','rro','nosuid','rprivate','ridmap']}",
		"E mounts[0]: an id-mapped mount needs uidMappings and gidMappings, or a user namespace"},
	{"{'destination':'/a','source':'/x','options':['bind','size=5']}",
		"E mounts[0].options[1]: unknown mount option \"size=5\""},
	{"{'destination':'/a','type':'bind'}", "E mounts[0]: a bind mount needs a source"},
	{"{'destination':'/a','options':['rbind'],'source':''}", "E mounts[0]: a bind mount needs a source"},
	{"{'destination':'/a'}", "E mounts[0]: neither a filesystem type nor a bind mount (add a type, or "
				 "the option \"bind\" or "
				 "\"rbind\")"},
	{"{'destination':'/a','type':'none','source':'/x'}",
		"E mounts[0]: neither a filesystem type nor a bind mount (add a type, or the option \"bind\" "
		"or "
		"\"rbind\")"},
	{"{'destination':'/a','options':['remount','ro']},{'destination':'/','options':['rslave']}", ""},
	{"{'destination':'a/b','type':'tmpfs'}",
		"W mounts[0].destination: a relative destination is deprecated; taken for \"/a/b\""},
	{"{'type':'tmpfs'}", "E mounts[0]: the member \"destination\" is missing"},
	{"{'destination':'/"
	 "a','type':'tmpfs','options':['size=64k','mode=755','nosuid','tmpcopyup','nr_inodes=5']}",
		""},
	{"{'destination':'/a','type':'tmpfs','options':['sized=64k']}",
		"E mounts[0].options[0]: unknown mount option \"sized=64k\" for tmpfs"},
	{"{'destination':'/a','type':'tmpfs','options':['size']}",
		"E mounts[0].options[0]: unknown mount option \"size\" for tmpfs (did you mean \"size=\"?)"},
	{"{'destination':'/a','type':'tmpfs','options':['context=\\\"a:b\\\"','inode64']}", ""},
	{"{'destination':'/a','type':'proc','options':['hidepid=2','subset=pid','noexe']}",
		"E mounts[0].options[2]: unknown mount option \"noexe\" for proc (did you mean \"noexec\"?)"},
	{"{'destination':'/a','type':'sysfs','options':['x']}",
		"E mounts[0].options[0]: unknown mount option \"x\" for sysfs"},
	{"{'destination':'/"
	 "a','type':'devpts','options':['newinstance','ptmxmode=0666','mode=0620','gid=5','max=9']}",
		""},
	{"{'destination':'/a','type':'cgroup','options':['ro','nsdelegate']}", ""},
	{"{'destination':'/a','type':'ext4','source':'/dev/x','options':['data=ordered','discard','noload']}",
		""},
	{"{'destination':'/a','type':'ext4','source':'/dev/x','options':['noexce']}",
		"W mounts[0].options[0]: unknown mount option \"noexce\", passed on to the filesystem "
		"(did you mean \"noexec\"?)"},
	{"{'destination':'/a','type':'proc','options':['tmpcopyup']}",
		"E mounts[0]: the option tmpcopyup needs a mount of type tmpfs"},
	{"{'destination':'/a','source':'/"
	 "x','options':['bind','idmap'],'uidMappings':[{'containerID':0,'hostID':5,"
	 "'size':1}],'gidMappings':[{'containerID':0,'hostID':5,'size':1}]}",
		""},
	{"{'destination':'/a','source':'/"
	 "x','options':['bind'],'uidMappings':[{'containerID':0,'hostID':5,'size':1}]}",
		"E mounts[0]: uidMappings and gidMappings must be given together"},
	{"{'destination':'/a','type':1,'options':{}}",
		"E mounts[0].type: expected a string, found a number\n"
		"E mounts[0].options: expected an array of strings, found an object"},
	{"{'destination':'/a','source':'/x','options':['bind',7]}",
		"E mounts[0].options[1]: expected a string, found a number"},
	{"{'destination':'//.','type':'tmpfs'}", "E mounts[0].destination: the root of the container cannot "
						 "be mounted upon (root.path says what it is)"},
	{"{'destination':'/a','source':'/x','options':['bind','nosuid,nodev,x']}",
		"E mounts[0].options[1]: unknown mount option \"nosuid,nodev,x\" (each option is an item of "
		"its own)"},
	{"{'destination':'/a','type':'tmpfs','sorce':'x'}",
		"N mounts[0].sorce: unknown member \"sorce\" of the mount (did you mean \"source\"?)"},
};

Test(specs_mount, cases)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		spec_case_piece("", arena_printf(&arena, "'mounts':[%s]", cases[i].piece));
		cr_expect_str_eq(spec_case_problems(), cases[i].problems, "%s\n gave %s", cases[i].piece,
			spec_case_problems());
	}
}

/* config.md, "Linux mount options" */
static const char *const specified[] = {"async", "atime", "bind", "defaults", "dev", "diratime", "dirsync",
	"exec", "iversion", "lazytime", "loud", "mand", "noatime", "nodev", "nodiratime", "noexec",
	"noiversion", "nolazytime", "nomand", "norelatime", "nostrictatime", "nosuid", "nosymfollow",
	"private", "ratime", "rbind", "rdev", "rdiratime", "relatime", "remount", "rexec", "rnoatime",
	"rnodev", "rnodiratime", "rnoexec", "rnorelatime", "rnostrictatime", "rnosuid", "rnosymfollow", "ro",
	"rprivate", "rrelatime", "rro", "rrw", "rshared", "rslave", "rstrictatime", "rsuid", "rsymfollow",
	"runbindable", "rw", "shared", "silent", "slave", "strictatime", "suid", "symfollow", "sync",
	"tmpcopyup", "unbindable", "idmap", "ridmap"};

/* crun's */
static const char *const further[] = {"copy-symlink", "dest-nofollow", "src-nofollow"};

Test(specs_mount, every_option_of_the_specification)
{
	for (size_t i = 0; i < ARRAY_SIZE(specified); i++)
		cr_expect_not_null(spec_mount_option_find(specified[i]), "%s", specified[i]);
	for (size_t i = 0; i < ARRAY_SIZE(further); i++)
		cr_expect_not_null(spec_mount_option_find(further[i]), "%s", further[i]);
	cr_assert_eq(spec_mount_options_count, ARRAY_SIZE(specified) + ARRAY_SIZE(further));
	cr_assert_null(spec_mount_option_find("size=5"));
	cr_assert_null(spec_mount_option_find(""));
}

Test(specs_mount, options_are_sorted_and_complete)
{
	for (size_t i = 0; i < spec_mount_options_count; i++) {
		const struct spec_mount_option *o = &spec_mount_options[i];
		if (i)
			cr_expect_lt(strcmp(o[-1].name, o->name), 0, "%s", o->name);
		cr_expect_eq(spec_mount_option_find(o->name), o);
		cr_expect_eq(o->kind == SPEC_MOUNT_PROPAGATION, o->propagation != 0, "%s", o->name);
		if (o->kind != SPEC_MOUNT_ATTR)
			cr_expect(!o->attr_set && !o->attr_clear, "%s", o->name);
	}
}

Test(specs_mount, what_options_mean)
{
	const struct {
		const char *name;
		uint64_t set, clear, propagation;
		bool recursive;
	} meanings[] = {
		{"ro", MOUNT_ATTR_RDONLY, 0, 0, false},
		{"rw", 0, MOUNT_ATTR_RDONLY, 0, false},
		{"rro", MOUNT_ATTR_RDONLY, 0, 0, true},
		{"rrw", 0, MOUNT_ATTR_RDONLY, 0, true},
		{"nosuid", MOUNT_ATTR_NOSUID, 0, 0, false},
		{"rsuid", 0, MOUNT_ATTR_NOSUID, 0, true},
		{"rnodev", MOUNT_ATTR_NODEV, 0, 0, true},
		{"dev", 0, MOUNT_ATTR_NODEV, 0, false},
		{"noexec", MOUNT_ATTR_NOEXEC, 0, 0, false},
		{"noatime", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME, 0, false},
		{"rrelatime", 0, MOUNT_ATTR__ATIME, 0, true},
		{"strictatime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME, 0, false},
		{"nostrictatime", 0, MOUNT_ATTR_STRICTATIME, 0, false},
		{"nodiratime", MOUNT_ATTR_NODIRATIME, 0, 0, false},
		{"rsymfollow", 0, MOUNT_ATTR_NOSYMFOLLOW, 0, true},
		{"shared", 0, 0, MS_SHARED, false},
		{"rslave", 0, 0, MS_SLAVE, true},
		{"private", 0, 0, MS_PRIVATE, false},
		{"runbindable", 0, 0, MS_UNBINDABLE, true},
		{"rbind", 0, 0, 0, true},
		{"ridmap", 0, 0, 0, true},
	};

	for (size_t i = 0; i < ARRAY_SIZE(meanings); i++) {
		const struct spec_mount_option *o = spec_mount_option_find(meanings[i].name);
		cr_expect_eq(o->attr_set, meanings[i].set, "%s", o->name);
		cr_expect_eq(o->attr_clear, meanings[i].clear, "%s", o->name);
		cr_expect_eq(o->propagation, meanings[i].propagation, "%s", o->name);
		cr_expect_eq(o->recursive, meanings[i].recursive, "%s", o->name);
	}
	cr_assert_str_eq(spec_mount_option_find("sync")->superblock, "sync");
	cr_assert_str_eq(spec_mount_option_find("ro")->superblock, "ro");
	cr_assert_null(spec_mount_option_find("silent")->superblock);
}

Test(specs_mount, bind)
{
	const struct spec_config *c = spec_case_piece("",
		"'mounts':[{'destination':'/a','type':'bind','source':'/x'},"
		"{'destination':'/a','type':'none','source':'/x','options':['ro','rbind']},"
		"{'destination':'/a','type':'tmpfs','options':['ro']}]");

	cr_assert_str_eq(spec_mount_bind(&c->mounts[0])->name, "bind");
	cr_assert_str_eq(spec_mount_bind(&c->mounts[1])->name, "rbind");
	cr_assert_null(spec_mount_bind(&c->mounts[2]));
	cr_assert(spec_mount_has(&c->mounts[2], "ro"));
	cr_assert_not(spec_mount_has(&c->mounts[2], "rw"));
}

plan_sources = \
	libcontainer/plan/about.c \
	libcontainer/plan/cgroup.c \
	libcontainer/plan/compile.h \
	libcontainer/plan/create.c \
	libcontainer/plan/device.c \
	libcontainer/plan/exec.c \
	libcontainer/plan/explain.c \
	libcontainer/plan/hook.c \
	libcontainer/plan/idmap.c \
	libcontainer/plan/label.c \
	libcontainer/plan/mount.c \
	libcontainer/plan/mounts.c \
	libcontainer/plan/namespace.c \
	libcontainer/plan/notify.c \
	libcontainer/plan/ops.def \
	libcontainer/plan/path.c \
	libcontainer/plan/plan.c libcontainer/plan/plan.h \
	libcontainer/plan/print.c libcontainer/plan/print.h \
	libcontainer/plan/print_mount.c \
	libcontainer/plan/print_namespace.c \
	libcontainer/plan/print_process.c \
	libcontainer/plan/process.c \
	libcontainer/plan/scheduling.c

init_sources = \
	libcontainer/init/change.c \
	libcontainer/init/console.c \
	libcontainer/init/copy.c libcontainer/init/copy.h \
	libcontainer/init/device.c \
	libcontainer/init/hook.c \
	libcontainer/init/init.c libcontainer/init/init.h \
	libcontainer/init/lock.c \
	libcontainer/init/mount.c \
	libcontainer/init/namespace.c \
	libcontainer/init/path.c \
	libcontainer/init/proc.c \
	libcontainer/init/process.c \
	libcontainer/init/scheduling.c \
	libcontainer/init/seccomp.c

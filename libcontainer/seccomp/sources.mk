seccomp_sources = \
	libcontainer/seccomp/cache.c \
	libcontainer/seccomp/cache.h \
	libcontainer/seccomp/compile.c \
	libcontainer/seccomp/compile.h \
	libcontainer/seccomp/program.c \
	libcontainer/seccomp/program.h \
	libcontainer/seccomp/seccomp.c \
	libcontainer/seccomp/seccomp.h \
	libcontainer/seccomp/syscalls.c \
	libcontainer/seccomp/syscalls.h

host_sources = \
	libcontainer/host/gather.c \
	libcontainer/host/host.h \
	libcontainer/host/read.c \
	libcontainer/host/refusal.c

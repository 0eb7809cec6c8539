cgroup_sources = \
	libcontainer/cgroup/apply.c \
	libcontainer/cgroup/cgroup.h \
	libcontainer/cgroup/create.c \
	libcontainer/cgroup/delegate.c \
	libcontainer/cgroup/destroy.c \
	libcontainer/cgroup/devices.c \
	libcontainer/cgroup/devices.h \
	libcontainer/cgroup/freeze.c \
	libcontainer/cgroup/give.c \
	libcontainer/cgroup/path.c \
	libcontainer/cgroup/pids.c \
	libcontainer/cgroup/properties.c \
	libcontainer/cgroup/rdt.c \
	libcontainer/cgroup/rdt.h \
	libcontainer/cgroup/resources.c \
	libcontainer/cgroup/resources.h \
	libcontainer/cgroup/self.c \
	libcontainer/cgroup/self.h \
	libcontainer/cgroup/stats.c \
	libcontainer/cgroup/stats.h \
	libcontainer/cgroup/tree.c \
	libcontainer/cgroup/tree.h \
	libcontainer/cgroup/unit.c \
	libcontainer/cgroup/unit.h \
	libcontainer/cgroup/update.c \
	libcontainer/cgroup/update.h

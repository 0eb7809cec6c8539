# The floors of libcontainer and its public header. init stands alone: see Makefile.am.
include $(srcdir)/libcontainer/host/sources.mk
include $(srcdir)/libcontainer/cgroup/sources.mk
include $(srcdir)/libcontainer/seccomp/sources.mk
include $(srcdir)/libcontainer/state/sources.mk
include $(srcdir)/libcontainer/plan/sources.mk
include $(srcdir)/libcontainer/init/sources.mk
include $(srcdir)/libcontainer/run/sources.mk

libcontainer_sources = \
	libcontainer/check.c \
	libcontainer/documents.c \
	libcontainer/libcontainer.c libcontainer/libcontainer.h \
	libcontainer/list.c \
	libcontainer/prune.c \
	libcontainer/public.h \
	$(host_sources) $(cgroup_sources) $(seccomp_sources) $(state_sources) $(plan_sources) $(run_sources)

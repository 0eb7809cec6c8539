run_sources = \
	libcontainer/run/clone.c \
	libcontainer/run/console.c libcontainer/run/console.h \
	libcontainer/run/create.c libcontainer/run/create.h \
	libcontainer/run/delete.c libcontainer/run/delete.h \
	libcontainer/run/events.c libcontainer/run/events.h \
	libcontainer/run/exec.c libcontainer/run/exec.h \
	libcontainer/run/foreground.c libcontainer/run/foreground.h \
	libcontainer/run/hook.c \
	libcontainer/run/ids.c \
	libcontainer/run/kill.c libcontainer/run/kill.h \
	libcontainer/run/listener.c \
	libcontainer/run/live.c libcontainer/run/live.h \
	libcontainer/run/mounts.c libcontainer/run/mounts.h \
	libcontainer/run/netdev.c \
	libcontainer/run/notify.c libcontainer/run/notify.h \
	libcontainer/run/parent.c \
	libcontainer/run/pause.c libcontainer/run/pause.h \
	libcontainer/run/protect.c libcontainer/run/protect.h \
	libcontainer/run/ps.c libcontainer/run/ps.h \
	libcontainer/run/remap.c libcontainer/run/remap.h \
	libcontainer/run/run.c libcontainer/run/run.h \
	libcontainer/run/start.c libcontainer/run/start.h \
	libcontainer/run/systemd.c libcontainer/run/systemd.h \
	libcontainer/run/timing.c libcontainer/run/timing.h \
	libcontainer/run/update.c libcontainer/run/update.h

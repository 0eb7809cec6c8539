state_sources = libcontainer/state/directory.c libcontainer/state/state.c libcontainer/state/state.h

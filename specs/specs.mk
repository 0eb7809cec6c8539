specs_sources = specs/annotation.c specs/annotation.h specs/capability.c specs/capability.h specs/check.c specs/check.h specs/config.c specs/config.h specs/default.c specs/device.c \
	specs/device.h specs/features.c specs/features.h specs/hooks.c specs/hooks.h specs/json.c specs/json.h specs/json_doc.c \
	specs/linux.c specs/linux.h specs/mount.c specs/mount.h specs/mount_options.c specs/namespace.c \
	specs/namespace.h specs/process.c specs/process.h specs/resources.c specs/resources.h specs/seccomp.c \
	specs/seccomp.h specs/state.c specs/state.h specs/sysctl.c specs/table.c specs/table.h specs/table_write.c specs/types.h \
	specs/writer.c specs/writer.h

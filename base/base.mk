# The lowest floor: what any C program needs.
base_sources = \
	base/arena.c base/arena.h \
	base/child.c base/child.h \
	base/diagnose.c base/diagnose_program.c base/diagnose.h \
	base/err.c base/err.h \
	base/fd.c base/fd.h \
	base/libexec.c base/libexec.h \
	base/passwd.c base/passwd.h \
	base/path.c base/path.h \
	base/report.c base/report.h \
	base/str.c base/str.h \
	base/sys.c base/sys.h \
	base/walk.c base/walk.h

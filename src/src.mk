# Everything but main, as an archive: man/tables reads the same tables of commands and options.
src_sources = src/check.c src/command.h src/commands.c src/each.c src/exec.c src/help.c src/list.c src/log.c src/log.h \
	src/options.c src/options.h src/print.c src/ps.c src/signals.c src/signals.h src/update.c
src_main = src/main.c

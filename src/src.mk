src_sources = src/check.c src/command.h src/commands.c src/each.c src/exec.c src/help.c src/list.c src/log.c src/log.h src/main.c \
	src/options.c src/options.h src/ps.c src/signals.c src/signals.h src/update.c

/*
 * driver.c - start commands and measure them: wall clock, CPU time, peak resident memory.
 *
 *     driver rounds COUNT WARMUP FILE      every job in turn, COUNT times (A B C A B C ...)
 *     driver rate SECONDS PARALLEL FILE    each job for SECONDS, PARALLEL of them at a time
 *
 * FILE has lines of words with a tab between: "job NAME", and below it the steps of the job, "step LABEL
 * WORD..." (an empty LABEL: not measured; a WORD of "@" anywhere in it becomes a number that no other run
 * has; a first WORD of "as:NUMBER" starts the rest as that user). Jobs of one file are interleaved, so that
 * whatever disturbs the machine disturbs all of them alike. With "rate" a job is a single step.
 *
 * The output of "rounds" is a line a measured step: JOB STEP WALL_NS CPU_NS PEAK_KIB; that of "rate" is JOB
 * COUNT WALL_NS. Both name jobs and steps by their number. Statistics are not made here.
 *
 * Small and static on purpose: the kernel charges the memory of the process that executes a program (which,
 * after vfork, is this one's) to the peak of that program, and copying a large parent would be measured as
 * its start.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define JOBS_MAX  64
#define STEPS_MAX 256
#define WORDS_MAX 64

struct step {
	const char *label;
	char *words[WORDS_MAX];
};

struct job {
	const char *name;
	unsigned first, count; /* of its steps */
};

struct bench {
	struct job jobs[JOBS_MAX];
	unsigned jobs_count;
	struct step steps[STEPS_MAX];
	unsigned steps_count;
	unsigned serial; /* what "@" becomes */
};

extern char **environ;

static _Noreturn void die(const char *what, const char *which)
{
	fprintf(stderr, "driver: %s%s%s\n", what, which ? ": " : "", which ? which : "");
	exit(2);
}

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int64_t cpu_ns(const struct rusage *u)
{
	return ((int64_t)u->ru_utime.tv_sec + u->ru_stime.tv_sec) * 1000000000 +
	       ((int64_t)u->ru_utime.tv_usec + u->ru_stime.tv_usec) * 1000;
}

/* ---- The file of jobs ---- */

static char *read_all(const char *path)
{
	static char text[1 << 16];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (n < 0 || n == sizeof(text) - 1)
		die("cannot read, or too long", path);
	close(fd);
	return text;
}

static void read_step(struct bench *b, char *words)
{
	if (b->steps_count == STEPS_MAX || !b->jobs_count)
		die("too many steps, or one without a job", NULL);
	struct step *s = &b->steps[b->steps_count++];
	s->label = strsep(&words, "\t");
	unsigned n = 0;
	while (words && n < WORDS_MAX - 1)
		s->words[n++] = strsep(&words, "\t");
	if (!n || words)
		die("a step without words, or with too many", s->label);
	b->jobs[b->jobs_count - 1].count++;
}

static void read_jobs(struct bench *b, const char *path)
{
	char *text = read_all(path), *line;

	while ((line = strsep(&text, "\n"))) {
		char *kind = strsep(&line, "\t");
		if (!*kind)
			continue;
		if (!line)
			die("a line without words", kind);
		if (strcmp(kind, "step") == 0) {
			read_step(b, line);
		} else if (b->jobs_count < JOBS_MAX) {
			b->jobs[b->jobs_count++] = (struct job){.name = line, .first = b->steps_count};
		} else {
			die("too many jobs", NULL);
		}
	}
}

/* ---- One command ---- */

/* The words with "@" replaced, in memory that the next call uses again. */
static char **fill_in(const struct step *s, unsigned number)
{
	static char *argv[WORDS_MAX], text[1 << 14];
	char *to = text;

	unsigned i = 0;
	for (; s->words[i]; i++) {
		const char *at = strchr(s->words[i], '@');
		int before = at ? (int)(at - s->words[i]) : (int)strlen(s->words[i]);
		argv[i] = to;
		if (at)
			to += sprintf(to, "%.*s%u%s", before, s->words[i], number, at + 1) + 1;
		else
			to += sprintf(to, "%s", s->words[i]) + 1;
	}
	argv[i] = NULL;
	return argv;
}

/* The parent stands still until the program is executed, and nothing of it is copied. */
static pid_t start(const struct step *s, unsigned number)
{
	char **argv = fill_in(s, number);
	long user = strncmp(argv[0], "as:", 3) == 0 ? atol(argv++[0] + 3) : 0;
	pid_t pid = vfork();

	if (pid == 0) {
		if (user && (syscall(SYS_setgroups, 0, NULL) || syscall(SYS_setresgid, user, user, user) ||
				    syscall(SYS_setresuid, user, user, user)))
			_exit(126);
		execvpe(argv[0], argv, environ);
		_exit(127);
	}
	if (pid < 0)
		die("cannot fork", strerror(errno));
	return pid;
}

static void check(const struct job *job, const struct step *s, int status)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return;
	fprintf(stderr, "driver: %s: %s %s: %s %d\n", job->name, s->words[0], s->words[1] ? s->words[1] : "",
		WIFEXITED(status) ? "exit code" : "signal",
		WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
	exit(1);
}

static void run_job(struct bench *b, unsigned j, FILE *out)
{
	const struct job *job = &b->jobs[j];
	unsigned number = ++b->serial;

	for (unsigned i = 0; i < job->count; i++) {
		const struct step *s = &b->steps[job->first + i];
		struct rusage usage;
		int status;

		int64_t begin = now_ns();
		pid_t pid = start(s, number);
		while (wait4(pid, &status, 0, &usage) < 0 && errno == EINTR)
			;
		int64_t wall = now_ns() - begin;
		check(job, s, status);
		if (out && *s->label)
			fprintf(out, "%u %u %lld %lld %ld\n", j, i, (long long)wall,
				(long long)cpu_ns(&usage), usage.ru_maxrss);
	}
}

static void rounds(struct bench *b, unsigned count, unsigned warmup, FILE *out)
{
	for (unsigned n = 0; n < count + warmup; n++)
		for (unsigned j = 0; j < b->jobs_count; j++)
			run_job(b, j, n >= warmup ? out : NULL);
}

/* As many at a time as asked for, until the time is over; who is on the way then counts to the end. */
static void rate(struct bench *b, unsigned j, double seconds, unsigned parallel, FILE *out)
{
	const struct job *job = &b->jobs[j];
	const struct step *s = &b->steps[job->first];
	int64_t begin = now_ns(), end = begin + (int64_t)(seconds * 1e9);
	unsigned running = 0, done = 0;

	for (;;) {
		while (running < parallel && now_ns() < end) {
			start(s, ++b->serial);
			running++;
		}
		if (!running)
			break;
		int status;
		if (wait(&status) < 0)
			continue;
		check(job, s, status);
		running--;
		done++;
	}
	fprintf(out, "%u %u %lld\n", j, done, (long long)(now_ns() - begin));
}

int main(int argc, char **argv)
{
	static struct bench b;
	int null = open("/dev/null", O_RDWR);

	if (argc != 5)
		die("usage: driver rounds COUNT WARMUP FILE | driver rate SECONDS PARALLEL FILE", NULL);
	read_jobs(&b, argv[4]);
	b.serial = (unsigned)getpid() * 100000;
	/* The results keep their way out; what is measured has none. */
	FILE *out = fdopen(fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 10), "w");
	if (!out || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0)
		die("cannot take the standard files away", strerror(errno));
	if (strcmp(argv[1], "rounds") == 0)
		rounds(&b, (unsigned)atoi(argv[2]), (unsigned)atoi(argv[3]), out);
	else
		for (unsigned j = 0; j < b.jobs_count; j++)
			rate(&b, j, atof(argv[2]), (unsigned)atoi(argv[3]), out);
	return fclose(out) != 0;
}

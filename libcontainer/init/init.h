/*
 * init.h - the container's first process, from the clone to the execution of the user's program.
 *
 * A loop over the plan: one small function an operation, system calls only. There is no allocation, no stdio
 * and no decision here that the plan could have taken (tests/lint holds the symbol list of this archive).
 * What fails is reported to the parent as {operation, errno, detail}; the parent knows the line of the
 * document.
 *
 * The talk between parent and init is on a SOCK_SEQPACKET pair, one struct init_message a packet. End of file
 * means that the other one died, and is an error - except after INIT_EXECUTING, when it means that the user's
 * program runs: the socket is O_CLOEXEC.
 */
#ifndef INIT_INIT_H
#define INIT_INIT_H

#include "libcontainer/plan/plan.h"

enum init_message_kind {
	INIT_SYNC = 1,  /* operation: which one */
	INIT_EXECUTING, /* the next thing is execve */
	INIT_FAILED,    /* operation, error ...; the last one before the end of file counts */
	INIT_LISTENER,  /* here is the listener of the seccomp filter; answered by INIT_SYNC */
	INIT_START,     /* crt start -> init: run the user's program */
};

struct init_message {
	uint32_t kind;
	uint32_t operation;      /* index into plan.ops */
	uint32_t operation_kind; /* enum plan_op_kind, for who has no plan */
	/* The rest is sent with INIT_FAILED only. Texts may be empty; for what they mean see base/err.h. */
	int32_t error;     /* a positive errno */
	char detail[1000]; /* what about the operation */
	char target[256];
	char call[32];
	char cause[512];
	char hint[256];
};

/*
 * Carry out the plan from operation `first` on, in the process that CLONE made; `socket` leads to the parent.
 * Never returns.
 */
_Noreturn void init_main(const struct plan *plan, uint32_t first, int socket);

/* Where the last operation made something by name. */
struct init_directory {
	int fd;
	uint32_t operation; /* index */
	const char *path;   /* of that operation; the directory is the first `length` bytes of it */
	size_t length;
};

/* What init needs to remember between operations. Every fd starts at -1. */
struct init {
	const struct plan *plan;
	int socket;  /* to the parent, later to `crt start` */
	int root_fd; /* the root of the container's filesystem */
	int proc_fd; /* a procfs of the container's pid namespace that nobody else can reach or mount over */
	bool keep_proc; /* past PIVOT_ROOT */
	int mask_fd;    /* the empty read-only directory, once it is mounted somewhere */
	struct init_directory directory;
	int null_fd;      /* the host's /dev/null, verified */
	int abandon_fd;   /* in the parent: readable once a hook has become pointless; 0: there is none */
	int console_fd;   /* the master of the container's terminal, until the parent has it */
	bool has_console; /* fds 0 to 2 are that terminal */
	bool has_user, has_group; /* found by FIND_USER: instead of the plan's numbers */
	uid_t user;
	gid_t group;
	bool announced; /* INIT_EXECUTING was sent */
	bool started;   /* by `crt start`, who has no document to look things up in */
	struct init_message message;
	const char *program; /* found by FIND_PROGRAM */
	char *home;          /* "HOME=...", found by FIND_HOME; else NULL */
};

void init_begin(struct init *in, const struct plan *plan, int socket);

/*
 * One operation; 0 or -errno, in which case in->message.detail may say more. The parent calls this for the
 * operations marked EITHER that the plan gives to it.
 */
int init_do(struct init *in, const struct plan_op *op);

/* Set the detail of a failure; returns `error` so that it reads `return init_detail(in, -EPERM, "...")`. */
int init_detail(struct init *in, int error, const char *text);
int init_detail2(struct init *in, int error, const char *text, const char *more);

/* The same for a detail that is the name of the system call that failed. */
int init_call(struct init *in, int error, const char *call);

/* What it failed on, when that is not what the plan says. */
void init_target(struct init *in, const char *target);

/* And what else is known of the failure: why, and what to do about it ("" or NULL: nothing). */
int init_cause(struct init *in, int error, const char *cause, const char *hint);

/* Explain a failure that has to do with that path, seen from here: see base/diagnose.h. */
int init_diagnose(struct init *in, int error, const char *path);

/* The same for a path inside the container's root, which was to be made if missing. */
int init_diagnose_inside(struct init *in, int error, const char *path);

/*
 * Tell, once, that what comes next is the user's program; a failure can still follow. 0 or -errno.
 */
int init_announce_execution(struct init *in);

/*
 * Send or receive one message, with or without an fd (-1: none) that goes with it; 0 or -errno, -EPIPE at end
 * of file. A received fd is the caller's.
 */
int init_send(int socket, const struct init_message *message);
int init_send_fd(int socket, const struct init_message *message, int fd);
int init_receive(int socket, struct init_message *message);
int init_receive_fd(int socket, struct init_message *message, int *fd);

/* SCHEDULER or IO_PRIORITY for that process; 0: this one. For the parent, when the plan gives them to it. */
int init_scheduling_of(struct init *in, const struct plan_op *op, pid_t pid);

/* Let a detached mount have the id mapping of a user namespace; likewise. */
int init_map_mount(struct init *in, int mount, int user_namespace, bool recursive);

/* Have in->proc_fd. */
int init_procfs(struct init *in);

/*
 * Write to a file of procfs, "sys/..." or one of this process's attributes, by a way on which nothing can be
 * in place of it. `if_missing` is the detail of -ENOENT.
 */
int init_write_proc(struct init *in, const char *path, const char *text, const char *if_missing);
int init_write_attr(struct init *in, const char *file, const char *text);

/*
 * Lock every mount, and its flags, against whoever has CAP_SYS_ADMIN in the container's user namespace. Takes
 * init to another mount namespace, at its root; `proc_fd` is a procfs that shows it. The terminal on fds 0 to
 * 2 is opened again there: what is open from a mount that is gone has no name, and ttyname(3) no answer.
 */
int init_lock_mounts(struct init *in, int proc_fd);
int init_reopen_console(struct init *in);

/* The fd in a slot of the plan. */
int init_slot(const struct init *in, uint32_t slot);

/* Executors, one for each operation of INIT and EITHER. */
#define INIT_EXECUTOR_PARENT(name)
#define INIT_EXECUTOR_BOTH(name)
#define INIT_EXECUTOR_INIT(name)   int init_##name(struct init *in, const struct plan_op *op);
#define INIT_EXECUTOR_EITHER(name) INIT_EXECUTOR_INIT(name)
#define OP(NAME, name, who)        INIT_EXECUTOR_##who(name)
#include "libcontainer/plan/ops.def"
#undef OP

#endif

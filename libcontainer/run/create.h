/*
 * create.h - from a bundle to a container that waits for its start, and back if that fails.
 */
#ifndef RUN_CREATE_H
#define RUN_CREATE_H

#include "base/report.h"
#include "libcontainer/host/host.h"
#include "libcontainer/init/init.h"
#include "libcontainer/libcontainer.h"
#include "libcontainer/plan/plan.h"
#include "libcontainer/state/state.h"
#include "specs/config.h"

/* What becomes of the container once it is made. */
enum run_mode {
	RUN_CREATE,     /* init waits for `crt start` */
	RUN_DETACH,     /* the program runs, and we go */
	RUN_FOREGROUND, /* the program runs, and we wait for it */
};

/* One container on its way. Every fd starts at -1; everything else lives in the arena. */
struct run {
	struct arena memory;
	struct arena *arena; /* that one */
	enum run_mode mode;
	struct report report; /* of problems with the document, and of what went wrong without being fatal */
	struct host host;
	const struct spec_config *config;
	struct plan *plan;
	struct state state;
	struct init hand; /* for operations that the parent does with init's executors */
	int root_fd;      /* the state directory */
	int dir_fd;       /* the container's directory in it: the claim on the id, and the lock */
	int cgroup_fd;
	int socket;         /* to init */
	int init_socket;    /* init's end, until the clone */
	int mount_fd;       /* that this program runs from: to be closed when nobody waits for it */
	int console_fd;     /* the terminal's master, when this process is its other side */
	int container_fd;   /* exec: pidfd of the container's init, until the plan has it */
	int starter;        /* socket to the process that clones init in a unit of systemd; see systemd.c */
	int notify_fd;      /* where the container says that it is ready, see notify.h */
	const char *notify; /* and who is to hear it: NOTIFY_SOCKET of the caller; NULL: nobody */
	int pidfd;          /* of init */
	struct run_timing *timing; /* NULL: nobody asks */
	pid_t starter_pid;
	pid_t pid;
	uint64_t *cpus;        /* where this thread ran, before an exec sent it elsewhere; NULL: it stayed */
	size_t cpus_size;      /* bytes */
	const char *pid_file;  /* once it is written */
	const char *exec_user; /* names for init to look up inside; NULL: numbers are known */
	const char *exec_group;
	int netns_fd;                 /* of the container, once a network device was moved into it */
	struct run_net_device *moved; /* the last one that was; for undoing it */
	bool paused;    /* exec: who enters the container stops there until somebody resumes it */
	bool hooks_ran; /* from here on a failure is a container that ended, with poststop hooks */
};

/* Returns 0 or -errno; run_end() is due in either case. It closes fds and gives memory back: what runs stays.
 */
int run_begin(struct run *run, enum run_mode mode, struct err *err);
void run_end(struct run *run);

/*
 * Make the container, up to the point where only the parent's "go" is missing; a failure has been undone
 * completely.
 * The caller goes on with run_go(). Returns 0 or -errno.
 */
int run_create(struct run *run, const struct crt_context *context, const struct crt_create_options *options,
	struct err *err);

/* Say "go" and, unless init waits for `crt start`, see the program executed. A failure has been undone. */
int run_go(struct run *run, struct err *err);

/* Carry out the parent's operations; leaves init at SYNC_GO. In parent.c. */
int run_walk(struct run *run, struct err *err);

/* The same without the undoing. In parent.c. */
int run_release(struct run *run, struct err *err);

/* What went wrong at an operation, located in the document; returns -errnum. */
int run_op_error(struct run *run, const struct plan_op *op, int errnum, const char *detail, struct err *err);

/* "text: errno's words", in lower case: of the program that cannot be executed. Returns -|errnum|. */
int run_program_error(int errnum, const char *text, struct err *err);

/* What it takes to hand over a seccomp listener, in listener.c. */
struct run_listener {
	struct arena *arena;
	const struct spec_config *config; /* NULL: in the container's directory, if it comes to that */
	int dir_fd;
	const struct state *state;
	enum spec_status status; /* of the container, meanwhile */
	pid_t pid;               /* of the process that has the filter */
};

/* Send `fd` to linux.seccomp.listenerPath, with the container process state. Returns 0 or -errno. */
int run_hand_over_listener(const struct run_listener *listener, int fd, struct err *err);

/*
 * Wait for the end of what init has to say after "go", and hand over a listener on the way: 0 once the
 * program runs, else -errno. `message` then is init's last one; only when that is INIT_LISTENER is the error
 * set.
 */
int run_await_execution(
	int socket, const struct run_listener *listener, struct init_message *message, struct err *err);

/* The OCI state with that status; as text for hooks. */
struct spec_state run_state(const struct state *state, enum spec_status status);
const char *run_state_text(struct arena *arena, const struct state *state, enum spec_status status);

/* The hooks that run after the plan: poststart's first failure is an error, poststop's are warnings only. */
int run_poststart_hooks(struct arena *arena, int dir_fd, const struct state *state, struct err *err);
void run_poststop_hooks(struct arena *arena, int dir_fd, const struct state *state, struct report *warnings);

/*
 * A container that lives, for who will join it: its state, and a pidfd in container_fd. `what` stands in the
 * error, "cannot WHAT container ...". In exec.c.
 */
int run_find(struct run *run, const struct crt_context *context, const char *id, const char *what,
	enum spec_status *status, struct err *err);

/* Socket pair and shared memory for the walk, once there is a plan. */
int run_prepare(struct run *run, struct err *err);

/* Hand a pidfd of the process to who listens at that socket; NULL: nobody does. */
int run_send_pidfd(struct run *run, const char *socket, struct err *err);
int run_write_pid_file(struct run *run, const char *path, struct err *err);
int run_check_preserved_fds(unsigned listen, unsigned preserve, struct err *err);

/* In parent.c: one write to a file of /proc/PID; 0 or -errno. */
int run_write_proc(pid_t pid, const char *file, const char *text);

/* In ids.c: the mapping of init's user namespace, and a user namespace with nobody in it. */
int run_map_ids(struct run *run, const struct plan_op *op, struct err *err);
int run_make_id_mapping(struct run *run, const struct plan_op *op, struct err *err);

/* In netdev.c: a device into the container's network namespace; all of them back, after a failure. */
int run_move_net_device(struct run *run, const struct plan_op *op, struct err *err);
void run_return_net_devices(struct run *run);

/* In clone.c: the way into a running container, by exec. */
int run_enter(struct run *run, const struct plan_op *op, struct err *err);

/* Have in run->cgroup_fd the cgroup that init is in, if it is the container's or below. Returns 0 or -errno.
 */
int run_follow_init(struct run *run);

/* In clone.c: a process that waits, in what will be a unit of systemd, until run_clone() has it clone init.
 */
int run_begin_starter(struct run *run, struct err *err);
void run_end_starter(struct run *run);

/* In clone.c: the clone itself, straight into the cgroup, through a process that joins namespaces if need be.
 */
int run_clone(struct run *run, const struct plan_op *op, struct err *err);

#endif

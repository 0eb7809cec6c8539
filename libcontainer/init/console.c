/*
 * console.c - a terminal for the container's process, of the container's own devpts. Runs in init.
 *
 * The slave is never opened by a name, which the image or a shared /dev/pts could have swapped: the master
 * gives it out (TIOCGPTPEER), and both are looked at before they are used (CVE-2025-52565). The same fd is
 * what is mounted on /dev/console.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "base/sys.h"
#include "libcontainer/init/init.h"

#define PTMX_MAJOR      5u
#define PTMX_MINOR      2u
#define PTS_MAJOR_FIRST 136u
#define PTS_MAJOR_LAST  143u
#define PTS_MINORS      256u /* of each */

static bool is_of_devpts(int fd, struct stat *st)
{
	struct statfs fs;

	return fstat(fd, st) == 0 && S_ISCHR(st->st_mode) && fstatfs(fd, &fs) == 0 &&
	       fs.f_type == DEVPTS_SUPER_MAGIC;
}

/* Looked at as an O_PATH handle first: opening some other device for reading could do things. */
static int open_master(struct init *in, int root_fd)
{
	struct stat st;
	fd_auto int handle = path_open(root_fd, "/dev/pts/ptmx", O_PATH);

	if (handle < 0)
		return init_detail(in, handle, "opening /dev/pts/ptmx (is a devpts mounted on /dev/pts?)");
	if (!is_of_devpts(handle, &st) || st.st_rdev != makedev(PTMX_MAJOR, PTMX_MINOR))
		return init_detail(in, -ENXIO, "/dev/pts/ptmx is not that of a devpts");
	int fd = path_open(root_fd, "/dev/pts/ptmx", O_RDWR | O_NOCTTY);
	if (fd < 0)
		return init_detail(in, fd, "opening /dev/pts/ptmx");
	if (!is_of_devpts(fd, &st) || st.st_rdev != makedev(PTMX_MAJOR, PTMX_MINOR)) {
		close(fd);
		return init_detail(in, -ENXIO, "/dev/pts/ptmx was replaced meanwhile");
	}
	return fd;
}

static int open_slave(struct init *in, int master)
{
	struct stat st;
	int unlock = 0;

	if (ioctl(master, TIOCSPTLCK, &unlock) < 0)
		return init_call(in, -errno, "ioctl TIOCSPTLCK");
	fd_auto int slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		return init_call(in, -errno, "ioctl TIOCGPTPEER");
	if (!is_of_devpts(slave, &st) || major(st.st_rdev) < PTS_MAJOR_FIRST ||
		major(st.st_rdev) > PTS_MAJOR_LAST)
		return init_detail(in, -ENXIO, "the terminal is not of a devpts");
	return fd_take(&slave);
}

/* As engines expect it: newlines stay newlines, their own terminal makes CR-LF of them. */
static int set_up(struct init *in, int slave, const struct plan_op *op)
{
	struct winsize size = {.ws_row = op->open_console.rows, .ws_col = op->open_console.columns};
	struct termios t;

	if (tcgetattr(slave, &t) < 0)
		return init_call(in, -errno, "tcgetattr");
	t.c_oflag &= ~(tcflag_t)ONLCR;
	if (tcsetattr(slave, TCSANOW, &t) < 0)
		return init_call(in, -errno, "tcsetattr");
	if ((size.ws_row || size.ws_col) && ioctl(slave, TIOCSWINSZ, &size) < 0)
		return init_call(in, -errno, "ioctl TIOCSWINSZ");
	/* The group is devpts's business (gid=5). */
	return fchown(slave, in->has_user ? in->user : op->open_console.uid, (gid_t)-1) < 0
		       ? init_call(in, -errno, "fchown")
		       : 0;
}

static int mount_on_console(struct init *in, int root_fd, int slave)
{
	fd_auto int target = path_make(root_fd, "/dev/console", PATH_FILE, 0755, NULL);

	if (target < 0)
		return init_detail(in, target, "making a file to mount it on /dev/console");
	fd_auto int tree = sys_open_tree(slave, "", OPEN_TREE_CLONE | AT_EMPTY_PATH);
	if (tree < 0)
		return init_detail(in, tree, "cloning its mount");
	int r = sys_move_onto(tree, target);
	return r < 0 ? init_detail(in, r, "mounting it on /dev/console") : 0;
}

static int become_its_process(struct init *in, int slave)
{
	if (ioctl(slave, TIOCSCTTY, 0) < 0)
		return init_call(in, -errno, "ioctl TIOCSCTTY");
	for (int fd = 0; fd <= 2; fd++)
		if (dup2(slave, fd) < 0)
			return init_call(in, -errno, "dup2");
	return 0;
}

int init_open_console(struct init *in, const struct plan_op *op)
{
	fd_auto int own_root = in->root_fd < 0 ? open("/", O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	int root_fd = in->root_fd < 0 ? own_root : in->root_fd;
	fd_auto int master = open_master(in, root_fd);

	if (master < 0)
		return master;
	fd_auto int slave = open_slave(in, master);
	if (slave < 0)
		return slave;
	int r = set_up(in, slave, op);
	if (r == 0 && op->open_console.mount)
		r = mount_on_console(in, root_fd, slave);
	if (r == 0)
		r = become_its_process(in, slave);
	if (r == 0)
		in->console_fd = fd_take(&master); /* goes to the parent with the next synchronisation */
	in->has_console = r == 0;
	return r;
}

static bool is_same(int fd, const struct stat *terminal)
{
	struct stat st;

	return is_of_devpts(fd, &st) && st.st_dev == terminal->st_dev && st.st_ino == terminal->st_ino;
}

/* Where the document has hidden it since, it stays as it was opened: it works, and has no name. */
int init_reopen_console(struct init *in)
{
	fd_auto int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat terminal;
	struct str_buf b;
	char path[32];

	if (!in->has_console)
		return 0;
	if (root < 0 || fstat(STDIN_FILENO, &terminal) < 0)
		return init_detail(in, -errno, "looking at the terminal");
	str_buf_init(&b, path, sizeof(path));
	str_buf_add(&b, "/dev/pts/%u",
		(major(terminal.st_rdev) - PTS_MAJOR_FIRST) * PTS_MINORS + minor(terminal.st_rdev));
	fd_auto int handle = path_open(root, path, O_PATH);
	if (handle < 0 || !is_same(handle, &terminal))
		return 0;
	fd_auto int fd = path_open(root, path, O_RDWR | O_NOCTTY);
	for (int i = 0; i <= 2 && fd >= 0 && is_same(fd, &terminal); i++)
		if (dup2(fd, i) < 0)
			return init_detail(in, -errno, "dup2");
	return 0;
}

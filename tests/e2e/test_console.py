"""Terminals: the console socket of create, and crt in the foreground as the other side."""
import array
import fcntl
import os
import pty
import select
import signal
import socket
import stat
import struct
import subprocess
import termios
import time

import pytest

import harness

pytestmark = harness.EVERYWHERE


@pytest.fixture
def terminal(bundle):
    """A bundle whose process gets a terminal."""
    bundle["process.terminal"] = True
    return bundle


def receive_master(listener):
    """What `create --console-socket` sends: a name, and the terminal's master with it."""
    listener.settimeout(10)
    connection, _ = listener.accept()
    with connection:
        connection.settimeout(10)
        name, ancillary, _, _ = connection.recvmsg(4096, 64)
    (level, kind, data), = ancillary
    assert (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS)
    fd, = array.array("i", data)
    assert name
    return fd


def read_until(fd, text, seconds=10):
    """Read the terminal until `text` has come; returns everything read."""
    seen, end = b"", time.monotonic() + seconds
    while text.encode() not in seen:
        ready, _, _ = select.select([fd], [], [], max(0, end - time.monotonic()))
        assert ready, f"waited for {text!r}, got {seen!r}"
        try:
            data = os.read(fd, 4096)
        except OSError:  # EIO: no slave is open any more
            data = b""
        assert data, f"end before {text!r}, got {seen!r}"
        seen += data
    return seen.decode()


@pytest.fixture
def create_with_console(terminal, crt, tmp_path):
    """create --console-socket; returns the container and the master's fd."""
    masters = []

    def create():
        with socket.socket(socket.AF_UNIX) as listener:
            path = tmp_path / "console.sock"
            listener.bind(str(path))
            listener.listen(1)
            container = crt.create(terminal, "--console-socket", path)
            masters.append(receive_master(listener))
        return container, masters[-1]
    yield create
    for master in masters:
        os.close(master)


def test_console_socket(terminal, create_with_console):
    terminal.script("tty; echo ready; read line; echo got $line")
    container, master = create_with_console()
    container.start()
    assert "/dev/pts/0" in read_until(master, "ready")
    os.write(master, b"words\n")
    assert "got words" in read_until(master, "got words")
    container.wait_stopped().delete()


def test_console_socket_of_exec(bundle, crt, tmp_path):
    """Detached, as an engine calls it: the terminal is what stays."""
    container = crt.start(bundle.sleeper())
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "console.sock"))
        listener.listen(1)
        crt("exec", "--tty", "--detach", "--console-socket", tmp_path / "console.sock", "--pid-file", tmp_path / "pid", container.id,
            "sh", "-c", "tty; read line; echo got $line").ok()
        master = receive_master(listener)
    os.write(master, b"words\n")
    assert "/dev/pts/0" in read_until(master, "got words")
    os.close(master)
    harness.wait_for(lambda: harness.reap(int((tmp_path / "pid").read_text())), what="its end")
    container.end()


def test_it_is_the_containers_own_devpts(terminal, create_with_console):
    terminal.sleeper()
    container, master = create_with_console()
    container.start()
    slave = os.stat(f"/proc/{container.pid}/fd/0")
    assert stat.S_ISCHR(slave.st_mode) and os.major(slave.st_rdev) == 136
    assert slave.st_dev == os.stat(container.root / "dev/pts/0").st_dev
    assert {os.readlink(f"/proc/{container.pid}/fd/{fd}") for fd in range(3)} == {"/dev/pts/0"}
    # The controlling terminal: field 7 of stat is its number
    assert int(container.proc("stat").rsplit(")", 1)[1].split()[4]) == (136 << 8)
    container.end()


@harness.only("root", "userns", why="it needs files or processes of other users")
def test_owner_mode_and_group(terminal, create_with_console):
    terminal["process.user"] = {"uid": 1000, "gid": 1000}
    terminal.sleeper()
    container, _ = create_with_console()
    slave = os.stat(container.root / "dev/pts/0")
    assert (slave.st_uid, slave.st_gid, slave.st_mode & 0o777) == (1000, 5, 0o620)
    container.end()


def test_dev_console(terminal, create_with_console):
    terminal.script("echo to the console > /dev/console; sleep 1000")
    container, master = create_with_console()
    container.start()
    read_until(master, "to the console")
    mount = harness.mounts(container.proc("mountinfo"))["/dev/console"]
    assert mount.kind == "devpts" and mount.root == "/0"
    container.end()


def test_newlines_stay_newlines(terminal, create_with_console):
    terminal.script("echo one; echo two; echo end")
    container, master = create_with_console()
    container.start()
    assert "one\ntwo\nend" in read_until(master, "end")
    container.wait_stopped().delete()


def test_console_size(terminal, create_with_console):
    terminal["process.consoleSize"] = {"height": 41, "width": 133}
    terminal.script("stty size; echo end")
    container, master = create_with_console()
    container.start()
    assert "41 133" in read_until(master, "end")
    container.wait_stopped().delete()


def test_no_other_fd_of_the_host(terminal, create_with_console):
    terminal.sleeper()
    container, _ = create_with_console()
    container.start()
    assert sorted(os.listdir(f"/proc/{container.pid}/fd")) == ["0", "1", "2"]
    container.end()


@harness.only("root", "userns", why="it maps ids that are not the caller's")
def test_in_a_user_namespace(terminal, create_with_console):
    terminal.user_namespace()
    terminal.script("tty; stat -c %u /dev/pts/0; echo end")
    container, master = create_with_console()
    container.start()
    out = read_until(master, "end")
    assert "/dev/pts/0\n0\n" in out
    container.wait_stopped().delete()


def test_nobody_on_the_other_side(terminal, crt):
    terminal.write()
    crt("create", "--bundle", terminal.path, crt.new_id()).failed("process.terminal", "console-socket")
    crt("run", "--detach", "--bundle", terminal.path, crt.new_id()).failed("process.terminal")
    assert crt.ids() == []


def test_a_console_socket_that_is_not_there(terminal, crt, tmp_path):
    terminal.write()
    result = crt("create", "--bundle", terminal.path, "--console-socket", tmp_path / "no.sock", crt.new_id())
    result.failed("no.sock", "No such file")
    assert crt.ids() == []


def test_no_devpts(terminal, crt):
    terminal.without_mount("/dev/pts")
    terminal.run("/bin/true").failed("/dev/pts/ptmx")
    assert crt.ids() == []


def test_a_ptmx_that_is_something_else(terminal, crt, tmp_path):
    """CVE-2025-52565: what is taken for a terminal must be one."""
    terminal.without_mount("/dev/pts")
    (tmp_path / "pts").mkdir()
    (tmp_path / "pts/ptmx").write_text("")
    terminal.bind(tmp_path / "pts", "/dev/pts")
    terminal.run("/bin/true").failed("not that of a devpts")
    (tmp_path / "pts/ptmx").unlink()
    (tmp_path / "pts/ptmx").symlink_to("/proc/uptime")
    terminal.run("/bin/true").failed("not that of a devpts")


# ---- The foreground --------------------------------------------------------------------------------------------

class Person:
    """Someone at a terminal who types `crt run`."""

    def __init__(self, crt, bundle, rows=24, columns=80):
        bundle.write()
        self.master, slave = pty.openpty()
        self.resize(rows, columns)
        self.before = termios.tcgetattr(slave)
        self.slave = slave
        self.process = subprocess.Popen(
            crt.command("run", "--bundle", bundle.path, crt.new_id()), stdin=slave, stdout=slave, stderr=slave,
            start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text):
        os.write(self.master, text.encode())

    def sees(self, text):
        return read_until(self.master, text)

    def end(self):
        code = self.process.wait(10)
        assert termios.tcgetattr(self.slave) == self.before, "the terminal is as it was"
        os.close(self.slave)
        os.close(self.master)
        return code


def test_a_shell_at_a_terminal(terminal, crt):
    terminal["process.args"] = ["/bin/sh"]
    person = Person(crt, terminal)
    person.sees("# ")
    person.type("echo $((6*7))\n")
    person.sees("42")
    person.type("exit 9\n")
    assert person.end() == 9


def test_window_size_and_its_change(terminal, crt):
    terminal.script("stty size; trap 'stty size; exit 0' WINCH; echo ready; while :; do sleep 0.1; done")
    person = Person(crt, terminal, 33, 101)
    assert "33 101" in person.sees("ready")
    person.resize(55, 66)
    person.sees("55 66")
    assert person.end() == 0


def test_control_c_is_for_the_container(terminal, crt):
    terminal.script("trap 'echo caught; exit 4' INT; echo ready; while :; do sleep 0.1; done")
    person = Person(crt, terminal)
    person.sees("ready")
    person.type("\x03")
    person.sees("caught")
    assert person.end() == 4


def test_the_terminal_is_given_back_when_the_container_is_killed(terminal, crt):
    terminal.script("echo ready; sleep 1000")
    person = Person(crt, terminal)
    person.sees("ready")
    name, = crt.ids()
    crt("kill", name, "KILL").ok()
    assert person.end() == 128 + signal.SIGKILL


def test_every_byte_of_a_large_output(terminal, crt):
    terminal.script("i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done")
    out = terminal.run().ok().out
    assert out.splitlines() == [f"line {i}" for i in range(20000)]


def test_a_pipe_and_its_end(terminal):
    """The end of a pipe becomes the end-of-file of a terminal, after an unfinished line too."""
    terminal["process.args"] = ["/bin/sh", "-c", "stty -echo; echo ready; cat; echo end"]
    out = terminal.run(input="one\ntwo").ok().out
    assert "one" in out and "two" in out and out.rstrip().endswith("end")


def test_a_reader_that_stops_for_a_while_loses_nothing(terminal, crt):
    terminal.script("i=0; while [ $i -lt 30000 ]; do echo line $i; i=$((i+1)); done")
    terminal.write()
    process = crt.start_process("run", "--bundle", terminal.path, crt.new_id())
    time.sleep(0.5)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert out.splitlines() == [f"line {i}" for i in range(30000)]


def test_a_reader_that_has_gone_stops_nobody(terminal, crt):
    terminal.script("i=0; while [ $i -lt 5000 ]; do echo line $i; i=$((i+1)); done; exit 3")
    terminal.write()
    process = crt.start_process("run", "--bundle", terminal.path, crt.new_id())
    process.stdout.close()
    assert process.wait(30) == 3
    process.stderr.close()


@pytest.fixture(params=["run", "exec"])
def last_words(request, bundle, crt):
    """crt, whose program has ended with 3, and has written more than the pipe to us takes."""
    program = ["sh", "-c", "head -c 72000 /dev/zero | tr '\\0' x; exit 3"]
    if request.param == "exec":
        container = crt.start(bundle.sleeper())
        process = crt.start_process("exec", "--tty", container.id, *program)
    else:
        bundle["process"] |= {"terminal": True, "args": program}
        bundle.write()
        process = crt.start_process("run", "--bundle", bundle.path, crt.new_id())

    def has_ended():
        try:
            states = [harness.status(open(f"/proc/{pid}/status").read())["State"][0] for pid in harness.children_of(process.pid)]
        except (FileNotFoundError, ProcessLookupError):  # one that was only for the start
            return False
        return states and set(states) == {"Z"}
    try:
        harness.wait_for(has_ended, what="the end of the program")
        yield process
    finally:
        process.stdout.close(), process.stderr.close()
        process.kill(), process.wait()
        if request.param == "exec":
            container.end()


@pytest.mark.skipif(not harness.IS_CRT, reason="what crt promises")
def test_a_reader_that_stops_for_ever_can_be_given_up(last_words):
    """The program has ended: whoever sends a signal now means crt, which goes in good order."""
    with pytest.raises(subprocess.TimeoutExpired):
        last_words.wait(0.3)
    last_words.terminate()
    assert last_words.wait(10) == 3


@pytest.mark.skipif(not harness.IS_CRT, reason="what crt promises")
def test_a_reader_that_goes_at_the_end_does_not_change_the_exit_code(last_words):
    last_words.stdout.close()
    assert last_words.wait(10) == 3


def test_waiting_costs_nothing(terminal, crt):
    """No busy loop while nobody types and nobody reads."""
    terminal.script("yes | head -c 300000; sleep 1000")
    terminal.write()
    process = crt.start_process("run", "--bundle", terminal.path, crt.new_id())

    def ticks():
        fields = open(f"/proc/{process.pid}/stat").read().rsplit(")", 1)[1].split()
        return int(fields[11]) + int(fields[12])

    def rests():
        before = ticks()
        time.sleep(1)
        return ticks() - before <= 5
    harness.wait_for(crt.ids, 5, "the container")
    time.sleep(0.5)
    harness.wait_for(rests, 3, "a second with no more than 5 ticks of 10 ms")
    crt("kill", crt.ids()[0], "KILL").ok()
    process.stdout.close()
    process.wait(10)
    process.stderr.close()

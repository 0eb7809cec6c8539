"""SCMP_ACT_NOTIFY: an agent that listens gets the listener and the container process state, and answers."""
import errno
import fcntl
import json
import os
import platform
import signal
import socket
import struct
import threading
import time

import pytest

import harness
from test_rootless import USER, rootless  # noqa: F401 (a fixture)

ARCH = {"x86_64": "SCMP_ARCH_X86_64", "aarch64": "SCMP_ARCH_AARCH64"}.get(platform.machine(), "")
RECV, SEND = 0xc0502100, 0xc0182101
CONTINUE = 1

pytestmark = pytest.mark.skipif(harness.kernel() < (5, 9), reason="SECCOMP_USER_NOTIF_FLAG_CONTINUE with closed fds: Linux 5.9")


class Agent:
    """Answers every notification by `answer`, an errno or 0 for "go on"."""

    def __init__(self, path, answer):
        self.path, self.answer, self.disturb = path, answer, None
        self.states, self.seen, self.errors = [], [], []
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.bind(str(path))
        self.socket.listen(8)
        self.threads = [threading.Thread(target=self.accept, daemon=True)]
        self.threads[0].start()

    def accept(self):
        while True:
            try:
                connection = self.socket.accept()[0]
            except OSError:
                return
            with connection:
                text, fds, _, _ = socket.recv_fds(connection, 65536, 4)
                while more := connection.recv(65536):  # until they hang up: one state a connection
                    text += more
            self.states.append(json.loads(text))
            if len(fds) != 1:
                self.errors.append(f"{len(fds)} fds")
            thread = threading.Thread(target=self.serve, args=(fds[0],), daemon=True)
            thread.start()
            self.threads.append(thread)

    def serve(self, fd):
        try:
            while True:
                request = bytearray(80)
                fcntl.ioctl(fd, RECV, request)
                (identity, pid, _, number, _, _), args = struct.unpack_from("QIIiIQ", request), struct.unpack_from("6Q", request, 32)
                self.seen.append((number, pid, args))
                if self.disturb:
                    self.disturb(pid)
                fcntl.ioctl(fd, SEND, struct.pack("QqiI", identity, 0, -self.answer, 0 if self.answer else CONTINUE))
        except OSError as error:
            if error.errno != errno.ENOENT:  # nobody is left who has the filter
                self.errors.append(str(error))
        finally:
            os.close(fd)

    def end(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        for thread in self.threads:
            thread.join(10)
        assert not any(thread.is_alive() for thread in self.threads), "somebody still has the filter"
        assert not self.errors


@pytest.fixture
def agent(bundle):
    agents = []

    def listen(names, answer=0, folder=bundle.path, **more):
        agents.append(Agent(folder / "agent.sock", answer))
        bundle["linux.seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "architectures": [ARCH],
                                   "listenerPath": str(agents[-1].path), "listenerMetadata": "from here",
                                   "syscalls": [{"names": names, "action": "SCMP_ACT_NOTIFY"}]} | more
        return agents[-1]
    yield listen
    for one in agents:
        one.end()


def test_answered_with_an_errno(bundle, agent):
    one = agent(["mkdir", "mkdirat"], errno.EXDEV)
    bundle["root.readonly"] = False
    result = bundle.run("mkdir", "/tmp/made")
    assert result.code == 1 and "Invalid cross-device link" in result.err
    assert not (bundle.rootfs / "tmp/made").exists() and len(one.seen) == 1


def test_continued(bundle, agent):
    one = agent(["mkdir", "mkdirat"])
    bundle["root.readonly"] = False
    assert bundle.sh("mkdir /tmp/made; ls -d /tmp/made") == "/tmp/made\n"
    assert len(one.seen) == 1


@pytest.mark.parametrize("no_new_privileges", [True, False])
def test_container_process_state(bundle, agent, no_new_privileges):
    one = agent(["mkdir", "mkdirat"])
    bundle["process.noNewPrivileges"] = no_new_privileges
    bundle["annotations"] = {"org.example": "yes"}
    container = bundle.crt.new_id()
    bundle.run("true", container=container).ok()
    (state,) = one.states
    pid = state["pid"]
    assert state == {"ociVersion": bundle["ociVersion"], "fds": ["seccompFd"], "pid": pid, "metadata": "from here",
                     "state": {"ociVersion": bundle["ociVersion"], "id": container, "status": "creating", "pid": pid,
                               "bundle": str(bundle.path), "annotations": {"org.example": "yes"}}}


def test_create_and_start(bundle, agent, crt):
    one = agent(["mkdir", "mkdirat"], errno.EXDEV)
    container = crt.create(bundle.script("mkdir /tmp/made; exec sleep 1000"))
    assert not one.states
    container.start()
    container.wait_for_output("Invalid cross-device link")
    assert [(state["pid"], state["state"]["status"]) for state in one.states] == [(container.pid, "created")]
    container.end()


def test_exec(bundle, agent, crt):
    one = agent(["mkdir", "mkdirat"], errno.EXDEV)
    container = crt.start(bundle.sleeper())
    crt("exec", container.id, "mkdir", "/tmp/made").failed("Invalid cross-device link")
    first, second = one.states
    assert second["state"]["pid"] == first["pid"] == container.pid != second["pid"]
    assert second["state"]["status"] == "running"
    container.end()


def test_listener_stays_out_of_the_container(bundle, agent):
    agent(["mkdir", "mkdirat"])
    assert bundle.sh("ls /proc/1/fd; true").split() == ["0", "1", "2"]
    assert bundle.sh("ps -o pid,stat | grep Z || echo no zombie") == "no zombie\n"


# What init itself needs is asked of the agent only once it listens: close, write and sendmsg are those of rootless networking
@pytest.mark.parametrize("names", [["write", "writev"], ["close", "sendmsg", "sendto", "connect", "bind", "exit_group"],
                                   ["execve"], ["recvmsg", "read"], ["capset", "prctl", "clone3", "fcntl", "nanosleep"]])
@pytest.mark.parametrize("no_new_privileges", [True, False])
def test_calls_of_init(bundle, agent, names, no_new_privileges):
    agent(names)
    bundle["process.noNewPrivileges"] = no_new_privileges
    assert bundle.sh("echo alive") == "alive\n"


def test_call_that_must_not_notify(bundle, agent):
    agent(["mkdir", "waitid"])
    bundle.run("true").failed(r"linux\.seccomp\.syscalls\[0\]\.names\[1\]: SCMP_ACT_NOTIFY cannot be the answer to waitid")


def test_filter_without_that_call(bundle, agent, crt):
    """A filter that forbids what the hand-over waits by says so, and leaves nothing."""
    agent(["mkdir"], syscalls=[{"names": ["mkdir"], "action": "SCMP_ACT_NOTIFY"}, {"names": ["waitid"], "action": "SCMP_ACT_ERRNO"}])
    bundle.run("true").failed("the filter forbids waitid", "Operation not permitted")
    assert crt.ids() == []


@pytest.mark.parametrize("flags, said", [(["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"], "cross-device"), ([], "not implemented")])
def test_wait_killable(bundle, agent, flags, said):
    """Once the agent has it, a call is not begun anew for a signal that does not kill; else the answer finds nobody."""
    if harness.kernel() < (5, 19):
        pytest.skip("SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV: Linux 5.19")

    def stop_and_go(pid):
        for sig in (signal.SIGSTOP, signal.SIGCONT):
            os.kill(pid, sig)
            time.sleep(0.2)
    one = agent(["mkdir", "mkdirat"], errno.EXDEV, flags=flags)
    one.disturb = stop_and_go
    assert said in bundle.run("mkdir", "/tmp/made").err
    assert len(one.seen) == 1


def without_agent(bundle, path):
    bundle["linux.seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "architectures": [ARCH], "listenerPath": str(path),
                               "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_NOTIFY"}]}


def test_nobody_listens(bundle, crt):
    without_agent(bundle, bundle.path / "nobody.sock")
    bundle.run("sh", "-c", "echo ran").failed(r"config\.json:\d+:\d+: linux\.seccomp\.listenerPath: cannot hand the seccomp listener to .*nobody\.sock: "
                                              "No such file", "start the agent first")
    assert crt.ids() == []


def test_nobody_listens_at_start(bundle, crt):
    without_agent(bundle, bundle.path / "nobody.sock")
    container = crt.create(bundle.script("echo ran"))
    crt("start", container.id).failed("cannot hand the seccomp listener")
    container.wait_stopped()
    assert container.out == ""
    container.delete()


def test_nobody_listens_at_exec(bundle, agent, crt):
    one = agent(["mkdir"])
    container = crt.start(bundle.sleeper())
    one.path.unlink()
    result = crt("exec", container.id, "echo", "ran")
    result.failed("cannot hand the seccomp listener")
    assert result.out == "" and container.status == "running"
    container.end()


def test_path_without_notify_is_ignored(bundle):
    without_agent(bundle, "/nonexistent/agent.sock")
    bundle["linux.seccomp.syscalls.0.action"] = "SCMP_ACT_ERRNO"
    assert bundle.sh("echo alive") == "alive\n"


def test_receiver_of_an_annotation(bundle, agent):
    one = agent(["mkdir", "mkdirat"], errno.EXDEV)
    bundle["annotations"] = {"run.oci.seccomp.receiver": bundle.config["linux"]["seccomp"].pop("listenerPath")}
    del bundle.config["linux"]["seccomp"]["listenerMetadata"]
    assert "cross-device" in bundle.run("mkdir", "/tmp/made").err
    assert "metadata" not in one.states[0]


def test_relative_path(bundle):
    without_agent(bundle, "agent.sock")
    bundle.run("true").failed('linux.seccomp.listenerPath: must be an absolute path, is "agent.sock"')


def test_rootless_container(bundle, agent, rootless):  # noqa: F811
    """init is out of its parent's reach by then, who could not fetch the listener from it."""
    one = agent(["mkdir", "mkdirat", "sendmsg", "close"], 0, rootless.folder)
    os.chown(one.path, USER, USER)
    rootless.config["linux"]["seccomp"] = bundle["linux.seccomp"]
    assert rootless.sh("mkdir /tmp/made; ls -d /tmp/made").ok().out == "/tmp/made\n"
    assert len(one.states) == 1 and one.seen

"""Annotations of crun that mean something here, and --pidfd-socket: the same by an option."""
import base64
import os
import platform
import select
import signal
import socket
import struct
import threading

import pytest

import harness

ARCH = {"x86_64": "SCMP_ARCH_X86_64", "aarch64": "SCMP_ARCH_AARCH64"}.get(platform.machine(), "")


class Receiver:
    """A socket that takes one fd and what came with it."""

    def __init__(self, path):
        self.path, self.fd, self.text = path, None, None
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.bind(str(path))
        self.socket.listen(1)
        self.thread = threading.Thread(target=self.take, daemon=True)
        self.thread.start()

    def take(self):
        connection = self.socket.accept()[0]
        with connection:
            self.text, fds, _, _ = socket.recv_fds(connection, 100, 4)
            (self.fd,) = fds

    def pid(self):
        """The process that the pidfd is of."""
        self.thread.join(10)
        with open(f"/proc/self/fdinfo/{self.fd}") as info:
            return int(next(line.split()[1] for line in info if line.startswith("Pid:")))

    def has_ended(self):
        poll = select.poll()
        poll.register(self.fd, select.POLLIN)
        return bool(poll.poll(5000))

    def end(self):
        self.socket.close()
        if self.fd is not None:
            os.close(self.fd)


@pytest.fixture
def receiver(bundle):
    one = Receiver(bundle.path / "pidfd.sock")
    yield one
    one.end()


@pytest.mark.parametrize("how", ["option", "annotation"])
def test_pidfd_of_create(bundle, crt, receiver, how):
    options = ["--pidfd-socket", receiver.path] if how == "option" else []
    if how == "annotation":
        bundle["annotations"] = {"run.oci.pidfd_receiver": str(receiver.path)}
    container = crt.create(bundle.sleeper(), *options)
    assert receiver.pid() == container.pid
    container.end()
    assert receiver.has_ended()


def test_pidfd_of_run(bundle, receiver):
    bundle.run("sh", "-c", "exit 7", options=["--pidfd-socket", receiver.path]).failed(code=7)
    assert receiver.pid() == -1, "a process that was, and of which its parent knows"


def test_pidfd_of_exec(bundle, crt, receiver):
    container = crt.start(bundle.sleeper())
    crt("exec", "--detach", "--pidfd-socket", receiver.path, container.id, "sleep", "1000").ok()
    pid = receiver.pid()
    assert pid != container.pid and harness.command_line(pid) == "sleep 1000"
    os.kill(pid, signal.SIGKILL)
    assert receiver.has_ended()
    harness.wait_for(lambda: harness.reap(pid))  # the pid namespace waits for that
    container.end()


@pytest.mark.parametrize("command", ["run", "create"])
def test_nobody_waits_for_the_pidfd(bundle, crt, command):
    bundle.script("echo ran").write()
    result = crt(command, "--pidfd-socket", "/nonexistent/socket", "--bundle", bundle.path, crt.new_id())
    result.failed("cannot send the pidfd to /nonexistent/socket: No such file")
    assert result.out == "" and crt.ids() == []


def test_nobody_waits_for_the_pidfd_of_exec(bundle, crt):
    container = crt.start(bundle.sleeper())
    result = crt("exec", "--pidfd-socket", "/nonexistent/socket", container.id, "echo", "ran")
    result.failed("cannot send the pidfd")
    assert result.out == "" and container.status == "running"
    container.end()


def with_groups(bundle, *groups):
    command = bundle.write().crt.command("run", "--bundle", bundle.path, bundle.crt.new_id())
    return bundle.crt(command=["setpriv", "--groups", ",".join(map(str, groups)), *command])


@pytest.mark.parametrize("value, expected", [("1", "0 7777 8888"), ("0", "0 5"), (None, "0 5")])
def test_keep_original_groups(bundle, value, expected):
    bundle["annotations"] = {"run.oci.keep_original_groups": value} if value else {}
    bundle["process.user"] = {"uid": 0, "gid": 0, "additionalGids": [5]}
    bundle.script("id -G")
    assert with_groups(bundle, 7777, 8888).ok().out.strip() == expected


def test_keep_original_groups_where_a_namespace_is_joined(bundle, crt):
    """The way through a process in between, and the way of exec."""
    other = crt.start(bundle.sleeper())
    bundle["annotations"] = {"run.oci.keep_original_groups": "1"}
    bundle.namespace("pid", f"/proc/{other.pid}/ns/pid")
    bundle.script("id -G")
    assert with_groups(bundle, 7777).ok().out.strip() == "0 7777"
    other.end()
    bundle.namespace("pid")
    container = crt.start(bundle.sleeper())
    command = ["setpriv", "--groups", "7777", *crt.command("exec", container.id, "id", "-G")]
    assert crt(command=command).ok().out.strip() == "0 7777"
    container.end()


def test_output_of_hooks(bundle, tmp_path):
    """Of those that run where the runtime runs; appended."""
    out, err = tmp_path / "out", tmp_path / "err"
    out.write_text("before\n")
    bundle["annotations"] = {"run.oci.hooks.stdout": str(out), "run.oci.hooks.stderr": str(err)}
    say = lambda stage: [{"path": "/bin/sh", "args": ["sh", "-c", f"echo {stage}; echo {stage}! >&2"]}]  # noqa: E731
    bundle["hooks"] = {stage: say(stage) for stage in ("createRuntime", "createContainer", "startContainer", "poststart", "poststop")}
    bundle.run("true").ok()
    stages = ["createRuntime", "poststart", "poststop"]
    assert out.read_text().split() == ["before", *stages]
    assert err.read_text().split() == [f"{stage}!" for stage in stages]


def test_output_of_hooks_that_cannot_be_written(bundle, crt, tmp_path):
    bundle["annotations"] = {"run.oci.hooks.stdout": str(tmp_path / "missing/out")}
    bundle["hooks"] = {"createRuntime": [{"path": "/bin/true"}]}
    bundle.run("true").failed("createRuntime hook /bin/true, stdout to .*missing/out")
    assert crt.ids() == []


def test_unknown_system_call_is_an_error(bundle, crt):
    bundle["linux.seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "architectures": [ARCH],
                               "syscalls": [{"names": ["mkdir", "no_such_call"], "action": "SCMP_ACT_ERRNO"}]}
    bundle.run("true").ok()  # and is in the cache from now on
    bundle["annotations"] = {"run.oci.seccomp_fail_unknown_syscall": "1"}
    bundle.run("true").failed(r"linux\.seccomp\.syscalls\[0\]\.names\[1\]: no system call of this name")
    assert crt.ids() == []


# ---- A filter as it is ---------------------------------------------------------------------------------------

LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, ERRNO = 0x7fff0000, 0x00050000
PERSONALITY = {"x86_64": 135, "aarch64": 92}.get(platform.machine())  # asked for the present one, it fails by a filter only
ASK = ("probe", "syscall", "personality", 0xffffffff)


def filter_of(*instructions):
    return base64.b64encode(b"".join(struct.pack("=HBBI", *one) for one in instructions)).decode()


def refusing(number, errno):
    return filter_of((LOAD, 0, 0, 0), (EQUAL, 0, 1, number), (RETURN, 0, 0, ERRNO | errno), (RETURN, 0, 0, ALLOW))


@pytest.mark.parametrize("no_new_privileges", [True, False])
def test_a_filter_as_it_is(bundle, crt, no_new_privileges):
    """Instead of linux.seccomp, which would have another answer; and exec has it, too."""
    bundle["annotations"] = {"run.oci.seccomp_bpf_data": refusing(PERSONALITY, 17)}
    bundle["linux.seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "architectures": [ARCH],
                               "syscalls": [{"names": ["personality"], "action": "SCMP_ACT_ERRNO", "errnoRet": 95}]}
    bundle["process.noNewPrivileges"] = no_new_privileges
    assert bundle.run(*ASK).ok().out == "EEXIST\n"
    container = crt.start(bundle.sleeper())
    assert harness.status(container.proc("status"))["Seccomp"] == "2"
    assert crt("exec", container.id, *ASK).ok().out == "EEXIST\n"
    container.end()


@pytest.mark.parametrize("data", [filter_of((LOAD, 0, 0, 0)), filter_of((0xffff, 0, 0, 0), (RETURN, 0, 0, ALLOW))],
                         ids=["without an end", "no instruction"])
def test_a_filter_that_is_none(bundle, crt, data):
    bundle["annotations"] = {"run.oci.seccomp_bpf_data": data}
    bundle.run("true").failed(r'config.json:\d+:\d+: annotations\["run.oci.seccomp_bpf_data"\]: cannot load the seccomp filter as it is, '
                              r"\d instructions: .*Invalid argument", "for no filter of system calls")
    assert crt.ids() == []


def test_mount_context_type(bundle):
    """Only a kernel with SELinux takes the option, and only it says whether it is the right one."""
    if not harness.has_selinux_policy():
        pytest.skip("needs SELinux with a policy (tests/golden/plan/annotations-of-crun shows the option)")
    bundle["annotations"] = {"run.oci.mount_context_type": "rootcontext"}
    bundle["linux.mountLabel"] = "system_u:object_r:container_file_t:s0"
    assert "rootcontext=" in bundle.sh("grep ' /dev ' /proc/self/mounts")


def test_features_names_them(crt):
    names = crt("features").json()["potentiallyUnsafeConfigAnnotations"]
    assert names == ["org.systemd.property.", *(f"run.oci.{name}" for name in (
        "delegate-cgroup", "hooks.stderr", "hooks.stdout", "keep_original_groups", "mount_context_type", "pidfd_receiver",
        "seccomp.receiver", "seccomp_bpf_data", "seccomp_fail_unknown_syscall", "systemd.subgroup"))]


def test_values_that_make_no_sense(bundle):
    bundle["annotations"] = {"run.oci.keep_original_groups": "yes"}
    bundle.run("true").failed(r'annotations\["run\.oci\.keep_original_groups"\]: must be "1" or "0", is "yes"')

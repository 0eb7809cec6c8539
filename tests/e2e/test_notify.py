"""NOTIFY_SOCKET: a container says that it is ready, and whoever has started crt as a service hears it; and nothing else."""
import os
import socket

import pytest

import harness

SAY = "probe notify '{}'; exec sleep 1000"


class Manager:
    """What a service manager has on its side."""

    def __init__(self, address):
        self.address = address
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + address[1:] if address[0] == "@" else address)

    def hear(self, seconds=5):
        """One message; None: silence."""
        self.socket.settimeout(seconds)
        try:
            return self.socket.recv(8192).decode()
        except TimeoutError:
            return None

    @property
    def env(self):
        return dict(os.environ, NOTIFY_SOCKET=self.address)


@pytest.fixture(params=["path", "abstract"])
def manager(request, tmp_path):
    made = Manager(str(tmp_path / "notify") if request.param == "path" else f"@{harness.TOKEN}-notify")
    yield made
    made.socket.close()


def detached(crt, bundle, manager, *options):
    """run --detach, in a process of its own: it waits for the container to be ready."""
    name = crt.new_id()
    out = open(bundle.path / f"{name}.out", "w")
    process = crt.start_process(*options, "run", "--detach", "--bundle", bundle.write().path, name, env=manager.env, stdout=out, stderr=out)
    return harness.Container(crt, name, bundle), process


def test_run_passes_it_on(bundle, crt, manager):
    """crt run stays the service's process: no MAINPID."""
    name = crt.new_id()
    bundle.script(SAY.format("READY=1\nSTATUS=sailing")).write()
    process = crt.start_process("run", "--bundle", bundle.path, name, env=manager.env)
    assert manager.hear() == "READY=1\nSTATUS=sailing\n"
    assert process.stdout.readline() == "sent\n"
    crt("kill", name, "KILL").ok()
    assert process.wait(10) == 137


def test_run_goes_on_listening(bundle, crt, manager):
    bundle.script("for word in READY RELOADING WATCHDOG STOPPING; do probe notify $word=1; done >/dev/null")
    bundle.run(env=manager.env).ok()
    assert [manager.hear() for _ in range(4)] == ["READY=1\n", "RELOADING=1\n", "WATCHDOG=1\n", "STOPPING=1\n"]


def test_what_is_not_the_containers_to_say(bundle, crt, manager):
    """Who the service is, what is kept for it, who may speak; and the fd that comes along."""
    bundle.script("probe notify 'MAINPID=1\nREADY=1\nFDSTORE=1\nNOTIFYACCESS=all\nBARRIER=1\nREADY=10\nERRNO=5'; "
                  "probe notify MAINPID=1; probe notify \"$(printf 'STATUS=%05000d' 1)\"; probe notify 'STATUS=last'")
    bundle.run(env=manager.env).ok()
    assert manager.hear() == "READY=1\n"
    assert manager.hear() == "STATUS=last\n"


def test_detached_waits_until_it_is_ready(bundle, crt, manager):
    bundle.bind(bundle.path, "/gate")
    bundle.script("while [ ! -e /gate/open ]; do sleep 0.05; done; " + SAY.format("READY=1"))
    container, process = detached(crt, bundle, manager)
    assert manager.hear(0.5) is None and process.poll() is None
    (bundle.path / "open").touch()
    assert process.wait(10) == 0
    assert manager.hear() == f"READY=1\nMAINPID={container.pid}\n"
    container.end()


def test_detached_does_not_wait_for_the_dead(bundle, crt, manager):
    container, process = detached(crt, bundle.script("exit 3"), manager)
    assert process.wait(10) == 0
    assert manager.hear(0.2) is None
    container.wait_stopped().delete()


def test_start_waits_until_it_is_ready(bundle, crt, manager):
    bundle.script(SAY.format("STATUS=soon\nREADY=1"))
    container = crt.create(bundle, env=manager.env)
    assert manager.hear(0.2) is None
    crt("start", container.id, env=manager.env).ok()
    assert manager.hear() == f"STATUS=soon\nREADY=1\nMAINPID={container.pid}\n"
    assert container.status == "running"
    container.end()


def test_started_by_somebody_else(bundle, crt, manager):
    """Nobody listens, and the container learns that at once."""
    container = crt.create(bundle.script(SAY.format("READY=1")), env=manager.env)
    crt("start", container.id).ok()
    container.wait_for_output("No such file or directory")
    container.end()


def test_inside(bundle, crt, manager):
    bundle["process.env"] = [*bundle["process.env"], "NOTIFY_SOCKET=/of/the/document"]
    container, process = detached(crt, bundle.script("env | grep ^NOTIFY; " + SAY.format("READY=1")), manager)
    assert process.wait(10) == 0
    assert container.out == "NOTIFY_SOCKET=/run/notify/notify.sock\nsent\n"
    mount = harness.mounts(container.proc("mountinfo"))["/run/notify"]
    assert {"ro", "nosuid", "nodev", "noexec"} <= mount.options
    container.end()


def test_an_ordinary_user_of_a_user_namespace(bundle, crt, manager):
    bundle.user_namespace()
    bundle["process.user"] = {"uid": 1000, "gid": 1000}
    container, process = detached(crt, bundle.script(SAY.format("READY=1")), manager)
    assert process.wait(10) == 0
    assert manager.hear() == f"READY=1\nMAINPID={container.pid}\n"
    container.end()


def test_without_it_nothing_is_added(bundle, crt):
    assert bundle.sh("env | grep -c ^NOTIFY; ls /run | wc -l; true") == "0\n0\n"


def test_a_manager_that_is_gone(bundle, crt, manager):
    manager.socket.close()
    if manager.address[0] == "/":
        os.unlink(manager.address)
    container, process = detached(crt, bundle.script(SAY.format("READY=1")), manager)
    assert process.wait(10) == 0
    container.end()


def test_an_address_that_is_none(bundle, crt):
    assert bundle.run("sh", "-c", "env | grep -c ^NOTIFY; true", env=dict(os.environ, NOTIFY_SOCKET="vsock:2:3")).ok().out == "0\n"


def test_failed_create_leaves_nothing(bundle, crt, manager):
    bundle["process.cwd"] = "/etc/passwd"
    bundle.run("true", env=manager.env).failed("/etc/passwd")
    assert crt.ids() == []

"""AppArmor: a machine that boots with it. The profile holds for the process, for exec, and for the engines' own profiles."""
import pathlib

import pytest

from conftest import CONTROL, IMAGE, ok, put_runtimes
from machine import Machine

PROFILE = """
profile case-profile flags=(attach_disconnected,mediate_deleted) {
    file,
    capability,
    signal,
    deny /denied w,
}
"""
SHOW = "cat /proc/self/attr/current; echo x >/allowed && echo written; echo x >/denied"


@pytest.fixture(scope="module")
def guarded(vm, request):
    """The runtimes of a machine of the same image whose kernel has AppArmor on; the common one does without, which is faster."""
    with Machine(vm.image, disk="warm.qcow2", kernel_line="apparmor=1 security=apparmor") as machine:
        assert "apparmor" in machine.read("/sys/kernel/security/lsm")
        machine.run("apparmor_parser --replace", stdin=PROFILE.encode(), check=True)
        yield put_runtimes(machine, pathlib.Path(request.config.getoption("--runtime")))


@pytest.fixture
def rt(request, guarded):
    runtime = guarded[request.param]
    yield runtime
    for name in runtime.vm.run([runtime.path, "list", "--quiet"]).out.split():
        runtime("delete", "--force", name)


@pytest.fixture
def running(rt):
    """running(profile): the name of a container that sleeps under it."""
    def start(profile):
        folder, name = rt.bundle("sleep", "1000", process={"apparmorProfile": profile})
        ok(rt.vm.run(f"{rt.path} run --detach --bundle {folder} {name} </dev/null >/dev/null 2>&1"))
        return name
    return start


def test_process(rt):
    result = rt.run("sh", "-c", SHOW, process={"apparmorProfile": "case-profile"})
    assert result.out.splitlines() == ["case-profile (enforce)", "written"] and "/denied: Permission denied" in result.err, result


def test_the_control_of_that(rt):
    result = rt.run("sh", "-c", SHOW)
    assert (result.out.splitlines(), result.err) == (["unconfined", "written"], ""), result


def test_seen_from_outside(rt, running):
    ok(rt("exec", running("case-profile"), "true"))
    assert "case-profile (enforce)" in ok(rt.vm.run("cat /proc/$(pgrep -xf 'sleep 1000')/attr/current"))


def test_exec_has_the_profile_of_the_container(rt, running):
    result = rt("exec", running("case-profile"), "sh", "-c", SHOW)
    assert result.out.splitlines() == ["case-profile (enforce)", "written"] and "/denied: Permission denied" in result.err, result


def test_exec_with_a_profile_of_its_own(rt, running):
    name = running("unconfined")
    assert ok(rt("exec", name, "cat", "/proc/self/attr/current")) == "unconfined\n"
    assert ok(rt("exec", "--apparmor", "case-profile", name, "cat", "/proc/self/attr/current")) == "case-profile (enforce)\n"


def test_a_profile_that_is_not_loaded(rt):
    """Never passed over: the container does not start, and nothing of it stays."""
    result = rt.run("echo", "started", process={"apparmorProfile": "no-such-profile"})
    assert result.code != 0 and result.out == "", result
    assert rt.name == CONTROL or "config.json:" in result.err and "no-such-profile" in result.err, result
    assert ok(rt("list", "--quiet")) == ""


def test_docker_loads_its_own(rt):
    rt.vm.run("systemctl start docker", timeout=300, check=True)
    command = ["docker", "run", "--rm", "--runtime", rt.name, "--network", "none", IMAGE, "sh", "-c", "cat /proc/self/attr/current; mount -t tmpfs x /tmp"]
    result = rt.vm.run(command, timeout=120)
    assert result.out == "docker-default (enforce)\n" and result.code != 0, result


def test_podman_loads_its_own(rt):
    command = ["podman", "--runtime", rt.path, "run", "--rm", "--network", "none", IMAGE, "cat", "/proc/self/attr/current"]
    assert ok(rt.vm.run(command, timeout=120)).startswith("containers-default-"), command

"""ps: the processes of the container, and of no other."""
import os
import subprocess

import pytest

import harness

pytestmark = harness.EVERYWHERE


@pytest.fixture
def three(bundle, crt):
    container = crt.start(bundle.script("sleep 1001 & sleep 1002 & echo ready; wait"))
    container.wait_for_output("ready")
    yield container
    container.end()


def test_json(crt, three):
    pids = crt("ps", "--format", "json", three.id).json()
    assert pids == sorted(map(int, (three.cgroup / "cgroup.procs").read_text().split())) and len(pids) == 3
    assert three.pid in pids
    assert crt("ps", "-f", "json", three.id, "-o", "comm").json() == pids


def test_table(crt, three):
    lines = crt("ps", three.id).ok().out.splitlines()
    assert lines[0].split()[:3] == ["UID", "PID", "PPID"]
    assert {int(line.split()[1]) for line in lines[1:]} == set(crt("ps", "-f", "json", three.id).json())
    assert sorted(line.split()[-1] for line in lines[1:])[:2] == ["1001", "1002"]


def test_options_are_those_of_ps(crt, three):
    lines = crt("ps", three.id, "-e", "-o", "comm,pid").ok().out.splitlines()
    assert lines[0].split() == ["COMMAND", "PID"] and len(lines) == 4
    assert str(three.pid) in [line.split()[1] for line in lines[1:]]


def test_no_pid_column(crt, three):
    crt("ps", three.id, "-e", "-o", "comm").failed("no column PID", "leave the PID column in", code=1)


def test_ps_fails(crt, three):
    crt("ps", three.id, "--no-such-option").failed("ps", code=1)


def test_without_ps(crt, three):
    """On a host without procps the pids are still there."""
    env = os.environ | {"PATH": "/nowhere"}
    crt("ps", three.id, env=env).failed("cannot run ps", "--format json", code=1)
    assert len(crt("ps", "-f", "json", three.id, env=env).json()) == 3


def test_child_cgroups_count(bundle, crt):
    container = crt.start(bundle.sleeper())
    child = container.cgroup / "below"
    child.mkdir()
    with subprocess.Popen(["sleep", "1000"]) as process:
        (child / "cgroup.procs").write_text(str(process.pid))
        assert crt("ps", "-f", "json", container.id).json() == sorted([container.pid, process.pid])
        process.kill()
    container.end()


def test_paused_and_created(bundle, crt):
    container = crt.create(bundle.script("true"))
    assert crt("ps", "-f", "json", container.id).json() == [container.pid]
    crt("pause", container.id).ok()
    assert crt("ps", "-f", "json", container.id).json() == [container.pid]
    container.end()


def test_stopped(bundle, crt):
    """What runs in it is nothing, which is no mistake of the caller's."""
    container = crt.start(bundle.sleeper())
    container.kill("KILL")
    container.wait_stopped()
    assert crt("ps", "-f", "json", container.id).ok().out == "null\n"
    line, = crt("ps", container.id).ok().out.splitlines()
    assert line.split()[:3] == ["UID", "PID", "PPID"]
    container.end()
    crt("ps", container.id).failed("does not exist", code=1)

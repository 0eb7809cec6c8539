"""pause and resume: nothing moves meanwhile, everything goes on afterwards."""
import os
import pathlib
import signal
import time

import pytest

import harness

COUNTER = "i=0; while :; do echo $i; i=$((i+1)); sleep 0.01; done"


def events(container):
    return dict(line.split() for line in (container.cgroup / "cgroup.events").read_text().splitlines())


def counts_on(container, seconds=0.2):
    before = len(container.out)
    time.sleep(seconds)
    return len(container.out) > before


def test_pause_and_resume(bundle, crt):
    container = crt.start(bundle.script(COUNTER))
    container.wait_for_output("3")
    crt("pause", container.id).ok()
    assert events(container)["frozen"] == "1" and container.status == "paused"
    assert not counts_on(container)
    crt("resume", container.id).ok()
    assert events(container)["frozen"] == "0" and container.status == "running"
    assert counts_on(container)
    container.end()


def test_many_processes_stop_all(bundle, crt):
    container = crt.start(bundle.script(f"for n in 1 2 3 4 5 6 7 8; do ( {COUNTER} ) & done; echo ready; wait"))
    container.wait_for_output("ready")
    for _ in range(20):
        crt("pause", container.id).ok()
        assert events(container)["frozen"] == "1"
        crt("resume", container.id).ok()
    assert counts_on(container)
    container.end()


def test_created_container(bundle, crt):
    """An engine may stop it before its program runs."""
    container = crt.create(bundle.script("echo ran"))
    crt("pause", container.id).ok()
    assert container.status == "paused"
    crt("resume", container.id).ok()
    assert container.status == "created"
    container.start().wait_stopped()
    assert container.out == "ran\n"
    container.end()


def test_twice(bundle, crt):
    container = crt.start(bundle.sleeper())
    crt("resume", container.id).failed("container not paused", "running", code=1)
    crt("pause", container.id).ok()
    crt("pause", container.id).failed("is paused already", code=1)
    assert container.status == "paused"
    container.end()


@pytest.mark.parametrize("command", ["pause", "resume"])
def test_stopped_and_missing(bundle, crt, command):
    container = crt.start(bundle.script("true"))
    container.wait_stopped()
    crt(command, container.id).failed("container not running", "stopped", code=1)
    container.end()
    crt(command, container.id).failed("does not exist", code=1)


def test_delete_force_of_a_paused_container(bundle, crt):
    container = crt.start(bundle.sleeper())
    folder = container.cgroup
    crt("pause", container.id).ok()
    container.end()
    assert not folder.exists()


def test_kill_reaches_a_paused_container(bundle, crt):
    container = crt.start(bundle.sleeper())
    crt("pause", container.id).ok()
    container.kill("KILL")
    container.wait_stopped()
    container.end()


def test_frozen_from_above(bundle, crt):
    """Who froze the parent must thaw it; resume says so in time instead of waiting for ever."""
    parent = harness.CGROUP / f"{harness.TOKEN}-above"
    parent.mkdir()
    bundle["linux.cgroupsPath"] = f"/{parent.name}/below"
    container = crt.start(bundle.sleeper())
    (parent / "cgroup.freeze").write_text("1")
    harness.wait_for(lambda: container.status == "paused")
    crt("resume", container.id).failed("above", code=1)
    (parent / "cgroup.freeze").write_text("0")
    assert container.status == "running"
    container.end()
    if parent.exists():
        parent.rmdir()


def test_exec_in_a_paused_container(bundle, crt):
    """It would wait for resume: refused, but for who wants just that."""
    container = crt.start(bundle.sleeper())
    crt("pause", container.id).ok()
    crt("exec", container.id, "echo", "fine").failed("paused", code=1)
    with crt.start_process("exec", "--ignore-paused", container.id, "echo", "fine") as process:
        time.sleep(0.3)
        assert process.poll() is None
        crt("resume", container.id).ok()
        assert process.wait(10) == 0 and process.stdout.read() == "fine\n"
    container.end()


@pytest.mark.parametrize("options", [[], ["--detach"]])
def test_the_wait_for_resume_can_be_ended(bundle, crt, options):
    container = crt.start(bundle.sleeper())
    crt("pause", container.id).ok()
    with crt.start_process("exec", "--ignore-paused", *options, container.id, "sleep", "1000") as process:
        time.sleep(0.3)
        assert process.poll() is None
        process.terminate()
        assert process.wait(5) == -signal.SIGTERM
    crt("resume", container.id).ok()
    harness.wait_for(lambda: container.cgroup.joinpath("cgroup.procs").read_text().split() == [str(container.pid)], what="nobody but init")
    orphans = pathlib.Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    harness.wait_for(lambda: all(harness.reap(int(pid)) for pid in orphans if pid != str(container.pid)), what="their end")
    container.end()

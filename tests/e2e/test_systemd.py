"""
--cgroup-manager systemd, without a systemd: another program stands in for crt-systemd, makes the cgroups that systemd
would make, and writes down what it was asked. What systemd itself makes of it, tests/vm/test_systemd.py has.
"""
import json
import os
import socket
import subprocess
import time

import pytest

import harness

FAKE = """#!/usr/bin/python3
import os, pathlib, sys
here, root = pathlib.Path({here!r}), pathlib.Path({root!r})
whom, verb, unit, timeout = sys.argv[1:]
lines = [line.split("\\t") for line in sys.stdin.read().splitlines()]
properties = {{line[0]: line[2:] for line in lines}}
with open(here / "calls", "a") as calls:
    calls.write(f"{{whom}} {{verb}} {{unit}}\\n")
if (here / verb).exists():
    code, words = (here / verb).read_text().split(" ", 1)
    print(words, end="")
    sys.exit(int(code))
folder = root / "{token}.slice" / unit
if verb == "start":
    (here / "properties").write_text("".join("\\t".join(line) + "\\n" for line in lines))
    folder.mkdir(parents=True)
    (folder / "cgroup.procs").write_text(properties["PIDs"][0])
if verb == "stop":
    folder.rmdir()
    folder.parent.rmdir()
"""


class Systemd:
    def __init__(self, here):
        self.here = here
        program = here / "crt-systemd"
        program.write_text(FAKE.format(here=str(here), root=str(harness.CGROUP), token=harness.TOKEN))
        program.chmod(0o755)

    @property
    def calls(self):
        path = self.here / "calls"
        return path.read_text().splitlines() if path.exists() else []

    @property
    def properties(self):
        lines = (self.here / "properties").read_text().splitlines()
        return {name: (kind, *values) for name, kind, *values in (line.split("\t") for line in lines)}

    def fail(self, verb, code, words):
        (self.here / verb).write_text(f"{code} {words}")


@pytest.fixture
def systemd(tmp_path, monkeypatch, crt):
    folder = tmp_path / "libexec"
    folder.mkdir()
    monkeypatch.setenv("CRT_LIBEXEC", str(folder))
    plain = crt.command
    crt.command = lambda *args: [*plain(), "--systemd-cgroup", *map(str, args)]
    yield Systemd(folder)
    for path, _, _ in os.walk(harness.CGROUP / f"{harness.TOKEN}.slice", topdown=False):
        os.rmdir(path)


@pytest.fixture
def unit(bundle):
    """The unit's name, asked for by cgroupsPath."""
    bundle["linux.cgroupsPath"] = f"{harness.TOKEN}.slice:boat:{harness.TOKEN}"
    return f"boat-{harness.TOKEN}.scope"


def folder_of(unit):
    return harness.CGROUP / f"{harness.TOKEN}.slice" / unit


def test_the_container_is_born_below_the_unit(bundle, crt, systemd, unit):
    container = crt.start(bundle.sleeper())
    assert container.cgroup == folder_of(unit) / "container"
    assert (folder_of(unit) / "cgroup.procs").read_text() == ""  # who has started it is gone
    assert (container.cgroup / "cgroup.procs").read_text().split() == [str(container.pid)]
    state = json.loads((crt.state / container.id / "state.json").read_text())
    assert (state["cgroupManager"], state["cgroupUnit"]) == ("systemd", unit)
    container.end()
    assert systemd.calls == [f"system start {unit}", f"system stop {unit}"]
    assert not folder_of(unit).exists()


def test_cruns_spelling(bundle, crt, systemd, unit):
    runcs = crt.command
    crt.command = lambda *args: [part for word in runcs(*args)
                                 for part in (["--cgroup-manager", "systemd"] if word == "--systemd-cgroup" else [word])]
    container = crt.start(bundle.sleeper())
    assert "--systemd-cgroup" not in crt.command() and container.cgroup == folder_of(unit) / "container"
    container.end()
    assert systemd.calls == [f"system start {unit}", f"system stop {unit}"]


def test_what_systemd_is_asked(bundle, crt, systemd, unit):
    bundle["annotations"] = {"org.systemd.property.TimeoutStopSec": "1.5"}
    container = crt.start(bundle.sleeper())
    found = systemd.properties
    assert found["Delegate"] == ("b", "true") and found["DefaultDependencies"] == ("b", "false")
    assert found["Slice"] == ("s", f"{harness.TOKEN}.slice")
    assert found["CollectMode"] == ("s", "inactive-or-failed")
    assert found["TimeoutStopUSec"] == ("t", "1500000")
    assert found["Description"] == ("s", f"container {container.id}")
    assert found["PIDs"][0] == "au" and found["PIDs"][1] != str(container.pid)
    container.end()


def test_exec_and_pause_do_not_ask_systemd(bundle, crt, systemd, unit):
    container = crt.start(bundle.without_namespace("cgroup") or bundle.sleeper())
    assert crt("exec", container.id, "tail", "-n", "1", "/proc/self/cgroup").ok().out == \
        f"0::/{folder_of(unit).relative_to(harness.CGROUP)}/container\n"
    crt("pause", container.id).ok()
    assert container.status == "paused"
    crt("resume", container.id).ok()
    assert len(systemd.calls) == 1
    container.end()


def test_without_the_cgroup_below(bundle, crt, systemd, unit):
    bundle["annotations"] = {"run.oci.systemd.subgroup": ""}
    container = crt.start(bundle.sleeper())
    assert container.cgroup == folder_of(unit)
    container.end()
    assert not folder_of(unit).exists()


def test_joined_namespaces(bundle, new_bundle, crt, systemd, unit):
    """Entered by the one who starts it, in the unit."""
    other = new_bundle("other")
    crt_plain = harness.Runtime(crt.state, crt.log)
    first = crt_plain.start(other.sleeper())
    bundle.namespace("pid", f"/proc/{first.pid}/ns/pid")
    container = crt.start(bundle.sleeper())
    assert container.cgroup == folder_of(unit) / "container"
    assert harness.namespace(container.pid, "pid") == harness.namespace(first.pid, "pid")
    container.end()
    harness.wait_for(lambda: harness.reap(container.pid), what="its burial, which the other's end waits for")
    first.end()


def test_exit_code_and_clean_up_of_run(bundle, crt, systemd, unit):
    assert bundle.run("sh", "-c", "exit 7").code == 7
    assert systemd.calls == [f"system start {unit}", f"system stop {unit}"]
    assert crt.ids() == []


@pytest.mark.parametrize("code, words, hint", [
    (1, "Unit x.service is masked.", "cannot start the unit .*: Unit x.service is masked."),
    (2, "cannot reach the system's service manager: nobody home", "is this machine run by systemd"),
    (3, "the unit exists already", "choose another linux.cgroupsPath"),
    (4, "systemd has not answered in time", "cannot start the unit .*: systemd has not answered in time"),
])
def test_refusals_are_told_and_undone(bundle, crt, systemd, unit, code, words, hint):
    systemd.fail("start", code, words)
    bundle.run("true").failed(r"config.json:\d+:\d+: linux.cgroupsPath: ", words, hint)
    assert crt.ids() == [] and systemd.calls == [f"system start {unit}"]


def test_a_unit_that_is_somebody_elses_is_left_alone(bundle, crt, systemd, unit):
    folder = folder_of(unit)
    folder.mkdir(parents=True)
    with subprocess.Popen(["sleep", "1000"]) as other:
        (folder / "cgroup.procs").write_text(str(other.pid))
        systemd.fail("start", 3, "the unit exists already")
        bundle.run("true").failed("exists already")
        assert other.poll() is None
        assert systemd.calls == [f"system start {unit}"]
        other.kill()
    harness.wait_for(lambda: "populated 0" in (folder / "cgroup.events").read_text(), what="an empty cgroup")


def test_a_failed_create_leaves_no_unit(bundle, crt, systemd, unit):
    bundle["process.cwd"] = "/etc/passwd"
    bundle.run("true").failed("/etc/passwd")
    assert not folder_of(unit).exists()


def test_systemd_that_does_not_move_the_process(bundle, crt, systemd, unit):
    (systemd.here / "crt-systemd").write_text("#!/bin/sh\nexit 0\n")
    bundle.run("true").failed("but the process in it is in the cgroup")
    assert crt.ids() == []


def test_program_missing(bundle, crt, systemd, unit):
    (systemd.here / "crt-systemd").unlink()
    bundle.run("true").failed("cannot run crt-systemd, which talks to systemd: No such file or directory", "--cgroup-manager cgroupfs")
    assert crt.ids() == []


def test_delete_without_systemd(bundle, crt, systemd, unit):
    """The container is what is deleted; the unit, empty, is systemd's to notice."""
    container = crt.start(bundle.sleeper())
    systemd.fail("stop", 2, "nobody home")
    container.end()
    assert crt.ids() == []
    assert "populated 0" in (folder_of(unit) / "cgroup.events").read_text()
    folder_of(unit).rmdir()


def test_killed_while_systemd_works(bundle, crt, systemd, unit):
    """What would have cloned the container ends with crt; delete finds its way."""
    (systemd.here / "crt-systemd").write_text(f"#!/bin/sh\ncat >{systemd.here}/properties\nexec sleep 1000\n")
    name = crt.new_id()
    process = crt.start_process("run", "--bundle", bundle.sleeper().write().path, name)
    starter = int(harness.wait_for(lambda: (systemd.here / "properties").exists() and systemd.properties.get("PIDs"), what="the call")[1])
    assert harness.command_line(starter).startswith(harness.CRT)
    process.kill()
    process.wait()
    harness.wait_for(lambda: harness.reap(starter), what="the end of the starter")
    crt("delete", "--force", name).ok()
    assert crt.ids() == []


def test_update_tells_systemd(bundle, crt, systemd, unit):
    container = crt.start(bundle.sleeper())
    bundle.path.joinpath("r.json").write_text('{"unified": {"cgroup.max.depth": "7"}}')
    crt("update", "--resources", bundle.path / "r.json", container.id).ok()
    assert len(systemd.calls) == 1  # nothing that systemd knows of
    container.end()


def test_two_managers_at_once(bundle, crt):
    crt("--systemd-cgroup", "--cgroup-manager", "self", "list").failed("exclude each other")


# ---- The real program ----

@pytest.fixture
def program():
    path = harness.BUILD / "crt-systemd"
    if not path.exists():
        pytest.skip("crt was built without libsystemd")
    return path


def ask(program, *words, input=""):
    return subprocess.run([program, *words], input=input, capture_output=True, text=True, timeout=20)


def test_without_systemd_it_cannot_be_reached(bundle, crt, program):
    if os.path.exists("/run/systemd/private"):
        pytest.skip("this machine is run by systemd: see tests/vm/test_systemd.py")
    bundle.write()
    crt("--systemd-cgroup", "run", "--bundle", bundle.path, crt.new_id()).failed("cannot reach the system's service manager")


def test_a_manager_that_does_not_answer(program, tmp_path):
    """Of a user, by the folder of its sockets; one accepts, and says nothing."""
    (tmp_path / "systemd").mkdir()
    with socket.socket(socket.AF_UNIX) as manager:
        manager.bind(str(tmp_path / "systemd/private"))
        manager.listen()
        for verb in "start", "set", "stop":
            began = time.monotonic()
            done = ask(program, tmp_path, verb, "x.scope", "500")
            assert (done.returncode, done.stdout) == (4, "systemd has not answered in time")
            assert 0.4 < time.monotonic() - began < 3


def test_no_manager_of_this_user(program, tmp_path):
    done = ask(program, tmp_path, "stop", "x.scope", "500")
    assert done.returncode == 2 and "cannot reach the user's service manager" in done.stdout


@pytest.mark.parametrize("words", [[], ["system"], ["elsewhere", "stop", "x.scope", "1"], ["system", "restart", "x.scope", "1"]])
def test_wrong_words(program, words):
    assert ask(program, *words).returncode == 64

"""Hooks: which run, in what order, where, with what on their standard input, and what their failure does."""
import json
import os
import re
import signal
import time

import pytest

import harness

pytestmark = harness.EVERYWHERE

STAGES = ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"]
ON_THE_HOST = ["prestart", "createRuntime", "createContainer", "poststart", "poststop"]


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "hooks.log"
    path.touch()
    path.chmod(0o666)
    return path


@pytest.fixture
def hook(bundle, tmp_path, log):
    """hook(stage, script, **more): add a hook. The container has the log's folder at the same path."""
    bundle.bind(tmp_path, str(tmp_path))

    def add(stage, script, **more):
        entry = {"path": "/bin/sh", "args": ["sh", "-c", script]} | more
        bundle.config.setdefault("hooks", {}).setdefault(stage, []).append(entry)
    return add


@pytest.mark.parametrize("stage", STAGES)
def test_stage_runs(bundle, hook, log, stage):
    hook(stage, f"echo {stage} >> {log}")
    bundle.run("true").ok()
    assert log.read_text() == f"{stage}\n"


def test_the_order_of_the_specification(bundle, crt, hook, log):
    for stage in reversed(STAGES):
        hook(stage, f"echo {stage} 1 >> {log}")
        hook(stage, f"echo {stage} 2 >> {log}")
    container = crt.create(bundle.script(f"echo process >> {log}; exec sleep 1000"))
    created = log.read_text().split("\n")[:-1]
    assert created == [f"{stage} {number}" for stage in STAGES[:3] for number in (1, 2)]
    container.start()
    harness.wait_for(lambda: "process" in log.read_text() and "poststart 2" in log.read_text(), what="poststart")
    started = log.read_text().split("\n")[len(created):-1]
    assert started[:2] == ["startContainer 1", "startContainer 2"]
    assert sorted(started[2:]) == ["poststart 1", "poststart 2", "process"]
    container.end()
    assert log.read_text().split("\n")[-3:-1] == ["poststop 1", "poststop 2"]


@pytest.mark.parametrize("stage", STAGES)
def test_state_on_standard_input(bundle, crt, hook, log, stage):
    hook(stage, f"cat > {log}")
    bundle.config["annotations"] = {"org.example.key": "value"}
    container = crt.new_id()
    bundle.run("true", container=container).ok()
    state = json.loads(log.read_text())
    assert state["id"] == container and state["bundle"] == str(bundle.path)
    assert state["annotations"] == {"org.example.key": "value"}
    assert state["ociVersion"].startswith("1.")
    expected = {"prestart": "creating", "createRuntime": "creating", "createContainer": "creating", "startContainer": "created",
                "poststart": "running", "poststop": "stopped"}[stage]
    if harness.IS_CRT:
        assert state["status"] == expected
    if stage in ("prestart", "createRuntime"):
        assert state["pid"] > 0


@pytest.mark.skipif(not harness.IS_CRT, reason="what others show meanwhile is their own")
@pytest.mark.parametrize("command", ["create", "run"])
def test_status_that_others_see_meanwhile(bundle, crt, hook, log, command):
    """runtime.md: "creating" until create has finished; "created" until the program runs."""
    words = " ".join(crt.command())
    ask = f"""{words} state c | grep '"status"' >> {log}; {words} list | grep -o creating >> {log}; true"""
    for stage in ("createRuntime", "poststart"):
        hook(stage, ask)
    bundle.sleeper().write()
    if command == "create":
        crt.create(bundle, container="c")
        assert '"status": "creating"' in log.read_text() and crt("state", "c").json()["status"] == "created"
        crt("start", "c").ok()
    else:
        crt("run", "--detach", "--bundle", bundle.path, "c").ok()
    assert crt("state", "c").json()["status"] == "running"
    crt("delete", "--force", "c").ok()
    assert [line.strip().rstrip(",") for line in log.read_text().splitlines()] == ['"status": "creating"', "creating", '"status": "running"']


@pytest.mark.skipif(not harness.IS_CRT, reason="what others show meanwhile is their own")
@pytest.mark.parametrize("command", ["start", "run"])
def test_created_until_the_program_runs(bundle, crt, hook, log, command):
    """Also while hooks inside keep it from running; and a second start is refused at any time."""
    os.mkfifo(log.parent / "go")
    (log.parent / "go").chmod(0o666)
    hook("startContainer", f"echo hook >> {log}; read line < {log.parent}/go")
    bundle.script(f"echo program >> {log}; exec sleep 1000").write()
    if command == "start":
        crt.create(bundle, container="c")
    process = crt.start_process(*(["start"] if command == "start" else ["run", "--detach", "--bundle", bundle.path]), "c",
                                stdout=None, stderr=None)
    harness.wait_for(lambda: log.read_text() == "hook\n", what="the hook")
    assert crt("state", "c").json()["status"] == "created"
    (log.parent / "go").write_text("go\n")
    assert process.wait(20) == 0
    harness.wait_for(lambda: log.read_text() == "hook\nprogram\n", what="the program")
    assert crt("state", "c").json()["status"] == "running"
    crt("start", "c").failed("already running")
    crt("delete", "--force", "c").ok()


@pytest.mark.skipif(not harness.IS_CRT, reason="a runtime that is killed")
def test_killed_while_a_hook_hangs_inside(bundle, crt, hook, log):
    """Of run: what is left is no longer created, can be deleted, and can not be started."""
    hook("startContainer", f"echo hook >> {log}; exec sleep 1000")
    process = crt.start_process("run", "--bundle", bundle.sleeper().write().path, "c", stdout=None, stderr=None)
    harness.wait_for(lambda: log.read_text() == "hook\n", what="the hook")
    process.kill()
    process.wait()
    crt("start", "c").failed("cannot start container")
    crt("delete", "--force", "c").ok()
    assert crt.ids() == []


@pytest.mark.skipif(not harness.IS_CRT, reason="its words")
def test_killed_by_somebody_while_a_hook_runs_inside(bundle, crt, hook, log):
    """The error does not guess: only where memory.events counts a kill it is said to have been for want of memory."""
    hook("startContainer", f"echo hook >> {log}; exec sleep 1000")
    process = crt.start_process("run", "--bundle", bundle.sleeper().write().path, "c")
    harness.wait_for(lambda: log.read_text() == "hook\n", what="the hook")
    os.kill(crt("state", "c").json()["pid"], signal.SIGKILL)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 1 and "killed by signal 9" in err and "memory" not in err, err
    assert crt.ids() == []


@pytest.mark.parametrize("stage", ["prestart", "createRuntime"])
def test_pid_in_the_state_is_the_container(bundle, hook, log, stage):
    hook(stage, f"""pid=$(sed 's/.*"pid": *\\([0-9]*\\).*/\\1/' | grep -E '^[0-9]+$' | head -n 1)
        readlink /proc/$pid/ns/net /proc/self/ns/net >> {log}""")
    hook(stage, f"cat > {log}.state")
    bundle.run("true").ok()
    assert json.loads((log.parent / "hooks.log.state").read_text())["pid"] > 1


def names_in(log, stage):
    """The variables that env has written there, without those that the shell itself makes; busybox makes PATH, too."""
    own = {"PWD", "SHLVL", "_", "OLDPWD"} | ({"PATH"} if stage == "startContainer" else set())
    return {line.split("=")[0] for line in log.read_text().splitlines()} - own


@pytest.mark.parametrize("stage", STAGES)
def test_env_is_only_the_hooks_own(bundle, hook, log, stage):
    """CVE-2025-23266: nothing of the process's environment, nothing of the caller's."""
    bundle["process.env"] = ["PATH=/bin", "LD_PRELOAD=/evil.so", "FROM_PROCESS=1"]
    hook(stage, f"/usr/bin/env > {log} 2>/dev/null || /bin/env > {log}", env=["ONLY=this"])
    bundle.run("true", env=os.environ | {"FROM_CALLER": "1"})
    assert names_in(log, stage) == {"ONLY"}


@pytest.mark.parametrize("stage", STAGES)
def test_no_env_means_none(bundle, hook, log, stage):
    hook(stage, f"/usr/bin/env > {log} 2>/dev/null || /bin/env > {log}")
    bundle.run("true", env=os.environ | {"FROM_CALLER": "1"}).ok()
    assert names_in(log, stage) == set()


def test_args_are_the_hooks_own(bundle, hook, log):
    hook("createRuntime", f'echo "$0 $#:$1" > {log}', args=["sh", "-c", f'echo "$0 $#:$1" > {log}', "zero", "one"])
    bundle.run("true").ok()
    assert log.read_text() == "zero 1:one\n"


@harness.only("root", "userns", why="a user shares the host's network namespace")
@pytest.mark.parametrize("stage", ON_THE_HOST)
def test_runs_in_the_hosts_namespaces(bundle, hook, log, stage):
    hook(stage, f"readlink /proc/self/ns/net /proc/self/ns/pid /proc/self/ns/uts > {log}")
    bundle.run("true").ok()
    found = log.read_text().split()
    if stage == "createContainer":  # the container's namespaces, before pivot_root
        assert found[0] != harness.namespace("self", "net")
    else:
        assert found == [harness.namespace("self", kind) for kind in ("net", "pid", "uts")]


def test_create_container_runs_before_pivot(bundle, hook, log):
    """It sees the host's files, in the container's mount namespace, where the rootfs is in place."""
    hook("createContainer", f"readlink /proc/self/ns/mnt > {log}; test -e {bundle.path}/config.json && echo host >> {log};"
                            f"grep -c . /proc/self/mountinfo >> {log}")
    bundle.run("true").ok()
    lines = log.read_text().split("\n")
    assert lines[0] != harness.namespace("self", "mnt") and lines[1] == "host"


def test_start_container_runs_in_the_container(bundle, hook, log):
    (bundle.rootfs / "inside-only").touch()
    hook("startContainer", f"test -e /inside-only && echo inside > {log}; hostname >> {log}; readlink /proc/self/ns/pid >> {log}")
    bundle["hostname"] = "boat"
    bundle.run("true").ok()
    lines = log.read_text().split("\n")
    assert lines[:2] == ["inside", "boat"] and lines[2] != harness.namespace("self", "pid")


@pytest.mark.parametrize("stage", STAGES[:4])
def test_a_hook_that_fails_ends_the_start(bundle, crt, hook, log, stage):
    hook(stage, "echo this is why >&2; exit 7")
    hook("poststop", f"echo poststop >> {log}")
    container = crt.new_id()
    result = bundle.run("touch", log.parent / "process-ran", container=container).failed()
    if harness.IS_CRT:
        result.failed(stage, "this is why", "7")
        assert "hooks." + stage in result.err
    assert not (log.parent / "process-ran").exists()
    assert container not in crt.ids()


def test_later_hooks_do_not_run_after_a_failure(bundle, hook, log):
    hook("createRuntime", "exit 1")
    hook("createRuntime", f"echo late >> {log}")
    hook("createContainer", f"echo later >> {log}")
    bundle.run("true").failed()
    assert "late" not in log.read_text()


def test_a_poststop_hook_that_fails_is_a_warning(bundle, hook, log):
    """The specification: log it, and go on as if it had succeeded."""
    hook("poststop", "echo complaint >&2; exit 7")
    hook("poststop", f"echo next >> {log}")
    result = bundle.run("sh", "-c", "exit 3")
    if harness.IS_CRT:
        assert result.code == 3 and log.read_text() == "next\n" and "complaint" in result.err


def test_a_poststart_hook_that_fails_stops_the_container(bundle, crt, hook, log):
    """The specification since 1.1: generate an error, stop the container, go on with what follows its end."""
    hook("poststart", "echo complaint >&2; exit 7")
    hook("poststop", f"echo poststop >> {log}")
    container = crt.new_id()
    result = bundle.run("sleep", "1000", container=container)
    if harness.IS_CRT:
        result.failed("poststart", "complaint")
        assert container not in crt.ids() and log.read_text() == "poststop\n"


@pytest.mark.skipif(not harness.IS_CRT, reason="what crt promises")
def test_after_a_poststart_hook_that_fails_it_can_be_deleted(bundle, crt, hook, log):
    """When start returns, the container has ended, however long that takes."""
    hook("poststart", f"while ! [ -e {log} ]; do sleep 0.01; done; exit 7")
    bundle.script(f"for i in $(seq 200); do sleep 1000 & done; touch {log}; wait")
    container = crt.create(bundle)
    crt("start", container.id).failed("poststart")
    assert container.status == "stopped"
    crt("delete", container.id).ok()


def test_a_hook_killed_by_a_signal(bundle, hook):
    hook("createRuntime", "kill -9 $$")
    bundle.run("true").failed("SIGKILL|signal 9|[Kk]illed" if harness.IS_CRT else "")


def test_timeout(bundle, crt, hook):
    hook("createRuntime", "sleep 30", timeout=1)
    before = time.monotonic()
    container = crt.new_id()
    bundle.run("true", container=container).failed("time|second" if harness.IS_CRT else "")
    assert time.monotonic() - before < 10
    assert container not in crt.ids()


@pytest.mark.slow
def test_timeout_takes_what_the_hook_started(bundle, hook, log):
    """A child of the hook that holds its stderr neither delays nor outlives it for long."""
    hook("createRuntime", f"(sleep 5; echo survived >> {log}) & sleep 30", timeout=1)
    before = time.monotonic()
    bundle.run("true").failed()
    assert time.monotonic() - before < 4


def test_no_timeout_before_its_time(bundle, hook, log):
    hook("createRuntime", f"sleep 0.3; echo done > {log}", timeout=5)
    bundle.run("true").ok()
    assert log.read_text() == "done\n"


def test_a_talkative_hook(bundle, hook, log):
    """More on stderr than a pipe holds must not block it."""
    hook("createRuntime", f"head -c 300000 /dev/zero | tr '\\0' x >&2; echo done > {log}")
    bundle.run("true").ok()
    assert log.read_text() == "done\n"


def test_a_hook_that_reads_nothing(bundle, hook, log):
    hook("createRuntime", f"exec <&-; sleep 0.05; echo done > {log}")
    bundle.config["annotations"] = {f"key{number}": "x" * 1000 for number in range(200)}
    bundle.run("true").ok()
    assert log.read_text() == "done\n"


def test_a_program_that_is_not_there(bundle, crt):
    bundle.config["hooks"] = {"createRuntime": [{"path": "/no/such/hook"}]}
    container = crt.new_id()
    bundle.run("true", container=container).failed("/no/such/hook")
    assert container not in crt.ids()


def test_hooks_get_no_fds(bundle, hook, log):
    hook("createRuntime", f"ls /proc/$$/fd > {log}")
    bundle.run("true").ok()
    assert {int(name) for name in log.read_text().split()} - {0, 1, 2, 10, 255} == set()


@harness.only("user", why="root needs no user namespace to enter another one")
@pytest.mark.parametrize("stage", ["prestart", "createRuntime"])
def test_hooks_of_a_user_may_use_the_container(bundle, hook, log, stage):
    bundle.namespace("network")
    hook(stage, f"""pid=$(tr ',' '\\n' | sed -n 's/.*"pid": *\\([0-9]*\\).*/\\1/p' | head -n 1)
        readlink /proc/$pid/ns/net > {log}
        nsenter -t $pid --user --preserve-credentials -n ip link set lo mtu 1234""")
    out = bundle.sh("readlink /proc/self/ns/net; ip link show lo")
    assert log.read_text().strip() == out.split()[0] and "mtu 1234" in out


@harness.only("root", "userns", why="a user shares the host's network namespace")
def test_hooks_may_use_the_container(bundle, hook, log):
    """What a network plug-in does: configure the namespace of the pid it is told."""
    hook("createRuntime", f"""pid=$(tr ',' '\\n' | sed -n 's/.*"pid": *\\([0-9]*\\).*/\\1/p' | head -n 1)
        nsenter -t $pid -n ip link add dummy7 type dummy 2> {log} || nsenter -t $pid -n ip link set lo up""", )
    out = bundle.sh("ls /sys/class/net").split()
    assert "lo" in out and ("dummy7" in out or "dummy7" not in os.listdir("/sys/class/net"))


@harness.only("user", why="root's init is never to be looked at")
def test_a_users_init_is_hidden_again_when_it_starts(bundle, crt, hook, log):
    """What begins then may be a program of the image: the startContainer hook first of all."""
    bundle["process.capabilities.bounding"] = bundle["process.capabilities.effective"] = bundle["process.capabilities.permitted"] = [
        "CAP_SYS_PTRACE", "CAP_KILL"]
    hook("startContainer", "ls -l /proc/1/fd /proc/1/root > /result 2>&1; cat /proc/1/environ >> /result 2>&1; true")
    bundle["root.readonly"] = False
    container = crt.create(bundle.sleeper())
    assert os.readlink(f"/proc/{container.pid}/ns/mnt") != os.readlink("/proc/self/ns/mnt")
    container.start()
    result = (bundle.rootfs / "result").read_text()
    assert result.count("denied") >= 2 and "socket:" not in result and "PATH=" not in result, result
    container.end()


@pytest.mark.skipif(not harness.IS_CRT, reason="the words are crt's own")
@pytest.mark.parametrize("stage", STAGES)
def test_what_a_failed_hook_wrote_is_quoted(bundle, crt, hook, stage):
    """Both of its outputs, on one line, and nothing that a terminal would obey; poststop's failure is a warning."""
    hook(stage, "printf 'to stdout\\n\\033[31m'; echo to stderr >&2; exit 3")
    result = bundle.run("true")
    assert result.code == (0 if stage == "poststop" else 1)
    assert "it ended with exit code 3: to stdout  [31mto stderr" in result.err, result.err
    assert re.search(rf"config\.json:\d+:\d+: hooks\.{stage}\[0\]: cannot run the {stage} hook", result.err), result.err
    assert crt.ids() == []


@pytest.mark.skipif(not harness.IS_CRT, reason="the words are crt's own")
def test_the_line_of_a_hook_that_fails_late(bundle, crt, hook):
    """As it was at create, since that is what runs."""
    for stage in ("poststart", "poststop"):
        hook(stage, "true")
        hook(stage, "exit 3")
    container = crt.create(bundle)
    text = bundle.path.joinpath("config.json").read_text()
    bundle.path.joinpath("config.json").unlink()
    for command, stage in ("start", "poststart"), ("delete", "poststop"):
        line, column = re.search(rf"config\.json:(\d+):(\d+): hooks\.{stage}\[1\]: ", crt(command, container.id).err).groups()
        place = text.split("\n", int(line) - 1)[-1][int(column) - 1:]
        assert json.JSONDecoder().raw_decode(place)[0] == bundle.config["hooks"][stage][1]

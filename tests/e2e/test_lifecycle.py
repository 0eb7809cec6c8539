"""create, start, state, kill, delete, run; exit codes, signals, orphans, pid files."""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

import pytest

import harness

pytestmark = harness.EVERYWHERE


# ---- create, start, state, delete -------------------------------------------------------------------------------

def test_the_life_of_a_container(bundle, crt):
    container = crt.create(bundle.sleeper())
    assert container.status == "created"
    container.start()
    assert container.status == "running"
    container.kill("KILL")
    container.wait_stopped()
    container.delete()
    crt("state", container.id).failed(container.id)
    assert crt.ids() == []


def test_state(bundle, crt):
    bundle.config["annotations"] = {"org.example.a": "1", "org.example.b": "ü"}
    container = crt.create(bundle.sleeper())
    state = container.state
    assert state["ociVersion"].startswith("1.") and state["id"] == container.id and state["status"] == "created"
    assert state["bundle"] == str(bundle.path) and state["annotations"] == {"org.example.a": "1", "org.example.b": "ü"}
    assert pathlib.Path(f"/proc/{state['pid']}/ns/pid").exists()
    assert harness.namespace(state["pid"], "pid") != harness.namespace("self", "pid")
    container.end()


def test_create_does_not_run_the_program(bundle, crt):
    container = crt.create(bundle.script("echo ran; touch /ran"))
    time.sleep(0.1)
    assert container.out == "" and not (bundle.rootfs / "ran").exists()
    container.start().wait_stopped()
    assert container.out == "ran\n" and (bundle.rootfs / "ran").exists()
    container.delete()


def test_create_leaves_exactly_one_process(bundle, crt):
    before = set(harness.children_of(os.getpid()))
    container = crt.create(bundle.sleeper())
    now = set(harness.children_of(os.getpid())) - before
    if harness.IS_CRT:
        assert now == {container.pid}
    container.end()


def test_run_detached_leaves_only_the_containers_own_process(bundle, crt):
    before = set(harness.children_of(os.getpid()))
    container = crt.new_id()
    with open(bundle.path / "out", "w") as out:
        bundle.sleeper().write()
        subprocess.run(crt.command("run", "--detach", "--bundle", bundle.path, container), stdout=out, stderr=out, check=True)
    pid = crt.state_of(container)["pid"]
    assert set(harness.children_of(os.getpid())) - before == {pid}
    harness.wait_for(lambda: harness.command_line(pid).startswith("sleep"), what="the shell to become sleep")
    crt("delete", "--force", container).ok()


def test_state_of_a_stopped_container(bundle, crt):
    container = crt.start(bundle.script("exit 3"))
    container.wait_stopped()
    state = container.state
    assert state["status"] == "stopped" and state.get("pid", 0) == 0
    container.delete()


def test_a_zombie_is_stopped(bundle, crt):
    """Its parent has not asked for its exit code yet; the container is over all the same."""
    container = crt.create(bundle.script("exit 3"))
    pid = container.pid
    container.start()
    harness.wait_for(lambda: harness.status(pathlib.Path(f"/proc/{pid}/status").read_text())["State"].startswith("Z"))
    assert container.status == "stopped"
    harness.reap(pid)
    container.delete()


def test_delete_removes_a_stopped_container_only(bundle, crt):
    container = crt.start(bundle.sleeper())
    crt("delete", container.id).failed("running|stopped|force|not stopped" if harness.IS_CRT else "")
    assert container.status == "running"
    container.end()


def test_delete_of_a_created_container(bundle, crt):
    """runc and crun kill its waiting init and remove it; nothing of it stays either way."""
    container = crt.create(bundle.sleeper())
    pid = container.pid
    result = crt("delete", container.id)
    if result.code:
        assert container.status == "created"
        container.end()
    assert harness.wait_for(lambda: harness.reap(pid) or True)
    assert crt.ids() == []


@pytest.mark.parametrize("when", ["created", "running", "stopped"])
def test_force_deletes_from_every_state(bundle, crt, when):
    container = crt.create(bundle.sleeper() if when != "stopped" else bundle.script("true"))
    pid = container.pid
    if when != "created":
        container.start()
    if when == "stopped":
        container.wait_stopped()
    container.end()
    harness.wait_for(lambda: harness.reap(pid) or not pathlib.Path(f"/proc/{pid}").exists(), what="its end")
    assert crt.ids() == []


def test_force_minds_not_if_there_is_none(crt):
    crt("delete", "--force", "never-was").ok()
    crt("delete", "never-was").failed("never-was")


def test_force_kills_everything(bundle, crt):
    container = crt.start(bundle.script("trap '' TERM HUP INT; for i in 1 2 3; do sleep 1000 & done; echo ready; wait"))
    container.wait_for_output("ready")
    pids = [int(pid) for pid in (container.cgroup / "cgroup.procs").read_text().split()]
    assert len(pids) == 4
    container.end()
    for pid in pids:
        assert not pathlib.Path(f"/proc/{pid}").exists() or harness.reap(pid) or \
            harness.status(pathlib.Path(f"/proc/{pid}/status").read_text())["State"].startswith("Z")


@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed (Debian: strace)")
@pytest.mark.parametrize("command", [
    "kill --all", pytest.param("delete --force", marks=harness.only("root", why="without a pid namespace there is no procfs for a user namespace"))])
def test_the_kernel_kills_all_at_once(bundle, crt, tmp_path, command):
    """cgroup.kill, which nobody can outrun; not one process after the other. (A pid namespace ends with its init.)"""
    if command == "delete --force":
        bundle.without_namespace("pid")
    container = crt.start(bundle.script("for i in 1 2 3; do sleep 1000 & done; echo ready; wait"))
    container.wait_for_output("ready")
    words = [*command.split(), container.id, *(["KILL"] if command == "kill --all" else [])]
    trace = tmp_path / "trace"
    crt(command=["strace", "-f", "-qq", "-y", "-o", trace, "-e", "trace=write,kill,pidfd_send_signal", *crt.command(*words)]).ok()
    container.end()
    signals = re.findall("SIGKILL", trace.read_text())
    assert "/cgroup.kill>" in trace.read_text() and len(signals) <= 2, trace.read_text()


def test_delete_twice(bundle, crt):
    container = crt.start(bundle.script("true")).wait_stopped()
    container.delete()
    crt("delete", container.id).failed(container.id)


def test_an_id_can_be_used_again(bundle, crt):
    name = crt.new_id()
    for _ in range(3):
        assert bundle.run("echo", "again", container=name).ok().out == "again\n"


def test_an_id_in_use(bundle, crt):
    container = crt.start(bundle.sleeper())
    crt("create", "--bundle", bundle.path, container.id).failed(container.id)
    assert container.status == "running"
    container.end()


def test_start_twice(bundle, crt):
    container = crt.start(bundle.sleeper())
    crt("start", container.id).failed(container.id if harness.IS_CRT else "")
    assert container.status == "running"
    container.end()


@pytest.mark.parametrize("command", ["start", "state", "kill", "delete"])
def test_commands_on_what_is_not_there(crt, command):
    crt(command, "never-was").failed("never-was")


def test_start_of_a_stopped_container(bundle, crt):
    container = crt.start(bundle.script("true")).wait_stopped()
    crt("start", container.id).failed(container.id if harness.IS_CRT else "")
    container.delete()


def test_start_fails_with_the_programs_error(bundle, crt):
    """The program is looked for when create prepares it, or when start runs it; the error says its name."""
    bundle.config["process"]["args"] = ["/no/such/program"]
    bundle.write()
    name = crt.new_id()
    created = crt("create", "--bundle", bundle.path, name, timeout=20)
    if created.code == 0:
        crt("start", name).failed("/no/such/program")
        crt("delete", "--force", name).ok()
    else:
        created.failed("/no/such/program")
    assert crt.ids() == []


def test_create_reads_the_config_once(bundle, crt):
    """What is changed after create has no effect: the specification says so."""
    container = crt.create(bundle.script("echo first"))
    bundle.script("echo second").write()
    (bundle.path / "config.json").unlink()
    container.start().wait_stopped()
    assert container.out == "first\n"
    container.delete()


def test_two_containers_of_one_bundle(bundle, crt):
    first, second = crt.start(bundle.sleeper()), crt.start(bundle.sleeper())
    assert first.pid != second.pid and crt.ids() == sorted([first.id, second.id])
    first.end()
    assert second.status == "running"
    second.end()


def test_many_at_once(bundle, crt):
    """Started at the same time, one state directory."""
    bundle.script("sleep 0.2; hostname").write()
    names = [crt.new_id() for _ in range(12)]
    started = [crt.start_process("run", "--bundle", bundle.path, name) for name in names]
    for process in started:
        out, err = process.communicate(timeout=30)
        assert process.returncode == 0, err
    assert crt.ids() == []


def test_the_same_id_at_once(bundle, crt):
    """Exactly one of them gets it."""
    bundle.script("sleep 0.5").write()
    name = crt.new_id()
    started = [crt.start_process("run", "--bundle", bundle.path, name) for _ in range(5)]
    codes = []
    for process in started:
        process.communicate(timeout=30)
        codes.append(process.returncode)
    assert sorted(codes)[0] == 0 and sum(code == 0 for code in codes) == 1
    assert crt.ids() == []


@pytest.mark.parametrize("name", ["a", "A.b_c-d+e", "0", "x" * 200])
def test_good_ids(bundle, name):
    bundle.run("true", container=name).ok()


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../up", "a b", "a\nb", "ü", "x" * 1025, "a:b"])
def test_bad_ids(bundle, crt, tmp_path, name):
    bundle.run("true", container=name or " ").failed()
    assert crt.ids() == [] and not (tmp_path / "up").exists()


def test_state_directory_is_private(bundle, crt):
    container = crt.start(bundle.sleeper())
    assert (crt.state / container.id).stat().st_mode & 0o077 == 0
    container.end()


def test_the_config_is_not_changed(bundle):
    bundle.run("true").ok()
    before = (bundle.path / "config.json").read_bytes()
    bundle.run("true").ok()
    assert (bundle.path / "config.json").read_bytes() == before
    assert sorted(path.name for path in bundle.path.iterdir()) == ["config.json", "rootfs"]


# ---- Exit codes and signals -------------------------------------------------------------------------------------

@pytest.mark.parametrize("code", [0, 1, 2, 42, 127, 255])
def test_exit_code(bundle, code):
    assert bundle.run("sh", "-c", f"exit {code}").code == code


def test_exit_code_of_a_signal(bundle, crt):
    """128 + n: what a shell would say."""
    container = crt.new_id()
    process = crt.start_process("run", "--bundle", bundle.script("echo ready; exec sleep 1000").write().path, container)
    assert process.stdout.readline() == "ready\n"
    crt("kill", container, "KILL").ok()
    process.communicate(timeout=10)
    assert process.returncode == 128 + signal.SIGKILL


@harness.only("root", why="without a pid namespace there is no procfs for a user namespace")
@pytest.mark.parametrize("name", ["TERM", "SEGV", "ABRT", "USR1"])
def test_exit_code_of_a_signal_without_a_pid_namespace(bundle, crt, name):
    """Where the process is not the init of a namespace, every signal reaches it."""
    bundle.without_namespace("pid")
    container = crt.new_id()
    process = crt.start_process("run", "--bundle", bundle.script("echo ready; exec sleep 1000").write().path, container)
    assert process.stdout.readline() == "ready\n"
    crt("kill", container, name).ok()
    process.communicate(timeout=10)
    assert process.returncode == 128 + getattr(signal, f"SIG{name}")


def test_exit_code_of_a_child_killed_inside(bundle):
    assert bundle.run("sh", "-c", "sh -c 'kill -SEGV $$'; exit $?").code == 128 + signal.SIGSEGV


TRAP = "for s in HUP INT QUIT USR1 USR2 TERM CONT WINCH; do trap \"echo got $s\" $s; done; echo ready; while :; do sleep 0.02; done"


@pytest.mark.parametrize("spelling, name", [("HUP", "HUP"), ("SIGUSR1", "USR1"), ("12", "USR2"), ("sigterm", "TERM"), ("int", "INT"),
                                            ("28", "WINCH"), ("SIGQUIT", "QUIT")])
def test_kill(bundle, crt, spelling, name):
    container = crt.start(bundle.script(TRAP))
    container.wait_for_output("ready")
    container.kill(spelling)
    container.wait_for_output(f"got {name}")
    container.end()


def test_kill_without_a_signal_is_term(bundle, crt):
    container = crt.start(bundle.script(TRAP))
    container.wait_for_output("ready")
    container.kill()
    container.wait_for_output("got TERM")
    container.end()


@pytest.mark.parametrize("name", ["NOPE", "0x9", "-1", "999", "", "SIG", "65"])
def test_kill_with_no_such_signal(bundle, crt, name):
    container = crt.start(bundle.sleeper())
    crt("kill", container.id, name).failed()
    assert container.status == "running"
    container.end()


def test_realtime_signals(bundle, crt):
    container = crt.start(bundle.script("trap 'echo got it' 37; echo ready; while :; do sleep 0.02; done"))
    container.wait_for_output("ready")
    container.kill("37")
    container.wait_for_output("got it")
    container.end()


def test_kill_a_created_container(bundle, crt):
    container = crt.create(bundle.sleeper())
    container.kill("KILL")
    container.wait_stopped()
    container.delete()


def test_kill_a_stopped_container(bundle, crt):
    container = crt.start(bundle.script("true")).wait_stopped()
    crt("kill", container.id, "KILL").failed()
    container.delete()


def test_kill_all(bundle, crt):
    container = crt.start(bundle.script("trap 'echo init got it' USR1; sh -c \"trap 'echo child got it' USR1; echo child ready;"
                                        "while :; do sleep 0.02; done\" & echo ready; while :; do sleep 0.02; done"))
    container.wait_for_output("child ready")
    container.wait_for_output("\nready" if "\nready" in container.out else "ready")
    crt("kill", "--all", container.id, "USR1").ok()
    container.wait_for_output("init got it")
    container.wait_for_output("child got it")
    container.end()


def test_kill_reaches_only_init(bundle, crt):
    container = crt.start(bundle.script("trap 'echo init got it' USR1; sh -c \"trap 'echo child got it' USR1; echo child ready;"
                                        "while :; do sleep 0.02; done\" & while :; do sleep 0.02; done"))
    container.wait_for_output("child ready")
    container.kill("USR1")
    container.wait_for_output("init got it")
    time.sleep(0.1)
    assert "child got it" not in container.out
    container.end()


@pytest.mark.parametrize("name", ["TERM", "INT", "HUP", "USR1", "USR2", "QUIT", "WINCH"])
def test_run_forwards_signals(bundle, crt, name):
    bundle.script(TRAP.replace("done; echo ready", "done; trap 'echo got TERM; exit 5' TERM; echo ready"))
    bundle.write()
    container = crt.new_id()
    process = crt.start_process("run", "--bundle", bundle.path, container)
    assert process.stdout.readline() == "ready\n"
    process.send_signal(getattr(signal, f"SIG{name}"))
    assert process.stdout.readline() == f"got {name}\n"
    if name != "TERM":
        process.send_signal(signal.SIGTERM)
    process.communicate(timeout=10)
    assert process.returncode == 5


def test_run_that_is_killed_leaves_a_container_that_can_be_deleted(bundle, crt):
    container = crt.new_id()
    bundle.sleeper().write()
    process = crt.start_process("run", "--bundle", bundle.path, container, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    harness.wait_for(lambda: container in crt.ids() and crt("state", container).code == 0
                     and crt.state_of(container)["status"] == "running", what="running")
    process.kill()
    process.wait()
    crt("delete", "--force", container).ok()
    assert crt.ids() == []


@pytest.mark.parametrize("moment", range(0, 12, 2))
def test_create_killed_at_any_moment(bundle, crt, moment):
    """Whatever is there then, delete --force removes it."""
    container = crt.new_id()
    bundle.sleeper().write()
    process = crt.start_process("create", "--bundle", bundle.path, container, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(moment / 2000)
    process.kill()
    process.wait()
    crt("delete", "--force", container).ok()
    assert crt.ids() == []


def test_orphans_are_reaped(bundle):
    """crt run is their reaper where the container shares the host's pid namespace; its own init is otherwise."""
    out = bundle.sh("probe orphans 5; sleep 0.1; grep -l '^State:.Z' /proc/[0-9]*/status 2>/dev/null | wc -l")
    assert int(out) <= 5  # sh as init reaps them when it next waits


@harness.only("root", why="without a pid namespace there is no procfs for a user namespace")
def test_orphans_without_a_pid_namespace(bundle, crt):
    bundle.without_namespace("pid")
    result = bundle.run("probe", "orphans", "5").ok()
    assert result.out == ""


@harness.only("root", why="without a pid namespace there is no procfs for a user namespace")
@pytest.mark.parametrize("options", [[], ["--no-subreaper"]], ids=["run", "no-subreaper"])
def test_who_gets_the_orphans(bundle, crt, options):
    """crt run, or who gets crt's own: these tests."""
    bundle.without_namespace("pid")
    orphan = "while [ -e /proc/$$ ]; do sleep 0.02; done; read -r _ _ _ parent _ </proc/self/stat; echo $parent >/tmp/parent"
    bundle.script(f"sh -c '({orphan}) &'; while [ ! -s /tmp/parent ]; do sleep 0.02; done; cat /tmp/parent").write()
    process = crt.start_process("run", *options, "--bundle", bundle.path, crt.new_id())
    out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (0, "")
    assert int(out) == (os.getpid() if options else process.pid)


def test_everything_ends_with_init(bundle):
    before = time.monotonic()
    bundle.sh("sleep 1000 & true")
    assert time.monotonic() - before < 5


@harness.only("root", why="without a pid namespace there is no procfs for a user namespace")
def test_children_without_a_pid_namespace_end_too(bundle, crt):
    bundle.without_namespace("pid")
    result = bundle.run("sh", "-c", "sleep 1000 >/dev/null 2>&1 & true").ok()
    assert result.code == 0


# ---- Files and options ------------------------------------------------------------------------------------------

def test_pid_file(bundle, crt, tmp_path):
    container = crt.create(bundle.sleeper(), "--pid-file", tmp_path / "pid")
    assert (tmp_path / "pid").read_text() == str(container.pid)
    container.end()


def test_pid_file_of_run(bundle, tmp_path):
    bundle.bind(tmp_path, "/host")
    assert bundle.sh("cat /host/pid", options=["--pid-file", tmp_path / "pid"]).strip().isdigit()


def test_pid_file_that_cannot_be_written(bundle, crt):
    bundle.run("true", options=["--pid-file", "/no/such/folder/pid"]).failed("/no/such/folder")
    assert crt.ids() == []


def test_pid_file_is_replaced(bundle, crt, tmp_path):
    (tmp_path / "pid").write_text("some longer text than a pid")
    container = crt.create(bundle.sleeper(), "--pid-file", tmp_path / "pid")
    assert (tmp_path / "pid").read_text() == str(container.pid)
    container.end()


def test_keep(bundle, crt):
    name = crt.new_id()
    bundle.run("true", container=name, options=["--keep"]).ok()
    assert crt.state_of(name)["status"] == "stopped"
    crt("delete", name).ok()


def test_config_elsewhere(bundle, tmp_path):
    bundle.script("echo from elsewhere").write()
    (bundle.path / "config.json").rename(tmp_path / "other.json")
    result = bundle.crt("run", "--config", tmp_path / "other.json", "--bundle", bundle.path, bundle.crt.new_id())
    assert result.ok().out == "from elsewhere\n"


def test_bundle_is_the_working_directory(bundle):
    bundle.script("echo here").write()
    assert bundle.crt("run", bundle.crt.new_id(), cwd=bundle.path).ok().out == "here\n"


def test_relative_bundle(bundle):
    bundle.script("echo here").write()
    assert bundle.crt("run", "--bundle", "bundle", bundle.crt.new_id(), cwd=bundle.path.parent).ok().out == "here\n"


def test_state_has_an_absolute_bundle(bundle, crt):
    bundle.sleeper().write()
    name = crt.new_id()
    with open(bundle.path / "out", "w") as out:
        subprocess.run(crt.command("create", "--bundle", "bundle", name), cwd=bundle.path.parent, check=True, stdout=out, stderr=out)
    assert crt.state_of(name)["bundle"] == str(bundle.path)
    crt("delete", "--force", name).ok()


# ---- list -------------------------------------------------------------------------------------------------------

def test_list(bundle, crt):
    first, second = crt.create(bundle.sleeper()), crt.start(bundle.sleeper())
    table = crt("list").ok().out.splitlines()
    assert table[0].split()[:4] == ["ID", "PID", "STATUS", "BUNDLE"]
    rows = {line.split()[0]: line.split()[1:4] for line in table[1:]}
    assert rows == {first.id: [str(first.pid), "created", str(bundle.path)], second.id: [str(second.pid), "running", str(bundle.path)]}
    first.end()
    second.end()


def test_list_quiet(bundle, crt):
    container = crt.create(bundle.sleeper())
    assert crt("list", "-q").ok().out == f"{container.id}\n"
    assert crt("list", "--quiet").ok().out == f"{container.id}\n"
    container.end()


@harness.only("root", "userns", why="it expects root as the owner")
def test_list_json(bundle, crt):
    container = crt.start(bundle.sleeper())
    entry, = json.loads(crt("list", "--format", "json").ok().out)
    assert (entry["id"], entry["pid"], entry["status"], entry["bundle"]) == (container.id, container.pid, "running", str(bundle.path))
    if harness.IS_CRT:
        assert re.match(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d", entry["created"]) and entry["owner"] == "root"
    container.end()


def test_list_of_nothing(crt):
    assert crt("list", "-q").ok().out == ""
    assert json.loads(crt("list", "--format", "json").ok().out or "[]") in ([], None)
    if harness.IS_CRT:
        assert not crt.state.exists()


def test_list_does_not_mind_what_is_not_a_container(bundle, crt):
    container = crt.create(bundle.sleeper())
    (crt.state / "not-a-container").mkdir()
    (crt.state / "a-file").touch()
    assert container.id in crt("list", "-q").ok().out.split()
    container.end()
    (crt.state / "not-a-container").rmdir()
    (crt.state / "a-file").unlink()


# ---- Failures leave nothing: the leak fixture looks for the rest --------------------------------------------------

@pytest.mark.parametrize("break_it", [
    pytest.param(lambda b: b.bind("/no/such/source", "/data"), id="mount"),
    pytest.param(lambda b: b.config["process"].update(args=["/no/such/program"]), id="program"),
    pytest.param(lambda b: b.config["process"].update(cwd="/etc/passwd"), id="cwd"),
    pytest.param(lambda b: b.config["linux"].update(sysctl={"net.ipv4.no_such": "1"}), id="sysctl"),
    pytest.param(lambda b: b.config.update(hooks={"createContainer": [{"path": "/bin/false"}]}), id="createContainer"),
    pytest.param(lambda b: b.config.update(hooks={"startContainer": [{"path": "/bin/false"}]}), id="startContainer"),
    pytest.param(lambda b: b.namespace("network", "/no/such/netns"), id="namespace"),
    pytest.param(lambda b: b.config["root"].update(path="no-rootfs"), id="rootfs"),
    pytest.param(lambda b: b.config["process"].update(apparmorProfile="no-such-profile"), id="apparmor"),
])
@pytest.mark.parametrize("command", ["run", "create"])
def test_a_failure_is_undone(bundle, crt, break_it, command):
    break_it(bundle)
    bundle.write()
    name = crt.new_id()
    result = crt(command, "--bundle", bundle.path, name, timeout=20)
    if command == "create" and result.code == 0:  # noticed when the program starts
        crt("start", name).failed()
        crt("delete", "--force", name).ok()
    else:
        result.failed()
        assert result.err.strip()
    assert crt.ids() == []


# ---- --timing ----------------------------------------------------------------------------------------------------

@pytest.mark.skipif(not harness.IS_CRT, reason="an option of crt's own")
@pytest.mark.parametrize("verb", ["run", "create", "exec"])
def test_timing(bundle, crt, verb):
    """A table of who did what when; in order, and with the steps of both processes."""
    container = crt.start(bundle.sleeper()) if verb == "exec" else None
    name = container.id if container else crt.new_id()
    arguments = [name, "true"] if container else ["--bundle", bundle.script("exit 0").write().path, name]
    with open(bundle.path / "out", "w+") as out:
        done = subprocess.run(crt.command(verb, "--timing", *arguments), stdin=subprocess.DEVNULL, stdout=out,
                              stderr=subprocess.STDOUT, timeout=30)
        out.seek(0)
        head, *lines = out.read().splitlines()
    crt("delete", "--force", name)
    assert done.returncode == 0 and head.split() == ["ms", "took", "who", "did"], head
    steps = [re.fullmatch(r" *(\d+\.\d+) +(\d+\.\d+)  (crt|init) +(\S.*)", line).groups() for line in lines]
    times = [float(step[0]) for step in steps]
    assert times == sorted(times) and 0 < times[-1] < 30000
    assert {step[2] for step in steps} == {"crt", "init"}
    assert any("find program" in step[3] for step in steps)

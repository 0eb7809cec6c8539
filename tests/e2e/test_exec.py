"""exec: another process in a running container - where it is, what it may do, what it leaves behind."""
import json
import os
import pathlib
import re
import signal
import subprocess
import time

import pytest

import harness

pytestmark = harness.EVERYWHERE


@pytest.fixture
def container(bundle, crt):
    container = crt.start(bundle.sleeper())
    yield container
    container.end()


def execute(container, *words, options=(), **more):
    return container.crt("exec", *options, container.id, *words, **more)


def sh(container, script, *options):
    result = execute(container, "/bin/sh", "-c", script, options=options).ok()
    assert result.err == "", result.err
    return result.out


def wait_for_sleep(container):
    """The pid of the `sleep 1000` that exec has started, once it is that."""
    def second():
        pids = map(int, container.cgroup.joinpath("cgroup.procs").read_text().split())
        return [pid for pid in pids if pid != container.pid and harness.command_line(pid) == "sleep 1000"]
    return harness.wait_for(second, what="a second process in the cgroup")[0]


def test_output_input_and_exit_code(container):
    result = execute(container, "/bin/sh", "-c", "cat; echo err >&2; exit 7", input="words\n")
    assert (result.code, result.out, result.err) == (7, "words\n", "err\n")


def test_killed_by_a_signal(container):
    assert execute(container, "/bin/sh", "-c", "kill -TERM $$").code == 128 + signal.SIGTERM


def test_all_namespaces_are_the_containers(container):
    kinds = ["cgroup", "ipc", "mnt", "net", "pid", "uts"]
    inside = sh(container, "for n in " + " ".join(kinds) + "; do readlink /proc/self/ns/$n; done").split()
    assert inside == [harness.namespace(container.pid, kind) for kind in kinds]


def test_a_process_of_its_own(container):
    out = sh(container, "echo $$; cat /proc/self/stat")
    pid, stat = out.split("\n", 1)
    assert int(pid) > 1
    session = int(stat.rsplit(")", 1)[1].split()[3])
    assert session == int(pid), "a session of its own: no way to the caller's terminal"


def test_root_and_working_directory(container, bundle):
    assert sh(container, "pwd; ls /bin/busybox") == "/\n/bin/busybox\n"
    assert sh(container, "pwd", "--cwd", "/tmp") == "/tmp\n"
    bad = execute(container, "true", options=["--cwd", "tmp"])
    bad.failed("absolute")


def test_cwd_through_an_fd_of_the_host(container):
    """CVE-2024-21626"""
    for fd in range(3, 20):
        result = execute(container, "pwd", options=["--cwd", f"/proc/self/fd/{fd}"])
        result.failed()


def test_environment(container, tmp_path):
    environment = dict(line.split("=", 1) for line in sh(container, "env", "-e", "A=1", "--env", "TERM=dumb", "-e", "E=").splitlines())
    assert environment["A"] == "1" and environment["TERM"] == "dumb" and environment["E"] == ""
    assert environment["PATH"].startswith("/usr/local/sbin") and environment["HOME"] == "/root"
    assert "XDG_RUNTIME_DIR" not in environment, "nothing of the caller's"
    (tmp_path / "env").write_text("# a comment\nONE=1\nTWO=2 words\n\nFROM_HERE\nNOT_HERE_AT_ALL\n")
    result = execute(container, "env", options=["--env-file", tmp_path / "env"], env={**os.environ, "FROM_HERE": "yes"}).ok()
    assert {"ONE=1", "TWO=2 words", "FROM_HERE=yes"} <= set(result.out.splitlines())
    assert "NOT_HERE" not in result.out


@pytest.mark.parametrize("user, uid, gid", [("1000", 1000, 0), ("1000:7", 1000, 7), ("0:5", 0, 5), ("user", 1000, 1000),
                                            ("root", 0, 0), ("user:root", 1000, 0), ("12:user", 12, 1000)])
def test_user(container, user, uid, gid):
    out = sh(container, "id -u; id -g; grep Groups /proc/self/status", "--user", user)
    lines = out.splitlines()
    assert (int(lines[0]), int(lines[1])) == (uid, gid)
    assert lines[2].split() == ["Groups:"], "none of the caller's groups (CVE-2022-36109)"


@pytest.mark.parametrize("user", ["", ":1", "1:", "-1", "+1", "4294967295", "4294967296", "1:4294967295", "1:-1", "nobody-here", "0x1"])
def test_user_that_is_none(container, user):
    """CVE-2026-30892, CVE-2024-40635: never 0 by accident."""
    result = execute(container, "id", options=["--user", user])
    result.failed()
    assert "uid=" not in result.out


def test_a_user_named_like_a_number(container, bundle):
    """CVE-2016-3697"""
    passwd = bundle.rootfs / "etc/passwd"
    text = passwd.read_text()
    passwd.unlink()
    passwd.write_text(text + "4242:x:0:0::/root:/bin/sh\n")
    assert sh(container, "id -u", "--user", "4242") == "4242\n"


def test_additional_groups(container):
    out = sh(container, "grep Groups /proc/self/status", "-g", "10", "--additional-gids", "20")
    assert out.split() == ["Groups:", "10", "20"]


def test_home_follows_the_user(container):
    assert sh(container, "echo $HOME", "--user", "user") == "/home\n"


def test_capabilities(container, bundle):
    init = harness.status(container.proc("status"))
    mine = harness.status(sh(container, "cat /proc/self/status"))
    for key in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp"):
        assert mine[key] == init[key], key


def test_added_capability_is_never_inheritable(container):
    """CVE-2022-29162"""
    mine = harness.status(sh(container, "cat /proc/self/status", "--cap", "CAP_NET_RAW"))
    assert int(mine["CapEff"], 16) & (1 << 13) and int(mine["CapBnd"], 16) & (1 << 13)
    assert int(mine["CapInh"], 16) == 0 and int(mine["CapAmb"], 16) == 0
    execute(container, "true", options=["--cap", "CAP_NO_SUCH"]).failed("CAP_NO_SUCH")


def test_no_new_privileges(bundle, crt):
    bundle["process.noNewPrivileges"] = False
    container = crt.start(bundle.sleeper())
    assert harness.status(sh(container, "cat /proc/self/status"))["NoNewPrivs"] == "0"
    assert harness.status(sh(container, "cat /proc/self/status", "--no-new-privs"))["NoNewPrivs"] == "1"
    container.end()


def test_the_containers_filter_applies(bundle, crt):
    bundle["linux.seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW",
                               "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 13}]}
    container = crt.start(bundle.sleeper())
    execute(container, "mkdir", "/tmp/x").failed("Permission denied")
    assert harness.status(sh(container, "cat /proc/self/status"))["Seccomp"] == "2"
    container.end()


@pytest.mark.parametrize("options, of_its_own", [([], True), (["--no-new-keyring"], False)])
def test_session_keyring(bundle, crt, options, of_its_own):
    """As create was told."""
    container = crt.start(bundle.sleeper(), *options)
    assert (container.id in execute(container, "probe", "keyring").ok().out) == of_its_own
    container.end()


def test_rlimits(bundle, crt):
    bundle["process.rlimits"] = [{"type": "RLIMIT_NOFILE", "soft": 100, "hard": 200}]
    container = crt.start(bundle.sleeper())
    assert sh(container, "ulimit -Sn; ulimit -Hn") == "100\n200\n"
    container.end()


def test_it_is_in_the_containers_cgroup(container):
    process = container.crt.start_process("exec", container.id, "sleep", "1000")
    pid = wait_for_sleep(container)
    assert harness.cgroup_of(pid) == container.cgroup
    os.kill(pid, signal.SIGKILL)
    assert process.wait(10) == 137
    process.communicate()


def test_a_cgroup_below_the_containers(container):
    container.cgroup.joinpath("inner").mkdir()
    assert sh(container, "cat /proc/self/cgroup", "--cgroup", "inner").splitlines()[-1] == "0::/inner"


def test_no_way_to_another_cgroup(container, bundle, crt):
    """A prefix is no fence: ../id-and-more"""
    other = container.cgroup.with_name(container.id + "x")
    other.mkdir()
    try:
        for path in (f"../{other.name}", "..", "/../..", f"inner/../../{other.name}"):
            execute(container, "true", options=["--cgroup", path]).failed()
    finally:
        other.rmdir()


def test_no_fd_of_the_host(container):
    fds = sh(container, "for fd in /proc/self/fd/*; do readlink $fd || :; done")
    assert not re.search(r"/sys/fs/cgroup|state|\.crt|anon_inode|socket", fds), fds


def test_preserved_fds(container):
    command = container.crt.command("exec", "--preserve-fds", "1", container.id, "/bin/sh", "-c", "echo passed on >&3")
    done = subprocess.run(["sh", "-c", 'exec 3>&1 >/dev/null; exec "$@"', "sh", *command], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout) == (0, "passed on\n"), done.stderr


def test_no_mount_is_made(container):
    before = pathlib.Path("/proc/self/mountinfo").read_text(), container.proc("mountinfo")
    execute(container, "true").ok()
    execute(container, "true", options=["--tty"]).ok()
    assert (pathlib.Path("/proc/self/mountinfo").read_text(), container.proc("mountinfo")) == before


def test_detached(container, tmp_path):
    pid_file = tmp_path / "pid"
    execute(container, "sleep", "1000", options=["--detach", "--pid-file", pid_file]).ok()
    pid = int(pid_file.read_text())
    assert harness.namespace(pid, "pid") == harness.namespace(container.pid, "pid")
    assert pathlib.Path(f"/proc/{pid}/cmdline").read_bytes() == b"sleep\x001000\0"
    os.kill(pid, signal.SIGKILL)
    harness.wait_for(lambda: harness.reap(pid), what="its end")


def test_process_document(container, tmp_path):
    process = {"args": ["/bin/sh", "-c", "id -u; pwd; echo $X"], "cwd": "/tmp", "env": ["X=y", "PATH=/bin"], "user": {"uid": 5, "gid": 6}}
    (tmp_path / "process.json").write_text(json.dumps(process))
    assert execute(container, options=["--process", tmp_path / "process.json"]).ok().out == "5\n/tmp\ny\n"
    process["cwd"] = "relative"
    (tmp_path / "process.json").write_text(json.dumps(process, indent=1))
    execute(container, options=["-p", tmp_path / "process.json"]).failed("process.json:[0-9]+:[0-9]+: cwd")


def test_the_document_of_create_counts(bundle, crt):
    """Any updates to config.json after create must not affect the container."""
    container = crt.start(bundle.sleeper())
    (bundle.path / "config.json").write_text("{}")
    assert sh(container, "echo $TERM") == "xterm\n"
    container.end()


def test_terminal(container):
    out = execute(container, "/bin/sh", "-c", "tty; test -t 0 && echo yes", options=["-t"]).ok().out
    assert re.match(r"/dev/pts/\d+\s+yes", out)


@harness.only("root", "userns", why="it maps ids that are not the caller's")
def test_in_a_user_namespace(bundle, crt):
    bundle.user_namespace()
    container = crt.start(bundle.sleeper())
    out = sh(container, "id -u; cat /proc/self/uid_map; readlink /proc/self/ns/user")
    lines = out.splitlines()
    assert lines[0] == "0" and lines[1].split() == ["0", "100000", "65536"]
    assert lines[2] == harness.namespace(container.pid, "user")
    assert sh(container, "id -u", "--user", "77") == "77\n"
    container.end()


@harness.only("root", why="without a pid namespace there is no procfs for a user namespace")
def test_in_the_hosts_pid_namespace(bundle, crt):
    bundle.without_namespace("pid")
    container = crt.start(bundle.sleeper())
    assert sh(container, "readlink /proc/self/ns/pid").strip() == harness.namespace("self", "pid")
    container.end()


@harness.only("root", why="without a pid namespace there is no procfs for a user namespace")
def test_the_callers_memory_is_out_of_reach(bundle, crt):
    """
    The process on the way is in the container's user namespace already, and its memory is crt's: a root there who sees it,
    and may trace all that is his, must not get at that. (The moment in which it ends is too short to be hit here.)
    """
    bundle.without_namespace("pid")
    bundle.user_namespace()
    bundle.all_capabilities("CAP_SYS_PTRACE")
    bundle.config["mounts"] = [mount for mount in bundle.config["mounts"] if mount["destination"] != "/proc"]
    bundle.mount("/proc", "bind", "/proc", ["rbind"])
    bundle["linux.maskedPaths"] = bundle["linux.readonlyPaths"] = []
    container = crt.start(bundle.script("exec probe reach"))
    for _ in range(100):
        execute(container, "sleep", "1000", options=["--detach"]).ok()
    assert set(container.out.split()) == {"sleep"}, "it sees who has arrived, and nobody else"
    container.end()


def test_in_a_time_namespace(bundle, crt):
    """Which refuses a process that has its memory in common with another one."""
    bundle.namespace("time")
    bundle["linux.timeOffsets"] = {"boottime": {"secs": 86400000}}
    container = crt.start(bundle.sleeper())
    inode, uptime = sh(container, "readlink /proc/self/ns/time; cat /proc/uptime").splitlines()
    assert inode == harness.namespace(container.pid, "time") != harness.namespace("self", "time")
    assert float(uptime.split()[0]) > 86400000
    container.end()


def test_the_caller_stays_the_users_own(container):
    """On the way it is out of reach; who waits outside is not, or its user could not look at it."""
    process = container.crt.start_process("exec", container.id, "sleep", "1000")
    wait_for_sleep(container)
    assert os.stat(f"/proc/{process.pid}/fd").st_uid == os.geteuid()
    container.kill("KILL")
    assert process.wait(10) == 137
    process.communicate()


def test_in_a_created_container(bundle, crt):
    container = crt.create(bundle.sleeper())
    assert sh(container, "echo here") == "here\n"
    assert container.status == "created"
    container.end()


def test_a_stopped_container(bundle, crt):
    container = crt.start(bundle.script("true"))
    container.wait_stopped()
    execute(container, "true").failed("stopped")
    container.delete()
    execute(container, "true").failed("does not exist", code=1)


@pytest.mark.parametrize("words, code, text", [(["no-such-program"], 127, r"not found in \$PATH"), (["/no/such"], 127, "no such file or directory"),
                                               (["/etc/passwd"], 126, "permission denied"), ([], 1, "no program")])
def test_a_program_that_cannot_be_run(container, words, code, text):
    result = execute(container, *words)
    result.failed(text, code=code)
    assert "config.json" not in result.err, "the document has nothing to do with it"


def test_options_end_at_the_id(container):
    assert execute(container, "echo", "--user", "-t").ok().out == "--user -t\n"
    assert execute(container, "--", "echo", "x").ok().out == "x\n"


def test_signals_are_passed_on(container):
    process = container.crt.start_process("exec", container.id, "/bin/sh", "-c", "trap 'exit 9' TERM; echo ready; while :; do sleep 0.05; done")
    assert process.stdout.readline() == "ready\n"
    process.terminate()
    assert process.wait(10) == 9
    process.communicate()


def test_many_at_once(container):
    processes = [container.crt.start_process("exec", container.id, "/bin/sh", "-c", f"echo {n}") for n in range(20)]
    assert [p.communicate(timeout=30)[0] for p in processes] == [f"{n}\n" for n in range(20)]
    assert all(p.returncode == 0 for p in processes)


def test_killed_with_its_container(container):
    process = container.crt.start_process("exec", container.id, "sleep", "1000")
    wait_for_sleep(container)
    container.kill("KILL")
    assert process.wait(10) == 137
    process.communicate()


@harness.only("root", why="it is pytest that must not reap, and not a namespace's init")
def test_in_a_container_that_is_about_to_end(bundle, crt, tmp_path):
    """Its init waits for a process whose parent, that is us, does not look after it; the kernel says ENOMEM."""
    container = crt.start(bundle.sleeper())
    execute(container, "sleep", "1000", options=["--detach", "--pid-file", tmp_path / "pid"]).ok()
    container.kill("KILL")
    child = int((tmp_path / "pid").read_text())
    harness.wait_for(lambda: harness.status(pathlib.Path(f"/proc/{child}/status").read_text())["State"].startswith("Z"))
    execute(container, "true").failed(f'cannot exec in container "{container.id}", which is stopped', code=1)
    os.waitpid(child, 0)
    container.end()


def test_out_of_reach_while_it_enters(bundle, crt, tmp_path):
    """CVE-2016-9962, CVE-2026-46333: a root with every capability sees no fd of the host in who comes in."""
    bundle.all_capabilities("CAP_SYS_PTRACE", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH")
    bundle.script("while :; do for p in /proc/[0-9]*; do [ $p = /proc/1 ] || ls -l $p/fd 2>/dev/null | grep -E 'cgroup|state|/tmp/|crt'; done; done")
    container = crt.start(bundle)
    for _ in range(30):
        execute(container, "true").ok()
    out = [line for line in container.out.splitlines() if "/1 ->" not in line and "/2 ->" not in line]
    assert not [line for line in out if not re.search(r" [012] -> ", line)], out[:5]
    container.end()


# ---- In a container that manages its own cgroup -----------------------------------------------------------------

@pytest.fixture
def managing(bundle, crt):
    """
    As systemd does: init is in a cgroup below, and the container's own hands controllers down, so that nobody can be in it.
    Not controllers of threads, which do not keep processes out of a cgroup.
    """
    bundle.without_mount("/sys/fs/cgroup")
    bundle.mount("/sys/fs/cgroup", "cgroup", options=["nosuid"])
    bundle.namespace("cgroup")
    container = crt.start(bundle.script("cd /sys/fs/cgroup && mkdir init && echo 1 >init/cgroup.procs && "
                                        "for c in memory io hugetlb rdma misc; do grep -qw $c cgroup.controllers || continue; "
                                        "echo +$c >cgroup.subtree_control; break; done && echo moved; exec sleep 1000"))
    container.wait_for_output("moved")
    yield container
    container.end()


def test_it_goes_where_init_is(managing, crt):
    if not (managing.cgroup.parent / "cgroup.subtree_control").read_text().strip():
        pytest.skip("no controller is on cgroup v2 here (run in the virtual machine)")
    assert managing.cgroup.name == "init"
    assert crt("exec", managing.id, "tail", "-n", "1", "/proc/self/cgroup").ok().out == "0::/init\n"
    crt("exec", "--cgroup", "/", managing.id, "true").failed("Device or resource busy", "hands controllers down")


@harness.only("root", why="it makes a cgroup at the top")
def test_it_does_not_follow_init_out_of_the_container(managing, crt):
    """Somebody else has moved it elsewhere: that is no place for more of the container's processes."""
    outside = harness.CGROUP / f"{harness.TOKEN}-outside"
    own = managing.cgroup.parent
    if not (own / "cgroup.subtree_control").read_text().strip():
        pytest.skip("no controller is on cgroup v2 here (run in the virtual machine)")
    outside.mkdir()
    try:
        (outside / "cgroup.procs").write_text(str(managing.pid))
        crt("exec", managing.id, "true").failed("Device or resource busy")
    finally:
        (own / "init/cgroup.procs").write_text(str(managing.pid))
        harness.wait_for(lambda: "populated 0" in (outside / "cgroup.events").read_text(), what="an empty cgroup")
        outside.rmdir()

"""
Attacks on crt itself: on what it hands out of the host, on its state, its hooks and its life cycle. The known
attacks on the root file system, /proc, /dev and the runtime's file are in test_attack.py.
"""
import concurrent.futures
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import time

import pytest

import harness

needs_strace = pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed (Debian: strace)")


def background(*command, **options):
    return subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL, **options)


def run_within(seconds, crt, *args):
    """The command must come to its end in this time."""
    try:
        return crt(*args, timeout=seconds)
    except subprocess.TimeoutExpired:
        pytest.fail(f"crt {' '.join(map(str, args))}: still there after {seconds} s")


# ---- What of the host the container gets --------------------------------------------------------------------------

@pytest.fixture
def null_device():
    """The host's own, which must keep its mode and owner; put right in any case."""
    def look():
        found = os.stat("/dev/null")
        return found.st_mode, found.st_uid, found.st_gid, int(found.st_mtime)
    before = look()
    yield
    after = look()
    os.chmod("/dev/null", before[0] & 0o7777)
    os.chown("/dev/null", before[1], before[2])
    assert after == before, "the host's /dev/null has changed"


def test_a_mask_is_no_way_to_the_hosts_device(bundle, null_device):
    """A masked file is the host's /dev/null: root in the container must not change its mode, owner or times."""
    bundle.all_capabilities("CAP_FOWNER", "CAP_CHOWN")
    (bundle.rootfs / "etc/secret").touch()
    bundle["linux.maskedPaths"] = ["/etc/secret"]
    out = bundle.run("/bin/sh", "-c", "chmod 600 /etc/secret; chown 5:5 /etc/secret; touch -d 2000-01-01 /etc/secret;"
                     "cat /etc/secret; echo x > /etc/secret; echo done").ok()
    assert out.out == "done\n"


def test_bound_devices_are_no_way_to_the_hosts(bundle, null_device):
    """Where a user namespace maps the host's root, the nodes in /dev are the host's own and root's to change."""
    bundle.user_namespace(host=0)
    bundle.all_capabilities("CAP_FOWNER", "CAP_CHOWN")
    out = bundle.run("/bin/sh", "-c", "chmod 600 /dev/null; chown 5:5 /dev/null; touch -d 2000-01-01 /dev/null;"
                     "echo x > /dev/null && cat /dev/null && head -c 2 /dev/zero | wc -c").ok()
    assert out.out == "2\n"


def test_the_waiting_crt_holds_no_mount(bundle, tmp_path):
    """The fds of sources stay with init: else the container could not unmount what it was given."""
    bundle.user_namespace()
    bundle.all_capabilities("CAP_SYS_ADMIN")
    bundle["root.readonly"] = False  # nothing is hidden or read-only: else the kernel locks all mounts (test_locked.py)
    bundle["linux.maskedPaths"] = bundle["linux.readonlyPaths"] = []
    for entry in bundle["mounts"]:
        entry["options"] = [option for option in entry.get("options", []) if option != "ro"]
    bundle.bind(tmp_path, "/given")
    assert bundle.sh("umount /given && ls -A /given") == ""


def test_groups_of_the_caller_and_a_namespace_that_forbids_setgroups(bundle):
    """CVE-2022-36109: they are dropped before the namespace is entered, where that is no longer possible."""
    holder = background("unshare", "--user", "--map-root-user", "sleep", "60")
    try:
        harness.wait_for(lambda: os.readlink(f"/proc/{holder.pid}/ns/user") != os.readlink("/proc/self/ns/user"))
        harness.wait_for(lambda: pathlib.Path(f"/proc/{holder.pid}/gid_map").read_text())
        bundle.namespace("user", f"/proc/{holder.pid}/ns/user")
        bundle.mount_entry("/dev/pts")["options"].remove("gid=5")
        bundle["process.args"] = ["grep", "Groups", "/proc/self/status"]
        out = bundle.run(preexec_fn=lambda: os.setgroups([4, 24, 27])).ok().out
        assert out.split() == ["Groups:"]
    finally:
        holder.kill()
        holder.wait()


KEYRING_MAKER = r"""
#include <linux/keyctl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	long id = argc > 1 ? syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, argv[1])
	                   : syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0);
	syscall(SYS_keyctl, KEYCTL_SETPERM, id, 0x3f3f0000);
	printf("%ld\n", id);
	fflush(stdout);
	if (argc > 1)
		pause();
}
"""


def test_a_session_keyring_that_somebody_has_prepared(bundle, crt, tmp_path):
    """The kernel joins a keyring by its name: whoever made one first would share the container's keys."""
    (tmp_path / "keyring.c").write_text(KEYRING_MAKER)
    harness.build_static(tmp_path / "keyring.c", bundle.rootfs / "bin/keyring")
    container = crt.new_id()
    maker = subprocess.Popen([bundle.rootfs / "bin/keyring", f"_ses.{container}"], stdout=subprocess.PIPE, text=True)
    try:
        prepared = maker.stdout.readline()
        assert int(prepared) > 0
        assert bundle.run("keyring", container=container).ok().out != prepared
    finally:
        maker.kill()
        maker.wait()


# ---- The cgroup of somebody else ----------------------------------------------------------------------------------

def test_a_cgroup_in_use_is_refused_and_left_alone(new_bundle, crt):
    """The undoing of the second create must not kill in it."""
    first, second = new_bundle("first").sleeper(), new_bundle("second").sleeper()
    first["linux.cgroupsPath"] = second["linux.cgroupsPath"] = f"/{harness.TOKEN}-shared"
    running = crt.start(first)
    second.run().failed("processes")
    assert running.status == "running"
    running.end()


def test_the_same_id_below_another_root(new_bundle, crt, tmp_path):
    other = harness.Runtime(tmp_path / "other", tmp_path / "other.log")
    running = crt.start(new_bundle("first").sleeper())
    second = new_bundle("second").sleeper().write()
    other("create", "--bundle", second.path, running.id).failed("processes")
    assert other.ids() == [] and running.status == "running"
    # What a creator leaves that dies early: the directory alone, or a state without a pid
    (tmp_path / "other" / running.id).mkdir(parents=True, mode=0o700)
    other("delete", "--force", running.id).ok()
    assert other.ids() == [] and running.status == "running"
    state = json.loads((crt.state / running.id / "state.json").read_text())
    (tmp_path / "other" / running.id).mkdir(mode=0o700)
    (tmp_path / "other" / running.id / "state.json").write_text(json.dumps(state | {"pid": 0, "pidStart": 0}))
    other("delete", "--force", running.id).ok()
    assert other.ids() == [] and running.status == "running"
    running.end()


# ---- The state directory ------------------------------------------------------------------------------------------

@pytest.fixture
def bystander():
    process = background("sleep", "60")
    time.sleep(0.03)  # three clock ticks: nothing of the test began when it did
    yield process
    alive = process.poll() is None
    process.kill()
    process.wait()
    assert alive, "a process that is not the container's was killed"


@pytest.mark.parametrize("command", [["kill", "KILL"], ["kill", "--all", "KILL"], ["delete"], ["delete", "--force"],
                                     ["start"]])
def test_a_pid_that_belongs_to_somebody_else_now(bundle, crt, bystander, command):
    """Numbers are used again: without the start time of the container's init, a pid is nobody."""
    container = crt.create(bundle.sleeper())
    os.kill(container.pid, signal.SIGKILL)
    container.wait_stopped()
    path = crt.state / container.id / "state.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"pid": bystander.pid}))
    verb, *rest = command
    options, signals = [word for word in rest if word[0] == "-"], [word for word in rest if word[0] != "-"]
    crt(verb, *options, container.id, *signals)
    assert bystander.poll() is None
    crt("delete", "--force", container.id).ok()


@pytest.mark.parametrize("path", ["/../../../..", "/x/../../..", "/.."])
def test_a_cgroup_path_that_climbs_in_the_state(bundle, crt, bystander, path):
    container = crt.create(bundle.sleeper())
    file = crt.state / container.id / "state.json"
    good = file.read_text()
    file.write_text(json.dumps(json.loads(good) | {"cgroupPath": path}))
    crt("kill", "--all", container.id, "KILL").failed("cgroup")
    assert bystander.poll() is None
    file.write_text(good)
    container.end()


def test_a_state_directory_for_everyone_is_refused(bundle, crt):
    crt.state.mkdir()
    crt.state.chmod(0o777)
    bundle.run("true").failed("writable")
    crt.state.chmod(0o700)


def test_a_container_that_is_a_link(bundle, crt, tmp_path, bystander):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious").write_text("host\n")
    began = int(pathlib.Path(f"/proc/{bystander.pid}/stat").read_text().rsplit(")", 1)[1].split()[19])
    (elsewhere / "state.json").write_text(json.dumps({
        "ociVersion": "1.0.0", "id": "link", "pid": bystander.pid, "pidStart": began, "bundle": "/", "rootfs": "/",
        "created": "2026-01-01T00:00:00Z"}))
    crt.state.mkdir(mode=0o700)
    (crt.state / "link").symlink_to(elsewhere)
    for command in (["delete", "--force", "link"], ["kill", "link", "KILL"], ["state", "link"], ["start", "link"]):
        crt(*command)
    bundle.run("true", container="link").failed("exist")
    assert (elsewhere / "precious").read_text() == "host\n"
    assert sorted(os.listdir(elsewhere)) == ["precious", "state.json"]
    (crt.state / "link").unlink()


@pytest.mark.parametrize("what", ["fifo", "link"])
def test_the_pid_file_in_a_folder_of_others(bundle, crt, tmp_path, what):
    """What is written first and then renamed must not follow a link or hang on a fifo that waits there."""
    folder, target = tmp_path / "shared", tmp_path / "target"
    folder.mkdir()
    target.write_text("host\n")
    last = int(pathlib.Path("/proc/loadavg").read_text().split()[-1])
    for number in range(last, last + 400):
        trap = folder / f".pid.tmp{number}"
        os.mkfifo(trap) if what == "fifo" else trap.symlink_to(target)
    bundle.script("true").write()
    container = crt.new_id()
    run_within(10, crt, "run", "--bundle", bundle.path, "--pid-file", folder / "pid", container).ok()
    assert int((folder / "pid").read_text()) > 0 and target.read_text() == "host\n"


# ---- Hooks --------------------------------------------------------------------------------------------------------

def hook(bundle, stage, script, **more):
    bundle.config.setdefault("hooks", {})[stage] = [{"path": "/bin/sh", "args": ["sh", "-c", script],
                                                    "env": ["PATH=/usr/bin:/bin"]} | more]


@pytest.mark.parametrize("stage", ["prestart", "createRuntime", "createContainer", "startContainer", "poststart"])
def test_delete_does_not_wait_for_a_hook_that_hangs(bundle, crt, stage):
    """No timeout was given, so only delete --force can end it."""
    hook(bundle, stage, "exec sleep 300")
    bundle.sleeper().write()
    container = crt.new_id()
    creator = background(*crt.command("run", "--bundle", bundle.path, container))
    try:
        harness.wait_for(lambda: "sleep 300" in " ".join(harness.children_of(creator.pid).values()), what="the hook")
        run_within(5, crt, "delete", "--force", container).ok()
        if stage != "poststart":  # its end is what crt waits for there
            assert creator.wait(5) != 0
    finally:
        for pid in [*harness.children_of(creator.pid), creator.pid]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        creator.wait()


def test_a_hook_that_floods_its_output_has_no_more_time(bundle):
    hook(bundle, "createRuntime", "yes & yes & exec yes", timeout=1)
    before = time.monotonic()
    bundle.run("true", timeout=20).failed("timeout")
    assert time.monotonic() - before < 5


def test_what_a_hook_leaves_behind_floods_its_output(bundle):
    """The hook itself has ended well: what it started is not waited for, nor read for ever."""
    hook(bundle, "createRuntime", "yes & yes & exit 0")
    before = time.monotonic()
    bundle.run("true", timeout=20).ok()
    assert time.monotonic() - before < 5


def test_a_hook_that_fails_while_nobody_may_learn_of_it(bundle):
    """With SIGCHLD ignored the kernel keeps no exit codes: a failure must not pass for a success."""
    hook(bundle, "createRuntime", "sleep 0.2; exit 3")
    bundle.script("echo ran")
    result = bundle.run(preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))
    assert result.code != 0 and "ran" not in result.out


def test_a_hook_of_the_image_writes_to_the_operators_terminal(bundle):
    hook(bundle, "startContainer", r"printf '\033]0;title\007\033[2J\r\nfake prompt# '; exit 1")
    result = bundle.run("true").failed("title")
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", result.err)


def test_hooks_get_the_whole_state(bundle, tmp_path):
    for stage in ("createRuntime", "poststop"):
        hook(bundle, stage, f"cat > {tmp_path}/{stage}.json")
    bundle.config["annotations"] = {f"org.example.{number}": "x" * 1000 for number in range(100)}
    bundle.run("true").ok()
    for stage in ("createRuntime", "poststop"):
        assert len(json.loads((tmp_path / f"{stage}.json").read_text())["annotations"]) == 100


# ---- The life cycle -----------------------------------------------------------------------------------------------

def test_one_of_two_starts(bundle, crt):
    """Which both see a container that waits."""
    container = crt.create(bundle.script("echo ran; sleep 1000"))
    with concurrent.futures.ThreadPoolExecutor() as pool:
        codes = [done.code for done in pool.map(lambda _: crt("start", container.id), range(6))]
    assert codes.count(0) == 1
    container.wait_for_output("ran")
    assert container.out.count("ran") == 1
    container.end()


@pytest.mark.slow
def test_create_and_delete_of_one_id_at_once(bundle, crt):
    """Whatever wins, afterwards there is nothing of it left."""
    bundle.sleeper().write()
    name = crt.new_id()

    def act(number):
        if number % 2:
            return crt("delete", "--force", name, timeout=20)
        return crt("create", "--bundle", bundle.path, name, timeout=20)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        results = list(pool.map(act, range(60)))
    for result in results:
        assert result.code in (0, 1) and (result.code == 0 or result.err), result
    run_within(10, crt, "delete", "--force", name).ok()


def test_limits_that_would_stop_the_runtime_itself(bundle, crt):
    """A low limit is the program's: start must still reach init."""
    bundle["process.rlimits"] = [{"type": "RLIMIT_NOFILE", "soft": 3, "hard": 3},
                                 {"type": "RLIMIT_FSIZE", "soft": 0, "hard": 0}]
    container = crt.create(bundle.script("ulimit -n; sleep 1000"))
    container.start()
    assert container.status == "running"
    container.end()


def test_little_address_space(bundle):
    """Either it works, or it says what is missing."""
    for megabytes in (8, 64, 256):
        size = megabytes << 20
        result = bundle.run("true", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (size, size)))
        assert result.code == 0 or result.code == 1 and "address space" in result.err or \
            result.code in (-signal.SIGKILL, -signal.SIGSEGV), result  # the kernel could not even load crt


def test_a_failed_start_takes_its_pid_file_back(bundle, crt, tmp_path):
    """An engine must not find the pid of a process that never was."""
    hook(bundle, "startContainer", "exit 1")
    bundle.script("true").write()
    crt("run", "--bundle", bundle.path, "--pid-file", tmp_path / "pid", crt.new_id()).failed()
    assert not (tmp_path / "pid").exists()


@pytest.mark.parametrize("key, value", [("apparmorProfile", "docker-default"),
                                        ("selinuxLabel", "system_u:system_r:container_t:s0")])
def test_a_label_is_never_passed_over(bundle, key, value):
    """CVE-2019-16884: applied, or an error; never silence."""
    bundle[f"process.{key}"] = value
    bundle.script("cat /proc/self/attr/current 2>/dev/null")
    result = bundle.run()
    assert result.code != 0 or value.split(":")[-1] in result.out


# ---- Every system call as the last one, or as one that fails --------------------------------------------------------

class Sweep:
    """strace ends crt at one system call after the other, or lets them fail."""

    def __init__(self, crt, bundle, command, strace=()):
        self.crt, self.bundle, self.command, self.strace = crt, bundle, command, strace

    def run(self, name, *options):
        trace = self.bundle.path / "trace"
        words = ["strace", *self.strace, "-o", str(trace), *options,
                 *self.crt.command(self.command, "--bundle", self.bundle.path, name)]
        return self.crt(command=words, timeout=20), trace

    def points(self, leave_out):
        """(system call, its number among those of the same name) in the order of a first, undisturbed run."""
        name = self.crt.new_id()
        done, trace = self.run(name)
        done.ok()
        seen = {}
        calls = re.findall(r"^(?:\d+ +)?(\w+)\(", trace.read_text(), re.MULTILINE)
        points = []
        for call in calls:
            seen[call] = seen.get(call, 0) + 1
            if call not in leave_out:
                points.append((call, seen[call]))
        self.crt("delete", "--force", name).ok()
        return points


@needs_strace
def test_start_that_is_killed_once_the_program_runs(bundle, crt):
    """It has no chance to remove the socket of who waits for start; the container is not \"created\" for ever."""
    container = crt.create(bundle.sleeper())
    start = crt.command("start", container.id)
    crt(command=["strace", "-qq", "-o", "/dev/null", "-e", "inject=unlinkat:signal=KILL", *start])
    assert (crt.state / container.id / "start.sock").exists()
    assert container.proc("comm") == "sleep\n" and container.status == "running"
    assert "running" in crt("list").ok().out
    crt("delete", container.id).failed("not stopped: running")
    crt("start", container.id).failed("already running")
    assert not (crt.state / container.id / "start.sock").exists()
    crt("start", container.id).failed("already running")
    container.end()


@needs_strace
@pytest.mark.slow
@pytest.mark.parametrize("kind", ["plain", "user"])
def test_create_killed_at_every_system_call(bundle, crt, kind):
    """kill -9 of crt, wherever it is: delete --force finds all of it, and the leak fixture nothing."""
    if kind == "user":
        bundle.user_namespace()
    hook(bundle, "createRuntime", "true")
    bundle.sleeper().write()
    sweep = Sweep(crt, bundle, "create")
    for call, number in sweep.points({"execve", "rt_sigaction", "rt_sigprocmask", "exit_group", "vfork"}):
        name = crt.new_id()
        sweep.run(name, "-e", f"inject={call}:signal=SIGKILL:when={number}")
        crt("state", name)
        run_within(10, crt, "delete", "--force", name).ok()


@needs_strace
@pytest.mark.slow
def test_every_system_call_fails_once(bundle, crt):
    """In crt and in init: an orderly error that leaves nothing, or no matter."""
    hook(bundle, "createContainer", "true")
    bundle["linux.sysctl"] = {"net.ipv4.ip_forward": "1"}
    bundle["linux.seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW"}
    bundle.script("exit 0").write()
    sweep = Sweep(crt, bundle, "run", ["-f"])
    of_the_state = {"flock", "unlinkat", "getdents64", "lseek", "poll", "waitid", "wait4", "newfstatat", "rmdir"}
    of_the_program = {"execve", "execveat", "exit_group", "exit", "brk", "rt_sigaction", "rt_sigreturn", "close",
                      "read", "fcntl", "write"}
    for call, number in sweep.points(of_the_state | of_the_program)[::7]:
        name = crt.new_id()
        done, _ = sweep.run(name, "-e", f"inject={call}:error=EPERM:when={number}")
        assert done.code >= 0, (call, number)
        if (call, done.code) != ("openat", 1):  # a claim that cannot be opened cannot be undone either
            assert name not in crt.ids(), (call, number, done.err)
        crt("delete", "--force", name).ok()


def test_the_state_of_another_user_names_no_pid(bundle, crt):
    """Whoever owns a container's directory chooses what its state.json says: root does not act on it."""
    container = crt.start(bundle.sleeper())
    folder = crt.state / container.id
    os.chown(folder, 1000, 1000)
    for command in (["kill", container.id, "KILL"], ["exec", container.id, "true"], ["pause", container.id]):
        crt(*command).failed("belongs to the user with id 1000")
    assert container.status == "running", "looking is no acting"
    os.chown(folder, 0, 0)
    container.end()


def test_a_caller_that_ignores_its_children(bundle, crt):
    """SIGCHLD ignored is inherited, and the kernel would keep no exit code."""
    bundle["process.args"] = ["/bin/sh", "-c", "exit 5"]
    bundle.write()
    command = crt.command("run", "--bundle", bundle.path, crt.new_id())
    done = subprocess.run(["sh", "-c", 'trap "" CHLD; exec "$@"', "sh", *command], timeout=30, capture_output=True, text=True)
    assert done.returncode == 5, done.stderr

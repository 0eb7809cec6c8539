"""cgroup v2: where the container is, what its files say, and that nothing of it stays."""
import os
import pathlib
import shutil
import subprocess

import pytest

import harness


@pytest.fixture
def limited(bundle, crt):
    """limited(resources): a running container's cgroup folder, as the host sees it."""
    started = []

    def start(resources):
        bundle["linux.resources"] = resources
        started.append(crt.start(bundle.sleeper()))
        return started[-1].cgroup
    yield start
    for container in started:
        container.end()


def read(folder, name):
    return (folder / name).read_text().strip()


# ---- Where it is ------------------------------------------------------------------------------------------------

def test_a_cgroup_of_its_own(bundle, crt):
    container = crt.start(bundle.sleeper())
    folder = container.cgroup
    assert folder != harness.cgroup_of("self")
    assert str(container.pid) in read(folder, "cgroup.procs").split()
    container.end()
    assert not folder.exists()


@pytest.mark.parametrize("name", [None, "cgroupfs"])
def test_absolute_path(bundle, crt, name):
    if name:
        manager(crt, name)
    bundle["linux.cgroupsPath"] = f"/{harness.TOKEN}-abs/deep/one"
    container = crt.start(bundle.sleeper())
    assert container.cgroup == harness.CGROUP / f"{harness.TOKEN}-abs/deep/one"
    container.end()
    assert not (harness.CGROUP / f"{harness.TOKEN}-abs/deep/one").exists()
    for name in ("deep", ""):  # what is above may belong to somebody else; empty, it is ours to tidy
        folder = harness.CGROUP / f"{harness.TOKEN}-abs" / name
        if folder.exists():
            folder.rmdir()


def test_relative_path(bundle, crt):
    bundle["linux.cgroupsPath"] = f"{harness.TOKEN}-rel"
    container = crt.start(bundle.sleeper())
    assert container.cgroup.name == f"{harness.TOKEN}-rel"
    container.end()


def test_path_with_dots_does_not_climb(bundle, crt):
    """CVE class G: below the root of the hierarchy, whatever is written."""
    bundle["linux.cgroupsPath"] = f"/../../{harness.TOKEN}-x/../{harness.TOKEN}-y"
    result = bundle.run("true")
    assert result.code == 0 or result.code > 0 and result.err
    for name in "xy":
        folder = harness.CGROUP / f"{harness.TOKEN}-{name}"
        if folder.exists():
            folder.rmdir()


def test_no_cgroups_path(bundle, crt):
    bundle.config["linux"].pop("cgroupsPath", None)
    container = crt.start(bundle.sleeper())
    assert container.id in str(container.cgroup)
    container.end()


def test_a_cgroup_that_is_there_already(bundle, crt):
    folder = harness.CGROUP / f"{harness.TOKEN}-there"
    folder.mkdir()
    try:
        bundle["linux.cgroupsPath"] = f"/{folder.name}"
        result = bundle.run("true")
        assert result.code == 0 or result.err
    finally:
        if folder.exists():
            folder.rmdir()


def test_a_cgroup_that_others_live_in_is_not_destroyed(bundle, crt):
    """Deleting a container never kills what it did not start, unless it shares the very cgroup that was asked for."""
    first = crt.start(bundle.sleeper())
    other = harness.CGROUP / f"{harness.TOKEN}-other"
    other.mkdir()
    first.end()
    assert other.exists()
    other.rmdir()


def test_child_cgroups_go_with_the_container(bundle, crt):
    """A container that makes cgroups below its own leaves none behind."""
    bundle.without_mount("/sys/fs/cgroup")
    bundle.mount("/sys/fs/cgroup", "cgroup", options=["rw"])
    bundle.all_capabilities("CAP_SYS_ADMIN")
    bundle.script("mkdir -p /sys/fs/cgroup/a/b && sleep 1000 & echo $! > /sys/fs/cgroup/a/b/cgroup.procs 2>/dev/null;"
                  "mkdir -p /sys/fs/cgroup/a/b; echo made; wait")
    container = crt.start(bundle)
    container.wait_for_output("made")
    folder = container.cgroup
    assert (folder / "a/b").exists()
    container.end()
    assert not folder.exists()


def test_every_process_is_in_the_cgroup(bundle, crt):
    container = crt.start(bundle.script("sleep 1000 & sleep 1000 & sleep 1000 & echo ready; wait"))
    container.wait_for_output("ready")
    assert len(read(container.cgroup, "cgroup.procs").split()) == 4
    container.end()


@pytest.mark.needs_controller("pids")
def test_the_process_is_born_in_its_cgroup(bundle, crt):
    """Where no process may be born, but one that is there already may be moved to (cgroup-v2.rst, "PID")."""
    full = harness.CGROUP / f"{harness.TOKEN}-full"
    full.mkdir()
    try:
        (full / "pids.max").write_text("0")
        bundle["linux.cgroupsPath"] = f"/{full.name}/box"
        bundle.run("true").failed("cannot start a process in the cgroup .*/box", "pids.max of a cgroup above it")
        assert crt.ids() == []
    finally:
        full.rmdir()


def test_the_process_is_in_its_cgroup_from_the_first_moment(bundle):
    bundle.without_namespace("cgroup")
    bundle["linux.cgroupsPath"] = f"/{harness.TOKEN}-first"
    assert bundle.run("cat", "/proc/self/cgroup").ok().out.splitlines()[-1] == f"0::/{harness.TOKEN}-first"


@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed (Debian: strace)")
@pytest.mark.parametrize("command", ["run", "exec"])
def test_no_process_is_moved(bundle, crt, tmp_path, command):
    """One is born in the cgroup, and nothing is written to a cgroup.procs."""
    container = crt.start(bundle.sleeper())
    words = ["run", "--bundle", bundle.script("true").write().path, crt.new_id()] if command == "run" else ["exec", container.id, "true"]
    trace = tmp_path / "trace"
    crt(command=["strace", "-f", "-qq", "-o", trace, "-e", "trace=clone3,openat,openat2", *crt.command(*words)]).ok()
    container.end()
    lines = trace.read_text().splitlines()
    assert len([line for line in lines if "clone3(" in line and "CLONE_INTO_CGROUP" in line]) == 1
    assert not [line for line in lines if "cgroup.procs" in line]


# ---- Limits -----------------------------------------------------------------------------------------------------

LIMITS = [
    ("memory", {"memory": {"limit": 64 << 20}}, "memory.max", str(64 << 20)),
    ("memory", {"memory": {"limit": -1}}, "memory.max", "max"),
    ("memory", {"memory": {"reservation": 32 << 20}}, "memory.low", str(32 << 20)),
    ("memory", {"memory": {"limit": 64 << 20, "swap": 96 << 20}}, "memory.swap.max", str(32 << 20)),
    ("memory", {"memory": {"limit": 64 << 20, "swap": -1}}, "memory.swap.max", "max"),
    ("cpu", {"cpu": {"quota": 50000, "period": 100000}}, "cpu.max", "50000 100000"),
    ("cpu", {"cpu": {"quota": -1}}, "cpu.max", "max 100000"),
    ("cpu", {"cpu": {"shares": 1024}}, "cpu.weight", "100"),
    ("cpu", {"cpu": {"shares": 2}}, "cpu.weight", "1"),
    ("cpu", {"cpu": {"shares": 262144}}, "cpu.weight", "10000"),
    ("cpu", {"cpu": {"idle": 1}}, "cpu.idle", "1"),
    ("cpu", {"cpu": {"quota": 50000, "period": 100000, "burst": 10000}}, "cpu.max.burst", "10000"),
    ("cpuset", {"cpu": {"cpus": "0"}}, "cpuset.cpus", "0"),
    ("cpuset", {"cpu": {"mems": "0"}}, "cpuset.mems", "0"),
    ("pids", {"pids": {"limit": 17}}, "pids.max", "17"),
    ("pids", {"pids": {"limit": -1}}, "pids.max", "max"),
    ("io", {"blockIO": {"weight": 10}}, "io.weight", "default 1"),
    ("hugetlb", {"hugepageLimits": [{"pageSize": "2MB", "limit": 4 << 20}]}, "hugetlb.2MB.max", str(4 << 20)),
    ("hugetlb", {"hugepageLimits": [{"pageSize": "2MB", "limit": 4 << 20}]}, "hugetlb.2MB.rsvd.max", str(4 << 20)),
    ("hugetlb", {"hugepageLimits": [{"pageSize": "1GB", "limit": 1 << 30}]}, "hugetlb.1GB.max", str(1 << 30)),
    ("memory", {"unified": {"memory.high": "50000000"}}, "memory.high", str(50000000 // 4096 * 4096)),
    ("hugetlb", {"unified": {"hugetlb.2MB.max": "6291456"}}, "hugetlb.2MB.max", str(6 << 20)),
    ("pids", {"unified": {"pids.max": "23"}}, "pids.max", "23"),
]


@pytest.mark.parametrize("resources, name, value", [
    pytest.param(resources, name, value, marks=pytest.mark.needs_controller(controller), id=f"{name}-{value}".replace(" ", "-"))
    for controller, resources, name, value in LIMITS])
def test_limit(limited, resources, name, value):
    folder = limited(resources)
    if not (folder / name).exists():
        pytest.skip(f"this kernel has no {name} (a machine with its feature configured runs it)")
    assert read(folder, name) == value


@pytest.mark.parametrize("name, value", [("cgroup.max.descendants", "3"), ("cgroup.max.depth", "2")])
def test_unified_of_the_core(limited, name, value):
    assert read(limited({"unified": {name: value}}), name) == value


@pytest.mark.parametrize("resources, name", [({"memory": {"limit": 64 << 20}}, "memory"), ({"pids": {"limit": 10}}, "pids"),
                                             ({"cpu": {"shares": 100}}, "cpu"), ({"cpu": {"cpus": "0"}}, "cpuset"),
                                             ({"blockIO": {"weight": 100}}, "io"), ({"unified": {"memory.high": "1000000"}}, "memory")])
def test_a_missing_controller_is_named(bundle, crt, resources, name):
    """A limit that nobody enforces is no limit: the start fails, and says which controller and what to do."""
    if name in harness.controllers():
        pytest.skip(f"controller {name} is on cgroup v2 here (a machine with cgroup v1 runs it)")
    bundle["linux.resources"] = resources
    container = crt.new_id()
    bundle.run("true", container=container).failed(name if harness.IS_CRT else "")
    assert container not in crt.ids()


@pytest.mark.parametrize("unified, word", [({"no.such.file": "1"}, "no.such"), ({"../../cgroup.procs": "0"}, ""),
                                           ({"cgroup.max.depth": "banana"}, "cgroup.max.depth"), ({"/etc/passwd": "x"}, "")])
def test_unified_that_cannot_be(bundle, crt, unified, word):
    bundle["linux.resources"] = {"unified": unified}
    container = crt.new_id()
    bundle.run("true", container=container).failed(word if harness.IS_CRT else "")
    assert container not in crt.ids()


# No machine of ours has a device that these controllers count; what the kernel says shows that it was asked
@pytest.mark.parametrize("resources, file", [
    pytest.param({"rdma": {"none0": {"hcaHandles": 3}}}, "rdma.max", marks=pytest.mark.needs_controller("rdma"), id="rdma"),
    pytest.param({"unified": {"misc.max": "none 5"}}, "misc.max", marks=pytest.mark.needs_controller("misc"), id="misc"),
    pytest.param({"unified": {"dmem.max": "drm/none/vram0 5"}}, "dmem.max", marks=pytest.mark.needs_controller("dmem"), id="dmem"),
])
def test_limit_of_a_device_that_is_not_there(bundle, crt, resources, file):
    bundle["linux.resources"] = resources
    bundle.run("true").failed(rf"config\.json:\d+:\d+: linux\.resources\..*: cannot set {file} to .*: (No such device|Invalid argument)")
    assert crt.ids() == []


@pytest.mark.needs_controller("pids")
def test_pids_limit_is_enforced(bundle):
    bundle["linux.resources"] = {"pids": {"limit": 10}}
    assert int(bundle.run("probe", "forks", "50").ok().out) < 10


@pytest.mark.needs_controller("memory")
def test_memory_limit_is_enforced(bundle):
    bundle["linux.resources"] = {"memory": {"limit": 32 << 20, "swap": 32 << 20}}
    assert bundle.run("probe", "memory", "100").code == 137


@pytest.mark.skipif(not harness.IS_CRT, reason="its words")
@pytest.mark.needs_controller("memory")
def test_out_of_memory_before_the_program_runs(bundle):
    """A hook inside that takes more than the container may have: the kernel ends all of it, and the error says why."""
    bundle["linux.resources"] = {"memory": {"limit": 16 << 20, "swap": 16 << 20}, "unified": {"memory.oom.group": "1"}}
    bundle["hooks"] = {"startContainer": [{"path": "/bin/probe", "args": ["probe", "memory", "100"]}]}
    result = bundle.run("echo", "ran")
    result.failed("killed by signal 9")
    assert "run out of memory" in result.err and "linux.resources.memory.limit" in result.err


@pytest.mark.needs_controller("memory")
def test_memory_limit_leaves_what_fits(bundle):
    bundle["linux.resources"] = {"memory": {"limit": 200 << 20}}
    assert "touched" in bundle.run("probe", "memory", "50").ok().out


# ---- What the container sees ------------------------------------------------------------------------------------

def test_cgroup_namespace_root_is_the_containers_cgroup(bundle, crt):
    bundle.without_mount("/sys/fs/cgroup")
    bundle.mount("/sys/fs/cgroup", "cgroup", options=["ro"])
    container = crt.start(bundle.sleeper())
    inside = container.root / "sys/fs/cgroup"
    assert str(container.pid) in (container.cgroup / "cgroup.procs").read_text().split()
    assert (inside / "cgroup.procs").stat().st_ino == (container.cgroup / "cgroup.procs").stat().st_ino
    container.end()


def test_cgroup_mount_without_a_cgroup_namespace(bundle, crt):
    """Only the container's own part of the tree, not the host's."""
    bundle.without_namespace("cgroup")
    bundle.without_mount("/sys/fs/cgroup")
    bundle["linux.cgroupsPath"] = f"/{harness.TOKEN}-nons"
    bundle.mount("/sys/fs/cgroup", "cgroup", options=["ro"])
    container = crt.start(bundle.sleeper())
    mount = harness.mounts(container.proc("mountinfo"))["/sys/fs/cgroup"]
    assert mount.kind == "cgroup2" and "ro" in mount.options
    container.end()


def test_read_only_cgroup_cannot_be_written(bundle):
    bundle.without_mount("/sys/fs/cgroup")
    bundle.mount("/sys/fs/cgroup", "cgroup", options=["ro", "nosuid", "noexec", "nodev"])
    assert "Read-only" in bundle.sh("(echo 0 > /sys/fs/cgroup/cgroup.procs) 2>&1 || true")


def test_a_failed_create_leaves_no_cgroup(bundle, crt):
    bundle["linux.cgroupsPath"] = f"/{harness.TOKEN}-failed"
    bundle.bind("/no/such/source", "/data")
    bundle.run("true").failed()
    assert not (harness.CGROUP / f"{harness.TOKEN}-failed").exists()


def test_the_hosts_mount_keeps_its_options(bundle, tmp_path):
    """A container without a cgroup namespace must not take nsdelegate and the like from the host's cgroup2."""
    def options():
        return harness.mounts(pathlib.Path("/proc/self/mountinfo").read_text())[str(harness.CGROUP)].super_options
    before = options()
    subprocess.run(["mount", "-o", "remount,nsdelegate", harness.CGROUP], check=True)
    try:
        assert "nsdelegate" in options()
        bundle.without_namespace("cgroup")
        bundle.sh("grep -q cgroup2 /proc/self/mountinfo")
        assert "nsdelegate" in options()
    finally:
        if "nsdelegate" not in before:
            # A remount takes no option away; a mount from this cgroup namespace does, which is what this is about
            subprocess.run(["unshare", "--mount", "mount", "-t", "cgroup2", "cgroup2", tmp_path], check=True)


# ---- Threaded cgroups ------------------------------------------------------------------------------------------
# Only a domain can be killed by cgroup.kill, and only a domain lists its processes in cgroup.procs.

def make_threaded(folder):
    (folder / "cgroup.type").write_text("threaded")
    assert read(folder, "cgroup.type") == "threaded"


@pytest.fixture
def threaded(bundle, crt):
    """A running container with two processes in a cgroup that was there before, and threaded."""
    folder = harness.CGROUP / f"{harness.TOKEN}-domain/threaded"
    folder.mkdir(parents=True)
    make_threaded(folder)
    bundle["linux.cgroupsPath"] = f"/{folder.relative_to(harness.CGROUP)}"
    container = crt.start(bundle.script("sleep 1000 & echo ready; exec sleep 1000"))
    container.wait_for_output("ready")
    assert container.cgroup == folder
    yield container
    container.end()
    folder.rmdir()
    folder.parent.rmdir()


def test_threaded_cgroup_is_torn_down(threaded, crt):
    folder, pids = threaded.cgroup, crt("ps", "--format", "json", threaded.id).json()
    assert len(pids) == 2 and threaded.pid in pids
    crt("delete", "--force", threaded.id).ok()
    assert read(folder, "cgroup.threads") == ""
    harness.wait_for(lambda: all(harness.reap(pid) for pid in pids), what="the end of all processes")


def test_kill_all_reaches_a_threaded_cgroup(threaded, crt):
    folder = threaded.cgroup
    crt("kill", "--all", threaded.id, "KILL").ok()
    threaded.wait_stopped()
    assert read(folder, "cgroup.threads") == ""


def test_pause_of_a_threaded_cgroup(threaded, crt):
    crt("pause", threaded.id).ok()
    assert threaded.status == "paused"
    crt("resume", threaded.id).ok()
    assert threaded.status == "running"


def test_threaded_cgroups_below_the_containers(bundle, crt):
    container = crt.start(bundle.sleeper())
    folder = container.cgroup
    (folder / "a/b").mkdir(parents=True)
    make_threaded(folder / "a")
    make_threaded(folder / "a/b")
    (folder / "a/b/cgroup.threads").write_text(str(container.pid))
    assert crt("ps", "--format", "json", container.id).json() == [container.pid]
    container.end()
    assert not folder.exists()


def test_half_removed_cgroup(bundle, crt):
    """Somebody has removed it below us, and part of what was above it: delete does not mind."""
    top = harness.CGROUP / f"{harness.TOKEN}-half"
    bundle["linux.cgroupsPath"] = f"/{top.name}/deep/one"
    container = crt.start(bundle.sleeper())
    container.kill("KILL")
    container.wait_stopped()
    for name in ("deep/one", "deep"):
        harness.wait_for(lambda: not (top / name).exists() or (top / name).rmdir() or True, what="an empty cgroup")
    container.delete()
    assert not (top / "deep").exists()
    if top.exists():
        top.rmdir()


# ---- Who owns it -----------------------------------------------------------------------------------------------

def delegated():
    return set(pathlib.Path("/sys/kernel/cgroup/delegate").read_text().split())


def owners(folder):
    return {path.name: path.stat().st_uid for path in folder.iterdir() if path.is_file()} | {".": folder.stat().st_uid}


def writable_cgroup(bundle, *options):
    bundle.without_mount("/sys/fs/cgroup")
    bundle.mount("/sys/fs/cgroup", "cgroup", options=["nosuid", *options])


def test_the_containers_user_owns_what_may_be_given(bundle, crt):
    bundle.user_namespace(host=100000)
    bundle["process.user"] = {"uid": 5, "gid": 0}
    writable_cgroup(bundle)
    container = crt.start(bundle.script("mkdir /sys/fs/cgroup/mine && echo made; exec sleep 1000"))
    container.wait_for_output("made")
    found = owners(container.cgroup)
    given = {name for name, uid in found.items() if uid == 100005}
    container.end()
    assert given == ({"."} | delegated() & set(found)), found
    assert {uid for name, uid in found.items() if name not in given} == {0}


@pytest.mark.parametrize("change", [
    lambda bundle: writable_cgroup(bundle, "ro"),
    lambda bundle: (writable_cgroup(bundle), bundle.without_namespace("cgroup")),
], ids=["read-only", "without a cgroup namespace"])
def test_otherwise_the_cgroup_stays_roots(bundle, crt, change):
    bundle.user_namespace(host=100000)
    change(bundle)
    container = crt.start(bundle.sleeper())
    found = owners(container.cgroup)
    container.end()
    assert set(found.values()) == {0}, found


# ---- Who makes it ------------------------------------------------------------------------------------------------

def manager(crt, name):
    """The runtime with --cgroup-manager."""
    plain = crt.command
    crt.command = lambda *args: [*plain(), "--cgroup-manager", name, *map(str, args)]
    return plain


@pytest.fixture
def unit(crt):
    """A cgroup as a service manager gives it to a unit: run(...) runs commands inside. Not removed before the containers."""
    folder = harness.CGROUP / f"{harness.TOKEN}.service"
    folder.mkdir()
    os.setxattr(folder, "trusted.delegate", b"1")
    yield folder
    for name in ("payload", "supervisor", "."):
        if (folder / name).exists():
            (folder / name).rmdir()


def in_unit(unit, script="exec \"$@\""):
    return ["sh", "-c", f"echo $$ >{unit}/cgroup.procs; {script}", "sh"]


@pytest.mark.parametrize("name", ["none", "disabled"])
def test_none_makes_no_cgroup(bundle, crt, name):
    """Crun's word for it is "disabled"."""
    manager(crt, name)
    bundle.config["linux"].pop("resources", None)
    container = crt.start(bundle.sleeper())
    state = (crt.state / container.id / "state.json").read_text()
    assert container.cgroup == harness.cgroup_of("self")
    assert '"cgroupManager":"none"' in state and "cgroupPath" not in state
    crt("pause", container.id).failed("has no cgroup of its own")
    container.kill("KILL")
    container.wait_stopped()
    container.delete()


def test_none_refuses_limits(bundle, crt):
    manager(crt, "none")
    bundle["linux.resources"] = {"unified": {"cgroup.max.depth": "3"}}
    bundle.run("true").failed(r'config.json:\d+:\d+: linux.resources.unified\["cgroup.max.depth"\]: a limit needs a cgroup of the '
                              'container\'s own, and the cgroup manager "none" makes none')
    assert crt.ids() == []


def test_none_says_that_device_rules_are_not_kept(bundle, crt):
    manager(crt, "none")
    bundle["linux.resources"] = {"devices": [{"allow": False, "access": "rwm"}]}
    result = bundle.run("true").ok()
    assert "device rules need a cgroup" in result.err


def test_self_puts_the_container_below_the_unit(bundle, crt, unit):
    plain = manager(crt, "self")
    bundle.write()
    name = crt.new_id()
    with open(bundle.path / f"{name}.out", "w") as out:
        bundle.sleeper().write()
        script = subprocess.run([*in_unit(unit, '"$@" && cat /proc/self/cgroup | tail -n 1'),
                                 *crt.command("run", "--detach", "--bundle", bundle.path, name)],
                                stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, timeout=30)
    said = (bundle.path / f"{name}.out").read_text()
    assert script.returncode == 0, said
    assert said == f"0::/{unit.name}/supervisor\n"  # the unit's own processes have moved
    crt.command = plain  # the state knows the rest
    container = harness.Container(crt, name, bundle)
    assert container.cgroup == unit / "payload" / name
    assert read(unit, "cgroup.procs") == ""
    assert '"cgroupManager":"self"' in (crt.state / name / "state.json").read_text()
    assert crt("exec", name, "cat", "/proc/self/cgroup").ok().out.splitlines()[-1] == "0::/"
    crt("pause", name).ok()
    assert container.status == "paused"
    crt("resume", name).ok()
    container.end()
    assert not (unit / "payload" / name).exists()


def test_self_twice_in_a_unit(bundle, crt, unit):
    manager(crt, "self")
    bundle.script("tail -n 1 /proc/self/cgroup").without_namespace("cgroup")
    bundle.write()
    names = crt.new_id(), crt.new_id()
    runs = [" ".join(crt.command("run", "--bundle", bundle.path, name)) for name in names]
    done = subprocess.run(in_unit(unit, " && ".join(runs)), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
    assert done.stderr == "" and done.stdout.split() == [f"0::/{unit.name}/payload/{name}" for name in names]


def test_self_outside_of_a_unit(bundle, crt):
    manager(crt, "self")
    if harness.cgroup_of("self") != harness.CGROUP:
        pytest.skip("these tests run in a unit (start them in the root cgroup)")
    bundle.run("true").failed('the cgroup manager "self" needs a unit\'s own cgroup, and crt runs in /', "Delegate=yes")


def test_self_in_a_unit_that_is_not_delegated(bundle, crt, unit):
    """As a user who was not given the unit's cgroup."""
    manager(crt, "self")
    bundle.user_namespace(host=65534, size=1)
    bundle.config["linux"].pop("resources", None)
    bundle.write()
    name = crt.new_id()
    crt.state = bundle.path / "state"
    crt.state.mkdir()
    for path in [bundle.path, crt.state, *bundle.path.parents]:
        if str(path).startswith("/tmp"):
            path.chmod(0o777 if path == crt.state else 0o755)
    subprocess.run(["chown", "65534:65534", crt.state, bundle.path], check=True)
    command = [harness.CRT, "--root", crt.state / "own", "--cgroup-manager", "self", "run", "--bundle", bundle.path, name]
    done = subprocess.run([*in_unit(unit), "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *command],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
    assert done.returncode == 1, done
    assert f"cannot split the cgroup /{unit.name}" in done.stderr and "Delegate=yes" in done.stderr, done.stderr
    subprocess.run(["rm", "-r", crt.state / "own"], check=True)
    assert not (unit / "supervisor").exists()


def test_unknown_manager(bundle, crt):
    manager(crt, "nobody")
    bundle.run("true").failed('option --cgroup-manager: "nobody" is not one of')

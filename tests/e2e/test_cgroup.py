"""cgroup v2: where the container is, what its files say, and that nothing of it stays."""
import pathlib
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


def test_absolute_path(bundle, crt):
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


def test_the_process_is_in_its_cgroup_from_the_first_moment(bundle):
    bundle.without_namespace("cgroup")
    bundle["linux.cgroupsPath"] = f"/{harness.TOKEN}-first"
    assert bundle.run("cat", "/proc/self/cgroup").ok().out.splitlines()[-1] == f"0::/{harness.TOKEN}-first"


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


@pytest.mark.needs_controller("pids")
def test_pids_limit_is_enforced(bundle):
    bundle["linux.resources"] = {"pids": {"limit": 10}}
    assert int(bundle.run("probe", "forks", "50").ok().out) < 10


@pytest.mark.needs_controller("memory")
def test_memory_limit_is_enforced(bundle):
    bundle["linux.resources"] = {"memory": {"limit": 32 << 20, "swap": 32 << 20}}
    assert bundle.run("probe", "memory", "100").code == 137


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

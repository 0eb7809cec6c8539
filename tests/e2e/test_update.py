"""update: other limits for a container that runs; all of them, or none."""
import json
import pathlib
import subprocess
import tempfile
import time

import pytest

import harness

memory = pytest.mark.needs_controller("memory")
cpu = pytest.mark.needs_controller("cpu")
pids = pytest.mark.needs_controller("pids")
hugetlb = pytest.mark.needs_controller("hugetlb")
MB = 1 << 20


@pytest.fixture
def start(bundle, crt):
    """start(resources, script): a running container whose limits are these."""
    started = []

    def make(resources=None, script="exec sleep 1000"):
        bundle["linux.resources"] = resources or {}
        started.append(crt.start(bundle.script(script)))
        return started[-1]
    yield make
    for container in started:
        container.end()


def read(container, name):
    return (container.cgroup / name).read_text().strip()


def from_json(crt, container, resources, *options):
    return crt("update", *options, "-r", "-", container.id, input=json.dumps(resources))


# ---- What is changed ------------------------------------------------------------------------------------------

def test_unified_from_stdin(crt, start):
    container = start()
    from_json(crt, container, {"unified": {"cgroup.max.depth": "7", "cgroup.max.descendants": "9"}}).ok()
    assert read(container, "cgroup.max.depth") == "7" and read(container, "cgroup.max.descendants") == "9"


@pytest.mark.needs_controller("io")
def test_limits_of_a_device(crt, start):
    disks = [path for path in pathlib.Path("/sys/block").iterdir() if not path.name.startswith(("ram", "loop", "zram"))]
    if not disks:
        pytest.skip("no disk here (a virtual machine has one)")
    number = (disks[0] / "dev").read_text().strip()
    major, minor = map(int, number.split(":"))
    container = start()
    rates = {"throttleReadBpsDevice": 1048576, "throttleWriteBpsDevice": 2097152, "throttleReadIOPSDevice": 50, "throttleWriteIOPSDevice": 100}
    from_json(crt, container, {"blockIO": {name: [{"major": major, "minor": minor, "rate": rate}] for name, rate in rates.items()}}).ok()
    assert read(container, "io.max") == f"{number} rbps=1048576 wbps=2097152 riops=50 wiops=100"


def test_from_a_file(crt, start, tmp_path):
    container = start()
    (tmp_path / "limits.json").write_text('{"unified": {"cgroup.max.depth": "3"}}')
    crt("update", "--resources", tmp_path / "limits.json", container.id).ok()
    assert read(container, "cgroup.max.depth") == "3"


@hugetlb
def test_hugepages(crt, start):
    container = start({"hugepageLimits": [{"pageSize": "2MB", "limit": 4 * MB}]})
    from_json(crt, container, {"hugepageLimits": [{"pageSize": "2MB", "limit": 8 * MB}]}).ok()
    assert read(container, "hugetlb.2MB.max") == read(container, "hugetlb.2MB.rsvd.max") == str(8 * MB)


@hugetlb
def test_a_controller_that_nobody_has_handed_down(crt, bundle):
    """The container has no limits, and its cgroup's parent is of somebody who thought of none either."""
    parent = harness.CGROUP / f"{harness.TOKEN}-bare"
    parent.mkdir()
    bundle["linux.cgroupsPath"] = f"/{parent.name}/one"
    container = crt.start(bundle.sleeper())
    try:
        assert read(container, "cgroup.controllers") == ""
        from_json(crt, container, {"hugepageLimits": [{"pageSize": "2MB", "limit": 8 * MB}]}).ok()
        assert read(container, "hugetlb.2MB.max") == str(8 * MB)
    finally:
        container.end()
        parent.rmdir()


def test_what_is_not_named_stays(crt, start):
    container = start({"unified": {"cgroup.max.depth": "5", "cgroup.max.descendants": "6"}})
    from_json(crt, container, {"unified": {"cgroup.max.depth": "8"}}).ok()
    assert read(container, "cgroup.max.depth") == "8" and read(container, "cgroup.max.descendants") == "6"


def test_an_empty_object_changes_nothing(crt, start):
    from_json(crt, start(), {}).ok()


def test_engines_zeros_mean_not_given(crt, start):
    """Docker sends every member, with 0 for what the user has not said."""
    from_json(crt, start(), {"memory": {"limit": 0, "reservation": 0, "swap": 0, "kernel": 0, "kernelTCP": 0},
                             "cpu": {"shares": 0, "quota": 0, "period": 0, "realtimeRuntime": 0, "realtimePeriod": 0,
                                     "cpus": "", "mems": ""}, "blockIO": {"weight": 0}}).ok()


@pytest.mark.parametrize("allowed", [True, False])
def test_device_rules_stay(bundle, crt, start, allowed):
    """Kubernetes sends the container's own rules back; they are not what update is about."""
    bundle.all_capabilities("CAP_MKNOD")
    container = start({"devices": [{"allow": allowed, "access": "rwm"}]})
    from_json(crt, container, {"devices": [{"allow": not allowed, "access": "rwm"}], "unified": {"cgroup.max.depth": "2"}}).ok()
    result = crt("exec", container.id, "sh", "-c", "mknod /var/none b 7 200 && head -c 0 /var/none")
    assert ("not permitted" not in result.err) == allowed, result.err


def test_created_and_paused(bundle, crt):
    container = crt.create(bundle.sleeper())
    from_json(crt, container, {"unified": {"cgroup.max.depth": "4"}}).ok()
    crt("pause", container.id).ok()
    from_json(crt, container, {"unified": {"cgroup.max.depth": "5"}}).ok()
    assert read(container, "cgroup.max.depth") == "5"
    container.end()


@pytest.mark.parametrize("options, name, value", [
    pytest.param(["--memory", "64M"], "memory.max", str(64 * MB), marks=memory),
    pytest.param(["--memory", "-1"], "memory.max", "max", marks=memory),
    pytest.param(["--memory", "100m", "--memory-swap", "150m"], "memory.swap.max", str(50 * MB), marks=memory),
    pytest.param(["--memory-swap", "300MB"], "memory.swap.max", str(100 * MB), marks=memory),
    pytest.param(["--memory-reservation", "33554432"], "memory.low", str(32 * MB), marks=memory),
    pytest.param(["--pids-limit", "17"], "pids.max", "17", marks=pids),
    pytest.param(["--pids-limit=-1"], "pids.max", "max", marks=pids),
    pytest.param(["--cpu-share", "2048"], "cpu.weight", "174", marks=cpu),
    pytest.param(["--cpu-quota", "30000"], "cpu.max", "30000 200000", marks=cpu),
    pytest.param(["--cpu-period", "50000"], "cpu.max", "40000 50000", marks=cpu),
    pytest.param(["--cpu-quota", "-1"], "cpu.max", "max 200000", marks=cpu),
    pytest.param(["--cpu-burst", "10000"], "cpu.max.burst", "10000", marks=cpu),
    pytest.param(["--cpu-idle", "1"], "cpu.idle", "1", marks=cpu),
    pytest.param(["--cpuset-cpus", "0"], "cpuset.cpus", "0", marks=pytest.mark.needs_controller("cpuset")),
    pytest.param(["--cpuset-mems", "0"], "cpuset.mems", "0", marks=pytest.mark.needs_controller("cpuset")),
    pytest.param(["--blkio-weight", "10"], "io.weight", "default 1", marks=pytest.mark.needs_controller("io")),
], ids=lambda value: "=".join(value).strip("-") if isinstance(value, list) else None)
def test_options(crt, start, options, name, value):
    """Half of a pair is completed by what the container has."""
    resources = {}
    if name.startswith("cpu."):
        resources = {"cpu": {"quota": 40000, "period": 200000}}
    if name.startswith("memory."):
        resources = {"memory": {"limit": 200 * MB, "swap": 200 * MB}}
    if name.startswith("pids."):
        resources = {"pids": {"limit": 30}}
    container = start(resources)
    crt("update", *options, container.id).ok()
    if not (container.cgroup / name).exists() and name == "io.weight":
        pytest.skip("this kernel has no io.weight (a kernel with CONFIG_BLK_CGROUP_IOCOST runs this)")
    assert read(container, name) == value


# ---- All or none -----------------------------------------------------------------------------------------------

def test_a_refused_write_takes_the_others_back(crt, start):
    container = start({"unified": {"cgroup.max.depth": "5"}})
    from_json(crt, container, {"unified": {"cgroup.max.depth": "8", "cgroup.max.descendants": "many"}}).failed(
        r"stdin:1:\d+: unified\[.cgroup.max.descendants.\]", "nothing has been changed", code=1)
    assert read(container, "cgroup.max.depth") == "5" and read(container, "cgroup.max.descendants") == "max"


@memory
@pids
def test_a_refused_write_takes_other_controllers_back(crt, start):
    container = start({"memory": {"limit": 64 * MB}, "pids": {"limit": 50}})
    from_json(crt, container, {"memory": {"limit": 32 * MB}, "pids": {"limit": 20},
                               "unified": {"pids.max": "minus"}}).failed("nothing has been changed", code=1)
    assert read(container, "memory.max") == str(64 * MB) and read(container, "pids.max") == "50"


@pytest.mark.parametrize("resources, words", [
    ('{"memory": {"limit": "much"}}', ["stdin:1:22", "memory.limit"]),
    ('{"unified": {"cgroup.freeze": "1"}}', ["cgroup.freeze cannot be set"]),
    ('{"cpu": {"realtimeRuntime": 5}}', ["realtime"]),
    ('{"cpu": ', ["stdin:1:9"]),
    ('[]', ["stdin:1:1"]),
], ids=["type", "freeze", "realtime", "cut", "array"])
def test_a_document_that_is_wrong(crt, start, resources, words):
    crt("update", "-r", "-", start().id, input=resources).failed(*words, code=1)


@pytest.mark.parametrize("options, words", [
    (["--memory", "lots"], ["--memory: \"lots\" is not a number of bytes"]),
    (["--memory", "9999999P"], ["in range"]),
    (["--cpu-rt-runtime", "1000"], ["realtime"]),
    (["--l3-cache-schema", "L3:0=f"], ["was made without linux.intelRdt"]),
    (["--mem-bw-schema", "L3:0=f"], ['starts with "MB:"']),
    (["--timeout", "soon", "--memory", "1"], ["not a time"]),
    ([], ["nothing to change"]),
    (["-r", "/does/not/exist"], ["cannot open /does/not/exist"]),
], ids=["bytes", "range", "rt", "l3-cache", "mem-bw", "timeout", "none", "file"])
def test_options_that_are_wrong(crt, start, options, words):
    crt("update", *options, start().id).failed(*words, code=1)


def test_a_limit_whose_controller_is_missing(crt, start):
    if "memory" in harness.controllers():
        pytest.skip("cgroup v2 has the memory controller here (a machine with cgroup v1 runs this)")
    crt("update", "--memory", "64M", start().id).failed("memory.limit: .*memory controller", code=1)


def test_stopped_and_missing(bundle, crt):
    container = crt.start(bundle.script("true"))
    container.wait_stopped()
    crt("update", "--pids-limit", "5", container.id).failed("container not running", code=1)
    container.end()
    crt("update", "--pids-limit", "5", container.id).failed("does not exist", code=1)


def test_two_at_once(crt, start):
    """Each is whole: what is left is the one's or the other's."""
    container = start()
    for _ in range(10):
        running = [crt.start_process("update", "-r", "-", container.id, stdin=subprocess.PIPE) for _ in range(2)]
        for number, process in enumerate(running, 1):
            process.stdin.write(json.dumps({"unified": {"cgroup.max.depth": f"{number}", "cgroup.max.descendants": f"{number}"}}))
            process.stdin.close()
        for process in running:
            assert process.wait() == 0, process.stderr.read()
            process.stdout.close(), process.stderr.close()
        assert read(container, "cgroup.max.depth") == read(container, "cgroup.max.descendants")


# ---- A lower memory limit --------------------------------------------------------------------------------------

# The last command of a shell takes the shell's place, so it must not be the sleep
HOLD = "x=$(head -c 60000000 /dev/zero | tr '\\0' x); echo ready; sleep 1000; echo $x"


@pytest.fixture
def disk():
    """A folder whose files are not memory themselves."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as path:
        if subprocess.run(["stat", "-f", "-c", "%T", path], capture_output=True, text=True).stdout.strip() == "tmpfs":
            pytest.skip("/var/tmp is memory itself here (a machine with /var/tmp on a disk runs this)")
        yield path


@memory
def test_memory_that_can_be_had_is_taken(bundle, disk, crt, start):
    """Page cache gives way: the container lives, and the limit stands."""
    bundle.bind(disk, "/data")
    container = start({"memory": {"limit": 300 * MB}}, "dd if=/dev/zero of=/data/big bs=1M count=100 2>/dev/null; sync; "
                      "cat /data/big > /dev/null; echo ready; sleep 1000")
    container.wait_for_output("ready", 20)
    assert int(read(container, "memory.current")) > 60 * MB
    crt("update", "--memory", "40M", container.id).ok()
    assert read(container, "memory.max") == str(40 * MB) and int(read(container, "memory.current")) <= 40 * MB
    assert read(container, "memory.high") == "max" and container.status == "running"
    assert "oom_kill 0" in read(container, "memory.events")


@memory
def test_memory_that_is_held_stays(crt, start):
    """Nobody is killed: update fails in time, says how far it got, and everything is as before."""
    container = start({"memory": {"limit": 300 * MB, "swap": 300 * MB}}, HOLD)
    container.wait_for_output("ready", 20)
    began = time.monotonic()
    crt("update", "--memory", "20M", "--pids-limit", "50", "--timeout", "500ms", container.id).failed(
        r"cannot lower memory.max to 20971520 bytes: \d+ of \d+ bytes are still in use", "--timeout",
        "nothing has been changed", code=1)
    assert time.monotonic() - began < 5
    assert read(container, "memory.max") == str(300 * MB) and read(container, "memory.high") == "max"
    assert container.status == "running" and "oom_kill 0" in read(container, "memory.events")


@memory
def test_terminated_while_it_waits(crt, start):
    """The container is not left behind with the brake on."""
    container = start({"memory": {"limit": 300 * MB, "swap": 300 * MB}}, HOLD)
    container.wait_for_output("ready", 20)
    process = crt.start_process("update", "--memory", "20M", "--timeout", "1m", container.id)
    harness.wait_for(lambda: read(container, "memory.high") == str(20 * MB))
    process.terminate()
    assert process.wait(10) == -15
    process.stdout.close(), process.stderr.close()
    assert read(container, "memory.high") == "max" and read(container, "memory.max") == str(300 * MB)


@memory
def test_check_before_update(crt, start):
    """The document can ask for a plain no."""
    container = start({"memory": {"limit": 300 * MB, "swap": 300 * MB}}, HOLD)
    container.wait_for_output("ready", 20)
    from_json(crt, container, {"memory": {"limit": 20 * MB, "checkBeforeUpdate": True}}).failed(
        "checkBeforeUpdate", code=1)
    assert read(container, "memory.max") == str(300 * MB)

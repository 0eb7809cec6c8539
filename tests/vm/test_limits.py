"""
Limits that bite: a container runs into each, and what the kernel does to it is measured. A file that reads back what
was written proves nothing here. What is written where, tests/e2e has.
"""
import json
import time

import pytest

from conftest import numbers, ok

MIB = 1 << 20
# Not as process 1 itself, which the kernel protects from signals of its own namespace
BUSY = "timeout 3 sh -c 'while :; do :; done'; true"
DENY_ALL = {"allow": False, "access": "rwm"}


def cgroup_file(rt, name, file):
    return ok(rt.vm.run(f"cat /sys/fs/cgroup/vm-{name}/{file}"))


def wait_stopped(rt, name, seconds=60):
    deadline = time.monotonic() + seconds
    while (status := json.loads(ok(rt("state", name)))["status"]) != "stopped":
        assert time.monotonic() < deadline, f"{name} is {status} after {seconds} s"
        time.sleep(0.2)


def run_to_end(rt, *args, **options):
    """create, start, wait until it has stopped; its cgroup is still there. The caller deletes."""
    folder, name = rt.bundle(*args, **options)
    # Its own file for the output: whoever waits for create must not wait for the container
    ok(rt.vm.run(f"{rt.path} create --bundle {folder} {name} >{folder}/out 2>&1"))
    ok(rt("start", name))
    wait_stopped(rt, name)
    return name, rt.vm.read(f"{folder}/out")


def test_memory_limit_kills(rt):
    hungry = "dd if=/dev/zero of=/dev/null bs=64M count=1"
    limit = {"memory": {"limit": 32 * MIB, "swap": 32 * MIB}}
    assert "1+0 records out" in rt.run("sh", "-c", hungry, resources={"memory": {"limit": 128 * MIB}}).err
    result = rt.run("sh", "-c", f"exec {hungry}", resources=limit)
    assert result.code == 137, result
    name, _ = run_to_end(rt, "sh", "-c", f"{hungry}; true", resources=limit)
    events = numbers(cgroup_file(rt, name, "memory.events"))
    ok(rt("delete", name))
    assert events["oom_kill"] == 1 and events["max"] > 0


def test_true_runs_in_256_kib(rt):
    """
    What the runtime itself needs inside a container is charged to it, and must leave room. The kernel charges ahead, and
    gives back late: not every try is the same near the limit.
    """
    ok(rt.run("/bin/true"))  # who is the first to read a file pays for its pages
    limit = {"memory": {"limit": 256 << 10, "swap": 256 << 10}}
    codes = [rt.run("/bin/true", resources=limit).code for _ in range(7)]
    assert codes.count(0) > 3, codes


def test_memory_reservation_protects(rt):
    """memory.low is what the kernel compares with when it reclaims."""
    out = ok(rt.run("cat", "/sys/fs/cgroup/memory.low", resources={"memory": {"limit": 64 * MIB, "reservation": 16 * MIB}}))
    assert int(out) == 16 * MIB


def test_memory_high_throttles(rt):
    """A value only "unified" can give: above memory.high the kernel reclaims page cache, and counts that."""
    name, _ = run_to_end(rt, "sh", "-c", "dd if=/dev/zero of=/root/high bs=1M count=24; rm /root/high",
                         resources={"unified": {"memory.high": str(8 * MIB)}, "memory": {"limit": 64 * MIB}})
    events = numbers(cgroup_file(rt, name, "memory.events"))
    ok(rt("delete", name))
    assert events["high"] > 0 and events["oom_kill"] == 0


def test_pids_limit_stops_a_fork_bomb(rt):
    bomb = "for i in 1 2 3 4 5 6 7 8 9 10; do sleep 1 & done; wait"
    assert "can't fork" not in rt.run("sh", "-c", bomb, resources={"pids": {"limit": 64}}).err
    name, out = run_to_end(rt, "sh", "-c", bomb, resources={"pids": {"limit": 6}})
    events = numbers(cgroup_file(rt, name, "pids.events"))
    ok(rt("delete", name))
    assert "can't fork" in out and events["max"] > 0


def test_cpu_quota_measured(rt):
    """A busy loop gets the fifth of a processor it was given. Measured in the middle: a runtime's own start is not in it."""
    folder, name = rt.bundle("sh", "-c", "while :; do :; done", resources={"cpu": {"quota": 20000, "period": 100000}})
    ok(rt.vm.run(f"{rt.path} create --bundle {folder} {name} >{folder}/out 2>&1 && {rt.path} start {name}"))
    files = f"/proc/uptime /sys/fs/cgroup/vm-{name}/cpu.stat"
    before, after = (stat.split("\n", 1) for stat in ok(rt.vm.run(f"sleep 1; cat {files}; echo ---; sleep 4; cat {files}")).split("---\n"))
    ok(rt("delete", "--force", name))
    seconds = float(after[0].split()[0]) - float(before[0].split()[0])
    used = (numbers(after[1])["usage_usec"] - numbers(before[1])["usage_usec"]) / 1e6
    assert 0.12 < used / seconds < 0.28, (used, seconds)
    assert numbers(after[1])["nr_throttled"] - numbers(before[1])["nr_throttled"] > 20


def test_cpu_shares_measured(rt):
    """Two busy loops on one processor: eight times the shares is clearly more time."""
    small, large = (rt.bundle("sh", "-c", BUSY,
                              resources={"cpu": {"shares": shares, "cpus": "1"}}) for shares in (256, 2048))
    for folder, name in (small, large):
        ok(rt.vm.run(f"{rt.path} create --bundle {folder} {name} >{folder}/out 2>&1"))
    ok(rt.vm.run(f"{rt.path} start {small[1]} && {rt.path} start {large[1]}"))
    usage = {}
    for folder, name in (small, large):
        wait_stopped(rt, name)
        usage[name] = numbers(cgroup_file(rt, name, "cpu.stat"))["usage_usec"]
        ok(rt("delete", name))
    assert usage[large[1]] > 2 * usage[small[1]], usage


def test_cpuset_binds(rt):
    """The kernel's own list for the process, and the processor it was last on."""
    script = "grep Cpus_allowed_list: /proc/self/status; for i in 1 2 3; do cut -d' ' -f39 /proc/self/stat; done"
    out = ok(rt.run("sh", "-c", script, resources={"cpu": {"cpus": "1", "mems": "0"}})).split()
    assert out == ["Cpus_allowed_list:", "1", "1", "1", "1"]


def disk_writes(rt, resources):
    script = "s=$(cut -d' ' -f1 /proc/uptime); dd if=/dev/zero of=/root/io bs=64k count=32 oflag=direct 2>/dev/null; " \
             "e=$(cut -d' ' -f1 /proc/uptime); rm /root/io; awk -v s=$s -v e=$e 'BEGIN {print e - s}'"
    return float(ok(rt.run("sh", "-c", script, resources=resources, timeout=120)))


def test_io_max_measured(rt):
    """2 MiB of direct writes at 512 KiB/s take four seconds, and a fraction of one without the limit."""
    major, minor = ok(rt.vm.run("cat /sys/block/vda/dev")).strip().split(":")
    device = {"major": int(major), "minor": int(minor), "rate": 512 << 10}
    free = disk_writes(rt, None)
    limited = disk_writes(rt, {"blockIO": {"throttleWriteBpsDevice": [device]}})
    assert limited > 3 and limited > 2 * free, (limited, free)


def test_io_max_operations_measured(rt):
    """32 writes at 10 a second."""
    major, minor = ok(rt.vm.run("cat /sys/block/vda/dev")).strip().split(":")
    device = {"major": int(major), "minor": int(minor), "rate": 10}
    assert disk_writes(rt, {"blockIO": {"throttleWriteIOPSDevice": [device]}}) > 2


def test_hugetlb_limit_refuses(rt):
    """Four pages of 2 MiB on hugetlbfs, where two are allowed."""
    rt.vm.run("echo 8 >/proc/sys/vm/nr_hugepages", check=True)
    mount = {"destination": "/mnt", "type": "hugetlbfs", "source": "hugetlbfs", "options": ["pagesize=2M"]}
    script = "fallocate -l 8M /mnt/x"
    try:
        ok(rt.run("sh", "-c", script, mounts=[mount], resources={"hugepageLimits": [{"pageSize": "2MB", "limit": 8 * MIB}]}))
        result = rt.run("sh", "-c", script, mounts=[mount], resources={"hugepageLimits": [{"pageSize": "2MB", "limit": 4 * MIB}]})
    finally:
        rt.vm.run("echo 0 >/proc/sys/vm/nr_hugepages", check=True)
    assert result.code not in (0, 127) and "fallocate" in result.err, result


def disk(rt):
    """The host's disk, as a node that the container has and nobody allows by default."""
    major, minor = ok(rt.vm.run("cat /sys/block/vda/dev")).strip().split(":")
    return {"path": "/dev/given", "type": "b", "major": int(major), "minor": int(minor), "fileMode": 0o666}


@pytest.mark.parametrize("access", ["", "r", "w", "rw", "rwm"])
def test_device_rules(rt, access):
    """What the kernel lets a container open is exactly what the rules say. (Opened only; nothing is written to it.)"""
    node = disk(rt)
    rules = [DENY_ALL]
    if access:
        rules.append({"allow": True, "access": access, **{key: node[key] for key in ("type", "major", "minor")}})
    script = ": </dev/given && echo r; : >>/dev/given && echo w; : <>/dev/given && echo both"
    result = rt.run("sh", "-c", f"({script.replace('; ', '); (')})", devices=[node], resources={"devices": rules})
    assert result.out.split() == [*(way for way in "rw" if way in access), *(["both"] if "rw" in access else [])], result
    assert result.err.count("Operation not permitted") == 3 - len(result.out.split()), result


def test_device_rules_in_order(rt):
    """A later rule wins."""
    node = disk(rt)
    rule = {"type": "b", "major": node["major"], "access": "rwm"}
    rules = [DENY_ALL, {**rule, "allow": True}, {**rule, "minor": node["minor"], "allow": False}]
    result = rt.run("sh", "-c", ": </dev/given", devices=[node], resources={"devices": rules})
    assert result.code and "Operation not permitted" in result.err, result


def test_limits_end_with_the_container(rt):
    """After delete no cgroup is left, also where there were children of the container's own."""
    folder, name = rt.bundle("sh", "-c", "sleep 100 & sleep 100", resources={"memory": {"limit": 64 * MIB}, "pids": {"limit": 16}})
    ok(rt.vm.run(f"{rt.path} create --bundle {folder} {name} >{folder}/out 2>&1 && {rt.path} start {name}"))
    assert "memory.max" in ok(rt.vm.run(f"ls /sys/fs/cgroup/vm-{name}"))
    ok(rt("delete", "--force", name))
    assert rt.vm.run(f"ls -d /sys/fs/cgroup/vm-{name}").code

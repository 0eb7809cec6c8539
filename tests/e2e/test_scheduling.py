"""When and where the process runs: scheduler, I/O priority, CPUs of exec, memory policy, personality."""
import os
import pathlib
import platform

import pytest

import harness

KINDS = {"SCHED_OTHER": 0, "SCHED_FIFO": 1, "SCHED_RR": 2, "SCHED_BATCH": 3, "SCHED_IDLE": 5, "SCHED_DEADLINE": 6}
NICE = os.nice(0)  # the caller's stays where a policy has none


def scheduling(stat):
    """(policy, real-time priority, nice) of a /proc/PID/stat."""
    fields = stat.rsplit(")", 1)[1].split()
    return int(fields[38]), int(fields[37]), int(fields[16])


# ---- Scheduler --------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("user_namespace", [False, True], ids=["host", "user-namespace"])
@pytest.mark.parametrize("scheduler, expected", [
    ({"policy": "SCHED_OTHER", "nice": -7}, (0, 0, -7)), ({"policy": "SCHED_BATCH", "nice": 5}, (3, 0, 5)),
    ({"policy": "SCHED_IDLE"}, (5, 0, NICE)), ({"policy": "SCHED_FIFO", "priority": 3}, (1, 3, NICE)),
    ({"policy": "SCHED_RR", "priority": 99}, (2, 99, NICE))])
def test_scheduler(bundle, scheduler, expected, user_namespace):
    """The privilege is the host's: a user namespace must not take it away; and no capability is left for the program."""
    if user_namespace:
        bundle.user_namespace()
    bundle["process.scheduler"] = scheduler
    bundle["process.user"] = {"uid": 1000, "gid": 1000}
    assert scheduling(bundle.run("cat", "/proc/self/stat").ok().out) == expected


@pytest.mark.parametrize("user_namespace", [False, True], ids=["host", "user-namespace"])
def test_deadline(bundle, user_namespace):
    if user_namespace:
        bundle.user_namespace()
    bundle["process.scheduler"] = {"policy": "SCHED_DEADLINE", "runtime": 5_000_000, "deadline": 20_000_000, "period": 40_000_000}
    result = bundle.run("probe", "scheduler").ok()
    assert result.out == "policy 6 flags 0 nice 0 priority 0 runtime 5000000 deadline 20000000 period 40000000\n"


def test_deadline_with_a_hook(bundle):
    """A task under a deadline cannot fork: the hook comes first."""
    (bundle.rootfs / "bin/hook").write_text("#!/bin/sh\ntouch /tmp/hooked\n")
    (bundle.rootfs / "bin/hook").chmod(0o755)
    bundle["hooks"] = {"startContainer": [{"path": "/bin/hook"}]}
    bundle["process.scheduler"] = {"policy": "SCHED_DEADLINE", "runtime": 5_000_000, "deadline": 20_000_000, "period": 40_000_000}
    assert scheduling(bundle.run("cat", "/proc/self/stat").ok().out)[0] == KINDS["SCHED_DEADLINE"]
    assert (bundle.rootfs / "tmp/hooked").exists()


def test_reset_on_fork(bundle):
    bundle["process.scheduler"] = {"policy": "SCHED_FIFO", "priority": 2, "flags": ["SCHED_FLAG_RESET_ON_FORK"]}
    first, second = bundle.sh("cat /proc/$$/stat; cat /proc/self/stat; :").splitlines()
    assert scheduling(first)[:2] == (1, 2) and scheduling(second)[:2] == (0, 0)


def test_a_deadline_that_the_kernel_refuses(bundle):
    bundle["process.scheduler"] = {"policy": "SCHED_DEADLINE", "runtime": 1, "deadline": 2, "period": 3}
    bundle.run("true").failed("config.json:.*process.scheduler", "schedule by SCHED_DEADLINE", "runtime is at least 1024 ns")


def test_scheduler_of_the_caller_stays(bundle):
    before = os.sched_getscheduler(0)
    bundle["process.scheduler"] = {"policy": "SCHED_FIFO", "priority": 3}
    bundle.run("true").ok()
    assert os.sched_getscheduler(0) == before


def test_without_a_scheduler_the_callers(bundle):
    assert scheduling(bundle.run("cat", "/proc/self/stat").ok().out) == (0, 0, os.nice(0))


def test_exec_has_the_scheduler(bundle, crt):
    bundle["process.scheduler"] = {"policy": "SCHED_BATCH", "nice": 3}
    container = crt.start(bundle.sleeper())
    assert scheduling(crt("exec", container.id, "cat", "/proc/self/stat").ok().out) == (3, 0, 3)
    container.end()


# ---- I/O priority -----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("user_namespace", [False, True], ids=["host", "user-namespace"])
@pytest.mark.parametrize("io_class, priority, expected", [("RT", 1, "realtime: prio 1"), ("BE", 7, "best-effort: prio 7"),
                                                          ("IDLE", 0, "idle")])
def test_io_priority(bundle, io_class, priority, expected, user_namespace):
    if user_namespace:
        bundle.user_namespace()
    bundle["process.ioPriority"] = {"class": f"IOPRIO_CLASS_{io_class}", "priority": priority}
    assert bundle.run("ionice").ok().out.strip() == expected


# ---- Memory policy and personality --------------------------------------------------------------------------------

@pytest.mark.parametrize("policy, expected", [
    ({"mode": "MPOL_BIND", "nodes": "0"}, "bind:0"), ({"mode": "MPOL_INTERLEAVE", "nodes": "0"}, "interleave:0"),
    ({"mode": "MPOL_PREFERRED", "nodes": "0"}, "prefer:0"), ({"mode": "MPOL_LOCAL"}, "local"),
    ({"mode": "MPOL_DEFAULT"}, "default"),
    pytest.param({"mode": "MPOL_PREFERRED_MANY", "nodes": "0"}, "prefer (many):0", marks=pytest.mark.needs_kernel(5, 15)),
    pytest.param({"mode": "MPOL_WEIGHTED_INTERLEAVE", "nodes": "0"}, "weighted interleave:0", marks=pytest.mark.needs_kernel(6, 9)),
    ({"mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_STATIC_NODES"]}, "bind=static:0"),
    ({"mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_RELATIVE_NODES"]}, "bind=relative:0"),
    # The kernel takes that flag since 5.12, and tells of it since this one
    pytest.param({"mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_NUMA_BALANCING"]}, "bind=balancing:0", marks=pytest.mark.needs_kernel(6, 12))])
@pytest.mark.skipif(not pathlib.Path("/proc/self/numa_maps").exists(), reason="needs a kernel with NUMA")
def test_memory_policy(bundle, policy, expected):
    bundle["linux.memoryPolicy"] = policy
    stack = [line for line in bundle.run("cat", "/proc/self/numa_maps").ok().out.splitlines() if "heap" in line or "stack" in line]
    assert stack and all(line.split(" ", 1)[1].startswith(expected + " ") for line in stack)


@pytest.mark.skipif(not pathlib.Path("/proc/self/numa_maps").exists(), reason="needs a kernel with NUMA")
def test_memory_policy_with_a_node_that_is_not_there(bundle):
    bundle["linux.memoryPolicy"] = {"mode": "MPOL_BIND", "nodes": "1000"}
    bundle.run("true").failed("config.json:.*linux.memoryPolicy", "memory policy MPOL_BIND, nodes 1000", "none of the nodes")


@pytest.mark.skipif(platform.machine() != "x86_64", reason="what uname says is known for x86_64")
def test_personality(bundle, crt):
    bundle["linux.personality"] = {"domain": "LINUX32"}
    assert bundle.sh("uname -m; cat /proc/self/personality") == "i686\n00000008\n"
    container = crt.start(bundle.sleeper())
    assert crt("exec", container.id, "uname", "-m").ok().out == "i686\n"
    container.end()


def test_personality_linux(bundle):
    bundle["linux.personality"] = {"domain": "LINUX"}
    assert bundle.sh("uname -m; cat /proc/self/personality") == f"{platform.machine()}\n00000000\n"


# ---- CPUs of exec -------------------------------------------------------------------------------------------------

def cpus(text):
    return harness.status(text)["Cpus_allowed_list"].strip()


ALL = cpus(pathlib.Path("/proc/self/status").read_text())
needs_two_cpus = pytest.mark.skipif(not {0, 1} <= os.sched_getaffinity(0), reason="needs CPUs 0 and 1")


@needs_two_cpus
@pytest.mark.parametrize("affinity, expected", [({"final": "1"}, "1"), ({"initial": "0"}, ALL), ({}, ALL),
                                                ({"initial": "0", "final": "0-1"}, "0-1"), ({"initial": "", "final": ""}, ALL)])
def test_cpus_of_exec(bundle, crt, affinity, expected):
    bundle["process.execCPUAffinity"] = affinity
    container = crt.start(bundle.sleeper())
    assert cpus(crt("exec", container.id, "cat", "/proc/self/status").ok().out) == expected
    assert cpus(container.proc("status")) == ALL, "not for the container's own process"
    container.end()


@needs_two_cpus
def test_the_initial_cpus_of_exec(bundle, crt):
    """crt itself runs there until the process is in its cgroup; afterwards where it ran before."""
    bundle["process.execCPUAffinity"] = {"initial": "1"}
    container = crt.start(bundle.sleeper())
    trace = bundle.path / "trace"
    crt("exec", container.id, "true", command=["strace", "-qq", "-o", trace, "-e", "trace=sched_setaffinity,clone3",
                                               *crt.command("exec", container.id, "true")]).ok()
    calls = [line.split("(")[0] + (" [1]" if ", [1" in line else "") for line in trace.read_text().splitlines() if "+++" not in line]
    assert calls[:3] == ["sched_setaffinity [1]", "clone3", "sched_setaffinity"]
    container.end()


def test_cpus_that_are_not_there(bundle, crt):
    bundle["process.execCPUAffinity"] = {"final": "8191"}
    container = crt.start(bundle.sleeper())
    crt("exec", container.id, "true").failed("process.execCPUAffinity.final", "run on CPUs 8191", "none of these CPUs")
    container.end()
    bundle["process.execCPUAffinity"] = {"initial": "8192"}
    container = crt.start(bundle.sleeper())
    crt("exec", container.id, "true").failed("process.execCPUAffinity.initial", "no CPUs below 8192")
    container.end()

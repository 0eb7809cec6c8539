"""Docker's other daemons: with systemd as its cgroup driver, as a node of a swarm, and with a range of ids for the containers."""
import json
import re
import time

import pytest

from conftest import CONTROL, IMAGE, ok
from dialog import dialog
from test_docker import LIMITS, SHOW_LIMITS, SHOWN_LIMITS, Docker


def daemon(rt, name):
    return Docker(rt, "--host", f"unix:///run/docker-{name}.sock")


@pytest.fixture
def systemd(rt):
    engine = daemon(rt, "systemd")
    yield engine
    engine.clean()


@pytest.fixture
def userns(rt):
    engine = daemon(rt, "userns")
    yield engine
    engine.clean()


# ---- systemd as the cgroup driver ----


def shown_by_systemd(vm, unit, *names):
    return dict(line.split("=", 1) for line in ok(vm.run(["systemctl", "show", unit, "-p", ",".join(names)])).splitlines())


def test_systemd_limits(systemd):
    """The unit's, the cgroup's, and what both become by an update; who comes later is in the unit, too."""
    vm, limits = systemd.rt.vm, ("MemoryMax", "TasksMax", "CPUQuotaPerSecUSec", "AllowedCPUs", "Slice")
    systemd.detach("exec sleep 1000", *LIMITS, "--cgroupns", "host")
    unit = f"docker-{systemd.inspect('{{.Id}}')}.scope"
    assert shown_by_systemd(vm, unit, *limits) == {
        "MemoryMax": "67108864", "TasksMax": "32", "CPUQuotaPerSecUSec": "500ms", "AllowedCPUs": "1", "Slice": "system.slice"}
    inside = ok(systemd("exec", "case", "cat", "/proc/self/cgroup", "/proc/1/cgroup")).split()
    assert inside[0] == inside[1] and f"/{unit}" in inside[0]
    cgroup = f"/sys/fs/cgroup{inside[0].removeprefix('0::')}"
    show = f"cd {cgroup}; {SHOW_LIMITS.partition('; ')[2]}"
    assert ok(vm.run(show)).strip() == SHOWN_LIMITS
    stats = json.loads(ok(systemd("stats", "--no-stream", "--format", "json", "case")))
    assert stats["PIDs"] == "1" and stats["MemUsage"].endswith("/ 64MiB"), stats
    ok(systemd("update", "--memory", "48m", "--memory-swap", "48m", "--cpus", "0.25", "--pids-limit", "16", "--cpuset-cpus", "0", "case"))
    assert shown_by_systemd(vm, unit, *limits) == {
        "MemoryMax": "50331648", "TasksMax": "16", "CPUQuotaPerSecUSec": "250ms", "AllowedCPUs": "0", "Slice": "system.slice"}
    ok(vm.run("systemctl daemon-reload", timeout=120))
    assert ok(vm.run(show)).strip() == "50331648 16 25000 100000 0"
    ok(systemd("rm", "--force", "case"))
    assert shown_by_systemd(vm, unit, "LoadState") == {"LoadState": "not-found"}


def test_systemd_out_of_memory(systemd):
    ok(systemd("run", "--name", "case", "--runtime", systemd.rt.name, "--network", "none", "--memory", "32m", "--memory-swap", "32m", IMAGE,
               "sh", "-c", "dd if=/dev/zero of=/dev/null bs=100M count=1; sleep 2; exit 9"), code=9)
    systemd.wait_for("{{.State.OOMKilled}}", "true")


# ---- A swarm ----


@pytest.fixture
def swarm(systemd):
    """A swarm of one node, whose tasks run with the daemon's own runtime. It makes a bridge of its own."""
    vm, file = systemd.rt.vm, "/etc/docker/systemd.json"
    config = vm.read(file)
    vm.write(file, json.dumps({**json.loads(config), "default-runtime": systemd.rt.name}))
    ok(vm.run("systemctl reload docker@systemd"))
    ok(systemd("swarm", "init", "--advertise-addr", "127.0.0.1", "--listen-addr", "127.0.0.1", "--default-addr-pool", "10.20.0.0/16"))
    yield systemd
    systemd("swarm", "leave", "--force")
    vm.write(file, config)
    vm.run("systemctl reload docker@systemd")


def tasks(engine, wanted):
    """The containers of the service, once there are so many that run."""
    for _ in range(120):
        if len(running := ok(engine("ps", "--quiet", "--no-trunc", "--filter", "label=com.docker.swarm.service.name=boats")).split()) == wanted:
            return running
        time.sleep(0.5)
    raise AssertionError(f"{len(running)} of {wanted}: {engine('service', 'ps', '--no-trunc', 'boats').out}")


def test_swarm_service(swarm):
    """Two of it, with limits; one is killed and replaced; one is taken away; all go."""
    ok(swarm("service", "create", "--detach", "--quiet", "--no-resolve-image", "--name", "boats", "--network", "host", "--replicas", "2",
             "--limit-memory", "64m", "--limit-pids", "20", "--restart-delay", "0s", "--stop-grace-period", "1s", IMAGE, "sleep", "1000"))
    first = tasks(swarm, 2)
    show = "{{.HostConfig.Runtime}} {{.State.Pid}}"
    runtime, pid = ok(swarm("inspect", "--format", show, first[0])).split()
    assert runtime == swarm.rt.name
    cgroup = "/sys/fs/cgroup" + re.search("^0::(.*)$", swarm.rt.vm.read(f"/proc/{pid}/cgroup"), re.M).group(1)
    assert ok(swarm.rt.vm.run(f"cd {cgroup}; cat memory.max pids.max")).split() == ["67108864", "20"]
    ok(swarm("kill", first[0]))
    for _ in range(60):
        if first[0] not in (now := tasks(swarm, 2)):
            break
        time.sleep(0.5)
    assert first[0] not in now and first[1] in now
    ok(swarm("service", "scale", "--detach", "boats=1"))
    tasks(swarm, 1)
    ok(swarm("service", "rm", "boats"))
    tasks(swarm, 0)
    assert swarm.rt.vm.run(["pgrep", "-x", "sleep"]).code == 1


# ---- A range of ids ----


def test_userns(userns):
    """Root of the container is nobody of the host; limits, files and an exec's terminal are there all the same."""
    vm = userns.rt.vm
    vm.run("rm -rf /tmp/remapped && mkdir -m 777 /tmp/remapped", check=True)
    userns.detach("exec sleep 1000", *LIMITS, "--volume", "/tmp/remapped:/data")
    first = int(ok(vm.run("grep ^full: /etc/subuid")).split(":")[1])
    assert vm.read(f"/proc/{userns.inspect('{{.State.Pid}}')}/uid_map").split() == ["0", str(first), "65536"]
    script = f"{SHOW_LIMITS}; stat -c %u:%t /dev/pts/0; touch /data/file; touch /proc/x || stty size; read -r line; echo got $line; exit 7"
    command = [*userns.command, "exec", "--interactive", "--tty", "--user", "1000", "case", "sh", "-c", script]
    result = dialog(vm, command, ("33 99", "boat\r"), ("got boat", ""))
    assert result.code == 7 and result.out.split()[:6] == [*SHOWN_LIMITS.split(), "1000:88"], result
    assert ok(vm.run("stat -c %u /tmp/remapped/file")).strip() == str(first + 1000)
    owner = ok(vm.run("stat -c %u /dev/null; chown root: /dev/null")).strip()
    assert owner == "0" or userns.rt.name == CONTROL, owner  # crun 1.21 gives the host's device to the container's root

"""
The cgroup managers systemd and self, with systemd: what `systemctl` shows, what the cgroup files say, and who kills whom.
"""
import json
import pathlib
import re

import pytest

from conftest import CONTROL, config, ok

MIB = 1 << 20
LIMITS = {"memory": {"limit": 64 * MIB, "swap": 128 * MIB}, "pids": {"limit": 40},
          "cpu": {"shares": 2048, "quota": 25000, "period": 100000, "cpus": "1"}}
CGROUP = "/sys/fs/cgroup"


class Box:
    """A container under test and its unit."""

    def __init__(self, rt, user=None):
        self.rt, self.vm, self.user = rt, rt.vm, user
        self.unit = self.name = None

    def __call__(self, command, *args, **options):
        return self.vm.run([self.rt.path, command, *args], user=self.user, **options)

    def bundle(self, *args, annotations=None, path=None, resources=LIMITS, **linux):
        Box.serial = getattr(Box, "serial", 0) + 1
        self.name = f"unit{Box.serial}"
        document = config(args, self.name, resources, **linux)
        document["linux"]["cgroupsPath"] = path or f":crt:{self.name}"
        if path == "":
            del document["linux"]["cgroupsPath"]
        if self.user:
            uid = int(ok(self.vm.run(["id", "-u", self.user])))
            document["linux"]["namespaces"].append({"type": "user"})
            document["linux"]["uidMappings"] = document["linux"]["gidMappings"] = [{"containerID": 0, "hostID": uid, "size": 1}]
        if annotations:
            document["annotations"] = annotations
        self.unit = (path or f":crt:{self.name}").split(":", 1)[1].replace(":", "-") + ".scope"
        self.folder = f"/tmp/{self.user or 'root'}-systemd/{self.name}"
        self.vm.run(f"mkdir -p {self.folder} && cat >{self.folder}/config.json", stdin=json.dumps(document).encode(), user=self.user,
                    check=True)
        return self

    def start(self):
        ok(self.vm.run(f"{self.rt.path} --systemd-cgroup run --detach --bundle {self.folder} {self.name} >{self.folder}/out 2>&1 || "
                       f"{{ cat {self.folder}/out; exit 1; }}", user=self.user))
        return self

    def show(self, *properties):
        words = ["systemctl", *(["--user"] if self.user else []), "show", self.unit, "-p", ",".join(properties)]
        return dict(line.split("=", 1) for line in ok(self.vm.run(words, user=self.user)).splitlines())

    @property
    def state(self):
        return json.loads(ok(self("state", self.name)))

    @property
    def cgroup(self):
        return CGROUP + re.search("^0::(.*)$", self.vm.read(f"/proc/{self.state['pid']}/cgroup"), re.M).group(1)

    def read(self, *files):
        return [self.vm.read(f"{self.cgroup}/{file}").strip() for file in files]


@pytest.fixture(scope="module")
def crt(runtimes, request):
    """The runtime under test alone: units and words are its own."""
    name = pathlib.Path(request.config.getoption("--runtime")).name
    if name == CONTROL:
        pytest.skip("these cases are about crt's own units")
    return runtimes[name]


@pytest.fixture(params=[None, "full"], ids=["root", "user"])
def box(request, crt):
    made = Box(crt, request.param)
    yield made
    for name in made("list", "--quiet").out.split():
        made("delete", "--force", name)
    assert made.unit is None or made.show("LoadState")["LoadState"] == "not-found", "the unit is still there"


@pytest.fixture
def root_box(crt):
    made = Box(crt)
    yield made
    for name in made("list", "--quiet").out.split():
        made("delete", "--force", name)


def test_unit_and_limits(box):
    box.bundle("sleep", "1000", annotations={"org.systemd.property.TimeoutStopSec": "7"}).start()
    shown = box.show("Delegate", "CollectMode", "DefaultDependencies", "Description", "MemoryMax", "MemorySwapMax", "TasksMax",
                     "CPUWeight", "CPUQuotaPerSecUSec", "AllowedCPUs", "TimeoutStopUSec", "ControlGroup", "Slice")
    assert shown == {
        "Delegate": "yes", "CollectMode": "inactive-or-failed", "DefaultDependencies": "no", "Description": f"container {box.name}",
        "MemoryMax": str(64 * MIB), "MemorySwapMax": str(64 * MIB), "TasksMax": "40", "CPUWeight": "174", "CPUQuotaPerSecUSec": "250ms",
        "AllowedCPUs": "1", "TimeoutStopUSec": "7s", "Slice": "user.slice" if box.user else "system.slice",
        "ControlGroup": box.cgroup[len(CGROUP):-len("/container")]}
    assert box.read("memory.max", "pids.max", "cpu.max", "cpuset.cpus", "cgroup.procs") == \
        [str(64 * MIB), "40", "25000 100000", "1", str(box.state["pid"])]
    box("delete", "--force", box.name)


def test_update_survives_daemon_reload(box):
    box.bundle("sleep", "1000").start()
    ok(box("update", "--memory", str(32 * MIB), "--pids-limit", "30", box.name))
    assert box.show("MemoryMax", "TasksMax") == {"MemoryMax": str(32 * MIB), "TasksMax": "30"}
    ok(box.vm.run(["systemctl", *(["--user"] if box.user else []), "daemon-reload"], user=box.user, timeout=120))
    above = str(pathlib.PurePath(box.cgroup).parent)
    assert box.vm.read(f"{above}/memory.max").strip() == str(32 * MIB)
    assert box.read("memory.max", "pids.max") == [str(32 * MIB), "30"]


def test_device_rules_survive_daemon_reload(root_box):
    """systemd applies the unit's own idea of devices anew; the container's filter is in its own cgroup."""
    box = root_box.bundle("sh", "-c", "mknod /dev/allowed c 1 5; mknod /dev/denied b 1 0; sleep 1000", resources={
        "devices": [{"allow": False, "access": "rwm"}, {"allow": True, "type": "b", "major": 1, "minor": 0, "access": "m"}]}).start()
    probe = ["exec", box.name, "sh", "-c", "head -c 1 /dev/allowed | wc -c; head -c 1 /dev/denied"]
    for _ in range(2):
        result = box(*probe)
        assert result.out == "1\n" and "Operation not permitted" in result.err, result
        ok(box.vm.run("systemctl daemon-reload", timeout=120))


def test_stop_of_the_unit_ends_the_container(box):
    box.bundle("sleep", "1000", annotations={"org.systemd.property.TimeoutStopSec": "1"}).start()
    box.vm.run(["systemctl", *(["--user"] if box.user else []), "stop", box.unit], user=box.user, timeout=120)
    assert box.state["status"] == "stopped"
    ok(box("delete", box.name))


def test_the_end_of_the_container_ends_the_unit(box):
    box.bundle("sh", "-c", "exit 7", resources={"pids": {"limit": 1}})
    for _ in range(3):  # at once, again: the last one of that name may not be buried yet
        result = box.vm.run([box.rt.path, "--systemd-cgroup", "run", "--bundle", box.folder, box.name], user=box.user)
        assert result.code == 7, result


def test_a_name_that_is_taken(root_box):
    first = root_box.bundle("sleep", "1000").start()
    result = first.vm.run([first.rt.path, "--systemd-cgroup", "run", "--bundle", first.folder, "another"])
    assert result.code == 1 and f"the unit {first.unit} exists already" in result.err, result
    assert first.state["status"] == "running"


def test_slices(root_box):
    box = root_box.bundle("sleep", "1000", path="boats-red.slice:libpod:0a1b").start()
    assert box.unit == "libpod-0a1b.scope"
    assert box.cgroup == f"{CGROUP}/boats.slice/boats-red.slice/{box.unit}/container"


def test_a_name_that_ends_in_slice(root_box):
    """A slice takes in no process: the container has a scope, called so, as crun makes it."""
    box = root_box.bundle("sleep", "1000", path="boats.slice:crt:red.slice").start()
    assert box.unit == "crt-red.slice.scope"
    assert box.cgroup == f"{CGROUP}/boats.slice/{box.unit}/container"
    assert box.show("Slice", "Delegate", "MemoryMax") == {"Slice": "boats.slice", "Delegate": "yes", "MemoryMax": str(64 * MIB)}


def test_a_cgroup_for_the_container_to_manage(box):
    """run.oci.delegate-cgroup: the limits are above, and every controller is handed down."""
    box.bundle("sleep", "1000", annotations={"run.oci.systemd.subgroup": "own", "run.oci.delegate-cgroup": "payload"}).start()
    assert box.cgroup.endswith(f"/{box.unit}/own/payload")
    assert box.read("../memory.max", "memory.max", "../pids.max", "pids.max") == [str(64 * MIB), "max", "40", "max"]
    assert {"memory", "pids", "cpu"} <= set(box.read("cgroup.controllers")[0].split())
    assert box("exec", box.name, "sh", "-c", "exit 6").code == 6


def test_memory_limit_kills_inside(root_box):
    box = root_box.bundle("sh", "-c", "exec dd if=/dev/zero of=/dev/null bs=64M count=1", resources={
        "memory": {"limit": 32 * MIB, "swap": 32 * MIB}})
    assert box.vm.run([box.rt.path, "--systemd-cgroup", "run", "--bundle", box.folder, box.name]).code == 137


def test_refused_property(root_box):
    """Of the right type, but systemd does not like the value."""
    box = root_box.bundle("true", annotations={"org.systemd.property.CollectMode": "'sometimes'"})
    result = box.vm.run([box.rt.path, "--systemd-cgroup", "run", "--bundle", box.folder, box.name])
    assert result.code == 1 and f"cannot start the unit {box.unit}" in result.err and "sometimes" in result.err, result


def test_from_a_login_session(crt):
    """A user's shell is outside of what his service manager may move processes in; the container still gets its unit."""
    box = Box(crt, "full").bundle("sh", "-c", "exit 5", resources={"memory": {"limit": 64 * MIB}})
    uid = ok(box.vm.run("id -u full")).strip()
    result = box.vm.run(["systemd-run", "--quiet", "--wait", "--pipe", f"--uid={uid}", "-p", "PAMName=login", "-E",
                         f"XDG_RUNTIME_DIR=/run/user/{uid}", "sh", "-c", 'grep ^0:: /proc/self/cgroup; exec "$@"', "sh", crt.path,
                         "--systemd-cgroup", "run", "--bundle", box.folder, box.name], timeout=120)
    assert re.match(rf"0::/user.slice/user-{uid}.slice/session-\w+.scope$", result.out.strip()), result
    assert result.code == 5, result


# ---- In a service ----

TRAP = "trap 'echo stopped; exit 0' TERM; echo started; while :; do sleep 0.1; done"


@pytest.fixture
def service(crt):
    """service(box, *properties): crt run --cgroup-manager self as a service; its name."""
    started = []

    def start(box, *properties, words=("run",), options=()):
        name = f"{box.name}.service"
        started.append(name)
        settings = [word for item in properties for word in ("-p", item)]
        ok(crt.vm.run(["systemd-run", "--quiet", "--unit", name, *options, "-p", "Delegate=yes", *settings, crt.path,
                       "--cgroup-manager", "self", *words, "--bundle", box.folder, box.name]))
        return name
    yield start
    for name in started:
        crt.vm.run(f"systemctl kill --signal KILL {name}; systemctl reset-failed {name}")


def properties(vm, unit, *names):
    return dict(line.split("=", 1) for line in ok(vm.run(["systemctl", "show", unit, "-p", ",".join(names)])).splitlines())


def wait_for(vm, script, seconds=60):
    ok(vm.run(f"for i in $(seq {seconds * 5}); do {script} && exit 0; sleep 0.2; done; exit 1", timeout=seconds + 60))


def test_self_status_and_stop(root_box, service):
    box = root_box.bundle("sh", "-c", TRAP, path="")
    unit = service(box, f"MemoryMax={200 * MIB}")
    wait_for(box.vm, f"journalctl -u {unit} -o cat | grep -q started")
    folder = f"{CGROUP}/system.slice/{unit}"
    pid = str(box.state["pid"])
    assert box.cgroup == f"{folder}/payload/{box.name}"
    assert box.vm.read(f"{folder}/cgroup.procs") == ""
    assert box.vm.read(f"{folder}/supervisor/cgroup.procs").split() == [properties(box.vm, unit, "MainPID")["MainPID"]]
    assert box.read("memory.max") == [str(64 * MIB)]  # its own limit, below the unit's
    status = box.vm.run(["systemctl", "status", "--no-pager", unit]).out
    assert "payload" in status and pid in status and "max: 200M" in status, status
    ok(box.vm.run(["systemctl", "stop", unit], timeout=120))
    assert "stopped" in ok(box.vm.run(f"journalctl -u {unit} -o cat"))
    assert properties(box.vm, unit, "ActiveState", "Result") == {"ActiveState": "inactive", "Result": "success"}
    assert box("list", "--quiet").out == "" and box.vm.run(["test", "-e", folder]).code == 1


def test_the_units_memory_limit_holds_the_container(root_box, service):
    box = root_box.bundle("sh", "-c", "dd if=/dev/zero of=/dev/null bs=128M count=1; echo code $?; sleep 1000", resources={}, path="")
    unit = service(box, f"MemoryMax={32 * MIB}", "MemorySwapMax=0", "OOMPolicy=continue")
    wait_for(box.vm, f"journalctl -u {unit} -o cat | grep -q 'code 137'")
    assert "oom_kill 1" in box.read("memory.events")[0]


def test_self_without_delegation_of_the_controller(root_box, service):
    """The unit was given nothing but pids."""
    box = root_box.bundle("true", resources={"pids": {"limit": 7}})
    unit = service(box, "Delegate=pids")
    wait_for(box.vm, f"systemctl is-failed -q {unit} || ! systemctl is-active -q {unit}")
    assert properties(box.vm, unit, "ExecMainStatus")["ExecMainStatus"] == "0"


def test_self_refuses_a_limit_without_its_controller(root_box, service):
    """One that systemd hands down to nobody; an engine may have, in system.slice."""
    box = root_box.bundle("true", resources={"hugepageLimits": [{"pageSize": "2MB", "limit": 0}]})
    unit = service(box, "Slice=bare.slice")
    wait_for(box.vm, f"systemctl is-failed -q {unit}")
    assert "hugetlb controller" in ok(box.vm.run(f"journalctl -u {unit} -o cat"))


def test_self_in_a_unit_that_is_systemds_own(root_box, service):
    box = root_box.bundle("true", path="")
    unit = service(box, "Delegate=no")
    wait_for(box.vm, f"systemctl is-failed -q {unit}")
    assert f"the cgroup /system.slice/{unit} is systemd's own" in ok(box.vm.run(f"journalctl -u {unit} -o cat"))


# ---- Type=notify ----


@pytest.mark.parametrize("words", [["run"], ["run", "--detach"]], ids=["run", "detached"])
def test_type_notify(root_box, service, probe, words):
    """The unit is active when the container says so; its process is crt, or the container's if crt is gone."""
    vm, gate = root_box.vm, "/tmp/gate"
    vm.run(f"rm -rf {gate}; mkdir {gate}", check=True)
    script = "while [ ! -e /gate/open ]; do sleep 0.1; done; /probe notify 'READY=1\nSTATUS=sailing\nMAINPID=1'; " + TRAP
    box = root_box.bundle("sh", "-c", script, path="", mounts=[
        {"destination": "/probe", "type": "bind", "source": probe, "options": ["bind", "ro"]},
        {"destination": "/gate", "type": "bind", "source": gate, "options": ["bind"]}])
    unit = service(box, "Type=notify", words=words, options=["--no-block"])
    wait_for(vm, f"{box.rt.path} ps {box.name} >/dev/null 2>&1")
    assert properties(vm, unit, "ActiveState") == {"ActiveState": "activating"}
    vm.run(["touch", f"{gate}/open"], check=True)
    wait_for(vm, f"systemctl is-active -q {unit}")
    wait_for(vm, f"journalctl -u {unit} -o cat | grep -q started")
    shown = properties(vm, unit, "StatusText", "MainPID")
    assert shown["StatusText"] == "sailing"
    command = vm.read(f"/proc/{shown['MainPID']}/cmdline")
    assert shown["MainPID"] == str(box.state["pid"]) if "--detach" in words else "crt" in command, command
    ok(vm.run(["systemctl", "stop", unit], timeout=120))
    assert properties(vm, unit, "ActiveState", "Result") == {"ActiveState": "inactive", "Result": "success"}
    box("delete", "--force", box.name)

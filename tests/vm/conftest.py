"""
Cases in the test machine. They run on the host and send commands to the guest (machine.py):

    contrib/vm-check tests/vm/test_podman.py          or, with this directory's defaults,
    /usr/bin/python3 -m pytest tests/vm/test_podman.py -k stop --runtime /path/to/crt

Each case with the argument "rt" runs twice, with crun first: the control. A case that fails with crun too is the
machine's fault, and its report says so. With --control failures the first time without controls. contrib/vm-check
runs what failed once more, after its controls, and says so.

Evidence is what the kernel or the engine shows, never an exit code alone.
"""
import json
import os
import pathlib
import re
import shlex
import subprocess

import pytest

import image
from machine import Machine, end_on_signals

HERE = pathlib.Path(__file__).resolve().parent
CONTROL = "crun"
BUILT = pathlib.Path(os.environ.get("CRT_BUILD", HERE.parents[1] / "build")) / "crt"
ROOTFS = "/var/lib/vm/rootfs"
IMAGE = image.IMAGE_NAME


def pytest_addoption(parser):
    parser.addoption("--suite", default="trixie", help="the Debian of the machine")
    parser.addoption("--kernel", help="take the kernel of another Debian")
    parser.addoption("--runtime", default=str(BUILT), help="the runtime under test: a file of the host, or a command of the machine")


    parser.addoption("--control", choices=["always", "failures"], default="always", help=f"when a case runs with {CONTROL}, too")


def pytest_generate_tests(metafunc):
    if "rt" in metafunc.fixturenames:
        name = pathlib.Path(metafunc.config.getoption("--runtime")).name
        first = [CONTROL] if metafunc.config.getoption("--control") == "always" else []
        metafunc.parametrize("rt", dict.fromkeys([*first, name]), indirect=True)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    report = (yield).get_result()
    runtime = getattr(item, "callspec", None) and item.callspec.params.get("rt")
    if not runtime or not report.failed:
        return
    failed = item.session.stash.setdefault(FAILED_CONTROLS, set())
    control = item.nodeid.replace(f"[{item.callspec.id}]", f"[{item.callspec.id.replace(runtime, CONTROL)}]")
    if runtime == CONTROL:
        failed.add(item.nodeid)
    elif control in failed:
        report.sections.append(("control", f"{CONTROL} fails this case too: the machine is at fault, or the case is"))


FAILED_CONTROLS = pytest.StashKey()


# ---- The machine and what runs in it ----


@pytest.fixture(scope="session")
def vm(request):
    """The machine: the one of contrib/vm-check if it started this run, else one of our own."""
    machine = getattr(request.config, "machine", None)
    if machine:
        yield machine
        return
    end_on_signals()
    with Machine(image.ensure(request.config.getoption("--suite"), request.config.getoption("--kernel"))) as machine:
        yield machine


class Runtime:
    """A runtime in the guest, and its command line."""

    def __init__(self, machine, name, path):
        self.vm, self.name, self.path = machine, name, path
        self.serial = 0

    def has(self, option):
        return option in self.vm.run(f"{self.path} --help", check=True).out

    def bundle(self, *args, resources=None, user=None, **linux):
        """A bundle that runs args in the common root filesystem; its folder and the id of its container."""
        self.serial += 1
        name = f"case{self.serial}"
        folder = f"/tmp/{user or 'root'}-{self.name}/{name}"
        document = config(args, name, resources, **linux)
        self.vm.run(f"mkdir -p {folder} && chmod 711 {folder} && cat >{folder}/config.json",
                    stdin=json.dumps(document).encode(), user=user, check=True)
        return folder, name

    def run(self, *args, timeout=60, user=None, **options):
        """crt run of a new bundle; the container is gone afterwards."""
        folder, name = self.bundle(*args, user=user, **options)
        return self.vm.run(f"{self.path} run --bundle {folder} {name}", user=user, timeout=timeout)

    def __call__(self, command, *args, **options):
        return self.vm.run([self.path, command, *args], **options)


def config(args, name, resources, **linux):
    capabilities = ["CAP_MKNOD", "CAP_KILL", "CAP_CHOWN", "CAP_DAC_OVERRIDE"]
    namespaces = ["pid", "network", "ipc", "uts", "mount", "cgroup"]
    return {
        "ociVersion": "1.0.2",
        "hostname": "case",
        "root": {"path": ROOTFS},
        "process": {
            "user": {"uid": 0, "gid": 0}, "cwd": "/", "args": list(args), "env": ["PATH=/bin"], "noNewPrivileges": True,
            "capabilities": {name: capabilities for name in ("bounding", "effective", "permitted")},
            **linux.pop("process", {}),
        },
        "mounts": [
            {"destination": "/proc", "type": "proc", "source": "proc"},
            {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "strictatime", "mode=755", "size=65536k"]},
            {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["nosuid", "noexec", "nodev", "ro"]},
            {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": ["nosuid", "noexec", "nodev", "ro"]},
            *linux.pop("mounts", []),
        ],
        "linux": {"cgroupsPath": f"/vm-{name}", "namespaces": [{"type": kind} for kind in namespaces],
                  **({"resources": resources} if resources else {}), **linux},
    }


def put_runtimes(machine, path):
    """Name -> Runtime: the control, and the one under test, which is put into the guest."""
    if path.parent != pathlib.Path("."):
        if not path.exists():
            pytest.exit(f"there is no {path}: build crt first, or name a runtime with --runtime", returncode=3)
        machine.put(path, f"/usr/local/bin/{path.name}")
        for program in path.parent.glob("crt-*"):  # what make install puts into the libexec folder
            machine.put(program, f"/usr/local/libexec/crt/{program.name}")
    found = {name: Runtime(machine, name, machine.run(["which", name], check=True).out.strip()) for name in (CONTROL, path.name)}
    for runtime in found.values():
        machine.say(f"{runtime.path}: {machine.run([runtime.path, '--version'], check=True).out.splitlines()[0]}")
    return found


@pytest.fixture(scope="session")
def runtimes(vm, request):
    return put_runtimes(vm, pathlib.Path(request.config.getoption("--runtime")))


@pytest.fixture
def rt(request, runtimes):
    runtime = runtimes[request.param]
    yield runtime
    for name in runtime.vm.run([runtime.path, "list", "--quiet"]).out.split():
        runtime("delete", "--force", name)


@pytest.fixture(scope="session")
def probe(vm, tmp_path_factory):
    """The program of tests/e2e that says things to $NOTIFY_SOCKET, among others; its place in the machine."""
    path = tmp_path_factory.mktemp("probe") / "probe"
    subprocess.run(["cc", "-D_GNU_SOURCE", "-O1", "-static", "-o", path, HERE.parent / "e2e/probe.c"], check=True)
    vm.put(path, "/var/lib/vm/probe")
    return "/var/lib/vm/probe"


@pytest.fixture(params=["cgroupfs", "systemd"])
def manager(request, rt):
    """Who makes a container's cgroup."""
    if request.param == "systemd" and not rt.has("--systemd-cgroup"):
        pytest.skip(f"{rt.name} has no --systemd-cgroup")
    return request.param


# ---- Words for the cases ----


def numbers(text):
    """The "key value" lines of a cgroup file."""
    return {key: int(value) for key, value in re.findall(r"^(\S+) (\d+)$", text, re.M)}


# script(1) of util-linux ends the input of a terminal whose caller has none, and then may lose the last of the output
TERMINAL = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"


def on_terminal(command):
    """A command that runs this one on a terminal of 33 rows and 99 columns."""
    return ["python3", "-c", TERMINAL, "sh", "-c", "stty rows 33 cols 99; exec " + shlex.join(command)]


def ok(result, code=0):
    """The output of a command that ended with this exit code."""
    assert result.code == code, f"expected exit code {code}: {result}"
    return result.out

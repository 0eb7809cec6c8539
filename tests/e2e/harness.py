"""The tools behind the fixtures: bundles, the runtime, and what the host looks like."""
import copy
import ctypes
import dataclasses
import functools
import itertools
import json
import os
import pathlib
import platform
import re
import shutil
import signal
import subprocess
import tempfile
import time

import pytest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILD = pathlib.Path(os.environ.get("CRT_BUILD", ROOT / "build"))
CRT = os.environ.get("CRT", str(BUILD / "crt"))
IS_CRT = pathlib.Path(CRT).name == "crt"
# What make install puts into the libexec folder
os.environ.setdefault("CRT_LIBEXEC", str(BUILD))
SHARED = pathlib.Path(os.environ.get("CRT_SHARED", ROOT.parent / "shared"))
CGROUP = pathlib.Path("/sys/fs/cgroup")
# Other containers run on this machine meanwhile: look only for what carries the names of these tests
BUSY = bool(os.environ.get("CRT_E2E_BUSY"))
TOKEN = f"e2e{os.getpid()}"
# Who runs the tests: root, an ordinary user, or root of a user namespace; see tests/e2e/run
AS = os.environ.get("CRT_E2E_AS", "root")
# All waits are this many times longer: for a machine that is emulated
PATIENCE = int(os.environ.get("CRT_E2E_PATIENCE", "1"))


EVERYWHERE = pytest.mark.holds("root", "user", "userns")


def only(*who, why):
    """This case holds for these only; `why` completes "not as a user, since ..."."""
    return pytest.mark.holds(*who, why=why)


# ---- The machine -----------------------------------------------------------------------------------------------

def why_not_here():
    if AS != "user" and os.geteuid() != 0:
        return "tests/e2e needs root: sudo tests/e2e/run"
    if not shutil.which(CRT):
        return f"{CRT} does not exist: run make first"
    if not (CGROUP / "cgroup.controllers").exists():
        return "no cgroup v2 at /sys/fs/cgroup: start with tests/e2e/run"
    return None


@functools.lru_cache
def controllers():
    return set((CGROUP / "cgroup.controllers").read_text().split())


def security_modules():
    try:
        return pathlib.Path("/sys/kernel/security/lsm").read_text().strip().split(",")
    except OSError:
        return []


def has_selinux_policy():
    """Without a policy, every process has the label "kernel"."""
    return "selinux" in security_modules() and ":" in pathlib.Path("/proc/self/attr/current").read_text()


def kernel_release():
    return platform.release()


def kernel():
    return tuple(int(part) for part in re.match(r"(\d+)\.(\d+)", kernel_release()).groups())


def become_subreaper():
    """Containers whose crt has returned become children of the tests, which can then see them all."""
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)


def wait_for(condition, seconds=5, what="the condition"):
    """Poll until condition() is true; returns its value."""
    end = time.monotonic() + seconds * PATIENCE
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds * PATIENCE} s for {what}")
        time.sleep(0.01)


def user_mapping(own):
    """What an ordinary user may map: himself, and the range that /etc/subuid gives him, if he can have it."""
    mapping = [{"containerID": 0, "hostID": own, "size": 1}]
    if shutil.which("newuidmap"):
        first, size = map(int, os.environ["CRT_E2E_RANGE"].split())
        mapping.append({"containerID": 1, "hostID": first, "size": size})
    return mapping


# ---- The root file system ------------------------------------------------------------------------------------

def build_static(source, target):
    subprocess.run([os.environ.get("CC", "cc"), "-D_GNU_SOURCE", "-O1", "-static", "-o", target, source], check=True)


def make_rootfs(path):
    """A small userland: busybox, probe, a passwd file and empty folders."""
    for folder in ("bin", "dev", "etc", "home", "proc", "root", "run", "sys", "tmp", "usr", "var/log"):
        (path / folder).mkdir(parents=True)
    busybox = shutil.which("busybox")
    shutil.copy(busybox, path / "bin/busybox")
    for applet in subprocess.run([busybox, "--list"], check=True, capture_output=True, text=True).stdout.split():
        if applet != "busybox":
            (path / "bin" / applet).symlink_to("busybox")
    build_static(HERE / "probe.c", path / "bin/probe")
    (path / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/home:/bin/sh\n")
    (path / "etc/group").write_text("root:x:0:\nuser:x:1000:\n")
    (path / "tmp").chmod(0o1777)
    path.chmod(0o755)
    return path


def default_config(path):
    """What `crt spec` writes, made to run without a terminal."""
    options = (["--rootless"] if AS == "user" else []) + (["--bundle", path] if IS_CRT else [])
    subprocess.run([CRT, "spec", *options], cwd=path, check=True, stdin=subprocess.DEVNULL)
    config = json.loads((path / "config.json").read_text())
    if AS == "user":
        for key, own in (("uidMappings", os.getuid()), ("gidMappings", os.getgid())):
            config["linux"][key] = user_mapping(own)
    config["process"]["terminal"] = False
    config["root"] = {"path": "rootfs"}
    return config


# ---- The runtime under test ----------------------------------------------------------------------------------

@dataclasses.dataclass
class Result:
    args: list
    code: int
    out: str
    err: str

    def ok(self):
        assert self.code == 0, f"{' '.join(map(str, self.args))}: exit code {self.code}\n{self.err}{self.out}"
        return self

    def failed(self, *words, code=None):
        """It failed in an orderly way, and said these words."""
        assert self.code > 0 if code is None else self.code == code, f"exit code {self.code}\n{self.err}{self.out}"
        for word in words:
            assert re.search(word, self.err), f"{word!r} is not in {self.err!r}"
        return self

    def json(self):
        return json.loads(self.ok().out)


class Runtime:
    """crt, with a state directory of its own."""
    numbers = itertools.count(1)

    def __init__(self, state, log):
        self.state = state
        self.log = log

    def command(self, *args):
        return [CRT, "--root", str(self.state), *map(str, args)]

    def __call__(self, *args, input=None, timeout=30, **options):
        """Run to the end; returns a Result. Output goes to files: a container may outlive the command and hold it."""
        command = options.pop("command", None) or self.command(*args)
        if input is None:
            options.setdefault("stdin", subprocess.DEVNULL)
        with tempfile.TemporaryFile("w+", errors="replace") as out, tempfile.TemporaryFile("w+", errors="replace") as err:
            done = subprocess.run(command, input=input, stdout=out, stderr=err, timeout=timeout * PATIENCE, text=True, **options)
            out.seek(0)
            err.seek(0)
            result = Result(command, done.returncode, out.read(), err.read())
        assert "Sanitizer" not in result.err, result.err
        return result

    def start_process(self, *args, **options):
        """Run in the background; returns a Popen."""
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True} | options
        return subprocess.Popen(self.command(*args), **options)

    def new_id(self):
        return f"{TOKEN}-{next(self.numbers)}"

    def ids(self):
        """The containers in the state directory; what begins with a dot belongs to all of them."""
        found = self.state.iterdir() if self.state.exists() else []
        return sorted(path.name for path in found if path.is_dir() and not path.name.startswith("."))

    # What tests do most

    def create(self, bundle, *options, container=None, **more):
        """create; returns a Container whose output goes to a file. Fails when create does."""
        bundle.write()
        container = Container(self, container or self.new_id(), bundle)
        with open(container.out_path, "w") as out:
            command = self.command("create", "--bundle", bundle.path, *options, container.id)
            more = {"stdin": subprocess.DEVNULL} | more
            done = subprocess.run(command, stdout=out, stderr=subprocess.STDOUT, timeout=30 * PATIENCE, **more)
        assert done.returncode == 0, f"create: exit code {done.returncode}\n{container.out_path.read_text()}"
        return container

    def start(self, bundle, *options, **more):
        """create and start; returns the running Container."""
        container = self.create(bundle, *options, **more)
        self("start", container.id).ok()
        return container

    def state_of(self, container):
        return self("state", container).json()


class Container:
    def __init__(self, crt, name, bundle):
        self.crt, self.id, self.bundle = crt, name, bundle
        self.out_path = bundle.path / f"{name}.out"

    @property
    def state(self):
        return self.crt.state_of(self.id)

    @property
    def status(self):
        return self.state["status"]

    @functools.cached_property
    def pid(self):
        return self.state["pid"]

    @property
    def out(self):
        return self.out_path.read_text()

    @property
    def root(self):
        """The container's file system, as the host reaches it."""
        return pathlib.Path(f"/proc/{self.pid}/root")

    def start(self):
        self.crt("start", self.id).ok()
        return self

    def wait_for_output(self, text, seconds=5):
        wait_for(lambda: text in self.out, seconds, f"{text!r} in the container's output {self.out!r}")

    def wait_stopped(self, seconds=5):
        pid = self.pid
        wait_for(lambda: reap(pid) or self.status == "stopped", seconds, "the end of the container")
        wait_for(lambda: self.status == "stopped", seconds, "status stopped")
        return self

    def kill(self, *signals):
        self.crt("kill", self.id, *signals).ok()

    def delete(self, *options):
        self.crt("delete", *options, self.id).ok()

    def end(self):
        """Kill and delete, whatever it does."""
        self.crt("delete", "--force", self.id).ok()

    @property
    def cgroup(self):
        return cgroup_of(self.pid)

    def proc(self, name):
        return pathlib.Path(f"/proc/{self.pid}/{name}").read_text()


class Bundle:
    """A folder with config.json and rootfs. bundle["process.cwd"] = "/tmp" changes the config, which run writes."""

    def __init__(self, crt, path, template, config):
        self.crt, self.path, self.rootfs = crt, path, path / "rootfs"
        self.config = copy.deepcopy(config)
        path.mkdir()
        # Names of its own, contents shared: a test that overwrites a file in place copies it first
        subprocess.run(["cp", "-al", str(template), str(self.rootfs)], check=True)

    def _find(self, key):
        node = self.config
        *path, last = key.split(".")
        for part in path:
            node = node[int(part)] if isinstance(node, list) else node.setdefault(part, {})
        return node, int(last) if isinstance(node, list) else last

    def __getitem__(self, key):
        node, last = self._find(key)
        return node[last]

    def __setitem__(self, key, value):
        node, last = self._find(key)
        node[last] = value

    def __delitem__(self, key):
        node, last = self._find(key)
        node.pop(last, None)

    def mount(self, destination, kind, source=None, options=()):
        self.config["mounts"].append({"destination": destination, "type": kind, "source": source or kind,
                                      "options": list(options)})

    def mount_entry(self, destination):
        return next(entry for entry in self.config["mounts"] if entry["destination"] == destination)

    def without_mount(self, *destinations):
        self.config["mounts"] = [entry for entry in self.config["mounts"] if entry["destination"] not in destinations]

    def bind(self, source, destination, *options):
        self.mount(destination, "bind", str(source), ["bind", *options])

    def without_namespace(self, *kinds):
        namespaces = self.config["linux"]["namespaces"]
        namespaces[:] = [entry for entry in namespaces if entry["type"] not in kinds]

    def namespace(self, kind, path=None):
        self.without_namespace(kind)
        self.config["linux"]["namespaces"].append({"type": kind} | ({"path": str(path)} if path else {}))

    def user_namespace(self, host=100000, size=65536):
        self.namespace("user")
        for key in ("uidMappings", "gidMappings"):
            self.config["linux"][key] = [{"containerID": 0, "hostID": host, "size": size}]
        subprocess.run(["chown", "-h", f"{host}:{host}", str(self.rootfs)], check=True)
        # Its files are hard links that other tests share: only the folders change hands
        for folder in [path for path in self.rootfs.rglob("*") if path.is_dir() and not path.is_symlink()]:
            os.chown(folder, host, host)

    def all_capabilities(self, *more):
        names = self.config["process"]["capabilities"]
        for key in ("bounding", "effective", "permitted"):
            names[key] = sorted(set(names[key]) | set(more))

    def write(self):
        (self.path / "config.json").write_text(json.dumps(self.config, indent=2))
        return self

    def run(self, *args, options=(), container=None, **more):
        """crt run; args replace the process's arguments. Returns a Result."""
        if args:
            self.config["process"]["args"] = list(map(str, args))
        self.write()
        return self.crt("run", *options, "--bundle", self.path, container or self.crt.new_id(), **more)

    def sh(self, script, **more):
        """The output of a shell script in the container, which must succeed and print no error."""
        result = self.run("/bin/sh", "-c", script, **more).ok()
        assert result.err == "", result.err
        return result.out

    def script(self, text):
        """Set the process to a shell script, for create and start."""
        self.config["process"]["args"] = ["/bin/sh", "-c", text]
        return self

    def sleeper(self):
        return self.script("exec sleep 1000")


# ---- What the kernel shows -----------------------------------------------------------------------------------

@dataclasses.dataclass
class Mount:
    root: str
    target: str
    options: set
    propagation: str
    kind: str
    source: str
    super_options: set


def mounts(mountinfo):
    """{target: Mount} of a mountinfo text; the uppermost of a stack counts."""
    found = {}
    for line in mountinfo.splitlines():
        left, right = line.split(" - ")
        fields, (kind, source, *superblock) = left.split(), right.split(" ")
        target = re.sub(r"\\(\d{3})", lambda code: chr(int(code.group(1), 8)), fields[4])
        found[target] = Mount(fields[3], target, set(fields[5].split(",")), " ".join(fields[6:]), kind, source,
                              set((superblock or [""])[0].split(",")))
    return found


def status(text):
    """{"CapEff": "00..", ...} of /proc/PID/status."""
    return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)


def namespace(pid, kind):
    return os.readlink(f"/proc/{pid}/ns/{kind}")


def cgroup_of(pid):
    path = next(line[3:] for line in pathlib.Path(f"/proc/{pid}/cgroup").read_text().splitlines() if line.startswith("0::"))
    return CGROUP / path.lstrip("/")


# ---- Before and after ----------------------------------------------------------------------------------------

def children_of(pid):
    """All living and dead descendants, {pid: command line}."""
    found = {}
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            for child in map(int, task.read_text().split()):
                found[child] = command_line(child)
                found |= children_of(child)
        except (FileNotFoundError, ProcessLookupError):
            pass
    return found


def command_line(pid):
    try:
        name = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        return name or pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return "?"


def reap(pid):
    """True when this child of ours has ended (and is reaped), or is no child of ours."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return not pathlib.Path(f"/proc/{pid}").exists()


def kill_children(known):
    for pid in children_of(os.getpid()):
        if pid not in known:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            end = time.monotonic() + 2
            while not reap(pid) and time.monotonic() < end:
                time.sleep(0.01)


def of_systemd(path):
    """Services and sessions of the machine come and go by themselves; a test's cgroup has its name."""
    return re.search(r"\.(slice|scope|service)(/|$)", path) and TOKEN not in path


def cgroups():
    """All but the parent that the first container makes, and leaves."""
    found = set()
    for path, folders, _ in os.walk(CGROUP):
        found.update(os.path.join(path, folder) for folder in folders if folder != "crt")
    return {path for path in found if TOKEN in path or not BUSY and not of_systemd(path)}


def keyrings():
    """Keyrings that the host's root can see, session keyrings of containers among them; not those of logins."""
    try:
        lines = pathlib.Path("/proc/keys").read_text().splitlines()
    except FileNotFoundError:
        return set()
    # Flags and expiry change of themselves; what is dead (D) is being collected
    keys = {(fields[0], fields[7], fields[8].rstrip(":")) for fields in map(str.split, lines) if "D" not in fields[1]}
    return {key for key in keys if TOKEN in key[2] or not BUSY and not re.match(r"_uid|_ses$|_tid|_pid|_persistent|\.", key[2])}


def network_namespaces():
    found = set()
    for path in pathlib.Path("/proc").glob("[0-9]*/ns/net"):
        try:
            if not of_systemd(str(cgroup_of(path.parts[2]))):
                found.add(os.readlink(path))
        except (OSError, StopIteration):
            pass
    return found


def mounts_here():
    """The lines of mountinfo, but for those below the folder of another worker of pytest-xdist."""
    own = f"/popen-{os.environ.get('PYTEST_XDIST_WORKER')}/"
    lines = pathlib.Path("/proc/self/mountinfo").read_text().splitlines()
    return {line for line in lines if all(part == own for part in re.findall(r"/popen-gw\d+/", line))}


class Snapshot:
    """What a container may leave behind on the host."""

    def __init__(self):
        self.children = children_of(os.getpid())
        self.seen = {
            "mounts": mounts_here(),
            "cgroups": cgroups(),
            "processes": {f"{pid} {name}" for pid, name in self.children.items()},
            "network namespaces": set() if BUSY else network_namespaces(),
            "keyrings": keyrings(),
            "state in /run/crt": set() if BUSY else set(os.listdir("/run/crt") if os.access("/run/crt", os.R_OK) else []),
        }

    def difference(self):
        for pid in set(children_of(os.getpid())) - set(self.children):
            reap(pid)
        now = Snapshot().seen
        return [f"{what}: {sign}{entry}" for what, before in self.seen.items()
                for sign, entries in (("+", now[what] - before), ("-", before - now[what])) for entry in sorted(map(str, entries))
                if not (what in ("keyrings", "network namespaces") and sign == "-")]

    def difference_after_settling(self, seconds):
        """The kernel takes a moment to bury a cgroup, a key or a process that is already dead."""
        end = time.monotonic() + seconds
        while (difference := self.difference()) and time.monotonic() < end:
            time.sleep(0.02)
        return difference

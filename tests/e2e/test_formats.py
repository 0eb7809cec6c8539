"""What engines and scripts parse: runc's formats, written down as runc 1.3.6 prints them on the same bundle."""
import json
import os
import pwd
import re
import subprocess

import pytest

import harness

pytestmark = [pytest.mark.skipif(not harness.IS_CRT, reason="crt's own words stand in some of these"), harness.EVERYWHERE]

OWNER = pwd.getpwuid(os.geteuid()).pw_name
TIME = r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,9}Z"


@pytest.fixture
def container(bundle, crt):
    bundle["annotations"] = {"a.b": "c", "x": "y"}
    container = crt.start(bundle.sleeper())
    yield container
    container.end()


def members(container, status, pid):
    return [("ociVersion", "1.3.0"), ("id", container.id), ("pid", pid), ("status", status), ("bundle", str(container.bundle.path)),
            ("rootfs", str(container.bundle.rootfs)), ("created", "TIME"), ("annotations", [("a.b", "c"), ("x", "y")]), ("owner", OWNER)]


def read(text):
    """JSON with the order of its members; the time is checked, and replaced."""
    text, times = re.subn(f'"{TIME}"', '"TIME"', text)
    assert times == 1, text
    return json.loads(text, object_pairs_hook=list)


def test_state(crt, container):
    """Members and their order, indented by two."""
    out = crt("state", container.id).ok().out
    assert read(out) == members(container, "running", container.pid)
    assert out.startswith('{\n  "ociVersion": "') and out.endswith('\n}\n')


def test_state_of_a_paused_container(crt, container):
    crt("pause", container.id).ok()
    assert read(crt("state", container.id).ok().out) == members(container, "paused", container.pid)


def test_state_of_a_stopped_container(crt, container):
    """Its pid is 0."""
    container.kill("KILL")
    container.wait_stopped()
    assert read(crt("state", container.id).ok().out) == members(container, "stopped", 0)
    assert crt("list").ok().out.splitlines()[1].split()[1:3] == ["0", "stopped"]


def test_state_without_annotations(bundle, crt):
    container = crt.create(bundle.sleeper())
    assert "annotations" not in crt("state", container.id).json()
    container.end()


def test_list_json(crt, container):
    """One line, the members of state."""
    out = crt("list", "--format", "json").ok().out
    assert out.count("\n") == 1 and out.startswith('[{"ociVersion":"') and out.endswith('"}]\n')
    assert read(out) == [members(container, "running", container.pid)]


def test_list_table(crt, container):
    """Columns three blanks apart, and none narrower than twelve."""
    heading, row = crt("list").ok().out.splitlines()
    cells = [container.id, str(container.pid), "running", str(container.bundle.path), re.search(TIME, row).group(), OWNER]
    names = ["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"]
    widths = [max(12, len(cell) + 3, len(name) + 3) for cell, name in zip(cells, names)]
    assert heading == "".join(f"{name:{width}}" for name, width in zip(names[:-1], widths)) + "OWNER"
    assert row == "".join(f"{cell:{width}}" for cell, width in zip(cells[:-1], widths)) + OWNER


def test_list_of_nothing(crt):
    assert crt("list").ok().out == "ID          PID         STATUS      BUNDLE      CREATED     OWNER\n"
    assert crt("list", "--format", "json").ok().out == "null\n"
    assert crt("list", "--quiet").ok().out == ""
    assert not crt.state.exists()


def test_ps_json(crt, container):
    assert crt("ps", "--format", "json", container.id).ok().out == f"[{container.pid}]\n"


def test_ps_table(crt, container):
    """The heading of ps -ef, and its lines."""
    whole = subprocess.run(["ps", "-ef"], capture_output=True, text=True).stdout.splitlines()
    heading, row = crt("ps", container.id).ok().out.splitlines()
    assert heading.split() == whole[0].split()
    assert row.split()[1] == str(container.pid) and row.split()[-2:] == ["sleep", "1000"]


def test_stats(crt, container):
    """What is there whatever the controllers are, in runc's order."""
    out = crt("events", "--stats", container.id).ok().out
    event = json.loads(out)
    assert list(event) == ["type", "id", "data"] and (event["type"], event["id"]) == ("stats", container.id)
    data = event["data"]
    assert list(data) == ["cpu", "cpuset", "memory", "pids", "blkio", "hugetlb", "intel_rdt", "network_interfaces"]
    assert list(data["cpu"])[:2] == ["usage", "throttling"] and {"total", "kernel", "user"} >= set(data["cpu"]["usage"]) >= {"kernel", "user"}
    assert data["cpuset"] == dict.fromkeys(["cpu_exclusive", "mem_hardwall", "mem_exclusive", "memory_migrate", "memory_spread_page",
                                            "memory_spread_slab", "memory_pressure", "sched_load_balance", "sched_relax_domain_level"], 0)
    for name in ("usage", "swap", "kernel", "kernelTCP"):
        assert {"limit", "failcnt"} <= set(data["memory"][name]) <= {"limit", "usage", "max", "failcnt"}
    assert data["pids"]["current"] == 1 and data["network_interfaces"] is None
    for pressure in (data[name]["psi"] for name in ("cpu", "memory", "blkio") if "psi" in data[name]):
        assert [list(line) for line in pressure.values()] == [["avg10", "avg60", "avg300", "total"]] * 2 and list(pressure) == ["some", "full"]


def test_version(crt):
    """A line each; engines look for the second word and for "spec:"."""
    lines = crt("--version").ok().out.splitlines()
    assert [re.sub(r"[\d.]+$", "N", line) for line in lines] == ["crt version N", "spec: N", "libseccomp: N"]


# What runc's document has, less what is a list of words; and what crt adds
FEATURES = {"ociVersionMin", "ociVersionMax", "hooks", "mountOptions", "linux", "annotations", "linux.namespaces", "linux.capabilities",
            "linux.cgroup.v1", "linux.cgroup.v2", "linux.cgroup.systemd", "linux.cgroup.systemdUser", "linux.cgroup.rdma",
            "linux.seccomp.enabled", "linux.seccomp.actions", "linux.seccomp.operators", "linux.seccomp.archs", "linux.seccomp.knownFlags",
            "linux.seccomp.supportedFlags", "linux.apparmor.enabled", "linux.selinux.enabled", "linux.intelRdt.enabled",
            "linux.mountExtensions.idmap.enabled", "annotations.io.github.seccomp.libseccomp.version"}


def test_features(crt):
    def walk(value, path):
        yield path
        for key, inner in value.items() if isinstance(value, dict) else ():
            yield from walk(inner, f"{path}.{key}" if path else key)
    assert FEATURES <= set(walk(crt("features").json(), ""))


# runc 1.3.6's words, none of which crt lacks
MOUNT_OPTIONS = """async atime bind defaults dev diratime dirsync exec iversion lazytime loud mand noatime nodev nodiratime noexec
noiversion nolazytime nomand norelatime nostrictatime nosuid nosymfollow private ratime rbind rdev rdiratime relatime remount rexec
rnoatime rnodev rnodiratime rnoexec rnorelatime rnostrictatime rnosuid rnosymfollow ro rprivate rrelatime rro rrw rshared rslave
rstrictatime rsuid rsymfollow runbindable rw shared silent slave strictatime suid symfollow sync tmpcopyup unbindable""".split()
SECCOMP = {"actions": "ALLOW ERRNO KILL KILL_PROCESS KILL_THREAD LOG NOTIFY TRACE TRAP", "operators": "EQ GE GT LE LT MASKED_EQ NE"}


def test_features_lack_no_word_of_runcs(crt):
    features = crt("features").json()
    assert set(MOUNT_OPTIONS) <= set(features["mountOptions"])
    assert set(features["linux"]["namespaces"]) == {"cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"}
    for kind, prefix in (("actions", "SCMP_ACT_"), ("operators", "SCMP_CMP_")):
        assert {prefix + word for word in SECCOMP[kind].split()} == set(features["linux"]["seccomp"][kind])
    assert {"SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_SPEC_ALLOW", "SECCOMP_FILTER_FLAG_LOG"} <= set(features["linux"]["seccomp"]["knownFlags"])


def test_spec(crt, tmp_path):
    """runc's starter document, but for the version and the host name."""
    crt("spec", "--bundle", tmp_path).ok()
    config = json.loads((tmp_path / "config.json").read_text())
    capabilities = {"CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"}
    assert list(config) == ["ociVersion", "process", "root", "hostname", "mounts", "linux"]
    assert list(config["process"]) == ["terminal", "user", "args", "env", "cwd", "capabilities", "rlimits", "noNewPrivileges"]
    assert {name: set(words) for name, words in config["process"]["capabilities"].items()} == dict.fromkeys(["bounding", "effective", "permitted"], capabilities)
    assert config["process"]["rlimits"] == [{"type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024}]
    assert [entry["destination"] for entry in config["mounts"]] == ["/proc", "/dev", "/dev/pts", "/dev/shm", "/dev/mqueue", "/sys", "/sys/fs/cgroup"]
    assert config["mounts"][2]["options"] == ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]
    assert config["linux"]["resources"] == {"devices": [{"allow": False, "access": "rwm"}]}
    assert config["linux"]["maskedPaths"] == ["/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
                                              "/proc/timer_stats", "/proc/sched_debug", "/sys/firmware", "/proc/scsi"]
    assert config["linux"]["readonlyPaths"] == ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]


def test_spec_rootless(crt, tmp_path):
    crt("spec", "--rootless", "--bundle", tmp_path).ok()
    config = json.loads((tmp_path / "config.json").read_text())
    assert [entry["type"] for entry in config["linux"]["namespaces"]] == ["pid", "ipc", "uts", "mount", "cgroup", "user"]
    assert config["mounts"][5] == {"destination": "/sys", "type": "none", "source": "/sys", "options": ["rbind", "nosuid", "noexec", "nodev", "ro"]}
    assert config["mounts"][2]["options"] == ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]
    assert "resources" not in config["linux"]


# ---- Help: runc's headings -----------------------------------------------------------------------------------------

def test_help(crt):
    out = crt("--help").ok().out
    assert re.findall(r"^([A-Z ]+):$", out, re.M) == ["NAME", "USAGE", "VERSION", "COMMANDS", "GLOBAL OPTIONS"]
    assert out.startswith("NAME:\n   crt - ") and "\n   --version, -v " in out


# Every option of runc 1.3.6 and crun 1.28, less those of checkpoint and restore
OPTIONS = {
    "": "debug log log-format log-level root systemd-cgroup rootless cgroup-manager help version usage",
    "create": "bundle console-socket config pid-file no-pivot no-new-keyring no-subreaper preserve-fds",
    "run": "bundle console-socket config detach keep pid-file no-subreaper no-pivot no-new-keyring preserve-fds",
    "delete": "force regex",
    "events": "interval stats",
    "exec": "console-socket cwd env tty user additional-gids process detach pid-file process-label apparmor no-new-privs cap preserve-fds cgroup ignore-paused",
    "kill": "all regex",
    "list": "format quiet",
    "ps": "format",
    "spec": "bundle rootless file",
    "update": "resources blkio-weight cpu-period cpu-quota cpu-burst cpu-share cpu-rt-period cpu-rt-runtime cpuset-cpus cpuset-mems memory "
              "cpu-idle memory-reservation memory-swap pids-limit l3-cache-schema mem-bw-schema kernel-memory kernel-memory-tcp",
    "features": "", "pause": "", "resume": "", "start": "", "state": "",
}


@pytest.mark.parametrize("command", OPTIONS, ids=lambda name: name or "crt")
def test_every_option_of_the_peers_is_known(crt, command):
    """--help after them ends the call; an unknown one would have been refused before. A value that fits none is refused by its own words."""
    for option in OPTIONS[command].split():
        result = crt(*([command] if command else []), f"--{option}=true", "--help")
        assert "unknown option" not in result.err and (result.code == 0 or f"option --{option}" in result.err), result.err

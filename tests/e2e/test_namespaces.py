"""Namespaces: new ones, the host's where none is asked for, and those joined by path."""
import os
import subprocess

import pytest

import harness

pytestmark = harness.EVERYWHERE

ALL = {"pid": "pid", "network": "net", "mount": "mnt", "ipc": "ipc", "uts": "uts", "cgroup": "cgroup"}


def links(bundle, *kinds):
    """The container's namespaces as it sees them itself."""
    lines = bundle.sh("cd /proc/self/ns; for n in *; do echo $n $(readlink $n); done").splitlines()
    found = dict(line.split() for line in lines)
    return {kind: found[ALL.get(kind, kind)] for kind in kinds}


@pytest.fixture
def holder():
    """holder(*unshare options): the pid of a process in new namespaces."""
    started = []

    def make(*options):
        process = subprocess.Popen(["unshare", *options, "sh", "-c", "echo ready; exec sleep 1000"],
                                   stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout.readline() == "ready\n"
        if "--fork" in options:
            return next(iter(harness.children_of(process.pid)))
        return process.pid

    yield make
    for process in started:
        for pid in [*harness.children_of(process.pid), process.pid]:
            try:
                os.kill(pid, 9)
            except ProcessLookupError:
                pass
        process.wait()
        process.stdout.close()


@pytest.mark.parametrize("kind", ALL)
def test_new_namespace(bundle, kind):
    bundle.namespace(kind)
    assert links(bundle, kind)[kind] != harness.namespace("self", ALL[kind])


@harness.only("root", why="without an IPC namespace there is no mqueue for a user namespace")
@pytest.mark.parametrize("kind", ["network", "ipc", "uts", "cgroup"])
def test_host_namespace_without_entry(bundle, kind):
    bundle.without_namespace(kind)
    bundle.config.pop("hostname", None)
    assert links(bundle, kind)[kind] == harness.namespace("self", ALL[kind])


@harness.only("root", why="without a pid namespace there is no procfs for a user namespace")
def test_host_pid_namespace(bundle):
    bundle.without_namespace("pid")
    bundle.config["linux"]["maskedPaths"] = []
    container_pid = int(bundle.sh("readlink /proc/self"))
    assert container_pid > 1


@harness.only("root", "userns", why="it makes namespaces that only root of the host may")
@pytest.mark.parametrize("kind, option", [("network", "--net"), ("ipc", "--ipc"), ("uts", "--uts"), ("cgroup", "--cgroup")])
def test_joined_by_path(bundle, holder, kind, option):
    pid = holder(option)
    bundle.config.pop("hostname", None)
    bundle.namespace(kind, f"/proc/{pid}/ns/{ALL[kind]}")
    assert links(bundle, kind)[kind] == harness.namespace(pid, ALL[kind])


@harness.only("root", "userns", why="it makes namespaces that only root of the host may")
def test_joined_pid_namespace(bundle, holder):
    pid = holder("--pid", "--fork", "--mount-proc")
    bundle.namespace("pid", f"/proc/{pid}/ns/pid")
    out = bundle.sh("readlink /proc/self/ns/pid; cat /proc/1/comm")
    assert out.splitlines() == [harness.namespace(pid, "pid"), "sleep"]


@harness.only("root", "userns", why="it makes namespaces that only root of the host may")
def test_joined_mount_namespace(new_bundle, crt):
    """As it is: its root is the new container's, and its mounts stay the same."""
    first, second = new_bundle("first"), new_bundle("second")
    (first.rootfs / "here").write_text("the first's\n")
    other = crt.start(first.sleeper())
    before = other.proc("mountinfo")
    second.namespace("mount", f"/proc/{other.pid}/ns/mnt")
    container = crt.start(second.script("cat /here; exec sleep 1000"))
    container.wait_for_output("the first's")
    assert harness.namespace(container.pid, "mnt") == harness.namespace(other.pid, "mnt")
    assert other.proc("mountinfo") == before and "mounts, devices and paths are ignored" in container.out
    container.end()
    other.end()


@harness.only("root", "userns", why="it makes namespaces that only root of the host may")
def test_joined_time_namespace(bundle, holder):
    pid = holder("--time", "--fork", "--boottime", "86400000")
    bundle.namespace("time", f"/proc/{pid}/ns/time")
    inode, uptime = bundle.sh("readlink /proc/self/ns/time; cat /proc/uptime").splitlines()
    assert inode == harness.namespace(pid, "time") and float(uptime.split()[0]) > 86400000


@harness.only("root", "userns", why="it makes namespaces that only root of the host may")
def test_joined_user_namespace(bundle, holder):
    """unshare has written "deny" to its setgroups, as everything must that maps ids without privilege."""
    pid = holder("--user", "--map-root-user", "--net")
    bundle.namespace("user", f"/proc/{pid}/ns/user")
    bundle.namespace("network", f"/proc/{pid}/ns/net")
    bundle.mount_entry("/dev/pts")["options"].remove("gid=5")
    assert links(bundle, "user", "network") == {"user": harness.namespace(pid, "user"),
                                                "network": harness.namespace(pid, "net")}


@harness.only("root", "userns", why="it makes namespaces that only root of the host may")
def test_two_containers_share_a_network(new_bundle, crt):
    first, second = new_bundle("first"), new_bundle("second")
    pause = crt.start(first.sleeper())
    second.namespace("network", f"/proc/{pause.pid}/ns/net")
    assert links(second, "network")["network"] == harness.namespace(pause.pid, "net")
    pause.end()


def test_pid_namespace_sees_only_itself(bundle):
    out = bundle.sh("echo $$; ls -d /proc/[0-9]*")
    pids = {int(line.removeprefix("/proc/")) for line in out.splitlines()[1:]}
    assert out.splitlines()[0] == "1"
    assert pids <= {1, 2, 3} and 1 in pids


def test_hostname(bundle):
    bundle["hostname"] = "boat"
    assert bundle.sh("hostname; uname -n") == "boat\nboat\n"


def test_hostname_stays_in_the_container(bundle):
    before = os.uname().nodename
    bundle["hostname"] = "boat"
    bundle.all_capabilities("CAP_SYS_ADMIN")
    assert bundle.sh("hostname other && hostname") == "other\n"
    assert os.uname().nodename == before


def test_domainname(bundle):
    bundle["domainname"] = "example.test"
    assert bundle.sh("cat /proc/sys/kernel/domainname") == "example.test\n"


@harness.only("root", "userns", why="it makes namespaces that only root of the host may")
def test_hostname_in_a_joined_namespace(bundle, holder):
    pid = holder("--uts")
    bundle.namespace("uts", f"/proc/{pid}/ns/uts")
    bundle["hostname"] = "joined"
    assert bundle.sh("hostname") == "joined\n"


@harness.only("root", "userns", why="a user shares the host's network namespace")
def test_new_network_has_only_a_working_loopback(bundle):
    bundle.all_capabilities("CAP_NET_RAW")
    out = bundle.sh("ls /sys/class/net; cat /sys/class/net/lo/operstate; ping -c 1 -W 1 127.0.0.1 >/dev/null && echo alive")
    assert out.split()[0] == "lo"
    assert "alive" in out


def test_new_ipc_namespace_is_empty(bundle):
    made = subprocess.run(["ipcmk", "-Q"], check=True, capture_output=True, text=True).stdout.split()[-1]
    try:
        assert len(bundle.sh("cat /proc/sysvipc/msg").splitlines()) == 1
    finally:
        subprocess.run(["ipcrm", "-q", made], check=True)


def test_cgroup_namespace_hides_the_path(bundle):
    bundle.namespace("cgroup")
    assert bundle.sh("cat /proc/self/cgroup").splitlines()[-1] == "0::/"


@harness.only("root", why="the path begins at the cgroup namespace of who looks")
def test_without_cgroup_namespace_the_path_shows(bundle):
    bundle.without_namespace("cgroup")
    bundle["linux.cgroupsPath"] = f"/{harness.TOKEN}-seen"
    assert bundle.sh("cat /proc/self/cgroup").splitlines()[-1] == f"0::/{harness.TOKEN}-seen"


def test_time_namespace_offsets(bundle):
    bundle.namespace("time")
    bundle["linux.timeOffsets"] = {"boottime": {"secs": 86400000}, "monotonic": {"secs": 3600, "nanosecs": 5}}
    lines = bundle.sh("cat /proc/self/timens_offsets; cut -d. -f1 /proc/uptime").splitlines()
    assert [line.split() for line in lines[:2]] == [["monotonic", "3600", "5"], ["boottime", "86400000", "0"]]
    assert int(lines[2]) > 86400000


def test_time_namespace_without_offsets(bundle):
    bundle.namespace("time")
    assert links(bundle, "time")["time"] != harness.namespace("self", "time")


@harness.only("root", "userns", why="it maps ids that are not the caller's")
class TestUser:
    """A user namespace of its own: root inside is nobody outside."""

    @pytest.fixture(autouse=True)
    def mapped(self, bundle):
        bundle.user_namespace(host=100000, size=65536)

    def test_maps(self, bundle):
        out = bundle.sh("cat /proc/self/uid_map /proc/self/gid_map; cat /proc/self/setgroups")
        assert [line.split() for line in out.splitlines()] == [["0", "100000", "65536"]] * 2 + [["allow"]]

    def test_root_inside_is_not_root_outside(self, bundle, crt):
        container = crt.start(bundle.sleeper())
        fields = harness.status(container.proc("status"))
        assert fields["Uid"].split() == ["100000"] * 4
        assert fields["Gid"].split() == ["100000"] * 4
        container.end()

    def test_own_files(self, bundle):
        assert bundle.sh("echo x > /tmp-file && stat -c %u:%g /tmp-file") == "0:0\n"
        assert (bundle.rootfs / "tmp-file").stat().st_uid == 100000

    def test_several_ranges(self, bundle):
        for key in ("uidMappings", "gidMappings"):
            bundle.config["linux"][key] = [{"containerID": 0, "hostID": 100000, "size": 1},
                                           {"containerID": 1000, "hostID": 200000, "size": 10}]
        bundle.config["process"]["user"] = {"uid": 1003, "gid": 1004}
        bundle.mount_entry("/dev/pts")["options"].remove("gid=5")
        out = bundle.sh("id -u; id -g; cat /proc/self/uid_map")
        assert out.split() == ["1003", "1004", "0", "100000", "1", "1000", "200000", "10"]

    def test_capabilities_do_not_reach_the_host(self, bundle):
        bundle.all_capabilities("CAP_SYS_ADMIN", "CAP_SYS_TIME")
        now = bundle.run("/bin/probe", "syscall", "clock_settime", "0", "0").ok().out
        assert now in ("EPERM\n", "EFAULT\n")
        assert bundle.run("/bin/probe", "mknod", "/tmp/null", "c", "1", "3").out == "EPERM\n"

    def test_the_namespace_owns_the_others(self, bundle):
        bundle.all_capabilities("CAP_SYS_ADMIN", "CAP_NET_ADMIN")
        assert bundle.sh("hostname inside && hostname; ip link set lo down && ip link set lo up && echo up") == "inside\nup\n"

    def test_devices_are_there(self, bundle):
        """Without CAP_MKNOD on the host: they are bound from it."""
        out = bundle.sh("echo lost > /dev/null && head -c 4 /dev/zero | wc -c; stat -c %t:%T /dev/null /dev/urandom")
        assert out.split() == ["4", "1:3", "1:9"]

    def test_host_id_outside_the_map_is_overflow(self, bundle):
        (bundle.rootfs / "roots").write_text("x")
        assert bundle.sh("stat -c %u /roots").strip() == "65534"

    def test_proc_and_sys_are_mounted(self, bundle):
        kinds = harness.mounts(bundle.sh("cat /proc/self/mountinfo"))
        assert kinds["/proc"].kind == "proc" and kinds["/sys"].kind == "sysfs"


@pytest.mark.parametrize("name, path", [("network", "/proc/self/ns/uts"), ("ipc", "/nowhere"), ("uts", "/etc/passwd")])
def test_wrong_namespace_file(bundle, crt, name, path):
    bundle.namespace(name, path)
    container = crt.new_id()
    bundle.run("true", container=container).failed(path if name != "network" else "")
    assert container not in crt.ids()

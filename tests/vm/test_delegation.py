"""
Hosts that hand out few controllers, or none: a limit is kept, or refused with the controller's name, and never
silently dropped. What needs no controller runs everywhere.
"""
import json

import pytest

from conftest import CONTROL, config, ok

MIB = 1 << 20
MEMORY = {"memory": {"limit": 32 * MIB, "swap": 32 * MIB}}
HUNGRY = "exec dd if=/dev/zero of=/dev/null bs=64M count=1"

# A cgroup whose only controllers are those given, as the whole of /sys/fs/cgroup: what a container or a poor host sees.
# The caller sits in a leaf, so that the runtime may hand controllers on.
HOST = """
set -e
echo $$ >/sys/fs/cgroup/cgroup.procs
mkdir -p /sys/fs/cgroup/vm-host/in
for controller in {controllers}; do echo +$controller >/sys/fs/cgroup/vm-host/cgroup.subtree_control; done
mkdir -p /sys/fs/cgroup/vm-host/in/leaf
echo $$ >/sys/fs/cgroup/vm-host/in/cgroup.procs
exec unshare --cgroup --mount sh -c '
    umount /sys/fs/cgroup
    mount -t cgroup2 cgroup2 /sys/fs/cgroup
    echo $$ >/sys/fs/cgroup/leaf/cgroup.procs
    exec "$@"' sh "$@"
"""


@pytest.fixture
def host(rt):
    """host(controllers)(args, resources): run in a host with these controllers, as root; nothing stays behind in it."""
    def with_controllers(controllers):
        rt.vm.write("/tmp/host.sh", HOST.format(controllers=controllers))

        def run(*args, resources=None):
            folder, name = rt.bundle(*args, resources=resources)
            result = rt.vm.run(["sh", "/tmp/host.sh", rt.path, "run", "--bundle", folder, name])
            left = rt.vm.run("find /sys/fs/cgroup/vm-host -name 'vm-case*' -type d").out
            rt.vm.run("find /sys/fs/cgroup/vm-host -depth -type d -exec rmdir {} +", check=True)
            # crun leaves the cgroup of a limit it refused
            assert left == "" or rt.name == CONTROL, f"{result}\ncgroups left behind: {left}"
            return result
        return run
    return with_controllers


def test_no_controllers_no_limits(host):
    assert ok(host("")("echo", "hi")) == "hi\n"


def test_no_controllers_limit_refused(host):
    result = host("")("echo", "hi", resources=MEMORY)
    assert result.code and result.out == "" and "memory" in result.err, result


def test_some_controllers_limit_kept(host):
    run = host("memory pids")
    assert run("sh", "-c", HUNGRY, resources=MEMORY).code == 137
    assert "can't fork" in run("sh", "-c", "for i in 1 2 3 4 5 6; do sleep 1 & done; wait", resources={"pids": {"limit": 4}}).err


def test_some_controllers_other_limit_refused(host):
    result = host("memory pids")("echo", "hi", resources={"cpu": {"quota": 20000, "period": 100000}})
    assert result.code and result.out == "" and "cpu" in result.err, result


# ---- Users: "full" has every controller delegated to the session, "bare" none ----


def run_as(rt, user, uid, *args, resources=None):
    """A rootless container: one id mapped, a cgroup below the caller's own."""
    document = config(args, "rootless", resources, uidMappings=[{"containerID": 0, "hostID": uid, "size": 1}],
                      gidMappings=[{"containerID": 0, "hostID": uid, "size": 1}])
    del document["linux"]["cgroupsPath"]
    document["linux"]["namespaces"].append({"type": "user"})
    folder = f"/home/{user}/{rt.name}"
    rt.vm.run(f"mkdir -p {folder} && cat >{folder}/config.json", user=user, stdin=json.dumps(document).encode(), check=True)
    return rt.vm.run([rt.path, "run", "--bundle", folder, f"rootless-{rt.name}"], user=user)


def test_rootless(rt):
    assert ok(run_as(rt, "full", 1000, "cat", "/proc/self/uid_map")).split() == ["0", "1000", "1"]


def test_rootless_limit_kept(rt):
    assert run_as(rt, "full", 1000, "sh", "-c", HUNGRY, resources=MEMORY).code == 137


def test_rootless_without_controllers(rt):
    assert ok(run_as(rt, "bare", 1001, "echo", "hi")) == "hi\n"


def test_rootless_without_controllers_limit_refused(rt):
    result = run_as(rt, "bare", 1001, "echo", "hi", resources=MEMORY)
    assert result.code and result.out == "" and "memory" in result.err, result

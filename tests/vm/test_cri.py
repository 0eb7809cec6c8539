"""What a kubelet does, without one: containerd's CRI plugin with the runtime as a pod's handler, with both cgroup drivers."""
import json
import time

import pytest

from conftest import IMAGE, ok
from cri import CREATED, EXITED, NODE, POD, READY, RUNNING, Cri, Refused

# A bridge for the pods that have a network of their own
CNI = {"cniVersion": "1.0.0", "name": "vm", "plugins": [{
    "type": "bridge", "bridge": "cni0", "isGateway": True, "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.99.0.0/24"}]]}}]}
CNI_FILE = "/etc/cni/net.d/00-vm.conflist"
LOGS = "/tmp/cri-logs"
SHOW = "cd /sys/fs/cgroup; echo $(cat memory.max cpu.max)"
with_systemd = pytest.mark.parametrize("manager", ["systemd"], indirect=True)


class Pod:
    """A pod of the handler; its containers share its namespaces of the network, of ipc and of uts."""

    def __init__(self, cri, rt, manager):
        self.cri, self.vm = cri, rt.vm
        self.handler = rt.name if manager == "cgroupfs" else f"{rt.name}-systemd"
        self.parent = "/vmpod" if manager == "cgroupfs" else "vmpod.slice"
        self.ids = []

    def start(self, hostname="", **options):
        self.config = {
            "metadata": {"name": "pod", "uid": "case", "namespace": "vm"}, "hostname": hostname, "log_directory": LOGS,
            "linux": {"cgroup_parent": self.parent, "security_context": {"namespace_options": {"network": POD, **options}}}}
        self.id = self.cri("RunPodSandbox", config=self.config, runtime_handler=self.handler)["pod_sandbox_id"]
        return self

    def container(self, script, resources=None, ids=(), **security):
        """A container that was created and started. ids: those of its mount."""
        config = {
            "metadata": {"name": f"c{len(self.ids)}"}, "image": {"image": IMAGE}, "command": ["sh", "-c", script], "working_dir": "/tmp",
            "envs": [{"key": "COLOUR", "value": "red"}], "log_path": f"c{len(self.ids)}",
            "mounts": [{"container_path": "/data", "host_path": "/tmp/cri-data", "readonly": 1, "uid_mappings": ids, "gid_mappings": ids}],
            "linux": {"resources": resources or {}, "security_context": security}}
        name = self.cri("CreateContainer", pod_sandbox_id=self.id, config=config, sandbox_config=self.config)["container_id"]
        assert self.status(name).get("state", CREATED) == CREATED
        self.ids.append(name)
        self.cri("StartContainer", container_id=name)
        return name

    def status(self, name):
        return self.cri("ContainerStatus", container_id=name)["status"]

    def wait_for(self, name, **wanted):
        for _ in range(60):
            if wanted.items() <= (now := self.status(name)).items():
                return
            time.sleep(0.5)
        raise AssertionError(f"it is {now}, not {wanted}")

    def sh(self, name, script, code=0, **options):
        """The output of a command by ExecSync: what a probe is."""
        result = self.cri("ExecSync", container_id=name, cmd=["sh", "-c", script], **options)
        assert result.get("exit_code", 0) == code, result
        return result.get("stdout", "")


@pytest.fixture
def pod(rt, manager):
    rt.vm.run(f"mkdir -p {LOGS} /tmp/cri-data /etc/cni/net.d; echo data >/tmp/cri-data/file", check=True)
    if rt.vm.run(["test", "-e", CNI_FILE]).code:
        rt.vm.write(CNI_FILE, json.dumps(CNI))
        time.sleep(1)  # containerd notices
    cri = Cri(rt.vm)
    yield Pod(cri, rt, manager)
    for item in cri("ListPodSandbox").get("items", []):
        cri("StopPodSandbox", pod_sandbox_id=item["id"])
        cri("RemovePodSandbox", pod_sandbox_id=item["id"])


def test_pod(pod):
    """From the pod to its removal, as a kubelet asks for it."""
    pod.start(hostname="boat")
    assert pod.cri("PodSandboxStatus", pod_sandbox_id=pod.id)["status"].get("state", READY) == READY
    name = pod.container("echo up $(cat /proc/self/oom_score_adj); echo err >&2; trap 'exit 3' TERM; while :; do sleep 0.2; done",
                         capabilities={"drop_capabilities": ["ALL"]},
                         resources={"cpu_period": 100000, "cpu_quota": 50000, "cpu_shares": 1024, "memory_limit_in_bytes": 64 << 20, "oom_score_adj": 500},
                         run_as_user={"value": 1000}, readonly_rootfs=1, no_new_privs=1, seccomp={"profile_type": 0}, namespace_options={"pid": POD})
    out = pod.sh(name, f"id -u; hostname; pwd; echo $COLOUR; cat /proc/1/comm /data/file; touch /x /data/x; ({SHOW}); "
                       "grep -E '^(CapEff|NoNewPrivs|Seccomp):' /proc/self/status; ip -4 addr show eth0 | grep -c 'inet 10[.]99[.]0'")
    assert out.split() == ["1000", "boat", "/tmp", "red", "sleep", "data", str(64 << 20), "50000", "100000",
                           "CapEff:", "0000000000000000", "NoNewPrivs:", "1", "Seccomp:", "2", "1"]
    log = pod.vm.read(f"{LOGS}/c0")
    assert " stdout F up 500\n" in log and " stderr F err\n" in log, log
    pod.cri("UpdateContainerResources", container_id=name, linux={"cpu_period": 100000, "cpu_quota": 25000, "memory_limit_in_bytes": 48 << 20})
    assert pod.sh(name, SHOW).split() == [str(48 << 20), "25000", "100000"]
    assert pod.cri("ContainerStats", container_id=name)["stats"]["memory"]["working_set_bytes"]["value"] < 48 << 20
    assert pod.status(name)["state"] == RUNNING
    pod.cri("StopContainer", container_id=name, timeout=30)
    assert pod.status(name)["exit_code"] == 3
    pod.cri("RemoveContainer", container_id=name)
    pod.cri("StopPodSandbox", pod_sandbox_id=pod.id)
    pod.cri("RemovePodSandbox", pod_sandbox_id=pod.id)
    left = pod.vm.run("find /sys/fs/cgroup/vmpod* -mindepth 1 -type d; pgrep -ax sleep").out
    assert name not in left and pod.id not in left and "sleep" not in left, left


@with_systemd
def test_probes_and_out_of_memory(pod):
    """An exec that fails, one that takes too long and is killed, and a container that takes too much."""
    pod.start(network=NODE)
    name = pod.container("exec sleep 1000")
    assert "192.0.2.15" in pod.sh(name, "ip addr")
    result = pod.cri("ExecSync", container_id=name, cmd=["sh", "-c", "echo out; echo err >&2; exit 7"], timeout=60)
    assert result == {"stdout": "out\n", "stderr": "err\n", "exit_code": 7}
    with pytest.raises(Refused, match="timeout 1s exceeded|context deadline exceeded"):
        pod.sh(name, "exec sleep 2000", timeout=1)
    assert pod.vm.run(["pgrep", "-xf", "sleep 2000"]).code == 1 and pod.status(name)["state"] == RUNNING
    with pytest.raises(Refused, match="/no/such/command"):
        pod.cri("ExecSync", container_id=name, cmd=["/no/such/command"])
    hungry = pod.container("exec dd if=/dev/zero of=/dev/null bs=100M count=1", resources={"memory_limit_in_bytes": 32 << 20})
    # The news takes its own way, beside that of the end of the container
    pod.wait_for(hungry, state=EXITED, exit_code=137, reason="OOMKilled")


@with_systemd
def test_user_namespace_of_a_pod(pod):
    """hostUsers: false. The pod's root is another of the host; its layers' files and its volume's are root's inside all the same."""
    if ok(pod.vm.run("containerd --version")).split()[2].startswith("1."):
        pytest.skip("containerd 1 has no volumes with mapped ids; the machine of sid, with containerd 2, runs this")
    ids = [{"host_id": 100000, "container_id": 0, "length": 65536}]
    own = {"mode": POD, "uids": ids, "gids": ids}
    pod.start(userns_options=own)
    name = pod.container("exec sleep 1000", ids=ids, namespace_options={"userns_options": own})
    out = pod.sh(name, "cat /proc/self/uid_map; stat -c %u /bin/busybox /data/file; touch /made && stat -c %u /made")
    assert out.split() == ["0", "100000", "65536", "0", "0", "0"]

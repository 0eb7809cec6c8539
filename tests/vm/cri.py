"""
The Container Runtime Interface as a kubelet speaks it to containerd: protocol buffers in gRPC, here by curl, since
Debian packages no crictl. SCHEMA is what the cases need of the interface's version 1, as (message: field=number ...);
what is nested names its message, [] is a list, the rest is text or a whole number.
"""
import base64
import re
import struct
import urllib.parse

SCHEMA = {
    "VersionRequest": "version=1", "VersionResponse": "runtime_name=2 runtime_version=3",
    "RunPodSandboxRequest": "config:PodSandboxConfig=1 runtime_handler=2", "RunPodSandboxResponse": "pod_sandbox_id=1",
    "PodSandboxStatusRequest": "pod_sandbox_id=1", "PodSandboxStatusResponse": "status:PodSandboxStatus=1",
    "StopPodSandboxRequest": "pod_sandbox_id=1", "StopPodSandboxResponse": "",
    "RemovePodSandboxRequest": "pod_sandbox_id=1", "RemovePodSandboxResponse": "",
    "ListPodSandboxRequest": "", "ListPodSandboxResponse": "items:PodSandboxStatus[]=1",
    "CreateContainerRequest": "pod_sandbox_id=1 config:ContainerConfig=2 sandbox_config:PodSandboxConfig=3",
    "CreateContainerResponse": "container_id=1",
    "StartContainerRequest": "container_id=1", "StartContainerResponse": "",
    "ExecSyncRequest": "container_id=1 cmd[]=2 timeout=3", "ExecSyncResponse": "stdout=1 stderr=2 exit_code=3",
    "UpdateContainerResourcesRequest": "container_id=1 linux:LinuxContainerResources=2", "UpdateContainerResourcesResponse": "",
    "ContainerStatusRequest": "container_id=1", "ContainerStatusResponse": "status:ContainerStatus=1",
    "ContainerStatsRequest": "container_id=1", "ContainerStatsResponse": "stats:ContainerStats=1",
    "StopContainerRequest": "container_id=1 timeout=2", "StopContainerResponse": "",
    "RemoveContainerRequest": "container_id=1", "RemoveContainerResponse": "",
    "PodSandboxConfig": "metadata:Metadata=1 hostname=2 log_directory=3 linux:LinuxPodSandboxConfig=8",
    "Metadata": "name=1 uid=2 namespace=3",
    "LinuxPodSandboxConfig": "cgroup_parent=1 security_context:LinuxSandboxSecurityContext=2",
    "LinuxSandboxSecurityContext": "namespace_options:NamespaceOption=1",
    "NamespaceOption": "network=1 pid=2 ipc=3 userns_options:UserNamespace=5",
    "UserNamespace": "mode=1 uids:IDMapping[]=2 gids:IDMapping[]=3", "IDMapping": "host_id=1 container_id=2 length=3",
    "PodSandboxStatus": "id=1 metadata:Metadata=2 state=3",
    "ContainerConfig": "metadata:ContainerMetadata=1 image:ImageSpec=2 command[]=3 working_dir=5 envs:KeyValue[]=6 mounts:Mount[]=7 "
                       "log_path=11 linux:LinuxContainerConfig=15",
    "ContainerMetadata": "name=1", "ImageSpec": "image=1", "KeyValue": "key=1 value=2",
    "Mount": "container_path=1 host_path=2 readonly=3 uid_mappings:IDMapping[]=6 gid_mappings:IDMapping[]=7",
    "LinuxContainerConfig": "resources:LinuxContainerResources=1 security_context:LinuxContainerSecurityContext=2",
    "LinuxContainerResources": "cpu_period=1 cpu_quota=2 cpu_shares=3 memory_limit_in_bytes=4 oom_score_adj=5 cpuset_cpus=6",
    "LinuxContainerSecurityContext": "capabilities:Capability=1 namespace_options:NamespaceOption=3 run_as_user:Int64Value=5 "
                                     "readonly_rootfs=7 no_new_privs=11 seccomp:SecurityProfile=15",
    "Capability": "add_capabilities[]=1 drop_capabilities[]=2", "Int64Value": "value=1", "SecurityProfile": "profile_type=1",
    "ContainerStatus": "id=1 state=3 exit_code=7 reason=10",
    "ContainerStats": "memory:MemoryUsage=3", "MemoryUsage": "working_set_bytes:Int64Value=2",
}
READY, CREATED, RUNNING, EXITED = 0, 0, 1, 2  # of a pod; of a container
POD, NODE = 0, 2  # whose namespace


class Refused(AssertionError):
    """containerd's answer is an error."""


def fields(message):
    """{name: (number, the message of the field or "", whether it is a list)}"""
    found = re.findall(r"(\w+)(?::(\w+))?(\[\])?=(\d+)", SCHEMA[message])
    return {name: (int(number), inner, bool(many)) for name, inner, many, number in found}


def varint(value):
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def encode(message, values):
    out = b""
    for name, value in values.items():
        number, inner, many = fields(message)[name]
        for item in value if many else [value]:
            if isinstance(item, int):
                out += varint(number << 3) + varint(item)
            else:
                data = encode(inner, item) if inner else item.encode()
                out += varint(number << 3 | 2) + varint(len(data)) + data
    return out


def read_varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        shift, at = shift + 7, at + 1
        if data[at - 1] < 128:
            return value, at


def decode(message, data):
    """The fields that SCHEMA has; a number that is not there is 0, as the format means it, a text "", a message {}."""
    names = {number: (name, inner, many) for name, (number, inner, many) in fields(message).items()}
    values, at = {}, 0
    while at < len(data):
        tag, at = read_varint(data, at)
        if tag & 7 == 0:
            value, at = read_varint(data, at)
        else:
            size, at = read_varint(data, at) if tag & 7 == 2 else ({1: 8, 5: 4}[tag & 7], at)
            value, at = data[at:at + size], at + size
        name, inner, many = names.get(tag >> 3, (None, "", False))
        if name and isinstance(value, bytes):
            value = decode(inner, value) if inner else value.decode(errors="replace")
        if name:
            values[name] = [*values.get(name, []), value] if many else value
    return values


class Cri:
    def __init__(self, vm):
        self.vm = vm

    def __call__(self, method, **values):
        """The answer to a request of the runtime service."""
        body = encode(f"{method}Request", values)
        result = self.vm.run("curl --silent --show-error --http2-prior-knowledge --unix-socket /run/containerd/containerd.sock "
                             "-H 'content-type: application/grpc' -H 'te: trailers' --data-binary @- --dump-header /dev/stderr "
                             f"http://cri/runtime.v1.RuntimeService/{method} | base64 -w 0",
                             stdin=b"\0" + struct.pack(">I", len(body)) + body, timeout=120)
        headers = dict(re.findall(r"^(grpc-\w+): (.*?)\r?$", result.err, re.M))
        if headers.get("grpc-status") != "0":
            raise Refused(f"{method}: {urllib.parse.unquote(headers.get('grpc-message', repr(result)))}")
        return decode(f"{method}Response", base64.b64decode(result.out)[5:])

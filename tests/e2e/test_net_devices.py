"""linux.netDevices: devices of a "host" network namespace of the test's own, seen from inside and outside."""
import json
import os
import shutil
import subprocess

import pytest

import harness

pytestmark = pytest.mark.skipif(not shutil.which("ip"), reason="needs ip (package iproute2)")


class Network:
    """A network namespace, kept by a process, with a pair of devices: one for the container, one that stays."""

    def __init__(self):
        self.holder = subprocess.Popen(["unshare", "--net", "sleep", "1000"])
        own = harness.namespace("self", "net")
        harness.wait_for(lambda: harness.namespace(self.holder.pid, "net") != own)
        self.path = f"/proc/{self.holder.pid}/ns/net"

    def ip(self, *words):
        return subprocess.run(["nsenter", f"--net={self.path}", "ip", *words], check=True, capture_output=True, text=True).stdout

    def links(self):
        return {link["ifname"]: link for link in json.loads(self.ip("-j", "addr", "show"))}

    def names(self):
        return set(self.links()) - {"lo"}

    def addresses(self, name):
        return addresses(self.links()[name])

    def end(self):
        self.holder.kill()
        self.holder.wait()


def addresses(link):
    return [f"{a['local']}/{a['prefixlen']}" for a in link["addr_info"] if a["scope"] == "global"]


@pytest.fixture
def network():
    made = []

    def make():
        made.append(Network())
        return made[-1]
    yield make
    for one in made:
        one.end()


@pytest.fixture
def host(network):
    one = network()
    one.ip("link", "add", "left", "type", "veth", "peer", "name", "right")
    one.ip("addr", "add", "10.9.8.7/24", "dev", "left")
    return one


def crt_on(host, bundle, *options, container=None):
    """crt run, by who is in that network namespace."""
    bundle.write()
    command = bundle.crt.command("run", *options, "--bundle", bundle.path, container or bundle.crt.new_id())
    return bundle.crt(command=["nsenter", f"--net={host.path}", *command])


def show(bundle, *devices):
    """A script that prints flags and the names of all devices."""
    return bundle.script("; ".join(["ls /sys/class/net", *(f"echo {d} $(cat /sys/class/net/{d}/flags)" for d in devices), "ip -o addr show"]))


def test_moved_with_its_address_and_up(bundle, host):
    bundle["linux.netDevices"] = {"left": {}}
    out = crt_on(host, show(bundle, "left")).ok().out
    assert out.splitlines()[:2] == ["left", "lo"]
    assert int(out.splitlines()[2].split()[1], 16) & 1, "the device is down"
    assert "10.9.8.7/24" in out


def test_renamed(bundle, host):
    bundle["linux.netDevices"] = {"left": {"name": "eth0"}}
    out = crt_on(host, show(bundle)).ok().out
    assert out.splitlines()[:2] == ["eth0", "lo"] and "inet 10.9.8.7/24" in out


KINDS = {  # how the device "moved" is made, beside left and right
    "dummy": ["name", "moved", "type", "dummy"],
    "macvlan": ["link", "right", "name", "moved", "type", "macvlan", "mode", "bridge"],
    "ipvlan": ["link", "right", "name", "moved", "type", "ipvlan"],
    "vlan": ["link", "right", "name", "moved", "type", "vlan", "id", "5"],
    "ifb": ["name", "moved", "type", "ifb"],
}


@pytest.mark.parametrize("kind", KINDS)
def test_of_every_kind(bundle, host, kind):
    """With its address; the device that it is made on stays."""
    host.ip("link", "set", "right", "up")  # a vlan device can be up only when that is
    try:
        host.ip("link", "add", *KINDS[kind])
    except subprocess.CalledProcessError as error:
        pytest.skip(f"this kernel has no {kind} devices ({error.stderr.strip()}); run in the virtual machine")
    host.ip("addr", "add", "10.4.4.4/24", "dev", "moved")
    bundle["linux.netDevices"] = {"moved": {"name": "inside"}}
    out = crt_on(host, show(bundle, "inside")).ok().out
    assert out.splitlines()[:2] == ["inside", "lo"] and "10.4.4.4/24" in out
    assert int(out.splitlines()[2].split()[1], 16) & 1, "the device is down"
    harness.wait_for(lambda: host.names() == {"left", "right"}, what="the end of the device, with its namespace")


def test_name_as_a_pattern(bundle, host):
    bundle["linux.netDevices"] = {"left": {"name": "eth%d"}, "right": {"name": "eth%d"}}
    assert crt_on(host, show(bundle)).ok().out.splitlines()[:3] == ["eth0", "eth1", "lo"]


def test_which_addresses_go_along(bundle, host):
    """Those that are to stay, of both families, and the first of a network stays its first; no other."""
    host.ip("link", "set", "left", "up")
    host.ip("addr", "add", "10.9.8.9/24", "dev", "left")
    host.ip("addr", "add", "fd00::7/64", "dev", "left", "nodad")
    host.ip("addr", "add", "10.1.1.1/24", "dev", "left", "valid_lft", "900", "preferred_lft", "900")
    host.ip("addr", "add", "192.168.9.1/24", "dev", "left", "scope", "link")
    bundle["linux.netDevices"] = {"left": {"name": "eth0"}}
    out = crt_on(host, show(bundle)).ok().out
    found = [word for line in out.splitlines() if " eth0 " in line and "scope global" in line for word in line.split() if "/" in word]
    assert found == ["10.9.8.7/24", "10.9.8.9/24", "fd00::7/64"]
    assert "secondary" in next(line for line in out.splitlines() if "10.9.8.9" in line)
    assert "192.168.9.1" not in out


def test_traffic(bundle, host):
    host.ip("addr", "add", "10.9.8.1/24", "dev", "right")
    host.ip("link", "set", "right", "up")
    bundle["linux.netDevices"] = {"left": {"name": "eth0"}}
    bundle.all_capabilities("CAP_NET_RAW")
    bundle.script("for i in 1 2 3; do ping -c 1 -W 2 10.9.8.1 >/dev/null && echo reached && exit; done")
    assert crt_on(host, bundle).ok().out == "reached\n"


def test_sysctl_of_the_device(bundle, host):
    bundle["linux.netDevices"] = {"left": {"name": "eth0"}}
    bundle["linux.sysctl"] = {"net.ipv4.conf.eth0.forwarding": "1"}
    bundle.script("cat /proc/sys/net/ipv4/conf/eth0/forwarding")
    assert crt_on(host, bundle).ok().out == "1\n"


def test_user_namespace(bundle, host):
    bundle.user_namespace()
    bundle["linux.netDevices"] = {"left": {"name": "eth0"}}
    assert "inet 10.9.8.7/24" in crt_on(host, show(bundle)).ok().out


def test_into_a_joined_namespace(bundle, host, network):
    other = network()
    bundle.namespace("network", other.path)
    bundle["linux.netDevices"] = {"left": {"name": "eth0"}}
    crt_on(host, bundle.script("true")).ok()
    assert other.addresses("eth0") == ["10.9.8.7/24"], "it is the namespace's, and outlives the container"
    assert host.names() == {"right"}


def test_ends_with_the_namespace(bundle, host):
    """The kernel's rule for what is not hardware; the specification leaves it at that."""
    bundle["linux.netDevices"] = {"left": {}}
    crt_on(host, bundle.script("true")).ok()
    harness.wait_for(lambda: host.names() == set(), what="the end of the pair")


@pytest.mark.parametrize("was_up", [True, False])
def test_failure_gives_it_back(bundle, host, was_up):
    """It is as it was: name, address, up or down."""
    if was_up:
        host.ip("link", "set", "left", "up")
    before = host.links()["left"]
    bundle["linux.netDevices"] = {"left": {"name": "eth0"}}
    crt_on(host, bundle.script("true"), "--pid-file", "/nonexistent/pid").failed("pid file")
    after = host.links()["left"]
    assert addresses(after) == addresses(before) == ["10.9.8.7/24"]
    assert ("UP" in after["flags"]) == was_up == ("UP" in before["flags"])
    assert bundle.crt.ids() == []


def test_failure_inside_gives_all_back(bundle, host):
    """init has ended, and its namespace is kept for as long as there is something in it."""
    bundle["linux.netDevices"] = {"left": {"name": "eth0"}, "right": {"name": "eth1"}}
    bundle["process.args"] = ["/nonexistent"]
    crt_on(host, bundle).failed("nonexistent")
    assert host.names() == {"left", "right"} and host.addresses("left") == ["10.9.8.7/24"]


def test_missing_device(bundle, host):
    bundle["linux.netDevices"] = {"left": {"name": "eth0"}, "nobody": {"name": "eth1"}}
    crt_on(host, bundle.script("echo ran")).failed(
        r"config\.json:\d+:\d+: linux\.netDevices\.nobody: cannot move the network device nobody into the container as eth1: there is none of this name")
    assert host.names() == {"left", "right"}


def test_on_a_device_that_is_down(bundle, host):
    try:
        host.ip("link", "add", *KINDS["vlan"])
    except subprocess.CalledProcessError as error:
        pytest.skip(f"this kernel has no vlan devices ({error.stderr.strip()}); run in the virtual machine")
    bundle["linux.netDevices"] = {"moved": {}}
    crt_on(host, bundle.script("echo ran")).failed(r"linux\.netDevices\.moved: .* the device that it is made on has to be up first")
    assert host.names() == {"left", "right", "moved"}


def test_name_that_is_taken(bundle, host, network):
    other = network()
    other.ip("link", "add", "eth0", "type", "veth", "peer", "name", "eth1")
    bundle.namespace("network", other.path)
    bundle["linux.netDevices"] = {"right": {}, "left": {"name": "eth0"}}
    crt_on(host, bundle.script("echo ran")).failed(r"linux\.netDevices\.left: .* the name is taken there")
    assert host.names() == {"left", "right"} and other.names() == {"eth0", "eth1"}


@pytest.mark.parametrize("name", ["lo", "br"])
def test_device_that_cannot_be_moved(bundle, host, name):
    if name == "br":
        host.ip("link", "add", "name", "br", "type", "bridge")
    bundle["linux.netDevices"] = {name: {"name": "new5"}}
    crt_on(host, bundle.script("echo ran")).failed("devices of this kind cannot be moved")


def test_namespace_of_the_host(bundle, host):
    bundle.namespace("network", host.path)
    bundle["linux.netDevices"] = {"left": {"name": "eth0"}}
    crt_on(host, bundle.script("echo ran")).failed("is the one it is in")
    assert host.names() == {"left", "right"}


def test_helper_that_is_not_installed(bundle, host, tmp_path, monkeypatch):
    monkeypatch.setenv("CRT_LIBEXEC", str(tmp_path))
    bundle["linux.netDevices"] = {"left": {}}
    crt_on(host, bundle.script("echo ran")).failed("crt-netdev: No such file", "make install")
    assert host.names() == {"left", "right"}


def test_create_start_delete(bundle, host, crt):
    bundle["linux.netDevices"] = {"left": {"name": "eth0"}}
    bundle.sleeper().write()
    container = harness.Container(crt, crt.new_id(), bundle)
    with open(container.out_path, "w") as out:
        command = ["nsenter", f"--net={host.path}", *crt.command("create", "--bundle", bundle.path, container.id)]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    container.start()
    assert host.names() == {"right"}
    assert os.path.exists(f"{container.root}/sys/class/net/eth0")
    container.end()

"""A whole distribution in a container: shell tools, package manager, users, network, a process tree."""
import os
import pathlib
import re
import shutil
import subprocess

import pytest

import harness

pytestmark = pytest.mark.slow
# Addresses of documentation (RFC 5737) for the pair of interfaces between two containers
SERVER, CLIENT = "192.0.2.1", "192.0.2.2"


@pytest.fixture(scope="session")
def debian():
    """A root file system by debootstrap, kept in the build folder; from the mirror that this machine's apt uses."""
    path = harness.BUILD / "debian"
    if (path / ".complete").exists():
        return path
    if not shutil.which("debootstrap") or not shutil.which("apt-get"):
        pytest.skip("no debootstrap, or no apt that knows a mirror (a Debian with both runs this)")
    targets = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI) $(CODENAME)", "Created-By: Packages"],
                             capture_output=True, text=True).stdout.split("\n")
    release = re.search(r"^VERSION_CODENAME=(\w+)", pathlib.Path("/etc/os-release").read_text(), re.M)
    mirror = next((line.split()[0] for line in targets if release and line.endswith(" " + release.group(1))), None)
    if not mirror:
        pytest.skip("apt has not fetched the list of a Debian mirror (after apt-get update this runs)")
    shutil.rmtree(path, ignore_errors=True)
    done = subprocess.run(["debootstrap", "--variant=minbase", "--include=iproute2,iputils-ping", release.group(1), path, mirror],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"debootstrap failed (a machine that reaches its mirror runs this): {done.stdout[-300:]}")
    (path / ".complete").touch()
    return path


@pytest.fixture
def machine(bundle, debian):
    """The bundle, with Debian as its root file system below an overlay that the test may write to."""
    for name in ("upper", "work", "merged"):
        (bundle.path / name).mkdir()
    subprocess.run(["mount", "-t", "overlay", "overlay", "-o",
                    f"lowerdir={debian},upperdir={bundle.path}/upper,workdir={bundle.path}/work", bundle.path / "merged"], check=True)
    bundle["root"] = {"path": "merged", "readonly": False}
    bundle["process.env"] = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8"]
    bundle.all_capabilities("CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_SETUID", "CAP_SETGID", "CAP_NET_RAW", "CAP_NET_ADMIN")
    yield bundle
    subprocess.run(["umount", bundle.path / "merged"], check=True)


@pytest.mark.timeout(600)
def test_shell_tools(machine):
    out = machine.run("/bin/bash", "-c", "set -e; . /etc/os-release; echo $ID; dpkg-query -W -f x | wc -c; echo b a | tr ' ' '\\n' | sort |"
                                         "paste -sd,; perl -e 'print 6*7, qq(\\n)'; find /usr/bin -name '[' | xargs ls -l | wc -l").ok().out.split()
    assert out[0] == "debian" and int(out[1]) > 50 and out[2:] == ["a,b", "42", "1"]


@pytest.mark.timeout(600)
def test_package_manager(machine):
    """dpkg unpacks, chowns, links and runs a maintainer's script: half of the file system interface."""
    machine["process.noNewPrivileges"] = False
    script = """set -e
        mkdir -p /tmp/p/DEBIAN /tmp/p/usr/share/p && echo content > /tmp/p/usr/share/p/file
        printf 'Package: crt-probe\\nVersion: 1\\nArchitecture: all\\nMaintainer: none\\nDescription: none\\n' > /tmp/p/DEBIAN/control
        printf '#!/bin/sh\\nid -u > /usr/share/p/ran\\n' > /tmp/p/DEBIAN/postinst && chmod 755 /tmp/p/DEBIAN/postinst
        dpkg-deb --build --root-owner-group /tmp/p /tmp/p.deb >/dev/null
        dpkg -i /tmp/p.deb >/dev/null 2>&1
        cat /usr/share/p/file /usr/share/p/ran; dpkg-query -W -f '${Status}\\n' crt-probe"""
    assert machine.run("/bin/bash", "-c", script).ok().out == "content\n0\ninstall ok installed\n"


@pytest.mark.timeout(600)
def test_users(machine):
    machine["process.noNewPrivileges"] = False
    script = "useradd -m -u 1234 -G games someone && su someone -c 'id -un; id -u; id -Gn; echo ~; touch ~/file; stat -c %U ~/file'"
    assert machine.run("/bin/bash", "-c", script).ok().out.split() == ["someone", "1234", "someone", "games", "/home/someone", "someone"]


@pytest.mark.timeout(600)
def test_process_tree(machine):
    """Pipes, job control, signals and waiting, with bash as init."""
    script = "for i in 1 2 3; do (sleep 0.1; exit $i) & done; s=0; for p in $(jobs -p); do wait $p; s=$((s+$?)); done; echo $s;" \
             "trap 'echo caught' USR1; kill -USR1 $$; seq 100000 | md5sum | cut -c1-8; ls /proc | grep -c '^[0-9]'"
    out = machine.run("/bin/bash", "-c", script).ok().out.split()
    assert out[:2] == ["6", "caught"] and len(out[2]) == 8 and int(out[3]) <= 5


@pytest.mark.timeout(600)
def test_network(machine, new_bundle, crt, tmp_path):
    """What an engine's hook does: a pair of interfaces between two containers; then one asks the other's web server."""
    done = subprocess.run(["ip", "link", "add", "crt-e2e", "type", "veth"], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"this kernel has no veth (the virtual machine has): {done.stderr}")
    subprocess.run(["ip", "link", "del", "crt-e2e"], check=True)
    server = crt.start(new_bundle("server").script("exec httpd -f -p 7000 -h /etc"))
    hook = tmp_path / "network"
    hook.write_text(f"""#!/bin/sh -e
        pid=$(tr ',' '\\n' | sed -n 's/.*"pid": *\\([0-9]*\\).*/\\1/p' | head -n 1)
        ip link add eth0 netns $pid type veth peer name eth0 netns {server.pid}
        nsenter -t {server.pid} -n sh -ec "ip addr add {SERVER}/30 dev eth0; ip link set eth0 up"
        nsenter -t $pid -n sh -ec "ip addr add {CLIENT}/30 dev eth0; ip link set eth0 up; ip route add default via {SERVER}"
        """)
    hook.chmod(0o755)
    machine.config["hooks"] = {"createRuntime": [{"path": str(hook), "env": [f"PATH={os.environ['PATH']}"]}]}
    script = f"ip -br addr show eth0; ip route | head -1; ping -c 2 -i 0.2 -W 2 {SERVER} | grep received;" \
             f"exec 3<>/dev/tcp/{SERVER}/7000; printf 'GET /passwd HTTP/1.0\\r\\n\\r\\n' >&3; grep -a user: <&3;" \
             f"(exec 4<>/dev/tcp/{SERVER}/9) 2>&1 | grep -o refused"
    out = machine.run("/bin/bash", "-c", script).ok().out
    server.end()
    for text in (f"{CLIENT}/30", f"default via {SERVER}", " 2 received", "user:x:1000", "refused"):
        assert text in out

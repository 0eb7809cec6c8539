"""What the kernel refuses a container for a reason outside of it: which setting, flag or namespace that was."""
import os
import subprocess

import pytest

import harness
from test_rootless import USER, rootless  # noqa: F401 (a fixture)

pytestmark = pytest.mark.skipif(not harness.IS_CRT, reason="the words are crt's own")


def said(result, text, hint=None):
    assert result.code == 1, result
    lines = result.err.splitlines()
    assert [line for line in lines if line.endswith(text)], f"{text!r} is not in\n{result.err}"
    if hint:
        assert f"  hint: {hint}" in lines, result.err


# ---- Locked flags -------------------------------------------------------------------------------------------------

@pytest.fixture
def volume(rootless):
    """A volume of the host's, with flags that the user's container cannot take off."""
    (rootless.folder / "volume").mkdir()
    rootless.prepare = f"mount -t tmpfs -o nosuid,nodev,ro tmpfs {rootless.folder}/volume\n"

    def bind(*options):
        rootless.config["mounts"].append({"destination": "/data", "type": "bind", "source": str(rootless.folder / "volume"), "options": list(options)})
        return rootless
    return bind


def test_flags_of_a_volume_are_kept(volume):
    mounts = volume("bind").sh("cat /proc/self/mountinfo").ok().out
    assert {"nosuid", "nodev", "ro"} <= harness.mounts(mounts)["/data"].options


@pytest.mark.parametrize("options, flags, hint", [(["suid"], "nosuid", "suid"), (["rw", "dev", "exec"], "nodev", "dev"),
                                                  (["rsuid"], "nosuid", "suid")])
def test_a_locked_flag_is_named(volume, options, flags, hint):
    said(volume("bind", *options).sh("true"), "mount_setattr: Operation not permitted: "
         f"the mount is {flags}; a user namespace with more privileges has locked that", f"leave out {hint}")


def test_a_locked_flag_below(volume):
    rootless = volume("rbind", "rdev")
    rootless.prepare = rootless.prepare.replace("nosuid,nodev,ro", "rw")
    rootless.prepare += f"mkdir {rootless.folder}/volume/sub\nmount -t tmpfs -o nodev tmpfs {rootless.folder}/volume/sub\n"
    said(rootless.sh("true"), "mount_setattr: Operation not permitted: a user namespace with more privileges has locked a flag of a mount in it")


def test_a_locked_flag_on_remount(volume):
    rootless = volume("bind")
    rootless.config["mounts"].append({"destination": "/data", "type": "none", "source": "none", "options": ["remount", "rw"]})
    said(rootless.sh("true"), "mount_setattr: Operation not permitted: the mount is ro; a user namespace with more privileges has locked that",
         "leave out rw")


# ---- Filesystems of another user namespace ------------------------------------------------------------------------

def without(config, *kinds):
    config["linux"]["namespaces"] = [entry for entry in config["linux"]["namespaces"] if entry["type"] not in kinds]


def test_proc_of_another_pid_namespace(rootless):
    without(rootless.config, "pid")
    said(rootless.sh("true"), "Operation not permitted: the pid namespace belongs to another user namespace",
         'add {"type": "pid"} to linux.namespaces, or bind the host\'s /proc')


def test_proc_that_would_show_what_is_covered(rootless):
    rootless.prepare = "for place in $(grep ' - proc ' /proc/self/mountinfo | cut -d ' ' -f 5); do mount --bind /dev/null $place/kallsyms; done\n"
    said(rootless.sh("true"), "fsmount: Operation not permitted: the host has mounted something over parts of its own, which a new one would show",
         "bind the host's instead of mounting a new one, or run where nothing covers it")


def test_a_filesystem_that_no_user_namespace_may_mount(rootless):
    rootless.config["mounts"].append({"destination": "/data", "type": "devtmpfs", "source": "none", "options": []})
    said(rootless.sh("true"), "Operation not permitted: the kernel lets no user namespace mount a filesystem of this type")


# ---- Limits of namespaces -----------------------------------------------------------------------------------------

def limited(bundle, setting, value):
    """Run it inside a user namespace that has this limit."""
    bundle["process.args"] = ["true"]
    bundle.write()
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", f'echo {value} >/proc/sys/user/{setting}; exec "$@"', "sh",
               *bundle.crt.command("run", "--bundle", bundle.path, bundle.crt.new_id())]
    return bundle.crt(command=command, env=os.environ | {"XDG_RUNTIME_DIR": ""})


@pytest.mark.parametrize("kind", ["net", "pid", "uts", "ipc", "mnt"])
def test_no_namespace_allowed(bundle, kind):
    setting = f"max_{kind}_namespaces"
    said(limited(bundle, setting, 0), f"No space left on device: user.{setting} is 0", f"sysctl user.{setting}=15000")
    assert bundle.crt.ids() == []


def test_no_user_namespace_for_the_ids_of_a_mount(bundle, tmp_path):
    """One is made for nothing but its mapping."""
    mapping = [{"containerID": 0, "hostID": 0, "size": 1}]
    bundle["mounts"].append({"destination": "/data", "type": "bind", "source": str(tmp_path), "options": ["bind", "idmap"],
                             "uidMappings": mapping, "gidMappings": mapping})
    result = limited(bundle, "max_user_namespaces", 0)
    said(result, "No space left on device: user.max_user_namespaces is 0", "sysctl user.max_user_namespaces=15000")
    assert "cannot make a user namespace for mounts" in result.err


def test_limit_reached(bundle):
    bundle.without_namespace("ipc", "uts", "cgroup", "network")
    del bundle["hostname"]
    bundle.namespace("user")
    bundle["linux.uidMappings"] = bundle["linux.gidMappings"] = [{"containerID": 0, "hostID": 0, "size": 1}]
    keep = "unshare --user sleep 1000 </dev/null >/dev/null 2>&1 & p=$!; sleep 0.3; "
    bundle["process.args"] = ["true"]
    bundle.write()
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", f'echo 1 >/proc/sys/user/max_user_namespaces; {keep} "$@"; r=$?; kill $p; exit $r', "sh",
               *bundle.crt.command("run", "--bundle", bundle.path, bundle.crt.new_id())]
    result = bundle.crt(command=command)
    assert ("No space left on device: a limit is reached, here or in a user namespace above, or they are nested too deep "
            "(user.max_pid_namespaces is ") in result.err, result.err
    assert "user.max_user_namespaces is 1" in result.err and result.code == 1 and bundle.crt.ids() == []


def test_no_user_namespace_for_the_user(rootless):
    """Debian's sysctl, where the kernel has it."""
    path = "/proc/sys/kernel/unprivileged_userns_clone"
    if not os.path.exists(path):
        pytest.skip("the kernel has no kernel.unprivileged_userns_clone (Debian's have; tests/unit/host_refusal.c holds the words)")
    before = open(path).read()
    subprocess.run(["sysctl", "-q", "-w", "kernel.unprivileged_userns_clone=0"], check=True)
    try:
        result = rootless.sh("true")
    finally:
        open(path, "w").write(before)
    said(result, "Operation not permitted: kernel.unprivileged_userns_clone is 0: only root may make user namespaces")


# ---- Cgroups ------------------------------------------------------------------------------------------------------

@pytest.fixture
def unit(leaks):
    """A cgroup that the user may make cgroups in, and no more."""
    path = harness.CGROUP / f"{harness.TOKEN}-user.scope"
    path.mkdir()
    os.chown(path, USER, -1)
    yield path
    for below in path.iterdir():
        if below.is_dir():
            below.rmdir()
    path.rmdir()


def needs_hugetlb():
    if "hugetlb" not in harness.controllers():
        pytest.skip("needs the hugetlb controller on cgroup v2 (every kernel since 5.6)")


@pytest.mark.parametrize("name, hint", [("", "Delegate=hugetlb for {unit}; or drop the limits"),
                                        ("/plain", "let its owner write +hugetlb to it, or systemd delegate it (Delegate=hugetlb); or drop the limits")])
def test_controller_that_is_not_delegated(rootless, unit, name, hint):
    needs_hugetlb()
    (unit / "plain").mkdir()
    if name:
        (unit / "cgroup.subtree_control").write_text("+hugetlb")
        os.chown(unit / "plain", USER, -1)
    rootless.config["linux"]["cgroupsPath"] = f"/{unit.name}{name}/x"
    rootless.config["linux"]["resources"] = {"hugepageLimits": [{"pageSize": "2MB", "limit": 0}]}
    result = rootless.sh("true")
    said(result, f"cgroup /{unit.name}{name} cannot hand down the hugetlb controller: Permission denied: "
         f"its cgroup.subtree_control lacks it, and uid {USER} may not add it")
    assert hint.format(unit=unit.name) in result.err
    assert {path.name for path in unit.iterdir() if path.is_dir()} == {"plain"}

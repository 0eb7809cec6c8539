"""AppArmor and SELinux: how the label gets to the kernel. No module is needed: without one the kernel itself refuses."""
import shutil
import subprocess

import pytest

import harness

SELINUX = "system_u:system_r:container_t:s0:c1,c2"


pytestmark = pytest.mark.skipif({"apparmor", "selinux"} & set(harness.security_modules()), reason="what is tested here is a host without these modules")


def pretending(crt, *args):
    """crt on a host that claims to have both modules, so that the labels get as far as the kernel."""
    script = 'mount -t tmpfs none /sys/kernel/security && echo capability,apparmor,selinux > /sys/kernel/security/lsm && exec "$@"'
    return crt(command=["unshare", "--mount", "sh", "-c", script, "sh", *crt.command(*args)])


@pytest.fixture
def pretend(bundle):
    """pretend(option...): run there."""
    return lambda *options: pretending(bundle.crt, "run", *options, "--bundle", bundle.write().path, bundle.crt.new_id())


@pytest.mark.parametrize("key, module", [("process.apparmorProfile", "apparmor"), ("process.selinuxLabel", "selinux"),
                                         ("linux.mountLabel", "selinux")])
def test_without_the_module(bundle, key, module):
    bundle[key] = "crt-default"
    bundle.run("true").failed(f"config.json:.*{key}", f'the security module "{module}" is not active on this host')


@pytest.mark.parametrize("key", ["process.apparmorProfile", "process.selinuxLabel", "linux.mountLabel"])
def test_the_empty_label_is_none(bundle, key):
    bundle[key] = ""
    assert bundle.run("echo", "runs").ok().out == "runs\n"


@pytest.mark.parametrize("user_namespace", [False, True], ids=["host", "user-namespace"])
@pytest.mark.parametrize("key, what", [("process.apparmorProfile", "AppArmor profile unconfined"),
                                       ("process.selinuxLabel", f"SELinux label {SELINUX}")])
def test_the_label_reaches_the_kernel(bundle, pretend, key, what, user_namespace):
    if user_namespace:
        bundle.user_namespace()
    bundle[key] = what.split()[-1]
    pretend("--no-new-keyring").failed(f"config.json:.*{key}: cannot execute with the {what}", "not active on this host")


def test_the_keyring_is_labelled(bundle, pretend):
    bundle["process.selinuxLabel"] = SELINUX
    pretend().failed(f"cannot join a new session keyring, .*, SELinux label {SELINUX}.*not active")


@pytest.mark.parametrize("kind", [None, "context", "fscontext", "defcontext", "rootcontext"])
def test_new_filesystems_are_labelled(bundle, pretend, kind):
    bundle["linux.mountLabel"] = SELINUX
    if kind:
        bundle["annotations"] = {"run.oci.mount_context_type": kind}
    option = kind or "context"
    pretend().failed(rf"mount tmpfs on /dev .*[ (]{option}={SELINUX}", f"tmpfs: Unknown parameter '{option}'")


@pytest.fixture
def fake_proc(bundle):
    """An image that brings a /proc of its own: CVE-2019-16884."""
    bundle.without_mount("/proc")
    bundle["linux.maskedPaths"] = bundle["linux.readonlyPaths"] = []
    bundle["process.selinuxLabel"] = SELINUX
    files = []
    for process in ("1", "self"):
        folder = bundle.rootfs / "proc" / process / "attr"
        (folder / "apparmor").mkdir(parents=True)
        for name in ("exec", "keycreate", "apparmor/exec"):
            (folder / name).write_text("untouched")
            files.append(folder / name)
    yield files
    assert all(file.read_text() == "untouched" for file in files)
    shutil.rmtree(bundle.rootfs / "proc")


def test_a_fake_proc_is_not_written_to(bundle, pretend, fake_proc):
    pretend("--no-new-keyring").failed("cannot execute with the SELinux label", "not active on this host")


def test_a_fake_proc_in_a_user_namespace(bundle, pretend, fake_proc):
    """Where the kernel may refuse a private procfs: then there is none, and that is an error."""
    bundle.user_namespace()
    for file in fake_proc:
        file.parent.chmod(0o777)
        file.chmod(0o666)
    pretend("--no-new-keyring").failed("cannot execute with the SELinux label", "is not a procfs|not active on this host")


@pytest.mark.parametrize("file", ["attr/exec", "attr", ""])
def test_a_file_mounted_over_procfs(bundle, pretend, tmp_path, file):
    """CVE-2019-16884, CVE-2025-52881: a volume that would take the label instead."""
    source = tmp_path / "source"
    if file.endswith("exec"):
        source.write_text("untouched")
    else:
        (source / "attr").mkdir(parents=True)
        (source / "attr/exec").write_text("untouched")
    bundle.bind(source, f"/proc/1/{file}" if file else "/proc/1")
    bundle["process.selinuxLabel"] = SELINUX
    pretend("--no-new-keyring").failed("destination is inside a procfs")


def test_a_hook_that_mounts_over_procfs(bundle, pretend, tmp_path):
    """What a hook has mounted in the container's /proc is not on the way to the kernel."""
    (tmp_path / "fake").write_text("untouched")
    hook = tmp_path / "hook"
    hook.write_text(f"#!/bin/sh\nmount --bind {tmp_path}/fake {bundle.rootfs}/proc/1/attr/exec\n")
    hook.chmod(0o755)
    bundle["hooks"] = {"createContainer": [{"path": str(hook)}]}
    bundle["process.selinuxLabel"] = SELINUX
    pretend("--no-new-keyring").failed("cannot execute with the SELinux label|cannot run the createContainer hook")
    assert (tmp_path / "fake").read_text() == "untouched"


@pytest.mark.parametrize("option, module", [("--apparmor", "apparmor"), ("--process-label", "selinux")])
def test_exec_with_an_option(bundle, crt, option, module):
    container = crt.start(bundle.sleeper())
    crt("exec", option, "crt-default", container.id, "true").failed(f'module "{module}" is not active on this host')
    crt("exec", option, "", container.id, "true").ok()
    container.end()


@pytest.mark.parametrize("option, what", [("--apparmor", "AppArmor profile unconfined"), ("--process-label", f"SELinux label {SELINUX}")])
def test_the_label_of_exec_reaches_the_kernel(bundle, crt, option, what):
    container = crt.start(bundle.sleeper())
    pretending(crt, "exec", option, what.split()[-1], container.id, "true").failed(
        f"cannot (execute with the|join a new session keyring, .*,) {what}", "not active on this host")
    container.end()


def test_exec_with_a_label(bundle, crt, tmp_path):
    container = crt.start(bundle.sleeper())
    process = tmp_path / "process.json"
    process.write_text('{"cwd": "/", "args": ["true"], "apparmorProfile": "crt-default"}')
    crt("exec", "--process", process, container.id).failed("process.json:1:.*apparmorProfile", "not active on this host")
    container.end()

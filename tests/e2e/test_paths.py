"""Masked and read-only paths, sysctl."""
import pytest

import harness

pytestmark = harness.EVERYWHERE


@pytest.mark.parametrize("path, empty", [("/proc/kcore", False), ("/proc/timer_list", False), ("/proc/keys", False),
                                         ("/sys/firmware", True), ("/proc/acpi", True)])
def test_default_masks(bundle, path, empty):
    """A masked file reads as nothing, a masked folder as an empty one."""
    out = bundle.sh(f"if [ -d {path} ]; then ls {path}; elif [ -e {path} ]; then cat {path}; fi")
    assert out == ""


def test_mask_file(bundle):
    (bundle.rootfs / "etc/secret").write_text("secret\n")
    bundle["linux.maskedPaths"] = ["/etc/secret"]
    assert bundle.sh("cat /etc/secret; stat -c %F /etc/secret") == "character special file\n"
    assert (bundle.rootfs / "etc/secret").read_text() == "secret\n"


def test_mask_folder(bundle):
    (bundle.rootfs / "etc/secrets").mkdir()
    (bundle.rootfs / "etc/secrets/key").write_text("secret\n")
    bundle["linux.maskedPaths"] = ["/etc/secrets"]
    out = bundle.sh("ls -A /etc/secrets; touch /etc/secrets/x 2>&1 || true; cat /proc/self/mountinfo")
    assert "Read-only" in out.split("\n")[0]
    mount = harness.mounts("\n".join(out.split("\n")[1:]))["/etc/secrets"]
    assert mount.kind == "tmpfs" and "ro" in mount.options


def test_mask_of_what_is_not_there(bundle):
    bundle["linux.maskedPaths"] = ["/no/such/path", "/proc/no-such-file"]
    assert bundle.sh("ls /no 2>/dev/null || echo none") == "none\n"


def test_mask_cannot_be_lifted(bundle):
    """Without CAP_SYS_ADMIN nobody unmounts the mask."""
    (bundle.rootfs / "etc/secret").write_text("secret\n")
    bundle["linux.maskedPaths"] = ["/etc/secret"]
    assert bundle.sh("umount /etc/secret 2>/dev/null || echo held; cat /etc/secret") == "held\n"


def test_several_masked_folders(bundle):
    for name in "abc":
        (bundle.rootfs / name).mkdir()
        (bundle.rootfs / name / "x").touch()
    bundle["linux.maskedPaths"] = ["/a", "/b", "/c"]
    assert bundle.sh("ls -A /a /b /c").split() == ["/a:", "/b:", "/c:"]


def test_mask_through_a_link_of_the_image(bundle):
    """The link's target inside the rootfs is masked, never one outside."""
    (bundle.rootfs / "real").write_text("secret\n")
    (bundle.rootfs / "link").symlink_to("/real")
    bundle["linux.maskedPaths"] = ["/link"]
    assert bundle.sh("cat /link /real") == ""


def test_readonly_path(bundle):
    (bundle.rootfs / "data/deep").mkdir(parents=True)
    bundle["linux.readonlyPaths"] = ["/data"]
    out = bundle.sh("touch /data/x 2>&1; touch /data/deep/x 2>&1; touch /elsewhere && echo fine")
    assert out.count("Read-only") == 2 and out.endswith("fine\n")


def test_readonly_file(bundle):
    bundle["linux.readonlyPaths"] = ["/etc/passwd"]
    assert "Read-only" in bundle.sh("(echo x >> /etc/passwd) 2>&1 || true")


def test_readonly_path_keeps_the_flags_of_the_mount(bundle):
    bundle.mount("/data", "tmpfs", options=["nosuid", "nodev", "noexec"])
    bundle["linux.readonlyPaths"] = ["/data"]
    mount = harness.mounts(bundle.sh("cat /proc/self/mountinfo"))["/data"]
    assert {"ro", "nosuid", "nodev", "noexec"} <= mount.options


def test_readonly_of_what_is_not_there(bundle):
    bundle["linux.readonlyPaths"] = ["/no/such/path"]
    bundle.sh("true")


@harness.only("root", why="files of the host's root are not for a user namespace in any case")
@pytest.mark.parametrize("path", ["/proc/sys/kernel/domainname", "/proc/sysrq-trigger", "/proc/irq/default_smp_affinity"])
def test_default_readonly_paths(bundle, path):
    assert bundle.sh(f"if [ -e {path} ]; then probe open {path} w; else echo EROFS; fi") == "EROFS\n"


def test_no_masks_at_all(bundle):
    bundle["linux.maskedPaths"] = []
    bundle["linux.readonlyPaths"] = []
    mounts = harness.mounts(bundle.sh("cat /proc/self/mountinfo"))
    assert not [target for target in mounts if target.startswith("/proc/")]


@harness.only("root", "userns", why="it maps ids that are not the caller's")
def test_masks_in_a_user_namespace(bundle):
    bundle.user_namespace()
    assert bundle.sh("cat /proc/timer_list; ls -A /sys/firmware; probe open /proc/sys/kernel/domainname w") in (
        "EROFS\n", "EACCES\n")


# ---- sysctl -----------------------------------------------------------------------------------------------------

@harness.only("root", why="a user shares the host's network namespace, and not every sysctl is for a user namespace")
@pytest.mark.parametrize("name, value", [("net.ipv4.ip_forward", "1"), ("kernel.shm_rmid_forced", "1"), ("kernel.msgmax", "4096"),
                                         ("fs.mqueue.msg_max", "5"), ("kernel.domainname", "set.by.sysctl")])
def test_sysctl(bundle, name, value):
    bundle["linux.sysctl"] = {name: value}
    path = "/proc/sys/" + name.replace(".", "/")
    before = open(path).read()
    assert bundle.sh(f"cat {path}").strip() == value
    assert open(path).read() == before


@pytest.mark.parametrize("name", ["user.max_mnt_namespaces", "user.max_user_namespaces", "user.max_inotify_watches"])
def test_sysctl_of_the_user_namespace(bundle, name):
    """A limit of the container's own, beside that of the host; without a user namespace it would be the host's."""
    path = "/proc/sys/" + name.replace(".", "/")
    before = open(path).read()
    bundle["linux.sysctl"] = {name: "7"}
    if harness.AS != "user":
        bundle.run("true").failed(f"{name}.*belongs to the user namespace")
        bundle.user_namespace()
    assert bundle.sh(f"cat {path}") == "7\n"
    assert open(path).read() == before


@harness.only("root", "userns", why="a user shares the host's network namespace")
def test_sysctl_with_slashes(bundle):
    """The other spelling: dots then belong to the name."""
    bundle["linux.sysctl"] = {"net/ipv4/conf/lo/forwarding": "1"}
    assert bundle.sh("cat /proc/sys/net/ipv4/conf/lo/forwarding") == "1\n"


@pytest.mark.parametrize("name", ["kernel.core_pattern", "vm.swappiness", "kernel.panic", "net/../kernel/panic", "fs.file-max"])
def test_sysctl_of_the_host_is_refused(bundle, crt, name):
    path = "/proc/sys/" + name.replace(".", "/") if "/" not in name else "/proc/sys/kernel/panic"
    before = open(path).read()
    bundle["linux.sysctl"] = {name: "12"}
    container = crt.new_id()
    bundle.run("true", container=container).failed("sysctl" if harness.IS_CRT else "")
    assert open(path).read() == before and container not in crt.ids()


@pytest.mark.parametrize("name, kind", [("net.ipv4.ip_forward", "network"), ("kernel.msgmax", "ipc"), ("kernel.domainname", "uts")])
def test_sysctl_needs_its_namespace(bundle, name, kind):
    bundle.without_namespace(kind)
    bundle.config.pop("hostname", None)
    bundle["linux.sysctl"] = {name: "1"}
    path = "/proc/sys/" + name.replace(".", "/")
    before = open(path).read()
    bundle.run("true").failed("namespace" if harness.IS_CRT else "")
    assert open(path).read() == before


def test_sysctl_that_the_kernel_refuses(bundle):
    bundle["linux.sysctl"] = {"net.ipv4.ip_forward": "banana"}
    bundle.run("true").failed("ip_forward" if harness.IS_CRT else "")

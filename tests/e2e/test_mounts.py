"""Mounts: what /proc/self/mountinfo says inside, and that the host's says nothing."""
import os
import subprocess

import pytest

import harness

pytestmark = harness.EVERYWHERE
LOCKED_ATIME = harness.only("root", why="a user namespace locks how access times are kept")


@pytest.fixture
def info(bundle):
    """info(): the container's mounts, {target: Mount}."""
    return lambda: harness.mounts(bundle.sh("cat /proc/self/mountinfo"))


@pytest.fixture
def source(tmp_path):
    """A folder of the host to bind: it has file "file" and folder "sub"."""
    path = tmp_path / "source"
    (path / "sub").mkdir(parents=True)
    (path / "file").write_text("from the host\n")
    return path


@pytest.fixture
def host_mount():
    """host_mount(source, target, *options): a mount of the host's that ends with the test."""
    made = []

    def make(*args):
        subprocess.run(["mount", *map(str, args)], check=True)
        made.append(args[-1])
    yield make
    for target in reversed(made):
        subprocess.run(["umount", "-R", str(target)], check=True)


# ---- Kinds of mounts --------------------------------------------------------------------------------------------

def test_the_default_file_systems(info):
    mounts = info()
    kinds = {target: mount.kind for target, mount in mounts.items()}
    expected = {"/proc": "proc", "/dev": "tmpfs", "/dev/pts": "devpts", "/dev/shm": "tmpfs", "/dev/mqueue": "mqueue",
                "/sys": "sysfs"}
    assert {target: kinds.get(target) for target in expected} == expected
    assert {"nosuid", "noexec", "nodev"} <= mounts["/proc"].options | {"nosuid", "noexec", "nodev"}
    assert {"nosuid", "noexec", "nodev", "ro"} <= mounts["/sys"].options


def test_nothing_of_the_host_shows(info):
    """After pivot_root there is the rootfs and what was asked for, and no trace of the old root."""
    targets = info()
    assert "/" in targets
    assert not [target for target in targets if not target.startswith(("/proc", "/dev", "/sys")) and target != "/"]


def test_tmpfs(bundle, info):
    bundle.mount("/scratch", "tmpfs", options=["size=1024k", "mode=0710", "nr_inodes=100", "noexec", "nosuid", "nodev"])
    bundle.sh("echo x > /scratch/x")
    mount = info()["/scratch"]
    assert mount.kind == "tmpfs" and {"noexec", "nosuid", "nodev", "rw"} <= mount.options
    assert {"size=1024k", "mode=710", "nr_inodes=100"} <= mount.super_options
    assert bundle.sh("stat -c %a /scratch") == "710\n"


@pytest.mark.parametrize("option", ["sync", "dirsync", "lazytime"])
def test_option_of_a_superblock(bundle, info, option):
    bundle.mount("/scratch", "tmpfs", options=[option])
    bundle.mount("/other", "tmpfs", options=[option, {"sync": "async", "lazytime": "nolazytime"}.get(option, "defaults")])
    mounts = info()
    assert option in mounts["/scratch"].super_options
    assert (option in mounts["/other"].super_options) == (option == "dirsync"), "which nothing takes back"


OF_BINDS = {"bind", "rbind", "copy-symlink", "src-nofollow", "dest-nofollow"}


@harness.only("root", why="a user namespace locks how access times are kept")
def test_every_option_of_features_is_taken(bundle, crt, source, info):
    """By the kernel: with a bind, and with a new filesystem."""
    options = set(crt("features").json()["mountOptions"]) - {"remount", "idmap", "ridmap", "tmpcopyup"}
    for option in options:
        bundle.mount(f"/binds/{option}", "bind", str(source), ["rbind", option])
        if option not in OF_BINDS:
            bundle.mount(f"/new/{option}", "tmpfs", options=[option])
    kinds = {path: mount.kind for path, mount in info().items()}
    assert len(options) > 60 and {f"/binds/{option}" for option in options} <= set(kinds)
    assert {kinds.get(f"/new/{option}") for option in options - OF_BINDS} == {"tmpfs"}


def test_tmpfs_that_is_full(bundle):
    bundle.mount("/scratch", "tmpfs", options=["size=64k"])
    assert "No space" in bundle.sh("dd if=/dev/zero of=/scratch/x bs=1k count=100 2>&1 || true")


def test_tmpfs_read_only(bundle):
    bundle.mount("/scratch", "tmpfs", options=["ro"])
    assert "Read-only" in bundle.sh("touch /scratch/x 2>&1 || true")


def test_tmpfs_owner(bundle):
    bundle.mount("/scratch", "tmpfs", options=["uid=1000", "gid=1001"])
    assert bundle.sh("stat -c %u:%g /scratch") == "1000:1001\n"


@harness.only("root", "userns", why="it needs files or processes of other users")
def test_tmpcopyup(bundle):
    (bundle.rootfs / "data/deep").mkdir(parents=True)
    (bundle.rootfs / "data/file").write_text("content\n")
    (bundle.rootfs / "data/file").chmod(0o640)
    (bundle.rootfs / "data/link").symlink_to("file")
    os.chown(bundle.rootfs / "data/deep", 1000, 1001)
    bundle.mount("/data", "tmpfs", options=["tmpcopyup"])
    out = bundle.sh("cat /data/link; stat -c '%a' /data/file; stat -c %u:%g /data/deep; echo y > /data/new;"
                    "grep ' /data ' /proc/mounts | cut -d' ' -f3")
    assert out.split("\n")[:4] == ["content", "640", "1000:1001", "tmpfs"]
    assert not (bundle.rootfs / "data/new").exists()


def test_tmpcopyup_does_not_follow_links_out(bundle, tmp_path):
    (tmp_path / "secret").write_text("secret")
    (bundle.rootfs / "data").mkdir()
    (bundle.rootfs / "data/escape").symlink_to(tmp_path / "secret")
    bundle.mount("/data", "tmpfs", options=["tmpcopyup"])
    assert bundle.sh("readlink /data/escape; cat /data/escape 2>/dev/null || echo gone") == f"{tmp_path}/secret\ngone\n"


def test_second_procfs(bundle, info):
    bundle.mount("/proc2", "proc")
    assert info()["/proc2"].kind == "proc"


def test_mqueue_and_shm_are_usable(bundle):
    assert bundle.sh("echo x > /dev/shm/x && cat /dev/shm/x && stat -c %a /dev/shm && ls /dev/mqueue") == "x\n1777\n"


def test_devpts_of_its_own(bundle):
    assert bundle.sh("ls /dev/pts; readlink /dev/ptmx; stat -c %a /dev/pts/ptmx") == "ptmx\npts/ptmx\n666\n"


def test_cgroup_mount(bundle, info):
    """Read-only, as crt spec asks; its root is the container's own cgroup."""
    bundle.without_mount("/sys/fs/cgroup")
    bundle.mount("/sys/fs/cgroup", "cgroup", options=["nosuid", "noexec", "nodev", "relatime", "ro"])
    mount = info()["/sys/fs/cgroup"]
    assert mount.kind == "cgroup2" and "ro" in mount.options
    out = bundle.sh("cat /sys/fs/cgroup/cgroup.procs | grep -c . ; mkdir /sys/fs/cgroup/x 2>&1 || true")
    assert out.startswith(("1\n", "2\n", "3\n", "4\n")) and "Read-only" in out


# ---- Binds ------------------------------------------------------------------------------------------------------

def test_bind_folder(bundle, source):
    bundle.bind(source, "/data")
    assert bundle.sh("cat /data/file; echo back > /data/new") == "from the host\n"
    assert (source / "new").read_text() == "back\n"


def test_bind_file(bundle, source):
    bundle.bind(source / "file", "/etc/motd")
    assert bundle.sh("cat /etc/motd") == "from the host\n"


@pytest.fixture
def link(tmp_path):
    """A link of the host, to a file of the host."""
    (tmp_path / "file").write_text("the file\n")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    return tmp_path / "link"


def test_bind_of_a_link_itself(bundle, link):
    """src-nofollow: without it, the file would be mounted."""
    bundle.bind(link, "/data/link", "bind", "src-nofollow")
    (bundle.rootfs / "data").mkdir()
    assert bundle.sh("readlink /data/link; grep -c ' /data/link ' /proc/self/mountinfo").splitlines() == [str(link.resolve()), "1"]
    bundle.bind(link, "/data/other")
    assert bundle.sh("cat /data/other") == "the file\n"


def test_bind_on_a_link_itself(bundle, link):
    """dest-nofollow: the link is covered, and what it points to is not."""
    (bundle.rootfs / "etc/target").write_text("the target\n")
    (bundle.rootfs / "etc/link").symlink_to("target")
    bundle.bind(link.resolve(), "/etc/link", "bind", "dest-nofollow")
    assert bundle.sh("cat /etc/link /etc/target") == "the file\nthe target\n"


def test_bind_on_a_link_itself_makes_what_is_missing(bundle, link):
    bundle.bind(link.resolve(), "/new/file", "bind", "dest-nofollow")
    bundle["root.readonly"] = False
    assert bundle.sh("cat /new/file") == "the file\n"


def test_a_link_is_made_again(bundle, link):
    """copy-symlink: nothing is mounted. What is no link is bound."""
    bundle["root.readonly"] = False
    bundle.bind(link, "/new/link", "bind", "copy-symlink")
    bundle.bind(link.resolve(), "/new/file", "bind", "copy-symlink")
    for _ in range(2):  # the second time it is there already
        assert bundle.sh("readlink /new/link; cat /new/file; grep -c /new/ /proc/self/mountinfo").splitlines() == [str(link.resolve()), "the file", "1"]
    (bundle.rootfs / "new/link").unlink()
    (bundle.rootfs / "new/link").symlink_to("elsewhere")
    bundle.run("true").failed(r"mounts\[\d+\]", "not the same link")


def test_a_link_is_made_inside(bundle, link, tmp_path):
    """A link of the image on the way to the destination does not lead out."""
    (tmp_path / "outside").mkdir()
    (bundle.rootfs / "way").symlink_to(tmp_path / "outside")
    bundle.bind(link, "/way/link", "bind", "copy-symlink")
    bundle["root.readonly"] = False
    bundle.run("true").ok()
    assert list((tmp_path / "outside").iterdir()) == []


def test_bind_makes_missing_folders(bundle, source):
    bundle.bind(source, "/a/b/c")
    bundle.bind(source / "file", "/d/e/file")
    assert bundle.sh("cat /a/b/c/file /d/e/file") == "from the host\n" * 2
    assert (bundle.rootfs / "a/b/c").is_dir() and (bundle.rootfs / "d/e/file").is_file()


def test_bind_source_relative_to_the_bundle(bundle):
    (bundle.path / "data").mkdir()
    (bundle.path / "data/x").write_text("relative\n")
    bundle.bind("data", "/data")
    assert bundle.sh("cat /data/x") == "relative\n"


def test_bind_read_only(bundle, source):
    bundle.bind(source, "/data", "ro")
    assert "Read-only" in bundle.sh("touch /data/x 2>&1 || true")
    (source / "still-writable-on-the-host").touch()


@pytest.mark.parametrize("option", ["nosuid", "nodev", "noexec", "nosymfollow",
                                    *(pytest.param(option, marks=LOCKED_ATIME) for option in ("relatime", "noatime", "nodiratime"))])
def test_bind_option(bundle, source, info, option):
    bundle.bind(source, "/data", option)
    assert option in info()["/data"].options


def test_bind_noexec_is_enforced(bundle, source):
    (source / "program").write_text("#!/bin/sh\necho ran\n")
    (source / "program").chmod(0o755)
    bundle.bind(source, "/data", "noexec")
    assert "Permission denied" in bundle.sh("/data/program 2>&1 || true")


@harness.only("root", why="a user namespace locks how access times are kept")
def test_strictatime(bundle, source, info):
    bundle.bind(source, "/data", "strictatime")
    assert not {"relatime", "noatime"} & info()["/data"].options


@pytest.mark.parametrize("later, earlier, expected", [("rw", "ro", "rw"), ("ro", "rw", "ro"), ("suid", "nosuid", None),
                                                      ("exec", "noexec", None), ("dev", "nodev", None)])
def test_the_last_option_wins(bundle, source, info, later, earlier, expected):
    bundle.bind(source, "/data", earlier, later)
    options = info()["/data"].options
    assert (expected in options) if expected else (earlier not in options)


@harness.only("root", "userns", why="it mounts on the host")
def test_bind_is_not_recursive(bundle, source, host_mount):
    host_mount("-t", "tmpfs", "tmpfs", source / "sub")
    (source / "sub/inner").touch()
    bundle.bind(source, "/data")
    assert bundle.sh("ls /data/sub") == ""


@harness.only("root", "userns", why="it mounts on the host")
def test_rbind_is_recursive(bundle, source, host_mount):
    host_mount("-t", "tmpfs", "tmpfs", source / "sub")
    (source / "sub/inner").touch()
    bundle.mount("/data", "bind", str(source), ["rbind"])
    assert bundle.sh("ls /data/sub") == "inner\n"


@harness.only("root", "userns", why="it mounts on the host")
def test_rbind_ro_reaches_only_the_top(bundle, source, host_mount, info):
    host_mount("-t", "tmpfs", "tmpfs", source / "sub")
    bundle.mount("/data", "bind", str(source), ["rbind", "ro"])
    mounts = info()
    assert "ro" in mounts["/data"].options and "rw" in mounts["/data/sub"].options


RECURSIVE = {"rro": "ro", "rnosuid": "nosuid", "rnodev": "nodev", "rnoexec": "noexec", "rnoatime": "noatime",
             "rnodiratime": "nodiratime", "rnosymfollow": "nosymfollow"}


@harness.only("root", why="it mounts on the host, and a user namespace locks how access times are kept")
@pytest.mark.parametrize("option", RECURSIVE)
def test_recursive_option(bundle, source, host_mount, info, option):
    host_mount("-t", "tmpfs", "tmpfs", source / "sub")
    bundle.mount("/data", "bind", str(source), ["rbind", option])
    mounts = info()
    assert RECURSIVE[option] in mounts["/data"].options & mounts["/data/sub"].options
    host = harness.mounts(open("/proc/self/mountinfo").read())
    assert RECURSIVE[option] not in host[str(source / "sub")].options


RECURSIVE_OFF = {"rrw": "ro", "rsuid": "nosuid", "rdev": "nodev", "rexec": "noexec", "rsymfollow": "nosymfollow", "ratime": "noatime",
                 "rdiratime": "nodiratime"}
OF_ATIME = {"ratime", "rdiratime"}
MOUNTS = harness.only("root", "userns", why="it mounts on the host")  # of a case: one of the function would hide those of cases


@pytest.mark.parametrize("option", [pytest.param(option, marks=LOCKED_ATIME if option in OF_ATIME else MOUNTS) for option in RECURSIVE_OFF])
def test_recursive_option_that_clears(bundle, source, host_mount, info, option):
    host_mount("-t", "tmpfs", "-o", RECURSIVE_OFF[option], "tmpfs", source / "sub")
    assert RECURSIVE_OFF[option] in harness.mounts(open("/proc/self/mountinfo").read())[str(source / "sub")].options
    bundle.mount("/data", "bind", str(source), ["rbind", option])
    assert RECURSIVE_OFF[option] not in info()["/data/sub"].options


@harness.only("root", why="a user namespace locks how access times are kept")
@pytest.mark.parametrize("option, atime", [("rrelatime", {"relatime"}), ("rstrictatime", set()), ("rnoatime", {"noatime"})])
def test_recursive_atime(bundle, source, host_mount, info, option, atime):
    host_mount("-t", "tmpfs", "tmpfs", source / "sub")
    bundle.mount("/data", "bind", str(source), ["rbind", option])
    assert info()["/data/sub"].options & {"relatime", "noatime"} == atime


@harness.only("root", "userns", why="it mounts on the host")
def test_bind_of_a_locked_mount_in_a_user_namespace(bundle, source, host_mount):
    """The host's nodev, nosuid and ro cannot be taken away from inside a user namespace; a bind keeps them."""
    host_mount("-t", "tmpfs", "-o", "nosuid,nodev,noexec", "tmpfs", source / "sub")
    bundle.user_namespace()
    bundle.bind(source / "sub", "/data")
    mount = harness.mounts(bundle.sh("cat /proc/self/mountinfo"))["/data"]
    assert {"nosuid", "nodev", "noexec"} <= mount.options


@harness.only("root", "userns", why="it mounts on the host")
def test_bind_ro_of_a_locked_mount_in_a_user_namespace(bundle, source, host_mount):
    host_mount("-t", "tmpfs", "-o", "nosuid,nodev,noexec", "tmpfs", source / "sub")
    bundle.user_namespace()
    bundle.bind(source / "sub", "/data", "ro")
    mount = harness.mounts(bundle.sh("cat /proc/self/mountinfo"))["/data"]
    assert {"ro", "nosuid", "nodev", "noexec"} <= mount.options


def test_bind_over_a_file_of_the_image(bundle, source):
    bundle.bind(source / "file", "/etc/passwd", "ro")
    assert bundle.sh("cat /etc/passwd") == "from the host\n"
    assert "root" in (bundle.rootfs / "etc/passwd").read_text()


def test_bind_a_device(bundle):
    bundle.bind("/dev/null", "/etc/null")
    assert bundle.sh("stat -c %F /etc/null; echo x > /etc/null") == "character special file\n"


def test_bind_a_socket(bundle, tmp_path):
    import socket
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s"))
        bundle.bind(tmp_path / "s", "/run/s")
        assert bundle.sh("stat -c %F /run/s") == "socket\n"


def test_mounts_in_the_order_of_the_document(bundle, source):
    bundle.mount("/a", "tmpfs")
    bundle.bind(source, "/a/inner")
    assert bundle.sh("cat /a/inner/file") == "from the host\n"
    bundle.config["mounts"][-2:] = reversed(bundle.config["mounts"][-2:])
    assert bundle.sh("ls /a") == ""


def test_remount_changes_an_earlier_mount(bundle, info):
    bundle.mount("/scratch", "tmpfs", options=["rw"])
    bundle.mount("/scratch", "bind", options=["remount", "bind", "ro", "nosuid"])
    assert {"ro", "nosuid"} <= info()["/scratch"].options


# ---- Propagation ------------------------------------------------------------------------------------------------

@harness.only("root", "userns", why="it mounts on the host")
@pytest.mark.parametrize("option, propagation", [("private", ""), ("rprivate", ""), ("slave", "master:"), ("rslave", "master:"),
                                                 ("shared", "shared:"), ("rshared", "shared:"), ("unbindable", "unbindable"),
                                                 ("runbindable", "unbindable")])
def test_mount_propagation(bundle, source, host_mount, info, option, propagation):
    host_mount("--bind", source, source)
    subprocess.run(["mount", "--make-shared", str(source)], check=True)
    if "slave" in option or "shared" in option:
        bundle["linux.rootfsPropagation"] = "shared" if "shared" in option else "slave"
    bundle.bind(source, "/data", option)
    found = info()["/data"].propagation
    assert found.startswith(propagation) if propagation else found == ""


@pytest.mark.parametrize("mode, propagation", [("private", ""), ("slave", ""), ("shared", "shared:"), ("unbindable", "unbindable"),
                                               ("rprivate", ""), ("rslave", ""), ("rshared", "shared:"),
                                               ("runbindable", "unbindable")])
def test_rootfs_propagation(bundle, info, mode, propagation):
    bundle["linux.rootfsPropagation"] = mode
    found = info()["/"].propagation
    assert found.startswith(propagation) if propagation else "shared" not in found and "unbindable" not in found


@harness.only("root", "userns", why="it mounts on the host")
@pytest.mark.parametrize("mode, top, below", [
    ("private", [], []), ("rprivate", [], []), ("slave", ["master"], ["master"]), ("rslave", ["master"], ["master"]),
    ("shared", ["shared", "master"], ["master"]), ("rshared", ["shared", "master"], ["shared", "master"]),
    ("unbindable", ["unbindable"], ["master"]), ("runbindable", ["unbindable"], ["unbindable"])])
def test_rootfs_propagation_of_a_shared_rootfs(bundle, info, host_mount, mode, top, below):
    """What comes from the host ends at private; what is recursive reaches what is mounted in it."""
    host_mount("--bind", bundle.rootfs, bundle.rootfs)
    (bundle.rootfs / "below").mkdir()
    host_mount("-t", "tmpfs", "tmpfs", bundle.rootfs / "below")
    for path in (bundle.rootfs, bundle.rootfs / "below"):
        subprocess.run(["mount", "--make-shared", path], check=True)
    bundle["linux.rootfsPropagation"] = mode
    mounts = info()
    assert [[word.split(":")[0] for word in mounts[path].propagation.split()] for path in ("/", "/below")] == [top, below]


@harness.only("root", "userns", why="it mounts on the host")
def test_host_mount_reaches_a_slave(bundle, crt, source, host_mount):
    host_mount("--bind", source, source)
    subprocess.run(["mount", "--make-shared", str(source)], check=True)
    bundle["linux.rootfsPropagation"] = "rslave"
    bundle.bind(source, "/data", "rslave")
    container = crt.start(bundle.script("while [ ! -e /data/sub/late ]; do sleep 0.05; done; echo arrived"))
    host_mount("-t", "tmpfs", "tmpfs", source / "sub")
    (source / "sub/late").touch()
    container.wait_for_output("arrived")
    container.end()


@harness.only("root", "userns", why="it mounts on the host")
def test_host_mount_does_not_reach_a_private_container(bundle, crt, source, host_mount):
    host_mount("--bind", source, source)
    subprocess.run(["mount", "--make-shared", str(source)], check=True)
    bundle.bind(source, "/data", "private")
    container = crt.start(bundle.sleeper())
    host_mount("-t", "tmpfs", "tmpfs", source / "sub")
    assert "/data/sub" not in harness.mounts(container.proc("mountinfo"))
    container.end()


@harness.only("root", "userns", why="it mounts on the host")
def test_container_mount_does_not_reach_a_shared_host(bundle, source, host_mount):
    """A machine where systemd has made everything shared: the container's own mounts stay inside all the same."""
    host_mount("--bind", source, source)
    subprocess.run(["mount", "--make-shared", str(source)], check=True)
    bundle.bind(source, "/data")
    bundle.mount("/data/sub", "tmpfs")
    bundle.sh("true")
    assert not os.path.ismount(source / "sub")


@harness.only("root", "userns", why="it mounts on the host")
def test_a_shared_host_sees_no_mount(bundle, tmp_path):
    """The same for the whole start: in a namespace where / is shared, mountinfo is the same before, during, after."""
    bundle.script("true").write()
    script = (f"mount --make-rshared / && cat /proc/self/mountinfo > {tmp_path}/a && "
              f"{' '.join(bundle.crt.command('run', '--bundle', bundle.path, bundle.crt.new_id()))} && "
              f"cat /proc/self/mountinfo > {tmp_path}/b")
    done = subprocess.run(["unshare", "--mount", "--propagation", "private", "sh", "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "a").read_text() == (tmp_path / "b").read_text()


# ---- Rootfs -----------------------------------------------------------------------------------------------------

def test_readonly_rootfs(bundle, info):
    bundle["root.readonly"] = True
    assert "Read-only" in bundle.sh("touch /x 2>&1 || true; touch /dev/shm/still-writable")
    assert "ro" in info()["/"].options


def test_writable_rootfs(bundle):
    bundle["root.readonly"] = False
    bundle.sh("echo x > /made")
    assert (bundle.rootfs / "made").read_text() == "x\n"


def test_absolute_rootfs(bundle):
    bundle["root.path"] = str(bundle.rootfs)
    bundle.sh("test -x /bin/busybox")


def test_rootfs_through_a_link(bundle):
    (bundle.path / "link").symlink_to("rootfs")
    bundle["root.path"] = "link"
    bundle.sh("test -x /bin/busybox")


@harness.only("root", "userns", why="it mounts on the host")
def test_rootfs_that_is_a_mount(bundle, host_mount):
    host_mount("--bind", bundle.rootfs, bundle.rootfs)
    bundle.sh("test -x /bin/busybox")


def test_no_pivot(bundle):
    out = bundle.sh("ls -d /bin /dev; cat /proc/1/comm", options=["--no-pivot"])
    assert out.startswith("/bin\n/dev\n")


@harness.only("root", why="it enters the container's mount namespace from outside")
@pytest.mark.parametrize("options, is_there", [([], False), (["--no-pivot"], True)])
def test_no_pivot_leaves_the_old_root_below(bundle, crt, options, is_there):
    """Seen by who enters the mount namespace once the container's root has been taken away from its top."""
    bundle.all_capabilities("CAP_SYS_ADMIN")
    container = crt.start(bundle.script("umount -l / && echo away; exec sleep 1000"), *options)
    container.wait_for_output("away")
    found = subprocess.run(["nsenter", f"--mount=/proc/{container.pid}/ns/mnt", "test", "-e", bundle.path], capture_output=True)
    assert (found.returncode == 0) == is_there, found
    container.end()


def test_the_old_root_is_out_of_reach(bundle):
    bundle.all_capabilities("CAP_SYS_CHROOT", "CAP_SYS_ADMIN")
    out = bundle.sh("cd /; cd ..; cd ../../..; ls -d bin; ls -d /proc/1/root/bin; readlink /proc/self/cwd")
    assert out == "bin\n/proc/1/root/bin\n/\n"


# ---- What cannot work -------------------------------------------------------------------------------------------

@pytest.mark.parametrize("entry, word", [
    ({"destination": "/data", "type": "bind", "source": "/no/such/source", "options": ["bind"]}, "/no/such/source"),
    ({"destination": "/data", "type": "nosuchfs", "source": "x"}, "nosuchfs"),
    ({"destination": "/data", "type": "tmpfs", "source": "tmpfs", "options": ["size=banana"]}, "banana|/data"),
    ({"destination": "/etc/passwd/below", "type": "tmpfs", "source": "tmpfs"}, "/etc/passwd"),
    ({"destination": "/etc/passwd", "type": "tmpfs", "source": "tmpfs"}, "/etc/passwd"),
])
def test_a_mount_that_fails_names_itself(bundle, crt, entry, word):
    bundle.config["mounts"].append(entry)
    container = crt.new_id()
    result = bundle.run("true", container=container).failed(word)
    if harness.IS_CRT:
        assert f"mounts[{len(bundle.config['mounts']) - 1}]" in result.err and "config.json:" in result.err
    assert container not in crt.ids()


def test_unknown_option_of_a_bind(bundle, tmp_path):
    bundle.bind(tmp_path, "/data", "rslvae")
    if harness.IS_CRT:
        bundle.run("true").failed("rslvae", "rslave", r"config.json:\d+:\d+", r"mounts\[\d+\].options\[1\]")

"""Masks and read-only mounts hold against root in the container, though its user namespace owns them."""
import os
import subprocess

import pytest

import harness

HIDDEN = "secret of the host\n"
# What root inside may try; afterwards LOOK must print the same as before
ATTACKS = {
    "remount a volume": "mount -o remount,bind,rw /data",
    "remount a volume's copy": "mkdir -p /tmp/copy; mount --rbind /data /tmp/copy; mount -o remount,bind,rw /tmp/copy; touch /tmp/copy/x",
    "uncover a volume's place": "umount /data",
    "uncover a file": "umount /etc/hidden",
    "uncover a file lazily": "umount -l /etc/hidden",
    "uncover a folder": "umount /hidden",
    "move the cover": "mkdir -p /tmp/away; mount --move /hidden /tmp/away",
    "remount a read-only path": "mount -o remount,bind,rw /etc/fixed",
    "uncover a read-only path": "umount /etc/fixed",
    "remount the root": "mount -o remount,bind,rw /",
    "in a further mount namespace": "unshare -m sh -c 'umount /hidden; umount /data; mount -o remount,bind,rw /data; touch /data/x; cat /hidden/file'",
}
LOOK = "cat /etc/hidden /hidden/file; touch /data/x /etc/fixed/x /x; true"


@pytest.fixture
def guarded(bundle, tmp_path):
    """A container of root with all capabilities, with a read-only volume, masks and a read-only path and root."""
    source = tmp_path / "source"
    source.mkdir()
    source.chmod(0o777)
    for folder in ("hidden", "etc/fixed"):
        (bundle.rootfs / folder).mkdir()
    (bundle.rootfs / "hidden/file").write_text(HIDDEN)
    (bundle.rootfs / "etc/hidden").write_text(HIDDEN)
    bundle.user_namespace()
    bundle.all_capabilities("CAP_SYS_ADMIN", "CAP_SYS_CHROOT", "CAP_DAC_OVERRIDE")
    bundle.bind(source, "/data", "ro")
    bundle.mount("/tmp", "tmpfs")
    bundle["root.readonly"] = True
    bundle["linux.maskedPaths"] = ["/etc/hidden", "/hidden"]
    bundle["linux.readonlyPaths"] = ["/etc/fixed"]
    bundle.source = source
    return bundle


def run(*words):
    subprocess.run(list(map(str, words)), check=True)


def attack(bundle, script, **more):
    """What can be seen before and after the attack, and what the attack said."""
    text = f"({LOOK}) 2>&1; echo --; ({script}) 2>&1; echo --; ({LOOK}) 2>&1"
    return bundle.run("sh", "-c", text, **more).ok().out.split("--\n")


@pytest.mark.parametrize("name", ATTACKS)
def test_root_inside_cannot(guarded, name):
    before, said, after = attack(guarded, ATTACKS[name])
    assert HIDDEN not in before and before.count("Read-only file system") == 3
    assert after == before
    assert HIDDEN not in said
    assert "not permitted" in said or "Invalid argument" in said or "denied" in said, said
    assert list(guarded.source.iterdir()) == []


@pytest.mark.parametrize("name", ["remount a volume", "uncover a folder"])
def test_the_attack_is_one(guarded, name):
    """Where mounts of the container are to be seen outside, nothing is locked: SECURITY.md says so."""
    guarded.bind(guarded.source, "/shared", "rshared")
    (guarded.rootfs / "shared").mkdir()
    before, said, after = attack(guarded, ATTACKS[name])
    assert said == "" and after != before


@pytest.mark.parametrize("option", ["--no-pivot", "--no-new-keyring"])
def test_with_option(guarded, option):
    before, _, after = attack(guarded, "; ".join(ATTACKS.values()), options=[option])
    assert before == after


def test_the_hosts_sys_stays_read_only(guarded):
    """Without a network namespace there is no new sysfs, but the host's, with all that is mounted in it (CVE-2023-25809)."""
    guarded.without_namespace("network")
    look = "grep ' /sys' /proc/self/mountinfo | cut -d' ' -f5,6"
    attacks = "for path in $(grep -o ' /sys[^ ]*' /proc/self/mountinfo); do mount -o remount,bind,rw $path; umount $path; done 2>/dev/null; true"
    before, after = guarded.run("sh", "-c", f"{look}; echo --; {attacks}; {look}").ok().out.split("--\n")
    assert "/sys ro," in before and " rw" not in before
    assert after == before


def test_exec_with_all_capabilities(guarded, crt):
    container = crt.start(guarded.sleeper())
    args = [word for cap in ("CAP_SYS_ADMIN", "CAP_DAC_OVERRIDE") for word in ("--cap", cap)]
    result = crt("exec", *args, container.id, "sh", "-c", "umount /hidden; mount -o remount,bind,rw /data; touch /data/x; cat /hidden/file")
    assert result.code != 0 and result.out == "" and list(guarded.source.iterdir()) == []
    container.end()


def test_in_a_joined_user_namespace(guarded, new_bundle, crt):
    first = new_bundle("first")
    first.user_namespace()
    container = crt.start(first.sleeper())
    guarded.namespace("user", f"/proc/{container.pid}/ns/user")
    del guarded["linux.uidMappings"], guarded["linux.gidMappings"]
    before, _, after = attack(guarded, "; ".join(ATTACKS.values()))
    assert before == after and HIDDEN not in after
    container.end()


def test_what_the_host_mounts_later_appears_and_holds(guarded, crt):
    """A slave of the host's mount stays one."""
    guarded.mount_entry("/data")["options"] = ["rbind", "ro", "rslave"]
    (guarded.source / "later").mkdir()
    run("mount", "--bind", guarded.source, guarded.source)
    run("mount", "--make-shared", guarded.source)
    try:
        container = crt.start(guarded.sleeper())
        run("mount", "-t", "tmpfs", "-o", "nosuid", "none", guarded.source / "later")
        (guarded.source / "later/file").write_text("later")
        result = crt("exec", container.id, "sh", "-c", "cat /data/later/file; mount -o remount,bind,suid,rw /data/later")
        assert result.code != 0 and result.out == "later"
        container.end()
    finally:
        run("umount", "-R", guarded.source)


def test_a_terminal_keeps_its_name(guarded):
    guarded["process.terminal"] = True
    result = guarded.run("sh", "-c", "tty; for fd in 0 1 2; do readlink /proc/self/fd/$fd; done; echo x >/dev/tty").ok()
    assert result.out.split() == ["/dev/pts/0"] * 4 + ["x"]


def test_no_process_and_no_namespace_is_left(guarded, crt):
    container = crt.start(guarded.sleeper())
    assert set(harness.children_of(container.pid)) == set()
    assert os.readlink(f"/proc/{container.pid}/cwd") == "/"
    container.end()


def test_nothing_to_hold_is_nothing_to_lock(bundle):
    """Root of a container that hides nothing may do with its mounts what it wants."""
    bundle.user_namespace()
    bundle.all_capabilities("CAP_SYS_ADMIN")
    bundle["root.readonly"] = False
    bundle["linux.maskedPaths"] = bundle["linux.readonlyPaths"] = []
    for entry in bundle["mounts"]:
        entry["options"] = [option for option in entry.get("options", []) if option != "ro"]
    assert bundle.sh("umount /dev/shm && mount --bind /dev /tmp && echo done") == "done\n"


# ---- As an ordinary user, whose mounts the kernel has locked on the way into the user namespace -------------------

@harness.only("user", why="only an ordinary user's sources are locked")
@pytest.mark.parametrize("options", [[], ["rw"], ["rprivate", "rw", "nosuid"], ["ro"], ["relatime"]], ids=" ".join)
def test_flags_of_the_hosts_mount_are_kept(bundle, options):
    """As with runc and crun, a document that does not know of them works; what is not to be had is not given."""
    bundle.bind(os.environ["CRT_E2E_LOCKED"], "/data", *options)
    (bundle.rootfs / "data").mkdir()
    mount = harness.mounts(bundle.sh("cat /proc/self/mountinfo"))["/data"]
    assert mount.options >= {"ro", "nosuid", "nodev", "noexec"}


@harness.only("user", why="only an ordinary user's sources are locked")
def test_a_flag_that_is_locked_is_named(bundle):
    bundle.bind(os.environ["CRT_E2E_LOCKED"], "/data", "noatime")
    bundle.run("true").failed(r"mounts\[\d+\].*/data", "locked how access times are kept", "leave that option out")


@harness.only("user", why="the other cases are root's")
def test_as_a_user(bundle, tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    (bundle.rootfs / "hidden").mkdir()
    (bundle.rootfs / "hidden/file").write_text(HIDDEN)
    bundle.all_capabilities("CAP_SYS_ADMIN", "CAP_DAC_OVERRIDE")
    bundle.bind(source, "/data", "ro")
    bundle["linux.maskedPaths"] = ["/hidden"]
    result = bundle.run("sh", "-c", "mount -o remount,bind,rw /data; umount /data; touch /data/x; umount /hidden; cat /hidden/file")
    assert result.code != 0 and result.out == "" and os.listdir(source) == []


# ---- Where locking is short of something -----------------------------------------------------------------------

def test_with_no_user_namespaces_for_the_container(guarded):
    """A sysctl of the container's, which is set once the moment in which one is needed has passed."""
    guarded["linux.sysctl"] = {"user.max_user_namespaces": "0", "user.max_mnt_namespaces": "1"}
    result = guarded.run("sh", "-c", "cat /proc/sys/user/max_user_namespaces; umount /data; unshare -U true")
    assert result.out == "0\n" and result.code != 0
    assert "umount: can't unmount /data: Invalid argument" in result.err and "unshare(0x10000000): No space left" in result.err


def test_at_the_hosts_limit_of_user_namespaces(guarded, crt):
    """It allows one, for the container, and no second one for the moment of locking."""
    guarded["linux.uidMappings"] = guarded["linux.gidMappings"] = [{"containerID": 0, "hostID": 0, "size": 1}]
    guarded["linux.readonlyPaths"] = guarded["linux.maskedPaths"] = []
    guarded.mount_entry("/dev/pts")["options"].remove("gid=5")
    run("find", guarded.rootfs, "-uid", "100000", "-exec", "chown", "-h", "0:0", "{}", "+")
    command = crt.command("run", "--bundle", guarded.write().path, crt.new_id())
    inside = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", 'echo 1 >/proc/sys/user/max_user_namespaces && exec "$@"', "x"]
    result = crt(command=[*inside, *command]).failed("cannot pivot_root.*making a user namespace, for a moment, to lock the mounts: No space left",
                                                    "user.max_user_namespaces or user.max_mnt_namespaces is reached", "raise it")
    assert "config.json:" in result.err
    assert crt.ids() == []


@pytest.mark.needs_controller("pids")
def test_with_a_limit_of_one_process(guarded):
    """Which is set once init needs no second one."""
    guarded["linux.resources"] = {"pids": {"limit": 1}}
    result = guarded.run("sh", "-c", "umount /data; cat /sys/fs/cgroup/pids.max; read -r x </proc/self/mounts; (true)")
    assert "can't fork" in result.err, result
    before, said, after = (guarded.run("umount", "/data").err, "", guarded.run("umount", "/data").err)
    assert before == after and "Invalid argument" in before

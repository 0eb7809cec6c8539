"""Id-mapped mounts: who owns the files inside, who owns what is written on disk, and what the kernel refuses."""
import os
import shutil
import subprocess

import pytest

import harness

HOST = 100000


def mapping(*triples):
    return [dict(zip(("containerID", "hostID", "size"), triple)) for triple in triples]


def owner(path):
    stat = os.lstat(path)
    return stat.st_uid, stat.st_gid


@pytest.fixture
def source(tmp_path):
    """A folder with files of 0:0, 7:8 and 60000:60000."""
    folder = tmp_path / "source"
    folder.mkdir()
    for name, uid, gid in (("root", 0, 0), ("user", 7, 8), ("other", 60000, 60000)):
        (folder / name).write_text(name)
        os.chown(folder / name, uid, gid)
    folder.chmod(0o777)
    return folder


def idmap(bundle, destination, source, option="idmap", kind="bind", uids=None, gids=None, more=()):
    options = [kind, *more] + ([option] if option else [])
    bundle.mount(destination, "bind", str(source), options)
    if uids:
        bundle.mount_entry(destination).update(uidMappings=mapping(*uids), gidMappings=mapping(*(gids or uids)))


STAT = "cd /data && stat -c %n=%u:%g root user other"


@pytest.mark.parametrize("option", ["idmap", "ridmap", None])
def test_own_mappings_without_a_user_namespace(bundle, source, option):
    idmap(bundle, "/data", source, option, uids=[(0, 1000, 100)], gids=[(0, 2000, 100)])
    assert bundle.sh(STAT).split() == ["root=1000:2000", "user=1007:2008", "other=65534:65534"]
    assert owner(source / "user") == (7, 8), "on disk nothing changes"


def test_what_is_written_has_the_owner_of_the_disk(bundle, source):
    idmap(bundle, "/data", source, uids=[(0, 1000, 100)])
    bundle["process.user"] = {"uid": 1005, "gid": 1006}
    assert bundle.sh("touch /data/new; stat -c %u:%g /data/new") == "1005:1006\n"
    assert owner(source / "new") == (5, 6)


def test_who_is_not_mapped_cannot_write(bundle, source):
    idmap(bundle, "/data", source, uids=[(0, 1000, 100)])
    out = bundle.run("sh", "-c", "touch /data/new")
    out.failed("Value too large")
    assert not (source / "new").exists()


@pytest.mark.parametrize("option", ["idmap", "ridmap"])
def test_the_mapping_of_the_user_namespace(bundle, source, option):
    bundle.user_namespace(host=HOST, size=1000)
    idmap(bundle, "/data", source, option)
    bundle.bind(source, "/plain")
    assert bundle.sh(STAT).split() == ["root=0:0", "user=7:8", "other=65534:65534"]
    assert bundle.sh("stat -c %u:%g /plain/root; touch /data/new") == "65534:65534\n"
    assert owner(source / "new") == (0, 0)


def test_own_mappings_in_a_user_namespace(bundle, source):
    bundle.user_namespace(host=HOST, size=1000)
    idmap(bundle, "/data", source, uids=[(0, HOST + 50, 10), (60000, HOST + 99, 1)])
    assert bundle.sh(STAT).split() == ["root=50:50", "user=57:58", "other=99:99"]


def test_the_mapping_of_a_joined_user_namespace(bundle, new_bundle, crt, source):
    first = new_bundle("first")
    first.user_namespace(host=HOST, size=1000)
    container = crt.start(first.sleeper())
    bundle.user_namespace(host=HOST, size=1000)
    del bundle["linux.uidMappings"], bundle["linux.gidMappings"]
    bundle.namespace("user", f"/proc/{container.pid}/ns/user")
    idmap(bundle, "/data", source)
    assert bundle.sh(STAT).split() == ["root=0:0", "user=7:8", "other=65534:65534"]
    container.end()


def test_a_file(bundle, source):
    bundle.user_namespace(host=HOST, size=1000)
    idmap(bundle, "/etc/file", source / "user")
    assert bundle.sh("stat -c %u:%g /etc/file") == "7:8\n"


def test_with_other_attributes(bundle, source):
    idmap(bundle, "/data", source, uids=[(0, 0, 1), (7, 70, 2)], more=["ro", "noexec"])
    assert bundle.sh("stat -c %u:%g /data/user; touch /data/x 2>&1 || true").split("\n")[0] == "70:71"
    assert "Read-only" in bundle.sh("touch /data/x 2>&1 || true")


@pytest.mark.parametrize("option, expected", [("idmap", "0:0"), ("ridmap", "1000:1000")])
def test_what_is_mounted_in_it(bundle, source, option, expected):
    (source / "below").mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "none", source / "below"], check=True)
    try:
        idmap(bundle, "/data", source, option, kind="rbind", uids=[(0, 1000, 1)])
        assert bundle.sh("stat -c %u:%g /data/below; stat -c %u:%g /data/root") == f"{expected}\n1000:1000\n"
    finally:
        subprocess.run(["umount", source / "below"], check=True)


@pytest.fixture
def disk(tmp_path):
    """A block device with an ext4 in it: the files of `source`."""
    if not all(map(shutil.which, ("mke2fs", "losetup"))) or not os.path.exists("/dev/loop-control"):
        pytest.skip("needs mke2fs, losetup and /dev/loop-control")
    image = tmp_path / "image"
    image.write_bytes(bytes(4 << 20))
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-E", "root_owner=0:0", image], check=True)
    device = subprocess.run(["losetup", "--find", "--show", image], capture_output=True, text=True)
    if device.returncode:
        pytest.skip(f"no loop device: {device.stderr.strip()}")
    yield device.stdout.strip()
    subprocess.run(["losetup", "--detach", device.stdout.strip()], check=True)


def test_a_new_filesystem_of_a_disk(bundle, disk):
    """Which the container's program may not open: the rules are the program's, and the mount the document's."""
    bundle["mounts"] += [{"destination": "/data", "type": "ext4", "source": disk, "options": ["idmap"],
                          "uidMappings": mapping((0, 1000, 100)), "gidMappings": mapping((0, 2000, 100))}]
    bundle["process.user"] = {"uid": 1000, "gid": 2000}
    bundle["linux.resources"] = {"devices": [{"allow": False, "access": "rwm"}]}
    assert bundle.sh("stat -c %u:%g /data; touch /data/new; stat -c %u:%g /data/new") == "1000:2000\n1000:2000\n"
    del bundle.mount_entry("/data")["uidMappings"], bundle.mount_entry("/data")["gidMappings"]
    bundle.mount_entry("/data")["options"] = []
    assert bundle.sh("stat -c %u:%g /data/new") == "0:0\n", "on disk it is root's"


@pytest.mark.needs_kernel(6, 3)
def test_a_new_tmpfs(bundle):
    bundle["mounts"] += [{"destination": "/data", "type": "tmpfs", "options": ["idmap", "uid=5", "gid=6"],
                          "uidMappings": mapping((0, 1000, 100)), "gidMappings": mapping((0, 2000, 100))}]
    assert bundle.sh("stat -c %u:%g /data") == "1005:2006\n"


@pytest.mark.needs_kernel(6, 3)
def test_a_new_tmpfs_with_a_copy(bundle):
    (bundle.rootfs / "data").mkdir()
    (bundle.rootfs / "data/file").write_text("content\n")
    os.chown(bundle.rootfs / "data/file", 3, 4)
    bundle["mounts"] += [{"destination": "/data", "type": "tmpfs", "options": ["idmap", "tmpcopyup"],
                          "uidMappings": mapping((0, 1000, 100)), "gidMappings": mapping((0, 2000, 100))}]
    assert bundle.sh("stat -c %u:%g /data/file; cat /data/file") == "1003:2004\ncontent\n"


def test_a_new_filesystem_in_a_user_namespace_has_its_ids_already(bundle):
    bundle.user_namespace()
    bundle.mount("/data", "tmpfs", options=["idmap"])
    assert bundle.sh("stat -c %u:%g /data") == "0:0\n"


@pytest.mark.parametrize("kind", ["proc", "sysfs"])
def test_a_filesystem_that_cannot(bundle, kind):
    idmap(bundle, "/data", f"/{kind[:4] if kind == 'proc' else 'sys'}", kind="rbind", uids=[(0, 1000, 100)])
    bundle.run("true").failed("config.json:.*mounts", "map the ids of", f"the filesystem \\({kind}\\) has no id-mapped mounts")


def test_a_new_filesystem_that_cannot(bundle):
    bundle["mounts"] += [{"destination": "/data", "type": "mqueue", "uidMappings": mapping((0, 1, 1)),
                          "gidMappings": mapping((0, 1, 1))}]
    bundle.run("true").failed("config.json:.*mounts", "the filesystem \\(mqueue\\) has no id-mapped mounts")


def test_nothing_stays_on_the_host(bundle, crt, source):
    """No process that lends the mapping, no mount, and the source as it was; the container has no fd of it either."""
    before = harness.Snapshot().seen["mounts"]
    idmap(bundle, "/data", source, uids=[(0, 1000, 100)])
    container = crt.create(bundle.sleeper())
    assert harness.Snapshot().seen["mounts"] == before
    assert owner(source / "root") == (0, 0) and owner(source) == (0, 0)
    children = [pid for pid in harness.children_of(os.getpid()) if harness.namespace(pid, "user") != harness.namespace("self", "user")]
    assert children == [], "who made the mapping is gone"
    open_files = [os.readlink(f"/proc/{container.pid}/fd/{fd}") for fd in os.listdir(f"/proc/{container.pid}/fd")]
    assert not [name for name in open_files if "user:" in name or str(source) in name], open_files
    container.end()

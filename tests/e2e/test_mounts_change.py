"""crt mounts add, mounts remove: mounts of a container that runs."""
import json
import os
import pathlib

import pytest

import harness

pytestmark = harness.EVERYWHERE


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "file").write_text("content\n")
    folder.chmod(0o777)
    return folder


class Change:
    """change("add", {...}, ...) writes the file and calls crt mounts."""

    def __init__(self, crt, container, path):
        self.crt, self.container, self.path = crt, container, path

    def __call__(self, action, *mounts, text=None):
        self.path.write_text(text if text is not None else json.dumps(mounts, indent=1))
        return self.crt("mounts", action, self.container.id, self.path)

    def mounts(self):
        return harness.mounts(self.container.proc("mountinfo"))

    def inside(self, script):
        return self.crt("exec", self.container.id, "sh", "-c", script)


@pytest.fixture
def change(bundle, crt, tmp_path):
    bundle["root.readonly"] = False
    bundle.mount("/tmp", "tmpfs")
    container = crt.start(bundle.sleeper())
    yield Change(crt, container, tmp_path / "mounts.json")
    assert set(harness.children_of(container.pid)) == set()
    container.end()


def bind(source, destination, *options):
    return {"destination": destination, "type": "bind", "source": str(source), "options": ["bind", *options]}


def test_add_and_remove(change, source):
    before = set(change.mounts())
    change("add", bind(source, "/new/data"), {"destination": "/small", "type": "tmpfs", "source": "tmpfs", "options": ["size=64k", "noexec"]}).ok()
    assert set(change.mounts()) - before == {"/new/data", "/small"}
    assert "noexec" in change.mounts()["/small"].options and "size=64k" in change.mounts()["/small"].super_options
    assert change.inside("cat /new/data/file; echo x > /new/data/new").ok().out == "content\n"
    assert (source / "new").read_text() == "x\n"
    change("remove", {"destination": "/small"}, {"destination": "/new/data"}).ok()
    assert set(change.mounts()) == before
    assert not change.inside("cat /new/data/file").out


def test_a_file(change, source):
    change("add", bind(source / "file", "/etc/added")).ok()
    assert change.inside("cat /etc/added").ok().out == "content\n"
    change("remove", {"destination": "/etc/added"}).ok()
    assert change.inside("cat /etc/added").ok().out == ""


def test_read_only(change, source):
    change("add", bind(source, "/data", "ro", "nosuid")).ok()
    assert change.mounts()["/data"].options >= {"ro", "nosuid"}
    assert "Read-only" in change.inside("touch /data/x").err
    assert sorted(os.listdir(source)) == ["file"]


def test_one_in_the_other(change, source):
    change("add", {"destination": "/outer", "type": "tmpfs"}, bind(source, "/outer/inner")).ok()
    assert change.inside("cat /outer/inner/file").ok().out == "content\n"


def test_while_it_is_paused(change, source, crt):
    if crt("pause", change.container.id).code:
        pytest.skip("no cgroup of its own (run in the virtual machine)")
    change("add", bind(source, "/data")).ok()
    crt("resume", change.container.id).ok()
    assert change.inside("cat /data/file").ok().out == "content\n"


def test_a_relative_source_is_the_bundles(change, source):
    (change.container.bundle.path / "more").mkdir()
    (change.container.bundle.path / "more/file").write_text("of the bundle\n")
    change("add", bind("more", "/data")).ok()
    assert change.inside("cat /data/file").ok().out == "of the bundle\n"


def test_in_a_user_namespace(bundle, crt, source, tmp_path):
    if harness.AS != "user":
        bundle.user_namespace()
    bundle["root.readonly"] = False
    change = Change(crt, crt.start(bundle.sleeper()), tmp_path / "mounts.json")
    change("add", {"destination": "/small", "type": "tmpfs"}, bind(source, "/data")).ok()
    assert change.inside("stat -c %u:%g /small /; cat /data/file").ok().out == "0:0\n0:0\ncontent\n"
    assert change.inside("touch /small/mine && stat -c %u /small/mine").ok().out == "0\n"
    change.container.end()


@harness.only("root", why="it maps the ids of a filesystem of the host")
def test_with_a_mapping_of_its_own(change, source):
    mapping = [{"containerID": 0, "hostID": 500, "size": 10}]
    change("add", bind(source, "/data") | {"uidMappings": mapping, "gidMappings": mapping}).ok()
    assert change.inside("stat -c %u:%g /data/file").ok().out == "500:500\n"


def test_the_host_sees_nothing_of_it(change, source):
    before = pathlib.Path("/proc/self/mountinfo").read_text()
    change("add", bind(source, "/data", "rshared"), {"destination": "/small", "type": "tmpfs"}).ok()
    assert pathlib.Path("/proc/self/mountinfo").read_text() == before


# ---- A hostile container --------------------------------------------------------------------------------------

@pytest.mark.parametrize("target", ["/../../../../../../..{outside}", "{outside}"])
def test_a_link_as_destination_stays_inside(change, source, tmp_path, target):
    outside = tmp_path / "outside"
    outside.mkdir()
    change.inside(f"ln -s {target.format(outside=outside)} /link").ok()
    change("add", bind(source, "/link")).ok()
    assert os.listdir(outside) == [] and not os.path.ismount(outside)
    assert set(change.mounts()) & {str(outside)} == {str(outside)}, "beneath the container's root, where the link leads"


@pytest.mark.parametrize("link", ["/proc", "/proc/self", "/proc/1/root/proc", "/proc/self/attr"])
def test_a_link_into_procfs(change, source, link):
    change.inside(f"ln -s {link} /link").ok()
    change("add", bind(source, "/link/sys")).failed(r"mounts.json:.*\[0\]: cannot bind", "procfs|No such file|Too many levels")
    assert "content" not in change.inside("cat /link/sys/file").out


def test_a_link_to_a_mask_is_not_removed(change):
    masked = next(path for path in change.container.bundle["linux.maskedPaths"] if path in change.mounts())
    before = set(change.mounts())
    change.inside(f"ln -s {os.path.dirname(masked)} /link; ln -s {masked} /tmp/mask").ok()
    change("remove", {"destination": "/link/" + os.path.basename(masked)}).failed("unmount /link/", "without symbolic links")
    change("remove", {"destination": "/tmp/mask"}).failed("unmount /tmp/mask", "nothing is mounted there")
    assert set(change.mounts()) == before


def test_a_destination_that_changes_all_the_time(bundle, crt, source, tmp_path):
    """A folder that becomes a link and back: wherever the mount lands, it is inside."""
    outside = tmp_path / "outside"
    outside.mkdir()
    bundle["root.readonly"] = False
    bundle.script(f"mkdir /real; ln -s {outside} /lead; while true; do mv /real /d; mv /d /real; mv /lead /d; mv /d /lead; done 2>/dev/null")
    change = Change(crt, crt.start(bundle), tmp_path / "mounts.json")
    results = [change("add", bind(source, "/d/in")).code for _ in range(20)]
    assert 0 in results
    assert os.listdir(outside) == []
    assert not [path for path in harness.mounts(pathlib.Path("/proc/self/mountinfo").read_text()) if path.startswith(str(outside))]
    change.container.end()


# ---- Errors ------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("mount, words", [
    ({"destination": "/x", "type": "proc"}, r'\[0\].type: a running container cannot get a filesystem of the type "proc"'),
    ({"destination": "/x", "type": "ext4", "source": "/dev/sda1"}, 'of the type "ext4"'),
    ({"destination": "/x", "type": "overlay", "options": ["lowerdir=/a:/b"]}, 'of the type "overlay"'),
    ({"destination": "/x", "type": "tmpfs", "options": ["tmpcopyup"]}, "no tmpcopyup"),
    ({"destination": "/x", "options": ["remount", "ro"]}, "no remount"),
    ({"destination": "/x", "type": "bind", "source": "/no-such-folder", "options": ["bind"]}, r"\[0\].source: cannot .*/no-such-folder.*No such file"),
    ({"destination": "/", "type": "tmpfs"}, "the root of the container cannot be mounted upon"),
    ({"destination": "/x", "type": "tmpfs", "options": ["rslvae"]}, "rslvae(.|\n)*rslave"),
    ({"type": "tmpfs"}, r"\[0\].*destination"),
    ({"destination": "/x", "type": "tmpfs", "options": ["size=nonsense"]}, "size"),
    ({"destination": "/etc/passwd/x", "type": "tmpfs"}, "/etc/passwd/x.*Not a directory"),
])
def test_what_cannot_be_added(change, mount, words):
    before = change.mounts()
    change("add", mount).failed(words)
    assert change.mounts() == before


@pytest.mark.parametrize("text, words", [
    ("{}", r"mounts.json:1:1: expected an array of mounts, not"), ("[", "mounts.json:1:.*"), ("[1]", r"mounts.json:1:2: \[0\]"), ("", "mounts.json"),
])
def test_what_is_no_list_of_mounts(change, text, words):
    change("add", text=text).failed(words)
    change("remove", text=text).failed(words)


@pytest.mark.parametrize("destination, words", [
    ("/nowhere", "unmount /nowhere.*nothing is mounted there|No such file"), ("/etc", "unmount /etc.*nothing is mounted there"),
    ("/", "unmount /:.*the root"), ("/tmp/../..", "the root"), ("/no/folder", "the folder it is in.*No such file"),
])
def test_what_cannot_be_removed(change, destination, words):
    before = change.mounts()
    change("remove", {"destination": destination}).failed(words)
    assert change.mounts() == before


def test_which_container(change, crt, tmp_path):
    change.path.write_text("[]")
    crt("mounts", "add", "nobody", change.path).failed("nobody", "does not exist")
    crt("mounts", "add", change.container.id, tmp_path / "missing").failed("missing", "No such file")
    crt("mounts", "swap", change.container.id, change.path).failed("neither add nor remove: swap")
    crt("mounts", "add", change.container.id).failed()


def test_a_stopped_container(bundle, crt, tmp_path):
    container = crt.start(bundle.script("true")).wait_stopped()
    (tmp_path / "list").write_text("[]")
    crt("mounts", "add", container.id, tmp_path / "list").failed("cannot change the mounts of container", "stopped")
    container.end()

"""Containers of an ordinary user: his own id, and ranges by newuidmap and newgidmap."""
import fcntl
import json
import os
import pathlib
import pwd
import shutil
import subprocess
import tempfile

import pytest

import harness

USER, GROUP, FIRST, SIZE = 65534, 65534, 3_000_000, 65536
NAME = pwd.getpwuid(USER).pw_name
HELPERS = ("newuidmap", "newgidmap")
needs_helpers = pytest.mark.skipif(not all(shutil.which(name) for name in HELPERS), reason="needs newuidmap (package uidmap)")


class Rootless:
    """Runs crt as the user, in a mount namespace whose /etc/subuid and /etc/subgid say what a test wants."""

    def __init__(self, folder, rootfs, config):
        self.folder, self.config = folder, config
        self.ranges = {"subuid": f"{NAME}:{FIRST}:{SIZE}\n", "subgid": f"{NAME}:{FIRST}:{SIZE}\n"}
        self.prepare = ""
        self.crt = harness.Runtime(folder / "state", folder / "log")
        (folder / "bundle").mkdir()
        subprocess.run(["cp", "-al", rootfs, folder / "bundle/rootfs"], check=True)
        for path in (folder, folder / "bundle", *(p for p in (folder / "bundle/rootfs").rglob("*") if p.is_dir()), folder / "bundle/rootfs"):
            if not path.is_symlink():
                os.chown(path, USER, GROUP)
        folder.chmod(0o755)
        # As the user finds it: root's build folder may be out of his reach
        self.program = shutil.copy(harness.CRT, folder / "crt")
        self.map([(0, USER, 1)], [(0, GROUP, 1)])

    def map(self, uids, gids):
        for key, triples in (("uidMappings", uids), ("gidMappings", gids)):
            self.config["linux"][key] = [dict(zip(("containerID", "hostID", "size"), triple)) for triple in triples]

    def map_ranges(self):
        self.map([(0, USER, 1), (1, FIRST, SIZE)], [(0, GROUP, 1), (1, FIRST, SIZE)])

    def __call__(self, *words):
        script = self.prepare
        for name, text in self.ranges.items():
            (self.folder / name).write_text(text)
            script += f"touch /etc/{name}\nmount --bind {self.folder}/{name} /etc/{name}\n"
        script += f'exec setpriv --reuid {USER} --regid {GROUP} --clear-groups "$@"'
        command = ["unshare", "--mount", "sh", "-ec", script, "sh", self.program, "--root", str(self.folder / "state"), *map(str, words)]
        return self.crt(command=command, cwd="/", env=os.environ | {"HOME": "/", "XDG_RUNTIME_DIR": str(self.folder)})

    def sh(self, script):
        self.config["process"]["args"] = ["/bin/sh", "-c", script]
        (self.folder / "bundle/config.json").write_text(json.dumps(self.config))
        return self("run", "--bundle", self.folder / "bundle", self.crt.new_id())


@pytest.fixture
def rootless(leaks, rootfs_template, tmp_path):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="crt-rootless-"))
    subprocess.run([harness.CRT, "spec", "--rootless", "--bundle", tmp_path], check=True)
    config = json.loads((tmp_path / "config.json").read_text())
    config["process"]["terminal"] = False
    config["root"] = {"path": "rootfs"}
    made = {name for name in ("subuid", "subgid") if not os.path.exists(f"/etc/{name}")}
    yield Rootless(folder, rootfs_template, config)
    shutil.rmtree(folder)
    for name in made:
        pathlib.Path("/etc", name).unlink(missing_ok=True)


def words(text):
    return [line.split() for line in text.splitlines()]


def test_own_id(rootless):
    result = rootless.sh("id -u; cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups").ok()
    assert words(result.out) == [["0"], ["0", str(USER), "1"], ["0", str(GROUP), "1"], ["deny"]]


@needs_helpers
def test_ranges(rootless):
    rootless.map_ranges()
    result = rootless.sh("id -u; cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups").ok()
    uids, gids = [["0", str(USER), "1"], ["1", str(FIRST), str(SIZE)]], [["0", str(GROUP), "1"], ["1", str(FIRST), str(SIZE)]]
    assert words(result.out) == [["0"], *uids, *gids, ["allow"]]


@needs_helpers
def test_another_user_with_groups(rootless):
    rootless.map_ranges()
    rootless.config["process"]["user"] = {"uid": 1000, "gid": 1001, "additionalGids": [5, 6]}
    result = rootless.sh("id -u; id -g; grep Groups /proc/self/status; touch /tmp/mine; stat -c %u:%g /tmp/mine").ok()
    assert result.out.split() == ["1000", "1001", "Groups:", "5", "6", "1000:1001"]
    stat = (rootless.folder / "bundle/rootfs/tmp/mine").stat()
    assert (stat.st_uid, stat.st_gid) == (FIRST + 999, FIRST + 1000)


@needs_helpers
def test_a_range_of_uids_only(rootless):
    rootless.map([(0, FIRST, 10)], [(0, GROUP, 1)])
    rootless.folder.joinpath("bundle/rootfs").chmod(0o777)
    result = rootless.sh("id -u; cat /proc/self/uid_map /proc/self/setgroups").ok()
    assert words(result.out) == [["0"], ["0", str(FIRST), "10"], ["deny"]]


@needs_helpers
def test_exec_in_it(rootless):
    rootless.map_ranges()
    rootless.config["process"]["args"] = ["/bin/sh", "-c", "sleep 1000"]
    (rootless.folder / "bundle/config.json").write_text(json.dumps(rootless.config))
    name = rootless.crt.new_id()
    rootless("run", "--detach", "--bundle", rootless.folder / "bundle", name).ok()
    result = rootless("exec", "--user", "1000:1001", "--additional-gids", "7", name, "sh", "-c", "id -u; grep Groups /proc/self/status")
    rootless("delete", "--force", name).ok()
    assert result.ok().out.split() == ["1000", "Groups:", "7"]


def test_a_program_that_is_the_users_own(rootless):
    """Root inside could write to it (CVE-2019-5736): what init runs is a copy that nobody can change."""
    os.chown(rootless.program, USER, GROUP)
    own = os.stat(rootless.program)
    rootless.config["process"]["args"] = ["/bin/sh"]
    (rootless.folder / "bundle/config.json").write_text(json.dumps(rootless.config))
    name = rootless.crt.new_id()
    rootless("create", "--bundle", rootless.folder / "bundle", name).ok()
    process = pathlib.Path(f"/proc/{rootless('state', name).json()['pid']}")
    links = [process / "exe", *(process / "map_files").iterdir()]
    found = [(link.stat().st_dev, link.stat().st_ino) for link in links]
    with open(links[0], "rb") as program:
        seals = fcntl.fcntl(program, fcntl.F_GET_SEALS)
    rootless("delete", "--force", name).ok()
    assert (own.st_dev, own.st_ino) not in found and found.count(found[0]) > 1
    wanted = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL
    assert seals & wanted == wanted


@needs_helpers
@pytest.mark.parametrize("file, option", [("subuid", "--add-subuids"), ("subgid", "--add-subgids")])
@pytest.mark.parametrize("text", ["", f"{NAME}:{FIRST + 1}:{SIZE}\n", f"somebody:{FIRST}:{SIZE}\n", f"{NAME}:{FIRST}:{SIZE - 1}\n"],
                         ids=["none", "other", "somebody", "short"])
def test_a_range_that_is_not_his(rootless, file, option, text):
    rootless.map_ranges()
    rootless.ranges[file] = text
    helper = "newuidmap" if file == "subuid" else "newgidmap"
    rootless.sh("true").failed("config.json:.*linux.uidMappings", f"/{helper} failed: .*not allowed", f"/etc/{file} must give.*{option}")


@needs_helpers
def test_without_the_helper(rootless):
    rootless.map_ranges()
    directories = [path for path in ("/usr/bin", "/bin", "/usr/local/bin", "/usr/sbin", "/sbin") if os.path.exists(f"{path}/newuidmap")]
    for path in {os.path.realpath(path) for path in directories}:
        rootless.prepare += f"mount --bind /dev/null {path}/newuidmap\n"
    rootless.sh("true").failed("config.json:.*linux.uidMappings", "newuidmap is needed and not installed", "package uidmap")


@needs_helpers
def test_no_helper_from_the_path(rootless, monkeypatch):
    """Neither $PATH nor the image decides which program maps ids."""
    folder = rootless.folder / "evil"
    folder.mkdir()
    for name in HELPERS:
        (folder / name).write_text(f"#!/bin/sh\ntouch {rootless.folder}/evil-was-run\n")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    rootless.map_ranges()
    rootless.sh("true").ok()
    assert not (rootless.folder / "evil-was-run").exists()


@needs_helpers
def test_root_needs_no_helper(bundle, tmp_path):
    bundle.user_namespace(host=FIRST, size=SIZE)
    trace = tmp_path / "trace"
    bundle.script("true").write()
    command = bundle.crt.command("run", "--bundle", bundle.path, bundle.crt.new_id())
    bundle.crt(command=["strace", "-f", "-qq", "-o", trace, "-e", "trace=execve", *command]).ok()
    assert "idmap" not in trace.read_text()

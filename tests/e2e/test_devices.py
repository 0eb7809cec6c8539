"""Devices: the default ones, those asked for, and the eBPF program that decides about all others."""
import os
import stat

import pytest

DEFAULTS = {"null": (1, 3), "zero": (1, 5), "full": (1, 7), "random": (1, 8), "urandom": (1, 9), "tty": (5, 0)}


@pytest.mark.parametrize("name", DEFAULTS)
def test_default_device(bundle, name):
    major, minor = DEFAULTS[name]
    assert bundle.sh(f"stat -c '%F %t:%T %a %u:%g' /dev/{name}") == f"character special file {major:x}:{minor:x} 666 0:0\n"


@pytest.mark.parametrize("link, target", [("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1"),
                                          ("stderr", "/proc/self/fd/2"), ("ptmx", "pts/ptmx")])
def test_default_link(bundle, link, target):
    assert bundle.sh(f"readlink /dev/{link}").strip() in (target, target.removeprefix("/dev/"))


def test_the_defaults_work(bundle):
    out = bundle.sh("echo x > /dev/null; head -c 3 /dev/zero | wc -c; head -c 5 /dev/urandom | wc -c;"
                    "(echo x > /dev/full) 2>/dev/null || echo full; (echo out > /dev/stdout) | cat; head -1 /dev/fd/3 3</etc/group")
    assert out.split() == ["3", "5", "full", "out", "root:x:0:"]


def test_nothing_else_is_in_dev(bundle):
    assert set(bundle.sh("ls /dev").split()) <= {*DEFAULTS, "fd", "stdin", "stdout", "stderr", "ptmx", "pts", "shm", "mqueue",
                                                "console", "core"}


def test_asked_device(bundle):
    bundle["linux.devices"] = [{"path": "/dev/fuse", "type": "c", "major": 10, "minor": 229, "fileMode": 0o640, "uid": 1000, "gid": 1001}]
    assert bundle.sh("stat -c '%F %t:%T %a %u:%g' /dev/fuse") == "character special file a:e5 640 1000:1001\n"


@pytest.mark.parametrize("umask", [0, 0o22, 0o77])
def test_mode_of_a_device_is_exact(bundle, umask):
    bundle["process.user"] = {"uid": 0, "gid": 0, "umask": umask}
    bundle["linux.devices"] = [{"path": "/dev/fuse", "type": "c", "major": 10, "minor": 229, "fileMode": 0o662}]
    before = os.umask(umask)
    try:
        assert bundle.sh("stat -c %a /dev/fuse") == "662\n"
    finally:
        os.umask(before)


@pytest.mark.parametrize("kind, text", [("b", "block special file"), ("c", "character special file"), ("u", "character special file"),
                                        ("p", "fifo")])
def test_kind_of_device(bundle, kind, text):
    entry = {"path": "/dev/made", "type": kind, "fileMode": 0o600}
    bundle["linux.devices"] = [entry | ({} if kind == "p" else {"major": 7, "minor": 200})]
    assert bundle.sh("stat -c %F /dev/made").strip() == text


def test_device_in_a_folder_of_its_own(bundle):
    bundle["linux.devices"] = [{"path": "/dev/deep/er/null", "type": "c", "major": 1, "minor": 3}]
    assert bundle.sh("echo x > /dev/deep/er/null; stat -c %t:%T /dev/deep/er/null") == "1:3\n"


def test_device_outside_dev(bundle):
    bundle["linux.devices"] = [{"path": "/var/null", "type": "c", "major": 1, "minor": 3}]
    assert bundle.sh("stat -c %F /var/null") == "character special file\n"


def test_a_device_that_is_there_already(bundle):
    bundle["linux.devices"] = [{"path": "/dev/null", "type": "c", "major": 1, "minor": 3, "fileMode": 0o600}]
    assert bundle.sh("stat -c %t:%T /dev/null") == "1:3\n"


def test_dev_that_is_a_bind_of_the_hosts(bundle):
    """An engine that passes the host's /dev: nothing is made in it."""
    before = set(os.listdir("/dev"))
    bundle.without_mount("/dev", "/dev/pts", "/dev/shm", "/dev/mqueue")
    bundle.mount("/dev", "bind", "/dev", ["rbind"])
    assert "null" in bundle.sh("ls /dev").split()
    assert set(os.listdir("/dev")) == before


def test_dev_of_the_image_without_a_mount(bundle):
    bundle.without_mount("/dev", "/dev/pts", "/dev/shm", "/dev/mqueue")
    bundle.sh("test -d /dev")


# ---- The rules of linux.resources.devices ---------------------------------------------------------------------

def allowed(bundle, path="/dev/made"):
    """What opening it for reading and writing says, and for reading. The kernel wants CAP_SYSLOG for /dev/kmsg."""
    bundle.all_capabilities("CAP_SYSLOG")
    return bundle.sh(f"probe open {path} rw; probe open {path} r").split()


def test_all_denied_but_the_defaults(bundle):
    bundle["linux.resources"] = {"devices": [{"allow": False, "access": "rwm"}]}
    bundle["linux.devices"] = [{"path": "/dev/made", "type": "c", "major": 10, "minor": 229}]
    assert bundle.sh("probe open /dev/null rw; probe open /dev/zero r; probe open /dev/urandom r; probe open /dev/made r").split() == [
        "0", "0", "0", "EPERM"]


def test_a_device_that_a_rule_allows(bundle):
    bundle["linux.resources"] = {"devices": [{"allow": False, "access": "rwm"},
                                             {"allow": True, "type": "c", "major": 1, "minor": 11, "access": "rw"}]}
    bundle["linux.devices"] = [{"path": "/dev/made", "type": "c", "major": 1, "minor": 11},
                               {"path": "/dev/other", "type": "c", "major": 1, "minor": 1}]
    assert allowed(bundle) == ["0", "0"]
    assert allowed(bundle, "/dev/other") == ["EPERM", "EPERM"]


def test_access_is_checked_by_kind(bundle):
    bundle["linux.resources"] = {"devices": [{"allow": False, "access": "rwm"},
                                             {"allow": True, "type": "c", "major": 1, "minor": 11, "access": "r"}]}
    bundle["linux.devices"] = [{"path": "/dev/made", "type": "c", "major": 1, "minor": 11}]
    assert allowed(bundle) == ["EPERM", "0"]


def test_every_minor_of_a_major(bundle):
    bundle["linux.resources"] = {"devices": [{"allow": False, "access": "rwm"},
                                             {"allow": True, "type": "c", "major": 1, "access": "rwm"}]}
    bundle["linux.devices"] = [{"path": "/dev/made", "type": "c", "major": 1, "minor": 11}]
    assert allowed(bundle) == ["0", "0"]


def test_the_last_rule_counts(bundle):
    bundle["linux.resources"] = {"devices": [{"allow": False, "access": "rwm"},
                                             {"allow": True, "type": "c", "major": 1, "minor": 11, "access": "rwm"},
                                             {"allow": False, "type": "c", "major": 1, "minor": 11, "access": "w"}]}
    bundle["linux.devices"] = [{"path": "/dev/made", "type": "c", "major": 1, "minor": 11}]
    assert allowed(bundle) == ["EPERM", "0"]


def test_mknod_of_what_no_rule_allows(bundle):
    """Making a node is allowed for all by default (it is of no use), opening it is not."""
    bundle.all_capabilities("CAP_MKNOD")
    bundle["linux.resources"] = {"devices": [{"allow": False, "access": "rwm"}]}
    out = bundle.sh("probe mknod /tmp/made c 1 11; probe open /tmp/made r || true").split()
    assert out[-1] in ("EPERM", "ENOENT") and out[0] in ("0", "EPERM")


def test_block_and_character_are_different(bundle):
    bundle["linux.resources"] = {"devices": [{"allow": False, "access": "rwm"},
                                             {"allow": True, "type": "b", "major": 1, "minor": 11, "access": "rwm"}]}
    bundle["linux.devices"] = [{"path": "/dev/made", "type": "c", "major": 1, "minor": 11}]
    assert allowed(bundle) == ["EPERM", "EPERM"]


def test_everything_allowed(bundle):
    bundle["linux.resources"] = {"devices": [{"allow": True, "access": "rwm"}]}
    bundle["linux.devices"] = [{"path": "/dev/made", "type": "c", "major": 1, "minor": 11}]
    assert allowed(bundle) == ["0", "0"]


def test_many_rules(bundle):
    rules = [{"allow": True, "type": "c", "major": 200, "minor": minor, "access": "rwm"} for minor in range(400)]
    bundle["linux.resources"] = {"devices": [{"allow": False, "access": "rwm"}, *rules,
                                             {"allow": True, "type": "c", "major": 1, "minor": 11, "access": "r"}]}
    bundle["linux.devices"] = [{"path": "/dev/made", "type": "c", "major": 1, "minor": 11}]
    assert allowed(bundle) == ["EPERM", "0"]


# ---- /dev of a hostile image: see test_attack.py --------------------------------------------------------------

def test_a_device_is_not_made_over_a_file(bundle, crt):
    bundle.without_mount("/dev", "/dev/pts", "/dev/shm", "/dev/mqueue")
    (bundle.rootfs / "dev/fuse").write_text("a file")
    bundle["linux.devices"] = [{"path": "/dev/fuse", "type": "c", "major": 10, "minor": 229}]
    result = bundle.run("stat", "-c", "%F", "/dev/fuse")
    assert result.code != 0 or result.out == "character special file\n"
    assert not stat.S_ISREG((bundle.rootfs / "dev/fuse").stat().st_mode) or (bundle.rootfs / "dev/fuse").read_text() == "a file"

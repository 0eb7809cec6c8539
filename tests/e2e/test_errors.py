"""Bad input of any kind ends in a clear error: never a crash, never silence, nothing left."""
import json
import os
import re

import pytest

import harness

pytestmark = [harness.EVERYWHERE, pytest.mark.skipif(not harness.IS_CRT, reason="the words are crt's own")]


@pytest.fixture
def refuse(bundle, crt):
    """refuse(text): run a bundle with this config.json; returns what was printed."""
    def run(text, timeout=20):
        (bundle.path / "config.json").write_bytes(text if isinstance(text, bytes) else text.encode())
        results = [crt("run", "--bundle", bundle.path, crt.new_id(), timeout=timeout), crt("check", "--bundle", bundle.path)]
        assert results[0].code == 1, results[0]
        assert results[1].code == 1 and results[1].out.strip()
        assert crt.ids() == []
        assert results[0].err.strip()
        return results[0].err
    return run


def good(bundle):
    return json.dumps(bundle.config)


@pytest.mark.parametrize("text", ["", " ", "{", "[", "{}", "[]", "null", "1", '"x"', "{]", '{"a":}', '{"a" 1}', "{'a': 1}", "\x00",
                                  '{"ociVersion": "1.0.0"', "nonsense", "{}{}", "\ufeff{}", '{"a": 1,}', '{"a": NaN}', '{"a": 01}'])
def test_not_a_config(refuse, text):
    assert "config.json" in refuse(text)


@pytest.mark.parametrize("part", [0.1, 0.3, 0.5, 0.9, 0.999])
def test_truncated(refuse, bundle, part):
    text = good(bundle)
    assert "config.json:1:" in refuse(text[:int(len(text) * part)])


def test_a_hundred_truncations(bundle, crt):
    text = good(bundle).encode()
    for end in range(0, len(text), max(1, len(text) // 100)):
        (bundle.path / "config.json").write_bytes(text[:end])
        crt("check", "--bundle", bundle.path).failed(".*", code=1)


def test_a_byte_changed_anywhere(bundle, crt):
    """Still a document or an error, never a signal."""
    text = bytearray(good(bundle).encode())
    for at in range(0, len(text), max(1, len(text) // 150)):
        for byte in (b"\0", b'"', b"9", b"\xff"):
            changed = bytes(text[:at]) + byte + bytes(text[at + 1:])
            (bundle.path / "config.json").write_bytes(changed)
            result = crt("check", "--bundle", bundle.path)
            assert result.code in (0, 1), (at, byte, result)


def test_ten_megabytes(refuse):
    error = refuse('{"annotations": {"x": "' + "y" * (10 << 20) + '"}}')
    assert "config.json" in error and len(error) < 4096


def test_ten_thousand_deep(refuse):
    assert "deep" in refuse('{"a":' * 10000 + "1" + "}" * 10000)
    assert "deep" in refuse('{"a":' + "[" * 10000 + "]" * 10000 + "}")


def test_deep_and_cut_off(refuse):
    refuse("[" * 1000000)


def test_many_keys(refuse):
    refuse("{" + ",".join(f'"k{number}": {number}' for number in range(200000)) + "}")


def test_nul_in_a_string(refuse, bundle):
    bundle["hostname"] = "a\0b"
    assert "hostname" in refuse(good(bundle))


def test_nul_in_a_path(refuse, bundle):
    bundle["process.cwd"] = "/tmp\0/evil"
    assert "NUL" in refuse(good(bundle))


def test_nul_byte_in_the_file(refuse, bundle):
    refuse(good(bundle).encode().replace(b'"process"', b'"pro\0ess"'))


def test_invalid_utf8(refuse, bundle):
    refuse(good(bundle).encode().replace(b"rootfs", b"root\xff\xfes"))


def test_duplicate_key(refuse, bundle):
    text = json.dumps(bundle.config, indent=1).replace('"process": {', '"process": {\n  "cwd": "/evil",', 1)
    error = refuse(text)
    assert "cwd" in error and ("twice" in error or "duplicate" in error)


@pytest.mark.parametrize("value", [-1, 4294967296, 1e300, 0.5, 99999999999999999999999, "1000", True, [], {}])
def test_numbers_that_are_none(refuse, bundle, value):
    bundle["process.user"] = {"uid": value, "gid": 0}
    assert "process.user.uid" in refuse(good(bundle))


WRONG = [("process", [], "process"), ("process.args", "sh", "process.args"), ("process.args", [1], "process.args[0]"),
         ("process.args", [], "process.args"), ("process.env", {"A": "b"}, "process.env"),
         ("process.cwd", "relative", "process.cwd"), ("process.cwd", 5, "process.cwd"), ("process.terminal", "no", "process.terminal"),
         ("process.capabilities.bounding", "CAP_KILL", "process.capabilities.bounding"),
         ("process.rlimits", [{"type": "RLIMIT_NOPE", "soft": 1, "hard": 1}], "process.rlimits[0].type"),
         ("process.rlimits", [{"type": "RLIMIT_CPU", "soft": 2, "hard": 1}], "process.rlimits[0]"),
         ("process.rlimits", [{"type": "RLIMIT_CPU", "soft": 1, "hard": 1}] * 2, "process.rlimits[1]"),
         ("process.oomScoreAdj", 1001, "process.oomScoreAdj"), ("process.oomScoreAdj", "1", "process.oomScoreAdj"),
         ("root.path", "", "root.path"), ("root.path", 7, "root.path"), ("root.readonly", "yes", "root.readonly"),
         ("root", None, "root"), ("mounts", {}, "mounts"), ("mounts", [{"type": "tmpfs"}], "mounts[0]"),
         ("mounts", [{"destination": "/x", "type": "bind", "options": ["bind"]}], "mounts[0]"),
         ("mounts", [{"destination": "/x", "options": "ro"}], "mounts[0].options"),
         ("hostname", 5, "hostname"), ("linux.namespaces", [{"type": "pod"}], "linux.namespaces[0].type"),
         ("linux.namespaces", [{"type": "pid"}, {"type": "pid"}], "linux.namespaces[1]"),
         ("linux.namespaces", [{"path": "/x"}], "linux.namespaces[0]"),
         ("linux.uidMappings", [{"containerID": 0, "hostID": 0}], "linux.uidMappings[0]"),
         ("linux.timeOffsets", {"boottime": {"secs": 1}}, "linux.timeOffsets"),
         ("linux.maskedPaths", "/x", "linux.maskedPaths"), ("linux.maskedPaths", ["x"], "linux.maskedPaths[0]"),
         ("linux.rootfsPropagation", "sideways", "linux.rootfsPropagation"),
         ("linux.sysctl", {"kernel.msgmax": 5}, "linux.sysctl"),
         ("linux.devices", [{"path": "/dev/x", "type": "x", "major": 1, "minor": 1}], "linux.devices[0].type"),
         ("linux.devices", [{"path": "/dev/x", "type": "c"}], "linux.devices[0]"),
         ("linux.resources", {"pids": {"limit": "10"}}, "linux.resources.pids.limit"),
         ("linux.resources", {"memory": {"limit": 1.5}}, "linux.resources.memory.limit"),
         ("linux.resources", {"devices": [{"allow": True, "access": "x"}]}, "linux.resources.devices[0].access"),
         ("linux.seccomp", {"syscalls": []}, "linux.seccomp"),
         ("linux.seccomp", {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": [], "action": "SCMP_ACT_ALLOW"}]}, "linux.seccomp.syscalls[0]"),
         ("hooks", {"createRuntime": [{"args": ["x"]}]}, "hooks.createRuntime[0]"),
         ("hooks", {"createRuntime": [{"path": "relative"}]}, "hooks.createRuntime[0].path"),
         ("hooks", {"createRuntime": [{"path": "/x", "timeout": 0}]}, "hooks.createRuntime[0].timeout"),
         ("annotations", {"x": 5}, "annotations"), ("annotations", {"": "x"}, "annotations"),
         ("ociVersion", "9.0.0", "ociVersion"), ("ociVersion", "banana", "ociVersion"), ("ociVersion", 1, "ociVersion")]


@pytest.mark.parametrize("key, value, place", WRONG, ids=[f"{number}-{key}" for number, (key, *_) in enumerate(WRONG)])
def test_wrong_value_is_located(refuse, bundle, key, value, place):
    bundle[key] = value
    assert "config.json:" in refuse(json.dumps(bundle.config, indent=2))
    assert place in bundle.crt("check", "--bundle", bundle.path).out


@pytest.mark.parametrize("key, value, place", [("process.env", ["PATH=/bin", "NOEQUALS"], "process.env[1]"),
                                               ("mounts", [{"destination": "relative", "type": "tmpfs"}], "mounts[0].destination")])
def test_doubtful_value_is_warned_of(bundle, crt, key, value, place):
    bundle[key] = value
    assert bundle.run("/bin/echo", "fine").ok().out == "fine\n"
    assert place in crt("check", "--bundle", bundle.path).ok().out


@pytest.mark.parametrize("key", ["ociVersion", "root", "process.cwd", "process.args", "root.path"])
def test_missing_required_field(refuse, bundle, key):
    del bundle[key]
    assert key.split(".")[-1] in refuse(json.dumps(bundle.config, indent=2))


def test_unknown_keys_are_no_error(bundle, crt):
    """The specification: unknown properties must be ignored. crt check warns of them."""
    bundle.config["surprise"] = {"x": 1}
    bundle.config["linux"]["namespacez"] = []
    assert bundle.run("echo", "fine").ok().out == "fine\n"
    out = crt("check", "--bundle", bundle.path).ok().out
    assert "surprise" in out and "namespacez" in out and "namespaces" in out


def test_sections_of_other_systems_are_ignored(bundle):
    bundle.config |= {"windows": {"layerFolders": []}, "solaris": {"milestone": "x"}, "zos": {}, "vm": {"kernel": {"path": "/x"}},
                      "freebsd": {"devices": []}}
    assert bundle.run("echo", "fine").ok().out == "fine\n"


def test_all_problems_are_reported_not_the_first(bundle, crt):
    bundle["process.cwd"] = "relative"
    bundle["root.readonly"] = "yes"
    bundle["linux.namespaces"] = [{"type": "pod"}]
    bundle["mounts"] = [{"destination": "/x", "type": "tmpfs", "options": ["rslvae", 5]}]
    bundle.write()
    out = crt("check", "--bundle", bundle.path).failed(code=1).out
    for place in ("process.cwd", "root.readonly", "linux.namespaces[0].type", "mounts[0].options[1]"):
        assert place in out
    problems = json.loads(crt("check", "--bundle", bundle.path, "--format", "json").failed(code=1).out)
    assert problems["errors"] >= 4
    assert {"process.cwd", "root.readonly"} <= {problem["path"] for problem in problems["problems"]}
    for problem in problems["problems"]:
        assert problem["severity"] in ("error", "warning") and problem["message"]


def test_a_good_bundle_has_no_problems(bundle, crt):
    bundle.write()
    out = crt("check", "--bundle", bundle.path).ok().out
    assert "error" not in out


@pytest.mark.parametrize("what", ["missing", "folder", "fifo", "unreadable", "link"])
def test_config_that_is_no_file(bundle, crt, what):
    path = bundle.path / "config.json"
    if what == "folder":
        path.mkdir()
    elif what == "fifo":
        os.mkfifo(path)
    elif what == "link":
        path.symlink_to("/no/such/file")
    elif what == "unreadable":
        path.symlink_to("/proc/self/mem")
    for command in ("run", "create"):
        result = crt(command, "--bundle", bundle.path, crt.new_id(), timeout=10)
        assert result.code == 1 and "config.json" in result.err
    assert crt.ids() == []


@pytest.mark.parametrize("path", ["/no/such/bundle", "/etc/passwd", ""])
def test_bundle_that_is_no_folder(crt, path):
    result = crt("run", "--bundle", path, crt.new_id())
    assert result.code == 1 and result.err


@pytest.mark.parametrize("what", ["missing", "file", "dangling"])
def test_rootfs_that_is_no_folder(bundle, crt, what):
    import shutil
    shutil.rmtree(bundle.rootfs)
    if what == "file":
        bundle.rootfs.write_text("")
    elif what == "dangling":
        bundle.rootfs.symlink_to("nowhere")
    error = bundle.run("true").failed().err
    assert "rootfs" in error and "config.json:" in error


def test_the_rootfs_is_slash(bundle):
    """Refused or contained, but never pivoted over the host."""
    bundle["root.path"] = "/"
    result = bundle.run("true")
    assert result.code in (0, 1)


def test_state_directory_that_is_no_folder(bundle, crt):
    crt.state.write_text("")
    bundle.write()
    result = crt("run", "--bundle", bundle.path, "x")
    crt.state.unlink()
    assert result.code == 1 and str(crt.state) in result.err


def test_damaged_state_can_be_removed(bundle, crt):
    """Whatever a crash or a full disk has made of the file, delete --force ends it."""
    container = crt.start(bundle.script("true")).wait_stopped()
    for path in (crt.state / container.id).iterdir():
        if path.is_file() and not path.is_symlink():
            path.write_text("{damaged")
    crt("state", container.id).failed(container.id)
    crt("list").ok()
    crt("delete", "--force", container.id).ok()
    assert crt.ids() == []


def test_who_is_left_after_a_damaged_state_is_named(bundle, crt):
    """They are not killed, for nothing says that they are the container's; but not left without a word either."""
    container = crt.start(bundle.sleeper())
    cgroup, pid = container.cgroup, container.pid
    (crt.state / container.id / "state.json").write_text("{damaged")
    result = crt("delete", "--force", container.id).ok()
    assert crt.ids() == [] and cgroup.exists()
    assert re.search(f"warning: processes are left in the cgroup .*/{container.id}: .*echo 1 >{cgroup}/cgroup.kill", result.err), result.err
    (cgroup / "cgroup.kill").write_text("1")
    harness.reap(pid)
    harness.wait_for(lambda: "populated 0" in (cgroup / "cgroup.events").read_text())
    cgroup.rmdir()


@pytest.mark.parametrize("word, suggestion", [("rslvae", "rslave"), ("nosiud", "nosuid"), ("bnid", "bind")])
def test_suggestions(refuse, bundle, word, suggestion):
    bundle["mounts"] = [{"destination": "/x", "type": "bind", "source": "/tmp", "options": ["rbind", word]}]
    error = refuse(json.dumps(bundle.config, indent=2))
    assert f'did you mean "{suggestion}"' in error and "mounts[0].options[1]" in error


def test_the_log_file_says_it_too(bundle, crt, tmp_path):
    bundle["process.cwd"] = "relative"
    bundle.write()
    crt("--log", tmp_path / "log", "--log-format", "json", "run", "--bundle", bundle.path, "x").failed("process.cwd")
    entries = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert [entry for entry in entries if entry["level"] == "error" and "process.cwd" in entry["msg"]]


def test_intel_rdt_without_resctrl(bundle, crt):
    if any(mount.kind == "resctrl" for mount in harness.mounts(open("/proc/self/mountinfo").read()).values()):
        pytest.skip("resctrl is mounted here; a machine without it runs this")
    bundle["linux.intelRdt"] = {"l3CacheSchema": "L3:0=f"}
    bundle.run("true").failed("linux.intelRdt: Intel RDT needs the resctrl filesystem, which is not mounted", "mount -t resctrl")
    assert crt.ids() == []


@pytest.mark.parametrize("words", [["state", "c"], ["list"], ["list", "--quiet"], ["list", "--format", "json"], ["ps", "c"], ["events", "c"],
                                   ["events", "--stats", "c"], ["kill", "c"], ["delete", "c"], ["delete", "--force", "c"], ["start", "c"],
                                   ["exec", "c", "true"], ["pause", "c"], ["resume", "c"], ["update", "--pids-limit", "5", "c"], ["features"],
                                   ["check"], ["explain"]], ids=" ".join)
@pytest.mark.parametrize("there", [False, True])
def test_nothing_is_created(bundle, crt, words, there):
    """Not even the root directory by who only looks, or fails."""
    if there:
        crt.state.mkdir(mode=0o700)
    bundle.write()
    before = sorted(bundle.path.rglob("*"))
    result = crt(*words, cwd=bundle.path)
    fails = words[0] not in ("list", "features", "check", "explain") and "--force" not in words
    assert (result.code == 1) == fails, result
    if fails:
        assert 'container "c" does not exist' in result.err
    assert crt.state.exists() == there and (not there or not list(crt.state.iterdir()))
    assert sorted(bundle.path.rglob("*")) == before

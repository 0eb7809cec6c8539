"""The command line: syntax, help, spec, features, check, explain, the log."""
import json
import os
import re
import subprocess

import pytest

import harness

pytestmark = [pytest.mark.skipif(not harness.IS_CRT, reason="crt's own command line"), harness.EVERYWHERE]

COMMANDS = ["run", "create", "start", "exec", "state", "kill", "delete", "pause", "resume", "ps", "events", "update", "mounts", "list", "spec",
            "features", "check", "explain"]


@pytest.fixture
def version(root):
    return re.search(r"AC_INIT\(\[crt\], \[([\d.]+)\]\)", (root / "configure.ac").read_text()).group(1)


@pytest.mark.parametrize("option", ["--version", "-v", "-version"])
def test_version(crt, version, option):
    out = crt(option).ok().out
    assert out.splitlines()[0] == f"crt version {version}"
    assert "spec: 1." in out


@pytest.mark.parametrize("option", ["--help", "-h", "help"])
def test_help_names_every_command(crt, option):
    out = crt(option).ok().out
    for command in COMMANDS:
        assert f"\n   {command} " in out


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command(crt, command):
    out = crt(command, "--help").ok().out
    assert f"\nUSAGE:\n   crt {command}" in out
    assert crt("help", command).ok().out == out


def test_no_command(crt):
    assert "USAGE:" in crt().ok().out


@pytest.mark.parametrize("args, words", [(["nonsense"], ["nonsense"]), (["strat", "x"], ["strat", "start"]),
                                         (["run", "--bundel", "x", "y"], ["--bundel", "--bundle"]), (["state"], ["ID|argument"]),
                                         (["state", "a", "b"], ["b"]), (["run", "--preserve-fds", "many", "x"], ["many"]),
                                         (["list", "--format", "xml"], ["xml", "table", "json"]), (["--log-format", "xml", "list"], ["xml"]),
                                         (["kill"], ["ID|argument"]), (["run", "--pid-file"], ["pid-file"])])
def test_mistakes_in_the_call(crt, args, words):
    result = crt(*args)
    assert result.code != 0 and result.out == ""
    for word in words:
        assert re.search(word, result.err), result.err


@pytest.mark.parametrize("options", [["--bundle", "B"], ["--bundle=B"], ["-b", "B"], ["-bundle", "B"], ["-b=B"]])
def test_spellings_of_an_option(bundle, crt, options):
    bundle.script("echo fine").write()
    args = [option.replace("B", str(bundle.path)) if option in ("B", "--bundle=B", "-b=B") else option for option in options]
    assert crt("run", *args, crt.new_id()).ok().out == "fine\n"


def test_options_after_the_id(bundle, crt):
    bundle.script("echo fine").write()
    assert crt("run", crt.new_id(), "--bundle", bundle.path).ok().out == "fine\n"


def test_run_of_a_folder(bundle, crt):
    """crt run DIR/: an argument with a slash is the bundle."""
    bundle.script("hostname; echo fine").write()
    assert crt("run", f"{bundle.path}/").ok().out.endswith("fine\n")
    assert crt.ids() == []


def test_engines_options_are_accepted(bundle, crt):
    """What containerd, CRI-O and Podman add to every call."""
    bundle.script("echo fine").write()
    for options in (["--systemd-cgroup=false"], ["--rootless=auto"], ["--rootless", "true"], ["--cgroup-manager", "cgroupfs"], ["--debug"],
                    ["--log-level", "debug"]):
        command = [harness.CRT, "--root", str(crt.state), *options, "run", "--bundle", str(bundle.path), crt.new_id()]
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        assert done.returncode == 0 and done.stdout == "fine\n", done.stderr


READ_ONLY_CGROUPS = ["unshare", "--mount", "sh", "-c", 'mount -o remount,bind,ro /sys/fs/cgroup && exec "$@"', "x"]


@pytest.mark.holds("root", "userns", why="a user can remount nothing")
@pytest.mark.parametrize("word, limits, runs", [
    ("auto", False, harness.AS != "root"), ("true", False, True), ("false", False, False), ("true", True, False), ("auto", True, False)])
def test_rootless_says_whether_a_cgroup_may_be_lacking(bundle, crt, word, limits, runs):
    """Where none can be made: cgroup v2 is mounted read-only."""
    bundle["linux.resources"] = {"unified": {"cgroup.max.depth": "3"}} if limits else {"devices": [{"allow": False, "access": "rwm"}]}
    bundle.script("echo fine").write()
    command = [harness.CRT, "--root", str(crt.state), "--rootless", word, "run", "--bundle", str(bundle.path), crt.new_id()]
    done = crt(command=[*READ_ONLY_CGROUPS, *command])
    if runs:
        assert done.ok().out == "fine\n"
        assert ("device rules need a cgroup" in done.err) == (harness.AS == "root")
    else:
        done.failed("cannot (make the cgroup|hand down|set cgroup.max.depth)|no cgroup")
    assert crt.ids() == []


@pytest.mark.parametrize("option", ["--usage", "-?"])
def test_cruns_spellings_of_help(crt, option):
    assert crt(option).ok().out == crt("--help").ok().out
    assert crt("run", option).ok().out == crt("run", "--help").ok().out


def test_cruns_letter_for_the_config(bundle, crt, tmp_path):
    bundle.script("echo fine").write()
    (bundle.path / "config.json").rename(tmp_path / "elsewhere.json")
    assert crt("run", "-f", tmp_path / "elsewhere.json", "-b", bundle.path, crt.new_id()).ok().out == "fine\n"


# ---- --regex ----------------------------------------------------------------------------------------------------

def name(word):
    return f"{harness.TOKEN}-{word}"


def status(crt):
    return {entry["id"]: entry["status"] for entry in json.loads(crt("list", "-f", "json").ok().out) or []}


@pytest.fixture
def many(bundle, crt):
    bundle.sleeper().write()
    names = [name(word) for word in ("web1", "web2", "db1", "xweb3")]
    for one in names:
        crt("run", "--detach", "--bundle", bundle.path, one).ok()
    yield
    for one in names:
        crt("delete", "--force", one).ok()


def test_kill_by_regex(crt, many):
    result = crt("kill", "--regex", "e2e.*-web[0-9]$", "KILL").ok()
    assert (result.out, result.err) == ("", "")
    harness.wait_for(lambda: status(crt) == {name("web1"): "stopped", name("web2"): "stopped", name("db1"): "running", name("xweb3"): "running"})
    result = crt("kill", "-r", "web", "KILL")  # two have ended, and xweb3 has its turn nevertheless
    assert result.code == 1 and result.err.count("container not running") == 2
    harness.wait_for(lambda: status(crt)[name("xweb3")] == "stopped")
    assert status(crt)[name("db1")] == "running"


def test_delete_by_regex(crt, many):
    crt("delete", "--regex", "e2e.*-(web1|db.)$").failed("-db1", "-web1", code=1)
    assert len(status(crt)) == 4
    crt("delete", "-rf", "e2e.*-(web1|db.)$").ok()
    assert set(status(crt)) == {name("web2"), name("xweb3")}


def test_regex_that_matches_none(crt):
    for command in ("kill", "delete"):
        result = crt(command, "--regex", "zzz").ok()
        assert (result.out, result.err) == ("", "")


def test_regex_that_is_none(crt):
    crt("delete", "--regex", "[").failed(r'"\[" is no regular expression', r"regex\(7\)", code=1)


# ---- spec -------------------------------------------------------------------------------------------------------

def test_spec(crt, tmp_path):
    crt("spec", "--bundle", tmp_path).ok()
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["ociVersion"].startswith("1.") and config["process"]["args"] == ["sh"]
    assert config["root"] == {"path": "rootfs", "readonly": True}
    assert {entry["type"] for entry in config["linux"]["namespaces"]} >= {"pid", "network", "ipc", "uts", "mount", "cgroup"}
    assert "inheritable" not in config["process"]["capabilities"] or config["process"]["capabilities"]["inheritable"] == []
    assert config["process"]["noNewPrivileges"] is True


def test_spec_in_the_working_directory(crt, tmp_path):
    crt("spec", cwd=tmp_path).ok()
    assert (tmp_path / "config.json").exists()


def test_spec_does_not_overwrite(crt, tmp_path):
    (tmp_path / "config.json").write_text("mine")
    crt("spec", "--bundle", tmp_path).failed("config.json")
    assert (tmp_path / "config.json").read_text() == "mine"


def test_spec_under_another_name(crt, tmp_path):
    crt("spec", "--bundle", tmp_path, "--file", "other.json").ok()
    assert os.listdir(tmp_path) == ["other.json"]
    crt("spec", "-b", tmp_path, "-f", "other.json").failed("other.json", "--file")


def test_spec_passes_its_own_check(crt, tmp_path):
    (tmp_path / "rootfs").mkdir()
    crt("spec", *(["--rootless"] if os.geteuid() else []), "--bundle", tmp_path).ok()
    assert "no problems" in crt("check", "--bundle", tmp_path).ok().out


def test_spec_rootless(crt, tmp_path):
    crt("spec", "--rootless", "--bundle", tmp_path).ok()
    config = json.loads((tmp_path / "config.json").read_text())
    assert "user" in {entry["type"] for entry in config["linux"]["namespaces"]}
    assert config["linux"]["uidMappings"][0] | {"size": 1} == {"containerID": 0, "hostID": os.getuid(), "size": 1}


# ---- features ---------------------------------------------------------------------------------------------------

def test_features(crt):
    features = crt("features").json()
    assert features["ociVersionMin"].startswith("1.0") and features["ociVersionMax"].startswith("1.3")
    assert set(features["hooks"]) == {"prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"}
    assert {"bind", "rbind", "ro", "rro", "nosuid", "tmpcopyup", "rslave", "nosymfollow"} <= set(features["mountOptions"])
    linux = features["linux"]
    assert set(linux["namespaces"]) >= {"pid", "network", "mount", "ipc", "uts", "user", "cgroup", "time"}
    assert "CAP_SYS_ADMIN" in linux["capabilities"] and linux["cgroup"]["v2"] is True and not linux["cgroup"]["v1"]
    assert "MPOL_BIND" in linux["memoryPolicy"]["modes"] and "MPOL_F_STATIC_NODES" in linux["memoryPolicy"]["flags"]
    assert linux["mountExtensions"]["idmap"]["enabled"] is True and {"idmap", "ridmap"} <= set(features["mountOptions"])
    assert linux["seccomp"]["enabled"] is True and "SCMP_ACT_KILL_PROCESS" in linux["seccomp"]["actions"]


def test_every_listed_mount_option_works(crt, bundle, tmp_path):
    """features promises nothing that a bind would refuse as unknown."""
    for option in crt("features").json()["mountOptions"]:
        if option in ("remount", "idmap", "ridmap", "defaults"):
            continue
        bundle["mounts"] = [{"destination": "/x", "type": "bind", "source": str(tmp_path), "options": ["rbind", option]}]
        bundle.write()
        assert "unknown" not in crt("check", "--bundle", bundle.path).out, option


# ---- explain ----------------------------------------------------------------------------------------------------

@harness.only("root", why="it becomes another user")
def test_explain_needs_no_root_and_changes_nothing(bundle, crt):
    bundle.namespace("user")
    bundle["linux.uidMappings"] = bundle["linux.gidMappings"] = [{"containerID": 0, "hostID": 65534, "size": 1}]
    bundle.without_mount("/dev/pts")
    bundle["linux.resources"] = {}
    bundle.write()
    for folder in [bundle.path, *bundle.path.parents]:
        if str(folder).startswith("/tmp/"):
            folder.chmod(folder.stat().st_mode | 0o055)
    if subprocess.run(["test", "-x", harness.CRT], user=65534, group=65534).returncode:
        pytest.skip("the build is in a folder that only root may enter (a checkout in an open folder runs it)")
    result = crt("explain", "--bundle", bundle.path, user=65534, group=65534, extra_groups=[])
    assert "execute" in result.ok().out
    assert not crt.state.exists()


def test_explain_shows_the_order(bundle, crt):
    """What a reader looks for: clone, then mounts in their order, pivot_root, and the program last."""
    bundle["hostname"] = "boat"
    bundle["process.args"] = ["/bin/the-program"]
    bundle.write()
    out = crt("explain", "--bundle", bundle.path).ok().out
    places = [out.index(word) for word in ("clone", "boat", "/dev/pts", "pivot_root", "/bin/the-program")]
    assert places == sorted(places)


def test_explain_json(bundle, crt):
    bundle.write()
    plan = crt("explain", "--bundle", bundle.path, "--format", "json").json()
    assert plan


def test_explain_of_a_bad_bundle(bundle, crt):
    bundle["process.cwd"] = "relative"
    bundle.write()
    crt("explain", "--bundle", bundle.path).failed("process.cwd", "config.json:")


# ---- The log ----------------------------------------------------------------------------------------------------

def test_log_text(bundle, crt, tmp_path):
    crt("--log", tmp_path / "log", "state", "never-was").failed("never-was")
    line, = (tmp_path / "log").read_text().splitlines()
    assert "level=error" in line and "never-was" in line


def test_log_json(bundle, crt, tmp_path):
    """What containerd reads: one object a line with level, msg and time."""
    crt("--log", tmp_path / "log", "--log-format", "json", "state", "never-was").failed()
    entry, = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert entry["level"] == "error" and "never-was" in entry["msg"] and re.match(r"20\d\d-", entry["time"])


def test_log_is_appended(crt, tmp_path):
    for _ in range(2):
        crt("--log", tmp_path / "log", "state", "never-was").failed()
    assert len((tmp_path / "log").read_text().splitlines()) == 2


def test_log_with_cruns_prefix(crt, tmp_path):
    crt("--log", f"file:{tmp_path}/log", "state", "never-was").failed()
    assert "never-was" in (tmp_path / "log").read_text()


# A mount namespace of its own has the logger's socket; prints the datagram
LISTENER = """
import os, socket, subprocess, sys
path, command = sys.argv[1], sys.argv[2:]
folder = "/run" if path.startswith("/run") else "/dev"
subprocess.run(["mount", "-t", "tmpfs", "tmpfs", folder], check=True)
os.makedirs(os.path.dirname(path), exist_ok=True)
listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listener.bind(path)
listener.settimeout(10)
assert subprocess.run(command, stderr=subprocess.PIPE, stdin=subprocess.PIPE).returncode == 1
sys.stdout.buffer.write(listener.recv(65536))
"""


def logged(path, *command):
    done = subprocess.run(["unshare", "--mount", "python3", "-c", LISTENER, path, *command], capture_output=True, timeout=20)
    assert done.returncode == 0, done.stderr
    return done.stdout


@harness.only("root", "userns", why="it mounts a socket's folder")
def test_log_to_syslog(crt):
    line = logged("/dev/log", harness.CRT, "--root", str(crt.state), "--log", "syslog:boat", "state", "never-was").decode()
    assert re.fullmatch(r'<11>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d boat\[\d+\]: container "never-was" does not exist', line)


@harness.only("root", "userns", why="it mounts a socket's folder")
def test_log_to_the_journal(crt):
    """The native protocol, in the form that takes messages of several lines."""
    data = logged("/run/systemd/journal/socket", harness.CRT, "--root", str(crt.state), "--log", "journald:boat", "state", "never-was")
    message = b'container "never-was" does not exist'
    assert data == b"PRIORITY=3\nSYSLOG_IDENTIFIER=boat\nMESSAGE\n" + len(message).to_bytes(8, "little") + message + b"\n"


def test_nobody_listens(crt):
    """A container does not fail for want of a logger."""
    if os.path.exists("/run/systemd/journal/socket"):
        pytest.skip("a journal runs here (a machine without systemd runs this)")
    result = crt("--log", "journald:boat", "list")
    assert result.code == 0 and "nobody listens on /run/systemd/journal/socket" in result.err


def test_log_level(crt, bundle):
    bundle["process.capabilities.bounding"] = ["CAP_TO_FLY"]
    bundle.script("echo fine").write()
    for level, count in (("error", 0), ("warning", 1), ("debug", 2)):
        result = crt("--log-level", level, "run", "--bundle", bundle.path, crt.new_id()).ok()
        assert (result.err.count("warning:") >= 1) == (count >= 1) and ("debug:" in result.err) == (count == 2), result.err
    crt("--log-level", "loud", "list").failed("loud", "error warning info debug")


def test_debug_goes_to_stderr(bundle, crt):
    bundle.script("echo fine").write()
    result = crt("--debug", "run", "--bundle", bundle.path, crt.new_id()).ok()
    assert result.out == "fine\n" and result.err


def test_quiet_when_all_is_well(bundle, crt):
    bundle.script("echo fine").write()
    result = crt("run", "--bundle", bundle.path, crt.new_id()).ok()
    assert (result.out, result.err) == ("fine\n", "")


def test_closed_standard_output(crt):
    """A full disk behind the pipe is an error, not success."""
    with open("/dev/full", "w") as full:
        done = subprocess.run([harness.CRT, "features"], stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode != 0 and done.stderr


def test_works_without_standard_fds(bundle, crt, tmp_path):
    """stdin, stdout and stderr closed by the caller: nothing of ours slips into their places."""
    bundle.script(f"echo x > /tmp/ran; ls -l /proc/self/fd > /tmp/fds").write()
    bundle["root.readonly"] = False
    command = " ".join(map(str, crt.command("run", "--bundle", bundle.path, crt.new_id())))
    done = subprocess.run(["sh", "-c", f"exec {command} <&- >&- 2>&-"])
    assert done.returncode == 0 or not (bundle.rootfs / "tmp/ran").exists()
    if (bundle.rootfs / "tmp/fds").exists():
        assert str(tmp_path) not in (bundle.rootfs / "tmp/fds").read_text()


@pytest.mark.parametrize("name", ["README.md", "HACKING.md", "SECURITY.md", "NEWS.md"])
def test_documents_name_only_what_exists(root, name):
    """Every path in back quotes that looks like one of the tree's is there."""
    text = (root / name).read_text()
    tops = {path.name for path in root.iterdir()}
    for word in re.findall(r"`([\w./-]+)`", text):
        if "/" in word and word.split("/")[0] in tops - {"build"} and not re.search(r"/[A-Z_]+(\.|$)", word):
            assert (root / word).exists(), f"{name}: {word}"


def test_examples_of_the_readme(bundle, crt, root, tmp_path):
    """The shell lines of README.md that are marked as a session are run, and print what they say."""
    text = (root / "README.md").read_text()
    block = re.search(r"<!-- tested -->\n```sh\n(.*?)```", text, re.S).group(1)
    bundle.script("echo hello from $(hostname)").write()
    shell = f"crt() {{ {harness.CRT} --root {crt.state} \"$@\"; }}\n" + block.replace("sudo ", "")
    done = subprocess.run(["sh", "-eu", "-c", shell], cwd=tmp_path, capture_output=True, text=True, timeout=50, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.findall(r"^hello from \S+$", done.stdout, re.M) and '"status": "created"' in done.stdout
    assert crt.ids() == []

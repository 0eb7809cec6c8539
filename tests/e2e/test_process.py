"""The process: arguments, environment, working directory, user, capabilities, limits."""
import pytest

import harness

pytestmark = harness.EVERYWHERE

CAPABILITIES = ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID",
                "CAP_SETUID", "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_ADMIN",
                "CAP_NET_RAW", "CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT",
                "CAP_SYS_PTRACE", "CAP_SYS_PACCT", "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE", "CAP_SYS_RESOURCE"]


def bits(*names):
    return sum(1 << CAPABILITIES.index(name) for name in names)


@pytest.fixture
def fields(bundle):
    """fields(): /proc/self/status of the container's process."""
    return lambda: harness.status(bundle.run("cat", "/proc/self/status").ok().out)


@pytest.fixture
def caps(fields):
    """caps(): the five sets as numbers."""
    return lambda: {name[3:]: int(value, 16) for name, value in fields().items() if name.startswith("Cap")}


# ---- Arguments and environment ----------------------------------------------------------------------------------

@pytest.mark.parametrize("args", [["a", "b c", "", "d\ne"], ["ü", "\t", "*", "$HOME", "'", '"'], ["x" * 100000]])
def test_args(bundle, args):
    out = bundle.run("sh", "-c", 'for a in "$@"; do printf "<%s>" "$a"; done', "sh", *args).ok().out
    assert out == "".join(f"<{arg}>" for arg in args)


def test_many_args(bundle):
    assert bundle.run("sh", "-c", "echo $#", "sh", *["x"] * 2000).ok().out == "2000\n"


def test_args_0_is_what_was_asked(bundle):
    assert bundle.run("cat", "/proc/self/cmdline").ok().out == "cat\0/proc/self/cmdline\0"


def test_env_is_exactly_what_was_asked(bundle):
    bundle["process.env"] = ["PATH=/bin", "A=1", "EMPTY=", "B=two words", "C=x=y"]
    found = set(bundle.run("env").ok().out.splitlines())
    assert found - {"HOME=/root"} == {"PATH=/bin", "A=1", "EMPTY=", "B=two words", "C=x=y"}


def test_env_of_the_caller_stays_outside(bundle):
    import os
    out = bundle.run("env", env=os.environ | {"SECRET": "x"}).ok().out
    assert "SECRET" not in out


@pytest.mark.parametrize("uid, home", [(0, "/root"), (1000, "/home"), (4242, "/")])
def test_home_comes_from_the_passwd_file_of_the_image(bundle, uid, home):
    bundle["process.user"] = {"uid": uid, "gid": 0}
    bundle["process.env"] = ["PATH=/bin"]
    assert f"HOME={home}\n" in bundle.run("env").ok().out


def test_home_that_was_asked_for_stays(bundle):
    bundle["process.env"] = ["PATH=/bin", "HOME=/elsewhere"]
    assert "HOME=/elsewhere\n" in bundle.run("env").ok().out


def test_the_program_is_found_by_the_containers_path(bundle):
    (bundle.rootfs / "opt").mkdir()
    (bundle.rootfs / "opt/tool").write_text("#!/bin/sh\necho found\n")
    (bundle.rootfs / "opt/tool").chmod(0o755)
    bundle["process.env"] = ["PATH=/nowhere:/opt:/bin"]
    assert bundle.run("tool").ok().out == "found\n"


def test_relative_program(bundle):
    (bundle.rootfs / "opt").mkdir()
    (bundle.rootfs / "opt/tool").write_text("#!/bin/sh\necho found\n")
    (bundle.rootfs / "opt/tool").chmod(0o755)
    bundle["process.cwd"] = "/opt"
    assert bundle.run("./tool").ok().out == "found\n"


@pytest.mark.parametrize("args, word", [(["/no/such/program"], "/no/such/program"), (["nowhere-in-path"], "nowhere-in-path"),
                                        (["/etc/passwd"], "/etc/passwd"), (["/etc"], "/etc")])
def test_a_program_that_cannot_run(bundle, crt, args, word):
    container = crt.new_id()
    bundle.run(*args, container=container).failed(word if harness.IS_CRT else "")
    assert container not in crt.ids()


# ---- Working directory ------------------------------------------------------------------------------------------

def test_cwd(bundle):
    bundle["process.cwd"] = "/tmp"
    assert bundle.run("pwd").ok().out == "/tmp\n"


def test_cwd_is_made(bundle):
    bundle["process.cwd"] = "/new/folder"
    assert bundle.sh("pwd; readlink /proc/self/cwd") == "/new/folder\n/new/folder\n"


def test_cwd_on_a_mount(bundle):
    bundle.mount("/scratch", "tmpfs")
    bundle["process.cwd"] = "/scratch"
    assert bundle.sh("touch x; ls /scratch") == "x\n"


@harness.only("root", "userns", why="it needs files or processes of other users")
def test_cwd_only_the_user_may_enter(bundle):
    import os
    (bundle.rootfs / "private").mkdir(mode=0o700)
    os.chown(bundle.rootfs / "private", 1000, 1000)
    bundle["process.cwd"] = "/private"
    bundle["process.user"] = {"uid": 1000, "gid": 1000}
    for kind in bundle["process.capabilities"]:
        bundle["process.capabilities"][kind] = []
    assert bundle.run("pwd").ok().out == "/private\n"


def test_cwd_through_a_link_of_the_image(bundle):
    (bundle.rootfs / "link").symlink_to("/tmp")
    bundle["process.cwd"] = "/link"
    assert bundle.sh("readlink /proc/self/cwd") == "/tmp\n"


def test_cwd_that_is_a_file(bundle):
    bundle["process.cwd"] = "/etc/passwd"
    bundle.run("true").failed("/etc/passwd" if harness.IS_CRT else "")


# ---- User -------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("uid, gid", [(0, 0), (1000, 1000), (1, 2), (65534, 65534),
                                      pytest.param(4294967294, 4294967294, marks=harness.only("root", why="it names ids beyond the range"))])
def test_user(bundle, fields, uid, gid):
    bundle["process.user"] = {"uid": uid, "gid": gid}
    found = fields()
    assert found["Uid"].split() == [str(uid)] * 4 and found["Gid"].split() == [str(gid)] * 4
    assert found["Groups"].split() == []


@harness.only("root", why="it names ids beyond the range")
def test_additional_gids(bundle, fields):
    bundle["process.user"] = {"uid": 1000, "gid": 1000, "additionalGids": [5, 7, 4000000000]}
    assert sorted(map(int, fields()["Groups"].split())) == [5, 7, 4000000000]


@harness.only("root", "userns", why="it needs files or processes of other users")
def test_groups_of_the_caller_are_dropped(bundle):
    result = bundle.run("id", "-G", extra_groups=[11, 12, 13]).ok()
    assert result.out == "0\n"


@pytest.mark.parametrize("umask", [0o22, 0o77, 0o0, 0o777, 0o27])
def test_umask(bundle, fields, umask):
    bundle["process.user"] = {"uid": 0, "gid": 0, "umask": umask}
    assert int(fields()["Umask"], 8) == umask


@harness.only("root", "userns", why="without privileges the umask keeps the caller himself out")
def test_umask_of_the_caller_does_not_matter(bundle, fields):
    """Neither for the process nor for what is made for it."""
    import os
    before = os.umask(0o777)
    try:
        bundle.path.joinpath("config.json").touch(mode=0o644)
        bundle.path.joinpath("config.json").chmod(0o644)
        found = fields()
        os.umask(0o777)
        modes = bundle.sh("stat -c %a /dev/null /dev/pts /dev/shm")
    finally:
        os.umask(before)
    assert int(found["Umask"], 8) in (0o22, 0o777)
    assert modes.split() == ["666", "755", "1777"]


# ---- Capabilities -----------------------------------------------------------------------------------------------

def test_capabilities_of_the_default_config(bundle, caps):
    sets = caps()
    asked = bits("CAP_NET_BIND_SERVICE", "CAP_KILL") | 1 << 29  # CAP_AUDIT_WRITE
    assert sets["Bnd"] == sets["Prm"] == sets["Eff"] == asked and sets["Inh"] == sets["Amb"] == 0


def test_each_set_for_itself(bundle, caps):
    bundle["process.capabilities"] = {
        "bounding": ["CAP_CHOWN", "CAP_KILL", "CAP_SYS_CHROOT", "CAP_NET_RAW"],
        "permitted": ["CAP_CHOWN", "CAP_KILL", "CAP_NET_RAW"], "effective": ["CAP_CHOWN"],
        "inheritable": ["CAP_KILL", "CAP_NET_RAW"], "ambient": ["CAP_KILL"]}
    bundle["process.user"] = {"uid": 1000, "gid": 1000}
    sets = caps()
    assert sets["Bnd"] == bits("CAP_CHOWN", "CAP_KILL", "CAP_SYS_CHROOT", "CAP_NET_RAW")
    # After execve a user who is not root has what is ambient
    assert sets["Amb"] == sets["Prm"] == sets["Eff"] == bits("CAP_KILL")
    assert sets["Inh"] == bits("CAP_KILL", "CAP_NET_RAW")


def test_no_capabilities_at_all(bundle, caps):
    bundle["process.capabilities"] = {}
    assert set(caps().values()) == {0}


def test_capabilities_absent(bundle, caps):
    """The process runs with none: nothing was granted."""
    del bundle["process.capabilities"]
    sets = caps()
    if harness.IS_CRT:
        assert sets["Eff"] == sets["Amb"] == sets["Inh"] == 0


def test_inheritable_is_never_set_unasked(bundle, caps):
    """CVE-2022-29162 and its relatives."""
    bundle.all_capabilities("CAP_SYS_ADMIN", "CAP_NET_RAW")
    assert caps()["Inh"] == 0


def test_ambient_reaches_an_ordinary_user(bundle):
    bundle["process.user"] = {"uid": 1000, "gid": 1000}
    for kind in ("bounding", "permitted", "effective", "inheritable", "ambient"):
        bundle["process.capabilities"][kind] = ["CAP_NET_BIND_SERVICE", "CAP_CHOWN"]
    assert bundle.sh("touch /tmp/x && chown 5 /tmp/x && stat -c %u /tmp/x") == "5\n"


def test_user_without_ambient_has_none(bundle, caps):
    bundle["process.user"] = {"uid": 1000, "gid": 1000}
    sets = caps()
    assert sets["Eff"] == sets["Prm"] == 0 and sets["Bnd"] != 0


def test_unknown_capability(bundle):
    bundle["process.capabilities.bounding"] = ["CAP_KILL", "CAP_NO_SUCH"]
    result = bundle.run("true")
    if harness.IS_CRT:  # the specification: log a warning, or fail; never grant something else
        assert "CAP_NO_SUCH" in result.err


def test_dropped_capability_is_gone(bundle):
    assert bundle.sh("touch /tmp/x; chown 5 /tmp/x 2>/dev/null || echo refused") == "refused\n"


# ---- no_new_privs, limits, the rest -----------------------------------------------------------------------------

@pytest.mark.parametrize("value, expected", [(True, "1"), (False, "0")])
def test_no_new_privileges(bundle, fields, value, expected):
    bundle["process.noNewPrivileges"] = value
    assert fields()["NoNewPrivs"] == expected


def test_no_new_privileges_defeats_setuid(bundle):
    import shutil
    shutil.copy(bundle.rootfs / "bin/probe", bundle.rootfs / "bin/setuid-probe")  # hard links are shared
    (bundle.rootfs / "bin/setuid-probe").chmod(0o4755)
    bundle["process.user"] = {"uid": 1000, "gid": 1000}
    for value, euid in ((True, "1000\n"), (False, "0\n")):
        bundle["process.noNewPrivileges"] = value
        assert bundle.run("setuid-probe", "syscall", "geteuid").ok().out == euid


LIMITS = {"RLIMIT_NOFILE": "Max open files", "RLIMIT_CORE": "Max core file size", "RLIMIT_NPROC": "Max processes",
          "RLIMIT_CPU": "Max cpu time", "RLIMIT_DATA": "Max data size", "RLIMIT_FSIZE": "Max file size",
          "RLIMIT_LOCKS": "Max file locks", "RLIMIT_MEMLOCK": "Max locked memory", "RLIMIT_MSGQUEUE": "Max msgqueue size",
          "RLIMIT_NICE": "Max nice priority", "RLIMIT_RTPRIO": "Max realtime priority", "RLIMIT_RTTIME": "Max realtime timeout",
          "RLIMIT_SIGPENDING": "Max pending signals", "RLIMIT_STACK": "Max stack size", "RLIMIT_RSS": "Max resident set",
          "RLIMIT_AS": "Max address space"}


@pytest.mark.parametrize("name", LIMITS)
def test_rlimit(bundle, name):
    import resource
    hard = resource.getrlimit(getattr(resource, name, 10))[1] if hasattr(resource, name) else -1
    large = name in ("RLIMIT_AS", "RLIMIT_DATA", "RLIMIT_STACK", "RLIMIT_FSIZE")
    low, high = (0, 0) if 0 <= hard < 1 << 16 else (1 << 26, 1 << 27) if large else (512, 1024)
    if 1024 <= hard < 1 << 16:
        low, high = 512, 1024
    bundle["process.rlimits"] = [{"type": name, "soft": low, "hard": high}]
    line = next(line for line in bundle.run("cat", "/proc/self/limits").ok().out.splitlines() if line.startswith(LIMITS[name]))
    assert line.removeprefix(LIMITS[name]).split()[:2] == [str(low), str(high)]


def test_rlimit_unlimited(bundle):
    bundle["process.rlimits"] = [{"type": "RLIMIT_CPU", "soft": 18446744073709551615, "hard": 18446744073709551615}]
    line = next(line for line in bundle.run("cat", "/proc/self/limits").ok().out.splitlines() if line.startswith("Max cpu"))
    assert line.split()[3:5] == ["unlimited", "unlimited"]


def test_rlimits_of_the_caller_are_inherited(bundle):
    import resource
    bundle["process.rlimits"] = []
    out = bundle.run("sh", "-c", "ulimit -c", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (0, 0))).ok().out
    assert out == "0\n"


@pytest.mark.parametrize("value", [1000, 500, 0])
def test_oom_score_adj(bundle, value):
    bundle["process.oomScoreAdj"] = value
    assert bundle.run("cat", "/proc/self/oom_score_adj").ok().out == f"{value}\n"


def test_oom_score_adj_of_the_caller_is_inherited(bundle):
    def prepare():
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("321")
    assert bundle.run("cat", "/proc/self/oom_score_adj", preexec_fn=prepare).ok().out == "321\n"


def test_signals_are_as_a_program_expects_them(bundle):
    """Nothing blocked, nothing ignored, whatever the caller had."""
    import signal

    def prepare():
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2, signal.SIGTERM})
    fields = harness.status(bundle.run("cat", "/proc/self/status", preexec_fn=prepare).ok().out)
    assert int(fields["SigBlk"], 16) == 0
    if harness.IS_CRT:
        assert int(fields["SigIgn"], 16) == 0


def test_process_attributes(bundle):
    found = bundle.run("probe", "prctl").ok().out.split()
    values = dict(zip(found[::2], map(int, found[1::2])))
    assert values == {"dumpable": 1, "keepcaps": 0, "no_new_privs": 1, "subreaper": 0, "pdeathsig": 0, "securebits": 0}


def test_session_of_its_own(bundle):
    assert bundle.sh("set -- $(cat /proc/self/stat); echo $6") == "1\n"


def test_session_keyring_of_its_own(bundle, crt):
    container = crt.new_id()
    bundle["linux.seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW"}
    out = bundle.run("probe", "keyring", container=container).ok().out
    assert container in out and "_uid" not in out


def test_no_new_keyring(bundle, crt):
    container = crt.new_id()
    assert container not in bundle.run("probe", "keyring", container=container, options=["--no-new-keyring"]).ok().out


def test_stdin_reaches_the_process(bundle):
    assert bundle.run("cat", input="through the pipe\n").ok().out == "through the pipe\n"


def test_stderr_and_stdout_are_apart(bundle):
    result = bundle.run("sh", "-c", "echo out; echo err >&2").ok()
    assert (result.out, result.err) == ("out\n", "err\n")


def test_only_three_fds(bundle):
    lines = bundle.run("probe", "fds").ok().out.splitlines()
    assert [line.split()[0] for line in lines] == ["0", "1", "2"]


def test_preserve_fds(bundle):
    """3 is passed on, 4 is not, although both are open."""
    bundle.config["process"]["args"] = ["probe", "fds"]
    command = bundle.write().crt.command("run", "--preserve-fds", "1", "--bundle", bundle.path, bundle.crt.new_id())
    lines = bundle.crt(command=["sh", "-c", 'exec "$@" 3</etc/passwd 4</etc/group', "sh", *command]).ok().out.splitlines()
    assert [line.split()[0] for line in lines] == ["0", "1", "2", "3"] and "passwd" in lines[3]


def test_fds_of_the_caller_do_not_leak(bundle):
    with open("/etc/passwd") as file:
        lines = bundle.run("probe", "fds", pass_fds=(file.fileno(),)).ok().out.splitlines()
    assert len(lines) == 3

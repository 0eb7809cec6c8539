"""Seccomp: what a system call then returns, for every action, operator, flag; and that filters are cached."""
import json
import platform
import re
import shutil
import signal
import struct

import pytest

import harness

ARCH = {"x86_64": "SCMP_ARCH_X86_64", "aarch64": "SCMP_ARCH_AARCH64"}.get(platform.machine(), "")
# Instructions of a filter: return with an errno
RETURN_EPERM, RETURN_EEXIST = (struct.pack("=HBBI", 0x06, 0, 0, 0x00050000 | errno) for errno in (1, 17))
# A system call that nothing needs: personality(0xffffffff) asks for the present one and returns 0
ASK = 0xffffffff


@pytest.fixture
def filtered(bundle):
    """filtered(rules, **more): allow all but what the rules say."""
    def set_filter(*rules, **more):
        bundle["linux.seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "architectures": [ARCH], "syscalls": list(rules)} | more
        return bundle
    return set_filter


def call(bundle, *args):
    return bundle.run("probe", "syscall", *args).ok().out.strip()


def rule(name, action, *args, **more):
    return {"names": [name], "action": action, "args": list(args)} | more


def test_mode_shows_in_status(filtered):
    fields = harness.status(filtered().run("cat", "/proc/self/status").ok().out)
    assert fields["Seccomp"] == "2"


def test_without_seccomp(bundle):
    bundle.config["linux"].pop("seccomp", None)
    assert harness.status(bundle.run("cat", "/proc/self/status").ok().out)["Seccomp"] == "0"


def test_errno(filtered):
    assert call(filtered(rule("personality", "SCMP_ACT_ERRNO")), "personality", ASK) == "EPERM"


@pytest.mark.parametrize("errno, name", [(38, "ENOSYS"), (13, "EACCES"), (95, "EOPNOTSUPP")])
def test_errno_ret(filtered, errno, name):
    assert call(filtered(rule("personality", "SCMP_ACT_ERRNO", errnoRet=errno)), "personality", ASK) == name


def test_default_errno_ret(bundle):
    bundle["linux.seccomp"] = {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38, "architectures": [ARCH],
                               "syscalls": [{"names": ALLOW_FOR_PROBE, "action": "SCMP_ACT_ALLOW"}]}
    bundle["process.noNewPrivileges"] = True
    assert call(bundle, "personality", ASK) == "ENOSYS"


# What a static program and the start of one need
ALLOW_FOR_PROBE = """execve execveat brk arch_prctl set_tid_address set_robust_list rseq prlimit64 readlinkat readlink getrandom
    mprotect fstat newfstatat ioctl write writev exit_group exit close close_range read mmap munmap futex uname access rt_sigaction
    rt_sigprocmask prctl setresuid setresgid setgroups capset capget getuid geteuid getpid openat openat2 fcntl statx sendto
    recvfrom sendmsg recvmsg dup dup2 dup3 chdir fchdir getcwd lseek poll""".split()


@pytest.mark.parametrize("action, code", [("SCMP_ACT_KILL", 128 + signal.SIGSYS), ("SCMP_ACT_KILL_THREAD", 128 + signal.SIGSYS),
                                          ("SCMP_ACT_KILL_PROCESS", 128 + signal.SIGSYS), ("SCMP_ACT_TRAP", 128 + signal.SIGSYS)])
def test_deadly_actions(filtered, action, code):
    bundle = filtered(rule("personality", action))
    assert bundle.run("sh", "-c", f"probe syscall personality {ASK}; echo $?").ok().out.splitlines()[-1] == str(code)
    assert bundle.run("probe", "syscall", "personality", ASK).code == code


@pytest.mark.parametrize("action", ["SCMP_ACT_LOG", "SCMP_ACT_ALLOW"])
def test_harmless_actions(filtered, action):
    assert call(filtered(rule("personality", action)), "personality", ASK) == "0"


def test_trace_without_a_tracer(filtered):
    assert call(filtered(rule("personality", "SCMP_ACT_TRACE")), "personality", ASK) == "ENOSYS"


OPERATORS = [("SCMP_CMP_EQ", 5, {4: 0, 5: 1, 6: 0}), ("SCMP_CMP_NE", 5, {4: 1, 5: 0}), ("SCMP_CMP_LT", 5, {4: 1, 5: 0}),
             ("SCMP_CMP_LE", 5, {4: 1, 5: 1, 6: 0}), ("SCMP_CMP_GE", 5, {4: 0, 5: 1, 6: 1}), ("SCMP_CMP_GT", 5, {5: 0, 6: 1})]


@pytest.mark.parametrize("operator, value, expected", OPERATORS, ids=[operator for operator, *_ in OPERATORS])
def test_operator(filtered, operator, value, expected):
    bundle = filtered(rule("getpriority", "SCMP_ACT_ERRNO", {"index": 1, "value": value, "op": operator}, errnoRet=71))
    out = bundle.sh("; ".join(f"probe syscall getpriority 7 {number}" for number in expected)).split()
    assert out == ["EPROTO" if hit else "EINVAL" for hit in expected.values()]


def test_masked_equal(filtered):
    bundle = filtered(rule("getpriority", "SCMP_ACT_ERRNO", {"index": 1, "value": 0xf0, "valueTwo": 0x30, "op": "SCMP_CMP_MASKED_EQ"},
                           errnoRet=71))
    out = bundle.sh("for n in 0x30 0x3f 0x40 0x130; do probe syscall getpriority 7 $n; done").split()
    assert out == ["EPROTO", "EPROTO", "EINVAL", "EPROTO"]


def test_arguments_of_64_bits(filtered):
    big = 0xfffffffffffffff0
    bundle = filtered(rule("getpriority", "SCMP_ACT_ERRNO", {"index": 1, "value": big, "op": "SCMP_CMP_EQ"}, errnoRet=71))
    assert bundle.sh(f"probe syscall getpriority 7 {big}; probe syscall getpriority 7 {big - (1 << 40)}").split() == ["EPROTO", "EINVAL"]


def test_all_arguments_must_match(filtered):
    bundle = filtered(rule("getpriority", "SCMP_ACT_ERRNO", {"index": 0, "value": 7, "op": "SCMP_CMP_EQ"},
                           {"index": 1, "value": 3, "op": "SCMP_CMP_EQ"}, errnoRet=71))
    assert bundle.sh("probe syscall getpriority 7 3; probe syscall getpriority 7 4; probe syscall getpriority 8 3").split() == [
        "EPROTO", "EINVAL", "EINVAL"]


def test_two_rules_are_alternatives(filtered):
    bundle = filtered(*[rule("getpriority", "SCMP_ACT_ERRNO", {"index": 1, "value": value, "op": "SCMP_CMP_EQ"}, errnoRet=71)
                        for value in (3, 4)])
    assert bundle.sh("for n in 3 4 5; do probe syscall getpriority 7 $n; done").split() == ["EPROTO", "EPROTO", "EINVAL"]


def test_the_same_index_twice_is_an_alternative(filtered):
    """Two conditions on one argument: runtimes have made two rules of it since 2016."""
    bundle = filtered(rule("getpriority", "SCMP_ACT_ERRNO", {"index": 1, "value": 3, "op": "SCMP_CMP_EQ"},
                           {"index": 1, "value": 4, "op": "SCMP_CMP_EQ"}, errnoRet=71))
    assert bundle.sh("for n in 3 4 5; do probe syscall getpriority 7 $n; done").split() == ["EPROTO", "EPROTO", "EINVAL"]


def test_several_names(filtered):
    bundle = filtered({"names": ["personality", "getpriority"], "action": "SCMP_ACT_ERRNO"})
    assert bundle.sh(f"probe syscall personality {ASK}; probe syscall getpriority 0 0").split() == ["EPERM", "EPERM"]


def test_a_call_this_machine_does_not_know(filtered):
    """A profile is written for many kernels and machines: unknown names are passed over."""
    bundle = filtered(rule("no_such_syscall", "SCMP_ACT_ERRNO"), rule("personality", "SCMP_ACT_ERRNO"))
    assert call(bundle, "personality", ASK) == "EPERM"


@pytest.mark.parametrize("flag", ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW", "SECCOMP_FILTER_FLAG_TSYNC"])
def test_flag(filtered, flag):
    assert call(filtered(rule("personality", "SCMP_ACT_ERRNO"), flags=[flag]), "personality", ASK) == "EPERM"


@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed (Debian: strace)")
@pytest.mark.parametrize("flags, loaded", [(None, "SPEC_ALLOW"), ([], "0"), (["LOG"], "LOG"), (["SPEC_ALLOW"], "SPEC_ALLOW"),
                                           (["LOG", "SPEC_ALLOW", "TSYNC"], "LOG|SPEC_ALLOW")])
def test_flags_of_the_call(filtered, crt, tmp_path, flags, loaded):
    """What no program can see. TSYNC is for other threads, and there is none."""
    prefix = "SECCOMP_FILTER_FLAG_"
    bundle = filtered(rule("personality", "SCMP_ACT_ERRNO"), **({} if flags is None else {"flags": [prefix + flag for flag in flags]}))
    command = crt.command("run", "--bundle", bundle.script("true").write().path, crt.new_id())
    crt(command=["strace", "-f", "-qq", "-o", tmp_path / "trace", "-e", "trace=seccomp", *command]).ok()
    calls = re.findall(r"seccomp\(SECCOMP_SET_MODE_FILTER, (\S+), \{len=", (tmp_path / "trace").read_text())
    assert [call.replace(prefix, "") for call in calls] == [loaded]


def test_spec_allow_shows_in_status(filtered):
    fields = harness.status(filtered(flags=["SECCOMP_FILTER_FLAG_SPEC_ALLOW"]).run("cat", "/proc/self/status").ok().out)
    assert "force mitigated" not in fields.get("Speculation_Store_Bypass", "")


@pytest.mark.parametrize("architectures", [[], ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"], ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"]])
def test_architectures(filtered, architectures):
    """The machine's own architecture is always in the filter."""
    assert call(filtered(rule("personality", "SCMP_ACT_ERRNO"), architectures=architectures), "personality", ASK) == "EPERM"


@pytest.mark.parametrize("uid, nnp", [(0, False), (0, True), (1000, False), (1000, True)])
def test_with_and_without_no_new_privileges(filtered, uid, nnp):
    bundle = filtered(rule("personality", "SCMP_ACT_ERRNO"))
    bundle["process.user"] = {"uid": uid, "gid": uid}
    bundle["process.noNewPrivileges"] = nnp
    assert call(bundle, "personality", ASK) == "EPERM"
    fields = harness.status(bundle.run("cat", "/proc/self/status").ok().out)
    assert (fields["NoNewPrivs"], fields["Seccomp_filters"]) == ("1" if nnp else "0", "1")


def test_a_filter_that_forbids_what_the_start_needs(bundle):
    """The filter goes on last: it may forbid mount, setresuid, capset, openat and the like."""
    forbidden = ["mount", "umount2", "pivot_root", "setresuid", "setresgid", "setgroups", "capset", "sethostname", "unshare", "setns",
                 "open_tree", "move_mount", "fsopen", "mount_setattr", "clone3", "chdir", "keyctl", "setsid", "rt_sigaction", "rt_sigprocmask", "close_range"]
    bundle["linux.seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "architectures": [ARCH],
                               "syscalls": [{"names": forbidden, "action": "SCMP_ACT_KILL_PROCESS"}]}
    bundle["process.noNewPrivileges"] = True
    assert bundle.run("echo", "alive").ok().out == "alive\n"


def as_an_engine_does(profile):
    """An engine's profile has conditions; what it passes on for a container without extra capabilities."""
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine())
    rules = []
    for entry in profile["syscalls"]:
        includes, excludes = entry.get("includes", {}), entry.get("excludes", {})
        if includes.get("caps") or machine not in includes.get("arches", [machine]) or machine in excludes.get("arches", []):
            continue
        rules.append({key: entry[key] for key in ("names", "action", "args", "errnoRet") if entry.get(key)})
    return {"defaultAction": profile["defaultAction"], "defaultErrnoRet": profile.get("defaultErrnoRet", 1),
            "architectures": [ARCH], "syscalls": rules}


@pytest.mark.parametrize("name", ["seccomp-default-docker.json", "seccomp-default-podman.json"])
def test_the_profile_of_an_engine(bundle, name):
    path = harness.SHARED / "oci" / name
    if not path.exists():
        pytest.skip(f"{path} is not here (the shared folder of the project has it)")
    bundle["linux.seccomp"] = as_an_engine_does(json.loads(path.read_text()))
    # Both allow personality with a few arguments only; without a filter all of these succeed
    out = bundle.sh(f"probe syscall personality {ASK}; probe syscall personality 8; probe syscall personality 0x40000; echo alive")
    allowed, also, refused, alive = out.split()
    assert (allowed, also, alive) == ("0", "0", "alive") and refused in ("EPERM", "ENOSYS")


def test_second_start_is_served_from_the_cache(bundle, crt):
    """Equal filters are compiled once, and a different one is not taken for it."""
    bundle["linux.seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "architectures": [ARCH], "syscalls": [rule("personality", "SCMP_ACT_ERRNO")]}
    assert [call(bundle, "personality", ASK) for _ in range(3)] == ["EPERM"] * 3
    (kept,) = (crt.state / ".seccomp").iterdir()
    kept.write_bytes(kept.read_bytes().replace(RETURN_EPERM, RETURN_EEXIST))
    assert call(bundle, "personality", ASK) == "EEXIST", "it is the file that is loaded"
    bundle["linux.seccomp.syscalls.0.errnoRet"] = 38
    assert call(bundle, "personality", ASK) == "ENOSYS"


@pytest.mark.parametrize("change, word", [({"defaultAction": "SCMP_ACT_NONSENSE"}, "SCMP_ACT_NONSENSE"),
                                          ({"architectures": ["SCMP_ARCH_NONSENSE"]}, "SCMP_ARCH_NONSENSE"),
                                          ({"flags": ["SECCOMP_FILTER_FLAG_NONSENSE"]}, "NONSENSE"),
                                          ({"syscalls": [rule("personality", "SCMP_ACT_ERRNO", {"index": 6, "value": 1, "op": "SCMP_CMP_EQ"})]}, "index"),
                                          ({"syscalls": [rule("personality", "SCMP_ACT_ERRNO", {"index": 0, "value": 1, "op": "SCMP_CMP_XX"})]}, "SCMP_CMP_XX")])
def test_what_no_kernel_understands(filtered, crt, change, word):
    container = crt.new_id()
    filtered(**change).run("true", container=container).failed(word if harness.IS_CRT else "")
    assert container not in crt.ids()

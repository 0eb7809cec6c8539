"""What is said when a program cannot be executed: which file, and why; by run, by create and start, and by exec."""
import json
import os
import shutil
import struct

import pytest

import harness

pytestmark = pytest.mark.skipif(not harness.IS_CRT, reason="the words are crt's own")


def write(path, content, mode=0o755):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    path.chmod(mode)


def elf(interpreter=b"", machine=62, kind=2, data=1, headers=None):
    """As much of an ELF file as decides whether it can be executed."""
    name = interpreter + b"\0" if interpreter else b""
    order = "<" if data == 1 else ">"
    count = (1 if name else 0) if headers is None else headers
    header = b"\x7fELF" + bytes([2, data, 1]) + bytes(9) + struct.pack(order + "HHIQQQIHHHHHH", kind, machine, 1, 0x400000, 64, 0, 0, 64, 56, count,
                                                                     0, 0, 0)
    return header + struct.pack(order + "IIQQQQQQ", 3, 4, 120, 0, 0, len(name), len(name), 1) + name


# file -> content; what is executed; exit code; the words; the hint, if any
CASES = {
    "missing": ({}, "/opt/x", 127, "no such file or directory: the directory /opt does not exist", None),
    "missing-last": ({}, "/bin/x", 127, "no such file or directory: /bin/x does not exist", None),
    "dangling": ({"bin/x": "-> /usr/y"}, "/bin/x", 127,
                 "no such file or directory: the symbolic link /bin/x leads to /usr/y, which does not exist", None),
    "not-a-directory": ({}, "/etc/passwd/x", 127, "not a directory: /etc/passwd is not a directory", None),
    "loop": ({"bin/x": "-> y", "bin/y": "-> x"}, "/bin/x", 126, "too many levels of symbolic links: symbolic links lead in a circle, /bin/y is one of them", None),
    "directory": ({}, "/etc", 126, "is a directory", None),
    "in-path": ({}, "no-such-program", 127,
                r"executable file not found in $PATH: PATH is /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", None),
    "script": ({"x": "#!/opt/python -u\n"}, "/x", 127, "no such file or directory: its #! interpreter /opt/python cannot be reached: "
               "the directory /opt does not exist", None),
    "script-link": ({"x": "#!/bin/y", "bin/y": "-> z"}, "/x", 127, "its #! interpreter /bin/y cannot be reached: the symbolic link /bin/y leads to "
                    "/bin/z, which does not exist", None),
    "crlf": ({"x": "#!/bin/sh\r\necho\r\n"}, "/x", 127,
             r'no such file or directory: the #! line of /x ends in a carriage return (CRLF): there is no "/bin/sh\r"',
             r"give the file Unix line ends: sed -i 's/\r$//' FILE"),
    "elf": ({"x": elf(b"/lib64/ld-linux-x86-64.so.2")}, "/x", 127,
            "no such file or directory: its ELF interpreter /lib64/ld-linux-x86-64.so.2 cannot be reached: the directory /lib64 does not exist",
            "the program was linked against glibc, which this image lacks: link it statically, or use an image that has it"),
    "elf-musl": ({"x": elf(b"/bin/ld-musl-x86_64.so.1")}, "/x", 127,
                 "no such file or directory: its ELF interpreter /bin/ld-musl-x86_64.so.1 does not exist",
                 "the program was linked against musl, which this image lacks: link it statically, or use an image that has it"),
    "chain": ({"x": "#!/y\n", "y": "#!/z\n", "z": elf(b"/bin/loader")}, "/x", 127,
              "no such file or directory: the ELF interpreter /bin/loader of /z does not exist", None),
    "no-x": ({"x": ("#!/bin/sh\n", 0o644)}, "/x", 126,
             "permission denied: /x (mode 0644, owner 0:0) may not be executed by anybody", "chmod +x"),
    "interpreter-no-x": ({"x": "#!/y\n", "y": ("", 0o600)}, "/x", 126,
                         "permission denied: its #! interpreter /y (mode 0600, owner 0:0) may not be executed by anybody", "chmod +x"),
    "interpreter-directory": ({"x": "#!/etc\n"}, "/x", 126, "permission denied: its #! interpreter /etc is a directory", None),
    "fifo": ({"x": "fifo"}, "/x", 126, "permission denied: /x is not a regular file", None),
    "no-format": ({"x": "echo no line\n"}, "/x", 126, "exec format error: /x is neither an ELF file nor a script with a #! line",
                  "if it is a script, let it begin with a line such as #!/bin/sh"),
    "empty": ({"x": ""}, "/x", 126, "exec format error: /x is empty", None),
    "empty-line": ({"x": "#!\n"}, "/x", 126, "exec format error: the #! line of /x names no interpreter", None),
    "long-line": ({"x": "#!/" + "a" * 300}, "/x", 126, "exec format error: the #! line of /x is longer than the kernel reads", None),
    "interpreter-format": ({"x": "#!/y\n", "y": "data"}, "/x", 126,
                           "exec format error: its #! interpreter /y is neither an ELF file nor a script with a #! line", None),
    "foreign": ({"x": elf(machine=183)}, "/x", 126, "exec format error: /x is for arm64, this machine is x86-64",
                "use an image for this machine, or an emulator (binfmt_misc, with flag F)"),
    "big-endian": ({"x": elf(machine=22, data=2)}, "/x", 126, "exec format error: /x is for s390x, this machine is x86-64", None),
    "strange": ({"x": elf(machine=4711)}, "/x", 126, "exec format error: /x is for machine 4711, this machine is x86-64", None),
    "object": ({"x": elf(kind=1)}, "/x", 126, "exec format error: /x is an ELF file, but no program (type 1)", None),
}
MACHINE = os.uname().machine


def prepare(bundle, files):
    for name, content in files.items():
        mode = 0o755
        if isinstance(content, tuple):
            content, mode = content
        path = bundle.rootfs / name
        if isinstance(content, str) and content.startswith("-> "):
            path.symlink_to(content[3:])
        elif content == "fifo":
            os.mkfifo(path, 0o755)
        else:
            write(path, content, mode)


def check(result, code, text, hint):
    assert result.code == code, result
    lines = result.err.splitlines()
    assert [line for line in lines if line.endswith(text)], f"{text!r} is not in\n{result.err}"
    if hint:
        assert f"  hint: {hint}" in lines, result.err
    assert result.out == ""


@pytest.mark.parametrize("how", ["run", "start", "exec"])
@pytest.mark.parametrize("case", CASES)
def test_program(bundle, crt, case, how):
    files, program, code, text, hint = CASES[case]
    if MACHINE != "x86_64" and "x86" in text + str(files):
        pytest.skip("the case is written for x86-64")
    prepare(bundle, files)
    if how == "run":
        check(bundle.run(program), code, text, hint)
    elif how == "exec":
        container = crt.start(bundle.sleeper())
        check(crt("exec", container.id, program), code, text, hint)
        assert container.status == "running"
        container.end()
    else:
        bundle["process.args"] = [program]
        bundle.write()
        result = crt("create", "--bundle", bundle.path, "c")
        if result.code == 0:
            result = crt("start", "c")
            assert crt.ids() == ["c"]
            crt("delete", "c").ok()
        check(result, code, text, hint)
    assert crt.ids() == []


@pytest.fixture
def as_user(bundle):
    bundle["process.user"] = {"uid": 1000, "gid": 1001}
    for key in ("bounding", "effective", "permitted", "inheritable", "ambient"):
        del bundle[f"process.capabilities.{key}"]
    return bundle


def test_directory_not_searchable(as_user):
    write(as_user.rootfs / "secret/x", "#!/bin/sh\n")
    (as_user.rootfs / "secret").chmod(0o700)
    check(as_user.run("/secret/x"), 126,
          "permission denied: the directory /secret (mode 0700, owner 0:0) may not be searched by uid 1000, gid 1001", None)


def test_directory_not_searchable_behind_a_link(as_user):
    write(as_user.rootfs / "secret/x", "#!/bin/sh\n")
    (as_user.rootfs / "secret").chmod(0o700)
    (as_user.rootfs / "bin/x").symlink_to("../secret/x")
    check(as_user.run("/bin/x"), 126,
          "permission denied: the directory /bin/../secret (mode 0700, owner 0:0) may not be searched by uid 1000, gid 1001", None)


def test_not_for_this_user(as_user):
    write(as_user.rootfs / "x", "#!/bin/sh\n", 0o700)
    check(as_user.run("/x"), 126, "permission denied: /x (mode 0700, owner 0:0) may not be executed by uid 1000, gid 1001", None)


def test_not_for_this_user_in_path(as_user):
    write(as_user.rootfs / "bin/x", "#!/bin/sh\n", 0o700)
    check(as_user.run("x"), 126, "permission denied: /bin/x (mode 0700, owner 0:0) may not be executed by uid 1000, gid 1001", None)


def test_may_be_executed_but_not_read(as_user):
    shutil.copy("/bin/true", as_user.rootfs / "x")
    (as_user.rootfs / "x").chmod(0o711)
    check(as_user.run("/x"), 127,
          "no such file or directory: /x is there, and the interpreter that it needs is not; it may not be read to see which", None)


def test_noexec_mount(bundle):
    write(bundle.path / "data/x", "#!/bin/sh\n")
    bundle.bind(bundle.path / "data", "/data", "noexec")
    check(bundle.run("/data/x"), 126, "permission denied: /data/x is on a filesystem that is mounted noexec", None)


def test_file_capabilities_that_cannot_be_had(bundle):
    shutil.copy(bundle.rootfs / "bin/busybox", bundle.rootfs / "bin/echo2")
    # VFS_CAP_REVISION_2 with the effective bit; CAP_SYS_ADMIN, which the default bounding set lacks
    os.setxattr(bundle.rootfs / "bin/echo2", "security.capability", struct.pack("<IIIII", 0x02000001, 1 << 21, 0, 0, 0))
    bundle["process.user"] = {"uid": 1000, "gid": 1000}
    check(bundle.run("/bin/echo2"), 126, "operation not permitted: /bin/echo2 has capabilities of its own (security.capability), and not all of "
          "them may be had here", "add them to process.capabilities.bounding, or take them from the file (setcap -r)")


def test_arguments_too_long(bundle):
    check(bundle.run("/bin/echo", "x" * (200 << 10)), 126, "argument list too long: process.args and process.env are longer than a quarter of the "
          "stack's limit, or one of them than 128 KiB", None)


def test_hostile_names_reach_no_terminal(bundle):
    """Escape sequences in a #! line and in an ELF file's interpreter."""
    write(bundle.rootfs / "x", b"#!/bin/\x1b[31m\x07\xc2\x9b31m\n")
    write(bundle.rootfs / "y", elf(b"/bin/\x1b]0;evil\x07\n"))
    for program, text in (("/x", "its #! interpreter /bin/?[31m???31m does not exist"), ("/y", "its ELF interpreter /bin/?]0;evil?? does not exist")):
        check(bundle.run(program), 127, "no such file or directory: " + text, None)


@pytest.mark.parametrize("content", [elf(b"/x" * 3000), elf(b"/" + b"a" * 5000), elf(b"")[:64], elf(b"/l", headers=65535), b"\x7fELF", b"\x7fELF" + b"\xff" * 60,
                                     b"\x7fELF" + b"\xff" * 4096, b"#!", b"#!\0\0", b"#! \t", b"#!" + b"/" * 253 + b"\n"])
def test_damaged_programs(bundle, content):
    """Whatever it is, an orderly end."""
    write(bundle.rootfs / "x", content)
    result = bundle.run("/x")
    assert result.code in (126, 127) and "cannot execute /x: " in result.err


def test_script_that_is_its_own_interpreter(bundle):
    write(bundle.rootfs / "x", "#!/x\n")
    assert bundle.run("/x").code == 126


def test_a_filter_that_kills_who_looks_closer(bundle):
    """What execve said is told first; the rest is extra."""
    bundle["linux.seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
        {"names": ["openat", "newfstatat", "fstat", "statx"], "action": "SCMP_ACT_KILL_PROCESS"}]}
    write(bundle.rootfs / "x", "#!/opt/y\n")
    check(bundle.run("/x"), 127, "cannot execute /x: no such file or directory", None)


@pytest.mark.parametrize("how", ["run", "start", "exec"])
def test_a_filter_that_forbids_execve(bundle, crt, how):
    text = "cannot execute /bin/true: operation not permitted: the seccomp filter, which is in force by now, may forbid execve"
    bundle["linux.seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["execve"], "action": "SCMP_ACT_ERRNO"}]}
    bundle["process.args"] = ["/bin/true"]
    bundle.write()
    if how == "run":
        check(crt("run", "--bundle", bundle.path, crt.new_id()), 126, text, None)
    else:
        container = crt.create(bundle)
        check(crt("start", container.id) if how == "start" else crt("exec", container.id, "/bin/true"), 126, text, None)
        crt("delete", "--force", container.id).ok()


def test_in_a_user_namespace(bundle):
    bundle.user_namespace()
    bundle["process.user"] = {"uid": 1000, "gid": 1000}
    write(bundle.rootfs / "x", "#!/bin/sh\n", 0o700)
    check(bundle.run("/x"), 126, "permission denied: /x (mode 0700, owner 65534:65534) may not be executed by uid 1000, gid 1000", None)


def test_pieces_in_the_log(bundle, crt, tmp_path):
    write(bundle.rootfs / "x", "#!/bin/bash\r\n")
    bundle["process.args"] = ["/x"]
    (bundle.path / "config.json").write_text(json.dumps(bundle.config, indent=2))
    crt("--log", tmp_path / "log", "--log-format", "json", "run", "--bundle", bundle.path, "c").failed(code=127)
    entry = json.loads((tmp_path / "log").read_text())
    line = entry["document"]["line"]
    place = f"config.json:{line}:13: process.args"
    assert '"args"' in (bundle.path / "config.json").read_text().splitlines()[line - 1]
    cause = 'the #! line of /x ends in a carriage return (CRLF): there is no "/bin/bash\\r"'
    hint = "give the file Unix line ends: sed -i 's/\\r$//' FILE"
    del entry["time"]
    assert entry == {"level": "error", "msg": f"{place}: cannot execute /x: no such file or directory: {cause} ({hint})", "phase": "exec",
                     "object": "execute", "path": "/x", "syscall": "execve", "errno": "ENOENT", "cause": cause, "hint": hint,
                     "document": {"file": "config.json", "line": line, "column": 13, "path": "process.args"}}
    assert list(entry)[:2] == ["level", "msg"]


# ---- Paths of the container ------------------------------------------------------------------------------------

def refused(result, text):
    assert result.code == 1, result
    assert [line for line in result.err.splitlines() if line.endswith(text)], f"{text!r} is not in\n{result.err}"


DESTINATIONS = {
    "below-a-file": ("/etc/passwd/x", "Not a directory: /etc/passwd is not a directory"),
    "loop": ("/circle/x", "Too many levels of symbolic links: symbolic links lead in a circle, /circle is one of them"),
    "link-up": ("/up/x", "Not a directory: /etc/passwd is not a directory"),
    "link-to-the-root": ("/absolute/x", "Not a directory: /etc/passwd is not a directory"),
    "in-a-procfs": ("/proc/none", "No such file or directory: /proc/none does not exist"),
}


@pytest.mark.parametrize("case", DESTINATIONS)
def test_mount_point(bundle, tmp_path, case):
    """Links lead where they lead in the container: on the host, /etc/passwd would be another."""
    destination, text = DESTINATIONS[case]
    for name, target in {"circle": "circle", "up": "../../../etc/passwd", "absolute": "/etc/passwd"}.items():
        (bundle.rootfs / name).symlink_to(target)
    bundle.bind(tmp_path, destination)
    refused(bundle.run("true"), f" on {destination} (rslave): opening the destination: {text}")


def test_mount_point_that_a_user_namespace_may_not_make(bundle, tmp_path):
    bundle.user_namespace()
    os.chown(bundle.rootfs / "etc", 0, 0)
    bundle.bind(tmp_path, "/etc/new")
    refused(bundle.run("true"), "opening the destination: Permission denied: the directory /etc (mode 0755, owner 65534:65534) may not be written "
            "by uid 0, gid 0")


def test_mount_point_in_a_rootfs_that_is_closed(bundle):
    bundle.user_namespace()
    os.chown(bundle.rootfs, 0, 0)
    bundle.rootfs.chmod(0o700)
    refused(bundle.run("true"), "opening the destination: Permission denied: the directory / (mode 0700, owner 65534:65534) may not be searched "
            "by uid 0, gid 0")


@pytest.mark.parametrize("source, destination, text", [
    ("file", "/etc", "the destination is a directory, and what is mounted is not"),
    ("folder", "/etc/passwd", "the destination is a file, and what is mounted a directory"),
    (None, "/etc/passwd", "the destination is a file, and what is mounted a directory")])
def test_mount_of_the_other_kind(bundle, tmp_path, source, destination, text):
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    if source:
        bundle.bind(tmp_path / source, destination)
    else:
        bundle.mount(destination, "tmpfs")
    result = bundle.run("true")
    refused(result, f"move_mount: Not a directory: {text}")
    assert "  hint: only a file goes onto a file, and a directory onto a directory" in result.err.splitlines()


@pytest.mark.parametrize("options, call, text, key", [
    (["--user", "70000"], "setresuid", "uid 70000", "uidMappings"), (["--user", "0:70000"], "setresgid", "gid 70000", "gidMappings"),
    (["--additional-gids", "4", "--additional-gids", "70000"], "setgroups", "gid 70000", "gidMappings")])
def test_ids_that_the_user_namespace_does_not_have(crt, bundle, options, call, text, key):
    bundle.user_namespace()
    container = crt.start(bundle.sleeper())
    result = crt("exec", *options, container.id, "true")
    container.end()
    refused(result, f"{call}: Invalid argument: {text} has no mapping in the user namespace")
    assert f"  hint: add it to linux.{key}" in result.err.splitlines()


# ---- Paths of the host ------------------------------------------------------------------------------------------

def test_bind_source(bundle):
    bundle.bind("/no/such/folder", "/data")
    refused(bundle.run("true"), "cannot clone the mount of /no/such/folder, detached: No such file or directory: the directory /no does not exist")


def test_bind_source_that_dangles(bundle, tmp_path):
    (tmp_path / "link").symlink_to("gone")
    bundle.bind(tmp_path / "link", "/data")
    refused(bundle.run("true"), f"No such file or directory: the symbolic link {tmp_path}/link leads to {tmp_path}/gone, which does not exist")


def test_rootfs_that_is_a_file(bundle, tmp_path):
    bundle["root.path"] = "config.json"
    refused(bundle.run("true"), "cannot attach the root filesystem over /, rslave: move_mount: Not a directory: it is not a directory")


def test_cwd_is_a_file(bundle):
    bundle["process.cwd"] = "/etc/passwd/x"
    refused(bundle.run("true"), "cannot change to directory /etc/passwd/x, creating it if missing: Not a directory: /etc/passwd is not a directory")


def test_hook_that_is_missing(bundle):
    bundle["hooks"] = {"createRuntime": [{"path": "/no/hook"}]}
    refused(bundle.run("true"), "cannot run the createRuntime hook /no/hook: it could not be executed: the directory /no does not exist")


def test_hook_with_a_bad_interpreter(bundle, tmp_path):
    write(tmp_path / "hook", "#!/no/shell\n")
    bundle["hooks"] = {"createRuntime": [{"path": str(tmp_path / "hook")}]}
    refused(bundle.run("true"), "it could not be executed: its #! interpreter /no/shell cannot be reached: the directory /no does not exist")


def test_hook_in_the_container(bundle):
    write(bundle.rootfs / "hook", "#!/bin/sh\n", 0o644)
    bundle["hooks"] = {"startContainer": [{"path": "/hook"}]}
    refused(bundle.run("true"), "cannot run the startContainer hook /hook: it could not be executed: /hook (mode 0644, owner 0:0) may not be executed "
            "by anybody")


@pytest.mark.parametrize("command", ["run", "create"])
def test_pid_file(bundle, crt, command):
    bundle["process.args"] = ["true"]
    bundle.write()
    refused(crt(command, "--bundle", bundle.path, "--pid-file", "/no/pid", "c"),
            "cannot write the pid file /no/pid: No such file or directory: the directory /no does not exist")
    assert crt.ids() == []


def test_pid_file_of_exec(bundle, crt):
    container = crt.start(bundle.sleeper())
    refused(crt("exec", "--pid-file", "/etc/passwd/pid", container.id, "touch", "/tmp/ran"),
            "cannot write the pid file /etc/passwd/pid: Not a directory: /etc/passwd is not a directory")
    assert not (container.root / "tmp/ran").exists()
    container.end()


def test_console_socket(bundle, crt):
    bundle["process.terminal"] = True
    bundle.write()
    refused(crt("create", "--bundle", bundle.path, "--console-socket", "/no/socket", "c"), "No such file or directory: the directory /no does not exist")
    assert crt.ids() == []


def test_namespace(bundle):
    bundle.namespace("network", "/run/netns/gone/x")
    assert "does not exist" in bundle.run("true").failed(code=1).err


def test_bundle(crt):
    refused(crt("run", "--bundle", "/no/bundle", "c"), "cannot open the bundle /no/bundle: No such file or directory: the directory /no does not exist")


def test_config_that_is_missing(bundle, crt):
    refused(crt("run", "--bundle", bundle.path, "--config", "no/config.json", "c"),
            "cannot read the file: No such file or directory: the directory no does not exist")


@harness.only("user", why="root may read everything")
def test_config_that_may_not_be_read(bundle, crt):
    config = bundle.write().path / "config.json"
    config.chmod(0)
    who = f"owner {os.getuid()}:{os.getgid()}; this is uid {os.getuid()}, gid {os.getgid()}"
    refused(crt("run", "--bundle", bundle.path, "c"), f"cannot read the file: Permission denied: config.json has mode 0000, {who}")
    bundle.path.chmod(0o600)
    refused(crt("run", "--bundle", bundle.path, "c"), "cannot read the file: Permission denied: the directory . (mode 0600, "
            + who.replace("; this is", ") may not be searched by"))
    bundle.path.chmod(0o700)


def test_pieces_of_a_hosts_path(bundle, crt, tmp_path):
    bundle.bind("/no/such/folder", "/data")
    bundle.write()
    crt("--log", tmp_path / "log", "--log-format", "json", "run", "--bundle", bundle.path, "c").failed(code=1)
    entry = json.loads((tmp_path / "log").read_text())
    assert [entry[key] for key in ("phase", "object", "path", "syscall", "errno", "cause")] == [
        "create", "open_tree", "/no/such/folder", "open_tree", "ENOENT", "the directory /no does not exist"]
    assert entry["document"]["path"].startswith("mounts[") and "hint" not in entry


def test_raising_a_hard_limit(bundle):
    import resource
    bundle["process.rlimits"] = [{"type": "RLIMIT_NPROC", "soft": 10**9, "hard": 10**9}]
    keep = resource.getrlimit(resource.RLIMIT_NPROC)[1]
    result = bundle.run("true")
    if result.code == 0:
        pytest.skip("root may raise limits here (a container without CAP_SYS_RESOURCE runs this)")
    limit = keep if keep != resource.RLIM_INFINITY else 2**64 - 1
    refused(result, f"Operation not permitted: the hard limit is {limit}, and raising it takes CAP_SYS_RESOURCE over the host")
    assert "  hint: lower the limit in process.rlimits, or raise crt's own" in result.err


# ---- Where output goes --------------------------------------------------------------------------------------------

READERS = [["list"], ["features"], ["--help"], ["help", "run"], ["--version"], ["explain"], ["check"]]


def closed(crt, words, redirect, cwd):
    command = " ".join(map(str, crt.command(*words)))
    return crt(command=["sh", "-c", f"exec {command} {redirect}"], cwd=cwd)


@pytest.mark.parametrize("words", READERS, ids=" ".join)
def test_output_that_cannot_be_written(bundle, crt, words):
    bundle.write()
    for redirect, text in (">/dev/full", "No space left on device"), (">&-", "Bad file descriptor"):
        result = closed(crt, words, redirect, bundle.path)
        assert (result.code, result.err) == (1, f"crt: cannot write to stdout: {text}\n"), redirect


@pytest.mark.parametrize("redirect", ["2>&-", "2>/dev/full", "<&- >&- 2>&-"])
def test_error_that_cannot_be_told(crt, tmp_path, redirect):
    assert closed(crt, ["state", "c"], redirect, tmp_path).code == 1


@pytest.mark.parametrize("redirect", [">/dev/full", ">&-", "<&- >&-", "2>/dev/full", "<&- >&- 2>&-"])
@pytest.mark.parametrize("command", ["run", "create", "exec"])
def test_containers_do_not_mind(bundle, crt, command, redirect):
    """Their output is their program's; a fd that is closed is /dev/null to it, for reading and writing."""
    wrote = "cat </dev/null >/tmp/ran; echo x >/proc/self/fd/1; echo x >/proc/self/fd/2"
    bundle.mount("/tmp", "tmpfs")
    bundle.script(f"{wrote}; exec sleep 1000" if command != "run" else wrote).write()
    if command == "exec":
        container = crt.start(bundle)
        result = closed(crt, ["exec", container.id, "true"], redirect, bundle.path)
        assert result.code == 0 and container.status == "running"
    else:
        result = closed(crt, [command, "--bundle", bundle.path, "c"], redirect, bundle.path)
        assert result.code == 0 or "full" in redirect and command == "run", result
    for name in crt.ids():
        crt("delete", "--force", name).ok()


@pytest.mark.parametrize("command", ["run", "create", "state"])
@pytest.mark.parametrize("what, text, hint", [("/no/log", "No such file or directory: the directory /no does not exist", None), ("/etc", "Is a directory", None),
                                              ("{}/fifo", "No such device or address", "nobody reads that fifo"),
                                              ("/etc/passwd/log", "Not a directory: /etc/passwd is not a directory", None)])
def test_log_that_cannot_be_opened(bundle, crt, tmp_path, command, what, text, hint):
    os.mkfifo(tmp_path / "fifo")
    bundle.write()
    path = what.format(tmp_path)
    result = crt("--log", path, command, *([] if command == "state" else ["--bundle", bundle.path]), "c", timeout=10)
    refused(result, f"cannot open the log file {path}: {text}")
    assert not hint or f"  hint: {hint}" in result.err.splitlines()
    assert not crt.state.exists()


def test_log_on_a_full_disk(bundle, crt):
    bundle["process.args"] = ["echo", "fine"]
    bundle.write()
    assert crt("--log", "/dev/full", "--debug", "run", "--bundle", bundle.path, "c").ok().out == "fine\n"


@pytest.mark.parametrize("path, text", [("", "--pid-file: the name is empty"), ("/etc", "cannot write the pid file /etc: Is a directory"),
                                        ("/etc/passwd/pid", "cannot write the pid file /etc/passwd/pid: Not a directory: /etc/passwd is not a directory"),
                                        ("/proc/pid", "cannot write the pid file /proc/pid: No such file or directory: /proc/pid does not exist")])
@pytest.mark.parametrize("command", ["run", "create"])
def test_pid_file_that_cannot_be(bundle, crt, command, path, text):
    bundle["process.args"] = ["true"]
    bundle.write()
    refused(crt(command, "--bundle", bundle.path, "--pid-file", path, "c"), text)
    assert crt.ids() == []


@pytest.mark.parametrize("options, text", [("size=4k,nr_inodes=3", "No space left on device"), ("ro", "Read-only file system")])
def test_state_directory_without_room(bundle, crt, tmp_path, options, text):
    (tmp_path / "small").mkdir()
    bundle["process.args"] = ["true"]
    bundle.write()
    script = f'mount -t tmpfs -o {options} tmpfs {tmp_path}/small; "$@"; r=$?; ls -A {tmp_path}/small; exit $r'
    crt.state = tmp_path / "small/state"
    result = crt(command=["unshare", "--mount", "sh", "-c", script, "sh", *crt.command("create", "--bundle", bundle.path, "c")])
    crt.state = tmp_path / "small"
    assert result.code == 1 and text in result.err and result.out.strip() in ("", "state"), result


def test_few_file_descriptors(bundle, crt):
    bundle["process.rlimits"] = []
    bundle["process.args"] = ["true"]
    bundle.write()
    for number in range(4, 24):
        result = crt(command=["sh", "-c", f'ulimit -n {number}; exec "$@"', "sh", *crt.command("run", "--bundle", bundle.path, "c")])
        assert result.code == 0 or result.err, number
        assert crt.ids() == [], number

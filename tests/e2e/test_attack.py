"""
Attacks on container runtimes that were once possible somewhere, by the number of their public report. Each test
plays the image or the program of a container that wants out; the host must not change, and crt must either start
the container safely or refuse.
"""
import errno
import hashlib
import os
import pathlib
import shutil
import subprocess

import pytest

import harness


@pytest.fixture
def outside(tmp_path):
    """A folder of the host that no container may reach; it must stay as it is."""
    path = tmp_path / "outside"
    path.mkdir()
    (path / "file").write_text("host\n")

    def content():
        return sorted((str(found.relative_to(path)), found.lstat().st_mode, found.lstat().st_size) for found in path.rglob("*"))
    before = content()
    yield path
    assert content() == before, "something outside the rootfs has changed"


def replace(bundle, name, target):
    """Make a path of the image a symbolic link."""
    path = bundle.rootfs / name
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.is_dir():
        shutil.rmtree(path)
    path.symlink_to(target)


# ---- Links in the image: CVE-2019-18837, CVE-2021-30465, CVE-2024-45310, CVE-2026-87766 ---------------------------

CLIMBS = ["{outside}", "../../../../../../../../../../../..{outside}", "/proc/self/cwd/../outside", "/proc/1/root{outside}"]


@pytest.mark.parametrize("target", CLIMBS)
def test_mount_below_a_link_of_the_image(bundle, outside, target):
    replace(bundle, "trap", target.format(outside=outside))
    bundle.mount("/trap/made/here", "tmpfs")
    result = bundle.run("true")
    assert result.code == 0 or result.err


@pytest.mark.parametrize("target", CLIMBS)
def test_mount_on_a_link_of_the_image(bundle, outside, target):
    replace(bundle, "trap", target.format(outside=outside))
    bundle.mount("/trap", "tmpfs")
    result = bundle.run("sh", "-c", "echo x > /trap/x; true")
    assert result.code == 0 or result.err
    assert not (outside / "x").exists()


def test_bind_of_a_file_onto_a_link(bundle, outside):
    (bundle.rootfs / "etc/trap").symlink_to(outside / "new-file")
    bundle.bind("/etc/hostname" if pathlib.Path("/etc/hostname").exists() else "/etc/passwd", "/etc/trap")
    result = bundle.run("true")
    assert result.code == 0 or result.err


def test_destination_with_dots(bundle, outside):
    bundle.mount("/../../../../../../.." + str(outside) + "/made", "tmpfs")
    result = bundle.run("true")
    assert result.code == 0 or result.err


def test_old_root_is_not_reachable_while_mounting(bundle, outside):
    for name in ("/oldroot", "/.pivot_root", "/proc/self/fd/3", "/proc/self/root/proc/1/root"):
        bundle.mount(f"{name}{outside}/made", "tmpfs")
    result = bundle.run("true")
    assert result.code == 0 or result.err


def test_chain_of_links(bundle, outside):
    """Forty links, the last of which leads out."""
    for number in range(40):
        (bundle.rootfs / f"link{number}").symlink_to(f"link{number + 1}")
    (bundle.rootfs / "link40").symlink_to(outside)
    bundle.mount("/link0/made", "tmpfs")
    result = bundle.run("true")
    assert result.code == 0 or result.err


def test_link_to_itself(bundle, crt):
    (bundle.rootfs / "loop").symlink_to("loop")
    bundle.mount("/loop/made", "tmpfs")
    bundle.run("true").failed("loop")


def test_very_long_link(bundle, outside):
    (bundle.rootfs / "long").symlink_to("/".join([".."] * 1300) + str(outside))
    bundle.mount("/long/made", "tmpfs")
    result = bundle.run("true")
    assert result.code == 0 or result.err


@pytest.mark.slow
def test_race_on_a_mount_point(bundle, new_bundle, crt, outside, tmp_path):
    """CVE-2021-30465, CVE-2024-45310: a folder and a link change places while the runtime mounts."""
    shared = tmp_path / "shared"
    (shared / "dir").mkdir(parents=True)
    (shared / "link").symlink_to(outside)
    racer = subprocess.Popen([bundle.rootfs / "bin/probe", "exchange", shared / "dir", shared / "link", "20"])
    try:
        bundle.bind(shared, "/shared")
        bundle.mount("/shared/dir/deep/er", "tmpfs", options=["mode=0777"])
        bundle.script("if [ -e /shared/dir/file ]; then echo ESCAPED; fi; true")
        for _ in range(60):
            result = bundle.run()
            assert "ESCAPED" not in result.out
            assert result.code == 0 or result.err
    finally:
        racer.kill()
        racer.wait()


# ---- /proc and /sys that are not: CVE-2019-19921, CVE-2023-27561, CVE-2023-28642, CVE-2025-54867 ------------------

@pytest.mark.parametrize("name", ["proc", "sys"])
@pytest.mark.parametrize("target", ["/tmp", "../tmp", "/sys", "/proc", "{outside}"])
def test_proc_or_sys_is_a_link(bundle, crt, outside, name, target):
    """Refused: a procfs somewhere else would leave /proc to the image."""
    if target == f"/{name}":
        target = "/etc"
    replace(bundle, name, target.format(outside=outside))
    container = crt.new_id()
    bundle.run("true", container=container).failed(f"/{name}" if harness.IS_CRT else "")
    assert container not in crt.ids()


def test_proc_is_a_file(bundle):
    shutil.rmtree(bundle.rootfs / "proc")
    (bundle.rootfs / "proc").write_text("")
    bundle.run("true").failed()


def test_bind_over_parts_of_proc_is_refused(bundle, tmp_path):
    """CVE-2019-16884, CVE-2025-52881: nothing the caller binds stands in for attr, sys or self."""
    (tmp_path / "fake").mkdir()
    for name in ("/proc/self/attr", "/proc/sys", "/proc/1"):
        config = list(bundle.config["mounts"])
        bundle.bind(tmp_path / "fake", name)
        result = bundle.run("cat", "/proc/sys/kernel/ostype")
        assert result.code != 0 or name != "/proc/self/attr"
        bundle.config["mounts"] = config


def test_a_tmpfs_on_proc(bundle):
    """CVE-2019-16884: labels and sysctls go to the kernel, or the start fails; never into files of the image."""
    bundle.without_mount("/proc")
    bundle.mount("/proc", "tmpfs")
    bundle.mount("/real", "proc")
    bundle["linux.maskedPaths"] = bundle["linux.readonlyPaths"] = []
    bundle["linux.sysctl"] = {"net.ipv4.ip_forward": "1"}
    result = bundle.run("cat", "/real/sys/net/ipv4/ip_forward")
    assert result.code != 0 and result.err or result.out == "1\n"


def test_sysctl_goes_to_the_real_procfs(bundle, tmp_path):
    """CVE-2025-52881: a fake /proc/sys below the rootfs gets nothing."""
    bundle.without_mount("/proc")
    (bundle.rootfs / "proc/sys/net/ipv4").mkdir(parents=True)
    (bundle.rootfs / "proc/sys/net/ipv4/ip_forward").write_text("fake\n")
    bundle["linux.maskedPaths"] = bundle["linux.readonlyPaths"] = []
    bundle["linux.sysctl"] = {"net.ipv4.ip_forward": "1"}
    result = bundle.run("true")
    assert result.code == 0 or result.err
    assert (bundle.rootfs / "proc/sys/net/ipv4/ip_forward").read_text() == "fake\n"


@harness.only("root", why="the network namespace is the host's, or the kernel refuses a private procfs")
@pytest.mark.parametrize("fake", [False, True])
def test_sysctl_needs_no_procfs_of_the_container(bundle, crt, fake):
    """What is on its /proc is nobody's way to the kernel: it is written all the same."""
    bundle.without_mount("/proc")
    if fake:
        (bundle.rootfs / "proc/sys/net/ipv4").mkdir(parents=True)
        (bundle.rootfs / "proc/sys/net/ipv4/ip_forward").write_text("fake\n")
    bundle["linux.maskedPaths"] = bundle["linux.readonlyPaths"] = []
    bundle["linux.sysctl"] = {"net.ipv4.ip_forward": "1"}
    container = crt.start(bundle.sleeper())
    inside = ["nsenter", f"--net=/proc/{container.pid}/ns/net", "cat", "/proc/sys/net/ipv4/ip_forward"]
    assert subprocess.run(inside, capture_output=True, text=True).stdout == "1\n"
    container.end()


# ---- Masks: CVE-2025-31133, CVE-2025-62161 ------------------------------------------------------------------------

@pytest.mark.parametrize("target", ["/proc/sysrq-trigger", "/proc/sys/kernel/core_pattern", "/etc/passwd", "/nowhere"])
def test_dev_null_of_the_image_is_a_link(bundle, crt, target):
    """The mask is the real /dev/null or an error, never what the image says."""
    bundle.without_mount("/dev", "/dev/pts", "/dev/shm", "/dev/mqueue")
    replace(bundle, "dev/null", target)
    (bundle.rootfs / "etc/secret").write_text("secret\n")
    bundle["linux.maskedPaths"] = ["/etc/secret"]
    result = bundle.run("sh", "-c", "cat /etc/secret; echo x > /etc/secret")
    assert "secret" not in result.out
    assert (bundle.rootfs / "etc/secret").read_text() == "secret\n"
    assert (bundle.rootfs / "etc/passwd").read_text().startswith("root")


@pytest.mark.parametrize("target", ["/etc/passwd", "/proc/sys/kernel/core_pattern", None])
def test_dev_null_of_a_volume(bundle, tmp_path, target):
    """Where /dev is the caller's, crt makes nothing in it: its null is whatever the volume says, and masks nothing."""
    dev = tmp_path / "dev"
    dev.mkdir()
    if target:
        (dev / "null").symlink_to(target)
    bundle.without_mount("/dev", "/dev/pts", "/dev/shm", "/dev/mqueue")
    bundle.bind(dev, "/dev")
    (bundle.rootfs / "etc/secret").write_text("secret\n")
    bundle["linux.maskedPaths"] = ["/etc/secret"]
    assert bundle.sh("stat -c %F-%t-%T /etc/secret; cat /etc/secret") == "character special file-1-3\n"


def test_dev_null_of_the_image_is_a_file(bundle):
    bundle.without_mount("/dev", "/dev/pts", "/dev/shm", "/dev/mqueue")
    (bundle.rootfs / "dev/null").write_text("not null\n")
    bundle["linux.maskedPaths"] = ["/etc/passwd"]
    result = bundle.run("cat", "/etc/passwd")
    assert "not null" not in result.out and "root:" not in result.out


# ---- /dev of the image: CVE-2026-41579, CVE-2026-47766, CVE-2026-88264, CVE-2025-52565 ----------------------------

@pytest.mark.parametrize("name", ["dev", "dev/pts", "dev/shm", "dev/mqueue"])
@pytest.mark.parametrize("how", ["absolute", "relative"])
def test_dev_is_a_link(bundle, outside, name, how):
    """With a tmpfs on /dev and without, nothing is made or removed outside."""
    bundle.without_mount("/dev")
    (bundle.rootfs / "dev").mkdir(exist_ok=True)
    target = str(outside) if how == "absolute" else "../" * 12 + str(outside)[1:]
    replace(bundle, name, target)
    result = bundle.run("true")
    assert result.code == 0 or result.err


@pytest.mark.parametrize("name", ["null", "zero", "tty", "ptmx", "console", "fd", "stdin", "core"])
def test_a_node_of_dev_is_a_link(bundle, outside, name):
    bundle.without_mount("/dev", "/dev/pts", "/dev/shm", "/dev/mqueue")
    replace(bundle, f"dev/{name}", outside / "file")
    result = bundle.run("sh", "-c", f"echo overwritten > /dev/{name}; true")
    assert result.code == 0 or result.err
    assert (outside / "file").read_text() == "host\n"


def test_dev_link_with_asked_devices(bundle, outside):
    bundle.without_mount("/dev", "/dev/pts", "/dev/shm", "/dev/mqueue")
    replace(bundle, "dev", str(outside))
    bundle["linux.devices"] = [{"path": "/dev/evil", "type": "c", "major": 1, "minor": 3}]
    result = bundle.run("true")
    assert result.code == 0 or result.err


@pytest.mark.parametrize("path", ["/dev/../../../../..{outside}/node", "/link/node", "/dev/link/node"])
def test_device_path_that_climbs(bundle, outside, path):
    (bundle.rootfs / "link").symlink_to(outside)
    bundle["linux.devices"] = [{"path": path.format(outside=outside), "type": "c", "major": 1, "minor": 3}]
    result = bundle.run("true")
    assert result.code == 0 or result.err


# ---- The working directory: CVE-2024-21626, CVE-2026-55686 --------------------------------------------------------

@pytest.mark.parametrize("fd", [*range(3, 20), 64])
def test_cwd_through_a_leaked_fd(bundle, fd):
    """/proc/self/fd/N never leads to the host, be it the cgroup folder or anything else that is open."""
    bundle["process.cwd"] = f"/proc/self/fd/{fd}"
    result = bundle.run("sh", "-c", "cat /proc/self/mountinfo >/dev/null; ls ../../../../../etc/machine-id ../../../../usr/lib 2>/dev/null;"
                                    "ls cgroup.controllers 2>/dev/null; true")
    assert result.code != 0 or result.out == ""


@pytest.mark.parametrize("cwd", ["/proc/self/cwd", "/proc/1/cwd", "/proc/self/root/../..", "/proc/1/root"])
def test_cwd_through_magic_links(bundle, cwd):
    bundle["process.cwd"] = cwd
    result = bundle.run("sh", "-c", "readlink /proc/self/cwd; ls -d /host-only 2>/dev/null; true")
    assert result.code != 0 or result.out.startswith("/")


def test_cwd_is_not_made_outside(bundle, outside):
    (bundle.rootfs / "link").symlink_to(outside)
    bundle["process.cwd"] = "/link/made/here"
    result = bundle.run("true")
    assert result.code == 0 or result.err


# ---- The runtime's own file: CVE-2019-5736 ------------------------------------------------------------------------

def digest():
    return hashlib.sha256(pathlib.Path(os.path.realpath(shutil.which(harness.CRT))).read_bytes()).hexdigest()


@pytest.mark.skipif(not harness.IS_CRT, reason="overwrites the runtime under test (crt's own test)")
class TestOwnExecutable:
    @pytest.fixture(autouse=True)
    def unchanged(self):
        before = digest()
        yield
        assert digest() == before

    def test_program_is_the_runtime(self, bundle):
        """#!/proc/self/exe: the kernel executes what the process was just before, which was crt."""
        (bundle.rootfs / "evil").write_text("#!/proc/self/exe\n")
        (bundle.rootfs / "evil").chmod(0o755)
        result = bundle.run("/evil")
        assert result.code != 0

    def test_created_container_from_inside(self, bundle, crt):
        """While init waits, another container in the same pid namespace tries its exe for writing."""
        bundle.all_capabilities("CAP_SYS_PTRACE", "CAP_DAC_OVERRIDE", "CAP_SYS_ADMIN")
        victim = crt.create(bundle)
        exe = pathlib.Path(f"/proc/{victim.pid}/exe")
        with pytest.raises(OSError):
            os.close(os.open(exe, os.O_WRONLY))
        victim.end()

    def test_no_mapping_leads_to_the_file(self, bundle, crt):
        """
        What init has mapped of crt is on a read-only mount, like its exe. (Writing would be refused in any case while
        it runs; a change of mode shows what would come after that.)
        """
        victim = crt.create(bundle)
        own = os.stat(os.path.realpath(shutil.which(harness.CRT)))
        files = [entry for entry in pathlib.Path(f"/proc/{victim.pid}/map_files").iterdir()
                 if (entry.stat().st_dev, entry.stat().st_ino) == (own.st_dev, own.st_ino)]
        assert len(files) >= 3, files
        for entry in [*files, pathlib.Path(f"/proc/{victim.pid}/exe")]:
            with pytest.raises(OSError) as error:
                os.chmod(entry, 0o755)
            assert error.value.errno == errno.EROFS, entry
        victim.end()

    @pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed (Debian: strace)")
    def test_protection_executes_nothing(self, bundle, crt, tmp_path):
        """For root, whose kernel can exchange a process's program: one execve of crt's, one of the container's."""
        bundle.config["process"]["args"] = ["/bin/true"]
        bundle.write()
        command = ["strace", "-f", "-o", tmp_path / "trace", "-e", "trace=execve,execveat",
                   *crt.command("run", "--bundle", bundle.path, crt.new_id())]
        crt(command=command).ok()
        calls = [line for line in (tmp_path / "trace").read_text().splitlines() if "execve" in line and "resumed" not in line]
        assert len(calls) == 2, calls

    def test_ps_shows_the_command(self, bundle, crt):
        process = crt.start_process("run", "--bundle", bundle.sleeper().write().path, container := crt.new_id())
        harness.wait_for(lambda: container in crt.ids() and crt.state_of(container)["status"] == "running")
        line = pathlib.Path(f"/proc/{process.pid}/cmdline").read_bytes().split(b"\0")
        environment = pathlib.Path(f"/proc/{process.pid}/environ").read_bytes().split(b"\0")
        crt("delete", "--force", container).ok()
        process.communicate()
        assert [word.decode() for word in line[:-1]] == list(map(str, process.args))
        assert f"PATH={os.environ['PATH']}".encode() in environment

    @pytest.mark.slow
    def test_init_seen_from_the_container_that_it_joins(self, new_bundle, crt):
        """A program waits in a pid namespace for the runtime to enter, and tries exe and ptrace on what comes."""
        first, second = new_bundle("first"), new_bundle("second")
        for bundle in (first, second):
            bundle.all_capabilities("CAP_SYS_PTRACE", "CAP_DAC_OVERRIDE", "CAP_SYS_ADMIN", "CAP_DAC_READ_SEARCH")
            bundle.config["linux"].pop("seccomp", None)
            bundle["process.noNewPrivileges"] = False
        first.script("probe peek 3; sleep 1000")
        watcher = crt.start(first)
        second.namespace("pid", f"/proc/{watcher.pid}/ns/pid")
        for _ in range(20):
            second.run("true").ok()
        watcher.wait_for_output("opened", 20)
        assert "opened 0 " in watcher.out, watcher.out
        watcher.end()

    def test_library_of_the_image_is_not_loaded(self, bundle, outside, tmp_path):
        """CVE-2019-14271: crt asks no name service and loads nothing once it is inside."""
        source = tmp_path / "evil.c"
        source.write_text(f"""#include <fcntl.h>
            __attribute__((constructor)) static void evil(void) {{ creat("{outside}/evil", 0600); }}""")
        for name in ("libnss_files.so.2", "libc.so.6", "libseccomp.so.2", "libcap.so.2"):
            for folder in ("lib", "lib/x86_64-linux-gnu", "usr/lib", "lib64"):
                (bundle.rootfs / folder).mkdir(parents=True, exist_ok=True)
                subprocess.run(["cc", "-shared", "-fPIC", "-o", bundle.rootfs / folder / name, source], check=True)
        bundle["process.user"] = {"uid": 1000, "gid": 1000}
        bundle.run("true").ok()


def test_setuid_is_refused(bundle, crt, tmp_path):
    """CVE-2016-8659, CVE-2020-5291: crt is no setuid program and does not become one."""
    copy = tmp_path / "crt"
    shutil.copy(shutil.which(harness.CRT), copy)
    copy.chmod(0o4755)
    bundle.script("echo ran").write()
    command = [copy, "--root", crt.state, "run", "--bundle", bundle.path, crt.new_id()]
    for folder in [bundle.path, *bundle.path.parents]:
        if str(folder).startswith("/tmp/"):
            folder.chmod(folder.stat().st_mode | 0o055)
    done = subprocess.run(command, user=1000, group=1000, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode != 0 and "ran" not in done.stdout
    if harness.IS_CRT:
        assert "setuid" in done.stderr or "set-user-ID" in done.stderr


# ---- File descriptors and tracing: CVE-2016-9962, CVE-2026-46333 --------------------------------------------------

def test_waiting_init_holds_no_fd_of_the_host(bundle, crt):
    """What a created container's init has open: its three, and what reaches crt start."""
    container = crt.create(bundle)
    found = {}
    for entry in pathlib.Path(f"/proc/{container.pid}/fd").iterdir():
        found[int(entry.name)] = os.readlink(entry)
    container.end()
    extra = [target for fd, target in found.items() if fd > 2]
    if harness.IS_CRT:
        assert len(extra) == 1 and extra[0].startswith("socket:"), extra


def test_waiting_init_is_not_dumpable(bundle, crt):
    """Its files in /proc belong to the host's root even when it runs as someone else."""
    bundle.user_namespace()
    container = crt.create(bundle)
    assert pathlib.Path(f"/proc/{container.pid}/fd").stat().st_uid == 0
    container.end()


@pytest.mark.skipif(not shutil.which("setpriv"), reason="setpriv is not installed (Debian: util-linux)")
def test_waiting_init_is_not_for_its_peers(bundle, crt):
    """Root with the same capabilities may look into a process, but not into one that hides."""
    bundle.write()
    peer = ["setpriv", "--bounding-set=-sys_ptrace", "--inh-caps=-sys_ptrace"]
    name = crt.new_id()
    crt(command=[*peer, *crt.command("create", "--bundle", bundle.path, name)]).ok()
    pid = crt.state_of(name)["pid"]
    for link in ("cwd", "root", "exe", "fd/0"):
        assert subprocess.run([*peer, "readlink", f"/proc/{pid}/{link}"], capture_output=True).returncode != 0, link
    crt("delete", "--force", name).ok()


def test_hooks_and_program_share_no_fd(bundle):
    assert len(bundle.run("probe", "fds").ok().out.splitlines()) == 3


# ---- Terminals: CVE-2016-10124, CVE-2017-5226 ---------------------------------------------------------------------

def test_tiocsti_into_the_callers_terminal(bundle):
    """The container has a session of its own: the caller's terminal is not its controlling terminal."""
    import pty
    master, slave = pty.openpty()
    bundle.config["process"]["args"] = ["probe", "tiocsti"]
    bundle.write()
    try:
        result = bundle.crt("run", "--bundle", bundle.path, bundle.crt.new_id(), stdin=slave, start_new_session=True)
        assert result.ok().out.strip() in ("EPERM", "EIO", "ENOTTY")
    finally:
        os.close(master)
        os.close(slave)


# ---- Identities: CVE-2016-3697, CVE-2024-40635, CVE-2022-36109 ----------------------------------------------------

def test_a_user_named_1000(bundle):
    """A number is a number, whatever the image's passwd file calls it."""
    (bundle.rootfs / "etc/passwd").unlink()
    (bundle.rootfs / "etc/passwd").write_text("1000:x:0:0:root:/root:/bin/sh\n")
    bundle["process.user"] = {"uid": 1000, "gid": 1000}
    fields = harness.status(bundle.run("cat", "/proc/self/status").ok().out)
    assert fields["Uid"].split() == ["1000"] * 4


@pytest.mark.parametrize("uid", [4294967295, 4294967296, -1, 2 ** 63, 1.5, "0"])
def test_ids_that_are_none(bundle, crt, uid):
    bundle["process.user"] = {"uid": uid, "gid": 0}
    container = crt.new_id()
    result = bundle.run("id", container=container).failed()
    if harness.IS_CRT:
        assert "process.user.uid" in result.err
    assert container not in crt.ids()


# ---- The environment and the network namespace: CVE-2025-23266, CVE-2020-15257 -------------------------------------

def test_hook_gets_no_ld_preload(bundle, tmp_path):
    bundle["process.env"] = ["PATH=/bin", f"LD_PRELOAD={tmp_path}/evil.so"]
    bundle.config["hooks"] = {"createContainer": [{"path": "/bin/sh", "args": ["sh", "-c", f"env > {tmp_path}/env"]}]}
    bundle.bind(tmp_path, str(tmp_path))
    bundle.run("true").ok()
    assert "LD_PRELOAD" not in (tmp_path / "env").read_text()


def test_no_abstract_socket_of_the_runtime(bundle, crt):
    """With the host's network namespace, a container could connect to it."""
    bundle.without_namespace("network")
    bundle.without_mount("/sys")
    before = {line.split()[-1] for line in open("/proc/net/unix") if line.split()[-1].startswith("@")}
    container = crt.create(bundle.sleeper())
    during = {line.split()[-1] for line in open("/proc/net/unix") if line.split()[-1].startswith("@")}
    container.end()
    assert not [name for name in during - before if "crt" in name or container.id in name]


def test_state_directory_is_not_the_containers(bundle, crt, tmp_path):
    """A container that runs as somebody else cannot talk to the control files of another one."""
    container = crt.create(bundle.sleeper())
    for path in [crt.state / container.id, *(crt.state / container.id).rglob("*")]:
        mode = path.lstat().st_mode
        assert mode & 0o022 == 0, path
    container.end()


# ---- What the image says about itself: CVE-2026-40226 --------------------------------------------------------------

def test_config_of_the_image_is_ignored(bundle, outside):
    for name in ("config.json", "hooks.json", ".nspawn", "crt.json"):
        (bundle.rootfs / name).write_text('{"hooks": {"createRuntime": [{"path": "/bin/touch", "args": ["touch", "%s/x"]}]}}' % outside)
    bundle.run("true").ok()


def test_helpers_of_the_image_do_not_run_on_the_host(bundle, outside):
    """CVE-2026-84042: a program of the image in every place where a helper might be looked for."""
    for name in ("bin/newuidmap", "bin/newgidmap", "bin/ip", "bin/mount", "bin/nsenter", "sbin/modprobe", "usr/bin/systemctl"):
        path = bundle.rootfs / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_text(f"#!/bin/busybox sh\ntouch {outside}/ran\n")
        path.chmod(0o755)
    bundle.user_namespace()
    bundle["process.env"] = ["PATH=/bin:/sbin:/usr/bin"]
    bundle.run("true").ok()


# ---- cgroups: CVE-2022-0492, CVE-2023-25809 ------------------------------------------------------------------------

def test_no_writable_cgroup_tree(bundle):
    """Not even where /sys is bound from the host without a cgroup namespace, for a root that is not the host's."""
    bundle.user_namespace()
    bundle.without_namespace("cgroup")
    bundle.without_mount("/sys", "/sys/fs/cgroup")
    bundle.mount("/sys", "bind", "/sys", ["rbind", "ro", "nosuid", "noexec", "nodev"])
    everyones = harness.CGROUP / f"{harness.TOKEN}-everyones"
    everyones.mkdir()
    (everyones / "cgroup.procs").chmod(0o666)  # so that only the mount can say no
    try:
        out = bundle.sh("find /sys/fs/cgroup -maxdepth 2 -name cgroup.procs -exec probe open {} w ';'")
    finally:
        everyones.rmdir()
    assert "EROFS" in out and set(out.split()) <= {"EROFS", "EPERM", "EACCES"}


def test_release_agent(bundle):
    bundle.all_capabilities("CAP_SYS_ADMIN")
    out = bundle.sh("find / -xdev -name release_agent 2>/dev/null | head -1; mkdir /tmp/c; mount -t cgroup -o rdma x /tmp/c 2>/dev/null &&"
                    "echo x > /tmp/c/release_agent 2>/dev/null && echo ESCAPED; true")
    assert "ESCAPED" not in out and "release_agent" not in out


# ---- The configuration: CVE-2022-0811, CVE-2021-43784 ---------------------------------------------------------------

@pytest.mark.parametrize("name, value", [("kernel.core_pattern", "|/evil"), ("kernel.shm_rmid_forced+kernel.core_pattern", "1"),
                                         ("net/../kernel/core_pattern", "|/evil"), ("net.ipv4.ip_forward\nkernel.core_pattern", "1"),
                                         ("kernel.modprobe", "/evil"), ("net/ipv4/../../kernel/core_pattern", "|/evil"), ("", "1"),
                                         ("/kernel/core_pattern", "x"), ("kernel/../../../tmp/x", "1")])
def test_sysctl_tricks(bundle, name, value):
    def host():
        return [path.read_text() for path in map(pathlib.Path, ("/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe"))
                if path.exists()]
    before = host()
    bundle["linux.sysctl"] = {name: value}
    bundle.run("true").failed()
    assert host() == before


def test_seventy_kilobytes_of_mappings(bundle, crt):
    """A length that does not fit into sixteen bits is an error or works; nothing is cut off."""
    bundle.user_namespace()
    rows = [{"containerID": number, "hostID": 100000 + number, "size": 1} for number in range(3000)]
    bundle.config["linux"]["uidMappings"] = rows
    container = crt.new_id()
    result = bundle.run("cat", "/proc/self/uid_map", container=container)
    assert result.code != 0 and result.err or len(result.out.splitlines()) == 3000


@pytest.mark.parametrize("options", [["mode=0755,uid=0"], ["size=1k\nx"], ["lowerdir=/a:/b,upperdir=/c"]])
def test_mount_options_do_not_break_out_of_their_word(bundle, options):
    """One entry of "options" is one option: a comma in it makes no second one behind the checks."""
    bundle.mount("/scratch", "tmpfs", options=options)
    result = bundle.run("true")
    assert result.code == 0 or "mounts[" in result.err or "scratch" in result.err

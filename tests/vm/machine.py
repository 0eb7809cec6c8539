"""
One test machine: QEMU in software emulation (works on any host, needs no privilege), commands over virtio-serial.

    with Machine(image) as machine:
        done = machine.run("podman ps", user="full", timeout=60)

The machine resumes from the image's snapshot in a few seconds; with disk="disk" it boots. Whatever is written to its
disk is forgotten at the end. It never outlives the program that started it: it is ended when the block is left, and
the kernel kills it if the program dies.
"""
import contextlib
import fcntl
import json
import os
import pathlib
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import time
import tty

# What the guest sees. A snapshot fits only the machine it was taken of, so this is part of the image's key.
# Without cx16: emulating that instruction, QEMU 7.2 crashes, and so do programs in it. With huge pages of 1 GiB.
HARDWARE = ["-machine", "q35,sata=off", "-cpu", "qemu64,-svm,-cx16,+pdpe1gb", "-smp", "2", "-m", "4G", "-no-reboot", "-nodefaults",
            "-display", "none"]
KERNEL_LINE = ("console=ttyS0 root=/dev/vda rw quiet loglevel=3 panic=-1 net.ifnames=0 systemd.show_status=0 "
               # Seconds of boot that buy nothing here
               "mitigations=off nokaslr audit=0 selinux=0 apparmor=0 nowatchdog no_timer_check tsc=reliable "
               "random.trust_cpu=on rcupdate.rcu_expedited=1")
# With the first CPU quota the kernel patches its scheduler's code, with the end of the last one again; under emulation, a
# processor may be just there, and the kernel panics. One quota of nobody's, and it stays as it is
KEEP_QUOTA = "mkdir -p /sys/fs/cgroup/vm-quota && echo 50000 100000 >/sys/fs/cgroup/vm-quota/cpu.max"
PORTS = ["agent0", "agent1"]
CHUNK = 1 << 16


class Lost(Exception):
    """The machine or its agent does not answer."""


class Result:
    def __init__(self, code, out, err, seconds):
        self.code, self.out, self.err, self.seconds = code, out.decode(errors="replace"), err.decode(errors="replace"), seconds

    def __repr__(self):
        return f"exit code {self.code} after {self.seconds:.1f} s\nstdout: {self.out.strip()}\nstderr: {self.err.strip()}"


class Failed(AssertionError):
    def __init__(self, what, result):
        super().__init__(f"{what}\n{result}")
        self.result = result


class Machine:
    def __init__(self, image, disk=None, keep=False, kernel_line=""):
        """
        Without a disk: from the snapshot. keep: what it writes stays in its disk, which is a file of the image.
        kernel_line: more of the kernel's command line, for a machine that boots.
        """
        self.image = pathlib.Path(image)
        self.resumes = disk is None
        self.disk = disk or "warm.qcow2"
        self.keep = keep
        self.kernel_line = f"{KERNEL_LINE} {kernel_line}"
        self.ports = {}
        self.qemu = None
        self.started = 0.0

    # ---- On and off ----

    def __enter__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="crt-vm-"))
        self.started = time.monotonic()
        try:
            self.start()
            self.run("true", timeout=300)
            if self.resumes:
                self.run(["date", "-s", f"@{time.time():.0f}"])
                self.run(KEEP_QUOTA, check=True)
        except BaseException:
            self.__exit__()
            raise
        self.say(f"{'resumed' if self.resumes else 'booted'} in {time.monotonic() - self.started:.0f} s")
        return self

    def __exit__(self, *_):
        if self.qemu and self.qemu.poll() is None:
            with contextlib.suppress(OSError, Lost):
                self.qmp("quit")
                self.qemu.wait(10)
        if self.qemu and self.qemu.poll() is None:
            self.qemu.kill()
            self.qemu.wait()
        for port in self.ports.values():
            port.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    @staticmethod
    def say(text):
        print(f"vm: {text}", file=sys.stderr, flush=True)

    def argv(self):
        disk_format = "qcow2" if self.disk.endswith(".qcow2") else "raw"
        drive = f"file={self.image / self.disk},if=none,id=root,cache=unsafe,format={disk_format}"
        argv = ["setpriv", "--pdeathsig", "KILL", "qemu-system-x86_64", "-accel", "tcg,thread=multi", *HARDWARE,
                "-kernel", self.image / "vmlinux", "-initrd", self.image / "initrd", "-append", self.kernel_line,
                "-drive", drive if self.keep else drive + ",snapshot=on", "-device", "virtio-blk-pci,drive=root",
                "-device", "virtio-rng-pci", "-device", "virtio-serial-pci", "-serial", f"file:{self.folder}/console",
                "-monitor", "none", "-qmp", f"unix:{self.folder}/qmp,server=on,wait=off"]
        for name in PORTS:
            argv += ["-chardev", f"socket,id={name},path={self.folder}/{name},server=on,wait=off",
                     "-device", f"virtserialport,chardev={name},name={name}"]
        if self.resumes:
            argv += ["-incoming", f"exec:zstd -dcq {self.image / 'warm.memory'}"]
        return argv

    def start(self):
        with open(self.folder / "log", "wb") as log:
            self.qemu = subprocess.Popen([str(word) for word in self.argv()], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        while not self.listens():
            self.check_alive()
            time.sleep(0.02)
        while self.resumes and (status := self.qmp("query-status")["status"]) != "running":
            self.check_alive()
            if status in ("paused", "postmigrate"):
                self.qmp("cont")
            time.sleep(0.05)

    def listens(self):
        """QEMU's socket is there a moment before QEMU listens on it."""
        with socket.socket(socket.AF_UNIX) as sock:
            return sock.connect_ex(str(self.folder / "qmp")) == 0

    def check_alive(self):
        if self.qemu.poll() is not None:
            raise Lost(f"QEMU ended: {(self.folder / 'log').read_text()}\n{self.console()[-2000:]}")

    def console(self):
        with contextlib.suppress(OSError):
            return (self.folder / "console").read_text(errors="replace")
        return ""

    def qmp(self, execute, **arguments):
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(120)
            sock.connect(str(self.folder / "qmp"))
            stream = sock.makefile("rw")
            stream.readline()
            for request in {"execute": "qmp_capabilities"}, {"execute": execute, "arguments": arguments}:
                stream.write(json.dumps(request) + "\n")
                stream.flush()
                while "return" not in (answer := json.loads(stream.readline() or '{"return": {}}')):
                    if "error" in answer:
                        raise Lost(f"QEMU: {execute}: {answer['error']['desc']}")
        return answer["return"]

    def save(self, path):
        """Memory and devices into a file; the machine stands still afterwards."""
        for port in self.ports.values():
            port.close()
        self.ports.clear()
        time.sleep(1)  # the agents notice that the host has hung up
        self.qmp("stop")
        self.qmp("migrate-set-parameters", **{"max-bandwidth": 1 << 40})
        self.qmp("migrate", uri=f"exec:zstd -1 -q -f -o {path}")
        while (status := self.qmp("query-migrate").get("status")) != "completed":
            if status in ("failed", "cancelled"):
                raise Lost(f"the snapshot failed: {(self.folder / 'log').read_text()}")
            time.sleep(0.1)

    # ---- Commands ----

    def run(self, command, *, user=None, stdin=b"", timeout=60, check=False, show=False, env=None, port=PORTS[0]):
        """
        A command in the guest: a list, or text for its shell. As root, or in the session of a user.
        check: raise Failed unless it exits 0. show: its output goes to the terminal as it comes. timeout: host seconds.
        """
        argv = ["/bin/sh", "-c", command] if isinstance(command, str) else [str(word) for word in command]
        if user:
            argv = ["vm-as", user, *argv]
        start = time.monotonic()
        chunks = {b"O": [], b"E": []}
        code = self.talk(port, {"argv": argv, "env": env}, stdin, start + timeout, chunks, show)
        result = Result(code, b"".join(chunks[b"O"]), b"".join(chunks[b"E"]), time.monotonic() - start)
        if check and code:
            raise Failed(command, result)
        return result

    def connection(self, name):
        if name not in self.ports:
            sock = socket.socket(socket.AF_UNIX)
            sock.connect(str(self.folder / name))
            self.ports[name] = sock
        return self.ports[name]

    def talk(self, name, request, stdin, deadline, chunks, show):
        sock = self.connection(name)
        pending = frame(b"R", json.dumps(request).encode())
        for start in range(0, len(stdin), CHUNK):
            pending += frame(b"I", stdin[start:start + CHUNK])
        pending = memoryview(pending + frame(b"I", b""))
        received = b""
        killed = False
        while True:
            if time.monotonic() > deadline:
                if killed:
                    raise Lost(f"{request['argv']}: no answer, not even to being killed; the console says:\n{self.console()[-2000:]}")
                chunks[b"E"].append(b"vm: killed, it took too long\n")
                pending = memoryview(bytes(pending) + frame(b"K", b""))
                killed, deadline = True, deadline + 30
            readable, writable, _ = select.select([sock], [sock] if pending else [], [], 1)
            if writable:
                pending = pending[sock.send(pending[:CHUNK], socket.MSG_DONTWAIT):]
            if readable:
                data = sock.recv(CHUNK)
                if not data:
                    time.sleep(0.5)
                    self.check_alive()
                    raise Lost("the machine hung up")
                received += data
            whole, received = frames(received)
            for kind, data in whole:
                if kind == b"X":
                    return 124 if killed else int(data)
                chunks[kind].append(data)
                if show:
                    os.write(1 if kind == b"O" else 2, data)

    def put(self, local, remote, without=()):
        """A file with its mode, or what a folder holds (less what these patterns match), into the guest."""
        local = pathlib.Path(local)
        where = ["-C", str(local), "."] if local.is_dir() else ["-C", str(local.parent), local.name]
        tar = subprocess.run(["tar", *(f"--exclude={pattern}" for pattern in without), "--owner=0", "--group=0", "-cf", "-", *where],
                             stdout=subprocess.PIPE, check=True).stdout
        folder = remote if local.is_dir() else os.path.dirname(remote)
        self.run(["mkdir", "-p", folder], check=True)
        self.run(["tar", "-xf", "-", "-C", folder], stdin=tar, timeout=120, check=True)
        if not local.is_dir() and local.name != os.path.basename(remote):
            self.run(["mv", f"{folder}/{local.name}", remote], check=True)

    def write(self, remote, text, mode="644"):
        self.run(f"cat >'{remote}' && chmod {mode} '{remote}'", stdin=text.encode(), check=True)

    def read(self, remote):
        return self.run(["cat", remote], check=True).out

    def shell(self):
        """A prompt for a person, on this program's terminal."""
        rows, columns = struct.unpack("HHHH", fcntl.ioctl(0, termios.TIOCGWINSZ, b"\0" * 8))[:2]
        sock = self.connection(PORTS[1])
        sock.sendall(frame(b"R", json.dumps({"argv": ["/bin/bash", "-l"], "tty": [rows, columns],
                                             "env": {"TERM": os.environ.get("TERM", "vt100")}}).encode()))
        saved = termios.tcgetattr(0)
        received = b""
        try:
            tty.setraw(0)
            while True:
                readable, _, _ = select.select([0, sock], [], [])
                if 0 in readable and (typed := os.read(0, CHUNK)):
                    sock.sendall(frame(b"I", typed))
                if sock in readable:
                    received += sock.recv(CHUNK)
                whole, received = frames(received)
                for kind, data in whole:
                    if kind == b"X":
                        return
                    os.write(1, data)
        finally:
            termios.tcsetattr(0, termios.TCSADRAIN, saved)


def frame(kind, data):
    return struct.pack(">cI", kind, len(data)) + data


def frames(received):
    """The whole frames in what was received, and the rest."""
    whole = []
    while len(received) >= 5 and len(received) >= (end := 5 + struct.unpack(">I", received[1:5])[0]):
        whole.append((received[:1], received[5:end]))
        received = received[end:]
    return whole, received


def end_on_signals():
    """A termination signal does what Ctrl-C does (pytest takes that for an end, and not for a failed test)."""
    for number in signal.SIGTERM, signal.SIGHUP:
        signal.signal(number, signal.default_int_handler)

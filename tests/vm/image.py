#!/usr/bin/python3
"""
The image of the test machine: a Debian with systemd, the engines and the peers, the kernel it boots, and a snapshot
of it up and warm, so that a test run starts in seconds.

    tests/vm/image.py [--suite trixie|sid] [--kernel SUITE] [--force]

prints the folder that holds it. Everything comes from the distribution's packages and is made without a loop device
or a mount: a directory (debian-tree), ext4 straight from it (mke2fs -d), an initrd of a busybox and two modules.
It lives in $XDG_CACHE_HOME/crt-vm, or /var/cache/crt-vm, under a hash of all that it is made from.
"""
import argparse
import contextlib
import fcntl
import hashlib
import io
import json
import lzma
import os
import pathlib
import shutil
import stat
import struct
import subprocess
import sys
import tarfile
import time

from machine import HARDWARE, Machine, end_on_signals

HERE = pathlib.Path(__file__).resolve().parent
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or "/var/cache") / "crt-vm"
OVERLAY = HERE / "guest"
INPUTS = [HERE / "image.py", HERE / "debian-tree", *sorted(path for path in OVERLAY.rglob("*") if path.is_file())]
DISK_SIZE = "6G"
KEEP_S = 2 * 86400
IMAGE_NAME = "localhost/busybox:vm"
# The same layer with a command that waits: what holds the namespaces of a pod of the CRI
PAUSE_NAME = "localhost/pause:vm"

PACKAGES = """
    systemd systemd-sysv dbus dbus-user-session libpam-systemd udev kmod login passwd mount util-linux procps iproute2
    containerd docker.io docker-cli podman crun runc
    conmon catatonit netavark aardvark-dns passt slirp4netns fuse-overlayfs uidmap nftables iptables
    golang-github-containers-common containernetworking-plugins ca-certificates
    libseccomp2 libcap2 libyajl2 libmnl0 apparmor
    buildah busybox-static python3 python3-pytest python3-pytest-timeout python3-pytest-xdist gcc libc6-dev make libcap2-bin strace acl jq
    curl
""".split()

KERNEL = "linux-image-cloud-amd64"
# What an older kernel has as modules a newer one has built in: modprobe knows
INITRD_MODULES = ["virtio_pci", "virtio_blk", "ext4"]

# Units that cost seconds under emulation and serve nobody here. tmp.mount: bundles on a disk are the common case
MASKED = """
    apparmor.service apt-daily-upgrade.timer apt-daily.timer console-getty.service dev-hugepages.mount
    dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer getty@tty1.service ldconfig.service
    logrotate.timer man-db.timer modprobe@drm.service modprobe@efi_pstore.service netavark-dhcp-proxy.socket
    nftables.service podman-auto-update.timer podman-restart.service proc-sys-fs-binfmt_misc.automount
    serial-getty@ttyS0.service sys-kernel-debug.mount sys-kernel-tracing.mount systemd-binfmt.service
    systemd-boot-random-seed.service systemd-firstboot.service systemd-hwdb-update.service
    systemd-journal-catalog-update.service systemd-journal-flush.service systemd-machine-id-commit.service
    systemd-networkd.service systemd-pcrmachine.service systemd-pcrphase.service systemd-pstore.service
    systemd-random-seed.service systemd-resolved.service systemd-sysusers.service systemd-timesyncd.service
    systemd-tmpfiles-clean.timer systemd-tpm2-setup-early.service systemd-tpm2-setup.service
    systemd-update-done.service systemd-update-utmp.service tmp.mount
""".split()
# Started when a test wants them, not by the boot
NOT_STARTED = ["containerd.service", "docker.service", "docker.socket", "podman.service", "podman.socket"]
# Name, uid: "full" has every controller delegated to the session, "bare" none (guest/etc/systemd)
USERS = [("full", 1000), ("bare", 1001)]

INIT = """#!/bin/busybox sh
busybox mount -t devtmpfs devtmpfs /dev
for module in /*.ko; do busybox insmod $module; done
until [ -b /dev/vda ]; do busybox sleep 0.02; done
busybox mount -t ext4 -o noatime /dev/vda /root
busybox mount --move /dev /root/dev
exec busybox switch_root /root /sbin/init
"""

# ---- Saying what happens ----


def say(text):
    print(f"vm: {text}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def step(what):
    say(f"{what} ...")
    start = time.monotonic()
    yield
    say(f"{what}: {time.monotonic() - start:.0f} s")


def command(*argv, **options):
    done = subprocess.run([str(word) for word in argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, **options)
    if done.returncode:
        sys.exit(f"vm: {argv[0]} failed ({done.returncode}):\n{done.stdout}")
    return done.stdout


# ---- The parts ----


def add_kernel(unpacked, tree, image):
    """The modules into the tree; the kernel, uncompressed (QEMU starts that at once), into the image's folder."""
    (release,) = os.listdir(unpacked / "usr/lib/modules" if (unpacked / "usr/lib/modules").is_dir() else unpacked / "lib/modules")
    modules = next(unpacked.glob(f"**/lib/modules/{release}"))
    shutil.copytree(modules, tree / "usr/lib/modules" / release, symlinks=True)
    command("chroot", tree, "depmod", release)
    bzimage = next(path for path in [unpacked / f"boot/vmlinuz-{release}", modules / "vmlinuz"] if path.exists())
    (image / "vmlinux").write_bytes(vmlinux(bzimage.read_bytes()))
    (image / "initrd").write_bytes(initrd(tree, release))
    return release


def vmlinux(bzimage):
    """The ELF file inside a bzImage: Documentation/arch/x86/boot.rst, payload_offset and payload_length."""
    setup_sectors = bzimage[0x1f1] or 4
    offset, size = struct.unpack_from("<II", bzimage, 0x248)
    payload = bzimage[(setup_sectors + 1) * 512 + offset:][:size]
    for magic, tool in (b"\x28\xb5\x2f\xfd", "zstd"), (b"\xfd7zXZ", "xz"), (b"\x02!L\x18", "lz4"), (b"\x1f\x8b", "gzip"):
        if payload.startswith(magic):
            # The tools complain about the length the kernel appends, after having written everything
            elf = subprocess.run([tool, "-dc"], input=payload, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False).stdout
            if elf.startswith(b"\x7fELF"):
                return elf
    sys.exit(f"vm: the kernel is packed in a way this script does not know ({payload[:6].hex()})")


def initrd(tree, release):
    files = {"init": (0o100755, INIT.encode()), "bin/busybox": (0o100755, (tree / "usr/bin/busybox").read_bytes())}
    for number, path in enumerate(module_files(tree, release)):
        data = (tree / path.lstrip("/")).read_bytes()
        files[f"{number:02}.ko"] = (0o100644, lzma.decompress(data) if path.endswith(".xz") else data)
    folders = {name: (0o040755, b"") for name in ("bin", "dev", "root")}
    return cpio({**folders, "dev/console": (0o020600, b""), **files})


def module_files(tree, release):
    shown = "".join(command("chroot", tree, "modprobe", "-S", release, "--show-depends", name) for name in INITRD_MODULES)
    return list(dict.fromkeys(line.split()[1] for line in shown.splitlines() if line.startswith("insmod ")))


def cpio(files):
    """The newc format: Documentation/driver-api/early-userspace/buffer-format.rst. A device is the console, 5:1."""
    out = io.BytesIO()
    for number, (name, (mode, data)) in enumerate([*files.items(), ("TRAILER!!!", (0, b""))], 1):
        device = (5, 1) if stat.S_ISCHR(mode) else (0, 0)
        fields = [number, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(name) + 1, 0]
        out.write(b"070701" + b"".join(b"%08X" % field for field in fields) + name.encode() + b"\0")
        out.write(b"\0" * (-out.tell() % 4) + data)
        out.write(b"\0" * (-out.tell() % 4))
    return out.getvalue()


def configure(tree):
    shutil.copytree(OVERLAY, tree, dirs_exist_ok=True)
    for path, text in (("etc/hostname", "vm\n"), ("etc/hosts", "127.0.0.1 localhost vm\n::1 localhost\n"),
                       ("etc/resolv.conf", "nameserver 127.0.0.1\n"), ("etc/machine-id", "0123456789abcdef" * 2 + "\n")):
        (tree / path).unlink(missing_ok=True)
        (tree / path).write_text(text)
    for name, uid in USERS:
        command("chroot", tree, "useradd", "-m", "-u", uid, "-s", "/bin/bash", name)
    units = tree / "etc/systemd/system"
    command("systemctl", "--root", tree, "disable", *NOT_STARTED)
    for name in MASKED:
        (units / name).unlink(missing_ok=True)
        (units / name).symlink_to("/dev/null")
    wants = units / "multi-user.target.wants"
    for name, unit in (("vm-network.service", "vm-network.service"), *((f"vm-agent@agent{n}.service", "vm-agent@.service") for n in range(2))):
        (wants / name).symlink_to(f"../{unit}")
    (units / "default.target").unlink(missing_ok=True)
    (units / "default.target").symlink_to("/usr/lib/systemd/system/multi-user.target")


def container_image(tree):
    """A docker-archive (docker, podman and ctr all load it) of two images of one layer: a static busybox and the usual folders."""
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as tar:
        for name in "bin dev etc home mnt proc root run sys tmp usr usr/bin var".split():
            add(tar, name, mode=0o1777 if name == "tmp" else 0o755, type=tarfile.DIRTYPE)
        add(tar, "bin/busybox", (tree / "usr/bin/busybox").read_bytes(), mode=0o755)
        for applet in command(tree / "usr/bin/busybox", "--list").split():
            if applet != "busybox":
                add(tar, f"bin/{applet}", type=tarfile.SYMTYPE, linkname="busybox")
        add(tar, "etc/passwd", b"root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/home:/bin/sh\n")
        add(tar, "etc/group", b"root:x:0:\nuser:x:1000:\n")
    digest = hashlib.sha256(layer.getvalue()).hexdigest()
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        add(tar, f"{digest}/layer.tar", layer.getvalue())
        manifest = []
        for name, words in (IMAGE_NAME, ["/bin/sh"]), (PAUSE_NAME, ["/bin/sleep", "2147483647"]):
            config = json.dumps({"architecture": "amd64", "os": "linux", "config": {"Env": ["PATH=/bin"], "Cmd": words},
                                 "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]}}).encode()
            config_name = hashlib.sha256(config).hexdigest() + ".json"
            add(tar, config_name, config)
            manifest.append({"Config": config_name, "RepoTags": [name], "Layers": [f"{digest}/layer.tar"]})
        add(tar, "manifest.json", json.dumps(manifest).encode())
    return layer.getvalue(), archive.getvalue()


def add(tar, name, data=b"", **attributes):
    entry = tarfile.TarInfo(name)
    entry.size = len(data)
    for key, value in attributes.items():
        setattr(entry, key, value)
    tar.addfile(entry, io.BytesIO(data))


# ---- All of it ----


def key(suite, kernel):
    digest = hashlib.sha256(f"{suite} {kernel} {HARDWARE}".encode())
    for path in INPUTS:
        digest.update(str(path.relative_to(HERE)).encode() + b"\0" + path.read_bytes())
    digest.update(command("qemu-system-x86_64", "--version").encode())
    return digest.hexdigest()[:12]


def build(suite, kernel, image):
    """A cold image, complete when "disk" is there."""
    tree, unpacked = image / "tree", image / "kernel"
    with step(f"userland of Debian {suite}"):
        command(HERE / "debian-tree", suite, tree, *PACKAGES)
    with step(f"kernel of Debian {kernel}"):
        command(HERE / "debian-tree", "--unpack", kernel, unpacked, KERNEL)
        release = add_kernel(unpacked, tree, image)
    with step(f"disk image (kernel {release})"):
        configure(tree)
        layer, archive = container_image(tree)
        (tree / "var/lib/vm").mkdir()
        (tree / "var/lib/vm/rootfs.tar").write_bytes(layer)
        (tree / "var/lib/vm/image.tar").write_bytes(archive)
        command("truncate", "-s", DISK_SIZE, image / "disk.tmp")
        command("/sbin/mke2fs", "-q", "-F", "-t", "ext4", "-O", "^has_journal", "-m", "0", "-L", "root",
                "-E", "lazy_itable_init=1,nodiscard", "-d", tree, image / "disk.tmp")
        (image / "release").write_text(release + "\n")
        (image / "disk.tmp").rename(image / "disk")
    shutil.rmtree(tree)
    shutil.rmtree(unpacked)


def warm(image):
    """Boots once, starts every engine, gives each the image, and keeps memory and disk."""
    command("qemu-img", "create", "-q", "-f", "qcow2", "-b", "disk", "-F", "raw", image / "warm.qcow2")
    with Machine(image, disk="warm.qcow2", keep=True) as machine:
        with step("starting the engines once"):
            machine.run("/usr/local/sbin/vm-prepare", timeout=900, check=True, show=True)
        with step("snapshot"):
            machine.save(image / "warm.memory.tmp")
    (image / "warm.memory.tmp").rename(image / "warm.memory")


def ensure(suite="trixie", kernel=None, force=False):
    """The folder of a finished image, made now if need be."""
    kernel = kernel or suite
    name = f"{suite}-{kernel}-"
    image = CACHE / f"{name}{key(suite, kernel)}"
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / f".{name}lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if force:
            shutil.rmtree(image, ignore_errors=True)
        if not (image / "disk").exists():
            shutil.rmtree(image, ignore_errors=True)
            for old in CACHE.glob(f"{name}*"):
                if time.time() - old.stat().st_mtime > KEEP_S:  # a younger one may be another checkout's
                    shutil.rmtree(old)
            image.mkdir()
            build(suite, kernel, image)
        if not (image / "warm.memory").exists():
            warm(image)
    return image


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--suite", default="trixie", help="the Debian that runs (default: trixie)")
    parser.add_argument("--kernel", metavar="SUITE", help="take the kernel of another Debian (default: the suite's own)")
    parser.add_argument("--force", action="store_true", help="make it anew, with today's packages")
    options = parser.parse_args()
    end_on_signals()
    print(ensure(options.suite, options.kernel, options.force))


if __name__ == "__main__":
    main()

#!/usr/bin/python3
"""
The config.json files that the engines of the test machine write, into tests/corpus, where the golden tests read them.

    sudo tests/vm/capture.py [--suite trixie|sid] [NAME...]

The runtime the engines are given is a wrapper, which keeps a copy of the bundle's config.json and hands over to crun.
What differs from run to run (ids, names of network namespaces, process numbers) is replaced by the same text each
time. A seccomp profile is kept in the first document that has it, and taken out of the others.
"""
import argparse
import hashlib
import json
import pathlib
import re

import image
from machine import Machine, end_on_signals

CORPUS = pathlib.Path(__file__).resolve().parents[1] / "corpus"
# Docker knows this path as a runtime (guest/etc/docker/daemon.json)
WRAPPER = "/usr/local/bin/crt"
KEPT = "/tmp/captured"
WRAPPER_TEXT = f"""#!/bin/sh
bundle=. starts= before=
for word; do
	case $before in --bundle | -b) bundle=$word ;; esac
	case $word in --bundle=*) bundle=${{word#*=}} ;; create | run) starts=yes ;; esac
	before=$word
done
[ -z "$starts" ] || cp "$bundle/config.json" {KEPT}/$(date +%s%N).json
exec /usr/bin/crun "$@"
"""

PODMAN = f"podman --runtime {WRAPPER} --cgroup-manager systemd"
DOCKER = "docker run --rm --runtime crt"
CTR = f"ctr run --rm --runc-binary {WRAPPER}"
IMAGE = image.IMAGE_NAME
HARDENED = "--cap-drop all --security-opt no-new-privileges --read-only --user 1000:1000"
LIMITS = "--memory 64m --memory-reservation 32m --cpus 0.5 --pids-limit 32 --cpuset-cpus 1"
# Name -> user, command. What one command starts besides (the pause container of a pod) is in NAME-2 ...
DOCUMENTS = {
    "podman-default": (None, f"{PODMAN} run --rm {IMAGE} true"),
    "podman-cgroupfs": (None, f"podman --runtime {WRAPPER} --cgroup-manager cgroupfs run --rm {IMAGE} true"),
    "podman-limits": (None, f"{PODMAN} run --rm {LIMITS} --cpu-shares 512 --blkio-weight 200 --oom-score-adj 500 {IMAGE} true"),
    "podman-hardened": (None, f"{PODMAN} run --rm {HARDENED} --umask 0027 --ulimit nofile=99:99 {IMAGE} true"),
    "podman-privileged": (None, f"{PODMAN} run --rm --privileged {IMAGE} true"),
    "podman-host": (None, f"{PODMAN} run --rm --network host --pid host --ipc host --uts host --cgroupns host {IMAGE} true"),
    "podman-systemd": (None, f"{PODMAN} run --rm --systemd always {IMAGE} true"),
    "podman-devices": (None, f"{PODMAN} run --rm --device /dev/fuse:/dev/fuse:rw --device-read-bps /dev/vda:1mb --shm-size 8m {IMAGE} true"),
    "podman-mounts": (None, f"{PODMAN} run --rm --volume /mnt:/data:ro,rslave --tmpfs /scratch:size=1m,noexec --mount type=volume,dst=/volume "
                            f"--sysctl net.ipv4.ip_forward=1 {IMAGE} true"),
    "podman-uidmap": (None, f"{PODMAN} run --rm --uidmap 0:100000:1000 --init {IMAGE} true"),
    "podman-pod": (None, f"{PODMAN} run --rm --pod new:corpus {IMAGE} true; {PODMAN} pod rm --force --time 0 corpus"),
    "podman-rootless": ("full", f"{PODMAN} run --rm {IMAGE} true"),
    "podman-rootless-limits": ("full", f"{PODMAN} run --rm {LIMITS} --network none {IMAGE} true"),
    "podman-rootless-keep-id": ("full", f"{PODMAN} run --rm --userns keep-id --volume /home/full:/home:ro {IMAGE} true"),
    "podman-rootless-privileged": ("full", f"{PODMAN} run --rm --privileged --network host {IMAGE} true"),
    "podman-rootless-bare": ("bare", f"podman --runtime {WRAPPER} --cgroup-manager cgroupfs run --rm --pids-limit -1 {IMAGE} true"),
    "buildah": (None, f"c=$(buildah from {IMAGE}) && buildah run --isolation oci --runtime {WRAPPER} $c true; buildah rm $c"),
    "docker-default": (None, f"{DOCKER} {IMAGE} true"),
    "docker-limits": (None, f"{DOCKER} {LIMITS} --cpu-shares 512 --blkio-weight 200 --device-write-bps /dev/vda:1mb {IMAGE} true"),
    "docker-hardened": (None, f"{DOCKER} {HARDENED} --ulimit nofile=99:99 --oom-score-adj 500 --network none {IMAGE} true"),
    "docker-privileged": (None, f"{DOCKER} --privileged {IMAGE} true"),
    "docker-host": (None, f"{DOCKER} --network host --pid host --ipc host --uts host --cgroupns host {IMAGE} true"),
    "docker-mounts": (None, f"{DOCKER} --volume /mnt:/data:ro,rslave --tmpfs /scratch:size=1m --mount type=volume,dst=/volume --device /dev/fuse "
                            f"--shm-size 8m --init --sysctl net.ipv4.ip_forward=1 {IMAGE} true"),
    "docker-tty": (None, f"script -qec '{DOCKER} --tty --interactive {IMAGE} true' /dev/null </dev/null"),
    "ctr-default": (None, f"{CTR} {IMAGE} corpus true"),
    "ctr-limits": (None, f"{CTR} --seccomp --read-only --memory-limit 67108864 --cpus 0.5 --cwd /tmp --user 1000 {IMAGE} corpus true"),
    "ctr-nethost": (None, f"{CTR} --net-host {IMAGE} corpus true"),
    "ctr-privileged": (None, f"{CTR} --privileged {IMAGE} corpus true"),
    "ctr-mounts": (None, f"{CTR} --mount type=bind,src=/mnt,dst=/mnt,options=rbind:ro --mount type=cgroup,src=cgroup,dst=/sys/fs/cgroup,options=ro "
                         f"--cgroup system.slice:vm:corpus --runc-systemd-cgroup {IMAGE} corpus true"),
}


def same_each_time(text):
    """Ids of 64 digits are numbered, their beginnings of 12 with them; so are the uuids of network namespaces."""
    long = list(dict.fromkeys(re.findall(r"\b[0-9a-f]{64}\b", text)))
    for number, old in enumerate(long, 1):
        new = hashlib.sha256(str(number).encode()).hexdigest()
        text = re.sub(rf"\b{old[:12]}\b", new[:12], text.replace(old, new))
    text = re.sub(r"netns-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "netns-01234567-89ab-cdef-0123-456789abcdef", text)
    text = re.sub(r"(?<=netns/)[0-9a-f]{12}\b|(?<=\", \")[0-9a-f]{12}(?=\")", "0123456789ab", text)
    return re.sub(r"/proc/\d+/", "/proc/1000/", text)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--suite", choices=["trixie", "sid"], default="trixie")
    parser.add_argument("names", nargs="*", metavar="NAME")
    options = parser.parse_args()
    end_on_signals()
    CORPUS.mkdir(exist_ok=True)
    profiles = {}
    with Machine(image.ensure(options.suite)) as machine:
        machine.write(WRAPPER, WRAPPER_TEXT, "755")
        for name in options.names or DOCUMENTS:
            user, command = DOCUMENTS[name]
            machine.run(f"rm -rf {KEPT} && mkdir {KEPT} && chmod 1777 {KEPT}", check=True)
            done = machine.run(command, user=user, timeout=120)
            kept = machine.run(f"ls {KEPT}", check=True).out.split()
            if not kept:
                machine.say(f"{name}: no document: {done}")
            for number, file in enumerate(kept, 1):
                document = json.loads(machine.read(f"{KEPT}/{file}"))
                document["root"]["path"] = document["root"]["path"].replace("//", "/")
                profile = json.dumps(document["linux"].get("seccomp"))
                if profiles.setdefault(profile, name) != name:
                    document["linux"].pop("seccomp", None)
                target = CORPUS / f"{'' if options.suite == 'trixie' else options.suite + '-'}{name}{f'-{number}' if number > 1 else ''}.json"
                target.write_text(same_each_time(json.dumps(document, indent=1)) + "\n")
                machine.say(f"{target.name}: {target.stat().st_size >> 10} KiB")


if __name__ == "__main__":
    main()

"""Starting the driver, and what its samples say."""
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILD = pathlib.Path(os.environ.get("CRT_BUILD", ROOT / "build")).resolve()
SHARED = pathlib.Path(os.environ.get("CRT_SHARED", ROOT.parent / "shared"))
PEERS = pathlib.Path(os.environ.get("CRT_PEERS", "/var/tmp/crt-peers/sid"))


class Failed(Exception):
    pass


def compile_tools(folder):
    """driver, floor and noop, static: they are small, and work in any root."""
    compiler = [os.environ.get("CC", "cc"), "-D_GNU_SOURCE", "-std=gnu17", "-O2", "-static"]
    bare = ["-nostdlib", "-ffreestanding", "-fno-stack-protector"]
    for name, more in (("driver", []), ("floor", []), ("noop", bare)):
        subprocess.run([*compiler, *more, "-o", folder / name, HERE / f"{name}.c"], check=True)


def spread(values):
    values = sorted(values)
    pick = lambda part: values[min(len(values) - 1, int(len(values) * part))]
    return {"median": statistics.median(values), "p10": pick(.1), "p99": pick(.99), "least": values[0]}


def pair_by_pair(name, samples):
    """{other: median of the ratios of neighbours in time}"""
    return {other: statistics.median(a / b for a, b in zip(samples[name], theirs)) for other, theirs in samples.items() if other != name}


class Bench:
    """A folder on a tmpfs, and the namespace everything runs in."""

    def __init__(self, where):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="crt-bench.", dir=where))
        self.folder.chmod(0o755)
        compile_tools(self.folder)
        self.has_peers = (PEERS / "usr/bin/crun").exists()
        # Here, if there are no peers, cgroup v2 at its usual place is all that is needed
        script = ('if [ "$(stat -f -c %T /sys/fs/cgroup)" != cgroup2fs ]; then umount -R /sys/fs/cgroup 2>/dev/null; '
                  'mount -t cgroup2 cgroup2 /sys/fs/cgroup; fi; exec "$@"')
        here = ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh"]
        self.inside = [str(HERE / "in-peers")] if self.has_peers else here
        # As it is installed: on a disk, written in one go (what a linker has written in pieces lies in memory in pieces)
        self.programs = pathlib.Path(tempfile.mkdtemp(prefix="crt-bench.", dir="/tmp"))
        self.programs.chmod(0o755)
        self.crt = self.programs / "crt"
        shutil.copy(BUILD / "crt", self.crt)

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.rmtree(self.programs, ignore_errors=True)

    def run(self, *words, check=True, **more):
        done = subprocess.run([*self.inside, *map(str, words)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, **more)
        if check and done.returncode:
            raise Failed(f"{' '.join(map(str, words))}: exit code {done.returncode}\n{done.stderr.strip()[-2000:]}")
        return done

    def quietly(self, *words, check=True):
        """For what leaves a process behind, which must hold no pipe of ours."""
        with tempfile.TemporaryFile("w+") as errors:
            done = subprocess.run([*self.inside, *map(str, words)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                  stderr=errors)
            errors.seek(0)
            if check and done.returncode:
                raise Failed(f"{' '.join(map(str, words))}: exit code {done.returncode}\n{errors.read()[-2000:]}")

    def write_jobs(self, jobs):
        """jobs: {name: [(label, words)]}; a name is a runtime's."""
        lines = []
        for name, steps in jobs.items():
            lines.append(f"job\t{name}")
            lines += ["\t".join(["step", label, *map(str, words)]) for label, words in steps]
        (self.folder / "jobs").write_text("\n".join(lines) + "\n")
        return self.folder / "jobs"

    def rounds(self, jobs, count, warmup=3):
        """{label: {runtime: {"wall": spread in ms, "cpu": ..., "peak": KiB, "pairs": {other: median ratio}}}}"""
        out = self.run(self.folder / "driver", "rounds", count, warmup, self.write_jobs(jobs)).stdout
        samples = {}
        for line in out.splitlines():
            job, step, wall, cpu, peak = map(int, line.split())
            name = list(jobs)[job]
            samples.setdefault(jobs[name][step][0], {}).setdefault(name, []).append((wall / 1e6, cpu / 1e6, peak))
        return {label: {name: {"wall": spread([s[0] for s in own]), "cpu": spread([s[1] for s in own]),
                               "peak": max(s[2] for s in own), "runs": len(own),
                               "pairs": pair_by_pair(name, {other: [s[0] for s in theirs] for other, theirs in by_name.items()})}
                        for name, own in by_name.items()}
                for label, by_name in samples.items()}

    def rates(self, jobs, seconds, parallel, slices=9):
        """{runtime: {"rate": starts a second, "pairs": {other: median ratio}}}: each has its turn several times, and medians count."""
        samples = {name: [] for name in jobs}
        for _ in range(slices):
            out = self.run(self.folder / "driver", "rate", seconds, parallel, self.write_jobs(jobs)).stdout
            for line in out.splitlines():
                job, done, nanoseconds = map(int, line.split())
                samples[list(jobs)[job]].append(done / nanoseconds * 1e9)
        return {name: {"rate": statistics.median(own), "pairs": pair_by_pair(name, samples)} for name, own in samples.items()}


def trace_calls(bench, words):
    """System calls, processes, programs executed and mounts in the caller's own namespace, of one command."""
    with tempfile.TemporaryDirectory() as folder:
        trace = pathlib.Path(folder, "trace")
        subprocess.run(["strace", "-f", "-o", str(trace), *bench.inside, *map(str, words)], stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        lines = trace.read_text(errors="replace").splitlines()
    first = next(number for number, line in enumerate(lines) if re.search(r"execve\(\"[^\"]*" + re.escape(
        pathlib.Path(str(words[0])).name) + r"\".* = 0$", line))
    main = lines[first].split()[0]
    found = {"calls": 0, "processes": 0, "executed": 0, "mounts": 0}
    inside = set()
    for line in lines[first:]:
        pid, _, rest = line.partition(" ")
        name = rest.strip().split("(")[0]
        result = re.search(r"= (\d+)", rest.rsplit(")", 1)[-1])
        if "resumed>" in rest:
            name = re.search(r"<\.\.\. (\S+) resumed", rest).group(1)  # ??? of one that was killed
        elif not re.match(r"\w+\(", rest.strip()):
            continue
        if "<unfinished" not in rest:
            found["calls"] += 1
        if name in ("clone", "clone3", "fork", "vfork") and result and int(result.group(1)):
            found["processes"] += "CLONE_THREAD" not in rest
            if "CLONE_NEWNS" in rest or pid in inside or pid != main:
                inside.add(result.group(1))
        if name in ("unshare", "setns") and ("CLONE_NEWNS" in rest or name == "setns"):
            inside.add(pid)
        found["executed"] += name in ("execve", "execveat") and rest.rstrip().endswith("= 0")
        found["mounts"] += pid not in inside and pid == main and name in ("mount", "move_mount") and rest.rstrip().endswith("= 0")
    return found


def machine():
    """What the figures were measured on, in words that say nothing about where it stands."""
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    memory = int(next(line.split()[1] for line in open("/proc/meminfo") if line.startswith("MemTotal"))) // 1024
    virtual = subprocess.run(["systemd-detect-virt"], capture_output=True, text=True).stdout.strip() if shutil.which(
        "systemd-detect-virt") else ("virtual machine" if "hypervisor" in open("/proc/cpuinfo").read() else "none")
    release = dict(line.rstrip().split("=", 1) for line in open("/etc/os-release") if "=" in line)
    return {"processor": cpu, "cores": os.cpu_count(), "memory_mib": memory, "virtualization": virtual or "none",
            "kernel": os.uname().release.split("-")[0], "system": release.get("PRETTY_NAME", "?").strip('"'),
            "load_before": os.getloadavg()[0]}


def save(path, figures):
    pathlib.Path(path).write_text(json.dumps(figures, indent=1) + "\n")

"""What is measured: bundles, the commands of each work, the limits of the gate. See contrib/bench."""
import argparse
import copy
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

import measure
import report
from measure import Failed

# What contrib/check holds: the ratio of medians, with room for a noisy machine. A regression of a fifth shows.
GATE = {("run", "floor"): 1.75, ("run", "crun"): 0.50, ("docker", "floor"): 1.8, ("docker", "crun"): 0.48,
        ("exec", "floor"): 2.6, ("exec", "crun"): 0.38}
GATE_TRIES = 5
USER = 1000  # who starts rootless containers; he need not exist

DOCKER_CAPABILITIES = ("CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT "
                       "KILL AUDIT_WRITE").split()
DOCKER_DEVICES = [("c", 1, 5), ("c", 1, 3), ("c", 1, 9), ("c", 1, 8), ("c", 5, 0), ("c", 5, 1), ("c", 10, 229)]


def as_docker_hands_it_over(profile):
    """For the default capabilities and this machine, with the architectures that run on it: what a runtime gets to see."""
    caps, machine = {f"CAP_{name}" for name in DOCKER_CAPABILITIES}, {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine)

    def applies(rule):
        includes, excludes = rule.get("includes", {}), rule.get("excludes", {})
        return (set(includes.get("caps", [])) <= caps and (not includes.get("arches") or machine in includes["arches"])
                and not set(excludes.get("caps", [])) & caps and machine not in excludes.get("arches", []))
    architectures = next(([entry["architecture"], *(entry.get("subArchitectures") or [])] for entry in profile.get("archMap", [])
                          if entry["architecture"].endswith(os.uname().machine.upper())), [])
    return {"defaultAction": profile["defaultAction"], "defaultErrnoRet": profile.get("defaultErrnoRet", 1), "architectures": architectures,
            "syscalls": [{key: rule[key] for key in ("names", "action", "errnoRet", "args") if rule.get(key)}
                         for rule in profile["syscalls"] if applies(rule)]}


def docker_seccomp():
    path = measure.SHARED / "oci/seccomp-default-docker.json"
    if path.exists():
        return as_docker_hands_it_over(json.loads(path.read_text())), "Docker's default profile"
    header = subprocess.run([os.environ.get("CC", "cc"), "-dM", "-E", "-include", "sys/syscall.h", "-x", "c", "/dev/null"],
                            capture_output=True, text=True, check=True).stdout
    risky = {"mount", "umount2", "reboot", "swapon", "swapoff", "init_module", "delete_module", "kexec_load", "bpf", "setns"}
    names = sorted(set(re.findall(r"#define __NR_(\w+) ", header)) - risky)
    return {"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
            "syscalls": [{"names": names, "action": "SCMP_ACT_ALLOW"},
                         {"names": ["personality"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 8, "op": "SCMP_CMP_EQ"}]}],
            }, f"a profile of {len(names)} calls, made up"


class Works:
    def __init__(self, bench, runtimes, scale, many=False):
        self.bench, self.runtimes, self.scale, self.many = bench, runtimes, scale, many
        self.folder = bench.folder
        self.alive = []  # (runtime, id)
        self.rootfs = self.folder / "rootfs"
        for name in ("bin", "proc", "dev", "sys"):
            (self.rootfs / name).mkdir(parents=True)
        shutil.copy(self.folder / "noop", self.rootfs / "bin/noop")
        self.spec = self.read_spec()
        self.profile = "-"

    def read_spec(self):
        (self.folder / "spec").mkdir()
        subprocess.run([self.bench.crt, "spec", "--bundle", self.folder / "spec"], check=True, stdin=subprocess.DEVNULL)
        config = json.loads((self.folder / "spec/config.json").read_text())
        config["process"]["terminal"] = False
        config["process"]["args"] = ["/bin/noop"]
        config["root"]["path"] = str(self.rootfs)
        return config

    # Bundles and commands

    def bundle(self, name, change=None):
        config = copy.deepcopy(self.spec)
        if change:
            change(config)
        (self.folder / name).mkdir(exist_ok=True)
        (self.folder / name / "config.json").write_text(json.dumps(config))
        return self.folder / name

    def command(self, runtime, *words):
        return [self.runtimes[runtime], "--root", self.folder / f"state-{runtime}", *words]

    def run_jobs(self, bundle, before=()):
        return {name: [*[("", step(name)) for step in before],
                       ("run", self.command(name, "run", "--bundle", bundle, f"{name}-@"))] for name in self.runtimes}

    def rounds(self, jobs, count, keep=None):
        return self.bench.rounds(jobs, max(10, int(count * self.scale)))

    def with_docker(self, config):
        seccomp, self.profile = docker_seccomp()
        config["linux"]["seccomp"] = seccomp
        caps = [f"CAP_{name}" for name in DOCKER_CAPABILITIES]
        config["process"]["capabilities"] = {"bounding": caps, "effective": caps, "permitted": caps}
        config["linux"]["resources"] = {"devices": [{"allow": False, "access": "rwm"}] + [
            {"allow": True, "type": kind, "major": major, "minor": minor, "access": "rwm"} for kind, major, minor in DOCKER_DEVICES]}

    def filter_file(self):
        files = sorted((self.folder / "state-crt/.seccomp").glob("*.bpf"), key=lambda path: path.stat().st_size)
        return files[-1] if files else "-"

    def floor_run(self, filter_file="-"):
        return {"floor": [("run", [self.folder / "floor", "run", self.rootfs, "/sys/fs/cgroup", "floor-@", filter_file, "/bin/noop"])]}

    def start_waiting(self, runtime, bundle, number=0):
        name = f"{runtime}-alive-{os.getpid()}-{number}"
        self.bench.quietly(*self.command(runtime, "run", "--detach", "--bundle", bundle, name))
        self.alive.append((runtime, name))
        return name

    def end_all(self):
        script = 'for name; do "$RUNTIME" --root "$STATE" delete --force "$name"; done'
        for runtime in {runtime for runtime, _ in self.alive}:
            self.bench.quietly("env", f"RUNTIME={self.runtimes[runtime]}", f"STATE={self.folder}/state-{runtime}", "sh", "-c", script, "sh",
                               *(name for other, name in self.alive if other == runtime), check=False)
        self.alive = []

    def waiting(self, config):
        config["process"]["args"] = ["/bin/noop", "wait"]

    # The works. Each returns {label: {runtime: figures}} or a table of its own

    def check_floor(self):
        """The floor's container has the mounts of crt's, or the floor would be too low (or too high)."""
        def listing(text):
            fields = [line.split(" - ") for line in text.splitlines()]
            return sorted((left.split()[3], left.split()[4], left.split()[5], right.split()[0]) for left, right in fields)
        bundle = self.bundle("mounts", lambda config: config["process"].update(args=["/bin/noop", "mounts"]))
        own = listing(self.bench.run(*self.command("crt", "run", "--bundle", bundle, "crt-mounts")).stdout)
        floor = listing(self.bench.run(self.folder / "floor", "run", self.rootfs, "/sys/fs/cgroup", "floor-mounts", "-", "/bin/noop",
                                       "mounts").stdout)
        if own != floor:
            raise Failed("the floor makes other mounts than crt:\n" + "\n".join(map(str, sorted(set(own) ^ set(floor)))))

    def run(self):
        return self.rounds(self.run_jobs(self.bundle("plain")) | self.floor_run(), 150)

    def docker(self):
        bundle = self.bundle("docker", self.with_docker)
        self.bench.run(*self.command("crt", "run", "--bundle", bundle, "crt-warm"))
        return self.rounds(self.run_jobs(bundle) | self.floor_run(self.filter_file()), 120)

    def cold(self):
        bundle = self.bundle("docker", self.with_docker)
        forget = lambda name: ["rm", "-rf", *[self.folder / f"state-{name}" / part for part in (".seccomp", ".cache")]]
        return self.rounds(self.run_jobs(bundle, [forget]), 40)

    def engine(self):
        bundle = self.bundle("plain")
        jobs = {name: [("create", self.command(name, "create", "--bundle", bundle, f"{name}-@")),
                       ("start", self.command(name, "start", f"{name}-@")),
                       ("delete", self.command(name, "delete", "--force", f"{name}-@"))] for name in self.runtimes}
        return self.rounds(jobs, 60)

    def exec_in(self, change, filter_file="-"):
        bundle = self.bundle("waiting", change)
        jobs, pid, cgroup = {}, None, None
        for name in self.runtimes:
            container = self.start_waiting(name, bundle)
            jobs[name] = [("exec", self.command(name, "exec", container, "/bin/noop"))]
            if name == "crt":
                pid = json.loads(self.bench.run(*self.command(name, "state", container)).stdout)["pid"]
                cgroup = "/sys/fs/cgroup" + self.cgroup_of(pid)
        jobs["floor"] = [("exec", [self.folder / "floor", "exec", pid, cgroup, filter_file, "/bin/noop"])]
        try:
            return self.rounds(jobs, 120)
        finally:
            self.end_all()

    @staticmethod
    def cgroup_of(pid):
        return next(line[3:] for line in pathlib.Path(f"/proc/{pid}/cgroup").read_text().splitlines() if line.startswith("0::"))

    def exec(self):
        return self.exec_in(self.waiting)

    def execd(self):
        def change(config):
            self.with_docker(config)
            self.waiting(config)
        self.bench.run(*self.command("crt", "run", "--bundle", self.bundle("docker", self.with_docker), "crt-warm"))
        return {"exec": self.exec_in(change, self.filter_file())["exec"]}

    def query(self):
        bundle = self.bundle("waiting", self.waiting)
        jobs = {name: [("state", self.command(name, "state", self.start_waiting(name, bundle))),
                       ("list", self.command(name, "list"))] for name in self.runtimes}
        try:
            return self.rounds(jobs, 150)
        finally:
            self.end_all()

    def rate(self):
        bundle, found = self.bundle("plain"), {}
        for parallel in (1, 2, 8, 32):
            found[parallel] = self.bench.rates(self.run_jobs(bundle) | self.floor_run(), .4 * max(self.scale, .4), parallel)
        return found

    def start_many(self, runtime, bundle, first, last):
        """Containers that stay, in one go: what each attempt of the bench costs must not be paid a thousand times."""
        names = [f"{runtime}-alive-{os.getpid()}-{number}" for number in range(first, last)]
        script = 'for name; do "$RUNTIME" --root "$STATE" run --detach --bundle "$BUNDLE" "$name" || exit; done'
        self.alive += [(runtime, name) for name in names]
        self.bench.quietly("env", f"RUNTIME={self.runtimes[runtime]}", f"STATE={self.folder}/state-{runtime}", f"BUNDLE={bundle}",
                           "sh", "-c", script, "sh", *names)

    def growth(self):
        """Start and list with more and more containers alive, and the floor's start beside them; what each takes on disk and in memory."""
        counts = [1, 10, 100] + ([1000] if self.scale >= 1 else []) + ([2000] if self.many else [])
        bundle, plain = self.bundle("waiting", self.waiting), self.bundle("plain")
        found = {}
        for name in [name for name in self.runtimes if name != "runc"]:
            free = self.free_memory()
            for count in counts:
                self.start_many(name, bundle, len(self.alive), count)
                jobs = {name: [("run", self.command(name, "run", "--bundle", plain, f"{name}-@")), ("list", self.command(name, "list"))],
                        **self.floor_run()}
                figures = self.bench.rounds(jobs, 30)
                found.setdefault(name, {})[count] = {
                    **{label: by[name]["wall"]["median"] for label, by in figures.items()},
                    "run_cpu": figures["run"][name]["cpu"]["median"], "floor": figures["run"]["floor"]["wall"]["median"],
                    "floor_cpu": figures["run"]["floor"]["cpu"]["median"]}
            state = self.folder / f"state-{name}"
            disk = sum(path.lstat().st_blocks for path in state.rglob("*")) * 512 // 1024
            found[name]["kib_each"] = {"state": disk / counts[-1], "memory": (free - self.free_memory()) / counts[-1]}
            self.end_all()
            time.sleep(1)
        return found

    @staticmethod
    def free_memory():
        return int(next(line.split()[1] for line in open("/proc/meminfo") if line.startswith("MemFree")))

    def large(self):
        def mounts(config):
            config["mounts"] += [{"destination": f"/dev/m{n}", "type": "tmpfs", "source": "tmpfs", "options": ["size=4k"]}
                                 for n in range(200)]

        def variables(config):
            config["process"]["env"] += [f"VARIABLE_{n}=the value of number {n}" for n in range(1000)]

        def rules(config):
            names = docker_seccomp()[0]["syscalls"][0]["names"]
            config["linux"]["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
                {"names": [names[n % len(names)]], "action": "SCMP_ACT_ERRNO", "errnoRet": 1,
                 "args": [{"index": n % 5, "value": 0xdead0000 + n, "op": "SCMP_CMP_EQ"}]} for n in range(500)]}
        return {label: self.rounds(self.run_jobs(self.bundle(label, change)), 20)["run"]
                for label, change in (("200 mounts", mounts), ("1,000 variables", variables), ("500 seccomp rules", rules))}

    def calls(self):
        if not shutil.which("strace"):
            return {}
        bundle, waiting = self.bundle("plain"), self.bundle("waiting", self.waiting)
        found = {"run": {}, "exec": {}, "state": {}}
        for name in self.runtimes:
            container = self.start_waiting(name, waiting)
            found["run"][name] = measure.trace_calls(self.bench, self.command(name, "run", "--bundle", bundle, f"{name}-traced"))
            found["exec"][name] = measure.trace_calls(self.bench, self.command(name, "exec", container, "/bin/noop"))
            found["state"][name] = measure.trace_calls(self.bench, self.command(name, "state", container))
        self.end_all()
        return found

    def memory(self):
        """The smallest memory.max with which the container runs."""
        controllers = self.bench.run("cat", "/sys/fs/cgroup/cgroup.controllers").stdout.split()
        if "memory" not in controllers:
            return {"why not": "the memory controller is not on cgroup v2 here (the virtual machine of tests/vm has it)"}
        found = {}
        for name in self.runtimes:
            low, high = 0, 65536
            while high - low > 16:
                middle = (low + high) // 2
                bundle = self.bundle("little", lambda config: config["linux"]["resources"].update(memory={"limit": middle * 1024}))
                good = self.bench.run(*self.command(name, "run", "--bundle", bundle, f"{name}-little"), check=False).returncode == 0
                low, high = (low, middle) if good else (middle, high)
            found[name] = high
        return found

    def user(self):
        """With a user namespace: made by root, with its ids mapped; and by an ordinary user, with nothing but his own."""
        def mapped(config):
            config["linux"]["namespaces"].append({"type": "user"})
            for key in ("uidMappings", "gidMappings"):
                config["linux"][key] = [{"containerID": 0, "hostID": 100000, "size": 65536}]

        def rootless(config):
            config["linux"]["namespaces"].append({"type": "user"})
            config["linux"].pop("resources", None)
            for key in ("uidMappings", "gidMappings"):
                config["linux"][key] = [{"containerID": 0, "hostID": USER, "size": 1}]
            for mount in config["mounts"]:
                mount["options"] = [option for option in mount.get("options", []) if not option.startswith("gid=")]
        bundle = self.bundle("rootless", rootless)
        jobs = {}
        for name, path in self.runtimes.items():
            state = self.folder / f"user-{name}"
            state.mkdir(exist_ok=True)
            os.chown(state, USER, USER)
            jobs[name] = [("run", [f"as:{USER}", path, "--root", state, "run", "--bundle", bundle, f"{name}-@"])]
        return {"user namespace": self.rounds(self.run_jobs(self.bundle("mapped", mapped)), 40)["run"],
                "rootless": self.rounds(jobs, 40)["run"]}


ALL = "run docker cold engine exec execd query rate growth large calls memory user".split()


def runtimes_of(bench, names):
    found = {"crt": bench.crt}
    for name in names or ["crun", "runc"]:
        path = name if "/" in name else bench.run("sh", "-c", f"command -v {name}", check=False).stdout.strip()
        short = pathlib.Path(name).name
        if not path or bench.run(path, "--version", check=False).returncode:
            print(f"bench: {name} is left out: it is not there, or does not start "
                  f"({'run tests/bench/peers --force' if bench.has_peers else 'run tests/bench/peers, which makes a tree with it'})",
                  file=sys.stderr)
        else:
            found[short if short not in found else f"{short}-2"] = pathlib.Path(path)
    return found


def versions(bench, runtimes):
    return {name: bench.run(path, "--version").stdout.splitlines()[0].removeprefix(f"{name} version ") for name, path in runtimes.items()}


def gate(works):
    """Several tries: a machine that is busy now and then makes one ratio worse, never the best of them better."""
    best = {}
    for _ in range(GATE_TRIES):
        figures = {work: next(iter(getattr(works, work)().values())) for work in ("run", "docker", "exec")}
        for (work, other), limit in GATE.items():
            if other in figures[work]:
                ratio = min(figures[work]["crt"]["pairs"][other],
                            figures[work]["crt"]["wall"]["median"] / figures[work][other]["wall"]["median"],
                            figures[work]["crt"]["wall"]["p10"] / figures[work][other]["wall"]["p10"])
                best[work, other] = min(best.get((work, other), 99), ratio)
        if all(best[key] <= GATE[key] for key in best):
            break
    failed = 0
    for key, ratio in best.items():
        failed += ratio > GATE[key]
        print(f"{key[0]:8} crt / {key[1]:6} {ratio:5.2f}   at most {GATE[key]:.2f}   {'ok' if ratio <= GATE[key] else 'FAILED'}")
    skipped = len(GATE) - len(best)
    if skipped:
        print(f"skipped {skipped}: crun is not here (tests/bench/peers makes a tree with it); the floor alone was compared with")
    print(f"{len(best) - failed} passed, {failed} failed, {skipped} skipped")
    return failed > 0


def measure_all(works, names):
    figures = {}
    for name in names:
        begin = time.monotonic()
        print(f"    {name} ...", file=sys.stderr, end="", flush=True)
        figures[name] = getattr(works, name)()
        print(f" {time.monotonic() - begin:.0f} s", file=sys.stderr)
    return figures


def main(argv, text):
    parser = argparse.ArgumentParser(usage="contrib/bench [OPTIONS] [RUNTIME...]", description=text,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    for option in ("--quick", "--full", "--gate"):
        parser.add_argument(option, action="store_true", help=argparse.SUPPRESS)
    for option in ("--only", "--json", "--report", "--state"):
        parser.add_argument(option, help=argparse.SUPPRESS)
    parser.add_argument("runtimes", nargs="*", help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    chosen = options.only.split(",") if options.only else ALL
    if set(chosen) - set(ALL):
        parser.error(f"--only takes {', '.join(ALL)}")
    if os.geteuid() != 0:
        sys.exit("contrib/bench needs root: sudo contrib/bench")
    if not (measure.BUILD / "crt").exists():
        sys.exit(f"{measure.BUILD / 'crt'} does not exist: run make first, or set CRT_BUILD")
    where = measure.machine()
    bench = measure.Bench(options.state or "/dev/shm")
    works = None
    try:
        works = Works(bench, runtimes_of(bench, ["crun"] if options.gate else options.runtimes),
                      .3 if options.quick or options.gate else 1, options.full)
        works.check_floor()
        if options.gate:
            return gate(works)
        figures = {"machine": where, "versions": versions(bench, works.runtimes), "works": measure_all(works, chosen)}
        figures["machine"]["load_after"] = os.getloadavg()[0]
        figures["profile"] = works.profile
        measure.save(options.json or measure.BUILD / "bench.json", figures)
        print(report.table(figures))
        if options.report:
            report.write(pathlib.Path(options.report), figures)
    except (Failed, subprocess.CalledProcessError) as error:
        sys.exit(f"bench: {error}")
    finally:
        if works:
            works.end_all()
        bench.close()
    return 0

"""Podman, as root and from a user's session: run, look, limit, exec, attach, pause, update, pods, units, stop, remove."""
import json
import time

import pytest

from conftest import CONTROL, IMAGE, ok, on_terminal
from dialog import dialog

LIMITS = ["--memory", "64m", "--pids-limit", "32", "--cpus", "0.5", "--cpuset-cpus", "1"]
SHOW_LIMITS = "cd /sys/fs/cgroup; echo $(cat memory.max pids.max cpu.max cpuset.cpus.effective)"
SHOWN_LIMITS = "67108864 32 50000 100000 1"


class Podman:
    def __init__(self, rt, user):
        self.rt, self.user = rt, user

    def __call__(self, *args, manager="cgroupfs", timeout=120):
        command = ["podman", "--runtime", self.rt.path, "--cgroup-manager", manager, *args]
        return self.rt.vm.run(command, user=self.user, timeout=timeout)

    def run(self, *args, network="none", **options):
        """podman run --rm [OPTION...] -- COMMAND...: everything before "--" is an option."""
        cut = args.index("--")
        # How to ask for no limit where there is no controller: crun asks for one for -1, too
        extra = ["--pids-limit", "0" if self.rt.name == CONTROL else "-1"] if self.user == "bare" else []
        return self("run", "--rm", "--network", network, *extra, *args[:cut], IMAGE, *args[cut + 1:], **options)

    def sh(self, script, *args, **options):
        return self.run(*args, "--", "sh", "-c", script, **options)

    def inspect(self, name, template):
        return ok(self("inspect", "--format", template, name)).strip()


as_root = pytest.mark.parametrize("podman", [None], ids=["root"], indirect=True)


@pytest.fixture(params=[None, "full"], ids=["root", "user"])
def podman(request, rt):
    engine = Podman(rt, request.param)
    yield engine
    if rt.vm.run(["podman", "ps", "-aq"], user=engine.user).out.strip():
        engine("rm", "--all", "--force", "--time", "0")


@pytest.fixture
def detached(podman):
    """A container in the background; its name."""
    def start(script, *args):
        ok(podman("run", "--detach", "--name", "case", "--network", "none", *args, IMAGE, "sh", "-c", script))
        assert podman.inspect("case", "{{.State.Status}}") == "running"
        return "case"
    return start


def wait_for_log(podman, name, word):
    for _ in range(20):
        if word in (out := ok(podman("logs", name))):
            return out
        time.sleep(0.5)
    raise AssertionError(f"{word!r} never came: {out!r}")


# ---- In the foreground ----


def test_run_and_exit_code(podman):
    result = podman.sh("echo out; echo err >&2; exit 7")
    assert (result.code, result.out, result.err) == (7, "out\n", "err\n")


def test_process_settings(podman):
    out = ok(podman.sh("id -u; id -g; pwd; echo $COLOUR; hostname; umask; ulimit -n; cat /proc/self/oom_score_adj", "--user", "1000:1000",
                       "--workdir", "/tmp", "--env", "COLOUR=red", "--hostname", "boat", "--umask", "0027", "--ulimit", "nofile=99:99",
                       "--oom-score-adj", "500"))
    assert out.split() == ["1000", "1000", "/tmp", "red", "boat", "0027", "99", "500"]


def test_missing_command_is_127(podman):
    result = podman.run("--", "/no/such/command")
    assert result.code == 127 and "/no/such/command" in result.err, result


def test_not_executable_is_126(podman):
    result = podman.run("--", "/etc/passwd")
    assert result.code == 126, result


def test_privileges(podman):
    script = "grep -E '^(CapEff|Seccomp|NoNewPrivs):' /proc/self/status; grep -c . /proc/self/mountinfo; touch /x || echo readonly"
    out = ok(podman.sh(script, "--cap-drop", "all", "--security-opt", "no-new-privileges", "--read-only"))
    words = dict(line.split(":\t") for line in out.splitlines() if ":\t" in line)
    assert (int(words["CapEff"], 16), words["Seccomp"], words["NoNewPrivs"]) == (0, "2", "1")
    assert "readonly" in out


def test_privileged(podman):
    """No seccomp, every capability there is, nothing masked."""
    out = ok(podman.sh("grep -E '^(CapBnd|Seccomp):' /proc/self/status; grep -c ' /proc/kcore ' /proc/self/mountinfo", "--privileged"), code=1)
    words = out.split()
    assert words[1] in ("000001ffffffffff", "000001ffffffffff".lower()) and words[3] == "0" and words[4] == "0", out


def test_masked_paths(podman):
    out = ok(podman.sh("cat /proc/kcore | wc -c; ls -A /sys/firmware | wc -l; (echo x >/proc/sys/kernel/hostname) 2>&1 | grep -c Read-only"))
    assert out.split() == ["0", "0", "1"]


def test_mounts(podman):
    folder = "/tmp/podman-mounts"
    podman.rt.vm.run(f"mkdir -p {folder} && echo data >{folder}/file && chmod -R 777 {folder}", check=True)
    out = ok(podman.sh("cat /data/file; touch /data/new 2>&1 | grep -c Read-only; stat -f -c %T /scratch; grep -c ' /scratch .*nodev' /proc/self/mountinfo",
                       "--volume", f"{folder}:/data:ro", "--tmpfs", "/scratch:size=1m,nodev"))
    assert out.split() == ["data", "1", "tmpfs", "1"]


def test_device(podman):
    out = podman.sh("ls -l /dev/fuse; head -c 1 /dev/fuse", "--device", "/dev/fuse")
    assert "10, 229" in out.out and "not permitted" not in out.err, out


def test_init_reaps(podman):
    assert "catatonit" in ok(podman.sh("cat /proc/1/comm", "--init")) or "init" in ok(podman.sh("cat /proc/1/comm", "--init"))


def test_user_namespace(podman):
    args = ["--uidmap", "0:100000:1000"] if podman.user is None else ["--uidmap", "0:1:1000"]
    inside = ok(podman.sh("cat /proc/self/uid_map; id -u", *args)).split()
    assert inside[0] == "0" and inside[1] != "0" and inside[2:] == ["1000", "0"]


def test_ids_of_a_volume(podman):
    """Whose files they are, inside and outside: root maps the mount's ids, a user keeps his own."""
    where = f"/tmp/volume-{podman.user or 'root'}"
    podman.rt.vm.run(f"rm -rf {where}; mkdir {where} && echo data >{where}/file && chown -R {podman.user or 'root'}: {where}", check=True)
    options = ["--userns", "keep-id", "--volume", f"{where}:/data"] if podman.user else ["--uidmap", "0:100000:1000", "--volume", f"{where}:/data:idmap"]
    out = ok(podman.sh("id -u; stat -c %u /data/file; touch /data/new; sed 1q /proc/self/uid_map", *options)).split()
    uid = "1000" if podman.user else "0"
    assert out[:2] == [uid, uid] and out[2:4] != ["0", "0"], out
    assert ok(podman.rt.vm.run(f"stat -c %u {where}/new")).strip() == uid


def test_hooks(podman):
    """Each gets the container's state, in that order; the last one when it is gone."""
    where = f"/tmp/hooks-{podman.user or 'root'}"
    podman.rt.vm.run(f"rm -rf {where}; mkdir -m 777 {where}", check=True)
    podman.rt.vm.write(f"{where}/hook", f"#!/bin/sh\ncat >>{where}/said; echo >>{where}/said\n", mode="755")
    podman.rt.vm.write(f"{where}/hook.json", json.dumps({
        "version": "1.0.0", "hook": {"path": f"{where}/hook"}, "when": {"always": True}, "stages": ["prestart", "createContainer", "poststop"]}))
    ok(podman("--hooks-dir", where, "run", "--rm", "--network", "none", IMAGE, "true"))
    states = [json.loads(line) for line in podman.rt.vm.read(f"{where}/said").splitlines()]
    first, second, last = (state["status"] for state in states)
    assert {first, second} <= {"creating", "created"} and last == "stopped", states
    assert len({state["id"] for state in states}) == 1 and "/overlay-containers/" in states[0]["bundle"]


# ---- Limits ----


def test_limits(podman, manager):
    assert ok(podman.sh(SHOW_LIMITS, *LIMITS, manager=manager)).strip() == SHOWN_LIMITS


def test_out_of_memory(podman):
    ok(podman("run", "--name", "case", "--network", "none", "--memory", "32m", "--memory-swap", "32m", IMAGE,
              "sh", "-c", "exec dd if=/dev/zero of=/dev/null bs=100M count=1"), code=137)
    assert podman.inspect("case", "{{.State.OOMKilled}} {{.State.ExitCode}}") == "true 137"


def test_fork_bomb(podman):
    result = podman.sh("for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 2 & done; wait", "--pids-limit", "6")
    assert "can't fork" in result.out + result.err, result


# ---- In the background ----


def test_stop_with_sigterm(podman, detached):
    name = detached("trap 'echo asked; exit 3' TERM; echo ready; while :; do sleep 0.1; done")
    wait_for_log(podman, name, "ready")
    ok(podman("stop", "--time", "30", name))
    assert "asked" in ok(podman("logs", name))
    assert podman.inspect(name, "{{.State.Status}} {{.State.ExitCode}} {{.State.Pid}}") == "exited 3 0"
    ok(podman("rm", name))


def test_stop_with_sigkill(podman, detached):
    name = detached("trap '' TERM; echo ready; while :; do sleep 1; done")
    wait_for_log(podman, name, "ready")
    ok(podman("stop", "--time", "1", name))
    assert podman.inspect(name, "{{.State.ExitCode}}") == "137"


def test_kill_signal(podman, detached):
    name = detached("trap 'echo got usr1' USR1; echo ready; while :; do sleep 0.1; done")
    wait_for_log(podman, name, "ready")
    ok(podman("kill", "--signal", "USR1", name))
    assert "got usr1" in wait_for_log(podman, name, "got usr1")
    ok(podman("rm", "--force", "--time", "0", name))


def test_create_start_wait(podman):
    ok(podman("create", "--name", "case", "--network", "none", IMAGE, "sh", "-c", "echo started; exit 5"))
    assert podman.inspect("case", "{{.State.Status}}") == "created"
    assert "started" in ok(podman("start", "--attach", "case"), code=5)
    assert ok(podman("wait", "case")).strip() == "5"
    ok(podman("rm", "case"))


def test_restart(podman, detached):
    name = detached("echo up; exec sleep 1000")
    first = podman.inspect(name, "{{.State.Pid}}")
    ok(podman("restart", "--time", "0", name))
    assert podman.inspect(name, "{{.State.Status}}") == "running" and podman.inspect(name, "{{.State.Pid}}") != first
    ok(podman("rm", "--force", "--time", "0", name))


def test_remove_leaves_nothing(podman, detached):
    """No process, no cgroup, no state of the runtime."""
    name = detached("sleep 1000 & exec sleep 1000", "--memory", "64m")
    identity = podman.inspect(name, "{{.Id}}")
    assert identity in ok(podman.rt.vm.run("find /sys/fs/cgroup -type d"))
    ok(podman("rm", "--force", "--time", "0", name))
    assert identity not in podman.rt.vm.run("find /sys/fs/cgroup /run -type d -not -path '*/proc/*'").out
    assert podman.rt.vm.run(["pgrep", "-x", "sleep"]).code == 1
    assert json.loads(ok(podman("ps", "--all", "--format", "json"))) == []


def test_two_share_a_network(podman, detached):
    """The second joins a namespace by path."""
    detached("ip link add name joined type dummy; exec sleep 1000", "--cap-add", "NET_ADMIN")
    assert "joined" in ok(podman.sh("ip link", network="container:case"))


def test_bridge(podman):
    if podman.user:
        assert "192.0.2.15" in ok(podman.sh("ip addr", network="pasta"))
    else:
        assert "10.88.0." in ok(podman.sh("ip addr", network="podman"))


# ---- While it runs ----


def test_exec(podman, detached):
    name = detached("exec sleep 1000")
    result = podman("exec", "--user", "1000:1000", "--workdir", "/tmp", "--env", "COLOUR=red", name,
                    "sh", "-c", "id -u; pwd; echo $COLOUR; cat /proc/1/cmdline | tr '\\0' ' '; echo err >&2; exit 7")
    assert (result.code, result.out.split(), result.err) == (7, ["1000", "/tmp", "red", "sleep", "1000"], "err\n")


def test_exec_of_nothing_is_127(podman, detached):
    name = detached("exec sleep 1000")
    result = podman("exec", name, "/no/such/command")
    assert result.code == 127 and "/no/such/command" in result.err, result


def test_exec_on_a_terminal(podman, detached):
    name = detached("exec sleep 1000")
    command = ["podman", "--runtime", podman.rt.path, "exec", "--interactive", "--tty", name, "sh", "-c", "tty; stty size; exit 7"]
    result = podman.rt.vm.run(on_terminal(command), user=podman.user)
    assert result.out.split() == ["/dev/pts/0", "33", "99"] and result.code == 7, result


def test_run_on_a_terminal(podman):
    command = ["podman", "--runtime", podman.rt.path, "--cgroup-manager", "cgroupfs", "run", "--rm", "-it", "--network", "none", IMAGE,
               "sh", "-c", "tty; stty size; exit 7"]
    result = podman.rt.vm.run(on_terminal(command), user=podman.user)
    assert result.out.split() == ["/dev/pts/0", "33", "99"] and result.code == 7, result


# Answers each line; a terminal's new size, too
ANSWERS = "while read -r line; do case $line in end) exit 7 ;; size) stty size ;; *) echo got $line ;; esac; done"


def test_attach(podman, detached):
    """Type, leave it with the keys for that, come back, type more."""
    name = detached(ANSWERS, "--interactive", "--tty")
    attach = ["podman", "--runtime", podman.rt.path, "attach", name]
    left = dialog(podman.rt.vm, attach, ("", "boat\r"), ("got boat", "size\r"), ("33 99", "\x10"), ("", "\x11"), user=podman.user)
    assert left.code == 0 and podman.inspect(name, "{{.State.Status}}") == "running", left
    ended = dialog(podman.rt.vm, attach, ("", "again\r"), ("got again", "end\r"), user=podman.user)
    assert "got again" in ended.out, ended
    assert ok(podman("wait", name)).strip() == "7"


@as_root
def test_top_and_cp(podman, detached):
    """Who is in it, and files into it and out of it while it runs."""
    name, folder = detached("sleep 2000 & exec sleep 1000"), f"/tmp/cargo-{podman.user or 'root'}"
    lines = ok(podman("top", name, "pid", "user", "args")).splitlines()[1:]
    assert [line.split() for line in sorted(lines)] == [["1", "root", "sleep", "1000"], ["2", "root", "sleep", "2000"]]
    podman.rt.vm.run(f"mkdir -p {folder}; echo data >{folder}/in; chown -R {podman.user or 'root'}: {folder}", check=True)
    ok(podman("cp", f"{folder}/in", f"{name}:/mnt/cargo"))
    ok(podman("exec", name, "sh", "-c", "echo more >>/mnt/cargo"))
    ok(podman("cp", f"{name}:/mnt/cargo", f"{folder}/out"))
    assert podman.rt.vm.read(f"{folder}/out") == "data\nmore\n"


def test_systemd_manager(podman):
    """A scope for it, in the session if it is a user's: what systemd shows of it, what an exec finds, and what an update changes."""
    vm, systemctl = podman.rt.vm, ["systemctl", *(["--user"] if podman.user else [])]
    ok(podman("run", "--detach", "--name", "case", "--network", "none", "--cgroupns", "host", *LIMITS, IMAGE, "sleep", "1000", manager="systemd"))
    scope = f"libpod-{podman.inspect('case', '{{.Id}}')}.scope"

    def shown_limits():
        return ok(vm.run([*systemctl, "show", scope, "-p", "MemoryMax,TasksMax,CPUQuotaPerSecUSec,AllowedCPUs", "--value"], user=podman.user)).split()
    assert sorted(shown_limits()) == sorted(["67108864", "32", "500ms", "1"])
    inside = ok(podman("exec", "case", "cat", "/proc/self/cgroup", "/proc/1/cgroup", manager="systemd")).split()
    assert inside[0] == inside[1] and f"/{scope}" in inside[0]
    ok(podman("pause", "case", manager="systemd"))
    cgroup = f"/sys/fs/cgroup{inside[1].removeprefix('0::')}"
    assert "frozen 1" in vm.read(f"{cgroup}/cgroup.events")
    ok(podman("unpause", "case", manager="systemd"))
    ok(podman("update", "--memory", "48m", "--cpus", "0.25", "--pids-limit", "16", "--cpuset-cpus", "0", "case", manager="systemd"))
    assert sorted(shown_limits()) == sorted(["50331648", "16", "250ms", "0"])
    assert ok(vm.run(f"cd {cgroup}; cat memory.max pids.max cpu.max cpuset.cpus.effective")).split() == ["50331648", "16", "25000", "100000", "0"]
    ok(podman("rm", "--force", "--time", "0", "case", manager="systemd"))
    assert vm.run(["test", "-e", cgroup]).code == 1


def test_pause(podman, detached):
    name = detached("exec sleep 1000")
    events = ok(podman.rt.vm.run(f"find /sys/fs/cgroup -path '*{podman.inspect(name, '{{.Id}}')}*' -name cgroup.events | sort | tail -n 1")).strip()
    ok(podman("pause", name))
    assert podman.inspect(name, "{{.State.Status}}") == "paused" and "frozen 1" in podman.rt.vm.read(events)
    ok(podman("unpause", name))
    assert podman.inspect(name, "{{.State.Status}}") == "running" and "frozen 0" in podman.rt.vm.read(events)


def test_update(podman, detached):
    name = detached("exec sleep 1000", *LIMITS)
    ok(podman("update", "--memory", "48m", "--cpus", "0.25", "--pids-limit", "16", "--cpuset-cpus", "0", name))
    assert ok(podman("exec", name, "sh", "-c", SHOW_LIMITS)).strip() == "50331648 16 25000 100000 0"


def test_stats(podman, detached):
    name = detached("exec sleep 1000", "--memory", "64m")
    stats = json.loads(ok(podman("stats", "--no-stream", "--format", "json", name)))[0]
    assert stats["pids"] == "1" and stats["mem_usage"].endswith("/ 67.11MB"), stats


def test_healthcheck(podman, detached):
    name = detached("exec sleep 1000", "--health-cmd", "test -e /tmp/well", "--health-interval", "disable")
    assert podman("healthcheck", "run", name).code == 1
    ok(podman("exec", name, "touch", "/tmp/well"))
    ok(podman("healthcheck", "run", name))


def test_user_namespace_auto(podman):
    """A range of ids that no other container has, of those of the user "containers"."""
    if podman.user:
        assert ok(podman.sh("cat /proc/self/uid_map", "--userns", "auto:size=500")).split()[0::2] == ["0", "500"]
        return
    podman.rt.vm.run("id -u containers 2>/dev/null || useradd --system --no-create-home containers; "
                     "grep -q containers: /etc/subuid || for f in /etc/subuid /etc/subgid; do echo containers:2000000:1000000 >>$f; done", check=True)
    first, size = ok(podman.sh("cat /proc/self/uid_map", "--userns", "auto:size=500")).split()[1:]
    assert 2000000 <= int(first) < 3000000 and size == "500"


def test_pod(podman):
    """Two containers and the one that holds their namespaces."""
    ok(podman("pod", "create", "--name", "pod", "--network", "none", "--share", "net,ipc,uts"))
    try:
        ok(podman("run", "--detach", "--pod", "pod", "--name", "case", IMAGE, "sleep", "1000"))
        mine = ok(podman("run", "--rm", "--pod", "pod", IMAGE, "sh", "-c", "readlink /proc/self/ns/net; readlink /proc/self/ns/ipc"))
        assert mine == ok(podman("exec", "case", "sh", "-c", "readlink /proc/self/ns/net; readlink /proc/self/ns/ipc"))
        assert podman("pod", "inspect", "--format", "{{.NumContainers}} {{.State}}", "pod").out.split() == ["2", "Running"]
    finally:
        podman("pod", "rm", "--force", "--time", "0", "pod")


KUBE = f"""
apiVersion: v1
kind: ConfigMap
metadata: {{name: colours}}
data: {{colour: red}}
---
apiVersion: v1
kind: Pod
metadata: {{name: kube}}
spec:
  restartPolicy: Never
  volumes:
  - {{name: host, hostPath: {{path: /var/lib/vm, type: Directory}}}}
  - {{name: shared, emptyDir: {{}}}}
  - {{name: colours, configMap: {{name: colours}}}}
  initContainers:
  - name: zero
    image: {IMAGE}
    imagePullPolicy: Never
    command: [sh, -c, "echo made >/shared/made; chmod 666 /shared/made"]
    volumeMounts: [{{name: shared, mountPath: /shared}}]
  containers:
  - name: one
    image: {IMAGE}
    imagePullPolicy: Never
    command: [sh, -c, "cat /sys/fs/cgroup/memory.max /shared/made /colours/colour; echo; test -e /host/image.tar; echo $? $COLOUR; id -u; exec sleep 1000"]
    env: [{{name: COLOUR, valueFrom: {{configMapKeyRef: {{name: colours, key: colour}}}}}}]
    securityContext: {{runAsUser: 1000, readOnlyRootFilesystem: true}}
    resources: {{limits: {{memory: 64Mi}}}}
    volumeMounts: [{{name: host, mountPath: /host, readOnly: true}}, {{name: shared, mountPath: /shared}}, {{name: colours, mountPath: /colours}}]
"""


def test_kube_play(podman):
    """An init container, volumes of three kinds, limits."""
    file = f"/tmp/kube-{podman.user or 'root'}.yaml"
    podman.rt.vm.write(file, KUBE)
    try:
        ok(podman("kube", "play", "--network", "none", file))
        assert wait_for_log(podman, "kube-one", "1000").split() == [str(64 << 20), "made", "red", "0", "red", "1000"]
    finally:
        ok(podman("kube", "down", "--force", file))


# ---- As a unit ----

QUADLET = f"""
[Container]
Image={IMAGE}
ContainerName=case
GlobalArgs=--runtime RUNTIME
Network=none
Notify=true
Volume=PROBE:/probe:ro
Volume=GATE:/gate
PodmanArgs=--memory 64m
Exec=sh -c 'until test -e /gate/open; do sleep 0.1; done; /probe notify "READY=1\\nSTATUS=sailing"; trap "exit 0" TERM; while :; do sleep 0.1; done'
[Service]
Delegate=yes
MemoryMax=200M
"""


@pytest.fixture
def quadlet(podman, probe):
    """A unit that Podman's generator makes of a file; how to ask its service manager."""
    vm, name = podman.rt.vm, f"boat-{podman.user or 'root'}"
    folder, gate = ("/home/full/.config/containers/systemd" if podman.user else "/etc/containers/systemd"), f"/tmp/gate-{name}"

    def systemctl(*words):
        return vm.run(["systemctl", *(["--user"] if podman.user else []), *words], user=podman.user, timeout=180)
    text = QUADLET.replace("RUNTIME", podman.rt.path).replace("PROBE", probe).replace("GATE", gate)
    vm.run(f"rm -rf {gate}; mkdir -m 777 {gate}; mkdir -p {folder}", check=True)
    vm.write(f"{folder}/{name}.container", text)
    systemctl("daemon-reload")
    yield f"{name}.service", gate, systemctl
    systemctl("stop", f"{name}.service")
    vm.run(["rm", f"{folder}/{name}.container"])
    systemctl("daemon-reload")


def test_quadlet(podman, quadlet):
    """Type=notify, and the container says when it is ready; its cgroup is split off the unit's; stop asks it to end."""
    unit, gate, systemctl = quadlet

    def properties(*names):
        return dict(line.split("=", 1) for line in ok(systemctl("show", unit, "-p", ",".join(names))).splitlines())
    ok(systemctl("start", "--no-block", unit))
    for _ in range(120):
        if podman("inspect", "--format", "{{.State.Status}}", "case").out.strip() == "running":
            break
        time.sleep(0.5)
    assert properties("Type", "ActiveState") == {"Type": "notify", "ActiveState": "activating"}
    podman.rt.vm.run(["touch", f"{gate}/open"], check=True)
    ok(systemctl("start", unit))
    shown_now = properties("ActiveState", "StatusText", "ControlGroup")
    assert (shown_now["ActiveState"], shown_now["StatusText"]) == ("active", "sailing")
    pid = podman.inspect("case", "{{.State.Pid}}")
    cgroup = podman.rt.vm.read(f"/proc/{pid}/cgroup").strip().removeprefix("0::")
    assert cgroup.startswith(shown_now["ControlGroup"] + "/") and podman.rt.vm.read(f"/sys/fs/cgroup{cgroup}/memory.max").strip() == str(64 << 20)
    ok(systemctl("stop", unit))
    assert properties("ActiveState", "Result") == {"ActiveState": "inactive", "Result": "success"}
    assert podman("container", "exists", "case").code == 1


# ---- A session without controllers ----


@pytest.fixture
def bare(rt):
    return Podman(rt, "bare")


def test_bare_session_runs(bare):
    assert ok(bare.sh("echo hi; cat /proc/self/uid_map")).split()[:2] == ["hi", "0"]


def test_bare_session_says_what_is_missing(bare):
    result = bare.sh("echo hi", "--memory", "64m")
    assert result.code not in (0, 1) and "hi" not in result.out and "memory" in result.err, result

"""Docker with the runtime registered in its configuration: run, limit, exec, attach, pause, update, restart, stop, remove, build."""
import json
import re
import time

import pytest

from conftest import IMAGE, ok, on_terminal
from dialog import dialog

LIMITS = ["--memory", "64m", "--pids-limit", "32", "--cpus", "0.5", "--cpuset-cpus", "1"]
SHOW_LIMITS = "cd /sys/fs/cgroup; echo $(cat memory.max pids.max cpu.max cpuset.cpus.effective)"
SHOWN_LIMITS = "67108864 32 50000 100000 1"


class Docker:
    def __init__(self, rt, *host):
        self.rt = rt
        self.command = ["docker", *host]

    def __call__(self, *args, timeout=120):
        return self.rt.vm.run([*self.command, *args], timeout=timeout)

    def sh(self, script, *options, network="none"):
        return self("run", "--rm", "--runtime", self.rt.name, "--network", network, *options, IMAGE, "sh", "-c", script)

    def detach(self, script, *options):
        ok(self("run", "--detach", "--name", "case", "--runtime", self.rt.name, "--network", "none", *options, IMAGE, "sh", "-c", script))
        assert self.inspect("{{.State.Status}}") == "running"

    def inspect(self, template):
        return ok(self("inspect", "--format", template, "case")).strip()

    def wait_for(self, template, value):
        for _ in range(60):
            if (now := self.inspect(template)) == value:
                return
            time.sleep(0.5)
        raise AssertionError(f"{template} is {now}, not {value}")

    def wait_for_log(self, word):
        for _ in range(20):
            if word in (out := ok(self("logs", "case"))):
                return out
            time.sleep(0.5)
        raise AssertionError(f"{word!r} never came: {out!r}")


    def clean(self):
        if left := self("ps", "--all", "--quiet").out.split():
            self("rm", "--force", "--volumes", *left)


@pytest.fixture
def docker(rt):
    engine = Docker(rt)
    yield engine
    engine.clean()


def test_run_and_exit_code(docker):
    result = docker.sh("echo out; echo err >&2; exit 7")
    assert (result.code, result.out, result.err) == (7, "out\n", "err\n")


def test_process_settings(docker):
    out = ok(docker.sh("id -u; id -g; pwd; echo $COLOUR; hostname; ulimit -n; cat /proc/self/oom_score_adj", "--user", "1000:1000",
                       "--workdir", "/tmp", "--env", "COLOUR=red", "--hostname", "boat", "--ulimit", "nofile=99:99", "--oom-score-adj", "500"))
    assert out.split() == ["1000", "1000", "/tmp", "red", "boat", "99", "500"]


def test_missing_command(docker):
    """127 when dockerd knows the words of the error (runc's, "no such file or directory"), 125 when it does not."""
    result = docker("run", "--rm", "--runtime", docker.rt.name, "--network", "none", IMAGE, "/no/such/command")
    assert result.code in (125, 127) and "/no/such/command" in result.err, result


def test_privileges(docker):
    out = ok(docker.sh("grep -E '^(CapEff|Seccomp|NoNewPrivs):' /proc/self/status; touch /x || echo readonly", "--cap-drop", "all",
                       "--security-opt", "no-new-privileges", "--read-only"))
    words = dict(line.split(":\t") for line in out.splitlines() if ":\t" in line)
    assert (int(words["CapEff"], 16), words["Seccomp"], words["NoNewPrivs"]) == (0, "2", "1")
    assert "readonly" in out


def test_privileged(docker):
    words = ok(docker.sh("grep -E '^(CapBnd|Seccomp):' /proc/self/status; mount -t tmpfs x /mnt && echo mounted", "--privileged")).split()
    assert words[1] == "000001ffffffffff" and words[3:] == ["0", "mounted"]


def test_masked_paths(docker):
    out = ok(docker.sh("cat /proc/kcore | wc -c; ls -A /sys/firmware | wc -l; (echo x >/proc/sys/kernel/hostname) 2>&1 | grep -c Read-only"))
    assert out.split() == ["0", "0", "1"]


def test_mounts(docker):
    docker.rt.vm.run("mkdir -p /tmp/docker-mounts && echo data >/tmp/docker-mounts/file", check=True)
    out = ok(docker.sh("cat /data/file; touch /data/new 2>&1 | grep -c Read-only; stat -f -c %T /scratch; stat -c %a /etc/resolv.conf",
                       "--volume", "/tmp/docker-mounts:/data:ro", "--tmpfs", "/scratch:size=1m"))
    assert out.split() == ["data", "1", "tmpfs", "644"]


PROFILE = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 77}]}
# Options, a script, and what it prints
OPTIONS = {
    "settings": (["--init", "--ulimit", "core=1024:2048", "--sysctl", "net.ipv4.ip_unprivileged_port_start=99", "--shm-size", "8m", "--group-add", "77"],
                 "cat /proc/1/comm; (sleep 0.2 & echo $! >/tmp/orphan); ulimit -c; ulimit -Hc; cat /proc/sys/net/ipv4/ip_unprivileged_port_start; "
                 "df -m /dev/shm | awk 'NR == 2 {print $2}'; id -G; sleep 1; test -e /proc/$(cat /tmp/orphan) || echo reaped",
                 "docker-init 2 4 99 8 0 77 reaped"),
    "readonly": (["--read-only", "--tmpfs", "/scratch:rw,noexec,size=4m", "--volume", "/kept", "--security-opt", "seccomp=/tmp/profile.json"],
                 "touch /x || echo readonly; cp /bin/busybox /scratch/true; /scratch/true || echo noexec; touch /kept/x && echo kept; "
                 "grep ^Seccomp: /proc/self/status; mkdir /kept/made 2>&1",
                 "readonly noexec kept Seccomp: 2 mkdir: can't create directory '/kept/made': File descriptor in bad state"),
    "devices": (["--device", "/dev/fuse:/dev/boat:r", "--device-cgroup-rule", "c 10:183 r", "--security-opt", "seccomp=unconfined"],
                "(: </dev/boat) && echo read; (: >/dev/boat) || echo refused; mknod /tmp/rng c 10 183; head -c 1 /tmp/rng | wc -c; "
                "grep ^Seccomp: /proc/self/status; unshare -U true && echo unshared",
                "read refused 1 Seccomp: 0 unshared"),
}


@pytest.mark.parametrize("options, script, expected", OPTIONS.values(), ids=OPTIONS)
def test_options(docker, options, script, expected):
    docker.rt.vm.write("/tmp/profile.json", json.dumps(PROFILE))
    result = docker.sh(f"{script}; true", *options)
    assert ok(result).split() == expected.split(), result


SHOW_NAMESPACES = "for name in pid ipc uts net cgroup; do readlink /proc/self/ns/$name; done"


def test_namespaces_of_the_host(docker):
    inside = ok(docker.sh(SHOW_NAMESPACES, "--pid", "host", "--ipc", "host", "--uts", "host", "--cgroupns", "host", network="host"))
    assert inside == ok(docker.rt.vm.run(SHOW_NAMESPACES))


def test_namespaces_of_another(docker):
    docker.detach("exec sleep 1000", "--ipc", "shareable")
    theirs = ok(docker("exec", "case", "sh", "-c", SHOW_NAMESPACES)).split()
    mine = ok(docker.sh(f"{SHOW_NAMESPACES}; cat /proc/1/comm", "--pid", "container:case", "--ipc", "container:case", network="container:case")).split()
    shared = [word for word in mine if word in theirs]
    assert [word.split(":")[0] for word in shared] == ["pid", "ipc", "net"] and mine[-1] == "sleep"


def test_limits(docker):
    assert ok(docker.sh(SHOW_LIMITS, *LIMITS)).strip() == SHOWN_LIMITS


def test_out_of_memory(docker):
    ok(docker("run", "--name", "case", "--runtime", docker.rt.name, "--network", "none", "--memory", "32m", "--memory-swap", "32m", IMAGE,
              "sh", "-c", "dd if=/dev/zero of=/dev/null bs=100M count=1; sleep 2; exit 9"), code=9)
    # The news takes its own way from the shim to dockerd, beside that of the end of the container
    docker.wait_for("{{.State.OOMKilled}}", "true")


def test_fork_bomb(docker):
    result = docker.sh("for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 2 & done; wait", "--pids-limit", "6")
    assert "can't fork" in result.out + result.err, result


def test_bridge(docker):
    assert "172.17.0." in ok(docker.sh("ip addr", network="bridge"))


def test_stop_with_sigterm(docker):
    docker.detach("trap 'echo asked; exit 3' TERM; echo ready; while :; do sleep 0.1; done")
    docker.wait_for_log("ready")
    ok(docker("stop", "--time", "30", "case"))
    assert "asked" in ok(docker("logs", "case"))
    assert docker.inspect("{{.State.Status}} {{.State.ExitCode}} {{.State.Pid}}") == "exited 3 0"


def test_stop_with_sigkill(docker):
    docker.detach("trap '' TERM; echo ready; while :; do sleep 1; done")
    docker.wait_for_log("ready")
    ok(docker("stop", "--time", "1", "case"))
    assert docker.inspect("{{.State.ExitCode}}") == "137"


def test_create_start_wait_restart(docker):
    ok(docker("create", "--name", "case", "--runtime", docker.rt.name, "--network", "none", IMAGE, "sh", "-c", "echo started; exit 5"))
    assert docker.inspect("{{.State.Status}}") == "created"
    for _ in range(2):
        ok(docker("start", "case"))
        assert ok(docker("wait", "case")).strip() == "5"
    assert ok(docker("logs", "case")) == "started\nstarted\n"


def test_remove_leaves_nothing(docker):
    docker.detach("sleep 1000 & exec sleep 1000", "--memory", "64m")
    identity = docker.inspect("{{.Id}}")
    assert identity in ok(docker.rt.vm.run("find /sys/fs/cgroup -type d"))
    ok(docker("rm", "--force", "case"))
    assert identity not in docker.rt.vm.run("find /sys/fs/cgroup /run -type d -not -path '*/proc/*'").out
    assert docker.rt.vm.run(["pgrep", "-x", "sleep"]).code == 1


def test_stats_come_from_its_cgroup(docker):
    """The shim finds the cgroup by the container's pid."""
    docker.detach("exec sleep 1000", "--memory", "64m")
    stats = json.loads(ok(docker("stats", "--no-stream", "--format", "json", "case")))
    assert stats["PIDs"] == "1" and stats["MemUsage"].endswith("/ 64MiB")


# ---- While it runs ----


def test_exec(docker):
    docker.detach("exec sleep 1000")
    result = docker("exec", "--user", "1000:1000", "--workdir", "/tmp", "--env", "COLOUR=red", "case",
                    "sh", "-c", "id -u; pwd; echo $COLOUR; cat /proc/1/cmdline | tr '\\0' ' '; echo err >&2; exit 7")
    assert (result.code, result.out.split(), result.err) == (7, ["1000", "/tmp", "red", "sleep", "1000"], "err\n")
    # More than the container has
    assert ok(docker("exec", "--privileged", "case", "grep", "^CapEff", "/proc/self/status")).split()[1] == "000001ffffffffff"


def test_exec_of_nothing(docker):
    docker.detach("exec sleep 1000")
    result = docker("exec", "case", "/no/such/command")
    assert result.code in (126, 127) and "/no/such/command" in result.out + result.err, result
    assert docker.inspect("{{.State.Status}}") == "running"


def test_exec_on_a_terminal(docker):
    docker.detach("exec sleep 1000")
    result = docker.rt.vm.run(on_terminal(["docker", "exec", "--interactive", "--tty", "case", "sh", "-c", "tty; stty size; exit 7"]))
    assert result.out.split() == ["/dev/pts/0", "33", "99"] and result.code == 7, result


def test_run_on_a_terminal(docker):
    command = ["docker", "run", "--rm", "-it", "--runtime", docker.rt.name, "--network", "none", IMAGE, "sh", "-c", "tty; stty size; exit 7"]
    result = docker.rt.vm.run(on_terminal(command))
    assert result.out.split() == ["/dev/pts/0", "33", "99"] and result.code == 7, result


# Answers each line; a terminal's new size, too
ANSWERS = "while read -r line; do case $line in end) exit 7 ;; size) stty size ;; *) echo got $line ;; esac; done"


def test_attach(docker):
    """Type, leave it with the keys for that, come back, type more."""
    docker.detach(ANSWERS, "--interactive", "--tty")
    attach = [*docker.command, "attach", "case"]
    left = dialog(docker.rt.vm, attach, ("", "boat\r"), ("got boat", "size\r"), ("33 99", "\x10\x11"))
    assert "read escape sequence" in left.out + left.err, left
    assert docker.inspect("{{.State.Status}}") == "running"
    ended = dialog(docker.rt.vm, attach, ("", "again\r"), ("got again", "end\r"))
    assert ended.code == 7, ended


def test_healthcheck_and_cp(docker):
    """It is well when the file is there: copied in while it runs, and out again."""
    docker.detach("exec sleep 1000", "--health-cmd", "test -e /mnt/well && date >>/mnt/well", "--health-interval", "1s", "--health-retries", "1")
    docker.wait_for("{{.State.Health.Status}}", "unhealthy")
    docker.rt.vm.run("echo cargo >/tmp/cargo", check=True)
    ok(docker("cp", "/tmp/cargo", "case:/mnt/well"))
    docker.wait_for("{{.State.Health.Status}}", "healthy")
    ok(docker("cp", "case:/mnt/well", "/tmp/cargo"))
    assert re.match("cargo\n.* UTC ", docker.rt.vm.read("/tmp/cargo"))


def test_pause(docker):
    docker.detach("exec sleep 1000")
    events = f"/sys/fs/cgroup/docker/{docker.inspect('{{.Id}}')}/cgroup.events"
    ok(docker("pause", "case"))
    assert docker.inspect("{{.State.Status}}") == "paused" and "frozen 1" in docker.rt.vm.read(events)
    ok(docker("unpause", "case"))
    assert docker.inspect("{{.State.Status}}") == "running" and "frozen 0" in docker.rt.vm.read(events)


def test_update(docker):
    docker.detach("exec sleep 1000", *LIMITS)
    ok(docker("update", "--memory", "48m", "--memory-swap", "48m", "--cpus", "0.25", "--pids-limit", "16", "--cpuset-cpus", "0", "case"))
    assert ok(docker("exec", "case", "sh", "-c", SHOW_LIMITS)).strip() == "50331648 16 25000 100000 0"


def test_top(docker):
    docker.detach("sleep 2000 & exec sleep 1000")
    assert "sleep 2000" in (out := ok(docker("top", "case"))) and "sleep 1000" in out


def test_restart_policy(docker):
    ok(docker("run", "--detach", "--restart", "on-failure:2", "--name", "case", "--runtime", docker.rt.name, "--network", "none", IMAGE,
              "sh", "-c", "echo up; exit 3"))
    docker.wait_for("{{.RestartCount}} {{.State.Status}} {{.State.ExitCode}}", "2 exited 3")
    assert ok(docker("logs", "case")) == "up\n" * 3


def test_restart_unless_stopped(docker):
    """Killed from outside it comes back; stopped it does not."""
    docker.detach("trap 'exit 0' TERM; while :; do sleep 0.2; done", "--restart", "unless-stopped")
    ok(docker.rt.vm.run(["kill", "-KILL", docker.inspect("{{.State.Pid}}")]))
    docker.wait_for("{{.RestartCount}} {{.State.Status}}", "1 running")
    ok(docker("stop", "case"))
    assert docker.inspect("{{.RestartCount}} {{.State.Status}}") == "1 exited"


def test_build(docker):
    """The steps of a build run in the daemon's own runtime."""
    vm = docker.rt.vm
    config = vm.read("/etc/docker/daemon.json")
    reload = "kill -HUP $(cat /run/docker.pid); sleep 1; docker info --format '{{.DefaultRuntime}}'"
    vm.write("/etc/docker/daemon.json", json.dumps({**json.loads(config), "default-runtime": docker.rt.name}))
    vm.run(f"mkdir -p /tmp/build && printf 'FROM {IMAGE}\\nRUN echo $(id -u) $$ >/made\\n' >/tmp/build/Dockerfile", check=True)
    try:
        assert ok(vm.run(reload)).strip() == docker.rt.name
        ok(vm.run("DOCKER_BUILDKIT=0 docker build --quiet --network none --tag localhost/built:vm /tmp/build", timeout=180))
        assert ok(docker("run", "--rm", "--network", "none", "localhost/built:vm", "cat", "/made")).split() == ["0", "1"]
    finally:
        vm.write("/etc/docker/daemon.json", config)
        vm.run(reload)
        docker("rmi", "--force", "localhost/built:vm")

"""containerd's own client (ctr) with the runc v2 shim and the runtime as its binary: run, limit, kill, remove."""
import re
import time

import pytest

from conftest import IMAGE, ok, on_terminal


class Ctr:
    def __init__(self, rt):
        self.rt = rt

    def __call__(self, *args, timeout=120):
        return self.rt.vm.run(["ctr", *args], timeout=timeout)

    def run(self, *args, options=(), name="case"):
        return self("run", "--rm", "--runc-binary", self.rt.path, *options, IMAGE, name, *args)

    def detach(self, *args, options=(), name="case"):
        ok(self("run", "--detach", "--runc-binary", self.rt.path, *options, IMAGE, name, *args))
        self.wait_for(name, "RUNNING")

    def delete(self, name, code):
        """The exit code of the task is in a warning (containerd 1.7 and later)."""
        assert f"exit code {code}" in self("task", "delete", name).err
        ok(self("container", "delete", name))

    def status(self, name):
        return next((words[2] for line in ok(self("task", "ls")).splitlines() if (words := line.split())[0] == name), None)

    def wait_for(self, name, status):
        for _ in range(30):
            if (now := self.status(name)) == status:
                return
            time.sleep(0.3)
        raise AssertionError(f"{name} is {now}, not {status}")


@pytest.fixture
def ctr(rt):
    engine = Ctr(rt)
    yield engine
    for name in engine("container", "ls", "--quiet").out.split():
        engine("task", "kill", "--signal", "SIGKILL", name)
        engine("task", "delete", "--force", name)
        engine("container", "delete", name)


def test_run_and_exit_code(ctr):
    result = ctr.run("sh", "-c", "echo out; echo err >&2; exit 7")
    assert (result.code, result.out, result.err) == (7, "out\n", "err\n")


def test_process_settings(ctr):
    out = ok(ctr.run("sh", "-c", "id -u; pwd; echo $COLOUR; hostname", options=["--user", "1000", "--cwd", "/tmp", "--env", "COLOUR=red",
                                                                                "--hostname", "boat"]))
    assert out.split() == ["1000", "/tmp", "red", "boat"]


def test_missing_command(ctr):
    result = ctr.run("/no/such/command")
    assert result.code and "/no/such/command" in result.err, result


def test_seccomp_and_readonly(ctr):
    out = ok(ctr.run("sh", "-c", "grep ^Seccomp: /proc/self/status; touch /x || echo readonly", options=["--seccomp", "--read-only"]))
    assert out.split() == ["Seccomp:", "2", "readonly"]


def test_limits(ctr):
    options = ["--memory-limit", str(64 << 20), "--cpus", "0.5", "--mount", "type=cgroup,src=cgroup,dst=/sys/fs/cgroup,options=ro"]
    out = ok(ctr.run("sh", "-c", "cd /sys/fs/cgroup; cat memory.max cpu.max || cat default/case/memory.max default/case/cpu.max", options=options))
    assert out.split() == [str(64 << 20), "50000", "100000"]


def test_out_of_memory(ctr):
    ok(ctr.run("sh", "-c", "exec dd if=/dev/zero of=/dev/null bs=100M count=1", options=["--memory-limit", str(32 << 20)]), code=137)


def test_systemd_cgroup(ctr):
    """Its scope has the limit, an exec is in it, what is counted is the scope's, and it goes with the task."""
    vm, scope = ctr.rt.vm, "vm-case.scope"
    ctr.detach("sleep", "1000", options=["--runc-systemd-cgroup", "--cgroup", "system.slice:vm:case", "--memory-limit", str(64 << 20)])
    assert ok(vm.run(["systemctl", "show", scope, "-p", "MemoryMax"])).strip() == f"MemoryMax={64 << 20}"
    inside = ok(ctr("task", "exec", "--exec-id", "more", "case", "cat", "/proc/self/cgroup", "/proc/1/cgroup")).split()
    assert inside[0] == inside[1] and scope in vm.read(f"/proc/{ok(vm.run(['pgrep', '-x', 'sleep'])).strip()}/cgroup")
    assert re.search(rf"memory.usage_limit +{64 << 20}\b", ok(ctr("task", "metrics", "case")))
    ok(ctr("task", "kill", "--signal", "SIGKILL", "case"))
    ctr.wait_for("case", "STOPPED")
    ctr.delete("case", code=137)
    assert ok(vm.run(["systemctl", "show", scope, "-p", "LoadState"])).strip() == "LoadState=not-found"


def test_user_namespace(ctr):
    """Its root is another of the host; the layers' files are its own all the same."""
    out = ok(ctr.run("sh", "-c", "cat /proc/self/uid_map; stat -c %u /bin/busybox; touch /made && id -u",
                     options=["--uidmap", "0:100000:65536", "--gidmap", "0:100000:65536"]))
    assert out.split() == ["0", "100000", "65536", "0", "0"]


def test_mount(ctr):
    ctr.rt.vm.run("mkdir -p /tmp/ctr-mounts && echo data >/tmp/ctr-mounts/file", check=True)
    out = ok(ctr.run("sh", "-c", "cat /mnt/file; touch /mnt/new 2>&1 | grep -c Read-only",
                     options=["--mount", "type=bind,src=/tmp/ctr-mounts,dst=/mnt,options=rbind:ro"]))
    assert out.split() == ["data", "1"]


def test_host_network(ctr):
    assert "192.0.2.15" in ok(ctr.run("ip", "addr", options=["--net-host"]))


def test_kill_and_delete(ctr):
    ctr.detach("sleep", "1000")
    assert "sleep 1000" in ok(ctr.rt.vm.run(["pgrep", "-ax", "sleep"]))
    ok(ctr("task", "kill", "--signal", "SIGKILL", "case"))
    ctr.wait_for("case", "STOPPED")
    ctr.delete("case", code=137)
    assert ctr.rt.vm.run("ls -d /sys/fs/cgroup/default/case").code
    assert ctr.rt.vm.run(["pgrep", "-x", "sleep"]).code == 1


def test_signal_reaches_the_task(ctr):
    ctr.detach("sh", "-c", "trap 'exit 3' TERM; while :; do sleep 0.1; done")
    time.sleep(1)
    ok(ctr("task", "kill", "--signal", "SIGTERM", "case"))
    ctr.wait_for("case", "STOPPED")
    ctr.delete("case", code=3)


def test_metrics_come_from_its_cgroup(ctr):
    ctr.detach("sleep", "1000", options=["--memory-limit", str(64 << 20)])
    assert "memory.usage_limit" in ok(ctr("task", "metrics", "case"))


# ---- More processes in a container ----


def test_exec(ctr):
    ctr.detach("sleep", "1000")
    result = ctr("task", "exec", "--exec-id", "more", "--cwd", "/tmp", "case", "sh", "-c", "pwd; cat /proc/1/cmdline | tr '\\0' ' '; echo err >&2; exit 7")
    assert (result.code, result.out, result.err) == (7, "/tmp\nsleep 1000 ", "err\n")


def test_exec_on_a_terminal(ctr):
    ctr.detach("sleep", "1000", options=["--mount", "type=devpts,src=devpts,dst=/dev/pts,options=newinstance:ptmxmode=0666:mode=0620"])
    result = ctr.rt.vm.run(on_terminal(["ctr", "task", "exec", "--tty", "--exec-id", "more", "case", "sh", "-c", "sleep 2; tty; stty size; exit 7"]))
    assert result.out.split() == ["/dev/pts/0", "33", "99"] and result.code == 7, result


def test_exec_of_nothing(ctr):
    ctr.detach("sleep", "1000")
    result = ctr("task", "exec", "--exec-id", "more", "case", "/no/such/command")
    assert result.code and "/no/such/command" in result.err, result
    assert ctr.status("case") == "RUNNING"


def test_kill_one_of_them(ctr):
    """A signal for one exec reaches that, and no other."""
    ctr.detach("sleep", "1000")
    ok(ctr("task", "exec", "--detach", "--exec-id", "more", "case", "sleep", "2000"))
    assert len(ok(ctr("task", "ps", "case")).splitlines()) == 3
    ok(ctr("task", "kill", "--exec-id", "more", "--signal", "SIGKILL", "case"))
    for _ in range(20):
        if ctr.rt.vm.run(["pgrep", "-xf", "sleep 2000"]).code:
            break
        time.sleep(0.3)
    assert ok(ctr.rt.vm.run(["pgrep", "-axf", "sleep .000"])).split()[1:] == ["sleep", "1000"]


def test_pause_and_resume(ctr):
    ctr.detach("sh", "-c", "while :; do date +%s%N >/clock; sleep 0.1; done")
    ok(ctr("task", "pause", "case"))
    ctr.wait_for("case", "PAUSED")
    assert "frozen 1" in ok(ctr.rt.vm.run("cat /sys/fs/cgroup/default/case/cgroup.events"))
    ok(ctr("task", "resume", "case"))
    ctr.wait_for("case", "RUNNING")
    assert "frozen 0" in ok(ctr.rt.vm.run("cat /sys/fs/cgroup/default/case/cgroup.events"))


def test_run_on_a_terminal(ctr):
    command = ["ctr", "run", "--rm", "--tty", "--runc-binary", ctr.rt.path, IMAGE, "case", "sh", "-c", "sleep 2; tty; stty size; exit 7"]
    result = ctr.rt.vm.run(on_terminal(command))
    assert result.out.split() == ["/dev/pts/0", "33", "99"] and result.code == 7, result


def test_out_of_memory_is_an_event(ctr):
    ctr.rt.vm.run("ctr events >/tmp/events 2>&1 & echo $! >/tmp/events.pid; sleep 1", check=True)
    ok(ctr.run("sh", "-c", "dd if=/dev/zero of=/dev/null bs=100M count=1; sleep 2", options=["--memory-limit", str(32 << 20)]))
    ctr.rt.vm.run("sleep 1; kill $(cat /tmp/events.pid)", check=True)
    assert '/tasks/oom {"container_id":"case"}' in ctr.rt.vm.read("/tmp/events")


def test_events(ctr):
    """What containerd tells others: its own words for what the runtime did, in this order."""
    ctr.rt.vm.run("ctr events >/tmp/events 2>&1 & echo $! >/tmp/events.pid; sleep 1", check=True)
    ok(ctr.run("true"))
    ctr.rt.vm.run("for i in $(seq 150); do grep -q /tasks/delete /tmp/events && break; sleep 0.2; done; kill $(cat /tmp/events.pid)",
                  check=True)
    text = ctr.rt.vm.read("/tmp/events")
    order = [text.find(f"/tasks/{word} ") for word in ("create", "start", "exit", "delete")]
    assert order == sorted(order) and order[0] >= 0, text

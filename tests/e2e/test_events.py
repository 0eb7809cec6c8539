"""events: runc's lines of JSON."""
import json
import os
import threading
import time

import pytest

import harness

BURN = "i=0; while [ $i -lt 50000 ]; do i=$((i+1)); done; echo ready; sleep 1000"
MB = 1 << 20


@pytest.fixture
def container(bundle, crt):
    container = crt.start(bundle.script(BURN))
    container.wait_for_output("ready", 20)
    yield container
    container.end()


def stats(crt, container):
    event = crt("events", "--stats", container.id).json()
    assert event["type"] == "stats" and event["id"] == container.id
    return event["data"]


def kernel_says(container, name):
    return dict(line.split() for line in (container.cgroup / name).read_text().splitlines())


class Stream:
    """crt events, read by a thread."""

    def __init__(self, crt, container, *options):
        self.process = crt.start_process("events", *options, container.id)
        self.events = []
        self.thread = threading.Thread(target=self.read)
        self.thread.start()

    def read(self):
        for line in self.process.stdout:
            self.events.append(json.loads(line))

    def wait_for(self, count, kind="stats"):
        harness.wait_for(lambda: sum(event["type"] == kind for event in self.events) >= count, 10, f"{count} {kind} events")

    def end(self):
        self.thread.join(10)
        code = self.process.wait(10)
        err = self.process.stderr.read()
        self.process.stdout.close(), self.process.stderr.close()
        return code, err


# ---- Once ----------------------------------------------------------------------------------------------------

def test_members_are_runcs(crt, container):
    data = stats(crt, container)
    assert set(data) == {"cpu", "cpuset", "memory", "pids", "blkio", "hugetlb", "intel_rdt", "network_interfaces"}
    assert set(data["memory"]) >= {"usage", "swap", "kernel", "kernelTCP"}
    assert all({"limit", "failcnt"} <= set(data["memory"][key]) for key in ("usage", "swap", "kernel", "kernelTCP"))
    assert {"kernel", "user"} <= set(data["cpu"]["usage"]) and "throttling" in data["cpu"]


def test_one_line(crt, container):
    out = crt("events", "--stats", container.id).ok().out
    assert out.count("\n") == 1 and out.endswith("}\n")


def test_cpu_time_is_the_kernels(crt, container):
    before = kernel_says(container, "cpu.stat")
    usage = stats(crt, container)["cpu"]["usage"]
    after = kernel_says(container, "cpu.stat")
    assert usage["total"] > 0
    for ours, kernels in ("total", "usage_usec"), ("user", "user_usec"), ("kernel", "system_usec"):
        assert int(before[kernels]) * 1000 <= usage[ours] <= int(after[kernels]) * 1000


def stalled(container):
    """Microseconds that some of its processes have waited for a CPU."""
    return int((container.cgroup / "cpu.pressure").read_text().split("total=")[1].split()[0])


def test_pressure(bundle, crt):
    """More processes want a CPU than there are."""
    container = crt.start(bundle.script(f"for n in $(seq {2 * os.cpu_count()}); do while :; do :; done & done; sleep 1000"))
    if not (container.cgroup / "cpu.pressure").exists():
        container.end()
        pytest.skip("this kernel has no pressure stall information (boot with psi=1)")
    before = harness.wait_for(lambda: stalled(container), 10, "a stall")
    data = stats(crt, container)
    after = stalled(container)
    container.end()
    for key in ("cpu", "memory", "blkio"):
        assert set(data[key]["psi"]) == {"some", "full"}
        assert set(data[key]["psi"]["some"]) == {"avg10", "avg60", "avg300", "total"}
    assert before <= data["cpu"]["psi"]["some"]["total"] <= after


@pytest.mark.needs_controller("hugetlb")
def test_hugetlb(crt, container):
    sizes = {path.name.split(".")[1] for path in container.cgroup.glob("hugetlb.*.current")}
    assert set(stats(crt, container)["hugetlb"]) == sizes and sizes


@pytest.mark.needs_controller("memory")
def test_memory(bundle, crt):
    bundle["linux.resources"] = {"memory": {"limit": 64 * MB}}
    container = crt.start(bundle.sleeper())
    data = stats(crt, container)["memory"]
    assert data["usage"]["limit"] == 64 * MB and 0 < data["usage"]["usage"] < 64 * MB
    assert data["raw"].keys() == kernel_says(container, "memory.stat").keys()
    container.end()


@pytest.mark.needs_controller("pids")
def test_pids(bundle, crt):
    bundle["linux.resources"] = {"pids": {"limit": 30}}
    container = crt.start(bundle.sleeper())
    assert stats(crt, container)["pids"] == {"current": 1, "limit": 30}
    container.end()


def test_created_and_paused(bundle, crt):
    container = crt.create(bundle.sleeper())
    stats(crt, container)
    crt("pause", container.id).ok()
    stats(crt, container)
    container.end()


@pytest.mark.parametrize("options", [["--stats"], []])
def test_stopped_and_missing(bundle, crt, options):
    container = crt.start(bundle.script("true"))
    container.wait_stopped()
    crt("events", *options, container.id).failed("container not running", code=1)
    container.end()
    crt("events", *options, container.id).failed("does not exist", code=1)


@pytest.mark.parametrize("interval, words", [("0", "above 0"), ("soon", "not a time"), ("-1s", "not a time")])
def test_intervals_that_are_none(crt, container, interval, words):
    crt("events", "--interval", interval, container.id).failed(words, code=1)


# ---- The stream ------------------------------------------------------------------------------------------------

def test_a_line_every_interval_until_the_end(bundle, crt):
    container = crt.start(bundle.sleeper())
    stream = Stream(crt, container, "--interval", "50ms")
    stream.wait_for(4)
    began = time.monotonic()
    container.kill("KILL")
    assert stream.end() == (0, "") and time.monotonic() - began < 3
    container.end()


def test_the_first_line_does_not_wait(crt, container):
    stream = Stream(crt, container, "--interval", "1h")
    stream.wait_for(1)
    stream.process.terminate()
    assert stream.end()[0] == -15


def test_it_costs_nothing_to_wait(crt, container):
    stream = Stream(crt, container)
    stream.wait_for(1)

    def ticks():
        return sum(map(int, open(f"/proc/{stream.process.pid}/stat").read().rsplit(")", 1)[1].split()[11:13]))
    before = ticks()
    time.sleep(1)
    assert ticks() - before <= 1
    stream.process.terminate()
    stream.end()


def test_a_reader_that_goes(crt, container):
    stream = crt.start_process("events", "--interval", "20ms", container.id)
    stream.stdout.readline()
    stream.stdout.close()
    assert stream.wait(5) != 0
    stream.stderr.close()


def test_delete_ends_it(bundle, crt):
    container = crt.start(bundle.sleeper())
    stream = Stream(crt, container, "--interval", "20ms")
    stream.wait_for(2)
    container.end()
    assert stream.end() == (0, "")


def test_many_lines_take_no_memory(crt, container):
    """The stream of an engine runs for months."""
    stream = Stream(crt, container, "--interval", "1ms")
    stream.wait_for(100)

    def resident():
        return int(open(f"/proc/{stream.process.pid}/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    before = resident()
    stream.wait_for(600)
    assert resident() - before < 256 * 1024
    stream.process.terminate()
    stream.end()


@pytest.mark.needs_controller("memory")
@pytest.mark.parametrize("victim", ["child", "init"])
def test_oom(bundle, crt, victim):
    """Told when it happens, and before the end when it is the end."""
    bundle["linux.resources"] = {"memory": {"limit": 24 * MB, "swap": 24 * MB}}
    # When the kernel still lacks memory after the first victim, the next must not be the shell
    eat = "(echo 1000 > /proc/self/oom_score_adj; head -c 200000000 /dev/zero | tail)"
    bundle.script(f"read go < /fifo; {eat}; echo survived; exec sleep 1000" if victim == "child"
                  else "read go < /fifo; exec tail /dev/zero")
    os.mkfifo(bundle.rootfs / "fifo")
    container = crt.start(bundle)
    stream = Stream(crt, container, "--interval", "1h")
    stream.wait_for(1)
    (bundle.rootfs / "fifo").write_text("go\n")
    stream.wait_for(1, "oom")
    assert stream.events[1] == {"type": "oom", "id": container.id}
    if victim == "child":
        container.wait_for_output("survived")
        container.kill("KILL")
    assert stream.end() == (0, "")
    container.end()

"""run.oci.delegate-cgroup: the container's process lives below the cgroup that has its limits, and manages what it has there."""
import os

import pytest

import harness

pytestmark = harness.EVERYWHERE


def read(folder, name):
    return (folder / name).read_text().strip()


@pytest.fixture
def delegated(bundle):
    bundle["annotations"] = {"run.oci.delegate-cgroup": "init/payload"}
    return bundle


def test_the_process_is_there_and_the_limits_above(delegated, crt):
    delegated["linux.resources"] = {"unified": {"cgroup.max.depth": "7"}}
    container = crt.start(delegated.sleeper())
    assert container.cgroup.parts[-2:] == ("init", "payload")
    own = container.cgroup.parents[1]
    assert own.name == container.id
    assert (read(own, "cgroup.procs"), read(container.cgroup, "cgroup.procs")) == ("", str(container.pid))
    assert (read(own, "cgroup.max.depth"), read(container.cgroup, "cgroup.max.depth")) == ("7", "max")
    # Whatever the container's cgroup has, is there to be managed
    assert read(own, "cgroup.subtree_control").split() == read(own, "cgroup.controllers").split()
    assert read(container.cgroup, "cgroup.controllers") == read(own, "cgroup.controllers")
    container.end()
    assert not own.exists()


def test_the_root_of_its_cgroup_namespace_is_above(delegated):
    delegated.namespace("cgroup")
    assert delegated.sh("tail -n 1 /proc/self/cgroup") == "0::/init/payload\n"


def test_before_the_hooks_inside_and_the_program(delegated, crt):
    """From its own first instruction on."""
    delegated["hooks"] = {"startContainer": [{"path": "/bin/sh", "args": ["sh", "-c", "tail -n 1 /proc/self/cgroup >/dev/shm/hook"]}]}
    delegated.namespace("cgroup")
    assert delegated.sh("cat /dev/shm/hook; tail -n 1 /proc/self/cgroup") == 2 * "0::/init/payload\n"


def test_exec_goes_there(delegated, crt):
    """The container's own cgroup hands controllers down, and could not take it in."""
    delegated.namespace("cgroup")
    container = crt.start(delegated.sleeper())
    assert crt("exec", container.id, "tail", "-n", "1", "/proc/self/cgroup").ok().out == "0::/init/payload\n"
    assert crt("exec", "--cgroup", "init/payload", container.id, "tail", "-n", "1", "/proc/self/cgroup").ok().out == "0::/init/payload\n"
    container.end()


@pytest.mark.parametrize("place", ["other", ""])
def test_exec_after_the_container_has_removed_it(delegated, crt, place):
    """It manages what is there, and may want another one: where its init is, a process of exec can be, too."""
    delegated.without_mount("/sys/fs/cgroup")
    delegated.mount("/sys/fs/cgroup", "cgroup", options=["nosuid"])
    delegated.namespace("cgroup")
    keep = "for f in init/cgroup.subtree_control cgroup.subtree_control; do for c in $(cat $f); do echo -$c >$f; done; done"
    container = crt.start(delegated.script(f"cd /sys/fs/cgroup; {keep}; mkdir -p ./{place} && echo 1 >./{place}/cgroup.procs && "
                                           "rmdir init/payload && echo moved; exec sleep 1000"))
    container.wait_for_output("moved")
    assert crt("exec", container.id, "tail", "-n", "1", "/proc/self/cgroup").ok().out == f"0::/{place}\n"
    crt("exec", "--cgroup", "init/payload", container.id, "true").failed("cannot open the cgroup .*/init/payload: No such file or directory")
    container.end()


def test_pause_kill_and_ps_reach_below(delegated, crt):
    container = crt.start(delegated.script("sleep 1000 & exec sleep 1000"))
    harness.wait_for(lambda: len(crt("ps", "--format", "json", container.id).json()) == 2, what="both")
    crt("pause", container.id).ok()
    assert container.status == "paused" and "frozen 1" in read(container.cgroup, "cgroup.events")
    crt("resume", container.id).ok()
    crt("kill", "--all", container.id, "KILL").ok()
    container.wait_stopped()
    container.delete()


@harness.only("root", why="the cgroup is given to another user")
def test_it_is_the_containers_own(delegated, crt):
    delegated.user_namespace(host=100000)
    delegated.without_mount("/sys/fs/cgroup")
    delegated.mount("/sys/fs/cgroup", "cgroup", options=["nosuid"])
    container = crt.start(delegated.script("mkdir /sys/fs/cgroup/init/payload/child && echo $$ >/sys/fs/cgroup/init/payload/child/cgroup.procs "
                                           "&& echo moved; exec sleep 1000"))
    container.wait_for_output("moved")
    own = next(folder for folder in container.cgroup.parents if folder.name == "payload")
    assert container.cgroup == own / "child"
    assert (os.stat(own).st_uid, os.stat(own / "cgroup.procs").st_uid) == (100000, 100000)
    assert os.stat(own.parent).st_uid == 0
    container.end()


@pytest.mark.parametrize("value", ["", "/", "."])
def test_nothing_is_delegated_by_no_name(bundle, crt, value):
    bundle["annotations"] = {"run.oci.delegate-cgroup": value}
    container = crt.start(bundle.sleeper())
    assert container.cgroup.name == container.id
    container.end()


def test_no_way_out(bundle, crt):
    bundle["annotations"] = {"run.oci.delegate-cgroup": "../other"}
    bundle.run("true").failed(r'annotations\["run.oci.delegate-cgroup"\]: .*"\.\." is not allowed')
    assert crt.ids() == []


def test_a_cgroup_that_cannot_be_made_is_an_error(bundle, crt):
    """A file of the kernel has that name; nothing stays."""
    bundle["annotations"] = {"run.oci.delegate-cgroup": "cgroup.procs/x"}
    bundle.run("true").failed(r'annotations\["run.oci.delegate-cgroup"\]: cannot make the cgroup /cgroup.procs/x below the container')
    assert crt.ids() == []


# ---- Rootless: what the user has been given, the container has ----------------------------------------------------

@harness.only("user", why="it is about a cgroup that is delegated to an ordinary user")
def test_the_containers_root_manages_its_cgroup(bundle, crt):
    """It is made where the user may make one, is his, and so is root's inside, who is he."""
    bundle.without_mount("/sys/fs/cgroup")
    bundle.mount("/sys/fs/cgroup", "cgroup", options=["nosuid"])
    bundle.namespace("cgroup")
    container = crt.start(bundle.script("mkdir /sys/fs/cgroup/inner && echo $$ >/sys/fs/cgroup/inner/cgroup.procs && echo moved; exec sleep 1000"))
    container.wait_for_output("moved")
    own = container.cgroup.parent
    assert (container.cgroup.name, own.name) == ("inner", container.id)
    assert harness.cgroup_of(os.getpid()) not in own.parents  # beside that of the caller, who could not be above it
    assert {os.stat(path).st_uid for path in (own, container.cgroup, own / "cgroup.procs")} == {os.getuid()}
    container.end()
    assert not own.exists()

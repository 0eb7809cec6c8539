"""
Real containers. A test gets a bundle, changes its config, runs it, and looks at what the kernel shows:

    def test_hostname(bundle):
        bundle["hostname"] = "boat"
        assert bundle.sh("hostname") == "boat\\n"

crt      runs commands with a state directory of its own: crt.run(bundle), crt("state", id) ...
bundle   a bundle with busybox and probe (probe.c) whose config is what `crt spec` writes, not on a terminal
leaks    (of itself, around every test) fails when something stayed behind on the host

Start with tests/e2e/run, which prepares the mount namespace, and runs the suite as root, as an ordinary user and as root
of a user namespace. A test says in which of these it holds; without a word, as root only:

    pytestmark = harness.EVERYWHERE                        for a file
    @harness.only("root", why="it makes a device")         for one test

What does not hold is left out, not skipped, and the summary says why.
"""
import collections
import pathlib

import pytest

import harness


ROOT_ONLY = "nobody has asked it of others than root"


def pytest_addoption(parser):
    parser.addoption("--try-all", action="store_true", help="also the cases that do not hold here, to see what is wrong")


def why_not(item):
    """Why a case does not hold for who runs it, or None: the mark that is closest to the test decides."""
    mark = item.get_closest_marker("holds")
    return None if harness.AS in (mark.args if mark else ["root"]) else (mark.kwargs if mark else {}).get("why", ROOT_ONLY)


def deselect(config, items):
    config.not_here = collections.Counter(filter(None, map(why_not, items)))
    out = [item for item in items if why_not(item)]
    if out and not config.option.try_all:
        config.hook.pytest_deselected(items=out)
        items[:] = [item for item in items if not why_not(item)]


def pytest_terminal_summary(terminalreporter, config):
    for why, count in sorted(getattr(config, "not_here", {}).items()):  # pytest-xdist collects in other processes
        terminalreporter.write_line(f"NOT AS {harness.AS} [{count}] {why}")


def pytest_collection_modifyitems(config, items):
    deselect(config, items)
    for item in items:
        for mark in item.iter_markers("needs_controller"):
            for name in mark.args:
                if name not in harness.controllers():
                    item.add_marker(pytest.mark.skip(
                        reason=f"controller {name} is not on cgroup v2 here (run in the virtual machine)"))
        for mark in item.iter_markers("needs_kernel"):
            if harness.kernel() < mark.args:
                item.add_marker(pytest.mark.skip(
                    reason=f"needs Linux {'.'.join(map(str, mark.args))}, this is {harness.kernel_release()}"))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.when == "call":
        item.failed = report.failed


def pytest_configure(config):
    problem = harness.why_not_here()
    if problem:
        pytest.exit(problem, returncode=3)
    harness.become_subreaper()


@pytest.fixture(scope="session")
def rootfs_template(tmp_path_factory):
    return harness.make_rootfs(tmp_path_factory.mktemp("template"))


@pytest.fixture(scope="session")
def spec_config(tmp_path_factory):
    return harness.default_config(tmp_path_factory.mktemp("spec"))


@pytest.fixture(autouse=True)
def leaks(request):
    """Everything that a container touches on the host is afterwards as it was before."""
    before = harness.Snapshot()
    yield
    mark = request.node.get_closest_marker("leaks")
    difference = before.difference_after_settling(3 if not mark else 0)
    harness.kill_children(before.children)
    if difference and not mark and not getattr(request.node, "failed", False):
        pytest.fail("left behind on the host:\n" + "\n".join(difference), pytrace=False)


@pytest.fixture
def crt(leaks, tmp_path, request):
    runtime = harness.Runtime(tmp_path / "state", tmp_path / "crt.log")
    yield runtime
    left = runtime.ids()
    for container in left:
        runtime("delete", "--force", container)
    if left and not getattr(request.node, "failed", False):
        pytest.fail(f"the test left containers: {left}", pytrace=False)


@pytest.fixture
def new_bundle(crt, tmp_path, rootfs_template, spec_config):
    """new_bundle(name): one more bundle."""
    def make(name="bundle"):
        return harness.Bundle(crt, tmp_path / name, rootfs_template, spec_config)
    return make


@pytest.fixture
def bundle(new_bundle):
    return new_bundle()


@pytest.fixture
def root() -> pathlib.Path:
    return pathlib.Path(__file__).resolve().parents[2]

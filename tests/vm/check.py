#!/usr/bin/python3
"""
What contrib/vm-check runs (its --help has the options): a machine; tests/e2e inside it; tests/vm from outside; the sum.
"""
import argparse
import os
import pathlib
import re
import sys
import tempfile
import time
import xml.etree.ElementTree

import pytest

import image
from machine import Machine, end_on_signals

REPO = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("CRT_BUILD", REPO / "build"))
# Where the guest has what it needs of the repository
GUEST, GUEST_SHARED = "/opt/crt", "/opt/shared"
SHARED = pathlib.Path(os.environ.get("CRT_SHARED", REPO.parent / "shared"))
E2E_LIMIT_S = 1800
# One test takes as many times longer under emulation
E2E_TEST_LIMIT_S = 300


def options():
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--suite", choices=["trixie", "sid"], default="trixie")
    parser.add_argument("--kernel")
    parser.add_argument("--runtime", default=str(BUILD / "crt"))
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--shell", action="store_true")
    parser.add_argument("-k", dest="word")
    parser.add_argument("tests", nargs="*", metavar="TEST")
    chosen = parser.parse_args()
    chosen.inside = [test for test in chosen.tests if "e2e" in pathlib.Path(test.split("::")[0]).parts]
    chosen.outside = [test for test in chosen.tests if test not in chosen.inside]
    return chosen


def put_tests(machine, runtime):
    """The runtime, and the source tree for the tests in it; the project's shared folder where there is one."""
    machine.put(REPO, GUEST, without=["./.git", "./build*", "./autom4te.cache", "__pycache__", ".pytest_cache"])
    if "/" in runtime:
        machine.put(runtime, f"{GUEST}/build/crt")
        for program in pathlib.Path(runtime).parent.glob("crt-*"):  # what make install puts into the libexec folder
            machine.put(program, f"{GUEST}/build/{program.name}")
        machine.run(["ln", "-sf", f"{GUEST}/build/crt", "/usr/local/bin/crt"], check=True)
    for name in "oci", "corpus":
        if (SHARED / name).is_dir():
            machine.put(SHARED / name, f"{GUEST_SHARED}/{name}")


def run_inside(machine, chosen, report):
    """tests/e2e in the guest. Returns the counts."""
    machine.say("tests/e2e in the machine")
    tests = [re.sub(r".*?tests/e2e/?", f"{GUEST}/tests/e2e/", test) for test in chosen.inside]
    # Left out: what compiles against the library. That concerns the machine that builds, where contrib/check runs it
    command = [f"{GUEST}/tests/e2e/run", "-o", f"timeout={E2E_TEST_LIMIT_S}", "--junitxml", "/tmp/e2e.xml",
               "--ignore", f"{GUEST}/tests/e2e/test_library.py",
               *(["-m", "not slow"] if chosen.quick else []), *(["-k", chosen.word] if chosen.word else []), *tests]
    env = {"CRT_BUILD": f"{GUEST}/build", "CRT_SHARED": GUEST_SHARED,
           **({} if "/" in chosen.runtime else {"CRT": f"/usr/bin/{chosen.runtime}"})}
    done = machine.run(command, env=env, timeout=E2E_LIMIT_S, show=True)
    if machine.run(["test", "-s", "/tmp/e2e.xml"]).code:
        print(f"tests/e2e ended without a report, exit code {done.code}")
        return [0, 1, 0]
    report.write_text(machine.read("/tmp/e2e.xml"))
    return count(report)


def run_outside(machine, chosen, report):
    """tests/vm on this side. Returns the counts."""
    machine.say("limits and engines")

    class UseMachine:
        def pytest_configure(self, config):
            config.machine = machine

        def pytest_runtest_logreport(self, report):
            if report.failed:  # now, and not after ten more minutes
                print(f"\n{report.longreprtext}\n" + "".join(f"{text}\n" for name, text in report.sections if name == "control"), flush=True)

    tests = chosen.outside or [str(REPO / "tests/vm")]
    code = pytest.main(["-v", "-rs", "--no-header", "--tb=short", "-p", "no:cacheprovider", f"--rootdir={REPO / 'tests/vm'}", f"--junitxml={report}",
                        f"--runtime={chosen.runtime}", "--durations=10",
                        *(["-m", "not slow"] if chosen.quick else []), *(["-k", chosen.word] if chosen.word else []), *tests],
                       plugins=[UseMachine()])
    return count(report) if report.exists() else [0, 0 if code == pytest.ExitCode.NO_TESTS_COLLECTED else 1, 0]


def count(report):
    """Passed, failed and skipped of a junit report."""
    suite = next(xml.etree.ElementTree.parse(report).getroot().iter("testsuite"))
    tests, failures, errors, skipped = (int(suite.get(name)) for name in ("tests", "failures", "errors", "skipped"))
    return [tests - failures - errors - skipped, failures + errors, skipped]


def main():
    chosen = options()
    end_on_signals()
    if "/" in chosen.runtime and not os.path.exists(chosen.runtime):
        sys.exit(f"vm-check: there is no {chosen.runtime}: build crt first, or name one with --runtime")
    if chosen.shell and not sys.stdin.isatty():
        sys.exit("vm-check: --shell wants a terminal")
    reports = pathlib.Path(os.environ.get("CRT_REPORTS") or tempfile.mkdtemp(prefix="crt-vm-reports-"))
    reports.mkdir(exist_ok=True)
    start = time.monotonic()
    totals = [0, 0, 0]
    folder = image.ensure(chosen.suite, chosen.kernel)
    with Machine(folder) as machine:
        machine.say(machine.run("echo $(. /etc/os-release; echo $PRETTY_NAME), Linux $(uname -r), $(systemctl --version | head -n 1)", check=True).out.strip())
        put_tests(machine, chosen.runtime)
        if chosen.shell:
            print(f"vm: a prompt in the machine; tests are in {GUEST}; exit switches it off")
            machine.shell()
            return 0
        if chosen.inside or not chosen.tests:
            totals = [sum(pair) for pair in zip(totals, run_inside(machine, chosen, reports / "e2e.xml"))]
        if chosen.outside or not chosen.tests:
            totals = [sum(pair) for pair in zip(totals, run_outside(machine, chosen, reports / "vm.xml"))]
    machine.say(f"{time.monotonic() - start:.0f} s in all; reports are in {reports}")
    print("{} passed, {} failed, {} skipped".format(*totals), flush=True)
    return 0 if totals[0] and not totals[1] else 1


if __name__ == "__main__":
    sys.exit(main())

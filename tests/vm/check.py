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
import record
from machine import Machine, end_on_signals

REPO = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("CRT_BUILD", REPO / "build"))
# Where the guest has what it needs of the repository
GUEST, GUEST_SHARED = "/opt/crt", "/opt/shared"
SHARED = pathlib.Path(os.environ.get("CRT_SHARED", REPO.parent / "shared"))
E2E_LIMIT_S = 3600
# What --core takes of tests/e2e: what a host with few controllers on cgroup v2, or an older kernel, skips
CORE = "(needs_controller or needs_kernel)"
# A test takes as many times longer under emulation
E2E_TEST_LIMIT_S, E2E_PATIENCE = 300, "6"


def options():
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--suite", choices=["trixie", "sid"], default="trixie")
    parser.add_argument("--kernel")
    parser.add_argument("--runtime", default=str(BUILD / "crt"))
    parser.add_argument("--core", action="store_true")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--shell", action="store_true")
    parser.add_argument("--record", action="store_true")
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
    """
    tests/e2e in the guest. Returns the counts. Two at a time, each test looking for what carries its own name only;
    then those that failed once more, alone, since emulation is slow enough to run into a limit now and then.
    """
    machine.say("tests/e2e in the machine, two at a time")
    tests = [re.sub(r".*?tests/e2e/?", f"{GUEST}/tests/e2e/", test) for test in chosen.inside]
    marks = " and ".join(([CORE] if chosen.core else []) + (["not slow"] if chosen.quick else []))
    words = [*(["-m", marks] if marks else []), *(["-k", chosen.word] if chosen.word else []), *tests]
    totals = [0, 0, 0]
    for who in ["root"] if chosen.core or "/" not in chosen.runtime else ["root", "user", "userns"]:
        machine.say(f"tests/e2e as {who}")
        counts = run_as(machine, chosen, who, words, report.with_name(f"e2e-{who}.xml"))
        totals = [sum(pair) for pair in zip(totals, counts)]
    return totals


def run_as(machine, chosen, who, words, report):
    env = {"CRT_E2E_AS": who}
    first = pytest_inside(machine, chosen, ["-n", "2", "--dist", "worksteal", *words], {**env, "CRT_E2E_BUSY": "1"}, report)
    again = failures(report) if first else []
    if not first or not 0 < len(again) <= 40:
        return first or [0, 1, 0]
    machine.say(f"{len(again)} of them once more, one at a time")
    second = pytest_inside(machine, chosen, again, env, report.with_name(f"e2e-{who}-alone.xml"))
    return [first[0] + second[0], second[1], first[2] + second[2]] if second else first


def pytest_inside(machine, chosen, words, env, report):
    """The counts, or None when there is no report."""
    file = f"{GUEST}/reports/e2e.xml"
    command = [f"{GUEST}/tests/e2e/run", "-v", "-o", f"timeout={E2E_TEST_LIMIT_S}", "--junitxml", file, *words]
    env = {"CRT_BUILD": f"{GUEST}/build", "CRT_SHARED": GUEST_SHARED, "CRT_E2E_PATIENCE": E2E_PATIENCE, **env,
           **({} if "/" in chosen.runtime else {"CRT": f"/usr/bin/{chosen.runtime}"})}
    folder = os.path.dirname(file)  # writable to whoever runs the tests
    machine.run(f"rm -rf {folder} && mkdir {folder} && chmod 777 {folder}", check=True)
    done = machine.run(command, env=env, timeout=E2E_LIMIT_S, show=True)
    if machine.run(["test", "-s", file]).code:
        print(f"tests/e2e ended without a report, exit code {done.code}")
        return None
    report.write_text(machine.read(file))
    return count(report)


def failures(report):
    """The cases of tests/e2e that failed, as pytest takes them."""
    cases = xml.etree.ElementTree.parse(report).getroot().iter("testcase")
    names = [f"{GUEST}/tests/e2e/{case.get('classname').split('.')[-1]}.py::{case.get('name')}" for case in cases
             if case.find("failure") is not None or case.find("error") is not None]
    return list(dict.fromkeys(names))


def run_outside(machine, chosen, report):
    """tests/vm on this side. Returns the counts."""
    machine.say("limits and engines")
    words = [*(["--control=failures"] if chosen.core else []), *(["-m", "not slow"] if chosen.quick else []),
             *(["-k", chosen.word] if chosen.word else []), *(chosen.outside or [str(REPO / "tests/vm")])]
    code, failed = pytest_outside(machine, chosen.runtime, report, words)
    if not report.exists():
        return [0, 0 if code == pytest.ExitCode.NO_TESTS_COLLECTED else 1, 0]
    counts = count(report)
    return once_more(machine, chosen, failed, report, counts) if 0 < len(failed) <= 20 else counts


def once_more(machine, chosen, failed, report, counts):
    """
    The cases that failed, alone, each with its control first: under emulation a limit is missed now and then. Returns
    the counts with what passed now, and says which these are. What only the control fails is shown, and no failure.
    """
    machine.say(f"{len(failed)} once more, with their controls first")
    name = pathlib.Path(chosen.runtime).name
    ours = [case for case in failed if not is_control(case)]
    controls = {re.sub(rf"\b{name}(?=[-\]])", record.CONTROL, case) for case in failed}
    _, again = pytest_outside(machine, record.CONTROL, report.with_name("vm-control.xml"), sorted(controls))
    print("".join(f"fails with {record.CONTROL}, too: {case}: the machine is at fault, or the case is\n" for case in again), end="")
    if ours:
        again += pytest_outside(machine, chosen.runtime, report.with_name("vm-once-more.xml"), ["--control=failures", *ours])[1]
    for case in failed:
        print(f"{'failed twice' if case in again else 'passed only the second time'}: {case}")
    mended = len(set(failed) - set(again))
    of_control = len({case for case in set(failed) & set(again) if is_control(case)})
    return [counts[0] + mended, counts[1] - mended - of_control, counts[2]]


def is_control(case):
    return bool(re.search(rf"\b{record.CONTROL}(?=[-\]])", case))


def pytest_outside(machine, runtime, report, words):
    """Exit code, and the cases that failed."""
    failed = {}

    class UseMachine:
        def pytest_configure(self, config):
            config.machine = machine

        def pytest_runtest_logreport(self, report):
            if report.failed:  # now, and not after ten more minutes
                failed[str(REPO / "tests/vm" / report.nodeid.split("/")[-1])] = True
                print(f"\n{report.longreprtext}\n" + "".join(f"{text}\n" for name, text in report.sections if name == "control"), flush=True)

    code = pytest.main(["-v", "-rs", "--no-header", "--tb=short", "-p", "no:cacheprovider", f"--rootdir={REPO / 'tests/vm'}",
                        f"--junitxml={report}", f"--runtime={runtime}", "--durations=10", *words], plugins=[UseMachine()])
    if code == pytest.ExitCode.INTERRUPTED:
        raise KeyboardInterrupt
    return code, list(failed)


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
    inside = outside = [0, 0, 0]
    folder = image.ensure(chosen.suite, chosen.kernel)
    with Machine(folder) as machine:
        machine.say(machine.run("echo $(. /etc/os-release; echo $PRETTY_NAME), Linux $(uname -r), $(systemctl --version | head -n 1)", check=True).out.strip())
        put_tests(machine, chosen.runtime)
        if chosen.shell:
            print(f"vm: a prompt in the machine; tests are in {GUEST}; exit switches it off")
            machine.shell()
            return 0
        if chosen.outside or not chosen.tests:
            outside = run_outside(machine, chosen, reports / "vm.xml")
        if chosen.inside or not chosen.tests:
            inside = run_inside(machine, chosen, reports / "e2e.xml")
        if chosen.record:
            all_inside = sum(inside) and not (chosen.word or chosen.quick or chosen.core) and chosen.inside in ([], ["tests/e2e"])
            record.record(machine, record.column(chosen.suite, chosen.kernel), pathlib.Path(chosen.runtime).name,
                          [path for path in (reports / f"vm{end}.xml" for end in ("", "-control", "-once-more")) if path.exists()],
                          inside if all_inside else None)
    totals = [sum(pair) for pair in zip(inside, outside)]
    machine.say(f"{time.monotonic() - start:.0f} s in all; reports are in {reports}")
    print("{} passed, {} failed, {} skipped".format(*totals), flush=True)
    return 0 if totals[0] and not totals[1] else 1


if __name__ == "__main__":
    sys.exit(main())

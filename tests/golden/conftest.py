"""
Golden cases: a document in, exact text out, no privilege needed. A case is a folder; the runner is test_golden.py.

    plan/NAME/       expects plan.txt:   crt explain, on the host that host.json describes
    errors/NAME/     expects errors.txt: crt check, on the same host

The document of a case is one of
    config.json      used as it is, byte for byte (a file that is no JSON at all, say)
    patch.json       a JSON merge patch (RFC 7396: objects merge, null removes, all else replaces) on base.json;
                     or on the config of another case, when the folder also has a file "from" with the name of one
and host.json in the folder is a merge patch on the common host.json, for a host with less or more; a file "manager" has
the name for --cgroup-manager, a file "rootless" the word for --rootless.

What the commands print starts with the exit code, and the bundle's path is written /bundle. Write the document, then

    tests/golden/run --update -k NAME

and read what has changed: git diff.
"""
import json
import os
import pathlib
import re
import subprocess

import pytest

HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(os.environ.get("CRT_BUILD", HERE.parents[1] / "build"))
CRT = BUILD / "crt"
KINDS = {"plan": ("plan.txt", ["explain"]), "errors": ("errors.txt", ["check", "--format", "text"])}


def pytest_addoption(parser):
    parser.addoption("--update", action="store_true", help="write what the commands print into the cases")


def pytest_generate_tests(metafunc):
    for kind in KINDS:
        if f"{kind}_case" in metafunc.fixturenames:
            cases = sorted(path for path in (HERE / kind).glob("*") if path.is_dir())
            metafunc.parametrize(f"{kind}_case", cases, ids=lambda path: path.name)


def merge(target, patch):
    """RFC 7396."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge(merged.get(key), value)
    return merged


def load(path):
    return json.loads(path.read_text())


def layout(value, indent=""):
    """JSON with short values on one line, so that a message's line and column point at something."""
    flat = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, (dict, list)) or not value or len(indent) + len(flat) <= 72 and indent:
        return flat
    inner = indent + "  "
    if isinstance(value, dict):
        items = [f"{inner}{json.dumps(key)}: {layout(item, inner)}" for key, item in value.items()]
        return "{\n" + ",\n".join(items) + "\n" + indent + "}"
    return "[\n" + ",\n".join(inner + layout(item, inner) for item in value) + "\n" + indent + "]"


def document(case):
    """The bytes of a case's config.json."""
    if (case / "config.json").exists():
        return (case / "config.json").read_bytes()
    base = HERE / "base.json"
    if (case / "from").exists():
        base = case.parent / (case / "from").read_text().strip() / "config.json"
    return (layout(merge(load(base), load(case / "patch.json"))) + "\n").encode()


def host(case):
    facts = load(HERE / "host.json")
    return layout(merge(facts, load(case / "host.json")) if (case / "host.json").exists() else facts) + "\n"


class Bundle:
    def __init__(self, path):
        self.path = path
        (path / "rootfs").mkdir()
        self.host_file = path / "host.json"
        self.host_file.write_text((HERE / "host.json").read_text())

    def write(self, data):
        (self.path / "config.json").write_bytes(data if isinstance(data, bytes) else data.encode())

    def crt(self, *args, manager="cgroupfs", rootless="auto"):
        """Run crt in the bundle; returns (exit code, everything it printed)."""
        command, *rest = args
        done = subprocess.run([CRT, "--root", self.path / "root", "--cgroup-manager", manager, "--rootless", rootless, command, "--host", self.host_file, *rest],
                              cwd=self.path, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=30)
        text = done.stdout.decode(errors="backslashreplace").replace(str(self.path), "/bundle")
        assert done.returncode >= 0, f"crt died of signal {-done.returncode}:\n{text}"
        assert "Sanitizer" not in text and "runtime error:" not in text, text
        return done.returncode, text


@pytest.fixture
def bundle(tmp_path):
    if not CRT.exists():
        pytest.fail(f"{CRT} does not exist: run make first")
    path = tmp_path / "bundle"
    path.mkdir()
    return Bundle(path)


@pytest.fixture
def compare(bundle, request):
    """compare(case, kind): run the command of this kind on the case and hold its output against the file."""
    def run(case, kind):
        expected_file, command = KINDS[kind]
        bundle.write(document(case))
        bundle.host_file.write_text(host(case))
        manager = (case / "manager").read_text().strip() if (case / "manager").exists() else "cgroupfs"
        rootless = (case / "rootless").read_text().strip() if (case / "rootless").exists() else "auto"
        code, text = bundle.crt(*command, manager=manager, rootless=rootless)
        actual = f"exit code {code}\n{text}"
        if request.config.getoption("--update"):
            (case / expected_file).write_text(actual)
        if not (case / expected_file).exists():
            pytest.fail(f"{expected_file} is not there yet; make it with --update. The output is\n{actual}", pytrace=False)
        expected = (case / expected_file).read_text()
        assert actual.splitlines() == expected.splitlines()
        return code
    return run

"""
Documents that engines wrote: tests/corpus, which tests/vm/capture.py makes; with them those of the shared data, and its
seccomp profiles, where there is any ($CRT_SHARED, or shared/ beside the repository). No expected text stands here, only
what must hold for each of them.
"""
import json
import os
import pathlib
import re

import pytest

from conftest import HERE, load

SHARED = pathlib.Path(os.environ.get("CRT_SHARED", HERE.parents[2] / "shared"))
CORPUS = sorted((HERE.parent / "corpus").glob("*.json")) + sorted((SHARED / "corpus").glob("*.json"))
PROFILES = sorted((SHARED / "oci").glob("seccomp-default-*.json"))
NO_DATA = pytest.param(None, marks=pytest.mark.skip(reason=f"needs the shared data: there is none in {SHARED}"))
# podman without root runs its runtime in a user namespace of its own
ROOTLESS = {"userNamespace": True, "controllers": "cpu cpuset io memory pids",
            "cgroupOwn": "/user.slice/user-1000.slice/user@1000.service/user.slice"}
# What engines' profiles say to the engine, before it has made a filter of them
ENGINE_WORDS = {"archMap", "includes", "excludes", "comment", "defaultErrno", "errno"}


def name(path):
    return path.stem if path else "none"


@pytest.fixture
def document(bundle, request):
    """A document of the corpus in the bundle: byte for byte, but with the rootfs that there is."""
    path = request.param
    text = path.read_text()
    rootfs = json.dumps(json.loads(text)["root"]["path"])
    assert text.count(rootfs) == 1
    bundle.write(text.replace(rootfs, '"rootfs"'))
    if "rootless" in path.name:
        bundle.host_file.write_text(json.dumps({**load(HERE / "host.json"), **ROOTLESS}))
    return json.loads(text)


@pytest.mark.parametrize("document", CORPUS, indirect=True, ids=name)
def test_engine_document_has_no_problems(bundle, document):
    assert bundle.crt("check", "--format", "text") == (0, "no problems found\n")


def position(plan, pattern):
    """The step of the first operation that matches."""
    found = re.search(rf"^ *(\d+) \w+ +{pattern}", plan, re.M)
    assert found, f"nothing like {pattern} in\n{plan}"
    return int(found[1])


@pytest.mark.parametrize("document", CORPUS, indirect=True, ids=name)
def test_engine_document_has_a_plan(bundle, document):
    code, plan = bundle.crt("explain")
    assert code == 0, plan
    order = [position(plan, pattern) for pattern in
             ("make cgroup", ".*clone init", "hide", "attach the root filesystem", "pivot_root", "become uid .*groups", "find program", "execute")]
    assert order == sorted(order)
    for mount in document["mounts"]:
        verb = "bind" if {"bind", "rbind"} & set(mount.get("options", [])) else "mount"
        if mount["type"] == "cgroup":
            verb = "(?:mount|bind)"  # without a cgroup namespace it is the host's
        assert re.search(rf"^ *\d+ init +{verb} .* on {re.escape(mount['destination'])}(?: |$)", plan, re.M), mount
    assert plan.count("limit RLIMIT_") == len(document["process"].get("rlimits", []))
    assert len(re.findall(r"(?:mask|make) /\S+(?: read-only)?, if it exists", plan)) == \
        len((document["linux"].get("maskedPaths") or [])) + len((document["linux"].get("readonlyPaths") or []))
    assert ("load the seccomp filter" in plan) == ("seccomp" in document["linux"])


@pytest.mark.parametrize("path", PROFILES or [NO_DATA], ids=name)
def test_seccomp_profile(bundle, path):
    profile = load(path)
    config = load(HERE / "base.json")
    config["process"]["noNewPrivileges"] = True
    config["linux"]["seccomp"] = profile
    bundle.write(json.dumps(config, indent=1))
    code, problems = bundle.crt("check", "--format", "json")
    assert code == 0, problems
    unknown = {re.fullmatch(r'unknown member "(\w+)" of the .*', problem["message"])[1] for problem in json.loads(problems)["problems"]}
    assert unknown <= ENGINE_WORDS
    code, plan = bundle.crt("explain")
    assert code == 0, plan
    rules = sum(len(rule["names"]) for rule in profile["syscalls"])
    compiled = position(plan, f"compile the seccomp filter: {rules} rules")
    order = [compiled, position(plan, "clone init"), position(plan, "set capabilities"), position(plan, "forbid new privileges"),
             position(plan, "load the seccomp filter"), position(plan, "execute")]
    assert order == sorted(order) and order[-1] == order[-2] + 1

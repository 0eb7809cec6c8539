"""Buildah: commands in a working container, and the steps of a build file, by the runtime."""
import pytest

from conftest import IMAGE, ok


@pytest.fixture
def working(rt):
    """A working container; its name."""
    name = ok(rt.vm.run(["buildah", "from", IMAGE])).strip()
    yield name
    rt.vm.run(["buildah", "rm", name])


def run(rt, name, *args, options=()):
    return rt.vm.run(["buildah", "run", "--isolation", "oci", "--runtime", rt.path, "--network", "none", *options, name, "--", *args], timeout=120)


def test_run_and_exit_code(rt, working):
    result = run(rt, working, "sh", "-c", "echo out; echo err >&2; exit 7")
    assert result.code == 7 and result.out == "out\n" and "err\n" in result.err, result


def test_what_it_writes_stays(rt, working):
    ok(run(rt, working, "sh", "-c", "id -u >/made; pwd >>/made", options=["--user", "1000:1000", "--workingdir", "/tmp"]), code=1)
    ok(run(rt, working, "sh", "-c", "id -u >/made; pwd >>/made", options=["--workingdir", "/tmp"]))
    assert ok(run(rt, working, "cat", "/made")).split() == ["0", "/tmp"]


def test_build(rt):
    rt.vm.run(f"mkdir -p /tmp/buildah && printf 'FROM {IMAGE}\\nRUN echo $(id -u) $$ >/made\\nRUN cat /made\\n' >/tmp/buildah/Containerfile", check=True)
    try:
        out = ok(rt.vm.run(["buildah", "build", "--isolation", "oci", "--runtime", rt.path, "--network", "none", "--tag", "localhost/built:vm",
                            "/tmp/buildah"], timeout=180))
        assert "0 1" in out.splitlines()
    finally:
        rt.vm.run(["buildah", "rmi", "localhost/built:vm"])

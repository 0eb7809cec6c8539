"""Buildah, as root and from a user's session: commands in a working container, and the steps of a build file, by the runtime."""
import pytest

from conftest import IMAGE, ok


class Buildah:
    def __init__(self, rt, user):
        self.rt, self.user = rt, user

    def __call__(self, *args, timeout=120):
        return self.rt.vm.run(["buildah", *args], user=self.user, timeout=timeout)

    def step(self, command, *args):
        """What runs a container: "oci" is the isolation that wants a whole one, "rootless" what a user can have of it."""
        return self(command, "--isolation", "rootless" if self.user else "oci", "--runtime", self.rt.path, "--network", "none", *args, timeout=180)

    def run(self, name, *args, options=()):
        return self.step("run", *options, name, "--", *args)


@pytest.fixture(params=[None, "full"], ids=["root", "user"])
def buildah(request, rt):
    return Buildah(rt, request.param)


@pytest.fixture
def working(buildah):
    """A working container; its name."""
    name = ok(buildah("from", IMAGE)).strip()
    yield name
    buildah("rm", name)


def test_run_and_exit_code(buildah, working):
    result = buildah.run(working, "sh", "-c", "echo out; echo err >&2; exit 7")
    assert result.code == 7 and result.out == "out\n" and "err\n" in result.err, result


def test_what_it_writes_stays(buildah, working):
    ok(buildah.run(working, "sh", "-c", "id -u >/made; pwd >>/made", options=["--user", "1000:1000", "--workingdir", "/tmp"]), code=1)
    ok(buildah.run(working, "sh", "-c", "id -u >/made; pwd >>/made", options=["--workingdir", "/tmp"]))
    assert ok(buildah.run(working, "cat", "/made")).split() == ["0", "/tmp"]


def test_build(buildah):
    folder = f"/tmp/buildah-{buildah.user or 'root'}"
    buildah.rt.vm.run(f"mkdir -p {folder} && printf 'FROM {IMAGE}\\nRUN echo $(id -u) $$ >/made\\nRUN cat /made\\n' >{folder}/Containerfile", check=True)
    try:
        assert "0 1" in ok(buildah.step("build", "--tag", "localhost/built:vm", folder)).splitlines()
    finally:
        buildah("rmi", "localhost/built:vm")

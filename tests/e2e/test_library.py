"""libcontainer as another program uses it: the installed header, library and pkg-config file, nothing else."""
import os
import re
import shutil
import subprocess

import pytest

import harness

pytestmark = [
    pytest.mark.skipif(not harness.IS_CRT, reason="crt's own library"),
    pytest.mark.skipif(not (harness.BUILD / "Makefile").exists(), reason="compiles against the build's folder (contrib/check runs it where that is)"),
]


@pytest.fixture(scope="session")
def installed(tmp_path_factory):
    """The folder of `make install DESTDIR=`."""
    path = tmp_path_factory.mktemp("installed")
    subprocess.run(["make", "-s", "-C", harness.BUILD, "install", f"DESTDIR={path}"], check=True, stdout=subprocess.DEVNULL)
    return path


def pkg_config(installed, *args):
    file = next(installed.rglob("libcontainer.pc"))
    env = os.environ | {"PKG_CONFIG_PATH": str(file.parent), "PKG_CONFIG_SYSROOT_DIR": str(installed)}
    return subprocess.run(["pkg-config", *args, "libcontainer"], check=True, capture_output=True, text=True, env=env).stdout.split()


@pytest.fixture(scope="session")
def program(installed, tmp_path_factory):
    path = tmp_path_factory.mktemp("program") / "library"
    subprocess.run([os.environ.get("CC", "cc"), "-Wall", "-Wextra", "-Werror", "-pthread", "-o", path, harness.HERE / "library.c",
                    *pkg_config(installed, "--cflags"), *pkg_config(installed, "--libs", "--static")], check=True)
    return path


@pytest.fixture
def call(program, crt):
    def run(*args, **options):
        return crt(command=[program, crt.state, *map(str, args)], **options)
    return run


def test_what_is_installed(installed):
    names = {str(path.relative_to(installed)) for path in installed.rglob("*") if path.is_file()}
    for pattern in (r"bin/crt$", r"lib(/[\w-]+)?/libcontainer\.a$", r"include/libcontainer\.h$", r"pkgconfig/libcontainer\.pc$"):
        assert [name for name in names if re.search(pattern, name)], pattern
    assert not [name for name in names if re.search(r"lib(base|specs|init|floors)\.a", name)]


def test_uninstall_leaves_nothing(tmp_path):
    for target in ("install", "uninstall"):
        subprocess.run(["make", "-s", "-C", harness.BUILD, target, f"DESTDIR={tmp_path}"], check=True, stdout=subprocess.DEVNULL)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("compiler, options", [("gcc", ["-std=c11", "-Wpedantic"]), ("clang", ["-std=c11", "-Weverything", "-Wno-padded"]),
                                               ("gcc", ["-std=gnu17"]), ("g++", ["-x", "c++", "-std=c++17"])])
def test_the_header_stands_alone(installed, tmp_path, compiler, options):
    if not shutil.which(compiler):
        pytest.skip(f"{compiler} is not here (a machine that has it runs this)")
    (tmp_path / "alone.c").write_text("#include <libcontainer.h>\n#include <libcontainer.h>\n")
    if "-Weverything" in options:
        options = [*options, "-Wno-unknown-warning-option", "-Wno-declaration-after-statement", "-Wno-unsafe-buffer-usage",
                   "-Wno-missing-include-dirs"]
    subprocess.run([compiler, *options, "-Wall", "-Wextra", "-Werror", "-fsyntax-only", *pkg_config(installed, "--cflags"),
                    str(tmp_path / "alone.c")], check=True)


def test_run(bundle, call, crt):
    bundle.script("echo hello; exit 3").write()
    result = call("run", bundle.path, crt.new_id()).ok()
    assert result.out.splitlines()[0] == "hello" and result.out.splitlines()[1].endswith(" 3")


def test_several_containers_in_one_process(bundle, call, crt):
    bundle.script("exit 5").write()
    names = [crt.new_id() for _ in range(4)]
    assert call("run", bundle.path, *names).ok().out.splitlines() == [f"{name} 5" for name in names]
    assert crt.ids() == []


def test_two_containers_at_once(bundle, call, crt):
    bundle.sleeper().write()
    first, second = crt.new_id(), crt.new_id()
    out = call("two", bundle.path, first, second).ok().out.splitlines()
    assert out == [*sorted([f"{first} created 1", f"{second} created 1"]), "left 0"]


def test_the_command_sees_what_the_library_made(bundle, call, crt):
    bundle.sleeper().write()
    name = crt.new_id()
    container = crt.create(bundle, container=name)
    assert name in crt("list", "-q").ok().out
    container.end()


def test_control_of_a_running_container(bundle, call, crt):
    container = crt.start(bundle.sleeper())
    assert call("control", container.id).ok().out.splitlines() == [
        "pids 1 1", "update 1", 'update unified["cgroup.max.depth"] 0 []', "events 7"]
    assert (container.cgroup / "cgroup.max.depth").read_text() == "4\n" and container.status == "running"
    container.end()


def test_exec_beside_a_thread(call, bundle, crt):
    """With other threads the process on its way into the container gets a memory of its own: what hides that one hides only it."""
    container = crt.start(bundle.sleeper())
    assert call("thread", container.id).ok().out == "20 as it was\n"
    container.end()


def test_an_error_is_a_value(bundle, call):
    """It has the place in the document, and nothing was printed by the library."""
    bundle["process.cwd"] = "relative"
    bundle.write()
    result = call("error", bundle.path).ok()
    lines = result.out.splitlines()
    assert lines[0] == "1 1" and lines[1] == "process.cwd" and re.match(r"config.json:\d+:\d+$", lines[2])
    assert lines[-2:] == ["1", "1"] and result.err == ""


def test_texts(bundle, call):
    bundle.write()
    assert call("texts", bundle.path).ok().out.splitlines()[:4] == ["1", "1", "1", "0 0"]


def test_without_protection_no_container(bundle, call, crt):
    """crt_protect was not called: refused, for the program's file could be overwritten from inside."""
    bundle.script("echo ran").write()
    result = call("unprotected", bundle.path, crt.new_id())
    assert result.code != 0 and "crt_protect" in result.out and "ran" not in result.out.replace("crt_protect", "")
    assert crt.ids() == []

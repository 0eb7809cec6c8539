"""Sockets of a service manager: LISTEN_FDS of the caller goes to the container's process, and to no other."""
import os
import socket

import pytest

import harness


@pytest.fixture
def listener(tmp_path):
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(tmp_path / "listener"))
        sock.listen()
        yield sock


def with_fds(bundle, crt, listener, *words, listen="2", pid="$$", more=""):
    """Run words with fds 3 and 4 open, as a service manager would start crt."""
    environment = (f"LISTEN_FDS={listen} " if listen else "") + (f"LISTEN_PID={pid} " if pid else "")
    script = f'exec env {environment} {more} "$@" 3<&{listener.fileno()} 4</etc/passwd 5</etc/group'
    command = crt.command(*words)
    return crt(command=["bash", "-c", script, "bash", *command], pass_fds=(listener.fileno(),))


def run(bundle, crt, listener, script, options=(), **more):
    bundle.script(script).write()
    return with_fds(bundle, crt, listener, "run", *options, "--bundle", bundle.path, crt.new_id(), **more)


SHOW = "env | grep ^LISTEN | sort; probe fds | cut -d' ' -f1 | tr '\\n' ' '"


@pytest.mark.parametrize("pid", ["$$", ""])
def test_sockets_are_passed(bundle, crt, listener, pid):
    out = run(bundle, crt, listener, SHOW, pid=pid).ok().out
    assert out == "LISTEN_FDS=2\nLISTEN_PID=1\n0 1 2 3 4 "


def test_it_is_the_socket(bundle, crt, listener, tmp_path):
    client = socket.socket(socket.AF_UNIX)
    client.connect(str(tmp_path / "listener"))
    out = run(bundle, crt, listener, "readlink /proc/self/fd/3").ok().out
    assert out.strip() == f"socket:[{os.fstat(listener.fileno()).st_ino}]"


def test_names(bundle, crt, listener):
    out = run(bundle, crt, listener, SHOW, more="LISTEN_FDNAMES=web:passwd").ok().out
    assert "LISTEN_FDNAMES=web:passwd\nLISTEN_FDS=2\n" in out


def test_preserved_fds_come_after_them(bundle, crt, listener):
    out = run(bundle, crt, listener, SHOW, options=["--preserve-fds", "1"]).ok().out
    assert out == "LISTEN_FDS=2\nLISTEN_PID=1\n0 1 2 3 4 5 "


@pytest.mark.parametrize("pid, listen", [("1", "2"), ("x", "2"), ("$$", ""), ("$$", "0")])
def test_for_somebody_else_or_none(bundle, crt, listener, pid, listen):
    assert run(bundle, crt, listener, SHOW, pid=pid, listen=listen).ok().out == "0 1 2 "


def test_what_the_document_says_of_fds_does_not_count(bundle, crt, listener):
    bundle["process.env"] += ["LISTEN_FDS=9", "LISTEN_PID=77", "LISTEN_FDNAMES=old", "LISTEN_ADDRESS=here"]
    out = run(bundle, crt, listener, SHOW).ok().out
    assert out == "LISTEN_ADDRESS=here\nLISTEN_FDS=2\nLISTEN_PID=1\n0 1 2 3 4 "
    out = run(bundle, crt, listener, "env | grep LISTEN", listen="").ok().out
    assert "LISTEN_FDS=9" in out, "and stays where there are none"


def test_the_pid_outside_a_pid_namespace(bundle, crt, listener):
    bundle.without_namespace("pid")
    assert run(bundle, crt, listener, '[ "$LISTEN_PID" = "$$" ] && echo right').ok().out == "right\n"


def test_create_and_start(bundle, crt, listener):
    bundle.script(SHOW).write()
    name = crt.new_id()
    with_fds(bundle, crt, listener, "create", "--bundle", bundle.path, name).ok()
    container = harness.Container(crt, name, bundle)
    files = [os.readlink(f"/proc/{container.pid}/fd/{fd}") for fd in (3, 4)]
    assert files[0].startswith("socket:") and files[1] == "/etc/passwd"
    container.start().wait_stopped()
    container.delete()


def test_hooks_do_not_have_them(bundle, crt, listener, tmp_path):
    hook = tmp_path / "hook"
    hook.write_text(f"#!/bin/sh\nls /proc/self/fd > {tmp_path}/fds; env > {tmp_path}/env\n")
    hook.chmod(0o755)
    bundle["hooks"] = {"createRuntime": [{"path": str(hook)}]}
    run(bundle, crt, listener, "true").ok()
    assert (tmp_path / "fds").read_text().split()[:3] == ["0", "1", "2"] and len((tmp_path / "fds").read_text().split()) == 4
    assert "LISTEN" not in (tmp_path / "env").read_text()


def test_exec_does_not_get_them(bundle, crt, listener):
    container = crt.start(bundle.sleeper())
    assert with_fds(bundle, crt, listener, "exec", container.id, "sh", "-c", SHOW).ok().out == "0 1 2 "
    container.end()


@pytest.mark.parametrize("listen, words", [("3 ", "LISTEN_FDS=3: file descriptor 5 is not open"), ("many", "LISTEN_FDS=many"),
                                           ("-1", "LISTEN_FDS=-1"), ("99999999", "LISTEN_FDS=99999999")])
def test_promises_that_are_not_kept(bundle, crt, listener, listen, words):
    bundle.script("true").write()
    script = f'exec env LISTEN_FDS={listen} "$@" 3</dev/null 4</dev/null'
    crt(command=["bash", "-c", script, "bash", *crt.command("run", "--bundle", bundle.path, crt.new_id())]).failed(words)

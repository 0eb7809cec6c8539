"""The manual and the completions against the tables of src/ and specs/, which they are made from; and what the completions do."""
import pathlib
import os
import re
import shutil
import subprocess

import pytest

from conftest import BUILD, HERE

ROOT = HERE.parents[1]
TABLES = BUILD / "man/tables"
# Folder -> its files that the generator there makes
MADE = {"man": ["crt*.[15]"], "contrib/completions": ["crt", "_crt", "crt.fish"]}


@pytest.mark.parametrize("folder", MADE)
def test_is_what_the_tables_say(folder, tmp_path, request):
    """After a change in a table: tests/golden/run --update -k generated, and look at git diff."""
    if not TABLES.exists():
        pytest.fail(f"{TABLES} does not exist: run make first")
    (tmp_path / "tables.json").write_bytes(subprocess.run([TABLES], check=True, capture_output=True).stdout)
    (tmp_path / "made").mkdir()
    subprocess.run([ROOT / folder / "generate", tmp_path / "tables.json", tmp_path / "made"], check=True)
    made = {path.name: path.read_text() for path in (tmp_path / "made").iterdir()}
    there = {path for pattern in MADE[folder] for path in (ROOT / folder).glob(pattern)}
    if request.config.getoption("--update"):
        for path in there:
            path.unlink()
        for name, text in made.items():
            (ROOT / folder / name).write_text(text)
        return
    differ = {path.name for path in there} ^ set(made) | {path.name for path in there if path.read_text() != made.get(path.name)}
    assert not differ, f"tests/golden/run --update -k generated writes {folder}/{', '.join(sorted(differ))} anew"


@pytest.mark.parametrize("page", sorted((ROOT / "man").glob("*.[15]")), ids=lambda path: path.name)
def test_page_is_clean(page):
    if not shutil.which("mandoc"):
        pytest.skip("mandoc is not installed (contrib/check installs and runs it)")
    done = subprocess.run(["mandoc", "-Tlint", page.name], cwd=page.parent, capture_output=True, text=True)
    # Whether other packages' pages are installed is none of ours
    complaints = [line for line in done.stdout.splitlines() if "mandoc.db" not in line and "referenced manual not found" not in line]
    assert not complaints, "\n".join(complaints)


def test_pages_refer_to_pages_that_exist():
    for page in (ROOT / "man").glob("*.[15]"):
        for name, section in re.findall(r"^\.(?:It )?Xr (crt\S*) (\d)", page.read_text(), re.M):
            assert (ROOT / f"man/{name}.{section}").exists(), f"{page.name}: {name}({section})"


# ---- Completions: what is offered for a line, with a crt that has the containers web and worker ---------------------

FAKE = '#!/bin/sh\n[ "$*" = "list --quiet" ] && printf "web\\nworker\\n"\n[ "$*" = "--root /r list --quiet" ] && echo elsewhere\n'
OFFERED = [
    ("crt ", "check create delete"), ("crt st", "start state"), ("crt help ex", "exec explain"), ("crt --lo", "--log --log-format --log-level"),
    ("crt --log-level ", "debug error info warning"), ("crt --log-format j", "json"),
    ("crt run --b", "--bundle"), ("crt run -d --ke", "--keep"), ("crt list --format ", "json table"), ("crt list --format=j", "json"),
    ("crt start ", "web worker"), ("crt start we", "web"), ("crt delete --force wo", "worker"), ("crt exec --env A=b wo", "worker"), ("crt exec -u 1:2 --env A=", ""),
    ("crt --root /r start ", "elsewhere"), ("crt --debug --root /r state ", "elsewhere"), ("crt --root=/r state ", "elsewhere"),
    ("crt create ", ""), ("crt kill web SIGHU", "SIGHUP"), ("crt state web ", ""), ("crt create --pid-file a", "afile afolder/"),
    ("crt create --bundle a", "afolder/"), ("crt check -b a", "afolder/"), ("crt --root /r list --qu", "--quiet"), ("crt exec --tt", "--tty"),
    ("crt mounts ", "add remove"), ("crt mounts add we", "web"), ("crt mounts add web a", "afile afolder/"),
]

DRIVE_BASH = r"""
source "$1"
shift
COMP_LINE=$1 COMP_POINT=${#1} COMP_TYPE=9
shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_crt crt
for word in "${COMPREPLY[@]}"; do
    [ -d "$word" ] && echo "$word/" || echo "$word"
done
"""


@pytest.fixture
def desk(tmp_path):
    """A folder to type in, and an environment whose crt is FAKE."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/crt").write_text(FAKE)
    (tmp_path / "bin/crt").chmod(0o755)
    desk = tmp_path / "desk"
    (desk / "afolder").mkdir(parents=True)
    (desk / "afile").touch()
    return desk, os.environ | {"PATH": f"{tmp_path}/bin:{os.environ['PATH']}", "HOME": str(tmp_path)}


def check_offer(offered, expected, line):
    """All of them; for the list of commands the first few."""
    offered = sorted(set(offered))
    assert (offered[:3] if line == "crt " else offered) == expected.split()


@pytest.mark.parametrize("line, expected", OFFERED, ids=[line for line, _ in OFFERED])
def test_bash(desk, line, expected):
    """COMP_WORDS are cut at blanks and around '=' and ':', as readline does it."""
    folder, env = desk
    words = re.sub("([=:])", r" \1 ", line).split() + ([""] if line.endswith(" ") else [])
    done = subprocess.run(["bash", "--norc", "-c", DRIVE_BASH, "bash", ROOT / "contrib/completions/crt", line, *words], cwd=folder, env=env,
                          capture_output=True, text=True, timeout=20)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    check_offer(done.stdout.splitlines(), expected, line)


@pytest.mark.skipif(not shutil.which("fish"), reason="fish is not installed (with the package fish this runs)")
@pytest.mark.parametrize("line, expected", OFFERED, ids=[line for line, _ in OFFERED])
def test_fish(desk, line, expected):
    folder, env = desk
    done = subprocess.run(["fish", "--no-config", "-c", f"source {ROOT}/contrib/completions/crt.fish; complete -C '{line}'"], cwd=folder, env=env,
                          capture_output=True, text=True, timeout=20)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    check_offer([word.split("\t")[0].rpartition("=")[2] for word in done.stdout.splitlines()], expected, line)


@pytest.mark.skipif(not shutil.which("zsh"), reason="zsh is not installed (with the package zsh this runs)")
def test_zsh_parses():
    done = subprocess.run(["zsh", "-n", ROOT / "contrib/completions/_crt"], capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == "", done.stderr


def test_all_is_installed(tmp_path):
    """Every page and every completion, where man, bash, zsh and fish look for them."""
    if not (BUILD / "Makefile").exists():
        pytest.fail(f"{BUILD} is no build folder")
    done = subprocess.run(["make", "-s", "-C", BUILD, "install-data", f"DESTDIR={tmp_path}", "prefix=/p"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    there = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    pages = {f"p/share/man/man{path.suffix[1:]}/{path.name}" for path in (ROOT / "man").glob("*.[15]")}
    assert len(pages) > 15 and pages <= there
    assert {"p/share/bash-completion/completions/crt", "p/share/zsh/site-functions/_crt", "p/share/fish/vendor_completions.d/crt.fish"} <= there

"""The tracked files themselves: words that must not be there, scripts that parse, layout."""
import re
import shutil
import subprocess

import pytest

import tree

# Spelled in pieces, so that this file does not find itself
FORBIDDEN = {
    "a path of somebody's machine": r"(?<![\w.])/(?:work|Users)/[a-z]\w+|/root/(?:\.py|src|crt)",
    "a package mirror": r"https?://[\w.-]*(?:mirror|deb\.debian|security\.debian|ar" + r"tifactory|pypi\.org|registry\.npm)",
    "a name of the workshop": r"\bpyenv\b|\bCL" + r"AUDE\b|\bAI-gen" + r"erated\b|\bco-auth" + r"ored-by\b",
}
TEXT = [path for path in tree.files() if path.suffix not in {".png", ".xz", ".gz", ".o", ".a"} and path.name != "LICENSE"]
SHELL = [path for path in tree.files() if path.suffix in {".sh", ""} and
         re.match(r"#!(/usr/bin/env |/bin/)(ba)?sh\b", tree.text(path)[:40])]
# How much a file may hold before two ideas live in it
LONGEST_C_FILE = 800


@tree.each_folder(TEXT)
def test_text(paths):
    for path in paths:
        text = tree.text(path)
        for what, pattern in FORBIDDEN.items():
            found = re.search(pattern, text, re.I)
            assert not found, f"{path}:{text[:found.start()].count(chr(10)) + 1}: {what}: {found.group()}"
        assert not text or text.endswith("\n") or "golden" in path.parts, f"{path}: no newline at its end"
        assert "\r" not in text or "golden" in path.parts, f"{path}: carriage returns"
        if path.suffix not in {".md", ".json", ".txt"}:
            bad = [number for number, line in enumerate(text.split("\n"), 1) if line != line.rstrip(" \t")]
            assert not bad, f"{path}: blanks at the end of lines {bad}"


@pytest.mark.parametrize("path", SHELL, ids=str)
def test_shell(path):
    shell = "bash" if "bash" in tree.text(path).split("\n")[0] else "sh"
    done = subprocess.run([shell, "-n", str(path)], cwd=tree.ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    if shutil.which("shellcheck"):
        done = subprocess.run(["shellcheck", "-x", "-P", "SCRIPTDIR", str(path)], cwd=tree.ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout


def test_there_are_shell_scripts():
    assert {"autogen.sh", "contrib/check", "contrib/quickstart", ".ci/run"} <= {str(path) for path in SHELL}


@tree.each_folder(tree.sources(".c", ".h"))
def test_c_style(paths):
    for path in paths:
        text = tree.text(path)
        assert text.startswith("/*"), f"{path}: no comment at its top that says what the file decides"
        assert text.count("\n") <= LONGEST_C_FILE, f"{path}: which two ideas does it hold?"
        assert not re.search(r"\btypedef\s+(struct|enum|union)\b", text), f"{path}: a typedef'd struct"
        if path.suffix == ".h":
            assert re.search(r"^#ifndef (\w+)\n#define \1$", text, re.M), f"{path}: no include guard"


CLANG_FORMAT = shutil.which("clang-format")
VERSION = subprocess.run([CLANG_FORMAT, "--version"], capture_output=True, text=True).stdout if CLANG_FORMAT else "none"


@pytest.mark.skipif(" 14." not in VERSION, reason="other versions of clang-format lay out differently (Debian 12 has 14 and runs this)")
@tree.each_folder(tree.sources(".c", ".h"))
def test_format(paths):
    done = subprocess.run([CLANG_FORMAT, "--dry-run", "-Werror", *map(str, paths)], cwd=tree.ROOT, capture_output=True, text=True)
    assert done.returncode == 0, "make format:\n" + "\n".join(sorted({line.split(":")[0] for line in done.stderr.splitlines() if ": error:" in line}))


def test_every_source_is_built():
    """A file that no list names is left out of the build, or out of the tarball."""
    listed = " ".join(tree.text(path) for path in tree.files() if path.suffix == ".mk" or path.name == "Makefile.am").split()
    sources = [str(path) for path in tree.sources(".c", ".h", ".def") if path.parts[0] in ("base", "specs", "libcontainer", "src")]
    assert not [path for path in sources if path not in listed]

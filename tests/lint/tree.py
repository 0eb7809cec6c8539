"""What the lint tests share: where the source and the build tree are, and which files are ours."""
import functools
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("CRT_BUILD", ROOT / "build"))
# What a build or an editor leaves behind, for trees that are not under git (a distribution's tarball)
NOT_SOURCE = {".git", "build", "build-clang", "build-asan", "build-aux", "autom4te.cache", "__pycache__", ".pytest_cache",
              "_build", "_inst", "configure", "aclocal.m4", "Makefile.in"}


@functools.lru_cache
def files():
    """All files of the project, relative to its root."""
    try:
        names = subprocess.run(["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                               cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
        if (ROOT / ".git").exists() and any(names):
            return sorted(pathlib.Path(name) for name in names if name and (ROOT / name).is_file())
    except (OSError, subprocess.CalledProcessError):
        pass
    return sorted(path.relative_to(ROOT) for path in ROOT.rglob("*")
                  if path.is_file() and not NOT_SOURCE.intersection(path.relative_to(ROOT).parts))


def sources(*suffixes):
    return [path for path in files() if path.suffix in suffixes]


def by_folder(paths):
    """[(folder, its files)]: one test looks at a folder, and names the files that it does not like."""
    folders = {}
    for path in paths:
        folders.setdefault("/".join(path.parts[:-1][:2]) or ".", []).append(path)
    return sorted(folders.items())


def each_folder(paths):
    """The parameters of such a test."""
    import pytest
    return pytest.mark.parametrize("paths", [pytest.param(found, id=folder) for folder, found in by_folder(paths)])


def text(path):
    return (ROOT / path).read_text(encoding="utf-8", errors="replace")

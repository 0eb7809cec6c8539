"""A folder includes only what stands below it: base < specs < libcontainer < src."""
import os
import re
import subprocess

import tree

# Folder -> the folders whose headers it may include; the longest matching folder counts. A folder may include
# itself. Inside libcontainer, init runs in the container: it knows the plan and base, nothing else.
MAY_INCLUDE = {
    "base": [],
    "specs": ["base"],
    "libcontainer": ["base", "specs", "libcontainer"],
    "libcontainer/host": ["base", "specs"],
    "libcontainer/cgroup": ["base", "specs", "libcontainer/host"],
    "libcontainer/seccomp": ["base", "specs", "libcontainer/host"],
    "libcontainer/state": ["base", "specs", "libcontainer/host"],
    "libcontainer/plan": ["base", "specs", "libcontainer/host", "libcontainer/cgroup", "libcontainer/seccomp"],
    "libcontainer/init": ["base", "libcontainer/plan"],
    "libcontainer/run": ["base", "specs", "libcontainer"],
    "src/libexec": ["base"],
    "src": ["base", "specs", "libcontainer"],
    "man": ["base", "specs", "libcontainer", "src"],
}
# A third-party header -> the only places that include it
ONLY_IN = {
    "yajl/": {"specs/json.c", "specs/tape.c"},
    "seccomp.h": {"libcontainer/seccomp", "tests/unit/seccomp_"},
    "criterion/": {"tests/unit"},
    "libmnl/": {"src/libexec"},
    "systemd/": {"src/libexec"},
}
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)
C_FILES = [path for path in tree.sources(".c", ".h", ".def") if path.parts[0] != "tests"]


def folder_of(path):
    parents = [str(parent) for parent in path.parents]
    return next((parent for parent in parents if parent in MAY_INCLUDE), None)


@tree.each_folder(C_FILES)
def test_includes_only_what_stands_below(paths):
    for path in paths:
        folder = folder_of(path)
        assert folder, f"{path}: this folder is no floor; add it to MAY_INCLUDE in {__name__}.py"
        allowed = tuple(floor + "/" for floor in [folder, *MAY_INCLUDE[folder]])
        for quote, name in INCLUDE.findall(tree.text(path)):
            if quote == '"':
                assert (tree.ROOT / name).is_file(), f'{path}: "{name}" is not a path from the root of the repository'
                assert name.startswith(allowed), f"{path} includes {name}, which does not stand below {folder}"


@tree.each_folder(tree.sources(".c", ".h"))
def test_third_party_headers_stay_in_their_corner(paths):
    for path in paths:
        for _, name in INCLUDE.findall(tree.text(path)):
            for header, places in ONLY_IN.items():
                if name.startswith(header):
                    assert str(path).startswith(tuple(places)), f"{path} includes <{name}>"


def test_the_public_header_needs_nothing_of_ours():
    names = INCLUDE.findall(tree.text("libcontainer/libcontainer.h"))
    assert names and all(quote == "<" for quote, _ in names)


@tree.each_folder(path for path in C_FILES if path.suffix == ".h")
def test_a_header_stands_alone(paths, tmp_path):
    unit = tmp_path / "alone.c"
    for path in paths:
        unit.write_text(f'#include "{path}"\n#include "{path}"\n')
        done = subprocess.run([*os.environ.get("CC", "cc").split(), "-std=gnu17", "-D_GNU_SOURCE", f"-I{tree.ROOT}",
                               "-fsyntax-only", str(unit)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

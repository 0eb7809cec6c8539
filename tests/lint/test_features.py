"""docs/features.md: every row names tests, and each of them is there."""
import functools
import os
import pathlib
import re

import pytest

import tree

SHARED = pathlib.Path(os.environ.get("CRT_SHARED", tree.ROOT.parent / "shared")) / "field/features.md"
WITHOUT_TESTS = {"Missing", "Left out"}  # when there is anything missing


def rows(text):
    """(section, cells) of each row of the tables."""
    section = None
    for line in text.splitlines():
        if line.startswith("## "):
            section = line[3:]
        elif line.startswith("| ") and not line.startswith("| Feature"):
            yield section, [cell.strip() for cell in line.strip("|").split("|")]


ROWS = list(rows(tree.text("docs/features.md")))


@functools.lru_cache
def source(path):
    return tree.text(path) if (tree.ROOT / path).exists() else ""


def exists(test):
    if test.startswith("golden/"):
        return any((tree.ROOT / "tests" / test).glob("*.txt"))
    file, name = test.split("::")
    if test.startswith("unit/"):
        return re.search(rf"^(Test|ParameterizedTest)\(\w+, {name}\b|^ParameterizedTest\(.*, {name}\b", source(f"tests/{file}.c"), re.M)
    return re.search(rf"^ *def {name}\(", source(f"tests/{file}"), re.M)


@pytest.mark.parametrize("section, cells", [pytest.param(*row, id=row[1][0][:40]) for row in ROWS])
def test_row(section, cells):
    assert len(cells) == 4 and all(cells), cells
    assert "y" in cells[1:3], f"{cells[0]}: neither runc nor crun has it"
    if section in WITHOUT_TESTS:
        return
    tests = re.findall(r"`([^`]*)`", cells[3])
    assert tests and not re.sub(r"`[^`]*`", "", cells[3]).strip(), f"{cells[0]}: tests, and only those, each in backquotes"
    gone = [test for test in tests if not exists(test)]
    assert not gone, f"{cells[0]}: {gone} do not exist"


def test_there_are_rows():
    assert len(ROWS) > 60 and "Left out" in {section for section, _ in ROWS}


def names(text):
    """Words that are names of something: options, members, system calls, annotations."""
    words = re.findall(r"--[a-z][\w-]+|\b[A-Za-z_]\w*(?:\.[\w-]+)+|\b[a-z]+[A-Z]\w+|\b[A-Z]{2,}_\w+", text)
    return {word for word in words if not word.endswith(".rs")}


@pytest.mark.skipif(not SHARED.exists(), reason="the list of what the field has is not part of the repository ($CRT_SHARED/field/features.md)")
def test_nothing_of_the_field_is_passed_over():
    """Every name in a row that runc or crun has a y in is somewhere in our list."""
    ours = tree.text("docs/features.md")
    for line in SHARED.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) < 5 or not any(re.search(r"\by\b", cell) for cell in cells[1:3]) or re.search("checkpoint|restore|lsm-profile|lazy-pages|wasm", line):
            continue
        missing = {name for name in names(cells[0]) if name not in ours}
        assert not missing, f"{cells[0]}: {missing}"

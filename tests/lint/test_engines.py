"""docs/engines.md names every case of tests/vm, and no other."""
import sys

import tree

sys.path.insert(0, str(tree.ROOT / "tests/vm"))
import record  # pylint: disable=wrong-import-position


def test_every_case_is_on_the_page():
    page = record.read_page()
    here = {f"{module.name}::{case}" for module in record.modules() for case in record.cases(module)}
    there = {f"{title}::{name.split('[')[0]}" for title, rows in page.items() if title.startswith("test_") for name in rows}
    assert sorted(here - there) == [], "docs/engines.md lacks these: contrib/vm-check --record tests/vm/FILE::CASE runs them and writes them there"
    assert sorted(there - here) == [], "docs/engines.md has cases that are gone: contrib/vm-check --record takes them off"


def test_no_failure_is_on_the_page():
    cells = [(title, name, cell) for title, rows in record.read_page().items() for name, row in rows.items() for cell in row.values()]
    assert [cell for cell in cells if cell[2].startswith("failed")] == []

"""
docs/engines.md: which cases of tests/vm have run in which machine, with which versions, and how they ended.

contrib/vm-check --record writes it, from the reports of its run: a machine is a column, a case a row. What did not run
this time keeps the cell it had, so that one new case is recorded by running it alone. tests/lint/test_engines.py holds
that every case has a row.
"""
import ast
import pathlib
import re
import xml.etree.ElementTree

HERE = pathlib.Path(__file__).resolve().parent
PAGE = HERE.parents[1] / "docs/engines.md"
CONTROL = "crun"
TOP = """# Engines

What crt has been tested with, in the machine that `contrib/vm-check` makes: Debian with systemd, cgroup v2 with every
controller, and the distribution's own engines. This page is written by `contrib/vm-check --record`, from the reports of
its runs; `tests/lint/test_engines.py` fails when a case is not on it.

A case of `tests/vm` runs with crun first, in the same machine: the control (with `--core`: after it, and only when it
failed). Where both end alike, or the control did not run, only crt's result
is given.
"""
MACHINES, SUM = "Machines", "Sum"
# What a machine has, and the command that says it
VERSIONS = {
    "Debian": ". /etc/os-release; echo $PRETTY_NAME",
    "Linux": "uname -r",
    "systemd": "systemctl --version | sed -n 's/^systemd \\([0-9]*\\).*/\\1/p'",
    "containerd": "containerd --version | cut -d' ' -f3",
    "Docker": "docker version --format '{{.Server.Version}}' 2>/dev/null || dockerd --version",
    "Podman": "podman --version | cut -d' ' -f3",
    "Buildah": "buildah --version | cut -d' ' -f3",
    "crun (the control)": "crun --version | sed -n 's/^crun version //p'",
}


def column(suite, kernel):
    return suite if kernel in (None, suite) else f"{suite}, kernel of {kernel}"


# ---- The cases there are ----


def modules():
    return sorted(HERE.glob("test_*.py"))


def cases(module):
    """The names of a file's tests, without their parameters."""
    return [node.name for node in ast.parse(module.read_text()).body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]


def about(module):
    return " ".join(ast.get_docstring(ast.parse(module.read_text())).split())


# ---- The page: {section: {row: {column: cell}}} ----


def read_page():
    sections, rows, columns = {}, {}, []
    for line in PAGE.read_text().splitlines() if PAGE.exists() else []:
        if line.startswith("## "):
            rows = sections.setdefault(line[3:], {})
            columns = []
        elif line.startswith("| ") and not line.startswith("| --"):
            name, *cells = [cell.strip() for cell in line.strip("|").split("|")]
            if columns:
                rows[name.strip("`")] = {column: cell for column, cell in zip(columns, cells) if cell}
            else:
                columns = cells
    return sections


def write_page(sections):
    columns = sorted({name for rows in sections.values() for row in rows.values() for name in row}, key=lambda name: ("kernel" in name, name != "trixie", name))
    text = TOP
    for title, rows in sections.items():
        code = "`" if title.startswith("test_") else ""
        note = f"{about(HERE / title)}\n\n" if code else ""
        lines = [" | ".join(["", *columns]), " | ".join(["---"] * (len(columns) + 1)),
                 *(" | ".join([f"{code}{name}{code}", *(row.get(column, "") for column in columns)]) for name, row in rows.items())]
        text += f"\n## {title}\n\n{note}" + "".join(f"| {line} |\n" for line in lines)
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(re.sub(r" +\|", " |", text))


# ---- A run ----


def outcome(case):
    for kind in "failure", "error", "skipped":
        found = case.find(kind)
        if found is not None:
            return f"skipped: {found.get('message')}" if kind == "skipped" else "failed"
    return "passed"


def ends(report, runtime):
    """{(file, case): {runtime: outcome}} of a report of tests/vm."""
    found = {}
    for case in xml.etree.ElementTree.parse(report).getroot().iter("testcase"):
        name, _, parameters = case.get("name").partition("[")
        words = [word for word in parameters.rstrip("]").split("-") if word]
        who = next((word for word in words if word in (runtime, CONTROL)), runtime)
        rest = "-".join(word for word in words if word != who)
        key = (case.get("classname").split(".")[-1] + ".py", f"{name}[{rest}]" if rest else name)
        if found.setdefault(key, {}).get(who) != "failed":  # a case whose end fails is there twice
            found[key][who] = outcome(case)
    return found


def results(reports, runtime):
    """{file: {case: cell}} of the reports of a run; what ran once more ended as it did then."""
    last = {}
    for report in reports:
        for key, by in ends(report, runtime).items():
            last.setdefault(key, {}).update(by)
    cells = {}
    for (file, name), by in last.items():
        mine, control = by.get(runtime), by.get(CONTROL)
        if mine:
            cell = mine if control in (None, mine) or mine.startswith("skipped") else f"{mine}; {CONTROL} {control}"
            cells.setdefault(file, {})[name] = cell.replace("|", "/").replace("\n", " ")
    return cells


def total(cells):
    counts = {word: sum(cell.startswith(word) for cell in cells) for word in ("passed", "failed", "skipped")}
    return ", ".join(f"{count} {word}" for word, count in counts.items() if count)


def record(machine, where, runtime, reports, e2e):
    """What this run showed, onto the page. reports: of tests/vm, in order; e2e: the counts of all of tests/e2e, if those ran."""
    old = read_page()
    versions = {name: (machine.run(command).out.strip().splitlines() or [""])[0] for name, command in VERSIONS.items()}
    sections = {MACHINES: old.get(MACHINES, {}), SUM: old.get(SUM, {})}
    for name, version in versions.items():
        sections[MACHINES].setdefault(name, {})[where] = version
    found = results(reports, runtime)
    for module in modules():
        there = set(cases(module))
        rows = {name: row for name, row in old.get(module.name, {}).items() if name.split("[")[0] in there}
        for name, cell in found.get(module.name, {}).items():
            rows.setdefault(name, {})[where] = cell
        order = cases(module)
        sections[module.name] = dict(sorted(rows.items(), key=lambda item: order.index(item[0].split("[")[0])))
        cells = [row[where] for row in rows.values() if where in row]
        if cells:
            sections[SUM].setdefault(module.name, {})[where] = total(cells)
    if e2e:
        sections[SUM].setdefault("tests/e2e in the machine", {})[where] = ", ".join(
            f"{count} {word}" for count, word in zip(e2e, ("passed", "failed", "skipped")) if count)
    write_page(sections)

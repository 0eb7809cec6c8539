"""Figures as a table, as plots, as docs/performance.md."""
import pathlib
import re
import shutil
import subprocess
import sys

TITLES = {"run": "run, plain", "docker": "run, Docker's profile, filter cached", "cold": "run, Docker's profile, nothing cached",
          "exec": "exec", "execd": "exec, Docker's profile"}
BEGIN, END = "<!-- figures: make bench-report -->", "<!-- end of figures -->"
# Of issue and README: what is to hold (work, label, against, at most)
TARGETS = [("run", "run", "floor", 1.35), ("run", "run", "crun", .5), ("docker", "run", "crun", .5), ("cold", "run", "crun", .5),
           ("exec", "exec", "crun", .35), ("query", "state", "crun", .35), ("query", "list", "crun", .35)]


def rows(figures):
    """(what, runtime, wall, cpu, peak, {other: ratio})"""
    for work, by_label in figures["works"].items():
        if work in ("rate", "growth", "calls", "memory"):
            continue
        for label, by_runtime in by_label.items():
            what = TITLES.get(work, label)
            for name, f in by_runtime.items():
                yield what, name, f["wall"], f["cpu"], f["peak"], f["pairs"]


def lines(figures):
    yield ["work", "runtime", "median ms", "p10", "p99", "CPU ms", "peak KiB", "crt is ... of it", "pair by pair"]
    medians = {(what, name): wall["median"] for what, name, wall, *_ in rows(figures)}
    crt_pairs = {what: pairs for what, name, _, _, _, pairs in rows(figures) if name == "crt"}
    for what, name, wall, cpu, peak, _ in rows(figures):
        ratio = "" if name == "crt" else f"{medians[what, 'crt'] / wall['median']:.2f}"
        pair = "" if name == "crt" else f"{crt_pairs[what][name]:.2f}"
        yield [what, name, *(f"{wall[key]:.2f}" for key in ("median", "p10", "p99")), f"{cpu['median']:.2f}", str(peak), ratio, pair]


def other_tables(figures):
    """(title, lines)"""
    works = figures["works"]
    names = list(figures["versions"])
    if "rate" in works:
        others = [*names[1:], "floor"]
        body = [[str(parallel), *(f"{by[name]['rate']:.0f}" for name in [*names, "floor"]),
                 *(f"{by['crt']['pairs'][name]:.2f}" for name in others)] for parallel, by in works["rate"].items()]
        yield "Starts per second", [["in parallel", *names, "floor", *(f"crt / {name}" for name in others)], *body]
    if "growth" in works:
        by = works["growth"]
        counts = [count for count in by["crt"] if count != "kib_each"]
        columns = {"run": "run", "run_cpu": "its CPU", "floor": "floor beside it", "floor_cpu": "its CPU", "list": "list"}
        body = [[str(count), *(f"{by[name][count][key]:.2f}" for name in by for key in columns)] for count in counts]
        body.append(["KiB each", *(text for name in by for text in (f"{by[name]['kib_each']['state']:.0f} state",
                                                                   f"{by[name]['kib_each']['memory']:.0f} memory", "", "", ""))])
        yield "With containers alive (median ms)", [["alive", *(f"{name} {title}" if key in ("run", "list") else title
                                                                for name in by for key, title in columns.items())], *body]
    if works.get("calls"):
        body = [[work, name, *(str(f[key]) for key in ("calls", "processes", "executed", "mounts"))]
                for work, by in works["calls"].items() for name, f in by.items()]
        yield "What the kernel is asked", [["work", "runtime", "system calls", "processes", "programs executed", "mounts on the host's side"],
                                           *body]
    if "memory" in works:
        yield "Smallest memory.max (KiB)", [list(map(str, works["memory"])), [str(value) for value in works["memory"].values()]]


def aligned(table):
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    return "\n".join("  ".join(cell.ljust(width) if not number else cell.rjust(width) for number, (cell, width) in
                               enumerate(zip(row, widths))).rstrip() for row in table)


def markdown(table):
    head, *body = table
    return "\n".join(["| " + " | ".join(head) + " |", "|" + "---|" * len(head), *("| " + " | ".join(row) + " |" for row in body)])


def targets(figures):
    table = [["target", "measured", ""]]
    for work, label, other, limit in TARGETS:
        by = figures["works"].get(work, {}).get(label, {})
        if other in by:
            ratio = by["crt"]["wall"]["median"] / by[other]["wall"]["median"]
            table.append([f"{TITLES.get(work, label)}: at most {limit} of {other}", f"{ratio:.2f}", "met" if ratio <= limit else "missed"])
    peaks = [peak for _, name, _, _, peak, _ in rows(figures) if name == "crt"]
    if peaks:
        table.append(["peak memory of any command: at most 1,331 KiB", f"{max(peaks)} KiB", "met" if max(peaks) <= 1331 else "missed"])
    if "exec" in figures["works"]:
        cpu = {name: f["cpu"]["median"] for name, f in figures["works"]["exec"]["exec"].items()}
        beside = "".join(f"; {name}'s: {cpu[name]:.2f}" for name in ("crun", "floor") if name in cpu)
        table.append(["exec: CPU time at most 1.5 ms", f"{cpu['crt']:.2f} ms{beside}", "met" if cpu["crt"] <= 1.5 else "missed"])
    for work, by in figures["works"].get("calls", {}).items():
        table.append([f"{work}: no mounts on the host's side", str(by["crt"]["mounts"]), "met" if not by["crt"]["mounts"] else "missed"])
    for parallel, by in figures["works"].get("rate", {}).items():
        if "crun" in by:
            ratio = by["crt"]["pairs"]["crun"]
            table.append([f"starts a second, {parallel} at a time: at least 2 x crun", f"{ratio:.2f}", "met" if ratio >= 2 else "missed"])
    growth = figures["works"].get("growth", {}).get("crt", {})
    counts = [count for count in growth if count != "kib_each"]
    if counts:
        first, last = growth[counts[0]], growth[counts[-1]]
        ratio, floor = last["run_cpu"] / first["run_cpu"], last["floor_cpu"] / first["floor_cpu"]
        table.append([f"start with {counts[-1]} alive: at most 1.15 of that with 1, in CPU time", f"{ratio:.2f}; the floor's: {floor:.2f}",
                      "met" if ratio <= 1.15 else "missed"])
    return table


def described(figures):
    m = figures["machine"]
    busy = f"load {m['load_before']:.1f} before and {m['load_after']:.1f} after"
    return (f"{m['processor']}, {m['cores']} cores, {m['memory_mib'] // 1024} GiB, virtualization: {m['virtualization']}, Linux "
            f"{m['kernel']}, {m['system']}; {busy}. " + ", ".join(f"{name} {version}" for name, version in figures["versions"].items())
            + (f". Filter: {figures['profile']}." if figures["profile"] != "-" else "."))


def table(figures):
    parts = ["", described(figures), "", aligned(list(lines(figures)))]
    for title, body in other_tables(figures):
        parts += ["", title, aligned(body)]
    return "\n".join([*parts, "", aligned(targets(figures))])


# ---- docs/performance.md and its plots ----

def gnuplot(path, commands):
    if not shutil.which("gnuplot"):
        print("bench: no plots without gnuplot (Debian: gnuplot-nox)", file=sys.stderr)
        return False
    svg = subprocess.run(["gnuplot"], input=commands, text=True, check=True, stdout=subprocess.PIPE).stdout
    path.write_text("\n".join(line.rstrip() for line in svg.splitlines()) + "\n")  # it ends lines with blanks
    return True


def plot_bars(folder, figures):
    works = [(work, label) for work, label in (("run", "run"), ("docker", "run"), ("cold", "run"), ("exec", "exec"), ("query", "state"))
             if work in figures["works"]]
    names = [*figures["versions"], "floor"]
    data = [" ".join(["work", *names])]
    for work, label in works:
        by = figures["works"][work][label]
        title = {"run": "run", "docker": "run (Docker's filter)", "cold": "... not cached", "exec": "exec", "query": "state"}[work]
        data.append(f'"{title}" ' + " ".join(f"{by[name]['wall']['median']:.3f}" if name in by else "?" for name in names))
    return gnuplot(folder / "performance.svg", f"""set terminal svg size 760,360 dynamic background "white" font "sans,11"
$data << EOD
{chr(10).join(data)}
EOD
set style data histograms
set style fill solid .8 border -1
set boxwidth .9
set logscale y 2
set ylabel "ms, median (logarithmic)"
set grid y
set datafile missing "?"
set key outside right
plot for [i=2:{len(names) + 1}] $data using i:xtic(1) title columnheader(i)
""")


def plot_growth(folder, figures):
    by = figures["works"].get("growth")
    if not by:
        return False
    blocks = "".join(f"${name} << EOD\n" + "\n".join(f"{count} {f['run']:.3f} {f['list']:.3f}" for count, f in own.items()
                                                    if count != "kib_each") + "\nEOD\n" for name, own in by.items())
    curves = ", ".join(f'${name} using 1:{column} with linespoints title "{name} {label}"'
                       for name in by for column, label in ((2, "run"), (3, "list")))
    return gnuplot(folder / "performance-growth.svg", f"""set terminal svg size 760,320 dynamic background "white" font "sans,11"
{blocks}
set logscale xy
set xlabel "containers alive"
set ylabel "ms, median"
set grid
set key outside right
plot {curves}
""")


def write(folder, figures):
    """Between the two marks of performance.md; what stands around them is written by hand."""
    folder.mkdir(exist_ok=True)
    page = folder / "performance.md"
    text = page.read_text() if page.exists() else f"# Performance\n\n{BEGIN}\n{END}\n"
    parts = [described(figures), ""]
    if plot_bars(folder, figures):
        parts += ["![medians of all runtimes](performance.svg)", ""]
    parts += [markdown(targets(figures)), "", markdown(list(lines(figures)))]
    for title, body in other_tables(figures):
        parts += ["", f"**{title}**", "", markdown(body)]
    if plot_growth(folder, figures):
        parts += ["", "![start and list with containers alive](performance-growth.svg)"]
    block = f"{BEGIN}\n\n" + "\n".join(parts) + f"\n\n{END}"
    page.write_text(re.sub(re.escape(BEGIN) + ".*?" + re.escape(END), lambda _: block, text, flags=re.S))
    print(f"bench: {page.name} is written", file=sys.stderr)

"""What the archives may ask of the C library, by nm: the code that runs inside a container most of all."""
import collections
import fnmatch
import functools
import os
import re
import subprocess

import pytest

import tree

NM = os.environ.get("NM", "nm")
ALLOWED_FILE = tree.ROOT / "tests/lint/init_symbols.txt"
# No allocation, stdio, JSON, seccomp compiler, name service or exit handlers behind anything that init calls
NEVER_IN_INIT = """malloc calloc realloc reallocarray free aligned_alloc posix_memalign strdup strndup asprintf vasprintf
    fopen fdopen fclose fread fwrite fgets fputs fputc puts printf fprintf vprintf vfprintf perror stdin stdout stderr
    opendir readdir getline getdelim exit abort dlopen getpw* getgrnam* getgrgid* yajl_* seccomp_* cap_* pthread_*""".split()
# Nothing below src/ prints or ends the process, and nobody asks the name service (CVE-2019-14271)
NEVER_BELOW_SRC = """printf vprintf fprintf vfprintf puts putchar fputs fputc perror stdout stderr exit abort system popen
    dlopen getpwnam* getpwuid* getgrnam* getgrgid* strcpy strcat sprintf vsprintf gets mktemp tmpnam""".split()

sanitized = pytest.mark.skipif("CRT_SANITIZERS = yes" in (tree.BUILD / "Makefile").read_text()
                               if (tree.BUILD / "Makefile").exists() else False,
                               reason="the sanitizers bring their own symbols (a plain build runs this)")


@functools.lru_cache
def members(archive):
    """{object: (defined names, undefined names)} of an archive of the build tree."""
    path = tree.BUILD / archive
    if not path.exists():
        pytest.fail(f"{path} does not exist: run make first")
    lines = subprocess.run([NM, "-A", str(path)], check=True, capture_output=True, text=True).stdout.splitlines()
    objects = collections.defaultdict(lambda: (set(), set()))
    for line in lines:
        where, _, rest = line.rpartition(":")
        kind, name = rest.split()[-2:]
        objects[where.rpartition(":")[2]][1 if kind in "Uwv" else 0].add(name.split("@")[0])
    return dict(objects)


def plain(name):
    """__memcpy_chk and __isoc99_x are memcpy and x, which _FORTIFY_SOURCE has wrapped."""
    wrapped = re.fullmatch(r"__(\w+)_chk", name)
    return wrapped.group(1) if wrapped and name != "__stack_chk_fail" else name


def matching(names, patterns):
    return sorted(name for name in names if any(fnmatch.fnmatchcase(plain(name), pattern) for pattern in patterns))


def undefined(archive):
    objects = members(archive).values()
    return set().union(*(needs for _, needs in objects)) - set().union(*(has for has, _ in objects))


def allowed_in_init():
    lines = (line.split("#")[0].split() for line in ALLOWED_FILE.read_text().splitlines())
    return [name for line in lines for name in line]


@sanitized
def test_init_calls_only_what_the_list_allows():
    allowed = allowed_in_init()
    strangers = [name for name in undefined("libinit.a") if not matching([name], allowed)]
    assert not strangers, f"init calls {sorted(strangers)}: not in {ALLOWED_FILE.name}, which says what a line must argue"


@sanitized
def test_nothing_behind_init_allocates_or_prints():
    """The same for what init's callees call in turn, object by object."""
    defined_by, needs_of = {}, {}
    for archive in ("libinit.a", "libbase.a", "libfloors.a"):
        for name, (has, needs) in members(archive).items():
            needs_of[archive, name] = needs
            for symbol in has:
                defined_by.setdefault(symbol, (archive, name))
    reached = [key for key in needs_of if key[0] == "libinit.a"]
    for key in reached:
        for symbol in needs_of[key]:
            if symbol in defined_by and defined_by[symbol] not in reached:
                reached.append(defined_by[symbol])
    bad = {f"{archive}({name})": found for archive, name in reached
           if (found := matching(needs_of[archive, name], NEVER_IN_INIT))}
    assert not bad


@sanitized
@pytest.mark.parametrize("archive", ["libbase.a", "libspecs.a", "libfloors.a", "libinit.a"])
def test_nothing_below_src_prints_or_exits(archive):
    bad = {name: found for name, (_, needs) in members(archive).items() if (found := matching(needs, NEVER_BELOW_SRC))}
    assert not bad


@sanitized
@pytest.mark.parametrize("archive", ["libbase.a", "libspecs.a", "libfloors.a", "libinit.a"])
def test_no_variable_outlives_a_call(archive):
    """Two containers in one process share nothing: no object has writable data. Constant tables are fine."""
    table = subprocess.run(["readelf", "-SW", str(tree.BUILD / archive)], check=True, capture_output=True, text=True).stdout
    member, bad = "", []
    for line in table.splitlines():
        if line.startswith("File: "):
            member = line[6:]
        section = re.search(r"\] (\.(?:t?bss|t?data)(?:\.[\w.]+)?) +\w+ +\w+ \w+ (\w+)", line)
        if section and int(section.group(2), 16) and not section.group(1).startswith(".data.rel.ro"):
            bad.append(f"{member}: {section.group(1)}, {int(section.group(2), 16)} bytes")
    assert not bad


def test_the_library_shows_only_crt_names():
    path = tree.BUILD / "libcontainer.a"
    if not path.exists():
        pytest.fail(f"{path} does not exist: run make first")
    lines = subprocess.run([NM, "-g", "--defined-only", str(path)], check=True, capture_output=True, text=True).stdout
    names = [line.split()[-1] for line in lines.splitlines() if len(line.split()) == 3]
    assert not [name for name in names if not name.startswith("crt_")]
    header = re.findall(r"^(?!typedef)[^/\n]*\b(crt_\w+)\(", tree.text("libcontainer/libcontainer.h"), re.M)
    assert sorted(names) == sorted(header), "the header and the library differ"

# shellcheck shell=bash
# What quickstart and check share: saying what happens, packages of the distribution, builds. Sourced, not run.

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if [ -t 1 ] && [ -z "${NO_COLOR-}" ]; then
    bold=$(printf '\033[1m') red=$(printf '\033[31m') plain=$(printf '\033[0m')
else
    bold='' red='' plain=''
fi

step() { printf '%s==> %s%s\n' "$bold" "$*" "$plain"; }
say() { printf '    %s\n' "$*"; }
fail() {
    printf '%serror: %s%s\n' "$red" "$*" "$plain" >&2
    exit 1
}

# usage FILE: the comment at the top of a script is its help
usage() { sed -n '2,/^[^#]/{s/^# \{0,1\}//p}' "$1"; }

need_root() { [ "$(id -u)" -eq 0 ] || fail "needs root: sudo contrib/${0##*/}"; }

# run WHAT COMMAND...: run it with its output in a log; past two seconds show that it is alive, and at a failure
# show the end of the log.
run() {
    local what=$1 log=$work/log pid start status
    shift
    start=$SECONDS
    "$@" </dev/null >"$log" 2>&1 &
    pid=$!
    progress "$what" $pid "$start"
    wait $pid
    status=$?
    if [ $status -ne 0 ]; then
        tail -n 40 "$log" >&2
        fail "$what: exit code $status"
    fi
    say "$what: done in $((SECONDS - start)) s"
}

# progress WHAT PID START: until PID ends; a line that is rewritten on a terminal, a line now and then elsewhere
progress() {
    local passed shown=0
    while kill -0 "$2" 2>/dev/null; do
        passed=$((SECONDS - $3))
        if [ -t 1 ]; then
            [ $passed -lt 2 ] || printf '\r    %s: %d s ...' "$1" $passed
        elif [ $passed -ge 2 ] && [ $((passed - shown)) -ge 20 ] || { [ $passed -ge 2 ] && [ $shown -eq 0 ]; }; then
            say "$1: $passed s ..."
            shown=$passed
        fi
        sleep 0.2
    done
    [ ! -t 1 ] || printf '\r\033[K'
}

# The commands of a build belong to whoever owns the tree, so that "sudo contrib/..." leaves no file of root there
as_owner() {
    local owner
    owner=$(stat -c %U "$repo")
    if [ "$(id -u)" -eq 0 ] && [ "$owner" != root ] && [ "$owner" != UNKNOWN ]; then
        runuser -u "$owner" -- "$@"
    else
        "$@"
    fi
}

# ---- Packages ----

# package_names DISTRIBUTION ROLE
package_names() {
    case $1-$2 in
    debian-build) echo gcc make autoconf automake pkg-config libc6-dev linux-libc-dev binutils \
        libseccomp-dev libcap-dev libyajl-dev libmnl-dev libsystemd-dev ;;
    fedora-build) echo gcc make autoconf automake pkgconf-pkg-config glibc-devel glibc-static kernel-headers binutils \
        libseccomp-devel libseccomp-static libcap-devel libcap-static yajl-devel libmnl-devel systemd-devel ;;
    debian-quickstart) echo busybox-static ;;
    fedora-quickstart) echo busybox ;;
    debian-test) echo python3 python3-pytest python3-pytest-timeout libcriterion-dev clang clang-format shellcheck git \
        busybox-static debootstrap strace iproute2 util-linux procps libcap2-bin uidmap xz-utils mandoc ;;
    debian-vm) echo qemu-system-x86 qemu-utils mmdebstrap e2fsprogs zstd xz-utils python3 python3-pytest ;;
    fedora-vm) echo qemu-system-x86-core qemu-img mmdebstrap e2fsprogs zstd xz python3 python3-pytest ;;
    fedora-test) echo python3 python3-pytest python3-pytest-timeout criterion-devel clang clang-tools-extra ShellCheck git \
        busybox debootstrap strace iproute util-linux procps-ng libcap shadow-utils xz mandoc ;;
    esac
}

distribution() {
    # shellcheck source=/dev/null
    (. /etc/os-release && case " $ID ${ID_LIKE-} " in
        *" debian "* | *" ubuntu "*) echo debian ;;
        *" fedora "* | *" rhel "*) echo fedora ;;
        *) echo other ;;
    esac)
}

# installed DISTRIBUTION PACKAGE
installed() {
    if [ "$1" = debian ]; then
        dpkg-query -W -f '${Status}\n' "$2" 2>/dev/null | grep -q '^install ok installed'
    else
        rpm -q --whatprovides "$2" >/dev/null 2>&1
    fi
}

# packages ROLE...: install what is missing of build, quickstart, test
packages() {
    local distro role missing package
    distro=$(distribution)
    if [ "$distro" = other ]; then
        say "this is neither Debian, Ubuntu nor Fedora: packages are yours to install (README.md names them)"
        return
    fi
    missing=
    for role in "$@"; do
        for package in $(package_names "$distro" "$role"); do
            installed "$distro" "$package" || missing="$missing $package"
        done
    done
    if [ -z "$missing" ]; then
        say "all there"
        return
    fi
    say "missing:$missing"
    # shellcheck disable=SC2086 # a list
    if [ "$distro" = debian ]; then
        run "package lists" apt-get -q update
        run "installation" env DEBIAN_FRONTEND=noninteractive \
            apt-get -y -q --no-install-recommends install $missing
    else
        run "installation" dnf -y install $missing
    fi
}

# build FOLDER [CONFIGURE OPTION...]: configure once (again when the options have changed), then make
build() {
    local folder=$repo/$1 options
    shift
    options="$*"
    if [ ! -x "$repo/configure" ] || [ "$repo/configure.ac" -nt "$repo/configure" ]; then
        run "autogen.sh" as_owner "$repo/autogen.sh"
    fi
    as_owner mkdir -p "$folder"
    if [ ! -e "$folder/Makefile" ] || [ "$(cat "$folder/.options" 2>/dev/null)" != "$options" ]; then
        # shellcheck disable=SC2016 # the inner shell expands them
        run "configure${options:+ $options}" as_owner sh -c 'cd "$1" && shift && ../configure "$@"' sh "$folder" "$@"
        printf '%s\n' "$options" | as_owner tee "$folder/.options" >/dev/null
    fi
    run "make in ${folder##*/}" as_owner make -C "$folder" -j"$(nproc)"
}

# Sourced by ./test, ./demo and .ci/run: what the machine must have. Installs only what is missing, and says so.

# Installs the Debian packages named, as root or through sudo.
install_packages() {
    local as_root=""
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || { echo "missing: $*; install them as root" >&2; return 1; }
        as_root=sudo
    fi
    echo "installing what is missing: $*" >&2
    $as_root apt-get update -qq
    DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

# Adds package $2 to `missing` unless the program $1 is there.
want() { command -v "$1" >/dev/null || missing="$missing $2"; }

need_build_tools() {
    command -v cargo >/dev/null || { echo "cargo is not on PATH: install Rust 1.95 or later first" >&2; return 1; }
    missing=""
    want cc gcc
    [ -e /usr/include/stdlib.h ] || missing="$missing libc6-dev"
    command -v npm >/dev/null || [ -e .cache/7zip-bin-5.2.0/.complete ] || missing="$missing npm"
    # shellcheck disable=SC2086 # words are wanted
    [ -z "$missing" ] || install_packages $missing
}

need_guest_tools() {
    need_build_tools
    missing=""
    want x86_64-w64-mingw32-gcc gcc-mingw-w64-x86-64
    want i686-w64-mingw32-gcc gcc-mingw-w64-i686
    want x86_64-w64-mingw32-g++ g++-mingw-w64-x86-64
    want i686-w64-mingw32-g++ g++-mingw-w64-i686
    want unshare util-linux
    # shellcheck disable=SC2086
    [ -z "$missing" ] || install_packages $missing
}

# 7-Zip for Windows and Linux, both bitnesses, from one npm package: pinned in xtask/packages.txt with its SHA-256.
fetch_seven_zip() {
    cargo xtask corpus fetch 7zip-bin >/dev/null
    chmod +x .cache/7zip-bin-5.2.0/package/linux/x64/7za
}

# Chromium, and what drives it: the HTML pages of lessons are tested in a real browser.
need_browser() {
    missing=""
    command -v chromium >/dev/null || command -v chromium-browser >/dev/null || want google-chrome chromium
    want node nodejs
    want npm npm
    # shellcheck disable=SC2086
    [ -z "$missing" ] || install_packages $missing
    cargo xtask corpus fetch playwright-core >/dev/null
}

# What `cargo xtask corpus` needs; the programs themselves are fetched by it.
need_corpus_tools() {
    missing=""
    want python3 python3
    want npm npm
    python3 -m pip --version >/dev/null 2>&1 || missing="$missing python3-pip"
    # shellcheck disable=SC2086
    [ -z "$missing" ] || install_packages $missing
}

# Three published wheels with 103 DLLs of both bitnesses, 8 MB to download: the fleet that plat rebase is tested on.
fetch_small_fleet() {
    missing=""
    want python3 python3
    python3 -m pip --version >/dev/null 2>&1 || missing="$missing python3-pip"
    # shellcheck disable=SC2086
    [ -z "$missing" ] || [ -e .cache/h5py-2.10.0-cp37-cp37m-win32/.complete ] || install_packages $missing
    cargo xtask corpus fetch gevent h5py passagemath-objects >/dev/null
}

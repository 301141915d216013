#!/bin/sh
# Installs what is missing for `make run` (argument "run") or `make test` (argument "test"), and nothing that is there.
#
# Three things, each looked at first and left alone when it is in order, so that a second run needs no network:
#   1. Debian packages (asked of dpkg, installed by apt-get; with sudo where we are not root);
#   2. .venv, made by the Python that is there;
#   3. the packages of the lock files, by hash, and this project itself.
# A stamp in .venv holds the checksum of everything that was installed. It is written last: a run that was
# interrupted has no stamp and is simply done again.
set -eu
cd "$(dirname "$0")/.."
what=${1:?run or test}

say() { printf '%s\n' "linli: $*" >&2; }
stop() { say "$1"; shift; for line in "$@"; do printf '       %s\n' "$line" >&2; done; exit 1; }

# ---------------------------------------------------------------- which Python

python=${PYTHON:-python3}
fits() { command -v "$1" >/dev/null 2>&1 && "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }
if ! fits "$python"; then
    for candidate in python3 python3.11 python3.12 python3.13; do
        if fits "$candidate"; then python=$candidate; break; fi
    done
fi
fits "$python" || stop "Linli needs Python 3.11 or newer, and \"$python\" is not. 需要 Python 3.11 或更新版本。" \
    "Debian 12 and Raspberry Pi OS (Bookworm) have it: sudo apt-get install python3" \
    "another one is named like this: make $what PYTHON=/usr/local/bin/python3.12"

# ---------------------------------------------------------------- 1. Debian packages

# mosquitto: the broker that `linli run` starts.  fonts-noto-cjk: Chinese on slips drawn as pictures, and in the browser.
# espeak-ng: says the words of a called number that nobody has recorded, offline.
packages="mosquitto fonts-noto-cjk espeak-ng"
# python3-venv only where this Python cannot make a virtual environment by itself (Debian's own; not pyenv's).
"$python" -c 'import venv, ensurepip' 2>/dev/null || packages="$packages python3-venv"
# libatomic1: the driver of the tests' browser needs it (a small machine may lack it).
# systemd: `systemd-analyze verify` reads our units (a container may lack it).  gcc: a slow disk is a few lines of C.
# zbar-tools: reads the QR codes on pictures of slips, as a telephone does.
[ "$what" = run ] || packages="$packages libatomic1 systemd gcc libc6-dev zbar-tools"
# The tests look at real pages. This is Debian's chromium without its windows, which opens a page with a fifth of the
# work; where apt has none that fits (Raspberry Pi OS has a chromium of its own), chromium does.
shell=chromium-headless-shell

there() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }
if command -v dpkg-query >/dev/null 2>&1; then
    missing=
    for package in $packages; do there "$package" || missing="$missing $package"; done
    [ "$what" = run ] || there $shell || there chromium || missing="$missing $shell"
    if [ -n "$missing" ]; then
        by_hand="apt-get update && apt-get install -y --no-install-recommends$missing"
        if [ "$(id -u)" = 0 ]; then as_root=; elif command -v sudo >/dev/null 2>&1; then as_root=sudo; else
            stop "these Debian packages are missing, and there is no sudo here. 缺少以下软件包，且没有 sudo。" \
                "Type this as root, then try again: 请以 root 执行后重试：" "$by_hand"
        fi
        say "installing Debian packages, once:$missing 正在安装系统软件包，只需一次"
        fitting() {
            apt-get install -qq --simulate $shell >/dev/null 2>&1 || missing=$(echo "$missing" | sed "s/$shell/chromium/")
        }
        # shellcheck disable=SC2086  # words, on purpose
        { $as_root apt-get update -q && fitting &&
            $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing; } >&2 ||
            stop "apt-get could not install:$missing (its own words are above). 软件包安装失败。" \
                "Is the network there, and may you use sudo? By hand: 请检查网络和 sudo 权限，或手工执行：" \
                "${as_root:+sudo sh -c '}$by_hand${as_root:+'}"
    fi
else
    # Not a Debian: we cannot install for you, but what is there is good enough.
    PATH=$PATH:/usr/sbin:/usr/local/sbin command -v mosquitto >/dev/null 2>&1 ||
        stop "this is not Debian, and mosquitto is not installed: install it in your system's way. 请安装 mosquitto。"
fi

# Others' programs: some that print at our virtual printer, and axe-core, which judges our pages. Only where npm is
# there, and never a reason to stop.
strangers=tests/npm
if [ "$what" = test ] && command -v npm >/dev/null 2>&1 &&
    ! [ $strangers/node_modules/.package-lock.json -nt $strangers/package-lock.json ]; then
    say "installing npm packages from $strangers"
    (cd $strangers && npm ci --omit=optional --ignore-scripts --no-audit --no-fund --loglevel=error --fetch-retries=0) >&2 ||
        say "npm could not install them: tests/devices/test_strangers.py and tests/kiosk/test_axe_*.py are left out. npm 安装失败，略过这些测试。"
fi

# ---------------------------------------------------------------- 2. the virtual environment

locks="requirements.lock"
[ "$what" = run ] || locks="requirements.lock requirements-dev.lock"
wanted=$({ cat $locks pyproject.toml linli/install.sh; pwd -P; "$python" -c 'import sys; print(sys.version, sys.base_prefix)'; } |
    sha256sum | cut -d ' ' -f 1)
stamp=.venv/.installed-$what
[ ! -f "$stamp" ] || [ "$(cat "$stamp")" != "$wanted" ] || exit 0

# Where chromium was there already, its lighter sister is tried once, and is no reason to stop.
if [ "$what" = test ] && command -v dpkg-query >/dev/null 2>&1 && ! there $shell; then
    say "installing the Debian package $shell"
    if [ "$(id -u)" = 0 ]; then as_root=; else as_root="sudo -n"; fi
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $shell >&2 ||
        say "without $shell the tests use chromium itself, and take some minutes longer. 改用 chromium，测试会慢几分钟。"
fi

venv_made_by=$("$python" -c 'import sys; print(sys.version, sys.base_prefix)')
venv_runs_on=$(.venv/bin/python -c 'import sys; print(sys.version, sys.base_prefix)' 2>/dev/null || true)
if [ "$venv_made_by" != "$venv_runs_on" ] || [ "$(cat .venv/.where 2>/dev/null)" != "$(pwd -P)" ]; then
    say "making .venv with $("$python" --version) 正在创建 Python 环境"
    rm -rf .venv || stop ".venv cannot be removed: it belongs to another user. .venv 属于其他用户，无法删除。"
    "$python" -m venv .venv || stop "the virtual environment could not be made (the words above say why). 无法创建 .venv。"
    pwd -P > .venv/.where
fi

# ---------------------------------------------------------------- 3. the locked packages, and this project

say "installing Python packages from $locks: once, some minutes on a slow line. 正在安装 Python 软件包，只需一次，网慢时要几分钟。"
rm -f .venv/.installed-*
requirements=
for lock in $locks; do requirements="$requirements -r $lock"; done
# shellcheck disable=SC2086
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes $requirements ||
    stop "pip could not install the locked packages (its own words are above). 安装 Python 软件包失败。" \
        "Is the network there? What is half done is no harm: type make $what again."
# pip compiles on one core; here all of them do. A file that nobody can compile (a template, say) is its owner's matter.
.venv/bin/python -m compileall -q -j 0 .venv/lib >/dev/null 2>&1 || true
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-index --no-deps --no-build-isolation --editable . ||
    stop "the project itself could not be installed into .venv. 本项目安装失败。"
# What `test` installed is also what `run` needs.
if [ "$what" = test ]; then
    { cat requirements.lock pyproject.toml linli/install.sh; pwd -P; printf '%s\n' "$venv_made_by"; } |
        sha256sum | cut -d ' ' -f 1 > .venv/.installed-run
fi
printf '%s\n' "$wanted" > "$stamp"

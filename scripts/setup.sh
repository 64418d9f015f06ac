#!/bin/sh
# Makes .venv with everything that the demo and the tests need, from nothing. Says what it is doing.
set -eu
cd "$(dirname "$0")/.."

say() { printf 'setup: %s\n' "$*"; }
die() { say "$*" >&2; exit 1; }

# Is $1 a Python $2 (like 3.11) that can make a virtual environment?
is_python() {
    "$1" -c "import sys, venv, ensurepip; sys.exit('%d.%d' % sys.version_info[:2] != '$2')" >/dev/null 2>&1
}

find_python() { # versions, best first
    for version in "$@"; do
        for name in "python$version" python3 python; do
            if is_python "$name" "$version"; then
                command -v "$name"
                return 0
            fi
        done
    done
    return 1
}

[ "$(uname -s)" = Linux ] || die "PyBullet is set up here for Linux only; this is $(uname -s)"
rm -rf .venv
if [ "$(uname -m)" = x86_64 ] && python=$(find_python 3.11 3.10); then
    say "using $python ($("$python" --version))"
    "$python" -m venv .venv
elif [ "$(uname -m)" = x86_64 ] && command -v uv >/dev/null 2>&1 && uv venv --quiet --seed --python 3.11 .venv; then
    say "uv brought $(.venv/bin/python --version)"
elif ! command -v g++ >/dev/null 2>&1; then
    die "needs Python 3.11 or 3.10 (with venv) on x86-64, or uv, or g++ to compile PyBullet: install one of them"
elif python=$(find_python 3.11 3.10 3.12 3.13); then
    say "using $python ($("$python" --version)): PyBullet has no wheel for it here and is compiled, which takes minutes"
    "$python" -m venv .venv
else
    die "found no Python 3.10 to 3.13 with venv: install python3.11 and python3.11-venv"
fi
say "installing into .venv the versions in constraints.txt"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[sim,mujoco,moteus,gym,video,optim,map-elites,dev]'
touch .venv/ready
say "done: .venv/bin/robot-adapt"

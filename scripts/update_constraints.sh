#!/bin/sh
# Rewrites constraints.txt: the newest versions that Python 3.10 takes, which 3.11 to 3.13 take too. Names and versions only.
set -eu
cd "$(dirname "$0")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.10 -m venv "$folder"
"$folder/bin/python" -m pip install --quiet --editable '.[sim,mujoco,moteus,gym,video,rl,optim,map-elites,dev]' torch==2.13.0
head -n 1 constraints.txt >"$folder/constraints.txt"
"$folder/bin/python" -m pip freeze --exclude-editable >>"$folder/constraints.txt"
cp "$folder/constraints.txt" constraints.txt

#!/bin/sh
# Regenerates robot_adapt/wire/v1 from protos/. Import paths come out right because the protos lie in the package's folders.
set -eu
cd "$(dirname "$0")/.."
python=${PYTHON:-.venv/bin/python}
"$python" -m grpc_tools.protoc -Iprotos --python_out=. --pyi_out=. --grpc_python_out=. protos/robot_adapt/wire/v1/*.proto

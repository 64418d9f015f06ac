# make demo | make test | make setup | make check: each from nothing.
.PHONY: demo test test-extras setup lint types imports wire check

demo: .venv/ready
	.venv/bin/robot-adapt demo

test: .venv/ready
	.venv/bin/python -m pytest -n auto --dist loadfile

# Stable-Baselines3 on our environments. Its torch: a CPU wheel of constraints.txt's version where pip finds one (find-links), else
# PyPI's, with several GB of CUDA.
test-extras: .venv/ready
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[sim,gym,rl]'
	.venv/bin/python -m pytest tests/extras

setup: .venv/ready

.venv/ready: pyproject.toml constraints.txt scripts/setup.sh
	scripts/setup.sh

lint: .venv/ready
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .

types: .venv/ready
	.venv/bin/mypy

imports: .venv/ready
	.venv/bin/lint-imports

# The generated code in git is what the protos give.
wire: .venv/ready
	scripts/generate_wire.sh
	git --no-pager diff --exit-code -- robot_adapt/wire/v1
	test -z "$$(git status --porcelain -- robot_adapt/wire/v1)"

check: test lint types imports wire

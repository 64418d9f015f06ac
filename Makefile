# make demo | make test | make setup | make check: each from nothing.
.PHONY: demo test setup lint types imports wire check

demo: .venv/ready
	.venv/bin/robot-adapt demo

test: .venv/ready
	.venv/bin/python -m pytest -n auto --dist loadfile

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

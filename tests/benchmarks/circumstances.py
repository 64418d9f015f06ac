"""What figures of speed depend on: the machine, versions, policies, and the environment in which peers run."""

from __future__ import annotations

import contextlib
import datetime
import importlib.metadata
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from robot_adapt.config import shipped
from robot_adapt.policy import policy_file

_HERE = Path(__file__).resolve().parent


@contextlib.contextmanager
def peers_python(given: str | None) -> Iterator[str]:
    """The Python of the peers' environment, made here when none was given."""
    if given is not None:
        yield given
        return
    with tempfile.TemporaryDirectory() as folder:
        print("making the peers' environment", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        python = str(Path(folder) / "bin" / "python")
        output(python, "-m", "pip", "install", "--quiet", "-r", "peers/requirements.txt")
        yield python


def output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=_HERE).stdout.strip()


def circumstances(peers: str) -> dict[str, object]:
    """What the figures depend on."""
    cpu = next((line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")), "?")
    policies = sorted(shipped("policies", "minitaur.safetensors").parent.glob("*.safetensors"))
    return {
        "date": datetime.date.today().isoformat(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "cpu": cpu.partition(":")[2].strip(),
        "load_at_start": os.getloadavg()[0],
        "versions": {name: importlib.metadata.version(name) for name in ("pybullet", "numpy", "numba", "robot-adapt")},
        "peer_versions": output(peers, "-m", "pip", "freeze", "--all").splitlines(),
        "policy_sha256": {path.stem: policy_file.sha256(policy_file.load(path)) for path in policies},
        "commit": output("git", "rev-parse", "HEAD"),
        "uncommitted": output("git", "status", "--porcelain") != "",
    }

"""Claim: `robot-adapt demo` ends in under 60 s on 2 cores, and `--help` answers in under 0.5 s. Medians of whole processes.

python tests/benchmarks/durations.py --json tests/benchmarks/results/durations.json
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def seconds(*arguments: str) -> float:
    """How long the command line takes, start to end."""
    begin = time.monotonic()
    subprocess.run([sys.executable, "-m", "robot_adapt", *arguments], check=True, capture_output=True)
    return time.monotonic() - begin


def main() -> None:
    """Runs both in turn."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="where the results go")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    helps, demos = [], []
    seconds("--help")
    for run in range(options.runs):
        helps.append(round(seconds("--help"), 3))
        with tempfile.TemporaryDirectory() as folder:
            demos.append(round(seconds("demo", "--seed", str(run), "--out", folder), 2))
    report = {
        "date": datetime.date.today().isoformat(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "help_s": {"median": statistics.median(helps), "runs": helps},
        "demo_s": {"median": statistics.median(demos), "runs": demos},
    }
    if options.json is not None:
        options.json.write_text(json.dumps(report, indent=2) + "\n")
    print(f"demo {statistics.median(demos)} s, help {statistics.median(helps)} s")


if __name__ == "__main__":
    main()

"""Claims about the control loop on emulated devices: 12 Dynamixels and a VN-100 on pseudo-terminals, in a process of their own.

    python tests/benchmarks/control_loop.py --json tests/benchmarks/results/control_loop.json
    python tests/benchmarks/control_loop.py --only session      # the long one alone; host, rate, lost, session

host     Byte time switched off: read + policy + safety + write takes at most twice (median) and three times (p99) what the bare
         SDK takes for a sync read and a sync write of the same bytes over the same emulator, in turn. Medians of rounds, for
         fast and for plain sync reads.
rate     100 Hz for 60 s, bytes taking their time, trials journaled and streamed to an aggregator over gRPC: at most 1 % of
         ticks are missed, and ticks begin no later (p99) than in a bare loop of sleeps to absolute deadlines, in turn.
         Neither has any privilege: run by root, this part gives them up.
lost     One lost reply, and one damaged reply, costs at most 5 ms; a loop in which replies are lost goes on to its end.
session  1 % of all bytes damaged for a whole session of 50 trials of 3 s on the Minitaur's physics: it finishes, and counts.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))  # run as a file, the tests are no package

from tests.benchmarks.control_loop_studies.bad_line import session
from tests.benchmarks.control_loop_studies.host_time import host
from tests.benchmarks.control_loop_studies.lost_replies import lost
from tests.benchmarks.control_loop_studies.rate import rate


def main() -> None:
    """Runs all parts, or some of them."""
    parts: dict[str, Callable[[argparse.Namespace], dict[str, object]]] = {
        "host": lambda options: host(options.rounds, 100),
        "rate": lambda options: rate(max(1, round(options.seconds / 12.0))),
        "lost": lambda options: lost(options.times),
        "session": lambda options: session(options.trials),
    }
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="where the results go")
    parser.add_argument("--only", nargs="*", choices=parts, default=list(parts))
    parser.add_argument("--rounds", type=int, default=9, help="of `host`")
    parser.add_argument("--seconds", type=float, default=60.0, help="of `rate`")
    parser.add_argument("--times", type=int, default=100, help="of `lost`")
    parser.add_argument("--trials", type=int, default=50, help="of `session`")
    options = parser.parse_args()
    report: dict[str, object] = {
        "date": datetime.date.today().isoformat(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "load_at_start": os.getloadavg()[0],
    }
    claims: dict[str, dict[str, object]] = {}
    for part in options.only:
        print(f"{part} ...", file=sys.stderr)
        for name, claim in parts[part](options).items():
            claims[f"{part}: {name}"] = dict(claim)  # type: ignore[call-overload]
            print(f"{part}: {name}:", ", ".join(f"{key} {value}" for key, value in claims[f"{part}: {name}"].items()))
    if options.json is not None:
        options.json.write_text(json.dumps({**report, "claims": claims}, indent=2) + "\n")
    print("; ".join(f"{name} {'holds' if claim['holds'] else 'DOES NOT HOLD'}" for name, claim in claims.items()))


if __name__ == "__main__":
    main()

"""Claim: no parser of bytes from a wire raises anything but its own error, hangs, or grows, and each hears again after garbage.

python tests/benchmarks/fuzz_parsers.py --minutes 10 --json tests/benchmarks/results/fuzz_parsers.json
"""

from __future__ import annotations

import argparse
import datetime
import json
import multiprocessing
import os
import platform
import resource
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))  # run as a file, the tests are no package

from tests.hardware.fuzzer import BrokenParserError, Fuzzer, TimeLimit
from tests.hardware.parsers import PARSERS


def fuzzed(name: str, seconds: float, seed: int) -> dict[str, object]:
    """One parser for so long; from a thousandth of the time on the process may not grow."""
    fuzzer = Fuzzer(PARSERS[name], seed)
    begin_s = time.process_time()
    resident_mb, broken = 0.0, ""
    try:
        with TimeLimit() as limit:
            while time.process_time() - begin_s < seconds:
                limit.again()
                fuzzer.step()
                if fuzzer.inputs >= 1000 and not resident_mb:
                    resident_mb = _resident_mb()
    except BrokenParserError as error:
        broken = str(error)
    return {
        "inputs": fuzzer.inputs,
        "inputs_a_second": round(fuzzer.inputs / (time.process_time() - begin_s)),
        "megabytes": round(fuzzer.size / 1e6, 1),
        "slowest_ms": round(1e3 * fuzzer.slowest_s, 2),
        "most_kept_bytes": fuzzer.most_kept,
        "process_grew_mb": round(_resident_mb() - resident_mb, 1) if resident_mb else 0.0,
        "broken": broken,
    }


def _resident_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0


def main() -> int:
    """All of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=0.1, help="of its own time, for each parser")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=PARSERS, help="this one")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="parsers at a time, each its own process")
    parser.add_argument("--json", type=Path, help="where the results go")
    options = parser.parse_args()
    names = [options.only] if options.only else list(PARSERS)
    results = {}
    with multiprocessing.get_context("spawn").Pool(options.processes, maxtasksperchild=1) as pool:
        runs = [pool.apply_async(fuzzed, (name, 60.0 * options.minutes, options.seed)) for name in names]
        for name, run in zip(names, runs, strict=True):
            results[name] = found = run.get()
            said = found["broken"] or "sound"
            print(f"{name}: {found['inputs']} inputs, {found['inputs_a_second']} a second, {said}", flush=True)
    if options.json is not None:
        report = {
            "date": datetime.date.today().isoformat(),
            "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
            "minutes_each": options.minutes,
            "seed": options.seed,
            "parsers": results,
        }
        options.json.write_text(json.dumps(report, indent=2) + "\n")
    broken = [name for name, found in results.items() if found["broken"]]
    total = sum(int(str(found["inputs"])) for found in results.values())
    print(f"{total} inputs to {len(results)} parsers for {options.minutes:g} min each: {', '.join(broken) or 'none'} broken")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())

"""Claims: how fast a rollout is. Every ratio is taken within a round, between neighbours in time; then the median of rounds.

    python tests/benchmarks/sim_speed.py --peers PYTHON --json tests/benchmarks/results/sim_speed.json

1. 3-second rollouts a second and core, all included (reset, policy, noise, motors; sim_rollouts.py), against the public
   environments' rollouts of as many simulated seconds, resets included (peers/): Minitaur with serial legs at 2 ms at least 24
   times `minitaur_gym`, with five-bar legs 8 times; Laikago 25 times `envs_v2_laikago` and 5 times `naive_laikago`. Each side
   runs in an environment and a process of its own, on one core; ours before and after the peer's in every round. Peers keep
   their own time steps, iterations and control rates, so this compares what one gets for a simulated second, not code alone.
2. The loop adds at most 60 % to the bare stepSimulation calls that it makes, timed where it makes them.
3. Other dynamics (config -> settled robot, read, closed again) cost less than one rollout.
4. Two processes, each on a core, do at least 1.9 times what one does.

Where the time of a rollout goes, 150 control ticks and 1,500 steps of 2 ms (five-bar: 1,200 of 2.5 ms); ms; 20 November 2026,
2 cores; `parts` and `bare` in the results:

    part                                          serial  five-bar  Laikago
    compiled steps                                  26.2      89.1     27.4
        of it bare stepSimulation                   23.8      87.6     24.1
    robot.read (noise, IMU)                          1.9       2.4      1.9
    controller.observe and act                       2.9       3.7      3.0
    robot.write                                      1.1       1.2      1.1
    return and truth                                 0.6       0.7      0.6
    call of the steps                                0.3       0.5      0.4
    reset                                            0.2       0.2      0.2

Of a stepSimulation, PyBullet's tree of boxes and pairs of links that may not touch were a tenth: see sim.bullet and sim.world.
The rest is dynamics, contacts and their solver: nothing to be turned off. A read copies 30 kB, which is 1 ms of the steps.

PEERS is the Python of an environment made from peers/requirements.txt; without it one is made in a temporary folder.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))  # run as a file, the tests are no package

from tests.benchmarks.circumstances import circumstances, peers_python

_HERE = Path(__file__).resolve().parent
_SECONDS = 3.0
# Ours on each side of a peer's rollout, and each term of most ratios; of the last one.
_SLICE_S, _SCALING_S = 0.5, 3.0
_BUSY = 0.3  # load


class Child:
    """A process on one core; a line to it is answered by a line of JSON."""

    def __init__(self, python: str, script: Path, core: int) -> None:
        self._script = script
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115  as long as the process
        self._process = subprocess.Popen(
            [python, str(script)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, text=True, bufsize=1,
            env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        )  # fmt: skip
        os.sched_setaffinity(self._process.pid, {core})

    def send(self, what: str, seed: int) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{what} {_SECONDS} {seed}\n")

    def receive(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        if not (line := self._process.stdout.readline()):
            self._errors.seek(0)
            raise SystemExit(f"{self._script} ended:\n{self._errors.read()[-2000:]}")
        return dict(json.loads(line))

    def ask(self, what: str, seed: int) -> dict[str, Any]:
        self.send(what, seed)
        return self.receive()

    def close(self) -> None:
        self._process.communicate()


@dataclass(frozen=True)
class Claim:
    """A ratio, taken once a round, and the side of the limit on which its median should be."""

    name: str
    limit: float
    ratio: Callable[[int], float]
    at_most: bool = False

    def result(self, ratios: list[float]) -> dict[str, object]:
        median = statistics.median(ratios)
        return {
            "claim": f"{'at most' if self.at_most else 'at least'} {self.limit}",
            "holds": median <= self.limit if self.at_most else median >= self.limit,
            **summary(ratios),
            "rounds": [rounded(ratio) for ratio in ratios],
        }


class Bench:
    """Our processes, one a core, the peers' process, and what was seen besides ratios: `figures`, by name."""

    def __init__(self, peers: str) -> None:
        cores = sorted(os.sched_getaffinity(0))[-2:]
        if len(cores) < 2:
            raise SystemExit("two cores are needed")
        self.ours = [Child(sys.executable, _HERE / "sim_rollouts.py", core) for core in cores]
        self.peer = Child(peers, _HERE / "peers" / "pybullet_envs_rollouts.py", cores[-1])
        self.figures: dict[str, list[float]] = defaultdict(list)
        self.parts: dict[str, dict[str, list[tuple[float, int]]]] = defaultdict(lambda: defaultdict(list))

    def claims(self) -> list[Claim]:
        return [
            self.against("minitaur_serial", "minitaur_gym", 24.0),
            self.against("minitaur_five_bar", "minitaur_gym", 8.0),
            self.against("laikago", "envs_v2_laikago", 25.0),
            self.against("laikago", "naive_laikago", 5.0),
            *(claim(rig) for rig in ("minitaur_serial", "minitaur_five_bar", "laikago") for claim in (self.loop, self.switch)),
            self.scaling("minitaur_serial"),
        ]

    def runs(self, what: str, seed: int) -> list[dict[str, Any]]:
        """Ours on the last core, one after the other for a while, each with a seed of its own."""
        end = time.monotonic() + _SLICE_S
        answers: list[dict[str, Any]] = []
        while not answers or time.monotonic() < end:
            answers.append(self.ours[-1].ask(what, 1000 * seed + len(answers)))
        return answers

    def note(self, name: str, value: float) -> float:
        self.figures[name].append(value)
        return value

    def against(self, rig: str, peer: str, limit: float) -> Claim:
        def ratio(seed: int) -> float:
            before, theirs = self.runs(rig, 2 * seed), self.peer.ask(peer, seed)
            ours = before + self.runs(rig, 2 * seed + 1)
            our_rate = self.note(f"{rig}: rollouts/s", speed(*ours) / _SECONDS)
            self.note(f"{peer}: resets a rollout", theirs["resets"])
            without_resets = {**theirs, "wall_s": theirs["wall_s"] - theirs["reset_s"]}
            self.note(f"{rig} / {peer} without its resets", speed(*ours) / speed(without_resets))
            return our_rate / self.note(f"{peer}: rollouts/s", speed(theirs) / _SECONDS)

        return Claim(f"{rig} / {peer}", limit, ratio)

    def loop(self, rig: str) -> Claim:
        def ratio(seed: int) -> float:
            before, ours, after = (self.runs(what, seed) for what in (f"{rig}/bare", rig, f"{rig}/bare"))
            bare_us = self.note(f"{rig}: bare stepSimulation, us", step_us(before + after))
            for part, one in self.ours[-1].ask(f"{rig}/parts", seed).items():
                self.parts[rig][part].append((one["wall_s"], one["calls"]))
            return self.note(f"{rig}: all, us a step", step_us(ours)) / bare_us - 1.0

        return Claim(f"{rig}: loop on top of stepSimulation", 0.6, ratio, at_most=True)

    def switch(self, rig: str) -> Claim:
        def ratio(seed: int) -> float:
            switches, ours = self.runs(f"{rig}/switch", seed), self.runs(rig, seed)
            switch_s = statistics.mean(one["wall_s"] for one in switches)
            return self.note(f"{rig}: switch, s", switch_s) * speed(*ours) / _SECONDS

        return Claim(f"{rig}: other dynamics / rollout", 1.0, ratio, at_most=True)

    def scaling(self, rig: str) -> Claim:
        def ratio(seed: int) -> float:
            number = max(1, round(_SCALING_S / self.ours[-1].ask(rig, seed)["wall_s"]))
            return 2.0 * together([self.ours[seed % 2]], rig, number) / together(self.ours, rig, number)

        return Claim("two processes / one", 1.9, ratio)

    def warm_up(self, claims: list[Claim]) -> None:
        """Opens every rig and peer that the claims need."""
        for claim in claims:
            claim.ratio(0)
        for child in self.ours:
            child.ask("minitaur_serial", 0)
        self.figures.clear()
        self.parts.clear()

    def close(self) -> None:
        for child in (*self.ours, self.peer):
            child.close()


def speed(*runs: dict[str, Any]) -> float:
    """Simulated seconds a second."""
    return float(sum(one["simulated_s"] for one in runs) / sum(one["wall_s"] for one in runs))


def step_us(runs: list[dict[str, Any]]) -> float:
    """Microseconds a step of physics."""
    return float(1e6 * sum(one["wall_s"] for one in runs) / sum(one["steps"] for one in runs))


def table(parts: dict[str, list[tuple[float, int]]]) -> dict[str, dict[str, float]]:
    """Parts of one rig's rollout, the longest first; medians of rounds."""
    rows = {
        part: {
            "ms": rounded(1e3 * statistics.median(wall_s for wall_s, _ in rounds)),
            "calls": statistics.median(calls for _, calls in rounds),
            "us_a_call": rounded(1e6 * statistics.median(wall_s / calls for wall_s, calls in rounds)),
        }
        for part, rounds in parts.items()
    }
    return dict(sorted(rows.items(), key=lambda row: -row[1]["ms"]))


def together(children: list[Child], rig: str, number: int) -> float:
    """How long it takes until each process has done a number of rollouts (s)."""
    begin = time.perf_counter()
    for seed in range(number):
        for child in children:
            child.send(rig, seed)
    for child in children:
        for _ in range(number):
            child.receive()
    return time.perf_counter() - begin


def rounded(value: float) -> float:
    return float(f"{value:.4g}")


def summary(values: list[float]) -> dict[str, object]:
    return {"median": rounded(statistics.median(values)), "range": [rounded(min(values)), rounded(max(values))]}


def main() -> None:
    """Runs all claims in every round."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="where the results go")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--peers", metavar="PYTHON", help="of an environment made from peers/requirements.txt")
    parser.add_argument("--only", nargs="*", default=[""], help="claims with one of these in their names")
    options = parser.parse_args()
    if (load := os.getloadavg()[0]) > _BUSY:
        print(f"this machine is busy (load {load:.1f}): the figures will be off", file=sys.stderr)
    with peers_python(options.peers) as peers:
        report = circumstances(peers)
        bench = Bench(peers)
        claims = [claim for claim in bench.claims() if any(part in claim.name for part in options.only)]
        bench.warm_up(claims)
        ratios: dict[str, list[float]] = defaultdict(list)
        for seed in range(options.rounds):
            for claim in claims:
                ratios[claim.name].append(claim.ratio(seed))
        bench.close()
    results = {claim.name: claim.result(ratios[claim.name]) for claim in claims}
    figures = {name: summary(values) for name, values in bench.figures.items()}
    for name, result in (figures | results).items():
        print(f"{name}:", ", ".join(f"{key} {value}" for key, value in result.items() if key != "rounds"))
    parts = {rig: table(measured) for rig, measured in bench.parts.items()}
    for rig, rows in parts.items():
        for part, row in rows.items():
            print(f"{rig:18} {part:20} {row['us_a_call']:8.2f} us x {row['calls']:6g} = {row['ms']:8.2f} ms")
    if options.json is not None:
        report |= {"rounds": options.rounds, "claims": results, "figures": figures, "parts": parts}
        options.json.write_text(json.dumps(report, indent=2) + "\n")
    print("; ".join(f"{claim.name} {statistics.median(ratios[claim.name]):.3g} ({claim.limit})" for claim in claims))


if __name__ == "__main__":
    main()

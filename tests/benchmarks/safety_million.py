"""Claim: whatever is commanded and whatever breaks, what reaches the robot stays within limits.

    python -m tests.benchmarks.safety_million --commands 1000000 --seed 1 --json tests/benchmarks/results/safety_million.json

Random commands (walking, far, huge, not finite, of other sizes and types, any gains), at random times, go through a
SafetySupervisor to a robot of twelve joints that checks each on its own (tests/hardware/witness.py) and suffers random faults
(tests/hardware/unruly.py). A violation is a command beyond a limit, any command to a stopped robot, a stop without damping, an
unsound reading handed on, an error that is no RobotError. `events` are the supervisor's, by reason.

Then what the supervisor adds to a read and a write, in CPU time: for a command that is sent as it is, and for one of which all
targets are clipped, slewed and drawn back, with an event each.
"""

from __future__ import annotations

import argparse
import datetime
import functools
import json
import os
import platform
import statistics
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from hardware.clock import MonotonicClock
from hardware.events import EventLog
from hardware.robot import Robot
from hardware.safety import SafetySupervisor
from hardware.spec import RobotSpec
from hardware.types import FloatArray, ImuReading, JointCommand, RobotState
from tests.hardware.unruly import FAULTS, Trial
from tests.hardware.witness import LIMITS, SPEC

_N = len(SPEC.joints)
_SPECIAL = np.array([0.0, -0.0, 1.0, -1.0, 1e-300, 5e-324, 1e6, -1e6, 1e300, -1e300, 1.7e308, -1.7e308])
_HEALTHY_TICKS, _ILL_TICKS, _SAME_KIND_TICKS = 80, 20, 15  # mean
_TICKS_A_ROUND = 50


def command(kind: str, rng: np.random.Generator, tick: int, far_rad: FloatArray) -> JointCommand:
    """One of a host that has gone wrong."""
    walking = SPEC.position_command(SPEC.stance_rad + 0.2 * np.sin(0.3 * tick + np.arange(_N)))
    match kind:
        case "walking":
            return walking
        case "far":
            return SPEC.position_command(far_rad)
        case "any gains":
            kp, kd = rng.uniform(-5.0, 300.0, (2, _N)) * rng.integers(0, 2, (2, _N))
            return replace(walking, kp_nm_per_rad=kp, kd_nm_s_per_rad=kd)
        case "any torques and velocities":
            dq, tau = 10.0 ** rng.uniform(-3.0, 3.0, (2, _N)) * rng.choice([-1.0, 1.0], (2, _N))
            return replace(walking, velocities_rad_s=dq, torques_nm=tau)
        case "huge":
            return JointCommand(*rng.choice(_SPECIAL, (5, _N)))
        case "not finite":
            rows = np.array(walking.rows)
            rows[rng.integers(5), rng.integers(_N)] = rng.choice([np.nan, np.inf, -np.inf])
            return JointCommand(*rows)
        case "wrong size":
            return JointCommand(*(np.zeros(size) for size in rng.integers(0, 2 * _N, 5)))
        case "wrong type":
            dtype = str(rng.choice(["O", "U8", "c16", "f4", "i8", "?", "g"]))  # objects, text, complex, ... long double
            return JointCommand(*np.zeros((5, _N)).astype(dtype))
        case _:
            things: list[Any] = [0.5, [0.0] * _N, None, np.zeros((_N, 1)), "nonsense"]
            return JointCommand(*(things[k] for k in rng.integers(len(things), size=5)))


_KINDS = (
    "walking", "far", "any gains", "any torques and velocities", "huge", "not finite", "wrong size", "wrong type", "no arrays",
)  # fmt: skip
_PAUSES_S, _TIMES = (0.0, 0.001, 0.01, 0.02, 0.05, 0.3), (0.05, 0.1, 0.2, 0.63, 0.019, 0.001)
_SHARES = (0.4, 0.15, 0.12, 0.12, 0.12, 0.03, 0.02, 0.02, 0.02)


def misuse(commands: int, seed: int) -> dict[str, object]:
    """Sends that many commands."""
    rng = np.random.default_rng(seed)
    trial = Trial(seed=seed)
    kinds: Counter[str] = Counter()
    faults: Counter[str] = Counter()
    passed, armed_again, connected, fault, well_until = 0, 0, True, "none", int(rng.exponential(_HEALTHY_TICKS))
    kind, far_rad, kind_until = "walking", SPEC.stance_rad, 0
    names = [name for name in FAULTS if name != "none"]
    began_s = time.process_time()
    for tick in range(commands):
        if tick >= well_until:
            fault = names[int(rng.integers(len(names)))] if fault == "none" else "none"
            trial.robot.faults = FAULTS[fault]()
            faults[fault] += 1
            well_until = tick + 1 + int(rng.exponential(_HEALTHY_TICKS if fault == "none" else _ILL_TICKS))
        luck = rng.random()
        if luck < 0.95:
            trial.do(trial.supervisor.read)
        elif luck < 0.96:
            trial.do(trial.supervisor.stop)
        elif luck < 0.961:
            trial.do(lambda: trial.supervisor.halt("the operator said so"))
        elif luck < 0.963:
            connected = trial.reconnect()
        if tick >= kind_until:
            kind, far_rad = _KINDS[int(rng.choice(len(_KINDS), p=_SHARES))], rng.uniform(-10.0, 10.0, _N)
            kind_until = tick + 1 + int(rng.exponential(_SAME_KIND_TICKS))
        asked = command(kind, rng, tick, far_rad)
        kinds[kind] += 1
        passed += trial.do(functools.partial(trial.supervisor.write, asked))
        trial.clock.advance(float(rng.choice(_PAUSES_S, p=_TIMES)))
        if not (connected and trial.supervisor.stopped_because is None) and rng.random() < 0.2:
            connected = trial.rearm() or trial.reconnect()
            armed_again += connected
    cpu_s = time.process_time() - began_s
    return {
        "commands": commands,
        "seed": seed,
        "violations": len(trial.violations),
        "first_violations": trial.violations[:10],
        "passed": passed,
        "reached_the_robot": trial.robot.checked,
        "armed_again": armed_again,
        "cpu_us_per_command_all_included": 1e6 * cpu_s / commands,
        "kinds": dict(kinds.most_common()),
        "faults": dict(faults.most_common()),
        "events": dict(trial.events.counts.most_common()),
    }


class Still:
    """A robot that costs nothing."""

    def __init__(self) -> None:
        imu = ImuReading(np.array([1.0, 0.0, 0.0, 0.0]), np.zeros(3))
        self._state = RobotState(0.0, SPEC.stance_rad, np.zeros(_N), np.zeros(_N), imu, 16.0, np.full(_N, 30.0), {})

    @property
    def spec(self) -> RobotSpec:
        return SPEC

    def connect(self) -> None: ...

    def read(self) -> RobotState:
        return self._state

    def write(self, command: JointCommand) -> JointCommand:
        return command

    def stop(self) -> None: ...

    def close(self) -> None: ...


def cost_us() -> dict[str, float]:
    """A read and a write, with the supervisor less without."""
    patient = replace(LIMITS, stale_command_s=1e9, stale_reading_s=1e9, frozen_imu_s=None)
    bare = Still()
    supervised = SafetySupervisor(bare, patient, MonotonicClock(), EventLog())
    supervised.connect()
    stance, beyond = SPEC.position_command(SPEC.stance_rad), SPEC.position_command(SPEC.stance_rad + 5.0)
    base_us = _tick_us(bare, stance)
    return {
        "as_it_is": _tick_us(supervised, stance) - base_us,
        "all_clipped": _tick_us(supervised, beyond) - base_us,
    }


def _tick_us(robot: Robot, asked: JointCommand) -> float:
    """CPU time of a read and a write: the median of many rounds."""

    def once() -> float:
        began_s = time.process_time()
        for _ in range(_TICKS_A_ROUND):
            robot.read()
            robot.write(asked)
        return (time.process_time() - began_s) / _TICKS_A_ROUND

    return 1e6 * statistics.median(once() for _ in range(101))


def main() -> None:
    """Says what happened; exit status 1 when anything reached the robot that should not."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--commands", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="where the results go")
    options = parser.parse_args()
    report = {
        "date": datetime.date.today().isoformat(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "load_at_start": os.getloadavg()[0],
        **misuse(options.commands, options.seed),
        "supervisor_cpu_us_per_tick": cost_us(),
    }
    for name in ("kinds", "faults", "events", "supervisor_cpu_us_per_tick"):
        print(f"{name}: " + ", ".join(f"{key} {value:.6g}" for key, value in report[name].items()))  # type: ignore[attr-defined]
    if options.json is not None:
        options.json.write_text(json.dumps(report, indent=2) + "\n")
    for violation in report["first_violations"]:  # type: ignore[attr-defined]
        print(violation)
    us = report["cpu_us_per_command_all_included"]
    reached, violations = report["reached_the_robot"], report["violations"]
    print(f"{options.commands} commands at {us:.0f} us each, {reached} reached the robot, {violations} violations")
    raise SystemExit(1 if violations else 0)


if __name__ == "__main__":
    main()

"""Claim: the shipped policies walk straight on robots they were not trained on, and 50 trials win back return after a hobble.

The robots are the demos', 20 seeds each; a seed decides perturbations, noise and pushes. Before and
after are means of fresh trials, paired by seed; intervals are Student's t over seeds.

    python tests/benchmarks/adaptation_gain.py --json tests/benchmarks/results/adaptation_gain.json
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hardware.types import FloatArray
from robot_adapt.adapt.config import AdaptConfig
from robot_adapt.adapt.operators import make_policy_operator
from robot_adapt.backends import SimulatedRobotConfig, simulated_rig
from robot_adapt.config import load, shipped
from robot_adapt.meta.executors import Failure
from robot_adapt.meta.executors.local import LocalProcessesExecutor
from robot_adapt.policy import policy_file
from robot_adapt.randomness import generator
from robot_adapt.report.recovery import confidence_interval_95
from robot_adapt.rollout import rollout
from robot_adapt.trial import Status, Trial
from sim.hobbles import Hobble

_HEALTHY = "none"
HOBBLES = {"minitaur": ("demo_minitaur", "mass_voltage", "slippery_feet", "weak_leg"), "laikago": ("demo_laikago",)}


@dataclass(frozen=True)
class Work:
    """One seed of one hobble; `none` only walks."""

    robot: str
    hobble: str
    seed: int


@dataclass(frozen=True)
class Seed:
    """Mean returns (m), speed (m/s) and drift to the side (m) before adaptation; falls of fresh trials before and after."""

    before: float
    after: float
    speed_m_s: float
    drift_m: float
    falls_before: int
    falls_after: int


def run(work: Work) -> Seed:
    """Measures, adapts, measures again."""
    config = load(shipped("adapt", f"{work.robot}.yaml"), AdaptConfig)
    robot = load(shipped("rigs", f"{work.robot}.yaml"), SimulatedRobotConfig)
    if work.hobble != _HEALTHY:
        robot = robot.hobbled(load(shipped("hobbles", f"{work.hobble}.yaml"), Hobble))
    policy = policy_file.load(shipped("policies", f"{work.robot}.safetensors"))
    rig, _ = simulated_rig(robot)
    rig.robot.connect()
    counter = iter(range(10**6))

    def trial(parameters: FloatArray) -> Trial:
        rig.reset(generator(work.seed, f"adaptation gain {work.hobble}", next(counter)))
        return rollout(rig.robot, rig.clock, policy.with_parameters(parameters), rig.returns, config.trial_s)

    before = [trial(policy.parameters) for _ in range(config.fresh_trials)]
    after = before
    if work.hobble != _HEALTHY:
        operator = make_policy_operator(config, policy, work.seed)
        while candidates := operator.ask():
            for candidate in candidates:
                tried = trial(candidate.parameters)
                operator.tell(candidate.id, tried.value, tried.telemetry)
        after = [trial(operator.best.parameters) for _ in range(config.fresh_trials)]
    rig.robot.close()
    ends = np.array([one.telemetry["path_m"][-1] for one in before])
    return Seed(
        before=float(np.mean([one.value for one in before])),
        after=float(np.mean([one.value for one in after])),
        speed_m_s=float(ends[:, 0].mean()) / config.trial_s,
        drift_m=float(np.abs(ends[:, 1]).mean()),
        falls_before=sum(one.status is Status.FELL for one in before),
        falls_after=sum(one.status is Status.FELL for one in after),
    )


def summary(values: list[float]) -> dict[str, object]:
    """Mean and 95 % interval over seeds."""
    return {"mean": round(float(np.mean(values)), 4), "ci95": [round(v, 4) for v in confidence_interval_95(values) or ()]}


def main() -> None:
    """Runs all seeds of all hobbles of all robots on all cores."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="where the results go")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--robots", nargs="*", default=[*HOBBLES])
    parser.add_argument("--hobbles", nargs="*", help="names; default those of HOBBLES")
    options = parser.parse_args()
    begin = time.monotonic()
    cases = [(robot, hobble) for robot in options.robots for hobble in (_HEALTHY, *(options.hobbles or HOBBLES[robot]))]
    work = {i: Work(*case, s) for i, (case, s) in enumerate((case, s) for case in cases for s in range(options.seeds))}
    executor = LocalProcessesExecutor(os.cpu_count() or 1)
    results = dict(executor.map(run, work))
    executor.close()
    robots: dict[str, dict[str, Any]] = {
        robot: {
            "policy_sha256": policy_file.sha256(policy_file.load(shipped("policies", f"{robot}.safetensors"))),
            "adapt_config": load(shipped("adapt", f"{robot}.yaml"), AdaptConfig).model_dump(mode="json"),
            "hobbles": {},
        }
        for robot in options.robots
    }
    for robot, hobble in cases:
        seeds = [results[i] for i, one in work.items() if (one.robot, one.hobble) == (robot, hobble)]
        done = [one for one in seeds if not isinstance(one, Failure)]
        if len(done) < len(seeds):
            raise SystemExit(f"{robot} {hobble}: {len(seeds) - len(done)} seeds failed")
        gains = [one.after - one.before for one in done]
        robots[robot]["hobbles"][hobble] = row = {
            "before": summary([one.before for one in done]),
            "after": summary([one.after for one in done]),
            "gain": summary(gains),
            "seeds_worse": sum(gain < 0.0 for gain in gains),
            "speed_m_s": summary([one.speed_m_s for one in done]),
            "drift_m": summary([one.drift_m for one in done]),
            "falls_before": sum(one.falls_before for one in done),
            "falls_after": sum(one.falls_after for one in done),
        }
        print(robot, hobble, json.dumps(row), flush=True)
    report = {
        "date": datetime.date.today().isoformat(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "seeds": options.seeds,
        "seconds": round(time.monotonic() - begin, 1),
        "robots": robots,
    }
    if options.json is not None:
        options.json.write_text(json.dumps(report, indent=2) + "\n")
    robot, hobble = next(case for case in cases if case[1] != _HEALTHY)
    print(f"gain of {robot} {hobble}: {robots[robot]['hobbles'][hobble]['gain']}")


if __name__ == "__main__":
    main()

"""Claim: what the Minitaur trains on is the fastest of these settings that walks as the reference does.

That is: as far within 5 %, motion by motion within 10 %, with the work within 5 %.

The reference is the Minitaur with closed five-bar legs, every stock collision shape, self-collision, steps of 1 ms and 200
solver iterations. It and every setting get the same commands: trots of several speeds, turns and lifts, and smooth random
motions, each from several starts (pushes of 0.05 m/s, seeded). A path is followed through a window of half a second, so that
the swaying of a gait is no way.

`path` is the error of all paths together; `each_path` the mean error of single motions, which contains luck: "reference, other
starts" is the reference against itself. Both are shares of the reference's paths.

    python tests/benchmarks/fidelity.py --json tests/benchmarks/results/fidelity.json
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

import numpy as np

from hardware.types import FloatArray
from robot_adapt.config import load, shipped
from robot_adapt.meta.executors import Failure
from robot_adapt.meta.executors.local import LocalProcessesExecutor
from robot_adapt.policy.trajectory_generator import TrotGenerator
from robot_adapt.randomness import generator
from robot_adapt.robot_model import RobotModel, SimulationConfig
from sim.dynamics import Dynamics
from sim.simulated_robot import SimulatedRobot

_REFERENCE = SimulationConfig(legs="five_bar_full", time_step_s=0.001, iterations=200)
_PERIOD_S, _TICKS = 0.02, 150
_WINDOW_TICKS = 25


@dataclass(frozen=True)
class Trot:
    """An open-loop trot; `turn` makes the right legs' amplitudes larger by that share and the left ones' smaller."""

    frequency_hz: float
    amplitude: float
    lift: float
    turn: float = 0.0
    pd_latency_s: float = 0.003


@dataclass(frozen=True)
class Smooth:
    """Every motor on its own: three sines of 0.4 to 2.5 Hz, within 0.4 of the room between stance and limits."""

    seed: int
    pd_latency_s: float = 0.003


# Amplitudes and lifts as shares of the robot's own trot.
MOTIONS: dict[str, Trot | Smooth] = {
    "trot": Trot(2.0, 1.0, 1.0),
    "slow": Trot(1.3, 1.3, 1.15, pd_latency_s=0.0),
    "long": Trot(1.6, 1.65, 1.0),
    "short": Trot(2.0, 0.5, 0.7, pd_latency_s=0.0),
    "high": Trot(2.4, 1.3, 1.3),
    "fast": Trot(3.0, 1.15, 0.6),
    "left": Trot(2.0, 1.15, 1.0, turn=0.4),
    "right": Trot(2.5, 1.0, 1.15, turn=-0.5, pd_latency_s=0.0),
    **{f"smooth {seed}": Smooth(seed, 0.003 * (seed % 2)) for seed in range(6)},
}


@dataclass(frozen=True)
class Work:
    """All motions of one robot in one setting."""

    robot: str
    setting: SimulationConfig
    starts: tuple[int, ...]


@dataclass(frozen=True)
class Walk:
    """What one motion came to, means over its starts: m, m, m, rad, (ticks, n) rad, J."""

    path_m: float
    end_m: FloatArray
    height_m: float
    heading_rad: float
    joints_rad: FloatArray
    energy_j: float


def targets(motion: Trot | Smooth, model: RobotModel) -> FloatArray:
    """Joint targets (ticks, n)."""
    stance, names = model.body.spec.stance_rad, model.body.spec.joint_names
    if isinstance(motion, Smooth):
        lower, upper = model.body.spec.limits_rad
        room = 0.4 * np.minimum(upper - stance, stance - lower).clip(max=1.0)
        randomness, t = generator(motion.seed, "smooth motion"), np.arange(1, _TICKS + 1)[:, np.newaxis] * _PERIOD_S
        rows = np.zeros((_TICKS, len(names)))
        for weight in randomness.dirichlet(np.ones(3), len(names)).T:
            frequency, phase = randomness.uniform(0.4, 2.5, len(names)), randomness.uniform(0.0, 2.0 * np.pi, len(names))
            rows += weight * np.sin(2.0 * np.pi * frequency * t + phase)
        return np.asarray(stance + room * rows * np.minimum(t / 0.3, 1.0))
    trot = model.trot.model_copy(
        update={
            "frequency_hz": motion.frequency_hz,
            "amplitude_rad": motion.amplitude * model.trot.amplitude_rad,
            "lift_rad": motion.lift * model.trot.lift_rad,
        }
    )
    side = np.array([1.0 - motion.turn if "left" in model.body.joints[name].leg else 1.0 + motion.turn for name in names])
    gait, straight = TrotGenerator(trot), TrotGenerator(trot.model_copy(update={"amplitude_rad": 0.0}))
    trots = []
    for _ in range(_TICKS):
        lifted = straight.step(_PERIOD_S, np.zeros(2 + 2 * trot.legs))
        swung = gait.step(_PERIOD_S, np.zeros(2 + 2 * trot.legs)) - lifted
        trots.append(stance + lifted + side * swung)
    return np.array(trots)


def run(work: Work) -> tuple[dict[str, Walk], float]:
    """Walks all motions; returns them, and seconds of processor time a trial."""
    model = load(shipped("robots", f"{work.robot}.yaml"), RobotModel)
    walks, spent_s = {}, 0.0
    for latency_s in sorted({motion.pd_latency_s for motion in MOTIONS.values()}):
        robot = SimulatedRobot(
            model.body, Dynamics(pd_latency_s=latency_s, start_push_m_s=0.05), legs=work.setting.legs,
            time_step_s=work.setting.time_step_s, iterations=work.setting.iterations,
        )  # fmt: skip
        robot.connect()
        begin_s = time.process_time()
        for name, motion in MOTIONS.items():
            if motion.pd_latency_s == latency_s:
                walks[name] = _mean([_walk(robot, targets(motion, model), start) for start in work.starts])
        spent_s += time.process_time() - begin_s
        robot.close()
    return {name: walks[name] for name in MOTIONS}, spent_s / (len(MOTIONS) * len(work.starts))


def _walk(robot: SimulatedRobot, rows: FloatArray, start: int) -> Walk:
    robot.reset(generator(start, "fidelity"))
    begin_s, truth = robot.now(), robot.truth()
    places, joints, heights = [(truth.x_m, truth.y_m)], [], []
    for tick, row in enumerate(rows):
        robot.write(robot.spec.position_command(row))
        robot.sleep_until(begin_s + (tick + 1) * _PERIOD_S)
        truth = robot.truth()
        places.append((truth.x_m, truth.y_m))
        heights.append(truth.z_m)
        joints.append(robot.read().positions_rad)
    way = np.array(places)
    padded = np.vstack([np.repeat(way[:1], _WINDOW_TICKS // 2, 0), way, np.repeat(way[-1:], _WINDOW_TICKS // 2, 0)])
    window = np.ones(_WINDOW_TICKS) / _WINDOW_TICKS
    smooth = np.stack([np.convolve(padded[:, axis], window, "valid") for axis in (0, 1)], axis=1)
    x, y, z, w = robot.physics.base_pose()[1]
    return Walk(
        path_m=float(np.linalg.norm(np.diff(smooth, axis=0), axis=1).sum()),
        end_m=way[-1] - way[0],
        height_m=float(np.mean(heights)),
        heading_rad=float(np.arctan2(2.0 * (w * z + x * y), 1.0 - 2.0 * (y * y + z * z))),
        joints_rad=np.array(joints),
        energy_j=truth.energy_j,
    )


def _mean(walks: list[Walk]) -> Walk:
    return Walk(
        path_m=float(np.mean([walk.path_m for walk in walks])),
        end_m=np.mean([walk.end_m for walk in walks], axis=0),
        height_m=float(np.mean([walk.height_m for walk in walks])),
        heading_rad=float(np.mean(np.unwrap([walk.heading_rad for walk in walks]))),
        joints_rad=np.mean([walk.joints_rad for walk in walks], axis=0),
        energy_j=float(np.mean([walk.energy_j for walk in walks])),
    )


def errors(walks: dict[str, Walk], reference: dict[str, Walk]) -> dict[str, float]:
    """How far a setting's walks are from the reference's."""
    pairs = [(walks[name], reference[name]) for name in reference]
    path_m = sum(truth.path_m for _, truth in pairs)
    turned = [walk.heading_rad - truth.heading_rad for walk, truth in pairs]
    return {
        "path": sum(walk.path_m for walk, _ in pairs) / path_m - 1.0,
        "each_path": sum(abs(walk.path_m - truth.path_m) for walk, truth in pairs) / path_m,
        "forward": sum(abs(walk.end_m[0] - truth.end_m[0]) for walk, truth in pairs) / path_m,
        "height_mm": 1000.0 * float(np.mean([walk.height_m - truth.height_m for walk, truth in pairs])),
        "heading_rad": float(np.mean([abs((one + np.pi) % (2.0 * np.pi) - np.pi) for one in turned])),
        "joints_rad": float(np.mean([np.sqrt(np.mean((w.joints_rad - t.joints_rad) ** 2)) for w, t in pairs])),
        "energy_ratio": sum(walk.energy_j for walk, _ in pairs) / sum(truth.energy_j for _, truth in pairs),
    }


def main() -> None:
    """Runs every setting on all cores."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="where the results go")
    parser.add_argument("--starts", type=int, default=4)
    parser.add_argument("--settings", nargs="*", metavar="LEGS:MS:ITERATIONS", default=SETTINGS)
    options = parser.parse_args()
    begin, starts = time.monotonic(), tuple(range(options.starts))
    other = tuple(range(options.starts, 2 * options.starts))
    work = {0: Work("minitaur", _REFERENCE, starts), 1: Work("minitaur", _REFERENCE, other)}
    names = {1: "reference, other starts"}
    for key, text in enumerate(options.settings, start=2):
        legs, step_ms, iterations = text.split(":")
        values = {"legs": legs, "time_step_s": float(step_ms) / 1000.0, "iterations": int(iterations)}
        work[key], names[key] = Work("minitaur", SimulationConfig.model_validate(values), starts), text
    executor = LocalProcessesExecutor(os.cpu_count() or 1)
    results = dict(executor.map(run, work))
    executor.close()
    reference = results[0]
    if isinstance(reference, Failure):
        raise SystemExit(f"the reference failed: {reference.reason}")
    table = {}
    for key, name in names.items():
        result = results[key]
        if isinstance(result, Failure):
            raise SystemExit(f"{name} failed: {result.reason}")
        row = {**errors(result[0], reference[0]), "rollouts_per_s": 1.0 / result[1]}
        table[name] = {column: float(f"{value:.4g}") for column, value in row.items()}
        print(f"{name:24}", json.dumps(table[name]), flush=True)
    report = {
        "date": datetime.date.today().isoformat(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "reference": _REFERENCE.model_dump(),
        "starts": options.starts,
        "motions": list(MOTIONS),
        "seconds": round(time.monotonic() - begin, 1),
        "settings": table,
    }
    if options.json is not None:
        options.json.write_text(json.dumps(report, indent=2) + "\n")
    print(f"fastest that is true enough: {fastest(table)}")


def fastest(table: dict[str, dict[str, float]]) -> str:
    """The setting that buys the most rollouts among those within the limits; the reference is none.

    Rates that differ by less than 5 % do not differ: of those the one with the truest path.
    """
    good = {name: row for name, row in table.items() if ":" in name and _is_true(row)}
    most = max(row["rollouts_per_s"] for row in good.values())
    return min(
        (name for name, row in good.items() if row["rollouts_per_s"] > 0.95 * most), key=lambda name: abs(good[name]["path"])
    )


def _is_true(row: dict[str, float]) -> bool:
    return abs(row["path"]) < 0.05 and row["each_path"] < 0.1 and abs(row["energy_ratio"] - 1.0) < 0.05


SETTINGS = (
    "serial:1:50", "serial:2:10", "serial:2.5:10", "serial:4:5", "serial:4:10", "serial:5:10",
    "five_bar:1:100", "five_bar:2:10", "five_bar:2:20", "five_bar:2:30",
    "five_bar:2.5:10", "five_bar:2.5:15", "five_bar:2.5:20", "five_bar_full:2:20",
)  # fmt: skip

if __name__ == "__main__":
    main()

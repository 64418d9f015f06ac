"""Films trials again: the same seed gives the same trial, this time with a camera."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from robot_adapt.adapt.record import Phase, TrialRecord
from robot_adapt.backends import Rig
from robot_adapt.policy.linear import LinearPolicy
from robot_adapt.randomness import generator
from robot_adapt.report.animation import Film, write_gif
from robot_adapt.report.plots import COLORS
from robot_adapt.rollout import rollout
from sim.simulated_robot import SimulatedMinitaur

_WIDTH, _HEIGHT = 280, 200
_TICKS_A_FRAME = 5


@dataclass(frozen=True)
class Scene:
    """A phase of a session and the simulated robot it ran on; the rig is that robot's."""

    title: str
    phase: Phase
    body: SimulatedMinitaur
    rig: Rig


def film_session(
    scenes: Sequence[Scene], trials: Sequence[TrialRecord], policy: LinearPolicy, trial_s: float, path: Path
) -> None:
    """Writes a GIF of the typical (median) trial of each scene's phase, side by side."""
    write_gif([_film(scene, _median(trials, scene.phase), policy, trial_s) for scene in scenes], path)


def _median(trials: Sequence[TrialRecord], phase: Phase) -> TrialRecord:
    scored = sorted((t.value, t.number, t) for t in trials if t.phase is phase and t.value is not None)
    return scored[len(scored) // 2][2]


def _film(scene: Scene, trial: TrialRecord, policy: LinearPolicy, trial_s: float) -> Film:
    images: list[NDArray[np.uint8]] = []
    path_m: list[tuple[float, float]] = []

    def picture(tick: int) -> None:
        if tick % _TICKS_A_FRAME == 0:
            truth = scene.body.truth()
            path_m.append((truth.x_m, truth.y_m))
            target = (truth.x_m, truth.y_m, 0.1)
            images.append(scene.body.world.image(width=_WIDTH, height=_HEIGHT, target_m=target))

    scene.rig.reset(generator(trial.seed, "trial", trial.number))
    picture(0)  # a robot that falls at once has a picture too
    tried, rig = policy.with_parameters(trial.parameters), scene.rig
    again = rollout(rig.robot, rig.clock, tried, rig.returns, trial_s, lambda tick: picture(tick) if tick else None)
    if again.value != trial.value:
        raise RuntimeError(f"trial {trial.number} filmed again returned {again.value}, not {trial.value}")
    return Film(f"{scene.title}  {trial.value:.2f} m", COLORS[scene.phase], images, path_m)

"""Films trials: of a session again (the same seed gives the same trial, this time with a camera), or any walk."""

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
from robot_adapt.report.animation import Film, frames
from robot_adapt.report.encoding import write_gif
from robot_adapt.report.plots import COLORS
from robot_adapt.rollout import rollout
from robot_adapt.trial import Trial
from sim.simulated_robot import SimulatedRobot

_WIDTH, _HEIGHT = 280, 200
_FRAME_S = 0.1


@dataclass(frozen=True)
class Scene:
    """A phase of a session and the simulated robot it ran on; the rig is that robot's."""

    title: str
    phase: Phase
    body: SimulatedRobot
    rig: Rig


@dataclass(frozen=True)
class Walk:
    """A trial, its pictures (height, width, 3), and where the base was (m) at each."""

    trial: Trial
    images: list[NDArray[np.uint8]]
    path_m: list[tuple[float, float]]


def film_session(
    scenes: Sequence[Scene], trials: Sequence[TrialRecord], policy: LinearPolicy, trial_s: float, path: Path
) -> None:
    """Writes a GIF of the typical (median) trial of each scene's phase, side by side."""
    ticks = ticks_a_frame(_FRAME_S, policy)
    films = [_film(scene, _median(trials, scene.phase), policy, trial_s, ticks) for scene in scenes]
    write_gif(frames(films), path, round(1000 * ticks * policy.period_s))


def ticks_a_frame(frame_s: float, policy: LinearPolicy) -> int:
    """How many control periods come nearest to so long a frame; one at least."""
    return max(round(frame_s / policy.period_s), 1)


def film_walk(
    rig: Rig, body: SimulatedRobot, policy: LinearPolicy, trial_s: float, *,
    start: np.random.Generator, size: tuple[int, int], ticks: int,
) -> Walk:  # fmt: skip
    """One trial of a connected robot, from a reset by `start`, with a picture every so many control periods."""
    images: list[NDArray[np.uint8]] = []
    path_m: list[tuple[float, float]] = []

    def picture(tick: int) -> None:
        if tick % ticks == 0:
            truth = body.truth()
            path_m.append((truth.x_m, truth.y_m))
            images.append(body.image(width=size[0], height=size[1]))

    rig.reset(start)
    picture(0)  # a robot that falls at once has a picture too
    trial = rollout(rig.robot, rig.clock, policy, rig.returns, trial_s, lambda tick: picture(tick) if tick else None)
    return Walk(trial, images, path_m)


def _median(trials: Sequence[TrialRecord], phase: Phase) -> TrialRecord:
    scored = sorted((t.value, t.number, t) for t in trials if t.phase is phase and t.value is not None)
    return scored[len(scored) // 2][2]


def _film(scene: Scene, trial: TrialRecord, policy: LinearPolicy, trial_s: float, ticks: int) -> Film:
    again = film_walk(
        scene.rig, scene.body, policy.with_parameters(trial.parameters), trial_s,
        start=generator(trial.seed, "trial", trial.number), size=(_WIDTH, _HEIGHT), ticks=ticks,
    )  # fmt: skip
    if again.trial.value != trial.value:
        raise RuntimeError(f"trial {trial.number} filmed again returned {again.trial.value}, not {trial.value}")
    return Film(f"{scene.title}  {trial.value:.2f} m", COLORS[scene.phase], again.images, again.path_m)

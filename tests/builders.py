"""Small, fast objects of the kinds that tests need."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray

from hardware.clock import FakeClock
from hardware.mock import MockRobot
from robot_adapt.adapt.record import Phase, TrialRecord
from robot_adapt.backends import Rig, SimulatedRobotConfig
from robot_adapt.config import load, shipped
from robot_adapt.policy import policy_file
from robot_adapt.policy.linear import LinearPolicy
from robot_adapt.repertoire.repertoire import Repertoire
from robot_adapt.robot_model import RobotModel
from robot_adapt.trial import Status
from robot_adapt.wire.convert import SealedTrial, seal

MINITAUR = load(shipped("robots", "minitaur.yaml"), RobotModel)
SPEC = MINITAUR.body.spec


def shipped_policy(robot: str = "minitaur") -> LinearPolicy:
    """Alone, without the repertoire that may come with it."""
    return replace(policy_file.load(shipped("policies", f"{robot}.safetensors")), repertoire=None)


def policy_with_repertoire(ticks: int) -> LinearPolicy:
    """The shipped Minitaur's with three specialists that mean nothing, made in trials of so many ticks."""
    policy, chance = shipped_policy(), np.random.default_rng(0)
    steps = np.vstack((np.zeros(policy.weights.size), chance.normal(scale=0.01, size=(3, policy.weights.size))))
    traces = chance.normal(size=(12, 5 * len(SPEC.joints) + 7))
    words = ("the policy", "a weak leg", "a locked joint", "a slope")
    repertoire = Repertoire(
        policy.parameters + steps, chance.normal(1.0, 0.3, (12, 4)), traces, 0.05, ticks, words, ("a task",) * 12
    )
    return replace(policy, repertoire=repertoire)


def simulated_config(name: str = "minitaur") -> SimulatedRobotConfig:
    return load(shipped("rigs", f"{name}.yaml"), SimulatedRobotConfig)


def record(number: int = 0, **changes: object) -> TrialRecord:
    """A completed adaptation trial, with telemetry."""
    values: dict[str, object] = {
        "robot": "minitaur",
        "session": "test",
        "number": number,
        "phase": Phase.ADAPTATION,
        "status": Status.COMPLETED,
        "reason": "",
        "value": 0.5 + number,
        "return_source": "test",
        "seed": 3,
        "candidate": number,
        "hobble": "a test",
        "duration_s": 3.0,
        "period_s": 0.02,
        "missed_ticks": 0,
        "parameters": np.arange(4.0),
        "telemetry": {"path_m": np.ones((5, 2), dtype=np.float32)},
    }
    return TrialRecord(**{**values, **changes})  # type: ignore[arg-type]


def sealed(number: int = 0, **changes: object) -> SealedTrial:
    return seal(record(number, **changes))


class ConstantReturn:
    """A ReturnSource that always finds the same return."""

    name = "constant"

    def __init__(self, value: float = 1.0, at_finish: Callable[[], None] = lambda: None) -> None:
        self._value = value
        self._at_finish = at_finish

    def begin(self) -> None:
        pass

    def tick(self, period_s: float) -> None:
        pass

    def finish(self) -> float:
        self._at_finish()
        return self._value

    def telemetry(self) -> dict[str, NDArray[np.float32]]:
        return {}


def mock_rig(value: float = 1.0, fault: Callable[[], str | None] = lambda: None) -> Rig:
    """A connected mock Minitaur on a fake clock."""
    clock = FakeClock()
    robot = MockRobot(SPEC, clock, fault)
    robot.connect()
    return Rig(robot, clock, lambda _: None, ConstantReturn(value))


def write_yaml(path: Path, values: object) -> Path:
    path.write_text(yaml.safe_dump(values, sort_keys=False))
    return path

"""Lane: one simulated robot in one world, for trials whose noise an index decides. For work items; runs in any process."""

from __future__ import annotations

from types import TracebackType

import numpy as np

from hardware.types import FloatArray
from robot_adapt.backends import SimulatedRobotConfig, simulated_rig
from robot_adapt.baselines.exploration import explored_trial
from robot_adapt.baselines.policy_gradient import Episode
from robot_adapt.policy.linear import LinearPolicy
from robot_adapt.randomness import generator
from robot_adapt.rollout import rollout
from robot_adapt.trial import Trial


class Lane:
    """A context; `trials` counts them. The noise of a trial is a function of seed, purpose and its index."""

    def __init__(self, policy: LinearPolicy, robot: SimulatedRobotConfig, trial_s: float, seed: int, purpose: str) -> None:
        self._policy, self._trial_s, self._seed, self._purpose = policy, trial_s, seed, purpose
        self._rig, _ = simulated_rig(robot)
        self.trials = 0

    def __enter__(self) -> Lane:
        self._rig.robot.connect()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._rig.robot.close()

    def trial(self, theta: FloatArray, *index: int) -> Trial:
        """Raises RuntimeError when it is aborted."""
        self._rig.reset(generator(self._seed, self._purpose, *index))
        self.trials += 1
        policy = self._policy.with_parameters(theta)
        trial = rollout(self._rig.robot, self._rig.clock, policy, self._rig.returns, self._trial_s)
        trial.scored()
        return trial

    def explored(self, theta: FloatArray, std: float, *index: int) -> tuple[Trial, Episode]:
        """The same with exploration in its actions, see explored_trial."""
        self._rig.reset(generator(self._seed, self._purpose, *index))
        self.trials += 1
        exploration = generator(self._seed, f"{self._purpose} exploration", *index)
        trial, episode = explored_trial(self._rig, self._policy.with_parameters(theta), std, self._trial_s, exploration)
        trial.scored()
        return trial, episode

    def value(self, theta: FloatArray, *index: int) -> float:
        """The return (m) of a trial."""
        return self.trial(theta, *index).scored()

    def mean(self, theta: FloatArray, trials: int, *index: int) -> float:
        """The mean return (m) of so many trials."""
        return float(np.mean([self.value(theta, *index, i) for i in range(trials)]))

    def differences(self, theta: FloatArray, steps: FloatArray, *index: int) -> FloatArray:
        """f(theta + step) - f(theta - step) for each step (n, d); both sides of a pair meet the same noise."""
        return np.array(
            [self.value(theta + step, *index, pair) - self.value(theta - step, *index, pair) for pair, step in enumerate(steps)]
        )

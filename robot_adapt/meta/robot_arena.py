"""The Arena of simulated robots: worlds sampled around a rig, trials that are rollouts."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hardware.types import FloatArray
from robot_adapt import __version__
from robot_adapt.backends import Rig, SimulatedRobotConfig, simulated_rig
from robot_adapt.baselines.exploration import explored_trial
from robot_adapt.baselines.policy_gradient import Episode
from robot_adapt.errors import UserError, named_by
from robot_adapt.meta.config import MetaTrainConfig
from robot_adapt.meta.state import MetaState
from robot_adapt.policy import policy_file
from robot_adapt.policy.linear import LinearPolicy, observation_names
from robot_adapt.policy.normalizer import Moments
from robot_adapt.rollout import rollout
from robot_adapt.trial import Trial
from sim.dynamics import Dynamics

_START_OBSERVATIONS = 1e6  # what a start policy's normalizer counts for: a file keeps no count


class RobotArena:
    """Raises UserError when the config's start policy does not fit its robot."""

    def __init__(self, config: MetaTrainConfig) -> None:
        self._config = config
        self._start = None if config.start is None else _start_policy(config, config.start)

    @property
    def start_sha256(self) -> str | None:
        """Of the policy that training starts from, if any."""
        return None if self._start is None else policy_file.sha256(self._start)

    def start(self) -> MetaState:
        if (policy := self._start) is not None:
            n, normalizer = _START_OBSERVATIONS, policy.normalizer
            moments = Moments(n, normalizer.mean, n * np.square(normalizer.std))
            return MetaState(0, 0, policy.parameters, moments, space=policy.space)
        trot = self._config.robot.robot.trot
        observations = len(observation_names(trot))
        return MetaState(0, 0, np.zeros((2 + 2 * trot.legs) * (observations + 1)), Moments.empty(observations))

    def world(self, moments: Moments, randomness: np.random.Generator) -> RobotWorld:
        return self._world(moments, self._config.tasks.sample(self._config.robot.dynamics, randomness))

    def check(self) -> None:
        """Raises what would make every work item fail: UserError for a joint that is not there, RobotError without PyBullet."""
        world = self._world(self.start().moments, self._config.robot.dynamics)
        rig, _ = simulated_rig(world.robot)
        world.policy.check_fits(rig.robot.spec)
        rig.robot.connect()
        rig.robot.close()

    def policy(self, state: MetaState) -> LinearPolicy:
        """The policy of a state, with what made it."""
        provenance = {
            "made_by": f"robot_adapt {__version__} meta-train",
            "iterations": state.iteration,
            "trials": state.trials,
            "config": self._config.model_dump(mode="json"),
        }
        if self.start_sha256 is not None:
            provenance["start_sha256"] = self.start_sha256
        blank = self._blank(state.moments)
        return replace(blank.with_parameters(state.theta), provenance=provenance, space=state.space)

    def _blank(self, moments: Moments) -> LinearPolicy:
        robot = self._config.robot.robot
        weights = np.zeros((2 + 2 * robot.trot.legs, moments.mean.size + 1))
        return LinearPolicy(robot.body.name, self._config.period_s, robot.trot, weights, moments.normalizer())

    def _world(self, moments: Moments, dynamics: Dynamics) -> RobotWorld:
        robot = self._config.robot.model_copy(update={"dynamics": dynamics})
        return RobotWorld(self._blank(moments), robot, self._config.trial_s)


@dataclass(frozen=True)
class RobotWorld:
    """A simulated robot; `policy` says all of a policy but its parameters."""

    policy: LinearPolicy
    robot: SimulatedRobotConfig
    trial_s: float

    def open(self) -> OpenRobotWorld:
        rig, _ = simulated_rig(self.robot)
        rig.robot.connect()
        return OpenRobotWorld(self, rig)


class OpenRobotWorld:
    """A connected robot."""

    def __init__(self, world: RobotWorld, rig: Rig) -> None:
        self._world, self._rig = world, rig
        self.moments = Moments.empty(len(world.policy.observation_names))

    def trial(self, theta: FloatArray, noise: np.random.Generator) -> float:
        rig, policy = self._rig, self._world.policy.with_parameters(theta)
        rig.reset(noise)
        trial = rollout(rig.robot, rig.clock, policy, rig.returns, self._world.trial_s)
        return self._told(trial)

    def explore(self, theta: FloatArray, std: float, noise: np.random.Generator) -> Episode:
        """See explored_trial; the same noise as of a trial, beside the exploration."""
        rig, policy = self._rig, self._world.policy.with_parameters(theta)
        (exploration,) = noise.spawn(1)
        rig.reset(noise)
        trial, episode = explored_trial(rig, policy, std, self._world.trial_s, exploration)
        self._told(trial)
        return episode

    def _told(self, trial: Trial) -> float:
        if trial.value is None:
            raise RuntimeError(f"trial aborted: {trial.reason}")
        if len(trial.observations):
            self.moments = self.moments.merge(Moments.of(trial.observations))
        return trial.value

    def close(self) -> None:
        self._rig.robot.close()


def _start_policy(config: MetaTrainConfig, name: str) -> LinearPolicy:
    """The policy file, or the shipped policy, of that name."""
    robot = config.robot.robot
    with named_by("start"):
        policy = policy_file.to_train_around(name, robot.body.spec, robot.trot, config.trial_s)
        if policy.period_s != config.period_s:
            raise UserError(f"{name}: this policy's control period is not that of this config")
    return policy

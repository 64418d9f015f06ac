"""Policy gradients on robots: trials that explore through the one control loop, and adaptation by them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hardware.types import FloatArray
from robot_adapt.backends import Rig
from robot_adapt.baselines.policy_gradient import Episode, PolicyGradientConfig, adapt
from robot_adapt.policy.linear import LinearPolicy
from robot_adapt.randomness import generator
from robot_adapt.rollout import rollout
from robot_adapt.trial import Trial


def explored_trial(
    rig: Rig, policy: LinearPolicy, std: float, trial_s: float, randomness: np.random.Generator
) -> tuple[Trial, Episode]:
    """A trial of a rig that was reset, with actions a ~ N(W s, std^2 I), clipped as always; aborted, its episode is empty.

    An action is rewarded with the forward progress until the next where the return's source follows the base; what else the
    return is made of comes with the last one.
    """
    exploring = policy.with_parameters(policy.parameters)
    ticks, bias = policy.ticks_in(trial_s), policy.weights[:, -1]
    exploration = std * randomness.standard_normal((ticks + 1, len(bias)))
    done = 0

    def next_tick(_: int) -> None:
        nonlocal done
        done += 1
        exploring.weights[:, -1] = bias + exploration[done]

    # The bias carries the noise from tick to tick: the control loop knows nothing of it, on whatever robot.
    exploring.weights[:, -1] = bias + exploration[0]
    trial = rollout(rig.robot, rig.clock, exploring, rig.returns, trial_s, next_tick)
    layout = np.arange(policy.weights.size).reshape(policy.weights.shape)
    if trial.value is None or not done:
        return trial, Episode(np.zeros((0, layout.shape[1])), exploration[:0], np.zeros(0), layout)
    observed = trial.observations[:done]
    rewards = np.zeros(done)
    if (path := trial.telemetry.get("path_m")) is not None:
        rewards += np.diff(path[: done + 1, 0].astype(np.float64))
    rewards[-1] += trial.value - rewards.sum()
    states = np.column_stack((policy.normalizer(observed), np.ones(done)))
    return trial, Episode(states, exploration[:done], rewards, layout)


def adapt_on_robot(
    rig: Rig, policy: LinearPolicy, config: PolicyGradientConfig, trial_s: float, seed: int,
    on_trial: Callable[[Trial], None] = lambda _: None,
) -> FloatArray:  # fmt: skip
    """Theta after adaptation on a connected rig, any robot; `config.trials` trials, of which aborted ones do not count."""

    def explore(theta: FloatArray, step: int, i: int) -> Episode:
        rig.reset(generator(seed, "trial", step * config.episodes + i))
        exploration = generator(seed, "exploration", step, i)
        trial, episode = explored_trial(rig, policy.with_parameters(theta), config.std, trial_s, exploration)
        on_trial(trial)
        return episode

    return adapt(explore, policy.parameters, config)[0]

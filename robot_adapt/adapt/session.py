"""An adaptation session: trials numbered from 0, each on disk before the next.

A session that was cut off goes on where it was: trials already in the journal are not run again, and the operator, told them
again, proposes the same next candidate.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hardware.types import FloatArray, RobotFault
from robot_adapt.adapt.journal import Journal
from robot_adapt.adapt.record import Phase, TrialRecord
from robot_adapt.backends import Rig
from robot_adapt.errors import UserError
from robot_adapt.optim.operator import AdaptationOperator, Candidate
from robot_adapt.policy.linear import LinearPolicy
from robot_adapt.randomness import generator
from robot_adapt.rollout import rollout
from robot_adapt.trial import Status, Trial
from robot_adapt.wire.convert import seal

_MAX_ABORTED_IN_A_ROW = 3


@dataclass(frozen=True)
class SessionConfig:
    """Who and how long; `seed` decides every random number of the session."""

    robot: str
    session: str
    seed: int
    trial_s: float


class Session:
    """Runs trials on one rig after another (a robot before and after something happened to it).

    Args:
        on_trial: told every record, those found in the journal included; for progress and for the uplink.

    """

    def __init__(
        self, config: SessionConfig, policy: LinearPolicy, journal: Journal, on_trial: Callable[[TrialRecord], None]
    ) -> None:
        self._config = config
        self._policy = policy
        self._journal = journal
        self._on_trial = on_trial
        self._done = {trial.number: trial.record for trial in journal.trials()}
        self._next = 0
        self._aborted_in_a_row = 0

    def adapt(self, rig: Rig, operator: AdaptationOperator, hobble: str = "") -> FloatArray:
        """Runs the operator's whole budget; returns the parameters it believes best."""
        while candidates := operator.ask():
            for candidate in candidates:
                record = self.trial(rig, Phase.ADAPTATION, candidate.parameters, hobble, candidate)
                operator.tell(candidate.id, record.value, record.telemetry)
        return operator.best.parameters

    def measure(self, rig: Rig, phase: Phase, parameters: FloatArray, trials: int, hobble: str = "") -> None:
        """Fresh trials of fixed parameters."""
        for _ in range(trials):
            self.trial(rig, phase, parameters, hobble)

    def trial(
        self, rig: Rig, phase: Phase, parameters: FloatArray, hobble: str = "", candidate: Candidate | None = None
    ) -> TrialRecord:
        """Runs the next trial, or takes it from the journal.

        A trial that Ctrl-C interrupts or a fault prevents is in the journal as aborted. Raises RobotFault after three aborted
        ones in a row: a robot that does not work must not use up the budget.
        """
        number, self._next = self._next, self._next + 1
        candidate_id, why = (None, "") if candidate is None else (candidate.id, candidate.why)
        if number in self._done:
            record = self._done[number]
            c = self._config
            ours = (c.robot, c.session, c.seed, phase, candidate_id)
            theirs = (record.robot, record.session, record.seed, record.phase, record.candidate)
            if ours != theirs or not np.array_equal(record.parameters, parameters):
                raise UserError(f"trial {number} in the journal is not this session's: other policy, config or seed")
            self._on_trial(record)
            return record

        def keep(trial: Trial) -> TrialRecord:
            c = self._config
            record = TrialRecord(
                c.robot, c.session, number, phase, trial.status, trial.reason, trial.value, rig.returns.name, c.seed,
                candidate_id, hobble, trial.duration_s, self._policy.period_s, trial.missed_ticks, parameters, trial.telemetry,
                rig.log.counts - before, why,
            )  # fmt: skip
            self._journal.append(seal(record))
            self._on_trial(record)
            return record

        policy, before = self._policy.with_parameters(parameters), rig.log.counts.copy()
        gc.collect()  # now, as a rollout does not
        try:
            rig.reset(generator(self._config.seed, "trial", number))
            trial = rollout(rig.robot, rig.clock, policy, rig.returns, self._config.trial_s)
        except RobotFault as fault:
            trial = _not_run(str(fault))
        except KeyboardInterrupt:
            rig.robot.close()  # now: the last trials may take seconds to be sent
            keep(_not_run("interrupted by the operator"))
            raise
        finally:
            rig.robot.stop()
        record = keep(trial)
        self._aborted_in_a_row = self._aborted_in_a_row + 1 if trial.status is Status.ABORTED else 0
        if self._aborted_in_a_row == _MAX_ABORTED_IN_A_ROW:
            raise RobotFault(f"{_MAX_ABORTED_IN_A_ROW} trials in a row were aborted, the last one because {trial.reason}")
        return record


def _not_run(reason: str) -> Trial:
    return Trial(Status.ABORTED, reason, None, 0.0, 0, {}, np.empty(0))

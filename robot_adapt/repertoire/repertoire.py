"""Repertoire: specialists around a meta-policy and what they are worth on training tasks; frozen arrays in a policy file."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from hardware.types import FloatArray
from robot_adapt.errors import UserError


@dataclass(frozen=True)
class Repertoire:
    """K members, tried on T training tasks; member 0 is the meta-policy itself.

    Attributes:
        members: parameters (K, d).
        returns: of every member on every task (T, K), means of trials.
        traces: what the meta-policy's first trial told on every task (T, F), see `trace`.
        noise_sd: of the return of a single trial.
        ticks: control ticks of a whole trial, as the traces were made.
        member_words, task_words: what each was trained on, and what each was.

    """

    members: FloatArray
    returns: FloatArray
    traces: FloatArray
    noise_sd: float
    ticks: int
    member_words: tuple[str, ...]
    task_words: tuple[str, ...]

    def __post_init__(self) -> None:
        tasks, members = self.returns.shape
        if self.members.ndim != 2 or len(self.members) != members or len(self.member_words) != members:
            raise UserError(f"repertoire: {len(self.members)} members, {members} columns, {len(self.member_words)} names")
        if self.traces.ndim != 2 or len(self.traces) != tasks or len(self.task_words) != tasks:
            raise UserError(f"repertoire: {tasks} rows of returns, {len(self.traces)} traces, {len(self.task_words)} names")
        for name, values in (("members", self.members), ("returns", self.returns), ("traces", self.traces)):
            if not np.isfinite(values).all():
                raise UserError(f"repertoire: {name} hold a value that is not finite")
        if not self.noise_sd > 0.0:
            raise UserError("repertoire: noise_sd must be positive")

    @cached_property
    def directions(self) -> FloatArray:
        """Directions (d, k) in which members differ from the meta-policy, scaled by how much: the principal components.

        Members spread by Gaussian z of unit variance along them: L of the search space theta = theta_0 + L z.
        """
        steps = self.members[1:] - self.members[0]
        _, scales, rows = np.linalg.svd(steps, full_matrices=False)
        return np.asarray((scales / np.sqrt(max(len(steps), 1)))[None, :] * rows.T)

    def without(self, unwanted: frozenset[str]) -> Repertoire:
        """The repertoire that never saw tasks of these words: members and tasks that were of them are left out."""
        members = [i for i, words in enumerate(self.member_words) if i == 0 or words not in unwanted]
        tasks = [i for i, words in enumerate(self.task_words) if words not in unwanted]
        return Repertoire(
            self.members[members],
            self.returns[np.ix_(tasks, members)],
            self.traces[tasks],
            self.noise_sd,
            self.ticks,
            tuple(self.member_words[i] for i in members),
            tuple(self.task_words[i] for i in tasks),
        )

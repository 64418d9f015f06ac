"""Members of a repertoire: which of them are worth having, and where each is the best of its family."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hardware.types import FloatArray
from robot_adapt.repertoire.work import Row
from sim.dynamics import Dynamics
from sim.ground import Rough


@dataclass(frozen=True)
class Members:
    """Parameters (K, d); members 1 and 2, 3 and 4, ... are mirror images. `words` is the family each was trained on."""

    thetas: FloatArray
    words: tuple[str, ...]

    @property
    def across(self) -> NDArray[np.intp]:
        """Which member is whose mirror image; the meta-policy stands for its own."""
        indices = np.arange(len(self.thetas))
        return np.where(indices == 0, 0, (indices - 1 ^ 1) + 1)

    def kin(self, family: str, everybody: Sequence[str]) -> list[int]:
        """Those of a family, and those that belong to all of them."""
        return [i for i, word in enumerate(self.words) if word == family or word in everybody]

    def guide(self, kin: Sequence[int]) -> FloatArray:
        """Directions (k, d) in which these members differ: a Gaussian step along them has the length of a standard normal one.

        No direction, where they are all the same.
        """
        apart = self.thetas[kin] - self.thetas[kin].mean(axis=0)
        length = float(np.linalg.norm(apart))
        return np.asarray(apart * np.sqrt(apart.shape[1]) / length) if length > 0.0 else apart[:0]

    def joined(self, others: Sequence[Members]) -> Members:
        """These, then the others' generalists and specialists; all around the same meta-policy."""
        words = (word for one in others for word in one.words[1:])
        return Members(np.vstack((self.thetas, *(one.thetas[1:] for one in others))), (*self.words, *words))


def worth_having(returns: FloatArray, across: NDArray[np.intp], first_ones: int, most: int) -> list[int]:
    """The first ones and, greedily, members (with mirror images) that raise the mean over tasks of the best, up to `most`.

    A member is chosen by its first trials and credited with its others, so that luck does not choose.
    """
    first, rest = returns[:, :, 0], returns[:, :, 1:].mean(axis=2)
    kept = list(range(first_ones))
    while len(kept) + 2 <= min(most, returns.shape[1]):
        gains = {
            member: _best_of(first, rest, [*kept, member, int(across[member])])
            for member in range(first_ones, returns.shape[1], 2)
            if member not in kept
        }
        member = max(gains, key=lambda one: gains[one])
        if gains[member] <= _best_of(first, rest, kept):
            break
        kept += [member, int(across[member])]
    return kept


def _best_of(first: FloatArray, rest: FloatArray, members: list[int]) -> float:
    choice = np.array(members)[first[:, members].argmax(axis=1)]
    return float(rest[np.arange(len(rest)), choice].mean())


def is_refinable(row: Row, world: Dynamics) -> bool:
    """Somebody can walk there, and in its mirror image, which rough ground has none of."""
    return row.trace is not None and not isinstance(world.ground, Rough)


def niches(rows: Mapping[int, tuple[str, Row]], members: Members) -> dict[int, list[tuple[int, bool]]]:
    """By specialist, the first of its pair: the tasks of its family where it (or, True, its mirror image) is the best of it."""
    found: dict[int, list[tuple[int, bool]]] = {}
    for task, (family, row) in sorted(rows.items()):
        kin = [i for i, word in enumerate(members.words) if word == family]
        if kin:
            best = kin[int(row.returns[kin].mean(axis=1).argmax())]
            first = min(best, int(members.across[best]))
            found.setdefault(first, []).append((task, best != first))
    return dict(sorted(found.items()))

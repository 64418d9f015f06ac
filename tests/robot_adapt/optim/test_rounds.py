from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hardware.types import FloatArray
from robot_adapt.optim.rounds import RoundOperator


class Recorder:
    """A strategy that notes what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[list[float], list[float], list[int]]] = []

    @property
    def rounds(self) -> range:
        return range(1, 4)

    def propose(self, round_: int, randomness: np.random.Generator) -> FloatArray:
        return np.array([[10.0 * round_], [10.0 * round_ + 1.0], [randomness.standard_normal()]])

    def learn(self, z: FloatArray, values: FloatArray, positions: NDArray[np.int_]) -> None:
        self.told.append((z[:, 0].tolist(), values.tolist(), positions.tolist()))

    def best(self) -> tuple[FloatArray, float | None]:
        return np.zeros(1), None

    def state(self) -> dict[str, Any]:
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        pass


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


def test_only_scored_outcomes_are_taught_with_their_places(recorder: Recorder) -> None:
    operator = RoundOperator(recorder, lambda z: z, 0, "test")
    for candidate, outcome in zip(operator.ask(), (1.0, None, 3.0), strict=True):
        operator.tell(candidate.id, outcome)
    ((z, values, positions),) = recorder.told
    assert (z[0], values, positions) == (10.0, [1.0, 3.0], [0, 2])


def test_a_round_of_aborted_trials_teaches_nothing_and_is_over(recorder: Recorder) -> None:
    operator = RoundOperator(recorder, lambda z: z, 0, "test")
    for candidate in operator.ask():
        operator.tell(candidate.id, None)
    assert recorder.told == []
    assert operator.ask()[0].parameters == [20.0]


def test_a_round_is_taught_in_its_order_however_it_was_told(recorder: Recorder) -> None:
    operator = RoundOperator(recorder, lambda z: z, 0, "test")
    for candidate in operator.ask()[::-1]:
        operator.tell(candidate.id, float(candidate.id))
    assert recorder.told[0][1] == [0.0, 1.0, 2.0]


def test_points_are_placed_and_ids_go_on_from_the_first(recorder: Recorder) -> None:
    operator = RoundOperator(recorder, lambda z: 100.0 + z, 0, "test", first_id=7)
    assert [candidate.id for candidate in operator.ask()] == [7, 8, 9]
    assert operator.ask()[0].parameters == [110.0]
    assert operator.best.parameters == [100.0]
    assert operator.best.value == -np.inf


def test_each_round_and_purpose_has_its_own_random_numbers(recorder: Recorder) -> None:
    operator = RoundOperator(recorder, lambda z: z, 0, "test")
    seen = [operator.ask()[2].parameters[0], RoundOperator(recorder, lambda z: z, 0, "other").ask()[2].parameters[0]]
    for candidate in operator.ask():
        operator.tell(candidate.id, 0.0)
    assert len({*seen, operator.ask()[2].parameters[0]}) == 3

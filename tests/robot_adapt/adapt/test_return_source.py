from __future__ import annotations

import math

import numpy as np
import pytest

from robot_adapt.adapt.return_source import MeasuredProgress, OperatorMeasurement, Progress, ReturnConfig


def measured(*steps: tuple[float, float, float]) -> MeasuredProgress:
    """A trial that began at x 5, y 3 with 10 J behind it and went through these (x, y, J), a tick each."""
    readings = iter([Progress(5.0, 3.0, 10.0), *(Progress(*step) for step in steps)])
    source = MeasuredProgress("test", lambda: next(readings), ReturnConfig(top_speed_m_s=0.5, energy_weight_per_j=0.01))
    source.begin()
    for _ in steps:
        source.tick(0.02)
    return source


def test_forward_counts_and_backward_counts_against() -> None:
    assert measured((5.008, 3.0, 10.0), (5.002, 3.0, 10.0)).finish() == pytest.approx(0.002)
    assert measured((4.99, 3.0, 10.0)).finish() == pytest.approx(-0.01)


def test_progress_counts_up_to_the_top_speed_only() -> None:
    assert measured((5.5, 3.0, 10.0)).finish() == pytest.approx(0.5 * 0.02)


def test_sideways_is_no_progress_and_work_is_taken_off() -> None:
    assert measured((5.0, 9.0, 12.0)).finish() == pytest.approx(-0.01 * 2.0)


def test_the_path_begins_where_the_trial_did() -> None:
    path = measured((5.5, 3.25, 10.0)).telemetry()["path_m"]
    np.testing.assert_allclose(path, [[0.0, 0.0], [0.5, 0.25]])


def test_the_operator_s_answer_is_the_return() -> None:
    source = OperatorMeasurement(lambda _: 0.75)
    source.begin()
    source.tick(0.02)
    assert source.finish() == 0.75


@pytest.mark.parametrize("slip", [math.nan, math.inf, -math.inf, 85.0, -1e300])
def test_a_distance_that_no_robot_walks_is_asked_for_again_with_the_reason(slip: float) -> None:
    answers, asked = iter([slip, slip, -0.1]), []

    def ask(why: str) -> float:
        asked.append(why)
        return next(answers)

    source = OperatorMeasurement(ask)
    source.begin()
    for _ in range(150):
        source.tick(0.02)
    assert source.finish() == -0.1
    assert asked == ["", *[f"{slip:g} m in 3.0 s is no distance walked: it is asked for in metres"] * 2]

from __future__ import annotations

import numpy as np
import pytest

from hardware.motors.dynamixel_link import Reply
from hardware.motors.dynamixel_present import PRESENT_BYTES, Present

HEARD = Reply(0, bytes(PRESENT_BYTES))


def test_silence_is_the_time_in_which_a_motor_was_asked_and_not_heard() -> None:
    present = Present((1, 2), np.ones(2))
    for tick in range(6):
        present.take({1: HEARD}, 0.02 * tick)
    np.testing.assert_allclose(present.silent_s, [0.0, 0.1])
    assert present.lost.tolist() == [0, 6]
    present.take({2: HEARD}, 0.12)
    assert present.silent_s.tolist() == [0.0, 0.0]


def test_a_pause_of_the_host_between_two_lost_replies_is_hardly_silence() -> None:
    """As while an operator is asked, or motors are set up: nobody asked, nobody could answer."""
    present = Present((1, 2), np.ones(2))
    present.take({1: HEARD}, 10.0)
    present.take({1: HEARD}, 70.0)
    assert present.silent_s[1] == pytest.approx(0.1)

from __future__ import annotations

import math

import numpy as np
import pytest

from hardware.motors.moteus_frames import FAULT, POSITION, STOPPED, TIMEOUT, ServoStatus
from hardware.motors.moteus_states import ServoStates


def states() -> ServoStates:
    """Of a servo that counts like its joint, and one behind a gear of 6."""
    return ServoStates(("hip", "knee"), math.tau / np.array([1.0, 6.0]))


def status(mode: int = POSITION, rev: float = 0.0, rev_s: float = 0.0, torque_nm: float = 0.0, fault: int = 0) -> ServoStatus:
    return ServoStatus(mode, rev, rev_s, torque_nm, 24.0, 40.0, fault)


def test_a_gear_makes_angles_smaller_and_torques_larger() -> None:
    rows = states()
    for k in range(2):
        assert rows.hear(k, status(rev=0.6, rev_s=1.2, torque_nm=0.5), 0.0)
    readings = rows.readings()
    np.testing.assert_allclose(readings.positions_rad, np.array([0.6, 0.1]) * math.tau)
    np.testing.assert_allclose(readings.velocities_rad_s, np.array([1.2, 0.2]) * math.tau)
    np.testing.assert_allclose(readings.torques_nm, [0.5, 3.0])


def test_what_was_never_heard_is_no_number() -> None:
    readings = states().readings()
    assert np.isnan(readings.positions_rad).all()
    assert np.isnan(readings.voltages_v).all()
    assert not readings.heard.any()


def test_silence_begins_with_the_first_reply_lost_and_a_pause_of_the_host_is_none() -> None:
    rows = states()
    rows.hear(0, status(), 0.0)
    for lost_s in (100.0, 100.02, 100.07):
        rows.lose(0, lost_s)
    assert rows.silence_s(0) == pytest.approx(0.07)
    assert rows.lost_in_a_row[0] == 3
    rows.lose(0, 160.0)
    assert rows.silence_s(0) == pytest.approx(0.17)
    rows.hear(0, status(), 160.1)
    assert rows.silence_s(0) == 0.0
    assert rows.lost_in_a_row[0] == 0


def test_a_jump_is_believed_once_it_could_have_been_a_motion() -> None:
    rows = states()
    rows.hear(0, status(rev=0.0), 0.0)
    assert not rows.hear(0, status(rev=1.0), 0.01)
    assert not rows.hear(0, status(rev=1.0), 0.02)
    assert rows.hear(0, status(rev=1.0), 0.07)
    assert not rows.hear(0, status(rev=1.0, rev_s=30.0), 0.08)


def test_only_who_ran_and_was_not_told_to_stop_stopped_by_itself() -> None:
    rows = states()
    rows.hear(0, status(STOPPED), 0.0)
    rows.hear(1, status(POSITION), 0.0)
    rows.may_stop(1)
    rows.hear(1, status(STOPPED), 0.1)
    assert not rows.restarted
    rows.hear(0, status(POSITION), 0.2)
    rows.hear(0, status(TIMEOUT), 0.3)
    rows.may_stop(0)
    rows.hear(0, status(TIMEOUT), 0.4)  # an answer from before it obeyed
    rows.hear(0, status(STOPPED), 0.5)
    assert not rows.restarted
    rows.hear(0, status(POSITION), 0.6)
    rows.hear(0, status(FAULT), 0.7)
    rows.hear(0, status(STOPPED), 0.8)
    assert rows.restarted == {0}
    assert list(rows.readings().errors) == ["hip"]


def test_a_fault_has_words_or_its_number_and_a_limit_is_none() -> None:
    rows = states()
    rows.hear(0, status(FAULT, fault=40), 0.0)
    rows.hear(1, status(FAULT, fault=77), 0.0)
    assert rows.readings().errors == {"hip": "under voltage", "knee": "fault 77"}
    rows.hear(1, status(POSITION, fault=102), 0.1)  # its torque is at the limit
    assert list(rows.readings().errors) == ["hip"]

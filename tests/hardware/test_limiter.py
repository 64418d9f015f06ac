from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hardware.types import FloatArray, JointCommand
from tests.hardware.unruly import FAULTS, Trial, with_value
from tests.hardware.witness import LIMITS, SPEC, Faults

N = len(SPEC.joints)
STANCE = SPEC.position_command(SPEC.stance_rad)
VELOCITY = np.array([joint.velocity_rad_s for joint in LIMITS.joints])
TORQUE = np.array([joint.torque_nm for joint in LIMITS.joints])


@pytest.fixture
def trial() -> Trial:
    """Standing, after a first command."""
    trial = Trial()
    trial.tick()
    return trial


def torques(sent: JointCommand, positions_rad: FloatArray, velocities_rad_s: FloatArray) -> FloatArray:
    q, dq, tau, kp, kd = sent.rows
    torques: FloatArray = kp * (q - positions_rad) + kd * (dq - velocities_rad_s) + tau
    return torques


def test_a_command_within_limits_is_sent_as_it_is_without_an_event(trial: Trial) -> None:
    small = np.full(N, 0.01)
    command = JointCommand(SPEC.stance_rad + small, small, small, np.full(N, 30.0), np.full(N, 1.0))
    sent = trial.tick(command)
    np.testing.assert_array_equal(np.array(sent.rows), np.array(command.rows))
    assert not trial.events.counts


def test_position_targets_are_clipped_to_the_joint_limits(trial: Trial) -> None:
    lower, upper = SPEC.limits_rad
    for beyond, limit in ((upper + 1.0, upper), (lower - 1.0, lower)):
        for _ in range(100):
            sent = trial.tick(SPEC.position_command(beyond))
        np.testing.assert_array_equal(sent.positions_rad, limit)
        event = trial.events.newest[-1]
        assert (event.reason, event.where, event.value, event.limit) == (
            "position",
            SPEC.joint_names[-1],
            beyond[-1],
            limit[-1],
        )


def test_a_target_moves_no_faster_than_the_velocity_limit(trial: Trial) -> None:
    sent = trial.tick(SPEC.position_command(SPEC.stance_rad + 0.6))
    np.testing.assert_allclose(sent.positions_rad - SPEC.stance_rad, VELOCITY * 0.02)
    assert trial.events.counts["slew"] == N
    event = trial.events.newest[0]
    assert event.where == "fl_hip"
    assert [event.value, event.limit] == pytest.approx([0.6, VELOCITY[0] * 0.02])


def test_a_late_command_moves_a_target_by_one_slew_at_most(trial: Trial) -> None:
    trial.clock.advance(0.07)
    sent = trial.tick(SPEC.position_command(SPEC.stance_rad + 0.6))
    np.testing.assert_allclose(sent.positions_rad - SPEC.stance_rad, 0.2)


def test_a_burst_of_commands_moves_a_target_no_further_than_one(trial: Trial) -> None:
    begin_s = trial.clock.now()
    for _ in range(20):
        sent = trial.supervisor.write(SPEC.position_command(SPEC.stance_rad + 0.6))
    elapsed_s = trial.clock.now() - begin_s + 0.02
    assert (sent.positions_rad - SPEC.stance_rad <= VELOCITY * elapsed_s).all()


def test_slew_counts_from_the_previous_command_not_from_the_measured_position(trial: Trial) -> None:
    trial.robot.faults = Faults(jammed=True)
    soft = replace(SPEC.position_command(SPEC.stance_rad + 0.5), kp_nm_per_rad=np.ones(N))
    steps = [trial.tick(soft).positions_rad - SPEC.stance_rad for _ in range(4)]
    np.testing.assert_allclose(steps[1], 2.0 * steps[0])
    np.testing.assert_allclose(steps[3], 0.5)


def test_velocity_targets_feed_forward_and_gains_are_clipped(trial: Trial) -> None:
    wild = JointCommand(SPEC.stance_rad, np.full(N, -99.0), np.full(N, 99.0), np.full(N, -99.0), np.full(N, -99.0))
    sent = trial.tick(wild)
    np.testing.assert_array_equal(sent.velocities_rad_s, -VELOCITY)
    np.testing.assert_array_equal(sent.torques_nm, TORQUE)
    np.testing.assert_array_equal(sent.kp_nm_per_rad, 0.0)
    np.testing.assert_array_equal(sent.kd_nm_s_per_rad, 0.0)
    sent = trial.tick(replace(STANCE, kp_nm_per_rad=np.full(N, 99.0), kd_nm_s_per_rad=np.full(N, 99.0)))
    np.testing.assert_array_equal(sent.kp_nm_per_rad, 40.0)
    np.testing.assert_array_equal(sent.kd_nm_s_per_rad, 2.0)
    assert trial.events.counts == {"velocity": N, "torque": N, "gain": 4 * N}
    sent = trial.tick(replace(STANCE, velocities_rad_s=np.full(N, 99.0), kd_nm_s_per_rad=np.zeros(N)))
    np.testing.assert_array_equal(sent.velocities_rad_s, VELOCITY)
    sent = trial.tick(replace(STANCE, torques_nm=np.full(N, -99.0)))
    np.testing.assert_array_equal(sent.torques_nm, -TORQUE)
    braked = replace(STANCE, velocities_rad_s=np.full(N, 8.0), kd_nm_s_per_rad=np.full(N, 2.0), torques_nm=np.full(N, -19.0))
    assert (np.abs(trial.tick(braked).torques_nm) <= TORQUE).all()


def test_the_target_is_drawn_towards_the_measured_position_until_the_torque_fits(trial: Trial) -> None:
    goal = SPEC.stance_rad + 0.3
    trial.robot.faults = Faults(jammed=True)
    for _ in range(5):
        sent = trial.tick(SPEC.position_command(goal))
    np.testing.assert_allclose(sent.positions_rad - SPEC.stance_rad, TORQUE / 20.0)
    np.testing.assert_array_equal(sent.kp_nm_per_rad, 20.0)
    event = trial.events.newest[-1]
    assert (event.reason, event.where, event.limit) == ("torque", SPEC.joint_names[-1], TORQUE[-1])
    assert event.value == pytest.approx(20.0 * 0.3)


def test_the_target_is_not_drawn_past_the_measured_position(trial: Trial) -> None:
    trial.robot.faults = Faults(jammed=True, damage=with_value("velocities_rad_s", 7, -10.0))
    state = trial.supervisor.read()
    sent = trial.supervisor.write(replace(SPEC.position_command(SPEC.stance_rad + 0.1), kd_nm_s_per_rad=np.full(N, 2.0)))
    assert torques(sent, state.positions_rad, state.velocities_rad_s)[7] == pytest.approx(TORQUE[7])
    np.testing.assert_array_less(state.positions_rad - 1e-9, sent.positions_rad)
    np.testing.assert_array_equal(sent.kp_nm_per_rad, 20.0)  # the damping alone gives way


def test_where_the_target_may_not_move_so_fast_the_gains_give_way(trial: Trial) -> None:
    trial.robot.faults = Faults(pushed_rad=0.6)
    state = trial.supervisor.read()
    trial.robot.faults = Faults()
    sent = trial.supervisor.write(STANCE)
    asked = np.abs(torques(sent, state.positions_rad, state.velocities_rad_s))
    np.testing.assert_array_less(asked, TORQUE + 1e-9)
    assert (np.abs(sent.positions_rad - SPEC.stance_rad) <= VELOCITY * 0.021).all()
    assert sent.kp_nm_per_rad.min() < 20.0
    assert trial.violations == []


def test_damping_alone_is_held_to_the_torque_limit(trial: Trial) -> None:
    trial.robot.faults = Faults(damage=with_value("velocities_rad_s", 7, 10.0))
    state = trial.supervisor.read()
    sent = trial.supervisor.write(replace(STANCE, kp_nm_per_rad=np.zeros(N), kd_nm_s_per_rad=np.full(N, 2.0)))
    asked = torques(sent, state.positions_rad, state.velocities_rad_s)
    assert asked[7] == pytest.approx(-TORQUE[7])
    assert sent.kd_nm_s_per_rad[7] == pytest.approx(TORQUE[7] / 10.0)
    assert sent.kd_nm_s_per_rad[6] == 2.0


def test_terms_that_cancel_within_the_limit_are_left_alone(trial: Trial) -> None:
    cancelling = replace(STANCE, velocities_rad_s=np.full(N, 4.0), torques_nm=np.full(N, -4.0), kd_nm_s_per_rad=np.full(N, 2.0))
    sent = trial.tick(cancelling)
    np.testing.assert_array_equal(np.array(sent.rows), np.array(cancelling.rows))


def test_power_is_bounded_by_taking_from_every_joint(trial: Trial) -> None:
    trial.robot.faults = FAULTS["all fast"]()
    state = trial.supervisor.read()
    sent = trial.supervisor.write(replace(STANCE, torques_nm=np.full(N, 3.0), kd_nm_s_per_rad=np.zeros(N)))
    asked = torques(sent, state.positions_rad, state.velocities_rad_s)
    assert np.abs(asked * state.velocities_rad_s).sum() == pytest.approx(60.0)
    (event,) = (event for event in trial.events.newest if event.reason == "power")
    assert (event.where, event.limit) == ("dog", 60.0)
    assert event.value == pytest.approx(N * 3.0 * 18.0)

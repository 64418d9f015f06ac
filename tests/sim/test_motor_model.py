from __future__ import annotations

import math

import numpy as np
import pytest

from hardware.types import FloatArray, JointCommand
from sim import motor_model
from sim.dynamics import Dynamics
from sim.robots.body import Body, Motor, Overheat
from tests.builders import MINITAUR

DUTY = MINITAUR.body
# A motor as of a field-oriented controller: torque and current are proportional up to 40 A.
CURRENT = DUTY.model_copy(
    update={
        "motor": Motor(
            drive="current",
            resistance_ohm=0.2,
            torque_constant_nm_per_a=0.5,
            nominal_v=20.0,
            table_step_a=40.0,
            table_nm=(0.0, 20.0),
            overheat=Overheat(torque_nm=15.0, after_s=0.02),
        )
    }
)
STEP_S = 0.002
N = len(DUTY.joints)


class Bench:
    """A robot's motors on a bench: all joints at the stance, each held at one speed; the first motor is watched."""

    def __init__(
        self, body: Body = DUTY, dynamics: Dynamics | None = None, velocity: float = 0.0, step_s: float = STEP_S
    ) -> None:
        dynamics = dynamics or Dynamics()
        self.true = np.stack((body.spec.stance_rad, np.full(N, velocity)))
        self.seen = self.true.copy()
        self.battery_v = body.motor.nominal_v if dynamics.battery_v is None else dynamics.battery_v
        self.hot_s, self.torques_nm, self.drawn_a = np.zeros(N), np.zeros(N), 0.0
        self._parts = motor_model.parts(body, dynamics)
        self._constants = motor_model.constants(body, dynamics, step_s)
        self._table_nm = np.array(body.motor.table_nm)
        self._stance_rad = body.spec.stance_rad

    def ask(self, torque_nm: float = 0.0, kp: float = 0.0, kd: float = 0.0, offset_rad: float = 0.0) -> float:
        """The first motor's torque for one step of a command, the same for all motors."""
        zeros = np.zeros(N)
        command = JointCommand(self._stance_rad + offset_rad, zeros, zeros + torque_nm, zeros + kp, zeros + kd)
        goal = motor_model.goal(command)
        self.drawn_a = motor_model.drive(
            goal,
            self.seen,
            self.true,
            self._parts,
            self._constants,
            self._table_nm,
            self.battery_v,
            self.hot_s,
            self.torques_nm,
        )
        return float(self.torques_nm[0])


def table() -> FloatArray:
    return np.array(DUTY.motor.table_nm)


@pytest.mark.parametrize(("current_a", "nm"), [(0, 0), (10, 1.0), (15, 1.45), (30, 2.45), (60, 3.5), (500, 3.5), (-20, -1.9)])
def test_the_minitaur_s_torque_table_is_the_public_one(current_a: float, nm: float) -> None:
    assert motor_model.torque_from_current(current_a, table(), DUTY.motor.table_step_a) == pytest.approx(nm)


def test_at_standstill_a_small_torque_is_linear_in_the_current() -> None:
    # 0.5 N m asked: 0.5 / 8.2 of the duty cycle, 0.98 V, 5.24 A, and the table gives 0.1 N m an ampere.
    assert Bench().ask(0.5) == pytest.approx(0.5 / 0.0954 * 0.1)


def test_the_duty_cycle_is_clipped() -> None:
    assert Bench().ask(100.0) == Bench().ask(16.0 / 0.186 * 0.0954) == 3.5


def test_pd_gains_act_on_the_angle_and_the_speed_that_the_controller_sees() -> None:
    bench = Bench()
    bench.seen = bench.true + np.array([[0.1], [2.0]])
    assert bench.ask(kp=5.0) == pytest.approx(Bench().ask(-0.5))
    assert bench.ask(kd=0.2) == pytest.approx(Bench().ask(-0.4))


def test_a_lower_battery_gives_a_duty_drive_less_torque() -> None:
    assert Bench(dynamics=Dynamics(battery_v=10.0)).ask(0.8) == pytest.approx(10.0 / 16.0 * Bench().ask(0.8))


def test_a_lower_battery_gives_a_current_drive_the_same_small_torque_at_rest_and_less_at_speed() -> None:
    low = Dynamics(battery_v=10.0)
    assert Bench(CURRENT, low).ask(8.0) == pytest.approx(8.0)
    assert Bench(CURRENT, velocity=18.0).ask(8.0) == pytest.approx(8.0)
    # 10 V less a back-EMF of 9 V, over 0.2 ohm, gives 5 A.
    assert Bench(CURRENT, low, velocity=18.0).ask(8.0) == pytest.approx(2.5)


def test_back_emf_takes_torque_from_a_duty_drive_that_turns_and_brakes_one_without_duty() -> None:
    assert Bench(velocity=20.0).ask(2.0) < Bench().ask(2.0)
    assert Bench(velocity=5.0).ask(0.0) < 0.0
    assert Bench(velocity=-5.0).ask(0.0) == -Bench(velocity=5.0).ask(0.0)


def test_a_current_drive_that_is_asked_for_nothing_does_not_brake() -> None:
    assert Bench(CURRENT, velocity=5.0).ask(0.0) == 0.0


def test_strength_scales_the_torque_and_what_two_names_say_multiplies() -> None:
    healthy = Bench().ask(2.0)
    assert Bench(dynamics=Dynamics(strength={"front_left.0": 0.3})).ask(2.0) == pytest.approx(0.3 * healthy)
    assert Bench(dynamics=Dynamics(strength={"front_left": 0.5, "front_left.0": 0.5})).ask(2.0) == pytest.approx(0.25 * healthy)


def test_strength_is_of_the_named_motors_only() -> None:
    bench = Bench(dynamics=Dynamics(strength={"back_left": 0.0}))
    bench.ask(2.0)
    assert np.flatnonzero(bench.torques_nm == 0.0).tolist() == [2, 3]


def test_coulomb_friction_opposes_motion_at_any_speed_alike_and_holds_nothing_at_rest() -> None:
    rubbing = Dynamics(joint_friction_nm=0.05)
    for velocity in (1.0, -1.0, 3.0):
        lost = Bench(CURRENT, velocity=velocity).ask(1.0) - Bench(CURRENT, rubbing, velocity).ask(1.0)
        assert lost == pytest.approx(math.copysign(0.05, velocity))
    assert Bench(CURRENT, rubbing).ask(0.0) == 0.0


def test_coulomb_friction_takes_no_more_than_a_light_joint_s_speed_in_a_step() -> None:
    """Otherwise the joint would turn round in every step."""
    for friction_nm in (0.05, 1.5):
        for velocity in (0.02, 0.5):
            for step_s in (0.0005, 0.0025):
                braking = -Bench(CURRENT, Dynamics(joint_friction_nm=friction_nm), velocity, step_s).ask(0.0)
                assert 0.0 < braking * step_s / 0.002 <= velocity + 1e-9


def test_viscous_friction_grows_with_the_speed() -> None:
    thick = Dynamics(joint_viscosity_nm_s=0.02)
    assert Bench(CURRENT, thick, 2.0).ask(0.0) == pytest.approx(-0.04)
    assert Bench(CURRENT, thick, 6.0).ask(0.0) == pytest.approx(-0.12)


def test_a_worn_joint_rubs_more_than_the_others() -> None:
    bench = Bench(CURRENT, Dynamics(joint_friction_nm=0.01, worn_joints_nm={"front_left.0": 0.04}), velocity=2.0)
    assert bench.ask(0.0) == pytest.approx(-0.05)
    assert bench.torques_nm[1] == pytest.approx(-0.01)


def test_a_motor_over_its_torque_for_a_second_shuts_down_and_stays_so() -> None:
    bench = Bench()
    torques = [bench.ask(3.0) for _ in range(round(1.2 / STEP_S))]
    assert torques[0] > 2.45
    assert sum(torque > 0.0 for torque in torques) * STEP_S == pytest.approx(1.0, abs=2 * STEP_S)
    assert bench.ask(0.1) == 0.0
    assert np.isinf(bench.hot_s).all()


def test_a_motor_that_rests_in_between_does_not_shut_down() -> None:
    bench = Bench()
    for _ in range(4):
        for _ in range(round(0.9 / STEP_S)):
            bench.ask(3.0)
        bench.ask(0.5)
    assert bench.ask(3.0) > 2.45


def test_a_motor_below_its_torque_never_shuts_down() -> None:
    bench = Bench()
    assert min(bench.ask(1.5) for _ in range(round(3.0 / STEP_S))) > 1.0


def test_motors_without_an_overheat_never_shut_down() -> None:
    bench = Bench(DUTY.model_copy(update={"motor": DUTY.motor.model_copy(update={"overheat": None})}))
    assert min(bench.ask(9.0) for _ in range(round(3.0 / STEP_S))) == 3.5


def test_a_jammed_joint_is_driven_back_to_where_it_jammed_whatever_is_asked() -> None:
    bench = Bench(dynamics=Dynamics(locked_joints_rad={"front_left.0": 0.2}))
    assert bench.ask(-3.0) == bench.ask(3.0) > 3.0
    bench.true[0, 0] += 0.4
    assert bench.ask(0.0) < -3.0
    assert bench.torques_nm[1] == Bench().ask(0.0)


def test_a_jammed_joint_damps_its_motion() -> None:
    jammed = Dynamics(locked_joints_rad={"front_left.0": 0.0})
    assert Bench(dynamics=jammed, velocity=1.0).ask(0.0) < 0.0 < Bench(dynamics=jammed, velocity=-1.0).ask(0.0)


def test_a_jam_gives_way_to_what_no_gear_would_hold() -> None:
    bench = Bench(dynamics=Dynamics(locked_joints_rad={"front_left.0": 0.0}))
    bench.true[:, 0] = 100.0, 1000.0
    assert bench.ask(0.0) == -5.0 * 3.5
    bench.true[:, 0] = -100.0, -1000.0
    assert bench.ask(0.0) == 5.0 * 3.5


def test_an_encoder_that_reads_too_much_makes_its_controller_pull_down() -> None:
    bench = Bench(dynamics=Dynamics(encoder_offset_rad={"front_left.0": 0.1}))
    assert bench.ask(kp=5.0) == pytest.approx(Bench().ask(-0.5))
    assert bench.torques_nm[1] == 0.0


def test_a_battery_gives_what_the_motors_draw_and_takes_nothing_back() -> None:
    bench = Bench(CURRENT)
    bench.ask(10.0)
    # 20 A each through 0.2 ohm at standstill: 4 V of the battery's 20.
    assert bench.drawn_a == pytest.approx(N * 20.0 * 4.0 / 20.0)
    braking = Bench(CURRENT, velocity=10.0)
    braking.ask(-5.0)
    assert braking.drawn_a == 0.0

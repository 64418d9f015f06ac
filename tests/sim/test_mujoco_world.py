from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from hardware.types import RobotError
from robot_adapt.backends import simulated_rig
from robot_adapt.rollout import rollout
from robot_adapt.trial import Status, Trial
from sim.dynamics import Dynamics
from sim.ground import Slope
from sim.mujoco_world import MujocoWorld
from sim.physics import Engine, Motion, Physics, rotate
from sim.robots.assembler import assemble
from sim.robots.assembly import Assembly, LegModel
from sim.robots.body import Foot
from sim.simulated_robot import Change, SimulatedRobot
from sim.world import World
from tests.builders import SPEC, ConstantReturn, shipped_policy, simulated_config

RIG = simulated_config("minitaur_mujoco")
BODY = RIG.robot.body
STILL = (0.0, 0.0, 0.0)
ENGINES: tuple[Engine, ...] = ("mujoco", "pybullet")


def made(
    dynamics: Dynamics | None = None, *, engine: Engine = "mujoco", legs: LegModel = "five_bar", visuals: bool = False,
    later: Change | None = None,
) -> SimulatedRobot:  # fmt: skip
    robot = SimulatedRobot(
        BODY, dynamics or Dynamics(), legs=legs, time_step_s=0.002, iterations=50, engine=engine, visuals=visuals, later=later
    )
    robot.connect()
    return robot


def in_the_air(physics: Physics) -> Motion:
    """High up, nothing moving."""
    motion = physics.motion()
    joints = {name: (angle, 0.0) for name, (angle, _) in motion.joints.items()}
    return Motion((0.0, 0.0, 4.0), motion.orientation_xyzw, STILL, STILL, joints)


def trial(robot: SimulatedRobot, seed: int = 0, duration_s: float = 1.0) -> Trial:
    robot.reset(np.random.default_rng(seed))
    return rollout(robot, robot, shipped_policy(), ConstantReturn(), duration_s)


def telemetry(walk: Trial) -> bytes:
    return b"".join(values.tobytes() for values in walk.telemetry.values())


@pytest.fixture(scope="module")
def plain() -> Iterator[SimulatedRobot]:
    robot = made()
    yield robot
    robot.close()


@pytest.fixture(scope="module")
def bullet() -> Iterator[SimulatedRobot]:
    robot = made(engine="pybullet")
    yield robot
    robot.close()


@pytest.mark.parametrize("legs", ["five_bar", "five_bar_full", "serial"])
def test_it_weighs_and_stands_as_in_pybullet(legs: LegModel) -> None:
    dynamics = Dynamics(mass_ratio=1.1, payload_kg=0.5, payload_position_m=(0.05, 0.0, 0.05))
    ours, theirs = made(dynamics, legs=legs), made(dynamics, engine="pybullet", legs=legs)
    assert ours.physics.total_mass_kg() == pytest.approx(theirs.physics.total_mass_kg())
    assert ours.physics.total_mass_kg() == pytest.approx(6.0 * 1.1 + 0.5)
    assert ours.truth().z_m == pytest.approx(theirs.truth().z_m, abs=0.004)
    np.testing.assert_allclose(ours.read().positions_rad, theirs.read().positions_rad, atol=0.04)
    ours.close()
    theirs.close()


def test_it_walks_as_far_as_in_pybullet(plain: SimulatedRobot, bullet: SimulatedRobot) -> None:
    for robot in (plain, bullet):
        assert trial(robot, duration_s=3.0).status is Status.COMPLETED
    assert bullet.truth().x_m > 1.0
    assert plain.truth().x_m == pytest.approx(bullet.truth().x_m, rel=0.25)


def test_the_same_seed_gives_the_same_bytes_after_any_other_trial_and_in_a_new_world(plain: SimulatedRobot) -> None:
    first = telemetry(trial(plain, 1))
    assert telemetry(trial(plain, 2, 1.5)) != first
    assert telemetry(trial(plain, 1)) == first
    again = made()
    assert telemetry(trial(again, 1)) == first
    again.close()


def test_another_process_gives_the_same_bytes(plain: SimulatedRobot) -> None:
    code = "import sys, tests.sim.test_mujoco_world as t; sys.stdout.buffer.write(t.telemetry(t.trial(t.made(), 1)))"
    other = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True).stdout
    assert other == telemetry(trial(plain, 1))


def test_a_snapshot_in_the_middle_of_a_walk_goes_on_the_same(plain: SimulatedRobot) -> None:
    trial(plain)
    physics, torques = plain.physics, np.random.default_rng(0).normal(size=(100, 8)).tolist()
    snapshot, ends = physics.save(), []
    for _ in range(2):
        physics.restore(snapshot)
        for torque in torques:
            physics.step(torque)
        ends.append(physics.motion())
    assert ends[0] == ends[1]


def test_it_starts_where_pybullet_s_world_starts() -> None:
    dynamics = Dynamics(ground=Slope(pitch_rad=0.1, roll_rad=0.05), payload_kg=1.0, payload_position_m=(0.1, 0.0, 0.05))
    assembly = assemble(BODY, "five_bar", dynamics, visuals=False)
    worlds = [engine(assembly, BODY, dynamics, time_step_s=0.002, iterations=10) for engine in (MujocoWorld, World)]
    ours, theirs = (world.motion() for world in worlds)
    np.testing.assert_allclose(ours.position_m, theirs.position_m, atol=1e-9)
    np.testing.assert_allclose(ours.orientation_xyzw, theirs.orientation_xyzw, atol=1e-9)
    assert ours.joints == theirs.joints
    for world in worlds:
        world.close()


@pytest.mark.parametrize("legs", ["five_bar", "serial"])
def test_it_goes_on_from_a_motion_as_pybullet_does(legs: LegModel) -> None:
    """In the air, with torques. A payload beside the origin: the base's velocity is that of its centre of mass."""
    dynamics, after = Dynamics(payload_kg=1.0, payload_position_m=(0.1, 0.13, 0.05)), []
    robots = [made(dynamics, engine=engine, legs=legs) for engine in ENGINES]
    tumbling = replace(
        in_the_air(robots[1].physics),
        orientation_xyzw=tuple(np.array([0.1, -0.6, 0.3, 0.5]) / math.sqrt(0.71)),
        velocity_m_s=(0.3, -0.2, 0.5),
        angular_velocity_rad_s=(1.0, 2.0, -3.0),
    )
    for robot in robots:
        robot.physics.place(tumbling)
        placed = robot.physics.motion()
        assert placed.joints == tumbling.joints
        np.testing.assert_allclose(placed.velocity_m_s, tumbling.velocity_m_s, atol=1e-12)
        np.testing.assert_allclose(placed.angular_velocity_rad_s, tumbling.angular_velocity_rad_s, atol=1e-12)
        for _ in range(5):
            robot.physics.step([0.2, -0.1] * 4)
        after.append((robot.physics.motion(), robot.physics.joint_states()[8:]))
        robot.close()
    (ours, our_rates), (theirs, their_rates) = after
    np.testing.assert_allclose(ours.position_m, theirs.position_m, atol=1e-4)
    np.testing.assert_allclose(ours.orientation_xyzw, theirs.orientation_xyzw, atol=1e-3)
    np.testing.assert_allclose(ours.velocity_m_s, theirs.velocity_m_s, atol=0.01)
    assert np.abs(their_rates).max() > 0.5
    np.testing.assert_allclose(our_rates, their_rates, rtol=0.1, atol=0.02)


@pytest.mark.parametrize("heading_rad", [0.0, math.pi / 4, math.pi / 2])
def test_sliding_feet_brake_by_their_friction_in_every_direction(heading_rad: float) -> None:
    robot = made(Dynamics(foot_friction=0.2))
    robot.physics.push((0.6 * math.cos(heading_rad), 0.6 * math.sin(heading_rad), 0.0))
    speeds = []
    for _ in range(2):
        robot.sleep_until(robot.now() + 0.05)
        speeds.append(math.hypot(*robot.physics.base_velocity()[0][:2]))
    assert (speeds[0] - speeds[1]) / 0.05 == pytest.approx(0.2 * 9.81, rel=0.1)
    robot.close()


def test_feet_that_hold_do_not_creep() -> None:
    robot = made(Dynamics(pull_n=(0.0, -5.0, 0.0)))
    robot.sleep_until(1.0)  # it leans into the pull
    before = robot.truth().y_m
    robot.sleep_until(3.0)
    assert robot.truth().y_m == pytest.approx(before, abs=5e-4)
    robot.close()


def test_a_ball_bounces_by_the_restitution() -> None:
    ball = """<robot name="ball"><link name="ball"><inertial><mass value="1"/>
        <inertia ixx="0.01" iyy="0.01" izz="0.01" ixy="0" ixz="0" iyz="0"/></inertial>
        <collision><geometry><sphere radius="0.05"/></geometry></collision></link></robot>"""
    foot = Foot(link="ball", position_m=STILL, radius_m=0.05)
    body = BODY.model_copy(update={"feet": {"front_left": foot}, "start_height_m": 0.3})
    assembly = Assembly(urdf=ball, joints=(), start={}, feet={"front_left": ("ball",)})
    for restitution in (0.0, 0.5, 0.8):
        world = MujocoWorld(assembly, body, Dynamics(restitution=restitution), time_step_s=0.002, iterations=50)
        speeds = []
        for _ in range(150):
            world.step([])
            speeds.append(world.base_velocity()[0][2])
        # Some of the impact comes back from MuJoCo's soft contacts whatever their damping.
        assert max(speeds) / -min(speeds) == pytest.approx(restitution, abs=0.1 if restitution else 0.2)
        world.close()


def test_one_foot_may_be_more_slippery() -> None:
    """Pushed ahead, a robot whose left feet slip turns to the right."""
    turned = []
    for side in ("left", "right"):
        robot = made(Dynamics(foot_friction=0.4, foot_friction_of={f"front_{side}": 0.05, f"back_{side}": 0.05}))
        robot.physics.push((0.8, 0.0, 0.0))
        robot.sleep_until(robot.now() + 0.2)
        turned.append(rotate(robot.physics.base_pose()[1], (1.0, 0.0, 0.0))[1])
        robot.close()
    assert turned[0] < -0.04
    assert turned[1] > 0.04


def test_a_payload_at_one_side_presses_the_legs_of_that_side() -> None:
    robot = made(Dynamics(payload_kg=1.0, payload_position_m=(0.0, 0.13, 0.05)))
    extension = robot.read().positions_rad.reshape(4, 2).mean(axis=1)
    assert extension[:2].max() < extension[2:].min() - 0.02
    robot.close()


def test_a_pull_accelerates_the_whole_robot() -> None:
    robot = made(Dynamics(pull_n=(0.0, -6.0, 0.0)))
    robot.physics.place(in_the_air(robot.physics))
    for _ in range(100):
        robot.physics.step([0.0] * 8)
    assert robot.physics.base_velocity()[0][1] == pytest.approx(-6.0 / 6.0 * 0.2, rel=0.02)
    robot.close()


def test_only_links_that_may_touch_push_each_other() -> None:
    """Two arms of one trunk that overlap."""
    solid = """<inertial><mass value="1"/><inertia ixx="0.01" iyy="0.01" izz="0.01" ixy="0" ixz="0" iyz="0"/></inertial>
        <collision><origin xyz="0 0.1 0"/><geometry><sphere radius="0.05"/></geometry></collision>"""
    arm = """<link name="arm{0}">{1}</link><joint name="hinge{0}" type="continuous"><parent link="trunk"/><child link="arm{0}"/>
        <axis xyz="1 0 0"/></joint>"""
    text = f'<robot name="arms"><link name="trunk">{solid}</link>{arm.format(1, solid)}{arm.format(2, solid)}</robot>'
    body = BODY.model_copy(update={"feet": {}, "start_height_m": 3.0})
    moved = []
    for apart in (None, (("arm1", "arm2"),), ()):
        assembly = Assembly(urdf=text, joints=("hinge1", "hinge2"), start={"hinge2": 0.3}, feet={}, apart=apart)
        world = MujocoWorld(assembly, body, Dynamics(), time_step_s=0.002, iterations=50)
        world.step([0.0, 0.0])
        first, second = world.joint_states()[2:]
        moved.append(second - first)
    assert moved[0] == pytest.approx(0.0, abs=1e-6)
    assert moved[1] == pytest.approx(0.0, abs=1e-6)
    assert moved[2] > 0.1


def test_a_change_in_the_middle_of_a_trial_changes_the_world_around_a_moving_robot() -> None:
    robot = made(later=Change(0.5, Dynamics(pull_n=(0.0, 8.0, 0.0), payload_kg=0.5)))
    assert trial(robot).status is Status.COMPLETED
    assert robot.physics.total_mass_kg() == pytest.approx(6.5)
    assert robot.truth().x_m > 0.2
    robot.close()


def test_a_world_that_blew_up_is_a_fault_and_never_a_fresh_start(plain: SimulatedRobot) -> None:
    plain.reset(np.random.default_rng(0))
    for _ in range(50):
        plain.physics.step([1e9] * 8)
    assert np.isnan(plain.physics.joint_states()).any()
    walk = rollout(plain, plain, shipped_policy(), ConstantReturn(), 0.5)
    assert walk.status is Status.ABORTED
    assert "not finite" in walk.reason
    assert trial(plain).status is Status.COMPLETED


def test_its_picture_is_pybullet_s_of_the_same_pose() -> None:
    ours, theirs = made(visuals=True), made(engine="pybullet", visuals=True)
    ours.sleep_until(0.1)
    theirs.physics.place(ours.physics.motion())
    pictures = [robot.image(width=64, height=48) for robot in (ours, theirs)]
    assert pictures[0].shape == (48, 64, 3)
    assert (pictures[0].max(axis=2) < 90).sum() > 50
    np.testing.assert_array_equal(pictures[0], pictures[1])
    ours.close()
    theirs.close()


def test_an_unknown_joint_is_named_with_those_there_are() -> None:
    assembly = replace(assemble(BODY, "serial", Dynamics(), visuals=False), joints=("tail",))
    with pytest.raises(RobotError, match=r"no joint tail; it has motor_"):
        MujocoWorld(assembly, BODY, Dynamics(), time_step_s=0.002, iterations=10)


def test_the_shipped_rig_is_a_minitaur_on_mujoco() -> None:
    rig, robot = simulated_rig(RIG)
    rig.robot.connect()
    assert robot.spec == SPEC
    assert isinstance(robot.physics, MujocoWorld)
    robot.close()

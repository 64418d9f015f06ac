from __future__ import annotations

import math

import numpy as np
import pytest

from robot_adapt.backends import SimulatedRobotConfig, simulated_rig
from robot_adapt.config import load, shipped
from robot_adapt.errors import UserError
from robot_adapt.policy import linear, policy_file
from robot_adapt.policy.linear import LinearPolicy
from robot_adapt.policy.trajectory_generator import TrotConfig, TrotGenerator
from robot_adapt.repertoire.mirror import Mirror, mirror_of
from robot_adapt.repertoire.trace import mirrored, trace
from robot_adapt.rollout import rollout
from robot_adapt.trial import Trial
from sim.dynamics import Dynamics

ROBOTS = ("minitaur", "laikago", "a1")


class HalfACycleOn(TrotGenerator):
    """The legs across begin the trial where these would be half a cycle later: only then are two walks mirror images."""

    def __init__(self, config: TrotConfig) -> None:
        super().__init__(config)
        self.phase_rad = math.pi


def _made(robot: str) -> tuple[SimulatedRobotConfig, LinearPolicy, Mirror]:
    config = load(shipped("rigs", f"{robot}_training.yaml"), SimulatedRobotConfig)
    policy = policy_file.load(shipped("policies", f"{robot}.safetensors"))
    return config, policy, mirror_of(config.robot.body, config.robot.trot)


def _walk(config: SimulatedRobotConfig, policy: LinearPolicy, dynamics: Dynamics) -> Trial:
    rig, _ = simulated_rig(config.model_copy(update={"dynamics": dynamics}))
    rig.robot.connect()
    trial = rollout(rig.robot, rig.clock, policy, rig.returns, 1.0)
    rig.robot.close()
    return trial


def _asymmetric(robot: str) -> Dynamics:
    joint = "front_left.0" if robot == "minitaur" else "front_left.1"
    return Dynamics.model_validate(
        {
            "strength": {"back_right": 0.8},
            "payload_kg": 0.4,
            "payload_position_m": (0.05, 0.1, 0.0),
            "encoder_offset_rad": {joint: 0.1},
            "locked_joints_rad": {"back_right.1": 0.1},
            "worn_joints_nm": {"back_left.1": 0.3},
            "imu_tilt_rad": (0.05, 0.02),
            "pull_n": (1.0, {"minitaur": 16.0, "laikago": 40.0, "a1": 15.0}[robot], 0.0),
            "foot_friction_of": {"front_right": 0.6},
            "ground": {"kind": "slope", "roll_rad": 0.05},
        }
    )


@pytest.mark.parametrize("robot", ROBOTS)
def test_mirroring_twice_changes_nothing(robot: str) -> None:
    _, policy, mirror = _made(robot)
    once = mirror.parameters(policy, policy.parameters)
    assert not np.allclose(once, policy.parameters)
    np.testing.assert_allclose(mirror.parameters(policy, once), policy.parameters, atol=1e-9)
    world = _asymmetric(robot)
    twice = mirror.dynamics(mirror.dynamics(world))
    assert {**twice.model_dump(), "encoder_offset_rad": {}, "worn_joints_nm": {}, "locked_joints_rad": {}} == {
        **world.model_dump(), "encoder_offset_rad": {}, "worn_joints_nm": {}, "locked_joints_rad": {}
    }  # fmt: skip


@pytest.mark.parametrize("robot", ROBOTS)
def test_a_mirrored_policy_walks_the_mirrored_path_in_the_mirrored_world(robot: str, monkeypatch: pytest.MonkeyPatch) -> None:
    config, policy, mirror = _made(robot)
    world = _asymmetric(robot)
    here = _walk(config, policy, world)
    monkeypatch.setattr(linear, "TrotGenerator", HalfACycleOn)
    across = _walk(config, policy.with_parameters(mirror.parameters(policy, policy.parameters)), mirror.dynamics(world))
    path, path_across = here.telemetry["path_m"], across.telemetry["path_m"]
    assert path[-1, 0] > 0.2
    assert path[-1, 1] > 0.03
    np.testing.assert_allclose(path_across, path * [1.0, -1.0], atol=0.025)  # the solver goes through contacts in one order
    atol = 0.3 if robot == "minitaur" else 0.6  # torques (N m) of a robot four times as heavy
    np.testing.assert_allclose(mirrored(trace(across.telemetry, 50), mirror), trace(here.telemetry, 50), rtol=0.3, atol=atol)


def test_a_gait_that_is_not_symmetrical_has_no_mirror() -> None:
    config, policy, _ = _made("minitaur")
    trot = policy.trot.model_copy(update={"phase_offset_cycles": (0.0, 0.25, 0.5, 0.75)})
    mirror_of(config.robot.body, trot)  # a walk: half a cycle between left and right
    with pytest.raises(UserError, match="no left-right mirror"):
        mirror_of(config.robot.body, policy.trot.model_copy(update={"phase_offset_cycles": (0.0, 0.25, 0.3, 0.75)}))


def test_legs_of_no_side_have_no_mirror() -> None:
    body = _made("minitaur")[0].robot.body
    feet = {name.replace("front_left", "FL"): foot for name, foot in body.feet.items()}
    with pytest.raises(UserError, match="minitaur has no left-right mirror: the leg FL has neither left nor right in its name"):
        mirror_of(body.model_copy(update={"feet": feet}), _made("minitaur")[1].trot)


def test_a_gait_that_moves_the_sides_otherwise_has_no_mirror() -> None:
    config, _, _ = _made("laikago")
    trot = config.robot.trot
    knee = "FR_lower_leg_2_upper_leg_joint"
    joints = {**trot.joints, knee: trot.joints[knee].model_copy(update={"extension": -1.0})}
    with pytest.raises(UserError, match=f"its gait moves {knee} otherwise than FL_lower_leg_2_upper_leg_joint, mirrored"):
        mirror_of(config.robot.body, trot.model_copy(update={"joints": joints}))

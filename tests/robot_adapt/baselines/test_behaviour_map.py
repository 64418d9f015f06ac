from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from robot_adapt import array_file
from robot_adapt.baselines import behaviour_map
from robot_adapt.baselines.behaviour_map import BehaviourMap, duty_factors
from robot_adapt.errors import UserError
from tests.builders import MINITAUR, shipped_policy

MAP = BehaviourMap(np.eye(3), np.full((3, 4), 0.5), np.array([0.0, 1.0, 2.0]), 0.05, {"made_by": "a test"})


def test_a_saved_map_is_read_back(tmp_path: Path) -> None:
    behaviour_map.save(MAP, tmp_path / "map")
    again = behaviour_map.load(tmp_path / "map")
    for name in ("behaviours", "descriptors", "returns"):
        np.testing.assert_array_equal(getattr(again, name), getattr(MAP, name))
    assert (again.noise_sd, again.provenance) == (MAP.noise_sd, MAP.provenance)


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    array_file.write_atomically(tmp_path / "other", array_file.encode({}, {"format": "another"}))
    with pytest.raises(UserError, match="not a behaviour map"):
        behaviour_map.load(tmp_path / "other")


def test_a_map_around_another_policy_is_refused() -> None:
    with pytest.raises(UserError, match="another policy"):
        MAP.check_fits(shipped_policy())


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(UserError, match="3 behaviours, 2 descriptors, 3 returns"):
        BehaviourMap(np.eye(3), np.zeros((2, 4)), np.zeros(3), 0.1)


def test_a_leg_bears_load_while_its_motors_push_it_longer() -> None:
    trot = MINITAUR.trot
    torques = np.zeros((10, len(trot.joints)), dtype=np.float32)
    for column, joint in enumerate(trot.joints.values()):
        pushing = 10 if joint.leg == 0 else 5 if joint.leg == 1 else 0
        torques[:pushing, column] = joint.extension
        torques[pushing:, column] = -joint.extension
    np.testing.assert_allclose(duty_factors({"torque_nm": torques}, trot), [1.0, 0.5, 0.0, 0.0])


def test_a_push_of_little_beside_the_others_is_no_stance() -> None:
    trot = MINITAUR.trot
    torques = np.array([[joint.extension * (0.1 if joint.leg == 2 else 1.0) for joint in trot.joints.values()]] * 4)
    np.testing.assert_allclose(duty_factors({"torque_nm": torques.astype(np.float32)}, trot), [1.0, 1.0, 0.0, 1.0])


def test_a_trial_without_a_tick_has_no_stance() -> None:
    np.testing.assert_array_equal(duty_factors({"torque_nm": np.zeros(0, dtype=np.float32)}, MINITAUR.trot), np.zeros(4))

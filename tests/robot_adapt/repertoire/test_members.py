from __future__ import annotations

import numpy as np
import pytest

from robot_adapt.backends import SimulatedRobotConfig
from robot_adapt.config import load, shipped
from robot_adapt.repertoire.members import Members, is_refinable, niches, worth_having
from robot_adapt.repertoire.work import Row


def _row(*returns: float) -> Row:
    return Row(np.array(returns)[:, None], np.zeros(47), 1)


def test_only_members_that_raise_the_best_of_all_are_kept() -> None:
    base = np.array([[1.0, 2.0, 0.0, 1.9, 0.0], [1.0, 0.0, 2.0, 0.0, 1.0]])  # 3 and 4 add nothing to 1 and 2
    returns = np.repeat(base[:, :, None], 2, axis=2)
    assert worth_having(returns, np.array([0, 2, 1, 4, 3]), 1, 5) == [0, 1, 2]


def test_the_first_ones_are_kept_whatever_they_are_worth() -> None:
    returns = np.repeat(np.array([[1.0, 0.0, 0.0, 2.0, 0.0]])[:, :, None], 2, axis=2)
    assert worth_having(returns, np.array([0, 2, 1, 4, 3]), 3, 5) == [0, 1, 2, 3, 4]
    assert worth_having(returns, np.array([0, 2, 1, 4, 3]), 3, 3) == [0, 1, 2]


def test_a_niche_is_where_a_pair_has_the_best_of_its_family() -> None:
    members = Members(np.zeros((7, 1)), ("meta-policy", "weak", "weak", "slope", "slope", "weak", "weak"))
    rows = {
        0: ("weak", _row(9.0, 0.1, 0.5, 2.0, 2.0, 0.3, 0.2)),  # others may be better: they are of other families
        1: ("slope", _row(0.0, 3.0, 3.0, 0.2, 0.1, 3.0, 3.0)),
        2: ("weak", _row(0.0, 0.1, 0.2, 0.0, 0.0, 0.4, 0.3)),
        3: ("weak", _row(0.0, 0.9, 0.2, 0.0, 0.0, 0.4, 0.3)),
        4: ("lost", _row(0.0, 0.9, 0.2, 0.0, 0.0, 0.4, 0.3)),  # nobody was trained on it
    }
    assert niches(rows, members) == {1: [(0, True), (3, False)], 3: [(1, False)], 5: [(2, False)]}


def test_kin_guide_by_how_they_differ_scaled_to_a_step_of_normal_length() -> None:
    rng = np.random.default_rng(0)
    thetas = np.vstack((np.zeros((3, 40)), rng.standard_normal((2, 40)) * 0.01, rng.standard_normal((2, 40))))
    members = Members(thetas, ("meta-policy", "mild", "mild", "weak", "weak", "slope", "slope"))
    kin = members.kin("weak", ("meta-policy", "mild"))
    assert kin == [0, 1, 2, 3, 4]
    guide = members.guide(kin)
    steps = rng.standard_normal((4000, len(guide))) @ guide
    assert np.square(steps).sum(axis=1).mean() == pytest.approx(40.0, rel=0.1)
    apart = thetas[3:5] - thetas[:5].mean(axis=0)
    assert np.linalg.matrix_rank(np.vstack((guide, apart)), tol=1e-9) == np.linalg.matrix_rank(guide, tol=1e-9) == 2
    assert members.guide(members.kin("healthy", ("meta-policy", "mild"))).shape == (0, 40)  # they are all the same


def test_nobody_is_refined_where_nobody_can_walk_or_in_what_has_no_mirror_image() -> None:
    world = load(shipped("rigs", "minitaur_training.yaml"), SimulatedRobotConfig).dynamics
    rough = world.with_changes(ground={"kind": "rough", "height_m": 0.01, "length_m": 0.1, "seed": 0})
    assert is_refinable(_row(1.0), world)
    assert not is_refinable(_row(1.0), rough)
    assert not is_refinable(Row(np.ones((1, 1)), None, 1), world)

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from hardware.types import RobotFault
from robot_adapt.config import validate
from robot_adapt.errors import UserError
from sim.dynamics import Dynamics
from sim.ground import CELL_M, Rough, Slope, Steps, heights, is_on, plane_quaternion
from sim.physics import rotate
from sim.simulated_robot import SimulatedRobot
from tests.builders import MINITAUR

STEPS = Steps(kind="steps", height_m=0.02, length_m=0.3)
ROUGH = Rough(kind="rough", height_m=0.01, length_m=0.15, seed=1)


def rough(**changes: object) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    grid = heights(Rough.model_validate({**ROUGH.model_dump(), **changes}))
    assert grid is not None
    return grid


def middle(size: int) -> float:
    return (size - 1) / 2


def test_uphill_ahead_lifts_what_is_ahead() -> None:
    x, y, z = rotate(plane_quaternion(Slope(pitch_rad=0.2)), (1.0, 0.0, 0.0))
    assert (x, y, z) == pytest.approx((np.cos(0.2), 0.0, np.sin(0.2)))


def test_a_positive_roll_lifts_the_left_side() -> None:
    x, y, z = rotate(plane_quaternion(Slope(roll_rad=0.2)), (0.0, 1.0, 0.0))
    assert (x, y, z) == pytest.approx((0.0, np.cos(0.2), np.sin(0.2)))


def test_pitch_and_roll_together_keep_their_directions() -> None:
    plane = plane_quaternion(Slope(pitch_rad=0.2, roll_rad=0.1))
    assert np.linalg.norm(plane) == pytest.approx(1.0)
    assert rotate(plane, (1.0, 0.0, 0.0))[2] == pytest.approx(np.sin(0.2))
    assert rotate(plane, (0.0, 1.0, 0.0))[2] > 0.09


def test_only_a_slope_is_a_plane_and_only_it_is_turned() -> None:
    assert heights(Slope(pitch_rad=0.2)) is None
    assert plane_quaternion(STEPS) == plane_quaternion(ROUGH) == (0.0, 0.0, 0.0, 1.0)


def test_steps_rise_ahead_by_their_height_every_length_and_are_level_behind() -> None:
    grid = heights(STEPS)
    assert grid is not None
    assert np.ptp(grid, axis=1).max() == 0.0
    profile = grid[:, 0]
    rises = np.flatnonzero(np.diff(profile))
    np.testing.assert_allclose(np.diff(profile)[rises], 0.02)
    assert set(np.diff(rises)) == {round(0.3 / CELL_M)}
    assert profile[: int(middle(profile.size)) + round(0.4 / CELL_M)].max() == 0.0
    assert (rises[0] + 1 - middle(profile.size)) * CELL_M == pytest.approx(0.4)


def test_rough_ground_is_as_rough_as_asked() -> None:
    far = np.concatenate([rough(seed=seed)[:40].ravel() for seed in range(8)])
    assert np.std(far) == pytest.approx(0.01, rel=0.1)
    assert abs(np.mean(far)) < 0.002


@pytest.mark.parametrize("length_m", [0.1, 0.3])
def test_rough_ground_is_alike_within_its_length_and_not_beyond(length_m: float) -> None:
    """Bumps of wave numbers that are normal with deviation 1 / length correlate as exp(-(d / length)^2 / 2)."""
    cells = round(length_m / CELL_M)
    near, far = [], []
    for seed in range(20):
        grid = rough(length_m=length_m, seed=seed)[:45] / ROUGH.height_m
        near.append(np.mean(grid[cells:] * grid[:-cells]))
        far.append(np.mean(grid[4 * cells :] * grid[: -4 * cells]))
    assert np.mean(near) == pytest.approx(np.exp(-0.5), abs=0.12)
    assert abs(np.mean(far)) < 0.2


def test_rough_ground_follows_its_seed() -> None:
    np.testing.assert_array_equal(rough(), rough())
    assert not np.allclose(rough(seed=2), rough())


def test_rough_ground_is_level_where_the_robot_starts_and_rises_without_a_step() -> None:
    grid = rough()
    x, y = (np.abs(np.arange(size) - middle(size)) * CELL_M for size in grid.shape)
    start = np.hypot(x[:, np.newaxis], y[np.newaxis, :]) <= 0.4
    assert np.abs(grid[start]).max() == 0.0
    assert max(np.abs(np.diff(grid, axis=axis)).max() for axis in (0, 1)) < 3.0 * 0.01 * CELL_M / 0.15 * 1.5


@pytest.mark.parametrize("bad", [{"height_m": -0.1}, {"length_m": 0.0}, {"seed": -1}, {"height_m": float("nan")}])
def test_rough_ground_that_is_none_is_refused(bad: dict[str, float]) -> None:
    with pytest.raises(UserError, match=rf"x\.yaml: {next(iter(bad))}: "):
        validate({**ROUGH.model_dump(), **bad}, Rough, "x.yaml")


def test_steps_shorter_than_two_cells_are_refused() -> None:
    with pytest.raises(UserError, match=r"length_m: Input should be greater than or equal to 0\.1"):
        validate({"kind": "steps", "height_m": 0.02, "length_m": 0.05}, Steps, "x.yaml")


@pytest.fixture(params=[STEPS, STEPS.model_copy(update={"height_m": -0.02}), ROUGH], ids=["up", "down", "rough"])
def on_ground(request: pytest.FixtureRequest) -> Iterator[tuple[SimulatedRobot, Steps | Rough]]:
    robot = SimulatedRobot(MINITAUR.body, Dynamics(ground=request.param), legs="serial", time_step_s=0.0025, iterations=10)
    robot.connect()
    yield robot, request.param
    robot.close()


def test_the_engine_s_ground_lies_where_the_heights_say(on_ground: tuple[SimulatedRobot, Steps | Rough]) -> None:
    """Rays from above hit every corner of the grid at its height, in x and in y."""
    import pybullet

    from sim.world import World

    robot, ground = on_ground
    grid = heights(ground)
    assert grid is not None
    assert isinstance(robot.physics, World)
    generator = np.random.default_rng(0)
    for _ in range(60):
        i, j = (int(generator.integers(2, size - 2)) for size in grid.shape)
        x, y = (i - middle(grid.shape[0])) * CELL_M, (j - middle(grid.shape[1])) * CELL_M
        if np.hypot(x, y) < 0.6:
            continue  # the robot
        (hit,) = pybullet.rayTest((x + 1e-4, y + 1e-4, 1.0), (x + 1e-4, y + 1e-4, -1.0), physicsClientId=robot.physics._client)
        assert hit[3][2] == pytest.approx(grid[i, j], abs=2e-4)


def test_on_level_parts_of_a_grid_it_stands_as_high_as_on_a_plane(on_ground: tuple[SimulatedRobot, Steps | Rough]) -> None:
    level = SimulatedRobot(MINITAUR.body, Dynamics(), legs="serial", time_step_s=0.0025, iterations=10)
    level.connect()
    assert on_ground[0].truth().z_m == pytest.approx(level.truth().z_m, abs=0.002)
    level.close()


@pytest.mark.parametrize(("slope", "sign"), [("pitch_rad", -1), ("roll_rad", 1)])
def test_a_robot_on_a_slope_leans_with_it_and_stands_at_its_origin(slope: str, sign: int) -> None:
    """Uphill ahead raises the nose: pitch is negative there. The left side higher is a positive roll."""
    ground = Slope.model_validate({slope: 0.15})
    robot = SimulatedRobot(MINITAUR.body, Dynamics(ground=ground), legs="serial", time_step_s=0.0025, iterations=10)
    robot.connect()
    imu, truth = robot.read().imu, robot.truth()
    assert sign * getattr(imu, slope) == pytest.approx(0.15, abs=0.05)
    assert imu.tilt_rad == pytest.approx(0.15, abs=0.05)
    assert (truth.x_m, truth.y_m) == pytest.approx((0.0, 0.0), abs=0.03)
    robot.close()


@pytest.mark.parametrize(("x_m", "y_m", "on"), [(3.1, 1.5, True), (3.3, 0.0, False), (0.0, -1.7, False)])
def test_a_grid_has_an_edge_and_a_plane_has_none(x_m: float, y_m: float, on: bool) -> None:
    assert is_on(ROUGH, x_m, y_m) == is_on(STEPS, x_m, y_m) == on
    assert is_on(Slope(), x_m, y_m)


def test_a_robot_that_comes_to_the_end_of_its_ground_is_told_so(on_ground: tuple[SimulatedRobot, Steps | Rough]) -> None:
    robot, _ = on_ground
    robot.read()
    robot._position_m = (3.3, 0.0, 0.2)
    with pytest.raises(RobotFault, match="has come to the end of its ground"):
        robot.read()

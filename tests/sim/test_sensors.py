from __future__ import annotations

import math

import numpy as np
import pytest

from hardware.types import FloatArray, ImuReading
from sim.dynamics import Dynamics
from sim.physics import Quaternion, inverse, rotate
from sim.sensors import Sensors

STEP_S = 0.002
LEVEL: Quaternion = (0.0, 0.0, 0.0, 1.0)
STILL = (0.0, 0.0, 0.0)
N = 8


def rolled(angle_rad: float) -> Quaternion:
    return (math.sin(angle_rad / 2), 0.0, 0.0, math.cos(angle_rad / 2))


def sensors(dynamics: Dynamics | None = None, offset_rad: float = 0.0, seed: int = 1) -> Sensors:
    one = Sensors(np.full(N, offset_rad), dynamics or Dynamics(), STEP_S)
    one.begin(np.random.default_rng(seed))
    return one


def imu(one: Sensors) -> ImuReading:
    _, orientation, rates = one.read(np.zeros(N))
    return ImuReading(orientation, rates)


def late_rate(latency_s: float, samples: int) -> float:
    """The roll rate that is read when the samples' rates were 0, 1, 2, ..."""
    one = sensors(Dynamics(control_latency_s=latency_s))
    for step in range(samples):
        one.push(LEVEL, (float(step), 0.0, 0.0))
    return float(imu(one).angular_velocity_rad_s[0])


@pytest.mark.parametrize(
    ("latency_s", "read"), [(0.0, 9.0), (0.006, 6.0), (0.003, 7.5), (0.0005, 8.75)], ids=["none", "steps", "between", "part"]
)
def test_the_imu_is_read_as_late_as_asked_interpolated_between_steps(latency_s: float, read: float) -> None:
    assert late_rate(latency_s, 10) == pytest.approx(read)


def test_before_there_are_enough_samples_the_oldest_stands_for_all() -> None:
    assert late_rate(0.02, 1) == 0.0
    assert late_rate(0.02, 5) == 0.0


def test_beginning_anew_forgets_the_samples_before() -> None:
    one = sensors(Dynamics(control_latency_s=0.004))
    for rate in (1.0, 2.0, 3.0):
        one.push(LEVEL, (rate, 0.0, 0.0))
    one.begin(np.random.default_rng(1))
    one.push(LEVEL, (9.0, 0.0, 0.0))
    assert imu(one).angular_velocity_rad_s[0] == 9.0


def test_noise_has_the_levels_asked_for() -> None:
    one = sensors(Dynamics(joint_noise_rad=0.01, orientation_noise_rad=0.02, gyro_noise_rad_s=0.1))
    one.push(LEVEL, STILL)
    angles, tilts, rates = [], [], []
    for _ in range(3000):
        read, orientation, gyro = one.read(np.zeros(N))
        angles.append(read)
        tilts.append(2.0 * orientation[1:])
        rates.append(gyro)
    np.testing.assert_allclose(np.std(angles, axis=0), 0.01, rtol=0.06)
    np.testing.assert_allclose(np.std(tilts, axis=0), 0.02, rtol=0.06)
    np.testing.assert_allclose(np.std(rates, axis=0), 0.1, rtol=0.06)


def test_noise_follows_its_generator() -> None:
    noisy = Dynamics(joint_noise_rad=0.01, orientation_noise_rad=0.02, gyro_noise_rad_s=0.1)
    same, again, other = (sensors(noisy, seed=seed) for seed in (1, 1, 2))
    for one in (same, again, other):
        one.push(LEVEL, STILL)
    first = np.concatenate(same.read(np.zeros(N)))
    np.testing.assert_array_equal(np.concatenate(again.read(np.zeros(N))), first)
    assert not np.any(np.concatenate(other.read(np.zeros(N)))[:N] == first[:N])


def test_an_encoder_reads_its_offset_too_much() -> None:
    one = sensors(offset_rad=0.25)
    one.push(LEVEL, STILL)
    np.testing.assert_allclose(one.read(np.full(N, 0.5))[0], 0.75)


def test_a_reading_leaves_the_truth_alone() -> None:
    one, truth = sensors(Dynamics(joint_noise_rad=0.1), offset_rad=0.25), np.full(N, 0.5)
    one.push(LEVEL, STILL)
    one.read(truth)
    np.testing.assert_array_equal(truth, 0.5)


def test_angles_are_read_in_the_encoder_s_steps_noise_included() -> None:
    one = sensors(Dynamics(encoder_step_rad=0.01, joint_noise_rad=0.02))
    truth: FloatArray = np.linspace(-1.0, 1.0, N, dtype=np.float64)
    one.push(LEVEL, STILL)
    read = one.read(truth)[0] / 0.01
    np.testing.assert_allclose(read, np.round(read), atol=1e-9)
    assert np.abs(0.01 * read - truth).max() > 0.005


def test_readings_drop_out_as_often_as_asked() -> None:
    one = sensors(Dynamics(dropout=0.2))
    assert np.mean([one.drops_out() for _ in range(5000)]) == pytest.approx(0.2, abs=0.02)
    assert not any(sensors().drops_out() for _ in range(10))


def test_the_gyro_has_its_bias() -> None:
    one = sensors(Dynamics(gyro_bias_rad_s=(0.1, -0.2, 0.3)))
    one.push(LEVEL, (1.0, 1.0, 1.0))
    np.testing.assert_allclose(imu(one).angular_velocity_rad_s, [1.1, 0.8, 1.3])


def test_the_gyro_measures_in_the_body_frame() -> None:
    one = sensors()
    one.push(rolled(math.pi / 2), (0.1, 0.2, 0.3))  # the body's y axis is the world's z, its z axis the world's -y
    reading = imu(one)
    np.testing.assert_allclose(reading.angular_velocity_rad_s, [0.1, 0.3, -0.2], atol=1e-12)
    assert reading.roll_rad == pytest.approx(math.pi / 2)


@pytest.mark.parametrize("seed", range(3))
def test_the_gyro_measures_in_the_body_frame_whichever_way_the_body_is_turned(seed: int) -> None:
    x, y, z, w = np.random.default_rng(seed).standard_normal(4).tolist()
    size = math.sqrt(x * x + y * y + z * z + w * w)
    turned: Quaternion = (x / size, y / size, z / size, w / size)
    one = sensors()
    one.push(turned, (0.1, 0.2, 0.3))
    np.testing.assert_allclose(imu(one).angular_velocity_rad_s, rotate(inverse(turned), (0.1, 0.2, 0.3)), atol=1e-12)


def test_an_imu_knocked_out_of_place_reads_its_tilt_on_a_level_robot() -> None:
    one = sensors(Dynamics(imu_tilt_rad=(0.2, -0.1)))
    one.push(LEVEL, STILL)
    assert imu(one).pitch_rad == pytest.approx(-0.1, abs=0.003)
    assert imu(one).roll_rad == pytest.approx(0.2, abs=0.003)


def test_the_gyro_of_an_imu_knocked_out_of_place_measures_about_its_own_axes() -> None:
    one = sensors(Dynamics(imu_tilt_rad=(math.pi / 2, 0.0)))
    one.push(LEVEL, (0.1, 0.2, 0.3))
    np.testing.assert_allclose(imu(one).angular_velocity_rad_s, [0.1, 0.3, -0.2], atol=1e-12)


def test_orientations_have_unit_length_although_noisy_and_interpolated() -> None:
    one = sensors(Dynamics(orientation_noise_rad=0.3, control_latency_s=0.001))
    one.push(rolled(0.0), STILL)
    one.push(rolled(0.4), STILL)
    assert np.linalg.norm(imu(one).orientation_wxyz) == pytest.approx(1.0)


def test_orientation_noise_turns_about_the_body_s_axes() -> None:
    """Rolled by a quarter, noise of the body's yaw is seen as a pitch of the world's: its z axis lies level."""
    one = sensors(Dynamics(orientation_noise_rad=0.02))
    one.push(rolled(math.pi / 2), STILL)
    noise = np.random.default_rng(1).standard_normal(N + 6)[N : N + 3] * 0.02
    assert imu(one).pitch_rad == pytest.approx(-noise[2], abs=1e-3)

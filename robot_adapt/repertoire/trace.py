"""What a trial's telemetry tells of what is wrong with a robot: a few numbers a real robot measures; no simulation truth."""

from __future__ import annotations

import numpy as np

from hardware.types import FloatArray
from robot_adapt.optim.operator import Telemetry
from robot_adapt.repertoire.mirror import Mirror

_COLUMNS = ("position_rad", "target_rad", "torque_nm", "tilt", "yaw_rad", "battery_v")
_SIGNED = ("error", "torque")
_UNSIGNED = ("error_rms", "torque_rms", "spread")


def trace(telemetry: Telemetry, ticks: int) -> FloatArray:
    """Features (5 n + 7,) of a trial that should have lasted so many ticks.

    A joint each: mean tracking error and torque, their root mean squares, the spread of its angle; then mean and spread of
    roll and pitch, the turn (all rad), the battery (V), and the share of the trial that it walked.
    """
    angle, target, torque, tilt, yaw, battery = (telemetry[name].astype(np.float64) for name in _COLUMNS)
    error = target - angle
    walked = len(error)
    if walked == 0:
        raise ValueError("a trial without a tick leaves no trace")
    (roll, pitch), turn = tilt.T, np.unwrap(yaw[:, 0])
    joints = (error.mean(axis=0), torque.mean(axis=0), _rms(error), _rms(torque), angle.std(axis=0))
    rest = (roll.mean(), turn[-1] - turn[0], pitch.mean(), roll.std(), pitch.std(), battery.mean(), walked / ticks)
    return np.concatenate((*joints, rest))


def mirrored(features: FloatArray, mirror: Mirror) -> FloatArray:
    """The features (..., 5 n + 7) that the mirrored robot would have left."""
    n = len(mirror.joints)
    result = features.copy()
    for row in range(len(_SIGNED) + len(_UNSIGNED)):
        signs = mirror.joint_signs if row < len(_SIGNED) else np.ones(n)
        block = features[..., row * n : (row + 1) * n]
        result[..., row * n + mirror.joints] = block * signs
    start = (len(_SIGNED) + len(_UNSIGNED)) * n
    result[..., start : start + 2] *= -1.0  # roll and turn
    return result


def _rms(values: FloatArray) -> FloatArray:
    return np.asarray(np.sqrt(np.square(values).mean(axis=0)))

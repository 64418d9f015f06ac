"""Orientations worked out by hand, for tests of IMUs: what each kind of unit says when the robot is so turned."""

from __future__ import annotations

import math

import numpy as np

from hardware.types import FloatArray, ImuReading

HALF = math.sin(math.radians(15.0))
COSINE = math.cos(math.radians(15.0))
ROOT = math.sqrt(0.5)

# Quaternions w x y z from the base frame (x forward, y left, z up) to the world: thirty degrees by hand, about one axis each.
LEVEL = np.array([1.0, 0.0, 0.0, 0.0])
NOSE_UP = np.array([COSINE, 0.0, -HALF, 0.0])  # x turns towards z: against y
RIGHT_SIDE_DOWN = np.array([COSINE, HALF, 0.0, 0.0])  # y turns towards z: with x
TURNED_LEFT = np.array([COSINE, 0.0, 0.0, HALF])  # x turns towards y: with z


def reading(orientation_wxyz: FloatArray, rates_rad_s: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> ImuReading:
    return ImuReading(orientation_wxyz, np.array(rates_rad_s))


def angle_between(a: FloatArray, b: FloatArray) -> float:
    """Of two orientations (rad)."""
    return 2.0 * math.acos(min(1.0, abs(float(a @ b))))


def rotate(orientation_wxyz: FloatArray, vector: tuple[float, float, float]) -> FloatArray:
    w, axis = orientation_wxyz[0], orientation_wxyz[1:]
    v = np.array(vector)
    return np.asarray(v + 2.0 * np.cross(axis, np.cross(axis, v) + w * v))


def product(p: FloatArray, q: FloatArray) -> FloatArray:
    """Of two quaternions w x y z: first p, then q about the axes that p has turned."""
    scalar = p[0] * q[0] - p[1:] @ q[1:]
    return np.array([scalar, *(p[0] * q[1:] + q[0] * p[1:] + np.cross(p[1:], q[1:]))])

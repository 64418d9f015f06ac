"""Masses, inertias and energy of the simulated robots."""

from __future__ import annotations

import dataclasses
import xml.etree.ElementTree as ET
from typing import Any

import numpy as np
import pybullet
import pytest

from hardware.types import FloatArray
from sim.dynamics import Dynamics
from sim.ground import Slope
from sim.robots.assembler import assemble
from sim.world import World
from tests.sim.robots import MODELS, body_of


def links(world: World) -> list[tuple[float, FloatArray, FloatArray, FloatArray, FloatArray]]:
    """Mass, centre of mass, inertia about it, linear and angular velocity of every link, in the world's frame."""
    client, body, found = world._client, world._body, []
    for index in range(-1, pybullet.getNumJoints(body, physicsClientId=client)):
        info = pybullet.getDynamicsInfo(body, index, physicsClientId=client)
        if index < 0:
            at, turned = pybullet.getBasePositionAndOrientation(body, physicsClientId=client)
            linear, angular = pybullet.getBaseVelocity(body, physicsClientId=client)
        else:
            state = pybullet.getLinkState(body, index, 1, 1, physicsClientId=client)
            (at, turned), (linear, angular) = state[:2], state[6:8]
        axes = np.array(pybullet.getMatrixFromQuaternion(turned)).reshape(3, 3)
        found.append((info[0], np.array(at), axes @ np.diag(info[2]) @ axes.T, np.array(linear), np.array(angular)))
    return found


def inertia_kg_m2(world: World) -> FloatArray:
    """Of the whole robot, about its centre of mass (3, 3)."""
    parts = links(world)
    center = sum(kg * at for kg, at, *_ in parts) / sum(kg for kg, *_ in parts)
    total = np.zeros((3, 3))
    for kg, at, own, *_ in parts:
        d = at - center
        total += own + kg * (d @ d * np.eye(3) - np.outer(d, d))
    return total


def energies_j(world: World) -> tuple[float, float]:
    """Kinetic and potential."""
    kinetic = sum(0.5 * kg * v @ v + 0.5 * w @ own @ w for kg, _, own, v, w in links(world))
    return float(kinetic), float(sum(kg * 9.81 * at[2] for kg, at, *_ in links(world)))


def world_of(model: str, **dynamics: Any) -> World:
    """In the stance, before any step."""
    legs, body = MODELS[model][1]["legs"], body_of(model)
    dyn = Dynamics().with_changes(**dynamics)
    return World(assemble(body, legs, dyn, visuals=False), body, dyn, time_step_s=0.0005, iterations=100)


def test_a_robot_weighs_what_its_urdf_says_times_the_ratio_and_its_payload(model: str) -> None:
    masses = ET.parse(body_of(model).urdf_path).getroot().iter("mass")  # noqa: S314
    stock_kg = sum(float(mass.attrib["value"]) for mass in masses)
    plain, heavy = world_of(model), world_of(model, mass_ratio=1.1, payload_kg=0.5, payload_position_m=(0.0, 0.1, 0.05))
    assert plain.total_mass_kg() == pytest.approx(stock_kg)
    assert heavy.total_mass_kg() == pytest.approx(1.1 * stock_kg + 0.5)
    plain.close()
    heavy.close()


def test_both_leg_models_of_the_minitaur_are_as_hard_to_turn() -> None:
    """About pitch and yaw within 3 %. About roll 10 %: the serial leg carries its left lower link at its right one's plane."""
    closed, serial = world_of("five_bar"), world_of("serial")
    five_bar, equivalent = inertia_kg_m2(closed), inertia_kg_m2(serial)
    np.testing.assert_allclose(np.diag(equivalent)[1:], np.diag(five_bar)[1:], rtol=0.03)
    assert equivalent[0, 0] == pytest.approx(five_bar[0, 0], rel=0.1)
    np.testing.assert_allclose(equivalent - np.diag(np.diag(equivalent)), five_bar - np.diag(np.diag(five_bar)), atol=0.003)
    closed.close()
    serial.close()


def test_a_payload_turns_the_whole_robot_s_inertia_as_parallel_axes_say() -> None:
    plain, loaded = world_of("serial"), world_of("serial", payload_kg=1.0, payload_position_m=(0.0, 0.2, 0.0))
    reduced = plain.total_mass_kg() * 1.0 / (plain.total_mass_kg() + 1.0)
    added = (inertia_kg_m2(loaded) - inertia_kg_m2(plain))[2, 2]
    assert added == pytest.approx(reduced * 0.2**2, rel=0.1)
    plain.close()
    loaded.close()


def test_the_energy_of_a_tumbling_robot_in_the_air_is_conserved(model: str) -> None:
    world = world_of(model)
    motion = world.motion()
    spin = (0.5, 1.0, 0.2)
    world.place(
        dataclasses.replace(motion, position_m=(0.0, 0.0, 3.0), velocity_m_s=(0.3, 0.0, 0.0), angular_velocity_rad_s=spin)
    )
    kinetic, potential = energies_j(world)
    joints = len(world.joint_states()) // 2
    for _ in range(800):
        world.step([0.0] * joints)
    end_kinetic, end_potential = energies_j(world)
    assert end_kinetic - kinetic > 40.0
    assert end_kinetic - kinetic == pytest.approx(potential - end_potential, rel=0.01)
    world.close()


def test_where_a_base_is_does_not_depend_on_its_load(model: str) -> None:
    """PyBullet tells of the centre of mass, which a payload moves, and of its principal axes, which it turns."""
    plain = world_of(model, ground=Slope(pitch_rad=0.1, roll_rad=0.2))
    loaded = world_of(model, ground=Slope(pitch_rad=0.1, roll_rad=0.2), payload_kg=2.0, payload_position_m=(0.1, 0.2, 0.1))
    for one, other in zip(plain.base_pose(), loaded.base_pose(), strict=True):
        assert one == pytest.approx(other, abs=1e-6)
    plain.close()
    loaded.close()

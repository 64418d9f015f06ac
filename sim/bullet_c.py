"""Bullet's C API, as far as a loop over physics steps needs it, for functions that numba compiles: no Python between steps.

PyBullet is a Python module around this API and exports it; the functions are declared in Bullet's
examples/SharedMemory/PhysicsClientC_API.h. What it does not export is which of the API's clients is which of PyBullet's
numbered ones: getPhysicsClient (examples/pybullet/pybullet.c) knows, and is found by its name in the library's symbol table.
Where there is no such table (a stripped library, a system without ELF), there is no Body, and Python calls PyBullet instead.
"""

from __future__ import annotations

import ctypes
import mmap
import struct
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hardware.types import FloatArray
from sim import physics
from sim.bullet import pybullet
from sim.compiled import Address, Double, Int, Nothing, address_of, external, link, njit
from sim.physics import Quaternion
from sim.values import PointM

_TORQUE_CONTROL: int = pybullet.TORQUE_CONTROL
_WORLD_FRAME: int = pybullet.WORLD_FRAME
_BASE = -1

# Handles of clients, commands and statuses, and pointers, are addresses.
_torques = external("b3JointControlCommandInit2", Address, Address, Int, Int)
_set_torque = external("b3JointControlSetDesiredForceTorque", Int, Address, Int, Double)
_force = external("b3ApplyExternalForceCommandInit", Address, Address)
_set_force = external("b3ApplyExternalForce", Nothing, Address, Int, Int, Address, Address, Int)
_step = external("b3InitStepSimulationCommand", Address, Address)
_state = external("b3RequestActualStateCommandInit", Address, Address, Int)
_get_state = external("b3GetStatusActualState", Int, *[Address] * 8)
_submit = external("b3SubmitClientCommand", Int, Address, Address)
_status = external("b3ProcessServerStatus", Address, Address)
_copy = external("memcpy", Address, Address, Address, Address)
_FUNCTIONS = (_torques, _set_torque, _force, _set_force, _step, _state, _get_state, _submit, _status)

_compose, _rotate = njit(cache=True)(physics.compose), njit(cache=True)(physics.rotate)


class Body(NamedTuple):
    """A robot in one of PyBullet's clients, as the functions below know it.

    Attributes:
        client: a b3PhysicsClientHandle.
        body: PyBullet's number of it.
        angles, velocities: where in `q` and `u` those of the joints are that are driven and measured.
        q: position and orientation (x, y, z, w) of the base's centre of mass, then every joint's angle; `_read` fills it in.
        u: its velocity and angular velocity, then every joint's velocity.
        pull_n: the force (3,) that pulls on that centre in every step, as it is by then.
        centered: that centre, and the principal axes there, are the base's origin and axes.
        center_m, from_principal: else where it is, and what turns those axes into the base's.

    """

    client: int
    body: int
    angles: NDArray[np.int32]
    velocities: NDArray[np.int32]
    q: FloatArray
    u: FloatArray
    pull_n: FloatArray
    centered: bool
    center_m: PointM
    from_principal: Quaternion


def body_of(
    client: int, body: int, joints: Sequence[int],
    pull_n: FloatArray, centered: bool, center_m: PointM, from_principal: Quaternion,
) -> Body | None:  # fmt: skip
    """None where PyBullet's library does not let itself be called past Python."""
    get_client = _get_physics_client()
    if get_client is None or not (handle := get_client(client)):
        return None
    infos = [pybullet.getJointInfo(body, index, client) for index in range(pybullet.getNumJoints(body, client))]
    moving = sum(info[3] >= 0 for info in infos)
    angles, velocities = (np.array([infos[joint][column] for joint in joints], dtype=np.int32) for column in (3, 4))
    q, u = np.zeros(7 + moving), np.zeros(6 + moving)
    return Body(handle, body, angles, velocities, q, u, pull_n, centered, center_m, from_principal)


@njit(cache=True)
def take_step(body: Body, joints: FloatArray) -> tuple[PointM, Quaternion, PointM]:
    """One time step of joints whose rows are angles, velocities, torques (3, m): from these to those.

    Returns position (m), orientation and angular velocity (rad/s) of the base then; all is nan when Bullet does not answer.
    """
    _drive(body, joints[2])
    if body.pull_n.any():
        _read(body)
        _pull(body)
    step(body.client)
    _read(body)
    q, u = body.q, body.u
    for i in range(body.angles.size):
        joints[0, i], joints[1, i] = q[body.angles[i]], u[body.velocities[i]]
    position_m, orientation = (q[0], q[1], q[2]), (q[3], q[4], q[5], q[6])
    if not body.centered:
        orientation = _compose(orientation, body.from_principal)
        x, y, z = _rotate(orientation, body.center_m)
        position_m = (q[0] - x, q[1] - y, q[2] - z)
    return position_m, orientation, (u[3], u[4], u[5])


@njit(cache=True)
def _drive(body: Body, torques_nm: FloatArray) -> None:
    command = _torques(body.client, body.body, _TORQUE_CONTROL)
    for i in range(body.velocities.size):
        _set_torque(command, body.velocities[i], torques_nm[i])
    _submit(body.client, command)
    _status(body.client)


@njit(cache=True)
def _pull(body: Body) -> None:
    command = _force(body.client)
    _set_force(command, body.body, _BASE, body.pull_n.ctypes.data, body.q.ctypes.data, _WORLD_FRAME)
    _submit(body.client, command)
    _status(body.client)


@njit(cache=True)
def step(client: int) -> None:
    """One time step."""
    _submit(client, _step(client))
    _status(client)


@njit(cache=True)
def _read(body: Body) -> None:
    q, u = body.q, body.u
    found = np.empty(2, dtype=np.intp)
    _submit(body.client, _state(body.client, body.body))
    if _get_state(_status(body.client), 0, 0, 0, 0, found.ctypes.data, found.ctypes.data + found.itemsize, 0):
        _copy(q.ctypes.data, found[0], q.nbytes)
        _copy(u.ctypes.data, found[1], u.nbytes)
    else:
        q[:], u[:] = np.nan, np.nan


@cache
def _get_physics_client() -> ctypes._CFunctionType | None:
    """pybullet.c's own function of that name, from the number of a client to its handle."""
    path, known = Path(pybullet.__file__), "b3ConnectPhysicsDirect"
    library = ctypes.CDLL(str(path))
    if not hasattr(library, known) or not link(library, *_FUNCTIONS):
        return None
    table = _elf_symbols(path, "getPhysicsClient", known)
    if table is None:
        return None
    return ctypes.CFUNCTYPE(ctypes.c_size_t, ctypes.c_int)(address_of(library, known) - table[1] + table[0])


_SECTION = np.dtype("<u4, <u4, <u8, <u8, <u8, <u8, <u4, <u4, <u8, <u8")  # Elf64_Shdr
_SYMBOL = np.dtype("<u4, u1, u1, <u2, <u8, <u8")  # Elf64_Sym
_SYMTAB = 2


def _elf_symbols(path: Path, *names: str) -> list[int] | None:
    """Values of symbols, local ones too, of a 64-bit ELF library (elf(5)); None when one is not there."""
    with path.open("rb") as file:
        if file.read(6) != b"\x7fELF\x02\x01":
            return None
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    with data:
        (at,), (number,) = struct.unpack_from("<Q", data, 40), struct.unpack_from("<H", data, 60)
        sections = np.frombuffer(data[at : at + number * _SECTION.itemsize], _SECTION)
        tables = sections[sections["f1"] == _SYMTAB]
        if not tables.size:
            return None
        offset, size, strings = (int(tables[0][name]) for name in ("f4", "f5", "f6"))
        symbols = np.frombuffer(data[offset : offset + size], _SYMBOL)
        offset, size = int(sections[strings]["f4"]), int(sections[strings]["f5"])
        text = data[offset : offset + size]
    found = [symbols["f4"][symbols["f0"] == text.find(b"\0" + name.encode() + b"\0") + 1] for name in names]
    return [int(values[0]) for values in found] if all(len(values) == 1 for values in found) else None

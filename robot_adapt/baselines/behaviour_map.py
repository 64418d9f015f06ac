"""BehaviourMap: behaviours that differ and walk, with their returns in simulation; one safe file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardware.types import FloatArray
from robot_adapt import array_file
from robot_adapt.config import shipped
from robot_adapt.errors import Absent, UserError
from robot_adapt.optim.operator import Telemetry
from robot_adapt.policy.linear import LinearPolicy
from robot_adapt.policy.trajectory_generator import TrotConfig

_FORMAT = "robot_adapt behaviour map 1"
LOADED = 0.25  # of the mean load of a leg: what a leg in stance bears at least


@dataclass(frozen=True, eq=False)
class BehaviourMap:
    """K behaviours; behaviour 0 is the policy around which the others were found.

    Attributes:
        behaviours: parameters (K, d).
        descriptors: how each walks, (K, m), each number from 0 to 1; see `duty_factors`.
        returns: in simulation (K,), of fresh trials.
        noise_sd: of the return of one trial there.
        provenance: what made it; plain JSON values.

    """

    behaviours: FloatArray
    descriptors: FloatArray
    returns: FloatArray
    noise_sd: float
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        count = len(self.behaviours)
        if self.behaviours.ndim != 2 or self.descriptors.ndim != 2 or self.returns.ndim != 1:
            raise UserError("behaviour map: its arrays have the wrong number of dimensions")
        if not count or count != len(self.descriptors) or count != len(self.returns):
            counts = f"{count} behaviours, {len(self.descriptors)} descriptors, {len(self.returns)} returns"
            raise UserError(f"behaviour map: {counts}")
        for name, values in (("behaviours", self.behaviours), ("descriptors", self.descriptors), ("returns", self.returns)):
            if not np.isfinite(values).all():
                raise UserError(f"behaviour map: {name} hold a value that is not finite")

    def check_fits(self, policy: LinearPolicy) -> None:
        """Raises Absent when the map was made around another policy."""
        if not np.array_equal(self.behaviours[0], policy.parameters):
            raise Absent("this behaviour map was made around another policy: robot-adapt map-elites makes one around this")


def save(map_: BehaviourMap, path: Path) -> None:
    """Writes a map atomically."""
    array_file.write_atomically(path, array_file.encode(*_parts(map_)))


def sha256(map_: BehaviourMap) -> str:
    """SHA-256 (hex) of a map's content."""
    return array_file.digest(*_parts(map_))


def path_of(name: str) -> Path:
    """Of a map in a config: a file, or the name of a shipped one. Raises UserError when there is none of that name."""
    return Path(name) if Path(name).suffix else shipped("behaviour_maps", f"{name}.safetensors")


def load(path: Path) -> BehaviourMap:
    """Raises UserError naming the file when it is damaged or of another format."""
    arrays, values, _ = array_file.read(path)
    if values.get("format") != _FORMAT:
        raise UserError(f"{path}: not a behaviour map of this version ({_FORMAT})")
    try:
        behaviours, descriptors, returns = (arrays[name] for name in ("behaviours", "descriptors", "returns"))
        return BehaviourMap(behaviours, descriptors, returns, values["noise_sd"], values["provenance"])
    except KeyError as error:
        raise UserError(f"{path}: {error.args[0]} is missing") from None
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def _parts(map_: BehaviourMap) -> tuple[dict[str, FloatArray], dict[str, Any]]:
    arrays = {"behaviours": map_.behaviours, "descriptors": map_.descriptors, "returns": map_.returns}
    return arrays, {"format": _FORMAT, "noise_sd": map_.noise_sd, "provenance": dict(map_.provenance)}


def duty_factors(telemetry: Telemetry, trot: TrotConfig) -> FloatArray:
    """The share of a trial for which each leg bears load (legs,): the descriptor of Cully et al. (Nature 2015) for a hexapod.

    They read contact sensors; ours read what every robot here measures, see `in_stance`. Zeros for a trial without a tick.
    """
    torques = np.asarray(telemetry["torque_nm"], dtype=np.float64)
    if not torques.size:
        return np.zeros(trot.legs)
    duty: FloatArray = in_stance(torques, trot, LOADED).mean(axis=0)
    return duty


def in_stance(torques_nm: FloatArray, trot: TrotConfig, loaded: float) -> NDArray[np.bool_]:
    """Which legs bear load, tick by tick (ticks, legs): those whose motors push them longer with over so much of the mean push.

    With a quarter (LOADED) that agrees with PyBullet's contacts of the feet in 79 % of ticks for the Minitaur, 73 % for the
    Laikago; duty factors correlate .64 and .88. A tenth and a half are the better for one robot and the worse for the other
    (tests/benchmarks/duty_factors.py).
    """
    to_extension = np.zeros((len(trot.joints), trot.legs))
    for row, joint in zip(to_extension, trot.joints.values(), strict=True):
        row[joint.leg] = joint.extension
    pushes = np.maximum(torques_nm @ to_extension, 0.0)
    stance: NDArray[np.bool_] = pushes > loaded * pushes.mean()
    return stance

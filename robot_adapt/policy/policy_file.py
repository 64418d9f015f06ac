"""The policy file: weights, normalizer, names, units, robot, provenance; safe to open, checked before anything moves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel

from hardware.spec import RobotSpec
from hardware.types import FloatArray
from robot_adapt import array_file
from robot_adapt.config import FROZEN, Count, Positive, is_shipped, shipped, validate
from robot_adapt.errors import UserError, named_by
from robot_adapt.optim.space import from_arrays
from robot_adapt.policy.linear import LinearPolicy
from robot_adapt.policy.normalizer import Normalizer
from robot_adapt.policy.trajectory_generator import TrotConfig
from robot_adapt.repertoire.repertoire import Repertoire

_FORMAT = "robot_adapt policy 1"
_REPERTOIRE = ("members", "returns", "traces")


class _RepertoireHeader(BaseModel):
    """What stands beside a repertoire's arrays."""

    model_config = FROZEN
    noise_sd: Positive
    ticks: Count
    member_words: tuple[str, ...]
    task_words: tuple[str, ...]


class _Header(BaseModel):
    """What stands beside the arrays. Names and units are for readers in other languages; they must agree with `trot`."""

    model_config = FROZEN
    format: str
    robot: str
    period_s: Positive
    trot: TrotConfig
    observations: tuple[str, ...]
    observation_units: tuple[str, ...]
    actions: tuple[str, ...]
    action_scales: tuple[float, ...]
    action_units: tuple[str, ...]
    provenance: dict[str, Any]
    repertoire: _RepertoireHeader | None = None


def save(policy: LinearPolicy, path: Path) -> str:
    """Writes a policy atomically; returns its SHA-256 (of the content, as `load` gives it)."""
    arrays, values = _parts(policy)
    array_file.write_atomically(path, array_file.encode(arrays, values))
    return array_file.digest(arrays, values)


def sha256(policy: LinearPolicy) -> str:
    """SHA-256 (hex) of a policy's content: the identity that trials and reports carry."""
    return array_file.digest(*_parts(policy))


def walk_sha256(policy: LinearPolicy) -> str:
    """SHA-256 (hex) of how a policy walks, without repertoire and provenance: the identity of what is made around it."""
    return sha256(replace(policy, repertoire=None, provenance={}))


def path_of(name: str) -> Path:
    """Of a policy in a config: a file, or the name of a shipped one. Raises UserError listing these."""
    return Path(name) if Path(name).suffix else shipped("policies", f"{name}.safetensors")


def shipped_for(robot: str) -> Path:
    """The shipped policy of a robot. Raises UserError saying what to give when there is none."""
    if not is_shipped("policies", name := f"{robot}.safetensors"):
        raise UserError(f"no policy is shipped for the robot {robot}: give --policy FILE, and --config for its trials")
    return shipped("policies", name)


def to_train_around(name: str, spec: RobotSpec, trot: TrotConfig, trial_s: float) -> LinearPolicy:
    """The policy that a config names. Raises UserError naming the file when robot, gait or trials (s) are not its own."""
    path = path_of(name)
    policy = load(path)
    with named_by(str(path)):
        policy.check_fits(spec)
        policy.ticks_in(trial_s)
        if policy.trot != trot:
            raise UserError(f"this policy's trajectory generator is not that of the robot {spec.name}")
    return policy


def load(path: Path) -> LinearPolicy:
    """Reads a policy. Raises UserError naming the file when it is damaged, not finite, or of another format."""
    arrays, values, _ = array_file.read(path)
    if not isinstance(values, dict) or values.get("format") != _FORMAT:
        raise UserError(f"{path}: not a policy file of this version ({_FORMAT})")
    header = validate(values, _Header, str(path))
    try:
        normalizer = Normalizer(_float64(arrays["mean"]), _float64(arrays["std"]))
        repertoire = None
        if (beside := header.repertoire) is not None:
            members, returns, traces = (_float64(arrays[f"repertoire_{name}"]) for name in _REPERTOIRE)
            repertoire = Repertoire(members, returns, traces, **dict(beside))
        policy = LinearPolicy(
            header.robot, header.period_s, header.trot, _float64(arrays["weights"]), normalizer, header.provenance, repertoire,
            from_arrays(arrays),
        )  # fmt: skip
    except KeyError as error:
        raise UserError(f"{path}: the array {error.args[0]} is missing") from None
    except (UserError, ValueError) as error:
        raise UserError(f"{path}: {error}") from None
    if _parts(policy)[1] != values:
        raise UserError(f"{path}: names, units or scales are not those of its trajectory generator")
    return policy


def _float64(array: FloatArray) -> FloatArray:
    return np.asarray(array, dtype=np.float64)


def _parts(policy: LinearPolicy) -> tuple[dict[str, FloatArray], dict[str, Any]]:
    trot, joints = policy.trot, len(policy.trot.joints)
    arrays = {"weights": policy.weights, "mean": policy.normalizer.mean, "std": policy.normalizer.std}
    if policy.space is not None:
        arrays |= policy.space.arrays()
    header = _Header(
        format=_FORMAT,
        robot=policy.robot,
        period_s=policy.period_s,
        trot=trot,
        observations=policy.observation_names,
        observation_units=("rad", "rad", "rad/s", "rad/s", "1", "1", *["rad"] * joints),
        actions=policy.action_names,
        action_scales=(trot.frequency_range_hz, trot.amplitude_range_rad, *[trot.residual_rad] * (2 * trot.legs)),
        action_units=("Hz", *["rad"] * (1 + 2 * trot.legs)),
        provenance=policy.provenance,
    )
    if (repertoire := policy.repertoire) is None:  # the bytes of a policy alone are as they always were
        return arrays, header.model_dump(mode="json", exclude={"repertoire"})
    arrays |= {f"repertoire_{name}": getattr(repertoire, name) for name in _REPERTOIRE}
    beside = {name: getattr(repertoire, name) for name in _RepertoireHeader.model_fields}
    return arrays, header.model_copy(update={"repertoire": _RepertoireHeader(**beside)}).model_dump(mode="json")

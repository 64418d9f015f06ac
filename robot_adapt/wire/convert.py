"""Trials as protobuf bytes and back: the only place that reads a payload.

A trial is sealed once; the same bytes are journaled, sent, hashed, stored.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from google.protobuf.message import DecodeError
from numpy.typing import NDArray

from robot_adapt.adapt.record import Phase, TrialRecord
from robot_adapt.trial import Status
from robot_adapt.wire.v1 import trials_pb2 as pb

SCHEMA_VERSION = 1
Key = TypeVar("Key")

_PHASES: dict[Phase, pb.Phase] = {phase: getattr(pb, f"PHASE_{phase.name}") for phase in Phase}
_STATUSES: dict[Status, pb.Status] = {status: getattr(pb, f"STATUS_{status.name}") for status in Status}
_DTYPES = frozenset({"<f4", "<f8"})


class InvalidTrialError(Exception):
    """These bytes are no trial that can be stored; the message says why."""


@dataclass(frozen=True)
class SealedTrial:
    """A trial as bytes, under its key. Two are the same trial when key and hash agree."""

    robot: str
    session: str
    number: int
    payload: bytes

    @cached_property
    def sha256(self) -> bytes:
        return hashlib.sha256(self.payload).digest()

    @cached_property
    def record(self) -> TrialRecord:
        """Raises InvalidTrialError when the payload is not a whole trial."""
        return _unseal(self)

    def message(self) -> pb.Trial:
        return pb.Trial(robot=self.robot, session=self.session, number=self.number, payload=self.payload)

    @classmethod
    def of(cls, message: pb.Trial) -> SealedTrial:
        return cls(message.robot, message.session, message.number, message.payload)

    @classmethod
    def parse(cls, data: bytes) -> SealedTrial:
        """From a serialized wire Trial. Raises InvalidTrialError."""
        try:
            return cls.of(pb.Trial.FromString(data))
        except DecodeError:
            raise InvalidTrialError("not a trial message") from None


def seal(record: TrialRecord) -> SealedTrial:
    """The same record gives the same bytes."""
    payload = pb.TrialPayload(
        phase=_PHASES[record.phase],
        status=_STATUSES[record.status],
        reason=record.reason,
        return_value=record.value,
        return_source=record.return_source,
        seed=record.seed,
        parameters=_array(record.parameters, "<f8"),
        candidate=record.candidate,
        timings=pb.Timings(duration_s=record.duration_s, period_s=record.period_s, missed_ticks=record.missed_ticks),
        telemetry={name: _array(values, "<f4") for name, values in record.telemetry.items()},
        hobble=record.hobble,
        events=record.events,
        why=record.why,
    )
    data = payload.SerializeToString(deterministic=True)
    return SealedTrial(record.robot, record.session, record.number, data)


def _unseal(sealed: SealedTrial) -> TrialRecord:
    try:
        payload = pb.TrialPayload.FromString(sealed.payload)
    except DecodeError:
        raise InvalidTrialError("the payload is damaged") from None
    phase = _meaning(_PHASES, payload.phase, "phase")
    status = _meaning(_STATUSES, payload.status, "status")
    value = payload.return_value if payload.HasField("return_value") else None
    if value is not None and not math.isfinite(value):
        raise InvalidTrialError(f"the return is {value}")
    if (value is None) != (status is Status.ABORTED):
        raise InvalidTrialError("an aborted trial, and no other, is without a return")
    return TrialRecord(
        robot=sealed.robot,
        session=sealed.session,
        number=sealed.number,
        phase=phase,
        status=status,
        reason=payload.reason,
        value=value,
        return_source=payload.return_source,
        seed=payload.seed,
        candidate=payload.candidate if payload.HasField("candidate") else None,
        hobble=payload.hobble,
        duration_s=payload.timings.duration_s,
        period_s=payload.timings.period_s,
        missed_ticks=payload.timings.missed_ticks,
        parameters=_numpy(payload.parameters, "parameters"),
        telemetry={name: _numpy(array, name) for name, array in payload.telemetry.items()},
        events=dict(sorted(payload.events.items())),
        why=payload.why,
    )


def _meaning(table: Mapping[Key, int], number: int, name: str) -> Key:
    for key, value in table.items():
        if value == number:
            return key
    raise InvalidTrialError(f"{name} {number} is not known")


def _array(values: NDArray[Any], dtype: str) -> pb.Array:
    array = np.ascontiguousarray(values, dtype=dtype)
    return pb.Array(dtype=dtype, shape=array.shape, data=array.tobytes())


def _numpy(array: pb.Array, name: str) -> NDArray[Any]:
    shape = tuple(array.shape)
    if array.dtype not in _DTYPES or math.prod(shape) * int(array.dtype[2]) != len(array.data):
        raise InvalidTrialError(f"the array {name} does not have the size it claims")
    try:
        return np.frombuffer(array.data, dtype=array.dtype).reshape(shape)
    except ValueError:  # more dimensions than numpy has
        raise InvalidTrialError(f"the array {name} has the shape {shape}") from None

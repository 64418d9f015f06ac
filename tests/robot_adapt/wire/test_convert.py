from __future__ import annotations

import numpy as np
import pytest

from robot_adapt.adapt.record import Phase
from robot_adapt.trial import Status
from robot_adapt.wire.convert import InvalidTrialError, SealedTrial, seal
from robot_adapt.wire.v1 import trials_pb2 as pb
from tests.builders import record, sealed


@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize("status", Status)
def test_a_record_survives_sealing(phase: Phase, status: Status) -> None:
    value = None if status is Status.ABORTED else -0.25
    before = record(7, phase=phase, status=status, value=value, reason="r", candidate=None, why="member 3 (a weak leg)")
    after = SealedTrial.parse(seal(before).message().SerializeToString()).record
    for name in vars(before):
        if name not in ("parameters", "telemetry"):
            assert getattr(after, name) == getattr(before, name), name
    np.testing.assert_array_equal(after.parameters, before.parameters)
    np.testing.assert_array_equal(after.telemetry["path_m"], before.telemetry["path_m"])
    assert after.telemetry["path_m"].dtype == np.float32


def test_the_same_record_gives_the_same_bytes_whatever_the_order_of_its_telemetry() -> None:
    arrays = {name: np.full((3, 2), i, dtype=np.float32) for i, name in enumerate("cabde")}
    one, other = (seal(record(telemetry=dict(items))) for items in (arrays.items(), reversed(list(arrays.items()))))
    assert one.payload == other.payload
    assert one.sha256 == other.sha256


def test_events_survive_sealing_and_their_order_does_not_change_the_bytes() -> None:
    events = {"slew": 3, "reply lost": 1, "bad packet": 12}
    one, other = (seal(record(events=dict(items))) for items in (events.items(), reversed(list(events.items()))))
    assert one.payload == other.payload
    assert SealedTrial.parse(one.message().SerializeToString()).record.events == events


def test_a_trial_of_a_time_without_events_is_read_as_one_in_which_there_were_none() -> None:
    old = pb.TrialPayload.FromString(sealed(events={"slew": 3}).payload)
    old.ClearField("events")
    assert old.SerializeToString(deterministic=True) == sealed().payload
    assert SealedTrial("minitaur", "test", 0, old.SerializeToString()).record.events == {}


def test_a_trial_without_a_why_has_the_bytes_of_a_time_before_there_were_any() -> None:
    old = pb.TrialPayload.FromString(sealed(why="member 3 (a weak leg)").payload)
    old.ClearField("why")
    assert old.SerializeToString(deterministic=True) == sealed().payload
    assert SealedTrial("minitaur", "test", 0, old.SerializeToString()).record.why == ""


def payload(**changes: object) -> bytes:
    message = pb.TrialPayload.FromString(sealed().payload)
    for name, value in changes.items():
        setattr(message, name, value)
    return message.SerializeToString()


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"return_value": float("nan")}, "the return is nan"),
        ({"return_value": float("inf")}, "the return is inf"),
        ({"status": pb.STATUS_ABORTED}, "without a return"),
        ({"status": pb.STATUS_UNSPECIFIED}, "status 0 is not known"),
        ({"phase": 99}, "phase 99 is not known"),
    ],
)
def test_what_makes_no_sense_is_refused(changes: dict[str, object], why: str) -> None:
    with pytest.raises(InvalidTrialError, match=why):
        _ = SealedTrial("minitaur", "test", 0, payload(**changes)).record


@pytest.mark.parametrize(("dtype", "shape"), [("<f4", (5,)), ("<f8", (4, 2)), ("|O", (4,)), ("<f8", (2**31, 2**31))])
def test_an_array_that_lies_about_its_size_or_kind_is_refused(dtype: str, shape: tuple[int, ...]) -> None:
    message = pb.TrialPayload.FromString(sealed().payload)
    message.parameters.dtype = dtype
    message.parameters.shape[:] = shape
    with pytest.raises(InvalidTrialError, match="parameters does not have the size it claims"):
        _ = SealedTrial("minitaur", "test", 0, message.SerializeToString()).record


def test_an_array_of_more_dimensions_than_numpy_has_is_refused() -> None:
    message = pb.TrialPayload.FromString(sealed().payload)
    message.parameters.shape[:] = [4, *[1] * 70]
    with pytest.raises(InvalidTrialError, match="parameters has the shape"):
        _ = SealedTrial("minitaur", "test", 0, message.SerializeToString()).record

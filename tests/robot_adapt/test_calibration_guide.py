from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from hardware.types import FloatArray, RobotFault
from robot_adapt.calibration_guide import Draft, Guide
from tests.builders import SPEC
from tests.hardware.fake_bus import FakeBus

POSE_RAD = SPEC.stance_rad
NAMES = SPEC.joint_names
# The robot as it really is: what a calibration should find.
SIGNS = np.array([1, -1] * 4)
OFFSETS_RAD = np.linspace(-1.0, 1.0, 8)


def device_rad(positions_rad: FloatArray) -> FloatArray:
    return np.asarray(SIGNS * positions_rad + OFFSETS_RAD)


class Hands:
    """Does with a robot's joints what is asked, as a careful person would; `slips` are done first, one a question."""

    def __init__(self, bus: FakeBus, slips: dict[str, Iterator[Callable[[], str]]] | None = None) -> None:
        self.bus = bus
        self.slips = slips or {}
        self.asked: list[str] = []
        self.said: list[str] = []

    def say(self, line: str) -> None:
        self.said.append(line)

    def ask(self, question: str, meanwhile: Callable[[], None] | None = None) -> str:
        self.asked.append(question)
        for words, slips in self.slips.items():
            if words in question and (slip := next(slips, None)) is not None:
                return slip()
        joint = next((k for k, name in enumerate(NAMES) if question.startswith(name)), None)
        if "reference pose" in question:
            self.bus.positions_rad = device_rad(POSE_RAD)
        elif joint is not None and "positive direction" in question:
            self.bus.positions_rad[joint] += 0.3 * SIGNS[joint]
        elif joint is not None and meanwhile is not None:
            for angle in (POSE_RAD[joint] - 1.0, POSE_RAD[joint], POSE_RAD[joint] + 0.8):
                self.bus.positions_rad[joint] = device_rad(np.full(8, angle))[joint]
                meanwhile()
        return ""


def guided(bus: FakeBus, hands: Hands, kept: list[Draft] | None = None) -> Guide:
    return Guide(SPEC, bus, bus.open(), "standing", POSE_RAD, hands, (kept if kept is not None else []).append)


def test_signs_zeros_and_limits_are_found_whatever_the_file_said() -> None:
    bus = FakeBus(NAMES)
    hands = Hands(bus)
    guide = guided(bus, hands)
    calibration = guide.finish(guide.measure(Draft(robot=SPEC.name, pose="stance"), NAMES))
    assert [joint.sign for joint in calibration.joints] == SIGNS.tolist()
    np.testing.assert_allclose([joint.offset_rad for joint in calibration.joints], OFFSETS_RAD, atol=1e-4)
    np.testing.assert_allclose([joint.lower_rad for joint in calibration.joints], POSE_RAD - 0.95, atol=1e-4)
    np.testing.assert_allclose([joint.upper_rad for joint in calibration.joints], POSE_RAD + 0.75, atol=1e-4)
    np.testing.assert_allclose([joint.reference_rad for joint in calibration.joints], POSE_RAD, atol=1e-4)
    assert [(joint.device_id, joint.model) for joint in calibration.joints][1] == (2, "XM430-W350")
    assert "arm" not in bus.told
    assert "write" not in bus.told


def test_a_swapped_id_is_told_and_the_joint_asked_for_again() -> None:
    bus = FakeBus(NAMES)

    def wrong_joint() -> str:
        bus.positions_rad[4] += 0.3
        return ""

    hands = Hands(bus, {f"{NAMES[2]} (id 3): move it by hand": iter([wrong_joint])})
    guided(bus, hands).measure(Draft(robot=SPEC.name, pose="stance"), NAMES[:3])
    assert any(f"not {NAMES[2]} (id 3) moved but {NAMES[4]} (id 5)" in line for line in hands.said)
    assert sum(f"{NAMES[2]} (id 3): move it by hand" in question for question in hands.asked) == 2


def test_a_joint_that_hardly_moved_or_has_no_range_is_asked_for_again() -> None:
    bus = FakeBus(NAMES)
    hands = Hands(bus, {"positive direction": iter([lambda: ""]), "one end": iter([lambda: ""])})
    draft = guided(bus, hands).measure(Draft(robot=SPEC.name, pose="stance"), NAMES[:1])
    assert "nothing moved far enough" in hands.said[0]
    assert "moved from" in hands.said[-1]
    assert draft.joints[NAMES[0]].ends_device_rad is not None


def test_joints_may_be_skipped_and_keep_sign_or_limits() -> None:
    bus = FakeBus(NAMES)
    slips = {
        f"{NAMES[0]} (id 1): move it by hand": iter([lambda: "s"]),
        f"{NAMES[1]} (id 2): move it by hand": iter([lambda: "k"]),
        f"{NAMES[1]} (id 2): move it slowly": iter([lambda: "k"]),
    }
    draft = guided(bus, Hands(bus, slips)).measure(Draft(robot=SPEC.name, pose="stance"), NAMES[:2])
    assert list(draft.joints) == [NAMES[1]]
    kept = draft.joints[NAMES[1]]
    assert (kept.sign, kept.ends_device_rad) == (SPEC.joints[1].sign, None)


def test_a_calibration_cut_off_goes_on_with_the_joint_it_was_at() -> None:
    bus = FakeBus(NAMES)

    def pulled() -> str:
        raise KeyboardInterrupt

    drafts: list[Draft] = []
    hands = Hands(bus, {f"{NAMES[5]} (id 6): move it by hand": iter([pulled])})
    with pytest.raises(KeyboardInterrupt):
        guided(bus, hands, drafts).measure(Draft(robot=SPEC.name, pose="stance"), NAMES)
    assert list(drafts[-1].joints) == list(NAMES[:5])

    again = Hands(bus)
    guide = guided(bus, again)
    calibration = guide.finish(guide.measure(Draft.model_validate_json(drafts[-1].model_dump_json()), NAMES))
    assert not any(question.startswith(NAMES[0]) for question in again.asked)
    np.testing.assert_allclose([joint.offset_rad for joint in calibration.joints], OFFSETS_RAD, atol=1e-4)


def test_the_pose_at_the_end_is_checked_by_the_new_calibration() -> None:
    bus = FakeBus(NAMES)

    def one_off() -> str:
        bus.positions_rad = device_rad(POSE_RAD)
        bus.positions_rad[6] += 0.5
        return ""

    hands = Hands(bus, {"back into its reference pose": iter([one_off])})
    guide = guided(bus, hands)
    guide.finish(guide.measure(Draft(robot=SPEC.name, pose="stance"), NAMES))
    assert hands.said[-1].startswith(f"{NAMES[6]} is at ")
    assert f"--joint {NAMES[6]}" in hands.said[-1]


def test_a_robot_that_is_not_held_still_gives_no_zeros() -> None:
    bus = FakeBus(NAMES)
    hands = Hands(bus)
    swinging = iter(range(5))
    read = bus.read

    def trembling() -> object:
        if next(swinging, None) is not None:
            bus.positions_rad[3] += 0.1
        return read()

    bus.read = trembling  # type: ignore[method-assign, assignment]
    draft = guided(bus, hands).measure(Draft(robot=SPEC.name, pose="stance"), NAMES[3:4])
    assert hands.said[0] == f"{NAMES[3]} is moving: hold it still"
    assert draft.joints[NAMES[3]].pose_device_rad == pytest.approx(device_rad(POSE_RAD)[3])


def test_a_lost_reply_is_read_again_and_a_motor_that_stays_silent_is_named() -> None:
    bus = FakeBus(NAMES)
    bus.silent = [True, False, True]
    guided(bus, Hands(bus)).measure(Draft(robot=SPEC.name, pose="stance"), NAMES[:1])
    bus.readings.heard[4] = False
    with pytest.raises(RobotFault, match=rf"{NAMES[4]} \(id 5\) answers too rarely"):
        guided(bus, Hands(bus)).measure(Draft(robot=SPEC.name, pose="stance"), NAMES[:1])

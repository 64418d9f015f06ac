"""Draws docs/hobbles/NAME.png and docs/robots/NAME.png, small pictures for the README; the same files give the same bytes."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from robot_adapt.backends import SimulatedRobotConfig, simulated_rig
from robot_adapt.config import load, shipped
from robot_adapt.policy import policy_file
from robot_adapt.randomness import generator
from robot_adapt.rollout import rollout
from sim.ground import Rough, Slope, Steps
from sim.hobbles import (
    Change,
    DeadMotor,
    EncoderOffset,
    ExtraLatency,
    Hobble,
    ImuTilt,
    LockedJoint,
    LowBattery,
    OtherGround,
    Payload,
    Pull,
    ShortLeg,
    SlipperyFeet,
    SlipperyFoot,
    WeakLeg,
    WornJoint,
)  # fmt: skip
from sim.physics import compose
from sim.simulated_robot import SimulatedRobot

_ROOT = Path(__file__).resolve().parent.parent
_HOBBLE_SIZE, _ROBOT_SIZE = (160, 120), (320, 240)
_DRAWN_LARGER = 3  # and made smaller again, as the renderer leaves jagged edges
_ORANGE, _INK = "#e5480d", "#222222"
_WALKED_S = 1.2
# The camera stands before the right front; a robot turned so shows it its left front.
_LEFT_FRONT_RAD = math.radians(-100.0)


def main() -> None:
    """All of them."""
    for path in sorted((_ROOT / "configs" / "hobbles").glob("*.yaml")):
        hobble = load(path, Hobble)
        _save(_hobble_picture(hobble), _HOBBLE_SIZE, _ROOT / "docs" / "hobbles" / f"{path.stem}.png")
    for path in sorted((_ROOT / "configs" / "robots").glob("*.yaml")):
        config = load(shipped("rigs", path.name), SimulatedRobotConfig)
        _save(_robot_picture(config), _ROBOT_SIZE, _ROOT / "docs" / "robots" / f"{path.stem}.png")


def _save(picture: Image.Image, size: tuple[int, int], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.resize(size, Image.Resampling.LANCZOS).save(path, optimize=True)


def _robot_picture(config: SimulatedRobotConfig) -> Image.Image:
    rig, body = simulated_rig(config, visuals=True)
    rig.robot.connect()
    picture = _picture(body, _ROBOT_SIZE)
    rig.robot.close()
    return picture


def _hobble_picture(hobble: Hobble) -> Image.Image:
    """A Minitaur after a second with the hobble, what is hobbled in orange, with the hobble's number."""
    config = load(shipped("rigs", "minitaur.yaml"), SimulatedRobotConfig)
    policy = policy_file.load(shipped("policies", "minitaur.safetensors"))
    rig, body = simulated_rig(config.hobbled(hobble), visuals=True)
    rig.robot.connect()
    rig.reset(generator(0, "trial", 0))
    rollout(rig.robot, rig.clock, policy, rig.returns, _WALKED_S)
    if any("left" in getattr(change, "leg", getattr(change, "joint", "")) for change in hobble.changes):
        _turn(body, _LEFT_FRONT_RAD)
    picture = _picture(body, _HOBBLE_SIZE)
    rig.robot.close()
    draw = ImageDraw.Draw(picture)
    for change in hobble.changes:
        _mark(draw, change)
    _badge(draw, ", ".join(_number(change) for change in hobble.changes))
    return picture


def _picture(body: SimulatedRobot, size: tuple[int, int]) -> Image.Image:
    width, height = (_DRAWN_LARGER * edge for edge in size)
    return Image.fromarray(body.image(width=width, height=height))


def _turn(body: SimulatedRobot, angle_rad: float) -> None:
    motion = body.physics.motion()
    turned = compose((0.0, 0.0, math.sin(angle_rad / 2), math.cos(angle_rad / 2)), motion.orientation_xyzw)
    body.physics.place(type(motion)(**{**vars(motion), "orientation_xyzw": turned}))


def _number(change: Change) -> str:
    """What a hobble does in a word or a number."""
    match change:
        case Payload():
            return f"{change.mass_kg:g} kg"
        case LowBattery():
            return f"{change.battery_v:g} V"
        case WeakLeg():
            return f"{change.strength:.0%}"
        case DeadMotor():
            return "dead"
        case LockedJoint():
            return "locked"
        case ShortLeg():
            return f"{change.share:.0%}" if change.share else "lost"
        case SlipperyFeet() | SlipperyFoot():
            return f"friction {change.friction:g}"
        case WornJoint():
            return f"+{change.friction_nm:g} N m"
        case EncoderOffset():
            return f"+{math.degrees(change.angle_rad):.0f}°"
        case ImuTilt():
            return f"IMU {math.degrees(change.roll_rad):.0f}°"
        case ExtraLatency():
            return f"+{1000 * change.latency_s:.0f} ms"
        case Pull():
            return f"{np.linalg.norm(change.force_n):.0f} N"
        case OtherGround(ground=Slope() as slope):
            return f"{math.degrees(math.hypot(slope.pitch_rad, slope.roll_rad)):.0f}°"
        case OtherGround(ground=Steps() | Rough() as ground):
            return f"{1000 * ground.height_m:.0f} mm"
    raise ValueError(f"no words for {change}")


def _badge(draw: ImageDraw.ImageDraw, text: str) -> None:
    font = ImageFont.load_default(14 * _DRAWN_LARGER)
    left, top, right, bottom = draw.textbbox((0, 0), text, font=font)
    x, y, margin = 12, draw.im.size[1] - (bottom - top) - 30, 9
    box = (x, y, x + right - left + 2 * margin, y + bottom - top + 2 * margin)
    draw.rounded_rectangle(box, radius=12, fill="white", outline=_ORANGE, width=4)
    draw.text((x + margin - left, y + margin - top), text, fill=_INK, font=font)


def _mark(draw: ImageDraw.ImageDraw, change: Change) -> None:
    """What is not seen on the robot: a battery, a clock, an IMU, the wind, how the ground goes on."""
    match change:
        case LowBattery():
            draw.rounded_rectangle((360, 18, 450, 62), radius=8, fill="white", outline=_INK, width=6)
            draw.rectangle((450, 30, 460, 50), fill=_INK)
            draw.rectangle((370, 28, 386, 52), fill=_ORANGE)
        case ExtraLatency():
            draw.ellipse((370, 14, 450, 94), fill="white", outline=_ORANGE, width=8)
            draw.line((410, 54, 410, 26), fill=_INK, width=7)
            draw.line((410, 54, 430, 66), fill=_INK, width=7)
        case ImuTilt():
            _tilted_box(draw, (240, 130), change.roll_rad)
        case Pull():
            # To the robot's left, as the camera sees it.
            _arrow(draw, (14, 196), (150, 138))
            _arrow(draw, (74, 236), (210, 178))
        case OtherGround(ground=Slope()):
            _profile(draw, [(0, 70), (130, 20)])
        case OtherGround(ground=Steps()):
            _profile(draw, [(0, 70), (30, 70), (30, 50), (65, 50), (65, 30), (100, 30), (100, 10), (130, 10)])
        case OtherGround(ground=Rough()):
            bumps = [25 * math.sin(x / 9) * math.sin(x / 23 + 0.6) for x in range(131)]
            _profile(draw, [(x, 42 + bump) for x, bump in enumerate(bumps)])


def _profile(draw: ImageDraw.ImageDraw, line: list[tuple[float, float]]) -> None:
    """A cut through the ground, in the upper right corner."""
    x, y = 332, 14
    draw.rounded_rectangle((x - 12, y - 6, x + 142, y + 92), radius=12, fill="white", outline=_INK, width=4)
    points = [(x + a, y + b) for a, b in line]
    draw.polygon([*points, (x + 130, y + 84), (x, y + 84)], fill=_ORANGE)


def _tilted_box(draw: ImageDraw.ImageDraw, center: tuple[int, int], angle_rad: float) -> None:
    x, y = center
    along, across = (math.cos(angle_rad), math.sin(angle_rad)), (-math.sin(angle_rad), math.cos(angle_rad))
    corners = [(x + a * along[0] + b * across[0], y + a * along[1] + b * across[1]) for a, b in _CORNERS]
    draw.line((x - 110, y, x + 110, y), fill=_INK, width=4)
    draw.polygon(corners, fill=_ORANGE, outline=_INK, width=5)


_CORNERS = ((-60, -22), (60, -22), (60, 22), (-60, 22))


def _arrow(draw: ImageDraw.ImageDraw, start: tuple[int, int], end: tuple[int, int]) -> None:
    angle = math.atan2(end[1] - start[1], end[0] - start[0])
    draw.line((*start, *end), fill=_ORANGE, width=14)
    draw.regular_polygon((*end, 26), 3, rotation=-math.degrees(angle) - 90, fill=_ORANGE)


if __name__ == "__main__":
    main()

"""`robot-adapt calibrate`: signs, zeros and limits of a robot's joints, measured by hand with the motors limp."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from robot_adapt.cli.terminal import Person

if TYPE_CHECKING:
    from hardware.spec import RobotSpec
    from hardware.types import FloatArray
    from robot_adapt.calibration_guide import Draft

Pose = Literal["sit", "stance", "zero"]


def calibrate(
    robot: Annotated[str, typer.Argument(help="The robot's YAML file; the calibration is written beside it.")],
    joint: Annotated[list[str] | None, typer.Option("--joint", help="Only this joint; may be given again.")] = None,
    pose: Annotated[
        Pose | None, typer.Option(help="The reference pose [sit, where the file has safety.sit_rad; else stance].")
    ] = None,
    anew: Annotated[bool, typer.Option("--anew", help="Forget what an unfinished calibration has measured.")] = False,
) -> None:
    """Measure signs, zeros and limits joint by joint, guided, torque off; write them to a calibration file.

    The robot is armed from then on in its reference pose only, with the motors it was calibrated with. Ctrl-C keeps what was
    measured; the same command goes on.
    """
    from robot_adapt import calibration_file
    from robot_adapt.array_file import write_atomically
    from robot_adapt.calibration_guide import Draft, Guide
    from robot_adapt.cli.wired import load_wired
    from robot_adapt.config import load_json
    from robot_adapt.errors import UserError
    from robot_adapt.hardware_config import wired_robot

    config, file = load_wired(robot)
    if file != Path(robot):
        raise UserError(f"{robot} is shipped with this program: copy {file} to a file of your own, and calibrate that")
    spec, person = config.wired_spec, Person()
    for name in joint or ():
        if name not in spec.joint_names:
            raise UserError(f"--joint {name}: {spec.name} has {', '.join(spec.joint_names)}")
    path = config.calibration_path(file)
    if path.exists():
        spec = calibration_file.read(path, spec).applied(spec)
    at = pose or ("sit" if config.safety.sit_rad is not None else "stance")
    if at == "sit" and config.safety.sit_rad is None:
        raise UserError(f"{file}: safety.sit_rad: is missing, so nobody knows that pose")
    sit_rad = {} if config.safety.sit_rad is None else config.safety.sit_rad
    pose_rad = _pose_rad(spec, at, sit_rad)

    kept = path.with_name(f"{path.stem}.draft.json")
    draft = Draft(robot=spec.name, pose=at)
    if kept.exists() and not anew:
        draft = load_json(kept, Draft)
        if draft.robot != spec.name:
            raise UserError(f"{kept}: is of the robot {draft.robot}, not of {spec.name}: --anew forgets it")
        if draft.pose != at:
            raise UserError(f"{kept}: was measured from the pose {draft.pose}: --pose {draft.pose} goes on, --anew forgets it")
        draft = Draft(
            robot=spec.name, pose=at, joints={name: of for name, of in draft.joints.items() if name not in (joint or ())}
        )
        person.say(f"going on with {kept}: {len(draft.joints)} of {len(spec.joints)} joints are measured; --anew forgets them")

    def keep(draft: Draft) -> None:
        write_atomically(kept, draft.model_dump_json(indent=2).encode())

    wired = wired_robot(config, None).robot
    try:
        motors = wired.open().motors
        person.say(f"{len(motors)} motors heard. Reference pose {at}, joint angles in degrees:")
        person.say(_in_degrees(spec, pose_rad))
        person.ask("hold the robot: its motors go limp now. Then press Enter ")
        wired.bus.release()
        guide = Guide(spec, wired.bus, motors, f"{at}, {_IN_WORDS[at]}", pose_rad, person, keep)
        draft = guide.measure(draft, tuple(joint or spec.joint_names))
        calibration = guide.finish(draft)
    except KeyboardInterrupt as interrupt:
        where = f"; what was measured is in {kept}: the same command goes on" if kept.exists() else "; nothing was measured"
        raise KeyboardInterrupt(f"{interrupt}{where}") from None
    finally:
        wired.close()
    if (wrong := calibration.misfit(config.wired_spec)) is not None:
        raise UserError(f"not written: {wrong}. The rest is in {kept}: robot-adapt calibrate {file} --joint, for that one")
    before = calibration_file.write(path, calibration)
    with contextlib.suppress(FileNotFoundError):
        kept.unlink()
    typer.echo(str(path))
    if before is not None:
        person.say(f"the calibration that was there is {before} now")
    person.say(f"now let it move a little: robot-adapt check {file}")


_IN_WORDS: dict[Pose, str] = {
    "sit": "as it sits down before torque goes off",
    "stance": "as it stands",
    "zero": "every joint at zero",
}


def _pose_rad(spec: RobotSpec, pose: Pose, sit_rad: dict[str, float]) -> FloatArray:
    import numpy as np

    if pose == "stance":
        return spec.stance_rad
    return np.array([sit_rad[name] if pose == "sit" else 0.0 for name in spec.joint_names])


def _in_degrees(spec: RobotSpec, pose_rad: FloatArray) -> str:
    import numpy as np

    return ", ".join(f"{name} {angle:+.0f}" for name, angle in zip(spec.joint_names, np.degrees(pose_rad), strict=True))

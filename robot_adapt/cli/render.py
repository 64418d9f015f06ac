"""`robot-adapt render`: pictures of one walk, or the walk itself in a window."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from robot_adapt import MAX_SEED

if TYPE_CHECKING:
    from robot_adapt.policy.linear import LinearPolicy
    from robot_adapt.robot_model import RobotModel

_SIZE = (480, 360)
_FRAME_S = 0.04


def _finite(seconds: float | None) -> float | None:
    if seconds is not None and not math.isfinite(seconds):
        raise typer.BadParameter(f"{seconds} is no number of seconds.")
    return seconds


def render(
    robot: Annotated[str, typer.Argument(help="A simulated robot: a name from configs/rigs/, or a YAML file.")],
    out: Annotated[
        Path | None, typer.Option(help="walk.gif, walk.mp4, a folder for single pictures, or one picture.png.")
    ] = None,
    policy: Annotated[Path | None, typer.Option(help="Policy file; default the shipped one of this kind of robot.")] = None,
    hobble: Annotated[str | None, typer.Option(help="A name from configs/hobbles/, or a YAML file.")] = None,
    after: Annotated[
        float | None, typer.Option(min=0.0, callback=_finite, help="Seconds walked before the hobble happens.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=MAX_SEED, help="Decides the start's push and all noise.")] = 0,
    seconds: Annotated[float, typer.Option(min=0.0, callback=_finite, help="How long it walks.")] = 3.0,
    backend: Annotated[
        Literal["pybullet", "mujoco"] | None, typer.Option(help="Whose physics; default as the robot's YAML says.")
    ] = None,
    gui: Annotated[bool, typer.Option("--gui", help="Walk in PyBullet's own window, in real time.")] = False,
) -> None:
    """Make pictures of a simulated walk, hobbled from its start or in its middle; what is hobbled is orange."""
    from robot_adapt.adapt.record import Phase
    from robot_adapt.backends import SimulatedRobotConfig, load_hobble, simulated_rig
    from robot_adapt.config import load, shipped_or_file
    from robot_adapt.errors import UserError
    from robot_adapt.policy import policy_file
    from robot_adapt.randomness import generator
    from robot_adapt.report.animation import Film, frames
    from robot_adapt.report.encoding import check_format, write
    from robot_adapt.report.film import film_walk, ticks_a_frame
    from robot_adapt.report.plots import COLORS
    from robot_adapt.report.window import show_walk

    if (out is None) != gui:
        raise UserError("either --out FILE or --gui")
    if after is not None and hobble is None:
        raise UserError("--after says when a hobble happens: give --hobble too")
    if after is not None and not gui and after >= seconds:
        raise UserError(f"--after {after:g} is not before the walk's end: --seconds {seconds:g}")
    if out is not None:
        check_format(out)
    config = load(shipped_or_file("rigs", robot), SimulatedRobotConfig)
    model, title = config.robot, config.robot.body.name
    if backend is not None:
        config = config.model_copy(update={"engine": backend})
    if hobble is not None:
        change = load_hobble(hobble, model.body)
        title += f", {change.name.replace('_', ' ')}"
        title += f" after {after:g} s" if after else ""
        config = config.hobbled(change, after or 0.0)
    walker = policy_file.load(policy) if policy is not None else _shipped_policy(model)
    walker.check_fits(model.body.spec)

    rig, body = simulated_rig(config, visuals=True)
    start = generator(seed, "trial", 0)
    try:
        rig.robot.connect()
        if out is None:
            trial = show_walk(rig, body, walker, seconds, start)
        else:
            ticks = ticks_a_frame(_FRAME_S, walker)
            walk = film_walk(rig, body, walker, seconds, start=start, size=_SIZE, ticks=ticks)
            trial = walk.trial
            color = COLORS[Phase.HEALTHY if hobble is None else Phase.HOBBLED]
            pictures = frames([Film(title, color, walk.images, walk.path_m)])
            write(pictures, out, round(1000 * ticks * walker.period_s))
    finally:
        rig.robot.close()
    if trial is not None:
        value = "" if trial.value is None else f", return {trial.value:.2f} m"
        typer.echo(f"{title}: {trial.reason or trial.status.value} after {trial.duration_s:g} s{value}", err=True)
    if out is not None:
        typer.echo(str(out))


def _shipped_policy(robot: RobotModel) -> LinearPolicy:
    """The shipped policy; for a robot without one its trajectory generator alone, which is said."""
    from robot_adapt.config import shipped
    from robot_adapt.errors import UserError
    from robot_adapt.policy import policy_file
    from robot_adapt.policy.linear import unmodulated

    try:
        path = shipped("policies", f"{robot.body.name}.safetensors")
    except UserError as error:
        typer.echo(f"{error}; walking as the trajectory generator alone does", err=True)
        return unmodulated(robot.body.name, robot.trot)
    return policy_file.load(path)

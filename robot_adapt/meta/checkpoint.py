"""A checkpoint: the whole state of meta-training, written atomically after every iteration; resuming gives the same bytes."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from robot_adapt import checkpoint_file
from robot_adapt.meta.config import MetaTrainConfig
from robot_adapt.meta.state import CurvePoint, MetaState
from robot_adapt.optim.space import from_arrays
from robot_adapt.policy.normalizer import Moments

_FORMAT = "robot_adapt checkpoint 3"


def save(state: MetaState, config: MetaTrainConfig, path: Path, start_sha256: str | None = None) -> None:
    """Writes the state, with the config and the start policy that it belongs to."""
    arrays = {"theta": state.theta, "mean": state.moments.mean, "squares": state.moments.squares}
    if state.space is not None:
        arrays |= state.space.arrays()
    values = {
        "iteration": state.iteration,
        "trials": state.trials,
        "count": state.moments.count,
        "curve": [dataclasses.asdict(point) for point in state.curve],
        "returns": state.returns,
        "ascent": state.ascent,
    }
    checkpoint_file.save(path, _FORMAT, _of(config, start_sha256), arrays, values)


def load(path: Path, config: MetaTrainConfig, start_sha256: str | None = None) -> MetaState:
    """The state saved there. Raises UserError when the file is damaged or belongs to another config or start policy."""
    arrays, values = checkpoint_file.load(path, _FORMAT, _of(config, start_sha256))
    return MetaState(
        iteration=values["iteration"],
        trials=values["trials"],
        theta=arrays["theta"],
        moments=Moments(values["count"], arrays["mean"], arrays["squares"]),
        curve=tuple(CurvePoint(**point) for point in values["curve"]),
        space=from_arrays(arrays),
        returns=tuple(values["returns"]),
        ascent=values["ascent"],
    )


def _of(config: MetaTrainConfig, start_sha256: str | None) -> dict[str, Any]:
    return checkpoint_file.identity(config, config.robot.robot.body) | {"start policy": start_sha256}

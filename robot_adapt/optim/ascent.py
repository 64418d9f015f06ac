"""Ascent: from gradient estimates to steps. What it remembers is plain JSON."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Protocol

import numpy as np
from pydantic import BaseModel, Field

from hardware.types import FloatArray
from robot_adapt.config import FROZEN, Positive

Decay = Annotated[float, Field(ge=0.0, lt=1.0)]


class SgdConfig(BaseModel):
    """alpha g."""

    model_config = FROZEN
    kind: Literal["sgd"] = "sgd"
    step: Positive


class MomentumConfig(BaseModel):
    """v <- beta v + g, alpha v (Polyak 1964)."""

    model_config = FROZEN
    kind: Literal["momentum"]
    step: Positive
    beta: Decay = 0.9


class AdamConfig(BaseModel):
    """arXiv 1412.6980, Algorithm 1."""

    model_config = FROZEN
    kind: Literal["adam"]
    step: Positive
    beta1: Decay = 0.9
    beta2: Decay = 0.999
    epsilon: Positive = 1e-8


AscentConfig = Annotated[SgdConfig | MomentumConfig | AdamConfig, Field(discriminator="kind")]


class Ascent(Protocol):
    """Remembers from one gradient to the next."""

    def step(self, gradient: FloatArray) -> FloatArray:
        """What to add to the point (d,), given the gradient (d,) there."""

    def state(self) -> dict[str, Any]:
        """All that changes, as plain JSON values."""

    def restore(self, state: dict[str, Any]) -> None: ...


def make_ascent(config: AscentConfig, dimensions: int) -> Ascent:
    """The ascent that a config describes, at its beginning."""
    match config:
        case SgdConfig():
            return Momentum(config.step, 0.0, dimensions)
        case MomentumConfig():
            return Momentum(config.step, config.beta, dimensions)
        case AdamConfig():
            return Adam(config, dimensions)


class Momentum:
    """alpha v with v <- beta v + g; beta 0 is plain gradient ascent."""

    def __init__(self, alpha: float, beta: float, dimensions: int) -> None:
        self._alpha, self._beta = alpha, beta
        self._velocity: FloatArray = np.zeros(dimensions)

    def step(self, gradient: FloatArray) -> FloatArray:
        self._velocity = self._beta * self._velocity + gradient
        return self._alpha * self._velocity

    def state(self) -> dict[str, Any]:
        return {"velocity": self._velocity.tolist() if self._beta else None}

    def restore(self, state: dict[str, Any]) -> None:
        if state["velocity"] is not None:
            self._velocity = np.array(state["velocity"])


class Adam:
    """alpha m / (sqrt(v) + epsilon), m and v running means of g and g^2 without the bias of their beginning."""

    def __init__(self, config: AdamConfig, dimensions: int) -> None:
        self._config = config
        self._t = 0
        self._m: FloatArray = np.zeros(dimensions)
        self._v: FloatArray = np.zeros(dimensions)

    def step(self, gradient: FloatArray) -> FloatArray:
        c = self._config
        self._t += 1
        self._m = c.beta1 * self._m + (1.0 - c.beta1) * gradient
        self._v = c.beta2 * self._v + (1.0 - c.beta2) * np.square(gradient)
        m, v = self._m / (1.0 - c.beta1**self._t), self._v / (1.0 - c.beta2**self._t)
        return c.step * m / (np.sqrt(v) + c.epsilon)

    def state(self) -> dict[str, Any]:
        return {"t": self._t, "m": self._m.tolist(), "v": self._v.tolist()}

    def restore(self, state: dict[str, Any]) -> None:
        self._t, self._m, self._v = state["t"], np.array(state["m"]), np.array(state["v"])

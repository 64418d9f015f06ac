"""Sinusoid regression: y = A sin(x - phase) by a small network (arXiv 1703.03400, section 5.1; `es_maml/task.py`).

A ~ U(0.1, 5), phase ~ U(0, pi), x ~ U(-5, 5). The return is minus the mean squared error on freshly drawn points: that is its
noise. theta holds each layer's weights (outputs x inputs, by rows), then its biases; ReLU between layers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from hardware.types import FloatArray
from robot_adapt.randomness import generator


@dataclass(frozen=True)
class Sinusoid:
    """A Task: one curve."""

    amplitude: float
    phase: float
    layers: tuple[int, ...]
    samples: int

    def value(self, theta: FloatArray, randomness: np.random.Generator) -> float:
        x = randomness.uniform(-5.0, 5.0, self.samples)
        y = self.amplitude * np.sin(x - self.phase)
        return -float(np.square(predict(theta, self.layers, x) - y).mean())


@dataclass(frozen=True)
class SinusoidRegression:
    """A Problem.

    Attributes:
        hidden: units of each hidden layer; those of the paper.
        samples: points a trial, as in `es_maml`.
        seed: of the start, weights N(0, 2 / inputs) (He et al. 2015), biases 0.

    """

    hidden: tuple[int, ...] = (40, 40)
    samples: int = 100
    seed: int = 0

    @property
    def layers(self) -> tuple[int, ...]:
        """Units of each layer, from the input to the output."""
        return (1, *self.hidden, 1)

    @property
    def parameters(self) -> int:
        return sum((inputs + 1) * outputs for inputs, outputs in pairwise(self.layers))

    def start(self) -> FloatArray:
        randomness = generator(self.seed, "sinusoid start")
        parts = []
        for inputs, outputs in pairwise(self.layers):
            parts += [math.sqrt(2.0 / inputs) * randomness.standard_normal(inputs * outputs), np.zeros(outputs)]
        return np.concatenate(parts)

    def sample(self, randomness: np.random.Generator) -> Sinusoid:
        amplitude, phase = randomness.uniform((0.1, 0.0), (5.0, math.pi))
        return Sinusoid(float(amplitude), float(phase), self.layers, self.samples)


def predict(theta: FloatArray, layers: tuple[int, ...], x: FloatArray) -> FloatArray:
    """The network's answers (n,) at x (n,)."""
    activity, first, last = x[:, None], 0, len(layers) - 2
    for layer, (inputs, outputs) in enumerate(pairwise(layers)):
        after = first + inputs * outputs
        activity = activity @ theta[first:after].reshape(outputs, inputs).T + theta[after : after + outputs]
        first = after + outputs
        if layer < last:
            activity = np.maximum(activity, 0.0)
    answers: FloatArray = activity[:, 0]
    return answers

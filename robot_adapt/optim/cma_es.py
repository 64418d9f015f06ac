"""CMA-ES (arXiv 1604.00772) by the `cmaes` library, in z, where it begins with the identity."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from hardware.types import FloatArray
from robot_adapt.config import FROZEN, Count, Positive
from robot_adapt.errors import Absent


class CmaEsConfig(BaseModel):
    """`noise` adapts the learning rates to it (LRA-CMA-ES, arXiv 2304.03473)."""

    model_config = FROZEN
    kind: Literal["cma_es"]
    population: Annotated[int, Field(ge=4)]
    rounds: Count
    sigma: Positive
    noise: bool = False

    @property
    def trials(self) -> int:
        return self.population * self.rounds


class CmaEs:
    """A Strategy; its state is what the library was told, which, told again, brings it back. Its best is the mean.

    Raises Absent without the library.
    """

    def __init__(self, config: CmaEsConfig, dimensions: int) -> None:
        try:
            from cmaes import CMA
        except ImportError:
            raise Absent("the operator cma_es needs cmaes: pip install 'robot-adapt[optim]'") from None
        self._config = config
        self._begin: Callable[[], Any] = partial(
            CMA, np.zeros(dimensions), sigma=1.0, population_size=config.population, lr_adapt=config.noise, seed=0
        )
        self._cma = self._begin()
        self._told: list[tuple[FloatArray, FloatArray]] = []

    @property
    def rounds(self) -> range:
        return range(self._config.rounds)

    def propose(self, round_: int, randomness: np.random.Generator) -> FloatArray:
        self._cma.reseed_rng(int(randomness.integers(2**32)))
        return np.array([self._cma.ask() for _ in range(self._config.population)])

    def learn(self, z: FloatArray, values: FloatArray, positions: NDArray[np.int_]) -> None:
        """The library wants a whole population: the scored ones, evenly over their ranks, stand in for aborted ones."""
        if len(values) < 2:
            return  # nothing to compare
        ranked = np.argsort(-values, kind="stable")
        rows = ranked[np.round(np.linspace(0, len(ranked) - 1, self._config.population)).astype(np.int_)]
        self._cma.tell([(z[row], -float(values[row])) for row in rows])
        self._told.append((z, values))

    def best(self) -> tuple[FloatArray, float | None]:
        return self._cma.mean, float(self._told[-1][1].mean()) if self._told else None

    def state(self) -> dict[str, Any]:
        return {"told": [[z.tolist(), values.tolist()] for z, values in self._told]}

    def restore(self, state: dict[str, Any]) -> None:
        self._cma, self._told = self._begin(), []
        for z, values in state["told"]:
            self.learn(np.array(z), np.array(values), np.arange(len(values)))

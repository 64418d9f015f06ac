"""DynamicsSampler: a distribution over worlds, written as a world's parameters with distributions in place of numbers."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, Field, TypeAdapter, ValidationError, model_validator

from sim.dynamics import Dynamics
from sim.hobbles import Change
from sim.values import Finite, Frozen, Share

_CHANGE: TypeAdapter[Any] = TypeAdapter(Change)


class Uniform(BaseModel):
    """Uniform between two values."""

    model_config = Frozen
    low: Finite
    high: Finite

    @model_validator(mode="after")
    def _ordered(self) -> Uniform:
        if self.high < self.low:
            raise ValueError(f"high {self.high} is below low {self.low}")
        return self


class OneOf(BaseModel):
    """One of these, evenly."""

    model_config = Frozen
    one_of: Annotated[tuple[Any, ...], Field(min_length=1)]


_Draw = Callable[[Uniform | OneOf], Any]


class SometimesHobble(BaseModel):
    """With this probability a world has this change, a hobble's (see sim.hobbles) with distributions for values."""

    model_config = Frozen
    probability: Share
    change: dict[str, Any]


class DynamicsSampler(BaseModel):
    """Worlds around a nominal one.

    `dynamics` has keys of Dynamics; every number in it may be `{low, high}` (uniform) or `{one_of: [...]}`; `hobbles` come on
    top, one after another, each by its own coin.
    """

    model_config = Frozen
    dynamics: dict[str, Any] = {}
    hobbles: tuple[SometimesHobble, ...] = ()

    @model_validator(mode="after")
    def _ends_are_worlds(self) -> DynamicsSampler:
        for end in self._ends():
            for key, value in self.dynamics.items():
                try:
                    Dynamics().with_changes(**{key: _drawn(value, end)})
                except (ValidationError, ValueError) as error:
                    raise ValueError(f"dynamics.{key}: {_said(error)}") from None
            for index, hobble in enumerate(self.hobbles):
                try:
                    _CHANGE.validate_python(_drawn(hobble.change, end))
                except (ValidationError, ValueError) as error:
                    raise ValueError(f"hobbles.{index}.change: {_said(error)}") from None
        return self

    def ends(self, nominal: Dynamics) -> list[Dynamics]:
        """Worlds with all hobbles; between them every range is at both its ends, and every choice has been taken."""
        return [self._world(nominal, end, lambda: True) for end in self._ends()]

    def sample(self, nominal: Dynamics, generator: np.random.Generator) -> Dynamics:
        """Draws one world. Every draw is made whether its coin falls or not, so that worlds of one seed stay alike."""

        def draw(distribution: Uniform | OneOf) -> Any:
            if isinstance(distribution, Uniform):
                return float(generator.uniform(distribution.low, distribution.high))
            return distribution.one_of[int(generator.integers(len(distribution.one_of)))]

        coins = iter([generator.random() < hobble.probability for hobble in self.hobbles])
        return self._world(nominal, draw, lambda: next(coins))

    def _ends(self) -> list[_Draw]:
        most = _most_choices([self.dynamics, [hobble.change for hobble in self.hobbles]])
        return [functools.partial(_end, number) for number in range(most)]

    def _world(self, nominal: Dynamics, draw: _Draw, has_next_hobble: Callable[[], bool]) -> Dynamics:
        world = nominal.with_changes(**{key: _drawn(value, draw) for key, value in self.dynamics.items()})
        for hobble in self.hobbles:
            change = _CHANGE.validate_python(_drawn(hobble.change, draw))
            if has_next_hobble():
                world = change.apply(world)
        return world


def _end(number: int, distribution: Uniform | OneOf) -> Any:
    choices = (distribution.low, distribution.high) if isinstance(distribution, Uniform) else distribution.one_of
    return choices[number % len(choices)]


def _most_choices(value: Any) -> int:
    """Of any distribution in a tree of values; a range has two, its ends."""
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    own = len(value["one_of"]) if isinstance(value, dict) and isinstance(value.get("one_of"), list | tuple) else 2
    return max([own, *map(_most_choices, inside)])


def _drawn(value: Any, draw: _Draw) -> Any:
    """A tree of values with every distribution in it replaced by what `draw` gives."""
    if isinstance(value, dict):
        if set(value) == {"low", "high"}:
            return draw(Uniform.model_validate(value))
        if set(value) == {"one_of"}:
            choices = value["one_of"]
            return _drawn(draw(OneOf(one_of=tuple(choices) if isinstance(choices, list) else choices)), draw)
        return {key: _drawn(one, draw) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return tuple(_drawn(one, draw) for one in value)
    return value


def _said(error: ValueError) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    value = first["input"]
    shown = "" if isinstance(value, dict | list | tuple) else f", not {value!r}"
    return f"{where}{': ' if where else ''}{first['msg'].removeprefix('Value error, ')}{shown}"

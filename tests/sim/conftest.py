"""Fixtures of the tests of sim."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sim.robots import MODELS, Opened


@pytest.fixture
def opened() -> Iterator[Opened]:
    one = Opened()
    yield one
    one.close()


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest) -> str:
    return str(request.param)

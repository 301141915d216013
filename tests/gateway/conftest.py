"""What several stories of the gateway begin with: a clock in our hand, and a hall that goes by it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gateway.car_park import CarPark
from tests.gateway.held_hall import HeldClock, HeldHall


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock()


@pytest.fixture
def hall(tmp_path: Path, clock: HeldClock) -> Iterator[HeldHall]:
    one = HeldHall(tmp_path, clock)
    yield one
    one.die()


@pytest.fixture
def park(tmp_path: Path) -> Iterator[CarPark]:
    """An empty car park with a panel at the gate. However the story went, all bays add up at its end."""
    one = CarPark(tmp_path)
    yield one
    one.adds_up()
    one.die()

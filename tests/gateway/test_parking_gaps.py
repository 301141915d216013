"""While the gateway is off nobody hears the bays: how long that was is noted once, when the clock can be believed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.hall.parking_rows import Gap
from gateway.views_parking_history import gaps
from tests.gateway.car_park import CarPark

HOUR_S = 3600.0


@pytest.fixture
def park(tmp_path: Path) -> Iterator[CarPark]:
    one = CarPark(tmp_path)
    yield one
    one.die()


def noted(park: CarPark) -> list[tuple[int, int]]:
    return gaps(park.book.connection, 0)


def test_an_evening_without_power_is_noted_from_the_last_word_to_the_first(park: CarPark) -> None:
    park.clock.says = replace(park.clock.says, synchronised=True)
    park.ours("s1", True)
    park.after(1.0, 0.5)
    went_ms = park.clock.wall_ms
    park.clock.pass_s(5 * HOUR_S)
    came_ms = park.clock.wall_ms
    park.restart()
    park.after(12.0)
    ((from_ms, until_ms),) = noted(park)
    assert 0 <= went_ms - from_ms <= 16 * 60_000
    assert abs(until_ms - came_ms) <= 1000
    park.after(30.0)
    park.restart(kindly=True)
    park.after(12.0)
    assert noted(park) == [(from_ms, until_ms)], "an update of a few seconds is no gap"
    assert [row.until_ms for row in park.loop.state.table(Gap).values()] == [until_ms]


def test_a_clock_that_is_not_believed_notes_nothing_until_it_is(park: CarPark) -> None:
    park.clock.says = replace(park.clock.says, synchronised=True)
    park.ours("s1", True)
    park.after(1.0, 0.5)
    park.clock.pass_s(HOUR_S)
    park.clock.says = replace(park.clock.says, synchronised=False, own_clock=False)
    park.clock.boot_name = "second"
    park.restart()
    park.after(60.0)
    assert noted(park) == []
    came_ms = park.clock.wall_ms - 60_000
    park.clock.says = replace(park.clock.says, synchronised=True)
    park.after(120.0)
    ((_, until_ms),) = noted(park)
    assert abs(until_ms - came_ms) <= 1000

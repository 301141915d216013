"""Which of a device's words is the newest (gateway/hall/sensing.py), where it changes the way in which it says so."""

from __future__ import annotations

import math

import pytest

from devices.reading import Reading
from gateway.hall.sensing import Order, place_of

NOON_MS = 1_795_000_000_000


def test_a_device_that_dates_one_word_and_numbers_the_next_is_heard() -> None:
    order = Order()
    assert order.is_news("fcnt", 5, 0.0)
    assert order.is_news("clock", NOON_MS, 1.0, again=True), "ChirpStack leaves out a frame counter of 0"
    assert order.is_news("fcnt", 1, 2.0)
    assert order.is_news("fcnt", 2, 3.0)
    assert not order.is_news("fcnt", 2, 4.0)
    assert not order.is_news("fcnt", 1, 5.0)


def test_a_life_that_is_over_stays_over() -> None:
    order = Order()
    assert order.is_news("9f3a", 5, 0.0) and order.is_news("77c0", 1, 1.0)
    assert not order.is_news("9f3a", 6, 2.0)


@pytest.mark.parametrize("told", [math.inf, -math.inf, math.nan, 1e300, -1, "0001-01-01T00:00:00+14:00", "never"])
def test_a_time_that_is_none_orders_nothing(told: object) -> None:
    for key in ("device_time", "measured_at"):
        assert place_of(Reading("status", extras={key: told}), NOON_MS) is None

"""The walk by all devices: the next one is near, a zone is finished first, its neighbours tell what is odd."""

from __future__ import annotations

import random
from itertools import pairwise
from math import hypot

from gateway.hall.parking_rows import Vitals
from gateway.hall.vitals import PACE_MS, after
from gateway.hall.walking import Stop, is_low, is_weak, natural, odd_temperatures, trend, walk

DAY_MS = 24 * 3_600_000


def row(zone: str, y_m: float, count: int) -> list[Stop]:
    return [Stop(f"{zone}{n}", zone, f"{zone}{n}", (2.5 * n, y_m)) for n in range(1, count + 1)]


def test_a_zone_is_finished_before_the_next_and_nobody_walks_back_and_forth() -> None:
    stops = [*row("A", 0, 12), *row("B", 12, 12)]
    random.Random(7).shuffle(stops)
    order = walk(stops, (0.0, 0.0))
    assert order == [*(f"A{n}" for n in range(1, 13)), *(f"B{n}" for n in range(12, 0, -1))]


def test_the_walk_begins_where_the_technician_stands() -> None:
    stops = [*row("A", 0, 3), *row("B", 100, 3)]
    assert walk(stops, (0.0, 99.0))[0] == "B1"


def test_each_device_is_on_the_walk_once_wherever_it_lies() -> None:
    dice = random.Random(6)
    stops = [
        Stop(
            f"d{n}",
            dice.choice(["", "A", "B", "C"]),
            f"{n}",
            (dice.uniform(0, 300), dice.uniform(0, 200)) if dice.random() < 0.7 else None,
        )
        for n in range(400)
    ]
    order = walk(stops, (0.0, 0.0))
    assert sorted(order) == sorted(stop.key for stop in stops)
    at = {stop.key: stop.at for stop in stops}
    places = [place for key in order if (place := at[key]) is not None]
    walked = sum(hypot(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(places))
    by_name = [place for key in sorted(at) if (place := at[key]) is not None]
    asked = sum(hypot(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(by_name))
    assert walked < asked / 4, f"{walked:.0f} m, {asked:.0f} m by name"


def test_the_nearest_is_the_nearest_of_all_that_are_left() -> None:
    dice = random.Random(9)
    for spread_m in (3.0, 60.0, 900.0):
        places = [(dice.uniform(-9, spread_m), dice.gauss(0, spread_m)) for _ in range(150)]
        stops = [Stop(f"{n:03}", "A", f"{n:03}", at) for n, at in enumerate(places)]
        here, left = (0.0, 0.0), {stop.key: at for stop, at in zip(stops, places, strict=True)}
        for key in walk(stops, here):
            nearest = min(hypot(x - here[0], y - here[1]) for x, y in left.values())
            here, before = left.pop(key), here
            assert hypot(here[0] - before[0], here[1] - before[1]) == nearest


def test_what_nobody_has_drawn_comes_with_its_zone_and_by_its_label() -> None:
    stops = [
        Stop("y", "", "10栋101", None),
        Stop("x", "", "9栋101", None),
        Stop("u", "A", "A9", None),
        *row("A", 0, 2),
    ]
    assert walk(stops, (0.0, 0.0)) == ["A1", "A2", "u", "x", "y"]
    assert natural("A2") < natural("A10") < natural("B1")


def test_a_sensor_that_is_alone_in_the_heat_is_doubted() -> None:
    zones = dict.fromkeys(("a", "b", "c", "d", "e"), "A")
    said = {"a": 4.0, "b": 5.5, "c": 3.0, "d": 6.0, "e": 41.0}
    assert odd_temperatures(said, zones) == {"e"}
    assert odd_temperatures({**said, "e": 20.0}, zones) == set()
    assert odd_temperatures({"a": 4.0, "e": 41.0}, zones) == set(), "two cannot outvote each other"
    assert odd_temperatures({"a": 85.0}, {}) == {"a"}, "what a broken thermometer says"


def test_weak_is_what_its_radio_cannot_afford() -> None:
    assert is_weak("chirpstack_v4", -116, None) and is_weak("ttn_v3", -100, -12.0)
    assert not is_weak("chirpstack_v4", -110, -9.0) and not is_weak("ttn_v3", None, None)
    assert is_weak("shelly", -84, None) and not is_weak("shelly", -75, None)


def test_low_is_by_percent_where_it_is_told_and_stays_until_somebody_has_come() -> None:
    assert is_low(20, 3000, False) and not is_low(80, 2300, False)
    assert is_low(None, 2399, False) and not is_low(None, None, False)
    assert is_low(95, None, True), "it said so, and nobody has recorded another"


def test_a_batterys_pace_is_known_after_a_month_and_begins_anew_with_another_battery() -> None:
    one = after(None, "s", {"battery_mv": 3600}, 0)
    assert one is not None and trend(one.a_month, True) == ""
    assert after(one, "s", {"battery_mv": 3590}, 10 * DAY_MS) is None, "noise is no news"
    later = after(one, "s", {"battery_mv": 3520}, 2 * PACE_MS)
    assert later is not None and later.a_month == -40.0 and trend(later.a_month, True) == "fast"
    fresh = after(later, "s", {"battery_mv": 3850}, 2 * PACE_MS + DAY_MS)
    assert fresh is not None and fresh.a_month is None and fresh.base == 3850
    steady = after(fresh, "s", {"battery_mv": 3848}, 4 * PACE_MS)
    assert steady is not None and trend(steady.a_month, True) == "steady"


def test_who_tells_percent_alone_has_a_pace_in_percent() -> None:
    one = after(None, "b", {"battery_pct": 90}, 0)
    assert one is not None and one.battery_mv is None and one.base == 90
    later = after(one, "b", {"battery_pct": 88}, PACE_MS)
    assert later is not None and trend(later.a_month, False) == "falling"
    volts = after(later, "b", {"battery_mv": 3000, "battery_pct": 88}, PACE_MS + DAY_MS)
    assert volts is not None and (volts.base, volts.a_month) == (3000, None), "two units are never compared"
    assert after(Vitals("b", 0, base=80.0, base_ms=DAY_MS), "b", {}, 9 * PACE_MS) is None

"""No number on a panel that cannot be, and none that nobody has heard of for too long: whatever staff or luck do."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.plan import Panel
from firmware_bridge.panels import xunpeng
from gateway.hall import map_care, parking_map
from gateway.hall.clock import Witness
from gateway.hall.parking_rows import BayPlan
from gateway.parking_rounds import MAP_S
from tests.gateway.car_park import CarPark


@pytest.fixture
def park(tmp_path: Path) -> Iterator[CarPark]:
    """Six bays in the east, five of them taken, and three free ones in the west."""
    one = CarPark(tmp_path, Panel(id="gate"), Panel(id="city", site="city"))
    for number in range(6):
        one.bay(f"s{number}", f"e{number}")
        one.ours(f"s{number}", number < 5)
    for number in range(3):
        one.bay(f"w{number}", f"w{number}", "west")
        one.ours(f"w{number}", False)
    one.turn()
    yield one
    one.adds_up()
    one.die()


# ---------------------------------------------------------------- numbers that cannot be


def test_a_task_that_is_finished_makes_no_wrong_number_right(park: CarPark) -> None:
    park.done("put_site", site_id="site", name_zh="小区", name_en="Compound", capacity=4, by="t")
    assert park.panel().text == "空位 --", "at once, not with the next round"
    park.after(10)
    park.done("finish_task", task_id=park.tasks("impossible")[0].task_id, by="t")
    park.ours("s4", True)
    park.after(60)
    assert park.panel().text == "空位 --" and park.panel().number is None


def test_more_cars_than_bays_are_seen_at_a_site_with_a_feed_too(park: CarPark) -> None:
    feed = "generic_json:f1"
    park.done("claim_device", device_id=feed, kind="site_feed", name="平台")
    park.done("put_site", site_id="site", name_zh="小区", name_en="Compound", capacity=4, feed=feed, by="t")
    park.after(10)
    assert park.panel().text == "空位 --"
    assert [task.subject for task in park.tasks("impossible")] == ["site:site"]


def test_a_feed_may_not_say_more_than_its_site_has(park: CarPark) -> None:
    feed = "generic_json:city"
    park.done("claim_device", device_id=feed, kind="site_feed", name="平台")
    park.done("put_site", site_id="city", name_zh="城", name_en="City", capacity=40, feed=feed, by="t")
    for free, shown in ((24, "空位 24"), (41, "空位 --"), (40, "空位 40")):
        numbers = {"totalSpaceCount": 42, "availableSpaceCount": free, "occupiedSpaceCount": 42 - free}
        park.hear("v1/up/city", {"id": "city", **numbers})
        park.after(10)
        assert park.panel("city").text == shown
    assert park.tasks("impossible")[0].cleared_ms is not None


def test_the_next_car_in_a_fire_lane_is_told_although_the_last_was_seen_to_a_moment_ago(park: CarPark) -> None:
    park.done("put_bay_plan", bay_id="e5", kind="fire_lane", by="t")
    for _ in range(2):
        park.ours("s5", True)
        park.after(70)
        (task,) = park.tasks("overstay")
        park.ours("s5", False)
        park.after(10)
        park.done("finish_task", task_id=task.task_id, by="小李", note="挪走了")
        park.after(20)
    assert park.tasks("overstay") == []
    park.ours("s5", True)
    park.after(70)
    park.done("finish_task", task_id=park.tasks("overstay")[0].task_id, by="小李", note="已通知车主")
    park.after(60)
    assert park.tasks("overstay") == [], "the same car is not told twice within the hour"


# ---------------------------------------------------------------- a large plan


_plan = st.builds(
    BayPlan,
    st.uuids().map(str),
    st.just("east"),
    x_m=st.floats(1, 60),
    y_m=st.floats(1, 60),
    long_m=st.floats(1, 30),
    wide_m=st.floats(0.5, 30),
    turn_deg=st.floats(-360, 360),
)


@given(plans=st.lists(_plan, max_size=8, unique_by=lambda one: one.bay_id))
@settings(deadline=None)
def test_bays_that_lie_on_each_other_are_found_wherever_they_lie(plans: list[BayPlan]) -> None:
    lines = list(enumerate(plans, 1))
    brute = {
        (first[0], second[0]) for first, second in combinations(lines, 2) if parking_map._overlap(first[1], second[1])
    }
    ground = parking_map._Ground()
    assert {(upper[0], line[0]) for line in lines for upper in ground.put(line)} == brute


def test_a_bay_is_held_against_its_neighbours_and_not_against_the_whole_compound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Calls wait for as long as a plan is looked through."""
    asked: list[tuple[BayPlan, BayPlan]] = []

    def apart(one: BayPlan, other: BayPlan) -> bool:
        asked.append((one, other))
        return False

    monkeypatch.setattr(parking_map, "_overlap", apart)
    lines = [
        (number, BayPlan(f"b{number}", "east", x_m=5 + 2.6 * (number % 40), y_m=5 + 5.4 * (number // 40)))
        for number in range(1600)
    ]
    ground = parking_map._Ground()
    assert [upper for line in lines for upper in ground.put(line)] == []
    assert 1600 < len(asked) < 1600 * 20


# ---------------------------------------------------------------- words that are too old


def test_behind_a_broker_that_is_down_nobody_knows_any_more(park: CarPark) -> None:
    park.done("put_site", site_id="site", name_zh="小区", name_en="Compound", by="t")
    park.loop.teller.part_is("broker", "down", "x", "x")
    park.after(3 * 600 - 60, 30)
    assert park.panel().text == "空位 4"
    park.after(120, 5)
    assert park.panel().text == "空位 --" and park.counts() == (0, 0, 6, 0)
    assert {one.health for one in park.loop.state.devices.values()} == {"ok"}, "one fault, not nine"
    park.loop.teller.part_is("broker", "ready")
    park.ours("s0", True)
    park.turn()
    assert park.state_of("e0") == "taken", "its next word counts at once, also the same one"


def test_what_was_said_before_three_dark_days_is_not_known_after_them(park: CarPark) -> None:
    park.loop.rounds.persist_seen()
    park.turn()
    park.die()
    park.clock.power_cut(3 * 86_400)
    park.begin()
    park.after(60, 5)
    assert park.panel().text == "空位 --" and park.counts() == (0, 0, 6, 0)
    assert {one.health for one in park.loop.state.devices.values()} == {"ok"}, "nobody could be heard"
    park.ours("s1", True)
    park.turn()
    assert park.state_of("e1") == "taken"


def test_a_restart_of_some_minutes_forgets_nothing(park: CarPark) -> None:
    before = park.counts()
    park.die()
    park.clock.pass_s(600)
    park.begin()
    park.after(60, 5)
    assert park.counts() == before


def test_by_a_clock_that_nobody_believes_nothing_is_old(park: CarPark) -> None:
    """The wall clock says nothing of how long it was dark: then devices have their time anew, as ever."""
    before = park.counts()
    park.die()
    park.clock.power_cut(3 * 86_400, says=Witness(synchronised=False, own_clock=False))
    park.begin()
    park.after(60, 5)
    assert park.counts() == before
    park.clock.says = Witness(synchronised=True, own_clock=False)
    park.after(60, 5)
    assert park.counts() == (0, 0, 6, 0)


def test_the_number_of_a_feed_that_cannot_be_heard_goes_too(park: CarPark) -> None:
    feed = "generic_json:city"
    park.done("claim_device", device_id=feed, kind="site_feed", name="平台")
    park.done("put_site", site_id="city", name_zh="城", name_en="City", feed=feed, by="t")
    numbers = {"totalSpaceCount": 42, "availableSpaceCount": 20, "occupiedSpaceCount": 22}
    park.hear("v1/up/city", {"id": "city", **numbers})
    park.turn()
    park.loop.teller.part_is("broker", "down", "x", "x")
    park.after(14 * 60, 30)
    assert park.panel("city").text == "空位 20"
    park.after(120, 5)
    assert park.panel("city").text == "空位 --"
    assert park.tasks("impossible") == []
    park.loop.teller.part_is("broker", "ready")
    park.hear("v1/up/city", {"id": "city", **numbers})
    park.turn()
    assert park.panel("city").text == "空位 20"


def test_a_panel_of_digits_promises_nothing_where_the_counts_cannot_be(park: CarPark) -> None:
    park.done("put_site", site_id="site", name_zh="小区", name_en="Compound", capacity=4, by="t")
    assert park.panel().free == 4
    assert xunpeng.compose(park.panel()).shown == "0 yellow least"


def test_full_is_not_over_because_somebody_did_not_know_for_a_while(tmp_path: Path) -> None:
    park = CarPark(tmp_path, Panel(id="gate", zones=("east",)))
    for number in range(10):
        park.bay(f"s{number}", f"e{number}")
    park.done("put_zone_plan", zone_id="east", full_until=4, almost_at=4, almost_until=6, by="t")
    for taken, unknown, shown in (
        (10, 0, "车位已满"),
        (8, 0, "车位已满"),
        (6, 3, "空位 --"),
        (8, 0, "车位已满"),
        (6, 0, "空位 4"),
    ):
        for number in range(10):
            park.ours(f"s{number}", None if number >= 10 - unknown else number < taken)
        park.turn()
        assert park.panel().text == shown
    park.die()


def test_a_hall_without_bays_of_its_own_is_told_of_a_feed_that_says_too_much(tmp_path: Path) -> None:
    park, feed = CarPark(tmp_path, Panel(id="city", site="city")), "generic_json:city"
    park.hear("v1/up/city", {"id": "city", "totalSpaceCount": 42, "availableSpaceCount": 2, "occupiedSpaceCount": 40})
    park.turn()
    park.done("claim_device", device_id=feed, kind="site_feed", name="平台")
    park.done("put_site", site_id="city", name_zh="城", name_en="City", capacity=30, feed=feed, by="t")
    park.hear("v1/up/city", {"id": "city", "totalSpaceCount": 42, "availableSpaceCount": 3, "occupiedSpaceCount": 39})
    park.after(10)
    assert park.panel("city").text == "空位 --"
    assert [task.subject for task in park.tasks("impossible")] == ["site:city"]
    park.die()


def test_a_panel_that_hall_toml_gives_a_zone_that_is_not_there_shows_no_number_and_is_a_task(tmp_path: Path) -> None:
    """ "eest" for "east": east alone is not what that panel was to show. It goes when the zone is there."""
    panels = [Panel(id="typo", zones=("east", "eest")), Panel(id="new", zones=("unclaimed",))]
    panels.append(Panel(id="lost", site="atlantis"))
    park = CarPark(tmp_path, Panel(id="gate"), *panels)
    for number in range(3):
        park.bay(f"s{number}", f"e{number}")
        park.ours(f"s{number}", False)
    park.turn()
    assert park.panel().text == "空位 3"
    assert [park.panel(one.id).text for one in panels] == ["空位 --"] * 3
    assert xunpeng.compose(park.panel("typo")).shown == "0 yellow least"
    assert park.tasks() == [], "who sets up a hall is not called at once"
    park.after(map_care.LONG_MS / 1000 + 2 * MAP_S, 30.0)
    told = {task.subject: task.why_en for task in park.tasks("map")}
    assert told.keys() == {"panel:typo", "panel:lost", "panel:new"}
    assert "eest" in told["panel:typo"] and "east," not in told["panel:typo"]
    park.bay("s9", "x9", "eest")
    park.ours("s9", False)
    park.after(2 * MAP_S)
    assert park.panel("typo").number == 4
    assert {task.subject for task in park.tasks("map")} == {"panel:lost", "panel:new"}
    park.die()

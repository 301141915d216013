"""No number on a panel that cannot be, and none that nobody has heard of for too long: whatever staff or luck do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from devices.plan import Panel
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

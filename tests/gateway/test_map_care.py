"""Plan and bays: what a zone that is drawn leaves out is a task after a quarter of an hour, and goes by itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gateway.car_park import CarPark


@pytest.fixture
def park(tmp_path: Path) -> Iterator[CarPark]:
    """Ten bays in the east, eight in the west, none drawn."""
    one = CarPark(tmp_path)
    one.bay("s0", "e0")
    one.bay("w", "w0", "west")
    for number in range(1, 10):
        one.done("define_bay", bay_id=f"e{number}", zone_id="east", by="t")
    yield one
    one.adds_up()
    one.die()


def draw(park: CarPark, *bays: str) -> None:
    park.done("put_map", bays=[{"bay_id": bay, "x_m": 3 * int(bay[1:]) + 3, "y_m": 5} for bay in bays], by="t")


def test_a_zone_that_nobody_has_drawn_is_no_fault(park: CarPark) -> None:
    park.after(3600, 30)
    assert park.tasks("map") == []


def test_bays_that_the_plan_leaves_out_are_named_once_and_the_task_goes_when_they_are_drawn(park: CarPark) -> None:
    draw(park, "e0", "e1")
    park.after(14 * 60, 30)
    assert park.tasks("map") == [], "whoever hangs sensors hands in the plan at the end"
    park.after(3 * 60, 30)
    (task,) = park.tasks("map")
    assert task.subject == "zone:east"
    assert "e2、e3、e4、e5、e6、e7 等 8 个" in task.why_zh and "e6, e7 and 2 more" in task.why_en
    park.after(3600, 30)
    assert len(park.tasks("map")) == 1
    draw(park, *(f"e{number}" for number in range(10)))
    park.after(65, 5)
    assert park.tasks("map") == []
    assert park.book.connection.execute("SELECT done_by FROM parking_tasks").fetchall() == [("系统 Linli",)]


def test_a_bay_that_was_moved_to_another_zone_by_its_sensors_claim_is_drawn_where_it_is_not(park: CarPark) -> None:
    draw(park, "e0", *(f"e{number}" for number in range(1, 10)))
    park.bay("s0", "e0", "west")
    park.after(17 * 60, 30)
    (task,) = park.tasks("map")
    assert task.subject == "zone:east" and "没有的车位 e0" in task.why_zh and "does not have" in task.why_en
    park.done("drop_bay_plan", bay_id="e0", by="t")
    park.after(65, 5)
    assert park.tasks("map") == []

"""What hands do to a car park: sensors hung under another's name or taken down, bays closed, tasks finished."""

from __future__ import annotations

import pytest

from firmware_bridge.panels import xunpeng
from gateway.deciding import MOVES_AN_HOUR
from gateway.hall.parking_rows import Vitals
from gateway.hall.state import Decision
from tests.gateway.car_park import CarPark


def moves(park: CarPark) -> list[tuple[str, str]]:
    return park.book.connection.execute("SELECT bay_id, state FROM bay_moves ORDER BY move_id").fetchall()


def fire_lane(park: CarPark, bay: str = "e0") -> None:
    park.bay("s0", bay)
    park.done("put_bay_plan", bay_id=bay, kind="fire_lane", by="t")
    park.ours("s0", True)


# ---------------------------------------------------------------- names


def test_a_sensor_that_nobody_has_claimed_does_not_speak_for_the_bay_that_bears_its_name(park: CarPark) -> None:
    """Sensors come as bay-01, bay-02; whoever hangs bay-02 over bay-01 has claimed it first."""
    park.bay("bay-02", "bay-01")
    park.ours("bay-02", False)
    park.ours("bay-01", True)
    park.turn()
    assert park.counts() == (1, 0, 0, 0) and park.panel().text == "空位 1"
    park.bay("bay-01", "bay-09")
    park.ours("bay-01", True)
    park.turn()
    assert (park.state_of("bay-01"), park.state_of("bay-09")) == ("free", "taken")


def test_what_a_sensor_saw_elsewhere_is_not_the_state_of_the_bay_that_gets_its_name(park: CarPark) -> None:
    park.ours("bay-02", True)
    park.turn()
    park.bay("bay-01", "bay-02")
    assert park.counts() == (0, 0, 1, 0)
    park.ours("bay-01", False)
    park.turn()
    assert park.counts() == (1, 0, 0, 0)


def test_where_every_bay_is_closed_the_panel_says_so_and_not_that_nobody_knows(park: CarPark) -> None:
    park.bay("s0", "e0")
    park.ours("s0", False)
    park.done("close_bay", bay_id="e0", by="t")
    assert (park.panel().text, park.panel().number) == ("暂停使用", 0)
    assert xunpeng.compose(park.panel()).shown == "0 red"
    park.done("open_bay", bay_id="e0", by="t")
    assert (park.panel().text, park.panel().number) == ("空位 --", None)
    park.ours("s0", False)
    park.turn()
    assert park.panel().text == "空位 1", "it was shut, not full: no gap to get over"


# ---------------------------------------------------------------- history


def test_history_knows_that_a_sensor_was_taken_down(park: CarPark) -> None:
    park.bay("s0", "e0")
    park.ours("s0", True)
    park.turn()
    park.done("claim_device", device_id="s0", kind="ignored", by="t")
    assert park.state_of("e0") == "unknown"
    assert moves(park)[-2:] == [("e0", "taken"), ("e0", "unknown")], "or it would stand there for ever"


def test_history_begins_with_the_claim_of_a_bay_that_has_spoken_before(park: CarPark) -> None:
    park.ours("s0", True)
    park.turn()
    assert moves(park) == []
    park.bay("s0", "s0")
    assert park.counts() == (0, 1, 0, 0)
    park.done("define_bay", bay_id="n1", zone_id="east", by="t")
    assert moves(park) == [("s0", "taken"), ("n1", "unknown")]


def test_history_says_of_a_sensor_that_flapped_that_nobody_knows(park: CarPark) -> None:
    """Mended in the same hour it stays free all night; history stood at the last move that was kept: taken."""
    park.bay("s0", "e0")
    for number in range(2 * MOVES_AN_HOUR + 1):
        park.ours("s0", number % 2 == 1)
        park.turn()
    park.ours("s0", False)
    park.turn()
    assert park.state_of("e0") == "free"
    assert moves(park)[-1] == ("e0", "unknown") and len(moves(park)) <= MOVES_AN_HOUR + 2
    park.after(3600, 300)
    park.ours("s0", True)
    park.turn()
    assert moves(park)[-1] == ("e0", "taken")


# ---------------------------------------------------------------- stays and tasks


@pytest.mark.parametrize("again", ["restart", "hour"])
def test_what_was_finished_a_moment_ago_stays_finished(park: CarPark, again: str) -> None:
    """Across a restart, and when memory is relieved at the full hour; another hour later it is told again."""
    park.after(3400)
    fire_lane(park)
    park.after(80)
    park.done("finish_task", task_id=park.tasks("overstay")[0].task_id, by="小李", note="已通知车主")
    if again == "restart":
        park.restart()
    for _ in range(10):
        park.after(300, 60)
        park.ours("s0", True)
    assert park.tasks("overstay") == []
    for _ in range(3):
        park.after(300, 60)
        park.ours("s0", True)
    assert len(park.tasks("overstay")) == 1


def test_a_car_in_a_fire_lane_gets_no_new_minute_with_another_zone(park: CarPark) -> None:
    park.bay("w0", "w0", "west")
    fire_lane(park)
    park.after(50)
    park.done("put_bay_plan", bay_id="e0", zone_id="west", by="t")
    park.after(20)
    assert [task.subject for task in park.tasks("overstay")] == ["bay:e0"]


def test_the_first_car_on_a_bay_that_was_closed_has_not_stood_there_since_before(park: CarPark) -> None:
    fire_lane(park)
    park.after(10)
    park.done("close_bay", bay_id="e0", by="t")
    park.ours("s0", False)
    park.after(1200, 60)
    park.done("open_bay", bay_id="e0", by="t")
    park.ours("s0", True)
    park.after(30)
    assert park.tasks("overstay") == [], "it came half a minute ago"
    park.after(40)
    assert len(park.tasks("overstay")) == 1


# ---------------------------------------------------------------- batteries


def test_another_battery_does_not_inherit_the_pace_of_the_one_before(park: CarPark) -> None:
    """A lithium cell stands at 3.6 V until it is empty: a new one is no jump of 300 mV."""
    park.bay("s0", "e0")
    now_ms = park.clock.now_ms()
    worn = Vitals("s0", now_ms, battery_mv=3480, base=3520.0, base_ms=now_ms, a_month=-60.0)
    assert park.loop.decide(lambda _state, _now_ms: Decision(changes=[worn]))
    park.done("care_device", device_id="s0", battery_changed=True, by="t")
    fresh = park.loop.state.table(Vitals)["s0"]
    assert (fresh.base, fresh.a_month, fresh.battery_mv) == (None, None, 3480)

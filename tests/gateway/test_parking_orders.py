"""What staff lay down about the car park, and what is refused, in words for whoever laid it down."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from devices.plan import Panel
from gateway import views_parking
from gateway.hall.parking_rows import BayPlan, Place, SensorSetting, Site, Vitals, ZonePlan
from tests.gateway.car_park import CarPark

WEST = Panel(id="west", zones=("west",), arrow="left")


@pytest.fixture
def park(tmp_path: Path) -> Iterator[CarPark]:
    """Six bays in the east and two in the west, all free."""
    one = CarPark(tmp_path, Panel(id="gate"), WEST)
    for number in range(6):
        one.bay(f"s{number}", f"e{number}")
        one.ours(f"s{number}", False)
    for number in range(2):
        one.bay(f"w{number}", f"w{number}", "west")
        one.ours(f"w{number}", False)
    one.turn()
    yield one
    one.adds_up()
    one.die()


def take(park: CarPark, number: int) -> None:
    """So many of the six bays in the east are taken."""
    for bay in range(6):
        park.ours(f"s{bay}", bay < number)
    park.turn()


# ---------------------------------------------------------------- rows


def test_a_row_is_made_and_then_changed_field_by_field(park: CarPark) -> None:
    park.done("put_site", site_id="p1", name_zh="一期", name_en="Phase 1", capacity=8, lat=31.2, lon=121.5)
    park.done("put_site", site_id="p1", capacity=9)
    site = park.loop.state.table(Site)["p1"]
    assert (site.name_zh, site.capacity, site.lat) == ("一期", 9, 31.2)
    park.done("put_zone_plan", zone_id="east", site_id="p1", disabled_reserve=1)
    park.done("put_bay_plan", bay_id="e1", kind="disabled", permits=["A 1", "B2"])
    park.done("put_place", place_id="b3", kind="building", name_zh="3栋", name_en="Building 3", x_m=10, y_m=4.5)
    park.restart()
    state = park.loop.state
    assert state.table(ZonePlan)["east"].disabled_reserve == 1
    assert state.table(BayPlan)["e1"].permits == ("A 1", "B2")
    assert state.table(Place)["b3"].y_m == 4.5
    assert "east" in park.refused("drop_site", site_id="p1") and "p1" in state.table(Site)
    park.done("put_zone_plan", zone_id="east", site_id="site")
    park.done("drop_site", site_id="p1")
    park.done("drop_bay_plan", bay_id="e1")
    park.done("drop_place", place_id="b3")
    assert not park.loop.state.table(Site) and not park.loop.state.table(BayPlan)


@pytest.mark.parametrize(
    ("name", "fields", "zh", "en"),
    [
        ("put_site", {"site_id": "a b", "name_zh": "甲", "name_en": "A"}, "停车场", "letters"),
        ("put_site", {"site_id": "a", "name_zh": "", "name_en": "A"}, "中文名", "filled in"),
        ("put_site", {"site_id": "a", "name_zh": "甲", "name_en": "A", "capacity": -1}, "车位总数", "0"),
        ("put_site", {"site_id": "a", "name_zh": "甲", "name_en": "A", "capacity": 1.5}, "车位总数", "whole"),
        ("put_site", {"site_id": "a", "name_zh": "甲", "name_en": "A", "lat": 91}, "纬度", "-90"),
        ("put_site", {"site_id": "a", "name_zh": "甲", "name_en": "A", "lat": True}, "纬度", "number"),
        ("put_site", {"site_id": "a", "name_zh": "甲", "name_en": "A", "feed": "s1"}, "数据源", "feed"),
        ("put_zone_plan", {"zone_id": "nowhere"}, "没有 nowhere", "no nowhere"),
        ("put_zone_plan", {"zone_id": "unclaimed"}, "没有", "no unclaimed"),
        ("put_zone_plan", {"zone_id": "east", "site_id": "p9"}, "没有 p9", "no p9"),
        ("put_zone_plan", {"zone_id": "east", "full_at": 3, "full_until": 3}, "解除", "more than"),
        ("put_zone_plan", {"zone_id": "east", "full_at": 5, "full_until": 9}, "将满", "almost"),
        ("put_bay_plan", {"bay_id": "e99"}, "没有 e99", "no e99"),
        ("put_bay_plan", {"bay_id": "e1", "kind": "moon"}, "moon", "moon"),
        ("put_bay_plan", {"bay_id": "e1", "x_m": -3}, "横坐标", "0"),
        ("put_bay_plan", {"bay_id": "e1", "x_m": float("nan")}, "横坐标", "number"),
        ("put_bay_plan", {"bay_id": "e1", "long_m": 400}, "长", "30"),
        ("put_bay_plan", {"bay_id": "e1", "permits": "A1"}, "许可", "list"),
        ("put_bay_plan", {"bay_id": "e1", "stays_ms": "60"}, "可停多久", "whole"),
        ("put_place", {"place_id": "x", "name_zh": "楼", "name_en": "B", "x_m": 1}, "纵坐标", "filled in"),
        ("put_entrance", {"device_id": "s1"}, "计数器", "gate counter"),
        ("put_sensor", {"device_id": "nobody"}, "传感器", "bay sensor"),
        ("count_site", {"subject": "zone:nowhere", "taken": 3, "by": "t"}, "没有", "no zone:nowhere"),
        ("count_site", {"subject": "zone:east", "taken": -3, "by": "t"}, "taken", "0"),
        ("count_site", {"subject": "zone:east", "taken": 3}, "by", "by"),
        ("finish_task", {"task_id": 77, "by": "t"}, "77", "77"),
        ("take_task", {"task_id": "1", "by": "t"}, "task_id", "whole"),
        ("service_device", {"device_id": "nobody", "service_ms": 1}, "没有设备", "no device"),
        ("drop_bay", {"bay_id": "e1"}, "还有传感器", "still has"),
        ("define_bay", {"bay_id": "e1", "zone_id": "west"}, "已有", "there is a bay"),
    ],
)
def test_what_is_refused_names_its_field_in_both_languages(
    park: CarPark, name: str, fields: dict[str, Any], zh: str, en: str
) -> None:
    before = park.book.connection.execute("SELECT count(*) FROM journal").fetchone()
    why_zh, _, why_en = park.refused(name, **fields).partition(" | ")
    assert zh in why_zh and en in why_en
    assert park.book.connection.execute("SELECT count(*) FROM journal").fetchone() == before


def test_a_bay_without_a_sensor_is_unknown_until_it_goes(park: CarPark) -> None:
    park.done("define_bay", bay_id="n1", zone_id="west", by="t")
    assert park.counts("west") == (2, 0, 1, 0)
    park.done("close_bay", bay_id="n1", by="t")
    assert park.counts("west") == (2, 0, 0, 1)
    park.done("drop_bay", bay_id="n1", by="t")
    assert park.counts("west") == (2, 0, 0, 0) and "n1" not in park.loop.state.bays


def test_a_bay_that_is_given_another_zone_moves_there_with_its_sensor(park: CarPark) -> None:
    park.done("put_bay_plan", bay_id="e5", zone_id="west", by="t")
    assert (park.counts("east"), park.counts("west")) == ((5, 0, 0, 0), (3, 0, 0, 0))
    assert park.loop.state.devices["s5"].zone_id == "west"
    park.ours("s5", True)
    park.turn()
    assert park.counts("west") == (2, 1, 0, 0)


# ---------------------------------------------------------------- panels


def test_a_panel_shows_the_free_ones_without_the_reserves(park: CarPark) -> None:
    park.done("put_zone_plan", zone_id="east", residents_reserve=2, disabled_reserve=1, emergency_reserve=1)
    park.turn()
    panel = park.panel()
    assert (panel.free, panel.reserved, panel.number, panel.text) == (8, 4, 4, "空位 4")
    take(park, 3)
    assert park.panel("gate").number == 2
    take(park, 6)
    assert (park.panel().text, park.panel().free) == ("空位 2", 2), "both of west are to be had"
    assert park.panel("west").text == "空位 2"


def test_a_reserve_that_one_zone_cannot_keep_is_not_taken_from_its_neighbour(park: CarPark) -> None:
    """East keeps eight back and has two free: nobody is sent there; the two of west are for whoever comes."""
    park.done("put_zone_plan", zone_id="east", residents_reserve=8)
    park.turn()
    take(park, 4)
    assert park.panel("gate").number == 2
    assert (park.panel("gate").free, park.panel("gate").reserved) == (4, 2)
    (site,) = views_parking.sites(views_parking.known(park.book.connection))
    assert (site["free"], site["reserved"], site["number"]) == (4, 2, 2), "what is told of the site is no other number"


def test_full_and_almost_full_have_a_gap_each(park: CarPark) -> None:
    park.done("put_zone_plan", zone_id="west", full_at=0, full_until=2, almost_at=1, almost_until=2)
    park.turn()
    seen = []
    for first, second in ((False, False), (True, False), (True, True), (True, False), (False, False)):
        park.ours("w0", first)
        park.ours("w1", second)
        park.turn()
        panel = park.panel("west")
        seen.append((panel.level, panel.number, panel.arrow, park.loop.state.table(ZonePlan)["west"].level))
    assert seen == [
        ("open", 2, "left", "open"),
        ("almost", 1, "left", "almost"),
        ("full", 0, "", "full"),
        ("full", 0, "", "full"),
        ("open", 2, "left", "open"),
    ], "one car that leaves does not make it open again, and nobody is sent to where it is full"


def test_the_gap_outlives_a_restart(park: CarPark) -> None:
    park.done("put_zone_plan", zone_id="west", full_at=0, full_until=2, almost_at=1, almost_until=2)
    park.ours("w0", True)
    park.ours("w1", True)
    park.turn()
    park.restart()
    assert park.panel("west").level == "full"
    park.ours("w1", False)
    park.turn()
    assert (park.panel("west").level, park.panel("west").text_en) == ("full", "FULL")


def test_above_a_fifth_unknown_there_is_no_number_and_no_level(park: CarPark) -> None:
    for bay in ("s0", "s1"):
        park.ours(bay, None)
    park.turn()
    panel = park.panel()
    assert (panel.text, panel.text_en, panel.number, panel.level) == ("空位 --", "Free --", None, "")
    assert panel.free + panel.taken + panel.unknown + panel.closed == panel.total == 8


# ---------------------------------------------------------------- the map


def drawn(bay: str, x_m: float, zone: str = "east", **more: object) -> dict[str, object]:
    return {"bay_id": bay, "zone_id": zone, "x_m": x_m, "y_m": 10, **more}


def test_a_map_is_put_as_a_whole(park: CarPark) -> None:
    park.done("put_bay_plan", bay_id="e5", x_m=100, y_m=10)
    park.done(
        "put_map",
        site={"site_id": "p1", "name_zh": "一期", "name_en": "Phase 1"},
        zones=[{"zone_id": "east", "site_id": "p1", "residents_reserve": 1}],
        bays=[drawn(f"e{number}", 5 + 2.6 * number, label=f"A-{number}") for number in range(4)],
        places=[{"place_id": "b1", "name_zh": "1栋", "name_en": "Building 1", "x_m": 1, "y_m": 1}],
        by="t",
    )
    state = park.loop.state
    assert sorted(state.table(BayPlan)) == ["e0", "e1", "e2", "e3"], "what it leaves out is not drawn any more"
    assert state.table(ZonePlan)["east"].site_id == "p1"
    assert park.panel().number == 7


@pytest.mark.parametrize(
    ("bays", "zh", "en"),
    [
        ([drawn("e0", 5), drawn("e77", 9)], "第 2 行：没有车位 e77", "line 2: there is no bay e77"),
        ([drawn("e0", 5), drawn("e1", 9, "nowhere")], "第 2 行：没有区域", "line 2: there is no zone nowhere"),
        ([drawn("e0", 5), drawn("e1", 9, "west")], "已经在区域 east", "is in zone east"),
        ([drawn("e0", 5), drawn("w0", 9, "west"), drawn("e0", 12)], "第 3 行", "line 1 already"),
        ([drawn("e0", 5), drawn("e1", 6)], "第 2 行：车位 e1 和第 1 行的 e0 叠", "e1 lies on e0 of line 1"),
        ([drawn("e0", 20), drawn("e1", 23, turn_deg=90)], "叠在一起", "lies on"),
        ([drawn("e0", 5), drawn("e1", 9, wide_m=-1)], "第 2 行：宽", "line 2: Width"),
        ([drawn("e0", 5), "e1"], "第 2 行", "line 2: must be a row"),
        ({"e0": 1}, "列表", "list"),
    ],
)
def test_a_map_with_one_wrong_line_changes_nothing_and_names_the_line(
    park: CarPark, bays: Any, zh: str, en: str
) -> None:
    before = (dict(park.loop.state.table(BayPlan)), dict(park.loop.state.table(ZonePlan)), park.counts())
    why_zh, _, why_en = park.refused(
        "put_map", zones=[{"zone_id": "east", "residents_reserve": 1}], bays=bays, by="t"
    ).partition(" | ")
    assert zh in why_zh and en in why_en
    state = park.loop.state
    assert (dict(state.table(BayPlan)), dict(state.table(ZonePlan)), park.counts()) == before


def test_bays_side_by_side_and_head_to_head_do_not_lie_on_each_other(park: CarPark) -> None:
    row = [drawn(f"e{number}", 5 + 2.5 * number) for number in range(3)]
    heads = [{**drawn(f"e{number}", 5 + 2.5 * (number - 3)), "y_m": 15.3} for number in range(3, 6)]
    park.done("put_map", bays=[*row, *heads], by="t")
    assert len(park.loop.state.table(BayPlan)) == 6


# ---------------------------------------------------------------- vitals


def test_what_a_device_says_of_itself_is_written_every_quarter_of_an_hour(park: CarPark) -> None:
    device = "chirpstack_v4:cc00000000000001"
    park.bay(device, "n1", model="Nwave NPS405")
    rx = [{"rssi": -110, "snr": -3.5}, {"rssi": -97, "snr": 6.25}]
    eui = device.partition(":")[2]
    # port 2: state, battery 2500 mV + 4 mV a step, half a degree a step above 10
    park.lorawan(eui, bytes([0, 100, 20]), 2, 1, "NPS405", rxInfo=rx)
    park.lorawan(eui, bytes([1, 13, 0, 1, 0]), 3, 2, "NPS405", rxInfo=rx)
    park.turn()
    assert device not in park.loop.state.table(Vitals)
    park.after(16 * 60, 30)
    one = park.loop.state.table(Vitals)[device]
    assert (one.battery_mv, one.rssi_dbm, one.snr_db, one.temperature_c) == (2900, -97, 6.25, 20.0)
    assert one.firmware == "1.13.0"
    commits = park.loop.lateness.commits.total
    park.lorawan(eui, bytes([0, 101, 21]), 2, 3, "NPS405", rxInfo=rx)
    park.after(16 * 60, 30)
    assert park.loop.state.table(Vitals)[device] == one, "four millivolts and half a degree are no news"
    assert park.loop.lateness.commits.total - commits <= 4
    park.restart()
    assert park.loop.state.table(Vitals)[device] == one


def test_the_next_service_is_kept(park: CarPark) -> None:
    due_ms = park.clock.now_ms() + 180 * 24 * 3_600_000
    park.done("service_device", device_id="s1", service_ms=due_ms, by="t")
    park.restart()
    assert park.loop.state.table(Vitals)["s1"].service_ms == due_ms


def test_a_setting_of_a_sensor_has_bounds(park: CarPark) -> None:
    assert "0" in park.refused("put_sensor", device_id="s1", threshold_mm=-5)
    park.done("put_sensor", device_id="s1", hold_ms=5000, by="t")
    assert park.loop.state.table(SensorSetting)["s1"].hold_ms == 5000

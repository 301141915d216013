"""The plan of a car park as a file: what it says, and what is refused in words that somebody can act on."""

from __future__ import annotations

import json

import pytest

from devices.faults import OrderRefused
from gateway.hall.fields import Fields
from gateway.hall.parking_map import put_map
from gateway.hall.parking_rows import BayPlan
from gateway.hall.state import Bay, HallState, Zone
from kiosk.console.plan_jobs import what_changes, wrong_rows
from kiosk.plan_file import plan_sheet, plan_words, read_plan

CSV = (
    "类别,编号,类型,地面编号,横坐标（米）,纵坐标（米）,转角（度）,许可,可停分钟,中文名,英文名\n"
    "车位,e1,无障碍车位,E-01,10,20.5,90,京A·1 B2,30,,\n"
    "车位,e2,visitor,,20,20.5,,,,,\n"
    "地点,b3,楼栋,,12,5,,,,3栋,Block 3\n"
)


def hall(bays: int = 4) -> HallState:
    state = HallState()
    state.zones.update({"east": Zone("east", "东区", "East"), "west": Zone("west", "西区", "West")})
    for number in range(1, bays + 1):
        state.bays[f"e{number}"] = Bay(f"e{number}", "east", "unknown", "", 0, 0)
    return state


def refused(raw: str | bytes) -> OrderRefused:
    with pytest.raises(OrderRefused) as told:
        read_plan(raw.encode() if isinstance(raw, str) else raw)
    return told.value


def test_a_sheet_and_an_object_say_the_same() -> None:
    from_sheet = read_plan(CSV.encode("gb18030")).fields
    assert from_sheet["bays"][0] == {
        "bay_id": "e1", "kind": "disabled", "label": "E-01", "x_m": 10.0, "y_m": 20.5, "turn_deg": 90.0,
        "permits": ["京A·1", "B2"], "stays_ms": 1_800_000,
    }  # fmt: skip
    again = read_plan(plan_words(from_sheet).encode()).fields
    assert again == {**from_sheet, "zones": []}
    assert read_plan(plan_sheet(from_sheet)).fields["places"] == from_sheet["places"]


def test_what_is_exported_comes_back_and_changes_nothing() -> None:
    state = hall()
    decision = put_map(state, Fields(read_plan(CSV.encode()).fields), 1)
    state.put(decision)
    rows = list(state.table(BayPlan).values())
    exported = {
        "bays": [
            {"bay_id": one.bay_id, "zone_id": one.zone_id, "x_m": one.x_m, "y_m": one.y_m} for one in rows
        ]
    }
    assert what_changes(state, read_plan(plan_words(exported).encode()), 2)["changed"] == 0


@pytest.mark.parametrize(
    ("raw", "zh", "en"),
    [
        ("", "有内容", "not empty"),
        (" \n ", "有内容", "not empty"),
        ("x" * 2_000_000, "太大", "larger"),
        ('{"bays": [{"bay_id": "e1", "x_m": NaN}]}', "不是数", "not a number"),
        ('{"bays": [{"bay_id": "e1", "x_m": -Infinity}]}', "不是数", "not a number"),
        ('{"bays": [', "第 1 行", "line 1"),
        ("[1, 2]", "对象", "object"),
        ('{"bays": {"e1": 1}}', "列表", "list"),
        ('{"cars": []}', "cars", "cars"),
        ('{"bays": []}', "没有车位", "no bays"),
        ('{"bays": [{"bay_id": "e1", "lenght_m": 5}]}', "lenght_m", "lenght_m"),
        ('{"bays": [{"bay_id": "e1", "bay_id": "e2"}]}', "两次", "twice"),
        ("[" * 100_000, "结构", "structure"),
        (b"\xff\xfe\x00\xd8", "编", "encoding"),
        (b"PK\x03\x04 a workbook", "Excel", "Excel"),
        ("编号,颜色\ne1,红\n", "颜色", "颜色"),
        ("类别,编号\n飞船,e1\n", "第 2 行", "line 2"),
    ],
)  # fmt: skip
def test_what_is_no_plan_is_refused_in_both_languages(raw: str | bytes, zh: str, en: str) -> None:
    told = refused(raw)
    assert zh in told.why_zh and en in told.why_en


@pytest.mark.parametrize(
    ("row", "zh", "en"),
    [
        ({"bay_id": "e9"}, "没有车位 e9", "no bay e9"),
        ({"bay_id": "e1", "zone_id": "moon"}, "没有区域 moon", "no zone moon"),
        ({"bay_id": "e1", "zone_id": "west"}, "已经在区域 east", "in zone east"),
        ({"bay_id": "e1", "x_m": -3}, "横坐标", "x (m)"),
        ({"bay_id": "e1", "long_m": -5.0}, "长（米）", "Length"),
        ({"bay_id": "e1", "x_m": "nan"}, "横坐标", "x (m)"),
        ({"bay_id": "e1", "x_m": 1e308}, "横坐标", "x (m)"),
        ({"bay_id": "e1", "kind": "<img src=x onerror=alert(1)>"}, "没有“<img", "no '<img"),
        ({"bay_id": "e1", "label": "号" * 21}, "最多 20 字", "at most 20"),
        ({"bay_id": ["e1"]}, "bay_id", "bay_id"),
    ],
)
def test_a_row_that_the_hall_does_not_take_is_named_with_its_reason(
    row: dict[str, object], zh: str, en: str
) -> None:
    plan = read_plan(json.dumps({"bays": [{"bay_id": "e2", "x_m": 50, "y_m": 50}, row]}).encode())
    (wrong,) = wrong_rows(hall(), plan, 1)
    assert (wrong.name, wrong.number) == ("bays", 2)
    assert zh in wrong.why_zh and en in wrong.why_en


def test_all_wrong_lines_of_a_short_sheet_are_named_by_their_lines_in_the_file() -> None:
    raw = "编号,横坐标（米）,纵坐标（米）\nzz,1,1\ne1,10,10\ne2,10.5,10\n\ne3,inf,10\n"
    wrong = wrong_rows(hall(), read_plan(raw.encode()), 1)
    assert [(one.line, one.why_en) for one in wrong][:2] == [
        (2, "there is no bay zz"),
        (6, "x (m): must be a number from 0 to 5000"),
    ]
    assert (wrong[2].line, wrong[2].why_en) == (4, "bay e2 lies on e1 of line 3")
    assert "第 3 行的 e1" in wrong[2].why_zh


def test_of_a_long_plan_the_first_wrong_row_is_found() -> None:
    bays = [{"bay_id": f"e{n}", "x_m": 5 + 3 * (n % 50), "y_m": 5 + 7 * (n // 50)} for n in range(1, 401)]
    bays[250]["bay_id"] = "nobody's"
    (wrong,) = wrong_rows(hall(400), read_plan(json.dumps({"bays": bays}).encode()), 1)
    assert (wrong.number, wrong.why_en) == (251, "there is no bay nobody's")

"""Orders that write down people, helpers, rosters and kinds: what is kept, what is refused, and in which words."""

from __future__ import annotations

import copy
from dataclasses import fields
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from devices.faults import OrderRefused
from devices.messages import Pressed
from gateway.hall import people
from gateway.hall.kinds import DEFAULTS, kind_of
from gateway.hall.rows import Helper, Holiday, Kind, Message, Person, Shift, Substitution, Visit
from gateway.hall.rules import decide, obey
from gateway.hall.state import Decision, HallState, JournalLine
from gateway.hall.tables import TABLES
from gateway.views import row_json

#: Sunday, 22 November 2026, 10:00 in Shanghai
TEN_O_CLOCK = 1_795_312_800_000
WANG = {
    "person_id": "p-1",
    "name": "王小明",
    "building": "３栋",
    "unit": "1单元",
    "room": "302",
    "phone": "13800000001",
}
STEP = ["duty", 60, ["console"]]


class Hall:
    def __init__(self) -> None:
        self.state = HallState(zone=ZoneInfo("Asia/Shanghai"))

    def order(self, name: str, /, **fields: Any) -> Decision:
        decision = obey(self.state, name, {"by": "李强", **fields}, TEN_O_CLOCK)
        self.state.begin()
        self.state.put(decision)
        self.state.keep()
        return decision

    def refused(self, name: str, /, **fields: Any) -> OrderRefused:
        """The refusal, which changed nothing."""
        before = {table: dict(rows) for table, rows in self.state.tables.items()}, dict(self.state.devices)
        with pytest.raises(OrderRefused) as refusal:
            self.order(name, **fields)
        assert before == (
            {table: dict(rows) for table, rows in self.state.tables.items()},
            dict(self.state.devices),
        )
        said = refusal.value
        assert any("\u4e00" <= sign <= "\u9fff" for sign in said.why_zh), said.why_zh
        return said

    def helper(self, helper_id: str = "h-1", **more: Any) -> Decision:
        return self.order("put_helper", **{"helper_id": helper_id, "name": "赵钱", "role": "duty", **more})

    def shift(self, **more: Any) -> Decision:
        return self.order("put_shift", **{"shift_id": "s-1", "helper_id": "h-1", **more})


@pytest.fixture
def hall() -> Hall:
    return Hall()


def lines(decision: Decision) -> list[JournalLine]:
    return [change for change in decision.changes if isinstance(change, JournalLine)]


# ---------------------------------------------------------------- people


def test_a_person_is_written_down_and_what_is_not_given_stays(hall: Hall) -> None:
    hall.order("put_person", **WANG, medical="高血压")
    hall.order("put_person", person_id="p-1", phone="13800000002")
    kept = hall.state.table(Person)["p-1"]
    assert (kept.name, kept.phone, kept.medical) == ("王小明", "13800000002", "高血压")
    assert kept.building == "3栋"  # full-width digits: one spelling for what is compared
    assert kept.since_ms == TEN_O_CLOCK
    assert people.place_of(kept) == "3栋1单元302"


def test_the_journal_names_the_row_and_the_fields_and_nothing_of_the_person(hall: Hall) -> None:
    first = lines(hall.order("put_person", **WANG))
    after = lines(hall.order("put_person", person_id="p-1", phone="13900000000", medical="糖尿病"))
    assert [(one.event, one.subject, one.detail) for one in first + after] == [
        ("PersonPut", "person:p-1", "new"),
        ("PersonPut", "person:p-1", "phone,medical"),
    ]
    assert hall.order("put_person", person_id="p-1", phone="13900000000").changes == []


def test_somebody_new_is_never_somebody_who_is_on_the_list_already(hall: Hall) -> None:
    hall.order("put_person", **WANG, medical="高血压", new=True)
    assert hall.order("put_person", **WANG, new=True).changes == [], "a repeated tap"
    assert "已经在册" in hall.refused("put_person", person_id="p-1", name="别人", new=True).why_zh
    assert hall.state.table(Person)["p-1"].name == "王小明"


def test_no_answer_tells_medical_notes(hall: Hall) -> None:
    decision = hall.order("put_person", **WANG, medical="高血压")
    (row,) = (change for change in decision.changes if isinstance(change, Person))
    assert row.medical == "高血压"
    told = row_json(row)
    assert "medical" not in told and "高血压" not in told.values() and told["name"] == "王小明"


def test_each_look_at_medical_notes_is_written_down(hall: Hall) -> None:
    hall.order("put_person", **WANG)
    seen = lines(hall.order("look_at_medical", person_id="p-1", call_id=7))
    assert [(one.event, one.subject, one.actor, one.detail) for one in seen] == [
        ("MedicalSeen", "person:p-1", "李强", "call:7")
    ]
    hall.refused("look_at_medical", person_id="p-2")
    hall.refused("look_at_medical", person_id="p-1", by="")


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("name", " ", "姓名：请填写"),
        ("name", "一" * 41, "姓名：最多 40 字"),
        ("phone", "1.38E+10", "电话：“1.38E+10”是 Excel 改写过的号码"),
        ("phone", "没有", "电话：“没有”不像电话号码"),
        ("visit_tier", "daily", "探访：没有“daily”"),
        ("quiet_after_h", -1, "应为 0 到 720 的整数"),
        ("quiet_after_h", "24", "应为 0 到 720 的整数"),
        ("meal_free", "yes", "餐费免：应为是或否"),
        ("person_id", "p 1", "编号只能用字母"),
        ("person_id", None, "编号只能用字母"),
    ],
)
def test_a_wrong_field_is_named_as_the_form_names_it(hall: Hall, field: str, value: Any, said: str) -> None:
    assert said in hall.refused("put_person", **{**WANG, field: value}).why_zh


def test_whoever_has_a_device_or_an_open_call_cannot_be_taken_off_the_books(hall: Hall) -> None:
    hall.order("put_person", **WANG)
    hall.order("claim_device", device_id="btn-1", kind="call_button", person_id="p-1", name="床头")
    assert "床头" in hall.refused("drop_person", person_id="p-1").why_zh
    hall.order("claim_device", device_id="btn-1", kind="call_button", person_id="")
    hall.order("drop_person", person_id="p-1")
    assert "p-1" not in hall.state.table(Person)
    assert hall.order("drop_person", person_id="p-1").changes == []


def test_who_is_taken_off_the_books_leaves_no_name_flat_or_note_in_what_has_happened(hall: Hall) -> None:
    hall.order("put_person", **WANG, grid="g1")
    hall.order("claim_device", device_id="btn-1", kind="call_button", person_id="p-1", name="床头")
    hall.state.put(decide(hall.state, Pressed("btn-1", press_id="1:1", family="linli"), TEN_O_CLOCK))
    hall.order("close_call", call_id=1, by="李强", outcome="helped", note="王小明摔倒")
    assert hall.state.calls[1].person == "王小明"
    hall.order("open_visit", person_id="p-1", reason="event", note="王小明出院")
    hall.order("claim_device", device_id="btn-1", kind="call_button", person_id="")
    before = copy.deepcopy((hall.state.calls, hall.state.tables))
    hall.state.begin()
    hall.state.put(obey(hall.state, "drop_person", {"by": "李强", "person_id": "p-1"}, TEN_O_CLOCK))
    hall.state.take_back()
    assert (hall.state.calls, hall.state.tables) == before, "a refused write erases nothing"
    hall.order("drop_person", person_id="p-1")
    call = hall.state.calls[1]
    assert (call.person, call.place, call.note, call.person_id, call.outcome) == ("", "", "", "p-1", "helped")
    visits = hall.state.table(Visit).values()
    assert visits and {(one.state, one.note) for one in visits} == {("void", "")}


# ---------------------------------------------------------------- a device and its person


def test_a_device_tied_to_a_person_has_that_persons_name_and_place_also_when_they_change(hall: Hall) -> None:
    hall.order("put_person", **WANG)
    claim = {"device_id": "btn-1", "kind": "call_button", "name": "床头"}
    hall.order("claim_device", **claim, person_id="p-1", place="别处", person="别人")
    tied = hall.state.devices["btn-1"]
    assert (tied.person_id, tied.person, tied.place, tied.name) == ("p-1", "王小明", "3栋1单元302", "床头")
    hall.order("put_person", person_id="p-1", name="王晓明", place="3栋302（东边门）")
    assert (hall.state.devices["btn-1"].person, hall.state.devices["btn-1"].place) == (
        "王晓明",
        "3栋302（东边门）",
    )
    hall.order("claim_device", **claim, call_kind="meal")
    assert hall.state.devices["btn-1"].person_id == "p-1"
    hall.order("claim_device", **claim, person_id="", person="随便", place="门卫室")
    untied = hall.state.devices["btn-1"]
    assert (untied.person_id, untied.person, untied.place) == ("", "随便", "门卫室")


def test_a_hall_without_people_goes_on_with_typed_words(hall: Hall) -> None:
    hall.order("claim_device", device_id="btn-1", kind="call_button", person="张奶奶", place="3栋")
    hall.order("claim_device", device_id="btn-1", kind="call_button", call_kind="help")
    device = hall.state.devices["btn-1"]
    assert (device.person, device.place, device.person_id) == ("张奶奶", "3栋", "")


def test_a_device_is_tied_only_to_somebody_who_is_on_the_list(hall: Hall) -> None:
    claim = {"device_id": "btn-1", "kind": "call_button", "person_id": "p-1"}
    hall.refused("claim_device", **claim)
    hall.order("put_person", **WANG, active=False)
    hall.refused("claim_device", **claim)


def test_a_kind_that_is_not_in_use_is_not_given_to_a_button_that_has_another(hall: Hall) -> None:
    hall.order("claim_device", device_id="btn-1", kind="call_button", call_kind="company")
    hall.order("put_kind", kind="company", enabled=False)
    assert (
        "停用"
        in hall.refused("claim_device", device_id="b-2", kind="call_button", call_kind="company").why_zh
    )
    hall.order("claim_device", device_id="btn-1", kind="call_button", name="客厅")
    assert hall.state.devices["btn-1"].name == "客厅"


# ---------------------------------------------------------------- helpers and rosters


def test_a_helper_has_addresses_that_a_message_can_go_to(hall: Hall) -> None:
    hall.helper(channels=["sms:13800138000", " wecombot://key ", "sms:13800138000", ""])
    assert hall.state.table(Helper)["h-1"].channels == ("sms:13800138000", "wecombot://key")
    hall.helper(phone="13800138000")
    assert hall.state.table(Helper)["h-1"].channels == ("sms:13800138000", "wecombot://key")
    said = hall.refused("put_helper", helper_id="h-1", channels=["a-secret-word-without-a-scheme"])
    assert "secret-word-without" not in said.why_zh + said.why_en
    hall.refused("put_helper", helper_id="h-1", channels=["sms:"])
    hall.refused("put_helper", helper_id="h-1", channels="sms:13800138000")
    assert "角色" in hall.refused("put_helper", helper_id="h-2", name="某某", role="king").why_zh


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("helper_id", "h-9", "没有“h-9”这个人"),
        ("helper_id", "", "人员：请选择"),
        ("weekdays", 0, "至少选一天"),
        ("weekdays", 128, "星期"),
        ("from_min", 1440, "开始时间"),
        ("to_min", 1441, "结束时间"),
        ("first_day", "2026-2-3", "不是日期"),
        ("first_day", "2026-02-30", "不是日期"),
        ("last_day", "2026-01-01", "早于开始日期"),
        ("every_weeks", 9, "几周一轮"),
        ("week", 1, "轮到第几周"),
        ("holidays", "maybe", "节假日"),
    ],
)
def test_a_shift_that_makes_no_sense_is_refused(hall: Hall, field: str, value: Any, said: str) -> None:
    hall.helper()
    put = {"shift_id": "s-1", "helper_id": "h-1", "first_day": "2026-11-22", field: value}
    assert said in hall.refused("put_shift", **put).why_zh


def test_a_rotation_needs_a_day_from_which_its_weeks_are_counted(hall: Hall) -> None:
    hall.helper()
    assert (
        "轮班要有开始日期" in hall.refused("put_shift", shift_id="s-1", helper_id="h-1", every_weeks=2).why_zh
    )
    hall.shift(every_weeks=2, week=1, first_day="2026-11-23")
    assert hall.state.table(Shift)["s-1"].week == 1


def test_a_substitution_names_two_people_and_days_that_are_still_to_come(hall: Hall) -> None:
    hall.helper("h-1")
    hall.helper("h-2", name="孙李")
    hall.helper("gone", active=False)
    days = {"first_day": "2026-11-22", "last_day": "2026-11-25"}
    put = {"substitution_id": "u-1", "helper_id": "h-1", "by_helper_id": "h-2", **days}
    assert "自己替自己" in hall.refused("put_substitution", **{**put, "by_helper_id": "h-1"}).why_zh
    assert "不在岗" in hall.refused("put_substitution", **{**put, "by_helper_id": "gone"}).why_zh
    assert "没有“h-7”" in hall.refused("put_substitution", **{**put, "by_helper_id": "h-7"}).why_zh
    assert "早于" in hall.refused("put_substitution", **{**put, "last_day": "2026-11-21"}).why_zh
    over = {"first_day": "2025-11-22", "last_day": "2025-11-25"}
    assert "已经过去" in hall.refused("put_substitution", **{**put, **over}).why_zh
    hall.order("put_substitution", **put)
    again = {**put, "substitution_id": "u-2", "first_day": "2026-11-25", "last_day": "2026-11-30"}
    assert "已经有替班" in hall.refused("put_substitution", **again).why_zh
    hall.order("put_substitution", **{**again, "first_day": "2026-11-26", "by_helper_id": ""})
    assert hall.state.table(Substitution)["u-2"].by_helper_id == ""
    hall.order("drop_substitution", substitution_id="u-1")
    assert set(hall.state.table(Substitution)) == {"u-2"}


def test_a_helper_who_is_taken_off_takes_shifts_and_substitutions_along(hall: Hall) -> None:
    hall.helper("h-1")
    hall.helper("h-2")
    hall.shift()
    hall.order(
        "put_substitution", substitution_id="u-1", helper_id="h-2", by_helper_id="h-1",
        first_day="2026-12-01", last_day="2026-12-02",
    )  # fmt: skip
    hall.order("drop_helper", helper_id="h-1")
    assert (set(hall.state.table(Helper)), dict(hall.state.table(Shift)), dict(hall.state.table(Substitution))) == (
        {"h-2"}, {}, {},
    )  # fmt: skip


def test_holidays_come_as_a_list_all_of_it_or_nothing(hall: Hall) -> None:
    rows = [{"day": "2026-10-01", "name": "国庆节"}, {"day": "2026-10-10", "kind": "workday"}]
    hall.order("put_many", table="holidays", rows=rows)
    assert hall.state.table(Holiday)["2026-10-10"].kind == "workday"
    said = hall.refused("put_many", table="holidays", rows=[{"day": "2027-01-01"}, {"day": "2027-13-01"}])
    assert said.why_zh.startswith("第 2 行：日期")
    hall.order("drop_holiday", day="2026-10-01")
    assert set(hall.state.table(Holiday)) == {"2026-10-10"}


def test_a_list_of_people_is_one_order_and_later_lines_see_earlier_ones(hall: Hall) -> None:
    shifts = [{"shift_id": "s-1", "helper_id": "h-1"}]
    assert "没有“h-1”" in hall.refused("put_many", table="shifts", rows=shifts).why_zh
    decision = hall.order("put_many", table="people", rows=[WANG, {"person_id": "p-1", "room": "303"}])
    assert hall.state.table(Person)["p-1"].room == "303"
    assert [line.detail for line in lines(decision)] == ["new", "room"]
    for wrong in ("all", [1], None):
        hall.refused("put_many", table="people", rows=wrong)
    hall.refused("put_many", table="calls", rows=[])
    assert "2000" in hall.refused("put_many", table="people", rows=[WANG] * 2001).why_zh


def test_who_is_back_from_leave_is_told_at_once_of_a_call_that_found_nobody(hall: Hall) -> None:
    hall.helper(channels=["sms:13800000000"])
    days = {"first_day": "2026-11-22", "last_day": "2026-11-23"}
    hall.order("put_substitution", substitution_id="u-1", helper_id="h-1", by_helper_id="", **days)
    hall.state.put(decide(hall.state, Pressed("btn-1", press_id="1:1", family="linli"), TEN_O_CLOCK))
    back = hall.order("drop_substitution", substitution_id="u-1")
    assert [one.helper_id for one in back.changes if isinstance(one, Message)] == ["h-1"]


# ---------------------------------------------------------------- kinds


def test_a_kind_of_ours_is_changed_and_brought_back_by_one_order(hall: Hall) -> None:
    hall.order(
        "put_kind", kind="emergency", ladder=[["guard", 1, ["voice", "console"]], ["duty", 3600, ["message"]]]
    )
    assert kind_of(hall.state, "emergency").ladder == (
        ("guard", 1, ("console", "voice")),
        ("duty", 3600, ("message",)),
    )
    assert kind_of(hall.state, "emergency").outcomes == DEFAULTS["emergency"].outcomes
    assert lines(hall.order("drop_kind", kind="emergency"))[0].detail == "default"
    assert kind_of(hall.state, "emergency") == DEFAULTS["emergency"]


def test_a_hall_makes_a_kind_of_its_own_and_may_take_it_away_when_nothing_needs_it(hall: Hall) -> None:
    new = {"kind": "shopping", "name_zh": "代购", "name_en": "Shopping"}
    assert "通知顺序" in hall.refused("put_kind", **new).why_zh
    assert "办理结果" in hall.refused("put_kind", **new, ladder=[STEP]).why_zh
    hall.order("put_kind", **new, ladder=[STEP], outcomes=[["bought", "已买到", "Bought"]])
    hall.order("claim_device", device_id="btn-1", kind="call_button", call_kind="shopping", name="客厅")
    assert "客厅" in hall.refused("drop_kind", kind="shopping").why_zh
    hall.order("claim_device", device_id="btn-1", kind="call_button", call_kind="help")
    hall.order("drop_kind", kind="shopping")
    assert not hall.state.table(Kind)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("ladder", [], "至少要有一步"),
        ("ladder", [STEP] * 13, "最多 12 步"),
        ("ladder", [STEP, ["duty", 0, ["console"]]], "第 2 步：等待时间应为 1 秒到 60 分钟"),
        ("ladder", [["duty", 3601, ["console"]]], "第 1 步：等待时间"),
        ("ladder", [["duty", True, ["console"]]], "第 1 步：等待时间"),
        ("ladder", [["king", 60, ["console"]]], "没有“king”这个角色"),
        ("ladder", [["duty", 60, []]], "至少选一种通知方式"),
        ("ladder", [["duty", 60, ["shout"]]], "没有“shout”这种方式"),
        ("ladder", [["duty", 60]], "第 1 步不完整"),
        ("ladder", [[["duty"], 60, ["console"]]], "第 1 步"),
        ("outcomes", [], "办理结果：至少要有一个"),
        ("outcomes", [["a", "甲", "A"], ["a", "乙", "B"]], "写了两次"),
        ("outcomes", [["A b", "甲", "A"]], "代号"),
        ("outcomes", [["a", "", "A"]], "请填写中文"),
        ("priority", 3, "优先级必须是 0"),
        ("enabled", False, "必须启用"),
        ("coming_s", 59, "应为 60 到"),
        ("name_zh", "", "中文名：请填写"),
        ("kind", "Emergency", "代号"),
    ],
)
def test_a_kind_without_a_way_in_or_out_is_refused(hall: Hall, field: str, value: Any, said: str) -> None:
    assert said in hall.refused("put_kind", **{"kind": "emergency", field: value}).why_zh


@pytest.mark.parametrize("value", [None, 0, -1, 2**70, "", "x" * 5000, [], [[]], {}, True, 1.5, "\ud800"])
@pytest.mark.parametrize("table", ["person", "helper", "shift", "substitution", "holiday", "kind", "many"])
def test_an_order_with_nonsense_in_each_field_is_refused_not_broken(
    hall: Hall, table: str, value: Any
) -> None:
    hall.helper()
    every_field = [one.name for row in TABLES.values() for one in fields(row)]
    hall.refused(f"put_{table}", **{**dict.fromkeys([*every_field, "table", "rows"], value), "by": "李强"})

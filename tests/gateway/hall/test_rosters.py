"""Who is on duty, told as histories of a compound: the clock is a time of day that we hold, in the hall's own zone."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.hall import rosters
from gateway.hall.rows import Helper, Holiday, Person, Row, Shift, Substitution
from gateway.hall.state import Call, HallState

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
CALL = Call(1, "HEARD", "emergency", "btn-1", "床头", True, "3栋", "", 1, 1, 0, 0)
WEEKDAYS, WEEKEND = 0b0011111, 0b1100000
#: in minutes of the hall's day
EIGHT, SIX_PM, TEN_PM, SIX = 480, 1080, 1320, 360


class Compound:
    """A hall with some helpers; ``on`` asks who comes."""

    def __init__(self, *rows: Row, zone: ZoneInfo = SHANGHAI) -> None:
        self.state = HallState(zone=zone)
        for row in rows:
            self.state.tables[row.TABLE][row.key] = row

    def on(self, moment: str, who: str = "duty", person: str = "", fold: int = 0) -> list[str]:
        at = datetime.fromisoformat(moment).replace(tzinfo=self.state.zone, fold=fold)
        call = Call(**{**_fields(CALL), "person_id": person})
        return [one.helper_id for one in rosters.on_duty(self.state, who, call, int(at.timestamp() * 1000))]


def _fields(call: Call) -> dict[str, Any]:
    return {name: getattr(call, name) for name in call.__slots__}


def helper(helper_id: str, role: str = "duty", **more: Any) -> Helper:
    return Helper(helper_id, more.pop("name", helper_id), role, **more)


def shift(helper_id: str, from_min: int = 0, to_min: int = 1440, **more: Any) -> Shift:
    return Shift(
        more.pop("shift_id", f"s-{helper_id}-{from_min}"), helper_id, from_min=from_min, to_min=to_min, **more
    )


# ---------------------------------------------------------------- hours


def test_who_has_no_shift_is_always_on_duty_and_who_has_left_never() -> None:
    hall = Compound(helper("wang"), helper("gone", active=False), helper("li", role="grid"))
    assert hall.on("2026-11-22 03:00") == ["wang"]
    assert hall.on("2026-11-22 03:00", "secretary") == []


def test_a_shift_begins_on_its_minute_and_ends_before_its_last() -> None:
    hall = Compound(helper("wang"), shift("wang", EIGHT, SIX_PM))
    assert [hall.on(f"2026-11-23 {at}") for at in ("07:59:59", "08:00", "17:59:59", "18:00")] == [
        [], ["wang"], ["wang"], [],
    ]  # fmt: skip


def test_day_and_night_hand_over_without_a_gap_at_any_minute_of_the_week() -> None:
    hall = Compound(
        helper("day"), helper("night"), shift("day", EIGHT, SIX_PM), shift("night", SIX_PM, EIGHT)
    )
    for day in range(23, 30):
        for hour in range(24):
            assert hall.on(f"2026-11-{day} {hour:02}:00") == ["day" if 8 <= hour < 18 else "night"]


def test_a_night_belongs_to_the_day_on_which_it_begins() -> None:
    """Friday night's guard is still there on Saturday at five, and nobody is on Saturday night."""
    hall = Compound(helper("guard"), shift("guard", TEN_PM, SIX, weekdays=WEEKDAYS))
    assert hall.on("2026-11-28 05:59") == ["guard"]
    assert hall.on("2026-11-28 06:00") == []
    assert hall.on("2026-11-29 01:00") == []
    assert hall.on("2026-11-30 01:00") == []
    assert hall.on("2026-11-30 22:00") == ["guard"]


def test_a_shift_of_a_whole_day_from_eight_to_eight() -> None:
    hall = Compound(helper("wang"), shift("wang", EIGHT, EIGHT, weekdays=0b0000001))
    moments = ("2026-11-23 07:59", "2026-11-23 08:00", "2026-11-24 07:59", "2026-11-24 08:00")
    assert [hall.on(moment) for moment in moments] == [[], ["wang"], ["wang"], []]


def test_midnight_is_the_first_minute_of_the_day_and_of_nobody_before() -> None:
    hall = Compound(
        helper("sun"), helper("mon"), shift("sun", weekdays=0b1000000), shift("mon", weekdays=0b0000001)
    )
    assert hall.on("2026-11-22 23:59:59") == ["sun"]
    assert hall.on("2026-11-23 00:00:00") == ["mon"]


def test_a_shift_has_a_first_and_a_last_day() -> None:
    hall = Compound(helper("wang"), shift("wang", first_day="2026-11-23", last_day="2026-11-24"))
    days = ("2026-11-22", "2026-11-23", "2026-11-24", "2026-11-25")
    assert [bool(hall.on(f"{day} 12:00")) for day in days] == [False, True, True, False]


def test_where_there_is_summer_time_the_night_shift_stands_through_the_hour_that_comes_twice() -> None:
    hall = Compound(
        helper("day"), helper("night"), shift("day", SIX, TEN_PM), shift("night", TEN_PM, SIX), zone=BERLIN
    )
    assert hall.on("2026-10-25 02:30", fold=0) == hall.on("2026-10-25 02:30", fold=1) == ["night"]
    assert hall.on("2026-10-25 05:59") == ["night"]
    assert hall.on("2026-10-25 06:00") == ["day"]
    # In spring 02:30 is not there at all: half an hour after 01:59 it is 03:29.
    assert hall.on("2026-03-29 01:59") == hall.on("2026-03-29 03:29") == ["night"]
    assert hall.on("2026-03-29 06:00") == ["day"]


# ---------------------------------------------------------------- rotations


def test_two_who_take_week_and_week_about_change_on_monday() -> None:
    hall = Compound(
        helper("a"),
        helper("b"),
        shift("a", first_day="2026-11-04", every_weeks=2, week=0),
        shift("b", first_day="2026-11-04", every_weeks=2, week=1),
    )
    assert hall.on("2026-11-08 23:59") == ["a"]  # Sunday of the week in which it began, on a Wednesday
    assert hall.on("2026-11-09 00:00") == ["b"]
    assert hall.on("2026-11-16 00:00") == ["a"]
    # over the end of a year of 53 weeks the turns go on
    assert [hall.on(f"2026-12-{day} 12:00") for day in (21, 28)] + [hall.on("2027-01-04 12:00")] == [
        ["b"], ["a"], ["b"],
    ]  # fmt: skip


def test_three_who_take_turns_leave_no_week_without_anybody() -> None:
    names = ("a", "b", "c")
    hall = Compound(
        *(helper(name) for name in names),
        *(shift(name, first_day="2026-01-05", every_weeks=3, week=turn) for turn, name in enumerate(names)),
    )
    weeks = [hall.on(f"2026-02-{day:02} 09:00") for day in (2, 9, 16, 23)]
    assert weeks == [["b"], ["c"], ["a"], ["b"]]


# ---------------------------------------------------------------- holidays


@pytest.fixture
def october() -> Compound:
    """The week of the national day, with the Saturday after it on which the country works."""
    return Compound(
        helper("too"), helper("not"), helper("only"), helper("weekend"),
        shift("too", weekdays=WEEKDAYS, holidays="too"),
        shift("not", weekdays=WEEKDAYS, holidays="not"),
        shift("only", holidays="only"),
        shift("weekend", weekdays=WEEKEND, holidays="not"),
        Holiday("2026-10-01", "holiday", "国庆节"),
        Holiday("2026-10-03", "holiday", "国庆节"),
        Holiday("2026-10-10", "workday", "国庆节调休"),
    )  # fmt: skip


def test_on_a_holiday_those_come_who_come_too_and_those_who_come_only_then(october: Compound) -> None:
    assert october.on("2026-10-01 12:00") == ["only", "too"]  # a Thursday
    assert october.on("2026-10-08 12:00") == ["not", "too"]  # the Thursday after it
    assert october.on("2026-10-03 12:00") == ["only"]  # a Saturday: nobody has his weekend then


def test_on_a_weekend_on_which_the_country_works_those_come_who_keep_its_calendar(october: Compound) -> None:
    assert october.on("2026-10-10 12:00") == ["not", "weekend"]
    assert october.on("2026-10-11 12:00") == ["weekend"]


def test_the_night_before_a_holiday_is_no_holiday_until_it_ends() -> None:
    hall = Compound(
        helper("guard"),
        shift("guard", TEN_PM, SIX, holidays="not"),
        Holiday("2026-10-01"),
    )
    assert hall.on("2026-10-01 05:00") == ["guard"]
    assert hall.on("2026-10-01 23:00") == []
    assert hall.on("2026-10-02 05:00") == []
    assert hall.on("2026-10-02 23:00") == ["guard"]


# ---------------------------------------------------------------- substitutions


def away(helper_id: str, by: str, first: str = "2026-11-23", last: str = "2026-11-25") -> Substitution:
    return Substitution(f"u-{helper_id}-{by}-{first}", helper_id, by, first, last)


def test_a_substitute_has_the_hours_and_homes_of_the_one_who_is_away() -> None:
    hall = Compound(
        helper("wang", role="grid", grid="一"),
        helper("zhao", role="volunteer"),
        shift("wang", EIGHT, SIX_PM),
        away("wang", "zhao"),
        Person("p-1", "某某", grid="一"),
        Person("p-2", "某某", grid="二"),
    )
    assert hall.on("2026-11-22 09:00", "grid", "p-1") == ["wang"]
    assert hall.on("2026-11-23 09:00", "grid", "p-1") == ["zhao"]
    assert hall.on("2026-11-23 09:00", "grid", "p-2") == []
    assert hall.on("2026-11-23 19:00", "grid", "p-1") == []
    assert hall.on("2026-11-26 09:00", "grid", "p-1") == ["wang"]


def test_a_substitute_who_is_away_himself_has_his_own_substitute() -> None:
    hall = Compound(helper("a"), helper("b", role="x"), helper("c", role="x"), away("a", "b"), away("b", "c"))
    assert hall.on("2026-11-24 09:00") == ["c"]


def test_two_who_stand_in_for_each_other_have_exchanged_their_shifts() -> None:
    hall = Compound(
        helper("a"), helper("b"), shift("a", 0, 720), shift("b", 720, 0), away("a", "b"), away("b", "a")
    )
    assert hall.on("2026-11-24 09:00") == ["b"]
    assert hall.on("2026-11-24 15:00") == ["a"]


@pytest.mark.parametrize("by", ["", "nobody-we-know", "gone", "ill"])
def test_who_is_away_and_has_nobody_in_his_place_leaves_a_gap(by: str) -> None:
    hall = Compound(
        helper("a"),
        helper("gone", role="x", active=False),
        helper("ill", role="x"),
        away("a", by),
        away("ill", ""),
    )
    assert hall.on("2026-11-24 09:00") == []


def test_the_night_shift_of_the_day_before_is_done_by_whoever_had_that_day() -> None:
    hall = Compound(
        helper("a"),
        helper("b", role="x"),
        shift("a", TEN_PM, SIX),
        away("a", "b", "2026-11-24", "2026-11-24"),
    )
    assert hall.on("2026-11-24 02:00") == ["a"]
    assert hall.on("2026-11-24 23:00") == ["b"]
    assert hall.on("2026-11-25 02:00") == ["b"]
    assert hall.on("2026-11-25 23:00") == ["a"]


def test_of_two_plans_for_the_same_day_the_one_that_begins_later_counts() -> None:
    hall = Compound(
        helper("a"), helper("b", role="x"), helper("c", role="x"),
        away("a", "b", "2026-11-01", "2026-11-30"), away("a", "c", "2026-11-24", "2026-11-24"),
    )  # fmt: skip
    assert [hall.on(f"2026-11-{day} 09:00") for day in (23, 24, 25)] == [["b"], ["c"], ["b"]]


# ---------------------------------------------------------------- homes


@pytest.fixture
def grids() -> Compound:
    return Compound(
        helper("one", role="grid", grid="一"),
        helper("two", role="grid", grid="二"),
        helper("3", role="building", grid="一", building="3栋"),
        helper("3-1", role="unit", building="3栋", unit="1单元"),
        helper("anywhere", role="volunteer"),
        helper("garden", role="volunteer", grid="二"),
        Person("in-3", "某某", grid="一", building="3栋", unit="1单元"),
        Person("in-5", "某某", grid="二", building="5栋", unit="1单元"),
        Person("no-unit", "某某", grid="一", building="3栋"),
        Person("no-home", "某某"),
    )


def test_each_home_has_its_own_grid_officer_building_and_unit_head(grids: Compound) -> None:
    noon = "2026-11-22 12:00"
    assert [grids.on(noon, who, "in-3") for who in ("grid", "building", "unit")] == [["one"], ["3"], ["3-1"]]
    assert [grids.on(noon, who, "in-5") for who in ("grid", "building", "unit")] == [["two"], [], []]
    assert grids.on(noon, "volunteer", "in-3") == ["anywhere"]
    assert grids.on(noon, "volunteer", "in-5") == ["anywhere", "garden"]


@pytest.mark.parametrize("person", ["", "no-home", "a-person-who-was-deleted"])
def test_a_home_that_nobody_knows_has_those_who_go_everywhere_or_else_all(
    grids: Compound, person: str
) -> None:
    assert grids.on("2026-11-22 12:00", "volunteer", person) == ["anywhere"]
    assert grids.on("2026-11-22 12:00", "grid", person) == ["one", "two"]


def test_what_nobody_wrote_down_of_a_home_rules_nobody_out(grids: Compound) -> None:
    assert grids.on("2026-11-22 12:00", "unit", "no-unit") == ["3-1"]
    assert grids.on("2026-11-22 12:00", "grid", "no-unit") == ["one"]


def test_while_who_goes_everywhere_is_off_duty_the_others_are_asked(grids: Compound) -> None:
    night = shift("anywhere", TEN_PM, SIX)
    grids.state.tables["shifts"][night.key] = night
    assert grids.on("2026-11-22 12:00", "volunteer") == ["garden"]


# ---------------------------------------------------------------- reach


def test_a_helper_is_reached_by_a_message_or_by_whoever_sits_at_a_console() -> None:
    state = HallState()
    with_channel, without = helper("a", channels=("sms:13800000000",)), helper("b")
    assert rosters.reachable(state, with_channel, ("message",))
    assert not rosters.reachable(state, with_channel, ("console", "beacon", "voice", "display"))
    assert not rosters.reachable(state, without, ("console", "message"))
    state.consoles = 1
    assert rosters.reachable(state, without, ("console",))
    assert not rosters.reachable(state, without, ("message", "beacon"))


# ---------------------------------------------------------------- whatever the tables say

_ids = st.sampled_from(["a", "b", "c", "d", ""])
_days = st.sampled_from(["", "2026-11-22", "2026-11-23", "2026-02-30", "次日", "0001-01-01", "9999-12-31"])
_scope = st.sampled_from(["", "一", "二"])
_rows = st.one_of(
    st.builds(
        Helper, _ids, st.sampled_from(["王", "李"]), st.sampled_from(["duty", "grid"]), grid=_scope,
        building=_scope, unit=_scope, active=st.booleans(),
    ),
    st.builds(
        Shift, st.text(max_size=2), _ids, st.integers(0, 127), st.integers(0, 1440), st.integers(0, 1440), _days,
        _days, st.integers(0, 4), st.integers(-3, 9), st.sampled_from(["too", "only", "not", "?"]),
    ),
    st.builds(Substitution, st.text(max_size=2), _ids, _ids, _days, _days),
    st.builds(Holiday, _days, st.sampled_from(["holiday", "workday"])),
    st.builds(Person, st.sampled_from(["p", "q"]), st.just("某某"), grid=_scope, building=_scope, unit=_scope),
)  # fmt: skip


@settings(max_examples=120, deadline=None)
@given(
    st.lists(_rows, max_size=25),
    st.integers(-(2**60), 2**60) | st.integers(1_795_200_000_000, 1_795_800_000_000),
    st.sampled_from(["p", "q", ""]),
    st.sampled_from(
        [SHANGHAI, BERLIN, ZoneInfo("UTC"), ZoneInfo("Pacific/Kiritimati"), ZoneInfo("Pacific/Pago_Pago")]
    ),
    st.randoms(use_true_random=False),
)
def test_it_never_fails_names_active_helpers_only_and_always_in_one_order(
    rows: list[Row], now_ms: int, person: str, zone: ZoneInfo, chance: Any
) -> None:
    hall = Compound(*rows, zone=zone)
    call = Call(**{**_fields(CALL), "person_id": person})
    there = rosters.on_duty(hall.state, "duty", call, now_ms)
    assert all(one.active and hall.state.table(Helper)[one.helper_id] == one for one in there)
    assert len({one.helper_id for one in there}) == len(there)
    kept = list({(row.TABLE, row.key): row for row in rows}.values())
    chance.shuffle(kept)  # the notebook may bring them back in any order
    assert rosters.on_duty(Compound(*kept, zone=zone).state, "duty", call, now_ms) == there

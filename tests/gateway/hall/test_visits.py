"""Knocking before there is need, told as weeks and months. The clock is held; the rules are the real ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from devices.faults import OrderRefused
from gateway.hall import caring, timers
from gateway.hall.days import HOUR_MS, day_of, moment_ms, period
from gateway.hall.draft import Draft
from gateway.hall.rows import CallStep, Kind, RowGone, Visit
from gateway.hall.state import Call, Decision, TimerGone, TimerSet
from tests.gateway.hall.caring_hall import HELPERS, SHANGHAI, Hall, ms, press


@pytest.fixture
def hall() -> Iterator[Hall]:
    """Each hall is looked at afterwards: nobody's name is in the journal or in a message."""
    one = Hall()
    yield one
    assert "张奶奶" not in str(one.journal) + str(one.messages)


# ---------------------------------------------------------------- periods


@pytest.mark.parametrize(
    ("tier", "day", "first", "after"),
    [
        ("weekly", "2026-11-22", "2026-11-16", "2026-11-23"),
        ("weekly", "2026-11-16", "2026-11-16", "2026-11-23"),
        ("weekly", "2026-12-31", "2026-12-28", "2027-01-04"),
        ("monthly", "2028-02-29", "2028-02-01", "2028-03-01"),
        ("monthly", "2026-12-31", "2026-12-01", "2027-01-01"),
        ("quarterly", "2026-11-22", "2026-10-01", "2027-01-01"),
        ("quarterly", "2026-03-31", "2026-01-01", "2026-04-01"),
    ],
)
def test_weeks_begin_on_monday_months_and_quarters_on_their_first(
    tier: str, day: str, first: str, after: str
) -> None:
    assert tuple(one.isoformat() for one in period(tier, date.fromisoformat(day))) == (first, after)


@pytest.mark.parametrize(
    "zone", ["Asia/Shanghai", "Europe/Berlin", "America/Santiago", "Australia/Lord_Howe"]
)
def test_a_day_ends_where_the_next_begins_wherever_summer_time_is(zone: str) -> None:
    where = ZoneInfo(zone)
    at_ms, lengths = ms("2026-01-01T00:30", where), Counter[float]()
    for _ in range(400):
        day = day_of(where, at_ms)
        begins, ends = moment_ms(where, day), moment_ms(where, day, 1440)
        assert begins <= at_ms < ends and day_of(where, ends) > day
        lengths[(ends - begins) / HOUR_MS] += 1
        at_ms = ends
    assert lengths[24.0] >= 395 and set(lengths) <= {23.0, 23.5, 24.0, 24.5, 25.0}


# ---------------------------------------------------------------- opened, done, missed


def test_a_month_begins_and_the_visit_of_the_month_is_there_until_its_end(hall: Hall) -> None:
    hall.person(visit_tier="monthly")
    assert hall.open == [("monthly", "due", "2026-11-30")]
    hall.order("visit_done", visit_id="p-1:monthly:2026-11-01", by="李网格", outcome="well", note="精神好")
    hall.until("2026-12-01T00:00")
    assert hall.open == [("monthly", "due", "2026-12-31")]
    first = hall.visits[0]
    assert (first.state, first.outcome, first.done_by, first.note) == ("done", "well", "李网格", "精神好")


def test_a_year_of_every_tier_opens_each_period_once(hall: Hall) -> None:
    for person_id, tier in (("w", "weekly"), ("m", "monthly"), ("q", "quarterly"), ("n", "none")):
        hall.person(person_id, visit_tier=tier)
    hall.until("2027-11-01T12:00")
    opened = Counter(one.person_id for one in hall.visits)
    # From the week of 2 November 2026 to that of 1 November 2027, both included.
    assert opened == {"w": 53, "m": 13, "q": 5}
    assert len({one.visit_id for one in hall.visits}) == 71


def test_midnight_of_summer_time_loses_no_visit_and_doubles_none() -> None:
    hall = Hall("2026-03-23T10:00", ZoneInfo("Europe/Berlin"))
    hall.person(visit_tier="weekly")
    hall.until("2026-11-02T12:00")
    weeks = [one.visit_id.rpartition(":")[2] for one in hall.visits]
    assert weeks[:2] == ["2026-03-23", "2026-03-30"] and len(weeks) == len(set(weeks)) == 33
    zone = hall.state.zone
    assert {datetime.fromtimestamp(one.due_ms / 1000, zone).strftime("%a %H:%M") for one in hall.visits} == {
        "Mon 00:00"
    }


def test_whoever_is_added_on_the_last_day_begins_with_the_next_period() -> None:
    hall = Hall("2026-11-30T18:00")
    hall.person("m", visit_tier="monthly")
    hall.person("w", visit_tier="weekly")
    assert hall.open == [("weekly", "due", "2026-12-06")]
    hall.until("2026-12-01T08:00")
    assert hall.open == [("weekly", "due", "2026-12-06"), ("monthly", "due", "2026-12-31")]


def test_a_missed_visit_climbs_a_step_each_morning_until_somebody_was_there(hall: Hall) -> None:
    hall.row(*HELPERS)
    hall.person(visit_tier="weekly")
    hall.until("2026-11-08T08:59")
    assert hall.messages == []
    hall.until("2026-11-08T09:00")
    told = "【邻里】上门探访：{}。请打开工作台“探访”查看名单。"
    assert hall.messages == [("grid-1", told.format("今天到期 1 次"))]
    hall.until("2026-11-09T08:59")
    assert hall.open == [("weekly", "missed", "2026-11-08"), ("weekly", "due", "2026-11-15")]
    hall.until("2026-11-09T09:00")
    assert hall.messages[1:] == [("grid-1", told.format("已过期 1 次"))]
    hall.until("2026-11-10T09:00")
    assert [who for who, _ in hall.messages[2:]] == ["grid-1", "head-3", "head-3"], "both of his channels"
    hall.until("2026-11-11T09:00")
    assert [who for who, _ in hall.messages[5:]] == ["grid-1", "head-3", "head-3", "sec"]
    hall.until("2026-11-12T10:00")
    before = len(hall.messages)
    hall.order("visit_done", visit_id="p-1:weekly:2026-11-02", by="李网格", outcome="well")
    hall.until("2026-11-13T10:00")
    assert len(hall.messages) == before, "seen is seen: this week's is settled, too"


def test_a_step_on_which_nobody_can_be_told_is_skipped_at_once(hall: Hall) -> None:
    hall.row(HELPERS[1], HELPERS[3])  # the grid officer of another grid, and the secretary
    hall.person(visit_tier="weekly")
    hall.until("2026-11-09T09:00")
    assert [who for who, _ in hall.messages] == ["sec"]
    assert hall.visits[0].step == 3


def test_three_hundred_visits_are_one_message_a_helper_and_small_transactions(hall: Hall) -> None:
    hall.row(*HELPERS)
    for number in range(300):
        hall.person(f"p-{number}", visit_tier="monthly", grid="g2" if number % 2 else "g1", building="3")
    most = 0
    did = hall._did

    def watched(decision: Decision) -> Decision:
        nonlocal most
        most = max(most, sum(isinstance(one, Visit) for one in decision.changes))
        return did(decision)

    hall._did = watched  # type: ignore[method-assign]
    hall.until("2026-12-01T08:00")
    states = Counter((one.state, day_of(SHANGHAI, one.due_ms - 1).isoformat()) for one in hall.visits)
    assert states == {("missed", "2026-11-30"): 300, ("due", "2026-12-31"): 300}
    assert most <= 40, "at midnight of a month's first no call waits for 600 rows"
    hall.until("2026-12-01T09:00")
    assert Counter(who for who, text in hall.messages if "已过期 150 次" in text) == {
        "grid-1": 1,
        "grid-2": 1,
    }


def test_a_hall_that_was_dark_for_weeks_opens_what_it_could_not_as_missed(hall: Hall) -> None:
    hall.person(visit_tier="weekly")
    hall.order("visit_done", visit_id="p-1:weekly:2026-11-02", by="李", outcome="well")
    hall.restart()
    hall.now_ms = ms("2026-11-25T10:00")  # nobody was there at any of the midnights
    hall.until("2026-11-25T10:01")
    assert hall.open == [
        ("weekly", "missed", "2026-11-15"),
        ("weekly", "missed", "2026-11-22"),
        ("weekly", "due", "2026-11-29"),
    ]


def test_a_clock_that_goes_back_a_month_opens_nothing_twice(hall: Hall) -> None:
    hall.person(visit_tier="monthly")
    hall.until("2026-12-01T10:00")
    hall.order("visit_done", visit_id="p-1:monthly:2026-12-01", by="李", outcome="well")
    hall.state.tables["visits"].clear()  # memory forgets what is settled
    hall.now_ms = ms("2026-11-10T10:00")
    hall._did(timers.due(hall.state, "visits:night", hall.now_ms))
    hall.until("2026-12-02T10:00")
    assert [(one.visit_id, one.state) for one in hall.visits] == [
        ("p-1:monthly:2026-11-01", "done"),
        ("p-1:monthly:2026-12-01", "done"),
    ]


# ---------------------------------------------------------------- writing it down


def test_the_first_who_writes_it_down_is_named_to_the_second(hall: Hall) -> None:
    hall.person(visit_tier="monthly")
    done = {"visit_id": "p-1:monthly:2026-11-01", "outcome": "well"}
    hall.order("visit_done", **done, by="李网格")
    assert hall.order("visit_done", **done, by="李网格").duplicate
    with pytest.raises(OrderRefused) as refused:
        hall.order("visit_done", **done, by="王网格")
    assert refused.value.why_zh == "李网格 已经记下这次探访：平安"
    assert "李网格 has written this visit down already" in refused.value.why_en


def test_seen_is_seen_one_knock_settles_all_that_is_open(hall: Hall) -> None:
    hall.person(visit_tier="weekly", quiet_after_h=24)
    hall.order("open_visit", person_id="p-1", by="小李", note="昨天摔过一跤")
    hall.after(hours=25)
    assert sorted(one[0] for one in hall.open) == ["event", "inactivity", "weekly"]
    did = hall.order("visit_done", visit_id="p-1:weekly:2026-11-02", by="小李", outcome="well")
    first = next(one for one in did.changes if isinstance(one, Visit))
    assert (first.reason, first.state) == ("weekly", "done"), "the answer is about what was asked"
    assert hall.open == []
    assert not any(name.startswith("visit:") for name in hall.state.timers), "nothing climbs any more"


def test_a_list_on_paper_is_typed_in_the_next_morning_and_was_in_time(hall: Hall) -> None:
    hall.person(visit_tier="weekly")
    hall.until("2026-11-09T09:30")
    assert hall.visits[0].state == "missed"
    hall.order(
        "visit_done",
        visit_id="p-1:weekly:2026-11-02",
        by="李",
        outcome="well",
        seen_ms=ms("2026-11-08T15:00"),
    )
    assert hall.visits[0].done_ms < hall.visits[0].due_ms
    assert hall.open == [("weekly", "due", "2026-11-15")], "seen on Sunday says nothing of the week after"


def test_nobody_opens_and_the_visit_stays(hall: Hall) -> None:
    hall.person(visit_tier="monthly")
    for note in ("敲门没人", "下午再去，没人"):
        hall.order("visit_done", visit_id="p-1:monthly:2026-11-01", by="李", outcome="nobody", note=note)
        hall.after(hours=4)
    visit = hall.visits[0]
    assert (visit.state, visit.tries, visit.note) == ("due", 2, "敲门没人；下午再去，没人")


def test_needs_help_raises_a_call_that_names_person_and_place(hall: Hall) -> None:
    hall.person(visit_tier="monthly", place="3栋1单元302")
    did = hall.order(
        "visit_done", visit_id="p-1:monthly:2026-11-01", by="李", outcome="help", **{"raise": "repair"}
    )
    assert did.call is not None
    call = hall.state.calls[did.call.call_id]
    assert (call.kind, call.person_id, call.place, call.state) == ("repair", "p-1", "3栋1单元302", "HEARD")
    assert hall.visits[0].outcome == "help" and hall.open == []


def test_the_first_step_of_a_call_that_a_visit_raises_tells_the_helpers_of_that_home(hall: Hall) -> None:
    hall.row(*HELPERS, Kind("repair", "报修", "Repair", ladder=(("grid", 60, ("message",)),)))
    hall.person(visit_tier="monthly")
    visit_id = "p-1:monthly:2026-11-01"
    did = hall.order("visit_done", visit_id=visit_id, by="李", outcome="help", **{"raise": "repair"})
    assert did.call is not None and (did.call.person_id, did.call.person) == ("p-1", "张奶奶")
    steps = hall.state.table(CallStep).values()
    assert [(one.state, one.helpers) for one in steps] == [("told", ("grid-1",))]


def test_a_slip_of_the_finger_is_taken_back_within_ten_minutes(hall: Hall) -> None:
    hall.person(visit_tier="monthly")
    hall.order("open_visit", person_id="p-1", by="小李")
    hall.order("visit_done", visit_id="p-1:monthly:2026-11-01", by="李", outcome="well")
    hall.after(hours=0.1)
    hall.order("reopen_visit", visit_id="p-1:monthly:2026-11-01", by="李")
    assert [one[:2] for one in hall.open] == [("event", "due"), ("monthly", "due")]
    hall.after(days=1)
    assert [one.state for one in hall.visits if one.reason == "event"] == ["missed"], "its hour comes again"
    hall.order("visit_done", visit_id="p-1:monthly:2026-11-01", by="李", outcome="well")
    hall.after(hours=0.2)
    with pytest.raises(OrderRefused, match="within 10 minutes"):
        hall.order("reopen_visit", visit_id="p-1:monthly:2026-11-01", by="李")


@pytest.mark.parametrize(
    ("order", "fields"),
    [
        ("visit_done", {"visit_id": "nobody", "by": "李", "outcome": "well"}),
        ("visit_done", {"visit_id": "p-1:monthly:2026-11-01", "by": "李", "outcome": "eaten"}),
        ("visit_done", {"visit_id": "p-1:monthly:2026-11-01", "by": "", "outcome": "well"}),
        (
            "visit_done",
            {"visit_id": "p-1:monthly:2026-11-01", "by": "李", "outcome": "well", "note": "长" * 501},
        ),
        ("visit_done", {"visit_id": "p-1:monthly:2026-11-01", "by": "李", "outcome": "well", "seen_ms": 7}),
        (
            "visit_done",
            {"visit_id": "p-1:monthly:2026-11-01", "by": "李", "outcome": "well", "seen_ms": 2**52},
        ),
        ("visit_done", {"visit_id": "p-1:monthly:2026-11-01", "by": "李", "outcome": "away", "until_ms": 7}),
        (
            "visit_done",
            {"visit_id": "p-1:monthly:2026-11-01", "by": "李", "outcome": "help", "raise": "hall"},
        ),
        ("open_visit", {"person_id": "p-9", "by": "李"}),
        ("open_visit", {"person_id": "p-1", "by": "李", "reason": "monthly"}),
        ("reopen_visit", {"visit_id": "p-1:monthly:2026-11-01", "by": "李"}),
        ("pause_visits", {"person_id": "p-1", "by": "李", "why": "away", "until_ms": 2**52}),
        ("pause_visits", {"person_id": "p-1", "by": "李", "why": "asleep", "until_ms": 2**41}),
    ],
)
def test_what_makes_no_sense_is_refused_in_both_languages_and_changes_nothing(
    hall: Hall, order: str, fields: dict[str, object]
) -> None:
    hall.person(visit_tier="monthly")
    before = dict(hall.book)
    with pytest.raises(OrderRefused) as refused:
        hall.order(order, **fields)
    assert refused.value.why_zh and refused.value.why_en
    assert hall.book == before


# ---------------------------------------------------------------- hospital, travel, changes of a row


def test_whoever_is_in_hospital_is_not_visited_and_is_on_the_day_after(hall: Hall) -> None:
    hall.person(visit_tier="weekly")
    until_ms = ms("2026-11-27T08:00")
    hall.order(
        "visit_done",
        visit_id="p-1:weekly:2026-11-02",
        by="李",
        outcome="hospital",
        until_ms=until_ms,
    )
    hall.until("2026-11-27T07:59")
    assert hall.open == [] and [one.outcome for one in hall.visits] == ["hospital"], (
        "two weeks, and nobody missed"
    )
    hall.until("2026-11-27T08:00")
    assert hall.open == [("event", "due", "2026-11-28"), ("weekly", "due", "2026-11-29")]


def test_a_journey_ends_earlier_than_was_said(hall: Hall) -> None:
    hall.person(visit_tier="monthly")
    hall.order("pause_visits", person_id="p-1", by="李", why="away", until_ms=ms("2027-01-10T00:00"))
    assert hall.open == [] and hall.visits[0].outcome == "paused"
    hall.until("2026-12-05T10:00")
    hall.order("pause_visits", person_id="p-1", by="李", until_ms=0)
    assert hall.open == [("monthly", "due", "2026-12-31")], "November is nobody's fault"
    assert hall.order("pause_visits", person_id="p-1", by="李", until_ms=0).duplicate
    hall.until("2027-01-15T00:00")
    assert Counter(one.visit_id.rpartition(":")[2] for one in hall.visits)["2027-01-01"] == 1


def test_back_within_the_same_month_the_same_visit_is_due_again(hall: Hall) -> None:
    hall.person(visit_tier="monthly")
    hall.order("pause_visits", person_id="p-1", by="李", until_ms=ms("2026-11-20T00:00"))
    hall.until("2026-11-20T10:00")
    assert hall.open == [("monthly", "due", "2026-11-30")]
    assert len(hall.visits) == 1


def test_what_was_open_beside_a_visit_that_found_nobody_at_home_is_due_again_on_return(hall: Hall) -> None:
    hall.person(visit_tier="monthly")
    hall.order("open_visit", person_id="p-1", reason="event", by="小李")
    event = next(one for one in hall.visits if one.reason == "event")
    found = {"visit_id": event.visit_id, "by": "李", "outcome": "away", "until_ms": hall.now_ms + 3 * 24 * HOUR_MS}
    hall.order("visit_done", **found)
    assert hall.open == []
    hall.after(days=4)
    assert hall.open == [("monthly", "due", "2026-11-30")]
    hall.until("2026-12-01T08:00")
    assert [one[0] for one in hall.open] == ["monthly", "monthly"], "one was missed, one begins"


def test_taken_back_the_absence_was_none_and_no_visit_is_opened_twice(hall: Hall) -> None:
    hall.person(visit_tier="monthly")
    hall.order("open_visit", person_id="p-1", reason="event", by="小李")
    event = next(one for one in hall.visits if one.reason == "event")
    hall.order("visit_done", visit_id=event.visit_id, by="李", outcome="away")
    hall.order("reopen_visit", visit_id=event.visit_id, by="李")
    assert sorted(one[0] for one in hall.open) == ["event", "monthly"]
    hall.order("visit_done", visit_id=event.visit_id, by="李", outcome="well")
    hall.after(days=10)
    assert hall.open == [], "seen is seen, also a week of midnights later"


def test_another_tier_another_grid_nobody_any_more(hall: Hall) -> None:
    hall.person(visit_tier="monthly")
    hall.person(visit_tier="weekly", grid="g2")
    assert [(one.reason, one.state, one.grid) for one in hall.visits] == [
        ("monthly", "void", "g1"),
        ("weekly", "due", "g2"),
    ]
    hall.person(grid="g1")
    assert [one.grid for one in hall.visits if not one.settled] == ["g1"]
    hall.person(visit_tier="monthly")
    hall.person(active=False)
    assert hall.open == []
    hall.row(RowGone("people", "p-1"))
    hall.until("2027-03-01T00:00")
    assert hall.open == [] and not hall.state.timers


def test_done_this_month_and_back_to_the_tier_nobody_knocks_twice(hall: Hall) -> None:
    hall.person(visit_tier="monthly")
    hall.order("visit_done", visit_id="p-1:monthly:2026-11-01", by="李", outcome="well")
    hall.person(visit_tier="none")
    hall.person(visit_tier="monthly")
    assert hall.open == [] and hall.visits[0].state == "done"


# ---------------------------------------------------------------- after an event


@pytest.mark.parametrize(
    ("outcome", "follows"),
    [("helped", 1), ("hospital", 1), ("no_answer", 1), ("false_alarm", 0), ("test", 0)],
)
def test_an_emergency_that_was_one_is_followed_by_a_visit_within_a_day(
    hall: Hall, outcome: str, follows: int
) -> None:
    hall.row(*HELPERS)
    hall.person()
    press(hall)
    hall.order("close_call", call_id=1, by="小李", outcome=outcome)
    assert len(hall.open) == follows
    hall.after(hours=23.9)
    assert ["今天到期 1 次" in text for _, text in hall.messages] == [True] * follows, "the morning's message"
    hall.after(hours=0.1)
    assert [who for who, _ in hall.messages[1:]] == ["grid-1"] * follows
    hall.after(hours=23.9)
    before = len(hall.messages)
    hall.after(hours=0.1)
    assert [who for who, _ in hall.messages[before:]] == ["grid-1", "head-3", "head-3"] * follows


def test_a_close_that_is_taken_back_takes_its_visit_back_and_closed_again_it_comes_again(hall: Hall) -> None:
    hall.person()
    press(hall)
    hall.order("close_call", call_id=1, by="小李", outcome="helped")
    closed = hall.state.calls[1]
    again = Call(**{**{n: getattr(closed, n) for n in Call.__slots__}, "state": "HEARD", "closed_ms": None})
    decision = Decision(changes=[again])
    caring.follow(hall.state, decision, hall.now_ms)
    hall._did(decision)
    assert hall.open == [] and hall.visits[0].outcome == "reopened"
    hall.order("close_call", call_id=1, by="小李", outcome="hospital")
    assert [one[0] for one in hall.open] == ["event"]


# ---------------------------------------------------------------- thirty days


def test_thirty_days_of_three_hundred_homes(hall: Hall) -> None:
    """Every visit of every period exists once, is settled or climbing, and no timer is left over for nobody."""
    hall.row(*HELPERS)
    tiers = ("weekly", "monthly", "quarterly")
    for number in range(300):
        hall.person(f"p-{number}", visit_tier=tiers[number % 3], grid=f"g{number % 2 + 1}")
    for day in range(30):
        hall.after(days=1)
        waiting = [one for one in hall.visits if not one.settled]
        for visit in waiting[day % 7 :: 7]:
            hall.order("visit_done", visit_id=visit.visit_id, by="李", outcome="well")
    ids = [one.visit_id for one in hall.visits]
    assert len(ids) == len(set(ids))
    weekly = Counter(one.person_id for one in hall.visits if one.reason == "weekly")
    assert set(weekly.values()) == {5} and len(weekly) == 100
    assert set(hall.state.timers) == {"visits:night", "visits:morning"}
    for visit in hall.visits:
        assert visit.state == "done" or (visit.state == "missed") == (visit.due_ms <= hall.now_ms)
    assert all(one.due_ms > hall.now_ms for one in hall.state.timers.values())


def test_settled_visits_leave_memory_and_stay_in_the_notebook(hall: Hall) -> None:
    hall.person(visit_tier="monthly")
    hall.order("visit_done", visit_id="p-1:monthly:2026-11-01", by="李", outcome="well")
    hall.state.forget_old(hall.now_ms)
    assert not hall.state.table(Visit) and len(hall.visits) == 1
    with pytest.raises(OrderRefused, match="settled long ago"):
        hall.order("visit_done", visit_id="p-1:monthly:2026-11-01", by="王", outcome="well")


def test_it_is_all_by_the_clock_of_the_hall() -> None:
    hall = Hall("2026-11-02T10:00", UTC)
    hall.person(visit_tier="monthly")
    rows = [one for one in hall.state.timers.values() if isinstance(one, TimerSet)]
    assert {datetime.fromtimestamp(one.due_ms / 1000, UTC).strftime("%d %H:%M") for one in rows} == {
        "03 00:00",
        "03 09:00",
    }
    assert all(one.by_wall for one in rows)
    assert not [
        one
        for one in hall.order("open_visit", person_id="p-1", by="李").changes
        if isinstance(one, TimerGone)
    ]


def test_a_long_list_looks_at_all_visits_once_and_not_once_a_person(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A press waits while a list is decided: what it costs grows with the list, and not with its square."""
    people = [
        {"person_id": f"p-{number}", "name": "王", "grid": "g1", "visit_tier": "monthly"}
        for number in range(2, 202)
    ]
    hall.order("put_many", table="people", rows=people, by="李")
    looked, rows = [0], Draft.rows

    def counted(draft: Draft, kind: type[Visit]) -> Iterator[Visit]:
        for row in rows(draft, kind):
            looked[0] += 1
            yield row

    monkeypatch.setattr(Draft, "rows", counted)
    hall.order("put_many", table="people", rows=[{**one, "grid": "g2"} for one in people], by="李")
    visits = hall.state.table(Visit).values()
    assert sum(one.grid == "g2" for one in visits) == 200
    assert 0 < looked[0] <= len(visits)


def test_what_a_draft_has_found_once_follows_what_is_put_into_it_afterwards(hall: Hall) -> None:
    draft = Draft(hall.state, hall.now_ms)

    def found(person_id: str) -> list[str]:
        return [one.visit_id for one in draft.having(Visit, "person_id", person_id)]

    assert found("x") == []
    draft.put(Visit("v", "x", "event", 1, 2), Visit("w", "x", "event", 1, 2))
    assert found("x") == ["v", "w"]
    draft.put(Visit("v", "y", "event", 1, 2), RowGone(Visit.TABLE, "w"))
    assert (found("x"), found("y")) == ([], ["v"])

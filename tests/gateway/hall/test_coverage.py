"""The month's report: what counts as in time, late, missed, excused; and whose month a visit belongs to."""

from __future__ import annotations

from datetime import date

from gateway.hall.coverage import coverage
from tests.gateway.hall.caring_hall import SHANGHAI, Hall, ms

NOVEMBER, DECEMBER = date(2026, 11, 1), date(2026, 12, 1)


def done(hall: Hall, visit_id: str, outcome: str = "well", **more: object) -> None:
    hall.order("visit_done", visit_id=visit_id, by="李", outcome=outcome, **more)


def test_a_november_of_two_grids() -> None:
    hall = Hall("2026-11-02T10:00")
    for person_id, grid in (("a", "g1"), ("b", "g1"), ("c", "g1"), ("d", "g2"), ("e", "g2")):
        hall.person(person_id, visit_tier="monthly", grid=grid)
    done(hall, "a:monthly:2026-11-01")
    done(hall, "c:monthly:2026-11-01", "hospital", until_ms=ms("2027-02-01T00:00"))
    hall.until("2026-11-30T20:00")
    done(hall, "d:monthly:2026-11-01", "help")
    hall.until("2026-12-03T10:00")
    done(hall, "b:monthly:2026-11-01")

    lines, whole = coverage(hall.visits, SHANGHAI, NOVEMBER)
    assert [(one.grid, one.due, one.in_time, one.late, one.missed, one.excused) for one in lines] == [
        ("g1", 2, 1, 1, 0, 1),
        ("g2", 2, 1, 0, 1, 0),
    ]
    assert (whole.people, whole.seen, whole.share) == (4, 2, 0.5), "b was seen in December: not in November"
    assert whole.as_json()["share"] == 0.5

    lines, whole = coverage(hall.visits, SHANGHAI, DECEMBER)
    assert [(one.grid, one.due, one.waiting, one.in_time, one.people, one.seen) for one in lines] == [
        ("g1", 2, 1, 1, 2, 1),
        ("g2", 2, 2, 0, 2, 0),
    ]


def test_each_week_belongs_to_the_month_of_its_sunday() -> None:
    hall = Hall("2026-11-02T10:00")
    hall.person(visit_tier="weekly")
    hall.until("2027-01-10T10:00")
    due = [coverage(hall.visits, SHANGHAI, month)[1].due for month in (NOVEMBER, DECEMBER, date(2027, 1, 1))]
    assert due == [4, 4, 2], "Sundays: 8 15 22 29 November, 6 13 20 27 December, 3 10 January"


def test_what_need_not_have_been_made_counts_for_nobody() -> None:
    hall = Hall("2026-11-02T10:00")
    hall.person(visit_tier="monthly")
    hall.person(visit_tier="none")
    lines, whole = coverage(hall.visits, SHANGHAI, NOVEMBER)
    assert (lines, whole.due, whole.share) == ([], 0, None)


def test_a_silent_home_and_an_event_count_where_they_were_due() -> None:
    hall = Hall("2026-11-02T10:00")
    hall.person(quiet_after_h=12)
    hall.order("open_visit", person_id="p-1", by="小李")
    hall.after(hours=13)
    for visit in [one for one in hall.visits if not one.settled]:
        if hall.state.tables["visits"][visit.visit_id].state == "due":
            done(hall, visit.visit_id)
    _, whole = coverage(hall.visits, SHANGHAI, NOVEMBER)
    assert (whole.due, whole.in_time, whole.people, whole.seen) == (2, 2, 1, 1)

"""The week's table: who stands in it, where it says that nobody is there, and for whom nobody at all would come."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

from gateway.hall.rosters import Book, Home
from gateway.hall.rows import Helper, Holiday, Shift, Substitution
from kiosk.rules.week import Line, alone, monday_of, week

SHANGHAI, MONDAY = ZoneInfo("Asia/Shanghai"), date(2026, 11, 23)


def book(*rows: Helper | Shift | Substitution | Holiday) -> Book:
    return Book(
        {one.helper_id: one for one in rows if isinstance(one, Helper)},
        [one for one in rows if isinstance(one, Shift)],
        [one for one in rows if isinstance(one, Substitution)],
        {one.day: one for one in rows if isinstance(one, Holiday)},
    )


def said(line: Line, day: int) -> list[str]:
    """A cell in letters: "0-480 night", "480-1440 -" for a gap, "(a)" for somebody of another line."""
    return [
        f"{span.from_min}-{span.to_min} "
        + (
            "+".join(one.helper.helper_id + ("*" if one.instead_of else "") for one in span.there)
            or "".join(f"({one.helper_id})" for one in span.others)
            or "-"
        )
        for span in line.days[day]
    ]


def test_a_day_is_told_from_midnight_to_midnight_and_its_gaps_are_counted() -> None:
    hall = book(Helper("a", "a", "duty"), Shift("s", "a", weekdays=1, from_min=1320, to_min=360))
    (line,) = week(hall, ["duty"], MONDAY, SHANGHAI, {})
    assert said(line, 0) == ["0-1320 -", "1320-1440 a"]
    assert said(line, 1) == ["0-360 a", "360-1440 -"]
    assert said(line, 2) == ["0-1440 -"]
    assert line.gaps == 7 * 1440 - 480


def test_a_substitute_stands_in_the_line_of_the_one_who_is_away() -> None:
    hall = book(
        Helper("a", "a", "grid", grid="一"),
        Helper("b", "b", "volunteer"),
        Substitution("u", "a", "b", "2026-11-24", "2026-11-24"),
    )
    (line,) = week(hall, ["grid"], MONDAY, SHANGHAI, {"一": 3})
    assert [said(line, day) for day in (0, 1, 2)] == [["0-1440 a"], ["0-1440 b*"], ["0-1440 a"]]


def test_each_part_of_the_compound_has_a_line_and_who_goes_everywhere_fills_its_gaps() -> None:
    hall = book(
        Helper("all", "all", "volunteer"),
        Helper("one", "one", "volunteer", grid="一"),
        Shift("s", "one", from_min=480, to_min=960),
    )
    lines = week(hall, ["volunteer"], MONDAY, SHANGHAI, {})
    assert [line.home for line in lines] == [Home(), Home("一")]
    assert said(lines[1], 0) == ["0-480 (all)", "480-960 one", "960-1440 (all)"]
    assert [line.gaps for line in lines] == [0, 0]


def test_a_grid_without_an_officer_and_a_role_without_anybody_have_lines_of_their_own() -> None:
    hall = book(Helper("a", "a", "grid", grid="一"))
    lines = week(hall, ["grid", "guard"], MONDAY, SHANGHAI, {"一": 3, "二": 12, "": 1})
    assert [(line.role, line.home.grid, line.helpers, line.homes) for line in lines] == [
        ("grid", "一", 1, 0), ("grid", "二", 0, 12), ("guard", "", 0, 0),
    ]  # fmt: skip
    assert lines[1].gaps == lines[2].gaps == 7 * 1440


def test_it_says_when_nobody_at_all_would_come_and_for_how_many() -> None:
    homes = {Home("一", "3栋"): 5, Home("二"): 2, Home(): 1}
    hall = book(
        Helper("duty", "duty", "duty"),
        Shift("s", "duty", weekdays=0b0111111, from_min=0, to_min=1440),
        Helper("head", "head", "building", grid="一", building="3栋"),
    )
    (one,) = alone(hall, ["duty", "building"], MONDAY, SHANGHAI, homes)
    # On Sunday only the head of 3栋 is there: he has his five, and the one of whom nobody knows where he lives.
    assert (one.day.isoformat(), one.from_min, one.to_min, one.residents) == ("2026-11-29", 0, 1440, 2)
    assert alone(hall, ["duty", "building"], MONDAY, SHANGHAI, {Home("一", "3栋"): 5}) == []


def test_a_week_begins_on_monday() -> None:
    assert monday_of(date(2026, 11, 29)) == monday_of(MONDAY) == MONDAY

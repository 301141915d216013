"""A week's roster as a table: who is on duty when, and where nobody is. Pure: it asks the hall's own rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from itertools import pairwise

from gateway.hall.rosters import Book, Duty, Home, duties, responsible, spans
from gateway.hall.rows import Helper

DAYS = 7


@dataclass(frozen=True, slots=True)
class Span:
    """From one minute of a day to another. ``there``: who is on duty; ``others``: nobody of this line, but somebody
    else answers for its homes; both empty: a gap."""

    from_min: int
    to_min: int
    there: tuple[Duty, ...] = ()
    others: tuple[Helper, ...] = ()

    @property
    def is_gap(self) -> bool:
        return not self.there and not self.others


@dataclass(frozen=True, slots=True)
class Line:
    """One role for one part of the compound. ``homes``: so many residents live where nobody has this role at all."""

    role: str
    home: Home
    days: tuple[tuple[Span, ...], ...]
    helpers: int = 0
    homes: int = 0

    @property
    def gaps(self) -> int:
        """How many minutes of the week nobody is there."""
        return sum(span.to_min - span.from_min for day in self.days for span in day if span.is_gap)


@dataclass(frozen=True, slots=True)
class Alone:
    """From one minute of a day to another nobody at all would come to so many residents."""

    day: date
    from_min: int
    to_min: int
    residents: int


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def week(book: Book, roles: Iterable[str], first: date, zone: tzinfo, grids: Mapping[str, int]) -> list[Line]:
    """The lines of the week that begins with ``first``, by role.

    :param grids: how many residents live in each grid; a grid without an officer is a line of its own.
    """
    lines: list[Line] = []
    for role in roles:
        owners = [one for one in book.helpers.values() if one.role == role and one.active]
        homes = sorted({Home(one.grid, one.building, one.unit) for one in owners}, key=_in_order)
        served = {home: sum(_home(one) == home for one in owners) for home in homes}
        empty: dict[Home, int] = {} if homes else {Home(): 0}
        if role == "grid" and homes and Home() not in served:
            known = {home.grid for home in homes}
            empty = {Home(grid): count for grid, count in sorted(grids.items()) if grid and grid not in known}
        days: dict[Home, list[tuple[Span, ...]]] = {home: [] for home in (*homes, *empty)}
        for number in range(DAYS):
            for home, of_day in _day(book, role, owners, first + timedelta(days=number), zone, days).items():
                days[home].append(of_day)
        lines += [
            Line(role, home, tuple(of_week), served.get(home, 0), empty.get(home, 0))
            for home, of_week in days.items()
        ]
    return lines


def alone(
    book: Book, roles: Iterable[str], first: date, zone: tzinfo, homes: Mapping[Home, int]
) -> list[Alone]:
    """When in this week no step of a ladder with these roles would find anybody.

    :param homes: how many residents live in each home.
    """
    roles = tuple(dict.fromkeys(roles))
    owners = [one for one in book.helpers.values() if one.role in roles and one.active]
    counted: dict[frozenset[Home], int] = {}
    found: list[Alone] = []
    for number in range(DAYS):
        day = first + timedelta(days=number)
        for from_min, to_min in pairwise(_edges(book, owners)):
            at = datetime.combine(day, time(from_min // 60, from_min % 60), zone)
            # The same people are there again and again: what they answer for is worked out once.
            there = [one for role in roles for one in duties(book, role, at)]
            served = frozenset(_home(one.owner) for one in there)
            if served not in counted:
                counted[served] = sum(n for home, n in homes.items() if not responsible(there, home))
            if not counted[served]:
                continue
            last = found[-1] if found else None
            if last and (last.day, last.to_min, last.residents) == (day, from_min, counted[served]):
                found[-1] = Alone(day, last.from_min, to_min, last.residents)
            else:
                found.append(Alone(day, from_min, to_min, counted[served]))
    return found


def _edges(book: Book, owners: Iterable[Helper]) -> list[int]:
    """The minutes of a day at which duties may change: where a shift begins or ends, and midnight."""
    edges = {0, 1440}
    for owner in owners:
        for shift in book.shifts_of(owner.helper_id):
            edges.update(minute for span in spans(shift) for minute in span)
    return sorted(edges)


def _day(
    book: Book, role: str, owners: list[Helper], day: date, zone: tzinfo, homes: Iterable[Home]
) -> dict[Home, tuple[Span, ...]]:
    """One day of each line."""
    found: dict[Home, list[Span]] = {home: [] for home in homes}
    for from_min, to_min in pairwise(_edges(book, owners)):
        at = datetime.combine(day, time(from_min // 60, from_min % 60), zone)
        there = duties(book, role, at)
        for home, so_far in found.items():
            mine = tuple(one for one in there if _home(one.owner) == home)
            others = () if mine else tuple(responsible(there, home))
            _add(so_far, Span(from_min, to_min, mine, others))
    return {home: tuple(so_far) for home, so_far in found.items()}


def _add(so_far: list[Span], new: Span) -> None:
    """Put a span behind the others, or make the last one longer where the same people go on."""
    if so_far and _people(so_far[-1]) == _people(new):
        last = so_far.pop()
        new = Span(last.from_min, new.to_min, last.there, last.others)
    so_far.append(new)


def _people(span: Span) -> tuple[object, ...]:
    return (
        tuple((one.helper.helper_id, one.instead_of) for one in span.there),
        tuple(one.helper_id for one in span.others),
    )


def _home(helper: Helper) -> Home:
    return Home(helper.grid, helper.building, helper.unit)


def _in_order(home: Home) -> tuple[str, str, str]:
    return home.grid, home.building, home.unit

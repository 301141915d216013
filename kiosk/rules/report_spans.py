"""The span of a report: a day, a week from Monday, a month; the one before it and after it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

Kind = Literal["day", "week", "month"]
KINDS: tuple[Kind, ...] = ("day", "week", "month")
_DAY = timedelta(days=1)
#: No hall of ours is older, none is looked at later; it also keeps a date within what a calendar can add to.
EARLIEST, LATEST = date(2000, 2, 1), date(2200, 1, 1)


@dataclass(frozen=True, slots=True)
class Span:
    """``first`` to ``last``, both included."""

    kind: Kind
    first: date
    last: date

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last

    @property
    def before(self) -> Span:
        return span(self.kind, self.first - _DAY)

    @property
    def after(self) -> Span:
        return span(self.kind, self.last + _DAY)

    def days(self) -> list[date]:
        return [self.first + _DAY * n for n in range((self.last - self.first).days + 1)]


def span(kind: Kind, day: date) -> Span:
    """The span of this kind in which ``day`` lies (moved into the years that are looked at)."""
    day = min(max(day, EARLIEST), LATEST)
    if kind == "day":
        return Span(kind, day, day)
    if kind == "week":
        monday = day - _DAY * day.weekday()
        return Span(kind, monday, monday + _DAY * 6)
    first = day.replace(day=1)
    return Span(kind, first, (first + timedelta(days=32)).replace(day=1) - _DAY)


def compared(of: Span, today: date) -> tuple[date, date]:
    """The days that a span is compared with: the span before; of one that is not over, only as many days of it."""
    before = of.before
    if today in of and today < of.last:
        return before.first, min(before.last, before.first + (today - of.first))
    return before.first, before.last


def scale(highest: float, lines: int = 4) -> list[float]:
    """The lines of a scale that reaches ``highest``: 1, 2 or 5 times a power of ten apart, at least one step."""
    step = 1.0
    while step * lines < highest:
        step *= 2 if str(step)[0] in "15" else 2.5
    return [step * n for n in range(1, max(1, -int(-highest // step)) + 1)]

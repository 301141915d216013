"""Who was visited in a month, by grid: the report that the ministries ask for (their bar: 100 % a month). Pure.

A visit belongs to the month in which its last day lies. ``excused``: the person was in hospital, away or had moved.
Counts stand beside their shares: a share of three people is no achievement and no failure.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, tzinfo

from gateway.hall.days import moment_ms, month_after
from gateway.hall.rows import Visit
from gateway.hall.visits import EXCUSED, SEEN


@dataclass(slots=True)
class Line:
    """One grid's month ("" is of whom nobody wrote down the grid). Visits, and the people they were for."""

    grid: str
    due: int = 0
    in_time: int = 0
    late: int = 0
    missed: int = 0
    waiting: int = 0
    excused: int = 0
    _people: set[str] = field(default_factory=set, repr=False)
    _seen: set[str] = field(default_factory=set, repr=False)

    @property
    def people(self) -> int:
        """Whoever was to be visited in this month."""
        return len(self._people)

    @property
    def seen(self) -> int:
        """Of these, whoever was seen in it at least once."""
        return len(self._seen & self._people)

    @property
    def share(self) -> float | None:
        """月探访率, 0 to 1; None where nobody was to be visited."""
        return self.seen / self.people if self._people else None

    def as_json(self) -> dict[str, object]:
        share = self.share
        return {
            "grid": self.grid,
            "due": self.due,
            "in_time": self.in_time,
            "late": self.late,
            "missed": self.missed,
            "waiting": self.waiting,
            "excused": self.excused,
            "people": self.people,
            "seen": self.seen,
            "share": None if share is None else round(share, 4),
        }


def span_ms(zone: tzinfo, month: date) -> tuple[int, int]:
    """A month's first moment and the first one after it. A visit is of the month when its due lies after the first
    and not after the second: the last day of November is due at its midnight."""
    return moment_ms(zone, month), moment_ms(zone, month_after(month))


def coverage(visits: Iterable[Visit], zone: tzinfo, month: date) -> tuple[list[Line], Line]:
    """Each grid's line, by grid, and all of them together. ``visits`` may hold more than the month's."""
    return coverage_in(visits, *span_ms(zone, month))


def coverage_in(visits: Iterable[Visit], first_ms: int, after_ms: int) -> tuple[list[Line], Line]:
    """As `coverage`, of any time: from its first moment to the first one after it."""
    lines: dict[str, Line] = {}
    whole = Line("")
    for visit in visits:
        in_grid = lines.setdefault(visit.grid, Line(visit.grid))
        seen = visit.state == "done" and visit.outcome in SEEN
        for line in (in_grid, whole):
            if seen and first_ms <= visit.done_ms < after_ms:
                line._seen.add(visit.person_id)
            if first_ms < visit.due_ms <= after_ms:
                _count(line, visit, seen)
    return sorted((one for one in lines.values() if one.due or one.excused), key=lambda one: one.grid), whole


def _count(line: Line, visit: Visit, seen: bool) -> None:
    if visit.state in ("done", "void") and not seen:
        # Void for another reason (its tier was changed, a call was reopened) was never to be made.
        line.excused += visit.outcome in EXCUSED
        return
    line.due += 1
    line._people.add(visit.person_id)
    if seen:
        line.in_time += visit.done_ms < visit.due_ms
        line.late += visit.done_ms >= visit.due_ms
    elif visit.state == "missed":
        line.missed += 1
    else:
        line.waiting += 1

"""How long the line's records are kept. Pure.

A ticket says when somebody stood where for what, its token is a link that its holder may still have, and its journal
names who served. After 90 days nobody asks for a single one of them any more; what a hall learns from is in ``serves``,
which never held anything of a person, and in ``serve_days``, which are only counts and durations.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

#: Tickets with their items, slips, estimates, announcements, appointments and journal. Our choice: a complaint comes
#: within a quarter of a year.
TICKETS_DAYS = 90
#: Rows of ``serves``: two years and some weeks, so that a month can be compared with the same month of the year before.
SERVES_DAYS = 800


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is older than these days is forgotten ("" forgets nothing)."""

    tickets_before: str
    serves_before: str


def bounds(clock_day: date, newest_day: str) -> Bounds:
    """
    :param clock_day: today by the hall's clock.
    :param newest_day: the newest business day of any ticket; "" where there is none.

    The earlier of the two counts: a clock that is a year ahead must not make a hall forget its year.
    """
    if not newest_day:
        return Bounds("", "")
    today = min(clock_day, date.fromisoformat(newest_day))
    return Bounds(
        (today - timedelta(days=TICKETS_DAYS)).isoformat(), (today - timedelta(days=SERVES_DAYS)).isoformat()
    )

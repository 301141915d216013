"""The hall's calendar: days, minutes of a day, weeks, months, quarters. Pure; a zone is handed in.

A day is the hall's own, from midnight to midnight by its wall clock: where a zone has summer time one of them has 23
hours and one has 25, and no rule here counts in hours what people count in days.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: Outside of these there is no calendar (a zone may move a moment by a day); the nearest moment that has one counts.
_FIRST_MS, _LAST_MS = DAY_MS, 253_000_000_000_000


def day_of(zone: tzinfo, at_ms: int) -> date:
    """The hall's day at that moment."""
    moment = _EPOCH + timedelta(milliseconds=min(max(at_ms, _FIRST_MS), _LAST_MS))
    return moment.astimezone(zone).date()


def moment_ms(zone: tzinfo, day: date, minute: int = 0) -> int:
    """When the hall's clock shows that minute of that day; below 0 or from 1440 on it is of a neighbouring day."""
    days, rest = divmod(minute, 1440)
    local = datetime.combine(day + timedelta(days=days), time(rest // 60, rest % 60), zone)
    return round(local.timestamp() * 1000)


def period(tier: str, day: date) -> tuple[date, date]:
    """The week (from Monday), month or quarter in which a day lies: its first day, and the first one after it."""
    if tier == "weekly":
        first = day - timedelta(days=day.weekday())
        return first, first + timedelta(days=7)
    months = 3 if tier == "quarterly" else 1
    first = date(day.year, (day.month - 1) // months * months + 1, 1)
    return first, month_after(first, months)


def month_after(first: date, months: int = 1) -> date:
    """The first day of the month so many months later (or earlier, below 0)."""
    years, month = divmod(first.month - 1 + months, 12)
    return date(first.year + years, month + 1, 1)


def day_named(word: str) -> date | None:
    """The day that "2026-11-22" names; None where it names none."""
    try:
        return date.fromisoformat(word) if len(word) == 10 else None
    except ValueError:
        return None

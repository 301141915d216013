"""Is the hall open, is an item served, and when next? Pure: spans of minutes, days, and a wall clock that is handed in.

    hall = Week({1: ((540, 720), (840, 1020))})          # Mondays 9:00-12:00 and 14:00-17:00
    standing(Book(hall), "", monday_noon)                # open False, opens Monday 14:00

Rules, in this order:

1. A day of `hall_days` (a holiday, a working Sunday) overrules the hall's week.
2. A hall without any hours is always open: a fresh hall prints its first slip at once. A hall with hours is closed
   on a weekday without any.
3. An item without hours of its own follows the hall; with hours it is served while both are open.
4. An item that staff have paused is not served on those days, whatever the hours.
5. On a weekend day that the hall works by exception (调休), an item that is otherwise served on each day of the
   hall's week is served by the hours of that week's first day: nobody enters 31 items anew for one Sunday.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal

from devices.faults import OrderRefused
from kiosk.rules.content import Pause

#: Minutes of the hall's day, [from, to).
Span = tuple[int, int]
DAY_MIN = 1440
ALL_DAY: tuple[Span, ...] = ((0, DAY_MIN),)
#: How far ahead the next opening is looked for: longer than any holiday (our choice).
LOOK_AHEAD_DAYS = 60

_WEEKDAYS_ZH = "一二三四五六日"
_WEEKDAYS_EN = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS_EN = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
              "November", "December")  # fmt: skip


@dataclass(frozen=True, slots=True)
class HallDay:
    """One exceptional day: its spans (none: closed) and why, in the residents' words ("国庆节")."""

    spans: tuple[Span, ...]
    why_zh: str = ""
    why_en: str = ""


@dataclass(frozen=True, slots=True)
class Week:
    """Spans by weekday (1 Monday … 7 Sunday); a weekday that is not there is closed. Empty: no hours were set."""

    spans: Mapping[int, tuple[Span, ...]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return any(self.spans.values())


@dataclass(frozen=True, slots=True)
class Book:
    """All hours of a hall: its week, its exceptional days by "2026-10-01", the weeks of items with hours, and the
    pauses of items."""

    hall: Week = field(default_factory=Week)
    days: Mapping[str, HallDay] = field(default_factory=dict)
    items: Mapping[str, Week] = field(default_factory=dict)
    pauses: Mapping[str, Pause] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Standing:
    """``opens`` is None while it is open, and where nothing opens within `LOOK_AHEAD_DAYS`."""

    open: bool
    whose: Literal["", "hall", "item"] = ""
    """Whose hours are in the way; "" while it is open."""
    opens: datetime | None = None
    closes: datetime | None = None
    """The end of the span that is running; None where it never ends."""
    why_zh: str = ""
    why_en: str = ""


class HallClosed(OrderRefused):
    """No numbers now: the hall is closed. The words say when it opens."""


class ItemClosed(OrderRefused):
    """The hall is open, but this item is not served now. The words say when it is."""


# ---------------------------------------------------------------- what is open


def hall_spans(book: Book, day: date) -> tuple[Span, ...]:
    """When the hall is open on this day."""
    exception = book.days.get(day.isoformat())
    if exception is not None:
        return merged(exception.spans)
    return merged(book.hall.spans.get(day.isoweekday(), ())) if book.hall else ALL_DAY


def spans_of(book: Book, service_code: str, day: date) -> tuple[Span, ...]:
    """When the item is served on this day ("" is the hall itself)."""
    hall = hall_spans(book, day)
    if (pause := book.pauses.get(service_code)) is not None and pause.on(day):
        return ()
    week = book.items.get(service_code)
    if not week or not hall:
        return hall
    own = week.spans.get(day.isoweekday(), ())
    if not own and _works_by_exception(book, day) and _served_each_day(book, week):
        own = week.spans[min(number for number, spans in week.spans.items() if spans)]
    return both(hall, own)


def _works_by_exception(book: Book, day: date) -> bool:
    return day.isoformat() in book.days and bool(book.hall) and not book.hall.spans.get(day.isoweekday())


def _served_each_day(book: Book, week: Week) -> bool:
    return all(week.spans.get(number) for number, spans in book.hall.spans.items() if spans)


def is_open(book: Book, service_code: str, at: datetime) -> bool:
    """Whether the item is served at this moment; asks for nothing but this day."""
    minute = at.hour * 60 + at.minute
    return any(first <= minute < last for first, last in spans_of(book, service_code, at.date()))


def standing(book: Book, service_code: str, at: datetime) -> Standing:
    """How it stands with the item ("" is the hall) at this moment of the hall's wall clock (with its zone)."""
    minute = at.hour * 60 + at.minute
    for first, last in spans_of(book, service_code, at.date()):
        if first <= minute < last:
            return Standing(True, closes=_end(book, service_code, at, last))
    if (pause := book.pauses.get(service_code)) is not None and pause.on(at.date()):
        return Standing(False, "item", _next(book, service_code, at), None, pause.words.zh, pause.words.en)
    hall_open = any(first <= minute < last for first, last in hall_spans(book, at.date()))
    exception = book.days.get(at.date().isoformat())
    # The day's name is the reason only where that day has nothing more to offer.
    over = exception is not None and not any(last > minute for _, last in hall_spans(book, at.date()))
    return Standing(
        False,
        "item" if hall_open else "hall",
        opens=_next(book, service_code, at),
        why_zh=exception.why_zh if exception is not None and over else "",
        why_en=exception.why_en if exception is not None and over else "",
    )


def _end(book: Book, service_code: str, at: datetime, last: int) -> datetime | None:
    """The end of the running span, over midnights; None where it lasts longer than a week."""
    day = at.date()
    for _ in range(7):
        if last < DAY_MIN:
            return _moment(day, last, at)
        day += timedelta(days=1)
        following = spans_of(book, service_code, day)
        if not following or following[0][0] > 0:
            return _moment(day, 0, at)
        last = following[0][1]
    return None


def _next(book: Book, service_code: str, at: datetime) -> datetime | None:
    minute = at.hour * 60 + at.minute
    for ahead in range(LOOK_AHEAD_DAYS + 1):
        day = at.date() + timedelta(days=ahead)
        for first, last in spans_of(book, service_code, day):
            if ahead or last > minute:
                return _moment(day, first, at)
    return None


def _moment(day: date, minute: int, at: datetime) -> datetime:
    return datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=at.tzinfo)


# ---------------------------------------------------------------- spans


def merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    """In order, and without seams: (540, 720), (720, 900) is (540, 900)."""
    whole: list[Span] = []
    for first, last in sorted(spans):
        if whole and first <= whole[-1][1]:
            whole[-1] = (whole[-1][0], max(last, whole[-1][1]))
        elif first < last:
            whole.append((first, last))
    return tuple(whole)


def both(one: Iterable[Span], other: Iterable[Span]) -> tuple[Span, ...]:
    """Where both are open."""
    others = tuple(other)
    return merged((max(a, c), min(b, d)) for a, b in one for c, d in others if max(a, c) < min(b, d))


def read_spans(typed: str) -> tuple[Span, ...]:
    """What staff type: "9:00-12:00 14:00-17:00", "9-12，14-17:30"; "" and "休" are closed.

    :raises OrderRefused: with the part that cannot be read.
    """
    text = typed.strip()
    for sign in "，,、;；":
        text = text.replace(sign, " ")
    for sign in "—–－~～至到":
        text = text.replace(sign, "-")
    text = text.replace("：", ":").replace(" - ", "-")
    spans: list[Span] = []
    for part in text.split():
        if part in _CLOSED:
            continue
        first, dash, last = part.partition("-")
        span = _minute(first), _minute(last) if dash else -1
        if span[0] < 0 or span[1] <= span[0]:
            raise OrderRefused(
                f"看不懂时间“{part[:20]}”，请写成 9:00-12:00",
                f"The hours {part[:20]!r} cannot be read: write 9:00-12:00",
            )
        spans.append(span)
    if len(merged(spans)) > 6:
        raise OrderRefused("一天最多 6 段时间", "At most 6 spans a day")
    return merged(spans)


_CLOSED = ("休", "休息", "不开", "closed", "-")


def _minute(word: str) -> int:
    """ "9:30" as 570; -1 for what is no time of a day (24:00 is one: its end)."""
    hour, colon, minute = word.strip().partition(":")
    if not hour.isdecimal() or len(hour) > 2 or (colon and not (minute.isdecimal() and len(minute) == 2)):
        return -1
    minutes = int(hour) * 60 + int(minute or 0)
    return minutes if minutes <= DAY_MIN and int(minute or 0) < 60 else -1


def clock(minute: int) -> str:
    """540 as "9:00"."""
    return f"{minute // 60}:{minute % 60:02d}"


def say_spans(spans: Iterable[Span]) -> str:
    """As `read_spans` takes it: "9:00-12:00 14:00-17:00"; "" for closed."""
    return " ".join(f"{clock(first)}-{clock(last)}" for first, last in spans)


# ---------------------------------------------------------------- words for residents


def when(opens: datetime, now: datetime) -> tuple[str, str]:
    """The next opening as one says it: 今天 14:00, 明天 9:00, 周一（11月23日）9:00."""
    days, time = (opens.date() - now.date()).days, f"{opens.hour}:{opens.minute:02d}"
    if days == 0:
        return f"今天 {time}", f"today at {time}"
    if days == 1:
        return f"明天 {time}", f"tomorrow at {time}"
    weekday = opens.isoweekday() - 1
    return (
        f"周{_WEEKDAYS_ZH[weekday]}（{opens.month}月{opens.day}日）{time}",
        f"on {_WEEKDAYS_EN[weekday]}, {opens.day} {_MONTHS_EN[opens.month - 1]}, at {time}",
    )


def closed_words(now_is: Standing, now: datetime, name_zh: str = "", name_en: str = "") -> tuple[str, str]:
    """Why there is no number now, and from when there is one; in both languages."""
    reason_zh = f"{now_is.why_zh}，" if now_is.why_zh else ""
    reason_en = f" ({now_is.why_en})" if now_is.why_en else ""
    if now_is.whose == "item" and name_zh and now_is.why_zh:  # only a pause gives an item words of its own
        zh, en = f"“{name_zh}”暂停办理：{now_is.why_zh}", f"“{name_en}” is paused: {now_is.why_en}"
    elif now_is.whose == "item" and name_zh:
        zh, en = f"“{name_zh}”现在不办理", f"“{name_en}” is not served now"
    else:
        zh, en = f"{reason_zh}大厅现在不办理", f"The hall is closed now{reason_en}"
    if now_is.opens is None:
        return f"{zh}，什么时候开始请问服务台", f"{en}; please ask at the desk when it opens"
    soon = when(now_is.opens, now)
    return f"{zh}，{soon[0]} 开始办理", f"{en}; it opens {soon[1]}"


def week_words(week: Week) -> list[tuple[str, str]]:
    """The hall's hours as on a door: a line for each run of weekdays with the same hours; none where none were set."""
    if not week:
        return []
    lines: list[tuple[str, str]] = []
    first = 1
    for weekday in range(1, 8):
        spans = merged(week.spans.get(weekday, ()))
        if weekday < 7 and merged(week.spans.get(weekday + 1, ())) == spans:
            continue
        zh, en = f"周{_WEEKDAYS_ZH[first - 1]}", _WEEKDAYS_EN[first - 1]
        if weekday > first:
            zh, en = f"{zh}至周{_WEEKDAYS_ZH[weekday - 1]}", f"{en} to {_WEEKDAYS_EN[weekday - 1]}"
        lines.append((f"{zh} {say_spans(spans) or '休息'}", f"{en} {say_spans(spans) or 'closed'}"))
        first = weekday + 1
    return lines


def must_be_open(book: Book, service_code: str, now: datetime, name_zh: str, name_en: str) -> None:
    """:raises HallClosed: / :raises ItemClosed: with words that say when it opens next."""
    now_is = standing(book, service_code, now)
    if not now_is.open:
        fault = ItemClosed if now_is.whose == "item" else HallClosed
        raise fault(*closed_words(now_is, now, name_zh, name_en))

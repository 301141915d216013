"""When a zone will be full today, from the same weekday's past and from how it stands now; how wrong that was. Pure.

The method. Each of the last days like today (the same weekday; while there are too few, the same half of the week) is
a possible course of today. It is shifted by how much fuller or emptier today is than that day was at this time; half
of the difference is left after `HALF_LIFE` quarters, for a surprise at noon says little about the evening. Every
shifted course says when it becomes full, or that it does not; of a day on which nobody listened then (the gateway was
off) nobody knows. Where more than half become full, the forecast is the median of their times; where half or fewer can
have done so, "not today"; between the two there is none. No course of a day is smoothed: what is told is made of days
that were.

The error is found by doing the same on days that are over, each with nothing but what lay before it (`backtest`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from kiosk.rules.parking_history import QUARTERS

Curve = Sequence[float | None]

#: How many days like today are asked, how many there must be, and how far back is looked.
MEMBERS_AT_MOST, MEMBERS_AT_LEAST, LOOK_BACK_DAYS = 8, 3, 63
#: After so many quarters half of today's difference is left. On played days of three seeds (linli/played_parking.py)
#: half an hour to an hour missed the fewest full evenings (3 to 9 %; never forgetting: 40 %); minutes differed little.
HALF_LIFE = 4
#: A day of which more than this share of quarters is unknown is no example.
UNKNOWN_AT_MOST = 0.3
#: In a hole of so many quarters a zone may have become full unseen; a shorter one is stepped over (our choice: a zone
#: that fills stays full for longer).
BLIND_QUARTERS = 3
#: A zone that was full is emptier again where so large a share of its bays has become free.
CLEARLY_EMPTIER = 0.1
#: A forecast of occupancy is told for so many quarters from now.
AHEAD = (4, 8, 12)
#: The hours at which a back-test asks.
ASKED_AT = (7, 9, 12, 15, 17, 18)
QUARTER_MIN = 15
#: When a forecast is good enough for residents (our choice; on played days the median error is 30 min, see
#: docs/measurements.md): half of the four weeks that are tested, and no worse than half an hour.
TELL_AFTER_DAYS, TELL_AFTER_HITS, TELL_WITHIN_MIN, TELL_RIGHT = 14, 8, 30, 0.8
_LEFT = 0.5 ** (1 / HALF_LIFE)


@dataclass(frozen=True, slots=True)
class Forecast:
    """Made at quarter ``at``. ``full``: the quarter from which on the zone is full, None: not today.

    ``early`` and ``late``: half of the days that became full did so between them. ``members``: of so many days.
    ``ahead``: (quarter, occupancy) of `AHEAD`.
    """

    at: int
    full: int | None
    early: int | None
    late: int | None
    becoming_full: int
    members: int
    ahead: tuple[tuple[int, float], ...]

    @property
    def now_full(self) -> bool:
        return self.full is not None and self.full <= self.at


@dataclass(frozen=True, slots=True)
class Errors:
    """What a back-test found. Minutes are of forecasts where the zone was to become full, and did.

    ``hits``: full as was told; ``quiet``: not full, as was told; ``missed``: full, and nobody said so; ``false``: told
    to be full, and was not. ``plain_min``: the median error of the same days without looking at today: what one gets
    from "usually at six". ``ahead_points``: median error of occupancy in an hour, in percentage points.
    """

    days: int
    hits: int
    quiet: int
    missed: int
    false: int
    typical_min: float | None
    nine_of_ten_min: float | None
    plain_min: float | None
    ahead_points: float | None

    @property
    def asked(self) -> int:
        return self.hits + self.quiet + self.missed + self.false

    @property
    def right_share(self) -> float | None:
        return (self.hits + self.quiet) / self.asked if self.asked else None


def full_share(bays: int, reserved: int, full_at: int) -> float:
    """From this occupancy on a zone is full: as its panel says (free − reserve ≤ full_at), half a bay of grace."""
    return 1.0 if bays <= 0 else max(0.0, 1.0 - (reserved + full_at + 0.5) / bays)


class Course:
    """A day's occupancy by the quarter, and the highest of what is left of it from each quarter on."""

    __slots__ = ("blind", "example", "highest", "shares")

    def __init__(self, shares: Curve) -> None:
        self.shares = shares
        highest, so_far = [0.0] * len(shares), 0.0
        for number in range(len(shares) - 1, -1, -1):
            share = shares[number]
            if share is not None and share > so_far:
                so_far = share
            highest[number] = so_far
        self.highest = highest
        #: Where nobody listened for `BLIND_QUARTERS` or more: (from, until).
        self.blind = [(begin, end) for begin, end in _holes(shares) if end - begin >= BLIND_QUARTERS]
        #: Whether enough of it is known.
        self.example = sum(share is None for share in shares) <= UNKNOWN_AT_MOST * QUARTERS

    def unseen(self, at: int, until: int | None) -> bool:
        """Whether it may have become full unseen between ``at`` and ``until`` (None: the end of the day)."""
        end_of_it = len(self.shares) if until is None else until
        return any(begin < end_of_it and end > at for begin, end in self.blind)

    def full_at(self, at: int, full_from: float, off: float = 0.0) -> int | None:
        """The first quarter from ``at`` on in which it is full, where it is shifted by ``off`` at ``at``."""
        for number in range(at, len(self.shares)):
            if self.highest[number] + max(0.0, off) < full_from:
                return None
            share = self.shares[number]
            if share is not None and min(1.0, share + off) >= full_from:
                return number
            off *= _LEFT
        return None

    def becomes_full_at(self, full_from: float) -> int | None:
        """When it became full on that day by itself: what is still full of the night before does not count.

        0 where it was full all day; None where it never was, after it had been emptier by `CLEARLY_EMPTIER`.
        """
        emptied = False
        for number, share in enumerate(self.shares):
            if share is None:
                continue
            if share >= full_from and emptied:
                return number
            emptied = emptied or share < full_from - CLEARLY_EMPTIER
        return None if emptied or self.highest[0] < full_from else 0

    def share_at(self, number: int, at: int, off: float) -> float | None:
        """Occupancy then, shifted as above."""
        share = self.shares[number]
        return None if share is None else min(1.0, max(0.0, share + off * _LEFT ** (number - at)))


def _holes(shares: Curve) -> list[tuple[int, int]]:
    """Where nothing is known: (from, until)."""
    holes, begin = [], 0
    for number, share in enumerate((*shares, 0.0)):
        if share is not None:
            if number > begin:
                holes.append((begin, number))
            begin = number + 1
    return holes


def alike(today: date, days: Mapping[date, Course]) -> list[Course]:
    """The newest days like today, all before it."""
    same = _examples(days, [today - timedelta(days=back) for back in range(7, LOOK_BACK_DAYS + 1, 7)])
    if len(same) >= MEMBERS_AT_LEAST:
        return same
    before = [today - timedelta(days=back) for back in range(1, LOOK_BACK_DAYS + 1)]
    return _examples(days, [day for day in before if (day.weekday() >= 5) == (today.weekday() >= 5)])


def _examples(days: Mapping[date, Course], wanted: Sequence[date]) -> list[Course]:
    found = [one for day in wanted if (one := days.get(day)) is not None and one.example]
    return found[:MEMBERS_AT_MOST]


def forecast(at: int, now: float | None, examples: Sequence[Course], full_from: float) -> Forecast | None:
    """The rest of today. None: there are too few days like it, or too few of which anybody knows how they went on.

    :param at: the quarter that has just begun.
    :param now: occupancy now; None: nobody knows, and the days before speak alone.
    """
    if len(examples) < MEMBERS_AT_LEAST:
        return None
    shifted = [(one, _off(one, at, now)) for one in examples]
    times, unseen = _times([(one, one.full_at(at, full_from, off)) for one, off in shifted], at)
    ahead = []
    for number in (at + more for more in AHEAD if at + more < QUARTERS):
        shares = [one.share_at(number, at, off) for one, off in shifted]
        if seen := [share for share in shares if share is not None]:
            ahead.append((number, _median(seen)))
    if now is not None and now >= full_from:
        return Forecast(at, at, at, at, len(times), len(examples), tuple(ahead))
    if 2 * len(times) <= len(examples) < 2 * (len(times) + unseen):
        return None
    if 2 * len(times) <= len(examples):
        return Forecast(at, None, None, None, len(times), len(examples), tuple(ahead))
    early, late = times[len(times) // 4], times[(3 * len(times)) // 4]
    return Forecast(at, round(_median(times)), early, late, len(times), len(examples), tuple(ahead))


def worth_telling(said: Forecast | None, errors: Errors) -> int | None:
    """The quarter at which residents are told that the zone will be full; None: nothing is told.

    A driver plans by it, so it must have been right: on `TELL_AFTER_DAYS` tested days at least, with at least
    `TELL_AFTER_HITS` times that came, off by `TELL_WITHIN_MIN` at most in half of them, right in `TELL_RIGHT` of all.
    """
    if said is None or said.full is None or said.full <= said.at:
        return None
    right, typical = errors.right_share, errors.typical_min
    if errors.days < TELL_AFTER_DAYS or errors.hits < TELL_AFTER_HITS or typical is None or right is None:
        return None
    return said.full if typical <= TELL_WITHIN_MIN and right >= TELL_RIGHT else None


def usual(examples: Sequence[Course], full_from: float) -> tuple[bool, int | None]:
    """Whether anybody knows how such a day usually goes, without looking at today; when it becomes full, None: not."""
    times, unseen = _times([(one, one.becomes_full_at(full_from)) for one in examples], 0)
    if 2 * len(times) > len(examples):
        return True, round(_median(times))
    return 2 * (len(times) + unseen) <= len(examples), None


def _times(said: Sequence[tuple[Course, int | None]], at: int) -> tuple[list[int], int]:
    """The times at which days became full from ``at`` on, sorted; and of how many days nobody knows."""
    times = [time for one, time in said if time is not None and not one.unseen(at, time)]
    return sorted(times), sum(one.unseen(at, time) for one, time in said)


def _off(one: Course, at: int, now: float | None) -> float:
    then = one.shares[at]
    return 0.0 if now is None or then is None else now - then


def backtest(days: Mapping[date, Course], full_from: float, asked_days: Sequence[date]) -> Errors:
    """Forecasts of these days, at each hour of `ASKED_AT`, with nothing but what lay before; against what came.

    A zone that is full when asked is not asked: there is nothing to foretell. Nor is one asked of which nobody knows
    how that day went on: it would prove a forecast right, or wrong, by nothing.
    """
    off_min: list[float] = []
    plain_min: list[float] = []
    points: list[float] = []
    hits = quiet = missed = false = told = 0
    for day in asked_days:
        course = days.get(day)
        if course is None or not course.example:
            continue
        examples = alike(day, days)
        told += len(examples) >= MEMBERS_AT_LEAST
        for at in (4 * hour for hour in ASKED_AT):
            # What is known at that moment is the quarter before it.
            now = course.shares[at - 1]
            if now is None or now >= full_from:
                continue
            said, plain = forecast(at, now, examples, full_from), forecast(at, None, examples, full_from)
            if said is None or plain is None:
                continue
            came = course.full_at(at, full_from)
            if course.unseen(at, came):
                continue
            if said.full is not None and came is not None:
                hits += 1
                off_min.append(abs(said.full - came) * QUARTER_MIN)
            elif said.full is not None:
                false += 1
            elif came is not None:
                missed += 1
            else:
                quiet += 1
            if plain.full is not None and came is not None:
                plain_min.append(abs(plain.full - came) * QUARTER_MIN)
            if said.ahead and (then := course.shares[said.ahead[0][0]]) is not None:
                points.append(abs(said.ahead[0][1] - then) * 100)
    off_min.sort()
    return Errors(
        told,
        hits,
        quiet,
        missed,
        false,
        _median(off_min) if off_min else None,
        off_min[-(-9 * len(off_min) // 10) - 1] if off_min else None,
        _median(plain_min) if plain_min else None,
        _median(points) if points else None,
    )


def _median(values: Sequence[float]) -> float:
    rising = sorted(values)
    half = len(rising) // 2
    return rising[half] if len(rising) % 2 else (rising[half - 1] + rising[half]) / 2

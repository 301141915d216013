"""What the bays have done, from their moves: occupancy by the quarter of an hour, turnover, how long cars stood. Pure.

Theory of operation. A day is walked once, move by move. At the beginning of each quarter every bay is put down as if it
stayed as it is until its end; a move takes back the rest from the state it leaves and gives it to the one it enters.
So a move costs two additions, whatever the number of bays, and free + taken + unknown + closed of a quarter is always
the time of all bays in it. Where nobody knew, the time stands under unknown: no share of occupancy counts it.

An arrival is a move to taken of a bay that was not taken when it was last known; a sensor that only speaks again after
a silence is none (gateway/housekeeping.py counts so, too). How long a car stood is known where both ends were seen and
somebody watched all the time between: after a silence it may be another car. Cars a bay and day are told of the days on
which a bay was watched: an hour in which nobody listened is not one in which no car came.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo

from gateway.hall.days import moment_ms
from kiosk.rules.spreads import Spread, spread

STATES = ("free", "taken", "unknown", "closed")
FREE, TAKEN, UNKNOWN, CLOSED = range(4)
_STATE = {word: number for number, word in enumerate(STATES)}

QUARTER_MS = 15 * 60_000
QUARTERS = 96
_HOUR_MS = 4 * QUARTER_MS
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MINUTE_S = 60
#: Above this share of unknown time no occupancy is told: as on a panel (gateway/hall/showing.py, CERTAIN_SHARE).
CERTAIN_SHARE = 0.20

Edge = tuple[int, int, int]
"""A quarter: its number in the hall's day (0 is 00:00), and the moments between which it lies."""


@dataclass(slots=True)
class Standing:
    """How a bay stands between two days. ``since_ms``: when its car came, 0 where nobody saw it or there is none."""

    state: int
    last_known: int = -1
    since_ms: int = 0


@dataclass(slots=True)
class ZoneDay:
    """One zone on one day.

    ``areas``: four numbers a quarter, milliseconds × bays in each of `STATES`. ``stays``: whole minutes → how many cars
    stood so long (a stay counts on the day on which it ended). ``bays``: bay → [arrivals, ms taken, ms known, ms
    unknown]. ``ends``: how each bay stood when the day ended.
    """

    day: str
    zone_id: str
    areas: list[int] = field(default_factory=lambda: [0] * (4 * QUARTERS))
    arrivals: list[int] = field(default_factory=lambda: [0] * 24)
    departures: int = 0
    stays: Counter[int] = field(default_factory=Counter)
    bays: dict[str, list[int]] = field(default_factory=dict)
    ends: dict[str, Standing] = field(default_factory=dict)

    def packed(self) -> tuple[str, str, str]:
        """As a notebook keeps it, three texts: its course, its bays, how they stood at its end."""
        return (
            _json([self.areas, self.arrivals, self.departures, sorted(self.stays.items())]),
            _json(self.bays),
            _json({bay: [one.state, one.last_known, one.since_ms] for bay, one in self.ends.items()}),
        )


def unpacked(day: str, zone_id: str, course: str, bays: str = "{}", ends: str = "{}") -> ZoneDay:
    """What `ZoneDay.packed` made; without its bays or ends where nobody asks for them."""
    areas, arrivals, departures, stays = json.loads(course)
    standing = {bay: Standing(*one) for bay, one in json.loads(ends).items()}
    lived = json.loads(bays)
    if len(next(iter(lived.values()), ())) == 3:
        # Closed before the time in which nobody knew was kept bay by bay: it counted as watched, and still does.
        lived = {bay: [*one, 0] for bay, one in lived.items()}
    return ZoneDay(day, zone_id, areas, arrivals, departures, Counter(dict(stays)), lived, standing)


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def quarters(day: date, zone: tzinfo, until_ms: int | None = None) -> list[Edge]:
    """The quarters of a hall's day; one of summer time has 92 or 100. ``until_ms``: a day that is not over."""
    begin, end = moment_ms(zone, day), moment_ms(zone, day, 1440)
    if until_ms is not None:
        end = min(end, until_ms)
    edges = []
    hour = 0
    for at_ms in range(begin, end, QUARTER_MS):
        if (at_ms - begin) % _HOUR_MS == 0:  # summer time changes at full hours
            hour = (_EPOCH + timedelta(milliseconds=at_ms)).astimezone(zone).hour
        number = 4 * hour + (at_ms - begin) % _HOUR_MS // QUARTER_MS
        edges.append((number, at_ms, min(at_ms + QUARTER_MS, end)))
    return edges


def walk_day(
    day: str,
    edges: Sequence[Edge],
    moves: Iterable[tuple[str, str, int]],
    zone_of: Mapping[str, str],
    standing: dict[str, Standing],
) -> dict[str, ZoneDay]:
    """One day. ``standing`` is how the bays stood when it began, and afterwards how they stand at its end.

    A move that names an earlier moment than the one before it counts as of the same moment; moves are in the order in
    which they came, and a clock may have been set back. A bay that ``zone_of`` does not know is left out. A bay counts
    from its first move on: before, it was not there.
    """
    found: dict[str, ZoneDay] = {}
    counts: dict[str, list[int]] = {}
    for bay, one in standing.items():
        if (name := zone_of.get(bay)) is not None:
            if name not in found:
                found[name], counts[name] = ZoneDay(day, name), [0, 0, 0, 0]
            counts[name][one.state] += 1
            found[name].bays[bay] = [0, 0, 0, 0]
    if not edges:
        return found
    last = len(edges) - 1
    at = -1
    end_ms = now_ms = edges[0][1]
    entered: dict[str, int] = dict.fromkeys(standing, now_ms)
    for bay, state_word, at_ms in _to_the_end(moves, edges[-1][2]):
        now_ms = max(now_ms, min(at_ms, edges[-1][2]))
        while at < last and now_ms >= end_ms:
            at += 1
            end_ms = edges[at][2]
            _begin_quarter(found, counts, edges[at])
        if not bay:
            break
        name = zone_of.get(bay)
        if name is None:
            continue
        if name not in found:
            found[name], counts[name] = ZoneDay(day, name), [0, 0, 0, 0]
        zone, rest_ms, number = found[name], max(0, end_ms - now_ms), edges[at][0]
        state = _STATE[state_word]
        if bay not in standing:
            one = standing[bay] = Standing(state)
            zone.bays[bay] = [0, 0, 0, 0]
        else:
            one = standing[bay]
            zone.areas[4 * number + one.state] -= rest_ms
            counts[name][one.state] -= 1
            _count_bay(zone.bays[bay], one.state, now_ms - entered[bay])
            zone.bays[bay][0] += _meet(zone, one, state, now_ms, number)
        zone.areas[4 * number + state] += rest_ms
        counts[name][state] += 1
        entered[bay] = now_ms
        if state in (FREE, TAKEN):
            one.last_known = state
        one.state = state
    for bay, one in standing.items():
        if (name := zone_of.get(bay)) is not None:
            _count_bay(found[name].bays[bay], one.state, max(0, edges[-1][2] - entered[bay]))
            found[name].ends[bay] = Standing(one.state, one.last_known, one.since_ms)
    return found


def _to_the_end(moves: Iterable[tuple[str, str, int]], end_ms: int) -> Iterator[tuple[str, str, int]]:
    yield from moves
    yield "", "", end_ms


def _begin_quarter(found: Mapping[str, ZoneDay], counts: Mapping[str, list[int]], edge: Edge) -> None:
    number, begin, end = edge
    for name, zone in found.items():
        for state, bays in enumerate(counts[name]):
            zone.areas[4 * number + state] += bays * (end - begin)


def _count_bay(counted: list[int], state: int, spent_ms: int) -> None:
    if state == TAKEN:
        counted[1] += spent_ms
    if state in (FREE, TAKEN):
        counted[2] += spent_ms
    elif state == UNKNOWN:
        counted[3] += spent_ms


def _meet(zone: ZoneDay, one: Standing, state: int, now_ms: int, number: int) -> bool:
    """A bay goes from ``one.state`` to ``state``. True: a car has come."""
    came = state == TAKEN and one.last_known not in (TAKEN, -1)
    if came:
        zone.arrivals[number // 4] += 1
        one.since_ms = now_ms if one.state == FREE else 0
    elif state == FREE and one.last_known == TAKEN:
        zone.departures += 1
        if one.state == TAKEN and one.since_ms:
            zone.stays[(now_ms - one.since_ms) // 60_000] += 1
        one.since_ms = 0
    elif state in (UNKNOWN, CLOSED):
        one.since_ms = 0
    return came


# ---------------------------------------------------------------- what is told of many days


@dataclass(frozen=True, slots=True)
class Cell:
    """Some time of some bays. Shares are of 0 to 1, None where there was nothing to take a share of."""

    occupied: float | None
    """Taken, of the time that is known."""
    unknown: float | None
    """Nobody knew, of the time in which the bays were not closed."""

    @property
    def certain(self) -> bool:
        return self.occupied is not None and (self.unknown or 0.0) <= CERTAIN_SHARE


@dataclass(frozen=True, slots=True)
class ZoneFigures:
    """One zone over the days that have data. ``heat``: seven weekdays (Monday first) of 24 hours.

    ``turnover``: cars a bay and day, of the days on which a bay was watched (`CERTAIN_SHARE`); None: there is none.
    ``stay``: how long cars stood, in seconds (whole minutes). ``bays``: each bay's cars a day, and its time, busiest
    first.
    """

    zone_id: str
    days: int
    bay_count: int
    all: Cell
    heat: tuple[tuple[Cell, ...], ...]
    arrivals: int
    departures: int
    turnover: float | None
    stay: Spread
    bays: tuple[tuple[str, float | None, float | None, float | None], ...]
    """(bay, cars a day or None, share taken of what is known, share known of all)"""


def figures(zone_id: str, days: Sequence[ZoneDay]) -> ZoneFigures:
    """What these days of one zone (or of several: ``zone_id`` "") were like."""
    heat = [[[0, 0, 0, 0] for _ in range(24)] for _ in range(7)]
    stays: Counter[int] = Counter()
    #: bay → cars on watched days, ms taken, ms known, days on which it was watched
    per_bay: dict[str, list[int]] = {}
    seen_days = set()
    whole_ms: dict[str, int] = {}
    arrivals = departures = 0
    for one in days:
        row = heat[date.fromisoformat(one.day).weekday()]
        areas = one.areas
        for number in range(4 * QUARTERS):
            if areas[number]:
                row[number // 16][number % 4] += areas[number]
        if any(any(areas[state::4]) for state in (FREE, TAKEN)):
            seen_days.add(one.day)
        stays.update(one.stays)
        arrivals += sum(one.arrivals)
        departures += one.departures
        lived_ms = sum(areas) // max(1, len(one.bays))
        for bay, (came, taken, known, dark) in one.bays.items():
            had = per_bay.setdefault(bay, [0, 0, 0, 0])
            had[1] += taken
            had[2] += known
            if known and dark <= CERTAIN_SHARE * (known + dark):
                had[0] += came
                had[3] += 1
            whole_ms[bay] = whole_ms.get(bay, 0) + lived_ms
    bay_days, seen = (sum(had[which] for had in per_bay.values()) for which in (3, 0))
    bays = [
        (
            bay,
            came / watched if watched else None,
            taken / known if known else None,
            min(1.0, known / whole_ms[bay]) if whole_ms[bay] else None,
        )
        for bay, (came, taken, known, watched) in per_bay.items()
    ]
    bays.sort(key=lambda one: (1.0 if one[1] is None else -one[1], one[0]))
    total = [sum(cell[state] for row in heat for cell in row) for state in range(4)]
    return ZoneFigures(
        zone_id,
        len(seen_days),
        len(per_bay),
        cell_of(total),
        tuple(tuple(cell_of(cell) for cell in row) for row in heat),
        arrivals,
        departures,
        seen / bay_days if bay_days else None,
        spread({minutes * MINUTE_S: count for minutes, count in stays.items()}),
        tuple(bays),
    )


def cell_of(areas: Sequence[int]) -> Cell:
    """The shares of these times, one in each of `STATES`."""
    free, taken, unknown, _ = areas
    known, in_use = free + taken, free + taken + unknown
    return Cell(taken / known if known else None, unknown / in_use if in_use else None)


def curve(one: ZoneDay) -> list[float | None]:
    """Occupancy at each quarter of a day; None where too little was known."""
    cells = [cell_of(one.areas[4 * number : 4 * number + 4]) for number in range(QUARTERS)]
    return [cell.occupied if cell.certain else None for cell in cells]

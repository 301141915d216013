"""Who is on duty. Lives here: shifts, rotations, substitutions, holidays, and whose home a call comes from.

Rule 1. A helper without shifts is always on duty; with shifts, while one of them runs. A shift belongs to the day on
        which it begins, also after midnight: that day's weekday, holiday and substitution count.
Rule 2. Shifts are told by the wall clock of the hall's zone. Where a zone has summer time, 22:00 to 06:00 is an hour
        shorter or longer in those two nights, and nobody leaves before the next one comes.
Rule 3. A substitute does the whole of another's duty: his role, his homes, his hours. Is the substitute away as well,
        the next one counts; two who stand in for each other have exchanged their duties. Whoever is away himself and
        has nobody in his place leaves a gap, and the roster's page shows it.
Rule 4. For a home those stand who are responsible for it. What is not known of a home (no person, or no building in
        his row) rules nobody out, but whoever is certainly responsible comes first: nobody is called for each home
        while somebody is there for this one, and no home is left alone because its row has a gap.
Rule 5. A row that makes no sense (a day that is none, a helper who is not there) counts as absent. Never a fault: this
        is asked while a call rings.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo

from gateway.hall.rows import Helper, Holiday, Person, Shift, Substitution
from gateway.hall.state import Call, HallState

#: Bits of ``Shift.weekdays``: Monday to Friday.
WORKING_WEEK = 0b0011111
#: A clock that says a time outside of these has no calendar; the nearest day that has one counts. (The hall's zone may
#: move a moment by a day, and a shift may have begun on the day before.)
_FIRST_MS, _LAST_MS = 0, 253_000_000_000_000
#: Where a rotation says no first day: the Monday from which all weeks can be counted.
_SOME_MONDAY = date(1970, 1, 5)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Home:
    """Where a call comes from, as far as it decides who is responsible. "" is "nobody wrote it down"."""

    grid: str = ""
    building: str = ""
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Duty:
    """Somebody does a helper's duty: ``helper`` comes, ``instead_of`` is who would have come ("": himself).

    ``shift`` is None where the helper has no shifts at all.
    """

    helper: Helper
    owner: Helper
    shift: Shift | None = None

    @property
    def instead_of(self) -> str:
        return "" if self.owner.helper_id == self.helper.helper_id else self.owner.helper_id


@dataclass(slots=True)
class Book:
    """What rosters are read from: the helpers and their tables. The gateway's memory, or what the kiosk has read."""

    helpers: Mapping[str, Helper]
    shifts: Iterable[Shift]
    substitutions: Iterable[Substitution]
    holidays: Mapping[str, Holiday]
    _of: dict[str, list[Shift]] | None = field(default=None, repr=False)
    _away: dict[str, list[Substitution]] | None = field(default=None, repr=False)

    def shifts_of(self, helper_id: str) -> list[Shift]:
        if self._of is None:
            self._of = {}
            for shift in self.shifts:
                self._of.setdefault(shift.helper_id, []).append(shift)
        return self._of.get(helper_id, [])

    def substitution_of(self, helper_id: str, day: str) -> Substitution | None:
        """The one that counts on that day; of several the one that begins last (the newer plan)."""
        if self._away is None:
            self._away = {}
            for one in self.substitutions:
                self._away.setdefault(one.helper_id, []).append(one)
        there = [one for one in self._away.get(helper_id, ()) if one.first_day <= day <= one.last_day]
        return max(there, key=lambda one: (one.first_day, one.substitution_id)) if there else None


def book_of(state: HallState) -> Book:
    """The rosters as the hall has them in memory."""
    return Book(
        state.table(Helper),
        state.table(Shift).values(),
        state.table(Substitution).values(),
        state.table(Holiday),
    )


def on_duty(state: HallState, who: str, call: Call, now_ms: int) -> tuple[Helper, ...]:
    """Who of that role is on duty now for this call's home, by name; empty: nobody."""
    person = state.table(Person).get(call.person_id) if call.person_id else None
    home = Home() if person is None else Home(person.grid, person.building, person.unit)
    there = duties(book_of(state), who, local(state.zone, now_ms))
    return tuple(responsible(there, home))


def reachable(state: HallState, helper: Helper, acts: Iterable[str]) -> bool:
    """Whether what a step does can get to this helper at all: by a message, or because somebody hears a console.

    Whoever sits at a console sees who is to come and how to telephone. Beacon, voice and display promise nobody.
    """
    acts = tuple(acts)
    return ("message" in acts and bool(helper.channels)) or ("console" in acts and state.consoles > 0)


def local(zone: tzinfo, now_ms: int) -> datetime:
    """The hall's wall clock at that moment. Never raises: a moment without a calendar is the nearest that has one."""
    moment = _EPOCH + timedelta(milliseconds=min(max(now_ms, _FIRST_MS), _LAST_MS))
    return moment.astimezone(zone)


def duties(book: Book, who: str, at: datetime) -> list[Duty]:
    """Everybody who does a duty of that role at this moment of the hall's wall clock, by the owner's name."""
    found: list[Duty] = []
    today, minute = at.date(), at.hour * 60 + at.minute
    for owner in sorted(
        (one for one in book.helpers.values() if one.role == who and one.active),
        key=lambda one: (one.name, one.helper_id),
    ):
        for begun, shift in _running(book, owner, today, minute):
            helper = stands_in(book, owner, begun)
            if helper is not None:
                found.append(Duty(helper, owner, shift))
    return found


def responsible(there: Iterable[Duty], home: Home) -> list[Helper]:
    """Of those on duty, whoever answers for this home, each once. See rule 4."""
    there = list(there)
    certain = [one.helper for one in there if _covers(one.owner, home, unknown=False)]
    chosen = certain or [one.helper for one in there if _covers(one.owner, home, unknown=True)]
    return list({helper.helper_id: helper for helper in chosen}.values())


def stands_in(book: Book, owner: Helper, day: date) -> Helper | None:
    """Who does this helper's duty on that day: himself, a substitute, or nobody (None)."""
    word, first, helper_id, seen = day.isoformat(), "", owner.helper_id, {owner.helper_id}
    while (one := book.substitution_of(helper_id, word)) is not None:
        helper_id = one.by_helper_id
        first = first or helper_id
        if helper_id in seen:
            helper_id = first  # they stand in for each other: each does what was put upon him
            break
        seen.add(helper_id)
    helper = book.helpers.get(helper_id)
    return helper if helper is not None and helper.active else None


def runs_on(shift: Shift, day: date, holidays: Mapping[str, Holiday]) -> bool:
    """Whether this shift begins on that day."""
    word = day.isoformat()
    if (shift.first_day and word < shift.first_day) or (shift.last_day and word > shift.last_day):
        return False
    if not _in_turn(shift, day):
        return False
    special = holidays.get(word)
    kind = "" if special is None else special.kind
    if (shift.holidays == "not" and kind == "holiday") or (shift.holidays == "only" and kind != "holiday"):
        return False
    # 调休: on this weekend the country works, and so do those who keep its calendar; whose weekend it is comes too.
    works = shift.holidays == "not" and kind == "workday" and bool(shift.weekdays & WORKING_WEEK)
    return works or bool(shift.weekdays >> day.weekday() & 1)


def spans(shift: Shift) -> tuple[tuple[int, int], tuple[int, int]]:
    """The shift's minutes: [from, to) on its own day, and [0, to) on the day after (empty where it ends before)."""
    if shift.to_min > shift.from_min:
        return (shift.from_min, shift.to_min), (0, 0)
    return (shift.from_min, 1440), (0, shift.to_min)


def _running(book: Book, owner: Helper, today: date, minute: int) -> Iterator[tuple[date, Shift | None]]:
    """On which day each duty began that runs now, and by which shift (None: he has none, and is always on duty)."""
    shifts = book.shifts_of(owner.helper_id)
    if not shifts:
        yield today, None
        return
    yesterday = today - timedelta(days=1)
    for shift in sorted(shifts, key=lambda one: one.shift_id):
        own, after = spans(shift)
        if own[0] <= minute < own[1] and runs_on(shift, today, book.holidays):
            yield today, shift
        if after[0] <= minute < after[1] and runs_on(shift, yesterday, book.holidays):
            yield yesterday, shift


def _in_turn(shift: Shift, day: date) -> bool:
    if shift.every_weeks <= 1:
        return True
    try:
        first = date.fromisoformat(shift.first_day)
    except ValueError:
        first = _SOME_MONDAY
    weeks = (_monday(day) - _monday(first)) // 7
    return weeks % shift.every_weeks == shift.week % shift.every_weeks


def _monday(day: date) -> int:
    return day.toordinal() - day.weekday()


def _covers(helper: Helper, home: Home, *, unknown: bool) -> bool:
    """Whether this home is one of the helper's. ``unknown``: what nobody wrote down of it may be."""
    for mine, there in ((helper.grid, home.grid), (helper.building, home.building), (helper.unit, home.unit)):
        if mine and mine != there and not (unknown and not there):
            return False
    return True

"""Visits and silence on paper: what docs/protocol.md makes of a month, told by somebody else than the rules.

``Rounds`` hears what happens to people (a person is written down, a day begins, somebody was seen, went to hospital,
came back, an emergency ended) and says which visits there must be, how they stand and which were missed.
``Silence`` hears signs of people, and says whose home was silent for how long.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Asia/Shanghai")
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
#: An emergency that ended so is followed by a visit.
EVENTFUL = ("helped", "hospital", "no_answer", "referred")


def day_of(at_ms: int) -> date:
    return datetime.fromtimestamp(at_ms / 1000, ZONE).date()


def moment_ms(day: date, hour: float = 0.0) -> int:
    begin = datetime.combine(day, time(), ZONE)
    return int(begin.timestamp() * 1000) + int(hour * HOUR_MS)


def period(tier: str, day: date) -> tuple[date, date]:
    """First day, and the first day after it."""
    if tier == "weekly":
        first = day - timedelta(days=day.weekday())
        return first, first + timedelta(days=7)
    length = 1 if tier == "monthly" else 3
    first = date(day.year, (day.month - 1) // length * length + 1, 1)
    month = first.month - 1 + length
    return first, date(first.year + month // 12, month % 12 + 1, 1)


@dataclass(slots=True)
class Expected:
    """A visit as it must be."""

    person_id: str
    reason: str
    due_ms: int
    state: str = "due"
    missed: bool = False


@dataclass(slots=True)
class Rounds:
    """The book of visits on paper. Visits for silence are :class:`Silence`'s; here they are only settled."""

    visits: dict[str, Expected] = field(default_factory=dict)
    tiers: dict[str, str] = field(default_factory=dict)
    away: dict[str, str] = field(default_factory=dict)

    def written_down(self, person_id: str, tier: str, now_ms: int) -> None:
        self.tiers[person_id] = tier
        self._open(person_id, now_ms, at_least_ms=DAY_MS)

    def day_begins(self, now_ms: int) -> None:
        """Midnight: what was due is missed, what begins is opened."""
        self.time_is(now_ms)
        for person_id in self.tiers:
            if person_id not in self.away:
                self._open(person_id, now_ms)

    def time_is(self, now_ms: int) -> None:
        for one in self.visits.values():
            if one.state == "due" and one.due_ms <= now_ms:
                one.state, one.missed = "missed", True

    def seen(self, person_id: str, now_ms: int) -> None:
        """Seen is seen."""
        self.time_is(now_ms)
        self._end(person_id, "done")

    def goes(self, person_id: str, why: str, now_ms: int) -> None:
        self.time_is(now_ms)
        self.away[person_id] = why
        self._end(person_id, "void")

    def comes_back(self, person_id: str, now_ms: int) -> None:
        why = self.away.pop(person_id)
        self._open(person_id, now_ms, anew=True, at_least_ms=DAY_MS)
        if why == "hospital":
            self._special(f"{person_id}:event:back-{now_ms}", person_id, now_ms)

    def emergency_ended(self, call_id: int, person_id: str, outcome: str, now_ms: int) -> None:
        self.time_is(now_ms)
        if outcome in EVENTFUL and person_id not in self.away:
            self._special(f"{person_id}:event:call-{call_id}", person_id, now_ms)

    def end_undone(self, call_id: int, person_id: str) -> None:
        one = self.visits.get(f"{person_id}:event:call-{call_id}")
        if one is not None and one.state in ("due", "missed"):
            one.state = "void"

    def _special(self, visit_id: str, person_id: str, now_ms: int) -> None:
        if not any(one.reason == "event" for one in self._of(person_id)):
            self.visits[visit_id] = Expected(person_id, "event", now_ms + DAY_MS)

    def _open(self, person_id: str, now_ms: int, *, anew: bool = False, at_least_ms: int = 0) -> None:
        tier = self.tiers[person_id]
        if tier == "none":
            return
        first, after = period(tier, day_of(now_ms))
        visit_id = f"{person_id}:{tier}:{first.isoformat()}"
        known = self.visits.get(visit_id)
        if known is not None and not (anew and known.state == "void"):
            return
        if moment_ms(after) - now_ms >= at_least_ms:
            self.visits[visit_id] = Expected(person_id, tier, moment_ms(after))

    def _end(self, person_id: str, state: str) -> None:
        for one in self._of(person_id):
            one.state = state

    def _of(self, person_id: str) -> list[Expected]:
        return [
            one
            for one in self.visits.values()
            if one.person_id == person_id and one.state in ("due", "missed")
        ]


@dataclass(slots=True)
class Silence:
    """When each watched home last gave a sign, and which silences were long enough for a visit: (from, due) ms."""

    after_ms: dict[str, int] = field(default_factory=dict)
    last_ms: dict[str, int] = field(default_factory=dict)
    due: list[tuple[str, int, int]] = field(default_factory=list)
    #: an inactivity visit is open: nobody measures until somebody has been there
    asked: set[str] = field(default_factory=set)
    paused: set[str] = field(default_factory=set)

    def watch(self, person_id: str, after_h: int, now_ms: int) -> None:
        self.after_ms[person_id], self.last_ms[person_id] = after_h * HOUR_MS, now_ms

    def sign(self, person_id: str, now_ms: int) -> None:
        if person_id in self.after_ms:
            self.time_is(now_ms)
            self.last_ms[person_id] = now_ms

    def seen(self, person_id: str, now_ms: int) -> None:
        self.sign(person_id, now_ms)
        self.asked.discard(person_id)

    def pause(self, person_id: str, now_ms: int) -> None:
        self.time_is(now_ms)
        self.paused.add(person_id)
        self.asked.discard(person_id)

    def back(self, person_id: str, now_ms: int) -> None:
        self.paused.discard(person_id)
        if person_id in self.after_ms:
            self.last_ms[person_id] = now_ms

    def time_is(self, now_ms: int) -> None:
        for person_id, after_ms in self.after_ms.items():
            due_ms = self.last_ms[person_id] + after_ms
            if due_ms <= now_ms and person_id not in self.asked and person_id not in self.paused:
                self.asked.add(person_id)
                self.due.append((person_id, self.last_ms[person_id], due_ms))

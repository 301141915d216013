"""The hall that lives a month: its people, helpers, shifts, menus, and its time, which passes from event to event.

What was arranged here is what the books are compared with (_month_books.py).
"""

from __future__ import annotations

import heapq
import itertools
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from gateway.hall.rows import Message as Letter
from tests.campaign._held import HeldHall
from tests.campaign._month_rounds import ZONE, Rounds, Silence, day_of, moment_ms
from tests.campaign._month_things import HOUR_MS, MIN_MS, Thing, buttons, sensors
from tests.gateway.held_hall import HeldClock
from tests.parts import Json

#: A Thursday: the month, the quarter and the year end on the way, and no summer time begins or ends in Shanghai.
FIRST_DAY = date(2026, 12, 10)
BEGIN_MS = moment_ms(FIRST_DAY, 6)
PEOPLE, WATCHED = 240, 40
#: How many people are visited how often, the first ones weekly.
TIERS = (("weekly", 30), ("monthly", 70), ("quarterly", 40))
#: After so many hours of silence somebody looks, in turn.
QUIET_H = (12, 24, 36)
GRIDS = ("g1", "g2")
#: (helper, role, grid, shift): shift is (weekdays as bits, from, to in minutes, holidays) or None: always.
HELPERS: tuple[tuple[str, str, str, tuple[int, int, int, str] | None], ...] = (
    ("h-day", "duty", "", (0b0011111, 480, 1080, "not")),
    ("h-weekend", "duty", "", (0b1100000, 480, 1080, "too")),
    ("h-holiday", "duty", "", (0b0011111, 480, 1080, "only")),
    ("h-night", "duty", "", (0b1111111, 1080, 480, "too")),
    ("h-grid-1", "grid", "g1", None),
    ("h-grid-2", "grid", "g2", None),
    ("h-head", "building", "", None),
    ("h-secretary", "secretary", "", None),
    ("h-guard", "guard", "", (0b1111111, 1080, 480, "too")),
    ("h-volunteer", "volunteer", "", (0b1111111, 540, 1020, "not")),
    ("h-repair", "repair", "", (0b0111111, 480, 1080, "too")),
    ("h-kitchen", "kitchen", "", None),
    ("h-sub", "family", "", None),
)
#: From, to: h-sub does h-day's duty.
SUBSTITUTED = (date(2026, 12, 21), date(2026, 12, 23))
HOLIDAYS = {date(2027, 1, 1): "holiday", date(2026, 12, 26): "workday"}
#: Consoles are staffed by day.
OPENS_H, CLOSES_H, CONSOLES = 8, 20, 2
#: meal → until when, in minutes of its day.
MEALS = {"lunch": 570, "dinner": 930}
PRICE_FEN = 1500


@dataclass(slots=True)
class Life:
    """One call as it was lived, in wall ms; the books must say the same."""

    call_id: int
    thing: Thing
    kind: str
    pressed_ms: int
    presses: int = 1
    accepted_ms: int | None = None
    arrived_ms: int | None = None
    closed_ms: int | None = None
    outcome: str = ""
    meal: tuple[str, str] | None = None
    meal_state: str = ""


@dataclass(slots=True)
class Tale:
    """What was lived besides calls, and what was found wrong on the way."""

    lives: list[Life] = field(default_factory=list)
    #: process ends and begins: (from, to) wall ms; the last word says whether the power was cut
    dark: list[tuple[int, int, bool]] = field(default_factory=list)
    #: device → when its battery was told to be low, and when it was changed (None: not yet)
    low: dict[str, tuple[int, int | None]] = field(default_factory=dict)
    tested_ms: dict[str, int] = field(default_factory=dict)
    silences: Counter[str] = field(default_factory=Counter)
    signs: dict[str, list[int]] = field(default_factory=dict)
    hours: int = 0
    messages: int = 0
    orders: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)

    def expect(self, held: bool, name: str, example: object = "") -> None:
        if not held:
            self.wrong[name] += 1
            self.examples.setdefault(name, str(example))


class MonthHall:
    """The hall and its clock; ``at`` writes into the script, ``live`` plays it."""

    def __init__(self, folder: Path) -> None:
        self.clock = HeldClock(BEGIN_MS)
        self.hall = HeldHall(folder / "gateway.db", self.clock, zone=ZONE)
        self.tale, self.rounds, self.silence = Tale(), Rounds(), Silence()
        self.buttons, self.sensors = buttons(), sensors(WATCHED)
        self.things = {one.id: one for one in (*self.buttons, *self.sensors)}
        self.menus: set[tuple[str, str]] = set()
        self._script: list[tuple[int, int, Callable[[], None]]] = []
        self._count = itertools.count()
        self._beats: list[tuple[int, int, Thing]] = []

    @property
    def now_ms(self) -> int:
        return self.clock.wall_ms

    # ---------------------------------------------------------------- time

    def at(self, at_ms: int, what: Callable[[], None]) -> None:
        heapq.heappush(self._script, (int(at_ms), next(self._count), what))

    def live(self, until_ms: int) -> None:
        """Play the script; between its events time goes to whatever falls due, and devices say their words of life."""
        while self._script and self._script[0][0] <= until_ms:
            at_ms, _, what = heapq.heappop(self._script)
            self.go_to(at_ms)
            what()
            self.settle()
        self.go_to(until_ms)

    def go_to(self, to_ms: int) -> None:
        while True:
            next_ms = min(to_ms, self._minute_ms(), max(self.hall.next_ms(), self.now_ms + 1))
            if next_ms > self.now_ms:
                # A hair more: a sum of fractions must not end before the moment that it is to reach.
                self.clock.pass_s((next_ms - self.now_ms) / 1000 + 1e-7)
            self.hall.turn()
            if self._beats[0][0] <= self.now_ms:
                self._speak()
            if self.now_ms >= to_ms:
                return

    def settle(self) -> None:
        self.hall.settle(self.clock.pass_s)

    def _minute_ms(self) -> int:
        """The next full minute in which a device says its word of life."""
        return max(-(-self._beats[0][0] // MIN_MS) * MIN_MS, self.now_ms)

    def _speak(self) -> None:
        while self._beats[0][0] <= self.now_ms:
            at_ms, number, thing = heapq.heappop(self._beats)
            heapq.heappush(self._beats, (max(at_ms, self.now_ms - MIN_MS) + thing.every_ms, number, thing))
            if thing.silent_until_ms <= self.now_ms:
                self.hear(thing, thing.still() if thing.kind == "motion" else thing.beat())
        self.settle()

    def hear(self, thing: Thing, *messages: object) -> None:
        """This device says so."""
        for message in messages:
            self.hall.hear(message)  # type: ignore[arg-type]
            self.tale.messages += 1
        thing.said_ms = self.now_ms
        if thing.battery <= 20 and thing.id not in self.tale.low:
            self.tale.low[thing.id] = (self.now_ms, None)

    def order(self, name: str, /, **fields: object) -> Json:
        self.tale.orders[name] += 1
        return self.hall.order(name, self.settle, **fields)

    def must(self, name: str, /, **fields: object) -> Json:
        answer = self.order(name, **fields)
        self.tale.expect(bool(answer.get("written")), f"{name} refused", f"{fields}: {answer}")
        return answer

    def sign(self, person_id: str) -> None:
        """Somebody at home has stirred."""
        self.tale.signs.setdefault(person_id, []).append(self.now_ms)
        self.silence.sign(person_id, self.now_ms)

    def restart(self, dark_s: int, *, kill: bool, power: bool = False) -> None:
        """The process ends and begins again; ``power``: with the machine."""
        began_ms = self.now_ms
        self.hall.close(kill=kill)
        if power:
            self.clock.power_cut(dark_s)
        else:
            self.clock.pass_s(dark_s)
        self.hall.open()
        self.tale.dark.append((began_ms, self.now_ms, power))
        self.settle()
        self.tell_consoles()

    def tell_consoles(self) -> None:
        hour = (self.now_ms - moment_ms(day_of(self.now_ms))) / HOUR_MS
        self.must("consoles", live=CONSOLES if OPENS_H <= hour < CLOSES_H else 0)

    def carry(self) -> None:
        """The herald's part: what is queued has gone out."""
        for one in [one for one in self.hall.state.table(Letter).values() if one.state == "queued"]:
            self.must("message_state", message_id=one.message_id, state="sent", attempts=1, why="")

    # ---------------------------------------------------------------- what was arranged

    def furnish(self) -> None:
        for number in range(PEOPLE):
            self._person(number)
        for helper_id, role, grid, shift in HELPERS:
            channels = [f"sms:138{number:08}" for number in ([hash_of(helper_id)])]
            self.must(
                "put_helper",
                helper_id=helper_id,
                name=helper_id,
                role=role,
                grid=grid,
                channels=channels,
                by="t",
            )
            if shift is not None:
                days, begins, ends, holidays = shift
                words = {"weekdays": days, "from_min": begins, "to_min": ends, "holidays": holidays}
                self.must("put_shift", shift_id=f"s-{helper_id}", helper_id=helper_id, by="t", **words)
        first, last = (day.isoformat() for day in SUBSTITUTED)
        away = {"helper_id": "h-day", "by_helper_id": "h-sub", "first_day": first, "last_day": last}
        self.must("put_substitution", substitution_id="away", by="t", **away)
        for day, kind in HOLIDAYS.items():
            self.must("put_holiday", day=day.isoformat(), kind=kind, name="", by="t")
        for thing in self.things.values():
            kind = "emergency" if thing.kind == "motion" else thing.kind
            words = {
                "kind": "call_button",
                "call_kind": kind,
                "name": thing.name,
                "person_id": thing.person_id,
            }
            self.must("claim_device", device_id=thing.id, by="t", **words)
            self.hear(thing, thing.beat() if thing.kind != "motion" else thing.still())
            if thing.kind == "motion":
                # There is no kind of device for sensors of life: as a button it would be due for a test.
                self.must("care_device", device_id=thing.id, test_every_d=0, by="t")
            number = next(self._count)
            heapq.heappush(self._beats, (self.now_ms + 1 + thing.phase_ms, number, thing))
        self.cook(day_of(self.now_ms))
        self.settle()
        self.tell_consoles()

    def _person(self, number: int) -> None:
        person_id, place = f"p-{number:03}", number
        tier = "none"
        for word, count in TIERS:
            if 0 <= place < count:
                tier = word
            place -= count
        quiet_h = QUIET_H[number % len(QUIET_H)] if number < WATCHED else 0
        words = {"visit_tier": tier, "quiet_after_h": quiet_h, "meal_free": number % 4 == 0}
        home = {
            "grid": grid_of(person_id),
            "building": f"{number // 12 + 1}",
            "unit": "1",
            "room": f"{number % 12 + 101}",
        }
        self.must("put_person", person_id=person_id, name=f"居民{number:03}", by="t", **home, **words)
        self.rounds.written_down(person_id, tier, self.now_ms)
        if quiet_h:
            self.silence.watch(person_id, quiet_h, self.now_ms)

    def cook(self, monday: date) -> None:
        """The menu of a week; on Sundays the kitchen is closed."""
        days = [monday + timedelta(days=one) for one in range(8)]
        new = [(day.isoformat(), meal) for day in days if day.weekday() != 6 for meal in MEALS]
        rows = [
            {"day": day, "meal": meal, "dish": "番茄炒蛋", "price_fen": PRICE_FEN, "cutoff_min": MEALS[meal]}
            for day, meal in new
        ]
        self.must("put_menus", menus=rows, by="食堂")
        self.menus |= set(new)

    def next_meal(self, had: set[tuple[str, str]]) -> tuple[str, str] | None:
        """The next meal of today or tomorrow that can still be ordered, on paper."""
        today = day_of(self.now_ms)
        for day in (today, today + timedelta(days=1)):
            for meal, minute in MEALS.items():
                key = (day.isoformat(), meal)
                if key in self.menus and key not in had and self.now_ms < moment_ms(day) + minute * MIN_MS:
                    return key
        return None


def grid_of(person_id: str) -> str:
    return GRIDS[int(person_id[2:]) % 2]


def hash_of(word: str) -> int:
    """A telephone number's digits."""
    return sum(map(ord, word)) * 7919 % 10**8


def on_duty(at_ms: int) -> set[str]:
    """Who of the hall's duty staff is there, as a person would read the plan."""
    day = day_of(at_ms)
    minute = (at_ms - moment_ms(day)) // MIN_MS
    if not 480 <= minute < 1080:
        return {"h-night"}
    special, weekend = HOLIDAYS.get(day, ""), day.weekday() >= 5
    there = {"h-weekend"} if weekend else set[str]()
    if special == "holiday" and not weekend:
        there.add("h-holiday")
    elif special == "workday" or (not weekend and not special):
        there.add("h-sub" if SUBSTITUTED[0] <= day <= SUBSTITUTED[1] else "h-day")
    return there

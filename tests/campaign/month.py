"""Thirty days of a hall with 300 buttons in less than a minute, and everything in its books is as it was lived.

``month [days=30] [seed=…] [bar=60]``: a real loop on a real notebook through the real entrance (messages as bytes), the
clock in our hand. 300 buttons of three families and 40 movement sensors say their words of life at their makers'
intervals; some 25 calls a day of all kinds (emergencies, false alarms, meals with menus, monthly tests, repairs,
company, help), answered after the delays of people: accepted and never come to, closed by mistake and undone, pressed
again, left for half an hour at night; visits by tier, made, late, never, in vain; people in hospital and away; silent
homes, batteries and devices; shifts, holidays and a substitute; restarts at night and a power cut of three hours.

It prints the time it took, rows, bytes and memory, and compares: see _month_books.py. ``bar``: so many seconds of one
processor it may take; on a machine that has nothing else to do that is the time that it takes.
"""

from __future__ import annotations

import gc
import logging
import os
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from functools import partial
from pathlib import Path

from gateway.hall.rows import Visit
from tests.campaign._ladder_books import judge_timers
from tests.campaign._month_books import verdict
from tests.campaign._month_calls import Callers
from tests.campaign._month_hall import BEGIN_MS, FIRST_DAY
from tests.campaign._month_rounds import DAY_MS, HOUR_MS, day_of, moment_ms
from tests.campaign._month_things import MIN_MS, Thing
from tests.campaign._units import rss_kb
from tests.campaign._words import parameters

#: Calls of a day, by what the button calls.
CALLS_A_DAY = (("emergency", 12), ("meal", 6), ("help", 2), ("repair", 1), ("company", 1))
TESTS_A_DAY = 5
#: Days (from 1) on which a process ends in the night, and whether it is killed; the power is cut on one more.
NIGHTS = ((2, False), (6, True), (11, False), (16, True), (23, True))
POWER_CUT_DAY, DARK_S = 20, 3 * 3600
#: (day, hours of silence) for so many devices of each family; (day, days until it is changed) for batteries.
SILENCES = ((3, 50), (8, 70), (14, 60), (21, 48))
BATTERIES = ((1, 3), (2, 9), (3, 16), (4, None), (10, 5), (15, None))
#: (day, days, why): people who are away, by order.
AWAY = ((4, 5, "hospital"), (9, 8, "away"), (18, 3, "hospital"))


def main(words: list[str]) -> int:
    given = parameters(words, days=30, seed=20261122, bar=60)
    logging.disable(logging.CRITICAL)  # a month's worth of lines about calls
    try:
        # In memory where there is such a folder: the disk's pauses are bench's and kills' matter.
        shared = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        with tempfile.TemporaryDirectory(prefix="linli-month-", dir=shared) as folder:
            return Month(Path(folder), int(given["days"]), int(given["seed"])).run(float(given["bar"]))
    finally:
        logging.disable(logging.NOTSET)


class Month(Callers):
    """What happens, and what people do about it."""

    def __init__(self, folder: Path, days: int, seed: int) -> None:
        super().__init__(folder, random.Random(seed))
        self.days = days
        self.end_ms = BEGIN_MS + days * DAY_MS + HOUR_MS
        self._planned: set[str] = set()

    def run(self, bar_s: float) -> int:
        began_s, began_cpu_s, rss = time.monotonic(), time.process_time(), rss_kb(os.getpid())
        self.furnish()
        self._write_script()
        self.live(self.end_ms)
        self._last_words()
        took_s, cpu_s = time.monotonic() - began_s, time.process_time() - began_cpu_s
        gc.collect()
        kept = {name: size for name, size in self.hall.sizes().items() if size > 20}
        print(
            f"  {self.days} days in {took_s:.1f} s (bar {bar_s:.0f} s; processor {cpu_s:.1f} s), "
            f"{self.tale.messages} messages, {sum(self.tale.orders.values())} orders; memory "
            f"+{rss_kb(os.getpid()) - rss} KiB, {sys.getallocatedblocks()} objects; kept: "
            + ", ".join(f"{name} {size}" for name, size in kept.items())
        )
        acknowledged = self.hall.acknowledged == self.hall.taken
        self.tale.expect(
            acknowledged, "messages never acknowledged", self.hall.taken - self.hall.acknowledged
        )
        self.tale.expect(self.hall.counts.get("set_aside", 0) == 0, "set aside as a mistake of ours")
        self.hall.close()
        status = verdict(self, self.hall.path)
        return status or int(cpu_s > bar_s)

    # ---------------------------------------------------------------- the script

    def _write_script(self) -> None:
        for day in range(self.days + 1):
            midnight_ms = moment_ms(FIRST_DAY + timedelta(days=day))
            for at_ms, what in (
                (midnight_ms + 1, self._plan_day),
                (midnight_ms + 8 * HOUR_MS, self.tell_consoles),
                (midnight_ms + 20 * HOUR_MS, self.tell_consoles),
                (midnight_ms + 10 * HOUR_MS, self._cook_on_sunday),
            ):
                if at_ms > self.now_ms:
                    self.at(at_ms, what)
            for minute in range(0, 1440, 20):
                at_ms = midnight_ms + minute * MIN_MS + 7_000
                if at_ms > self.now_ms:
                    self.at(at_ms, self._look_round if 9 * 60 <= minute < 20 * 60 else self.carry)
            for hour in range(24):
                at_ms = midnight_ms + hour * HOUR_MS + 30_000
                if at_ms > self.now_ms:
                    self.at(at_ms, self._each_hour)
        self._plan_day()
        for day, kill in NIGHTS:
            self.at(BEGIN_MS + day * DAY_MS - 3 * HOUR_MS, partial(self.restart, 40, kill=kill))
        cut_ms = BEGIN_MS + POWER_CUT_DAY * DAY_MS - 4 * HOUR_MS
        self.at(cut_ms, partial(self.restart, DARK_S, kill=True, power=True))
        families = ("own", "zigbee", "lora")
        for number, (day, hours) in enumerate(SILENCES):
            for family in families:
                things = [one for one in self.buttons if one.family == family and one.kind == "emergency"]
                self.at(BEGIN_MS + day * DAY_MS, partial(self._fall_silent, things[5 + 3 * number], hours))
        for number, (day, after) in enumerate(BATTERIES):
            for place, family in enumerate(families):
                things = [one for one in self.buttons if one.family == family and one.kind == "emergency"]
                low = partial(
                    self._battery_low, things[6 + 3 * number], after, by_order=(number + place) % 2 == 0
                )
                self.at(BEGIN_MS + day * DAY_MS, low)
        for number, (day, days, why) in enumerate(AWAY):
            for person in (f"p-{number * 3:03}", f"p-{number * 3 + 40:03}"):
                self.at(BEGIN_MS + day * DAY_MS + 4 * HOUR_MS, partial(self._goes_away, person, days, why))

    def _plan_day(self) -> None:
        """What this day brings: calls, tests, movements."""
        today_ms, dice = moment_ms(day_of(self.now_ms)), self.dice
        self.rounds.day_begins(self.now_ms)
        for kind, number in CALLS_A_DAY:
            for _ in range(number):
                thing = dice.choice([one for one in self.buttons if one.kind == kind])
                hour = dice.triangular(0, 24, 10) if kind == "emergency" else dice.uniform(7, 18)
                press = self.meal if kind == "meal" else self.press
                self._later(today_ms + hour * HOUR_MS, partial(press, thing))
        for thing in dice.sample([one for one in self.buttons if one.kind == "emergency"], TESTS_A_DAY):
            self._later(today_ms + dice.uniform(9, 16) * HOUR_MS, partial(self.test, thing))
        self._later(today_ms + dice.uniform(9, 17) * HOUR_MS, self.help_at_kiosk)
        for number, sensor in enumerate(self.sensors):
            # In some homes it is quieter than their rows allow.
            quiet = number % 5 == 0 and dice.random() < 0.4
            for _ in range(0 if quiet else dice.randint(5, 25)):
                self._later(today_ms + dice.triangular(6, 22, 10) * HOUR_MS, partial(self.move, sensor))

    def _later(self, at_ms: float, what: Callable[[], None]) -> None:
        if at_ms > self.now_ms:
            self.at(int(at_ms), what)

    def _cook_on_sunday(self) -> None:
        if day_of(self.now_ms).weekday() == 6:
            self.cook(day_of(self.now_ms) + timedelta(days=1))

    def _each_hour(self) -> None:
        """No open call without a timer, in memory and on disk."""
        self.tale.hours += 1
        calls = [
            {"call_id": one.call_id, "state": one.state}
            for one in self.hall.state.calls.values()
            if one.state != "CLOSED"
        ]
        in_memory = [{"timer_id": name} for name in self.hall.state.timers]
        with closing(sqlite3.connect(f"file:{self.hall.path}?mode=ro", uri=True)) as book:
            on_disk = [{"timer_id": name} for (name,) in book.execute("SELECT timer_id FROM timers")]
        for one in judge_timers(calls, in_memory) + judge_timers(calls, on_disk):
            self.tale.expect(False, "an open call without a timer", one)

    # ---------------------------------------------------------------- devices

    def _fall_silent(self, thing: Thing, hours: int) -> None:
        if thing.id in self.busy:
            self.at(self.now_ms + HOUR_MS, partial(self._fall_silent, thing, hours))
            return
        thing.silent_until_ms = self.now_ms + hours * HOUR_MS
        deadline_ms = thing.said_ms + thing.deadline_ms
        if deadline_ms >= thing.silent_until_ms:
            return
        self.tale.silences[thing.family] += 1
        self.at(deadline_ms - 2_000, partial(self._health_is, thing, False))
        self.at(deadline_ms + 60_000, partial(self._health_is, thing, True))
        self.at(thing.silent_until_ms + thing.every_ms + MIN_MS, partial(self._health_is, thing, False))

    def _health_is(self, thing: Thing, silent: bool) -> None:
        """Within a minute of its deadline, and not before, unless the hall itself was dark meanwhile."""
        found = self.hall.state.devices[thing.id].health == "silent"
        dark = any(ended_ms > thing.said_ms for _, ended_ms, _ in self.tale.dark)
        self.tale.expect(found == silent or dark, f"health: silent is {found}", f"{thing.id} {self.now_ms}")

    def _battery_low(self, thing: Thing, after_days: int | None, *, by_order: bool) -> None:
        thing.battery = 15

        def change() -> None:
            thing.battery = 100
            if by_order:
                self.must("care_device", device_id=thing.id, battery_changed=True, by="小李")
            else:
                self.hear(thing, thing.beat())  # whoever changes it lets it speak
            low_ms, _ = self.tale.low[thing.id]
            self.tale.low[thing.id] = (low_ms, self.now_ms)

        if after_days is not None:
            self.at(self.now_ms + after_days * DAY_MS + 20 * HOUR_MS, change)

    # ---------------------------------------------------------------- visits

    def _look_round(self) -> None:
        """Staff look at the list of visits, and plan whom they have not planned yet. (And the herald has been out.)"""
        self.carry()
        for visit in list(self.hall.state.table(Visit).values()):
            if visit.visit_id not in self._planned and not visit.settled:
                self._planned.add(visit.visit_id)
                self._plan_visit(visit)

    def _plan_visit(self, visit: Visit) -> None:
        dice, chance = self.dice, self.dice.random()
        if visit.reason in ("event", "inactivity"):
            after_ms = (
                dice.randint(HOUR_MS // 2, 3 * HOUR_MS) if chance < 0.85 else dice.randint(25, 40) * HOUR_MS
            )
            at_ms = self.now_ms + after_ms
        elif chance < 0.8:
            last = max(1, (visit.due_ms - self.now_ms) // DAY_MS)
            at_ms = (
                moment_ms(day_of(self.now_ms))
                + dice.randrange(last) * DAY_MS
                + dice.randint(10, 17) * HOUR_MS
            )
        elif chance < 0.93:
            at_ms = (
                moment_ms(day_of(visit.due_ms)) + dice.randint(0, 4) * DAY_MS + dice.randint(10, 17) * HOUR_MS
            )
        else:
            return
        self.at(max(at_ms, self.now_ms + MIN_MS), partial(self._visit, visit.visit_id, visit.person_id))

    def _visit(self, visit_id: str, person_id: str) -> None:
        visit = self.hall.state.table(Visit).get(visit_id)
        if visit is None or visit.settled:
            return  # made with another one, or void
        chance, said = self.dice.random(), {"visit_id": visit_id, "by": "李网格"}
        if chance < 0.08:
            self.must("visit_done", outcome="nobody", **said)
            self.at(self.now_ms + DAY_MS, partial(self._visit, visit_id, person_id))
        elif chance < 0.1 and person_id not in self.rounds.away and visit.reason != "inactivity":
            self._found_away(visit_id, person_id, self.dice.choice(("hospital", "away")))
        else:
            self.must("visit_done", outcome="help" if chance > 0.97 else "well", **said)
            self.rounds.seen(person_id, self.now_ms)
            self.sign(person_id)
            self.silence.seen(person_id, self.now_ms)

    def _found_away(self, visit_id: str, person_id: str, why: str) -> None:
        until_ms = self.now_ms + 4 * DAY_MS
        said = {"visit_id": visit_id, "by": "李网格", "outcome": why, "until_ms": until_ms}
        self.must("visit_done", **said)
        self.rounds.goes(person_id, why, self.now_ms)
        self.rounds.visits[visit_id].state = "done"
        self._comes_back(person_id, until_ms)

    def _goes_away(self, person_id: str, days: int, why: str) -> None:
        if person_id in self.rounds.away:
            return
        until_ms = self.now_ms + days * DAY_MS
        self.must("pause_visits", person_id=person_id, by="小李", why=why, until_ms=until_ms)
        self.rounds.goes(person_id, why, self.now_ms)
        self._comes_back(person_id, until_ms)

    def _comes_back(self, person_id: str, until_ms: int) -> None:
        self.silence.pause(person_id, self.now_ms)

        def back() -> None:
            self.rounds.comes_back(person_id, until_ms)
            self.silence.back(person_id, self.now_ms)

        self.at(until_ms, back)

    def _last_words(self) -> None:
        self.rounds.time_is(self.now_ms)
        self.silence.time_is(self.now_ms)
        self.carry()

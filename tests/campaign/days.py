"""Thirty days in a few minutes: memory stays flat, the notebook grows by what happened, no call and no timer is lost.

``days [days=30] [seed=…]``: the gateway's loop on a real notebook with the clock in our hand: 50 buttons that say a
word a minute, 200 bays every 20 minutes and at every car (some ten a day each), twenty calls a day that are answered
at once, late or not, repeated and pressed again; a sensor and a button a day that fall silent for hours; restarts and
kills; and a wall clock that jumps a day ahead and back, boots in 1970, passes midnight, 25 October and 28 March in
Berlin, and is put forward over the winter. A line a day is printed; at the end the books are compared.

Each unanswered call becomes overdue once, each answered one never; free + taken + unknown + closed is all bays, every
hour; nobody who speaks is called silent. (After a night without power, told apart: how many were, until they spoke.)
"""

from __future__ import annotations

import gc
import logging
import os
import random
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from devices.plan import Panel
from gateway.hall.clock import Witness
from tests.campaign._held import HeldHall
from tests.campaign._tale import Life, Tale, verdict
from tests.campaign._units import rss_kb
from tests.campaign._words import parameters
from tests.gateway.held_hall import HeldClock
from tests.parts import Json

BUTTONS, BAYS = 50, 200
TICK_S = 20
DAY_S = 24 * 3600
#: Five days before Berlin sets its clocks back.
BEGIN_MS = int(datetime(2026, 10, 20, 3, 0, tzinfo=UTC).timestamp() * 1000)
#: A week before Berlin sets them forward again: the winter in between is one jump.
SPRING_MS = int(datetime(2027, 3, 21, 3, 0, tzinfo=UTC).timestamp() * 1000)
CALLS_A_DAY, CARS_A_DAY = 20, 10


def main(words: list[str]) -> int:
    given = parameters(words, days=30, seed=20261122)
    logging.disable(logging.CRITICAL)  # thirty days' worth of lines about calls
    os.environ["TZ"] = "Europe/Berlin"
    time.tzset()
    with tempfile.TemporaryDirectory(prefix="linli-days-") as folder:
        return Days(Path(folder), int(given["days"]), int(given["seed"])).run()


class Days:
    """The days of one hall."""

    def __init__(self, folder: Path, days: int, seed: int, day_s: int = DAY_S) -> None:
        self.days, self.day_s = days, day_s
        self.dice = random.Random(seed)
        self.clock = HeldClock(BEGIN_MS)
        self.hall = HeldHall(folder / "gateway.db", self.clock, (Panel(id="gate"),))
        self.tale = Tale()
        self.silent_until: dict[str, float] = {}
        self.taken = [self.dice.random() < 0.5 for _ in range(BAYS)]
        self.seq = 0
        self._before_s = 0.0
        self._claim()

    @property
    def now_s(self) -> float:
        """True time in seconds: the machine's monotonic clock begins anew with each power cut, this one does not."""
        return self.clock.mono_s + self._before_s

    def run(self) -> int:
        rss: list[int] = []
        blocks: list[int] = []
        sizes: list[int] = []
        for day in range(1, self.days + 1):
            self._live(day)
            self._check_counts()
            gc.collect()
            rss.append(rss_kb(os.getpid()))
            blocks.append(sys.getallocatedblocks())
            sizes.append(self._file_bytes())
            kept = {name: size for name, size in self.hall.sizes().items() if size}
            print(
                f"  day {day:2} {datetime.fromtimestamp(self.clock.wall_ms / 1000, UTC):%Y-%m-%d %H:%M}Z  "
                f"rss {rss[-1]} KiB, {blocks[-1]} objects, notebook {sizes[-1] // 1024} KiB "
                f"(log {self._wal_bytes() // 1024} KiB); "
                + ", ".join(f"{name} {size}" for name, size in kept.items()),
                flush=True,
            )
        self._finish_calls()
        return self._verdict(rss, sizes)

    # ---------------------------------------------------------------- a day

    def _claim(self) -> None:
        for number in range(BUTTONS):
            self._order("claim_device", device_id=f"btn-{number}", kind="call_button", by="t")
        for number in range(BAYS):
            zone = f"zone-{number % 4}"
            self._order(
                "claim_device",
                device_id=f"bay-{number}",
                kind="bay_sensor",
                bay_id=f"p-{number}",
                zone_id=zone,
            )

    def _live(self, day: int) -> None:
        begin_s = self.now_s
        events = self._plan(day, begin_s)
        next_beat_s, tick = begin_s, 0
        while self.now_s < begin_s + self.day_s:
            while events and events[0][0] <= self.now_s:
                _, what, subject = events.pop(0)
                self._happen(what, subject)
            if self.now_s >= next_beat_s:
                next_beat_s += 60
                self._beats(tick)
                tick += 1
            self._calls()
            self._settle()
            self.clock.pass_s(TICK_S)
            if tick % 60 == 0:
                self._check_counts()

    def _plan(self, day: int, begin_s: float) -> list[tuple[float, str, int]]:
        """What this day brings, in its order."""
        dice = self.dice
        events = [
            (begin_s + dice.uniform(0, self.day_s), "press", dice.randrange(BUTTONS))
            for _ in range(CALLS_A_DAY)
        ]
        for bay in range(BAYS):
            events += [
                (begin_s + dice.uniform(0, self.day_s), "car", bay)
                for _ in range(dice.randint(0, 2 * CARS_A_DAY))
            ]
        events += [
            (begin_s + 9 * 3600, "button silent", dice.randrange(BUTTONS)),
            (begin_s + 15 * 3600, "bay silent", dice.randrange(BAYS)),
        ]
        special = {
            2: [(11, "restart", 30)],
            3: [(10, "wall", 24 * 3600), (20, "wall", -24 * 3600)],
            4: [(11, "kill", 45)],
            5: [(12, "wall", -24 * 3600), (14, "restart", 5), (18, "wall", 24 * 3600)],
            7: [(12, "1970", 20)],
            8: [(1, "power cut", 8 * 3600)],
            10: [(11, "kill", 100)],
            12: [(4, "spring", 0)],
        }
        events += [(begin_s + hour * 3600, what, value) for hour, what, value in special.get(day, [])]
        if day > 12 and day % 3 == 0:
            events.append((begin_s + dice.uniform(0, self.day_s), "kill", 60))
        return sorted(events)

    def _happen(self, what: str, subject: int) -> None:
        match what:
            case "press":
                self._press(subject)
            case "car":
                if f"bay-{subject}" not in self.silent_until:
                    self.taken[subject] = not self.taken[subject]
                    self.tale.cars += 1
                    self._bay(subject)
            case "button silent":
                self._fall_silent(f"btn-{subject}", 4 * 3600)
            case "bay silent":
                self._fall_silent(f"bay-{subject}", 5 * 3600)
            case "wall":
                self.clock.wall_ms += subject * 1000
            case "restart" | "kill":
                self._restart(subject, kill=what == "kill")
            case "1970":
                # A Pi without a clock battery; half an hour later the network tells it the time.
                wall_ms, begin_s = self.clock.wall_ms, self.now_s
                self._restart(subject, power=True, wall_ms=40_000, says=Witness(False, False))
                for tick in range(90):
                    self._beats(tick)
                    self._calls()
                    self._settle()
                    self.clock.pass_s(TICK_S)
                self.clock.wall_ms = wall_ms + int((self.now_s - begin_s) * 1000)
                self.clock.says = Witness(True, False)
            case "power cut":
                self.tale.outage = True
                self._restart(subject, power=True)
                self.hall.turn()
                self.clock.pass_s(6)
                self.hall.turn()
                self.tale.after_outage = self._silent_in_state()
            case "spring":
                self._settle()
                self.clock.wall_ms = SPRING_MS

    def _beats(self, tick: int) -> None:
        for device_id, until_s in list(self.silent_until.items()):
            if self.now_s >= until_s:
                del self.silent_until[device_id]
        for number in range(BUTTONS):
            if f"btn-{number}" not in self.silent_until:
                self.hall.tell(f"linli/v1/button/btn-{number}/status", {"boot": "d", "every_s": 60})
        for bay in range(BAYS):
            if (tick + bay) % 20 == 0 and f"bay-{bay}" not in self.silent_until:
                self._bay(bay)

    def _bay(self, bay: int) -> None:
        self.seq += 1
        words = {"boot": "d", "seq": self.seq, "occupied": self.taken[bay], "every_s": 20 * 60}
        self.hall.tell(f"linli/v1/bay/bay-{bay}/state", words)

    def _fall_silent(self, device_id: str, lasts_s: float) -> None:
        if device_id not in self.silent_until and not any(
            life.device == device_id and life.done < 2 for life in self.tale.lives
        ):
            self.silent_until[device_id] = self.now_s + lasts_s
            self.tale.silences += 1

    def _settle(self) -> None:
        self.hall.settle(self.clock.pass_s)

    def _order(self, name: str, **fields: object) -> Json:
        return self.hall.order(name, self._settle, **fields)

    # ---------------------------------------------------------------- calls

    def _press(self, button: int, answered_s: int = 0) -> None:
        device, dice = f"btn-{button}", self.dice
        if device in self.silent_until or any(
            life.device == device and life.done < 2 for life in self.tale.lives
        ):
            return  # this elder has a call open already: the trial counts calls, one press each
        answered_s = answered_s or dice.choice((20, 30, 100, 200, 400, 7200))
        now_s = self.now_s
        life = Life(
            device,
            now_s,
            now_s + answered_s,
            now_s + answered_s + dice.uniform(60, 500),
            now_s + dice.choice((10.0, 15.0, float("inf"))),
        )
        self._ring(life)
        self._settle()
        life.call_id = self.hall.state.newest_call.get(device, 0)
        self.tale.lives.append(life)

    def _ring(self, life: Life) -> None:
        """A press, and a copy of it: the button did not hear the answer."""
        self.seq += 1
        words = {"boot": f"d{self.tale.restarts}", "seq": self.seq, "press": "short"}
        for _ in range(2):
            self.hall.tell(f"linli/v1/button/{life.device}/press", words)

    def _calls(self) -> None:
        for life in self.tale.lives:
            if life.done == 2:
                continue
            if self.now_s >= life.again_s and life.done == 0:
                life.again_s = float("inf")
                life.presses += 1
                self._ring(life)
            if self.now_s >= life.accept_s and life.done == 0:
                life.done = 1
                self._expect("accept_call", life)
            if self.now_s >= life.close_s and life.done == 1:
                life.done = 2
                self._expect("close_call", life, outcome="helped")

    def _expect(self, order: str, life: Life, **more: str) -> None:
        answer = self._order(order, call_id=life.call_id, by="小李", **more)
        if not answer.get("written"):
            self.tale.wrong[f"{order} refused"] += 1

    def _finish_calls(self) -> None:
        while any(life.done < 2 for life in self.tale.lives):
            self._beats(0)
            self._calls()
            self._settle()
            self.clock.pass_s(TICK_S)

    # ---------------------------------------------------------------- the process and the clock

    def _restart(
        self,
        down_s: int,
        *,
        kill: bool = True,
        power: bool = False,
        wall_ms: int | None = None,
        says: Witness | None = None,
    ) -> None:
        """The process ends and begins again; half a minute before, somebody pressed, and is not answered for long."""
        self._press(self.dice.randrange(BUTTONS), 600)
        self.clock.pass_s(30)
        self._settle()
        self.hall.close(kill=kill)
        self.tale.restarts += 1
        if power:
            before_s = self.now_s
            self.clock.power_cut(down_s, wall_ms=wall_ms, says=says)
            self._before_s = before_s + down_s - self.clock.mono_s
        else:
            self.clock.pass_s(down_s)
        for life in self.tale.lives:
            if life.done < 2:
                # Staff cannot answer what is dark: everything is done that much later, and nothing within the minute.
                life.accept_s += (
                    600 + down_s if life.accept_s - life.pressed_s < 60 and not life.done else down_s
                )
                life.close_s = max(life.close_s + down_s, life.accept_s + 60)
                life.again_s += down_s
        self.hall.open()

    # ---------------------------------------------------------------- comparing

    def _silent_in_state(self) -> int:
        return sum(
            device.health == "silent" and device.device_id not in self.silent_until
            for device in self.hall.state.devices.values()
        )

    def _check_counts(self) -> None:
        state = self.hall.state
        for zone in state.zones.values():
            bays = [bay.state for bay in state.bays.values() if bay.zone_id == zone.zone_id]
            have = Counter(bays)
            said = (zone.free, zone.taken, zone.unknown, zone.closed)
            if said != (have["free"], have["taken"], have["unknown"], have["closed"]):
                self.tale.wrong["a zone's counts do not add up"] += 1
        silent = self._silent_in_state()
        if silent and not self.tale.outage:
            self.tale.wrong["called silent though they speak"] += silent
        elif not silent:
            self.tale.outage = False
        if sum(zone.total for zone in state.zones.values()) != BAYS:
            self.tale.wrong["not all bays are counted"] += 1
        for bay, taken in enumerate(self.taken):
            if f"bay-{bay}" in self.silent_until or self.tale.outage:
                continue
            if state.bays[f"p-{bay}"].state != ("taken" if taken else "free"):
                self.tale.wrong["a bay is not as its sensor said"] += 1

    def _file_bytes(self) -> int:
        return self.hall.path.stat().st_size

    def _wal_bytes(self) -> int:
        log = self.hall.path.with_name("gateway.db-wal")
        return log.stat().st_size if log.exists() else 0

    def _verdict(self, rss: list[int], sizes: list[int]) -> int:
        self.hall.close()
        print(f"  acknowledged {self.hall.acknowledged} of {self.hall.taken} messages")
        return verdict(self.hall.path, self.tale, rss, sizes)

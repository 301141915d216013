"""Calls of the month, and what people do about them: each press with all of its sequel."""

from __future__ import annotations

import random
from functools import partial
from pathlib import Path

from gateway.hall.kinds import DEFAULTS
from tests.campaign._month_hall import FIRST_DAY, MEALS, Life, MonthHall
from tests.campaign._month_rounds import DAY_MS, HOUR_MS, moment_ms
from tests.campaign._month_things import MIN_MS, Thing

#: Seconds until somebody accepts, and how often of a hundred.
DELAYS = ((12, 30), (25, 30), (45, 20), (90, 12), (200, 6), (1500, 2))
#: How a call that is no meal goes: (name, of a hundred).
FATES = (("whole", 70), ("direct", 12), ("expires", 6), ("undone", 6), ("undone untaken", 6))
OUTCOMES = {
    "emergency": ("helped", "false_alarm", "hospital", "no_answer", "false_alarm"),
    "help": ("helped", "referred"),
    "repair": ("repaired",),
    "company": ("visited",),
}


class Callers(MonthHall):
    """Residents who press, staff who answer."""

    def __init__(self, folder: Path, dice: random.Random) -> None:
        super().__init__(folder)
        self.dice = dice
        #: buttons with an open call: the trial counts calls, one at a time for each
        self.busy: set[str] = set()

    def _can_call(self, thing: Thing) -> bool:
        away = thing.person_id in self.rounds.away
        return not (away or thing.id in self.busy or thing.silent_until_ms > self.now_ms)

    def press(self, thing: Thing) -> None:
        if not self._can_call(thing):
            return
        life = self._ring(thing, thing.kind)
        dice, begin_ms = self.dice, self.now_ms
        (delay_s,) = dice.choices([one for one, _ in DELAYS], [share for _, share in DELAYS])
        delay_ms = int(delay_s * 1000 * dice.uniform(0.8, 1.2))
        if delay_ms > 30_000 and dice.random() < 0.4:
            self.at(
                begin_ms + dice.randint(11_000, min(delay_ms, 60_000) - 2_000), partial(self._again, life)
            )
        (fate,) = dice.choices([name for name, _ in FATES], [share for _, share in FATES])
        accept_ms = begin_ms + delay_ms
        arrive_ms = accept_ms + dice.randint(2 * MIN_MS, 9 * MIN_MS)
        close_ms = arrive_ms + dice.randint(3 * MIN_MS, 40 * MIN_MS)
        outcome = dice.choice(OUTCOMES[life.kind])
        if fate == "direct":
            self.at(accept_ms, partial(self._close, life, outcome))
            return
        if fate == "undone untaken":
            self.at(accept_ms, partial(self._close, life, "false_alarm"))
            self.at(accept_ms + 20_000, partial(self._reopen, life))
            accept_ms, arrive_ms, close_ms = (one + 50_000 for one in (accept_ms, arrive_ms, close_ms))
        self.at(accept_ms, partial(self._accept, life, "小李"))
        if fate == "expires":
            # Nobody comes; the ladder begins anew, and somebody else takes it.
            accept_ms += DEFAULTS[life.kind].coming_s * 1000 + dice.randint(5_000, 100_000)
            self.at(accept_ms, partial(self._accept, life, "小王"))
            arrive_ms, close_ms = accept_ms + 5 * MIN_MS, accept_ms + 20 * MIN_MS
        self.at(arrive_ms, partial(self._arrive, life))
        self.at(close_ms, partial(self._close, life, outcome))
        if fate == "undone":
            self.at(close_ms + 30_000, partial(self._reopen, life))
            self.at(close_ms + 5 * MIN_MS, partial(self._close, life, outcome))

    def _ring(self, thing: Thing, kind: str, how: str = "short") -> Life:
        self.busy.add(thing.id)
        self.hear(thing, *thing.press(how))
        pressed_ms = self.now_ms
        self.settle()
        self.sign(thing.person_id)
        life = Life(self.hall.state.newest_call.get(thing.id, 0), thing, kind, pressed_ms)
        self.tale.lives.append(life)
        return life

    def _again(self, life: Life, how: str = "short") -> None:
        if life.closed_ms is None and life.thing.silent_until_ms <= self.now_ms:
            life.presses += 1
            self.hear(life.thing, *life.thing.press(how))
            self.sign(life.thing.person_id)

    def _accept(self, life: Life, by: str) -> None:
        self.must("accept_call", call_id=life.call_id, by=by)
        life.accepted_ms = self.now_ms if life.accepted_ms is None else life.accepted_ms

    def _arrive(self, life: Life) -> None:
        self.must("arrive_call", call_id=life.call_id, by="小王")
        life.arrived_ms = self.now_ms

    def _close(self, life: Life, outcome: str) -> None:
        self.must("close_call", call_id=life.call_id, by="小李", outcome=outcome)
        life.closed_ms, life.outcome = self.now_ms, outcome
        life.accepted_ms = self.now_ms if life.accepted_ms is None else life.accepted_ms
        self.busy.discard(life.thing.id)
        if life.kind == "emergency":
            self.rounds.emergency_ended(life.call_id, life.thing.person_id, outcome, self.now_ms)

    def _reopen(self, life: Life) -> None:
        self.must("reopen_call", call_id=life.call_id, by="小李")
        self.busy.add(life.thing.id)
        if life.accepted_ms == life.closed_ms:
            life.accepted_ms = None  # nobody had: it was only closed
        life.closed_ms, life.outcome = None, ""
        self.rounds.end_undone(life.call_id, life.thing.person_id)

    def test(self, thing: Thing) -> None:
        if not self._can_call(thing):
            return
        self.busy.add(thing.id)
        self.must("care_device", device_id=thing.id, expect_test=True, by="小李")

        def press() -> None:
            life = self._ring(thing, "test")
            self.tale.tested_ms[thing.id] = life.pressed_ms
            self.at(self.now_ms + 90_000, partial(self._close, life, "test"))

        self.at(self.now_ms + self.dice.randint(20_000, 300_000), press)

    def help_at_kiosk(self) -> None:
        """Somebody at the kiosk asks for help."""
        words = {
            "device_id": "screen:kiosk-1",
            "kind": "hall",
            "place_zh": "大厅",
            "by": "",
            "key": f"k{self.now_ms}",
        }
        call_id = int(self.must("raise_call", **words)["call"]["call_id"])
        screen = Thing("screen:kiosk-1", "screen", "kiosk-1", "hall", "p-none", 0, 0)
        life = Life(call_id, screen, "hall", self.now_ms)
        self.tale.lives.append(life)
        self.at(self.now_ms + 40_000, partial(self._close, life, "helped"))

    def move(self, sensor: Thing) -> None:
        if sensor.person_id not in self.rounds.away:
            self.hear(sensor, sensor.moved(), sensor.still())
            self.sign(sensor.person_id)

    # ---------------------------------------------------------------- meals

    def meal(self, thing: Thing) -> None:
        """A press is the next meal; a trembling second one is not; a long one gives it back; somebody delivers it."""
        if not self._can_call(thing):
            return
        dice, life = self.dice, self._ring(thing, "meal")
        life.meal = self.next_meal(set())
        if life.meal is None:
            self.at(self.now_ms + 2 * MIN_MS, partial(self._close, life, "false_alarm"))
            return
        life.accepted_ms, life.meal_state = life.pressed_ms, "ordered"
        day, meal = life.meal
        midnight_ms = moment_ms(FIRST_DAY.fromisoformat(day))
        cutoff_ms = midnight_ms + MEALS[meal] * MIN_MS
        chance = dice.random()
        if chance < 0.3:
            self.at(self.now_ms + dice.randint(15_000, 200_000), partial(self._tremble, life, cutoff_ms))
        elif chance < 0.45 and cutoff_ms > self.now_ms + 5 * MIN_MS:
            self.at(self.now_ms + 4 * MIN_MS, partial(self._give_back, life))
            return
        elif chance < 0.55:
            self.at(midnight_ms + DAY_MS, partial(self._meal_ends, life, "over"))
            return
        self.at(midnight_ms + (12 if meal == "lunch" else 18) * HOUR_MS, partial(self._deliver, life))

    def _tremble(self, life: Life, cutoff_ms: int) -> None:
        if self.now_ms < cutoff_ms:
            self._again(life)

    def _give_back(self, life: Life) -> None:
        if life.thing.silent_until_ms > self.now_ms:
            self.must("cancel_meal", call_id=life.call_id, by="食堂")
        else:
            self._again(life, "long")
        self._meal_ends(life, "cancelled")

    def _deliver(self, life: Life) -> None:
        self.must("deliver_meal", call_id=life.call_id, by="食堂")
        self._meal_ends(life, "delivered")

    def _meal_ends(self, life: Life, state: str) -> None:
        life.closed_ms, life.meal_state = self.now_ms, state
        life.outcome = "meal_cancelled" if state == "cancelled" else "meal_ordered"
        self.busy.discard(life.thing.id)

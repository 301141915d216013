"""Orders with rubbish in their fields, at a hall that has one of everything: each is done or refused in clear words.

A refused order changes nothing, in memory or on disk; none is set aside as a mistake of ours; and whatever was done,
timers go on falling due and a press still rings.
"""

from __future__ import annotations

import logging
import random
import sqlite3
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from dataclasses import fields
from pathlib import Path
from typing import Any

from gateway import journal
from gateway.hall import links
from gateway.hall.kinds import kind_of
from gateway.hall.rules import ORDERS
from gateway.hall.tables import TABLES
from tests.campaign._held import HeldHall
from tests.campaign._month_rounds import ZONE
from tests.campaign._rubbish import STRANGE
from tests.gateway.held_hall import HeldClock
from tests.parts import Json

#: Words that mean something somewhere: ids that there are, days, kinds, roles, outcomes, addresses.
_WORDS: list[object] = [
    *(
        "p-1",
        "p-2",
        "h-1",
        "h-2",
        "btn-1",
        "zigbee2mqtt:b",
        "bay-1",
        "screen:kiosk-1",
        "s-1",
        "sub-1",
        "east",
    ),
    *(
        "p-1:event:1",
        "call:1:1:0:h-1:0",
        "lorawan:gw-1",
        "emergency",
        "meal",
        "company",
        "own_kind",
        "help",
        "test",
    ),
    *(
        "call_button",
        "bay_sensor",
        "companion",
        "ignored",
        "unclaimed",
        "own",
        "lamp",
        "siren",
        "duty",
        "grid",
    ),
    *(
        "2026-11-18",
        "2026-11-19",
        "2026-02-30",
        "0001-01-01",
        "9999-12-31",
        "lunch",
        "dinner",
        "holiday",
        "workday",
    ),
    *(
        "helped",
        "well",
        "nobody",
        "hospital",
        "away",
        "moved",
        "sent",
        "failed",
        "answered",
        "queued",
        "event",
    ),
    *(
        "weekly",
        "monthly",
        "quarterly",
        "none",
        "too",
        "not",
        "only",
        "people",
        "helpers",
        "shifts",
        "holidays",
    ),
    *("sms:13800138000", "wecombot://x", "1", "小李", "张奶奶", "a" * 64, "a" * 201, "a\nb"),
]
_NUMBERS: list[object] = [
    0,
    1,
    2,
    3,
    7,
    60,
    127,
    480,
    1439,
    1440,
    -240,
    900,
    3600,
    86_400,
    1_795_000_060_000,
    2**53,
]
_LADDER = [["duty", 60, ["console", "message"]], ["grid", 1, ["message"]]]
_OUTCOMES = [["helped", "已帮助", "Helped"]]
#: All fields that any order reads: columns of tables, and what stands in none.
FIELDS = sorted(
    {column.name for row in TABLES.values() for column in fields(row)}
    | {
        "by",
        "token",
        "live",
        "call_kind",
        "zone_id",
        "bay_id",
        "name_zh",
        "place_zh",
        "tested",
        "repaired",
        "key",
    }
    | {"battery_changed", "expect_test", "until_ms", "raise", "table", "rows", "menus", "line_id"}
)
#: Fields that make an order likely to be done: so that rules are gone through to their ends.
LIKELY: dict[str, Json] = {
    "put_person": {"person_id": "p-1", "name": "张奶奶", "visit_tier": "weekly", "quiet_after_h": 12},
    "put_helper": {"helper_id": "h-1", "name": "小李", "role": "duty", "channels": ["sms:13800138000"]},
    "put_shift": {"shift_id": "s-1", "helper_id": "h-1", "from_min": 480, "to_min": 1080},
    "put_substitution": {
        "substitution_id": "sub-1",
        "helper_id": "h-1",
        "by_helper_id": "h-2",
        "first_day": "2026-11-18",
        "last_day": "2027-11-19",
    },
    "put_holiday": {"day": "2026-11-19"},
    "put_kind": {
        "kind": "own_kind",
        "name_zh": "自定",
        "name_en": "Own",
        "ladder": _LADDER,
        "outcomes": _OUTCOMES,
    },
    "put_menu": {"day": "2026-11-19", "meal": "lunch", "dish": "面", "price_fen": 1500, "cutoff_min": 570},
    "put_menus": {
        "menus": [{"day": "2026-11-20", "meal": "lunch", "dish": "面", "price_fen": 1, "cutoff_min": 1}]
    },
    "put_many": {"table": "people", "rows": [{"person_id": "p-2", "name": "李爷爷"}]},
    "claim_device": {"device_id": "btn-1", "kind": "call_button", "name": "床头", "person_id": "p-1"},
    "order_meal": {"person_id": "p-1", "day": "2026-11-19", "meal": "lunch", "portions": 1},
    "open_visit": {"person_id": "p-1", "reason": "event"},
    "visit_done": {"visit_id": "p-1:event:1", "outcome": "well"},
    "pause_visits": {"person_id": "p-1", "why": "away"},
    "raise_call": {"device_id": "screen:kiosk-1", "kind": "help", "place_zh": "大厅"},
    "close_call": {"outcome": "helped"},
    "define_zone": {"zone_id": "east", "name_zh": "东区", "name_en": "East"},
    "message_state": {"state": "sent", "attempts": 1},
    "care_device": {"device_id": "btn-1"},
    "consoles": {"live": 1},
    "look_at_medical": {"person_id": "p-1"},
    "drop_person": {"person_id": "p-2"},
    "drop_helper": {"helper_id": "h-2"},
    "drop_menu": {"day": "2026-11-19", "meal": "lunch"},
    "drop_kind": {"kind": "own_kind"},
    "drop_holiday": {"day": "2026-11-19"},
    "close_bay": {"bay_id": "p-1"},
    "open_bay": {"bay_id": "p-1"},
    "forget_path": {"path_id": "zigbee2mqtt"},
    "erase_words": {"line_id": 3},
}


class _Mistakes(logging.Handler):
    """What the log says of mistakes of ours."""

    def __init__(self) -> None:
        super().__init__()
        self.said: Counter[str] = Counter()
        self.examples: dict[str, str] = {}

    def emit(self, record: logging.LogRecord) -> None:
        event = str(record.__dict__.get("hall_event", ""))
        if event in ("set_aside", "timer_given_up", "calls_not_watched"):
            self.said[event] += 1
            self.examples.setdefault(event, record.getMessage())


class Orders:
    """One hall, and orders without end."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.dice = random.Random(seed)
        self.clock = HeldClock()
        self.hall = HeldHall(folder / "gateway.db", self.clock, zone=ZONE)
        self.wrong: Counter[str] = Counter()
        self.examples: dict[str, str] = {}
        self.done: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self._seq = 0

    def run(self, orders: int) -> int:
        """So many orders, and what became of them; 0: all as it should be."""
        log, mistakes = logging.getLogger("linli"), _Mistakes()
        log.addHandler(mistakes)
        propagates, log.propagate = log.propagate, False
        try:
            self._furnish()
            for number in range(orders):
                if number % 500 == 0:
                    self._live()
                self._give(*self._order())
        finally:
            log.removeHandler(mistakes)
            log.propagate = propagates
        for event, count in mistakes.said.items():
            self._expect(False, event, f"{count}: {mistakes.examples[event]}")
        never = [name for name in ORDERS if not self.done[name]]
        with closing(sqlite3.connect(self.hall.path)) as book:
            sound = book.execute("PRAGMA integrity_check").fetchone()[0]
            checked = journal.verify(book)
        self._expect(not checked.breaks, "the journal's chain is broken", str(checked.breaks[:1]))
        print(
            f"  orders: {sum(self.done.values())} done, {sum(self.refused.values())} refused, of {len(ORDERS)} sorts "
            f"(never done: {', '.join(never) or 'none'}); presses between "
            f"{self._seq}; journal {checked.lines} lines, notebook {sound}"
        )
        for name, count in self.wrong.items():
            print(f"    ! {name}: {count}, for example {self.examples[name][:700]}")
        self.hall.close(kill=True)
        return 1 if self.wrong or sound != "ok" else 0

    def _furnish(self) -> None:
        """A bay, a path, and whoever the likely orders speak of."""
        self.hall.tell("linli/v1/bay/bay-1/state", {"boot": "b", "seq": 1, "occupied": True, "every_s": 20})
        self.hall.settle(self.clock.pass_s)
        bay = {"device_id": "bay-1", "kind": "bay_sensor", "bay_id": "p-1", "zone_id": "east"}
        helper = {"helper_id": "h-2", "name": "小王", "role": "grid"}
        for name, given in (("claim_device", bay), ("put_helper", helper), *LIKELY.items()):
            self.hall.order(name, self.hall.turn, **{"by": "小李", **given})

    def _order(self) -> tuple[str, dict[str, object]]:
        dice, name = self.dice, self.dice.choice(list(ORDERS))
        given: dict[str, object] = {"by": "小李", "call_id": self._a_call()}
        given |= LIKELY.get(name, {})
        state = self.hall.state
        if name == "pause_visits":
            given["until_ms"] = self.clock.wall_ms + dice.choice((1, 60_000, 86_400_000, -1))
        if name == "accept_by_link":
            until_ms = self.clock.wall_ms + dice.choice((-60_000, 600_000))
            link = links.Link(max([1, *state.calls]), "h-1", 1, until_ms)
            given["token"] = links.make(state.link_secret, link)
        for key, table in (("visit_id", "visits"), ("message_id", "messages")):
            if state.tables[table] and dice.random() < 0.5:
                given[key] = dice.choice(list(state.tables[table]))
        spoiled = dice.choice((0, 1, 1, 2, 3, 8))
        for _ in range(spoiled):
            # Half of what is spoiled is what the order reads.
            key = dice.choice(list(given)) if given and dice.random() < 0.5 else dice.choice(FIELDS)
            if dice.random() < 0.1:
                given.pop(key, None)
            else:
                given[key] = self._value()
        return name, given

    def _a_call(self) -> object:
        calls = list(self.hall.state.calls)
        return self.dice.choice(calls) if calls and self.dice.random() < 0.9 else self.dice.choice(_NUMBERS)

    def _value(self, depth: int = 0) -> object:
        sort = self.dice.random()
        if sort < 0.35:
            return self.dice.choice(_WORDS)
        if sort < 0.5:
            return self.dice.choice(_NUMBERS)
        if sort < 0.6:
            return self.dice.choice(
                (_LADDER, _OUTCOMES, ["sms:13800138000"], [{"person_id": "p-9", "name": "x"}])
            )
        if sort < 0.7 and depth < 2:
            return [self._value(depth + 1) for _ in range(self.dice.randint(0, 4))]
        if sort < 0.75 and depth < 2:
            return {self.dice.choice(FIELDS): self._value(depth + 1) for _ in range(self.dice.randint(0, 4))}
        return self.dice.choice(STRANGE)

    def _give(self, name: str, fields: dict[str, object]) -> None:
        before, lines = self._picture(), self._lines()
        try:
            answer = self.hall.order(name, self.hall.turn, **fields)
        except Exception as wrong:  # noqa: BLE001 (it is told, and the trial fails: nothing may be raised here)
            self._expect(False, f"raised {type(wrong).__name__}", f"{wrong}: {name} {fields}")
            return
        if answer.get("ok"):
            self.done[name] += 1
            return
        self.refused[name] += 1
        told = answer.get("why_zh") and answer.get("why_en") and answer.get("fault") == "refused"
        self._expect(bool(told), "refused without a reason in both languages", f"{name} {fields}: {answer}")
        ours = "没能执行" in str(answer.get("why_zh"))
        self._expect(not ours, f"a mistake of ours: {name}", f"{fields}: {answer}")
        same = self._picture() == before and self._lines() == lines
        self._expect(same, "a refused order changed something", f"{name} {fields}: {answer}")

    def _picture(self) -> tuple[Any, ...]:
        """The hall as it is in memory. (Rows never change: their tables are compared.)"""
        state = self.hall.state
        tables: tuple[Mapping[Any, object], ...] = (
            state.calls,
            state.devices,
            state.bays,
            state.zones,
            state.presses,
            state.order_keys,
            state.timers,
        )
        rows = {name: dict(table) for name, table in state.tables.items()}
        return [dict(table) for table in tables], rows, state.consoles

    def _lines(self) -> int:
        found = self.hall.book.connection.execute("SELECT coalesce(max(line_id), 0) FROM journal").fetchone()
        return int(found[0])

    def _live(self) -> None:
        """Hours pass, timers fall due, and a button is pressed: it rings, whatever was ordered before."""
        for _ in range(20):
            self.clock.pass_s(self.dice.choice((1, 30, 400, 4000)))
            self.hall.turn()
        self._seq += 1
        self.hall.tell("zigbee2mqtt/bridge/state", {"state": self.dice.choice(("online", "offline"))})
        device = f"real-{self._seq}"
        self.hall.tell(f"linli/v1/button/{device}/press", {"boot": "r", "seq": 1, "press": "short"})
        for _ in range(5):
            self.hall.turn()
        self._expect((device, "r", 1) in self.hall.written, "a press does not ring any more", device)
        for device_id in ("btn-1", "zigbee2mqtt:b"):
            topic = "linli/v1/button/btn-1/press" if device_id == "btn-1" else "zigbee2mqtt/b"
            self.hall.tell(topic, {"boot": "b", "seq": self._seq, "press": "short", "action": "single"})
            self.hall.turn()
        # What rings is answered now and then, or the hall would fill.
        for call in [call for call in self.hall.state.calls.values() if call.state != "CLOSED"][:-6]:
            self.hall.order(
                "close_call",
                self.hall.turn,
                call_id=call.call_id,
                by="t",
                outcome=self._an_outcome(call.kind),
            )

    def _an_outcome(self, kind: str) -> str:
        return kind_of(self.hall.state, kind).outcomes[0][0]

    def _expect(self, held: bool, name: str, example: str) -> None:
        if not held:
            self.wrong[name] += 1
            self.examples.setdefault(name, example)

"""No message, however strange, reaches a rule but as a well-formed fact, or is anything but counted and named.

``rubbish [messages=1000000] [broker=100000] [orders=50000] [pushes=5000] [seed=…]``: rubbish of every kind
(_rubbish.py) goes the whole way, from topic and bytes through codec and entrance into the loop and its notebook; then
again, a tenth of it, through a real broker into a real gateway. Of each message one thing happens, and only one: it is
counted under a name that says why, or facts come of it whose every field has its type and range. What cannot be a press
makes no call; nothing raises and nothing is set aside as a mistake of ours; sources are named; between it all, every
press of a real button rings.
Then orders with rubbish in their fields (_rubbish_orders.py), and rubbish pushed over HTTP (_rubbish_pushes.py).
"""

from __future__ import annotations

import logging
import math
import sqlite3
import tempfile
import threading
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

from devices.codecs import families
from devices.messages import BayHeard, DeviceSeen, Pressed, Released
from gateway.arrival import Arrival
from tests.campaign import _wire
from tests.campaign._buttons import Buttons, spread
from tests.campaign._held import HeldHall, Message, NoText
from tests.campaign._rubbish import Rubbish, Sort
from tests.campaign._rubbish_orders import Orders
from tests.campaign._rubbish_pushes import trial as pushes_trial
from tests.campaign._trouble import hall
from tests.campaign._words import parameters
from tests.gateway.held_hall import HeldClock
from tests.parts import Seat

#: A press of a real button between so many pieces of rubbish.
PRESS_EVERY = 1000
#: One of these happens to each message that makes no fact.
OUTCOMES = (
    "our_own",
    "call_copies",
    "oversized",
    "unknown_topic",
    "garbage",
    "signs_of_life",
    "without_news",
    "over_budget",
    "old_words",
    "panel_words",
)
NAMED = {"oversized", "unknown_topic", "garbage"}
#: Sources that are named at least; after some thousand different ones in a day the log only counts.
SOURCES_NAMED = 800


def main(words: list[str]) -> int:
    given = parameters(words, messages=1_000_000, broker=100_000, orders=50_000, pushes=5_000, seed=20261122)
    seed = int(given["seed"])
    worst = 0
    if given["messages"]:
        with tempfile.TemporaryDirectory(prefix="linli-rubbish-") as folder:
            worst |= InProcess(Path(folder), seed).run(int(given["messages"]))
    if given["broker"]:
        with tempfile.TemporaryDirectory(prefix="linli-rubbish-") as folder:
            worst |= _through_a_broker(Path(folder), int(given["broker"]), seed + 1)
    if given["orders"]:
        with tempfile.TemporaryDirectory(prefix="linli-rubbish-") as folder:
            worst |= Orders(Path(folder), seed + 2).run(int(given["orders"]))
    if given["pushes"]:
        with tempfile.TemporaryDirectory(prefix="linli-rubbish-") as folder:
            worst |= pushes_trial(Path(folder), int(given["pushes"]), seed + 3)
    return worst


class InProcess:
    """The whole way, without a broker and without waiting."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.rubbish = Rubbish(seed)
        self.wrong: Counter[str] = Counter()
        self.examples: dict[str, str] = {}
        self.sorts: Counter[str] = Counter()
        self.facts: Counter[str] = Counter()
        self.arrivals = 0
        self.sort = Sort("none")
        self.message = Message("", b"")
        self.clock = HeldClock()
        self.named = Named()
        self.hall = HeldHall(folder / "gateway.db", self.clock, watch=self._arrived)

    def run(self, messages: int) -> int:
        """So many pieces of rubbish, and what became of them; 0: all as it should be."""
        log = logging.getLogger("linli")
        log.addHandler(self.named)
        propagates, log.propagate = log.propagate, False
        try:
            return self._run(messages)
        finally:
            log.removeHandler(self.named)
            log.propagate = propagates

    def _run(self, messages: int) -> int:
        began_s, presses = time.monotonic(), 0
        for number in range(1, messages + 1):
            self.sort, self.message = self.rubbish.next()
            self.sorts[self.sort.name] += 1
            self._hear(self.message)
            self.clock.pass_s(0.001)
            if number % 50 == 0:
                self._turn()
            if number % PRESS_EVERY == 0:
                presses += 1
                self._press(presses)
            if number % (10 * PRESS_EVERY) == 0:
                self._answer_all()
        self.sort = Sort("none")
        self._settle()
        took_s = time.monotonic() - began_s
        counts = self.hall.counts
        with closing(sqlite3.connect(f"file:{self.hall.path}?mode=ro", uri=True)) as book:
            question = "SELECT coalesce(sum(presses), 0) FROM calls WHERE device_id = 'real'"
            real = book.execute(question).fetchone()[0]
            calls = book.execute("SELECT count(*) FROM calls").fetchone()[0]
            sound = book.execute("PRAGMA integrity_check").fetchone()[0]
        self._expect(real == presses, "a real press was not written", f"{real} of {presses}")
        self._expect(
            counts.get("set_aside", 0) == 0, "set aside as a mistake of ours", str(counts.get("set_aside"))
        )
        self._expect(self.hall.acknowledged == self.hall.taken, "never acknowledged", "")
        unnamed = self.named.unnamed()
        self._expect(not unnamed, "a source was not named", str(unnamed[:2]))
        print(f"  in process: {messages} messages in {took_s:.0f} s ({took_s / messages * 1e6:.0f} us each)")
        print(f"    {dict(self.sorts)}")
        print(f"    counted {dict(sorted((name, counts[name]) for name in OUTCOMES if name in counts))}")
        print(
            f"    facts {dict(self.facts)}; calls {calls}; real presses {real} of {presses}; sources named "
            f"{len(self.named.said)}; kept {self.hall.sizes().get('entrance.topics')} topics, "
            f"{len(self.hall.state.devices)} devices; notebook {sound}"
        )
        for name, count in self.wrong.items():
            print(f"    ! {name}: {count}, for example {self.examples[name]}")
        self.hall.close(kill=True)
        return 1 if self.wrong or sound != "ok" else 0

    def _hear(self, message: Message) -> None:
        before = self._outcomes()
        try:
            self.hall.hear(message)
        except Exception as wrong:  # noqa: BLE001 (it is told, and the trial fails: nothing may be raised here)
            self._expect(False, f"raised {type(wrong).__name__}", str(wrong))
            return
        happened = self._outcomes() - before
        self._expect(happened == 1, "not one outcome but another number of them", str(happened))
        self.named.expect(self.hall.counts, "" if isinstance(message, NoText) else message.topic[:80])

    def _outcomes(self) -> int:
        counts = self.hall.counts
        return self.arrivals + sum(counts.get(name, 0) for name in OUTCOMES)

    def _turn(self) -> None:
        try:
            self.hall.turn()
        except Exception as wrong:  # noqa: BLE001 (as above)
            self._expect(False, f"the loop raised {type(wrong).__name__}", str(wrong))

    def _settle(self) -> None:
        """Turn until nothing waits; a backlog of two thousand devices takes its time."""
        for _ in range(200):
            self._turn()
            if not self.hall.waiting:
                return
            self.clock.pass_s(0.02)

    def _press(self, seq: int) -> None:
        """A real button; its press must be written within a few turns, whatever waits."""
        sort, self.sort = self.sort, Sort("real")
        self.hall.tell("linli/v1/button/real/press", {"boot": "r", "seq": seq, "press": "short"})
        for _ in range(5):
            self._turn()
        self._expect(("real", "r", seq) in self.hall.written, "a real press had to wait", str(seq))
        self.sort = sort

    def _answer_all(self) -> None:
        """Staff close whatever rings: whoever may call may be answered."""
        for call_id in [call.call_id for call in self.hall.state.calls.values() if call.state != "CLOSED"]:
            answer = self.hall.order("close_call", self._turn, call_id=call_id, by="t", outcome="false_alarm")
            self._expect(bool(answer.get("written")), "a call cannot be closed", str(answer))

    # ---------------------------------------------------------------- what comes through

    def _arrived(self, arrival: Arrival) -> None:
        self.arrivals += 1
        for fault in faults_of(arrival):
            self._expect(False, fault, repr(arrival.facts)[:300])
        for fact in arrival.facts:
            self.facts[type(fact).__name__] += 1
            if isinstance(fact, Pressed) and self.sort.never and not fact.if_claimed:
                self._expect(False, "a press out of what is none", f"{self.sort.name}: {fact}")

    def _expect(self, held: bool, name: str, example: str) -> None:
        if not held:
            self.wrong[name] += 1
            topic = "" if isinstance(self.message, NoText) else self.message.topic
            words = f"{example} ({self.sort.name}: {topic!r} {bytes(self.message.payload[:120])!r})"
            self.examples.setdefault(name, words[:600])


def faults_of(arrival: Arrival) -> list[str]:
    """What is wrong with the facts of an arrival: every field has its type, its range and clean words."""
    found: list[str] = []

    def held(good: bool, name: str) -> None:
        if not good:
            found.append(f"ill-formed {name}")

    every_ms = arrival.every_ms
    held(every_ms is None or (type(every_ms) is int and 1000 <= every_ms <= 7 * 24 * 3600_000), "every_ms")
    held(bool(arrival.facts), "arrival without facts")
    for fact in arrival.facts:
        held(_is_word(fact.device_id, 200) and fact.device_id != "", "device_id")
        match fact:
            case DeviceSeen():
                pct = fact.battery_pct
                held(fact.family in families(), "family")
                held(_is_word(fact.model, 150), "model")
                held(_is_word(fact.fault, 80), "fault")
                held(type(fact.offline) is bool, "offline")
                held(
                    pct is None or (type(pct) in (int, float) and math.isfinite(pct) and 0 <= pct <= 100),
                    "battery_pct",
                )
            case Pressed():
                held(_is_word(fact.press_id, 150), "press_id")
                held(type(fact.button) is int and 0 <= fact.button < 2**53, "button")
                held(type(fact.age_ms) is int and 0 <= fact.age_ms < 2**53, "age_ms")
                held(_is_word(fact.press_type, 20), "press_type")
                held(_is_word(fact.event, 40), "event")
                held(fact.family in families(), "family of a press")
                held(
                    all(type(one) is bool for one in (fact.doubtful, fact.redelivered, fact.if_claimed)),
                    "flag",
                )
            case BayHeard():
                held(fact.occupied is None or type(fact.occupied) is bool, "occupied")
                held(isinstance(fact.press_id, str), "bay's press_id")
            case Released():
                held(type(fact.button) is int, "released button")
    return found


def _is_word(word: object, longest: int) -> bool:
    """Text that a notebook can keep and a screen can show."""
    if not isinstance(word, str) or len(word) > longest:
        return False
    try:
        word.encode()
    except UnicodeEncodeError:
        return False
    return all(sign.isprintable() for sign in word)


class Named(logging.Handler):
    """Hears what the log says of rubbish: which kind of trouble, from whom."""

    def __init__(self) -> None:
        super().__init__()
        self.said: set[tuple[str, str]] = set()
        self._expected: dict[tuple[str, str], None] = {}
        self._last: Counter[str] = Counter()

    def emit(self, record: logging.LogRecord) -> None:
        fields = record.__dict__.get("hall_fields", {})
        if "topic" in fields:
            self.said.add((record.__dict__["hall_event"], str(fields["topic"])))

    def expect(self, counts: object, source: str) -> None:
        """If one of the named kinds has just been counted, its source must have been named."""
        assert isinstance(counts, Counter)
        for kind in NAMED:
            if counts[kind] != self._last[kind]:
                self._last[kind] = counts[kind]
                if len(self._expected) < SOURCES_NAMED:
                    self._expected[kind, source] = None

    def unnamed(self) -> list[tuple[str, str]]:
        return [pair for pair in self._expected if pair not in self.said]


def _through_a_broker(folder: Path, messages: int, seed: int) -> int:
    """The same rubbish as far as a broker lets it through, into a gateway's own process."""
    rubbish, sent, wrong = Rubbish(seed), 0, []
    with hall(folder, shimmed=False) as one:
        pid = one.units.pid("gateway")
        line, _ = _wire.open_line(one.units.mqtt_port, "vandal")
        buttons = Buttons(one.units.mqtt_port, "real", 5, 20.0)
        buttons.start()
        pause = threading.Event()
        while sent < messages:
            batch = bytearray()
            for _ in range(200):
                _, message = rubbish.next()
                if not isinstance(message, NoText) and _may_be_published(message.topic):
                    batch += _wire.publish(message.topic, bytes(message.payload), retain=message.retain)
                    sent += 1
            line.sendall(batch)
            pause.wait(0.02)
        line.close()
        buttons.finish()
        seat = Seat(one.units.house.gateway_socket)
        counts = seat.order("statistics")["statistics"]["counts"]
        seat.close()
        if one.units.pid("gateway") != pid:
            wrong.append(f"the gateway died: {one.units.lines['gateway'][-5:]}")
        if buttons.unwritten:
            wrong.append(f"{len(buttons.unwritten)} real presses never written")
        if counts.get("set_aside", 0):
            wrong.append(f"{counts['set_aside']} set aside as a mistake of ours")
        have = {key for key in one.rows() if key[0].startswith("real-")}
        if len(have) != len(buttons.presses):
            wrong.append(f"{len(have)} of {len(buttons.presses)} real presses in the notebook")
    print(f"  through a broker: {sent} messages, {dict(counts)}")
    print(
        f"    {len(buttons.presses)} real presses meanwhile: {spread([one.waited_ms for one in buttons.written])}"
    )
    for words in wrong:
        print(f"    ! {words}")
    return 1 if wrong else 0


def _may_be_published(topic: str) -> bool:
    """A broker sends away whoever publishes to such a topic; that is its matter, and not tried here."""
    return (
        bool(topic)
        and not topic.startswith("$")
        and not set("+#\x00\x7f") & set(topic)
        and len(topic) < 60_000
    )

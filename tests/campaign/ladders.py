"""No SIGKILL loses or doubles a step of a ladder, or a message: 200 kills over 5,000 presses.

``ladders [presses=5000] [kills=200] [buttons=150] [seed=…]``: buttons press (each repeats every second until it hears
"written"), kinds of call have ladders of seconds, helpers have telephones (webhooks that we play), and people do what
people do: accept, arrive, close, undo a close, tap the link of a message, come second, promise and never come, or leave
a call alone. A hand kills gateway, broker, kiosk and herald at random moments; all are started again as the units say.

Then the books are read: each press that was called written exists once, and each arrived; each call's steps are its
kind's, none missing, none twice, none early, none later than the gateway was dead and 2 s; each message of a told step
is there once, and came to its telephone (twice only across a kill of the herald); every order that was called written
is in the journal; no open call ever was without a timer; the journal's chain is whole, and the figures recomputed from
it are those of the calls. It takes about 1.2 s a kill.
"""

from __future__ import annotations

import random
import sqlite3
import tempfile
import threading
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway import journal
from gateway.hall import links
from gateway.hall.figures import stories
from tests.campaign._buttons import Buttons, spread
from tests.campaign._ladder_books import (
    Life,
    Row,
    Verdict,
    judge_messages,
    judge_steps,
    judge_timers,
)
from tests.campaign._ladder_hall import Answerers, Telephones, furnish, hall_toml
from tests.campaign._people import Resident, lines_are_up
from tests.campaign._units import Units, units
from tests.campaign._words import parameters
from tests.parts import wait_until

VICTIMS, WEIGHTS = ("gateway", "broker", "kiosk", "herald"), (5, 2, 1, 2)
#: Seconds between two kills: the shortest finds processes that have not quite come back, the longest lets them work.
PAUSE_S = (0.3, 2.0)
#: Open calls are looked at this often: whether each has its timer.
WATCH_S = 1.0
#: How long messages may take once nobody kills any more: pauses between attempts grow to some seconds.
SETTLE_S = 60.0


def main(words: list[str]) -> int:
    given = parameters(words, presses=5000, kills=200, buttons=150, seed=20261122)
    with tempfile.TemporaryDirectory(prefix="linli-ladders-") as folder:
        return trial(
            Path(folder),
            int(given["presses"]),
            int(given["kills"]),
            int(given["buttons"]),
            int(given["seed"]),
        )


def trial(folder: Path, presses: int, kills: int, number: int, seed: int, pace: float = 1.0) -> int:
    """One life of the hall; 0: all as it should be. ``pace``: below 1 people are that much quicker."""
    dice, telephones = random.Random(seed), Telephones()
    lasts_s = kills * sum(PAUSE_S) / 2
    names = [f"k-{count}" for count in range(number)]
    only = ("broker", "gateway", "kiosk", "herald")
    try:
        with units(folder, hall_toml(), only=only) as hall:
            hall.wait_said("gateway", "gateway ready")
            wait_until(lambda: lines_are_up(hall.house.gateway_socket), lambda: "the gateway hears", 30.0)
            furnish(hall.house.gateway_socket, names, telephones.url)
            hall.wait_said("herald", "ready")
            buttons = Buttons(hall.mqtt_port, "k", number, presses / lasts_s, presses, seed=seed)
            people = Answerers(hall.house.gateway_socket, telephones, seed, pace)
            resident, watch = Resident(hall.url, 1), Watch(hall.home / "gateway.db")
            for thread in (buttons, people, resident, watch):
                thread.start()
            killed: Counter[str] = Counter()
            pause = threading.Event()
            while sum(killed.values()) < kills:
                pause.wait(dice.uniform(*PAUSE_S))
                (victim,) = dice.choices(VICTIMS, WEIGHTS)
                killed[victim] += hall.kill(victim)
            buttons.enough.wait(presses / 10)
            buttons.finish()
            wait_until(lambda: people.idle, lambda: "whoever had promised to come has come", 60.0)
            people.finish()
            resident.finish()
            settled, waited_ms = _wait_sent(hall.home / "gateway.db"), _wall_ms()
            watch.finish()
            end_ms = _wall_ms()
            hall.close()
        print(f"  killed {dict(killed)}; {len(buttons.presses)} presses")
        return _compare(hall, buttons, people, telephones, watch, settled, waited_ms, end_ms)
    finally:
        telephones.close()


class Watch(threading.Thread):
    """Looks again and again whether each open call has its timer, in one reading of the notebook."""

    def __init__(self, path: Path) -> None:
        super().__init__(name="watch", daemon=True)
        self.looks, self.unwatched = 0, list[str]()
        self._path = path
        self._end = threading.Event()

    def finish(self) -> None:
        self._end.set()
        self.join(30)

    def run(self) -> None:
        while not self._end.wait(WATCH_S):
            try:
                with closing(_open(self._path)) as book:
                    book.execute("BEGIN")
                    open_calls = _rows(book, "SELECT call_id, state FROM calls WHERE state <> 'CLOSED'")
                    timers = _rows(book, "SELECT timer_id FROM timers")
            except sqlite3.Error:
                continue  # it is being opened after a kill
            self.looks += 1
            self.unwatched += judge_timers(open_calls, timers)


def _wait_sent(path: Path) -> bool:
    """Whether every message that is to go out has gone out. (Calls that were left alone make a new one each minute.)"""

    def sent() -> bool:
        with closing(_open(path)) as book:
            return not book.execute("SELECT 1 FROM messages WHERE state = 'queued' LIMIT 1").fetchone()

    try:
        wait_until(sent, lambda: "all messages are sent", SETTLE_S)
    except AssertionError:
        return False
    return True


@dataclass(slots=True)
class Books:
    """What stands in gateway.db at the end."""

    calls: list[Row] = field(default_factory=list)
    steps: list[Row] = field(default_factory=list)
    messages: list[Row] = field(default_factory=list)
    presses: list[Row] = field(default_factory=list)
    timers: list[Row] = field(default_factory=list)
    lines: list[tuple[int, int, int, str, str, str, str]] = field(default_factory=list)
    secret: str = ""
    breaks: list[journal.Break] = field(default_factory=list)
    sound: str = ""

    @classmethod
    def read(cls, path: Path) -> Books:
        with closing(_open(path)) as book:
            return cls(
                _rows(book, "SELECT * FROM calls WHERE device_id LIKE 'k-%' ORDER BY call_id"),
                _rows(book, "SELECT s.*, c.kind FROM call_steps s JOIN calls c USING (call_id)"),
                _rows(book, "SELECT * FROM messages WHERE call_id <> 0"),
                _rows(book, "SELECT * FROM presses"),
                _rows(book, "SELECT * FROM timers"),
                list(journal.lines(book)),
                str(book.execute("SELECT value FROM meta WHERE key = 'link_secret'").fetchone()[0]),
                journal.verify(book).breaks,
                str(book.execute("PRAGMA integrity_check").fetchone()[0]),
            )


def _compare(
    hall: Units,
    buttons: Buttons,
    people: Answerers,
    telephones: Telephones,
    watch: Watch,
    settled: bool,
    waited_ms: int,
    end_ms: int,
) -> int:
    books, verdict = Books.read(hall.home / "gateway.db"), Verdict()
    deaths = deaths_of(hall.story, "gateway")
    herald_deaths_ms = [_wall_of(at_s) for at_s, words in hall.story if words == "herald killed"]
    _judge_presses(verdict, books, buttons)
    events = [(at_ms, event, subject) for _, at_ms, _, event, subject, _, _ in books.lines]
    judge_steps(verdict, books.calls, books.steps, events, deaths, end_ms)
    heard = [(_message_of(books.secret, one), one.at_ms) for one in telephones.heard]
    states = judge_messages(verdict, books.steps, books.messages, heard, herald_deaths_ms, waited_ms)
    verdict.expect(settled, "messages wait that nobody hinders")
    said = {(event, subject, actor) for _, _, _, event, subject, actor, _ in books.lines}
    for call_id, word, by in people.promised:
        words = [word, "ReopenedUntaken"] if word == "Reopened" else [word]
        held = any((one, f"call:{call_id}", by) in said for one in words)
        verdict.expect(held, "an order called written is not in the journal", f"{word} {call_id} {by}")
    for one in watch.unwatched + judge_timers(books.calls, books.timers):
        verdict.expect(False, "an open call without a timer", one)
    for gap in books.breaks:
        verdict.expect(False, "the journal's chain is broken", f"line {gap.line_id}: {gap.en}")
    verdict.expect(books.sound == "ok", "the notebook is not sound", books.sound)
    judge_figures(verdict, books)
    for at_s, what in hall.story:
        verdict.expect(
            "ended by itself" not in what,
            "a process ended by itself",
            f"{at_s - hall.story[0][0]:.0f} s: {what}",
        )
    _print(verdict, books, buttons, people, watch, states, deaths)
    return 1 if verdict.wrong else 0


def _judge_presses(verdict: Verdict, books: Books, buttons: Buttons) -> None:
    stored = Counter((row["device_id"], row["press_id"]) for row in books.presses)
    for press in buttons.written:
        key = (press.device, f"{buttons.boot}:{press.seq}")
        verdict.expect(stored[key] == 1, "a press called written is not there once", f"{key}: {stored[key]}")
    for press in buttons.unwritten:
        verdict.expect(False, "a press never arrived", f"{press.device} {press.seq}")
    verdict.expect(len(stored) == len(buttons.presses), "presses that nobody made", len(stored))
    of_call = Counter(row["call_id"] for row in books.presses)
    for call in books.calls:
        held = call["presses"] == of_call[call["call_id"]]
        verdict.expect(held, "a call counts other presses than it has", call["call_id"])
    open_of = Counter(call["device_id"] for call in books.calls if call["state"] != "CLOSED")
    verdict.expect(not open_of or max(open_of.values()) == 1, "two open calls of one button", open_of)


def judge_figures(verdict: Verdict, books: Books) -> None:
    """The figures made from the journal alone, beside the calls themselves."""
    told = {one.call_id: one for one in stories(books.lines)}
    for call in books.calls:
        one = told.get(call["call_id"])
        if one is None:
            verdict.expect(False, "a call that the journal does not tell of", call["call_id"])
            continue
        ended_ms = None if call["state"] != "CLOSED" else call["closed_ms"] - call["opened_ms"]
        verdict.expect(
            (one.presses, one.closed_ms, one.outcome, one.kind)
            == (call["presses"], ended_ms, call["outcome"] or "", call["kind"]),
            "the journal tells another story than the call",
            f"{one}, {dict(call)}",
        )


def _print(
    verdict: Verdict,
    books: Books,
    buttons: Buttons,
    people: Answerers,
    watch: Watch,
    states: Counter[str],
    deaths: list[Life],
) -> None:
    ends = Counter(call["state"] for call in books.calls)
    print(f"  press → written under fire: {spread([one.waited_ms for one in buttons.written])}")
    print(
        f"  presses: written {len(buttons.written)}, never answered {len(buttons.unwritten)}; calls {len(books.calls)} "
        f"{dict(ends)}; orders called written {len(people.promised)}, refused {len(people.refused)}"
    )
    print(
        f"  ladders: {verdict.told} steps told, {verdict.skipped} skipped, {verdict.repeated} times the last again, "
        f"{verdict.rung_anew} times begun anew; late (dead time left out): {spread(verdict.late_ms)}"
    )
    print(
        f"  gateway dead {len(deaths)} times; of {len(verdict.after_start_ms)} steps that fell due meanwhile: "
        f"process started → written {spread(verdict.after_start_ms)}; ready → written {spread(verdict.after_ready_ms)}"
    )
    print(f"  messages: {dict(states)}")
    print(
        f"  looked {watch.looks} times whether each open call has a timer; journal {len(books.lines)} lines, "
        f"notebook {books.sound}"
    )
    for name, count in verdict.wrong.items():
        print(f"    ! {name}: {count}, for example {verdict.examples[name][:600]}")


def deaths_of(story: list[tuple[float, str]], part: str) -> list[Life]:
    """When this part was dead, by what happened in its order; killed again before it was ready, it is one death."""
    deaths: list[Life] = []
    dead = False
    for at_s, words in story:
        at_ms = _wall_of(at_s)
        if words == f"{part} killed":
            if not dead:
                deaths.append(Life(at_ms, at_ms, at_ms))
            dead = True
        elif dead and words == f"{part} started":
            deaths[-1].started_ms = at_ms
        elif dead and f"{part} ready" in words:
            deaths[-1].ready_ms, dead = at_ms, False
    return deaths


def _message_of(secret: str, heard: Any) -> str:
    """Which message it was: its link says call and turn, and each helper stands on one step of a ladder."""
    link = links.read(secret, heard.token)
    if link is None:
        return f"no link: {heard.helper_id}"
    return f"{link.call_id}:{link.turn}:{link.helper_id}:{heard.way}"


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5.0)


def _rows(book: sqlite3.Connection, question: str) -> list[Row]:
    cursor = book.execute(question)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


_OFFSET_S = time.time() - time.monotonic()


def _wall_of(monotonic_s: float) -> int:
    return int((monotonic_s + _OFFSET_S) * 1000)

"""A hall's queue worked at random, over the real notebook: whatever the staff tap, and in whatever order,
the promises hold.

After each step: no state that the table does not know, one person a window, numbers without a gap, the journal tells
every ticket's life to the letter, and where a call was refused because nobody waits, nobody does. A step that is
refused has changed nothing; a step that is taken back has left no trace.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from devices.faults import OrderRefused
from devices.plan import Panel, Plan, Printer
from gateway.house import House
from kiosk import line, windows
from kiosk.catalogue import load_catalogue
from kiosk.core import Core
from kiosk.gateway_link import GatewayLink
from kiosk.line import rows
from kiosk.live import Hub
from kiosk.rules import queue
from kiosk.rules.retelling import Line, retell
from kiosk.writer import Writer
from tests.kiosk.conftest import CATALOGUE, ROOM, HeldClock

CATALOGUE_READ = load_catalogue(CATALOGUE.read_text(encoding="utf-8"), CATALOGUE.name)
#: W2 serves the first two, W4 the third, W5 the fourth: one line with two items, and two others.
ITEMS = ("ZW-01", "ZW-02", "ZW-09", "WY-04")
WINDOWS = ("W2", "W4", "W5")
WHYS = ("", "", "", "elder", "disabled", "veteran", "child")
#: Everything that a step may touch. Of the rest, the journal and the keys of answered orders grow by design.
TABLES = (
    "tickets",
    "ticket_items",
    "serves",
    "estimates",
    "windows",
    "window_skills",
    "window_spans",
    "announcements",
    "signs",
    "slips",
)

which = st.integers(0, 39)
items = st.sampled_from(ITEMS)
where = st.sampled_from(WINDOWS)


class Hall(RuleBasedStateMachine):
    """Three windows and a kiosk."""

    @initialize()
    def open(self) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="linli-queue-"))
        panel = Panel(id="sign-w2")
        self.house = House(
            self.home, self.home / "run", Plan(printers=(Printer(id="hall"),), panels=(panel,)), ""
        )
        self.clock = HeldClock()
        self.writer = Writer(self.house.kiosk_db, ROOM / "schema")
        self.writer.start()
        self.core = Core(
            self.house,
            CATALOGUE_READ,
            self.writer,
            GatewayLink(self.house.gateway_socket, Hub()),
            Hub(),
            self.clock,
        )
        windows.fill(self.core)
        self.writer.write(
            lambda notebook: notebook.execute("UPDATE windows SET sign = 'sign-w2' WHERE window_id = 'W2'")
        )
        self.taken = 0
        for code in (*ITEMS, "ZW-01", "ZW-02"):
            self.take([code, "ZW-01"] if code != "ZW-01" else [code], "")
        for window in WINDOWS:
            line.call_next(self.core, window, "li")

    def teardown(self) -> None:
        if hasattr(self, "writer"):
            self.core.hub.close()
            self.writer.stop()
            for connection in self.core._readers.kept.values():
                connection[1].close()
            shutil.rmtree(self.home)

    # ---------------------------------------------------------------- what people do

    @rule(chosen=st.lists(items, min_size=1, max_size=3, unique=True), why=st.sampled_from(WHYS))
    def take(self, chosen: list[str], why: str) -> None:
        self.taken += 1
        line.take_ticket(
            self.core, chosen[0], f"key-{self.taken}", "zh", "kiosk-1", services=chosen, lane_why=why
        )

    @rule(ms=st.integers(0, 20_000))
    def time_goes_by(self, ms: int) -> None:
        self.clock.now_ms += ms

    @rule(window=where, before=st.sampled_from(["done", "no_show"]), again=st.booleans())
    def call_next(self, window: str, before: Any, again: bool) -> None:
        waiting = self.waiting()
        try:
            self.step(lambda: line.call_next(self.core, window, "li", before=before))
        except OrderRefused as refused:
            why = refused.why_en
        else:
            return
        assert why == "Nobody is waiting for this window"
        serves = windows.windows_now(self.core).served_at(window)
        assert not [one for one in waiting if one.service_code in serves], "a window idles while one waits"

    @rule(window=where, n=which)
    def call_a_chosen_number(self, window: str, n: int) -> None:
        self.tried(n, "call", lambda one: line.call_number(self.core, window, one, "li"))

    @rule(n=which, window=st.sampled_from(["", *WINDOWS]))
    def recall(self, n: int, window: str) -> None:
        self.tried(n, "recall", lambda one: line.recall(self.core, one, "li", window))

    @rule(n=which)
    def begin(self, n: int) -> None:
        self.tried(n, "begin", lambda one: line.begin(self.core, one, "li"))

    @rule(n=which)
    def hold(self, n: int) -> None:
        self.tried(n, "hold", lambda one: line.hold(self.core, one, "li"))

    @rule(n=which, window=st.sampled_from(["", *WINDOWS]))
    def resume(self, n: int, window: str) -> None:
        self.tried(n, "resume", lambda one: line.resume(self.core, one, "li", window))

    @rule(n=which, code=items)
    def transfer(self, n: int, code: str) -> None:
        self.tried(n, "transfer", lambda one: line.transfer(self.core, one, code, "li"))

    @rule(n=which)
    def no_show(self, n: int) -> None:
        self.tried(n, "no_show", lambda one: line.no_show(self.core, one, "li"))

    @rule(n=which)
    def late(self, n: int) -> None:
        self.tried(n, "late", lambda one: line.late(self.core, one, "li"))

    @rule(n=which, code=items)
    def add_item(self, n: int, code: str) -> None:
        self.tried(n, "", lambda one: line.add_item(self.core, one, code, "li"))

    @rule(n=which, stay=st.booleans())
    def next_item(self, n: int, stay: bool) -> None:
        self.tried(n, "next_item", lambda one: line.next_item(self.core, one, "li", stay=stay))

    @rule(n=which)
    def done(self, n: int) -> None:
        self.tried(n, "done", lambda one: line.done(self.core, one, "li"))

    @rule(n=which)
    def cancel(self, n: int) -> None:
        self.tried(n, "cancel", lambda one: line.cancel(self.core, one, "li"))

    @rule(n=which, why=st.sampled_from(WHYS))
    def set_lane(self, n: int, why: str) -> None:
        self.tried(n, "", lambda one: line.set_lane(self.core, one, why, "li"))

    @rule(n=which)
    def undo(self, n: int) -> None:
        """Anybody's last step, however many others have done something since."""
        self.tried(n, "", lambda one: line.undo(self.core, one, "li"), undone=False)

    @rule(window=where)
    def close(self, window: str) -> None:
        if windows.windows_now(self.core).window(window) is not None:
            busy = rows.at_window(self.core.reader(), line.today(self.core), window)
            with nullcontext() if busy is None else pytest.raises(OrderRefused, match="finish it first"):
                windows.close_window(self.core, window, "li", "lunch")

    # ---------------------------------------------------------------- what always holds

    @precondition(lambda self: hasattr(self, "core"))
    @invariant()
    def the_promises_hold(self) -> None:
        reader = self.core.reader()
        found = [rows.ticket_of(row) for row in reader.execute(f"SELECT {rows.FIELDS} FROM tickets")]
        at: dict[str, str] = {}
        for one in found:
            assert (one.state == "WAITING") <= (one.window_id is None)
            assert (one.lane == "priority") == bool(one.lane_why)
            assert one.called_ms is None or one.calls >= 1
            if one.state in queue.AT_WINDOW:
                assert one.window_id not in at, "one person at a window"
                at[str(one.window_id)] = one.spelled
                window = windows.windows_now(self.core).window(one.window_id)
                assert window is not None and window.open, "nobody is called to a closed window"
        for prefix in {one.prefix for one in found}:
            numbers = sorted(one.number for one in found if one.prefix == prefix)
            assert numbers == list(range(1, len(numbers) + 1))
        entries = reader.execute("SELECT event, ticket_id, detail FROM journal ORDER BY entry_id")
        told = retell(Line(row[0], row[1], json.loads(row[2])) for row in entries)
        assert {one.ticket_id: replace(one, token="") for one in found} == {
            ticket_id: life.ticket for ticket_id, life in told.items()
        }
        for ticket_id, life in told.items():
            assert list(life.items) == rows.items_of(reader, ticket_id)
            left = [code for _, code, state in life.items if state == "open"]
            assert (life.ticket.state in queue.OVER) == (not left)
            assert life.ticket.state in queue.OVER or life.ticket.service_code in left
        sign = reader.execute("SELECT text FROM signs").fetchone()
        assert (sign[0] if sign else "") == at.get("W2", ""), "the sign above W2 says who is there"

    # ---------------------------------------------------------------- how a step is tried

    def tried(self, n: int, step: str, order: Callable[[int], Any], undone: bool = True) -> None:
        """Mostly on a ticket for which the table knows the step; now and then on any."""
        found = [tuple(row) for row in self.core.reader().execute("SELECT ticket_id, state FROM tickets")]
        fit = [ticket_id for ticket_id, state in found if (state, step) in queue.LIFE]
        ticket_ids = fit if fit and n % 4 else [ticket_id for ticket_id, _ in found]
        ticket_id = ticket_ids[n // 4 % len(ticket_ids)]
        before = self.everything()
        try:
            self.step(lambda: order(ticket_id), undone)
        except OrderRefused:
            assert self.everything() == before, "what was refused has changed nothing"

    def step(self, order: Callable[[], Any], undone: bool = True) -> None:
        """Do it; take it back: all is as before; do it for good."""
        before = self.everything()
        after = order()
        if undone:
            told = self.everything()
            line.undo(self.core, after.ticket_id, "li")
            assert self.everything() == before, "what was taken back has left no trace"
            self.same(order().ticket_id, after.ticket_id)
            self.same(_without_rowids(self.everything()), _without_rowids(told))

    @staticmethod
    def same(this: Any, that: Any) -> None:
        assert this == that

    def waiting(self) -> list[queue.Ticket]:
        reader = self.core.reader()
        return rows.in_line(reader, rows.today(self.core, reader, self.clock.now_ms))

    def everything(self) -> dict[str, list[tuple[Any, ...]]]:
        reader = self.core.reader()
        return {table: [tuple(row) for row in reader.execute(f"SELECT * FROM {table}")] for table in TABLES}


def _without_rowids(tables: dict[str, list[tuple[Any, ...]]]) -> dict[str, list[tuple[Any, ...]]]:
    loose = ("serves", "window_spans", "announcements")
    return {name: [row[1:] if name in loose else row for row in found] for name, found in tables.items()}


TestHall = Hall.TestCase
TestHall.settings = settings(
    max_examples=20,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


def test_the_table_itself_refuses_a_second_person_at_a_window(core: Core) -> None:
    for key in ("first-key", "second-key"):
        line.take_ticket(core, "ZW-01", key, "zh", "kiosk-1")
    line.call_next(core, "W2", "li")
    crowd = "UPDATE tickets SET state = 'SERVING', window_id = 'W2' WHERE number = 2"
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        core.writer.write(lambda notebook: notebook.execute(crowd))

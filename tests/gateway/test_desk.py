"""The front desk on a real unix socket: who does not read gets the rest later, in order, and nobody else notices."""

from __future__ import annotations

import json
import selectors
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.arrival import Arrival
from gateway.desk import LONGEST_BACKLOG, LONGEST_LINE, MOST_VISITORS, Desk, line_of


class Hall:
    """A desk, the selector that serves it, and what was ordered there."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.selector = selectors.DefaultSelector()
        self.ordered: list[Arrival] = []
        self.desk = Desk(path, self.selector, self.ordered.append, lambda: {"fact": "Snapshot"}, self._ask)
        self.visitors: list[Visitor] = []

    def _ask(self, name: str, _order: dict[str, object]) -> dict[str, object] | None:
        return {"ok": True} if name == "ping" else None

    def turn(self) -> None:
        """Serve whoever is there, until nobody is."""
        while ready := self.selector.select(0):
            for key, mask in ready:
                key.data(mask)

    def visitor(self, *, hello: bool = True, room: int = 0) -> Visitor:
        """``room``: bytes that the kernel keeps for somebody who does not read; 0: its own."""
        one = Visitor(self)
        self.visitors.append(one)
        self.turn()
        if room:
            for kept in self.desk._visitors.values():
                kept.line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, room)
        if hello:
            one.say({"order": "hello", "who": "test"})
            assert [words.get("fact") for words in one.read()] == [None, "Snapshot"]
        return one

    def close(self) -> None:
        for one in self.visitors:
            one.line.close()
        self.desk.close()
        self.selector.close()


class Visitor:
    def __init__(self, hall: Hall) -> None:
        self._hall = hall
        self.line = socket.socket(socket.AF_UNIX)
        self.line.connect(str(hall.path))
        self.line.setblocking(False)
        self._half = b""

    def say(self, words: object) -> None:
        self.line.sendall((words if isinstance(words, bytes) else json.dumps(words).encode()) + b"\n")
        self._hall.turn()

    def read(self) -> list[dict[str, Any]]:
        """All that has come by now, the desk sending on as it is read; an empty dict at the end: hung up."""
        heard: list[dict[str, Any]] = []
        while True:
            try:
                chunk = self.line.recv(1 << 16)
            except BlockingIOError:
                return heard
            if not chunk:
                return [*heard, {}]
            *lines, self._half = (self._half + chunk).split(b"\n")
            heard += [json.loads(line) for line in lines]
            self._hall.turn()


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Hall]:
    one = Hall(tmp_path / "desk.sock")
    yield one
    one.close()


def facts(words: list[dict[str, Any]]) -> list[int]:
    return [one["n"] for one in words if "n" in one]


# ---------------------------------------------------------------- out


def test_what_is_held_reaches_everybody_in_one_piece_and_in_order(hall: Hall) -> None:
    console, silent = hall.visitor(), hall.visitor(hello=False)
    hall.desk.hold()
    for n in range(5):
        hall.desk.tell(line_of({"n": n}))
    assert console.read() == []
    hall.desk.let_go()
    assert console.line.recv(1 << 16).count(b"\n") == 5, "one call of the kernel"
    hall.desk.tell(line_of({"n": 5}))
    assert facts(console.read()) == [5]
    assert silent.read() == [], "who did not say hello hears no facts"


def test_an_answer_that_is_held_with_facts_keeps_its_place_among_them(hall: Hall) -> None:
    console = hall.visitor()
    console.say({"order": "accept_call", "id": 7})
    answer = hall.ordered[0].answer
    assert answer is not None
    hall.desk.hold()
    hall.desk.tell(line_of({"n": 1}))
    answer({"ok": True})
    hall.desk.tell(line_of({"n": 2}))
    hall.desk.let_go()
    assert console.read() == [{"n": 1}, {"re": 7, "ok": True}, {"n": 2}]


def test_a_visitor_who_is_stuck_gets_the_rest_later_in_order_and_the_others_at_once(hall: Hall) -> None:
    stuck, console = hall.visitor(room=1), hall.visitor()
    for n in range(400):
        if n % 10 == 0:
            hall.desk.hold()
        hall.desk.tell(line_of({"n": n, "words": "空位" * 100}))
        if n % 10 == 9:
            hall.desk.let_go()
            hall.turn()
            assert facts(console.read()) == list(range(n - 9, n + 1))
    assert [one.stuck for one in hall.desk._visitors.values()] == [True, False]
    assert facts(stuck.read()) == list(range(400))
    hall.desk.tell(line_of({"n": 400}))
    assert facts(stuck.read()) == [400], "and then it is like everybody"
    assert hall.desk.statistics() == {"visitors": 2, "bad_lines": 0, "sent_away": 0}


def test_who_gets_stuck_while_words_are_held_is_not_forgotten(hall: Hall) -> None:
    stuck = hall.visitor(room=1)
    hall.desk.tell(line_of({"n": 0, "words": "x" * 20_000}))
    hall.desk.hold()
    hall.turn()
    hall.desk.tell(line_of({"n": 1, "words": "x" * 20_000}))
    hall.desk.let_go()
    hall.turn()
    assert next(iter(hall.desk._visitors.values())).stuck
    assert facts(stuck.read()) == [0, 1]


def test_who_never_reads_is_sent_away_and_nobody_else(hall: Hall, caplog: pytest.LogCaptureFixture) -> None:
    never, console = hall.visitor(), hall.visitor()
    for n in range(2 * LONGEST_BACKLOG // 100_000):
        hall.desk.tell(line_of({"n": n, "words": "x" * 100_000}))
        hall.turn()
        assert facts(console.read()) == [n]
    assert hall.desk.statistics() == {"visitors": 1, "bad_lines": 0, "sent_away": 1}
    assert any("does not read" in line for line in caplog.messages)
    assert never.read()[-1] == {}, "it hears so, comes back and says hello"


def test_who_hangs_up_in_the_midst_of_an_order_costs_the_others_nothing(hall: Hall) -> None:
    gone, console = hall.visitor(), hall.visitor()
    gone.say({"order": "accept_call", "id": 1})
    gone.line.close()
    hall.turn()
    answer = hall.ordered[0].answer
    assert answer is not None
    newcomer = hall.visitor()  # may get the same number from the kernel
    answer({"ok": True})
    hall.desk.tell(line_of({"n": 1}))
    assert facts(console.read()) == [1]
    assert newcomer.read() == [{"n": 1}], "the answer to somebody else's order is not for it"


# ---------------------------------------------------------------- in


@pytest.mark.parametrize(
    "line",
    [
        b"not json",
        b"[]",
        b"7",
        b"null",
        b'"order"',
        b'{"order":7}',
        b'{"no":"order"}',
        b"[" * 20_000,
        b"\xff\xfe",
        b"9" * 5000,
    ],
    ids=["words", "list", "number", "null", "text", "order 7", "no order", "deep", "bytes", "long number"],
)
def test_nonsense_is_answered_and_the_next_order_is_taken(hall: Hall, line: bytes) -> None:
    visitor = hall.visitor(hello=False)
    visitor.say(line)
    visitor.say(b"   ")
    visitor.say({"order": "ping", "id": [1]})
    refused, pong = visitor.read()
    assert refused["fault"] == "bad_order" and refused["why_zh"] and refused["why_en"]
    assert pong == {"re": None, "ok": True}
    assert hall.desk.bad_lines == 1 and hall.ordered == []


def test_orders_cut_anywhere_are_the_same_orders(hall: Hall) -> None:
    visitor = hall.visitor(hello=False)
    stream = b"".join(
        json.dumps({"order": "close_bay", "bay_id": f"东-{n}"}).encode() + b"\n" for n in range(20)
    )
    for at in range(0, len(stream), 7):
        visitor.line.sendall(stream[at : at + 7])
        hall.turn()
    assert [one.fields["bay_id"] for one in hall.ordered] == [f"东-{n}" for n in range(20)]


def test_a_line_without_end_is_not_kept_in_memory(hall: Hall) -> None:
    visitor = hall.visitor(hello=False)
    for _ in range(LONGEST_LINE // 4096 + 2):
        try:
            visitor.line.sendall(b"x" * 4096)
        except BrokenPipeError:
            break
        hall.turn()
    assert hall.desk.statistics() == {"visitors": 0, "bad_lines": 1, "sent_away": 0}


def test_more_visitors_than_a_hall_has_are_turned_away_at_the_door(hall: Hall) -> None:
    first = hall.visitor()
    for _ in range(MOST_VISITORS + 5):
        hall.visitor(hello=False)
    assert hall.desk.statistics()["visitors"] == MOST_VISITORS
    hall.desk.tell(line_of({"n": 1}))
    assert facts(first.read()) == [1]


def test_who_tells_how_many_consoles_listen_and_hangs_up_leaves_none(hall: Hall) -> None:
    kiosk, other = hall.visitor(), hall.visitor()
    kiosk.say({"order": "consoles", "live": 2})
    other.line.close()
    hall.turn()
    assert [(one.order, one.fields.get("live")) for one in hall.ordered] == [("consoles", 2)]
    kiosk.line.close()
    hall.turn()
    gone = hall.ordered[-1]
    assert (gone.order, gone.fields, gone.answer, gone.urgent) == ("consoles", {"live": 0}, None, True)

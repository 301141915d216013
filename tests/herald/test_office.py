"""The office's rules, with its clock held: pauses, what is given up, what is told again. The gateway's loop is real."""

from __future__ import annotations

import queue
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from devices.faults import NotWritten
from gateway.hall.rows import Helper, Message
from gateway.notebook import Notebook
from herald import wording
from herald.desk_line import DeskLine
from herald.office import PATIENCE_S as ATTEMPT_S
from herald.office import Event, Office
from herald.sendings import SCHEMA, TIDY_EVERY_MS, Sending, Sendings
from herald.wording import Outcome
from tests.herald.message_hall import QuietGateway, quiet_gateway
from tests.parts import PATIENCE_S

LI = Helper("h-li", "李四", "grid")
AWAY = Outcome(False, wording.NO_NETWORK)


class HeldOffice:
    """An office whose time we hold; ``post`` says how each attempt ends, and what was sent is in ``sent``."""

    def __init__(self, hall: QuietGateway) -> None:
        self.now_s = 1000.0
        self.sent: queue.Queue[tuple[str, str]] = queue.Queue()
        self.post: Callable[[], Outcome] = lambda: Outcome(True)
        events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self.line = DeskLine(
            hall.house.gateway_socket,
            on_up=lambda: events.put("up"),
            on_bell=lambda: events.put("bell"),
            on_answer=lambda order_id, answer: events.put((order_id, answer)),
        )
        self.book = Notebook(hall.house.herald_db, SCHEMA)
        self.office = Office(
            hall.house.plan, hall.house.gateway_db, Sendings(self.book, lambda: time.time_ns() // 1_000_000),
            self.line, self._post, None, lambda: self.now_s, lambda: time.time_ns() // 1_000_000, 7, events,
        )  # fmt: skip
        self.line.start()

    def _post(self, address: str, text: str) -> Outcome:
        self.sent.put((address, text))
        return self.post()

    def until(self, so: Callable[[], object], *, passing_s: float = 0) -> None:
        """Turn until this is true; the clock stands, or goes so far at each turn."""
        until_s = time.monotonic() + PATIENCE_S
        while not so():
            assert time.monotonic() < until_s, "turned in vain"
            self.office.turn(0.05)
            self.now_s += passing_s

    def rows(self) -> dict[str, tuple[str, int, str]]:
        found = self.book.connection.execute("SELECT message_id, state, attempts, why FROM sendings")
        return {row[0]: (row[1], row[2], row[3]) for row in found}

    def close(self) -> None:
        self.line.stop()
        self.book.close()


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[QuietGateway]:
    with quiet_gateway(tmp_path) as gateway:
        yield gateway


@pytest.fixture
def held(hall: QuietGateway) -> Iterator[HeldOffice]:
    office = HeldOffice(hall)
    yield office
    office.close()


def row(hall: QuietGateway, message_id: str) -> Message:
    found: Message = hall.loop.state.tables["messages"][message_id]
    return found


def test_offline_it_waits_longer_and_longer_and_staff_are_told_why_once(hall: QuietGateway, held: HeldOffice):
    held.post = lambda: AWAY
    call_id = hall.a_call_of_granny_zhang()
    message_id = hall.message(call_id, "mailto://li@example.cn", LI)
    held.until(lambda: row(hall, message_id).why == wording.NO_NETWORK)
    held.until(lambda: held.book.connection.execute("SELECT told FROM sendings").fetchone() == (1,))
    told_ms = row(hall, message_id).changed_ms

    def waits(attempts: int) -> bool:
        return held.rows()[message_id][:2] == ("waiting", attempts)

    def sent(count: int) -> bool:
        return held.sent.qsize() == count

    for attempts, pause_s in ((1, 2.0), (2, 4.0), (3, 8.0), (4, 16.0), (5, 32.0), (6, 60.0), (7, 60.0)):
        held.until(partial(waits, attempts))
        held.now_s += pause_s - 0.1
        held.office.turn(0)
        assert held.sent.qsize() == attempts, "not before its time"
        held.now_s += 0.1
        held.until(partial(sent, attempts + 1))
    assert row(hall, message_id).changed_ms == told_ms, "the same reason is not written again and again"
    held.post = lambda: Outcome(True)
    held.until(lambda: held.rows()[message_id][:2] == ("waiting", 8))
    held.now_s += 60
    held.until(lambda: row(hall, message_id).state == "sent")
    assert row(hall, message_id).attempts == 9


def test_a_call_that_is_taken_needs_no_message_and_one_that_is_closed_neither(
    hall: QuietGateway, held: HeldOffice
):
    held.post = lambda: AWAY
    call_id = hall.a_call_of_granny_zhang()
    void, over = (hall.message(call_id, f"mailto://{n}@example.cn", Helper(n, n, "grid")) for n in ("a", "b"))
    held.until(lambda: len(held.rows()) == 2)
    hall.put(replace(row(hall, void), state="void"))
    held.until(lambda: held.rows()[void][0] == "void")
    hall.order("close_call", call_id=call_id, by="张三", outcome="helped", note="")
    hall.put(replace(row(hall, over), state="queued"))
    held.now_s += 10
    held.until(lambda: row(hall, over).state in ("failed", "void"))
    sent = held.sent.qsize()
    held.now_s += 100
    held.office.turn(0)
    assert held.sent.qsize() == sent


def test_of_many_that_wait_for_one_helper_only_the_newest_is_sent(hall: QuietGateway, held: HeldOffice):
    """Offline for an hour, the last step has repeated: nobody wants sixty messages at once."""
    held.post = lambda: AWAY
    call_id = hall.a_call_of_granny_zhang()
    names = [hall.message(call_id, "mailto://li@example.cn", LI, turn=turn) for turn in range(6)]
    other = hall.message(call_id, "mailto://wang@example.cn", Helper("h-wang", "王五", "grid"))
    held.until(lambda: all(row(hall, name).state == "failed" for name in names[:-1]))
    assert {row(hall, name).why for name in names[:-1]} == {wording.REPLACED}
    assert row(hall, names[-1]).state == row(hall, other).state == "queued"


def test_what_can_never_be_sent_fails_at_once_and_a_hall_without_a_modem_says_so(
    hall: QuietGateway, held: HeldOffice
):
    held.post = lambda: Outcome(False, wording.NOT_A_CHANNEL, final=True)
    call_id = hall.a_call_of_granny_zhang()
    wrong = hall.message(call_id, "nonsense", LI)
    sms = hall.message(call_id, "sms:13800138000", LI)
    held.until(lambda: row(hall, wrong).state == row(hall, sms).state == "failed")
    assert (row(hall, wrong).why, row(hall, sms).why) == (wording.NOT_A_CHANNEL, wording.NO_MODEM)


def test_an_attempt_that_never_comes_back_is_counted_and_its_late_success_is_believed(
    hall: QuietGateway, held: HeldOffice
):
    free: queue.Queue[bool] = queue.Queue()
    held.post = lambda: Outcome(free.get(timeout=PATIENCE_S))
    call_id = hall.a_call_of_granny_zhang()
    message_id = hall.message(call_id, "mailto://li@example.cn", LI)
    held.until(lambda: held.sent.qsize() == 1)
    held.now_s += ATTEMPT_S
    held.until(lambda: row(hall, message_id).why == wording.NO_ANSWER)
    free.put(True)
    held.until(lambda: row(hall, message_id).state == "sent")
    assert held.sent.qsize() == 1


def test_a_disk_that_refuses_keeps_no_message_from_going_out(
    hall: QuietGateway, held: HeldOffice, monkeypatch: pytest.MonkeyPatch
):
    call_id = hall.a_call_of_granny_zhang()
    held.office.turn(0)

    def full(_work: object) -> None:
        raise NotWritten("notebook herald.db: the disk is full", "磁盘满了")

    monkeypatch.setattr(held.book, "write", full)
    message_id = hall.message(call_id, "mailto://li@example.cn", LI)
    held.until(lambda: row(hall, message_id).state == "sent")
    held.now_s += 5
    held.office.turn(0)
    monkeypatch.undo()
    held.now_s += 5
    held.office.turn(0)
    assert held.sent.qsize() == 1, "once in this life; killed in between it would be sent again"


def test_a_restored_gateway_that_calls_a_sent_message_queued_is_told_again_and_nobody_hears_it_twice(
    hall: QuietGateway, held: HeldOffice
):
    call_id = hall.a_call_of_granny_zhang()
    message_id = hall.message(call_id, "mailto://li@example.cn", LI)
    held.until(lambda: row(hall, message_id).state == "sent" and held.rows()[message_id][0] == "sent")
    before = row(hall, message_id)
    hall.put(replace(before, state="queued", attempts=0))
    held.until(lambda: row(hall, message_id).state == "sent", passing_s=10)
    assert held.sent.qsize() == 1
    # A notebook begun anew counts from the beginning: the same name is another message.
    hall.put(replace(before, state="queued", created_ms=before.created_ms + 1))
    held.until(lambda: held.sent.qsize() == 2, passing_s=10)


def test_nothing_personal_is_kept_in_the_heralds_own_notebook(hall: QuietGateway, held: HeldOffice):
    call_id = hall.a_call_of_granny_zhang()
    message_id = hall.message(call_id, "wecombot://0123456789abcdef", LI)
    held.until(lambda: row(hall, message_id).state == "sent")
    held.book.rest(0)
    everything = "\n".join(sqlite3.connect(hall.house.herald_db).iterdump())
    assert "wecombot" in everything and "0123456789abcdef" not in everything
    assert "张" not in everything and "李四" not in everything


def test_what_is_old_goes_once_a_day_while_the_herald_stays_up(tmp_path: Path) -> None:
    """A herald runs for years: its notebook is tidied by its sign of life, not at a start only."""
    now_ms = [1_800_000_000_000]
    book = Notebook(tmp_path / "herald.db", SCHEMA)
    sendings = Sendings(book, lambda: now_ms[0])
    sendings.begin(1)
    for name, told in (("told", True), ("untold", False)):
        sendings.put([Sending(name, now_ms[0], "sent", told=told)])
    sendings.reply_came(now_ms[0], "1", "好", "", 0, "", "stranger")

    def after(days: float) -> tuple[list[str], int]:
        now_ms[0] += round(days * TIDY_EVERY_MS)
        sendings.beat()
        names = [row[0] for row in book.connection.execute("SELECT message_id FROM sendings")]
        return names, book.connection.execute("SELECT count(*) FROM replies").fetchone()[0]

    assert after(89.9) == (["told", "untold"], 1)
    assert after(0.5) == (["told", "untold"], 1), "looked at half a day ago"
    assert after(0.5) == (["untold"], 0)
    book.close()

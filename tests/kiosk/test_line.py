"""The line, told as stories on a real notebook with a held clock."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest

from devices.faults import OrderRefused
from kiosk import line
from kiosk.core import Core
from kiosk.line import Taken, rows, taking
from kiosk.rules import queue
from kiosk.rules.policy import Policy
from kiosk.rules.queue import Ticket
from kiosk.windows import windows_now
from tests.kiosk.conftest import HeldClock


def take(core: Core, service: str, key: str = "") -> Taken:
    count = core.reader().execute("SELECT count(*) FROM tickets").fetchone()[0]
    return line.take_ticket(core, service, key or f"key-number-{count}", "zh", "kiosk-1")


def numbers(core: Core) -> list[str]:
    return [str(one["number"]) for one in line.waiting(core)]


def test_a_morning_at_the_welfare_window(core: Core, clock: HeldClock) -> None:
    take(core, "ZW-01")
    take(core, "WY-04")
    take(core, "ZW-02")
    assert numbers(core) == ["B001", "C001", "B002"]
    called = line.call_next(core, "W2", "window 2")
    assert (called.spelled, called.window_id) == ("B001", "W2")
    clock.forward(seconds=60)
    assert line.recall(core, called.ticket_id, "window 2").calls == 2
    assert line.no_show(core, called.ticket_id, "window 2").state == "NO_SHOW"
    assert line.call_next(core, "W2", "window 2").spelled == "B002"
    assert numbers(core) == ["C001"]
    with pytest.raises(OrderRefused, match="Nobody is waiting for this window"):
        line.call_next(core, "W2", "window 2")


def test_calling_the_next_one_finishes_the_one_before(core: Core) -> None:
    first, second = take(core, "ZW-01").ticket, take(core, "ZW-01").ticket
    line.call_next(core, "W2", "window 2")
    line.call_next(core, "W2", "window 2")
    states = {one.spelled: one.state for one in line.tickets_today(core, ("CALLED", "DONE"))}
    assert states == {first.spelled: "DONE", second.spelled: "CALLED"}


def test_calling_into_an_empty_line_finishes_nobody(core: Core) -> None:
    take(core, "ZW-01")
    served = line.call_next(core, "W2", "window 2")
    with pytest.raises(OrderRefused):
        line.call_next(core, "W2", "window 2")
    assert line.by_token(core, served.token) == served


def test_an_undone_call_stands_again_at_its_old_place(core: Core, clock: HeldClock) -> None:
    first = take(core, "ZW-01").ticket
    take(core, "ZW-02")
    line.call_next(core, "W2", "window 2")
    clock.forward(seconds=30)
    line.undo(core, first.ticket_id, "window 2")
    assert numbers(core) == ["B001", "B002"]
    line.call_next(core, "W2", "window 2")
    clock.forward(seconds=31)
    with pytest.raises(OrderRefused, match="30 seconds only"):
        line.undo(core, first.ticket_id, "window 2")


def test_two_people_are_never_called_to_one_window(core: Core) -> None:
    take(core, "ZW-01")
    take(core, "ZW-01")
    absent = line.call_next(core, "W2", "window 2")
    line.no_show(core, absent.ticket_id, "window 2")
    served = line.call_next(core, "W2", "window 2")
    with pytest.raises(OrderRefused) as refused:
        line.recall(core, absent.ticket_id, "window 2")
    assert refused.value.why_zh == "这个窗口正在办理另一个号，请先办结"
    line.done(core, served.ticket_id, "window 2")
    assert line.recall(core, absent.ticket_id, "window 2").state == "CALLED"


def test_a_new_day_begins_at_one_and_yesterdays_line_is_gone(core: Core, clock: HeldClock) -> None:
    yesterday = take(core, "ZW-01").ticket
    clock.forward(hours=14)
    assert numbers(core) == []
    assert take(core, "ZW-01").ticket.spelled == "B001"
    with pytest.raises(OrderRefused, match="no longer valid"):
        line.done(core, yesterday.ticket_id, "window 2")


def test_a_clock_that_falls_back_gives_no_number_twice(core: Core, clock: HeldClock) -> None:
    take(core, "ZW-01")
    clock.now_ms = 0
    again = take(core, "ZW-01").ticket
    assert (again.business_day, again.spelled) == ("2026-11-22", "B002")


def test_after_a_restore_no_number_that_may_be_on_paper_is_given_again(core: Core) -> None:
    for _ in range(3):
        take(core, "ZW-01")
    day = line.today(core)
    core.writer.write(
        lambda notebook: notebook.execute("INSERT INTO number_floor VALUES (?, 'B', 6)", (day,))
    )
    assert [take(core, "ZW-01").ticket.spelled for _ in range(2)] == ["B007", "B008"]
    assert take(core, "DW-01").ticket.spelled == "A001"


def test_people_ahead_are_those_who_wait_for_the_same_window(core: Core) -> None:
    """SQLite's count and the rule's must agree, whoever has been called meanwhile."""
    for code in ("ZW-01", "WY-04", "ZW-02", "ZW-05", "ZW-11", "ZW-01", "WY-06"):
        take(core, code)
    line.call_next(core, "W2", "window 2")
    reader = core.reader()
    everybody = rows.in_line(reader, "2026-11-22")
    told = {one.spelled: line.ahead(core, one) for one in everybody}
    by_rule = {
        one.spelled: queue.ahead_of(one, everybody, windows_now(core).same_line(one.service_code), Policy())
        for one in everybody
    }
    assert told == by_rule == {"C001": 0, "B002": 0, "B003": 0, "B004": 1, "B005": 2, "C002": 1}


def test_nobody_is_told_to_be_next_while_an_elder_goes_first(core: Core) -> None:
    """Slip, kiosk and phone say how many are called before, not who came earlier."""
    first, second = take(core, "ZW-01"), take(core, "ZW-01")
    elder = line.take_ticket(core, "ZW-01", "elder", "zh", "kiosk-2", lane_why="elder")
    assert (second.ahead, elder.ahead) == (1, 0)
    assert [line.ahead(core, one.ticket) for one in (first, second, elder)] == [1, 2, 0]
    line.call_next(core, "W2", "window 2")
    everybody = rows.in_line(core.reader(), "2026-11-22")
    assert [line.ahead(core, one) for one in everybody] == [0, 1]


def test_ticket_and_slip_are_one_transaction(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_paper(*_: object, **_more: object) -> None:
        raise ValueError("the slip could not be composed")

    with monkeypatch.context() as broken:
        broken.setattr(taking, "compose_ticket", no_paper)
        with pytest.raises(ValueError, match="composed"):
            take(core, "ZW-01")
    assert core.reader().execute("SELECT count(*) FROM tickets").fetchone()[0] == 0
    taken = take(core, "ZW-01")
    slip = core.reader().execute("SELECT * FROM slips").fetchone()
    assert (slip["slip_id"], slip["ticket_id"], slip["printer"]) == (
        taken.slip_id,
        taken.ticket.ticket_id,
        "hall",
    )
    assert json.loads(slip["body"])["title"] == "排队号 B001"
    assert taken.ticket.spelled == "B001"


def test_every_step_is_in_the_journal_and_leads_back(core: Core, clock: HeldClock) -> None:
    ticket = take(core, "ZW-01").ticket
    for step in (lambda: line.call_next(core, "W2", "li"), lambda: line.done(core, ticket.ticket_id, "li")):
        clock.forward(seconds=1)
        step()
    lines = core.reader().execute("SELECT event, by, detail FROM journal ORDER BY entry_id").fetchall()
    lines = [row for row in lines if row["event"] != "opened"]
    assert [(row["event"], row["by"]) for row in lines] == [
        ("taken", "kiosk-1"),
        ("call", "li"),
        ("done", "li"),
    ]
    assert [json.loads(row["detail"])["state"] for row in lines] == ["WAITING", "CALLED", "DONE"]


@pytest.fixture
def told(core: Core) -> Iterator[Any]:
    stream = core.hub.stream(["hall", "staff"])
    next(stream)
    yield stream
    stream.close()


def event(told: Any) -> str:
    return next(told).split(b"\n")[0].removeprefix(b"event: ").decode()


def test_the_screens_are_told_after_it_is_written(core: Core, told: Any) -> None:
    take(core, "ZW-01")
    assert [event(told) for _ in range(3)] == ["ticket", "state", "line"]
    line.call_next(core, "W2", "li")
    assert event(told) == "called"
    board = line.board(core)
    assert [one["number"] for one in board["called"]] == ["B001"]
    assert board["waiting"]["total"] == 0


def test_a_refused_step_tells_nobody(core: Core, told: Any) -> None:
    ticket: Ticket = take(core, "ZW-01").ticket
    for _ in range(3):
        event(told)
    with pytest.raises(OrderRefused, match="B001 is still waiting and cannot be finished"):
        line.done(core, ticket.ticket_id, "li")
    core.hub.publish("hall", "end", {})
    assert event(told) == "end"


def test_the_schema_itself_refuses_a_second_b001(core: Core) -> None:
    take(core, "ZW-01")
    copy = (
        "INSERT INTO tickets(business_day, prefix, number, service_code, key, token, lang, screen, state, rank,"
        " taken_ms, waits_ms, changed_ms) SELECT business_day, prefix, number, service_code, 'k2', 't2', lang, screen,"
        " state, 0, 0, 0, 0 FROM tickets"
    )
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE constraint failed"):
        core.writer.write(lambda notebook: notebook.execute(copy))

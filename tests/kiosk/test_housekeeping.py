"""What is tidied when nobody is there: days are counted once, and after 90 days a ticket is forgotten. A held clock."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date

import pytest

from devices.faults import NotWritten
from kiosk import housekeeping
from kiosk.core import Core
from kiosk.housekeeping import Housekeeping, clock_is_known, tidy
from kiosk.queue_figures import NO_END, gather
from kiosk.rules.retention import Bounds, bounds
from tests.kiosk.conftest import HeldClock
from tests.kiosk.fake_gateway import FakeGateway

#: Where a ticket, its token, its key or the name of who served may stand.
PLACES = (
    "tickets",
    "ticket_items",
    "slips",
    "journal",
    "estimates",
    "announcements",
    "appointments",
    "call_keys",
    "ticket_keys",
)


def tidy_all(core: Core) -> int:
    pieces = 0
    while tidy(core):
        pieces += 1
        assert pieces < 500
    return pieces


def counts(core: Core) -> dict[str, int]:
    reader = core.reader()
    return {table: int(reader.execute(f"SELECT count(*) FROM {table}").fetchone()[0]) for table in PLACES}


def newest(core: Core) -> tuple[int, int]:
    reader = core.reader()
    ticket_id, slip_id = (
        int(reader.execute(f"SELECT max({key}) FROM {table}").fetchone()[0])
        for key, table in (("ticket_id", "tickets"), ("slip_id", "slips"))
    )
    return ticket_id, slip_id


def serve(core: Core, ticket_id: int, day: str) -> None:
    """As the line writes it when an item ends."""
    core.writer.write(
        lambda c: c.execute(
            "INSERT INTO serves(ticket_id, business_day, hour, service_code, window_id, lane, outcome, wait_ms,"
            " service_ms, ended_ms) VALUES (?, ?, 10, 'ZW-01', 'W2', 'normal', 'done', 61000, 300000, 0)",
            (ticket_id, day),
        )
    )


def hang_on(core: Core, ticket_id: int) -> None:
    """All that may hang on a ticket besides what taking it writes."""
    day = "2026-11-22"

    def work(c) -> None:
        c.execute("INSERT INTO estimates VALUES (?, 1, 2, 3, 0, 1)", (ticket_id,))
        c.execute(
            "INSERT INTO announcements(ticket_id, lang, words, asked_ms, state) VALUES (?, 'zh', '[]', 0, 'spoken')",
            (ticket_id,),
        )
        c.execute(
            "INSERT INTO appointments(code, key, service_code, business_day, slot_ms, state, ticket_id, made_ms,"
            " made_by, changed_ms) VALUES (?, ?, 'ZW-01', ?, 0, 'ARRIVED', ?, 0, '小李', 0)",
            (f"c{ticket_id}", f"k{ticket_id}", day, ticket_id),
        )
        c.execute("INSERT INTO call_keys VALUES (?, 'W2', ?, 0)", (f"key-{ticket_id}", ticket_id))
        slip = c.execute("SELECT slip_id FROM slips WHERE ticket_id = ?", (ticket_id,)).fetchone()[0]
        c.execute(
            "INSERT INTO slip_verdicts(slip_id, verdict, by, at_ms) VALUES (?, 'reprinted', '小李', 0)",
            (slip,),
        )
        c.execute(
            "INSERT INTO slips(printer, kind, body, created_ms, reprint_of, ticket_id)"
            " VALUES ('hall', 'ticket', '{}', 0, ?, ?)",
            (slip, ticket_id),
        )

    core.writer.write(work)


@pytest.fixture
def taken(take: Callable[..., dict[str, object]], core: Core, gateway: FakeGateway) -> int:
    """Sixty tickets of one day, with all that may hang on them."""
    for number in range(60):
        take("ZW-01", f"old-{number}")
        hang_on(core, number + 1)
        serve(core, number + 1, "2026-11-22")
    return 60


def test_a_ticket_is_forgotten_after_ninety_days_and_what_it_taught_stays(
    taken: int, core: Core, clock: HeldClock, take: Callable[..., dict[str, object]]
) -> None:
    clock.forward(hours=24 * 90)
    take("ZW-01", "day-90")
    assert tidy_all(core) == 1  # its day is closed; on the ninetieth day it is still there
    assert counts(core)["tickets"] == taken + 1
    clock.forward(hours=24)
    take("ZW-01", "day-91")
    before = gather(core.reader(), "", NO_END, 900)
    assert tidy_all(core) >= 2  # 50 at most in a piece
    left = counts(core)
    assert left == {
        "tickets": 2, "ticket_items": 2, "slips": 2, "journal": 2,
        "estimates": 0, "announcements": 0, "appointments": 0, "call_keys": 0, "ticket_keys": 0,
    }  # fmt: skip
    rows = core.reader().execute("SELECT key, token FROM tickets").fetchall()
    assert sorted(row[0] for row in rows) == ["day-90", "day-91"]
    assert gather(core.reader(), "", NO_END, 900) == before
    assert before.whole.served == taken
    assert core.reader().execute("PRAGMA foreign_key_check").fetchall() == []


def test_whatever_hangs_on_a_ticket_or_its_slip_is_forgotten_with_it(core: Core) -> None:
    """A table that somebody adds one day is found here, not by a hall whose housekeeping stands still."""
    reader = core.reader()
    tables = [str(row[0]) for row in reader.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    hangs = {
        (str(row["table"]), table, str(row["from"]))
        for table in tables
        for row in reader.execute(f"PRAGMA foreign_key_list({table})")
        if row["table"] in ("tickets", "slips")
    }
    # The kitchen's slips are no ticket's.
    hangs -= {("slips", "kitchen_slips", "slip_id"), ("slips", "kitchen_slips", "cancel_slip_id")}
    # Nor is a request's (kiosk/requests).
    hangs -= {("slips", "requests", "slip_id")}
    told = " ; ".join(housekeeping._OF_A_TICKET)
    missing = [one for one in hangs if f"FROM {one[1]} WHERE {one[2]}" not in told and one[2] != "reprint_of"]
    assert missing == []


def test_numbers_are_never_given_again_where_all_are_old(
    taken: int, core: Core, clock: HeldClock, take: Callable[..., dict[str, object]]
) -> None:
    ticket_id, slip_id = newest(core)
    clock.forward(hours=24 * 400)  # the hall was closed; nobody has come since
    tidy_all(core)
    assert counts(core)["tickets"] == taken  # its newest day is today to it: nothing is old
    take("ZW-02", "new")
    tidy_all(core)
    assert newest(core) == (ticket_id + 1, slip_id + 1)
    assert counts(core)["tickets"] == 1


def test_where_nobody_knows_the_time_nothing_is_forgotten_but_days_are_counted(
    taken: int, core: Core, clock: HeldClock, gateway: FakeGateway, take: Callable[..., dict[str, object]]
) -> None:
    clock.forward(hours=24 * 200)
    take("ZW-01", "new")
    ear = core.hub.stream("staff")
    gateway.tell("PartChanged", part={"part": "clock", "state": "degraded", "since_ms": 0})
    for told in ear:
        if b"event: part" in told:
            break
    ear.close()
    assert not clock_is_known(core)
    assert tidy_all(core) == 1
    assert counts(core)["tickets"] == taken + 1
    assert core.reader().execute("SELECT count(*) FROM serve_days WHERE part = 'all'").fetchone()[0] == 1


def test_without_a_gateway_nobody_knows_the_time(core: Core) -> None:
    assert not clock_is_known(core)


def test_a_clock_that_ran_ahead_makes_nobody_forget() -> None:
    assert bounds(date(2036, 1, 1), "2026-11-22") == bounds(date(2026, 11, 22), "2026-11-22")
    assert bounds(date(2026, 11, 22), "2036-01-01") == bounds(date(2026, 11, 22), "2026-11-22")
    assert bounds(date(2026, 11, 22), "2026-11-22") == Bounds("2026-08-24", "2024-09-13")
    assert bounds(date(2026, 11, 22), "") == Bounds("", "")


def test_rows_of_the_figures_go_after_their_day_was_counted_and_the_counts_stay(
    core: Core, gateway: FakeGateway, clock: HeldClock, take: Callable[..., dict[str, object]]
) -> None:
    take("ZW-01", "first")
    for number in range(3):
        serve(core, number, "2020-01-02")
    before = gather(core.reader(), "", NO_END, 900)
    tidy_all(core)
    assert core.reader().execute("SELECT count(*) FROM serves").fetchone()[0] == 0
    assert gather(core.reader(), "", NO_END, 900) == before
    assert before.whole.wait.p50_s == 61


def test_nothing_is_tidied_while_people_take_numbers(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before each of three looks somebody wrote; before the fourth nobody did."""
    tidied: list[int] = []

    def watched(_core: Core) -> bool:
        tidied.append(1)
        return False

    monkeypatch.setattr(housekeeping, "tidy", watched)
    keeper = Housekeeping(core)
    for _ in range(3):
        core.writer.write(lambda c: c.execute("INSERT OR REPLACE INTO meta VALUES ('x', random())"))
        assert keeper.round() == housekeeping.LOOK_S
    assert tidied == []
    assert keeper.round() == housekeeping.REST_S
    assert tidied == [1]


def test_a_notebook_that_refuses_is_said_once_and_tried_again(
    core: Core, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    # Said once an hour: other tests have had their say before.
    monkeypatch.setattr("gateway.log._repeats", {})
    tries: list[int] = []
    enough = threading.Event()

    def refuse(_core: Core) -> bool:
        tries.append(1)
        if len(tries) == 3:
            enough.set()
        raise NotWritten("the disk is full")

    monkeypatch.setattr(housekeeping, "tidy", refuse)
    monkeypatch.setattr(housekeeping, "LOOK_S", 0.01)
    monkeypatch.setattr(housekeeping, "REST_S", 0.01)
    keeper = Housekeeping(core)
    keeper.start()
    assert enough.wait(10)
    keeper.stop()
    said = [record.getMessage() for record in caplog.records if "cannot be tidied" in record.getMessage()]
    assert len(said) == 1
    assert "tickets, calls and figures go on" in said[0]

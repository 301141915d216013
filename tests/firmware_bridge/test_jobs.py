"""What the bridge's notebook remembers over restarts, restores and disks that rot."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from devices.faults import OwnRuleBroken
from firmware_bridge.jobs import KEEP_MS, SCHEMA, STALE_AT_FIRST_SIGHT_MS, Jobs
from firmware_bridge.outbox import Slip, Verdict
from firmware_bridge.spool import Event
from gateway.notebook import Notebook

NOW = 1_800_000_000_000


class Book:
    """The notebook and its clock."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "bridge.db"
        self.now = NOW
        self.open()

    def open(self) -> None:
        self.notebook = Notebook(self.file, SCHEMA)
        self.jobs = Jobs(self.notebook, lambda: self.now)
        self.torn = self.jobs.begin(["hall"], [], 1)

    def reopen(self) -> None:
        self.notebook.close()
        self.open()

    def take(self, *slip_ids: int, at_ms: int = NOW) -> None:
        self.jobs.take_in([Slip(one, "hall", "{}", at_ms) for one in slip_ids])

    def states(self, table: str = "jobs") -> dict[int, str]:
        return dict(self.notebook.connection.execute(f"SELECT slip_id, state FROM {table} ORDER BY slip_id"))


@pytest.fixture
def book(tmp_path: Path) -> Book:
    return Book(tmp_path)


def test_a_slip_is_a_job_once_however_often_it_is_read(book: Book) -> None:
    book.jobs.meet_kiosk("e1")
    book.take(1, 2)
    book.take(1, 2, 3)
    assert book.states() == {1: "QUEUED", 2: "QUEUED", 3: "QUEUED"}


def test_after_a_crash_only_what_was_being_sent_is_unsure(book: Book) -> None:
    book.jobs.meet_kiosk("e1")
    book.take(1, 2, 3)
    for ending in (True, False):
        job = book.jobs.next_queued("hall")
        assert job is not None
        book.jobs.send_began(job, book.jobs.sending_number(), 44)
        if ending:
            book.jobs.said_done(job, "status")
    book.reopen()
    assert book.torn == 1
    assert book.states() == {1: "PRINTED", 2: "UNSURE", 3: "QUEUED"}
    assert book.jobs.mend_bytes("hall") == 44, "the printer may still wait for the rest of a block"
    assert book.jobs.sending_number() == 3, "a number is never used for two sendings"


def test_an_illegal_step_changes_nothing(book: Book) -> None:
    book.jobs.meet_kiosk("e1")
    book.take(1)
    job = book.jobs.next_queued("hall")
    assert job is not None
    with pytest.raises(OwnRuleBroken):
        book.jobs.said_done(job, "status")
    assert book.states() == {1: "QUEUED"}


def test_a_restored_kiosk_prints_no_old_slip_even_where_numbers_begin_again(book: Book) -> None:
    book.jobs.meet_kiosk("e1")
    book.take(1, at_ms=NOW - 50)
    book.take(2, 3, at_ms=NOW - 10)
    book.jobs.meet_kiosk("e2")
    book.take(1, at_ms=NOW - 50)
    book.take(2, at_ms=NOW + 100)
    assert book.states() == {1: "SETTLED", 2: "QUEUED"}
    assert book.states("old_jobs") == {1: "QUEUED", 2: "QUEUED", 3: "QUEUED"}


def test_what_linli_restore_wrote_tells_old_from_new_and_no_clock_does(book: Book) -> None:
    book.jobs.meet_kiosk("e1")
    book.take(1, 2, 3, at_ms=NOW - 10)
    book.jobs.meet_kiosk("e2", restored_slip=2)
    book.take(1, 2, at_ms=NOW + 1000)
    book.take(3, at_ms=NOW - 100_000_000)  # the Pi woke up in the past
    assert book.states() == {1: "SETTLED", 2: "SETTLED", 3: "QUEUED"}


def test_what_an_earlier_restore_wrote_is_not_believed_of_a_copy_put_in_place_by_hand(book: Book) -> None:
    book.jobs.meet_kiosk("e1")
    book.take(1, at_ms=NOW - 90)
    book.jobs.meet_kiosk("e2", restored_slip=1)
    book.take(1, 2, 3, at_ms=NOW - 50)
    for minute, met_before in enumerate(("e2", "e1", "e2"), start=1):
        book.jobs.meet_kiosk(met_before, restored_slip=1)
        book.take(1, 2, at_ms=NOW - 50)
        book.take(3, at_ms=NOW + minute * 60_000)
        assert book.states() == {1: "SETTLED", 2: "SETTLED", 3: "QUEUED"}


def test_a_bridge_that_is_new_prints_what_is_fresh_and_nothing_of_last_week(book: Book) -> None:
    book.jobs.meet_kiosk("e1")
    book.take(1, at_ms=NOW - STALE_AT_FIRST_SIGHT_MS - 1)
    book.take(2, at_ms=NOW - 60_000)
    assert book.states() == {1: "SETTLED", 2: "QUEUED"}


def test_where_our_own_notebook_was_damaged_nothing_is_printed_twice_silently(book: Book) -> None:
    book.notebook.close()
    book.file.write_bytes(b"\x00rotten" * 4096)
    for tail in ("-wal", "-shm"):
        book.file.with_name(book.file.name + tail).unlink(missing_ok=True)
    book.open()
    assert book.notebook.quarantined
    book.jobs.meet_kiosk("e1")
    book.take(1, at_ms=NOW - 60_000)
    book.take(2, at_ms=NOW + 1)
    assert book.states() == {1: "UNSURE", 2: "QUEUED"}


def test_staffs_word_settles_what_is_unsure_failed_or_waiting_and_nothing_else(book: Book) -> None:
    book.jobs.meet_kiosk("e1")
    book.take(1, 2, 3, 4)
    events = {1: [], 2: [Event.BAD_SLIP], 3: [Event.SEND_BEGAN, Event.WORD_MISSING], 4: [Event.SEND_BEGAN]}
    for slip_id, history in events.items():
        for event in history:
            job = book.jobs._one("slip_id = ?", slip_id)
            assert job is not None
            book.jobs.step(job, event)
    book.jobs.hear_verdicts(
        [Verdict(n, slip_id, "printed") for n, slip_id in enumerate([1, 2, 3, 4, 3, 99], 1)]
    )
    assert book.states() == {1: "SETTLED", 2: "SETTLED", 3: "SETTLED", 4: "SENDING"}
    assert book.jobs.meta("last_verdict_id") == "6"


def test_finished_jobs_are_forgotten_after_a_quarter_and_unfinished_ones_never(book: Book) -> None:
    book.jobs.meet_kiosk("e1")
    book.take(1, 2)
    job = book.jobs.next_queued("hall")
    assert job is not None
    book.jobs.send_began(job, 1, 1)
    book.jobs.said_done(job, "status")
    book.now += KEEP_MS + 1
    book.reopen()
    assert book.states() == {2: "QUEUED"}
    assert book.jobs.meta("last_slip_id") == "2", "and the forgotten one does not come back"


def test_a_printer_that_left_hall_toml_leaves_the_list(book: Book) -> None:
    book.jobs.begin(["spare"], ["gate"], 2)
    rows = book.notebook.connection.execute("SELECT printer, state FROM printers").fetchall()
    assert rows == [("spare", "unknown")]


def test_the_schema_is_the_contracts(book: Book) -> None:
    """docs/protocol.md, section 3: the columns that the kiosk reads."""

    def columns(table: str) -> list[str]:
        return [row[1] for row in book.notebook.connection.execute(f"PRAGMA table_info({table})")]

    promised = [
        "job_id",
        "slip_id",
        "printer",
        "state",
        "attempts",
        "created_ms",
        "changed_ms",
        "why_zh",
        "why_en",
    ]
    assert columns("jobs")[: len(promised)] == promised
    assert set(columns("printers")) >= {"printer", "state", "since_ms", "why_zh", "why_en", "last_printed_ms"}
    assert set(columns("panels")) == {"panel", "state", "shown", "since_ms", "why_zh", "why_en"}
    assert set(columns("bridge_alive")) >= {"pid", "started_ms", "beat_ms"}
    with pytest.raises(sqlite3.IntegrityError):
        book.notebook.connection.execute(
            "INSERT INTO printers(printer, state, since_ms) VALUES ('x', 'happy', 0)"
        )

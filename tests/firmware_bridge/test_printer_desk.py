"""One printer's conduct with the clock held: silence, stuck lines, late words, a disk that refuses.

The line is scripted here, to the byte and the millisecond; test_paper_story.py tells the same on a real one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from devices.faults import NotWritten, OutsideDown
from devices.plan import Printer
from firmware_bridge.escpos import ASK_PAPER, TELL_ALL, process_id
from firmware_bridge.jobs import SCHEMA, Jobs
from firmware_bridge.outbox import Slip, Verdict
from firmware_bridge.printer_desk import PrinterDesk
from firmware_bridge.profiles import load_profiles
from firmware_bridge.serial_port import SerialPort
from firmware_bridge.spool import Event
from gateway.notebook import Notebook
from tests.firmware_bridge.paper_hall import slip

WELL = b"\x12\x12\x12\x12"
NO_PAPER = b"\x1a\x32\x12\x7e"
QUESTIONS = b"\x10\x04\x01\x10\x04\x02\x10\x04\x03\x10\x04\x04"
DONE = b"\x00\x00"


class Line:
    """A serial line by script: what was written, what comes in, how many bytes it still takes."""

    def __init__(self) -> None:
        self.is_open = False
        self.there = True
        self.openings = 0
        self.why_zh, self.why_en = "不见了", "gone"
        self.takes: int | None = None
        self.written = b""
        self.incoming = b""

    def try_open(self, tick_ms: int) -> bool:
        self.is_open = self.there
        return self.is_open

    def still_there(self, tick_ms: int) -> bool:
        return True

    def read(self) -> bytes:
        if not self.there:
            self.close()
            raise OutsideDown("pulled")
        data, self.incoming = self.incoming, b""
        return data

    def write(self, data: bytes) -> int:
        if not self.there:
            self.close()
            raise OutsideDown("pulled")
        went = data if self.takes is None else data[: self.takes]
        if self.takes is not None:
            self.takes -= len(went)
        self.written += went
        return len(went)

    def waiting(self) -> int:
        return 0

    def discard(self) -> int:
        return 0

    def close(self) -> None:
        self.is_open = False

    def take_written(self) -> bytes:
        data, self.written = self.written, b""
        return data


class Bench:
    """A desk, its line, its notebook, and the time."""

    def __init__(self, folder: Path, profile: str = "generic80") -> None:
        self.notebook = Notebook(folder / "bridge.db", SCHEMA)
        self.jobs = Jobs(self.notebook, lambda: 1_800_000_000_000)
        self.jobs.begin(["hall"], [], 1)
        self.jobs.meet_kiosk("e1")
        self.line = Line()
        made = load_profiles()[profile]
        self.desk = PrinterDesk(Printer(id="hall"), cast(SerialPort, self.line), made, self.jobs)
        self.now = 0
        self.slips = 0

    def order(self, words: str, printer: str = "hall", at_ms: int = 1_800_000_000_000) -> int:
        self.slips += 1
        text = json.dumps(slip(words), ensure_ascii=False)
        self.jobs.take_in([Slip(self.slips, printer, text, at_ms)])
        self.desk.nudge(self.now)
        return self.slips

    def hears(self, data: bytes) -> None:
        self.line.incoming = data
        self.desk.readable(self.now)

    def pass_ms(self, ms: int, answer: bytes | None = None) -> None:
        """Let time pass in turns of 20 ms; ``answer`` is what the printer says to each round of questions."""
        for _ in range(0, ms, 20):
            self.now += 20
            before = len(self.line.written)
            self.desk.writable(self.now)
            self.desk.turn(self.now)
            if answer is not None and self.line.written[before:].endswith(QUESTIONS):
                self.hears(answer)

    def job(self, slip_id: int) -> dict[str, Any]:
        cursor = self.notebook.connection.execute("SELECT * FROM jobs WHERE slip_id = ?", (slip_id,))
        return dict(zip([column[0] for column in cursor.description], cursor.fetchone(), strict=True))

    def printer(self) -> dict[str, Any]:
        cursor = self.notebook.connection.execute("SELECT * FROM printers")
        return dict(zip([column[0] for column in cursor.description], cursor.fetchone(), strict=True))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    one = Bench(tmp_path)
    yield one
    one.notebook.close()


@pytest.fixture
def named(tmp_path: Path) -> Iterator[Bench]:
    """A printer that names its slips (``GS ( H``)."""
    one = Bench(tmp_path, "epson-tm-t82")
    yield one
    one.notebook.close()


def begin(bench: Bench) -> int:
    """A slip whose bytes have all gone out."""
    bench.pass_ms(40, WELL)
    slip_id = bench.order("政务 B031")
    bench.hears(WELL)
    assert bench.job(slip_id)["state"] == "SENDING"
    return slip_id


def done(bench: Bench) -> None:
    """The printer's word; and once more all four answers, so that it was no noise of a plug."""
    bench.hears(DONE)
    bench.hears(WELL)


def test_a_silent_printer_gets_questions_and_never_a_slip(bench: Bench) -> None:
    slip_id = bench.order("政务 B031")
    bench.pass_ms(2000)
    assert bench.printer()["state"] == "unknown", "neither well nor empty"
    assert bench.printer()["why_en"] == "just started, no word from it yet"
    bench.pass_ms(900)
    assert bench.printer()["state"] == "silent"
    bench.pass_ms(10_000)
    assert bench.desk.state == "silent"
    assert bench.job(slip_id)["state"] == "QUEUED"
    assert bench.line.written.replace(QUESTIONS, b"") == b"\x1da\xff"


def test_three_good_answers_of_four_are_not_yet_ready(bench: Bench) -> None:
    slip_id = bench.order("政务 B031")
    bench.pass_ms(40)
    bench.hears(WELL[:3])
    bench.pass_ms(100)
    assert (bench.job(slip_id)["state"], bench.desk.state) == ("QUEUED", None)
    bench.hears(WELL[3:])
    assert (bench.job(slip_id)["state"], bench.desk.state) == ("SENDING", "ready")


def test_silence_is_noticed_within_three_seconds(bench: Bench) -> None:
    bench.pass_ms(1000, WELL)
    assert bench.desk.state == "ready"
    bench.pass_ms(4000)
    assert bench.desk.state == "silent"
    bench.pass_ms(3100, WELL)
    assert bench.desk.state == "ready"


def test_printed_is_written_only_at_the_printers_word(bench: Bench) -> None:
    slip_id = begin(bench)
    bench.pass_ms(500, WELL)
    assert bench.job(slip_id)["state"] == "SENDING"
    done(bench)
    job = bench.job(slip_id)
    assert (job["state"], job["confirmed_by"], job["attempts"]) == ("PRINTED", "status", 1)
    assert bench.printer()["last_printed_ms"] == 1_800_000_000_000


def test_one_stray_byte_of_a_line_that_goes_down_is_not_a_done(bench: Bench) -> None:
    slip_id = begin(bench)
    bench.hears(b"\x00")
    bench.pass_ms(3300)
    assert bench.job(slip_id)["state"] == "UNSURE"


def test_a_printer_that_answers_but_never_says_done_is_unsure_and_the_next_slip_goes_on(bench: Bench) -> None:
    first = begin(bench)
    second = bench.order("政务 B032")
    bench.pass_ms(4500, WELL)
    assert bench.job(first)["state"] == "SENDING"
    bench.line.take_written()
    bench.pass_ms(5000, WELL)
    assert bench.job(first)["state"] == "UNSURE"
    assert bench.job(first)["why_en"] == (
        "the printer never said that it was done: please look whether the slip is whole"
    )
    assert bench.job(second)["state"] == "SENDING"
    assert bytes(16) + b"\x1b@" in bench.line.written, "the printer is mended first"
    bench.pass_ms(100, WELL)
    done(bench)
    assert bench.job(second)["state"] == "PRINTED"
    assert bench.job(first)["state"] == "UNSURE"


def test_a_printer_that_falls_silent_in_the_middle_is_unsure(bench: Bench) -> None:
    slip_id = begin(bench)
    bench.pass_ms(3200)
    assert bench.job(slip_id)["state"] == "UNSURE"
    assert bench.desk.state == "silent"


def test_a_word_that_comes_late_is_still_its_word_where_it_names_the_slip(named: Bench) -> None:
    slip_id = begin(named)
    named.pass_ms(3200)
    assert named.job(slip_id)["state"] == "UNSURE"
    named.hears(b"\x37\x22" + process_id(1).encode() + b"\x00")
    assert (named.job(slip_id)["state"], named.job(slip_id)["confirmed_by"]) == ("PRINTED", "process_id")


def test_after_silence_bytes_that_name_nothing_prove_nothing(bench: Bench) -> None:
    """A cable that is plugged in again makes such bytes by itself."""
    slip_id = begin(bench)
    bench.pass_ms(3200)
    done(bench)
    bench.pass_ms(3000, WELL)
    assert bench.job(slip_id)["state"] == "UNSURE"


def test_paper_out_in_the_middle_is_proof_and_the_slip_comes_again_marked(bench: Bench) -> None:
    slip_id = begin(bench)
    bench.hears(b"\x18\x00\x0f\x0f")
    assert bench.job(slip_id)["state"] == "QUEUED"
    assert bench.job(slip_id)["why_en"].startswith("not finished, comes again: out of paper")
    assert bench.desk.state == "paper_out"
    bench.pass_ms(60_000, NO_PAPER)
    bench.line.take_written()
    bench.pass_ms(1100, WELL)
    assert bench.job(slip_id)["state"] == "QUEUED", "first the rest of the torn slip comes out"
    assert bench.line.written.replace(QUESTIONS, b"").endswith(bytes(300) + ASK_PAPER + TELL_ALL)
    bench.hears(DONE)
    bench.hears(DONE)
    bench.pass_ms(600, WELL)
    assert bench.job(slip_id)["state"] == "SENDING"
    assert "补打".encode("gbk") in bench.line.written
    bench.pass_ms(100, WELL)
    done(bench)
    assert bench.job(slip_id)["state"] == "PRINTED"
    assert (bench.job(slip_id)["attempts"], bench.job(slip_id)["voided"]) == (2, 1)
    assert bench.printer()["paper_mm"] > 0


def test_after_three_torn_slips_a_person_must_look(bench: Bench) -> None:
    slip_id = begin(bench)
    for _ in range(3):
        bench.hears(b"\x18\x00\x0f\x0f")
        bench.pass_ms(6000, WELL)
    assert bench.job(slip_id)["state"] == "UNSURE"
    assert bench.job(slip_id)["attempts"] == 3


def test_a_line_that_takes_no_byte_leaves_the_slip_in_the_queue(bench: Bench) -> None:
    bench.pass_ms(40, WELL)
    slip_id = bench.order("政务 B031")
    bench.line.takes = 0
    bench.hears(WELL)
    assert bench.job(slip_id)["state"] == "SENDING"
    bench.pass_ms(6100)
    assert bench.job(slip_id)["state"] == "QUEUED"
    assert bench.job(slip_id)["attempts"] == 0
    assert bench.printer()["mend_bytes"] == 0
    assert bench.desk.state == "flow_stopped"


def test_a_line_that_gets_stuck_in_the_middle_is_thrown_away_and_the_slip_unsure(bench: Bench) -> None:
    bench.pass_ms(40, WELL)
    slip_id = bench.order("政务 B031")
    bench.line.takes = 30
    bench.hears(WELL)
    bench.pass_ms(6100)
    assert bench.job(slip_id)["state"] == "UNSURE"
    assert bench.printer()["mend_bytes"] > 0


def test_a_pulled_cable_in_the_middle_is_unsure_and_comes_back_by_itself(bench: Bench) -> None:
    first = begin(bench)
    second = bench.order("政务 B032")
    bench.line.there = False
    bench.desk.readable(bench.now)
    assert bench.job(first)["state"] == "UNSURE"
    assert bench.desk.state == "port_missing"
    bench.line.there = True
    bench.pass_ms(100, WELL)
    assert bench.line.written.endswith(ASK_PAPER), "what it still holds comes out first"
    bench.hears(DONE)
    bench.pass_ms(600, WELL)
    assert bench.job(second)["state"] == "SENDING"


def test_what_cannot_be_written_is_not_sent(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.pass_ms(40, WELL)
    slip_id = bench.order("政务 B031")

    def refuse(*_: object) -> None:
        raise NotWritten("the disk is full")

    with monkeypatch.context() as full:
        full.setattr(bench.jobs, "send_began", refuse)
        bench.line.take_written()
        bench.hears(WELL)
        bench.pass_ms(3000, WELL)
        assert bench.line.written.replace(QUESTIONS, b"") == b""
    bench.pass_ms(2000, WELL)
    assert bench.job(slip_id)["state"] == "SENDING"


def test_an_end_that_cannot_be_written_is_owed_and_nothing_else_is_begun(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = begin(bench)
    second = bench.order("政务 B032")

    def refuse(*_: object) -> None:
        raise NotWritten("the disk is full")

    with monkeypatch.context() as full:
        full.setattr(bench.jobs, "said_done", refuse)
        done(bench)
        bench.pass_ms(5000, WELL)
        assert bench.job(first)["state"] == "SENDING"
        assert bench.job(second)["state"] == "QUEUED"
    bench.pass_ms(2200, WELL)
    assert bench.job(first)["state"] == "PRINTED"
    assert bench.job(second)["state"] == "SENDING"


def test_a_bad_slip_fails_with_words_and_the_next_goes_on(bench: Bench) -> None:
    bench.pass_ms(40, WELL)
    bench.slips += 1
    bench.jobs.take_in([Slip(bench.slips, "hall", '{"blocks": [{"t": "rainbow"}]}', 1_800_000_000_000)])
    bad = bench.slips
    good = bench.order("政务 B032")
    bench.hears(WELL)
    bench.pass_ms(1500, WELL)
    assert bench.job(bad)["state"] == "FAILED"
    assert bench.job(bad)["why_en"] == (
        "this slip cannot be printed: slip: block 1: unknown kind 'rainbow'; known: text, pair, rule, feed, qr, cut"
    )
    assert bench.job(good)["state"] == "SENDING"


def test_paper_nearly_out_is_said_and_printing_goes_on(bench: Bench) -> None:
    bench.pass_ms(40, b"\x12\x12\x12\x1e")
    slip_id = bench.order("政务 B031")
    bench.hears(b"\x12\x12\x12\x1e")
    assert bench.desk.state == "paper_low"
    assert bench.job(slip_id)["state"] == "SENDING"


def test_a_word_that_comes_after_staff_have_decided_changes_nothing_and_harms_nothing(named: Bench) -> None:
    slip_id = begin(named)
    named.pass_ms(3200)
    assert named.job(slip_id)["state"] == "UNSURE"
    named.jobs.hear_verdicts([Verdict(1, slip_id, "given_up")])
    named.hears(b"\x37\x22" + process_id(1).encode() + b"\x00")
    assert (named.job(slip_id)["state"], named.job(slip_id)["why_en"]) == ("SETTLED", "staff: given up")
    assert named.job(slip_id)["confirmed_by"] is None
    assert named.printer()["last_printed_ms"] == 1_800_000_000_000, "the printer has printed all the same"


def test_a_late_word_is_not_taken_for_a_slip_of_another_kiosk_db(bench: Bench) -> None:
    """After a restore the numbers of jobs begin again: the word of before belongs to nobody any more."""
    begin(bench)
    bench.pass_ms(3200)
    bench.jobs.meet_kiosk("e2")
    bench.desk.forget_late()
    bench.slips = 0
    new = bench.order("政务 B031", at_ms=1_800_000_000_001)
    stolen = bench.jobs.next_queued("hall")
    assert stolen is not None
    bench.jobs.step(stolen, Event.SEND_BEGAN)
    done(bench)
    assert bench.job(new)["state"] == "SENDING"

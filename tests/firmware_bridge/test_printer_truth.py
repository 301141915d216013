"""Every state of a printer on real parts: what the virtual printer does, and what bridge.db then says of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from devices.virtual.printer import VirtualPrinter
from tests.firmware_bridge.paper_hall import TICKET, Hall, slip

pytestmark = pytest.mark.slow

#: What is done to the printer, what is then said of it, and what makes it well again.
STATES = [
    ("paper_low", {}, "paper_low", "paper_in"),
    ("paper_out", {}, "paper_out", "paper_in"),
    ("cover_open", {}, "cover_open", "cover_close"),
    ("jam", {}, "cutter_error", "clear"),
    ("trouble", {"what": "hot"}, "recoverable", "clear"),
    ("trouble", {"what": "unrecoverable"}, "unrecoverable", "clear"),
    ("offline", {}, "offline", "online"),
    ("silent", {}, "silent", "talk"),
    ("garbage", {}, "garbage", "clean"),
    ("power_off", {}, "silent", "power_on"),
    ("unplug", {}, "port_missing", "plug"),
]


@pytest.mark.parametrize(("does", "how", "said", "well"), STATES, ids=[f"{one[0]}{one[1] or ''}" for one in STATES])
def test_each_state_is_told_apart_and_ends(hall: Hall, does: str, how: dict[str, str], said: str, well: str) -> None:
    hall.start_bridge()
    hall.wait_for(hall.printer_row, state="ready")
    hall.printer.do(does, **how)
    row = hall.wait_for(hall.printer_row, 4, state=said)
    assert row["why_zh"]
    assert row["why_en"]
    waits = hall.order(slip("政务 B001"))
    if said != "paper_low":
        hall.wait_job(waits, "QUEUED")
    hall.printer.do(well)
    hall.wait_job(waits, "PRINTED", 10)
    hall.wait_for(hall.printer_row, state="ready")


def test_an_error_that_was_cleared_by_hand_is_ended_by_asking(hall: Hall) -> None:
    """The virtual printer's "recoverable" stands until DLE ENQ: nobody need switch it off and on."""
    hall.start_bridge()
    hall.wait_for(hall.printer_row, state="ready")
    hall.printer.do("trouble", what="recoverable", after_bytes=150)
    hall.printer.do("slow", bps=9600)
    slip_id = hall.order(TICKET)
    hall.wait_job(slip_id, "PRINTED", 15)
    job = hall.job(slip_id)
    assert (job["voided"], job["attempts"]) == (1, 2)
    assert "补打" in hall.pieces()[-1]


def test_a_printer_that_holds_the_line_is_said_and_the_slip_stays_unsent(hall: Hall) -> None:
    hall.start_bridge()
    hall.wait_for(hall.printer_row, state="ready")
    hall.printer.do("handshake", how="soft")
    hall.printer.do("flow_stop")
    row = hall.wait_for(hall.printer_row, 6, state="flow_stopped")
    assert "不收数据" in row["why_zh"]
    slip_id = hall.order(slip("政务 B001"))
    hall.printer.do("flow_go")
    hall.wait_job(slip_id, "PRINTED", 10)


def test_a_new_roll_is_noticed_and_its_paper_counted(hall: Hall) -> None:
    hall.start_bridge()
    hall.wait_job(hall.order(TICKET), "PRINTED")
    used = hall.wait_for(hall.printer_row, state="ready")["paper_mm"]
    assert 80 <= used <= 200, "a ticket is some 120 mm long"
    hall.printer.do("paper_out")
    hall.wait_for(hall.printer_row, state="paper_out")
    hall.printer.do("paper_in")
    assert hall.wait_for(hall.printer_row, state="ready")["paper_mm"] == 0
    hall.wait_job(hall.order(TICKET), "PRINTED")
    hall.kiosk.write(
        lambda db: db.execute("INSERT INTO printer_acts(printer, act, by, at_ms) VALUES ('hall', 'new_roll', '李', 1)")
    )
    hall.wait_for(hall.printer_row, paper_mm=0)
    moves = hall.all_rows("SELECT state FROM printer_moves ORDER BY move_id")
    assert [row["state"] for row in moves] == ["ready", "paper_out", "ready"]


def test_a_printer_without_a_voice_prints_and_is_called_not_confirmed(tmp_path: Path) -> None:
    hall = Hall(tmp_path, profile="mute58")
    hall.printer.start()
    hall.panel.start()
    hall.printer.do("garbage")  # whatever it says is not heard
    try:
        hall.start_bridge()
        slip_id = hall.order(slip("政务 B001"))
        job = hall.wait_job(slip_id, "PRINTED", 10)
        assert job["confirmed_by"] == "time"
        row = hall.printer_row()
        assert row["state"] == "unknown", "neither well nor empty"
        assert "不会报告情况" in row["why_zh"]
        hall.printer.wait_until(lambda one: "政务 B001" in one["last_text"], 5)
    finally:
        hall.close()


@pytest.fixture
def spare(hall: Hall) -> Iterator[VirtualPrinter]:
    """A second printer, and the first one's spare."""
    file = hall.home / "hall.toml"
    words = file.read_text(encoding="utf-8").replace('id = "hall"', 'id = "hall"\nspare = "desk"')
    file.write_text(words + '\n[[printers]]\nid = "desk"\nport = "virtual"\n', encoding="utf-8")
    one = VirtualPrinter("desk", hall.home)
    one.start()
    yield one
    one.stop()


@pytest.mark.long
def test_after_ten_seconds_without_paper_the_spare_prints(hall: Hall, spare: VirtualPrinter) -> None:
    hall.start_bridge()
    hall.wait_for(hall.printer_row, state="ready")
    hall.printer.do("slow", bps=9600)
    hall.printer.do("paper_out", after_bytes=200)
    torn, waits = hall.order(TICKET), hall.order(slip("政务 B032"))
    job = hall.wait_job(waits, "PRINTED", 20)
    assert (job["printer"], job["meant_for"], job["attempts"]) == ("desk", "hall", 1)
    assert "政务 B032" in spare.state()["last_text"]
    assert "补打" not in spare.state()["last_text"]
    row = hall.job(torn)
    assert (row["state"], row["printer"], row["voided"]) == ("QUEUED", "hall", 1), "half of it hangs there"
    hall.printer.do("slow", bps=0)
    hall.printer.do("paper_in")
    hall.wait_job(torn, "PRINTED", 15)
    later = hall.order(slip("政务 B033"))
    assert hall.wait_job(later, "PRINTED")["printer"] == "hall"

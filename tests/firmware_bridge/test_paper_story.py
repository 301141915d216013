"""The life of a slip on real parts: the bridge's own process, a pty, notebooks, and everything that goes wrong."""

from __future__ import annotations

import functools
import json
import os
import random
import signal
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from firmware_bridge.profiles import load_profiles
from tests.firmware_bridge.paper_hall import TICKET, Hall, slip

pytestmark = pytest.mark.slow


def numbers(hall: Hall, of: str = "政务") -> list[str]:
    """The numbers on all pieces of paper that came out whole, in order; a reprint with its mark."""
    found = []
    for piece in hall.pieces():
        number = next((line.strip() for line in piece.splitlines() if of in line), "")
        if number and "torn" not in piece:
            found.append(("补打 " if "补打" in piece else "") + number)
    return found


def test_a_slip_is_printed_and_the_printers_word_is_written(hall: Hall) -> None:
    hall.start_bridge()
    slip_id = hall.order(TICKET)
    job = hall.wait_job(slip_id, "PRINTED")
    assert (job["printer"], job["attempts"], job["confirmed_by"], job["why_en"]) == ("hall", 1, "status", "")
    state = hall.printer.wait_until(lambda one: one["drawn"] == 1, 10)
    assert (state["overflows"], state["unknown"]) == (0, 0)
    (paper,) = hall.pieces()
    assert paper.splitlines()[1].strip() == "政务 B031"
    assert (hall.printer.paper_dir / "1.png").read_bytes().startswith(b"\x89PNG")
    row = hall.wait_for(hall.printer_row, state="ready")
    assert row["last_printed_ms"] is not None
    assert row["mend_bytes"] == 0


def test_a_slip_whose_printer_lost_its_power_in_the_middle_is_never_called_printed(hall: Hall) -> None:
    hall.printer.do("slow", bps=9600)
    hall.start_bridge()
    hall.wait_for(hall.printer_row, state="ready")
    hall.printer.do("power_cycle", after_bytes=150)
    slip_id = hall.order(TICKET)
    hall.wait_job(slip_id, "UNSURE", 15)
    after = hall.order(slip("政务 B032"))
    hall.wait_job(after, "PRINTED", 15)
    assert numbers(hall)[-1] == "政务 B032", "later slips go on"


def test_slips_come_out_in_order_and_once(hall: Hall) -> None:
    hall.start_bridge()
    ordered = [f"政务 B{number:03}" for number in range(1, 31)]
    last = [hall.order(slip(words)) for words in ordered][-1]
    hall.wait_job(last, "PRINTED", 15)
    assert numbers(hall) == ordered


def test_a_printer_with_process_ids_confirms_by_number(tmp_path: Path) -> None:
    hall = Hall(tmp_path, profile="epson-tm-t82")
    hall.printer.start()
    hall.panel.start()
    try:
        hall.start_bridge()
        first, second = hall.order(slip("政务 B001")), hall.order(slip("政务 B002"))
        assert hall.wait_job(second, "PRINTED")["confirmed_by"] == "process_id"
        assert hall.job(first)["confirmed_by"] == "process_id"
    finally:
        hall.close()


def test_no_paper_keeps_slips_waiting_and_new_paper_prints_them_unmarked(hall: Hall) -> None:
    hall.start_bridge()
    hall.wait_for(hall.printer_row, state="ready")
    hall.printer.do("paper_out")
    row = hall.wait_for(hall.printer_row, state="paper_out")
    assert row["why_zh"] == "缺纸：请换一卷纸，换好后会自动接着打"
    first, second = hall.order(slip("政务 B001")), hall.order(slip("政务 B002"))
    hall.wait_job(second, "QUEUED")
    assert hall.job(first)["state"] == "QUEUED"
    assert hall.pieces() == []
    hall.printer.do("paper_in")
    hall.wait_job(second, "PRINTED")
    assert numbers(hall) == ["政务 B001", "政务 B002"]


def test_an_open_cover_is_said_and_closing_it_is_enough(hall: Hall) -> None:
    hall.start_bridge()
    hall.wait_for(hall.printer_row, state="ready")
    hall.printer.do("cover_open")
    hall.wait_for(hall.printer_row, state="cover_open")
    slip_id = hall.order(slip("政务 B001"))
    hall.wait_job(slip_id, "QUEUED")
    hall.printer.do("cover_close")
    hall.wait_job(slip_id, "PRINTED")
    assert numbers(hall) == ["政务 B001"]


def test_a_silent_printer_is_said_within_four_seconds_and_prints_when_it_speaks_again(hall: Hall) -> None:
    hall.start_bridge()
    hall.wait_for(hall.printer_row, state="ready")
    hall.printer.do("silent")
    slip_id = hall.order(slip("政务 B001"))
    row = hall.wait_for(hall.printer_row, 5, state="silent")
    assert "号码照常发放" in row["why_zh"]
    assert hall.job(slip_id)["state"] == "QUEUED"
    hall.printer.do("talk")
    hall.wait_job(slip_id, "PRINTED")
    assert numbers(hall) == ["政务 B001"]


def test_a_cable_pulled_in_mid_slip_makes_it_unsure_and_the_next_goes_on(hall: Hall) -> None:
    hall.start_bridge()
    hall.wait_for(hall.printer_row, state="ready")
    hall.printer.do("slow", bps=9600)
    hall.printer.do("unplug", after_bytes=150)
    first = hall.order(TICKET)
    job = hall.wait_job(first, "UNSURE")
    assert job["why_zh"] == "打印中途断线：请看这张纸是否完整"
    hall.wait_for(hall.printer_row, state="port_missing")
    second = hall.order(slip("政务 B032"))
    hall.printer.do("plug")
    hall.wait_job(second, "PRINTED")
    assert hall.job(first)["state"] == "UNSURE"
    torn, whole = hall.pieces()
    assert "以上若不完整" in torn
    assert whole.splitlines()[0].strip() == "政务 B032"


def test_paper_out_in_mid_slip_prints_the_whole_slip_again_and_marks_it(hall: Hall) -> None:
    hall.start_bridge()
    hall.wait_for(hall.printer_row, state="ready")
    hall.printer.do("slow", bps=9600)
    hall.printer.do("paper_out", after_bytes=200)
    slip_id = hall.order(TICKET)
    hall.wait_for(hall.printer_row, state="paper_out")
    assert hall.wait_job(slip_id, "QUEUED")["attempts"] == 1
    hall.printer.do("slow", bps=0)
    hall.printer.do("paper_in")
    hall.wait_job(slip_id, "PRINTED")
    assert "torn" in hall.pieces()[0]
    assert numbers(hall)[-1] == "补打 政务 B031"


def test_killed_in_mid_slip_it_is_unsure_and_later_slips_print(hall: Hall) -> None:
    hall.start_bridge()
    hall.wait_for(hall.printer_row, state="ready")
    hall.printer.do("slow", bps=1200)
    before = hall.printer.state()["received"]
    first = hall.order(TICKET)
    hall.wait_job(first, "SENDING")
    hall.printer.wait_until(lambda one: one["received"] > before + 120, 8)
    hall.stop_bridge(signal.SIGKILL)
    second = hall.order(slip("政务 B032"))
    hall.printer.do("slow", bps=0)
    hall.start_bridge()
    assert "slip(s) were being printed when we stopped" in "\n".join(hall.log)
    hall.wait_job(second, "PRINTED")
    job = hall.job(first)
    assert (job["state"], job["why_zh"]) == ("UNSURE", "程序在打印中途重启：请看一下这张纸是否完整")
    assert numbers(hall)[-1] == "政务 B032"
    assert numbers(hall).count("政务 B031") <= 1

    hall.verdict(first, "given_up")
    assert hall.wait_job(first, "SETTLED")["why_en"] == "staff: given up"
    hall.verdict(second, "printed")
    third = hall.order(slip("政务 B033"))
    hall.wait_job(third, "PRINTED")
    assert hall.job(second)["state"] == "PRINTED", "a verdict on what is printed changes nothing"


def _begun(hall: Hall, slip_id: int) -> dict[str, Any]:
    return {"begun": hall.job(slip_id).get("state", "QUEUED") != "QUEUED"}


@pytest.mark.long
def test_killed_again_and_again_no_slip_is_lost_and_none_comes_twice(hall: Hall) -> None:
    dice = random.Random(31)
    ordered: list[int] = []
    for _ in range(4):
        hall.start_bridge()
        for _ in range(4):
            ordered.append(hall.order(slip(f"政务 B{len(ordered) + 1:03}")))
        hall.printer.do("slow", bps=19200)
        begun = ordered[-1 - dice.randrange(4)]
        hall.wait_for(functools.partial(_begun, hall, begun), begun=True)
        hall.stop_bridge(signal.SIGKILL)
    hall.printer.do("slow", bps=0)
    hall.start_bridge()
    last = hall.order(slip("政务 B999"))
    hall.wait_job(last, "PRINTED", 15)
    states = {hall.job(slip_id)["state"] for slip_id in ordered}
    assert states <= {"PRINTED", "UNSURE"}
    paper = numbers(hall)
    assert len(paper) == len(set(paper)), "none came out twice"
    for place, slip_id in enumerate(ordered, start=1):
        if hall.job(slip_id)["state"] == "PRINTED":
            assert f"政务 B{place:03}" in paper


def test_a_reprint_is_a_slip_of_its_own_and_says_so(hall: Hall) -> None:
    hall.start_bridge()
    first = hall.order(slip("政务 B001"))
    second = hall.order(slip("政务 B001", copy_of=first))
    hall.wait_job(second, "PRINTED")
    assert numbers(hall) == ["政务 B001", "补打 政务 B001"]


def test_a_technicians_test_slip_comes_through_the_drop_box(hall: Hall) -> None:
    hall.start_bridge()
    box = hall.home / "spool-in"
    box.mkdir()
    dropped = {"v": 1, "slip_id": -1793000000000, "printer": "hall", "body": slip("打印测试")}
    (box / "aside.new").write_text(json.dumps(dropped), encoding="utf-8")
    (box / "aside.new").rename(box / "-1793000000000.json")
    (box / "mistake.json").write_text('{"slip_id": 7}', encoding="utf-8")
    hall.wait_job(-1793000000000, "PRINTED")
    hall.wait_said("mistake.json: 'slip_id' must be a negative whole number, not 7")
    assert sorted(one.name for one in box.iterdir()) == ["mistake.bad"]
    assert numbers(hall, "打印测试") == ["打印测试"]
    kiosks = hall.order(slip("政务 B001"))
    hall.wait_job(kiosks, "PRINTED")


def test_a_printer_that_hall_toml_does_not_have_fails_with_words(hall: Hall) -> None:
    hall.start_bridge()
    slip_id = hall.order(slip("政务 B001"), printer="attic")
    assert hall.wait_job(slip_id, "FAILED")["why_en"] == (
        "hall.toml has no printer 'attic': print it anew on another"
    )


def test_sigterm_ends_it_within_two_seconds_while_the_printer_is_stuck(hall: Hall) -> None:
    hall.start_bridge()
    hall.wait_for(hall.printer_row, state="ready")
    hall.printer.do("silent", after_bytes=100)
    slip_id = hall.order(TICKET)
    hall.wait_job(slip_id, "SENDING")
    assert hall.stop_bridge(signal.SIGTERM) < 2
    assert hall.job(slip_id)["state"] == "SENDING", "the next start makes it UNSURE"


def test_one_stuck_printer_holds_up_no_other_and_no_panel(hall: Hall) -> None:
    from devices.virtual.printer import VirtualPrinter

    file = hall.home / "hall.toml"
    file.write_text(file.read_text() + '\n[[printers]]\nid = "spare"\nport = "virtual"\n', encoding="utf-8")
    spare = VirtualPrinter("spare", hall.home)
    spare.start()
    try:
        hall.printer.do("silent", after_bytes=100)
        hall.start_bridge()
        stuck = hall.order(TICKET)
        hall.wait_job(stuck, "SENDING")
        other = hall.order(slip("物业 C001"), printer="spare")
        hall.wait_job(other, "PRINTED", 2)
        hall.count(12)
        hall.panel.wait_until(lambda one: one["shown"] == "12 green", 2)
        assert hall.job(stuck)["state"] == "SENDING"
    finally:
        spare.stop()


def test_the_kiosk_comes_later_and_its_notebook_is_restored_from_a_backup(hall: Hall) -> None:
    hall.start_bridge()
    hall.wait_for(hall.printer_row, state="ready")
    old = [hall.order(slip(f"政务 B{number:03}")) for number in (1, 2)]
    hall.wait_job(old[-1], "PRINTED")

    # A backup of a moment ago, with an epoch of its own, takes the place of kiosk.db.
    restored = sqlite3.connect(hall.home / "restored.db", isolation_level=None)
    hall.kiosk.connection.backup(restored)
    restored.execute("UPDATE meta SET value = 'another' WHERE key = 'epoch'")
    restored.execute("DELETE FROM slips WHERE slip_id = 2")
    restored.close()
    hall.kiosk.close()
    hall._kiosk = None
    for tail in ("-wal", "-shm"):
        (hall.home / f"kiosk.db{tail}").unlink(missing_ok=True)
    os.replace(hall.home / "restored.db", hall.home / "kiosk.db")

    new = hall.order(slip("政务 B003"))
    assert new == 2, "the numbers of slips begin again where the backup ended"
    hall.wait_for(lambda: hall.job(2), state="PRINTED", created_ms=_created(hall, 2))
    assert numbers(hall) == ["政务 B001", "政务 B002", "政务 B003"]
    assert (hall.job(1)["state"], hall.job(1)["why_en"]) == ("SETTLED", "an old slip, not printed again")


def _created(hall: Hall, slip_id: int) -> int:
    row = hall.kiosk.connection.execute(
        "SELECT created_ms FROM slips WHERE slip_id = ?", (slip_id,)
    ).fetchone()
    return int(row[0])


@pytest.mark.long
def test_a_panel_shows_the_count_again_after_it_was_off(hall: Hall) -> None:
    hall.count(41)
    hall.start_bridge()
    hall.panel.wait_until(lambda one: one["shown"] == "41 green", 5)
    hall.wait_for(hall.panel_row, state="ready", shown="41 green")
    assert hall.panel.face.read_text(encoding="utf-8") == "41 green\n"
    hall.panel.do("silent")
    hall.count(2)
    hall.wait_for(hall.panel_row, state="silent")
    hall.panel.do("talk")
    hall.wait_for(hall.panel_row, state="ready", shown="2 yellow")
    hall.count(0)
    hall.panel.wait_until(lambda one: one["shown"] == "0 red", 5)


def test_paper_numbers_go_on_after_a_restart_of_the_virtual_printer(hall: Hall) -> None:
    from devices.virtual.printer import VirtualPrinter

    hall.start_bridge()
    hall.wait_job(hall.order(slip("政务 B001")), "PRINTED")
    hall.printer.stop()
    hall.printer = VirtualPrinter("hall", hall.home)
    hall.printer.start()
    hall.wait_job(hall.order(slip("政务 B002")), "PRINTED")
    assert sorted(one.name for one in hall.printer.paper_dir.glob("*.txt")) == ["1.txt", "2.txt"]


@pytest.mark.long
def test_a_link_that_leads_elsewhere_is_followed(hall: Hall) -> None:
    """After a crash the old link may lead to somebody else's pseudo-terminal until the new printer lays it anew."""
    real = os.readlink(hall.printer.link)
    foreign, foreign_end = os.openpty()
    hall.printer.link.unlink()
    hall.printer.link.symlink_to(os.ttyname(foreign_end))
    hall.start_bridge()
    hall.wait_said("printer hall: silent")
    hall.printer.link.unlink()
    hall.printer.link.symlink_to(real)
    slip_id = hall.order(slip("政务 B001"))
    hall.wait_job(slip_id, "PRINTED")
    assert numbers(hall) == ["政务 B001"]
    os.close(foreign)
    os.close(foreign_end)


def test_the_bridge_is_small_and_beats(hall: Hall) -> None:
    hall.start_bridge()
    rare = {
        **TICKET,
        "blocks": [{"t": "text", "text": "刘䶮", "size": 2}, {"t": "text", "text": "𠮷野"}, {"t": "cut"}],
    }
    hall.wait_job(hall.order(rare), "PRINTED")
    assert hall.bridge is not None
    status = Path(f"/proc/{hall.bridge.pid}/status").read_text()
    resident_kb = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
    assert resident_kb <= 45 * 1024
    alive = hall._row("SELECT * FROM bridge_alive")
    assert alive["pid"] == hall.bridge.pid
    assert alive["beat_ms"] >= alive["started_ms"] > 0


def test_a_wrong_profile_stops_it_with_the_nearest_name(hall: Hall) -> None:
    file = hall.home / "hall.toml"
    file.write_text(file.read_text().replace("generic80", "generic90"), encoding="utf-8")
    with pytest.raises(TimeoutError, match="unknown profile 'generic90'; did you mean 'generic80'"):
        hall.start_bridge()
    assert hall.bridge is not None
    assert hall.bridge.wait(timeout=5) == 2


def test_every_make_has_a_profile_for_narrow_and_for_wide_paper() -> None:
    by_width: dict[bool, set[str]] = {True: set(), False: set()}
    for profile in load_profiles().values():
        assert profile.dots == profile.columns * 12
        by_width[profile.dots > 500].add(profile.name.split()[0].rstrip(","))
    makes = {"Epson", "Xprinter", "SPRT", "Gprinter"}
    assert by_width == {True: makes | {"80"}, False: makes | {"58"}}

"""Which printer a slip goes to, and what a resident is told of it."""

from __future__ import annotations

import pytest

from devices.plan import Printer
from firmware_bridge.printer_state import WELL, WORDS
from kiosk.rules.paper_words import BY_PRINTER, KEYS, told
from kiosk.rules.routing import printer_for
from kiosk.words import TABLE

HALL, DESK, EAST = Printer("hall"), Printer("desk"), Printer("east", screens=("kiosk-2", "kiosk-3"))
ALL = (HALL, DESK, EAST)


@pytest.mark.parametrize(
    ("window", "screen", "printer"),
    [
        ("", "", "hall"),
        ("", "kiosk-1", "hall"),
        ("", "kiosk-3", "east"),
        ("desk", "kiosk-3", "desk"),
        ("gone", "kiosk-3", "east"),
        ("gone", "", "hall"),
    ],
)
def test_the_windows_printer_then_the_screens_then_the_halls_first(window: str, screen: str, printer: str) -> None:
    assert printer_for(ALL, window=window, screen=screen) == printer


def test_a_hall_without_a_printer_has_none() -> None:
    assert printer_for((), window="desk", screen="kiosk-1") == ""


def test_every_state_but_a_well_or_unknown_one_has_words_for_the_resident() -> None:
    states = set(WORDS) - WELL - {"unknown", "hot", "mute"}
    assert states <= set(BY_PRINTER)
    assert set(TABLE) >= KEYS
    assert all("号码" in TABLE[key][0] for key in BY_PRINTER.values()), "the number stays valid, and is said to"


@pytest.mark.parametrize(
    ("job", "by", "voided", "moved", "printer", "key"),
    [
        ("NONE", "", 0, False, "", "js_paper_none"),
        ("QUEUED", "", 0, False, "ready", "js_paper_coming"),
        ("QUEUED", "", 0, False, "", "js_paper_coming"),
        ("QUEUED", "", 0, False, "paper_out", "js_paper_out"),
        ("QUEUED", "", 1, False, "paper_out", "js_paper_out"),
        ("QUEUED", "", 1, False, "ready", "js_paper_again"),
        ("SENDING", "", 0, False, "ready", "js_paper_coming"),
        ("QUEUED", "", 0, True, "ready", "js_paper_there"),
        ("PRINTED", "process_id", 0, False, "ready", "js_paper_printed"),
        ("PRINTED", "status", 0, True, "ready", "js_paper_printed_there"),
        ("PRINTED", "time", 0, False, "unknown", "js_paper_time"),
        ("UNSURE", "", 0, False, "silent", "js_paper_unsure"),
        ("FAILED", "", 0, False, "ready", "js_paper_broken"),
    ],
)
def test_what_the_resident_is_told(job: str, by: str, voided: int, moved: bool, printer: str, key: str) -> None:
    assert told(job, by, voided, moved, printer) == key

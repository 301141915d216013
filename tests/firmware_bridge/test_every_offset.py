"""A slip is interrupted at its every offset: nothing is confirmed that is not on paper, nothing twice without a mark.

Here some of the offsets, another set for each harm; ``make campaign ARGS=paper`` takes them all, and real processes.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from firmware_bridge.escpos import Picture
from tests.firmware_bridge.held_printer import Trial
from tests.firmware_bridge.paper_hall import slip

#: Every offset is the campaign's; here each so many-th. Prime, so that no pattern of commands hides behind it.
STRIDE = 23


def checkers(text: str, dots_high: int, bold: bool) -> Picture:
    """A drawing without a font."""
    width = dots_high * len(text)
    return Picture(width, (b"\xcc" * -(-width // 8),) * dots_high)


def rare(words: str) -> dict[str, Any]:
    """A slip with a line of dots in it."""
    body = slip(words)
    body["blocks"].insert(1, {"t": "text", "text": "\U00020bb7", "size": 2})
    return body


def long(words: str) -> dict[str, Any]:
    """A guide of some 2,000 bytes: two seconds of the line."""
    body = slip(words)
    lines = [f"{n}. 请带好本人居民身份证和社会保障卡的原件和复印件" for n in range(30)]
    body["blocks"][1:1] = [{"t": "text", "text": line} for line in lines]
    return body


def no_paper(trial: Trial) -> None:
    trial.printer.paper("out")


def new_roll(trial: Trial) -> None:
    trial.printer.paper("in")


HARMS: dict[str, tuple[Callable[[Trial], None], Callable[[Trial], None] | None]] = {
    "power": (lambda trial: trial.printer.cut_power(), None),
    "longer": (lambda trial: trial.printer.cut_power(2500), None),
    "killed, the rest comes": (lambda trial: trial.kill(True), None),
    "killed, the rest is lost": (lambda trial: trial.kill(False), None),
    "paper": (no_paper, new_roll),
}


@pytest.mark.parametrize("harm", HARMS)
@pytest.mark.parametrize(
    ("profile", "baud", "body"),
    [
        ("generic80", 9600, slip),
        ("epson-tm-t82", 9600, slip),
        ("generic80", 19200, rare),
        ("generic80", 9600, long),
        ("epson-tm-t82", 9600, long),
    ],
    ids=["GS r", "GS ( H", "raster", "long, GS r", "long, GS ( H"],
)
def test_whatever_happens_at_whatever_byte(
    tmp_path: Path, profile: str, baud: int, body: Callable[[str], dict[str, Any]], harm: str
) -> None:
    trial = Trial(tmp_path, body, profile=profile, baud=baud, draw=checkers)
    try:
        length = trial.learn()
        stride = STRIDE * (1 if length < 200 else 2 if length < 1000 else 9)
        for offset in range(1 + sum(harm.encode()) % STRIDE, length, stride):
            trial.run(offset, *HARMS[harm])
    finally:
        trial.close()
    assert trial.tally.clean, f"{trial.tally}\n{trial.tally.__dict__}"
    assert trial.tally.offsets > 3
    assert max(trial.tally.again_ms) <= 5000


def test_the_trial_sees_a_printer_that_is_back_too_soon(tmp_path: Path) -> None:
    """No printer is back after 20 ms. One that were would take the rest of a slip for a slip: it must be found."""
    trial = Trial(tmp_path, slip)
    try:
        for offset in range(20, trial.learn() - 8, 9):
            trial.run(offset, lambda one: one.printer.cut_power(20))
    finally:
        trial.close()
    assert trial.tally.false_word or trial.tally.strays

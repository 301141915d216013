"""What a printer says, read whole, byte by byte, and with more behind it."""

from __future__ import annotations

import random

import pytest

from firmware_bridge.answers import LONGEST_BLOCK, Answer, Answers, Block, Paper, RealTime, StatusBack
from firmware_bridge.printer_state import Health

CASES: list[tuple[str, bytes, list[Answer], int]] = [
    ("DLE EOT 1, well", b"\x12", [RealTime(0x12)], 0),
    ("DLE EOT 1, offline", b"\x1a", [RealTime(0x1A)], 0),
    ("DLE EOT 4, no paper", b"\x7e", [RealTime(0x7E)], 0),
    ("answers in one go", b"\x12\x12\x1e", [RealTime(0x12), RealTime(0x12), RealTime(0x1E)], 0),
    ("status back, well", b"\x10\x00\x00\x0f", [StatusBack(b"\x10\x00\x00\x0f")], 0),
    ("status back, cover open", b"\x38\x00\x00\x0f", [StatusBack(b"\x38\x00\x00\x0f")], 0),
    (
        "an answer to DLE EOT within a status frame",
        b"\x10\x00\x12\x0c\x0f",
        [RealTime(0x12), StatusBack(b"\x10\x00\x0c\x0f")],
        0,
    ),
    ("GS r 1, paper there", b"\x00", [Paper(0x00)], 0),
    ("GS r 1, no paper", b"\x0c", [Paper(0x0C)], 0),
    ("a process id", b"\x37\x220007\x00", [Block(0x37, b"\x220007")], 0),
    ("a model's name", b"_TM-T82\x00", [Block(0x5F, b"TM-T82")], 0),
    ("XOFF and XON between answers", b"\x13\x12\x11", [RealTime(0x12)], 0),
    ("junk, then sense", b"\xff\x93\x12", [RealTime(0x12)], 2),
    ("a frame cut off by another", b"\x10\x00\x10\x00\x00\x0f", [StatusBack(b"\x10\x00\x00\x0f")], 2),
    ("a block that lost its end", b'7"00\x12\x12', [RealTime(0x12)], 5),
]


@pytest.mark.parametrize(("name", "data", "expected", "junk"), CASES, ids=[case[0] for case in CASES])
def test_every_case_whole_byte_by_byte_and_with_more_behind(
    name: str, data: bytes, expected: list[Answer], junk: int
) -> None:
    whole = Answers()
    assert whole.feed(data) == expected
    assert whole.junk == junk

    slow = Answers()
    assert [answer for byte in data for answer in slow.feed(bytes([byte]))] == expected
    assert slow.junk == junk

    more = Answers()
    assert more.feed(data + b"\x12\x10\x00\x00\x0f") == [
        *expected,
        RealTime(0x12),
        StatusBack(b"\x10\x00\x00\x0f"),
    ]


def test_a_block_without_end_costs_its_bytes_and_never_the_memory() -> None:
    answers = Answers()
    answers.feed(b"7" + b"a" * 10_000)
    assert answers.junk >= LONGEST_BLOCK
    assert len(answers._block) <= LONGEST_BLOCK
    assert answers.feed(b"\x00\x12")[-1:] == [RealTime(0x12)]


def test_no_noise_on_the_line_does_anything_but_count() -> None:
    noise = random.Random(20261122).randbytes(100_000)
    answers = Answers()
    found = answers.feed(noise)
    assert answers.junk > 0
    assert all(isinstance(one, RealTime | StatusBack | Paper | Block) for one in found)


@pytest.mark.parametrize(
    ("answers", "state"),
    [
        ((0x12, 0x12, 0x12, 0x12), "ready"),
        ((0x12, 0x12, 0x12, 0x1E), "paper_low"),
        ((0x1A, 0x32, 0x12, 0x7E), "paper_out"),
        ((0x1A, 0x16, 0x12, 0x12), "cover_open"),
        ((0x1A, 0x52, 0x1A, 0x12), "cutter_error"),
        ((0x1A, 0x52, 0x16, 0x12), "recoverable"),
        ((0x1A, 0x52, 0x52, 0x12), "recoverable"),
        ((0x1A, 0x56, 0x3A, 0x7E), "unrecoverable"),
        ((0x1A, 0x36, 0x12, 0x7E), "cover_open"),
        ((0x1A, 0x12, 0x12, 0x12), "offline"),
    ],
)
def test_the_state_that_four_answers_tell(answers: tuple[int, ...], state: str) -> None:
    health = Health()
    for question, byte in enumerate(answers, start=1):
        health.hear_real_time(question, byte)
    assert health.state == state


def test_silence_is_never_ready() -> None:
    health = Health()
    assert health.state is None
    for question in (1, 2, 3):
        health.hear_real_time(question, 0x12)
        assert health.state is None, "three good answers of four are not yet a ready printer"


def test_status_back_tells_paper_cover_and_errors() -> None:
    for frame, state in (
        (b"\x10\x00\x00\x0f", "ready"),
        (b"\x10\x00\x03\x0f", "paper_low"),
        (b"\x18\x00\x0f\x0f", "paper_out"),
        (b"\x38\x00\x00\x0f", "cover_open"),
        (b"\x18\x08\x00\x0f", "cutter_error"),
        (b"\x18\x04\x00\x0f", "recoverable"),
        (b"\x18\x40\x00\x0f", "recoverable"),
        (b"\x18\x20\x00\x0f", "unrecoverable"),
        (b"\x18\x00\x00\x0f", "offline"),
    ):
        health = Health()
        health.hear_status_back(StatusBack(frame))
        assert health.state == state

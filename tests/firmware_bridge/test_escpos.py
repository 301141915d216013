"""Slips as bytes and as text: golden files, limits, and what is refused with words.

``golden/<slip>.<profile>.hex`` are the bytes, ``.txt`` what an independent decoder puts on paper. After a wanted
change:
``python -m tests.firmware_bridge.test_escpos`` writes them anew; read the difference before you keep it.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from devices.faults import SlipFault
from devices.virtual.paper import Decoder, Piece
from firmware_bridge import escpos
from firmware_bridge.escpos import (
    ASK_STATUS,
    TELL_ALL,
    Picture,
    completion_mark,
    mend,
    process_id,
    render,
    wake,
)
from firmware_bridge.profiles import Profile, load_profiles
from tests.firmware_bridge.paper_hall import TICKET

GOLDEN = Path(__file__).with_name("golden")
PROFILES = load_profiles()


def with_blocks(*blocks: dict[str, Any]) -> dict[str, Any]:
    return {"v": 1, "kind": "test", "title": "", "copy_of": None, "blocks": list(blocks)}


def checkers(text: str, dots_high: int, bold: bool) -> Picture:
    """Draws every character as a chequered square: a drawing that needs no font."""
    width = dots_high * len(text)
    row = (b"\xaa" if bold else b"\xcc") * (-(-width // 8))
    return Picture(width, (row,) * dots_high)


RARE = with_blocks(
    {"t": "text", "text": "办事人：刘䶮、𠮷野"},
    {"t": "text", "text": "刘䶮", "size": 2, "align": "center"},
    {"t": "pair", "left": "姓名 Name", "right": "㛃 女士"},
    {"t": "cut"},
)

SLIPS: list[tuple[str, str, dict[str, Any]]] = [
    ("ticket", "generic80", TICKET),
    ("ticket", "generic58", TICKET),
    ("ticket", "epson-tm-t82", TICKET),
    ("ticket", "sprt", TICKET),
    ("reprint", "generic80", {**TICKET, "copy_of": 17}),
    ("rare", "generic80", RARE),
]


def ink(body: dict[str, Any], profile: Profile, copy_: bool = False) -> escpos.Ink:
    return render(body, profile, completion_mark(profile, process_id(7)), checkers, copy_)


def on_paper(raw: bytes, profile: Profile) -> tuple[list[Piece], bytes]:
    """The pieces of paper, and what the printer answered."""
    pieces: list[Piece] = []
    said = bytearray()
    decoder = Decoder(said.extend, pieces.append, profile.dots)
    for byte in raw:
        decoder.feed(byte)
    decoder.tear()
    return pieces, bytes(said)


@pytest.mark.parametrize(("name", "profile", "body"), SLIPS, ids=[f"{n}.{p}" for n, p, _ in SLIPS])
def test_golden(name: str, profile: str, body: dict[str, Any]) -> None:
    raw = ink(body, PROFILES[profile]).raw
    assert raw.hex(" ", 1) == (GOLDEN / f"{name}.{profile}.hex").read_text().replace("\n", " ").strip()
    pieces, _ = on_paper(raw, PROFILES[profile])
    text = "".join(piece.text(PROFILES[profile].dots) for piece in pieces)
    assert text == (GOLDEN / f"{name}.{profile}.txt").read_text(encoding="utf-8")
    assert all(piece.unknown == [] and piece.overflows == 0 for piece in pieces)


@pytest.mark.parametrize("profile", list(PROFILES))
def test_a_typical_ticket_takes_at_most_600_bytes(profile: str) -> None:
    """600 bytes are 0.63 s at 9600 baud."""
    assert len(ink(TICKET, PROFILES[profile]).raw) <= 600


def test_chinese_mode_is_switched_on_before_and_off_after_the_text() -> None:
    raw = ink(TICKET, PROFILES["generic80"]).raw
    first = raw.index("示例".encode("gbk"))
    assert raw.index(b"\x1c&") < first < raw.rindex(b"\x1c.")
    assert raw.endswith(b"\x1c.\x1dr\x01\x1dr\x01")


def test_where_fs_holds_from_the_next_line_that_line_takes_no_paper() -> None:
    raw = ink(TICKET, PROFILES["sprt"]).raw
    assert b"\x1c&\x1b3\x00\n\x1b2" in raw
    (piece,), _ = on_paper(raw, PROFILES["sprt"])
    (plain,), _ = on_paper(ink(TICKET, PROFILES["generic80"]).raw, PROFILES["generic80"])
    assert sum(line.advance for line in piece.lines) == sum(line.advance for line in plain.lines)


def test_the_printer_says_done_with_our_number_and_only_after_the_cut() -> None:
    profile = PROFILES["epson-tm-t82"]
    raw = ink(TICKET, profile).raw
    assert raw.endswith(b"\x1dVB\x00\x1c.\x1d(H\x06\x0000" + b"0007")
    _, said = on_paper(raw, profile)
    assert said == b"\x10\x00\x00\x0f" + b"\x37\x220007\x00"


def test_process_ids_ascend() -> None:
    ids = [process_id(number) for number in (1, 9, 10, 35, 36, 37, 1295, 1296, 36**4 - 1)]
    assert ids == sorted(ids) == ["0001", "0009", "000A", "000Z", "0010", "0011", "00ZZ", "0100", "ZZZZ"]
    assert process_id(36**4) == "0000"


def test_a_reprint_says_so_at_its_head() -> None:
    profile = PROFILES["generic80"]
    for raw in (ink(TICKET, profile, copy_=True).raw, ink({**TICKET, "copy_of": 17}, profile).raw):
        (piece, *_), _ = on_paper(raw, profile)
        assert piece.text().splitlines()[0].strip() == "补打 REPRINT"


def test_the_qr_code_on_paper_holds_the_slips_words_and_has_its_quiet_zone() -> None:
    (piece, *_), _ = on_paper(ink(TICKET, PROFILES["generic80"]).raw, PROFILES["generic80"])
    assert piece.qr_codes == ["http://192.168.1.10:8000/t/Jx8dkQ2mPz4vB7wN"]
    place = next(number for number, line in enumerate(piece.lines) if any(one.qr for one in line.inks))
    assert piece.lines[place].align == 1
    assert piece.lines[place - 1].inks == ()
    assert piece.lines[place - 1].advance == 24, "four modules of six dots"


def test_drawn_characters_never_spell_a_real_time_command() -> None:
    """A printer looks for DLE EOT, DLE ENQ and DLE DC4 even within the dots of a picture."""

    def spiteful(text: str, dots_high: int, bold: bool) -> Picture:
        return Picture(dots_high, tuple(b"\x10\x04\x10" for _ in range(dots_high)))

    for size in (1, 2):
        raw = render(
            with_blocks({"t": "text", "text": "䶮", "size": size}), PROFILES["generic80"], b"", spiteful
        ).raw
        assert not any(b"\x10" + bytes([second]) in raw for second in (0x04, 0x05, 0x14))


def test_what_cannot_be_drawn_is_a_visible_mark_and_never_a_question_mark() -> None:
    made = render(RARE, PROFILES["generic80"], b"")
    assert made.missing == "䶮𠮷㛃"
    pieces, _ = on_paper(made.raw, PROFILES["generic80"])
    assert pieces[0].text().splitlines()[0] == "办事人：刘〓、〓野"
    assert b"?" not in made.raw


def test_points_of_a_list_hang() -> None:
    text = "1. 居民身份证\n□ 他人代办的，还要代办人的身份证和本人签名的委托书"
    narrow = PROFILES["generic58"]
    pieces, _ = on_paper(ink(with_blocks({"t": "text", "text": text}), narrow).raw, narrow)
    assert pieces[0].text(384).splitlines()[:3] == [
        "1. 居民身份证",
        "□ 他人代办的，还要代办人的身份",
        "   证和本人签名的委托书",
    ]


def test_pairs_keep_to_both_edges_and_break_where_they_must() -> None:
    body = with_blocks(
        {"t": "pair", "left": "前面等候", "right": "3 人"},
        {"t": "pair", "left": "办理地点", "right": "三楼社会保障与医疗保障综合服务区一号至六号窗口"},
        {"t": "pair", "left": "一" * 40, "right": "二" * 40},
        {"t": "pair", "left": "", "right": ""},
    )
    pieces, _ = on_paper(ink(body, PROFILES["generic58"]).raw, PROFILES["generic58"])
    assert all(line.width <= 384 for line in pieces[0].lines)
    assert pieces[0].overflows == 0
    assert pieces[0].text(384).splitlines()[0] == "前面等候" + " " * 20 + "3 人"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({}, "slip: 'blocks' must be a list with at least one block"),
        ({"blocks": []}, "slip: 'blocks' must be a list with at least one block"),
        ({"blocks": [{"t": "cut"}] * 201}, "slip: 201 blocks; 200 are the most"),
        ({"blocks": ["cut"]}, "slip: block 1: must be an object, not 'cut'"),
        (
            {"blocks": [{"t": "cut"}, {"t": "picture"}]},
            "slip: block 2: unknown kind 'picture'; known: text, pair, rule, feed, qr, cut",
        ),
        ({"blocks": [{"t": "text"}]}, "slip: block 1: 'text' must be a text, not None"),
        (
            {"blocks": [{"t": "text", "text": "a" * 2001}]},
            "slip: block 1: 'text' has 2001 characters; 2000 are the most",
        ),
        (
            {"blocks": [{"t": "text", "text": "a", "size": 4}]},
            "slip: block 1: 'size' must be a whole number from 1 to 3, not 4",
        ),
        (
            {"blocks": [{"t": "text", "text": "a", "size": True}]},
            "slip: block 1: 'size' must be a whole number from 1 to 3, not True",
        ),
        (
            {"blocks": [{"t": "text", "text": "a", "align": ["left"]}]},
            "slip: block 1: 'align' must be one of left, center, right, not ['left']",
        ),
        (
            {"blocks": [{"t": "qr", "data": ""}]},
            "slip: block 1: a QR code holds 1 to 300 bytes on one line, not 0",
        ),
        (
            {"blocks": [{"t": "text", "text": "中" * 2000}] * 10},
            "slip: longer than 16384 bytes after block 5",
        ),
    ],
)
def test_a_bad_slip_is_refused_with_words(body: dict[str, Any], why: str) -> None:
    with pytest.raises(SlipFault) as refused:
        render(body, PROFILES["generic80"], b"")
    assert str(refused.value) == why


def test_rendering_changes_nothing_in_the_slip() -> None:
    before = copy.deepcopy(TICKET)
    ink(TICKET, PROFILES["generic80"])
    assert before == TICKET


@pytest.mark.slow
@pytest.mark.parametrize(
    ("profile", "body"), [("epson-tm-t82", TICKET), ("generic80", RARE)], ids=["ticket", "rare characters"]
)
@pytest.mark.long
def test_after_a_cut_at_any_byte_the_next_slip_is_whole(profile: str, body: dict[str, Any]) -> None:
    """The printer hears the first n bytes of a slip, and then, after the mending, another slip.

    Every third n: neither a character nor a row of dots has three bytes. test_every_offset.py takes each.
    """
    chosen = PROFILES[profile]
    made = ink(body, chosen)
    whole, _ = on_paper(made.raw, chosen)
    wanted = whole[0].text()
    for cut_at in range(0, len(made.raw), 3):
        # The line is opened anew, the printer is asked how it is, and then the next slip comes.
        asked = wake(made.longest_block) + TELL_ALL + b"".join(ASK_STATUS.values()) * 2
        pieces, _ = on_paper(made.raw[:cut_at] + asked + mend(made.longest_block, chosen) + made.raw, chosen)
        assert pieces[-1].text() == wanted, f"cut after {cut_at} bytes"
        assert pieces[-1].unknown == []
        torn = pieces[-2].text()
        assert torn == wanted or "以上若不完整" in torn
        assert pieces[-2].overflows == 0


if __name__ == "__main__":
    for one, model, what in SLIPS:
        bytes_of = ink(what, PROFILES[model]).raw
        lines = [bytes_of[at : at + 32].hex(" ") for at in range(0, len(bytes_of), 32)]
        (GOLDEN / f"{one}.{model}.hex").write_text("\n".join(lines) + "\n")
        paper, _ = on_paper(bytes_of, PROFILES[model])
        words = "".join(piece.text(PROFILES[model].dots) for piece in paper)
        (GOLDEN / f"{one}.{model}.txt").write_text(words, encoding="utf-8")

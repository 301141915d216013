"""Thirty characters of real names that no ticket printer knows: each is drawn, and looks like itself."""

from __future__ import annotations

import pytest

from devices.virtual.paper import Decoder, Piece
from firmware_bridge.escpos import render
from firmware_bridge.glyphs import FONT_FILES, draw
from firmware_bridge.lettering import sign
from firmware_bridge.profiles import load_profiles
from tests.firmware_bridge.printed import printed

#: Level three of the Table of General Standard Chinese Characters (通用规范汉字表, State Council 2013), which was
#: drawn up from what people and places are really called, has 1,605 characters; these of it are in no GBK printer.
#: Extension A: 䶮 as in 刘䶮, 㛃 and 㛚 in given names, 㙍 and 㭎 in place names …
EXTENSION_A = "䶮㛃㛚㛹㙍㙘㑇㑊㫰㬎㭎㮾㳘㵐㻬䓨䓫䜣䝙䢺"
#: … Extension B: 𣲗 and 𣸣 are rivers, 𨱏 a chemical element; 𠮷 is how many of the name 吉 write it, and the test of
#: every system that says it can print names.
EXTENSION_B = "𣗋𣲗𣸣𤧛𤩽𥔲𥖨𦰡𨱏𠮷"
RARE = EXTENSION_A + EXTENSION_B


def test_there_are_thirty_and_gbk_has_none_of_them() -> None:
    assert len(RARE) == len(set(RARE)) == 30
    assert all("\u3400" <= one <= "\u4dbf" for one in EXTENSION_A)
    assert all("\U00020000" <= one <= "\U0002a6df" for one in EXTENSION_B)
    assert all(not sign(one, "gbk").raw for one in RARE)
    assert all(sign(one, "gb18030").raw for one in EXTENSION_A), "a GB18030 printer has its own type for these"
    assert all(not sign(one, "gb18030").raw for one in EXTENSION_B), "and none for these, though they have a code"


@pytest.mark.parametrize("character", RARE)
def test_each_is_drawn_within_its_cell(character: str) -> None:
    picture = draw(character, 24, bold=False)
    assert picture is not None, "fonts-noto-cjk is installed by `make test`"
    assert (picture.width_dots, len(picture.rows)) == (24, 24)
    black = sum(int.from_bytes(row, "big").bit_count() for row in picture.rows)
    assert 60 < black < 350, "neither an empty cell nor a black box"
    # A box for "missing" has its ink on its edges; a character has most of it inside.
    inside = sum((int.from_bytes(row, "big") >> 4 & 0xFFFF).bit_count() for row in picture.rows[4:20])
    assert inside > black / 3


def test_they_are_thirty_different_pictures_and_none_is_the_fonts_mark_for_missing() -> None:
    from PIL import ImageFont

    pictures = {draw(one, 24, bold=False) for one in RARE}
    assert len(pictures) == 30
    font = ImageFont.truetype(FONT_FILES[0], 24, index=2)
    tofu = bytes(font.getmask("\uffff"))
    assert all(bytes(font.getmask(one)) != tofu for one in RARE)


def test_on_a_gbk_printer_they_stand_in_their_line_among_letters_and_cost_77_bytes_each() -> None:
    profile = load_profiles()["generic58"]
    for start in range(0, 30, 10):
        body = {"blocks": [{"t": "text", "text": f"姓名：{RARE[start : start + 10]}"}, {"t": "cut"}]}
        made = render(body, profile, b"", draw)
        (piece, *_) = printed(made.raw, profile)
        assert (made.missing, piece.overflows, piece.unknown) == ("", 0, [])
        assert piece.text(384).splitlines()[0] == "姓名：" + "▒" * 10
        assert [one.width for one in piece.lines[0].inks] == [24] * 13, "each exactly as wide as its cell"
        assert made.raw.count(b"\x1b*\x21\x18\x00") == 10


def test_a_whole_line_of_them_at_size_3_stays_under_a_kilobyte_and_a_half() -> None:
    profile = load_profiles()["generic80"]
    body = {"blocks": [{"t": "text", "text": RARE[:8], "size": 3, "align": "center"}, {"t": "cut"}]}
    made = render(body, profile, b"", draw)
    (piece,) = printed(made.raw, profile)
    assert piece.overflows == 0
    assert piece.lines[0].width == 576
    assert len(made.raw) < 1400


def test_what_no_font_has_is_said_to_be_missing() -> None:
    assert draw("\U000e0041", 24, bold=False) is None
    assert draw("\uffff", 24, bold=False) is None


@pytest.mark.parametrize("size", [1, 2, 3])
def test_a_rare_name_reaches_the_paper_dot_by_dot(size: int) -> None:
    body = {"blocks": [{"t": "text", "text": "刘䶮", "size": size}, {"t": "cut"}]}
    pieces: list[Piece] = []
    decoder = Decoder(lambda answer: None, pieces.append)
    made = render(body, load_profiles()["generic80"], b"", draw)
    for byte in made.raw:
        decoder.feed(byte)
    assert made.missing == ""
    assert pieces[0].unknown == []
    drawn = next(ink for line in pieces[0].lines for ink in line.inks if ink.rows)
    # Within a line dot by dot; a big line is drawn at half its size, and the printer doubles each dot.
    wanted = draw("䶮", 24, bold=False) if size == 1 else draw("刘䶮", 12 * size, bold=False)
    assert wanted is not None
    times = 1 if size == 1 else 2
    dots = [
        [row[x // 8] >> (7 - x % 8) & 1 for x in range(wanted.width_dots) for _ in range(times)]
        for row in wanted.rows
        for _ in range(times)
    ]
    assert [list(row[: wanted.width_dots * times]) for row in drawn.rows] == dots
    assert wanted.width_dots * times == 24 * size * (1 if size == 1 else 2), "exactly as wide as its cells"

"""Thirty characters of real names that no ticket printer knows: each is drawn, and looks like itself."""

from __future__ import annotations

import pytest

from devices.virtual.paper import Decoder, Piece
from firmware_bridge.escpos import render
from firmware_bridge.glyphs import draw
from firmware_bridge.lettering import sign
from firmware_bridge.profiles import load_profiles

#: From lists of names that registries had to draw by hand: Extension A, then Extension B.
RARE = "䶮㛃㙍㛚㜣㝬㠭㭎㬎㫰㴝㵆䒟䓨䓫䘵䜣䝙䢺𠮷𡈽𠅤𡧛𣇉𣗋𣚺𤇾𤩽𥔲𨱏"


def test_there_are_thirty_and_gbk_has_none_of_them() -> None:
    assert len(RARE) == len(set(RARE)) == 30
    assert all(not sign(one, "gbk").raw for one in RARE)


@pytest.mark.parametrize("character", RARE)
def test_each_is_drawn_within_its_cell(character: str) -> None:
    picture = draw(character, 24, bold=False)
    assert picture is not None, "fonts-noto-cjk is installed by `make test`"
    assert (picture.width_dots, len(picture.rows)) == (24, 24)
    black = sum(int.from_bytes(row, "big").bit_count() for row in picture.rows)
    assert 40 < black < 450, "neither an empty cell nor a black box"


def test_they_are_thirty_different_pictures() -> None:
    assert len({draw(one, 24, bold=False) for one in RARE}) == 30


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

"""What a character becomes and how wide it is: every cell of GBK, rare names, and text that wants to be a command."""

from __future__ import annotations

import pytest

from devices.virtual.paper import Decoder, Piece
from firmware_bridge.escpos import ASK_PAPER, render
from firmware_bridge.lettering import clean, sign, width, wrap
from firmware_bridge.profiles import load_profiles

PROFILES = load_profiles()


def gbk_cells() -> list[str]:
    """All characters that Python's gbk codec has in two bytes."""
    cells = []
    for lead in range(0x81, 0xFF):
        for trail in range(0x40, 0xFF):
            try:
                cells.append(bytes([lead, trail]).decode("gbk"))
            except UnicodeDecodeError:
                continue
    return cells


def on_paper(body: dict[str, object], profile: str = "generic80") -> Piece:
    """The slip as the virtual printer's own decoder puts it on paper."""
    pieces: list[Piece] = []
    chosen = PROFILES[profile]
    decoder = Decoder(lambda answer: None, pieces.append, chosen.dots)
    for byte in render(body, chosen, ASK_PAPER).raw + b"\x1dVB\x00":
        decoder.feed(byte)
    return pieces[0]


def test_all_21791_cells_of_gbk_reach_the_paper_as_themselves() -> None:
    cells = gbk_cells()
    assert len(cells) == 21_791
    for start in range(0, len(cells), 2000):
        text = "".join(cells[start : start + 2000])
        piece = on_paper({"blocks": [{"t": "text", "text": text}]})
        printed = "".join(ink.text for line in piece.lines for ink in line.inks)
        assert printed.replace(" ", "") == text.replace(" ", "")
        assert "?" not in printed
        assert printed.count("〓") == text.count("〓")
        assert piece.overflows == 0
        assert piece.unknown == []
        assert max(line.width for line in piece.lines) <= 576


@pytest.mark.parametrize("columns", [16, 21, 24, 32, 48])
def test_no_line_is_ever_wider_than_its_columns(columns: int) -> None:
    text = (
        "请带好：本人居民身份证（正反面）、ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123，3 张。"
        * 3
    )
    lines = wrap(clean(text), columns, "gbk")
    assert max(width(line) for line in lines) <= columns
    whole = "".join(one.text for line in lines for one in line)
    assert whole.replace(" ", "") == text.replace(" ", "")


def test_a_line_neither_begins_with_a_closing_mark_nor_ends_with_an_opening_one() -> None:
    text = "一二三四五六七（八九）十，一二三四五六《七八》九十。一二三四五六七八九、十"
    for columns in range(10, 30):
        lines = ["".join(one.text for one in line) for line in wrap(text, columns, "gbk")]
        assert not any(line[0] in "，。、）》" for line in lines), lines
        assert not any(line[-1] in "（《" for line in lines), lines


def test_a_word_of_letters_is_kept_whole() -> None:
    lines = [
        "".join(one.text for one in line) for line in wrap("Bring your resident identity card", 16, "gbk")
    ]
    assert lines == ["Bring your", "resident", "identity card"]


@pytest.mark.parametrize(
    ("character", "encoding", "raw", "columns"),
    [
        ("A", "gbk", b"A", 1),
        ("中", "gbk", b"\xd6\xd0", 2),
        ("〇", "gbk", b"\xa9\x96", 2),
        ("：", "gbk", b"\xa3\xba", 2),
        ("①", "gbk", b"\xa2\xd9", 2),
        ("é", "gbk", b"\xa8\xa6", 2),
        ("龘", "gb2312", b"", 2),
        ("䶮", "gbk", b"", 2),
        ("䶮", "gb18030", b"\xfe\x9f", 2),
        ("㛃", "gb18030", "㛃".encode("gb18030"), 2),
        ("𠮷", "gb18030", b"", 2),
        ("ñ", "gbk", b"", 1),
        ("😀", "gb18030", b"", 2),
    ],
)
def test_what_a_character_becomes(character: str, encoding: str, raw: bytes, columns: int) -> None:
    one = sign(character, encoding)
    assert (one.raw, one.columns) == (raw, columns)


def test_nobody_injects_a_command_through_a_name() -> None:
    evil = "张\x1b@三\x1d\x56\x00\x10\x04\x01四\x1c.\x00\u202e\u200b\ud800五\x07"
    assert clean(evil) == "张@三V四.五"
    raw = render({"blocks": [{"t": "text", "text": evil}]}, PROFILES["generic80"], b"").raw
    body = raw.removeprefix(b"\x1b@\x1da\xff\x1bR\x00\x1c&").removesuffix(b"\x1c.")
    assert body == "张@三V四.五".encode("gbk") + b"\n"


def test_the_same_sign_under_another_number() -> None:
    assert clean("¥12\u00a0元 • a\u2212b e\u0301\r\n二") == "￥12 元 · a-b é\n二"

"""What a character becomes and how wide it is: every cell of GBK, rare names, and text that wants to be a command."""

from __future__ import annotations

import pytest

from firmware_bridge.escpos import render
from firmware_bridge.lettering import balance, clean, sign, width, wrap
from firmware_bridge.profiles import load_profiles
from tests.firmware_bridge.printed import printed
from tests.firmware_bridge.tokens import tokens

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


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "size"),
    [("generic58", 1), ("generic80", 1), ("epson-tm-t82", 1), ("sprt", 1), ("generic58", 2), ("generic80", 3)],
)
def test_all_21791_cells_of_gbk_reach_the_paper_as_themselves(name: str, size: int) -> None:
    """Read twice, by readers that share nothing: the virtual printer, and a strict one that knows only our commands."""
    cells = gbk_cells()
    assert len(cells) == len(set(cells)) == 21_791
    profile = PROFILES[name]
    for start in range(0, len(cells), 2000):
        text = "".join(cells[start : start + 2000])
        raw = render({"blocks": [{"t": "text", "text": text, "size": size}, {"t": "cut"}]}, profile, b"").raw
        (piece,) = printed(raw, profile)
        on_paper = "".join(ink.text for line in piece.lines for ink in line.inks)
        assert on_paper.replace(" ", "") == text.replace(" ", "")
        assert (piece.overflows, piece.unknown) == (0, [])
        assert max(line.width for line in piece.lines) <= profile.dots
        sent = "".join(one.data.decode(profile.encoding) for one in tokens(raw, profile.encoding) if one.name == "text")
        assert sent.replace(" ", "") == text.replace(" ", "")
        assert "?" not in sent


def test_gb2312_has_its_own_6763_characters_dash_and_dot_and_nothing_of_gbk() -> None:
    """Of the 21,791 cells a GB2312 printer knows 7,445 (6,763 Han and 682 signs); the rest must be drawn."""
    known = [one for one in gbk_cells() if sign(one, "gb2312").raw]
    assert len(known) == 7445
    assert sum("\u4e00" <= one <= "\u9fff" for one in known) == 6763
    assert sign("—", "gb2312").raw == b"\xa1\xaa"
    assert sign("·", "gb2312").raw == b"\xa1\xa4"
    assert sign("镕", "gb2312").raw == b""


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


def test_lines_in_the_middle_are_about_equally_long_and_part_no_word_for_it() -> None:
    text = "Environment and fire-safety hazards"
    lines = ["".join(one.text for one in line) for line in balance(text, 16, "gbk")]
    assert lines == ["Environment", "and fire-", "safety hazards"]
    even = balance("群众诉求与来访登记和别的事", 24, "gbk")
    assert [len(line) for line in even] == [7, 6]


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

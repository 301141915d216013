"""Whatever a name, a note or a menu holds: the printer gets letters and our own commands, and no line is too long.

Hypothesis makes the texts; two readers that share nothing read the bytes: ``tokens.py`` (strict) and the virtual
printer (as wide as its paper).
"""

from __future__ import annotations

import unicodedata
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.faults import SlipFault
from firmware_bridge.escpos import Picture, completion_mark, process_id, render
from firmware_bridge.lettering import clean, sign, width, wrap
from firmware_bridge.profiles import Profile, load_profiles
from tests.firmware_bridge.printed import printed
from tests.firmware_bridge.tokens import Alien, tokens

PROFILES = load_profiles()

#: What somebody who means harm would write: whole commands, their beginnings, and what hides them.
SPITE = [
    "\x1b@", "\x1dV\x00", "\x1c.", "\x10\x04\x01", "\x10\x05\x02", "\x10\x14\x08\x01\x03\x14\x01\x06\x02\x08",
    "\x1b", "\x1d(", "\x00", "\x7f", "\x9b", "\u202e", "\u2066", "\u200b", "\u200d", "\ufeff", "\u2028", "\ud800",
    "\U000e0041", "\ufe0f", "\u0301", "\u20e3", "\x85", "\x0c", "\r", "\t",
]  # fmt: skip
PEOPLE = [
    "刘䶮", "㛃", "𠮷野", "😀", "👨\u200d👩\u200d👧", "🇨🇳", "👍🏽", "é", "e\u0301", "ñ", "か\u3099", "ｱ", "￥", "¥",
    "א", "س", "ไ", "한",
]  # fmt: skip
WORDS = ["（", "）", "，", "。", "……", "——", "12", "3 张", "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdefghijklm", "\n"]
TEXT = st.lists(
    st.one_of(
        st.sampled_from(SPITE + PEOPLE + WORDS),
        st.text(alphabet=st.characters(), max_size=8),
        st.text(alphabet=st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), max_size=16),
    ),
    max_size=8,
).map("".join)

BLOCK = st.one_of(
    st.fixed_dictionaries(
        {
            "t": st.just("text"),
            "text": TEXT,
            "size": st.integers(1, 3),
            "align": st.sampled_from(["left", "center", "right"]),
            "bold": st.booleans(),
        }
    ),
    st.fixed_dictionaries({"t": st.just("pair"), "left": TEXT, "right": TEXT}),
    st.fixed_dictionaries({"t": st.just("feed"), "lines": st.integers(1, 20)}),
    st.sampled_from([{"t": "rule"}, {"t": "cut"}, {"t": "qr", "data": "http://192.168.1.10/t/AbCdEfGhIjKlMnOp"}]),
)
PROFILE = st.sampled_from([*PROFILES.values()])


def dotted(text: str, dots_high: int, bold: bool) -> Picture | None:
    """Draws what a font would; knows no emoji and nothing from right to left, as Noto Sans CJK knows none."""
    if any(0x1F000 <= ord(one) < 0x20000 or unicodedata.bidirectional(one) in ("R", "AL") for one in text):
        return None
    cells = sum(2 if unicodedata.east_asian_width(one) in ("W", "F", "A") else 1 for one in text)
    dots = cells * dots_high // 2
    return Picture(dots, (b"\x10\x04" * (dots // 16 + 1),) * dots_high)


def slip(blocks: list[dict[str, Any]]) -> dict[str, Any]:
    return {"v": 1, "kind": "receipt", "title": "", "copy_of": None, "blocks": blocks}


@settings(max_examples=80, deadline=None)
@given(st.lists(BLOCK, min_size=1, max_size=4), PROFILE)
def test_no_text_can_command_the_printer_or_leave_the_paper(blocks: list[dict[str, Any]], profile: Profile) -> None:
    with suppress(SlipFault):  # longer than a slip may be: nothing is sent at all
        made = render(slip(blocks), profile, completion_mark(profile, process_id(7)), dotted)
        hold(made.raw, blocks, profile)


def hold(raw: bytes, blocks: list[dict[str, Any]], profile: Profile) -> None:
    read = tokens(raw, profile.encoding)
    kinds = [one.name for one in read]
    cuts = sum(block["t"] == "cut" for block in blocks)
    assert [kinds.count(once) for once in ("reset", "status back", "kanji on", "kanji off")] == [1, 1, 1, 1]
    if profile.cutter != "none":
        assert kinds.count("cut") == cuts
    assert kinds.count("paper?") + kinds.count("done?") == (1 if profile.has_process_id else 2)
    # DLE begins what a printer obeys at once, wherever it stands, in dots as well.
    assert not any(b"\x10" + bytes([second]) in raw for second in (0x04, 0x05, 0x14))
    for piece in printed(raw, profile):
        assert (piece.overflows, piece.unknown) == (0, [])
        assert all(line.width <= profile.dots for line in piece.lines)


@settings(max_examples=50, deadline=None)
@given(TEXT, PROFILE, st.integers(1, 3))
def test_every_letter_that_the_printer_knows_comes_out_in_its_order(text: str, profile: Profile, size: int) -> None:
    raw = render(slip([{"t": "text", "text": text, "size": size}, {"t": "cut"}]), profile, b"").raw
    wanted = [one for one in clean(text) if one not in " \n\u3000"]
    cells = [sign(one, profile.encoding) for one in wanted]
    known = [cell.text if cell.raw else "_〓"[cell.columns - 1] for cell in cells]
    read = "".join(one.data.decode(profile.encoding) for one in tokens(raw, profile.encoding) if one.name == "text")
    assert read.replace(" ", "").replace("\u3000", "") == "".join(known)


@settings(max_examples=50, deadline=None)
@given(TEXT, st.integers(8, 48), st.sampled_from(["gb2312", "gbk", "gb18030"]))
def test_a_wrapped_line_is_never_wider_and_nothing_is_lost(text: str, columns: int, encoding: str) -> None:
    lines = wrap(clean(text), columns, encoding)
    assert all(width(line) <= columns for line in lines)
    assert "".join(one.text for line in lines for one in line).replace(" ", "") == clean(text).replace(" ", "").replace(
        "\n", ""
    )


@given(st.text(alphabet="一二三四五六七八九十", min_size=3, max_size=9), st.integers(10, 30))
def test_marks_stay_with_their_words(word: str, columns: int) -> None:
    """Closing marks never begin a line, opening ones never end one, and a dash of two is never halved."""
    lines = wrap(f"（{word}）" * 4 + f"{word}——{word}……" * 3 + f"“{word}”，" * 3, columns, "gbk")
    texts = ["".join(one.text for one in line) for line in lines]
    assert not any(text[0] in "）”，…—" for text in texts), texts
    assert not any(text[-1] in "（“" for text in texts), texts


@pytest.mark.parametrize(
    ("typed", "stands"),
    [
        ("👨‍👩‍👧 一家", "〓〓〓 一家"),
        ("🇨🇳 OK 👍🏽", "CN OK 〓"),
        ("e\u0301 か\u3099 q\u0304", "é が q"),
        ("don’t ‘x’", "don't ‘x’"),
        ("שלום", "____"),
        ("一\u202e二\u2066三", "一二三"),
        ("a\tb\r\nc\x0cd\x85e", "a b\ncde"),
        ("\ue000", "〓"),
    ],
)
def test_what_stands_on_paper_for_what_no_printer_has(typed: str, stands: str) -> None:
    profile = PROFILES["generic80"]
    raw = render(slip([{"t": "text", "text": typed}]), profile, b"").raw
    read = tokens(raw, "gbk")
    text = "".join("\n" if one.name == "line" else one.data.decode("gbk") for one in read[4:-1])
    assert text.removesuffix("\n") == stands


@pytest.mark.parametrize(
    "alien", [b"\x1bp\x00", b"\x10\x04\x01", b"\x1dV\x07", b"\x00", b"\xd6", b"\x1c&\xd6\x20", b"\x7f"]
)
def test_the_strict_reader_takes_nothing_else(alien: bytes) -> None:
    with pytest.raises((Alien, IndexError)):
        tokens(alien, "gbk")

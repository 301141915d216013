"""The first letters of a name's pinyin ("张奶奶" → "znn"), for finding it by three keys. Pure, no dictionary.

The first level of GB 2312 (3,755 signs, 99.7 % of running text) is sorted by pinyin, so a sign's code tells its letter:
the table is where each letter begins. A sign of two readings has the one that the standard chose (曾 c, 单 d); one
beyond the first level has none and is left out.
"""

from __future__ import annotations

from bisect import bisect_right

#: letter → the first code of GB 2312 whose pinyin begins with it; the last is where the first level ends.
_BEGINS = (
    (0xB0A1, "a"), (0xB0C5, "b"), (0xB2C1, "c"), (0xB4EE, "d"), (0xB6EA, "e"), (0xB7A2, "f"), (0xB8C1, "g"),
    (0xB9FE, "h"), (0xBBF7, "j"), (0xBFA6, "k"), (0xC0AC, "l"), (0xC2E8, "m"), (0xC4C3, "n"), (0xC5B6, "o"),
    (0xC5BE, "p"), (0xC6DA, "q"), (0xC8BB, "r"), (0xC8F6, "s"), (0xCBFA, "t"), (0xCDDA, "w"), (0xCEF4, "x"),
    (0xD1B9, "y"), (0xD4D1, "z"), (0xD7FA, ""),
)  # fmt: skip
_CODES = [code for code, _ in _BEGINS]


def initials(text: str) -> str:
    """Letters and digits stand for themselves, in lower case; what has no letter is left out."""
    return "".join(_letter(sign) for sign in text)


def _letter(sign: str) -> str:
    if sign.isascii():
        return sign.lower() if sign.isalnum() else ""
    try:
        high, low = sign.encode("gb2312")
    except (UnicodeEncodeError, ValueError):
        return ""
    at = bisect_right(_CODES, high << 8 | low)
    return _BEGINS[at - 1][1] if at else ""

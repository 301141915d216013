"""Which bytes a character becomes, how wide it is on paper, and where a line may break. Pure.

Width on paper is decided by the printer's own font, not by a terminal's: whatever goes over the wire as one
byte is half a cell (1 column, 12 dots), whatever goes as two or four bytes is a whole cell (2 columns, 24
dots). For wide and for narrow characters that is what Unicode's East Asian Width says; for the "ambiguous" ones
(Greek, Cyrillic, ① “ ” —) it says that they are wide here, as every GB font draws them. What the encoding does
not have at all is drawn as a picture, in a cell as wide as East Asian Width says.

Nothing that comes from a text may command the printer: control characters never get past `clean`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

#: Shown where a character can neither be sent nor drawn: the "geta mark", which printers use for a missing type.
#: Visible, and never a question mark, which a reader takes for a doubt. It is in GB2312 (0xA1FE).
MISSING = "〓"

#: Of GB18030's four-byte characters, printers' fonts have Extension A (GB18030-2000 demands those 6,582 and no
#: others); 𠮷 and its neighbours have a code but no glyph in any of them, and are drawn.
_LAST_OF_EXT_A = "\u4db5"

#: The same sign under another number: what keyboards and phones send, and what GB encodings have instead.
_SAME = str.maketrans(
    {
        "\u00a0": " ",
        "\u2002": " ",
        "\u2003": "\u3000",
        "\u2009": " ",
        "\u202f": " ",
        "\u2011": "-",
        "\u2212": "-",
        "\u00a5": "￥",
        "\u2022": "·",
        "\u30fb": "·",
        "\u301c": "～",
        "\u00ad": None,
        # A flag is two of these letters: its country's code is what can be read of it.
        **{chr(0x1F1E6 + number): chr(ord("A") + number) for number in range(26)},
        # The skin colour of the sign before it: a sign of its own only where nobody understands it.
        **dict.fromkeys(map(chr, range(0x1F3FB, 0x1F400))),
    }
)

#: A line must not begin with these (closing marks hang on what stands before them) …
_NOT_FIRST = frozenset("，。、；：？！）》」』】〗〕〉］｝＞＂”’…—～·々ー％‰℃°′″,.;:?!)]}%>")
#: … nor end with these.
_NOT_LAST = frozenset("（《「『【〖〔〈［｛＜“‘([{<￥＄£№$#")
#: An apostrophe within a word: GB encodings have it only two columns wide, as a closing quotation mark.
_APOSTROPHE = re.compile("(?<=[A-Za-z])’(?=[A-Za-z])")

#: A letter and what is written over it: Latin accents, and the two voice marks of Japanese kana.
_WITH_MARKS = re.compile("[^\u0300-\u036f\u3099\u309a][\u0300-\u036f\u3099\u309a]+")


def clean(text: str) -> str:
    """Text that can do nothing but be read: composed, without control and zero-width characters.

    A line break stays; a tab becomes a space. What is written from right to left stands in the order in which it was
    typed: no printer here can turn it. An emoji made of several loses what joins them. What this leaves and no
    printer or font knows is a visible mark on paper (`MISSING`).
    """
    text = text.replace("\r\n", "\n").replace("\t", " ").translate(_SAME)
    text = _APOSTROPHE.sub("'", text)
    # Composed only where there is something to compose: NFC of the whole would make of U+F979 another cell of GBK.
    text = _WITH_MARKS.sub(lambda found: unicodedata.normalize("NFC", found[0]), text)
    kept = []
    for sign in text:
        kind = unicodedata.category(sign)
        # Cc control, Cf format (zero-width, bidi), Cs half a surrogate, Mn combining left over after NFC
        if sign == "\n" or kind not in ("Cc", "Cf", "Cs", "Mn", "Me", "Zl", "Zp"):
            kept.append(sign)
        elif kind in ("Zl", "Zp"):
            kept.append("\n")
    return "".join(kept)


@dataclass(frozen=True, slots=True)
class Sign:
    """One character as it goes to paper. ``raw`` is empty where the encoding lacks it: it must be drawn."""

    text: str
    raw: bytes
    columns: int


def sign(character: str, encoding: str) -> Sign:
    """One cleaned character in one of the encodings gb2312, gbk, gb18030."""
    if " " <= character <= "~":
        return Sign(character, character.encode("ascii"), 1)
    raw = _cell(character, encoding)
    known = len(raw) == 2 or (len(raw) == 4 and "\u3400" <= character <= _LAST_OF_EXT_A)
    if not known or unicodedata.category(character) in ("Co", "Cn"):
        wide = unicodedata.east_asian_width(character) in ("W", "F", "A")
        return Sign(character, b"", 2 if wide else 1)
    return Sign(character, raw, 2)


def _cell(character: str, encoding: str) -> bytes:
    """The character's bytes, or none. GB2312 is looked up in GBK, which has all its cells: Python's own gb2312 takes
    its dash and its middle dot for other characters than every printer and every other codec does."""
    try:
        raw = character.encode("gbk" if encoding == "gb2312" else encoding)
        if encoding == "gb2312":
            raw.decode(encoding)
    except UnicodeError:
        return b""
    return raw


def signs(text: str, encoding: str) -> list[Sign]:
    """A cleaned text, character by character."""
    return [sign(one, encoding) for one in text]


def width(line: Iterable[Sign]) -> int:
    """Columns that ``line`` takes at size 1."""
    return sum(one.columns for one in line)


def wrap(text: str, columns: int, encoding: str) -> list[list[Sign]]:
    """Break a cleaned text into lines of at most ``columns`` columns; an empty text is one empty line.

    Han characters may be parted anywhere except before a closing mark or after an opening one; a word of
    letters and digits is kept whole where it fits on a line.
    """
    lines: list[list[Sign]] = []
    for paragraph in text.split("\n"):
        rest = signs(paragraph, encoding)
        while _longer(rest, columns):
            cut = _cut(rest, columns)
            lines.append(_without_spaces_at_end(rest[:cut]))
            rest = rest[cut:]
            while rest and rest[0].text == " ":
                rest = rest[1:]
        lines.append(rest)
    return lines


def _longer(line: list[Sign], columns: int) -> bool:
    """Whether it is wider than that; looks no further than it must."""
    return len(line) > columns or width(line) > columns


def balance(text: str, columns: int, encoding: str) -> list[list[Sign]]:
    """Like `wrap`, with lines about equally long: for what stands in the middle, where one character left alone
    on its line looks like a mistake."""
    lines = wrap(text, columns, encoding)
    longest_word = max((width(word) for line in lines for word in _words(line)), default=0)
    for narrower in range(columns - 1, max(columns // 2, longest_word - 1), -1):
        tried = wrap(text, narrower, encoding)
        if len(tried) > len(lines):
            break
        lines = tried
    return lines


def _cut(line: list[Sign], columns: int) -> int:
    """How many signs of ``line`` go on this line: at least one, at most ``columns`` columns."""
    fits = used = 0
    while fits < len(line) and used + line[fits].columns <= columns:
        used += line[fits].columns
        fits += 1
    fits = max(fits, 1)
    # Look back for a good place, but never give away more than half the line for it.
    for cut in range(fits, max(fits // 2, 0), -1):
        if _may_part(line[cut - 1].text, line[cut].text):
            return cut
    return fits


def _may_part(before: str, after: str) -> bool:
    if after in _NOT_FIRST or before in _NOT_LAST:
        return False  # "……" and "——" stay in one piece, too: both halves may not begin a line
    if before == "-" and after.isalpha():
        return True
    return not (_in_word(before) and _in_word(after))


def _words(line: list[Sign]) -> Iterable[list[Sign]]:
    """What of a line may not be parted: the pieces between the places where it may."""
    begun = 0
    for at in range(1, len(line) + 1):
        if at == len(line) or _may_part(line[at - 1].text, line[at].text):
            yield line[begun:at]
            begun = at


def _in_word(one: str) -> bool:
    return one.isascii() and one != " "


def _without_spaces_at_end(line: list[Sign]) -> list[Sign]:
    while line and line[-1].text == " ":
        line = line[:-1]
    return line

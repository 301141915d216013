"""A second, strict reader of the printer's wire: cuts bytes into commands and text, and knows no command but ours.

Written from Epson's reference, sharing nothing with ``escpos.py`` (which writes) nor with the virtual printer (which
is generous, for strangers' programs). Anything that is not one of these commands, whole and with arguments that make
sense, is an `Alien`.
"""

from __future__ import annotations

from dataclasses import dataclass


class Alien(Exception):
    """Bytes that Linli never sends on purpose."""


@dataclass(frozen=True, slots=True)
class Token:
    """A command by its name with its arguments, or "text"."""

    name: str
    data: bytes


#: Commands with a fixed number of argument bytes.
_FIXED = {
    b"\x1b@": ("reset", 0),
    b"\x1ba": ("align", 1),
    b"\x1bE": ("bold", 1),
    b"\x1bR": ("country", 1),
    b"\x1bd": ("feed lines", 1),
    b"\x1bJ": ("feed dots", 1),
    b"\x1b2": ("spacing", 0),
    b"\x1b3": ("spacing", 1),
    b"\x1b$": ("position", 2),
    b"\x1c&": ("kanji on", 0),
    b"\x1c.": ("kanji off", 0),
    b"\x1d!": ("size", 1),
    b"\x1da": ("status back", 1),
    b"\x1dr": ("paper?", 1),
}


def tokens(raw: bytes, encoding: str) -> list[Token]:
    """All of ``raw``, in order.

    :raises Alien: with the place and the bytes there.
    """
    found: list[Token] = []
    at, kanji = 0, False
    while at < len(raw):
        name, size = _command(raw, at) if raw[at] < 0x20 else _text(raw, at, kanji, encoding)
        data = raw[at : at + size]
        if len(data) < size:
            raise Alien(f"at {at}: {name} is cut off")
        if name.startswith("kanji"):
            kanji = name == "kanji on"
        if name == "text" and found and found[-1].name == "text":
            found[-1] = Token("text", found[-1].data + data)
        else:
            found.append(Token(name, data))
        at += size
    return found


def _command(raw: bytes, at: int) -> tuple[str, int]:
    if raw[at] == 0x0A:
        return "line", 1
    head = raw[at : at + 2]
    if head in _FIXED:
        name, more = _FIXED[head]
        return name, 2 + more
    if head == b"\x1dV" and raw[at + 2 : at + 4] in (b"A\x00", b"B\x00"):
        return "cut", 4
    if raw[at : at + 3] == b"\x1b*\x21":
        return "picture", 5 + 3 * int.from_bytes(raw[at + 3 : at + 5], "little")
    if raw[at : at + 4] == b"\x1dv0\x03":
        across, tall = int.from_bytes(raw[at + 4 : at + 6], "little"), int.from_bytes(raw[at + 6 : at + 8], "little")
        return "raster", 8 + across * tall
    if raw[at : at + 3] == b"\x1d(k" and raw[at + 5 : at + 6] == b"\x31":
        return "qr", 5 + int.from_bytes(raw[at + 3 : at + 5], "little")
    if raw[at : at + 7] == b"\x1d(H\x06\x0000":
        return "done?", 11
    raise Alien(f"at {at}: {raw[at : at + 12].hex(' ')}")


def _text(raw: bytes, at: int, kanji: bool, encoding: str) -> tuple[str, int]:
    if raw[at] < 0x7F:
        return "text", 1
    size = 4 if encoding == "gb18030" and 0x30 <= raw[at + 1 : at + 2][0] <= 0x39 else 2
    try:
        character = raw[at : at + size].decode(encoding)
    except UnicodeDecodeError:
        character = ""
    if not kanji or len(character) != 1:
        raise Alien(f"at {at}: {raw[at : at + size].hex(' ')} is no character here")
    return "text", size

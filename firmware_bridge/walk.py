"""Walks through a slip's bytes as a printer does: where one may break in, and how much paper it takes. Pure.

It knows the commands that ``escpos.py`` writes, and shares no line with it. At a command that it does not know it
stops: no places beyond it are told, so nothing is ever put into the middle of a command.
"""

from __future__ import annotations

from dataclasses import dataclass

#: Dots in a millimetre at 203 dpi.
DOTS_A_MM = 8
#: A line's height where nobody has said another, and of a character in font A (Epson).
LINE_DOTS, CHARACTER_DOTS = 30, 24
#: From the head to the knife: what every cut feeds besides (Epson TM-T20: 13.5 mm; others up to 20).
CUT_DOTS = 120
#: How many bytes a QR code of version 1, 2, … holds at error correction M (ISO/IEC 18004, table 7).
_QR_BYTES = (14, 26, 42, 62, 84, 106, 122, 152, 180, 213, 251, 287, 331)

_ESC, _FS, _GS = 0x1B, 0x1C, 0x1D
#: Bytes of argument behind (lead, code), for commands that move no paper.
_PLAIN: dict[tuple[int, str], int] = {
    **{(_ESC, code): 1 for code in "aEtRM-G{ !"},
    (_ESC, "@"): 0,
    (_ESC, "$"): 2,
    (_ESC, "\\"): 2,
    (_FS, "&"): 0,
    (_FS, "."): 0,
    (_FS, "!"): 1,
    (_FS, "-"): 1,
    (_FS, "W"): 1,
    (_FS, "C"): 1,
    (_FS, "S"): 2,
    (_GS, "a"): 1,
    (_GS, "r"): 1,
    (_GS, "B"): 1,
    (_GS, "L"): 2,
    (_GS, "W"): 2,
}


@dataclass(frozen=True, slots=True)
class Way:
    """``places``: offsets behind a line's end, where another command may stand. ``dots``: the paper's length."""

    places: tuple[int, ...]
    dots: int

    @property
    def mm(self) -> int:
        return -(-self.dots // DOTS_A_MM)


def walk(raw: bytes) -> Way:
    """The way through a slip."""
    places: list[int] = []
    at = dots = 0
    tall, spacing, module, code_bytes = 1, LINE_DOTS, 6, 0
    while at < len(raw):
        byte = raw[at]
        if byte == 0x0A:
            at += 1
            dots += max(spacing, CHARACTER_DOTS * tall)
            places.append(at)
            continue
        if byte not in (_ESC, _FS, _GS):
            at += 1
            continue
        if at + 1 >= len(raw):
            break
        lead, code = byte, chr(raw[at + 1])
        rest = raw[at + 2 : at + 8]
        if (lead, code) in _PLAIN:
            at += 2 + _PLAIN[lead, code]
            if code == "@":
                tall, spacing = 1, LINE_DOTS
        elif lead == _ESC and code in "2":
            at, spacing = at + 2, LINE_DOTS
        elif lead == _ESC and code in "3dJ" and rest:
            spacing = rest[0] if code == "3" else spacing
            dots += {"d": rest[0] * max(spacing, CHARACTER_DOTS * tall), "J": rest[0]}.get(code, 0)
            at += 3
        elif lead == _ESC and code == "*" and len(rest) >= 3:
            at += 5 + (rest[1] | rest[2] << 8) * (3 if rest[0] in (32, 33) else 1)
        elif lead == _GS and code == "!" and rest:
            at, tall = at + 3, (rest[0] & 7) + 1
        elif lead == _GS and code == "V" and rest:
            at += 4 if rest[0] in (65, 66) else 3
            dots += CUT_DOTS
        elif lead == _GS and code == "v" and len(rest) == 6:
            across, rows = rest[2] | rest[3] << 8, rest[4] | rest[5] << 8
            at += 8 + across * rows
            dots += rows
            if at <= len(raw):
                places.append(at)
        elif lead == _GS and code == "(" and len(rest) >= 3:
            length = rest[1] | rest[2] << 8
            data = raw[at + 5 : at + 5 + length]
            if rest[0] == ord("k") and len(data) >= 2 and data[0] == 0x31:
                if data[1] == 67 and len(data) > 2:
                    module = data[2]
                elif data[1] == 80:
                    code_bytes = len(data) - 3
                elif data[1] == 81:
                    version = next((n for n, most in enumerate(_QR_BYTES, 1) if code_bytes <= most), 14)
                    dots += (17 + 4 * version) * module
            at += 5 + length
        else:
            break
    return Way(tuple(place for place in places if place < len(raw)), dots)

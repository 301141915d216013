"""The printer's wire, outward: a PrintSlip becomes bytes of ESC/POS. Pure: the same slip gives the same bytes.

What must live here: every command that Linli sends to a printer. What must not: ports, clocks, fonts (a
function that draws is handed in), and what the printer answers (``answers.py``).

Theory of operation. A slip is laid out in columns (``lettering.py``), never left to the printer to wrap, so no line
is longer than the paper. Chinese mode is switched on once by ``FS &`` and off at the end by ``FS .``, never
assumed. A character that the printer's encoding lacks is drawn: at size 1 as a picture within its line (``ESC *``, 77
bytes), at sizes 2 and 3 the whole line is a picture (``GS v 0``, doubled by the printer). The slip ends with a
question that the printer answers only when all before it is worked off: ``GS ( H`` function 48 with a number, else
``GS r 1``, twice.

Command names and bytes: Epson's ESC/POS reference; Xprinter's, SPRT's and Gprinter's manuals agree on all of these.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from devices.faults import SlipFault
from firmware_bridge.lettering import MISSING, Sign, balance, clean, sign, signs, width, wrap
from firmware_bridge.profiles import Profile

ESC, FS, GS, DLE = b"\x1b", b"\x1c", b"\x1d", b"\x10"
LF = b"\n"

RESET = ESC + b"@"
#: International set 0 (USA): printers sold in China may boot with a set in which "$" prints as "¥".
PLAIN_LATIN = ESC + b"R\x00"
KANJI_ON, KANJI_OFF = FS + b"&", FS + b"."
#: Automatic status back, all causes: the printer tells of cover, paper and errors by itself.
TELL_ALL = GS + b"a\xff"
ASK_STATUS = {number: DLE + b"\x04" + bytes([number]) for number in (1, 2, 3, 4)}
#: Asked twice: the answer is one bare byte, usually 0x00, and a line that is switched off or pulled makes such a byte
#: by itself. One stray byte must not be a "done".
ASK_PAPER = GS + b"r\x01" + GS + b"r\x01"
PAPER_ANSWERS = 2

#: Limits of one slip. Our choice: the longest guide of the catalogue needs a third of them; beyond that it is
#: a mistake or an attack, and would empty the roll.
MOST_BLOCKS = 200
LONGEST_TEXT = 2000
LONGEST_QR = 300
#: No command without a block is longer (GS ( H has 11 bytes).
SHORT_COMMANDS = 16
MOST_BYTES = 16_384

#: Big lines and a QR code would touch what is above them: 8 dots (1 mm) below a big line, and above a code the four
#: modules of quiet zone that ISO/IEC 18004 asks for.
_AIR = ESC + b"J\x08"
_QUIET_MODULES = 4

#: Gets (text, dots high, bold) and gives rows of dots, most significant bit left, or None where it cannot.
Draw = Callable[[str, int, bool], "Picture | None"]


@dataclass(frozen=True, slots=True)
class Picture:
    """Black and white dots: ``rows`` of ``width_dots``, packed eight to a byte, most significant bit left."""

    width_dots: int
    rows: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Ink:
    """A slip in the printer's language.

    ``longest_block`` is the longest command in it, in bytes: that many NULs bring a printer that was interrupted
    anywhere in this slip back to listening. ``missing`` are the characters that could neither be
    sent nor drawn (each is a 〓 on paper).
    """

    raw: bytes
    longest_block: int
    missing: str = ""


def no_drawing(text: str, dots_high: int, bold: bool) -> Picture | None:
    """For printers or tests without a font at hand: nothing can be drawn."""
    return None


def completion_mark(profile: Profile, process_id: str) -> bytes:
    """The question at the end of a slip. ``process_id`` is 4 characters from 0x20 to 0x7E, ascending."""
    if not profile.has_process_id:
        return ASK_PAPER
    mark = process_id.encode("ascii")
    if len(mark) != 4 or not all(0x20 <= one <= 0x7E for one in mark):
        raise ValueError(f"a process id has 4 printable characters, not {process_id!r}")
    return GS + b"(H\x06\x00\x30\x30" + mark


def process_id(number: int) -> str:
    """The ``number``-th process id. They ascend and begin again after 1,679,616: years in any hall."""
    digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    text = ""
    for _ in range(4):
        number, digit = divmod(number, 36)
        text = digits[digit] + text
    return text


def wake(longest_block: int) -> bytes:
    """What must come first after an interrupted slip, before any question: NULs fill up whatever the printer still
    waits for. A question instead would be read as the rest of the command: ``GS (`` and ``GS a 255`` together
    announce 65,377 bytes, and the printer would swallow the next hundred slips.
    """
    return bytes(longest_block)


def mend(longest_block: int, profile: Profile) -> bytes:
    """What brings a printer to its senses that was cut off in the middle of a slip.

    NULs fill up whatever it may still be waiting for (they print nothing otherwise), the reset
    drops half a line, and what stands above is cut off with a word of doubt. No more is claimed: the slip above
    may be whole, if only its "done" was lost.
    """
    words = "以上若不完整，请问工作人员".encode("gbk") + LF + b"Incomplete? Please ask staff"
    return wake(longest_block) + RESET + KANJI_ON + LF + words + LF + KANJI_OFF + cut(profile)


def cut(profile: Profile) -> bytes:
    """Feed the slip to the knife and cut it, or out to the tear bar."""
    if profile.cutter == "none":
        return ESC + b"d\x04"
    return GS + b"V" + (b"\x42" if profile.cutter == "partial" else b"\x41") + b"\x00"


def render(
    body: Mapping[str, object], profile: Profile, mark: bytes, draw: Draw = no_drawing, copy: bool = False
) -> Ink:
    """Lay out a PrintSlip (docs/protocol.md, section 3) for one printer.

    :param mark: the completion mark to end with.
    :param copy: True prints 补打 at the head; so does a ``copy_of`` in the slip itself.
    :raises SlipFault: the slip cannot be printed; the text says which block and why.
    """
    pen = _Pen(profile, draw)
    pen.head()
    if copy or body.get("copy_of") is not None:
        pen.text("补打 REPRINT", 2, "center", bold=True)
        pen.text("号码不变，以本张为准", 1, "center", bold=False)
        pen.rule()
    blocks = body.get("blocks")
    if not isinstance(blocks, list) or not blocks:
        raise SlipFault("slip: 'blocks' must be a list with at least one block")
    if len(blocks) > MOST_BLOCKS:
        raise SlipFault(f"slip: {len(blocks)} blocks; {MOST_BLOCKS} are the most")
    for number, block in enumerate(blocks, start=1):
        try:
            _block(pen, block)
        except SlipFault as wrong:
            raise SlipFault(f"slip: block {number}: {wrong}") from wrong
        if len(pen.raw) > MOST_BYTES:
            raise SlipFault(f"slip: longer than {MOST_BYTES} bytes after block {number}")
    return Ink(bytes(pen.raw + KANJI_OFF + mark), pen.longest_block, "".join(dict.fromkeys(pen.missing)))


def _block(pen: _Pen, block: object) -> None:
    if not isinstance(block, dict):
        raise SlipFault(f"must be an object, not {block!r:.40}")
    kind = block.get("t")
    if kind == "text":
        align = _one_of(block, "align", ("left", "center", "right"), "left")
        pen.text(_text(block, "text"), _whole(block, "size", 1, 3, 1), align, bold=block.get("bold") is True)
    elif kind == "pair":
        pen.pair(_text(block, "left"), _text(block, "right"))
    elif kind == "rule":
        pen.rule()
    elif kind == "feed":
        pen.feed(_whole(block, "lines", 1, 20, 1))
    elif kind == "qr":
        pen.qr(_text(block, "data"))
    elif kind == "cut":
        pen.cut()
    else:
        raise SlipFault(f"unknown kind {kind!r:.40}; known: text, pair, rule, feed, qr, cut")


def _text(block: Mapping[str, object], key: str) -> str:
    text = block.get(key)
    if not isinstance(text, str):
        raise SlipFault(f"{key!r} must be a text, not {text!r:.40}")
    if len(text) > LONGEST_TEXT:
        raise SlipFault(f"{key!r} has {len(text)} characters; {LONGEST_TEXT} are the most")
    return clean(text)


def _whole(block: Mapping[str, object], key: str, low: int, high: int, default: int) -> int:
    value = block.get(key, default)
    if type(value) is not int or not low <= value <= high:
        raise SlipFault(f"{key!r} must be a whole number from {low} to {high}, not {value!r:.40}")
    return value


def _one_of(block: Mapping[str, object], key: str, words: tuple[str, ...], default: str) -> str:
    value = block.get(key, default)
    if not isinstance(value, str) or value not in words:
        raise SlipFault(f"{key!r} must be one of {', '.join(words)}, not {value!r:.40}")
    return value


_LIST_MARK = re.compile(r"(?:[0-9]{1,2}[.)、]|[·•\-○●□■◇①-⑳])[ \u3000]*(?=\S)")
_ALIGN = {"left": b"\x00", "center": b"\x01", "right": b"\x02"}


@dataclass(slots=True)
class _Pen:
    """Writes one slip; remembers size, weight and alignment so that nothing is said twice."""

    profile: Profile
    draw: Draw
    raw: bytearray = field(default_factory=bytearray)
    longest_block: int = SHORT_COMMANDS
    missing: list[str] = field(default_factory=list)
    _size: int = 1
    _bold: bool = False
    _align: str = "left"

    def head(self) -> None:
        if self.profile.reset_at_head:
            # ESC @ also ends automatic status back, so it is asked for again.
            self.raw += RESET + TELL_ALL
        self.raw += PLAIN_LATIN + KANJI_ON
        if self.profile.fs_next_line:
            # Line spacing 0: the line that must pass before FS & holds takes no paper.
            self.raw += ESC + b"3\x00" + LF + ESC + b"2"

    def style(self, size: int = 1, bold: bool = False, align: str = "left") -> None:
        if align != self._align:
            self.raw += ESC + b"a" + _ALIGN[align]
        if size != self._size:
            self.raw += GS + b"!" + bytes([(size - 1) * 0x11])
        if bold != self._bold:
            self.raw += ESC + b"E" + (b"\x01" if bold else b"\x00")
        self._size, self._bold, self._align = size, bold, align

    def text(self, text: str, size: int, align: str, bold: bool) -> None:
        columns, encoding = self.profile.columns // size, self.profile.encoding
        for paragraph in text.split("\n"):
            mark = _LIST_MARK.match(paragraph)
            hang = width(signs(mark[0], encoding)) if mark and align == "left" and size == 1 else 0
            if not hang or hang > columns // 4:
                for line in (balance if align == "center" else wrap)(paragraph, columns, encoding):
                    self.line(line, size, align, bold)
                continue
            # "1. ", "· ": the lines of one point hang below its first word, so that an eye finds the next point.
            lines = wrap(paragraph[len(mark[0]) :] if mark else "", columns - hang, encoding)
            for number, line in enumerate(lines):
                before = signs(mark[0] if mark and not number else " " * hang, encoding)
                self.line(before + line, size, align, bold)

    def line(self, line: list[Sign], size: int, align: str, bold: bool) -> None:
        rare = size > 1 and any(not one.raw for one in line)
        if rare and self.picture_line("".join(one.text for one in line), size, align, bold):
            return
        self.style(size, bold, align)
        self.signs(line, size, bold)
        self.raw += LF
        if size > 1:
            self.raw += _AIR

    def signs(self, line: list[Sign], size: int, bold: bool) -> None:
        for one in line:
            if one.raw:
                self.raw += one.raw
            elif size > 1 or not self.picture_within(one, bold):
                self.missing.append(one.text)
                self.raw += sign(MISSING, self.profile.encoding).raw if one.columns == 2 else b"_"

    def picture_within(self, one: Sign, bold: bool) -> bool:
        """One character at size 1 as ``ESC * 33``: columns of 24 dots, within the line of text."""
        picture = self.draw(one.text, 24, bold)
        if picture is None:
            return False
        dots = one.columns * self.profile.dots_per_column
        columns = bytearray()
        for x in range(dots):
            stripe = 0
            for row in picture.rows:
                stripe = stripe << 1 | (x < picture.width_dots and row[x // 8] >> (7 - x % 8) & 1)
            columns += stripe.to_bytes(3, "big")
        self.block(ESC + b"*\x21" + dots.to_bytes(2, "little"), columns)
        return True

    def picture_line(self, text: str, size: int, align: str, bold: bool) -> bool:
        """A whole line at size 2 or 3 as ``GS v 0``; the printer aligns it as it aligns text.

        Drawn at half its size and doubled by the printer (mode 3), as the printer doubles its own letters: a full line
        of size 2 is 871 bytes instead of 3,463, of size 3 1,303 instead of 5,191.
        """
        picture = self.draw(text, 12 * size, bold)
        if picture is None:
            return False
        across = -(-min(picture.width_dots, self.profile.dots // 2) // 8)
        rows = b"".join(row[:across].ljust(across, b"\x00") for row in picture.rows)
        size_of = across.to_bytes(2, "little") + len(picture.rows).to_bytes(2, "little")
        self.style(align=align)
        self.block(GS + b"v0\x03" + size_of, bytearray(rows))
        self.raw += _AIR
        return True

    def block(self, head: bytes, data: bytearray) -> None:
        """Binary data behind a command. A printer looks for real-time commands (DLE EOT, ENQ, DC4) even here, so
        no dots may spell one: such a pair gets one more dot."""
        for place in range(len(data) - 1):
            if data[place] == 0x10 and data[place + 1] in (0x04, 0x05, 0x14):
                data[place] = 0x11
        self.longest_block = max(self.longest_block, len(head) + len(data))
        self.raw += head + data

    def pair(self, left: str, right: str) -> None:
        """``left`` at the left edge, ``right`` at the right edge: on one line, or on several where they are long."""
        columns, encoding = self.profile.columns, self.profile.encoding
        self.style()
        tail = signs(right.replace("\n", " "), encoding)
        lines = wrap(left, columns, encoding)
        gap = columns - width(lines[-1]) - width(tail)
        if gap < 1 and width(tail) > columns:
            for line in (*lines, *wrap(right, columns, encoding)):
                self.line(line, 1, "left", False)
            return
        for line in lines[:-1] if gap >= 1 else lines:
            self.line(line, 1, "left", False)
        if gap >= 1:
            self.signs(lines[-1], 1, False)
        else:
            gap = columns - width(tail)
        dots = (columns - width(tail)) * self.profile.dots_per_column
        # ESC $ (absolute position, 4 bytes) is shorter than a row of spaces, and exact.
        self.raw += b" " * gap if gap <= 4 else ESC + b"$" + dots.to_bytes(2, "little")
        self.signs(tail, 1, False)
        self.raw += LF

    def rule(self) -> None:
        """A line across the paper. Drawn with characters four times as wide: 19 bytes instead of 49. Where the columns
        are no multiple of eight it ends a little early."""
        self.style()
        line = sign("─", self.profile.encoding).raw * (self.profile.columns // 8)
        self.raw += GS + b"!\x30" + line + LF + GS + b"!\x00"

    def feed(self, lines: int) -> None:
        self.raw += ESC + b"d" + bytes([lines])

    def qr(self, data: str) -> None:
        """A QR code drawn by the printer: model 2, error correction M, six dots a module (a phone held by an old hand
        reads it from 30 cm). Large data gets smaller modules so that it stays within the paper."""
        raw = data.encode("utf-8")
        if not 1 <= len(raw) <= LONGEST_QR or "\n" in data:
            raise SlipFault(f"a QR code holds 1 to {LONGEST_QR} bytes on one line, not {len(raw)}")
        # 213 bytes at level M need version 10, 57 modules; 300 need version 13, 69 (ISO/IEC 18004, table 7).
        module = 6 if len(raw) <= 213 or self.profile.dots >= 576 else 4
        self.style(align="center")
        self.raw += ESC + b"J" + bytes([_QUIET_MODULES * module])
        function = GS + b"(k"
        # Model 2 need not be selected: every printer begins with it, and ESC @ brings it back (nine bytes saved).
        self.raw += function + b"\x03\x00\x31\x43" + bytes([module])
        self.raw += function + b"\x03\x00\x31\x45\x31"
        self.block(function + (len(raw) + 3).to_bytes(2, "little") + b"\x31\x50\x30", bytearray(raw))
        self.raw += function + b"\x03\x00\x31\x51\x30"
        self.raw += LF

    def cut(self) -> None:
        self.style()
        self.raw += cut(self.profile)

"""What a thermal printer does with bytes: an ESC/POS decoder of its own, and the paper that comes out.

It shares no line with the code that makes the bytes: what one writes and the other reads wrongly shows. It is strict
where real printers are: Chinese only after ``FS &``, a line that is too long goes on below it (and is counted in
`Piece.overflows`), an unknown command prints rubbish (and is counted in `Piece.unknown`).

`Decoder.feed` takes bytes; `answer` gets what the printer says when it works off a question; `cut` gets each piece
of paper.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field

from devices.virtual.drawing import DOTS_80MM, qr_rows

_CELL = 12
#: The upper half of code page 1 (ESC t 1), as far as it draws boxes.
_KATAKANA = "▁▂▃▄▅▆▇█▏▎▍▌▋▊▉┼┴┬┤├▔─│▕┌┐└┘╭╮╰╯"
_LINE_DOTS = 30


@dataclass(frozen=True, slots=True)
class Ink:
    """One thing on a line: characters of one look, or a picture. ``x`` in dots from the line's left."""

    x: int
    width: int
    height: int
    text: str = ""
    size: tuple[int, int] = (1, 1)
    bold: bool = False
    rows: tuple[bytes, ...] = ()
    qr: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One printed line: what is on it, where it hangs, how far the paper moves."""

    inks: tuple[Ink, ...]
    align: int
    advance: int

    @property
    def width(self) -> int:
        return max((ink.x + ink.width for ink in self.inks), default=0)


@dataclass(slots=True)
class Piece:
    """A piece of paper, from cut to cut. ``whole`` is False where it was torn instead of cut."""

    lines: list[Line] = field(default_factory=list)
    whole: bool = True
    overflows: int = 0
    unknown: list[bytes] = field(default_factory=list)
    qr_codes: list[str] = field(default_factory=list)

    def text(self, dots: int = DOTS_80MM) -> str:
        """The paper as plain text, set as it is on paper; pictures as ▒, a QR code as ``[QR data]``."""
        lines = [line for line in self.lines if line.inks or line.advance >= 24]
        return "".join(_plain(line, dots) + "\n" for line in lines) + ("" if self.whole else "~~~ torn ~~~\n")


def _plain(line: Line, dots: int) -> str:
    text, columns = "", 0
    for ink in line.inks:
        at = ink.x // _CELL
        text += " " * (at - columns)
        columns = max(at, columns) + ink.width // _CELL
        text += f"[QR {ink.qr}]" if ink.qr else (ink.text or "▒" * max(1, ink.width // (2 * _CELL)))
    shift = (dots - line.width) * line.align // 2 // _CELL
    return (" " * shift + text).rstrip()


@dataclass(frozen=True, slots=True)
class Make:
    """Who built it, and what its character memory holds.

    ``charset``: "gb2312" and "gbk" printers know two bytes a character; a "gb18030" one also those four-byte codes
    that GB18030-2000 demands, Extension A. ``kanji_next_line``: FS & and FS . hold from the next line on (SPRT).
    """

    maker: str = "LINLI"
    model: str = "VIRTUAL"
    firmware: str = "1.0"
    serial: str = "0"
    charset: str = "gb18030"
    kanji_next_line: bool = False


OURS = Make()


def _in_memory(raw: bytes, charset: str) -> str:
    """The character of a code, "" where the character memory has none. GB2312's cells are part of GBK's."""
    try:
        if charset == "gb2312":
            raw.decode(charset)
        return raw.decode("gbk" if charset == "gb2312" else charset)
    except UnicodeDecodeError:
        return ""


def _bits(data: bytes, across: int) -> tuple[bytes, ...]:
    """Rows of ``across`` bytes, most significant bit left, as rows of dots: one byte a dot."""
    rows = [data[at : at + across] for at in range(0, len(data), across)] if across else []
    return tuple(bytes(byte >> (7 - bit) & 1 for byte in row for bit in range(8)) for row in rows)


class Decoder:
    """Works off bytes one after another, as the printer's own processor does."""

    def __init__(
        self, answer: Callable[[bytes], None], cut: Callable[[Piece], None], dots: int = DOTS_80MM, make: Make = OURS
    ) -> None:
        self.dots = dots
        self.make = make
        #: Paper that has moved since it was made, in dots (8 a millimetre).
        self.dots_fed = 0
        self.status_back = 0
        self.status: Callable[[], bytes] = lambda: b"\x10\x00\x00\x0f"
        self.paper_byte: Callable[[], int] = lambda: 0
        self._answer = answer
        self._cut = cut
        self._piece = Piece()
        self._inks: list[Ink] = []
        self._x = 0
        self._stored: tuple[bytes, ...] = ()
        self._qr_data, self._qr_module, self._qr_level = "", 3, "L"
        self._reset()
        self._work = self._run()
        next(self._work)

    def feed(self, byte: int) -> None:
        """One byte."""
        self._work.send(byte)

    @property
    def begun(self) -> bool:
        """Whether there is ink on the paper below the last cut."""
        return bool(self._piece.lines or self._inks)

    @property
    def at_tear_bar(self) -> bool:
        """A slip was fed out of a machine that has no knife: somebody will tear it off."""
        lines = self._piece.lines
        return len(lines) > 4 and not self._inks and not any(line.inks for line in lines[-4:])

    def take_off(self) -> None:
        """A hand tears off, at the bar, a slip that is finished."""
        self._hand_out()

    def tear(self) -> None:
        """The paper ran out or was torn off: what is on it goes as a torn piece; the rest comes on new paper."""
        if self.begun:
            self._piece.whole = False
            self._hand_out()

    def clear(self) -> None:
        """What was heard and not yet printed is forgotten, half a command and half a line; the settings stay."""
        self._inks, self._x = [], 0
        self._work = self._run()
        next(self._work)

    def power_cycle(self) -> None:
        """Everything in the machine's memory is lost."""
        self._reset()
        self._work = self._run()
        next(self._work)

    # ------------------------------------------------------------ the processor

    def _reset(self) -> None:
        self._size, self._bold, self._align = (1, 1), False, 0
        self._kanji = self._kanji_next = False
        self._page = 0
        self._spacing = _LINE_DOTS
        self._inks, self._x = [], 0
        # Symbols and pictures are in memory, too: else half a slip would carry the code of the one before.
        self._stored = ()
        self._qr_data, self._qr_module, self._qr_level = "", 3, "L"
        self.status_back = 0

    def _run(self) -> Generator[None, int, None]:
        while True:
            byte = yield
            if byte == 0x0A:
                self._feed_line()
            elif byte in (0x1B, 0x1C, 0x1D):
                yield from self._command(byte)
            elif byte == 0x10:
                yield from self._real_time()
            elif byte == 0x09:
                self._x = (self._x // (8 * _CELL) + 1) * 8 * _CELL
            elif byte >= 0x80:
                yield from self._high(byte)
            elif byte >= 0x20:
                self._put(chr(byte), 1)
            # 0x00, CR, CAN and the other controls print nothing

    def _high(self, lead: int) -> Generator[None, int, None]:
        if not self._kanji:
            self._put(_KATAKANA[lead - 0x80] if self._page == 1 and lead < 0xA0 else bytes([lead]).decode("cp437"), 1)
            return
        raw = bytes([lead, (yield)])
        if 0x30 <= raw[1] <= 0x39 and self.make.charset == "gb18030":
            raw += bytes([(yield)])
            raw += bytes([(yield)])
        character = _in_memory(raw, self.make.charset)
        if not character or (len(raw) == 4 and not "\u3400" <= character <= "\u4db5"):
            # A code without a picture in the character memory: an empty box comes out.
            self._piece.unknown.append(raw)
            self._put("□", 2)
        else:
            self._put(character, 2)

    def _real_time(self) -> Generator[None, int, None]:
        """DLE EOT / ENQ n, DLE DC4 fn m t: already answered when they were received; here they only pass by."""
        kind = yield
        if kind in (0x04, 0x05):
            yield
        elif kind == 0x14:
            function = yield
            yield from self._take(7 if function == 8 else 2)

    def _number(self) -> Generator[None, int, int]:
        low = yield
        high = yield
        return low | high << 8

    def _take(self, count: int) -> Generator[None, int, bytes]:
        data = bytearray()
        for _ in range(count):
            data.append((yield))
        return bytes(data)

    def _command(self, lead: int) -> Generator[None, int, None]:
        code = yield
        what = {0x1B: "ESC ", 0x1C: "FS ", 0x1D: "GS "}[lead] + chr(code)
        match what:
            case "ESC @":
                self._reset()
            case "ESC a":
                self._align = (yield) & 3
            case "ESC E":
                self._bold = bool((yield) & 1)
            case "ESC !":
                mode = yield
                self._size = (2 if mode & 0x20 else 1, 2 if mode & 0x10 else 1)
                self._bold = bool(mode & 0x08)
            case "ESC d":
                lines = yield
                for _ in range(lines):
                    self._feed_line()
            case "ESC J":
                self._feed_line((yield))
            case "ESC 2":
                self._spacing = _LINE_DOTS
            case "ESC 3":
                self._spacing = yield
            case "ESC $":
                self._x = yield from self._number()
            case "ESC \\":
                moved = yield from self._number()
                self._x = max(0, self._x + (moved - 0x10000 if moved & 0x8000 else moved))
            case "ESC t":
                self._page = yield
            case "ESC *":
                yield from self._column_picture()
            case (
                "ESC R" | "FS C" | "ESC M" | "ESC -" | "ESC  " | "ESC G" | "ESC {" | "FS -" | "FS !" | "FS W"
            ):
                yield
            case "GS h" | "GS w" | "GS H" | "GS B" | "GS f":
                yield
            case "GS L" | "GS W" | "FS S":
                yield from self._number()
            case "FS &" | "FS .":
                self._kanji_next = what == "FS &"
                if not self.make.kanji_next_line:
                    self._kanji = self._kanji_next
            case "GS !":
                size = yield
                self._size = ((size >> 4 & 7) + 1, (size & 7) + 1)
            case "GS a":
                self.status_back = yield
                if self.status_back:
                    self._answer(self.status())
            case "GS r":
                self._answer(bytes([self.paper_byte() if (yield) in (1, 49) else 0]))
            case "GS I":
                self._introduce((yield))
            case "ESC \x06":
                yield  # a Star printer would tell its status: clients that look for their printer ask both ways
            case "GS V":
                mode = yield
                if mode in (65, 66):
                    yield
                self._feed_pending()
                self._hand_out()
            case "GS v":
                yield from self._raster()
            case "GS (":
                yield from self._extended()
            case "FS (":
                yield  # which function: character colours and the like, nothing that this paper shows
                yield from self._take((yield from self._number()))
            case "GS 8":
                kind = yield
                long = yield from self._take(4)
                yield from self._graphics(kind, int.from_bytes(long, "little"))
            case _:
                self._piece.unknown.append(bytes([lead, code]))

    def _introduce(self, what: int) -> None:
        """GS I n: one byte for n = 1 to 3, a block of text from 65 on."""
        if what in (1, 2, 3, 49, 50, 51):
            self._answer(bytes([{1: 0x20, 2: 0x03, 3: 0x01}[what & 3]]))
            return
        told = {65: self.make.firmware, 66: self.make.maker, 67: self.make.model, 68: self.make.serial, 69: "GB18030"}
        if what in told:
            self._answer(b"_" + told[what].encode("ascii") + b"\x00")
        else:
            self._piece.unknown.append(bytes([0x1D, 0x49, what]))

    def _extended(self) -> Generator[None, int, None]:
        kind = yield
        if kind == ord("L"):
            yield from self._graphics(kind, (yield from self._number()))
            return
        data = yield from self._take((yield from self._number()))
        if kind == ord("k") and len(data) >= 2 and data[0] == 0x31:
            self._qr(data[1], data[2:])
        elif kind == ord("H") and data[:2] == b"\x30\x30":
            self._answer(b"\x37\x22" + data[2:6] + b"\x00")
        elif kind not in (ord("A"), ord("k")):
            self._piece.unknown.append(bytes([0x1D, 0x28, kind]))

    def _graphics(self, kind: int, length: int) -> Generator[None, int, None]:
        """GS ( L and GS 8 L: a picture is stored by function 112 and printed by function 50."""
        data = yield from self._take(length)
        if kind == ord("L") and data[:2] == b"\x30\x70" and len(data) >= 10:
            across = -(-int.from_bytes(data[6:8], "little") // 8)
            self._stored = _bits(data[10:], across)
        elif kind == ord("L") and data[:1] == b"\x30" and data[1:2] in (b"\x02", b"\x32"):
            self._add_picture(self._stored)
            self._stored = ()
        else:
            self._piece.unknown.append(bytes([0x1D, kind]) + data[:2])

    def _add_picture(self, rows: tuple[bytes, ...]) -> None:
        self._feed_pending()
        if rows:
            self._add(Ink(self._x, len(rows[0]), len(rows), rows=rows))
            self._feed_line(len(rows))

    def _qr(self, function: int, data: bytes) -> None:
        if function == 67 and data:
            self._qr_module = data[0]
        elif function == 69 and data:
            self._qr_level = {48: "L", 49: "M", 50: "Q", 51: "H"}.get(data[0], "L")
        elif function == 80:
            self._qr_data = data[1:].decode("utf-8", "replace")
        elif function == 81 and self._qr_data:
            rows = qr_rows(self._qr_data, self._qr_level, self._qr_module)
            side = len(rows)
            self._feed_pending()
            self._add(Ink(self._x, side, side, qr=self._qr_data, rows=rows))
            self._piece.qr_codes.append(self._qr_data)
            self._feed_line()

    def _column_picture(self) -> Generator[None, int, None]:
        mode = yield
        across = yield from self._number()
        tall = 3 if mode in (32, 33) else 1
        data = yield from self._take(across * tall)
        grid = [[0] * across for _ in range(8 * tall)]
        for x in range(across):
            stripe = int.from_bytes(data[x * tall : (x + 1) * tall], "big")
            for y in range(8 * tall):
                grid[y][x] = stripe >> (8 * tall - 1 - y) & 1
        self._add(Ink(self._x, across, 8 * tall, rows=tuple(bytes(row) for row in grid)))

    def _raster(self) -> Generator[None, int, None]:
        yield  # "0"
        mode = yield
        across = yield from self._number()
        tall = yield from self._number()
        rows = bytearray()
        for _ in range(tall):
            rows += yield from self._take(across)
        wide, tall = 1 + (mode & 1), 1 + (mode >> 1 & 1)
        dots = _bits(bytes(rows), across)
        if wide == 2:
            dots = tuple(bytes(dot for dot in row for _ in range(2)) for row in dots)
        self._add_picture(tuple(row for row in dots for _ in range(tall)))

    # ------------------------------------------------------------ the paper

    def _put(self, character: str, cells: int) -> None:
        wide, tall = self._size
        self._add(Ink(self._x, cells * _CELL * wide, 24 * tall, character, self._size, self._bold))

    def _add(self, ink: Ink) -> None:
        if self._x + ink.width > self.dots:
            self._piece.overflows += 1
            self._feed_line()
            ink = Ink(0, ink.width, ink.height, ink.text, ink.size, ink.bold, ink.rows, ink.qr)
        self._inks.append(ink)
        self._x = ink.x + ink.width

    def _feed_pending(self) -> None:
        if self._inks:
            self._feed_line()

    def _feed_line(self, advance: int | None = None) -> None:
        tallest = max((ink.height for ink in self._inks), default=0)
        moved = self._spacing if advance is None else advance
        self._piece.lines.append(Line(tuple(self._inks), self._align, max(moved, tallest)))
        self.dots_fed += max(moved, tallest)
        self._kanji = self._kanji_next
        if not self._inks and moved == 0:
            self._piece.lines.pop()
        self._inks, self._x = [], 0

    def _hand_out(self) -> None:
        if self._inks:
            self._feed_line()
        piece, self._piece = self._piece, Piece()
        self._cut(piece)

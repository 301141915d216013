"""The printer's wire, inward: what a printer says, one byte at a time. Pure.

Four kinds of answer share one line and are told apart by their fixed bits (Epson's ESC/POS reference):

====================  =======================================================================
byte                  meaning
====================  =======================================================================
``0xx1xx10``          answer to ``DLE EOT n``; which n, only the order of the questions tells
``0xx1xx00`` + 3      automatic status back; the three that follow are ``0xx0xxxx``
``0x37``, ``0x5F``    a block: that byte, data, ``NUL`` (the answer to ``GS ( H`` is ``37 22 d1 d2 d3 d4 00``)
``0xx0xxxx``          answer to ``GS r`` where no status frame is open
``0x11``, ``0x13``    XON, XOFF
====================  =======================================================================

An answer to ``DLE EOT`` may arrive within a status frame; its bit 4 tells. Anything else is junk and
costs one count. The buffer is bounded: a block that does not end is junk after `LONGEST_BLOCK` bytes.
"""

from __future__ import annotations

from dataclasses import dataclass

#: Longest block we keep, header and NUL included. The longest answer we ask for has 7 bytes; Epson's longest
#: (GS I, a model's name) has 80.
LONGEST_BLOCK = 82


@dataclass(frozen=True, slots=True)
class RealTime:
    """The answer to a ``DLE EOT``."""

    byte: int


@dataclass(frozen=True, slots=True)
class StatusBack:
    """Automatic status back: what changed at the printer, told by itself."""

    bytes4: bytes

    @property
    def offline(self) -> bool:
        return bool(self.bytes4[0] & 0x08)

    @property
    def cover_open(self) -> bool:
        return bool(self.bytes4[0] & 0x20)

    @property
    def paper_low(self) -> bool:
        return bool(self.bytes4[2] & 0x03)

    @property
    def paper_out(self) -> bool:
        return bool(self.bytes4[2] & 0x0C)


@dataclass(frozen=True, slots=True)
class Block:
    """A block of data: ``header`` 0x37 or 0x5F, ``data`` without the NUL."""

    header: int
    data: bytes

    @property
    def process_id(self) -> str | None:
        """The 4 characters of a ``GS ( H`` function 48 answer, else None."""
        if self.header == 0x37 and len(self.data) == 5 and self.data[0] == 0x22:
            return self.data[1:].decode("latin-1")
        return None


@dataclass(frozen=True, slots=True)
class Paper:
    """The answer to ``GS r 1``. The printer has worked off everything that was sent before the question."""

    byte: int

    @property
    def out(self) -> bool:
        return bool(self.byte & 0x0C)


Answer = RealTime | StatusBack | Block | Paper


class Answers:
    """Takes bytes as they come and gives whole answers. ``junk`` counts the bytes that mean nothing."""

    def __init__(self) -> None:
        self.junk = 0
        self._frame = b""
        self._block = b""

    def feed(self, data: bytes) -> list[Answer]:
        """All answers that are complete with ``data``. Never raises."""
        return [answer for byte in data if (answer := self._byte(byte))]

    def reset(self) -> None:
        """Forget half an answer: the line was opened anew."""
        self._frame = self._block = b""

    def _byte(self, byte: int) -> Answer | None:
        if self._block:
            return self._in_block(byte)
        if byte in (0x11, 0x13):
            return None
        if byte & 0x93 == 0x12:
            return RealTime(byte)
        if self._frame and byte & 0x90 == 0x00:
            self._frame += bytes([byte])
            if len(self._frame) < 4:
                return None
            frame, self._frame = self._frame, b""
            return StatusBack(frame)
        if self._frame:
            # The frame was cut off: its bytes are junk, this byte begins something new.
            self.junk += len(self._frame)
            self._frame = b""
        if byte & 0x93 == 0x10:
            self._frame = bytes([byte])
        elif byte in (0x37, 0x5F):
            self._block = bytes([byte])
        elif byte & 0x90 == 0x00:
            return Paper(byte)
        else:
            self.junk += 1
        return None

    def _in_block(self, byte: int) -> Answer | None:
        if byte == 0x00:
            block, self._block = self._block, b""
            return Block(block[0], block[1:])
        self._block += bytes([byte])
        # What belongs in a block is printable; another byte means that its end was lost.
        if not (0x20 <= byte <= 0x7E) or len(self._block) >= LONGEST_BLOCK:
            self.junk += len(self._block)
            self._block = b""
        return None

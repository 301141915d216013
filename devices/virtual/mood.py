"""How a ticket printer is, and in which bits it says so: DLE EOT 1 to 4, automatic status back, GS r.

Bits after Epson's ESC/POS reference (DLE EOT, GS a, GS r); clones differ in the paper bits of GS r at most. Pure: the
line and the paper are in ``printer.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Paper = Literal["in", "low", "out"]
#: cutter: the knife is stuck until somebody frees it. recoverable: an error that DLE ENQ ends (its cause is gone).
#: unrecoverable: only switching off helps, if that. hot: the head cools down and goes on by itself.
Trouble = Literal["", "cutter", "recoverable", "unrecoverable", "hot"]

#: The bit of each trouble in DLE EOT 3 and in the second byte of automatic status back: they are the same.
_TROUBLE_BIT: dict[str, int] = {"": 0, "recoverable": 0x04, "cutter": 0x08, "unrecoverable": 0x20, "hot": 0x40}
#: Epson: byte 4 of automatic status back is 0x0F where a model has no more to say.
_FOURTH = 0x0F


@dataclass(slots=True)
class Mood:
    """What stands between a printer and its next line."""

    paper: Paper = "in"
    cover_open: bool = False
    trouble: Trouble = ""
    #: Put off line by its own button, without any other cause.
    put_offline: bool = False

    @property
    def offline(self) -> bool:
        """It takes bytes and answers real-time questions, and prints nothing."""
        return self.put_offline or self.cover_open or self.paper == "out" or bool(self.trouble)

    def answer_to(self, question: int) -> int | None:
        """The byte that answers ``DLE EOT question``; None: no such question."""
        if question == 1:
            return 0x12 | (0x08 if self.offline else 0)
        if question == 2:
            cover, ended = (0x04 if self.cover_open else 0), (0x20 if self.paper == "out" else 0)
            return 0x12 | cover | ended | (0x40 if self.trouble else 0)
        if question == 3:
            return 0x12 | _TROUBLE_BIT[self.trouble]
        if question == 4:
            return 0x12 | {"in": 0, "low": 0x0C, "out": 0x6C}[self.paper]
        return None

    def status_back(self) -> bytes:
        """Automatic status back: four bytes."""
        first = 0x10 | (0x08 if self.offline else 0) | (0x20 if self.cover_open else 0)
        return bytes([first, _TROUBLE_BIT[self.trouble], self.paper_byte(), _FOURTH])

    def paper_byte(self) -> int:
        """The answer to ``GS r 1``."""
        return {"in": 0, "low": 0x03, "out": 0x0F}[self.paper]


def status_classes(before: bytes, after: bytes) -> int:
    """Which causes of ``GS a n`` differ between two status frames: 2 on line, 4 error, 8 paper sensor."""
    classes = 0
    if (before[0] ^ after[0]) & 0x28:
        classes |= 0x02
    if before[1] != after[1]:
        classes |= 0x04
    if before[2] != after[2]:
        classes |= 0x08
    return classes

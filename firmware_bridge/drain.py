"""After a slip that came to no good end: wait until the printer has worked off all that it still holds. Pure.

A printer that was out of paper prints the rest of the torn slip first, and answers that slip's last question then.
Taken for the answer to the next slip it would be a "done" for something that is not printed. So ``GS r`` is asked once
more; answers come in the order of the questions, and when this one is answered nothing older is on its way.
"""

from __future__ import annotations

from dataclasses import dataclass

from firmware_bridge import escpos

#: Answers that belong together come closer than this.
QUIET_MS = 250
#: A printer that names its slips says so when the paper has moved: later than ``GS r``, which is read ahead.
NAME_QUIET_MS = 1200
#: Who does not answer ``GS r`` at all: the rest of a slip is out after this.
AT_MOST_MS = 2000
#: NULs that fill up whatever is still awaited, even where a question was read as a length: ``GS ( 10 04 01`` makes 260.
LEAST_NULS = 300


@dataclass(slots=True)
class Drain:
    """Begun at ``asked_ms``. ``named``: a late name may still come."""

    asked_ms: int
    line_ms: int
    named: bool
    papers: int = 0
    heard_ms: int = 0

    @classmethod
    def begin(cls, tick_ms: int, mend_bytes: int, baud: int, named: bool) -> tuple[Drain, bytes]:
        """The drain, and what goes to the printer."""
        raw = escpos.wake(max(mend_bytes, LEAST_NULS)) + escpos.ASK_PAPER
        return cls(tick_ms, len(raw) * 10_000 // baud, named), raw

    def hear_paper(self, tick_ms: int) -> None:
        self.papers += 1
        self.heard_ms = tick_ms

    def over(self, tick_ms: int) -> bool:
        quiet_ms = NAME_QUIET_MS if self.named else QUIET_MS
        if self.papers >= escpos.PAPER_ANSWERS and tick_ms - self.heard_ms >= quiet_ms:
            return True
        return not self.papers and tick_ms - self.asked_ms >= AT_MOST_MS + self.line_ms

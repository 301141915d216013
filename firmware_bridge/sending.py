"""One slip under way: what of it has left, what the printer has answered, and what may be believed of it. Pure.

When is a slip printed? Not when its bytes are gone, and not when some answer came: a printer whose power failed for a
second takes the rest of a slip for a slip of its own, and answers its last question with the best conscience. So:

* Between the lines stand questions (``DLE EOT 1``), never more than `ALIVE_EVERY_MS` of the line apart. A printer that
  was dead needs longer than that to wake up, so it misses one of them: then its "done" is not believed.
* ``GS r`` is asked twice, and its two answers are believed only when a whole clean round of questions follows: a line
  that is pulled or switched off makes such bytes by itself. ``GS ( H`` brings the slip's own name and needs no more.
* Where the word is late, ``GS r`` is asked again (`PROBE_AFTER_MS`). Whoever answers that and not the first has lost
  the slip: nobody needs to wait longer.
* A printer without a voice is given the time it needs; that is called "not confirmed".
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum

from devices.faults import SlipFault
from firmware_bridge import escpos
from firmware_bridge.jobs import Job
from firmware_bridge.profiles import Profile
from firmware_bridge.walk import walk

#: Questions within a slip stand at most so far apart, and the first so far from its beginning. No receipt printer is
#: back sooner after its power was cut: they take 1 to 4 s.
ALIVE_EVERY_MS = 600
#: After the last byte should have arrived: if there is no word yet, it is asked for again. A ticket of 120 mm at
#: 100 mm/s is out 0.7 s after its last byte has come in at 9600 baud; where the printer is slower, the question waits
#: in its buffer behind the slip and harms nothing.
PROBE_AFTER_MS = 1000
#: Answers that belong together come within so long of each other.
TOGETHER_MS = 700
#: ``GS ( H`` comes when the paper has moved, ``GS r`` when the bytes were read: never so long apart.
NAME_WITHIN_MS = 1400
#: The slowest 58 mm printers.
SLOWEST_MM_S = 50
#: And the knife.
CUT_MS = 1000
#: Our choice of slack for a word that is not coming.
SLACK_MS = 3000


class Believed(Enum):
    """What is known of a slip under way."""

    WAIT = "wait"
    #: ``GS r`` was answered as often as it was asked: a clean round must follow.
    LOOK_AGAIN = "look_again"
    #: The printer's word, or where it has no voice the time it needs.
    DONE = "done"
    #: It was away in the middle of it.
    AWAY = "away"
    #: It answers, and the word is not coming.
    NO_WORD = "no_word"


@dataclass(slots=True)
class Sending:
    """``raw`` is what goes over the wire, questions included; times are monotonic milliseconds."""

    job: Job
    raw: bytes
    #: The name of its mark, "" where the printer has none.
    mark: str
    mute: bool
    baud: int
    began_ms: int
    mm: int
    #: Offsets behind each question within.
    questions: tuple[int, ...] = ()
    mend_before: int = 0
    left: int = 0
    progress_ms: int = 0
    still_there: int = 0
    papers: int = 0
    papers_ms: int = 0
    probed_ms: int | None = None
    named: bool = False
    clean_round: bool = False
    #: How long it could not go on without anybody's fault: too hot, off line.
    rested_ms: int = 0
    #: A question within was not answered, or the line was held without a cause: its power may have gone and come again.
    doubted: bool = False

    @property
    def arrives_ms(self) -> int:
        """When its last byte is over the line. 10 bits a byte: start, eight, stop."""
        return self.began_ms + len(self.raw) * 10_000 // self.baud

    @property
    def print_ms(self) -> int:
        """What the paper takes at the slowest."""
        return self.mm * 1000 // SLOWEST_MM_S + CUT_MS

    @property
    def answer_due_ms(self) -> int:
        """No answer can have come before: the next question within has only just arrived."""
        if self.still_there < len(self.questions):
            return self.began_ms + self.questions[self.still_there] * 10_000 // self.baud
        return self.arrives_ms

    @property
    def name_awaited(self) -> bool:
        """Its name may still come: nobody has waited for it in vain yet."""
        return bool(self.mark) and self.papers < escpos.PAPER_ANSWERS

    def hear_paper(self, tick_ms: int) -> None:
        self.papers += 1
        self.papers_ms = tick_ms
        self.clean_round = False

    def probe_due(self, tick_ms: int) -> bool:
        return (
            not self.mute
            and self.probed_ms is None
            and not self.papers
            and tick_ms >= self.arrives_ms + PROBE_AFTER_MS + self.rested_ms
        )

    def probe(self, tick_ms: int) -> bytes:
        """Ask for the word again."""
        self.probed_ms = tick_ms
        return escpos.ASK_PAPER

    def believed(self, tick_ms: int) -> Believed:
        """What may be believed now. Asked only when all of it has left."""
        if self.mute:
            over_ms = self.arrives_ms + self.print_ms + self.rested_ms
            return Believed.DONE if tick_ms >= over_ms else Believed.WAIT
        needed = escpos.PAPER_ANSWERS * (1 if self.probed_ms is None else 2)
        if self.mark:
            if self.named:
                return Believed.DONE if self.still_there >= len(self.questions) else Believed.AWAY
            lost = self.probed_ms is not None and self.papers >= escpos.PAPER_ANSWERS
            if lost and tick_ms - self.papers_ms >= NAME_WITHIN_MS + self.rested_ms:
                return Believed.NO_WORD
        elif self.papers >= needed:
            if self.still_there < len(self.questions):
                return Believed.AWAY
            return Believed.DONE if self.clean_round else Believed.LOOK_AGAIN
        elif self.papers and tick_ms - self.papers_ms >= TOGETHER_MS:
            return Believed.NO_WORD
        if tick_ms >= self.arrives_ms + SLACK_MS + 2 * self.print_ms + self.rested_ms:
            return Believed.NO_WORD
        return Believed.WAIT


def lay_out(job: Job, profile: Profile, mark: str, draw: escpos.Draw) -> escpos.Ink:
    """The slip of a job in the printer's language; 补打 stands on it where it was begun before.

    :raises SlipFault: it cannot be printed; the text says why.
    """
    try:
        body = json.loads(job.body)
    except (ValueError, RecursionError) as wrong:
        raise SlipFault(f"slip: not JSON: {wrong}") from wrong
    if not isinstance(body, dict):
        raise SlipFault("slip: must be a JSON object")
    ending = escpos.completion_mark(profile, mark) if profile.voice else b""
    return escpos.render(body, profile, ending, draw, copy=job.attempts > 0)


def with_questions(raw: bytes, baud: int) -> tuple[bytes, tuple[int, ...]]:
    """``raw`` with a question wherever one is due and a line ends, and the offset behind each."""
    every = baud * ALIVE_EVERY_MS // 10_000
    out = bytearray()
    offsets: list[int] = []
    sent = asked = 0
    places = walk(raw).places
    for number, place in enumerate(places):
        following = places[number + 1] if number + 1 < len(places) else len(raw)
        if following - asked > every:
            out += raw[sent:place] + escpos.ASK_STATUS[1]
            offsets.append(len(out))
            sent = asked = place
    out += raw[sent:]
    return bytes(out), tuple(offsets)


def paper_mm(raw: bytes) -> int:
    """How much paper a slip takes."""
    return walk(raw).mm

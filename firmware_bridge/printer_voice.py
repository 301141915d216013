"""What a printer says and what it keeps silent about, as the time passes. Pure: bytes and milliseconds in, words out.

Theory of operation. All four ``DLE EOT`` questions go out in one round; answers bear no number, so their order tells.
A round is believed only when it is whole and nothing strange came in between: one bad byte spoils it, and it is
asked anew. Besides, the printer tells of changes by itself (automatic status back), which it forgets when its power
goes: so it is asked for that again every few seconds. What a printer cannot say of itself is found here:

==============  ==========================================================================================
``silent``      a question stands, and for `SILENT_AFTER_MS` there was no answer
``garbage``     `STRANGE_BYTES` bytes that mean nothing, and not one good answer between them: a wrong baud rate
``flow_stopped``  bytes wait in the line and for `HELD_AFTER_MS` none could leave (the owner of the line says so)
``unknown``     nobody has asked yet, or the printer has no voice at all: neither well nor empty
==============  ==========================================================================================
"""

from __future__ import annotations

from dataclasses import dataclass

from firmware_bridge import escpos
from firmware_bridge.answers import Answers, Block, Paper, RealTime, StatusBack
from firmware_bridge.printer_state import TEARS, WELL, WORDS, Health

#: How often an idle printer is asked how it is. 12 bytes a second are 1 % of a 9600 baud line.
ASK_EVERY_MS = 1000
#: How often while a slip waits for its word or a fault stands: whoever has put in paper sees it at once.
ASK_SOON_MS = 250
#: After so long a round of which nothing was answered is asked anew. Longer than any answer takes.
ASK_SILENT_MS = 500
#: Without any answer for so long a printer is silent. An idle one is asked once a second, so it has had 1.3 s for an
#: answer that real printers give within 0.1 s; staff shall know within 3 s.
SILENT_AFTER_MS = 2300
#: A line that takes no byte for so long is held. A printer whose buffer is full holds it for a line or two of print.
HELD_AFTER_MS = 2000
#: So many bytes without a meaning, over so long, and none with one: noise. A plug that is pulled makes one or two.
STRANGE_BYTES, STRANGE_FOR_MS = 4, 150
#: How often an idle printer is asked to tell of changes by itself: 3 bytes, and it answers with 4.
SUBSCRIBE_EVERY_MS = 5000

#: The place of a question that stands within a slip: ``DLE EOT 1``, asked only to see whether anybody is there.
ALIVE = 0


@dataclass(frozen=True, slots=True)
class Round:
    """All four questions were answered, cleanly: `PrinterVoice.state` is what the printer says now."""


@dataclass(frozen=True, slots=True)
class StillThere:
    """A question within a slip was answered."""


@dataclass(frozen=True, slots=True)
class Changed:
    """The printer told of itself."""


@dataclass(frozen=True, slots=True)
class Named:
    """``GS ( H`` 48: everything before the mark of this name is on paper."""

    process_id: str


Heard = Round | StillThere | Changed | Named | Paper


class PrinterVoice:
    """One printer's voice.

    :param mute: this printer never says anything (its answers' wire is not connected, or its maker left them out).
    """

    def __init__(self, mute: bool = False) -> None:
        self.mute = mute
        self.health = Health()
        self.next_ask_ms = 0
        self._answers = Answers()
        self.begin(0)

    def begin(self, tick_ms: int) -> None:
        """The line was opened: nothing is known."""
        self._answers.reset()
        self.health = Health()
        self._silent = self._garbage = False
        #: Bytes wait and none can leave; and whether that is what is wrong.
        self.held = self._holds = False
        self._silent_ms = tick_ms
        self._pending: list[int] = []
        self._round: list[int] = []
        self._spoiled = False
        self._strange = 0
        self._strange_ms = self._noise_ms = -SILENT_AFTER_MS
        self.heard_ms = self._asked_ms = tick_ms
        self._subscribed_ms = -SUBSCRIBE_EVERY_MS
        self.next_ask_ms = tick_ms

    @property
    def state(self) -> str:
        """One word of docs/protocol.md, section 8 (``port_missing`` is the line's owner's)."""
        said = self.health.state
        if self._holds and said not in TEARS and said != "offline":
            return "flow_stopped"
        if self._garbage:
            return "garbage"
        if self._silent:
            return "silent"
        return said or "unknown"

    @property
    def words(self) -> tuple[str, str]:
        """What happened and what to do, Chinese and English."""
        state = self.state
        if self.mute and state == "unknown":
            return WORDS["mute"]
        return self.health.words if state == self.health.state else WORDS[state]

    @property
    def can_print(self) -> bool:
        return self.state in WELL or (self.mute and not self.held)

    @property
    def asked(self) -> bool:
        """A question stands."""
        return bool(self._pending)

    # ------------------------------------------------------------ asking

    def due(self, tick_ms: int) -> bool:
        """Whether it is time for a round. One under way is left alone: asking again would mix up the answers."""
        return not self.mute and not self._pending and tick_ms >= self.next_ask_ms

    def ask(self, tick_ms: int, soon: bool = False) -> bytes:
        """A round of all four. ``soon``: somebody waits for the answer after this one."""
        fault = self.state not in WELL
        self.next_ask_ms = tick_ms + (ASK_SOON_MS if soon or fault else ASK_EVERY_MS)
        self._pending += [1, 2, 3, 4]
        self._round.clear()
        self._spoiled = False
        self._asked_ms = tick_ms
        return b"".join(escpos.ASK_STATUS[number] for number in (1, 2, 3, 4))

    def ask_within(self, count: int) -> None:
        """So many questions stand within a slip that is about to be sent."""
        self._pending += [ALIVE] * count

    def lost_within(self) -> bool:
        """Forget questions within a slip that had to be answered by now. True: there was one, so somebody was away.

        They must not stand when a round is asked: its first answer would be taken for theirs.
        """
        lost = ALIVE in self._pending
        self._pending = [one for one in self._pending if one != ALIVE]
        return lost

    def drop_questions(self) -> None:
        """The line's bytes were thrown away, and the questions with them."""
        self._pending.clear()

    def subscribe(self, tick_ms: int) -> bytes:
        """What makes the printer tell of changes by itself, where it is time to say so again, else nothing."""
        if self.mute or tick_ms - self._subscribed_ms < SUBSCRIBE_EVERY_MS:
            return b""
        self._subscribed_ms = tick_ms
        return escpos.TELL_ALL

    # ------------------------------------------------------------ hearing

    def hear(self, data: bytes, tick_ms: int) -> list[Heard]:
        """What the bytes mean, in their order."""
        heard: list[Heard] = []
        for byte in data:
            junk = self._answers.junk
            answers = self._answers.feed(bytes([byte]))
            if self._answers.junk > junk:
                self.strange(tick_ms)
            heard.extend(one for answer in answers if (one := self._take(answer, tick_ms)) is not None)
        return heard

    def _take(self, answer: RealTime | StatusBack | Block | Paper, tick_ms: int) -> Heard | None:
        if isinstance(answer, RealTime):
            return self._take_real_time(answer.byte, tick_ms)
        if isinstance(answer, StatusBack):
            if self._strange >= STRANGE_BYTES:
                return None  # four bytes of noise may look like it
            self.health.hear_status_back(answer)
            self._good(tick_ms)
            return Changed()
        if isinstance(answer, Block):
            if answer.process_id is None:
                return None
            self._good(tick_ms)
            return Named(answer.process_id)
        return answer

    def _take_real_time(self, byte: int, tick_ms: int) -> Heard | None:
        if not self._pending:
            return None  # the late answer to a round that was given up
        question = self._pending.pop(0)
        self.heard_ms = tick_ms
        if question == ALIVE:
            self._good(tick_ms)
            return StillThere()
        self._round.append(byte)
        if question != 4:
            return None
        if self._spoiled or len(self._round) != 4:
            self.next_ask_ms = tick_ms
            return None
        for number, one in enumerate(self._round, start=1):
            self.health.hear_real_time(number, one)
        self._good(tick_ms)
        return Round()

    def strange(self, tick_ms: int) -> None:
        """A byte came that means nothing."""
        self._spoiled = True
        if not self._strange:
            self._strange_ms = tick_ms
        self._strange += 1
        self._noise_ms = tick_ms

    def _good(self, tick_ms: int) -> None:
        if self._silent or self._garbage:
            self._subscribed_ms = -SUBSCRIBE_EVERY_MS  # its power may have been off
        self.heard_ms = tick_ms
        self._strange = 0
        self._silent = self._garbage = False

    # ------------------------------------------------------------ the time

    def hold(self, held_ms: int, tick_ms: int) -> None:
        """For so long bytes have waited of which none could leave.

        A printer that is switched off takes nothing either, in the end: one that was silent long before stays silent.
        """
        was, self.held = self.held, held_ms >= HELD_AFTER_MS
        if self.held and not was:
            self._holds = not self._silent or tick_ms - self._silent_ms <= 2 * HELD_AFTER_MS
        self._holds = self._holds and self.held

    def look(self, tick_ms: int, since_ms: int = 0) -> bool:
        """What time alone brings. ``since_ms``: no answer can have come before.

        True: this is the moment in which the printer fell silent.
        """
        if self.mute or self.held:
            return False
        if (
            self._strange >= STRANGE_BYTES
            and tick_ms - self._strange_ms >= STRANGE_FOR_MS
            and not self._garbage
        ):
            self._garbage = True
            self.health = Health()
        if self._garbage and tick_ms - self._asked_ms >= ASK_EVERY_MS:
            self._pending.clear()
        if self._silent:
            # Nothing is on its way: asked anew, so that whoever comes back is heard at once.
            if tick_ms - self._asked_ms >= ASK_SILENT_MS:
                self._pending.clear()
            return False
        if self._pending and not self._round and ALIVE not in self._pending:
            # Not one of the four was answered: the printer was not there when they came. Asked anew.
            unheard_ms = tick_ms - max(self.heard_ms, since_ms)
            if tick_ms - max(self._asked_ms, since_ms) >= ASK_SILENT_MS and unheard_ms < SILENT_AFTER_MS:
                self.next_ask_ms = min(self.next_ask_ms, tick_ms)
                self._pending.clear()
        waited_ms = tick_ms - max(self.heard_ms, self._noise_ms if self._strange else 0, since_ms)
        if waited_ms < SILENT_AFTER_MS or not (self._pending or self._garbage):
            return False
        self._pending.clear()
        self.next_ask_ms = tick_ms
        if self._round and not self._garbage and self.heard_ms >= self._asked_ms > 0:
            return False  # some answers came and one was lost: asked anew
        self._garbage = False
        self._strange = 0
        self.health = Health()
        self._silent = True
        self._silent_ms = tick_ms
        return True

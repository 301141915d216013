"""One printer's conduct: asks how it is, sends what waits, believes only its own word.

Theory of operation. The desk never waits: the loop calls `readable`, `writable` and `turn`, and hands in a
monotonic time. ``printer_voice.py`` knows what the printer says and when it says nothing, ``sending.py`` what may be
believed of the slip under way, ``spool.py`` what may become of a job; here they meet the port and the notebook.

A slip is begun only when all four questions were answered just now and the printer is well ("never ready from
silence"; a printer without a voice cannot be asked). Then, in this order: ``SENDING`` is written to the disk; bytes
go out; the printer says "done"; ``PRINTED`` is written. What goes wrong in between:

=========================================  ==============================================================
the printer says paper out, cover, error   proved unfinished, void: QUEUED again, later printed whole, marked 补打
no word in time, or the line is lost       UNSURE: staff look; the next slip goes on
not one byte had left                      QUEUED, as if nothing had been
=========================================  ==============================================================

After any of them the printer may still wait for the rest of a block, or hold the rest of a slip: it is woken, then
drained (``drain.py``), and the next slip begins with `escpos.mend`.
"""

from __future__ import annotations

import logging

from devices.faults import NotWritten, OutsideDown, SlipFault
from devices.plan import Printer
from firmware_bridge import escpos
from firmware_bridge.answers import Paper
from firmware_bridge.debt import Debt
from firmware_bridge.drain import Drain
from firmware_bridge.jobs import Job, Jobs
from firmware_bridge.printer_report import Held, PrinterReport
from firmware_bridge.printer_state import ENDED_BY_ASKING, WELL, WORDS
from firmware_bridge.printer_voice import (
    ASK_SOON_MS,
    Changed,
    Named,
    PrinterVoice,
    Round,
    StillThere,
)
from firmware_bridge.profiles import Profile
from firmware_bridge.sending import ALIVE_EVERY_MS, Believed, Sending, lay_out, paper_mm, with_questions
from firmware_bridge.serial_port import CHUNK_BYTES, SerialPort
from firmware_bridge.spool import MOST_SENDINGS, Event
from gateway.log import say

#: Slips of one printer begin at least so far apart. No real printer is faster (600 bytes at 115,200 baud take 52 ms,
#: the cut alone 100 ms), and each beginning costs a sync of the disk that the next ticket would wait for: measured,
#: 500 tickets took up to 2.1 s beside a virtual printer of endless speed (docs/measurements.md).
SLIP_GAP_MS = 60
#: A line that takes no byte for so long is stuck, and the slip is given up. Longer than it takes to say so: a printer
#: may hold the line while its buffer is full, and 4 KiB take 4 s to print.
STUCK_AFTER_MS = 6000
#: A printer that is there answers a question within a slip so soon; real ones in a tenth of it.
ANSWER_WITHIN_MS = 300
#: And where it has not answered after this, the rest of a long slip need not be sent to it.
GONE_AFTER_MS = 1000
AWAY = ("打印中途打印机断过电或断过线", "the printer was away for a moment in the middle of it")
#: How often a printer with an error is asked to recover (``DLE ENQ 2``): a person has cleared it meanwhile, or not.
RECOVER_EVERY_MS = 3000
RECOVER = b"\x10\x05\x02"


class PrinterDesk:
    """One printer of hall.toml. Only the loop's thread calls it."""

    def __init__(
        self,
        printer: Printer,
        port: SerialPort,
        profile: Profile,
        jobs: Jobs,
        draw: escpos.Draw = escpos.no_drawing,
    ) -> None:
        self.printer = printer
        self.port = port
        self.profile = profile
        self.voice = PrinterVoice(mute=not profile.voice)
        self.report = PrinterReport(printer.id, jobs)
        self._jobs = jobs
        self._draw = draw
        self._out = bytearray()
        self._slip: Sending | None = None
        self._late: Sending | None = None
        self._debt = Debt(printer.id)
        self._began_ms = -SLIP_GAP_MS
        self._next_recover_ms = self._turned_ms = 0
        self._drain: Drain | None = None
        self._held = Held()
        self._begun = False

    @property
    def state(self) -> str | None:
        """What bridge.db says of it; None before the first word."""
        return self.report.state

    @property
    def busy(self) -> bool:
        """A slip is under way, or its end is not yet written."""
        return self._slip is not None or self._debt.owed

    @property
    def wants_to_write(self) -> bool:
        return bool(self._out)

    # ------------------------------------------------------------ called by the loop

    def nudge(self, tick_ms: int) -> None:
        """A job has come in: ask the printer at once how it is."""
        if self.port.is_open and not self.busy and not self.voice.asked:
            self._ask(tick_ms)

    def forget_late(self) -> None:
        """The jobs were put away (another kiosk.db): a late "done" is nobody's. Only while not `busy`."""
        self._late = None

    def readable(self, tick_ms: int) -> None:
        try:
            data = self.port.read()
        except OutsideDown:
            self._line_lost(tick_ms)
            return
        for heard in self.voice.hear(data, tick_ms):
            if isinstance(heard, Round):
                if self._slip is not None:
                    self._slip.clean_round = True
                self._tell_state(tick_ms)
                self._round_done(tick_ms)
            elif isinstance(heard, Changed):
                self._tell_state(tick_ms)
            elif isinstance(heard, StillThere):
                if self._slip is not None:
                    self._slip.still_there += 1
            elif isinstance(heard, Named):
                self._hear_name(heard.process_id, tick_ms)
            elif isinstance(heard, Paper):
                self._hear_paper(tick_ms)
        self._believe(tick_ms)

    def writable(self, tick_ms: int) -> None:
        while self._out and self.port.is_open:
            try:
                went = self.port.write(bytes(self._out[:CHUNK_BYTES]))
            except OutsideDown:
                self._line_lost(tick_ms)
                return
            if not went:
                return
            del self._out[:went]
            if self._slip is not None:
                self._slip.left += went
                self._slip.progress_ms = tick_ms

    def turn(self, tick_ms: int) -> None:
        """What time alone brings: opening, asking, giving up."""
        passed_ms, self._turned_ms = tick_ms - self._turned_ms, tick_ms
        if not self._debt.settle(tick_ms):
            return
        if self.port.is_open and not self.port.still_there(tick_ms):
            self._line_lost(tick_ms)
        if not self.port.is_open:
            if not self.port.try_open(tick_ms):
                self._be("port_missing", (self.port.why_zh, self.port.why_en), tick_ms)
                return
            self._opened(tick_ms)
        self._watch_line(tick_ms)
        if self.voice.look(tick_ms, self._slip.answer_due_ms if self._slip is not None else 0):
            self._fell_silent(tick_ms)
        self._tell_state(tick_ms)
        if self._slip is not None:
            self._watch_slip(tick_ms, passed_ms)
        elif self.voice.mute:
            self._round_done(tick_ms)
        self._recover(tick_ms)
        if self.voice.due(tick_ms) and not self._out and self.port.is_open and self._may_ask(tick_ms):
            self._ask(tick_ms)

    def close(self) -> None:
        """We are stopping. A job under way stays SENDING in the notebook: at the next start it is UNSURE."""
        self.port.close()

    # ------------------------------------------------------------ asking

    def _opened(self, tick_ms: int) -> None:
        self.voice.begin(tick_ms)
        self._out.clear()
        self._held = Held()
        self._drain = None
        if not self._begun:
            self._begun = True
            self._remember_torn(tick_ms)
        # Whoever was interrupted in a block is woken first: a question would be taken for the rest of it.
        self._out += escpos.wake(self._jobs.mend_bytes(self.printer.id))
        self._ask(tick_ms, tell=True)

    def _remember_torn(self, tick_ms: int) -> None:
        """We began anew in the middle of a slip. A printer that names its slips may still say that it is whole."""
        job = self._jobs.torn_last(self.printer.id) if self.profile.has_process_id else None
        if job is not None:
            mark = escpos.process_id(job.sending)
            self._late = Sending(job, b"", mark, False, self.printer.baud, tick_ms, 0)

    def _ask(self, tick_ms: int, tell: bool = False) -> None:
        """All four questions; before them, where it is time, the wish to be told of changes by itself. A printer that
        stands still reads no wishes: they would fill its buffer."""
        if tell or (self._slip is None and self.voice.state in WELL):
            self._out += self.voice.subscribe(tick_ms)
        self._out += self.voice.ask(tick_ms, soon=self._slip is not None)
        self.writable(tick_ms)

    def _may_ask(self, tick_ms: int) -> bool:
        """Never in the middle of a slip: a question would be taken for its dots."""
        slip = self._slip
        if slip is None:
            return True
        unanswered = slip.still_there < len(slip.questions)
        if tick_ms < slip.arrives_ms + (ANSWER_WITHIN_MS if unanswered else 0):
            return False
        if unanswered and self.voice.lost_within():
            slip.doubted = True
        return True

    def _round_done(self, tick_ms: int) -> None:
        """The printer is known: if it is well, the next slip goes out."""
        if self.busy or not self.voice.can_print:
            return
        if tick_ms < self._began_ms + SLIP_GAP_MS:
            self.voice.next_ask_ms = self._began_ms + SLIP_GAP_MS
            return
        if self._drained(tick_ms):
            self._begin_slip(tick_ms)
        else:
            self.voice.next_ask_ms = min(self.voice.next_ask_ms, tick_ms + ASK_SOON_MS)

    def _drained(self, tick_ms: int) -> bool:
        """Whether nothing of an earlier slip is on its way any more. Begins to see to it where something may be."""
        if self._drain is not None:
            return self._drain.over(tick_ms)
        mend_bytes = self._jobs.mend_bytes(self.printer.id)
        if not mend_bytes or self.voice.mute:
            return True
        named = self._late is not None and self._late.name_awaited
        self._drain, raw = Drain.begin(tick_ms, mend_bytes, self.printer.baud, named)
        self._out += raw
        self.writable(tick_ms)
        return False

    def _recover(self, tick_ms: int) -> None:
        """An error whose cause was cleared by hand ends by asking; what was left of the slip is thrown away with it."""
        erred = self.state in ENDED_BY_ASKING and not self.voice.health.rests
        free = self._slip is None and not self._out and not self.voice.asked
        if erred and free and tick_ms >= self._next_recover_ms:
            self._next_recover_ms = tick_ms + RECOVER_EVERY_MS
            self._out += RECOVER

    # ------------------------------------------------------------ how it is

    def _tell_state(self, tick_ms: int) -> None:
        if not self.port.is_open:
            return
        state = self.voice.state
        if state != "unknown" or self.voice.mute or self.state == "port_missing":
            self._be(state, self.voice.words, tick_ms)
        if self._slip is not None and self.voice.health.tears and not self._slip.papers:
            self._proved_unfinished(tick_ms)

    def _be(self, state: str, words: tuple[str, str], tick_ms: int) -> None:
        able = state in WELL or (self.voice.mute and state == "unknown")
        if not able:
            self._drain = None  # it begins anew when the printer is well
        self.report.be(state, words, able, tick_ms)

    def _watch_line(self, tick_ms: int) -> None:
        """Whether bytes wait that nobody takes."""
        held_ms = self._held.look(len(self._out) + (self.port.waiting() if self.port.is_open else 0), tick_ms)
        self.voice.hold(held_ms, tick_ms)
        if self._slip is not None and held_ms >= ALIVE_EVERY_MS and not self.voice.health.offline:
            self._slip.doubted = True  # its power may have gone and come again meanwhile

    def _fell_silent(self, tick_ms: int) -> None:
        if self._slip is not None:
            self._word_missing(tick_ms, "打印机没有回音", "the printer fell silent")

    # ------------------------------------------------------------ a slip begins

    def _begin_slip(self, tick_ms: int) -> None:
        job = self._jobs.next_queued(self.printer.id)
        if job is None:
            return
        self._began_ms = tick_ms
        number = self._jobs.sending_number()
        mark = escpos.process_id(number)
        try:
            ink = lay_out(job, self.profile, mark, self._draw)
        except SlipFault as wrong:
            self._bad_slip(job, wrong)
            return
        before = self._jobs.mend_bytes(self.printer.id)
        try:
            self._jobs.send_began(job, number, max(before, ink.longest_block))
        except NotWritten as wrong:
            self._say_of(job, "print_not_written", f"slip {job.slip_id} waits: {wrong}", logging.ERROR)
            return
        raw = (escpos.mend(before, self.profile) if before else b"") + ink.raw
        questions: tuple[int, ...] = ()
        if not self.voice.mute:
            raw, questions = with_questions(raw, self.printer.baud)
            self.voice.ask_within(len(questions))
        named = mark if self.profile.has_process_id else ""
        self._slip = Sending(
            job, raw, named, self.voice.mute, self.printer.baud, tick_ms, paper_mm(ink.raw), questions, before
        )
        self._slip.progress_ms = tick_ms
        self._late = self._drain = None
        self.voice.next_ask_ms = self._slip.arrives_ms
        self._out += raw
        if ink.missing:
            lacks = (
                f"slip {job.slip_id}: no font here has {ink.missing}: 〓 was printed; install fonts-noto-cjk"
            )
            self._say_of(job, "characters_missing", lacks)
        self.writable(tick_ms)

    def _bad_slip(self, job: Job, wrong: SlipFault) -> None:
        try:
            self._jobs.step(
                job, Event.BAD_SLIP, f"这张单无法打印：{wrong}", f"this slip cannot be printed: {wrong}"
            )
        except NotWritten:
            return  # said by the notebook's next user; the slip stays QUEUED and is refused again
        self._say_of(job, "slip_refused", f"slip {job.slip_id} cannot be printed: {wrong}", logging.ERROR)
        self.voice.next_ask_ms = 0

    # ------------------------------------------------------------ its word

    def _hear_name(self, process_id: str, tick_ms: int) -> None:
        if self._slip is not None and process_id == self._slip.mark and not self._out:
            self._slip.named = True
        elif self._late is not None and process_id == self._late.mark:
            # The printer's word for a slip that was given up as UNSURE: it is still its word.
            late, self._late = self._late, None
            self._done(late, "process_id", tick_ms)

    def _hear_paper(self, tick_ms: int) -> None:
        if self._slip is not None:
            if not self._out:
                self._slip.hear_paper(tick_ms)
                self.voice.next_ask_ms = tick_ms
            return  # it cannot have printed what has not been sent: an answer from before
        if self._drain is not None:
            self._drain.hear_paper(tick_ms)
        else:
            self.voice.strange(tick_ms)  # nobody asked

    def _believe(self, tick_ms: int) -> None:
        """Whether the slip under way has come to its end."""
        slip = self._slip
        if slip is None or self._out:
            return
        verdict = slip.believed(tick_ms)
        if verdict is Believed.LOOK_AGAIN and not self.voice.asked:
            self._ask(tick_ms)
        elif verdict is Believed.AWAY or (verdict is Believed.DONE and slip.doubted):
            self._word_missing(tick_ms, *AWAY)
        elif verdict is Believed.NO_WORD:
            self._word_missing(tick_ms, "打印机一直没说打完", "the printer never said that it was done")
        elif verdict is Believed.DONE:
            self._slip = None
            self._done(slip, "time" if slip.mute else "process_id" if slip.mark else "status", tick_ms)
            if slip.clean_round:
                self._round_done(tick_ms)  # the round that was believed just now is as good as a new one
            else:
                self.nudge(tick_ms)

    def _done(self, slip: Sending, by: str, tick_ms: int) -> None:
        job = slip.job
        self._debt.owe(lambda: self._jobs.said_done(job, by, slip.mm), tick_ms)
        say(
            "slip_printed",
            f"slip {job.slip_id} is printed" + (", not confirmed" if by == "time" else ""),
            printer=self.printer.id,
            slip_id=job.slip_id,
            confirmed_by=by,
        )

    def _watch_slip(self, tick_ms: int, passed_ms: int) -> None:
        slip = self._slip
        assert slip is not None
        if self.voice.health.rests or self.voice.state == "offline":
            slip.rested_ms += passed_ms
            slip.progress_ms += passed_ms
        waits = bool(self._out) or (self.port.is_open and self.port.waiting() > 0)
        if waits and tick_ms - max(slip.progress_ms, self._held.since_ms) >= STUCK_AFTER_MS:
            self._word_missing(tick_ms, "打印机不收数据", "the printer takes no more bytes")
            self._start_line_over()
            return
        overdue = slip.still_there < len(slip.questions) and tick_ms >= slip.answer_due_ms + GONE_AFTER_MS
        if overdue and not slip.rested_ms and self._held.since_ms >= tick_ms - ALIVE_EVERY_MS:
            self._word_missing(tick_ms, *AWAY)
            return
        if not self._out and slip.probe_due(tick_ms) and not self.voice.asked:
            self._out += slip.probe(tick_ms)
            self.writable(tick_ms)
        self._believe(tick_ms)

    # ------------------------------------------------------------ what goes wrong

    def _word_missing(self, tick_ms: int, zh: str, en: str) -> None:
        self._end_slip(
            Event.WORD_MISSING,
            f"{zh}：请看这张纸是否完整",
            f"{en}: please look whether the slip is whole",
            tick_ms,
        )

    def _proved_unfinished(self, tick_ms: int) -> None:
        """The printer itself says that it cannot go on, before it said "done": the slip is in two pieces."""
        assert self._slip is not None
        zh, en = WORDS[self.voice.state]
        if self._slip.job.attempts + 1 >= MOST_SENDINGS:
            self._end_slip(
                Event.WORD_MISSING, f"多次没打完（{zh}）", f"several times not finished ({en})", tick_ms
            )
        else:
            zh, en = f"没打完，将补打：{zh}", f"not finished, comes again: {en}"
            self._end_slip(Event.PROVED_UNFINISHED, zh, en, tick_ms)

    def _end_slip(self, event: Event, why_zh: str, why_en: str, tick_ms: int) -> None:
        slip, self._slip = self._slip, None
        assert slip is not None
        job = slip.job
        # What the kernel holds of it is not sent either. A late answer is heard before anything is asked again.
        thrown = self.port.discard() if self.port.is_open else 0
        slip.left = max(0, slip.left - thrown)
        self.voice.lost_within()
        self.voice.next_ask_ms = tick_ms + ANSWER_WITHIN_MS
        self._drain = None
        # The rest of the slip is not sent: no question may be taken for it.
        self._out[:] = escpos.wake(self._jobs.mend_bytes(self.printer.id)) if slip.left else b""
        if slip.left == 0:
            # A byte may have slipped away while the rest was thrown away.
            mend_bytes = max(slip.mend_before, escpos.SHORT_COMMANDS if thrown else 0)
            self._debt.owe(lambda: self._jobs.nothing_left(job, mend_bytes), tick_ms)
            return
        if event in (Event.WORD_MISSING, Event.LINE_LOST) and slip.mark:
            self._late = slip
        self._debt.owe(lambda: self._jobs.step(job, event, why_zh, why_en, slip.mm), tick_ms)
        self._say_of(job, "slip_" + event.value, f"slip {job.slip_id}: {why_en}")

    def _line_lost(self, tick_ms: int) -> None:
        if self._slip is not None:
            self._end_slip(
                Event.LINE_LOST,
                "打印中途断线：请看这张纸是否完整",
                "the line was lost in the middle of it: please look whether the slip is whole",
                tick_ms,
            )
        self._out.clear()
        self.voice.drop_questions()
        self._be("port_missing", (self.port.why_zh, self.port.why_en), tick_ms)

    def _say_of(self, job: Job, event: str, text: str, level: int = logging.WARNING) -> None:
        say(event, text, level=level, printer=self.printer.id, slip_id=job.slip_id)

    def _start_line_over(self) -> None:
        """Throw away what a stuck line still holds, and open it anew."""
        self.port.close()
        self._out.clear()
        self.voice.drop_questions()

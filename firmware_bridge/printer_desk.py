"""One printer's conduct: asks how it is, sends what waits, believes only its own word.

Theory of operation. The desk never waits: the loop calls `readable`, `writable` and `turn`, and hands in a
monotonic time. Once a second, and again before every slip, it asks all four ``DLE EOT`` questions in one go; automatic
status back tells it of changes in between. A slip is begun only when all four were answered just now and the
printer is well ("never ready from silence"). Then, in this order: ``SENDING`` is written to the disk; bytes go
out; the printer says "done"; ``PRINTED`` is written. What goes wrong in between:

=========================================  ==============================================================
the printer says paper out, cover, error   proved unfinished: QUEUED again, later printed whole, marked 补打
no word in time, or the line is lost       UNSURE: staff look; the next slip goes on
not one byte had left                      QUEUED, as if nothing had been
=========================================  ==============================================================

After any of them the printer may still wait for the rest of a block: the next slip begins with `escpos.mend`.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable

from devices.faults import NotWritten, OutsideDown, SlipFault
from devices.plan import Printer
from firmware_bridge import escpos
from firmware_bridge.answers import Answers, Block, Health, Paper, RealTime
from firmware_bridge.jobs import Job, Jobs
from firmware_bridge.profiles import Profile
from firmware_bridge.serial_port import CHUNK_BYTES, SerialPort
from firmware_bridge.spool import MOST_SENDINGS, Event
from gateway.log import say, say_once

#: Slips of one printer begin at least so far apart. No real printer is faster (600 bytes at 115,200 baud take 52 ms,
#: the cut alone 100 ms), and each beginning costs a sync of the disk that the next ticket would wait for: measured,
#: 500 tickets took up to 2.1 s beside a virtual printer of endless speed (docs/measurements.md).
SLIP_GAP_MS = 60
#: How often an idle printer is asked how it is. 12 bytes a second are 1 % of a 9600 baud line.
ASK_EVERY_MS = 1000
#: Without any answer for so long a printer is silent. docs: staff shall know within 3 s.
SILENT_AFTER_MS = 3000
#: A line that takes no byte for so long is stuck. Longer than `SILENT_AFTER_MS`: a printer may hold the line while
#: its buffer is full, and 4 KiB take 4 s to print.
STUCK_AFTER_MS = 6000
#: After the last byte should have arrived, "done" may take so long: 200 mm of paper at the 50 mm/s of the slowest
#: 58 mm printers are 4 s, and a cut one more; doubled.
DONE_WITHIN_MS = 10_000
#: After paper has returned, a printer prints what is left in its buffer; the new slip waits so long for its late
#: "done", so that it is not taken for the new one's.
DRAIN_MS = 2000

WORDS = {
    "ready": ("", ""),
    "paper_low": ("纸快用完了：请准备一卷新纸", "paper is nearly at its end: have a new roll at hand"),
    "paper_out": (
        "缺纸：请换一卷纸，换好后会自动接着打",
        "out of paper: put in a new roll; printing goes on by itself",
    ),
    "cover_open": ("机盖开着：请合上，合好后会自动接着打", "the cover is open: close it; printing goes on by itself"),
    "recoverable": (
        "打印机报错（可能卡纸或切刀卡住）：关电源，清理后再开",
        "the printer reports an error (paper jam or cutter?): switch it off, clear it, switch it on",
    ),
    "silent": (
        "打印机没有回音：检查电源和数据线；号码照常发放，屏幕上可见",
        "no answer from the printer: check power and cable; numbers are still given on the screen",
    ),
}


class PrinterDesk:
    """One printer of hall.toml. Only the loop's thread calls it."""

    def __init__(
        self, printer: Printer, port: SerialPort, profile: Profile, jobs: Jobs, draw: escpos.Draw = escpos.no_drawing
    ) -> None:
        self.printer = printer
        self.port = port
        self.profile = profile
        self.answers = Answers()
        self.health = Health()
        self.state: str | None = None
        self._jobs = jobs
        self._draw = draw
        self._out = bytearray()
        self._asked: list[int] = []
        self._asked_ms = self._next_ask_ms = 0
        self._began_ms = -SLIP_GAP_MS
        self._heard_ms = 0
        self._job: Job | None = None
        self._mark = ""
        self._papers = 0
        self._mend_before = 0
        self._left_bytes = 0
        self._progress_ms = 0
        self._arrived_ms = 0
        self._drain_until_ms: int | None = None
        self._late: Job | None = None
        self._owed: Callable[[], object] | None = None
        self._owed_again_ms = 0

    @property
    def busy(self) -> bool:
        """A slip is under way, or its end is not yet written."""
        return self._job is not None or self._owed is not None

    @property
    def wants_to_write(self) -> bool:
        return bool(self._out)

    # ------------------------------------------------------------ called by the loop

    def nudge(self, tick_ms: int) -> None:
        """A job has come in: ask the printer at once how it is."""
        if self.port.is_open and not self.busy and not self._asked:
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
        for answer in self.answers.feed(data):
            self._heard_ms = tick_ms
            if isinstance(answer, RealTime):
                self._hear_real_time(answer.byte, tick_ms)
            elif isinstance(answer, Block):
                if answer.process_id is not None:
                    self._hear_done(answer.process_id, tick_ms)
            elif isinstance(answer, Paper):
                self._papers += 1
                if self._papers >= escpos.PAPER_ANSWERS:
                    self._papers = 0
                    self._hear_done("", tick_ms)
            else:
                self.health.hear_status_back(answer)
                self._health_changed(tick_ms)

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
            self._progress_ms = tick_ms
            if self._job is not None:
                self._left_bytes += went

    def turn(self, tick_ms: int) -> None:
        """What time alone brings: opening, asking, giving up."""
        if not self._settle_debt(tick_ms):
            return
        if self.port.is_open and not self.port.still_there(tick_ms):
            self._line_lost(tick_ms)
        if not self.port.is_open:
            if not self.port.try_open(tick_ms):
                self._be("port_missing", self.port.why_zh, self.port.why_en)
                return
            self._opened(tick_ms)
        if self._job is not None:
            self._watch_job(tick_ms)
        elif self._asked and tick_ms - self._heard_ms >= SILENT_AFTER_MS:
            self._fell_silent()
        # A round under way is left alone for as long as it may take: asking again would mix up the answers.
        free = not self._asked or tick_ms - self._asked_ms >= SILENT_AFTER_MS
        if self.port.is_open and tick_ms >= self._next_ask_ms and free and not self._out:
            self._ask(tick_ms)

    def close(self) -> None:
        """We are stopping. A job under way stays SENDING in the notebook: at the next start it is UNSURE."""
        self.port.close()

    # ------------------------------------------------------------ asking

    def _opened(self, tick_ms: int) -> None:
        self.answers.reset()
        self.health = Health()
        self._out.clear()
        self._asked = []
        self._papers = 0
        self._heard_ms = tick_ms
        self._drain_until_ms = None
        self._out += escpos.wake(self._jobs.mend_bytes(self.printer.id)) + escpos.TELL_ALL
        self._ask(tick_ms)

    def _ask(self, tick_ms: int) -> None:
        """All four questions in one go. Answers bear no number: their order tells. An unanswered round is void."""
        self._next_ask_ms = tick_ms + ASK_EVERY_MS
        self._asked = [1, 2, 3, 4]
        self._asked_ms = tick_ms
        for question in self._asked:
            self._out += escpos.ASK_STATUS[question]
        self.writable(tick_ms)

    def _hear_real_time(self, byte: int, tick_ms: int) -> None:
        if not self._asked:
            return  # the late answer to a round that was given up
        self.health.hear_real_time(self._asked.pop(0), byte)
        if not self._asked:
            self._health_changed(tick_ms)
            self._round_done(tick_ms)

    def _health_changed(self, tick_ms: int) -> None:
        state = self.health.state
        if state is None:
            return
        self._be(state, *WORDS[state])
        hindered = self.health.paper_out or self.health.cover_open or self.health.error
        if self._job is not None and hindered:
            self._proved_unfinished(tick_ms)

    def _fell_silent(self) -> None:
        self.health = Health()
        self._be("silent", *WORDS["silent"])

    def _round_done(self, tick_ms: int) -> None:
        """All four questions are answered: if the printer is well, the next slip goes out."""
        if self.busy or self.state not in ("ready", "paper_low"):
            return
        if self._drain_until_ms is not None:
            if self._drain_until_ms == 0:
                self._drain_until_ms = tick_ms + DRAIN_MS
            if tick_ms < self._drain_until_ms:
                return
            self._drain_until_ms = None
        if tick_ms < self._began_ms + SLIP_GAP_MS:
            self._next_ask_ms = self._began_ms + SLIP_GAP_MS
            return
        self._begin_job(tick_ms)

    # ------------------------------------------------------------ a slip

    def _begin_job(self, tick_ms: int) -> None:
        job = self._jobs.next_queued(self.printer.id)
        if job is None:
            return
        self._began_ms = tick_ms
        number = self._jobs.sending_number()
        mark = escpos.process_id(number)
        try:
            ink = self._render(job, mark)
        except SlipFault as wrong:
            self._bad_slip(job, wrong)
            return
        before = self._jobs.mend_bytes(self.printer.id)
        try:
            self._jobs.send_began(job, number, max(before, ink.longest_block))
        except NotWritten as wrong:
            say(
                "print_not_written",
                f"slip {job.slip_id} waits: {wrong}",
                level=logging.ERROR,
                printer=self.printer.id,
                slip_id=job.slip_id,
            )
            return
        raw = (escpos.mend(before, self.profile) if before else b"") + ink.raw
        self._job, self._mark, self._late = job, mark, None
        self._mend_before = before
        self._left_bytes = self._papers = 0
        self._progress_ms = tick_ms
        # 10 bits a byte: start, eight, stop.
        self._arrived_ms = tick_ms + len(raw) * 10_000 // self.printer.baud
        self._next_ask_ms = self._arrived_ms + ASK_EVERY_MS
        self._out += raw
        if ink.missing:
            say(
                "characters_missing",
                f"slip {job.slip_id}: no font here has {ink.missing}: 〓 was printed; install fonts-noto-cjk",
                level=logging.WARNING,
                printer=self.printer.id,
                slip_id=job.slip_id,
            )
        self.writable(tick_ms)

    def _render(self, job: Job, mark: str) -> escpos.Ink:
        try:
            body = json.loads(job.body)
        except (ValueError, RecursionError) as wrong:
            raise SlipFault(f"slip: not JSON: {wrong}") from wrong
        if not isinstance(body, dict):
            raise SlipFault("slip: must be a JSON object")
        ending = escpos.completion_mark(self.profile, mark)
        return escpos.render(body, self.profile, ending, self._draw, copy=job.attempts > 0)

    def _bad_slip(self, job: Job, wrong: SlipFault) -> None:
        try:
            self._jobs.step(job, Event.BAD_SLIP, f"这张单无法打印：{wrong}", f"this slip cannot be printed: {wrong}")
        except NotWritten:
            return  # said by the notebook's next user; the slip stays QUEUED and is refused again
        say(
            "slip_refused",
            f"slip {job.slip_id} cannot be printed: {wrong}",
            level=logging.ERROR,
            printer=self.printer.id,
            slip_id=job.slip_id,
        )
        self._next_ask_ms = 0

    def _hear_done(self, process_id: str, tick_ms: int) -> None:
        """The printer's word that all before the mark is on paper."""
        expected = self._mark if self.profile.has_process_id else ""
        if process_id != expected:
            return
        if self._drain_until_ms is not None:
            self._drain_until_ms = tick_ms  # the rest of a slip that was given up: now it is out
            return
        job = self._job
        if job is None:
            job, self._late = self._late, None
        elif self._out:
            return  # it cannot have printed what has not been sent: an answer from before
        if job is None:
            return
        self._job = None
        by = "process_id" if process_id else "status"
        self._write(lambda: self._jobs.said_done(job, by), tick_ms)
        say(
            "slip_printed",
            f"slip {job.slip_id} is printed",
            printer=self.printer.id,
            slip_id=job.slip_id,
            confirmed_by=by,
        )
        self.nudge(tick_ms)

    def _watch_job(self, tick_ms: int) -> None:
        if self._out:
            if tick_ms - self._progress_ms >= STUCK_AFTER_MS:
                self._word_missing(tick_ms, "打印机不收数据", "the printer takes no more bytes")
                self._fell_silent()
                self._start_line_over(tick_ms)
            return
        if tick_ms - max(self._heard_ms, self._arrived_ms) >= SILENT_AFTER_MS:
            self._word_missing(tick_ms, "打印机没有回音", "the printer fell silent")
            self._fell_silent()
        elif tick_ms - self._arrived_ms >= DONE_WITHIN_MS:
            self._word_missing(tick_ms, "打印机一直没说打完", "the printer never said that it was done")

    def _word_missing(self, tick_ms: int, zh: str, en: str) -> None:
        self._end_job(
            Event.WORD_MISSING, f"{zh}：请看这张纸是否完整", f"{en}: please look whether the slip is whole", tick_ms
        )

    def _proved_unfinished(self, tick_ms: int) -> None:
        """The printer itself says that it cannot go on, before it said "done": the slip is in two pieces."""
        assert self._job is not None
        zh, en = WORDS[self.state or "recoverable"]
        self._drain_until_ms = 0
        if self._job.attempts + 1 >= MOST_SENDINGS:
            self._end_job(Event.WORD_MISSING, f"多次没打完（{zh}）", f"several times not finished ({en})", tick_ms)
        else:
            self._end_job(Event.PROVED_UNFINISHED, f"没打完，将补打：{zh}", f"not finished, comes again: {en}", tick_ms)

    def _end_job(self, event: Event, why_zh: str, why_en: str, tick_ms: int) -> None:
        job, self._job = self._job, None
        assert job is not None
        if self._out:
            # The rest of the slip is not sent: no question may be taken for it.
            self._out[:] = escpos.wake(self._jobs.mend_bytes(self.printer.id)) if self._left_bytes else b""
        if self._left_bytes == 0:
            mend_bytes = self._mend_before
            self._write(lambda: self._jobs.nothing_left(job, mend_bytes), tick_ms)
            return
        if event in (Event.WORD_MISSING, Event.LINE_LOST):
            self._late = job
        self._write(lambda: self._jobs.step(job, event, why_zh, why_en), tick_ms)
        say(
            "slip_" + event.value,
            f"slip {job.slip_id}: {why_en}",
            level=logging.WARNING,
            printer=self.printer.id,
            slip_id=job.slip_id,
        )

    def _line_lost(self, tick_ms: int) -> None:
        if self._job is not None:
            self._end_job(
                Event.LINE_LOST,
                "打印中途断线：请看这张纸是否完整",
                "the line was lost in the middle of it: please look whether the slip is whole",
                tick_ms,
            )
        self._out.clear()
        self._asked = []
        self._be("port_missing", self.port.why_zh, self.port.why_en)

    def _start_line_over(self, tick_ms: int) -> None:
        """Throw away what a stuck line still holds, and open it anew."""
        self.port.close()
        self._out.clear()
        self._asked = []

    # ------------------------------------------------------------ writing down

    def _write(self, work: Callable[[], object], tick_ms: int) -> None:
        """Write an end of a job; while the disk refuses, it is owed, and no other slip is begun."""
        self._owed = work
        self._owed_again_ms = 0
        self._settle_debt(tick_ms)

    def _settle_debt(self, tick_ms: int) -> bool:
        if self._owed is None:
            return True
        if tick_ms < self._owed_again_ms:
            return False
        try:
            self._owed()
        except NotWritten as wrong:
            self._owed_again_ms = tick_ms + 1000
            say_once(
                f"print_not_written:{self.printer.id}",
                "print_not_written",
                f"waits to be written: {wrong}; tried again every second",
                level=logging.ERROR,
                printer=self.printer.id,
            )
            return False
        self._owed = None
        return True

    def _be(self, state: str, why_zh: str, why_en: str) -> None:
        if state == self.state:
            return
        try:
            self._jobs.printer_is(self.printer.id, state, why_zh, why_en)
        except NotWritten:
            return  # told again with the next answer; jobs say aloud that the disk refuses
        well = state in ("ready", "paper_low")
        say(
            "printer_" + state,
            f"printer {self.printer.id}: {state.replace('_', ' ')}" + (f": {why_en}" if why_en else ""),
            level=logging.INFO if well else logging.WARNING,
            printer=self.printer.id,
        )
        self.state = state

"""A printer and its line with the clock held, for trials at every byte: power cuts, killed bridges, paper that ends.

The paper is made by the virtual printer's own decoder; line and machine are here, to the byte and the millisecond, so
that a slip can be interrupted at each of its offsets in turn without waiting. `Trial` puts a real desk and a real
notebook to it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from devices.plan import Printer
from devices.virtual.mood import Mood
from devices.virtual.paper import Decoder, Make, Piece
from firmware_bridge.escpos import Draw, no_drawing
from firmware_bridge.jobs import SCHEMA, Jobs
from firmware_bridge.outbox import Slip
from firmware_bridge.printer_desk import PrinterDesk
from firmware_bridge.profiles import load_profiles
from firmware_bridge.sending import ALIVE_EVERY_MS
from firmware_bridge.serial_port import SerialPort
from gateway.notebook import Notebook

#: What the kernel takes before a write would wait.
KERNEL_BYTES = 4096
#: No printer wakes up sooner (firmware_bridge/sending.py); the trial's does as soon as that allows.
BOOT_MS = ALIVE_EVERY_MS + 20
TURN_MS = 20


class HeldPrinter:
    """The far end of a line, and the port at its near end (it stands in for a SerialPort)."""

    def __init__(self, profile: str, baud: int, mm_s: int = 100) -> None:
        self.baud, self.mm_s = baud, mm_s
        self.made = load_profiles()[profile]
        self.mood = Mood()
        self.pieces: list[Piece] = []
        self.is_open = False
        self.openings = 0
        self.why_zh = self.why_en = ""
        self.arrived = 0
        #: What happens when so many bytes have arrived.
        self.events: list[tuple[int, Callable[[], None]]] = []
        self.off_until_ms = -1
        self.now_ms = 0
        self._kernel = bytearray()
        self._incoming = bytearray()
        self._buffer = bytearray()
        self._last = b""
        self._credit = 0.0
        self._moving_until_ms = 0.0
        self._status = self.mood.status_back()
        self._decoder = Decoder(
            self._say, self.pieces.append, self.made.dots, Make(charset=self.made.encoding)
        )
        self._decoder.status, self._decoder.paper_byte = self._first_status, self.mood.paper_byte

    # ------------------------------------------------------------ the port

    def try_open(self, tick_ms: int) -> bool:
        self.openings += not self.is_open
        self.is_open = True
        return True

    def still_there(self, tick_ms: int) -> bool:
        return True

    def read(self) -> bytes:
        data = bytes(self._incoming)
        self._incoming.clear()
        return data

    def write(self, data: bytes) -> int:
        went = data[: max(0, KERNEL_BYTES - len(self._kernel))]
        self._kernel += went
        return len(went)

    def waiting(self) -> int:
        return len(self._kernel)

    def discard(self) -> int:
        count = len(self._kernel)
        self._kernel.clear()
        return count

    def close(self) -> None:
        self.is_open = False
        self._kernel.clear()

    def killed(self, rest_arrives: bool) -> None:
        """Its owner died. The kernel sends what it holds, or it was thrown away; answers are nobody's."""
        self.is_open = False
        self._incoming.clear()
        if not rest_arrives:
            self._kernel.clear()

    # ------------------------------------------------------------ the machine

    def pass_ms(self, ms: int) -> None:
        for _ in range(ms):
            self.now_ms += 1
            self._credit = min(self._credit + self.baud / 10_000, 64.0)
            while self._kernel and self._credit >= 1:
                self._credit -= 1
                self._arrive(self._kernel.pop(0))
            if not self._kernel:
                self._credit = min(self._credit, 1.0)
            self._work_off()

    @property
    def off(self) -> bool:
        return self.now_ms < self.off_until_ms

    def cut_power(self, ms: int = BOOT_MS) -> None:
        """Off, and awake again after so long: whatever was in its memory is lost, what is on paper stays."""
        self.off_until_ms = self.now_ms + ms
        self._buffer.clear()
        self._last = b""
        self._decoder.power_cycle()
        self._moving_until_ms = 0.0

    def paper(self, word: str) -> None:
        if word == "in" and self.mood.paper == "out":
            self._decoder.tear()
        self.mood.paper = word  # type: ignore[assignment]
        self._tell_changes()

    def _arrive(self, byte: int) -> None:
        self.arrived += 1
        if not self.off:
            self._buffer.append(byte)
            self._last = (self._last + bytes([byte]))[-3:]
            if self._last[:2] == b"\x10\x04" and (answer := self.mood.answer_to(byte)) is not None:
                self._say(bytes([answer]))
        while self.events and self.events[0][0] <= self.arrived:
            self.events.pop(0)[1]()

    def _work_off(self) -> None:
        while self._buffer and not self.mood.offline and not self.off and self.now_ms >= self._moving_until_ms:
            before = self._decoder.dots_fed
            self._decoder.feed(self._buffer.pop(0))
            moved = self._decoder.dots_fed - before
            if moved:
                self._moving_until_ms = max(self.now_ms, self._moving_until_ms) + moved * 125 / self.mm_s

    def _say(self, answer: bytes) -> None:
        if self.is_open and not self.off:
            self._incoming += answer

    def _first_status(self) -> bytes:
        self._status = self.mood.status_back()
        return self._status

    def _tell_changes(self) -> None:
        before, self._status = self._status, self.mood.status_back()
        if before != self._status and self._decoder.status_back:
            self._say(self._status)

    def texts(self) -> list[str]:
        return [piece.text(self.made.dots) for piece in self.pieces]


@dataclass
class Tally:
    """What a campaign counts."""

    offsets: int = 0
    states: Counter[str] = field(default_factory=Counter)
    marked: int = 0
    unmarked_twice: list[str] = field(default_factory=list)
    false_word: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    strays: list[str] = field(default_factory=list)
    again_ms: list[int] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        return not (self.unmarked_twice or self.false_word or self.lost or self.strays)

    def __str__(self) -> str:
        worst = max(self.again_ms, default=0)
        return (
            f"{self.offsets} offsets: {dict(self.states)}, marked 补打 {self.marked}, unmarked duplicates "
            f"{len(self.unmarked_twice)}, confirmed and not on paper {len(self.false_word)}, missing without a word "
            f"{len(self.lost)}, stray bytes {len(self.strays)}; going again after at most {worst} ms"
        )


class Trial:
    """One printer, one notebook, one desk after another. Each `run` interrupts one slip at one place."""

    def __init__(self, folder: Path, body: Callable[[str], dict[str, Any]], **made: Any) -> None:
        self.profile = str(made.get("profile", "generic80"))
        self.baud = int(made.get("baud", 9600))
        self.draw: Draw = made.get("draw", no_drawing)
        self.body = body
        self.notebook = Notebook(folder / "bridge.db", SCHEMA)
        self.notebook.connection.execute("PRAGMA synchronous=OFF")  # no power is cut here but the printer's
        self.jobs = Jobs(self.notebook, lambda: 1_800_000_000_000)
        self.jobs.begin(["hall"], [], 1)
        self.jobs.meet_kiosk("e1")
        self.slips = 0
        self.tally = Tally()
        self.expected = ""
        self.length = 0

    def close(self) -> None:
        self.notebook.close()

    def _begin(self) -> None:
        self.printer = HeldPrinter(self.profile, self.baud)
        self._new_desk()
        self.until(lambda: self.desk.state in ("ready", "paper_low"), 6000)

    def _new_desk(self) -> None:
        self.jobs.begin(["hall"], [], 1)
        port = cast(SerialPort, self.printer)
        self.desk = PrinterDesk(
            Printer(id="hall", baud=self.baud), port, self.printer.made, self.jobs, self.draw
        )

    def order(self, words: str) -> int:
        self.slips += 1
        text = json.dumps(self.body(words), ensure_ascii=False)
        self.jobs.take_in([Slip(self.slips, "hall", text, 1_800_000_000_000)])
        self.desk.nudge(self.printer.now_ms)
        return self.slips

    def turn(self) -> None:
        self.printer.pass_ms(TURN_MS)
        now_ms = self.printer.now_ms
        self.desk.readable(now_ms)
        self.desk.writable(now_ms)
        self.desk.turn(now_ms)

    def until(self, so: Callable[[], bool], most_ms: int) -> bool:
        for _ in range(most_ms // TURN_MS):
            if so():
                return True
            self.turn()
        return so()

    def job(self, slip_id: int) -> str:
        row = self.notebook.connection.execute("SELECT state FROM jobs WHERE slip_id = ?", (slip_id,)).fetchone()
        return str(row[0])

    def learn(self) -> int:
        """How a slip looks that nobody interrupts; gives how many bytes it has with all that belongs to it."""
        self._begin()
        arrived = self.printer.arrived
        slip = self.order("政务 A0000")
        assert self.until(lambda: self.job(slip) == "PRINTED", 30_000)
        self.length = self.printer.arrived - arrived
        (self.expected,) = self.printer.texts()
        return self.length

    def run(self, offset: int, harm: Callable[[Trial], None], heal: Callable[[Trial], None] | None = None) -> None:
        """Interrupt one slip by ``harm`` when ``offset`` of its bytes have arrived; another slip waits behind it."""
        self._begin()
        name, other = f"政务 B{offset:04}", f"政务 C{offset:04}"
        self.printer.events = [(self.printer.arrived + offset, lambda: self._harm(harm))]
        self.harmed_ms = -1
        first, second = self.order(name), self.order(other)
        self.until(lambda: self.harmed_ms >= 0, 30_000)
        if heal is not None:
            for _ in range(25):
                self.turn()
            heal(self)
        well_ms = max(self.printer.now_ms, self.printer.off_until_ms)
        ends = {"PRINTED", "UNSURE", "SETTLED", "FAILED"}
        began = self.until(lambda: self.desk.busy or self.job(second) in ends or self.job(first) == "PRINTED", 60_000)
        going = self.until(
            lambda: self.job(second) != "QUEUED" or (self.job(first) == "SENDING" and heal is not None), 60_000
        )
        self.tally.again_ms.append(max(0, self.printer.now_ms - well_ms) if began and going else 60_000)
        self.until(lambda: self.job(first) in ends and self.job(second) in ends, 60_000)
        self._judge(offset, name, first, marked_may=True)
        self._judge(offset, other, second, marked_may=False)
        self.tally.offsets += 1

    def _harm(self, harm: Callable[[Trial], None]) -> None:
        harm(self)
        self.harmed_ms = self.printer.now_ms

    def kill(self, rest_arrives: bool) -> None:
        """The bridge dies, and is started again."""
        self.printer.killed(rest_arrives)
        self._new_desk()

    def _judge(self, offset: int, name: str, slip_id: int, marked_may: bool) -> None:
        state, tally = self.job(slip_id), self.tally
        tally.states[state] += 1
        whole = self.expected.replace("政务 A0000", name)
        texts = self.printer.texts()
        plain = sum(text.strip() == whole.strip() for text in texts)
        again = sum("补打" in text and text.strip().endswith(whole.strip()) for text in texts)
        tally.marked += again
        where = f"{offset}: {name} {state} {plain}+{again}"
        if plain > 1:
            tally.unmarked_twice.append(where)
        if state == "PRINTED" and not plain + again:
            (tally.strays if any(name in text for text in texts) else tally.false_word).append(where + repr(texts))
        if state not in ("PRINTED", "UNSURE"):
            tally.lost.append(where)
        if not marked_may and (state != "PRINTED" or plain != 1):
            tally.strays.append(where + repr(texts))

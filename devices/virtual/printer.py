"""A serial ticket printer that is not there: a pseudo-terminal, 4 KiB of buffer, a roll of paper, a mood.

    printer = VirtualPrinter("hall", home)
    printer.start()                      # <home>/virtual/hall can be opened like /dev/ttyUSB0
    printer.do("paper_out")
    printer.wait_until(lambda state: state["printed"] == 3, timeout_s=5)
    printer.stop()

Each piece of paper is written to ``<home>/virtual/paper/hall/<n>.txt`` and ``<n>.png``; the numbers go on after a
restart, the last `KEPT_PIECES` are kept. It runs in two threads of its own (the line, and the drawing); `do`, `state`
and `wait_until` may be called from any other.

What it can be told (`do`): ``paper_out``, ``paper_in``, ``paper_low``, ``cover_open``, ``cover_close``, ``jam``,
``clear``, ``silent`` (takes and says nothing), ``talk``, ``slow`` (``bps``, real timing of the line; 0 is full speed),
``unplug`` (the cable: the port vanishes, the machine keeps its buffer), ``plug``, ``power_cycle``. With
``after_bytes=n`` it happens when n more bytes have come in: the paper ends at exactly the same place each time.
"""

from __future__ import annotations

import errno
import os
import queue
import select
import sys
import threading
from pathlib import Path
from typing import Any

from devices.clock import mono_s
from devices.virtual.paper import DOTS_80MM, Decoder, Piece, draw_png
from devices.virtual.port import OnASerialLine

#: Receive buffer of the common 80 mm printers (Epson TM-T20: 4 KB).
BUFFER_BYTES = 4096
#: Pieces of paper kept on disk. Our choice: a day's demo; the bin is emptied from below.
KEPT_PIECES = 200
#: Where a slip was fed out to a tear bar, somebody takes it after so long without a byte.
TAKEN_AFTER_S = 0.3

_COMMANDS = frozenset(
    [
        "paper_out",
        "paper_in",
        "paper_low",
        "cover_open",
        "cover_close",
        "jam",
        "clear",
        "silent",
        "talk",
        "slow",
        "unplug",
        "plug",
        "power_cycle",
    ]
)


class VirtualPrinter(OnASerialLine):
    """One virtual printer; see the head of this file."""

    def __init__(self, printer_id: str, home: Path, dots: int = DOTS_80MM) -> None:
        super().__init__(home / "virtual" / printer_id)
        self.printer_id = printer_id
        self.paper_dir = home / "virtual" / "paper" / printer_id
        self._dots = dots
        self._paper = "in"  # in, low, out
        self._cover_open = self._jammed = False
        self._bps = 0
        self._received = 0
        self._buffer = bytearray()
        self._last = b""
        self._pending: list[tuple[int, str, dict[str, Any]]] = []
        self._decoder = Decoder(self._say, self._cut, dots)
        self._decoder.status, self._decoder.paper_byte = self._status_back, self._paper_byte
        self._printed = self._drawn = 0
        self._last_text = ""
        self._overflows = self._unknown = 0
        self._to_draw: queue.SimpleQueue[tuple[int, Piece] | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []

    # ------------------------------------------------------------ life

    def start(self) -> None:
        """Switch it on and plug it in."""
        self.paper_dir.mkdir(parents=True, exist_ok=True)
        numbers = [int(one.stem) for one in self.paper_dir.glob("*.txt") if one.stem.isdigit()]
        with self._changed:
            self._printed = self._drawn = max(numbers, default=0)
            self._switch_on()
        self._threads = [
            threading.Thread(target=self._turn_for_ever, name=f"printer {self.printer_id}", daemon=True),
            threading.Thread(target=self._draw_for_ever, name=f"paper {self.printer_id}", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Switch it off; what it has printed is on disk when this returns."""
        with self._changed:
            self._stopping = True
            self._wake()
        self._to_draw.put(None)
        for thread in self._threads:
            thread.join(timeout=10)
        with self._changed:
            self._switch_off()

    def do(self, command: str, **args: Any) -> dict[str, Any]:
        """Make it misbehave, or behave again. Gives the state after it.

        :raises ValueError: there is no such command or argument.
        """
        if command not in _COMMANDS:
            raise ValueError(f"a printer knows {', '.join(sorted(_COMMANDS))}, not {command!r}")
        after = args.pop("after_bytes", None)
        if set(args) - ({"bps"} if command == "slow" else set()):
            raise ValueError(f"{command} takes no {', '.join(map(repr, args))}")
        with self._changed:
            if after is not None:
                self._pending.append((self._received + int(after), command, args))
                self._pending.sort(key=lambda one: one[0])
                self._due_commands()
            else:
                self._do(command, **args)
            self._wake()
            return self.state()

    def state(self) -> dict[str, Any]:
        """How it is, for the demo's page and for tests."""
        with self._changed:
            return {
                "device": f"printer:{self.printer_id}",
                "port": str(self.link),
                "plugged": self._master >= 0,
                "silent": self._silent,
                "paper": self._paper,
                "cover_open": self._cover_open,
                "jammed": self._jammed,
                "bps": self._bps,
                "received": self._received,
                "in_buffer": len(self._buffer),
                "printed": self._printed,
                "drawn": self._drawn,
                "overflows": self._overflows,
                "unknown": self._unknown,
                "last_text": self._last_text,
                "paper_dir": str(self.paper_dir),
            }

    # ------------------------------------------------------------ what it can be told

    def _do(self, command: str, bps: int = 9600) -> None:
        match command:
            case "paper_out":
                self._paper = "out"
            case "paper_low":
                self._paper = "low"
            case "paper_in":
                if self._paper == "out":
                    self._decoder.tear()
                self._paper = "in"
            case "cover_open" | "cover_close":
                self._cover_open = command == "cover_open"
            case "jam" | "clear":
                self._jammed = command == "jam"
            case "silent" | "talk":
                self._silent = command == "silent"
            case "slow":
                self._bps = int(bps)
            case "unplug":
                self._unplug()
            case "plug":
                if self._master < 0:
                    self._plug()
            case "power_cycle":
                self._buffer.clear()
                self._decoder.power_cycle()
        if self._decoder.status_back:
            self._say(self._status_back())
        self._changed.notify_all()

    # ------------------------------------------------------------ the machine's thread

    def _turn_for_ever(self) -> None:
        next_byte_s = 0.0
        while True:
            with self._changed:
                if self._stopping:
                    return
                self._work_off()
                master = self._master
                room = min(BUFFER_BYTES - len(self._buffer), 512)
                if self._pending:
                    room = min(room, self._pending[0][0] - self._received)
                listens = master >= 0 and not self._silent and room > 0
                bps = self._bps
            wait_s = TAKEN_AFTER_S if self._decoder.at_tear_bar else None
            if listens and bps:
                # The line's own pace: bytes of 10 bits, taken up to 20 ms of line at a time.
                wait_s = max(0.0, next_byte_s - mono_s())
                listens = wait_s == 0
                room = min(room, max(1, bps // 500))
            ready, _, _ = select.select([self._wake_read, *([master] if listens else [])], [], [], wait_s)
            if not ready and not bps:
                self._somebody_takes_it()
                continue
            if self._wake_read in ready:
                os.read(self._wake_read, 4096)
            if master in ready:
                with self._changed:
                    if self._master == master:
                        taken = self._receive(room)
                        if bps:
                            next_byte_s = mono_s() + taken * 10 / bps

    def _somebody_takes_it(self) -> None:
        with self._changed:
            if self._decoder.at_tear_bar and not self._buffer:
                self._decoder.take_off()

    def _receive(self, room: int) -> int:
        try:
            data = os.read(self._master, room)
        except OSError as wrong:
            if wrong.errno in (errno.EAGAIN, errno.EIO):
                return 0
            raise
        self._received += len(data)
        self._buffer += data
        for byte in data:
            self._real_time(byte)
        self._work_off()
        self._due_commands()
        self._changed.notify_all()
        return len(data)

    def _due_commands(self) -> None:
        while self._pending and self._pending[0][0] <= self._received:
            _, command, args = self._pending.pop(0)
            self._do(command, **args)

    def _work_off(self) -> None:
        while self._buffer and self._paper != "out" and not self._cover_open and not self._jammed:
            self._decoder.feed(self._buffer.pop(0))

    def _real_time(self, byte: int) -> None:
        """DLE EOT n is answered on arrival, whatever else waits."""
        self._last = (self._last + bytes([byte]))[-3:]
        if self._last[:2] == b"\x10\x04" and len(self._last) == 3:
            answer = self._answer_to(byte)
            if answer is not None:
                self._say(bytes([answer]))

    def _answer_to(self, question: int) -> int | None:
        offline = self._cover_open or self._paper == "out" or self._jammed
        if question == 1:
            return 0x12 | (0x08 if offline else 0)
        if question == 2:
            cover, paper_end, error = self._cover_open, self._paper == "out", self._jammed
            return 0x12 | (0x04 if cover else 0) | (0x20 if paper_end else 0) | (0x40 if error else 0)
        if question == 3:
            return 0x12 | (0x08 if self._jammed else 0)
        if question == 4:
            return 0x12 | {"in": 0, "low": 0x0C, "out": 0x6C}[self._paper]
        return None

    def _status_back(self) -> bytes:
        offline = self._cover_open or self._paper == "out" or self._jammed
        first = 0x10 | (0x08 if offline else 0) | (0x20 if self._cover_open else 0)
        return bytes(
            [first, 0x08 if self._jammed else 0, {"in": 0, "low": 0x03, "out": 0x0F}[self._paper], 0x0F]
        )

    def _paper_byte(self) -> int:
        return {"in": 0, "low": 0x03, "out": 0x0F}[self._paper]

    def _say(self, answer: bytes) -> None:
        if self._master < 0 or self._silent:
            return
        try:
            os.write(self._master, answer)
        except OSError:
            pass  # nobody reads: a printer's voice is lost in the cable

    # ------------------------------------------------------------ the paper

    def _cut(self, piece: Piece) -> None:
        self._printed += 1
        self._last_text = piece.text(self._dots)
        self._overflows += piece.overflows
        self._unknown += len(piece.unknown)
        _write(self.paper_dir / f"{self._printed}.txt", self._last_text.encode("utf-8"))
        self._to_draw.put((self._printed, piece))
        self._changed.notify_all()

    def _draw_for_ever(self) -> None:
        while (work := self._to_draw.get()) is not None:
            number, piece = work
            _write(self.paper_dir / f"{number}.png", draw_png(piece, self._dots))
            for tail in ("txt", "png"):
                (self.paper_dir / f"{number - KEPT_PIECES}.{tail}").unlink(missing_ok=True)
            with self._changed:
                self._drawn = number
                self._changed.notify_all()


def _write(file: Path, data: bytes) -> None:
    """Whole or not at all: the demo's page may look at any moment. A full disk costs the picture, not the printer."""
    fresh = file.with_name(f".{file.name}.new")
    try:
        fresh.write_bytes(data)
        fresh.replace(file)
    except OSError as wrong:
        print(f"virtual printer: {file.name} is not kept: {wrong.strerror}", file=sys.stderr)

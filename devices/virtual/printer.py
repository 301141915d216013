"""A ticket printer that is not there: a line, 4 KiB of buffer, a roll of paper, a mood.

    printer = VirtualPrinter("hall", home)
    printer.start()                      # <home>/virtual/hall can be opened like /dev/ttyUSB0
    printer.do("paper_out")
    printer.wait_until(lambda state: state["printed"] == 3, timeout_s=5)
    printer.stop()

The line is a pseudo-terminal, and with ``tcp=("127.0.0.9", 9100)`` a network card besides, for one client at a time.
Each piece of paper is written to ``<home>/virtual/paper/hall/<n>.txt`` and ``<n>.png``; the numbers go on after a
restart, the last 200 are kept (``paper_bin.py``). It runs in two threads of its own (the line, and the drawing);
`do`, `state` and `wait_until` may be called from any other.

What it can be told (`do`), besides opening and closing a cover:

====================================  ========================================================================
``paper_out paper_in paper_low``      the roll
``jam clear``                         the knife is stuck / whatever the trouble was, it is mended
``trouble`` (``what``)                cutter, recoverable (DLE ENQ ends it), unrecoverable, hot; "" none
``offline online``                    its own button: takes bytes, prints nothing, without another cause
``silent talk``                       takes nothing and says nothing / behaves again
``garbage clean``                     all that it says arrives as noise (a wrong baud rate, a broken wire)
``slow`` (``bps``)                    real timing of the line; 0 is full speed
``pace`` (``mm_s``)                   real timing of the paper; 0 is full speed
``handshake`` (``how``)               when its buffer is full it takes no more: "hard" (DTR), "soft" and says
                                      XOFF, or "none" and loses what comes
``flow_stop flow_go``                 takes no byte more (and says XOFF where "soft"), but still talks
``unplug plug``                       the cable: the port vanishes, the machine keeps its buffer
``power_off power_on power_cycle``    memory, buffer and half a line are gone; while off, bytes go nowhere. A cycle
                                      takes `BOOT_S`: no printer is back at once
====================================  ========================================================================

With ``after_bytes=n`` it happens when n more bytes have come in, whichever way: ``do("power_off", after_bytes=117)``
cuts the same slip at exactly the same place each time.

While it prints nothing, it still hears what must be heard at once: DLE EOT 1 to 4, DLE ENQ 1 and 2, DLE DC4 8.
"""

from __future__ import annotations

import errno
import os
import select
from pathlib import Path
from typing import Any

from devices.clock import mono_s
from devices.virtual.drawing import DOTS_80MM
from devices.virtual.mood import Mood, status_classes
from devices.virtual.net_card import NetCard
from devices.virtual.paper import OURS, Decoder, Make, Piece
from devices.virtual.paper_bin import PaperBin
from devices.virtual.port import OnASerialLine

#: Receive buffer of the common 80 mm printers (Epson TM-T20: 4 KB).
BUFFER_BYTES = 4096
#: XOFF goes out when so little room is left, XON when so much is free again. Epson's manuals: 128 and 256 of 4 KB.
XOFF_BELOW, XON_ABOVE = 128, 256
XON, XOFF = b"\x11", b"\x13"
#: Where a slip was fed out to a tear bar, somebody takes it after so long without a byte.
TAKEN_AFTER_S = 0.3
#: From the mains' return to the first answer: receipt printers take 1 to 4 s.
BOOT_S = 1.0
#: Dots in a millimetre at 203 dpi.
DOTS_A_MM = 8
#: DLE DC4 8, "clear the buffers": these seven bytes behind it, so that nobody says it by mistake (Epson).
_CLEAR = b"\x10\x14\x08\x01\x03\x14\x01\x06\x02\x08"

#: Each command, with the arguments it takes.
_COMMANDS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("paper_out", "paper_in", "paper_low", "cover_open", "cover_close", "jam", "clear"), ()),
    **dict.fromkeys(("offline", "online", "silent", "talk", "garbage", "clean", "flow_stop", "flow_go"), ()),
    **dict.fromkeys(("unplug", "plug", "power_off", "power_on", "power_cycle"), ()),
    "trouble": ("what",),
    "slow": ("bps",),
    "pace": ("mm_s",),
    "handshake": ("how",),
}
#: Where bytes came in, and where the answers to them go.
_SERIAL, _NET = 0, 1


class VirtualPrinter(OnASerialLine):
    """One virtual printer; see the head of this file."""

    def __init__(
        self,
        printer_id: str,
        home: Path,
        dots: int = DOTS_80MM,
        make: Make = OURS,
        tcp: tuple[str, int] | None = None,
        buffer_bytes: int = BUFFER_BYTES,
    ) -> None:
        super().__init__(home / "virtual" / printer_id, f"printer {printer_id}")
        self.printer_id = printer_id
        self.paper_dir = home / "virtual" / "paper" / printer_id
        self._bin = PaperBin(self.paper_dir, dots, self._is_drawn)
        self._net = NetCard(tcp)
        self._mood = Mood()
        self._buffer_bytes = buffer_bytes
        self._bps = self._mm_s = 0
        self._off = self._garbled = self._flow_stopped = self._said_xoff = False
        self._wakes_s: float | None = None
        self._handshake = "hard"
        self._received = self._lost = 0
        self._buffer, self._whence = bytearray(), bytearray()
        self._last = [b"", b""]
        self._pending: list[tuple[int, str, dict[str, Any]]] = []
        self._decoder = Decoder(lambda answer: self._say(answer, self._now_for), self._cut, dots, make)
        self._decoder.status, self._decoder.paper_byte = self._first_status, self._mood.paper_byte
        self._now_for = self._status_to = _SERIAL
        self._status = self._mood.status_back()
        self._next_byte_s = self._moving_until_s = 0.0
        self._heard_s = 0.0
        self._printed = self._drawn = 0
        self._last_text = ""
        self._overflows = self._unknown = 0

    # ------------------------------------------------------------ life

    @property
    def tcp(self) -> tuple[str, int] | None:
        """Where it listens besides; with port 0 the real one after `start`."""
        return self._net.address

    def _open(self) -> None:
        self._printed = self._drawn = self._bin.open()
        self._net.open()

    def _close(self) -> None:
        self._bin.close()
        with self._changed:
            self._net.close()

    def do(self, command: str, **args: Any) -> dict[str, Any]:
        """Make it misbehave, or behave again. Gives the state after it.

        :raises ValueError: there is no such command or argument.
        """
        if command not in _COMMANDS:
            raise ValueError(f"a printer knows {', '.join(sorted(_COMMANDS))}, not {command!r}")
        after = args.pop("after_bytes", None)
        if extra := set(args) - set(_COMMANDS[command]):
            raise ValueError(f"{command} takes no {', '.join(map(repr, extra))}")
        if args.get("what", "") not in ("", "cutter", "recoverable", "unrecoverable", "hot"):
            raise ValueError(f"no such trouble: {args['what']!r}; known: cutter, recoverable, unrecoverable, hot")
        if args.get("how", "hard") not in ("hard", "soft", "none"):
            raise ValueError(f"no such handshake: {args['how']!r}; known: hard, soft, none")
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
                "off": self._off,
                "silent": self._silent,
                "paper": self._mood.paper,
                "cover_open": self._mood.cover_open,
                "trouble": self._mood.trouble,
                "put_offline": self._mood.put_offline,
                "bps": self._bps,
                "received": self._received,
                "in_buffer": len(self._buffer),
                "lost": self._lost,
                "printed": self._printed,
                "drawn": self._drawn,
                "overflows": self._overflows,
                "unknown": self._unknown,
                "last_text": self._last_text,
                "paper_dir": str(self.paper_dir),
            }

    # ------------------------------------------------------------ what it can be told

    def _do(self, command: str, bps: int = 9600, mm_s: int = 100, what: str = "", how: str = "hard") -> None:
        mood = self._mood
        match command:
            case "paper_out":
                mood.paper = "out"
            case "paper_low":
                mood.paper = "low"
            case "paper_in":
                if mood.paper == "out":
                    self._decoder.tear()
                mood.paper = "in"
            case "cover_open" | "cover_close":
                mood.cover_open = command == "cover_open"
            case "jam":
                mood.trouble = "cutter"
            case "clear":
                mood.trouble = ""
            case "trouble":
                mood.trouble = what  # type: ignore[assignment]  # checked in `do`
            case "offline" | "online":
                mood.put_offline = command == "offline"
            case "silent" | "talk":
                self._silent = command == "silent"
            case "garbage" | "clean":
                self._garbled = command == "garbage"
            case "slow":
                self._bps = int(bps)
            case "pace":
                self._mm_s = int(mm_s)
            case "handshake":
                self._handshake = how
            case "flow_stop" | "flow_go":
                self._flow_stopped = command == "flow_stop"
            case "unplug":
                self._unplug()
            case "plug":
                if self._master < 0:
                    self._plug()
            case "power_off" | "power_on" | "power_cycle":
                self._off = command != "power_on"
                self._wakes_s = mono_s() + BOOT_S if command == "power_cycle" else None
                self._forget()
        self._tell_changes()
        self._steer_flow()
        self._changed.notify_all()

    def _forget(self) -> None:
        """The power went: all that was only in memory."""
        self._buffer.clear()
        self._whence.clear()
        self._last = [b"", b""]
        self._decoder.power_cycle()
        self._moving_until_s = 0.0
        if self._mood.trouble in ("recoverable", "hot"):
            self._mood.trouble = ""
        self._net.hang_up()

    # ------------------------------------------------------------ the machine's thread

    def _turn_for_ever(self) -> None:
        while True:
            with self._changed:
                if self._stopping:
                    return
                self._wake_up()
                self._work_off()
                wait_s = self._patience_s()
                ends = [self._wake_read, *self._ears()]
            ready, _, _ = select.select(ends, [], [], wait_s)
            with self._changed:
                if self._wake_read in ready:
                    os.read(self._wake_read, 4096)
                # An order may have come in meanwhile: how much is taken is asked again.
                if self._master in ready and (room := self._room()) > 0:
                    self._hear_from(_SERIAL, self._read_serial(room))
                self._hear_from(_NET, self._net.take(ready, self._room()))
                quiet_s = mono_s() - self._heard_s
                if not self._buffer and quiet_s >= TAKEN_AFTER_S and self._decoder.at_tear_bar:
                    self._decoder.take_off()

    def _wake_up(self) -> None:
        if self._wakes_s is not None and mono_s() >= self._wakes_s:
            self._off, self._wakes_s = False, None
            self._tell_changes()
            self._steer_flow()

    def _ears(self) -> list[Any]:
        """On which ends it listens now."""
        room = self._room()
        if self._silent or (self._flow_stopped and not self._off):
            return []
        ears: list[Any] = [] if self._off else list(self._net.ends(room))
        if self._master >= 0 and room > 0 and (not self._bps or mono_s() >= self._next_byte_s):
            ears.append(self._master)
        return ears

    def _room(self) -> int:
        """How many bytes it takes now."""
        room = 512 if self._handshake == "none" or self._off else min(512, self._buffer_bytes - len(self._buffer))
        if self._pending:
            room = min(room, self._pending[0][0] - self._received)
        # The line's own pace: bytes of 10 bits, taken up to 20 ms of line at a time.
        return min(room, max(1, self._bps // 500)) if self._bps else room

    def _patience_s(self) -> float | None:
        """How long nothing may happen by itself."""
        now_s = mono_s()
        waits = []
        if self._wakes_s is not None:
            waits.append(max(0.001, self._wakes_s - now_s))
        if self._bps and self._next_byte_s > now_s:
            waits.append(self._next_byte_s - now_s)
        if self._buffer and self._moving_until_s > now_s:
            waits.append(self._moving_until_s - now_s)
        if self._decoder.at_tear_bar:
            waits.append(max(0.001, self._heard_s + TAKEN_AFTER_S - now_s))
        return min(waits, default=None)

    def _read_serial(self, room: int) -> bytes:
        try:
            data = os.read(self._master, room)
        except OSError as wrong:
            if wrong.errno in (errno.EAGAIN, errno.EIO):
                return b""
            raise
        if self._bps:
            self._next_byte_s = mono_s() + len(data) * 10 / self._bps
        return data

    def _hear_from(self, whence: int, data: bytes) -> None:
        if not data:
            return
        self._heard_s = mono_s()
        self._received += len(data)
        if self._off:
            self._lost += len(data)
        else:
            for byte in data:
                if len(self._buffer) < self._buffer_bytes:
                    self._buffer.append(byte)
                    self._whence.append(whence)
                else:
                    self._lost += 1
                self._real_time(whence, byte)
            self._steer_flow()
            self._work_off()
        self._due_commands()
        self._changed.notify_all()

    def _due_commands(self) -> None:
        while self._pending and self._pending[0][0] <= self._received:
            _, command, args = self._pending.pop(0)
            self._do(command, **args)

    def _work_off(self) -> None:
        """Print what waits, as far as the paper's pace and the mood allow."""
        if self._buffer:
            self._print_waiting()
            self._steer_flow()
            self._changed.notify_all()

    def _print_waiting(self) -> None:
        while self._buffer and not self._mood.offline and not self._off:
            if self._mm_s and mono_s() < self._moving_until_s:
                return
            before = self._decoder.dots_fed
            self._now_for = self._whence.pop(0)
            self._decoder.feed(self._buffer.pop(0))
            if self._mm_s and self._decoder.dots_fed > before:
                took_s = (self._decoder.dots_fed - before) / DOTS_A_MM / self._mm_s
                self._moving_until_s = max(mono_s(), self._moving_until_s) + took_s

    def _real_time(self, whence: int, byte: int) -> None:
        """What is answered or done on arrival, whatever else waits; even where dots only look like it."""
        heard = self._last[whence] = (self._last[whence] + bytes([byte]))[-len(_CLEAR) :]
        if heard[-3:-1] == b"\x10\x04":
            answer = self._mood.answer_to(byte)
            if answer is not None:
                self._say(bytes([answer]), whence)
        elif heard[-3:] in (b"\x10\x05\x01", b"\x10\x05\x02") and self._mood.trouble == "recoverable":
            self._mood.trouble = ""
            if byte == 2:
                self._clear_buffers()
            self._tell_changes()
        elif heard == _CLEAR:
            self._clear_buffers()
            self._say(b"\x37\x25\x00", whence)

    def _clear_buffers(self) -> None:
        """Waiting bytes and the line that was begun are thrown away; what is printed is printed."""
        self._buffer.clear()
        self._whence.clear()
        self._decoder.clear()

    def _steer_flow(self) -> None:
        """XOFF and XON, where the handshake is "soft"."""
        free = self._buffer_bytes - len(self._buffer)
        full = free < XOFF_BELOW if not self._said_xoff else free < XON_ABOVE
        stop = self._handshake == "soft" and not self._off and (full or self._flow_stopped)
        if stop != self._said_xoff:
            self._said_xoff = stop
            self._say(XOFF if stop else XON, _SERIAL)

    def _tell_changes(self) -> None:
        """Automatic status back, where it was asked for, of the causes it was asked for."""
        before, self._status = self._status, self._mood.status_back()
        if self._decoder.status_back & status_classes(before, self._status):
            self._say(self._status, self._status_to)

    def _first_status(self) -> bytes:
        """``GS a`` was worked off: the state as it is, and from now on to whoever asked."""
        self._status_to, self._status = self._now_for, self._mood.status_back()
        return self._status

    def _say(self, answer: bytes, whither: int) -> None:
        if self._silent or self._off:
            return
        if self._garbled:
            answer = bytes(byte ^ 0xFF for byte in answer)
        if whither == _NET:
            self._net.say(answer)
        elif self._master >= 0:
            try:
                os.write(self._master, answer)
            except OSError:
                pass  # nobody reads: a printer's voice is lost in the cable

    # ------------------------------------------------------------ the paper

    def _cut(self, piece: Piece) -> None:
        self._printed += 1
        self._overflows += piece.overflows
        self._unknown += len(piece.unknown)
        self._last_text = self._bin.take(self._printed, piece)
        self._changed.notify_all()

    def _is_drawn(self, number: int) -> None:
        with self._changed:
            self._drawn = number
            self._changed.notify_all()

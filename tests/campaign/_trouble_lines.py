"""Faults of the broker and of the line to it: stopped, cut off, its disk full, what it kept destroyed."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from linli.broker import free_port
from tests.campaign._buttons import spread
from tests.campaign._trouble import HEALED_AIM_S, Hall, Outcome, hall


def stopped_broker(folder: Path, given: dict[str, int]) -> Outcome:
    """The broker stands still (SIGSTOP) for 0.1 to 20 s, every line half open; then goes on."""
    return _stopped(folder, "broker", (0.1, 1.0, 3.0, 6.0, 12.0, 20.0)[: given["depth"] * 2])


def stopped_gateway(folder: Path, given: dict[str, int]) -> Outcome:
    """The gateway itself stands still (a card that hangs, a machine that swaps)."""
    return _stopped(folder, "gateway", (1.0, 8.0, 15.0)[: given["depth"]])


def _stopped(folder: Path, part: str, lasts: Sequence[float]) -> Outcome:
    counts: list[str] = []
    bad: list[str] = []
    with hall(folder) as one:
        for last_s in lasts:
            worst_s = _pressed_through(
                one,
                last_s,
                lambda: one.units.send(part, signal.SIGSTOP),
                lambda: one.units.send(part, signal.SIGCONT),
                bad,
            )
            counts.append(f"{last_s} s → {worst_s:.2f} s")
        return _told(one, f"stood still → worst after it went on: {', '.join(counts)}", bad)


def cut_line(folder: Path, given: dict[str, int]) -> Outcome:
    """The gateway's line swallows everything, with no word to either end; then it lives on, or has been forgotten."""
    counts: list[str] = []
    bad: list[str] = []
    cut = CutLine()
    with hall(folder, wrap=cut.dress) as one:
        for last_s in (0.5, 4.0, 8.0, 20.0)[: given["depth"] + 1]:
            for forgotten in (False, True):
                worst_s = _pressed_through(one, last_s, cut.cut, lambda: cut.heal(forgotten=forgotten), bad)  # noqa: B023
                counts.append(f"{last_s} s{' and forgotten' if forgotten else ''} → {worst_s:.2f} s")
        outcome = _told(one, f"cut off → worst after healing: {', '.join(counts)}", bad)
    cut.close()
    return outcome


def broker_disk_full(folder: Path, given: dict[str, int]) -> Outcome:
    """The broker's disk is full: it cannot keep anything. Presses go on, and it recovers when there is room."""
    with hall(folder) as one, small_disk(_store_of(one), 256) as fill:
        one.all_written(one.press(5))
        fill(True)
        during = one.press(40)
        outcome = Outcome("")
        outcome.expect(one.all_written(during), "a press was not written while the broker's disk was full")
        fill(False)
        after_it = one.press(40)
        outcome.expect(one.all_written(after_it), "a press was not written after there was room again")
        outcome.counts = (
            f"40 presses without room: {spread([press.waited_ms for press in during.written])}; "
            f"40 with room again: {spread([press.waited_ms for press in after_it.written])}"
        )
        return outcome


def broker_forgets(folder: Path, given: dict[str, int]) -> Outcome:
    """The broker is killed and what it kept is destroyed (rubbish, cut short, empty, gone) before it comes back."""
    counts, outcome = [], Outcome("")
    with hall(folder) as one:
        store = _store_of(one) / "mosquitto.db"
        for how in ("gone", "empty", "cut short", "a byte wrong", "rubbish"):
            pressing = one.press(60, 30.0)
            threading.Event().wait(0.5)
            data = (store.read_bytes() if store.exists() else b"").ljust(100, b"\x00")
            # Its unit starts it again after half a second: what it kept is destroyed while it is dead.
            one.units.kill("broker")
            _destroy(store, data, how)
            lived = one.all_written(pressing, 12.0)
            outcome.expect(lived, f"{how}: the broker does not come back: {_last_words(one)}")
            counts.append(f"{how}: {spread([press.waited_ms for press in pressing.written])}")
            if not lived:
                store.unlink(missing_ok=True)
                one.wait_part("broker", "ready", patience_s=15.0)
        outcome.counts = "; ".join(counts)
        outcome.expect(one.false_written() == 0, f"{one.false_written()} written and not there")
        return outcome


# ---------------------------------------------------------------- how


def _store_of(one: Hall) -> Path:
    store = one.units.broker_store()
    assert store is not None, "mosquitto.conf does not say where it keeps what it must not forget"
    return store


def _pressed_through(
    one: Hall, last_s: float, begin: Callable[[], None], heal: Callable[[], None], bad: list[str]
) -> float:
    """Presses before, during and after a fault; the longest that one of before or during waited after its end."""
    pressing = one.press(int((last_s + 2) * 10), 10.0)
    pause = threading.Event()
    pause.wait(0.5)
    begin()
    pause.wait(last_s)
    heal()
    healed_s = time.monotonic()
    if not one.all_written(pressing, 30.0):
        bad.append(f"after {last_s} s {len(pressing.unwritten)} presses were never written")
    waits = [
        (press.written_s or 0.0) - healed_s for press in pressing.presses.values() if press.began_s < healed_s
    ]
    worst_s = max(0.0, *waits)
    if worst_s > HEALED_AIM_S:
        story = "; ".join(one.units.between(healed_s, healed_s + worst_s))
        bad.append(f"after {last_s} s a press waited {worst_s:.2f} s more (aim {HEALED_AIM_S}): {story}")
    return worst_s


def _told(one: Hall, counts: str, bad: list[str]) -> Outcome:
    outcome = Outcome(f"{sum(len(buttons.presses) for buttons in one.buttons)} presses; {counts}", bad)
    outcome.expect(one.false_written() == 0, f"{one.false_written()} written and not there")
    outcome.expect(one.doubled() == 0, f"{one.doubled()} calls count a press twice")
    return outcome


def _destroy(store: Path, data: bytes, how: str) -> None:
    match how:
        case "gone":
            store.unlink(missing_ok=True)
        case "empty":
            store.write_bytes(b"")
        case "cut short":
            store.write_bytes(data[: len(data) * 2 // 3])
        case "a byte wrong":
            store.write_bytes(data[:40] + bytes((data[40] ^ 0xFF,)) + data[41:])
        case "rubbish":
            store.write_bytes(os.urandom(4096))


def _last_words(one: Hall) -> str:
    return " | ".join(line for line in one.units.lines.get("broker", [])[-3:])


@contextmanager
def small_disk(folder: Path, kib: int) -> Iterator[Callable[[bool], None]]:
    """A disk of its own, so small that it can be filled: ``fill(True)`` takes all its room, ``fill(False)``
    gives it back.

    :raises SystemExit: only root may mount one.
    """
    if os.geteuid() != 0:
        raise SystemExit("this trial mounts a small disk, which only root may")
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kib}k", "tmpfs", str(folder)], check=True)
    filler = folder / "filler"

    def fill(full: bool) -> None:
        if not full:
            filler.unlink(missing_ok=True)
            return
        with filler.open("wb", buffering=0) as handle:
            try:
                while handle.write(bytes(4096)):
                    pass
            except OSError:
                pass  # that is what was wanted: not a page is left

    try:
        yield fill
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


class CutLine:
    """A line between gateway and broker that can be made to swallow everything."""

    def __init__(self) -> None:
        self._port = free_port()
        self._to = 0
        self._swallow = False
        self._pairs: dict[socket.socket, socket.socket] = {}
        self._lock = threading.Lock()
        self._end = threading.Event()
        self._door = socket.create_server(("127.0.0.1", self._port))
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def dress(self, part: str, argv: list[str], environ: dict[str, str]) -> list[str]:
        """The gateway finds its broker behind us."""
        if part == "gateway":
            self._to = int(environ["LINLI_MQTT_PORT"])
            environ["LINLI_MQTT_PORT"] = str(self._port)
        return argv

    def cut(self) -> None:
        self._swallow = True

    def heal(self, *, forgotten: bool) -> None:
        """Let everything through again; ``forgotten``: what was open before is not known any more (a reset)."""
        with self._lock:
            if forgotten:
                for line in list(self._pairs):
                    line.close()
                self._pairs.clear()
            self._swallow = False

    def close(self) -> None:
        self._end.set()
        self._thread.join(5)
        self._door.close()

    def _run(self) -> None:
        while not self._end.is_set():
            with self._lock:
                lines = list(self._pairs)
            if self._swallow:
                # Nothing is read, nothing is accepted: the kernels fill their buffers, as on a dead radio.
                self._end.wait(0.02)
                continue
            readable, _, _ = select.select([self._door, *lines], [], [], 0.05)
            with self._lock:
                for line in readable:
                    if line is self._door:
                        self._welcome()
                    elif line in self._pairs and line.fileno() >= 0:
                        self._pass_on(line)

    def _welcome(self) -> None:
        inside, _ = self._door.accept()
        try:
            outside = socket.create_connection(("127.0.0.1", self._to), 1.0)
        except OSError:
            inside.close()
            return
        for line in (inside, outside):
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._pairs[inside], self._pairs[outside] = outside, inside

    def _pass_on(self, line: socket.socket) -> None:
        other = self._pairs[line]
        try:
            data = line.recv(65536)
            if data:
                other.sendall(data)
                return
        except OSError:
            pass  # one end is gone: so is the line
        for end in (line, other):
            self._pairs.pop(end, None)
            end.close()

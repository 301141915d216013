"""The bridge's process: chooses the real things, turns the loop, and goes when asked.

    python -m firmware_bridge [--hall FILE]

One thread, one selector: printers, panels, the kiosk's outbox and the gateway's counts. Nothing in a turn waits
but the commit to bridge.db. Exit status 2: hall.toml is wrong, starting again changes nothing.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import select
import selectors
import signal
import socket
import sqlite3
import sys
from collections.abc import Iterator
from typing import Any

from devices.clock import mono_ns, wall_ms
from devices.faults import HallFileFault, NotWritten, SlipFault
from devices.messages import ShowCount
from firmware_bridge.drop_box import DropBox, read_slip
from firmware_bridge.glyphs import draw
from firmware_bridge.jobs import SCHEMA, Jobs
from firmware_bridge.outbox import Outbox, Signs, Watched
from firmware_bridge.panel_desk import PanelDesk
from firmware_bridge.panels import ShowCalled, load_driver
from firmware_bridge.printer_desk import SLIP_GAP_MS, PrinterDesk
from firmware_bridge.profiles import choose, load_profiles
from firmware_bridge.serial_port import SerialPort
from firmware_bridge.sparing import Spares
from firmware_bridge.turns import Turns
from gateway import views
from gateway.house import House, open_house
from gateway.log import begin_log, end_log, say, say_once
from gateway.notebook import Notebook
from gateway.service import begin_notifier

#: A turn at least so often: how fresh the look at kiosk.db is. A look costs some 3 microseconds, a whole idle turn
#: less than 0.2 ms of a Pi's time, 1 % of one core.
TURN_MS = 20
#: How far the bridge gives way to the hall (systemd/linli-bridge.service has the same number).
NICENESS = 5
#: docs/protocol.md, section 3.
ALIVE_EVERY_MS = 15_000


#: The columns of gateway.db's table "panels" that are numbers.
_NUMBERS = ("free", "taken", "unknown", "closed", "total", "since_ms", "reserved")
_WORDS = ("text", "level", "arrow", "text_en")
#: Whose line it is, what is awaited of it, which opening of the port this is.
_Watch = tuple[PrinterDesk | PanelDesk, int, int]


class Bridge:
    """Everything of one hall that has ink or light on a serial line."""

    def __init__(self, house: House, notebook: Notebook) -> None:
        self._notebook = notebook
        self.jobs = Jobs(notebook, _wall_ms)
        self.outbox = Outbox(house.kiosk_db)
        self.drop_box = DropBox(house.home / "spool-in")
        self.counts = Watched(house.gateway_db)
        self.signs = Signs(house.kiosk_db)
        profiles = load_profiles()
        self.printers = [
            PrinterDesk(
                printer,
                SerialPort(house.serial_port(printer.id, printer.port), printer.baud, printer.flow),
                choose(profiles, printer.profile, printer.id),
                self.jobs,
                draw,
            )
            for printer in house.plan.printers
        ]
        self.panels = _panels(house, self.jobs)
        self.spares = Spares(self.printers, self.jobs)
        self.desks: list[PrinterDesk | PanelDesk] = [*self.printers, *self.panels]
        self._selector = selectors.DefaultSelector()
        self._watched: dict[int, _Watch] = {}
        self._take_again_ms = 0
        self._states: list[str | None] = []
        self._alive_ms = 0
        torn = self.jobs.begin(
            [desk.printer.id for desk in self.printers], [desk.panel.id for desk in self.panels], os.getpid()
        )
        if notebook.quarantined:
            say(
                "notebook_put_aside",
                f"bridge.db was unreadable and is kept as {notebook.quarantined}; a new one was begun",
                level=logging.ERROR,
            )
        if torn:
            say(
                "slips_unsure",
                f"{torn} slip(s) were being printed when we stopped: staff are asked",
                level=logging.WARNING,
            )

    def listen_to(self, wakeup: socket.socket) -> None:
        """A signal ends the wait at once through ``wakeup``."""
        self._selector.register(wakeup, selectors.EVENT_READ)

    def turn(self, wait_ms: int = TURN_MS) -> None:
        """One turn of the loop: wait for the lines at most ``wait_ms``, then do what is due."""
        self._watch_lines()
        for key, ready in self._selector.select(wait_ms / 1000):
            desk = key.data
            if desk is None:
                continue
            tick = _tick_ms()
            if ready & selectors.EVENT_READ and desk.port.is_open:
                desk.readable(tick)
            if ready & selectors.EVENT_WRITE and desk.port.is_open:
                desk.writable(tick)
        tick = _tick_ms()
        self._look_at_kiosk(tick)
        self._look_into_drop_box(tick)
        self._look_at_counts(tick)
        self._look_at_signs(tick)
        for desk in self.desks:
            desk.turn(tick)
        self.spares.turn(tick)
        if tick >= self._alive_ms:
            self._alive_ms = tick + ALIVE_EVERY_MS
            with contextlib.suppress(NotWritten):  # said aloud where a slip hangs on it
                self.jobs.beat()
        self.jobs.rest()

    def close(self) -> None:
        for desk in self.desks:
            desk.close()
        self.outbox.file.close()
        self.signs.file.close()
        self.counts.close()
        self._selector.close()
        self._notebook.close()

    def state_changed(self) -> bool:
        """Whether `status` has another text than at the last call."""
        before, self._states = self._states, [desk.state for desk in self.desks]
        return before != self._states

    def status(self) -> str:
        """One line for the person who looks."""
        parts = [f"{desk.printer.id}: {desk.state or 'asking'}" for desk in self.printers]
        parts += [f"{desk.panel.id}: {desk.state or 'nothing to show yet'}" for desk in self.panels]
        return ", ".join(parts) or "no printer and no serial panel in hall.toml"

    def _watch_lines(self) -> None:
        """Bring the selector in step with the ports: they open, close and have bytes to send as they like.

        A port that was closed has left epoll by itself, and its descriptor may belong to another line by now:
        hence the count of its openings.
        """
        wanted: dict[int, _Watch] = {}
        for desk in self.desks:
            if desk.port.is_open:
                number = desk.port.fileno()
                if number in wanted and isinstance(desk, PanelDesk) and desk.turns.speaker is not desk:
                    continue  # the line is another's: on a shared one it is the speaker who listens
                events = selectors.EVENT_READ | (selectors.EVENT_WRITE if desk.wants_to_write else 0)
                wanted[number] = (desk, events, desk.port.openings)
        if wanted == self._watched:
            return
        for number in self._watched:
            with contextlib.suppress(KeyError, OSError):
                self._selector.unregister(number)
        for number, (desk, events, _) in wanted.items():
            self._selector.register(number, events, desk)
        self._watched = wanted

    def _look_at_kiosk(self, tick: int) -> None:
        # While a printer is busy the next slips are in no hurry: they are taken in together, with one sync for all.
        if tick < self._take_again_ms and any(desk.busy for desk in self.printers):
            return
        if not self.outbox.file.changed(tick):
            return
        self._take_again_ms = tick + SLIP_GAP_MS
        try:
            self._take_slips(tick)
        except sqlite3.Error as wrong:
            # Not the kiosk's schema yet, or a disk that is failing: tried again every second.
            say_once("kiosk_db", "outbox_unreadable", f"kiosk.db cannot be read: {wrong}; tried every second")
            self.outbox.file.lost(wrong)
        except NotWritten as wrong:
            # A full disk stops the paper, never the process.
            say_once("bridge_db", "not_written", f"{wrong}; slips wait meanwhile", level=logging.ERROR)
            self.outbox.file.lost(wrong)

    def _take_slips(self, tick: int) -> None:
        epoch = self.outbox.epoch()
        # Slips are never taken away: fewer than we know means that somebody put an old copy in place by hand.
        shrunk = self.outbox.newest_slip() < int(self.jobs.meta("last_slip_id") or 0)
        if shrunk or self.jobs.meta("kiosk_epoch") != epoch:
            if any(desk.busy for desk in self.printers):
                self.outbox.file.again()  # first let the slips end that belong to the other kiosk.db
                return
            self.jobs.meet_kiosk(epoch, self.outbox.restored_slip())
            for desk in self.printers:
                desk.forget_late()
        new = False
        while slips := self.outbox.slips_after(int(self.jobs.meta("last_slip_id") or 0)):
            # The printers are asked first: they answer while the disk writes.
            for desk in self.printers:
                desk.nudge(tick)
            self.jobs.take_in(slips)
            new = True
        while verdicts := self.outbox.verdicts_after(int(self.jobs.meta("last_verdict_id") or 0)):
            self.jobs.hear_verdicts(verdicts)
        if new:
            self._refuse_strangers()
        while acts := self.outbox.acts_after(int(self.jobs.meta("last_act_id") or 0)):
            self.jobs.take_acts(acts)

    def _refuse_strangers(self) -> None:
        for slip_id, printer in self.jobs.refuse_strangers({desk.printer.id for desk in self.printers}):
            say(
                "slip_refused",
                f"slip {slip_id}: hall.toml has no printer {printer!r}",
                level=logging.ERROR,
                slip_id=slip_id,
                printer=printer,
            )

    def _look_into_drop_box(self, tick: int) -> None:
        for file in self.drop_box.waiting(tick):
            try:
                self.jobs.take_dropped(read_slip(file, _wall_ms()))
                self._refuse_strangers()
                file.unlink(missing_ok=True)
            except SlipFault as wrong:
                with contextlib.suppress(OSError):
                    file.rename(file.with_suffix(".bad"))
                say("slip_refused", f"spool-in: {wrong}", level=logging.ERROR)
            except (NotWritten, OSError) as wrong:
                say_once("drop_box", "not_written", f"spool-in waits: {wrong}", level=logging.ERROR)
                return
            for desk in self.printers:
                desk.nudge(tick)

    def _look_at_counts(self, tick: int) -> None:
        if not self.panels or not self.counts.changed(tick):
            return
        assert self.counts.connection is not None
        try:
            rows = {str(row["panel"]): row for row in views.panels(self.counts.connection)}
        except sqlite3.Error as wrong:
            say_once("gateway_db", "counts_unreadable", f"gateway.db cannot be read: {wrong}; tried every second")
            self.counts.lost(wrong)
            return
        for desk in self.panels:
            if desk.panel.kind == "count" and (row := rows.get(desk.panel.id)):
                numbers = {name: int(str(row[name])) for name in _NUMBERS}
                words: dict[str, Any] = {**numbers, **{name: str(row[name]) for name in _WORDS}}
                desk.show(ShowCount(desk.panel.id, certain=bool(row["certain"]), **words))


    def _look_at_signs(self, tick: int) -> None:
        signs = [desk for desk in self.panels if desk.panel.kind == "window"]
        if not signs or not self.signs.file.changed(tick):
            return
        try:
            levels = self.signs.levels()
        except sqlite3.Error as wrong:
            say_once(
                "kiosk_db_signs", "outbox_unreadable", f"what signs show cannot be read: {wrong}; tried every second"
            )
            self.signs.file.lost(wrong)
            return
        for desk in signs:
            # A sign of which the kiosk says nothing is told that it is dark: it may still show yesterday's number.
            text, blink = levels.get(desk.panel.id, ("", False))
            desk.show(ShowCalled(text, blink))


def _panels(house: House, jobs: Jobs) -> list[PanelDesk]:
    """A desk for each serial panel; those on one line share its port and take turns.

    :raises HallFileFault: a driver is not there, or cannot share a line: its frames name no address.
    """
    lines: dict[str, tuple[SerialPort, Turns[PanelDesk]]] = {}
    desks: list[PanelDesk] = []
    for panel in house.plan.panels:
        if panel.via != "serial":
            continue
        driver = load_driver(panel.driver, panel.id, panel.kind)
        path = house.serial_port(panel.id, panel.port)
        beside = next((desk for desk in desks if desk.port.path == path), None)
        mute = panel if not driver.ADDRESSED else beside.panel if beside and not beside.driver.ADDRESSED else None
        if beside is not None and mute is not None:
            raise HallFileFault(
                f"hall.toml: panels: {panel.id}: {panel.port} is used by {beside.panel.id!r}, and driver "
                f"{mute.driver!r} has no address: it needs a line of its own. 这种屏没有地址，要单独一条线。"
            )
        # No XON/XOFF: in a panel's binary answer 0x11 and 0x13 are numbers (19 free bays is one).
        port, turns = lines.setdefault(path, (SerialPort(path, panel.baud, "none"), Turns()))
        desks.append(PanelDesk(panel, port, driver, jobs, turns))
    return desks


def _wall_ms() -> int:
    return wall_ms()


def _tick_ms() -> int:
    return mono_ns() // 1_000_000


def main(argv: list[str] | None = None) -> int:
    words = argparse.ArgumentParser(prog="python -m firmware_bridge", description="The hall's printers and panels.")
    words.add_argument("--hall", help="another hall.toml")
    asked = words.parse_args(argv)
    # Paper follows the number, and a number must not wait for the paper of the one before it (docs/measurements.md).
    try:
        os.nice(NICENESS)
    except OSError:
        pass  # under systemd the sandbox forbids it, and the unit's own Nice= has done it
    begin_log("bridge")
    notifier = begin_notifier()
    try:
        house = open_house(asked.hall)
        with _going() as (wakeup, going):
            bridge = _open_bridge(house, wakeup, going)
            if bridge is None:
                return 0
            bridge.listen_to(wakeup)
            notifier.ready()
            say("bridge_ready", "ready: " + bridge.status())
            while not going:
                bridge.turn()
                notifier.beat()
                if bridge.state_changed():
                    notifier.status(bridge.status())
            notifier.stopping()
            bridge.close()
            say("bridge_stopped", "stopped")
        return 0
    except HallFileFault as wrong:
        say("hall_file_wrong", str(wrong), level=logging.ERROR)
        return 2
    finally:
        end_log()


def _open_bridge(house: House, wakeup: socket.socket, going: list[int]) -> Bridge | None:
    """The bridge with its notebook; while the disk refuses, tried every second until we are asked to go."""
    while not going:
        notebook = None
        try:
            house.home.mkdir(parents=True, exist_ok=True)
            notebook = Notebook(house.bridge_db, SCHEMA)
            return Bridge(house, notebook)
        except NotWritten as wrong:
            say_once("bridge_db", "not_written", f"{wrong}; trying again every second", level=logging.ERROR)
            if notebook is not None:
                notebook.close()
        select.select([wakeup], [], [], 1.0)
    return None


@contextlib.contextmanager
def _going() -> Iterator[tuple[socket.socket, list[int]]]:
    """SIGTERM and SIGINT put their number into the list and wake the selector."""
    going: list[int] = []
    here, there = socket.socketpair()
    here.setblocking(False)
    there.setblocking(False)
    before = {
        number: signal.signal(number, lambda got, _: going.append(got)) for number in (signal.SIGTERM, signal.SIGINT)
    }
    waker = signal.set_wakeup_fd(there.fileno(), warn_on_full_buffer=False)
    try:
        yield here, going
    finally:
        signal.set_wakeup_fd(waker)
        for number, handler in before.items():
            signal.signal(number, handler)
        here.close()
        there.close()


if __name__ == "__main__":
    sys.exit(main())

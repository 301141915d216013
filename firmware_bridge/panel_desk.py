"""One serial panel's conduct. A panel is a level: what it shows may be told again at any time.

So it is told when the line opens, when the count (or the number called) changes, and now and then in case the panel
lost its power in between (how often its driver says). A panel that answers is believed only by its answer; one that
says no is told again, too: most often its line is bad.

Several panels may hang on one RS-485 line, told apart by their addresses: they share the port and take turns
(`turns.py`). An answer is looked for by the one whose turn it is alone.
"""

from __future__ import annotations

import logging

from devices.faults import NotWritten, OutsideDown
from devices.plan import Panel
from firmware_bridge.jobs import Jobs
from firmware_bridge.panels import Driver, Frame, Shown
from firmware_bridge.serial_port import SerialPort
from firmware_bridge.turns import Turns
from gateway.log import say

#: A panel's answer of 7 bytes takes 7 ms at 9600 baud; RS-485 converters add up to 100 ms of turn-around.
ANSWER_WITHIN_MS = 500
#: So often a count is told before the panel counts as silent; after that it is tried every 2 s.
MOST_TRIES, TRY_SILENT_MS = 3, 2000
#: What is kept of a babbling line while an answer is looked for.
_MOST_HEARD = 64


class PanelDesk:
    """One panel of hall.toml with ``via = "serial"``. Only the loop's thread calls it.

    :param turns: shared, as ``port`` is, with the other panels on the line; None where it has the line to itself.
    """

    def __init__(
        self,
        panel: Panel,
        port: SerialPort,
        driver: Driver,
        jobs: Jobs,
        turns: Turns[PanelDesk] | None = None,
    ) -> None:
        self.panel = panel
        self.port = port
        self.driver = driver
        self.state: str | None = None
        self._jobs = jobs
        self.turns: Turns[PanelDesk] = turns or Turns()
        #: which opening of the port it has spoken on: another desk may have seen the line go and come back
        self._opening = 0
        #: what the panel was told last, and is answering now
        self._asked: Frame | None = None
        self._what: Shown | None = None
        self._frame: Frame | None = None
        self._out = b""
        self._heard = b""
        self._tries = 0
        self._answer_due_ms: int | None = None
        self._no = ""
        self._tell_ms = 0
        self._written: tuple[str, str] = ("", "")

    @property
    def wants_to_write(self) -> bool:
        return bool(self._out)

    def show(self, what: Shown) -> None:
        """The count, or the number called, to show from now on."""
        if what != self._what:
            self._what = what
            self._frame = self.driver.compose(what, self.panel)
            # Where an answer is under way it is waited for: taken for the answer to this, it would confirm what
            # nobody has read yet.
            self._tries = self._tell_ms = 0

    def readable(self, tick_ms: int) -> None:
        try:
            self._heard = (self._heard + self.port.read())[-_MOST_HEARD:]
        except OutsideDown:
            self._lost()
            return
        if self._answer_due_ms is None or self._asked is None:
            self._heard = b""  # too late, or nobody's: the line is another's
            return
        if self.driver.confirmed(self._heard, self._asked.raw):
            self._heard = b""
            self._answer_due_ms = None
            self._tries = 0
            self.turns.give(self)
            self._be("ready", self._asked.shown, "", "")
        elif no := self.driver.refused(self._heard, self._asked.raw):
            self._no = no
            self._heard = b""
            self._answer_due_ms = tick_ms  # there is nothing to wait for

    def writable(self, tick_ms: int) -> None:
        if not self._out:
            return
        try:
            self._out = self._out[self.port.write(self._out) :]
        except OutsideDown:
            self._lost()
            return
        if not self._out and self._answer_due_ms is None:
            self.turns.give(self)  # it answers nothing

    def turn(self, tick_ms: int) -> None:
        if self.port.is_open and not self.port.still_there(tick_ms):
            self._lost()
        if not self.port.is_open and not self.port.try_open(tick_ms):
            self._be("port_missing", "", self.port.why_zh, self.port.why_en)
            return
        if self._opening != self.port.openings:
            self._opening = self.port.openings
            self._out = self._heard = b""
            self._tries = self._tell_ms = 0
            self._answer_due_ms = None
            self.turns.give(self)
        if self._frame is None or self._out:
            return
        if self._answer_due_ms is not None and tick_ms >= self._answer_due_ms:
            self._answer_due_ms = None
            self.turns.give(self)
            if self._tries >= MOST_TRIES:
                self._tell_ms = tick_ms + TRY_SILENT_MS
                self._be("silent", "", *self._why_silent())
            else:
                self._tell_ms = tick_ms
        if self._answer_due_ms is None and tick_ms >= self._tell_ms and self.turns.take(self):
            self._tell(tick_ms)

    def close(self) -> None:
        self.port.close()

    def _why_silent(self) -> tuple[str, str]:
        name = "窗口屏" if self.panel.kind == "window" else "车位屏"
        if self._no:
            return (
                f"{name}拒收（{self._no}）：检查 485 线的接头、hall.toml 里的 driver、address 和 baud",
                f"the panel refuses what it is told ({self._no}): check wires, driver, address and baud in hall.toml",
            )
        return (
            f"{name}没有回音：检查电源和 485 线",
            "no answer from the panel: check power and wires, and address and baud in hall.toml",
        )

    def _tell(self, tick_ms: int) -> None:
        assert self._frame is not None
        self._asked = self._frame
        self._out = self._frame.raw
        self._heard, self._no = b"", ""
        self._tell_ms = tick_ms + self.driver.TELL_AGAIN_MS
        if self.driver.ANSWERS:
            self._tries += 1
            self._answer_due_ms = tick_ms + ANSWER_WITHIN_MS
        else:
            self._be(
                "ready", self._frame.shown, "此屏不回话，无法确认", "this panel never answers: not confirmed"
            )
        self.writable(tick_ms)

    def _lost(self) -> None:
        self._out = b""
        self._answer_due_ms = None
        self.turns.give(self)
        self._be("port_missing", "", self.port.why_zh, self.port.why_en)

    def _be(self, state: str, shown: str, why_zh: str, why_en: str) -> None:
        if (state, shown) == self._written:
            return
        try:
            self._jobs.panel_is(self.panel.id, state, shown, why_zh, why_en)
        except NotWritten:
            return  # told again soon
        self._written = (state, shown)
        if state != self.state:
            say(
                "panel_" + state,
                f"panel {self.panel.id}: {state.replace('_', ' ')}" + (f": {why_en}" if why_en else ""),
                level=logging.INFO if state == "ready" else logging.WARNING,
                panel=self.panel.id,
            )
        self.state = state

"""Several virtual panels at the end of one RS-485 line: all hear everything, and who is addressed answers.

    bus = VirtualBus("east", home, [("sign-1", "am03127", 1), ("sign-2", "bx5k", 2)])
    bus.start()                                               # <home>/virtual/east is the port of all of them
    bus.panels["sign-2"].do("silent")

In hall.toml: ``port = "virtual:east"`` for each. As with `panel.py`, what stands on each is in
``<home>/virtual/panels``.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from devices.virtual.panel_ears import EARS
from devices.virtual.port import OnASerialLine


class BusPanel:
    """One of them. Its fields belong to whoever holds the bus's lock; `do` and `state` take it themselves."""

    def __init__(self, bus: VirtualBus, panel_id: str, home: Path, driver: str, address: int) -> None:
        self.panel_id = panel_id
        self.face = home / "virtual" / "panels" / f"{panel_id}.txt"
        self._bus = bus
        self._ear, self._address = EARS[driver], address
        self._silent = self._refuses = False
        self._shown, self._told = "", 0
        self._heard = b""

    def do(self, command: str, **args: Any) -> dict[str, Any]:
        """``silent``, ``talk``, ``refuse``: this panel alone. ``unplug``, ``plug``: the line, and so all of them.

        :raises ValueError: there is no such command.
        """
        if args:
            raise ValueError(f"a panel's commands have no words of their own: {sorted(args)}")
        with self._bus.lock:
            if command in ("unplug", "plug"):
                self._bus.pull(command == "unplug")
            elif command in ("silent", "talk", "refuse"):
                self._silent, self._refuses = command == "silent", command == "refuse"
            else:
                raise ValueError(f"a panel knows silent, talk, refuse, unplug and plug, not {command!r}")
            return self.state()

    def state(self) -> dict[str, Any]:
        with self._bus.lock:
            return {
                "device": f"panel:{self.panel_id}",
                "port": str(self._bus.link),
                "address": self._address,
                "silent": self._silent,
                "refuses": self._refuses,
                "shown": self._shown,
                "told": self._told,
            }

    def show(self, text: str) -> None:
        self._shown = text
        fresh = self.face.with_name(f".{self.face.name}.new")
        fresh.write_text(text + "\n", encoding="utf-8")
        fresh.replace(self.face)

    def forget(self) -> None:
        """It had no power meanwhile."""
        self._heard = b""
        self.show("")

    def hear(self, data: bytes) -> bytes:
        """What it answers to what is on the line."""
        if self._silent:
            self._heard = b""
            return b""
        heard = self._ear(self._heard + data, self._address)
        self._heard = heard.rest
        answers = b""
        for one in heard.frames:
            self._told += 1
            if not self._refuses:
                self.show(one.shown)
            answers += one.refusal if self._refuses else one.answer
        return answers


class VirtualBus(OnASerialLine):
    """The line and its panels; see the head of this file."""

    def __init__(self, name: str, home: Path, panels: Sequence[tuple[str, str, int]]) -> None:
        super().__init__(home / "virtual" / name, f"bus {name}")
        self.lock = self._changed
        self.panels = {one: BusPanel(self, one, home, driver, address) for one, driver, address in panels}
        #: the order in which they answered: what a test of fairness looks at
        self.answered: list[str] = []

    def _open(self) -> None:
        for panel in self.panels.values():
            panel.face.parent.mkdir(parents=True, exist_ok=True)
            panel.show("")

    def state(self) -> dict[str, Any]:
        with self._changed:
            return {
                "plugged": self._master >= 0,
                "answered": list(self.answered),
                **{name: panel.state() for name, panel in self.panels.items()},
            }

    def pull(self, away: bool) -> None:
        """The cable goes, or comes back. The caller holds the lock."""
        if away:
            self._unplug()
        elif self._master < 0:
            for panel in self.panels.values():
                panel.forget()
            self._plug()
        self._wake()
        self._changed.notify_all()

    def _hear(self, data: bytes) -> None:
        for name, panel in self.panels.items():
            answer = panel.hear(data)
            if not answer:
                continue
            self.answered.append(name)
            try:
                os.write(self._master, answer)
            except OSError:
                pass  # nobody reads

"""A virtual parking sensor and the text panel at the gate."""

from __future__ import annotations

import secrets
from typing import Any

from devices.virtual.line import Line, words_of

#: A word of life at this pace, and it says so; the gateway calls three missed ones silence.
EVERY_S = 20
#: A noisy sensor flaps this many times when told to.
FLAPS = 6


class VirtualBay:
    """One bay with its sensor."""

    def __init__(self, device_id: str, line: Line, occupied: bool) -> None:
        self.device_id = device_id
        self._line = line
        self._boot = secrets.token_hex(8)
        self._seq = 0
        self._occupied = occupied
        self._silent = False
        self._next_life_s = 0.0

    def do(self, command: str, **_how: Any) -> dict[str, Any]:
        """``arrive``, ``leave``, ``silent``, ``talk``, ``noisy``."""
        match command:
            case "arrive" | "leave":
                self._occupied = command == "arrive"
                self._say()
            case "silent":
                self._silent = True
            case "talk":
                self._silent = False
                self._say()
            case "noisy":
                for _ in range(FLAPS):
                    self._occupied = not self._occupied
                    self._say()
            case _:
                raise ValueError(f"a bay can arrive, leave, silent, talk, noisy; not {command!r}")
        return self.state()

    def state(self) -> dict[str, Any]:
        return {"occupied": self._occupied, "silent": self._silent}

    def tick(self, now_s: float) -> None:
        if now_s >= self._next_life_s and self._line.up:
            self._next_life_s = now_s + EVERY_S
            self._say()

    def up(self) -> None:
        """The line is back: say at once how things are."""
        self._next_life_s = 0.0

    def _say(self) -> None:
        if self._silent:
            return
        self._seq += 1
        self._line.say(
            f"linli/v1/bay/{self.device_id}/state",
            {
                "boot": self._boot,
                "seq": self._seq,
                "occupied": self._occupied,
                "battery_pct": 88,
                "every_s": EVERY_S,
            },
        )


class VirtualTextPanel:
    """A text panel at the gate that listens to its topic, and repeats what it shows (docs/protocol.md, section 9)."""

    def __init__(self, panel_id: str, line: Line) -> None:
        self.panel_id = panel_id
        self._line = line
        self._text = ""
        self._number: int | None = None
        self._silent = False
        self._next_word_s = 0.0
        line.listen(f"linli/v1/panel/{panel_id}/text", self._shown)

    def do(self, command: str, **_how: Any) -> dict[str, Any]:
        """``silent`` (no power at its radio: it shows what it showed, and says nothing), ``talk``."""
        if command not in ("silent", "talk"):
            raise ValueError(f"a panel can silent, talk; not {command!r}")
        self._silent = command == "silent"
        self._say()
        return self.state()

    def state(self) -> dict[str, Any]:
        return {"text": self._text, "silent": self._silent}

    def tick(self, now_s: float) -> None:
        """Now and then it says what stands on it, so that its silence means something."""
        if now_s >= self._next_word_s and self._line.up:
            self._next_word_s = now_s + EVERY_S
            self._say()

    def up(self) -> None:
        """The line is back: say at once how things are."""
        self._next_word_s = 0.0

    def _shown(self, payload: bytes) -> None:
        told = words_of(payload)
        text, number = told.get("text"), told.get("number")
        if isinstance(text, str) and not self._silent:
            self._text, self._number = text, number if isinstance(number, int) else None
            self._say()

    def _say(self) -> None:
        if self._silent or not self._text:
            return  # off, or dark: nobody has told it anything yet
        self._line.say(
            f"linli/v1/panel/{self.panel_id}/state",
            {"text": self._text, "number": self._number, "every_s": EVERY_S},
        )

"""Sending and receiving by the hall's own modem: asks the process that speaks to it (modem.py). Blocks.

All calls come from one lane with one thread: a modem does one thing at a time.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import threading
from dataclasses import dataclass
from typing import Any

from devices.clock import mono_s
from herald.wording import NOT_A_NUMBER, Outcome, digits, why

#: A silent modem costs gammu 12-40 s until it says so (measured); a text of three parts takes some 10 s on a real one.
PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class Came:
    """A short message that lies in the modem. ``places``: where, so that it can be forgotten."""

    number: str
    text: str
    at_ms: int
    places: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class ModemIs:
    """How the modem was when it was last asked something: herald.db's table "modems"."""

    state: str
    why_zh: str = ""
    why_en: str = ""


class ModemPost:
    """The hall's modem. ``port`` is a device, or a link to the virtual one's."""

    def __init__(self, port: str) -> None:
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None
        self._closed = threading.Event()
        self.now = ModemIs("silent", "还没有回音", "no word from it yet")

    def send(self, number: str, text: str) -> Outcome:
        if not digits(number):
            return Outcome(False, NOT_A_NUMBER, final=True)
        said = self._ask({"do": "send", "number": "".join(number.split()), "text": text})
        return Outcome(True) if said["ok"] else Outcome(False, why(said["why_zh"], said["why_en"]))

    def look(self) -> list[Came]:
        """What has come in; ``now`` is how the modem is."""
        said = self._ask({"do": "look"})
        return [
            Came(
                one["number"],
                one["text"],
                one["at_ms"],
                tuple((place[0], place[1]) for place in one["places"]),
            )
            for one in said.get("came", [])
        ]

    def forget(self, came: Came) -> None:
        """It is written down: the modem's room is small."""
        self._ask({"do": "forget", "places": came.places})

    def close(self) -> None:
        """Whatever is asked from now on fails."""
        self._closed.set()
        self._end()

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()

    def _ask(self, words: dict[str, Any]) -> dict[str, Any]:
        said = self._converse(words)
        if said is None:
            said = {
                "ok": False,
                "state": "silent",
                "why_zh": "短信模块没有回答",
                "why_en": "the modem does not answer",
            }
        if not said["ok"] and said["state"] in ("silent", "port_missing"):
            self._end()  # what it believes of the modem is in doubt: the next question begins anew
        # A network that refuses one message says nothing about the modem; what forget says, neither.
        if said["ok"]:
            self.now = ModemIs("ready")
        elif said["state"] != "error" or self.now.state != "ready":
            self.now = ModemIs(said["state"], said["why_zh"], said["why_en"])
        return said

    def _converse(self, words: dict[str, Any]) -> dict[str, Any] | None:
        """One question, one answer; None: it has not come."""
        if self._closed.is_set():
            return None
        process = self._process
        if process is None or process.poll() is not None:
            self._end()
            process = subprocess.Popen(
                [sys.executable, "-m", "herald.modem", self._port],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
            self._process = process
        if self._closed.is_set():  # by another thread, since we asked
            self._end()
            return None
        assert process.stdin is not None and process.stdout is not None
        try:
            process.stdin.write(json.dumps(words).encode() + b"\n")
            process.stdin.flush()
            line = _line(process.stdout.fileno(), mono_s() + PATIENCE_S)
            said = json.loads(line) if line else None
        except (OSError, ValueError, RecursionError):
            return None
        return said if isinstance(said, dict) and "ok" in said else None


def _line(fileno: int, until_s: float) -> bytes:
    """One whole line, or nothing."""
    line = bytearray()
    while not line.endswith(b"\n"):
        ready, _, _ = select.select([fileno], [], [], max(0.0, until_s - mono_s()))
        chunk = os.read(fileno, 65536) if ready else b""
        if not chunk:
            return b""
        line += chunk
    return bytes(line)

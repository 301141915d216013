"""The reference button in the hand of a test: the real life on the virtual board, its time held, its wire real."""

from __future__ import annotations

import json
import select
import time
from collections.abc import Callable
from pathlib import Path

from devices.reference_button.life import Life
from devices.reference_button.protocol import Protocol
from devices.reference_button.settings import Settings
from devices.reference_button.virtual_board import POWER_UP_MS, Files, VirtualBoard
from tests.parts import PATIENCE_S, Json

DEVICE = "btn-0302"
#: The protocol is asked what to say at this pace while time passes; the chip asks every 10 ms.
STEP_MS = 50


def words_of_settings(port: int = 1883, **others: object) -> Json:
    """The settings of a button on mains without TLS."""
    plain: Json = {
        "device": DEVICE,
        "wifi_name": "HALL",
        "host": "127.0.0.1",
        "port": port,
        "tls": False,
        "power": "mains",
    }
    return plain | others


def settings(port: int = 1883, **others: object) -> Settings:
    return Settings(json.dumps(words_of_settings(port, **others)))


class HeldButton:
    """A whole button. Time passes only by :meth:`pass_s`; the wire and who is at its other end take their own."""

    def __init__(self, folder: Path, port: int, *, ca: bytes = b"", **others: object) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.settings = settings(port, **others)
        self.board = VirtualBoard(str(folder), self.settings, ca)
        self.life = Life(self.board, self.settings)
        #: the rests that it has taken: (ms, whether the finger may wake it)
        self.rests: list[tuple[int, bool]] = []
        self.tunes: list[str] = []

    @property
    def light(self) -> str:
        return self.life.protocol.light(self.board.now_ms())

    @property
    def unwritten(self) -> int:
        return self.life.protocol.unwritten

    def turn(self) -> bool:
        """One turn. True: it has fallen asleep (:meth:`wake` goes on)."""
        rest = self.life.turn()
        tune = self.life.protocol.player.playing(self.board.now_ms())
        if tune and (not self.tunes or self.tunes[-1] != tune):
            self.tunes.append(tune)
        if rest is not None:
            self.rests.append(rest)
        return rest is not None

    def turn_until(self, done: Callable[[], bool], what: str) -> None:
        """Turn until ``done``; between two turns wait for the wire."""
        until_s = time.monotonic() + PATIENCE_S
        while not done():
            assert time.monotonic() < until_s, f"waited in vain until {what}; it said {self.board.said}"
            self.turn()
            line, wire = self.life.line, self.board.wire
            if line is not None and wire is not None:
                select.select([wire.raw], [], [], 0.02)
            else:
                self.pass_s(0.05)  # nothing to wait for but its own next try

    def until_up(self) -> None:
        self.turn_until(lambda: self.life.up, "the broker has let it in")

    def until_written(self) -> None:
        self.turn_until(lambda: not self.unwritten, "the press is written")

    def until_light(self, light: str) -> None:
        self.turn_until(lambda: self.light == light, f"the lamp is {light}; it is {self.light}")

    def pass_s(self, seconds: float) -> None:
        self.board.pass_ms(round(seconds * 1000))

    def press(self) -> None:
        """Down and up again within a tenth of a second."""
        self.board.put_finger(True)
        self.turn()
        self.pass_s(0.1)
        self.board.put_finger(False)
        self.turn()

    def wake(self, *, finger: bool = False) -> None:
        """Deep sleep ends: by its clock, or at once by a finger. A new life with the same memory."""
        self.board.slept(0 if finger else self.rests[-1][0])
        if finger:
            assert self.rests[-1][1], "the finger may not wake it"
            self.board.put_finger(True)
        self.life = Life(self.board, self.settings)

    def die(self) -> None:
        """Dark, without a goodbye."""
        if self.life.line is not None:
            self.life.line.stream.close()
            self.life.line, self.life.up = None, False
            self.life.protocol.line_down(self.board.now_ms())

    def power_cut(self) -> None:
        """Dark, and then there is power again: no memory but the flash."""
        self.die()
        self.board.power_cut()
        self.life = Life(self.board, self.settings)

    def close(self) -> None:
        self.life.leave(self.board.now_ms())


class Spoken:
    """The protocol alone, without any wire: what it says, when."""

    def __init__(self, folder: Path, **others: object) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.settings = settings(1883, **others)
        self.files = Files(str(folder))
        self.now_ms = POWER_UP_MS
        self.battery_mv = 3_900 if self.settings.battery else 0
        self.protocol = Protocol(self.settings, self.files, self.now_ms)
        #: all it has said, with the time: (ms since this Spoken began, what it is, words)
        self.said: list[tuple[int, str, Json]] = []
        self.tunes: list[tuple[int, str]] = []
        self.rest: tuple[int, bool] | None = None

    def up(self) -> None:
        self.protocol.line_up(self.now_ms)
        self.step()

    def down(self) -> None:
        self.protocol.line_down(self.now_ms)

    def step(self) -> None:
        for _topic, payload, what in self.protocol.turn(self.now_ms, self.battery_mv):
            self.said.append((self.now_ms - POWER_UP_MS, what, json.loads(payload)))
        tune = self.protocol.player.playing(self.now_ms)
        if tune and (not self.tunes or self.tunes[-1][1] != tune or self.now_ms - self.tunes[-1][0] > 2_000):
            self.tunes.append((self.now_ms, tune))
        self.rest = self.protocol.rest(self.now_ms)

    def pass_s(self, seconds: float) -> None:
        """Time passes in steps; it stops where the button falls asleep."""
        until_ms = self.now_ms + round(seconds * 1000)
        while self.now_ms < until_ms and self.rest is None:
            self.now_ms = min(until_ms, self.now_ms + STEP_MS)
            self.step()

    def finger(self, down: bool) -> None:
        self.protocol.finger(down, self.now_ms)
        self.step()

    def press(self, held_s: float = 0.1) -> None:
        self.finger(True)
        self.pass_s(held_s)
        self.finger(False)

    def presses(self) -> list[Json]:
        """What was said of presses since last asked."""
        taken = [words for _, what, words in self.said if what == "press"]
        self.said = [one for one in self.said if one[1] != "press"]
        return taken

    def written(self, words: Json) -> None:
        answer = json.dumps({"boot": words["boot"], "seq": words["seq"]})
        self.protocol.heard(self.protocol.written_topic, answer.encode(), self.now_ms)
        self.step()

    def lamp(self, light: str) -> None:
        words = json.dumps({"light": light, "call_id": 7, "since_ms": 1})
        self.protocol.heard(self.protocol.lamp_topic, words.encode(), self.now_ms)
        self.step()

    @property
    def light(self) -> str:
        return self.protocol.light(self.now_ms)

    @property
    def is_asleep(self) -> bool:
        return self.rest is not None

    def wake(self, *, finger: bool = False) -> None:
        """It slept its rest, or until a finger came, and starts anew with the same memory."""
        assert self.rest is not None, "it is awake"
        if finger:
            assert self.rest[1], "the finger may not wake it"
        self.now_ms += 0 if finger else self.rest[0]
        self.rest = None
        self.protocol = Protocol(self.settings, self.files, self.now_ms)
        if finger:
            self.finger(True)
            self.finger(False)

    def stir(self) -> None:
        """Where a test wants it awake a moment longer than it would be."""
        self.rest = None

    def power_cut(self) -> None:
        self.files.forget_note()
        self.now_ms, self.rest = POWER_UP_MS, None
        self.protocol = Protocol(self.settings, self.files, self.now_ms)

"""What the tests of the voice share: a player that is a real program, and a hall in which numbers are called."""

from __future__ import annotations

import json
import os
import socket
import stat
import sys
import wave
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from devices.plan import Voice as VoicePlan
from gateway.house import House
from kiosk.core import Core
from kiosk.voice.asking import ask

#: Written to PATH as ``aplay``: it copies what it is to play, says so on a socket, and ends, fails, hangs or takes its
#: time as the file ``manner`` beside it says at that moment.
_PROGRAM = """#!{python}
import pathlib, shutil, socket, sys, time
here = pathlib.Path({here!r})
file = pathlib.Path(sys.argv[-1])
shutil.copy(file, here / file.name)
line = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
def say(word):
    words = [word, file.name, str(time.monotonic_ns()), *sys.argv[1:-1]]
    line.sendto(" ".join(words).encode(), str(here / "told"))
manner = (here / "manner").read_text()
say("begins")
if manner == "fail":
    sys.exit("aplay: main:831: audio open error: Device or resource busy")
if manner == "hang":
    time.sleep(600)
if manner.startswith("play "):
    time.sleep(float(manner.split()[1]))
say("ends")
"""


@dataclass
class FakePlayer:
    """A program named ``aplay`` that records what it is given. ``heard`` waits for its next word."""

    folder: Path
    line: socket.socket = field(init=False)

    def __post_init__(self) -> None:
        self.folder.mkdir()
        self.line = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.line.bind(str(self.folder / "told"))
        self.line.settimeout(10)
        self.manner("ok")
        program = self.folder / "aplay"
        program.write_text(_PROGRAM.format(python=f"{sys.executable} -IS", here=str(self.folder)))
        program.chmod(program.stat().st_mode | stat.S_IXUSR)

    @property
    def path(self) -> str:
        """For PATH: this player before everything else."""
        return f"{self.folder}{os.pathsep}{os.environ['PATH']}"

    def manner(self, word: str) -> None:
        """ok (at once), fail, hang, or "play 0.5" (so many seconds)."""
        (self.folder / "manner").write_text(word)

    def heard(self) -> tuple[str, str, int, list[str]]:
        """begins or ends, of which file, when (monotonic ns), with which options."""
        word, name, at_ns, *options = self.line.recv(500).decode().split()
        return word, name, int(at_ns), options

    def seconds(self, name: str) -> float:
        with wave.open(str(self.folder / name), "rb") as file:
            assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 22_050)
            return file.getnframes() / file.getframerate()

    def close(self) -> None:
        self.line.close()


def spoken_by(house: House, by: str, **more: str) -> House:
    """The same hall with another ``[voice]``."""
    return replace(house, plan=replace(house.plan, voice=VoicePlan(by=by, **more)))


def call(core: Core, number: int, window: int, *, category: str = "government", lang: str = "zh") -> int:
    """Have a number called, as the line does: the first row's id. Nobody is rung."""
    return core.writer.write(
        lambda notebook: ask(notebook, None, category, "B", number, window, lang, core.now_ms())
    )[0]


def rows(core: Core) -> list[dict[str, Any]]:
    found = core.reader().execute("SELECT * FROM announcements ORDER BY announcement_id")
    return [{**dict(row), "words": json.loads(row["words"])} for row in found]


def policy(core: Core, **values: Any) -> None:
    """Set what a hall sets in its console."""
    core.writer.write(
        lambda notebook: notebook.executemany(
            "INSERT OR REPLACE INTO voice_policy VALUES (?, ?)",
            [(key, json.dumps(value)) for key, value in values.items()],
        )
    )

"""A board without hardware: files for its memories, a real wire, a clock that stands still until it is moved.

It behaves like the real one where it matters: sleep keeps the note and the clock, a power cut keeps only what is in
flash, and its clock begins anew then; an edge that comes while nobody looks is kept until somebody does.
"""

import os

from devices.reference_button.keeping import Memory
from devices.reference_button.life import Board
from devices.reference_button.mqtt import Stream
from devices.reference_button.settings import Settings
from devices.reference_button.wire import Wire, open_wire

#: What the clock shows at power-up: some day, as on the chip.
POWER_UP_MS = 1_000_000_000


class Files(Memory):
    """Both memories as files in a folder."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        #: the flash takes nothing more
        self.refuses = False
        #: how often it was written
        self.writes = 0

    def noted(self) -> bytes:
        return _read(self._folder + "/rtc")

    def note(self, data: bytes) -> None:
        with open(self._folder + "/rtc", "wb") as file:
            file.write(data)

    def kept(self) -> bytes:
        return _read(self._folder + "/kept.json")

    def keep(self, data: bytes) -> None:
        if self.refuses:
            raise OSError(28, "no space left")
        self.writes += 1
        with open(self._folder + "/kept.new", "wb") as file:
            file.write(data)
        os.rename(self._folder + "/kept.new", self._folder + "/kept.json")

    def random(self, count: int) -> bytes:
        return os.urandom(count)

    def forget_note(self) -> None:
        """The power went."""
        try:
            os.remove(self._folder + "/rtc")
        except OSError:
            pass  # there was none


class VirtualBoard(Board):
    """:param ca: the hall's certificate (DER), where the settings ask for TLS."""

    def __init__(self, folder: str, settings: Settings, ca: bytes = b"") -> None:
        self.files = Files(folder)
        self.memory = self.files
        self._settings = settings
        self._ca = ca
        self._now_ms = POWER_UP_MS
        self._down = False
        self._edges = [(False, self._now_ms)]
        self.charge_mv = 3_900 if settings.battery else 0
        #: whether there is Wi-Fi
        self.in_reach = True
        self.wire: Wire | None = None
        self.is_lit = False
        self.hertz = 0
        self.said: list[str] = []

    # ---------------------------------------------------------------- what happens to it

    def pass_ms(self, passed_ms: int) -> None:
        self._now_ms += passed_ms

    def put_finger(self, down: bool) -> None:
        if down != self._down:
            self._down = down
            self._edges.append((down, self._now_ms))

    def slept(self, rest_ms: int) -> None:
        """That time has passed in deep sleep, or until a finger came."""
        self._now_ms += rest_ms
        self._edges = [(self._down, self._now_ms)]

    def power_cut(self) -> None:
        """Dark for an unknown time; now there is power again."""
        self.files.forget_note()
        self._now_ms = POWER_UP_MS
        self._edges = [(self._down, self._now_ms)]

    # ---------------------------------------------------------------- what a life asks of it

    def now_ms(self) -> int:
        return self._now_ms

    def edges(self) -> list[tuple[bool, int]]:
        edges, self._edges = self._edges, []
        return edges

    def battery_mv(self) -> int:
        return self.charge_mv

    def radio(self) -> bool:
        return self.in_reach

    def open_line(self) -> Stream:
        settings = self._settings
        self.wire = open_wire(
            settings.host, settings.port, settings.tls_name if settings.tls else "", self._ca
        )
        return self.wire

    def show(self, lit: bool) -> None:
        self.is_lit = lit

    def sound(self, hertz: int) -> None:
        self.hertz = hertz

    def say(self, words: str) -> None:
        self.said.append(words)


def _read(name: str) -> bytes:
    try:
        with open(name, "rb") as file:
            return file.read()
    except OSError as wrong:
        if wrong.args[0] == 2:  # ENOENT
            return b""
        raise

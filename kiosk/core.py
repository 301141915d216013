"""What every page of the kiosk needs, gathered once in ``__main__`` and handed to ``create_app``."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from flask import current_app

from devices.faults import NotWritten
from gateway import views_parking
from gateway.hall.state import HallState
from gateway.house import House
from gateway.log import say_once
from gateway.notebook import open_reader
from kiosk.catalogue import Catalogue
from kiosk.check_up import CheckUp
from kiosk.conflate import Conflated
from kiosk.gateway_link import GatewayLink
from kiosk.kinds import priorities_now
from kiosk.live import Hub
from kiosk.outlooks import Outlooks
from kiosk.running import Running
from kiosk.screen_codes import Codes
from kiosk.slip_limit import SlipLimit
from kiosk.version import Files, own_files
from kiosk.voice.desk import VoiceDesk
from kiosk.voice.reader import Reader
from kiosk.writer import Writer

if TYPE_CHECKING:
    from kiosk.rules.windows import Windows

#: Page cache of one read-only connection. There is one for each request thread: SQLite's default of 2 MB times 48
#: threads would be more than the whole process may have.
READER_CACHE_KB = 128


class _Readers(threading.local):
    """One thread's read-only connections, each with the inode of the file it was opened on."""

    def __init__(self) -> None:
        self.kept: dict[Path, tuple[tuple[int, int], sqlite3.Connection]] = {}


@dataclass
class Core:
    """The kiosk's parts. ``now_ms`` is the clock (UTC milliseconds); tests hold it."""

    house: House
    catalogue: Catalogue
    writer: Writer
    link: GatewayLink
    hub: Hub
    now_ms: Callable[[], int]
    line_bell: Conflated = field(default_factory=Conflated, repr=False)
    #: rung by whoever has written an announcement: the voice looks at once (it would within a quarter of a second)
    voice_bell: threading.Event = field(default_factory=threading.Event, repr=False)
    #: the catalogue as it ships; ``catalogue`` is this with the edits of staff over it (content.py)
    shipped: Catalogue = field(init=False, repr=False)
    laid: bool = field(default=False, repr=False)
    """Whether the edits have been read since the start."""
    running: Running = field(init=False, repr=False)
    wait_alert: dict[str, Any] | None = field(default=None, repr=False)
    """What consoles are told of a wait that gets too long (queue_alert.py); None: all is well."""
    windows_read: tuple[tuple[str, str], Windows] | None = field(default=None, repr=False)
    """The windows as they were read last, and by what word and day one knows that they are still so."""
    screen_codes: Codes = field(default_factory=Codes, repr=False)
    slip_limit: SlipLimit = field(default_factory=SlipLimit, repr=False)
    voice: VoiceDesk = field(init=False, repr=False)
    reading: Reader = field(init=False, repr=False)
    outlooks: Outlooks = field(init=False, repr=False)
    check_up: CheckUp = field(init=False, repr=False)
    files: Files = field(default_factory=own_files, repr=False)
    _signs: HallState = field(default_factory=HallState, repr=False)
    _readers: _Readers = field(default_factory=_Readers, repr=False)

    def __post_init__(self) -> None:
        self.shipped = self.catalogue
        self.running = Running(self.link, self.now_ms)
        self.voice = VoiceDesk(self)
        self.reading = Reader(self.house.home / "voice" / "read")
        self.outlooks = Outlooks(self)
        self.check_up = CheckUp(self.house)
        self.link.priorities = lambda: priorities_now(self)
        self.link.zone_faces.signs = self.zone_signs

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.house.plan.hall.timezone)

    def reader(self) -> sqlite3.Connection:
        """This thread's read-only connection to kiosk.db."""
        return self._reader(self.house.kiosk_db)

    def bridge_reader(self) -> sqlite3.Connection:
        """This thread's read-only connection to bridge.db; raises `NotWritten` while there is none."""
        return self._reader(self.house.bridge_db)

    def herald_reader(self) -> sqlite3.Connection:
        """This thread's read-only connection to herald.db; raises `NotWritten` while there is none."""
        return self._reader(self.house.herald_db)

    def gateway_reader(self) -> sqlite3.Connection:
        """This thread's read-only connection to gateway.db; raises `NotWritten` while there is none."""
        return self._reader(self.house.gateway_db)

    def zone_signs(self) -> HallState:
        """What zones are shown by, their counts aside, from gateway.db; its last word while that cannot be read."""
        try:
            reader = self.gateway_reader()
            reader.execute("BEGIN")
            try:
                self._signs = views_parking.signs(reader)
            finally:
                reader.execute("COMMIT")
        except (NotWritten, sqlite3.Error) as wrong:
            if self.house.gateway_db.exists():
                say_once("zone-signs", "zone_signs_unread", f"reserves cannot be read: {wrong}", level=logging.INFO)
        return replace(self._signs, zones={}, shown={})

    def _reader(self, path: Path) -> sqlite3.Connection:
        kept = self._readers.kept
        try:
            status = path.stat()
            inode = (status.st_dev, status.st_ino)
        except OSError:
            inode = (0, 0)
        if path in kept:
            if kept[path][0] == inode:
                return kept[path][1]
            # Its owner put the file aside and began a new one: an old connection would show the past for ever.
            kept.pop(path)[1].close()
        connection = open_reader(path)
        connection.row_factory = sqlite3.Row
        connection.execute(f"PRAGMA cache_size=-{READER_CACHE_KB}")
        kept[path] = (inode, connection)
        return connection


def current_core() -> Core:
    """The core of the application that answers this request."""
    core = current_app.extensions["linli"]
    assert isinstance(core, Core)
    return core

"""Voices and drawings: files beneath ``<home>/notes/<month>/``, and their rows.

The file is whole on the disk before its row is written, and goes before its row says so: a power cut leaves at worst a
file that nobody names, or a row whose file is gone, and both are said honestly.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import secrets
import sqlite3
from pathlib import Path

from devices.faults import NotWritten, OrderRefused
from gateway.log import say_once
from kiosk.core import Core
from kiosk.requests import looking, telling
from kiosk.requests.looking import NoteKept, Row
from kiosk.rules.request_life import OPEN
from kiosk.rules.request_notes import NoteWrong, read_note
from kiosk.rules.requests import may_ask, note_wrong
from kiosk.writer import NotKnown

FOLDER = "notes"
#: A note belongs to what was just sent: whoever finds a slip later cannot add to it (the contract's number).
WITHIN_MS = 3_600_000
#: So much stays free for tickets and calls, whatever strangers may send (our choice).
FREE_AT_LEAST = 200_000_000
_MIME = {".webm": "audio/webm", ".ogg": "audio/ogg", ".png": "image/png"}


class NoteRefused(OrderRefused):
    """``why``: a key of `rules.requests.note_wrong`; the request itself is safe."""

    def __init__(self, kind: str, why: str) -> None:
        super().__init__(*note_wrong(kind, why))
        self.why = why


def add(core: Core, row: Row, kind: str, data: bytes) -> bool:
    """Keep a voice or a drawing; False where this very one was kept before (sent again over a restart).

    :raises NoteRefused: with words for the resident, `why` "disk" among them.
    """
    service, now_ms = core.catalogue.service(row.service_code), core.now_ms()
    if service is None or not may_ask(service.kiosk_fields, kind):
        raise NoteRefused(kind, "not_asked")
    if row.state not in OPEN:
        raise NoteRefused(kind, "closed")
    if not -WITHIN_MS <= now_ms - row.made_ms <= WITHIN_MS:
        raise NoteRefused(kind, "late")
    try:
        note = read_note(kind, data)
    except NoteWrong as wrong:
        raise NoteRefused(kind, wrong.why) from wrong
    sha256 = hashlib.sha256(data).hexdigest()
    name = f"{row.business_day[:7]}/{secrets.token_hex(12)}.{note.ending}"
    folder = core.house.home / FOLDER

    def work(notebook: sqlite3.Connection) -> bool:
        known = _sha_of(notebook, row.request_id, kind)
        if known is not None:
            if known != sha256:
                raise NoteRefused(kind, "again")
            return False
        notebook.execute(
            "INSERT INTO request_notes(request_id, kind, file, bytes, sha256, made_ms) VALUES (?, ?, ?, ?, ?, ?)",
            (row.request_id, kind, name, len(data), sha256, now_ms),
        )
        return True

    if _sha_of(core.reader(), row.request_id, kind) == sha256:
        return False
    named = False  # whether a row names the file, or may
    try:
        _keep(folder, name, data)
        named = core.writer.write(work)
    except (OSError, NotWritten) as wrong:
        # NotWritten is an OSError, too: one word for the resident, the reason for the person on duty. A disk that is
        # too slow to say may still write the row: its file stays, and goes with the strays where it did not.
        named = isinstance(wrong, NotKnown)
        say_once("note-kept", "note_not_kept", f"a {kind} note could not be kept: {wrong}", level=logging.ERROR)
        raise NoteRefused(kind, "disk") from wrong
    finally:
        if not named:
            with contextlib.suppress(OSError):  # a disk that did not take it may not give it back: the sweep does
                (folder / name).unlink(missing_ok=True)
    telling.told_changed(core, row.request_id)
    return named


def _sha_of(notebook: sqlite3.Connection, request_id: int, kind: str) -> str | None:
    found = notebook.execute(
        "SELECT sha256 FROM request_notes WHERE request_id = ? AND kind = ?", (request_id, kind)
    ).fetchone()
    return None if found is None else str(found[0])


def _keep(folder: Path, name: str, data: bytes) -> None:
    """Whole under its name, or not there at all. :raises OSError: the disk refuses, or is nearly full."""
    folder.mkdir(exist_ok=True, mode=0o750)
    space = os.statvfs(folder)
    if space.f_bavail * space.f_frsize < FREE_AT_LEAST:
        raise OSError(f"{folder}: less than {FREE_AT_LEAST // 1_000_000} MB are free")
    file = folder / name
    file.parent.mkdir(exist_ok=True, mode=0o750)
    part = file.with_suffix(file.suffix + ".part")
    try:
        with part.open("xb") as out:
            os.fchmod(out.fileno(), 0o640)
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        part.rename(file)
        for place in (file.parent, folder):
            _sync(place)
    finally:
        part.unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def open_note(core: Core, note_id: int) -> tuple[NoteKept, Path, str] | None:
    """A note, its file and the type for a browser; None where there is none (any more)."""
    found = core.reader().execute("SELECT request_id FROM request_notes WHERE note_id = ?", (note_id,)).fetchone()
    if found is None:
        return None
    note = next(one for one in looking.notes(core.reader(), int(found[0])) if one.note_id == note_id)
    file = core.house.home / FOLDER / note.file
    if note.gone_ms is not None or not file.is_file():
        return None
    return note, file, _MIME.get(file.suffix, "application/octet-stream")

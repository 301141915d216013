"""What is not kept: notes 30 days after closing, what names a person two years after it, wrong codes after a day.

Called by the housekeeping while nobody is there and the clock is believed; each call is one small piece of work.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from datetime import datetime
from pathlib import Path

from gateway.log import say_once
from kiosk.core import Core
from kiosk.requests.notes import FOLDER
from kiosk.rules.request_life import NOTES_KEPT_MS, PERSON_KEPT_MS, WRONG_KEPT_MS

#: Of each in one piece: some milliseconds of the writer.
A_PIECE = 50
#: A file without a row is what a power cut has left; a request's own is written within seconds.
STRAY_AFTER_MS = 86_400_000


def tidy(core: Core) -> bool:
    """One small piece of work; False where there is none.

    :raises NotWritten: the notebook cannot be read or written; nothing is half done.
    """
    now_ms = min(core.now_ms(), _last_seen_ms(core))
    return _drop_notes(core, now_ms) or _forget(core, now_ms) or _sweep(core)


def _last_seen_ms(core: Core) -> int:
    """The end of the newest day on which anybody took a number or asked for anything: a clock that is a year ahead must
    not make a hall forget (as in rules/retention.py)."""
    newest = core.reader().execute(
        "SELECT max(day) FROM (SELECT max(business_day) AS day FROM tickets"
        " UNION SELECT max(business_day) FROM requests)"
    ).fetchone()[0]
    if newest is None:
        return 0
    return round((datetime.fromisoformat(newest).replace(tzinfo=core.zone).timestamp() + 86_400) * 1000)


def _drop_notes(core: Core, now_ms: int) -> bool:
    """The files first: a row that says "gone" must be true."""
    due = core.reader().execute(
        "SELECT note_id, file FROM request_notes JOIN requests USING (request_id)"
        " WHERE gone_ms IS NULL AND closed_ms < ? LIMIT ?",
        (now_ms - NOTES_KEPT_MS, A_PIECE),
    )
    gone = [int(note_id) for note_id, name in map(tuple, due) if _away(core.house.home / FOLDER / name)]
    if gone:
        core.writer.write(
            lambda notebook: notebook.executemany(
                "UPDATE request_notes SET gone_ms = ? WHERE note_id = ?", [(now_ms, one) for one in gone]
            )
        )
    return bool(gone)


def _away(file: Path) -> bool:
    try:
        file.unlink(missing_ok=True)
    except OSError as wrong:
        say_once(f"note:{wrong.errno}", "note_not_deleted", f"{file} cannot be deleted: {wrong}", level=logging.WARNING)
        return False
    return True


def _forget(core: Core, now_ms: int) -> bool:
    """Looked for by this thread; the writer is only asked where there is something."""
    reader = core.reader()
    wrong = reader.execute("SELECT 1 FROM wrong_codes WHERE at_ms < ? LIMIT 1", (now_ms - WRONG_KEPT_MS,)).fetchone()
    if wrong is None and not _too_old(reader, now_ms):
        return False
    core.writer.write(lambda notebook: forget(notebook, now_ms))
    return True


def _too_old(notebook: sqlite3.Connection, now_ms: int) -> list[int]:
    """Requests in which somebody may still be named: by the resident, or by staff, then or since."""
    found = notebook.execute(
        "SELECT request_id FROM requests WHERE closed_ms < ? AND (name || phone || unit || room || words <> ''"
        " OR extra <> '{}' OR EXISTS (SELECT 1 FROM request_steps WHERE request_steps.request_id = requests.request_id"
        " AND told_zh || told_en || note <> '')) LIMIT ?",
        (now_ms - PERSON_KEPT_MS, A_PIECE),
    )
    return [int(one[0]) for one in found]


def forget(notebook: sqlite3.Connection, now_ms: int) -> None:
    """Names, doors, words; and codes that were wrong. What is counted (kind, building, times) stays."""
    for request_id in _too_old(notebook, now_ms):
        notebook.execute(
            "UPDATE requests SET name = '', phone = '', unit = '', room = '', words = '', extra = '{}'"
            " WHERE request_id = ?",
            (request_id,),
        )
        # Staff write names, too.
        notebook.execute(
            "UPDATE request_steps SET told_zh = '', told_en = '', note = '' WHERE request_id = ?", (request_id,)
        )
    notebook.execute("DELETE FROM wrong_codes WHERE at_ms < ?", (now_ms - WRONG_KEPT_MS,))


def _sweep(core: Core) -> bool:
    """Once a day: files of which no row knows. Never more work than one look through the folder."""
    folder = core.house.home / FOLDER
    marker, now_s = folder / ".swept", core.now_ms() / 1000
    if not folder.is_dir() or (marker.exists() and 0 <= now_s - marker.stat().st_mtime < STRAY_AFTER_MS / 1000):
        return False
    reader = core.reader()
    for place, _, names in os.walk(folder):
        for name in names:
            file = Path(place, name)
            known = reader.execute(
                "SELECT 1 FROM request_notes WHERE file = ? AND gone_ms IS NULL", (file.relative_to(folder).as_posix(),)
            ).fetchone()
            if known is None and file != marker and _is_stray(file, now_s):
                _away(file)
    try:
        marker.touch()
        os.utime(marker, (now_s, now_s))
    except OSError as wrong:
        say_once("notes-swept", "note_not_deleted", f"{folder} cannot be written: {wrong}", level=logging.WARNING)
    return False


def _is_stray(file: Path, now_s: float) -> bool:
    try:
        return now_s - file.stat().st_mtime > STRAY_AFTER_MS / 1000
    except OSError:
        return False  # a voice that comes in just now was renamed from its .part

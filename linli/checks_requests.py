"""What `linli doctor` looks at of residents' requests: how many wait, whether what was spoken or drawn is there."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from devices.clock import wall_ms
from devices.faults import NotWritten
from gateway.finding import Finding, note, ok, wrong
from gateway.house import House
from gateway.notebook import open_reader
from kiosk.requests.keeping import STRAY_AFTER_MS
from kiosk.requests.looking import open_counts
from kiosk.requests.notes import FOLDER


def requests(house: House) -> Iterator[Finding]:
    """Open and overdue ones; the notes' folder; files without a row, rows without a file. Nothing of a person."""
    try:
        reader = open_reader(house.kiosk_db)
    except NotWritten:
        return  # nobody has ever asked for anything, or the notebook's own check says what is wrong with it
    with closing(reader):
        try:
            counts = open_counts(reader, wall_ms())
            rows = reader.execute("SELECT file FROM request_notes WHERE gone_ms IS NULL").fetchall()
        except sqlite3.Error:
            return  # of an older version, or damaged: the notebook's own check says which
    yield _waiting(counts["open"], counts["overdue"])
    yield from _notes(house.home / FOLDER, {str(row[0]) for row in rows})


def _waiting(still: int, late: int) -> Finding:
    if late:
        return note(  # the machine is well: it is people who are behind
            "requests",
            f"{still} 件诉求未办结，其中 {late} 件超过承诺时间还没有人答复：控制台“诉求”里先办这些",
            f"{still} open, {late} of them unanswered beyond what was promised: see to those first, on the console",
        )
    return ok("requests", f"{still} 件诉求未办结，没有超时的", f"{still} open, none overdue")


def _notes(folder: Path, known: set[str]) -> Iterator[Finding]:
    """A voice or a drawing is a file of the kiosk's; only its name and age are looked at."""
    part = "notes"
    if not folder.is_dir():
        if known:
            yield wrong(
                part,
                f"{folder} 不在，{len(known)} 段语音或手写丢失",
                f"{folder} is not there: {len(known)} voices or drawings are lost",
                "从备份恢复 notes/（docs/operations.md）",
                "restore notes/ from a backup (docs/operations.md)",
            )
        return
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        yield wrong(
            part,
            f"{folder} 读写不了（当前用户）",
            f"{folder} cannot be read and written by who asks",
            "用 sudo 再试；仍不行就改所有者：chown -R linli",
            "try with sudo; if that fails too, give it back: chown -R linli",
        )
        return
    files = {
        file.relative_to(folder).as_posix(): file
        for place, _, names in os.walk(folder)
        for file in (Path(place, name) for name in names)
        if not file.name.startswith(".")
    }
    lost = known - files.keys()
    stray = [file for name, file in files.items() if name not in known and _old(file)]
    if lost:
        yield wrong(
            part,
            f"{len(lost)} 段语音或手写的文件不见了",
            f"{len(lost)} voices or drawings have no file any more",
            "从备份恢复 notes/；恢复不了就打电话问本人",
            "restore notes/ from a backup, or telephone whoever asked",
        )
    if stray:
        yield note(
            part,
            f"{len(stray)} 个文件没有对应的诉求，夜里会自动删除",
            f"{len(stray)} files belong to no request: they are deleted in the night",
        )
    if not lost and not stray:
        yield ok(part, f"{len(files)} 个文件，都有对应的诉求", f"{len(files)} files, each of a request")


def _old(file: Path) -> bool:
    try:
        return wall_ms() - file.stat().st_mtime * 1000 > 2 * STRAY_AFTER_MS
    except OSError:
        return False  # gone meanwhile

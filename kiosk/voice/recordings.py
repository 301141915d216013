"""The hall's own clips: a word of the sentence in the voice of somebody whom the hall knows.

A clip is a file beneath ``<home>/voice/<voice>/`` and a row of ``voice_clips``; of each part at most one is in use, and
earlier takes stay (`KEPT_TAKES`), so that a swap can be taken back. The file is written before the row and taken away
after it: a power cut leaves at worst a file that nobody uses.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from devices.faults import NotWritten, OrderRefused
from kiosk.core import Core
from kiosk.rules.calling_words import ENGLISH, MANDARIN, VOICE_ID, parts_to_record
from kiosk.voice import sound
from kiosk.voice.asking import policy_of

#: Takes of one part that are kept, the one in use among them (our choice; 60 parts x 5 x 40 kB is 12 MB).
KEPT_TAKES = 5


@dataclass(frozen=True, slots=True)
class Take:
    """A recording of a part."""

    clip_id: int
    part: str
    file: str
    made_ms: int
    made_by: str
    in_use: bool


def voices(notebook: sqlite3.Connection) -> list[str]:
    """Every voice of this hall: Mandarin, its dialects, English."""
    rows = notebook.execute("SELECT DISTINCT voice FROM voice_clips").fetchall()
    policy = policy_of(notebook)
    known = {*(str(row[0]) for row in rows), *policy.voices, *(one for one, _ in policy.dialects)}
    return [MANDARIN, *sorted(known - {MANDARIN, ENGLISH}), ENGLISH]


def parts(core: Core, voice: str) -> list[str]:
    """What can be recorded for a voice, in the order in which one reads it aloud."""
    windows = [
        int(row[0]) for row in core.reader().execute("SELECT number FROM windows WHERE retired_ms IS NULL")
    ]
    return parts_to_record(voice, [one.id for one in core.catalogue.categories], windows)


def takes(notebook: sqlite3.Connection, voice: str) -> dict[str, list[Take]]:
    """The takes of each part, the newest first."""
    found: dict[str, list[Take]] = {}
    for row in notebook.execute(
        "SELECT clip_id, part, file, made_ms, made_by, in_use FROM voice_clips WHERE voice = ? ORDER BY clip_id DESC",
        (voice,),
    ):
        take = Take(row[0], row[1], row[2], row[3], row[4], bool(row[5]))
        found.setdefault(take.part, []).append(take)
    return found


def add(core: Core, voice: str, part: str, data: bytes, by: str) -> Take:
    """Take a recording in and use it from the next call on.

    :raises OrderRefused: no such voice or part, or it is no clip (`sound.NoClip`); with words for whoever recorded.
    :raises NotWritten: the disk refuses; nothing has changed.
    """
    if not VOICE_ID.fullmatch(voice) or part not in parts(core, voice):
        raise OrderRefused("没有这个声音或这个词", "There is no such voice or word")
    clip = sound.fitted(sound.read_wav(data))
    now_ms = core.now_ms()
    name = f"{voice}/{part.replace(':', '-')}-{now_ms}-{secrets.token_hex(3)}.wav"
    file = core.voice.clips.folder / name
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("wb") as out:
            out.write(clip.wav())
            out.flush()
            os.fsync(out.fileno())
    except OSError as wrong:
        raise NotWritten(f"{file}: {wrong}") from wrong

    def work(notebook: sqlite3.Connection) -> tuple[int, list[str]]:
        notebook.execute("UPDATE voice_clips SET in_use = 0 WHERE voice = ? AND part = ?", (voice, part))
        cursor = notebook.execute(
            "INSERT INTO voice_clips(voice, part, file, made_ms, made_by, in_use) VALUES (?, ?, ?, ?, ?, 1)",
            (voice, part, name, now_ms, by),
        )
        old = notebook.execute(
            "SELECT clip_id, file FROM voice_clips WHERE voice = ? AND part = ?"
            " ORDER BY clip_id DESC LIMIT -1 OFFSET ?",
            (voice, part, KEPT_TAKES),
        ).fetchall()
        notebook.executemany("DELETE FROM voice_clips WHERE clip_id = ?", [(row[0],) for row in old])
        return int(cursor.lastrowid or 0), [str(row[1]) for row in old]

    try:
        clip_id, gone = core.writer.write(work)
    except NotWritten:
        file.unlink(missing_ok=True)
        raise
    _away(core.voice.clips.folder, gone)
    return Take(clip_id, part, name, now_ms, by, in_use=True)


def use(core: Core, clip_id: int) -> Take:
    """An earlier take is used again.

    :raises OrderRefused: there is no such take, or its file is gone.
    """

    def work(notebook: sqlite3.Connection) -> Take:
        row = notebook.execute(
            "SELECT voice, part, file, made_ms, made_by FROM voice_clips WHERE clip_id = ?", (clip_id,)
        ).fetchone()
        if row is None or not (core.voice.clips.folder / str(row[2])).is_file():
            raise OrderRefused("这段录音已经没有了", "That recording is no longer there")
        notebook.execute("UPDATE voice_clips SET in_use = 0 WHERE voice = ? AND part = ?", (row[0], row[1]))
        notebook.execute("UPDATE voice_clips SET in_use = 1 WHERE clip_id = ?", (clip_id,))
        return Take(clip_id, row[1], row[2], row[3], row[4], in_use=True)

    return core.writer.write(work)


def machine(core: Core, voice: str, part: str) -> None:
    """The machine says this part again; the recordings stay."""
    core.writer.write(
        lambda notebook: notebook.execute(
            "UPDATE voice_clips SET in_use = 0 WHERE voice = ? AND part = ?", (voice, part)
        )
    )


def _away(folder: Path, files: Iterable[str]) -> None:
    for name in files:
        (folder / name).unlink(missing_ok=True)

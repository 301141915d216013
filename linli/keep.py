"""`linli backup --auto`: a backup an hour, and which of the old ones are kept.

Under systemd `linli-backup.timer` calls it, on a desk `linli run`. It is a process of its own: a copy in one step
holds nobody up (55 MB in 0.1 s; the longest wait of the writer was 34 ms), one in steps would never end. Each copy is
checked whole; so a page that has rotted is noticed within the hour, also where nobody reads it, and the notebook is
marked for whoever opens it next (gateway/notebook.py).

Folders are named ``<number>-<UTC time>``; the number tells older from newer, because the clock may have been wrong.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from devices.clock import wall_s
from devices.faults import NotWritten, OutsideDown
from gateway.backup_sets import BackupSet, backups_of, sets_in
from gateway.disk import sync
from gateway.house import open_house
from gateway.notebook import copy_notebook, open_reader, suspect
from linli import backup_files
from linli.backup import NOTEBOOKS

#: What is kept: every backup of the last day, one of each of the last 14 days, one of each of the last 12 months
#: (our choice: a wrong claim is found within days, a rotten card within weeks, the rest is for questions).
HOURLY, DAILY, MONTHLY = 24, 14, 12
#: Room that a backup must leave free: the hall itself comes first.
LEAVE_FREE_BYTES = 500_000_000
#: However full the disk is, these newest are never deleted to make room.
KEEP_AT_LEAST = 2


def auto(hall_file: str | None) -> int:
    """Take one backup and delete what is kept no longer. 0 also where there is nothing to copy (yet).

    :raises OutsideDown: there is no room, or the folder cannot be written.
    """
    house = open_house(hall_file)
    folder = backups_of(house.home)
    sources = [house.home / name for name, _, _ in NOTEBOOKS if (house.home / name).exists()]
    if not sources:
        return 0
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o770)
        with _one_at_a_time(folder):
            for left in folder.glob(".part-*"):
                shutil.rmtree(left)
            _make_room(folder, sum(_size(one) for one in sources) + backup_files.size_of(house.home))
            bad = _take(folder, sources)
            zone = ZoneInfo(house.plan.hall.timezone)
            kept = to_keep(sets_in(folder), lambda one: datetime.fromtimestamp(one.taken_ms / 1000, zone))
            for old in sets_in(folder):
                if old.number not in kept:
                    shutil.rmtree(old.folder)
    except OutsideDown:
        raise
    except OSError as wrong:
        raise OutsideDown(f"{folder} cannot be written: {wrong.strerror}. 无法写入自动备份目录。") from wrong
    return 1 if bad else 0


def to_keep(sets: Sequence[BackupSet], when: Callable[[BackupSet], datetime]) -> set[int]:
    """The numbers of those that are kept; ``sets`` has the newest first.

    Days and months are those on which there are backups, not those before today: a hall that was dark for a month,
    or whose clock jumped, keeps as much as another.
    """
    kept = {one.number for one in sets[:HOURLY]}
    days: dict[str, int] = {}
    months: dict[str, int] = {}
    for one in sets:
        moment = when(one)
        days.setdefault(f"{moment:%Y-%m-%d}", one.number)
        months.setdefault(f"{moment:%Y-%m}", one.number)
    return kept | set(list(days.values())[:DAILY]) | set(list(months.values())[:MONTHLY])


def _take(folder: Path, sources: Sequence[Path]) -> list[str]:
    """One set. What is whole is kept even if another notebook is not; the names of those that are not."""
    before = sets_in(folder)
    number = max((one.number for one in before), default=0) + 1
    part = folder / f".part-{number:06d}"
    part.mkdir(mode=0o700)
    bad = []
    for source in sources:
        copy = part / source.name
        # Names of elders and hashes of passwords are in it.
        os.close(os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        try:
            copy_notebook(source, copy)
        except (NotWritten, UnicodeDecodeError) as wrong:
            copy.unlink(missing_ok=True)
            bad.append(source.name)
            _say_bad(source, wrong)
    if len(bad) == len(sources):
        part.rmdir()
        return bad
    # Linked to the set before where that has them: fifty sets keep a recording once.
    backup_files.keep(sources[0].parent, part, before[0].folder if before else None)
    sync(part)
    moment = datetime.fromtimestamp(wall_s(), UTC)
    place = part.rename(folder / f"{number:06d}-{moment:%Y%m%dT%H%M%SZ}")
    sync(folder)
    if (
        os.geteuid() == 0
    ):  # taken by hand with sudo: the hall's own user must be able to read and to delete it
        owner = sources[0].parent.stat()
        for one in (folder, folder / ".lock", place, *place.rglob("*")):
            os.chown(one, owner.st_uid, owner.st_gid)
    return bad


def _say_bad(source: Path, wrong: Exception) -> None:
    """Is it the notebook that is damaged, or only the place of the copy? Only the first concerns its owner."""
    if _is_whole(source):
        print(f"linli: {source.name} could not be copied: {wrong}. 未能备份。", file=sys.stderr)
        return
    with contextlib.suppress(OSError):
        suspect(source).touch()
    print(
        f"linli: {source.name} IS DAMAGED: {wrong}. Restart its process: it is checked and put right then; change the "
        f"card soon. {source.name} 已损坏：请重启大厅（启动时会检查并修复），并尽快换存储卡。",
        file=sys.stderr,
    )


def _is_whole(source: Path) -> bool:
    try:
        reader = open_reader(source)
    except NotWritten:
        return False
    try:
        return bool(reader.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok")
    except (sqlite3.DatabaseError, UnicodeDecodeError):
        return False
    finally:
        reader.close()


def _make_room(folder: Path, needed_bytes: int) -> None:
    """Delete the oldest until the new one fits."""
    sets = sets_in(folder)
    while _free_bytes(folder) < needed_bytes + LEAVE_FREE_BYTES:
        if len(sets) <= KEEP_AT_LEAST:
            raise OutsideDown(
                f"{folder}: no room for a backup ({needed_bytes / 1e6:.0f} MB, beside {LEAVE_FREE_BYTES / 1e6:.0f} MB "
                "for the hall itself). Delete old files, or set LINLI_BACKUPS to another disk. 没有空间做自动备份。"
            )
        shutil.rmtree(sets.pop().folder)


def _free_bytes(folder: Path) -> int:
    room = os.statvfs(folder)
    return room.f_bavail * room.f_frsize


def _size(source: Path) -> int:
    log = source.with_name(source.name + "-wal")
    return source.stat().st_size + (log.stat().st_size if log.exists() else 0)


@contextlib.contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    lock = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o660)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)

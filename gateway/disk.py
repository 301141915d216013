"""What a disk does to a notebook, and what is done about it: the owner's lock, a reserve for the day it is full,
write-ahead logs that are written once more, and SQLite's words in the technician's.
"""

from __future__ import annotations

import errno
import fcntl
import os
import sqlite3
from pathlib import Path

from devices.clock import mono_s
from devices.faults import NotWritten

#: Given up when the disk is full. A press, its call and its journal line are 23 kB of writes (measured): room for
#: some 150 calls before a checkpoint, thousands with it, while staff make space.
RESERVE_BYTES = 4 * 1024 * 1024
#: The reserve is laid in again when this much is free beside it (on a small disk, a tenth of the disk): what has filled
#: it once must not take it at once.
ROOMY_BYTES = 64 * 1024 * 1024
#: A disk smaller than this has none: the reserve itself would be what fills it.
SMALLEST_DISK_BYTES = 64 * 1024 * 1024
#: So little is none: SQLite's working files grow by 32 KiB.
NO_ROOM_BYTES = 64 * 1024
#: How often a spent reserve looks whether there is room again.
LOOK_AGAIN_S = 10.0
_PIECE = 1 << 20
#: What an idle moment may write: a slow card (10 MB/s) has it in 13 ms.
_SMALL_PIECE = 128 * 1024


def sole_owner(path: Path) -> int:
    """Hold ``<name>.lock`` as long as the notebook is open: a second writer would overwrite the first.

    The kernel lets go of it when the process ends, however it ends.
    """
    name = path.with_name(path.name + ".lock")
    try:
        lock = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o660)
    except OSError as wrong:
        raise NotWritten(
            f"notebook {path.name} (unable to open, {wrong.strerror}): check that the folder {path.parent} is there "
            "and belongs to the group linli"
        ) from wrong
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as wrong:
        os.close(lock)
        raise NotWritten(
            f"notebook {path.name} already belongs to a running process: stop that one first "
            f"(is the hall running twice on {path.parent}?)"
        ) from wrong
    return lock


def let_the_group_read(path: Path) -> None:
    """WAL needs write on the file even to read it: the group linli gets both. A restored file may be root's."""
    try:
        os.chmod(path, 0o660)
    except OSError:
        pass  # somebody else's file or a read-only card: SQLite says in the next line what that means


def is_damaged(wrong: sqlite3.DatabaseError) -> bool:
    """Damaged for good, so that only putting it aside helps; not merely full, locked or read-only."""
    code: int = getattr(wrong, "sqlite_errorcode", 0)
    return isinstance(wrong, Unreadable) or code & 0xFF in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)


def is_full(wrong: sqlite3.DatabaseError) -> bool:
    return getattr(wrong, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL


def wants_room(wrong: Exception, folder: Path) -> bool:
    """Whether the disk being full is behind it. Of its own working files SQLite says only "disk I/O error" then."""
    if isinstance(wrong, OSError):
        return wrong.errno in (errno.ENOSPC, errno.EDQUOT)
    if not isinstance(wrong, sqlite3.DatabaseError):
        return False
    if is_full(wrong) or "full" in str(wrong):
        return True
    try:
        room = os.statvfs(folder)
    except OSError:
        return False
    failed = getattr(wrong, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN)
    return failed and room.f_bavail * room.f_frsize < NO_ROOM_BYTES


class Unreadable(sqlite3.DatabaseError):
    """The file is a notebook no more: SQLite's own check says so."""


def refused(path: Path, wrong: Exception) -> NotWritten:
    """SQLite's words in the technician's, in both languages."""
    said = (wrong.strerror or str(wrong)) if isinstance(wrong, OSError) else str(wrong)
    number = wrong.errno if isinstance(wrong, OSError) else None
    if wants_room(wrong, path.parent):
        zh, en = (
            "磁盘满了：请删除旧文件或换大一点的卡",
            "the disk is full: delete old files or put in a larger card",
        )
    elif "readonly" in said or "read-only" in said or number == errno.EROFS:
        zh = "磁盘或文件只读：请检查存储卡和文件夹的主人"
        en = "the disk or the file is read-only: check the card and the folder's owner"
    elif "unable to open" in said or number in (errno.ENOENT, errno.EACCES, errno.EPERM):
        zh = "打不开：请确认文件夹还在，并且属于 linli 组"
        en = "it cannot be opened: check that the folder is there and belongs to the group linli"
    elif "locked" in said:
        zh, en = "被别的程序占着：请关掉那个程序", "another program holds it: close that program"
    else:
        zh = "磁盘可能要坏了：请马上把文件夹复制到另一块盘"
        en = "the disk may be failing: copy the folder to another disk now"
    return NotWritten(f"notebook {path.name} ({said}): {en}", f"{path.name} {zh}")


def sync(path: Path) -> None:
    """To the disk: a file, or a folder's names."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_once_more(log: Path) -> None:
    """Write each byte of a write-ahead log again, where it is, and sync it.

    After a failed fsync Linux takes the pages that it could not write for clean: a later fsync says "well" without
    having written them, and a power cut would tear a hole into what was acknowledged after it. Written anew, they are
    dirty again, and the next fsync speaks the truth. What stands in the file stays the same, readers see no difference.
    """
    try:
        handle = os.open(log, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        at = 0
        while piece := os.pread(handle, _PIECE, at):
            at += os.pwrite(handle, piece, at)
        os.fsync(handle)
    finally:
        os.close(handle)


def lengthen(log: Path, whole_bytes: int) -> bool:
    """Append one piece of nothing to a write-ahead log that is shorter than ``whole_bytes``, and sync it.

    A commit that writes where the file has room already costs one write less than one that makes the file longer (the
    file system's own journal): 0.1 ms of 0.4 measured. SQLite ignores what follows its last frame, here as after every
    checkpoint.

    :return: whether there is more to do. A log that is not there yet, or a disk that refuses, is left alone.
    """
    try:
        handle = os.open(log, os.O_WRONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        length = os.fstat(handle).st_size
        if not 0 < length < whole_bytes:
            return False
        length += os.pwrite(handle, bytes(min(_SMALL_PIECE, whole_bytes - length)), length)
        os.fdatasync(handle)
        return length < whole_bytes
    except OSError:
        return False  # full, or failing: the next commit says so
    finally:
        os.close(handle)


class Reserve:
    """A file that does nothing but take up room, until the day that room is needed.

    :param path: beside the notebook. Where the disk has no room for it from the start, there is none.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._looked_s = 0.0
        self.spent = False

    def lay_in(self, *, at_once: bool = False) -> None:
        """Make the reserve if it is not there and there is room for it; seldom looks, and waits for nothing long."""
        now_s = mono_s()
        if not at_once and (not self.spent or now_s - self._looked_s < LOOK_AGAIN_S):
            return
        self._looked_s = now_s
        try:
            if self._path.exists() and self._path.stat().st_size >= RESERVE_BYTES:
                self.spent = False
                return
            room = os.statvfs(self._path.parent)
            whole = room.f_blocks * room.f_frsize
            if whole < SMALLEST_DISK_BYTES:
                self.spent = False
                return
            if room.f_bavail * room.f_frsize < min(ROOMY_BYTES, whole // 10) + RESERVE_BYTES:
                self.spent = True
                return
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o660)
            try:
                os.posix_fallocate(handle, 0, RESERVE_BYTES)
            finally:
                os.close(handle)
            self.spent = False
        except OSError:
            self.spent = True  # no room, or a disk that refuses: the notebook's own next write says so

    def give_up(self) -> bool:
        """Make room. False: there was none to give."""
        try:
            self._path.unlink()
        except OSError:
            return False
        self.spent = True
        self._looked_s = mono_s()
        return True

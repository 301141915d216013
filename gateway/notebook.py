"""The one file that opens SQLite. One process, one notebook, one connection that writes and checkpoints.

Why so strict (each line was measured or read, docs/measurements.md):

* WAL and ``synchronous=FULL``: NORMAL lost acknowledged presses in 58 of 60 power cuts, FULL in none.
* A checkpoint inside a commit cost p99 162 ms on a slow disk: it runs in idle moments only.
* SQLite before 3.51.3 has a race when a *second* connection checkpoints: readers have
  ``wal_autocheckpoint=0`` and ``query_only``, so only the writer's connection ever does.
* ``isolation_level=None``: Python's default leaves a transaction open after a refused write, and a reader then
  sees one moment for ever.
* After a failed commit the same handle is not trusted again: close, reopen, look.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from devices.faults import HallFileFault, NotWritten

T = TypeVar("T")

#: Pages of write-ahead log after which an idle writer checkpoints: SQLite's own default, 1000 x 4 KiB.
CHECKPOINT_PAGES = 1000
#: A reader or writer that meets a lock waits this long: only a foreign tool can hold one (one writer by design).
BUSY_TIMEOUT_MS = 2000


#: Mistakes in what was asked, not in the disk: whoever asked is told, the handle stays good.
_OUR_MISTAKES = (
    sqlite3.IntegrityError,
    sqlite3.ProgrammingError,
    sqlite3.DataError,
    sqlite3.NotSupportedError,
)


class _Unreadable(sqlite3.DatabaseError):
    """The file is a notebook no more: SQLite's own check says so."""


class Notebook:
    """A process's own notebook: it alone writes here.

    :param path: the file; its folder must exist.
    :param schema: the folder of numbered migrations ``0001_name.sql``, applied in order, each in one transaction.
    :raises HallFileFault: the file comes from a newer Linli.
    :param patient: where the disk refuses at start, begin all the same: reading finds an empty notebook, writing
        raises NotWritten, and :meth:`try_open` asks again. For the gateway: a press must ring even then.
    :raises NotWritten: the disk refuses.

    ``quarantined`` is the name under which an unreadable predecessor was put aside at start, or "".
    """

    def __init__(self, path: Path, schema: Path, *, patient: bool = False) -> None:
        self.path = path
        self._schema = schema
        self._wal_pages = 0
        self._broken = False
        self._lock = -1
        self.quarantined = ""
        #: why it could not be opened at start ("" once it is open); only with ``patient``
        self.trouble = self.trouble_zh = ""
        try:
            self._begin()
        except NotWritten as wrong:
            if not patient:
                raise
            self.trouble, self.trouble_zh = str(wrong), wrong.why_zh
            self._connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
            _migrate(self._connection, schema, path)

    def try_open(self) -> bool:
        """A notebook that could not be opened at start: is it there now?"""
        if not self.trouble:
            return True
        try:
            self._begin()
        except NotWritten as wrong:
            self.trouble, self.trouble_zh = str(wrong), wrong.why_zh
            return False
        self.trouble = self.trouble_zh = ""
        return True

    def _begin(self) -> None:
        lock = _sole_owner(self.path)
        try:
            self._connection = self._open_or_put_aside()
        except BaseException:
            os.close(lock)
            raise
        self._lock = lock

    @property
    def connection(self) -> sqlite3.Connection:
        """For the owner's own reading, in its own thread."""
        return self._connection

    @property
    def epoch(self) -> str:
        """Which life of this notebook it is: a new one after a restore."""
        return str(self._connection.execute("SELECT value FROM meta WHERE key='epoch'").fetchone()[0])

    def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run ``work`` in one transaction; when this returns, it is on the disk.

        :raises NotWritten: nothing of it was written; the notebook reopens itself at the next call.
        """
        if self.trouble:
            raise NotWritten(self.trouble, self.trouble_zh)
        if self._broken:
            self._reopen()
        connection = self._connection
        try:
            connection.execute("BEGIN IMMEDIATE")
            answer = work(connection)
            connection.execute("COMMIT")
        except _OUR_MISTAKES:
            self._roll_back()
            raise
        except sqlite3.DatabaseError as wrong:
            # Full, read-only, failing, damaged page: the disk's. What was asked is not on it.
            self._roll_back()
            self._broken = True
            raise _refused(self.path, wrong) from wrong
        except BaseException:
            self._roll_back()
            raise
        self._wal_pages += 8
        return answer

    def rest(self) -> bool:
        """Called in an idle moment: move the write-ahead log into the file if it has grown. Never in a commit.

        :return: whether there was anything to do.
        """
        if self._wal_pages < CHECKPOINT_PAGES or self._broken:
            return False
        self._wal_pages = 0
        try:
            self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        except sqlite3.DatabaseError:
            self._broken = True  # the next write reopens, and says what is wrong
        return True

    def close(self) -> None:
        """Let go of the file; a second time does nothing."""
        self._connection.close()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _open_or_put_aside(self) -> sqlite3.Connection:
        try:
            return self._open()
        except sqlite3.DatabaseError as wrong:
            if not _is_unreadable(wrong):
                raise _refused(self.path, wrong) from wrong
        try:
            self.quarantined = self._put_aside()
            return self._open()
        except (sqlite3.DatabaseError, OSError) as wrong:
            raise _refused(self.path, wrong) from wrong

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, isolation_level=None, check_same_thread=False, timeout=BUSY_TIMEOUT_MS / 1000
        )
        try:
            _let_the_group_read(self.path)
            for pragma in (
                "journal_mode=WAL",
                "synchronous=FULL",
                "wal_autocheckpoint=0",
                "foreign_keys=ON",
                "trusted_schema=OFF",
                "temp_store=MEMORY",
                "journal_size_limit=4194304",
            ):
                connection.execute(f"PRAGMA {pragma}")
            verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            if verdict != "ok":
                raise _Unreadable(verdict)
            _migrate(connection, self._schema, self.path)
        except BaseException:
            connection.close()
            raise
        return connection

    def _reopen(self) -> None:
        self._connection.close()
        try:
            self._connection = self._open()
        except sqlite3.DatabaseError as wrong:
            raise _refused(self.path, wrong) from wrong
        self._broken = False

    def _roll_back(self) -> None:
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except sqlite3.Error:
            self._broken = True

    def _put_aside(self) -> str:
        """An unreadable notebook is kept, never deleted: somebody may still save what is in it."""
        aside = f"{self.path.name}.corrupt-{time.time_ns() // 1_000_000}"
        for tail in ("", "-wal", "-shm"):
            old = self.path.with_name(self.path.name + tail)
            if old.exists():
                old.rename(self.path.with_name(aside + tail))
        return aside


def _sole_owner(path: Path) -> int:
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


def _is_unreadable(wrong: sqlite3.DatabaseError) -> bool:
    """Damaged for good, so that only putting it aside helps; not merely full, locked or read-only."""
    damaged = (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)
    code: int = getattr(wrong, "sqlite_errorcode", 0)
    return isinstance(wrong, _Unreadable) or code & 0xFF in damaged


def _let_the_group_read(path: Path) -> None:
    """WAL needs write on the file even to read it: the group linli gets both. A restored file may be root's."""
    try:
        os.chmod(path, 0o660)
    except OSError:
        pass  # somebody else's file or a read-only card: SQLite says in the next line what that means


def open_reader(path: Path) -> sqlite3.Connection:
    """A read-only connection to another process's notebook.

    :raises NotWritten: the file is not there yet, or its folder may not be written (WAL needs that even to read).
    """
    try:
        connection = sqlite3.connect(
            f"file:{_uri(path)}?mode=ro",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
            timeout=BUSY_TIMEOUT_MS / 1000,
        )
        connection.execute("PRAGMA wal_autocheckpoint=0")
        connection.execute("PRAGMA query_only=ON")
        connection.execute("SELECT 1 FROM meta").fetchone()
    except sqlite3.Error as wrong:
        raise _refused(path, wrong) from wrong
    return connection


def data_version(connection: sqlite3.Connection) -> int:
    """Changes whenever another connection has committed; costs 3 microseconds."""
    return int(connection.execute("PRAGMA data_version").fetchone()[0])


def _uri(path: Path) -> str:
    return str(path).replace("%", "%25").replace("?", "%3f").replace("#", "%23")


def _migrate(connection: sqlite3.Connection, schema: Path, path: Path) -> None:
    have = int(connection.execute("PRAGMA user_version").fetchone()[0])
    steps = sorted(schema.glob("[0-9][0-9][0-9][0-9]_*.sql"))
    newest = int(steps[-1].name[:4]) if steps else 0
    if have > newest:
        raise HallFileFault(
            f"{path}: was written by a newer Linli (schema {have}, this one knows {newest}); install that version again"
        )
    for step in steps:
        number = int(step.name[:4])
        if number <= have:
            continue
        # executescript would commit what is open, so the whole migration goes in as one script with its own frame.
        script = step.read_text(encoding="utf-8")
        try:
            connection.executescript(f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version={number};\nCOMMIT;")
        except sqlite3.Error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
    connection.execute("INSERT OR IGNORE INTO meta(key, value) VALUES ('epoch', ?)", (secrets.token_hex(8),))


def _refused(path: Path, wrong: Exception) -> NotWritten:
    """SQLite's words in the technician's, in both languages."""
    said = str(wrong)
    if "full" in said:
        zh, en = (
            "磁盘满了：请删除旧文件或换大一点的卡",
            "the disk is full: delete old files or put in a larger card",
        )
    elif "readonly" in said or "read-only" in said:
        zh = "磁盘或文件只读：请检查存储卡和文件夹的主人"
        en = "the disk or the file is read-only: check the card and the folder's owner"
    elif "unable to open" in said:
        zh = "打不开：请确认文件夹还在，并且属于 linli 组"
        en = "it cannot be opened: check that the folder is there and belongs to the group linli"
    elif "locked" in said:
        zh, en = "被别的程序占着：请关掉那个程序", "another program holds it: close that program"
    else:
        zh = "磁盘可能要坏了：请马上把文件夹复制到另一块盘"
        en = "the disk may be failing: copy the folder to another disk now"
    return NotWritten(f"notebook {path.name} ({said}): {en}", f"{path.name} {zh}")


def copy_notebook(source: Path, target: Path) -> None:
    """A whole copy of a notebook, also while its owner writes; one plain file without a write-ahead log.

    In one step (``pages=-1``): step by step it would never finish while others write. The copy is checked and on the
    disk when this returns; ``target`` must not exist, or be empty.

    :raises NotWritten: the source cannot be read, or the copy not be written, or is not whole; no copy is left then.
    """
    reader = open_reader(source)
    try:
        try:
            copy = sqlite3.connect(target, isolation_level=None, timeout=BUSY_TIMEOUT_MS / 1000)
        except sqlite3.Error as wrong:
            raise _refused(target, wrong) from wrong
        try:
            reader.backup(copy, pages=-1)
            # A stick is often read-only later, and a file in WAL cannot be read there.
            copy.execute("PRAGMA journal_mode=DELETE")
            verdict = str(copy.execute("PRAGMA quick_check(1)").fetchone()[0])
            if verdict != "ok":
                raise sqlite3.DatabaseError(verdict)
        except sqlite3.Error as wrong:
            target.unlink(missing_ok=True)
            raise _refused(source, wrong) from wrong
        finally:
            copy.close()
    finally:
        reader.close()
    handle = os.open(target, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

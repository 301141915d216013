"""The one file that opens SQLite. One process, one notebook, one connection that writes and checkpoints.

Why so strict (each line was measured or read, docs/measurements.md):

* WAL and ``synchronous=FULL``: NORMAL lost acknowledged presses in 58 of 60 power cuts, FULL in none.
* A checkpoint inside a commit cost p99 162 ms on a slow disk: it runs in idle moments only.
* SQLite before 3.51.3 has a race when a *second* connection checkpoints: readers have
  ``wal_autocheckpoint=0`` and ``query_only``, so only the writer's connection ever does.
* ``isolation_level=None``: Python's default leaves a transaction open after a refused write, and a reader then
  sees one moment for ever.

**A commit that failed may still have happened.** Where fsync fails, the commit's frames stand in the write-ahead log
already. This connection does not see them, but whoever opens the file anew may: SQLite's recovery finds whole frames
and takes them for a commit (tried: after a reopen under the same failing disk, and after a kill). So after a failed
commit the handle is not trusted again: it is closed, the log is written once more (``disk.write_once_more`` says
why), the file is opened anew, and ``lives`` grows by one: the owner must read again what it believes to know, before
it decides anything. What has then happened after all is known as such: a press by its key, an unnumbered press by its
call's last moment; nothing is written twice.

**How much is checked at start.** ``quick_check`` reads the whole file: 6 ms a megabyte when it is in memory, 24 ms a
megabyte when it is not (measured, 116 MB with a million journal rows: 0.64 s and 2.8 s; a Pi's card is slower). A file
above ``CHECK_WHOLE_BYTES`` is therefore not checked at start: people may be pressing buttons. A power cut does not
tear it (WAL, FULL); cards rot at any hour. The hourly backup checks all of it (``linli backup --auto``), in a process
of its own; and where a page turns out damaged, in use or there, the mark ``<name>.suspect`` makes the next opening
check everything before it believes anything.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

from devices.clock import wall_ms
from devices.faults import HallFileFault, NotWritten
from gateway.disk import (
    Reserve,
    Unreadable,
    is_damaged,
    is_full,
    lengthen,
    let_the_group_read,
    refused,
    sole_owner,
    sync,
    wants_room,
    write_once_more,
)
from gateway.meanwhile import Meanwhile

T = TypeVar("T")

#: Pages of write-ahead log after which an idle writer checkpoints: SQLite's own default, 1000 x 4 KiB.
CHECKPOINT_PAGES = 1000
#: As long as a write-ahead log is let grow, and is left when it has been moved: those pages, and a few more.
LOG_BYTES = 4 * 1024 * 1024
#: A reader or writer that meets a lock waits this long: only a foreign tool can hold one (one writer by design).
BUSY_TIMEOUT_MS = 2000
#: A smaller file is checked whole at every start: at most 0.1 s, 0.4 s if nothing of it is in memory (measured).
CHECK_WHOLE_BYTES = 16_000_000

#: What stands in ``<name>.lock`` once there has been a notebook of that name.
_BEGUN = b"begun\n"

#: Mistakes in what was asked, not in the disk: whoever asked is told, the handle stays good.
_OUR_MISTAKES = (
    sqlite3.IntegrityError,
    sqlite3.ProgrammingError,
    sqlite3.DataError,
    sqlite3.NotSupportedError,
)


class Rescue(Protocol):
    """Who helps when a notebook cannot be read (gateway/restore.py). Neither step may raise but OSError, NotWritten."""

    def put_back(self, place: Path) -> None:
        """Put the newest good copy into the empty place, if there is one."""

    def salvage(self, connection: sqlite3.Connection, aside: Path) -> None:
        """Carry over what is still readable in the damaged file, in a transaction that is open."""

    def words(self, aside: str) -> tuple[str, str]:
        """What was lost and what to do, in Chinese and English."""


class Notebook:
    """A process's own notebook: it alone writes here.

    :param path: the file; its folder must exist.
    :param schema: the folder of numbered migrations ``0001_name.sql``, applied in order, each in one transaction.
    :param patient: where the disk refuses at start, begin all the same: reading finds an empty notebook, writing
        raises NotWritten, and :meth:`try_open` asks again. For the gateway: a press must ring even then. A patient
        notebook that turns out damaged while it is in use is put aside by :meth:`try_open`, too.
    :param rescue: who helps when it cannot be read; without, an empty one is begun.
    :param reserve: keep ``<name>.reserve`` (4 MiB) and give it up when the disk is full.
    :raises HallFileFault: the file comes from a newer Linli.
    :raises NotWritten: the disk refuses.

    ``quarantined`` is the name under which an unreadable predecessor was put aside, or "". ``standing`` is how it is
    now, for the people on duty: "ready", or "degraded" with what happened and what to do. ``lives`` counts openings.
    """

    def __init__(
        self,
        path: Path,
        schema: Path,
        *,
        patient: bool = False,
        rescue: Rescue | None = None,
        reserve: bool = False,
    ) -> None:
        self.path = path
        self._schema = schema
        self._patient = patient
        self._rescue = rescue
        self._reserve = Reserve(path.with_suffix(".reserve")) if reserve else None
        self._meanwhile = Meanwhile()
        self._wal_pages = 0
        self._log_is_short = False
        self._broken = False
        self._lock = -1
        self.lives = 0
        self.quarantined = ""
        self._lost = ("", "")
        #: why it cannot be opened ("" once it is open)
        self.trouble = self.trouble_zh = ""
        self._connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        try:
            self._begin()
        except NotWritten as wrong:
            if not patient:
                raise
            self.trouble, self.trouble_zh = str(wrong), wrong.why_zh
            self._connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
            _migrate(self._connection, schema, path)

    def try_open(self) -> bool:
        """Is it open and to be trusted? One that was not, or that has refused a commit, is opened anew."""
        if not self.trouble and not self._broken:
            return True
        try:
            self._begin()
        except NotWritten as wrong:
            self.trouble, self.trouble_zh = str(wrong), wrong.why_zh
            return False
        self.trouble = self.trouble_zh = ""
        self._broken = False
        return True

    def _begin(self) -> None:
        first = self._lock < 0
        if first:
            self._lock = sole_owner(self.path)
        try:
            try:
                self._open_anew(first)
            except (sqlite3.DatabaseError, OSError) as wrong:
                if not self._makes_room(wrong):
                    raise
                self._open_anew(first)  # a hall that starts on a full disk cannot open its notebook without the reserve
            self.lives += 1
            self._log_is_short = True
        except BaseException as wrong:
            if first:
                os.close(self._lock)
                self._lock = -1
            if isinstance(wrong, (sqlite3.DatabaseError, OSError)):
                raise refused(self.path, wrong) from wrong
            raise
        self._remember_that_it_was()
        if self._reserve is not None:
            self._reserve.lay_in(at_once=True)

    def _open_anew(self, first: bool) -> None:
        refused_before = _beside(self.path, ".refused")
        if self._broken or refused_before.exists():
            # Before it is closed: closing, SQLite would move a log into the file that a power cut may still tear.
            write_once_more(_beside(self.path, "-wal"))
        self._connection.close()
        self._connection = self._open_or_put_aside() if first or self._patient else self._open()
        refused_before.unlink(missing_ok=True)

    def _makes_room(self, wrong: Exception) -> bool:
        """Give up the reserve. False: the disk is not full, or there was nothing to give."""
        return self._reserve is not None and wants_room(wrong, self.path.parent) and self._reserve.give_up()

    def _remember_that_it_was(self) -> None:
        try:
            if os.fstat(self._lock).st_size == 0:
                os.write(self._lock, _BEGUN)
        except OSError:
            pass  # no room for six bytes: the next start remembers

    def _has_vanished(self) -> bool:
        """Empty or gone, though there was one: to SQLite that is a new notebook, to a hall it is a loss."""
        there = self.path.exists() and self.path.stat().st_size > 0
        return not there and os.fstat(self._lock).st_size > 0

    @property
    def connection(self) -> sqlite3.Connection:
        """For the owner's own reading, in its own thread."""
        return self._connection

    @property
    def epoch(self) -> str:
        """Which life of this notebook it is: a new one after a restore."""
        return str(self._connection.execute("SELECT value FROM meta WHERE key='epoch'").fetchone()[0])

    @property
    def standing(self) -> tuple[str, str, str]:
        """("ready" or "degraded", what happened and what to do in Chinese, and in English)."""
        zh, en = self._lost
        if self._reserve is not None and self._reserve.spent:
            zh += ("；" if zh else "") + (
                "磁盘满了，正在用最后的备用空间：请马上删除旧文件或换大一点的卡；呼叫暂时还能记录"
            )
            en += ("; " if en else "") + (
                "the disk is full and the last reserve is in use: delete old files or put in a larger card now; "
                "calls can still be written for a while"
            )
        return ("degraded" if en else "ready", zh, en)

    def write(
        self, work: Callable[[sqlite3.Connection], T], meanwhile: Callable[[], None] | None = None
    ) -> T:
        """Run ``work`` in one transaction; when this returns, it is on the disk.

        :param meanwhile: done beside the COMMIT, in another thread, and ended when this returns or raises
            (gateway/meanwhile.py). It may not have been done: where ``work`` fails nobody commits.
        :raises NotWritten: it is not promised. It may be found written after all when the notebook is opened anew,
            which the next call does (the head of this file says what follows from that).
        """
        if not self.try_open():
            raise NotWritten(self.trouble, self.trouble_zh)
        try:
            return self._commit(work, meanwhile)
        except sqlite3.DatabaseError as wrong:
            if isinstance(wrong, _OUR_MISTAKES):
                raise
            if not (self._makes_room(wrong) and is_full(wrong)):
                raise self._distrust(wrong) from wrong
        try:
            return self._commit(work)  # there is room now; nothing of the first try has reached the log's end
        except sqlite3.DatabaseError as wrong:
            if isinstance(wrong, _OUR_MISTAKES):
                raise
            raise self._distrust(wrong) from wrong

    def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run ``work``, which only reads. Where a page turns out damaged, the next opening checks everything.

        :raises NotWritten: it cannot be read.
        """
        try:
            return work(self._connection)
        except sqlite3.DatabaseError as wrong:
            raise self._distrust(wrong) from wrong
        except UnicodeDecodeError as wrong:
            raise self._distrust(Unreadable(str(wrong))) from wrong

    def _commit(self, work: Callable[[sqlite3.Connection], T], meanwhile: Callable[[], None] | None = None) -> T:
        connection = self._connection
        try:
            connection.execute("BEGIN IMMEDIATE")
            answer = work(connection)
            if meanwhile is None:
                connection.execute("COMMIT")
            else:
                self._meanwhile.begin(meanwhile)
                try:
                    connection.execute("COMMIT")
                finally:
                    self._meanwhile.join()
        except UnicodeDecodeError as wrong:  # what we write is never decoded: the noise is in the file
            self._roll_back()
            raise Unreadable(str(wrong)) from wrong
        except BaseException:
            self._roll_back()
            raise
        self._wal_pages += 8
        return answer

    def _distrust(self, wrong: sqlite3.DatabaseError) -> NotWritten:
        """Full, read-only, failing, damaged: the disk's. What was asked is not promised."""
        self._broken = True
        try:
            # For whoever opens it next, should we die now: he is to write the log once more, as we would.
            _beside(self.path, ".refused").touch()
            if is_damaged(wrong):
                suspect(self.path).touch()
        except OSError:
            pass  # a disk that takes no mark takes no notebook either, and says so at the next opening
        return refused(self.path, wrong)

    def rest(self, at_least: int = CHECKPOINT_PAGES) -> bool:
        """Called in an idle moment: move the write-ahead log into the file if it has grown. Never in a commit.

        :param at_least: pages in the log below which nothing is done.
        :return: whether there was anything to do.
        """
        if self._reserve is not None and self._reserve.spent:
            self._reserve.lay_in()
        if self._wal_pages < at_least or self._broken or self.trouble:
            return False
        self._wal_pages = 0
        try:
            self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        except sqlite3.DatabaseError as wrong:
            self._distrust(wrong)  # the next write reopens, and says what is wrong
        return True

    def make_room(self) -> None:
        """Called in an idle moment: bring the write-ahead log to its length, a piece at a time (disk.py says why)."""
        if self._reserve is not None and self._reserve.spent:
            return  # what is left is for calls
        if self._log_is_short and self._wal_pages and not self._broken and not self.trouble:
            self._log_is_short = lengthen(_beside(self.path, "-wal"), LOG_BYTES)

    def close(self) -> None:
        """Let go of the file; a second time does nothing."""
        self._meanwhile.close()
        self._connection.close()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _open_or_put_aside(self) -> sqlite3.Connection:
        unfinished = _beside(self.path, ".rescuing")
        try:
            # A power cut in the middle of a rescue: it is done again, or the hall would begin silently empty.
            self.quarantined = unfinished.read_text(encoding="utf-8")
        except FileNotFoundError:
            try:
                if self._rescue is None or not self._has_vanished():
                    return self._open()
            except sqlite3.DatabaseError as wrong:
                if not is_damaged(wrong):
                    raise
            self.quarantined = f"{self.path.name}.corrupt-{wall_ms()}"
            if self._rescue is not None:
                unfinished.write_text(self.quarantined, encoding="utf-8")
                sync(unfinished)
        self._put_aside(self.quarantined)
        if self._rescue is None:
            return self._open()
        self._rescue.put_back(self.path)
        connection = self._rescued(self._rescue)
        unfinished.unlink()
        sync(self.path.parent)
        return connection

    def _rescued(self, rescue: Rescue) -> sqlite3.Connection:
        """Open what was put back, under a new epoch, with what could still be read of the damaged one."""
        connection = self._open()
        try:
            connection.execute("BEGIN IMMEDIATE")
            rescue.salvage(connection, self.path.with_name(self.quarantined))
            connection.execute(
                "INSERT OR REPLACE INTO meta(key, value) VALUES ('epoch', ?)", (secrets.token_hex(8),)
            )
            connection.execute("COMMIT")
        except BaseException:
            connection.close()
            raise
        self._lost = rescue.words(self.quarantined)
        return connection

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, isolation_level=None, check_same_thread=False, timeout=BUSY_TIMEOUT_MS / 1000
        )
        try:
            let_the_group_read(self.path)
            for pragma in (
                "journal_mode=WAL",
                "synchronous=FULL",
                "wal_autocheckpoint=0",
                "foreign_keys=ON",
                "trusted_schema=OFF",
                "temp_store=MEMORY",
                f"journal_size_limit={LOG_BYTES}",
            ):
                connection.execute(f"PRAGMA {pragma}")
            self._check(connection)
            _migrate(connection, self._schema, self.path)
        except UnicodeDecodeError as wrong:
            connection.close()
            raise Unreadable(f"noise where its tables are described ({wrong})") from wrong
        except BaseException:
            connection.close()
            raise
        return connection

    def _check(self, connection: sqlite3.Connection) -> None:
        mark = suspect(self.path)
        marked = mark.exists()
        if not marked and self.path.stat().st_size > CHECK_WHOLE_BYTES:
            return
        verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if verdict != "ok":
            raise Unreadable(verdict)
        if marked:
            mark.unlink(missing_ok=True)

    def _roll_back(self) -> None:
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except sqlite3.Error:
            self._broken = True

    def _put_aside(self, aside: str) -> None:
        """An unreadable notebook is kept, never deleted: somebody may still save what is in it."""
        for tail in ("-shm", "-wal", ""):  # the file itself last: until then the work is not done
            old, new = _beside(self.path, tail), self.path.with_name(aside + tail)
            if old.exists() and not self.path.with_name(aside).exists():
                old.rename(new)
        suspect(self.path).unlink(missing_ok=True)
        sync(self.path.parent)


def suspect(path: Path) -> Path:
    """The mark of a notebook in which a damaged page was seen: the next opening checks all of it."""
    return _beside(path, ".suspect")


def _beside(path: Path, tail: str) -> Path:
    return path.with_name(path.name + tail)


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
    except sqlite3.Error as wrong:
        raise refused(path, wrong) from wrong
    try:
        connection.execute("PRAGMA wal_autocheckpoint=0")
        connection.execute("PRAGMA query_only=ON")
        connection.execute("SELECT 1 FROM meta").fetchone()
    except (sqlite3.Error, UnicodeDecodeError) as wrong:
        connection.close()
        raise refused(path, wrong) from wrong
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
            # A table that is built anew must be dropped without its children's rows going with it; what holds
            # afterwards is looked at before the commit (SQLite's own procedure for changing a table's checks).
            connection.execute("PRAGMA foreign_keys=OFF")
            connection.executescript(f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version={number};")
            if broken := connection.execute("PRAGMA foreign_key_check").fetchall():
                raise sqlite3.IntegrityError(f"{step.name} leaves rows that point nowhere: {broken[:3]}")
            connection.execute("COMMIT")
        except sqlite3.Error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        finally:
            connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("INSERT OR IGNORE INTO meta(key, value) VALUES ('epoch', ?)", (secrets.token_hex(8),))


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
            raise refused(target, wrong) from wrong
        try:
            reader.backup(copy, pages=-1)
            # A stick is often read-only later, and a file in WAL cannot be read there.
            copy.execute("PRAGMA journal_mode=DELETE")
            verdict = str(copy.execute("PRAGMA quick_check(1)").fetchone()[0])
            if verdict != "ok":
                raise sqlite3.DatabaseError(verdict)
        except sqlite3.Error as wrong:
            target.unlink(missing_ok=True)
            raise refused(source, wrong) from wrong
        finally:
            copy.close()
    finally:
        reader.close()
    sync(target)

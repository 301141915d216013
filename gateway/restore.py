"""A gateway.db that cannot be read: the newest good backup takes its place, and what is still readable is carried over.

Begin empty, and a hall has forgotten whose button it is that rings. So (called by gateway/notebook.py, which has put
the damaged file aside):

1. The newest automatic backup that is whole takes the place.
2. What the damaged file still tells comes on top: calls since the backup and what became of those that were open,
   the keys of presses (a button that repeats is no second call), claims, bays, journal. Each row is taken or left
   alone; where a damaged page cuts a table in two, it is read from its other end as well.
3. Call numbers go on above any that was given: numbers are spoken on the telephone. Where the calls could not be read
   to their end, the raw bytes are searched for "call:<number>" (journal and timers name calls so), and ``JUMP`` is
   added.
4. Where the bays could not be read to their end, each is unknown until its sensor speaks (`forget_bays`).
5. The part "notebook" says what was lost since when, and what to do.

It takes as long as copying the backup (0.1 s for 55 MB, some seconds on a card). Buttons go on repeating meanwhile.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from devices.clock import wall_ms
from devices.faults import NotWritten
from gateway import journal
from gateway.backup_sets import BackupSet, sets_in
from gateway.disk import sync
from gateway.hall.state import JournalLine
from gateway.hall.tables import TABLES
from gateway.notebook import copy_notebook, open_reader

#: Beyond the largest number that can be known: more calls than a compound makes between two backups (one hour).
JUMP = 1000
#: A number further than this above the others is a damaged page's, not a call's.
FAR = 1_000_000
#: So many backups are tried; a disk on which five are bad has no sixth that is good.
TRIES = 5
_PIECE = 1 << 20
_NAMED_CALL = re.compile(rb"call:(\d{1,9})(?!\d)")


@dataclass(slots=True)
class GatewayRescue:
    """Helps the gateway's notebook (:class:`gateway.notebook.Rescue`)."""

    backups: Path
    timezone: str
    _from: BackupSet | None = None
    _known: int = 0
    _calls: int = 0
    _whole: bool = False
    _floor: int = 0
    _unreadable: set[str] = field(default_factory=set)

    def put_back(self, place: Path) -> None:
        """The newest backup that is whole; none is no fault, the notebook begins empty then."""
        for tail in ("", "-wal", "-shm"):
            place.with_name(place.name + tail).unlink(missing_ok=True)
        fresh = place.with_name(place.name + ".restoring")
        self._from = None
        for one in [one for one in sets_in(self.backups) if (one.folder / place.name).exists()][:TRIES]:
            fresh.unlink(missing_ok=True)
            try:
                copy_notebook(one.folder / place.name, fresh)
            except (NotWritten, OSError):
                continue  # that one is bad, too: the one before it is an hour older
            fresh.replace(place)
            sync(place.parent)
            self._from = one
            return
        fresh.unlink(missing_ok=True)

    def salvage(self, connection: sqlite3.Connection, aside: Path) -> None:
        """Carry over what the damaged file still tells; into ``connection``, whose transaction is open."""
        self._known = _newest_call(connection)
        self._unreadable = set()
        self._whole = False
        try:
            reader = open_reader(aside)
        except NotWritten:
            self._unreadable.add("all")
        else:
            # One lost letter must not tear a table in two.
            reader.text_factory = lambda raw: raw.decode("utf-8", "replace")
            try:
                self._carry_over(reader, connection)
            finally:
                reader.close()
        self._calls = _newest_call(connection) - self._known
        self._floor = _newest_call(connection)
        if not self._whole:
            self._floor = max(self._floor, _named_in(aside, self._known)) + JUMP
        now_ms = wall_ms()
        if self._unreadable & {"all", "bays"}:
            forget_bays(connection, now_ms)
        _put_right(connection, self._floor)
        words = f"{aside.name} {self._from.folder.name if self._from else 'no backup'}{journal.gaps(connection)}"
        journal.append(connection, [JournalLine(now_ms, "NotebookRestored", "notebook", "", words)], now_ms)

    def words(self, aside: str) -> tuple[str, str]:
        """What was lost since when, and what to do."""
        zh, en = f"呼叫记录损坏或丢失（原文件：{aside}）；", f"gateway.db was damaged or gone (kept as {aside}); "
        if self._from is None:
            zh += "没有可用的自动备份，"
            en += "there was no good backup, "
            since_zh, since_en = "以前", "of before"
        else:
            when = datetime.fromtimestamp(self._from.taken_ms / 1000, ZoneInfo(self.timezone))
            zh += f"已从 {when:%Y-%m-%d %H:%M} 的自动备份恢复，"
            en += f"the backup of {when:%Y-%m-%d %H:%M} was put in its place, "
            since_zh, since_en = "此后", "since then"
        if self._whole and not self._unreadable:
            zh += f"{since_zh}的记录（{self._calls} 个呼叫）全部找回"
            en += f"and everything {since_en} could still be read ({self._calls} calls)"
        else:
            zh += f"{since_zh}的呼叫找回 {max(0, self._calls)} 个，其余可能丢失，新呼叫从 {self._floor + 1} 号开始"
            en += (
                f"{max(0, self._calls)} calls {since_en} could still be read, others may be lost; "
                f"new calls begin at {self._floor + 1}"
            )
        zh += "。呼叫照常响。请核对纸质记录和设备认领，并尽快换存储卡"
        en += ". Calls ring as ever. Compare with what was noted on paper, look at the devices, change the card soon"
        return zh, en

    # ---------------------------------------------------------------- the damaged file

    def _carry_over(self, reader: sqlite3.Connection, into: sqlite3.Connection) -> None:
        since_ms = self._from.taken_ms - 3_600_000 if self._from is not None else 0
        open_ids = [row[0] for row in into.execute("SELECT call_id FROM calls WHERE state <> 'CLOSED'")]
        for call_id in open_ids:
            self._take("calls", reader, into, "call_id = ?", (call_id,), "call_id")
        between = (self._known, self._known + FAR)
        self._whole = self._take("calls", reader, into, "call_id > ? AND call_id <= ?", between, "call_id")
        if not self._whole:  # by its index the newest may be found where the table's own pages are torn
            self._take("calls", reader, into, "state <> 'CLOSED' AND call_id <= ?", (between[1],), "call_id")
        self._take("presses", reader, into, "at_ms >= ?", (since_ms,), "device_id")
        self._take("order_keys", reader, into, "at_ms >= ?", (since_ms,), "key")
        for row in TABLES.values():
            self._take(row.TABLE, reader, into, "1", (), row.KEY[0])
        for table, key in (("devices", "device_id"), ("zones", "zone_id"), ("bays", "bay_id"), ("timers", "timer_id")):
            self._take(table, reader, into, "1", (), key)
        for table, key in (("journal", "line_id"), ("bay_moves", "move_id")):
            (newest,) = into.execute(f"SELECT coalesce(max({key}), 0) FROM {table}").fetchone()
            self._take(table, reader, into, f"{key} > ?", (newest,), key)
        into.execute("DELETE FROM meta WHERE key = 'clock_frame'")
        self._take("meta", reader, into, "key = 'clock_frame'", (), "key")

    def _take(
        self,
        table: str,
        reader: sqlite3.Connection,
        into: sqlite3.Connection,
        where: str,
        values: Sequence[object],
        key: str,
    ) -> bool:
        """Copy rows one by one. True: all of them could be read."""
        try:
            here = {row[1] for row in into.execute(f"PRAGMA table_info({table})")}
            names = [row[1] for row in reader.execute(f"PRAGMA table_info({table})") if row[1] in here]
        except (sqlite3.DatabaseError, UnicodeDecodeError):
            names = []
        if not names:
            self._unreadable.add(table)
            return False
        put = f"INSERT OR REPLACE INTO {table}({','.join(names)}) VALUES ({','.join('?' * len(names))})"
        ask = f"SELECT {','.join(names)} FROM {table} WHERE {where} ORDER BY {key}"
        for direction in ("", " DESC"):
            torn = False
            for row in _rows(reader, ask + direction, values):
                if row is None:
                    torn = True
                    break
                try:
                    into.execute(put, row)
                except (sqlite3.IntegrityError, sqlite3.DataError, UnicodeError):
                    continue  # a row that this Linli would never have written, or a press whose call is lost
            if not torn:
                return True
        self._unreadable.add(table)
        return False


def _rows(
    reader: sqlite3.Connection, question: str, values: Sequence[object]
) -> Iterator[tuple[object, ...] | None]:
    """Each row; None, and the end, where a damaged page does not let us go on."""
    try:
        yield from reader.execute(question, values)
    except (sqlite3.DatabaseError, UnicodeError):
        yield None


def _newest_call(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT coalesce(max(call_id), 0) FROM calls").fetchone()[0])


def _named_in(aside: Path, known: int) -> int:
    """The largest number of a call that the bytes of the damaged file and its log name."""
    largest = 0
    for path in (aside, aside.with_name(aside.name + "-wal")):
        try:
            with path.open("rb") as file:
                end = b""
                while piece := file.read(_PIECE):
                    for found in _NAMED_CALL.finditer(end + piece):
                        number = int(found[1])
                        if number <= known + FAR:
                            largest = max(largest, number)
                    end = piece[-16:]
        except OSError:
            continue  # not there, or not even its bytes can be read
    return largest


def forget_bays(connection: sqlite3.Connection, now_ms: int) -> None:
    """Bays as a backup knew them: cars have come and gone since, and what their sensors said of it is lost with the
    notebook. One that speaks once a day would stand there wrong until tomorrow, so each is unknown until it speaks."""
    connection.execute(
        "INSERT INTO bay_moves(bay_id, state, at_ms) SELECT bay_id, 'unknown', ? FROM bays"
        " WHERE state IN ('free', 'taken') AND zone_id <> 'unclaimed'",
        (now_ms,),
    )
    connection.execute(
        "UPDATE bays SET state = 'unknown', since_ms = ?, last_known = '' WHERE state IN ('free', 'taken')", (now_ms,)
    )
    _count_zones(connection)


def _count_zones(connection: sqlite3.Connection) -> None:
    count = "(SELECT count(*) FROM bays WHERE bays.zone_id = zones.zone_id AND bays.state = '{0}')"
    counts = ", ".join(f"{state} = {count.format(state)}" for state in ("free", "taken", "unknown", "closed"))
    total = "(SELECT count(*) FROM bays WHERE bays.zone_id = zones.zone_id)"
    connection.execute(f"UPDATE zones SET {counts}, total = {total}")


def _put_right(connection: sqlite3.Connection, floor: int) -> None:
    """What must agree between tables of two ages; and the number above which calls go on."""
    _count_zones(connection)
    # Timers of calls that are over or lost go. An ordered meal waits for its day to end, its call closed or not.
    standing = "SELECT 'call:' || call_id FROM calls WHERE state <> 'CLOSED'"
    ordered = "SELECT 'call:' || call_id || ':meal' FROM meal_orders WHERE state = 'ordered'"
    connection.execute(
        f"DELETE FROM timers WHERE subject LIKE 'call:%' AND timer_id NOT IN ({ordered})"
        f" AND (kind = 'meal' OR subject NOT IN ({standing}))"
    )
    # A ringing call whose timer was lost gets a new one: its reminder comes again rather than never.
    connection.execute(
        "INSERT OR IGNORE INTO timers(timer_id, kind, subject, set_ms, after_ms, due_ms)"
        " SELECT 'call:' || call_id || ':unanswered', 'unanswered', 'call:' || call_id, opened_ms, 60000,"
        " opened_ms + 60000 FROM calls WHERE state = 'HEARD' AND overdue = 0"
    )
    connection.execute("INSERT OR REPLACE INTO meta(key, value) VALUES ('call_floor', ?)", (str(floor),))

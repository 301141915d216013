"""The hall's state in gateway.db: loaded once at start, changed by the decisions of each batch.

The only place that spells gateway.db's SQL for writing. It runs inside the transaction that the loop opens.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any, NamedTuple, get_type_hints

from devices.messages import ShowCount
from gateway import journal
from gateway.disk import Unreadable
from gateway.hall.rows import Row, RowGone
from gateway.hall.state import (
    Bay,
    BayGone,
    BayMove,
    Call,
    Change,
    ClockFrame,
    Device,
    DeviceGone,
    HallState,
    JournalLine,
    OrderKey,
    PersonErased,
    PressRow,
    TimerGone,
    TimerSet,
    WordsErased,
    Zone,
)
from gateway.hall.tables import TABLES

#: Closed calls and presses of the last day come back into memory at start; older ones stay on disk.
_RECENT_MS = 24 * 3600 * 1000


#: Made once: `json.dumps` with settings of its own makes an encoder each time.
_encode = json.JSONEncoder(ensure_ascii=False).encode


class _Upsert(NamedTuple):
    """A statement, and what gives its values of a change, in its order."""

    sql: str
    values: Callable[[object], tuple[object, ...]]


def _upsert(table: str, columns: str) -> _Upsert:
    names = columns.split()
    marks = ",".join("?" for _ in names)
    updates = ",".join(f"{name}=excluded.{name}" for name in names[1:])
    sql = (
        f"INSERT INTO {table}({','.join(names)}) VALUES ({marks}) "
        f"ON CONFLICT({names[0]}) DO UPDATE SET {updates}"
    )
    return _Upsert(sql, attrgetter(*names))


_CALL = _upsert(
    "calls",
    "call_id state kind device_id device_name claimed place person presses button opened_ms last_press_ms "
    "accepted_ms accepted_by closed_ms closed_by outcome note overdue delayed doubtful person_id turn step acts "
    "arrived_ms arrived_by heard coming repeats",
)
_DEVICE = _upsert(
    "devices",
    "device_id kind family model name call_kind place person bay_id zone_id lamp every_ms battery_pct health "
    "why_zh why_en first_seen_ms last_seen_ms person_id",
)
_BAY = _upsert("bays", "bay_id zone_id state device_id since_ms last_seen_ms last_known turned_ms turned_at")
_ZONE = _upsert("zones", "zone_id name_zh name_en free taken unknown closed total since_ms turns")
_PANEL = _upsert("panels", "panel text free taken unknown closed total certain since_ms level reserved arrow text_en")
#: In the order in which they refer to each other.
_LEVELS = {"1device": _DEVICE, "2zone": _ZONE, "3bay": _BAY, "4panel": _PANEL}
_TIMER = _upsert("timers", "timer_id kind subject set_ms after_ms due_ms by_wall")


class _Table(NamedTuple):
    """How the rows of one dataclass of hall/rows.py are written and read."""

    put: str
    drop: str
    load: str
    row: type[Row]
    columns: tuple[str, ...]
    #: columns that are kept as JSON, and those that are flags
    listed: frozenset[str]
    flags: frozenset[str]

    #: gives the columns of a row, in their order
    plain: Callable[[Row], tuple[object, ...]]

    def values(self, row: Row) -> Sequence[object]:
        if not self.listed:
            return self.plain(row)
        return [
            _encode(value) if name in self.listed else value
            for name, value in zip(self.columns, self.plain(row), strict=True)
        ]

    def read(self, found: sqlite3.Row) -> Row:
        words: dict[str, Any] = dict(found)
        for name in self.listed:
            words[name] = _tuples(json.loads(words[name]))
        for name in self.flags:
            words[name] = bool(words[name])
        return self.row(**words)


def _tuples(value: Any) -> Any:
    return tuple(_tuples(one) for one in value) if isinstance(value, list) else value


def _table(row: type[Row]) -> _Table:
    hints = get_type_hints(row)
    columns = tuple(one.name for one in fields(row))
    rest = [name for name in columns if name not in row.KEY]
    key = ",".join(row.KEY)
    updates = ",".join(f"{name}=excluded.{name}" for name in rest)
    return _Table(
        f"INSERT INTO {row.TABLE}({','.join(columns)}) VALUES ({','.join('?' for _ in columns)}) "
        f"ON CONFLICT({key}) DO {f'UPDATE SET {updates}' if rest else 'NOTHING'}",
        f"DELETE FROM {row.TABLE} WHERE {' AND '.join(f'{name} = ?' for name in row.KEY)}",
        f"SELECT {','.join(columns)} FROM {row.TABLE}" + (f" WHERE {row.LOAD}" if row.LOAD else ""),
        row,
        columns,
        frozenset(name for name in columns if str(hints[name]).startswith("tuple")),
        frozenset(name for name in columns if hints[name] is bool),
        attrgetter(*columns),
    )


_TABLES = {name: _table(row) for name, row in TABLES.items()}
#: tables refer to each other in this order
_RANK = {name: rank for rank, name in enumerate(TABLES)}


def write_changes(connection: sqlite3.Connection, changes: Iterable[Change], now_ms: int = 0) -> None:
    """Put a batch's changes into the notebook, in the order they were decided; ``now_ms`` is when.

    Levels (devices, bays, zones, panels) are written once, as they are at the end of the batch.
    """
    levels: dict[tuple[str, str], Device | Bay | Zone | ShowCount] = {}
    calls: dict[int, Call] = {}
    later: list[PressRow | OrderKey | BayGone | DeviceGone] = []
    said: list[JournalLine] = []
    erased: list[int] = []
    people: list[str] = []
    moves: list[tuple[str, str, int]] = []
    timers: dict[str, TimerSet | TimerGone] = {}
    rows: dict[tuple[int, Any], Row | RowGone] = {}
    for change in changes:
        match change:  # what a press brings stands first
            case Call():
                calls[change.call_id] = change
            case Row():
                rows[_RANK[change.TABLE], change.key] = change
            case JournalLine():
                said.append(change)
            case TimerSet() | TimerGone():
                timers[change.timer_id] = change
            case PressRow() | OrderKey() | BayGone() | DeviceGone():
                later.append(change)
            case Device():
                levels["1device", change.device_id] = change
            case Zone():
                levels["2zone", change.zone_id] = change
            case Bay():
                levels["3bay", change.bay_id] = change
            case ShowCount():
                levels["4panel", change.panel] = change
            case BayMove():
                moves.append((change.bay_id, change.state, change.at_ms))
            case WordsErased():
                erased.append(change.line_id)
            case PersonErased():
                people.append(change.person_id)
            case RowGone():
                rows[_RANK[change.table], change.key] = change
            case ClockFrame():
                _put_frame(connection, change)
    for call in calls.values():
        connection.execute(_CALL.sql, _CALL.values(call))
    for (kind, _), level in sorted(levels.items()):
        statement = _LEVELS[kind]
        connection.execute(statement.sql, statement.values(level))
    for _, row in sorted(rows.items(), key=lambda one: one[0][0]) if rows else ():
        _put_row(connection, row)
    for timer in timers.values():
        _put_timer(connection, timer)
    if moves:
        connection.executemany("INSERT INTO bay_moves(bay_id, state, at_ms) VALUES (?,?,?)", moves)
    for line in later:
        match line:
            case PressRow():
                connection.execute(
                    "INSERT INTO presses(device_id, press_id, call_id, at_ms) VALUES (?,?,?,?) "
                    "ON CONFLICT DO UPDATE SET call_id=excluded.call_id, at_ms=excluded.at_ms",
                    (line.device_id, line.press_id, line.call_id, line.at_ms),
                )
            case OrderKey():
                connection.execute(
                    "INSERT OR IGNORE INTO order_keys(key, call_id, at_ms) VALUES (?,?,?)",
                    (line.key, line.call_id, line.at_ms),
                )
            case BayGone():
                connection.execute("DELETE FROM bays WHERE bay_id = ?", (line.bay_id,))
            case DeviceGone():
                connection.execute("DELETE FROM devices WHERE device_id = ?", (line.device_id,))
    for person_id in people:
        _erase_person(connection, person_id)
    if erased:
        journal.erase(connection, erased)
    journal.append(connection, said, now_ms)


def _erase_person(connection: sqlite3.Connection, person_id: str) -> None:
    # Reads the calls of all years, some 5 ms a thousand from a Pi's card (views_answering.CALLS_BACK): a person asks
    # for it once in a life, and an index would cost something at each press.
    connection.execute(
        "UPDATE calls SET person = '', place = '', note = '' WHERE person_id = ? AND state = 'CLOSED'",
        (person_id,),
    )
    connection.execute("UPDATE visits SET note = '' WHERE person_id = ? AND note <> ''", (person_id,))


def _put_row(connection: sqlite3.Connection, row: Row | RowGone) -> None:
    if isinstance(row, RowGone):
        key = row.key if isinstance(row.key, tuple) else (row.key,)
        connection.execute(_TABLES[row.table].drop, key)
    else:
        table = _TABLES[row.TABLE]
        connection.execute(table.put, table.values(row))


def _put_timer(connection: sqlite3.Connection, timer: TimerSet | TimerGone) -> None:
    match timer:
        case TimerSet():
            connection.execute(_TIMER.sql, _TIMER.values(timer))
        case TimerGone():
            connection.execute("DELETE FROM timers WHERE timer_id = ?", (timer.timer_id,))


def _put_frame(connection: sqlite3.Connection, frame: ClockFrame) -> None:
    words = json.dumps({name: getattr(frame, name) for name in ClockFrame.__slots__}, ensure_ascii=False)
    connection.execute("INSERT OR REPLACE INTO meta(key, value) VALUES ('clock_frame', ?)", (words,))


def _load_frame(connection: sqlite3.Connection) -> ClockFrame | None:
    row = connection.execute("SELECT value FROM meta WHERE key = 'clock_frame'").fetchone()
    try:
        return None if row is None else ClockFrame(**json.loads(row[0]))
    except (ValueError, TypeError):
        return None  # written by another Linli: as if there were none


def load_state(connection: sqlite3.Connection, now_ms: int) -> HallState:
    """Read back what the hall knew, as it was at the last commit.

    :raises Unreadable: what stands there cannot have been written by us.
    """
    connection.row_factory = sqlite3.Row
    # A card that has lost some letters of a name must not keep the hall from starting.
    connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
    try:
        return _load_state(connection, now_ms)
    except (TypeError, ValueError) as wrong:
        # A number where a text was written, or nothing at all: SQLite sees no fault in that, and it is one of the card.
        raise Unreadable(f"values that nobody has written ({wrong})") from wrong
    finally:
        connection.row_factory, connection.text_factory = None, str


def _load_state(connection: sqlite3.Connection, now_ms: int) -> HallState:
    state = HallState()
    since = now_ms - _RECENT_MS
    newest = connection.execute("SELECT coalesce(max(call_id), 0) FROM calls").fetchone()[0]
    # After a restore from a backup, numbers up to this may have been given (gateway/restore.py).
    floor = connection.execute("SELECT value FROM meta WHERE key = 'call_floor'").fetchone()
    state.last_task_id = int(
        connection.execute("SELECT coalesce(max(task_id), 0) FROM parking_tasks").fetchone()[0]
    )
    state.last_call_id = max(int(newest), int(floor[0]) if floor else 0)
    # Three indexed questions, not one with OR: that would read every call of all years.
    for row in connection.execute(
        "SELECT * FROM calls WHERE call_id IN (SELECT call_id FROM calls WHERE state <> 'CLOSED'"
        " UNION SELECT call_id FROM calls WHERE closed_ms >= ? UNION SELECT call_id FROM calls WHERE call_id > ?)"
        " ORDER BY call_id",
        (since, int(newest) - 20),
    ):
        call = Call(
            **{
                **dict(row),
                **{name: bool(row[name]) for name in ("claimed", "overdue", "delayed", "doubtful")},
            }
        )
        state.calls[call.call_id] = call
        state.newest_call[call.device_id] = call.call_id
    for row in connection.execute("SELECT * FROM devices"):
        device = Device(**{**dict(row), "lamp": bool(row["lamp"])})
        state.devices[device.device_id] = device
    for row in connection.execute(
        "SELECT zone_id, name_zh, name_en, free, taken, unknown, closed, since_ms, turns FROM zones"
    ):
        state.zones[row["zone_id"]] = Zone(**dict(row))
    for row in connection.execute("SELECT * FROM bays"):
        state.bays[row["bay_id"]] = Bay(**dict(row))
    for row in connection.execute("SELECT * FROM panels"):
        state.shown[row["panel"]] = ShowCount(**{**dict(row), "certain": bool(row["certain"])})
    # Presses stay on disk: the loop asks for a key that it does not know (find_press), and a start would read
    # the presses of all years to find those of a day.
    for row in connection.execute("SELECT key, call_id FROM order_keys WHERE at_ms >= ?", (since,)):
        state.order_keys[row["key"]] = row["call_id"]
    for row in connection.execute(
        "SELECT timer_id, kind, subject, set_ms, after_ms, by_wall FROM timers ORDER BY due_ms"
    ):
        state.timers[row["timer_id"]] = TimerSet(**{**dict(row), "by_wall": bool(row["by_wall"])})
    for name, table in _TABLES.items():
        for found in connection.execute(table.load):
            one = table.read(found)
            state.tables[name][one.key] = one
    state.frame = _load_frame(connection)
    secret = connection.execute("SELECT value FROM meta WHERE key = 'link_secret'").fetchone()
    state.link_secret = str(secret[0]) if secret else ""
    last = connection.execute("SELECT at_ms FROM journal ORDER BY line_id DESC LIMIT 1").fetchone()
    state.newest_ms = max(last["at_ms"] if last else 0, state.frame.at_ms if state.frame else 0)
    return state


def find_press(connection: sqlite3.Connection, device_id: str, press_id: str) -> tuple[int, int] | None:
    """The call and the time of a press written long ago, by its key. None: unknown, or the disk cannot tell."""
    try:
        row = connection.execute(
            "SELECT call_id, at_ms FROM presses WHERE device_id = ? AND press_id = ?", (device_id, press_id)
        ).fetchone()
    except sqlite3.Error:
        return None  # a disk that cannot be read must not hide a press: it alarms, and the write says what is wrong
    return None if row is None else (int(row[0]), int(row[1]))


def newest_press(connection: sqlite3.Connection, device_id: str, boot: str) -> int | None:
    """How far one of our buttons has counted in this life, on disk; -1: not begun. None: the disk cannot tell."""
    try:
        row = connection.execute(
            "SELECT coalesce(max(CAST(substr(press_id, ?) AS INTEGER)), -1) FROM presses"
            " WHERE device_id = ? AND press_id >= ? AND press_id < ?",  # ";" is the sign after ":"
            (len(boot) + 2, device_id, f"{boot}:", f"{boot};"),
        ).fetchone()
    except sqlite3.Error:
        return None
    return int(row[0])

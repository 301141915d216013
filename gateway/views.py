"""What the gateway shows to others: its values as JSON, and read-only questions to gateway.db.

The kiosk and the bridge use the questions; the loop uses the same shapes for its live facts, so that a screen
cannot tell whether it was told or has read.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import fields
from typing import Any, TypeVar, get_type_hints

from devices import paths
from devices.messages import ShowCount
from gateway import journal as journal_lines
from gateway.hall import supervision, upkeep
from gateway.hall.rows import Care, Path, Row, Voice
from gateway.hall.state import Bay, Call, Device, Zone

Json = dict[str, object]
R = TypeVar("R", bound=Row)


def call_json(call: Call, written: bool = True) -> Json:
    """docs/protocol.md, "call"."""
    return {
        "call_id": call.call_id,
        "state": call.state,
        "kind": call.kind,
        "device_id": call.device_id,
        "device_name": call.device_name,
        "claimed": call.claimed,
        "place": call.place,
        "person": call.person,
        "presses": call.presses,
        "button": call.button,
        "opened_ms": call.opened_ms,
        "last_press_ms": call.last_press_ms,
        "accepted_ms": call.accepted_ms,
        "accepted_by": call.accepted_by,
        "closed_ms": call.closed_ms,
        "closed_by": call.closed_by,
        "outcome": call.outcome,
        "note": call.note,
        "overdue": call.overdue,
        "delayed": call.delayed,
        "doubtful": call.doubtful,
        "person_id": call.person_id,
        "turn": call.turn,
        "step": call.step,
        "acts": call.acts,
        "arrived_ms": call.arrived_ms,
        "arrived_by": call.arrived_by,
        # What is not on disk is told to no lamp.
        "heard": call.heard if written else "",
        "coming": call.coming if written else "",
        "repeats": call.repeats,
        "written": written,
    }


def device_json(device: Device) -> Json:
    """docs/protocol.md, "device"."""
    return {
        "device_id": device.device_id,
        "kind": device.kind,
        "family": device.family,
        "model": device.model,
        "name": device.name,
        "call_kind": device.call_kind,
        "place": device.place,
        "person": device.person,
        "person_id": device.person_id,
        "bay_id": device.bay_id,
        "zone_id": device.zone_id,
        "lamp": device.lamp,
        "battery_pct": device.battery_pct,
        "health": device.health,
        "why_zh": device.why_zh,
        "why_en": device.why_en,
        "first_seen_ms": device.first_seen_ms,
        "last_seen_ms": device.last_seen_ms,
    }


def row_json(row: Row) -> Json:
    """A row of hall/rows.py: its fields by name, without medical notes: each look at those is written down first."""
    return {one.name: getattr(row, one.name) for one in fields(row) if one.name != "medical"}


def bay_json(bay: Bay) -> Json:
    """docs/protocol.md, "bay"."""
    return {
        "bay_id": bay.bay_id,
        "zone_id": bay.zone_id,
        "state": bay.state,
        "device_id": bay.device_id,
        "since_ms": bay.since_ms,
        "last_seen_ms": bay.last_seen_ms,
    }


def zone_json(zone: Zone) -> Json:
    """docs/protocol.md, "zone"."""
    return {
        "zone_id": zone.zone_id,
        "name_zh": zone.name_zh,
        "name_en": zone.name_en,
        "free": zone.free,
        "taken": zone.taken,
        "unknown": zone.unknown,
        "closed": zone.closed,
        "total": zone.total,
        "since_ms": zone.since_ms,
    }


def panel_json(count: ShowCount) -> Json:
    """What a panel shows, as it is told over MQTT."""
    return {
        "panel": count.panel,
        "text": count.text,
        "free": count.free,
        "taken": count.taken,
        "unknown": count.unknown,
        "closed": count.closed,
        "total": count.total,
        "certain": count.certain,
        "since_ms": count.since_ms,
        "level": count.level,
        "reserved": count.reserved,
        "number": count.number,
        "arrow": count.arrow,
        "text_en": count.text_en,
    }


def zones(connection: sqlite3.Connection) -> list[Json]:
    """All zones with their counts, by id."""
    return _rows(connection, "SELECT * FROM zones ORDER BY zone_id")


def bays(connection: sqlite3.Connection) -> list[Json]:
    """All bays, by zone and id."""
    return _rows(connection, "SELECT * FROM bays ORDER BY zone_id, bay_id")


def panels(connection: sqlite3.Connection) -> list[Json]:
    """What each panel is to show."""
    return _rows(connection, "SELECT * FROM panels ORDER BY panel")


def open_calls(connection: sqlite3.Connection) -> list[Json]:
    """Calls that wait for a person, oldest first."""
    return _rows(connection, "SELECT *, 1 AS written FROM calls WHERE state <> 'CLOSED' ORDER BY call_id")


def devices(connection: sqlite3.Connection) -> list[Json]:
    """All devices, by id."""
    return _rows(connection, "SELECT * FROM devices ORDER BY device_id")


#: What is wrong with a device, the worst first; "" is nothing.
TROUBLES = ("fault", "offline", "silent", "path", "battery_overdue", "low_battery", "test_due", "")


def fleet(connection: sqlite3.Connection, now_ms: int) -> list[Json]:
    """Devices that somebody relies on, worst first: what is wrong with each, until when it may be silent, who answers.

    ``trouble`` is a word of TROUBLES; ``deadline_ms`` how long it may be silent (0: for ever); ``path`` the bridge
    behind which it stands, if that is down. ``last_seen_ms`` may be a quarter of an hour old.
    """
    care = {str(row["device_id"]): Care(**row) for row in _dicts(connection, "SELECT * FROM device_care")}
    voices = {str(row["device_id"]): Voice(**row) for row in _dicts(connection, "SELECT * FROM voices")}
    broken = [Path(**row) for row in _dicts(connection, "SELECT * FROM paths WHERE state = 'down'")]
    beating = sum(
        paths.beats(str(row["path_id"]))
        for row in _dicts(connection, "SELECT path_id FROM paths WHERE state = 'up'")
    )
    people = {
        str(row["person_id"]): str(row["name"])
        for row in _dicts(connection, "SELECT person_id, name FROM people")
    }
    answer: list[Json] = []
    for row in _dicts(connection, "SELECT * FROM devices WHERE kind NOT IN ('unclaimed', 'ignored')"):
        device = Device(**{**row, "lamp": bool(row["lamp"])})
        its_care, voice = care.get(device.device_id), voices.get(device.device_id) or Voice(device.device_id)
        path = next(
            (
                one.path_id
                for one in broken
                if paths.behind(one.path_id, device.family, voice.via)
                and not (beating and paths.beats(one.path_id))  # another radio gateway hears it
            ),
            "",
        )
        test_due_ms = upkeep.test_due_ms(device, its_care)
        its_care = its_care or Care(device.device_id)
        trouble: str = device.health if device.health != "ok" else "path" if path else ""
        if its_care.fault == "battery_overdue" and trouble == "low_battery":
            trouble = "battery_overdue"
        if not trouble and 0 < test_due_ms <= now_ms:
            trouble = "test_due"
        answer.append(
            {
                **device_json(device),
                "person": people.get(device.person_id) or device.person,
                "trouble": trouble,
                "path": path,
                "deadline_ms": supervision.deadline_ms(device, its_care),
                "test_due_ms": test_due_ms,
                "answers": voice.answers or ("own" if ":" not in device.device_id else ""),
                "means": voice.means,
                "part": voice.part,
                **{
                    name: getattr(its_care, name)
                    for name in (
                        "silent_after_ms",
                        "battery_low_ms",
                        "battery_changed_ms",
                        "tested_ms",
                        "test_every_d",
                        "test_until_ms",
                        "fault",
                        "fault_since_ms",
                    )
                },
            }
        )
    answer.sort(key=lambda one: (TROUBLES.index(str(one["trouble"])), str(one["place"]), str(one["name"])))
    return answer


def journal(connection: sqlite3.Connection, limit: int = 100) -> list[Json]:
    """The newest lines of the journal, newest first."""
    return _rows(connection, "SELECT * FROM journal ORDER BY line_id DESC LIMIT ?", (limit,))


def journal_from(
    connection: sqlite3.Connection, first_ms: int
) -> Iterator[tuple[int, int, int, str, str, str, str]]:
    """The journal's lines from that time on, as `gateway.hall.figures.stories` reads them."""
    return journal_lines.lines(connection, first_ms)


def table(connection: sqlite3.Connection, kind: type[R]) -> dict[Any, R]:
    """All rows of one table of hall/rows.py, by key: as the rules have them in memory."""
    read = _reader(kind)
    names = [one.name for one in fields(kind)]
    found = (
        kind(**{name: read[name](value) for name, value in zip(names, values, strict=True)})
        for values in connection.execute(f"SELECT {','.join(names)} FROM {kind.TABLE}")
    )
    return {row.key: row for row in found}


#: table → how each of its columns becomes a field's value; worked out once
_READERS: dict[str, dict[str, Any]] = {}


def _reader(kind: type[Row]) -> dict[str, Any]:
    if kind.TABLE in _READERS:
        return _READERS[kind.TABLE]
    hints = get_type_hints(kind)

    def of(hint: object) -> Any:
        if str(hint).startswith("tuple"):
            return lambda value: _tuples(json.loads(value))
        return bool if hint is bool else (lambda value: value)

    _READERS[kind.TABLE] = {one.name: of(hints[one.name]) for one in fields(kind)}
    return _READERS[kind.TABLE]


def _tuples(value: Any) -> Any:
    return tuple(_tuples(one) for one in value) if isinstance(value, list) else value


def _dicts(connection: sqlite3.Connection, question: str) -> list[dict[str, Any]]:
    """As :func:`_rows`, for making a dataclass of."""
    return [dict(row) for row in _rows(connection, question)]


def _rows(connection: sqlite3.Connection, question: str, with_: tuple[object, ...] = ()) -> list[Json]:
    cursor = connection.execute(question, with_)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]

"""Read-only questions about one call and all who have to do with it: what the responder's screen shows.

The kiosk asks gateway.db; the loop has no part in it. Nothing here reads every call or every line of the journal: a
hall runs for years, and this screen opens while somebody waits. Medical notes are in no answer but `medical_notes`.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from typing import Any

from gateway.hall.kinds import DEFAULTS
from gateway.hall.rows import Kind
from gateway.views import row_json

Json = dict[str, Any]

#: How far back "earlier calls" looks: a busy hall's year and more. 20,000 calls are 5 MB of the notebook, read in
#: 10 ms from memory and in some 100 ms from a Pi's card.
CALLS_BACK = 20_000
#: How far back the lines of one call's journal are looked for: weeks; an older call shows its own times only.
LINES_BACK = 20_000
EARLIER, NEIGHBOURS = 10, 8

_FLAGS = ("claimed", "overdue", "delayed", "doubtful", "meal_free", "active", "lamp", "enabled")
#: What of a person this screen shows. `medical` is not among it.
_PERSON = (
    "person_id, name, phone, grid, building, unit, room, place, access, key_holder, key_holder_phone, family,"
    " family_phone, note, paused_until_ms, paused_why, active, medical <> '' AS has_medical"
)


def kinds(connection: sqlite3.Connection) -> list[Json]:
    """All kinds of call, those of the notebook before those a hall begins with, in the console's order."""
    merged = {word: row_json(kind) for word, kind in DEFAULTS.items()}
    for row in _rows(connection, "SELECT * FROM kinds"):
        merged[row["kind"]] = {**row, "ladder": json.loads(row["ladder"]), "outcomes": json.loads(row["outcomes"])}
    return sorted(merged.values(), key=lambda one: (one["position"], one["kind"]))


def default_kinds() -> list[Json]:
    """What a hall begins with, for when its notebook cannot be read."""
    return [row_json(one) for one in sorted(DEFAULTS.values(), key=_position)]


def _position(kind: Kind) -> int:
    return kind.position


def call_story(connection: sqlite3.Connection, call_id: int) -> Json | None:
    """Everything about one call but medical notes. None: the notebook knows no such call."""
    found = _rows(connection, "SELECT *, 1 AS written FROM calls WHERE call_id = ?", (call_id,))
    if not found:
        return None
    call = {**found[0], "written": True}
    helpers = {one["helper_id"]: one for one in _rows(connection, "SELECT * FROM helpers")}
    return {
        "call": call,
        **around(connection, call),
        "earlier": earlier(connection, call),
        "steps": [_step(one, helpers) for one in _of_call(connection, "call_steps", call_id, "turn, step, at_ms")],
        "messages": [_message(one, helpers) for one in _of_call(connection, "messages", call_id, "created_ms")],
        "timers": {
            row["kind"]: row["due_ms"]
            for row in _rows(
                connection, "SELECT kind, due_ms FROM timers WHERE subject = ?", (f"call:{call_id}",)
            )
        },
        "lines": _rows(
            connection,
            "SELECT at_ms, event, actor, detail FROM"
            " (SELECT * FROM journal ORDER BY line_id DESC LIMIT ?) WHERE subject = ? ORDER BY line_id",
            (LINES_BACK, f"call:{call_id}"),
        ),
    }


def around(connection: sqlite3.Connection, call: Json) -> Json:
    """Whose call it is, what devices that person has, who lives beside. For a call that is not on disk yet, too."""
    person_id = str(call.get("person_id") or "")
    if not person_id and call["state"] != "CLOSED":  # a device may have come to somebody else since
        tied = _rows(connection, "SELECT person_id FROM devices WHERE device_id = ?", (call["device_id"],))
        person_id = tied[0]["person_id"] if tied else ""
    people = _rows(connection, f"SELECT {_PERSON} FROM people WHERE person_id = ?", (person_id,))
    person = people[0] if people and person_id else None
    devices = _rows(
        connection,
        "SELECT d.*, coalesce(c.fault, '') AS fault FROM devices d LEFT JOIN device_care c USING (device_id)"
        " WHERE d.device_id = ? OR (d.person_id = ? AND d.person_id <> '') ORDER BY d.device_id",
        (call["device_id"], person_id),
    )
    return {"person": person, "devices": devices, "neighbours": _neighbours(connection, person)}


def _neighbours(connection: sqlite3.Connection, person: Json | None) -> list[Json]:
    """Who lives in the same building, those of the same unit first."""
    if person is None or not person["building"]:
        return []
    return _rows(
        connection,
        "SELECT person_id, name, phone, unit, room, place, unit = :unit AS same_unit FROM people"
        " WHERE building = :building AND grid = :grid AND person_id <> :person_id AND active AND phone <> ''"
        f" ORDER BY same_unit DESC, unit, room LIMIT {NEIGHBOURS}",
        {name: person[name] for name in ("unit", "building", "grid", "person_id")},
    )


def earlier(connection: sqlite3.Connection, call: Json) -> list[Json]:
    """The last closed calls of this person, or of this device where nobody is named, newest first."""
    person_id = str(call.get("person_id") or "")
    whose = "person_id = :person_id" if person_id else "device_id = :device_id"
    return _rows(
        connection,
        "SELECT call_id, kind, opened_ms, closed_ms, outcome, closed_by, note, presses, device_name FROM calls"
        f" WHERE call_id < :call_id AND call_id >= :call_id - {CALLS_BACK} AND {whose} AND state = 'CLOSED'"
        f" ORDER BY call_id DESC LIMIT {EARLIER}",
        {"call_id": call["call_id"], "person_id": person_id, "device_id": call["device_id"]},
    )


def medical_notes(connection: sqlite3.Connection, person_id: str) -> str:
    """Only after `look_at_medical` was answered "written"."""
    found = connection.execute("SELECT medical FROM people WHERE person_id = ?", (person_id,)).fetchone()
    return "" if found is None else str(found[0])


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which calls the history shows; an empty field asks for nothing. Times: from (included) to (not included)."""

    from_ms: int = 0
    to_ms: int = 2**62
    kind: str = ""
    outcome: str = ""
    words: str = ""


def calls_wanted(connection: sqlite3.Connection, wanted: Wanted, most: int, before: int = 2**62) -> list[Json]:
    """The newest ``most`` such calls with a smaller number than ``before``, newest first.

    :param wanted: ``words`` are looked for in person, place, device and its id, in the staff who took part, and as
        the call's number. ``outcome`` "open" asks for calls that have none yet.
    """
    asked: list[object] = [before, wanted.from_ms, wanted.to_ms]
    where = "call_id < ? AND opened_ms >= ? AND opened_ms < ?"
    if wanted.kind:
        where, asked = f"{where} AND kind = ?", [*asked, wanted.kind]
    if wanted.outcome == "open":
        where += " AND state <> 'CLOSED'"
    elif wanted.outcome:
        where, asked = f"{where} AND outcome = ?", [*asked, wanted.outcome]
    if wanted.words:
        columns = ("person", "place", "device_name", "device_id", "accepted_by", "closed_by", "arrived_by")
        like = " OR ".join(f"instr(lower(coalesce({name}, '')), lower(?))" for name in columns)
        where = f"{where} AND ({like} OR CAST(call_id AS TEXT) = ?)"
        asked += [wanted.words] * (len(columns) + 1)
    question = f"SELECT * FROM calls WHERE {where} ORDER BY call_id DESC LIMIT ?"
    return _rows(connection, question, (*asked, most))


def people_like(connection: sqlite3.Connection, words: str, most: int = 12) -> list[Json]:
    """People whose name, home or telephone holds these words, by home. No notes of any kind."""
    columns = ("name", "place", "room", "phone", "building", "building || unit || room")
    like = " OR ".join(f"instr(lower({name}), lower(:words))" for name in columns)
    return _rows(
        connection,
        "SELECT person_id, name, phone, grid, building, unit, room, place FROM people"
        f" WHERE active AND ({like}) ORDER BY building, unit, room, name LIMIT :most",
        {"words": words, "most": most},
    )


def companion_of(connection: sqlite3.Connection, device_id: str) -> str:
    """The siren or lamp that answers for this device; "" where none does, or the device answers by itself."""
    found = connection.execute("SELECT answers FROM voices WHERE device_id = ?", (device_id,)).fetchone()
    return "" if found is None or found[0] == "own" else str(found[0])


def device_lines(connection: sqlite3.Connection, device_id: str) -> list[Json]:
    """The presses of one device as the journal has them, newest first: a wizard shows what has just been said."""
    return _rows(
        connection,
        "SELECT at_ms, event, subject, detail FROM (SELECT * FROM journal ORDER BY line_id DESC LIMIT 2000)"
        " WHERE actor = ? AND subject LIKE 'call:%' ORDER BY line_id DESC LIMIT 10",
        (device_id,),
    )


def _of_call(connection: sqlite3.Connection, table: str, call_id: int, order: str) -> list[Json]:
    return _rows(connection, f"SELECT * FROM {table} WHERE call_id = ? ORDER BY {order}", (call_id,))


def _step(row: Json, helpers: dict[str, Json]) -> Json:
    return {**row, "helpers": [_helper(one, helpers) for one in json.loads(row["helpers"])]}


def _message(row: Json, helpers: dict[str, Json]) -> Json:
    """Without its address: a webhook's address is a key to somebody's group."""
    way = str(row.pop("channel")).partition(":")[0]
    row.pop("text")
    return {**row, "way": way, "helper": _helper(row["helper_id"], helpers)}


def _helper(helper_id: str, helpers: dict[str, Json]) -> Json:
    one = helpers.get(helper_id, {})
    return {name: one.get(name, "") for name in ("name", "role", "phone")} | {"helper_id": helper_id}


def _rows(
    connection: sqlite3.Connection, question: str, with_: tuple[object, ...] | dict[str, object] = ()
) -> list[Json]:
    cursor = connection.execute(question, with_)
    names = [column[0] for column in cursor.description]
    flags = [at for at, name in enumerate(names) if name in _FLAGS or name.startswith(("has_", "same_"))]
    rows: list[Json] = []
    for found in cursor:
        row = dict(zip(names, found, strict=True))
        for at in flags:
            row[names[at]] = bool(found[at])
        rows.append(row)
    return rows

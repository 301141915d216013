"""Questions to gateway.db about messages and their links: for the herald and the page of a link."""

from __future__ import annotations

import sqlite3

from gateway.views import Json


def queued_messages(connection: sqlite3.Connection) -> list[Json]:
    """For the herald: what waits to be sent, oldest first, with how its call stands (null: there is no such call)."""
    return _rows(
        connection,
        "SELECT m.*, c.state AS call_state, c.kind AS call_kind FROM messages m LEFT JOIN calls c USING (call_id)"
        " WHERE m.state = 'queued' ORDER BY m.created_ms, m.message_id",
    )


def helpers_by_network(connection: sqlite3.Connection) -> bool:
    """For the herald: whether any helper has an address of apprise's."""
    question = "SELECT 1 FROM helpers WHERE active AND channels LIKE '%://%' LIMIT 1"
    return connection.execute(question).fetchone() is not None


def messages_to_answer(connection: sqlite3.Connection, since_ms: int) -> list[Json]:
    """For the herald: who may answer by a short message: what was to go out to whom, newest first; also of calls that
    somebody has taken or closed since, so that the answer can say so. ``state`` is the message's: whether it has gone
    out, herald.db may know earlier."""
    return _rows(
        connection,
        "SELECT m.message_id, m.call_id, m.turn, m.helper_id, m.channel, m.created_ms, m.state,"
        " h.name AS helper, h.phone,"
        " c.state AS call_state, c.place, c.device_name FROM messages m JOIN helpers h USING (helper_id)"
        " JOIN calls c USING (call_id) WHERE m.created_ms >= ? AND h.active AND m.state <> 'failed'"
        " ORDER BY m.created_ms DESC, m.message_id DESC LIMIT 500",
        (since_ms,),
    )


def for_helper(
    connection: sqlite3.Connection, call_id: int, helper_id: str
) -> tuple[Json, Json, Json] | None:
    """For the page of a signed link: the call, the helper, and whom it is about ({}: not known). No medical notes.

    None: there is no such call or helper (any more).
    """
    calls = _rows(connection, "SELECT * FROM calls WHERE call_id = ?", (call_id,))
    helpers = _rows(
        connection,
        "SELECT helper_id, name, role, phone, active FROM helpers WHERE helper_id = ?",
        (helper_id,),
    )
    if not calls or not helpers:
        return None
    people = _rows(
        connection,
        "SELECT name, phone, grid, building, unit, room, place, access, key_holder, key_holder_phone, family,"
        " family_phone FROM people WHERE person_id = ? AND person_id <> ''",
        (str(calls[0]["person_id"]),),
    )
    return calls[0], helpers[0], people[0] if people else {}


def kind_names(connection: sqlite3.Connection) -> dict[str, tuple[str, str]]:
    """What the hall calls its kinds of call, as far as it has changed them: word → (Chinese, English)."""
    return {
        str(row["kind"]): (str(row["name_zh"]), str(row["name_en"]))
        for row in _rows(connection, "SELECT kind, name_zh, name_en FROM kinds")
    }


def link_secret(connection: sqlite3.Connection) -> str:
    """What the links in messages are signed with; "" in a notebook that has none yet. Never shown to anybody."""
    rows = _rows(connection, "SELECT value FROM meta WHERE key = 'link_secret'")
    return str(rows[0]["value"]) if rows else ""


def _rows(connection: sqlite3.Connection, question: str, with_: tuple[object, ...] = ()) -> list[Json]:
    cursor = connection.execute(question, with_)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]

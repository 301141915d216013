"""Read-only questions to gateway.db about visits and meals: for the console's pages and for the kitchen's slips.

What comes back knows people: these are for whoever has signed in, and for the kitchen's paper.
"""

from __future__ import annotations

import sqlite3
from dataclasses import fields

from gateway.hall.rows import Visit

Json = dict[str, object]

_WHO = (
    "coalesce(p.name, '') AS name, coalesce(p.phone, '') AS phone, coalesce(p.building, '') AS building,"
    " coalesce(p.unit, '') AS unit, coalesce(p.room, '') AS room, coalesce(p.place, '') AS place"
)


def open_visits(connection: sqlite3.Connection) -> list[Json]:
    """All visits that wait for somebody, with whose door it is; what is due first comes first."""
    return _rows(
        connection,
        f"SELECT v.*, {_WHO}, coalesce(h.stirred_ms, 0) AS stirred_ms, coalesce(h.seen_ms, 0) AS seen_ms"
        " FROM visits v LEFT JOIN people p USING (person_id) LEFT JOIN hearths h USING (person_id)"
        " WHERE v.state IN ('due', 'missed') ORDER BY v.due_ms, p.building, p.unit, p.room, v.visit_id",
    )


def visits_done_since(connection: sqlite3.Connection, since_ms: int, limit: int = 200) -> list[Json]:
    """What was written down since then, newest first: so that a slip of the finger can be taken back."""
    return _rows(
        connection,
        f"SELECT v.*, {_WHO} FROM visits v LEFT JOIN people p USING (person_id)"
        " WHERE v.state = 'done' AND v.written_ms >= ? ORDER BY v.written_ms DESC LIMIT ?",
        (since_ms, limit),
    )


def visits_of(connection: sqlite3.Connection, person_id: str, limit: int = 200) -> list[Json]:
    """One person's visits, newest first."""
    return _rows(
        connection,
        "SELECT * FROM visits WHERE person_id = ? ORDER BY opened_ms DESC, visit_id LIMIT ?",
        (person_id, limit),
    )


def cared_for(connection: sqlite3.Connection, person_id: str) -> Json | None:
    """One person, as far as a visit needs to know: nothing of health. With what is known of life in the home."""
    found = _rows(
        connection,
        f"SELECT p.person_id, {_WHO}, p.grid, p.access, p.key_holder, p.key_holder_phone, p.visit_tier,"
        " p.quiet_after_h, p.paused_until_ms, p.paused_why, p.meal_free, p.active,"
        " coalesce(h.stirred_ms, 0) AS stirred_ms, coalesce(h.seen_ms, 0) AS seen_ms"
        " FROM people p LEFT JOIN hearths h USING (person_id) WHERE p.person_id = ?",
        (person_id,),
    )
    return found[0] if found else None


def active_people(connection: sqlite3.Connection) -> list[Json]:
    """Whom a visit may be opened for, or a meal ordered: by building, unit and room."""
    return _rows(
        connection,
        f"SELECT p.person_id, {_WHO}, p.grid, p.visit_tier, p.meal_free FROM people p WHERE p.active = 1"
        " ORDER BY p.building, p.unit, p.room, p.name",
    )


def visits_between(connection: sqlite3.Connection, first_ms: int, after_ms: int) -> list[Visit]:
    """Visits that were due or made in this time, as rows: for the coverage report."""
    names = [one.name for one in fields(Visit)]
    found = connection.execute(
        f"SELECT {','.join(names)} FROM visits WHERE (due_ms > ?1 AND due_ms <= ?2)"
        " OR (state = 'done' AND done_ms >= ?1 AND done_ms < ?2)",
        (first_ms, after_ms),
    )
    return [Visit(*row) for row in found]


def menus(connection: sqlite3.Connection, first_day: str, last_day: str) -> list[Json]:
    """The menus of these days, both included."""
    return _rows(
        connection,
        "SELECT * FROM menus WHERE day BETWEEN ? AND ? ORDER BY day, cutoff_min",
        (first_day, last_day),
    )


def meal_orders(connection: sqlite3.Connection, first_day: str, last_day: str = "9999") -> list[Json]:
    """Meals of these days with whose door they are for, by meal and building."""
    return _rows(
        connection,
        f"SELECT o.*, {_WHO}, c.place AS call_place, c.person AS call_person, c.presses,"
        " coalesce(p.meal_free, 0) AS meal_free"
        " FROM meal_orders o LEFT JOIN people p USING (person_id) LEFT JOIN calls c USING (call_id)"
        " WHERE o.day BETWEEN ? AND ? ORDER BY o.day, o.meal, p.building, p.unit, p.room, o.call_id",
        (first_day, last_day),
    )


def meal_questions(connection: sqlite3.Connection) -> list[Json]:
    """Presses for a meal that ordered nothing and wait for a person."""
    return _rows(
        connection,
        "SELECT * FROM calls WHERE kind = 'meal' AND state <> 'CLOSED'"
        " AND call_id NOT IN (SELECT call_id FROM meal_orders WHERE state = 'ordered') ORDER BY call_id",
    )


def kinds_by_hand(connection: sqlite3.Connection) -> dict[str, tuple[str, str, bool]]:
    """Kinds of call that the hall has changed or added: word → (Chinese, English, in use)."""
    rows = connection.execute("SELECT kind, name_zh, name_en, enabled FROM kinds")
    return {row[0]: (row[1], row[2], bool(row[3])) for row in rows}


def _rows(connection: sqlite3.Connection, question: str, with_: tuple[object, ...] = ()) -> list[Json]:
    cursor = connection.execute(question, with_)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]

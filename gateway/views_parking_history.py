"""Read-only questions about what the bays have done: their moves in the order in which they came.

``bay_moves`` has no index besides its number: one would cost a third of the file again. Rows come in the order of time,
so the first one of a moment is found by halving (some 25 rows are read of 16 million).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

#: Rows fetched at once.
AT_ONCE = 20_000

#: (bay, state, when in UTC milliseconds)
Move = tuple[str, str, int]


def oldest_ms(connection: sqlite3.Connection) -> int | None:
    """When the oldest move that is kept was made; None: there is none."""
    row = connection.execute("SELECT at_ms FROM bay_moves ORDER BY move_id LIMIT 1").fetchone()
    return None if row is None else int(row[0])


def first_from(connection: sqlite3.Connection, at_ms: int) -> int:
    """The number of the first move at or after that moment; one more than the newest where there is none.

    Moves of a wrong clock lie between right ones. Halving may then end beside the place by as many rows as those were.
    """
    low, high = connection.execute(
        # Two questions: asked as one, SQLite would read every row.
        "SELECT coalesce((SELECT min(move_id) FROM bay_moves), 0),"
        " coalesce((SELECT max(move_id) FROM bay_moves), 0) + 1"
    ).fetchone()
    while low < high:
        middle = (low + high) // 2
        row = connection.execute(
            "SELECT move_id, at_ms FROM bay_moves WHERE move_id >= ? ORDER BY move_id LIMIT 1", (middle,)
        ).fetchone()
        if row is None or row[1] >= at_ms:
            high = middle
        else:
            low = row[0] + 1
    return int(low)


def moves(connection: sqlite3.Connection, from_ms: int) -> Iterator[Move]:
    """Every move at or after that moment, as it came."""
    rows = connection.execute(
        "SELECT bay_id, state, at_ms FROM bay_moves WHERE move_id >= ? ORDER BY move_id",
        (first_from(connection, from_ms),),
    )
    while batch := rows.fetchmany(AT_ONCE):
        yield from batch


def gaps(connection: sqlite3.Connection, from_ms: int) -> list[tuple[int, int]]:
    """When the gateway was off, from that moment on: (from, until), in order."""
    found = connection.execute(
        "SELECT from_ms, until_ms FROM parking_gaps WHERE until_ms > ? ORDER BY from_ms", (from_ms,)
    )
    return [(int(begin), int(end)) for begin, end in found]


def bays_now(connection: sqlite3.Connection) -> dict[str, tuple[str, str, int]]:
    """Bay → (its zone, its state, since when)."""
    return {
        bay_id: (zone_id, state, since_ms)
        for bay_id, zone_id, state, since_ms in connection.execute(
            "SELECT bay_id, zone_id, state, since_ms FROM bays"
        )
    }

"""The kitchen's paper: each meal that the gateway has written becomes one slip, and one more when it is given back.

Theory of operation. The gateway's doorbell says that a meal order has changed; one thread reads gateway.db and hands
what the kitchen has not been told to the writer. The slip and the mark that it was told are one transaction, so a kill
at any moment neither loses a slip nor prints it twice. The doorbell may be missed (the kiosk was away, the file could
not be read): the thread looks again by itself, and at its start.
"""

from __future__ import annotations

import json
import logging
import sqlite3
from datetime import datetime
from typing import Any

from devices.faults import NotWritten
from gateway import views_care
from gateway.hall.rows import MealOrder
from gateway.log import say_once
from kiosk.core import Core
from kiosk.rounds import Rounds
from kiosk.rules import kitchen

#: A doorbell that was missed costs at most this (our choice; a cut-off is hours before the meal).
LOOK_AGAIN_S = 30.0
#: How soon a file or a disk that refused is tried again.
TRY_AGAIN_S = 2.0
#: A slip in the kitchen has a printer of its own where hall.toml names one so.
PRINTER = "kitchen"

Json = dict[str, Any]


class Kitchen(Rounds):
    """The thread that tells the kitchen; the gateway's news of a meal is its bell."""

    def __init__(self, core: Core) -> None:
        super().__init__("kitchen")
        self._core = core
        core.link.on_row(MealOrder.TABLE, self.bell.set)

    def round(self) -> float:
        try:
            tell(self._core)
        except (NotWritten, sqlite3.Error) as wrong:
            say_once(
                f"kitchen:{type(wrong).__name__}",
                "kitchen_waits",
                f"meals cannot be put on the kitchen's paper just now ({wrong}): the orders stand in the console's "
                "list of meals; it is tried again every two seconds",
                level=logging.WARNING,
            )
            return TRY_AGAIN_S
        return LOOK_AGAIN_S


def printer_of(core: Core) -> str:
    """Where the kitchen's slips come out; "" in a hall without a printer."""
    ids = [one.id for one in core.house.plan.printers]
    return PRINTER if PRINTER in ids else ids[0] if ids else ""


def tell(core: Core) -> int:
    """Put on paper what the kitchen does not know yet; how many slips that were.

    Meals of today and later: yesterday's are eaten, whatever was missed.

    :raises NotWritten: gateway.db or kiosk.db cannot be read or written; nothing is half done.
    """
    printer = printer_of(core)
    if not printer:
        return 0
    now_ms = core.now_ms()
    today = datetime.fromtimestamp(now_ms / 1000, core.zone).date().isoformat()
    orders = views_care.meal_orders(core.gateway_reader(), today)
    told = {(row[0], row[1]): str(row[2]) for row in _told(core.reader(), orders)}
    news = [one for one in orders if _is_news(one, told.get((one["call_id"], one["ordered_ms"])))]
    if not news:
        return 0
    return core.writer.write(lambda notebook: sum(_put(core, notebook, one, printer, now_ms) for one in news))


def _told(connection: sqlite3.Connection, orders: list[Json]) -> list[Any]:
    if not orders:
        return []
    first_ms = min(int(one["ordered_ms"]) for one in orders)
    return connection.execute(
        "SELECT call_id, ordered_ms, state FROM kitchen_slips WHERE ordered_ms >= ?", (first_ms,)
    ).fetchall()


def _is_news(order: Json, told: str | None) -> bool:
    """Told and given back, or given back by mistake and ordered again."""
    return told is None or (told, order["state"]) in (("told", "cancelled"), ("cancelled", "ordered"))


def _put(core: Core, notebook: sqlite3.Connection, order: Json, printer: str, now_ms: int) -> int:
    """In the writer's transaction: look once more, for another thread may have been here, and put it on paper."""
    key = (order["call_id"], order["ordered_ms"])
    row = notebook.execute(
        "SELECT state FROM kitchen_slips WHERE call_id = ? AND ordered_ms = ?", key
    ).fetchone()
    if not _is_news(order, None if row is None else str(row[0])):
        return 0
    cancelled = order["state"] == "cancelled"
    if cancelled and row is None:
        # Given back before the kitchen heard of it: there is nothing to take back.
        notebook.execute(
            "INSERT INTO kitchen_slips VALUES (?, ?, NULL, NULL, 'cancelled', ?)", (*key, now_ms)
        )
        return 0
    body = kitchen.compose(core.house.plan.hall, order, core.zone, cancelled=cancelled)
    slip_id = put_slip(notebook, printer, body, now_ms)
    if cancelled:
        notebook.execute(
            "UPDATE kitchen_slips SET state = 'cancelled', cancel_slip_id = ?, at_ms = ?"
            " WHERE call_id = ? AND ordered_ms = ?",
            (slip_id, now_ms, *key),
        )
    else:
        notebook.execute(
            "INSERT INTO kitchen_slips VALUES (?, ?, ?, NULL, 'told', ?) ON CONFLICT DO UPDATE"
            " SET state = 'told', slip_id = excluded.slip_id, cancel_slip_id = NULL, at_ms = excluded.at_ms",
            (*key, slip_id, now_ms),
        )
    return 1


def put_slip(notebook: sqlite3.Connection, printer: str, body: Json, now_ms: int) -> int:
    """One slip of the kind "kitchen" into the outbox of paper; its number."""
    cursor = notebook.execute(
        "INSERT INTO slips(printer, kind, body, created_ms) VALUES (?, 'kitchen', ?, ?)",
        (printer, json.dumps(body, ensure_ascii=False), now_ms),
    )
    return int(cursor.lastrowid or 0)

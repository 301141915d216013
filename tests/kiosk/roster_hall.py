"""A console's hall whose gateway keeps a real gateway.db by the real rules: what a page orders, a page then reads."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from devices.faults import OrderRefused
from gateway.hall.rows import Row
from gateway.hall.rules import obey
from gateway.hall.state import HallState
from gateway.notebook import Notebook
from gateway.store import write_changes
from gateway.views import row_json
from tests.kiosk.console_gateway import ConsoleGateway
from tests.kiosk.console_hall import ADMIN, ADMIN_PASSWORD, ROOT, STAFF, STAFF_PASSWORD, Client, ConsoleHall

Json = dict[str, Any]
#: Sunday, 22 November 2026, 10:00 in Shanghai
TEN_O_CLOCK_MS = 1_795_312_800_000
_FIRST = ("put_", "drop_", "look_")


class RuledGateway(ConsoleGateway):
    """The small gateway of the console's tests; orders about people and rosters go to the rules and to the disk."""

    def __init__(self, path: Path, now_ms: int, book: Notebook) -> None:
        self.book = book
        self.state = HallState(zone=ZoneInfo("Asia/Shanghai"))
        super().__init__(path, now_ms)

    def _answer(self, order: Json) -> Json:
        if not order["order"].startswith(_FIRST):
            return super()._answer(order)
        self.orders.append(order)
        fields = {key: value for key, value in order.items() if key not in ("id", "order")}
        try:
            decision = obey(self.state, order["order"], fields, self.now_ms)
        except OrderRefused as refused:
            return {"ok": False, "fault": "refused", "why_zh": refused.why_zh, "why_en": refused.why_en}
        self.book.write(lambda connection: write_changes(connection, decision.changes))
        self.state.begin()
        self.state.put(decision)
        self.state.keep()
        rows = [change for change in decision.changes if isinstance(change, Row)]
        return {"row": row_json(rows[-1])} if rows else {}

    def order(self, name: str, /, **fields: Any) -> Json:
        """As if a page had given it."""
        return self._answer({"id": "t", "order": name, "by": "test", **fields})


class RosterHall(ConsoleHall):
    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.clock.now_ms = TEN_O_CLOCK_MS
        self.gateway.close()
        self.book = Notebook(self.house.gateway_db, ROOT / "gateway" / "schema")
        self.ruled = RuledGateway(self.house.gateway_socket, TEN_O_CLOCK_MS, self.book)
        self.gateway = self.ruled
        stream = self.hub.stream("staff")
        while not self.link.connected:
            next(stream)
        stream.close()

    def empty(self) -> None:
        """Nobody, no roster, no call: as if new."""
        for name, table in self.ruled.state.tables.items():
            self.book.write(partial(_delete, name))
            table.clear()
        self.ruled.calls.clear()
        self.ruled.orders.clear()

    def admin(self) -> Client:
        return self.client(ADMIN, ADMIN_PASSWORD)

    def staff(self) -> Client:
        return self.client(STAFF, STAFF_PASSWORD)

    def journal(self) -> list[tuple[str, str, str]]:
        """What the gateway wrote down: event, subject, detail."""
        return [
            (event, subject, detail)
            for event, subject, detail in self.book.connection.execute(
                "SELECT event, subject, detail FROM journal ORDER BY line_id"
            )
        ]

    def close(self) -> None:
        super().close()
        self.book.close()


def _delete(table: str, connection: sqlite3.Connection) -> None:
    connection.execute(f"DELETE FROM {table}")


@contextmanager
def roster_hall(home: Path) -> Iterator[RosterHall]:
    """With an administrator and a member of staff, ended whatever happens."""
    hall = RosterHall(home)
    try:
        hall.make_admin()
        hall.make_staff()
        yield hall
    finally:
        hall.close()

"""All tables that are one dataclass each, by name. A new file of rows is named here."""

from __future__ import annotations

from gateway.hall import parking_rows, rows
from gateway.hall.rows import Row

TABLES: dict[str, type[Row]] = {table.TABLE: table for table in (*rows.ANSWERING, *parking_rows.TABLES)}

"""Figures of one day, by item: what was done, and what came to nothing. All else is in the console's figures."""

from __future__ import annotations

from typing import Any

from flask.typing import ResponseReturnValue

from kiosk import line
from kiosk.api_v1.door import asked_day, route
from kiosk.core import current_core

OUTCOMES = ("done", "no_show", "cancelled", "transferred")


@route(
    "GET",
    "/figures",
    "figures:read",
    "A day's outcomes by item, with mean waits and service times",
    {200: "Figures"},
    query={"day": {"type": "string", "format": "date"}},
)
def read_figures() -> ResponseReturnValue:
    core = current_core()
    day = asked_day(line.today(core))
    items: dict[str, dict[str, Any]] = {}
    for code, outcome, count, wait_ms, service_ms in core.reader().execute(
        "SELECT service_code, outcome, count(*), avg(wait_ms), avg(service_ms) FROM serves WHERE business_day = ?"
        " GROUP BY service_code, outcome ORDER BY service_code",
        (day,),
    ):
        item = items.setdefault(
            code,
            {"service": code, **dict.fromkeys(OUTCOMES, 0), "mean_wait_ms": None, "mean_service_ms": None},
        )
        item[outcome] = count
        if outcome == "done":
            item["mean_wait_ms"] = None if wait_ms is None else round(wait_ms)
            item["mean_service_ms"] = None if service_ms is None else round(service_ms)
    return {"day": day, "items": list(items.values())}

"""What the console shows, as JSON facts; and what of it a locked screen may show.

The page is drawn from these by scripts. Words are not here: they are in ``words.py``.
"""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from devices.faults import NotWritten
from devices.plan import Panel, Printer
from kiosk import line
from kiosk.core import Core
from kiosk.health import bridge_part, kiosk_part, message_parts, slips_part, voice_part
from kiosk.parking_tasks import task_box
from kiosk.requests import telling
from kiosk.windows import window_view, windows_now

Json = dict[str, Any]

#: Slips that ask for a look. More than this on one screen helps nobody; the rest follows when these are settled.
JOBS_SHOWN = 20
#: A locked screen is seen by everybody in the hall: that somebody calls, and where. Not who, not why it was closed.
_CALL_ON_A_LOCKED_SCREEN = (
    "call_id",
    "state",
    "kind",
    "device_id",
    "claimed",
    "place",
    "presses",
    "opened_ms",
    "last_press_ms",
    "written",
    "overdue",
    "acts",
)
#: What a locked screen hears besides calls: nothing in it names anybody.
_PLAIN_EVENTS = frozenset({"heartbeat", "link", "part", "lock"})


def whole(core: Core) -> Json:
    """Everything the page needs to draw itself anew."""
    mine = {"now_ms": core.now_ms(), "queue": queue(core), "paper": paper(core), "wait": core.wait_alert}
    mine["parking"] = task_box(core)
    mine["requests"] = telling.box(core)
    return {**core.link.snapshot(), **mine}


def windows(core: Core) -> list[Json]:
    """The windows that serve at least one item with tickets."""
    ticketed = {one.code for one in core.catalogue.services if one.needs_ticket}
    return [window_view(one) for one in windows_now(core).all if one.skills & ticketed]


def services(core: Core) -> list[Json]:
    """The items that need a number, for choosing where somebody is sent."""
    items = core.catalogue.services
    return [{"code": one.code, "zh": one.name_zh, "en": one.name_en} for one in items if one.needs_ticket]


def queue(core: Core) -> Json:
    """Today's tickets that still matter, or ``known`` False when the notebook cannot be read."""
    try:
        shown = line.tickets_today(core, ("CALLED", "SERVING", "HELD", "NO_SHOW", "DONE", "CANCELLED"))
        tickets = [*line.waiting(core), *(line.ticket_view(core, one) for one in shown)]
        rules, board = line.policy(core), line.board(core)
    except (NotWritten, sqlite3.Error):
        return {"known": False, "day": "", "tickets": []}
    return {
        "known": True,
        "day": line.today(core),
        "tickets": tickets,
        "windows": windows(core),
        "first_come": board["first_come"],
        "rules": {
            "undo_ms": rules.undo_within_ms,
            "recalls_most": rules.recalls_most,
            "late_places": rules.late_places,
        },
    }


def paper(core: Core) -> Json:
    """Printers, panels, slips that ask staff for a look; ``parts``: whether anybody prints and saves tickets."""
    plan = core.house.plan
    things: list[Printer | Panel] = [*plan.printers, *plan.panels]
    named = {one.id: {"name_zh": one.name_zh, "name_en": one.name_en} for one in things}
    parts = {"bridge": bridge_part(core), "kiosk": kiosk_part(core), **voice_part(core), **slips_part(core)}
    if core.house.herald_db.exists():
        parts |= message_parts(core)
    try:
        reader = core.bridge_reader()
        printers = [dict(row) for row in reader.execute("SELECT * FROM printers ORDER BY printer")]
        panels = [dict(row) for row in reader.execute("SELECT * FROM panels ORDER BY panel")]
        asking = reader.execute(
            "SELECT job_id, slip_id, printer, state, changed_ms, why_zh, why_en FROM jobs"
            " WHERE state IN ('UNSURE', 'FAILED') ORDER BY job_id DESC LIMIT 200"
        ).fetchall()
        jobs = _unsettled(core, [dict(row) for row in asking])
    except (NotWritten, sqlite3.Error):
        printers, panels, jobs = [], [], []
    for one in printers:
        one.update(named.get(one["printer"], {}))
    panels = sorted([*panels, *mqtt_panels(core)], key=lambda one: str(one["panel"]))
    for one in panels:
        one.update(named.get(one["panel"], {}))
    return {"parts": parts, "printers": printers, "panels": panels, "jobs": jobs}


def mqtt_panels(core: Core) -> list[Json]:
    """Panels on MQTT by their own word, in the shape of the bridge's rows; none while the gateway is away.

    What one shows is what it was told, as long as it says so itself.
    """
    heard = core.link.snapshot()
    if not heard["connected"]:
        return []
    told = {str(one.get("panel")): one for one in heard["panels"]}
    rows = []
    for part in heard["parts"]:
        kind, _, name = str(part.get("part")).partition(":")
        if kind != "panel":
            continue
        number = told.get(name, {}).get("number")
        rows.append(
            {
                "panel": name,
                "state": str(part["state"]),
                "shown": "" if part["state"] != "ready" else "--" if number is None else str(number),
                "since_ms": part.get("since_ms"),
                "why_zh": part.get("why_zh", ""),
                "why_en": part.get("why_en", ""),
            }
        )
    return rows


def _unsettled(core: Core, jobs: list[Json]) -> list[Json]:
    """The jobs on which nobody has given a word yet, with the slip's title."""
    reader = core.reader()
    left: list[Json] = []
    for job in jobs:
        slip = reader.execute(
            "SELECT body, EXISTS(SELECT 1 FROM slip_verdicts v WHERE v.slip_id = s.slip_id) AS settled"
            " FROM slips s WHERE slip_id = ?",
            (job["slip_id"],),
        ).fetchone()
        if slip is None or slip["settled"]:
            continue
        left.append({**job, "title": str(json.loads(slip["body"]).get("title", ""))})
        if len(left) == JOBS_SHOWN:
            break
    return left


# ---------------------------------------------------------------- behind a locked screen


def veiled_call(call: Json) -> Json:
    """A call as a locked screen may show it."""
    return {name: call[name] for name in _CALL_ON_A_LOCKED_SCREEN if name in call}


def veiled_calls(calls: list[Json]) -> list[Json]:
    """The open ones, each veiled."""
    return [veiled_call(one) for one in calls if one.get("state") != "CLOSED"]


def veiled_whole(picture: Json) -> Json:
    """The whole picture as a locked screen may show it: open calls and parts, nothing else."""
    return {
        "calls": veiled_calls(picture["calls"]),
        "parts": picture["parts"],
        "connected": picture["connected"],
        "now_ms": picture.get("now_ms"),
    }


def veiled(event: str, data: Json) -> Json | None:
    """An event of the live line as a locked screen may hear it; None: not at all. What is unknown is not told."""
    if event == "call":
        return veiled_call(data)
    if event in ("snapshot", "picture"):
        return veiled_whole(data)
    return data if event in _PLAIN_EVENTS else None

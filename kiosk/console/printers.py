"""The printers: how each is and what to do, slips that ask for a look, a slip once more in one touch and a reason.

Plain forms, as the other pages of forms (care.py). How a printer is stands in bridge.db; here it is read and said.
"""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from devices.faults import NotWritten, OrderRefused
from kiosk.console import acts, blueprint, care, door, picture
from kiosk.console.care import Json, lang
from kiosk.console.words import WORDS, say
from kiosk.core import Core, current_core
from kiosk.paper import REASONS, new_roll, print_again, printer_of, put_test

#: Slips and changes on one page: what fits on a screen; an older slip is found by its number.
SLIPS_SHOWN, MOVES_SHOWN = 12, 12
#: How far back a number is looked for: three full days of a big hall.
SEARCHED = 3000
MONTH_MS = 30 * 24 * 3600 * 1000
#: States that are worth counting over a month.
_COUNTED = (
    "paper_out",
    "cover_open",
    "cutter_error",
    "recoverable",
    "unrecoverable",
    "silent",
    "port_missing",
)


@blueprint.get("/printers")
@door.allow("admin", "staff", quiet=True)
def printer_list() -> ResponseReturnValue:
    """The page asks for itself anew every few seconds, so looking at it is no sign of a person."""
    told, name = request.args.get("told", ""), request.args.get("name", "")[:60]
    done = say(f"told_{told}", lang(), name=name) if f"told_{told}" in WORDS else ""
    return _page(done=done)


@blueprint.post("/printers")
@door.allow("admin", "staff")
def printer_act() -> ResponseReturnValue:
    """One touch: a verdict on a slip, a slip once more, a test, a new roll."""
    core, by, form = current_core(), door.me().name, request.form
    do, name, now_ms = form.get("do", ""), form.get("name", "")[:60], core.now_ms()
    printer = printer_of(core.house.plan, form.get("printer", ""))
    slip_id = care.number(form.get("slip_id", ""))
    try:
        if do in ("printed", "again", "given_up") and slip_id:
            acts.settle(slip_id, do)
            told = "again" if do == "again" else "settled"
        elif do in REASONS and slip_id:
            _must_be_over(core, slip_id)
            new = core.writer.write(lambda notebook: print_again(notebook, slip_id, do, by, now_ms))
            acts.did("reprint", name or f"#{slip_id}", f"{WORDS[f'reason_{do}'][0]} #{new}")
            told = "again"
        elif do == "test" and printer is not None:
            when = f"{datetime.fromtimestamp(now_ms / 1000, core.zone):%Y-%m-%d %H:%M}"
            core.writer.write(lambda notebook: put_test(notebook, printer, when, by, now_ms))
            acts.did("printer_test", printer.id)
            told = "test"
        elif do == "new_roll" and printer is not None:
            core.writer.write(lambda notebook: new_roll(notebook, printer.id, by, now_ms))
            acts.did("new_roll", printer.id)
            told = "new_roll"
        else:
            return door.refuse(400, "bad_request")
    except OrderRefused as refused:
        return _page(409, why=care.why(refused))
    return redirect(url_for("console.printer_list", told=told, name=name), 303)


def _must_be_over(core: Core, slip_id: int) -> None:
    """Only what is off the printers' hands is printed again: else it would come out twice, once without a mark.

    :raises OrderRefused: it still waits, or staff are being asked about it.
    """
    job = core.bridge_reader().execute("SELECT state FROM jobs WHERE slip_id = ?", (slip_id,)).fetchone()
    known = core.reader().execute("SELECT 1 FROM slips WHERE slip_id = ?", (slip_id,)).fetchone()
    if known is not None and (job is None or job["state"] not in ("PRINTED", "SETTLED")):
        raise OrderRefused(say("reprint_not_yet", "zh"), say("reprint_not_yet", "en"))


def _page(status: int = 200, why: str = "", done: str = "") -> ResponseReturnValue:
    core = current_core()
    asked = request.args.get("number", "").strip().upper()[:20]
    names = {one.id: (one.name_zh, one.name_en) for one in core.house.plan.printers}
    filled: Json = {
        "asked": asked,
        "names": names,
        "reasons": REASONS,
        "unsure": [],
        "moves": [],
        "counts": {},
    }
    slips = _slips(core, asked)
    try:
        bridge = core.bridge_reader()
        filled |= _told(core, bridge, slips)
    except (NotWritten, sqlite3.Error):
        filled |= {"printers": [], "slips": slips}
        filled["unread"] = True
        why = why or say("printers_away", lang())
    return care.page("console/printers.html", status, why=why, done=done, **filled)


def _slips(core: Core, asked: str) -> list[Json]:
    """The newest slips, or those whose title has the number in it."""
    rows = core.reader().execute(
        "SELECT slip_id, printer, created_ms, reprint_of, reason, asked_by, json_extract(body, '$.title') AS title"
        " FROM (SELECT * FROM slips ORDER BY slip_id DESC LIMIT ?)"
        " WHERE ? = '' OR upper(title) LIKE '%' || ? || '%' ORDER BY slip_id DESC LIMIT ?",
        (SEARCHED if asked else SLIPS_SHOWN, asked, asked, SLIPS_SHOWN),
    )
    return [{**dict(row), "state": "NONE", "where": row["printer"], "voided": 0} for row in rows]


def _told(core: Core, bridge: sqlite3.Connection, slips: list[Json]) -> Json:
    """What bridge.db says: of the printers of hall.toml in their order, of these slips, of the last weeks."""
    plan = core.house.plan
    rows = {row["printer"]: dict(row) for row in bridge.execute("SELECT * FROM printers")}
    waiting = dict(
        bridge.execute(
            "SELECT printer, count(*) FROM jobs WHERE state IN ('QUEUED', 'SENDING') GROUP BY printer"
        ).fetchall()
    )
    printers = []
    for one in plan.printers:
        if one.id in rows:
            used_m = rows[one.id]["paper_mm"] / 1000
            left_m = max(0.0, one.roll_m - used_m) if one.roll_m else None
            printers.append(
                {
                    **rows[one.id],
                    "plan": one,
                    "waiting": waiting.get(one.id, 0),
                    "used_m": used_m,
                    "left_m": left_m,
                }
            )
    numbers = json.dumps([slip["slip_id"] for slip in slips])
    jobs = {
        row["slip_id"]: row
        for row in bridge.execute(
            "SELECT slip_id, state, printer, meant_for, voided, coalesce(confirmed_by, '') AS confirmed_by,"
            " why_zh, why_en FROM jobs WHERE slip_id IN (SELECT value FROM json_each(?))",
            (numbers,),
        )
    }
    shown = [
        {**slip, **{key: job[key] for key in job.keys()}, "where": job["printer"]}  # noqa: SIM118  # a Row
        if (job := jobs.get(slip["slip_id"])) is not None
        else slip
        for slip in slips
    ]
    since_ms = core.now_ms() - MONTH_MS
    counts: dict[str, list[tuple[str, int]]] = {}
    for printer, state, times in bridge.execute(
        "SELECT printer, state, count(*) FROM printer_moves WHERE at_ms > ? GROUP BY printer, state",
        (since_ms,),
    ):
        if state in _COUNTED:
            counts.setdefault(printer, []).append((state, times))
    moves = bridge.execute(
        "SELECT printer, state, at_ms FROM printer_moves ORDER BY move_id DESC LIMIT ?", (MOVES_SHOWN,)
    ).fetchall()
    return {
        "printers": printers,
        "slips": shown,
        "unsure": picture.paper(core)["jobs"],
        "moves": [dict(row) for row in moves],
        "counts": counts,
    }

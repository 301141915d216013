"""First steps: from an empty hall to the first slip and the first press. Each step is done when the notebooks say so.

Only one step asks: whether the test slip was seen on paper, because no printer can say that somebody holds it. What
was answered, and that the guide was put away, stands in ``meta`` of kiosk.db ("start.paper", "start.away").
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import current_app, jsonify, redirect, request, url_for
from flask.typing import ResponseReturnValue

from devices.faults import NotWritten, OrderRefused
from gateway.backup_sets import backups_of, sets_in
from gateway.log import say_once
from kiosk import hours as kiosk_hours
from kiosk.console import acts, blueprint, care, door
from kiosk.console.desk_lines import page
from kiosk.console.hours import read_week
from kiosk.core import Core, current_core
from kiosk.paper import put_test
from kiosk.rules.hours import ALL_DAY, HallDay

Json = dict[str, Any]

#: What a hall's week is proposed to be; it is typed over where it is not so (our choice: offices' common hours).
USUAL_HOURS = "9:00-12:00 13:30-17:00"


@dataclass(frozen=True, slots=True)
class Step:
    """``done`` None: it cannot be read just now. ``url`` is where it is done; words: start_<key>, …_how, …_do."""

    key: str
    done: bool | None
    url: str = ""
    asks: bool = False


def _meta(core: Core, key: str) -> str:
    row = core.reader().execute("SELECT value FROM meta WHERE key = ?", (f"start.{key}",)).fetchone()
    return "" if row is None else str(row[0])


def _put_meta(core: Core, key: str, value: str) -> None:
    question = "INSERT INTO meta VALUES (?, ?) ON CONFLICT(key) DO UPDATE SET value = excluded.value"
    core.writer.write(lambda notebook: notebook.execute(question, (f"start.{key}", value)))


def _has(reader: sqlite3.Connection, question: str) -> bool:
    return reader.execute(f"SELECT EXISTS({question})").fetchone()[0] == 1


def _calibrated(core: Core) -> bool:
    return _has(core.reader(), "SELECT 1 FROM screens")


def _kiosk(question: str) -> Callable[[Core], bool]:
    return lambda core: _has(core.reader(), question)


def _gateway(question: str) -> Callable[[Core], bool]:
    return lambda core: _has(core.gateway_reader(), question)


#: key → (how one knows that it is done, the page on which it is done)
_STEPS: tuple[tuple[str, Callable[[Core], bool], str], ...] = (
    ("hours", _kiosk("SELECT 1 FROM opening_hours"), "hall_hours"),
    ("paper", lambda core: _meta(core, "paper") == "yes", "printer_list"),
    ("screen", _calibrated, "screens"),
    ("window", _kiosk("SELECT 1 FROM window_spans"), "windows_list"),
    ("number", _kiosk("SELECT 1 FROM tickets"), ""),
    ("called", _kiosk("SELECT 1 FROM tickets WHERE called_ms IS NOT NULL"), "desk"),
    ("button", _gateway("SELECT 1 FROM devices WHERE kind = 'call_button'"), "devices"),
    (
        "press",
        _gateway(
            "SELECT 1 FROM presses JOIN calls USING (call_id) WHERE calls.claimed = 1 AND calls.kind <> 'help'"
            " AND coalesce(accepted_ms, closed_ms) IS NOT NULL"
        ),
        "page",
    ),
    ("helper", _gateway("SELECT 1 FROM helpers WHERE active = 1"), "helpers"),
    ("colleague", _kiosk("SELECT 1 FROM staff WHERE created_by <> 'first-admin-token'"), "staff"),
    ("backup", lambda core: bool(sets_in(backups_of(core.house.home))), ""),
)


def _url(endpoint: str) -> str:
    return page(endpoint, **({"post": "window"} if endpoint == "desk" else {})) if endpoint else ""


def steps(core: Core) -> list[Step]:
    """All steps as they stand at this moment, in order; a step whose page is not there is left out."""
    found = []
    for key, ask, endpoint in _STEPS:
        url = _url(endpoint)
        if key == "number":
            url = url_for("touch.home")
        try:
            done: bool | None = ask(core)
        except (NotWritten, sqlite3.Error) as wrong:
            say_once(f"start:{key}", "start_unread", f"{key} cannot be read: {wrong}", level=logging.INFO)
            done = None
        found.append(Step(key, done, url, key == "paper"))
    return found


def left(core: Core) -> int:
    """How many steps are to be done, for whoever is to be reminded: 0 once all were done, or the guide is put away."""
    try:
        if _meta(core, "away"):
            return 0
    except (NotWritten, sqlite3.Error):
        return 0
    return sum(one.done is False for one in steps(core))


@blueprint.get("/start")
@door.allow("admin")
def start() -> ResponseReturnValue:
    return _page()


def _page(status: int = 200, why: str = "") -> ResponseReturnValue:
    core = current_core()
    found = steps(core)
    return care.page(
        "console/start.html",
        status,
        why=why,
        workdays=request.form.get("workdays", USUAL_HOURS),
        weekend=request.form.get("weekend", ""),
        demo="/demo" if any(one.rule == "/demo" for one in current_app.url_map.iter_rules()) else "",
        steps=found,
        then=[
            ("content", page("content")),
            ("people", page("lists", what="people")),
            ("roster", page("roster")),
        ],
        first=next((one.key for one in found if one.done is False), ""),
        done_steps=sum(one.done is True for one in found),
        put_away=_put_away(core),
        closed=_closed(core),
        backups=backups_of(core.house.home),
        printers=core.house.plan.printers,
        sent=request.args.get("sent") == "1",
        no_paper=request.args.get("paper") == "no",
    )


def _closed(core: Core) -> tuple[str, str] | None:
    """Why no number can be taken now: a hall is set up in an evening or on a Sunday, when it is closed."""
    try:
        return kiosk_hours.closed_notice(core)
    except (NotWritten, sqlite3.Error):
        return None


def _put_away(core: Core) -> bool:
    try:
        return bool(_meta(core, "away"))
    except (NotWritten, sqlite3.Error):
        return False


@blueprint.post("/start")
@door.allow("admin")
def start_done() -> ResponseReturnValue:
    """A test slip; whether it was seen; the guide put away, and taken out again."""
    core, do, by = current_core(), request.form.get("do", ""), door.me().name
    if do == "hours":
        days = [request.form.get("workdays", "")] * 5 + [request.form.get("weekend", "")] * 2
        try:
            kiosk_hours.set_week(core, "", read_week({f"day-{n}": text for n, text in enumerate(days, 1)}))
        except OrderRefused as refused:
            return _page(409, care.why(refused))
        acts.did("hours_set", "")
        return redirect(url_for("console.start", _anchor="paper"), 303)
    if do == "trial":
        today = kiosk_hours.wall(core).date().isoformat()
        kiosk_hours.put_days(core, {today: HallDay(ALL_DAY, "试运行", "trial run")})
        acts.did("hall_days", today)
        return redirect(url_for("console.start", _anchor="number"), 303)
    if do == "test" and core.house.plan.printers:
        wanted = request.form.get("printer", "")
        printer = next(
            (one for one in core.house.plan.printers if one.id == wanted), core.house.plan.printers[0]
        )
        now_ms = core.now_ms()
        when = f"{datetime.fromtimestamp(now_ms / 1000, core.zone):%Y-%m-%d %H:%M}"
        core.writer.write(lambda notebook: put_test(notebook, printer, when, by, now_ms))
        acts.did("printer_test", printer.id)
        return redirect(url_for("console.start", sent=1, _anchor="paper"), 303)
    if do in ("seen", "unseen"):
        _put_meta(core, "paper", "yes" if do == "seen" else "no")
        return redirect(url_for("console.start", paper=None if do == "seen" else "no", _anchor="paper"), 303)
    if do in ("away", "again"):
        _put_meta(core, "away", "1" if do == "away" else "")
        return redirect(url_for("console.page" if do == "away" else "console.start"), 303)
    return door.refuse(400, "bad_request")


@blueprint.get("/api/start")
@door.allow("admin", quiet=True)
def start_now() -> ResponseReturnValue:
    """Which steps are done, for the page that waits for a press: ``{"done": {step: true | false | null}}``."""
    return jsonify(done={one.key: one.done for one in steps(current_core())})


@blueprint.context_processor
def _for_templates() -> dict[str, Any]:
    return {"start_left": lambda: left(current_core()), "start_back": _sent_here}


def _sent_here() -> bool:
    """Whether this is a page to which the guide sends, while it has steps left: its way back is to stand there."""
    mine = {_url(endpoint) for _, _, endpoint in _STEPS if endpoint != "page"}  # there a note of its own says it
    return request.path in mine - {""} and left(current_core()) > 0

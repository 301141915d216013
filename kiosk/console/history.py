"""The history of calls: a form that asks, a table that answers, a file for a spreadsheet. Works without a script."""

from __future__ import annotations

import csv
import datetime
import io
import sqlite3
from typing import Any

from flask import Response, g, request
from flask.typing import ResponseReturnValue

from devices.faults import NotWritten, OrderRefused
from gateway import views_answering
from gateway.views_answering import Wanted
from kiosk.console import acts, blueprint, care, door
from kiosk.console.words import OUTCOMES, say
from kiosk.core import Core, current_core
from kiosk.kinds import kinds_now

Json = dict[str, Any]

#: Calls on one page, and in one file: a year of a busy hall (50 a day) fits into a file.
ON_A_PAGE, IN_A_FILE = 100, 20_000
#: The columns of the file. No medical notes; and no closing notes either: people write of illness there.
COLUMNS = (
    "call_id",
    "kind",
    "opened",
    "accepted",
    "accepted_by",
    "arrived",
    "arrived_by",
    "closed",
    "closed_by",
    "outcome",
    "presses",
    "repeats",
    "person",
    "place",
    "device_id",
    "device_name",
    "delayed",
    "doubtful",
)


@blueprint.get("/history")
@door.allow("admin", "staff")
def history() -> ResponseReturnValue:
    core, asked = current_core(), dict(request.args)
    kinds = kinds_now(core)
    filled: Json = {
        "asked": {"day_from": _today(core), "day_to": _today(core), **asked},
        "kinds": [(one["kind"], one[f"name_{g.lang}"]) for one in kinds],
        "outcomes": [*outcome_words(kinds, g.lang).items()],
        "names": {one["kind"]: one[f"name_{g.lang}"] for one in kinds},
        "calls": [],
        "more": 0,
        "why": "",
    }
    try:
        found = _found(core, ON_A_PAGE + 1)
        filled.update(
            calls=found[:ON_A_PAGE], more=found[ON_A_PAGE - 1]["call_id"] if len(found) > ON_A_PAGE else 0
        )
    except OrderRefused as refused:
        return care.page("console/history.html", 400, **{**filled, "why": care.why(refused)})
    except (NotWritten, sqlite3.Error):
        return care.page("console/history.html", 503, **{**filled, "why": say("history_unread", g.lang)})
    return care.page("console/history.html", **filled)


@blueprint.get("/history.csv")
@door.allow("admin", "staff")
def history_csv() -> ResponseReturnValue:
    """The same calls as a file: UTF-8 with a mark at its head, as spreadsheets want it. Who took it is noted."""
    core = current_core()
    try:
        found = _found(core, IN_A_FILE)
    except OrderRefused as refused:
        return door.refuse_words(400, care.why(refused))
    except (NotWritten, sqlite3.Error):
        return door.refuse(503, "history_unread")
    kinds = kinds_now(core)
    names = {one["kind"]: one[f"name_{g.lang}"] for one in kinds}
    outcomes = outcome_words(kinds, g.lang)
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(COLUMNS)
    for call in found:
        told = {
            **call,
            "kind": names.get(call["kind"], call["kind"]),
            "outcome": outcomes.get(call["outcome"] or "", call["outcome"] or ""),
            **{
                name: _written_time(core, call[f"{name}_ms"])
                for name in ("opened", "accepted", "arrived", "closed")
            },
            **{name: int(call[name]) for name in ("delayed", "doubtful")},
        }
        table.writerow([safe_cell(told[name]) for name in COLUMNS])
    acts.did("export_calls", f"{len(found)}")
    day = _today(core)
    return Response(
        "\ufeff" + text.getvalue(),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="linli-calls-{day}.csv"'},
    )


def outcome_words(kinds: list[Json], lang: str) -> dict[str, str]:
    """Every outcome that any kind has, and those that kinds had once."""
    at = 0 if lang == "zh" else 1
    told = {word: names[at] for word, names in OUTCOMES.items()}
    for kind in kinds:
        told.update({word: names[at] for word, *names in kind["outcomes"]})
    return told


def safe_cell(value: object) -> object:
    """A spreadsheet runs what begins with these signs; a name is only a name (OWASP, "CSV injection")."""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return "'" + value
    return "" if value is None else value


def _found(core: Core, most: int) -> list[Json]:
    asked = request.args
    first, last = _day(core, "day_from"), _day(core, "day_to")
    before = asked.get("before", "")
    wanted = Wanted(
        from_ms=_midnight_ms(core, first),
        to_ms=_midnight_ms(core, last + datetime.timedelta(days=1)),
        kind=asked.get("kind", "")[:64],
        outcome=asked.get("outcome", "")[:64],
        words=asked.get("words", "").strip()[:80],
    )
    number = int(before) if before.isascii() and before.isdigit() and len(before) < 16 else 2**62
    return views_answering.calls_wanted(core.gateway_reader(), wanted, most, number)


def _day(core: Core, name: str) -> datetime.date:
    try:
        day = datetime.date.fromisoformat(request.args.get(name) or _today(core))
    except ValueError as wrong:
        raise OrderRefused(say("history_day_wrong", "zh"), say("history_day_wrong", "en")) from wrong
    if not 2000 <= day.year <= 2200:
        raise OrderRefused(say("history_day_wrong", "zh"), say("history_day_wrong", "en"))
    return day


def _midnight_ms(core: Core, day: datetime.date) -> int:
    return int(datetime.datetime.combine(day, datetime.time(), core.zone).timestamp() * 1000)


def _today(core: Core) -> str:
    return datetime.datetime.fromtimestamp(core.now_ms() / 1000, core.zone).date().isoformat()


def _written_time(core: Core, at_ms: int | None) -> str:
    if not at_ms:
        return ""
    return datetime.datetime.fromtimestamp(at_ms / 1000, core.zone).strftime("%Y-%m-%d %H:%M:%S")

"""What residents asked: open ones first, the urgent before the others, then whose answer is due first.

Who asked is masked until somebody says "show", and that is a line in the journal. Every form works without a script.
"""

from __future__ import annotations

import io
import re
import sqlite3
from datetime import datetime
from typing import Any

from flask import g, redirect, request, send_file, url_for
from flask.typing import ResponseReturnValue

from devices.faults import NotWritten, OrderRefused
from gateway.hall.reading import is_day
from kiosk import requests as desk
from kiosk.console import acts, blueprint, care, door
from kiosk.console.words import say
from kiosk.core import Core, current_core
from kiosk.requests import looking, notes
from kiosk.requests.looking import Row
from kiosk.rules import request_life as life
from kiosk.rules.requests import FIELD_WORDS, KINDS, PLACES, Both, masked_name, masked_phone, spell_code

Json = dict[str, Any]

#: On one page; and closed ones beneath the open ones where nobody has asked for anything.
ON_A_PAGE, CLOSED_SHOWN, IN_A_FILE = 500, 30, 20_000
_FILE = (
    "number", "kind", "service", "urgent", "state", "place", "building", "received", "answer_by", "answered", "closed",
)  # fmt: skip
_STEP_ID = re.compile(r"[0-9]{1,15}")


# ---------------------------------------------------------------- all of them


@blueprint.get("/requests")
@door.allow("admin", "staff")
def requests() -> ResponseReturnValue:
    core = current_core()
    asked = {name: request.args.get(name, "").strip()[:20] for name in ("kind", "state", "building", "from", "to")}
    found: Json = {"asked": asked, "kinds": list(KINDS.values()), "states": life.STATE_WORDS, "rows": [], "more": False}
    try:
        reader = core.reader()
        rows, more = _asked_for(reader, asked)
        found |= {
            "rows": [_line(core, reader, one) for one in rows],
            "more": more,
            "counts": looking.open_counts(reader, core.now_ms()),
            "buildings": looking.buildings(reader),
        }
    except (NotWritten, sqlite3.Error):
        return care.page("console/requests.html", 503, **found, why=say("rq_unread", g.lang))
    return care.page("console/requests.html", **found)


def _asked_for(reader: sqlite3.Connection, asked: dict[str, str]) -> tuple[list[Row], bool]:
    """Those that fit, in the order in which somebody should see to them; whether there are more."""
    fits: Json = {
        "kind": asked["kind"],
        "building": asked["building"],
        "first_day": asked["from"] if is_day(asked["from"]) else "",
        "last_day": asked["to"] if is_day(asked["to"]) else "",
    }
    states = {"open": tuple(sorted(life.OPEN)), "closed": tuple(sorted(life.CLOSED))}.get(asked["state"])
    if states is None and asked["state"] in life.STATE_WORDS:
        states = (asked["state"],)
    everything = states is None and not any(fits.values())
    wanted = tuple(sorted(life.OPEN)) if everything else states or ()
    rows = looking.listed(reader, states=wanted, **fits, most=ON_A_PAGE + 1, as_due=True)
    more = len(rows) > ON_A_PAGE
    if everything:
        rows += looking.listed(reader, states=tuple(sorted(life.CLOSED)), most=CLOSED_SHOWN)
    return rows[:ON_A_PAGE], more


def _line(core: Core, reader: sqlite3.Connection, row: Row) -> Json:
    """What a row of the list shows, in the page's language."""
    now_ms, kept = core.now_ms(), looking.notes(reader, row.request_id)
    return {
        "row": row,
        "state": life.STATE_WORDS[row.state].say(g.lang),
        "place": PLACES[row.place].say(g.lang) if row.place in PLACES else "",
        "overdue": life.is_overdue(row.state, row.answer_by_ms, now_ms),
        "waits": row.state in life.UNANSWERED and row.answer_by_ms is not None,
        "left_ms": abs((row.answer_by_ms or now_ms) - now_ms),
        "has": [one.kind for one in kept if one.gone_ms is None],
    }


@blueprint.get("/requests.csv")
@door.allow("admin", "staff")
def requests_csv() -> ResponseReturnValue:
    """As asked for, as a file: no name, no phone, no room, no words. Who took it is noted."""
    core = current_core()
    asked = {name: request.args.get(name, "").strip()[:20] for name in ("kind", "state", "building", "from", "to")}
    states = {"open": life.OPEN, "closed": life.CLOSED}.get(asked["state"], frozenset({asked["state"]} - {""}))
    try:
        reader = core.reader()
        rows = looking.listed(
            reader,
            states=tuple(sorted(states)),
            kind=asked["kind"],
            building=asked["building"],
            first_day=asked["from"] if is_day(asked["from"]) else "",
            last_day=asked["to"] if is_day(asked["to"]) else "",
            most=IN_A_FILE,
        )
        table = [_cells(core, one, looking.answered_ms(reader, one.request_id)) for one in rows]
    except (NotWritten, sqlite3.Error):
        return door.refuse(503, "rq_unread")
    acts.did("export_requests", f"{len(table)}")
    return care.csv_file(f"linli-requests-{care.today()}.csv", [say(f"rq_col_{one}", g.lang) for one in _FILE], table)


def _cells(core: Core, row: Row, answered_ms: int | None) -> list[object]:
    def moment(at_ms: int | None) -> str:
        return "" if at_ms is None else f"{datetime.fromtimestamp(at_ms / 1000, core.zone):%Y-%m-%d %H:%M}"

    place = PLACES.get(row.place)
    return [
        row.number, row.kind.say(g.lang), row.service_code, int(row.urgent), life.STATE_WORDS[row.state].say(g.lang),
        place.say(g.lang) if place else "", row.building, moment(row.made_ms), moment(row.answer_by_ms),
        moment(answered_ms), moment(row.closed_ms),
    ]  # fmt: skip


# ---------------------------------------------------------------- one


@blueprint.get("/requests/<int:request_id>")
@door.allow("admin", "staff")
def request_page(request_id: int) -> ResponseReturnValue:
    row = looking.by_id(current_core().reader(), request_id)
    return door.refuse(404, "rq_unknown") if row is None else _page(row)


@blueprint.post("/requests/<int:request_id>")
@door.allow("admin", "staff")
def request_done(request_id: int) -> ResponseReturnValue:
    """One step, a note, an undo, or "show who": ``do`` says which."""
    core, by, form = current_core(), door.me().name, request.form
    do = form.get("do", "")
    row = looking.by_id(core.reader(), request_id)
    if row is None:
        return door.refuse(404, "rq_unknown")
    try:
        if do == "show":
            return _page(desk.show_person(core, request_id, by), shown=True)
        if do == "undo":
            step_id = form.get("step", "")
            desk.undo(core, request_id, int(step_id) if _STEP_ID.fullmatch(step_id) else 0, by)
        elif do in life.LIFE:
            note = form.get("note", "").strip()
            desk.do(core, request_id, do, by, _words(do), note, form.get("seen", ""))
        else:
            return door.refuse(400, "bad_request")
    except OrderRefused as refused:
        fresh = looking.by_id(core.reader(), request_id)
        return _page(fresh or row, why=care.why(refused), status=409)
    except NotWritten:
        return _page(row, why=say("rq_not_written", g.lang), status=503)
    return redirect(url_for("console.request_page", request_id=request_id, did=do), 303)


def _words(event: str) -> Both:
    """What staff wrote for the resident; nothing written: the sentence they touched."""
    zh, en = (request.form.get(name, "").strip() for name in ("words", "words_en"))
    preset = request.form.get("preset", "")
    known = life.SAY_PRESETS.get(event, ())
    if not (zh or en) and preset.isascii() and preset.isdigit() and int(preset[:3]) < len(known):
        return known[int(preset[:3])]
    return Both(zh, en)


def _page(row: Row, *, why: str = "", status: int = 200, shown: bool = False) -> ResponseReturnValue:
    core = current_core()
    reader, now_ms = core.reader(), core.now_ms()
    done = looking.steps(reader, row.request_id)
    last = next((one for one in reversed(done) if one.event not in ("say", "note")), None)
    service = core.catalogue.service(row.service_code)
    name, phone = (row.name, row.phone) if shown else (masked_name(row.name), masked_phone(row.phone))
    did = request.args.get("did", "") if request.method == "GET" else ""
    return care.page(
        "console/request.html",
        status,
        line=_line(core, reader, row),
        row=row,
        code=spell_code(row.code),
        service=service.say("name", g.lang) if service is not None else row.service_code,
        who=name,
        phone=phone,
        shown=shown,
        extra=[(FIELD_WORDS[key].say(g.lang), value if shown else "***") for key, value in row.extra.items()],
        notes=looking.notes(reader, row.request_id),
        steps=[(one, _event_word(one.event), one.told.say(g.lang)) for one in reversed(done)],
        moves=life.steps_from(row.state),
        presets=life.SAY_PRESETS,
        undo=last.step_id if last is not None and life.may_undo(last.event, last.at_ms, now_ms) else 0,
        # Named: what was told to the resident since then stays told.
        undo_what=_event_word(last.event) if last is not None else "",
        undo_s=0 if last is None else max(0, (last.at_ms + life.UNDO_MS - now_ms) // 1000),
        typed=request.form if request.method == "POST" else {},
        why=why,
        done=say("rq_did", g.lang, what=_event_word(did)) if did in life.LIFE or did == "undo" else "",
    )


def _event_word(event: str) -> str:
    if event in ("received", "undo"):
        return say(f"rq_event_{event}", g.lang)
    return life.LIFE[event].console.say(g.lang) if event in life.LIFE else event


@blueprint.get("/requests/note/<int:note_id>")
@door.allow("admin", "staff")
def request_note(note_id: int) -> ResponseReturnValue:
    """A voice or a drawing, in parts where the player asks for a part."""
    found = notes.open_note(current_core(), note_id)
    if found is None:
        return door.refuse(404, "rq_note_gone")
    _, file, mime = found
    try:
        held = io.BytesIO(file.read_bytes())  # a note is a megabyte at most
    except OSError:
        return door.refuse(404, "rq_note_gone")
    return send_file(held, mimetype=mime, conditional=True, etag=False, max_age=None)

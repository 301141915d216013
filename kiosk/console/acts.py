"""What a member of staff orders with one tap: JSON in, the server's truth out. The queue's orders: ``queue.py``.

Answers: 200 ``{"ok": true, …}``; 409 refused by a rule, 503 something outside is down, 400 incomplete, each with
``{"error": {"code", "zh", "en"}}``. Nothing is promised here that was not written: the page waits for the fact.
"""

from __future__ import annotations

import logging
import sqlite3
from typing import Any

from flask import g, jsonify, make_response, request
from flask.typing import ResponseReturnValue

from devices.faults import DeviceFault, NotWritten, OrderRefused, OutsideDown
from gateway.log import say as log
from kiosk.accounts import TooManyTries
from kiosk.answers import is_text, read_json
from kiosk.console import blueprint, care, door, live
from kiosk.console.words import say
from kiosk.core import Core, current_core
from kiosk.paper import print_again
from kiosk.writer import NotKnown

Json = dict[str, Any]

#: The longest text a field of a form may carry: a place, a name, a note.
TEXT_AT_MOST, NOTE_AT_MOST = 80, 500
#: As for the keys of residents' screens (kiosk/api.py).
KEY_AT_MOST = 64


class Incomplete(DeviceFault):
    """The page's script sent something that is no order of ours."""


# ---------------------------------------------------------------- calls


@blueprint.post("/api/calls/<int:call_id>/accept")
@door.allow("admin", "staff")
def accept_call(call_id: int) -> ResponseReturnValue:
    """On my way. Whoever is second is told who was first."""
    core, by = current_core(), door.me().name
    try:
        answer = core.link.order("accept_call", call_id=call_id, by=by)
    except OrderRefused:
        if told := _whose(core, call_id, by):
            return told
        raise
    did("accept_call", f"#{call_id}")
    return jsonify(ok=True, call=answer.get("call"))


@blueprint.post("/api/calls/<int:call_id>/close")
@door.allow("admin", "staff")
def close_call(call_id: int) -> ResponseReturnValue:
    body = json_body()
    outcome, note = text_of(body, "outcome"), text_of(body, "note", NOTE_AT_MOST)
    core, by = current_core(), door.me().name
    try:
        answer = core.link.order("close_call", call_id=call_id, by=by, outcome=outcome, note=note)
    except OrderRefused:
        if told := _whose(core, call_id, by):
            return told
        raise
    did("close_call", f"#{call_id}", outcome)
    return jsonify(ok=True, call=answer.get("call"))


def _whose(core: Core, call_id: int, by: str) -> ResponseReturnValue | None:
    """The refusal in words that help: who has this call already."""
    call: Json = next((one for one in core.link.snapshot()["calls"] if one.get("call_id") == call_id), {})
    if call.get("state") == "CLOSED":
        return door.refuse(409, "already_closed", name=call.get("closed_by") or "?")
    if call.get("state") == "COMING" and call.get("accepted_by") != by:
        return door.refuse(409, "already_taken", name=call.get("accepted_by") or "?")
    return None


# ---------------------------------------------------------------- bays, zones, devices


@blueprint.post("/api/bays/<bay_id>/<any(close, open):what>")
@door.allow("admin", "staff")
def bay(bay_id: str, what: str) -> ResponseReturnValue:
    answer = current_core().link.order(f"{what}_bay", bay_id=bay_id, by=door.me().name)
    did(f"{what}_bay", bay_id)
    return jsonify(ok=True, bay=answer.get("bay"))


@blueprint.post("/api/zones")
@door.allow("admin")
def define_zone() -> ResponseReturnValue:
    body = json_body()
    fields: Json = {name: text_of(body, name) for name in ("zone_id", "name_zh", "name_en")}
    answer = current_core().link.order("define_zone", **fields, by=door.me().name)
    did("define_zone", fields["zone_id"])
    return jsonify(ok=True, zone=answer.get("zone"))


@blueprint.post("/api/devices/<path:device_id>/claim")
@door.allow("admin", "staff")
def claim_device(device_id: str) -> ResponseReturnValue:
    """Say what a device is. Empty fields are left to the gateway's defaults."""
    body = json_body()
    known = (
        "kind",
        "name",
        "call_kind",
        "place",
        "person",
        "person_id",
        "bay_id",
        "zone_id",
        "model",
        "answers",
    )
    fields: Json = {name: text_of(body, name) for name in known if name in body}
    answer = current_core().link.order("claim_device", device_id=device_id, **fields, by=door.me().name)
    did("claim_device", device_id, fields.get("kind", ""))
    return jsonify(ok=True, device=answer.get("device"))


# ---------------------------------------------------------------- paper


@blueprint.post("/api/slips/<int:slip_id>/<any(printed, again, given_up):what>")
@door.allow("admin", "staff")
def settle_slip(slip_id: int, what: str) -> ResponseReturnValue:
    """Staff's word on a slip of which nobody could know: it printed, print it again (补打), drop it."""
    return jsonify(ok=True, slip_id=settle(slip_id, what))


def settle(slip_id: int, what: str) -> int | None:
    """Write staff's word down; gives the number of the slip that comes again, if one does.

    :raises OrderRefused: nobody asks about that slip any more.
    """
    core, by = current_core(), door.me().name
    job = core.bridge_reader().execute("SELECT state FROM jobs WHERE slip_id = ?", (slip_id,)).fetchone()
    settled = OrderRefused(say("job_settled", "zh"), say("job_settled", "en"))
    if job is None or job["state"] not in ("UNSURE", "FAILED"):
        raise settled
    now_ms = core.now_ms()

    def work(notebook: sqlite3.Connection) -> int | None:
        if notebook.execute("SELECT 1 FROM slip_verdicts WHERE slip_id = ?", (slip_id,)).fetchone():
            raise settled
        verdict = {"printed": "printed", "again": "reprinted", "given_up": "given_up"}[what]
        notebook.execute(
            'INSERT INTO slip_verdicts(slip_id, verdict, "by", at_ms) VALUES (?, ?, ?, ?)',
            (slip_id, verdict, by, now_ms),
        )
        return print_again(notebook, slip_id, "unsure", by, now_ms) if what == "again" else None

    new_slip_id = core.writer.write(work)
    did(f"slip_{what}", f"#{slip_id}", "" if new_slip_id is None else f"#{new_slip_id}")
    core.hub.publish("staff", "slip_settled", {"slip_id": slip_id, "what": what})
    return new_slip_id


# ---------------------------------------------------------------- the lock


@blueprint.post("/api/lock")
@door.allow("admin", "staff", locked=True, quiet=True)
def lock() -> ResponseReturnValue:
    door.accounts().lock(door.me())
    live.wake(current_core())
    return jsonify(ok=True)


@blueprint.post("/api/unlock")
@door.allow("admin", "staff", locked=True, quiet=True)
def unlock() -> ResponseReturnValue:
    door.accounts().unlock(door.me(), str(json_body().get("password", "")), door.address())
    live.wake(current_core())
    return jsonify(ok=True)


# ---------------------------------------------------------------- reading a body, answering a fault


def json_body() -> Json:
    body = read_json()
    if not isinstance(body, dict) or not is_text(body):
        raise Incomplete("the body is no JSON object")
    return body


def text_of(body: Json, name: str, most: int = TEXT_AT_MOST) -> str:
    value = body.get(name, "")
    if not isinstance(value, str) or len(value) > most:
        raise Incomplete(f"{name} is no text of at most {most} characters")
    return value.strip()


def did(what: str, subject: str = "", detail: str = "") -> None:
    """One line in the journal. What was done stays done when this cannot be written; the log says so."""
    try:
        door.accounts().note(door.me().name, what, subject, detail)
    except OutsideDown as wrong:
        log(
            "journal_not_written", f"{what} {subject} was done, but not noted: {wrong}", level=logging.WARNING
        )


@blueprint.errorhandler(TooManyTries)
def too_many_tries(refused: TooManyTries) -> ResponseReturnValue:
    answer = make_response(_refused(refused, "too_many_tries", 429))
    answer.headers["Retry-After"] = str(-(-refused.wait_ms // 1000))
    return answer


@blueprint.errorhandler(OrderRefused)
def refused_by_rule(refused: OrderRefused) -> ResponseReturnValue:
    return _refused(refused, "refused", 409)


def _refused(refused: OrderRefused, code: str, status: int) -> ResponseReturnValue:
    """A script reads JSON; whoever sent a form reads a page."""
    if door.is_script():
        return jsonify(error={"code": code, "zh": refused.why_zh, "en": refused.why_en}), status
    return door.refuse_words(status, care.why(refused))


@blueprint.errorhandler(Incomplete)
def incomplete(_wrong: Incomplete) -> ResponseReturnValue:
    return door.refuse(400, "bad_request")


@blueprint.errorhandler(OutsideDown)
def outside_down(wrong: OutsideDown) -> ResponseReturnValue:
    """Something that is not ours is down: say which, and what still works."""
    g.setdefault("lang", "zh")
    if isinstance(wrong, NotKnown):
        key = "outside_unknown"
    elif isinstance(wrong, NotWritten):  # who only looks has not tried to change anything
        key = "care_unreadable" if request.method == "GET" else "outside_disk"
    else:
        key = "outside_order" if current_core().link.connected else "outside_gateway"
    log("console_refused", f"{request.path}: {wrong}", level=logging.WARNING)
    return door.refuse(503, key)

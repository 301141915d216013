"""Sending a request, and the voice or drawing that goes with it (docs/protocol.md, 10)."""

from __future__ import annotations

import secrets
from hmac import compare_digest
from typing import Any

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import RequestEntityTooLarge

from kiosk.answers import body, error, paper_asker
from kiosk.api import GIVER, KEY
from kiosk.core import Core, current_core
from kiosk.paper import fresh_slip, one_slip_view
from kiosk.requests import notes, taking
from kiosk.requests.looking import Row, by_code, hall_phone
from kiosk.requests.notes import NoteRefused
from kiosk.requests.progress import asked_for
from kiosk.rules import request_life as life
from kiosk.rules.request_kinds import ANYWHERE
from kiosk.rules.requests import (
    DRAWING_AT_MOST,
    NOTES,
    VOICE_AT_MOST,
    FieldNotAsked,
    RequestWrong,
    may_ask,
    read_code,
    spell_code,
)

blueprint = Blueprint("requests", __name__)

#: What a request is wrapped in; everything else is a field, and a field that is not asked for is refused.
_ENVELOPE = frozenset({"kind", "key", "lang", "screen"})
_NOTE_STATUS = {"too_large": 413, "kind": 415, "again": 409, "late": 409, "closed": 409, "not_asked": 422, "disk": 503}


# ---------------------------------------------------------------- sending


@blueprint.post("/api/requests")
def send() -> ResponseReturnValue:
    core, asked = current_core(), body(half_signs=True)
    key, lang = asked.get("key", ""), asked.get("lang", "zh")
    screen = asked.get("screen", "kiosk-1")
    key = secrets.token_urlsafe(12) if key == "" else key
    if not isinstance(key, str) or not KEY.fullmatch(key):
        return error(400, "bad_key", "key 须为 1-64 位字母数字", "key must be 1-64 of A-Z a-z 0-9 _ . : -")
    if lang not in ("zh", "en") or not isinstance(screen, str) or not GIVER.fullmatch(screen):
        return error(400, "bad_request", "请求的格式不对", "The request is malformed")
    kind, service = taking.kind_of(core, asked.get("kind"))
    who, now_ms = paper_asker(asked), core.now_ms()
    try:
        given = {name: value for name, value in asked.items() if name not in _ENVELOPE}
        taken = taking.take(
            core,
            taking.read(core, kind, service, given),
            key,
            lang,
            screen,
            may_print=lambda: core.slip_limit.check(who, now_ms),
        )
    except RequestWrong as wrong:
        code = "field_not_asked" if isinstance(wrong, FieldNotAsked) else "field_wrong"
        return error(422, code, wrong.why_zh, wrong.why_en, field=wrong.field)
    if taken.new:
        core.slip_limit.spend(who, now_ms)
    return jsonify(taken_view(core, taken)), 201 if taken.new else 200


def taken_view(core: Core, taken: taking.Taken) -> dict[str, Any]:
    """What whoever sent it sees at once."""
    row, kind = taken.row, taken.row.kind
    service = core.catalogue.service(row.service_code)
    confirmed = service is not None and service.confirmed("promised")
    by = life.answer_words(row.answer_by_ms, core.now_ms(), core.zone, confirmed=confirmed)
    phones = phones_of(core, row)
    first = kind.first if kind.urgent else None
    return {
        "code": row.code,
        "spelled": spell_code(row.code),
        "number": row.number,
        "state": row.state,
        "slip": fresh_slip(row.slip_id) if taken.new else one_slip_view(core, row.slip_id),
        "answer_by": {"zh": by.zh, "en": by.en},
        "urgent": None if first is None else {"zh": first.zh, "en": first.en, "phone": phones[0] if phones else ""},
        "phones": phones,
        "notes": [one for one in NOTES if service is not None and may_ask(service.kiosk_fields, one)],
    }


def phones_of(core: Core, row: Row) -> list[str]:
    """Numbers to be dialled, the first one first: facts (119, 110), then the hall's own where it has written it. What
    is urgent has always one."""
    own = hall_phone(core.reader(), row.kind.ask_for)
    found = [*row.kind.dial, *([own] if own else [])]
    return found or (list(ANYWHERE) if row.kind.urgent else [])


@blueprint.post("/api/requests/<code>/<any(voice, drawing):kind>")
def add_note(code: str, kind: str) -> ResponseReturnValue:
    """A note's bytes, with the request's own key: who holds only its code can look, but not add."""
    request.max_content_length = VOICE_AT_MOST if kind == "voice" else DRAWING_AT_MOST
    core = current_core()
    try:
        data = request.get_data(cache=False)
    except RequestEntityTooLarge:
        return _note_error(NoteRefused(kind, "too_large"))
    # Who holds its key guesses nothing: another's wrong codes at this screen must not cost anybody a voice.
    row = _held(core, code)
    if row is None:
        row, locked = asked_for(core, code)
        if row is None:
            return locked
        return error(403, "bad_key", "只有刚才登记的屏幕可以补充", "Only the screen that sent it may add to it")
    try:
        new = notes.add(core, row, kind, data)
    except NoteRefused as refused:
        return _note_error(refused)
    return jsonify({"kept": True}), 201 if new else 200


def _held(core: Core, code: str) -> Row | None:
    """The request of this code, where the asker has its key, too."""
    row = by_code(core, read_code(code) or "")
    if row is None:
        return None
    known = core.reader().execute("SELECT key FROM requests WHERE request_id = ?", (row.request_id,)).fetchone()[0]
    return row if compare_digest(str(known).encode(), request.args.get("key", "").encode()) else None


def _note_error(refused: NoteRefused) -> ResponseReturnValue:
    return error(_NOTE_STATUS.get(refused.why, 400), f"note_{refused.why}", refused.why_zh, refused.why_en)

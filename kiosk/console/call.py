"""The responder's screen: one call and all that helps to answer it, at one address (``/console/call/7``).

The page carries its facts with it, so that it is drawn before the live line is up; afterwards it asks again whenever
the line says that something of this call has changed. What the notebook cannot tell, the gateway's last word does.
"""

from __future__ import annotations

import sqlite3
from typing import Any

from flask import jsonify
from flask.typing import ResponseReturnValue

from devices.faults import NotWritten, OrderRefused
from gateway import views_answering
from kiosk.console import acts, blueprint, door, pages
from kiosk.console.words import say
from kiosk.core import Core, current_core
from kiosk.kinds import kinds_now

Json = dict[str, Any]


@blueprint.get("/call/<int:call_id>")
@door.allow("admin", "staff")
def call_page(call_id: int) -> ResponseReturnValue:
    told = story(current_core(), call_id)
    if told is None:
        return door.refuse(404, "no_such_call", n=call_id)
    return pages.live_page("call", story=told, may_see_medical=door.me().medical)


@blueprint.get("/api/call/<int:call_id>")
@door.allow("admin", "staff", quiet=True)
def call_story(call_id: int) -> ResponseReturnValue:
    """The same facts anew. Asked by the page itself when something has changed: no sign of a person."""
    told = story(current_core(), call_id)
    return door.refuse(404, "no_such_call", n=call_id) if told is None else jsonify(told)


@blueprint.get("/api/kinds")
@door.allow("admin", "staff", locked=True, quiet=True)
def kinds_told() -> ResponseReturnValue:
    """The kinds of call, for a page that was open when somebody edited them. They name nobody."""
    return jsonify(kinds_now(current_core()))


def story(core: Core, call_id: int) -> Json | None:
    """What is known of this call. ``known`` False: only what the gateway said; None: nobody knows such a call."""
    heard = core.link.snapshot()
    live: Json | None = next((one for one in heard["calls"] if one.get("call_id") == call_id), None)
    told: Json | None
    try:
        reader = core.gateway_reader()
        told = views_answering.call_story(reader, call_id)
        if told is None and live is not None:
            # It rings from memory, because the disk refuses: whose device it is the notebook knows all the same.
            around, earlier = views_answering.around(reader, live), views_answering.earlier(reader, live)
            told = {**_NOTHING, **around, "earlier": earlier, "call": live, "known": True}
    except (NotWritten, sqlite3.Error):
        told = None if live is None else {**_NOTHING, "call": live, "known": False}
    if told is None:
        return None
    call = live if live is not None and heard["connected"] else told["call"]
    return {"known": True, **told, "call": call, "connected": heard["connected"], "now_ms": core.now_ms()}


_NOTHING: Json = {
    "person": None,
    "devices": [],
    "neighbours": [],
    "earlier": [],
    "steps": [],
    "messages": [],
    "timers": {},
    "lines": [],
}


@blueprint.post("/api/calls/<int:call_id>/arrive")
@door.allow("admin", "staff")
def arrive_call(call_id: int) -> ResponseReturnValue:
    answer = current_core().link.order("arrive_call", call_id=call_id, by=door.me().name)
    acts.did("arrive_call", f"#{call_id}")
    return jsonify(ok=True, call=answer.get("call"))


@blueprint.post("/api/calls/<int:call_id>/reopen")
@door.allow("admin", "staff")
def reopen_call(call_id: int) -> ResponseReturnValue:
    answer = current_core().link.order("reopen_call", call_id=call_id, by=door.me().name)
    acts.did("reopen_call", f"#{call_id}")
    return jsonify(ok=True, call=answer.get("call"))


@blueprint.post("/api/calls/<int:call_id>/medical")
@door.allow("admin", "staff")
def look_at_medical(call_id: int) -> ResponseReturnValue:
    """Medical notes, after the gateway has written down who looked. Without its word nobody sees them."""
    core, me = current_core(), door.me()
    if not me.medical:
        return door.refuse(403, "medical_not_allowed")
    told = story(core, call_id)
    person = None if told is None else told["person"]
    if person is None:
        raise OrderRefused(say("medical_no_person", "zh"), say("medical_no_person", "en"))
    answer = core.link.order("look_at_medical", person_id=person["person_id"], by=me.name, call_id=call_id)
    if answer.get("written") is not True:
        raise NotWritten("the gateway has not written down who looks at medical notes")
    acts.did("look_at_medical", f"#{call_id}")
    return jsonify(ok=True, medical=views_answering.medical_notes(core.gateway_reader(), person["person_id"]))
